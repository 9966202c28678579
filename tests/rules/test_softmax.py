"""Softmax: published values, closed forms, and the ways in which others have gone wrong."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy import special

from choicekit.errors import InvalidInputError, NoAvailableAlternativeError, ShapeError
from choicekit.rules import Softmax, inclusive_value, softmax
from tests.problems import CLOSED_FORM, ChoiceProblem
from tests.tolerances import ALGEBRA, assert_distribution, assert_probabilities_close

INF = math.inf
every_problem = pytest.mark.parametrize("problem", CLOSED_FORM, ids=str)


@every_problem
def test_probabilities_of_problems_with_a_closed_form(problem: ChoiceProblem):
    p = Softmax(problem.temperature).probabilities(problem.utility)
    np.testing.assert_allclose(p, problem.probabilities, rtol=problem.rtol, atol=0)


@every_problem
def test_values_of_problems_with_a_closed_form(problem: ChoiceProblem):
    value = Softmax(problem.temperature).value(problem.utility)
    np.testing.assert_allclose(value, problem.value, rtol=problem.rtol, atol=0)


@every_problem
def test_the_functions_are_the_rule(problem: ChoiceProblem):
    rule = Softmax(problem.temperature)
    np.testing.assert_array_equal(softmax(problem.utility, problem.temperature), rule.probabilities(problem.utility))
    assert inclusive_value(problem.utility, problem.temperature) == rule.value(problem.utility)


@every_problem
def test_problems_of_all_kinds_raise_no_warning(problem: ChoiceProblem):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rule = Softmax(problem.temperature)
        loss = rule.fenchel_young_loss(problem.utility, rule.probabilities(problem.utility))
        assert loss <= ALGEBRA * max(abs(problem.value), 1.0)


def test_a_row_of_utilities_from_the_note_on_argmax_and_softmax():
    # softmax of [0, 1, -4, 2, 7], with the sum of exponentials 1107.76...: scipy.special.softmax and logsumexp agree
    u = [0.0, 1.0, -4.0, 2.0, 7.0]
    p = softmax(u)
    np.testing.assert_array_equal(
        [f"{x:.8f}" for x in p], ["0.00090272", "0.00245386", "0.00001653", "0.00667028", "0.98995661"]
    )
    assert int(np.argmax(p)) == int(np.argmax(u)) == 4
    np.testing.assert_allclose(p, special.softmax(u), rtol=1e-14)
    assert inclusive_value(u) == pytest.approx(7.01009416490667, rel=1e-15, abs=1e-14)
    assert inclusive_value(u) == pytest.approx(special.logsumexp(u), rel=1e-15)


def test_the_expected_utility_of_one_to_five_is_a_little_below_the_soft_maximum():
    u = np.arange(1.0, 6.0)
    assert round(float(softmax(u) @ u), 4) == 4.4519
    assert float(softmax(u) @ u) == pytest.approx(4.451941567662195, rel=1e-15)  # 40 decimal digits, rounded
    rule = Softmax()
    p = rule.probabilities(u)
    assert rule.value(u) == pytest.approx(float(p @ u) - float(rule.conjugate(p)), rel=1e-15)
    assert rule.conjugate(p) < 0 < rule.value(u) - u.max()


def test_a_tie_at_the_top_at_three_temperatures():
    u = [1.0, 2.0, 3.0, 5.0, 5.0]
    # as published to five places, the last one cut off rather than rounded; then from 40 decimal digits
    np.testing.assert_allclose(softmax(u), [0.00831, 0.02260, 0.06142, 0.45383, 0.45383], rtol=0, atol=1e-5)
    exact = [0.0083123005, 0.0225951756, 0.0614200553, 0.4538362342, 0.4538362342]
    np.testing.assert_allclose(softmax(u), exact, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(softmax(u, 1e-3), [0, 0, 0, 0.5, 0.5])
    np.testing.assert_array_equal(softmax(u, 1e-12), [0, 0, 0, 0.5, 0.5])
    np.testing.assert_array_equal(softmax(u, 0), [0, 0, 0, 0.5, 0.5])


def test_probabilities_are_not_taken_from_the_rounded_inclusive_value():
    # exp((u - lse) / T): at T = 1e-12 the rounding of lse near 5 is a thousandth of T, and ties no longer sum to one
    u, temperature = np.array([1.0, 2.0, 3.0, 5.0, 5.0]), 1e-12
    trap = np.exp((u - inclusive_value(u, temperature)) / temperature)
    assert abs(trap.sum() - 1) > 1e-5
    np.testing.assert_array_equal(softmax(u, temperature), [0, 0, 0, 0.5, 0.5])
    for cold in (1e-9, 1e-14, 1e-18):
        assert_distribution(softmax(u, cold))
        np.testing.assert_array_equal(softmax(u, cold), [0, 0, 0, 0.5, 0.5])


def test_nothing_is_added_to_the_denominator():
    # choice-learn adds 1e-5: two equal utilities sum to 0.999995 there
    assert softmax([0.0, 0.0]).sum() == 1.0
    assert softmax([-50.0, -50.0])[0] == 0.5
    assert inclusive_value([-800.0, -800.0]) == pytest.approx(-800 + math.log(2), rel=1e-15)


def test_exponentials_of_large_utilities_do_not_overflow_nor_those_of_small_ones_vanish():
    # xlogit's predict and ActivitySim's logsums exponentiate without a shift
    for level in (1e4, -1e4, 1e300, -1e300):
        np.testing.assert_array_equal(softmax([level, level]), [0.5, 0.5])
        assert np.isfinite(inclusive_value([level, level]))
    np.testing.assert_allclose(softmax([1000.0, 1001.0]), softmax([0.0, 1.0]), rtol=1e-15)


def test_probabilities_far_below_the_smallest_normal_float_are_still_right():
    p = softmax([0.0, -740.0])
    assert p[1] == pytest.approx(math.exp(-740.0), rel=1e-2)
    assert p[1] > 0
    assert softmax([0.0, -800.0])[1] == 0


def test_unavailable_is_exactly_zero_at_every_temperature():
    # larch's fast-math once let minus infinity through
    for temperature in (1e-300, 1e-12, 1.0, 1e12, 1e300, 0.0):
        assert softmax([1.0, -INF, 2.0], temperature)[1] == 0
        assert softmax([1.0, 5.0, 2.0], temperature, [True, False, True])[1] == 0
        assert softmax([1.0, np.nan, 2.0], temperature, [True, False, True])[1] == 0


def test_the_jacobian_is_the_covariance_of_the_choice_over_the_temperature():
    p = softmax([0.3, -1.2, 2.0], 0.5)
    jacobian = Softmax(0.5).jacobian_product([0.3, -1.2, 2.0], np.eye(3))
    np.testing.assert_allclose(jacobian, (np.diag(p) - np.outer(p, p)) / 0.5, rtol=1e-13)
    np.testing.assert_array_equal(Softmax(2.0).jacobian_product([7.0, 7.0], [1.0, 0.0]), [0.125, -0.125])


def test_the_jacobian_keeps_its_digits_where_one_alternative_is_all_but_certain():
    # p * (v - <p, v>) loses all of them: the best one's probability rounds to 1
    moved = Softmax().jacobian_product([0.0, -40.0], [1.0, 0.0])
    np.testing.assert_allclose(moved, [math.exp(-40.0), -math.exp(-40.0)], rtol=1e-14)
    lifted = Softmax().jacobian_product([0.0, -1.0], [1e9 + 1.0, 1e9])
    np.testing.assert_array_equal(lifted, Softmax().jacobian_product([0.0, -1.0], [1.0, 0.0]))


def test_a_sum_of_jacobians_keeps_the_digits_of_what_hardly_moves():
    values = np.array([[0.0, -40.0, -45.0], [-50.0, 0.0, -42.0]])
    found = Softmax(0.5).jacobian_sum(values, [1.0, 3.0])
    wanted = [[1.0, 3.0] @ Softmax(0.5).jacobian_product(values, step) for step in np.eye(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=0)
    assert found[0, 0] < 1e-30  # where 1 - p is 0 to sixteen digits
    np.testing.assert_array_equal(found, found.T)


def test_without_temperature_tied_maxima_have_no_derivative():
    moved = Softmax([0.0, 0.0, 1.0]).jacobian_product([[1.0, 3.0, 3.0], [1.0, 2.0, 3.0], [3.0, 3.0, 3.0]], [1.0, 0, 0])
    np.testing.assert_allclose(moved, [[0, np.nan, np.nan], [0, 0, 0], [2 / 9, -1 / 9, -1 / 9]], rtol=1e-14)


def test_the_loss_of_an_observed_choice_is_minus_its_log_likelihood():
    u = np.array([[0.0, 1.0, -4.0, 2.0, 7.0], [3.0, -1.0, 0.5, 2.0, 2.5]])
    chosen = np.array([3, 0])
    loss = Softmax().fenchel_young_loss(u, np.eye(5)[chosen])
    np.testing.assert_allclose(loss, -special.log_softmax(u, axis=1)[[0, 1], chosen], rtol=1e-14)


def test_the_loss_is_the_temperature_times_the_kullback_leibler_divergence():
    u, y, temperature = np.array([0.3, -1.2, 2.0]), np.array([0.2, 0.0, 0.8]), 2.5
    expected = temperature * special.rel_entr(y, softmax(u, temperature)).sum()
    assert Softmax(temperature).fenchel_young_loss(u, y) == pytest.approx(expected, rel=1e-13)


def test_the_conjugate_is_the_negative_entropy_times_the_temperature():
    assert Softmax(2.0).conjugate([0.25, 0.75]) == pytest.approx(2 * (0.25 * math.log(0.25) + 0.75 * math.log(0.75)))
    assert Softmax(3.0).conjugate([0.0, 1.0, 0.0]) == 0
    assert Softmax(0).conjugate([0.5, 0.5]) == 0


@pytest.mark.parametrize("n", [1, 2, 7, 10**6])
def test_the_largest_gap_is_the_temperature_times_the_log_of_the_number(n):
    assert Softmax(0.7).max_gap(n) == pytest.approx(0.7 * math.log(n), rel=1e-15)


def test_the_odds_of_two_alternatives_do_not_depend_on_a_third():
    # independence of irrelevant alternatives: Luce (1959), Individual Choice Behavior, section 1.C
    with_third, without = softmax([0.4, 1.1, 2.0]), softmax([0.4, 1.1])
    assert with_third[0] / with_third[1] == pytest.approx(without[0] / without[1], rel=1e-14)


def test_a_million_rows_are_each_a_distribution():
    u = np.random.default_rng(0).normal(scale=20, size=(100_000, 5))
    assert_distribution(softmax(u))
    assert_probabilities_close(softmax(u), special.softmax(u, axis=1))


def test_the_functions_check_as_the_rule_does():
    with pytest.raises(InvalidInputError, match="temperature"):
        softmax([1.0], -1)
    with pytest.raises(NoAvailableAlternativeError):
        inclusive_value([1.0], 1.0, [False])
    with pytest.raises(ShapeError):
        softmax(1.0)


def test_rules_with_one_temperature_a_row_can_be_compared():
    assert Softmax([1.0, 2.0]) == Softmax([1.0, 2.0])
    assert Softmax([1.0, 2.0]) != Softmax([1.0, 3.0])


@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed"])
@pytest.mark.parametrize("n", [2, 8, 40, 41, 200])
def test_a_row_has_the_same_bits_in_any_company_and_memory_layout(n, layout):
    u = np.random.default_rng(n).normal(scale=3, size=(50, n))
    arranged = {
        "C": u,
        "F": np.asfortranarray(u),
        "strided": np.repeat(u, 2, axis=1)[:, ::2],
        "reversed": u[::-1].copy()[::-1],
    }[layout]
    p, value = softmax(arranged), inclusive_value(arranged)
    for row in range(50):
        np.testing.assert_array_equal(p[row], softmax(u[row].copy()))
        assert value[row] == inclusive_value(u[row].copy())
