"""What is asked about a table of logits, and what is found: scores, metrics, a threshold, training, monitoring.

One sign everywhere: larger scores mean more out-of-distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from choicekit.detection.scores import check_method
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.random import check_seed

if TYPE_CHECKING:
    import pandas as pd

    from choicekit.detection.bootstrap import DetectionBootstrap
    from choicekit.detection.delong import AurocDifference
    from choicekit.detection.detector import EnergyDetector
    from choicekit.detection.margins import EnergyMargins
    from choicekit.detection.metrics import DetectionMetrics
    from choicekit.detection.tables import LogitTable
    from choicekit.detection.temperature import TemperatureFit
    from choicekit.detection.thresholds import RetentionThreshold

__all__ = ["DetectionOutcome", "DetectionStudy", "Monitoring", "TrainingOutcome", "TrainingSettings"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingSettings:
    """How a head is trained on the features of a table, with and without margins on energies.

    Parameters
    ----------
    auxiliary : array_like (N,) of bool
        Out-of-distribution rows that the head is trained on; what it does to separation is measured on the others.
    margins : EnergyMargins or "quantiles"
        What energies are held to; quantiles are those of the head that was trained without margins.
    weight : float
        Of the margins beside the cross-entropy.
    penalty : float
        Ridge penalty on the coefficients.

    Raises
    ------
    InvalidInputError
        Without an auxiliary row.
    """

    auxiliary: BoolArray
    margins: EnergyMargins | Literal["quantiles"] = "quantiles"
    weight: float = 0.1
    penalty: float = 1e-3

    def __post_init__(self) -> None:
        object.__setattr__(self, "auxiliary", np.asarray(self.auxiliary, dtype=np.bool_))
        if not self.auxiliary.any():
            raise InvalidInputError("training needs auxiliary rows, out-of-distribution ones to train on, found none")


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionStudy:
    """A table of logits and what is asked about it.

    Parameters
    ----------
    table : LogitTable
        N rows, J classes.
    is_ood : array_like (N,) of bool, optional
        Whether a row is out-of-distribution; None where that is not known, as in a batch that is monitored.
    calibration : array_like (N,) of bool
        In-distribution rows that the threshold comes from; none where a `detector` brings one.
    test : array_like (N,) of bool
        Rows that are judged: in-distribution ones that nothing was fitted to, and all out-of-distribution ones.
    training_rows : array_like (N,) of bool, optional
        In-distribution rows that the model behind the logits was fitted to: the reference of KL matching, and what a
        head is trained on. By default the reference is the calibration rows.
    methods : sequence of str
        Scores that are compared; see `SCORES`.
    score : str
        The score whose threshold flags rows; one of the methods.
    temperature : float or "fitted"
        Of all scores; fitted to the labels of the calibration rows.
    retention : float
        Share of in-distribution rows that is not flagged.
    false_discovery_rate : float
        Of the discoveries by Benjamini and Hochberg.
    replications : int
        Of the bootstrap; 0 for none.
    seed : int
    by_group : bool
        Whether to count by the groups of the table.
    metrics_on : {"test", "all"}
        Rows that metrics are taken on: the test rows, or the calibration rows, too. The latter is sound where nothing
        but the threshold was taken from them.
    training : TrainingSettings, optional
    detector : EnergyDetector, optional
        One that was saved: the test rows are a batch that it monitors.
    limit : float, optional
        Largest share of a batch that may be flagged.

    Raises
    ------
    InvalidInputError, ShapeError
        For rows that are both calibrated on and judged, an unknown score, or settings that do not go together.
    """

    table: LogitTable
    is_ood: BoolArray | None = None
    calibration: BoolArray
    test: BoolArray
    training_rows: BoolArray | None = None
    methods: Sequence[str] = ("energy",)
    score: str = "energy"
    temperature: float | Literal["fitted"] = 1.0
    retention: float = 0.95
    false_discovery_rate: float = 0.1
    replications: int = 200
    seed: int = 0
    by_group: bool = False
    metrics_on: Literal["test", "all"] = "test"
    training: TrainingSettings | None = None
    detector: EnergyDetector | None = None
    limit: float | None = None

    def __post_init__(self) -> None:
        names = tuple(dict.fromkeys((*self.methods, self.score)))
        for name in names:
            check_method(name)
        if "value" in names:
            raise InvalidInputError("the score 'value' belongs to a rule: use ood_score")
        object.__setattr__(self, "methods", names)
        object.__setattr__(self, "seed", check_seed(self.seed))
        self._check_rows()
        if self.detector is not None and self.score != "energy":
            raise InvalidInputError(f"a saved detector scores by energy, found score {self.score!r}")
        if self.limit is not None and self.detector is None:
            raise InvalidInputError("a limit is for rows that a saved detector monitors: give the detector")

    def _check_rows(self) -> None:
        n = len(self.table)
        for name in ("is_ood", "calibration", "test", "training_rows"):
            given = getattr(self, name)
            if given is None:
                continue
            found = np.asarray(given, dtype=np.bool_)
            if found.shape != (n,):
                raise ShapeError(f"{name} must be True or False for each row, ({n},), found shape {found.shape}")
            object.__setattr__(self, name, found)
        both = np.flatnonzero(self.calibration & self.test)
        if both.size:
            raise InvalidInputError(
                f"rows must not be calibrated on and judged, found {both.size:,} that are, row "
                f"{self.table.rows[both[0]]} the first: a threshold would flatter itself"
            )
        if not self.test.any():
            raise InvalidInputError("a study needs rows to judge, found none")
        if self.is_ood is not None and np.any(self.is_ood & self.calibration):
            raise InvalidInputError("calibration rows must be in-distribution, found out-of-distribution ones")

    def __repr__(self) -> str:
        judged, known = int(self.test.sum()), int(self.calibration.sum())
        return f"DetectionStudy({self.table!r}: {judged:,} judged, {known:,} calibrated on, score={self.score!r})"

    @property
    def evaluated(self) -> BoolArray:
        """Rows that metrics are taken on, (N,)."""
        return self.test | self.calibration if self.metrics_on == "all" else self.test


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingOutcome:
    """A head trained without margins on energies, and with them.

    Attributes
    ----------
    before, after : DetectionMetrics
        Of the energy, on test rows that are not auxiliary.
    margins : EnergyMargins
    loss_before, loss_after : float
        The loss with margins on the rows that the head is trained on.
    accuracy_before, accuracy_after : float
        Share of in-distribution test rows whose label has the largest logit.
    energies_before, energies_after : mapping of str to ndarray
        By role: "training", "auxiliary", "in_distribution" and "out_of_distribution", the latter two of test rows.
    converged : bool
        Whether both heads are at their optimum.
    """

    before: DetectionMetrics
    after: DetectionMetrics
    margins: EnergyMargins
    loss_before: float
    loss_after: float
    accuracy_before: float
    accuracy_after: float
    energies_before: Mapping[str, FloatArray]
    energies_after: Mapping[str, FloatArray]
    converged: bool

    def __repr__(self) -> str:
        return f"TrainingOutcome(auroc {self.before.auroc:.4f} -> {self.after.auroc:.4f}, converged={self.converged})"


@dataclass(frozen=True, kw_only=True, eq=False)
class Monitoring:
    """How many rows of a batch a saved detector flags.

    Attributes
    ----------
    n, flagged : int
        Rows, and those that are flagged.
    share : float
        flagged / n.
    nominal : float
        The share expected of a batch like the calibration rows, in expectation over these.
    interval : tuple of float
        The share of such a batch lies in it with probability .95: the law is Beta-binomial, which counts in that both
        the batch and the calibration rows are finite.
    limit : float or None
    passed : bool or None
        Whether the share is at most the limit; None without one.
    """

    n: int
    flagged: int
    share: float
    nominal: float
    interval: tuple[float, float]
    limit: float | None
    passed: bool | None


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionOutcome:
    """What a study found; None for what was not asked for, or cannot be known.

    Attributes
    ----------
    study : DetectionStudy
    scores : mapping of str to ndarray (N,)
        Larger means more out-of-distribution; of all rows of the table.
    temperature : float
    temperature_fit : TemperatureFit or None
    metrics : mapping of str to DetectionMetrics
        By score, on the rows of ``study.evaluated``; empty where it is not known which rows are out-of-distribution.
    bootstrap : DetectionBootstrap or None
    differences : mapping of str to AurocDifference
        Of every other score from that of the study: above 0 where the other has the larger AUROC.
    threshold : RetentionThreshold
        Of the score of the study: a row is flagged above it.
    detector : EnergyDetector or None
        What can be saved; None where the score is not the energy.
    p_values : ndarray (N_test,)
        Conformal; of the test rows, as `discoveries` and `flagged` are.
    discoveries, flagged : ndarray of bool (N_test,)
    by_group : DataFrame or None
    by_temperature : DataFrame or None
        temperature, auroc, fpr95_id_kept, fpr95_ood_caught: of the energy at other temperatures.
    training : TrainingOutcome or None
    monitoring : Monitoring or None
    """

    study: DetectionStudy
    scores: Mapping[str, FloatArray]
    temperature: float
    temperature_fit: TemperatureFit | None
    metrics: Mapping[str, DetectionMetrics]
    bootstrap: DetectionBootstrap | None
    differences: Mapping[str, AurocDifference]
    threshold: RetentionThreshold
    detector: EnergyDetector | None
    p_values: FloatArray
    discoveries: BoolArray
    flagged: BoolArray
    by_group: pd.DataFrame | None
    by_temperature: pd.DataFrame | None
    training: TrainingOutcome | None
    monitoring: Monitoring | None

    def __repr__(self) -> str:
        n, flagged = self.flagged.size, int(self.flagged.sum())
        own = self.metrics.get(self.study.score)
        told = f", auroc={own.auroc:.4f}" if own is not None and not own.note else ""
        return f"DetectionOutcome({self.study.score}: {flagged:,} of {n:,} rows flagged{told})"
