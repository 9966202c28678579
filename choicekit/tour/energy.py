"""Last station: what the probabilities have thrown away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.rules import Softmax
from choicekit.tour.claims import Claim, FloatArray, Station, law

__all__ = ["EnergyStation", "visit_energy"]

POINTS = 41


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class EnergyStation(Station):
    """Two situations with the same probabilities and different energies.

    Attributes
    ----------
    utility : ndarray (2, J)
        A row, and the same lifted by `shift`.
    shift : float
    probabilities : ndarray (2, J)
    energy, inclusive_value : ndarray (2,)
        Energy is minus the inclusive value; higher means less familiar.
    shifts, energies, largest_probability : ndarray (S,)
        Along a path from the first situation to the second, and as far to the other side.
    """

    name: ClassVar[str] = "energy"
    title: ClassVar[str] = "The same probabilities, another energy"

    utility: FloatArray
    shift: float
    probabilities: FloatArray
    energy: FloatArray
    inclusive_value: FloatArray
    shifts: FloatArray
    energies: FloatArray
    largest_probability: FloatArray


def visit_energy(utility: FloatArray, shift: float) -> EnergyStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.
    shift : float
        By how much all utilities of the second situation are lifted; not 0.

    Examples
    --------
    >>> station = visit_energy(np.array([1.0, 2, 3]), shift=-10.0)
    >>> station.energy.round(4).tolist(), station.passed
    ([-3.4076, 6.5924], True)
    """
    rule = Softmax()
    pair = np.stack([utility, utility + shift])
    p, value = rule.probabilities(pair), rule.value(pair)
    shifts = np.linspace(-abs(shift), abs(shift), POINTS)
    path = utility + shifts[:, None]
    scale = float(np.abs(path).max())
    checks = (
        law("same_probabilities", "both situations have the same probabilities", p[1] - p[0], scale=scale),
        law("energies_differ", "their energies differ by the shift", value[1] - value[0] - shift, scale=scale),
        Claim(
            name="energy_tells",
            title="the energies tell the situations apart",
            measure="distance of the two energies",
            value=float(abs(value[1] - value[0])),
            limit=abs(shift) / 2,
            relation=">=",
        ),
    )
    return EnergyStation(
        utility=pair,
        shift=shift,
        probabilities=p,
        energy=-value,
        inclusive_value=value,
        shifts=shifts,
        energies=-rule.value(path),
        largest_probability=rule.probabilities(path).max(axis=-1),
        checks=checks,
    )
