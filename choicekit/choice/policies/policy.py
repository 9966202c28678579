"""A policy: something that is changed about a choice model or its population, to be compared with the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from choicekit.choice.expressions import parse_expression
from choicekit.choice.sampling import check_rule
from choicekit.errors import InvalidInputError
from choicekit.rules import ChoiceRule
from choicekit.suggestions import suggest

__all__ = ["NewAlternative", "Policy", "policy_from"]


@dataclass(frozen=True, kw_only=True)
class NewAlternative:
    """An alternative that a policy adds.

    Parameters
    ----------
    utility : str
        Its formula; by default that of `columns_like`.
    columns_like : str
        The alternative of the baseline whose attributes and availability by the data it has. Without one it has
        attributes of agents only, and is available to everybody.
    change : mapping of str to str
        Attributes that differ from those of `columns_like`: name to a formula.
    availability : str
        A condition that must hold for it to be available; by default that of `columns_like`.

    Raises
    ------
    ExpressionError
        For a formula that cannot be read.
    InvalidInputError
        Where there is neither a utility nor an alternative to take it from.

    Examples
    --------
    >>> NewAlternative(columns_like="train", change={"cost": "0.6 * cost"}).columns_like
    'train'
    """

    utility: str = ""
    columns_like: str = ""
    change: Mapping[str, str] = field(default_factory=dict)
    availability: str = ""

    def __post_init__(self) -> None:
        if self.utility == "" and not self.columns_like:
            raise InvalidInputError("a new alternative needs a `utility`, or `columns_like` to take it from")
        object.__setattr__(self, "utility", _formula(self.utility))
        object.__setattr__(self, "availability", _formula(self.availability))
        object.__setattr__(self, "columns_like", str(self.columns_like))
        object.__setattr__(self, "change", _formulas("change", self.change))


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What is changed against the baseline; everything else stays as it is, the draws included.

    Parameters
    ----------
    description : str
        What it is, in words.
    change : mapping of str to (mapping of str to str)
        For an alternative its attributes that change: name to a formula over columns and coefficients, as in
        ``{"train": {"cost": "0.8 * cost"}}``. Within the formulas of this alternative, and nowhere else, the name
        then stands for the changed attribute.
    attributes : mapping of str to str
        Attributes that change for every alternative: ``{"income": "1.1 * income"}``. For an alternative that
        has the same attribute under `change`, that is used instead.
    coefficients : mapping of str to str or float
        Coefficients that change: name to a number, or a formula over coefficients.
    availability : mapping of str to str
        For an alternative the condition that holds in place of the baseline's. What the data say about availability
        still holds.
    add : mapping of str to NewAlternative
        Alternatives that are offered in addition.
    remove : sequence of str
        Alternatives that are offered no more.
    rule : ChoiceRule, optional
        How agents choose, in place of the baseline's rule.
    filter : str
        A condition on attributes of agents: the policy's population are the rows for which it holds.

    Raises
    ------
    ExpressionError
        For a formula that cannot be read.
    InvalidInputError
        For fields of another form.

    See Also
    --------
    compare_policies : compares policies with the baseline.

    Examples
    --------
    >>> policy = Policy(change={"train": {"cost": "0.8 * cost"}}, remove=["bus"])
    >>> policy.change["train"]["cost"], policy.remove
    ('0.8 * cost', ('bus',))
    """

    description: str = ""
    change: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    coefficients: Mapping[str, str] = field(default_factory=dict)
    availability: Mapping[str, str] = field(default_factory=dict)
    add: Mapping[str, NewAlternative] = field(default_factory=dict)
    remove: Sequence[str] = ()
    rule: ChoiceRule | None = None
    filter: str = ""

    def __post_init__(self) -> None:
        changes = _mapping("change", self.change, "{'train': {'cost': '0.8 * cost'}}")
        change = {str(name): _formulas(f"change of {name!r}", given) for name, given in changes.items()}
        object.__setattr__(self, "change", MappingProxyType(change))
        for name in ("attributes", "coefficients", "availability"):
            object.__setattr__(self, name, _formulas(name, getattr(self, name)))
        added = _mapping("add", self.add, "{'night_train': NewAlternative(columns_like='train')}")
        new = {str(name): _new_alternative(name, given) for name, given in added.items()}
        object.__setattr__(self, "add", MappingProxyType(new))
        if isinstance(self.remove, str) or not isinstance(self.remove, Sequence):
            raise InvalidInputError(f"remove must be a list of alternatives, found {self.remove!r}: give ['bus']")
        object.__setattr__(self, "remove", tuple(str(name) for name in self.remove))
        if self.rule is not None:
            check_rule(self.rule)
        object.__setattr__(self, "filter", _formula(self.filter))


def policy_from(name: str, given: Policy | Mapping[str, Any]) -> Policy:
    """Return a policy, made from a mapping of its fields where it is not one already.

    Parameters
    ----------
    name : str
        Of the policy, for messages.
    given : Policy or mapping
        ``{"change": {"train": {"cost": "0.8 * cost"}}}``, as in a scenario file.

    Raises
    ------
    InvalidInputError
        For an unknown key, with the nearest one there is, and as `Policy`.

    Examples
    --------
    >>> policy_from("no bus", {"remove": ["bus"]}).remove
    ('bus',)
    """
    if isinstance(given, Policy):
        return given
    settings = _mapping(f"policy {name!r}", given, "{'remove': ['bus']}")
    return Policy(**_known(f"policy {name!r}", Policy, settings))


def _new_alternative(name: object, given: object) -> NewAlternative:
    if isinstance(given, NewAlternative):
        return given
    what = f"new alternative {name!r}"
    return NewAlternative(**_known(what, NewAlternative, _mapping(what, given, "{'columns_like': 'train'}")))


def _known(what: str, cls: type[Policy] | type[NewAlternative], settings: Mapping[Any, Any]) -> dict[str, Any]:
    known = [item.name for item in fields(cls)]
    for key in settings:
        if key not in known:
            hint = suggest(str(key), known) or f"there are {', '.join(known)}"
            raise InvalidInputError(f"{what} has an unknown entry {key!r}, {hint}")
    return dict(settings)


def _mapping(what: str, given: object, example: str) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"{what} must be a mapping by name, found {given!r}: give some such as {example}")
    return given


def _formulas(what: str, given: object) -> Mapping[str, str]:
    texts = _mapping(what, given, "{'cost': '0.8 * cost'}")
    return MappingProxyType({str(name): _formula(text) for name, text in texts.items()})


def _formula(given: object) -> str:
    """Return the text of a formula, read now so that a fault shows where it is written; a number is one, too."""
    text = given if isinstance(given, str) else repr(given.item() if isinstance(given, np.generic) else given)
    if text:
        parse_expression(text)
    return text
