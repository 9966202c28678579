"""The stories of detection tell what their comments say, and the digits what is known of them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from choicekit import EnergyDetector, StudyResult, evaluate_detection, read_logits, run_scenario, score_table
from choicekit.cli import app

FOLDER = Path(__file__).parents[2] / "scenarios"
DATA = FOLDER / "data"
KNOWN = {  # AUROC, fpr95_ood_caught, fpr95_id_kept, average precision of out-of-distribution
    "energy": (0.9695, 0.1187, 0.1745, 0.9604),
    "max_logit": (0.9692, 0.1171, 0.1782, 0.9587),
    "msp": (0.9506, 0.1677, 0.2908, 0.9259),
    "entropy": (0.9570, 0.1535, 0.2514, 0.9383),
    "gen": (0.9700, 0.1155, 0.1726, 0.9595),
}


@pytest.fixture(scope="module")
def digits() -> StudyResult:
    """The digits."""
    return run_scenario(FOLDER / "digits_ood.yaml")


@pytest.fixture(scope="module")
def camera() -> StudyResult:
    """The camera traps."""
    return run_scenario(FOLDER / "camera_trap.yaml")


# --- digits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("score", KNOWN)
def test_the_digits_are_told_apart_as_is_known(score: str, digits: StudyResult) -> None:
    found = digits.outcome.metrics[score]
    assert (found.n_in, found.n_out) == (632, 533)
    values = (found.auroc, found.fpr95_ood_caught, found.fpr95_id_kept, found.average_precision_ood)
    np.testing.assert_allclose(values, KNOWN[score], atol=0.5e-4 + 1e-9)


def test_scores_times_three_tell_the_digits_apart_as_well(digits: StudyResult) -> None:
    rows = digits.outcome.study.evaluated
    scores, out = digits.outcome.scores["energy"][rows], digits.outcome.study.is_ood[rows]
    assert evaluate_detection(3 * scores, out).auroc == digits.outcome.metrics["energy"].auroc


def test_no_image_is_calibrated_on_and_judged(digits: StudyResult) -> None:
    study = digits.outcome.study
    assert (int(study.training_rows.sum()), int(study.calibration.sum()), int(study.test.sum())) == (
        632,
        316,
        316 + 533,
    )
    assert int((study.training_rows.astype(int) + study.calibration + study.test).max()) == 1
    expected = {"training": 632, "auxiliary": int(study.training.auxiliary.sum()), "in_distribution": 316}
    sizes = {role: values.size for role, values in digits.outcome.training.energies_before.items()}
    assert sizes == {**expected, "out_of_distribution": 533 - expected["auxiliary"]}


def test_the_file_is_what_its_script_says() -> None:
    """Parts by the rule of the script; logits linear in the pixels; the version of scikit-learn recorded."""
    source = DATA / "digits_logits.parquet"
    assert source.stat().st_size < 400_000
    table = read_logits(source, logits="logit_", label="digit", split="part", row="image", features="pixel_")
    assert table.split is not None
    assert table.label_names is not None
    assert table.features is not None
    known = np.flatnonzero(table.label_names < "7")
    assert set(table.split[known[::2]]) == {"training"}
    assert table.split[known[1::2]].tolist() == ["calibration", "test"] * 316
    others = np.setdiff1d(np.arange(len(table)), known)
    assert table.split[others].tolist() == [f"held_out_{digit}" for digit in table.label_names[others]]
    recorded = pq.read_schema(source).metadata[b"made with"].decode()
    assert re.fullmatch(r"scikit-learn \d+\.\d+\.\d+", recorded)
    assert recorded.split()[1] in (DATA / "make_digits.py").read_text()
    design = np.column_stack([table.features / 16, np.ones(len(table))])
    coefficients, *_ = np.linalg.lstsq(design, table.logits, rcond=None)
    np.testing.assert_allclose(design @ coefficients, table.logits, atol=1e-8)


@pytest.mark.slow
def test_scikit_learn_makes_the_digits_again() -> None:
    datasets, linear = pytest.importorskip("sklearn.datasets"), pytest.importorskip("sklearn.linear_model")
    pixels, labels = datasets.load_digits(return_X_y=True)
    known = np.flatnonzero(labels < 7)
    model = linear.LogisticRegression(C=10, max_iter=200).fit(pixels[known[::2]] / 16, labels[known[::2]])
    rows = np.concatenate([known[1::2], np.flatnonzero(labels >= 7)])
    found = score_table(model.decision_function(pixels[rows] / 16), list(KNOWN))
    for score, (auroc, *_) in KNOWN.items():  # it drifts between versions
        assert abs(evaluate_detection(found[score], np.arange(rows.size) >= 632).auroc - auroc) < 5e-3


# --- camera traps ---------------------------------------------------------------------------------------------------


def test_new_species_are_flagged_where_they_arrive(camera: StudyResult) -> None:
    groups = camera.outcome.by_group.set_index("group")
    arrived = {"marsh", "brook", "quarry", "ridge"}
    assert set(groups.index[groups["n_out"] > 0]) == arrived
    lower, upper = camera.outcome.threshold.rate_interval(0.999)
    test = camera.outcome.study.test
    out = camera.outcome.study.is_ood[test]
    assert lower < camera.outcome.flagged[~out].mean() < upper
    assert camera.outcome.flagged[out].mean() > 0.7
    false = np.count_nonzero(camera.outcome.discoveries & ~out)
    assert camera.outcome.discoveries.sum() > 20
    assert false <= 0.25 * camera.outcome.discoveries.sum()


def test_a_temperature_can_be_fitted_to_the_species() -> None:
    found = run_scenario(FOLDER / "camera_trap.yaml", overrides={"temperature": "fitted", "bootstrap.replications": 0})
    fit = found.outcome.temperature_fit
    assert fit.converged
    assert fit.log_likelihood > fit.log_likelihood_at_1


def test_the_shipped_detector_is_that_of_the_season_before(camera: StudyResult) -> None:
    shipped = EnergyDetector.load(DATA / "camera_trap_detector.json")
    own = camera.outcome.detector
    assert (shipped.classes, shipped.retention, shipped.temperature) == (own.classes, own.retention, own.temperature)
    np.testing.assert_allclose(shipped.calibration[""], own.calibration[""], rtol=1e-12)


def test_the_second_season_is_unlike_the_first_and_within_its_limit() -> None:
    watched = run_scenario(FOLDER / "camera_trap_second.yaml").outcome.monitoring
    assert watched.n == 600
    assert watched.interval[1] < watched.share < watched.limit


@pytest.mark.parametrize(("limit", "code"), [(0.05, 3), (0.25, 0)])
def test_too_many_flagged_images_end_with_exit_code_3(limit: float, code: int, tmp_path: Path) -> None:
    arguments = ["run", str(FOLDER / "camera_trap_second.yaml"), "--out", str(tmp_path / "run"), "--quiet"]
    assert CliRunner().invoke(app, [*arguments, "--set", f"limit={limit}"]).exit_code == code


def test_the_script_makes_the_shipped_images(tmp_path: Path) -> None:
    script: dict[str, Any] = runpy.run_path(str(DATA / "make_camera_trap.py"))
    script["main"].__globals__["__file__"] = str(tmp_path / "make_camera_trap.py")
    script["main"]()
    for name in ("camera_trap.csv", "camera_trap_second.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes()
