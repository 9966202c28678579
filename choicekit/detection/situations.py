"""Are choice situations like those of a reference population: by their energy, and by their attributes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.conformal import conformal_p_values
from choicekit.detection.distance import AttributeReference
from choicekit.detection.thresholds import RetentionThreshold, calibration_of, retention_threshold

__all__ = ["SituationReference", "SituationScores"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class SituationScores:
    """What is said of some situations.

    Attributes
    ----------
    energies : ndarray (N,)
        Minus inclusive values: larger = more out-of-distribution, as far as the level of utility means anything.
    p_values : ndarray (N,)
        Conformal, against the reference.
    flagged : ndarray (N,) of bool
        By their energy.
    distances : ndarray (N,) or None
        Mahalanobis, of the attributes.
    distant : ndarray (N,) of bool or None
        By their distance.
    """

    energies: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    distances: FloatArray | None
    distant: BoolArray | None


@dataclass(frozen=True, kw_only=True, eq=False)
class SituationReference:
    """A reference population, and the thresholds that it gives.

    Attributes
    ----------
    energies : ndarray (n,)
        Rising.
    threshold : RetentionThreshold
        Of the energy.
    sides : {"upper", "both"}
    attributes : AttributeReference or None
    distance_threshold : RetentionThreshold or None
        Of the distance.
    """

    energies: FloatArray
    threshold: RetentionThreshold
    sides: str
    attributes: AttributeReference | None
    distance_threshold: RetentionThreshold | None

    @classmethod
    def fit(
        cls,
        energies: npt.ArrayLike,
        *,
        retention: float = 0.95,
        sides: str = "upper",
        attributes: npt.ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> SituationReference:
        """Return the reference that keeps a share of situations like these.

        Parameters
        ----------
        energies : array_like (n,)
            Minus inclusive values.
        retention : float
            Share to be kept, between 0 and 1.
        sides : {"upper", "both"}
            Whether situations that are better than nearly all are flagged, too.
        attributes : array_like (n, K), optional
            For the distance.
        names : sequence of str, optional
            Of the attributes.

        Raises
        ------
        InvalidInputError
            For too few situations for the retention; the message says how many are needed.
        IdentificationError
            For attributes that do not vary or determine each other, by name.

        Notes
        -----
        The threshold of the distance comes from each reference situation's distance from all *others*, as a new
        situation's is: its own place in the mean and covariance would make it look too near.

        Examples
        --------
        >>> rng = np.random.default_rng(1)
        >>> reference = SituationReference.fit(rng.normal(size=99), attributes=rng.normal(size=(99, 2)))
        >>> found = reference.judge([0.0, 9.0], [[0.0, 0.0], [0.0, 9.0]])
        >>> found.flagged, found.distant
        (array([False,  True]), array([False,  True]))
        """
        ordered = calibration_of(energies)
        known = None if attributes is None else AttributeReference.fit(attributes, names)
        distances = None if known is None or attributes is None else left_out_distances(known, attributes)
        return cls(
            energies=ordered,
            threshold=retention_threshold(ordered, retention, sides=sides),
            sides=sides,
            attributes=known,
            distance_threshold=None if distances is None else retention_threshold(distances, retention),
        )

    def judge(self, energies: npt.ArrayLike, attributes: npt.ArrayLike | None = None) -> SituationScores:
        """Return what is to be said of situations.

        Parameters
        ----------
        energies : array_like (N,)
        attributes : array_like (N, K), optional
            Without them there are no distances.
        """
        values = np.asarray(energies, dtype=np.float64)
        measured = self.attributes is not None and attributes is not None
        distances = (
            self.attributes.distance(attributes) if self.attributes is not None and attributes is not None else None
        )
        return SituationScores(
            energies=values,
            p_values=conformal_p_values(self.energies, values, sides=self.sides),
            flagged=self.threshold.flags(values),
            distances=distances,
            distant=self.distance_threshold.flags(distances)
            if measured and distances is not None and self.distance_threshold is not None
            else None,
        )


def left_out_distances(reference: AttributeReference, attributes: npt.ArrayLike) -> FloatArray:
    """Return each reference row's distance from the mean of the others, by the covariance of the others.

    Examples
    --------
    >>> table = np.random.default_rng(1).normal(size=(30, 2))
    >>> found = left_out_distances(AttributeReference.fit(table), table)
    >>> bool(np.isclose(found[0], AttributeReference.fit(table[1:]).distance(table[:1])[0]))
    True
    """
    within = reference.distance(attributes) ** 2
    n = within.size
    q = within / (n - 1)  # Sherman and Morrison's formula for the covariance without the row
    with np.errstate(divide="ignore"):
        squared = np.where(
            n * q < n - 1, (n / (n - 1)) ** 2 * (n - 2) * q / np.maximum(1 - n / (n - 1) * q, 0.0), np.inf
        )
    return np.sqrt(squared)
