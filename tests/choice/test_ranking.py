"""Rankings: their law, their first place, and exact inclusion probabilities."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import permutations
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
    inclusion_probabilities,
    rank_choices,
    softmax,
)
from tests.tolerances import assert_counts_follow, assert_monte_carlo

MANY = 30_000


def ranking_law(weights: list[int], k: int) -> dict[tuple[int, ...], Fraction]:
    """Plackett and Luce's law of the first k places, by multiplying out."""
    law = {}
    for order in permutations(range(len(weights)), k):
        left, chance = Fraction(sum(weights)), Fraction(1)
        for place in order:
            chance, left = chance * weights[place] / left, left - weights[place]
        law[order] = chance
    return law


@pytest.mark.parametrize(("weights", "k"), [([1, 2, 3, 4], 4), ([1, 2, 3, 4], 2), ([5, 1, 1, 1, 9], 3), ([1, 1000], 2)])
@pytest.mark.parametrize("temperature", [1.0, 0.01])
def test_rankings_follow_the_law_of_plackett_and_luce(weights: list[int], k: int, temperature: float) -> None:
    utility = np.log(weights) * temperature
    ranked = rank_choices(utility, k=k, temperature=temperature, seed=5, agents=range(MANY))
    counts, law = Counter(map(tuple, ranked.tolist())), ranking_law(weights, k)
    assert set(counts) <= set(law)
    assert_counts_follow([counts[order] for order in law], [MANY * float(chance) for chance in law.values()])
    frequency = np.array([(ranked == place).any(axis=1).mean() for place in range(len(weights))])
    exact = inclusion_probabilities(utility, k, temperature)
    assert_monte_carlo(frequency, exact, np.sqrt(np.maximum(exact * (1 - exact), 1e-12) / MANY))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.data())
def test_inclusion_probabilities_are_those_of_the_law(weights: list[int], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(weights)))
    expected = [Fraction(0)] * len(weights)
    for order, chance in ranking_law(weights, k).items():
        for place in order:
            expected[place] += chance
    found = inclusion_probabilities(np.log(weights), k)
    np.testing.assert_allclose(found, [float(chance) for chance in expected], rtol=1e-13)
    assert found.sum() == pytest.approx(k, rel=1e-13)
    if k == 1:
        np.testing.assert_allclose(found, softmax(np.log(weights)), rtol=1e-14)


@pytest.mark.parametrize("temperature", [0.0, 1e-12, 0.3, 1.0, 50.0])
def test_the_first_place_is_what_choose_draws(temperature: float) -> None:
    utility = np.random.default_rng(1).normal(size=(20_000, 5)).round(1)  # with ties
    available = np.random.default_rng(2).random((20_000, 5)) < 0.7
    available[~available.any(axis=1), 0] = True
    settings: dict[str, Any] = {"seed": 4, "availability": available, "replications": 3}
    ranked = rank_choices(utility, k=3, temperature=temperature, **settings)
    assert ranked.shape == (3, 20_000, 3)
    np.testing.assert_array_equal(ranked[..., 0], choose(utility, rule=Softmax(temperature), **settings))
    held = ranked >= 0
    np.testing.assert_array_equal(held.sum(axis=-1), np.broadcast_to(np.minimum(available.sum(axis=1), 3), (3, 20_000)))
    assert np.all(np.diff(held.astype(int), axis=-1) <= 0)  # what is missing comes last
    assert np.take_along_axis(available[None], np.where(held, ranked, available.argmax(axis=1)[:, None]), -1).all()


def test_a_ranking_of_all_is_a_permutation_whatever_else_there_is() -> None:
    utility = np.random.default_rng(1).normal(size=(500, 6))
    names = ["a", "b", "c", "d", "e", "f"]
    ranked = rank_choices(utility, seed=2, alternatives=names)
    np.testing.assert_array_equal(np.sort(ranked, axis=1), np.tile(np.arange(6), (500, 1)))
    np.testing.assert_array_equal(rank_choices(utility, k=2, seed=2, alternatives=names), ranked[:, :2])
    fewer = rank_choices(utility[:, :5], seed=2, alternatives=names[:5])
    np.testing.assert_array_equal(fewer, ranked[ranked != 5].reshape(500, 5))
    order = np.random.default_rng(3).permutation(500)
    again = rank_choices(utility[order], seed=2, agents=order, alternatives=names)
    np.testing.assert_array_equal(again, ranked[order])


def test_blocks_do_not_matter() -> None:
    utility = np.random.default_rng(1).normal(size=(20_000, 3))
    ranked = rank_choices(utility, seed=2, replications=2)
    np.testing.assert_array_equal(ranked[:, 9_000:9_010], rank_choices(
        utility[9_000:9_010], seed=2, agents=range(9_000, 9_010), replications=2
    ))  # fmt: skip


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1e-18, 1e-9])
def test_ties_far_below_the_best_are_broken_at_random(temperature: float) -> None:
    """Measured from the best, utilities at a tiny temperature would leave no digits for the perturbations."""
    utility = np.array([9.0, 1.0, 1.0, 1.0, -1e300, -1e300, np.nextafter(9.0, 0)])
    ranked = rank_choices(utility, temperature=temperature, seed=7, agents=range(MANY))
    np.testing.assert_array_equal(ranked[:, :2], np.tile([0, 6], (MANY, 1)) if temperature < 1e-16 else ranked[:, :2])
    orders = Counter(map(tuple, ranked[:, 2:5].tolist()))
    assert_counts_follow([orders[order] for order in permutations([1, 2, 3])], np.full(6, MANY / 6))
    assert_counts_follow(np.bincount(ranked[:, 5], minlength=6)[4:], np.full(2, MANY / 2))
    tied = inclusion_probabilities(utility, 4, temperature)
    np.testing.assert_allclose(tied, [1, 2 / 3, 2 / 3, 2 / 3, 0, 0, 1], rtol=1e-14)


def test_at_temperature_0_it_is_the_order_of_utilities() -> None:
    utility = np.random.default_rng(1).normal(size=(200, 6))
    np.testing.assert_array_equal(rank_choices(utility, temperature=0, seed=1), np.argsort(-utility, axis=1))
    np.testing.assert_array_equal(rank_choices(utility, k=1, temperature=0, seed=1)[:, 0], choose(
        utility, rule=Hardmax(), seed=1
    ))  # fmt: skip


def test_temperatures_by_row_and_availability() -> None:
    utility = np.random.default_rng(1).normal(size=(4, 5))
    temperature = np.array([0.0, 0.1, 1.0, 30.0])
    available = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [1, 0, 0, 0, 0], [1, 1, 0, 0, 0]], dtype=bool)
    ranked = rank_choices(utility, temperature=temperature, seed=1, availability=available)
    included = inclusion_probabilities(utility, 2, temperature, available)
    for row in range(4):
        alone = rank_choices(
            utility[row], temperature=temperature[row], seed=1, availability=available[row], agents=[row]
        )  # fmt: skip
        np.testing.assert_array_equal(ranked[row], alone[0])
        expected = inclusion_probabilities(utility[row], 2, temperature[row], available[row])
        np.testing.assert_array_equal(included[row], expected)
    np.testing.assert_allclose(included.sum(axis=1), [2, 2, 1, 2], rtol=1e-14)
    assert np.all(included[~available] == 0)
    np.testing.assert_array_equal(ranked[2], [0, -1, -1, -1, -1])


def test_more_alternatives_than_can_be_summed() -> None:
    wide = np.random.default_rng(1).normal(size=19)
    with pytest.raises(InvalidInputError, match="need at most 18 available alternatives, found 19: estimate them as"):
        inclusion_probabilities(wide, 2)
    np.testing.assert_allclose(inclusion_probabilities(wide, 1), softmax(wide), rtol=1e-14)
    np.testing.assert_array_equal(inclusion_probabilities(wide, 19), 1.0)
    available = np.arange(19) > 9
    np.testing.assert_allclose(
        inclusion_probabilities(wide, 4, availability=available)[available], inclusion_probabilities(wide[available], 4)
    )


@pytest.mark.parametrize("k", [0, 4, -1, 1.0, True])
def test_places_are_a_whole_number_of_alternatives(k: Any) -> None:
    message = "k must be a whole number from 1 to the number of alternatives, 3, found"
    with pytest.raises(InvalidInputError, match=message):
        rank_choices(np.zeros(3), k=k, seed=1)
    with pytest.raises(InvalidInputError, match=message):
        inclusion_probabilities(np.zeros(3), k)


def test_other_arguments_are_checked_as_by_choose() -> None:
    with pytest.raises(ShapeError, match="Softmax has settings for 3 rows, but there are 2"):
        rank_choices(np.zeros((2, 2)), temperature=[1.0, 2.0, 3.0], seed=1)
    with pytest.raises(ShapeError, match="settings for 3 rows"):
        inclusion_probabilities(np.zeros((2, 2)), 1, [1.0, 2.0, 3.0])
    with pytest.raises(ShapeError, match=r"utility must be \(J,\) or \(N, J\), found shape \(1, 1, 2\)"):
        inclusion_probabilities(np.zeros((1, 1, 2)), 1)
    with pytest.raises(InvalidInputError, match="replications must be a whole number"):
        rank_choices(np.zeros(2), seed=1, replications=0)
    with pytest.raises(InvalidInputError, match="temperature must be finite"):
        rank_choices(np.zeros(2), seed=1, temperature=-1)
