"""Strips of distributions: where most of a group lies, its median and mean, and how many gain and lose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import THIN, real_minus, share
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["STRIP_LEVELS", "Strip", "draw_strips"]

STRIP_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles that a strip shows."""

_TOP, _BOTTOM, _PITCH = 40.0, 46.0, 36.0
_COLUMN = 148.0  # of the winners and losers, at the right
_GAIN, _LOSE = "#00674c", "#b35706"
_NAME = 24


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One row.

    Attributes
    ----------
    name : str
    quantiles : tuple of float
        At the levels of `STRIP_LEVELS`; nan for an empty group.
    mean : float
        nan where it is not shown.
    gain, lose : float
        Shares above and below nothing.
    heading : bool
        Whether a line is drawn above it.
    """

    name: str
    quantiles: tuple[float, ...]
    mean: float
    gain: float
    lose: float
    heading: bool = False


def draw_strips(name: str, strips: tuple[Strip, ...], *, label: str, axis: str) -> Markup:
    """Draw one row a group.

    Parameters
    ----------
    name : str
        Of the figure.
    strips : tuple of Strip
        From top to bottom.
    label : str
        For those who cannot see the figure.
    axis : str
        What is distributed, with its unit.

    Returns
    -------
    Markup
    """
    height = _PITCH * len(strips) + _TOP + _BOTTOM

    def draw(figure: Figure) -> None:
        left = label_gutter([shorten(strip.name, _NAME) for strip in strips], size=1.12 * FONT_SIZE, most=205) + 6
        panel = add_panel(figure, left=left, right=_COLUMN, top=_TOP, bottom=_BOTTOM, height=height)
        _set_axes(panel, strips, axis, left)
        for place, strip in enumerate(strips):
            _draw_strip(panel, strip, place)
        _name_parts(panel, strips)
        _winners(panel, strips, left)

    return draw_svg(name, label, height, draw)


def _set_axes(panel: Axes, strips: tuple[Strip, ...], axis: str, left: float) -> None:
    values = np.array([0.0, *(value for strip in strips for value in (*strip.quantiles, strip.mean))])
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    panel.set_xlim(low - 0.04 * span, high + 0.04 * span)
    panel.set_ylim(len(strips) - 0.5, -0.5)
    panel.set_xticks(percent_ticks(*panel.get_xlim(), most=5))
    panel.xaxis.set_major_formatter(lambda value, _: real_minus(f"{value:g}"))
    panel.set_yticks([])
    panel.grid(axis="y", visible=False)
    panel.spines["left"].set_visible(False)
    panel.spines["bottom"].set_visible(False)
    panel.set_xlabel(axis, loc="left", labelpad=8)
    panel.axvline(0, color=SOFT, linewidth=1.2, zorder=1)
    inner = WIDTH - left - _COLUMN
    for place, strip in enumerate(strips):
        offset, across = -(left - 4) / inner, panel.get_yaxis_transform()
        panel.text(offset, place, shorten(strip.name, _NAME), transform=across, va="center", weight="bold")
        if place:
            colour, width = ("#c3cad2", 1.0) if strip.heading else ("#edf0f3", 0.8)
            ends = [offset, 1 + _COLUMN / inner]
            panel.plot(
                ends, [place - 0.5] * 2, color=colour, linewidth=width, transform=across, clip_on=False, zorder=0
            )


def _draw_strip(panel: Axes, strip: Strip, y: int) -> None:
    from matplotlib.patches import Rectangle

    if not np.isfinite(strip.quantiles).all():
        panel.text(0, y, " nobody", va="center", color=SOFT, size=FONT_SIZE - 1)
        return
    lowest, low, median, high, highest = strip.quantiles
    colour = _GAIN if median > 0 else _LOSE if median < 0 else SOFT
    panel.plot([lowest, highest], [y, y], color=colour, linewidth=2.2, alpha=0.45, zorder=2, solid_capstyle="butt")
    panel.add_patch(Rectangle((low, y - 0.17), high - low, 0.34, facecolor=colour, alpha=0.45, linewidth=0, zorder=3))
    panel.plot([median, median], [y - 0.24, y + 0.24], color=colour, linewidth=2.6, zorder=4, solid_capstyle="butt")
    if math.isfinite(strip.mean):
        (dot,) = panel.plot(strip.mean, y, "o", color=INK, zorder=5, clip_on=False)
        dot.set(markersize=7, markeredgecolor="white", markeredgewidth=1)


def _name_parts(panel: Axes, strips: tuple[Strip, ...]) -> None:
    """Say once, above the panel, what the parts of a strip are."""
    words = "bar: middle half · line: 5 to 95 % · tick: median"
    if any(math.isfinite(strip.mean) for strip in strips):
        words += " · dot: mean"
    panel.annotate(
        words, (0, 1), xycoords="axes fraction", xytext=(0, 22), textcoords="offset points", annotation_clip=False
    ).set(size=FONT_SIZE - 2, color=SOFT, va="center")


def _winners(panel: Axes, strips: tuple[Strip, ...], left: float) -> None:
    """Draw to the right how many gain and lose, as a bar from nobody to all with the numbers under it."""
    from matplotlib.patches import Rectangle

    inner = WIDTH - left - _COLUMN
    start, width = 1 + 16 / inner, (_COLUMN - 24) / inner
    across = panel.get_yaxis_transform()
    for place, strip in enumerate(strips):
        if not math.isfinite(strip.gain):
            continue
        parts = ((0.0, strip.gain, _GAIN), (1 - strip.lose, strip.lose, _LOSE))
        panel.add_patch(
            Rectangle((start, place - 0.26), width, 0.16, facecolor="#e7ebef", transform=across, clip_on=False)
        )
        for begin, part, colour in parts:
            box = Rectangle((start + begin * width, place - 0.26), part * width, 0.16, facecolor=colour)
            box.set(transform=across, clip_on=False, linewidth=0, zorder=3)
            panel.add_patch(box)
        _side(panel, start, place, strip.gain, "gain", "left", _GAIN)
        _side(panel, start + width, place, strip.lose, "lose", "right", _LOSE)


def _side(panel: Axes, x: float, y: int, part: float, verb: str, align: str, colour: str) -> None:
    words = f"{share(part, 0)}{THIN}% {verb}"
    text = panel.text(x, y + 0.16, words, transform=panel.get_yaxis_transform(), ha=align, va="center")
    text.set(size=FONT_SIZE - 2, color=colour if part > 0 else SOFT)
