"""Policies of an assignment scenario: made of their blocks, and checked against the places there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment.policies import AssignmentPolicy, MassMove, NewPlace, ScaledMass, UtilityShift
from choicekit.choice.expressions import Expression
from choicekit.errors import InvalidInputError
from choicekit.scenario.assignment.blocks import FactorBlock
from choicekit.scenario.assignment.formulas import PairInputs, pair_values
from choicekit.scenario.assignment.sides import Side
from choicekit.scenario.document import EntryPath
from choicekit.scenario.nests import is_cut
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show

__all__ = ["BASELINE", "Baseline", "read_policy"]

FloatArray = npt.NDArray[np.float64]

BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline:
    """What policies change.

    Attributes
    ----------
    inputs : PairInputs
    formula : Expression or None
        Of the utility, where it is one.
    utility : ndarray (n, m) or None
        None where it could not be read: then only names are checked.
    """

    inputs: PairInputs
    formula: Expression | None
    utility: FloatArray | None


def read_policy(name: str, block: Any, baseline: Baseline, findings: Findings) -> AssignmentPolicy | None:
    """Make a policy of its block; None where something is wrong with it, which is noted, or it cannot be known.

    Parameters
    ----------
    name : str
    block : AssignmentPolicyBlock
    baseline : Baseline
    findings : Findings
    """
    path: EntryPath = ("policies", name)
    before = len(findings.problems)
    if name == BASELINE:
        findings.add(path, f"a policy cannot be called {name!r}", "that is what it is compared with", of_key=True)
    inputs = baseline.inputs
    known = {
        side.one: (
            *side.names,
            *(getattr(block, f"new_{side.key}") or {}),
            *_taken_out((*path, f"new_{side.key}"), findings),
        )
        for side in (inputs.rows, inputs.columns)
    }
    _check_names(path, block, known, findings)
    moves = {
        key: _moves((*path, key), getattr(block, key) or (), findings) for key in ("move_row_mass", "move_column_mass")
    }
    new: dict[str, list[NewPlace]] = {}
    utility = baseline.utility
    for key in ("rows", "columns"):
        given = getattr(block, f"new_{key}") or {}
        new[key], inputs, utility = _new_places(
            (*path, f"new_{key}"), given, key, inputs, baseline.formula, utility, findings
        )
    if len(findings.problems) > before or is_cut(path, findings):
        return None
    _warn_of_forbidden(path, block, baseline, findings)
    return AssignmentPolicy(
        description=block.description or "",
        utility_shifts=[UtilityShift(**dict(shift)) for shift in block.utility_shifts or ()],
        row_mass=_masses(block.row_mass),
        column_mass=_masses(block.column_mass),
        new_rows=new["rows"],
        new_columns=new["columns"],
        temperature=block.temperature,
        **moves,
    )


def _warn_of_forbidden(path: EntryPath, block: Any, baseline: Baseline, findings: Findings) -> None:
    """Warn of shifts of a pair that is forbidden and stays so."""
    rows, columns = baseline.inputs.rows.names, baseline.inputs.columns.names
    for place, shift in enumerate(block.utility_shifts or ()):
        if baseline.utility is None or shift.row not in rows or shift.column not in columns:
            continue
        if baseline.utility[rows.index(shift.row), columns.index(shift.column)] == -np.inf:
            said = f"{shift.row!r} and {shift.column!r} are forbidden: this shift of utility changes nothing"
            findings.warn((*path, "utility_shifts", place), said)


def _taken_out(path: EntryPath, findings: Findings) -> list[str]:
    """Return the names of places that are given at `path`, but could not be read."""
    return [str(gone[len(path)]) for gone in findings.removed if len(gone) == len(path) + 1 and gone[:-1] == path]


def _masses(given: Mapping[str, Any] | None) -> dict[str, float | ScaledMass]:
    return {
        place: ScaledMass(factor=mass.factor) if isinstance(mass, FactorBlock) else mass
        for place, mass in (given or {}).items()
    }


def _moves(path: EntryPath, given: Any, findings: Findings) -> list[MassMove]:
    found = []
    for place, move in enumerate(given):
        try:
            found.append(MassMove(**dict(move)))
        except InvalidInputError as error:
            findings.add((*path, place), str(error))
    return found


def _check_names(path: EntryPath, block: Any, known: Mapping[str, Collection[str]], findings: Findings) -> None:
    """Note places that are named and not there."""

    def check(entry: EntryPath, one: str, name: str | None, *, of_key: bool = False) -> None:
        if name is not None and name not in known[one]:
            findings.unknown(entry, one, name, known[one], of_key=of_key)

    for place, shift in enumerate(block.utility_shifts or ()):
        for one in known:
            check((*path, "utility_shifts", place, one), one, getattr(shift, one))
    for one in known:
        for name in getattr(block, f"{one}_mass") or {}:
            check((*path, f"{one}_mass", name), one, name, of_key=True)
        for place, move in enumerate(getattr(block, f"move_{one}_mass") or ()):
            for end in ("source", "target"):
                check((*path, f"move_{one}_mass", place, end), one, getattr(move, end))


# --- new places -----------------------------------------------------------------------------------------------------


def _new_places(
    path: EntryPath,
    given: Mapping[str, Any],
    key: str,
    inputs: PairInputs,
    formula: Expression | None,
    utility: FloatArray | None,
    findings: Findings,
) -> tuple[list[NewPlace], PairInputs, FloatArray | None]:
    """Return the places that come in addition on one side, and inputs and utilities with them."""
    found: list[NewPlace] = []
    for name, block in given.items():
        entry: EntryPath = (*path, name)
        side: Side = getattr(inputs, key)
        if not _is_right(entry, name, block, side, formula, findings) or is_cut(entry, findings):
            utility = None
            continue
        inputs = inputs.extended(key, name, block.attributes or {}, block.like)
        if utility is None:
            continue
        along = utility if key == "rows" else utility.T
        vector = _utility_of(entry, block, key, inputs, formula, along, findings)
        if vector is None:
            utility = None
            continue
        found.append(NewPlace(name=name, utility=vector, mass=block.mass))
        grown = np.vstack([along, vector])
        utility = grown if key == "rows" else grown.T
    return found, inputs, utility


def _is_right(
    path: EntryPath, name: str, block: Any, side: Side, formula: Expression | None, findings: Findings
) -> bool:
    before = len(findings.problems)
    if name in side.names:
        findings.add(path, f"a new {side.one} needs a new name, {name!r} is there already", "rename it", of_key=True)
    if block.like is not None and block.like not in side.names:
        findings.unknown((*path, "like"), side.one, block.like, side.names)
    forms = [form for form in ("utility", "like", "attributes") if getattr(block, form) is not None]
    if not forms:
        hint = "write its `utility`, or whom it is `like`"
        findings.add(path, f"new {side.one} {name!r} has no utility", hint, of_key=True)
    if "utility" in forms and len(forms) > 1:
        findings.add((*path, "utility"), f"its utility follows from `{forms[1]}`", "keep one of them", of_key=True)
    if block.attributes is not None and formula is None:
        message = "attributes say nothing where the utility is no formula"
        findings.add((*path, "attributes"), message, "write its `utility`, or whom it is `like`", of_key=True)
    elif block.attributes is not None and formula is not None:
        _check_attributes(path, block, side, formula, findings)
    return len(findings.problems) == before


def _check_attributes(path: EntryPath, block: Any, side: Side, formula: Expression, findings: Findings) -> None:
    for attribute, value in block.attributes.items():
        entry: EntryPath = (*path, "attributes", attribute)
        if attribute not in side.attributes:
            findings.unknown(entry, "attribute", attribute, side.attributes, of_key=True)
        elif isinstance(value, str) != (side.attributes[attribute].dtype == object):
            what = "a number" if isinstance(value, str) else "text"
            findings.add(entry, f"attribute {attribute!r} must be {what}, found {show(value)}")
    lacking = [x for x in side.attributes if f"{side.one}_{x}" in formula.names and x not in block.attributes]
    for attribute in lacking if block.like is None else ():
        message = f"the formula uses the attribute {attribute!r}, which it has not"
        findings.add((*path, "attributes"), message, "add it, or say whom it is `like`", of_key=True)


def _utility_of(
    path: EntryPath,
    block: Any,
    key: str,
    inputs: PairInputs,
    formula: Expression | None,
    utility: FloatArray,
    findings: Findings,
) -> FloatArray | None:
    """Return the utility of a new place, the last of its side in `inputs`, with every place of the other side."""
    side, other = (inputs.rows, inputs.columns) if key == "rows" else (inputs.columns, inputs.rows)
    if isinstance(block.utility, dict):
        return _by_name((*path, "utility"), block.utility, other, findings)
    if block.utility is not None:
        return np.full(len(other.names), block.utility)
    like = None if block.like is None else utility[side.names.index(block.like)]
    if block.attributes is None or formula is None:
        return like
    unknown = formula.names & set(inputs.pairs)
    if like is None and unknown:
        message = f"the formula uses the pairs {sorted(unknown)[0]!r}, which it has not"
        findings.add(path, message, "say whom it is `like`, or write its `utility`", of_key=True)
        return None
    values = pair_values(path, formula, inputs, findings, may_forbid=True)
    if values is None:
        return None
    own = values[-1] if key == "rows" else values[:, -1]
    return own if like is None else np.where(like > -np.inf, own, -np.inf)


def _by_name(path: EntryPath, given: Mapping[str, float], other: Side, findings: Findings) -> FloatArray | None:
    unknown = [name for name in given if name not in other.names]
    for name in unknown:
        findings.unknown((*path, name), other.one, name, other.names, of_key=True)
    missing = [name for name in other.names if name not in given]
    if missing and not unknown:
        message = f"there is no utility with {other.one} {missing[0]!r}"
        findings.add(path, message, "write it, or -.inf where the pair is forbidden", of_key=True)
    return None if unknown or missing else np.array([given[name] for name in other.names], dtype=np.float64)
