"""How well scores tell rows apart: every metric under its own name, curves with bands, paired differences."""

from __future__ import annotations

import numpy as np

from choicekit.detection.curves import DetectionCurves, detection_curves
from choicekit.detection.metrics import METRICS
from choicekit.detection.scores import SCORES
from choicekit.report.content import Block, Cell, Column, Details, Figure, Prose, Section, Table
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.style import marks_for
from choicekit.report.kinds.detection.view import DetectionView
from choicekit.report.kinds.detection.words import metric_text
from choicekit.report.numbers import THIN, count, fixed, p_value, percent
from choicekit.report.text import capitalise

__all__ = ["curves_of_scores", "separation_section", "temperature_section"]

_MOST_CURVES = 3
_POINTS = 200
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def separation_section(view: DetectionView) -> tuple[Section, ...]:
    """Return the section on metrics; where there are none, why; nothing where nobody asked."""
    metrics = view.outcome.metrics
    if not metrics:
        return ()
    if not view.compares:
        note = next(iter(metrics.values())).note
        return (_section((Prose(f"There are no metrics: {note}. Scores of all rows are in data/scores.parquet."),)),)
    blocks: list[Block] = [Prose(_prose(view)), _metrics_table(view), *_curves(view)]
    if view.outcome.differences:
        blocks.append(_differences_table(view))
    blocks.append(Details(summary="What each number means", blocks=(_meanings(),)))
    return (_section(tuple(blocks)),)


def _section(blocks: tuple[Block, ...]) -> Section:
    return Section(key="separation", title="How well scores tell rows apart", blocks=blocks)


def _prose(view: DetectionView) -> str:
    found = view.outcome.metrics[view.study.score]
    text = (
        f"Of {count(found.n_in)} in-distribution and {count(found.n_out)} out-of-distribution rows; the latter are "
        "positive unless a name says otherwise. Two false positive rates are in use that are not comparable, so both "
        "are here under names of their own. Nothing is interpolated, and tied rows are flagged together."
    )
    if view.outcome.bootstrap is not None:
        n = count(view.outcome.bootstrap.replications)
        text += f" Intervals: 95{THIN}%, from {n} resamples of the rows of each kind."
    return text


def _metrics_table(view: DetectionView) -> Table:
    best = {}
    for name, metric in METRICS.items():
        values = [getattr(found, name) for found in view.outcome.metrics.values()]
        best[name] = max(values) if metric.higher_is_better else min(values)
    return Table(
        name="metrics",
        caption="Scores by how well they tell rows apart; the best in bold",
        columns=(
            Column(title="score", numeric=False),
            *(Column(title=f"{one.title} {'↑' if one.higher_is_better else '↓'}") for one in METRICS.values()),
        ),
        rows=tuple(_metrics_row(view, score, best) for score in view.outcome.metrics),
        note="↑ higher is better, ↓ lower is better. All digits are in tables/metrics.csv.",
    )


def _metrics_row(view: DetectionView, score: str, best: dict[str, float]) -> tuple[Cell, ...]:
    cells = [Cell(text=capitalise(SCORES[score].title), below="flags rows" if score == view.study.score else "")]
    for name in METRICS:
        value = getattr(view.outcome.metrics[score], name)
        below = ""
        if view.outcome.bootstrap is not None:
            lower, upper = view.outcome.bootstrap.interval(score, name)
            below = f"{fixed(lower, 3)} to {fixed(upper, 3)}"
        cells.append(Cell(text=metric_text(value), below=below, style="strong" if value == best[name] else ""))
    return tuple(cells)


def curves_of_scores(view: DetectionView) -> dict[str, DetectionCurves]:
    """Return the curves of every score."""
    rows = view.study.evaluated
    out = view.study.is_ood[rows] if view.study.is_ood is not None else np.zeros(0, dtype=bool)
    return {name: detection_curves(scores[rows], out) for name, scores in view.outcome.scores.items()}


def _curves(view: DetectionView) -> list[Block]:
    """Draw the study's own score with its band, and the best of the others."""
    metrics = view.outcome.metrics
    others = sorted((name for name in metrics if name != view.study.score), key=lambda name: -metrics[name].auroc)
    shown = [view.study.score, *others[: _MOST_CURVES - 1]]
    curves = {name: curve.thinned(_POINTS) for name, curve in curves_of_scores(view).items() if name in shown}
    own, found = SCORES[view.study.score].title, metrics[view.study.score]
    note = f"band: 95{THIN}% of {own}, point by point" if view.outcome.bootstrap is not None else ""
    roc = f"At 95{THIN}% caught, {own} flags {percent(found.fpr95_ood_caught)} of in-distribution rows"
    precision = (
        f"Average precision of {own} is {fixed(found.average_precision_ood, 3)}, {fixed(_prior(view), 3)} by chance"
    )
    return [
        Figure(
            name="roc",
            finding=roc,
            note=f"shares flagged at falling thresholds; {note}".rstrip("; "),
            svg=draw_curves(
                "roc",
                _drawn(view, curves, "roc"),
                label=f"Curves of the shares of rows of both kinds that are flagged. {roc}.",
                x=Axis(title="in-distribution rows flagged", limits=(0.0, 1.0), ticks=_SHARES, text=_share),
                y=Axis(title="out-of-distribution caught", limits=(0.0, 1.02), ticks=_SHARES, text=_share),
            ),
            table="metrics",
        ),
        Figure(
            name="precision-recall",
            finding=precision,
            note=f"precision: share of flagged rows that are out-of-distribution; {note}".rstrip("; "),
            svg=draw_curves(
                "precision-recall",
                _drawn(view, curves, "precision_recall"),
                label=f"Curves of the precision by the share of out-of-distribution rows caught. {precision}.",
                x=Axis(title="out-of-distribution caught", limits=(0.0, 1.0), ticks=_SHARES, text=_share),
                y=Axis(title="precision", limits=(0.0, 1.02), ticks=_SHARES, text=_share),
            ),
            table="metrics",
        ),
    ]


def _drawn(view: DetectionView, curves: dict[str, DetectionCurves], kind: str) -> list[Curve]:
    marks = marks_for(list(view.outcome.scores))
    by_name = dict(zip(view.outcome.scores, marks, strict=True))
    bootstrap, found = view.outcome.bootstrap, []
    for name, curve in curves.items():
        band = None
        if bootstrap is not None and name == view.study.score:
            lower, upper = bootstrap.curve_band(name, "roc" if kind == "roc" else "precision_recall")
            band = bootstrap.grid, lower, upper
        if kind == "roc":
            x = np.concatenate([[0.0], curve.false_positive_rate])
            y = np.concatenate([[0.0], curve.true_positive_rate])
        else:
            x, y = curve.true_positive_rate, curve.precision
        found.append(Curve(name=SCORES[name].title, x=x, y=y, mark=by_name[name], band=band))
    return found


def _prior(view: DetectionView) -> float:
    found = view.outcome.metrics[view.study.score]
    return found.n_out / (found.n_in + found.n_out)


def _share(value: float) -> str:
    return f"{100 * value:.0f}{THIN}%"


def _differences_table(view: DetectionView) -> Table:
    own = SCORES[view.study.score].title
    return Table(
        name="differences",
        caption=f"AUROC against that of {own}, on the same rows (DeLong)",
        columns=(
            Column(title="score", numeric=False),
            Column(title="difference"),
            Column(title=f"95{THIN}% interval"),
            Column(title="p-value"),
        ),
        rows=tuple(
            (
                Cell(text=capitalise(SCORES[name].title)),
                Cell(text=fixed(found.difference, 4, signed=True), style="strong"),
                Cell(text=f"{fixed(found.lower, 4, signed=True)} to {fixed(found.upper, 4, signed=True)}"),
                Cell(text=p_value(found.p_value)),
            )
            for name, found in view.outcome.differences.items()
        ),
    )


def _meanings() -> Table:
    return Table(
        name="meanings",
        caption="Metrics",
        columns=(Column(title="metric", numeric=False), Column(title="what it is", numeric=False)),
        rows=tuple((Cell(text=one.title), Cell(text=capitalise(one.meaning))) for one in METRICS.values()),
    )


def temperature_section(view: DetectionView) -> tuple[Section, ...]:
    """Return the section on the effect of the temperature; none where there are no metrics."""
    table = view.outcome.by_temperature
    if table is None:
        return ()
    x, auroc, caught = (table[name].to_numpy(dtype=np.float64) for name in ("temperature", "auroc", "fpr95_ood_caught"))
    best = int(auroc.argmax())
    finding = f"The energy ranks rows best at temperature {x[best]:g}, with an AUROC of {fixed(float(auroc[best]), 4)}"
    text = (
        "Towards 0 the energy becomes minus the largest logit, at high temperatures it ranks as minus their mean. A "
        "temperature that is fitted for probabilities is not one for energies: it makes probabilities honest, and need "
        "not tell rows apart any better."
    )
    fit = view.outcome.temperature_fit
    if fit is not None:
        text += (
            f" Here it is fitted to labels: {fixed(fit.temperature, 4)}, with a standard error of "
            f"{fixed(fit.standard_error, 4)}."
        )
    marks = marks_for(["auroc", "flagged"])
    curves = [
        Curve(name="AUROC", x=x, y=auroc, mark=marks[0], style="points"),
        Curve(
            name="flagged at 95 % caught",
            x=x,
            y=caught,
            mark=marks[1],
            style="points",
        ),
    ]
    figure = Figure(
        name="temperature",
        finding=finding,
        note="energy at other temperatures; below: share of in-distribution rows flagged where 95 % of the others are",
        svg=draw_curves(
            "temperature",
            curves,
            label=f"AUROC and false positive rate of the energy by temperature. {finding}.",
            x=Axis(title="temperature, logarithmic", log=True, ticks=[float(t) for t in x[::2]]),
            y=Axis(title="share", limits=(0.0, 1.02), ticks=_SHARES, text=_share),
        ),
        table="temperatures",
    )
    numbers = Table(
        name="temperatures",
        caption="The energy at other temperatures",
        columns=(Column(title="temperature"), *(Column(title=METRICS[name].title) for name in table.columns[1:])),
        rows=tuple(
            (Cell(text=f"{row[0]:g}"), *(Cell(text=metric_text(float(value))) for value in row[1:]))
            for row in table.itertuples(index=False)
        ),
    )
    details = Details(summary="The same in numbers", blocks=(numbers,))
    return (Section(key="temperature", title="What the temperature does", blocks=(Prose(text), figure, details)),)
