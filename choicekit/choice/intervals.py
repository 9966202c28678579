"""Intervals of simulated shares, and whether they agree with the expected ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.errors import InvalidInputError

__all__ = [
    "CONFIDENCE",
    "ShareEstimate",
    "agreement_p_value",
    "dependent_variance",
    "estimate_shares",
    "half_width",
    "joint_degrees",
    "quantile",
    "two_sided_tail",
]

FloatArray = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""Confidence of every interval a result shows."""

CERTAIN = 1e-12  # expected counts are sums of probabilities, and zero only to rounding
SMALLEST_VARIANCE = 5.0  # of a count; below it the count is too far from normal for a z-score


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ShareEstimate:
    """Simulated shares and their simulation error.

    Attributes
    ----------
    share, standard_error, lower, upper : ndarray (..., J)
        Mean over replications, its standard error, and the 95 % interval, kept within 0 and 1.
    half_width : ndarray (..., J)
        Half the length of the interval before it is kept within 0 and 1.
    """

    share: FloatArray
    standard_error: FloatArray
    lower: FloatArray
    upper: FloatArray
    half_width: FloatArray

    def __repr__(self) -> str:
        return f"ShareEstimate(shares of shape {self.share.shape})"


def quantile(confidence: float, degrees: float = np.inf) -> float:
    """How many standard errors a two-sided interval reaches to either side.

    Parameters
    ----------
    confidence : float
        Between 0 and 1.
    degrees : float
        Degrees of freedom of the standard error; infinite where it is known.

    Examples
    --------
    >>> round(quantile(0.95), 3), round(quantile(0.95, 7), 3)
    (1.96, 2.365)
    """
    tail = 1 - (1 - confidence) / 2
    return float(special.ndtri(tail) if np.isinf(degrees) else special.stdtrit(degrees, tail))


def half_width(variance: FloatArray, replications: int | npt.NDArray[np.int64], degrees: float = np.inf) -> FloatArray:
    """Half the length of the 95 % interval of a share simulated so many times.

    Parameters
    ----------
    variance : ndarray (...)
        Variance of one replication's share.
    replications : int or ndarray (...)
        Number R of replications, at least 1.
    degrees : float
        Degrees of freedom of the variance; infinite where it is known.

    Returns
    -------
    ndarray (...)
        z * sqrt(variance / R), or with a quantile of Student's t.

    Examples
    --------
    >>> float(half_width(np.array(0.25), 100).round(3))
    0.098
    """
    return np.asarray(quantile(CONFIDENCE, degrees) * np.sqrt(variance / replications))


def dependent_variance(shares: FloatArray, independent: FloatArray, most_rows: int) -> tuple[FloatArray, float]:
    """Variance of one replication's share where an agent's rows depend on each other, and its degrees of freedom.

    Parameters
    ----------
    shares : ndarray (R, ...)
        Share, or change of a share, in each replication.
    independent : ndarray (...)
        The variance it would have if all rows were independent.
    most_rows : int
        Largest number T of rows of an agent.

    Returns
    -------
    variance : ndarray (...)
    degrees : float
        R - 1, or infinite for one replication.

    Notes
    -----
    It is estimated from the replications, and kept between the variance of independent rows and T times that. The upper
    bound is a law, as the variance of a sum of T terms is at most T times the sum of their variances; it is all there
    is to go by for a single replication. The lower one keeps few replications that agree by chance from claiming to be
    exact: what an agent's rows have in common makes shares vary more.

    Examples
    --------
    >>> variance, degrees = dependent_variance(np.array([[0.4], [0.6], [0.5]]), np.array([0.004]), 5)
    >>> variance.round(6), degrees
    (array([0.01]), 2.0)
    """
    if len(shares) < 2:
        return np.asarray(most_rows * independent), np.inf
    return np.clip(shares.var(axis=0, ddof=1), independent, most_rows * independent), len(shares) - 1.0


def estimate_shares(shares: FloatArray, variance: FloatArray, degrees: float = np.inf) -> ShareEstimate:
    """Mean share over replications and its interval.

    Parameters
    ----------
    shares : ndarray (R, ..., J)
        Share of each alternative in each replication.
    variance : ndarray (..., J)
        Of one replication's share under the probabilities that were drawn from.
    degrees : float
        Degrees of freedom of the variance; infinite where it is known.

    Returns
    -------
    ShareEstimate

    Raises
    ------
    InvalidInputError
        For no replications.

    Notes
    -----
    The standard error is the one the law gives, sqrt(variance / R), with a normal quantile. Where rows are independent
    it is not estimated from the replications: with few agents these may all agree by chance, and would then claim to be
    exact. Where they are not, see `dependent_variance`. This is simulation error alone: what more replications remove.

    Examples
    --------
    >>> estimate = estimate_shares(np.array([[0.4, 0.6], [0.6, 0.4]]), np.array([0.02, 0.02]))
    >>> estimate.share, estimate.standard_error.round(6)
    (array([0.5, 0.5]), array([0.1, 0.1]))
    """
    n = len(shares)
    if n < 1:
        raise InvalidInputError("shares need at least one replication")
    mean, half = shares.mean(axis=0), half_width(variance, n, degrees)
    return ShareEstimate(
        share=mean,
        standard_error=np.sqrt(variance / n),
        lower=np.maximum(mean - half, 0.0),
        upper=np.minimum(mean + half, 1.0),
        half_width=half,
    )


def joint_degrees(first: FloatArray, of_first: float, second: FloatArray, of_second: float) -> FloatArray:
    """Degrees of freedom of the sum of two variances, by Welch and Satterthwaite.

    Examples
    --------
    >>> joint_degrees(np.array([1.0, 0.0]), np.inf, np.array([1.0, 1.0]), 7.0)
    array([28.,  7.])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (first + second) ** 2 / (first**2 / of_first + second**2 / of_second)
    return np.where(np.isnan(found), np.inf, found)


def agreement_p_value(
    count: FloatArray,
    expected: FloatArray,
    variance: FloatArray,
    *,
    degrees: float | FloatArray = np.inf,
    slack: float | FloatArray = 0.0,
    most_rows: int = 1,
) -> float:
    """Probability of simulated counts as far from the expected ones, if they follow the probabilities.

    Parameters
    ----------
    count, expected, variance : ndarray (J,)
        Choices over all replications, their expectation and variance.
    degrees : float or ndarray (J,)
        Degrees of freedom of the variance; infinite where it is known.
    slack : float or ndarray (J,)
        How far the expectation may itself be off, where it is the result of an integration.
    most_rows : int
        Largest number of rows that depend on each other.

    Returns
    -------
    float
        Of the alternative that is furthest off, corrected for the number of alternatives by Sidak's rule. 0 where
        something of probability zero was chosen, or something certain was not.

    Notes
    -----
    An alternative is judged by its z-score (or Student's t), or where its variance is below 5 by a Poisson law for the
    rarer of being chosen and not being chosen: the sum of independent events has lighter tails, so this errs on the
    side of no alarm. Rows that depend on each other count as one event, at most all of them together.

    Examples
    --------
    >>> agreement_p_value(np.array([52.0, 48.0]), np.array([50.0, 50.0]), np.array([25.0, 25.0])) > 0.5
    True
    """
    total = expected.sum()
    rarer = expected <= total / 2
    few = np.asarray(np.where(rarer, count, total - count), dtype=np.float64)
    mean = np.where(rarer, expected, total - expected)
    # what is certain has a mean of zero but for rounding of the sums
    if np.any((mean + slack <= CERTAIN * total) & (few > 0.5)):
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        by_score = two_sided_tail((count - expected) / np.sqrt(variance), degrees)
    near = np.clip(few, np.maximum(mean - slack, 0.0), np.maximum(mean + slack, 0.0))
    by_number = _poisson_tails(few / most_rows if most_rows > 1 else np.rint(few), near / most_rows)
    tails = np.where(variance >= SMALLEST_VARIANCE * most_rows**2, by_score, by_number)
    with np.errstate(divide="ignore"):  # a tail of probability 1 is allowed: the logarithm of 0 is meant
        return float(-np.expm1(tails.size * np.log1p(-tails.min())))


def two_sided_tail(score: FloatArray, degrees: float | FloatArray = np.inf) -> FloatArray:
    """Probability of a score that is as far from zero, by the normal law or by Student's t.

    Examples
    --------
    >>> two_sided_tail(np.array([1.96, 1.96]), np.array([np.inf, 7.0])).round(3)
    array([0.05 , 0.091])
    """
    below, known = -np.abs(score), np.isinf(degrees)
    return np.asarray(2 * np.where(known, special.ndtr(below), special.stdtr(np.where(known, 1.0, degrees), below)))


def _poisson_tails(count: FloatArray, mean: FloatArray) -> FloatArray:
    """Twice the smaller tail of a Poisson law from `count` outwards, at most 1."""
    above = np.where(count > 0, special.gammainc(np.maximum(count, 1.0), mean), 1.0)
    below = special.gammaincc(count + 1.0, mean)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(above, below)))
