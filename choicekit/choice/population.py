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

from choicekit.choice.given_arrays import array_of, identifier_array, positions_of, truths_of
from choicekit.choice.layouts import Layout, gathered, long_layout, require_columns, wide_layout
from choicekit.choice.special_columns import (
    availability_of,
    chosen_of,
    refuse_unavailable,
    stacked_columns,
    weights_of,
)
from choicekit.choice.tables import Table, read_table, table_of
from choicekit.counting import counted
from choicekit.errors import DataError, InvalidInputError, Problem, ShapeError
from choicekit.random import row_words
from choicekit.suggestions import suggest

__all__ = ["Population"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


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
        True (or 1) = available, by the data; a model may restrict it further.
    chosen : array_like (N,) of int, optional
        Position in `alternatives` of what was observed to be chosen, -1 where unknown. It must have been available.
    layout : Layout, optional
        Where in a table the cells are, for messages; set by the constructors that read one.
    replaced : frozenset of str
        Columns that were given after the table was read: they are not where `layout` says.

    Raises
    ------
    ShapeError
        Where lengths differ.
    InvalidInputError
        For repeated (agent, situation), bad weights, availability that is not True or False, choices that are no
        positions in `alternatives` or were not available.

    Examples
    --------
    >>> people = Population(agents=["ann", "bo"], columns={"income": [20.0, 55.0]})
    >>> people
    Population(2 agents in 2 rows, 0 alternatives, 1 column)
    """

    agents: npt.NDArray[Any]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    alternatives: tuple[str, ...] = ()
    situations: npt.NDArray[Any] | None = None
    weights: FloatArray | None = None
    availability: BoolArray | None = None
    chosen: IntArray | None = None
    layout: Layout | None = None
    replaced: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        row_words(self.agents, self.situations)  # refuses what cannot address draws, and repeats
        _set(self, "agents", identifier_array(self.agents))
        _set(self, "situations", None if self.situations is None else identifier_array(self.situations))
        _set(self, "alternatives", tuple(str(name) for name in self.alternatives))
        if len(set(self.alternatives)) != len(self.alternatives):
            raise InvalidInputError(f"alternatives must be distinct, found {list(self.alternatives)}")
        columns = {str(name): self._checked_column(name, values) for name, values in self.columns.items()}
        _set(self, "columns", MappingProxyType(columns))
        if self.weights is not None:
            _set(self, "weights", self._checked_weights(self.weights))
        if self.availability is not None:
            available = truths_of(self.availability)
            self._check_shape("availability", available, (self.n_rows, len(self.alternatives)))
            _set(self, "availability", available)
        if self.chosen is not None:
            chosen = positions_of(self.chosen, len(self.alternatives))
            self._check_shape("chosen", chosen, (self.n_rows,))
            _set(self, "chosen", chosen)
            self._refuse_unavailable()

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
            f"Population({counted(self.n_agents, 'agent')} in {counted(self.n_rows, 'row')}, "
            f"{counted(len(self.alternatives), 'alternative')}, {counted(len(self.columns), 'column')})"
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
        Population(2 agents in 2 rows, 2 alternatives, 1 column)
        """
        table = _as_table(frame)
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
        available, choices, weights = gathered(
            lambda: availability_of(placed, availability),
            lambda: None if chosen is None else chosen_of(placed, chosen, names),
            lambda: None if weight is None else weights_of(placed, weight),
        )
        if choices is not None:
            refuse_unavailable(placed, str(chosen), choices, available)
        return cls(
            agents=placed.agents,
            situations=placed.situations,
            alternatives=placed.alternatives,
            columns=values | stacked_columns(placed),
            weights=weights,
            availability=available,
            chosen=choices,
            layout=placed,
        )

    @classmethod
    def from_csv(cls, path: str | Path, *, separator: str | None = None, **arguments: Any) -> Self:
        """Build a population from a CSV file; see `from_frame` for the other arguments.

        Identifiers and labels are taken as they are written: ``007`` is not 7.

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
        roles = ("agent", "situation", "alternative", *(() if arguments.get("layout") == "long" else ("chosen",)))
        text = {str(arguments[role]) for role in roles if arguments.get(role) is not None}
        return cls.from_frame(read_table(path, separator=separator, text=text), **arguments)

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

        Parameters
        ----------
        columns : mapping of str to array_like (N,) or (N, J)

        Raises
        ------
        InvalidInputError, ShapeError
            For values that are no column of this population.

        Examples
        --------
        >>> Population(agents=[1, 2]).with_columns({"age": [30.0, 40.0]}).columns["age"]
        array([30., 40.])
        """
        given: dict[str, Any] = {str(name): values for name, values in columns.items()}
        return replace(self, columns={**self.columns, **given}, replaced=self.replaced | given.keys())

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

    def position(self, alternative: str) -> int:
        """Return the place of an alternative along the second axis of columns.

        Raises
        ------
        InvalidInputError
            Where there is none of this name, with the nearest one there is.
        """
        if alternative not in self.alternatives:
            hint = suggest(alternative, self.alternatives) or f"there are {', '.join(self.alternatives) or 'none'}"
            raise InvalidInputError(f"unknown alternative {alternative!r}, {hint}")
        return self.alternatives.index(alternative)

    def cell_problem(self, message: str, *, row: int, position: int | None, column: str, hint: str = "") -> Problem:
        """Describe something wrong with a cell, in the file where it comes from one."""
        if self.layout is not None and column not in self.replaced and self.layout.holds(column):
            return self.layout.problem(message, row=row, position=position, column=column, hint=hint)
        who = self._who(row)
        if position is not None and self.columns[column].ndim == 2:
            who += f", alternative {self.alternatives[position]}"
        return Problem(message=f"column {column!r}: {message} ({who})", hint=hint, path=column)

    def _who(self, row: int) -> str:
        who = f"agent {self.agents[row]}"
        return who if self.situations is None else f"{who}, situation {self.situations[row]}"

    def _refuse_unavailable(self) -> None:
        """Raise where a choice was observed of what was not available by the data."""
        if self.availability is None or self.chosen is None:
            return
        known = np.flatnonzero(self.chosen >= 0)
        wrong = known[~self.availability[known, self.chosen[known]]]
        if wrong.size:
            name = self.alternatives[self.chosen[wrong[0]]]
            raise InvalidInputError(
                f"what is chosen must be available, but {self._who(int(wrong[0]))} chose {name!r}, which is not "
                f"({wrong.size} such rows in all): correct chosen or availability"
            )

    def _checked_column(self, name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
        array = array_of(f"column {name!r}", values)
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
        except (ValueError, TypeError, OverflowError) as error:
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


def _as_table(frame: object) -> Table:
    if isinstance(frame, Table):
        return frame
    if not isinstance(frame, pd.DataFrame):
        way_out = (
            "use from_csv or from_parquet" if isinstance(frame, str | Path) else "wrap it in pandas.DataFrame(...)"
        )
        raise InvalidInputError(f"frame must be a pandas DataFrame, found {type(frame).__name__}: {way_out}")
    return table_of(frame)


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
