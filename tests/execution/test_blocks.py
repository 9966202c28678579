"""Blocks: every row once, in order."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.errors import InvalidInputError
from choicekit.execution import BLOCK_SIZE, Block, blocks_of


def test_the_size_of_a_block_is_part_of_every_results_bytes():
    assert BLOCK_SIZE == 8_192


@given(n_rows=st.integers(0, 500), size=st.integers(1, 60))
def test_blocks_hold_every_row_once_and_in_order(n_rows, size):
    blocks = blocks_of(n_rows, size)
    assert [row for block in blocks for row in range(n_rows)[block.rows]] == list(range(n_rows))
    assert [block.index for block in blocks] == list(range(len(blocks)))
    assert all(0 < len(block) <= size for block in blocks)
    assert all(len(block) == size for block in blocks[:-1])


@pytest.mark.parametrize("n_rows", [0, 1, BLOCK_SIZE - 1, BLOCK_SIZE, BLOCK_SIZE + 1, 10 * BLOCK_SIZE])
def test_the_number_of_blocks_is_the_number_of_rows_over_their_size_rounded_up(n_rows):
    assert len(blocks_of(n_rows)) == -(-n_rows // BLOCK_SIZE)


def test_the_first_blocks_are_the_same_whatever_follows():
    assert blocks_of(10 * BLOCK_SIZE + 3)[:10] == blocks_of(10 * BLOCK_SIZE)


def test_a_block_cuts_its_rows_out_of_an_array():
    block = Block(index=2, start=4, stop=7)
    np.testing.assert_array_equal(np.arange(10)[block.rows], [4, 5, 6])
    assert len(block) == 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        block.start = 0


@pytest.mark.parametrize(("n_rows", "size"), [(-1, 5), (5, 0), (5, -1)])
def test_a_negative_number_of_rows_or_a_size_below_one_is_invalid(n_rows, size):
    with pytest.raises(InvalidInputError, match=f"found {n_rows} and {size}"):
        blocks_of(n_rows, size)
