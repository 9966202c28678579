"""Newton's method for prices of at least 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Answer

__all__ = ["Climb", "Demanding", "climb"]

FloatArray = npt.NDArray[np.float64]

_HALVINGS = 40
_ENOUGH = 1e-4  # part of the decrease foretold by the slope that a step must bring
_FAR = 2.0  # logarithm of demand over capacity beyond which a quadratic says nothing of the function
_RIDGE = 1e-13  # least curvature counted, beside the largest
_ROUNDING = 1e-14  # relative, of the objective: a step that changes less cannot be judged by it


class Demanding(Protocol):
    """Those whose demand depends on prices."""

    @property
    def temperature(self) -> float:
        """The smallest of any row."""
        ...

    def answer(self, shift: FloatArray, *, slopes: bool = False) -> Answer:
        """Return demand, and its derivatives where wanted, at utilities that are shifted."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Climb:
    """Prices (J,), demand (J,), the sum of inclusive values and, where asked for, minus the derivative of demand."""

    price: FloatArray
    demand: FloatArray
    value: float
    slopes: FloatArray | None

    @classmethod
    def at(cls, price: FloatArray, answer: Answer) -> Climb:
        """Return a place from what was answered there."""
        return cls(price=price, demand=answer.demand, value=answer.value, slopes=answer.slopes)

    def objective(self, limits: FloatArray) -> float:
        """Return the dual: sums of inclusive values and of prices times capacities."""
        priced = self.price > 0
        return self.value + float(self.price[priced] @ limits[priced])

    def off(self, limits: FloatArray) -> FloatArray:
        """Return how far demand is off relative to capacity: above it, or below it at a price."""
        with np.errstate(invalid="ignore"):
            excess = np.where(np.isfinite(limits), (self.demand - limits) / limits, -np.inf)
        return np.where(self.price > 0, np.abs(excess), np.maximum(excess, 0.0))

    def gap(self, limits: FloatArray) -> float:
        """Return the largest of these."""
        return float(self.off(limits).max())


def climb(
    crowd: Demanding, limits: FloatArray, start: FloatArray, tolerance: float, max_iterations: int
) -> tuple[Climb, list[float], str]:
    """Search for prices at which demand fits in.

    Parameters
    ----------
    crowd : Demanding
    limits : ndarray (J,)
        Capacities, infinity where there is none.
    start : ndarray (J,)
        Prices to begin with.
    tolerance : float
        Of `Climb.gap`.
    max_iterations : int

    Returns
    -------
    found : Climb
    history : list of float
        Gaps, that of the start first.
    status : str
    """
    here = _at(crowd, start)
    history = [here.gap(limits)]
    while history[-1] > tolerance:
        if len(history) > max_iterations:
            return here, history, "out of iterations"
        there = _next(crowd, here, limits)
        if there is None:
            return here, history, "stalled"
        here = there
        history.append(here.gap(limits))
    return _lowest(here, limits), history, "converged"


def _at(crowd: Demanding, price: FloatArray) -> Climb:
    return Climb.at(price, crowd.answer(-price, slopes=True))


def _next(crowd: Demanding, here: Climb, limits: FloatArray) -> Climb | None:
    limited = np.isfinite(limits)
    slope = np.where(limited, limits - here.demand, 0.0)
    # a price of 0 stays where demand is below capacity, and where nothing limits it
    free = limited & ((here.price > 0) | (slope < 0))
    step = _step(here, limits, free, crowd.temperature)
    size, now = 1.0, here.objective(limits)
    for _ in range(_HALVINGS):
        price = np.where(free, np.maximum(here.price + size * step, 0.0), 0.0)
        there = _at(crowd, price)
        decrease = -float(slope[free] @ (price - here.price)[free])
        change = now - there.objective(limits)
        judged = abs(change) > _ROUNDING * max(abs(now), 1.0) * len(price)
        if (judged and change >= _ENOUGH * decrease) or (not judged and there.gap(limits) < here.gap(limits)):
            return there
        size /= 2
    return None


def _step(here: Climb, limits: FloatArray, free: npt.NDArray[np.bool_], temperature: float) -> FloatArray:
    step = np.zeros(len(limits))
    with np.errstate(divide="ignore"):
        ratio = np.log(np.maximum(here.demand[free], 1e-300)) - np.log(limits[free])
    if np.abs(ratio).max(initial=0.0) > _FAR:
        step[free] = temperature * ratio
        return step
    curvature, axes = np.linalg.eigh(np.asarray(here.slopes)[np.ix_(free, free)])
    along = axes.T @ (limits - here.demand)[free]
    floor = _RIDGE * max(float(curvature.max(initial=0.0)), 1e-300)
    # where demand does not change along a direction, neither does the objective but for its slope: stay
    scaled = np.where(curvature > floor, along / np.maximum(curvature, floor), 0.0)
    step[free] = -(axes @ scaled)
    return step


def _lowest(here: Climb, limits: FloatArray) -> Climb:
    """Where all are limited, take the constant that no demand tells off the prices."""
    everything = np.isfinite(limits).all()
    full = np.isclose(here.demand.sum(), limits.sum(), rtol=1e-9) if everything else False
    if not full:
        return here
    least = float(here.price.min())
    return Climb(
        price=here.price - least,
        demand=here.demand,
        value=here.value + least * float(here.demand.sum()),
        slopes=here.slopes,
    )
