"""Sparsemax: the rule of half the squared norm, which leaves out what is far from the best."""

from __future__ import annotations

from dataclasses import dataclass, field

from choicekit.rules.protocol import FloatArray
from choicekit.rules.registry import register_rule
from choicekit.rules.tempered import TEMPERATURE
from choicekit.rules.tsallis import TsallisRule

__all__ = ["Sparsemax"]


@register_rule("sparsemax")
@dataclass(frozen=True, eq=False)  # equality by value is the base's
class Sparsemax(TsallisRule):
    """Choose with the distribution nearest to u / T; what is T or more below the best is never chosen.

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
    Omega(q) = (sum q^2 - 1) / 2, so the probabilities are the Euclidean projection of u / T on the simplex,
    p = (u / T - tau)_+ with tau such that they sum to one, and max u <= value(u) <= max u + T (1 - 1/J) / 2.

    The Jacobian is (diag(s) - s s' / sum s) / T with s = 1 for what is chosen and 0 for the rest, so `jacobian_product`
    is the direction less its mean over the chosen, over T. Where an alternative is just about to be chosen (its
    probability is 0, any gain would make it positive) the probabilities have a kink; the product is then the one-sided
    derivative for directions in which it stays out.

    Coherent draws do not exist: no noise drawn for each alternative by itself has this law. Between two alternatives
    the difference of the noises would be uniform on (-T, T), whose characteristic function sin(T x) / (T x) is negative
    in places; but where three independent noises differ pairwise by the same law, it is nowhere. From five
    alternatives on not even dependent noise will do: the sums of Block & Marschak (1960), which would be
    probabilities of rankings, can be negative.

    References
    ----------
    Martins & Astudillo (2016), "From softmax to sparsemax: a sparse model of attention and multi-label
    classification", equation 2, proposition 1 and section 2.5 (the Jacobian).
    Block & Marschak (1960), "Random orderings and stochastic theories of responses".

    Examples
    --------
    >>> Sparsemax().probabilities([1.0, 0.5, -1.0])
    array([0.75, 0.25, 0.  ])
    >>> Sparsemax().value([1.0, 0.5, -1.0]).round(6)
    np.float64(1.0625)
    """

    temperature: float | FloatArray = field(default=1.0, metadata=TEMPERATURE)

    alpha = 2.0
    regulariser = "(q ** 2 - q) / 2"  # the term of one alternative, for the report
