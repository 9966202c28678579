"""First station: the best alternative, and the soft argmax and soft maximum that stand in for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.rules import Hardmax, Softmax
from choicekit.tour.claims import Claim, FloatArray, Station, law
from choicekit.tour.published import printed_about

__all__ = ["ArgmaxStation", "visit_argmax"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ArgmaxStation(Station):
    """The hard and the soft argmax of a row, and the two maxima.

    Attributes
    ----------
    utility : ndarray (J,)
    one_hot : ndarray (J,)
        The argmax as shares: 1 for the best, tied ones sharing.
    exponentials : ndarray (J,)
        exp(u - max u): what softmax normalises.
    probabilities : ndarray (J,)
        Softmax at T = 1.
    maximum, inclusive_value : float
        The maximum and log-sum-exp.
    """

    name: ClassVar[str] = "argmax"
    title: ClassVar[str] = "The best alternative takes all, or almost all"

    utility: FloatArray
    one_hot: FloatArray
    exponentials: FloatArray
    probabilities: FloatArray
    maximum: float
    inclusive_value: float

    @property
    def best(self) -> int:
        """Position of the first best alternative."""
        return int(self.utility.argmax())


def visit_argmax(utility: FloatArray) -> ArgmaxStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.

    Examples
    --------
    >>> station = visit_argmax(np.array([0.0, 1, -4, 2, 7]))
    >>> station.best, station.maximum, round(station.inclusive_value, 14), station.passed
    (4, 7.0, 7.01009416490667, True)
    """
    rule, hard = Softmax(), Hardmax()
    p, one_hot = rule.probabilities(utility), hard.probabilities(utility)
    maximum, value = float(utility.max()), float(rule.value(utility))
    published = printed_about(utility, softmax=p, maximum=maximum, inclusive_value=value)
    scale = float(np.abs(utility).max())
    checks = (
        law("sum", "probabilities sum to one", p.sum() - 1),
        law("maximum", "the hard rule's value is the maximum", float(hard.value(utility)) - maximum, scale=scale),
        Claim(
            name="argmax_agrees",
            title="softmax is largest where the argmax is",
            measure="largest probability less that of the best",
            value=float(p.max() - p[utility.argmax()]),
            limit=0.0,
            relation="<=",
        ),
        Claim(
            name="value_above",
            title="log-sum-exp is at least the maximum",
            measure="log-sum-exp - max",
            value=value - maximum,
            limit=0.0,
            relation=">=",
        ),
    )
    return ArgmaxStation(
        utility=utility,
        one_hot=one_hot,
        exponentials=np.exp(utility - maximum),
        probabilities=p,
        maximum=maximum,
        inclusive_value=value,
        published=published,
        checks=(*(entry.claim() for entry in published), *checks),
    )
