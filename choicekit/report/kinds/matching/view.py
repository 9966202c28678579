"""What the sections of a matching report are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.matching.comparison import MechanismComparison, quantile, standard_error
from choicekit.matching.measures import MEASURES
from choicekit.matching.study import MatchingOutcome, MatchingStudy
from choicekit.report.text import clean
from choicekit.scenario.result import StudyResult

__all__ = ["NAMES", "Estimate", "MatchingView", "view_of"]

FloatArray = npt.NDArray[np.float64]

NAMES = {
    "deferred_acceptance": "deferred acceptance",
    "deferred_acceptance_by_columns": "deferred, {columns} propose",
    "immediate_acceptance": "immediate acceptance",
    "serial_dictatorship": "serial dictatorship",
    "optimal": "optimal assignment",
    "entropic": "entropic assignment",
}
"""Mechanisms in words."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean over draws with its 95 % interval."""

    mean: float
    lower: float
    upper: float

    @property
    def half(self) -> float:
        """Half the width of the interval."""
        return (self.upper - self.lower) / 2

    @property
    def sure(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.lower > 0 or self.upper < 0


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingView:
    """What the sections of a matching report are made from.

    Attributes
    ----------
    result : StudyResult
    outcome : MatchingOutcome
    row, rows, column, columns, group : str
        Words of the scenario.
    """

    result: StudyResult
    outcome: MatchingOutcome
    row: str
    rows: str
    column: str
    columns: str
    group: str

    @property
    def study(self) -> MatchingStudy:
        """What was asked."""
        return self.outcome.study

    @property
    def compared(self) -> MechanismComparison:
        """What was found."""
        return self.outcome.comparison

    @property
    def two_sided(self) -> bool:
        """Whether columns have a say."""
        return self.study.market.column_utility is not None

    def name(self, mechanism: str) -> str:
        """Return a mechanism in words."""
        return NAMES[mechanism].format(columns=self.columns)

    def values(self, measure: str) -> FloatArray:
        """Return a measure by market, mechanism and draw."""
        return self.compared.values[..., [*MEASURES].index(measure)]

    def estimate(self, measure: str, mechanism: str, case: int = 0) -> Estimate:
        """Return the mean of a measure over draws."""
        return self.of(self.values(measure)[case, self.compared.mechanisms.index(mechanism)])

    def change(self, measure: str, mechanism: str, case: int) -> Estimate:
        """Return what a policy changes, on the same draws."""
        place = self.compared.mechanisms.index(mechanism)
        values = self.values(measure)
        return self.of(values[case, place] - values[0, place])

    def difference(self, measure: str, mechanism: str, other: str) -> Estimate:
        """Return how far a mechanism is above another, on the same draws."""
        one, two = (self.compared.mechanisms.index(name) for name in (mechanism, other))
        values = self.values(measure)[0]
        return self.of(values[one] - values[two])

    def of(self, values: FloatArray) -> Estimate:
        """Return the mean over draws (R,)."""
        mean = float(values.mean())
        half = quantile(self.compared.replications) * float(standard_error(values, axis=0))
        return Estimate(mean=mean, lower=mean - half, upper=mean + half)


def view_of(result: StudyResult) -> MatchingView:
    """Work out what the sections need."""
    labels = result.scenario.get("labels") or {}
    words = {key: clean(labels.get(key, key)) for key in ("row", "rows", "column", "columns", "group")}
    return MatchingView(result=result, outcome=result.outcome, **words)
