"""Products of tall tables, put together from small pieces."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.rules.products import row_products
from tests.tolerances import ALGEBRA


@given(n=st.integers(0, 200), left=st.integers(1, 100), right=st.integers(1, 100), seed=st.integers(0, 2**32))
def test_it_is_the_product_of_matrices(n, left, right, seed):
    generator = np.random.default_rng(seed)
    mine, yours = generator.normal(size=(n, left)), generator.normal(size=(n, right))
    np.testing.assert_allclose(row_products(mine, yours), mine.T @ yours, rtol=0, atol=ALGEBRA * max(n, 1))


def test_what_cannot_be_counted_spreads_to_its_own_columns_only():
    left, right = np.ones((3, 60)), np.ones((3, 70))
    left[1, 50], right[2, 65] = np.nan, np.inf
    found = row_products(left, right)
    assert np.all(np.isnan(found[50]))
    assert np.all(np.delete(found, 50, axis=0)[:, 65] == np.inf)
    assert np.all(np.delete(np.delete(found, 50, axis=0), 65, axis=1) == 3)


@pytest.mark.parametrize("j", [4, 200])
def test_it_works_on_the_thread_that_asks_only(j):
    table = np.random.default_rng(1).random((8_192, j))
    row_products(table, table)
    shares = []
    for _ in range(5):
        mine, everybody = time.thread_time(), time.process_time()
        row_products(table, table)
        shares.append((time.process_time() - everybody) / (time.thread_time() - mine))
    assert min(shares) < 1.2  # others may be at work, but not each time
