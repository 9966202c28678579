"""Coherent choices of softmax in compiled loops.

Choices are those of argmax(scaled + Gumbel) with scaled = (u - max u) / T, drawn as a race: with an exponential number
E = -log(uniform) the Gumbel number is -log(E), so the best alternative is that of the least E * exp(-scaled). This
takes one logarithm a draw instead of two, and the exponential serves all replications.

The race is run roughly first, with functions of four digits. Where the first two come in so near to each other that
these digits might have changed their order, which is about one row in ten thousand, the row is run again exactly. So
every choice is that of the exact race.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from choicekit.kernels import (
    exp,
    exp_roughly,
    inlined,
    kernel,
    log_of_normal,
    log_roughly,
    philox_words,
    uniform_of,
)
from choicekit.kernels import philox_uniforms_by_numpy as uniforms_by_numpy
from choicekit.rules.protocol import FloatArray, IntArray, UIntArray
from choicekit.rules.strips import PAD, load_strip, rows_of_strip, turn
from choicekit.rules.tempered import scaled_utility

__all__ = ["choose_by_race", "choose_by_race_with", "uniforms_of_pairs"]

_NEAR = 1.00013  # two rough times are each off by at most 6e-5 of themselves: beyond, their order is that of the exact
_FAR = 100.0  # so far below the best nothing wins: its time is at least exp(100) / 2^53, and the best's at most 37


def uniforms_of_pairs(
    rows: UIntArray, alternatives: UIntArray, keys: UIntArray, first: int, replications: int
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the place and the uniforms of each replication from `first` on, both of a pair from one call.

    Parameters
    ----------
    rows, alternatives : ndarray of uint64
        The words of counters.
    keys : ndarray of uint64
        Those of the pairs that the replications are in.
    first, replications : int
        The first replication, and how many there are.

    Yields
    ------
    tuple of int and ndarray (n, J)
    """
    for pair, key in enumerate(keys):
        places = [2 * pair - first % 2 + half for half in (0, 1)]
        halves = tuple(half for half in (0, 1) if 0 <= places[half] < replications)
        for half, uniform in zip(halves, uniforms_by_numpy(rows, alternatives, int(key), halves), strict=True):
            yield places[half], uniform


def _race_by_numpy(
    utility: FloatArray,
    temperature: FloatArray,
    rows: UIntArray,
    alternatives: UIntArray,
    keys: UIntArray,
    first: int,
    chosen: IntArray,
) -> None:
    scaled = scaled_utility(utility, temperature)
    for place, uniform in uniforms_of_pairs(rows, alternatives, keys, first, len(chosen)):
        np.argmax(scaled - np.log(-np.log(uniform)), axis=-1, out=chosen[place])


@kernel(
    *("const float64[2]", "const float64[1]", "const uint64[1]", "const uint64[1]", "const uint64[1]"),
    *("int64", "int64[2]"),
    twin=_race_by_numpy,
)
def choose_by_race(
    utility: FloatArray,
    temperature: FloatArray,
    rows: UIntArray,
    alternatives: UIntArray,
    keys: UIntArray,
    first: int,
    chosen: IntArray,
) -> None:
    """Fill in what each row chooses in some replications from `first` on, shape (R, n).

    `rows` and `alternatives` are the words of counters, and `keys` those of the pairs that the replications are in.
    """
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, top = np.empty((n_alternatives, strip + PAD)), np.empty(strip)
    words, best, second = np.empty((2, strip), np.uint64), np.empty((2, strip)), np.empty((2, strip))
    winner = np.empty((2, strip))
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        own = rows[start : start + size]
        load_strip(utility, temperature, start, size, cells, top)
        for place in range(n_alternatives):
            for row in range(size):
                cells[place, row] = exp_roughly(min(-cells[place, row], _FAR))
        for pair in range(keys.size):
            even, key = 2 * pair - first % 2, keys[pair]
            with_even, with_odd = even >= 0, even + 1 < chosen.shape[0]
            best[:], second[:], winner[:] = np.inf, np.inf, 0.0
            for place in range(n_alternatives):
                _draw(own, alternatives[place], key, with_even, with_odd, words)
                if with_even:
                    _run(size, words[0], cells[place], place, best[0], second[0], winner[0])
                if with_odd:
                    _run(size, words[1], cells[place], place, best[1], second[1], winner[1])
            for half in range(2):
                if with_even if half == 0 else with_odd:
                    found, n_near = chosen[even + half, start : start + size], 0
                    for row in range(size):
                        found[row] = np.int64(winner[half, row])
                        n_near += 1 if second[half, row] <= best[half, row] * _NEAR else 0
                    for row in range(size if n_near > 0 else 0):
                        if second[half, row] <= best[half, row] * _NEAR:
                            t = temperature[0 if temperature.size == 1 else start + row]
                            found[row] = _exact_winner(utility[start + row], t, own[row], alternatives, key, half)


@inlined
def _draw(
    rows: UIntArray, alternative: np.uint64, key: np.uint64, with_even: bool, with_odd: bool, words: UIntArray
) -> None:
    """Draw the words of an alternative that are wanted, for every row; in kernels only."""
    evens, odds = words[0], words[1]
    if with_even and with_odd:
        for row in range(rows.size):
            evens[row], odds[row] = philox_words(rows[row], alternative, key)
    elif with_even:
        for row in range(rows.size):
            evens[row] = philox_words(rows[row], alternative, key)[0]
    else:
        for row in range(rows.size):
            odds[row] = philox_words(rows[row], alternative, key)[1]


@inlined
def _run(
    size: int,
    words: UIntArray,
    handicap: FloatArray,
    place: int,
    best: FloatArray,
    second: FloatArray,
    winner: FloatArray,
) -> None:
    """Let an alternative run against those before it, by the words drawn for it; in kernels only."""
    for row in range(size):
        time, lead, next_ = -log_roughly(uniform_of(words[row])) * handicap[row], best[row], second[row]
        faster = time < lead
        slower = lead if faster else time
        second[row] = slower if slower < next_ else next_
        best[row] = time if faster else lead
        winner[row] = place if faster else winner[row]


@inlined
def _exact_winner(
    utility: FloatArray, temperature: float, row: np.uint64, alternatives: UIntArray, key: np.uint64, half: int
) -> int:
    """Return which alternative of one row wins; in kernels only."""
    top = -np.inf
    for u in utility:
        top = u if u > top else top
    winner, best = 0, np.inf
    for place in range(utility.size):
        below = utility[place] - top
        scaled = 0.0 if below == 0.0 else below / temperature
        even, odd = philox_words(row, alternatives[place], key)
        time = -log_of_normal(uniform_of(even if half == 0 else odd)) * exp(-scaled)
        winner, best = (place, time) if time < best else (winner, best)
    return winner


def _race_with_by_numpy(
    utility: FloatArray, temperature: FloatArray, exponentials: FloatArray, chosen: IntArray
) -> None:
    scaled = scaled_utility(utility, temperature)
    for place, exponential in enumerate(exponentials):
        np.argmax(scaled - np.log(exponential), axis=-1, out=chosen[place])


@kernel("const float64[2]", "const float64[1]", "const float64[3]", "int64[2]", twin=_race_with_by_numpy)
def choose_by_race_with(
    utility: FloatArray, temperature: FloatArray, exponentials: FloatArray, chosen: IntArray
) -> None:
    """Fill in what each row chooses by exponential numbers that have been drawn already, shape (R, n, J)."""
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, times = np.empty((n_alternatives, strip + PAD)), np.empty((n_alternatives, strip + PAD))
    best, winner = np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, best)
        for place in range(n_alternatives):
            for row in range(size):
                cells[place, row] = exp(-cells[place, row])
        for replication in range(chosen.shape[0]):
            turn(exponentials[replication], start, size, times)
            best[:], winner[:] = np.inf, 0.0
            for place in range(n_alternatives):
                for row in range(size):
                    time, lead = times[place, row] * cells[place, row], best[row]
                    best[row] = time if time < lead else lead
                    winner[row] = place if time < lead else winner[row]
            found = chosen[replication, start : start + size]
            for row in range(size):
                found[row] = np.int64(winner[row])
