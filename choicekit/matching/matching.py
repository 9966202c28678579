"""A matching: who has which place, what it is worth to either side, and whether anybody would rather do otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.counting import counted
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.matching.market import MatchingMarket

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Matching", "blocking_pairs"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_CELLS = 4_000_000  # looked at once


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Matching:
    """Which column each row has.

    Attributes
    ----------
    assigned : ndarray (N,) of int64
        Position of the column, -1 for none.
    market : MatchingMarket
    mechanism : str
        What it came from, such as ``"deferred acceptance"``.
    n_proposals, n_rounds : int
        How long it took, where the mechanism has such.
    n_ties_broken : int
        Comparisons of equal utilities that the lottery decided; 0 means that preferences were strict where it mattered.
    seed, replication : int or None
        Of the lottery, where one was needed.

    Raises
    ------
    InvalidInputError
        For a column that is not there, or that has more rows than it takes.

    Examples
    --------
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]], column_utility=[[1.0, 2.0], [2.0, 1.0]])
    >>> matching = Matching(assigned=[1, 0], market=market)
    >>> matching.stable, matching.row_welfare, matching.rank.tolist()
    (True, 4.0, [2, 1])
    """

    assigned: IntArray
    market: MatchingMarket
    mechanism: str = "given"
    n_proposals: int = 0
    n_rounds: int = 0
    n_ties_broken: int = 0
    seed: int | None = None
    replication: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "assigned", _checked(self.assigned, self.market))

    def __repr__(self) -> str:
        matched = int((self.assigned >= 0).sum())
        return f"Matching({matched} of {counted(self.assigned.size, 'row')} matched, {self.mechanism})"

    @cached_property
    def filled(self) -> IntArray:
        """How many rows each column has, shape (J,)."""
        return np.bincount(self.assigned[self.assigned >= 0], minlength=self.market.shape[1])

    @property
    def unassigned(self) -> int:
        """Number of rows without a column."""
        return int((self.assigned < 0).sum())

    @cached_property
    def row_utilities(self) -> FloatArray:
        """What each row has, shape (N,): the utility of its column, or of none."""
        return self._own(self.market.row_utility, self._outside(self.market.row_floors))

    @property
    def row_welfare(self) -> float:
        """Sum of what rows have; having no column counts as 0 where the market does not say."""
        return float(self.row_utilities.sum())

    @property
    def column_welfare(self) -> float:
        """Sum of what columns have, empty places included; nan where the market has no column utility."""
        if self.market.column_utility is None:
            return float("nan")
        held = self._own(self.market.column_utility, np.zeros(self.assigned.size)).sum()
        empty = (self.market.seats - self.filled) @ self._outside(self.market.column_floors)
        return float(held + empty)

    @property
    def welfare(self) -> float:
        """Sum over both sides."""
        return self.row_welfare + self.column_welfare

    @cached_property
    def rank(self) -> IntArray:
        """Place of its column in each row's order, 1 for the best; equals share the better one, and 0 means none."""
        rank = np.zeros(self.assigned.size, dtype=np.int64)
        for rows in _portions(self.market.shape):
            own = self.row_utilities[rows]
            rank[rows] = (self.market.row_utility[rows] > own[:, None]).sum(axis=1) + 1
        return np.where(self.assigned < 0, 0, rank)

    @cached_property
    def envious(self) -> BoolArray:
        """Rows that would rather have a place that somebody else has, shape (N,)."""
        taken = self.filled > 0
        envious = np.zeros(self.assigned.size, dtype=bool)
        for rows in _portions(self.market.shape):
            better = self.market.row_utility[rows] > self.row_utilities_or_less[rows, None]
            envious[rows] = (better & self.market.acceptable[rows] & taken).any(axis=1)
        return envious

    @cached_property
    def row_utilities_or_less(self) -> FloatArray:
        """What each row has, and minus infinity or its outside utility where it has none: what others are held to."""
        return self._own(self.market.row_utility, self.market.row_floors)

    @cached_property
    def blocking(self) -> IntArray:
        """Pairs that would rather have each other, see `blocking_pairs`."""
        return blocking_pairs(self)

    @property
    def stable(self) -> bool:
        """Whether no pair blocks and everybody accepts what it has: looked up pair by pair, not assumed."""
        return not len(self.blocking) and not len(self.unacceptable)

    @cached_property
    def unacceptable(self) -> IntArray:
        """Rows whose pair one of the two would rather be without."""
        held = np.flatnonzero(self.assigned >= 0)
        return held[~self.market.acceptable[held, self.assigned[held]]]

    def to_frame(self) -> pd.DataFrame:
        """Return a line a row: row, column and rank (missing where none), row_utility and column_utility."""
        import pandas as pd

        market, held = self.market, self.assigned >= 0
        names = np.array([*(market.column(place) for place in range(market.shape[1])), None], dtype=object)
        columns = np.full(held.size, np.nan)
        if market.column_utility is not None:
            columns = np.where(held, market.column_utility[np.arange(held.size), self.assigned], np.nan)
        return pd.DataFrame(
            {
                "row": [market.row(place) for place in range(held.size)],
                "column": names[self.assigned],
                "rank": np.where(held, self.rank, np.nan),
                "row_utility": np.where(held, self.row_utilities, np.nan),
                "column_utility": columns,
            }
        )

    def _own(self, table: FloatArray, alone: FloatArray) -> FloatArray:
        held = table[np.arange(self.assigned.size), np.maximum(self.assigned, 0)]
        return np.where(self.assigned >= 0, held, alone)

    @staticmethod
    def _outside(floors: FloatArray) -> FloatArray:
        return np.where(np.isfinite(floors), floors, 0.0)


def blocking_pairs(
    matching: Matching | npt.ArrayLike,
    row_utility: npt.ArrayLike | None = None,
    column_utility: npt.ArrayLike | None = None,
    capacity: npt.ArrayLike | None = None,
    *,
    row_outside: npt.ArrayLike | float = -np.inf,
    column_outside: npt.ArrayLike | float = -np.inf,
) -> IntArray:
    """Return the pairs that would both rather have each other than what the matching gives them.

    Parameters
    ----------
    matching : Matching or array_like (N,)
        Or the column of each row, -1 for none; the market is then given by what follows.
    row_utility, column_utility, capacity, row_outside, column_outside
        As in `MatchingMarket`; not beside a Matching, which knows its market.

    Returns
    -------
    ndarray (K, 2) of int64
        Row and column of each blocking pair, in that order. Empty if and only if no pair blocks.

    Raises
    ------
    InvalidInputError, ShapeError
        For a market without a column utility, and whatever breaks the above.

    Notes
    -----
    Row i and column j block where both accept each other, i wants j strictly more than what it has, and j has room or
    wants i strictly more than the least wanted row that it has. Equal utilities do not block: this is weak stability.

    References
    ----------
    Gale & Shapley (1962), "College admissions and the stability of marriage", American Mathematical Monthly 69; Roth &
    Sotomayor (1990), *Two-Sided Matching*, section 5.1.

    Examples
    --------
    >>> wishes, favours = [[2.0, 1.0], [3.0, 0.5]], [[1.0, 2.0], [2.0, 1.0]]
    >>> blocking_pairs([1, 0], wishes, favours), blocking_pairs([0, 1], wishes, favours)
    (array([], shape=(0, 2), dtype=int64), array([[1, 0]]))
    """
    if not isinstance(matching, Matching):
        if row_utility is None:
            raise InvalidInputError("blocking_pairs needs a Matching, or positions with row_utility and column_utility")
        market = MatchingMarket(
            row_utility=row_utility,  # type: ignore[arg-type]
            column_utility=column_utility,  # type: ignore[arg-type]
            capacity=capacity,  # type: ignore[arg-type]
            row_outside=row_outside,  # type: ignore[arg-type]
            column_outside=column_outside,  # type: ignore[arg-type]
        )
        matching = Matching(assigned=matching, market=market)  # type: ignore[arg-type]
    elif row_utility is not None or column_utility is not None or capacity is not None:
        raise InvalidInputError("a Matching knows its market: give utilities only beside plain positions")
    market = matching.market
    if market.column_utility is None:
        raise InvalidInputError("blocking pairs need what rows are worth to columns: give column_utility")
    worst = _worst(matching, market.column_utility)
    found = []
    for rows in _portions(market.shape):
        wants = market.row_utility[rows] > matching.row_utilities_or_less[rows, None]
        wants &= market.acceptable[rows] & (market.column_utility[rows] > worst)
        found.append(np.argwhere(wants) + np.array([rows.start, 0]))
    return np.concatenate(found).astype(np.int64).reshape(-1, 2)


def _worst(matching: Matching, column_utility: FloatArray) -> FloatArray:
    """Return the utility that a row must exceed at each column: of the least wanted it has, and of an empty place."""
    market, held = matching.market, np.flatnonzero(matching.assigned >= 0)
    worst = np.full(market.shape[1], np.inf)
    np.minimum.at(worst, matching.assigned[held], column_utility[held, matching.assigned[held]])
    # anybody acceptable is as good as an empty place or better, and takes it
    return np.where(matching.filled < market.seats, -np.inf, worst)


def _portions(shape: tuple[int, int]) -> list[slice]:
    step = max(1, _CELLS // shape[1])
    return [slice(start, min(start + step, shape[0])) for start in range(0, shape[0], step)]


def _checked(given: npt.ArrayLike, market: MatchingMarket) -> IntArray:
    n, m = market.shape
    found = np.asarray(given)
    if found.shape != (n,):
        raise ShapeError(f"a matching must name one column a row, {n}, found shape {found.shape}")
    if found.dtype.kind not in "iu":
        raise InvalidInputError(f"a matching must be whole numbers, positions of columns, found type {found.dtype}")
    wrong = np.flatnonzero((found < -1) | (found >= m))
    if wrong.size:
        raise InvalidInputError(
            f"row {market.row(int(wrong[0]))!r} has column {found[wrong[0]]}: there are {m}, and -1 means none"
        )
    filled = np.bincount(found[found >= 0].astype(np.int64), minlength=m)
    over = np.flatnonzero(filled > market.seats)
    if over.size:
        raise InvalidInputError(
            f"column {market.column(int(over[0]))!r} has {filled[over[0]]} rows but takes {market.seats[over[0]]}"
        )
    return found.astype(np.int64)
