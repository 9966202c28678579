"""What places cost, what their types gain, and who is left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Free
from choicekit.report.content import Block, Cell, Column, Details, Figure, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.bars import BarPanel, draw_bars
from choicekit.report.figures.style import MAX_CATEGORIES, Mark
from choicekit.report.kinds.assignment.view import AssignmentView, SideView, amount, opening
from choicekit.report.numbers import NOTHING, column_decimals, count, percent
from choicekit.report.text import capitalise, in_sentence, shorten

__all__ = ["furthest_from_zero", "most_extreme", "price_text", "sides_section"]

FloatArray = npt.NDArray[np.float64]

_MOST_ROWS = 60
_MARKS = {"row": Mark("#0072B2", "o"), "column": Mark("#B35706", "D")}


def sides_section(view: AssignmentView) -> Section:
    """Prices, then singles or unused capacity, side by side with the masses."""
    blocks: list[Block] = [Prose(_prose(view))]
    for side in (view.rows, view.columns):
        if not isinstance(side.condition, Free) and np.isfinite(side.price).any():
            blocks.append(_price_figure(view, side))
        if side.left and float(np.nansum(side.mass)) > 0:
            blocks.append(_outside_figure(view, side))
        table = _table(view, side)
        folded = len(table.rows) > MAX_CATEGORIES
        blocks.append(Details(summary=table.caption, blocks=(table,)) if folded else table)
    return Section(key="prices", title="Prices, and who is left out", blocks=tuple(blocks))


def _prose(view: AssignmentView) -> str:
    text = (
        f"The price of a place is minus its potential, in {in_sentence(view.unit)}: what one more unit of its mass "
        f"would add to the objective, and so what it would cost to get a place there. The worth of one more leaves out "
        f"what numbers of people alone do to the objective: it is what welfare gains."
    )
    if any(isinstance(side.condition, AtMost) for side in (view.rows, view.columns)):
        text += " Where there is room left, both are 0."
    if view.worth.normalisation:
        text += (
            f" With both sides fixed only differences within a side mean anything; the constant is chosen so that "
            f"{in_sentence(view.columns.noun)} cost 0 on average, weighted by mass."
        )
    return text


def most_extreme(values: FloatArray, most: int = MAX_CATEGORIES) -> list[int]:
    """Return places of the finite values in their order, or of so many of the highest and lowest, from high to low.

    Examples
    --------
    >>> most_extreme(np.array([1.0, np.inf, 0.0]))
    [0, 2]
    >>> most_extreme(np.array([1.0, 5.0, 2.0, 0.0, 3.0]), 4)
    [1, 4, 0, 3]
    """
    finite = [int(place) for place in np.flatnonzero(np.isfinite(values))]
    if len(finite) <= most:
        return finite
    falling = sorted(finite, key=lambda place: -values[place])
    return [*falling[: most // 2], *falling[len(falling) - most // 2 :]]


def furthest_from_zero(values: FloatArray, most: int) -> list[int]:
    """Return places of the finite values in their order, or of so many of the largest in size, from high to low.

    Examples
    --------
    >>> furthest_from_zero(np.array([1.0, np.nan, 0.0]), 2)
    [0, 2]
    >>> furthest_from_zero(np.array([1.0, 5.0, -2.0, 0.0, 3.0]), 3)
    [1, 4, 2]
    """
    finite = [int(place) for place in np.flatnonzero(np.isfinite(values))]
    if len(finite) <= most:
        return finite
    kept = sorted(finite, key=lambda place: -abs(values[place]))[:most]
    return sorted(kept, key=lambda place: -values[place])


def price_text(value: float, decimals: int) -> str:
    """Write a price; one of a place without mass has no price."""
    return NOTHING if not np.isfinite(value) else amount(value, decimals)


def _price_figure(view: AssignmentView, side: SideView) -> Figure:
    places = most_extreme(side.price)
    decimals = column_decimals(side.price[np.isfinite(side.price)])
    high, low = max(places, key=lambda place: side.price[place]), min(places, key=lambda place: side.price[place])
    finding = _price_finding(side, high, low, decimals)
    left = int(np.isfinite(side.price).sum()) - len(places)
    note = f"minus the potential, by type of {in_sentence(side.noun)}"
    if left:
        note += f"; the {MAX_CATEGORIES // 2} highest and lowest, {count(left)} between them are left to the table"
    return Figure(
        name=f"prices-{side.key}s",
        finding=finding,
        note=note,
        svg=draw_amounts(
            f"prices-{side.key}s",
            [
                Amount(name=side.names[place], value=value, text=amount(value, decimals))
                for place, value in ((place, float(side.price[place])) for place in places)
            ],
            label=f"Bars of prices of {side.noun}. {finding}.",
            axis=f"price, {shorten(view.unit, 40)}",
        ),
        table=f"{side.key}s",
    )


def _price_finding(side: SideView, high: int, low: int, decimals: int) -> str:
    highest, lowest = float(side.price[high]), float(side.price[low])
    name = opening(side.names[high])
    if high == low:
        return f"{name} has a price of {amount(highest, decimals)}"
    if highest - lowest <= 1e-9 * max(abs(highest), abs(lowest), 1.0):
        return f"All {in_sentence(side.noun)} have the same price"
    return (
        f"{name} has the highest price, {amount(highest, decimals)}, {in_sentence(side.names[low])} the lowest, "
        f"{amount(lowest, decimals)}"
    )


def _outside_figure(view: AssignmentView, side: SideView) -> Figure:
    share = np.divide(side.outside, side.mass, out=np.full(side.mass.shape, np.nan), where=side.mass > 0)
    places = most_extreme(share)
    left = int(np.isfinite(share).sum()) - len(places)
    finding = _outside_finding(side, share)
    words = "of each type's mass" if side.left == "single" else "of each capacity"
    note = f"share {words}; a ring: none"
    if left:
        note += f"; the {MAX_CATEGORIES // 2} highest and lowest, {count(left)} between them are left to the table"
    return Figure(
        name=f"outside-{side.key}s",
        finding=finding,
        note=note,
        svg=draw_bars(
            f"outside-{side.key}s",
            [side.names[place] for place in places],
            [_MARKS[side.key]] * len(places),
            [BarPanel(title=side.left, note=words, values=np.clip(share[places], 0.0, 1.0))],
            label=f"Bars of the share {side.left}, by type of {side.noun}. {finding}.",
            row_title=shorten(side.noun, 24),
            text=percent,
        ),
        table=f"{side.key}s",
    )


def _outside_finding(side: SideView, share: FloatArray) -> str:
    total = float(side.outside.sum() / side.mass.sum())
    single, noun = side.left == "single", in_sentence(side.noun)
    if not total > 0:
        return f"None of {noun} stay single" if single else f"All capacity of {noun} is used"
    most = int(np.nanargmax(share))
    text = f"{percent(total)} of {noun} stay single" if single else f"{percent(total)} of the capacity is unused"
    if np.count_nonzero(np.isfinite(share)) == 1:
        return text
    return f"{text}, most of {in_sentence(side.names[most])}: {percent(float(share[most]))}"


def _table(view: AssignmentView, side: SideView) -> Table:
    shown = range(min(len(side.names), _MOST_ROWS))
    n = len(side.names)
    heads = [side.asked, "matched", *([side.left] if side.left else []), "price", "worth of one more"]
    kept = [head for head in heads if not (head == side.asked and side.condition.mass is None)]
    if isinstance(side.condition, Free):
        kept = ["matched"]
    return Table(
        name=f"{side.key}s",
        caption=f"{capitalise(shorten(side.noun, 40))}: {side.described}",
        columns=(Column(title=shorten(side.noun, 24), numeric=False), *(Column(title=head) for head in kept)),
        rows=tuple(_row(view, side, place, kept) for place in shown),
        note=f"The first {_MOST_ROWS} of {count(n)}; all are in tables/{side.key}s.csv." if n > _MOST_ROWS else "",
    )


def _row(view: AssignmentView, side: SideView, place: int, heads: list[str]) -> tuple[Cell, ...]:
    mass = float(side.mass[place])
    decimals = column_decimals(side.price[np.isfinite(side.price)])
    cells = {
        side.asked: Cell(text=view.mass(mass)),
        "matched": Cell(text=view.mass(float(side.matched[place])), style="strong"),
        "price": Cell(text=price_text(float(side.price[place]), decimals)),
        "worth of one more": Cell(text=price_text(float(side.welfare[place]), decimals)),
    }
    if side.left:
        outside = float(side.outside[place])
        below = f"{percent(outside / mass)}" if mass > 0 else ""
        cells[side.left] = Cell(text=view.mass(outside), below=below)
    if mass == 0:
        cells["price"] = cells["worth of one more"] = Cell(text="no mass", style="none")
    return Cell(text=side.names[place]), *(cells[head] for head in heads)
