"""A multinomial logit on features, with or without energy margins: what training on them does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.detection.margins import EnergyMargins, margin_loss
from choicekit.detection.temperature import checked_labels
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["LogitHead", "train_head"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class LogitHead:
    """A fitted multinomial logit.

    Attributes
    ----------
    coefficients : ndarray (J, K)
        By class and feature.
    intercepts : ndarray (J,)
    loss : float
        With its penalty.
    converged : bool
    n_iterations : int
    """

    coefficients: FloatArray
    intercepts: FloatArray
    loss: float
    converged: bool
    n_iterations: int

    def logits(self, features: npt.ArrayLike) -> FloatArray:
        """Return the logits of rows of features, (N, J)."""
        return np.asarray(_features(features) @ self.coefficients.T + self.intercepts)


def train_head(
    features: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    ood_features: npt.ArrayLike | None = None,
    margins: EnergyMargins | None = None,
    weight: float = 0.1,
    penalty: float = 1e-3,
    n_classes: int | None = None,
    max_iterations: int = 2_000,
    start: LogitHead | None = None,
) -> LogitHead:
    """Return the multinomial logit that minimises the cross entropy, and energies beyond their margins.

    Parameters
    ----------
    features : array_like (N, K)
        Of in-distribution rows.
    labels : array_like (N,) of int
        Their classes, counted from 0.
    ood_features : array_like (M, K), optional
        Of out-of-distribution rows; only with `margins`.
    margins : EnergyMargins, optional
        Without them the loss is the cross entropy.
    weight : float
        Of the penalty on energies.
    penalty : float
        Half of it times the squared coefficients is added, intercepts left out; above 0, so that there is a minimum.
    n_classes : int, optional
        By default one more than the highest label.
    max_iterations : int
    start : LogitHead, optional
        Where to start; by default at coefficients of 0.

    Raises
    ------
    InvalidInputError, ShapeError
        For features or labels that are none, or margins without out-of-distribution rows (or these without margins).

    Notes
    -----
    Minimised by L-BFGS with the exact gradient of `margin_loss`. With margins the loss is not convex: the minimum is
    one near the start.

    References
    ----------
    Liu, Wang, Owens & Li (2020), section 3.3. Byrd, Lu, Nocedal & Zhu (1995), "A limited memory algorithm for bound
    constrained optimization", SIAM Journal on Scientific Computing 16.

    Examples
    --------
    >>> head = train_head([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])
    >>> head.logits([[-1.0], [1.0]]).argmax(axis=1)
    array([0, 1])
    """
    from scipy.optimize import minimize

    known = _features(features)
    other = None if ood_features is None else _features(ood_features)
    if (other is None) != (margins is None):
        raise InvalidInputError("margins need out-of-distribution features, and these need margins: give both or none")
    if other is not None and other.shape[1] != known.shape[1]:
        raise ShapeError(f"features must be the same for all rows, found {known.shape[1]} and {other.shape[1]}")
    if not (np.isfinite(penalty) and penalty > 0):
        raise InvalidInputError(f"penalty must be a finite number above 0, found {penalty!r}")
    found_labels = np.asarray(labels)
    size = n_classes or (int(found_labels.max()) + 1 if found_labels.size else 0)
    classes = checked_labels(labels, len(known), max(size, 2))
    shape = max(size, 2), known.shape[1] + 1
    first = np.zeros(shape) if start is None else np.column_stack([start.coefficients, start.intercepts])

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        return _loss(flat.reshape(shape), known, classes, other, margins, weight, penalty)

    settings: Any = {"maxiter": max_iterations, "maxfun": 2 * max_iterations, "ftol": 1e-13, "gtol": 1e-7}
    found: Any = minimize(loss, first.reshape(-1), jac=True, method="L-BFGS-B", options=settings)
    table = found.x.reshape(shape)
    return LogitHead(
        coefficients=table[:, :-1],
        intercepts=table[:, -1],
        loss=float(found.fun),
        converged=bool(found.success),
        n_iterations=int(found.nit),
    )


def _loss(
    table: FloatArray,
    known: FloatArray,
    classes: npt.NDArray[np.int64],
    other: FloatArray | None,
    margins: EnergyMargins | None,
    weight: float,
    penalty: float,
) -> tuple[float, FloatArray]:
    coefficients, intercepts = table[:, :-1], table[:, -1]
    far = np.zeros((1, len(table))) if other is None else other @ coefficients.T + intercepts
    bounds = margins or EnergyMargins(-1.0, 1.0)
    found = margin_loss(
        known @ coefficients.T + intercepts, classes, far, bounds, weight=0.0 if margins is None else weight
    )
    gradient = np.empty_like(table)
    gradient[:, :-1] = found.gradient.T @ known + penalty * coefficients
    gradient[:, -1] = found.gradient.sum(axis=0)
    if other is not None:
        gradient[:, :-1] += found.ood_gradient.T @ other
        gradient[:, -1] += found.ood_gradient.sum(axis=0)
    return found.value + 0.5 * penalty * float(np.sum(coefficients**2)), gradient.reshape(-1)


def _features(features: npt.ArrayLike) -> FloatArray:
    found = as_floats(features, "features")
    if found.ndim != 2 or 0 in found.shape:
        raise ShapeError(f"features must be a table with rows and columns, (N, K), found shape {found.shape}")
    if not np.isfinite(found).all():
        row, column = (int(place) for place in np.argwhere(~np.isfinite(found))[0])
        raise InvalidInputError(f"features must be finite, found {found[row, column]} in row {row}, column {column}")
    return found
