"""The headline numbers of a matching study, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; null is what is not known, not finite, or not asked for:

"""

from __future__ import annotations

from typing import Any

from choicekit.matching.measures import MEASURES
from choicekit.report.kinds.matching.view import Estimate, MatchingView
from choicekit.report.summary import listed, summary_keys, summary_of

__all__ = ["SCHEMA_VERSION", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 1
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

_ENDS = {"mean": "mean over draws", "lower": "lower end of its 95 % interval", "upper": "upper end"}

_OWN = {
    "seed": "seed of tastes and lotteries",
    "draw_scheme": "version of the mapping from addresses to random numbers",
    "rows": "who is matched",
    "columns": "where to",
    "capacity": "places in all",
    "draws": "of tastes and lotteries",
    **{
        f"mechanisms.<mechanism>.{name}.{end}": f"{meaning}; {words}"
        for name, meaning in MEASURES.items()
        for end, words in _ENDS.items()
    },
    **{
        f"policies.<policy>.<mechanism>.{name}.{end}": f"change against the baseline of: {meaning}; {words}"
        for name, meaning in MEASURES.items()
        for end, words in _ENDS.items()
    },
}

SUMMARY_KEYS = summary_keys("matching", _OWN)
"""Every key of ``summary.json`` and what it means."""

__doc__ = f"{__doc__}{listed(SUMMARY_KEYS)}"


def summarise(view: MatchingView, finding: str) -> dict[str, Any]:
    """Return the summary of a matching study.

    Parameters
    ----------
    view : MatchingView
    finding : str
        Title of the report.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    market, compared = view.study.market, view.compared
    own: dict[str, Any] = {
        "seed": view.result.seed,
        "draw_scheme": view.result.provenance.draw_scheme,
        "rows": market.shape[0],
        "columns": market.shape[1],
        "capacity": int(market.seats.sum()),
        "draws": compared.replications,
        "mechanisms": {
            mechanism: {name: _told(view.estimate(name, mechanism)) for name in MEASURES}
            for mechanism in compared.mechanisms
        },
        "policies": {
            policy: {
                mechanism: {name: _told(view.change(name, mechanism, case)) for name in MEASURES}
                for mechanism in compared.mechanisms
            }
            for case, policy in enumerate(compared.cases[1:], start=1)
        },
    }
    return summary_of(view.result, finding, SCHEMA_VERSION, own)


def _told(found: Estimate) -> dict[str, float]:
    return {"mean": found.mean, "lower": found.lower, "upper": found.upper}
