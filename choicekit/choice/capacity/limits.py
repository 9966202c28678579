"""Capacities by alternative, and whether all who choose fit in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Choosers, Crowd
from choicekit.errors import InfeasibleMassError, InvalidInputError
from choicekit.suggestions import suggest

__all__ = ["check_room", "read_capacity"]

FloatArray = npt.NDArray[np.float64]

_MOST_BITS = 62  # alternatives whose availability fits in a word
_SLACK = 1e-9  # relative: demand this little above room is rounding


def read_capacity(capacity: Mapping[str, float], alternatives: tuple[str, ...]) -> FloatArray:
    """Return capacities by position, infinity where there is no limit.

    Raises
    ------
    InvalidInputError
        For an unknown alternative, or a capacity that is no number of at least 0.

    Examples
    --------
    >>> read_capacity({"train": 40}, ("walk", "train"))
    array([inf, 40.])
    """
    if not isinstance(capacity, Mapping) or not capacity:
        raise InvalidInputError(f"capacity must be numbers by alternative, found {capacity!r}")
    found = np.full(len(alternatives), np.inf)
    for name, number in capacity.items():
        if name not in alternatives:
            hint = suggest(str(name), alternatives) or f"there are {', '.join(alternatives)}"
            raise InvalidInputError(f"capacity names an unknown alternative {name!r}, {hint}")
        usable = isinstance(number, int | float | np.number) and not isinstance(number, bool)
        if not usable or np.isnan(number) or number < 0:
            raise InvalidInputError(
                f"capacity must be a number of at least 0, found {number!r} for {name!r}: leave out an alternative "
                "without limit"
            )
        found[alternatives.index(name)] = float(number)
    return found


def check_room(crowd: Crowd, capacity: FloatArray, alternatives: tuple[str, ...]) -> None:
    """Make sure that everybody fits in somewhere that is available to them.

    Parameters
    ----------
    crowd : Crowd
    capacity : ndarray (J,)
        Infinity where there is no limit.
    alternatives : tuple of str

    Raises
    ------
    InfeasibleMassError
        Where some alternatives are all that some have, and take fewer: with the alternatives and the shortfall.

    Notes
    -----
    Those with something unlimited available always fit in. The others are counted by what they have available, and a
    largest flow from these sets to the alternatives says how many fit in. Above 62 alternatives only totals are
    compared.
    """
    limited = np.flatnonzero(np.isfinite(capacity))
    if limited.size > _MOST_BITS:
        limited = limited[:0]
    weights = _bound(crowd, capacity, limited)
    if not weights:
        return
    sets = [np.array([bool(code >> place & 1) for place in range(limited.size)]) for code in weights]
    demand, room = np.array([*weights.values()]), capacity[limited]
    short, together = _shortfall(np.array(sets), demand, room)
    if short > _SLACK * demand.sum():
        names = [alternatives[place] for place in limited[together]]
        held = float(room[together].sum())
        raise InfeasibleMassError(
            f"capacity of {_listed(names)} is {held:g} in all, but {held + short:g} can choose nothing else: "
            f"{short:g} too few; raise a capacity, or add an alternative without one, such as staying at home"
        )


def _bound(crowd: Crowd, capacity: FloatArray, limited: npt.NDArray[np.intp]) -> dict[int, float]:
    """Weight of those who have only limited alternatives, by a bit for each of these that they have."""
    if not limited.size:
        return {}
    bits = 1 << np.arange(limited.size, dtype=np.int64)
    unlimited = ~np.isfinite(capacity)

    def count(choosers: Choosers) -> _Counts:
        has = choosers.utility > -np.inf
        stuck = ~has[:, unlimited].any(axis=1)
        codes, where = np.unique(has[stuck][:, limited] @ bits, return_inverse=True)
        return _Counts(dict(zip(codes.tolist(), np.bincount(where, choosers.weights[stuck]).tolist(), strict=True)))

    return crowd.merged("looking at availability", count).weights


class _Counts:
    """Weights by what is available, which add up."""

    def __init__(self, weights: dict[int, float]) -> None:
        self.weights = weights

    def merge(self, other: _Counts) -> _Counts:
        """Return the weights over these rows and the rows right after them."""
        keys = [*self.weights, *(key for key in other.weights if key not in self.weights)]
        return _Counts({key: self.weights.get(key, 0.0) + other.weights.get(key, 0.0) for key in keys})


def _shortfall(
    sets: npt.NDArray[np.bool_], demand: FloatArray, room: FloatArray
) -> tuple[float, npt.NDArray[np.bool_]]:
    """Return how much does not fit in, and the alternatives that are then too small together."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, vstack

    group, place = np.nonzero(sets)
    edges = np.arange(group.size)
    by_group = coo_array((np.ones(group.size), (group, edges)), shape=(len(demand), group.size))
    by_place = coo_array((np.ones(group.size), (place, edges)), shape=(len(room), group.size))

    limits = np.concatenate([demand, room])
    scale = max(float(demand.sum()), 1e-300)
    found: Any = linprog(-np.ones(group.size), A_ub=vstack([by_group, by_place]).tocsr(), b_ub=limits / scale)  # type: ignore[call-overload]
    # the smallest cut: alternatives whose room has a price
    tight = -np.asarray(found.ineqlin.marginals)[len(demand) :] > 0.5
    return float(demand.sum() + found.fun * scale), tight


def _listed(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]} together"
