"""What a tour found, in sentences, whichever stations it has."""

from __future__ import annotations

import math

from choicekit.report.content import Fact
from choicekit.report.kinds.tour.shown import number
from choicekit.report.numbers import count, described, fixed, percent
from choicekit.report.verdict import failure
from choicekit.scenario.result import StudyResult
from choicekit.tour import Tour
from choicekit.tour.argmax import ArgmaxStation
from choicekit.tour.convergence import ConvergenceStation
from choicekit.tour.energy import EnergyStation
from choicekit.tour.side_by_side import RulesStation
from choicekit.tour.two_samplings import TwoSamplingsStation

__all__ = ["facts", "lead", "title"]


def title(result: StudyResult) -> str:
    """State the finding; where a claim failed, that is the finding."""
    if not result.passed:
        return failure(result.checks)
    tour: Tour = result.outcome
    held = f"{described(len(result.checks), 'claims')} at {described(len(tour.stations), 'stations')}"
    for station in tour.stations:
        if isinstance(station, ArgmaxStation):
            return (
                f"A maximum of {number(station.maximum)} softens to {fixed(station.inclusive_value, 4)}, and all "
                f"{held} hold"
            )
    return f"All {held} hold" if len(result.checks) > 1 else f"The {held} holds"


def lead(tour: Tour) -> str:
    """Say what a choice rule is and what the stations found, in a paragraph that can be quoted."""
    sentences = [
        "A choice rule is a regularised maximum: its value is a maximum softened by a temperature, its gradient the "
        "probabilities of choosing. Everything below is computed from that idea in this run, and every statement that "
        "can be wrong is checked."
    ]
    return " ".join(sentences + [sentence for station in tour.stations for sentence in _found(station)])


def facts(result: StudyResult) -> tuple[Fact, ...]:
    """Sizes and seed for the strip below the lead."""
    tour: Tour = result.outcome
    printed = sum(len(entry.printed) for station in tour.stations for entry in station.published)
    found = [
        Fact(name="stations", value=count(len(tour.stations))),
        Fact(name="claims checked", value=count(len(result.checks))),
    ]
    if printed:
        found.append(Fact(name="printed numbers met", value=_met(tour, printed)))
    for station in tour.stations:
        if isinstance(station, ConvergenceStation):
            found.append(Fact(name="Gumbel-max draws", value=count(int(station.draws[-1]) * station.replications)))
        if isinstance(station, RulesStation):
            found.append(Fact(name="rules", value=count(len(station.rows))))
    return *found, Fact(name="seed", value=str(result.seed))


def _met(tour: Tour, printed: int) -> str:
    met = sum(len(entry.printed) for station in tour.stations for entry in station.published if entry.claim().holds)
    return f"all {count(printed)}" if met == printed else f"{count(met)} of {count(printed)}"


def _found(station: object) -> list[str]:
    """Say in a sentence what a station found; nothing of those that say it better in pictures."""
    if isinstance(station, ArgmaxStation):
        best = percent(float(station.probabilities[station.best]), 2)
        return [f"Where the argmax gives everything to the best alternative, softmax leaves it {best}."]
    if isinstance(station, ConvergenceStation) and math.isfinite(station.slope):
        return [
            f"{count(int(station.draws[-1]))} draws meet the probabilities within "
            f"{number(float(station.mean_errors[-1].mean()), 2)} on average, on a line of slope "
            f"{fixed(station.slope, 2)}."
        ]
    if isinstance(station, RulesStation):
        shares = [float(row.probabilities.max()) for row in station.rows]
        return [
            f"The same utilities through {described(len(station.rows), 'rules')} give the favourite from "
            f"{percent(min(shares))} to {percent(max(shares))}."
        ]
    if isinstance(station, TwoSamplingsStation):
        return [
            f"Improving one alternative moves {count(station.needless_coherent)} agents needlessly under coherent "
            f"draws and {count(station.needless_inverse)} of {count(station.n_agents)} under inverse ones."
        ]
    if isinstance(station, EnergyStation):
        apart = number(abs(float(station.energy[1] - station.energy[0])), 6)
        return [f"Two situations with the same probabilities have energies {apart} apart."]
    return []
