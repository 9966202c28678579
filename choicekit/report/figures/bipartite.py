"""Two sides of species and the bands between them, as wide as they interact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE
from choicekit.report.figures.style import SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_bipartite"]

FloatArray = npt.NDArray[np.float64]

_NAME = 26
_SIDE = 215.0  # from the edge of the figure to the bars
_BAR = 14.0
_TOP, _BOTTOM = 30.0, 8.0
_LEAST = 17.0  # height of a name
_ROWS, _COLUMNS = "#0072B2", "#D55E00"


def draw_bipartite(
    name: str,
    rows: Sequence[str],
    columns: Sequence[str],
    counts: FloatArray,
    *,
    label: str,
    row_title: str,
    column_title: str,
) -> Markup:
    """Draw a web: rows on the left, columns on the right, a band for each pair that interacts.

    Parameters
    ----------
    name : str
        Of the figure.
    rows, columns : sequence of str
        From top to bottom.
    counts : ndarray (n, m)
    label : str
        For those who cannot see the figure.
    row_title, column_title : str

    Returns
    -------
    Markup

    Examples
    --------
    >>> svg = draw_bipartite(
    ...     "web", ["Rosa"], ["Apis"], np.array([[2.0]]), label="a web", row_title="plants", column_title="bees"
    ... )
    >>> "Rosa" in svg, "bees" in svg
    (True, True)
    """
    most = max(len(rows), len(columns))
    room = max(_LEAST * most + 60.0, 220.0)
    left, right = _bars(counts.sum(axis=1), room), _bars(counts.sum(axis=0), room)
    height = _TOP + room + _BOTTOM

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        write(canvas, _SIDE, 12, row_title, align="right", colour=SOFT)
        write(canvas, WIDTH - _SIDE, 12, column_title, colour=SOFT)
        _draw_bands(canvas, counts, left, right)
        for names, (tops, heights), x, colour in (
            (rows, left, _SIDE, _ROWS),
            (columns, right, WIDTH - _SIDE - _BAR, _COLUMNS),
        ):
            _draw_side(canvas, names, tops, heights, x, colour, on_left=x == _SIDE)

    return draw_svg(name, label, height, draw)


def _bars(sums: FloatArray, room: float) -> tuple[FloatArray, FloatArray]:
    """Return tops and heights of bars, in proportion to sums, with gaps that leave room for names."""
    total, n = max(float(sums.sum()), 1e-300), len(sums)
    gaps = np.maximum(_LEAST - sums / total * (0.4 * room), 2.0)
    gaps *= min(1.0, 0.8 * room / gaps.sum())
    heights = sums / total * (room - gaps.sum())
    tops = np.concatenate([[0.0], np.cumsum(heights + gaps)[:-1]]) + gaps / 2 + _TOP
    return tops[:n], heights


def _draw_side(
    canvas: Axes, names: Sequence[str], tops: FloatArray, heights: FloatArray, x: float, colour: str, *, on_left: bool
) -> None:
    from matplotlib.patches import Rectangle

    for name, top, tall in zip(names, tops, heights, strict=True):
        canvas.add_patch(Rectangle((x, top), _BAR, max(tall, 0.6), facecolor=colour, linewidth=0, zorder=3))
        align, at = ("right", x - 6) if on_left else ("left", x + _BAR + 6)
        write(canvas, at, top + tall / 2, shorten(name, _NAME), align=align, size=0.92 * FONT_SIZE)


def _draw_bands(
    canvas: Axes, counts: FloatArray, left: tuple[FloatArray, FloatArray], right: tuple[FloatArray, FloatArray]
) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    sums = counts.sum(axis=1), counts.sum(axis=0)
    starts, ends = left[0].copy(), right[0].copy()
    x, far = _SIDE + _BAR, WIDTH - _SIDE - _BAR
    middle = (x + far) / 2
    for row, column in np.argwhere(counts > 0):
        tall = counts[row, column] / sums[0][row] * left[1][row]
        other = counts[row, column] / sums[1][column] * right[1][column]
        top, low = starts[row], ends[column]
        starts[row] += tall
        ends[column] += other
        corners = [
            (x, top), (middle, top), (middle, low), (far, low), (far, low + other), (middle, low + other),
            (middle, top + tall), (x, top + tall), (x, top),
        ]  # fmt: skip
        codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
        band = Path([(round(float(a), 1), round(float(b), 1)) for a, b in corners], codes)
        canvas.add_patch(PathPatch(band, facecolor="#5b6b7a", alpha=0.35, linewidth=0, zorder=1))
