"""Sixth station: what softmax keeps when alternatives leave or all utilities move."""

from __future__ import annotations

from choicekit.report.content import Block, Figure, Formulas, Items, Prose
from choicekit.report.figures.bars import BarPanel, draw_bars
from choicekit.report.kinds.tour.maths import formula, fraction, power, row, subscript
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability, utilities
from choicekit.report.numbers import NOTHING, fixed, percent
from choicekit.tour.ratios import RatiosStation

__all__ = ["TITLE", "blocks"]

TITLE = "Ratios"

_PI, _PJ = subscript("p", "i"), subscript("p", "j")


def blocks(station: RatiosStation) -> tuple[Block, ...]:
    """Show the same alternatives without the best, and with all utilities lifted."""
    best = float(station.probabilities[station.removed])
    return (
        Prose(
            f"In softmax of {utilities(station.utility)} the ratio of two probabilities depends on these two utilities "
            f"alone. Take the best away, with its {percent(best)}, and every other grows by the same factor, "
            f"{number(station.growth, 5)}. Lift all utilities by {number(station.shift)} and nothing changes: only "
            f"differences count."
        ),
        Formulas(
            (
                formula(
                    "ratios", fraction(_PI, _PJ), "=",
                    power("e", row("(", subscript("u", "i"), "−", subscript("u", "j"), ")", "/", "T")),
                ),
            ),
            "The ratio of two probabilities",
        ),
        _figure(station),
        _table(station),
        Items(
            (
                "Why it matters: this is the independence of irrelevant alternatives, the axiom from which Luce "
                "derived the formula. It lets a model be estimated on some of the alternatives.",
                "What goes wrong otherwise: it is also the model’s known flaw. A second bus like the first draws "
                "from the car as much as from the first bus. Nested and cross-nested rules, further on, mend that.",
            )
        ),
    )  # fmt: skip


def _figure(station: RatiosStation) -> Figure:
    shown = alternatives_of(station.utility)
    gone = number(float(station.utility[station.removed]))
    panels = (
        BarPanel(title="all there", note="", values=station.probabilities),
        BarPanel(
            title=f"without {gone}",
            note=f"others × {number(station.growth, 4)}",
            values=station.probabilities_without,
        ),
        BarPanel(
            title=f"all lifted by {number(station.shift)}",
            note="no change",
            values=station.probabilities_shifted,
        ),
    )
    return Figure(
        name="ratios",
        finding=f"Without the best, all others grow by one factor, {number(station.growth, 4)}",
        note="rows are alternatives, by their utility; a ring is exactly zero",
        svg=draw_bars(
            "ratios",
            shown.names,
            shown.marks,
            panels,
            label=f"Bars of softmax three times: of all alternatives, without the best, which multiplies the others by "
            f"{number(station.growth, 4)}, and with all utilities lifted, which changes nothing.",
            row_title="utility",
            text=lambda value: probability(value),
        ),
        table="ratios",
    )


def _table(station: RatiosStation) -> Block:
    shown = alternatives_of(station.utility)
    columns = (station.probabilities, station.probabilities_without, station.probabilities_shifted)
    rows = []
    for place, name in enumerate(shown.names):
        texts = [probability(float(values[place])) for values in columns]
        before, after = float(columns[0][place]), float(columns[1][place])
        rows.append(
            (name, [texts[0], texts[1], fixed(after / before, 4) if before > 0 and after > 0 else NOTHING, texts[2]])
        )
    return number_table(
        "ratios",
        "Softmax of all, without the best, and of lifted utilities",
        "utility",
        rows,
        ("all there", "without the best", "grown by a factor of", "lifted"),
        marks=shown.marks,
    )
