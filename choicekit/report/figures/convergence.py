"""The running mean of a simulated share and its band, settling on the expected share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import draw_svg
from choicekit.report.numbers import count, real_minus

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_convergence"]

FloatArray = npt.NDArray[np.float64]

_HEIGHT, _TOP, _BOTTOM, _LEFT = 310.0, 14.0, 48.0, 58.0
_SETTLED = 0.05  # the band of the first replications is far too wide to be shown whole


def draw_convergence(
    replications: npt.NDArray[np.int64],
    mean: FloatArray,
    half_width: FloatArray,
    expected: float,
    *,
    mark: Mark,
    label: str,
    axis: str,
    end: str,
    target: str,
    name: str = "convergence",
    within: tuple[float, float] = (0.0, 1.0),
) -> Markup:
    """Draw a running mean.

    Parameters
    ----------
    replications, mean, half_width : ndarray (n,)
        After how many replications; the mean share until then; half the length of its 95 % interval.
    expected : float
        The exact share.
    mark : Mark
        Of the alternative.
    label : str
        For those who cannot see the figure.
    axis : str
        What the share is of.
    end, target : str
        Labels of the last mean and of the exact share.
    name : str
        Of the figure.
    within : tuple of float
        What the band is kept within: 0 and 1 for a share, -1 and 1 for a change of one.

    Returns
    -------
    Markup
    """

    def draw(figure: Figure) -> None:
        right = label_gutter([end, target], most=205) + 12
        panel = add_panel(figure, left=_LEFT, right=right, top=_TOP, bottom=_BOTTOM, height=_HEIGHT)
        low, high = _limits(replications, mean, half_width, expected, within)
        panel.set_ylim(low, high)
        panel.fill_between(
            replications,
            100 * np.maximum(mean - half_width, within[0]),
            100 * np.minimum(mean + half_width, within[1]),
            color=mark.colour,
            alpha=0.16,
            linewidth=0,
        )
        panel.axhline(100 * expected, color=INK, linewidth=1.3, linestyle=(0, (5, 3)), zorder=3)
        panel.plot(replications, 100 * mean, color=mark.colour, linewidth=2, zorder=4)
        panel.plot(
            replications[-1], 100 * mean[-1], mark.marker, color=mark.colour, markersize=8, zorder=5, clip_on=False
        )
        _set_axes(panel, replications, axis)
        _label(panel, float(mean[-1]), expected, end, target)

    return draw_svg(name, label, _HEIGHT, draw)


def _limits(
    replications: npt.NDArray[np.int64],
    mean: FloatArray,
    half: FloatArray,
    expected: float,
    within: tuple[float, float],
) -> tuple[float, float]:
    settled = replications >= max(min(10, replications[-1]), _SETTLED * replications[-1])
    low = min(
        float(np.maximum(mean - half, within[0])[settled].min()),
        expected,
        float(mean.min(where=settled, initial=within[1])),
    )
    high = max(
        float(np.minimum(mean + half, within[1])[settled].max()),
        expected,
        float(mean.max(where=settled, initial=within[0])),
    )
    room = max(0.06 * (high - low), 1e-6)
    return 100 * (low - room), 100 * (high + room)


def _set_axes(panel: Axes, replications: npt.NDArray[np.int64], axis: str) -> None:
    last = int(replications[-1])
    panel.set_xlim(1, last)
    inner = [tick for tick in percent_ticks(0, last, most=5) if 1 < tick == int(tick)]
    ticks = [1, *(tick for tick in inner if tick > 0.04 * last)]
    panel.set_xticks(ticks, [count(tick) for tick in ticks])
    panel.set_yticks(percent_ticks(*panel.get_ylim(), most=6))
    panel.yaxis.set_major_formatter(lambda value, _: real_minus(f"{value:g}"))
    panel.spines["left"].set_visible(False)
    panel.grid(axis="x", visible=False)
    panel.set_xlabel("replications", loc="left", labelpad=6)
    panel.set_ylabel(axis, labelpad=8)


def _label(panel: Axes, last: float, expected: float, end: str, target: str) -> None:
    """Name both lines at the right, the higher one above."""
    low, high = panel.get_ylim()
    gap = 17 * (high - low) / (_HEIGHT - _TOP - _BOTTOM)
    first, second = 100 * last, 100 * expected
    if abs(first - second) < gap:
        middle, sign = (first + second) / 2, 1 if first >= second else -1
        first, second = middle + sign * gap / 2, middle - sign * gap / 2
    transform = panel.get_yaxis_transform()
    panel.text(1.025, first, end, va="center", size=FONT_SIZE, color=INK, transform=transform, weight="bold")
    panel.text(1.025, second, target, va="center", size=FONT_SIZE, color=SOFT, transform=transform)
