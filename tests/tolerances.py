"""How far apart two numbers may lie, named by the cause of the difference, and assertions that use it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import stats

EPSILON = float(np.finfo(np.float64).eps)

ALGEBRA = 128 * EPSILON
"""Rounding of a formula with a handful of operations, relative to max(|u|, T)."""

SUMS = 16 * EPSILON
"""Rounding of a sum of at most a few dozen terms that make one."""

SOLVER = 10.0
"""An iterative answer may be this many times its own tolerance away."""

MONTE_CARLO = 5.0
"""A simulated mean may lie this many standard errors from its expectation."""

P_VALUE = 1e-6
"""The smallest p-value a test of randomness may have: seeds are fixed, so a smaller one is a fault."""

FINITE_DIFFERENCE = 2e-5
"""Truncation and rounding of a central difference of a value, in probabilities."""

Array = npt.ArrayLike


def size_of(utility: Array, temperature: Array = 0.0) -> float:
    """max(|u|, T) over the finite utilities: what rounding is relative to."""
    finite = np.asarray(utility, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    return float(max(np.abs(finite).max(initial=0.0), np.max(temperature), np.finfo(np.float64).tiny))


def assert_utilities_close(actual: Array, expected: Array, utility: Array, temperature: Array = 0.0) -> None:
    """Quantities in units of utility agree but for rounding relative to max(|u|, T)."""
    scale = size_of(utility, temperature)
    np.testing.assert_array_equal(np.isfinite(actual), np.isfinite(expected))
    np.testing.assert_allclose(np.divide(actual, scale), np.divide(expected, scale), rtol=0, atol=ALGEBRA)


def assert_probabilities_close(actual: Array, expected: Array, utility: Array = 0.0, temperature: float = 1.0) -> None:
    """Probabilities agree but for the rounding of u, which T magnifies; zeros are the same zeros."""
    magnified = size_of(utility, temperature) / temperature if temperature > 0 else 1.0
    np.testing.assert_allclose(actual, expected, rtol=0, atol=min(ALGEBRA * magnified, 1.0))


def assert_distribution(probabilities: Array) -> None:
    """Nowhere negative, nowhere nan, every row sums to one."""
    table = np.asarray(probabilities)
    assert np.all(table >= 0)
    np.testing.assert_allclose(table.sum(axis=-1), 1.0, rtol=0, atol=SUMS)


def assert_within_solver_tolerance(error: Array, tolerance: float) -> None:
    """An iterative answer is as good as it was asked to be."""
    assert np.max(np.abs(error)) <= SOLVER * tolerance


def assert_monte_carlo(estimate: Array, expected: Array, standard_error: Array) -> None:
    """Simulated means lie within five standard errors."""
    distance = np.abs(np.subtract(estimate, expected)) / standard_error
    assert np.max(distance) <= MONTE_CARLO, f"{np.max(distance):.2f} standard errors"


def assert_counts_follow(count: Array, expected: Array) -> None:
    """Pearson's chi-square of counts against a law with the same total is no surprise."""
    observed, theory = np.asarray(count, dtype=np.float64).ravel(), np.asarray(expected, dtype=np.float64).ravel()
    np.testing.assert_allclose(observed.sum(), theory.sum(), rtol=1e-9)
    assert np.all(observed[theory == 0] == 0)
    observed, theory = observed[theory > 0], theory[theory > 0]
    statistic = float(((observed - theory) ** 2 / theory).sum())
    assert stats.chi2.sf(statistic, max(theory.size - 1, 1)) >= P_VALUE, f"chi-square {statistic:.1f}"


def assert_rare_count(count: int, expected: float) -> None:
    """A count of rare events is no surprise under Poisson's law, on either side."""
    smaller, larger = stats.poisson.cdf(count, expected), stats.poisson.sf(count - 1, expected)
    assert min(smaller, larger) >= P_VALUE, f"{count} where {expected:g} are expected"


def assert_uncorrelated(left: Array, right: Array) -> None:
    """The correlation of two series is within five standard errors of zero."""
    x, y = np.asarray(left, dtype=np.float64).ravel(), np.asarray(right, dtype=np.float64).ravel()
    assert_monte_carlo(np.corrcoef(x, y)[0, 1], 0.0, 1 / np.sqrt(x.size))
