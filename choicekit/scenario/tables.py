"""Tables that a scenario names: read from the file's own folder, and described for the record of inputs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from choicekit.choice.tables import Table, read_table, unfit_path
from choicekit.errors import DataError, InvalidInputError
from choicekit.scenario.document import EntryPath
from choicekit.scenario.result import InputFile
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show

__all__ = ["has_columns", "input_files", "named_table"]


def named_table(
    path: EntryPath, block: Any, findings: Findings, directory: Path | None, *, text: Collection[str | None] = ()
) -> Table | None:
    """Read the table that a block names; None where it could not be read, which is noted.

    Parameters
    ----------
    path : tuple of (str or int)
        Where the block stands.
    block : Block
        With a ``table``, and with a ``separator`` where users may say one.
    findings : Findings
    directory : Path, optional
        Where a relative path starts; by default the folder of the file that names it.
    text : collection of (str or None)
        Columns of identifiers and labels, whose cells are kept as they are written: ``007`` is not 7.
    """
    entry = (*path, "table")
    start = findings.document.origin(findings.written(entry)).parent if directory is None else directory
    unfit = unfit_path(start / block.table)
    if unfit is not None:  # the scenario's entry is where to look
        findings.add(entry, f"{unfit[0]}: {show(block.table)}", unfit[1])
        return None
    texts = {column for column in text if column is not None}
    try:
        return read_table(
            start / block.table, separator=getattr(block, "separator", None), name=block.table, text=texts
        )
    except DataError as error:
        findings.problems.extend(error.problems)
    except InvalidInputError as error:
        findings.add((*path, "separator"), str(error))
    return None


def has_columns(path: EntryPath, block: Any, keys: Sequence[str], table: Table, findings: Findings) -> bool:
    """Say whether a table has the columns that a block names under some keys; those it has not are noted.

    Parameters
    ----------
    path : tuple of (str or int)
        Where the block stands.
    block : Block
    keys : sequence of str
        An entry that is no text names no column.
    table : Table
    findings : Findings
    """
    columns = [str(column) for column in table.frame.columns]
    unknown = [key for key in keys if isinstance(getattr(block, key), str) and getattr(block, key) not in columns]
    for key in unknown:
        findings.unknown((*path, key), "column", getattr(block, key), columns)
    return not unknown


def input_files(tables: Mapping[EntryPath, Table | None]) -> Iterator[InputFile]:
    """Describe the files that tables were read from, by the entry that names each; rows in the scenario have none."""
    for entry, table in tables.items():
        if table is not None and table.path is not None:
            digest = hashlib.sha256(table.path.read_bytes()).hexdigest()
            path, rows = str(table.path), len(table.frame)
            yield InputFile(name=table.name, entry=entry, path=path, sha256=digest, rows=rows)
