"""The headline numbers of a tour, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; a station's keys are there where the tour stops at it;
null is what is not known:

"""

from __future__ import annotations

from typing import Any

from choicekit.report.summary import listed, summary_keys, summary_of
from choicekit.scenario.result import StudyResult
from choicekit.tour import Station, Tour
from choicekit.tour.side_by_side import RulesStation

__all__ = ["SCHEMA_VERSION", "STATION_KEYS", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 1
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

STATION_KEYS: dict[str, dict[str, str]] = {
    "argmax": {
        "utility": "the utilities",
        "probabilities": "their softmax at T = 1",
        "maximum": "the largest utility",
        "inclusive_value": "log-sum-exp",
    },
    "inner-product": {
        "utility": "the utilities",
        "boltzmann": "inner product of softmax and utilities",
        "rounded_first": "the same with probabilities rounded first",
        "entropy": "entropy of softmax",
        "inclusive_value": "log-sum-exp",
    },
    "surfaces": {},
    "bounds": {
        "n": "number of alternatives",
        "bounds": "largest distance from the maximum, by soft maximum",
        "reached_at": "lead of the best alternative at which it is reached, or null where only in the limit",
        "lowest_at": "x at which the inner product of (0, x) is lowest",
        "lowest": "its value there",
    },
    "temperature": {
        "utility": "the utilities",
        "n_best": "number of alternatives tied for the best",
        "shown": "temperatures at which three formulas are compared",
        "naive": "probabilities by exp(u / T) / sum at each, null for nan",
        "by_value": "probabilities by exp((u - lse) / T) at each",
        "by_maximum": "probabilities by exp((u - max) / T) / sum at each",
    },
    "ratios": {
        "utility": "the utilities",
        "probabilities": "their softmax",
        "growth": "factor by which all others grow without the best",
    },
    "gumbel-softmax": {
        "utility": "the utilities",
        "relaxation_temperatures": "kappa of the samples",
        "mean_largest": "mean of a sample's largest entry at each",
    },
    "convergence": {
        "utility": "the utilities",
        "draws": "numbers of draws",
        "expected_error": "mean error in theory after so many",
        "slope": "of log error on log number of draws, or null",
        "slope_error": "its standard error, or null",
        "p_value": "of a slope as far from -1/2, or null",
    },
    "rules": {},
    "two-samplings": {
        "n_agents": "agents who choose both ways",
        "agreement": "share of agents who choose alike both ways",
        "expected_agreement": "its expectation",
        "needless_coherent": "coherent switches to an alternative that was not improved",
        "needless_inverse": "such switches under inverse draws",
    },
    "energy": {
        "utility": "the two situations",
        "energy": "of each",
        "inclusive_value": "of each",
    },
}
"""What the summary says of each station: the name of a number and what it is."""

_RULE_KEYS = {
    "probabilities": "probabilities under the rule",
    "value": "its soft maximum",
    "gap": "how far that is above the maximum",
    "max_gap": "how far it can be for any row of this length",
    "n_support": "alternatives with a probability above 0",
    "coherent": "whether the rule has coherent draws",
}

_OWN = {
    "passed": "whether every claim holds",
    "seed": "seed of the draws",
    "draw_scheme": "version of the mapping from addresses to random numbers",
    "stations.<station>.title": "what the station shows",
    "stations.<station>.passed": "whether all its claims hold",
    "stations.<station>.claims": "number of its claims",
    **{f"stations.{station}.{key}": text for station, keys in STATION_KEYS.items() for key, text in keys.items()},
    "stations.bounds.bounds.<soft maximum>": "largest distance from the maximum",
    "stations.bounds.reached_at.<soft maximum>": "where it is reached",
    **{f"stations.rules.rules.<rule>.{key}": text for key, text in _RULE_KEYS.items()},
}

SUMMARY_KEYS = summary_keys("tour", _OWN)
"""Every key of ``summary.json`` and what it means."""
for _key in ("bounds", "reached_at"):  # mappings: their entries are the keys
    del SUMMARY_KEYS[f"stations.bounds.{_key}"]

__doc__ = f"{__doc__}{listed(SUMMARY_KEYS)}"


def summarise(result: StudyResult, finding: str) -> dict[str, Any]:
    """Collect the headline numbers, under the keys of `SUMMARY_KEYS` and in their order.

    Parameters
    ----------
    result : StudyResult
        With a `Tour`.
    finding : str
        Title of the report.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    tour: Tour = result.outcome
    own = {
        "seed": result.seed,
        "draw_scheme": result.provenance.draw_scheme,
        "stations": {station.name: _station(station) for station in tour.stations},
    }
    return summary_of(result, finding, SCHEMA_VERSION, own)


def _station(station: Station) -> dict[str, Any]:
    found: dict[str, Any] = {"title": station.title, "passed": station.passed, "claims": len(station.checks)}
    found |= {key: _plain(getattr(station, key)) for key in STATION_KEYS.get(station.name, {})}
    if isinstance(station, RulesStation):
        found["rules"] = {row.label: {key: _plain(getattr(row, key)) for key in _RULE_KEYS} for row in station.rows}
    return found


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
