"""How far attributes are from those of a reference population: the Mahalanobis distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.errors import IdentificationError, InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["AttributeReference"]

FloatArray = npt.NDArray[np.float64]

_SINGULAR = 1e-10  # an eigenvalue of the correlations, below which attributes are a sum of others but for rounding


@dataclass(frozen=True, kw_only=True, eq=False)
class AttributeReference:
    """Mean and spread of the attributes of a reference population.

    Attributes
    ----------
    names : tuple of str
    mean : ndarray (K,)
    whitening : ndarray (K, K)
        Turns attributes less their mean into uncorrelated numbers of variance 1.
    """

    names: tuple[str, ...]
    mean: FloatArray
    whitening: FloatArray

    def __repr__(self) -> str:
        return f"AttributeReference({', '.join(self.names)})"

    @classmethod
    def fit(cls, attributes: npt.ArrayLike, names: Sequence[str] | None = None) -> AttributeReference:
        """Return the reference of a population.

        Parameters
        ----------
        attributes : array_like (N, K)
            With more rows than columns.
        names : sequence of str, optional
            Of the attributes, for messages; by default their numbers.

        Raises
        ------
        IdentificationError
            Where attributes do not vary or are a sum of others, by name.
        InvalidInputError, ShapeError
            For attributes that are not finite, or too few rows.

        Examples
        --------
        >>> reference = AttributeReference.fit([[0.0], [1.0], [2.0]])
        >>> reference.distance([[1.0], [4.0]])
        array([0., 3.])
        """
        values = _table(attributes)
        n, k = values.shape
        called = tuple(map(str, range(k) if names is None else names))
        if len(called) != k:
            raise ShapeError(f"there must be one name an attribute, found {len(called)} names and {k} attributes")
        if n <= k:
            raise InvalidInputError(f"a distance over {k} attributes needs at least {k + 1} reference rows, found {n}")
        mean, spread = values.mean(axis=0), values.std(axis=0, ddof=1)
        still = [name for name, sd, centre in zip(called, spread, mean, strict=True) if sd <= 1e-13 * abs(centre)]
        if still:
            raise IdentificationError(
                f"attributes must vary in the reference, found constant {_listed(still)}: leave out"
            )
        correlation = np.corrcoef(values, rowvar=False).reshape(k, k)
        size, vectors = np.linalg.eigh(correlation)
        if size[0] < _SINGULAR:
            part = np.abs(vectors[:, 0])
            involved = [name for name, weight in zip(called, part, strict=True) if weight > 1e-4 * part.max()]
            raise IdentificationError(
                f"attributes must not determine each other, found that {_listed(involved)} do: leave one of them out"
            )
        whitening = (vectors / np.sqrt(size)) @ vectors.T / spread[:, None]
        return cls(names=called, mean=mean, whitening=whitening)

    def distance(self, attributes: npt.ArrayLike) -> FloatArray:
        """Return the distance of each row from the reference's mean: larger = more unlike it.

        Parameters
        ----------
        attributes : array_like (N, K)

        Returns
        -------
        ndarray (N,)
            In standard deviations: sqrt((x - mean)' S^-1 (x - mean)) with S the covariance (over n - 1).

        Raises
        ------
        InvalidInputError, ShapeError
            For attributes that are not finite, or other than those of the reference.

        References
        ----------
        Mahalanobis (1936), "On the generalised distance in statistics", Proceedings of the National Institute of
        Sciences of India 2.
        """
        values = _table(attributes)
        if values.shape[1] != self.mean.size:
            raise ShapeError(f"the reference has {self.mean.size} attributes, found {values.shape[1]}")
        return np.asarray(np.linalg.norm((values - self.mean) @ self.whitening, axis=1))


def _table(attributes: npt.ArrayLike) -> FloatArray:
    values = as_floats(attributes, "attributes")
    if values.ndim != 2 or values.shape[1] == 0:
        raise ShapeError(f"attributes must be a table with a column each, (N, K), found shape {values.shape}")
    if not np.isfinite(values).all():
        row, column = (int(place) for place in np.argwhere(~np.isfinite(values))[0])
        raise InvalidInputError(f"attributes must be finite, found {values[row, column]} in row {row}, column {column}")
    return values


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
