"""Last station: the energy, which the probabilities do not hold."""

from __future__ import annotations

from choicekit.report.content import Block, Details, Figure, Formulas, Items, Prose
from choicekit.report.figures.bars import BarPanel, draw_bars
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.style import marks_for
from choicekit.report.kinds.tour.maths import call, formula, power, row, subscript, total
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability, utilities
from choicekit.report.numbers import fixed
from choicekit.tour.energy import EnergyStation

__all__ = ["TITLE", "blocks"]

TITLE = "Energy"


def blocks(station: EnergyStation) -> tuple[Block, ...]:
    """Show two situations with the same probabilities and different energies."""
    first, second = (float(value) for value in station.energy)
    return (
        Prose(
            f"Two situations: {utilities(station.utility[0])}, and {utilities(station.utility[1])}, where all is "
            f"{number(abs(station.shift))} {'better' if station.shift > 0 else 'worse'}. Softmax gives both the same "
            f"probabilities, to the last digit that counts. Their energies, minus log-sum-exp, are {fixed(first, 4)} "
            f"and {fixed(second, 4)}."
        ),
        Formulas(
            (
                formula("energy", "E", "=", "−", "T",
                        call("log", total("k", power("e", row(subscript("u", "k"), "/", "T"))))),
                formula("lifted by c", call("p", row("u", "+", "c")), "=", call("p", "u"), ",",
                        call("E", row("u", "+", "c")), "=", call("E", "u"), "−", "c"),
            ),
            "What a lift does to probabilities and energy",
        ),
        _bar_figure(station),
        _table(station),
        _path_figure(station),
        Details(summary="The numbers behind the lines", blocks=(_path_table(station),)),
        Items(
            (
                "Why it matters: a classifier that is sure may be sure of something it has never seen. Normalising "
                "divides away how strongly anything at all was recognised; the energy keeps it, and a high one says "
                "that the situation is unlike what is known.",
                "What goes wrong otherwise: probabilities alone pass nonsense as certain. For choices: they say "
                "nothing of whether agents are well served or merely choose the least evil.",
            )
        ),
    )  # fmt: skip


def _bar_figure(station: EnergyStation) -> Figure:
    shown = alternatives_of(station.utility[0])
    panels = [
        BarPanel(title=title, note=f"energy {fixed(float(energy), 2)}", values=p)
        for title, energy, p in zip(
            ("as given", f"all lifted by {number(station.shift)}"), station.energy, station.probabilities, strict=True
        )
    ]
    return Figure(
        name="energy",
        finding=f"The same bars, and energies {number(abs(station.shift))} apart",
        note="rows are alternatives, by their utility in the first situation",
        svg=draw_bars(
            "energy",
            shown.names,
            shown.marks,
            panels,
            label=f"Bars of two situations, alike in every row; energies {fixed(float(station.energy[0]), 2)} and "
            f"{fixed(float(station.energy[1]), 2)}.",
            row_title="utility",
            text=lambda value: probability(value),
        ),
        table="energy",
    )


def _table(station: EnergyStation) -> Block:
    shown = alternatives_of(station.utility[0])
    rows = [
        (
            name,
            [
                number(float(station.utility[1, place])),
                *(probability(float(p[place]), 5) for p in station.probabilities),
            ],
        )
        for place, name in enumerate(shown.names)
    ]
    return number_table(
        "energy",
        "Two situations",
        "utility",
        [*rows, ("energy", ["", *(fixed(float(value), 5) for value in station.energy)])],
        ("lifted utility", "softmax as given", "softmax lifted"),
        marks=shown.marks,
        strong=len(rows),
    )


def _path_figure(station: EnergyStation) -> Figure:
    energy, sure = marks_for(("energy", "largest probability"))
    p = station.largest_probability
    return Figure(
        name="energy-path",
        finding="Along a lift of all utilities the energy falls one for one; the largest probability stays "
        f"at {probability(float(p[0]))}",
        note="both on one axis: units of utility, and a share",
        svg=draw_curves(
            "energy-path",
            [
                Curve(name="energy", x=station.shifts, y=station.energies, mark=energy),
                Curve(name="largest probability", x=station.shifts, y=p, mark=sure),
            ],
            label=f"Two lines over the lift. Energy falls from {fixed(float(station.energies[0]), 1)} to "
            f"{fixed(float(station.energies[-1]), 1)}; the largest probability is flat.",
            x=Axis(title="lift of all utilities"),
            y=Axis(title="energy; probability"),
            height=280.0,
        ),
        table="energy-path",
    )


def _path_table(station: EnergyStation) -> Block:
    step = max(1, (station.shifts.size - 1) // 8)
    rows = [
        (number(float(lift), 3), [fixed(float(energy), 4), probability(float(p), 5)])
        for lift, energy, p in zip(
            station.shifts[::step], station.energies[::step], station.largest_probability[::step], strict=True
        )
    ]
    return number_table(
        "energy-path", "Energy and largest probability, by the lift", "lift", rows, ("energy", "largest probability"),
        note="All points are in tables/energy.csv.",
    )  # fmt: skip
