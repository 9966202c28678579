"""The bootstrap by row: a fit done again with each row a random number of times."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.checking import check_whole
from choicekit.assignment.inverse.errors_of_estimates import Bootstrap, row_multiplicities
from choicekit.assignment.inverse.estimate import CRITERIA, Estimator
from choicekit.assignment.inverse.observations import Observations
from choicekit.errors import ConvergenceError, InvalidInputError

if TYPE_CHECKING:
    from choicekit.assignment.inverse.result import AssignmentFit

__all__ = ["bootstrap_by_row"]

FloatArray = npt.NDArray[np.float64]

_TOLERANCE = 1e-7  # of gradients: a bootstrap needs no more
_MOST = 50


def bootstrap_by_row(fit: AssignmentFit, replications: int, seed: int) -> Bootstrap:
    """Fit again to resampled rows; see `AssignmentFit.bootstrap`.

    Parameters
    ----------
    fit : AssignmentFit
    replications, seed : int
    """
    check_whole(replications, 2, "replications")
    n_rows, n_matched = len(fit.observations.pairs), int((fit.observations.pairs.sum(axis=1) > 0).sum())
    if n_matched < 2:
        raise InvalidInputError(
            f"a bootstrap by row needs matches in at least 2 rows, found {n_matched} of {n_rows}: use standard_errors"
        )
    times = row_multiplicities(fit.model.row_names, n_rows, seed, replications)
    drawn = [np.repeat(np.arange(n_rows), number) for number in times]
    coefficients = np.array([_refitted(fit, places) for places in drawn])
    return Bootstrap(coefficients=coefficients, names=fit.names, seed=seed)


def _refitted(fit: AssignmentFit, places: npt.NDArray[np.intp]) -> FloatArray:
    estimator = Estimator(criterion=CRITERIA[fit.method], tolerance=_TOLERANCE, max_iterations=_MOST)
    failed = np.full(len(fit.names), np.nan)
    if not fit.observations.pairs[places].sum() > 0:
        return failed
    model = fit.model.of_rows(places)
    observations = _of_rows(fit.observations, places)
    if fit.model.total_is_given:
        observations = observations.scaled(fit.observations.total / observations.total)
    try:
        start = estimator.respond(model, observations, fit.coefficients)
        found = estimator.estimate(model, observations, fit.penalty, start)
    except (ConvergenceError, InvalidInputError):
        return failed
    return found.coefficients if found.status == "converged" else failed


def _of_rows(observations: Observations, places: npt.NDArray[np.intp]) -> Observations:
    found = replace(
        observations, pairs=observations.pairs[places], row_singles=observations.row_singles[places], number=None
    )
    if observations.number is None:
        return found
    return replace(found, number=observations.number * found.total / observations.total)
