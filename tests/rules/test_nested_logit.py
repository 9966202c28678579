"""Nested logit: against its generator, against formulas in print, and in the corners of its tree."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import choose
from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import Hardmax, Nest, NestedLogit, Softmax
from choicekit.rules.utilities import available_utility
from tests.tolerances import ALGEBRA, assert_counts_follow, assert_probabilities_close, assert_utilities_close

INF = math.inf
THREE_LEVELS = {
    "public": Nest([0], 0.8, {"rail": Nest([1, 4], 0.5, {"fast": Nest([2, 5], 0.6)}), "road": Nest([6], 0.3)}),
    "other": Nest([7, 3], 0.4),
}
NESTS = {
    "two": {"a": Nest([0, 3], 0.5), "b": Nest([1, 4], 0.25)},
    "three levels": THREE_LEVELS,
    "everything in one": {"all": Nest(range(9), 0.6)},
    "ones inside": {"a": Nest([0], 1.0, {"b": Nest([1, 2], 0.5, {"c": Nest([3, 4], 1.0)})})},
}
every_nests = pytest.mark.parametrize("nests", NESTS.values(), ids=NESTS.keys())


def generator(nests: dict[str, Nest], y: np.ndarray) -> complex:
    """G(y) as it is defined, for complex y: (sum over children of G^(1 / L))^L with L multiplied down the tree."""
    inside: set[int] = set()

    def worth(nest: Nest, outer: float) -> complex:
        scale = outer * nest.dissimilarity
        inside.update(nest.members)
        below = [y[place] for place in nest.members] + [worth(inner, scale) for inner in nest.nests.values()]
        return sum(each ** (1 / scale) for each in below) ** scale

    return sum(worth(nest, 1.0) for nest in nests.values()) + sum(
        each for place, each in enumerate(y) if place not in inside
    )


def by_differentiation(nests: dict[str, Nest], utility: np.ndarray, temperature: float) -> tuple[float, np.ndarray]:
    """T log G(exp(u / T)) and its gradient: an imaginary step has no rounding."""
    step = 1e-30
    value = temperature * np.log(generator(nests, np.exp(utility / temperature + 0j)))
    slopes = [
        temperature * np.log(generator(nests, np.exp((utility + 1j * step * one) / temperature))).imag / step
        for one in np.eye(utility.size)
    ]
    return value.real, np.array(slopes)


@every_nests
@pytest.mark.parametrize("temperature", [1.0, 0.3, 5.0])
def test_values_and_probabilities_are_those_of_the_generator(nests, temperature):
    for utility in np.random.default_rng(1).normal(scale=2.0, size=(20, 9)):
        value, slopes = by_differentiation(nests, utility, temperature)
        rule = NestedLogit(nests, temperature)
        np.testing.assert_allclose(rule.value(utility), value, rtol=1e-13)
        np.testing.assert_allclose(rule.probabilities(utility), slopes, rtol=1e-11, atol=1e-15)


@every_nests
def test_the_conjugate_is_the_least_that_supports_the_value(nests):
    rule, random = NestedLogit(nests, 0.7), np.random.default_rng(2)
    utility = random.normal(scale=3.0, size=(50, 9))
    p = rule.probabilities(utility)
    np.testing.assert_allclose(rule.value(utility) + rule.conjugate(p), np.sum(utility * p, axis=1), atol=1e-13)
    for q in random.dirichlet(np.full(9, 0.5), 20):
        assert np.all(rule.value(utility) + rule.conjugate(q) - utility @ q > 0)


def test_probabilities_are_those_of_train_equation_4_2():
    utility, scales = np.array([0.3, -0.2, 0.9, 0.4, -1.0]), (0.5, 0.8)
    groups = ((0, 1, 2), (3, 4))
    sums = [np.exp(utility[list(group)] / scale).sum() for group, scale in zip(groups, scales, strict=True)]
    total = sum(each**scale for each, scale in zip(sums, scales, strict=True))
    expected = [
        np.exp(utility[place] / scale) * each ** (scale - 1) / total
        for group, scale, each in zip(groups, scales, sums, strict=True)
        for place in group
    ]
    rule = NestedLogit({"a": Nest(groups[0], scales[0]), "b": Nest(groups[1], scales[1])})
    np.testing.assert_allclose(rule.probabilities(utility), expected, rtol=1e-14)


def test_a_red_bus_and_a_blue_bus_are_one_bus():
    shares = [NestedLogit({"bus": Nest([1, 2], d)}).probabilities(np.zeros(3)) for d in (1.0, 0.5, 1e-9, 5e-324)]
    np.testing.assert_allclose(shares[0], [1 / 3, 1 / 3, 1 / 3])
    np.testing.assert_allclose(shares[1], np.array([1, 2**-0.5, 2**-0.5]) / (1 + 2**0.5), rtol=1e-15)
    np.testing.assert_allclose(shares[2:], [[0.5, 0.25, 0.25]] * 2, atol=1e-9)


eighths = st.integers(-400, 400).map(lambda n: n / 8) | st.just(-INF)


@given(row=st.lists(eighths, min_size=9, max_size=9), temperature=st.sampled_from([1.0, 0.25, 1e-12]))
def test_with_dissimilarity_1_it_is_softmax(row, temperature):
    utility = np.array([*row[:-1], 0.0])
    ones = {"a": Nest([0], nests={"b": Nest([1, 2], nests={"c": Nest([3])})}), "d": Nest([4, 5])}
    for nests in (ones, {}, {"lonely": Nest([3], 0.3), "alone": Nest([7], 1e-3)}):
        rule, softmax = NestedLogit(nests, temperature), Softmax(temperature)
        assert_utilities_close(rule.value(utility), softmax.value(utility), utility, temperature)
        assert_probabilities_close(rule.probabilities(utility), softmax.probabilities(utility))
        p = softmax.probabilities(utility)
        np.testing.assert_allclose(rule.conjugate(p), softmax.conjugate(p), rtol=ALGEBRA, atol=temperature * ALGEBRA)
        step = np.arange(9.0)
        slope = softmax.jacobian_product(utility, step)
        np.testing.assert_allclose(rule.jacobian_product(utility, step), slope, rtol=1e-12, atol=1e-13 / temperature)
        assert rule.max_gap(9) == pytest.approx(float(softmax.max_gap(9)), rel=1e-15)


def test_with_dissimilarity_1_it_chooses_as_softmax():
    utility = np.random.default_rng(3).normal(size=(5_000, 4))
    for nests in ({"a": Nest([0, 1], nests={"b": Nest([2])})}, {}):
        np.testing.assert_array_equal(choose(utility, rule=NestedLogit(nests), seed=1), choose(utility, seed=1))


@every_nests
def test_a_nest_without_anything_available_counts_for_nothing(nests):
    rule, utility = NestedLogit(nests), np.random.default_rng(4).normal(size=9)
    for gone in ([7, 3], [2, 5], [0, 1, 2, 4, 5, 6], [0, 1, 2, 3, 4, 5, 6, 7]):
        available = ~np.isin(np.arange(9), gone)
        left = {place: number for number, place in enumerate(np.flatnonzero(available).tolist())}

        def without(inner: dict[str, Nest], left: dict[int, int] = left) -> dict[str, Nest]:
            kept = {
                name: Nest([left[p] for p in n.members if p in left], n.dissimilarity, without(n.nests))
                for name, n in inner.items()
            }
            return {name: nest for name, nest in kept.items() if len(nest.members) or nest.nests}

        fewer = NestedLogit(without(nests))
        np.testing.assert_allclose(rule.value(utility, available), fewer.value(utility[available]), rtol=1e-14)
        p = rule.probabilities(utility, available)
        np.testing.assert_allclose(p[available], fewer.probabilities(utility[available]), rtol=1e-13)
        assert np.all(p[~available] == 0)
        moved = rule.jacobian_product(utility, np.arange(9.0), available)
        expected = fewer.jacobian_product(utility[available], np.arange(9.0)[available])
        np.testing.assert_allclose(moved[available], expected, rtol=1e-11, atol=1e-14)


def test_low_temperatures_share_ties_through_the_tree_and_zero_does_not():
    rule = NestedLogit({"a": Nest([0, 1], 0.5)}, 1e-12)
    through = np.array([2**-0.5, 2**-0.5, 1, 0]) / (1 + 2**0.5)
    np.testing.assert_allclose(rule.probabilities([2.0, 2.0, 2.0, 1.0]), through, rtol=1e-15)
    frozen = NestedLogit({"a": Nest([0, 1], 0.5)}, 0.0)
    np.testing.assert_array_equal(frozen.probabilities([2.0, 2.0, 2.0, 1.0]), [1 / 3, 1 / 3, 1 / 3, 0])


def test_small_scales_do_no_harm():
    deep = Nest([0, 1], 1e-100, {"b": Nest([2, 3], 1e-100)})
    p = NestedLogit({"a": deep}, 1e-100).probabilities([1.0, 1.0, 1.0, 0.5, 1.0])
    np.testing.assert_allclose(p, [1 / 6, 1 / 6, 1 / 6, 0, 1 / 2])
    assert NestedLogit({"a": deep}).value([1e300, 0.0, 5e-324, -1e300, 1.0]) == 1e300


def test_the_largest_gap_counts_the_first_alternatives_and_others_hang_from_the_root():
    for nests in (
        {"a": Nest([0, 1, 2], 0.5), "b": Nest([3], 0.5)},
        {"a": Nest(["x", "y", "z"], 0.5), "b": Nest(["w"], 0.5)},
    ):
        rule = NestedLogit(nests, 2.0)
        gaps = [float(rule.max_gap(n)) for n in range(1, 7)]
        root = [1, 2**0.5, 3**0.5, 1 + 3**0.5, 2 + 3**0.5, 3 + 3**0.5]
        np.testing.assert_allclose(gaps, 2 * np.log(root), rtol=1e-15)


# ---------------------------------------------------------------- the Jacobian


@every_nests
def test_the_jacobian_is_dense_and_negative_off_the_diagonal(nests):
    rule, utility = NestedLogit(nests, 0.5), np.random.default_rng(5).normal(size=9)
    jacobian = rule.jacobian_product(utility, np.eye(9))
    step = 1e-6
    slopes = [
        (rule.probabilities(utility + step * e) - rule.probabilities(utility - step * e)) / (2 * step)
        for e in np.eye(9)
    ]
    np.testing.assert_allclose(jacobian, slopes, atol=1e-8)
    np.testing.assert_allclose(jacobian, jacobian.T, atol=1e-15)
    assert np.all(jacobian[~np.eye(9, dtype=bool)] < 0)
    assert np.all(np.diag(jacobian) > 0)


def test_within_a_nest_alternatives_take_more_from_each_other():
    rule = NestedLogit({"rail": Nest([0, 1], 0.5)})
    change = rule.jacobian_product(np.zeros(4), np.eye(4)[0])
    assert change[1] < change[2] == change[3] < 0


# ---------------------------------------------------------------- draws

UTILITY = np.array([0.2, 0.5, -0.3, 0.1, -INF, 0.4, 0.0, 0.3, -0.6])


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_a_million_choices_follow_the_probabilities(sampling, temperature):
    rule = NestedLogit(THREE_LEVELS, temperature)
    chosen = choose(UTILITY, rule=rule, seed=11, agents=np.arange(500_000), replications=2, sampling=sampling)
    assert_counts_follow(np.bincount(chosen.ravel(), minlength=9), chosen.size * rule.probabilities(UTILITY))


def test_coherent_choices_of_two_utilities_have_the_law_of_one_noise():
    # of two choices by one noise, the second moves to what got better by p(after) - p(before) and nothing else moves
    rule, n = NestedLogit(THREE_LEVELS), 200_000
    before = choose(UTILITY, rule=rule, seed=12, agents=np.arange(n))
    for place in (1, 2, 7):
        better = UTILITY + 0.8 * (np.arange(9) == place)
        after = choose(better, rule=rule, seed=12, agents=np.arange(n))
        assert np.all((after == before) | (after == place))
        gain = rule.probabilities(better)[place] - rule.probabilities(UTILITY)[place]
        assert abs(np.mean(after != before) - gain) < 5 * np.sqrt(gain / n)


def draws(n: int, width: int) -> Draws:
    return Draws(seed=4, stage=Stage.CHOICE, rows=row_words(np.arange(n)), alternatives=alternative_words(range(width)))


def test_at_temperature_zero_ties_go_to_the_larger_draw_of_the_stage_choice():
    table = np.resize([1.0, 2.0, 2.0, 0.0, 2.0], (400, 5))
    mixed = np.where(np.arange(400) % 2 == 0, 0.0, 0.5)
    nests = {"a": Nest([1, 2], 0.5), "b": Nest([4], 0.3)}
    hard = Hardmax().coherent_choices(table, draws(400, 5), range(3))
    np.testing.assert_array_equal(NestedLogit(nests, 0.0).coherent_choices(table, draws(400, 5), range(3)), hard)
    warm = NestedLogit(nests, 0.5).coherent_choices(table, draws(400, 5), range(3))
    both = NestedLogit(nests, mixed).coherent_choices(table, draws(400, 5), range(3))
    np.testing.assert_array_equal(both, np.where(mixed == 0, hard, warm))


def test_choices_at_tiny_temperatures_and_huge_utilities_take_the_best():
    table = available_utility(
        np.array([[1e300, 0.0, -1e300, -INF], [5e-324, 0.0, -INF, -INF], [-INF, -INF, -INF, -1e300]])
    )
    for temperature in (1e-300, 5e-324):
        rule = NestedLogit({"a": Nest([0, 1], 0.5), "b": Nest([3], 0.2)}, temperature)
        chosen = rule.coherent_choices(table[[0, 2]], draws(2, 4), range(2))
        np.testing.assert_array_equal(chosen, [[0, 3], [0, 3]])


def test_with_names_choices_are_those_by_position():
    utility, names = np.random.default_rng(6).normal(size=(2_000, 4)), ["car", "train", "tram", "bus"]
    by_name = choose(utility, rule=NestedLogit({"rail": Nest(["train", "tram"], 0.4)}), seed=1, alternatives=names)
    by_position = choose(utility, rule=NestedLogit({"rail": Nest([1, 2], 0.4)}), seed=1, alternatives=names)
    np.testing.assert_array_equal(by_name, by_position)
