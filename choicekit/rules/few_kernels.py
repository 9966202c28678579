"""The Tsallis rules for alpha above 2 in compiled loops: few alternatives are near enough to the best to be chosen.

See `choicekit.rules.thresholds` for the method. Of each row only what is near is gathered, and the worst alternative
that is chosen found without sorting, by halving the number of those of which it is not known yet. Newton's method then
works on strips of rows, turned so that every loop runs over rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from choicekit.kernels import exp, inlined, kernel, log
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.strips import PAD, rows_of_strip
from choicekit.rules.tsallis_kernels import probabilities_by_numpy, values_by_numpy

__all__ = ["fill_probabilities_of_few", "fill_values_of_few"]

_STEPS = 200
_EPSILON = 2.0**-52


@kernel("const float64[2]", "const float64[1]", "float64", "float64[1]", twin=values_by_numpy)
def fill_values_of_few(utility: FloatArray, temperature: FloatArray, alpha: float, out: FloatArray) -> None:
    """Fill in the value of each row, for one temperature or one a row; alpha above 2."""
    n_rows, n_alternatives = utility.shape
    beta, strip = alpha - 1.0, rows_of_strip(n_rows, n_alternatives)
    cells, weights = np.empty((n_alternatives, strip + PAD)), np.empty((n_alternatives, strip + PAD))
    places, n_near = np.empty((n_alternatives, strip), np.int64), np.empty(strip, np.int64)
    top, worst, smallest = np.empty(strip), np.empty(strip), np.empty(strip)
    power, total, slope = np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        _gather_strip(utility, temperature, beta, start, size, cells, places, n_near, weights, top, worst, smallest)
        _solve_strip(temperature, beta, start, size, cells, n_near, weights, worst, smallest, power, total, slope)
        for row in range(size):
            met = 0.0
            for place in range(n_near[row]):
                met += weights[place, row] * cells[place, row]
            # best^beta = beta (0 - worst) + smallest^beta
            lead = (1.0 - (beta * (0.0 - worst[row]) + power[row])) / beta
            gap = (lead + beta * (met / total[row])) / alpha
            t = temperature[0] if temperature.size == 1 else temperature[start + row]
            out[start + row] = top[row] + t * (0.0 if gap < 0.0 else gap) if n_near[row] > 0 else np.nan


@kernel("const float64[2]", "const float64[1]", "float64", "float64[2]", twin=probabilities_by_numpy)
def fill_probabilities_of_few(utility: FloatArray, temperature: FloatArray, alpha: float, out: FloatArray) -> None:
    """Fill in the probabilities of each row, for one temperature or one a row; alpha above 2."""
    n_rows, n_alternatives = utility.shape
    beta, strip = alpha - 1.0, rows_of_strip(n_rows, n_alternatives)
    cells, weights = np.empty((n_alternatives, strip + PAD)), np.empty((n_alternatives, strip + PAD))
    places, n_near = np.empty((n_alternatives, strip), np.int64), np.empty(strip, np.int64)
    top, worst, smallest = np.empty(strip), np.empty(strip), np.empty(strip)
    power, total, slope = np.empty(strip), np.empty(strip), np.empty(strip)
    for start in range(0, n_rows, strip):
        size = min(strip, n_rows - start)
        _gather_strip(utility, temperature, beta, start, size, cells, places, n_near, weights, top, worst, smallest)
        _solve_strip(temperature, beta, start, size, cells, n_near, weights, worst, smallest, power, total, slope)
        for row in range(size):
            for place in range(n_alternatives):
                out[start + row, place] = 0.0 if n_near[row] > 0 else np.nan
            for place in range(n_near[row]):
                out[start + row, places[place, row]] = weights[place, row] / total[row]


@inlined
def _gather_strip(
    utility: FloatArray,
    temperature: FloatArray,
    beta: float,
    start: int,
    size: int,
    cells: FloatArray,
    places: IntArray,
    n_near: IntArray,
    scratch: FloatArray,
    top: FloatArray,
    worst: FloatArray,
    smallest: FloatArray,
) -> None:
    """Collect what may be chosen in each row, and find the worst that is; in kernels only."""
    for row in range(size):
        t = temperature[0] if temperature.size == 1 else temperature[start + row]
        top[row] = _row_maximum(utility, start + row)
        n_near[row] = _gather(utility, start + row, top[row], t, beta, row, cells, places)
        _find_worst(n_near[row], beta, row, cells, scratch, worst, smallest)


@inlined
def _solve_strip(
    temperature: FloatArray,
    beta: float,
    start: int,
    size: int,
    cells: FloatArray,
    n_near: IntArray,
    weights: FloatArray,
    worst: FloatArray,
    smallest: FloatArray,
    power: FloatArray,
    total: FloatArray,
    slope: FloatArray,
) -> None:
    """Fill in weights of what is near in each row, and their sum, which is 1 but for rounding; in kernels only."""
    most = 0
    for row in range(size):
        most = max(most, n_near[row])
        # by convexity, a step from 0 with what the best alone takes ends above the smallest probability
        taken = exp(log(beta * (0.0 - worst[row])) / beta)
        smallest[row] = min(smallest[row], 1.0 - taken)
    for row in range(size):
        for place in range(n_near[row], most):
            cells[place, row] = -np.inf
    for _ in range(_STEPS):
        for row in range(size):
            power[row] = exp(beta * log(smallest[row]))
            total[row] = 0.0
            slope[row] = 0.0
        for place in range(most):
            for row in range(size):
                r, above = smallest[row], beta * (cells[place, row] - worst[row])
                x = above + power[row] if above > 0.0 else 1.0
                root = exp(log(x) / beta)
                # (r / q)^(beta - 1); where r^beta underflows it is nothing
                steep = (power[row] / r) * (root / x) if r > 0.0 else 0.0
                q = root if above > 0.0 else (r if above == 0.0 else 0.0)
                weights[place, row] = q
                total[row] += q
                slope[row] += steep if above > 0.0 else (1.0 if above == 0.0 else 0.0)
        moved = 0
        for row in range(size):
            t = temperature[0] if temperature.size == 1 else temperature[start + row]
            step = (total[row] - 1.0) / slope[row]
            # at T = 0 all best ones weigh the same and nothing else is near, which is right as it is
            if t > 0.0 and step > _EPSILON:
                smallest[row] = smallest[row] - step if smallest[row] > step else 0.0
                moved += 1
        if moved == 0:
            break


@inlined
def _row_maximum(utility: FloatArray, row: int) -> Any:
    """Return the maximum of a row, infinite where it is not in order; in kernels only."""
    top = -np.inf
    for place in range(utility.shape[1]):
        u = utility[row, place]
        top = u if u > top else top
        top = np.inf if u != u else top
    return np.inf if top == -np.inf else top


@inlined
def _gather(
    utility: FloatArray,
    source: int,
    top: float,
    t: float,
    beta: float,
    row: int,
    cells: FloatArray,
    places: IntArray,
) -> int:
    """Collect (u - max u) / T of all that may be chosen, what is less than 1 / beta below the best; in kernels only."""
    n_near = 0
    for place in range(utility.shape[1]):
        below = utility[source, place] - top
        scaled = 0.0 if below == 0.0 else below / t
        cells[n_near, row], places[n_near, row] = scaled, place
        n_near += scaled * beta > -1.0  # else the next one takes its place
    return n_near


@inlined
def _find_worst(
    n_near: int,
    beta: float,
    row: int,
    cells: FloatArray,
    undecided: FloatArray,
    worst: FloatArray,
    smallest: FloatArray,
) -> None:
    """Find the smallest scaled utility that is chosen, and a probability that its own is at most; in kernels only."""
    if n_near <= 2:  # the second best of what is near is always chosen
        last = cells[max(n_near, 1) - 1, row]
        worst[row] = min(cells[0, row], last)
        smallest[row] = 1.0 if n_near == 1 else 0.5
        return
    n_undecided = 0
    for place in range(n_near):
        if cells[place, row] < 0.0:
            undecided[n_undecided, row] = cells[place, row]
            n_undecided += 1
    worst[row], smallest[row] = 0.0, 1.0
    while n_undecided > 0:
        middle = undecided[n_undecided // 2, row]
        total = 0.0
        for place in range(n_near):
            if cells[place, row] > middle:
                total += exp(log(beta * (cells[place, row] - middle)) / beta)
        fits = total < 1.0
        if fits:
            worst[row], smallest[row] = middle, 1.0 - total
        kept = 0
        for place in range(n_undecided):
            u = undecided[place, row]
            if (u < middle) if fits else (u > middle):
                undecided[kept, row] = u
                kept += 1
        n_undecided = kept
