"""Intervals of simulated shares, and whether they agree with the expected ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.errors import InvalidInputError

__all__ = ["CONFIDENCE", "ShareEstimate", "agreement_p_value", "estimate_shares", "half_width"]

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


def half_width(variance: FloatArray, replications: int | npt.NDArray[np.int64]) -> FloatArray:
    """Half the length of the 95 % interval of a share simulated so many times.

    Parameters
    ----------
    variance : ndarray (...)
        Variance of one replication's share.
    replications : int or ndarray (...)
        Number R of replications, at least 1.

    Returns
    -------
    ndarray (...)
        z * sqrt(variance / R).

    Examples
    --------
    >>> float(half_width(np.array(0.25), 100).round(3))
    0.098
    """
    return np.asarray(float(special.ndtri(1 - (1 - CONFIDENCE) / 2)) * np.sqrt(variance / replications))


def estimate_shares(shares: FloatArray, known_variance: FloatArray) -> ShareEstimate:
    """Mean share over replications and its interval.

    Parameters
    ----------
    shares : ndarray (R, ..., J)
        Share of each alternative in each replication.
    known_variance : ndarray (..., J)
        Variance of one replication's share under the probabilities that were drawn from.

    Returns
    -------
    ShareEstimate

    Raises
    ------
    InvalidInputError
        For no replications.

    Notes
    -----
    The standard error is the one the law gives, sqrt(variance / R), with a normal quantile. It is not estimated from
    the replications: with few agents these may all agree by chance, and would then claim to be exact. This is
    simulation error alone: what more replications remove.

    Examples
    --------
    >>> estimate = estimate_shares(np.array([[0.4, 0.6], [0.6, 0.4]]), np.array([0.02, 0.02]))
    >>> estimate.share, estimate.standard_error.round(6)
    (array([0.5, 0.5]), array([0.1, 0.1]))
    """
    n = len(shares)
    if n < 1:
        raise InvalidInputError("shares need at least one replication")
    mean, half = shares.mean(axis=0), half_width(known_variance, n)
    return ShareEstimate(
        share=mean,
        standard_error=np.sqrt(known_variance / n),
        lower=np.maximum(mean - half, 0.0),
        upper=np.minimum(mean + half, 1.0),
        half_width=half,
    )


def agreement_p_value(count: FloatArray, expected: FloatArray, variance: FloatArray) -> float:
    """Probability of simulated counts as far from the expected ones, if they follow the probabilities.

    Parameters
    ----------
    count, expected, variance : ndarray (J,)
        Choices over all replications, their expectation and variance.

    Returns
    -------
    float
        Of the alternative that is furthest off, corrected for the number of alternatives by Sidak's rule. 0 where
        something of probability zero was chosen, or something certain was not.

    Notes
    -----
    An alternative is judged by its z-score, or where its variance is below 5 by a Poisson law for the rarer of being
    chosen and not being chosen: the sum of independent events has lighter tails, so this errs on the side of no alarm.

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
    if np.any((mean <= CERTAIN * total) & (few > 0.5)):
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        by_score = 2 * special.ndtr(-np.abs(count - expected) / np.sqrt(variance))
    tails = np.where(variance >= SMALLEST_VARIANCE, by_score, _poisson_tails(np.rint(few), np.maximum(mean, 0.0)))
    with np.errstate(divide="ignore"):  # a tail of probability 1 is allowed: the logarithm of 0 is meant
        return float(-np.expm1(tails.size * np.log1p(-tails.min())))


def _poisson_tails(count: FloatArray, mean: FloatArray) -> FloatArray:
    """Twice the smaller tail of a Poisson law from `count` outwards, at most 1."""
    above = np.where(count > 0, special.gammainc(np.maximum(count, 1.0), mean), 1.0)
    below = special.gammaincc(count + 1.0, mean)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(above, below)))
