"""Which pairs a coupling can use at all, where some are forbidden.

Where one side has fixed masses and the other can hold only so much, some set of places may be asked for more than the
places that it is allowed can take: then there is no coupling (Hall, Gale). Where it is asked for just as much, nobody
else can use those, allowed or not: such pairs are empty in every coupling, potentials for them do not exist, and a
solver that is not told goes on for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Fixed, MarginalCondition, WithOutsideOption
from choicekit.assignment.flows import route
from choicekit.assignment.problem import AssignmentProblem
from choicekit.errors import InfeasibleMassError

__all__ = ["usable_pairs"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_SLIP = 1e-12  # share of the mass by which sums that are meant to be equal may differ
_DUST = 1e-11  # share of the total mass below which a pair counts as empty
_NAMED = 5


def usable_pairs(problem: AssignmentProblem) -> BoolArray | None:
    """Return which pairs have positive mass in some feasible coupling.

    Parameters
    ----------
    problem : AssignmentProblem

    Returns
    -------
    ndarray (n, m) of bool, or None
        False where a pair is forbidden, lacks mass on a side, or is empty in every coupling that meets the conditions.
        None where no pair is forbidden and no place is without mass: all can be used.

    Raises
    ------
    InfeasibleMassError
        Where no coupling meets the conditions; the message names the rows or columns that cannot be served. Also where
        an outside option is full in every coupling, at a temperature above 0: its entropy has no maximum there.

    Notes
    -----
    A maximum flow decides. A pair can be used where row and column lie in one strongly connected component of the
    flow's residual graph. Masses count as equal where they differ by less than 1e-12 of them, and pairs as empty below
    1e-11 of the total mass (less where a place itself holds little). Where few pairs are forbidden a sufficient
    condition is enough: no row is forbidden a share a of the columns' mass, no column a share b of the rows', and
    a + b < 1. Then any set of rows that is not allowed all columns holds at most b and may use 1 - a.

    References
    ----------
    Gale (1957), "A theorem on flows in networks", Pacific Journal of Mathematics 7. Brualdi (2006), "Combinatorial
    matrix classes", section 8.1 (matrices with given sums whose support lies in a given pattern).

    Examples
    --------
    >>> forbidden = -np.inf
    >>> usable_pairs(
    ...     AssignmentProblem(
    ...         utility=[[0.0, forbidden], [0.0, 0.0]], rows=[1.0, 1.0], columns=[1.0, 1.0], temperature=1.0
    ...     )
    ... )
    array([[ True, False],
           [False,  True]])
    """
    rows, columns = _has_mass(problem.rows, problem.shape[0]), _has_mass(problem.columns, problem.shape[1])
    _check_singles(problem)
    if np.min(problem.utility) > -np.inf and rows.all() and columns.all():
        return None
    allowed = problem.utility > -np.inf
    allowed &= rows[:, None]
    allowed &= columns
    if not allowed.any():
        raise InfeasibleMassError(
            "some pair of places with mass must be allowed, found all of them forbidden: nobody could be matched"
        )
    side = _side_of_rows(problem, allowed)
    for one in (side, side.turned()):
        if isinstance(one.condition, Fixed):
            _check_allowed(one)
    if np.count_nonzero(allowed) == np.count_nonzero(rows) * np.count_nonzero(columns):
        return allowed
    if isinstance(problem.rows, Fixed) and _is_capacity(problem.columns):
        return _in_some_coupling(side)
    if isinstance(problem.columns, Fixed) and _is_capacity(problem.rows):
        return np.ascontiguousarray(_in_some_coupling(side.turned()).T)
    return allowed


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """A side that is to be served, as rows of the table, and the other that serves it."""

    allowed: BoolArray
    condition: MarginalCondition
    other: MarginalCondition
    word: str
    other_word: str
    name: Callable[[int], str]
    other_name: Callable[[int], str]
    entropic: bool

    @property
    def mass(self) -> FloatArray:
        return np.asarray(self.condition.mass)

    @property
    def capacity(self) -> FloatArray:
        return np.asarray(self.other.mass)

    @property
    def leaves_singles(self) -> bool:
        """Whether something of each place of the other side must stay outside."""
        return self.entropic and isinstance(self.other, WithOutsideOption)

    def turned(self) -> _Side:
        return _Side(
            allowed=self.allowed.T,
            condition=self.other,
            other=self.condition,
            word=self.other_word,
            other_word=self.word,
            name=self.other_name,
            other_name=self.name,
            entropic=self.entropic,
        )


def _side_of_rows(problem: AssignmentProblem, allowed: BoolArray) -> _Side:
    return _Side(
        allowed=allowed,
        condition=problem.rows,
        other=problem.columns,
        word="row",
        other_word="column",
        name=problem.row_name,
        other_name=problem.column_name,
        entropic=problem.temperature > 0,
    )


def _has_mass(condition: MarginalCondition, size: int) -> BoolArray:
    return np.ones(size, dtype=bool) if condition.mass is None else np.asarray(condition.mass > 0)


def _is_capacity(condition: MarginalCondition) -> bool:
    return isinstance(condition, Fixed | AtMost | WithOutsideOption)


def _check_singles(problem: AssignmentProblem) -> None:
    for fixed, other, words in (
        (problem.rows, problem.columns, ("rows", "columns")),
        (problem.columns, problem.rows, ("columns", "rows")),
    ):
        if problem.temperature == 0 or not (isinstance(fixed, Fixed) and isinstance(other, WithOutsideOption)):
            continue
        mass, room = float(fixed.mass.sum()), float(other.mass.sum())
        if room - mass <= _SLIP * room:
            raise InfeasibleMassError(
                f"at a temperature above 0 the {words[1]} with an outside option must have more mass than the fixed "
                f"{words[0]}, found {room:.12g} for {mass:.12g}: somebody always stays outside; let the {words[1]} be "
                f"Fixed or AtMost, or the {words[0]} AtMost, Relaxed or WithOutsideOption"
            )


def _check_allowed(side: _Side) -> None:
    alone = np.flatnonzero((side.mass > 0) & ~side.allowed.any(axis=1))
    if alone.size:
        raise InfeasibleMassError(
            f"every {side.word} with a fixed mass must be allowed a {side.other_word} with mass, found none for "
            f"{_named(alone, side.word, side.name)} with {side.mass[alone].sum():.12g}: allow {_more_pairs(side)}"
        )


def _in_some_coupling(side: _Side) -> BoolArray:
    mass, capacity, allowed = side.mass, side.capacity, side.allowed
    if _is_surely_loose(side):
        return allowed
    flow = np.zeros(allowed.shape)
    most = min(_DUST * float(mass.sum()), 1e-6 * float(mass[mass > 0].min()))
    left, room = route(flow, allowed, mass, capacity * (1.0 + _SLIP), enough=0.1 * most)
    if left.sum() > most:
        raise InfeasibleMassError(_shortage(side, flow, left))
    label = _components(side, flow, room)
    rows, columns, outside = label[: mass.size], label[mass.size : -1], label[-1]
    full = np.flatnonzero((columns != outside) & (capacity > 0))
    if side.leaves_singles and full.size:
        raise InfeasibleMassError(
            f"at a temperature above 0 something of every {side.other_word} with an outside option must stay outside, "
            f"found nothing left of {_named(full, side.other_word, side.other_name)} in any coupling that serves the "
            f"{side.word}s: allow {_more_pairs(side)}, or let the {side.other_word}s be AtMost"
        )
    return np.asarray(allowed & (rows[:, None] == columns))


def _is_surely_loose(side: _Side) -> bool:
    """Return whether too little is forbidden for anything to be out of reach; see the notes of `usable_pairs`."""
    mass, capacity = side.mass, side.capacity
    usable = float((side.allowed @ capacity)[mass > 0].min()) / float(capacity.sum())
    reachable = float((mass @ side.allowed)[capacity > 0].min()) / float(mass.sum())
    return usable + reachable > 1.0 + 1e-6


def _least_flow(side: _Side) -> tuple[FloatArray, FloatArray]:
    """Return what a pair of each row and each column must carry, the smaller of the two, not to count as empty."""
    most = _DUST * float(side.mass.sum())
    share = 1e-3 / max(side.allowed.shape)  # something of any place's mass is above this share of it
    return np.minimum(most, share * side.mass), np.minimum(most, share * side.capacity)


def _links(side: _Side, flow: FloatArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return where links of the residual graph start and end: more may go anywhere, less where there is something."""
    row, column = np.nonzero(side.allowed)
    by_row, by_column = _least_flow(side)
    back = flow[row, column] > np.minimum(by_row[row], by_column[column])
    n = side.mass.size
    return np.concatenate([row, n + column[back]]), np.concatenate([n + column, row[back]])


def _components(side: _Side, flow: FloatArray, room: FloatArray) -> npt.NDArray[np.intp]:
    """Return the component of each row, each column and of what stays empty."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n, m = flow.shape
    tail, head = _links(side, flow)
    loose = np.flatnonzero(room > _least_flow(side)[1] + _SLIP * side.capacity)
    tail = np.concatenate([tail, np.full(m, n + m), n + loose])
    head = np.concatenate([head, n + np.arange(m), np.full(loose.size, n + m)])
    graph = csr_array((np.ones(tail.size, dtype=np.int8), (tail, head)), shape=(n + m + 1, n + m + 1))
    return np.asarray(connected_components(graph, connection="strong")[1])


def _shortage(side: _Side, flow: FloatArray, left: FloatArray) -> str:
    """Return which places cannot be served: all that compete with those who are left with something."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import breadth_first_order

    n, m = flow.shape
    tail, head = _links(side, flow)
    unserved = np.flatnonzero(left > 1e-3 * left.max())
    tail = np.concatenate([tail, np.full(unserved.size, n + m)])
    head = np.concatenate([head, unserved])
    graph = csr_array((np.ones(tail.size, dtype=np.int8), (tail, head)), shape=(n + m + 1, n + m + 1))
    reached = breadth_first_order(graph, n + m, return_predecessors=False)
    places = np.sort(reached[reached < n])
    taking = side.allowed[places].any(axis=0)
    others = np.flatnonzero(~taking & (side.capacity > 0))
    if isinstance(side.other, Fixed) and 0 < others.size < places.size:
        side, places = side.turned(), others
        taking = side.allowed[places].any(axis=0)
    wanted, room = float(side.mass[places].sum()), float(side.capacity[taking].sum())
    return (
        f"the {side.other_word}s that {side.word}s may use must have room for their mass, found {room:.12g} for the "
        f"{wanted:.12g} of {_named(places, side.word, side.name)}, {wanted - room:.6g} short: allow {_more_pairs(side)}"
    )


def _named(places: npt.NDArray[np.intp], word: str, name: Callable[[int], str]) -> str:
    shown = ", ".join(name(int(place)) for place in places[:_NAMED])
    more = f" and {places.size - _NAMED} more" if places.size > _NAMED else ""
    return f"{word}{'' if places.size == 1 else 's'} {shown}{more}"


def _more_pairs(side: _Side) -> str:
    if isinstance(side.other, Fixed):
        return f"more pairs, change the masses, or let the {side.word}s be Relaxed, or both sides AtMost"
    return f"more pairs, add capacity, or let the {side.word}s be AtMost, Relaxed or WithOutsideOption"
