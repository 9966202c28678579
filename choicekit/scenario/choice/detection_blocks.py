"""The block of a choice scenario that asks whether its situations are like those of a reference population."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from choicekit.scenario.blocks import Block, Name

__all__ = ["SituationDetectionBlock"]

Value = Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean"]})]


class ReferenceBlock(Block):
    """The reference population: another table like that of the agents, or some of the agents' own rows."""

    table: Name | None = Field(default=None, description="CSV or Parquet file with the columns of the agents' table.")
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of a CSV file; by default found out from its first line."
    )
    column: Name | None = Field(default=None, description="Column of the agents' table that tells reference rows.")
    values: Annotated[list[Value], Field(min_length=1, max_length=10_000)] | None = Field(
        default=None, description="Its values in reference rows; the other rows are judged."
    )


class SituationDetectionBlock(Block):
    """Are the situations that agents face like those of a reference population."""

    reference: ReferenceBlock = Field(description="What is known.")
    retention: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.95, description="Share of situations like the reference's that is not flagged."
    )
    sides: Literal["upper", "both"] = Field(
        default="upper", description="upper: situations with little on offer are flagged; both: those with much, too."
    )
    attributes: Annotated[list[Name], Field(max_length=1_000)] | None = Field(
        default=None,
        description="Attributes for the distance beside the energy; by default numbers that utilities use, without "
        "those that do not vary. An empty list for none.",
    )
