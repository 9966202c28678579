"""Vectors on the simplex in a grid: one row a draw, one column a setting, a small bar chart each."""

from __future__ import annotations

from collections.abc import Sequence
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

__all__ = ["draw_sample_grid"]

FloatArray = npt.NDArray[np.float64]

_TOP, _CELL, _LINE, _BOTTOM = 30.0, 62.0, 24.0, 34.0
_GAP = 22.0


def draw_sample_grid(
    name: str,
    rows: Sequence[str],
    columns: Sequence[str],
    alternatives: Sequence[str],
    marks: Sequence[Mark],
    samples: FloatArray,
    *,
    label: str,
) -> Markup:
    """Draw a grid of small bar charts, with the mark of each alternative under its bar, the largest one's in full.

    Parameters
    ----------
    name : str
        Of the figure.
    rows, columns : sequence of str
        Names of the draws and of the settings.
    alternatives : sequence of str (J,)
        Named once, below the grid.
    marks : sequence of Mark (J,)
    samples : ndarray (rows, columns, J)
        Each from 0 to 1.
    label : str
        For those who cannot see the figure.

    Returns
    -------
    Markup

    Examples
    --------
    >>> marks = (Mark("#0072B2", "o"), Mark("#009E73", "s"))
    >>> samples = np.array([[[0.9, 0.1]]])
    >>> "draw 1" in draw_sample_grid("grid", ["draw 1"], ["0.1"], ["a", "b"], marks, samples, label="one chart")
    True
    """
    left = label_gutter([shorten(row, 20) for row in rows], size=1.1 * FONT_SIZE, most=150)
    wide = (WIDTH - left - _GAP * (len(columns) - 1)) / len(columns)
    height = _TOP + (_CELL + _LINE) * len(rows) + _BOTTOM

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        for j, column in enumerate(columns):
            write(canvas, left + j * (wide + _GAP) + wide / 2, 12, column, align="center", bold=True)
        for i, row in enumerate(rows):
            base = _TOP + i * (_CELL + _LINE) + _CELL
            write(canvas, 4, base - _CELL / 2, shorten(row, 20), bold=True)
            for j in range(len(columns)):
                _cell(canvas, samples[i, j], marks, (left + j * (wide + _GAP), base, wide))
        _name_marks(canvas, alternatives, marks, height - 12)

    return draw_svg(name, label, height, draw)


def _cell(canvas: Axes, sample: FloatArray, marks: Sequence[Mark], box: tuple[float, float, float]) -> None:
    from matplotlib.patches import Rectangle

    x, base, wide = box
    step, largest = wide / len(sample), int(np.argmax(sample))
    canvas.plot([x, x + wide], [base, base], color="#c3cad2", linewidth=1, zorder=3)
    canvas.plot([x, x + wide], [base - _CELL + 8, base - _CELL + 8], color="#edf0f3", linewidth=0.8, zorder=1)
    for place, (value, mark) in enumerate(zip(sample, marks, strict=True)):
        tall, middle = (_CELL - 8) * float(value), x + (place + 0.5) * step
        bar = Rectangle((middle - 0.38 * step, base - tall), 0.76 * step, tall, facecolor=mark.colour, zorder=2)
        bar.set(linewidth=0)
        canvas.add_patch(bar)
        (dot,) = canvas.plot(middle, base + 10, mark.marker, color=mark.colour, zorder=4)
        wins = place == largest
        dot.set(markersize=min(0.55 * step, 9.0) if wins else min(0.35 * step, 5.5), alpha=1.0 if wins else 0.45)
        dot.set(markeredgecolor=INK if wins else "none", markeredgewidth=1.3 if wins else 0.0)


def _name_marks(canvas: Axes, names: Sequence[str], marks: Sequence[Mark], y: float) -> None:
    step = WIDTH / len(names)
    for place, (name, mark) in enumerate(zip(names, marks, strict=True)):
        (dot,) = canvas.plot(place * step + 10, y, mark.marker, color=mark.colour)
        dot.set(markersize=7, markeredgewidth=0, zorder=4)
        words = shorten(name, max(int((step - 22) / (0.62 * FONT_SIZE)), 3))
        write(canvas, place * step + 20, y, words, colour=SOFT, size=FONT_SIZE - (0 if len(names) <= 10 else 3))
