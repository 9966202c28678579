"""What a fit maximises, and what else is asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.inverse.response import Response

__all__ = ["Criterion", "Evaluation"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Evaluation:
    """A criterion at some coefficients, for each unit of observed mass.

    Attributes
    ----------
    value : float
    gradient : ndarray (K,)
    hessian : ndarray (K, K)
        Second derivatives.
    information : ndarray (K, K)
        Minus the Hessian, or what is expected of it; nowhere negative.
    response : Response
    """

    value: float
    gradient: FloatArray
    hessian: FloatArray
    information: FloatArray
    response: Response


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """A way to fit.

    Attributes
    ----------
    name : str
    evaluate : callable
        The criterion and its derivatives.
    design : callable
        A table (K, ...) whose products are the information: what each coefficient moves that can be seen.
    scores : callable
        What each outcome adds to the gradient, (K, n m + n + m), with the masses that depend on the observations.
    """

    name: str
    evaluate: Callable[[Response, Observations], Evaluation]
    design: Callable[[Response], FloatArray]
    scores: Callable[[Response, Observations], FloatArray]
