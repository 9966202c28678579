"""Those whose choices are to meet given shares: sums over them, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.heterogeneity.facing import Facing
from choicekit.choice.heterogeneity.types import AgentType, AgentTypes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.execution import Block, LocalThreads, Pass, run_pass
from choicekit.rules import ChoiceRule

__all__ = ["Choosers", "Crowd", "Response", "Sums"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sums:
    """Arrays that add up in block order.

    Attributes
    ----------
    parts : tuple of ndarray
    """

    parts: tuple[FloatArray, ...]

    def merge(self, other: Self) -> Self:
        """Return the sums over these rows and the rows right after them."""
        return type(self)(tuple(mine + theirs for mine, theirs in zip(self.parts, other.parts, strict=True)))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Choosers:
    """Rows of a block that choose.

    Attributes
    ----------
    rows : ndarray (n,) of int64
        Where they are in the population.
    utility : ndarray (n, J)
        Minus infinity where unavailable; something is available to each.
    weights : ndarray (n,)
    idle_weight : float
        Of the rows to which nothing is available.
    """

    rows: IntArray
    utility: FloatArray
    weights: FloatArray
    idle_weight: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Response:
    """How those who choose respond to a shift of utilities, as weighted means.

    Attributes
    ----------
    value : float
        Inclusive value.
    shares : ndarray (J,)
        Choice probabilities.
    """

    value: float
    shares: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Crowd:
    """A model and the rows of a population whose choices are to meet given shares.

    Attributes
    ----------
    model : ChoiceModel
    population : Population
    members : ndarray (N,) of bool, optional
        Rows that belong; all where it is not given.
    workers : int
        Threads; results do not depend on their number.
    seed : int
        Of the points at which expectations over random coefficients are taken.
    """

    model: ChoiceModel
    population: Population
    members: BoolArray | None = None
    workers: int = 1

    seed: int = 0

    @cached_property
    def rules(self) -> tuple[ChoiceRule, ...]:
        """The rule of each class, with settings by position."""
        names = self.model.alternatives(self.population)
        return tuple(rule.for_alternatives(names) for rule in self.model.rules)

    @cached_property
    def types(self) -> AgentTypes:
        """The types of agent that the population is made of."""
        return AgentTypes(model=self.model, population=self.population, seed=self.seed)

    def choosers(self, block: Block) -> Choosers:
        """Return the rows of a block that choose."""
        available = self.model.available(self.population, block.rows)
        utility = np.where(available, self.model.utility(self.population, block.rows), -np.inf)
        choosing = (utility > -np.inf).any(axis=1)
        belong = np.ones(len(block), dtype=bool) if self.members is None else self.members[block.rows]
        weights = np.ones(len(block)) if self.population.weights is None else self.population.weights[block.rows]
        here = np.flatnonzero(choosing & belong)
        return Choosers(
            rows=here + block.start,
            utility=utility[here],
            weights=weights[here],
            idle_weight=float(weights[belong & ~choosing].sum()),
        )

    def sums(self, name: str, parts: Callable[[Choosers], tuple[FloatArray, ...]]) -> tuple[FloatArray, ...]:
        """Add up what `parts` makes of the choosers of every block."""
        sweep = Pass[Sums](
            name=name,
            outcome=lambda block, _: Sums(parts(self.choosers(block))),
            finish=lambda merged, _: merged.parts,
        )
        found: tuple[FloatArray, ...] = run_pass(sweep, self.population.n_rows, executor=LocalThreads(self.workers))
        return found

    def response(self, shift: FloatArray) -> Response:
        """Return shares and inclusive value where utilities are shifted.

        Parameters
        ----------
        shift : ndarray (J,)
            Added to the utilities of each alternative.

        Returns
        -------
        Response
        """
        weight, value, shares = self.sums("calibrating", lambda choosers: self._answer(choosers, shift))
        return Response(value=float(value / weight), shares=shares / weight)

    def jacobian(self, shift: FloatArray, moved: IntArray) -> FloatArray:
        """Return the derivatives (M, M) of the shares of some alternatives by their shifts.

        Parameters
        ----------
        shift : ndarray (J,)
            Added to the utilities of each alternative.
        moved : ndarray (M,) of int64
            Alternatives to differentiate by.
        """
        weight, total = self.sums("calibrating", lambda choosers: self._slopes(choosers, shift))
        return np.asarray(total[np.ix_(moved, moved)] / weight)

    def _answer(self, choosers: Choosers, shift: FloatArray) -> tuple[FloatArray, ...]:
        weights = choosers.weights
        value, shares = np.zeros(()), np.zeros(len(shift))
        for kind, rule, utility in self._types_of(choosers, shift):
            counts = weights * kind.weight
            value = value + _total(counts, rule.value(utility)[:, None])[0]
            shares = shares + _total(counts, rule.probabilities(utility))
        n_shifts = max(self.types.n_shifts, 1)
        return np.asarray(weights.sum()), np.asarray(value / n_shifts), shares / n_shifts

    def _slopes(self, choosers: Choosers, shift: FloatArray) -> tuple[FloatArray, ...]:
        weights = choosers.weights
        slopes = np.zeros((len(shift), len(shift)))
        for kind, rule, utility in self._types_of(choosers, shift):
            slopes = slopes + rule.jacobian_sum(utility, weights * kind.weight)
        return np.asarray(weights.sum()), slopes / max(self.types.n_shifts, 1)

    def _types_of(self, choosers: Choosers, shift: FloatArray) -> Iterator[tuple[AgentType, ChoiceRule, FloatArray]]:
        """Yield the types that choosers may be of, with the rule of each and utilities that are shifted."""
        if not len(choosers.rows):
            return
        rules = [rule.for_rows(choosers.rows) for rule in self.rules]
        facing = Facing(
            model=self.model,
            population=self.population,
            rows=choosers.rows,
            utility=choosers.utility,
            places=np.arange(len(shift)),
        )
        for kind in self.types.of(choosers.rows).each():
            yield kind, rules[kind.position], facing.at(kind.coefficients) + shift


def _total(weights: FloatArray, table: FloatArray) -> FloatArray:
    """Weighted sum (n, J) -> (J,) over contiguous memory: pairwise, so that a share keeps its last digits."""
    return np.asarray(np.ascontiguousarray((table * weights[:, None]).T).sum(axis=1))
