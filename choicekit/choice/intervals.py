"""Intervals of simulated shares, and whether they agree with the expected ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.errors import InvalidInputError

__all__ = ["CONFIDENCE", "ShareEstimate", "agreement_p_value", "estimate_shares"]

FloatArray = npt.NDArray[np.float64]

CONFIDENCE = 0.95
"""Confidence of every interval a result shows."""

SMALLEST_EXPECTED_COUNT = 5.0  # below it a count is too far from normal for a z-score


@dataclass(frozen=True, kw_only=True, eq=False)
class ShareEstimate:
    """Simulated shares and their simulation error.

    Attributes
    ----------
    share, standard_error, lower, upper : ndarray (..., J)
        Mean over replications, its standard error, and the 95 % interval, kept within 0 and 1.
    """

    share: FloatArray
    standard_error: FloatArray
    lower: FloatArray
    upper: FloatArray

    @property
    def half_width(self) -> FloatArray:
        """Half the length of the interval before it is kept within 0 and 1."""
        return np.asarray(np.maximum(self.upper - self.share, self.share - self.lower))


def estimate_shares(shares: FloatArray, known_variance: FloatArray) -> ShareEstimate:
    """Mean share over replications and its interval.

    Parameters
    ----------
    shares : ndarray (R, ..., J)
        Share of each alternative in each replication.
    known_variance : ndarray (..., J)
        Variance of one replication's share under the probabilities that were drawn from; used where R = 1.

    Returns
    -------
    ShareEstimate

    Raises
    ------
    InvalidInputError
        For no replications.

    Notes
    -----
    For R >= 2 the standard error is the standard deviation over replications divided by sqrt(R), with Student's t on
    R - 1 degrees of freedom; for R = 1 it is the one the law gives. This is simulation error alone: what more
    replications remove.

    Examples
    --------
    >>> estimate = estimate_shares(np.array([[0.4, 0.6], [0.6, 0.4]]), np.zeros(2))
    >>> estimate.share, estimate.standard_error.round(6)
    (array([0.5, 0.5]), array([0.1, 0.1]))
    """
    n = len(shares)
    if n < 1:
        raise InvalidInputError("shares need at least one replication")
    mean = shares.mean(axis=0)
    tail = 1 - (1 - CONFIDENCE) / 2
    if n == 1:
        error, quantile = np.sqrt(known_variance), float(special.ndtri(tail))
    else:
        error, quantile = shares.std(axis=0, ddof=1) / np.sqrt(n), float(special.stdtrit(n - 1, tail))
    half = quantile * error
    return ShareEstimate(
        share=mean, standard_error=error, lower=np.maximum(mean - half, 0.0), upper=np.minimum(mean + half, 1.0)
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
        Of the alternative that is furthest off, corrected for the number of alternatives by Sidak's rule: by its
        z-score, or where the expected count is below 5 by the Poisson probability of a count as large. 0 where
        something of probability zero was chosen; 1 where everything is certain.

    Examples
    --------
    >>> agreement_p_value(np.array([52.0, 48.0]), np.array([50.0, 50.0]), np.array([25.0, 25.0])) > 0.5
    True
    """
    if np.any((expected == 0) & (count > 0)):
        return 0.0
    # a sum of rare events has a Poisson's upper tail; what is nearly certain shows in what is chosen instead
    rare = (expected > 0) & (expected < SMALLEST_EXPECTED_COUNT)
    usual = (expected >= SMALLEST_EXPECTED_COUNT) & (variance > SMALLEST_EXPECTED_COUNT)
    rare_tails = np.minimum(1.0, 2 * special.gammainc(np.maximum(count[rare], 1.0), expected[rare]))
    rare_tails = np.where(count[rare] > 0, rare_tails, 1.0)
    usual_tails = 2 * special.ndtr(-np.abs(count - expected)[usual] / np.sqrt(variance[usual]))
    tails = np.concatenate([rare_tails, usual_tails])
    if not tails.size:
        return 1.0
    with np.errstate(divide="ignore"):  # a tail of probability 1 is allowed: the logarithm of 0 is meant
        return float(-np.expm1(tails.size * np.log1p(-tails.min())))
