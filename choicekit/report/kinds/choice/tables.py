"""The tables of a choice study as files, with every digit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from choicekit.report.checks import check_records
from choicekit.report.kinds.choice.calibration import calibration_tables
from choicekit.report.kinds.choice.certainty import running_mean
from choicekit.report.kinds.choice.crowding import crowding_tables
from choicekit.report.kinds.choice.familiarity import familiarity_tables
from choicekit.report.kinds.choice.records import group_records
from choicekit.report.kinds.choice.rules import nest_tables
from choicekit.report.kinds.choice.types import type_tables
from choicekit.report.kinds.choice.view import ChoiceView

__all__ = ["data_tables"]


def data_tables(view: ChoiceView) -> dict[str, pd.DataFrame]:
    """Return tables by file name; only those that have rows."""
    outcome = view.outcome
    everything, n = outcome.to_frame(), len(outcome.alternatives)
    tables = {"shares": _everybody(everything, n).assign(available=view.available)}
    if outcome.study.types.n_shifts:
        tables["shares"] = tables["shares"].assign(integration_error=view.integration[0])
    if outcome.weighted:
        tables["shares_unweighted"] = _everybody(outcome.to_frame(weighted=False), n)
    if view.segmentations:
        tables["segments"] = everything.iloc[n:].reset_index(drop=True)
        tables["groups"] = pd.DataFrame(group_records(view))
    if view.leading is not None and outcome.replications > 1:
        tables["convergence"] = _convergence(view, view.leading)
    if view.result.checks:
        tables["checks"] = pd.DataFrame(check_records(view.result.checks))
    tables |= familiarity_tables(view) | crowding_tables(view)
    return tables | _model(view) | nest_tables(view.rule) | type_tables(view) | calibration_tables(view)


def _everybody(frame: pd.DataFrame, n_alternatives: int) -> pd.DataFrame:
    return frame.iloc[:n_alternatives].drop(columns=["segment", "group"])


def _convergence(view: ChoiceView, place: int) -> pd.DataFrame:
    shares = view.outcome.shares_by_replication()[:, 0, place]
    mean, half = running_mean(shares, float(view.variance[0, place]))
    return pd.DataFrame(
        {
            "replications": np.arange(1, len(shares) + 1),
            "alternative": view.outcome.alternatives[place],
            "simulated_share": shares,
            "running_mean": mean,
            "lower": np.maximum(mean - half, 0.0),
            "upper": np.minimum(mean + half, 1.0),
            "expected_share": view.expected[0, place],
        }
    )


def _model(view: ChoiceView) -> dict[str, pd.DataFrame]:
    model = view.outcome.study.model
    formulas = model.formulas(view.outcome.study.population)
    tables = {
        "utilities": pd.DataFrame(
            {
                "alternative": list(formulas),
                "utility": [str(formula) for formula in formulas.values()],
                "available_if": [str(model.conditions[name]) if name in model.conditions else "" for name in formulas],
            }
        )
    }
    if model.coefficients:
        coefficients = model.coefficients
        tables["coefficients"] = pd.DataFrame({"coefficient": list(coefficients), "value": list(coefficients.values())})
    return tables
