"""The section of a choice report that says who fits in."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.curves import Axis, Curve, draw_curves, powers_of_ten
from choicekit.report.figures.style import marks_for
from choicekit.report.kinds.choice.crowding.data import alternatives_frame
from choicekit.report.kinds.choice.crowding.groups import group_blocks
from choicekit.report.kinds.choice.crowding.policies import policy_blocks
from choicekit.report.kinds.choice.crowding.view import CrowdingView
from choicekit.report.kinds.choice.crowding.words import amount
from choicekit.report.numbers import NOTHING, fixed
from choicekit.report.text import capitalise, in_sentence

__all__ = ["crowding_section"]

_MOST_ROWS = 60
_MOST_BARS = 24
_LEAST = 1e-16  # error that is drawn for one of 0


def crowding_section(view: CrowdingView) -> Section:
    """Return the section."""
    blocks: list[Block] = [Prose(_regimes(view))]
    if view.priced:
        blocks.append(_prices(view))
    blocks += [_alternatives(view), Heading("Who is displaced, and what it costs"), *group_blocks(view)]
    blocks += policy_blocks(view)
    if view.priced:
        blocks.append(Details(summary="How prices were found, step by step", blocks=(_convergence(view), _steps(view))))
    return Section(key="capacity", title="Who fits in", blocks=tuple(blocks))


def _regimes(view: CrowdingView) -> str:
    said = []
    if view.priced:
        said.append(
            "Prices: each full alternative costs so much more that expected demand meets what it takes; whoever it is "
            "worth most to has it."
        )
    if view.rationed:
        said.append(
            "Rationing: all apply for what they like best; what is full turns away who comes last, and they apply "
            "again among what is left, until all have something or nothing is left."
        )
    if view.found.plan.money is not None:
        said.append("Money is utility over minus the cost coefficient of the baseline.")
    said.append("All other sections are about choices as they would be if everybody fitted in.")
    return " ".join(said)


def _prices(view: CrowdingView) -> Figure:
    cases = view.cases if len(view.cases) * _limited(view) <= _MOST_BARS else view.cases[:1]
    amounts = []
    for each in cases:
        prices, heading = each.case.prices, each.name if len(cases) > 1 else ""
        if prices is None:
            raise TypeError("prices are drawn where there are some")
        for name, price, limit in zip(prices.alternatives, prices.price, prices.capacity, strict=True):
            if np.isfinite(limit):
                value = view.factor * float(price)
                text = fixed(value, view.decimals)
                amounts.append(Amount(name=view.names[name], value=value, text=text, heading=heading))
                heading = ""
    prices = view.baseline.case.prices
    finding = "No alternative is full: all prices are 0"
    if prices is not None and view.baseline.full:
        dearest = int(np.argmax(prices.price))
        finding = (
            f"{capitalise(in_sentence(view.names[prices.alternatives[dearest]]))} would have to cost "
            f"{amount(view, float(prices.price[dearest]))} more"
        )
    return Figure(
        name="capacity-prices",
        finding=finding,
        note=f"price at which expected demand meets capacity, in {view.unit}; 0 where there is room left",
        svg=draw_amounts(
            "capacity-prices", amounts, label=f"Prices of capacities. {finding}.", axis=f"price, {view.unit}"
        ),
        table="capacity",
    )


def _limited(view: CrowdingView) -> int:
    of = view.baseline.case.prices or view.baseline.case.rationed
    return 0 if of is None else int(np.isfinite(of.capacity).sum())


def _alternatives(view: CrowdingView) -> Table:
    frame = alternatives_frame(view.baseline.case).head(_MOST_ROWS)
    rows = []
    for place in range(len(frame)):
        one = frame.iloc[place]
        limited = np.isfinite(one["capacity"])
        cells = [
            Cell(text=view.names[str(one["alternative"])]),
            Cell(text=f"{one['capacity']:g}" if limited else NOTHING, style="" if limited else "none"),
        ]
        if view.priced:
            full = one["price"] > 0
            cells += [
                Cell(text=fixed(one["unpriced_demand"], 1)),
                Cell(text=fixed(one["demand"], 1)),
                Cell(text=fixed(view.factor * one["price"], view.decimals), style="strong" if full else ""),
            ]
        if view.rationed:
            cells += [Cell(text=fixed(one["applied"], 1)), Cell(text=fixed(one["taken"], 1))]
        rows.append(tuple(cells))
    heads = ["alternative", "takes"]
    heads += ["expected demand", "at prices", f"price, {view.unit}"] if view.priced else []
    heads += ["apply under rationing", "get it"] if view.rationed else []
    note = "Bold: a price above 0, where demand meets capacity. " if view.priced else ""
    return Table(
        name="capacity",
        caption="Alternatives and what they take, baseline",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"{note}All cases are in tables/capacity.csv.",
    )


def _convergence(view: CrowdingView) -> Figure:
    curves, steps = [], 0
    for each, mark in zip(view.cases, marks_for([each.key for each in view.cases]), strict=True):
        if each.case.prices is None:
            continue
        errors = np.maximum(np.array(each.case.prices.history), _LEAST)
        steps = max(steps, len(errors) - 1)
        curves.append(Curve(name=each.name, x=np.arange(len(errors), dtype=np.float64), y=errors, mark=mark))
    finding = f"Demand meets capacity within {steps} {'step' if steps == 1 else 'steps'}"
    return Figure(
        name="capacity-convergence",
        finding=finding,
        note="largest distance of expected demand from capacity, relative to it, after each step over everybody",
        svg=draw_curves(
            "capacity-convergence",
            curves,
            label=f"Convergence of prices. {finding}.",
            x=Axis(title="step", ticks=range(steps + 1) if steps <= 12 else None, limits=(0.0, max(steps, 1))),
            y=Axis(title="largest error, relative to capacity", log=True, text=powers_of_ten),
            height=280.0,
        ),
        table="capacity_convergence",
    )


def _steps(view: CrowdingView) -> Table:
    rows = [
        (
            Cell(text=each.name),
            Cell(text=str(each.case.prices.n_iterations)),
            Cell(text=f"{each.case.prices.history[0]:.2g}"),
            Cell(text=f"{each.case.prices.history[-1]:.1g}"),
            Cell(text=each.case.prices.status),
        )
        for each in view.cases
        if each.case.prices is not None
    ]
    heads = ("case", "steps", "error at first", "error at last", "status")
    return Table(
        name="capacity-convergence",
        caption="How far demand was off, relative to capacity",
        columns=tuple(Column(title=head, numeric=0 < place < 4) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note="Newton steps on the dual; first from a part of the population, where it is large.",
    )
