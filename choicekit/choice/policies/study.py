"""A comparison ready to run: the cases, and what each pass over the rows of a block sums up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import Expression
from choicekit.choice.heterogeneity.choosing import drawn_choices
from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import Group
from choicekit.choice.policies.applying import fixed_changes
from choicekit.choice.policies.bootstrap import multiplicities
from choicekit.choice.policies.cases import Case, JointRows, joint_rows
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.choice.policies.money import mean_money_units
from choicekit.choice.policies.paired_tally import Moves, PairedTally, tally_case, tally_pair
from choicekit.choice.policies.policy import Policy
from choicekit.choice.policies.row_sums import Layout, RowSums, contributions, resampled_sums
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation
from choicekit.choice.simulation import grouped_rows
from choicekit.choice.tally import GroupedRows, replication_chunks
from choicekit.errors import InvalidInputError
from choicekit.execution import Block
from choicekit.random import identifier_words

__all__ = ["ComparisonStudy"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
UIntArray = npt.NDArray[np.uint64]

_HELD_NUMBERS = 8_000_000  # perturbations kept in memory for all cases, by block: 64 MB


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ComparisonStudy:
    """A baseline, policies and the draws they share: everything a block needs.

    Attributes
    ----------
    alternatives : tuple of str
        All A alternatives of the baseline and of the policies, on the axis of every array.
    cases : tuple of Case
        The baseline first, then the policies.
    policies : mapping of str to Policy
    population : Population
    segments : tuple of Segmentation
    groups : tuple of Group
    seed, replications : int
    money : Expression, optional
        Its value is minus the marginal utility of money.
    attributes : tuple of str
        Attributes whose elasticities are wanted.
    covariance : CoefficientCovariance, optional
    bootstrap, parameter_draws : int
        Resamples of the agents, and draws of the coefficients where there is a covariance.
    warnings : tuple of str
        What is allowed about the policies but probably not meant.
    """

    alternatives: tuple[str, ...]
    cases: tuple[Case, ...]
    policies: Mapping[str, Policy]
    population: Population
    segments: tuple[Segmentation, ...]
    groups: tuple[Group, ...]
    seed: int
    replications: int
    money: Expression | None
    attributes: tuple[str, ...]
    covariance: CoefficientCovariance | None
    bootstrap: int
    parameter_draws: int
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"ComparisonStudy({len(self.policies)} policies, {self.population!r}, {len(self.alternatives)} "
            f"alternatives, {self.replications} replications, seed {self.seed})"
        )

    @property
    def baseline(self) -> Case:
        """The case that policies are compared with."""
        return self.cases[0]

    @property
    def layout(self) -> Layout:
        """Columns of contributions."""
        return Layout(n_policies=len(self.policies), n_alternatives=len(self.alternatives))

    def offered(self, case: int) -> BoolArray:
        """Return which alternatives a case offers to anybody, (A,); 0 is the baseline."""
        offered = np.zeros(len(self.alternatives), dtype=bool)
        offered[self.cases[case].places] = True
        if case:
            removed = list(self.policies.values())[case - 1].remove
            offered[[self.alternatives.index(name) for name in removed]] = False
        return offered

    def weights(self, rows: slice) -> FloatArray:
        """Return the weights of some rows, 1 where agents carry none."""
        weights = self.population.weights
        return np.ones(len(range(*rows.indices(self.population.n_rows)))) if weights is None else weights[rows]

    def money_utility(self, rows: slice, model: ChoiceModel | None = None) -> FloatArray | None:
        """Return the utility of a unit of money to some rows, (n,), by the baseline's coefficients or a model's.

        A mean over classes, random coefficients at their means.
        """
        if self.money is None:
            return None
        types = self.baseline.types
        return mean_money_units(self.money, types if model is None else types.with_model(model), rows)

    def joint(self, rows: slice, models: Sequence[ChoiceModel] | None = None, shifts: int | None = None) -> JointRows:
        """Return how some rows choose in all cases; see `joint_rows`."""
        return joint_rows(self.cases, rows, models=models, money=self.money, shifts=shifts)

    def tally(self, block: Block, drawn: Callable[[int], None] = lambda _: None) -> PairedTally:
        """Simulate all cases in one block under the same draws, telling `drawn` of choices as they are made."""
        faces = [case.face(block.rows) for case in self.cases]
        joint = joint_rows(self.cases, block.rows, faces=faces, money=self.money)
        cases, groups, weights = joint.cases, self._groups(block), self.weights(block.rows)
        types, choosers = self.baseline.types.of(block.rows), [face.chooser for face in faces]
        moves = [Moves.between(cases[0], after, groups, weights) for after in cases[1:]]
        counts: list[list[FloatArray]] = [[] for _ in cases]
        for replications in self._chunks(len(block)):
            held = self.baseline.sampler.held(block.rows)
            chosen = drawn_choices(types, choosers, replications, held)
            for faced, found, counted in zip(cases, chosen, counts, strict=True):
                weight = np.where(faced.chooses, weights, 0.0)
                counted.append(groups.choices(found, len(self.alternatives), weight))
            for moved, found in zip(moves, chosen[1:], strict=True):
                moved.add(chosen[0], found)
            drawn(len(block) * len(replications) * len(cases))
        return PairedTally(
            cases=tuple(tally_case(*pair, groups, weights) for pair in zip(cases, counts, strict=True)),
            pairs=tuple(
                tally_pair(cases[0], after, moved, groups, weights, money)
                for after, moved, money in zip(cases[1:], moves, self._money_by_shift(joint, block.rows), strict=True)
            ),
        )

    def resampled(self, block: Block, resamples: range) -> RowSums:
        """Sum up one block for some resamples of the agents."""
        joint, groups = self.joint(block.rows), self._groups(block)
        money = self.money_utility(block.rows)
        table = contributions(joint.cases, self.weights(block.rows), money, self.layout, joint.gains)
        counted = multiplicities(self.seed, self._agent_words[block.rows], resamples)
        return RowSums(totals=resampled_sums(table, counted, groups, self.layout))

    def redrawn(self, block: Block, draws: range) -> RowSums:
        """Sum up one block for some draws of the coefficients.

        Of random coefficients it takes one shift of the integration points, the same for all draws: what these have in
        common is no part of how they differ.
        """
        groups, weights = self._groups(block), self.weights(block.rows)
        totals = np.empty((len(draws), groups.n_groups, self.layout.width))
        for place, draw in enumerate(draws):
            models = self._drawn_models[draw]
            with self._naming_draw(draw):
                joint = self.joint(block.rows, models, shifts=1)
            money = self.money_utility(block.rows, models[0])
            totals[place] = groups.sums(contributions(joint.cases, weights, money, self.layout, joint.gains))
        return RowSums(totals=totals)

    @cached_property
    def _agent_words(self) -> UIntArray:
        return identifier_words(self.population.agents)

    @cached_property
    def _drawn_models(self) -> tuple[tuple[ChoiceModel, ...], ...]:
        """For every draw of the coefficients the models of all cases."""
        return tuple(map(self._models_of_draw, range(self.parameter_draws)))

    def _models_of_draw(self, draw: int) -> tuple[ChoiceModel, ...]:
        drawn, model = self._drawn(draw), self.baseline.model
        with self._naming_draw(draw):
            at = {**model.coefficients, **drawn}
            changes = [{}, *(fixed_changes(policy, model, at) for policy in self.policies.values())]
        return tuple(
            case.model.with_coefficients({**drawn, **changed})
            for case, changed in zip(self.cases, changes, strict=True)
        )

    def _drawn(self, draw: int) -> dict[str, float]:
        if self.covariance is None:
            return {}
        return self.covariance.draw(self.baseline.model.coefficients, seed=self.seed, replication=draw)

    @contextmanager
    def _naming_draw(self, draw: int) -> Iterator[None]:
        """Name the draw of the coefficients in what it makes fail: the estimates themselves were found good."""
        try:
            yield
        except InvalidInputError as error:
            values = ", ".join(f"{name} = {value:.4g}" for name, value in self._drawn(draw).items())
            raise InvalidInputError(
                f"draw {draw} of the coefficients from their covariance ({values}): {error}; give a smaller "
                "covariance, or estimate what cannot leave its range, such as the logarithm of a positive coefficient"
            ) from error

    def _money_by_shift(self, joint: JointRows, rows: slice) -> list[FloatArray | None]:
        """For every policy the change in money of every row by shift (S, n); None without money."""
        unit = self.money_utility(rows)
        if unit is None or joint.gains is not None:
            return list(joint.gains_by_shift) or [None] * len(self.policies)
        before = joint.cases[0].value_by_shift
        with np.errstate(all="ignore"):
            return [(after.value_by_shift - before) / unit for after in joint.cases[1:]]

    def _groups(self, block: Block) -> GroupedRows:
        return grouped_rows(self.segments, np.arange(block.start, block.stop))

    def _chunks(self, n_rows: int) -> list[range]:
        """Cut replications into runs whose perturbations fit in memory: even, so that both of a pair are used."""
        fitting = max(2, _HELD_NUMBERS // (n_rows * len(self.alternatives)) // 2 * 2)
        return replication_chunks(self.replications, fitting)
