"""Ninth station: the same utilities through every rule."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Figure, Formulas, Items, Prose, Table
from choicekit.report.figures.bars import BarPanel, draw_bars
from choicekit.report.kinds.tour.maths import call, formula, row, subscript, total
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability
from choicekit.report.numbers import NOTHING, count, fixed
from choicekit.report.text import clean, join_words, shorten
from choicekit.tour.side_by_side import RuleRow, RulesStation

__all__ = ["TITLE", "blocks"]

TITLE = "Every rule"

_SETTINGS = 40  # letters of settings in a table; longer ones stand below it
_LONGEST = 300

_Q, _U = subscript("q", "j"), subscript("u", "j")


def blocks(station: RulesStation) -> tuple[Block, ...]:
    """Show every rule's probabilities, and its value beside the maximum."""
    sparse = [row_ for row_ in station.rows if row_.n_support < station.utility.size]
    left_out = join_words([_name(name) for name in station.left_out])
    return (
        Prose(
            f"The same {station.utility.size} alternatives, {count(len(station.rows))} rules. Each maximises mean "
            f"utility less a cost of its own for certainty: entropy makes softmax, half the squared length makes "
            f"sparsemax, no cost makes the argmax. {_sparse(station, len(sparse))} The value, which is the maximum "
            f"each attains, lies above {number(station.maximum)}, the best utility, by a gap that no row of "
            f"{station.utility.size} can exceed."
            + (f" Not shown, since nobody gave the settings it takes: {left_out}." if left_out else "")
        ),
        Formulas((formula("every rule", "V", "=", _regularised()),), "A regularised maximum"),
        _figure(station),
        _share_table(station),
        _value_table(station),
        *_long_settings(station),
        Items(
            (
                "Why it matters: one line of a scenario changes the rule, and shares, simulated choices, policies, "
                "welfare and losses follow, since all of them come from this one maximum.",
                "What goes wrong otherwise: with softmax nothing is ever quite excluded, with sparse rules much is, "
                "and zero is zero: an agent who takes an alternative that its rule excludes refutes the rule.",
            )
        ),
    )


def _regularised() -> str:
    return total("q", row("(", total("j", _Q, _U), "−", "T", call("Ω", "q"), ")"), sign="max")


def _sparse(station: RulesStation, n_sparse: int) -> str:
    if not n_sparse:
        return "Here every rule leaves everyone something."
    rules = "one of them gives" if n_sparse == 1 else f"{count(n_sparse)} of them give"
    return f"Here {rules} some alternative exactly nothing, drawn as a ring."


def _figure(station: RulesStation) -> Figure:
    shown = alternatives_of(station.utility, station.alternatives)
    panels = [
        BarPanel(
            title=_name(found.rule),
            note=_brief(found),
            values=found.probabilities,
        )
        for found in station.rows
    ]
    best = np.array([found.probabilities.max() for found in station.rows])
    low, high = station.rows[int(best.argmin())], station.rows[int(best.argmax())]
    return Figure(
        name="rules",
        finding=f"The favourite gets from {probability(float(best.min()), 2)} ({_name(low.label)}) to "
        f"{probability(float(best.max()), 2)} ({_name(high.label)}), by the rule alone",
        note="rows are alternatives, with their utility; a ring is exactly zero",
        svg=draw_bars(
            "rules",
            shown.names,
            shown.marks,
            panels,
            label=f"Small bar charts of the probabilities under {len(panels)} rules: "
            f"{join_words([_name(found.label) for found in station.rows])}.",
            row_title="alternative, utility",
            text=lambda value: probability(value, 3),
        ),
        table="rules",
    )


def _name(label: str) -> str:
    return clean(label).replace("_", " ")


def _share_table(station: RulesStation) -> Block:
    shown = alternatives_of(station.utility, station.alternatives)
    rows = [
        (_name(found.label), [probability(float(value)) for value in found.probabilities]) for found in station.rows
    ]
    return number_table("rules", "Probabilities under each rule; a bare 0 is exact", "rule", rows, shown.names)


def _settings(found: RuleRow) -> str:
    """Write the settings of a rule, where they are short."""
    return clean(found.settings) if len(found.settings) <= _SETTINGS else "see below"


def _brief(found: RuleRow) -> str:
    """Write the settings of a rule for the head of a panel: "alpha = 1.5, T = 1"."""
    settings = clean(found.settings)
    if len(settings) > _SETTINGS:
        return f"{settings.partition(' ')[0]}: see below"
    pairs = [setting.rpartition(" ") for setting in settings.split("; ") if setting]
    return ", ".join(f"{'T' if name == 'temperature' else name} = {value}" for name, _, value in pairs) or "no settings"


def _long_settings(station: RulesStation) -> tuple[Block, ...]:
    """Write settings that are too long for the table, such as nests."""
    long = [found for found in station.rows if len(found.settings) > _SETTINGS]
    lines = tuple(shorten(f"{_name(found.label)}: {clean(found.settings)}.", _LONGEST) for found in long)
    return (Items(lines),) if lines else ()


def _value_table(station: RulesStation) -> Block:
    rows = tuple(
        (
            Cell(text=_name(found.rule), below=_settings(found)),
            Cell(text=number(found.value, 6)),
            Cell(text=fixed(found.gap, 4)),
            Cell(text=fixed(found.max_gap, 4)),
            Cell(text=fixed(found.cost, 4) if np.isfinite(found.cost) else NOTHING),
            Cell(text=f"{found.n_support} of {station.utility.size}"),
            Cell(text="yes" if found.coherent else "no", style="" if found.coherent else "quiet"),
        )
        for found in station.rows
    )
    return Table(
        name="rule-values",
        caption=f"Values beside the maximum, {number(station.maximum)}",
        columns=(
            Column(title="rule", numeric=False),
            Column(title="value"),
            Column(title="above the maximum"),
            Column(title="at most"),
            Column(title="cost T Ω(p)"),
            Column(title="with a share"),
            Column(title="coherent draws", numeric=False),
        ),
        rows=rows,
    )
