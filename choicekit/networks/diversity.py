"""How evenly interactions are spread over pairs and over partners."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["effective_partners", "entropy_of_sums", "shannon_of"]

FloatArray = npt.NDArray[np.float64]


def shannon_of(counts: FloatArray) -> float:
    """Return the Shannon diversity of interactions, -sum p log p with p the shares of pairs, in nats.

    Examples
    --------
    >>> round(shannon_of(np.array([[1.0, 1.0], [2.0, 0.0]])), 6)
    1.039721
    """
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * np.log(shares)).sum()) + 0.0


def entropy_of_sums(counts: FloatArray, axis: int) -> float:
    """Return the Shannon diversity of the sums of one side, summed over `axis`, in nats."""
    return shannon_of(counts.sum(axis=axis))


def effective_partners(counts: FloatArray, axis: int) -> FloatArray:
    """Return the effective number of partners: exp of the Shannon diversity of each species' interactions.

    Parameters
    ----------
    counts : ndarray (n, m)
    axis : int
        That partners are on: 1 for those of rows.

    Returns
    -------
    ndarray (n,) or (m,)
        0 for a species without interactions.

    References
    ----------
    Bersier, Banasek-Richter & Cattin (2002), "Quantitative descriptors of food-web matrices", Ecology 83, eq. 5.

    Examples
    --------
    >>> effective_partners(np.array([[2.0, 2.0], [0.0, 0.0]]), axis=1).round(6)
    array([2., 0.])
    """
    sums = counts.sum(axis=axis, keepdims=True)
    shares = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.asarray(np.where(sums.squeeze(axis) > 0, np.exp(-(shares * logs).sum(axis=axis)), 0.0))
