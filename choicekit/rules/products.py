"""Products of tall tables, summed over their rows on the thread that asks for them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["row_products"]

FloatArray = npt.NDArray[np.float64]

_ROWS = 64
_COLUMNS = 48  # 48 * 64 * 48 multiplications are little enough for the library to do on one thread


def row_products(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the sum over rows of the products of every column of one table with every column of another.

    Parameters
    ----------
    left : ndarray (n, A)
    right : ndarray (n, B)

    Returns
    -------
    ndarray (A, B)
        ``left.T @ right``.

    Notes
    -----
    A library for matrices works on large products in threads of its own, which then compete with ours. Here the
    product is put together from pieces that are each too small for that. Each piece is summed by itself, so that
    rounding grows with the number of pieces only.

    Examples
    --------
    >>> row_products(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [0.5]]))
    array([[2.5],
           [4. ]])
    """
    totals = np.empty((left.shape[1], right.shape[1]))
    lefts, rights = _pieces(left).transpose(0, 2, 1), _pieces(right)
    with np.errstate(over="ignore", invalid="ignore"):  # what is out of range in the sums is so in the answer
        for start in range(0, left.shape[1], _COLUMNS):
            rows = slice(start, start + _COLUMNS)
            for first in range(0, right.shape[1], _COLUMNS):
                columns = slice(first, first + _COLUMNS)
                totals[rows, columns] = (lefts[:, rows] @ rights[:, :, columns]).sum(axis=0)
    return totals


def _pieces(table: FloatArray) -> FloatArray:
    """Cut (n, K) into pieces of few rows, the last filled up with zeros."""
    whole = np.pad(table, ((0, -len(table) % _ROWS), (0, 0)))
    return whole.reshape(-1, _ROWS, table.shape[1])
