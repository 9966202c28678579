"""How the baseline was made to meet given shares: what the model section and the tables say of a calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from choicekit.choice.calibration import Calibration
from choicekit.report.content import Block, Cell, Column, Heading, Prose, Table
from choicekit.report.figures.style import mark_svg
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import NOTHING, count, fixed, percent, share, significant
from choicekit.report.text import clean, in_sentence

__all__ = ["CALIBRATION_KEYS", "calibration_blocks", "calibration_summary", "calibration_tables"]

_MOST_ROWS = 100
_DECIMALS = 4

CALIBRATION_KEYS = {
    "calibration.constants.<coefficient>": "constant found, where the baseline is calibrated; group by group with the "
    "group in brackets",
    "calibration.iterations": "steps that it took",
    "calibration.gap": "largest distance of a share from the given one that is left",
}
"""Keys of ``summary.json`` that a calibration adds, and what they mean."""


def calibration_blocks(view: ChoiceView) -> list[Block]:
    """Return what is said of a calibration; nothing where there is none."""
    found = _calibration(view)
    if found is None:
        return []
    return [Heading("Calibration"), Prose(_prose(found)), _table(view, found)]


def calibration_tables(view: ChoiceView) -> dict[str, pd.DataFrame]:
    """Return the calibration as a table by file name; none where there is none."""
    found = _calibration(view)
    return {} if found is None else {"calibration": found.to_frame()}


def calibration_summary(view: ChoiceView) -> dict[str, Any]:
    """Return what is under the keys of `CALIBRATION_KEYS`; nothing where there is no calibration."""
    found = _calibration(view)
    if found is None:
        return {}
    constants = {name: float(value) for name, value in found.constants.items()}
    return {"calibration": {"constants": constants, "iterations": found.n_iterations, "gap": float(found.gap)}}


def _calibration(view: ChoiceView) -> Calibration | None:
    found: Calibration | None = getattr(view.result, "calibration", None)
    return found


def _prose(found: Calibration) -> str:
    steps = f"{count(found.n_iterations)} {'step' if found.n_iterations == 1 else 'steps'} of Newton’s method"
    groups = "" if found.by is None else f", group by group of {in_sentence(found.by)},"
    text = (
        f"Constants were moved{groups} until expected shares met the given ones: {steps} took the largest distance "
        f"from {significant(found.history[0], 2)} to {significant(found.gap, 2)} as a share."
    )
    if not found.converged:
        text += f" It ended {in_sentence(found.status)}, so that the shares are not met."
    if found.reference is not None:
        text += f" The reference is {in_sentence(found.reference)}, which keeps its utility."
    return text


def _table(view: ChoiceView, found: Calibration) -> Table:
    frame = found.to_frame()
    marks = dict(zip(view.outcome.alternatives, view.marks, strict=True))
    names = dict(zip(view.outcome.alternatives, view.names, strict=True))
    columns = [Column(title="alternative", numeric=False), Column(title="constant", numeric=False)]
    if found.by is not None:
        columns.insert(1, Column(title=clean(found.by), numeric=False))
    columns += [
        Column(title=title) for title in ("before", "after", "given share, %", "share before, %", "share after, %")
    ]
    rows = []
    for record in frame.head(_MOST_ROWS).to_dict("records"):
        name, constant = str(record["alternative"]), record["constant"]
        mark = mark_svg(marks[name]) if name in marks else None
        cells = [Cell(text=names.get(name, clean(name)), mark=mark)]
        if found.by is not None:
            cells.append(Cell(text=clean(record["group"])))
        stays = not isinstance(constant, str) or not constant
        cells.append(Cell(text="stays", style="none") if stays else Cell(text=clean(constant), style="code"))
        cells += [Cell(text=fixed(float(record[key]), _DECIMALS)) for key in ("before", "after")]
        target = float(record["target"])
        cells.append(Cell(text=percent(target, 2) if np.isfinite(target) else NOTHING, style="strong"))
        cells += [Cell(text=share(float(record[key]), 2)) for key in ("share_before", "share_after")]
        rows.append(tuple(cells))
    return Table(
        name="calibration",
        caption="Constants before and after, and the shares they give",
        columns=tuple(columns),
        rows=tuple(rows),
        note="More rows are in tables/calibration.csv." if len(frame) > _MOST_ROWS else "",
    )
