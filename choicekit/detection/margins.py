"""Energy-bounded training: a loss that keeps known rows below one energy and others above another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.scores import checked_logits
from choicekit.detection.temperature import checked_labels
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["EnergyMargins", "MarginLoss", "margin_loss"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EnergyMargins:
    """Energies that known rows should stay below, and others above.

    Attributes
    ----------
    inside : float
        For in-distribution rows; lower than `outside`.
    outside : float
        For out-of-distribution rows.

    Examples
    --------
    >>> EnergyMargins(-23.0, -5.0)  # those of Liu et al. for CIFAR-10
    EnergyMargins(inside=-23.0, outside=-5.0)
    """

    inside: float
    outside: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.inside) and np.isfinite(self.outside) and self.inside < self.outside):
            raise InvalidInputError(
                f"margins must be finite energies, inside below outside, found {self.inside!r} and {self.outside!r}"
            )

    @classmethod
    def from_quantiles(
        cls, energies_in: npt.ArrayLike, energies_ood: npt.ArrayLike, quantile: float = 0.5
    ) -> EnergyMargins:
        """Return margins at quantiles of the data's own energies: by default both medians.

        Parameters
        ----------
        energies_in, energies_ood : array_like
            Of known rows and of others, before training.
        quantile : float
            Share of known rows that are below their margin already, and of the others that are above theirs.

        Raises
        ------
        InvalidInputError
            For no energies, a quantile outside [0, 1], or where the inner margin would not be below the outer.

        Examples
        --------
        >>> EnergyMargins.from_quantiles([-9.0, -8.0, -7.0], [-3.0, -2.0, -1.0])
        EnergyMargins(inside=-8.0, outside=-2.0)
        """
        if not 0 <= quantile <= 1:
            raise InvalidInputError(f"quantile must be from 0 to 1, found {quantile!r}")
        if not np.size(energies_in) or not np.size(energies_ood):
            raise InvalidInputError("margins need energies of both kinds of rows, found none of one")
        inside, outside = as_floats(energies_in, "energies"), as_floats(energies_ood, "energies")
        return cls(float(np.quantile(inside, quantile)), float(np.quantile(outside, 1.0 - quantile)))


@dataclass(frozen=True, kw_only=True, eq=False)
class MarginLoss:
    """The loss of a batch, and its gradient.

    Attributes
    ----------
    value : float
        Cross entropy plus weight times penalty.
    cross_entropy, penalty : float
        Means over rows.
    gradient : ndarray (N, J)
        By the logits of in-distribution rows.
    ood_gradient : ndarray (M, J)
        By those of out-of-distribution rows.
    """

    value: float
    cross_entropy: float
    penalty: float
    gradient: FloatArray
    ood_gradient: FloatArray


def margin_loss(
    logits: npt.ArrayLike,
    labels: npt.ArrayLike,
    ood_logits: npt.ArrayLike,
    margins: EnergyMargins,
    *,
    weight: float = 0.1,
    temperature: float = 1.0,
) -> MarginLoss:
    """Return the cross entropy with a penalty on energies beyond their margins, and its exact gradient.

    Parameters
    ----------
    logits : array_like (N, J)
        Of in-distribution rows.
    labels : array_like (N,) of int
        Their classes, counted from 0.
    ood_logits : array_like (M, J)
        Of out-of-distribution rows.
    margins : EnergyMargins
    weight : float
        Of the penalty, at least 0.
    temperature : float
        Of the energies, above 0; probabilities are at temperature 1.

    Raises
    ------
    InvalidInputError, ShapeError
        For logits that are not finite, labels that are no classes, shapes that do not fit, or no rows.

    Notes
    -----
    ``mean -log p_y + weight [mean max(0, E_in - inside)^2 + mean max(0, outside - E_out)^2]`` with the energy
    E = -T logsumexp(u / T), whose gradient is minus the softmax at T.

    References
    ----------
    Liu, Wang, Owens & Li (2020), "Energy-based out-of-distribution detection", NeurIPS 33, equations 7 to 9.

    Examples
    --------
    >>> found = margin_loss([[3.0, 0.0]], [0], [[1.0, 1.0]], EnergyMargins(-4.0, -1.0))
    >>> round(found.cross_entropy, 4), round(found.penalty, 4)
    (0.0486, 1.3856)
    """
    known, other = (checked_logits(values).astype(np.float64, copy=False) for values in (logits, ood_logits))
    if known.ndim != 2 or other.ndim != 2 or known.shape[1] != other.shape[1] or not len(known) or not len(other):
        raise ShapeError(f"logits must be tables of the same classes with rows, found {known.shape} and {other.shape}")
    if not (np.isfinite(weight) and weight >= 0 and np.isfinite(temperature) and temperature > 0):
        raise InvalidInputError(f"weight must be at least 0 and temperature above 0, found {weight!r}, {temperature!r}")
    classes = checked_labels(labels, *known.shape)
    top, p = _softmax(known, 1.0)
    entropy = float(np.mean(top - known[np.arange(len(known)), classes]))
    gradient = p
    gradient[np.arange(len(known)), classes] -= 1.0
    soft, p_in = _softmax(known, temperature)
    soft_out, p_out = _softmax(other, temperature)
    above, below = np.maximum(-soft - margins.inside, 0.0), np.maximum(margins.outside + soft_out, 0.0)
    penalty = float(np.mean(above**2) + np.mean(below**2))
    return MarginLoss(
        value=entropy + weight * penalty,
        cross_entropy=entropy,
        penalty=penalty,
        gradient=(gradient - 2.0 * weight * above[:, None] * p_in) / len(known),
        ood_gradient=2.0 * weight * below[:, None] * p_out / len(other),
    )


def _softmax(logits: FloatArray, temperature: float) -> tuple[FloatArray, FloatArray]:
    """Return the soft maximum and the probabilities of each row."""
    highest = logits.max(axis=1, keepdims=True)
    p = np.exp((logits - highest) / temperature)
    total = p.sum(axis=1, keepdims=True)
    return (highest + temperature * np.log(total))[:, 0], p / total
