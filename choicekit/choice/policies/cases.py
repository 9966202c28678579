"""The cases of a comparison - the baseline and every policy - on one axis of alternatives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.choice.sampling import Sampler
from choicekit.choice.simulation import utilities_of

__all__ = ["BASELINE", "Case", "CaseRows"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

BASELINE = "baseline"
"""Name of what every policy is compared with."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CaseRows:
    """Some rows of a case.

    Attributes
    ----------
    utility : ndarray (n, A)
        Minus infinity where unavailable; 0 throughout for rows that do not choose, so that they can be worked on and
        then left out.
    belongs : ndarray (n,)
        Whether a row belongs to the case's population.
    chooses : ndarray (n,)
        Whether it also has something available, if only the outside option.
    outside : ndarray (n,)
        Whether it has nothing but the outside option.
    probabilities : ndarray (n, A)
        0 for rows that do not choose.
    value : ndarray (n,)
        Inclusive value; 0 for rows that do not choose.
    """

    utility: FloatArray
    belongs: BoolArray
    chooses: BoolArray
    outside: BoolArray
    probabilities: FloatArray
    value: FloatArray

    @property
    def decides(self) -> BoolArray:
        """Whether a row has something of its own to choose among, (n,)."""
        return self.chooses & ~self.outside

    def __repr__(self) -> str:
        return f"CaseRows({int(self.chooses.sum())} of {len(self.chooses)} rows choose)"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Case:
    """The baseline or a policy: a model, its rows and its draws.

    Attributes
    ----------
    name : str
    model : ChoiceModel
    population : Population
        The baseline's, of all rows.
    places : ndarray of int64
        Place of each of the model's alternatives, and of the outside option if there is one, on the common axis.
    n_alternatives : int
        Length A of the common axis.
    sampler : Sampler
        Over the common axis: what is not offered here is unavailable.
    kept : ndarray (N,) of bool, optional
        Rows that belong to the case; by default all.
    """

    name: str
    model: ChoiceModel
    population: Population
    places: IntArray
    n_alternatives: int
    sampler: Sampler
    kept: BoolArray | None = field(default=None)

    def __repr__(self) -> str:
        return f"Case({self.name!r}, {self.places.size} of {self.n_alternatives} alternatives)"

    def rows(self, rows: slice, model: ChoiceModel | None = None) -> CaseRows:
        """Return what some rows face and how they choose.

        Parameters
        ----------
        rows : slice
        model : ChoiceModel, optional
            The case's model with other coefficients.
        """
        used = self.model if model is None else model
        given = utilities_of(used, self.population, rows)
        utility = np.full((len(given), self.n_alternatives), -np.inf)
        utility[:, self.places] = given
        belongs = np.ones(len(given), dtype=bool) if self.kept is None else self.kept[rows]
        chooses = belongs & (utility > -np.inf).any(axis=1)
        outside = np.zeros(len(given), dtype=bool)
        if used.on_no_alternative == "outside":
            outside = chooses & (given[:, -1] > -np.inf)
        utility[~chooses] = 0.0
        rule = self.sampler.rule.for_rows(rows)
        probabilities, value = rule.probabilities(utility), np.asarray(rule.value(utility))
        probabilities[~chooses] = 0.0
        value[~chooses] = 0.0
        return CaseRows(
            utility=utility, belongs=belongs, chooses=chooses, outside=outside, probabilities=probabilities, value=value
        )
