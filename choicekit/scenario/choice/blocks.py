"""The blocks of `kind: choice`: what its file may hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, create_model

from choicekit.rules import registered_rules
from choicekit.scenario.blocks import (
    DEFAULT_RULE,
    Block,
    Finite,
    Formula,
    Name,
    ScenarioBlock,
    dataclass_block,
    mapping_or,
    rule_block,
)
from choicekit.scenario.choice.policy_blocks import (
    CalibrateBlock,
    CovarianceBlock,
    PolicyBlock,
    UncertaintyBlock,
    WelfareBlock,
    policy_block,
)
from choicekit.scenario.wording import show

__all__ = ["ChecksBlock", "ChoiceBlock", "choice_specification"]


def _one_value(value: object) -> object:
    if isinstance(value, Mapping | list):
        raise ValueError(f"must be text, a number, true or false, found {show(value)}")
    return value


if TYPE_CHECKING:
    Scalar = str | float | bool | None
else:
    Scalar = Annotated[
        Any, AfterValidator(_one_value), WithJsonSchema({"type": ["string", "number", "boolean", "null"]})
    ]


class AgentsBlock(Block):
    """Who chooses: a table beside the scenario, or a few rows written into it."""

    table: Name | None = Field(default=None, description="CSV or Parquet file, relative to the scenario file.")
    rows: Annotated[list[dict[str, Scalar]], Field(min_length=1)] | None = Field(
        default=None, description="Rows written here instead of a table: a list of mappings with the same keys."
    )
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of a CSV file; by default found out from its first line."
    )
    layout: Literal["wide", "long"] = Field(
        default="wide",
        description="wide: one row an agent (and situation). long: one row an agent (and situation) and alternative.",
    )
    agent: Name | None = Field(default=None, description="Column that identifies the agent; by default the row.")
    situation: Name | None = Field(default=None, description="Column of choice situations, where agents choose often.")
    alternative: Name | None = Field(default=None, description="Column that names the alternative (long layout).")
    chosen: Name | None = Field(
        default=None, description="Column of observed choices: 1 or 0 a row (long), or the alternative's label (wide)."
    )
    weight: Name | None = Field(default=None, description="Column of weights: how many agents a row stands for.")
    availability: Name | None = Field(
        default=None,
        description="Column that is 1 where available, else 0 (long layout).",
    )
    missing_rows: Literal["error", "unavailable"] = Field(
        default="error", description="What it means that an agent has no row for an alternative (long layout)."
    )
    attributes: dict[Name, dict[Name, Name]] = Field(
        default_factory=dict,
        description="Attributes that differ by alternative (wide layout): name to a column for each alternative.",
    )


class SegmentBlock(Block):
    """A breakdown of results: by ranges of a number, or by the values of a column."""

    column: Name = Field(description="Column of an attribute of agents.")
    edges: Annotated[list[Finite], Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Increasing numbers that separate the groups; by default each value is a group."
    )
    labels: list[Name] | None = Field(default=None, description="Names of the groups, one more than edges.")


class SimulationBlock(Block):
    """How choices are drawn."""

    replications: int = Field(default=200, ge=1, le=1_000_000, description="Independent repetitions of every choice.")
    sampling: Literal["auto", "coherent", "fast"] = Field(
        default="auto",
        description="coherent: one perturbation an agent and alternative. fast: one uniform an agent. "
        "auto: coherent if the rule allows it.",
    )
    save_choices: bool = Field(default=False, description="Write every simulated choice to data/choices.parquet.")


class ChecksBlock(Block):
    """What must hold for the result to be trusted; a failed check is reported and changes the exit code."""

    agreement: float = Field(
        default=1e-4, ge=0, lt=1, description="Least probability of counts as far from the expected ones as simulated."
    )
    half_width: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        default=None, description="Greatest half-width of a simulated share's 95 % interval, as a share."
    )
    observed_shares: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        default=None, description="Greatest distance of expected from observed shares."
    )


class LabelsBlock(Block):
    """Words and units for the report."""

    agents: Name = Field(default="agents", description="What the agents are called, such as travellers.")
    choices: Name = Field(default="choices", description="What they choose, such as trips.")
    inclusive_value: Name = Field(default="utility units", description="Unit of utility.")


if TYPE_CHECKING:
    Alternatives = dict[str, str] | list[str]
    Utility = dict[str, str] | str
else:
    _SOME = Field(min_length=1, max_length=10_000)
    Alternatives = mapping_or(Annotated[dict[Name, Name], _SOME], Annotated[list[Name], _SOME])
    Utility = mapping_or(Annotated[dict[Name, Formula], _SOME], Formula)


class ChoiceBlock(ScenarioBlock):
    """Agents choose among alternatives: shares expected and simulated, by segment."""

    kind: Literal["choice"] = Field(description="What the study is about: choice.")
    labels: LabelsBlock = Field(default_factory=LabelsBlock, description="Words and units for the report.")
    agents: AgentsBlock = Field(description="Who chooses.")
    alternatives: Alternatives | None = Field(
        default=None, description="The alternatives: names, or labels in the table with their names."
    )
    coefficients: dict[Name, Finite] = Field(default_factory=dict, description="Numbers that formulas use, by name.")
    utility: Utility = Field(description="A formula for each alternative, or one for all.")
    availability: dict[Name, Formula] = Field(
        default_factory=dict, description="For some alternatives a condition that must hold for it to be available."
    )
    on_no_alternative: Literal["error", "skip", "outside"] = Field(
        default="error", description="What to do with an agent to whom nothing is available."
    )
    segments: dict[Name, SegmentBlock] = Field(default_factory=dict, description="Breakdowns of the results.")
    simulation: SimulationBlock = Field(default_factory=SimulationBlock, description="How choices are drawn.")
    policies: dict[Name, PolicyBlock] = Field(
        default_factory=dict, description="What is changed against the baseline, by name."
    )
    calibrate: CalibrateBlock | None = Field(
        default=None, description="Shares that the expected ones are to meet, by adjusted constants."
    )
    welfare: WelfareBlock | None = Field(default=None, description="What changes of utility are worth in money.")
    elasticities: list[Name] | None = Field(
        default=None,
        description="Attributes whose elasticities are shown; by default those that policies change, where there are "
        "at most 30 alternatives.",
    )
    covariance: CovarianceBlock | None = Field(default=None, description="How uncertain the coefficients are.")
    uncertainty: UncertaintyBlock | None = Field(
        default=None, description="How often agents and coefficients are drawn anew for intervals."
    )
    checks: ChecksBlock = Field(default_factory=ChecksBlock, description="What must hold.")


def choice_specification() -> type[ChoiceBlock]:
    """Return the model of the whole file; its rules are those registered now."""
    return _specification(tuple(sorted(registered_rules())))


@cache
def _specification(rules: tuple[str, ...]) -> type[ChoiceBlock]:
    default = dataclass_block(registered_rules()[DEFAULT_RULE], DEFAULT_RULE).model_validate({"type": DEFAULT_RULE})
    rule = (rule_block(), Field(default=default, description="How agents choose; see `choicekit list`."))
    policies: Any = (dict[Name, policy_block(rules)], ChoiceBlock.model_fields["policies"])  # type: ignore[misc]
    return create_model(
        "ChoiceSpecification", __base__=ChoiceBlock, __doc__=ChoiceBlock.__doc__, rule=rule, policies=policies
    )
