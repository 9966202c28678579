"""Simulating choices of a population: expected and simulated shares, inclusive values, by segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np
import numpy.typing as npt

from choicekit.choice.checking import NOTHING_AVAILABLE, OUTSIDE_OPTION
from choicekit.choice.heterogeneity.choosing import drawn_choices
from choicekit.choice.heterogeneity.expectation import Chooser, Expected, expectations
from choicekit.choice.heterogeneity.facing import Facing
from choicekit.choice.heterogeneity.types import AgentTypes
from choicekit.choice.model import ChoiceModel
from choicekit.choice.outcome import ChoiceOutcome, groups_of
from choicekit.choice.population import Population
from choicekit.choice.sampling import Sampler, Sampling, check_rule_fits, common_sampling
from choicekit.choice.segments import Segmentation, segment_by_value
from choicekit.choice.tally import ChoiceTally, GroupedRows, replication_chunks, tally_block
from choicekit.counting import counted
from choicekit.errors import DataError, InvalidInputError, NoAvailableAlternativeError, ShapeError
from choicekit.execution import Block, LocalThreads, Pass, Progress, blocks_of, run_passes
from choicekit.execution.passes import silent
from choicekit.random import alternative_words, check_seed, row_words

__all__ = ["ChoiceStudy", "simulate_choices"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChoiceStudy:
    """A model, a population and the draws: everything a block needs.

    Attributes
    ----------
    model : ChoiceModel
    population : Population
    alternatives : tuple of str
        Of the model, without the outside option.
    sampler : Sampler
    replications : int
    segments : tuple of Segmentation
    """

    model: ChoiceModel
    population: Population
    alternatives: tuple[str, ...]
    sampler: Sampler
    replications: int
    segments: tuple[Segmentation, ...]

    @cached_property
    def types(self) -> AgentTypes:
        """The types of agent that the population is made of."""
        return AgentTypes(model=self.model, population=self.population, seed=self.sampler.seed)

    @property
    def outside(self) -> bool:
        """Whether rows with nothing available count as choosing the outside option, at utility 0."""
        return self.model.on_no_alternative == "outside"

    def __repr__(self) -> str:
        return (
            f"ChoiceStudy({self.population!r}, {counted(len(self.alternatives), 'alternative')}, "
            f"{counted(self.replications, 'replication')}, {self.sampler.sampling} draws, seed {self.sampler.seed})"
        )

    def utility(self, rows: slice) -> FloatArray:
        """Return utilities, minus infinity where unavailable; with an outside option as the last column if wanted."""
        return utilities_of(self.model, self.population, rows)

    def tally(self, block: Block, drawn: Callable[[int], None] = lambda _: None) -> ChoiceTally:
        """Sum up one block of rows, telling `drawn` of choices as they are made: what a pass over them does."""
        utility = self.utility(block.rows)
        available = utility > -np.inf
        acting = np.flatnonzero(available.any(axis=1))
        idle = available[:, -1] if self.outside else np.logical_not(available.any(axis=1))
        utility, available, rows = utility[acting], available[acting], acting + block.start
        groups, types, chooser = self._groups(rows), self.types.of(rows), self.chooser(rows, utility)
        weights = self.population.weights
        weighing = None if weights is None else weights[rows]
        expected = expectations(types, [chooser])[0] if len(rows) else Expected.of_nobody(types, utility.shape[1])
        simulated = []
        for replications in replication_chunks(self.replications):
            chosen = drawn_choices(types, [chooser], replications)[0]
            drawn(len(block) * len(replications))
            counts = groups.choices(chosen, available.shape[1])
            weighed = counts if weighing is None else groups.choices(chosen, available.shape[1], weighing)
            simulated.append((counts, weighed))
        return tally_block(
            groups=groups,
            idle=self._groups(np.arange(block.start, block.stop)).counts(idle),
            probabilities=expected.probabilities,
            value=expected.value,
            by_shift=(expected.probabilities_by_shift, expected.value_by_shift),
            available=available,
            weights=np.ones(len(rows)) if weighing is None else weighing,
            observed=self._observed(rows),
            simulated=simulated,
        )

    def iter_choices(self) -> Iterator[tuple[slice, range, IntArray]]:
        """Yield what rows choose, block by block and within a block some replications at a time.

        Yields
        ------
        rows : slice
        replications : range
            A run of few enough to fit in memory; the last of a block's runs ends at the number of replications.
        chosen : ndarray (r, n) of int64
            Positions these rows choose in these replications, -1 where nothing is available.
        """
        for block in blocks_of(self.population.n_rows):
            utility = self.utility(block.rows)
            acting = np.flatnonzero((utility > -np.inf).any(axis=1))
            rows = acting + block.start
            types, chooser = self.types.of(rows), self.chooser(rows, utility[acting])
            for replications in replication_chunks(self.replications):
                chosen = np.full((len(replications), len(block)), -1, dtype=np.int64)
                if acting.size:
                    chosen[:, acting] = drawn_choices(types, [chooser], replications)[0]
                yield block.rows, replications, chosen

    def chooser(self, rows: IntArray, utility: FloatArray) -> Chooser:
        """Return some rows, which have something to choose, as they choose."""
        faced = [*self.alternatives, OUTSIDE_OPTION] if self.outside else [*self.alternatives]
        facing = Facing(
            model=self.model,
            population=self.population,
            rows=rows,
            utility=utility,
            places=np.arange(len(self.alternatives)),
            counts=~(utility[:, -1] > -np.inf) if self.outside else None,
        )
        rules = tuple(rule.for_alternatives(faced) for rule in self.model.rules)
        return Chooser(facing=facing, rules=rules, sampler=self.sampler)

    def _groups(self, rows: IntArray) -> GroupedRows:
        return grouped_rows(self.segments, rows)

    def _observed(self, rows: IntArray) -> IntArray | None:
        """Observed choices as positions in this study's alternatives, -1 where there are none."""
        if self.population.chosen is None:
            return None
        names = self.population.alternatives
        places = [self.alternatives.index(name) if name in self.alternatives else -1 for name in names]
        return np.asarray([*places, -1], dtype=np.int64)[self.population.chosen[rows]]


def grouped_rows(segments: Sequence[Segmentation], rows: IntArray) -> GroupedRows:
    """Group codes of some rows over all segmentations: everybody is group 0."""
    codes, offset = [np.zeros(len(rows), dtype=np.int64)], 1
    for segment in segments:
        codes.append(segment.codes[rows] + offset)
        offset += len(segment.labels)
    return GroupedRows(codes=tuple(codes), n_groups=offset)


def utilities_of(model: ChoiceModel, population: Population, rows: slice) -> FloatArray:
    """Return utilities of some rows, minus infinity where unavailable; an outside option, if there is one, is last."""
    values = np.where(model.available(population, rows), model.utility(population, rows), -np.inf)
    if model.on_no_alternative != "outside":
        return values
    nothing = ~(values > -np.inf).any(axis=1)
    return np.column_stack([values, np.where(nothing, 0.0, -np.inf)])


def simulate_choices(
    model: ChoiceModel,
    population: Population,
    *,
    seed: int,
    replications: int = 200,
    sampling: Sampling = "auto",
    segments: Sequence[Segmentation | str] = (),
    workers: int = 1,
    progress: Progress = silent,
) -> ChoiceOutcome:
    """Simulate what a population chooses, and compute what it is expected to choose.

    Parameters
    ----------
    model : ChoiceModel
    population : Population
    seed : int
        In [0, 2^64).
    replications : int
        Number R of independent repetitions, at least 1.
    sampling : {"auto", "coherent", "fast"}
        See `choose`.
    segments : sequence of Segmentation or str
        Groups to break results down by; a string names a column whose values are the groups.
    workers : int
        Threads; the result does not depend on their number.
    progress : callable
        Called with (name, choices drawn, choices in all), one call at a time, from whatever thread drew them.

    Returns
    -------
    ChoiceOutcome

    Raises
    ------
    DataError
        For cells that are needed and are not finite numbers, unknown names, utilities of nan or plus infinity: all
        at once.
    NoAvailableAlternativeError
        Where some row has nothing available and the model does not say what then.
    InvalidInputError, ShapeError
        For other arguments that break the above, and for a utility that is no number at coefficients an agent may have.

    Notes
    -----
    Where agents differ by random coefficients or classes, each is drawn to be of one type in every replication, the
    same in all its situations, and chooses as that type does; expected shares are means over all types. With random
    coefficients these cost as much as ``integration.nodes`` replications (512 unless the model says otherwise) and have
    an integration error, `ChoiceOutcome.integration_error_by_group`.

    Examples
    --------
    >>> people = Population(agents=np.arange(3), columns={"cost": np.array([1.0, 2.0, 3.0])})
    >>> model = ChoiceModel({"walk": "0", "ride": "2 - cost"})
    >>> simulate_choices(model, people, seed=1, replications=10)
    ChoiceOutcome(3 rows, 2 alternatives, 10 replications, coherent draws, seed 1)
    """
    study = build_study(model, population, seed=seed, replications=replications, sampling=sampling, segments=segments)
    problems = model.check(population)
    if problems and all(problem.code == NOTHING_AVAILABLE for problem in problems):
        raise NoAvailableAlternativeError("\n".join(str(problem) for problem in problems))
    if problems:
        raise DataError(problems)
    return run_study(study, workers=workers, progress=progress)


def build_study(
    model: ChoiceModel,
    population: Population,
    *,
    seed: int,
    replications: int,
    sampling: str,
    segments: Sequence[Segmentation | str],
) -> ChoiceStudy:
    """Put a study together; see `simulate_choices` for arguments and errors."""
    if isinstance(replications, bool) or not isinstance(replications, int | np.integer) or replications < 1:
        raise InvalidInputError(f"replications must be a whole number of at least 1, found {replications!r}")
    names = model.alternatives(population)
    for rule in model.rules:
        check_rule_fits(rule, population.n_rows)
    faced = [*names, OUTSIDE_OPTION] if model.on_no_alternative == "outside" else [*names]
    sampler = Sampler(
        rule=model.rules[0].for_alternatives(faced),
        seed=check_seed(seed),
        rows=row_words(population.agents, population.situations),
        alternatives=alternative_words(faced),
        sampling=common_sampling(model.rules, sampling),
    )
    return ChoiceStudy(
        model=model,
        population=population,
        alternatives=names,
        sampler=sampler,
        replications=int(replications),
        segments=segmentations_of(segments, population),
    )


def run_study(study: ChoiceStudy, *, workers: int = 1, progress: Progress = silent) -> ChoiceOutcome:
    """Run a study whose inputs have been checked; see `simulate_choices`."""
    total, done, counting = study.population.n_rows * study.replications, 0, Lock()

    def drawn(number: int) -> None:
        # a block may take minutes where replications are many, so choices are counted and not blocks
        nonlocal done
        with counting:
            done += number
            progress("simulating choices", done, total)

    progress("simulating choices", 0, total)
    sweep = Pass[ChoiceTally](
        name="simulating choices",
        outcome=lambda block, _: study.tally(block, drawn),
        finish=lambda merged, _: merged,
    )
    tally = run_passes([sweep], study.population.n_rows, executor=LocalThreads(workers))
    return ChoiceOutcome(
        alternatives=(*study.alternatives, OUTSIDE_OPTION) if study.outside else study.alternatives,
        rule=study.model.rule,
        sampling=study.sampler.sampling,
        seed=study.sampler.seed,
        replications=study.replications,
        weighted=study.population.weights is not None,
        has_observed=study.population.chosen is not None,
        groups=groups_of(study.segments),
        tally=tally,
        study=study,
    )


def segmentations_of(segments: Sequence[Segmentation | str], population: Population) -> tuple[Segmentation, ...]:
    """Return the segmentations of a population that results are broken down by; a string names a column.

    Raises
    ------
    InvalidInputError
        For one alone instead of a list of them, and as `segmentation_of`.
    ShapeError
        As `segmentation_of`.
    """
    if isinstance(segments, str | Segmentation):
        way_out = repr([segments]) if isinstance(segments, str) else "[segment]"
        raise InvalidInputError(f"segments must be a list: give {way_out}")
    return tuple(segmentation_of(segment, population) for segment in segments)


def segmentation_of(segment: Segmentation | str, population: Population) -> Segmentation:
    """Return a segmentation of a population; a string names a column whose values are the groups.

    Raises
    ------
    InvalidInputError
        For an unknown column or one that differs by alternative, and for anything that is no segmentation.
    ShapeError
        For codes of another number of rows.
    """
    if isinstance(segment, str):
        values = population.column(segment)
        if values.ndim == 2:
            raise InvalidInputError(f"segment {segment!r} must be an attribute of agents, but it varies by alternative")
        return segment_by_value(segment, values)
    if not isinstance(segment, Segmentation):
        raise InvalidInputError(
            f"a segment must be a Segmentation or the name of a column, found {segment!r}: see segment_by_value"
        )
    if segment.codes.size != population.n_rows:
        raise ShapeError(f"segment {segment.name!r} has {segment.codes.size} codes for {population.n_rows} rows")
    return segment
