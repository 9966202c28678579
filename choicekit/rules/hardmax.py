"""Hardmax: no regulariser, the agent takes the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.random import Draws
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.racing import raced_choices
from choicekit.rules.registry import register_rule
from choicekit.rules.regularised import RegularisedRule
from choicekit.rules.utilities import hard_jacobian_product, hard_jacobian_sum, hard_maximum

__all__ = ["Hardmax"]


@register_rule("hardmax")
@dataclass(frozen=True, eq=False)  # equality by value is the base's
class Hardmax(RegularisedRule):
    """Choose the best alternative; tied maxima share 1/m.

    Notes
    -----
    Omega = 0, so value(u) = max u, the conjugate is 0 and the Fenchel-Young loss is max u - <u, y>. The rule is
    `Softmax` at T = 0. It is sampled by giving a tie to the alternative with the larger draw. The probabilities do not
    change with small changes of utility, so `jacobian_product` is 0, and nan at tied maxima, where they jump.

    Examples
    --------
    >>> Hardmax().probabilities([1.0, 5.0, 5.0])
    array([0. , 0.5, 0.5])
    >>> Hardmax().value([1.0, 5.0, 5.0])
    np.float64(5.0)
    """

    supports_coherent: ClassVar[bool] = True

    def _value(self, utility: FloatArray) -> FloatArray:
        return np.asarray(utility.max(axis=-1))

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        return hard_maximum(utility)

    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray:
        return np.broadcast_to(hard_jacobian_product(utility), direction.shape)

    def _jacobian_sum(self, utility: FloatArray, weights: FloatArray) -> FloatArray:
        return hard_jacobian_sum(utility, weights)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        return np.zeros(probabilities.shape[:-1])

    def _largest_gap(self, n: int) -> float | FloatArray:
        return 0.0

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the best alternative of each row; tied maxima go to the larger draw.

        See `RegularisedRule.coherent_choices` for arguments and result.
        """
        return raced_choices(utility, 0.0, draws, replications)
