"""What the sections of a detection report are made from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.study import DetectionOutcome, DetectionStudy
from choicekit.report.text import clean
from choicekit.scenario.result import StudyResult

__all__ = ["DetectionView", "RowSet", "row_name", "view_of"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class RowSet:
    """Rows that have the same role.

    Attributes
    ----------
    key, name : str
        In files, and in words.
    rows : ndarray (N,) of bool
    colour : str
    """

    key: str
    name: str
    rows: BoolArray
    colour: str

    @property
    def n(self) -> int:
        """How many there are."""
        return int(np.count_nonzero(self.rows))


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectionView:
    """What the sections of a detection report are made from.

    Attributes
    ----------
    result : StudyResult
    outcome : DetectionOutcome
    sets : tuple of RowSet
        Those that hold any rows.
    """

    result: StudyResult
    outcome: DetectionOutcome
    sets: tuple[RowSet, ...]

    @property
    def study(self) -> DetectionStudy:
        """What was asked."""
        return self.outcome.study

    @property
    def own(self) -> FloatArray:
        """The score whose threshold flags rows, (N,)."""
        return self.outcome.scores[self.study.score]

    @property
    def compares(self) -> bool:
        """Whether there are metrics."""
        return any(not found.note for found in self.outcome.metrics.values())

    @property
    def flagged_in(self) -> BoolArray:
        """Whether rows are flagged, of the in-distribution rows that are judged; empty where that is not known."""
        return self._flagged(ood=False)

    @property
    def flagged_out(self) -> BoolArray:
        """The same of the out-of-distribution rows."""
        return self._flagged(ood=True)

    def _flagged(self, *, ood: bool) -> BoolArray:
        if self.study.is_ood is None:
            return np.zeros(0, dtype=bool)
        return np.asarray(self.outcome.flagged[self.study.is_ood[self.study.test] == ood])


def view_of(result: StudyResult) -> DetectionView:
    """Work out what the sections need."""
    outcome: DetectionOutcome = result.outcome
    study, nothing = outcome.study, np.zeros(len(outcome.study.table), dtype=bool)
    out = nothing if study.is_ood is None else study.is_ood
    training = nothing if study.training_rows is None else study.training_rows
    judged = "judged" if study.is_ood is None else "in-distribution"
    sets = (
        RowSet(key="training", name="training", rows=training, colour="#8C5A2B"),
        RowSet(key="calibration", name="calibration", rows=study.calibration, colour="#009E73"),
        RowSet(key=judged.replace("-", "_"), name=judged, rows=study.test & ~out, colour="#0072B2"),
        RowSet(key="out_of_distribution", name="out-of-distribution", rows=study.test & out, colour="#D55E00"),
    )
    return DetectionView(result=result, outcome=outcome, sets=tuple(one for one in sets if one.n))


def row_name(view: DetectionView, row: int) -> str:
    """Return a row's name, fit to be shown."""
    return clean(str(view.study.table.rows[row]))
