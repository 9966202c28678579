"""Thresholds one can defend: an order statistic, and the exact law of the rate that it leads to."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["RetentionThreshold", "calibration_of", "retention_threshold", "rows_needed"]

FloatArray = npt.NDArray[np.float64]

_ROUNDING = 1e-9  # (n + 1) retention is a whole number if it is one but for rounding


@dataclass(frozen=True, kw_only=True)
class RetentionThreshold:
    """A threshold that keeps at least a share of rows like those it was set on, on average.

    Attributes
    ----------
    value : float
        A row is flagged where its score is above.
    retention : float
        The share that was asked for.
    rank : int
        Which of the calibration scores it is, from the smallest, counted from 1.
    n : int
        Calibration scores.
    lower : float
        A row is flagged where its score is below this, too; minus infinity for a one-sided threshold.
    """

    value: float
    retention: float
    rank: int
    n: int
    lower: float = -math.inf

    @property
    def beta(self) -> tuple[int, int]:
        """Parameters of the Beta law of the share of new rows that is flagged, over calibration sets."""
        flagged = (self.n + 1 - self.rank) * (1 if self.lower == -math.inf else 2)
        return flagged, self.n + 1 - flagged

    @property
    def expected_rate(self) -> float:
        """Mean of the share of new rows that is flagged."""
        return self.beta[0] / (self.n + 1)

    def rate_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return where the flagged share of new rows lies for this share of calibration sets, tails alike."""
        from scipy.stats import beta

        lower, upper = beta.interval(level, *self.beta)
        return float(lower), float(upper)

    def flags(self, scores: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which rows are flagged."""
        values = as_floats(scores, "scores")
        return np.asarray((values > self.value) | (values < self.lower))


def retention_threshold(
    calibration_scores: npt.ArrayLike, retention: float = 0.95, *, sides: str = "upper"
) -> RetentionThreshold:
    """Return the smallest calibration score that keeps at least a share of new rows on average.

    Parameters
    ----------
    calibration_scores : array_like (n,)
        Of in-distribution rows that nothing was fitted to; larger = more out-of-distribution.
    retention : float
        Share to be kept, between 0 and 1.
    sides : {"upper", "both"}
        Whether rows that are more familiar than nearly all are flagged, too: half of the rest on each side.

    Returns
    -------
    RetentionThreshold

    Raises
    ------
    InvalidInputError
        Where there are too few scores for the retention (the message says how many are needed), for scores that are
        nan, a retention outside (0, 1), or other sides.

    Notes
    -----
    The k-th smallest of n scores, k = ceil((n + 1) retention). Where these and the scores of new rows are exchangeable
    and have no ties, the share of new rows above is Beta(n + 1 - k, k) distributed over calibration sets, and
    (n + 1 - k) / (n + 1) on average, which is at most 1 - retention; with ties it is no more. On both sides,
    k = ceil((n + 1) (1 + retention) / 2) and the k-th largest as well: Beta(2 (n + 1 - k), n + 1 - 2 (n + 1 - k)).

    References
    ----------
    Wilks (1941), "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics 12.
    Vovk (2012), "Conditional validity of inductive conformal predictors", ACML, proposition 2.

    Examples
    --------
    >>> found = retention_threshold(np.arange(99.0), 0.95)
    >>> found.value, found.expected_rate, [round(end, 3) for end in found.rate_interval()]
    (94.0, 0.05, [0.017, 0.1])
    """
    ordered = calibration_of(calibration_scores)
    if sides not in ("upper", "both"):
        raise InvalidInputError(f"sides must be 'upper' or 'both', found {sides!r}")
    needed = rows_needed(retention, sides=sides)
    if ordered.size < needed:
        raise InvalidInputError(
            f"a retention of {retention:g} needs at least {needed:,} calibration rows, found {ordered.size:,}: give "
            "more rows, or a lower retention"
        )
    n, tail = ordered.size, retention if sides == "upper" else 0.5 * (1.0 + retention)
    rank = math.ceil((n + 1) * tail - _ROUNDING)
    return RetentionThreshold(
        value=float(ordered[rank - 1]),
        retention=float(retention),
        rank=rank,
        n=n,
        lower=-math.inf if sides == "upper" else float(ordered[n - rank]),
    )


def rows_needed(retention: float, *, sides: str = "upper") -> int:
    """Return how many calibration rows a retention needs at least.

    Raises
    ------
    InvalidInputError
        For a retention outside (0, 1).

    Examples
    --------
    >>> rows_needed(0.95), rows_needed(0.99), rows_needed(0.95, sides="both")
    (19, 99, 39)
    """
    found = np.asarray(retention)
    if found.ndim != 0 or found.dtype.kind not in "iuf" or not 0 < found < 1:
        raise InvalidInputError(f"retention must be between 0 and 1, found {retention!r}")
    tail = float(retention) if sides == "upper" else 0.5 * (1.0 + float(retention))
    return math.ceil(tail / (1.0 - tail) - _ROUNDING)


def calibration_of(scores: npt.ArrayLike) -> FloatArray:
    """Return calibration scores in rising order.

    Raises
    ------
    InvalidInputError, ShapeError
        Unless they are numbers, one a row.
    """
    values = as_floats(scores, "calibration scores")
    if values.ndim != 1:
        raise ShapeError(f"calibration scores must be one number a row, (n,), found shape {values.shape}")
    if np.isnan(values).any():
        row = int(np.isnan(values).argmax())
        raise InvalidInputError(f"calibration scores must be numbers, found nan in row {row} (counted from 0)")
    return np.sort(values)
