"""Tables that an assignment scenario names: read, and looked at column by column, each fault at its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.layouts import SHOWN, with_rest
from choicekit.choice.tables import Table, labels_of, number_of_each, read_table, unfit_path
from choicekit.errors import DataError, InvalidInputError, Problem
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show
from choicekit.suggestions import suggest

__all__ = ["has_columns", "labels_in", "note_rows", "numbers_in", "table_of", "unknown_label"]

FloatArray = npt.NDArray[np.float64]


def table_of(
    path: EntryPath, block: Any, names: Sequence[str | None], findings: Findings, directory: Path | None
) -> Table | None:
    """Read the table that a block names; None where it could not be read, which is noted.

    Parameters
    ----------
    path : tuple of (str or int)
        Where the block stands.
    block : Block
        With ``table`` and ``separator``.
    names : sequence of (str or None)
        Columns whose cells are names, kept as they are written: ``007`` is not 7.
    findings : Findings
    directory : Path, optional
        Where its path starts; by default the folder of the file that names it.
    """
    entry = (*path, "table")
    start = findings.document.origin(findings.written(entry)).parent if directory is None else directory
    unfit = unfit_path(start / block.table)
    if unfit is not None:  # the scenario's entry is where to look
        findings.add(entry, f"{unfit[0]}: {show(block.table)}", unfit[1])
        return None
    text = {name for name in names if name is not None}
    try:
        return read_table(start / block.table, separator=block.separator, name=block.table, text=text)
    except DataError as error:
        findings.problems.extend(error.problems)
    except InvalidInputError as error:
        findings.add((*path, "separator"), str(error))
    return None


def has_columns(path: EntryPath, block: Any, keys: Sequence[str], table: Table, findings: Findings) -> bool:
    """Say whether a table has the columns that a block names under some keys; those it has not are noted."""
    columns = [str(column) for column in table.frame.columns]
    unknown = [key for key in keys if isinstance(getattr(block, key), str) and getattr(block, key) not in columns]
    for key in unknown:
        findings.unknown((*path, key), "column", getattr(block, key), columns)
    return not unknown


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
    said = [f"must be {what}, found {_found(cells[row], numbers[row], bool(bad[row]))}" for row in wrong[:SHOWN]]
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
