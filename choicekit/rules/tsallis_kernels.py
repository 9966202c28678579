"""The Tsallis rules for alpha up to 2 in compiled loops: value and probabilities of many rows.

As in `choicekit.rules.strips`, rows are worked on in strips turned so that every loop runs over rows. Newton's
method for the threshold, see `choicekit.rules.thresholds`, takes a few passes over a strip; a row that has arrived no
longer moves, so that its answer is the same in any company. For alpha = 2 the passes are those of Michelot (1986): each
drops what is below the threshold that the rest would have by themselves.
"""

from __future__ import annotations

import numpy as np

from choicekit.kernels import exp_of_nonpositive, inlined, kernel, log_of_normal
from choicekit.rules.protocol import FloatArray
from choicekit.rules.strips import PAD, load_strip, rows_of_strip, turn_back
from choicekit.rules.tempered import scaled_utility
from choicekit.rules.thresholds import threshold_gap, threshold_probabilities
from choicekit.rules.utilities import hard_maximum, row_maximum

__all__ = [
    "fill_threshold_probabilities",
    "fill_threshold_values",
    "probabilities_by_numpy",
    "values_by_numpy",
]

_STEPS = 200
_EPSILON = 2.0**-52


def values_by_numpy(utility: FloatArray, temperature: FloatArray, alpha: float, out: FloatArray) -> None:
    """Fill in the value of each row, for one temperature or one a row and any alpha above 1."""
    top = row_maximum(utility)
    in_order = np.isfinite(top)
    scaled = scaled_utility(np.where(in_order[:, None], utility, 0.0), temperature)
    out[:] = np.where(in_order, top + temperature * threshold_gap(scaled, alpha), np.nan)


@kernel("const float64[2]", "const float64[1]", "float64", "float64[1]", twin=values_by_numpy)
def fill_threshold_values(utility: FloatArray, temperature: FloatArray, alpha: float, out: FloatArray) -> None:
    """Fill in the value of each row, for one temperature or one a row; alpha above 1 and at most 2."""
    n_rows, n_alternatives = utility.shape
    beta, strip = alpha - 1.0, rows_of_strip(n_rows, n_alternatives)
    cells, weights = np.empty((n_alternatives, strip + PAD)), np.empty((n_alternatives, strip + PAD))
    top, threshold, total, slope = np.empty(strip), np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, top)
        _solve_strip(size, beta, temperature, start, cells, weights, threshold, total, slope)
        for row in range(size):
            slope[row] = 0.0
        for place in range(n_alternatives):
            for row in range(size):
                q = weights[place, row]
                slope[row] += q * cells[place, row] if q > 0.0 else 0.0
        warmth, own = temperature[start : start + size], out[start : start + size]
        for row in range(size):
            gap = (threshold[row] + beta * (slope[row] / total[row])) / alpha
            t = temperature[0] if temperature.size == 1 else warmth[row]
            own[row] = top[row] + t * (0.0 if gap < 0.0 else gap)


def probabilities_by_numpy(utility: FloatArray, temperature: FloatArray, alpha: float, out: FloatArray) -> None:
    """Fill in the probabilities of each row, for one temperature or one a row and any alpha above 1."""
    in_order = np.isfinite(row_maximum(utility))[:, None]
    values = np.where(in_order, utility, 0.0)
    p = threshold_probabilities(scaled_utility(values, temperature), alpha)
    out[:] = np.where(in_order, np.where(temperature[:, None] > 0, p, hard_maximum(values)), np.nan)


@kernel("const float64[2]", "const float64[1]", "float64", "float64[2]", twin=probabilities_by_numpy)
def fill_threshold_probabilities(utility: FloatArray, temperature: FloatArray, alpha: float, out: FloatArray) -> None:
    """Fill in the probabilities of each row, for one temperature or one a row; alpha above 1 and at most 2."""
    n_rows, n_alternatives = utility.shape
    beta, strip = alpha - 1.0, rows_of_strip(n_rows, n_alternatives)
    cells, weights = np.empty((n_alternatives, strip + PAD)), np.empty((n_alternatives, strip + PAD))
    threshold, total, slope = np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        load_strip(utility, temperature, start, size, cells, total)
        _solve_strip(size, beta, temperature, start, cells, weights, threshold, total, slope)
        for place in range(n_alternatives):
            for row in range(size):
                weights[place, row] /= total[row]
        turn_back(weights, start, size, out)


@inlined
def _solve_strip(
    size: int,
    beta: float,
    temperature: FloatArray,
    start: int,
    cells: FloatArray,
    weights: FloatArray,
    threshold: FloatArray,
    total: FloatArray,
    slope: FloatArray,
) -> None:
    """Find the threshold of each row, its weights and their sum, which is 1 but for rounding; in kernels only."""
    warmth = temperature[start : start + size]
    for row in range(size):
        threshold[row] = 0.0
    for _ in range(_STEPS):
        for row in range(size):
            total[row] = 0.0
            slope[row] = 0.0
        if beta == 1.0:
            _pass_of_one(size, cells, weights, threshold, total, slope)
        elif beta == 0.5:
            _pass_of_squares(size, cells, weights, threshold, total, slope)
        else:
            _pass_of_powers(size, beta, cells, weights, threshold, total, slope)
        moved = 0
        for row in range(size):
            t = temperature[0] if temperature.size == 1 else warmth[row]
            excess = total[row] - 1.0
            step = 2.0 * excess * total[row] / ((2.0 + (1.0 + beta) * excess) * slope[row])
            # at T = 0 all best ones weigh 1 and nothing else does, which is right as it is
            if t > 0.0 and step > _EPSILON * (1.0 + threshold[row]):
                threshold[row] += step
                moved += 1
        if moved == 0:
            break


@inlined
def _pass_of_one(
    size: int, cells: FloatArray, weights: FloatArray, threshold: FloatArray, total: FloatArray, slope: FloatArray
) -> None:
    """Add up x = (1 + z - w)_+ and its slope; in kernels only."""
    for place in range(cells.shape[0]):
        for row in range(size):
            x = 1.0 + (cells[place, row] - threshold[row])
            q = 0.0 if x < 0.0 else x
            weights[place, row] = q
            total[row] += q
            slope[row] += 1.0 if q > 0.0 else 0.0


@inlined
def _pass_of_squares(
    size: int, cells: FloatArray, weights: FloatArray, threshold: FloatArray, total: FloatArray, slope: FloatArray
) -> None:
    """Add up x^2 for x = (1 + (z - w) / 2)_+, and x; in kernels only."""
    for place in range(cells.shape[0]):
        for row in range(size):
            x = 1.0 + 0.5 * (cells[place, row] - threshold[row])
            x = 0.0 if x < 0.0 else x
            q = x * x
            weights[place, row] = q
            total[row] += q
            slope[row] += x


@inlined
def _pass_of_powers(
    size: int,
    beta: float,
    cells: FloatArray,
    weights: FloatArray,
    threshold: FloatArray,
    total: FloatArray,
    slope: FloatArray,
) -> None:
    """Add up q = (1 + beta (z - w))_+^(1/beta), and q over what it is a power of; in kernels only."""
    for place in range(cells.shape[0]):
        for row in range(size):
            lift = beta * (cells[place, row] - threshold[row])
            lift = -1.0 if lift < -1.0 else lift
            x = 1.0 + lift
            # log(1 + lift) with what x has lost of lift
            logarithm = log_of_normal(x) + (lift - (x - 1.0)) / x
            q = exp_of_nonpositive(logarithm / beta) if x != 0.0 else 0.0
            weights[place, row] = q
            total[row] += q
            slope[row] += q / x if x != 0.0 else 0.0
