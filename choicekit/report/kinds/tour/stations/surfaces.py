"""Third station: the maximum of two utilities and its two softenings, as landscapes."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Details, Figure, Formulas, Items, Prose
from choicekit.report.figures.contours import Surface, draw_contours
from choicekit.report.kinds.tour.maths import call, formula, power, row, subscript
from choicekit.report.kinds.tour.shown import number, number_table
from choicekit.report.numbers import fixed
from choicekit.tour.surfaces import SurfacesStation

__all__ = ["TITLE", "blocks"]

TITLE = "Three surfaces"

_X1, _X2 = subscript("x", "1"), subscript("x", "2")
_LISTED = 9  # points of the cut in the table


def blocks(station: SurfacesStation) -> tuple[Block, ...]:
    """Show the three surfaces as maps with common levels."""
    middle = len(station.axis) // 2
    at = middle, middle
    return (
        Prose(
            f"Each map is a landscape over two utilities; a line joins points of equal height. The maximum is a roof "
            f"upside down: two planes that meet in a fold along the diagonal. Log-sum-exp lies above and rounds the "
            f"fold off, most on the diagonal itself, by log 2: where both are 0 it is "
            f"{fixed(float(station.inclusive_value[at]), 4)}. The inner product of softmax and utilities lies below "
            f"and touches the maximum on the diagonal, where it does not matter which one is chosen."
        ),
        Formulas(
            (
                formula("log-sum-exp", call("log", power("e", _X1), "+", power("e", _X2)), "≥", _maximum()),
                formula("inner product", subscript("p", "1"), _X1, "+", subscript("p", "2"), _X2, "≤", _maximum()),
            ),
            "Which surface is above which",
        ),
        _figure(station),
        Details(summary="The numbers along a cut", blocks=(_table(station),)),
        Items(
            (
                "Why it matters: cut the maps along x₂ = 0, and three functions known from neural "
                "networks appear: the rectifier max(x, 0), the softplus, and x times the logistic function (swish). "
                "Softening a maximum and smoothing a kink are one act.",
                "What goes wrong otherwise: the two softenings are easily taken for each other, and only log-sum-exp "
                "is a value of having a choice. Where the map of the inner product is hatched, raising the worse "
                "utility lowers it: an improvement would count as a loss.",
            )
        ),
    )


def _maximum() -> str:
    return row(call("max", _X1, ",", _X2))


def _figure(station: SurfacesStation) -> Figure:
    surfaces = (
        Surface(title="max(x₁, x₂)", note="a fold", values=station.maximum.T),
        Surface(title="log-sum-exp", note="rounded, above it", values=station.inclusive_value.T),
        Surface(title="softmax(x) · x", note="rounded, below it", values=station.boltzmann.T),
    )
    return Figure(
        name="surfaces",
        finding="One fold, softened two ways: log-sum-exp from above, the inner product from below",
        note="lines of equal height, at the same levels in all maps; hatched: raising one utility lowers the value",
        svg=draw_contours(
            "surfaces",
            station.axis,
            surfaces,
            label="Three contour maps over two utilities. The lines of the maximum have a right angle on the diagonal; "
            "those of log-sum-exp are rounded there; those of the inner product bend back beside it.",
            x_title="x₁",
            y_title="x₂",
        ),
        table="surfaces",
    )


def _table(station: SurfacesStation) -> Block:
    middle = len(station.axis) // 2
    picked = np.unique(np.linspace(0, len(station.axis) - 1, _LISTED).round().astype(int))
    rows = [
        (
            number(float(station.axis[place])),
            [
                fixed(float(surface[place, middle]), 4)
                for surface in (station.maximum, station.inclusive_value, station.boltzmann)
            ],
        )
        for place in picked
    ]
    return number_table(
        "surfaces",
        f"A cut through the three surfaces along x₂ = {number(float(station.axis[middle]))}",
        "x₁",
        rows,
        ("max(x₁, x₂)", "log-sum-exp", "softmax(x) · x"),
        note=f"All {station.maximum.size} points are in tables/surfaces.csv.",
    )
