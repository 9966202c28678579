"""The ridge penalty by cross-validation: which one predicts matches it has not seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.observations import Observations
from choicekit.random import Draws, Stage

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CrossValidation", "Held", "choose_penalty", "folds_of"]

FloatArray = npt.NDArray[np.float64]
Held = Callable[[Observations, Observations, FloatArray], FloatArray]

_POWERS = np.arange(-4.0, 4.0)  # of ten, times the information of an average coefficient


@dataclass(frozen=True, kw_only=True, eq=False)
class CrossValidation:
    """How well each penalty predicts.

    Attributes
    ----------
    penalties : ndarray (L,)
        Ascending.
    scores : ndarray (L,)
        Mean log probability of an observation that was held out, over folds.
    fold_scores : ndarray (F, L)
        By fold.
    best : float
        The penalty with the largest score.
    """

    penalties: FloatArray
    scores: FloatArray
    fold_scores: FloatArray
    best: float

    def to_frame(self) -> pd.DataFrame:
        """Return a row a penalty: penalty, score, standard_error over folds."""
        import pandas as pd

        spread = np.std(self.fold_scores, axis=0, ddof=1) / np.sqrt(len(self.fold_scores))
        return pd.DataFrame({"penalty": self.penalties, "score": self.scores, "standard_error": spread})

    def __repr__(self) -> str:
        return f"CrossValidation({len(self.fold_scores)} folds, {self.penalties.size} penalties, best={self.best:.4g})"


def choose_penalty(
    observations: Observations, information: FloatArray, *, folds: int, seed: int, score: Held
) -> CrossValidation:
    """Return the scores of a range of penalties and the best of them.

    Parameters
    ----------
    observations : Observations
        Of whole counts.
    information : ndarray (K, K)
        Of one observation, at coefficients of 0: penalties from 1e-4 to 1e3 times its mean diagonal times the number
        of observations are tried.
    folds, seed : int
    score : callable
        Takes observations to fit, those held out and the penalties; returns the score of each.
    """
    penalties = observations.weight * float(np.mean(np.diag(information))) * 10.0**_POWERS
    scores = np.array([score(kept, held, penalties) for kept, held in folds_of(observations, folds, seed)])
    means = scores.mean(axis=0)
    return CrossValidation(
        penalties=penalties, scores=means, fold_scores=scores, best=float(penalties[int(np.argmax(means))])
    )


def folds_of(observations: Observations, folds: int, seed: int) -> Iterator[tuple[Observations, Observations]]:
    """Yield what is fitted and what is held out, of each fold: every observation is put in a fold at random.

    Parameters
    ----------
    observations : Observations
        Of whole counts.
    folds, seed : int

    Notes
    -----
    Counts are thinned: of what is left of a count, fold f of F takes a binomial number with probability 1 / (F - f).
    Both parts are put back in the units of mass of the whole.
    """
    parts = _thinned(observations, folds, seed)
    whole = parts.sum(axis=0)
    for part in parts:
        held, kept = part.sum(), whole.sum() - part.sum()
        if held == 0 or kept == 0:
            continue
        total = observations.total
        yield (
            observations.with_outcomes((whole - part) * (total / kept), float(kept)),
            observations.with_outcomes(part * (total / held), float(held)),
        )


def _thinned(observations: Observations, folds: int, seed: int) -> FloatArray:
    """Return counts of each outcome by fold, (F, n m + n + m)."""
    from scipy import stats

    left = np.rint(observations.outcomes * (observations.weight / observations.total))
    words = np.arange(left.size, dtype=np.uint64)
    draws = Draws(seed=seed, stage=Stage.SYNTHETIC, rows=words, alternatives=np.zeros(1, dtype=np.uint64))
    parts = []
    for fold in range(folds - 1):
        part = stats.binom.ppf(draws.uniforms(fold)[:, 0], left, 1.0 / (folds - fold))
        parts.append(part)
        left = left - part
    return np.array([*parts, left])
