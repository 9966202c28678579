"""Compiled loops that several rooms share. Each has a readable NumPy twin that tests hold it to, bit for bit.

Kernels are serial and let go of the interpreter: parallelism is threads over blocks in `choicekit.execution`. They are
compiled when first needed and cached on disk, so this takes about a second once on a machine. Without numba the twins
run: the same numbers, several times slower.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["philox_kernel"]

logger = logging.getLogger(__name__)

PhiloxKernel = Callable[
    [
        npt.NDArray[np.uint64],
        npt.NDArray[np.uint64],
        np.uint64,
        np.uint64,
        npt.NDArray[np.float64],
        npt.NDArray[np.float64],
    ],
    None,
]

_compiling = Lock()


def philox_kernel() -> PhiloxKernel | None:
    """Return the compiled loop behind `choicekit.random.Draws`, or None where numba is not installed.

    Returns
    -------
    callable or None
        Takes row words (n,), alternative words (J,), the two halves of the key, and arrays (n, J) for the uniforms of
        even and of odd replications; one of these may be empty (0, J), for a half that is not wanted.

    Examples
    --------
    >>> kernel = philox_kernel()
    >>> words, out, none = np.zeros(1, dtype=np.uint64), np.empty((1, 1)), np.empty((0, 1))
    >>> if kernel is not None:
    ...     kernel(words, words, np.uint64(0), np.uint64(0), out, none)
    """
    with _compiling:  # two threads compiling at once would do the work twice
        return _compiled_philox()


@cache
def _compiled_philox() -> PhiloxKernel | None:
    try:
        import numba
    except ImportError:
        logger.info("numba is not installed: random numbers are drawn by NumPy, several times slower")
        return None
    logger.info("compiling the loop that draws random numbers")
    signature = "void(uint64[::1], uint64[::1], uint64, uint64, float64[:, ::1], float64[:, ::1])"
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        kernel: PhiloxKernel = numba.njit(signature, cache=True, **settings)(_philox_uniforms)
    except RuntimeError:  # no folder for the cache can be written to
        kernel = numba.njit(signature, **settings)(_philox_uniforms)
    return kernel


def _philox_uniforms(
    rows: npt.NDArray[np.uint64],
    alternatives: npt.NDArray[np.uint64],
    k0: np.uint64,
    k1: np.uint64,
    even: npt.NDArray[np.float64],
    odd: npt.NDArray[np.float64],
) -> None:
    """Philox4x32-10 of every (row, alternative), as uniforms; see `choicekit.random.philox4x32`."""
    m0, m1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
    w0, w1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
    low, half, spare = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(12)
    width, total = alternatives.size, rows.size * alternatives.size
    flat_even, flat_odd = even.reshape(-1), odd.reshape(-1)
    row_word, alternative_word = np.empty(2048, np.uint64), np.empty(2048, np.uint64)
    row = column = 0
    for start in range(0, total, 2048):
        size = min(2048, total - start)
        # words are laid out first, so that the loop over cells is a plain run that the compiler can vectorise
        for cell in range(size):
            row_word[cell], alternative_word[cell] = rows[row], alternatives[column]
            column += 1
            if column == width:
                column, row = 0, row + 1
        for cell in range(size):
            c0, c1 = row_word[cell] & low, row_word[cell] >> half
            c2, c3 = alternative_word[cell] & low, alternative_word[cell] >> half
            q0, q1 = k0, k1
            for _ in range(10):
                p0, p1 = m0 * c0, m1 * c2
                c0, c1 = (p1 >> half) ^ c1 ^ q0, p1 & low
                c2, c3 = (p0 >> half) ^ c3 ^ q1, p0 & low
                q0, q1 = (q0 + w0) & low, (q1 + w1) & low
            if flat_even.size:
                flat_even[start + cell] = (np.float64(np.int64(((c1 << half) | c0) >> spare)) + 0.5) * 2.0**-52
            if flat_odd.size:
                flat_odd[start + cell] = (np.float64(np.int64(((c3 << half) | c2) >> spare)) + 0.5) * 2.0**-52
