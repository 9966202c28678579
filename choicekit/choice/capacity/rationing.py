"""Rationing: full alternatives turn some away, who choose again among what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.choice.calibration.crowd import Crowd
from choicekit.choice.capacity.limits import check_room, read_capacity
from choicekit.choice.checking import NOTHING_AVAILABLE
from choicekit.choice.heterogeneity.choosing import drawn_choices
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation
from choicekit.choice.simulation import ChoiceStudy, build_study
from choicekit.counting import counted
from choicekit.errors import DataError, InvalidInputError, NoAvailableAlternativeError
from choicekit.execution import Block, LocalThreads, Progress
from choicekit.execution.passes import silent
from choicekit.random import Draws, Stage
from choicekit.rules import Softmax
from choicekit.suggestions import suggest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RationedChoices", "ration_choices"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_ROUNDING = 1e-12  # relative: weights that fit in but for this do fit in
_ONE_FOR_ALL = np.zeros(1, dtype=np.uint64)
_AT_ONCE = 65_536  # rows drawn at once


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RationedChoices:
    """Who got what where alternatives take only so many.

    Attributes
    ----------
    taken, wanted, applied : ndarray (R, J)
        Sums of weights by replication: of those who have an alternative in the end, of those who choose it first, and
        of all who ever applied for it.
    displaced, stranded, loss : ndarray (R, G)
        Sums by replication and group: weight of those who do not have their first choice, weight of those who have
        nothing since all that they could choose is full, and what the displaced who have something lost against their
        first choice, in units of utility. Losses are nan but for softmax without random coefficients or classes.
    weight : ndarray (G,)
        Of those who choose, by group; everybody first.
    rounds : ndarray (R,) of int64
        How often somebody chose, at least 1.
    groups : tuple of (str, str)
        Segment and label of each group.
    capacity : ndarray (J,)
        Infinity where there is no limit.
    alternatives : tuple of str
    priority : str or None
        Column by which full alternatives choose; the lottery alone where None.
    seed, replications : int
    study : ChoiceStudy
        What was simulated.
    """

    taken: FloatArray
    wanted: FloatArray
    applied: FloatArray
    displaced: FloatArray
    stranded: FloatArray
    loss: FloatArray
    weight: FloatArray
    rounds: IntArray
    groups: tuple[tuple[str, str], ...]
    capacity: FloatArray
    alternatives: tuple[str, ...]
    priority: str | None
    seed: int
    replications: int
    study: ChoiceStudy

    def __repr__(self) -> str:
        part = float(self.displaced[:, 0].mean() / self.weight[0])
        return (
            f"RationedChoices({counted(self.study.population.n_rows, 'row')}, {part:.1%} displaced, "
            f"{counted(self.replications, 'replication')}, seed {self.seed})"
        )

    @property
    def displaced_share(self) -> float:
        """Mean share of weight that does not have its first choice."""
        return float(self.displaced[:, 0].mean() / self.weight[0])

    @property
    def mean_loss(self) -> float:
        """Mean loss of all who choose, those with their first choice included, in units of utility."""
        return float(self.loss[:, 0].mean() / self.weight[0])

    def to_frame(self) -> pd.DataFrame:
        """Return a line an alternative: capacity, means of wanted, applied and taken, and how often it is full."""
        import pandas as pd

        full = self.taken >= self.capacity * (1 - _ROUNDING)
        return pd.DataFrame(
            {
                "alternative": self.alternatives,
                "capacity": self.capacity,
                "wanted": self.wanted.mean(axis=0),
                "applied": self.applied.mean(axis=0),
                "taken": self.taken.mean(axis=0),
                "taken_error": _error(self.taken),
                "full": full.mean(axis=0),
            }
        )

    def by_group(self) -> pd.DataFrame:
        """Return a line a group: weight, and means over replications with their standard errors.

        Columns segment, group, weight, displaced_share, displaced_error, stranded_share, mean_loss (of everybody in the
        group), loss_error and loss_of_displaced.
        """
        import pandas as pd

        with np.errstate(invalid="ignore", divide="ignore"):
            share, lost = self.displaced / self.weight, self.loss / self.weight
            kept = self.displaced.sum(axis=0) - self.stranded.sum(axis=0)
            each = self.loss.sum(axis=0) / kept
            stranded = self.stranded.mean(axis=0) / self.weight
        return pd.DataFrame(
            {
                "segment": [segment for segment, _ in self.groups],
                "group": [label for _, label in self.groups],
                "weight": self.weight,
                "displaced_share": share.mean(axis=0),
                "displaced_error": _error(share),
                "stranded_share": stranded,
                "mean_loss": lost.mean(axis=0),
                "loss_error": _error(lost),
                "loss_of_displaced": each,
            }
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format="{:.3f}".format))


def ration_choices(
    model: ChoiceModel,
    population: Population,
    capacity: Mapping[str, float],
    *,
    seed: int,
    replications: int = 200,
    priority: str | None = None,
    segments: Sequence[Segmentation | str] = (),
    workers: int = 1,
    progress: Progress = silent,
) -> RationedChoices:
    """Let agents choose where alternatives take only so many, and those turned away choose again.

    Parameters
    ----------
    model : ChoiceModel
        Rules whose draws are coherent: all but sparsemax and entmax.
    population : Population
        Each row takes up its weight.
    capacity : mapping of str to float
        At least 0; alternatives that are not named take everybody.
    seed : int
        In [0, 2^64).
    replications : int
        Number R of repetitions, at least 1.
    priority : str, optional
        A column: rows with larger values are taken first. Equal ones, and all where it is not given, by a lottery in
        which each row has one number.
    segments : sequence of Segmentation or str
        Groups to break displacement down by.
    workers : int
        Threads; the result does not depend on their number.
    progress : callable
        Called with (name, replications done, replications in all).

    Returns
    -------
    RationedChoices

    Raises
    ------
    InfeasibleMassError
        Where those who choose cannot all fit in, with the alternatives and the shortfall.
    InvalidInputError
        For arguments that break the above.
    DataError, NoAvailableAlternativeError
        As `simulate_choices`.

    Notes
    -----
    In each round all who are without an alternative choose among those that have not turned anybody away, by the same
    draws as at first, so that each gets what is best for it of what is left. An alternative that cannot take all who
    apply takes the first of them, in order of priority and lottery, as long as their weights fit in, and is closed. Who
    has been taken stays, so that there are at most J + 1 rounds. Who has only closed alternatives left has nothing.

    Without limits that bind, everybody has what `simulate_choices` gives them.

    Examples
    --------
    >>> people = Population(agents=[1, 2, 3, 4])
    >>> found = ration_choices(ChoiceModel({"walk": "0", "train": "1"}), people, {"train": 1}, seed=1)
    >>> found.to_frame()["taken"].tolist()[1] <= 1
    True
    """
    study = build_study(model, population, seed=seed, replications=replications, sampling="coherent", segments=segments)
    limits = read_capacity(capacity, study.alternatives)
    problems = model.check(population)
    if problems and all(problem.code == NOTHING_AVAILABLE for problem in problems):
        raise NoAvailableAlternativeError("\n".join(str(problem) for problem in problems))
    if problems:
        raise DataError(problems)
    check_room(Crowd(model=model, population=population, workers=workers), limits, study.alternatives)
    rationing = _Rationing(study=study, limits=limits, priority=priority_of(population, priority))
    numbers = [Block(index=number, start=number, stop=number + 1) for number in range(replications)]
    sums = []
    progress("rationing", 0, replications)
    for each in LocalThreads(workers).map(lambda block: rationing.once(block.start), numbers):
        sums.append(each)
        progress("rationing", len(sums), replications)
    stacked = {name: np.array([getattr(each, name) for each in sums]) for name in _Once.__dataclass_fields__}
    return RationedChoices(
        **stacked,
        weight=rationing.by_group(rationing.weights),
        groups=(("all", "all"), *((each.name, label) for each in study.segments for label in each.labels)),
        capacity=limits,
        alternatives=study.alternatives,
        priority=priority,
        seed=seed,
        replications=replications,
        study=study,
    )


def priority_of(population: Population, column: str | None) -> FloatArray | None:
    """Return the numbers by which full alternatives choose.

    Raises
    ------
    InvalidInputError
        For a column that is not there, that differs by alternative, or that is not finite numbers.
    """
    if column is None:
        return None
    if column not in population.columns:
        hint = suggest(str(column), population.columns) or f"there are {', '.join(population.columns) or 'none'}"
        raise InvalidInputError(f"priority names an unknown column {column!r}, {hint}")
    values = population.columns[column]
    if values.ndim == 2 or values.dtype.kind not in "iufb" or not np.isfinite(values.astype(np.float64)).all():
        raise InvalidInputError(
            f"priority needs a column of finite numbers, one a row, found {column!r}: larger ones are taken first"
        )
    return values.astype(np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Once:
    """Sums of one replication, see `RationedChoices`."""

    taken: FloatArray
    wanted: FloatArray
    applied: FloatArray
    displaced: FloatArray
    stranded: FloatArray
    loss: FloatArray
    rounds: int


@dataclass(frozen=True, kw_only=True, eq=False)
class _Rationing:
    """Those who choose, and the limits."""

    study: ChoiceStudy
    limits: FloatArray
    priority: FloatArray | None

    @cached_property
    def _everybody(self) -> tuple[IntArray, FloatArray]:
        population, model = self.study.population, self.study.model
        utility = np.where(model.available(population), model.utility(population), -np.inf)
        rows = np.flatnonzero((utility > -np.inf).any(axis=1))
        return rows, utility[rows]

    @property
    def rows(self) -> IntArray:
        return self._everybody[0]

    @property
    def utility(self) -> FloatArray:
        return self._everybody[1]

    @cached_property
    def weights(self) -> FloatArray:
        weights = self.study.population.weights
        return np.ones(len(self.rows)) if weights is None else weights[self.rows]

    def by_group(self, values: FloatArray) -> FloatArray:
        """Sum up values of those who choose by group, everybody first."""
        sums = [np.array([values.sum()])]
        for segment in self.study.segments:
            codes = segment.codes[self.rows]
            known = codes >= 0
            sums.append(np.bincount(codes[known], values[known], minlength=len(segment.labels)))
        return np.concatenate(sums)

    def once(self, replication: int) -> _Once:
        """Let all choose, and those turned away again, until nobody is."""
        count, n = len(self.limits), len(self.rows)
        left, closed = self.limits.copy(), np.zeros(count, dtype=bool)
        order = self._order(replication)
        first = chosen = self._choose(np.arange(n), replication, closed)
        final, waiting, applied, rounds = np.full(n, -1), np.arange(n), np.zeros(count), 0
        while waiting.size:
            rounds += 1
            applied += np.bincount(chosen, self.weights[waiting], minlength=count)
            stays = self._admit(waiting, chosen, order, left, closed)
            final[waiting[stays]] = chosen[stays]
            waiting = waiting[~stays]
            waiting = waiting[(self.utility[waiting][:, ~closed] > -np.inf).any(axis=1)]
            chosen = self._choose(waiting, replication, closed)
        has = final >= 0
        moved = final != first
        return _Once(
            taken=np.bincount(final[has], self.weights[has], minlength=count).astype(np.float64),
            wanted=np.bincount(first, self.weights, minlength=count).astype(np.float64),
            applied=applied,
            displaced=self.by_group(self.weights * moved),
            stranded=self.by_group(self.weights * ~has),
            loss=self.by_group(self.weights * self._losses(first, final, replication)),
            rounds=rounds,
        )

    def _order(self, replication: int) -> IntArray:
        """Place of each row in the order in which full alternatives take them."""
        words = self.study.sampler.rows[self.rows]
        draws = Draws(seed=self.study.sampler.seed, stage=Stage.LOTTERY, rows=words, alternatives=_ONE_FOR_ALL)
        number = -draws.uniforms(replication)[:, 0]
        keys = (words, number) if self.priority is None else (words, number, -self.priority[self.rows])
        return np.argsort(np.lexsort(keys))

    def _admit(
        self, who: IntArray, chosen: IntArray, order: IntArray, left: FloatArray, closed: BoolArray
    ) -> BoolArray:
        """Return who is taken, taking their weights off what is left and closing what turns somebody away."""
        stays = np.ones(len(who), dtype=bool)
        for place in np.flatnonzero(np.isfinite(self.limits)):
            applying = np.flatnonzero(chosen == place)
            if not applying.size:
                continue
            applying = applying[np.argsort(order[who[applying]])]
            filled = np.cumsum(self.weights[who[applying]])
            fits = filled <= left[place] + _ROUNDING * self.limits[place]
            stays[applying] = fits
            closed[place] = not fits.all()
            left[place] -= filled[fits][-1] if fits.any() else 0.0
        return stays

    def _choose(self, who: IntArray, replication: int, closed: BoolArray) -> IntArray:
        chosen = np.empty(len(who), dtype=np.int64)
        for start in range(0, len(who), _AT_ONCE):
            some = who[start : start + _AT_ONCE]
            utility = np.where(closed, -np.inf, self.utility[some])
            if self.study.outside:  # those with something to choose never take the outside option
                utility = np.column_stack([utility, np.full(len(some), -np.inf)])
            chooser = self.study.chooser(self.rows[some], utility)
            types = self.study.types.of(self.rows[some])
            chosen[start : start + _AT_ONCE] = drawn_choices(types, [chooser], range(replication, replication + 1))[0][
                0
            ]
        return chosen

    def _losses(self, first: IntArray, final: IntArray, replication: int) -> FloatArray:
        """Realised utility of the first choice less that of the last, 0 where these are the same or there is none."""
        rule = self.study.model.rules[0]
        if not isinstance(rule, Softmax) or np.ndim(rule.temperature) > 0 or not self.study.types.lone:
            return np.full(len(first), np.nan)
        loss, moved = np.zeros(len(first)), np.flatnonzero((final != first) & (final >= 0))
        words = self.study.sampler.rows[self.rows[moved]]
        alternatives = self.study.sampler.alternatives[: len(self.limits)]
        draws = Draws(seed=self.study.sampler.seed, stage=Stage.CHOICE, rows=words, alternatives=alternatives)
        realised = self.utility[moved] + float(rule.temperature) * draws.gumbels(replication)
        places = np.arange(len(moved))
        loss[moved] = realised[places, first[moved]] - realised[places, final[moved]]
        return loss


def _error(values: FloatArray) -> FloatArray:
    """Return the standard error of the mean over replications; nan for one."""
    count = len(values)
    return np.std(values, axis=0, ddof=1) / np.sqrt(count) if count > 1 else np.full(values.shape[1], np.nan)
