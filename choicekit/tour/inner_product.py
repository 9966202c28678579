"""Second station: what the agents get on average, and what rounding on the way does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.rules import Softmax
from choicekit.rules.operators import boltzmann
from choicekit.tour.claims import Claim, FloatArray, Station, law
from choicekit.tour.published import printed_about

__all__ = ["InnerProductStation", "visit_inner_product"]

DECIMALS = 2


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class InnerProductStation(Station):
    """The inner product of probabilities and utilities: the Boltzmann operator.

    Attributes
    ----------
    utility, probabilities : ndarray (J,)
    products : ndarray (J,)
        Probability times utility.
    boltzmann : float
        Their sum, the mean utility of what is chosen.
    maximum, inclusive_value : float
    entropy : float
        -sum p log p, by which log-sum-exp is above the inner product at T = 1.
    decimals : int
    rounded_first : float
        The inner product where probabilities are rounded to `decimals` first.
    """

    name: ClassVar[str] = "inner-product"
    title: ClassVar[str] = "Log-sum-exp is the mean utility plus the entropy"

    utility: FloatArray
    probabilities: FloatArray
    products: FloatArray
    boltzmann: float
    maximum: float
    inclusive_value: float
    entropy: float
    decimals: int
    rounded_first: float


def visit_inner_product(utility: FloatArray) -> InnerProductStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.

    Examples
    --------
    >>> station = visit_inner_product(np.array([1.0, 2, 3, 4, 5]))
    >>> round(station.boltzmann, 4), round(station.rounded_first, 2), station.passed
    (4.4519, 4.46, True)
    """
    rule = Softmax()
    p, value, maximum = rule.probabilities(utility), float(rule.value(utility)), float(utility.max())
    mean, entropy = float(boltzmann(utility)), -float(rule.conjugate(p))
    rounded_first = float(p.round(DECIMALS) @ utility)
    published = printed_about(utility, boltzmann=mean, rounded_first=rounded_first)
    scale = float(np.abs(utility).max())
    checks = (
        law("mean", "the inner product is the sum of the products", (p * utility).sum() - mean, scale=scale),
        law(
            "value_is_mean_and_entropy",
            "log-sum-exp is the inner product plus the entropy",
            mean + entropy - value,
            scale=scale,
        ),
        Claim(
            name="mean_below",
            title="the inner product is at most the maximum",
            measure="inner product - max",
            value=mean - maximum,
            limit=np.spacing(scale),
            relation="<=",
        ),
    )
    return InnerProductStation(
        utility=utility,
        probabilities=p,
        products=p * utility,
        boltzmann=mean,
        maximum=maximum,
        inclusive_value=value,
        entropy=entropy,
        decimals=DECIMALS,
        rounded_first=rounded_first,
        published=published,
        checks=(*(entry.claim() for entry in published), *checks),
    )
