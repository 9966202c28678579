"""The headline numbers of a network study, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; null is what is not known, not finite, or not asked for:

"""

from __future__ import annotations

from typing import Any

from choicekit.networks.metrics import METRICS
from choicekit.report.kinds.network.view import NetworkView
from choicekit.report.summary import listed, summary_keys, summary_of

__all__ = ["SCHEMA_VERSION", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 1
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

_OWN = {
    "seed": "seed of null webs, sampled webs, modules and folds",
    "draw_scheme": "version of the mapping from addresses to random numbers",
    "rows": "species in rows",
    "columns": "species in columns",
    "sites": "webs that were read",
    "metrics.links": "pairs that interact, all sites together; metrics are null without a web",
    "metrics.visits": "sum of counts",
    **{f"metrics.{name}": words for name, words in METRICS.items()},
    "modules.modularity": "of the best partition; null where none was searched",
    "modules.n_modules": "how many modules it has",
    "modules.lowest": "of the worst restart",
    "modules.agreement": "share of pairs of species together or apart as in the best, over restarts",
    "nulls.<model>.<metric>.mean": "of null webs",
    "nulls.<model>.<metric>.z_score": "null standard deviations above it; null where the null does not vary",
    "nulls.<model>.<metric>.percentile": "share of null webs below the web, 0 to 100",
    "ensembles.<ensemble>.neutral_kl_divergence": "KL(P || Q) by shares of species alone, nats for each visit",
    "ensembles.<ensemble>.kl_divergence": "with learnt preferences",
    "ensembles.<ensemble>.neutral_auc": "of links, by shares of species alone",
    "ensembles.<ensemble>.auc": "with learnt preferences",
    "ensembles.<ensemble>.held_out_neutral_log_likelihood": "of a visit left out",
    "ensembles.<ensemble>.held_out_log_likelihood": "with learnt preferences",
    "coefficients.<coefficient>.estimate": "learnt, in units of temperature (lambda), for the study's ensemble",
    "coefficients.<coefficient>.standard_error": "of it",
    "likelihood_ratio.statistic": "of preferences against none; null where nothing was learnt",
    "likelihood_ratio.degrees": "of freedom",
    "likelihood_ratio.p_value": "null with a penalty or a free table",
    "penalty": "on what was learnt",
    "scan.temperature": "the best of the temperatures scanned, for the study's ensemble",
    "scan.kl_divergence": "there",
    "robustness.<order>.static": "area below the extinction curve, links as they are",
    "robustness.<order>.rewired": "following the coupling",
    "policies.<policy>.visits": "after it",
    "policies.<policy>.metrics.<metric>.change": "mean over sampled webs",
    "policies.<policy>.metrics.<metric>.lower": "lower end of the 95 % interval over sampled webs",
    "policies.<policy>.metrics.<metric>.upper": "upper end",
}

SUMMARY_KEYS = summary_keys("network", _OWN)
"""Every key of ``summary.json`` and what it means."""

__doc__ = f"{__doc__}{listed(SUMMARY_KEYS)}"


def summarise(view: NetworkView, finding: str) -> dict[str, Any]:
    """Return the summary of a network study.

    Parameters
    ----------
    view : NetworkView
    finding : str
        Title of the report.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    outcome, study = view.outcome, view.study
    modules = outcome.modules
    own: dict[str, Any] = {
        "seed": view.result.seed,
        "draw_scheme": view.result.provenance.draw_scheme,
        "rows": len(study.row_names),
        "columns": len(study.column_names),
        "sites": len(study.networks),
        "metrics": {
            name: None if outcome.metrics is None else getattr(outcome.metrics, name)
            for name in ("links", "visits", *METRICS)
        },
        "modules": {
            "modularity": None if modules is None else modules.modularity,
            "n_modules": None if modules is None else modules.n_modules,
            "lowest": None if modules is None else float(modules.all_modularities.min()),
            "agreement": None if modules is None else modules.agreement,
        },
        "nulls": {
            model: {
                metric: {
                    "mean": float(values.mean()),
                    "z_score": found.z_score(metric),
                    "percentile": found.percentile(metric),
                }
                for metric, values in found.values.items()
            }
            for model, found in outcome.nulls.items()
        },
        "ensembles": _ensembles(view),
        **_learnt(view),
        "scan": _scan(view),
        "robustness": {
            curve.order: {"static": curve.robustness, "rewired": curve.rewired_robustness} for curve in outcome.curves
        },
        "policies": {name: _policy(view, name) for name in outcome.changes},
    }
    return summary_of(view.result, finding, SCHEMA_VERSION, own)


def _ensembles(view: NetworkView) -> dict[str, Any]:
    table = view.outcome.ensembles
    if table is None:
        return {}
    names = (
        "neutral_kl_divergence", "kl_divergence", "neutral_auc", "auc", "held_out_neutral_log_likelihood",
        "held_out_log_likelihood",
    )  # fmt: skip
    return {str(one["ensemble"]): {name: float(one[name]) for name in names} for _, one in table.iterrows()}


def _learnt(view: NetworkView) -> dict[str, Any]:
    fit = view.outcome.fit
    test = None if fit is None else fit.likelihood_ratio
    return {
        "coefficients": {}
        if fit is None
        else {
            name: {"estimate": float(value), "standard_error": float(error)}
            for name, value, error in zip(fit.names, fit.coefficients, fit.standard_errors, strict=True)
        },
        "likelihood_ratio": {
            "statistic": None if test is None else test.statistic,
            "degrees": None if test is None else test.degrees,
            "p_value": None if test is None else test.p_value,
        },
        "penalty": None if fit is None else fit.penalty,
    }


def _scan(view: NetworkView) -> dict[str, Any]:
    own = [point for point in view.outcome.scan if point.ensemble == view.study.ensemble]
    best = min(own, key=lambda point: point.kl_divergence, default=None)
    return {
        "temperature": None if best is None else best.temperature,
        "kl_divergence": None if best is None else best.kl_divergence,
    }


def _policy(view: NetworkView, name: str) -> dict[str, Any]:
    change = view.outcome.changes[name]
    return {
        "visits": change.after.total,
        "metrics": {
            str(one["metric"]): {key: float(one[key]) for key in ("change", "lower", "upper")}
            for _, one in change.metrics().iterrows()
        },
    }
