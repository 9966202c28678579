"""Fits of assignments whose coefficients are known."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.assignment import Fixed, WithOutsideOption, solve_assignment
from choicekit.assignment.inverse import fit_assignment
from choicekit.errors import ConvergenceError, InvalidInputError, ShapeError
from tests.assignment.inverse.problems import BASIS, CHOO_SIOW, COLUMN_MASS, NAMES, OBSERVED, ROW_MASS, SIDES, TRUE

EXACT = 1e-7  # of coefficients, from couplings solved to 1e-12
COUNTS = np.array([[12, 3, 5, 1], [2, 9, 4, 6], [7, 2, 8, 3], [1, 6, 2, 11], [4, 5, 3, 2]])
METHODS = ("likelihood", "moments")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("sides", SIDES, ids=str)
def test_what_made_a_coupling_is_found_in_it(sides, method) -> None:
    fit = fit_assignment(sides.solved(TRUE).coupling, BASIS, method=method, names=NAMES, **sides.arguments)
    assert fit.converged
    assert fit.result.converged
    np.testing.assert_allclose(fit.coefficients, TRUE, rtol=0, atol=EXACT)


@pytest.mark.parametrize("strength", [0.3, 1.0, 3.0])
def test_the_gaussian_market_gives_back_its_strength(strength: float) -> None:
    """Known answer: lambda = rho / (1 - rho^2).

    On any grid a bivariate normal density is exp(lambda x y) times functions of x and of y: the fit is exact.
    """
    rho = (np.sqrt(1 + 4 * strength**2) - 1) / (2 * strength)
    x = np.linspace(-6, 6, 121)
    density = np.exp(-(x[:, None] ** 2 - 2 * rho * np.outer(x, x) + x**2) / (2 * (1 - rho**2)))
    fit = fit_assignment(density / density.sum(), [np.outer(x, x)])
    np.testing.assert_allclose(fit.coefficients, [rho / (1 - rho**2)], rtol=1e-8)
    np.testing.assert_allclose(fit.coefficients, [strength], rtol=1e-8)


def test_the_correlation_of_the_gaussian_market_comes_back_from_its_strength() -> None:
    """Discretisation of the normal law by 121 points between -6 and 6 costs less than 1e-7 of a correlation."""
    x = np.linspace(-6, 6, 121)
    mass = np.exp(-(x**2) / 2)
    result = solve_assignment(np.outer(x, x), mass / mass.sum(), mass / mass.sum(), temperature=1.0)
    np.testing.assert_allclose(np.sum(result.coupling * np.outer(x, x)), (np.sqrt(5) - 1) / 2, rtol=0, atol=1e-7)
    np.testing.assert_allclose(fit_assignment(result.coupling, [np.outer(x, x)]).coefficients, 1.0, rtol=1e-6)


def test_choo_siow_surplus_is_what_their_formula_says() -> None:
    """With a dummy for each pair the fit is mu_ij / sqrt(mu_i0 mu_0j), their equation 10, in logarithms."""
    rows, columns = COUNTS.sum(axis=1) + np.array([5, 8, 2, 9, 4]), COUNTS.sum(axis=0) + np.array([3, 7, 6, 1])
    dummies = np.eye(COUNTS.size).reshape(-1, *COUNTS.shape)
    singles = np.outer(rows - COUNTS.sum(axis=1), columns - COUNTS.sum(axis=0))
    for method in METHODS:
        fit = fit_assignment(
            COUNTS, dummies, rows=WithOutsideOption(rows), columns=WithOutsideOption(columns), method=method
        )
        expected = np.log(COUNTS / np.sqrt(singles))
        np.testing.assert_allclose(fit.coefficients.reshape(COUNTS.shape), expected, rtol=0, atol=1e-7)
        np.testing.assert_allclose(fit.result.row_outside, rows - COUNTS.sum(axis=1), rtol=1e-7)
        assert fit.n_observations == COUNTS.sum() + 28 + 17


def test_two_by_two_is_the_log_odds_ratio() -> None:
    """The log odds ratio is 2 times the coefficient of likeness; its variance is sum 1 / n (Woolf 1955)."""
    counts = np.array([[30.0, 12.0], [9.0, 25.0]])
    fit = fit_assignment(counts, [np.eye(2)])
    np.testing.assert_allclose(fit.coefficients, 0.5 * np.log(30 * 25 / (12 * 9)), rtol=1e-9)
    np.testing.assert_allclose(fit.standard_errors, 0.5 * np.sqrt(np.sum(1 / counts)), rtol=1e-7)
    shares = counts / counts.sum()
    np.testing.assert_allclose(fit.log_likelihood, np.sum(counts * np.log(shares)), rtol=1e-12)
    neutral = np.outer(shares.sum(axis=1), shares.sum(axis=0))
    np.testing.assert_allclose(fit.neutral_log_likelihood, np.sum(counts * np.log(neutral)), rtol=1e-12)
    ratio = fit.likelihood_ratio
    np.testing.assert_allclose(ratio.statistic, 2 * np.sum(counts * np.log(shares / neutral)), rtol=1e-9)
    assert ratio.degrees == 1
    assert 0 < ratio.p_value < 1e-4


def test_methods_agree_under_observed_masses() -> None:
    by_likelihood, by_moments = (fit_assignment(COUNTS, BASIS, method=method) for method in METHODS)
    np.testing.assert_allclose(by_likelihood.coefficients, by_moments.coefficients, rtol=1e-8)
    np.testing.assert_allclose(by_likelihood.covariance, by_moments.covariance, rtol=1e-7)


def test_moments_match_and_the_likelihood_is_largest_under_other_masses() -> None:
    fits = [fit_assignment(COUNTS, BASIS, rows=ROW_MASS, columns=COLUMN_MASS, method=method) for method in METHODS]
    likelihood, moments = fits
    scaled = COUNTS * (ROW_MASS.sum() / COUNTS.sum())
    gap = np.tensordot(BASIS, scaled - moments.result.coupling, axes=2)
    np.testing.assert_allclose(gap, 0, rtol=0, atol=1e-9)
    assert np.abs(np.tensordot(BASIS, scaled - likelihood.result.coupling, axes=2)).max() > 1e-3
    assert likelihood.log_likelihood > moments.log_likelihood + 1e-3
    assert np.isnan(moments.likelihood_ratio.p_value)


def test_the_default_method_is_that_of_the_masses() -> None:
    assert fit_assignment(COUNTS, BASIS).method == "likelihood"
    assert fit_assignment(COUNTS, BASIS, rows=ROW_MASS, columns=COLUMN_MASS).method == "moments"
    outside = WithOutsideOption(COUNTS.sum(axis=1) + 1)
    assert fit_assignment(COUNTS, BASIS, rows=outside).method == "likelihood"


def test_places_without_matches_and_forbidden_pairs_change_nothing_else() -> None:
    plain = fit_assignment(COUNTS, BASIS)
    counts = np.zeros((6, 5))
    counts[:5, :4] = COUNTS
    basis = np.ones((3, 6, 5))
    basis[:, :5, :4] = BASIS
    larger = fit_assignment(counts, basis)
    np.testing.assert_allclose(larger.coefficients, plain.coefficients, rtol=1e-9)
    np.testing.assert_allclose(larger.covariance, plain.covariance, rtol=1e-7)
    np.testing.assert_allclose(larger.log_likelihood, plain.log_likelihood, rtol=1e-12)
    available = np.ones(COUNTS.shape, dtype=bool)
    available[0, 3] = False
    observed = np.where(available, OBSERVED.solved(TRUE).coupling, 0)
    made = solve_assignment(
        np.where(available, np.tensordot(TRUE, BASIS, axes=1), -np.inf), observed.sum(axis=1), observed.sum(axis=0),
        temperature=1.0, tolerance=1e-12,
    )  # fmt: skip
    fit = fit_assignment(made.coupling, np.where(available, BASIS, np.nan), availability=available)
    np.testing.assert_allclose(fit.coefficients, TRUE, rtol=0, atol=EXACT)
    assert fit.result.coupling[0, 3] == 0


def test_a_large_constant_in_a_basis_function_costs_nothing() -> None:
    plain = fit_assignment(COUNTS, BASIS)
    shifted = fit_assignment(COUNTS, BASIS + 1e5 + 1e3 * np.arange(4.0))
    np.testing.assert_allclose(shifted.coefficients, plain.coefficients, rtol=1e-7)
    np.testing.assert_allclose(shifted.result.coupling, plain.result.coupling, rtol=1e-7)


def test_units_of_matches_change_nothing_but_the_number_of_observations() -> None:
    plain = fit_assignment(COUNTS, BASIS)
    shares = fit_assignment(COUNTS / COUNTS.sum(), BASIS, observations=COUNTS.sum())
    np.testing.assert_allclose(shares.coefficients, plain.coefficients, rtol=1e-8)
    np.testing.assert_allclose(shares.covariance, plain.covariance, rtol=1e-7)
    np.testing.assert_allclose(shares.log_likelihood, plain.log_likelihood, rtol=1e-10)
    unknown = fit_assignment(COUNTS / COUNTS.sum(), BASIS)
    assert unknown.n_observations is None
    assert np.isnan(unknown.standard_errors).all()
    assert np.isnan(unknown.likelihood_ratio.p_value)


def test_a_penalty_pulls_to_zero_and_solves_its_own_equation() -> None:
    free, held = fit_assignment(COUNTS, BASIS), fit_assignment(COUNTS, BASIS, penalty=50.0)
    assert np.linalg.norm(held.coefficients) < np.linalg.norm(free.coefficients)
    gradient = np.tensordot(BASIS, COUNTS - held.result.coupling, axes=2)
    np.testing.assert_allclose(gradient, 50.0 * held.coefficients, rtol=1e-6)
    assert np.all(held.standard_errors < free.standard_errors)
    assert np.isnan(held.likelihood_ratio.p_value)


def test_matches_too_extreme_for_any_coefficients_are_said_to_be() -> None:
    with pytest.raises(ConvergenceError, match=r"grows for ever.*give a penalty") as caught:
        fit_assignment(np.eye(3), [np.eye(3)])
    assert caught.value.result.status == "no_maximum"
    assert not fit_assignment(np.eye(3), [np.eye(3)], on_failure="return").converged
    assert fit_assignment(np.eye(3), [np.eye(3)], penalty=0.1).converged


def test_a_search_cut_short_says_so() -> None:
    with pytest.raises(ConvergenceError, match="after 1 iterations; raise max_iterations"):
        fit_assignment(COUNTS, BASIS, max_iterations=1)


def test_a_result_shows_itself() -> None:
    fit = fit_assignment(COUNTS, BASIS, names=NAMES)
    assert repr(fit).startswith("AssignmentFit(3 coefficients of 5 x 4 pairs by likelihood")
    assert len(repr(fit)) < 200
    frame = fit.to_frame()
    assert list(frame["name"]) == list(NAMES)
    np.testing.assert_allclose(frame["upper"] - frame["lower"], 2 * 1.959964 * fit.standard_errors, rtol=1e-6)
    assert np.all(np.diff(fit.intervals(0.5)) < np.diff(fit.intervals()))
    assert "likeness" in fit._repr_html_()
    np.testing.assert_array_equal(fit_assignment(COUNTS, BASIS, level=0.5).intervals(), fit.intervals(0.5))


ONES = np.ones(5)


@pytest.mark.parametrize(
    ("observed", "basis", "options", "error", "message"),
    [
        (-COUNTS, BASIS, {}, InvalidInputError, "at least 0, found -12.0 in row 0, column 0: a pair that was never"),
        (np.where(COUNTS == 9, np.nan, COUNTS), BASIS, {}, InvalidInputError, "found nan in row 1, column 1"),
        (0 * COUNTS, BASIS, {}, InvalidInputError, "must hold a match, found 5 x 4 zeros"),
        (COUNTS[0], BASIS, {}, ShapeError, r"\(n, m\), found shape \(4,\)"),
        (np.zeros((0, 4)), BASIS, {}, ShapeError, r"found shape \(0, 4\)"),
        ([["a"]], BASIS, {}, InvalidInputError, "observed must be an array of real numbers"),
        (COUNTS + 0j, BASIS, {}, InvalidInputError, "observed must be an array of real numbers"),
        (COUNTS, BASIS + 0j, {}, InvalidInputError, "basis must be an array of real numbers"),
        (COUNTS, BASIS, {"penalty": 1j}, InvalidInputError, "penalty must be a finite number of at least 0"),
        (COUNTS, BASIS, {"observations": 1j}, InvalidInputError, "observations must be a finite number above 0"),
        (COUNTS, BASIS, {"rows": ONES + 0j}, InvalidInputError, "the mass of Fixed must be an array of real numbers"),
        (COUNTS, BASIS[0], {}, ShapeError, r"\(K, 5, 4\) with K >= 1, found shape \(5, 4\): put the single table in a"),
        (COUNTS, BASIS[:0], {}, ShapeError, r"found shape \(0, 5, 4\)"),
        (COUNTS, BASIS * [1, 1, np.nan, 1], {}, InvalidInputError, "finite, found nan in function 0, row 0, column 2"),
        (COUNTS, BASIS, {"names": ["a"]}, ShapeError, "1 names and 3 functions"),
        (COUNTS, BASIS, {"names": ["a", "b", "a"]}, InvalidInputError, "distinct, found 'a' 2 times"),
        (COUNTS, BASIS, {"availability": COUNTS > 1}, InvalidInputError, "found 1 in row 0, column 3, which is not"),
        (COUNTS, BASIS, {"availability": [True]}, ShapeError, "True or False for each pair"),
        (COUNTS, BASIS, {"rows": ONES[:4]}, ShapeError, "5 rows and 4 masses"),
        (COUNTS, BASIS, {"rows": ONES[:5], "columns": ONES[:4]}, InvalidInputError, "5 in rows and 4 in col.*: scale"),
        (COUNTS, BASIS, {"rows": [1, 1, 0, 1, 1]}, InvalidInputError, "in row 2, whose mass is 0"),
        (COUNTS, BASIS, {"rows": Fixed}, InvalidInputError, "found the class"),
        (COUNTS, BASIS, {"rows": WithOutsideOption(ONES)}, InvalidInputError, "a mass of 1 and matches of 21 in row 0"),
        (COUNTS, BASIS, {"method": "guess"}, InvalidInputError, "'likelihood' or 'moments', found 'guess'"),
        (COUNTS, BASIS, {"penalty": -1.0}, InvalidInputError, "penalty must be a finite number of at least 0"),
        (COUNTS, BASIS, {"penalty": "some"}, InvalidInputError, "found 'some'"),
        (COUNTS / 7, BASIS, {"penalty": "cross-validated"}, InvalidInputError, "found masses.*give counts"),
        (COUNTS, BASIS, {"observations": 0}, InvalidInputError, "observations must be a finite number above 0"),
        (COUNTS, BASIS, {"tolerance": 0}, InvalidInputError, "tolerance must be"),
        (COUNTS, BASIS, {"max_iterations": 0}, InvalidInputError, "max_iterations must be"),
        (COUNTS, BASIS, {"folds": 1}, InvalidInputError, "folds must be a whole number of at least 2"),
        (COUNTS, BASIS, {"seed": -1}, InvalidInputError, "seed must be"),
        (COUNTS, BASIS, {"level": 95}, InvalidInputError, "level must be between 0 and 1"),
        (COUNTS, BASIS, {"on_failure": "ignore"}, InvalidInputError, "on_failure must be"),
    ],
)  # fmt: skip
def test_bad_input_is_said(observed, basis, options, error, message) -> None:
    with pytest.raises(error, match=message):
        fit_assignment(observed, basis, **options)


def test_matches_that_the_masses_rule_out_are_said() -> None:
    """Rows 0 and column 0 have no other partners, so that they must take each other: the pair (0, 1) is unusable."""
    available = np.array([[True, True], [False, True]])
    with pytest.raises(InvalidInputError, match=r"found 1 in row 0, column 1, where every coupling .* has 0: allow"):
        fit_assignment(
            [[1.0, 1.0], [0.0, 0.0]], [np.eye(2)], rows=[1.0, 1.0], columns=[1.0, 1.0], availability=available
        )


def test_households_are_counted_once() -> None:
    coupling, singles = CHOO_SIOW.solved(TRUE).coupling, CHOO_SIOW.solved(TRUE)
    fit = fit_assignment(coupling, BASIS, **CHOO_SIOW.arguments, observations=1000)
    total = coupling.sum() + singles.row_outside.sum() + singles.column_outside.sum()
    np.testing.assert_allclose(fit.observations.total, total, rtol=1e-9)
    shares = fit.observations.outcomes / total
    np.testing.assert_allclose(fit.log_likelihood, 1000 * np.sum(shares * np.log(shares)), rtol=1e-9)
