"""A study puts the pieces together: what it finds is what each piece finds alone, on the right rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from choicekit.detection.conformal import benjamini_hochberg, conformal_p_values
from choicekit.detection.delong import compare_auroc
from choicekit.detection.detector import EnergyDetector
from choicekit.detection.groups import evaluate_by_group
from choicekit.detection.margins import EnergyMargins
from choicekit.detection.metrics import evaluate_detection
from choicekit.detection.running import TEMPERATURES, run_detection
from choicekit.detection.scores import energy, ood_score
from choicekit.detection.study import DetectionOutcome, DetectionStudy, TrainingSettings
from choicekit.detection.tables import LogitTable
from choicekit.detection.temperature import fit_temperature
from choicekit.detection.thresholds import retention_threshold
from choicekit.errors import InvalidInputError, ShapeError

N, N_TRAINING, N_KNOWN = 400, 100, 300
METHODS = ("energy", "msp", "kl_matching")
PLACES = np.arange(N)


def table() -> LogitTable:
    """300 rows of three classes that are known, and 100 of two that are not; features tell as much as logits."""
    rng = np.random.default_rng(3)
    labels = np.where(PLACES < N_KNOWN, PLACES % 3, -1)
    means = 2.0 * np.eye(5)
    features = rng.normal(size=(N, 5)) + means[np.where(labels >= 0, labels, 3 + PLACES % 2)]
    return LogitTable(
        logits=2 * features[:, :3], classes=("a", "b", "c"), labels=labels, groups=np.where(PLACES % 4 < 2, "n", "s"),
        features=features, feature_names=tuple("vwxyz"),
    )  # fmt: skip


SETTINGS: dict[str, Any] = {
    "is_ood": PLACES >= N_KNOWN,
    "training_rows": PLACES < N_TRAINING,
    "calibration": (PLACES >= N_TRAINING) & (PLACES < 200),
    "test": PLACES >= 200,
    "methods": METHODS,
    "retention": 0.9,
    "replications": 20,
    "seed": 1,
}


@pytest.fixture(scope="module")
def study() -> DetectionStudy:
    """A study with everything but training."""
    return DetectionStudy(table=table(), by_group=True, **SETTINGS)


@pytest.fixture(scope="module")
def outcome(study: DetectionStudy) -> DetectionOutcome:
    """What it finds."""
    return run_detection(study)


def test_scores_are_of_all_rows_and_metrics_of_the_test_rows(study: DetectionStudy, outcome: DetectionOutcome) -> None:
    assert tuple(outcome.scores) == METHODS
    for name in ("energy", "msp"):
        np.testing.assert_array_equal(outcome.scores[name], ood_score(study.table.logits, name))
    assert study.is_ood is not None
    for name, scores in outcome.scores.items():
        expected = evaluate_detection(scores[study.test], study.is_ood[study.test])
        assert outcome.metrics[name].to_frame().equals(expected.to_frame())
    assert (outcome.metrics["energy"].n_in, outcome.metrics["energy"].n_out) == (100, 100)
    assert outcome.bootstrap is not None
    lower, upper = outcome.bootstrap.interval("energy", "auroc")
    assert lower < outcome.metrics["energy"].auroc < upper


def test_the_threshold_comes_from_the_calibration_rows(study: DetectionStudy, outcome: DetectionOutcome) -> None:
    known, judged = outcome.scores["energy"][study.calibration], outcome.scores["energy"][study.test]
    assert outcome.threshold == retention_threshold(known, 0.9)
    np.testing.assert_array_equal(outcome.flagged, judged > outcome.threshold.value)
    np.testing.assert_array_equal(outcome.p_values, conformal_p_values(known, judged))
    np.testing.assert_array_equal(outcome.discoveries, benjamini_hochberg(outcome.p_values, 0.1))
    assert outcome.detector is not None
    np.testing.assert_array_equal(outcome.detector.flag(study.table.logits[study.test]), outcome.flagged)
    assert outcome.detector.classes == ("a", "b", "c")


def test_differences_are_of_other_scores_from_the_chosen_one(study: DetectionStudy, outcome: DetectionOutcome) -> None:
    assert set(outcome.differences) == {"msp", "kl_matching"}
    out, rows = study.is_ood, study.test
    assert out is not None
    expected = compare_auroc(outcome.scores["msp"][rows], outcome.scores["energy"][rows], out[rows])
    assert outcome.differences["msp"].difference == expected.difference
    found = outcome.metrics["msp"].auroc - outcome.metrics["energy"].auroc
    np.testing.assert_allclose(outcome.differences["msp"].difference, found, atol=1e-12)


def test_groups_are_counted_and_temperatures_compared(study: DetectionStudy, outcome: DetectionOutcome) -> None:
    rows, out, groups = study.test, study.is_ood, study.table.groups
    assert out is not None
    assert groups is not None
    expected = evaluate_by_group(
        outcome.scores["energy"][rows], out[rows], groups[rows], threshold=outcome.threshold.value
    )
    assert outcome.by_group is not None
    assert outcome.by_group.equals(expected)
    assert outcome.by_temperature is not None
    assert outcome.by_temperature["temperature"].tolist() == list(TEMPERATURES)
    own = outcome.by_temperature.set_index("temperature").loc[1.0]
    assert own["auroc"] == outcome.metrics["energy"].auroc


def test_calibration_rows_may_be_counted_in(study: DetectionStudy) -> None:
    found = run_detection(replace(study, metrics_on="all", methods=("energy",), replications=0))
    assert (found.metrics["energy"].n_in, found.metrics["energy"].n_out) == (200, 100)
    assert found.flagged.size == 200  # judged are the test rows, as ever


def test_the_reference_of_kl_matching_is_the_training_rows(study: DetectionStudy, outcome: DetectionOutcome) -> None:
    other = run_detection(replace(study, training_rows=None, replications=0))
    assert not np.array_equal(other.scores["kl_matching"], outcome.scores["kl_matching"])
    own = run_detection(replace(study, training_rows=study.calibration, replications=0))
    np.testing.assert_array_equal(other.scores["kl_matching"], own.scores["kl_matching"])


def test_a_temperature_is_fitted_to_calibration_rows_only(study: DetectionStudy) -> None:
    found = run_detection(replace(study, temperature="fitted", replications=0))
    rows, labels = study.calibration, study.table.labels
    assert labels is not None
    assert found.temperature == fit_temperature(study.table.logits[rows], labels[rows]).temperature
    assert found.temperature_fit is not None
    np.testing.assert_array_equal(found.scores["energy"], energy(study.table.logits, found.temperature))
    assert found.detector is not None
    assert found.detector.temperature == found.temperature


def test_another_score_sets_the_threshold_and_leaves_no_detector(study: DetectionStudy) -> None:
    found = run_detection(replace(study, score="msp", methods=("energy",), replications=0))
    assert found.detector is None
    assert tuple(found.scores) == ("energy", "msp")
    np.testing.assert_array_equal(found.flagged, found.scores["msp"][study.test] > found.threshold.value)


@pytest.mark.parametrize(
    ("out", "note"), [(np.zeros(N, dtype=bool), "out-of-distribution"), (PLACES >= 200, "in-distribution")]
)
def test_scores_are_delivered_where_metrics_cannot_be(study: DetectionStudy, out: Any, note: str) -> None:
    found = run_detection(replace(study, is_ood=out))
    assert np.isfinite(found.scores["energy"]).all()
    assert np.isnan(found.metrics["energy"].auroc)
    assert note in found.metrics["energy"].note
    assert (found.bootstrap, found.differences, found.by_temperature) == (None, {}, None)
    assert found.flagged.any()


def test_rows_of_which_nothing_is_known_have_scores_and_no_metrics(study: DetectionStudy) -> None:
    found = run_detection(replace(study, is_ood=None))
    assert found.metrics == {}
    assert found.by_group is not None
    assert list(found.by_group) == ["group", "n", "flagged"]


# --- monitoring -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "passed"), [(None, None), (0.05, False), (0.95, True)])
def test_a_saved_detector_monitors_a_batch(outcome: DetectionOutcome, limit: float | None, passed: bool | None) -> None:
    batch = replace(outcome.study.table, features=None, feature_names=())
    nobody = np.zeros(N, dtype=bool)
    study = DetectionStudy(table=batch, calibration=nobody, test=~nobody, detector=outcome.detector, limit=limit)
    found = run_detection(study)
    assert outcome.detector is not None
    np.testing.assert_array_equal(found.flagged, outcome.detector.flag(batch.logits))
    np.testing.assert_array_equal(found.p_values, outcome.detector.p_values(batch.logits))
    watched = found.monitoring
    assert watched is not None
    assert (watched.n, watched.flagged, watched.passed) == (N, int(found.flagged.sum()), passed)
    assert watched.share == found.flagged.mean() > watched.interval[1] > watched.nominal > watched.interval[0]
    assert found.detector is outcome.detector


def test_the_interval_holds_the_share_of_batches_that_are_like_the_calibration_rows() -> None:
    """Of 400 batches, each with a detector of its own, 95 % lie in the interval that is exact for both being random."""
    rng, inside = np.random.default_rng(8), 0
    for _ in range(400):
        logits = rng.normal(size=(150, 2))
        detector = EnergyDetector.fit(logits[:50], 0.9)
        batch = LogitTable(logits=logits[50:], classes=("0", "1"))
        study = DetectionStudy(
            table=batch, calibration=np.zeros(100, bool), test=np.ones(100, bool), detector=detector, replications=0
        )
        watched = run_detection(study).monitoring
        assert watched is not None
        inside += watched.interval[0] <= watched.share <= watched.interval[1]
    assert 0.92 < inside / 400 <= 1.0  # 3 standard errors are .033; the law is discrete, so that it holds more


# --- training -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("margins", ["quantiles", EnergyMargins(-9.0, -3.0)])
def test_training_is_shown_on_rows_that_nothing_was_trained_on(study: DetectionStudy, margins: Any) -> None:
    settings = TrainingSettings(auxiliary=(PLACES >= N_KNOWN) & (PLACES % 2 == 0), margins=margins)
    found = run_detection(replace(study, training=settings, replications=0)).training
    assert found is not None
    sizes = {role: values.size for role, values in found.energies_after.items()}
    assert sizes == {"training": 100, "auxiliary": 50, "in_distribution": 100, "out_of_distribution": 50}
    assert (found.before.n_in, found.before.n_out) == (100, 50)
    assert found.converged
    assert found.loss_after < found.loss_before
    assert min(found.accuracy_before, found.accuracy_after) > 0.8
    assert margins in ("quantiles", found.margins)
    gap = {
        when: np.mean(energies["auxiliary"]) - np.mean(energies["training"])
        for when, energies in (("before", found.energies_before), ("after", found.energies_after))
    }
    assert gap["after"] > gap["before"]


@pytest.mark.parametrize("without", [{"features": None, "feature_names": ()}, {"labels": None}])
def test_training_needs_features_and_labels(study: DetectionStudy, without: dict[str, Any]) -> None:
    settings = TrainingSettings(auxiliary=PLACES >= 350)
    wrong = replace(study, table=replace(study.table, **without), training=settings, replications=0)
    with pytest.raises(InvalidInputError, match="training needs features, labels"):
        run_detection(wrong)


# --- bad settings ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": PLACES >= 199}, "must not be calibrated on and judged, found 1 that are, row 200 the first"),
        ({"test": PLACES > N}, "needs rows to judge, found none"),
        ({"is_ood": PLACES >= 150}, "calibration rows must be in-distribution"),
        ({"score": "enrgy"}, "did you mean 'energy'"),
        ({"methods": ("value",)}, "belongs to a rule"),
        ({"limit": 0.1}, "give the detector"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_that_do_not_go_together(study: DetectionStudy, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        replace(study, **change)


def test_masks_have_an_entry_a_row(study: DetectionStudy) -> None:
    with pytest.raises(ShapeError, match=r"calibration must be True or False for each row, \(400,\)"):
        replace(study, calibration=PLACES[:10] > 1)
    with pytest.raises(InvalidInputError, match="needs auxiliary rows"):
        TrainingSettings(auxiliary=PLACES > N)


def test_too_few_calibration_rows_and_what_labels_are_needed_for(study: DetectionStudy) -> None:
    with pytest.raises(InvalidInputError, match="needs at least 999"):
        run_detection(replace(study, retention=0.999))
    unlabelled = replace(study.table, labels=None, groups=None)
    with pytest.raises(InvalidInputError, match="fitted temperature needs labels"):
        run_detection(replace(study, table=unlabelled, temperature="fitted"))
    with pytest.raises(InvalidInputError, match="by_group needs groups"):
        run_detection(replace(study, table=unlabelled, replications=0))


def test_reprs_are_short(outcome: DetectionOutcome) -> None:
    assert repr(outcome.study) == (
        "DetectionStudy(LogitTable(400 rows, 3 classes): 200 judged, 100 calibrated on, score='energy')"
    )
    assert repr(outcome).startswith("DetectionOutcome(energy: ")
    assert len(repr(outcome)) < 100
