"""The look of figures: one colour and marker an alternative, everywhere, told apart without colour too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

__all__ = [
    "ACCENT",
    "FONTS",
    "INK",
    "LINE",
    "MAX_CATEGORIES",
    "OTHER",
    "SOFT",
    "STYLE",
    "Mark",
    "mark_svg",
    "marks_for",
]

MAX_CATEGORIES = 20
"""Most categories a figure shows; the rest is drawn together as "other"."""

INK, SOFT, LINE, ACCENT = "#1c232b", "#5b6570", "#dfe4e9", "#00674c"

FONTS = "Inter, 'Segoe UI', system-ui, -apple-system, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"

# Okabe & Ito (2008) without its yellow, too pale on white, and with two more that keep their distance.
_COLOURS = ("#0072B2", "#009E73", "#E69F00", "#8A5FA8", "#D55E00", "#56B4E9", "#8C5A2B", "#CC79A7")
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">", "h")

STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "choicekit",
    "svg.id": None,
    "text.parse_math": False,
    "font.family": ["DejaVu Sans"],
    "font.size": 12.5,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 12,
    "axes.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 12,
    "ytick.labelsize": 12,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.major.pad": 6,
    "ytick.major.pad": 6,
    "lines.solid_capstyle": "round",
}


@dataclass(frozen=True)
class Mark:
    """Colour and marker (as Matplotlib names it) of one alternative."""

    colour: str
    marker: str


OTHER = Mark("#767676", ".")
"""Mark of what is left over."""


def marks_for(names: Sequence[str]) -> tuple[Mark, ...]:
    """Give the first 20 names a colour and marker each, no two alike; the rest are marked as "other".

    Examples
    --------
    >>> marks = marks_for([str(number) for number in range(25)])
    >>> len(set(marks[:20])), marks[20] == OTHER
    (20, True)
    """
    return tuple(_mark(place) if place < MAX_CATEGORIES else OTHER for place in range(len(names)))


def _mark(place: int) -> Mark:
    lap, colour = divmod(place, len(_COLOURS))
    return Mark(_COLOURS[colour], _MARKERS[(place + lap) % len(_MARKERS)])


def mark_svg(mark: Mark) -> Markup:
    """Draw a mark for the text of a page.

    Examples
    --------
    >>> print(mark_svg(Mark("#0072B2", "s")))
    <svg class="mark" viewBox="-8 -8 16 16" aria-hidden="true"><path fill="#0072B2" d="M-5 -5L5 -5L5 5L-5 5Z"/></svg>
    """
    return Markup(  # noqa: S704 - both are of our own tables, never of a user's text
        '<svg class="mark" viewBox="-8 -8 16 16" aria-hidden="true">'
        f'<path fill="{mark.colour}" d="{_PATHS[mark.marker]}"/></svg>'
    )


def _polygon(*corners: tuple[float, float]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in corners) + "Z"


def _turned(path: tuple[tuple[float, float], ...], quarters: int) -> str:
    turned = path
    for _ in range(quarters):
        turned = tuple((-y, x) for x, y in turned)
    return _polygon(*turned)


def _disc(radius: float) -> str:
    return f"M-{radius:g} 0A{radius:g} {radius:g} 0 1 0 {radius:g} 0A{radius:g} {radius:g} 0 1 0 -{radius:g} 0Z"


_UP = ((0.0, -6.0), (6.0, 5.0), (-6.0, 5.0))
_PLUS = (
    *((-2.0, -6.0), (2.0, -6.0), (2.0, -2.0), (6.0, -2.0), (6.0, 2.0), (2.0, 2.0)),
    *((2.0, 6.0), (-2.0, 6.0), (-2.0, 2.0), (-6.0, 2.0), (-6.0, -2.0), (-2.0, -2.0)),
)
_HALF = round(math.sqrt(0.5), 4)
_PATHS = {
    "o": _disc(5.5),
    ".": _disc(3),
    "s": _polygon((-5, -5), (5, -5), (5, 5), (-5, 5)),
    "D": _polygon((0, -6.5), (6.5, 0), (0, 6.5), (-6.5, 0)),
    "^": _polygon(*_UP),
    ">": _turned(_UP, 1),
    "v": _turned(_UP, 2),
    "<": _turned(_UP, 3),
    "P": _polygon(*_PLUS),
    "X": _polygon(*((round(_HALF * (x - y), 2), round(_HALF * (x + y), 2)) for x, y in _PLUS)),
    "h": _polygon((0, -6), (5.2, -3), (5.2, 3), (0, 6), (-5.2, 3), (-5.2, -3)),
}
