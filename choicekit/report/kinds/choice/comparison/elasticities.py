"""The section on elasticities: how shares answer to a small change, and where those go who leave."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.heatmap import MOST_CELLS, draw_heatmap
from choicekit.report.figures.style import mark_svg
from choicekit.report.kinds.choice.comparison.view import ComparisonView, FloatArray
from choicekit.report.kinds.choice.rules import rule_name
from choicekit.report.numbers import NOTHING, THIN, count, fixed, percent, share
from choicekit.report.text import capitalise, clean, in_sentence, shorten, slug
from choicekit.rules import Softmax

__all__ = ["elasticities_section"]

_MOST_OPEN = 3
_MOST_ATTRIBUTES = 6
_LONG = 10  # with more alternatives than this, only those open are shown
_MOST_COLUMNS = 12
_MOST_ROWS = 24
_HEAD = 24


def elasticities_section(compared: ComparisonView) -> tuple[Section, ...]:
    """Return the section on elasticities and diversion; none where there is neither."""
    attributes = _attributes(compared)
    blocks: list[Block] = []
    taken: list[str] = []
    most = _MOST_ATTRIBUTES if len(compared.names) <= _LONG else _MOST_OPEN
    for number, (attribute, places) in enumerate(list(attributes.items())[:most]):
        taken.append(slug(attribute, taken))
        found = _attribute(compared, attribute, places, f"elasticities-{taken[-1]}")
        if number < _MOST_OPEN:
            blocks += found
        else:
            blocks.append(Details(summary=f"Elasticities to {in_sentence(_word(attribute))}", blocks=tuple(found)))
    if len(attributes) > most:
        blocks.append(Prose(f"{count(len(attributes) - most)} more attributes are in tables/elasticities.csv."))
    blocks += _diversion(compared)
    if not blocks:
        return ()
    if attributes:
        blocks.insert(0, Prose(_prose()))
    return (Section(key="elasticities", title="Elasticities", blocks=tuple(blocks)),)


def _prose() -> str:
    return (
        "The elasticity of a share to an attribute is by how many percent the share changes where the attribute rises "
        f"by 1{THIN}% for everybody: at the baseline, averaged over agents by their probabilities. Arc elasticities "
        f"are those of a rise by 10{THIN}%, by midpoints: the change of the share over the mean of its two "
        "values, divided by the same of the attribute."
    )


def _word(attribute: str) -> str:
    return clean(attribute).replace("_", " ")


def _attributes(compared: ComparisonView) -> dict[str, list[int]]:
    """Return rows of the elasticities by attribute."""
    found: dict[str, list[int]] = {}
    for row, (attribute, _) in enumerate(compared.comparison.responses.responses):
        found.setdefault(attribute, []).append(row)
    return found


def _attribute(compared: ComparisonView, attribute: str, rows: list[int], name: str) -> list[Block]:
    """Heading, figure and table of one attribute."""
    responses = compared.comparison.responses
    places = [_place(compared, responses.responses[row][1]) for row in rows]
    point, arc = responses.point[rows], responses.arc[rows]
    table = _table(compared, attribute, places, (point, arc), name)
    folded = Details(
        summary=f"Point and arc elasticities to {in_sentence(_word(attribute))} in numbers", blocks=(table,)
    )
    head = Heading(f"How shares answer to {in_sentence(_word(attribute))}")
    if not np.isfinite(point).any():
        return [head, folded]
    return [head, _figure(compared, attribute, places, (point, arc), name), folded]


def _place(compared: ComparisonView, name: str) -> int | None:
    """Place of the alternative whose attribute rises; None where it is one of agents, and rises for all of them."""
    return compared.comparison.alternatives.index(name) if name in compared.comparison.alternatives else None


def _whose(compared: ComparisonView, place: int | None) -> str:
    return "all" if place is None else compared.names[place]


def _figure(
    compared: ComparisonView, attribute: str, places: list[int | None], values: tuple[FloatArray, FloatArray], name: str
) -> Figure:
    point, arc = values
    offered = [int(place) for place in np.flatnonzero(compared.offered)]
    largest = sorted(offered, key=lambda place: -float(np.nan_to_num(compared.baseline[0, place])))[:MOST_CELLS]
    columns = sorted(largest)
    kept = [number for number, place in enumerate(places) if place is None or place in columns][:MOST_CELLS]
    finding = _finding(compared, attribute, places, point, arc)
    note = "row: whose attribute rises; column: whose share responds; orange falls, blue rises"
    if len(columns) < len(offered):
        note += f"; the {len(columns)} largest of {len(offered)} alternatives"
    svg = draw_heatmap(
        name,
        [_whose(compared, places[number]) for number in kept],
        [compared.names[place] for place in columns],
        point[np.ix_(kept, columns)],
        label=f"Heatmap of point elasticities to {_word(attribute)}. {finding}.",
        row_title=f"{shorten(_word(attribute), 20)} of",
        column_title="elasticity of the share of",
        text=lambda value: fixed(value, 2, signed=True),
    )
    return Figure(name=name, finding=finding, note=note, svg=svg, table=name)


def _finding(
    compared: ComparisonView, attribute: str, places: list[int | None], point: FloatArray, arc: FloatArray
) -> str:
    """Say whose share answers most to its own attribute, or to one of agents."""
    word = in_sentence(_word(attribute))
    if not np.nan_to_num(point).any() and np.nan_to_num(arc).any():
        return f"Shares jump where {word} changes enough, so that point elasticities are 0; the arcs in the table tell"
    if places == [None]:
        return _finding_of_agents(compared, word, point[0])
    own = np.array([np.nan if place is None else point[number, place] for number, place in enumerate(places)])
    if not np.isfinite(own).any() or not np.nanmax(np.abs(own)) > 0:
        return f"No share answers to {word}"
    most = int(np.nanargmax(np.abs(own)))
    name = in_sentence(_whose(compared, places[most]))
    verb = "loses" if own[most] < 0 else "gains"
    change = f"its share {verb} {fixed(abs(float(own[most])), 2)}{THIN}%"
    return capitalise(f"{name} answers most to its own {word}: with 1{THIN}% more of it, {change}")


def _finding_of_agents(compared: ComparisonView, word: str, point: FloatArray) -> str:
    if not np.isfinite(point).any() or not np.nanmax(np.abs(point)) > 0:
        return f"No share answers to {word}"
    most = int(np.nanargmax(np.abs(point)))
    verb = "loses" if point[most] < 0 else "gains"
    change = f"it {verb} {fixed(abs(float(point[most])), 2)}{THIN}%"
    return capitalise(f"{in_sentence(compared.names[most])} answers most to {word}: with 1{THIN}% more of it, {change}")


def _table(
    compared: ComparisonView, attribute: str, places: list[int | None], values: tuple[FloatArray, FloatArray], name: str
) -> Table:
    columns = [int(place) for place in np.flatnonzero(compared.offered)][:_MOST_COLUMNS]
    left_out = len(columns) < int(compared.offered.sum()) or len(places) > _MOST_ROWS
    return Table(
        name=name,
        caption=f"Elasticity of the share of each alternative (columns) to {_word(attribute)} of one (rows): point, "
        "and below it arc",
        columns=(
            Column(title=f"{shorten(_word(attribute), _HEAD)} of", numeric=False),
            *(
                Column(title=shorten(compared.names[place], _HEAD), mark=mark_svg(compared.marks[place]))
                for place in columns
            ),
        ),
        rows=tuple(_row(compared, place, number, columns, values) for number, place in enumerate(places[:_MOST_ROWS])),
        note="More are in tables/elasticities.csv." if left_out else "",
    )


def _row(
    compared: ComparisonView, place: int | None, number: int, columns: list[int], values: tuple[FloatArray, FloatArray]
) -> tuple[Cell, ...]:
    point, arc = values
    cells = [
        Cell(
            text=fixed(float(point[number, column]), 3, signed=True),
            below=f"arc {fixed(float(arc[number, column]), 3, signed=True)}",
            style="strong" if column == place else "",
        )
        for column in columns
    ]
    if place is None:
        return Cell(text="all, an attribute of agents"), *cells
    return Cell(text=compared.short(place), mark=mark_svg(compared.marks[place])), *cells


def _diversion(compared: ComparisonView) -> list[Block]:
    ratios = compared.comparison.responses.diversion
    there = [int(place) for place in np.flatnonzero(compared.offered)]
    if len(there) < 2 or not np.isfinite(ratios[np.ix_(there, there)]).any():
        return []
    ordered = sorted(there, key=lambda place: -float(np.nan_to_num(compared.baseline[0, place])))
    kept = sorted(ordered[:_MOST_COLUMNS])
    table = Table(
        name="diversion",
        caption="Of those who leave an alternative (rows) as it gets a little worse, % that go to another (columns)",
        columns=(
            Column(title="leaving", numeric=False),
            *(
                Column(title=shorten(f"to {compared.names[place]}", _HEAD), mark=mark_svg(compared.marks[place]))
                for place in kept
            ),
        ),
        rows=tuple(
            (
                Cell(text=compared.short(origin), mark=mark_svg(compared.marks[origin])),
                *(_ratio(float(ratios[origin, target]), origin == target) for target in kept),
            )
            for origin in kept
        ),
        note="" if len(kept) == len(there) else "More are in tables/diversion.csv.",
    )
    return [Heading("Where those go who leave"), Prose(_iia(compared, ratios, there)), table]


def _ratio(value: float, own: bool) -> Cell:
    return Cell(text=NOTHING, style="none") if own or not np.isfinite(value) else Cell(text=share(value, 1))


def _iia(compared: ComparisonView, ratios: FloatArray, there: list[int]) -> str:
    """Say what the rule makes of diversion: proportional to shares within an agent, for softmax."""
    name = rule_name(compared.base.outcome.rule).replace("_", " ")
    if compared.base.outcome.study.model.heterogeneous:
        return (
            "Agents differ in what nobody sees, so those who leave an alternative do not spread in proportion to "
            "shares: who leaves tells what they like, and they go more to what such agents choose."
        )
    if type(compared.base.outcome.rule) is not Softmax:
        return (
            "Diversion ratios say which alternatives stand in for which. They are in proportion to shares only where "
            f"choices are independent of irrelevant alternatives (IIA), as under softmax; {name} need not be."
        )
    text = (
        "Under softmax those who leave spread over the other alternatives in proportion to the probabilities of each "
        "agent: independence of irrelevant alternatives (IIA)."
    )
    shares = np.nan_to_num(compared.baseline[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        proportional = shares[None, :] / (1 - shares[:, None])
    table = np.full(ratios.shape, np.nan)
    chosen = np.ix_(there, there)
    table[chosen] = np.where(np.isfinite(ratios[chosen]), np.abs(ratios - proportional)[chosen], np.nan)
    if not np.nanmax(table, initial=0.0) > 5e-4:
        return f"{text} Agents are alike here, so that holds for all of them together, too."
    origin, target = divmod(int(np.nanargmax(table)), len(table))
    names = in_sentence(compared.names[origin]), in_sentence(compared.names[target])
    return (
        f"{text} Agents differ, so the ratios of all of them together depart from it: of those who leave {names[0]}, "
        f"{percent(float(ratios[origin, target]), 1)} go to {names[1]}, where its share among the rest would give "
        f"{percent(float(proportional[origin, target]), 1)}."
    )
