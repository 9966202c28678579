"""Softmax: the rule of Shannon entropy (multinomial logit)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from choicekit.random import Draws
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.racing import distributed_choices, raced_choices
from choicekit.rules.registry import register_rule
from choicekit.rules.softmax_kernels import fill_probabilities, fill_values
from choicekit.rules.tempered import TEMPERATURE
from choicekit.rules.tsallis import TsallisRule

__all__ = ["Softmax", "inclusive_value", "softmax"]


@register_rule("softmax")
@dataclass(frozen=True, eq=False)  # equality by value is the base's
class Softmax(TsallisRule):
    """Choose with probability proportional to exp(u / T); T = 0 takes the best, tied maxima sharing.

    Parameters
    ----------
    temperature : float or array_like (...)
        T >= 0 in units of utility, one for all or one a row. T = 0 is the hard maximum, ties sharing 1/m.

    Raises
    ------
    InvalidInputError
        For a negative, nan or infinite temperature.

    Notes
    -----
    Omega(q) = sum q log q, so value(u) = T log sum exp(u / T), the inclusive value, and
    max u <= value(u) <= max u + T log J. Probabilities are exp((u - max u) / T), normalised.
    The Jacobian of the probabilities is (diag(p) - p p') / T, so `jacobian_product` is p * (v - <p, v>) / T.
    `jacobian_sum` is diag(sum w p / T) - sum w p p' / T.
    Adding a standard Gumbel number times T to every utility and taking the maximum has the same law.

    References
    ----------
    McFadden (1974), "Conditional logit analysis of qualitative choice behavior", equation 12.

    Examples
    --------
    >>> Softmax().probabilities([1.0, 2.0, 3.0]).round(4)
    array([0.09  , 0.2447, 0.6652])
    >>> Softmax(temperature=0).probabilities([1.0, 2.0, 3.0, 5.0, 5.0])
    array([0. , 0. , 0. , 0.5, 0.5])
    """

    temperature: float | FloatArray = field(default=1.0, metadata=TEMPERATURE)

    alpha = 1.0
    supports_coherent: ClassVar[bool] = True
    regulariser: ClassVar[str] = "q * log(q)"  # the term of one alternative, for the report

    def _value(self, utility: FloatArray) -> FloatArray:
        return self._values_by(fill_values, utility)

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        return self._probabilities_by(fill_probabilities, utility)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        temperature = self._fitted_temperature(probabilities)
        return np.asarray(temperature * xlogy(probabilities, probabilities).sum(axis=-1))

    def _largest_gap(self, n: int) -> float | FloatArray:
        return np.asarray(self.temperature * np.log(n))

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return argmax((u - max u) / T + Gumbel) of each row; at T = 0 tied maxima go to the larger draw.

        See `RegularisedRule.coherent_choices` for arguments and result.
        """
        return raced_choices(utility, self._fitted_temperature(utility), draws, replications)

    def fast_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the choice of each row by one uniform number and its distribution, in the order of the columns.

        See `RegularisedRule.fast_choices` for arguments and result.
        """
        return distributed_choices(utility, self._fitted_temperature(utility), draws, replications)


def softmax(
    utility: npt.ArrayLike, temperature: float | npt.ArrayLike = 1.0, availability: npt.ArrayLike | None = None
) -> FloatArray:
    """Return choice probabilities proportional to exp(u / T).

    Parameters
    ----------
    utility : array_like (..., J)
        Systematic utility; minus infinity means unavailable.
    temperature : float or array_like (...)
        T >= 0 in units of utility.
    availability : array_like of bool (..., J), optional
        True = available.

    Returns
    -------
    ndarray (..., J)
        Sums to one over the last axis; exactly 0 where unavailable.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        As `Softmax.probabilities`.

    See Also
    --------
    Softmax : the rule, with its value, conjugate and loss.

    Examples
    --------
    >>> softmax([1.0, 2.0, 3.0, 5.0, 5.0], temperature=1e-3)
    array([0. , 0. , 0. , 0.5, 0.5])
    """
    return Softmax(temperature).probabilities(utility, availability)  # type: ignore[arg-type]


def inclusive_value(
    utility: npt.ArrayLike, temperature: float | npt.ArrayLike = 1.0, availability: npt.ArrayLike | None = None
) -> FloatArray:
    """Return T * log(sum(exp(u / T))), the expected welfare of a choice set in units of utility ("logsum").

    Parameters
    ----------
    utility : array_like (..., J)
        Systematic utility; minus infinity means unavailable.
    temperature : float or array_like (...)
        T >= 0 in units of utility; at T = 0 the maximum.
    availability : array_like of bool (..., J), optional
        True = available.

    Returns
    -------
    ndarray (...)

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        As `Softmax.value`.

    References
    ----------
    Small & Rosen (1981), "Applied welfare economics with discrete choice models", section 5.

    Examples
    --------
    >>> inclusive_value([0.0, 1.0, -4.0, 2.0, 7.0]).round(6)
    np.float64(7.010094)
    """
    return Softmax(temperature).value(utility, availability)  # type: ignore[arg-type]
