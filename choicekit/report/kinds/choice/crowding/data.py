"""What `capacity:` found, for files: tables and entries of ``summary.json``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from choicekit.report.kinds.choice.crowding.view import CaseView, crowding_of
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.scenario.choice.capacity import CapacityCase

__all__ = ["CROWDING_KEYS", "alternatives_frame", "crowding_summary", "crowding_tables", "groups_frame"]

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
    "capacity.<case>.worth.unlimited": "what a policy is worth on average if everybody fitted in, in units of utility",
    "capacity.<case>.worth.priced": "the same with prices in both cases, or null",
    "capacity.<case>.worth.refunded": "the same where what is paid is given back, or null",
    "capacity.<case>.worth.rationed": "the same under rationing in both cases, or null",
    "capacity.<case>.worth.rationed_error": "its standard error over common draws, or null",
}
"""Keys of ``summary.json`` that `capacity:` adds, and what they mean."""

_WORTH = ("unlimited", "priced", "refunded", "rationed", "rationed_error")


def alternatives_frame(case: CapacityCase) -> pd.DataFrame:
    """Return a line an alternative, of both regimes."""
    frames = [] if case.prices is None else [case.prices.to_frame().drop(columns="full")]
    if case.rationed is not None:
        rationed = case.rationed.to_frame()
        frames.append(rationed if not frames else rationed.drop(columns=["alternative", "capacity"]))
    return pd.concat(frames, axis=1)


def groups_frame(case: CapacityCase) -> pd.DataFrame:
    """Return a line a group, of both regimes."""
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
    """Return tables by file name; none where nobody asked."""
    crowding = crowding_of(view)
    if crowding is None:
        return {}
    both = {"capacity": alternatives_frame, "capacity_groups": groups_frame}
    tables = {
        name: pd.concat([make(each.case).assign(case=each.key) for each in crowding.cases], ignore_index=True).replace(
            {np.inf: np.nan}
        )
        for name, make in both.items()
    }
    steps = [
        pd.DataFrame({"case": each.key, "step": np.arange(len(history)), "largest_error": history})
        for each in crowding.cases
        if each.case.prices is not None
        for history in [each.case.prices.history]
    ]
    if steps:
        tables["capacity_convergence"] = pd.concat(steps, ignore_index=True)
    if len(crowding.cases) > 1:
        tables["capacity_policies"] = pd.DataFrame([_policy(each) for each in crowding.cases[1:]])
    return tables


def _policy(each: CaseView) -> dict[str, object]:
    change, error = each.displaced_change
    worth = {f"worth_{name}": getattr(each.worth, name) for name in _WORTH}
    return {"policy": each.key, "displaced_change": change, "displaced_change_error": error, **worth}


def crowding_summary(view: ChoiceView) -> dict[str, Any]:
    """Return what `capacity` says in ``summary.json``; nothing where nobody asked."""
    crowding = crowding_of(view)
    if crowding is None:
        return {}
    return {"capacity": {each.key: _told(each, crowding.found.plan.money) for each in crowding.cases}}


def _told(each: CaseView, money: float | None) -> dict[str, Any]:
    told: dict[str, Any] = {}
    case = each.case
    if case.prices is not None and case.incidence is not None:
        prices, burden = case.prices, case.incidence.to_frame().iloc[0]
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
    if each.worth is not None:
        told["worth"] = {name: float(getattr(each.worth, name)) for name in _WORTH}
    return told
