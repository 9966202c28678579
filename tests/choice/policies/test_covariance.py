"""Covariances of coefficients: what is one, and draws that follow it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from choicekit import CoefficientCovariance, InvalidInputError, ShapeError, compare_policies
from tests.choice.policies.trips import MODEL, trips
from tests.tolerances import P_VALUE, assert_monte_carlo

NAMES = ("asc", "b_cost", "b_time")
MATRIX = np.array([[0.04, 0.006, -0.002], [0.006, 0.01, 0.001], [-0.002, 0.001, 0.0025]])
ESTIMATES = {"asc": 1.0, "b_cost": -0.5, "b_time": -0.1, "certain": 3.0}
DRAWS = 4000


def draws(errors: CoefficientCovariance, number: int = DRAWS, seed: int = 1) -> np.ndarray:
    return np.array([list(errors.draw(ESTIMATES, seed=seed, replication=r).values()) for r in range(number)])


def test_draws_have_the_means_and_the_covariance() -> None:
    found = draws(CoefficientCovariance(NAMES, MATRIX))
    spread = np.sqrt(np.diag(MATRIX))
    assert_monte_carlo(found.mean(axis=0), [1.0, -0.5, -0.1], spread / np.sqrt(DRAWS))
    error = np.sqrt((MATRIX**2 + np.outer(np.diag(MATRIX), np.diag(MATRIX))) / DRAWS)
    assert_monte_carlo(np.cov(found.T), MATRIX, error)


def test_draws_are_normal() -> None:
    found = draws(CoefficientCovariance(NAMES, MATRIX))
    for place, name in enumerate(NAMES):
        law = stats.norm(ESTIMATES[name], np.sqrt(MATRIX[place, place]))
        assert stats.kstest(found[:, place], law.cdf).pvalue >= P_VALUE


@st.composite
def covariances(draw: st.DrawFn) -> np.ndarray:
    """Covariances of any rank, with standard errors from tiny to huge."""
    size = draw(st.integers(1, 5))
    rank = draw(st.integers(0, size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    factor = rng.normal(size=(size, rank)) * 10.0 ** rng.integers(-6, 4, (size, 1))
    return np.asarray(factor @ factor.T)


@given(covariances())
def test_the_root_times_itself_is_the_covariance(matrix: np.ndarray) -> None:
    errors = CoefficientCovariance([f"b{place}" for place in range(len(matrix))], matrix)
    scale = np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
    assert np.all(np.abs(errors._root @ errors._root.T - matrix) <= 1e-6 * scale)
    np.testing.assert_allclose(errors.standard_errors, np.sqrt(np.diag(matrix)))


@given(st.permutations(range(3)), st.integers(0, 100))
def test_the_order_of_coefficients_does_not_matter(order: list[int], replication: int) -> None:
    plain = CoefficientCovariance(NAMES, MATRIX)
    shuffled = CoefficientCovariance([NAMES[place] for place in order], MATRIX[np.ix_(order, order)])
    expected = plain.draw(ESTIMATES, seed=3, replication=replication)
    found = shuffled.draw(ESTIMATES, seed=3, replication=replication)
    assert found == pytest.approx(expected, rel=0, abs=1e-12)


def test_more_coefficients_move_no_draw_of_independent_ones() -> None:
    few = CoefficientCovariance.from_standard_errors({"b_cost": 0.1})
    many = CoefficientCovariance.from_standard_errors({"asc": 2.0, "b_cost": 0.1, "b_time": 0.0})
    drawn = many.draw(ESTIMATES, seed=3, replication=5)
    assert drawn["b_cost"] == pytest.approx(few.draw(ESTIMATES, seed=3, replication=5)["b_cost"], rel=1e-14)
    assert drawn["b_time"] == -0.1


def test_draws_differ_by_seed_and_replication_and_come_back() -> None:
    errors = CoefficientCovariance(NAMES, MATRIX)
    first = errors.draw(ESTIMATES, seed=1, replication=0)
    assert first == errors.draw(ESTIMATES, seed=1, replication=0)
    assert first != errors.draw(ESTIMATES, seed=1, replication=1)
    assert first != errors.draw(ESTIMATES, seed=2, replication=0)
    assert first.keys() == set(NAMES)


def test_a_table_is_read_by_its_names() -> None:
    frame = pd.DataFrame(MATRIX, index=NAMES, columns=NAMES)
    shuffled = frame.loc[["b_time", "asc", "b_cost"], ["b_cost", "b_time", "asc"]]
    errors = CoefficientCovariance.from_frame(shuffled)
    assert errors.names == ("b_cost", "b_time", "asc")
    np.testing.assert_array_equal(errors.matrix, frame.loc[list(errors.names), list(errors.names)])
    with pytest.raises(ShapeError, match="rows and the columns of a covariance must name the same coefficients"):
        CoefficientCovariance.from_frame(frame.iloc[:2])
    with pytest.raises(ShapeError, match="must name the same coefficients"):
        CoefficientCovariance.from_frame(frame.rename(index={"asc": "acs"}))


def test_what_was_given_cannot_be_changed_later() -> None:
    matrix = MATRIX.copy()
    errors = CoefficientCovariance(NAMES, matrix)
    before = errors.draw(ESTIMATES, seed=1, replication=0)
    matrix[:] = 0
    assert errors.draw(ESTIMATES, seed=1, replication=0) == before
    np.testing.assert_array_equal(errors.matrix, MATRIX)


@pytest.mark.parametrize(
    ("names", "matrix", "message"),
    [
        (["b", "b"], np.eye(2), r"a covariance must name each coefficient once, found \['b', 'b'\]"),
        (["b"], [["much"]], "a covariance must be a square table of numbers"),
        (["b"], [[1.0, 2.0]], r"the covariance of 1 coefficients must have shape \(1, 1\), found \(1, 2\)"),
        (["b"], 1.0, "must have shape"),
        (["a", "b"], [[1, np.nan], [np.nan, 1]], "a covariance must be finite, found nan for 'a' and 'b'"),
        (["a", "b"], [[1, 0], [0, -1]], "the variance of 'b' must be at least 0, found -1"),
        (["a", "b"], [[1, 0.5], [0.4, 1]], "must be symmetric, found 0.5 for 'a' and 'b' but 0.4 the other way round"),
        (["a", "b"], [[0, 0.5], [0.4, 1]], "must be symmetric"),
        (["a", "b"], [[1, 2], [2, 1]], "positive semidefinite, but the smallest eigenvalue of its correlations is -1"),
        (["a", "b"], [[0, 0.1], [0.1, 1]], "positive semidefinite"),
    ],
)
def test_what_is_no_covariance_is_refused(names: list[str], matrix: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        CoefficientCovariance(names, matrix)


def test_the_rounding_of_a_printed_table_is_forgiven() -> None:
    """A singular matrix printed to seven digits is indefinite by a hair."""
    factor = np.array([[0.123456789], [0.987654321], [0.5555555]])
    printed = np.round(factor @ factor.T, 8)
    assert np.linalg.eigvalsh(printed).min() < 0
    errors = CoefficientCovariance(NAMES, printed)
    np.testing.assert_allclose(errors._root @ errors._root.T, printed, rtol=1e-5)


def test_standard_errors_are_at_least_0() -> None:
    with pytest.raises(InvalidInputError, match=r"the standard error of 'b' must be at least 0, found -0\.1"):
        CoefficientCovariance.from_standard_errors({"b": -0.1})
    with pytest.raises(InvalidInputError, match="found nan"):
        CoefficientCovariance.from_standard_errors({"b": np.nan})


def test_names_must_be_coefficients() -> None:
    with pytest.raises(InvalidInputError, match="the covariance names 'b_time', which is no coefficient: there are b"):
        CoefficientCovariance(["b_time"], [[1.0]]).draw({"b": 1.0}, seed=1, replication=0)
    for wrong in ([[1.0]], {"b_cost": 0.1}):
        with pytest.raises(
            InvalidInputError, match="covariance must be a CoefficientCovariance, or a table with names"
        ):
            compare_policies(MODEL, trips(3), {"it": {"remove": ["bus"]}}, seed=1, covariance=wrong)  # type: ignore[arg-type]
