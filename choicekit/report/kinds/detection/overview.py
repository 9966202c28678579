"""The first section: what holds, the threshold with its guarantee, and how familiar the rows are."""

from __future__ import annotations

import numpy as np

from choicekit.detection.scores import SCORES
from choicekit.report.checks import checks_table
from choicekit.report.content import Block, Cell, Column, Figure, Heading, Items, Prose, Section, Table
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.kinds.detection.view import DetectionView
from choicekit.report.kinds.detection.words import guarantee
from choicekit.report.numbers import NOTHING, THIN, count, described, percent, significant
from choicekit.report.text import capitalise, clean

__all__ = ["familiarity_section", "overview_section"]


def overview_section(view: DetectionView) -> Section:
    """Show checks with what was found and what is allowed, then monitoring, then warnings."""
    blocks: list[Block] = []
    if view.result.checks:
        blocks.append(checks_table(view.result.checks))
    blocks.append(_sets_table(view))
    found = view.outcome.monitoring
    if found is not None:
        lower, upper = found.interval
        blocks.append(
            Prose(
                f"The saved detector flags {count(found.flagged)} of {described(found.n, 'rows')}, "
                f"{percent(found.share)}. Of a batch of this size like its {count(view.outcome.threshold.n)} "
                f"calibration rows it would flag {percent(found.nominal)} on average, and with a probability of "
                f"95{THIN}% between "
                f"{percent(lower)} and {percent(upper)}."
            )
        )
    if view.result.warnings:
        blocks += [Heading("Warnings"), Items(tuple(clean(warning) for warning in view.result.warnings))]
    return Section(key="holds", title="What holds", blocks=tuple(blocks))


def _sets_table(view: DetectionView) -> Table:
    threshold = view.outcome.threshold
    rows = []
    for one in view.sets:
        scores = view.own[one.rows]
        beyond = int(np.count_nonzero(threshold.flags(scores)))
        judged = one.key not in ("training", "calibration")
        rows.append(
            (
                Cell(text=capitalise(one.name)),
                Cell(text=count(one.n)),
                Cell(text=significant(float(np.median(scores)), 4)),
                Cell(text=percent(beyond / one.n), below=count(beyond), style="strong" if judged else ""),
                Cell(text=_discoveries(view, one.rows) if judged else NOTHING),
            )
        )
    return Table(
        name="sets",
        caption=f"Rows by what they are; {SCORES[view.study.score].title}, larger = more out-of-distribution",
        columns=(
            Column(title="rows", numeric=False),
            Column(title="how many"),
            Column(title="median score"),
            Column(title="above the threshold"),
            Column(title="discoveries of the batch"),
        ),
        rows=tuple(rows),
        note="Discoveries: by Benjamini and Hochberg over the p-values of all rows that are judged.",
    )


def _discoveries(view: DetectionView, rows: np.ndarray) -> str:
    return count(int(view.outcome.discoveries[rows[view.study.test]].sum()))


def familiarity_section(view: DetectionView) -> Section:
    """Histograms of the score by set, with the threshold and what it promises."""
    name, threshold = SCORES[view.study.score].title, view.outcome.threshold
    finding = _finding(view)
    figure = Figure(
        name="scores",
        finding=finding,
        note="each histogram adds up to all rows of its set; dashed: the threshold",
        svg=draw_histograms(
            "scores",
            [
                Histogram(name=one.name, below=described(one.n, "rows"), values=view.own[one.rows], colour=one.colour)
                for one in view.sets
            ],
            label=f"Histograms of the {name} of rows. {finding}.",
            axis=f"{name}; larger = more out-of-distribution",
            line=threshold.value,
            line_name=f"threshold {significant(threshold.value, 4)}",
        ),
        table="sets",
    )
    text = (
        f"{capitalise(SCORES[view.study.score].meaning)}. The threshold is the {_ordinal(threshold.rank)} smallest of "
        f"{described(threshold.n, 'calibration scores')}. {guarantee(view)} That holds for rows that come from "
        "where the calibration rows come from; it says nothing of how many others are caught."
    )
    return Section(key="familiarity", title="How familiar the rows are", blocks=(Prose(text), figure))


def _finding(view: DetectionView) -> str:
    if view.flagged_out.size and view.flagged_in.size:
        return (
            f"{percent(float(view.flagged_out.mean()))} of out-of-distribution rows are above the threshold, and "
            f"{percent(float(view.flagged_in.mean()))} of in-distribution ones"
        )
    return f"{percent(float(view.outcome.flagged.mean()))} of the rows are above the threshold"


def _ordinal(number: int) -> str:
    """Write a place: 1st, 22nd, 113th.

    Examples
    --------
    >>> [_ordinal(number) for number in (1, 22, 113, 761)]
    ['1st', '22nd', '113th', '761st']
    """
    ending = "th" if number // 10 % 10 == 1 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{count(number)}{ending}"
