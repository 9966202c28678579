"""The blocks of `kind: network`: what its file may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from choicekit.scenario.blocks import Block, Finite, Formula, Name, ScenarioBlock, mapping_or
from choicekit.scenario.wording import show

__all__ = ["EnsembleName", "NetworkBlock", "NullModelName", "OrderName"]

EnsembleName = Literal["both", "rows", "columns", "none"]
NullModelName = Literal["equiprobable", "fixed_marginals", "connectance", "maximum_entropy"]
OrderName = Literal["abundance", "rarity", "degree", "random"]
Masses = Literal["removed", "redistributed"]
SideName = Literal["rows", "columns"]

_SOME = Field(min_length=1, max_length=10_000)
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Species = Annotated[list[Name], Field(max_length=10_000)]


def _trait(value: object) -> object:
    if isinstance(value, str | int | float) and not isinstance(value, bool) and value == value:
        return value
    raise ValueError(f"must be a number or text, found {show(value)}")


def _penalty(value: object) -> object:
    if value == "cross-validated":
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return value
    raise ValueError(f"must be a finite number of at least 0, or cross-validated, found {show(value)}")


if TYPE_CHECKING:
    Trait = float | str
    Penalty = float | Literal["cross-validated"]
    Abundance = dict[str, float] | str
    Order = str | list[str]
else:
    Trait = Annotated[Any, AfterValidator(_trait), WithJsonSchema({"type": ["string", "number"]})]
    Penalty = Annotated[
        Any,
        AfterValidator(_penalty),
        WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"const": "cross-validated"}]}),
    ]
    Abundance = mapping_or(Annotated[dict[Name, Amount], _SOME], Name)
    Order = OrderName | Annotated[list[Name], _SOME]


class NetworkLabelsBlock(Block):
    """Words for the report."""

    rows: Name = Field(default="rows", description="What species in rows are, such as plants.")
    columns: Name = Field(default="columns", description="What species in columns are, such as pollinators.")
    visits: Name = Field(default="visits", description="What is counted, such as visits.")


class WebBlock(Block):
    """Interactions that were counted; one of `table`, `tables`, `edges` and `counts`."""

    table: Name | None = Field(
        default=None, description="CSV file: a row a species, a column a species, the first column and header names."
    )
    tables: Annotated[dict[Name, Name], _SOME] | None = Field(
        default=None, description="Such a file for each site or season, by its name."
    )
    edges: Name | None = Field(default=None, description="CSV file with a line for each pair that interacts.")
    row: Name | None = Field(default=None, description="edges: column with the species of rows.")
    column: Name | None = Field(default=None, description="edges: column with the species of columns.")
    count: Name | None = Field(default=None, description="edges: column with how often; by default each line is one.")
    site: Name | None = Field(default=None, description="edges: column with the site or season.")
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        default=None, description="Separator of the file; by default found out from its first line."
    )
    counts: Annotated[dict[Name, Annotated[dict[Name, Amount], _SOME]], _SOME] | None = Field(
        default=None, description="Instead of a file: counts by row and column; what is left out is 0."
    )


class SpeciesBlock(Block):
    """What is known of the species of one side beside their interactions."""

    traits: Name | None = Field(default=None, description="CSV file with a line a species; the first column names it.")
    attributes: dict[Name, dict[Name, Trait]] = Field(
        default_factory=dict, description="Instead of a file, or beside it: traits by name and species."
    )
    abundance: Abundance | None = Field(
        default=None,
        description="Abundances that were counted independently, by species, or the trait that holds them. By default "
        "shares of species are those of their interactions.",
    )


class PreferencesBlock(Block):
    """What pairs are worth: linear in formulas over traits, or a free table; known, or learnt from the web."""

    basis: dict[Name, Formula] = Field(
        default_factory=dict,
        description="Formulas by name over row_<trait> and column_<trait>; without any, preferences are a free table.",
    )
    coefficients: dict[Name, Finite] | None = Field(
        default=None, description="Of the basis, where they are known; without them they are learnt from the web."
    )
    penalty: Penalty | None = Field(
        default=None,
        description="Ridge penalty on what is learnt, or cross-validated; by default 0 with a basis, 1 without.",
    )
    folds: int = Field(default=5, ge=2, le=100, description="Parts of all visits that cross-validation leaves out.")
    true_coefficients: dict[Name, Finite] | None = Field(
        default=None, description="That made synthetic counts, to be shown beside what is learnt."
    )


class NullModelsBlock(Block):
    """Webs by chance that metrics are compared with."""

    models: Annotated[list[NullModelName], Field(min_length=1, max_length=4)] = Field(
        default=["fixed_marginals", "connectance"], description="Which null models, by name."
    )
    replications: int = Field(default=1000, ge=2, le=100_000, description="Webs of each.")


class ExtinctionsBlock(Block):
    """Species of one side lost one after another."""

    side: SideName = Field(default="rows", description="Which side is lost.")
    orders: Annotated[list[Order], Field(min_length=1, max_length=10)] = Field(
        default=["abundance", "rarity", "degree", "random"],
        description="abundance, rarity: the most, the least abundant first; degree: the best connected; random; or a "
        "list of species.",
    )
    masses: Masses = Field(default="removed", description="What becomes of the visits of a species that is lost.")
    replications: int = Field(default=200, ge=2, le=100_000, description="Random orders.")


class InvaderBlock(Block):
    """A species that arrives."""

    side: SideName = Field(description="Where it belongs.")
    abundance: float = Field(gt=0, allow_inf_nan=False, description="In the units of its side.")
    traits: dict[Name, Trait] = Field(default_factory=dict, description="That formulas of preferences use.")


class NetworkPolicyBlock(Block):
    """A change of the community."""

    description: str = Field(default="", max_length=1000, description="In a sentence.")
    extinct_rows: Species = Field(default=[], description="Species of rows that go.")
    extinct_columns: Species = Field(default=[], description="Species of columns that go.")
    masses: Masses = Field(
        default="removed",
        description="removed: the visits of species that go are gone, and those of invaders come on top. "
        "redistributed: they go to their own side, and those of invaders are taken from it.",
    )
    row_factors: dict[Name, Amount] = Field(default_factory=dict, description="Abundances of rows are multiplied.")
    column_factors: dict[Name, Amount] = Field(default_factory=dict, description="Abundances of columns likewise.")
    invaders: dict[Name, InvaderBlock] = Field(default_factory=dict, description="Species that arrive, by name.")
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="From now on; learnt preferences are at temperature 1."
    )


class NetworkBlock(ScenarioBlock):
    """Who interacts with whom: a web is described, compared with chance, explained, and changed."""

    kind: Literal["network"] = Field(description="What the study is about: network.")
    labels: NetworkLabelsBlock = Field(
        default_factory=NetworkLabelsBlock,
        description="Words for the report.",
        examples=[{"rows": "plants", "columns": "pollinators"}],
    )
    web: WebBlock | None = Field(
        default=None, description="Interactions that were counted.", examples=[{"table": "visits.csv"}]
    )
    rows: SpeciesBlock = Field(default_factory=SpeciesBlock, description="Species in rows.")
    columns: SpeciesBlock = Field(default_factory=SpeciesBlock, description="Species in columns.")
    preferences: PreferencesBlock | None = Field(
        default=None,
        description="What pairs are worth.",
        examples=[{"basis": {"match": "row_size == column_size"}}],
    )
    ensemble: EnsembleName = Field(
        default="both", description="Whose shares are fixed in what-if questions: both, rows, columns, none."
    )
    ensembles: Annotated[list[EnsembleName], Field(min_length=1, max_length=4)] = Field(
        default=["both", "rows", "columns", "none"], description="That are compared."
    )
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False, description="Of known preferences.")
    temperatures: Annotated[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]], Field(max_length=100)] = Field(
        default=[], description="At which preferences as they are written are scanned; lambda = 1 / temperature."
    )
    null_models: NullModelsBlock | None = Field(default=None, description="Webs by chance.")
    modules: int = Field(default=20, ge=0, le=10_000, description="Restarts of the search for modules; 0 for none.")
    extinctions: ExtinctionsBlock | None = Field(default=None, description="Species lost one after another.")
    policies: Annotated[dict[Name, NetworkPolicyBlock], Field(max_length=50)] = Field(
        default_factory=dict,
        description="What if, by name.",
        examples=[{"no-rose": {"extinct_rows": ["Rosa"]}}],
    )
    samples: int = Field(default=200, ge=2, le=100_000, description="Webs sampled before and after a policy.")
    visits: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Visits of the community; by default as many as were counted, or 1,000."
    )
