"""Agents who differ, in a choice scenario: random coefficients and latent classes, each fault at its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.heterogeneity import Integration, LatentClass, RandomCovariance
from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.choice.heterogeneity.faults import faults_of_types
from choicekit.choice.sampling import resolve_sampling
from choicekit.errors import ExpressionError, InvalidInputError
from choicekit.scenario.blocks import Block, made
from choicekit.scenario.choice.rules import Alternatives, policy_rule
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["AgentTypes", "entry_of", "read_types"]

Coefficient = float | CoefficientDistribution


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentTypes:
    """Coefficients and classes of a scenario, as far as they could be read.

    Attributes
    ----------
    coefficients : dict of str to (float or distribution)
    covariance : RandomCovariance or None
    classes : dict of str to LatentClass
    integration : Integration
    memberships : list of (path, Expression)
    """

    coefficients: dict[str, Coefficient] = field(default_factory=dict)
    covariance: RandomCovariance | None = None
    classes: dict[str, LatentClass] = field(default_factory=dict)
    integration: Integration = field(default_factory=Integration)
    memberships: list[tuple[EntryPath, Expression]] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, float]:
        """Every coefficient as a number: the mean of one that is random, where it is known."""
        return {name: _mean(value) for name, value in self.coefficients.items()}

    @property
    def varying(self) -> set[str]:
        """Coefficients that differ among agents, be it within a class or between classes."""
        own = {name for name, value in self.coefficients.items() if isinstance(value, CoefficientDistribution)}
        return own.union(*(kind.coefficients for kind in self.classes.values()))


def _mean(value: Coefficient) -> float:
    if not isinstance(value, CoefficientDistribution):
        return value
    return 1.0 if value.correlates and value.spread is None else value.expectation


def read_types(blocks: Mapping[str, Any], alternatives: Alternatives | None, findings: Findings) -> AgentTypes:
    """Make coefficients and classes of their blocks, noting what is wrong with them.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read.
    alternatives : mapping of str to (str or None), optional
        All there are, each with the policy that adds it.
    findings : Findings
    """
    if "coefficients" not in blocks:
        return AgentTypes()
    coefficients = _coefficients(blocks["coefficients"], ("coefficients",), findings)
    block = blocks.get("random_coefficients")
    covariance = None if block is None else _covariance(block, findings)
    memberships: list[tuple[EntryPath, Expression]] = []
    classes: dict[str, LatentClass] = {}
    for name, given in (blocks.get("classes") or {}).items():
        found = _class(name, given, blocks, alternatives, findings, memberships)
        if found is not None:
            classes[name] = found
    types = AgentTypes(
        coefficients=coefficients,
        covariance=covariance,
        classes=classes,
        integration=Integration() if block is None else _integration(block, findings),
        memberships=memberships,
    )
    _check(types, blocks, findings)
    return types


def _coefficients(given: Mapping[str, Any], path: EntryPath, findings: Findings) -> dict[str, Coefficient]:
    found: dict[str, Coefficient] = {}
    for name, value in given.items():
        try:
            found[name] = made(value)
        except InvalidInputError as error:
            word = str(error).split(" ", 1)[0]
            named = isinstance(value, Block) and word in {item.name for item in fields(value.made_from)}
            findings.add((*path, name, word) if named else (*path, name), str(error), of_key=not named)
            findings.removed.add((*path, name))
    return found


def _covariance(block: Any, findings: Findings) -> RandomCovariance | None:
    path: EntryPath = ("random_coefficients",)
    if block.covariance is not None and block.cholesky is not None:
        message = "random coefficients have a covariance or its cholesky factor, found both"
        findings.add(path, message, "keep one of them", of_key=True)
        findings.removed |= {(*path, "covariance"), (*path, "cholesky")}  # either tells the spreads
        return None
    try:
        if block.covariance is not None:
            return RandomCovariance.from_mapping(block.covariance)
        if block.cholesky is not None:
            return RandomCovariance.from_cholesky(block.cholesky)
    except InvalidInputError as error:
        form = "covariance" if block.cholesky is None else "cholesky"
        findings.add((*path, form), str(error), of_key=True)
        findings.removed.add((*path, form))
    return None


def _integration(block: Any, findings: Findings) -> Integration:
    found = {"points": block.points, "shifts": block.shifts}
    for name, value in found.items():
        try:
            Integration(**{name: value})
        except InvalidInputError as error:
            findings.add(("random_coefficients", name), str(error))
            return Integration()
    try:
        return Integration(**found)
    except InvalidInputError as error:  # each would do by itself
        findings.add(("random_coefficients", "points"), str(error))
        return Integration()


def _class(
    name: str,
    block: Any,
    blocks: Mapping[str, Any],
    alternatives: Alternatives | None,
    findings: Findings,
    memberships: list[tuple[EntryPath, Expression]],
) -> LatentClass | None:
    path: EntryPath = ("classes", name)
    rule = None
    if block.rule is not None:
        rule = policy_rule((*path, "rule"), block.rule, blocks, alternatives, findings)
    if rule is not None and blocks.get("simulation") is not None:
        try:
            resolve_sampling(rule, blocks["simulation"].sampling)
        except InvalidInputError as error:
            findings.add((*path, "rule"), str(error))
    coefficients = _coefficients(block.coefficients, (*path, "coefficients"), findings)
    if block.membership is not None:
        try:
            memberships.append(((*path, "membership"), parse_expression(block.membership)))
        except ExpressionError as error:
            findings.add_formula((*path, "membership"), error)
            findings.removed.add((*path, "membership"))
            return None
    try:
        return LatentClass(share=block.share, membership=block.membership, coefficients=coefficients, rule=rule)
    except InvalidInputError as error:
        findings.add(path, str(error), of_key=True)
        findings.removed.add((*path, "share"))
        return None


def _check(types: AgentTypes, blocks: Mapping[str, Any], findings: Findings) -> None:
    """Note what is wrong with coefficients and classes together; what could not be read is passed over."""
    unread = dict.fromkeys(findings.taken_out("coefficients"), 1.0)
    given = {**unread, **types.coefficients}
    block = blocks.get("random_coefficients")
    form = "covariance" if block is None or block.cholesky is None else "cholesky"
    uncovered = any(path[0] == "random_coefficients" for path in findings.removed)
    for problem in faults_of_types(given, types.covariance, types.classes):
        path = entry_of(problem.path, blocks, form)
        missing = problem.message.endswith("is missing")
        if _unread(path, findings) or (missing and uncovered):
            continue
        findings.add(path, problem.message, problem.hint, of_key=path[-1] != "membership")


def _unread(path: EntryPath, findings: Findings) -> bool:
    """Whether something in an entry could not be read; of all classes together only what says who is of which."""
    gone = [entry for entry in findings.removed if entry[: len(path)] == path]
    if path == ("classes",):
        return any(len(entry) < 3 or entry[2] in {"share", "membership"} for entry in gone)
    return bool(gone)


def entry_of(path: str, blocks: Mapping[str, Any], form: str = "covariance") -> EntryPath:
    """Return the entry of a scenario that the path of a model's problem names.

    Parameters
    ----------
    path : str
        Such as ``"utility.bus"`` or ``"classes.young.coefficients.b_time"``; names may hold dots.
    blocks : mapping
    form : {"covariance", "cholesky"}
        How random coefficients are said to go together.

    Examples
    --------
    >>> entry_of("utility.a.b", {}), entry_of("classes.a.b.share", {"classes": {"a.b": 1}})
    (('utility', 'a.b'), ('classes', 'a.b', 'share'))
    """
    block, _, rest = path.partition(".")
    if block == "random_coefficients" and rest:
        return block, form, rest
    if block != "classes" or not rest:
        return (block, rest) if rest else (block,)
    names = [name for name in blocks.get("classes") or {} if rest == name or rest.startswith(f"{name}.")]
    name = max(names, key=len, default=rest)
    return block, name, *_steps(rest[len(name) + 1 :])


def _steps(rest: str) -> Iterator[str]:
    key, _, name = rest.partition(".")
    yield from (step for step in (key, name) if step)
