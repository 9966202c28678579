"""The blocks of a choice scenario in which agents differ: distributions of coefficients, and latent classes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, create_model

from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.rules import RegularisedRule
from choicekit.scenario.blocks import Block, Finite, Formula, Name, dataclass_block, mapping_or, tagged_union
from choicekit.scenario.choice.policy_blocks import changed_rule
from choicekit.scenario.wording import show
from choicekit.suggestions import nearest

__all__ = ["ClassBlock", "RandomCoefficientsBlock", "class_block", "coefficient_value"]

Rules = tuple[tuple[str, type[RegularisedRule]], ...]
Distributions = tuple[tuple[str, type[CoefficientDistribution]], ...]

if TYPE_CHECKING:
    Entries = dict[str, dict[str, float]]
else:
    _SOME = Field(min_length=1, max_length=1_000)
    Entries = Annotated[dict[Name, Annotated[dict[Name, Finite], _SOME]], _SOME]


class RandomCoefficientsBlock(Block):
    """How random coefficients go together, and how finely their means are taken."""

    covariance: Entries | None = Field(
        default=None,
        description="Covariance of the normal numbers behind normal and lognormal coefficients, whose sd is then left "
        "out: for each its covariance with the others; what is left out is 0.",
    )
    cholesky: Entries | None = Field(
        default=None, description="In its place the lower triangular factor, a row a coefficient."
    )
    points: int = Field(default=64, description="Quasi-random points of each shift, a power of two.")
    shifts: int = Field(
        default=8, ge=8, description="Independent shifts of the points, at least 8: they tell the error."
    )


class ClassBlock(Block):
    """A kind of agent among several; nobody knows who is of which."""

    share: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Part of the agents that are of this class; those of all classes sum to one."
    )
    membership: Formula | None = Field(
        default=None,
        description="In place of the share a formula over attributes of agents and coefficients: its softmax over "
        "classes is how likely an agent is of each.",
    )
    coefficients: dict[Name, Any] = Field(
        default_factory=dict, description="Coefficients that are others in this class: numbers, or distributions."
    )


def coefficient_value(distributions: Distributions) -> Any:
    """Return the type of a coefficient: a number, or how it is distributed among agents."""

    def refuse_word(value: object) -> object:
        if not isinstance(value, str):
            return value
        kinds = dict(distributions)
        meant = value if value in kinds else nearest(value, kinds)
        if meant is None:
            return value
        entries = dataclass_block(kinds[meant]).model_fields
        parameters = [f"{name}: ..." for name, entry in entries.items() if entry.annotation is not bool]
        written = ", ".join([f"distribution: {meant}", *parameters])
        raise ValueError(f"must be a number, found {show(value)}, for a distribution write {{{written}}}")

    number = Annotated[Finite, BeforeValidator(refuse_word)]
    return mapping_or(tagged_union(distributions, "distribution"), number)


@cache
def class_block(rules: Rules, distributions: Distributions) -> type[ClassBlock]:
    """Return the block of a latent class that knows these rules and distributions."""
    description = (
        "How this class chooses; without a type as the model, with what is given here changed. Nests are given whole."
    )
    rule: Any = (changed_rule(rules), Field(default=None, description=description))
    value = coefficient_value(distributions)
    coefficients: Any = (dict[Name, value], ClassBlock.model_fields["coefficients"])  # type: ignore[valid-type]
    return create_model(
        "LatentClassBlock", __base__=ClassBlock, __doc__=ClassBlock.__doc__, coefficients=coefficients, rule=rule
    )
