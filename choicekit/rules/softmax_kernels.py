"""Softmax in compiled loops: value, probabilities and fast choices of many rows, strip by strip.

A row that is not in order (a nan, plus infinity, nothing available) shows as nan in values and probabilities.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from choicekit.kernels import exp_of_nonpositive, exp_roughly, inlined, kernel, log_of_normal, philox_words, uniform_of
from choicekit.rules.protocol import FloatArray, IntArray, UIntArray
from choicekit.rules.race_kernels import uniforms_of_pairs
from choicekit.rules.strips import PAD, load_strip, rows_of_strip, turn_back
from choicekit.rules.tempered import scaled_utility
from choicekit.rules.utilities import row_maximum, row_sum

__all__ = ["choose_by_distribution", "fill_probabilities", "fill_values"]

_NEAR = 6e-6  # of the total: two rough sums are each off by at most 2.7e-6 of it
_FAR = -100.0  # scaled utility below which a weight may as well be this one's, exp(-100)


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
    cells, top, total = np.empty((n_alternatives, strip + PAD)), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, top)
        for row in range(size):
            total[row] = 0.0
        for place in range(n_alternatives):
            for row in range(size):
                total[row] += exp_of_nonpositive(cells[place, row])
        own = out[start : start + size]
        for row in range(size):
            own[row] = log_of_normal(total[row])
        if temperature.size == 1:
            for row in range(size):
                own[row] = top[row] + temperature[0] * own[row] if total[row] >= 1.0 else np.nan
        else:
            warmth = temperature[start : start + size]
            for row in range(size):
                own[row] = top[row] + warmth[row] * own[row] if total[row] >= 1.0 else np.nan


def _probabilities_by_numpy(utility: FloatArray, temperature: FloatArray, out: FloatArray) -> None:
    with np.errstate(invalid="ignore"):
        np.exp(scaled_utility(utility, temperature), out=out)
    np.divide(out, row_sum(out)[:, None], out=out)


@kernel("const float64[2]", "const float64[1]", "float64[2]", twin=_probabilities_by_numpy)
def fill_probabilities(utility: FloatArray, temperature: FloatArray, out: FloatArray) -> None:
    """Fill in exp((u - max u) / T) over its sum, for each row, for one temperature or one a row."""
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, total = np.empty((n_alternatives, strip + PAD)), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, total)
        _weigh(size, cells, total)
        for place in range(n_alternatives):
            for row in range(size):
                cells[place, row] /= total[row]
        turn_back(cells, start, size, out)


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
    for place, uniform in uniforms_of_pairs(rows, alternatives, keys, first, len(chosen)):
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
    """Fill in where cumulated weights pass one uniform number a row, for replications from `first` on, shape (R, n).

    Weights are rough at first; a row whose number comes so near to a cumulated weight that this might matter is done
    again exactly.
    """
    n_rows, n_alternatives = utility.shape
    strip = rows_of_strip(n_rows, n_alternatives)
    cells, total = np.empty((n_alternatives, strip + PAD)), np.empty(strip)
    marks, passed, nearest = np.empty((2, strip + PAD)), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, total)
        _cumulate_roughly(size, cells, total)
        own = rows[start : start + size]
        for pair in range(keys.size):
            even, key = 2 * pair - first % 2, keys[pair]
            for row in range(size):
                draw, other = philox_words(own[row], alternatives[0], key)
                marks[0, row], marks[1, row] = uniform_of(draw), uniform_of(other)
            for half in range(2):
                if 0 <= even + half < chosen.shape[0]:
                    _count_passed(size, cells, marks[half], total, passed, nearest)
                    found, n_near = chosen[even + half, start : start + size], 0
                    for row in range(size):
                        found[row] = np.int64(passed[row])
                        n_near += 1 if nearest[row] <= _NEAR * total[row] else 0
                    for row in range(size if n_near > 0 else 0):
                        if nearest[row] <= _NEAR * total[row]:
                            t = temperature[0 if temperature.size == 1 else start + row]
                            found[row] = _exactly_passed(utility[start + row], t, marks[half, row])


@inlined
def _cumulate_roughly(size: int, cells: FloatArray, total: FloatArray) -> None:
    """Turn scaled utilities into cumulated weights; in kernels only."""
    for row in range(size):
        total[row] = 0.0
    for place in range(cells.shape[0]):
        for row in range(size):
            total[row] += exp_roughly(max(cells[place, row], _FAR))
            cells[place, row] = total[row]


@inlined
def _count_passed(
    size: int, cells: FloatArray, uniform: FloatArray, total: FloatArray, passed: FloatArray, nearest: FloatArray
) -> None:
    """Count the cumulated weights up to a share of their total, and find the one nearest to it; in kernels only."""
    for row in range(size):
        passed[row], nearest[row] = 0.0, np.inf
    for place in range(cells.shape[0]):
        for row in range(size):
            above = cells[place, row] - uniform[row] * total[row]
            passed[row] += 1.0 if above <= 0.0 else 0.0
            nearest[row] = abs(above) if abs(above) < nearest[row] else nearest[row]


@inlined
def _exactly_passed(utility: FloatArray, temperature: float, uniform: float) -> int:
    """Return where the cumulated weights of one row pass a share of their total; in kernels only."""
    top, total, cumulated, passed = -np.inf, 0.0, 0.0, 0
    for u in utility:
        top = u if u > top else top
    for u in utility:
        total += _weight(u - top, temperature)
    for u in utility:
        cumulated += _weight(u - top, temperature)
        passed += cumulated <= uniform * total
    return passed


@inlined
def _weight(below: float, temperature: float) -> Any:
    return exp_of_nonpositive(0.0 if below == 0.0 else below / temperature)
