"""The fourth station: bounds that hold, are reached, and cannot be beaten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, special

from choicekit.tour.bounds import visit_bounds


def gap(lead: Any, n: int) -> Any:
    """The maximum less the inner product, one alternative ahead of n - 1 equal ones."""
    return lead * (n - 1) / (np.exp(lead) + n - 1)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_the_bound_of_the_boltzmann_operator_is_the_largest_gap_there_is(n: int) -> None:
    station = visit_bounds(np.arange(n, dtype=float), seed=1)
    found = optimize.minimize_scalar(lambda lead: -gap(lead, n), bounds=(0, 10), method="bounded",
                                     options={"xatol": 1e-10})  # fmt: skip
    assert station.bounds["boltzmann"] == pytest.approx(-found.fun, rel=1e-12)
    assert station.reached_at["boltzmann"] == pytest.approx(found.x, abs=1e-6)


def test_no_row_of_five_beats_the_bound() -> None:
    station = visit_bounds(np.arange(5.0), seed=1)

    def minus_gap(row: np.ndarray) -> float:
        return -float(row.max() - special.softmax(row) @ row)

    found = [optimize.minimize(minus_gap, np.random.default_rng(k).normal(size=5) * 3, method="Nelder-Mead").fun
             for k in range(5)]  # fmt: skip
    assert min(found) >= -station.bounds["boltzmann"] - 1e-12
    assert min(found) == pytest.approx(-station.bounds["boltzmann"], abs=1e-3)


def test_gaps_are_those_of_the_curve() -> None:
    station = visit_bounds(np.arange(5.0), seed=1)
    np.testing.assert_allclose(station.gaps["boltzmann"], gap(station.lead, 5), rtol=0, atol=1e-14)
    np.testing.assert_allclose(station.gaps["inclusive_value"], np.log1p(4 * np.exp(-station.lead)), atol=1e-14)
    np.testing.assert_allclose(station.gaps["mellowmax"], np.log(5) - np.log1p(4 * np.exp(-station.lead)), atol=1e-14)


def test_random_rows_fill_the_space_under_the_bounds() -> None:
    station = visit_bounds(np.arange(5.0), seed=1)
    for name, gaps in station.random_gaps.items():
        assert 0 <= gaps.min() < 0.2 * station.bounds[name]
        assert 0.8 * station.bounds[name] < gaps.max() <= station.bounds[name]
    assert np.all(station.random_lead >= 0)


def test_the_bounds_as_alternatives_are_added() -> None:
    station = visit_bounds(np.arange(2.0), seed=1)
    np.testing.assert_allclose(station.size_bounds["inclusive_value"], np.log(station.sizes))
    w = station.size_bounds["boltzmann"]
    np.testing.assert_allclose(w * np.exp(w), (station.sizes - 1) / np.e, rtol=1e-12)


def test_the_boltzmann_operator_falls_and_then_rises() -> None:
    station = visit_bounds(np.arange(3.0), seed=1)
    falling = station.raised < station.lowest_at
    step = np.diff(station.curves["boltzmann"])
    assert np.all(step[falling[1:]] < 0)
    assert np.all(step[~falling[:-1]] > 0)
    assert station.curves["boltzmann"].min() >= station.lowest
    assert station.lowest_at == pytest.approx(-1.2784645427610738, rel=1e-14)
    np.testing.assert_allclose(station.example_values, [-4 / (1 + np.exp(4)), -2 / (1 + np.exp(2))], rtol=1e-14)
    for name in ("inclusive_value", "mellowmax", "maximum"):
        assert np.all(np.diff(station.curves[name]) >= 0)


def test_the_example_is_the_row_that_was_given() -> None:
    station = visit_bounds(np.array([1.0, 2, 3, 4, 5]), seed=1)
    assert station.n == 5
    assert station.at_utility["boltzmann"] == pytest.approx(4.451941567662195, rel=1e-14)
    assert station.at_utility["mellowmax"] == pytest.approx(
        station.at_utility["inclusive_value"] - np.log(5), rel=1e-14
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [2, 3, 20])
def test_its_claims_hold_for_any_size_and_seed(n: int, seed: int) -> None:
    assert visit_bounds(np.zeros(n), seed=seed).passed
