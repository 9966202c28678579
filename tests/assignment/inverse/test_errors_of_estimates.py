"""Standard errors against the spread of estimates over seeded samples, and the likelihood ratio against its law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from choicekit.assignment import WithOutsideOption
from choicekit.assignment.inverse import fit_assignment
from choicekit.errors import InvalidInputError
from tests.assignment.inverse.problems import BASIS, CHOO_SIOW, FIXED, OBSERVED, OBSERVED_AND_FIXED, TRUE
from tests.tolerances import MONTE_CARLO, P_VALUE, assert_monte_carlo

N, SAMPLES = 3_000, 100


def sampled(sides, coefficients, *, method="likelihood", basis=BASIS, samples=SAMPLES, **options):
    """Fits to samples of N households: pairs, and singles where there are any."""
    result = sides.solved(coefficients)
    n, m = result.coupling.shape
    outside = isinstance(sides.rows, WithOutsideOption)
    singles = [result.row_outside, result.column_outside] if outside else []
    law = np.concatenate([result.coupling.reshape(-1), *singles])
    generator = np.random.default_rng(11)
    for _ in range(samples):
        drawn = generator.multinomial(N, law / law.sum())
        pairs, conditions = drawn[: n * m].reshape(n, m), {"rows": sides.rows, "columns": sides.columns}
        if outside:
            conditions = {
                "rows": WithOutsideOption(pairs.sum(axis=1) + drawn[n * m : n * m + n]),
                "columns": WithOutsideOption(pairs.sum(axis=0) + drawn[n * m + n :]),
            }
        yield fit_assignment(pairs, basis, method=method, tolerance=1e-7, **conditions, **options)


@pytest.mark.parametrize(
    ("sides", "method"),
    [
        (OBSERVED, "likelihood"),
        (FIXED, "moments"),
        (CHOO_SIOW, "likelihood"),
        pytest.param(FIXED, "likelihood", marks=pytest.mark.slow),
        pytest.param(OBSERVED_AND_FIXED, "moments", marks=pytest.mark.slow),
        pytest.param(CHOO_SIOW, "moments", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_standard_errors_are_the_spread_of_estimates(sides, method: str) -> None:
    """The standard error of a standard deviation from R samples is its 1 / sqrt(2 R): 7 % here."""
    fits = list(sampled(sides, TRUE, method=method))
    spread = np.std([fit.coefficients for fit in fits], axis=0, ddof=1)
    expected = np.mean([fit.standard_errors for fit in fits], axis=0)
    assert_monte_carlo(spread / expected, 1.0, 1 / np.sqrt(2 * SAMPLES))
    mean = np.mean([fit.coefficients for fit in fits], axis=0)
    assert_monte_carlo(mean, TRUE, expected / np.sqrt(SAMPLES))


def test_other_masses_make_moments_less_sure_than_observed_ones() -> None:
    """So that the test above can tell the two apart."""
    moments = fit_assignment(1000 * FIXED.solved(TRUE).coupling.round(3), BASIS, rows=FIXED.rows, columns=FIXED.columns)
    observed = fit_assignment(1000 * FIXED.solved(TRUE).coupling.round(3), BASIS)
    assert np.max(moments.standard_errors / observed.standard_errors) > 1 + 2 * MONTE_CARLO / np.sqrt(2 * SAMPLES)


def test_the_likelihood_ratio_of_neutral_matches_follows_chi_square() -> None:
    ratios = [fit.likelihood_ratio for fit in sampled(OBSERVED, 0 * TRUE)]
    assert stats.kstest([ratio.statistic for ratio in ratios], stats.chi2(3).cdf).pvalue > P_VALUE
    assert stats.kstest([ratio.p_value for ratio in ratios], "uniform").pvalue > P_VALUE
    assert_monte_carlo(np.mean([ratio.statistic for ratio in ratios]), 3.0, np.sqrt(6 / SAMPLES))


def test_the_penalty_makes_the_spread_smaller_and_the_standard_errors_say_so() -> None:
    fits = list(sampled(OBSERVED, TRUE, penalty=200.0))
    spread = np.std([fit.coefficients for fit in fits], axis=0, ddof=1)
    expected = np.mean([fit.standard_errors for fit in fits], axis=0)
    assert_monte_carlo(spread / expected, 1.0, 1 / np.sqrt(2 * SAMPLES))


def many_rows(n_rows: int, coefficient: float):
    """Counts of rows that are alike in law: 20 matches each with a choice of three columns."""
    generator = np.random.default_rng(2)
    traits = generator.normal(size=n_rows)
    utility = coefficient * np.outer(traits, [-1.0, 0.0, 1.0])
    law = np.exp(utility) / np.exp(utility).sum(axis=1, keepdims=True)
    return np.array([generator.multinomial(20, row) for row in law]), np.outer(traits, [-1.0, 0.0, 1.0])


def test_the_bootstrap_by_row_agrees_with_the_sandwich_where_matches_are_independent() -> None:
    """Both estimate one thing: from 100 resamples with 7 % and from 80 rows with some 8 %."""
    counts, basis = many_rows(80, 0.8)
    fit = fit_assignment(counts, [basis])
    bootstrap = fit.bootstrap(100, seed=4)
    assert bootstrap.n_failed == 0
    assert_monte_carlo(bootstrap.standard_errors / fit.standard_errors, 1.0, np.hypot(0.07, 0.08))


def test_the_bootstrap_is_addressed_by_row() -> None:
    counts, basis = many_rows(12, 0.8)
    names = [f"island {place}" for place in range(12)]
    fit = fit_assignment(counts, [basis], row_names=names)
    order = np.random.default_rng(1).permutation(12)
    turned = fit_assignment(counts[order], [basis[order]], row_names=[names[place] for place in order])
    one, other = fit.bootstrap(5, seed=4), turned.bootstrap(5, seed=4)
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-6)
    assert np.all(one.coefficients != fit.bootstrap(5, seed=5).coefficients)
    np.testing.assert_array_equal(one.coefficients[:3], fit.bootstrap(3, seed=4).coefficients)
    assert repr(one) == "Bootstrap(5 resamples of rows, seed=4)"


@pytest.mark.parametrize("sides", [FIXED, CHOO_SIOW, OBSERVED_AND_FIXED], ids=str)
def test_the_bootstrap_knows_given_masses(sides) -> None:
    fit = fit_assignment(sides.solved(TRUE).coupling, BASIS[:1], rows=sides.rows, columns=sides.columns)
    bootstrap = fit.bootstrap(10, seed=1)
    assert bootstrap.n_failed <= 2
    assert np.all(bootstrap.standard_errors > 0)


def test_a_bootstrap_of_one_row_is_refused() -> None:
    fit = fit_assignment([[5, 3], [0, 0]], [[[1.0, 0.0], [0.0, 0.0]]], rows=[3.0, 1.0], columns=[2.0, 2.0], penalty=1.0)
    with pytest.raises(InvalidInputError, match="at least 2 rows, found 1 of 2"):
        fit.bootstrap(5, seed=1)
    with pytest.raises(InvalidInputError, match="replications must be a whole number of at least 2, found 1"):
        fit.bootstrap(1, seed=1)
