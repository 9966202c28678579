"""Shares by group, one segmentation after the other."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.segments import GroupLine, draw_groups
from choicekit.report.figures.style import MAX_CATEGORIES, OTHER, mark_svg
from choicekit.report.kinds.choice.view import ChoiceView, FloatArray, GroupSet
from choicekit.report.kinds.choice.words import group_finding, is_large
from choicekit.report.numbers import THIN, column_decimals, count, fixed, share
from choicekit.report.text import capitalise, in_sentence, shorten, slug

__all__ = ["segments_section"]

_MOST_LINES = 8  # more lines than this cannot be followed
_MOST_SEGMENTATIONS = 12
_MOST_COLUMNS = 10
_MOST_ROWS = 100
_HEAD = 36  # characters of a column's head


def segments_section(view: ChoiceView) -> tuple[Section, ...]:
    """Return the section on groups; none where there are no segmentations."""
    if not view.segmentations:
        return ()
    blocks: list[Block] = [Prose(_prose(view))]
    taken: list[str] = []
    for groups in view.segmentations[:_MOST_SEGMENTATIONS]:
        taken.append(slug(groups.name, taken))
        blocks += _segmentation(view, groups, f"by-{taken[-1]}")
    left = len(view.segmentations) - _MOST_SEGMENTATIONS
    if left > 0:
        blocks.append(Prose(f"{left} more segmentations are in tables/segments.csv."))
    return (Section(key="segments", title="Segments", blocks=tuple(blocks)),)


def _prose(view: ChoiceView) -> str:
    small = any(not is_large(view, groups).all() for groups in view.segmentations)
    left_out = f" Captions speak of groups with at least 5{THIN}% of {view.agents} only." if small else ""
    return (
        f"The same shares within groups of {view.agents}. Groups differ in what they face and in what they are; "
        f"simulated shares of each group, with their intervals, are in tables/segments.csv.{left_out}"
    )


def _segmentation(view: ChoiceView, groups: GroupSet, name: str) -> list[Block]:
    return [Heading(f"By {groups.name}"), _figure(view, groups, name), _table(view, groups, name)]


def _table(view: ChoiceView, groups: GroupSet, name: str) -> Table:
    wide = len(view.names) > _MOST_COLUMNS - 2
    head = _group_columns(view, groups) if not wide else _alternative_columns(view, groups)
    rows = _group_rows(view, groups) if not wide else _alternative_rows(view, groups)
    left_out = wide and len(groups.labels) > _MOST_COLUMNS
    left_out |= len(groups.labels if not wide else view.names) > _MOST_ROWS
    weighing = ", weighted" if view.outcome.weighted else ""
    return Table(
        name=name,
        caption=f"Expected share of {view.choices} by {groups.name}, %, and mean inclusive value in {view.unit}"
        f"{weighing}",
        columns=head,
        rows=rows,
        note="What is left out here is in tables/segments.csv." if left_out else "",
    )


def _row_noun(view: ChoiceView) -> str:
    return view.agents if view.outcome.n_rows == view.outcome.n_agents else "situations"


def _group_columns(view: ChoiceView, groups: GroupSet) -> tuple[Column, ...]:
    marks = [mark_svg(mark) for mark in view.marks]
    middle = [Column(title=shorten(name, _HEAD), mark=mark) for name, mark in zip(view.names, marks, strict=True)]
    return (
        Column(title=groups.name, numeric=False),
        Column(title=_row_noun(view)),
        *middle,
        Column(title="inclusive value"),
    )


def _group_rows(view: ChoiceView, groups: GroupSet) -> tuple[tuple[Cell, ...], ...]:
    """One row a group, and everybody last."""
    decimals = column_decimals(view.value[groups.positions])
    pairs = [*zip(groups.labels, groups.positions, strict=True)][:_MOST_ROWS]
    rows = [_group_row(view, label, int(position), decimals) for label, position in pairs]
    return (*rows, _group_row(view, f"all {_row_noun(view)}", 0, decimals))


def _group_row(view: ChoiceView, label: str, position: int, decimals: int) -> tuple[Cell, ...]:
    style = "strong" if position == 0 else ""
    shares = [Cell(text=share(float(value), view.decimals), style=style) for value in view.expected[position]]
    value = Cell(text=fixed(float(view.value[position]), decimals), style=style)
    return (Cell(text=label), Cell(text=count(int(view.rows[position])), style=style), *shares, value)


def _alternative_columns(view: ChoiceView, groups: GroupSet) -> tuple[Column, ...]:
    labels = groups.labels[:_MOST_COLUMNS]
    return (
        Column(title="alternative", numeric=False),
        *(Column(title=shorten(label, _HEAD)) for label in labels),
        Column(title="all"),
    )


def _alternative_rows(view: ChoiceView, groups: GroupSet) -> tuple[tuple[Cell, ...], ...]:
    """One row an alternative; what describes the groups last."""
    positions = [*(int(position) for position in groups.positions[:_MOST_COLUMNS]), 0]
    decimals = column_decimals(view.value[positions])
    rows = [
        (
            Cell(text=view.names[place], mark=mark_svg(view.marks[place])),
            *(Cell(text=share(float(view.expected[position, place]), view.decimals)) for position in positions),
        )
        for place in range(min(len(view.names), _MOST_ROWS))
    ]
    sizes = (Cell(text=_row_noun(view)), *(Cell(text=count(int(view.rows[position]))) for position in positions))
    values = [Cell(text=fixed(float(view.value[position]), decimals)) for position in positions]
    return (*rows, sizes, (Cell(text="inclusive value"), *values))


def _figure(view: ChoiceView, groups: GroupSet, name: str) -> Figure:
    shown = _shown_groups(view, groups)
    lines = _lines(view, groups.positions[shown])
    labels = tuple(groups.labels[place] for place in shown)
    finding = group_finding(view, groups)
    note = f"expected share of {in_sentence(view.choices)}, by group"
    if len(shown) < len(groups.labels):
        note += f"; the {len(shown)} largest of {len(groups.labels)} groups"
    if len(view.names) > _MOST_LINES:
        left = len(view.names) - _MOST_LINES + 1
        place = "drawn as one" if lines[-1].mark == OTHER else "in the table only"
        note += f"; the {left} smallest alternatives are {place}"
    kind = "Lines" if groups.ordered else "Dots"
    label = f"{kind} of expected shares of {len(view.names)} alternatives over {len(labels)} groups. {finding}."
    svg = draw_groups(
        name,
        labels,
        lines,
        label=label,
        axis=f"share of {in_sentence(view.choices, 28)}, %",
        decimals=view.decimals,
        ordered=groups.ordered,
    )
    return Figure(name=name, finding=capitalise(finding), note=note, svg=svg, table=name)


def _shown_groups(view: ChoiceView, groups: GroupSet) -> list[int]:
    """Return the places of the largest groups, in their order."""
    size = view.rows[groups.positions]
    largest = np.argsort(-size, kind="stable")[:MAX_CATEGORIES]
    return sorted(int(place) for place in largest)


def _lines(view: ChoiceView, positions: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[GroupLine, ...]:
    order = [int(place) for place in np.argsort(-np.nan_to_num(view.expected[0]), kind="stable")]
    kept = order if len(order) <= _MOST_LINES else order[: _MOST_LINES - 1]
    lines = [_line(view, view.expected[positions, place], place) for place in sorted(kept)]
    rest = [place for place in order if place not in kept]
    total = view.expected[positions][:, rest].sum(axis=1)
    # A large rest would press all other lines to the floor: it is left to the table then.
    if rest and np.nansum(view.expected[0, rest]) <= np.nanmax(view.expected[0], initial=0.0):
        lines.append(GroupLine(name=f"other ({len(rest)})", mark=OTHER, shares=total))
    return tuple(lines)


def _line(view: ChoiceView, shares: FloatArray, place: int) -> GroupLine:
    return GroupLine(name=view.names[place], mark=view.marks[place], shares=shares)
