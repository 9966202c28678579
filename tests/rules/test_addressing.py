"""Tables of utilities with addresses: one row serves all, and what does not fit is refused."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.errors import ShapeError
from choicekit.random import alternative_words, row_words
from choicekit.rules.addressing import addressed_utility, gumbel_numbers


def test_one_row_is_repeated_without_being_copied() -> None:
    table = addressed_utility(np.arange(3.0), seed=1, agents=["ann", "bo", "cy"])
    assert table.utility.shape == (3, 3)
    assert table.utility.strides[0] == 0
    assert addressed_utility(np.arange(3.0), seed=1).utility.shape == (1, 3)
    assert addressed_utility(np.arange(3.0), seed=1, availability=np.ones((2, 3), dtype=bool)).utility.shape == (2, 3)


def test_rows_and_columns_have_their_words() -> None:
    table = addressed_utility(
        np.zeros((2, 2)), seed=1, agents=["ann", "ann"], situations=[1, 2], alternatives=["a", "b"]
    )
    np.testing.assert_array_equal(table.rows, row_words(["ann", "ann"], [1, 2]))
    np.testing.assert_array_equal(table.alternatives, alternative_words(["a", "b"]))
    np.testing.assert_array_equal(table.draws(slice(1, 2)).gumbels(0), table.draws().gumbels(0)[1:])


@pytest.mark.parametrize("replications", [1, 2, 5, 6])
def test_gumbel_numbers_are_those_of_each_replication(replications: int) -> None:
    draws = addressed_utility(np.zeros((4, 3)), seed=1).draws()
    numbers = list(gumbel_numbers(draws, replications))
    assert len(numbers) == replications
    for replication, found in enumerate(numbers):
        np.testing.assert_array_equal(found, draws.gumbels(replication))


def test_situations_need_agents_of_their_number() -> None:
    with pytest.raises(ShapeError, match="agents and situations must have one length"):
        addressed_utility(np.zeros((2, 2)), seed=1, situations=[1, 2, 3])
