"""The headline numbers of a choice study, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; shares are fractions, not percentages; null is what
is not known:

"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from choicekit.report.kinds.choice.calibration import CALIBRATION_KEYS, calibration_summary
from choicekit.report.kinds.choice.comparison.summary import POLICY_KEYS
from choicekit.report.kinds.choice.crowding import CROWDING_KEYS, crowding_summary
from choicekit.report.kinds.choice.familiarity import FAMILIARITY_KEYS, familiarity_summary
from choicekit.report.kinds.choice.records import group_records
from choicekit.report.kinds.choice.rules import NEST_KEYS, nest_summary, rule_settings
from choicekit.report.kinds.choice.types import TYPE_KEYS, type_summary
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.summary import listed, summary_keys, summary_of

__all__ = ["SCHEMA_VERSION", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 2
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

_SHARES = {
    "expected_share": "mean choice probability, exact given the model",
    "simulated_share": "mean simulated share over replications",
    "standard_error": "standard error of the simulated share",
    "lower": "lower end of its 95 % simulation interval",
    "upper": "upper end of its 95 % simulation interval",
    "observed_share": "share among the choices the data report, or null",
}

_OWN = {
    "agents": "number of different agents",
    "rows": "agents times their situations",
    "idle_rows": "rows with nothing available",
    "weighted": "whether shares and inclusive values are weighted",
    "replications": "number of simulated repetitions",
    "sampling": "how choices are drawn: coherent or fast",
    "seed": "seed of the draws",
    "draw_scheme": "version of the mapping from addresses to random numbers",
    "rule.type": "choice rule",
    "rule.temperature": "its temperature, or null where it has none or one a row",
    "rule.settings.<setting>": "each of its settings that is a number or a word",
    **NEST_KEYS,
    "inclusive_value.mean": "mean inclusive value of the rows that choose",
    "inclusive_value.unit": "its unit",
    **{f"shares.<alternative>.{key}": text for key, text in _SHARES.items()},
    "shares.<alternative>.available": "share of the rows that choose, unweighted, to which it is available",
    **{
        f"shares_unweighted.<alternative>.{key}": f"{text}; only where agents carry weights"
        for key, text in _SHARES.items()
    },
    "segments.<segment>.<group>.rows": "rows of the group that choose",
    "segments.<segment>.<group>.idle_rows": "rows of the group with nothing available",
    "segments.<segment>.<group>.inclusive_value": "mean inclusive value of the group",
    **{f"segments.<segment>.<group>.shares.<alternative>.{key}": text for key, text in _SHARES.items()},
    **TYPE_KEYS,
    **CALIBRATION_KEYS,
    **FAMILIARITY_KEYS,
    **CROWDING_KEYS,
    **POLICY_KEYS,
}

SUMMARY_KEYS = summary_keys("choice", _OWN)
"""Every key of ``summary.json`` and what it means."""

__doc__ = f"{__doc__}{listed(SUMMARY_KEYS)}"


def summarise(view: ChoiceView, finding: str, policies: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Collect the headline numbers, under the keys of `SUMMARY_KEYS` and in their order.

    Parameters
    ----------
    view : ChoiceView
    finding : str
        Title of the report.
    policies : mapping, optional
        What is said of each policy.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    result, outcome, shares = view.result, view.outcome, _shares(view)
    own: dict[str, Any] = {
        "agents": outcome.n_agents,
        "rows": outcome.n_rows,
        "idle_rows": outcome.n_idle,
        "weighted": outcome.weighted,
        "replications": outcome.replications,
        "sampling": outcome.sampling,
        "seed": outcome.seed,
        "draw_scheme": result.provenance.draw_scheme,
        "rule": _rule(view),
        "inclusive_value": {"mean": outcome.inclusive_value, "unit": view.unit} | _value_error(view),
        "shares": _with_availability(shares[0], view),
    }
    if outcome.weighted:
        own["shares_unweighted"] = _shares(view, weighted=False)[0]
    own["segments"] = _segments(group_records(view)[1:], shares[1:])
    own |= type_summary(view) | calibration_summary(view) | familiarity_summary(view) | crowding_summary(view)
    if policies:
        own["policies"] = dict(policies)
    return summary_of(result, finding, SCHEMA_VERSION, own)


def _rule(view: ChoiceView) -> dict[str, Any]:
    settings = rule_settings(view.outcome.rule)
    single = {name: value for name, value in settings.items() if not isinstance(value, dict | list)}
    found = {"type": view.rule_name, "temperature": settings.get("temperature"), "settings": single}
    return found | nest_summary(view.rule)


def _shares(view: ChoiceView, *, weighted: bool | None = None) -> list[dict[str, dict[str, Any]]]:
    """Shares of each alternative, by group."""
    frame, n = view.outcome.to_frame(weighted=weighted), len(view.outcome.alternatives)
    columns = [frame[key].tolist() for key in _SHARES]
    records = [dict(zip(_SHARES, values, strict=True)) for values in zip(*columns, strict=True)]
    return [
        dict(zip(view.outcome.alternatives, records[start : start + n], strict=True))
        for start in range(0, len(records), n)
    ]


def _with_availability(shares: dict[str, dict[str, Any]], view: ChoiceView) -> dict[str, dict[str, Any]]:
    integrated = bool(view.outcome.study.types.n_shifts)
    return {
        name: {**found, "available": float(available)} | ({"integration_error": float(error)} if integrated else {})
        for (name, found), available, error in zip(shares.items(), view.available, view.integration[0], strict=True)
    }


def _value_error(view: ChoiceView) -> dict[str, float]:
    if not view.outcome.study.types.n_shifts:
        return {}
    return {"integration_error": float(view.outcome.inclusive_value_error_by_group()[0])}


def _segments(groups: list[dict[str, Any]], shares: list[dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    segments: dict[str, dict[str, Any]] = {}
    for group, found in zip(groups, shares, strict=True):
        described = {key: group[key] for key in ("rows", "idle_rows", "inclusive_value")}
        segments.setdefault(group["segment"], {})[group["group"]] = {**described, "shares": found}
    return segments
