"""Fifth station: from one-hot to uniform, and three formulas of which one is right everywhere."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from choicekit.report.content import Block, Cell, Column, Details, Figure, Formula, Formulas, Items, Prose, Table
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.kinds.tour.maths import formula, fraction, power, row, subscript, total
from choicekit.report.kinds.tour.shown import (
    Alternatives,
    FloatArray,
    alternatives_of,
    number,
    number_table,
    probability,
    utilities,
)
from choicekit.tour.temperature import TemperatureStation

__all__ = ["TITLE", "blocks"]

TITLE = "Temperature"

_LISTED = 9
_FORMULAS = {
    "naive": "exp(u / T) / sum",
    "by_value": "exp((u − lse) / T)",
    "by_maximum": "exp((u − max) / T) / sum",
}


def blocks(station: TemperatureStation) -> tuple[Block, ...]:
    """Show the path of the probabilities, and what three formulas make of tiny temperatures."""
    n, best = station.utility.size, station.n_best
    ends = "the best takes all" if best == 1 else f"the {best} best, which are tied, get {number(1 / best, 4)} each"
    return (
        Prose(
            f"Divide the utilities {utilities(station.utility)} by a temperature before softmax. When it is hot, "
            f"differences hardly count and every alternative has {number(1 / n, 4)}. As it cools, the better ones "
            f"gain, and at T = 0, which is the hard maximum, {ends}. Ties stay ties at every temperature: what is "
            f"alike in utility is alike in probability."
        ),
        Formulas((_softmax(), _stable()), "Softmax at a temperature, and how it is computed"),
        _figure(station),
        Details(summary="The numbers behind the curves", blocks=(_path_table(station),)),
        Prose(
            f"Three formulas are equal on paper. In double precision the first overflows when it is cold, the second "
            f"loses the digits of u − lse, and only the third, which subtracts the maximum and then divides by the "
            f"sum, is right at every temperature. The table shows what each gives"
            f"{_damage(station)}."
        ),
        _formula_table(station),
        Items(
            (
                "Why it matters: the temperature says how much chance, or unobserved taste, there is beside utility; "
                "from it comes everything between indifference and certainty, with one formula.",
                "What goes wrong otherwise: a nan that appears only in a corner of the parameters, or shares that look "
                "like probabilities and sum to something else. Nothing warns of either.",
            )
        ),
    )


def _softmax() -> Formula:
    def of(index: str) -> Markup:
        return power("e", row(subscript("u", index), "/", "T"))

    return formula("softmax", subscript("p", "j"), "=", fraction(of("j"), total("k", of("k"))))


def _stable() -> Formula:
    def of(index: str) -> Markup:
        return power("e", row("(", subscript("u", index), "−", "max", "u", ")", "/", "T"))

    return formula("as computed", subscript("p", "j"), "=", fraction(of("j"), total("k", of("k"))))


def _damage(station: TemperatureStation) -> str:
    """Say where the first two formulas break; empty where they do not."""
    broken = [float(t) for t, row_ in zip(station.shown, station.naive, strict=True) if np.isnan(row_).any()]
    sums = np.abs(station.by_value.sum(axis=-1) - 1)
    found = []
    if broken:
        found.append(f"the first gives nan from T\u00a0=\u00a0{number(max(broken), 3)} down")
    if (sums > 1e-9).any():
        place = int(sums.argmax())
        found.append(
            f"the second adds up to {number(float(station.by_value[place].sum()), 6)} at "
            f"T\u00a0=\u00a0{number(float(station.shown[place]), 3)}"
        )
    return f": {' and '.join(found)}" if found else ""


def _groups(station: TemperatureStation, shown: Alternatives) -> list[tuple[str, int]]:
    """One line for alternatives that are tied, which lie on one another."""
    utility = station.utility
    found = []
    for value in np.unique(utility):
        tied = np.flatnonzero(utility == value)
        name = number(float(value)) if tied.size == 1 else f"{number(float(value))}, {tied.size} tied"
        found.append((name, int(tied[0])))
    return found


def _figure(station: TemperatureStation) -> Figure:
    shown = alternatives_of(station.utility)
    probabilities = station.probabilities
    curves = [
        Curve(name=name, x=station.temperatures[::-1], y=probabilities[::-1, place], mark=shown.marks[place])
        for name, place in _groups(station, shown)
    ]
    coldest, hottest = float(station.temperatures.min()), float(station.temperatures.max())
    top = float(probabilities.max())
    tied = "" if station.n_best == 1 else f", shared by {station.n_best} that are tied"
    return Figure(
        name="temperature",
        finding=f"Cold gives all to the best{tied}; hot gives everyone {number(1 / station.utility.size, 4)}",
        note="lines are alternatives, named by their utility; the temperature runs from cold to hot",
        svg=draw_curves(
            "temperature",
            curves,
            label=f"Probability of each alternative against temperature, from {number(coldest, 2)} to "
            f"{number(hottest, 2)} on a logarithmic axis. On the left the best have {number(top, 4)} each and all "
            f"others nothing; on the right all lines meet.",
            x=Axis(title="temperature T, logarithmic", log=True, text=lambda value: number(value, 3)),
            y=Axis(title="probability", limits=(-0.03 * top, 1.06 * top)),
            names_at="left",
        ),
        table="temperature",
    )


def _path_table(station: TemperatureStation) -> Block:
    shown = alternatives_of(station.utility)
    probabilities = station.probabilities
    picked = np.unique(np.linspace(0, station.temperatures.size - 1, _LISTED).round().astype(int))[::-1]
    rows = [
        (number(float(station.temperatures[place]), 3), [probability(float(value)) for value in probabilities[place]])
        for place in picked
    ]
    limits = [
        ("T = 0", [probability(float(value)) for value in station.limit_cold]),
        ("in the limit of heat", [probability(float(value)) for value in station.limit_hot]),
    ]
    return number_table(
        "temperature",
        "Probabilities by temperature; columns are alternatives, by their utility",
        "temperature",
        [limits[0], *rows, limits[1]],
        shown.names,
        note=f"All {station.temperatures.size} temperatures are in tables/temperature.csv. A bare 0 beside "
        "T > 0 is less than the smallest number that a computer holds.",
    )


def _formula_table(station: TemperatureStation) -> Block:
    shown = alternatives_of(station.utility)
    rows = []
    for place, temperature in enumerate(station.shown):
        for key, words in _FORMULAS.items():
            values: FloatArray = getattr(station, key)[place]
            rows.append(_formula_row(number(float(temperature), 3), words, values, float(values.sum())))
    return Table(
        name="formulas",
        caption="The same probabilities by three formulas; columns are alternatives, by their utility",
        columns=(
            Column(title="temperature, formula", numeric=False),
            *(Column(title=name) for name in shown.names),
            Column(title="sum"),
        ),
        rows=tuple(rows),
    )


def _formula_row(temperature: str, words: str, values: FloatArray, total_: float) -> tuple[Cell, ...]:
    numbers = [*(probability(float(value), 5) for value in values), probability(round(total_, 12), 5)]
    wrong = abs(total_ - 1) > 1e-9 or np.isnan(total_)
    return (
        Cell(text=f"T\u00a0=\u00a0{temperature}", below=words),
        *(
            Cell(text=text, style="bad" if wrong and text != "0" else "quiet" if text == "0" else "")
            for text in numbers
        ),
    )
