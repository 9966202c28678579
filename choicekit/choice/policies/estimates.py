"""Estimates of a change: simulated under common draws, over other agents, over other coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.intervals import CONFIDENCE
from choicekit.choice.policies.paired_tally import CaseTally, PairTally
from choicekit.choice.policies.row_sums import Layout, RowSums
from choicekit.errors import InvalidInputError

__all__ = ["ChangeEstimate", "Replicates", "check_confidence", "paired_variance", "replicates_of", "unpaired_variance"]

FloatArray = npt.NDArray[np.float64]

LEAST_ROWS = 10
"""Rows that a group needs for resamples of it to say anything: those of a single agent would all agree."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChangeEstimate:
    """The simulated change of shares and its simulation error, arrays of shape (C, A).

    Attributes
    ----------
    change : ndarray
        Mean over replications of the share under the policy minus that in the baseline.
    standard_error, lower, upper, half_width : ndarray
        Of the mean, and its interval.
    variance, unpaired_variance : ndarray
        Of one replication's change: under common draws, and as it would be under independent ones.
    degrees : float
        Degrees of freedom of the variance; infinite where it is known.
    """

    change: FloatArray
    standard_error: FloatArray
    lower: FloatArray
    upper: FloatArray
    half_width: FloatArray
    variance: FloatArray
    unpaired_variance: FloatArray
    degrees: float = np.inf

    def __repr__(self) -> str:
        return f"ChangeEstimate(changes of shape {self.change.shape})"

    @property
    def reduction(self) -> FloatArray:
        """How many times smaller common draws make the variance (C, A); nan where there is none, paired or not."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.unpaired_variance / self.variance)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Replicates:
    """What a comparison gives in each of B resamples of the agents, or draws of the coefficients.

    Attributes
    ----------
    share_change : ndarray (B, C, A)
        Change of expected shares.
    value_change : ndarray (B, C)
        Mean change in inclusive value.
    money_change : ndarray (B, C) or None
        Mean change in money.
    """

    share_change: FloatArray
    value_change: FloatArray
    money_change: FloatArray | None

    def __repr__(self) -> str:
        return f"Replicates({len(self.share_change)} of shape {self.share_change.shape[1:]})"

    @staticmethod
    def interval(replicates: FloatArray, confidence: float = CONFIDENCE) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper quantiles of one of the arrays along its first axis.

        Parameters
        ----------
        replicates : ndarray (B, ...)
            An aggregate in every resample or draw; those in which a group is empty (nan) are passed over.
        confidence : float
            Between 0 and 1.

        Returns
        -------
        lower, upper : ndarray (...)
            Of the aggregate itself: the quantiles of its replicates, never means of the quantiles of rows.

        Examples
        --------
        >>> lower, upper = Replicates.interval(np.linspace(-1, 1, 101), 0.9)
        >>> float(lower.round(6)), float(upper.round(6))
        (-0.9, 0.9)
        """
        tail = (1 - check_confidence(confidence)) / 2
        known = ~np.isnan(replicates).all(axis=0)
        safe = np.where(known, replicates, 0.0)
        quantile = np.nanquantile if np.isnan(safe).any() else np.quantile  # much faster
        lower, upper = quantile(safe, [tail, 1 - tail], axis=0)
        return np.where(known, lower, np.nan), np.where(known, upper, np.nan)


def check_confidence(confidence: float) -> float:
    """Return a confidence that is strictly between 0 and 1.

    Raises
    ------
    InvalidInputError
        For anything else.

    Examples
    --------
    >>> check_confidence(0.9)
    0.9
    """
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 < confidence < 1:
        raise InvalidInputError(f"confidence must be a number between 0 and 1 such as 0.95, found {confidence!r}")
    return float(confidence)


def replicates_of(
    sums: RowSums, policy: int, layout: Layout, *, money: bool, rows: npt.NDArray[np.int64] | None = None
) -> Replicates:
    """Return the replicates of one policy, counted from 0; with rows (C,), nan for groups too small to resample."""
    totals = sums.totals if rows is None else np.where(rows[:, None] >= LEAST_ROWS, sums.totals, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):  # a group may be empty in a resample
        before, after = (
            totals[..., layout.probability(case)] / totals[..., [layout.weight(case)]] for case in (0, policy + 1)
        )
        column = layout.pair_weight(policy)
        value, amount = (totals[..., column + step] / totals[..., column] for step in (1, 2))
    return Replicates(share_change=after - before, value_change=value, money_change=amount if money else None)


def paired_variance(before: CaseTally, after: CaseTally, pair: PairTally, replications: int) -> FloatArray:
    """Variance of one replication's change of shares under common draws, shape (C, A).

    Parameters
    ----------
    before, after : CaseTally
    pair : PairTally
    replications : int

    Returns
    -------
    ndarray (C, A)

    Notes
    -----
    A row contributes a y' - b y to the change of a share, y and y' telling whether the alternative is chosen before
    and under the policy, and a = w / W' and b = w / W. Its mean a p' - b p is known exactly. Its second moment needs
    the probabilities of moving to and from the alternative, g and l: g - l = p' - p is known, and what they have in
    common, the churn min(g, l), is counted over rows and replications.

        E (a y' - b y)^2 = b^2 (g + l) + 2 b (a - b) g + (a - b)^2 p'

    Moves to and moves from each tell the churn, the rarer of the two more sharply, so each is weighed by the number of
    the other: it is exactly 0 where moves go one way only, as they do where one alternative changes. It is at least 0,
    so a variance is never claimed to be smaller than the law allows, however few the replications, and is exactly 0
    where nothing changes.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = 1 / after.weight[:, None], 1 / before.weight[:, None]
        gained, lost = (pair.squared_switched.sum(axis=axis) / replications for axis in (1, 2))
        told = lost * (gained - pair.rise) + gained * (lost - pair.fall)
        churn = np.maximum(told, 0.0) / np.where(told > 0, gained + lost, 1.0)
        moved = pair.rise + pair.fall + 2 * churn - pair.squared_change
        shared = 2 * b * (a - b) * (pair.rise + churn - pair.cross) + (a - b) ** 2 * pair.after_variance
        alone = b**2 * (before.variance - pair.before_variance) + a**2 * (after.variance - pair.after_variance)
        return np.asarray(np.maximum(b**2 * moved + shared + alone, 0.0))


def unpaired_variance(before: CaseTally, after: CaseTally) -> FloatArray:
    """Variance of one replication's change of shares under independent draws, shape (C, A)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(after.variance / after.weight[:, None] ** 2 + before.variance / before.weight[:, None] ** 2)
