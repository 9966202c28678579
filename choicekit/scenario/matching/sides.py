"""The sides of a matching scenario: who there is, and how many each column takes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.scenario.assignment.sides import Side, read_side, values_by_name
from choicekit.scenario.assignment.tables import numbers_in
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["read_places", "whole_numbers"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def read_places(key: str, block: Any, findings: Findings, directory: Path | None) -> tuple[Side, IntArray] | None:
    """Return a side, and how many rows there are of each or how many each column takes; None where unclear.

    Parameters
    ----------
    key : {"rows", "columns"}
    block : MatchingRowsBlock or MatchingColumnsBlock
    findings : Findings
    directory : Path, optional
        Where a relative path of a table starts; by default the folder of the file that names it.
    """
    entry = "count" if key == "rows" else "capacity"
    given = getattr(block, entry)
    plain = {name: getattr(block, name) for name in ("table", "name", "separator", "names", "attributes")}
    if plain["names"] is None and plain["table"] is None and isinstance(given, dict):
        plain["names"] = [*given]  # numbers by name name them, too
    side = read_side(key, SimpleNamespace(condition="free", mass=None, strength=None, **plain), findings, directory)
    if side is None:
        return None
    path: EntryPath = (key, entry)
    numbers: npt.NDArray[Any] | None
    if given is None:
        numbers = np.ones(len(side.names))
    elif isinstance(given, dict):
        numbers = values_by_name(path, given, side.names, side.one, entry, findings)
    elif isinstance(given, str):
        numbers = _from_column(path, given, side, findings)
    else:
        numbers = np.full(len(side.names), float(given))
    if numbers is None:
        return None
    whole = whole_numbers(path, side, numbers, given, findings)
    return None if whole is None else (side, whole)


def whole_numbers(
    path: EntryPath, side: Side, numbers: npt.NDArray[Any], given: object, findings: Findings
) -> IntArray | None:
    """Return numbers as whole ones; None where one is not, which is noted at its line."""
    values = np.asarray(numbers, dtype=np.float64)
    wrong = np.flatnonzero((values != np.rint(values)) | (values < 0))
    for place in wrong[:20]:
        said = f"{path[-1]} must be a whole number of at least 0, found {values[place]:g} for {side.names[place]!r}"
        at = (*path, side.names[place]) if isinstance(given, dict) else path
        if isinstance(given, str) and side.table is not None:
            findings.problems.append(side.table.problem(said, row=int(place), column=given))
        else:
            findings.add(at, said, "round it")
    return None if wrong.size else values.astype(np.int64)


def _from_column(path: EntryPath, column: str, side: Side, findings: Findings) -> FloatArray | None:
    if side.table is None:
        findings.add(path, f"{path[-1]} must be numbers where there is no table, found {column!r}", "name the `table`")
        return None
    if column not in [str(name) for name in side.table.frame.columns]:
        findings.unknown(path, "column", column, [str(name) for name in side.table.frame.columns])
        return None
    return numbers_in(side.table, column, findings, lowest=0.0)
