"""Dot plot of shares: what is expected, what was simulated with its interval, and what was observed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import share
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ShareDot", "draw_shares"]

_TOP, _BOTTOM, _RIGHT, _ROOM = 6.0, 44.0, 12.0, 0.34
_LABEL = 24


@dataclass(frozen=True, kw_only=True)
class ShareDot:
    """One row of the plot: shares of one alternative, nan where there are none."""

    name: str
    mark: Mark
    expected: float
    simulated: float
    lower: float
    upper: float
    observed: float


def draw_shares(dots: tuple[ShareDot, ...], *, label: str, axis: str, decimals: int) -> Markup:
    """Draw one row an alternative, the first on top.

    Parameters
    ----------
    dots : tuple of ShareDot
    label : str
        For those who cannot see the figure.
    axis : str
        What the shares are of.
    decimals : int
        Of the percentages written beside the dots.

    Returns
    -------
    Markup
    """
    with_observed = any(math.isfinite(dot.observed) for dot in dots)
    # Three series lie almost on one another, so each has a line of its own within the row.
    pitch = (56.0 if with_observed else 44.0) if len(dots) <= 8 else (44.0 if with_observed else 34.0)
    height = pitch * len(dots) + _TOP + _BOTTOM

    def draw(figure: Figure) -> None:
        left = label_gutter([shorten(dot.name, _LABEL) for dot in dots], most=200)
        panel = add_panel(figure, left=left, right=_RIGHT, top=_TOP, bottom=_BOTTOM, height=height)
        largest = max((value for dot in dots for value in (dot.upper, dot.observed, dot.expected) if value > 0), default=0.1)
        _set_axes(panel, dots, 100 * largest, axis, left, pitch)
        for row, dot in enumerate(dots):
            _draw_row(panel, dot, row, pitch, decimals, with_observed=with_observed, named=row == 0)

    return draw_svg("shares", label, height, draw)


def _set_axes(panel: Axes, dots: tuple[ShareDot, ...], largest: float, axis: str, left: float, pitch: float) -> None:
    high = largest * 1.02
    panel.set_xlim(0, high / (1 - _ROOM))
    panel.set_ylim(len(dots) - 0.5, -0.5)
    panel.set_xticks(percent_ticks(0, min(high / (1 - _ROOM), 100)))
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.set_yticks([])
    panel.grid(axis="y", visible=False)
    panel.spines["left"].set_visible(False)
    panel.spines["bottom"].set_visible(False)
    panel.set_xlabel(axis, loc="left", labelpad=8)
    for row, dot in enumerate(dots):
        offset = -(left - 4) / (WIDTH - left - _RIGHT)
        panel.text(offset, row, shorten(dot.name, _LABEL), transform=panel.get_yaxis_transform(), va="center", weight=600)
        if row:
            panel.axhline(row - 0.5, color="#edf0f3", linewidth=0.8, zorder=0)


def _draw_row(
    panel: Axes, dot: ShareDot, row: int, pitch: float, decimals: int, *, with_observed: bool, named: bool
) -> None:
    lane = 16.0 / pitch if pitch >= 44 and with_observed else 14.0 / pitch
    if pitch < 50 and with_observed:
        lane = 13.0 / pitch
    lanes = (-lane, 0.0, lane) if with_observed else (-lane / 2, lane / 2)
    colour, end = dot.mark.colour, 100 * max(v for v in (dot.upper, dot.observed, dot.expected, 0.0) if math.isfinite(v))
    text_at = end + 1.8 * panel.get_xlim()[1] / 100
    size = FONT_SIZE if pitch >= 44 else FONT_SIZE - 1
    y = row + lanes[0]
    if math.isfinite(dot.expected):
        panel.plot([0, 100 * dot.expected], [y, y], color=colour, linewidth=1.2, alpha=0.35, zorder=2)
        panel.plot(100 * dot.expected, y, dot.mark.marker, color=colour, markersize=8.5, zorder=4, clip_on=False)
    words = " expected" if named else ""
    panel.text(text_at, y, f"{share(dot.expected, decimals)}{words}", va="center", size=size, weight=650, color=INK)
    y = row + lanes[1]
    if math.isfinite(dot.simulated):
        _whisker(panel, 100 * dot.lower, 100 * dot.upper, y, colour, 3.2 / pitch)
        panel.plot(100 * dot.simulated, y, "|", color=colour, markersize=8, markeredgewidth=2, zorder=4, clip_on=False)
    words = " simulated, 95 % interval" if named else ""
    half = f" ± {share(max(dot.upper - dot.simulated, dot.simulated - dot.lower), decimals)}" if dot.upper > dot.lower else ""
    panel.text(text_at, y, f"{share(dot.simulated, decimals)}{half}{words}", va="center", size=size - 1, color=SOFT)
    if with_observed and math.isfinite(dot.observed):
        y = row + lanes[2]
        panel.plot(100 * dot.observed, y, "o", color="white", markeredgecolor=INK, markersize=6, zorder=4, clip_on=False)
        words = " observed" if named else ""
        panel.text(text_at, y, f"{share(dot.observed, decimals)}{words}", va="center", size=size - 1, color=SOFT)


def _whisker(panel: Axes, low: float, high: float, y: float, colour: str, tick: float) -> None:
    panel.plot([low, high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt", zorder=3)
    for end in (low, high):
        panel.plot([end, end], [y - tick, y + tick], color=colour, linewidth=1.2, zorder=3)
