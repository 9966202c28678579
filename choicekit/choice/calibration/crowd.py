"""Those whose choices are to meet given shares: sums over them, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from choicekit.choice.heterogeneity.facing import Facing
from choicekit.choice.heterogeneity.types import AgentType, AgentTypes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.execution import Block, LocalThreads, Mergeable, Pass, blocks_of, run_pass
from choicekit.rules import ChoiceRule

__all__ = ["Answer", "Choosers", "Crowd", "Response", "Sums"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
M = TypeVar("M", bound=Mergeable)


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
class Answer:
    """How those who choose respond to a shift of utilities, as weighted sums.

    Attributes
    ----------
    weight : float
    value : float
        Inclusive values.
    demand : ndarray (J,)
        Choice probabilities.
    slopes : ndarray (J, J) or None
        Derivatives of demand by the shifts.
    """

    weight: float
    value: float
    demand: FloatArray
    slopes: FloatArray | None


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
    stride : int
        Only every so many-th block is looked at, for a first guess.
    """

    model: ChoiceModel
    population: Population
    members: BoolArray | None = None
    workers: int = 1
    seed: int = 0
    stride: int = 1

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

    def merged(self, name: str, outcome: Callable[[Choosers], M]) -> M:
        """Merge what `outcome` makes of the choosers of every block, or of every `stride`-th one."""
        if self.stride == 1:
            sweep = Pass[M](
                name=name,
                outcome=lambda block, _: outcome(self.choosers(block)),
                finish=lambda merged, _: merged,
            )
            found: M = run_pass(sweep, self.population.n_rows, executor=LocalThreads(self.workers))
            return found
        blocks = blocks_of(self.population.n_rows)[:: self.stride]
        return reduce(
            lambda one, other: one.merge(other),
            LocalThreads(self.workers).map(lambda block: outcome(self.choosers(block)), blocks),
        )

    def sums(self, name: str, parts: Callable[[Choosers], tuple[FloatArray, ...]]) -> tuple[FloatArray, ...]:
        """Add up what `parts` makes of the choosers of every block."""
        return self.merged(name, lambda choosers: Sums(parts(choosers))).parts

    @property
    def temperature(self) -> float:
        """The smallest of any row and class; a rule's largest gap over two alternatives is T log 2."""
        return float(min(np.min(rule.max_gap(2)) for rule in self.rules) / np.log(2))

    def answer(self, shift: FloatArray, *, slopes: bool = False) -> Answer:
        """Return demand where utilities are shifted, in one pass.

        Parameters
        ----------
        shift : ndarray (J,)
            Added to the utilities of each alternative.
        slopes : bool
            Whether derivatives are wanted.

        Returns
        -------
        Answer
        """

        def parts(choosers: Choosers) -> tuple[FloatArray, ...]:
            found = self._answer(choosers, shift)
            return (*found, self._slopes(choosers, shift)[1]) if slopes else found

        weight, value, demand, *rest = self.sums("finding prices", parts)
        return Answer(weight=float(weight), value=float(value), demand=demand, slopes=rest[0] if rest else None)

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

    def by_row(self, choosers: Choosers, shift: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return expected inclusive values (n,) and choice probabilities (n, J) of choosers at shifted utilities."""
        value, shares = np.zeros(len(choosers.rows)), np.zeros((len(choosers.rows), len(shift)))
        for kind, rule, utility in self._types_of(choosers, shift):
            part = np.broadcast_to(kind.weight, value.shape) / max(self.types.n_shifts, 1)
            value = value + part * rule.value(utility)
            shares = shares + part[:, None] * rule.probabilities(utility)
        return value, shares

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
