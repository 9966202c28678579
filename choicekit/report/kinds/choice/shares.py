"""The first section: what is chosen, expected, simulated and observed."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.shares import ShareDot, draw_shares
from choicekit.report.figures.style import MAX_CATEGORIES, OTHER, mark_svg
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.kinds.choice.words import agreement_finding, simulated_text
from choicekit.report.numbers import NOTHING, THIN, count, described, error_in_points, percent, points, share
from choicekit.report.text import in_sentence, join_words

__all__ = ["shares_section"]

_MOST_ROWS = 200
_MOST_SPOKEN = 6


def shares_section(view: ChoiceView) -> Section:
    """Table and dot plot of the shares of everybody."""
    return Section(key="shares", title="Shares", blocks=(Prose(_prose(view)), _table(view), _figure(view)))


def _prose(view: ChoiceView) -> str:
    replications = view.outcome.replications
    times = f"the mean of {count(replications)} simulated shares" if replications > 1 else "the simulated share"
    text = (
        f"The expected share of an alternative is its mean choice probability{_exactly(view)}. "
        f"Below it stands {times}, ± half of its 95{THIN}% simulation interval."
    )
    if view.outcome.weighted:
        text += " Weighted shares count every row by its weight; unweighted ones count all rows alike."
    return text


def _exactly(view: ChoiceView) -> str:
    if not view.outcome.study.types.n_shifts:
        return ": exact, given the model"
    return ", over agents and over the coefficients that each may have: its integration error is beside it"


def _table(view: ChoiceView) -> Table:
    outcome = view.outcome
    columns = [Column(title="alternative", numeric=False), Column(title="expected")]
    if outcome.weighted:
        columns[1] = Column(title="expected, weighted")
        columns.append(Column(title="unweighted"))
    if outcome.has_observed:
        columns += [Column(title="observed"), Column(title="expected − observed, points")]
    if outcome.study.types.n_shifts:
        columns.append(Column(title="integration error, points"))
    partly = bool(np.any(view.available < 1))
    if partly:
        columns.append(Column(title="available to, unweighted" if outcome.weighted else "available to"))
    shown = min(len(view.names), _MOST_ROWS)
    note = "" if shown == len(view.names) else f"{len(view.names) - shown} more rows are in tables/shares.csv."
    weighing = ", weighted" if outcome.weighted else ""
    return Table(
        name="shares",
        caption=f"Share of {view.choices}, {THIN}% ({described(int(view.rows[0]), 'rows')} that choose{weighing})"
        if outcome.n_rows != outcome.n_agents
        else f"Share of {view.choices}, % (n = {described(int(view.rows[0]), view.agents)}{weighing})",
        columns=tuple(columns),
        rows=tuple(_row(view, place, partly=partly) for place in range(shown)),
        note=note,
    )


def _row(view: ChoiceView, place: int, *, partly: bool) -> tuple[Cell, ...]:
    outcome, decimals = view.outcome, view.decimals
    cells = [
        Cell(text=view.names[place], mark=mark_svg(view.marks[place])),
        Cell(
            text=share(float(view.expected[0, place]), decimals), below=simulated_text(view, 0, place), style="strong"
        ),
    ]
    if outcome.weighted:
        expected = float(outcome.expected_by_group(weighted=False)[0, place])
        estimate = outcome.estimate_by_group(weighted=False)
        found, half = float(estimate.share[0, place]), float(estimate.half_width[0, place])
        cells.append(Cell(text=share(expected, decimals), below=f"{share(found, decimals)} ± {share(half, decimals)}"))
    if outcome.has_observed:
        observed = float(view.observed[0, place])
        difference = float(view.expected[0, place]) - observed
        cells += [Cell(text=share(observed, decimals)), Cell(text=points(difference, decimals, signed=True))]
    if outcome.study.types.n_shifts:
        cells.append(Cell(text=error_in_points(float(view.integration[0, place])), style="quiet"))
    if partly:
        cells.append(_availability(float(view.available[place])))
    return tuple(cells)


def _availability(found: float) -> Cell:
    if found == 0:
        return Cell(text="nobody", style="none")
    return Cell(text="all" if found == 1 else percent(found, 1)) if np.isfinite(found) else Cell(text=NOTHING)


def _figure(view: ChoiceView) -> Figure:
    dots = _dots(view)
    spoken = [f"{in_sentence(dot.name)} {percent(dot.expected, view.decimals)}" for dot in dots[:_MOST_SPOKEN]]
    more = f" and {len(dots) - _MOST_SPOKEN} more" if len(dots) > _MOST_SPOKEN else ""
    observed = ", and observed shares" if view.outcome.has_observed else ""
    label = (
        f"Dot plot of expected shares of {view.choices} with simulated 95 % intervals{observed}. "
        f"Expected: {join_words(spoken)}{more}."
    )
    note = f"largest share first; bars are 95 % simulation intervals{_rest(view)}"
    return Figure(
        name="shares",
        finding=agreement_finding(view),
        note=note,
        svg=draw_shares(dots, label=label, axis=f"share of {in_sentence(view.choices)}, %", decimals=view.decimals),
        table="shares",
    )


def _rest(view: ChoiceView) -> str:
    left = sum(mark == OTHER for mark in view.marks) if len(view.names) > MAX_CATEGORIES else 0
    return f"; the {left} smallest are drawn as one" if left else ""


def _dots(view: ChoiceView) -> tuple[ShareDot, ...]:
    order = np.argsort(-np.nan_to_num(view.expected[0]), kind="stable")
    shown = [int(place) for place in order if view.marks[place] != OTHER]
    dots = [_dot(view, place) for place in shown]
    rest = [int(place) for place in order if view.marks[place] == OTHER]
    if rest:
        dots.append(_other(view, rest))
    return tuple(dots)


def _dot(view: ChoiceView, place: int) -> ShareDot:
    estimate = view.estimate
    return ShareDot(
        name=view.names[place],
        mark=view.marks[place],
        expected=float(view.expected[0, place]),
        simulated=float(estimate.share[0, place]),
        lower=float(estimate.lower[0, place]),
        upper=float(estimate.upper[0, place]),
        observed=float(view.observed[0, place]),
    )


def _other(view: ChoiceView, rest: list[int]) -> ShareDot:
    simulated = float(view.estimate.share[0, rest].sum())
    # The interval of a sum is not the sum of intervals: none is drawn.
    return ShareDot(
        name=f"other ({len(rest)})",
        mark=OTHER,
        expected=float(view.expected[0, rest].sum()),
        simulated=simulated,
        lower=simulated,
        upper=simulated,
        observed=float(view.observed[0, rest].sum()),
    )
