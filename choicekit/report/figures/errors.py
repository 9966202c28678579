"""How far a solver's marginals are from what is asked, iteration by iteration, on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.curves import powers_of_ten
from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks, spread
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import count
from choicekit.report.text import display_width, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Phase", "draw_errors", "phases_of"]

FloatArray = npt.NDArray[np.float64]

_HEIGHT, _TOP, _BOTTOM, _LEFT = 340.0, 34.0, 50.0, 76.0
_NAMES = ("row error", "column error")
_MARKS = (Mark("#0072B2", "o"), Mark("#B35706", "D"))
_MOST_POINTS = 400
_MARKERS = 8  # along a curve
_BAND = "#f2f5f8"
_SMALL = FONT_SIZE - 1.5


@dataclass(frozen=True, kw_only=True)
class Phase:
    """Iterations in a row that a solver spent on one thing.

    Attributes
    ----------
    name : str
    first, last : int
        Its iterations.
    """

    name: str
    first: int
    last: int


def phases_of(iterations: Sequence[int], names: Sequence[str]) -> tuple[Phase, ...]:
    """Join neighbouring iterations of the same name.

    Examples
    --------
    >>> [(phase.name, phase.first, phase.last) for phase in phases_of([1, 2, 3], ["scaling", "scaling", "newton"])]
    [('scaling', 1, 2), ('newton', 3, 3)]
    """
    found: list[Phase] = []
    for iteration, name in zip(iterations, names, strict=True):
        first = found.pop().first if found and found[-1].name == name else int(iteration)
        found.append(Phase(name=name, first=first, last=int(iteration)))
    return tuple(found)


def draw_errors(
    name: str,
    iterations: npt.NDArray[np.int64],
    row_error: FloatArray,
    column_error: FloatArray,
    phases: Sequence[Phase],
    *,
    label: str,
    tolerance: float,
) -> Markup:
    """Draw both errors of every iteration, the solver's phases as bands, and the tolerance as a line.

    Parameters
    ----------
    name : str
        Of the figure.
    iterations : ndarray (k,) of int
    row_error, column_error : ndarray (k,)
        What is 0 or not finite has no place on a logarithmic axis and is left out.
    phases : sequence of Phase
    label : str
        For those who cannot see the figure.
    tolerance : float
        What both errors have to reach.

    Returns
    -------
    Markup

    Examples
    --------
    >>> steps, falling = np.arange(1, 4), np.array([1e-1, 1e-4, 1e-9])
    >>> phases = phases_of(steps, ["scaling"] * 3)
    >>> svg = draw_errors("errors", steps, falling, 0 * falling, phases, label="", tolerance=1e-8)
    >>> "row error" in svg, "column error" in svg
    (True, False)
    """
    drawn = [
        (words, mark, *_thinned(iterations, values))
        for words, mark, values in zip(_NAMES, _MARKS, (row_error, column_error), strict=True)
        if (np.isfinite(values) & (values > 0)).any()
    ]

    def draw(figure: Figure) -> None:
        right = label_gutter([*_NAMES, "tolerance"], size=1.1 * FONT_SIZE) + 22
        panel = add_panel(figure, left=_LEFT, right=right, top=_TOP, bottom=_BOTTOM, height=_HEIGHT)
        wide = WIDTH - _LEFT - right
        _set_axes(panel, iterations, [values for *_, values in drawn], tolerance)
        _draw_phases(panel, phases, wide)
        panel.axhline(tolerance, color=INK, linewidth=1.3, linestyle=(0, (5, 3)), zorder=3)
        for place, (_, mark, x, y) in enumerate(drawn):
            (line,) = panel.plot(x, y, color=mark.colour, linewidth=2.2 - 0.5 * place, zorder=4 + place)
            step = max(x.size // _MARKERS, 1)
            line.set(marker=mark.marker, markersize=6, markeredgewidth=0, clip_on=False)
            line.set_markevery((min(place * step // 2, x.size - 1), step))
        _name_ends(panel, [(words, mark, float(y[-1])) for words, mark, _, y in drawn], tolerance, wide)

    return draw_svg(name, label, _HEIGHT, draw)


def _thinned(iterations: npt.NDArray[np.int64], values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Leave out what has no logarithm, and of very many points all but some, the last always kept."""
    kept = np.flatnonzero(np.isfinite(values) & (values > 0))
    if kept.size > _MOST_POINTS:
        kept = kept[np.unique(np.linspace(0, kept.size - 1, _MOST_POINTS).round().astype(np.intp))]
    return iterations[kept].astype(np.float64), values[kept]


def _set_axes(panel: Axes, iterations: npt.NDArray[np.int64], drawn: Sequence[FloatArray], tolerance: float) -> None:
    first, last = (int(iterations[0]), int(iterations[-1])) if iterations.size else (1, 1)
    panel.set_xlim(first - 0.5, last + 0.5)
    ticks = [tick for tick in percent_ticks(first, last, most=5) if tick == int(tick) and first <= tick <= last]
    panel.set_xticks(ticks or [first], [count(tick) for tick in ticks or [first]])
    values = np.concatenate([*drawn, [tolerance]]) if tolerance > 0 else np.concatenate([*drawn, [1e-16]])
    low, high = math.floor(math.log10(values.min()) - 0.3), math.ceil(math.log10(values.max()) + 0.1)
    panel.set_yscale("log")
    panel.set_ylim(10.0**low, 10.0**high)
    powers = range(low, high + 1, max(1, math.ceil((high - low) / 8)))
    panel.set_yticks([10.0**power for power in powers], [powers_of_ten(10.0**power) for power in powers])
    panel.yaxis.set_ticks([], minor=True)
    panel.spines["left"].set_visible(False)
    panel.grid(axis="x", visible=False)
    panel.set_xlabel("iteration", loc="left", labelpad=6)
    panel.set_ylabel("error over total mass", labelpad=8)


def _draw_phases(panel: Axes, phases: Sequence[Phase], wide: float) -> None:
    """Shade every other phase and name it above, by its number where its name has no room."""
    low, high = panel.get_xlim()
    across = panel.get_xaxis_transform()
    least = -math.inf  # where the next name may start
    for place, phase in enumerate(phases):
        start, end = (phase.first - 0.5, phase.last + 0.5)
        if place % 2 == 0:
            panel.axvspan(start, end, color=_BAND, linewidth=0, zorder=0)
        if place:
            panel.axvline(start, color="#c3cad2", linewidth=1, zorder=1)
        room = (end - start) / (high - low) * wide
        words = next((text for text in (f"{place + 1} {phase.name}", str(place + 1)) if _width(text) <= room), "")
        x = (start - low) / (high - low) * wide
        if words and x >= least:
            panel.text(start + 4 * (high - low) / wide, 1.04, words, transform=across, size=_SMALL, color=SOFT)
            least = x + _width(words)


def _width(text: str) -> float:
    return display_width(text) * _SMALL + 8


def _name_ends(panel: Axes, ends: Sequence[tuple[str, Mark, float]], tolerance: float, wide: float) -> None:
    """Name the curves and the tolerance at the right, apart from each other."""
    low, high = (math.log10(end) for end in panel.get_ylim())
    tall = _HEIGHT - _TOP - _BOTTOM
    named: list[tuple[str, Mark | None, float]] = [*ends]
    if tolerance > 0:
        named.append(("tolerance", None, tolerance))
    wanted = np.array([(math.log10(value) - low) / (high - low) * tall for *_, value in named])
    for (words, mark, _), to in zip(named, spread(wanted, 18.0, 0.0, tall), strict=True):
        if mark is not None:
            (dot,) = panel.plot(1 + 12 / wide, to / tall, mark.marker, color=mark.colour, transform=panel.transAxes)
            dot.set(markersize=7.5, markeredgewidth=0, clip_on=False)
        start = 1 + (22 if mark is not None else 8) / wide
        text = panel.text(start, to / tall, shorten(words, 24), transform=panel.transAxes, va="center")
        text.set(size=FONT_SIZE, color=SOFT if mark is None else INK, weight="normal" if mark is None else "bold")
