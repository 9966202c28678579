"""P-values of counts, against scipy's and by simulation of their law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from choicekit.tour.chi_square import follows, p_value_of_counts


def test_the_p_value_is_that_of_scipy() -> None:
    counts, shares = np.array([55, 30, 15]), np.array([0.5, 0.3, 0.2])
    assert p_value_of_counts(counts, shares) == pytest.approx(stats.chisquare(counts, 100 * shares).pvalue, rel=1e-12)


def test_what_cannot_happen_must_not() -> None:
    assert p_value_of_counts([0, 100], [0.0, 1.0]) == 1.0
    assert p_value_of_counts([1, 99], [0.0, 1.0]) == 0.0
    assert not follows("a", "a", [1, 99], [0.0, 1.0]).holds


def test_rare_cells_are_taken_together() -> None:
    shares = np.array([0.5, 0.43, 0.03, 0.03, 0.01])
    together = stats.chisquare([48, 45, 7], 100 * np.array([0.5, 0.43, 0.07])).pvalue
    assert p_value_of_counts([48, 45, 3, 2, 2], shares) == pytest.approx(together, rel=1e-12)
    assert p_value_of_counts([1, 99_999], [1e-9, 1 - 1e-9]) == 1.0  # too rare to be judged


def test_p_values_of_a_right_law_are_spread_evenly() -> None:
    shares = np.array([0.1, 0.2, 0.3, 0.4])
    counts = np.random.default_rng(5).multinomial(2_000, shares, size=2_000)
    p_values = [p_value_of_counts(row, shares) for row in counts]
    assert stats.kstest(p_values, "uniform").pvalue > 1e-3


def test_a_wrong_law_is_noticed() -> None:
    counts = np.random.default_rng(5).multinomial(20_000, [0.1, 0.2, 0.3, 0.4])
    assert not follows("a", "a", counts, [0.12, 0.2, 0.28, 0.4]).holds
