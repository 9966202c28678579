"""What policies are worth where not everybody fits in."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Figure, Heading, Prose, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.kinds.choice.crowding.view import CaseView, CrowdingView, Worth, half_width
from choicekit.report.kinds.choice.crowding.words import amount, with_error
from choicekit.report.numbers import NOTHING, THIN, fixed, percent, points
from choicekit.report.text import capitalise, in_sentence

__all__ = ["policy_blocks"]

_MOST_POLICIES = 8


def policy_blocks(view: CrowdingView) -> list[Block]:
    """Return what is said of policies; nothing where there are none."""
    policies = [(each, each.worth) for each in view.cases[1:] if each.worth is not None]
    if not policies:
        return []
    blocks: list[Block] = [Heading("Policies, where not everybody fits in"), Prose(_prose(view))]
    blocks.append(_worths(view, policies[:_MOST_POLICIES]))
    return [*blocks, _table(view)]


def _prose(view: CrowdingView) -> str:
    said = [f"Each policy is compared with the baseline under the same regime, per {view.each} on average."]
    if view.priced:
        said.append("With prices, differences are expected ones and exact for this population and these coefficients.")
    if view.rationed:
        said.append(
            "Under rationing, both cases have the same draws and the same lottery; intervals are those of their "
            "differences."
        )
    said.append("What a policy costs those who run it is not counted.")
    return " ".join(said)


def _worths(view: CrowdingView, policies: list[tuple[CaseView, Worth]]) -> Figure:
    amounts = []
    for each, worth in policies:
        heading = each.name
        lines = [("if everybody fitted in", worth.unlimited, 0.0)]
        if view.priced:
            lines += [("prices", worth.priced, 0.0), ("prices, given back", worth.refunded, 0.0)]
        if np.isfinite(worth.rationed):
            lines.append(("rationing", worth.rationed, worth.rationed_error))
        for name, value, error in lines:
            text = with_error(view, value, error)
            amounts.append(Amount(name=name, value=view.factor * value, text=text, heading=heading))
            heading = ""
    finding = _finding(view, policies)
    return Figure(
        name="capacity-worth",
        finding=finding,
        note=f"change in welfare per {view.each} against the baseline under the same regime; ± half a 95{THIN}% "
        "interval",
        svg=draw_amounts(
            "capacity-worth",
            amounts,
            label=f"What policies are worth. {finding}.",
            axis=f"change in welfare, {view.unit} per {view.each}",
        ),
        table="capacity_policies",
    )


def _finding(view: CrowdingView, policies: list[tuple[CaseView, Worth]]) -> str:
    measure = "rationed" if all(np.isfinite(worth.rationed) for _, worth in policies) else "priced"
    if not all(np.isfinite(getattr(worth, measure)) for _, worth in policies):
        measure = "unlimited"
    regime = {"rationed": "under rationing", "priced": "with prices", "unlimited": "if everybody fitted in"}[measure]
    best, worth = max(policies, key=lambda pair: float(getattr(pair[1], measure)))
    value = float(getattr(worth, measure))
    if len(policies) > 1:
        return f"{capitalise(in_sentence(best.name))} helps most {regime}: {amount(view, value, signed=True)}"
    return f"{capitalise(in_sentence(best.name))} is worth {amount(view, value, signed=True)} {regime}"


def _table(view: CrowdingView) -> Table:
    rows = []
    for each in view.cases:
        cells, worth = [Cell(text=each.name)], each.worth
        if each.case.prices is not None and each.case.incidence is not None:
            burden = each.case.incidence.to_frame().iloc[0]
            cells += [
                Cell(text=fixed(view.factor * float(each.case.prices.price.max()), view.decimals)),
                Cell(text=percent(burden["displaced_share"])),
                _worth_cell(view, None if worth is None else worth.priced, 0.0),
            ]
        if each.case.rationed is not None:
            change, error = each.displaced_change
            aside = "" if worth is None else points(change, signed=True)
            if error > 0:
                aside += f" ± {fixed(100 * half_width(error), 1)}"
            cells += [
                Cell(text=percent(each.case.rationed.displaced_share), aside=aside),
                _worth_cell(
                    view, None if worth is None else worth.rationed, 0.0 if worth is None else worth.rationed_error
                ),
            ]
        rows.append(tuple(cells))
    heads = ["case"]
    heads += [f"highest price, {view.unit}", "displaced by prices", f"worth, {view.unit}"] if view.priced else []
    heads += ["displaced by rationing", f"worth, {view.unit}"] if view.rationed else []
    return Table(
        name="capacity-policies",
        caption="Policies under limits",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"Beside shares: percentage points against the baseline. ± half a 95{THIN}% interval of differences over "
        f"common draws. Groups are in tables/capacity_groups.csv.",
    )


def _worth_cell(view: CrowdingView, value: float | None, error: float) -> Cell:
    if value is None or not np.isfinite(value):
        return Cell(text=NOTHING, style="none")
    aside = f"± {fixed(view.factor * half_width(error), view.decimals)}" if error > 0 else ""
    return Cell(text=fixed(view.factor * value, view.decimals, signed=True), aside=aside)
