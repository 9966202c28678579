"""Tenth station: two ways to draw, and who switches when one alternative is improved."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.report.content import Block, Details, Figure, Items, Prose
from choicekit.report.figures.heatmap import MOST_CELLS, draw_heatmap
from choicekit.report.kinds.tour.shown import number, number_table
from choicekit.report.numbers import count, percent, share
from choicekit.report.text import display_names, in_sentence
from choicekit.tour.two_samplings import TwoSamplingsStation

__all__ = ["TITLE", "blocks"]

TITLE = "Two ways to draw"

IntArray = npt.NDArray[np.int64]


def blocks(station: TwoSamplingsStation) -> tuple[Block, ...]:
    """Show choices of the same agents drawn both ways, and switches under both."""
    better = in_sentence(display_names(station.alternatives)[station.improved])
    before, after = (float(p[station.improved]) for p in (station.probabilities, station.probabilities_after))
    return (
        Prose(
            f"{count(station.n_agents)} agents choose twice: by Gumbel-max, one number for each alternative, and by "
            f"inverting the distribution, one number in all. Either way the shares are those of softmax. Agent by "
            f"agent the choices differ: {percent(station.agreement)} agree, and {percent(station.expected_agreement)} "
            f"would by chance."
        ),
        _joint_figure(station),
        _folded(station, "joint", "Agents by their choice when drawn both ways", station.joint),
        Prose(
            f"Now raise the utility of {better} by {number(station.lift)}, so that its share goes from "
            f"{percent(before)} to {percent(after)}, and let the same agents choose again with the same numbers. Under "
            f"Gumbel-max everyone who switches, switches to {better}. Inverting moves all borders between stretches of "
            f"(0, 1), and {count(station.needless_inverse)} agents switch to an alternative nobody touched."
        ),
        _switch_figure(station, "coherent", station.switching_coherent, station.needless_coherent, better),
        _folded(
            station, "coherent", "Agents by choice before and after, Gumbel-max (coherent)", station.switching_coherent
        ),
        _switch_figure(station, "inverse", station.switching_inverse, station.needless_inverse, better),
        _folded(
            station, "inverse", "Agents by choice before and after, inverse distribution", station.switching_inverse
        ),
        Items(
            (
                "Why it matters: to say who gains from a policy, the same person must be followed from the baseline "
                "into it. Draws that keep their head make that comparison mean something.",
                "What goes wrong otherwise: shares are right and stories are wrong. Agents seem to move between "
                "alternatives that the policy leaves alone, and winners and losers are counted who are neither.",
            )
        ),
    )


def _shown(station: TwoSamplingsStation) -> npt.NDArray[np.int64]:
    """Positions of the likeliest alternatives, as many as a heatmap holds, the improved one among them."""
    rank = station.probabilities.copy()
    rank[station.improved] = np.inf
    return np.sort(np.argsort(-rank, kind="stable")[:MOST_CELLS])


def _joint_figure(station: TwoSamplingsStation) -> Figure:
    shown, names = _shown(station), display_names(station.alternatives)
    return Figure(
        name="joint",
        finding=f"Drawn two ways, {percent(station.agreement)} of agents choose alike: as many as by chance, "
        f"{percent(station.expected_agreement)}",
        note="% of agents; rows: Gumbel-max, columns: inverse distribution",
        svg=draw_heatmap(
            "joint",
            [names[place] for place in shown],
            [names[place] for place in shown],
            (station.joint / station.n_agents)[np.ix_(shown, shown)],
            label=f"Table of agents by their choice under Gumbel-max and by inverting the distribution; "
            f"{percent(station.agreement)} are on the diagonal.",
            row_title="Gumbel-max",
            column_title="inverse distribution",
            text=share,
        ),
        table="joint",
    )


def _switch_figure(station: TwoSamplingsStation, name: str, table: IntArray, needless: int, better: str) -> Figure:
    shown, names = _shown(station), display_names(station.alternatives)
    parts = table / station.n_agents
    np.fill_diagonal(parts, np.nan)
    parts[(table == 0)] = np.nan
    how = {"coherent": "Gumbel-max", "inverse": "inverse distribution"}[name]
    moved = 1 - float(np.trace(table)) / station.n_agents
    finding = (
        f"{how}: {percent(moved)} switch, all of them to {better}"
        if needless == 0
        else f"{how}: {percent(moved)} switch, {percent(needless / station.n_agents)} to something other than {better}"
    )
    return Figure(
        name=f"switching-{name}",
        finding=finding[:1].upper() + finding[1:],
        note="% of agents, by choice before (rows) and after (columns); those who stay are left out",
        svg=draw_heatmap(
            f"switching-{name}",
            [names[place] for place in shown],
            [names[place] for place in shown],
            parts[np.ix_(shown, shown)],
            label=f"Table of agents who switch, by choice before and after. {finding}.",
            row_title="before",
            column_title="after",
            text=share,
        ),
        table=f"{name}-counts",
    )


def _folded(station: TwoSamplingsStation, name: str, caption: str, table: IntArray) -> Block:
    return Details(summary=caption, blocks=(_count_table(station, name, caption, table),))


def _count_table(station: TwoSamplingsStation, name: str, caption: str, table: IntArray) -> Block:
    names = display_names(station.alternatives)
    rows = [
        (names[place], [*(count(number_) for number_ in table[place]), count(table[place].sum())])
        for place in range(len(names))
    ]
    totals = [*(count(number_) for number_ in table.sum(axis=0)), count(table.sum())]
    identifier = name if name == "joint" else f"{name}-counts"
    return number_table(
        identifier, caption, "Gumbel-max" if name == "joint" else "before", [*rows, ("all", totals)],
        (*names, "all"), strong=len(rows),
    )  # fmt: skip
