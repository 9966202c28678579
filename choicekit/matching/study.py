"""A matching study: a market and what policies make of it, by every mechanism, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.counting import counted
from choicekit.execution import Progress
from choicekit.execution.passes import silent
from choicekit.matching.comparison import BASELINE, MechanismComparison, compare_mechanisms, plan_of
from choicekit.matching.market import MatchingMarket
from choicekit.matching.matching import Matching
from choicekit.matching.mechanisms import Ties

__all__ = ["MatchingOutcome", "MatchingStudy", "run_matching"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MatchingStudy:
    """What is asked.

    Attributes
    ----------
    market : MatchingMarket
        With systematic utilities.
    policies : mapping of str to MatchingMarket
    mechanisms : tuple of str
    draws : int
    row_taste, column_taste, temperature : float
    ties : {"single", "multiple"}
    groups : tuple of str or None
        Label of each row.
    seed : int
    """

    market: MatchingMarket
    mechanisms: tuple[str, ...]
    draws: int
    row_taste: float
    column_taste: float
    temperature: float
    ties: Ties
    groups: tuple[str, ...] | None
    seed: int
    policies: Mapping[str, MatchingMarket] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"MatchingStudy({self.market!r}, {counted(len(self.mechanisms), 'mechanism')}, seed {self.seed})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MatchingOutcome:
    """What came out.

    Attributes
    ----------
    study : MatchingStudy
    comparison : MechanismComparison
    examples : mapping of str to Matching
        The matching of each mechanism in the first draw of the baseline, with the tastes of that draw.
    """

    study: MatchingStudy
    comparison: MechanismComparison
    examples: Mapping[str, Matching]

    def __repr__(self) -> str:
        return f"MatchingOutcome({self.comparison!r})"


def run_matching(study: MatchingStudy, *, workers: int = 1, progress: Progress = silent) -> MatchingOutcome:
    """Match by every mechanism in every market, draw by draw.

    Parameters
    ----------
    study : MatchingStudy
    workers : int
        Threads; the result does not depend on their number.
    progress : callable

    Returns
    -------
    MatchingOutcome

    Examples
    --------
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]], column_utility=[[1.0, 2.0], [2.0, 1.0]])
    >>> study = MatchingStudy(
    ...     market=market, mechanisms=("optimal",), draws=2, row_taste=1.0, column_taste=0.0, temperature=1.0,
    ...     ties="single", groups=None, seed=1,
    ... )
    >>> run_matching(study).comparison
    MechanismComparison(1 mechanism, 1 market, 2 rows, 2 draws, seed 1)
    """
    settings: dict[str, Any] = {
        "seed": study.seed,
        "mechanisms": study.mechanisms,
        "row_taste": study.row_taste,
        "column_taste": study.column_taste,
        "temperature": study.temperature,
        "ties": study.ties,
        "groups": study.groups,
        "policies": study.policies,
    }
    comparison = compare_mechanisms(
        study.market, replications=study.draws, workers=workers, progress=progress, **settings
    )
    plan = plan_of(study.market, **settings)
    realised = plan.realised(plan.markets[BASELINE], 0)
    examples = {name: plan.match(name, realised, 0) for name in plan.mechanisms}
    return MatchingOutcome(study=study, comparison=comparison, examples=examples)
