"""The fifth station: the path, its ties, and three formulas of which one is right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from choicekit.tour.temperature import visit_temperature
from tests.tour.rows import rows

PUBLISHED = np.array([1.0, 2, 3, 5, 5])
SHOWN = np.array([1, 1e-3, 1e-12])


def test_the_published_numbers() -> None:
    station = visit_temperature(PUBLISHED, SHOWN)
    printed = [0.00831, 0.02260, 0.06142, 0.45383, 0.45383]
    np.testing.assert_allclose(station.by_maximum[0], printed, atol=1e-5)  # .453836: cut, not rounded, in print
    np.testing.assert_array_equal(np.isnan(station.naive), [[False] * 5, [True] * 5, [True] * 5])
    assert [f"{share:.5f}" for share in station.by_value[2]] == ["0.00000"] * 3 + ["0.50018"] * 2
    np.testing.assert_array_equal(station.by_maximum[2], [0, 0, 0, 0.5, 0.5])
    assert [entry.name for entry in station.published] == ["softmax", "by_value", "by_maximum"]
    assert station.passed


def test_the_formulas_agree_where_nothing_is_lost() -> None:
    station = visit_temperature(PUBLISHED, np.array([1.0, 7.0]))
    np.testing.assert_allclose(station.naive, station.by_maximum, rtol=1e-14)
    np.testing.assert_allclose(station.by_value, station.by_maximum, rtol=1e-14)
    assert [entry.name for entry in station.published] == ["softmax"]


def test_the_naive_formula_fails_below_as_above() -> None:
    station = visit_temperature(np.array([-800.0, -900.0]), np.array([1.0, 2.0]))
    np.testing.assert_array_equal(np.isnan(station.naive).all(axis=1), [True, False])
    assert station.passed


def test_the_path_goes_from_equal_shares_to_those_of_the_best() -> None:
    station = visit_temperature(PUBLISHED, SHOWN)
    assert np.all(np.diff(station.temperatures) < 0)
    np.testing.assert_allclose(station.probabilities[0], 0.2, atol=0.003)
    np.testing.assert_allclose(station.probabilities[-1], [0, 0, 0, 0.5, 0.5], atol=1e-200)
    np.testing.assert_array_equal(station.limit_cold, [0, 0, 0, 0.5, 0.5])
    assert station.n_best == 2
    assert station.entropy[0] == pytest.approx(np.log(5), abs=1e-4)
    assert station.entropy[-1] == pytest.approx(np.log(2), rel=1e-14)
    assert station.inclusive_value[-1] == pytest.approx(5 + station.temperatures[-1] * np.log(2), rel=1e-15)


def test_equal_utilities_stay_equal() -> None:
    station = visit_temperature(np.zeros(3), SHOWN)
    np.testing.assert_allclose(station.probabilities, 1 / 3, rtol=1e-15)
    assert station.passed


@given(rows)
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64]) -> None:
    assert visit_temperature(row, SHOWN).passed
