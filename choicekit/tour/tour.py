"""The tour: its stations, one after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from choicekit.execution import Progress
from choicekit.execution.passes import silent
from choicekit.tour.argmax import visit_argmax
from choicekit.tour.bounds import visit_bounds
from choicekit.tour.claims import Claim, Station
from choicekit.tour.convergence import visit_convergence
from choicekit.tour.energy import visit_energy
from choicekit.tour.inner_product import visit_inner_product
from choicekit.tour.plan import TourPlan
from choicekit.tour.ratios import visit_ratios
from choicekit.tour.relaxation import visit_relaxation
from choicekit.tour.side_by_side import visit_rules
from choicekit.tour.surfaces import visit_surfaces
from choicekit.tour.temperature import visit_temperature
from choicekit.tour.two_samplings import visit_two_samplings

__all__ = ["Tour", "run_tour"]

EXTENT = 4.0  # of the surfaces


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tour:
    """A tour that has been made.

    Attributes
    ----------
    seed : int
    stations : tuple of Station
        In the order of the plan.
    """

    seed: int
    stations: tuple[Station, ...]

    def __contains__(self, name: object) -> bool:
        return any(station.name == name for station in self.stations)

    def __repr__(self) -> str:
        held = sum(claim.holds for claim in self.checks)
        return f"Tour({len(self.stations)} stations, {held} of {len(self.checks)} claims hold)"

    def station(self, name: str) -> Any:
        """Return a station by its name, of its own class.

        Raises
        ------
        KeyError
            Where the tour does not stop there.
        """
        for station in self.stations:
            if station.name == name:
                return station
        raise KeyError(name)

    @property
    def checks(self) -> tuple[Claim, ...]:
        """The claims of all stations, their names led by that of the station."""
        return tuple(
            replace(claim, name=f"{station.name.replace('-', '_')}_{claim.name}")
            for station in self.stations
            for claim in station.checks
        )

    @property
    def passed(self) -> bool:
        """Whether every claim holds."""
        return all(station.passed for station in self.stations)


def run_tour(plan: TourPlan, *, workers: int = 1, progress: Progress = silent) -> Tour:
    """Visit every station of a plan.

    Parameters
    ----------
    plan : TourPlan
    workers : int
        Threads; the result does not depend on their number.
    progress : Progress
        Told how far the draws of the station ``"convergence"`` have come.

    Returns
    -------
    Tour

    Examples
    --------
    >>> tour = run_tour(TourPlan(seed=1, stations=["argmax", "energy"]))
    >>> tour
    Tour(2 stations, 10 of 10 claims hold)
    >>> tour.station("argmax").probabilities.round(4).tolist()
    [0.0009, 0.0025, 0.0, 0.0067, 0.99]
    """
    visits = _visits(plan, workers, progress)
    return Tour(seed=plan.seed, stations=tuple(visits[name]() for name in plan.stations))


def _visits(plan: TourPlan, workers: int, progress: Progress) -> dict[str, Callable[[], Station]]:
    seed, row = plan.seed, plan.row
    return {
        "argmax": lambda: visit_argmax(row("argmax")),
        "inner-product": lambda: visit_inner_product(row("inner-product")),
        "surfaces": lambda: visit_surfaces(EXTENT),
        "bounds": lambda: visit_bounds(row("bounds"), seed=seed),
        "temperature": lambda: visit_temperature(row("temperature"), np.array(plan.temperatures, dtype=np.float64)),
        "ratios": lambda: visit_ratios(row("ratios")),
        "gumbel-softmax": lambda: visit_relaxation(
            row("gumbel-softmax"),
            np.array(plan.relaxation_temperatures, dtype=np.float64),
            plan.samples,
            seed=seed,
        ),
        "convergence": lambda: visit_convergence(
            row("convergence"),
            np.array(plan.draws, dtype=np.int64),
            plan.replications,
            seed=seed,
            workers=workers,
            progress=progress,
        ),
        "rules": lambda: visit_rules(row("rules"), plan.alternatives("rules"), plan.rules),
        "two-samplings": lambda: visit_two_samplings(
            row("two-samplings"),
            plan.alternatives("two-samplings"),
            plan.agents,
            improved=plan.improved_position(),
            lift=plan.lift,
            seed=seed,
        ),
        "energy": lambda: visit_energy(row("energy"), plan.shift),
    }
