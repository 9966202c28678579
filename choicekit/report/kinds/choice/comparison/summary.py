"""The headline numbers of a comparison, for programs: what ``summary.json`` says of policies."""

from __future__ import annotations

from typing import Any

import numpy as np

from choicekit.report.kinds.choice.comparison.tables import welfare_records
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView

__all__ = ["POLICY_KEYS", "policy_summary"]

_SHARE = {
    "expected_share": "expected share under the policy, exact given the model",
    "share_change": "its difference to the baseline; the ends of agents_ and parameters_ are of it",
    "simulated_share_change": "mean simulated change, paired on common draws; lower and upper are of it",
    "standard_error": "standard error of the simulated change",
    "lower": "lower end of the 95 % simulation interval of simulated_share_change, which need not include share_change",
    "upper": "its upper end",
    "agents_lower": "lower end of the 95 % interval of the change over resampled agents, or null",
    "agents_upper": "its upper end",
    "parameters_lower": "lower end of the 95 % interval of the change over draws of the coefficients, or null",
    "parameters_upper": "its upper end",
    "variance_reduction": "how many times smaller common draws made the variance of the simulated change, or null",
}

_WORTH = {
    "mean": "mean change in welfare of the rows that choose in both",
    "total": "their total change",
    "median": "their median change",
    "least": "the smallest change",
    "most": "the largest change",
    "gain_share": "share of the rows that are better off",
    "lose_share": "share of the rows that are worse off",
    "unchanged_share": "share of the rows to which nothing changes",
    "mean_gain": "mean change of those who are better off, or null",
    "mean_loss": "mean change of those who are worse off, or null",
    "agents_lower": "lower end of the 95 % interval of the mean over resampled agents, or null",
    "agents_upper": "its upper end",
    "parameters_lower": "lower end of the 95 % interval of the mean over draws of the coefficients, or null",
    "parameters_upper": "its upper end",
}

POLICY_KEYS = {
    "policies.<policy>.description": "what the policy is, may be empty",
    "policies.<policy>.sampling": "how choices are drawn under it: coherent or fast",
    "policies.<policy>.rows": "rows that choose in the baseline and under the policy",
    "policies.<policy>.left_out_rows": "rows that choose in the baseline but not under the policy",
    "policies.<policy>.switched_share": "share of the rows that choose otherwise, simulated",
    "policies.<policy>.moves_most": "alternative whose share it changes most, or null",
    "policies.<policy>.offered": "alternatives that are offered under it",
    **{f"policies.<policy>.shares.<alternative>.{key}": text for key, text in _SHARE.items()},
    "policies.<policy>.welfare.inclusive_value.unit": "unit of the change in inclusive value",
    **{f"policies.<policy>.welfare.inclusive_value.{key}": text for key, text in _WORTH.items()},
    "policies.<policy>.welfare.money.unit": "unit of money; money only where the scenario says what it is worth",
    **{f"policies.<policy>.welfare.money.{key}": text for key, text in _WORTH.items()},
}
"""Keys of ``summary.json`` that a comparison adds, and what they mean."""


def policy_summary(compared: ComparisonView) -> dict[str, Any]:
    """Return what is under ``policies``, by name and with the keys of `POLICY_KEYS`; nan is not yet null."""
    frame, n = compared.frame, len(compared.comparison.alternatives)
    everybody = [record for record in welfare_records(compared) if record.pop("position") == 0]
    worth = {(record["policy"], record["measure"]): record for record in everybody}
    policies = {}
    for policy in compared.policies:
        name = policy.outcome.name
        rows = frame[frame["policy"] == name].head(n).rename(columns={"policy_share": "expected_share"})
        shares = {
            record["alternative"]: {key: _plain(record[key]) for key in _SHARE} for record in rows.to_dict("records")
        }
        if compared.integrated:
            for name_of, error in zip(shares, policy.outcome.share_change_integration_error[0], strict=True):
                shares[name_of]["integration_error"] = _plain(error)
        welfare = {
            measure: {"unit": unit} | {key: worth[name, measure][key] for key in _WORTH}
            for measure, unit in (("inclusive_value", compared.base.unit), ("money", compared.worth_unit))
            if (name, measure) in worth
        }
        policies[name] = _head(compared, policy) | {"shares": shares, "welfare": welfare}
    return policies


def _head(compared: ComparisonView, policy: PolicyView) -> dict[str, Any]:
    names, outcome = compared.comparison.alternatives, policy.outcome
    return {
        "description": outcome.policy.description,
        "sampling": outcome.sampling,
        "rows": int(outcome.rows[0]),
        "left_out_rows": int(outcome.left_out[0]),
        "switched_share": float(outcome.switched_share[0]),
        "moves_most": None if policy.place is None else names[policy.place],
        "offered": [name for name, there in zip(names, policy.offered, strict=True) if there],
    }


def _plain(value: Any) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
