"""Columns of the tables that an assignment scenario names: names and numbers, each fault at its line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choicekit.choice.layouts import SHOWN, with_rest
from choicekit.choice.tables import Table, labels_of, number_of_each
from choicekit.errors import Problem
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show
from choicekit.suggestions import suggest

__all__ = ["labels_in", "note_rows", "numbers_in", "unknown_label"]

FloatArray = npt.NDArray[np.float64]


def labels_in(table: Table, column: str, findings: Findings) -> list[str] | None:
    """Return a column of names; None where one is missing, which is noted."""
    labels = labels_of(table.frame[column])
    empty = np.flatnonzero(labels == "")
    note_rows(table, column, empty, ["a name is missing"] * empty.size, "fill it in", findings)
    return None if empty.size else [str(label) for label in labels]


def numbers_in(
    table: Table, column: str, findings: Findings, *, lowest: float, missing: float | None = None
) -> FloatArray | None:
    """Return a column of numbers; None where one is not right, which is noted.

    Parameters
    ----------
    table : Table
    column : str
    findings : Findings
    lowest : float
        The smallest that is right.
    missing : float, optional
        What an empty cell stands for; without it one is a fault.
    """
    cells = table.frame[column].to_numpy(dtype=object)
    numbers, bad = number_of_each(cells)
    if missing is not None:
        numbers = np.where(np.isnan(numbers) & ~bad, missing, numbers)
    right = ~bad & (numbers >= lowest) & (numbers < np.inf)
    wrong = np.flatnonzero(~right)
    what = "a number, or -inf where a pair is forbidden" if lowest == -np.inf else f"a number of at least {lowest:g}"
    said = [
        f"{show(column)} must be {what}, found {_found(cells[row], numbers[row], bool(bad[row]))}"
        for row in wrong[:SHOWN]
    ]
    note_rows(table, column, wrong, said, "", findings)
    return None if wrong.size else numbers


def _found(cell: object, number: float, is_text: bool) -> str:
    if is_text:
        return show(str(cell))
    return "nothing" if np.isnan(number) else f"{number:g}"


def note_rows(
    table: Table, column: str, rows: npt.NDArray[np.intp], said: Sequence[str], hint: str, findings: Findings
) -> None:
    """Note what is wrong with some rows of a table, the first few by line and the others by their number."""
    shown: list[Problem] = [
        table.problem(message, row=int(row), column=column, hint=hint)
        for row, message in zip(rows[:SHOWN], said, strict=False)
    ]
    if shown:
        findings.problems.extend(with_rest(shown, len(rows)))


def unknown_label(side: str, label: str, known: Sequence[str]) -> str:
    """Say that a table names a place that is not there, with the nearest one that is."""
    hint = suggest(label, known)
    return f"unknown {side} {label!r}" + (f", {hint}" if hint else "")
