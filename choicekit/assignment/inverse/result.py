"""The answer of a fit: coefficients of the utility, how well they are known, and the assignment they make."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.assignment.inverse.cross_validation import CrossValidation
from choicekit.assignment.inverse.maximise import FitStatus
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.inverse.to_scenario import scenario_text
from choicekit.assignment.result import AssignmentResult
from choicekit.counting import counted
from choicekit.errors import InvalidInputError
from choicekit.random import check_seed

if TYPE_CHECKING:
    import pandas as pd

    from choicekit.assignment.inverse.errors_of_estimates import Bootstrap

__all__ = ["AssignmentFit", "LikelihoodRatio", "Method"]

FloatArray = npt.NDArray[np.float64]
Method = Literal["likelihood", "moments"]


@dataclass(frozen=True, kw_only=True)
class LikelihoodRatio:
    """A test of a fit against the neutral model, whose coefficients are 0.

    Attributes
    ----------
    statistic : float
        Twice the difference of the log-likelihoods.
    degrees : int
        Number of coefficients.
    p_value : float
        By the chi-square law; nan where that law is not known to hold, see `AssignmentFit.likelihood_ratio`.
    """

    statistic: float
    degrees: int
    p_value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentFit:
    """Coefficients fitted to observed matches.

    Attributes
    ----------
    coefficients : ndarray (K,)
        In units of temperature for each unit of a basis function.
    names : tuple of str
    covariance : ndarray (K, K)
        Of the estimates, by the sandwich formula; nan where the number of observations is not known.
    log_likelihood, neutral_log_likelihood : float
        Of all observations, at the estimates and at coefficients of 0; without the multinomial coefficient. Each unit
        of mass counts as one observation where their number is not known.
    method : {"likelihood", "moments"}
    penalty : float
        penalty / 2 * |coefficients|^2 was taken off the log-likelihood (or its like for moments).
    gradient : ndarray (K,)
        Of the criterion with its penalty, for each observation: 0 but for the tolerance.
    n_observations : float or None
        Independent observations, singles included; None where that is not known.
    converged : bool
    status : {"converged", "max_iterations", "no_maximum", "stalled"}
        ``"no_maximum"`` where the criterion grows for ever, as coefficients do; ``"stalled"`` where no step helps.
    n_iterations : int
        Newton steps.
    result : AssignmentResult
        The assignment at the estimates.
    level : float
        Confidence of intervals.
    cross_validation : CrossValidation or None
        How the penalty was chosen.
    model, observations
        What was fitted to what.
    """

    coefficients: FloatArray
    names: tuple[str, ...]
    covariance: FloatArray
    log_likelihood: float
    neutral_log_likelihood: float
    method: Method
    penalty: float
    gradient: FloatArray
    n_observations: float | None
    converged: bool
    status: FitStatus
    n_iterations: int
    result: AssignmentResult
    level: float = 0.95
    cross_validation: CrossValidation | None = None
    model: MatchingModel = field(repr=False)
    observations: Observations = field(repr=False)

    @property
    def standard_errors(self) -> FloatArray:
        """Square roots of the diagonal of the covariance, (K,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def likelihood_ratio(self) -> LikelihoodRatio:
        """Twice the log-likelihood above that of the neutral model, and how often chance alone does as well.

        The p value is nan where the chi-square law is not known to hold: with a penalty, for moments matched under
        other masses than the observed, for an unknown number of observations, and with outside options, whose masses
        are sampled with the singles and make the likelihood one with estimated masses put in.
        """
        statistic = 2.0 * (self.log_likelihood - self.neutral_log_likelihood)
        degrees = len(self.names)
        lawful = (
            self.penalty == 0
            and self.n_observations is not None
            and not self.model.has_singles
            and (self.method == "likelihood" or self.model.with_observed_masses)
        )
        p_value = float(special.chdtrc(degrees, max(statistic, 0.0))) if lawful else np.nan
        return LikelihoodRatio(statistic=statistic, degrees=degrees, p_value=p_value)

    def intervals(self, level: float | None = None) -> FloatArray:
        """Return the lower and the upper end of each coefficient's normal interval, (K, 2)."""
        confidence = check_level(self.level if level is None else level)
        reach = special.ndtri(0.5 + 0.5 * confidence) * self.standard_errors
        return np.stack([self.coefficients - reach, self.coefficients + reach], axis=1)

    def bootstrap(self, replications: int = 200, *, seed: int) -> Bootstrap:
        """Fit again to resampled rows.

        Parameters
        ----------
        replications : int
            At least 2.
        seed : int

        Notes
        -----
        Each row occurs a Poisson number of times with mean 1, addressed by its name, so that the order of rows does not
        matter. Its matches, its singles, its masses and its basis go with it; singles of columns and capacities stay.
        This is right where rows are independent units, such as households or islands, and says nothing for few rows.
        The penalty stays what it is.
        """
        from choicekit.assignment.inverse.resampling import bootstrap_by_row

        return bootstrap_by_row(self, replications, seed)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a coefficient: name, coefficient, standard_error, lower, upper, z, p_value."""
        import pandas as pd

        ends = self.intervals()
        with np.errstate(divide="ignore", invalid="ignore"):
            z = self.coefficients / self.standard_errors
        return pd.DataFrame(
            {
                "name": list(self.names),
                "coefficient": self.coefficients,
                "standard_error": self.standard_errors,
                "lower": ends[:, 0],
                "upper": ends[:, 1],
                "z": z,
                "p_value": 2.0 * special.ndtr(-np.abs(z)),
            }
        )

    def to_scenario(self, name: str = "fitted-assignment", *, seed: int = 0) -> str:
        """Return the YAML text of a scenario that simulates from the fit.

        Parameters
        ----------
        name : str
            Of the scenario: a slug.
        seed : int
            Of the scenario.
        """
        return scenario_text(self, name, check_seed(seed))

    def __repr__(self) -> str:
        n, m = self.result.problem.shape
        penalty = f", penalty={self.penalty:.4g}" if self.penalty else ""
        return (
            f"AssignmentFit({counted(len(self.names), 'coefficient')} of {n} x {m} pairs by {self.method}{penalty}, "
            f"log_likelihood={self.log_likelihood:.6g}, {self.status} after "
            f"{counted(self.n_iterations, 'iteration')})"
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format="{:.4f}".format))


def check_level(level: float) -> float:
    """Return a confidence if it is between 0 and 1."""
    if not 0 < level < 1:
        raise InvalidInputError(f"level must be between 0 and 1, found {level!r}")
    return float(level)
