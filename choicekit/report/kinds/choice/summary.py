"""The headline numbers of a choice study, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; shares are fractions, not percentages; null is what
is not known:

"""

from __future__ import annotations

from typing import Any

from choicekit.report.kinds.choice.view import ChoiceView

__all__ = ["SCHEMA_VERSION", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 1
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

_SHARES = {
    "expected": "mean choice probability, exact given the model",
    "simulated": "mean simulated share over replications",
    "standard_error": "standard error of the simulated share",
    "lower": "lower end of its 95 % simulation interval",
    "upper": "upper end of its 95 % simulation interval",
    "observed": "share among the choices the data report, or null",
}

SUMMARY_KEYS = {
    "schema_version": "version of this table of keys",
    "kind": "kind of study: choice",
    "name": "name of the scenario",
    "title": "title of the scenario, may be empty",
    "finding": "the headline of the report",
    "passed": "whether every check holds",
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
    "inclusive_value.mean": "mean inclusive value of the rows that choose",
    "inclusive_value.unit": "its unit",
    **{f"shares.<alternative>.{key}": text for key, text in _SHARES.items()},
    "shares.<alternative>.available": "share of the rows that choose to which the alternative is available",
    **{
        f"shares_unweighted.<alternative>.{key}": f"{text}; only where agents carry weights"
        for key, text in _SHARES.items()
    },
    "segments.<segment>.<group>.rows": "rows of the group that choose",
    "segments.<segment>.<group>.idle_rows": "rows of the group with nothing available",
    "segments.<segment>.<group>.inclusive_value": "mean inclusive value of the group",
    **{f"segments.<segment>.<group>.shares.<alternative>.{key}": text for key, text in _SHARES.items()},
    "checks.<check>.title": "what must hold",
    "checks.<check>.measure": "how it was measured",
    "checks.<check>.value": "what was found",
    "checks.<check>.relation": "how value must stand to limit: <= or >=",
    "checks.<check>.limit": "what is allowed",
    "checks.<check>.passed": "whether it holds",
    "warnings": "things allowed but probably not meant",
    "versions.<package>": "version of a package the study ran with",
}
"""Every key of ``summary.json`` and what it means."""

__doc__ = f"{__doc__}{chr(10).join(f'{key}: {text}' for key, text in SUMMARY_KEYS.items())}"


def summarise(view: ChoiceView, finding: str) -> dict[str, Any]:
    """Collect the headline numbers, under the keys of `SUMMARY_KEYS` and in their order.

    Parameters
    ----------
    view : ChoiceView
    finding : str
        Title of the report.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    result, outcome = view.result, view.outcome
    summary: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": result.kind,
        "name": result.name,
        "title": result.title,
        "finding": finding,
        "passed": result.passed,
        "agents": outcome.n_agents,
        "rows": outcome.n_rows,
        "idle_rows": outcome.n_idle,
        "weighted": outcome.weighted,
        "replications": outcome.replications,
        "sampling": outcome.sampling,
        "seed": outcome.seed,
        "draw_scheme": result.provenance.draw_scheme,
        "rule": _rule(view),
        "inclusive_value": {"mean": outcome.inclusive_value, "unit": view.unit},
        "shares": _available_shares(view),
    }
    if outcome.weighted:
        summary["shares_unweighted"] = _shares(view, weighted=False)[0]
    summary |= {
        "segments": _segments(view),
        "checks": _checks(view),
        "warnings": list(result.warnings),
        "versions": dict(result.provenance.versions),
    }
    return summary


def _rule(view: ChoiceView) -> dict[str, Any]:
    rule = view.result.scenario.get("rule")
    name = rule.get("type") if isinstance(rule, dict) else None
    temperature = getattr(view.outcome.rule, "temperature", None)
    number = float(temperature) if isinstance(temperature, int | float) else None
    return {"type": name or type(view.outcome.rule).__name__.lower(), "temperature": number}


def _shares(view: ChoiceView, *, weighted: bool | None = None) -> list[dict[str, dict[str, float]]]:
    """Shares of each alternative, by group."""
    outcome = view.outcome
    estimate = outcome.estimate_by_group(weighted=weighted)
    arrays = (
        outcome.expected_by_group(weighted=weighted),
        estimate.share,
        estimate.standard_error,
        estimate.lower,
        estimate.upper,
        outcome.observed_by_group(weighted=weighted),
    )
    return [
        {
            name: {key: float(array[group.position, place]) for key, array in zip(_SHARES, arrays, strict=True)}
            for place, name in enumerate(outcome.alternatives)
        }
        for group in outcome.groups
    ]


def _available_shares(view: ChoiceView) -> dict[str, dict[str, float]]:
    shares = _shares(view)[0]
    for name, available in zip(shares, view.available, strict=True):
        shares[name]["available"] = float(available)
    return shares


def _segments(view: ChoiceView) -> dict[str, dict[str, Any]]:
    outcome, shares = view.outcome, _shares(view)
    segments: dict[str, dict[str, Any]] = {}
    for group in outcome.groups[1:]:
        segments.setdefault(group.segment, {})[group.label] = {
            "rows": int(outcome.tally.rows[group.position]),
            "idle_rows": int(outcome.tally.idle[group.position]),
            "inclusive_value": float(view.value[group.position]),
            "shares": shares[group.position],
        }
    return segments


def _checks(view: ChoiceView) -> dict[str, dict[str, Any]]:
    return {
        check.name: {
            "title": check.title,
            "measure": check.measure,
            "value": float(check.value),
            "relation": check.relation,
            "limit": float(check.limit),
            "passed": check.passed,
        }
        for check in view.result.checks
    }
