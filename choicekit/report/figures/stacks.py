"""Stacked bars: how a whole is shared out between ordered parts, a bar a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE, label_gutter
from choicekit.report.figures.style import INK, LINE, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_stacks"]

FloatArray = npt.NDArray[np.float64]

_ROW, _BAR, _RIGHT, _KEY, _BOTTOM = 40.0, 24.0, 14.0, 24.0, 8.0
_LEAST = 34.0  # width from which on a number fits in its part
_DARK, _PALE = (0x05, 0x57, 0x8F), (0xE3, 0xEE, 0xF6)  # from the best part to the last but one
_LAST = (0xB3, 0x57, 0x06)


def draw_stacks(
    name: str, rows: Sequence[str], parts: Sequence[str], values: FloatArray, *, label: str, last_is_bad: bool
) -> Markup:
    """Draw a bar a row, cut into parts.

    Parameters
    ----------
    name : str
        Of the figure.
    rows, parts : sequence of str
        Parts in their order, the best first.
    values : ndarray (rows, parts)
        Shares, of which each row sums to at most 1.
    label : str
        For those who cannot see the figure.
    last_is_bad : bool
        Whether the last part is another sort of thing, such as having nothing: hatched.

    Returns
    -------
    Markup
    """
    left = label_gutter([shorten(row, 26) for row in rows], size=1.1 * FONT_SIZE, most=240)
    lines = _lines(parts, left)
    top = 10.0 + _KEY * (1 + max((line for line, _ in lines), default=0)) + 6.0
    height = top + _ROW * len(rows) + _BOTTOM

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        for place, (part, (line, x)) in enumerate(zip(parts, lines, strict=True)):
            bad = last_is_bad and place == len(parts) - 1
            _box(canvas, x, 10.0 + _KEY * line, 14.0, 14.0, _colour(place, len(parts), bad), bad)
            write(canvas, x + 20, 17.0 + _KEY * line, part, colour=SOFT, size=FONT_SIZE - 1)
        for i, row in enumerate(rows):
            y = top + _ROW * (i + 0.5)
            write(canvas, 4, y, shorten(row, 26), bold=True)
            _bar(canvas, values[i], left, y, last_is_bad)

    return draw_svg(name, label, height, draw)


def _lines(parts: Sequence[str], left: float) -> list[tuple[int, float]]:
    """Line and place of each part's name in the key above the bars."""
    found, line, x = [], 0, left
    for part in parts:
        wide = 34.0 + 0.62 * (FONT_SIZE - 1) * len(part)
        if x > left and x + wide > WIDTH - _RIGHT:
            line, x = line + 1, left
        found.append((line, x))
        x += wide
    return found


def _bar(canvas: Axes, values: FloatArray, left: float, y: float, last_is_bad: bool) -> None:
    unit, x = WIDTH - left - _RIGHT, left
    for place, value in enumerate(np.nan_to_num(values)):
        bad = last_is_bad and place == len(values) - 1
        colour = _colour(place, len(values), bad)
        wide = float(value) * unit
        if wide <= 0:
            continue
        _box(canvas, x, y - _BAR / 2, wide, _BAR, colour, bad)
        if wide >= _LEAST:
            ink = "white" if bad or _light(colour) < 0.5 else INK
            write(canvas, x + wide / 2, y, f"{100 * value:.0f}", align="center", size=FONT_SIZE - 1, colour=ink)
        x += wide


def _box(canvas: Axes, x: float, y: float, wide: float, tall: float, colour: str, hatched: bool) -> None:
    from matplotlib.patches import Rectangle

    box = Rectangle((x, y), wide, tall, facecolor=colour, edgecolor="white" if hatched else LINE, linewidth=0.8)
    if hatched:
        box.set_hatch("///")
    canvas.add_patch(box)


def _colour(place: int, n: int, bad: bool) -> str:
    if bad:
        return "#{:02x}{:02x}{:02x}".format(*_LAST)
    part = place / max(n - 1, 1)
    return "#" + "".join(f"{round(dark + part * (pale - dark)):02x}" for dark, pale in zip(_DARK, _PALE, strict=True))


def _light(colour: str) -> float:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return 0.3 * red + 0.6 * green + 0.1 * blue
