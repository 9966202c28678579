"""The likelihood of observed matches and singles: each is an independent draw from the fitted masses."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.criterion import Criterion, Evaluation
from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.inverse.response import Response

__all__ = ["LIKELIHOOD", "log_likelihood"]

FloatArray = npt.NDArray[np.float64]


def log_likelihood(response: Response, observations: Observations) -> float:
    """Return the mean log probability of an observation: sum c log mu - log sum mu, with c the observed shares.

    Without the multinomial coefficient, which does not depend on coefficients.
    """
    shares = observations.outcomes / observations.total
    return float(shares @ response.log_masses - np.log(response.masses.sum()))


def _evaluate(response: Response, observations: Observations) -> Evaluation:
    residual = observations.outcomes / observations.total - response.masses / response.masses.sum()
    design = _design(response)
    information = design @ design.T
    bend, row, column = _bends(response, residual)
    changes, by_row, by_column = response.changes, response.row.change, response.column.change
    second = (changes * bend) @ changes.T + (by_row * row) @ by_row.T + (by_column * column) @ by_column.T
    return Evaluation(
        value=log_likelihood(response, observations),
        gradient=changes @ residual,
        hessian=second - information,
        information=information,
        response=response,
    )


def _design(response: Response) -> FloatArray:
    return np.asarray(_centred(response) * np.sqrt(response.masses / response.masses.sum()))


def _centred(response: Response) -> FloatArray:
    means = response.changes @ response.masses / response.masses.sum()
    return np.asarray(response.changes - means[:, None])


def _bends(response: Response, residual: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the weights of products of first derivatives in sum residual * (second derivative of log mu).

    Potentials are bent by what the conditions ask for: their second derivatives solve the equations of the first, with
    the products on the right. Solving for the residual instead (the adjoint) does it once for all coefficients.
    """
    row, column = response.solve(*response.on_potentials(residual))
    bend = -response.masses * response.lifted(row, column)
    bend[response.n_pairs :] = 0.0
    return bend, -response.row.slope * row, -response.column.slope * column


def _scores(response: Response, observations: Observations) -> FloatArray:
    scores, model = _centred(response), response.model
    if model.with_observed_masses or not (model.row_mass_is_sampled or model.column_mass_is_sampled):
        return scores  # with observed masses on both sides the masses answer to nothing: all is in the potentials
    shares = response.masses / response.masses.sum()
    bend, by_row, by_column = _bends(response, observations.outcomes / observations.total - shares)
    mixed = response.changes * bend - scores * shares
    for place, weights in enumerate(mixed):
        on_row, on_column = response.on_potentials(weights)
        row, column = response.solve(
            on_row + by_row * response.row.change[place], on_column + by_column * response.column.change[place]
        )
        left = (weights - response.masses * response.lifted(row, column))[: response.n_pairs]
        scores[place] += observations.total * response.through_masses(row, column, left)
    return scores


LIKELIHOOD = Criterion(name="likelihood", evaluate=_evaluate, design=_design, scores=_scores)
"""Maximum likelihood, with the potentials differentiated."""
