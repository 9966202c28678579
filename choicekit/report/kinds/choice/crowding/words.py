"""Who fits in, in sentences."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Fact
from choicekit.report.kinds.choice.crowding.view import CaseView, CrowdingView, half_width
from choicekit.report.numbers import THIN, fixed, percent
from choicekit.report.text import capitalise, display_names, in_sentence, join_words

__all__ = ["amount", "crowding_facts", "crowding_lead", "crowding_verdict", "policy_sentence", "with_error"]

_MOST_NAMED = 4
_MOST_POLICIES = 2


def amount(view: CrowdingView, utility: float, *, signed: bool = False) -> str:
    """Write a sum of utility with its unit, in money where it has a value there."""
    return f"{fixed(view.factor * utility, view.decimals, signed=signed)}\u00a0{in_sentence(view.unit)}"


def with_error(view: CrowdingView, utility: float, error: float, *, signed: bool = True) -> str:
    """Write a sum of utility and half its 95 % interval, without the unit."""
    text = fixed(view.factor * utility, view.decimals, signed=signed)
    return text if not error > 0 else f"{text} ± {fixed(view.factor * half_width(error), view.decimals)}"


def crowding_verdict(view: CrowdingView) -> str:
    """State who fits in, and what that takes."""
    each = view.baseline
    limited = _limited(each)
    if not each.full and not _displaced(each) > 0:
        return "Everybody fits in: no alternative is full"
    costs = []
    if each.full and each.case.prices is not None:
        dearest = int(np.argmax(each.case.prices.price))
        name = in_sentence(view.names[each.case.prices.alternatives[dearest]])
        price = amount(view, float(each.case.prices.price[dearest]))
        costs.append(f"{name} would have to cost {price} more")
    if each.case.rationed is not None:
        costs.append(f"{percent(each.case.rationed.displaced_share)} of {view.who} miss their first choice")
    if len(each.full) == 1:
        # named once: by its price where there is one
        head = f"One of {limited} limited alternatives is full" if limited > 1 else "Not everybody fits in"
    else:
        head = f"{len(each.full)} of {limited} limited alternatives are full" if each.full else "Not everybody fits in"
    return f"{head}: {', or '.join(costs)}"


def _limited(each: CaseView) -> int:
    of = each.case.prices or each.case.rationed
    return 0 if of is None else int(np.isfinite(of.capacity).sum())


def _displaced(each: CaseView) -> float:
    return 0.0 if each.case.rationed is None else each.case.rationed.displaced_share


def crowding_facts(view: CrowdingView) -> tuple[Fact, ...]:
    """Return entries for the strip below the lead."""
    limited = _limited(view.baseline)
    return (Fact(name="full", value=f"{len(view.baseline.full)} of {limited} limited"),)


def crowding_lead(view: CrowdingView) -> str:
    """Say what full alternatives cost whom, in a paragraph that can be quoted."""
    said = [*_prices(view), *_rationing(view)]
    policies = [each for each in view.cases[1:] if each.worth is not None]
    said += [policy_sentence(view, each) for each in policies[:_MOST_POLICIES]]
    return " ".join(said)


def _prices(view: CrowdingView) -> list[str]:
    case = view.baseline.case
    if case.prices is None or case.incidence is None:
        return []
    if not view.baseline.full:
        return ["Expected demand fits in everywhere: all prices are 0."]
    burden = case.incidence.to_frame().iloc[0]
    full = [in_sentence(view.names[case.prices.alternatives[place]]) for place in view.baseline.full]
    named = join_words(full) if len(full) <= _MOST_NAMED else f"{len(full)} full alternatives"
    return [
        f"Prices at which expected demand for {named} meets capacity cost {amount(view, float(burden['mean_loss']))} "
        f"per {view.each} on average. Of this {amount(view, float(burden['mean_paid']))} is paid, and could be given "
        f"back; {amount(view, float(burden['net_loss']))} is lost by going elsewhere."
    ]


def _rationing(view: CrowdingView) -> list[str]:
    found = view.baseline.case.rationed
    if found is None:
        return []
    order = "lottery" if found.priority is None else f"{in_sentence(display_names([found.priority])[0])}, then lottery"
    everybody = found.by_group().iloc[0]
    aside = f" ± {fixed(100 * half_width(everybody['displaced_error']), 1)}" if found.replications > 1 else ""
    text = f"Rationing by {order} keeps {fixed(100 * found.displaced_share, 1)}{aside}{THIN}% of {view.who} from their "
    text += "first choice"
    if np.isfinite(found.mean_loss):
        loss = with_error(view, found.mean_loss, everybody["loss_error"], signed=False)
        text += f" and costs {loss}\u00a0{in_sentence(view.unit)} per {view.each} on average"
    stranded = float(found.stranded[:, 0].mean() / found.weight[0])
    if stranded > 0:
        text += f"; {percent(stranded)} are left with nothing"
    return [f"{text}."]


def policy_sentence(view: CrowdingView, each: CaseView) -> str:
    """Say what a policy is worth where not everybody fits in."""
    worth = each.worth
    if worth is None:
        raise TypeError("the baseline is not compared with itself")
    parts = []
    if np.isfinite(worth.priced):
        parts.append(
            f"{amount(view, worth.priced, signed=True)} with prices ({amount(view, worth.refunded, signed=True)} where "
            "what is paid is given back)"
        )
    if np.isfinite(worth.rationed):
        told = with_error(view, worth.rationed, worth.rationed_error)
        parts.append(f"{told}\u00a0{in_sentence(view.unit)} under rationing")
    nothing = fixed(view.factor * worth.unlimited, view.decimals) in (f"{0:.{view.decimals}f}", "0")
    free = "nothing" if nothing else amount(view, worth.unlimited, signed=True)
    free += " if everybody fitted in"
    if not parts:
        return f"{capitalise(in_sentence(each.name))} would be worth {free}."
    return f"{capitalise(in_sentence(each.name))} is worth {' and '.join(parts)} per {view.each}; it would be {free}."
