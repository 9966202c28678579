"""Coefficients as they are given: numbers, the same for all agents, and distributions among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.errors import InvalidInputError

__all__ = ["Kind", "RandomCoefficient", "finite_coefficient", "read_coefficients"]


def read_coefficients(given: object) -> dict[str, float | CoefficientDistribution]:
    """Return coefficients by name, each a finite number or a distribution.

    Raises
    ------
    InvalidInputError
        For anything else, naming the coefficient.

    Examples
    --------
    >>> read_coefficients({"b": 1})
    {'b': 1.0}
    """
    if not isinstance(given, Mapping):
        raise InvalidInputError(
            f"coefficients must be a mapping by name, found {given!r}: give numbers by name: {{'b_cost': -0.5}}"
        )
    return {
        str(name): value if isinstance(value, CoefficientDistribution) else finite_coefficient(name, value)
        for name, value in given.items()
    }


def finite_coefficient(name: object, value: object) -> float:
    """Return the value of a coefficient that is the same for all agents.

    Raises
    ------
    InvalidInputError
        For anything but a finite number.

    Examples
    --------
    >>> finite_coefficient("b", 1)
    1.0
    """
    wanted = f"coefficient {name!r} must be a finite number"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InvalidInputError(f"{wanted}, found {value!r}")
    try:
        number = float(value)
    except OverflowError as error:  # a whole number may be too long even to be shown
        raise InvalidInputError(f"{wanted}, found a whole number beyond 1.8e308: change the unit") from error
    if not np.isfinite(number):
        raise InvalidInputError(f"{wanted}, found {value!r}")
    return number


@dataclass(frozen=True, eq=False)
class RandomCoefficient:
    """A coefficient that differs among agents.

    Attributes
    ----------
    distribution : CoefficientDistribution
    correlated : bool
        Whether it moves with others by the model's covariance.
    """

    distribution: CoefficientDistribution
    correlated: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind:
    """What holds in one class, or for everybody where there are none.

    Attributes
    ----------
    fixed : mapping of str to float
        Coefficients of this class that are not those of the model.
    random : mapping of str to RandomCoefficient
        All that are random in this class.
    """

    fixed: Mapping[str, float]
    random: Mapping[str, RandomCoefficient]
