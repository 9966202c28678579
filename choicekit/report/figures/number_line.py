"""Numbers on one line: where each lies, its name on top, and what separates two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE, label_gutter, percent_ticks, spread
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import real_minus
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Distance", "Place", "draw_number_line"]

_EDGE, _NAMES, _LINE_AT, _PITCH = 70.0, 14.0, 76.0, 30.0
_NAME = 22


@dataclass(frozen=True, kw_only=True)
class Place:
    """A number on the line: its name, what is written of it, and where it lies."""

    name: str
    text: str
    value: float
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Distance:
    """What lies between two numbers, drawn as a bracket below the line."""

    name: str
    start: float
    end: float


def draw_number_line(
    name: str, places: Sequence[Place], distances: Sequence[Distance], *, label: str, axis: str
) -> Markup:
    """Draw numbers along one line.

    Parameters
    ----------
    name : str
        Of the figure.
    places : sequence of Place
    distances : sequence of Distance
        Each on a level of its own, from top to bottom.
    label : str
        For those who cannot see the figure.
    axis : str
        What the numbers are.

    Returns
    -------
    Markup

    Examples
    --------
    >>> place = Place(name="max", text="7", value=7.0, mark=Mark("#0072B2", "o"))
    >>> "max" in draw_number_line("line", [place], [], label="one number", axis="utility")
    True
    """
    values = np.array([place.value for place in places], dtype=np.float64)
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    scale = (WIDTH - 2 * _EDGE) / span
    ticks = percent_ticks(low - 0.08 * span, high + 0.08 * span, most=6)
    below = _LINE_AT + 26
    height = below + _PITCH * len(distances) + 34

    def at(value: float) -> float:
        return _EDGE + (value - low) * scale

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        canvas.plot([8, WIDTH - 8], [_LINE_AT, _LINE_AT], color="#8b96a1", linewidth=1.2, zorder=1)
        bottom = height - 34
        for tick in ticks:
            canvas.plot([at(tick)] * 2, [_LINE_AT, bottom], color="#e7ebef", linewidth=0.8, zorder=0)
            write(canvas, at(tick), bottom + 10, real_minus(f"{tick:g}"), align="center", colour=SOFT)
        write(canvas, 8, bottom + 26, axis, colour=SOFT, size=FONT_SIZE - 1)
        _draw_places(canvas, places, [at(place.value) for place in places])
        for level, distance in enumerate(distances):
            _draw_distance(canvas, distance, (at(distance.start), at(distance.end)), below + level * _PITCH)

    return draw_svg(name, label, height, draw)


def _draw_places(canvas: Axes, places: Sequence[Place], xs: Sequence[float]) -> None:
    widest = label_gutter([shorten(place.name, _NAME) for place in places], size=1.1 * FONT_SIZE, least=60, most=190)
    middles = spread(xs, widest, widest / 2, WIDTH - widest / 2)
    for place, x, middle in zip(places, xs, middles, strict=True):
        canvas.plot([middle, x], [_NAMES + 32, _LINE_AT], color="#b8c0c8", linewidth=0.9, zorder=1)
        write(canvas, middle, _NAMES, shorten(place.name, _NAME), align="center", bold=True)
        write(canvas, middle, _NAMES + 20, place.text, align="center", colour=INK)
        (dot,) = canvas.plot(x, _LINE_AT, place.mark.marker, color=place.mark.colour)
        dot.set(markersize=9, markeredgewidth=0, zorder=4)


def _draw_distance(canvas: Axes, distance: Distance, ends: tuple[float, float], y: float) -> None:
    start, end = sorted(ends)
    canvas.plot([start, end], [y, y], color=INK, linewidth=1.3, zorder=2)
    for x in (start, end):
        canvas.plot([x, x], [y - 4, y + 4], color=INK, linewidth=1.3, zorder=2)
    words = canvas.text((start + end) / 2, y + 12, shorten(distance.name, 60), ha="center", va="center")
    words.set(size=FONT_SIZE - 0.5, color=INK, zorder=6)
    words.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0})
