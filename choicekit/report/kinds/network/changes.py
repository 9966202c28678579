"""What if: species lost one after another, and policies."""

from __future__ import annotations

import numpy as np
import pandas as pd

from choicekit.networks.extinctions import ORDERS, ExtinctionCurve
from choicekit.networks.metrics import METRICS
from choicekit.networks.what_if import CommunityChange
from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.style import marks_for
from choicekit.report.kinds.network.view import NetworkView, records
from choicekit.report.kinds.network.words import metric_text
from choicekit.report.numbers import NOTHING, fixed, percent
from choicekit.report.text import capitalise, clean, slug

__all__ = ["losses_section", "policies_section"]

_EACH = 5
_SHOWN = 0.05  # visits: smaller changes round to nothing
_MOST_MASSES = 60


def losses_section(view: NetworkView) -> tuple[Section, ...]:
    """Curves of partners left, links staying as they are and rewired."""
    curves, settings = view.outcome.curves, view.study.losses
    if not curves or settings is None:
        return ()
    lost, partners = view.side(settings.side), view.side("column" if settings.side == "row" else "row")
    drawn, rows = _drawn(view, settings.side), [_robustness(found) for found in curves]
    worst = min(curves, key=lambda found: found.robustness)
    finding = (
        f"Losing {lost} by {worst.order} hurts most: robustness {fixed(worst.robustness, 3)} of 1"
        if worst.order in ORDERS
        else f"The order given has robustness {fixed(worst.robustness, 3)} of 1"
    )
    links = "stay as they were seen" if view.outcome.metrics is not None else "are pairs expected to meet at least once"
    policy = "gone from both sides" if settings.masses == "removed" else f"redistributed among the {lost} left"
    blocks: tuple[Block, ...] = (
        Prose(
            f"Solid: links {links}, and a species of {partners} is lost with its last one. Dashed: "
            f"after each loss {view.visits} follow the coupling of what is left, and {partners} are counted as left "
            f"while they still have any. {capitalise(view.visits)} of species that are lost are {policy}."
        ),
        Figure(
            name="extinctions",
            finding=finding,
            note=f"{partners} left as {lost} are lost; random: the exact mean, with 95 of 100 orders as a band",
            svg=draw_curves(
                "extinctions",
                drawn,
                label=f"Extinction curves. {finding}.",
                x=Axis(title=f"{lost} lost, %"),
                y=Axis(title=f"{partners} left, %", limits=(0.0, 103.0)),
            ),
            table="robustness",
        ),
        Table(
            name="robustness",
            caption="Robustness: area below the curve, 0 to 1",
            columns=(
                Column(title="order", numeric=False),
                Column(title="links as they are"),
                Column(title="rewired"),
            ),
            rows=tuple(rows),
            note="Every step is in tables/extinctions.csv.",
        ),
    )
    return (Section(key="extinctions", title=f"As {lost} are lost", blocks=blocks),)


def _drawn(view: NetworkView, side: str) -> list[Curve]:
    drawn, curves = [], view.outcome.curves
    for found, mark in zip(curves, marks_for([str(place) for place in range(len(curves))]), strict=True):
        x = np.linspace(0.0, 100.0, found.static.size) * (found.static.size - 1) / _all(view, side)
        band = None
        if found.lower is not None and found.upper is not None:
            band = (x, 100 * found.lower, 100 * found.upper)
        drawn.append(Curve(name=found.order, x=x, y=100 * found.static, mark=mark, band=band))
        if found.rewired is not None:
            drawn.append(Curve(name="", x=x, y=100 * found.rewired, mark=mark, style="dashed"))
    return drawn


def _robustness(found: ExtinctionCurve) -> tuple[Cell, ...]:
    rewired = found.rewired_robustness
    return (
        Cell(text=capitalise(found.order), below=ORDERS.get(found.order, ", ".join(map(clean, found.species)))),
        Cell(text=fixed(found.robustness, 4), style="strong"),
        Cell(text=metric_text(rewired) if np.isfinite(rewired) else NOTHING),
    )


def _all(view: NetworkView, side: str) -> int:
    return max(int(np.count_nonzero(view.counts.sum(axis=1 if side == "row" else 0))), 1)


def policies_section(view: NetworkView) -> tuple[Section, ...]:
    """Each policy: who gains and loses, what becomes of metrics, and the masses that were used."""
    if not view.outcome.changes:
        return ()
    blocks: list[Block] = []
    taken: list[str] = []
    for name, change in view.outcome.changes.items():
        key = slug(clean(name), taken)
        taken.append(key)
        policy = view.study.policies[name]
        blocks.append(Heading(clean(name)))
        if policy.description:
            blocks.append(Prose(clean(policy.description)))
        blocks += [_gainers(view, key, change), _metrics(view, key, change)]
        blocks.append(Details(summary="Masses that were used, before and after", blocks=(_masses(view, key, change),)))
    return (Section(key="what-if", title="What if", blocks=tuple(blocks)),)


def _gainers(view: NetworkView, key: str, change: CommunityChange) -> Figure:
    table = change.species()
    amounts = []
    for side in ("column", "row"):
        own = table[table["side"] == side].sort_values("change", kind="stable")
        own = own[own["change"].abs() >= _SHOWN]
        shown = own if len(own) <= 2 * _EACH else pd.concat([own.head(_EACH), own.tail(_EACH)])
        for place, one in enumerate(records(shown.iloc[::-1])):
            gone = " (gone)" if one.after == 0 else ""
            amounts.append(
                Amount(
                    name=clean(one.species),
                    value=float(one.change),
                    text=f"{fixed(float(one.change), 1, signed=True)}{gone}",
                    heading=view.side(side) if place == 0 else "",
                )
            )
    if not amounts:
        amounts.append(Amount(name="all species", value=0.0, text="no change"))
    left = table[table["after"] > 0]
    order = np.argsort(left["change"].to_numpy(), kind="stable")
    best, worst = left.iloc[int(order[-1])], left.iloc[int(order[0])]
    if best["change"] >= _SHOWN:
        finding = f"{clean(best['species'])} gains most, {fixed(float(best['change']), 1)} {view.visits}"
        if worst["change"] <= -_SHOWN:
            finding += f"; {clean(worst['species'])} loses most, {fixed(-float(worst['change']), 1)}"
    elif worst["change"] <= -_SHOWN:
        finding = (
            f"{clean(worst['species'])} loses most of those left, {fixed(-float(worst['change']), 1)} {view.visits}"
        )
    else:
        finding = f"Nobody's sum of {view.visits} changes: only who meets whom does"
    return Figure(
        name=f"species-{key}",
        finding=finding,
        note=f"expected {view.visits} of a species, after less before; the {_EACH} largest gains and losses of a side",
        svg=draw_amounts(
            f"species-{key}", amounts, label=f"Gainers and losers. {finding}.", axis=f"change in {view.visits}"
        ),
        table=f"metrics-{key}",
    )


def _metrics(view: NetworkView, key: str, change: CommunityChange) -> Table:
    rows = []
    for one in records(change.metrics()):
        if not np.isfinite(one.change):
            continue
        sure = one.lower > 0 or one.upper < 0
        rows.append(
            (
                Cell(text=capitalise(METRICS[str(one.metric)])),
                Cell(text=metric_text(one.before)),
                Cell(text=metric_text(one.after)),
                Cell(
                    text=("" if one.change < 0 else "+") + metric_text(one.change).replace("-", "−"),
                    style="strong" if sure else "",
                ),
                Cell(text=f"{metric_text(one.lower)} to {metric_text(one.upper)}"),
            )
        )
    n = len(next(iter(change.metrics_before.values())))
    heads = ["metric", "before", "after", "change", "95 % interval"]
    total = percent(change.after.total / change.before.total)
    return Table(
        name=f"metrics-{key}",
        caption=f"Metrics of sampled webs; {total} of {view.visits} are left",
        columns=tuple(Column(title=head, numeric=place > 0) for place, head in enumerate(heads)),
        rows=tuple(rows),
        note=f"Means over {n} webs sampled before and after by common draws; bold: the interval leaves out 0.",
    )


def _masses(view: NetworkView, key: str, change: CommunityChange) -> Table:
    keys = ["side", "species"]
    before, after = (part.masses_used()[[*keys, "mass"]] for part in (change.before, change.after))
    both = before.merge(after, on=keys, how="outer", suffixes=("_before", "_after"), sort=False)
    both = both.sort_values("mass_before", ascending=False, kind="stable").head(_MOST_MASSES)
    rows = [
        (
            Cell(text=clean(one.species)),
            Cell(text=view.side(str(one.side))),
            Cell(text=fixed(one.mass_before, 2) if np.isfinite(one.mass_before) else NOTHING),
            Cell(text=fixed(one.mass_after, 2) if np.isfinite(one.mass_after) else NOTHING),
        )
        for one in records(both)
    ]
    return Table(
        name=f"masses-{key}",
        caption=f"{capitalise(view.visits)} that the coupling meets",
        columns=(
            Column(title="species", numeric=False),
            Column(title="side", numeric=False),
            Column(title="before"),
            Column(title="after"),
        ),
        rows=tuple(rows),
        note="Nothing: not there, or left free by the ensemble. All are in tables/masses.csv.",
    )
