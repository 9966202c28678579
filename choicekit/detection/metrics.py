"""How well a score tells out-of-distribution rows from in-distribution ones, each number under its own name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "METRICS",
    "DetectionMetrics",
    "Metric",
    "Steps",
    "checked_scores",
    "evaluate_detection",
    "metrics_of",
    "steps_of",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_KEPT = 0.95


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One number that says how well a score tells rows apart.

    Attributes
    ----------
    name, title, meaning : str
    higher_is_better : bool
    """

    name: str
    title: str
    meaning: str
    higher_is_better: bool


_ALL = (
    Metric(
        name="auroc",
        title="AUROC",
        meaning="probability that an out-of-distribution row scores above an in-distribution one, ties half",
        higher_is_better=True,
    ),
    Metric(
        name="average_precision_ood",
        title="average precision, OOD positive",
        meaning="precision of flagging the highest scores, averaged over the recall of out-of-distribution rows",
        higher_is_better=True,
    ),
    Metric(
        name="average_precision_id",
        title="average precision, in-distribution positive",
        meaning="precision of keeping the lowest scores, averaged over the recall of in-distribution rows",
        higher_is_better=True,
    ),
    Metric(
        name="fpr95_id_kept",
        title="OOD accepted at 95 % kept",
        meaning="share of out-of-distribution rows that pass where at least 95 % of in-distribution rows do",
        higher_is_better=False,
    ),
    Metric(
        name="fpr95_ood_caught",
        title="in-distribution flagged at 95 % caught",
        meaning="share of in-distribution rows flagged where at least 95 % of out-of-distribution rows are",
        higher_is_better=False,
    ),
    Metric(
        name="detection_error",
        title="detection error",
        meaning="smallest mean of both error rates over all thresholds",
        higher_is_better=False,
    ),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})
"""Every metric by name, in the order of reports."""


@dataclass(frozen=True, kw_only=True)
class DetectionMetrics:
    """How well a score tells rows apart; larger scores are taken for out-of-distribution.

    Attributes
    ----------
    auroc, average_precision_ood, average_precision_id, fpr95_id_kept, fpr95_ood_caught, detection_error : float
        See `METRICS`; nan where one of both kinds of rows is missing.
    n_in, n_out : int
        In-distribution and out-of-distribution rows.
    note : str
        Why there are no metrics; empty where there are.
    """

    auroc: float
    average_precision_ood: float
    average_precision_id: float
    fpr95_id_kept: float
    fpr95_ood_caught: float
    detection_error: float
    n_in: int
    n_out: int
    note: str = ""

    def to_frame(self) -> pd.DataFrame:
        """Return a row a metric: its name, value, meaning and whether higher is better."""
        import pandas as pd

        rows = [(name, getattr(self, name), of.meaning, of.higher_is_better) for name, of in METRICS.items()]
        return pd.DataFrame(rows, columns=["metric", "value", "meaning", "higher_is_better"])


@dataclass(frozen=True, kw_only=True, eq=False)
class Steps:
    """Rows at each distinct score, from the highest to the lowest.

    Attributes
    ----------
    scores : ndarray (K,)
        Falling.
    n_in, n_out : ndarray (K,)
        How many rows of either kind have that score, or their weights.
    """

    scores: FloatArray
    n_in: FloatArray
    n_out: FloatArray


def evaluate_detection(scores: npt.ArrayLike, is_ood: npt.ArrayLike) -> DetectionMetrics:
    """Return how well scores tell out-of-distribution rows from in-distribution ones.

    Parameters
    ----------
    scores : array_like (N,)
        Larger = more out-of-distribution. Infinite ones are ranked like others; nan is refused.
    is_ood : array_like of bool (N,)

    Returns
    -------
    DetectionMetrics
        All nan, with a `note`, where there are no rows of one kind.

    Raises
    ------
    InvalidInputError
        For scores that are nan, or truth values that are none.
    ShapeError
        Unless both are one number a row.

    Notes
    -----
    A row is flagged where its score is at or above a threshold, so that tied rows are flagged together; thresholds are
    the scores themselves, and nothing is interpolated. ``fpr95_id_kept`` takes the highest threshold above the k-th
    smallest in-distribution score, k = ceil(0.95 n_in): what it lets pass of the out-of-distribution rows.
    ``fpr95_ood_caught`` takes the k-th largest out-of-distribution score, k = ceil(0.95 n_out): what that flags of the
    in-distribution rows. Average precision is sum (R_k - R_(k-1)) P_k over distinct scores. Computation is in float64
    and exact up to it: the same scores times 3 have the same metrics.

    References
    ----------
    Fawcett (2006), "An introduction to ROC analysis", Pattern Recognition Letters 27 (AUROC, ties). Liang, Li &
    Srikant (2018), "Enhancing the reliability of out-of-distribution image detection in neural networks", ICLR
    (detection error). Yang et al. (2024), "Generalized out-of-distribution detection: a survey", IJCV 132.

    Examples
    --------
    >>> found = evaluate_detection([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    >>> found.auroc, round(found.average_precision_ood, 4), found.detection_error
    (0.75, 0.8333, 0.25)
    """
    return metrics_of(steps_of(scores, is_ood))


def steps_of(scores: npt.ArrayLike, is_ood: npt.ArrayLike) -> Steps:
    """Return how many rows of either kind are at each distinct score.

    Examples
    --------
    >>> steps_of([2.0, 1.0, 2.0], [True, False, False]).n_in
    array([1., 1.])
    """
    values, out = checked_scores(scores, is_ood)
    inside, outside = np.sort(values[~out]), np.sort(values[out])
    distinct = np.unique(np.concatenate([_distinct(inside), _distinct(outside)]))
    n_in, n_out = (np.diff(np.searchsorted(side, distinct), append=side.size) for side in (inside, outside))
    return Steps(scores=distinct[::-1], n_in=n_in[::-1].astype(np.float64), n_out=n_out[::-1].astype(np.float64))


def _distinct(ordered: FloatArray) -> FloatArray:
    first = np.concatenate([np.ones(min(ordered.size, 1), dtype=bool), ordered[1:] != ordered[:-1]])
    return np.asarray(ordered[first])


def checked_scores(scores: npt.ArrayLike, is_ood: npt.ArrayLike) -> tuple[FloatArray, BoolArray]:
    """Return scores and truth values as arrays.

    Raises
    ------
    InvalidInputError, ShapeError
        As `evaluate_detection`.
    """
    values, out = as_floats(scores, "scores"), np.asarray(is_ood)
    if values.ndim != 1 or out.shape != values.shape:
        raise ShapeError(
            f"scores and is_ood must have one entry a row, (N,), found shapes {values.shape} and {out.shape}"
        )
    if out.dtype.kind != "b":
        if out.dtype.kind not in "iuf" or not np.all((out == 0) | (out == 1)):
            raise InvalidInputError("is_ood must be True or False (or 1 or 0) for every row")
        out = out.astype(bool)
    wrong = np.isnan(values)
    if wrong.any():
        row = int(wrong.argmax())
        raise InvalidInputError(f"scores must be numbers, found nan in row {row} (counted from 0): leave the row out")
    return values, out


def metrics_of(steps: Steps) -> DetectionMetrics:
    """Return the metrics of counted rows; counts may be weights.

    Examples
    --------
    >>> metrics_of(Steps(scores=np.array([1.0, 0.0]), n_in=np.array([1.0, 1.0]), n_out=np.array([2.0, 0.0]))).auroc
    0.75
    """
    n_in, n_out = float(steps.n_in.sum()), float(steps.n_out.sum())
    if n_in == 0 or n_out == 0:
        missing = "in-distribution" if n_in == 0 else "out-of-distribution"
        return _absent(n_in, n_out, f"there are no {missing} rows, which every metric needs")
    flagged_in, flagged_out = np.cumsum(steps.n_in), np.cumsum(steps.n_out)
    passed_in, passed_out = n_in - (flagged_in - steps.n_in), n_out - (flagged_out - steps.n_out)  # at or below
    below_out = flagged_out - steps.n_out  # out-of-distribution rows that score higher
    auroc = float(steps.n_in @ (below_out + 0.5 * steps.n_out)) / (n_in * n_out)
    errors = 0.5 * (flagged_in / n_in + (n_out - flagged_out) / n_out)
    kept = int(np.flatnonzero(passed_in >= _least(n_in))[-1])  # the lowest score up to which 95 % pass
    caught = int(np.argmax(flagged_out >= _least(n_out)))
    return DetectionMetrics(
        auroc=auroc,
        average_precision_ood=_average_precision(steps.n_out, flagged_out, flagged_in),
        average_precision_id=_average_precision(steps.n_in[::-1], passed_in[::-1], passed_out[::-1]),
        fpr95_id_kept=float(passed_out[kept]) / n_out,
        fpr95_ood_caught=float(flagged_in[caught]) / n_in,
        detection_error=min(float(errors.min()), 0.5),
        n_in=round(n_in),
        n_out=round(n_out),
    )


def _least(n: float) -> float:
    """Return how many of `n` are at least 95 %, whatever rounding makes of 0.95 n."""
    return float(np.ceil(_KEPT * n * (1.0 - 1e-12)))


def _average_precision(positive: FloatArray, found: FloatArray, wrong: FloatArray) -> float:
    held = positive > 0
    return float(np.sum(positive[held] * (found[held] / (found[held] + wrong[held])))) / float(positive.sum())


def _absent(n_in: float, n_out: float, note: str) -> DetectionMetrics:
    nothing: dict[str, Any] = dict.fromkeys(METRICS, float("nan"))
    return DetectionMetrics(**nothing, n_in=round(n_in), n_out=round(n_out), note=note)
