"""From a table to arrays: wide (a row an agent) and long (a row an agent and alternative)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.tables import Table, column_values, is_text, label_of, labels_of
from choicekit.errors import DataError, Problem
from choicekit.suggestions import suggest

__all__ = [
    "SHOWN",
    "Layout",
    "identifiers_of",
    "long_layout",
    "require_columns",
    "wide_layout",
    "with_rest",
]

IntArray = npt.NDArray[np.int64]

LARGEST_WHOLE = 2.0**53  # above it a float no longer tells neighbouring whole numbers apart
_CANONICAL = re.compile("0|-?[1-9][0-9]{0,19}")
SHOWN = 5  # problems of one sort that are shown before "and n more"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Layout:
    """Where in a table each row's cells are.

    Attributes
    ----------
    table : Table
    agents, situations : ndarray (N,)
        Identifiers; `situations` may be None.
    alternatives : tuple of str
        Empty for a wide table that names none.
    places : ndarray (N,) or (N, J) of int64
        Table row of each agent, or of each agent and alternative; -1 where the table has none.
    attributes : mapping
        Of a wide table: attributes that differ by alternative, with the column that holds each.
    """

    table: Table
    agents: npt.NDArray[Any]
    situations: npt.NDArray[Any] | None
    alternatives: tuple[str, ...]
    places: IntArray
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Layout({self.table!r}, places {self.places.shape}, {len(self.alternatives)} alternatives)"

    @property
    def first_place(self) -> IntArray:
        """A table row of each agent, (N,)."""
        return self.places if self.places.ndim == 1 else self.places.max(axis=1)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column as (N,) where it does not vary within an agent, else as (N, J)."""
        values = column_values(self.table.frame[name])
        if self.places.ndim == 1:
            return np.asarray(values[self.places])
        first = values[self.first_place]
        spread = values[self.places]
        same = (spread == first[:, None]) | (self.places < 0)
        if values.dtype.kind == "f":
            same |= np.isnan(spread) & np.isnan(first[:, None])
        if np.all(same):
            return np.asarray(first)
        if np.any(self.places < 0):
            empty: Any = np.nan if values.dtype.kind in "fb" else ""
            spread = np.where(self.places < 0, empty, spread)
        return np.asarray(spread)

    def holds(self, name: str) -> bool:
        """Whether a column of the population comes from the table."""
        return name in self.table.frame.columns or name in self.attributes

    def problem(self, message: str, *, row: int, position: int | None, column: str, hint: str = "") -> Problem:
        """Describe something wrong with a cell, naming line, agent and alternative."""
        if column in self.attributes and position is not None:
            column = self.attributes[column][self.alternatives[position]]
        place = int(self.first_place[row] if self.places.ndim == 1 or position is None else self.places[row, position])
        who = f"agent {self.agents[row]}"
        if self.situations is not None:
            who += f", situation {self.situations[row]}"
        if position is not None and self.places.ndim == 2:
            who += f", alternative {self.alternatives[position]}"
        return self.table.problem(f"column {column!r}: {message} ({who})", row=place, column=column, hint=hint)


def wide_layout(table: Table, *, agent: str | None, situation: str | None, alternatives: Sequence[str]) -> Layout:
    """Read a table with one row an agent (and situation).

    Raises
    ------
    DataError
        For missing columns, missing identifiers, or an (agent, situation) that occurs twice.
    """
    require_columns(table, [agent, situation])
    agents, situations = gathered(
        lambda: np.arange(len(table.frame)) if agent is None else identifiers_of(table, agent),
        lambda: None if situation is None else identifiers_of(table, situation),
    )
    keys = pd.DataFrame({"agent": agents} if situations is None else {"agent": agents, "situation": situations})
    _refuse_repeats(table, keys.duplicated().to_numpy(), keys, agent or "", "row" if situation else "situation")
    places = np.arange(len(table.frame), dtype=np.int64)
    return Layout(table=table, agents=agents, situations=situations, alternatives=tuple(alternatives), places=places)


def long_layout(
    table: Table,
    *,
    agent: str,
    situation: str | None,
    alternative: str,
    alternatives: Mapping[str, str] | None,
    missing_rows: str,
) -> Layout:
    """Read a table with one row an agent (and situation) and alternative.

    Parameters
    ----------
    table : Table
    agent, situation, alternative : str
        Names of columns.
    alternatives : mapping, optional
        From labels in the table to names; by default every label is a name, in order of appearance.
    missing_rows : {"error", "unavailable"}
        What an agent without a row for some alternative means.

    Raises
    ------
    DataError
        For missing columns or identifiers, unknown labels, a repeated or a missing (agent, situation, alternative).
    """
    require_columns(table, [agent, situation, alternative])
    agents, situations, (names, positions) = gathered(
        lambda: identifiers_of(table, agent),
        lambda: None if situation is None else identifiers_of(table, situation),
        lambda: _positions(table, alternative, alternatives),
    )
    frame = pd.DataFrame({"agent": agents} if situations is None else {"agent": agents, "situation": situations})
    rows = frame.groupby(list(frame.columns), sort=False).ngroup().to_numpy(dtype=np.int64)
    n_rows = int(rows.max()) + 1
    cells = rows * len(names) + positions
    frame["alternative"] = np.asarray(names, dtype=object)[positions]
    places = np.full(n_rows * len(names), -1, dtype=np.int64)
    places[cells] = np.arange(len(cells))
    first = np.flatnonzero(~pd.Series(rows).duplicated().to_numpy())
    layout = Layout(
        table=table,
        agents=agents[first],
        situations=None if situations is None else situations[first],
        alternatives=names,
        places=places.reshape(n_rows, len(names)),
    )
    repeated = pd.Series(cells).duplicated().to_numpy()
    gathered(
        lambda: _refuse_repeats(table, repeated, frame, agent, "row"),
        lambda: _refuse_missing(layout, alternative) if missing_rows == "error" else None,
    )
    return layout


def gathered(*steps: Callable[[], Any]) -> list[Any]:
    """Take steps that do not need each other, so that the problems of all are raised at once.

    Raises
    ------
    DataError
        With the problems of every step that raised one.

    Examples
    --------
    >>> gathered(lambda: 1, lambda: 2)
    [1, 2]
    """
    results: list[Any] = []
    problems: list[Problem] = []
    for step in steps:
        try:
            results.append(step())
        except DataError as error:
            problems.extend(error.problems)
    if problems:
        raise DataError(sorted(problems, key=lambda problem: problem.line or 0))
    return results


def require_columns(table: Table, columns: Sequence[str | None]) -> None:
    """Raise `DataError` for columns the table lacks, with the nearest one it has."""
    known = [str(column) for column in table.frame.columns]
    missing = [column for column in columns if column is not None and column not in known]
    if missing:
        raise DataError(
            [
                Problem(
                    message=f"unknown column {column!r}",
                    hint=suggest(column, known) or f"the table has {', '.join(known[:20])}",
                    file=table.name,
                    line=1 if table.separator is not None else None,
                    path=column,
                )
                for column in missing
            ]
        )


def identifiers_of(table: Table, column: str) -> npt.NDArray[Any]:
    """Return a column of identifiers: whole numbers or text, as the table has them.

    Raises
    ------
    DataError
        Naming the rows where an identifier is missing.

    Notes
    -----
    A CSV file does not say which of the two a cell is: a text becomes a whole number where it is written as one, and
    ``007`` is not 7. Each cell is taken by itself, so that one more row changes no other agent's draws.

    Examples
    --------
    >>> identifiers_of(Table(frame=pd.DataFrame({"id": ["7", "12"]}), separator=","), "id")
    array([ 7, 12])
    >>> identifiers_of(Table(frame=pd.DataFrame({"id": ["007", "12"]}), separator=","), "id")
    array(['007', 12], dtype=object)
    """
    series = table.frame[column]
    _refuse_missing_cells(table, column, "an identifier is missing")
    if series.dtype.kind in "iu":
        return series.to_numpy()
    if series.dtype.kind == "f" and bool(np.all((series == np.floor(series)) & (np.abs(series) < LARGEST_WHOLE))):
        return series.to_numpy().astype(np.int64)
    if table.separator is None or not is_text(series):
        return np.asarray([_as_given(cell) for cell in series], dtype=object)
    codes, found = pd.factorize(series)  # few texts, where rows are many
    return _as_whole_numbers(np.asarray(found, dtype=object))[codes]


def _as_whole_numbers(texts: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn texts into whole numbers where they read back as they are written and fit an address word."""
    values = [int(text) if _CANONICAL.fullmatch(text) and -(2**63) <= int(text) < 2**64 else text for text in texts]
    if all(isinstance(value, int) for value in values):
        for kind in (np.int64, np.uint64):
            try:
                return np.asarray(values, dtype=kind)
            except OverflowError:
                continue
    mixed = np.empty(len(values), dtype=object)
    mixed[:] = values
    return mixed


def _as_given(cell: Any) -> Any:
    """Return an identifier in its own form: a whole number or its text."""
    return int(cell) if isinstance(cell, int | np.integer) and not isinstance(cell, bool) else label_of(cell)


def _refuse_missing_cells(table: Table, column: str, message: str) -> None:
    missing = np.flatnonzero(table.frame[column].isna().to_numpy())
    if missing.size:
        problems = [
            table.problem(f"column {column!r}: {message}", row=int(row), column=column, hint="fill it in")
            for row in missing[:SHOWN]
        ]
        raise DataError(with_rest(problems, missing.size))


def _positions(table: Table, column: str, alternatives: Mapping[str, str] | None) -> tuple[tuple[str, ...], IntArray]:
    _refuse_missing_cells(table, column, "an alternative is missing")
    labels = labels_of(table.frame[column])
    if alternatives is None:
        alternatives = {label: label for label in dict.fromkeys(labels.tolist())}
    order = {label: position for position, label in enumerate(alternatives)}
    positions = pd.Series(labels, dtype=object).map(order).fillna(-1).to_numpy(dtype=np.int64)
    unknown = np.flatnonzero(positions < 0)
    if unknown.size:
        firsts = {labels[row]: int(row) for row in unknown[::-1]}
        problems = [
            table.problem(
                f"column {column!r}: unknown alternative {label!r}",
                row=row,
                column=column,
                hint=suggest(label, list(order)) or f"known labels are {', '.join(map(repr, list(order)[:20]))}",
            )
            for label, row in sorted(firsts.items(), key=lambda pair: pair[1])[:SHOWN]
        ]
        raise DataError(with_rest(problems, len(firsts)))
    return tuple(alternatives.values()), np.asarray(positions, dtype=np.int64)


def _refuse_repeats(table: Table, repeated: npt.NDArray[np.bool_], keys: pd.DataFrame, column: str, cure: str) -> None:
    rows = np.flatnonzero(repeated)
    if not rows.size:
        return
    hint = (
        "name a `situation` column if agents choose more than once" if cure == "situation" else "remove one of the rows"
    )
    problems = []
    for row in rows[:SHOWN]:
        who = ", ".join(f"{name} {value}" for name, value in keys.iloc[row].items())
        problems.append(table.problem(f"{who} occurs a second time", row=int(row), column=column, hint=hint))
    raise DataError(with_rest(problems, rows.size))


def _refuse_missing(layout: Layout, column: str) -> None:
    missing = np.argwhere(layout.places < 0)
    if not len(missing):
        return
    problems = []
    for row, position in missing[:SHOWN]:
        who = f"agent {layout.agents[row]}"
        if layout.situations is not None:
            who += f", situation {layout.situations[row]},"
        problems.append(
            layout.table.problem(
                f"{who} has no row for alternative {layout.alternatives[position]!r}",
                row=int(layout.first_place[row]),
                column=column,
                hint="add it, or set missing_rows to 'unavailable'",
            )
        )
    raise DataError(with_rest(problems, len(missing)))


def with_rest(problems: list[Problem], total: int) -> list[Problem]:
    """Say in the last problem shown how many more there are.

    Examples
    --------
    >>> [str(problem) for problem in with_rest([Problem(message="a"), Problem(message="b")], 7)]
    ['a', 'b, and 5 more like it']
    """
    rest = total - len(problems)
    if rest <= 0:
        return problems
    last = problems[-1]
    more = f"and {rest} more like it"
    return [*problems[:-1], replace(last, hint=f"{last.hint} ({more})" if last.hint else more, more=rest)]
