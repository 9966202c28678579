"""Comparing policies in a choice scenario: what they are worth and to whom, checked and made ready to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from choicekit.choice.checking import condition_problems
from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.applying import apply_policy, rows_kept
from choicekit.choice.policies.building import build_comparison
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.choice.policies.faults import PolicyContext
from choicekit.choice.policies.policy import Policy
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.policies.trust import money_problems, warnings_before
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation
from choicekit.choice.tables import number_of_each
from choicekit.errors import ExpressionError, InvalidInputError, Problem
from choicekit.scenario.choice.policies import names_in_policies
from choicekit.scenario.choice.policy_blocks import UncertaintyBlock
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show

__all__ = ["ComparisonRequest", "check_request", "comparison_of", "read_request"]

_ONLY_FOR_POLICIES = ("welfare", "elasticities", "covariance", "uncertainty")


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonRequest:
    """What is to be compared, as far as it could be read.

    Attributes
    ----------
    policies : mapping of str to Policy
    money : Expression or None
        Minus it is the marginal utility of money.
    elasticities : tuple of str or None
        Attributes; None for those that policies change.
    covariance : CoefficientCovariance or None
    uncertainty : UncertaintyBlock
    """

    policies: Mapping[str, Policy]
    money: Expression | None
    elasticities: tuple[str, ...] | None
    covariance: CoefficientCovariance | None
    uncertainty: UncertaintyBlock

    @property
    def names(self) -> set[str]:
        """Columns and coefficients that it uses."""
        money = set() if self.money is None else set(self.money.names)
        return names_in_policies(self.policies) | money | set(self.elasticities or ())


def read_request(
    blocks: Mapping[str, Any],
    policies: Mapping[str, Policy],
    covariance: CoefficientCovariance | None,
    findings: Findings,
) -> ComparisonRequest:
    """Gather what is to be compared, noting what cannot be read and what is given for nothing."""
    welfare, elasticities = blocks.get("welfare"), blocks.get("elasticities")
    if not policies and not any(path[0] == "policies" for path in findings.removed):
        for name in _ONLY_FOR_POLICIES:
            if blocks.get(name) is not None:
                findings.warn((name,), f"`{name}` is used where policies are compared, and there are none")
    money = None
    if welfare is not None:
        try:
            money = parse_expression(welfare.money)
        except ExpressionError as error:
            findings.add_formula(("welfare", "money"), error)
    return ComparisonRequest(
        policies=policies,
        money=money,
        elasticities=None if elasticities is None else tuple(elasticities),
        covariance=covariance,
        uncertainty=blocks.get("uncertainty") or UncertaintyBlock(),
    )


def check_request(request: ComparisonRequest, context: PolicyContext, findings: Findings) -> None:
    """Note names in money and elasticities that are unknown or of another sort than is needed."""
    path: EntryPath = ("welfare", "money")
    if request.money is not None:
        for error in request.money.check(context.names):
            findings.add_formula(path, error)
        if request.money.names <= context.names and not request.money.names & context.coefficients.keys():
            message = f"money must name the coefficient of cost, found {show(request.money.text)}"
            findings.add(path, message, f"coefficients are {', '.join(context.coefficients) or 'none'}")
    _check_elasticities(request.elasticities or (), context, findings)


def _check_elasticities(names: Sequence[str], context: PolicyContext, findings: Findings) -> None:
    """Note attributes that are none, or none in a utility of the baseline: its shares are what answers to them."""
    used = {name for formula in context.formulas.values() for name in formula.names}.intersection(context.columns)
    read = all(name in context.formulas for name in context.alternatives)
    for place, name in enumerate(names):
        path: EntryPath = ("elasticities", place)
        if name in context.coefficients:
            findings.add(path, f"{name!r} is a coefficient", "elasticities are those to attributes: name a column")
        elif name not in context.columns:
            findings.unknown(path, "attribute", name, sorted(used))
        elif read and name not in used:
            hint = f"attributes in use are {', '.join(sorted(used)) or 'none'}"
            findings.add(path, f"no utility of the baseline uses {name!r}", hint)
        if name in names[:place]:
            findings.add(path, f"attribute {name!r} occurs twice", "drop one of them")


def comparison_of(
    request: ComparisonRequest,
    model: ChoiceModel,
    population: Population,
    segments: Sequence[Segmentation],
    blocks: Mapping[str, Any],
    findings: Findings,
) -> ComparisonStudy | None:
    """Build the comparison of policies, whose names have been checked; None where the data keep it from being run.

    Parameters
    ----------
    request : ComparisonRequest
    model : ChoiceModel
        The baseline.
    population : Population
    segments : sequence of Segmentation
    blocks : mapping
        For the seed and the settings of the simulation.
    findings : Findings
        Where it is noted that a policy leaves nobody, meets bad cells, makes utilities nan or leaves an agent with
        nothing available, and that money is worth nothing to somebody.
    """
    before = len(findings.problems)
    seen: set[Problem] = set()
    for name, policy in request.policies.items():
        _try_policy(name, policy, model, population, seen, findings)
    _check_numbers(request.elasticities or (), population, findings)
    if request.money is not None:
        _check_money(request.money, model, population, findings)
    if len(findings.problems) > before:
        return None
    try:
        study = _built(request, model, population, segments, blocks)
    except InvalidInputError as error:  # of what only model and policies together show
        findings.add(("policies",), str(error), of_key=True)
        return None
    _check_cases(study, seen, findings)
    for problem in money_problems(study):
        findings.add(("welfare", "money"), problem)
    for warning in warnings_before(study):
        findings.warn(_place_of(warning), warning)
    return study if len(findings.problems) == before else None


def _built(
    request: ComparisonRequest,
    model: ChoiceModel,
    population: Population,
    segments: Sequence[Segmentation],
    blocks: Mapping[str, Any],
) -> ComparisonStudy:
    return build_comparison(
        model,
        population,
        request.policies,
        seed=blocks["seed"],
        replications=blocks["simulation"].replications,
        sampling=blocks["simulation"].sampling,
        segments=segments,
        money=None if request.money is None else request.money.text,
        elasticities=request.elasticities,
        covariance=request.covariance,
        bootstrap=request.uncertainty.bootstrap,
        parameter_draws=request.uncertainty.parameter_draws,
    )


def _place_of(warning: str) -> EntryPath:
    """Entry that a warning is about."""
    if "sampling" in warning:
        return ("simulation", "sampling")
    name = warning.partition(" ")[0]
    return ("uncertainty", name) if name in UncertaintyBlock.model_fields else ("policies",)


def _try_policy(
    name: str,
    policy: Policy,
    model: ChoiceModel,
    population: Population,
    seen: set[Problem],
    findings: Findings,
) -> None:
    path: EntryPath = ("policies", name)
    try:
        apply_policy(policy, model, population)
    except ExpressionError as error:  # of a formula nobody has written: the changes stand in the utility
        findings.add(path, f"under policy {name!r}: {error.message}", error.hint, of_key=True)
    bad = condition_problems(parse_expression(policy.filter), population, model.coefficients) if policy.filter else []
    _note_cells(bad, f"in the filter of policy {name!r}", seen, findings)
    if bad:
        return
    try:
        rows_kept(policy, model, population)
    except ExpressionError as error:
        findings.add_formula((*path, "filter"), error)
    except InvalidInputError as error:
        findings.add((*path, "filter"), f"under policy {name!r}: {error}", "choose another condition")


def _note_cells(problems: Sequence[Problem], where: str, seen: set[Problem], findings: Findings) -> None:
    """Note bad cells at their place in the table; one that several policies need is noted once."""
    for problem in problems:
        if problem not in seen:
            seen.add(problem)
            findings.problems.append(replace(problem, message=f"{where}: {problem.message}"))


def _check_numbers(names: Sequence[str], population: Population, findings: Findings) -> None:
    """Note attributes that are not all numbers: there is no percent of a text."""
    for place, name in enumerate(names):
        values = population.columns[name]
        if values.dtype.kind not in "biuf":
            cells = values.ravel()
            text = str(cells[number_of_each(cells)[1].argmax()])
            message = f"elasticities are those to numbers, and {name!r} holds text such as {show(text)}"
            findings.add(("elasticities", place), message, "name a column of numbers only")


def _check_money(money: Expression, model: ChoiceModel, population: Population, findings: Findings) -> None:
    """Note where money is not a number for each agent; whether it is worth something is seen later."""
    path: EntryPath = ("welfare", "money")
    columns = {name: population.columns[name] for name in sorted(money.names & population.columns.keys())}
    differs = next((name for name, values in columns.items() if values.ndim == 2), None)
    if differs is not None:
        message = f"money must be the same for every alternative, but {differs!r} differs by alternative"
        findings.add(path, message, "use coefficients and attributes of agents")
        return
    try:
        money.evaluate({**columns, **{name: model.coefficients[name] for name in money.names - columns.keys()}})
    except ExpressionError as error:
        findings.add_formula(path, error)


def _check_cases(study: ComparisonStudy, seen: set[Problem], findings: Findings) -> None:
    """Note what keeps each policy from being simulated."""
    for case in study.cases[1:]:
        for problem in case.model.check(study.population, case.kept):
            message = f"under policy {case.name!r}: {problem.message}"
            if problem.file:
                _note_cells([problem], f"under policy {case.name!r}", seen, findings)
            else:
                path, of = _entry_of(problem, case.name, study.policies[case.name])
                place = findings.document.problem(findings.written(path), message, problem.hint, of)
                findings.problems.append(replace(place, excerpt=problem.excerpt, code=problem.code, more=problem.more))


def _entry_of(problem: Problem, name: str, policy: Policy) -> tuple[EntryPath, Literal["key", "value"]]:
    """Return the entry of a policy that a problem of its model comes from: a formula, or what changes one."""
    path: EntryPath = ("policies", name)
    what, _, alternative = problem.path.partition(".")
    if what == "availability" and alternative in policy.availability:
        return (*path, "availability", alternative), "value"
    if alternative in policy.add:
        written = what in {"utility", "availability"} and getattr(policy.add[alternative], what)
        return ((*path, "add", alternative, what), "value") if written else ((*path, "add", alternative), "key")
    return ((*path, "change", alternative) if alternative in policy.change else path), "key"
