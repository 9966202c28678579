"""KL matching: how far a row's probabilities are from what is typical of any class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.scores import check_temperature, checked_logits
from choicekit.errors import InvalidInputError, ShapeError

__all__ = ["KLReference"]

FloatArray = npt.NDArray[np.float64]

_CELLS = 4_000_000  # that are worked on at once


@dataclass(frozen=True, kw_only=True, eq=False)
class KLReference:
    """Mean probabilities of known rows by the class that was predicted.

    Attributes
    ----------
    distributions : ndarray (K, J)
        A row for each class that was predicted at all.
    classes : ndarray (K,) of int
        Which those are.
    temperature : float
    """

    distributions: FloatArray
    classes: npt.NDArray[np.int64]
    temperature: float

    def __repr__(self) -> str:
        return f"KLReference({len(self.classes)} of {self.distributions.shape[1]} classes)"

    @classmethod
    def fit(cls, logits: npt.ArrayLike, *, temperature: float = 1.0) -> KLReference:
        """Return the reference of known rows.

        Parameters
        ----------
        logits : array_like (N, J)
            Of in-distribution rows.
        temperature : float
            Above 0.

        Raises
        ------
        InvalidInputError
            For logits that are not finite, no rows, or a temperature of 0, at which divergences are infinite.

        References
        ----------
        Hendrycks et al. (2022), "Scaling out-of-distribution detection for real-world settings", ICML, section 4.

        Examples
        --------
        >>> KLReference.fit([[1.0, 0.0], [3.0, 0.0], [0.0, 2.0]]).distributions.round(3)
        array([[0.842, 0.158],
               [0.119, 0.881]])
        """
        values, t = checked_logits(logits), _above_zero(temperature)
        if values.ndim != 2 or not len(values):
            raise ShapeError(f"a reference needs a table of logits with rows, (N, J), found shape {values.shape}")
        n_classes = values.shape[1]
        sums, counts = np.zeros((n_classes, n_classes)), np.zeros(n_classes)
        for part in _parts(*values.shape):
            log_p = _log_probabilities(values[part], t)
            predicted = log_p.argmax(axis=1)
            np.add.at(sums, predicted, np.exp(log_p))
            counts += np.bincount(predicted, minlength=n_classes)
        classes = np.flatnonzero(counts)
        return cls(distributions=sums[classes] / counts[classes, None], classes=classes, temperature=t)

    def divergence(self, logits: npt.ArrayLike, *, temperature: float | None = None) -> FloatArray:
        """Return the smallest divergence KL(p || d) over the reference's distributions d: larger = more unlike them.

        Parameters
        ----------
        logits : array_like (..., J)
        temperature : float, optional
            By default the reference's own.

        Returns
        -------
        ndarray (...)
            In nats, at least 0.

        Raises
        ------
        ShapeError
            For another number of classes.

        Examples
        --------
        >>> reference = KLReference.fit([[3.0, 0.0], [0.0, 3.0]])
        >>> reference.divergence([[3.0, 0.0], [0.0, 0.0]]).round(3)
        array([0.   , 0.855])
        """
        values = checked_logits(logits)
        t = self.temperature if temperature is None else _above_zero(temperature)
        n_classes = self.distributions.shape[1]
        if values.shape[-1] != n_classes:
            raise ShapeError(f"the reference has {n_classes} classes, found logits of {values.shape[-1]}")
        table = values.reshape(-1, n_classes)
        with np.errstate(divide="ignore"):
            log_d = np.maximum(np.log(self.distributions), np.log(np.finfo(float).tiny))  # finite, for 0 times it
        out = np.empty(len(table))
        for part in _parts(*table.shape):
            log_p = _log_probabilities(table[part], t)
            p = np.exp(log_p)
            own = np.sum(p * np.maximum(log_p, -1e300), axis=1)
            out[part] = own - (p @ log_d.T).max(axis=1)
        return np.maximum(out, 0.0).reshape(values.shape[:-1])


def _parts(n_rows: int, n_classes: int) -> list[slice]:
    step = max(1, _CELLS // n_classes)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def _log_probabilities(logits: npt.NDArray[np.floating], temperature: float) -> FloatArray:
    values = logits.astype(np.float64)
    with np.errstate(over="ignore"):
        scaled = (values - values.max(axis=1, keepdims=True)) / temperature
    return np.asarray(scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True)))


def _above_zero(temperature: float) -> float:
    t = check_temperature(temperature)
    if t == 0:
        raise InvalidInputError("KL matching needs a temperature above 0: at 0 divergences are infinite")
    return t
