"""Rules by name: what YAML, `choicekit list` and the contract suite go through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from choicekit.errors import InvalidInputError
from choicekit.rules.regularised import RegularisedRule

__all__ = ["register_rule", "registered_rules", "rule_from_name"]

Rule = TypeVar("Rule", bound=type[RegularisedRule])

_RULES: dict[str, type[RegularisedRule]] = {}


def register_rule(name: str) -> Callable[[Rule], Rule]:
    """Make a rule known under `name`, the word for it in YAML.

    Parameters
    ----------
    name : str
        Lower-case word, such as ``"softmax"``.

    Returns
    -------
    callable
        Class decorator that returns the class unchanged.

    Raises
    ------
    InvalidInputError
        Where another class already has the name, or the class lacks methods that a rule must have.

    Examples
    --------
    >>> {"hardmax", "softmax"} <= set(registered_rules())
    True
    """

    def decorate(rule: Rule) -> Rule:
        lacking = sorted(getattr(rule, "__abstractmethods__", ()))
        if lacking:
            raise InvalidInputError(f"rule {name!r} is unfinished: define {', '.join(lacking)} in {rule.__qualname__}")
        if name in _RULES and _RULES[name] is not rule:
            raise InvalidInputError(f"a rule named {name!r} exists already: {_RULES[name].__qualname__}")
        _RULES[name] = rule
        rule.name = name
        return rule

    return decorate


def registered_rules() -> Mapping[str, type[RegularisedRule]]:
    """Return every registered rule by its name, read-only.

    Examples
    --------
    >>> registered_rules()["softmax"]()
    Softmax(temperature=1.0)
    """
    return MappingProxyType(_RULES)


def rule_from_name(name: str, **settings: Any) -> RegularisedRule:
    """Build a registered rule from its name and settings.

    Raises
    ------
    InvalidInputError
        Where no rule has the name.

    Examples
    --------
    >>> rule_from_name("softmax", temperature=0.5)
    Softmax(temperature=0.5)
    """
    if name not in _RULES:
        raise InvalidInputError(f"unknown rule {name!r}: choose one of {', '.join(sorted(_RULES))}")
    return _RULES[name](**settings)
