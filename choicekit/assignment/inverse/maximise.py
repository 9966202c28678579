"""Newton's method for a criterion with a ridge penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.criterion import Evaluation
from choicekit.errors import ConvergenceError, InvalidInputError

__all__ = ["FitStatus", "Maximum", "maximise"]

FloatArray = npt.NDArray[np.float64]
FitStatus = Literal["converged", "max_iterations", "no_maximum", "stalled"]
Evaluate = Callable[[FloatArray, FloatArray | None], Evaluation]

_REACH = 2.0  # largest standard deviation of the changes of utility in one step, in units of temperature
_FLAT = 8  # steps without gradient after which there is no maximum to come: Newton's method doubles digits
_SMALL_STEP = 1e-6  # of utilities, relative: a step of this size from where the gradient vanishes is the last
_HALVINGS = 40
_SUFFICIENT = 1e-4  # share of the promised increase that a step must bring
_ROUNDING = 1e-13  # of the criterion: differences below it say nothing


@dataclass(frozen=True, kw_only=True, eq=False)
class Maximum:
    """Where the search ended.

    Attributes
    ----------
    coefficients : ndarray (K,)
    evaluation : Evaluation
        Without the penalty.
    gradient : ndarray (K,)
        With the penalty, for each unit of observed mass.
    curvature : ndarray (K, K)
        Minus the Hessian, with the penalty.
    status : {"converged", "max_iterations", "no_maximum", "stalled"}
    n_iterations : int
    """

    coefficients: FloatArray
    evaluation: Evaluation
    gradient: FloatArray
    curvature: FloatArray
    status: FitStatus
    n_iterations: int


def maximise(evaluate: Evaluate, first: Evaluation, *, ridge: float, tolerance: float, max_iterations: int) -> Maximum:
    """Climb from an evaluated start by Newton steps until gradient and step vanish.

    Parameters
    ----------
    evaluate : callable
        Takes coefficients and potentials of columns to start from.
    first : Evaluation
        Where to begin.
    ridge : float
        Penalty for each unit of observed mass: ridge / 2 * |coefficients|^2 is taken off.
    tolerance : float
        Of the gradient, relative to the standard deviation of each score.
    max_iterations : int

    Notes
    -----
    Where the criterion is not concave the expected information takes the place of the Hessian (Fisher scoring). Steps
    are cut where utilities would change by a standard deviation of more than 2, and halved until the criterion grows. A
    gradient that vanishes while steps stay large is no maximum but the way to one at infinity, so both must be small.
    """
    here, iteration, n_flat = first, 0, 0
    while True:
        coefficients = here.response.coefficients
        gradient = here.gradient - ridge * coefficients
        curvature = ridge * np.eye(gradient.size) - here.hessian
        step = _newton_step(gradient, curvature, here.information + ridge * np.eye(gradient.size))
        n_flat = n_flat + 1 if np.all(np.abs(gradient) <= tolerance * _sizes(here)) else 0
        status: FitStatus = "max_iterations"
        if n_flat and _reach(here, step) <= _SMALL_STEP * (1.0 + _reach(here, coefficients)):
            status = "converged"
        elif n_flat >= _FLAT:
            status = "no_maximum"
        elif iteration < max_iterations:
            spread = float(np.sqrt(step @ here.information @ step))
            found = _line_search(evaluate, here, step * min(1.0, _REACH / max(spread, _REACH)), gradient, ridge)
            if found is not None:
                here, iteration = found, iteration + 1
                continue
            status = "stalled"
        return Maximum(
            coefficients=coefficients,
            evaluation=here,
            gradient=gradient,
            curvature=curvature,
            status=status,
            n_iterations=iteration,
        )


def _newton_step(gradient: FloatArray, curvature: FloatArray, information: FloatArray) -> FloatArray:
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    for matrix in (curvature, information):
        scale = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
        try:
            factor = cho_factor(matrix / np.outer(scale, scale))
        except LinAlgError:
            continue
        return np.asarray(cho_solve(factor, gradient / scale) / scale)
    return np.asarray(np.linalg.lstsq(information, gradient, rcond=1e-12)[0])


def _sizes(here: Evaluation) -> FloatArray:
    """Return the standard deviation of each score: what its mean is measured by."""
    return np.sqrt(np.maximum(np.diag(here.information), np.finfo(float).tiny))


def _reach(here: Evaluation, step: FloatArray) -> float:
    """Return the largest change of the logarithm of an outcome's mass."""
    return float(np.abs(step @ here.response.changes)[here.response.masses > 0].max())


def _line_search(
    evaluate: Evaluate, here: Evaluation, step: FloatArray, gradient: FloatArray, ridge: float
) -> Evaluation | None:
    start = here.response.result.column_potential
    value = _penalised(here, ridge)
    slope = float(gradient @ step)
    for _ in range(_HALVINGS):
        try:
            found = evaluate(here.response.coefficients + step, start + step @ here.response.column.change)
        except (ConvergenceError, InvalidInputError):  # too hard an assignment to be solved, or to be differentiated
            found = None
        gain = -np.inf if found is None else _penalised(found, ridge) - value
        if found is not None and gain >= _SUFFICIENT * slope - _ROUNDING * (1.0 + abs(value)):
            return found
        step, slope = step / 2, slope / 2
    return None


def _penalised(here: Evaluation, ridge: float) -> float:
    coefficients = here.response.coefficients
    return here.value - 0.5 * ridge * float(coefficients @ coefficients)
