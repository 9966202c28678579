"""The blocks of `kind: choice`: what its file may hold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, create_model

from choicekit.choice.heterogeneity.distributions import registered_distributions
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
from choicekit.scenario.choice.capacity_blocks import CapacityBlock
from choicekit.scenario.choice.detection_blocks import SituationDetectionBlock
from choicekit.scenario.choice.policy_blocks import (
    CalibrateBlock,
    CovarianceBlock,
    PolicyBlock,
    UncertaintyBlock,
    WelfareBlock,
    policy_block,
)
from choicekit.scenario.choice.type_blocks import (
    ClassBlock,
    Distributions,
    RandomCoefficientsBlock,
    Rules,
    class_block,
    coefficient_value,
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


_RULE = {
    "type": "nested_logit",
    "nests": {"rail": {"members": ["train", "tram"], "dissimilarity": 0.5}, "car": {"members": ["car"]}},
}
_POLICIES = {
    "cheaper-bus": {
        "change": {"bus": {"fare": "0.8 * fare"}},
        "attributes": {"income": "1.1 * income"},
        "coefficients": {"b_cost": "2 * b_cost"},
        "availability": {"car": "owns_car == 1"},
        "add": {"tram": {"columns_like": "bus", "change": {"fare": "0.8 * fare"}}},
        "remove": ["bus"],
    }
}


class ChoiceBlock(ScenarioBlock):
    """Agents choose among alternatives: shares expected and simulated, by segment."""

    kind: Literal["choice"] = Field(description="What the study is about: choice.")
    labels: LabelsBlock = Field(
        default_factory=LabelsBlock,
        description="Words and units for the report.",
        examples=[{"agents": "travellers", "choices": "trips"}],
    )
    agents: AgentsBlock = Field(
        description="Who chooses.",
        examples=[{"table": "people.csv", "rows": [{"id": 1, "income": 20}], "attributes": {"cost": {"bus": "fare"}}}],
    )
    alternatives: Alternatives | None = Field(
        default=None, description="The alternatives: names, or labels in the table with their names."
    )
    coefficients: dict[Name, Any] = Field(
        default_factory=dict,
        description="What formulas use, by name: numbers, or distributions among agents.",
        examples=[{"b_cost": -0.5, "b_time": {"distribution": "normal", "mean": -1, "sd": 0.5}}],
    )
    random_coefficients: RandomCoefficientsBlock | None = Field(
        default=None,
        description="How random coefficients go together, and how finely their means are taken.",
        examples=[{"covariance": {"b_time": {"b_time": 0.25}}, "cholesky": {"b_time": {"b_time": 0.5}}}],
    )
    classes: dict[Name, ClassBlock] = Field(
        default_factory=dict,
        description="Kinds of agent that differ in coefficients or rule, by name.",
        examples=[{"careful": {"share": 0.7, "coefficients": {"b_cost": -1}}}],
    )
    utility: Utility = Field(
        description="A formula for each alternative, or one for all.",
        examples=[{"bus": "b_cost * fare", "car": "b_cost * fuel"}],
    )
    availability: dict[Name, Formula] = Field(
        default_factory=dict,
        description="For some alternatives a condition that must hold for it to be available.",
        examples=[{"car": "owns_car == 1"}],
    )
    on_no_alternative: Literal["error", "skip", "outside"] = Field(
        default="error", description="What to do with an agent to whom nothing is available."
    )
    segments: dict[Name, SegmentBlock] = Field(
        default_factory=dict,
        description="Breakdowns of the results.",
        examples=[{"income": {"column": "income", "edges": [20, 40], "labels": ["low", "middle", "high"]}}],
    )
    simulation: SimulationBlock = Field(
        default_factory=SimulationBlock,
        description="How choices are drawn.",
        examples=[{"replications": 200, "sampling": "auto"}],
    )
    policies: dict[Name, PolicyBlock] = Field(
        default_factory=dict, description="What is changed against the baseline, by name.", examples=[_POLICIES]
    )
    calibrate: CalibrateBlock | None = Field(
        default=None,
        description="Shares that the expected ones are to meet, by adjusted constants.",
        examples=[{"shares": {"bus": 0.3, "car": 0.7}, "constants": {"bus": "asc_bus"}}],
    )
    welfare: WelfareBlock | None = Field(
        default=None,
        description="What changes of utility are worth in money.",
        examples=[{"money": "b_cost", "unit": "$"}],
    )
    elasticities: list[Name] | None = Field(
        default=None,
        description="Attributes whose elasticities are shown; by default those that policies change, where there are "
        "at most 30 alternatives.",
        examples=[["cost"]],
    )
    covariance: CovarianceBlock | None = Field(
        default=None,
        description="How uncertain the coefficients are.",
        examples=[{"standard_errors": {"b_cost": 0.1}, "matrix": {"b_cost": {"b_cost": 0.01}}}],
    )
    uncertainty: UncertaintyBlock | None = Field(
        default=None,
        description="How often agents and coefficients are drawn anew for intervals.",
        examples=[{"bootstrap": 500, "parameter_draws": 500}],
    )
    detection: SituationDetectionBlock | None = Field(
        default=None,
        description="Are the situations that agents face like those of a reference population.",
        examples=[{"reference": {"column": "year", "values": [2020]}, "attributes": ["cost"]}],
    )
    capacity: CapacityBlock | None = Field(
        default=None,
        description="How many alternatives take: who pays or is turned away.",
        examples=[{"limits": {"bus": 40}, "priority": "age", "policies": {"cheaper-bus": {"bus": 60}}}],
    )
    checks: ChecksBlock = Field(
        default_factory=ChecksBlock, description="What must hold.", examples=[{"half_width": 0.01}]
    )


def choice_specification() -> type[ChoiceBlock]:
    """Return the model of the whole file; its rules and distributions are those registered now."""
    return _specification(tuple(sorted(registered_rules().items())), tuple(sorted(registered_distributions().items())))


@cache
def _specification(rules: Rules, distributions: Distributions) -> type[ChoiceBlock]:
    default = dataclass_block(dict(rules)[DEFAULT_RULE], DEFAULT_RULE).model_validate({"type": DEFAULT_RULE})
    made_of_names: dict[str, Any] = {
        "policies": dict[Name, policy_block(rules)],  # type: ignore[misc]  # types made as the program runs
        "coefficients": dict[Name, coefficient_value(distributions)],  # type: ignore[misc]
        "classes": dict[Name, class_block(rules, distributions)],  # type: ignore[misc]
    }
    entries: dict[str, Any] = {name: (kind, ChoiceBlock.model_fields[name]) for name, kind in made_of_names.items()}
    description = "How agents choose; see `choicekit list`."
    entries["rule"] = (rule_block(), Field(default=default, description=description, examples=[_RULE]))
    return create_model("ChoiceSpecification", __base__=ChoiceBlock, __doc__=ChoiceBlock.__doc__, **entries)
