"""Who is matched with whom: the coupling, the pairs that stand out against chance, and pairs that cannot be used."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.content import Block, Cell, Column, Details, Figure, Items, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.heatmap import MOST_CELLS, draw_heatmap
from choicekit.report.figures.matrix import MatrixPanel, draw_matrices
from choicekit.report.kinds.assignment.view import AssignmentView, SideView, called, opening
from choicekit.report.numbers import NOTHING, count, described, percent, significant
from choicekit.report.text import SHORTEST, in_sentence, shorten

__all__ = ["MOST_TYPES", "Pair", "aggregated", "coupling_section", "pairs_with_half", "top_pairs"]

FloatArray = npt.NDArray[np.float64]

MOST_TYPES = 60
"""Most rows and columns of the heatmap; beyond, neighbours are added up."""
_EACH_WAY = 10  # pairs above chance, and below
_MOST_NAMED = 12
_LEAST = 1e-9  # over total mass: what differs less from chance differs by rounding


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A row and a column with the mass that is matched, and what chance would match."""

    row: int
    column: int
    mass: float
    neutral: float

    @property
    def ratio(self) -> float:
        """How many times as much as by chance."""
        return self.mass / self.neutral if self.neutral > 0 else math.nan


def coupling_section(view: AssignmentView) -> Section:
    """Show the heatmap, the pairs that stand out, and those that cannot be used."""
    blocks: list[Block] = [Prose(_prose(view)), _heatmap(view), _largest(view)]
    pairs = top_pairs(view)
    if pairs:
        blocks += [_ratio_figure(view, pairs), _pair_table(view, pairs)]
    elif view.neutral is not None and view.total > 0:
        blocks.append(Prose("No pair is matched more or less often than chance would have it."))
    if len(view.unusable):
        blocks += _unusable(view)
    return Section(key="coupling", title="Who is matched with whom", blocks=tuple(blocks))


def top_pairs(view: AssignmentView) -> tuple[Pair, ...]:
    """Return the pairs furthest above what chance would match, then those furthest below it."""
    if view.neutral is None or not view.total > 0:
        return ()
    excess = np.where(view.allowed, view.solved.coupling - view.neutral, 0.0)
    order = np.argsort(-excess, axis=None, kind="stable")
    flat = excess.ravel()
    above = [place for place in order[:_EACH_WAY] if flat[place] > _LEAST * view.total]
    below = [place for place in order[::-1][:_EACH_WAY] if flat[place] < -_LEAST * view.total]
    return tuple(_pair(view, int(place)) for place in [*above, *below])


def _pair(view: AssignmentView, place: int) -> Pair:
    row, column = divmod(place, view.problem.shape[1])
    neutral = view.neutral if view.neutral is not None else np.full(view.problem.shape, np.nan)
    mass = float(view.solved.coupling[row, column])
    return Pair(row=row, column=column, mass=mass, neutral=float(neutral[row, column]))


def _prose(view: AssignmentView) -> str:
    n, m = view.problem.shape
    forbidden = int(np.count_nonzero(~view.allowed))
    text = f"Each cell is the mass of {called(view.rows)} that is matched with {called(view.columns)}."
    if forbidden:
        text += f" {count(forbidden)} of {count(n * m)} pairs {'is' if forbidden == 1 else 'are'} forbidden."
    if max(n, m) > MOST_TYPES:
        steps = [f"{size} {side.noun}" for side, size in _sizes(view) if size > 1]
        text += (
            f" The figure adds up neighbours in the order given, {' by '.join(steps)} to a cell, since there are more "
            f"than {MOST_TYPES}; data/coupling.parquet has every pair."
        )
    return text


def _sizes(view: AssignmentView) -> list[tuple[SideView, int]]:
    pairs = zip((view.rows, view.columns), view.problem.shape, strict=True)
    return [(side, math.ceil(size / MOST_TYPES)) for side, size in pairs]


def aggregated(
    values: FloatArray, names: tuple[tuple[str, ...], tuple[str, ...]]
) -> tuple[FloatArray, tuple[str, ...], tuple[str, ...]]:
    """Add up neighbouring rows and columns until at most 60 of each are left; nan where all that is added up is nan.

    Examples
    --------
    >>> names = tuple(map(str, range(120)))
    >>> values, rows, columns = aggregated(np.ones((120, 2)), (names, ("x", "y")))
    >>> values.shape, values[0].tolist(), rows[:2], columns
    ((60, 2), [2.0, 2.0], ('0 – 1', '2 – 3'), ('x', 'y'))
    """
    found, heads = values, []
    for axis in (0, 1):
        size = math.ceil(values.shape[axis] / MOST_TYPES)
        starts = np.arange(0, values.shape[axis], size)
        known = np.add.reduceat(np.isfinite(found), starts, axis=axis) > 0
        found = np.where(known, np.add.reduceat(np.nan_to_num(found), starts, axis=axis), np.nan)
        given = names[axis]
        heads.append(
            tuple(
                given[start] if size == 1 else _range(given[start], given[min(start + size, len(given)) - 1])
                for start in starts
            )
        )
    return found, heads[0], heads[1]


def _range(first: str, last: str) -> str:
    """Name what stands between two names, their common first words once.

    Examples
    --------
    >>> _range("school 012", "school 015"), _range("0", "1"), _range("x", "x")
    ('school 012–015', '0 – 1', 'x')
    """
    if first == last:
        return first
    *words, end = last.split(" ")
    shared = bool(words) and first.split(" ")[:-1] == words
    return f"{first}–{end}" if shared else f"{first} – {last}"


def _heatmap(view: AssignmentView) -> Figure:
    values = np.where(view.allowed, view.solved.coupling, np.nan)
    finding = _finding(view)
    return Figure(
        name="coupling",
        finding=finding,
        note="mass of each pair; the deeper the colour the more, by its square root",
        svg=_drawn(view, values, f"Heatmap of the mass of each pair. {finding}."),
        table="pairs-largest",
    )


def _finding(view: AssignmentView) -> str:
    coupling = view.solved.coupling
    if not view.total > 0:
        return "Nothing is matched"
    half = pairs_with_half(coupling)
    n_pairs = int(np.count_nonzero(view.allowed))
    used = int(np.count_nonzero(coupling))
    if used < n_pairs and (view.problem.sparse or view.problem.temperature == 0):
        return f"{count(used)} of {_pairs(view, n_pairs)} are used; half of all mass is in {count(half)} of them"
    return f"Half of all mass is in {count(half)} of {_pairs(view, n_pairs)}"


def _pairs(view: AssignmentView, n: int) -> str:
    return described(n, "pairs" if n == view.allowed.size else "allowed pairs")


def pairs_with_half(coupling: FloatArray) -> int:
    """Return how many pairs hold half of all mass, the largest first.

    Examples
    --------
    >>> pairs_with_half(np.array([[3.0, 1.0], [1.0, 0.0]]))
    1
    """
    held = np.sort(coupling, axis=None)[::-1].cumsum()
    return int(np.searchsorted(held, 0.5 * held[-1])) + 1


def _drawn(view: AssignmentView, values: FloatArray, label: str) -> Markup:
    titles = (shorten(view.rows.noun, 24), shorten(view.columns.noun, 40))
    if max(values.shape) <= MOST_CELLS:
        return draw_heatmap(
            "coupling",
            view.rows.names,
            view.columns.names,
            values,
            label=label,
            row_title=titles[0],
            column_title=titles[1],
            text=view.mass,
        )
    cells, rows, columns = aggregated(values, (view.rows.names, view.columns.names))
    return draw_matrices(
        "coupling",
        rows,
        columns,
        [MatrixPanel(title="", note="", values=cells)],
        label=label,
        row_title=titles[0],
        column_title=titles[1],
        scale=shorten(view.mass_unit, 40),
        text=lambda value: significant(value, 2),
    )


def _largest(view: AssignmentView) -> Details:
    """List the pairs with most mass: the table behind the heatmap."""
    coupling = view.solved.coupling
    order = np.argsort(-coupling, axis=None, kind="stable")[: 2 * _EACH_WAY]
    pairs = [_pair(view, int(place)) for place in order if coupling.flat[place] > 0]
    where = "tables/coupling.csv" if max(view.problem.shape) <= MOST_TYPES else "data/coupling.parquet"
    table = _table(view, "pairs-largest", f"The {count(len(pairs))} pairs with most mass", pairs, where)
    return Details(summary="The largest pairs in numbers", blocks=(table,))


def _pair_table(view: AssignmentView, pairs: tuple[Pair, ...]) -> Table:
    caption = "Pairs furthest above what chance would match, and furthest below"
    return _table(view, "pairs", caption, list(pairs), "tables/pairs.csv")


def _table(view: AssignmentView, name: str, caption: str, pairs: list[Pair], where: str) -> Table:
    return Table(
        name=name,
        caption=caption,
        columns=(
            Column(title="pair", numeric=False),
            Column(title="mass"),
            Column(title="share of all"),
            Column(title="by chance"),
            Column(title="times chance"),
            Column(title="utility"),
        ),
        rows=tuple(_row(view, pair) for pair in pairs),
        note=f"By chance: with the same sums, if utilities made no difference. All are in {where}.",
    )


def _row(view: AssignmentView, pair: Pair) -> tuple[Cell, ...]:
    return (
        Cell(text=view.pair((pair.row, pair.column))),
        Cell(text=view.mass(pair.mass), style="strong"),
        Cell(text=percent(pair.mass / view.total)),
        Cell(text=NOTHING if math.isnan(pair.neutral) else view.mass(pair.neutral)),
        Cell(text=_times(pair)),
        Cell(text=significant(float(view.problem.utility[pair.row, pair.column]), 4)),
    )


def _times(pair: Pair) -> str:
    if math.isnan(pair.ratio):
        return NOTHING
    return "never" if pair.ratio == 0 else significant(pair.ratio)


def _ratio_figure(view: AssignmentView, pairs: tuple[Pair, ...]) -> Figure:
    amounts = []
    for place, pair in enumerate(pairs):
        above = pair.mass > pair.neutral
        starts = place == 0 or above != (pairs[place - 1].mass > pairs[place - 1].neutral)
        side = "more" if above else "less"
        amounts.append(
            Amount(
                name=_short_pair(view, pair),
                value=math.log2(pair.ratio) if pair.ratio > 0 else math.nan,
                text=_times(pair) if pair.ratio == 0 else f"{_times(pair)}×",
                heading=f"{side} often than by chance" if starts else "",
            )
        )
    first = pairs[0]
    finding = (
        f"{opening(view.rows.names[first.row])} and {in_sentence(view.columns.names[first.column])} "
        f"have {view.mass(first.mass)} where chance would give {view.mass(first.neutral)}"
    )
    return Figure(
        name="pairs",
        finding=finding,
        note="in the order of how much mass that is; bars are ratios to chance, on a logarithmic axis",
        svg=draw_amounts(
            "pairs",
            amounts,
            label=f"Bars of how many times as often as by chance pairs are matched. {finding}.",
            axis="times what chance would match, logarithmic",
            longest=2 * SHORTEST + 3,
            ticks=lambda value: f"{significant(2.0**value, 2)}×",
        ),
        table="pairs",
    )


def _short_pair(view: AssignmentView, pair: Pair) -> str:
    return f"{shorten(view.rows.names[pair.row], SHORTEST)} · {shorten(view.columns.names[pair.column], SHORTEST)}"


def _unusable(view: AssignmentView) -> list[Block]:
    named = [view.pair((int(row), int(column))) for row, column in view.unusable[:_MOST_NAMED]]
    n = len(view.unusable)
    text = (
        f"{count(n)} allowed {'pair has' if n == 1 else 'pairs have'} no mass in any assignment that meets the "
        f"conditions, because of what is forbidden elsewhere"
    )
    if n > len(named):
        text += f"; the first {len(named)} are below, all in tables/unusable.csv"
    return [Prose(f"{text}."), Items(tuple(in_sentence(name, 90) for name in named))]
