"""Policies of a choice scenario: made of their blocks, and checked against what they may name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.policies.cases import BASELINE
from choicekit.choice.policies.faults import PolicyContext, PolicyFault, faults_of
from choicekit.choice.policies.policy import Policy
from choicekit.errors import ExpressionError
from choicekit.rules import ChoiceRule
from choicekit.scenario.choice.rules import Alternatives, policy_rule
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["check_policies", "context_of", "names_in_policies", "read_policies"]

_UNREAD = "0"
"""Stands for a formula that cannot be read, so that the rest of its policy is still looked at."""


def read_policies(
    blocks: Mapping[str, Any], alternatives: Alternatives | None, findings: Findings
) -> dict[str, Policy]:
    """Make policies of their blocks, noting formulas and rules that cannot be read.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read.
    alternatives : mapping of str to (str or None), optional
        All there are, each with the policy that adds it.
    findings : Findings

    Returns
    -------
    dict of str to Policy
        Also of those in which something is wrong: without it.
    """
    policies: dict[str, Policy] = {}
    for name, block in blocks.get("policies", {}).items():
        rule = None
        if block.rule is not None:
            rule = policy_rule(("policies", name, "rule"), block.rule, blocks, alternatives, findings)
        policies[name] = _policy(name, block, rule, findings)
    return policies


def _policy(name: str, block: Any, rule: ChoiceRule | None, findings: Findings) -> Policy:
    settings = block.model_dump(exclude_none=True, exclude={"rule"})
    added = settings.get("add", {})
    for alternative in [key for key, new in added.items() if not ("utility" in new or "columns_like" in new)]:
        path: EntryPath = ("policies", name, "add", alternative)
        del added[alternative]
        if not {(*path, "utility"), (*path, "columns_like")} & findings.removed:
            message = f"new alternative {alternative!r} has neither a utility nor columns_like"
            findings.add(path, message, "name the alternative it is like, or give it a formula", of_key=True)
    for holder, key, place in list(_formulas(settings)):
        try:
            parse_expression(holder[key])
        except ExpressionError as error:
            findings.add_formula(("policies", name, *place), error)
            holder[key] = _UNREAD
    return Policy(**settings, rule=rule)


def _formulas(settings: dict[str, Any], path: EntryPath = ()) -> Iterator[tuple[dict[str, Any], str, EntryPath]]:
    """Yield every formula of a policy: the mapping that holds it, its key there, and its path in the policy."""
    for key, value in settings.items():
        if isinstance(value, dict):
            yield from _formulas(value, (*path, key))
        elif isinstance(value, str) and key not in {"description", "columns_like"}:
            yield settings, key, (*path, key)


def names_in_policies(policies: Mapping[str, Policy]) -> set[str]:
    """Return every name that stands in a formula of a policy, or for an attribute that it changes.

    Examples
    --------
    >>> sorted(names_in_policies({"cheaper": Policy(change={"bus": {"fare": "fare - rebate"}}, filter="age > 18")}))
    ['age', 'fare', 'rebate']
    """
    names: set[str] = set()
    for policy in policies.values():
        changes = [*policy.change.values(), policy.attributes, *(new.change for new in policy.add.values())]
        names |= {name for change in changes for name in change}
        texts = [text for change in changes for text in change.values()]
        texts += [*policy.availability.values(), policy.filter]
        texts += [text for new in policy.add.values() for text in (new.utility, new.availability)]
        names |= {name for text in texts if text for name in parse_expression(text).names}
    return names


def context_of(
    blocks: Mapping[str, Any],
    coefficients: Mapping[str, float],
    names: Mapping[str, str] | None,
    formulas: list[tuple[EntryPath, Expression]],
    columns: Sequence[str],
    findings: Findings,
) -> PolicyContext | None:
    """Return what policies may name; None where the alternatives are known only to the data.

    Parameters
    ----------
    blocks : mapping
    coefficients : mapping of str to float
        The mean of those that are random.
    names : mapping of str to str, optional
        Alternatives by their labels in the table.
    formulas : list of (path, Expression)
        Utilities and availability conditions that could be read.
    columns : sequence of str
    findings : Findings
        What was given but could not be read counts as known.
    """
    if names is None:
        return None
    alternatives = list(dict.fromkeys([*names.values(), *findings.taken_out("utility")]))
    by_path = dict(formulas)
    one = by_path.get(("utility",))
    utilities = {name: by_path.get(("utility", name), one) for name in alternatives}
    conditions = {name: by_path.get(("availability", name)) for name in alternatives}
    simulation = blocks.get("simulation")
    return PolicyContext(
        alternatives=alternatives,
        coefficients={**dict.fromkeys(findings.taken_out("coefficients"), 1.0), **coefficients},
        columns=columns,
        formulas={name: formula for name, formula in utilities.items() if formula is not None},
        conditions={name: formula for name, formula in conditions.items() if formula is not None},
        sampling="auto" if simulation is None else simulation.sampling,
    )


def check_policies(policies: Mapping[str, Policy], context: PolicyContext, findings: Findings) -> None:
    """Note what is wrong with policies or probably not meant."""
    if BASELINE in policies:
        message = f"a policy cannot be called {BASELINE!r}"
        findings.add(("policies", BASELINE), message, "that is what policies are compared with", of_key=True)
    for name, policy in policies.items():
        for fault in faults_of(policy, context):
            _note(("policies", name, *fault.path), fault, name, findings)


def _note(path: EntryPath, fault: PolicyFault, policy: str, findings: Findings) -> None:
    if fault.error is not None:
        findings.add_formula(path, fault.error)
    elif fault.warning:
        message = fault.message.replace("this policy", f"policy {policy!r}", 1)
        findings.warn(path, ", ".join(part for part in (message, fault.hint) if part))
    else:
        findings.add(path, fault.message, fault.hint, of_key=fault.of_key)
