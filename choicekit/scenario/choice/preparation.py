"""Checking a choice scenario beyond its form - names, columns, formulas, data - and building its study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from choicekit.choice.calibration import Calibration
from choicekit.choice.expressions import FUNCTIONS, Expression, parse_expression
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.choice.policies.faults import PolicyContext
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.population import Population
from choicekit.choice.simulation import ChoiceStudy, build_study
from choicekit.choice.tables import Table
from choicekit.errors import ExpressionError, InvalidInputError, Problem
from choicekit.rules import ChoiceRule
from choicekit.scenario.choice.agents import (
    check_columns,
    check_layout,
    is_near,
    population_of,
    table_of_agents,
)
from choicekit.scenario.choice.calibration import calibration_of, check_calibrate
from choicekit.scenario.choice.capacity import CapacityPlan, plan_capacity, priority_column
from choicekit.scenario.choice.comparison import ComparisonRequest, check_request, comparison_of, read_request
from choicekit.scenario.choice.covariance import covariance_of
from choicekit.scenario.choice.detection import detection_columns, plan_detection
from choicekit.scenario.choice.policies import check_policies, context_of, read_policies
from choicekit.scenario.choice.rules import all_alternatives, check_rules, read_rule
from choicekit.scenario.choice.segments import check_segments, segmentations
from choicekit.scenario.choice.situations import SituationPlan
from choicekit.scenario.choice.types import AgentTypes, entry_of, read_types
from choicekit.scenario.document import EntryPath
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.tables import input_files, named_table
from choicekit.scenario.validation import Findings

__all__ = ["ChoicePlan", "prepare_choice"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ChoicePlan:
    """What a choice scenario is to run.

    Attributes
    ----------
    study : ChoiceStudy
        The baseline; with calibrated constants where it is to be calibrated.
    comparison : ComparisonStudy or None
        The same baseline and policies, where there are any.
    calibration : Calibration or None
    detection : SituationPlan or None
        Whether situations are like those of a reference population, where that is asked.
    capacity : CapacityPlan or None
        How many alternatives take, where that is limited.
    """

    study: ChoiceStudy
    comparison: ComparisonStudy | None = None
    calibration: Calibration | None = None
    detection: SituationPlan | None = None
    capacity: CapacityPlan | None = None


def prepare_choice(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
    """Check everything about a choice scenario that its model cannot, and build the study.

    Parameters
    ----------
    blocks, findings, directory
        As `Kind.prepare`.
    """
    agents = blocks.get("agents")
    table = None if agents is None else table_of_agents(agents, blocks.get("segments", {}), findings, directory)
    names = _alternatives(blocks, findings)
    _check_observed(blocks, findings)
    if agents is not None:
        check_layout(agents, findings)
        if table is not None:
            check_columns(agents, table, names, findings)
    known = all_alternatives(blocks, names, findings)
    rule = read_rule(blocks, known, findings)
    types = read_types(blocks, known, findings)
    formulas = [*_formulas(blocks, findings), *types.memberships]
    policies = read_policies(blocks, known, findings)
    covered, covariance = _covariance(blocks, types, findings, directory)
    request = read_request(blocks, policies, covariance, findings)
    context = None
    if table is not None and agents is not None and ("coefficients",) not in findings.removed:
        columns = list(dict.fromkeys([*map(str, table.frame.columns), *agents.attributes]))
        _check_names(formulas, types.coefficients, columns, request.names, findings)
        context = context_of(blocks, types.numbers, names, formulas, columns, findings)
    if context is not None:
        _check_wanted(blocks, request, context, findings)
    if table is not None and "segments" in blocks:
        check_segments(blocks["segments"], table, findings)
    if findings.problems or table is None or agents is None or rule is None:
        return None
    population = _population(blocks, table, names, formulas, request, findings)
    if population is None:
        return None
    model = _model(blocks, rule, types, findings)
    plan = None if model is None else _plan(blocks, findings, population, model, request, checked=context is not None)
    if plan is None:
        return None
    tables: dict[EntryPath, Table | None] = {("agents", "table"): table, ("covariance", "table"): covered}
    if blocks.get("detection") is not None:
        entry: EntryPath = ("detection", "reference", "table")
        columns = [*map(str, table.frame.columns), *agents.attributes]
        detection, tables[entry] = plan_detection(blocks, plan.study, columns, findings, directory)
        if findings.problems:
            return None
        plan = replace(plan, detection=detection)
    if blocks.get("capacity") is not None:
        changes = {} if plan.comparison is None else dict(plan.comparison.policies)
        capacity = plan_capacity(blocks, plan.study, changes, findings)
        if findings.problems:
            return None
        plan = replace(plan, capacity=capacity)
    inputs = input_files(tables)
    return Prepared(study=plan, inputs=tuple(inputs), warnings=tuple(findings.warnings))


def _covariance(
    blocks: Mapping[str, Any], types: AgentTypes, findings: Findings, directory: Path | None
) -> tuple[Table | None, CoefficientCovariance | None]:
    block = blocks.get("covariance")
    if block is None or ("coefficients",) in findings.removed:
        return None, None
    table = None if block.table is None else named_table(("covariance",), block, findings, directory)
    known = [*types.coefficients, *findings.taken_out("coefficients")]
    covariance = covariance_of(block, table, known, findings)
    for name in () if covariance is None else covariance.names:
        if name in types.varying:
            form = next(form for form in ("table", "matrix", "standard_errors") if getattr(block, form) is not None)
            path: EntryPath = ("covariance", form) if form == "table" else ("covariance", form, name)
            message = f"coefficient {name!r} differs among agents, and a covariance is of those that all share"
            findings.add(path, message, "leave it out", of_key=form != "table")
            covariance = None
    return table, covariance


def _check_wanted(
    blocks: Mapping[str, Any], request: ComparisonRequest, context: PolicyContext, findings: Findings
) -> None:
    """Check everything that is wanted beside the baseline for the names it uses."""
    check_policies(request.policies, context, findings)
    check_request(request, context, findings)
    if blocks.get("calibrate") is not None:
        known = {**blocks.get("segments", {}), **dict.fromkeys(findings.taken_out("segments"))}
        check_calibrate(blocks["calibrate"], context, known, findings)


def _alternatives(blocks: Mapping[str, Any], findings: Findings) -> dict[str, str] | None:
    """Names of the alternatives by their labels in the table; checked against the utilities."""
    given, utility = blocks.get("alternatives"), blocks.get("utility")
    written = [*utility, *findings.taken_out("utility")] if isinstance(utility, dict) else []
    if given is None:
        _check_conditions(blocks, written, findings)
        agents = blocks.get("agents")
        named = ("alternatives",) in findings.removed or agents is None or agents.layout == "long"
        if isinstance(utility, str) and not named:
            message = "one formula for all alternatives needs their names"
            findings.add(("utility",), message, "add `alternatives`", of_key=True)
        return {name: name for name in utility} if isinstance(utility, dict) else None
    names = dict(given) if isinstance(given, dict) else {name: name for name in given}
    values = list(given.values()) if isinstance(given, dict) else list(given)
    for place, (key, name) in enumerate(given.items() if isinstance(given, dict) else enumerate(given)):
        if name in values[:place]:
            findings.add(("alternatives", key), f"alternative {name!r} occurs twice", "rename one")
    if isinstance(utility, dict):
        for name in utility:
            if name not in values:
                findings.unknown(("utility", name), "alternative", name, values, of_key=True)
        for name in values:
            if name not in written and not is_near(name, [u for u in written if u not in values]):
                findings.add(("utility",), f"alternative {name!r} has no utility", "add a formula for it", of_key=True)
    _check_conditions(blocks, values, findings)
    return names


def _check_conditions(blocks: Mapping[str, Any], names: list[str], findings: Findings) -> None:
    for name in blocks.get("availability", {}):
        if names and name not in names:
            findings.unknown(("availability", name), "alternative", name, names, of_key=True)


def _check_observed(blocks: Mapping[str, Any], findings: Findings) -> None:
    checks, agents = blocks.get("checks"), blocks.get("agents")
    if checks is None or agents is None or checks.observed_shares is None or agents.chosen is not None:
        return
    if ("agents", "chosen") not in findings.removed:
        message = "the agents have no observed choices to compare with"
        findings.add(("checks", "observed_shares"), message, "name the column `chosen` in agents", of_key=True)


def _formulas(blocks: Mapping[str, Any], findings: Findings) -> Iterator[tuple[EntryPath, Expression]]:
    """Yield every formula that can be read, noting those that cannot."""
    utility = blocks.get("utility")
    entries: list[tuple[EntryPath, str]] = [(("utility",), utility)] if isinstance(utility, str) else []
    for block in ("utility", "availability"):
        if isinstance(blocks.get(block), dict):
            entries += [((block, name), text) for name, text in blocks[block].items()]
    for path, text in entries:
        try:
            yield path, parse_expression(text)
        except ExpressionError as error:
            findings.add_formula(path, error)


def _check_names(
    formulas: list[tuple[EntryPath, Expression]],
    coefficients: Mapping[str, object],
    columns: list[str],
    used_elsewhere: set[str],
    findings: Findings,
) -> None:
    used = used_elsewhere.union(*(formula.names for _, formula in formulas))
    path: EntryPath
    for name in coefficients:
        path = ("coefficients", name)
        if name in columns:
            findings.add(path, f"{name!r} is both a column and a coefficient", "rename one", of_key=True)
        elif name in FUNCTIONS:
            findings.add(path, f"{name!r} is the name of a function", "rename it", of_key=True)
        elif name not in used:
            findings.warn(path, f"coefficient {name!r} is used by no formula")
    known = {*columns, *coefficients, *findings.taken_out("coefficients")}
    for path, formula in formulas:
        for error in formula.check(known):
            findings.add_formula(path, error)


def _population(
    blocks: Mapping[str, Any],
    table: Table,
    names: dict[str, str] | None,
    formulas: list[tuple[EntryPath, Expression]],
    request: ComparisonRequest,
    findings: Findings,
) -> Population | None:
    """Build the population with the columns that formulas, segments and policies use."""
    used = request.names.union(*(formula.names for _, formula in formulas)) - set(blocks["coefficients"])
    used |= (
        {segment.column for segment in blocks["segments"].values()}
        | detection_columns(blocks)
        | priority_column(blocks)
    )
    return population_of(blocks["agents"], table, names, used, findings)


def _model(blocks: Mapping[str, Any], rule: ChoiceRule, types: AgentTypes, findings: Findings) -> ChoiceModel | None:
    try:
        return ChoiceModel(
            utilities=blocks["utility"],
            coefficients=types.coefficients,
            rule=rule,
            availability=blocks["availability"],
            on_no_alternative=blocks["on_no_alternative"],
            random_covariance=types.covariance,
            classes=types.classes,
            integration=types.integration,
        )
    except InvalidInputError as error:  # of coefficients and rules together
        findings.add(("coefficients",), str(error), of_key=True)
        return None


def _among(model: ChoiceModel, alternatives: Sequence[str]) -> ChoiceModel:
    """Return a model whose rules know these alternatives only."""
    classes = {
        name: kind if kind.rule is None else replace(kind, rule=kind.rule.among(alternatives))
        for name, kind in model.classes.items()
    }
    return replace(model, rule=model.rule.among(alternatives), classes=classes)


def _plan(
    blocks: Mapping[str, Any],
    findings: Findings,
    population: Population,
    model: ChoiceModel,
    request: ComparisonRequest,
    *,
    checked: bool,
) -> ChoicePlan | None:
    """Build what is to be run; `checked` says whether the names that are wanted could be checked before."""
    whole, alternatives = model, model.alternatives(population)
    if not checked:
        check_rules(blocks, {**dict.fromkeys(alternatives), **_added(request)}, findings)
    model = _among(whole, alternatives)
    segments = list(segmentations(blocks["segments"], population, findings))
    findings.problems.extend(_placed(problem, blocks, findings) for problem in model.check(population))
    if findings.problems:
        return None
    context = PolicyContext.of(model, population, blocks["simulation"].sampling)
    if checked:  # only what the data tell is new
        check_policies(request.policies, context, replace(findings, warnings=[]))
    else:
        _check_wanted(blocks, request, context, findings)
    calibration = None
    if blocks["calibrate"] is not None:
        calibration = calibration_of(blocks["calibrate"], model, population, segments, blocks["seed"], findings)
        if calibration is not None:
            model, population = calibration.model, calibration.population
    if findings.problems:
        return None
    comparison = None
    if request.policies:
        # policies may add alternatives: with a place for them in the baseline, too, welfare stays on one scale
        with_all = replace(model, rule=whole.rule, classes=whole.classes)
        comparison = comparison_of(request, with_all, population, segments, blocks, findings)
        if comparison is None:
            return None
    simulation = blocks["simulation"]
    study = build_study(
        model,
        population,
        seed=blocks["seed"],
        replications=simulation.replications,
        sampling=simulation.sampling,
        segments=segments,
    )
    return ChoicePlan(study=study, comparison=comparison, calibration=calibration)


def _added(request: ComparisonRequest) -> dict[str, str]:
    """Alternatives that policies add, each with one that does."""
    return {name: policy for policy, given in request.policies.items() for name in given.add}


def _placed(problem: Problem, blocks: Mapping[str, Any], findings: Findings) -> Problem:
    """Give a problem of an entry its place in the scenario; one of a table has its place already."""
    if problem.file:
        return problem
    path = findings.written(entry_of(problem.path, blocks))
    place = findings.document.offset_position(path, problem.offset or 0)
    return replace(problem, file=place.file, line=place.line, column=place.column)
