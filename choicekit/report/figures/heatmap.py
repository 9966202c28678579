"""Heatmaps of signed numbers: the number stands in its cell, the colour says which way and how much."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE, label_gutter
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_CELLS", "draw_heatmap"]

FloatArray = npt.NDArray[np.float64]

MOST_CELLS = 12
"""Most rows and columns that stay readable."""

_TOP, _BOTTOM, _RIGHT, _EDGE = 62.0, 8.0, 10.0, 1.5
_REACH = 84.0  # of the last name where names are turned
_TURNED = 5  # more columns than this have their names turned

# Blue and orange keep their distance for every kind of colour vision; white is nothing.
_DOWN, _UP = (0xB3, 0x57, 0x06), (0x05, 0x57, 0x8F)


def draw_heatmap(
    name: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: FloatArray,
    *,
    label: str,
    row_title: str,
    column_title: str,
    text: Callable[[float], str],
) -> Markup:
    """Draw a table as coloured cells.

    Parameters
    ----------
    name : str
        Of the figure.
    rows, columns : sequence of str
    values : ndarray (rows, columns)
        Signed numbers; nan for an empty cell.
    label : str
        For those who cannot see the figure.
    row_title, column_title : str
        What rows and columns are.
    text : callable
        Writes a number into its cell.

    Returns
    -------
    Markup
    """
    left = max(
        label_gutter([shorten(row, 20) for row in rows], size=1.15 * FONT_SIZE, most=180),
        label_gutter([row_title], size=FONT_SIZE - 1, most=190),
    )
    right = _RIGHT if len(columns) <= _TURNED else _REACH
    step = min((WIDTH - left - right) / len(columns), 112.0)
    tall = 38.0 if len(rows) <= 8 else 30.0
    top = _TOP if len(columns) <= _TURNED else 112.0
    height = top + tall * len(rows) + _BOTTOM
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        write(canvas, left, 12, column_title, colour=SOFT, size=FONT_SIZE - 1)
        write(canvas, 4, top - 16, row_title, colour=SOFT, size=FONT_SIZE - 1)
        _name_columns(canvas, columns, left, step, top)
        for i, row in enumerate(rows):
            write(canvas, 4, top + (i + 0.5) * tall, shorten(row, 20), bold=True)
            for j in range(len(columns)):
                _cell(canvas, values[i, j], largest, (left + j * step, top + i * tall, step, tall), text)

    return draw_svg(name, label, height, draw)


def _name_columns(canvas: Axes, columns: Sequence[str], left: float, step: float, top: float) -> None:
    turned = len(columns) > _TURNED
    for j, column in enumerate(columns):
        x = left + (j + 0.5) * step
        if turned:
            words = canvas.text(x - 4, top - 8, shorten(column, 16), rotation=40, rotation_mode="anchor")
            words.set(size=FONT_SIZE - 0.5, color=INK, weight="bold", va="bottom")
        else:
            write(canvas, x, top - 16, shorten(column, int(step / 7.6)), align="center", bold=True)


def _cell(
    canvas: Axes, value: float, largest: float, box: tuple[float, float, float, float], text: Callable[[float], str]
) -> None:
    from matplotlib.patches import Rectangle

    x, y, width, height = box
    colour = _colour(value, largest)
    inner = (width - 2 * _EDGE, height - 2 * _EDGE)
    canvas.add_patch(Rectangle((x + _EDGE, y + _EDGE), *inner, facecolor=colour, linewidth=0))
    if math.isnan(value):
        write(canvas, x + width / 2, y + height / 2, "–", align="center", colour=SOFT)
        return
    words = text(value)
    size = min(FONT_SIZE, (width - 6) / (0.62 * max(len(words), 1)))
    write(canvas, x + width / 2, y + height / 2, words, align="center", size=size, colour=_ink(colour))


def _colour(value: float, largest: float) -> str:
    """White at nothing; the stronger the colour the larger the number, by its square root so that small ones show."""
    if math.isnan(value) or largest == 0:
        return "#f5f7f9"
    strength = math.sqrt(min(abs(value) / largest, 1.0))
    towards = _DOWN if value < 0 else _UP
    return "#" + "".join(f"{round(255 + (end - 255) * strength):02x}" for end in towards)


def _ink(ground: str) -> str:
    """Dark or white, whichever stands out more."""
    red, green, blue = (_linear(int(ground[place : place + 2], 16) / 255) for place in (1, 3, 5))
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return INK if (light + 0.05) ** 2 > 1.05 * 0.066 else "#ffffff"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
