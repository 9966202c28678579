"""Receiver operating characteristic and precision-recall of a score, one point for each distinct score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.detection.metrics import Steps, steps_of
from choicekit.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DetectionCurves", "curves_of", "detection_curves", "precision_at", "true_positive_rate_at"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionCurves:
    """What flagging every row at or above a threshold does, for falling thresholds.

    Attributes
    ----------
    thresholds : ndarray (K,)
        The distinct scores, from the highest.
    false_positive_rate : ndarray (K,)
        Share of in-distribution rows that are flagged.
    true_positive_rate : ndarray (K,)
        Share of out-of-distribution rows that are flagged: the recall.
    precision : ndarray (K,)
        Share of flagged rows that are out-of-distribution.
    """

    thresholds: FloatArray
    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    precision: FloatArray

    def __repr__(self) -> str:
        return f"DetectionCurves({self.thresholds.size:,} thresholds)"

    def thinned(self, n: int) -> DetectionCurves:
        """Return at most about `n` of the points, evenly along the ROC, both ends among them."""
        if n < 2:
            raise InvalidInputError(f"a curve needs at least 2 points, found {n!r}")
        length = self.false_positive_rate + self.true_positive_rate
        kept = np.unique(np.searchsorted(length, np.linspace(length[0], length[-1], n)).clip(0, length.size - 1))
        return DetectionCurves(**{name: getattr(self, name)[kept] for name in self.__dataclass_fields__})

    def to_frame(self) -> pd.DataFrame:
        """Return a row a threshold."""
        import pandas as pd

        return pd.DataFrame({name: getattr(self, name) for name in self.__dataclass_fields__})


def detection_curves(scores: npt.ArrayLike, is_ood: npt.ArrayLike) -> DetectionCurves:
    """Return the ROC and the precision-recall curve of a score.

    Parameters
    ----------
    scores : array_like (N,)
        Larger = more out-of-distribution.
    is_ood : array_like of bool (N,)

    Raises
    ------
    InvalidInputError
        As `evaluate_detection`, and where there are no rows of one kind.

    Examples
    --------
    >>> curves = detection_curves([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    >>> curves.false_positive_rate, curves.true_positive_rate
    (array([0. , 0.5, 0.5, 1. ]), array([0.5, 0.5, 1. , 1. ]))
    """
    steps = steps_of(scores, is_ood)
    if not (steps.n_in.any() and steps.n_out.any()):
        missing = "out-of-distribution" if steps.n_in.any() else "in-distribution"
        raise InvalidInputError(f"curves need rows of both kinds, found no {missing} ones")
    return curves_of(steps)


def curves_of(steps: Steps) -> DetectionCurves:
    """Return the curves of counted rows; counts may be weights, and both kinds must be there."""
    flagged_in, flagged_out = np.cumsum(steps.n_in), np.cumsum(steps.n_out)
    flagged = flagged_in + flagged_out
    return DetectionCurves(
        thresholds=steps.scores,
        false_positive_rate=flagged_in / flagged_in[-1],
        true_positive_rate=flagged_out / flagged_out[-1],
        precision=np.divide(flagged_out, flagged, out=np.ones_like(flagged), where=flagged > 0),
    )


def true_positive_rate_at(curves: DetectionCurves, false_positive_rate: FloatArray) -> FloatArray:
    """Return the most that is caught where no more than these shares of in-distribution rows are flagged."""
    place = np.searchsorted(curves.false_positive_rate, false_positive_rate, side="right")
    return np.concatenate([[0.0], curves.true_positive_rate])[place]


def precision_at(curves: DetectionCurves, recall: FloatArray) -> FloatArray:
    """Return the precision at the highest threshold that catches at least these shares."""
    place = np.searchsorted(curves.true_positive_rate, recall, side="left")
    return np.asarray(curves.precision[np.minimum(place, curves.precision.size - 1)])
