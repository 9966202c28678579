"""Third station: three surfaces over two utilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.rules import inclusive_value
from choicekit.rules.operators import boltzmann
from choicekit.tour.claims import FloatArray, Station, law

__all__ = ["SurfacesStation", "visit_surfaces"]

POINTS = 41  # odd: the ridge x1 = x2 and the origin are on the grid


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SurfacesStation(Station):
    """The maximum, log-sum-exp and the inner product over two utilities.

    Attributes
    ----------
    axis : ndarray (G,)
        Utilities of either alternative.
    maximum, inclusive_value, boltzmann : ndarray (G, G)
        At ``[i, j]`` of x1 = axis[i], x2 = axis[j]: max(x1, x2), log-sum-exp and softmax(x)'x.
    """

    name: ClassVar[str] = "surfaces"
    title: ClassVar[str] = "A fold, the same fold rounded from above, and one rounded from below"

    axis: FloatArray
    maximum: FloatArray
    inclusive_value: FloatArray
    boltzmann: FloatArray


def visit_surfaces(extent: float) -> SurfacesStation:
    """Compute the station on a square of utilities from -extent to extent.

    Parameters
    ----------
    extent : float
        Above 0.

    Examples
    --------
    >>> station = visit_surfaces(4.0)
    >>> station.maximum.shape, station.passed
    ((41, 41), True)
    """
    axis = np.linspace(-extent, extent, POINTS)
    pairs = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    value, mean, maximum = inclusive_value(pairs), boltzmann(pairs), pairs.max(axis=-1)
    # with two alternatives log-sum-exp is the maximum plus log(1 + exp(-|x1 - x2|)), in other words than the rule's
    distance = np.abs(pairs[..., 0] - pairs[..., 1])
    ridge = np.arange(POINTS)
    checks = (
        law("softplus", "log-sum-exp is max + log(1 + exp(-|x1 - x2|))",
            value - maximum - np.log1p(np.exp(-distance)), scale=extent),
        law("logistic", "the inner product is max - d / (1 + exp(d)), d = |x1 - x2|",
            maximum - mean - distance * np.exp(-distance) / (1 + np.exp(-distance)), scale=extent),
        law("fold", "on the fold x1 = x2 log-sum-exp is log 2 above the maximum, the inner product is on it",
            np.abs(value - maximum - np.log(2.0))[ridge, ridge] + np.abs(mean - maximum)[ridge, ridge],
            scale=extent),
    )  # fmt: skip
    return SurfacesStation(axis=axis, maximum=maximum, inclusive_value=value, boltzmann=mean, checks=checks)
