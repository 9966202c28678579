"""Hardmax: the best alternative, ties shared, and the loss of any answer among the best."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.choice.sampling import choose
from choicekit.rules import Hardmax, Softmax
from tests.problems import CLOSED_FORM, HARD_UTILITIES
from tests.tolerances import ALGEBRA

FROZEN = [problem for problem in CLOSED_FORM if problem.temperature == 0]


@pytest.mark.parametrize("problem", FROZEN, ids=str)
def test_problems_with_a_closed_form(problem):
    np.testing.assert_array_equal(Hardmax().probabilities(problem.utility), problem.probabilities)
    assert Hardmax().value(problem.utility) == problem.value


@pytest.mark.parametrize("utility", HARD_UTILITIES, ids=str)
def test_it_is_softmax_at_temperature_zero(utility):
    np.testing.assert_array_equal(Hardmax().probabilities(utility), Softmax(0).probabilities(utility))
    assert Hardmax().value(utility) == Softmax(0).value(utility)
    target = np.eye(len(utility))[int(np.argmin(utility))]
    assert Hardmax().fenchel_young_loss(utility, target) == Softmax(0).fenchel_young_loss(utility, target)
    drawn = [choose(utility, rule=rule, seed=3, agents=range(100)) for rule in (Hardmax(), Softmax(0))]
    np.testing.assert_array_equal(*drawn)


def test_the_maximum_of_published_utilities_is_the_fifth():
    np.testing.assert_array_equal(Hardmax().probabilities([0.0, 1.0, -4.0, 2.0, 7.0]), [0, 0, 0, 0, 1])
    assert Hardmax().value([0.0, 1.0, -4.0, 2.0, 7.0]) == 7.0


def test_utilities_that_differ_in_the_last_bit_are_no_tie():
    above = np.nextafter(5.0, 6.0)
    np.testing.assert_array_equal(Hardmax().probabilities([5.0, above, 5.0]), [0, 1, 0])
    assert Hardmax().value([5.0, above]) == above


def test_minus_zero_and_zero_are_a_tie():
    np.testing.assert_array_equal(Hardmax().probabilities([-0.0, 0.0]), [0.5, 0.5])


@pytest.mark.parametrize("target", [[1, 0, 0], [0, 1, 0], [0.5, 0.5, 0], [0.3, 0.7, 0]])
def test_any_distribution_over_the_maxima_has_no_loss(target):
    assert 0 <= Hardmax().fenchel_young_loss([5.0, 5.0, 1.0], target) <= ALGEBRA * 5


def test_the_loss_is_the_expected_regret():
    assert Hardmax().fenchel_young_loss([5.0, 5.0, 1.0], [0.25, 0.25, 0.5]) == 2.0
    assert Hardmax().fenchel_young_loss([5.0, 4.0], [0.0, 1.0]) == 1.0


def test_the_jacobian_is_that_of_softmax_at_temperature_zero():
    values = [[0.0, 1.0, 7.0], [5.0, 5.0, 1.0]]
    np.testing.assert_array_equal(Hardmax().jacobian_product(values, [1, 2, 3]), [[0, 0, 0], [np.nan, np.nan, 0]])
    np.testing.assert_array_equal(
        Hardmax().jacobian_product(values, [1, 2, 3]), Softmax(0).jacobian_product(values, [1, 2, 3])
    )


def test_there_is_no_gap_and_no_cost():
    assert Hardmax().max_gap(10) == 0
    np.testing.assert_array_equal(Hardmax().conjugate([[0.5, 0.5], [1.0, 0.0]]), [0, 0])
