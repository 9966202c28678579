"""Softmax: the rule of Shannon entropy (multinomial logit)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy.special import xlogy

from choicekit.random import Draws
from choicekit.rules.drawing import perturbed_choices
from choicekit.rules.products import row_products
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.registry import register_rule
from choicekit.rules.tempered import TEMPERATURE, TemperedRule, scaled_utility
from choicekit.rules.utilities import hard_jacobian_product, hard_jacobian_sum, row_maximum, row_sum

__all__ = ["Softmax", "inclusive_value", "softmax"]


@register_rule("softmax")
@dataclass(frozen=True, eq=False)  # equality by value is the base's
class Softmax(TemperedRule):
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

    supports_coherent: ClassVar[bool] = True

    def _value(self, utility: FloatArray) -> FloatArray:
        top = row_maximum(utility)
        temperature = self._fitted_temperature(utility)
        # at most J terms of at most 1, one of them 1: the logarithm is between 0 and log J
        return np.asarray(top + temperature * np.log(row_sum(np.exp(scaled_utility(utility, temperature)))))

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        weights = np.exp(scaled_utility(utility, self._fitted_temperature(utility)))
        return np.asarray(weights / row_sum(weights)[..., None])

    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray:
        p = self._probabilities(utility)
        # measured from the best alternative: what lifts all alike would cost the digits of the differences
        best = np.broadcast_to(utility.argmax(axis=-1)[..., None], (*direction.shape[:-1], 1))
        step = direction - np.take_along_axis(direction, best, axis=-1)
        change = p * (step - row_sum(p * step)[..., None])
        temperature = np.asarray(self._fitted_temperature(utility))[..., None]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return np.where(temperature > 0, change / temperature, hard_jacobian_product(utility))

    def _jacobian_sum(self, utility: FloatArray, weights: FloatArray) -> FloatArray:
        temperature = np.broadcast_to(self._fitted_temperature(utility), weights.shape)
        soft, n_alternatives = temperature > 0, utility.shape[-1]
        coldest = temperature.min(initial=np.inf, where=soft)
        with np.errstate(divide="ignore", invalid="ignore"):  # at T = 0 what is soft counts for nothing
            counts = np.where(soft, weights * (coldest / temperature), 0.0).reshape(-1, 1)
        p = self._probabilities(utility).reshape(-1, n_alternatives)
        pairs = row_products(counts * p, p)
        # the diagonal, sum w p (1 - p) / T, keeps its digits as a sum over the others; 1 - p would lose them
        total = -(pairs + pairs.T) / 2
        np.fill_diagonal(total, 0.0)
        np.fill_diagonal(total, -total.sum(axis=1))
        with np.errstate(over="ignore"):
            total = np.asarray(total / coldest + 0.0)
        return total if soft.all() else total + hard_jacobian_sum(utility, np.where(soft, 0.0, weights))

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        temperature = self._fitted_temperature(probabilities)
        return np.asarray(temperature * xlogy(probabilities, probabilities).sum(axis=-1))

    def _largest_gap(self, n: int) -> float | FloatArray:
        return np.asarray(self.temperature * np.log(n))

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return argmax((u - max u) / T + Gumbel) of each row; at T = 0 tied maxima go to the larger draw.

        See `RegularisedRule.coherent_choices` for arguments and result.
        """
        return perturbed_choices(scaled_utility(utility, self._fitted_temperature(utility)), draws, replications)


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
