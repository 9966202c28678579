"""What was observed: matches by pair and, where a side has an outside option, singles."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Fixed, MarginalCondition, WithOutsideOption, is_finite_number
from choicekit.assignment.problem import check_equal_totals
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["Observations", "observe"]

FloatArray = npt.NDArray[np.float64]

_ROUNDING = 1e-9  # of a mass: singles that are fewer than none by less are none


@dataclass(frozen=True, kw_only=True, eq=False)
class Observations:
    """Observed matches and singles, in units of the masses.

    Attributes
    ----------
    pairs : ndarray (n, m)
    row_singles, column_singles : ndarray (n,), (m,)
        0 where a side has no outside option.
    number : float or None
        How many independent observations there are, singles included; None where that is not known.
    """

    pairs: FloatArray
    row_singles: FloatArray
    column_singles: FloatArray
    number: float | None

    @property
    def outcomes(self) -> FloatArray:
        """All of it in one vector: pairs row by row, singles of rows, singles of columns."""
        return np.concatenate([self.pairs.reshape(-1), self.row_singles, self.column_singles])

    @property
    def total(self) -> float:
        """Mass of all outcomes."""
        return float(self.outcomes.sum())

    @property
    def weight(self) -> float:
        """What log-likelihoods are multiplied by: the number of observations or, where that is not known, the mass."""
        return self.total if self.number is None else self.number

    def scaled(self, factor: float) -> Observations:
        """Return the same observations in other units of mass."""
        return replace(
            self,
            pairs=self.pairs * factor,
            row_singles=self.row_singles * factor,
            column_singles=self.column_singles * factor,
        )

    def with_outcomes(self, outcomes: FloatArray, number: float | None) -> Observations:
        """Return other observations of the same places."""
        n, m = self.pairs.shape
        pairs, row_singles, column_singles = np.split(outcomes, [n * m, n * m + n])
        return Observations(
            pairs=pairs.reshape(n, m), row_singles=row_singles, column_singles=column_singles, number=number
        )


def observe(
    observed: npt.ArrayLike,
    rows: MarginalCondition | None,
    columns: MarginalCondition | None,
    number: float | None,
) -> Observations:
    """Check observed matches, put them in units of the masses, and add the singles.

    Parameters
    ----------
    observed : array_like (n, m)
    rows, columns : MarginalCondition or None
        None where the masses are the observed sums.
    number : float or None
        Of independent observations; None for the sum of the counts.

    Raises
    ------
    InvalidInputError, ShapeError
        For tables that are no matches; the message names the pair.

    Notes
    -----
    Where the masses of a side are `Fixed`, they say what all matches weigh, and `observed` is scaled to it. Elsewhere
    it must be in units of the masses.

    Examples
    --------
    >>> observe([[1, 2], [0, 1]], None, WithOutsideOption([2.0, 3.0]), None).column_singles
    array([1., 0.])
    """
    pairs = _checked_table(observed)
    factor, n_matches = 1.0, float(pairs.sum())
    for condition, size, side in ((rows, pairs.shape[0], "rows"), (columns, pairs.shape[1], "columns")):
        if condition is not None and condition.mass is not None and condition.mass.size != size:
            raise ShapeError(
                f"the {side} of observed and their masses must be as many, found {size} {side} and "
                f"{condition.mass.size} masses"
            )
        if isinstance(condition, Fixed):
            factor = float(condition.mass.sum()) / n_matches
    if rows is not None and columns is not None:
        check_equal_totals(rows, columns, "scale one to the other, or leave out rows and columns for the observed sums")
    counted = bool(np.all(pairs == np.rint(pairs)))
    scaled = pairs * factor if factor != 1.0 else pairs
    found = Observations(
        pairs=scaled,
        row_singles=_singles(rows, scaled.sum(axis=1), "row"),
        column_singles=_singles(columns, scaled.sum(axis=0), "column"),
        number=None,
    )
    if number is None:
        return replace(found, number=found.total / factor if counted else None)
    if not (is_finite_number(number) and number > 0):
        raise InvalidInputError(f"observations must be a finite number above 0, found {number!r}")
    return replace(found, number=float(number))


def _checked_table(observed: npt.ArrayLike) -> FloatArray:
    found = np.array(as_floats(observed, "observed"))
    if found.ndim != 2 or 0 in found.shape:
        raise ShapeError(f"observed must have a row and a column for each place, (n, m), found shape {found.shape}")
    wrong = np.argwhere(~(np.isfinite(found) & (found >= 0)))
    if wrong.size:
        row, column = (int(place) for place in wrong[0])
        raise InvalidInputError(
            f"observed must be finite numbers of at least 0, found {found[row, column]} in row {row}, column {column}: "
            "a pair that was never matched has 0"
        )
    if not found.sum() > 0:
        raise InvalidInputError(
            f"observed must hold a match, found {found.shape[0]} x {found.shape[1]} zeros: there is nothing to fit"
        )
    return found


def _singles(condition: MarginalCondition | None, sums: FloatArray, side: str) -> FloatArray:
    if condition is None or condition.mass is None:
        return np.zeros(sums.size)
    mass = condition.mass
    lost = np.flatnonzero((mass == 0) & (sums > 0))
    if lost.size:
        raise InvalidInputError(
            f"matches must be of places that have mass, found {sums[lost[0]]:.6g} in {side} {lost[0]}, whose mass is "
            f"0: give it mass, or leave its matches out"
        )
    if not isinstance(condition, WithOutsideOption):
        return np.zeros(sums.size)
    singles = mass - sums
    wrong = np.flatnonzero(singles < -_ROUNDING * mass)
    if wrong.size:
        raise InvalidInputError(
            f"singles are what masses have more than matches, found a mass of {mass[wrong[0]]:.6g} and matches of "
            f"{sums[wrong[0]]:.6g} in {side} {wrong[0]}: observed must be in units of the masses, and at most these"
        )
    return np.maximum(singles, 0.0)
