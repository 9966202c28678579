"""Running a detection study: scores of every row, then whatever can be said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.detection.bootstrap import bootstrap_detection
from choicekit.detection.conformal import benjamini_hochberg, conformal_p_values
from choicekit.detection.delong import compare_auroc
from choicekit.detection.detector import EnergyDetector
from choicekit.detection.groups import evaluate_by_group
from choicekit.detection.head import LogitHead, train_head
from choicekit.detection.kernels import COLUMNS
from choicekit.detection.margins import EnergyMargins, margin_loss
from choicekit.detection.matching import KLReference
from choicekit.detection.metrics import DetectionMetrics, evaluate_detection
from choicekit.detection.scores import energy, score_table
from choicekit.detection.study import DetectionOutcome, DetectionStudy, Monitoring, TrainingOutcome
from choicekit.detection.temperature import TemperatureFit, fit_temperature
from choicekit.detection.thresholds import RetentionThreshold, retention_threshold
from choicekit.errors import InvalidInputError
from choicekit.execution.passes import Progress, silent

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TEMPERATURES", "run_detection"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

TEMPERATURES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Times the study's own: where the effect of the temperature is looked at."""

_LEVEL = 0.95


def run_detection(study: DetectionStudy, progress: Progress = silent) -> DetectionOutcome:
    """Score every row, set the threshold, judge the test rows, and say how well that goes.

    Parameters
    ----------
    study : DetectionStudy
    progress : callable, optional

    Returns
    -------
    DetectionOutcome

    Raises
    ------
    InvalidInputError
        For too few calibration rows for the retention, or labels that are needed and not there.
    IdentificationError
        For a temperature that the labels do not give.

    Examples
    --------
    >>> from choicekit.detection.tables import LogitTable
    >>> rng = np.random.default_rng(0)
    >>> logits = np.vstack([rng.normal(size=(60, 3)) + [6, 0, 0], rng.normal(size=(20, 3))])
    >>> table, rows = LogitTable(logits=logits, classes=("a", "b", "c")), np.arange(80)
    >>> study = DetectionStudy(table=table, is_ood=rows >= 60, calibration=rows < 40, test=rows >= 40, retention=0.9)
    >>> found = run_detection(study)
    >>> found.flagged[20:].all(), found.metrics["energy"].auroc > 0.95
    (np.True_, True)
    """
    fit = _temperature_fit(study)
    temperature = _temperature(study, fit)
    scores = _scores(study, temperature)
    progress("scores", 1, 1)
    own = scores[study.score]
    threshold, detector = _threshold(study, own, temperature)
    test, calibration = own[study.test], _calibration(study, own)
    p_values = conformal_p_values(calibration, test)
    flagged = threshold.flags(test)
    both_kinds = study.is_ood is not None and len(set(study.is_ood[study.evaluated].tolist())) == 2
    judged = {name: values[study.evaluated] for name, values in scores.items()}
    out = None if study.is_ood is None else study.is_ood[study.evaluated]
    return DetectionOutcome(
        study=study,
        scores=scores,
        temperature=temperature,
        temperature_fit=fit,
        metrics={} if out is None else {name: evaluate_detection(values, out) for name, values in judged.items()},
        bootstrap=bootstrap_detection(
            judged, out, replications=study.replications, seed=study.seed, level=_LEVEL, progress=progress
        )
        if both_kinds and out is not None and study.replications
        else None,
        differences={
            name: compare_auroc(values, judged[study.score], out)
            for name, values in judged.items()
            if name != study.score
        }
        if both_kinds and out is not None
        else {},
        threshold=threshold,
        detector=detector,
        p_values=p_values,
        discoveries=benjamini_hochberg(p_values, study.false_discovery_rate),
        flagged=flagged,
        by_group=_by_group(study, own, threshold, flagged),
        by_temperature=_by_temperature(study, temperature) if both_kinds else None,
        training=None if study.training is None else _trained(study, progress),
        monitoring=None if study.detector is None else _monitoring(study, threshold, flagged),
    )


def _temperature_fit(study: DetectionStudy) -> TemperatureFit | None:
    if study.temperature != "fitted" or study.detector is not None:
        return None
    labels = study.table.labels
    if labels is None:
        raise InvalidInputError("a fitted temperature needs labels: name their column, or give the temperature")
    rows = study.calibration & (labels >= 0)
    return fit_temperature(study.table.logits[rows], labels[rows])


def _temperature(study: DetectionStudy, fit: TemperatureFit | None) -> float:
    if study.detector is not None:
        return study.detector.temperature
    return float(study.temperature) if fit is None else fit.temperature


def _scores(study: DetectionStudy, temperature: float) -> dict[str, FloatArray]:
    found = score_table(
        study.table.logits, [name for name in study.methods if name in COLUMNS], temperature=temperature
    )
    if "kl_matching" in study.methods:
        known = study.calibration if study.training_rows is None else study.training_rows
        reference = KLReference.fit(study.table.logits[known], temperature=temperature)
        found["kl_matching"] = reference.divergence(study.table.logits)
    return {name: found[name] for name in study.methods}


def _threshold(
    study: DetectionStudy, own: FloatArray, temperature: float
) -> tuple[RetentionThreshold, EnergyDetector | None]:
    if study.detector is not None:
        return study.detector.threshold, study.detector
    threshold = retention_threshold(own[study.calibration], study.retention)
    if study.score != "energy":
        return threshold, None
    table = study.table
    known = table.logits[study.calibration]
    return threshold, EnergyDetector.fit(known, study.retention, temperature=temperature, classes=table.classes)


def _calibration(study: DetectionStudy, own: FloatArray) -> FloatArray:
    return own[study.calibration] if study.detector is None else study.detector.calibration[""]


def _by_group(
    study: DetectionStudy, own: FloatArray, threshold: RetentionThreshold, flagged: BoolArray
) -> pd.DataFrame | None:
    import pandas as pd

    if not study.by_group:
        return None
    if study.table.groups is None:
        raise InvalidInputError("by_group needs groups: name their column")
    groups = study.table.groups[study.test]
    if study.is_ood is not None:
        return evaluate_by_group(own[study.test], study.is_ood[study.test], groups, threshold=threshold.value)
    rows = [
        (str(name), int(np.sum(groups == name)), float(flagged[groups == name].mean())) for name in np.unique(groups)
    ]
    return pd.DataFrame(rows, columns=["group", "n", "flagged"])


def _by_temperature(study: DetectionStudy, temperature: float) -> pd.DataFrame:
    """Return how well the energy tells rows apart at other temperatures than the study's."""
    import pandas as pd

    out = np.zeros(len(study.table), dtype=bool) if study.is_ood is None else study.is_ood
    rows = study.evaluated
    found = []
    for factor in TEMPERATURES:
        t = factor * (temperature or 1.0)
        metrics = evaluate_detection(energy(study.table.logits[rows], t), out[rows])
        found.append((t, metrics.auroc, metrics.fpr95_id_kept, metrics.fpr95_ood_caught))
    return pd.DataFrame(found, columns=["temperature", "auroc", "fpr95_id_kept", "fpr95_ood_caught"])


def _monitoring(study: DetectionStudy, threshold: RetentionThreshold, flagged: BoolArray) -> Monitoring:
    from scipy.stats import betabinom

    n, count = flagged.size, int(flagged.sum())
    lower, upper = betabinom.interval(_LEVEL, n, *threshold.beta)
    return Monitoring(
        n=n,
        flagged=count,
        share=count / n,
        nominal=threshold.expected_rate,
        interval=(float(lower) / n, float(upper) / n),
        limit=study.limit,
        passed=None if study.limit is None else count / n <= study.limit,
    )


# --- training -------------------------------------------------------------------------------------------------------


def _trained(study: DetectionStudy, progress: Progress) -> TrainingOutcome:
    """Train a head on the features without margins and then with them, and compare what energies tell."""
    settings, table = study.training, study.table
    if settings is None or table.features is None or table.labels is None or study.is_ood is None:
        raise InvalidInputError("training needs features, labels and rows that are out-of-distribution")
    fitted_to = study.calibration if study.training_rows is None else study.training_rows
    rows = {
        "training": fitted_to & (table.labels >= 0),
        "auxiliary": settings.auxiliary,
        "in_distribution": study.test & ~study.is_ood,
        "out_of_distribution": study.test & study.is_ood & ~settings.auxiliary,
    }
    usual = table.features[rows["training"]]
    # in units of their spread, so that the penalty has a meaning; about their means, which intercepts make up for
    features = (table.features - usual.mean(axis=0)) / float(usual.std() or 1.0)
    labels, n_classes = table.labels, len(table.classes)
    known, other = features[rows["training"]], features[rows["auxiliary"]]
    before = train_head(known, labels[rows["training"]], penalty=settings.penalty, n_classes=n_classes)
    progress("training", 1, 2)
    energies = _energies(before, features, rows)
    margins = settings.margins
    if not isinstance(margins, EnergyMargins):
        margins = EnergyMargins.from_quantiles(energies["training"], energies["auxiliary"])
    after = train_head(
        known,
        labels[rows["training"]],
        ood_features=other,
        margins=margins,
        weight=settings.weight,
        penalty=settings.penalty,
        n_classes=n_classes,
        start=before,
    )
    progress("training", 2, 2)
    losses = [
        margin_loss(head.logits(known), labels[rows["training"]], head.logits(other), margins, weight=settings.weight)
        for head in (before, after)
    ]
    later = _energies(after, features, rows)
    metrics = [_separation(found) for found in (energies, later)]
    shares = [_accuracy(head, features, labels, rows["in_distribution"]) for head in (before, after)]
    return TrainingOutcome(
        before=metrics[0],
        after=metrics[1],
        margins=margins,
        loss_before=losses[0].value,
        loss_after=losses[1].value,
        accuracy_before=shares[0],
        accuracy_after=shares[1],
        energies_before=energies,
        energies_after=later,
        converged=before.converged and after.converged,
    )


def _energies(head: LogitHead, features: FloatArray, rows: dict[str, BoolArray]) -> dict[str, FloatArray]:
    """Return energies at temperature 1, at which margins are met, by role."""
    return {role: energy(head.logits(features[own])) if own.any() else np.empty(0) for role, own in rows.items()}


def _separation(energies: dict[str, FloatArray]) -> DetectionMetrics:
    inside, outside = energies["in_distribution"], energies["out_of_distribution"]
    return evaluate_detection(np.concatenate([inside, outside]), np.arange(inside.size + outside.size) >= inside.size)


def _accuracy(head: LogitHead, features: FloatArray, labels: npt.NDArray[np.int64], rows: BoolArray) -> float:
    if not rows.any():
        return float("nan")
    return float(np.mean(head.logits(features[rows]).argmax(axis=1) == labels[rows]))
