"""Placing things in figures: panels in SVG units, labels that do not cover each other, axes with round numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.report.figures.svg import WIDTH
from choicekit.report.text import display_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["FONT_SIZE", "add_panel", "label_gutter", "percent_ticks", "round_limits", "spread"]

FONT_SIZE = 12.5


def add_panel(figure: Figure, *, left: float, right: float, top: float, bottom: float, height: float) -> Axes:
    """Add axes with margins in SVG units, in a figure of this height."""
    return figure.add_axes(
        (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    )


def label_gutter(labels: Sequence[str], *, size: float = FONT_SIZE, least: float = 40, most: float = 210) -> float:
    """Room that the longest label needs, in SVG units.

    Examples
    --------
    >>> label_gutter(["air", "train"])
    47.5
    """
    widest = max((display_width(label) for label in labels), default=0.0)
    return float(min(max(widest * size + 10, least), most))


def spread(positions: npt.ArrayLike, gap: float, low: float, high: float) -> npt.NDArray[np.float64]:
    """Move positions apart to at least `gap`, as little as needed, keeping their order and, if they fit, the limits.

    Examples
    --------
    >>> spread([1.0, 1.0, 5.0], gap=1.0, low=0.0, high=10.0).tolist()
    [0.5, 1.5, 5.0]
    """
    wanted = np.asarray(positions, dtype=np.float64)
    order = np.argsort(wanted, kind="stable")
    # Isotonic regression of what is left of each position after the gaps before it: the least-squares answer.
    target = wanted[order] - gap * np.arange(wanted.size)
    blocks: list[list[float]] = []
    for value in target:
        blocks.append([float(value), 1.0])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            mean, size = blocks.pop()
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * size) / (blocks[-1][1] + size), blocks[-1][1] + size]
    level = np.concatenate([np.full(int(size), mean) for mean, size in blocks]) if blocks else target
    top = max(high - gap * (wanted.size - 1), low)
    moved = np.empty_like(wanted)
    moved[order] = np.clip(level, low, top) + gap * np.arange(wanted.size)
    return moved


def percent_ticks(low: float, high: float, *, most: int = 7) -> list[float]:
    """Round percentages from `low` to `high`, at most about `most` of them.

    Examples
    --------
    >>> percent_ticks(0, 36)
    [0.0, 10.0, 20.0, 30.0]
    """
    step = _round_step((high - low) / most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) for number in range(first, last + 1)]


def round_limits(low: float, high: float, *, floor: float = 0.0, ceiling: float = 100.0) -> tuple[float, float]:
    """Widen an interval a little, within hard limits.

    Examples
    --------
    >>> round_limits(28.0, 32.0)
    (27.6, 32.4)
    """
    room = max(0.1 * (high - low), 1e-3)
    return max(low - room, floor - 0.5 * room), min(high + room, ceiling + 0.5 * room)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(max(least, 1e-9)))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least * (1 - 1e-9))
