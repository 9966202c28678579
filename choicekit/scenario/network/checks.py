"""What must hold for the result of a network study to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from choicekit.networks.study import NetworkOutcome
from choicekit.scenario.result import Check

__all__ = ["checks_of"]

_MASS_ERROR = 1e-6  # of sums of a coupling, over total mass
_GAP = 1e-6
_GRADIENT = 1e-5  # for each visit


def checks_of(outcome: NetworkOutcome) -> Iterator[Check]:
    """Yield the checks of a network study.

    Parameters
    ----------
    outcome : NetworkOutcome
    """
    communities = [outcome.community, *(change.after for change in outcome.changes.values())]
    errors = []
    for community in communities:
        used = community.masses_used()
        known = used["mass"].notna()
        gap = (used.loc[known, "mass"] - used.loc[known, "expected"]).abs().sum() / community.total
        errors.append(max(float(gap), abs(float(community.coupling.sum()) - 1.0)))
    yield Check(
        name="masses_met",
        title="couplings meet the masses shown",
        measure="largest L1 error of sums, over total mass, before and after every policy",
        value=max(errors),
        limit=_MASS_ERROR,
        relation="<=",
    )
    yield Check(
        name="couplings_optimal",
        title="couplings are optimal",
        measure="largest duality gap, over the range of what is maximised",
        value=max(abs(community.solution.gap) / (1.0 + abs(community.solution.dual)) for community in communities),
        limit=_GAP,
        relation="<=",
    )
    if outcome.metrics is not None:
        yield Check(
            name="web_described",
            title="the web has interactions on both sides",
            measure="links",
            value=float(outcome.metrics.links),
            limit=1.0,
            relation=">=",
        )
    if outcome.fits:
        yield Check(
            name="preferences_converged",
            title="preferences are at their optimum",
            measure="largest gradient for each visit, over ensembles",
            value=max(fit.gradient if fit.converged else float("inf") for fit in outcome.fits.values()),
            limit=_GRADIENT,
            relation="<=",
        )
    for model, found in outcome.nulls.items():
        moved = [_drift(found.values[metric]) for metric in found.values if found.varies(metric)]
        if moved:
            yield Check(
                name=f"null_settled_{model}",
                title=f"null webs are enough: {model.replace('_', ' ')}",
                measure="largest difference between the means of both halves, in standard errors",
                value=max(moved),
                limit=6.0,
                relation="<=",
            )


def _drift(values: np.ndarray) -> float:
    first, second = np.array_split(values, 2)
    error = np.sqrt(first.var() / max(first.size - 1, 1) + second.var() / max(second.size - 1, 1))
    return float(abs(first.mean() - second.mean()) / error) if error > 0 else 0.0
