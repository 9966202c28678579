"""Philox4x32-10, the cipher behind addressed random numbers: readable in NumPy, and as a loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.kernels.compiling import inlined, kernel
from choicekit.kernels.functions import float_of, log_of_normal

__all__ = [
    "exponentials_from_uniforms",
    "philox4x32",
    "philox_uniforms",
    "philox_uniforms_by_numpy",
    "philox_words",
    "uniform_from_words",
    "uniform_of",
]

UIntArray = npt.NDArray[np.uint64]
FloatArray = npt.NDArray[np.float64]

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)  # multipliers of the cipher
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)  # what the key grows by in each round
_LOW, _HALF, _SPARE = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(12)
_ONE_BITS, _BELOW_ONE = np.uint64(0x3FF0000000000000), 1.0 - 2.0**-53
_TILE = 131_072  # cells the twin works on at once
_STRIP = 2_048  # cells the loop works on at once


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


@inlined
def philox_words(row: np.uint64, alternative: np.uint64, key: np.uint64) -> Any:
    """Return Philox4x32-10 of a counter of two words, as two words: for the even and the odd replication; in kernels.

    The rounds are plain arithmetic on 64-bit lanes, which a loop over cells turns into vector instructions.
    """
    c0, c1, c2, c3, k0, k1 = row, row >> _HALF, alternative, alternative >> _HALF, key, key >> _HALF
    for _ in range(10):
        # only the lower halves count, and they are cut out where that is free: by the multiplication of 32-bit words
        p0, p1 = _M0 * (c0 & _LOW), _M1 * (c2 & _LOW)
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1, (p0 >> _HALF) ^ c3 ^ k1, p0
        k0, k1 = k0 + _W0, k1 + _W1
    return (c1 << _HALF) | (c0 & _LOW), (c3 << _HALF) | (c2 & _LOW)


@inlined
def uniform_of(word: np.uint64) -> Any:
    """Return (k + 1/2) / 2^52 for the upper 52 bits k of a word; in kernels only."""
    # the bits of a number from 1 to 2, less what lies below it: exact, and quicker than turning k into a float
    return float_of((word >> _SPARE) | _ONE_BITS) - _BELOW_ONE


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
    results = {half: np.empty((rows.size, alternatives.size)) for half in halves}
    unwanted = np.empty((0, alternatives.size))
    rows, alternatives = np.ascontiguousarray(rows), np.ascontiguousarray(alternatives)
    fill_uniforms(rows, alternatives, np.uint64(key), results.get(0, unwanted), results.get(1, unwanted))
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


def _fill_by_numpy(rows: UIntArray, alternatives: UIntArray, key: np.uint64, even: FloatArray, odd: FloatArray) -> None:
    wanted = {half: result for half, result in enumerate((even, odd)) if result.size}
    for result, found in zip(
        wanted.values(), philox_uniforms_by_numpy(rows, alternatives, int(key), tuple(wanted)), strict=True
    ):
        result[:] = found


@kernel(
    "const uint64[1]", "const uint64[1]", "uint64", "float64[2]", "float64[2]",
    twin=_fill_by_numpy,
)  # fmt: skip
def fill_uniforms(rows: UIntArray, alternatives: UIntArray, key: np.uint64, even: FloatArray, odd: FloatArray) -> None:
    """Fill in the uniforms of every cell, for even and odd replications; an array without rows is not wanted."""
    width, total = alternatives.size, rows.size * alternatives.size
    flat_even, flat_odd = even.reshape(-1), odd.reshape(-1)
    row_word, alternative_word = np.empty(_STRIP, np.uint64), np.empty(_STRIP, np.uint64)
    row = column = 0
    for start in range(0, total, _STRIP):
        size = min(_STRIP, total - start)
        # words are laid out first, so that the loop over cells is a plain run that the compiler can vectorise
        for cell in range(size):
            row_word[cell], alternative_word[cell] = rows[row], alternatives[column]
            column += 1
            if column == width:
                column, row = 0, row + 1
        for cell in range(size):
            first, second = philox_words(row_word[cell], alternative_word[cell], key)
            if flat_even.size:
                flat_even[start + cell] = uniform_of(first)
            if flat_odd.size:
                flat_odd[start + cell] = uniform_of(second)


def _exponentials_by_numpy(uniform: FloatArray, out: FloatArray) -> None:
    np.negative(np.log(uniform, out=out), out=out)


@kernel("const float64[1]", "float64[1]", twin=_exponentials_by_numpy)
def exponentials_from_uniforms(uniform: FloatArray, out: FloatArray) -> None:
    """Fill in standard exponential numbers, -log(uniform)."""
    for cell in range(uniform.size):
        out[cell] = -log_of_normal(uniform[cell])
