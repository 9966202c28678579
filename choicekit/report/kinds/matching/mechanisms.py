"""Mechanisms side by side: what each gives, to whom, and how sure that is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from choicekit.matching.measures import GROUP_MEASURES
from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.heatmap import MOST_CELLS, draw_heatmap
from choicekit.report.figures.intervals import Interval, IntervalRow, draw_intervals
from choicekit.report.figures.stacks import draw_stacks
from choicekit.report.kinds.matching.view import Estimate, MatchingView
from choicekit.report.numbers import NOTHING, count, fixed, percent, points
from choicekit.report.text import capitalise, clean

__all__ = ["groups_section", "mechanisms_section", "places_section", "policies_section"]

_PARTS = ("1st choice", "2nd", "3rd", "4th and 5th", "6th to 10th", "further down", "nothing")
_CUTS = ((0, 1), (1, 2), (2, 3), (3, 5), (5, 10), (10, 11))
_MOST_PLACES = 60


def mechanisms_section(view: MatchingView) -> Section:
    """Ranks, the table of measures, and welfare with its intervals."""
    blocks: list[Block] = [_ranks(view), _measures(view)]
    if len(view.compared.mechanisms) > 1:
        blocks.append(_welfare(view))
    if view.two_sided:
        blocks.append(_fairness(view))
    return Section(key="mechanisms", title="What each mechanism gives", blocks=tuple(blocks))


def _ranks(view: MatchingView) -> Figure:
    shares = view.compared.ranks[0].mean(axis=1)
    table = np.column_stack([*(shares[:, start:stop].sum(axis=1) for start, stop in _CUTS), 1 - shares.sum(axis=1)])
    table[np.abs(table) < 1e-12] = 0.0
    names = view.compared.mechanisms
    first = {name: float(table[place, 0]) for place, name in enumerate(names)}
    best, worst = max(names, key=first.__getitem__), min(names, key=first.__getitem__)
    finding = f"{capitalise(view.name(best))}: {percent(first[best])} of {view.rows} have their first choice"
    if best != worst:
        finding += f"; {view.name(worst)}: {percent(first[worst])}"
    shown = len(_PARTS) if table[:, -1].any() else len(_PARTS) - 1
    return Figure(
        name="ranks",
        finding=finding,
        note=f"share of {view.rows} by the place of what they get in their own order, in per cent; means over draws",
        svg=draw_stacks(
            "ranks",
            [capitalise(view.name(name)) for name in names],
            _PARTS[:shown],
            table[:, :shown],
            label=f"Ranks by mechanism. {finding}.",
            last_is_bad=shown == len(_PARTS),
        ),
        table="mechanisms",
    )


def _measures(view: MatchingView) -> Table:
    columns: list[tuple[str, str, int | None]] = [
        ("first choice", "first_choice", None),
        ("mean rank", "mean_rank", 2),
        ("with nothing", "unassigned", None),
        (f"utility of a {view.row}", "row_welfare", 3),
    ]
    if view.two_sided:
        columns += [(f"of {view.columns}", "column_welfare", 3), ("of both", "welfare", 3)]
    columns.append(("with envy", "envious", None))
    if view.two_sided:
        columns += [("with a claim", "unfair", None), ("blocking pairs", "blocking_pairs", 0)]
    rows = []
    for name in view.compared.mechanisms:
        found = [_below(view.estimate(measure, name), decimals) for _, measure, decimals in columns]
        rows.append((Cell(text=capitalise(view.name(name)), below=_certified(view, name)), *found))
    note = (
        f"Means over {view.study.draws} draws, below them half a 95 % interval; utilities are per {view.row}. "
        f"With envy: would rather have a place that another {view.row} has."
    )
    if view.two_sided:
        note += (
            f" With a claim: in a blocking pair, with a {view.column} that they like better and that has room or has "
            "somebody whom it likes less."
        )
    return Table(
        name="mechanisms",
        caption="Mechanisms on the same tastes and lotteries",
        columns=(Column(title="mechanism", numeric=False), *(Column(title=head) for head, _, _ in columns)),
        rows=tuple(rows),
        note=f"{note} Differences are in tables/differences.csv.",
    )


def _below(found: Estimate, decimals: int | None) -> Cell:
    """Return a cell with its interval below, which takes less width than beside."""
    cell = _percent(found) if decimals is None else _number(found, decimals)
    return replace(cell, below=cell.aside, aside="")


def _fairness(view: MatchingView) -> Figure:
    amounts = []
    measures = {"unfair": "with a claim", "envious": "with envy"}
    for name in view.compared.mechanisms:
        heading = capitalise(view.name(name))
        for measure, word in measures.items():
            found = view.estimate(measure, name)
            text = percent(found.mean) + (f" ± {fixed(100 * found.half, 1)}" if found.half > 0 else "")
            amounts.append(Amount(name=word, value=100 * found.mean, text=text, heading=heading))
            heading = ""
    names = view.compared.mechanisms
    worst = max(names, key=lambda name: view.estimate("unfair", name).mean)
    most = view.estimate("unfair", worst).mean
    finding = f"Nobody could claim another place under any mechanism of the {len(names)}"
    if most > 0:
        finding = f"{capitalise(view.name(worst))} leaves most with a claim to another place: {percent(most)}"
    return Figure(
        name="fairness",
        finding=finding,
        note=f"share of {view.rows}, in per cent; envy whatever {view.columns} prefer, claims only where they do",
        svg=draw_amounts("fairness", amounts, label=f"Claims and envy. {finding}.", axis=f"% of {view.rows}"),
        table="mechanisms",
    )


def _certified(view: MatchingView, name: str) -> str:
    if not view.two_sided:
        return ""
    values = view.values("blocking_pairs")[0, view.compared.mechanisms.index(name)]
    return "stable in every draw" if not values.any() else ""


def _welfare(view: MatchingView) -> Figure:
    reference, *others = view.compared.mechanisms
    rows = []
    measures = {"row_welfare": view.rows}
    if view.two_sided:
        measures["column_welfare"] = view.columns
    for name in others:
        lanes = [
            Interval(name=word, lower=found.lower, upper=found.upper)
            for word, found in ((word, view.difference(key, name, reference)) for key, word in measures.items())
        ]
        found = view.difference("row_welfare", name, reference)
        text = f"{fixed(found.mean, 3, signed=True)} for a {view.row}"
        rows.append(IntervalRow(name=capitalise(view.name(name)), estimate=np.nan, text=text, intervals=tuple(lanes)))
    best = max(others, key=lambda name: view.difference("row_welfare", name, reference).mean)
    gain = view.difference("row_welfare", best, reference)
    more = "more" if gain.mean > 0 else "less"
    finding = (
        f"{capitalise(view.name(best))} gives a {view.row} {fixed(abs(gain.mean), 3)} ± {fixed(gain.half, 3)} {more} "
        f"utility than {view.name(reference)}"
    )
    return Figure(
        name="welfare",
        finding=finding,
        note=f"mean utility by {view.row} against {view.name(reference)} on the same draws, with 95 % intervals",
        svg=draw_intervals(
            "welfare",
            tuple(rows),
            label=f"Welfare by mechanism. {finding}.",
            axis=f"difference in utility by {view.row}",
        ),
        table="mechanisms",
    )


def groups_section(view: MatchingView) -> tuple[Section, ...]:
    """Who gets what: first choices by group."""
    compared = view.compared
    if len(compared.groups) < 2:
        return ()
    place = GROUP_MEASURES.index("first_choice")
    shares = compared.by_group[0, ..., place].mean(axis=1)
    order = np.argsort(-compared.group_sizes, kind="stable")[:MOST_CELLS]
    names = [capitalise(view.name(name)) for name in compared.mechanisms]
    spread = shares[:, order].max(axis=1) - shares[:, order].min(axis=1)
    most = int(np.argmax(spread))
    low, high = (int(order[int(pick(shares[most, order]))]) for pick in (np.argmin, np.argmax))
    finding = (
        f"{names[most]} divides most: {percent(shares[most, high])} have their first choice in "
        f"{clean(compared.groups[high])}, {percent(shares[most, low])} in {clean(compared.groups[low])}"
    )
    figure = Figure(
        name="groups",
        finding=finding,
        note=f"share with their first choice by {view.group}, in per cent; the numbers below",
        svg=draw_heatmap(
            "groups",
            names,
            [clean(compared.groups[k]) for k in order],
            100 * shares[:, order],
            label=f"First choices by group. {finding}.",
            row_title="mechanism",
            column_title=view.group,
            text=lambda value: f"{value:.0f}",
        ),
        table="groups",
    )
    return (Section(key="groups", title="Who gets what", blocks=(figure, _groups(view))),)


def _groups(view: MatchingView) -> Table:
    compared, rows = view.compared, []
    for place, name in enumerate(compared.mechanisms):
        for k in np.argsort(-compared.group_sizes, kind="stable")[:MOST_CELLS]:
            cells = [view.of(compared.by_group[0, place, :, k, j]) for j in range(len(GROUP_MEASURES))]
            rows.append(
                (
                    Cell(text=clean(compared.groups[k])),
                    Cell(text=view.name(name)),
                    Cell(text=count(int(compared.group_sizes[k]))),
                    _percent(cells[1]),
                    _number(cells[2], 2),
                    _number(cells[0], 3),
                    _percent(cells[3]),
                )
            )
    heads = [view.group, "mechanism", view.rows, "first choice", "mean rank", "utility", "with nothing"]
    return Table(
        name="groups",
        caption=f"By {view.group}",
        columns=tuple(Column(title=head, numeric=place > 1) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"± half a 95 % interval over draws; the {MOST_CELLS} largest. All are in tables/groups.csv.",
    )


def policies_section(view: MatchingView) -> tuple[Section, ...]:
    """Show what policies change under each mechanism."""
    compared = view.compared
    if len(compared.cases) < 2:
        return ()
    blocks: list[Block] = []
    described = view.result.scenario.get("policies") or {}
    for name in compared.cases[1:]:
        said = (described.get(name) or {}).get("description")
        if said:
            blocks.append(Prose(f"{clean(name)}: {clean(said)}"))
    rows, lines = [], []
    for case, policy in enumerate(compared.cases[1:], start=1):
        for mechanism in compared.mechanisms:
            welfare = view.change("row_welfare", mechanism, case)
            first = view.change("first_choice", mechanism, case)
            title = f"{clean(policy)}, {view.name(mechanism)}"
            lanes = (Interval(name="95 %", lower=welfare.lower, upper=welfare.upper),)
            text = fixed(welfare.mean, 3, signed=True)
            rows.append(IntervalRow(name=title, estimate=welfare.mean, text=text, intervals=lanes))
            lines.append(
                (
                    Cell(text=clean(policy)),
                    Cell(text=view.name(mechanism)),
                    _signed(welfare),
                    Cell(
                        text=points(first.mean, signed=True),
                        aside=f"± {fixed(100 * first.half, 1)}",
                        style="strong" if first.sure else "",
                    ),
                    _signed(view.change("mean_rank", mechanism, case), 2),
                )
            )
    best = max(rows, key=lambda row: row.estimate)
    finding = f"Most is gained with {best.name}: {best.text} in utility by {view.row}"
    blocks += [
        Figure(
            name="policies",
            finding=finding,
            note=f"change in mean utility by {view.row}, same tastes and lotteries before and after",
            svg=draw_intervals(
                "policies", tuple(rows), label=f"Policies. {finding}.", axis=f"change in utility by {view.row}"
            ),
            table="policies",
        ),
        Table(
            name="policies",
            caption="What policies change",
            columns=tuple(
                Column(title=head, numeric=place > 1)
                for place, head in enumerate(["policy", "mechanism", "utility", "first choice", "mean rank"])
            ),
            rows=tuple(lines),
            note="± half a 95 % interval over draws; bold: the interval leaves out 0.",
        ),
    ]
    return (Section(key="policies", title="What policies change", blocks=tuple(blocks)),)


def places_section(view: MatchingView) -> Section:
    """How full each column is, under each mechanism."""
    compared, market = view.compared, view.study.market
    filled = compared.filled[0].mean(axis=1)
    rows = []
    for j in range(market.shape[1])[:_MOST_PLACES]:
        seats = int(market.seats[j])
        k = compared.columns.index(str(market.column(j)))
        cells = [
            Cell(text=fixed(filled[i, k], 1), style="strong" if filled[i, k] >= seats - 1e-9 else "")
            for i in range(len(compared.mechanisms))
        ]
        rows.append((Cell(text=clean(str(market.column(j)))), Cell(text=count(seats)), *cells))
    heads = [view.column, "places", *(view.name(name) for name in compared.mechanisms)]
    table = Table(
        name="places",
        caption=f"{capitalise(view.rows)} by {view.column}, means over draws",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"Bold: full in every draw. The first {_MOST_PLACES}; all, with policies, are in tables/places.csv.",
    )
    return Section(key="places", title=f"Which {view.columns} fill up", blocks=(table,))


def _percent(found: Estimate) -> Cell:
    if not np.isfinite(found.mean):
        return Cell(text=NOTHING, style="none")
    return Cell(text=percent(found.mean), aside=f"± {fixed(100 * found.half, 1)}" if found.half > 0 else "")


def _number(found: Estimate, decimals: int) -> Cell:
    if not np.isfinite(found.mean):
        return Cell(text=NOTHING, style="none")
    aside = f"± {fixed(found.half, decimals)}" if found.half > 0 else ""
    return Cell(text=fixed(found.mean, decimals), aside=aside)


def _signed(found: Estimate, decimals: int = 3) -> Cell:
    if not np.isfinite(found.mean):
        return Cell(text=NOTHING, style="none")
    return Cell(
        text=fixed(found.mean, decimals, signed=True),
        aside=f"± {fixed(found.half, decimals)}",
        style="strong" if found.sure else "",
    )
