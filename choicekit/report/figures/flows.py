"""Who switches from what to what: ribbons as wide as the flows are large, beside bars of those who stay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.canvas import add_canvas, write
from choicekit.report.figures.layout import FONT_SIZE
from choicekit.report.figures.style import INK, LINE, SOFT, Mark
from choicekit.report.figures.svg import draw_svg
from choicekit.report.numbers import share
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["MOST_RIBBONS", "FlowNode", "draw_flows"]

FloatArray = npt.NDArray[np.float64]

MOST_RIBBONS = 60
"""Most flows that are drawn, the largest."""

_TOP, _BOTTOM, _GAP = 34.0, 8.0, 14.0
_LEFT, _RIGHT = 214.0, 434.0  # of the ribbons
_NODE = 9.0  # width of the bars that ribbons start and end at
_LARGEST, _TALLEST = 116.0, 520.0  # height of the largest bar, and of all together
_LEAST = 36.0  # height of a row, for its name and what stays
_STAY = 96.0  # length of the longest bar of those who stay
_LABEL = 19
_LABELLED = 12.5  # ribbons at least so wide carry their number


@dataclass(frozen=True, kw_only=True)
class FlowNode:
    """An alternative on both sides.

    Attributes
    ----------
    name : str
    mark : Mark
    stay : float
        What stays with it, as a share of all choices.
    before, after : bool
        Whether it is offered in the baseline, and under the policy.
    """

    name: str
    mark: Mark
    stay: float
    before: bool = True
    after: bool = True


def draw_flows(
    name: str, nodes: tuple[FlowNode, ...], flows: FloatArray, *, label: str, before: str, after: str, decimals: int
) -> Markup:
    """Draw flows between the same alternatives before and after.

    Parameters
    ----------
    name : str
        Of the figure.
    nodes : tuple of FlowNode
        From top to bottom.
    flows : ndarray (n, n)
        Share of all choices that goes from a row's alternative to a column's; the diagonal is passed over.
    label : str
        For those who cannot see the figure.
    before, after : str
        Heads of the two sides.
    decimals : int
        Of percentages.

    Returns
    -------
    Markup
    """
    moved = np.where(np.eye(len(nodes), dtype=bool), 0.0, np.nan_to_num(flows))
    largest = float(max(moved.sum(axis=1).max(initial=0.0), moved.sum(axis=0).max(initial=0.0)))
    total = float(np.maximum(moved.sum(axis=0), moved.sum(axis=1)).sum())
    scale = min(_LARGEST / largest, _TALLEST / total) if largest > 0 else 0.0
    heights = np.maximum(scale * np.maximum(moved.sum(axis=0), moved.sum(axis=1)), _LEAST)
    tops = _TOP + np.concatenate([[0.0], np.cumsum(heights + _GAP)[:-1]])
    height = float(tops[-1] + heights[-1] + _BOTTOM)

    def draw(figure: Figure) -> None:
        canvas = add_canvas(figure, height)
        write(canvas, _LEFT, 12, shorten(before, 26), align="right", colour=SOFT, size=FONT_SIZE - 0.5)
        write(canvas, _RIGHT, 12, shorten(after, 26), colour=SOFT, size=FONT_SIZE - 0.5)
        _draw_ribbons(canvas, nodes, moved, scale, tops, heights, decimals)
        for place, node in enumerate(nodes):
            _draw_left(canvas, node, nodes, moved[place], scale, tops[place], heights[place], decimals)
            _draw_right(canvas, node, moved[:, place], scale, tops[place], heights[place], decimals)

    return draw_svg(name, label, height, draw)


def _draw_ribbons(
    canvas: Axes,
    nodes: tuple[FlowNode, ...],
    moved: FloatArray,
    scale: float,
    tops: FloatArray,
    heights: FloatArray,
    decimals: int,
) -> None:
    out, arriving = moved.sum(axis=1), moved.sum(axis=0)
    start = (tops + heights / 2 - scale * out / 2)[:, None] + scale * (np.cumsum(moved, axis=1) - moved)
    end = (tops + heights / 2 - scale * arriving / 2)[None, :] + scale * (np.cumsum(moved, axis=0) - moved)
    least = np.sort(moved, axis=None)[-MOST_RIBBONS] if moved.size > MOST_RIBBONS else 0.0
    several = (moved >= max(least, 1e-15)).sum(axis=0) > 1
    # The largest first: thin ribbons stay visible above wide ones.
    for flat in np.argsort(-moved, axis=None, kind="stable"):
        i, j = divmod(int(flat), len(nodes))
        if moved[i, j] <= 0 or moved[i, j] < least:
            break
        width = scale * moved[i, j]
        _ribbon(canvas, start[i, j], end[i, j], width, nodes[i].mark.colour)
        if several[j] and width >= _LABELLED:
            middle = end[i, j] + width / 2
            write(canvas, _RIGHT - 6, middle, share(moved[i, j], decimals), align="right", size=FONT_SIZE - 1.5)


def _ribbon(canvas: Axes, start: float, end: float, width: float, colour: str) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    width, middle = max(width, 0.7), (_LEFT + _RIGHT) / 2
    corners = [
        *((_LEFT, start), (middle, start), (middle, end), (_RIGHT, end)),
        *((_RIGHT, end + width), (middle, end + width), (middle, start + width), (_LEFT, start + width)),
        (_LEFT, start),
    ]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    canvas.add_patch(PathPatch(Path(corners, codes), facecolor=colour, alpha=0.38, linewidth=0, zorder=2))


def _draw_left(
    canvas: Axes,
    node: FlowNode,
    nodes: tuple[FlowNode, ...],
    leaving: FloatArray,
    scale: float,
    top: float,
    height: float,
    decimals: int,
) -> None:
    """Name, bar of those who stay, and how many leave."""
    middle, out = top + height / 2, float(leaving.sum())
    _bar(canvas, _LEFT - _NODE, middle - scale * out / 2, _NODE, scale * out, node.mark.colour)
    longest = max(other.stay for other in nodes)
    write(canvas, 4, middle - 8, shorten(node.name, _LABEL), bold=True)
    if not node.before:
        write(canvas, 4, middle + 9, "not offered", size=FONT_SIZE - 2, colour=SOFT)
    elif not node.after:
        write(canvas, 4, middle + 9, "none can stay", size=FONT_SIZE - 2, colour=SOFT)
    elif longest > 0:
        length = _STAY * node.stay / longest
        _bar(canvas, 4, middle + 5, length, 7, node.mark.colour, alpha=0.3)
        write(canvas, 10 + length, middle + 9, f"{share(node.stay, decimals)} stay", size=FONT_SIZE - 2, colour=SOFT)
    if out > 0:
        words = f"−{share(out, decimals)}"
        write(canvas, _LEFT - _NODE - 6, middle - 8, words, align="right", size=FONT_SIZE - 0.5, bold=True)
    else:
        canvas.plot([_LEFT - _NODE, _LEFT], [middle, middle], color=LINE, linewidth=2)


def _draw_right(
    canvas: Axes, node: FlowNode, arriving: FloatArray, scale: float, top: float, height: float, decimals: int
) -> None:
    """Bar of those who arrive, how many they are, and name."""
    middle, inflow = top + height / 2, float(arriving.sum())
    if inflow > 0:
        _bar(canvas, _RIGHT, middle - scale * inflow / 2, _NODE, scale * inflow, node.mark.colour)
        write(canvas, _RIGHT + _NODE + 7, middle + 9, f"+{share(inflow, decimals)}", bold=True, size=FONT_SIZE - 0.5)
        write(canvas, _RIGHT + _NODE + 7, middle - 7, shorten(node.name, 18), bold=True, colour=INK)
    else:
        canvas.plot([_RIGHT, _RIGHT + _NODE], [middle, middle], color=LINE, linewidth=2)
        words = shorten(node.name, 18)
        write(canvas, _RIGHT + _NODE + 7, middle, words if node.after else f"{words}, not offered", colour=SOFT)


def _bar(canvas: Axes, x: float, y: float, width: float, height: float, colour: str, alpha: float = 1.0) -> None:
    from matplotlib.patches import Rectangle

    canvas.add_patch(Rectangle((x, y), width, height, facecolor=colour, alpha=alpha, linewidth=0, zorder=3))
