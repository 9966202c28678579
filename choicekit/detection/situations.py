"""Are choice situations like those of a reference population: by their energy, and by their attributes beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.detection.conformal import conformal_p_values
from choicekit.detection.distance import AttributeReference
from choicekit.detection.thresholds import RetentionThreshold, calibration_of, retention_threshold
from choicekit.rules.utilities import as_floats

__all__ = ["SituationReference", "SituationScores"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class SituationScores:
    """What is said of some situations.

    Attributes
    ----------
    energies : ndarray (N,)
        Minus inclusive values: larger = more out-of-distribution, as far as the level of utility means anything. nan
        for a situation with nothing to choose, which is not judged.
    p_values : ndarray (N,)
        Conformal, against the reference; nan where it is not judged.
    flagged : ndarray (N,) of bool
        By their energy.
    distances : ndarray (N,) or None
        Mahalanobis, of the attributes: larger = more out-of-distribution. nan where it is not judged, or some
        attribute is not known.
    distant : ndarray (N,) of bool or None
        By their distance.
    """

    energies: FloatArray
    p_values: FloatArray
    flagged: BoolArray
    distances: FloatArray | None
    distant: BoolArray | None

    @property
    def judged(self) -> BoolArray:
        """Which situations are judged, (N,): those with something to choose."""
        return ~np.isnan(self.energies)

    def flagged_share(self, among: BoolArray | None = None) -> float:
        """Return the share flagged by energy of the situations that are judged, or of some; nan of none."""
        return _share(self.flagged, self.judged, among)

    def distant_share(self, among: BoolArray | None = None) -> float:
        """Return the share flagged by distance of the situations that have one, or of some; nan of none."""
        if self.distances is None or self.distant is None:
            return float("nan")
        return _share(self.distant, ~np.isnan(self.distances), among)


def _share(flags: BoolArray, counting: BoolArray, among: BoolArray | None) -> float:
    counting = counting if among is None else counting & among
    return float(flags[counting].mean()) if counting.any() else float("nan")


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
            nan for a situation with nothing to choose, which is not judged.
        attributes : array_like (N, K), optional
            Without them there are no distances. A situation with an attribute that is not finite has none.

        Raises
        ------
        InvalidInputError, ShapeError
            For other attributes than the reference's, or things that are no numbers.

        Examples
        --------
        >>> reference = SituationReference.fit(np.arange(19.0))
        >>> found = reference.judge([20.0, np.nan, 3.0])
        >>> found.flagged, found.flagged_share()
        (array([ True, False, False]), 0.5)
        """
        values = as_floats(energies, "energies")
        chooses = ~np.isnan(values)
        p_values = np.full(values.shape, np.nan)
        p_values[chooses] = conformal_p_values(self.energies, values[chooses], sides=self.sides)
        distances = distant = None
        if self.attributes is not None and self.distance_threshold is not None and attributes is not None:
            table = as_floats(attributes, "attributes")
            known = chooses & np.isfinite(table).all(axis=-1)
            distances = np.full(values.shape, np.nan)
            distances[known] = self.attributes.distance(table[known])
            distant = self.distance_threshold.flags(distances)
        return SituationScores(
            energies=values,
            p_values=p_values,
            flagged=self.threshold.flags(values),
            distances=distances,
            distant=distant,
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
