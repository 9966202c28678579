"""Dense tables as coloured cells without numbers, one beside another on a common scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE, label_gutter
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.text import display_width, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MatrixPanel", "draw_matrices"]

FloatArray = npt.NDArray[np.float64]

_LEVELS = 24
_DARK, _FORBIDDEN = (0x05, 0x57, 0x8F), "#dcd6cf"
_NAMES, _PITCH = 20, 14.0  # most names along a side, and the room that each needs
_HEAD, _BELOW, _GAP, _SCALE, _RIGHT = 52.0, 34.0, 26.0, 46.0, 8.0
_LEAST_STEP, _LEAST_TALL, _TALLEST = 8.0, 14.0, 480.0
_SMALL = FONT_SIZE - 1.5
_NAME = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class MatrixPanel:
    """One table.

    Attributes
    ----------
    title, note : str
        Above it; the note is set smaller.
    values : ndarray (R, C)
        At least 0; nan for what may not be.
    """

    title: str
    note: str
    values: FloatArray


@dataclass(frozen=True, kw_only=True)
class _Layout:
    """Where panels are: `across` of them a line, cells `step` wide and `tall` high, in SVG units."""

    across: int
    left: float
    step: float
    tall: float
    above: float
    block: float
    wide: float

    def corner(self, place: int) -> tuple[float, float]:
        line, column = divmod(place, self.across)
        return self.left + column * (self.wide + _GAP), line * self.block + self.above


def draw_matrices(
    name: str,
    rows: Sequence[str],
    columns: Sequence[str],
    panels: Sequence[MatrixPanel],
    *,
    label: str,
    row_title: str,
    column_title: str,
    scale: str,
    text: Callable[[float], str],
    across: int = 2,
) -> Markup:
    """Draw tables that share their rows, their columns and their colours.

    Parameters
    ----------
    name : str
        Of the figure.
    rows, columns : sequence of str
        Where they are many, only some are written.
    panels : sequence of MatrixPanel
    label : str
        For those who cannot see the figure.
    row_title, column_title : str
        What rows and columns are.
    scale : str
        What the colours stand for.
    text : callable
        Writes the largest number beside the scale.
    across : int
        Most panels side by side.

    Returns
    -------
    Markup

    Examples
    --------
    >>> panel = MatrixPanel(title="T = 1", note="", values=np.eye(2))
    >>> svg = draw_matrices(
    ...     "c", ["a", "b"], ["x", "y"], [panel], label="", row_title="r", column_title="c", scale="mass", text=str
    ... )
    >>> "T = 1" in svg
    True
    """
    titled = any(panel.title or panel.note for panel in panels)
    layout = _layout(rows, columns, len(panels), row_title, across, titled)
    lines = math.ceil(len(panels) / layout.across)
    height = lines * layout.block + _SCALE
    known = np.concatenate([panel.values[np.isfinite(panel.values)] for panel in panels])
    largest = float(known.max()) if known.size else 0.0
    forbidden = any(bool(np.isnan(panel.values).any()) for panel in panels)

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        for place, panel in enumerate(panels):
            x, y = layout.corner(place)
            top = y - layout.above
            write(canvas, x, top + 10, shorten(panel.title, int(layout.wide / 8)), bold=True)
            write(canvas, x, top + 27, shorten(panel.note, int(layout.wide / 7)), colour=SOFT, size=_SMALL)
            _draw_cells(canvas, panel.values, largest, (x, y, layout.step, layout.tall))
            bottom = y + layout.tall * len(rows)
            _name_columns(canvas, columns, (x, y), layout.step, bottom, column_title)
            if place % layout.across == 0:
                _name_rows(canvas, rows, y, layout.tall, row_title)
        _draw_scale(canvas, (layout.left, height - _SCALE + 14), f"{scale}, 0 to {text(largest)}", forbidden)

    return draw_svg(name, label, height, draw)


def _layout(rows: Sequence[str], columns: Sequence[str], n: int, row_title: str, across: int, titled: bool) -> _Layout:
    left = max(
        label_gutter([shorten(row, _NAME) for row in rows], size=FONT_SIZE, most=150),
        label_gutter([row_title], size=_SMALL, most=170),
    )
    beside = max(1, min(across, n))
    room = (WIDTH - left - _GAP * (beside - 1)) / beside
    shown = [columns[place] for place in _named(len(columns), room)]
    turned = max((display_width(shorten(column, _NAME)) * _SMALL for column in shown), default=0.0)
    # Names of columns lean to the right by 40 degrees; the last one may not leave the figure.
    wide = room - max(0.77 * turned - _LEAST_STEP, _RIGHT) / beside
    step = min(wide / len(columns), 60.0)
    tall = min(max(step, _LEAST_TALL if len(rows) <= _NAMES else 0.0), 30.0, max(_TALLEST / len(rows), 4.0))
    above = (_HEAD if titled else 18.0) + 0.66 * turned
    return _Layout(
        across=beside,
        left=left,
        step=step,
        tall=tall,
        above=above,
        block=above + tall * len(rows) + _BELOW,
        wide=max(wide, step * len(columns)),
    )


def _named(n: int, room: float) -> range:
    """Places whose names are written: all where there is room, else every second, third, ..."""
    return range(0, n, max(1, math.ceil(n / max(min(_NAMES, int(room / _PITCH)), 1))))


def _draw_cells(canvas: Axes, values: FloatArray, largest: float, box: tuple[float, float, float, float]) -> None:
    """Draw all cells of one colour as one shape, neighbours in a row joined: a tenth of the bytes."""
    from matplotlib.patches import PathPatch, Rectangle

    x, y, step, tall = box
    n, m = values.shape
    canvas.add_patch(Rectangle((x, y), m * step, n * tall, facecolor="white", edgecolor="#c3cad2", linewidth=0.8))
    strength = np.sqrt(np.divide(values, largest, out=np.zeros_like(values), where=largest > 0))
    levels = np.where(np.isnan(values), -1, np.ceil(_LEVELS * np.nan_to_num(strength))).astype(int)
    for level in np.unique(levels[levels != 0]):
        colour = _FORBIDDEN if level < 0 else _colour(int(level) / _LEVELS)
        path = _path(levels == level, box)
        canvas.add_patch(PathPatch(path, facecolor=colour, linewidth=0.3, edgecolor=colour, zorder=2))


def _path(cells: npt.NDArray[np.bool_], box: tuple[float, float, float, float]) -> Any:
    from matplotlib.path import Path

    x, y, step, tall = box
    edges = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (rows, starts), (_, ends) = np.nonzero(edges == 1), np.nonzero(edges == -1)
    left, right = np.round(x + starts * step, 1), np.round(x + ends * step, 1)
    top, bottom = np.round(y + rows * tall, 1), np.round(y + (rows + 1) * tall, 1)
    corners = np.stack([left, top, right, top, right, bottom, left, bottom, left, top], axis=1).reshape(-1, 2)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(rows))
    return Path(corners, codes)


def _colour(strength: float) -> str:
    return "#" + "".join(f"{round(255 + (end - 255) * strength):02x}" for end in _DARK)


def _name_columns(
    canvas: Axes, columns: Sequence[str], corner: tuple[float, float], step: float, bottom: float, title: str
) -> None:
    x, y = corner
    for place in _named(len(columns), step * len(columns)):
        words = canvas.text(
            x + (place + 0.5) * step, y - 5, shorten(columns[place], _NAME), rotation=40, rotation_mode="anchor"
        )
        words.set(size=_SMALL, color=INK, va="bottom")
    write(canvas, x, bottom + 13, title, colour=SOFT, size=_SMALL)


def _name_rows(canvas: Axes, rows: Sequence[str], y: float, tall: float, title: str) -> None:
    for place in _named(len(rows), tall * len(rows)):
        write(canvas, 4, y + (place + 0.5) * tall, shorten(rows[place], _NAME), size=_SMALL)
    write(canvas, 4, y - 12, title, colour=SOFT, size=_SMALL)


def _draw_scale(canvas: Axes, corner: tuple[float, float], words: str, forbidden: bool) -> None:
    from matplotlib.patches import Rectangle

    x, y = corner
    steps = 12
    for place in range(steps + 1):
        colour = _colour(math.sqrt(place / steps))
        canvas.add_patch(Rectangle((x + 9 * place, y), 9.3, 12, facecolor=colour, linewidth=0, zorder=2))
    canvas.add_patch(Rectangle((x, y), 9 * (steps + 1), 12, fill=False, edgecolor="#c3cad2", linewidth=0.8, zorder=3))
    write(canvas, x + 9 * (steps + 1) + 8, y + 6, words, colour=SOFT, size=_SMALL)
    if forbidden:
        canvas.add_patch(Rectangle((x, y + 18), 12, 12, facecolor=_FORBIDDEN, linewidth=0, zorder=2))
        write(canvas, x + 20, y + 24, "not allowed", colour=SOFT, size=_SMALL)
