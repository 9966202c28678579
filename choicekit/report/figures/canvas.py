"""A bare canvas in SVG units, for figures without axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from choicekit.report.figures.layout import FONT_SIZE
from choicekit.report.figures.style import INK
from choicekit.report.figures.svg import WIDTH

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["add_canvas", "write"]


def add_canvas(figure: Figure, height: float) -> Axes:
    """Cover a figure with invisible axes whose origin is the upper left corner."""
    canvas = figure.add_axes((0, 0, 1, 1))
    canvas.set_xlim(0, WIDTH)
    canvas.set_ylim(height, 0)
    canvas.set_axis_off()
    return canvas


def write(
    canvas: Axes,
    x: float,
    y: float,
    words: str,
    *,
    align: str = "left",
    size: float = FONT_SIZE,
    colour: str = INK,
    bold: bool = False,
) -> None:
    """Write words whose middle is at the height y."""
    weight = "bold" if bold else "normal"
    canvas.text(x, y, words, ha=align, va="center", size=size, color=colour, weight=weight, zorder=6)
