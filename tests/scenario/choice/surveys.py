"""Small tables of people and scenarios that judge their situations, for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from choicekit import run_scenario
from choicekit.scenario.result import StudyResult

HEAD = "choicekit: 1\nkind: choice\nname: trips\nseed: 1\n"


def write_people(folder: Path, name: str = "people.csv", n: int = 60, shift: float = 0.0, header: str = "") -> Path:
    """Write people with a year, a town and two costs; people of other files are others."""
    rng = np.random.default_rng(len(name))
    lines = [header or "id,year,town,bus_cost,car_cost"]
    for place in range(n):
        cost = rng.normal(3 + shift, 1, 2)
        lines.append(f"{name[0]}{place},{2020 + place % 2},{'ab'[place % 3 == 0]},{cost[0]:.4f},{cost[1]:.4f}")
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def scenario(detection: str, more: str = "") -> str:
    """Return a scenario whose `detection:` stands on line 9."""
    return (
        f"{HEAD}agents: {{table: people.csv, agent: id, attributes: {{cost: {{bus: bus_cost, car: car_cost}}}}}}\n"
        f"coefficients: {{b: -1}}\nutility: {{bus: b * cost, car: b * cost + 0.5}}\nsimulation: {{replications: 5}}\n"
        f"detection: {detection}\n{more}"
    )


def write_trips(folder: Path, name: str = "trips.csv", without_rail: int = 3) -> Path:
    """Write a long table: two trips each of 40 people, of whom some, such as the fourth, know no rail."""
    rng = np.random.default_rng(len(name))
    lines = ["id,trip,mode,cost"]
    for person in range(40):
        for trip in range(2):
            for mode in ("bus", "car", "rail"):
                if mode == "bus" or mode == "car" or person % 7 != without_rail:
                    lines.append(f"{name[0]}{person},{trip},{mode},{rng.normal(3, 1):.4f}")
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def trips_scenario(detection: str) -> str:
    """Return a scenario of trips in a long table."""
    return (
        f"{HEAD}agents: {{table: trips.csv, layout: long, agent: id, situation: trip, alternative: mode,"
        f" missing_rows: unavailable}}\ncoefficients: {{b: -1}}\nutility: b * cost\nsimulation: {{replications: 5}}\n"
        f"detection: {detection}\n"
    )


def run(folder: Path, text: str) -> StudyResult:
    """Run a scenario that stands in a folder with its tables."""
    path = folder / "s.yaml"
    path.write_text(text)
    return run_scenario(path)
