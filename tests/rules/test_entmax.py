"""Entmax against 60 and 130 digits, its neighbours softmax and sparsemax, and its loops against their twins."""

from __future__ import annotations

import math
import warnings
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import optimize

from choicekit import Entmax, Hardmax, Softmax, Sparsemax
from choicekit.errors import InvalidInputError
from choicekit.kernels import Kernel
from choicekit.rules.few_kernels import fill_probabilities_of_few, fill_values_of_few
from choicekit.rules.tsallis_kernels import fill_threshold_probabilities, fill_threshold_values
from tests.problems import HARD_UTILITIES
from tests.tolerances import ALGEBRA, FINITE_DIFFERENCE, assert_distribution, assert_utilities_close

INF = math.inf
ALPHAS = (1.0 + 1e-12, 1.0 + 1e-6, 1.1, 1.25, 1.5, 1.75, 1.999, 2.0, 2.001, 2.5, 3.0, 5.0, 50.0)
every_alpha = pytest.mark.parametrize("alpha", ALPHAS)


def exact(utility: np.ndarray, alpha: float, digits: int) -> tuple[np.ndarray, float]:
    """Probabilities and value at T = 1, by bisection for tau in as many digits as it takes."""
    with localcontext() as context:
        context.prec = digits
        beta, z = Decimal(alpha) - 1, [Decimal(float(u)) for u in utility]
        top = max(z)

        def power(x: Decimal) -> Decimal:
            return (x.ln() / beta).exp() if x > 0 else Decimal(0)

        low, high = Decimal(0), Decimal(1)
        for _ in range(int(3.33 * digits)):
            middle = (low + high) / 2
            fits = sum(power(middle + beta * (x - top)) for x in z) >= 1
            low, high = (low, middle) if fits else (middle, high)
        p = [power(high + beta * (x - top)) for x in z]
        omega = (sum((beta * q.ln()).exp() * q for q in p if q > 0) - 1) / (Decimal(alpha) * beta)
        value = sum((q * x for q, x in zip(p, z, strict=True)), Decimal(0)) - omega
        return np.array([float(q / sum(p)) for q in p]), float(value)


@pytest.mark.parametrize("alpha", [1.0 + 1e-6, 1.25, 1.5, 1.9, 2.0, 2.1, 3.0, 7.0])
def test_probabilities_and_values_are_right_to_the_last_digits(alpha):
    rng = np.random.default_rng(int(100 * alpha))
    for spread in (0.05, 0.4, 3.0):
        u = spread * rng.normal(size=5)
        u[3] = u[1]
        p, value = exact(u, alpha, 60)
        np.testing.assert_allclose(Entmax(alpha).probabilities(u), p, rtol=0, atol=1e-15)
        np.testing.assert_allclose(Entmax(alpha).value(u), value, rtol=0, atol=2e-15)


def test_alpha_of_fifty_takes_130_digits_to_check_and_is_right():
    # tau in float64 is of no use here: what is chosen with a probability of a hundredth stands 1e-98 above it
    u = np.array([0.0, -0.0075, -0.0075])
    p, value = exact(u, 50.0, 130)
    np.testing.assert_allclose(Entmax(50.0).probabilities(u), p, rtol=0, atol=1e-15)
    np.testing.assert_allclose(Entmax(50.0).value(u), value, rtol=0, atol=1e-15)
    assert 0.005 < p[1] < 0.05


@pytest.mark.parametrize("alpha", [1.25, 1.5, 1.75, 2.0])
def test_a_root_finder_finds_the_same_threshold(alpha):
    beta = alpha - 1
    for seed in range(10):
        u = np.random.default_rng(seed).normal(size=40)
        z = beta * (u - u.max())
        tau = optimize.brentq(lambda t: (np.maximum(z - t, 0) ** (1 / beta)).sum() - 1, -1, -(40**-beta), xtol=1e-15)  # noqa: B023
        p = np.maximum(z - tau, 0) ** (1 / beta)
        np.testing.assert_allclose(Entmax(alpha).probabilities(u), p / p.sum(), rtol=0, atol=1e-13)


@pytest.mark.parametrize("alpha", [1.25, 1.5, 3.0])
def test_a_general_solver_finds_the_same_maximum(alpha):
    u, temperature, beta = np.array([0.4, 0.1, 0.3, -0.1]), 1.5, alpha - 1
    found = optimize.minimize(
        lambda q: temperature * ((q**alpha).sum() - 1) / (alpha * beta) - q @ u,
        np.full(4, 0.25),
        bounds=[(1e-12, 1)] * 4,
        constraints={"type": "eq", "fun": lambda q: q.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-15},
    )
    rule = Entmax(alpha, temperature)
    np.testing.assert_allclose(rule.probabilities(u), found.x, rtol=0, atol=1e-5)
    assert rule.value(u) == pytest.approx(-found.fun, abs=1e-9)
    assert rule.conjugate(rule.probabilities(u)) == pytest.approx(-found.fun * -1 + found.x @ u, abs=1e-4)


def test_published_values():
    # the example in the README of the authors' package entmax
    p = Entmax().probabilities([-2.0, 0.0, 0.5])
    np.testing.assert_array_equal(p.round(4), [0, 0.326, 0.674])
    # two alternatives, d apart: the roots of q and 1 - q differ by d / 2
    d = np.linspace(0, 2, 17)
    q = Entmax().probabilities(np.stack([d, np.zeros(17)], axis=1))
    np.testing.assert_allclose(np.sqrt(q[:, 0]) - np.sqrt(q[:, 1]), d / 2, rtol=0, atol=1e-8)
    np.testing.assert_allclose(q[:, 0], 0.5 + d / 4 * np.sqrt(2 - d**2 / 4), rtol=0, atol=ALGEBRA)


# ---------------------------------------------------------------- neighbours


@given(utility=st.lists(st.floats(-40, 40) | st.just(-INF), min_size=1, max_size=8), temperature=st.floats(0, 5))
@example(utility=[1.0, 1.0, -INF], temperature=0.0)
@pytest.mark.parametrize("alpha", [1, 2])
def test_at_one_and_two_all_numbers_are_those_of_softmax_and_sparsemax(alpha, utility, temperature):
    values = np.array(utility) if max(utility) > -INF else np.zeros(len(utility))
    mine, other = Entmax(alpha, temperature), (Softmax if alpha == 1 else Sparsemax)(temperature)
    direction, p = np.arange(values.size) - 1.0, other.probabilities(values)
    np.testing.assert_array_equal(mine.probabilities(values), p)
    assert mine.value(values) == other.value(values)
    assert mine.conjugate(p) == other.conjugate(p)
    assert mine.max_gap(values.size) == other.max_gap(values.size)
    assert mine.fenchel_young_loss(values, p) == other.fenchel_young_loss(values, p)
    np.testing.assert_array_equal(mine.jacobian_product(values, direction), other.jacobian_product(values, direction))
    np.testing.assert_array_equal(mine.jacobian_sum(values, 2.0), other.jacobian_sum(values, 2.0))
    assert mine.sparse == other.sparse


def test_softmax_is_approached_in_proportion_to_alpha_minus_one():
    u = np.random.default_rng(2).normal(size=(50, 20)) * np.geomspace(0.01, 20, 50)[:, None]
    p, value = Softmax().probabilities(u), Softmax().value(u)
    for beta in (1e-3, 1e-6, 1e-9, 1e-12, 2.0**-52):
        near = Entmax(1 + beta)
        beta = near.alpha - 1
        np.testing.assert_allclose(near.probabilities(u), p, rtol=0, atol=5 * beta + 1e-15)
        np.testing.assert_allclose(near.value(u), value, rtol=0, atol=20 * beta + 2e-14)
        assert near.max_gap(20) == pytest.approx(math.log(20), rel=3 * beta + 1e-15)
        np.testing.assert_allclose(near.conjugate(p), Softmax().conjugate(p), rtol=0, atol=20 * beta + 1e-15)


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_what_is_found_by_sorting_is_the_limit_of_what_is_found_by_newton(alpha):
    u = np.random.default_rng(4).normal(size=(200, 12))
    middle = Entmax(alpha).probabilities(u)
    for step in (1e-3, 1e-6, 1e-9, 1e-12):
        for side in (-step, step):
            np.testing.assert_allclose(Entmax(alpha + side).probabilities(u), middle, rtol=0, atol=3 * step + 1e-15)


def test_the_larger_alpha_the_fewer_are_chosen():
    u = np.random.default_rng(5).normal(size=(300, 10))
    counts = [np.count_nonzero(Entmax(alpha).probabilities(u)) for alpha in (1.0, *ALPHAS)]
    assert counts[0] == u.size
    assert np.all(np.diff(counts) <= 0)
    np.testing.assert_array_equal(Entmax(1e6).probabilities(u), Hardmax().probabilities(u))


@pytest.mark.parametrize("alpha", [50.0, 1000.0, 1e6, 1e300])
def test_a_huge_alpha_is_no_trouble(alpha):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule = Entmax(alpha)
        for u in HARD_UTILITIES:
            p = rule.probabilities(u)
            assert_distribution(p)
            assert max(u) <= rule.value(u) <= max(u) + rule.max_gap(len(u)) + ALGEBRA * max(abs(max(u)), 1)
            assert rule.conjugate(p) <= 0
            product = rule.jacobian_product(u, np.where(np.isfinite(u), 1.0, 0.0))
            np.testing.assert_array_equal(product, 0)
        np.testing.assert_allclose(rule.probabilities([3.0, 3.0, 3.0]), 1 / 3, rtol=1e-15)
        # the second of two near ones is left with what the first does not take: its own height is too small to tell
        if alpha <= 1000:
            gap = 0.5 / (alpha - 1)
            p = rule.probabilities([0.0, -gap])
            assert p[0] ** (alpha - 1) - p[1] ** (alpha - 1) == pytest.approx(0.5, rel=1e-11)


# ---------------------------------------------------------------- Jacobian


@every_alpha
def test_the_jacobian_is_the_slope_where_all_stay_chosen(alpha):
    spread = 0.2 / 3.0 ** max(alpha - 1, 1)
    u, v = spread * np.array([0.0, -0.3, -0.5, 0.2]), np.array([1.0, -2.0, 0.5, 0.0])
    if alpha > 10:
        u = np.array([0.0, 0.0, 0.0, 0.0])
    p = Entmax(alpha).probabilities(u)
    assert np.all(p > 0)
    s = p ** (2 - alpha)
    expected = s * (v - (s @ v) / s.sum())
    np.testing.assert_allclose(Entmax(alpha).jacobian_product(u, v), expected, rtol=1e-12, atol=1e-13)
    if alpha <= 10:
        step = 1e-6
        slope = (Entmax(alpha).probabilities(u + step * v) - Entmax(alpha).probabilities(u - step * v)) / (2 * step)
        np.testing.assert_allclose(expected, slope, rtol=FINITE_DIFFERENCE, atol=FINITE_DIFFERENCE)


def test_a_jacobian_too_large_for_its_weights_keeps_its_digits():
    # the weight of the second is p^-98, more than 1e308: what moves is what the first gives, which has weight 1
    rule, u = Entmax(100.0), np.array([0.0, -0.9999 / 99])
    p = rule.probabilities(u)
    assert 0 < p[1] < 1e-5
    moved = rule.jacobian_product(u, [0.0, 1.0])
    np.testing.assert_allclose(moved, [-(p[0] ** -98.0), p[0] ** -98.0], rtol=1e-12)
    np.testing.assert_allclose(rule.jacobian_sum(u, 1.0), moved[1] * np.array([[1, -1], [-1, 1]]), rtol=1e-12)


# ---------------------------------------------------------------- compiled loops

KERNELS = ((fill_threshold_values, fill_threshold_probabilities), (fill_values_of_few, fill_probabilities_of_few))


def kernels_of(alpha: float) -> tuple[Kernel, Kernel]:
    return KERNELS[alpha > 2]


def filled(fill: object, utility: np.ndarray, temperature: np.ndarray, alpha: float, *, value: bool) -> np.ndarray:
    out = np.full(utility.shape[:1] if value else utility.shape, 7.0)
    fill(np.ascontiguousarray(utility), temperature, alpha, out)  # type: ignore[operator]
    return out


def table(n: int, n_alternatives: int, seed: int) -> np.ndarray:
    """Rows with ties, unavailable alternatives, and spreads of all sizes."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, n_alternatives)) * rng.choice([1e-3, 0.1, 1.0, 10.0, 1e300], n)[:, None]
    values[rng.random(values.shape) < 0.2] = -INF
    values[rng.random(n) < 0.2] = 0.5
    values[np.arange(n), rng.integers(0, n_alternatives, n)] = 0.25
    return values


@every_alpha
@pytest.mark.parametrize("n_alternatives", [1, 2, 3, 4, 7, 10, 100, 1000])
def test_loops_and_twins_agree(alpha, n_alternatives):
    values = table(700 if n_alternatives <= 10 else 40, n_alternatives, n_alternatives)
    rng = np.random.default_rng(1)
    of_value, of_probability = kernels_of(alpha)
    for temperature in (np.ones(1), rng.choice([0.0, 1e-12, 0.5, 3.0, 1e6], len(values)), np.zeros(1)):
        p = filled(of_probability, values, temperature, alpha, value=False)
        twin = filled(of_probability.twin, values, temperature, alpha, value=False)
        np.testing.assert_allclose(p, twin, rtol=0, atol=ALGEBRA)
        np.testing.assert_array_equal(p[:, :][values == -INF], 0)
        found = filled(of_value, values, temperature, alpha, value=True)
        expected = filled(of_value.twin, values, temperature, alpha, value=True)
        scale = np.maximum(np.abs(values.max(axis=1)), np.maximum(temperature, 1e-300))
        np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=ALGEBRA)


@pytest.mark.parametrize("alpha", [1.1, 1.5, 2.0, 3.0])
@settings(max_examples=60)
@given(
    utility=st.lists(st.floats(-3, 3) | st.sampled_from([0.0, -INF, 1e300, -1e300, 5e-324]), min_size=1, max_size=9),
    temperature=st.sampled_from([0.0, 5e-324, 1e-12, 0.5, 1.0, 7.0, 1e300]),
)
def test_loops_and_twins_agree_on_anything(alpha, utility, temperature):
    values = np.array([utility if max(utility) > -INF else np.zeros(len(utility))])
    of_value, of_probability = kernels_of(alpha)
    p, twin = (
        filled(fill, values, np.array([temperature]), alpha, value=False)
        for fill in (of_probability, of_probability.twin)
    )
    np.testing.assert_allclose(p, twin, rtol=0, atol=ALGEBRA)
    found, expected = (
        filled(fill, values, np.array([temperature]), alpha, value=True) for fill in (of_value, of_value.twin)
    )
    assert_utilities_close(found, expected, values, temperature)


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0, 3.0])
def test_a_row_has_the_same_bits_in_any_company(alpha):
    values = table(1200, 5, 9)
    together, value = Entmax(alpha).probabilities(values), Entmax(alpha).value(values)
    for row in range(0, 1200, 37):
        np.testing.assert_array_equal(Entmax(alpha).probabilities(values[row]), together[row])
        assert Entmax(alpha).value(values[row]) == value[row]
    order = np.random.default_rng(1).permutation(1200)
    np.testing.assert_array_equal(Entmax(alpha).probabilities(values[order]), together[order])


@pytest.mark.parametrize("alpha", [1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("wrong", [np.nan, INF, "nothing"])
def test_loops_show_a_row_that_is_not_in_order_as_nan(alpha, wrong):
    values = np.zeros((3, 4))
    values[1] = -INF if wrong == "nothing" else [0.0, wrong, 1.0, -1.0]
    of_value, of_probability = kernels_of(alpha)
    for fill in (of_value, of_value.twin):
        np.testing.assert_array_equal(np.isnan(filled(fill, values, np.ones(1), alpha, value=True)), [0, 1, 0])
    for fill in (of_probability, of_probability.twin):
        found = filled(fill, values, np.ones(1), alpha, value=False)
        np.testing.assert_array_equal(np.isnan(found[:, 0]), [0, 1, 0])
    for question in (Entmax(alpha).value, Entmax(alpha).probabilities):
        with pytest.raises(InvalidInputError, match="agent 1"):
            question(values)


@pytest.mark.parametrize("alpha", [2 + 1e-15, 2.5])
def test_alternatives_that_are_next_to_the_threshold_give_no_warning(alpha):
    lowest = -1 / (alpha - 1)  # the best one alone has next to all: the smallest probability is 0, and so is the slope
    utility = np.array([[0.0] + 15 * [lowest] + 17 * [np.nextafter(lowest, 0)]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = Entmax(alpha).probabilities(utility)
        twin = filled(fill_threshold_probabilities.twin, utility, np.ones(1), alpha, value=False)
    assert_distribution(p)
    np.testing.assert_allclose(p, twin, rtol=0, atol=ALGEBRA)


def test_without_numba_the_twins_answer(monkeypatch):
    values = table(50, 6, 3)
    wanted = [Entmax(alpha).probabilities(values) for alpha in ALPHAS]
    monkeypatch.setattr("choicekit.kernels.compiling._numba", lambda: None)
    for alpha, p in zip(ALPHAS, wanted, strict=True):
        np.testing.assert_allclose(Entmax(alpha).probabilities(values), p, rtol=0, atol=ALGEBRA)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (0.5, "alpha must be at least 1, found 0.5: 1 is softmax, 2 is sparsemax"),
        (-3, "alpha must be at least 1, found -3.0"),
        (1 - 1e-12, "alpha must be at least 1, found 0.999999999999"),
        (np.nan, "alpha must be finite, found nan"),
        (INF, "alpha must be finite, found inf: for the hard maximum use temperature 0"),
        (10**400, "alpha must be finite, found inf"),
        ("1.5", "alpha must be a number of at least 1, found '1.5'"),
        (True, "alpha must be a number of at least 1, found True"),
        (None, "alpha must be a number of at least 1, found None"),
    ],
)
def test_an_alpha_that_is_none_says_what_must_hold(wrong, message):
    with pytest.raises(InvalidInputError, match=message):
        Entmax(alpha=wrong)


def test_any_kind_of_number_will_do():
    for same in (2, np.int64(2), np.float32(2), 2.0):
        assert Entmax(alpha=same) == Entmax(alpha=2.0)
        assert isinstance(Entmax(alpha=same).alpha, float)
    assert Entmax() == Entmax(1.5, 1.0)


def test_at_alpha_one_coherent_draws_are_those_of_softmax_and_the_refusal_says_so():
    with pytest.raises(InvalidInputError, match="at alpha = 1 Softmax, the same rule, has them"):
        Entmax(alpha=1).coherent_choices(np.zeros((1, 2)), None, range(1))  # type: ignore[arg-type]
