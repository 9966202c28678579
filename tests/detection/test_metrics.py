"""Metrics against brute force, scikit-learn, published numbers and laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.detection.curves import detection_curves, precision_at, true_positive_rate_at
from choicekit.detection.groups import evaluate_by_group
from choicekit.detection.metrics import METRICS, evaluate_detection
from choicekit.detection.scores import score_table
from choicekit.detection.tables import read_logits
from choicekit.errors import InvalidInputError, ShapeError

DIGITS = Path(__file__).parents[2] / "scenarios" / "data" / "digits_logits.parquet"
ROUNDED = 6e-5  # what is printed to four digits, by another version of scikit-learn
TIED = st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({out for _, out in rows}) == 2
)


def split(rows: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([score for score, _ in rows], dtype=float), np.array([out for _, out in rows])


def brute_force(scores: np.ndarray, out: np.ndarray) -> dict[str, float]:
    """Every metric from its definition, threshold by threshold."""
    inside, outside = scores[~out], scores[out]
    pairs = outside[:, None] - inside
    thresholds = sorted(set(scores.tolist()), reverse=True)
    flagged_in = [np.mean(inside >= t) for t in thresholds]
    flagged_out = [np.mean(outside >= t) for t in thresholds]
    kept = next(np.mean(outside <= t) for t in sorted(thresholds) if np.mean(inside <= t) >= 0.95)
    caught = next(a for a, b in zip(flagged_in, flagged_out, strict=True) if b >= 0.95)

    def precision(positive: np.ndarray, other: np.ndarray) -> float:
        total, before = 0.0, 0.0
        for t in sorted({*positive.tolist(), *other.tolist()}, reverse=True):
            recall, hits, misses = np.mean(positive >= t), np.sum(positive >= t), np.sum(other >= t)
            total += (recall - before) * hits / (hits + misses)
            before = recall
        return total

    return {
        "auroc": float(np.mean((pairs > 0) + 0.5 * (pairs == 0))),
        "average_precision_ood": precision(outside, inside),
        "average_precision_id": precision(-inside, -outside),
        "fpr95_id_kept": float(kept),
        "fpr95_ood_caught": float(caught),
        "detection_error": min(0.5, *(0.5 * (a + 1 - b) for a, b in zip(flagged_in, flagged_out, strict=True))),
    }


@given(TIED)
def test_metrics_are_what_their_definitions_say(rows: list[tuple[int, bool]]) -> None:
    scores, out = split(rows)
    found, expected = evaluate_detection(scores, out), brute_force(scores, out)
    for name in METRICS:
        assert getattr(found, name) == pytest.approx(expected[name], abs=1e-12), name
    assert (found.n_in, found.n_out) == (np.sum(~out), np.sum(out))


@given(TIED)
def test_only_the_order_of_scores_matters(rows: list[tuple[int, bool]]) -> None:
    scores, out = split(rows)
    assert evaluate_detection(scores, out) == evaluate_detection(np.exp(3 * scores) - 1e6, out)
    assert evaluate_detection(scores, out) == evaluate_detection(scores[::-1], out[::-1])


def test_turning_both_signs_swaps_the_kinds() -> None:
    rng = np.random.default_rng(3)
    scores, out = rng.integers(0, 30, 500).astype(float), rng.random(500) < 0.3
    one, other = evaluate_detection(scores, out), evaluate_detection(-scores, ~out)
    assert one.auroc == pytest.approx(other.auroc, abs=1e-12)
    assert one.average_precision_ood == pytest.approx(other.average_precision_id, abs=1e-12)
    assert one.fpr95_id_kept == other.fpr95_ood_caught
    assert one.detection_error == pytest.approx(other.detection_error, abs=1e-12)


def test_the_same_scores_times_three_keep_their_auroc() -> None:
    """A known library drops from .969 to .909 here, through a sigmoid in single precision."""
    table = read_logits(DIGITS, logits="logit_", split="part")
    scores = score_table(table.logits, ["energy"])["energy"]
    rows = table.split != "training"
    out = np.char.startswith(table.split[rows], "held_out")
    assert evaluate_detection(3 * scores[rows], out) == evaluate_detection(scores[rows], out)


PUBLISHED = {
    "energy": (0.9695, 0.1187, 0.1745, 0.9604),
    "max_logit": (0.9692, 0.1171, 0.1782, 0.9587),
    "msp": (0.9506, 0.1677, 0.2908, 0.9259),
    "entropy": (0.9570, 0.1535, 0.2514, 0.9383),
    "gen": (0.9700, 0.1155, 0.1726, 0.9595),
}
"""AUROC, fpr95_ood_caught, fpr95_id_kept and average precision (OOD positive), by the issue, of digits 7 to 9."""


@pytest.mark.parametrize("method", PUBLISHED)
def test_the_known_answers_for_digits(method: str) -> None:
    table = read_logits(DIGITS, logits="logit_", split="part")
    rows = table.split != "training"
    out = np.char.startswith(table.split[rows], "held_out")
    found = evaluate_detection(score_table(table.logits[rows], [method])[method], out)
    assert (found.n_in, found.n_out) == (632, 533)
    shown = (found.auroc, found.fpr95_ood_caught, found.fpr95_id_kept, found.average_precision_ood)
    np.testing.assert_allclose(shown, PUBLISHED[method], atol=ROUNDED)


def test_constant_scores_tell_nothing() -> None:
    found = evaluate_detection(np.zeros(10), np.arange(10) < 3)
    assert (found.auroc, found.detection_error, found.fpr95_id_kept, found.fpr95_ood_caught) == (0.5, 0.5, 1.0, 1.0)
    assert (found.average_precision_ood, found.average_precision_id) == (0.3, 0.7)


@pytest.mark.parametrize(("out", "missing"), [(True, "in-distribution"), (False, "out-of-distribution")])
def test_one_kind_alone_has_no_metrics_and_says_so(out: bool, missing: str) -> None:
    found = evaluate_detection([1.0, 2.0], [out, out])
    assert found.note == f"there are no {missing} rows, which every metric needs"
    assert np.isnan([getattr(found, name) for name in METRICS]).all()
    assert found.n_in + found.n_out == 2
    with pytest.raises(InvalidInputError, match=f"found no {missing} ones"):
        detection_curves([1.0, 2.0], [out, out])


def test_scikit_learn_says_the_same() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(4)
    for n, levels in ((1_000, 5), (1_000_000, 2_000), (1_000_000, 10**9)):
        out = rng.random(n) < 0.2
        scores = (rng.integers(0, levels, n) + 0.3 * levels * out).astype(np.float64)
        found = evaluate_detection(scores, out)
        assert found.auroc == pytest.approx(metrics.roc_auc_score(out, scores), abs=1e-12)
        expected = metrics.average_precision_score(out, scores)
        assert found.average_precision_ood == pytest.approx(expected, abs=1e-12)
        expected = metrics.average_precision_score(~out, -scores)
        assert found.average_precision_id == pytest.approx(expected, abs=1e-12)


def test_scikit_learn_1_9_1_said() -> None:
    """roc_auc_score and average_precision_score of heavily tied scores, for where it is not installed."""
    scores = np.array([0, 1, 1, 2, 2, 2, 3, 3, 1, 2, 0, 3], dtype=float)
    out = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0], dtype=bool)
    found = evaluate_detection(scores, out)
    assert found.auroc == pytest.approx(0.7428571428571429, abs=1e-15)
    assert found.average_precision_ood == pytest.approx(0.5952380952380951, abs=1e-15)
    assert found.average_precision_id == pytest.approx(0.7880952380952381, abs=1e-15)


def test_infinite_scores_are_ranked() -> None:
    assert evaluate_detection([-np.inf, 0.0, np.inf], [False, False, True]).auroc == 1.0


@pytest.mark.parametrize(
    ("scores", "out", "error", "message"),
    [
        ([1.0, np.nan], [True, False], InvalidInputError, "found nan in row 1"),
        ([1.0, 2.0], [True], ShapeError, "one entry a row"),
        ([[1.0, 2.0]], [[True, False]], ShapeError, "one entry a row"),
        ([1.0, 2.0], [0, 2], InvalidInputError, "is_ood must be True or False"),
        ([1.0, 2.0], ["a", "b"], InvalidInputError, "is_ood must be True or False"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(scores: object, out: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        evaluate_detection(scores, out)


@given(TIED)
def test_curves_have_a_point_for_each_score(rows: list[tuple[int, bool]]) -> None:
    scores, out = split(rows)
    curves = detection_curves(scores, out)
    for place, threshold in enumerate(curves.thresholds):
        flagged = scores >= threshold
        assert curves.true_positive_rate[place] == pytest.approx(flagged[out].mean())
        assert curves.false_positive_rate[place] == pytest.approx(flagged[~out].mean())
        assert curves.precision[place] == pytest.approx(out[flagged].mean())
    assert curves.to_frame().columns[0] == "thresholds"


def test_curves_are_read_off_without_interpolation() -> None:
    curves = detection_curves([4.0, 3.0, 2.0, 1.0], [True, False, True, False])
    np.testing.assert_array_equal(true_positive_rate_at(curves, np.array([0.0, 0.49, 0.5, 1.0])), [0.5, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(precision_at(curves, np.array([0.0, 0.5, 0.51, 1.0])), [1.0, 1.0, 2 / 3, 2 / 3])


def test_a_thinned_curve_keeps_its_ends() -> None:
    rng = np.random.default_rng(1)
    curves = detection_curves(rng.normal(size=5_000), rng.random(5_000) < 0.5)
    thin = curves.thinned(50)
    assert 40 <= thin.thresholds.size <= 50
    assert thin.true_positive_rate[-1] == thin.false_positive_rate[-1] == 1.0
    assert thin.thresholds[0] == curves.thresholds[0]
    with pytest.raises(InvalidInputError, match="at least 2 points"):
        curves.thinned(1)


def test_groups_are_counted_by_themselves() -> None:
    scores, out = np.array([1.0, 3.0, 2.0, 5.0, 4.0]), np.array([False, True, False, False, False])
    found = evaluate_by_group(scores, out, ["a", "a", "a", "b", "b"], threshold=2.0)
    assert found["auroc"].tolist()[0] == 1.0
    assert np.isnan(found["auroc"].tolist()[1])
    assert found["flagged_in"].tolist() == [0.0, 1.0]
    assert found["note"].tolist() == ["", "there are no out-of-distribution rows, which every metric needs"]
    assert evaluate_by_group(scores, out, list("aaabb"))["flagged_in"].isna().all()
    with pytest.raises(ShapeError, match="one name a row"):
        evaluate_by_group(scores, out, ["a"])


def test_metrics_are_a_table() -> None:
    frame = evaluate_detection([1.0, 2.0], [False, True]).to_frame()
    assert frame["metric"].tolist() == list(METRICS)
    assert frame["value"].tolist() == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]
