"""Ninth station: one row of utilities through every rule there is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar

import numpy as np

from choicekit.errors import ChoicekitError
from choicekit.rules import Nest, RegularisedRule, registered_rules
from choicekit.tour.claims import ROUNDING, Claim, FloatArray, Station, law

__all__ = ["RuleRow", "RulesStation", "every_rule", "visit_rules"]


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleRow:
    """What one rule makes of the row.

    Attributes
    ----------
    rule : str
        Its registered name.
    label : str
        Its name, with its settings where the name occurs more than once.
    settings : str
        Its settings in words.
    probabilities : ndarray (J,)
    value : float
        The soft maximum.
    gap, max_gap : float
        How far that is above the maximum, and the sharp bound for any row of this length.
    cost : float
        T Omega(p); nan where the rule has no conjugate.
    n_support : int
        Alternatives with a probability above 0.
    coherent : bool
        Whether the rule has an additive-noise law.
    """

    rule: str
    label: str
    settings: str
    probabilities: FloatArray
    value: float
    gap: float
    max_gap: float
    cost: float
    n_support: int
    coherent: bool


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RulesStation(Station):
    """The same utilities through every rule, side by side.

    Attributes
    ----------
    utility : ndarray (J,)
    alternatives : tuple of str
    maximum : float
    rows : tuple of RuleRow
    left_out : tuple of str
        Registered rules that need settings nobody gave.
    """

    name: ClassVar[str] = "rules"
    title: ClassVar[str] = "One line changed, and agents choose otherwise"

    utility: FloatArray
    alternatives: tuple[str, ...]
    maximum: float
    rows: tuple[RuleRow, ...]
    left_out: tuple[str, ...]


def every_rule(given: Sequence[RegularisedRule] = ()) -> tuple[tuple[RegularisedRule, ...], tuple[str, ...]]:
    """Return the rules given, and each other registered one as it is made without settings.

    Parameters
    ----------
    given : sequence of RegularisedRule

    Returns
    -------
    rules : tuple of RegularisedRule
        By name; those of one name in the order they are given.
    left_out : tuple of str
        Names of rules that cannot be made without settings.

    Examples
    --------
    >>> rules, left_out = every_rule()
    >>> {"hardmax", "softmax"} <= {rule.name for rule in rules}
    True
    """
    rules, left_out = list(given), []
    for name, kind in sorted(registered_rules().items()):
        if any(type(rule) is kind for rule in given):
            continue
        try:
            rules.append(kind())
        except (TypeError, ChoicekitError):
            left_out.append(name)
    return tuple(sorted(rules, key=lambda rule: rule.name)), tuple(left_out)


def visit_rules(
    utility: FloatArray, alternatives: tuple[str, ...], rules: Sequence[RegularisedRule] = ()
) -> RulesStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.
    alternatives : tuple of str
        Names of the J alternatives.
    rules : sequence of RegularisedRule
        Rules with settings; every other registered one is added with its defaults.

    Raises
    ------
    InvalidInputError
        Where a rule does not fit the alternatives.

    Examples
    --------
    >>> station = visit_rules(np.array([0.0, 1.0]), ("a", "b"))
    >>> next(row.probabilities for row in station.rows if row.rule == "hardmax")
    array([0., 1.])
    """
    chosen, left_out = every_rule(rules)
    rows = tuple(_row(rule, _label(rule, chosen), utility, alternatives) for rule in chosen)
    return RulesStation(
        utility=utility,
        alternatives=alternatives,
        maximum=float(utility.max()),
        rows=rows,
        left_out=left_out,
        checks=tuple(check for row in rows for check in _checks(row, utility)),
    )


def _row(rule: RegularisedRule, label: str, utility: FloatArray, alternatives: tuple[str, ...]) -> RuleRow:
    placed = rule.for_alternatives(alternatives)
    p, value = placed.probabilities(utility), float(placed.value(utility))
    try:
        cost = float(placed.conjugate(p))
    except (ChoicekitError, NotImplementedError):  # no closed form
        cost = np.nan
    return RuleRow(
        rule=rule.name,
        label=label,
        settings="; ".join(f"{name} {setting}" for name, setting in _settings(rule).items()),
        probabilities=p,
        value=value,
        gap=value - float(utility.max()),
        max_gap=float(placed.max_gap(utility.size)),
        cost=cost,
        n_support=int((p > 0).sum()),
        coherent=rule.supports_coherent,
    )


def _label(rule: RegularisedRule, rules: Sequence[RegularisedRule]) -> str:
    """Return the rule's name, and the settings in which it differs from others of that name."""
    others = [_settings(other) for other in rules if other.name == rule.name]
    own = {
        name: setting
        for name, setting in _settings(rule).items()
        if any(other.get(name) != setting for other in others)
    }
    return ", ".join([rule.name.replace("_", " "), *(f"{name} {setting}" for name, setting in own.items())])


def _settings(rule: RegularisedRule) -> dict[str, str]:
    """Return settings as a person writes them, by name."""
    names: list[str] = [item.name for item in fields(rule)] if is_dataclass(rule) else []
    return {name.replace("_", " "): _shown(getattr(rule, name)) for name in names}


def _shown(setting: Any) -> str:
    if isinstance(setting, float):
        return f"{setting:g}"
    if isinstance(setting, Nest):
        parts = [f"{name} {part:g}" if part != 1 else str(name) for name, part in setting.allocations.items()]
        inner = [f"[{_shown(setting.nests)}]"] if setting.nests else []
        return ", ".join([*parts, *inner, f"dissimilarity {setting.dissimilarity:g}"])
    if isinstance(setting, Mapping):
        return "; ".join(f"{name}: {_shown(value)}" for name, value in setting.items())
    return str(setting)


def _checks(row: RuleRow, utility: FloatArray) -> list[Claim]:
    scale = float(np.abs(utility).max())
    slug = re.sub(r"[^a-z0-9]+", "_", row.label.lower()).strip("_")
    checks = [
        law(f"{slug}_sum", f"{row.label}: probabilities sum to one", row.probabilities.sum() - 1),
        Claim(
            name=f"{slug}_gap",
            title=f"{row.label}: the value is within its bound of the maximum",
            measure="excess over the bound, or shortfall below the maximum",
            value=max(row.gap - row.max_gap, -row.gap),
            limit=ROUNDING * max(1.0, scale),
            relation="<=",
        ),
    ]
    if np.isfinite(row.cost):
        met = float(row.probabilities @ utility) - row.cost - row.value
        checks.append(law(f"{slug}_met", f"{row.label}: the probabilities attain the value", met, scale=scale))
    return checks
