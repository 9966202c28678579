"""Small markets with names, under every pair of conditions."""

from __future__ import annotations

from typing import Any

import numpy as np

from choicekit.assignment import AssignmentProblem, AtMost, Fixed, Free, Relaxed, WithOutsideOption

CONDITIONS: dict[str, Any] = {
    "fixed": lambda mass: Fixed(mass),
    "at_most": lambda mass: AtMost(mass * np.resize([2.0, 0.7, 3.0], mass.size)),
    "relaxed": lambda mass: Relaxed(mass, 0.7),
    "free": lambda mass: Free(),
    "outside": lambda mass: WithOutsideOption(1.5 * mass),
}
PAIRS = [(rows, columns) for rows in CONDITIONS for columns in CONDITIONS]


def market(
    rows: str = "fixed", columns: str = "fixed", *, seed: int = 0, temperature: float = 0.8, zero: bool = False,
    forbidden: bool = False, **more: Any,
) -> AssignmentProblem:  # fmt: skip
    """Four rows r0 ... and three columns c0 ..., of total mass 2; with a place of mass 0, or two forbidden pairs."""
    random = np.random.default_rng(seed)
    utility, masses = random.normal(size=(4, 3)), [random.uniform(0.3, 1.0, size) for size in (4, 3)]
    if forbidden:
        utility[0, 0] = utility[2, 1] = -np.inf
    if zero:
        masses[0][3] = masses[1][2] = 0.0
    conditions = [CONDITIONS[kind](2.0 * mass / mass.sum()) for kind, mass in zip((rows, columns), masses, strict=True)]
    return AssignmentProblem(
        utility=utility,
        rows=conditions[0],
        columns=conditions[1],
        temperature=temperature,
        row_names=("r0", "r1", "r2", "r3"),
        column_names=("c0", "c1", "c2"),
        **more,
    )
