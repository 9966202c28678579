"""Compiled loops are held to their readable twins."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.networks import kernels
from tests.networks.webs import published

SEEDS = range(8)


@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_of_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    web = rng.poisson(rng.gamma(0.3, 3.0, size=(rng.integers(1, 9), rng.integers(1, 12)))).astype(float)
    compiled, twin = np.empty(2), np.empty(2)
    kernels.nested_pairs(web, compiled)
    kernels.nested_pairs_by_numpy(web, twin)
    np.testing.assert_allclose(compiled, twin, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("seed", SEEDS)
def test_least_divergences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    partners = rng.integers(1, 30, size=9).astype(float)
    own = rng.integers(1, int(partners.sum()), size=5).astype(float)
    compiled, twin = np.empty(5), np.empty(5)
    kernels.least_divergences(own, partners, compiled)
    kernels.least_divergences_by_numpy(own, partners, twin)
    np.testing.assert_allclose(compiled, twin, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["safariland", "vazquenc"])
def test_even_webs(name: str) -> None:
    counts = published(name).counts
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    compiled, twin = np.empty(counts.shape), np.empty(counts.shape)
    kernels.fill_evenly(rows, columns, compiled)
    kernels.fill_evenly_by_numpy(rows, columns, twin)
    np.testing.assert_array_equal(compiled.sum(axis=1), rows)
    np.testing.assert_array_equal(compiled.sum(axis=0), columns)
    # exchanges of equal gain may be made in another order
    entropies = [-(web[web > 0] * np.log(web[web > 0])).sum() for web in (compiled, twin)]
    np.testing.assert_allclose(entropies[0], entropies[1], rtol=1e-9)
