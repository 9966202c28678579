"""`capacity:` in a choice scenario: who fits in where, by prices and by rationing, under every policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from choicekit.choice.calibration.crowd import Crowd
from choicekit.choice.capacity import CapacityPrices, RationedChoices, price_capacities, ration_choices
from choicekit.choice.capacity.incidence import PriceIncidence, price_incidence
from choicekit.choice.capacity.limits import check_room, read_capacity
from choicekit.choice.capacity.rationing import priority_of
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies import Policy
from choicekit.choice.policies.applying import apply_policy
from choicekit.choice.policies.cases import BASELINE
from choicekit.choice.simulation import ChoiceStudy
from choicekit.errors import ChoicekitError, InvalidInputError
from choicekit.execution import Progress
from choicekit.scenario.document import EntryPath
from choicekit.scenario.result import Check
from choicekit.scenario.validation import Findings

__all__ = [
    "CapacityCase",
    "CapacityOutcome",
    "CapacityPlan",
    "capacity_checks",
    "plan_capacity",
    "priority_column",
    "run_capacity",
]

_TOLERANCE = 1e-9  # of demand, relative to capacity


@dataclass(frozen=True, kw_only=True, eq=False)
class CapacityPlan:
    """What is to be made to fit in.

    Attributes
    ----------
    study : ChoiceStudy
        The baseline.
    models : mapping of str to ChoiceModel
        By case, the baseline first.
    limits : mapping of str to (mapping of str to float)
        By case and alternative.
    regimes : tuple of str
    priority : str or None
    money : float or None
        Money that one unit of utility is worth.
    unit : str or None
        What a unit of money is called.
    """

    study: ChoiceStudy
    models: Mapping[str, ChoiceModel]
    limits: Mapping[str, Mapping[str, float]]
    regimes: tuple[str, ...]
    priority: str | None
    money: float | None
    unit: str | None


@dataclass(frozen=True, kw_only=True, eq=False)
class CapacityCase:
    """What became of one case; None where a regime was not asked for.

    `inclusive_value` is the mean of those who choose if everybody fitted in, in units of utility.
    """

    inclusive_value: float
    prices: CapacityPrices | None
    incidence: PriceIncidence | None
    rationed: RationedChoices | None


@dataclass(frozen=True, kw_only=True, eq=False)
class CapacityOutcome:
    """What became of every case, the baseline first."""

    plan: CapacityPlan
    cases: Mapping[str, CapacityCase]


def plan_capacity(
    blocks: Mapping[str, Any], study: ChoiceStudy, policies: Mapping[str, Policy], findings: Findings
) -> CapacityPlan | None:
    """Check the block; None, and the faults noted, where it cannot be.

    Parameters
    ----------
    blocks : mapping
    study : ChoiceStudy
        The baseline.
    policies : mapping of str to Policy
    findings : Findings
    """
    block, before = blocks["capacity"], len(findings.problems)
    for name in block.policies:
        if name not in policies:
            findings.unknown(("capacity", "policies", name), "policy", name, [*policies], of_key=True)
    for name, policy in policies.items():
        if policy.filter:
            said = "a policy for some of the population cannot be compared where places are limited for all"
            findings.add(("policies", name, "filter"), said, "use where(...) in `change`")
    _check_priority(block, study, findings)
    if len(findings.problems) > before:
        return None
    models = {BASELINE: study.model}
    models |= {name: apply_policy(policy, study.model, study.population) for name, policy in policies.items()}
    limits = {name: {**block.limits, **block.policies.get(name, {})} for name in models}
    for name, model in models.items():
        own = name in block.policies
        if name != BASELINE and not own and len(findings.problems) > before:
            continue  # the baseline's limits, which are wrong already
        path: EntryPath = ("capacity", "policies", name) if own else ("capacity", "limits")
        _check_case(path, name, model, limits[name], block.regimes, study, findings)
    if len(findings.problems) > before:
        return None
    # a policy that changes nothing else changes how many fit in
    needless = tuple(f"policy {name!r} changes nothing" for name in block.policies)
    findings.warnings[:] = [warning for warning in findings.warnings if not warning.endswith(needless)]
    return CapacityPlan(
        study=study,
        models=models,
        limits=limits,
        regimes=tuple(dict.fromkeys(block.regimes)),
        priority=block.priority,
        money=_money(blocks, study.model),
        unit=None if blocks.get("welfare") is None else blocks["welfare"].unit,
    )


def priority_column(blocks: Mapping[str, Any]) -> set[str]:
    """Return the column of the agents' table that the block names."""
    block = blocks.get("capacity")
    return set() if block is None or block.priority is None else {block.priority}


def _check_priority(block: Any, study: ChoiceStudy, findings: Findings) -> None:
    if block.priority is None:
        return
    if block.priority not in study.population.columns:
        findings.unknown(("capacity", "priority"), "column", block.priority, [*study.population.columns])
        return
    try:
        priority_of(study.population, block.priority)
    except InvalidInputError as error:
        findings.add(("capacity", "priority"), str(error))


def _check_case(
    path: EntryPath,
    name: str,
    model: ChoiceModel,
    limits: Mapping[str, float],
    regimes: list[str],
    study: ChoiceStudy,
    findings: Findings,
) -> None:
    """Note alternatives that are not there, and limits in which not all fit."""
    alternatives = model.alternatives(study.population)
    unknown = [alternative for alternative in limits if alternative not in alternatives]
    for alternative in unknown:
        if (*path, alternative) not in findings.document.key_positions:
            continue  # the baseline's limits name it, and are told of it
        findings.unknown((*path, alternative), "alternative", alternative, alternatives, of_key=True)
    if unknown:
        return
    where = "" if name == BASELINE else f"under policy {name!r}: "
    closed = [alternative for alternative, limit in limits.items() if limit == 0]
    if closed and "prices" in regimes:
        said = f"{where}no price is high enough for a capacity of 0"
        findings.add((*path, closed[0]), said, "make it unavailable, or take `regimes: [rationing]`")
        return
    try:
        if "prices" in regimes and not all(float(np.min(rule.max_gap(2))) > 0 for rule in model.rules):
            findings.add(("capacity",), f"{where}prices need a rule with a positive temperature", of_key=True)
        check_room(Crowd(model=model, population=study.population), read_capacity(limits, alternatives), alternatives)
    except ChoicekitError as error:
        findings.add(path, f"{where}{error}", of_key=True)
    if "rationing" in regimes and study.sampler.sampling != "coherent":
        said = "rationing lets agents choose again under the same draws, which need to be coherent"
        hint = "take `sampling: coherent` with a rule that has such draws, or `regimes: [prices]`"
        if not any(problem.path == "capacity.regimes" for problem in findings.problems):
            findings.add(("capacity", "regimes"), said, hint)


def _money(blocks: Mapping[str, Any], model: ChoiceModel) -> float | None:
    """Return what a unit of utility is worth in money; None where that is not one number for all."""
    welfare = blocks.get("welfare")
    if welfare is None or welfare.money not in model.coefficients or welfare.money in model.random_coefficients:
        return None
    value = model.coefficients[welfare.money]
    return None if not value < 0 else -1.0 / value


def run_capacity(plan: CapacityPlan, *, workers: int, progress: Progress) -> CapacityOutcome:
    """Price and ration every case."""
    study, cases = plan.study, {}
    for name, model in plan.models.items():
        prices = incidence = rationed = None
        if "prices" in plan.regimes:
            prices = price_capacities(
                model, study.population, plan.limits[name], tolerance=_TOLERANCE, workers=workers,
                seed=study.sampler.seed,
            )  # fmt: skip
            incidence = price_incidence(prices, segments=study.segments, workers=workers, seed=study.sampler.seed)
        if "rationing" in plan.regimes:
            rationed = ration_choices(
                model, study.population, plan.limits[name], seed=study.sampler.seed, replications=study.replications,
                priority=plan.priority, segments=study.segments, workers=workers, progress=progress,
            )  # fmt: skip
        cases[name] = CapacityCase(
            inclusive_value=_inclusive_value(model, study, workers), prices=prices, incidence=incidence,
            rationed=rationed,
        )  # fmt: skip
    return CapacityOutcome(plan=plan, cases=cases)


def _inclusive_value(model: ChoiceModel, study: ChoiceStudy, workers: int) -> float:
    crowd = Crowd(model=model, population=study.population, workers=workers, seed=study.sampler.seed)
    free = crowd.answer(np.zeros(len(model.alternatives(study.population))))
    return free.value / free.weight if free.weight > 0 else float("nan")


def capacity_checks(outcome: CapacityOutcome) -> Iterator[Check]:
    """Yield the checks of limits."""
    priced = [case.prices for case in outcome.cases.values() if case.prices is not None]
    rationed = [case.rationed for case in outcome.cases.values() if case.rationed is not None]
    if priced:
        yield Check(
            name="prices_clear",
            title="at the prices, demand meets capacity",
            measure="largest distance of expected demand from capacity, relative to it, in any case",
            value=max(found.history[-1] for found in priced),
            limit=_TOLERANCE,
            relation="<=",
        )
    if rationed:
        excess = [
            float(
                (found.taken / np.where(found.capacity > 0, found.capacity, 1.0)).max(
                    initial=0.0, where=found.capacity < np.inf
                )
            )
            for found in rationed
        ]
        yield Check(
            name="rationing_fits",
            title="rationing gives no alternative more than it takes",
            measure="largest number taken over capacity, in any draw and case",
            value=max(excess),
            limit=1.0 + _TOLERANCE,
            relation="<=",
        )
