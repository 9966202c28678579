"""Gumbel-softmax: its argmax is the coherent choice, its ends one-hot and uniform, its gradient that of held draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import (
    Hardmax,
    InvalidInputError,
    ShapeError,
    Softmax,
    choose,
    gumbel_softmax,
    gumbel_softmax_vjp,
    softmax,
)
from choicekit.random import Draws, Stage, alternative_words, row_words
from tests.tolerances import assert_distribution, assert_monte_carlo

MANY = 100_000


def rows_of(n: int, alternatives: int = 4, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, alternatives)) * 2


@pytest.mark.parametrize("kappa", [0.0, 5e-324, 1e-12, 0.01, 0.5, 1.0, 10.0, 1e3])
def test_the_largest_entry_is_the_coherent_choice(kappa: float) -> None:
    utility = rows_of(MANY)
    sample = gumbel_softmax(utility, kappa, temperature=0.7, seed=3)
    assert sample.shape == utility.shape
    assert_distribution(sample)
    np.testing.assert_array_equal(sample.argmax(axis=1), choose(utility, rule=Softmax(0.7), seed=3))


def test_small_ones_are_one_hot_and_large_ones_uniform() -> None:
    utility = rows_of(MANY)
    chosen = choose(utility, seed=3)
    for kappa in (0.0, 5e-324, 1e-300):
        np.testing.assert_array_equal(gumbel_softmax(utility, kappa, seed=3), np.eye(4)[chosen])
    largest = [gumbel_softmax(utility, kappa, seed=3).max(axis=1).mean() for kappa in (0.01, 0.1, 1.0, 10.0, 1e3)]
    assert np.all(np.diff(largest) < 0)
    assert largest[0] > 0.99
    np.testing.assert_allclose(gumbel_softmax(utility, 1e6, seed=3), 0.25, atol=1e-4)


def test_the_sample_is_the_formula() -> None:
    utility, names = rows_of(20), ["a", "b", "c", "d"]
    agents = [f"agent {number}" for number in range(20)]
    found = gumbel_softmax(utility, 0.3, temperature=0.5, seed=8, agents=agents, alternatives=names, replications=3)
    draws = Draws(seed=8, stage=Stage.CHOICE, rows=row_words(agents), alternatives=alternative_words(names))
    for replication in range(3):
        expected = np.exp((utility / 0.5 + draws.gumbels(replication)) / 0.3)
        np.testing.assert_allclose(found[replication], expected / expected.sum(axis=1, keepdims=True), rtol=1e-11)


def test_as_kappa_falls_the_mean_becomes_the_probabilities() -> None:
    utility = [0.0, 1.0, -1.0]
    sample = gumbel_softmax(utility, 1e-3, seed=2, agents=range(MANY))
    assert_monte_carlo(sample.mean(axis=0), softmax(utility), sample.std(axis=0) / np.sqrt(MANY))
    relaxed = gumbel_softmax(utility, 1.0, seed=2, agents=range(MANY)).mean(axis=0)
    assert np.abs(relaxed - softmax(utility)).max() > 0.02  # biased towards the middle, as the notes say


def test_shapes_and_addresses() -> None:
    utility = rows_of(6)
    found = gumbel_softmax(utility, 0.5, seed=1, replications=5)
    assert found.shape == (5, 6, 4)
    np.testing.assert_array_equal(found[0], gumbel_softmax(utility, 0.5, seed=1))
    np.testing.assert_array_equal(found[:4], gumbel_softmax(utility, 0.5, seed=1, replications=4))
    order = [3, 1, 5, 0, 4, 2]
    again = gumbel_softmax(utility[order], 0.5, seed=1, agents=order, replications=5)
    np.testing.assert_array_equal(again, found[:, order])
    swapped = gumbel_softmax(utility[:, ::-1], 0.5, seed=1, alternatives=[3, 2, 1, 0])
    np.testing.assert_allclose(swapped[:, ::-1], found[0], rtol=1e-13)
    assert gumbel_softmax(utility[0], 0.5, seed=1).shape == (1, 4)
    assert gumbel_softmax(utility[0], 0.5, seed=1, agents=[7, 8]).shape == (2, 4)
    by_row = np.array([0.0, 0.1, 0.5, 1.0, 2.0, 9.0])
    each = gumbel_softmax(utility, by_row, temperature=by_row[::-1], seed=1)
    for place in range(6):
        alone = gumbel_softmax(
            utility[place], by_row[place], temperature=by_row[5 - place], seed=1, agents=[place]
        )  # fmt: skip
        np.testing.assert_array_equal(each[place], alone[0])


def test_unavailable_is_exactly_0() -> None:
    utility, available = rows_of(50), np.ones((50, 4), dtype=bool)
    available[::2, 1] = False
    available[1::3, 2:] = False
    for kappa in (0.0, 0.1, 1e6):
        sample = gumbel_softmax(utility, kappa, seed=1, availability=available)
        assert np.all(sample[~available] == 0)
        assert_distribution(sample)
        hidden = gumbel_softmax(np.where(available, utility, -np.inf), kappa, seed=1)
        np.testing.assert_array_equal(sample, hidden)
        gradient = gumbel_softmax_vjp(utility, rows_of(50, seed=4), kappa, seed=1, availability=available)
        assert np.all(gradient[~available] == 0)


def test_at_temperature_0_tied_maxima_share_the_sample() -> None:
    utility = np.tile([2.0, 5.0, 5.0, 1.0], (1000, 1))
    sample = gumbel_softmax(utility, 0.5, temperature=0, seed=1)
    assert np.all(sample[:, [0, 3]] == 0)
    np.testing.assert_array_equal(sample.argmax(axis=1), choose(utility, rule=Hardmax(), seed=1))
    colder = gumbel_softmax(utility, 0.5, temperature=1e-6, seed=1)
    np.testing.assert_allclose(colder, sample, atol=1e-12)
    gradient = gumbel_softmax_vjp(utility, rows_of(1000), 0.5, temperature=0, seed=1)
    assert np.all(np.isnan(gradient[:, 1:3]))
    assert np.all(gradient[:, [0, 3]] == 0)
    alone = gumbel_softmax_vjp([1.0, 2.0], [1.0, 0.0], 0.5, temperature=0, seed=1)
    np.testing.assert_array_equal(alone, 0.0)


@pytest.mark.parametrize("kappa", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("temperature", [0.5, 3.0])
@pytest.mark.parametrize("replications", [1, 3])
def test_the_gradient_is_that_of_finite_differences_with_held_draws(
    kappa: float, temperature: float, replications: int
) -> None:
    rng = np.random.default_rng(5)
    utility = rng.normal(size=(6, 4))
    shape = (6, 4) if replications == 1 else (replications, 6, 4)
    cotangent = rng.normal(size=shape)
    settings: dict[str, Any] = {"temperature": temperature, "seed": 9, "replications": replications}

    def loss(u: np.ndarray) -> float:
        return float((cotangent * gumbel_softmax(u, kappa, **settings)).sum())

    gradient = gumbel_softmax_vjp(utility, cotangent, kappa, **settings)
    assert gradient.shape == utility.shape
    step, expected = 1e-5, np.empty_like(utility)
    for place in np.ndindex(6, 4):
        moved = np.zeros_like(utility)
        moved[place] = step
        expected[place] = (loss(utility + moved) - loss(utility - moved)) / (2 * step)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(gradient.sum(axis=1), 0.0, atol=1e-12)


def test_one_row_for_all_gathers_the_gradient_of_all() -> None:
    utility, cotangent = np.array([0.2, -1.0, 0.7]), np.array([1.0, 2.0, -1.0])
    agents = [f"agent {number}" for number in range(30)]
    each = gumbel_softmax_vjp(np.tile(utility, (30, 1)), cotangent, 0.5, seed=1, agents=agents, replications=2)
    shared = gumbel_softmax_vjp(utility, cotangent, 0.5, seed=1, agents=agents, replications=2)
    assert shared.shape == (3,)
    np.testing.assert_allclose(shared, each.sum(axis=0), rtol=1e-12)
    available = np.ones((30, 3), dtype=bool)
    by_row = gumbel_softmax_vjp(utility, cotangent, 0.5, seed=1, agents=agents, availability=available, replications=2)
    np.testing.assert_array_equal(by_row, each)


@given(
    st.lists(st.sampled_from([0.0, 1.0, -1e300, 1e300, 5e-324, -3.0]), min_size=2, max_size=5),
    st.sampled_from([0.0, 5e-324, 1e-12, 1.0, 1e300]),
    st.sampled_from([0.0, 5e-324, 1e-12, 1.0, 1e300]),
)
def test_extremes_give_distributions_without_warnings(row: list[float], kappa: float, temperature: float) -> None:
    sample = gumbel_softmax(row, kappa, temperature=temperature, seed=1)
    assert_distribution(sample)
    gradient = gumbel_softmax_vjp(row, np.arange(len(row)), kappa, temperature=temperature, seed=1)
    assert gradient.shape == (len(row),)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"relaxation_temperature": -0.1},
            InvalidInputError,
            r"relaxation_temperature must be finite and at least 0, fo",
        ),
        ({"relaxation_temperature": "hot"}, InvalidInputError, "relaxation_temperature must be a number, or one a row"),
        ({"temperature": np.nan}, InvalidInputError, "temperature must be finite and at least 0, found nan"),
        ({"replications": 0}, InvalidInputError, "replications must be a whole number of at least 1, found 0"),
        ({"agents": [1, 1]}, InvalidInputError, "agent 1 occurs twice"),
        ({"agents": [1, 2, 3]}, ShapeError, "agents must match the rows of utility: found 3 agents and 2 rows"),
        ({"alternatives": ["a"]}, ShapeError, "alternatives must match the columns of utility: found 1 and 3"),
        ({"seed": -1}, InvalidInputError, "seed must be a whole number"),
        ({"utility": np.zeros((2, 2, 3))}, ShapeError, r"utility must be \(J,\) or \(N, J\), found shape"),
        ({"relaxation_temperature": [0.1, 0.2, 0.3]}, ShapeError, "temperature must be one number or one a row"),
    ],
)
def test_what_cannot_be_drawn_is_refused(change: dict[str, Any], error: type[Exception], message: str) -> None:
    settings: dict[str, Any] = {"utility": np.zeros((2, 3)), "relaxation_temperature": 0.5, "seed": 1, **change}
    with pytest.raises(error, match=message):
        gumbel_softmax(**settings)
    with pytest.raises(error, match=message):
        gumbel_softmax_vjp(cotangent=np.ones(3), **settings)


def test_a_cotangent_fits_and_is_finite() -> None:
    with pytest.raises(ShapeError, match=r"cotangent must broadcast with the samples of shape \(2, 3\), found shape"):
        gumbel_softmax_vjp(np.zeros((2, 3)), np.ones(4), 0.5, seed=1)
    with pytest.raises(InvalidInputError, match="must be finite where available, found nan"):
        gumbel_softmax_vjp(np.zeros((2, 3)), [0.0, np.nan, 0.0], 0.5, seed=1)
