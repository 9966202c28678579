"""What must hold for the result of a matching study to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from choicekit.matching.measures import MEASURES
from choicekit.matching.study import MatchingOutcome
from choicekit.scenario.result import Check

__all__ = ["checks_of"]

STABLE = ("deferred_acceptance", "deferred_acceptance_by_columns")
_BETTER = 1e-9  # of welfare, relative: rounding


def checks_of(outcome: MatchingOutcome) -> Iterator[Check]:
    """Yield the checks of a matching study.

    Parameters
    ----------
    outcome : MatchingOutcome
    """
    compared, names = outcome.comparison, [*MEASURES]
    over = [
        compared.filled[case][..., [compared.columns.index(str(market.column(j))) for j in range(market.shape[1])]]
        - market.seats
        for case, market in enumerate(compared.markets.values())
    ]
    yield Check(
        name="capacities_met",
        title="no column has more rows than it takes",
        measure="most rows above capacity, in any draw",
        value=float(max(each.max() for each in over)),
        limit=0.0,
        relation="<=",
    )
    stable = [compared.mechanisms.index(name) for name in STABLE if name in compared.mechanisms]
    if stable:
        blocking = compared.values[:, stable][..., names.index("blocking_pairs")]
        yield Check(
            name="stable",
            title="deferred acceptance is stable",
            measure="blocking pairs, looked up pair by pair, most of any draw",
            value=float(blocking.max()),
            limit=0.0,
            relation="<=",
        )
    if "optimal" in compared.mechanisms:
        welfare = compared.values[..., names.index("welfare")]
        best = welfare[:, [compared.mechanisms.index("optimal")]]
        yield Check(
            name="optimal_is_best",
            title="no mechanism has more welfare than the optimal one",
            measure="largest lead in welfare by row, over its size",
            value=float(np.max((welfare - best) / np.maximum(np.abs(best), 1.0))),
            limit=_BETTER,
            relation="<=",
        )
    yield Check(
        name="everybody_counted",
        title="everybody is matched or counted as not",
        measure="largest difference between rows and those placed or not, in any draw",
        value=_uncounted(outcome),
        limit=1e-9,
        relation="<=",
    )


def _uncounted(outcome: MatchingOutcome) -> float:
    compared, n = outcome.comparison, outcome.study.market.shape[0]
    alone = compared.values[..., [*MEASURES].index("unassigned")] * n
    return float(np.abs(compared.filled.sum(axis=-1) + alone - n).max())
