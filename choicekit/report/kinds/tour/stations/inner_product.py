"""Second station: the mean utility of what is chosen, the entropy, and log-sum-exp as their sum."""

from __future__ import annotations

from choicekit.report.content import Block, Figure, Formulas, Items, Prose
from choicekit.report.figures.number_line import Distance, Place, draw_number_line
from choicekit.report.figures.style import marks_for
from choicekit.report.kinds.tour.maths import call, formula, row, subscript, total
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability, utilities
from choicekit.report.numbers import fixed
from choicekit.tour.inner_product import InnerProductStation

__all__ = ["TITLE", "blocks"]

TITLE = "Mean and entropy"

_PJ, _UJ = subscript("p", "j"), subscript("u", "j")


def blocks(station: InnerProductStation) -> tuple[Block, ...]:
    """Show the inner product of softmax and utilities on the way to log-sum-exp."""
    return (
        Prose(
            f"Who chooses among {utilities(station.utility)} by softmax gets {fixed(station.boltzmann, 5)} on average: "
            f"the inner product of probabilities and utilities, also called the Boltzmann operator. It is below the "
            f"maximum, {number(station.maximum)}, since the best is not always chosen. Add the entropy of the choice, "
            f"{fixed(station.entropy, 5)}, and the sum is log-sum-exp, {fixed(station.inclusive_value, 5)}."
        ),
        Formulas(
            (
                formula("inner product", "B", "=", total("j", _PJ, _UJ)),
                formula("entropy", "H", "=", "−", total("j", _PJ, call("log", _PJ))),
                formula("log-sum-exp", "V", "=", "B", "+", "H", "=", _regularised()),
            ),
            "The inner product, the entropy and log-sum-exp",
        ),
        _figure(station),
        _table(station),
        Items(
            (
                "Why it matters: log-sum-exp is itself the answer to a maximisation, over all distributions q, of mean "
                "utility plus entropy, and softmax is the q that attains it. Every rule of this kit is such a "
                "regularised maximum; they differ in what takes the place of the entropy.",
                f"What goes wrong otherwise: with probabilities rounded to {station.decimals} decimals before they are "
                f"multiplied the result is {fixed(station.rounded_first, station.decimals)}, not "
                f"{fixed(station.boltzmann, station.decimals)}. Sources that print the former rounded first.",
            )
        ),
    )


def _regularised() -> str:
    inner = row("(", total("j", subscript("q", "j"), _UJ), "+", call("H", "q"), ")")
    return total("q", inner, sign="max")


def _figure(station: InnerProductStation) -> Figure:
    marks = marks_for(("inner product", "maximum", "log-sum-exp"))
    values = (station.boltzmann, station.maximum, station.inclusive_value)
    places = [
        Place(name=name, text=number(value, 5), value=value, mark=mark)
        for name, value, mark in zip(("inner product", "maximum", "log-sum-exp"), values, marks, strict=True)
    ]
    entropy = number(station.entropy, 5)
    above = number(station.inclusive_value - station.maximum, 4)
    return Figure(
        name="inner-product",
        finding=f"The maximum lies between the inner product and log-sum-exp, which are {entropy} apart: the entropy",
        note="all three in units of utility",
        svg=draw_number_line(
            "inner-product",
            places,
            (
                Distance(name=f"entropy, {entropy}", start=station.boltzmann, end=station.inclusive_value),
                Distance(name=f"gap, {above}", start=station.maximum, end=station.inclusive_value),
            ),
            label=f"A line with the inner product at {number(values[0], 5)}, the maximum at {number(values[1], 5)} and "
            f"log-sum-exp at {number(values[2], 5)}; the entropy, {entropy}, lies between the first and the last.",
            axis="utility",
        ),
        table="inner-product",
    )


def _table(station: InnerProductStation) -> Block:
    shown = alternatives_of(station.utility)
    p, products = station.probabilities, station.products
    rows = [
        (name, [probability(float(p[place]), 5), fixed(float(products[place]), 5)])
        for place, name in enumerate(shown.names)
    ]
    ends = [
        ("inner product", ["", fixed(station.boltzmann, 5)]),
        ("plus entropy", ["", fixed(station.entropy, 5)]),
        ("is log-sum-exp", ["", fixed(station.inclusive_value, 5)]),
        ("the maximum", ["", fixed(station.maximum, 5)]),
    ]
    return number_table(
        "inner-product",
        "Utilities weighted by their probabilities, and what they add up to",
        "utility",
        [*rows, *ends],
        ("softmax", "softmax × utility"),
        marks=shown.marks,
        strong=len(rows),
    )
