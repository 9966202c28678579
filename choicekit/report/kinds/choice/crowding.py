"""Who fits in where alternatives take only so many: prices against rationing, by segment and policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from choicekit.choice.policies.cases import BASELINE
from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import NOTHING, fixed, percent
from choicekit.report.text import capitalise, clean, join_words
from choicekit.scenario.choice.capacity import CapacityCase, CapacityOutcome

__all__ = ["CROWDING_KEYS", "crowding_section", "crowding_summary", "crowding_tables"]

_MOST_GROUPS = 60
_MOST_ROWS = 60

CROWDING_KEYS = {
    "capacity.<case>.prices.<alternative>.price": "shadow price in units of utility; only where capacity was asked for",
    "capacity.<case>.prices.<alternative>.price_in_money": "the same in money, or null",
    "capacity.<case>.prices.<alternative>.demand": "expected number at these prices",
    "capacity.<case>.prices.<alternative>.unpriced_demand": "expected number without prices",
    "capacity.<case>.prices.<alternative>.capacity": "how many it takes, or null",
    "capacity.<case>.priced_displaced_share": "share that prices keep from full alternatives",
    "capacity.<case>.priced_loss": "mean fall of inclusive values by prices, what is paid included",
    "capacity.<case>.priced_paid": "mean of what is paid, a transfer",
    "capacity.<case>.rationed_displaced_share": "share without their first choice under rationing",
    "capacity.<case>.rationed_stranded_share": "share with nothing under rationing",
    "capacity.<case>.rationed_loss": "mean loss of utility under rationing, or null",
}
"""Keys of ``summary.json`` that `capacity:` adds, and what they mean."""


def crowding_section(view: ChoiceView) -> tuple[Section, ...]:
    """Return the section; none where nobody asked."""
    found: CapacityOutcome | None = view.result.capacity
    if found is None:
        return ()
    case = found.cases[BASELINE]
    blocks: list[Block] = [Prose(_prose(found, case))]
    if case.prices is not None:
        blocks.append(_prices(found, case))
    blocks.append(_alternatives(found, case))
    blocks.append(_groups(found, case))
    if len(found.cases) > 1:
        blocks.append(_cases(found))
    return (Section(key="capacity", title="Who fits in", blocks=tuple(blocks)),)


def _unit(found: CapacityOutcome) -> tuple[float, str]:
    """Return what utilities are multiplied by, and what that is called."""
    if found.plan.money is None:
        return 1.0, "utility"
    return found.plan.money, "money"


def _prose(found: CapacityOutcome, case: CapacityCase) -> str:
    factor, unit = _unit(found)
    said = []
    if case.prices is not None and case.incidence is not None:
        burden = case.incidence.to_frame().iloc[0]
        full = [
            clean(name) for name, price in zip(case.prices.alternatives, case.prices.price, strict=True) if price > 0
        ]
        if not full:
            said.append("Everybody fits in: all prices are 0.")
        else:
            said.append(
                f"Prices make expected demand for {join_words(full)} meet what they take. They cost everybody "
                f"{fixed(factor * burden['mean_loss'], 3)} in {unit} on average, of which "
                f"{fixed(factor * burden['mean_paid'], 3)} is paid and can be given back; the rest, "
                f"{fixed(factor * burden['net_loss'], 3)}, is lost by going elsewhere."
            )
    if case.rationed is not None:
        share = case.rationed.displaced_share
        order = "the lottery" if found.plan.priority is None else f"{clean(found.plan.priority)}, then the lottery"
        text = f"Rationing by {order} keeps {percent(share)} from their first choice"
        loss = case.rationed.mean_loss
        text += f" and costs {fixed(factor * loss, 3)} in {unit} on average." if np.isfinite(loss) else "."
        said.append(text)
    if found.plan.money is not None:
        said.append("Money is utility over minus the cost coefficient of the baseline.")
    return " ".join(said)


def _prices(found: CapacityOutcome, case: CapacityCase) -> Figure:
    prices, (factor, unit) = case.prices, _unit(found)
    if prices is None:
        raise TypeError("prices are drawn where there are some")
    amounts = [
        Amount(name=clean(name), value=factor * float(price), text=fixed(factor * float(price), 2))
        for name, price, limit in zip(prices.alternatives, prices.price, prices.capacity, strict=True)
        if np.isfinite(limit)
    ]
    dearest = int(np.argmax(prices.price))
    finding = "No alternative is full: all prices are 0"
    if prices.price[dearest] > 0:
        finding = (
            f"{capitalise(clean(prices.alternatives[dearest]))} would have to cost "
            f"{fixed(factor * float(prices.price[dearest]), 2)} more in {unit}"
        )
    return Figure(
        name="capacity-prices",
        finding=finding,
        note=f"price at which expected demand meets capacity, in {unit}; 0 where there is room left",
        svg=draw_amounts("capacity-prices", amounts, label=f"Prices of capacities. {finding}.", axis=f"price, {unit}"),
        table="capacity",
    )


def _alternatives(found: CapacityOutcome, case: CapacityCase) -> Table:
    factor, unit = _unit(found)
    frame = _frame(case).head(_MOST_ROWS)
    rows = []
    for place in range(len(frame)):
        one = frame.iloc[place]
        limited = np.isfinite(one["capacity"])
        cells = [
            Cell(text=clean(one["alternative"])),
            Cell(text=fixed(one["capacity"], 0) if limited else NOTHING, style="" if limited else "none"),
        ]
        if case.prices is not None:
            cells += [
                Cell(text=fixed(one["unpriced_demand"], 1)),
                Cell(text=fixed(one["demand"], 1)),
                Cell(text=fixed(factor * one["price"], 3), style="strong" if one["price"] > 0 else ""),
            ]
        if case.rationed is not None:
            cells += [Cell(text=fixed(one["applied"], 1)), Cell(text=fixed(one["taken"], 1))]
        rows.append(tuple(cells))
    heads = ["alternative", "takes"]
    heads += ["expected demand", "at prices", f"price, {unit}"] if case.prices is not None else []
    heads += ["apply under rationing", "get it"] if case.rationed is not None else []
    return Table(
        name="capacity",
        caption="Alternatives and what they take, baseline",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note="Bold: a price above 0, where demand meets capacity. All cases are in tables/capacity.csv.",
    )


def _groups(found: CapacityOutcome, case: CapacityCase) -> Table:
    factor, unit = _unit(found)
    frame = _group_frame(case).head(_MOST_GROUPS)
    rows = []
    for place in range(len(frame)):
        one = frame.iloc[place]
        name = "everybody" if one["segment"] == "all" else clean(one["group"])
        below = "" if one["segment"] == "all" else clean(one["segment"])
        cells = [Cell(text=name, below=below)]
        if case.incidence is not None:
            cells += [
                Cell(text=percent(one["priced_displaced_share"])),
                Cell(text=fixed(factor * one["mean_loss_priced"], 3)),
                Cell(text=fixed(factor * one["mean_paid"], 3)),
            ]
        if case.rationed is not None:
            aside = "" if np.isnan(one["displaced_error"]) else f"± {fixed(196 * one['displaced_error'], 1)}"
            cells += [
                Cell(text=percent(one["displaced_share"]), aside=aside),
                Cell(text=NOTHING if np.isnan(one["mean_loss"]) else fixed(factor * one["mean_loss"], 3)),
                Cell(text=percent(one["stranded_share"])),
            ]
        rows.append(tuple(cells))
    heads = ["who"]
    heads += ["displaced by prices", f"loss, {unit}", "of it paid"] if case.incidence is not None else []
    heads += ["displaced by rationing", f"loss, {unit}", "with nothing"] if case.rationed is not None else []
    return Table(
        name="capacity-groups",
        caption="Who is displaced, and what it costs, baseline",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note="Losses are means over all of a group. Prices: expected. Rationing: means over replications, ± half a "
        "95 % interval.",
    )


def _cases(found: CapacityOutcome) -> Table:
    factor, unit = _unit(found)
    rows = []
    for name, case in found.cases.items():
        cells = [Cell(text=clean(name))]
        if case.prices is not None and case.incidence is not None:
            burden = case.incidence.to_frame().iloc[0]
            cells += [
                Cell(text=fixed(factor * float(case.prices.price.max()), 3)),
                Cell(text=percent(burden["displaced_share"])),
                Cell(text=fixed(factor * burden["mean_loss"], 3)),
                Cell(text=fixed(factor * burden["net_loss"], 3)),
            ]
        if case.rationed is not None:
            loss = case.rationed.mean_loss
            cells += [
                Cell(text=percent(case.rationed.displaced_share)),
                Cell(text=fixed(factor * loss, 3) if np.isfinite(loss) else NOTHING),
            ]
        rows.append(tuple(cells))
    heads = ["case"]
    if found.cases[BASELINE].prices is not None:
        heads += ["highest price", "displaced by prices", f"loss, {unit}", "not paid"]
    if found.cases[BASELINE].rationed is not None:
        heads += ["displaced by rationing", f"loss, {unit}"]
    return Table(
        name="capacity-policies",
        caption="Policies under limits",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"Means over all, in {unit} where they are losses, against the same case without limits.",
    )


def _frame(case: CapacityCase) -> pd.DataFrame:
    frames = [] if case.prices is None else [case.prices.to_frame().drop(columns="full")]
    if case.rationed is not None:
        rationed = case.rationed.to_frame()
        frames.append(rationed if not frames else rationed.drop(columns=["alternative", "capacity"]))
    return pd.concat(frames, axis=1)


def _group_frame(case: CapacityCase) -> pd.DataFrame:
    keys = ["segment", "group", "weight"]
    frames = []
    if case.incidence is not None:
        names = {"displaced_share": "priced_displaced_share", "mean_loss": "mean_loss_priced"}
        frames.append(case.incidence.to_frame().rename(columns=names))
    if case.rationed is not None:
        rationed = case.rationed.by_group()
        frames.append(rationed if not frames else rationed.drop(columns=keys))
    return pd.concat(frames, axis=1)


def crowding_tables(view: ChoiceView) -> dict[str, pd.DataFrame]:
    """Return tables by file name."""
    found: CapacityOutcome | None = view.result.capacity
    if found is None:
        return {}
    both = {"capacity": _frame, "capacity_groups": _group_frame}
    return {
        name: pd.concat([make(case).assign(case=key) for key, case in found.cases.items()], ignore_index=True).replace(
            {np.inf: np.nan}
        )
        for name, make in both.items()
    }


def crowding_summary(view: ChoiceView) -> dict[str, Any]:
    """Return what `capacity` says in ``summary.json``; nothing where nobody asked."""
    found: CapacityOutcome | None = view.result.capacity
    if found is None:
        return {}
    return {"capacity": {name: _told(found, case) for name, case in found.cases.items()}}


def _told(found: CapacityOutcome, case: CapacityCase) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if case.prices is not None and case.incidence is not None:
        money, prices = found.plan.money, case.prices
        burden = case.incidence.to_frame().iloc[0]
        told["prices"] = {
            name: {
                "price": float(prices.price[place]),
                "price_in_money": None if money is None else money * float(prices.price[place]),
                "demand": float(prices.demand[place]),
                "unpriced_demand": float(prices.unpriced_demand[place]),
                "capacity": float(prices.capacity[place]),
            }
            for place, name in enumerate(prices.alternatives)
        }
        told["priced_displaced_share"] = float(burden["displaced_share"])
        told["priced_loss"], told["priced_paid"] = float(burden["mean_loss"]), float(burden["mean_paid"])
    if case.rationed is not None:
        told["rationed_displaced_share"] = case.rationed.displaced_share
        told["rationed_stranded_share"] = float(case.rationed.stranded[:, 0].mean() / case.rationed.weight[0])
        told["rationed_loss"] = case.rationed.mean_loss
    return told
