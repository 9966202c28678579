"""Eighth station: frequencies of draws become probabilities, at the rate of one over the root of their number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy import special

from choicekit.execution import Block, LocalThreads, Pass, Progress, run_pass
from choicekit.execution.passes import silent
from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import Softmax
from choicekit.tour.chi_square import follows
from choicekit.tour.claims import LEAST_P_VALUE, Claim, FloatArray, IntArray, Station

__all__ = ["ConvergenceStation", "visit_convergence"]

SMALLEST_VARIANCE = 10.0
"""Least variance of the count of some alternative: with less to happen, errors do not shrink with the root yet."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ConvergenceStation(Station):
    """Counts of Gumbel-max draws after more and more of them.

    Attributes
    ----------
    utility, probabilities : ndarray (J,)
    draws : ndarray (P,)
        Numbers of draws, rising; each goes on from the one before.
    counts : ndarray (P, R, J)
        How often each alternative was drawn, in R independent replications.
    expected_error : ndarray (P,)
        Mean over alternatives of E |frequency - probability|, for normal errors.
    slopes : ndarray (R,)
        Of log mean error on log number of draws; nan where nothing can be fitted.
    slope, slope_error : float
        Their mean and its standard error; -1/2 in theory.
    p_value : float
        Probability of a mean slope as far from -1/2 by chance, by Student's t.

    Notes
    -----
    A frequency has standard deviation sqrt(p (1 - p) / N), and E |x| = sd sqrt(2 / pi) for a normal x.
    Errors at different N of one replication go on from the same draws, so a slope is fitted to each replication, and
    the spread of slopes tells how sure their mean is.
    """

    name: ClassVar[str] = "convergence"
    title: ClassVar[str] = "A hundred times the draws, a tenth of the error"

    utility: FloatArray
    probabilities: FloatArray
    draws: IntArray
    counts: IntArray
    expected_error: FloatArray
    slopes: FloatArray
    slope: float
    slope_error: float
    p_value: float

    @property
    def replications(self) -> int:
        """Number of independent replications."""
        return int(self.counts.shape[1])

    @property
    def frequencies(self) -> FloatArray:
        """Counts over numbers of draws, shape (P, R, J)."""
        return np.asarray(self.counts / self.draws[:, None, None])

    @property
    def mean_errors(self) -> FloatArray:
        """Mean over alternatives of |frequency - probability|, shape (P, R)."""
        return np.asarray(np.abs(self.frequencies - self.probabilities).mean(axis=-1))

    @property
    def largest_errors(self) -> FloatArray:
        """Largest over alternatives of |frequency - probability|, shape (P, R)."""
        return np.asarray(np.abs(self.frequencies - self.probabilities).max(axis=-1))


def visit_convergence(
    utility: FloatArray,
    draws: IntArray,
    replications: int,
    *,
    seed: int,
    workers: int = 1,
    progress: Progress = silent,
) -> ConvergenceStation:
    """Draw and count.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.
    draws : ndarray (P,)
        Numbers of draws at which frequencies are looked at, rising.
    replications : int
        At least 1.
    seed : int
    workers : int
        Threads; the result does not depend on their number.
    progress : Progress

    Examples
    --------
    >>> station = visit_convergence(np.array([0.0, 1.0]), np.array([100, 1000, 10_000]), 8, seed=1)
    >>> station.counts.sum(axis=-1)[:, 0].tolist(), abs(station.slope + 0.5) < 0.1, station.passed
    ([100, 1000, 10000], True, True)
    """
    p = Softmax().probabilities(utility)
    counts = _counts(utility, draws, replications, seed, workers, progress)
    mean_error = np.abs(counts / draws[:, None, None] - p).mean(axis=-1)
    fitted = draws * (p * (1 - p)).max() >= SMALLEST_VARIANCE
    slopes = _slopes(draws[fitted], mean_error[fitted])
    slope, error = _mean_and_error(slopes)
    p_value = _p_value(slope, error, replications)
    return ConvergenceStation(
        utility=utility,
        probabilities=p,
        draws=draws,
        counts=counts,
        expected_error=np.sqrt(2 * p * (1 - p) / np.pi).mean() / np.sqrt(draws),
        slopes=slopes,
        slope=slope,
        slope_error=error,
        p_value=p_value,
        checks=tuple(_checks(counts, p, p_value)),
    )


@dataclass(frozen=True)
class _Counts:
    counts: IntArray

    def merge(self, other: Self) -> Self:
        return type(self)(self.counts + other.counts)


def _counts(
    utility: FloatArray, draws: IntArray, replications: int, seed: int, workers: int, progress: Progress
) -> IntArray:
    rule, words = Softmax(), alternative_words(np.arange(utility.size))

    def outcome(block: Block, _: object) -> _Counts:
        agents = np.arange(block.start, block.stop)
        address = Draws(seed=seed, stage=Stage.CHOICE, rows=row_words(agents), alternatives=words)
        rows = np.broadcast_to(utility, (len(block), utility.size))
        choices = rule.coherent_choices(rows, address, range(replications))
        ends = np.clip(draws - block.start, 0, len(block))
        return _Counts(np.stack([_bincounts(choices[:, :end], utility.size) for end in ends]))

    work = Pass(name="Gumbel-max draws", outcome=outcome, finish=lambda merged, _: merged.counts)
    counts: IntArray = run_pass(work, int(draws[-1]), executor=LocalThreads(workers), progress=progress)
    return counts


def _bincounts(choices: IntArray, n_alternatives: int) -> IntArray:
    return np.stack([np.bincount(row, minlength=n_alternatives) for row in choices])


def _slopes(draws: IntArray, errors: FloatArray) -> FloatArray:
    """Least-squares slope of each replication, nan where there is no line."""
    if draws.size < 2 or np.any(errors == 0):
        return np.full(errors.shape[1], np.nan)
    x = np.log(draws) - np.log(draws).mean()
    return np.asarray(x @ np.log(errors) / (x @ x))


def _mean_and_error(slopes: FloatArray) -> tuple[float, float]:
    error = float(slopes.std(ddof=1) / np.sqrt(slopes.size)) if slopes.size > 1 else np.nan
    return float(slopes.mean()), error


def _p_value(slope: float, error: float, replications: int) -> float:
    if not error > 0:
        return np.nan
    return float(2 * special.stdtr(replications - 1, -abs(slope + 0.5) / error))


def _checks(counts: IntArray, p: FloatArray, p_value: float) -> list[Claim]:
    checks = [
        follows("frequencies", "frequencies of all draws agree with softmax", counts[-1].sum(axis=0), p),
    ]
    if np.isfinite(p_value):
        checks.append(
            Claim(
                name="rate",
                title="errors shrink with one over the square root of the number of draws",
                measure="p-value of a slope as far from -1/2",
                value=p_value,
                limit=LEAST_P_VALUE,
                relation=">=",
                unit="p-value",
            )
        )
    return checks
