"""Modules."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import InvalidInputError, find_modules, modularity_of
from tests.networks.webs import BLOCKS, published


def test_blocks_are_modules_with_the_textbook_modularity() -> None:
    """Three equal blocks: 1 - 1 / 3."""
    found = find_modules(BLOCKS, seed=1)
    assert found.n_modules == 3
    assert found.modularity == pytest.approx(2 / 3)
    np.testing.assert_array_equal(found.row_modules, [0, 0, 1, 1, 2, 2])


def test_the_value_is_that_of_the_partition_and_no_single_move_improves_it() -> None:
    web = published("vazquenc").counts
    found = find_modules(web, seed=3, restarts=30)
    value = modularity_of(web, found.row_modules, found.column_modules)
    assert found.modularity == pytest.approx(value, abs=1e-9) == found.all_modularities.max()
    for row in range(len(web)):
        for module in range(found.n_modules):
            moved = found.row_modules.copy()
            moved[row] = module
            assert modularity_of(web, moved, found.column_modules) <= value + 1e-12


def test_seeds_decide_and_species_without_interactions_have_no_module() -> None:
    web = np.pad(published("safariland").counts, ((0, 1), (0, 0)))
    one, same = find_modules(web, seed=5), find_modules(web, seed=5)
    np.testing.assert_array_equal(one.all_modularities, same.all_modularities)
    assert one.row_modules[-1] == -1
    assert one.row_modules[:-1].min() == 0
    assert 0 <= one.agreement <= 1
    assert one.modularity > 0.42


@pytest.mark.parametrize("name", ["safariland", "vazquenc"])
def test_the_order_of_species_is_of_no_consequence(name: str) -> None:
    web, rng = published(name).counts, np.random.default_rng(4)
    rows, columns = rng.permutation(len(web)), rng.permutation(web.shape[1])
    one, other = find_modules(web, seed=2), find_modules(web[np.ix_(rows, columns)], seed=2)
    np.testing.assert_allclose(other.all_modularities, one.all_modularities, atol=1e-12)


def test_restarts_must_be_a_number() -> None:
    with pytest.raises(InvalidInputError, match="restarts"):
        find_modules([[1]], seed=1, restarts=0)
