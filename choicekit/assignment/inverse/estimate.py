"""One estimate: coefficients of a model at some observations under a given penalty."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.criterion import Criterion, Evaluation
from choicekit.assignment.inverse.likelihood import LIKELIHOOD
from choicekit.assignment.inverse.maximise import Maximum, maximise
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.moments import MOMENTS
from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.inverse.response import Response, respond

__all__ = ["CRITERIA", "Estimator", "centred_model"]

FloatArray = npt.NDArray[np.float64]

CRITERIA = {criterion.name: criterion for criterion in (LIKELIHOOD, MOMENTS)}
_INNER = 1e-2  # tolerance of the assignments on the way, relative to that of the gradient
_LEAST = 1e-13  # which rounding leaves


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimator:
    """How estimates are found.

    Attributes
    ----------
    criterion : Criterion
    tolerance : float
        Of the gradient, relative to the standard deviation of each score.
    max_iterations : int
        Newton steps.
    """

    criterion: Criterion
    tolerance: float
    max_iterations: int

    @property
    def inner_tolerance(self) -> float:
        """Tolerance of the sums of couplings."""
        return max(_INNER * self.tolerance, _LEAST)

    def respond(
        self,
        model: MatchingModel,
        observations: Observations,
        coefficients: FloatArray,
        start: FloatArray | None = None,
    ) -> Response:
        """Solve the assignment at some coefficients; see `choicekit.assignment.inverse.response.respond`."""
        return respond(model, observations, coefficients, tolerance=self.inner_tolerance, start=start)

    def estimate(
        self, model: MatchingModel, observations: Observations, penalty: float, start: Response | None = None
    ) -> Maximum:
        """Return the coefficients that maximise the criterion less the penalty.

        Where masses are given, the likelihood need not be concave: it starts from matched moments, which are.
        """
        first = start if start is not None else self.respond(model, observations, np.zeros(len(model.basis)))
        if self.criterion is LIKELIHOOD and start is None and not model.with_observed_masses:
            by_moments = replace(self, criterion=MOMENTS)
            first = by_moments.estimate(model, observations, penalty, first).evaluation.response

        def evaluate(coefficients: FloatArray, start: FloatArray | None) -> Evaluation:
            response = self.respond(model, observations, coefficients, start)
            return self.criterion.evaluate(response, observations)

        return maximise(
            evaluate,
            self.criterion.evaluate(first, observations),
            ridge=penalty / observations.weight,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )


def centred_model(neutral: Response) -> MatchingModel:
    """Return the same model with a basis that averages 0 by row and by column of the neutral coupling.

    Under observed masses this changes nothing but how much rounding a large constant in a basis function costs.
    """
    model = neutral.model
    pairs = neutral.changes[:, : neutral.n_pairs]
    return replace(model, basis=np.ascontiguousarray(pairs).reshape(model.basis.shape))
