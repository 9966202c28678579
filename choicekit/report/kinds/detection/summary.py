"""The headline numbers of a detection study, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; null is what is not known, not finite, or not asked for:

"""

from __future__ import annotations

from typing import Any

from choicekit.detection.metrics import METRICS
from choicekit.report.kinds.detection.view import DetectionView
from choicekit.report.summary import listed, summary_keys, summary_of

__all__ = ["SCHEMA_VERSION", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 1
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

_OWN = {
    "seed": "seed of the bootstrap",
    "draw_scheme": "version of the mapping from addresses to random numbers",
    "rows": "rows of the table",
    "classes": "columns of logits",
    "score": "the score whose threshold flags rows; larger means more out-of-distribution",
    "temperature": "of all scores",
    "temperature_fitted": "whether labels gave it",
    "threshold.value": "a row is flagged above it",
    "threshold.retention": "share of rows like the calibration rows that was to be kept",
    "threshold.calibration_rows": "how many it comes from",
    "threshold.expected_rate": "mean share of rows like these that is flagged",
    "threshold.rate_lower": "lower end of a 95 % interval of that share, over calibration sets",
    "threshold.rate_upper": "upper end",
    "flagged.rows": "rows that are judged",
    "flagged.count": "of them above the threshold",
    "flagged.discoveries": "of them discoveries of the batch",
    "flagged.share_in": "share flagged of in-distribution rows",
    "flagged.share_out": "share flagged of out-of-distribution rows",
    **{f"metrics.<score>.{name}": metric.meaning for name, metric in METRICS.items()},
    "metrics.<score>.n_in": "in-distribution rows",
    "metrics.<score>.n_out": "out-of-distribution rows",
    "differences.<score>.difference": "AUROC above that of the study's score",
    "differences.<score>.standard_error": "of it, by DeLong",
    "differences.<score>.p_value": "of no difference",
    "training.auroc_before": "of the energy of a head without margins; only where training was asked for",
    "training.auroc_after": "of one with margins",
    "training.accuracy_before": "share of labels right without margins",
    "training.accuracy_after": "with margins",
    "monitoring.share": "share of rows a saved detector flags; only where one was given",
    "monitoring.nominal": "share expected of rows like its calibration rows",
    "monitoring.lower": "lower end of a 95 % interval of that",
    "monitoring.upper": "upper end",
    "monitoring.limit": "largest share allowed, or null",
}

SUMMARY_KEYS = summary_keys("detection", _OWN)
"""Every key of ``summary.json`` and what it means."""

__doc__ = f"{__doc__}{listed(SUMMARY_KEYS)}"


def summarise(view: DetectionView, finding: str) -> dict[str, Any]:
    """Return the summary of a detection study.

    Parameters
    ----------
    view : DetectionView
    finding : str
        Title of the report.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    outcome, study = view.outcome, view.study
    threshold = outcome.threshold
    lower, upper = threshold.rate_interval()
    own: dict[str, Any] = {
        "seed": view.result.seed,
        "draw_scheme": view.result.provenance.draw_scheme,
        "rows": len(study.table),
        "classes": len(study.table.classes),
        "score": study.score,
        "temperature": outcome.temperature,
        "temperature_fitted": outcome.temperature_fit is not None,
        "threshold": {
            "value": threshold.value,
            "retention": threshold.retention,
            "calibration_rows": threshold.n,
            "expected_rate": threshold.expected_rate,
            "rate_lower": lower,
            "rate_upper": upper,
        },
        "flagged": {
            "rows": int(outcome.flagged.size),
            "count": int(outcome.flagged.sum()),
            "discoveries": int(outcome.discoveries.sum()),
            "share_in": float(view.flagged_in.mean()) if view.flagged_in.size else None,
            "share_out": float(view.flagged_out.mean()) if view.flagged_out.size else None,
        },
        "metrics": {
            name: {**{metric: getattr(found, metric) for metric in METRICS}, "n_in": found.n_in, "n_out": found.n_out}
            for name, found in outcome.metrics.items()
        },
        "differences": {
            name: {
                "difference": found.difference,
                "standard_error": found.standard_error,
                "p_value": found.p_value,
            }
            for name, found in outcome.differences.items()
        },
    }
    return summary_of(view.result, finding, SCHEMA_VERSION, own | _asked_for(view))


def _asked_for(view: DetectionView) -> dict[str, Any]:
    found: dict[str, Any] = {}
    training, monitoring = view.outcome.training, view.outcome.monitoring
    if training is not None:
        found["training"] = {
            "auroc_before": training.before.auroc,
            "auroc_after": training.after.auroc,
            "accuracy_before": training.accuracy_before,
            "accuracy_after": training.accuracy_after,
        }
    if monitoring is not None:
        found["monitoring"] = {
            "share": monitoring.share,
            "nominal": monitoring.nominal,
            "lower": monitoring.interval[0],
            "upper": monitoring.interval[1],
            "limit": monitoring.limit,
        }
    return found
