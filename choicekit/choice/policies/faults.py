"""What is wrong with a policy, as far as names tell: pure, so that scenarios and `compare_policies` share one check."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Self

import numpy as np

from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.expressions.walking import name_nodes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.policy import NewAlternative, Policy
from choicekit.choice.population import Population
from choicekit.choice.sampling import resolve_sampling
from choicekit.errors import ExpressionError, InvalidInputError
from choicekit.suggestions import suggest

__all__ = ["PolicyContext", "PolicyFault", "faults_of"]

EntryPath = tuple[str | int, ...]

_LISTED = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class PolicyContext:
    """What a policy may name: the baseline, by its names.

    Attributes
    ----------
    alternatives : collection of str
    coefficients : mapping of str to float
    columns : collection of str
        Attributes in the data.
    formulas : mapping of str to Expression
        Utility of each alternative; one whose formula cannot be read may be missing.
    conditions : mapping of str to Expression
        Availability conditions, for the alternatives that have one.
    by_alternative : collection of str
        Those of the columns that are known to differ by alternative.
    sampling : {"auto", "coherent", "fast"}
        How choices are to be drawn.
    """

    alternatives: Collection[str]
    coefficients: Mapping[str, float] = field(default_factory=dict)
    columns: Collection[str] = ()
    formulas: Mapping[str, Expression] = field(default_factory=dict)
    conditions: Mapping[str, Expression] = field(default_factory=dict)
    by_alternative: Collection[str] = ()
    sampling: str = "auto"

    @classmethod
    def of(cls, model: ChoiceModel, population: Population, sampling: str) -> Self:
        """Return what policies of a model may name, known from the data: with the columns that differ by alternative.

        Parameters
        ----------
        model : ChoiceModel
            The baseline.
        population : Population
        sampling : {"auto", "coherent", "fast"}

        Examples
        --------
        >>> people = Population(agents=[1], alternatives=["a", "b"], columns={"cost": [[1.0, 2.0]], "age": [40.0]})
        >>> PolicyContext.of(ChoiceModel("-cost"), people, "auto").by_alternative
        ['cost']
        """
        return cls(
            alternatives=model.alternatives(population),
            coefficients=model.coefficients,
            columns=population.columns,
            formulas=model.formulas(population),
            conditions=model.conditions,
            by_alternative=[name for name, values in population.columns.items() if values.ndim == 2],
            sampling=sampling,
        )

    @property
    def names(self) -> set[str]:
        """What formulas may use: columns and coefficients."""
        return {*self.columns, *self.coefficients}


@dataclass(frozen=True, kw_only=True)
class PolicyFault:
    """One thing that is wrong with a policy, or probably not meant.

    Attributes
    ----------
    path : tuple of str and int
        Where in the policy: ``("change", "train", "gc")``; empty for the policy as a whole.
    message, hint : str
        What must hold and what was found; the way out.
    error : ExpressionError or None
        Where the fault is in a formula: its text and the place in it.
    warning : bool
        Whether it is allowed.
    of_key : bool
        Whether the name at the end of `path` is at fault, and not what is given under it.

    Examples
    --------
    >>> str(PolicyFault(path=("remove", 0), message="unknown alternative 'bsu'", hint="did you mean 'bus'?"))
    "remove.0: unknown alternative 'bsu', did you mean 'bus'?"
    """

    path: EntryPath
    message: str
    hint: str = ""
    error: ExpressionError | None = None
    warning: bool = False
    of_key: bool = False

    def __str__(self) -> str:
        where = ".".join(str(part) for part in self.path)
        said = str(self.error) if self.error else ", ".join(part for part in (self.message, self.hint) if part)
        return f"{where}: {said}" if where else said


def faults_of(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    """Yield everything that is wrong with a policy or probably not meant, in the order of its fields.

    Parameters
    ----------
    policy : Policy
    baseline : PolicyContext
        What it may name.

    Yields
    ------
    PolicyFault
        Unknown names, with the nearest one there is; names of another sort than the field takes; alternatives added,
        removed or changed against each other; coefficients that become no finite numbers; a rule that cannot be
        sampled as wanted. Warnings for attributes that nothing uses and for a policy without a change.

    Notes
    -----
    Values of the data are not looked at: cells, utilities that are nan, agents with nothing available and filters
    that keep nobody show when the policy is applied.

    Examples
    --------
    >>> baseline = PolicyContext(alternatives=["bus", "car"], columns=["cost"])
    >>> for fault in faults_of(Policy(change={"bsu": {"cost": "0.8 * cost"}}, remove=["bus", "car"]), baseline):
    ...     print(fault)
    change.bsu: unknown alternative 'bsu', did you mean 'bus'?
    remove: every alternative is removed, leave at least one
    """
    yield from _changes(policy, baseline)
    yield from _attributes(policy, baseline)
    yield from _coefficients(policy, baseline)
    for name, text in policy.availability.items():
        if name not in baseline.alternatives or name in policy.remove:
            yield from _cannot_be_changed(("availability", name), name, policy, baseline)
        yield from _unknown_names(("availability", name), text, baseline.names)
    for name, new in policy.add.items():
        yield from _added(name, new, baseline)
    yield from _removed(policy, baseline)
    yield from _rule(policy, baseline)
    yield from _filter(policy, baseline)
    if not any(getattr(policy, item.name) for item in fields(policy) if item.name != "description"):
        yield PolicyFault(path=(), message="this policy changes nothing", warning=True, of_key=True)


def _changes(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    for name, changes in policy.change.items():
        if name not in baseline.alternatives or name in policy.remove:
            yield from _cannot_be_changed(("change", name), name, policy, baseline)
        used = _names_in(_formulas_of(name, policy, baseline))
        for attribute, text in changes.items():
            path = ("change", name, attribute)
            yield from _not_an_attribute(path, attribute, baseline)
            if name in baseline.formulas and attribute in baseline.columns and attribute not in used:
                message = f"the utility of {name!r} does not use {attribute!r}, so this changes nothing"
                yield PolicyFault(
                    path=path, message=message, hint=_users(attribute, baseline), warning=True, of_key=True
                )
            yield from _unknown_names(path, text, baseline.names)


def _attributes(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    used = _names_in([*baseline.formulas.values(), *baseline.conditions.values(), *_new_formulas(policy)])
    for attribute, text in policy.attributes.items():
        path = ("attributes", attribute)
        yield from _not_an_attribute(path, attribute, baseline)
        if attribute in baseline.columns and attribute not in used:
            message = f"no utility uses {attribute!r}, so this changes nothing"
            yield PolicyFault(path=path, message=message, warning=True, of_key=True)
        yield from _unknown_names(path, text, baseline.names)


def _coefficients(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    for name, text in policy.coefficients.items():
        path = ("coefficients", name)
        if name in baseline.columns:
            hint = "change it under `attributes`, or under `change` for one alternative"
            yield PolicyFault(path=path, message=f"{name!r} is a column", hint=hint, of_key=True)
        elif name not in baseline.coefficients:
            yield _unknown(path, "coefficient", name, baseline.coefficients)
        formula = parse_expression(text)
        yield from _unknown_names(path, text, baseline.names)
        message, hint = "is a column, and a coefficient is the same for every agent", "use coefficients and numbers"
        others = [column for column in baseline.columns if column != name]  # said already
        yield from _misplaced(path, formula, others, message, hint)
        if formula.names <= baseline.coefficients.keys():
            yield from _not_a_number(name, formula, baseline.coefficients)


def _not_a_number(name: str, formula: Expression, coefficients: Mapping[str, float]) -> Iterator[PolicyFault]:
    path = ("coefficients", name)
    try:
        value = float(formula.evaluate({used: coefficients[used] for used in formula.names}))
    except ExpressionError as error:  # a comparison with text
        yield _of_formula(path, error)
        return
    if not np.isfinite(value):
        message = f"coefficient {name!r} must be a finite number, found {value:g}"
        yield PolicyFault(path=path, message=message, hint="check the formula")


def _added(name: str, new: NewAlternative, baseline: PolicyContext) -> Iterator[PolicyFault]:
    path: EntryPath = ("add", name)
    if name in baseline.alternatives:
        hint = "rename it, or change it under `change`"
        yield PolicyFault(path=path, message=f"alternative {name!r} exists already", hint=hint, of_key=True)
    if new.columns_like and new.columns_like not in baseline.alternatives:
        fault = _unknown((*path, "columns_like"), "alternative", new.columns_like, baseline.alternatives)
        yield PolicyFault(path=fault.path, message=fault.message, hint=fault.hint)
    if new.utility:
        yield from _unknown_names((*path, "utility"), new.utility, baseline.names)
    utility = parse_expression(new.utility) if new.utility else baseline.formulas.get(new.columns_like)
    condition = parse_expression(new.availability) if new.availability else baseline.conditions.get(new.columns_like)
    used = _names_in([utility, condition])
    for attribute, text in new.change.items():
        yield from _not_an_attribute((*path, "change", attribute), attribute, baseline)
        if utility is not None and attribute in baseline.columns and attribute not in used:
            message = f"the utility of {name!r} does not use {attribute!r}, so this changes nothing"
            yield PolicyFault(path=(*path, "change", attribute), message=message, warning=True, of_key=True)
        yield from _unknown_names((*path, "change", attribute), text, baseline.names)
    if new.availability:
        yield from _unknown_names((*path, "availability"), new.availability, baseline.names)


def _removed(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    for place, name in enumerate(policy.remove):
        path = ("remove", place)
        if name in policy.remove[:place]:
            yield PolicyFault(path=path, message=f"alternative {name!r} is removed twice", hint="drop one of them")
        elif name in baseline.alternatives:
            continue
        elif name in policy.add:
            message = f"alternative {name!r} is added and removed by the same policy"
            yield PolicyFault(path=path, message=message, hint="drop one of the two")
        else:
            fault = _unknown(path, "alternative", name, baseline.alternatives)
            yield PolicyFault(path=path, message=fault.message, hint=fault.hint)
    if baseline.alternatives and not policy.add and set(baseline.alternatives) <= set(policy.remove):
        message, hint = "every alternative is removed", "leave at least one"
        yield PolicyFault(path=("remove",), message=message, hint=hint, of_key=True)


def _rule(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    if policy.rule is not None:
        try:
            resolve_sampling(policy.rule, baseline.sampling)
        except InvalidInputError as error:
            yield PolicyFault(path=("rule",), message=str(error))


def _filter(policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    if policy.filter:
        yield from _unknown_names(("filter",), policy.filter, baseline.names)
        message, hint = "differs by alternative, and a filter sorts agents", "use attributes of agents"
        yield from _misplaced(("filter",), parse_expression(policy.filter), baseline.by_alternative, message, hint)


# --- what the checks have in common ---------------------------------------------------------------------------------


def _cannot_be_changed(path: EntryPath, name: str, policy: Policy, baseline: PolicyContext) -> Iterator[PolicyFault]:
    """Say why an alternative named under `change` or `availability` is not there to be changed."""
    if name in policy.add:
        message = f"alternative {name!r} is added by this policy"
        yield PolicyFault(
            path=path, message=message, hint=f"put it under `add`, in {path[0]!r} of {name!r}", of_key=True
        )
    elif name not in baseline.alternatives:
        yield _unknown(path, "alternative", name, baseline.alternatives)
    else:
        message = f"alternative {name!r} is removed by this policy"
        yield PolicyFault(path=path, message=message, hint="drop one of the two", of_key=True)


def _not_an_attribute(path: EntryPath, name: str, baseline: PolicyContext) -> Iterator[PolicyFault]:
    if name in baseline.coefficients:
        hint = "change it under `coefficients`"
        yield PolicyFault(path=path, message=f"{name!r} is a coefficient", hint=hint, of_key=True)
    elif name not in baseline.columns:
        yield _unknown(path, "attribute", name, baseline.columns)


def _unknown(path: EntryPath, what: str, name: str, known: Iterable[str]) -> PolicyFault:
    names = list(known)
    hint = suggest(name, names) or (f"there are {', '.join(names[:_LISTED])}" if names else "there are none")
    return PolicyFault(path=path, message=f"unknown {what} {name!r}", hint=hint, of_key=True)


def _unknown_names(path: EntryPath, text: str, known: Collection[str]) -> Iterator[PolicyFault]:
    for error in parse_expression(text).check(known):
        yield _of_formula(path, error)


def _misplaced(
    path: EntryPath, formula: Expression, names: Collection[str], message: str, hint: str
) -> Iterator[PolicyFault]:
    """Yield a fault for each of `names` that a formula uses, where it is first."""
    first = {node.id: node.col_offset for node in reversed(name_nodes(formula.tree)) if node.id in names}
    for name, offset in sorted(first.items(), key=lambda pair: pair[1]):
        said = f"{name!r} {message}"
        yield _of_formula(path, ExpressionError(said, expression=formula.text, offset=offset, hint=hint))


def _of_formula(path: EntryPath, error: ExpressionError) -> PolicyFault:
    return PolicyFault(path=path, message=error.message, hint=error.hint, error=error)


def _formulas_of(name: str, policy: Policy, baseline: PolicyContext) -> list[Expression | None]:
    """Return the utility and the availability condition that hold for an alternative under the policy."""
    given = policy.availability.get(name)
    return [
        baseline.formulas.get(name),
        baseline.conditions.get(name) if given is None else parse_expression(given),
    ]


def _new_formulas(policy: Policy) -> Iterator[Expression]:
    """Yield the utilities and conditions that a policy brings: they may use an attribute that changes for all."""
    added = (text for new in policy.add.values() for text in (new.utility, new.availability))
    yield from (parse_expression(text) for text in (*policy.availability.values(), *added) if text)


def _names_in(formulas: Iterable[Expression | None]) -> set[str]:
    return {name for formula in formulas if formula is not None for name in formula.names}


def _users(attribute: str, baseline: PolicyContext) -> str:
    """Say whose utility uses an attribute."""
    users = [name for name, formula in baseline.formulas.items() if attribute in formula.names]
    return f"it is used by {', '.join(users[:_LISTED])}" if users else "no utility uses it"
