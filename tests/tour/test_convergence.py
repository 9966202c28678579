"""The eighth station: frequencies, and the rate at which they become probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from choicekit import choose, softmax
from choicekit.tour.convergence import ConvergenceStation, visit_convergence

ROW = np.array([1, 1, 2, 3.4, -0.1, 3, 1.6])
DRAWS = np.array([100, 1_000, 10_000, 40_000])


@pytest.fixture(scope="module")
def station() -> ConvergenceStation:
    return visit_convergence(ROW, DRAWS, 8, seed=11)


def test_the_counts_are_those_of_the_first_agents(station: ConvergenceStation) -> None:
    choices = choose(ROW, seed=11, agents=range(10_000), replications=8)
    for place, n in enumerate((100, 1_000, 10_000)):
        expected = [np.bincount(row[:n], minlength=7) for row in choices]
        np.testing.assert_array_equal(station.counts[place], expected)
    np.testing.assert_array_equal(station.counts.sum(axis=-1), DRAWS[:, None] * np.ones(8))


def test_errors_are_distances_of_frequencies_from_softmax(station: ConvergenceStation) -> None:
    distance = np.abs(station.counts / DRAWS[:, None, None] - softmax(ROW))
    np.testing.assert_allclose(station.mean_errors, distance.mean(axis=-1), rtol=1e-14)
    np.testing.assert_allclose(station.largest_errors, distance.max(axis=-1), rtol=1e-14)


def test_errors_are_as_large_as_theory_says() -> None:
    station = visit_convergence(ROW, np.array([1_000, 10_000]), 60, seed=2)
    mean = station.mean_errors.mean(axis=1)
    error = station.mean_errors.std(axis=1, ddof=1) / np.sqrt(60)
    assert np.all(np.abs(mean - station.expected_error) < 5 * error)


def test_the_slope_is_that_of_a_straight_line(station: ConvergenceStation) -> None:
    x, y = np.log(DRAWS), np.log(station.mean_errors)
    np.testing.assert_allclose(station.slopes, [np.polyfit(x, column, 1)[0] for column in y.T], rtol=1e-10)
    assert station.slope == pytest.approx(station.slopes.mean())
    assert station.p_value == pytest.approx(stats.ttest_1samp(station.slopes, -0.5).pvalue, rel=1e-9)
    assert abs(station.slope + 0.5) < 0.1
    assert station.passed


def test_the_answer_does_not_depend_on_workers(station: ConvergenceStation) -> None:
    again = visit_convergence(ROW, DRAWS, 8, seed=11, workers=3)
    np.testing.assert_array_equal(again.counts, station.counts)


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []
    visit_convergence(ROW, np.array([100, 10_000]), 2, seed=1, progress=lambda *told_now: told.append(told_now))
    assert told[0] == ("Gumbel-max draws", 0, 10_000)
    assert told[-1] == ("Gumbel-max draws", 10_000, 10_000)


def test_where_nearly_nothing_is_left_to_chance_there_is_no_rate_to_claim() -> None:
    station = visit_convergence(np.array([0.0, 1000.0]), DRAWS, 4, seed=1)
    assert np.isnan(station.slope)
    assert [claim.name for claim in station.checks] == ["frequencies"]
    assert station.passed


@pytest.mark.parametrize("row", [[0.0, 0.0], [0.0, 6.0], [0.0, 9.0, -3.0], [1.0, 2, 3, 5, 5], np.zeros(20)])
@pytest.mark.parametrize("seed", [1, 2])
def test_its_claims_hold_for_other_rows(row: list[float], seed: int) -> None:
    assert visit_convergence(np.array(row), np.array([100, 1_000, 10_000]), 8, seed=seed).passed
