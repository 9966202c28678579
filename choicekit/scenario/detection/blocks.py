"""The blocks of `kind: detection`: what its file may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from choicekit.scenario.blocks import Block, Finite, Name, ScenarioBlock, mapping_or
from choicekit.scenario.wording import show

__all__ = ["DetectionBlock"]

ScoreName = Literal["energy", "msp", "max_logit", "entropy", "gen", "kl_matching"]

_SOME = Field(min_length=1, max_length=10_000)
Share = Annotated[float, Field(gt=0, lt=1)]
Parts = Annotated[list[Name], _SOME]


def _columns(value: object) -> object:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, list) and value and all(isinstance(name, str) and name for name in value):
        return value
    raise ValueError(f"must be what the names of the columns begin with, or a list of columns, found {show(value)}")


def _temperature(value: object) -> object:
    if value == "fitted":
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return value
    raise ValueError(f"must be a finite number of at least 0, or fitted, found {show(value)}")


def _cell(value: object) -> object:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return value
    raise ValueError(f"must be a number or text, found {show(value)}")


if TYPE_CHECKING:
    Cell = float | str
    Columns = str | list[str]
    Temperature = float | Literal["fitted"]
else:
    Cell = Annotated[Any, AfterValidator(_cell), WithJsonSchema({"type": ["string", "number"]})]
    Columns = Annotated[
        Any,
        AfterValidator(_columns),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ]
    Temperature = Annotated[
        Any,
        AfterValidator(_temperature),
        WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"const": "fitted"}]}),
    ]


class LogitsBlock(Block):
    """The table of logits: a row a situation, a column a class."""

    table: Name | None = Field(default=None, description="A CSV, Parquet or NPZ file, relative to the scenario file.")
    rows: Annotated[list[dict[str, Cell]], _SOME] | None = Field(
        default=None, description="Instead of a file a few rows, each a mapping of column to value."
    )
    columns: Columns = Field(
        description="Columns of logits: what their names begin with (the rest is the class), or a list. In an NPZ file "
        "the name of the array."
    )
    label: Name | None = Field(default=None, description="Column with the observed class.")
    group: Name | None = Field(default=None, description="Column with a group, such as a site.")
    split: Name | None = Field(default=None, description="Column that says which part of the table a row is in.")
    row: Name | None = Field(default=None, description="Column with the name of a row; by default its number.")


class SplitsBlock(Block):
    """What the parts of the table are for: values of the split column. A part has one role; the rest is only scored."""

    training: Parts | None = Field(
        default=None, description="In-distribution rows that the model behind the logits was fitted to."
    )
    calibration: Parts | None = Field(
        default=None, description="In-distribution rows that nothing was fitted to: the threshold comes from them."
    )
    in_distribution: Parts | None = Field(default=None, description="In-distribution rows that are judged.")
    out_of_distribution: Parts | None = Field(default=None, description="Out-of-distribution rows that are judged.")


class MarginsBlock(Block):
    """Energies that known rows should stay below, and others above."""

    inside: Finite = Field(description="For in-distribution rows.")
    outside: Finite = Field(description="For out-of-distribution rows; above `inside`.")


if TYPE_CHECKING:
    Margins = str | MarginsBlock
else:
    Margins = mapping_or(MarginsBlock, Literal["quantiles"])


class DetectionTrainingBlock(Block):
    """Train a multinomial logit on features, without margins on energies and with them."""

    features: Columns = Field(description="Columns of features: what their names begin with, or a list.")
    auxiliary: Parts = Field(
        description="Out-of-distribution parts of the table that the head is trained on; the others show its effect."
    )
    margins: Margins = Field(
        default="quantiles", description="Margins, or quantiles: the medians of energies without margins."
    )
    weight: float = Field(default=0.1, ge=0, allow_inf_nan=False, description="Of the margins beside cross entropy.")
    penalty: float = Field(default=1e-3, gt=0, allow_inf_nan=False, description="Ridge penalty on the coefficients.")


class DetectionBootstrapBlock(Block):
    """Intervals and bands by resampling rows."""

    replications: int = Field(default=200, ge=0, le=100_000, description="How many resamples; 0 for none.")


class DetectionBlock(ScenarioBlock):
    """Logits are scored: is a situation like anything known, and how well can that be told."""

    kind: Literal["detection"] = Field(description="What the study is about: detection.")
    logits: LogitsBlock = Field(
        description="The table of logits.", examples=[{"table": "images.csv", "columns": "logit_", "split": "part"}]
    )
    splits: SplitsBlock | None = Field(
        default=None,
        description="Roles of the parts of the table; with a `detector` all rows are judged by default.",
        examples=[{"calibration": ["known"], "in_distribution": ["test"], "out_of_distribution": ["new"]}],
    )
    scores: Annotated[list[ScoreName], Field(min_length=1, max_length=6)] = Field(
        default=["energy", "msp", "max_logit", "entropy", "gen"],
        description="Scores that are compared; larger = more out-of-distribution.",
        examples=[["energy", "msp", "kl_matching"]],
    )
    score: ScoreName = Field(default="energy", description="The score whose threshold flags rows.")
    temperature: Temperature = Field(
        default=1.0,
        description="Of all scores; fitted: at which labels of the calibration rows are likeliest.",
        examples=[1.0, "fitted"],
    )
    retention: Share = Field(default=0.95, description="Share of rows like the calibration rows that is not flagged.")
    false_discovery_rate: Share = Field(
        default=0.1, description="Share of false discoveries, on average, among those the batch as a whole shows."
    )
    metrics_on: Literal["test", "all"] = Field(
        default="test", description="Whether metrics are taken on the judged rows alone, or on calibration rows, too."
    )
    by_group: bool = Field(default=False, description="Whether to count by group.")
    bootstrap: DetectionBootstrapBlock = Field(
        default_factory=DetectionBootstrapBlock, description="Intervals.", examples=[{"replications": 500}]
    )
    training: DetectionTrainingBlock | None = Field(
        default=None,
        description="What training with margins on energies does.",
        examples=[{"features": "pixel_", "auxiliary": ["new"], "margins": {"inside": -23, "outside": -5}}],
    )
    save_detector: bool = Field(
        default=True, description="Whether to write the fitted detector to data/detector.json; energies only."
    )
    detector: Name | None = Field(
        default=None,
        description="A saved detector that judges the rows, relative to the scenario.",
        examples=["d.json"],
    )
    limit: Annotated[float, Field(ge=0, le=1)] | None = Field(
        default=None, description="Largest share of rows that a saved detector may flag; then a check.", examples=[0.1]
    )
