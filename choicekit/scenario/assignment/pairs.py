"""Numbers by pair in an assignment scenario: written into it or in a table, each fault at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.layouts import SHOWN
from choicekit.choice.tables import Table
from choicekit.scenario.assignment.sides import Side
from choicekit.scenario.assignment.tables import labels_in, note_rows, numbers_in, unknown_label
from choicekit.scenario.document import EntryPath
from choicekit.scenario.nests import is_cut
from choicekit.scenario.tables import has_columns, named_table
from choicekit.scenario.validation import Findings
from choicekit.suggestions import suggest

__all__ = ["read_pairs"]

FloatArray = npt.NDArray[np.float64]

_HOLDS = {"row": "names of rows", "column": "names of columns", "value": "the numbers"}


def read_pairs(
    path: EntryPath, block: Any, rows: Side, columns: Side, findings: Findings, directory: Path | None
) -> tuple[FloatArray | None, Table | None]:
    """Return numbers by pair, and the table that they were read from; None for what there is not.

    Parameters
    ----------
    path : tuple of (str or int)
        Where the block stands.
    block : PairsBlock
    rows, columns : Side
    findings : Findings
    directory : Path, optional
        Where a relative path of a table starts; by default the folder of the file that names it.

    Returns
    -------
    numbers : ndarray (n, m) or None
        Minus infinity where a pair is left out and that means forbidden; None where problems were noted.
    table : Table or None
    """
    forms = [form for form in ("values", "table") if getattr(block, form) is not None]
    cut = [form for form in ("values", "table") if is_cut((*path, form), findings)]
    if len({*forms, *cut}) != 1:
        found = "both" if forms or cut else "neither"
        hint = "remove one of them" if found == "both" else "add one of them"
        findings.add(path, f"pairs need either values or a table, found {found}", hint, of_key=True)
        return None, None
    for key in ("row", "column", "value", "separator"):
        if getattr(block, key) is not None and forms == ["values"]:
            findings.add((*path, key), f"`{key}` belongs to a table", "take it away", of_key=True)
    if not forms:
        return None, None
    if block.values is not None:
        return _from_values((*path, "values"), block.values, rows, columns, _left_out(block), findings), None
    table = named_table(path, block, findings, directory, text=[block.row, block.column])
    if table is None or not has_columns(path, block, ("row", "column", "value"), table, findings):
        return None, table
    if block.value is None and block.column is None:
        return _from_wide(table, block, rows, columns, findings), table
    lacking = [key for key in ("row", "column", "value") if getattr(block, key) is None]
    for key in lacking:
        if (*path, key) not in findings.removed:
            findings.add(path, f"a long table needs `{key}`", f"name the column that holds {_HOLDS[key]}", of_key=True)
    return (None if lacking else _from_long(table, block, rows, columns, findings)), table


def _left_out(block: Any) -> float:
    """Return what a pair has that is left out: nan where that is a fault."""
    return -np.inf if getattr(block, "missing", "error") == "forbidden" else np.nan


# --- in the scenario ------------------------------------------------------------------------------------------------


def _from_values(
    path: EntryPath, values: Any, rows: Side, columns: Side, left_out: float, findings: Findings
) -> FloatArray | None:
    before = len(findings.problems)
    found = np.full((len(rows.names), len(columns.names)), left_out)
    if isinstance(values, Mapping):
        for name, given in _known(path, values, rows, findings):
            _fill(found[rows.names.index(name)], (*path, name), given, columns, findings)
    elif _as_many(path, values, rows, findings):
        for place, given in enumerate(values):
            _fill(found[place], (*path, place), given, columns, findings)
    if len(findings.problems) > before or is_cut(path, findings):
        return None
    for row, column in _missing(found):
        said = f"{rows.one} {rows.names[row]!r} has no value for {columns.one} {columns.names[column]!r}"
        of_row: EntryPath = (*path, rows.names[row]) if isinstance(values, Mapping) else (*path, row)
        findings.add(of_row, said, "write it, or -.inf where the pair is forbidden", of_key=True)
    return found if len(findings.problems) == before else None


def _fill(row: FloatArray, path: EntryPath, given: Any, columns: Side, findings: Findings) -> None:
    if isinstance(given, Mapping):
        for name, value in _known(path, given, columns, findings):
            row[columns.names.index(name)] = value
    elif _as_many(path, given, columns, findings):
        row[:] = given


def _known(path: EntryPath, given: Mapping[str, Any], side: Side, findings: Findings) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if name in side.names:
            yield name, value
        else:
            findings.unknown((*path, name), side.one, name, side.names, of_key=True)


def _as_many(path: EntryPath, given: Any, side: Side, findings: Findings) -> bool:
    if len(given) != len(side.names):
        message = f"there must be one entry for each of the {len(side.names)} {side.key}, found {len(given)}"
        findings.add(path, message, f"{side.key} are {', '.join(side.names[:10])}")
    return len(given) == len(side.names)


def _missing(found: FloatArray) -> list[tuple[int, int]]:
    """Return the first pair that is missing in each of the first few rows."""
    gone = np.isnan(found)
    return [(int(row), int(np.argmax(gone[row]))) for row in np.flatnonzero(gone.any(axis=1))[:SHOWN]]


# --- from a table ---------------------------------------------------------------------------------------------------


def _from_wide(table: Table, block: Any, rows: Side, columns: Side, findings: Findings) -> FloatArray | None:
    headers = [str(column) for column in table.frame.columns]
    key = headers[0] if block.row is None else block.row
    before = len(findings.problems)
    labels = _places(table, key, rows, findings)
    if labels is not None:
        repeated = np.flatnonzero(pd.Series(labels).duplicated())
        said = [f"{rows.one} {rows.names[labels[row]]!r} occurs twice" for row in repeated[:SHOWN]]
        note_rows(table, key, repeated, said, "keep one of them", findings)
    absent = [name for name in columns.names if name not in headers]
    others = [header for header in headers if header not in columns.names and header != key]
    for name in absent[:SHOWN]:
        hint = suggest(name, others) or "add it"
        findings.problems.append(table.problem(f"the table has no column for {name!r}", column=name, hint=hint))
    left_out = _left_out(block)
    filling = None if np.isnan(left_out) else left_out
    found = np.full((len(rows.names), len(columns.names)), left_out)
    for place, name in enumerate(columns.names):
        numbers = None if absent else numbers_in(table, name, findings, lowest=-np.inf, missing=filling)
        if numbers is not None and labels is not None:
            found[labels, place] = numbers
    return _complete(found, table, rows, columns, before, findings)


def _from_long(table: Table, block: Any, rows: Side, columns: Side, findings: Findings) -> FloatArray | None:
    before = len(findings.problems)
    left_out = _left_out(block)
    filling = None if np.isnan(left_out) else left_out
    i, j = (_places(table, name, side, findings) for name, side in ((block.row, rows), (block.column, columns)))
    numbers = numbers_in(table, block.value, findings, lowest=-np.inf, missing=filling)
    if i is None or j is None or numbers is None:
        return None
    repeated = np.flatnonzero(pd.Series(i * len(columns.names) + j).duplicated())
    said = [f"{rows.names[i[row]]!r} with {columns.names[j[row]]!r} occurs twice" for row in repeated[:SHOWN]]
    note_rows(table, block.value, repeated, said, "keep one of them", findings)
    found = np.full((len(rows.names), len(columns.names)), left_out)
    found[i, j] = numbers
    return _complete(found, table, rows, columns, before, findings)


def _places(table: Table, column: str, side: Side, findings: Findings) -> npt.NDArray[np.intp] | None:
    """Return which place of a side each row of a table names; None where one is unknown, which is noted."""
    labels = labels_in(table, column, findings)
    if labels is None:
        return None
    places = np.asarray(pd.Index(side.names).get_indexer(pd.Index(labels))) if _unique(side) else None
    if places is None:
        return None
    unknown = np.flatnonzero(places < 0)
    said = [unknown_label(side.one, labels[row], side.names) for row in unknown[:SHOWN]]
    note_rows(table, column, unknown, said, "", findings)
    return None if unknown.size else places


def _unique(side: Side) -> bool:
    return len(set(side.names)) == len(side.names)


def _complete(
    found: FloatArray, table: Table, rows: Side, columns: Side, before: int, findings: Findings
) -> FloatArray | None:
    if len(findings.problems) > before:
        return None
    for row, column in _missing(found):
        message = f"the table has no value for {rows.one} {rows.names[row]!r} and {columns.names[column]!r}"
        hint = "add it, or say `missing: forbidden` where utilities are left out on purpose"
        findings.problems.append(table.problem(message, hint=hint))
    return found if len(findings.problems) == before else None
