"""Dumbbells of shares: where each alternative was, where a policy takes it, and by how much."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import points, share
from choicekit.report.text import display_width, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ShareChange", "draw_dumbbells"]

_TOP, _BOTTOM = 36.0, 46.0
_COLUMN = 92.0  # of the changes, at the right
_LABEL = 24
_BOLD = 1.15
_LEAST_SPAN = 1.0  # points of share


@dataclass(frozen=True, kw_only=True)
class ShareChange:
    """One row: the share of an alternative before and after, nan where it is not offered."""

    name: str
    mark: Mark
    before: float
    after: float


def draw_dumbbells(
    name: str, changes: tuple[ShareChange, ...], *, label: str, axis: str, after: str, decimals: int
) -> Markup:
    """Draw one row an alternative, the first on top.

    Parameters
    ----------
    name : str
        Of the figure.
    changes : tuple of ShareChange
    label : str
        For those who cannot see the figure.
    axis : str
        What the shares are of.
    after : str
        Name of what changes them.
    decimals : int
        Of the percentages written beside the points.

    Returns
    -------
    Markup
    """
    pitch = 38.0 if len(changes) <= 8 else 28.0
    height = pitch * len(changes) + _TOP + _BOTTOM

    def draw(figure: Figure) -> None:
        left = label_gutter([shorten(row.name, _LABEL) for row in changes], size=_BOLD * FONT_SIZE, most=220)
        panel = add_panel(figure, left=left, right=_COLUMN, top=_TOP, bottom=_BOTTOM, height=height)
        _set_axes(panel, changes, axis, WIDTH - left - _COLUMN, decimals)
        for place, row in enumerate(changes):
            _draw_row(panel, row, place, decimals)
        _name_rows(panel, changes, left, decimals)
        _name_ends(panel, changes, after, 21 / pitch, left)

    return draw_svg(name, label, height, draw)


def _values(row: ShareChange) -> list[float]:
    return [100 * value for value in (row.before, row.after) if math.isfinite(value)]


def _set_axes(panel: Axes, changes: tuple[ShareChange, ...], axis: str, inner: float, decimals: int) -> None:
    values = [value for row in changes for value in _values(row)] or [0.0]
    low, high = min(values), max(values)
    span = max(high - low, _LEAST_SPAN)
    # The numbers beside the outermost points need as much room as they are wide.
    room = label_gutter(["35." + "0" * decimals], least=40) + 10
    unit = span / max(inner - 2 * room, 100)
    panel.set_xlim(low - room * unit, low + span + room * unit)
    panel.set_ylim(len(changes) - 0.5, -0.5)
    panel.set_xticks([tick for tick in percent_ticks(*panel.get_xlim(), most=6) if -1e-9 <= tick <= 100])
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.set_yticks([])
    panel.grid(axis="y", visible=False)
    panel.spines["left"].set_visible(False)
    panel.spines["bottom"].set_visible(False)
    panel.set_xlabel(axis, loc="left", labelpad=8)


def _name_rows(panel: Axes, changes: tuple[ShareChange, ...], left: float, decimals: int) -> None:
    """Write the names to the left, the changes to the right."""
    inner, across = WIDTH - left - _COLUMN, panel.get_yaxis_transform()
    start, end = -(left - 4) / inner, 1 + (_COLUMN - 8) / inner
    head = panel.annotate(
        "change, points", (end, 1), xycoords="axes fraction", xytext=(0, 16), ha="right", textcoords="offset points"
    )
    head.set(size=FONT_SIZE - 1, color=SOFT)
    for place, row in enumerate(changes):
        panel.text(start, place, shorten(row.name, _LABEL), transform=across, va="center", weight="bold")
        words, known = _change(row, decimals)
        text = panel.text(end, place, words, transform=across, va="center", ha="right")
        text.set(weight="bold" if known else "normal", color=INK if known else SOFT)
        if place:
            ends = [start, end]
            panel.plot(
                ends, [place - 0.5] * 2, color="#edf0f3", linewidth=0.8, transform=across, clip_on=False, zorder=0
            )


def _change(row: ShareChange, decimals: int) -> tuple[str, bool]:
    if math.isfinite(row.before) and math.isfinite(row.after):
        return points(row.after - row.before, decimals, signed=True), True
    if math.isfinite(row.after):
        return "new", False
    return ("removed" if math.isfinite(row.before) else "not offered"), False


def _draw_row(panel: Axes, row: ShareChange, y: int, decimals: int) -> None:
    before, after, colour = 100 * row.before, 100 * row.after, row.mark.colour
    rises = not after < before
    if math.isfinite(before) and math.isfinite(after):
        panel.plot([before, after], [y, y], color=colour, linewidth=4, alpha=0.35, zorder=2, solid_capstyle="butt")
    if math.isfinite(before):
        (ring,) = panel.plot(before, y, "o", color="white", zorder=4, clip_on=False)
        ring.set(markeredgecolor=colour, markeredgewidth=1.8, markersize=8)
        if not math.isfinite(after) or share(row.before, decimals) != share(row.after, decimals):
            _write(panel, before, y, share(row.before, decimals), right=not rises, soft=True)
    if math.isfinite(after):
        panel.plot(after, y, row.mark.marker, color=colour, markersize=9.5, zorder=5, clip_on=False)
        _write(panel, after, y, share(row.after, decimals), right=rises)


def _write(panel: Axes, x: float, y: int, words: str, *, right: bool, soft: bool = False) -> None:
    """Write on the outer side of a point, so that the two of a row never meet."""
    offset = (9 if right else -9, 0)
    text = panel.annotate(
        words, (x, y), xytext=offset, textcoords="offset points", va="center", ha="left" if right else "right"
    )
    text.set(size=FONT_SIZE - 0.5, color=SOFT if soft else INK, weight="normal" if soft else "bold", zorder=3)
    text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0})  # keeps grid lines out of the words


def _name_ends(panel: Axes, changes: tuple[ShareChange, ...], after: str, lift: float, left: float) -> None:
    """Say above the first row, where it is complete, which end is which."""
    first = changes[0]
    if not (math.isfinite(first.before) and math.isfinite(first.after)):
        return
    rises = first.after >= first.before
    low, high = panel.get_xlim()
    x = left + (100 * first.after - low) / (high - low) * (WIDTH - left - _COLUMN)
    room = WIDTH - x - 3 if rises else x - 3
    words_after = shorten(after, max(int(room / (display_width("x") * (FONT_SIZE - 1))), 16))
    for value, words, right in ((first.after, words_after, rises), (first.before, "baseline", not rises)):
        offset, side = (3 if right else -3, 0), "left" if right else "right"
        text = panel.annotate(words, (100 * value, -lift), xytext=offset, textcoords="offset points", ha=side)
        text.set(size=FONT_SIZE - 1, color=SOFT, va="center", annotation_clip=False)
