"""The headline numbers of an assignment study, for programs: ``summary.json``.

Keys, as dotted paths, where ``<...>`` stands for a name; null is what is not known, not finite, or not asked for:

"""

from __future__ import annotations

from typing import Any

from choicekit.report.kinds.assignment.fit import FIT_KEYS, fit_summary
from choicekit.report.kinds.assignment.overview import utility_of
from choicekit.report.kinds.assignment.view import AssignmentView, SideView
from choicekit.report.summary import listed, summary_keys, summary_of

__all__ = ["SCHEMA_VERSION", "SUMMARY_KEYS", "summarise"]

SCHEMA_VERSION = 1
"""Changes when a key is renamed, removed, or means something else; not when one is added."""

_SIDE = {
    "condition": "what is asked of its sums: fixed, at_most, relaxed, free or with_outside_option",
    "places": "how many places it has",
    "mass": "its total mass, or null where any will do",
    "matched": "mass of it that is matched",
    "outside": "singles, or unused capacity",
}
_CHECKED = {
    "library": "which package",
    "version": "of it",
    "method": "its function",
    "coupling_difference": "largest difference of a pair's mass, over total mass",
    "objective_difference": "relative difference of the objective",
    "threshold": "what both are held to",
    "passed": "whether both are within it, or null where it cannot be said",
    "reason": "why, in words",
}

_OWN = {
    "seed": "seed of the study",
    "draw_scheme": "version of the mapping from addresses to random numbers",
    "temperature": "in units of utility; only utility over temperature is identified",
    "reference": "what entropy is relative to: counting or product",
    "regulariser": "softmax or sparsemax",
    **{f"{side}.{key}": text for side in ("rows", "columns") for key, text in _SIDE.items()},
    "mass_matched": "total mass of the coupling",
    "utility": "utility of the coupling, <P, U>",
    "welfare": "objective less what only masses and temperature decide",
    "primal": "objective at the coupling made to meet its conditions: a lower bound on the best",
    "dual": "dual objective at the potentials: an upper bound on the best",
    "gap": "dual less primal",
    "row_error": "L1 distance of row sums from what is asked, over total mass",
    "column_error": "the same by column",
    "tolerance": "what both errors have to reach",
    "converged": "whether they do",
    "status": "converged, precision, max_iterations or not_finite",
    "method": "how it was solved",
    "n_iterations": "after how many iterations",
    "unique": "whether the optimum is known to be the only one, or null",
    "forbidden_pairs": "pairs with utility minus infinity",
    "unusable_pairs": "allowed pairs that no coupling can use",
    "utility_unit": "unit of utility",
    "mass_unit": "unit of mass",
    "path.temperatures": "of the path, falling; only where one was asked for",
    "path.utility": "utility of the coupling at each",
    "path.entropy": "entropy at each",
    "path.primal": "objective at each",
    "path.distance_to_neutral": "half the L1 distance from chance with the same sums, over mass, at each",
    "path.converged": "whether the solver reached its tolerance at each",
    "policies.<policy>.welfare_change": "change of welfare against the baseline",
    "policies.<policy>.primal_change": "change of the objective",
    "policies.<policy>.mass_matched": "total mass of the coupling",
    "policies.<policy>.temperature": "its temperature",
    "policies.<policy>.converged": "whether the solver reached its tolerance",
    "policies.<policy>.row_welfare_change.<row>": "by unit of the row's mass, or null",
    "policies.<policy>.column_welfare_change.<column>": "by unit of the column's mass, or null",
    **{f"cross_check.{key}": f"{text}; only where one was asked for" for key, text in _CHECKED.items()},
    **FIT_KEYS,
}

SUMMARY_KEYS = summary_keys("assignment", _OWN)
"""Every key of ``summary.json`` and what it means."""

__doc__ = f"{__doc__}{listed(SUMMARY_KEYS)}"

_MOST_BY_TYPE = 200
"""Types whose welfare the summary lists; of more, tables/policies.csv does."""


def summarise(view: AssignmentView, finding: str) -> dict[str, Any]:
    """Collect the headline numbers, under the keys of `SUMMARY_KEYS` and in their order.

    Parameters
    ----------
    view : AssignmentView
    finding : str
        Title of the report.

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    study, problem = view.study, view.problem
    own = {
        "seed": study.seed,
        "draw_scheme": study.provenance.draw_scheme,
        "temperature": problem.temperature,
        "reference": problem.reference,
        "regulariser": "sparsemax" if problem.sparse else "softmax",
        "rows": _side(view.rows),
        "columns": _side(view.columns),
        **_solution(view),
        "forbidden_pairs": int((~view.allowed).sum()),
        "unusable_pairs": len(view.unusable),
        "utility_unit": view.unit,
        "mass_unit": view.mass_unit,
        **_asked_for(view),
    }
    return summary_of(study, finding, SCHEMA_VERSION, own)


def _side(side: SideView) -> dict[str, Any]:
    return {
        "condition": side.condition.name,
        "places": len(side.keys),
        "mass": float(side.mass.sum()),
        "matched": float(side.matched.sum()),
        "outside": float(side.outside.sum()),
    }


def _solution(view: AssignmentView) -> dict[str, Any]:
    result, found = view.solved, view.certificate
    return {
        "mass_matched": view.total,
        "utility": utility_of(view),
        "welfare": view.worth.total,
        "primal": found.primal,
        "dual": found.dual,
        "gap": found.gap,
        "row_error": result.row_error,
        "column_error": result.column_error,
        "tolerance": result.tolerance,
        "converged": result.converged,
        "status": result.status,
        "method": result.method,
        "n_iterations": result.n_iterations,
        "unique": result.unique,
    }


def _asked_for(view: AssignmentView) -> dict[str, Any]:
    outcome, found = view.outcome, dict[str, Any]()
    path = outcome.path
    if path is not None and len(path.temperatures):
        names = ("temperatures", "utility", "entropy", "primal", "distance_to_neutral")
        converged = [result.converged for result in path.results]
        found["path"] = {name: getattr(path, name).tolist() for name in names} | {"converged": converged}
    if outcome.comparison is not None and outcome.comparison.policies:
        found["policies"] = _policies(view)
    if outcome.cross_check is not None:
        found["cross_check"] = {key: getattr(outcome.cross_check, key) for key in _CHECKED}
    return found | fit_summary(view)


def _policies(view: AssignmentView) -> dict[str, Any]:
    found: dict[str, Any] = {}
    comparison = view.outcome.comparison
    for name, policy in comparison.policies.items() if comparison is not None else ():
        found[name] = {
            "welfare_change": policy.welfare_change,
            "primal_change": policy.primal_change,
            "mass_matched": float(policy.result.coupling.sum()),
            "temperature": policy.result.problem.temperature,
            "converged": policy.result.converged,
        }
        if max(view.problem.shape) <= _MOST_BY_TYPE:
            found[name]["row_welfare_change"] = policy.row_welfare_change
            found[name]["column_welfare_change"] = policy.column_welfare_change
    return found
