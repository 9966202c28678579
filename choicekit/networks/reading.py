"""Webs from CSV files: a table of counts, or a list of interactions, each fault at its line."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from choicekit.errors import DataError, InvalidInputError, Problem
from choicekit.networks.network import InteractionNetwork
from choicekit.suggestions import suggest

__all__ = ["read_edges", "read_network", "read_traits"]

_SHOWN = 20


def read_network(path: str | os.PathLike[str], *, separator: str | None = None, name: str = "") -> InteractionNetwork:
    """Read a table of counts: a row a species, a column a species, the first column and the header their names.

    Parameters
    ----------
    path : path-like
    separator : str, optional
        By default the likeliest of comma, semicolon and tab.
    name : str
        Of the network.

    Returns
    -------
    InteractionNetwork

    Raises
    ------
    DataError
        Every fault with line and column: cells that are no counts, species that occur twice, rows that are too short.
    """
    label, (header, rows) = _named(path), _records(path, separator)
    columns = [cell.strip() for cell in header[1][1:]]
    problems: list[Problem] = []
    problems += _repeated(columns, [header[0]] * len(columns), "column", label)
    names = [cells[0].strip() for _, cells in rows]
    problems += _repeated(names, [line for line, _ in rows], "row", label)
    counts = np.zeros((len(rows), len(columns)))
    for place, (line, cells) in enumerate(rows):
        if len(cells) != len(header[1]):
            said = f"this line has {len(cells)} cells where the header has {len(header[1])}"
            problems.append(Problem(message=said, hint="fill it up, with 0 for none", file=label, line=line))
            continue
        for at, cell in enumerate(cells[1:]):
            value = _count(cell)
            if value is None:
                said = f"a count must be a number of at least 0, found {_shown(cell)} for {names[place]!r}"
                problems.append(_problem(said, label, line, columns[at]))
            else:
                counts[place, at] = value
    _raise(problems)
    return _network(counts, names, columns, name, label)


def read_edges(
    path: str | os.PathLike[str],
    *,
    row: str,
    column: str,
    count: str | None = None,
    site: str | None = None,
    separator: str | None = None,
) -> dict[str, InteractionNetwork]:
    """Read a list of interactions: a line a pair, by the names of columns.

    Parameters
    ----------
    path : path-like
    row, column : str
        Columns with the species of either side.
    count : str, optional
        Column with how often; without it every line counts once. Lines of one pair add up.
    site : str, optional
        Column with the site or season; each is a network of its own.
    separator : str, optional

    Returns
    -------
    dict of str to InteractionNetwork
        By site in the order they first occur; without sites one, under ``""``.

    Raises
    ------
    DataError
    """
    label, (header, rows) = _named(path), _records(path, separator)
    heads = [cell.strip() for cell in header[1]]
    wanted = {"row": row, "column": column, "count": count, "site": site}
    at: dict[str, int] = {}
    problems = []
    for key, named in wanted.items():
        if named is None:
            continue
        if named not in heads:
            said = f"unknown column {named!r}"
            problems.append(
                Problem(message=said, hint=suggest(named, heads) or "", file=label, line=header[0], path=named)
            )
        else:
            at[key] = heads.index(named)
    _raise(problems)
    found: dict[str, dict[tuple[str, str], float]] = {}
    for line, cells in rows:
        if len(cells) != len(heads):
            said = f"this line has {len(cells)} cells where the header has {len(heads)}"
            problems.append(Problem(message=said, file=label, line=line))
            continue
        pair = cells[at["row"]].strip(), cells[at["column"]].strip()
        for species, named in zip(pair, (row, column), strict=True):
            if not species:
                problems.append(_problem("the name of a species is missing", label, line, named))
        value = 1.0 if count is None else _count(cells[at["count"]])
        if value is None:
            shown = _shown(cells[at["count"]])
            said = f"a count must be a number of at least 0, found {shown} for {pair[0]!r} and {pair[1]!r}"
            problems.append(_problem(said, label, line, count or ""))
            continue
        own = found.setdefault(cells[at["site"]].strip() if site is not None else "", {})
        own[pair] = own.get(pair, 0.0) + value
    _raise(problems)
    return {called: _of_pairs(pairs, called, label) for called, pairs in found.items()}


def read_traits(
    path: str | os.PathLike[str], species: Sequence[str], *, separator: str | None = None
) -> dict[str, list[str]]:
    """Read what is known of species: a line each, the first column their names.

    Parameters
    ----------
    path : path-like
    species : sequence of str
        In the order wanted; all must be there, others may.
    separator : str, optional

    Returns
    -------
    dict of str to list of str
        Cells by column, in the order of `species`.

    Raises
    ------
    DataError
        With the species named that have no line, or have an empty cell.
    """
    label, (header, rows) = _named(path), _records(path, separator)
    heads = [cell.strip() for cell in header[1]]
    names = [cells[0].strip() for _, cells in rows]
    problems = list(_repeated(names, [line for line, _ in rows], "species", label))
    line_of: Mapping[str, tuple[int, list[str]]] = {cells[0].strip(): (line, cells) for line, cells in rows}
    missing = [name for name in species if name not in line_of]
    for name in missing[:_SHOWN]:
        near = suggest(name, names)
        problems.append(
            Problem(message=f"traits are missing for {name!r}", hint=near or "add a line for it", file=label)
        )
    if not missing:
        for name in species:
            line, cells = line_of[name]
            for place, head in enumerate(heads[1:], start=1):
                if place >= len(cells) or not cells[place].strip():
                    problems.append(_problem(f"the trait is missing for {name!r}", label, line, head))
    _raise(problems)
    return {head: [line_of[name][1][place].strip() for name in species] for place, head in enumerate(heads) if place}


def _of_pairs(pairs: Mapping[tuple[str, str], float], name: str, label: str) -> InteractionNetwork:
    rows, columns = list(dict.fromkeys(pair[0] for pair in pairs)), list(dict.fromkeys(pair[1] for pair in pairs))
    at_row, at_column = {x: place for place, x in enumerate(rows)}, {x: place for place, x in enumerate(columns)}
    counts = np.zeros((len(rows), len(columns)))
    for (row, column), value in pairs.items():
        counts[at_row[row], at_column[column]] = value
    return _network(counts, rows, columns, name, label)


def _network(
    counts: np.ndarray, rows: Sequence[str], columns: Sequence[str], name: str, label: str
) -> InteractionNetwork:
    try:
        return InteractionNetwork(counts=counts, row_names=rows, column_names=columns, name=name)
    except InvalidInputError as error:
        raise DataError([Problem(message=str(error), file=label)]) from error


def _named(path: str | os.PathLike[str]) -> str:
    return os.fspath(path)


def _records(
    path: str | os.PathLike[str], separator: str | None
) -> tuple[tuple[int, list[str]], list[tuple[int, list[str]]]]:
    """Return the header and the rows of a CSV file, each with its line; blank lines are passed over."""
    label = _named(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            [Problem(message="text must be UTF-8, found other bytes", hint="save it as UTF-8", file=label)]
        ) from error
    except (OSError, ValueError) as error:
        said = "the file does not exist" if isinstance(error, FileNotFoundError) else "the file cannot be read"
        raise DataError([Problem(message=said, hint="check the path", file=label)]) from error
    first = next((line for line in text.splitlines() if line.strip()), "")
    found = list(_lines(text, separator or max(",;\t", key=first.count)))
    if len(found) < 2 or len(found[0][1]) < 2:
        said = "a table must have a header with at least two cells, and rows"
        raise DataError([Problem(message=said, hint="check the separator", file=label, line=1)])
    return found[0], found[1:]


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader, start = csv.reader(text.splitlines(keepends=True), delimiter=separator), 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield start, cells
        start = reader.line_num + 1


def _count(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) and value >= 0 else None


def _shown(cell: str) -> str:
    return repr(cell.strip()) if cell.strip() else "nothing"


def _problem(message: str, label: str, line: int, column: str) -> Problem:
    return Problem(message=f"{message} (column {column!r})", file=label, line=line, path=column)


def _repeated(names: Sequence[str], lines: Sequence[int], side: str, label: str) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for name, line in zip(names, lines, strict=True):
        if not name:
            yield Problem(message=f"the name of a {side} is missing", file=label, line=line)
        elif name in seen:
            said = f"{side} {name!r} occurs twice, first in line {seen[name]}"
            yield Problem(message=said, hint="rename one, or add them up", file=label, line=line, path=name)
        seen.setdefault(name, line)


def _raise(problems: Sequence[Problem]) -> None:
    if problems:
        raise DataError(list(problems[:_SHOWN]))
