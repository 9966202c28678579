"""The truncated normal distribution, with its digits kept in the tails and between narrow bounds."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["truncated_moments", "truncated_values"]

FloatArray = npt.NDArray[np.float64]

_NARROW = 2.0  # the density between the bounds falls by at most e^-2: Gauss's rule integrates it to the last digit
_TAIL = 20.0  # in standard units: from here on distances from the bound are solved for, which places would swallow
_FAR = 1e8  # out here the density is exp(-a t) over t = x - a to double precision
_STEPS = 5  # of Newton's method, from a start that is right to a few percent
_FEW_NODES = 16
_NODES = 128
_FORGOTTEN = 45.0  # the density is left out where it is e^-45 of its peak
_LARGEST = 1e300  # standard units, so that their products with what is integrated stay finite


def truncated_values(uniform: FloatArray, mean: float, sd: float, low: float, high: float) -> FloatArray:
    """Return the inverse distribution function of a normal number between two bounds.

    Parameters
    ----------
    uniform : ndarray (...)
        Strictly between 0 and 1.
    mean, sd : float
        Of the normal number; where sd is 0 the mean, which lies between the bounds, is all there is.
    low, high : float
        Bounds, low < high; may be infinite.

    Returns
    -------
    ndarray (...)
        From `low` to `high`, increasing with `uniform`.

    Notes
    -----
    Let a and b be the bounds in standard units, Z = Phi(b) - Phi(a) and p the uniform number. Where both bounds are
    not far out, log Phi(x) = log(Phi(a) + p Z) is inverted for x < 0, and above 0 the same of 1 - Phi with 1 - p.
    Beyond 20 standard units, and between bounds so near each other that the density falls by less than e^-2, the
    distance t = x - a is solved for instead, by Newton's method on the integral of exp(-a t - t^2 / 2).

    Examples
    --------
    >>> truncated_values(np.array([0.5]), 0.0, 1.0, 40.0, np.inf).round(6)
    array([40.017314])
    """
    if sd == 0:
        return np.full(np.shape(uniform), mean)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        a, b, width = (low - mean) / sd, (high - mean) / sd, (high - low) / sd
        mirrored = b < 0  # then everything is seen from the other end
        bound = -b if mirrored else a
        parts = (1 - uniform, uniform) if mirrored else (uniform, 1 - uniform)
        if _is_near(bound, width):
            offset = sd * _offset(*parts, bound, width)
            result = high - offset if mirrored else low + offset
        else:
            result = mean + sd * _standard(uniform, a, b)
    return np.asarray(np.clip(result, low, high))


def _is_near(a: float, width: float) -> bool:
    """Whether what is drawn is near the bound a, so that its distance from there keeps digits that its place loses."""
    return a > _TAIL or (abs(a) + width) * width < _NARROW


def _offset(uniform: FloatArray, rest: FloatArray, a: float, width: float) -> FloatArray:
    """Inverse distribution function of the density exp(-a t - t^2 / 2) on [0, width]; `rest` is 1 - `uniform`."""
    start = _tilted(uniform, a, width)
    if a > _FAR:
        return start
    narrow = (abs(a) + width) * width < _NARROW
    if narrow:
        wanted = uniform * _integral(np.asarray(width), a)
    else:
        fall = float(_fall(np.asarray(width), a)) if width < math.inf else math.inf
        near, far = -np.log1p(uniform * math.expm1(-fall)), -np.log(rest + uniform * math.exp(-fall))
        wanted = np.where(uniform < 0.5, near, far)  # each keeps the digits of what is small
    offset = np.clip(start, 0.0, width)
    for _ in range(_STEPS):
        if narrow:
            step = (_integral(offset, a) - wanted) * np.exp(offset * (a + offset / 2))
        else:
            hazard = math.sqrt(2 / math.pi) / special.erfcx((a + offset) / math.sqrt(2))
            step = (_fall(offset, a) - wanted) / hazard
        offset = np.clip(offset - step, 0.0, width)
    return np.asarray(offset)


def _integral(offset: FloatArray, a: float) -> FloatArray:
    """Integral of exp(-a t - t^2 / 2) from 0 to `offset`, where that falls by little."""
    nodes, weights = _gauss(_FEW_NODES)
    t = offset[..., None] * nodes
    return np.asarray(offset * (np.exp(-t * (a + t / 2)) @ weights))


def _fall(offset: FloatArray, a: float) -> FloatArray:
    """Minus the logarithm of (1 - Phi(a + t)) / (1 - Phi(a))."""
    ratio = special.erfcx((a + offset) / math.sqrt(2)) / special.erfcx(a / math.sqrt(2))
    return np.asarray(offset * (a + offset / 2) - np.log(ratio))


def _standard(uniform: FloatArray, a: float, b: float) -> FloatArray:
    """Inverse distribution function of a standard normal number between a and b."""
    log_mass = _log_mass(a, b)
    below = np.logaddexp(special.log_ndtr(a), np.log(uniform) + log_mass)
    above = np.logaddexp(special.log_ndtr(-b), np.log1p(-uniform) + log_mass)
    left, right = special.ndtri_exp(np.minimum(below, 0)), -special.ndtri_exp(np.minimum(above, 0))
    return np.where(below < math.log(0.5), left, right)


def _log_mass(a: float, b: float) -> float:
    """log(Phi(b) - Phi(a)), from the side of zero where the interval lies."""
    if a <= 0 <= b:
        return math.log((math.erf(b / math.sqrt(2)) - math.erf(a / math.sqrt(2))) / 2)
    low, high = (a, b) if b < 0 else (-b, -a)
    larger = float(special.log_ndtr(high))
    return larger + math.log(-math.expm1(float(special.log_ndtr(low)) - larger))


def _tilted(uniform: FloatArray, slope: float, width: float) -> FloatArray:
    """Inverse distribution function of the density exp(-slope t) on [0, width]."""
    tilt = slope * width
    if abs(tilt) < 1e-15:
        return width * uniform
    if tilt < 0:  # seen from the other end, so that the exponential cannot overflow
        return width - _tilted(1 - uniform, -slope, width)
    return -np.log1p(uniform * math.expm1(-tilt)) / slope


def truncated_moments(mean: float, sd: float, low: float, high: float) -> tuple[float, float]:
    """Return the mean and the standard deviation of a normal number between two bounds.

    Parameters
    ----------
    mean, sd, low, high : float
        As `truncated_values`.

    Notes
    -----
    The formulas with phi and Phi cancel in the tails and between narrow bounds. Here the density is measured from its
    peak and integrated by Gauss's rule with 128 nodes over where it is more than e^-45 of the peak.

    Examples
    --------
    >>> tuple(round(moment, 6) for moment in truncated_moments(0.0, 1.0, 0.0, np.inf))
    (0.797885, 0.60281)
    """
    if sd == 0:
        return mean, 0.0
    peak = min(max(mean, low), high)
    with np.errstate(over="ignore"):
        start = min(float(np.abs(np.float64(peak) - mean) / sd), _LARGEST)
        ends = np.array([low - peak, high - peak]) / sd
        # hypot, as the square of the start may be beyond the largest float
        reach = 2 * _FORGOTTEN / (start + math.hypot(start, math.sqrt(2 * _FORGOTTEN)))
        left, right = np.clip(ends / reach, -1.0, 1.0)
    nodes, weights = _gauss(_NODES)
    parts = left + (right - left) * nodes  # of the reach
    steps = np.abs(parts) * reach
    # exp(-x^2 / 2) over its peak, x = start + |step| away from the mean
    density = weights * np.exp(-steps * (start + steps / 2))
    centre = float(density @ parts / density.sum())
    variance = float(density @ (parts - centre) ** 2 / density.sum())
    return min(max(peak + sd * reach * centre, low), high), sd * reach * math.sqrt(variance)


@cache
def _gauss(n_nodes: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    return (nodes + 1) / 2, weights / 2
