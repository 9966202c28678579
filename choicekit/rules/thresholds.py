"""Probabilities of the Tsallis rules: powers of what stands above a threshold, which is where the work is.

With z = (u - max u) / T <= 0 and beta = alpha - 1, an alternative is chosen with probability

    q = (1 + beta (z - w))_+ ^ (1 / beta),    w such that the probabilities sum to one.

These are the readable twins of compiled loops. Rows are independent: a row's answer is the same in any company.
"""

from __future__ import annotations

import numpy as np

from choicekit.rules.protocol import FloatArray
from choicekit.rules.utilities import row_maximum, row_sum

__all__ = ["threshold_gap", "threshold_probabilities"]

_STEPS = 200  # far more than were ever needed: six for alpha < 2, a dozen above


def threshold_probabilities(scaled: FloatArray, alpha: float) -> FloatArray:
    """Return the probabilities of a Tsallis rule with alpha > 1.

    Parameters
    ----------
    scaled : ndarray (..., J)
        (u - max u) / T, at most 0 and 0 at the maxima, minus infinity where unavailable.
    alpha : float
        Above 1.

    Returns
    -------
    ndarray (..., J)
        Each row sums to one; exactly 0 at least where z <= -1 / (alpha - 1).

    Notes
    -----
    For alpha of 2 and 3/2 the threshold has a closed form over each set of best alternatives, and sorting finds the
    set. Otherwise Newton's method is run on a convex function from its upper side, where it cannot overshoot. For
    alpha < 2 that is the norm (sum q)^beta as a function of the threshold; it starts at the end of the bracket
    0 <= w <= (1 - J^(1-alpha)) / (alpha - 1) at which the best alternative has all. For alpha > 2 the smallest
    probabilities react to the threshold without bound, so the unknown is the smallest probability itself.

    References
    ----------
    Martins & Astudillo (2016), "From softmax to sparsemax", algorithm 1 (alpha = 2).
    Peters, Niculae & Martins (2019), "Sparse sequence-to-sequence models", section 3.2: sorting for alpha = 1.5, and
    the bisection that Newton's method replaces here.

    Examples
    --------
    >>> threshold_probabilities(np.array([0.0, -0.5, -2.0]), 2.0)
    array([0.75, 0.25, 0.  ])
    """
    rows = scaled.reshape(-1, scaled.shape[-1])
    if alpha == 2:
        chosen = _above_threshold(rows)
    elif alpha == 1.5:
        chosen = _squares_above_threshold(rows)
    elif alpha < 2:
        chosen = _by_threshold(rows, alpha - 1)
    else:
        chosen = _by_smallest(rows, alpha - 1)
    return chosen.reshape(scaled.shape)


def threshold_gap(scaled: FloatArray, alpha: float) -> FloatArray:
    """Return (value - max u) / T of a Tsallis rule with alpha > 1.

    Parameters
    ----------
    scaled : ndarray (..., J)
        (u - max u) / T, as for `threshold_probabilities`.
    alpha : float
        Above 1.

    Returns
    -------
    ndarray (...)
        At least 0 and at most (1 - J^(1 - alpha)) / (alpha (alpha - 1)).

    Examples
    --------
    >>> threshold_gap(np.array([0.0, -0.5, -2.0]), 2.0).round(6)
    np.float64(0.0625)
    """
    p, beta = threshold_probabilities(scaled, alpha), alpha - 1
    met = row_sum(np.where(p > 0, p * np.where(p > 0, scaled, 0.0), 0.0))
    # p^beta = best^beta + beta z for what is chosen, so that Omega(p) needs no power but that of the best
    lead = -np.expm1(beta * np.log(row_maximum(p))) / beta
    return np.maximum((lead + beta * met) / alpha, 0.0)


def _descending(values: FloatArray) -> FloatArray:
    return -np.sort(-values, axis=-1)


def _above_threshold(scaled: FloatArray) -> FloatArray:
    """Return (z - tau)_+ with tau = (sum of the k best - 1) / k."""
    z = np.maximum(scaled, -1.0)  # nothing further down is chosen
    ordered = _descending(z)
    thresholds = (ordered.cumsum(axis=-1) - 1) / np.arange(1, z.shape[-1] + 1)
    n_chosen = (ordered > thresholds).sum(axis=-1, keepdims=True)
    return np.maximum(z - np.take_along_axis(thresholds, n_chosen - 1, axis=-1), 0.0)


def _squares_above_threshold(scaled: FloatArray) -> FloatArray:
    """Return (z / 2 - tau)_+^2, tau from the mean and the variance of the k best."""
    z = np.maximum(scaled / 2, -1.0)
    ordered, counts = _descending(z), np.arange(1, z.shape[-1] + 1)
    means = ordered.cumsum(axis=-1) / counts
    spread = 1 / counts - ((ordered**2).cumsum(axis=-1) / counts - means**2)
    thresholds = means - np.sqrt(np.maximum(spread, 0.0))
    n_chosen = (ordered > thresholds).sum(axis=-1, keepdims=True)
    root = np.maximum(z - np.take_along_axis(thresholds, n_chosen - 1, axis=-1), 0.0)
    # the variance of many has lost digits: one step of Newton's method brings them back
    root = np.where(root > 0, root + (1 - row_sum(root**2)[:, None]) / (2 * row_sum(root)[:, None]), 0.0)
    return _shares(np.maximum(root, 0.0) ** 2)


def _by_threshold(scaled: FloatArray, beta: float) -> FloatArray:
    """Return q for beta < 1, by Newton's method for w on (sum q)^beta = 1.

    With G = sum q the step is (1 - G^-beta) / beta over the relative slope of G; the fraction in G is a little smaller
    where G > 1, agrees to second order, and takes no power.
    """
    chosen, threshold = np.empty(scaled.shape), np.zeros(len(scaled))
    going = np.arange(len(scaled))
    for _ in range(_STEPS):
        # measured by w and not by tau = beta w - 1, so that alpha near 1 loses no digits
        lift = np.maximum(beta * (scaled[going] - threshold[going, None]), -1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            chosen[going] = q = np.exp(np.log1p(lift) / beta)
            slope = row_sum(np.where(q > 0, q / (1 + lift), 0.0))
        total = row_sum(q)
        excess = total - 1
        step = 2 * excess / (2 + (1 + beta) * excess) * (total / slope)
        threshold[going] += step
        going = going[step > np.finfo(np.float64).eps * (1 + threshold[going])]
        if going.size == 0:
            break
    return _shares(chosen)


def _by_smallest(scaled: FloatArray, beta: float) -> FloatArray:
    """Return q for beta > 1, by Newton's method for the smallest positive probability r.

    Alternative k is the worst that is chosen: the last one, going down, for which the q of the better ones would sum
    to less than one if its own were 0. With q = (r^beta + beta (z - z_k))^(1/beta) the sum is convex in r, and its
    slope lies between 1 and the number of the chosen.
    """
    z = np.maximum(scaled, -2 / beta)  # nothing below -1 / beta is chosen
    heights, r = _heights_above_worst(z, beta)
    chosen, going = np.empty(z.shape), np.arange(len(z))
    for _ in range(_STEPS):
        smallest = r[going, None]
        chosen[going] = q = _power_sum(heights[going], smallest, beta)
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = row_sum(np.where(q > smallest, (smallest / q) ** (beta - 1), q > 0))
        # the slope is 0 where r is, below which it cannot go
        step = np.divide(row_sum(q) - 1, slope, out=np.zeros_like(slope), where=slope > 0)
        r[going] = np.maximum(r[going] - step, 0.0)
        going = going[step > np.finfo(np.float64).eps]
        if going.size == 0:
            break
    return _shares(chosen)


def _heights_above_worst(z: FloatArray, beta: float) -> tuple[FloatArray, FloatArray]:
    """Return (beta (z - z_k))^(1/beta), minus one for what is not chosen, and where to start from: 1 / k."""
    ordered = _descending(z)
    low, high = np.zeros(len(z), dtype=np.int64), np.full(len(z), z.shape[-1] - 1)
    while np.any(low < high):
        middle = (low + high + 1) // 2
        above = np.maximum(z - np.take_along_axis(ordered, middle[:, None], axis=-1), 0.0)
        fits = row_sum(np.where(above > 0, (beta * above) ** (1 / beta), 0.0)) < 1
        low, high = np.where(fits, middle, low), np.where(fits, high, middle - 1)
    above = z - np.take_along_axis(ordered, low[:, None], axis=-1)
    heights = np.where(above > 0, (beta * np.maximum(above, 0.0)) ** (1 / beta), np.where(above < 0, -1.0, 0.0))
    return heights, 1 / (heights >= 0).sum(axis=-1)


def _power_sum(heights: FloatArray, smallest: FloatArray, beta: float) -> FloatArray:
    """Return (h^beta + r^beta)^(1/beta) without the powers, which underflow; 0 for what is not chosen."""
    larger = np.maximum(heights, smallest)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.minimum(np.maximum(heights, 0.0), smallest) / larger
        whole = larger * np.exp(np.log1p(ratio**beta) / beta)
    return np.where(heights > 0, whole, np.where(heights == 0, smallest, 0.0))


def _shares(weights: FloatArray) -> FloatArray:
    return np.asarray(weights / row_sum(weights)[:, None])
