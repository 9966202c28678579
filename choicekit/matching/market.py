"""A matching market: two sides, what each is worth to the other, and how many each place takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.counting import counted
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.random import alternative_words, row_words

__all__ = ["MatchingMarket"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MatchingMarket:
    """Agents in rows, places in columns, and what each side thinks of the other.

    Attributes
    ----------
    row_utility : array_like (N, J)
        What each column is worth to each row; minus infinity where it may not be.
    column_utility : array_like (N, J), (J,) or (N, 1), optional
        What each row is worth to each column, such as priorities; whatever broadcasts to (N, J). Mechanisms in which
        both sides count refuse a market without it.
    capacity : array_like (J,) of whole numbers, optional
        How many rows a column takes; one each where it is not given.
    row_outside, column_outside : float or array_like (N,) or (J,), optional
        Utility of having nobody: pairs that are worth less to either side are not acceptable. Minus infinity where it
        is not given: then anybody is better than nobody, and an empty place counts as 0 in welfare.
    row_names, column_names : sequence, optional
        They address the lotteries, so that the order of rows is of no consequence; positions where not given.

    Raises
    ------
    ShapeError
        For arrays that do not fit together.
    InvalidInputError
        For nan or plus infinity, for capacities that are negative or not whole, and for names that repeat.

    Examples
    --------
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]], column_utility=[[1.0, 2.0], [2.0, 1.0]])
    >>> market
    MatchingMarket(2 rows, 2 columns, capacity 2)
    """

    row_utility: FloatArray
    column_utility: FloatArray | None = None
    capacity: IntArray | None = None
    row_outside: FloatArray | float = -np.inf
    column_outside: FloatArray | float = -np.inf
    row_names: Sequence[object] | None = None
    column_names: Sequence[object] | None = None

    def __post_init__(self) -> None:
        utility = _utility(self.row_utility, "row_utility", None)
        n, m = utility.shape
        object.__setattr__(self, "row_utility", utility)
        if self.column_utility is not None:
            object.__setattr__(self, "column_utility", _utility(self.column_utility, "column_utility", (n, m)))
        object.__setattr__(self, "capacity", _capacity(self.capacity, m, self.column_names))
        object.__setattr__(self, "row_outside", _outside(self.row_outside, n, "row_outside"))
        object.__setattr__(self, "column_outside", _outside(self.column_outside, m, "column_outside"))
        for names, size, what in ((self.row_names, n, "row_names"), (self.column_names, m, "column_names")):
            if names is not None and len(names) != size:
                raise ShapeError(f"{what} must be one a place, {size}, found {len(names)}")
        _ = self.row_words, self.column_words  # names that repeat are found here

    def __repr__(self) -> str:
        rows, columns = (counted(size, what) for size, what in zip(self.shape, ("row", "column"), strict=True))
        return f"MatchingMarket({rows}, {columns}, capacity {self.seats.sum()})"

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        n, m = self.row_utility.shape
        return n, m

    @property
    def seats(self) -> IntArray:
        """Capacities, shape (J,)."""
        return np.asarray(self.capacity)

    @cached_property
    def row_words(self) -> UIntArray:
        """Words that address the lotteries of rows."""
        return row_words(np.arange(self.shape[0]) if self.row_names is None else list(self.row_names))

    @cached_property
    def column_words(self) -> UIntArray:
        """Words that address columns."""
        return alternative_words(np.arange(self.shape[1]) if self.column_names is None else list(self.column_names))

    @property
    def row_floors(self) -> FloatArray:
        """Utility of having no column by row, shape (N,)."""
        return np.broadcast_to(np.asarray(self.row_outside, dtype=np.float64), (self.shape[0],))

    @property
    def column_floors(self) -> FloatArray:
        """Utility of an empty place by column, shape (J,)."""
        return np.broadcast_to(np.asarray(self.column_outside, dtype=np.float64), (self.shape[1],))

    @cached_property
    def acceptable(self) -> BoolArray:
        """Pairs that both sides would rather have than nobody, shape (N, J)."""
        fine = (self.row_utility > -np.inf) & (self.row_utility >= self.row_floors[:, None])
        if self.column_utility is not None:
            fine &= (self.column_utility > -np.inf) & (self.column_utility >= self.column_floors)
        return fine

    def with_columns(self, column_utility: npt.ArrayLike) -> Self:
        """Return the same market with another column utility."""
        return replace(self, column_utility=np.asarray(column_utility, dtype=np.float64))

    def row(self, place: int) -> object:
        """Name of a row, or its position."""
        return place if self.row_names is None else self.row_names[place]

    def column(self, place: int) -> object:
        """Name of a column, or its position."""
        return place if self.column_names is None else self.column_names[place]


def _utility(given: npt.ArrayLike, name: str, shape: tuple[int, int] | None) -> FloatArray:
    try:
        table = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{name} must be a table of numbers") from error
    if shape is not None and table.shape != shape:
        try:
            table = np.broadcast_to(table, shape)
        except ValueError as error:
            raise ShapeError(f"{name} must have the shape of row_utility, {shape}, found {table.shape}") from error
    if table.ndim != 2 or not table.size:
        raise ShapeError(f"{name} must have a row an agent and a column a place, found shape {table.shape}")
    wrong = np.argwhere(np.isnan(table) | (table == np.inf))
    if len(wrong):
        row, column = (int(place) for place in wrong[0])
        raise InvalidInputError(
            f"{name} must be numbers below infinity, found {table[row, column]} at row {row}, column {column}: "
            "a pair that may not be has minus infinity"
        )
    return np.ascontiguousarray(table)


def _capacity(given: object, m: int, names: Sequence[object] | None) -> IntArray:
    try:
        found = np.asarray(np.ones(m) if given is None else given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidInputError("capacity must be whole numbers of at least 0") from error
    if found.shape != (m,):
        raise ShapeError(f"capacity must be one number a column, {m}, found shape {found.shape}")
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0) & (found == np.floor(found)) & (found < 2**53)))
    if wrong.size:
        which = f"column {wrong[0]}" if names is None or len(names) != m else f"{names[wrong[0]]!r}"
        raise InvalidInputError(
            f"capacity must be whole numbers of at least 0, found {found[wrong[0]]:g} for {which}: a place without "
            "limit takes the number of rows"
        )
    return found.astype(np.int64)


def _outside(given: object, size: int, name: str) -> FloatArray:
    found = np.asarray(given, dtype=np.float64)
    if found.shape not in ((), (size,)):
        raise ShapeError(f"{name} must be one number, or one each of {size}, found shape {found.shape}")
    if np.isnan(found).any() or (found == np.inf).any():
        raise InvalidInputError(f"{name} must be numbers below infinity, found {found[~(found < np.inf)].flat[0]}")
    return found
