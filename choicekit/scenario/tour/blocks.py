"""The blocks of `kind: tour`: what its file may hold."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, create_model

from choicekit.rules import RegularisedRule, registered_rules
from choicekit.scenario.blocks import Finite, Name, ScenarioBlock, mapping_or, rule_block
from choicekit.tour.plan import FEWEST_DRAWS, MAX_ALTERNATIVES, MOST_DRAWS, STATIONS, TourPlan

__all__ = ["TourBlock", "tour_specification"]

_DEFAULT = TourPlan(seed=0)

if TYPE_CHECKING:
    StationName = str
    Row = dict[str, float] | list[float]
else:
    StationName = Literal[STATIONS]
    _SOME = Field(max_length=MAX_ALTERNATIVES)  # the plan says what else must hold
    Row = mapping_or(Annotated[dict[Name, Finite], _SOME], Annotated[list[Finite], _SOME])

AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Temperatures = Annotated[list[AboveZero], Field(min_length=1, max_length=8)]


class TourBlock(ScenarioBlock):
    """The theory as a story: stations with numbers, pictures and claims that are checked."""

    kind: Literal["tour"] = Field(description="What the study is about: tour.")
    stations: Annotated[list[StationName], Field(min_length=1)] = Field(
        default=list(_DEFAULT.stations),
        description="Which stations, in which order; by default all.",
        examples=[["argmax", "energy"]],
    )
    utilities: dict[Name, Row] = Field(
        default_factory=dict,
        description="Another row of utilities for a station: numbers, or numbers by the names of alternatives.",
        examples=[{"argmax": [0, 1, 7], "rules": {"bus": 0.5, "car": 1}}],
    )
    temperatures: Temperatures = Field(
        default=list(_DEFAULT.temperatures),
        description="temperature: where formulas of softmax are compared.",
        examples=[[1, 0.001]],
    )
    relaxation_temperatures: Temperatures = Field(
        default=list(_DEFAULT.relaxation_temperatures),
        description="gumbel-softmax: kappa of the samples.",
        examples=[[0.1, 1, 10]],
    )
    samples: int = Field(default=_DEFAULT.samples, ge=1, le=20, description="gumbel-softmax: samples at each kappa.")
    draws: Annotated[
        list[Annotated[int, Field(ge=FEWEST_DRAWS, le=MOST_DRAWS)]], Field(min_length=1, max_length=20)
    ] = Field(
        default=list(_DEFAULT.draws),
        description="convergence: numbers of draws at which frequencies are taken.",
        examples=[[100, 1000, 10000]],
    )
    replications: int = Field(
        default=_DEFAULT.replications, ge=2, le=1_000, description="convergence: how often the draws are repeated."
    )
    agents: int = Field(
        default=_DEFAULT.agents, ge=100, le=10_000_000, description="two-samplings: how many choose in both ways."
    )
    improved: Name | None = Field(
        default=None, description="two-samplings: the alternative that is improved; by default the first."
    )
    lift: AboveZero = Field(default=_DEFAULT.lift, description="two-samplings: by how much its utility rises.")
    shift: Finite = Field(default=_DEFAULT.shift, description="energy: how far the two situations are apart; not 0.")
    rules: list[Any] = Field(
        default_factory=list,
        description="rules: rules with settings, beside every other one with its defaults; see `choicekit list`.",
        examples=[[{"type": "softmax", "temperature": 0.5}]],
    )


def tour_specification() -> type[TourBlock]:
    """Return the model of the whole file; its rules are those registered now."""
    return _specification(tuple(sorted(registered_rules().items())))


@cache
def _specification(rules: tuple[tuple[str, type[RegularisedRule]], ...]) -> type[TourBlock]:
    listed: Any = (Annotated[list[rule_block()], Field(max_length=40)], TourBlock.model_fields["rules"])  # type: ignore[misc]
    return create_model("TourSpecification", __base__=TourBlock, __doc__=TourBlock.__doc__, rules=listed)
