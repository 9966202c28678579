"""The truncated normal distribution, with its digits kept in the tails and between narrow bounds."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import special

__all__ = ["truncated_moments", "truncated_values"]

FloatArray = npt.NDArray[np.float64]

_NARROW = 1e-8  # in standard units: bounds this close see a density that is straight on the log scale
_FAR = 1e8  # so do those this far out
_NODES = 128
_FORGOTTEN = 45.0  # the density is left out where it is e^-45 of its peak


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
    For x < 0 in standard units, log Phi(x) = log(Phi(a) + p Z), and above the same holds of 1 - Phi with 1 - p, where
    Z = Phi(b) - Phi(a); both are at most log(1/2), so inverting them loses nothing. Bounds less than 1e-8 apart in
    standard units are too close for Z, and those 1e8 out too far: there the density is exp(-a t) over t = x - a to
    double precision.

    Examples
    --------
    >>> truncated_values(np.array([0.5]), 0.0, 1.0, 40.0, np.inf).round(6)
    array([40.017314])
    """
    if sd == 0:
        return np.full(np.shape(uniform), mean)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
        a, b, width = (low - mean) / sd, (high - mean) / sd, (high - low) / sd
        if width < _NARROW or a > _FAR:
            result = low + sd * _tilted(uniform, a, width)
        elif b < -_FAR:
            result = high - sd * _tilted(1 - uniform, -b, width)
        else:
            result = mean + sd * _standard(uniform, a, b)
    return np.asarray(np.clip(result, low, high))


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
    start = abs(peak - mean) / sd
    reach = 2 * _FORGOTTEN / (start + math.sqrt(start * start + 2 * _FORGOTTEN)) if start < 1e150 else 0.0
    left, right = -min((peak - low) / sd, reach), min((high - peak) / sd, reach)
    nodes, weights = _gauss()
    steps = left + (right - left) * nodes
    # exp(-x^2 / 2) over its peak, x = start + |step| away from the mean
    density = weights * np.exp(-np.abs(steps) * (start + np.abs(steps) / 2))
    centre = float(density @ steps / density.sum())
    variance = float(density @ (steps - centre) ** 2 / density.sum())
    return min(max(peak + sd * centre, low), high), sd * math.sqrt(variance)


@cache
def _gauss() -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights
