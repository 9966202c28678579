"""Fourth station: how far soft maxima can be from the maximum."""

from __future__ import annotations

import math

import numpy as np

from choicekit.report.content import Block, Details, Figure, Formulas, Items, Prose
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.style import SOFT, Mark, marks_for
from choicekit.report.kinds.tour.maths import call, fenced, formula, fraction, row, subscript
from choicekit.report.kinds.tour.shown import number, number_table
from choicekit.report.numbers import fixed
from choicekit.tour.bounds import BoundsStation

__all__ = ["TITLE", "blocks"]

TITLE = "Bounds"

NAMES = {
    "maximum": "maximum",
    "inclusive_value": "log-sum-exp",
    "boltzmann": "inner product",
    "mellowmax": "mellowmax",
}
_MARKS = dict(zip(NAMES, marks_for(tuple(NAMES)), strict=True))
_THEORY = Mark(SOFT, ".")
_LEADS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)


def blocks(station: BoundsStation) -> tuple[Block, ...]:
    """Show the gaps between the maximum and each soft one, with the bounds and where they are met."""
    bound = station.bounds
    return (
        Prose(
            f"How far from the maximum can a soft one be? Let one of {station.n} alternatives lead the other, equal "
            f"ones. Log-sum-exp is furthest above at a tie, by log {station.n} = "
            f"{number(bound['inclusive_value'], 4)}, and returns to the maximum as the lead grows. Mellowmax is "
            f"log-sum-exp less that constant, so it is right at a tie and off by the whole bound in the end. The "
            f"inner product is right at both ends and furthest below in between: by W₀(({station.n} − 1)/e) = "
            f"{number(bound['boltzmann'], 4)}, where the lead is {number(station.reached_at['boltzmann'], 4)}."
        ),
        Formulas(
            (
                formula("log-sum-exp", "0", "≤", "V", "−", "max", "≤", "T", call("log", "n")),
                formula("inner product", "0", "≤", "max", "−", "B", "≤", "T", _lambert()),
                formula("mellowmax", "M", "=", "V", "−", "T", call("log", "n")),
                formula("and so", "0", "≤", "max", "−", "M", "≤", "T", call("log", "n")),
            ),
            "Sharp bounds on the gaps",
        ),
        _gap_figure(station),
        Details(summary="The numbers behind the curves", blocks=(_gap_table(station),)),
        Prose(
            f"Bounds say how far, not which way. Raise the second of two utilities (0, x) from "
            f"x\u00a0=\u00a0{number(float(station.example[0]))} to {number(float(station.example[1]))}: the inner "
            f"product falls, from {fixed(float(station.example_values[0]), 4)} to "
            f"{fixed(float(station.example_values[1]), 4)}, and its lowest point is at "
            f"x\u00a0=\u00a0{number(station.lowest_at, 4)}. An alternative that was as good as never chosen now "
            f"sometimes is, and it is still the worse one."
        ),
        _raised_figure(station),
        Details(summary="The numbers behind the curves", blocks=(_raised_table(station),)),
        Items(
            (
                "Why it matters: the bound is what softness can cost. It grows with the logarithm of the number of "
                "alternatives and in proportion to the temperature T, so T can be chosen for a given error.",
                "What goes wrong otherwise: an average over what is chosen is not monotone. Judged by it, adding or "
                "improving a poor alternative looks harmful; log-sum-exp and mellowmax never fall as a utility rises.",
            )
        ),
    )  # fmt: skip


def _lambert() -> str:
    return row(subscript("W", "0"), fenced(fraction(row("n", "−", "1"), "e")))


def _gap_figure(station: BoundsStation) -> Figure:
    curves = [Curve(name=NAMES[key], x=station.lead, y=gap, mark=_MARKS[key]) for key, gap in station.gaps.items()]
    ends = station.lead[[0, -1]]
    lines = {value: name for name, value in station.bounds.items()}
    theory = [
        Curve(
            name=f"bound, {number(value, 4)}",
            x=ends,
            y=np.full(2, value),
            mark=_THEORY,
            style="dashed",
        )
        for value in lines
    ]
    top = max(station.bounds.values())
    at = number(station.reached_at["boltzmann"], 4)
    return Figure(
        name="bounds",
        finding=f"Every gap stays within its bound and touches it: log-sum-exp at a tie, the inner product at a lead "
        f"of {at}, mellowmax far out",
        note=f"distance from the maximum where one of {station.n} alternatives leads {station.n - 1} equal ones, at "
        f"T = 1; dashed: the bounds",
        svg=draw_curves(
            "bounds",
            [*curves, *theory],
            label=f"Three curves of the gap against the lead of the best alternative. That of log-sum-exp falls from "
            f"{number(station.bounds['inclusive_value'], 4)} to 0, that of mellowmax rises from 0 to the same, that of "
            f"the inner product rises to {number(station.bounds['boltzmann'], 4)} at {at} and falls again.",
            x=Axis(title="lead of the best alternative, utility", limits=(0.0, float(station.lead[-1]))),
            y=Axis(title="distance from the maximum", limits=(-0.03 * top, 1.08 * top)),
        ),
        table="bounds",
    )


def _gap_table(station: BoundsStation) -> Block:
    picked = sorted({int(np.abs(station.lead - lead).argmin()) for lead in _LEADS})
    rows = [
        (number(float(station.lead[place]), 3), [fixed(float(gap[place]), 4) for gap in station.gaps.values()])
        for place in picked
    ]
    met = [number(at, 4) if math.isfinite(at) else "in the limit" for at in station.reached_at.values()]
    return number_table(
        "bounds",
        f"Distance from the maximum, by the lead of one of {station.n} alternatives",
        "lead",
        [
            *rows,
            ("bound", [fixed(value, 4) for value in station.bounds.values()]),
            ("met at a lead of", met),
        ],
        tuple(NAMES[key] for key in station.gaps),
        strong=len(rows),
        note="The whole curves are in tables/bounds.csv, the bounds for other numbers of alternatives in "
        "tables/bound-sizes.csv.",
    )


def _raised_figure(station: BoundsStation) -> Figure:
    curves = [
        Curve(name=NAMES[key], x=station.raised, y=values, mark=_MARKS[key]) for key, values in station.curves.items()
    ]
    lowest = np.array([station.lowest_at]), np.array([station.lowest])
    curves.append(Curve(name="", x=lowest[0], y=lowest[1], mark=_MARKS["boltzmann"], style="points"))
    return Figure(
        name="raised",
        finding=f"As x rises, the inner product of (0, x) falls until x\u00a0=\u00a0{number(station.lowest_at, 4)}; "
        f"the others never fall",
        note=f"the dot is its lowest value, {number(station.lowest, 4)}; T = 1",
        svg=draw_curves(
            "raised",
            curves,
            label=f"Four curves over x. The inner product is near 0 on the left, dips to {number(station.lowest, 4)} "
            f"at {number(station.lowest_at, 4)} and joins the maximum on the right.",
            x=Axis(
                title="x, the second of two utilities", limits=(float(station.raised[0]), float(station.raised[-1]))
            ),
            y=Axis(title="soft maximum of (0, x)"),
        ),
        table="raised",
    )


def _raised_table(station: BoundsStation) -> Block:
    picked = np.unique(np.linspace(0, station.raised.size - 1, 15).round().astype(int))
    rows = [
        (
            number(float(station.raised[place]), 3),
            [fixed(float(values[place]), 4) for values in station.curves.values()],
        )
        for place in picked
    ]
    return number_table(
        "raised", "Four maxima of (0, x)", "x", rows, tuple(NAMES[key] for key in station.curves),
        note="The whole curves are in tables/raised.csv.",
    )  # fmt: skip
