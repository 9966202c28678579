"""Bars of the same alternatives side by side in small panels; a ring says that a number is exactly zero."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE, label_gutter
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["BarPanel", "draw_bars"]

FloatArray = npt.NDArray[np.float64]

_HEAD, _ROW, _BELOW = 46.0, 25.0, 22.0
_BAR = 13.0
_GAP = 22.0  # between panels
_NAME = 22
_LEAST_PANEL = 104.0
_SMALLEST_TITLE = 10.0
_WIDTH_OF_LETTER = 0.64  # of bold ones, in multiples of the font size


@dataclass(frozen=True, kw_only=True, eq=False)
class BarPanel:
    """One panel: a bar an alternative.

    Attributes
    ----------
    title, note : str
        Above the bars; the note is set smaller.
    values : ndarray (J,)
        From 0 to 1.
    """

    title: str
    note: str
    values: FloatArray


def draw_bars(
    name: str,
    rows: Sequence[str],
    marks: Sequence[Mark],
    panels: Sequence[BarPanel],
    *,
    label: str,
    row_title: str,
    text: Callable[[float], str],
    across: int = 3,
) -> Markup:
    """Draw panels of horizontal bars that share their rows.

    Parameters
    ----------
    name : str
        Of the figure.
    rows : sequence of str (J,)
        Names of the alternatives, from top to bottom.
    marks : sequence of Mark (J,)
    panels : sequence of BarPanel
    label : str
        For those who cannot see the figure.
    row_title : str
        What the rows are.
    text : callable
        Writes a number beside its bar.
    across : int
        Most panels side by side; the rest goes below.

    Returns
    -------
    Markup

    Examples
    --------
    >>> panel = BarPanel(title="argmax", note="", values=np.array([0.0, 1.0]))
    >>> marks = (Mark("#0072B2", "o"), Mark("#009E73", "s"))
    >>> svg = draw_bars("bars", ["u = 1", "u = 2"], marks, [panel], label="two bars", row_title="", text=str)
    >>> svg.count("<svg")
    1
    """
    left = max(
        label_gutter([shorten(row, _NAME) for row in rows], size=1.15 * FONT_SIZE, most=170) + 24,
        label_gutter([row_title], size=FONT_SIZE - 1, most=180),
    )
    columns = max(1, min(across, len(panels), int((WIDTH - left + _GAP) / (_LEAST_PANEL + _GAP))))
    lines = math.ceil(len(panels) / columns)
    columns = math.ceil(len(panels) / lines)
    block = _HEAD + _ROW * len(rows) + _BELOW
    height = lines * block - _BELOW + 8
    room = max(label_gutter([text(float(value)) for value in panel.values]) for panel in panels)
    wide = (WIDTH - left - _GAP * (columns - 1)) / columns

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        for line in range(lines):
            top = line * block + _HEAD
            write(canvas, 4, top - 12, row_title, colour=SOFT, size=FONT_SIZE - 1)
            for i, row in enumerate(rows):
                _name(canvas, row, marks[i], top + (i + 0.5) * _ROW)
            for place, panel in enumerate(panels[line * columns : (line + 1) * columns]):
                x = left + place * (wide + _GAP)
                _panel(canvas, panel, marks, (x, top, wide - room, wide + _GAP - 10), text)

    return draw_svg(name, label, height, draw)


def _name(canvas: Axes, row: str, mark: Mark, y: float) -> None:
    (dot,) = canvas.plot(10, y, mark.marker, color=mark.colour)
    dot.set(markersize=7, markeredgewidth=0, zorder=5)
    write(canvas, 22, y, shorten(row, _NAME), bold=True)


def _panel(
    canvas: Axes,
    panel: BarPanel,
    marks: Sequence[Mark],
    box: tuple[float, float, float, float],
    text: Callable[[float], str],
) -> None:
    from matplotlib.patches import Rectangle

    x, top, bar, wide = box
    title = shorten(panel.title, _letters(wide, _SMALLEST_TITLE))
    size = min(FONT_SIZE, max(wide / (_WIDTH_OF_LETTER * len(title or " ")), _SMALLEST_TITLE))
    write(canvas, x, top - 32, title, bold=True, size=size)
    write(canvas, x, top - 14, shorten(panel.note, _letters(wide, FONT_SIZE - 1.5)), colour=SOFT, size=FONT_SIZE - 1.5)
    bottom = top + _ROW * len(panel.values)
    canvas.plot([x, x], [top - 2, bottom + 2], color="#c3cad2", linewidth=1, zorder=1)
    for i, (value, mark) in enumerate(zip(panel.values, marks, strict=True)):
        y, number = top + (i + 0.5) * _ROW, float(value)
        end = x + bar * number
        if number > 0:
            canvas.add_patch(Rectangle((x, y - _BAR / 2), end - x, _BAR, facecolor=mark.colour, linewidth=0, zorder=2))
        else:
            (ring,) = canvas.plot(x, y, "o", color="white")
            ring.set(markeredgecolor=mark.colour, markeredgewidth=1.6, markersize=6.5, zorder=4)
            end = x + 5
        write(
            canvas, end + 5, y, text(number), bold=number > 0, size=FONT_SIZE - 0.5, colour=INK if number > 0 else SOFT
        )


def _letters(width: float, size: float) -> int:
    """How many letters fit."""
    return max(int(width / (_WIDTH_OF_LETTER * size)), 8)
