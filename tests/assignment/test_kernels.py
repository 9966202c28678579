"""The compiled loops of assignments against their twins in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.assignment.kernels import fill_coupling, fill_kept, fill_row_weights
from choicekit.kernels import engine

pytestmark = pytest.mark.skipif(engine() == "numpy", reason="no compiled loops here")

SHAPES = [(1, 1), (3, 7), (5, 8), (4, 37), (2, 1000)]


def table(n: int, m: int) -> np.ndarray:
    rng = np.random.default_rng(n * m)
    found = rng.normal(size=(n, m)) * 30
    found[rng.random((n, m)) < 0.2] = -np.inf
    found[:, 0] = 1.0
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("temperature", [1.0, 0.03])
def test_couplings_are_the_twins(shape, temperature):
    utility, rng = table(*shape), np.random.default_rng(2)
    x, y = rng.normal(size=shape[0]), rng.normal(size=shape[1])
    found, expected = np.empty(shape), np.empty(shape)
    fill_coupling(utility, temperature, x, y, found)
    fill_coupling.twin(utility, temperature, x, y, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-11)  # U / T is 1,000: as many ulps in the exponential
    np.testing.assert_array_equal(found == 0, utility == -np.inf) if temperature == 1.0 else None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("temperature", [1.0, 0.03])
def test_weights_are_the_twins(shape, temperature):
    utility, y = table(*shape), np.random.default_rng(3).normal(size=shape[1])
    answers = []
    for fill in (fill_row_weights, fill_row_weights.twin):
        top, total, out = np.empty(shape[0]), np.empty(shape[0]), np.empty(shape)
        fill(utility, temperature, y, top, total, out)
        answers.append((top, total, out))
    for found, expected in zip(*answers, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-300)
    assert np.all(answers[0][2].max(axis=1) == 1.0)


def test_weights_may_be_made_in_place():
    utility, y = table(4, 37), np.zeros(37)
    top, total, out = np.empty(4), np.empty(4), np.empty((4, 37))
    fill_row_weights(utility, 1.0, y, top, total, out)
    again = utility.copy()
    fill_row_weights(again, 1.0, y, top, total, again)
    np.testing.assert_array_equal(again, out)


@pytest.mark.parametrize("fill", [fill_kept, fill_kept.twin], ids=["compiled", "twin"])
def test_what_counts_is_kept(fill):
    weights = np.random.default_rng(4).random((5, 9))
    count, start = np.empty(5, np.int64), np.zeros(6, np.int64)
    fill(weights, 0.5, count, start[:-1], np.empty(0, np.int64), np.empty(0))
    np.testing.assert_array_equal(count, (weights > 0.5).sum(axis=1))
    np.cumsum(count, out=start[1:])
    columns, values = np.empty(start[-1], np.int64), np.empty(start[-1])
    fill(weights, 0.5, count, start[:-1], columns, values)
    np.testing.assert_array_equal(columns, np.nonzero(weights > 0.5)[1])
    np.testing.assert_array_equal(values, weights[weights > 0.5])
