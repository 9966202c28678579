"""What `fit_assignment` asks of its arguments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Fixed, MarginalCondition
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.response import Response
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["available_pairs", "basis_functions", "check_matches_possible", "check_whole", "names_of", "side_condition"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def basis_functions(basis: npt.ArrayLike, shape: tuple[int, int], availability: BoolArray | None) -> FloatArray:
    """Return the basis as an array (K, n, m), 0 where pairs are forbidden."""
    found = np.array(as_floats(basis, "basis"))
    if found.ndim != 3 or len(found) == 0 or found.shape[1:] != shape:
        way_out = ": put the single table in a list" if found.shape == shape else ""
        raise ShapeError(
            f"basis must have a table like observed for each coefficient, (K, {shape[0]}, {shape[1]}) with K >= 1, "
            f"found shape {found.shape}{way_out}"
        )
    if availability is not None:
        found[:, ~availability] = 0.0
    wrong = np.argwhere(~np.isfinite(found))
    if wrong.size:
        k, row, column = (int(place) for place in wrong[0])
        raise InvalidInputError(
            f"basis must be finite, found {found[k, row, column]} in function {k}, row {row}, column {column}: a pair "
            "that cannot be is forbidden by availability=False"
        )
    return found


def names_of(names: Sequence[str] | None, number: int, what: str) -> tuple[str, ...]:
    """Return names of coefficients, by default their numbers."""
    if names is None:
        return tuple(f"{what}_{k + 1}" for k in range(number))
    found = tuple(str(name) for name in names)
    if len(found) != number:
        raise ShapeError(f"names must be one a basis function, found {len(found)} names and {number} functions")
    if len(set(found)) != number:
        twice = next(name for name in found if found.count(name) > 1)
        raise InvalidInputError(f"names must be distinct, found '{twice}' {found.count(twice)} times")
    return found


def available_pairs(availability: npt.ArrayLike | None, observed: FloatArray) -> BoolArray | None:
    """Return which pairs are allowed, None for all."""
    if availability is None:
        return None
    found = np.asarray(availability)
    if found.dtype != np.bool_ or found.shape != observed.shape:
        raise ShapeError(
            f"availability must be True or False for each pair, {observed.shape}, found {found.dtype} of shape "
            f"{found.shape}"
        )
    wrong = np.argwhere(~found & (observed > 0))
    if wrong.size:
        row, column = (int(place) for place in wrong[0])
        raise InvalidInputError(
            f"matches must be of pairs that are available, found {observed[row, column]:.6g} in row {row}, column "
            f"{column}, which is not: set its availability to True, or take the match out"
        )
    return None if found.all() else found


def side_condition(given: MarginalCondition | npt.ArrayLike | None) -> MarginalCondition | None:
    """Return the condition on a side; masses alone mean `Fixed`."""
    if isinstance(given, type):
        raise InvalidInputError(f"a condition must be made first: {given.__name__}(...), found the class")
    return (
        given if given is None or isinstance(given, MarginalCondition) else Fixed(as_floats(given, "the mass of Fixed"))
    )


def check_whole(value: int, least: int, name: str) -> int:
    """Return a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InvalidInputError(f"{name} must be a whole number of at least {least}, found {value!r}")
    return int(value)


def check_matches_possible(neutral: Response, observed: FloatArray) -> None:
    """Raise where a match was observed that no coupling with these masses can hold."""
    wrong = np.argwhere((neutral.result.coupling == 0) & (observed > 0))
    if wrong.size:
        row, column = (int(place) for place in wrong[0])
        model: MatchingModel = neutral.model
        raise InvalidInputError(
            f"matches must be possible under the conditions, found {observed[row, column]:.6g} in row {row}, column "
            f"{column}, where every coupling with these masses has 0: "
            + ("allow more pairs" if model.availability is not None else "change the masses")
        )
