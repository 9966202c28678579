"""The types of agent that a model is made of: which there are for some rows, and of which each agent is when drawn.

A plain model has one type. A latent class is one, and so is every set of coefficients that random coefficients may
take: an expectation is a mean over types, and a simulated agent is of one of them, the same in all its situations.

============  ==========================================================================================
what          address, beside the seed
============  ==========================================================================================
coefficient   stage COEFFICIENT, the replication, the agent (without the situation), the coefficient's name
class         stage CLASS, the replication, the agent (without the situation)
============  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.choice.heterogeneity.quasi_random import QuasiRandomNodes
from choicekit.random import Draws, Stage, alternative_words, identifier_words
from choicekit.rules import Softmax

if TYPE_CHECKING:
    from choicekit.choice.heterogeneity.coefficients import RandomCoefficient
    from choicekit.choice.model import ChoiceModel
    from choicekit.choice.population import Population

__all__ = ["AgentType", "AgentTypes", "DrawnTypes", "RowTypes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, eq=False)
class AgentType:
    """One of the types that some rows may be of.

    Attributes
    ----------
    weight : float or ndarray (n,)
        Probability of the type; those of one shift sum to one.
    shift : int
        The independent estimate of the expectation that it belongs to.
    coefficients : mapping of str to (float or ndarray (n,))
        What differs from the model's coefficients.
    position : int
        Of its class; 0 where there are none.
    """

    weight: float | FloatArray
    shift: int
    coefficients: Mapping[str, float | FloatArray]
    position: int


@dataclass(frozen=True, kw_only=True, eq=False)
class DrawnTypes:
    """Of which type each of some rows is in a replication.

    Attributes
    ----------
    coefficients : mapping of str to (float or ndarray (n,))
        What differs from the model's coefficients.
    position : ndarray (n,) of int64
        Of its class.
    """

    coefficients: Mapping[str, float | FloatArray]
    position: IntArray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AgentTypes:
    """The types of agent of a model in a population.

    Attributes
    ----------
    model : ChoiceModel
    population : Population
    seed : int
    """

    model: ChoiceModel
    population: Population
    seed: int

    @property
    def lone(self) -> bool:
        """Whether there is one type only, so that nothing is to be averaged or drawn."""
        return not self.model.random_names and len(self.model.classes) <= 1

    @property
    def n_shifts(self) -> int:
        """Number of independent estimates of an expectation; 0 where it is exact."""
        return self.model.integration.shifts if self.model.random_names else 0

    @property
    def dependent(self) -> bool:
        """Whether what rows choose depends on each other, as that of one agent of unknown type does."""
        return not self.lone and self.most_rows > 1

    @property
    def most_dependent(self) -> int:
        """Largest number of rows that depend on each other."""
        return self.most_rows if self.dependent else 1

    @cached_property
    def most_rows(self) -> int:
        """Number of rows of the agent that has most."""
        if self.population.situations is None:
            return 1
        return int(np.unique(self.words, return_counts=True)[1].max())

    @cached_property
    def words(self) -> UIntArray:
        """Address words of the agents of all rows, without their situations."""
        return identifier_words(self.population.agents)

    @cached_property
    def nodes(self) -> QuasiRandomNodes:
        """Where expectations over random coefficients are taken."""
        setting = self.model.integration
        return QuasiRandomNodes(
            seed=self.seed, names=self.model.random_names, n_points=setting.points, n_shifts=setting.shifts
        )

    def with_model(self, model: ChoiceModel) -> Self:
        """Return the types of the same model with other coefficients."""
        _ = self.words, self.nodes if self.n_shifts else None  # worked out once for all
        changed = copy(self)
        object.__setattr__(changed, "model", model)
        return changed

    def of(self, rows: slice | IntArray) -> RowTypes:
        """Return the types of some rows."""
        return RowTypes(types=self, rows=np.arange(self.population.n_rows)[rows])


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RowTypes:
    """The types of some rows.

    Attributes
    ----------
    types : AgentTypes
    rows : ndarray (n,) of int64
    """

    types: AgentTypes
    rows: IntArray

    @property
    def _model(self) -> ChoiceModel:
        return self.types.model

    @cached_property
    def _words(self) -> UIntArray:
        return self.types.words[self.rows]

    @cached_property
    def shares(self) -> list[float] | list[FloatArray]:
        """Probability of each class: a number for all rows, or one a row; one class of all where there are none."""
        classes = self._model.classes
        if not classes:
            return [1.0]
        if not self._model.memberships:
            given = [float(kind.share or 0.0) for kind in classes.values()]
            return [share / sum(given) for share in given]
        fit = np.empty((len(self.rows), len(classes)))
        for place, formula in enumerate(self._model.memberships.values()):
            fit[:, place] = formula.evaluate(self._model.inputs(formula, self.types.population, "", self.rows))
        table = Softmax().probabilities(fit) if len(fit) else fit
        return [np.ascontiguousarray(column) for column in table.T]

    def each(self, shifts: int | None = None) -> Iterator[AgentType]:
        """Yield the types, shift by shift.

        Parameters
        ----------
        shifts : int, optional
            How many of the shifts; by default all. One is enough where the error is not asked for.

        Notes
        -----
        Arrays of coefficients are new for every type.
        """
        model, shares = self._model, self.shares
        kinds = list(enumerate(model.kinds))
        if not model.random_names:
            for place, kind in kinds:
                yield AgentType(weight=shares[place], shift=0, coefficients=kind.fixed, position=place)
            return
        n_points = self.types.nodes.n_points
        for shift, point, uniform in self.types.nodes.uniforms(self._words):
            if shift == shifts:
                return
            made = _Made(model, uniform)
            for place, kind in kinds:
                share = shares[place]
                if kind.random:
                    values: dict[str, float | FloatArray] = {**kind.fixed, **made.values(kind.random)}
                    yield AgentType(weight=share / n_points, shift=shift, coefficients=values, position=place)
                elif point == 0:  # the same at every point
                    yield AgentType(weight=share, shift=shift, coefficients=kind.fixed, position=place)

    def drawn(self, replication: int) -> DrawnTypes:
        """Return of which type each row is in a replication."""
        model, position = self._model, self._drawn_classes(replication)
        values: dict[str, float | FloatArray] = {}
        made = _Made(model, self._coefficient_draws.uniforms(replication)) if model.random_names else None
        for place, kind in enumerate(model.kinds):
            own: dict[str, float | FloatArray] = {**kind.fixed, **(made.values(kind.random) if made else {})}
            for name in model.varying:
                value = own.get(name, model.coefficients[name])
                values[name] = value if place == 0 else np.where(position == place, value, values[name])
        return DrawnTypes(coefficients=values, position=position)

    @cached_property
    def _coefficient_draws(self) -> Draws:
        names = alternative_words(list(self._model.random_names))
        return Draws(seed=self.types.seed, stage=Stage.COEFFICIENT, rows=self._words, alternatives=names)

    def _drawn_classes(self, replication: int) -> IntArray:
        position = np.zeros(len(self.rows), dtype=np.int64)
        if len(self.shares) > 1:
            one_word = np.zeros(1, dtype=np.uint64)
            draws = Draws(seed=self.types.seed, stage=Stage.CLASS, rows=self._words, alternatives=one_word)
            uniform = draws.uniforms(replication)[:, 0]
            for bound in self._bounds:
                position += uniform > bound
        return position

    @cached_property
    def _bounds(self) -> list[FloatArray]:
        """Uniform numbers at which one class ends and the next begins; a class of share 0 at the end is never drawn."""
        total, bounds = np.asarray(0.0), []
        for share in self.shares[:-1]:
            total = total + share
            bounds.append(total)
        last = np.asarray(self.shares[-1])
        return [np.where(last > 0, bound, np.where(bound >= total, 1.0, bound)) for bound in bounds]


class _Made:
    """Coefficients made of uniform numbers (n, D), each once however many classes share it."""

    def __init__(self, model: ChoiceModel, uniform: FloatArray) -> None:
        self._names, self._covariance, self._uniform = model.random_names, model.random_covariance, uniform
        self._known: dict[tuple[str, int], FloatArray] = {}

    def values(self, random: Mapping[str, RandomCoefficient]) -> dict[str, FloatArray]:
        """Return the values (n,) of random coefficients."""
        for name, coefficient in random.items():
            if (name, id(coefficient)) not in self._known:
                self._known[name, id(coefficient)] = self._value(name, coefficient)
        return {name: self._known[name, id(coefficient)] for name, coefficient in random.items()}

    def _value(self, name: str, coefficient: RandomCoefficient) -> FloatArray:
        if coefficient.correlated and self._covariance is not None:
            return coefficient.distribution.from_deviation(self._deviations[list(self._covariance.names).index(name)])
        return coefficient.distribution.values(self._uniform[:, self._names.index(name)])

    @cached_property
    def _deviations(self) -> list[FloatArray]:
        if self._covariance is None:
            return []
        columns = [self._names.index(name) for name in self._covariance.names]
        return list(self._covariance.deviations(special.ndtri(self._uniform[:, columns])).T)
