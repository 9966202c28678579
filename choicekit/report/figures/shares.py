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

_TOP, _BOTTOM, _RIGHT = 6.0, 44.0, 12.0
_LABEL = 24
_BOLD = 1.15
_ROOM = 100.0  # for the words beside any other row
_SIMULATED = " simulated, 95 % interval"
_LONGEST_WORDS = f"30.0 ± 0.4{_SIMULATED}"


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
        left = label_gutter([shorten(dot.name, _LABEL) for dot in dots], size=_BOLD * FONT_SIZE, most=220)
        panel = add_panel(figure, left=left, right=_RIGHT, top=_TOP, bottom=_BOTTOM, height=height)
        _set_axes(panel, dots, axis, left)
        for row, dot in enumerate(dots):
            _draw_row(panel, dot, row, pitch, decimals, with_observed=with_observed, named=row == 0)

    return draw_svg("shares", label, height, draw)


def _set_axes(panel: Axes, dots: tuple[ShareDot, ...], axis: str, left: float) -> None:
    # The words beside the first row, the largest expected share, need as much room as they are wide.
    inner = WIDTH - left - _RIGHT
    longest = 1 - label_gutter([_LONGEST_WORDS], size=FONT_SIZE - 1, most=260) / inner
    largest = 100 * max(
        (value for dot in dots for value in (dot.upper, dot.observed, dot.expected) if value > 0), default=0.1
    )
    first = 100 * max((value for value in (dots[0].upper, dots[0].expected) if value > 0), default=0.1)
    right = max(first / longest, largest / (1 - _ROOM / inner))
    panel.set_xlim(0, right)
    panel.set_ylim(len(dots) - 0.5, -0.5)
    panel.set_xticks([tick for tick in percent_ticks(0, min(right, 100)) if tick < 1.05 * largest])
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.set_yticks([])
    panel.grid(axis="y", visible=False)
    panel.spines["left"].set_visible(False)
    panel.spines["bottom"].set_visible(False)
    panel.set_xlabel(axis, loc="left", labelpad=8)
    for row, dot in enumerate(dots):
        offset = -(left - 4) / (WIDTH - left - _RIGHT)
        panel.text(
            offset, row, shorten(dot.name, _LABEL), transform=panel.get_yaxis_transform(), va="center", weight="bold"
        )
        if row:
            panel.axhline(row - 0.5, color="#edf0f3", linewidth=0.8, zorder=0)


def _draw_row(
    panel: Axes, dot: ShareDot, row: int, pitch: float, decimals: int, *, with_observed: bool, named: bool
) -> None:
    """Draw the series of one alternative, each in a lane of its own with its words beside it."""
    lane = (16.0 if pitch > 50 else 13.0 if with_observed else 14.0) / pitch
    lanes = (row - lane, row, row + lane) if with_observed else (row - lane / 2, row + lane / 2, row)
    size = FONT_SIZE if pitch >= 44 else FONT_SIZE - 1
    _draw_expected(panel, dot, lanes[0])
    _words(panel, dot.expected, lanes[0], f"{share(dot.expected, decimals)}{' expected' if named else ''}", size, INK)
    _draw_simulated(panel, dot, lanes[1], 3.2 / pitch)
    half = max(dot.upper - dot.simulated, dot.simulated - dot.lower)
    found = share(dot.simulated, decimals) + (f" ± {share(half, decimals)}" if half > 0 else "")
    _words(panel, dot.upper, lanes[1], f"{found}{_SIMULATED if named else ''}", size - 1, SOFT)
    if math.isfinite(dot.observed):
        (ring,) = panel.plot(100 * dot.observed, lanes[2], "o", color="white", zorder=4, clip_on=False)
        ring.set(markeredgecolor=INK, markersize=6)
        words = f"{share(dot.observed, decimals)}{' observed' if named else ''}"
        _words(panel, dot.observed, lanes[2], words, size - 1, SOFT)


def _words(panel: Axes, end: float, y: float, words: str, size: float, colour: str) -> None:
    x = 0.018 * panel.get_xlim()[1] + (100 * end if math.isfinite(end) else 0.0)
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}  # keeps grid lines out of the words
    weight = "bold" if colour == INK else "normal"
    panel.text(x, y, words, va="center", size=size, color=colour, weight=weight, bbox=ground, zorder=2.5)


def _draw_expected(panel: Axes, dot: ShareDot, y: float) -> None:
    if math.isfinite(dot.expected):
        x, colour = 100 * dot.expected, dot.mark.colour
        panel.plot([0, x], [y, y], color=colour, linewidth=1.2, alpha=0.35, zorder=2)
        panel.plot(x, y, dot.mark.marker, color=colour, markersize=8.5, zorder=4, clip_on=False)


def _draw_simulated(panel: Axes, dot: ShareDot, y: float, tick: float) -> None:
    if math.isfinite(dot.simulated):
        x, colour = 100 * dot.simulated, dot.mark.colour
        if dot.upper > dot.lower:
            _whisker(panel, 100 * dot.lower, 100 * dot.upper, y, colour, tick)
        panel.plot(x, y, "|", color=colour, markersize=8, markeredgewidth=2, zorder=4, clip_on=False)


def _whisker(panel: Axes, low: float, high: float, y: float, colour: str, tick: float) -> None:
    panel.plot([low, high], [y, y], color=colour, linewidth=1.6, solid_capstyle="butt", zorder=3)
    for end in (low, high):
        panel.plot([end, end], [y - tick, y + tick], color=colour, linewidth=1.2, zorder=3)
