"""Who is displaced, and what it costs, by group."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Figure, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.kinds.choice.crowding.data import groups_frame
from choicekit.report.kinds.choice.crowding.view import CrowdingView, half_width
from choicekit.report.numbers import NOTHING, THIN, fixed, percent
from choicekit.report.text import clean, in_sentence

__all__ = ["group_blocks"]

_MOST_GROUPS, _MOST_DRAWN = 60, 12


def group_blocks(view: CrowdingView) -> list[Block]:
    """Return a figure, where groups are few enough for one, and a table."""
    blocks: list[Block] = []
    frame = groups_frame(view.baseline.case)
    if 1 < len(frame) <= _MOST_DRAWN:
        blocks.append(_drawn_groups(view))
    return [*blocks, _group_table(view)]


def _drawn_groups(view: CrowdingView) -> Figure:
    """Draw what each group loses; who is displaced, where losses are not known."""
    frame = groups_frame(view.baseline.case)
    known = not view.rationed or bool(np.isfinite(frame["mean_loss"]).all())
    columns = {"mean_loss_priced": "prices", "mean_loss": "rationing"}
    if not known:
        columns = {"priced_displaced_share": "prices", "displaced_share": "rationing"}
    scale, unit = (view.factor, view.unit) if known else (100.0, "%")
    amounts = []
    for place in range(len(frame)):
        one = frame.iloc[place]
        heading = _group_name(one["segment"], one["group"])
        for column, regime in columns.items():
            if column in frame:
                value = scale * float(one[column])
                text = fixed(value, view.decimals if known else 1)
                amounts.append(Amount(name=regime, value=value, text=text, heading=heading))
                heading = ""
    finding = _group_finding(view, [*columns], known=known)
    return Figure(
        name="capacity-groups",
        finding=finding,
        note=("mean loss of everybody in a group; prices: paid money included" if known else "share of each group"),
        svg=draw_amounts(
            "capacity-groups",
            amounts,
            label=f"Groups under both regimes. {finding}.",
            axis=f"loss, {unit} per {view.each}" if known else "displaced, %",
        ),
        table="capacity_groups",
    )


def _group_name(segment: object, group: object) -> str:
    return "everybody" if segment == "all" else f"{clean(segment)}: {clean(group)}"


def _group_finding(view: CrowdingView, columns: list[str], *, known: bool) -> str:
    """Say who loses most under each regime."""
    frame = groups_frame(view.baseline.case)
    groups, said = frame[frame["segment"] != "all"], []
    for column, regime in zip(columns, ("prices", "rationing"), strict=True):
        if column in frame and len(groups) and float(groups[column].max()) > 0:
            one = groups.iloc[int(groups[column].to_numpy().argmax())]
            value = float(one[column])
            told = f"{fixed(view.factor * value, view.decimals)}\u00a0{view.unit}" if known else percent(value)
            said.append(f"{in_sentence(_group_name(one['segment'], one['group']))} under {regime} ({told})")
    if not said:
        return "Nobody loses anything"
    return f"{'Hit' if known else 'Displaced'} hardest: {'; '.join(said)}"


def _group_table(view: CrowdingView) -> Table:
    frame = groups_frame(view.baseline.case).head(_MOST_GROUPS)
    rows = []
    for place in range(len(frame)):
        one = frame.iloc[place]
        everybody = one["segment"] == "all"
        name, below = ("everybody", "") if everybody else (clean(one["group"]), clean(one["segment"]))
        cells = [Cell(text=name, below=below)]
        if view.priced:
            cells += [
                Cell(text=percent(one["priced_displaced_share"])),
                Cell(text=fixed(view.factor * one["mean_loss_priced"], view.decimals)),
                Cell(text=fixed(view.factor * one["mean_paid"], view.decimals)),
            ]
        if view.rationed:
            loss = one["mean_loss"]
            cells += [
                Cell(text=percent(one["displaced_share"]), aside=_half(100 * one["displaced_error"], 1)),
                Cell(
                    text=NOTHING if np.isnan(loss) else fixed(view.factor * loss, view.decimals),
                    aside=_half(view.factor * one["loss_error"], view.decimals),
                ),
                Cell(text=percent(one["stranded_share"])),
            ]
        rows.append(tuple(cells))
    heads = ["who"]
    heads += ["displaced by prices", f"loss, {view.unit}", "of it paid"] if view.priced else []
    heads += ["displaced by rationing", f"loss, {view.unit}", "with nothing"] if view.rationed else []
    return Table(
        name="capacity-groups",
        caption="Who is displaced, and what it costs, baseline",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"Losses are means over all of a group. Prices: expected, and so exact for these {view.base.agents} and "
        f"coefficients. Rationing: means over replications, ± half a 95{THIN}% interval.",
    )


def _half(error: float, decimals: int) -> str:
    return f"± {fixed(half_width(error), decimals)}" if error > 0 else ""
