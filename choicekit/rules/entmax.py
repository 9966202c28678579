"""Entmax: the rules of the Tsallis entropies, from softmax over sparsemax to ever fewer alternatives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from choicekit.errors import InvalidInputError
from choicekit.rules.protocol import FloatArray
from choicekit.rules.registry import register_rule
from choicekit.rules.softmax import Softmax
from choicekit.rules.tempered import TEMPERATURE
from choicekit.rules.tsallis import TsallisRule

__all__ = ["Entmax"]


@register_rule("entmax")
@dataclass(frozen=True, eq=False)  # equality by value is the base's
class Entmax(TsallisRule):
    """Choose with probability (1 + (alpha - 1)(u / T - w))_+ ^ (1 / (alpha - 1)); alpha = 1 is softmax, 2 sparsemax.

    Parameters
    ----------
    alpha : float
        At least 1. The larger, the fewer alternatives are chosen: none that is T / (alpha - 1) or more below the best.
    temperature : float or array_like (...)
        T >= 0 in units of utility, one for all or one a row. T = 0 is the hard maximum, ties sharing 1/m.

    Raises
    ------
    InvalidInputError
        For alpha below 1, nan or infinite; for a negative, nan or infinite temperature.

    Notes
    -----
    Omega(q) = (sum q^alpha - 1) / (alpha (alpha - 1)), and sum q log q at alpha = 1; the threshold w makes the
    probabilities sum to one. max u <= value(u) <= max u + T (1 - J^(1 - alpha)) / (alpha (alpha - 1)).
    At alpha = 1 all numbers are those of `Softmax`, at alpha = 2 those of `Sparsemax`; both are approached steadily,
    without loss of digits, as alpha comes near.

    The Jacobian is (diag(s) - s s' / sum s) / T with s = p^(2 - alpha) for what is chosen and 0 for the rest. For
    alpha < 2 it is continuous. From alpha = 2 on, where an alternative is just about to be chosen (its probability is
    0, any gain would make it positive) the probabilities have a kink, and `jacobian_product` is the one-sided
    derivative for directions in which it stays out. For alpha > 2 the derivative grows without bound as two or more
    probabilities go to 0, and is infinite where it exceeds what a float holds.

    Coherent draws do not exist: no noise drawn for each alternative by itself has this law. Between two alternatives
    the difference of the noises would be bounded by T / (alpha - 1), with a density that ends in a power of the
    distance at both bounds, so that its characteristic function swings about 0 far out. But where three independent
    noises differ pairwise by the same law, it is nowhere negative. At alpha = 1 `Softmax` has coherent draws.

    References
    ----------
    Peters, Niculae & Martins (2019), "Sparse sequence-to-sequence models", section 3.
    Blondel, Martins & Niculae (2020), "Learning with Fenchel-Young losses", JMLR 21.

    Examples
    --------
    >>> Entmax().probabilities([1.0, 0.5, -1.0]).round(4)
    array([0.674, 0.326, 0.   ])
    >>> Entmax(alpha=1.0).probabilities([1.0, 2.0, 3.0]).round(4)
    array([0.09  , 0.2447, 0.6652])
    """

    alpha: float = field(
        default=1.5,
        metadata={"minimum": 1, "description": "At least 1: 1 is softmax, 2 is sparsemax; larger leaves out more."},
    )
    temperature: float | FloatArray = field(default=1.0, metadata=TEMPERATURE)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "alpha", _checked_alpha(self.alpha))

    @property
    def regulariser(self) -> str:
        """The term of one alternative in the regulariser, for the report."""
        return "q * log(q)" if self.alpha == 1 else "(q ** alpha - q) / (alpha * (alpha - 1))"

    @property
    def why_not_coherent(self) -> str:
        """Why no additive noise makes these choices, in a few words."""
        return super().why_not_coherent or "at alpha = 1 Softmax, the same rule, has them"

    @property
    def _softmax(self) -> Softmax:
        return Softmax(self.temperature)

    def _value(self, utility: FloatArray) -> FloatArray:
        return self._softmax._value(utility) if self.alpha == 1 else super()._value(utility)

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        return self._softmax._probabilities(utility) if self.alpha == 1 else super()._probabilities(utility)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        return self._softmax._conjugate(probabilities) if self.alpha == 1 else super()._conjugate(probabilities)

    def _largest_gap(self, n: int) -> float | FloatArray:
        return self._softmax._largest_gap(n) if self.alpha == 1 else super()._largest_gap(n)


def _checked_alpha(alpha: object) -> float:
    if isinstance(alpha, bool | np.bool_) or not isinstance(alpha, int | float | np.integer | np.floating):
        raise InvalidInputError(f"alpha must be a number of at least 1, found {alpha!r}")
    try:
        number = float(alpha)
    except OverflowError:  # a whole number beyond the largest float
        number = np.inf
    if not np.isfinite(number):
        raise InvalidInputError(f"alpha must be finite, found {number}: for the hard maximum use temperature 0")
    if number < 1:
        raise InvalidInputError(f"alpha must be at least 1, found {number}: 1 is softmax, 2 is sparsemax")
    return number
