"""Cross-nested logit: against its generator and special cases, and its conjugate against a general optimiser."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from choicekit import choose
from choicekit.errors import ConvergenceError
from choicekit.rules import CrossNestedLogit, Nest, NestedLogit, Softmax
from choicekit.rules.nests import dual
from tests.tolerances import ALGEBRA, assert_counts_follow, assert_probabilities_close, assert_utilities_close

INF = math.inf
THREE = {
    "a": Nest({0: 0.5, 1: 0.2, 2: 1.0}, 0.5),
    "b": Nest({0: 0.3, 1: 0.8, 3: 0.9}, 0.3),
    "c": Nest({0: 0.2, 3: 0.1}, 0.7),
}
NESTS = {
    "three": THREE,
    "with a nest that is none": {"a": Nest({0: 0.25, 1: 1.0, 4: 1.0}, 0.4), "b": Nest({0: 0.75, 2: 1.0})},
    "shared by all": {"a": Nest(dict.fromkeys(range(6), 0.5), 0.9), "b": Nest(dict.fromkeys(range(6), 0.5), 0.1)},
}
every_nests = pytest.mark.parametrize("nests", NESTS.values(), ids=NESTS.keys())


def generator(nests: dict[str, Nest], y: np.ndarray) -> complex:
    """G(y) as it is defined: the sum over nests of (sum of (alpha y)^(1 / lambda))^lambda."""
    total = sum(y[place] for place in range(y.size) if not any(place in nest.members for nest in nests.values()))
    for nest in nests.values():
        power = 1 / nest.dissimilarity
        total += sum((part * y[place]) ** power for place, part in nest.members.items()) ** nest.dissimilarity
    return total


@every_nests
@pytest.mark.parametrize("temperature", [1.0, 0.3, 5.0])
def test_values_and_probabilities_are_those_of_the_generator(nests, temperature):
    rule, step = CrossNestedLogit(nests, temperature), 1e-30
    for utility in np.random.default_rng(1).normal(scale=2.0, size=(20, 6)):
        value = temperature * np.log(generator(nests, np.exp(utility / temperature)))
        slopes = [
            temperature * np.log(generator(nests, np.exp((utility + 1j * step * one) / temperature))).imag / step
            for one in np.eye(6)
        ]
        np.testing.assert_allclose(rule.value(utility), value, rtol=1e-13)
        np.testing.assert_allclose(rule.probabilities(utility), slopes, rtol=1e-11, atol=1e-15)


def test_pairs_of_alternatives_are_the_paired_combinatorial_logit():
    utility, scales = (
        np.array([0.3, -0.5, 0.8, 0.0]),
        dict(zip(combinations(range(4), 2), np.linspace(0.2, 1, 6), strict=True)),
    )
    weight = {pair: np.exp(utility[list(pair)] / scale).sum() for pair, scale in scales.items()}
    total = sum(weight[pair] ** scales[pair] for pair in scales)
    expected = [
        sum(np.exp(utility[i] / s) * weight[pair] ** (s - 1) for pair, s in scales.items() if i in pair) / total
        for i in range(4)
    ]
    nests = {str(pair): Nest(dict.fromkeys(pair, 1 / 3), scale) for pair, scale in scales.items()}
    np.testing.assert_allclose(CrossNestedLogit(nests).probabilities(utility), expected, rtol=1e-13)


eighths = st.integers(-400, 400).map(lambda n: n / 8) | st.just(-INF)
rows = st.lists(eighths, min_size=5, max_size=5).map(lambda row: np.array([*row, 0.0]))


@given(utility=rows, temperature=st.sampled_from([1.0, 0.25, 1e-12]))
def test_with_a_nest_for_each_alternative_it_is_softmax(utility, temperature):
    softmax, p = Softmax(temperature), Softmax(temperature).probabilities(utility)
    alone = {f"n{place}": Nest({place: 1.0}, (place + 1) / 7) for place in range(6)}
    for nests in (alone, {}, {"a": Nest({0: 0.5, 1: 0.25}), "b": Nest({0: 0.5, 1: 0.75})}):
        rule = CrossNestedLogit(nests, temperature)
        assert_utilities_close(rule.value(utility), softmax.value(utility), utility, temperature)
        assert_probabilities_close(rule.probabilities(utility), p)
        np.testing.assert_allclose(rule.conjugate(p), softmax.conjugate(p), rtol=ALGEBRA, atol=temperature * ALGEBRA)


@given(utility=rows, temperature=st.sampled_from([1.0, 0.25, 1e-12]))
def test_with_nests_that_do_not_overlap_it_is_nested_logit(utility, temperature):
    crossed = CrossNestedLogit({"a": Nest({0: 1.0, 3: 1.0}, 0.5), "b": Nest([1, 2, 4], 0.25)}, temperature)
    nested = NestedLogit({"a": Nest([0, 3], 0.5), "b": Nest([1, 2, 4], 0.25)}, temperature)
    p, step = nested.probabilities(utility), np.arange(6.0)
    assert_utilities_close(crossed.value(utility), nested.value(utility), utility, temperature)
    assert_probabilities_close(crossed.probabilities(utility), p)
    np.testing.assert_allclose(crossed.conjugate(p), nested.conjugate(p), rtol=ALGEBRA, atol=temperature * ALGEBRA)
    slope = nested.jacobian_product(utility, step)
    np.testing.assert_allclose(crossed.jacobian_product(utility, step), slope, rtol=1e-12, atol=1e-12 / temperature)
    assert crossed.max_gap(6) == pytest.approx(float(nested.max_gap(6)), rel=1e-15)


def test_with_nests_that_do_not_overlap_it_chooses_as_nested_logit():
    utility = np.random.default_rng(2).normal(size=(3_000, 5))
    nests = {"a": Nest([0, 3], 0.5), "b": Nest([1, 2], 0.25)}
    chosen = [choose(utility, rule=rule(nests), seed=1, replications=3) for rule in (NestedLogit, CrossNestedLogit)]
    np.testing.assert_array_equal(*chosen)


def test_an_allocation_of_zero_is_none():
    with_zeros = {"a": Nest({0: 1.0, 1: 0.0}, 0.5), "b": Nest({1: 1.0, 2: 1.0, 0: 0.0}, 0.5), "c": Nest({2: 0.0})}
    rule, same = CrossNestedLogit(with_zeros), NestedLogit({"b": Nest([1, 2], 0.5)})
    utility = np.random.default_rng(3).normal(size=(10, 4))
    np.testing.assert_allclose(rule.probabilities(utility), same.probabilities(utility), rtol=1e-14)
    assert rule.conjugate([0.1, 0.2, 0.3, 0.4]) == pytest.approx(float(same.conjugate([0.1, 0.2, 0.3, 0.4])), rel=1e-14)


def test_a_single_alternative_is_worth_its_utility_to_the_last_bit():
    sevenths = CrossNestedLogit({"a": Nest({0: 1 / 7, 1: 6 / 7}, 0.37), "b": Nest({0: 6 / 7, 1: 1 / 7}, 0.37)})
    thirds = CrossNestedLogit({name: Nest({0: 1 / 3}, 0.3) for name in "abc"})
    for rule in (sevenths, thirds):
        assert rule.value([0.3, -INF, -INF]) == 0.3
        np.testing.assert_array_equal(rule.probabilities([0.3, -INF, -INF]), [1, 0, 0])
        np.testing.assert_array_equal(rule.jacobian_product([0.3, -INF, -INF], [1.0, 2.0, 3.0]), 0)
        assert rule.conjugate([1.0, 0.0, 0.0]) == 0.0
        assert rule.max_gap(1) == 0.0


def test_the_jacobian_is_the_slope():
    utility, step = np.random.default_rng(4).normal(size=6), 1e-6
    for nests in NESTS.values():
        rule = CrossNestedLogit(nests, 0.5)
        jacobian = rule.jacobian_product(utility, np.eye(6))
        slopes = [
            (rule.probabilities(utility + step * e) - rule.probabilities(utility - step * e)) / (2 * step)
            for e in np.eye(6)
        ]
        np.testing.assert_allclose(jacobian, slopes, atol=1e-8)
        np.testing.assert_allclose(jacobian, jacobian.T, atol=1e-14)


def test_allocations_as_printed_are_brought_to_a_sum_of_one():
    rule = CrossNestedLogit({"a": Nest({0: 0.5 + 9e-10, 1: 1.0}, 0.5), "b": Nest({0: 0.5}, 0.5)})
    assert 0 <= rule.value([0.0, -100.0]) <= ALGEBRA
    assert CrossNestedLogit({name: Nest({0: 0.3333333333}) for name in "abc"}).value([1.0, -INF]) == 1.0


# ---------------------------------------------------------------- the conjugate


@every_nests
def test_the_conjugate_is_what_a_general_optimiser_finds(nests):
    rule = CrossNestedLogit(nests)
    for q in np.random.default_rng(5).dirichlet(np.full(6, 2.0), 5):
        found = optimize.minimize(
            lambda u, q=q: float(rule.value(u)) - q @ u,
            np.zeros(6),
            jac=lambda u, q=q: rule.probabilities(u) - q,
            method="BFGS",
            options={"gtol": 1e-9},
        )
        assert rule.conjugate(q) == pytest.approx(-found.fun, abs=1e-11)


@pytest.mark.parametrize("scales", [(0.5, 0.3), (0.05, 0.9), (0.01, 0.02), (1e-3, 2e-3), (1e-4, 0.5)])
def test_value_and_conjugate_meet_also_at_small_dissimilarities(scales):
    nests = {**THREE, "a": Nest(THREE["a"].members, scales[0]), "b": Nest(THREE["b"].members, scales[1])}
    rule, random = CrossNestedLogit(nests), np.random.default_rng(6)
    utility = random.normal(size=(300, 5)) * np.geomspace(0.01, 30, 300)[:, None]
    p = rule.probabilities(utility)
    gap = rule.value(utility) + rule.conjugate(p) - np.sum(utility * p, axis=1)
    assert np.all(np.abs(gap) <= ALGEBRA * np.maximum(np.abs(utility).max(axis=1), 1))
    for q in random.dirichlet(np.full(5, 0.2), 30):
        assert np.all(rule.value(utility) + rule.conjugate(q) - utility @ q >= -ALGEBRA * 100)


def test_the_conjugate_of_distributions_with_next_to_no_mass():
    rule = CrossNestedLogit(THREE)
    close = rule.conjugate([[0.5, 0.5, 0, 0, 0], [0.5, 0.5, 1e-300, 1e-150, 0], [0.5, 0.5, 1e-15, 0, 5e-324]])
    np.testing.assert_allclose(close, close[0], rtol=1e-13)
    tiny = rule.conjugate([[1.0, 1e-12, 0, 0, 0], [1.0, 0, 0, 0, 0]])
    assert -1e-10 < tiny[0] < 0 == tiny[1]


def test_the_conjugate_is_found_where_dissimilarities_are_next_to_none():
    # objectives that are equal to rounding do not tell which step is better: the search went round in circles here
    nests = {"a": Nest(THREE["a"].members, 1e-5), "b": Nest(THREE["b"].members, 1e-4), "c": THREE["c"]}
    q = np.random.default_rng(2).dirichlet(np.full(5, 0.05), 2_000)
    assert np.all(np.isfinite(CrossNestedLogit(nests).conjugate(q)))


def test_a_conjugate_that_is_not_found_is_an_error(monkeypatch):
    monkeypatch.setattr(dual, "MAX_ITERATIONS", 1)
    with pytest.raises(ConvergenceError, match="was not found to rounding within 1 steps, the widest gap is"):
        CrossNestedLogit(THREE).conjugate([0.1, 0.2, 0.3, 0.3, 0.1])


def test_distributions_are_worked_on_in_pieces_without_a_trace(monkeypatch):
    rule, q = CrossNestedLogit(THREE), np.random.default_rng(7).dirichlet(np.full(5, 0.5), 40)
    whole = rule.conjugate(q)
    monkeypatch.setattr(dual, "_CELLS", 60)
    np.testing.assert_array_equal(rule.conjugate(q), whole)


def test_the_conjugate_of_a_row_does_not_depend_on_the_rows_beside_it():
    nests = {"a": Nest({0: 0.5, 1: 0.25, 2: 1.0}, 1e-3), "b": Nest({0: 0.5, 1: 0.75, 3: 1.0}, 0.05)}
    rule, q = CrossNestedLogit(nests), np.random.default_rng(3).dirichlet(np.full(5, 0.5), 400)
    np.testing.assert_array_equal(rule.conjugate(q), [rule.conjugate(row) for row in q])


# ---------------------------------------------------------------- draws

UTILITY = np.array([0.2, 0.5, -0.3, 0.1, 0.4, -INF])


@every_nests
@pytest.mark.parametrize("sampling", ["coherent", "fast"])
def test_a_million_choices_follow_the_probabilities(nests, sampling):
    rule = CrossNestedLogit(nests, 0.6)
    n = 500_000 if nests is THREE else 50_000
    chosen = choose(UTILITY, rule=rule, seed=11, agents=np.arange(n), replications=2, sampling=sampling)
    assert_counts_follow(np.bincount(chosen.ravel(), minlength=6), chosen.size * rule.probabilities(UTILITY))


@every_nests
def test_improving_an_alternative_moves_as_many_agents_as_its_probability_gains_and_only_to_it(nests):
    rule, n = CrossNestedLogit(nests), 100_000
    before = choose(UTILITY, rule=rule, seed=12, agents=np.arange(n))
    for place in (0, 1, 3):
        better = UTILITY + 0.8 * (np.arange(6) == place)
        after = choose(better, rule=rule, seed=12, agents=np.arange(n))
        assert np.all((after == before) | (after == place))
        gain = rule.probabilities(better)[place] - rule.probabilities(UTILITY)[place]
        assert abs(np.mean(after != before) - gain) < 5 * np.sqrt(gain / n)


def test_the_conjugate_says_where_dissimilarities_are_too_small_for_it():
    rule = CrossNestedLogit(nests={"a": Nest({0: 0.5, 1: 1.0}, 1e-100), "b": Nest({0: 0.5, 2: 1.0}, 1e-100)})
    with pytest.raises(ConvergenceError):
        rule.conjugate([0.5, 0.5 - 1e-13, 1e-13])
