"""How far metrics may be off by the rows that happened to be there: a bootstrap stratified by kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.detection.curves import curves_of, precision_at, true_positive_rate_at
from choicekit.detection.metrics import METRICS, Steps, checked_scores, metrics_of
from choicekit.errors import InvalidInputError
from choicekit.execution.passes import Progress, silent
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words

__all__ = ["DetectionBootstrap", "bootstrap_detection"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Curve = Literal["roc", "precision_recall"]

GRID = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionBootstrap:
    """Metrics and curves of several scores over the same resamples.

    Attributes
    ----------
    metrics : dict of str to dict of str to ndarray (R,)
        By score and metric.
    curves : dict of str to dict of str to ndarray (R, G)
        By score and curve: the true positive rate over `grid` as false positive rates (``"roc"``), the precision over
        `grid` as recalls (``"precision_recall"``).
    grid : ndarray (G,)
        From 0 to 1.
    level : float
        Of intervals and bands.
    """

    metrics: Mapping[str, Mapping[str, FloatArray]]
    curves: Mapping[str, Mapping[Curve, FloatArray]]
    grid: FloatArray
    level: float

    @property
    def replications(self) -> int:
        """How many resamples there are."""
        return len(next(iter(next(iter(self.metrics.values())).values())))

    def __repr__(self) -> str:
        return f"DetectionBootstrap({', '.join(self.metrics)}; {self.replications} resamples)"

    def interval(self, score: str, metric: str) -> tuple[float, float]:
        """Return the percentile interval of a metric."""
        return self._ends(self.metrics[score][metric])

    def difference(self, score: str, other: str, metric: str) -> tuple[float, float]:
        """Return the percentile interval of how much a score's metric is above another's, on the same resamples."""
        return self._ends(self.metrics[score][metric] - self.metrics[other][metric])

    def curve_band(self, score: str, curve: Curve = "roc") -> tuple[FloatArray, FloatArray]:
        """Return the lower and upper end of the band over `grid`, each point by itself."""
        lower, upper = np.quantile(self.curves[score][curve], self._levels(), axis=0)
        return lower, upper

    def _levels(self) -> list[float]:
        return [0.5 * (1.0 - self.level), 0.5 * (1.0 + self.level)]

    def _ends(self, values: FloatArray) -> tuple[float, float]:
        lower, upper = np.quantile(values, self._levels())
        return float(lower), float(upper)


def bootstrap_detection(
    scores: Mapping[str, npt.ArrayLike],
    is_ood: npt.ArrayLike,
    *,
    replications: int = 200,
    seed: int,
    level: float = 0.95,
    progress: Progress = silent,
) -> DetectionBootstrap:
    """Resample rows of both kinds apart, and compute every metric of every score on the same resamples.

    Parameters
    ----------
    scores : mapping of str to array_like (N,)
        Larger = more out-of-distribution.
    is_ood : array_like of bool (N,)
    replications : int
        Resamples, at least 2.
    seed : int
        In [0, 2^64). Each draw has an address: (seed, stage bootstrap, replication, row).
    level : float
        Of intervals and bands, between 0 and 1.
    progress : callable, optional

    Returns
    -------
    DetectionBootstrap

    Raises
    ------
    InvalidInputError
        As `evaluate_detection`; for no scores, no rows of one kind, fewer than 2 replications, or a level
        outside (0, 1).

    Notes
    -----
    Rows are sorted once for each score; a resample is counted at the distinct scores. Intervals are percentiles over
    the rows given: they say nothing of rows of another kind.

    References
    ----------
    Efron & Tibshirani (1993), "An introduction to the bootstrap", chapters 8 and 13.

    Examples
    --------
    >>> scores, is_ood = {"a": np.arange(40.0) % 23}, np.arange(40) >= 20
    >>> found = bootstrap_detection(scores, is_ood, seed=1, replications=50)
    >>> lower, upper = found.interval("a", "auroc")
    >>> 0 < lower < upper < 1
    True
    """
    ranked, out = _ranked(scores, is_ood)
    _check(replications, seed, level)
    kinds = [np.flatnonzero(out == kind) for kind in (False, True)]
    draws = Draws(
        seed=seed, stage=Stage.BOOTSTRAP, rows=row_words(np.arange(out.size)), alternatives=alternative_words(["row"])
    )
    metrics = {name: {metric: np.empty(replications) for metric in METRICS} for name in ranked}
    curves: dict[str, dict[Curve, FloatArray]] = {
        name: {"roc": np.empty((replications, GRID.size)), "precision_recall": np.empty((replications, GRID.size))}
        for name in ranked
    }
    for place, uniform in draws.uniforms_of(range(replications)):
        weight = np.zeros(out.size)
        for rows in kinds:
            drawn = rows[(uniform[rows, 0] * rows.size).astype(np.int64)]
            weight += np.bincount(drawn, minlength=out.size)
        for name, (distinct, position) in ranked.items():
            n_in, n_out = (
                np.bincount(position[rows], weight[rows], distinct.size)[::-1].astype(np.float64) for rows in kinds
            )
            steps = Steps(scores=distinct[::-1], n_in=n_in, n_out=n_out)
            found, shape = metrics_of(steps), curves_of(steps)
            for metric in METRICS:
                metrics[name][metric][place] = getattr(found, metric)
            curves[name]["roc"][place] = true_positive_rate_at(shape, GRID)
            curves[name]["precision_recall"][place] = precision_at(shape, GRID)
        progress("bootstrap", place + 1, replications)
    return DetectionBootstrap(metrics=metrics, curves=curves, grid=GRID, level=level)


def _ranked(
    scores: Mapping[str, npt.ArrayLike], is_ood: npt.ArrayLike
) -> tuple[dict[str, tuple[FloatArray, npt.NDArray[np.intp]]], npt.NDArray[np.bool_]]:
    """Return each score's distinct values and every row's place among them."""
    if not scores:
        raise InvalidInputError("a bootstrap needs at least one score, found none")
    ranked = {}
    for name, given in scores.items():
        values, out = checked_scores(given, is_ood)
        distinct, position = np.unique(values, return_inverse=True)
        ranked[name] = distinct, position
    if out.all() or not out.any():
        missing = "in-distribution" if out.all() else "out-of-distribution"
        raise InvalidInputError(f"a bootstrap needs rows of both kinds, found no {missing} ones")
    return ranked, out


def _check(replications: int, seed: int, level: float) -> None:
    check_seed(seed)
    if isinstance(replications, bool) or replications != int(replications) or replications < 2:
        raise InvalidInputError(f"replications must be a whole number of at least 2, found {replications!r}")
    if not 0 < level < 1:
        raise InvalidInputError(f"level must be between 0 and 1, found {level!r}")
