"""Blocks: the fixed portions in which rows are worked on."""

from __future__ import annotations

from dataclasses import dataclass

from choicekit.errors import InvalidInputError

__all__ = ["BLOCK_SIZE", "Block", "blocks_of"]

BLOCK_SIZE = 8_192
"""Rows in a block. A constant: float totals are combined in block order, so it is part of the result's bytes."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows `start` to `stop` (excluded), the `index`-th portion of a study.

    Examples
    --------
    >>> block = Block(index=0, start=0, stop=3)
    >>> len(block), list(range(9))[block.rows]
    (3, [0, 1, 2])
    """

    index: int
    start: int
    stop: int

    @property
    def rows(self) -> slice:
        """The rows as a slice."""
        return slice(self.start, self.stop)

    def __len__(self) -> int:
        return self.stop - self.start


def blocks_of(n_rows: int, size: int = BLOCK_SIZE) -> tuple[Block, ...]:
    """Cut `n_rows` rows into blocks of `size`, the last one shorter.

    Parameters
    ----------
    n_rows : int
        At least 0.
    size : int
        At least 1.

    Returns
    -------
    tuple of Block
        In order; empty for no rows.

    Raises
    ------
    InvalidInputError
        For a negative number of rows or a size below 1.

    Examples
    --------
    >>> [len(block) for block in blocks_of(10, size=4)]
    [4, 4, 2]
    """
    if n_rows < 0 or size < 1:
        raise InvalidInputError(f"blocks need n_rows >= 0 and size >= 1, found {n_rows} and {size}")
    starts = range(0, n_rows, size)
    return tuple(Block(index=i, start=start, stop=min(start + size, n_rows)) for i, start in enumerate(starts))
