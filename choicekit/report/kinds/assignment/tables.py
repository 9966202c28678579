"""The tables of an assignment study as files, with every digit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from choicekit.report.checks import check_records
from choicekit.report.kinds.assignment.coupling import MOST_TYPES, top_pairs
from choicekit.report.kinds.assignment.fit import fit_tables
from choicekit.report.kinds.assignment.overview import utility_of
from choicekit.report.kinds.assignment.view import AssignmentView, SideView

__all__ = ["data_tables"]

Tables = dict[str, pd.DataFrame]


def data_tables(view: AssignmentView) -> Tables:
    """Return tables by file name; only those that have rows."""
    tables: Tables = {
        "headline": _headline(view),
        "rows": _side(view.rows),
        "columns": _side(view.columns),
    }
    if len(view.solved.history.iteration):
        tables["iterations"] = view.solved.history.to_frame()
    if max(view.problem.shape) <= MOST_TYPES:
        tables["coupling"] = _coupling(view)
    if top_pairs(view):
        tables["pairs"] = _pairs(view)
    if len(view.unusable):
        tables["unusable"] = _unusable(view)
    if view.study.checks:
        tables["checks"] = pd.DataFrame(check_records(view.study.checks))
    return tables | _asked_for(view)


def _asked_for(view: AssignmentView) -> Tables:
    """Return what only some studies have."""
    tables: Tables = {}
    outcome = view.outcome
    if outcome.path is not None and len(outcome.path.temperatures):
        tables["path"] = outcome.path.to_frame()
    if outcome.comparison is not None and outcome.comparison.policies:
        tables["policies"] = outcome.comparison.to_frame()
    check = outcome.cross_check
    if check is not None:
        fields = ("library", "version", "method", "coupling_difference", "objective_difference", "threshold")
        tables["cross-check"] = pd.DataFrame([{name: getattr(check, name) for name in (*fields, "passed", "reason")}])
    return tables | fit_tables(view)


def _headline(view: AssignmentView) -> pd.DataFrame:
    result, found = view.solved, view.certificate
    values = {
        "mass_matched": view.total,
        "utility": utility_of(view),
        "welfare": view.worth.total,
        "primal": found.primal,
        "dual": found.dual,
        "gap": found.gap,
        "row_error": result.row_error,
        "column_error": result.column_error,
        "tolerance": result.tolerance,
        "n_iterations": float(result.n_iterations),
        "temperature": view.problem.temperature,
    }
    return pd.DataFrame({"quantity": list(values), "value": list(values.values())})


def _side(side: SideView) -> pd.DataFrame:
    table = {"name": list(side.keys), "mass": side.mass, "matched": side.matched, "outside": side.outside}
    return pd.DataFrame(table | {"price": side.price, "welfare": side.welfare})


def _coupling(view: AssignmentView) -> pd.DataFrame:
    n, m = view.problem.shape
    table = {
        "row": np.repeat(np.array(view.rows.keys, dtype=object), m),
        "column": np.tile(np.array(view.columns.keys, dtype=object), n),
        "utility": view.problem.utility.ravel(),
        "mass": view.solved.coupling.ravel(),
    }
    neutral = view.neutral
    return pd.DataFrame(table if neutral is None else table | {"by_chance": neutral.ravel()})


def _pairs(view: AssignmentView) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "row": view.rows.keys[pair.row],
                "column": view.columns.keys[pair.column],
                "mass": pair.mass,
                "by_chance": pair.neutral,
                "ratio": pair.ratio,
                "utility": float(view.problem.utility[pair.row, pair.column]),
            }
            for pair in top_pairs(view)
        ]
    )


def _unusable(view: AssignmentView) -> pd.DataFrame:
    rows, columns = view.unusable.T
    return pd.DataFrame(
        {"row": [view.rows.keys[place] for place in rows], "column": [view.columns.keys[place] for place in columns]}
    )
