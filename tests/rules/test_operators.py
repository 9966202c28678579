"""The Boltzmann operator, mellowmax and the one-hot argmax: their bounds, their limits, and where they misbehave."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from choicekit import Hardmax, InvalidInputError, NoAvailableAlternativeError, ShapeError, inclusive_value, softmax
from choicekit.rules.operators import boltzmann, boltzmann_gap, mellowmax, mellowmax_gap, one_hot_argmax
from tests.tolerances import ALGEBRA, assert_utilities_close, size_of

OPERATORS = [(boltzmann, boltzmann_gap), (mellowmax, mellowmax_gap)]

levels = st.one_of(st.floats(-50, 50), st.sampled_from([0.0, 1e300, -1e300, 1e308, -1e308, 5e-324, 1e-12, 1.0]))
utilities = st.lists(levels, min_size=1, max_size=8)
temperatures = st.one_of(st.floats(1e-3, 50), st.sampled_from([0.0, 5e-324, 1e-12, 1e12, 1e300]))


@pytest.mark.parametrize(("operator", "gap"), OPERATORS)
@given(utility=utilities, temperature=temperatures, away=st.integers(0, 3))
def test_the_bounds_hold(
    operator: Callable[..., np.ndarray], gap: Callable[..., np.ndarray], utility: list[float], temperature: float,
    away: int,
) -> None:  # fmt: skip
    row = np.array([*utility, *[-np.inf] * away])
    value, top = operator(row, temperature), max(utility)
    slack = ALGEBRA * size_of(row, temperature)
    assert np.isfinite(value)
    assert value <= top + slack
    assert value >= top - gap(len(utility), temperature) - slack
    assert value >= min(utility) - slack


@pytest.mark.parametrize("temperature", [0.01, 1.0, 300.0])
@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_the_bound_of_boltzmann_is_reached_where_it_says(n: int, temperature: float) -> None:
    bound = boltzmann_gap(n, temperature)
    row = np.array([0.0, *[-temperature - bound] * (n - 1)])
    assert -boltzmann(row, temperature) == pytest.approx(bound, rel=1e-12)
    for other in (0.9, 0.99, 1.01, 1.1):
        assert -boltzmann(row * other, temperature) < bound
    found = optimize.minimize_scalar(
        lambda d: float(boltzmann(np.array([0.0, *[-d * temperature] * (n - 1)]), temperature)), bounds=(0, 20),
        options={"xatol": 1e-9}, method="bounded",
    )  # fmt: skip
    assert -found.fun == pytest.approx(bound, rel=1e-9)


def test_no_random_row_passes_the_bound_of_boltzmann() -> None:
    rng = np.random.default_rng(1)
    for n in (2, 5, 20):
        rows = rng.normal(size=(20_000, n)) * rng.uniform(0, 6, size=(20_000, 1))
        gaps = rows.max(axis=1) - boltzmann(rows)
        assert 0.6 * boltzmann_gap(n) < gaps.max() <= boltzmann_gap(n)


def test_the_bound_of_mellowmax_is_approached() -> None:
    for n in (2, 7):
        row = np.array([0.0, *[-40.0] * (n - 1)])
        assert -mellowmax(row) == pytest.approx(mellowmax_gap(n), rel=1e-14)
        assert -mellowmax(row / 4) < mellowmax_gap(n)


def test_boltzmann_is_the_mean_utility_of_the_choice() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 6)) * 5
    for temperature in (0.3, 1.0, 20.0):
        p = softmax(rows, temperature)
        assert_utilities_close(boltzmann(rows, temperature), (p * rows).sum(axis=1), rows, temperature)
        entropy = -(p * np.log(p)).sum(axis=1)
        value = inclusive_value(rows, temperature)
        assert_utilities_close(boltzmann(rows, temperature) + temperature * entropy, value, rows, temperature)


def test_boltzmann_is_not_monotone_and_mellowmax_is() -> None:
    raised = np.linspace(-6, 0, 61)
    rows = np.stack([np.zeros(61), raised], axis=1)
    steps = np.diff(boltzmann(rows))
    lowest = -1.2784645427610738  # 1 + x + e^x = 0
    assert np.all(steps[raised[1:] < lowest] < 0)
    assert np.all(steps[raised[:-1] > lowest] > 0)
    assert boltzmann([0.0, lowest]) == pytest.approx(-boltzmann_gap(2), rel=1e-12)
    assert np.all(np.diff(mellowmax(rows)) > 0)
    assert np.all(np.diff(inclusive_value(rows)) > 0)


def test_published_values() -> None:
    """Softmax of 1..5 times 1..5, and log-sum-exp of [0, 1, -4, 2, 7] less log 5."""
    assert boltzmann([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(4.4519, abs=5e-5)
    assert mellowmax([0.0, 1.0, -4.0, 2.0, 7.0]) == pytest.approx(7.01009416490667 - np.log(5), rel=1e-14)


@given(utilities, temperatures, st.floats(-1e3, 1e3))
def test_mellowmax_is_the_inclusive_value_less_a_constant(row: list[float], temperature: float, shift: float) -> None:
    n = len(row)
    expected = inclusive_value(row, temperature) - temperature * np.log(n)
    assert_utilities_close(mellowmax(row, temperature), expected, row, temperature)
    assert_utilities_close(mellowmax(row * 3, temperature), mellowmax(row, temperature), row, temperature)
    assert mellowmax([row[0]] * n, temperature) == row[0]


def test_a_hot_mellowmax_is_the_mean_to_the_last_digit() -> None:
    row = np.array([1.0, 2.0, 6.0])
    assert mellowmax(row, 1e12) == pytest.approx(3.0, rel=1e-11)
    assert mellowmax([*row, -np.inf], 1e15) == pytest.approx(3.0, rel=1e-14)
    assert boltzmann(row, 1e15) == pytest.approx(3.0, rel=1e-14)


@pytest.mark.parametrize(("operator", "gap"), OPERATORS)
def test_shapes_availability_and_temperatures_by_row(
    operator: Callable[..., np.ndarray], gap: Callable[..., np.ndarray]
) -> None:
    rows = np.random.default_rng(2).normal(size=(2, 3, 4))
    by_row = np.array([[0.0, 0.5, 1.0], [2.0, 1e-12, 1e300]])
    found = operator(rows, by_row)
    assert found.shape == (2, 3)
    for place in np.ndindex(2, 3):
        assert found[place] == operator(rows[place], by_row[place])
    assert found[0, 0] == rows[0, 0].max()
    available = np.array([True, False, True, True])
    np.testing.assert_array_equal(operator(rows, 1.0, available), operator(rows[..., available], 1.0))
    assert operator([1.0, np.nan], 1.0, [True, False]) == 1.0
    assert gap(1, 3.0) == 0.0
    assert gap(4, by_row).shape == (2, 3)
    with pytest.raises(NoAvailableAlternativeError):
        operator([1.0], 1.0, [False])
    with pytest.raises(InvalidInputError, match="temperature must be finite and at least 0, found -1"):
        operator([1.0], -1)
    with pytest.raises(ShapeError, match="temperature must be one number or one a row"):
        operator(rows, [1.0, 2.0])
    for wrong in (0, 1.5, True):
        with pytest.raises(InvalidInputError, match="whole number of alternatives of at least 1, found"):
            gap(wrong)


def test_the_one_hot_argmax_takes_the_first_maximum() -> None:
    rows = np.array([[1.0, 5.0, 5.0], [7.0, -np.inf, 0.0], [-np.inf, -np.inf, -1e308]])
    np.testing.assert_array_equal(one_hot_argmax(rows), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(one_hot_argmax(rows[0], [True, False, True]), [0, 0, 1])
    np.testing.assert_array_equal(Hardmax().probabilities(rows[0]), [0, 0.5, 0.5])
    assert one_hot_argmax(rows).dtype == np.float64
    with pytest.raises(InvalidInputError):
        one_hot_argmax([1.0, np.nan])
