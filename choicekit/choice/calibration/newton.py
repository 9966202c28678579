"""Newton's method on the convex function whose minimum meets the shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Response

__all__ = ["Solution", "meet_shares"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_FAR = 2.0  # logarithm of wanted over present share beyond which a quadratic says nothing of the function
_WIDER = 4.0  # factor on the radius within which the quadratic is trusted
_SHRINKINGS = 40
_BISECTIONS = 60
_RIDGE = 1e-13  # least curvature counted, beside the largest
_DOUBLINGS = 60
_ENOUGH = 1e-4  # part of the decrease foretold by the slope that a step must bring
_TINY = 1e-300  # a share that has vanished counts as this much: the step is then 700 temperatures long


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Solution:
    """Where the search ended.

    Attributes
    ----------
    shift : ndarray (J,)
        To be added to utilities.
    before, shares : ndarray (J,)
        Shares at the start and at the end.
    history : tuple of float
        Largest distance of a share from what it is to be, at the start and after each iteration.
    status : str
        ``"converged"``, ``"out of iterations"``, or ``"stalled"``: no step brings the shares nearer.
    """

    shift: FloatArray
    before: FloatArray
    shares: FloatArray
    history: tuple[float, ...]
    status: str


@dataclass(frozen=True, kw_only=True, eq=False)
class _Goal:
    """What is to be met: `wanted` (M + 1,) are the shares of the M moved alternatives and of all others together."""

    respond: Callable[[FloatArray], Response]
    jacobian: Callable[[FloatArray, IntArray], FloatArray]
    moved: IntArray
    wanted: FloatArray
    temperature: float

    def at(self, shift: FloatArray) -> _Point:
        response = self.respond(shift)
        others = np.delete(response.shares, self.moved).sum()
        linear = float(self.wanted[:-1] @ shift[self.moved])
        return _Point(
            shift=shift,
            shares=response.shares,
            present=np.append(response.shares[self.moved], others),
            objective=response.value - linear,
            size=max(abs(response.value), abs(linear)),
        )

    def gap(self, point: _Point) -> float:
        """Largest distance of a share from what it is to be; others count as one."""
        return float(np.abs(point.present - self.wanted).max())

    def slope(self, point: _Point) -> FloatArray:
        """Gradient of the objective by the moved shifts."""
        return (point.present - self.wanted)[:-1]

    def hessian(self, point: _Point) -> FloatArray:
        """Second derivatives of the objective by the moved shifts; they cost the most, so only accepted points ask."""
        return self.jacobian(point.shift, self.moved)

    def moved_by(self, point: _Point, step: FloatArray) -> _Point:
        shift = point.shift.copy()
        shift[self.moved] += step
        return self.at(shift)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """A place on the way: `present` (M + 1,) are the shares there, `size` that of what the objective is made of."""

    shift: FloatArray
    shares: FloatArray
    present: FloatArray
    objective: float
    size: float


def meet_shares(
    respond: Callable[[FloatArray], Response],
    jacobian: Callable[[FloatArray, IntArray], FloatArray],
    wanted: FloatArray,
    moved: IntArray,
    *,
    n_alternatives: int,
    temperature: float,
    tolerance: float,
    max_iterations: int,
) -> Solution:
    """Find the shifts of some alternatives' utilities at which their shares are what they are to be.

    Parameters
    ----------
    respond : callable
        From shifts (J,) to a Response.
    jacobian : callable
        From shifts (J,) and moved alternatives (M,) to the derivatives (M, M) of their shares by their shifts.
    wanted : ndarray (M + 1,)
        Shares of the moved alternatives, and of all others together.
    moved : ndarray (M,) of int64
        Their positions.
    n_alternatives : int
        J.
    temperature : float
        The smallest of any row.
    tolerance : float
        Largest distance of a share allowed.
    max_iterations : int

    Returns
    -------
    Solution

    Notes
    -----
    F(c) = mean V(u + c) - <t, c> is convex, with gradient s(c) - t (s the expected shares) and the mean Jacobian of
    the rule as Hessian, so Newton's step is -H^-1 (s - t). It is held within a radius, which shrinks where a step does
    not lower F and grows where it does: F may be all edges, where temperatures are low beside the differences of
    utilities. Where shares are many times too large or too small, the step is T log(t / s): for softmax F lies below
    a function that touches it and has its minimum there, so this never raises F; it is doubled as long as F falls.

    References
    ----------
    Train (2009), *Discrete Choice Methods with Simulation*, 2nd edition, section 2.8; Berry (1994), "Estimating
    discrete-choice models of product differentiation", RAND Journal of Economics 25, section 4; Darroch & Ratcliff
    (1972), "Generalized iterative scaling for log-linear models", Annals of Mathematical Statistics 43.
    """
    goal = _Goal(respond=respond, jacobian=jacobian, moved=moved, wanted=wanted, temperature=temperature)
    trail = _search(goal, goal.at(np.zeros(n_alternatives)), tolerance, max_iterations)
    history = tuple(goal.gap(point) for point in trail)
    spent = "out of iterations" if len(trail) > max_iterations else "stalled"
    return Solution(
        shift=trail[-1].shift,
        before=trail[0].shares,
        shares=trail[-1].shares,
        history=history,
        status="converged" if history[-1] <= tolerance else spent,
    )


def _search(goal: _Goal, start: _Point, tolerance: float, max_steps: int) -> list[_Point]:
    """Return the points gone through, the last one within the tolerance if there was a way."""
    trail, radius = [start], goal.temperature
    while len(trail) <= max_steps and not goal.gap(trail[-1]) <= tolerance:
        there, radius = _next(goal, trail[-1], radius)
        if there is None:
            break
        trail.append(there)
    return trail


def _next(goal: _Goal, here: _Point, radius: float) -> tuple[_Point | None, float]:
    """Return the next point, None where no step helps, and how far to trust the quadratic there."""
    ratio = np.log(goal.wanted / np.maximum(here.present, _TINY))
    if np.abs(ratio).max() > _FAR:
        there = _lengthened(goal, here, goal.temperature * (ratio[:-1] - ratio[-1]))  # only differences matter
        if there is not None:
            return there, max(radius, _distance(here, there))
    hessian = goal.hessian(here)
    if not np.all(np.isfinite(hessian)):
        return None, radius
    slope = goal.slope(here)
    curvature, axes = np.linalg.eigh(hessian)
    for _ in range(_SHRINKINGS):
        step = -axes @ _trusted(curvature, axes.T @ slope, radius)
        there = goal.moved_by(here, step)
        if _is_lower(goal, here, there, step):
            return there, max(radius, _WIDER * _distance(here, there))
        radius = float(np.linalg.norm(step)) / _WIDER
    return None, radius


def _trusted(curvature: FloatArray, slope: FloatArray, radius: float) -> FloatArray:
    """Return g / (H + d) in the axes of H, with the least damping d that keeps its length within the radius."""
    # alternatives that nobody chooses between leave an axis without curvature, and without slope but for rounding
    floor = _RIDGE * max(float(curvature.max()), np.finfo(np.float64).tiny / _RIDGE)
    low, high = floor, floor + float(np.linalg.norm(slope)) / radius
    curvature = np.maximum(curvature, 0.0)
    with np.errstate(over="ignore"):
        if np.linalg.norm(slope / (curvature + low)) <= radius:
            return slope / (curvature + low)
    for _ in range(_BISECTIONS):
        middle = float(np.sqrt(low) * np.sqrt(high))
        with np.errstate(over="ignore"):
            long = np.linalg.norm(slope / (curvature + middle)) > radius
        low, high = (middle, high) if long else (low, middle)
    return slope / (curvature + high)


def _distance(here: _Point, there: _Point) -> float:
    return float(np.linalg.norm(there.shift - here.shift))


def _lengthened(goal: _Goal, here: _Point, step: FloatArray) -> _Point | None:
    """Return the lowest of the points once, twice, four times as far, and so on."""
    best = None
    for doubling in range(_DOUBLINGS):
        there = goal.moved_by(here, step * 2**doubling)
        if not (_is_lower(goal, here, there, step) if best is None else there.objective < best.objective):
            break
        best = there
    return best


def _is_lower(goal: _Goal, here: _Point, there: _Point, step: FloatArray) -> bool:
    foretold = float(goal.slope(here) @ step)
    rounding = 64 * np.finfo(np.float64).eps * max(here.size, there.size, goal.temperature)
    if -foretold > rounding:
        return there.objective <= here.objective + _ENOUGH * foretold
    # so near the minimum the function no longer tells two points apart, but the shares do
    return bool(there.objective <= here.objective + rounding) and goal.gap(there) < goal.gap(here)
