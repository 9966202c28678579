"""What is wrong with the nests of a rule in a scenario, each fault at its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from choicekit.rules.nests import NestFault, nest_faults
from choicekit.scenario.blocks import made
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["check_nests", "is_cut", "nest_settings"]


def nest_settings(rule: type) -> list[str]:
    """Return the names of the settings of a rule that are nests.

    Examples
    --------
    >>> from choicekit.rules import Softmax
    >>> nest_settings(Softmax)
    []
    """
    return [item.name for item in fields(rule) if item.metadata.get("nests")]


def check_nests(
    block: Any,
    path: EntryPath,
    alternatives: Sequence[str] | None,
    findings: Findings,
    *,
    complete: bool = True,
    written: Collection[str] | None = None,
    added_by: Mapping[str, str] | None = None,
) -> bool:
    """Note what is wrong with the nests of a rule, where it has any; say whether nothing is.

    Parameters
    ----------
    block : Block
        Of the rule.
    path : tuple of (str or int)
        Where it stands.
    alternatives : sequence of str, optional
        All there are, where they are known.
    findings : Findings
    complete : bool
        Whether every alternative must be in a nest.
    written : collection of str, optional
        Settings that stand at `path`, where not all of them do.
    added_by : mapping of str to str, optional
        The policy that adds an alternative, for those that the baseline lacks: it is what to look at.
    """
    before = len(findings.problems)
    for name in nest_settings(block.made_from):
        if written is not None and name not in written:
            continue
        where, nests = (*path, name), getattr(block, name)
        faults = nest_faults(
            made(nests),
            alternatives,
            crossed=bool(getattr(block.made_from, "crossed", False)),
            complete=complete and not is_cut(where, findings),
        )
        for fault in _telling(faults, where, alternatives or (), findings):
            place, policy = (*where, *fault.place), (added_by or {}).get(str(fault.about))
            if policy is not None and not fault.place:
                _note_added(policy, str(fault.about), nests, path, findings)
            elif not is_cut(place, findings):
                findings.add(place, fault.message, fault.hint, of_key=_is_name(fault.place))
    return len(findings.problems) == before


def _telling(
    faults: Sequence[NestFault], where: EntryPath, alternatives: Sequence[str], findings: Findings
) -> Iterator[NestFault]:
    """Yield the faults that are not the mere outcome of a misspelt name or of what could not be read."""
    hints = {fault.hint for fault in faults}
    explained = {name for name in alternatives if f"did you mean {name!r}?" in hints}
    explained |= {str(gone[-1]) for gone in findings.removed if gone[: len(where)] == where and gone[-2] == "members"}
    return (fault for fault in faults if fault.about not in explained)


def _note_added(policy: str, name: str, nests: Any, path: EntryPath, findings: Findings) -> None:
    """Note that a policy adds an alternative that is in no nest of a rule that it is to be chosen by."""
    rule = ".".join(map(str, path))
    new = findings.document.values.get("policies", {}).get(policy, {}).get("add", {}).get(name)
    like = new.get("columns_like") if isinstance(new, Mapping) else None
    listed = [nest.members for nest in nests.values() if isinstance(nest.members, list) and nest.members]
    example = next((members for members in listed if like in members), listed[0] if listed else [])
    such = f", such as `members: [{', '.join([*example, name])}]`" if example else ""
    findings.add(
        ("policies", policy, "add", name),
        f"policy {policy!r} adds {name!r}, which is in no nest of `{rule}`",
        f"name it in a nest of `{rule}`{such}, or give it one of its own there: `{name}: {{members: [{name}]}}`",
        of_key=True,
    )


def _is_name(place: EntryPath) -> bool:
    """Whether the last step of a place in nests is the name of a nest, or of a member with its allocation."""
    return not place or (isinstance(place[-1], str) and place[-1] not in {"dissimilarity", "members", "nests"})


def is_cut(path: EntryPath, findings: Findings) -> bool:
    """Say whether something in an entry could not be read, so that what it lacks says nothing."""
    return any(gone[: len(path)] == path for gone in findings.removed)
