"""The blocks of a choice scenario that compare policies: what is changed, what it is worth, how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Discriminator, Field, Tag, create_model

from choicekit.rules import RegularisedRule
from choicekit.scenario.blocks import Block, Finite, Formula, Name, dataclass_block, mapping_or, rule_block

__all__ = [
    "CalibrateBlock",
    "CovarianceBlock",
    "NewAlternativeBlock",
    "PolicyBlock",
    "UncertaintyBlock",
    "WelfareBlock",
    "changed_rule",
    "policy_block",
]

_NonEmpty = Field(min_length=1, max_length=10_000)


class NewAlternativeBlock(Block):
    """An alternative that a policy adds."""

    utility: Formula | None = Field(default=None, description="Its formula; by default that of columns_like.")
    columns_like: Name | None = Field(
        default=None, description="Alternative whose columns, and availability by the data, it has."
    )
    change: dict[Name, Formula] | None = Field(
        default=None, description="Attributes that differ from those of columns_like: name to a formula."
    )
    availability: Formula | None = Field(
        default=None, description="Condition that must hold for it to be available; by default that of columns_like."
    )


class PolicyBlock(Block):
    """Something that is changed against the baseline; everything else stays as it is, the draws included."""

    description: Annotated[str, Field(max_length=5000)] | None = Field(
        default=None, description="What the policy is, in words."
    )
    change: dict[Name, dict[Name, Formula]] | None = Field(
        default=None,
        description="For an alternative the attributes that change: name to a formula over columns and coefficients.",
    )
    attributes: dict[Name, Formula] | None = Field(
        default=None, description="Attributes that change for every alternative: name to a formula."
    )
    coefficients: dict[Name, Formula] | None = Field(
        default=None, description="Coefficients that change: name to a number or a formula over coefficients."
    )
    availability: dict[Name, Formula] | None = Field(
        default=None, description="For an alternative the condition that holds in place of the baseline's."
    )
    add: dict[Name, NewAlternativeBlock] | None = Field(
        default=None, description="Alternatives that are offered in addition."
    )
    remove: list[Name] | None = Field(default=None, description="Alternatives that are offered no more.")
    filter: Formula | None = Field(
        default=None, description="Condition on attributes of agents: who is left when the policy holds."
    )


class WelfareBlock(Block):
    """What changes of utility are worth."""

    money: Formula = Field(
        description="The coefficient of cost, or a formula: minus it is the marginal utility of money."
    )
    unit: Name = Field(default="money units", description="Unit of money, such as $.")


class CovarianceBlock(Block):
    """How uncertain the coefficients are; exactly one of its entries is given."""

    table: Name | None = Field(
        default=None,
        description="CSV or Parquet file, relative to the scenario file: coefficients in its first column and header.",
    )
    matrix: Annotated[dict[Name, dict[Name, Finite]], _NonEmpty] | None = Field(
        default=None, description="For each coefficient its covariance with the others; what is left out is 0."
    )
    standard_errors: Annotated[dict[Name, Annotated[float, Field(ge=0, allow_inf_nan=False)]], _NonEmpty] | None = (
        Field(default=None, description="Standard errors of coefficients that were estimated independently.")
    )


class UncertaintyBlock(Block):
    """How often samples of agents and coefficients are drawn anew for intervals."""

    bootstrap: int = Field(
        default=500, ge=0, le=100_000, description="Samples of agents with replacement; 0 for no such interval."
    )
    parameter_draws: int = Field(
        default=500, ge=0, le=100_000, description="Draws of coefficients from their covariance; 0 for none."
    )


if TYPE_CHECKING:
    Share = float | dict[str, float]
else:
    _Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
    Share = mapping_or(Annotated[dict[Name, _Positive], _NonEmpty], _Positive)


class CalibrateBlock(Block):
    """Constants are adjusted so that expected shares meet given ones."""

    shares: Annotated[dict[Name, Share], _NonEmpty] = Field(
        description="Totals or shares of the alternatives, in any unit; with by, for each group such a mapping."
    )
    constants: Annotated[dict[Name, Name], _NonEmpty] | None = Field(
        default=None, description="The coefficient of each alternative that is adjusted; by default its constant."
    )
    by: Name | None = Field(default=None, description="Segment whose groups have shares of their own.")


@cache
def policy_block(rules: tuple[tuple[str, type[RegularisedRule]], ...]) -> type[PolicyBlock]:
    """Return the block of a policy whose ``rule:`` knows these rules."""
    description = "How agents choose; without a type as the baseline, but for what is given here (nests whole)."
    entry: Any = (changed_rule(rules), Field(default=None, description=description))
    return create_model("PolicyWithRuleBlock", __base__=PolicyBlock, __doc__=PolicyBlock.__doc__, rule=entry)


def changed_rule(rules: tuple[tuple[str, type[RegularisedRule]], ...]) -> Any:
    """Return the type of a rule beside that of the baseline: a whole one, some settings that change, or nothing."""
    return (
        Annotated[
            Annotated[rule_block(), Tag("typed")] | Annotated[_settings_block(rules), Tag("settings")],
            Discriminator(_has_type),
        ]
        | None
    )


def _has_type(value: object) -> str:
    if isinstance(value, Block):  # a default, or what has been validated already
        return "typed" if getattr(value, "type", None) is not None else "settings"
    return "settings" if isinstance(value, Mapping) and "type" not in value else "typed"


@cache
def _settings_block(rules: tuple[tuple[str, type[RegularisedRule]], ...]) -> type[Block]:
    """Return a block of the settings of all rules, each of which may be left out."""
    nothing = Field(default=None, description="Left out: that of the baseline.")
    entries: dict[str, Any] = {"type": (type(None), nothing)}
    for name, kind_of_rule in rules:
        for key, info in dataclass_block(kind_of_rule, name).model_fields.items():
            if key != "type":
                kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
                entries.setdefault(key, (kind | None, Field(default=None, description=info.description)))
    document = "Settings of the baseline's rule that change."
    return create_model("RuleSettingsBlock", __base__=Block, __doc__=document, **entries)
