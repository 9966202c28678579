"""What training with margins on energies does: before and after."""

from __future__ import annotations

from choicekit.detection.metrics import METRICS
from choicekit.detection.study import TrainingOutcome
from choicekit.report.content import Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.kinds.detection.view import DetectionView
from choicekit.report.kinds.detection.words import metric_text
from choicekit.report.numbers import described, fixed, percent, significant

__all__ = ["training_section"]

_SETS = (("in_distribution", "in-distribution", "#0072B2"), ("out_of_distribution", "out-of-distribution", "#D55E00"))


def training_section(view: DetectionView) -> tuple[Section, ...]:
    """Return the section on training; none where nobody asked."""
    found = view.outcome.training
    if found is None:
        return ()
    finding = _finding(found)
    sets = [
        Histogram(name=name, below=when, values=energies[key], colour=colour)
        for key, name, colour in _SETS
        for when, energies in (("before", found.energies_before), ("after", found.energies_after))
    ]
    figure = Figure(
        name="training",
        finding=finding,
        note="energies of rows that neither head was trained on, of heads without margins (before) and with (after)",
        svg=draw_histograms("training", sets, label=f"Histograms of energies. {finding}.", axis="energy of the head"),
        table="training",
    )
    return (
        Section(
            key="training",
            title="What training with margins does",
            blocks=(Prose(_prose(view, found)), figure, _table(found)),
        ),
    )


def _finding(found: TrainingOutcome) -> str:
    before, after = found.before.auroc, found.after.auroc
    verb = "raise" if after > before else ("lower" if after < before else "leave")
    if verb == "leave":
        return f"Margins leave the AUROC at {fixed(before, 3)}"
    return f"Margins {verb} the AUROC from {fixed(before, 3)} to {fixed(after, 3)} on rows not trained on"


def _prose(view: DetectionView, found: TrainingOutcome) -> str:
    settings = view.study.training
    weight = "" if settings is None else f"{significant(settings.weight)} times "
    n_known, n_other = found.energies_before["training"].size, found.energies_before["auxiliary"].size
    return (
        f"A multinomial logit on {described(len(view.study.table.feature_names), 'features')} is trained on "
        f"{described(n_known, 'in-distribution rows')}, then again with a penalty on energies: {weight}the mean "
        f"squared excess over {significant(found.margins.inside, 4)} of these, and shortfall below "
        f"{significant(found.margins.outside, 4)} of {described(n_other, 'auxiliary rows')} that are "
        "out-of-distribution. What it is worth shows on out-of-distribution rows of other kinds, and on "
        "in-distribution ones, none of which it was trained on."
    )


def _table(found: TrainingOutcome) -> Table:
    rows = [
        (Cell(text=one.title), *(Cell(text=metric_text(getattr(of, name))) for of in (found.before, found.after)))
        for name, one in METRICS.items()
    ]
    accuracies = (found.accuracy_before, found.accuracy_after)
    rows.append((Cell(text="accuracy of labels"), *(Cell(text=percent(value)) for value in accuracies)))
    losses = (found.loss_before, found.loss_after)
    rows.append(
        (Cell(text="loss with margins, training rows"), *(Cell(text=significant(value, 4)) for value in losses))
    )
    return Table(
        name="training",
        caption=f"Energies of {found.before.n_in} in-distribution and {found.before.n_out} out-of-distribution rows",
        columns=(
            Column(title="quantity", numeric=False),
            Column(title="without margins"),
            Column(title="with margins"),
        ),
        rows=tuple(rows),
    )
