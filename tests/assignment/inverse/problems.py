"""Assignments with known coefficients, under every sort of conditions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from choicekit.assignment import (
    AssignmentResult,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
)
from choicekit.assignment.inverse.observations import Observations
from choicekit.random import Draws, Stage

N_ROWS, N_COLUMNS = 5, 4
NAMES = ("likeness", "distance", "size")
TRUE = np.array([1.0, -0.5, 0.7])
_words = {"rows": np.arange(3 * N_ROWS, dtype=np.uint64), "alternatives": np.arange(N_COLUMNS, dtype=np.uint64)}
BASIS = (2.0 * Draws(seed=5, stage=Stage.SYNTHETIC, **_words).uniforms(0) - 1.0).reshape(3, N_ROWS, N_COLUMNS)
ROW_MASS = np.array([0.5, 0.9, 0.4, 1.1, 0.7])
COLUMN_MASS = np.array([1.2, 0.6, 0.8, 1.0])  # the same total as of the rows


@dataclass(frozen=True)
class Sides:
    """Conditions to fit under; None for observed sums."""

    name: str
    rows: MarginalCondition | None
    columns: MarginalCondition | None
    reference: str = "counting"

    def __str__(self) -> str:
        return self.name.replace(" ", "-")

    def solved(self, coefficients: np.ndarray) -> AssignmentResult:
        return solve_assignment(
            np.tensordot(coefficients, BASIS, axes=1),
            Fixed(ROW_MASS) if self.rows is None else self.rows,
            Fixed(COLUMN_MASS) if self.columns is None else self.columns,
            temperature=1.0,
            reference=self.reference,
            total_mass=3.6 if isinstance(self.rows, Free) and isinstance(self.columns, Free) else None,
            tolerance=1e-12,
        )

    @property
    def arguments(self) -> dict:
        return {"rows": self.rows, "columns": self.columns, "reference": self.reference}


OBSERVED = Sides("observed", None, None)
FIXED = Sides("fixed", Fixed(ROW_MASS), Fixed(COLUMN_MASS))
CHOO_SIOW = Sides("outside outside", WithOutsideOption(ROW_MASS), WithOutsideOption(COLUMN_MASS))
OBSERVED_AND_FIXED = Sides("observed fixed", None, Fixed(COLUMN_MASS))
SIDES = (
    OBSERVED,
    FIXED,
    CHOO_SIOW,
    OBSERVED_AND_FIXED,
    Sides("observed outside", None, WithOutsideOption(2 * COLUMN_MASS)),
    Sides("fixed free", Fixed(ROW_MASS), Free()),
    Sides("free free", Free(), Free()),
    Sides("fixed at most", Fixed(0.5 * ROW_MASS), AtMost(0.6 * COLUMN_MASS)),
    Sides("outside free", WithOutsideOption(ROW_MASS), Free()),
    Sides("outside at most", WithOutsideOption(ROW_MASS), AtMost(0.4 * COLUMN_MASS)),
    Sides("at most at most", AtMost(ROW_MASS), AtMost(0.7 * COLUMN_MASS)),
    Sides("relaxed relaxed", Relaxed(ROW_MASS, 1.0), Relaxed(COLUMN_MASS, 2.0)),
    Sides("outside outside product", WithOutsideOption(ROW_MASS), WithOutsideOption(COLUMN_MASS), "product"),
    Sides("relaxed outside product", Relaxed(ROW_MASS, 0.5), WithOutsideOption(COLUMN_MASS), "product"),
)


def disturbed(observations: Observations) -> Observations:
    """Matches that no coefficients explain, and at most as many as there were."""
    factors = 0.7 + 0.3 * np.random.default_rng(3).random(observations.outcomes.size)
    return observations.with_outcomes(observations.outcomes * factors, None)
