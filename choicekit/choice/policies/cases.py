"""The cases of a comparison - the baseline and every policy - on one axis of alternatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import Expression
from choicekit.choice.heterogeneity.expectation import Chooser, Expected, Mean, expectations
from choicekit.choice.heterogeneity.facing import Facing
from choicekit.choice.heterogeneity.types import AgentType, AgentTypes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.money import money_units
from choicekit.choice.population import Population
from choicekit.choice.sampling import Sampler
from choicekit.choice.simulation import utilities_of
from choicekit.rules import ChoiceRule

__all__ = ["BASELINE", "Case", "CaseRows", "Face", "JointRows", "joint_rows"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

BASELINE = "baseline"
"""Name of what every policy is compared with."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Face:
    """What some rows face in a case.

    Attributes
    ----------
    chooser : Chooser
        On the common axis; rows that do not choose have utility 0 throughout, so that they can be worked on and then
        left out.
    belongs : ndarray (n,)
        Whether a row belongs to the case's population.
    chooses : ndarray (n,)
        Whether it also has something available, if only the outside option.
    outside : ndarray (n,)
        Whether it has nothing but the outside option.
    """

    chooser: Chooser
    belongs: BoolArray
    chooses: BoolArray
    outside: BoolArray

    def choosing(self, expected: Expected) -> CaseRows:
        """Return the rows with what they are expected to choose."""
        left_out = ~self.chooses
        expected.probabilities[left_out] = 0.0
        expected.value[left_out] = 0.0
        expected.probabilities_by_shift[:, left_out] = 0.0
        expected.value_by_shift[:, left_out] = 0.0
        return CaseRows(
            utility=self.chooser.facing.at(self.chooser.facing.model.kinds[0].fixed),
            belongs=self.belongs,
            chooses=self.chooses,
            outside=self.outside,
            probabilities=expected.probabilities,
            value=expected.value,
            probabilities_by_shift=expected.probabilities_by_shift,
            value_by_shift=expected.value_by_shift,
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CaseRows:
    """Some rows of a case and how they choose.

    Attributes
    ----------
    utility : ndarray (n, A)
        Of the first class, random coefficients at their means. Minus infinity where unavailable; 0 throughout for rows
        that do not choose.
    belongs, chooses, outside : ndarray (n,)
        As in `Face`.
    probabilities : ndarray (n, A)
        0 for rows that do not choose.
    value : ndarray (n,)
        Inclusive value; 0 for rows that do not choose.
    probabilities_by_shift, value_by_shift : ndarray (S, n, A) and (S, n)
        The same by each shift of the integration points alone; S = 0 without random coefficients.
    """

    utility: FloatArray
    belongs: BoolArray
    chooses: BoolArray
    outside: BoolArray
    probabilities: FloatArray
    value: FloatArray
    probabilities_by_shift: FloatArray = field(default_factory=lambda: np.zeros((0, 1, 1)))
    value_by_shift: FloatArray = field(default_factory=lambda: np.zeros((0, 1)))

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
    rules : tuple of ChoiceRule
        Of each class, with settings by position.
    types : AgentTypes
        Which types of agent there are: the baseline's, whatever the case.
    kept : ndarray (N,) of bool, optional
        Rows that belong to the case; by default all.
    """

    name: str
    model: ChoiceModel
    population: Population
    places: IntArray
    n_alternatives: int
    sampler: Sampler
    rules: tuple[ChoiceRule, ...]
    types: AgentTypes
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
        return joint_rows([self], rows, models=None if model is None else [model]).cases[0]

    def face(self, rows: slice, model: ChoiceModel | None = None) -> Face:
        """Return what some rows face; see `rows`."""
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
        facing = Facing(
            model=used,
            population=self.population,
            rows=np.arange(self.population.n_rows)[rows],
            utility=utility,
            places=self.places,
            counts=chooses & ~outside,
        )
        chooser = Chooser(facing=facing, rules=self.rules, sampler=self.sampler)
        return Face(chooser=chooser, belongs=belongs, chooses=chooses, outside=outside)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class JointRows:
    """The same rows in several cases.

    Attributes
    ----------
    cases : list of CaseRows
    gains : list of ndarray (n,), or None
        For each case after the first the change in money of every row against the first, as a mean over its types;
        None where what money is worth does not differ among them, so that it is the change in value over it.
    gains_by_shift : list of ndarray (S, n)
        The same by each shift of the integration points alone.
    worth : ndarray (n,), or None
        Mean over types of the money that a unit of utility is worth, where it differs among them.
    """

    cases: list[CaseRows]
    gains: list[FloatArray] | None = None
    gains_by_shift: list[FloatArray] = field(default_factory=list)
    worth: FloatArray | None = None


def joint_rows(
    cases: Sequence[Case],
    rows: slice,
    *,
    faces: Sequence[Face] | None = None,
    models: Sequence[ChoiceModel] | None = None,
    money: Expression | None = None,
    shifts: int | None = None,
) -> JointRows:
    """Return what some rows face and how they choose in several cases, at the same types.

    Parameters
    ----------
    cases : sequence of Case
        What money is worth is that in the first.
    rows : slice
    faces : sequence of Face, optional
        What they face, where that is known.
    models : sequence of ChoiceModel, optional
        The cases' models with other coefficients.
    money : Expression, optional
        Formula of the cost coefficient.
    shifts : int, optional
        How many of the shifts of integration points to use; by default all.
    """
    if faces is None:
        given = [None] * len(cases) if models is None else models
        faces = [case.face(rows, model) for case, model in zip(cases, given, strict=True)]
    types = cases[0].types if models is None else cases[0].types.with_model(models[0])
    gains = None
    if money is not None and not types.lone and not money.names.isdisjoint(types.model.varying):
        gains = _Gains(types, faces[0], money, len(cases) - 1)
    expected = expectations(
        types.of(rows), [face.chooser for face in faces], shifts=shifts, visit=None if gains is None else gains.add
    )
    chosen = [face.choosing(found) for face, found in zip(faces, expected, strict=True)]
    if gains is None:
        return JointRows(cases=chosen)
    return JointRows(
        cases=chosen,
        gains=[gain.total for gain in gains.means],
        gains_by_shift=[gain.by_shift for gain in gains.means],
        worth=gains.worth.total,
    )


class _Gains:
    """Changes in money, added up over types where these differ in what money is worth to them."""

    def __init__(self, types: AgentTypes, baseline: Face, money: Expression, n_changes: int) -> None:
        self._facing, self._money = baseline.chooser.facing, money
        self.means = [Mean(types.n_shifts) for _ in range(n_changes)]
        self.worth = Mean(types.n_shifts)

    def add(self, kind: AgentType, values: list[FloatArray]) -> None:
        """Add a type, at which the cases have these inclusive values (n,)."""
        facing = self._facing
        with np.errstate(all="ignore"):
            unit = money_units(self._money, facing.model, facing.population, facing.rows, kind.coefficients)
            self.worth.add(kind, 1 / unit)
            for mean, value in zip(self.means, values[1:], strict=True):
                mean.add(kind, (value - values[0]) / unit)
