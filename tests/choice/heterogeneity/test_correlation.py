"""Covariances of random coefficients: their factor, and what is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.choice.heterogeneity.correlation import RandomCovariance
from choicekit.errors import InvalidInputError
from tests.tolerances import assert_monte_carlo

MATRIX = np.array([[4.0, 2.0, -1.0], [2.0, 2.0, 0.5], [-1.0, 0.5, 3.0]])
NAMES = ("asc", "b_cost", "b_time")


@st.composite
def covariances(draw: st.DrawFn) -> np.ndarray:
    """Covariances of any rank, with standard deviations from tiny to huge."""
    size = draw(st.integers(1, 6))
    rank = draw(st.integers(0, size))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    factor = rng.normal(size=(size, rank)) * 10.0 ** rng.integers(-6, 4, (size, 1))
    return np.asarray(factor @ factor.T)


@given(covariances())
def test_the_factor_is_lower_triangular_and_gives_the_matrix_back(matrix: np.ndarray) -> None:
    factor = RandomCovariance([f"b{place}" for place in range(len(matrix))], matrix).factor
    assert np.all(np.triu(factor, 1) == 0)
    assert np.all(np.diag(factor) >= 0)
    scale = np.sqrt(np.outer(np.diag(matrix), np.diag(matrix)))
    assert np.all(np.abs(factor @ factor.T - matrix) <= 1e-13 * scale)  # 0 where a variance is 0


def test_the_factor_is_choleskys_where_there_is_one() -> None:
    np.testing.assert_allclose(RandomCovariance(NAMES, MATRIX).factor, np.linalg.cholesky(MATRIX), rtol=1e-14)


def test_coefficients_that_never_differ_stay_out_of_the_others() -> None:
    factor = RandomCovariance(NAMES, np.array([[0.0, 0.0, 0.0], [0.0, 2.0, 1.0], [0.0, 1.0, 2.0]])).factor
    np.testing.assert_array_equal(factor[0], 0.0)
    np.testing.assert_array_equal(factor[:, 0], 0.0)
    twins = RandomCovariance(NAMES[:2], np.ones((2, 2))).factor
    np.testing.assert_allclose(twins, [[1.0, 0.0], [1.0, 0.0]], atol=1e-15)


def test_deviations_have_the_covariance_and_no_row_depends_on_others() -> None:
    z = np.random.default_rng(1).normal(size=(40_000, 3))
    both = RandomCovariance(NAMES, MATRIX)
    found = both.deviations(z)
    error = np.sqrt((MATRIX**2 + np.outer(np.diag(MATRIX), np.diag(MATRIX))) / len(z))
    assert_monte_carlo(np.cov(found.T), MATRIX, error)
    np.testing.assert_allclose(found, z @ both.factor.T, rtol=0, atol=1e-14)
    for rows in (slice(0, 1), slice(5, 8), slice(None, None, -1)):
        np.testing.assert_array_equal(both.deviations(z[rows]), found[rows])


def test_a_mapping_gives_a_pair_once_or_twice() -> None:
    lower = {"a": {"a": 4.0}, "b": {"a": 2.0, "b": 2.0}, "c": {"c": 1.0}}
    upper = {"a": {"a": 4.0, "b": 2.0}, "b": {"b": 2.0}, "c": {"c": 1.0}}
    full = {"a": {"a": 4.0, "b": 2.0, "c": 0.0}, "b": {"a": 2.0, "b": 2.0}, "c": {"c": 1, "a": 0.0}}
    for entries in (lower, upper, full):
        found = RandomCovariance.from_mapping(entries)
        assert found.names == ("a", "b", "c")
        np.testing.assert_array_equal(found.matrix, [[4, 2, 0], [2, 2, 0], [0, 0, 1]])
    assert found.spreads == {"a": 2.0, "b": np.sqrt(2.0), "c": 1.0}


def test_a_cholesky_factor_may_have_any_diagonal() -> None:
    for sign in (1.0, -1.0, 0.0):
        given_factor = np.array([[2.0, 0.0], [1.0, sign * 3.0]])
        found = RandomCovariance.from_cholesky({"a": {"a": 2.0}, "b": {"a": 1.0, "b": sign * 3.0}})
        np.testing.assert_allclose(found.matrix, given_factor @ given_factor.T)
        np.testing.assert_allclose(found.factor, np.abs(given_factor), atol=1e-15)


def test_what_was_given_cannot_be_changed_later() -> None:
    matrix = MATRIX.copy()
    both = RandomCovariance(NAMES, matrix)
    matrix[:] = 0
    np.testing.assert_array_equal(both.matrix, MATRIX)
    with pytest.raises(ValueError, match="read-only"):
        both.matrix[0, 0] = 1.0
    assert repr(both) == "RandomCovariance(asc, b_cost, b_time)"


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"a": {"a": 1.0}, "b": {"a": 0.5}}, "must hold the variance of 'b': add it to its own row"),
        ({"a": {"a": 1.0, "b": 0.5}}, "must hold the variance of 'b'"),
        ({"a": {"a": 1, "b": 0.5}, "b": {"a": 0.4, "b": 1}}, "found 0.5 for 'a' and 'b' but 0.4 the other way round"),
        ({"a": {"a": 1}, "b": {"a": 2, "b": 1}}, "the smallest eigenvalue of its correlations is -1"),
        ({"a": {"a": -1.0}}, "the variance of 'a' must be at least 0, found -1"),
        ({"a": {"a": np.nan}}, "the entry of a covariance for 'a' and 'a' must be a finite number, found nan"),
        ({"a": {"a": "much"}}, "must be a finite number, found 'much'"),
        ({"a": {"a": True}}, "must be a finite number, found True"),
    ],
)
def test_what_is_no_covariance_is_refused(entries: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        RandomCovariance.from_mapping(entries)


def test_a_cholesky_factor_is_lower_triangular() -> None:
    with pytest.raises(
        InvalidInputError, match="must be lower triangular, found 'b' in the row of 'a', before its own"
    ):
        RandomCovariance.from_cholesky({"a": {"a": 1.0, "b": 0.5}, "b": {"b": 1.0}})
    with pytest.raises(InvalidInputError, match="a covariance must be finite, found inf"):
        RandomCovariance.from_cholesky({"a": {"a": 1e200}})
