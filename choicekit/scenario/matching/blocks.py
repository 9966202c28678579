"""The blocks of `kind: matching`: what its file may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from choicekit.scenario.assignment.blocks import Amount, Attribute, FactorBlock, Mass, PairsBlock
from choicekit.scenario.blocks import Block, Finite, Formula, Name, ScenarioBlock, mapping_or

__all__ = ["MatchingBlock", "MechanismName"]

MechanismName = Literal[
    "deferred_acceptance",
    "deferred_acceptance_by_columns",
    "immediate_acceptance",
    "serial_dictatorship",
    "optimal",
    "entropic",
]
_SOME = Field(min_length=1, max_length=100_000)
Taste = Annotated[float, Field(ge=0, allow_inf_nan=False)]

if TYPE_CHECKING:
    Utility = str | PairsBlock
    Capacity = float | FactorBlock
else:
    Utility = mapping_or(PairsBlock, Formula)
    Capacity = mapping_or(FactorBlock, Amount)


class MatchingLabelsBlock(Block):
    """Words for the report."""

    row: Name = Field(default="row", description="What one row is, such as pupil.")
    rows: Name = Field(default="rows", description="What rows are, such as pupils.")
    column: Name = Field(default="column", description="What one column is, such as school.")
    columns: Name = Field(default="columns", description="What columns are, such as schools.")
    group: Name = Field(default="group", description="What groups of rows are, such as neighbourhood.")


class MatchingRowsBlock(Block):
    """Who is matched: one each, or so many of a sort."""

    table: Name | None = Field(
        default=None, description="CSV or Parquet file with a line a row or a sort of rows, relative to the scenario."
    )
    name: Name | None = Field(default=None, description="Column of the table that names them.")
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of a CSV file; by default found out from its first line."
    )
    names: Annotated[list[Name], _SOME] | None = Field(default=None, description="Instead of a table their names.")
    count: Mass | None = Field(
        default=None,
        description="How many there are of each: by name, a number for all, or a column of the table. One by default.",
    )
    group: Name | None = Field(
        default=None, description="Attribute to break results down by; with `count` by default the sort itself."
    )
    attributes: dict[Name, dict[Name, Attribute]] = Field(
        default_factory=dict, description="Attributes for formulas by name, beside the columns of a table."
    )


class MatchingColumnsBlock(Block):
    """Where they are matched to, and how many each takes."""

    table: Name | None = Field(
        default=None, description="CSV or Parquet file with a line a column, relative to the scenario."
    )
    name: Name | None = Field(default=None, description="Column of the table that names them.")
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of a CSV file; by default found out from its first line."
    )
    names: Annotated[list[Name], _SOME] | None = Field(default=None, description="Instead of a table their names.")
    capacity: Mass = Field(
        default=1.0,
        description="How many rows each takes, whole numbers: by name, one number for all, or a column of the table.",
    )
    attributes: dict[Name, dict[Name, Attribute]] = Field(
        default_factory=dict, description="Attributes for formulas by name, beside the columns of a table."
    )


class SidesBlock(Block):
    """A number for either side."""

    rows: Taste | None = Field(default=None, description="For rows.")
    columns: Taste | None = Field(default=None, description="For columns.")


class OutsideBlock(Block):
    """Utility of being without; pairs that are worth less are not made."""

    rows: Finite | None = Field(default=None, description="Of a row without a column; by default any is better.")
    columns: Finite | None = Field(default=None, description="Of an empty place; by default any row is better.")


class NewColumnBlock(Block):
    """A column that a policy opens."""

    capacity: Amount = Field(description="How many rows it takes, a whole number.")
    like: Name | None = Field(default=None, description="A column whose attributes it has, but for its own.")
    attributes: dict[Name, Attribute] = Field(default_factory=dict, description="Its own attributes.")


class MatchingPolicyBlock(Block):
    """Something that is changed against the baseline; everything else stays as it is, tastes and lotteries too."""

    description: str = Field(default="", max_length=1000, description="In a sentence.")
    capacity: dict[Name, Capacity] = Field(
        default_factory=dict, description="Other capacities by name: a number, or a factor such as {factor: 2}."
    )
    new_columns: dict[Name, NewColumnBlock] = Field(default_factory=dict, description="Columns that open, by name.")
    remove_columns: Annotated[list[Name], Field(max_length=10_000)] = Field(
        default=[], description="Columns that close."
    )


class MatchingBlock(ScenarioBlock):
    """Who gets which place: mechanisms side by side on the same tastes."""

    kind: Literal["matching"] = Field(description="What the study is about: matching.")
    labels: MatchingLabelsBlock = Field(
        default_factory=MatchingLabelsBlock,
        description="Words for the report.",
        examples=[{"row": "pupil", "rows": "pupils", "column": "school", "columns": "schools"}],
    )
    rows: MatchingRowsBlock = Field(description="Who is matched.", examples=[{"names": ["ann", "bo"]}])
    columns: MatchingColumnsBlock = Field(
        description="Where to.", examples=[{"names": ["east", "west"], "capacity": {"east": 1, "west": 1}}]
    )
    coefficients: dict[Name, Finite] = Field(default_factory=dict, description="Numbers that formulas use by name.")
    row_utility: Utility = Field(
        description="What columns are worth to rows: a formula over row_<attribute>, column_<attribute> and "
        "coefficients, or numbers by pair."
    )
    column_utility: Utility | None = Field(
        default=None,
        description="What rows are worth to columns, such as priorities, likewise. Deferred and immediate acceptance "
        "need it; equal numbers are told apart by a lottery.",
    )
    taste: SidesBlock = Field(
        default_factory=SidesBlock,
        description="Size of the Gumbel tastes added to either side, in units of utility: by default 1 for rows, none "
        "for columns.",
    )
    outside: OutsideBlock = Field(default_factory=OutsideBlock, description="Utility of being without.")
    mechanisms: Annotated[list[MechanismName], Field(min_length=1, max_length=6)] | None = Field(
        default=None, description="That are compared; by default all that the utilities allow."
    )
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Of the entropic assignment; by default the size of the tastes of rows."
    )
    ties: Literal["single", "multiple"] = Field(
        default="single", description="One lottery number a row for all columns, or one for each."
    )
    draws: int = Field(default=20, ge=2, le=10_000, description="Of tastes and lotteries.")
    policies: Annotated[dict[Name, MatchingPolicyBlock], Field(max_length=20)] = Field(
        default_factory=dict, description="What if, by name.", examples=[{"more": {"capacity": {"east": 2}}}]
    )
