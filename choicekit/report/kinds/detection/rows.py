"""Single rows and groups: what to look at."""

from __future__ import annotations

import numpy as np
import pandas as pd

from choicekit.detection.scores import SCORES
from choicekit.report.content import Cell, Column, Details, Figure, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.style import MAX_CATEGORIES
from choicekit.report.kinds.detection.view import DetectionView, row_name
from choicekit.report.kinds.detection.words import metric_text
from choicekit.report.numbers import NOTHING, count, p_value, percent, significant
from choicekit.report.text import clean, shorten

__all__ = ["groups_section", "rows_section"]

_EACH = 10
_FEW = 20
_MOST_GROUPS = 60


def rows_section(view: DetectionView) -> Section:
    """List the most and the least familiar of the rows that are judged."""
    judged = np.flatnonzero(view.study.test)
    order = judged[np.argsort(-view.own[judged], kind="stable")]
    least, most = order[:_EACH], order[::-1][:_EACH]
    text = (
        "The p-value says how likely a row like the calibration rows has at least such a score. A flag is a prompt to "
        "look, not a verdict."
    )
    return Section(
        key="rows",
        title="Which rows to look at",
        blocks=(
            Prose(text),
            _table(view, "least-familiar", f"The {len(least)} least familiar rows", least),
            Details(
                summary=f"The {len(most)} most familiar rows",
                blocks=(_table(view, "most-familiar", "Lowest scores", most),),
            ),
        ),
    )


def _table(view: DetectionView, name: str, caption: str, rows: np.ndarray) -> Table:
    table = view.study.table
    heads = ["row", "score", "p-value", "predicted"]
    heads += ["label"] if table.label_names is not None else []
    heads += ["group"] if table.groups is not None else []
    heads += ["is"] if view.study.is_ood is not None else []
    return Table(
        name=name,
        caption=f"{caption}, by {SCORES[view.study.score].title}",
        columns=tuple(Column(title=head, numeric=head in ("score", "p-value")) for head in heads),
        rows=tuple(_row(view, int(row)) for row in rows),
        note="Every row is in data/scores.parquet.",
    )


def _row(view: DetectionView, row: int) -> tuple[Cell, ...]:
    study, table = view.study, view.study.table
    place = int(np.count_nonzero(study.test[:row]))
    cells = [
        Cell(text=shorten(row_name(view, row), 40)),
        Cell(text=significant(float(view.own[row]), 4), style="strong"),
        Cell(text=p_value(float(view.outcome.p_values[place])), aside="flagged" if view.outcome.flagged[place] else ""),
        Cell(text=shorten(clean(str(table.predicted[row])), 30)),
    ]
    for names in (table.label_names, table.groups):
        if names is not None:
            cells.append(Cell(text=shorten(clean(str(names[row])), 30)))
    if study.is_ood is not None:
        cells.append(Cell(text="out-of-distribution" if study.is_ood[row] else "in-distribution"))
    return tuple(cells)


def groups_section(view: DetectionView) -> tuple[Section, ...]:
    """Return the section on groups; none where nobody asked."""
    table = view.outcome.by_group
    if table is None:
        return ()
    groups = view.study.table.groups
    names = table["group"].tolist()
    flagged, n = [], []
    for name in names:
        own = groups[view.study.test] == name if groups is not None else np.zeros(0, dtype=bool)
        n.append(int(own.sum()))
        flagged.append(float(view.outcome.flagged[own].mean()))
    order = sorted(range(len(names)), key=lambda place: -flagged[place])
    first, expected = order[0], view.outcome.threshold.expected_rate
    finding = f"{clean(names[first])} has most: {percent(flagged[first])} of its {count(n[first])} rows are flagged"
    figure = Figure(
        name="groups",
        finding=finding,
        note=f"share of each group's rows above the threshold; {percent(expected)} are expected",
        svg=draw_amounts(
            "groups",
            [
                Amount(
                    name=f"{clean(names[place])}",
                    value=100.0 * flagged[place],
                    text=f"{percent(flagged[place])} of {count(n[place])}{' (few)' if n[place] < _FEW else ''}",
                )
                for place in order[:MAX_CATEGORIES]
            ],
            label=f"Bars of the share of rows flagged by group. {finding}.",
            axis="rows flagged, %",
        ),
        table="groups",
    )
    return (Section(key="groups", title="Where they are", blocks=(figure, _groups_table(table, order, n, flagged))),)


def _groups_table(table: pd.DataFrame, order: list[int], n: list[int], flagged: list[float]) -> Table:
    known = "auroc" in table.columns
    heads = ["group", "rows", "flagged"] + (
        ["in-distribution flagged", "out-of-distribution caught", "AUROC"] if known else []
    )
    rows = []
    for place in order[:_MOST_GROUPS]:
        found = table.iloc[place]
        cells = [Cell(text=shorten(clean(str(found["group"])), 40)), Cell(text=count(n[place]))]
        cells.append(Cell(text=percent(flagged[place]), style="strong"))
        if known:
            cells += [
                Cell(text=_share(float(found["flagged_in"])), below=f"of {count(int(found['n_in']))}"),
                Cell(text=_share(float(found["flagged_out"])), below=f"of {count(int(found['n_out']))}"),
                Cell(text=metric_text(float(found["auroc"]))),
            ]
        rows.append(tuple(cells))
    left = f"The first {_MOST_GROUPS} of {count(len(order))}; all" if len(order) > _MOST_GROUPS else "All digits"
    return Table(
        name="groups",
        caption="Rows that are judged, by group",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"{left} are in tables/groups.csv.",
    )


def _share(value: float) -> str:
    return percent(value) if np.isfinite(value) else NOTHING
