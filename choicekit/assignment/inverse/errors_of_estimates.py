"""How much estimates would differ with other observations: sandwich covariance, and the bootstrap by row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.assignment.inverse.criterion import Criterion
from choicekit.assignment.inverse.maximise import Maximum
from choicekit.assignment.inverse.observations import Observations
from choicekit.random import Draws, Stage, identifier_words

__all__ = ["Bootstrap", "row_multiplicities", "sandwich"]

FloatArray = npt.NDArray[np.float64]

_CUMULATED = special.pdtr(np.arange(25), 1.0)  # uniforms of 52 bits never reach beyond


def sandwich(maximum: Maximum, criterion: Criterion, observations: Observations) -> FloatArray:
    """Return the covariance of estimates, (K, K): A^-1 B A^-1 / N.

    Parameters
    ----------
    maximum : Maximum
    criterion : Criterion
    observations : Observations
        With a known number.

    Notes
    -----
    A is minus the Hessian, penalty included; B the covariance of the scores of single observations. Counts of outcomes
    are independent Poisson numbers; where the masses say what all matches weigh, they are given their total, and scores
    are taken less their mean. Masses that come from the same observations (observed sums, and masses with an outside
    option) vary with them, and the scores hold what that does; other masses are known numbers.

    References
    ----------
    White (1982), "Maximum likelihood estimation of misspecified models", Econometrica 50, theorem 3.2.
    """
    response = maximum.evaluation.response
    shares = observations.outcomes / observations.total
    scores = criterion.scores(response, observations)
    if response.model.total_is_given:
        scores = scores - (scores @ shares)[:, None]
    middle = (scores * shares) @ scores.T
    bread = np.linalg.inv(maximum.curvature)
    return np.asarray(bread @ middle @ bread / observations.weight)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bootstrap:
    """Estimates from resampled rows.

    Attributes
    ----------
    coefficients : ndarray (R, K)
        nan where a resample could not be fitted.
    names : tuple of str
    seed : int
    """

    coefficients: FloatArray
    names: tuple[str, ...]
    seed: int

    @property
    def n_failed(self) -> int:
        """How many resamples could not be fitted; standard errors leave them out."""
        return int(np.isnan(self.coefficients[:, 0]).sum())

    @property
    def standard_errors(self) -> FloatArray:
        """Standard deviation of each coefficient over resamples, (K,); nan for fewer than two."""
        fitted = self.coefficients[~np.isnan(self.coefficients[:, 0])]
        return np.std(fitted, axis=0, ddof=1) if len(fitted) > 1 else np.full(len(self.names), np.nan)

    def __repr__(self) -> str:
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"Bootstrap({len(self.coefficients)} resamples of rows{failed}, seed={self.seed})"


def row_multiplicities(names: tuple[str, ...] | None, n_rows: int, seed: int, replications: int) -> FloatArray:
    """Return how often each row occurs in each resample, (R, n): independent Poisson numbers of mean 1.

    Parameters
    ----------
    names : tuple of str or None
        Addresses of the rows; without them their places.
    n_rows, seed, replications : int

    Examples
    --------
    >>> row_multiplicities(None, 3, 1, 2).shape
    (2, 3)
    """
    words = identifier_words(list(names) if names is not None else np.arange(n_rows), "row")
    draws = Draws(seed=seed, stage=Stage.BOOTSTRAP, rows=words, alternatives=np.zeros(1, dtype=np.uint64))
    return np.array([np.searchsorted(_CUMULATED, draws.uniforms(r)[:, 0]) for r in range(replications)])
