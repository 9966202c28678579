"""Surfaces over two utilities as contour maps side by side, hatched where raising a utility lowers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import real_minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = ["Surface", "draw_contours", "falls"]

FloatArray = npt.NDArray[np.float64]

_LEFT, _RIGHT, _GAP = 40.0, 8.0, 20.0
_TOP, _BOTTOM = 46.0, 46.0
_PALE, _DEEP = (0xF4, 0xF8, 0xFB), (0x6F, 0xA9, 0xD3)  # dark ink stays readable on both
_LEVELS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Surface:
    """One surface.

    Attributes
    ----------
    title, note : str
        Above the map; the note is set smaller.
    values : ndarray (n, n)
        Rows along the second utility, columns along the first.
    """

    title: str
    note: str
    values: FloatArray


def draw_contours(
    name: str, grid: FloatArray, surfaces: Sequence[Surface], *, label: str, x_title: str, y_title: str
) -> Markup:
    """Draw surfaces as contour maps with the same levels.

    Parameters
    ----------
    name : str
        Of the figure.
    grid : ndarray (n,)
        Both utilities, in rising order.
    surfaces : sequence of Surface
    label : str
        For those who cannot see the figure.
    x_title, y_title : str
        Names of the two utilities.

    Returns
    -------
    Markup

    Examples
    --------
    >>> grid = np.linspace(-1, 1, 9)
    >>> surface = Surface(title="max", note="", values=np.maximum(grid[:, None], grid))
    >>> svg = draw_contours("max", grid, [surface], label="one map", x_title="x1", y_title="x2")
    >>> "max" in svg
    True
    """
    from matplotlib.ticker import MaxNLocator

    values = np.stack([surface.values for surface in surfaces])
    levels = MaxNLocator(_LEVELS).tick_values(float(values.min()), float(values.max()))
    side = (WIDTH - _LEFT - _RIGHT - _GAP * (len(surfaces) - 1)) / len(surfaces)
    height = side + _TOP + _BOTTOM

    def draw(figure: Figure) -> None:
        for place, surface in enumerate(surfaces):
            x = _LEFT + place * (side + _GAP)
            panel = figure.add_axes((x / WIDTH, _BOTTOM / height, side / WIDTH, side / height))
            _draw_map(panel, grid, surface.values, levels)
            _set_axes(panel, grid, x_title, y_title if place == 0 else "")
            _head(panel, surface.title, 31).set(weight="bold", color=INK)
            _head(panel, surface.note, 14).set(size=FONT_SIZE - 1.5, color=SOFT)

    return draw_svg(name, label, height, draw)


def falls(values: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Say where a surface falls although one of the two utilities rises, by its slope on the grid.

    Parameters
    ----------
    values : array_like (n, n)

    Returns
    -------
    ndarray of bool (n, n)

    Examples
    --------
    >>> bool(falls(np.add.outer([0.0, 1.0, 2.0], [0.0, 1.0, 2.0])).any())
    False
    >>> falls([[0.0, 0.0], [0.0, -1.0]]).tolist()
    [[False, True], [True, True]]
    """
    surface = np.asarray(values, dtype=np.float64)
    rounding = 1e-12 * max(float(np.abs(surface).max()), 1.0)
    along, across = np.gradient(surface)
    return np.asarray(np.minimum(along, across) < -rounding)


def _head(panel: Axes, words: str, above: float) -> Text:
    return panel.annotate(
        words, (0, 1), xycoords="axes fraction", xytext=(0, above), textcoords="offset points", va="center"
    )


def _draw_map(panel: Axes, grid: FloatArray, values: FloatArray, levels: Sequence[float]) -> None:
    shades = [_between(place / (len(levels) - 2)) for place in range(len(levels) - 1)]
    panel.contourf(grid, grid, values, levels=levels, colors=shades)
    panel.contour(grid, grid, values, levels=levels, colors=["#2f5d80"], linewidths=1.1, linestyles="solid")
    fallen = falls(values)
    if fallen.any():
        _hatch(panel, grid, fallen)
    _label_levels(panel, grid, values, levels)


def _between(part: float) -> str:
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(_PALE, _DEEP, strict=True))


def _hatch(panel: Axes, grid: FloatArray, fallen: npt.NDArray[np.bool_]) -> None:
    shade = panel.contourf(grid, grid, fallen.astype(np.float64), levels=[0.5, 1.5], colors=["none"], hatches=["///"])
    shade.set(edgecolor="#c97a33", linewidth=0.0)


def _label_levels(panel: Axes, grid: FloatArray, values: FloatArray, levels: Sequence[float]) -> None:
    """Write each level where its line meets the diagonal, on which both utilities are equal."""
    diagonal = np.diagonal(values)
    low, high = float(diagonal[0]), float(diagonal[-1])
    room = 0.06 * (high - low)
    for level in levels:
        if not low + room < level < high - room:
            continue
        at = float(np.interp(level, diagonal, grid))
        words = panel.text(at, at, real_minus(f"{level:g}"), ha="center", va="center", size=FONT_SIZE - 2.5)
        words.set(color=INK, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.0})


def _set_axes(panel: Axes, grid: FloatArray, x_title: str, y_title: str) -> None:
    low, high = float(grid[0]), float(grid[-1])
    panel.set_xlim(low, high)
    panel.set_ylim(low, high)
    ticks = [low, (low + high) / 2, high]
    panel.set_xticks(ticks, [real_minus(f"{tick:g}") for tick in ticks])
    panel.set_yticks(ticks, [real_minus(f"{tick:g}") for tick in ticks] if y_title else [])
    panel.grid(visible=False)
    panel.set_xlabel(x_title, loc="center", labelpad=2)
    if y_title:
        panel.set_ylabel(y_title, loc="center", labelpad=2)
