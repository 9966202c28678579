"""Shadow prices of capacities: what each full alternative must cost so that those who choose it fit in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Crowd
from choicekit.choice.capacity.climbing import Climb, climb
from choicekit.choice.capacity.limits import check_room, read_capacity
from choicekit.choice.checking import NOTHING_AVAILABLE
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.choice.sampling import check_rule_fits
from choicekit.counting import counted
from choicekit.errors import ConvergenceError, DataError, InvalidInputError, NoAvailableAlternativeError
from choicekit.random import check_seed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CapacityPrices", "price_capacities"]

FloatArray = npt.NDArray[np.float64]

_PART = 65_536  # rows from which prices are found roughly before all are asked
_ROUGH = 1e-6
_ROUGH_STEPS = 30


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CapacityPrices:
    """Prices at which expected demand fits in.

    Attributes
    ----------
    price : ndarray (J,)
        In units of utility; 0 where there is room left or no limit.
    demand, unpriced_demand : ndarray (J,)
        Expected numbers (sums of weights) at these prices, and without them.
    capacity : ndarray (J,)
        Infinity where there is no limit.
    alternatives : tuple of str
    inclusive_value, unpriced_inclusive_value : float
        Mean of those who choose, with prices paid and without them.
    history : tuple of float
        How far demand was off after each step, relative to capacity: above it, or below it at a price.
    status : {"converged", "stalled", "out of iterations"}
    model : ChoiceModel
    population : Population
    """

    price: FloatArray
    demand: FloatArray
    unpriced_demand: FloatArray
    capacity: FloatArray
    alternatives: tuple[str, ...]
    inclusive_value: float
    unpriced_inclusive_value: float
    history: tuple[float, ...]
    status: str
    model: ChoiceModel
    population: Population

    @property
    def converged(self) -> bool:
        """Whether demand meets capacities within the tolerance."""
        return self.status == "converged"

    @property
    def n_iterations(self) -> int:
        """Number of steps over everybody."""
        return len(self.history) - 1

    @property
    def revenue(self) -> float:
        """What is paid in all: the sum of price times demand, in units of utility."""
        return float(self.price @ self.demand)

    def to_frame(self) -> pd.DataFrame:
        """Return a line an alternative: alternative, capacity, price, demand, unpriced_demand, full."""
        import pandas as pd

        return pd.DataFrame(
            {
                "alternative": self.alternatives,
                "capacity": self.capacity,
                "price": self.price,
                "demand": self.demand,
                "unpriced_demand": self.unpriced_demand,
                "full": self.price > 0,
            }
        )

    def __repr__(self) -> str:
        full = int((self.price > 0).sum())
        return (
            f"CapacityPrices({full} of {counted(len(self.alternatives), 'alternative')} full, {self.status} after "
            f"{counted(self.n_iterations, 'iteration')})"
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format="{:.4f}".format))


def price_capacities(
    model: ChoiceModel,
    population: Population,
    capacity: Mapping[str, float],
    *,
    tolerance: float = 1e-9,
    max_iterations: int = 100,
    workers: int = 1,
    seed: int = 0,
) -> CapacityPrices:
    """Find the price of each full alternative at which expected demand meets its capacity.

    Parameters
    ----------
    model : ChoiceModel
        With rules at a positive temperature.
    population : Population
        Those who choose count by their weights.
    capacity : mapping of str to float
        Above 0, in the units of weights; alternatives that are not named take everybody.
    tolerance : float
        Largest distance of demand from capacity, relative to capacity.
    max_iterations : int
    workers : int
        Threads; the result does not depend on their number.
    seed : int
        Of the points at which expectations over random coefficients are taken.

    Returns
    -------
    CapacityPrices

    Raises
    ------
    InfeasibleMassError
        Where those who choose do not fit in, with the alternatives and the shortfall.
    InvalidInputError
        For capacities that break the above, and rules without a positive temperature, whose demand jumps.
    ConvergenceError
        Where demand does not meet capacities within `max_iterations`; carries the result.
    DataError, NoAvailableAlternativeError
        As `simulate_choices`.

    Notes
    -----
    Prices minimise  sum of V(u - price) + <price, capacity>  over prices of at least 0, where V is the inclusive value
    of the rule: the dual of choosing under `AtMost` capacities. Its gradient is capacity less demand, so that at the
    minimum demand is at most capacity and only full alternatives have a price. Newton steps, of which each needs the J
    sums and J x J derivatives of one pass over blocks, are projected on prices of at least 0. Where all fit in at
    prices of 0, these are exact. Large populations are priced on every k-th block first, which is where the search over
    everybody then starts.

    Where everybody is limited and all places are needed, prices are known up to a constant; the lowest is then 0.

    References
    ----------
    de Palma, Picard & Waddell (2007), "Discrete choice models with capacity constraints", Journal of Urban Economics
    62; Bertsekas (1982), "Projected Newton methods for optimization problems with simple constraints", SIAM Journal on
    Control and Optimization 20.

    Examples
    --------
    >>> people = Population(agents=[1, 2, 3, 4])
    >>> found = price_capacities(ChoiceModel({"walk": "0", "train": "1"}), people, {"train": 1})
    >>> found.demand.round(9).tolist(), found.price.round(6).tolist()
    ([3.0, 1.0], [0.0, 2.098612])
    """
    names = model.alternatives(population)
    limits = read_capacity(capacity, names)
    _check(model, population, limits, names)
    tolerance, most = _settings(tolerance, max_iterations)
    crowd = Crowd(model=model, population=population, workers=workers, seed=check_seed(seed))
    check_room(crowd, limits, names)
    start = crowd.answer(np.zeros(len(names)))
    found = Climb.at(np.zeros(len(names)), start)
    history = [found.gap(limits)]
    if found.gap(limits) > tolerance:
        # where nearly all places are needed, a part of the population may not fit in: then the search starts at 0
        rough = _rough(crowd, limits, start.weight)
        found, steps, status = climb(crowd, limits, rough, tolerance, most)
        history = history + steps if rough.any() else steps  # at 0 the first step repeats the start
    else:
        status = "converged"
    result = CapacityPrices(
        price=found.price,
        demand=found.demand,
        unpriced_demand=start.demand,
        capacity=limits,
        alternatives=names,
        inclusive_value=found.value / start.weight,
        unpriced_inclusive_value=start.value / start.weight,
        history=tuple(history),
        status=status,
        model=model,
        population=population,
    )
    if not result.converged:
        worst = names[int(np.argmax(np.where(np.isfinite(limits), found.off(limits), 0)))]
        raise ConvergenceError(
            f"prices are {status} after {counted(result.n_iterations, 'iteration')}: demand for {worst!r} is off its "
            f"capacity by {history[-1]:.1e} of it; raise tolerance or max_iterations",
            result,
        )
    return result


def _rough(crowd: Crowd, limits: FloatArray, weight: float) -> FloatArray:
    """Return prices from every k-th block, or 0 where there are few rows or the part does not settle."""
    stride = crowd.population.n_rows // _PART
    if stride < 2:
        return np.zeros(len(limits))
    part = replace(crowd, stride=stride)
    present = part.answer(np.zeros(len(limits))).weight
    found, _, status = climb(part, limits * (present / weight), np.zeros(len(limits)), _ROUGH, _ROUGH_STEPS)
    return found.price if status == "converged" else np.zeros(len(limits))


def _check(model: ChoiceModel, population: Population, limits: FloatArray, names: tuple[str, ...]) -> None:
    for rule in model.rules:
        check_rule_fits(rule, population.n_rows)
        if not float(np.min(rule.max_gap(2))) > 0:
            raise InvalidInputError(
                f"prices need a rule with a positive temperature, found {rule!r}: demand that jumps from one number to "
                "another meets no capacity; take a rule such as Softmax(temperature=1.0), or rationing"
            )
    none = [name for name, limit in zip(names, limits, strict=True) if limit == 0]
    if none:
        raise InvalidInputError(
            f"no price is high enough for a capacity of 0, found for {none[0]!r}: make it unavailable instead"
        )
    problems = model.check(population)
    if problems and all(problem.code == NOTHING_AVAILABLE for problem in problems):
        raise NoAvailableAlternativeError("\n".join(str(problem) for problem in problems))
    if problems:
        raise DataError(problems)


def _settings(tolerance: float, max_iterations: int) -> tuple[float, int]:
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float | np.number) or not 0 < tolerance < 1:
        raise InvalidInputError(f"tolerance must be a number between 0 and 1, found {tolerance!r}")
    whole = isinstance(max_iterations, int | np.integer) and not isinstance(max_iterations, bool)
    if not whole or max_iterations < 1:
        raise InvalidInputError(f"max_iterations must be a whole number of at least 1, found {max_iterations!r}")
    return float(tolerance), int(max_iterations)
