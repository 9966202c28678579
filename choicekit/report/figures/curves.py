"""Curves with their names at their ends, on plain or logarithmic axes, and lines of what theory allows."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from choicekit.report.figures.layout import FONT_SIZE, add_panel, label_gutter, percent_ticks, spread
from choicekit.report.figures.style import INK, SOFT, Mark
from choicekit.report.figures.svg import WIDTH, draw_svg
from choicekit.report.numbers import real_minus
from choicekit.report.text import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Axis", "Curve", "draw_curves", "plain_number", "powers_of_ten"]

FloatArray = npt.NDArray[np.float64]

_TOP, _BOTTOM, _EDGE = 18.0, 50.0, 20.0
_BESIDE = 12.0  # between the end of a curve and its name
_LINE = 17.0  # least distance of two names
_NAME = 26
_MARKERS = 7  # along a curve
_DASHES = {"line": "-", "dashed": (0, (5, 3)), "points": ""}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def plain_number(value: float) -> str:
    """Write a number as it is.

    Examples
    --------
    >>> plain_number(-0.5)
    '−0.5'
    """
    return real_minus(f"{value:g}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """One curve.

    Attributes
    ----------
    name : str
        Written at its end; may be empty.
    x, y : ndarray (n,)
    mark : Mark
    style : {"line", "dashed", "points"}
        A line with a marker at its named end; a thin dashed one, for what theory says; or a marker at every point.
    band : tuple of ndarray, optional
        x, lower and upper end of what is uncertain about it.
    """

    name: str
    x: FloatArray
    y: FloatArray
    mark: Mark
    style: Literal["line", "dashed", "points"] = "line"
    band: tuple[FloatArray, FloatArray, FloatArray] | None = None


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One axis.

    Attributes
    ----------
    title : str
    log : bool
    limits : tuple of float, optional
        By default what the curves need.
    ticks : sequence of float, optional
        By default round numbers.
    text : callable, optional
        Writes a number at its tick.
    """

    title: str
    log: bool = False
    limits: tuple[float, float] | None = None
    ticks: Sequence[float] | None = None
    text: Callable[[float], str] = plain_number


def draw_curves(
    name: str,
    curves: Sequence[Curve],
    *,
    label: str,
    x: Axis,
    y: Axis,
    names_at: Literal["left", "right"] = "right",
    height: float = 330.0,
) -> Markup:
    """Draw curves into one panel, each with its name at one end.

    Parameters
    ----------
    name : str
        Of the figure.
    curves : sequence of Curve
    label : str
        For those who cannot see the figure.
    x, y : Axis
    names_at : {"left", "right"}
        On which side the names stand.
    height : float
        In SVG units.

    Returns
    -------
    Markup

    Examples
    --------
    >>> line = Curve(name="x < y", x=np.array([0.0, 1.0]), y=np.array([0.0, 1.0]), mark=Mark("#0072B2", "o"))
    >>> "x &lt; y" in draw_curves("line", [line], label="a line", x=Axis(title="x"), y=Axis(title="y"))
    True
    """
    gutter = (
        label_gutter([shorten(curve.name, _NAME) for curve in curves], size=1.02 * FONT_SIZE, most=200) + _BESIDE + 15
    )
    y_limits = y.limits or _limits([curve.y for curve in curves], log=y.log)
    x_limits = x.limits or _limits([curve.x for curve in curves], log=x.log, room=0.0)
    y_ticks = _ticks(y, y_limits)
    scale = label_gutter([y.text(tick) for tick in y_ticks], least=20) + 30
    left, right = (scale, gutter) if names_at == "right" else (gutter, scale)

    def draw(figure: Figure) -> None:
        panel = add_panel(figure, left=left, right=right, top=_TOP, bottom=_BOTTOM, height=height)
        _set_axes(panel, (x, x_limits), (y, y_limits), names_at)
        for place, curve in enumerate(curves):
            _draw_curve(panel, curve, names_at, place / len(curves))
        _name_curves(panel, curves, y_limits, y.log, names_at, (WIDTH - left - right, height - _TOP - _BOTTOM))

    return draw_svg(name, label, height, draw)


def powers_of_ten(value: float) -> str:
    """Write a power of ten with its exponent, other numbers plainly.

    Examples
    --------
    >>> powers_of_ten(1000.0), powers_of_ten(0.001), powers_of_ten(1.0), powers_of_ten(0.5)
    ('10³', '10⁻³', '1', '0.5')
    """
    exponent = round(math.log10(value)) if value > 0 else 0
    if exponent in (0, 1) or value != float(f"1e{exponent}"):
        return plain_number(value)
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def _limits(values: Sequence[FloatArray], *, log: bool, room: float = 0.05) -> tuple[float, float]:
    found = np.concatenate([np.zeros(0), *values])
    found = found[np.isfinite(found) & ((found > 0) | (not log))]
    if not found.size:
        return (0.1, 1.0) if log else (0.0, 1.0)
    low, high = float(found.min()), float(found.max())
    if log:
        wide = room * (math.log10(high / low) or 1.0)
        return low / 10**wide, high * 10**wide
    wide = room * (high - low or 1.0)
    return low - wide, high + wide


def _ticks(axis: Axis, limits: tuple[float, float]) -> list[float]:
    if axis.ticks is not None:
        return list(axis.ticks)
    if not axis.log:
        return percent_ticks(*limits, most=6)
    first, last = math.ceil(math.log10(limits[0]) - 1e-9), math.floor(math.log10(limits[1]) + 1e-9)
    step = max(1, math.ceil((last - first) / 7))
    return [10.0**exponent for exponent in range(first, last + 1, step)]


def _set_axes(
    panel: Axes,
    x: tuple[Axis, tuple[float, float]],
    y: tuple[Axis, tuple[float, float]],
    names_at: Literal["left", "right"],
) -> None:
    for (axis, limits), own, scale, bound in (
        (x, panel.xaxis, panel.set_xscale, panel.set_xlim),
        (y, panel.yaxis, panel.set_yscale, panel.set_ylim),
    ):
        scale("log" if axis.log else "linear")
        bound(*limits)
        ticks = _ticks(axis, limits)
        own.set_ticks(ticks, labels=[axis.text(tick) for tick in ticks])
        own.set_ticks([], minor=True)
    panel.spines["left"].set_visible(False)
    panel.grid(axis="x", visible=False)
    panel.set_xlabel(x[0].title, loc="left", labelpad=6)
    panel.set_ylabel(y[0].title, labelpad=8)
    if names_at == "left":
        panel.yaxis.tick_right()
        panel.yaxis.set_label_position("right")


def _draw_curve(panel: Axes, curve: Curve, names_at: Literal["left", "right"], offset: float) -> None:
    """Draw a curve, with its marker here and there: at other places than those of the other curves."""
    theory = curve.style == "dashed"
    if curve.band is not None:
        panel.fill_between(*curve.band, color=curve.mark.colour, alpha=0.18, linewidth=0, zorder=2)
    (line,) = panel.plot(curve.x, curve.y, color=curve.mark.colour, linewidth=1.5 if theory else 2.2)
    line.set(linestyle=_DASHES[curve.style], zorder=3 if theory else 4)
    if curve.style == "points":
        line.set(marker=curve.mark.marker, markersize=7, markeredgewidth=0, clip_on=False)
    elif not theory and curve.x.size:
        step = max(curve.x.size // _MARKERS, 1)
        line.set(marker=curve.mark.marker, markersize=5.5, markeredgewidth=0, markevery=(int(offset * step), step))
        end = -1 if names_at == "right" else 0
        (dot,) = panel.plot(curve.x[end], curve.y[end], curve.mark.marker, color=curve.mark.colour, clip_on=False)
        dot.set(markersize=8, markeredgewidth=0, zorder=5)


def _name_curves(
    panel: Axes,
    curves: Sequence[Curve],
    limits: tuple[float, float],
    log: bool,
    names_at: Literal["left", "right"],
    inner: tuple[float, float],
) -> None:
    """Write names beside the ends, apart from each other, with a thin line to where they belong."""
    named = [curve for curve in curves if curve.name and curve.y.size]
    if not named:
        return
    width, tall = inner
    ends = np.array([curve.y[-1 if names_at == "right" else 0] for curve in named], dtype=np.float64)
    ends = np.clip(np.nan_to_num(ends), *limits)
    low, high = limits
    if log:
        low, high, ends = math.log10(low), math.log10(high), np.log10(ends)
    wanted = (ends - low) / (high - low) * tall
    placed = spread(wanted, _LINE, 0.0, tall)
    sign, base, align = (1, 1.0, "left") if names_at == "right" else (-1, 0.0, "right")
    for curve, at, to in zip(named, wanted, placed, strict=True):
        beside = base + sign * _BESIDE / width
        theory = curve.style == "dashed"
        if abs(to - at) > 3:
            panel.plot(
                [base + sign * 5 / width, beside - sign * 1 / width],
                [at / tall, to / tall],
                color="#b8c0c8",
                linewidth=0.9,
                transform=panel.transAxes,
                clip_on=False,
            )
        if not theory:
            (dot,) = panel.plot(beside + sign * 6 / width, to / tall, curve.mark.marker, color=curve.mark.colour)
            dot.set(markersize=7.5, markeredgewidth=0, transform=panel.transAxes, clip_on=False)
        start = beside + (0 if theory else sign * 15 / width)
        words = panel.text(start, to / tall, shorten(curve.name, _NAME), transform=panel.transAxes, ha=align)
        words.set(va="center", size=FONT_SIZE, color=SOFT if theory else INK, weight="normal" if theory else "bold")
