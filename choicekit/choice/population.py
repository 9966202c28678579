"""The population: who chooses, with which attributes, in which situations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.layouts import Layout, long_layout, require_columns, wide_layout
from choicekit.choice.tables import Table, column_values, labels_of, number_of_each, read_table, table_of
from choicekit.errors import DataError, InvalidInputError, Problem, ShapeError
from choicekit.random import row_words
from choicekit.suggestions import suggest

__all__ = ["Population"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SHOWN = 5


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Population:
    """Agents, their attributes and their choice situations.

    Attributes
    ----------
    agents : array_like (N,)
        Identifiers: whole numbers or text. They address the draws.
    columns : mapping of str to array_like (N,) or (N, J)
        Attributes of agents, or of agents and alternatives; numbers, truth values or text.
    alternatives : sequence of str
        Names of the J alternatives along the second axis of two-dimensional columns; may be empty where there are
        none.
    situations : array_like (N,), optional
        Identifiers of choice situations, where agents choose more than once.
    weights : array_like (N,), optional
        How many agents each row stands for: finite, at least 0, not all 0.
    availability : array_like of bool (N, J), optional
        True = available, by the data; a model may restrict it further.
    chosen : array_like (N,) of int, optional
        Position in `alternatives` of what was observed to be chosen, -1 where unknown.
    layout : Layout, optional
        Where in a table the cells are, for messages; set by the constructors that read one.

    Raises
    ------
    ShapeError
        Where lengths differ.
    InvalidInputError
        For repeated (agent, situation), bad weights, or positions outside `alternatives`.

    Examples
    --------
    >>> people = Population(agents=["ann", "bo"], columns={"income": [20.0, 55.0]})
    >>> people
    Population(2 agents in 2 rows, 0 alternatives, 1 columns)
    """

    agents: npt.NDArray[Any]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()
    situations: npt.NDArray[Any] | None = None
    weights: FloatArray | None = None
    availability: npt.NDArray[np.bool_] | None = None
    chosen: IntArray | None = None
    layout: Layout | None = None

    def __post_init__(self) -> None:
        row_words(self.agents, self.situations)  # refuses what cannot address draws, and repeats
        _set(self, "agents", _identifiers(self.agents))
        _set(self, "situations", None if self.situations is None else _identifiers(self.situations))
        _set(self, "alternatives", tuple(str(name) for name in self.alternatives))
        if len(set(self.alternatives)) != len(self.alternatives):
            raise InvalidInputError(f"alternatives must be distinct, found {list(self.alternatives)}")
        columns = {str(name): self._checked_column(name, values) for name, values in self.columns.items()}
        _set(self, "columns", MappingProxyType(columns))
        if self.weights is not None:
            _set(self, "weights", self._checked_weights(self.weights))
        if self.availability is not None:
            available = np.asarray(self.availability, dtype=bool)
            self._check_shape("availability", available, (self.n_rows, len(self.alternatives)))
            _set(self, "availability", available)
        if self.chosen is not None:
            chosen = np.asarray(self.chosen, dtype=np.int64)
            self._check_shape("chosen", chosen, (self.n_rows,))
            if chosen.size and (chosen.min() < -1 or chosen.max() >= len(self.alternatives)):
                raise InvalidInputError("chosen must hold positions in alternatives, or -1")
            _set(self, "chosen", chosen)

    @property
    def n_rows(self) -> int:
        """Number of rows N: agents times their situations."""
        return len(self.agents)

    @property
    def n_agents(self) -> int:
        """Number of different agents."""
        return self.n_rows if self.situations is None else len(pd.unique(pd.Series(self.agents)))

    def __repr__(self) -> str:
        return (
            f"Population({self.n_agents} agents in {self.n_rows} rows, {len(self.alternatives)} alternatives, "
            f"{len(self.columns)} columns)"
        )

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame | Table,
        *,
        layout: Literal["wide", "long"] = "wide",
        agent: str | None = None,
        situation: str | None = None,
        alternative: str | None = None,
        alternatives: Mapping[str, str] | Sequence[str] | None = None,
        weight: str | None = None,
        chosen: str | None = None,
        availability: str | None = None,
        attributes: Mapping[str, Mapping[str, str]] | None = None,
        columns: Iterable[str] | None = None,
        missing_rows: Literal["error", "unavailable"] = "error",
    ) -> Self:
        """Build a population from a pandas table.

        Parameters
        ----------
        frame : DataFrame or Table
            In ``"wide"`` layout one row an agent (and situation); in ``"long"`` layout one row an agent (and
            situation) and alternative.
        layout : {"wide", "long"}
        agent, situation, alternative : str, optional
            Columns of identifiers. `agent` and `alternative` are needed in long layout; without `agent` the rows of
            a wide table are agents 0..N-1.
        alternatives : mapping or sequence of str, optional
            Names of the alternatives, or a mapping from labels in the table to names, such as ``{1: "air"}``; in
            long layout by default the labels, in order of appearance.
        weight : str, optional
            Column of weights.
        chosen : str, optional
            Column of observed choices: 1 in the chosen row and 0 elsewhere (long), or the label (wide).
        availability : str, optional
            Column that is 1 where an alternative is available and 0 elsewhere (long layout).
        attributes : mapping, optional
            For wide tables: attribute name to a mapping from alternative to the column that holds it.
        columns : iterable of str, optional
            Columns to keep; by default all.
        missing_rows : {"error", "unavailable"}
            What an agent without a row for an alternative means in long layout.

        Returns
        -------
        Population

        Raises
        ------
        DataError
            Naming file, line and column of what cannot be used.
        InvalidInputError
            For arguments that do not fit the layout.

        Examples
        --------
        >>> trips = pd.DataFrame({"id": [1, 1, 2, 2], "mode": ["bus", "car"] * 2, "cost": [2.0, 5.0, 2.0, 9.0]})
        >>> Population.from_frame(trips, layout="long", agent="id", alternative="mode")
        Population(2 agents in 2 rows, 2 alternatives, 1 columns)
        """
        table = frame if isinstance(frame, Table) else table_of(frame)
        names = _names_by_label(alternatives)
        _check_arguments(layout, agent, alternative, availability, attributes, missing_rows)
        if table.frame.empty:
            raise DataError([table.problem("the table has no rows", hint="a population needs at least one agent")])
        if layout == "long":
            placed = long_layout(
                table,
                agent=str(agent),
                situation=situation,
                alternative=str(alternative),
                alternatives=names,
                missing_rows=missing_rows,
            )
        else:
            placed = wide_layout(table, agent=agent, situation=situation, alternatives=tuple((names or {}).values()))
        require_columns(table, [weight, chosen, availability, *(columns or ())])
        special = {agent, situation, alternative, weight, chosen, availability}
        kept = [str(name) for name in table.frame.columns if name not in special] if columns is None else columns
        values = {name: placed.column(name) for name in dict.fromkeys(kept)}
        placed = replace(placed, attributes=attributes or {})
        return cls(
            agents=placed.agents,
            situations=placed.situations,
            alternatives=placed.alternatives,
            columns=values | _stacked(placed),
            weights=None if weight is None else _weights_of(placed, weight),
            availability=_availability_of(placed, availability),
            chosen=None if chosen is None else _chosen_of(placed, chosen, names),
            layout=placed,
        )

    @classmethod
    def from_csv(cls, path: str | Path, *, separator: str | None = None, **arguments: Any) -> Self:
        """Build a population from a CSV file; see `from_frame` for the other arguments.

        Parameters
        ----------
        path : path
        separator : str, optional
            By default the one of comma, semicolon, tab and bar that the first line holds most of.

        Raises
        ------
        DataError
            Where the file cannot be read or used; names file, line and column.

        Examples
        --------
        >>> Population.from_csv("no such file.csv")
        Traceback (most recent call last):
        choicekit.errors.DataError: no such file.csv the table does not exist, check the path
        """
        return cls.from_frame(read_table(path, separator=separator), **arguments)

    @classmethod
    def from_parquet(cls, path: str | Path, **arguments: Any) -> Self:
        """Build a population from a Parquet file; see `from_frame` for the other arguments.

        Raises
        ------
        DataError
            Where the file cannot be read or used.

        Examples
        --------
        >>> Population.from_parquet("no such file.parquet")
        Traceback (most recent call last):
        choicekit.errors.DataError: no such file.parquet the table does not exist, check the path
        """
        return cls.from_frame(read_table(path), **arguments)

    def with_columns(self, columns: Mapping[str, npt.ArrayLike]) -> Self:
        """Return the same agents with more, or other, columns.

        Examples
        --------
        >>> Population(agents=[1, 2]).with_columns({"age": [30.0, 40.0]}).columns["age"]
        array([30., 40.])
        """
        return replace(self, columns={**self.columns, **{name: np.asarray(values) for name, values in columns.items()}})

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return a column, (N,) or (N, J).

        Raises
        ------
        InvalidInputError
            Where there is none of this name, with the nearest one there is.
        """
        if name not in self.columns:
            hint = suggest(name, self.columns) or f"there are {', '.join(self.columns) or 'none'}"
            raise InvalidInputError(f"unknown column {name!r}, {hint}")
        return self.columns[name]

    def cell_problem(self, message: str, *, row: int, position: int | None, column: str, hint: str = "") -> Problem:
        """Describe something wrong with a cell, in the file where there is one."""
        if self.layout is not None and self.layout.holds(column):
            return self.layout.problem(message, row=row, position=position, column=column, hint=hint)
        who = f"agent {self.agents[row]}"
        if position is not None and self.columns[column].ndim == 2:
            who += f", alternative {self.alternatives[position]}"
        return Problem(message=f"column {column!r}: {message} ({who})", hint=hint, path=column)

    def _checked_column(self, name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
        array = np.asarray(values)
        if array.dtype.kind in "US":
            array = array.astype(object)
        if array.dtype.kind in "iuf":
            array = array.astype(np.float64, copy=False)
        allowed = {(self.n_rows,), (self.n_rows, len(self.alternatives))}
        if array.shape not in allowed:
            raise ShapeError(
                f"column {name!r} must be (N,) or (N, J) with N = {self.n_rows} and J = {len(self.alternatives)}, "
                f"found shape {array.shape}"
            )
        return array

    def _checked_weights(self, weights: npt.ArrayLike) -> FloatArray:
        try:
            array = np.asarray(weights, dtype=np.float64)
        except (ValueError, TypeError) as error:
            raise InvalidInputError("weights must be numbers, one a row") from error
        self._check_shape("weights", array, (self.n_rows,))
        if not np.all(np.isfinite(array) & (array >= 0)) or not np.any(array > 0):
            raise InvalidInputError("weights must be finite and at least 0, and not all 0")
        return array

    @staticmethod
    def _check_shape(what: str, array: npt.NDArray[Any], shape: tuple[int, ...]) -> None:
        if array.shape != shape:
            raise ShapeError(f"{what} must have shape {shape}, found {array.shape}")


def _set(population: Population, name: str, value: object) -> None:
    object.__setattr__(population, name, value)


def _identifiers(values: npt.ArrayLike) -> npt.NDArray[Any]:
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if array.dtype.kind == "O" and all(type(value) is int for value in array) and array.size:
        return array if max(map(abs, array)) >= 2**63 else array.astype(np.int64)
    return array


def _names_by_label(alternatives: Mapping[str, str] | Sequence[str] | None) -> dict[str, str] | None:
    if alternatives is None:
        return None
    pairs = alternatives.items() if isinstance(alternatives, Mapping) else ((name, name) for name in alternatives)
    return {str(label): str(name) for label, name in pairs}


def _check_arguments(
    layout: str, agent: str | None, alternative: str | None, availability: str | None, attributes: object, missing: str
) -> None:
    if layout not in {"wide", "long"}:
        raise InvalidInputError(f"layout must be 'wide' or 'long', found {layout!r}")
    if missing not in {"error", "unavailable"}:
        raise InvalidInputError(f"missing_rows must be 'error' or 'unavailable', found {missing!r}")
    if layout == "long" and (agent is None or alternative is None):
        raise InvalidInputError("long layout needs the names of the `agent` and the `alternative` columns")
    if layout == "long" and attributes:
        raise InvalidInputError("`attributes` belong to wide layout: a long table has a column for each attribute")
    if layout == "wide" and (alternative is not None or availability is not None):
        raise InvalidInputError("`alternative` and `availability` columns belong to long layout")


def _stacked(placed: Layout) -> dict[str, npt.NDArray[Any]]:
    """Columns of a wide table side by side, one an alternative."""
    stacked = {}
    for name, by_alternative in placed.attributes.items():
        if set(by_alternative) != set(placed.alternatives):
            missing = [a for a in placed.alternatives if a not in by_alternative]
            extra = [a for a in by_alternative if a not in placed.alternatives]
            raise InvalidInputError(
                f"attribute {name!r} must name a column for every alternative: missing {missing}, unknown {extra}"
            )
        require_columns(placed.table, list(by_alternative.values()))
        stacked[name] = np.stack([placed.column(by_alternative[a]) for a in placed.alternatives], axis=1)
    return stacked


def _numbers_in(placed: Layout, column: str, allowed: str, rule: Any) -> npt.NDArray[Any]:
    """Return a column whose every cell passes `rule`, or say which do not."""
    values = column_values(placed.table.frame[column])
    texts = labels_of(placed.table.frame[column])
    numbers, bad = (values.astype(np.float64), False) if values.dtype.kind in "bf" else number_of_each(texts)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(bad | ~rule(numbers))
    wrong = wrong[np.isin(wrong, placed.places)]
    if wrong.size:
        problems = [
            placed.table.problem(
                f"column {column!r}: must be {allowed}, found {texts[row]!r}", row=int(row), column=column
            )
            for row in wrong[:_SHOWN]
        ]
        raise DataError(problems)
    return numbers


def _weights_of(placed: Layout, column: str) -> FloatArray:
    numbers = _numbers_in(placed, column, "a finite number of at least 0", lambda x: np.isfinite(x) & (x >= 0))
    first = numbers[placed.first_place]
    if placed.places.ndim == 2:
        varied = np.argwhere((placed.places >= 0) & (numbers[placed.places] != first[:, None]))
        if len(varied):
            row, position = (int(index) for index in varied[0])
            message = "a weight must be the same in all rows of an agent's situation"
            raise DataError([placed.problem(message, row=row, position=position, column=column)])
    if not np.any(first > 0):
        raise DataError(
            [Problem(message=f"column {column!r}: weights must not all be 0", file=placed.table.name, path=column)]
        )
    return np.asarray(first)


def _availability_of(placed: Layout, column: str | None) -> npt.NDArray[np.bool_] | None:
    if placed.places.ndim == 1:
        return None
    present = placed.places >= 0
    if column is None:
        return None if np.all(present) else present
    numbers = _numbers_in(placed, column, "1 (available) or 0 (not)", lambda x: (x == 0) | (x == 1))
    return np.asarray(present & (numbers[placed.places] == 1))


def _chosen_of(placed: Layout, column: str, names: Mapping[str, str] | None) -> IntArray:
    if placed.places.ndim == 1:
        return _chosen_labels(placed, column, names)
    numbers = _numbers_in(placed, column, "1 (chosen) or 0 (not)", lambda x: (x == 0) | (x == 1))
    picked = (placed.places >= 0) & (numbers[placed.places] == 1)
    counts = picked.sum(axis=1)
    wrong = np.flatnonzero(counts != 1)
    if wrong.size:
        message = "exactly one alternative must be marked as chosen, found {}"
        raise DataError(
            [
                placed.problem(message.format(counts[row]), row=int(row), position=None, column=column)
                for row in wrong[:_SHOWN]
            ]
        )
    return np.asarray(picked.argmax(axis=1), dtype=np.int64)


def _chosen_labels(placed: Layout, column: str, names: Mapping[str, str] | None) -> IntArray:
    if not names:
        raise InvalidInputError("a wide table with a `chosen` column needs `alternatives`")
    labels = labels_of(placed.table.frame[column])
    order = {label: position for position, label in enumerate(names)}
    wrong = [row for row, label in enumerate(labels) if label not in order]
    if wrong:
        raise DataError(
            [
                placed.problem(
                    f"unknown alternative {labels[row]!r}",
                    row=row,
                    position=None,
                    column=column,
                    hint=suggest(labels[row], list(order))
                    or f"known labels are {', '.join(map(repr, list(order)[:20]))}",
                )
                for row in wrong[:_SHOWN]
            ]
        )
    return np.asarray([order[label] for label in labels], dtype=np.int64)
