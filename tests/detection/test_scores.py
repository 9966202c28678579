"""Scores: one sign, no saturation, no nan; the compiled pass and its readable twin say the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import choicekit as ck
from choicekit.detection.kernels import COLUMNS, fill_scores, fill_scores_by_numpy, fill_scores_of_singles
from choicekit.detection.matching import KLReference
from choicekit.detection.scores import SCORES, energy, ood_score, score_table
from choicekit.errors import InvalidInputError, ShapeError

EPS = np.finfo(float).eps
SUMS = 64 * EPS  # relative: sums of a hundred terms, one rounding each, in another order
LOGITS = arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(2, 6)), elements=st.floats(-50, 50))


def table(n: int, j: int, spread: float = 3.0) -> np.ndarray:
    return np.random.default_rng(7).normal(size=(n, j)) * spread


@given(LOGITS, st.floats(-1e3, 1e3))
def test_adding_a_constant_moves_energy_and_no_probability(logits: np.ndarray, constant: float) -> None:
    size = np.abs(logits).max() + abs(constant) + 1
    np.testing.assert_allclose(energy(logits + constant), energy(logits) - constant, atol=8 * EPS * size)
    for method in ("msp", "entropy", "gen"):
        np.testing.assert_allclose(
            ood_score(logits + constant, method), ood_score(logits, method), rtol=200 * EPS * size, atol=1e-300
        )


@given(LOGITS, st.floats(0.05, 20))
def test_energy_is_minus_the_inclusive_value(logits: np.ndarray, temperature: float) -> None:
    expected = -ck.inclusive_value(logits, temperature=temperature)
    np.testing.assert_allclose(energy(logits, temperature), expected, rtol=8 * EPS, atol=8 * EPS * temperature)


@given(LOGITS)
def test_scores_are_what_their_formulas_say(logits: np.ndarray) -> None:
    p = ck.softmax(logits)
    np.testing.assert_allclose(ood_score(logits, "msp"), 1 - p.max(axis=-1), atol=8 * EPS)
    np.testing.assert_array_equal(ood_score(logits, "max_logit"), -logits.max(axis=-1))
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.sum(np.where(p > 0, p * np.log(p), 0.0), axis=-1)
    np.testing.assert_allclose(ood_score(logits, "entropy"), entropy, rtol=1e-12, atol=1e-12)


def test_gen_adds_up_over_the_likeliest() -> None:
    logits = table(40, 7)
    p = np.sort(ck.softmax(logits), axis=1)[:, ::-1]
    for top in (1, 3, 7, 100):
        expected = np.sum((p * (1 - p))[:, :top] ** 0.1, axis=1)
        np.testing.assert_allclose(ood_score(logits, "gen", top=top), expected, rtol=1e-9)
    np.testing.assert_allclose(ood_score(logits, "gen", power=0.5), np.sum(np.sqrt(p * (1 - p)), axis=1), rtol=1e-9)


def test_msp_tells_rows_apart_where_the_probability_rounds_to_one() -> None:
    found = ood_score([[40.0, 0.0], [50.0, 0.0]], "msp")
    np.testing.assert_allclose(found, np.exp([-40.0, -50.0]), rtol=1e-12)


@pytest.mark.parametrize("method", COLUMNS)
def test_no_nan_when_probabilities_underflow(method: str) -> None:
    logits = [[1e4, 0.0, -1e4], [0.0, 0.0, 0.0], [1e308, -1e308, 0.0], [5e-324, 0.0, -0.0]]
    for temperature in (0.0, 5e-324, 1.0, 1e300):
        assert np.isfinite(ood_score(logits, method, temperature=temperature)).all()


@pytest.mark.parametrize("n_classes", [2, 3, 10, 150, 1000])
@pytest.mark.parametrize("temperature", [1e-300, 0.1, 1.0, 1e10])
def test_the_compiled_pass_says_what_its_readable_twin_says(n_classes: int, temperature: float) -> None:
    logits = table(60, n_classes) * np.resize([1.0, 30.0, 1e3, 1e8], (60, 1))
    logits[:5], logits[5:9] = 1.0, np.round(logits[5:9])  # ties
    found, expected = np.empty((60, 5)), np.empty((60, 5))
    fill_scores(logits, temperature, 0.1, 100, found)
    fill_scores_by_numpy(logits, temperature, 0.1, 100, expected)
    np.testing.assert_allclose(found, expected, rtol=SUMS)


def test_single_precision_is_only_rounded_once() -> None:
    logits = table(50, 20).astype(np.float32)
    found, expected = np.empty((50, 5)), np.empty((50, 5))
    fill_scores_of_singles(logits, 1.0, 0.1, 100, found)
    fill_scores(logits.astype(np.float64), 1.0, 0.1, 100, expected)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(energy(logits), expected[:, 0])


def test_many_rows_on_threads_are_the_rows_by_themselves() -> None:
    logits = table(70_000, 3)
    whole, part = score_table(logits), score_table(logits[41_000:41_100])
    for method in COLUMNS:
        np.testing.assert_array_equal(whole[method][41_000:41_100], part[method])


def test_the_hard_maximum_is_the_limit() -> None:
    logits = [[1.0, 0.0, 0.0], [2.0, 2.0, 0.0]]
    np.testing.assert_array_equal(ood_score(logits, "energy", temperature=0.0), [-1.0, -2.0])
    np.testing.assert_array_equal(ood_score(logits, "msp", temperature=0.0), [0.0, 0.5])
    np.testing.assert_allclose(ood_score(logits, "entropy", temperature=0.0), [0.0, np.log(2)])
    for method in ("msp", "entropy", "gen"):
        near = ood_score(logits, method, temperature=1e-4)
        np.testing.assert_allclose(ood_score(logits, method, temperature=0.0), near, atol=1e-12)


def test_the_value_of_any_rule_is_a_score() -> None:
    logits = table(5, 4)
    np.testing.assert_array_equal(ood_score(logits, "value", rule=ck.Sparsemax()), -ck.Sparsemax().value(logits))
    np.testing.assert_allclose(ood_score(logits, "value", rule=ck.Softmax()), energy(logits), rtol=8 * EPS)


def test_rows_may_have_any_shape() -> None:
    logits = table(6, 4)
    for method in ("energy", "gen"):
        np.testing.assert_array_equal(ood_score(logits.reshape(2, 3, 4), method).reshape(6), ood_score(logits, method))
        assert ood_score(logits[0], method).shape == ()


def test_kl_matching_is_the_smallest_divergence_from_a_typical_row() -> None:
    known, new = table(200, 5), table(20, 5, 1.0)
    reference = KLReference.fit(known, temperature=2.0)
    p, d = ck.softmax(new, temperature=2.0), reference.distributions
    expected = np.min(np.sum(p[:, None] * np.log(p[:, None] / d), axis=2), axis=1)
    np.testing.assert_allclose(
        ood_score(new, "kl_matching", reference=reference, temperature=2.0), expected, rtol=1e-10
    )
    soft, predicted = ck.softmax(known, temperature=2.0), known.argmax(axis=1)
    np.testing.assert_allclose(d[0], soft[predicted == reference.classes[0]].mean(axis=0), rtol=1e-12)
    assert np.isfinite(reference.divergence([[1e5, 0, 0, 0, 0]])).all()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"logits": [[1.0, 2.0], [np.nan, 0.0]]}, InvalidInputError, "found nan in row 1, class 0"),
        ({"logits": [[np.inf, 2.0]]}, InvalidInputError, "found inf in row 0, class 0"),
        ({"logits": [[1.0], [2.0]]}, ShapeError, "at least two classes on their last axis, found shape \\(2, 1\\)"),
        ({"logits": [["a", "b"]]}, InvalidInputError, "logits must be an array of real numbers"),
        ({"logits": [[1.0, 2.0]], "temperature": -1.0}, InvalidInputError, "at least 0, found -1.0"),
        ({"logits": [[1.0, 2.0]], "temperature": True}, InvalidInputError, "temperature must be one finite number"),
        (
            {"logits": [[1.0, 2.0]], "method": "enrgy"},
            InvalidInputError,
            "unknown score 'enrgy', did you mean 'energy'",
        ),
        ({"logits": [[1.0, 2.0]], "method": "value"}, InvalidInputError, "needs a rule"),
        ({"logits": [[1.0, 2.0]], "method": "kl_matching"}, InvalidInputError, "needs a reference"),
        ({"logits": [[1.0, 2.0]], "method": "gen", "power": 0.0}, InvalidInputError, "power must be above 0"),
        ({"logits": [[1.0, 2.0]], "method": "gen", "top": 0}, InvalidInputError, "top must be a whole number"),
    ],
)
def test_what_cannot_be_scored_is_refused(arguments: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ood_score(**arguments)


def test_every_score_says_what_it_is() -> None:
    assert list(SCORES) == [*COLUMNS, "kl_matching", "value"]
    assert all(score.title and score.meaning for score in SCORES.values())
    assert [name for name, score in SCORES.items() if score.needs_reference] == ["kl_matching"]
    with pytest.raises(ShapeError, match="the reference has 2 classes"):
        KLReference.fit([[1.0, 0.0]]).divergence([[1.0, 0.0, 0.0]])
    with pytest.raises(InvalidInputError, match="temperature above 0"):
        KLReference.fit([[1.0, 0.0]], temperature=0.0)
    with pytest.raises(ShapeError, match="needs a table"):
        KLReference.fit(np.empty((0, 3)))
