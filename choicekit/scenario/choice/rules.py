"""The rules of a choice scenario, made of their blocks, and what is wrong with their nests, each at its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from choicekit.choice.sampling import resolve_sampling
from choicekit.errors import InvalidInputError
from choicekit.rules import ChoiceRule
from choicekit.rules.nests import nest_faults
from choicekit.scenario.blocks import Block, made
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["all_alternatives", "check_rules", "policy_rule", "read_rule"]


def all_alternatives(
    blocks: Mapping[str, Any], names: Mapping[str, str] | None, findings: Findings
) -> list[str] | None:
    """Return all alternatives there are, those that policies add last; None where only the data know them."""
    if names is None:
        return None
    added = [name for policy in blocks.get("policies", {}).values() for name in policy.add or {}]
    added += [str(path[3]) for path in findings.removed if len(path) > 3 and (path[0], path[2]) == ("policies", "add")]
    return list(dict.fromkeys([*names.values(), *findings.taken_out("utility"), *added]))


def read_rule(blocks: Mapping[str, Any], alternatives: Sequence[str] | None, findings: Findings) -> ChoiceRule | None:
    """Make the rule of the baseline; None where something is wrong with it, which is noted.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read.
    alternatives : sequence of str, optional
        All there are, with those that policies add.
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
    alternatives: Sequence[str] | None,
    findings: Findings,
) -> ChoiceRule | None:
    """Make the rule of a policy: without a type that of the baseline, with other settings.

    Parameters
    ----------
    path : tuple of str
        Where it stands.
    given : Block
    blocks : mapping
    alternatives : sequence of str, optional
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
    return _made(baseline.model_copy(update=changed), path, alternatives, findings, written=changed)


def check_rules(blocks: Mapping[str, Any], alternatives: Sequence[str], findings: Findings) -> None:
    """Note what is wrong with the nests of all rules, once the alternatives are known from the data."""
    _check_nests(blocks["rule"], ("rule",), alternatives, findings)
    for name, policy in blocks["policies"].items():
        path: EntryPath = ("policies", name, "rule")
        if policy.rule is not None and policy.rule.type is not None:
            _check_nests(policy.rule, path, alternatives, findings)
        elif policy.rule is not None:
            written = {key: getattr(policy.rule, key) for key in policy.rule.model_fields_set}
            _check_nests(blocks["rule"].model_copy(update=written), path, alternatives, findings, written)


def _made(
    block: Block,
    path: EntryPath,
    alternatives: Sequence[str] | None,
    findings: Findings,
    written: Mapping[str, Any] | None = None,
) -> ChoiceRule | None:
    """Make a rule of its block; `written` are its settings that stand at `path`, where not all of them do."""
    before = len(findings.problems)
    _check_nests(block, path, alternatives, findings, written)
    if len(findings.problems) > before:
        return None
    try:
        rule: ChoiceRule = made(block)
    except InvalidInputError as error:
        if not _is_cut(path, findings):
            findings.add(path, str(error))
        return None
    return rule


def _check_nests(
    block: Any,
    path: EntryPath,
    alternatives: Sequence[str] | None,
    findings: Findings,
    written: Mapping[str, Any] | None = None,
) -> None:
    """Note what is wrong with the nests of a rule, where it has any; every alternative must be in one."""
    for item in fields(block.made_from):
        if not item.metadata.get("nests") or (written is not None and item.name not in written):
            continue
        where = (*path, item.name)
        faults = nest_faults(
            made(getattr(block, item.name)),
            alternatives,
            crossed=bool(getattr(block.made_from, "crossed", False)),
            complete=not _is_cut(where, findings),
        )
        hints = {fault.hint for fault in faults}
        misspelt = [name for name in alternatives or () if f"did you mean {name!r}?" in hints]
        said = {f"alternative {name!r} is in no nest" for name in misspelt}
        for fault in faults:
            place = (*where, *fault.place)
            if fault.message not in said and not _is_cut(place, findings):
                findings.add(place, fault.message, fault.hint, of_key=_is_name(fault.place))


def _is_name(place: EntryPath) -> bool:
    """Whether the last step of a place in nests is the name of a nest, or of a member with its allocation."""
    return not place or (isinstance(place[-1], str) and place[-1] not in {"dissimilarity", "members", "nests"})


def _is_cut(path: EntryPath, findings: Findings) -> bool:
    """Whether something in an entry could not be read, so that what it lacks says nothing."""
    return any(gone[: len(path)] == path for gone in findings.removed)
