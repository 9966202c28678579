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

__all__ = ["compiled", "philox4x32", "philox_uniforms", "philox_uniforms_by_numpy", "uniform_from_words"]

logger = logging.getLogger(__name__)

UIntArray = npt.NDArray[np.uint64]
FloatArray = npt.NDArray[np.float64]
PhiloxKernel = Callable[[UIntArray, UIntArray, np.uint64, np.uint64, FloatArray, FloatArray], None]

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # multipliers of the cipher
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # what the key grows by in each round
_LOW, _HALF, _SPARE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(12)
_TILE = 131_072  # cells the twin works on at once

_compiling = Lock()


def philox4x32(counter: npt.ArrayLike, key: npt.ArrayLike) -> npt.NDArray[np.uint32]:
    """Philox4x32-10, written to be read; the compiled loop computes the same faster.

    Parameters
    ----------
    counter : array_like (..., 4) of 32-bit words
    key : array_like (..., 2) of 32-bit words

    Returns
    -------
    ndarray (..., 4) of uint32

    References
    ----------
    Salmon et al. (2011), section 3.3; the known answers are those of its reference library Random123.

    Examples
    --------
    >>> [f"{word:08x}" for word in philox4x32([0, 0, 0, 0], [0, 0])]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = np.moveaxis(np.asarray(counter, dtype=np.uint64), -1, 0)
    k0, k1 = np.moveaxis(np.asarray(key, dtype=np.uint64), -1, 0)
    for _ in range(10):
        product0, product1 = c0 * _M0, c2 * _M1
        c0, c1 = (product1 >> _HALF) ^ c1 ^ k0, product1 & _LOW
        c2, c3 = (product0 >> _HALF) ^ c3 ^ k1, product0 & _LOW
        k0, k1 = (k0 + _W0) & _LOW, (k1 + _W1) & _LOW
    return np.stack(np.broadcast_arrays(c0, c1, c2, c3), axis=-1).astype(np.uint32)


def uniform_from_words(low: npt.ArrayLike, high: npt.ArrayLike) -> FloatArray:
    """Return (k + 1/2) / 2^52 for the upper 52 bits k of 64-bit words given as two halves: never 0 and never 1.

    Examples
    --------
    >>> float(uniform_from_words(np.uint64(0), np.uint64(1 << 31)))
    0.5000000000000001
    """
    whole = (np.asarray(high, dtype=np.uint64) << _HALF) | np.asarray(low, dtype=np.uint64)
    return np.asarray(((whole >> _SPARE).astype(np.float64) + 0.5) * 2.0**-52)


def compiled() -> bool:
    """Whether the compiled loops run, rather than their NumPy twins; compiles them where that is still to be done.

    Examples
    --------
    >>> isinstance(compiled(), bool)
    True
    """
    with _compiling:
        return _compiled_philox() is not None


def philox_uniforms(
    rows: UIntArray, alternatives: UIntArray, key: int, halves: tuple[int, ...]
) -> tuple[FloatArray, ...]:
    """Return the uniforms of every row and alternative, by the compiled loop or without numba by its twin.

    Parameters
    ----------
    rows, alternatives : ndarray (n,), (J,) of uint64
        The two words of the counter.
    key : int
        64 bits.
    halves : tuple of int
        Which output words are wanted: 0 for the first two (even replications), 1 for the last two (odd ones).

    Returns
    -------
    tuple of ndarray (n, J)
        One for each half.

    Examples
    --------
    >>> words = np.arange(3, dtype=np.uint64)
    >>> compiled, = philox_uniforms(words, words, 7, (0,))
    >>> bool(np.all(compiled == philox_uniforms_by_numpy(words, words, 7, (0,))[0]))
    True
    """
    with _compiling:  # two threads compiling at once would do the work twice
        kernel = _compiled_philox()
    if kernel is None:
        return philox_uniforms_by_numpy(rows, alternatives, key, halves)
    results = {half: np.empty((rows.size, alternatives.size)) for half in halves}
    unwanted = np.empty((0, alternatives.size))
    rows, alternatives = (np.require(words, requirements=["C", "W"]) for words in (rows, alternatives))
    even, odd = results.get(0, unwanted), results.get(1, unwanted)
    kernel(rows, alternatives, np.uint64(key & 0xFFFFFFFF), np.uint64(key >> 32), even, odd)
    return tuple(results[half] for half in halves)


def philox_uniforms_by_numpy(
    rows: UIntArray, alternatives: UIntArray, key: int, halves: tuple[int, ...]
) -> tuple[FloatArray, ...]:
    """Return what `philox_uniforms` does, bit for bit, as it would be written to be read."""
    results = tuple(np.empty((rows.size, alternatives.size)) for _ in halves)
    step = max(1, _TILE // max(1, alternatives.size))
    for start in range(0, rows.size, step):
        row, alternative = np.broadcast_arrays(rows[start : start + step, None], alternatives)
        counter = np.stack([row & _LOW, row >> _HALF, alternative & _LOW, alternative >> _HALF], axis=-1)
        words = philox4x32(counter, [key & 0xFFFFFFFF, key >> 32])
        for half, result in zip(halves, results, strict=True):
            result[start : start + step] = uniform_from_words(words[..., 2 * half], words[..., 2 * half + 1])
    return results


@cache
def _compiled_philox() -> PhiloxKernel | None:
    try:
        import numba
    except ImportError:
        logger.info("numba is not installed: random numbers are drawn by NumPy, several times slower")
        return None
    logger.info("compiling the loop that draws random numbers")
    # numba keeps one cache a file and renews it when the file, numba or the processor changes: a loop may therefore
    # call only functions of this file
    signature = "void(uint64[::1], uint64[::1], uint64, uint64, float64[:, ::1], float64[:, ::1])"
    settings: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
    try:
        kernel: PhiloxKernel = numba.njit(signature, cache=True, **settings)(_philox_uniforms)
    except RuntimeError:  # no folder for the cache can be written to
        kernel = numba.njit(signature, **settings)(_philox_uniforms)
    return kernel


def _philox_uniforms(
    rows: UIntArray,
    alternatives: UIntArray,
    k0: np.uint64,
    k1: np.uint64,
    even: FloatArray,
    odd: FloatArray,
) -> None:
    """Philox4x32-10 of every (row, alternative), as uniforms; see `philox4x32`."""
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
            c0, c1 = row_word[cell] & _LOW, row_word[cell] >> _HALF
            c2, c3 = alternative_word[cell] & _LOW, alternative_word[cell] >> _HALF
            q0, q1 = k0, k1
            for _ in range(10):
                p0, p1 = _M0 * c0, _M1 * c2
                c0, c1 = (p1 >> _HALF) ^ c1 ^ q0, p1 & _LOW
                c2, c3 = (p0 >> _HALF) ^ c3 ^ q1, p0 & _LOW
                q0, q1 = (q0 + _W0) & _LOW, (q1 + _W1) & _LOW
            if flat_even.size:
                flat_even[start + cell] = (np.float64(np.int64(((c1 << _HALF) | c0) >> _SPARE)) + 0.5) * 2.0**-52
            if flat_odd.size:
                flat_odd[start + cell] = (np.float64(np.int64(((c3 << _HALF) | c2) >> _SPARE)) + 0.5) * 2.0**-52
