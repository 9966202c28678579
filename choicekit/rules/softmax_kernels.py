"""Softmax in compiled loops: value, probabilities and choices of many rows.

Rows are worked on in strips that stay in cache, turned so that an alternative's utilities lie side by side: every loop
then runs over rows, fills whole vectors for 2 alternatives as for 1,000, and adds up a row in the order of its
alternatives, whatever rows are beside it. A row that is not in order (a nan, plus infinity, nothing available) shows as
nan in values and probabilities.

Choices are those of argmax(scaled + Gumbel) with scaled = (u - max u) / T, drawn as a race: with an exponential number
E = -log(uniform) the Gumbel number is -log(E), so the best alternative is that of the least E * exp(-scaled). This
takes one logarithm a draw instead of two, and the exponential serves all replications.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from choicekit.kernels import exp, exp_of_nonpositive, inlined, kernel, log_of_normal, philox_words, uniform_of
from choicekit.kernels import philox_uniforms_by_numpy as uniforms_by_numpy
from choicekit.rules.tempered import scaled_utility
from choicekit.rules.utilities import row_maximum, row_sum

__all__ = [
    "choose_by_distribution",
    "choose_by_race",
    "choose_by_race_with",
    "fill_probabilities",
    "fill_values",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]

_CELLS, _MOST_ROWS, _FEWEST_ROWS, _PAD = 4_096, 504, 16, 8
_ODD, _WINNER = 512, 1_024  # where in one array the odd replication and the winners have their places: at distances
# that the compiler knows, so that it sees that they do not overlap


# --- strips ---------------------------------------------------------------------------------------------------------


@inlined
def rows_of_strip(n_rows: int, n_alternatives: int) -> int:
    """Return how many rows make a strip: whole vectors, few enough for the cache; in kernels only."""
    return max(1, min(n_rows, max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // n_alternatives // 8 * 8))))


@inlined
def load_strip(
    utility: FloatArray, temperature: FloatArray, start: int, size: int, cells: FloatArray, top: FloatArray
) -> None:
    """Put (u - max u) / T of some rows into `cells`, (J, rows), and max u into `top`; in kernels only."""
    _turn(utility, start, size, cells)
    for row in range(size):
        top[row] = -np.inf
    for place in range(cells.shape[0]):
        for row in range(size):
            top[row] = cells[place, row] if cells[place, row] > top[row] else top[row]
    single = temperature.size == 1
    if single and temperature[0] == 1.0:
        for place in range(cells.shape[0]):
            for row in range(size):
                cells[place, row] -= top[row]
    elif single:
        for place in range(cells.shape[0]):
            for row in range(size):
                below = cells[place, row] - top[row]
                cells[place, row] = 0.0 if below == 0.0 else below / temperature[0]
    else:
        for place in range(cells.shape[0]):
            for row in range(size):
                below = cells[place, row] - top[row]
                cells[place, row] = 0.0 if below == 0.0 else below / temperature[start + row]


@inlined
def _turn(table: FloatArray, start: int, size: int, cells: FloatArray) -> None:
    """Put some rows of a table, (n, J), into `cells`, (J, rows); in kernels only."""
    flat, width = table.reshape(-1), table.shape[1]
    first = start * width
    if width == 2:  # where the width is a constant the compiler turns several rows in a few instructions
        _turn_few(flat, first, size, 2, cells)
    elif width == 3:
        _turn_few(flat, first, size, 3, cells)
    elif width == 4:
        _turn_few(flat, first, size, 4, cells)
    else:
        _turn_few(flat, first, size, width, cells)


@inlined
def _turn_few(flat: FloatArray, first: int, size: int, width: int, cells: FloatArray) -> None:
    for row in range(size):
        for place in range(width):
            cells[place, row] = flat[first + row * width + place]


@inlined
def _turn_back(cells: FloatArray, start: int, size: int, table: FloatArray) -> None:
    """Put `cells`, (J, rows), into some rows of a table, (n, J); in kernels only."""
    flat, width = table.reshape(-1), table.shape[1]
    first = start * width
    if width == 2:
        _turn_back_few(cells, first, size, 2, flat)
    elif width == 3:
        _turn_back_few(cells, first, size, 3, flat)
    elif width == 4:
        _turn_back_few(cells, first, size, 4, flat)
    else:
        _turn_back_few(cells, first, size, width, flat)


@inlined
def _turn_back_few(cells: FloatArray, first: int, size: int, width: int, flat: FloatArray) -> None:
    for row in range(size):
        for place in range(width):
            flat[first + row * width + place] = cells[place, row]


# --- value and probabilities ----------------------------------------------------------------------------------------


def _values_by_numpy(utility: FloatArray, temperature: FloatArray, out: FloatArray) -> None:
    # at most J terms of at most 1, one of them 1: the logarithm is between 0 and log J
    with np.errstate(invalid="ignore"):
        total = row_sum(np.exp(scaled_utility(utility, temperature)))
    out[:] = row_maximum(utility) + temperature * np.log(total)


@kernel("const float64[2]", "const float64[1]", "float64[1]", twin=_values_by_numpy)
def fill_values(utility: FloatArray, temperature: FloatArray, out: FloatArray) -> None:
    """Fill in max u + T log sum exp((u - max u) / T) of each row, for one temperature or one a row."""
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, top, total = np.empty((n_alternatives, strip + _PAD)), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, top)
        for row in range(size):
            total[row] = 0.0
        for place in range(n_alternatives):
            for row in range(size):
                total[row] += exp_of_nonpositive(cells[place, row])
        for row in range(size):
            t = temperature[0] if temperature.size == 1 else temperature[start + row]
            out[start + row] = top[row] + t * log_of_normal(total[row]) if total[row] >= 1.0 else np.nan


def _probabilities_by_numpy(utility: FloatArray, temperature: FloatArray, out: FloatArray) -> None:
    with np.errstate(invalid="ignore"):
        np.exp(scaled_utility(utility, temperature), out=out)
    np.divide(out, row_sum(out)[:, None], out=out)


@kernel("const float64[2]", "const float64[1]", "float64[2]", twin=_probabilities_by_numpy)
def fill_probabilities(utility: FloatArray, temperature: FloatArray, out: FloatArray) -> None:
    """Fill in exp((u - max u) / T) over its sum, for each row, for one temperature or one a row."""
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, total = np.empty((n_alternatives, strip + _PAD)), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, total)
        _weigh(size, cells, total)
        for place in range(n_alternatives):
            for row in range(size):
                cells[place, row] /= total[row]
        _turn_back(cells, start, size, out)


@inlined
def _weigh(size: int, cells: FloatArray, total: FloatArray) -> None:
    """Turn scaled utilities into weights and add them up; in kernels only."""
    for row in range(size):
        total[row] = 0.0
    for place in range(cells.shape[0]):
        for row in range(size):
            weight = exp_of_nonpositive(cells[place, row])
            cells[place, row] = weight
            total[row] += weight


# --- coherent choices -----------------------------------------------------------------------------------------------


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
    for place, uniform in _uniforms(rows, alternatives, keys, first, len(chosen)):
        np.argmax(scaled - np.log(-np.log(uniform)), axis=-1, out=chosen[place])


def _uniforms(
    rows: UIntArray, alternatives: UIntArray, keys: UIntArray, first: int, replications: int
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the place and the uniforms of each replication, both of a pair from one call."""
    for pair, key in enumerate(keys):
        places = [2 * pair - first % 2 + half for half in (0, 1)]
        halves = tuple(half for half in (0, 1) if 0 <= places[half] < replications)
        for half, uniform in zip(halves, uniforms_by_numpy(rows, alternatives, int(key), halves), strict=True):
            yield places[half], uniform


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
    cells, top = np.empty((n_alternatives, strip + _PAD)), np.empty(strip)
    race = np.empty(4 * _ODD)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, top)
        _handicap(size, cells)
        for pair in range(keys.size):
            even = 2 * pair - first % 2
            for row in range(size):
                race[row] = race[_ODD + row] = np.inf
                race[_WINNER + row] = race[_WINNER + _ODD + row] = 0.0
            for place in range(n_alternatives):
                word, key = alternatives[place], keys[pair]
                if even < 0:
                    for row in range(size):
                        draw = philox_words(rows[start + row], word, key)[1]
                        _run(draw, cells[place, row], place, race, _ODD + row)
                elif even + 1 == chosen.shape[0]:
                    for row in range(size):
                        draw = philox_words(rows[start + row], word, key)[0]
                        _run(draw, cells[place, row], place, race, row)
                else:
                    for row in range(size):
                        draw, other = philox_words(rows[start + row], word, key)
                        _run(draw, cells[place, row], place, race, row)
                        _run(other, cells[place, row], place, race, _ODD + row)
            _tell(race, even, start, size, chosen)


@inlined
def _tell(race: FloatArray, even: int, start: int, size: int, chosen: IntArray) -> None:
    """Put the winners of a pair of replications, or of the one that is wanted, into the result; in kernels only."""
    for half in range(2):
        if 0 <= even + half < chosen.shape[0]:
            for row in range(size):
                chosen[even + half, start + row] = np.int64(race[_WINNER + half * _ODD + row])


@inlined
def _handicap(size: int, cells: FloatArray) -> None:
    """Turn scaled utilities into exp(-scaled): 1 for the best, infinite where unavailable; in kernels only."""
    for place in range(cells.shape[0]):
        for row in range(size):
            cells[place, row] = exp(-cells[place, row])


@inlined
def _run(word: np.uint64, handicap: float, place: int, race: FloatArray, row: int) -> None:
    """Let an alternative run, by the word drawn for it; in kernels only."""
    _finish(-log_of_normal(uniform_of(word)) * handicap, place, race, row)


@inlined
def _finish(time: float, place: int, race: FloatArray, row: int) -> None:
    """Let an alternative lead its row if it is faster than those before it; in kernels only."""
    faster = time < race[row]
    race[row] = time if faster else race[row]
    race[_WINNER + row] = place if faster else race[_WINNER + row]


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
    cells, times = np.empty((n_alternatives, strip + _PAD)), np.empty((n_alternatives, strip + _PAD))
    race = np.empty(4 * _ODD)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, race)
        _handicap(size, cells)
        for replication in range(chosen.shape[0]):
            for row in range(size):
                for place in range(n_alternatives):
                    times[place, row] = exponentials[replication, start + row, place]
                race[row], race[_WINNER + row] = np.inf, 0.0
            for place in range(n_alternatives):
                for row in range(size):
                    _finish(times[place, row] * cells[place, row], place, race, row)
            for row in range(size):
                chosen[replication, start + row] = np.int64(race[_WINNER + row])


# --- fast choices ---------------------------------------------------------------------------------------------------


def _distribution_by_numpy(
    utility: FloatArray,
    temperature: FloatArray,
    rows: UIntArray,
    alternatives: UIntArray,
    keys: UIntArray,
    first: int,
    chosen: IntArray,
) -> None:
    cumulated = np.exp(scaled_utility(utility, temperature)).cumsum(axis=-1)
    for place, uniform in _uniforms(rows, alternatives, keys, first, len(chosen)):
        # below the total, since u < 1 - 2^-53; strictly above what precedes an alternative of weight 0
        np.argmax(cumulated > uniform * cumulated[:, -1:], axis=-1, out=chosen[place])


@kernel(
    *("const float64[2]", "const float64[1]", "const uint64[1]", "const uint64[1]", "const uint64[1]"),
    *("int64", "int64[2]"),
    twin=_distribution_by_numpy,
)
def choose_by_distribution(
    utility: FloatArray,
    temperature: FloatArray,
    rows: UIntArray,
    alternatives: UIntArray,
    keys: UIntArray,
    first: int,
    chosen: IntArray,
) -> None:
    """Fill in where cumulated weights pass one uniform number a row, for replications from `first` on, shape (R, n)."""
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, total = np.empty((n_alternatives, strip + _PAD)), np.empty(strip)
    race = np.empty(4 * _ODD)  # marks on the way to the total, and how many alternatives have been passed
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, total)
        _weigh(size, cells, total)
        for place in range(1, n_alternatives):
            for row in range(size):
                cells[place, row] += cells[place - 1, row]
        for pair in range(keys.size):
            even = 2 * pair - first % 2
            for row in range(size):
                draw, other = philox_words(rows[start + row], alternatives[0], keys[pair])
                race[row], race[_ODD + row] = uniform_of(draw) * total[row], uniform_of(other) * total[row]
                race[_WINNER + row] = race[_WINNER + _ODD + row] = 0.0
            for half in range(2):
                if 0 <= even + half < chosen.shape[0]:
                    for place in range(n_alternatives):
                        for row in range(half * _ODD, half * _ODD + size):
                            race[_WINNER + row] += 1.0 if cells[place, row - half * _ODD] <= race[row] else 0.0
            _tell(race, even, start, size, chosen)
