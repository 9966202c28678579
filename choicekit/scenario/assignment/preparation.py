"""Checking an assignment scenario beyond its form - names, tables, formulas, masses - and building its study."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment import AssignmentProblem
from choicekit.assignment.cross_check import why_inexpressible
from choicekit.assignment.policies import AssignmentPolicy
from choicekit.assignment.study import AssignmentStudy, FitSettings
from choicekit.assignment.support import usable_pairs
from choicekit.choice.expressions import Expression
from choicekit.choice.tables import Table
from choicekit.errors import InfeasibleMassError, InvalidInputError
from choicekit.rules import RegularisedRule, Softmax, Sparsemax
from choicekit.scenario.assignment.blocks import CrossCheckBlock
from choicekit.scenario.assignment.fit import check_basis, fit_settings
from choicekit.scenario.assignment.formulas import PairInputs, check_coefficients, pair_values, read_formula
from choicekit.scenario.assignment.pairs import read_pairs
from choicekit.scenario.assignment.policies import Baseline, read_policy
from choicekit.scenario.assignment.sides import Side, condition_of, read_side
from choicekit.scenario.document import EntryPath
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.nests import is_cut
from choicekit.scenario.tables import input_files
from choicekit.scenario.validation import Findings

__all__ = ["in_yaml", "prepare_assignment"]

FloatArray = npt.NDArray[np.float64]

_IN_YAML = {
    "AtMost": "at_most",
    "Fixed": "fixed",
    "Free": "free",
    "Relaxed": "relaxed",
    "WithOutsideOption": "with_outside_option",
    "scale_masses=True": "`scale_masses: true`",
    "Softmax()": "softmax",
    "Sparsemax()": "sparsemax",
}
_RULES: Mapping[str, RegularisedRule] = {"softmax": Softmax(), "sparsemax": Sparsemax()}
_PROBLEM = (
    "rows", "columns", "coefficients", "pairs", "utility", "forbidden", "temperature", "rule", "reference",
    "total_mass", "scale_masses",
)  # fmt: skip
_IN_ORDER = (
    "new_rows", "new_columns", "row_mass", "column_mass", "move_row_mass", "move_column_mass", "utility_shifts",
    "temperature",
)  # fmt: skip
_WORD = re.compile("|".join(map(re.escape, _IN_YAML)))
_SIDE = re.compile(r"\b(rows|columns)\b")


def prepare_assignment(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
    """Check everything about an assignment scenario that its model cannot, and build the study.

    Parameters
    ----------
    blocks, findings, directory
        As `Kind.prepare`.
    """
    before = len(findings.problems)
    sides = {
        key: read_side(key, blocks[key], findings, directory) if key in blocks else None for key in ("rows", "columns")
    }
    rows, columns = sides["rows"], sides["columns"]
    _check_settings(blocks, findings)
    if rows is None or columns is None:
        return None
    tables: dict[EntryPath, Table | None] = {(side.key, "table"): side.table for side in (rows, columns)}
    inputs = _inputs(blocks, rows, columns, tables, findings, directory)
    formula, utility = _utility(blocks, inputs, tables, findings, directory)
    _check_coefficients(blocks, inputs, formula, findings)
    sound = len(findings.problems) == before and _is_whole(blocks, findings)
    problem = None if utility is None or not sound else _problem(blocks, inputs, utility, findings)
    policies = _policies(blocks, Baseline(inputs=inputs, formula=formula, utility=utility), problem, findings)
    fit = None if blocks.get("fit") is None else fit_settings(blocks, inputs, findings)
    if problem is not None and fit is not None:
        check_basis(problem, fit, findings)
    if findings.problems or problem is None:
        return None
    _warn_of_cross_check(blocks, problem, findings)
    study = _study(blocks, problem, policies, fit)
    return Prepared(study=study, inputs=tuple(input_files(tables)), warnings=tuple(findings.warnings))


def _warn_of_cross_check(blocks: Mapping[str, Any], problem: AssignmentProblem, findings: Findings) -> None:
    reason = "" if blocks["cross_check"] is None else why_inexpressible(problem)
    if reason:
        said = f"nothing will come of `cross_check`, since POT cannot express this problem: {in_yaml(reason)}"
        findings.warn(("cross_check",), said)


def _is_whole(blocks: Mapping[str, Any], findings: Findings) -> bool:
    """Whether everything that makes the baseline's problem could be read."""
    return all(name in blocks and not is_cut((name,), findings) for name in _PROBLEM)


# --- what formulas may use ------------------------------------------------------------------------------------------


def _inputs(
    blocks: Mapping[str, Any],
    rows: Side,
    columns: Side,
    tables: dict[EntryPath, Table | None],
    findings: Findings,
    directory: Path | None,
) -> PairInputs:
    pairs: dict[str, FloatArray] = {}
    for name, block in blocks.get("pairs", {}).items():
        values, table = read_pairs(("pairs", name), block, rows, columns, findings, directory)
        tables["pairs", name, "table"] = table
        if values is not None:
            pairs[name] = values
    coefficients = blocks.get("coefficients", {})
    unread = {name for block in ("coefficients", "pairs") for name in _written((block,), findings)}
    for side in (rows, columns):
        unread |= {f"{side.one}_{name}" for name in _written((side.key, "attributes"), findings) - {*side.attributes}}
    return PairInputs(
        rows=rows,
        columns=columns,
        pairs=pairs,
        coefficients=coefficients,
        unread=frozenset(unread - {*coefficients, *pairs}),
    )


def _written(path: EntryPath, findings: Findings) -> set[str]:
    """Return the keys of a mapping as the file has them, readable or not."""
    given: Any = findings.document.values
    for step in findings.written(path):
        given = given.get(step) if isinstance(given, Mapping) else None
    return set(given) if isinstance(given, Mapping) else set()


def _utility(
    blocks: Mapping[str, Any],
    inputs: PairInputs,
    tables: dict[EntryPath, Table | None],
    findings: Findings,
    directory: Path | None,
) -> tuple[Expression | None, FloatArray | None]:
    """Return the formula of the utility, where it is one, and the utility of each pair, where it is known."""
    given, formula, values = blocks.get("utility"), None, None
    if isinstance(given, str):
        formula = read_formula(("utility",), given, findings)
        if formula is not None:
            values = pair_values(("utility",), formula, inputs, findings, may_forbid=True)
    elif given is not None:
        values, table = read_pairs(("utility",), given, inputs.rows, inputs.columns, findings, directory)
        tables["utility", "table"] = table
    for place, pair in enumerate(blocks.get("forbidden", ())):
        known = [name in side.names for name, side in zip(pair, (inputs.rows, inputs.columns), strict=True)]
        for step, side in enumerate((inputs.rows, inputs.columns)):
            if not known[step]:
                findings.unknown(("forbidden", place, step), side.one, pair[step], side.names)
        if values is not None and all(known):
            values[inputs.rows.names.index(pair[0]), inputs.columns.names.index(pair[1])] = -np.inf
    return formula, values


def _check_coefficients(
    blocks: Mapping[str, Any], inputs: PairInputs, formula: Expression | None, findings: Findings
) -> None:
    formulas = [] if formula is None else [formula]
    fit = blocks.get("fit")
    if fit is not None:
        quiet = replace(findings, problems=[], warnings=[])  # what is wrong with them has been noted
        found = (read_formula(("fit", "basis", name), text, quiet) for name, text in fit.basis.items())
        formulas += [one for one in found if one is not None]
    check_coefficients(inputs, formulas, findings)


# --- the problem ----------------------------------------------------------------------------------------------------


def _check_settings(blocks: Mapping[str, Any], findings: Findings) -> None:
    """Note settings that do not go with the conditions of the sides, each by itself."""
    if not {"rows", "columns"} <= blocks.keys() or any(
        is_cut((key, "condition"), findings) for key in ("rows", "columns")
    ):
        return
    given: dict[str, Any] = {"utility": np.zeros((1, 1)), "temperature": 1.0}
    for key in ("rows", "columns"):
        block = blocks[key] if blocks[key].strength is not None else blocks[key].model_copy(update={"strength": 1.0})
        given[key] = condition_of(block, np.ones(1))
    if "rule" in blocks and _goes(("rule",), {**given, "rule": _RULES[blocks["rule"].type]}, findings):
        given["rule"] = _RULES[blocks["rule"].type]  # which others must go with, too
    for path, setting in _settings(blocks):
        _goes(path, {**given, **setting}, findings)


def _settings(blocks: Mapping[str, Any]) -> Iterator[tuple[EntryPath, dict[str, Any]]]:
    for name in ("temperature", "reference", "total_mass"):
        if name in blocks:
            yield (name,), {name: blocks[name]}
    for place, temperature in enumerate(blocks.get("temperatures", ())):
        yield ("temperatures", place), {"temperature": temperature}
    for name, policy in blocks.get("policies", {}).items():
        if policy.temperature is not None:
            yield ("policies", name, "temperature"), {"temperature": policy.temperature}


def _goes(path: EntryPath, given: Mapping[str, Any], findings: Findings) -> bool:
    """Say whether a problem can be made of something; what speaks against it is noted at `path`."""
    try:
        AssignmentProblem(**given)
    except InvalidInputError as error:
        findings.add(path, in_yaml(str(error)))
        return False
    return True


def in_yaml(text: str) -> str:
    """Return what is said of conditions with the words that YAML has for them.

    Examples
    --------
    >>> in_yaml("let the rows be AtMost, or set scale_masses=True")
    'let the rows be at_most, or set `scale_masses: true`'
    """
    return _WORD.sub(lambda match: _IN_YAML[match.group()], text)


def _problem(
    blocks: Mapping[str, Any],
    inputs: PairInputs,
    utility: FloatArray,
    findings: Findings,
) -> AssignmentProblem | None:
    try:
        problem = AssignmentProblem(
            utility=utility,
            rows=condition_of(blocks["rows"], inputs.rows.mass),
            columns=condition_of(blocks["columns"], inputs.columns.mass),
            temperature=blocks["temperature"],
            rule=_RULES[blocks["rule"].type],
            reference=blocks["reference"],
            total_mass=blocks["total_mass"],
            scale_masses=blocks["scale_masses"],
            row_names=inputs.rows.names,
            column_names=inputs.columns.names,
        )
        usable_pairs(problem)
    except InvalidInputError as error:
        said = in_yaml(str(error))
        about = _SIDE.search(said)  # a fault of masses names the side that it is about first
        findings.add(("utility",) if about is None else (about.group(),), said, of_key=True)
        return None
    return problem


# --- policies -------------------------------------------------------------------------------------------------------


def _policies(
    blocks: Mapping[str, Any], baseline: Baseline, problem: AssignmentProblem | None, findings: Findings
) -> dict[str, AssignmentPolicy]:
    """Return the policies that are right, each tried on the problem where that is known."""
    found: dict[str, AssignmentPolicy] = {}
    for name, block in blocks.get("policies", {}).items():
        policy = read_policy(name, block, baseline, findings)
        if policy is None:
            continue
        try:
            if problem is not None:
                usable_pairs(policy.apply(problem))
        except InvalidInputError as error:
            blamed = _blamed(problem, policy, error)
            findings.add(("policies", name, *blamed), in_yaml(str(error)), of_key=True)
        else:
            found[name] = policy
    return found


def _blamed(problem: AssignmentProblem | None, policy: AssignmentPolicy, error: InvalidInputError) -> EntryPath:
    """Return the entry of a policy that fails first; none where only the whole cannot be solved."""
    if problem is None or isinstance(error, InfeasibleMassError):
        return ()
    so_far: dict[str, Any] = {}
    for key in _IN_ORDER:
        if not getattr(policy, key):
            continue
        so_far[key] = getattr(policy, key)
        try:
            AssignmentPolicy(**so_far).apply(problem)
        except InfeasibleMassError:
            continue  # what comes next may make up for it
        except InvalidInputError:
            return (key,)
    return ()


def _study(
    blocks: Mapping[str, Any],
    problem: AssignmentProblem,
    policies: Mapping[str, AssignmentPolicy],
    fit: FitSettings | None,
) -> AssignmentStudy:
    asked = blocks["cross_check"]
    check = asked if isinstance(asked, CrossCheckBlock) else CrossCheckBlock()
    return AssignmentStudy(
        problem=problem,
        policies=policies,
        temperatures=tuple(blocks["temperatures"]),
        cross_check=None if asked is None else check.library,
        cross_check_threshold=check.threshold,
        fit=fit,
        tolerance=blocks["solver"].tolerance,
        max_iterations=blocks["solver"].max_iterations,
    )
