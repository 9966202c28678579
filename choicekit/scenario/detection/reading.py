"""The files of a detection scenario: its table of logits and a saved detector, each fault at its line."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from choicekit.detection.detector import EnergyDetector
from choicekit.detection.tables import LogitTable, read_logits, table_of_logits
from choicekit.errors import DataError, Problem
from choicekit.scenario.document import EntryPath
from choicekit.scenario.nests import is_cut
from choicekit.scenario.result import InputFile
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show

__all__ = ["read_detector", "read_table_of_logits"]

_TABLE: EntryPath = ("logits", "table")
_ROWS: EntryPath = ("logits", "rows")
_KEYS = ("label", "group", "split", "row")


def read_table_of_logits(
    block: Any, training: Any, findings: Findings, directory: Path | None
) -> tuple[LogitTable, tuple[InputFile, ...]] | None:
    """Read the table of logits; None where it could not be, which is noted.

    Parameters
    ----------
    block : LogitsBlock
    training : DetectionTrainingBlock, optional
        Names columns of features.
    findings : Findings
    directory : Path, optional
        Where a relative path starts; by default the folder of the file that names it.

    Returns
    -------
    table : LogitTable
    inputs : tuple of InputFile
        The file that it was read from; rows in the scenario have none.
    """
    columns: dict[str, Any] = {key: getattr(block, key) for key in _KEYS}
    columns |= {"logits": block.columns, "features": None if training is None else training.features}
    if is_cut(("logits",), findings):
        return None
    if (block.table is None) == (block.rows is None):
        both = block.rows is not None
        message = "`table` and `rows` exclude each other" if both else "logits need a `table`, or `rows`"
        hint = "keep one of them" if both else "name the file that holds them"
        findings.add(("logits",), message, hint, of_key=True)
        return None
    source = None if block.table is None else _file(_TABLE, block.table, findings, directory)
    try:
        if source is not None:
            table = read_logits(source, **columns)
            return table, (_input(block.table, _TABLE, source, len(table)),)
        if block.rows is not None and _same_keys(block.rows, findings):
            import pandas as pd

            return table_of_logits(pd.DataFrame(block.rows), **columns, name="rows"), ()
    except DataError as error:
        for problem in error.problems:
            _note(problem, block, columns, findings)
    return None


def _same_keys(rows: list[dict[str, Any]], findings: Findings) -> bool:
    """Say whether all rows have the keys of the first; those that have not are noted."""
    before = len(findings.problems)
    for place, row in enumerate(rows):
        other = sorted(rows[0].keys() ^ row.keys())
        if other:
            has, first = ("has no", "has") if other[0] in rows[0] else ("has", "has not")
            message = f"this row {has} {other[0]!r}, which the first row {first}"
            findings.add((*_ROWS, place), message, "give every row the same keys")
    return len(findings.problems) == before


def _note(problem: Problem, block: Any, columns: dict[str, Any], findings: Findings) -> None:
    """Note what is wrong with a table: a cell where it stands, a column where the scenario names it."""
    if problem.line is None:
        keys = {key: columns[key] for key in ("features", "logits", *_KEYS)}
        entries: dict[str, EntryPath] = {}
        for key, named in keys.items():
            entry = ("training", key) if key == "features" else ("logits", "columns" if key == "logits" else key)
            names = [named] if isinstance(named, str) else named or ()
            entries |= dict.fromkeys(names, entry)
        start = _TABLE if block.rows is None else _ROWS
        findings.add(entries.get(problem.path, start), problem.message, problem.hint)
    elif block.rows is not None:
        findings.add((*_ROWS, problem.line - 1, problem.path), problem.message, problem.hint)
    else:
        message: str = problem.message
        line: int | None = problem.line
        if not block.table.lower().endswith(".csv"):  # whose rows have no lines
            message, line = f"row {line}: {message}", None
        findings.problems.append(replace(problem, message=message, line=line, file=block.table))


def read_detector(
    blocks: Any, findings: Findings, directory: Path | None
) -> tuple[EnergyDetector | None, tuple[InputFile, ...]]:
    """Read the saved detector that a scenario names, if it does; what is wrong with it is noted.

    Parameters
    ----------
    blocks : mapping
        The entries of the file that could be read.
    findings, directory
        As `read_table_of_logits`.
    """
    name = blocks.get("detector")
    source = None if name is None else _file(("detector",), name, findings, directory)
    if source is None:
        return None, ()
    try:
        detector = EnergyDetector.load(source)
    except DataError as error:
        for problem in error.problems:
            findings.add(("detector",), problem.message, problem.hint)
        return None, ()
    if detector.grouped:
        findings.add(
            ("detector",), "the detector has a threshold for each group", "use it from Python, or fit one for all"
        )
        return None, ()
    return detector, (_input(name, ("detector",), source, 0),)


def _file(entry: EntryPath, name: str, findings: Findings, directory: Path | None) -> Path | None:
    start = findings.document.origin(findings.written(entry)).parent if directory is None else directory
    path = start / name
    try:
        if path.is_file():
            return path
        said = "is a directory" if path.is_dir() else "does not exist"
    except (OSError, ValueError):
        said = "cannot be a file"
    findings.add(entry, f"the file {said}: {show(name)}", "check the path")
    return None


def _input(name: str, entry: EntryPath, path: Path, rows: int) -> InputFile:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return InputFile(name=name, entry=entry, path=str(path), sha256=digest, rows=rows)
