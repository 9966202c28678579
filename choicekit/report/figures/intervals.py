"""Intervals of one quantity beside each other: one row a policy, one lane a source of error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import real_minus
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Interval", "IntervalRow", "draw_intervals"]

_BOTTOM, _TOP, _LANE, _HEAD, _RIGHT = 46.0, 8.0, 17.0, 22.0, 12.0
_COLOURS = ("#5b6570", "#0072B2", "#8A5FA8")
_MARKERS = ("|", "o", "D")


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One lane: what the error is called, and from where to where it reaches."""

    name: str
    lower: float
    upper: float


@dataclass(frozen=True, kw_only=True)
class IntervalRow:
    """A quantity, its estimate, its intervals, and, where it is known, its true value."""

    name: str
    estimate: float
    text: str
    intervals: tuple[Interval, ...]
    known: float = math.nan


def draw_intervals(name: str, rows: tuple[IntervalRow, ...], *, label: str, axis: str) -> Markup:
    """Draw the intervals of several estimates.

    Parameters
    ----------
    name : str
        Of the figure.
    rows : tuple of IntervalRow
    label : str
        For those who cannot see the figure.
    axis : str
        What is estimated, with its unit.

    Returns
    -------
    Markup
    """
    lanes = [len(row.intervals) for row in rows]
    height = sum(_LANE * number + _HEAD for number in lanes) + _TOP + _BOTTOM

    def draw(figure: Figure) -> None:
        names = [lane.name for row in rows for lane in row.intervals]
        left = label_gutter(names, size=FONT_SIZE - 1, most=150)
        panel = add_panel(figure, left=left, right=_RIGHT, top=_TOP, bottom=_BOTTOM, height=height)
        _set_axes(panel, rows, axis, height - _TOP - _BOTTOM)
        y = 0.0
        for row in rows:
            _draw_row(panel, row, y, left)
            y += _HEAD + _LANE * len(row.intervals)

    return draw_svg(name, label, height, draw)


def _set_axes(panel: Axes, rows: tuple[IntervalRow, ...], axis: str, inner: float) -> None:
    ends = [end for row in rows for lane in row.intervals for end in (lane.lower, lane.upper)]
    known = [value for row in rows for value in (row.estimate, row.known)]
    values = [value for value in (0.0, *known, *ends) if math.isfinite(value)]
    span = (max(values) - min(values)) or 1.0
    panel.set_xlim(min(values) - 0.05 * span, max(values) + 0.05 * span)
    panel.set_ylim(inner, 0)
    panel.set_xticks(percent_ticks(*panel.get_xlim(), most=7))
    panel.xaxis.set_major_formatter(lambda value, _: real_minus(f"{value:g}"))
    panel.set_yticks([])
    panel.grid(axis="y", visible=False)
    panel.spines["left"].set_visible(False)
    panel.spines["bottom"].set_visible(False)
    panel.axvline(0, color=SOFT, linewidth=1.2, zorder=1)
    panel.set_xlabel(axis, loc="left", labelpad=8)


def _draw_row(panel: Axes, row: IntervalRow, top: float, left: float) -> None:
    offset, across = -(left - 4) / (WIDTH - left - _RIGHT), panel.get_yaxis_transform()
    panel.text(
        offset, top + 11, f"{shorten(row.name, 60)}: {row.text}", transform=across, va="center", weight="bold"
    ).set(bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0}, zorder=2.5)
    for place, lane in enumerate(row.intervals):
        y = top + _HEAD + _LANE * place + 5
        colour = _COLOURS[place % len(_COLOURS)]
        panel.text(offset, y, lane.name, transform=across, va="center", size=FONT_SIZE - 1, color=SOFT)
        if not (math.isfinite(lane.lower) and math.isfinite(lane.upper)):
            continue
        panel.plot([lane.lower, lane.upper], [y, y], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=3)
        for end in (lane.lower, lane.upper):
            panel.plot([end, end], [y - 4, y + 4], color=colour, linewidth=1.6, zorder=3)
        if math.isfinite(row.known):
            (ring,) = panel.plot(row.known, y, "D", color="white", markersize=9, zorder=3.5, clip_on=False)
            ring.set(markeredgecolor="#b35706", markeredgewidth=1.8)
        if math.isfinite(row.estimate):
            size = 9 if _MARKERS[place % 3] == "|" else 5.5
            panel.plot(row.estimate, y, _MARKERS[place % 3], color=INK, markersize=size, zorder=4, clip_on=False)
