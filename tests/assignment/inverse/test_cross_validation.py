"""The penalty that predicts best."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.assignment import WithOutsideOption
from choicekit.assignment.inverse import fit_assignment
from choicekit.assignment.inverse.cross_validation import folds_of
from choicekit.assignment.inverse.observations import observe

GENERATOR = np.random.default_rng(8)
NOISE = GENERATOR.normal(size=(4, 8, 6))
NEUTRAL = np.full((8, 6), 5.0)


def counts_of(strength: float) -> np.ndarray:
    return np.random.default_rng(3).poisson(NEUTRAL * np.exp(strength * NOISE[0]))


def test_noise_is_given_a_larger_penalty_than_a_signal() -> None:
    noise, signal = (
        fit_assignment(counts_of(strength), NOISE, penalty="cross-validated", seed=1) for strength in (0.0, 1.5)
    )
    assert noise.penalty >= 100 * signal.penalty
    assert np.abs(noise.coefficients).max() < 0.1
    assert signal.coefficients[0] > 1.0
    found = noise.cross_validation
    assert found.best == noise.penalty == found.penalties[np.argmax(found.scores)]
    np.testing.assert_allclose(found.scores, found.fold_scores.mean(axis=0))
    assert found.to_frame().shape == (8, 3)
    assert repr(found).startswith("CrossValidation(5 folds, 8 penalties")


def test_the_seed_decides_the_folds_and_nothing_else() -> None:
    counts = counts_of(0.5)
    one, same, other = (
        fit_assignment(counts, NOISE, penalty="cross-validated", seed=seed, folds=3) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.cross_validation.fold_scores, same.cross_validation.fold_scores)
    assert np.all(one.cross_validation.fold_scores != other.cross_validation.fold_scores)
    given = fit_assignment(counts, NOISE, penalty=one.penalty)
    np.testing.assert_allclose(one.coefficients, given.coefficients, rtol=1e-7)


@pytest.mark.parametrize("outside", [False, True])
def test_folds_share_out_every_observation(outside: bool) -> None:
    counts = counts_of(0.5)
    rows, columns = (WithOutsideOption(counts.sum(axis=axis) + 7.0) for axis in (1, 0))
    seen = observe(counts, rows if outside else None, columns if outside else None, None)
    parts = list(folds_of(seen, 4, 2))
    assert len(parts) == 4
    held = sum(part.outcomes * (part.number / part.total) for _, part in parts)
    np.testing.assert_allclose(held, seen.outcomes, rtol=1e-12)
    for kept, part in parts:
        assert kept.number + part.number == seen.number
        counts_held = part.outcomes * (part.number / part.total)
        np.testing.assert_allclose(counts_held, np.rint(counts_held), rtol=0, atol=1e-9)
        np.testing.assert_allclose([kept.total, part.total], seen.total)
        assert abs(part.number - seen.number / 4) < 5 * np.sqrt(seen.number * 3 / 16)


def test_singles_count_in_the_prediction() -> None:
    counts = counts_of(0.5)
    fit = fit_assignment(
        counts,
        NOISE,
        rows=WithOutsideOption(counts.sum(axis=1) + 7),
        columns=WithOutsideOption(counts.sum(axis=0) + 9),
        penalty="cross-validated",
        folds=3,
    )
    assert fit.converged
    assert np.isfinite(fit.cross_validation.scores).all()
