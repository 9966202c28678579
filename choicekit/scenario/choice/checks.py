"""What must hold for the result of a choice study to be trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from choicekit.choice.outcome import ChoiceOutcome
from choicekit.choice.policies.comparison import PolicyComparison
from choicekit.choice.policies.policy_outcome import PolicyOutcome
from choicekit.scenario.choice.blocks import ChecksBlock
from choicekit.scenario.result import Check

__all__ = ["checks_of", "policy_checks"]

SUM_TOLERANCE = 1e-12  # rounding of a sum of at most a few thousand probabilities


def checks_of(outcome: ChoiceOutcome, specification: Any) -> Iterator[Check]:
    """Yield the checks of a simulated baseline.

    Parameters
    ----------
    outcome : ChoiceOutcome
    specification : ChoiceBlock
        Its limits, and what it says about agents with nothing available.
    """
    yield Check(
        name="probabilities_sum_to_one",
        title="probabilities sum to one",
        measure="largest gap over all rows",
        value=float(outcome.tally.largest_gap),
        limit=SUM_TOLERANCE,
        relation="<=",
    )
    yield Check(
        name="simulated_agrees_with_expected",
        title="simulated shares agree with expected",
        measure="p-value of the alternative furthest off",
        value=outcome.agreement,
        limit=specification.checks.agreement,
        relation=">=",
        unit="p-value",
    )
    yield _availability_check(outcome, specification.on_no_alternative)
    yield from _checks_asked_for(outcome, specification.checks)


def _availability_check(outcome: ChoiceOutcome, on_no_alternative: str) -> Check:
    if on_no_alternative == "error":
        return Check(
            name="nothing_available",
            title="everybody has something to choose",
            measure="rows with nothing available",
            value=float(outcome.n_idle),
            limit=0.0,
            relation="<=",
            unit="rows",
        )
    return Check(
        name="somebody_chooses",
        title="somebody has something to choose",
        measure="rows with something available",
        value=float(outcome.n_rows - outcome.n_idle),
        limit=1.0,
        relation=">=",
        unit="rows",
    )


def _checks_asked_for(outcome: ChoiceOutcome, limits: ChecksBlock) -> Iterator[Check]:
    if limits.half_width is not None:
        yield Check(
            name="half_width",
            title="simulated shares are precise enough",
            measure="widest 95 % half-width, share",
            value=float(outcome.estimate_by_group().half_width[0].max()),
            limit=limits.half_width,
            relation="<=",
            unit="share",
        )
    if limits.observed_shares is not None:
        gap = np.abs(outcome.expected_by_group() - outcome.observed_by_group())[0]
        yield Check(
            name="observed_shares",
            title="expected shares meet the observed ones",
            measure="largest distance, share",
            value=float(gap.max()) if outcome.has_observed else np.nan,
            limit=limits.observed_shares,
            relation="<=",
            unit="share",
        )


# --- policies -------------------------------------------------------------------------------------------------------


def policy_checks(comparison: PolicyComparison, agreement: float) -> Iterator[Check]:
    """Yield the checks of policies against their baseline.

    Parameters
    ----------
    comparison : PolicyComparison
    agreement : float
        Least probability of simulated changes as far from the expected ones as found.
    """
    yield Check(
        name="changes_agree_with_expected",
        title="simulated changes of shares agree with expected",
        measure="p-value of the policy and alternative furthest off",
        value=comparison.agreement,
        limit=agreement,
        relation=">=",
        unit="p-value",
    )
    untouched = {name: _untouched(outcome, comparison) for name, outcome in comparison.policies.items()}
    if any(len(places) > 1 for places in untouched.values()):
        yield Check(
            name="no_needless_switches",
            title="nobody switches between alternatives that a policy leaves alone",
            measure="such switches under all policies, mean of a replication",
            value=sum(_switches(comparison.policies[name], places) for name, places in untouched.items()),
            limit=0.0,
            relation="<=",
            unit="rows",
        )


def _untouched(outcome: PolicyOutcome, comparison: PolicyComparison) -> list[int]:
    """Places of the alternatives whose utility and availability a policy leaves as they are, for every agent.

    With coherent draws under one rule nobody switches between two of them: who prefers one to the other under the
    policy did so before. Otherwise nothing is known, and none are returned.
    """
    baseline, population = comparison.study.baseline, comparison.study.population
    if {outcome.sampling, baseline.sampler.sampling} != {"coherent"} or outcome.model.rules != baseline.model.rules:
        return []
    before, after = ((model.formulas(population), model.conditions) for model in (baseline.model, outcome.model))
    moved = {
        name for name, value in outcome.model.coefficients.items() if baseline.model.coefficients.get(name) != value
    } | (set(baseline.model.varying) ^ set(outcome.model.varying))
    return [
        place
        for place, name in enumerate(comparison.alternatives)
        if name in before[0]
        and all(old.get(name) == new.get(name) for old, new in zip(before, after, strict=True))
        and not any(moved & formulas[name].names for formulas in after if name in formulas)
    ]


def _switches(outcome: PolicyOutcome, places: list[int]) -> float:
    """Rows that switch between some alternatives, mean of a replication."""
    table = outcome.switching[0][np.ix_(places, places)]
    return float(table[~np.eye(len(places), dtype=bool)].sum())
