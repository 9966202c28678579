"""Distributions that a coefficient may have among agents, by name as YAML says them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.choice.heterogeneity.coefficient_distribution import (
    CoefficientDistribution,
    check_bound,
    check_finite,
    check_order,
    check_spread,
    distribution_from_name,
    keep,
    register_distribution,
    registered_distributions,
)
from choicekit.choice.heterogeneity.truncation import truncated_moments, truncated_values
from choicekit.errors import InvalidInputError

__all__ = [
    "CoefficientDistribution",
    "Lognormal",
    "Normal",
    "Triangular",
    "TruncatedNormal",
    "Uniform",
    "distribution_from_name",
    "register_distribution",
    "registered_distributions",
]

FloatArray = npt.NDArray[np.float64]


@register_distribution("normal")
@dataclass(frozen=True)
class Normal(CoefficientDistribution):
    """Normal: mean + sd z, of either sign.

    Parameters
    ----------
    mean : float
    sd : float, optional
        At least 0; 0 is a coefficient that all agents share. It may be left to a covariance.

    Raises
    ------
    InvalidInputError
        For parameters that are not finite, or a negative `sd`; from what needs `sd`, where it is not given.

    Notes
    -----
    z is standard normal, Phi^-1 of the uniform number.

    Examples
    --------
    >>> Normal(mean=-2.26, sd=1.66).values(np.array([0.1, 0.5, 0.9])).round(4)
    array([-4.3874, -2.26  , -0.1326])
    """

    mean: float = field(metadata={"yaml": float, "description": "Mean of the coefficient."})
    sd: float | None = field(
        default=None,
        metadata={
            "yaml": float,
            "minimum": 0,
            "description": "Standard deviation, at least 0; may be left out where a covariance gives it.",
        },
    )

    correlates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        keep(self, mean=check_finite("mean", self.mean), sd=check_spread("sd", self.sd))
        if self.sd is not None:
            self._check_reach()

    def values(self, uniform: FloatArray) -> FloatArray:
        """Return mean + sd Phi^-1(uniform); see `CoefficientDistribution.values`."""
        return self.from_standard_normal(special.ndtri(uniform))

    def from_deviation(self, deviation: FloatArray) -> FloatArray:
        """Return mean + deviation; see `CoefficientDistribution.from_deviation`."""
        return np.asarray(self.mean + deviation)

    @property
    def expectation(self) -> float:
        """The mean."""
        return self.mean

    @property
    def standard_deviation(self) -> float:
        """The sd."""
        return self._known_spread()

    @property
    def support(self) -> tuple[float, float]:
        """Any number; only the mean where sd is 0."""
        return (self.mean, self.mean) if self.sd == 0 else (-np.inf, np.inf)

    @property
    def spread(self) -> float | None:
        """The sd."""
        return self.sd

    def with_spread(self, spread: float) -> Self:
        """Return the distribution with another sd."""
        return replace(self, sd=spread)


@register_distribution("lognormal")
@dataclass(frozen=True)
class Lognormal(CoefficientDistribution):
    """Lognormal: exp(log_mean + log_sd z), always positive, or minus that, always negative.

    Parameters
    ----------
    log_mean : float
        Mean of the logarithm; the median of the coefficient is exp(log_mean).
    log_sd : float, optional
        Standard deviation of the logarithm, at least 0. It may be left to a covariance.
    negative : bool
        Whether the coefficient is minus a lognormal number, as that of a cost.

    Raises
    ------
    InvalidInputError
        For parameters that are not finite, a negative `log_sd`, or coefficients too large for a float; from what needs
        `log_sd`, where it is not given.

    Notes
    -----
    With m and s the mean and standard deviation of the logarithm, the mean is exp(m + s^2 / 2) and the standard
    deviation is the mean times sqrt(exp(s^2) - 1). Where `negative`, the coefficient falls as z rises; what is
    correlated through a covariance are the logarithms. `values` rises with its uniform numbers either way.

    Examples
    --------
    >>> Lognormal(log_mean=0.0, log_sd=1.0).values(np.array([0.1, 0.5, 0.9])).round(4)
    array([0.2776, 1.    , 3.6022])
    >>> Lognormal(log_mean=0.0, log_sd=1.0, negative=True).expectation
    -1.6487212707001282
    """

    log_mean: float = field(metadata={"yaml": float, "description": "Mean of the logarithm of the coefficient."})
    log_sd: float | None = field(
        default=None,
        metadata={
            "yaml": float,
            "minimum": 0,
            "description": "Standard deviation of the logarithm; may be left out where a covariance gives it.",
        },
    )
    negative: bool = field(
        default=False,
        metadata={"yaml": bool, "description": "Whether the coefficient is minus a lognormal number, as of a cost."},
    )

    correlates: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not isinstance(self.negative, bool | np.bool_):
            raise InvalidInputError(f"negative must be True or False, found {self.negative!r}")
        log_mean, log_sd = check_finite("log_mean", self.log_mean), check_spread("log_sd", self.log_sd)
        keep(self, log_mean=log_mean, log_sd=log_sd, negative=bool(self.negative))
        if log_sd is not None:
            self._check_reach()

    def values(self, uniform: FloatArray) -> FloatArray:
        """Return exp(log_mean + log_sd Phi^-1(uniform)), or minus that of 1 - uniform."""
        z = special.ndtri(uniform)
        return self.from_standard_normal(-z if self.negative else z)

    def from_deviation(self, deviation: FloatArray) -> FloatArray:
        """Return exp(log_mean + deviation), or minus that; see `CoefficientDistribution.from_deviation`."""
        size = np.exp(self.log_mean + deviation)
        return np.asarray(-size if self.negative else size)

    @property
    def expectation(self) -> float:
        """exp(log_mean + log_sd^2 / 2), or minus that."""
        size = _exp(self.log_mean + self._known_spread() ** 2 / 2)
        return -size if self.negative else size

    @property
    def standard_deviation(self) -> float:
        """exp(log_mean + log_sd^2 / 2) sqrt(exp(log_sd^2) - 1)."""
        variance = self._known_spread() ** 2
        if variance == 0:
            return 0.0
        # sqrt(exp(v) - 1) = exp(v / 2) sqrt(1 - exp(-v)), whose parts overflow only where the whole does
        return _exp(self.log_mean + variance + math.log(-math.expm1(-variance)) / 2)

    @property
    def support(self) -> tuple[float, float]:
        """Above 0, or below it; only the median where log_sd is 0."""
        if self.log_sd == 0:
            return self.expectation, self.expectation
        return (-np.inf, 0.0) if self.negative else (0.0, np.inf)

    @property
    def spread(self) -> float | None:
        """The log_sd."""
        return self.log_sd

    def with_spread(self, spread: float) -> Self:
        """Return the distribution with another log_sd."""
        return replace(self, log_sd=spread)


@register_distribution("triangular")
@dataclass(frozen=True)
class Triangular(CoefficientDistribution):
    """Triangular: between two bounds, most often near the mode.

    Parameters
    ----------
    low, mode, high : float
        low <= mode <= high, low < high.

    Raises
    ------
    InvalidInputError
        For bounds that are not finite or not in this order.

    Notes
    -----
    With w = high - low and c = (mode - low) / w, the inverse distribution function is low + w sqrt(c p) for p < c and
    high - w sqrt((1 - c)(1 - p)) above. The mean is (low + mode + high) / 3 and the standard deviation
    w sqrt((1 - c (1 - c)) / 18).

    Examples
    --------
    >>> Triangular(low=0.0, mode=1.0, high=2.0).values(np.array([0.125, 0.5, 0.875]))
    array([0.5, 1. , 1.5])
    """

    low: float = field(metadata={"yaml": float, "description": "Smallest value."})
    mode: float = field(metadata={"yaml": float, "description": "Most frequent value, from low to high."})
    high: float = field(metadata={"yaml": float, "description": "Largest value, above low."})

    def __post_init__(self) -> None:
        low, mode, high = (
            check_finite("low", self.low),
            check_finite("mode", self.mode),
            check_finite("high", self.high),
        )
        check_order(low, high)
        if not low <= mode <= high:
            raise InvalidInputError(f"mode must lie from low to high, found {mode:g} outside [{low:g}, {high:g}]")
        keep(self, low=low, mode=mode, high=high)

    def values(self, uniform: FloatArray) -> FloatArray:
        """Return the inverse distribution function; see the notes of the class."""
        width, peak = self.high - self.low, self._peak
        rising = self.low + width * np.sqrt(peak * uniform)
        falling = self.high - width * np.sqrt((1 - peak) * (1 - uniform))
        return np.where(uniform < peak, np.minimum(rising, self.mode), np.maximum(falling, self.mode))

    @property
    def expectation(self) -> float:
        """(low + mode + high) / 3."""
        return self.low + ((self.mode - self.low) + (self.high - self.low)) / 3

    @property
    def standard_deviation(self) -> float:
        """(high - low) sqrt((1 - c (1 - c)) / 18), where c is where the mode lies between the bounds."""
        return (self.high - self.low) * math.sqrt((1 - self._peak * (1 - self._peak)) / 18)

    @property
    def support(self) -> tuple[float, float]:
        """From low to high."""
        return self.low, self.high

    @property
    def _peak(self) -> float:
        return (self.mode - self.low) / (self.high - self.low)


@register_distribution("uniform")
@dataclass(frozen=True)
class Uniform(CoefficientDistribution):
    """Uniform: anywhere between two bounds alike.

    Parameters
    ----------
    low, high : float
        low < high.

    Raises
    ------
    InvalidInputError
        For bounds that are not finite or not in this order.

    Notes
    -----
    The mean is (low + high) / 2 and the standard deviation (high - low) / sqrt(12).

    Examples
    --------
    >>> Uniform(low=-1.0, high=3.0).values(np.array([0.25, 0.5, 0.75]))
    array([0., 1., 2.])
    """

    low: float = field(metadata={"yaml": float, "description": "Smallest value."})
    high: float = field(metadata={"yaml": float, "description": "Largest value, above low."})

    def __post_init__(self) -> None:
        low, high = check_finite("low", self.low), check_finite("high", self.high)
        check_order(low, high)
        keep(self, low=low, high=high)

    def values(self, uniform: FloatArray) -> FloatArray:
        """Return low + (high - low) uniform; see `CoefficientDistribution.values`."""
        return np.asarray(np.minimum(self.low + (self.high - self.low) * uniform, self.high))

    @property
    def expectation(self) -> float:
        """(low + high) / 2."""
        return self.low + (self.high - self.low) / 2

    @property
    def standard_deviation(self) -> float:
        """(high - low) / sqrt(12)."""
        return (self.high - self.low) / math.sqrt(12)

    @property
    def support(self) -> tuple[float, float]:
        """From low to high."""
        return self.low, self.high


@register_distribution("truncated_normal")
@dataclass(frozen=True)
class TruncatedNormal(CoefficientDistribution):
    """Truncated normal: a normal number, given that it lies between bounds.

    Parameters
    ----------
    mean, sd : float
        Of the normal number before it is truncated; sd at least 0.
    low, high : float, optional
        Bounds, low < high; at least one. None, or an infinity, leaves that side open.

    Raises
    ------
    InvalidInputError
        For parameters out of range, or an `sd` of 0 with a `mean` outside the bounds.

    Notes
    -----
    The inverse distribution function is mean + sd Phi^-1(Phi(a) + p (Phi(b) - Phi(a))), where a and b are the bounds in
    standard units. It is computed from the logarithms of Phi on the side of zero where these keep their digits, so
    also bounds far out in one tail give numbers between them. The moments are integrals of the density by Gauss's rule.

    Examples
    --------
    >>> below_zero = TruncatedNormal(mean=-1.0, sd=1.0, high=0.0)
    >>> below_zero.values(np.array([0.1, 0.5, 0.9])).round(4)
    array([-2.3778, -1.2002, -0.3026])
    >>> round(below_zero.expectation, 6)
    -1.2876
    """

    mean: float = field(metadata={"yaml": float, "description": "Mean of the normal number before truncation."})
    sd: float = field(
        metadata={"yaml": float, "minimum": 0, "description": "Standard deviation before truncation, at least 0."}
    )
    low: float | None = field(
        default=None, metadata={"yaml": float, "description": "Lower bound; without it the side is open."}
    )
    high: float | None = field(
        default=None, metadata={"yaml": float, "description": "Upper bound; without it the side is open."}
    )

    def __post_init__(self) -> None:
        if self.sd is None:
            raise InvalidInputError("sd must be a number of at least 0, found None")
        mean, sd = check_finite("mean", self.mean), check_spread("sd", self.sd)
        low, high = check_bound("low", self.low, -np.inf), check_bound("high", self.high, np.inf)
        if low is None and high is None:
            raise InvalidInputError("a truncated_normal coefficient needs low, high or both: without, make it normal")
        keep(self, mean=mean, sd=sd, low=low, high=high)
        check_order(*self.support)
        if sd == 0 and not self.support[0] <= mean <= self.support[1]:
            raise InvalidInputError(
                f"where sd is 0 the mean must lie between the bounds, found {mean:g} outside "
                f"[{self.support[0]:g}, {self.support[1]:g}]"
            )
        self._check_reach()

    def values(self, uniform: FloatArray) -> FloatArray:
        """Return the inverse distribution function; see the notes of the class."""
        return truncated_values(uniform, self.mean, self.sd, *self.support)

    @property
    def expectation(self) -> float:
        """The mean of what is left, mean + sd (phi(a) - phi(b)) / (Phi(b) - Phi(a))."""
        return truncated_moments(self.mean, self.sd, *self.support)[0]

    @property
    def standard_deviation(self) -> float:
        """Root of sd^2 [1 + (a phi(a) - b phi(b)) / Z - ((phi(a) - phi(b)) / Z)^2] with Z = Phi(b) - Phi(a)."""
        return truncated_moments(self.mean, self.sd, *self.support)[1]

    @property
    def support(self) -> tuple[float, float]:
        """The bounds."""
        return -np.inf if self.low is None else self.low, np.inf if self.high is None else self.high


def _exp(exponent: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.exp(exponent))
