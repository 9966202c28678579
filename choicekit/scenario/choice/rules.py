"""The rules of a choice scenario, made of their blocks, and what is wrong with their nests, each at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from choicekit.choice.sampling import resolve_sampling
from choicekit.errors import InvalidInputError
from choicekit.rules import ChoiceRule
from choicekit.scenario.blocks import Block, made
from choicekit.scenario.document import EntryPath
from choicekit.scenario.nests import check_nests, is_cut, nest_settings
from choicekit.scenario.validation import Findings

__all__ = ["Alternatives", "all_alternatives", "check_rules", "policy_rule", "read_rule"]

Alternatives = Mapping[str, str | None]
"""Names of alternatives, each with the policy that adds it; None for those of the baseline."""


def all_alternatives(
    blocks: Mapping[str, Any], names: Mapping[str, str] | None, findings: Findings
) -> Alternatives | None:
    """Return all alternatives there are, those that policies add last; None where only the data know them."""
    if names is None:
        return None
    found: dict[str, str | None] = dict.fromkeys([*names.values(), *findings.taken_out("utility")])
    for policy, block in blocks.get("policies", {}).items():
        for name in block.add or {}:
            found.setdefault(name, policy)
    for path in findings.removed:
        if len(path) > 3 and (path[0], path[2]) == ("policies", "add"):
            found.setdefault(str(path[3]), str(path[1]))
    return found


def read_rule(blocks: Mapping[str, Any], alternatives: Alternatives | None, findings: Findings) -> ChoiceRule | None:
    """Make the rule of the baseline; None where something is wrong with it, which is noted.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read.
    alternatives : mapping of str to (str or None), optional
        All there are, each with the policy that adds it.
    findings : Findings
    """
    block = blocks.get("rule")
    rule = None if block is None else _made(block, ("rule",), alternatives, findings)
    simulation = blocks.get("simulation")
    if rule is not None and simulation is not None:
        try:
            resolve_sampling(rule, simulation.sampling)
        except InvalidInputError as error:
            findings.add(("simulation", "sampling"), str(error))
    return rule


def policy_rule(
    path: EntryPath,
    given: Block,
    blocks: Mapping[str, Any],
    alternatives: Alternatives | None,
    findings: Findings,
) -> ChoiceRule | None:
    """Make the rule of a policy: without a type that of the baseline, with other settings.

    Parameters
    ----------
    path : tuple of str
        Where it stands.
    given : Block
    blocks : mapping
    alternatives : mapping of str to (str or None), optional
    findings : Findings
    """
    if getattr(given, "type", None) is not None:
        return _made(given, path, alternatives, findings)
    baseline = blocks.get("rule")
    if baseline is None:
        return None
    changed = {key: getattr(given, key) for key in given.model_fields_set if key != "type"}
    for key in changed:
        if key not in type(baseline).model_fields:
            message = f"the baseline's rule, {baseline.type}, has no {key!r}"
            findings.add((*path, key), message, "name the type of another rule", of_key=True)
            return None
    if _halves(given, baseline, path, findings):
        return None
    return _made(baseline.model_copy(update=changed), path, alternatives, findings, written=changed)


def check_rules(blocks: Mapping[str, Any], alternatives: Alternatives, findings: Findings) -> None:
    """Note what is wrong with the nests of all rules, once the alternatives are known from the data."""
    _check(blocks["rule"], ("rule",), alternatives, findings)
    for name, policy in blocks["policies"].items():
        path: EntryPath = ("policies", name, "rule")
        if policy.rule is not None and policy.rule.type is not None:
            _check(policy.rule, path, alternatives, findings)
        elif policy.rule is not None:
            written = {key: getattr(policy.rule, key) for key in policy.rule.model_fields_set}
            _check(blocks["rule"].model_copy(update=written), path, alternatives, findings, written)


def _made(
    block: Block,
    path: EntryPath,
    alternatives: Alternatives | None,
    findings: Findings,
    written: Collection[str] | None = None,
) -> ChoiceRule | None:
    """Make a rule of its block; `written` are its settings that stand at `path`, where not all of them do."""
    if not _check(block, path, alternatives, findings, written):
        return None
    try:
        rule: ChoiceRule = made(block)
    except InvalidInputError as error:
        if not is_cut(path, findings):
            findings.add(path, str(error))
        return None
    return rule


def _check(
    block: Block,
    path: EntryPath,
    alternatives: Alternatives | None,
    findings: Findings,
    written: Collection[str] | None = None,
) -> bool:
    names = None if alternatives is None else list(alternatives)
    if path[0] == "policies" or alternatives is None:  # nests that stand in a policy are its own to mend
        return check_nests(block, path, names, findings, written=written)
    added_by = {name: policy for name, policy in alternatives.items() if policy is not None}
    return check_nests(block, path, names, findings, written=written, added_by=added_by)


def _halves(block: Block, baseline: Any, path: EntryPath, findings: Findings) -> bool:
    """Note nests that only say what is to change in those of the baseline, whose place they take."""
    for key in nest_settings(baseline.made_from):
        for name, nest in (getattr(block, key, None) or {}).items():
            where = (*path, key, name)
            if name in getattr(baseline, key) and not nest.model_fields_set & {"members", "nests"}:
                if not is_cut(where, findings):
                    message = f"nests given here take the place of all the baseline's, and {name!r} has no members"
                    findings.add(where, message, "write every nest whole, with its members", of_key=True)
                return True
    return False
