"""Signed amounts of many things: bars to either side of nothing, each with its number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.curves import plain_number
from choicekit.report.figures.layout import FONT_SIZE, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Amount", "draw_amounts"]

_ROW, _HEADING, _TOP, _BOTTOM, _BAR = 25.0, 30.0, 6.0, 48.0, 13.0
_UP, _DOWN = "#05578f", "#b35706"
_NAME = 28
_CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}  # keeps lines out of words
_LEAST_TICKS = 60.0  # room that a tick needs, in SVG units


@dataclass(frozen=True, kw_only=True)
class Amount:
    """One row.

    Attributes
    ----------
    name : str
    value : float
        How far its bar reaches from 0; nan for no bar.
    text : str
        Written at its end.
    heading : str
        Of the rows from this one on; empty where they belong to those above.
    """

    name: str
    value: float
    text: str
    heading: str = ""


def draw_amounts(
    name: str,
    amounts: Sequence[Amount],
    *,
    label: str,
    axis: str,
    ticks: Callable[[float], str] = plain_number,
    longest: int = _NAME,
) -> Markup:
    """Draw one bar an amount, to the right of 0 where it is above, to the left where it is below.

    Parameters
    ----------
    name : str
        Of the figure.
    amounts : sequence of Amount
        From top to bottom.
    label : str
        For those who cannot see the figure.
    axis : str
        What the amounts are, with their unit.
    ticks : callable
        Writes a number at its tick.
    longest : int
        Characters of a name that are shown.

    Returns
    -------
    Markup

    Examples
    --------
    >>> rows = [Amount(name="cake", value=0.5, text="0.5"), Amount(name="tart", value=-0.25, text="−0.25")]
    >>> "tart" in draw_amounts("prices", rows, label="two prices", axis="price")
    True
    """
    names = [shorten(row.name, longest) for row in amounts]
    left = label_gutter(names, size=1.15 * FONT_SIZE, most=7.7 * longest)
    low, high = _ends([row.value for row in amounts])
    room = label_gutter([row.text for row in amounts], most=120)
    unit = (high - low) / max(WIDTH - left - room * ((low < 0) + (high > 0)) - 6, 100.0)
    zero = left - low / unit + (room if low < 0 else 0.0)
    height = _TOP + _BOTTOM + _ROW * len(amounts) + _HEADING * sum(bool(row.heading) for row in amounts)

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        _draw_axis(canvas, (low, high, zero, unit), height - _BOTTOM, axis, ticks)
        y = _TOP
        for row, shown in zip(amounts, names, strict=True):
            if row.heading:
                heading = canvas.text(4, y + _HEADING - 13, shorten(row.heading, 60), va="center", zorder=6)
                heading.set(size=FONT_SIZE, color=SOFT, bbox=_CLEAR)
                y += _HEADING
            write(canvas, 4, y + _ROW / 2, shown, bold=True)
            _draw_bar(canvas, row, y + _ROW / 2, zero, unit)
            y += _ROW

    return draw_svg(name, label, height, draw)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    finite = [value for value in values if math.isfinite(value)]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    return (low, high) if high > low else (0.0, 1.0)


def _draw_axis(
    canvas: Axes, scale: tuple[float, float, float, float], bottom: float, axis: str, ticks: Callable[[float], str]
) -> None:
    low, high, zero, unit = scale
    for tick in percent_ticks(low, high, most=max(int((high - low) / unit / _LEAST_TICKS), 2)):
        x, at_zero = zero + tick / unit, tick == 0
        colour, width = (SOFT, 1.2) if at_zero else ("#e7ebef", 0.9)
        canvas.plot([x, x], [_TOP, bottom], color=colour, linewidth=width, zorder=1)
        write(canvas, x, bottom + 12, ticks(tick), align="center", colour=SOFT, size=FONT_SIZE - 0.5)
    write(canvas, 4, bottom + 34, axis, colour=SOFT, size=FONT_SIZE - 0.5)


def _draw_bar(canvas: Axes, row: Amount, y: float, zero: float, unit: float) -> None:
    from matplotlib.patches import Rectangle

    known = math.isfinite(row.value)
    end = zero + (row.value / unit if known else 0.0)
    below = known and row.value < 0
    if known and row.value != 0:
        box = Rectangle((min(zero, end), y - _BAR / 2), abs(end - zero), _BAR, linewidth=0, zorder=3)
        box.set_facecolor(_DOWN if below else _UP)
        canvas.add_patch(box)
    words = canvas.text(end + (-5 if below else 5), y, row.text, ha="right" if below else "left", va="center")
    words.set(size=FONT_SIZE - 0.5, color=INK if known else SOFT, weight="bold" if known else "normal", zorder=6)
    words.set_bbox(_CLEAR)
