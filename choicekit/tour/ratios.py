"""Sixth station: what softmax keeps - order, ties and ratios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.rules import Softmax
from choicekit.tour.claims import FloatArray, Station, law
from choicekit.tour.published import printed_about

__all__ = ["RatiosStation", "visit_ratios"]

SHIFT = 100.0


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RatiosStation(Station):
    """Softmax of a row, without its best alternative, and with all utilities lifted alike.

    Attributes
    ----------
    utility, probabilities : ndarray (J,)
    removed : int
        Position of the (first) best alternative.
    probabilities_without : ndarray (J,)
        With it unavailable; 0 there.
    growth : float
        The factor by which the probability of every other alternative grows.
    shift : float
    probabilities_shifted : ndarray (J,)
        Of utilities lifted by `shift`.
    """

    name: ClassVar[str] = "ratios"
    title: ClassVar[str] = "Only differences count, and ratios are kept whoever else is there"

    utility: FloatArray
    probabilities: FloatArray
    removed: int
    probabilities_without: FloatArray
    growth: float
    shift: float
    probabilities_shifted: FloatArray


def visit_ratios(utility: FloatArray) -> RatiosStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite, J at least 2.

    Examples
    --------
    >>> station = visit_ratios(np.array([1, 1, 2, 3.4, -0.1, 3, 1.6]))
    >>> station.probabilities.round(4).tolist(), station.passed
    ([0.0395, 0.0395, 0.1075, 0.4359, 0.0132, 0.2922, 0.0721], True)
    """
    rule, removed = Softmax(), int(utility.argmax())
    there = np.arange(utility.size) != removed
    p, without = rule.probabilities(utility), rule.probabilities(utility, there)
    shifted = rule.probabilities(utility + SHIFT)
    with np.errstate(over="ignore"):  # where the others have next to nothing
        growth = float(np.exp(rule.value(utility) - rule.value(utility, there)))
    published = printed_about(utility, softmax=p)
    scale = float(np.abs(utility).max()) + SHIFT
    seen = p >= np.finfo(np.float64).tiny  # below it digits are lost
    odds = np.log(p[seen, None]) - np.log(p[seen])
    checks = (
        law("odds", "the logarithm of a ratio of probabilities is the difference of utilities",
            odds - (utility[seen, None] - utility[seen]), scale=scale),
        law("removal", "without the best, all others grow by one factor", without[there] / growth - p[there]),
        law("shift", "what lifts all alike changes no probability", shifted - p, scale=scale),
    )  # fmt: skip
    return RatiosStation(
        utility=utility,
        probabilities=p,
        removed=removed,
        probabilities_without=without,
        growth=growth,
        shift=SHIFT,
        probabilities_shifted=shifted,
        published=published,
        checks=(*(entry.claim() for entry in published), *checks),
    )
