"""Whether one score's AUROC is above another's on the same rows: DeLong's test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.metrics import checked_scores
from choicekit.errors import InvalidInputError

__all__ = ["AurocDifference", "compare_auroc"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class AurocDifference:
    """How much one AUROC is above another.

    Attributes
    ----------
    difference, standard_error : float
        nan where it cannot be told: with a single row of either kind.
    lower, upper : float
        Of the interval at `level`, by the normal law.
    p_value : float
        Of no difference, two-sided; 1 where scores rank rows alike.
    level : float
    """

    difference: float
    standard_error: float
    lower: float
    upper: float
    p_value: float
    level: float


def compare_auroc(
    scores: npt.ArrayLike, other: npt.ArrayLike, is_ood: npt.ArrayLike, *, level: float = 0.95
) -> AurocDifference:
    """Return how much the AUROC of `scores` is above that of `other`, on the same rows.

    Parameters
    ----------
    scores, other : array_like (N,)
        Larger = more out-of-distribution.
    is_ood : array_like of bool (N,)
    level : float
        Of the interval, between 0 and 1.

    Raises
    ------
    InvalidInputError
        As `evaluate_detection`; also where there are no rows of one kind, or for a level outside (0, 1).

    Notes
    -----
    The covariance of both AUROCs from the shares of rows of the other kind that each row is above, by midranks, in
    N log N steps.

    References
    ----------
    DeLong, DeLong & Clarke-Pearson (1988), "Comparing the areas under two or more correlated receiver operating
    characteristic curves", Biometrics 44. Sun & Xu (2014), "Fast implementation of DeLong's algorithm", IEEE Signal
    Processing Letters 21.

    Examples
    --------
    >>> is_ood = np.arange(8) >= 4
    >>> found = compare_auroc([1, 2, 3, 6, 4, 5, 7, 8], [1, 6, 3, 7, 4, 5, 2, 8], is_ood)
    >>> found.difference, round(found.p_value, 3)
    (0.3125, 0.16)
    """
    if not 0 < level < 1:
        raise InvalidInputError(f"level must be between 0 and 1, found {level!r}")
    tables = [checked_scores(values, is_ood) for values in (scores, other)]
    out = tables[0][1]
    n_out, n_in = int(out.sum()), int((~out).sum())
    if not n_out or not n_in:
        missing = "in-distribution" if not n_in else "out-of-distribution"
        raise InvalidInputError(f"an AUROC needs rows of both kinds, found no {missing} ones")
    above = [_shares_above(values, out) for values, _ in tables]
    difference = float(above[0][0].mean() - above[1][0].mean())
    if min(n_out, n_in) < 2:
        error = np.nan
    else:
        error = float(np.sqrt(sum(np.var(a - b, ddof=1) / a.size for a, b in zip(*above, strict=True))))
    return _with_interval(difference, error, level)


def _shares_above(values: FloatArray, out: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Return of how many in-distribution rows each OOD row is above, and of how many OOD rows each other is below."""
    from scipy.stats import rankdata

    ranks = rankdata(values)
    own_out, own_in = rankdata(values[out]), rankdata(values[~out])
    n_out, n_in = own_out.size, own_in.size
    return (ranks[out] - own_out) / n_in, 1.0 - (ranks[~out] - own_in) / n_out


def _with_interval(difference: float, error: float, level: float) -> AurocDifference:
    from scipy.special import ndtr, ndtri

    reach = float(ndtri(0.5 * (1.0 + level))) * error
    if error > 0:
        p_value = 2.0 * float(ndtr(-abs(difference) / error))
    else:
        p_value = float("nan") if np.isnan(error) else float(difference == 0)
    return AurocDifference(
        difference=difference,
        standard_error=error,
        lower=difference - reach,
        upper=difference + reach,
        p_value=p_value,
        level=level,
    )
