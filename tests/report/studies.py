"""Results of small choice studies, and their reports, for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np

from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import ChoiceOutcome
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation, segment_by_edges
from choicekit.choice.simulation import simulate_choices
from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.scenario.result import Check, InputFile, Provenance, StudyResult

HELD = Check(
    name="sum", title="probabilities sum to one", measure="largest gap", value=1e-16, limit=1e-12, relation="<="
)
FAILED = Check(
    name="agrees",
    title="simulated shares agree",
    measure="alternative furthest off",
    value=3e-7,
    limit=1e-4,
    relation=">=",
    unit="p-value",
)

_INPUT = InputFile(
    name="data/trips.csv",
    entry=("agents", "table"),
    path="/somewhere/private/data/trips.csv",
    sha256="ab" * 32,
    rows=840,
)

HOSTILE = (
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "$x$ and \\frac{1}{2}$",
    "🚆 train 🚌",
    "قطار الليل",
    "L" + "o" * 297 + "ng",
    "vertical\x0btab\u202e",
    "\"quoted\" & 'so'",
)

MODES = ("air", "train", "bus", "car")


def travellers(n: int = 210, **arguments: Any) -> Population:
    """Agents with income and a cost and a wait for each mode."""
    rng = np.random.default_rng(12)
    cost = rng.uniform(40, 160, (n, len(MODES)))
    wait = rng.uniform(0, 90, (n, len(MODES)))
    wait[:, 3] = 0
    columns = {"income": rng.uniform(2, 72, n), "cost": cost, "wait": wait}
    chosen = rng.integers(0, len(MODES), n)
    if "availability" in arguments:  # nobody is seen to choose what is not there
        chosen = np.where(arguments["availability"][np.arange(n), chosen], chosen, -1)
    given = {"chosen": chosen} | arguments
    return Population(agents=np.arange(1, n + 1), columns=columns, alternatives=MODES, **given)


def mode_choice(
    *,
    replications: int = 200,
    population: Population | None = None,
    segments: Sequence[Segmentation] | None = None,
    **model: Any,
) -> ChoiceOutcome:
    """Simulate a study like the one of Greene's travel modes."""
    people = travellers() if population is None else population
    utilities = {
        "air": "asc_air + b_cost * cost + b_wait * wait + b_income * income",
        "train": "asc_train + b_cost * cost + b_wait * wait",
        "bus": "asc_bus + b_cost * cost + b_wait * wait",
        "car": "b_cost * cost + b_wait * wait",
    }
    coefficients = {
        "asc_air": 5.2,
        "asc_train": 3.87,
        "asc_bus": 3.16,
        "b_cost": -0.0155,
        "b_wait": -0.0961,
        "b_income": 0.0133,
    }
    if segments is None:
        segments = [segment_by_edges("income", people.columns["income"], [20, 40])]
    made = ChoiceModel(utilities, coefficients, **model)
    return simulate_choices(made, people, seed=7, replications=replications, segments=segments)


def constant_choice(
    utilities: Mapping[str, str],
    *,
    replications: int = 20,
    n: int = 60,
    segments: Sequence[Segmentation] = (),
    **model: Any,
) -> ChoiceOutcome:
    """Simulate agents who differ in one column, x."""
    people = Population(agents=np.arange(n), columns={"x": np.linspace(-1, 1, n)})
    return simulate_choices(
        ChoiceModel(utilities, **model), people, seed=1, replications=replications, segments=segments
    )


def by_thirds(name: str, labels: Sequence[str], n: int = 60) -> Segmentation:
    """Sort agents into as many groups as there are labels, in turn."""
    return Segmentation(name=name, labels=tuple(labels), codes=np.arange(n) % len(labels))


def result_of(outcome: ChoiceOutcome, *, checks: Sequence[Check] = (HELD,), **changes: Any) -> StudyResult:
    """Wrap an outcome as a finished study."""
    scenario = {
        "choicekit": 1,
        "kind": "choice",
        "name": "trips",
        "seed": 7,
        "agents": {"table": "data/trips.csv", "agent": "id"},
        "rule": {"type": "softmax", "temperature": 1.0},
        "segments": {"income": {"column": "income", "edges": [20, 40]}},
        "simulation": {"replications": outcome.replications, "sampling": "auto", "save_choices": False},
    } | changes.pop("scenario", {})
    provenance = Provenance(
        versions={"choicekit": "0.1.0", "python": "3.12.0"},
        inputs=(_INPUT,),
        draw_scheme=1,
        command="choicekit run scenarios/trips.yaml",
        circumstances={"started": "2024-01-01", "workers": 1},
    )
    given = {
        "kind": "choice",
        "name": "trips",
        "title": "Trips between cities",
        "description": "",
        "seed": 7,
        "warnings": (),
        "provenance": provenance,
    } | changes
    return StudyResult(outcome=outcome, checks=tuple(checks), scenario=scenario, **given)


def parse(svg: str) -> ElementTree.Element:
    """Read a drawing as XML; fails where it is not well-formed."""
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


def report_of(outcome: ChoiceOutcome, **changes: Any) -> Report:
    """Build the report of an outcome."""
    return build_report(result_of(outcome, **changes))
