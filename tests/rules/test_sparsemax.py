"""Sparsemax against exact fractions, a quadratic program, published values, and what is said of its noise."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from choicekit import Entmax, Sparsemax, choose
from choicekit.choice.sampling import resolve_sampling
from choicekit.errors import InvalidInputError
from tests.tolerances import ALGEBRA, FINITE_DIFFERENCE, assert_counts_follow

INF = math.inf
eighths = st.integers(-40, 40).map(lambda n: n / 8)


def exact_projection(utility: list[float], temperature: float) -> tuple[list[Fraction], Fraction]:
    """Probabilities and value in fractions, of the set of alternatives that meets the conditions of optimality."""
    z = [Fraction(u) / Fraction(temperature) for u in utility]
    for size in range(1, len(z) + 1):
        for chosen in combinations(range(len(z)), size):
            tau = (sum(z[i] for i in chosen) - 1) / size
            if all((z[i] > tau) == (i in chosen) for i in range(len(z))):
                p = [max(x - tau, Fraction(0)) for x in z]
                omega = (sum(x * x for x in p) - 1) / 2
                met = sum(x * Fraction(u) for x, u in zip(p, utility, strict=True))
                return p, met - Fraction(temperature) * omega
    raise AssertionError("no set of alternatives is optimal")


@settings(max_examples=25)
@given(utility=st.lists(eighths, min_size=1, max_size=5), temperature=st.sampled_from([0.25, 1.0, 2.0, 8.0]))
def test_it_is_the_projection_found_by_trying_all_sets_in_fractions(utility, temperature):
    p, value = exact_projection(utility, temperature)
    rule = Sparsemax(temperature)
    np.testing.assert_allclose(rule.probabilities(utility), [float(x) for x in p], rtol=0, atol=4e-16)
    np.testing.assert_array_equal(rule.probabilities(utility) > 0, [x > 0 for x in p])
    assert rule.value(utility) == pytest.approx(float(value), rel=ALGEBRA, abs=ALGEBRA * temperature)


@pytest.mark.parametrize("seed", range(5))
def test_a_solver_of_quadratic_programs_finds_the_same(seed):
    u, temperature = np.random.default_rng(seed).normal(size=7), 0.8
    found = optimize.minimize(
        lambda q: temperature * (q @ q - 1) / 2 - q @ u,
        np.full(7, 1 / 7),
        jac=lambda q: temperature * q - u,
        bounds=[(0, 1)] * 7,
        constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    np.testing.assert_allclose(Sparsemax(temperature).probabilities(u), found.x, rtol=0, atol=1e-7)
    assert Sparsemax(temperature).value(u) == pytest.approx(-found.fun, abs=1e-12)


def test_published_values():
    # the example in the README of the authors' package entmax
    np.testing.assert_allclose(Sparsemax().probabilities([-2.0, 0.0, 0.5]), [0, 0.25, 0.75], rtol=0, atol=ALGEBRA)
    # Martins & Astudillo (2016), section 2.4: the first of two, a straight line between -1 and 1
    t = np.linspace(-2, 2, 33)
    p = Sparsemax().probabilities(np.stack([t, np.zeros(33)], axis=1))[:, 0]
    np.testing.assert_allclose(p, np.clip((t + 1) / 2, 0, 1), rtol=0, atol=ALGEBRA)


def test_many_alternatives_share_by_hand():
    # n equal ones and one that is d ahead, all chosen for d < T: (1 - d / T) / (n + 1) each
    for n, d in ((4, 0.5), (999, 0.25)):
        p = Sparsemax(2.0).probabilities(np.r_[np.zeros(n), d])
        np.testing.assert_allclose(p[:-1], (1 - d / 2) / (n + 1), rtol=1e-13)
        np.testing.assert_allclose(p[-1] - p[0], d / 2, rtol=1e-13)


def test_the_jacobian_is_that_of_a_mean_over_the_chosen():
    u, v = np.array([1.0, 0.75, 0.5, -3.0]), np.array([0.5, -1.0, 2.0, 9.0])
    moved = Sparsemax(2.0).jacobian_product(u, v)
    np.testing.assert_allclose(moved, [0.0, -0.75, 0.75, 0.0], rtol=0, atol=ALGEBRA)
    step = 1e-6
    slope = (Sparsemax(2.0).probabilities(u + step * v) - Sparsemax(2.0).probabilities(u - step * v)) / (2 * step)
    np.testing.assert_allclose(moved, slope, rtol=0, atol=FINITE_DIFFERENCE)


def test_at_a_kink_the_jacobian_is_that_of_staying_out():
    u, rule = np.array([1.0, 0.0]), Sparsemax()
    np.testing.assert_array_equal(rule.probabilities(u), [1, 0])
    for v in ([1.0, 0.0], [0.0, 1.0]):
        np.testing.assert_array_equal(rule.jacobian_product(u, v), [0, 0])
    away, towards = np.array([1e-3, 0.0]), np.array([-1e-3, 0.0])
    np.testing.assert_array_equal(rule.probabilities(u + away), [1, 0])
    assert rule.probabilities(u + towards)[1] == pytest.approx(5e-4)


@pytest.mark.parametrize("rule", [Sparsemax(), Entmax(), Entmax(alpha=1.25), Entmax(alpha=3.0)], ids=repr)
def test_a_million_draws_follow_the_probabilities_and_none_is_of_what_has_none(rule):
    u = np.array([0.3, 0.0, 0.45, -9.0, 0.2, -INF])
    p = rule.probabilities(u)
    assert np.all(p[[3, 5]] == 0)
    chosen = choose(u, rule=rule, seed=11, agents=np.arange(1_000_000))
    assert_counts_follow(np.bincount(chosen, minlength=6), 1_000_000 * p)


def block_marschak(rule: Sparsemax, utility: np.ndarray, place: int, beaten: tuple[int, ...]) -> float:
    """The probability that `place` is better than `beaten` and worse than all others, if there are such rankings."""
    rest = [i for i in range(utility.size) if i != place and i not in beaten]
    total = 0.0
    for size in range(len(rest) + 1):
        for more in combinations(rest, size):
            offered = np.isin(np.arange(utility.size), (place, *beaten, *more))
            total += (-1) ** size * rule.probabilities(utility, offered)[place]
    return total


def test_no_noise_makes_it_from_five_alternatives_on():
    u = np.array([-0.625, 0.125, 0.125, 0.0, -0.375])
    assert block_marschak(Sparsemax(), u, 4, (0,)) == pytest.approx(-1 / 12, abs=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(10):  # four alternatives give no such proof
        u = 0.3 * rng.normal(size=4)
        sums = [block_marschak(Sparsemax(), u, i, (j,)) for i in range(4) for j in range(4) if i != j]
        assert min(sums) >= -1e-14


def test_no_independent_noise_makes_it():
    # two alternatives: P(first) = P(noise difference > -d) is linear, a uniform law; its characteristic function must
    # be that of a difference of two independent draws of one law, a square, but is negative in places
    d = np.linspace(-1, 1, 41)
    p = Sparsemax().probabilities(np.stack([d, np.zeros(41)], axis=1))[:, 0]
    np.testing.assert_allclose(np.diff(p), 0.025, rtol=1e-12)
    assert np.sinc(1.5) < 0


@pytest.mark.parametrize("rule", [Sparsemax(), Entmax()], ids=repr)
def test_coherent_draws_are_refused_with_the_reason(rule):
    assert not rule.supports_coherent
    assert resolve_sampling(rule, "auto") == "fast"
    with pytest.raises(
        InvalidInputError, match=r"no additive-noise law.*no noise drawn for each alternative by itself"
    ):
        choose([0.0, 1.0], rule=rule, seed=1, sampling="coherent")


def test_sums_of_jacobians_do_without_the_probabilities_of_each_alternative_apart():
    values = np.random.default_rng(3).normal(size=(40, 6))
    together = Sparsemax(0.5).jacobian_sum(values, 1.0)
    apart = sum(Sparsemax(0.5).jacobian_product(row, np.eye(6)) for row in values)
    np.testing.assert_allclose(together, apart, rtol=0, atol=1e-12)
