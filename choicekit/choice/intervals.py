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
        Of the largest z-score, corrected for the number of alternatives by Sidak's rule. 0 where something of
        probability zero was chosen; 1 where every count is too small to tell (expectation below 5) or certain.

    Examples
    --------
    >>> agreement_p_value(np.array([52.0, 48.0]), np.array([50.0, 50.0]), np.array([25.0, 25.0])) > 0.5
    True
    """
    if np.any((expected == 0) & (count > 0)):
        return 0.0
    told = (expected >= SMALLEST_EXPECTED_COUNT) & (variance > SMALLEST_EXPECTED_COUNT)
    if not np.any(told):
        return 1.0
    largest = np.max(np.abs(count - expected)[told] / np.sqrt(variance[told]))
    with np.errstate(divide="ignore"):  # a z-score of 0 has probability 1: the logarithm of 0 is meant
        return float(-np.expm1(told.sum() * np.log1p(-2 * special.ndtr(-largest))))
