"""Newton's method on the semi-dual of an assignment: its equations solved by conjugate gradients, as well as needed.

References
----------
Kemertas, Farahmand & Jepson (2025), "A truncated Newton method for optimal transport", ICLR. Dembo, Eisenstat &
Steihaug (1982), "Inexact Newton methods", SIAM J. Numer. Anal. 19. Bertsekas (1982), "Projected Newton methods for
optimization problems with simple constraints", SIAM J. Control Optim. 20 (prices, which must not be negative).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from choicekit.assignment.semi_dual import Point, WeightTable

__all__ = ["along_planes", "newton_step"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_ENOUGH = 1e-4  # share of the decrease that a slope promises which a step must bring (Armijo)
_SHORTER, _TRIALS, _LONGEST = 0.25, 3, 1e6
_LEVEL, _HALVINGS = 0.5, 60  # share of the slope at the start at which a bisection ends, and when it does anyway
_STEEP = 0.5  # share of the slope at the start with which a step is made longer
_RIDGE = 0.3  # share of the whole error
_OFF = 0.01  # share of a column's own error
_STILL = 0.1  # share of a gradient by which it may change and still be called the same
_NOISE = 1e-14  # of the value: what rounding may make of it
_MOST_PRODUCTS = 500


def newton_step(table: WeightTable, point: Point) -> Point:
    """Return a point with a smaller value of the semi-dual, next to where it is least by Newton's equations.

    Parameters
    ----------
    table : WeightTable
    point : Point
    """
    t, bounded = table.temperature, table.problem.columns.bounded
    free = ~((point.g >= 0) & (point.gradient <= 0)) if bounded else np.ones(point.g.size, dtype=bool)
    direction = _direction(table, point, free)
    slope = float(point.gradient @ direction)
    noise = _NOISE * (abs(point.value) + t * float(point.r.sum()))

    def at(length: float) -> Point:
        g = point.g + length * direction
        return table.at(np.minimum(g, 0.0) if bounded else g)

    def falls(trial: Point, length: float) -> bool:
        change = trial.value - point.value
        if abs(change) > noise:
            return change <= _ENOUGH * length * slope
        return float(trial.gradient @ direction) <= -_LEVEL * slope  # slopes can be told where values cannot

    length = 1.0
    for _ in range(_TRIALS):
        trial = at(length)
        if falls(trial, length):
            return _longer(at, trial, direction, slope) if length == 1.0 else trial
        length *= _SHORTER
    found = _lowest(at, direction, slope, length)
    return found if found is not None and found.value <= point.value + noise else point


def along_planes(table: WeightTable, before: Point, point: Point) -> Point:
    """Return a point further along the columns whose gradients a sweep has not changed: there is nothing to turn for.

    So it is for a column whose rows are full and have it alone: what it holds stays the same until its price has come
    down to what other columns, or nothing, are worth to one of them, while a sweep brings it down by a few T only.

    Parameters
    ----------
    table : WeightTable
    before, point : Point
        Where the sweep came from, and where it led.
    """
    still = np.abs(point.gradient - before.gradient) <= _STILL * np.abs(before.gradient)
    direction = np.where(still, point.g - before.g, 0.0)
    slope = float(point.gradient @ direction)
    if not slope < 0:
        return point
    top = 0.0 if table.problem.columns.bounded else np.inf
    return _longer(lambda length: table.at(np.minimum(point.g + length * direction, top)), point, direction, slope)


def _lowest(at: Callable[[float], Point], direction: FloatArray, slope: float, length: float) -> Point | None:
    """Return a point along a direction that is nearly level, or None where there is none within `length`.

    So it is next to a capacity that is just reached, where the slope changes at once.
    """
    low, high = 0.0, length / _SHORTER
    for _ in range(_HALVINGS):
        length = 0.5 * (low + high)
        trial = at(length)
        found = float(trial.gradient @ direction)
        if abs(found) <= -_LEVEL * slope:
            return trial
        low, high = (length, high) if found < 0 else (low, length)
    return None


def _longer(at: Callable[[float], Point], trial: Point, direction: FloatArray, slope: float) -> Point:
    """Go on along a direction as long as it falls nearly as steeply as at its start.

    So it is where a group of places is all but cut off from the others: far away their potentials change nothing.
    """
    length = 1.0
    while length < _LONGEST and float(trial.gradient @ direction) < _STEEP * slope:
        length /= _SHORTER
        further = at(length)
        if not further.value < trial.value:
            break
        trial = further
    return trial


def _direction(table: WeightTable, point: Point, free: BoolArray) -> FloatArray:
    """Return an approximate solution of Newton's equations, in units of utility."""
    t = table.temperature
    weights, transposed = table.products()
    scale, v = point.row_factors * point.response / point.totals, point.column_factors
    # far from the solution a ridge keeps steps in bounds; near it, it is gone as fast as the error
    ridge = np.where(free, min(1.0, _RIDGE * point.error) * point.c + _OFF * np.abs(point.gradient), 0.0)
    curvature = t * table.problem.columns.curvature(point.g, t)
    diagonal = point.c + ridge + curvature
    # strong relaxed sides hardly curve where all potentials move alike: there a ridge would be all there is
    curved = ridge.any() and (curvature.any() or not np.all(point.response == 1.0))
    level = ridge / np.sqrt(ridge.sum()) if curved else np.zeros_like(ridge)

    def product(x: FloatArray) -> FloatArray:
        return np.asarray(diagonal * x - level * (level @ x) - v * (transposed @ (scale * (weights @ (v * x)))))

    preconditioner = np.where(diagonal > 0, diagonal, 1.0)
    if weights is not table.weights:  # the exact diagonal: at low temperature little of the sums is left of it
        squares = transposed.copy()
        squares.data **= 2
        exact = diagonal - v**2 * (squares @ scale)
        preconditioner = np.where(exact > 1e-10 * diagonal, exact, np.maximum(1e-10 * diagonal, 1e-300))
    accuracy = min(0.1, float(point.error) ** 0.5)
    right = np.where(free, -point.gradient, 0.0)
    return t * conjugate_gradients(product, right, preconditioner, free, accuracy)


def conjugate_gradients(
    product: Callable[[FloatArray], FloatArray],
    right: FloatArray,
    preconditioner: FloatArray,
    free: BoolArray,
    accuracy: float,
) -> FloatArray:
    """Return x with product(x) = right on the free places, to `accuracy` of the L1 norm of `right`, and 0 elsewhere."""
    x, residual = np.zeros_like(right), right.copy()
    wanted = accuracy * float(np.abs(right).sum())
    z = residual / preconditioner
    step, rho = z, float(residual @ z)
    for _ in range(_MOST_PRODUCTS):
        image = np.where(free, product(step), 0.0)
        curvature = float(step @ image)
        if not curvature > 0:
            break
        x = x + (rho / curvature) * step
        residual = residual - (rho / curvature) * image
        if float(np.abs(residual).sum()) <= wanted:
            break
        z = residual / preconditioner
        rho, before = float(residual @ z), rho
        step = z + (rho / before) * step
    return x if np.any(x) else right / preconditioner
