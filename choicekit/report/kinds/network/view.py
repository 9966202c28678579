"""What the sections of a network report are made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.networks.study import NetworkOutcome, NetworkStudy
from choicekit.report.text import clean, singular
from choicekit.scenario.result import StudyResult

__all__ = ["NetworkView", "records", "view_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkView:
    """What the sections of a network report are made from.

    Attributes
    ----------
    result : StudyResult
    outcome : NetworkOutcome
    rows, columns, visits : str
        What they are called.
    counts : ndarray (n, m)
        As they were seen, of all sites together; expected ones without a web.
    expected, neutral : ndarray (n, m)
        With preferences, and by shares of species alone.
    row_order, column_order : ndarray of int
        The most visited first, the same in all figures.
    """

    result: StudyResult
    outcome: NetworkOutcome
    rows: str
    columns: str
    visits: str
    counts: FloatArray
    expected: FloatArray
    neutral: FloatArray
    row_order: IntArray
    column_order: IntArray

    @property
    def study(self) -> NetworkStudy:
        """What was asked."""
        return self.outcome.study

    @property
    def row(self) -> str:
        """What one species of rows is called."""
        return singular(self.rows)

    @property
    def column(self) -> str:
        """What one species of columns is called."""
        return singular(self.columns)

    @property
    def row_names(self) -> tuple[str, ...]:
        """Names of rows, fit to be shown."""
        return tuple(clean(name) for name in self.study.row_names)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of columns, fit to be shown."""
        return tuple(clean(name) for name in self.study.column_names)

    def side(self, side: str) -> str:
        """Return what a side is called, of ``row`` or ``column``."""
        return self.rows if side == "row" else self.columns


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """Yield the rows of a table, columns as attributes."""
    yield from frame.itertuples()


def view_of(result: StudyResult) -> NetworkView:
    """Work out what the sections need."""
    outcome: NetworkOutcome = result.outcome
    labels = result.scenario.get("labels") or {}
    expected, pooled = outcome.community.expected, outcome.study.pooled
    counts = expected if pooled is None else pooled
    neutral = outcome.community.total * np.outer(expected.sum(axis=1), expected.sum(axis=0)) / expected.sum() ** 2
    return NetworkView(
        result=result,
        outcome=outcome,
        rows=clean(labels.get("rows", "rows")),
        columns=clean(labels.get("columns", "columns")),
        visits=clean(labels.get("visits", "visits")),
        counts=counts,
        expected=expected,
        neutral=neutral,
        row_order=np.argsort(-counts.sum(axis=1), kind="stable"),
        column_order=np.argsort(-counts.sum(axis=0), kind="stable"),
    )
