"""What must hold for the result of a detection study to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from choicekit.detection.study import DetectionOutcome
from choicekit.scenario.result import Check

__all__ = ["LEAST_PROBABILITY", "checks_of"]

LEAST_PROBABILITY = 1e-4
"""Of flagging so many in-distribution rows where these are like the calibration rows, or none of them."""


def checks_of(outcome: DetectionOutcome) -> Iterator[Check]:
    """Yield the checks of a detection study.

    Parameters
    ----------
    outcome : DetectionOutcome
    """
    wrong = sum(int(np.count_nonzero(~np.isfinite(scores))) for scores in outcome.scores.values())
    yield Check(
        name="scores_finite",
        title="every row has a score",
        measure="scores that are not finite",
        value=float(wrong),
        limit=0.0,
        relation="<=",
        unit="rows",
    )
    if outcome.study.is_ood is not None:
        yield from _rate(outcome)
    if outcome.training is not None:
        yield Check(
            name="training_converged",
            title="both heads are at their optimum",
            measure="1 if the optimiser says so, else 0",
            value=float(outcome.training.converged),
            limit=1.0,
            relation=">=",
        )
    found = outcome.monitoring
    if found is not None and found.limit is not None:
        yield Check(
            name="flagged_share",
            title="no more rows are flagged than the limit allows",
            measure="share of the rows that the saved detector flags",
            value=found.share,
            limit=found.limit,
            relation="<=",
            unit="share",
        )


def _rate(outcome: DetectionOutcome) -> Iterator[Check]:
    """Yield whether so many in-distribution test rows may be flagged where they are like the calibration rows."""
    from scipy.stats import betabinom

    study = outcome.study
    known = ~study.is_ood[study.test] if study.is_ood is not None else np.zeros(0, dtype=bool)
    n = int(known.sum())
    if n == 0:
        return
    law = betabinom(n, *outcome.threshold.beta)
    count = int(outcome.flagged[known].sum())
    yield Check(
        name="rate_as_promised",
        title="in-distribution rows are flagged no more often than the threshold promises",
        measure=f"probability of {count:,} or more of {n:,} where they are like the calibration rows",
        value=float(law.sf(count - 1)),
        limit=LEAST_PROBABILITY,
        relation=">=",
        unit="p-value",
    )
