"""What rules with a temperature share: one number, or one a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from choicekit.errors import ShapeError
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.regularised import RegularisedRule
from choicekit.rules.utilities import check_temperature, row_maximum

__all__ = ["TEMPERATURE", "TemperedRule", "scaled_utility"]

TEMPERATURE: Mapping[str, Any] = MappingProxyType(
    {"yaml": float, "minimum": 0, "description": "T >= 0 in units of utility; 0 is the hard maximum."}
)
"""What the scenario layer is told of a temperature: ``temperature: ... = field(default=1.0, metadata=TEMPERATURE)``."""


class TemperedRule(RegularisedRule):
    """Base of the rules with a field `temperature`: T >= 0 in units of utility, one for all rows or one a row.

    A rule derived from it is a dataclass and declares the field itself, at the place it wants among its settings;
    where it has a `__post_init__` of its own, that calls this one.
    """

    temperature: float | FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "temperature", check_temperature(self.temperature))

    @property
    def n_rows(self) -> int | None:
        """Number of temperatures; None where one holds for all rows."""
        return None if isinstance(self.temperature, float) or self.temperature.size == 1 else len(self.temperature)

    def for_rows(self, rows: slice | IntArray) -> Self:
        """Return the rule with the temperatures of some rows; itself where one temperature holds for all."""
        if isinstance(self.temperature, float) or self.temperature.size == 1:
            return self
        return replace(self, temperature=self.temperature[rows])  # type: ignore[type-var]  # rules are dataclasses

    def _fitted_temperature(self, utility: FloatArray) -> float | FloatArray:
        """Return the one temperature, or one for each row of a table."""
        if isinstance(self.temperature, float):
            return self.temperature
        try:
            return np.broadcast_to(self.temperature, utility.shape[:-1])
        except ValueError as error:
            raise ShapeError(
                f"temperature must be one number or one a row: shape {self.temperature.shape} does not fit "
                f"rows of shape {utility.shape[:-1]}"
            ) from error


def scaled_utility(utility: FloatArray, temperature: float | FloatArray) -> FloatArray:
    """Return (u - max u) / T; at T = 0 its limit, zero at the maxima and minus infinity elsewhere.

    Parameters
    ----------
    utility : ndarray (..., J)
        As `choicekit.rules.utilities.available_utility` returns it.
    temperature : float or ndarray (...)
        One for all, or one for each row.

    Returns
    -------
    ndarray (..., J)
        A new array, at most 0 and 0 at the maxima; minus infinity where the spread over T is beyond the largest float.

    Examples
    --------
    >>> scaled_utility(np.array([1.0, 3.0, 3.0]), 0.5)
    array([-4.,  0.,  0.])
    >>> scaled_utility(np.array([1.0, 3.0, 3.0]), 0.0)
    array([-inf,   0.,   0.])
    """
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        difference = utility - row_maximum(utility)[..., None]
        if isinstance(temperature, float):
            if temperature == 1.0:
                return np.asarray(difference)
            if temperature > 0:
                return np.asarray(np.divide(difference, temperature, out=difference))
            return np.where(difference == 0, 0.0, -np.inf)
        return np.where(difference == 0, 0.0, difference / temperature[..., None])
