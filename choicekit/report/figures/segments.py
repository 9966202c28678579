"""Shares across the groups of a segmentation: a line an alternative where groups have an order, dots elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks, round_limits, spread
from choicekit.report.figures.style import INK, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import share
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["GroupLine", "draw_groups"]

_TOP, _LEFT, _LABEL, _GAP = 14.0, 46.0, 20, 16.0
_LEADER = 28.0  # from the last group to the names of the lines
_LINE_TO_NAME = "#b4bcc5"
_MOST_SLANTED = 12
_TURNED_SIZE = 12.0
_END = 0.02
_MOST_UPRIGHT = 6  # more group labels than this are turned


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupLine:
    """Shares (C,) of one alternative in the groups, nan for an empty group."""

    name: str
    mark: Mark
    shares: npt.NDArray[np.float64]


def draw_groups(
    name: str,
    groups: tuple[str, ...],
    lines: tuple[GroupLine, ...],
    *,
    label: str,
    axis: str,
    decimals: int,
    ordered: bool,
) -> Markup:
    """Draw the shares of several alternatives over groups.

    Parameters
    ----------
    name : str
        Of the figure.
    groups : tuple of str
        Names of the groups, from left to right.
    lines : tuple of GroupLine
    label : str
        For those who cannot see the figure.
    axis : str
        What the shares are of.
    decimals : int
        Of the percentages written at the ends.
    ordered : bool
        Whether groups follow one another, so that a line between them means something.

    Returns
    -------
    Markup
    """
    turned = len(groups) > _MOST_UPRIGHT
    wrapped = _group_labels(groups, turned=turned)
    left = _LEFT
    below = 14 + 15.0 * max(text.count("\n") + 1 for text in wrapped)
    if turned:
        # Turned labels reach down and to the left of their tick, the first one past the axis.
        reach = label_gutter(wrapped, size=_TURNED_SIZE, most=150)
        angle = np.deg2rad(_angle(groups))
        below, left = 24 + float(np.sin(angle)) * reach, max(_LEFT, float(np.cos(angle)) * reach)
    height = max(300.0, _GAP * len(lines) + 60) + below

    def draw(figure: Figure) -> None:
        ends = [f"{shorten(line.name, _LABEL)} {share(_last(line.shares), decimals)}" for line in lines]
        right = label_gutter(ends, most=205) + _LEADER
        panel = add_panel(figure, left=left, right=right, top=_TOP, bottom=below, height=height)
        _set_axes(panel, wrapped, lines, axis, turned=turned)
        for line in lines:
            _draw_line(panel, line, ordered=ordered)
        _label_ends(panel, lines, ends, height - below - _TOP, (WIDTH - left - right) / (len(groups) - 0.6 + _END))

    return draw_svg(name, label, height, draw)


def _angle(groups: Sequence[str]) -> float:
    """Return by how many degrees group labels are turned: the more there are, the steeper."""
    return 35.0 if len(groups) <= _MOST_SLANTED else 65.0


def _group_labels(groups: tuple[str, ...], *, turned: bool) -> list[str]:
    if turned:
        return [shorten(group, 16) for group in groups]
    width = max(8, 54 // max(len(groups), 1))
    return [textwrap.fill(shorten(group, 3 * width), width, break_long_words=True) for group in groups]


def _set_axes(panel: Axes, groups: list[str], lines: tuple[GroupLine, ...], axis: str, *, turned: bool) -> None:
    values = 100 * np.concatenate([line.shares for line in lines])
    values = values[np.isfinite(values)]
    high = float(values.max(initial=0.1))
    low, high = round_limits(0.0, high)
    panel.set_xlim(-0.3, len(groups) - 0.9 + _END)
    panel.set_ylim(max(low, -0.03 * high), high)
    panel.set_xticks(range(len(groups)), groups)
    if turned:
        for text in panel.get_xticklabels():
            text.set(rotation=_angle(groups), ha="right", rotation_mode="anchor")
    panel.set_yticks(percent_ticks(0, min(high, 100)))
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.grid(axis="x", visible=False)
    panel.spines["left"].set_visible(False)
    panel.set_ylabel(axis, labelpad=8)


def _draw_line(panel: Axes, line: GroupLine, *, ordered: bool) -> None:
    x, y = np.arange(line.shares.size), 100 * line.shares
    style = "-" if ordered else "none"
    (drawn,) = panel.plot(x, y, linestyle=style, color=line.mark.colour, linewidth=2, zorder=3, clip_on=False)
    drawn.set(marker=line.mark.marker, markersize=7.5, markeredgecolor="white", markeredgewidth=0.7)


def _last(shares: npt.NDArray[np.float64]) -> float:
    known = shares[np.isfinite(shares)]
    return float(known[-1]) if known.size else float("nan")


def _label_ends(panel: Axes, lines: tuple[GroupLine, ...], ends: list[str], inner: float, step: float) -> None:
    """Name each line at its right end, with a thin leader where its label had to move."""
    low, high = panel.get_ylim()
    unit = (high - low) / inner
    known = [place for place, line in enumerate(lines) if np.isfinite(line.shares).any()]
    wanted = [100 * _last(lines[place].shares) for place in known]
    moved = spread(wanted, _GAP * unit, low + 0.3 * _GAP * unit, high - 0.3 * _GAP * unit)
    groups = lines[0].shares.size
    text_at = groups - 1 + _LEADER / step
    for place, value, at in zip(known, wanted, moved, strict=True):
        last = int(np.flatnonzero(np.isfinite(lines[place].shares))[-1])
        bends = [text_at - 17 / step, text_at - 4 / step] if last == groups - 1 else [groups - 1.0, text_at - 4 / step]
        panel.plot([last + 8 / step, *bends], [value, value, at], color=_LINE_TO_NAME, linewidth=0.8, clip_on=False)
        panel.text(text_at, at, ends[place], va="center", size=FONT_SIZE, color=INK, clip_on=False)
