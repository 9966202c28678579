"""Intervals by resampling, and DeLong's law for two AUROCs on the same rows."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.detection.bootstrap import bootstrap_detection
from choicekit.detection.delong import compare_auroc
from choicekit.detection.metrics import METRICS, evaluate_detection
from choicekit.errors import InvalidInputError
from tests.tolerances import MONTE_CARLO


def rows(seed: int, n_in: int = 150, n_out: int = 80, apart: float = 1.2) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    out = np.arange(n_in + n_out) >= n_in
    first = rng.normal(size=out.size) + apart * out
    return {"one": first, "two": first + rng.normal(size=out.size)}, out


def test_resamples_have_addresses_and_keep_both_kinds() -> None:
    scores, out = rows(1)
    found = bootstrap_detection(scores, out, seed=5, replications=20)
    again = bootstrap_detection({"two": scores["two"]}, out, seed=5, replications=30)
    np.testing.assert_array_equal(found.metrics["two"]["auroc"], again.metrics["two"]["auroc"][:20])
    other = bootstrap_detection(scores, out, seed=6, replications=20)
    assert not np.array_equal(found.metrics["one"]["auroc"], other.metrics["one"]["auroc"])
    assert found.replications == 20


def test_a_resample_is_the_metrics_of_the_rows_that_were_drawn() -> None:
    """Scores that are all different let the drawn rows be told from the resampled curve."""
    out = np.array([False, True])
    found = bootstrap_detection({"a": [0.0, 1.0]}, out, seed=1, replications=3)  # one row of each kind: nothing varies
    for metric in METRICS:
        assert set(found.metrics["a"][metric]) == {getattr(evaluate_detection([0.0, 1.0], out), metric)}
    np.testing.assert_array_equal(found.curves["a"]["roc"], np.ones((3, 101)))


def test_the_spread_is_that_of_auroc() -> None:
    """Against DeLong's standard error of a difference from a constant score, which has none of its own."""
    scores, out = rows(2)
    found = bootstrap_detection(scores, out, seed=1, replications=2_000)
    error = compare_auroc(scores["one"], np.zeros(out.size), out).standard_error
    spread = found.metrics["one"]["auroc"].std(ddof=1)
    assert spread == pytest.approx(error, rel=0.08)  # 2,000 resamples know it to 1.6 %, the law to a few percent
    lower, upper = found.interval("one", "auroc")
    assert lower < evaluate_detection(scores["one"], out).auroc < upper
    assert upper - lower == pytest.approx(2 * 1.96 * error, rel=0.1)


def test_differences_are_paired() -> None:
    scores, out = rows(3)
    found = bootstrap_detection(scores, out, seed=1, replications=500)
    lower, upper = found.difference("one", "two", "auroc")
    alone = np.hypot(*(np.ptp(found.interval(name, "auroc")) for name in scores))
    assert upper - lower < 0.9 * alone  # the scores share most of what makes them vary
    delong = compare_auroc(scores["one"], scores["two"], out)
    assert upper - lower == pytest.approx(delong.upper - delong.lower, rel=0.2)


def test_bands_hold_the_curve() -> None:
    scores, out = rows(4)
    found = bootstrap_detection(scores, out, seed=1, replications=300, level=0.9)
    for curve in ("roc", "precision_recall"):
        lower, upper = found.curve_band("one", curve)
        assert lower.shape == upper.shape == found.grid.shape
        assert np.all(lower <= upper)
        assert np.all((lower >= 0) & (upper <= 1))
    lower, upper = found.curve_band("one")
    assert lower[-1] == upper[-1] == 1.0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"scores": {}}, "needs at least one score"),
        ({"is_ood": np.ones(230, dtype=bool)}, "found no in-distribution ones"),
        ({"replications": 1}, "whole number of at least 2"),
        ({"level": 1.0}, "level must be between 0 and 1"),
        ({"seed": -1}, "seed"),
    ],
)
def test_what_cannot_be_resampled_is_refused(changed: dict, message: str) -> None:
    scores, out = rows(1)
    arguments = {"scores": scores, "is_ood": out, "seed": 1, "replications": 5} | changed
    with pytest.raises(InvalidInputError, match=message):
        bootstrap_detection(arguments.pop("scores"), arguments.pop("is_ood"), **arguments)


# --- DeLong ---------------------------------------------------------------------------------------------------------


def slow_delong(first: np.ndarray, second: np.ndarray, out: np.ndarray) -> tuple[float, float]:
    """DeLong, DeLong & Clarke-Pearson (1988), equations 4 to 6, pair by pair."""
    kernels = []
    for scores in (first, second):
        apart = scores[out][:, None] - scores[~out]
        kernels.append((apart > 0) + 0.5 * (apart == 0))
    by_out, by_in = np.array([k.mean(axis=1) for k in kernels]), np.array([k.mean(axis=0) for k in kernels])
    covariance = np.cov(by_out) / by_out.shape[1] + np.cov(by_in) / by_in.shape[1]
    contrast = np.array([1.0, -1.0])
    return float(kernels[0].mean() - kernels[1].mean()), float(np.sqrt(contrast @ covariance @ contrast))


@pytest.mark.parametrize("seed", range(5))
def test_the_fast_form_is_the_slow_one(seed: int) -> None:
    scores, out = rows(seed, 40, 25)
    first, second = np.round(scores["one"]), np.round(2 * scores["two"])  # ties
    found = compare_auroc(first, second, out)
    assert (found.difference, found.standard_error) == pytest.approx(slow_delong(first, second, out), abs=1e-12)
    assert found.lower < found.difference < found.upper


def test_no_difference_is_found_as_often_as_it_should_be() -> None:
    """Two scores as good as each other: p-values below .1 in a tenth of 400 samples."""
    rng, small = np.random.default_rng(1), 0
    out = np.arange(160) >= 100
    for _ in range(400):
        shared = rng.normal(size=160) + out
        small += compare_auroc(shared + rng.normal(size=160), shared + rng.normal(size=160), out).p_value < 0.1
    assert abs(small / 400 - 0.1) < MONTE_CARLO * np.sqrt(0.09 / 400)


def test_scores_that_rank_alike_do_not_differ() -> None:
    scores, out = rows(1)
    found = compare_auroc(scores["one"], 3 * scores["one"] + 1, out)
    assert (found.difference, found.standard_error, found.p_value) == (0.0, 0.0, 1.0)


def test_one_row_of_a_kind_has_no_standard_error() -> None:
    found = compare_auroc([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [False, False, True])
    assert found.difference == 1.0
    assert np.isnan([found.standard_error, found.lower, found.p_value]).all()
    with pytest.raises(InvalidInputError, match="found no out-of-distribution ones"):
        compare_auroc([1.0], [1.0], [False])
    with pytest.raises(InvalidInputError, match="level"):
        compare_auroc([1.0, 2.0], [1.0, 2.0], [False, True], level=0.0)
