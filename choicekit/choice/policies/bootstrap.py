"""The bootstrap by agent: how much results would differ with other agents from where these came from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.random import Draws, Stage

__all__ = ["multiplicities"]

FloatArray = npt.NDArray[np.float64]

_MOST = 25  # a Poisson number of mean 1 exceeds this with probability 1e-27: never, among uniforms of 52 bits
_CUMULATED = special.pdtr(np.arange(_MOST), 1.0)


def multiplicities(seed: int, agents: npt.NDArray[np.uint64], resamples: range) -> FloatArray:
    """Return how often each agent occurs in each resample, shape (B, n).

    Parameters
    ----------
    seed : int
    agents : ndarray (n,) of uint64
        Address words of the agents of some rows, without their situations: an agent is drawn with all of these.
    resamples : range

    Returns
    -------
    ndarray (B, n)
        Independent Poisson numbers of mean 1, one an agent and resample.

    Notes
    -----
    Drawing each agent a Poisson number of times is the bootstrap for many agents at once, without a fixed total: an
    agent's number depends on its own address alone, not on who else is there. Shares and means are ratios, so that
    the total does not matter.

    References
    ----------
    Chamandy, Muralidharan, Najmi & Naidu (2012), "Estimating uncertainty for massive data streams", section 3.

    Examples
    --------
    >>> float(multiplicities(1, np.arange(4, dtype=np.uint64), range(1000)).mean().round(1))
    1.0
    """
    draws = Draws(seed=seed, stage=Stage.BOOTSTRAP, rows=agents, alternatives=np.zeros(1, dtype=np.uint64))
    drawn = np.empty((len(resamples), agents.size))
    for place, resample in enumerate(resamples):
        uniform = draws.uniforms(resample)[:, 0]
        drawn[place] = np.searchsorted(_CUMULATED, uniform)
    return drawn
