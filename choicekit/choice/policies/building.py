"""Building a comparison: policies read and checked, models made, everything put on one axis of alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.checking import OUTSIDE_OPTION
from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.heterogeneity.types import AgentTypes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import groups_of
from choicekit.choice.policies.applying import apply_policy, rows_kept
from choicekit.choice.policies.cases import BASELINE, Case
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.choice.policies.faults import PolicyContext, faults_of
from choicekit.choice.policies.policy import Policy, policy_from
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.population import Population
from choicekit.choice.sampling import Sampler, check_rule_fits, common_sampling
from choicekit.choice.segments import Segmentation
from choicekit.choice.simulation import segmentations_of
from choicekit.errors import ExpressionError, InvalidInputError
from choicekit.random import alternative_words, check_seed, row_words
from choicekit.suggestions import suggest

__all__ = ["MOST_UNASKED", "build_comparison"]

MOST_UNASKED = 30
"""Most alternatives for which elasticities are worked out unasked: the work grows with the square of their number."""


def build_comparison(
    model: ChoiceModel,
    population: Population,
    policies: Mapping[str, Policy | Mapping[str, Any]],
    *,
    seed: int,
    replications: int,
    sampling: str,
    segments: Sequence[Segmentation | str] = (),
    money: str | None = None,
    elasticities: Sequence[str] | None = None,
    covariance: CoefficientCovariance | pd.DataFrame | None = None,
    bootstrap: int = 500,
    parameter_draws: int = 500,
) -> ComparisonStudy:
    """Put a comparison together; see `compare_policies` for arguments and errors. Cells are not looked at."""
    _check_kinds(model, population)
    counts = {"replications": (replications, 1), "bootstrap": (bootstrap, 0), "parameter_draws": (parameter_draws, 0)}
    for name, (given, least) in counts.items():
        _check_count(name, given, least)
    chosen, warnings = _policies(policies, model, population, sampling)
    models = {name: _named(name, apply_policy, policy, model, population) for name, policy in chosen.items()}
    alternatives = _common_axis(model, models, population)
    kept = {name: _named(name, rows_kept, policy, model, population) for name, policy in chosen.items()}
    types = AgentTypes(model=model, population=population, seed=check_seed(seed))
    cases = [_case(BASELINE, model, None, alternatives, types, sampling)]
    cases += [_case(name, models[name], kept[name], alternatives, types, sampling) for name in chosen]
    segmentations = segmentations_of(segments, population)
    return ComparisonStudy(
        alternatives=alternatives,
        cases=tuple(cases),
        policies=MappingProxyType(chosen),
        population=population,
        segments=segmentations,
        groups=groups_of(segmentations),
        seed=check_seed(seed),
        replications=int(replications),
        money=None if money is None else _money(money, model, population),
        attributes=_attributes(elasticities, chosen, model, population),
        covariance=_covariance(covariance, model),
        bootstrap=int(bootstrap),
        parameter_draws=int(parameter_draws),
        warnings=warnings,
    )


def _check_kinds(model: object, population: object) -> None:
    for what, given, wanted in (("model", model, ChoiceModel), ("population", population, Population)):
        if not isinstance(given, wanted):
            raise InvalidInputError(f"{what} must be a {wanted.__name__}, found {type(given).__name__}")


def _check_count(name: str, given: object, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise InvalidInputError(f"{name} must be a whole number of at least {least}, found {given!r}")


def _policies(
    given: Mapping[str, Policy | Mapping[str, Any]], model: ChoiceModel, population: Population, sampling: str
) -> tuple[dict[str, Policy], tuple[str, ...]]:
    """Read policies and refuse those that name what there is not, all faults at once; return warnings, too."""
    if not isinstance(given, Mapping) or not given:
        raise InvalidInputError(f"policies must be a mapping of at least one policy by name, found {given!r}")
    policies = {str(name): _named(str(name), policy_from, str(name), policy) for name, policy in given.items()}
    if BASELINE in policies:
        raise InvalidInputError(f"a policy cannot be called {BASELINE!r}: that is what policies are compared with")
    context = PolicyContext.of(model, population, sampling)
    faults = [(name, fault) for name, policy in policies.items() for fault in faults_of(policy, context)]
    wrong = [f"policy {name!r}: {fault}" for name, fault in faults if not fault.warning]
    if wrong:
        raise InvalidInputError("\n".join(wrong))
    return policies, tuple(f"policy {name!r}: {fault}" for name, fault in faults)


def _named(name: str, function: Any, *arguments: Any) -> Any:
    """Call a function for a policy; what it refuses names the policy."""
    try:
        return function(*arguments)
    except (InvalidInputError, ExpressionError) as error:
        told = str(error).removeprefix(f"policy {name!r} ")
        raise InvalidInputError(f"policy {name!r}: {told}") from error


def _common_axis(model: ChoiceModel, models: Mapping[str, ChoiceModel], population: Population) -> tuple[str, ...]:
    names = [name for each in (model, *models.values()) for name in each.alternatives(population)]
    outside = [OUTSIDE_OPTION] if model.on_no_alternative == "outside" else []
    return tuple(dict.fromkeys([*names, *outside]))


def _case(
    name: str,
    model: ChoiceModel,
    kept: npt.NDArray[np.bool_] | None,
    alternatives: tuple[str, ...],
    types: AgentTypes,
    sampling: str,
) -> Case:
    population = types.population
    for rule in model.rules:
        check_rule_fits(rule, population.n_rows)
    rules = tuple(rule.for_alternatives(alternatives) for rule in model.rules)
    own = [*model.alternatives(population), *([OUTSIDE_OPTION] if model.on_no_alternative == "outside" else [])]
    return Case(
        name=name,
        model=model,
        population=population,
        places=np.array([alternatives.index(alternative) for alternative in own], dtype=np.int64),
        n_alternatives=len(alternatives),
        sampler=Sampler(
            rule=rules[0],
            seed=types.seed,
            rows=row_words(population.agents, population.situations),
            alternatives=alternative_words(list(alternatives)),
            sampling=common_sampling(model.rules, sampling),
        ),
        rules=rules,
        types=types,
        kept=kept,
    )


def _money(text: str, model: ChoiceModel, population: Population) -> Expression:
    """Read the formula of the cost coefficient: over coefficients and attributes of agents."""
    formula = parse_expression(text)
    for error in formula.check({*model.coefficients, *population.columns}):
        raise InvalidInputError(f"money names what there is not: {error}") from error
    for name in sorted(formula.names - model.coefficients.keys()):
        if population.columns[name].ndim == 2:
            raise InvalidInputError(
                f"money needs coefficients and attributes of agents, but {name!r} differs by alternative"
            )
    return formula


def _attributes(
    wanted: Sequence[str] | None, policies: Mapping[str, Policy], model: ChoiceModel, population: Population
) -> tuple[str, ...]:
    names = {name for formula in model.formulas(population).values() for name in formula.names}
    numbers = {name for name, values in population.columns.items() if values.dtype.kind in "biuf"}
    used = (names & numbers) - model.coefficients.keys()
    if wanted is None and len(model.alternatives(population)) > MOST_UNASKED:
        return ()
    if wanted is None:
        changed = [name for policy in policies.values() for name in _changed_attributes(policy)]
        return tuple(name for name in dict.fromkeys(changed) if name in used)
    if isinstance(wanted, str):
        raise InvalidInputError(f"elasticities must be a list of attributes, found {wanted!r}: give [{wanted!r}]")
    for name in wanted:
        if name not in used:
            hint = suggest(str(name), used) or f"there are {', '.join(sorted(used)) or 'none'}"
            raise InvalidInputError(f"elasticities name {name!r}, which is no number in a utility, {hint}")
    return tuple(dict.fromkeys(wanted))


def _changed_attributes(policy: Policy) -> Iterator[str]:
    yield from policy.attributes
    for changes in policy.change.values():
        yield from changes


def _covariance(given: CoefficientCovariance | pd.DataFrame | None, model: ChoiceModel) -> CoefficientCovariance | None:
    if isinstance(given, pd.DataFrame):
        given = CoefficientCovariance.from_frame(given)
    if given is not None:
        if not isinstance(given, CoefficientCovariance):
            raise InvalidInputError(
                f"covariance must be a CoefficientCovariance, or a table with names on both axes, found {given!r}"
            )
        given.draw(model.coefficients, seed=0, replication=0)  # refuses names of no coefficient
        for name in given.names:
            if name in model.varying:
                what = "random" if name in model.random_names else "another in some class"
                raise InvalidInputError(
                    f"the covariance of the estimates names {name!r}, which is {what}: it covers coefficients that are "
                    "one number for all agents, so leave its row and column out"
                )
    return given
