"""The tables of a comparison as files, with every digit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from choicekit.choice.policies.estimates import Replicates
from choicekit.choice.policies.welfare import WelfareChange
from choicekit.report.kinds.choice.comparison.errors import change_means
from choicekit.report.kinds.choice.comparison.view import ComparisonView, FloatArray, PolicyView

__all__ = ["comparison_tables", "uncertainty_table", "welfare_records"]

_WELFARE = (*("mean", "total", "median", "least", "most", "gain", "lose", "unchanged", "mean_gain", "mean_loss"),)
_ENDS = ("agents_lower", "agents_upper", "parameters_lower", "parameters_upper")
_MOST_CONVERGENCE = 100_000  # rows


def comparison_tables(compared: ComparisonView) -> dict[str, pd.DataFrame]:
    """Return tables by file name; only those that have rows."""
    tables = {
        "policies": compared.frame,
        "switching": _switching(compared),
        "welfare": pd.DataFrame(welfare_records(compared)).drop(columns="position"),
        "uncertainty": uncertainty_table(compared),
        "elasticities": _elasticities(compared),
        "diversion": _diversion(compared),
        "convergence_of_changes": _convergence(compared),
    }
    return {name: table for name, table in tables.items() if len(table)}


def _switching(compared: ComparisonView) -> pd.DataFrame:
    """One row for every flow that is not zero, those who stay included; `weight` is that of the rows that make it."""
    alternatives = np.asarray(compared.comparison.alternatives, dtype=object)
    parts = []
    for policy in compared.policies:
        rows, error = policy.outcome.switching, policy.outcome.switching_error
        weight = np.asarray(policy.outcome.weight)
        for group in compared.comparison.groups:
            place = group.position
            origin, target = np.nonzero(rows[place] > 0)
            found = rows[place][origin, target]
            parts.append(
                pd.DataFrame(
                    {
                        "policy": policy.outcome.name,
                        "segment": group.segment,
                        "group": group.label,
                        "from": alternatives[origin],
                        "to": alternatives[target],
                        "weight": found,
                        "share": found / weight[place],
                        "standard_error": error[place][origin, target] / weight[place],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def welfare_records(compared: ComparisonView) -> list[dict[str, Any]]:
    """Return the change in welfare by policy, measure and group, with intervals of the mean."""
    records = []
    for policy in compared.policies:
        for measure, change in _measures(policy):
            ends = {source: _interval(policy, source, measure) for source in ("agents", "parameters")}
            for group in compared.comparison.groups:
                place = group.position
                records.append(
                    {
                        "policy": policy.outcome.name,
                        "segment": group.segment,
                        "group": group.label,
                        "measure": measure,
                        "rows": int(policy.outcome.rows[place]),
                        "position": place,
                    }
                    | {_column(name): float(getattr(change, name)[place]) for name in _WELFARE}
                    | {
                        f"{source}_{side}": float(values[place])
                        for source, pair in ends.items()
                        for side, values in zip(("lower", "upper"), pair, strict=True)
                    }
                )
    return records


def _column(name: str) -> str:
    return f"{name}_share" if name in ("gain", "lose", "unchanged") else name


def _measures(policy: PolicyView) -> list[tuple[str, WelfareChange]]:
    found = [("inclusive_value", policy.outcome.welfare)]
    return found if policy.money is None else [*found, ("money", policy.money)]


def _interval(policy: PolicyView, source: str, measure: str) -> tuple[FloatArray, FloatArray]:
    replicates: Replicates | None = getattr(policy.outcome, source)
    values = None
    if replicates is not None:
        values = replicates.money_change if measure == "money" else replicates.value_change
    if values is None:
        nothing = np.full(np.shape(policy.outcome.weight), np.nan)
        return nothing, nothing
    return Replicates.interval(values)


def uncertainty_table(compared: ComparisonView) -> pd.DataFrame:
    """Return the three errors of every headline quantity, everybody together: one row a quantity."""
    frame, n = compared.frame, len(compared.comparison.alternatives)
    everybody = frame.groupby("policy", sort=False).head(n)
    shares = everybody.rename(
        columns={"share_change": "estimate", "lower": "simulation_lower", "upper": "simulation_upper"}
    ).assign(quantity="share_change")
    means = [
        {"policy": record["policy"], "quantity": f"mean_{record['measure']}_change", "estimate": record["mean"]}
        | {column: record[column] for column in _ENDS}
        for record in welfare_records(compared)
        if record["position"] == 0
    ]
    columns = ["policy", "quantity", "alternative", "estimate", "simulation_lower", "simulation_upper", *_ENDS]
    columns.append("variance_reduction")
    table = pd.concat([shares[columns], pd.DataFrame(means)], ignore_index=True)
    order = {name: place for place, name in enumerate(compared.comparison.policies)}
    return table.sort_values("policy", key=lambda names: names.map(order), kind="stable").astype(
        {"alternative": object}
    )


def _elasticities(compared: ComparisonView) -> pd.DataFrame:
    responses = compared.comparison.responses
    point, arc = responses.point, responses.arc
    records = [
        {
            "attribute": attribute,
            "changed": changed,
            "responding": name,
            "point": point[row, place],
            "arc": arc[row, place],
        }
        for row, (attribute, changed) in enumerate(responses.responses)
        for place, name in enumerate(compared.comparison.alternatives)
        if compared.offered[place]
    ]
    return pd.DataFrame(records)


def _diversion(compared: ComparisonView) -> pd.DataFrame:
    ratios, names = compared.comparison.responses.diversion, compared.comparison.alternatives
    there = np.flatnonzero(compared.offered)
    return pd.DataFrame(
        [
            {"from": names[origin], "to": names[target], "ratio": ratios[origin, target]}
            for origin in there
            for target in there
            if origin != target
        ]
    )


def _convergence(compared: ComparisonView) -> pd.DataFrame:
    """Follow the running mean of the share that each policy changes most."""
    parts, left = [], _MOST_CONVERGENCE
    for policy in compared.ranked:
        if policy.place is None or left < compared.base.outcome.replications:
            continue
        changes, mean, half = change_means(policy, policy.place)
        left -= len(changes)
        parts.append(
            pd.DataFrame(
                {
                    "policy": policy.outcome.name,
                    "alternative": compared.comparison.alternatives[policy.place],
                    "replications": np.arange(1, len(changes) + 1),
                    "simulated_share_change": changes,
                    "running_mean": mean,
                    "lower": mean - half,
                    "upper": mean + half,
                    "share_change": policy.effect,
                }
            )
        )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
