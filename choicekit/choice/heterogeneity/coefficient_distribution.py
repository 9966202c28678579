"""What the distributions of coefficients share: their base, their names, and checks of their parameters."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError

__all__ = [
    "CoefficientDistribution",
    "distribution_from_name",
    "register_distribution",
    "registered_distributions",
]

FloatArray = npt.NDArray[np.float64]
Distribution = TypeVar("Distribution", bound=type["CoefficientDistribution"])

_DISTRIBUTIONS: dict[str, type[CoefficientDistribution]] = {}
_ENDS = np.array([2.0**-53, 1 - 2.0**-53])  # no uniform of the draw scheme lies further out


def register_distribution(name: str) -> Callable[[Distribution], Distribution]:
    """Make a distribution known under `name`, the word for it in YAML.

    Parameters
    ----------
    name : str
        Lower-case words joined by underscores, such as ``"truncated_normal"``.

    Returns
    -------
    callable
        Class decorator that returns the class unchanged.

    Raises
    ------
    InvalidInputError
        Where another class already has the name.

    Examples
    --------
    >>> sorted(registered_distributions())
    ['lognormal', 'normal', 'triangular', 'truncated_normal', 'uniform']
    """

    def decorate(distribution: Distribution) -> Distribution:
        if _DISTRIBUTIONS.get(name, distribution) is not distribution:
            taken = _DISTRIBUTIONS[name].__qualname__
            raise InvalidInputError(f"a distribution named {name!r} exists already: {taken}")
        _DISTRIBUTIONS[name] = distribution
        distribution.name = name
        return distribution

    return decorate


def registered_distributions() -> Mapping[str, type[CoefficientDistribution]]:
    """Return every registered distribution by its name, read-only.

    Examples
    --------
    >>> registered_distributions()["uniform"](low=0, high=1)
    Uniform(low=0.0, high=1.0)
    """
    return MappingProxyType(_DISTRIBUTIONS)


def distribution_from_name(name: str, **settings: Any) -> CoefficientDistribution:
    """Build a registered distribution from its name and settings.

    Raises
    ------
    InvalidInputError
        Where no distribution has the name.

    Examples
    --------
    >>> distribution_from_name("normal", mean=-2.26, sd=1.66)
    Normal(mean=-2.26, sd=1.66)
    """
    if name not in _DISTRIBUTIONS:
        raise InvalidInputError(f"unknown distribution {name!r}: choose one of {', '.join(sorted(_DISTRIBUTIONS))}")
    return _DISTRIBUTIONS[name](**settings)


class CoefficientDistribution(ABC):
    """How one coefficient differs among agents.

    A distribution gives `values`, `support` and its two moments. Those made of a normal number, which may be correlated
    with others, also set `correlates` and give `from_deviation`, `spread` and `with_spread`.
    """

    name: ClassVar[str] = ""
    correlates: ClassVar[bool] = False

    @abstractmethod
    def values(self, uniform: FloatArray) -> FloatArray:
        """Return the coefficients of agents from uniform numbers: the inverse distribution function.

        Parameters
        ----------
        uniform : ndarray (...)
            Numbers strictly between 0 and 1.

        Returns
        -------
        ndarray (...)
            Of the same shape, increasing with `uniform`.
        """

    @property
    @abstractmethod
    def expectation(self) -> float:
        """Mean of the coefficient itself, which a parameter called mean need not be."""

    @property
    @abstractmethod
    def standard_deviation(self) -> float:
        """Standard deviation of the coefficient itself; infinite where it is larger than any float."""

    @property
    @abstractmethod
    def support(self) -> tuple[float, float]:
        """Smallest and largest number the coefficient may be, which it need not reach."""

    @property
    def spread(self) -> float | None:
        """Standard deviation of the normal number behind the coefficient; None where it is left to a covariance."""
        return None

    def with_spread(self, spread: float) -> Self:
        """Return the distribution with another standard deviation of the normal number behind it.

        Raises
        ------
        InvalidInputError
            Where there is no normal number behind it, so it cannot be correlated with others.
        """
        raise self._has_no_normal()

    def from_deviation(self, deviation: FloatArray) -> FloatArray:
        """Return the coefficients of agents from how far the normal numbers behind them lie above their mean.

        Parameters
        ----------
        deviation : ndarray (...)
            In units of the normal number: `spread` times a standard normal number, or a row of such numbers that are
            correlated through a covariance.

        Returns
        -------
        ndarray (...)

        Raises
        ------
        InvalidInputError
            Where there is no normal number behind the distribution.
        """
        raise self._has_no_normal()

    def from_standard_normal(self, z: FloatArray) -> FloatArray:
        """Return the coefficients of agents from standard normal numbers.

        Parameters
        ----------
        z : ndarray (...)

        Returns
        -------
        ndarray (...)

        Raises
        ------
        InvalidInputError
            Where there is no normal number behind the distribution, or its standard deviation is not known.
        """
        return self.from_deviation(self._known_spread() * z)

    def _has_no_normal(self) -> InvalidInputError:
        able = " or ".join(name for name, kind in sorted(_DISTRIBUTIONS.items()) if kind.correlates)
        return InvalidInputError(f"a {self.name} coefficient cannot be correlated with others: make it {able}")

    def _known_spread(self) -> float:
        if self.spread is None:
            raise InvalidInputError(
                f"the standard deviation of a {self.name} coefficient is not known: give it, or a covariance"
            )
        return self.spread

    def _check_reach(self) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            reach = self.values(_ENDS)
        if not np.all(np.isfinite(reach)):
            raise InvalidInputError(
                f"a {self.name} coefficient must be a number that a computer can hold, found one beyond 1e308: "
                "check the powers of ten of its parameters"
            )


def keep(distribution: CoefficientDistribution, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(distribution, name, value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        raise InvalidInputError(f"{name} must be a number, found {value!r}")
    try:
        return float(value)
    except OverflowError as error:
        raise InvalidInputError(f"{name} must be a finite number, found one beyond 1e308") from error


def check_finite(name: str, value: object) -> float:
    number = _number(name, value)
    if not math.isfinite(number):
        raise InvalidInputError(f"{name} must be a finite number, found {number}")
    return number


def check_spread(name: str, value: object) -> float | None:
    if value is None:
        return None
    number = _number(name, value)
    if not (math.isfinite(number) and number >= 0):
        raise InvalidInputError(f"{name} must be finite and at least 0, found {number}")
    return abs(number)  # -0.0 is 0


def check_bound(name: str, value: object, open_end: float) -> float | None:
    if value is None or _number(name, value) == open_end:
        return None
    return check_finite(name, value)


def check_order(low: float, high: float) -> None:
    if not low < high:
        raise InvalidInputError(f"low must be below high, found {low:g} and {high:g}")
    if low > -np.inf and high < np.inf and not math.isfinite(high - low):
        raise InvalidInputError(f"low and high must be less than 1e308 apart, found {low:g} and {high:g}")
