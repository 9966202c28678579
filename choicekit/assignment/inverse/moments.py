"""Moments matched: each basis function has the same sum over the fitted as over the observed matches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.criterion import Criterion, Evaluation
from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.inverse.response import Response

__all__ = ["MOMENTS"]

FloatArray = npt.NDArray[np.float64]


def _evaluate(response: Response, observations: Observations) -> Evaluation:
    """Return <observed, U> less the best there is, W(U), which is concave in the coefficients: a Fenchel-Young loss."""
    total, basis = observations.total, response.model.basis
    gradient = np.tensordot(basis, observations.pairs - response.result.coupling, axes=2) / total
    design = _design(response)
    information = design @ design.T / total
    utility = float(response.coefficients @ np.tensordot(basis, observations.pairs, axes=2))
    return Evaluation(
        value=(utility - response.result.dual) / total,
        gradient=gradient,
        hessian=-information,
        information=information,
        response=response,
    )


def _design(response: Response) -> FloatArray:
    n_pairs = response.n_pairs
    return np.concatenate(
        [
            response.changes[:, :n_pairs] * np.sqrt(response.masses[:n_pairs]),
            response.row.change * np.sqrt(response.row.curvature),
            response.column.change * np.sqrt(response.column.curvature),
        ],
        axis=1,
    )


def _scores(response: Response, observations: Observations) -> FloatArray:
    scores = np.zeros_like(response.changes)
    scores[:, : response.n_pairs] = response.model.basis.reshape(len(scores), -1)
    for place, change in enumerate(response.changes):
        moved = -(response.masses * change)[: response.n_pairs]
        scores[place] += response.through_masses(response.row.change[place], response.column.change[place], moved)
    return scores


MOMENTS = Criterion(name="moments", evaluate=_evaluate, design=_design, scores=_scores)
"""Moment matching: the maximum of a concave criterion, which needs no more than the coupling."""
