"""The blocks of `kind: assignment`: what its file may hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from choicekit.scenario.blocks import Block, Finite, Formula, Name, ScenarioBlock, mapping_or
from choicekit.scenario.wording import show

__all__ = ["AssignmentBlock", "CrossCheckBlock", "FactorBlock"]

Condition = Literal["fixed", "at_most", "relaxed", "free", "with_outside_option"]

CROSS_VALIDATED = "cross-validated"
_SOME = Field(min_length=1, max_length=10_000)
_MOST = 1_000


def _number_or_column(value: object) -> object:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, numbers by name, or a column of the table, found {show(value)}")
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"must be a finite number of at least 0, found {show(value)}")
    return value


def _below_infinity(value: float) -> float:
    if not value < math.inf:
        raise ValueError(f"must be a number, or -.inf where a pair is forbidden, found {show(value)}")
    return value


def _number_or_cross_validated(value: object) -> object:
    if value == CROSS_VALIDATED or (isinstance(value, int | float) and not isinstance(value, bool)):
        return _number_or_column(value)
    raise ValueError(f"must be a number of at least 0, or {CROSS_VALIDATED}, found {show(value)}")


def _number_or_text(value: object) -> object:
    if isinstance(value, str | bool) or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    raise ValueError(f"must be a finite number or text, found {show(value)}")


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, AfterValidator(_below_infinity)]

if TYPE_CHECKING:
    Mass = float | str | dict[str, float]
    Attribute = float | str
    Penalty = float | Literal["cross-validated"]
    Values = list[list[float]] | dict[str, dict[str, float] | list[float]]
else:
    Mass = mapping_or(
        Annotated[dict[Name, Amount], _SOME],
        Annotated[
            Any,
            AfterValidator(_number_or_column),
            WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "minLength": 1}]}),
        ],
    )
    Attribute = Annotated[
        Any, AfterValidator(_number_or_text), WithJsonSchema({"type": ["string", "number", "boolean"]})
    ]
    Penalty = Annotated[
        Any,
        AfterValidator(_number_or_cross_validated),
        WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"const": CROSS_VALIDATED}]}),
    ]
    _Listed = Annotated[list[Number], _SOME]
    Values = mapping_or(
        Annotated[dict[Name, mapping_or(dict[Name, Number], _Listed)], _SOME], Annotated[list[_Listed], _SOME]
    )


class AssignmentLabelsBlock(Block):
    """Words and units for the report."""

    rows: Name = Field(default="rows", description="What the rows are called, such as guests.")
    columns: Name = Field(default="columns", description="What the columns are called, such as pastries.")
    mass: Name = Field(default="mass", description="Unit of mass, such as helpings.")
    utility: Name = Field(default="utility units", description="Unit of utility.")


class SideBlock(Block):
    """One side of the assignment: its places, what they hold, and what is asked of them."""

    condition: Condition = Field(
        default="fixed",
        description="What is asked of the sums over the other side. fixed: they are the masses. at_most: they are at "
        "most the masses. relaxed: they may leave the masses at a cost. free: they may be anything. "
        "with_outside_option: they and the singles together are the masses.",
    )
    mass: Mass | None = Field(
        default=None,
        description="Masses by name; or one number for all places; or the column of the table that holds them.",
    )
    names: Annotated[list[Name], _SOME] | None = Field(
        default=None, description="Names of the places, where neither masses by name nor a table give them."
    )
    strength: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="relaxed: what leaving the masses costs, in units of utility."
    )
    table: Name | None = Field(
        default=None, description="CSV or Parquet file of the places, one a row, relative to the scenario file."
    )
    name: Name | None = Field(default=None, description="Column of the table that names the places.")
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of a CSV file; by default found out from its first line."
    )
    attributes: dict[Name, dict[Name, Attribute]] = Field(
        default_factory=dict,
        description="Attributes of places for formulas, by attribute and name; beside the columns of a table.",
    )


class PairsBlock(Block):
    """A number for each pair of a row and a column: values written here, or a table."""

    values: Values | None = Field(
        default=None, description="Rows of numbers, as lists or by name; -.inf where a pair is forbidden."
    )
    table: Name | None = Field(
        default=None,
        description="CSV or Parquet file, relative to the scenario file. Wide: a column of names of rows, and one for "
        "each column. Long, where `value` is given: a row a pair.",
    )
    row: Name | None = Field(
        default=None, description="Column of the table that names rows; of a wide table by default the first."
    )
    column: Name | None = Field(default=None, description="Column of a long table that names columns.")
    value: Name | None = Field(default=None, description="Column of a long table that holds the numbers.")
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of a CSV file; by default found out from its first line."
    )


class UtilityBlock(PairsBlock):
    """Utilities that are given pair by pair."""

    missing: Literal["error", "forbidden"] = Field(
        default="error", description="What it means that a pair is left out: a mistake, or that it is forbidden."
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_formula(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "formula" in value:
            raise ValueError("a formula is the utility itself: write `utility: ...` without `formula:`")
        return value


class RuleBlock(Block):
    """Which regulariser makes the assignment soft."""

    type: Literal["softmax", "sparsemax"] = Field(
        default="softmax",
        description="softmax: Shannon's entropy. sparsemax: half the squared norm, which leaves pairs empty.",
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_temperature(cls, value: Any) -> Any:
        if isinstance(value, Mapping) and "temperature" in value:
            raise ValueError("an assignment has one temperature, its own: write `temperature:` beside `rule:`")
        return value


class SolverBlock(Block):
    """When the solver may stop."""

    tolerance: float = Field(
        default=1e-9, gt=0, lt=1, description="Largest L1 error of the sums on either side, over total mass."
    )
    max_iterations: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="By default as many as the method is known to need."
    )


class CrossCheckBlock(Block):
    """The same problem solved by another package."""

    library: Literal["pot"] = Field(default="pot", description="Which; pot is Python Optimal Transport.")
    threshold: float = Field(
        default=1e-6, gt=0, lt=1, description="Largest difference of a pair's mass, over total mass, that passes."
    )


class UtilityShiftBlock(Block):
    """A change of utility: of one pair, a whole row, a whole column, or all pairs."""

    amount: Number = Field(description="What is added; below 0 a tax, -.inf forbids.")
    row: Name | None = Field(default=None, description="Its row; by default all.")
    column: Name | None = Field(default=None, description="Its column; by default all.")


class MassMoveBlock(Block):
    """Mass that moves from one place to another of the same side."""

    amount: float = Field(gt=0, allow_inf_nan=False, description="How much, in units of mass.")
    source: Name = Field(description="Where it is taken.")
    target: Name = Field(description="Where it is put.")


class FactorBlock(Block):
    """A mass relative to that of the baseline."""

    factor: float = Field(ge=0, allow_inf_nan=False, description="What the baseline's mass is multiplied by.")


if TYPE_CHECKING:
    PlaceUtility = float | dict[str, float]
    NewMass = float | FactorBlock
else:
    PlaceUtility = mapping_or(Annotated[dict[Name, Number], _SOME], Number)
    NewMass = mapping_or(FactorBlock, Amount)


class NewPlaceBlock(Block):
    """A row or column that a policy adds; its utility is given, that of another place, or by the formula."""

    mass: Amount | None = Field(default=None, description="What it holds; not for a free side.")
    utility: PlaceUtility | None = Field(
        default=None, description="Its utility with each place of the other side, by name; or one number for all."
    )
    like: Name | None = Field(default=None, description="A place of its side whose utilities it has.")
    attributes: dict[Name, Attribute] | None = Field(
        default=None, description="Its attributes, where the utility is a formula."
    )


class AssignmentPolicyBlock(Block):
    """Something that is changed against the baseline; everything else stays as it is."""

    description: Annotated[str, Field(max_length=5000)] | None = Field(
        default=None, description="What the policy is, in words."
    )
    utility_shifts: list[UtilityShiftBlock] | None = Field(default=None, description="Subsidies and taxes.")
    row_mass: dict[Name, NewMass] | None = Field(
        default=None, description="Masses that rows have instead, by name: numbers, or a factor."
    )
    column_mass: dict[Name, NewMass] | None = Field(
        default=None, description="Masses that columns have instead, by name: numbers, or a factor."
    )
    move_row_mass: list[MassMoveBlock] | None = Field(default=None, description="Mass that moves between rows.")
    move_column_mass: list[MassMoveBlock] | None = Field(default=None, description="Mass that moves between columns.")
    new_rows: dict[Name, NewPlaceBlock] | None = Field(default=None, description="Rows that are added.")
    new_columns: dict[Name, NewPlaceBlock] | None = Field(default=None, description="Columns that are added.")
    temperature: Amount | None = Field(default=None, description="The temperature instead.")


class FitBlock(Block):
    """Coefficients of the utility estimated from the assignment itself, as if it had been observed."""

    basis: Annotated[dict[Name, Formula], Field(min_length=1, max_length=_MOST)] = Field(
        description="What utility is made of, by name: formulas over attributes and pairs. Their coefficients are "
        "estimated in units of the temperature."
    )
    draws: Annotated[int, Field(ge=1, le=10_000_000_000)] | None = Field(
        default=None, description="How many matches are drawn from the assignment; by default all of it is observed."
    )
    true_coefficients: dict[Name, Finite] | None = Field(
        default=None, description="What the estimates should be, in units of the temperature; then a check."
    )
    penalty: Penalty | None = Field(
        default=None,
        description="Ridge penalty on the coefficients: a number, or cross-validated, which chooses the one that best "
        "predicts draws held out; by default none.",
    )


class AssignmentChecksBlock(Block):
    """What must hold for the result to be trusted; a failed check is reported and changes the exit code."""

    gap: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None,
        description="Largest duality gap per unit of mass, over the size of utilities; by default 1,000 times the "
        "solver's tolerance.",
    )
    recovery: float = Field(
        default=1e-4, ge=0, lt=1, description="Least probability of estimates as far from true_coefficients as found."
    )


if TYPE_CHECKING:
    Utility = str | UtilityBlock
    CrossCheck = str | CrossCheckBlock
else:
    Utility = mapping_or(UtilityBlock, Formula)
    CrossCheck = mapping_or(CrossCheckBlock, Literal["pot"])

_SIDE = {"condition": "fixed", "mass": {"ann": 1, "bo": 2}, "names": ["ann", "bo"], "attributes": {"x": {"ann": 0.5}}}
_POLICIES = {
    "cheaper-tart": {
        "utility_shifts": [{"amount": 0.5, "column": "tart"}],
        "row_mass": {"ann": 2},
        "column_mass": {"tart": 2},
        "move_row_mass": [{"amount": 1, "source": "ann", "target": "bo"}],
        "move_column_mass": [{"amount": 1, "source": "tart", "target": "bun"}],
        "new_rows": {"cy": {"mass": 1, "like": "ann"}},
        "new_columns": {"cake": {"mass": 1, "utility": {"ann": 1, "bo": 0}}},
    }
}


class AssignmentBlock(ScenarioBlock):
    """Rows and columns are matched: who goes with what, at which prices, and how sure that is."""

    kind: Literal["assignment"] = Field(description="What the study is about: assignment.")
    labels: AssignmentLabelsBlock = Field(
        default_factory=AssignmentLabelsBlock,
        description="Words and units for the report.",
        examples=[{"rows": "guests", "columns": "pastries"}],
    )
    rows: SideBlock = Field(description="One side.", examples=[_SIDE])
    columns: SideBlock = Field(description="The other side.", examples=[_SIDE])
    coefficients: dict[Name, Finite] = Field(
        default_factory=dict, description="Numbers that formulas use, by name.", examples=[{"b_distance": -0.5}]
    )
    pairs: dict[Name, PairsBlock] = Field(
        default_factory=dict,
        description="Attributes of pairs that formulas use, by name.",
        examples=[{"distance": {"values": [[0, 1], [1, 0]]}}],
    )
    utility: Utility = Field(
        description="Of each pair: a formula over attributes (row_x, column_x), row_name, column_name, pairs and "
        "coefficients; or values or a table.",
        examples=[{"values": [[1, 0], [0, 1]]}],
    )
    forbidden: list[Annotated[list[Name], Field(min_length=2, max_length=2)]] = Field(
        default_factory=list, description="Pairs that cannot be: a row and a column each.", examples=[[["ann", "tart"]]]
    )
    temperature: float = Field(
        ge=0,
        allow_inf_nan=False,
        description="How soft the assignment is, in units of utility; 0 is the best one there is. Only utility over "
        "temperature matters.",
    )
    rule: RuleBlock = Field(
        default_factory=RuleBlock, description="Which regulariser.", examples=[{"type": "sparsemax"}]
    )
    reference: Literal["counting", "product"] = Field(
        default="counting",
        description="What entropy is relative to: nothing, or the product of the masses of both sides.",
    )
    total_mass: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Of the assignment, where both sides are free; by default 1."
    )
    scale_masses: bool = Field(
        default=False, description="Whether two fixed sides of unequal totals are scaled to that of the rows."
    )
    solver: SolverBlock = Field(
        default_factory=SolverBlock, description="When the solver may stop.", examples=[{"tolerance": 1e-9}]
    )
    temperatures: Annotated[list[Amount], Field(max_length=100)] = Field(
        default_factory=list,
        description="A path of temperatures at which the same problem is solved.",
        examples=[[10, 1, 0.1, 0]],
    )
    cross_check: CrossCheck | None = Field(
        default=None,
        description="Solve the same problem with another package, and compare: pot, or with a threshold.",
        examples=[{"library": "pot", "threshold": 1e-6}],
    )
    policies: dict[Name, AssignmentPolicyBlock] = Field(
        default_factory=dict, description="What is changed against the baseline, by name.", examples=[_POLICIES]
    )
    fit: FitBlock | None = Field(
        default=None,
        description="Estimate coefficients from the assignment.",
        examples=[{"basis": {"near": "-abs(row_x - column_x)"}, "true_coefficients": {"near": 1}}],
    )
    checks: AssignmentChecksBlock = Field(
        default_factory=AssignmentChecksBlock, description="What must hold.", examples=[{"gap": 1e-6}]
    )
