"""The temperature at which probabilities fit observed labels best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.scores import checked_logits
from choicekit.errors import IdentificationError, InvalidInputError, ShapeError

__all__ = ["TemperatureFit", "checked_labels", "fit_temperature"]

FloatArray = npt.NDArray[np.float64]

_MOST = 200
_WIDEST = 2.0**60


@dataclass(frozen=True, kw_only=True)
class TemperatureFit:
    """A fitted temperature.

    Attributes
    ----------
    temperature, standard_error : float
        In units of the logits; the error by the delta method from the curvature in 1 / T.
    log_likelihood, log_likelihood_at_1 : float
        Of all labels, in nats, at the estimate and at temperature 1.
    n_iterations : int
    converged : bool
    """

    temperature: float
    standard_error: float
    log_likelihood: float
    log_likelihood_at_1: float
    n_iterations: int
    converged: bool


def fit_temperature(logits: npt.ArrayLike, labels: npt.ArrayLike, *, tolerance: float = 1e-10) -> TemperatureFit:
    """Return the temperature that gives observed labels the highest likelihood.

    Parameters
    ----------
    logits : array_like (N, J)
        Of in-distribution rows that the model was not fitted to.
    labels : array_like (N,) of int
        Classes, counted from 0.
    tolerance : float
        Relative, on 1 / T.

    Returns
    -------
    TemperatureFit

    Raises
    ------
    IdentificationError
        Where the likelihood rises all the way to temperature 0 (every label has the largest logit) or to an infinite
        one (labels have no higher logits than others on average).
    InvalidInputError, ShapeError
        For logits that are not finite, or labels that are no classes.

    Notes
    -----
    The log-likelihood is concave in b = 1 / T: its derivative is the sum of u_y - E[u], its second -Var[u]. Newton's
    steps are kept in a bracket of the root. A temperature fitted for probabilities is not one for energies: it need not
    tell situations apart any better.

    References
    ----------
    Guo, Pleiss, Sun & Weinberger (2017), "On calibration of modern neural networks", ICML, section 4.2.

    Examples
    --------
    >>> logits = [[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [2.0, 0.0]]
    >>> fit = fit_temperature(logits, [0, 0, 0, 1])  # three in four: log 3 = 2 / T
    >>> round(fit.temperature, 6)
    1.820478
    """
    values = checked_logits(logits).astype(np.float64, copy=False)
    if values.ndim != 2 or not len(values):
        raise ShapeError(f"a temperature is fitted to a table of logits with rows, (N, J), found shape {values.shape}")
    own = values - values.max(axis=1, keepdims=True)
    chosen = own[np.arange(len(values)), checked_labels(labels, *values.shape)]
    scale = float(np.abs(own).max())
    if scale == 0 or float(np.sum(chosen - own.mean(axis=1))) <= 0:
        raise IdentificationError(
            "labels have no higher logits than other classes on average: the likelihood rises to an infinite "
            "temperature; look whether labels and columns of logits belong together"
        )
    if np.all(chosen == 0) and np.all(np.count_nonzero(own == 0, axis=1) == 1):
        raise IdentificationError(
            "every label has the largest logit of its row: the likelihood rises to temperature 0; use rows that the "
            "model was not fitted to"
        )
    own, chosen = own / scale, chosen / scale
    b, n_iterations, converged = _root(own, chosen, tolerance)
    information = -_derivatives(own, chosen, b)[1]
    return TemperatureFit(
        temperature=scale / b,
        standard_error=scale / b**2 / float(np.sqrt(information)),
        log_likelihood=_log_likelihood(own, chosen, b),
        log_likelihood_at_1=_log_likelihood(own, chosen, scale),
        n_iterations=n_iterations,
        converged=converged,
    )


def _root(own: FloatArray, chosen: FloatArray, tolerance: float) -> tuple[float, int, bool]:
    """Return where the derivative of the log-likelihood is 0."""
    low, high, b = 0.0, np.inf, 1.0
    for step in range(1, _MOST + 1):
        slope, curvature = _derivatives(own, chosen, b)
        low, high = (b, high) if slope > 0 else (low, b)
        moved = b - slope / curvature if curvature < 0 else np.inf
        if not low < moved < high:
            moved = min(2.0 * b, _WIDEST) if high == np.inf else 0.5 * (low + high)
        moved = min(moved, 8.0 * b)
        if slope == 0 or abs(moved - b) <= tolerance * b:
            return moved, step, True
        b = moved
    return b, _MOST, False


def _derivatives(own: FloatArray, chosen: FloatArray, b: float) -> tuple[float, float]:
    weight = np.exp(b * own)
    p = weight / weight.sum(axis=1, keepdims=True)
    mean = np.sum(p * own, axis=1)
    return float(np.sum(chosen - mean)), -float(np.sum(p * (own - mean[:, None]) ** 2))


def _log_likelihood(own: FloatArray, chosen: FloatArray, b: float) -> float:
    return float(np.sum(b * chosen - np.log(np.exp(b * own).sum(axis=1))))


def checked_labels(labels: npt.ArrayLike, n_rows: int, n_classes: int) -> npt.NDArray[np.int64]:
    """Return labels as whole numbers.

    Raises
    ------
    InvalidInputError, ShapeError
        Unless there is a class, from 0 to J - 1, for each row.
    """
    found = np.asarray(labels)
    if found.shape != (n_rows,):
        raise ShapeError(f"labels must be one class a row, ({n_rows},), found shape {found.shape}")
    if found.dtype.kind not in "iu" or not np.all((found >= 0) & (found < n_classes)):
        raise InvalidInputError(f"labels must be classes from 0 to {n_classes - 1}, counted from 0")
    return found.astype(np.int64)
