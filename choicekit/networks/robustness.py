"""How much of one side is left as species of the other disappear, links staying as they are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["random_loss_curve", "robustness_of", "static_loss_curve"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


def random_loss_curve(counts: FloatArray, axis: int) -> FloatArray:
    """Return the mean share of partners left after 0, 1, ... species were lost in random order: exact, nothing drawn.

    Parameters
    ----------
    counts : ndarray (n, m)
    axis : int
        Side that is lost: 0 for rows.

    Returns
    -------
    ndarray (n + 1,)
        Of the partners that had any link, the share that has one left.

    Notes
    -----
    A partner of degree k is gone after t of n losses with probability C(t, k) / C(n, k).

    References
    ----------
    Memmott, Waser & Price (2004), "Tolerance of pollination networks to species extinctions", Proceedings B 271; the
    mean over orders in closed form.

    Examples
    --------
    >>> random_loss_curve(np.array([[1.0, 0.0], [0.0, 1.0]]), axis=0)
    array([1. , 0.5, 0. ])
    """
    from scipy.special import gammaln

    table = counts if axis == 0 else counts.T
    n, degrees = len(table), np.count_nonzero(table, axis=0)
    degrees = degrees[degrees > 0][:, None]
    lost = np.arange(n + 1)[None, :]
    with np.errstate(invalid="ignore"):
        log_gone = (
            gammaln(lost + 1) - gammaln(np.maximum(lost - degrees, 0) + 1) - gammaln(n + 1) + gammaln(n - degrees + 1)
        )
    gone = np.where(lost >= degrees, np.exp(log_gone), 0.0)
    curve = 1.0 - gone.mean(axis=0)
    curve[-1] = 0.0
    return np.asarray(curve)


def static_loss_curve(counts: FloatArray, order: IntArray, axis: int) -> FloatArray:
    """Return the share of partners with a link left after each loss, in a given order.

    Parameters
    ----------
    counts : ndarray (n, m)
    order : ndarray of int
        Places of the species that are lost, the first first.
    axis : int
        Side that is lost: 0 for rows.

    Examples
    --------
    >>> static_loss_curve(np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([1, 0]), axis=0)
    array([1., 1., 0.])
    """
    links = (counts if axis == 0 else counts.T) > 0
    links = links[:, links.any(axis=0)]
    if links.shape[1] == 0:
        return np.zeros(len(order) + 1)
    left = links.sum(axis=0) - np.cumsum(np.vstack([np.zeros(links.shape[1], dtype=int), links[order]]), axis=0)
    return np.asarray((left > 0).mean(axis=1))


def robustness_of(curve: FloatArray) -> float:
    """Return the area below a curve of losses, from none lost to all: 0 to 1, by trapezoids.

    References
    ----------
    Burgos et al. (2007), "Why nestedness in mutualistic networks?", Journal of Theoretical Biology 249.

    Examples
    --------
    >>> robustness_of(np.array([1.0, 0.5, 0.0]))
    0.5
    """
    return float(np.mean((curve[1:] + curve[:-1]) / 2)) if curve.size > 1 else float("nan")
