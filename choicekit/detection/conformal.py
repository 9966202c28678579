"""Split-conformal p-values of single rows, and which of a batch to look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.detection.thresholds import calibration_of
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["benjamini_hochberg", "conformal_p_values", "p_values_by_group"]

FloatArray = npt.NDArray[np.float64]


def conformal_p_values(calibration_scores: npt.ArrayLike, scores: npt.ArrayLike, *, sides: str = "upper") -> FloatArray:
    """Return how likely a known row has at least such a score: small = out-of-distribution.

    Parameters
    ----------
    calibration_scores : array_like (n,)
        Of in-distribution rows that nothing was fitted to; larger = more out-of-distribution.
    scores : array_like (...)
        Of new rows.
    sides : {"upper", "both"}
        With ``"both"`` twice the smaller of both tails, at most 1.

    Returns
    -------
    ndarray (...)
        From 1 / (n + 1) to 1.

    Raises
    ------
    InvalidInputError
        For scores that are nan, or no calibration scores.

    Notes
    -----
    p = (1 + #{calibration >= s}) / (n + 1). Where a row is exchangeable with the calibration rows, P(p <= a) <= a for
    every a, ties or not.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), "Algorithmic learning in a random world", section 2.2. Bates, Candes, Lei, Romano &
    Sesia (2023), "Testing for outliers with conformal p-values", Annals of Statistics 51.

    Examples
    --------
    >>> conformal_p_values([1.0, 2.0, 3.0], [0.0, 2.0, 9.0])
    array([1.  , 0.75, 0.25])
    """
    ordered, values = calibration_of(calibration_scores), as_floats(scores, "scores")
    if not ordered.size:
        raise InvalidInputError("p-values need at least one calibration row, found none")
    if sides not in ("upper", "both"):
        raise InvalidInputError(f"sides must be 'upper' or 'both', found {sides!r}")
    if np.isnan(values).any():
        raise InvalidInputError(f"scores must be numbers, found nan in row {int(np.isnan(values).argmax())}")
    n = ordered.size
    above = (1.0 + n - np.searchsorted(ordered, values, side="left")) / (n + 1.0)
    if sides == "upper":
        return np.asarray(above, dtype=np.float64)
    below = (1.0 + np.searchsorted(ordered, values, side="right")) / (n + 1.0)
    return np.asarray(np.minimum(1.0, 2.0 * np.minimum(above, below)), dtype=np.float64)


def p_values_by_group(
    calibration_scores: npt.ArrayLike,
    calibration_groups: npt.ArrayLike,
    scores: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    sides: str = "upper",
) -> FloatArray:
    """Return conformal p-values against the calibration rows of each row's own group.

    Parameters
    ----------
    calibration_scores, calibration_groups : array_like (n,)
    scores, groups : array_like (N,)
    sides
        As `conformal_p_values`.

    Raises
    ------
    InvalidInputError
        For a group without calibration rows, which is named.
    ShapeError
        Unless there is a group for each score.

    Examples
    --------
    >>> p_values_by_group([1.0, 2.0, 9.0], ["a", "a", "b"], [5.0, 5.0], ["a", "b"]).round(3)
    array([0.333, 1.   ])
    """
    known, names = np.asarray(calibration_groups), np.asarray(groups)
    reference, values = as_floats(calibration_scores, "calibration scores"), as_floats(scores, "scores")
    if known.shape != reference.shape or names.shape != values.shape or values.ndim != 1:
        raise ShapeError("there must be one group for each score")
    found = np.empty(values.shape)
    for name in np.unique(names):
        own = known == name
        if not own.any():
            raise InvalidInputError(f"group {str(name)!r} has no calibration rows: add some, or leave groups out")
        found[names == name] = conformal_p_values(reference[own], values[names == name], sides=sides)
    return found


def benjamini_hochberg(p_values: npt.ArrayLike, rate: float = 0.1) -> npt.NDArray[np.bool_]:
    """Return which rows of a batch are discoveries, of which at most a share is false on average.

    Parameters
    ----------
    p_values : array_like (N,)
    rate : float
        Of false discoveries, between 0 and 1.

    Raises
    ------
    InvalidInputError
        For p-values outside [0, 1], or a rate outside (0, 1).

    Notes
    -----
    Rows up to the largest k with p_(k) <= rate k / N. Conformal p-values of one calibration set depend on each other
    positively, under which the false discovery rate stays at most `rate` (Bates et al. 2023, theorem 2).

    References
    ----------
    Benjamini & Hochberg (1995), "Controlling the false discovery rate", Journal of the Royal Statistical Society B 57.

    Examples
    --------
    >>> benjamini_hochberg([0.001, 0.8, 0.03, 0.02], 0.05)
    array([ True, False,  True,  True])
    """
    p = as_floats(p_values, "p_values")
    if p.ndim != 1 or not np.all((p >= 0) & (p <= 1)):
        raise InvalidInputError("p_values must be one number from 0 to 1 a row")
    if not 0 < rate < 1:
        raise InvalidInputError(f"the rate of false discoveries must be between 0 and 1, found {rate!r}")
    ordered = np.sort(p)
    meets = np.flatnonzero(ordered <= rate * np.arange(1, p.size + 1) / max(p.size, 1))
    return np.asarray(p <= ordered[meets[-1]]) if meets.size else np.zeros(p.shape, dtype=bool)
