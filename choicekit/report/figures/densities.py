"""How coefficients differ among agents: a small density each, on an axis of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, LINE, SOFT
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import real_minus
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Density", "draw_densities"]

FloatArray = npt.NDArray[np.float64]

_ROW, _TOP, _BOTTOM, _EDGE = 88.0, 26.0, 0.0, 24.0
_NAME = 24
_USUAL, _OTHER = "#0072B2", "#D55E00"  # the sign of the mean, and the other one


@dataclass(frozen=True, kw_only=True, eq=False)
class Density:
    """One coefficient.

    Attributes
    ----------
    name : str
    below : str
        A smaller line under the name, such as its distribution.
    quantiles : ndarray (n,)
        At n probabilities that are evenly spaced between the ends of what is drawn.
    part : float
        Probability between two of the quantiles.
    mean : float
    """

    name: str
    below: str
    quantiles: FloatArray
    part: float
    mean: float


def draw_densities(name: str, densities: tuple[Density, ...], *, label: str) -> Markup:
    """Draw one small density under the other.

    Parameters
    ----------
    name : str
        Of the figure.
    densities : tuple of Density
    label : str
        For those who cannot see the figure.

    Returns
    -------
    Markup
    """
    height = _ROW * len(densities) + _TOP + _BOTTOM

    def draw(figure: Figure) -> None:
        names = [shorten(text, _NAME) for density in densities for text in (density.name, density.below)]
        left = label_gutter(names, size=1.1 * FONT_SIZE, most=205) + 6
        for place, density in enumerate(densities):
            top = _TOP + place * _ROW
            panel = add_panel(figure, left=left, right=_EDGE, top=top, bottom=height - top - _ROW + 34, height=height)
            _draw(panel, density)
            offset = -(left - 4) / (WIDTH - left - _EDGE)
            panel.text(
                offset, 0.62, shorten(density.name, _NAME), transform=panel.transAxes, va="center", weight="bold"
            )
            panel.text(
                offset, 0.26, shorten(density.below, _NAME), transform=panel.transAxes, va="center", color=SOFT,
                size=FONT_SIZE - 1,
            )  # fmt: skip
        figure.text(
            left / WIDTH, 1 - 12 / height, "area: agents · line: mean · orange: of the other sign than the mean",
            color=SOFT, size=FONT_SIZE - 1, va="center",
        )  # fmt: skip

    return draw_svg(name, label, height, draw)


def _draw(panel: Axes, density: Density) -> None:
    x, y = _steps(density)
    low, high = min(float(x[0]), 0.0), max(float(x[-1]), 0.0)
    if not low < 0 < high and max(abs(low), abs(high)) > 4 * (x[-1] - x[0]) > 0:
        low, high = float(x[0]), float(x[-1])  # zero is far from all of them
    room = 0.04 * ((high - low) or 1.0)
    panel.set_xlim(low - room, high + room)
    panel.set_ylim(0, 1.12 * float(y.max(initial=0.0)) or 1.0)
    panel.set_yticks([])
    panel.set_xticks(percent_ticks(*panel.get_xlim(), most=6))
    panel.xaxis.set_major_formatter(lambda value, _: real_minus(f"{value:g}"))
    panel.grid(visible=False)
    panel.spines["left"].set_visible(False)
    usual = x * np.sign(density.mean) >= 0
    panel.fill_between(x, y, where=usual, color=_USUAL, alpha=0.5, linewidth=0, interpolate=True)
    panel.fill_between(x, y, where=~usual, color=_OTHER, alpha=0.75, linewidth=0, interpolate=True)
    if low < 0 < high or 0.0 in (low, high):
        panel.axvline(0, color=SOFT, linewidth=1.0, zorder=1)
    panel.plot([density.mean] * 2, [0, float(np.interp(density.mean, x, y)) or 1.0], color=INK, linewidth=2.2)
    panel.axhline(0, color=LINE, linewidth=1.0)


def _steps(density: Density) -> tuple[FloatArray, FloatArray]:
    """Return places and densities there: what lies between two quantiles, over their distance."""
    quantiles = density.quantiles
    width = np.diff(quantiles)
    if not np.all(width > 0):
        return np.array([quantiles[0], quantiles[-1]]), np.zeros(2)
    between = (quantiles[1:] + quantiles[:-1]) / 2
    x = np.concatenate([quantiles[:1], between, quantiles[-1:]])
    y = density.part / width
    return x, np.concatenate([y[:1], y, y[-1:]])
