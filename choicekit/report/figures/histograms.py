"""How a score is distributed in several sets of rows, with a line that must not be crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import percent, real_minus
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Histogram", "draw_histograms"]

FloatArray = npt.NDArray[np.float64]

_TOP, _BOTTOM, _ROW, _EDGE = 30.0, 50.0, 84.0, 18.0
_BINS = 40
_TAIL = 0.002  # of all rows at either end, that is drawn in the outermost bin
_NAME = 22


@dataclass(frozen=True, kw_only=True, eq=False)
class Histogram:
    """One set of rows.

    Attributes
    ----------
    name, below : str
        What it is, and a smaller line under that.
    values : ndarray (n,)
    colour : str
    """

    name: str
    below: str
    values: FloatArray
    colour: str


def draw_histograms(
    name: str,
    sets: Sequence[Histogram],
    *,
    label: str,
    axis: str,
    line: float | None = None,
    line_name: str = "",
    lower: float | None = None,
) -> Markup:
    """Draw histograms under each other on one axis: the height of a bar is a share of its own set.

    Parameters
    ----------
    name : str
        Of the figure.
    sets : sequence of Histogram
        Those without values are left out.
    label : str
        For those who cannot see the figure.
    axis : str
        What the values are.
    line : float, optional
        Through all of them.
    line_name : str
        Written above it.
    lower : float, optional
        Another line, where what is below it counts as what is above the first.

    Returns
    -------
    Markup

    Examples
    --------
    >>> known = Histogram(name="known", below="3 rows", values=np.array([0.0, 1.0, 2.0]), colour="#0072B2")
    >>> "known" in draw_histograms("energies", [known], label="energies", axis="energy", line=1.5)
    True
    """
    shown = [one for one in sets if one.values.size]
    height = _TOP + _BOTTOM + _ROW * len(shown)
    left = label_gutter([shorten(text, _NAME) for one in shown for text in (one.name, one.below)], size=1.1 * FONT_SIZE)
    edges = _edges(np.concatenate([one.values for one in shown]), line, lower)

    def draw(figure: Figure) -> None:
        for place, one in enumerate(shown):
            top = _TOP + place * _ROW
            panel = add_panel(figure, left=left, right=_EDGE, top=top, bottom=height - top - _ROW + 12, height=height)
            last = place == len(shown) - 1
            _draw(panel, one, edges, (line, lower), last)
            _name(panel, one, left)
            if last:
                panel.set_xlabel(axis, loc="left", labelpad=6)
            if place == 0 and line is not None and line_name:
                near_right = line > edges[0] + 0.6 * (edges[-1] - edges[0])
                words = panel.text(line, 1.06, line_name, transform=panel.get_xaxis_transform(), va="bottom")
                words.set(ha="right" if near_right else "left", size=FONT_SIZE - 0.5, color=INK, weight="bold")

    return draw_svg(name, label, height, draw)


def _edges(values: FloatArray, *lines: float | None) -> FloatArray:
    low, high = np.quantile(values, [_TAIL, 1.0 - _TAIL])
    for line in lines:
        if line is not None and np.isfinite(line):
            low, high = min(low, line), max(high, line)
    room = 0.02 * (high - low) or 0.5 * max(abs(float(low)), 1.0)
    return np.linspace(low - room, high + room, _BINS + 1)


def _draw(panel: Axes, one: Histogram, edges: FloatArray, lines: tuple[float | None, float | None], last: bool) -> None:
    counts, _ = np.histogram(np.clip(one.values, edges[0], edges[-1]), edges)
    shares = counts / one.values.size
    panel.stairs(shares, edges, fill=True, color=one.colour, alpha=0.55)
    panel.stairs(shares, edges, color=one.colour, linewidth=1.3)
    panel.set_xlim(edges[0], edges[-1])
    panel.set_ylim(0, 1.1 * float(shares.max()))
    panel.set_yticks([])
    ticks = percent_ticks(float(edges[0]), float(edges[-1]), most=7)
    panel.set_xticks(ticks, labels=[real_minus(f"{tick:g}") for tick in ticks] if last else [""] * len(ticks))
    panel.grid(visible=False)
    panel.spines["left"].set_visible(False)
    upper, lower = lines
    for line in (upper, lower):
        if line is not None:
            panel.axvline(line, color=INK, linewidth=1.4, linestyle=(0, (5, 3)), zorder=5)
    if upper is not None:
        beyond = float(np.mean((one.values > upper) | (one.values < (-np.inf if lower is None else lower))))
        where = "above" if lower is None else "outside"
        panel.text(0.995, 0.94, f"{percent(beyond)} {where}", transform=panel.transAxes, ha="right", va="top").set(
            size=FONT_SIZE - 0.5, color=INK, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
        )


def _name(panel: Axes, one: Histogram, left: float) -> None:
    offset = -(left - 4) / (WIDTH - left - _EDGE)
    for y, text, bold in ((0.62, one.name, True), (0.28, one.below, False)):
        words = panel.text(offset, y, shorten(text, _NAME), transform=panel.transAxes, va="center")
        words.set(weight="bold" if bold else "normal", color=INK if bold else SOFT, size=FONT_SIZE - (not bold))
