"""First station: the argmax and softmax beside each other."""

from __future__ import annotations

from choicekit.report.content import Block, Figure, Formulas, Items, Prose
from choicekit.report.figures.bars import BarPanel, draw_bars
from choicekit.report.kinds.tour.maths import call, formula, fraction, power, row, subscript, total
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability, utilities
from choicekit.report.numbers import percent
from choicekit.tour.argmax import ArgmaxStation

__all__ = ["TITLE", "blocks"]

TITLE = "Argmax and softmax"

_EXPONENTIAL = power("e", subscript("u", "k"))


def blocks(station: ArgmaxStation) -> tuple[Block, ...]:
    """Show what the argmax gives, what softmax gives, and the two maxima."""
    best = float(station.probabilities[station.best])
    return (
        Prose(
            f"Take the utilities {utilities(station.utility)}. The argmax looks for the largest and gives it "
            f"everything. Softmax exponentiates and divides by the sum: the best alternative keeps "
            f"{percent(best, 2)}, and every other keeps something. Likewise the maximum, "
            f"{number(station.maximum, 15)}, softens to log-sum-exp, {number(station.inclusive_value, 15)}: a little "
            f"above, by what the other alternatives are worth as well."
        ),
        Formulas(
            (
                formula("softmax", subscript("p", "j"), "=", fraction(power("e", subscript("u", "j")), _sum())),
                formula("log-sum-exp", "V", "=", call("log", _sum())),
                formula("the link", fraction(row("∂", "V"), row("∂", subscript("u", "j"))), "=", subscript("p", "j")),
            ),
            "Softmax, log-sum-exp and how they hang together",
        ),
        _figure(station),
        _table(station),
        Items(
            (
                "Why it matters: log-sum-exp is a smooth maximum and softmax is its gradient. One object gives the "
                "value of having a choice and the probabilities of choosing, and both can be differentiated.",
                "What goes wrong otherwise: the argmax jumps at ties and its slope is zero everywhere else, so nothing "
                "can be learned through it, and a model that gives probability 0 to what people sometimes do is "
                "refuted by one observation.",
            )
        ),
    )


def _sum() -> str:
    return total("k", _EXPONENTIAL)


def _figure(station: ArgmaxStation) -> Figure:
    shown = alternatives_of(station.utility)
    best = float(station.probabilities[station.best])
    ties = int((station.one_hot > 0).sum())
    takes = "one takes all" if ties == 1 else f"{ties} tied ones share all"
    panels = (
        BarPanel(title="argmax", note=takes, values=station.one_hot),
        BarPanel(title="softmax", note="everyone gets something", values=station.probabilities),
    )
    label = (
        f"Bars of shares by alternative. Under the argmax {takes}; under softmax the best has {probability(best)} and "
        f"the worst {probability(float(station.probabilities.min()))}."
    )
    return Figure(
        name="argmax",
        finding=f"The best of {station.utility.size} takes {_most(station)} under the argmax and {percent(best, 2)} "
        f"under softmax",
        note="rows are alternatives, by their utility; a ring is exactly zero",
        svg=draw_bars(
            "argmax",
            shown.names,
            shown.marks,
            panels,
            label=label,
            row_title="utility",
            text=lambda value: probability(value, 5),
        ),
        table="argmax",
    )


def _most(station: ArgmaxStation) -> str:
    share = float(station.one_hot[station.best])
    return "all" if share == 1 else f"{percent(share, 2)}, as the others it is tied with,"


def _table(station: ArgmaxStation) -> Block:
    shown = alternatives_of(station.utility)
    columns = (station.one_hot, station.exponentials, station.probabilities)
    rows = [
        (name, [probability(float(values[place]), 8) for values in columns]) for place, name in enumerate(shown.names)
    ]
    totals = [float(values.sum()) for values in (station.one_hot, station.exponentials, station.probabilities)]
    return number_table(
        "argmax",
        "From utilities to shares",
        "utility",
        [*rows, ("sum of all", [number(value, 9) for value in totals])],
        ("argmax", "exp(utility − max)", "softmax"),
        marks=shown.marks,
        strong=len(rows),
    )
