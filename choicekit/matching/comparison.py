"""Mechanisms side by side: the same agents with the same tastes, matched by each, again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from choicekit.counting import counted
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.execution import Block, LocalThreads, Progress
from choicekit.execution.passes import silent
from choicekit.matching.market import MatchingMarket
from choicekit.matching.matching import Matching
from choicekit.matching.measures import GROUP_MEASURES, MEASURES, MOST_RANKS, by_group, measured, rank_shares
from choicekit.matching.mechanisms import (
    Ties,
    deferred_acceptance,
    entropic_assignment,
    immediate_acceptance,
    optimal_assignment,
    serial_dictatorship,
)
from choicekit.random import Draws, Stage, check_seed
from choicekit.rules.addressing import check_replications
from choicekit.suggestions import suggest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BASELINE", "MECHANISMS", "Mechanism", "MechanismComparison", "compare_mechanisms"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Mechanism = Literal[
    "deferred_acceptance",
    "deferred_acceptance_by_columns",
    "immediate_acceptance",
    "serial_dictatorship",
    "optimal",
    "entropic",
]

MECHANISMS: tuple[str, ...] = get_args(Mechanism)
"""Names of the mechanisms that can be compared."""

MECHANISM_CLAIMS: Mapping[str, str] = {
    "deferred_acceptance": "rows propose, columns keep the best so far: stable, and the best stable matching for rows",
    "deferred_acceptance_by_columns": "columns propose: stable, and the best stable matching for columns",
    "immediate_acceptance": "the Boston mechanism: columns take the best of each round's applicants for good",
    "serial_dictatorship": "in the order of a lottery, each row takes the best of what is left",
    "optimal": "the largest sum of both sides' utilities",
    "entropic": "a matching drawn from the entropic assignment at a temperature",
}
"""What each mechanism does."""

BASELINE = "baseline"
"""Name of the market that others are compared with."""

TWO_SIDED = ("deferred_acceptance", "deferred_acceptance_by_columns", "immediate_acceptance")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MechanismComparison:
    """How mechanisms do on the same draws of tastes and lotteries.

    Attributes
    ----------
    values : ndarray (C, S, R, M)
        By market (the baseline first), mechanism, draw and measure, in the order of `MEASURES`. nan where there is no
        such number: column welfare and blocking pairs without a column utility.
    ranks : ndarray (C, S, R, 11)
        Shares of rows that have their 1st, ... 10th choice, or one further down.
    filled : ndarray (C, S, R, J)
        Rows that each column has; 0 for columns that a market lacks.
    by_group : ndarray (C, S, R, G, 4)
        The first, fourth, fifth and sixth measure by group of rows.
    cases, mechanisms, columns, groups : tuple of str
    group_sizes : ndarray (G,)
    seed, replications : int
    markets : mapping of str to MatchingMarket
        Without tastes.
    temperature : float
        Of the entropic assignment.
    """

    values: FloatArray
    ranks: FloatArray
    filled: FloatArray
    by_group: FloatArray
    cases: tuple[str, ...]
    mechanisms: tuple[str, ...]
    columns: tuple[str, ...]
    groups: tuple[str, ...]
    group_sizes: IntArray
    seed: int
    replications: int
    markets: Mapping[str, MatchingMarket]
    temperature: float

    def __repr__(self) -> str:
        n, _ = self.markets[BASELINE].shape
        return (
            f"MechanismComparison({counted(len(self.mechanisms), 'mechanism')}, {counted(len(self.cases), 'market')}, "
            f"{counted(n, 'row')}, {counted(self.replications, 'draw')}, seed {self.seed})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a line a market, mechanism and measure: mean over draws, standard error, 95 % interval."""
        return self._frame(self.values)

    def differences(self, reference: str | None = None) -> pd.DataFrame:
        """Return the same for differences from one mechanism under the same draws, by default the first."""
        place = self.mechanisms.index(self.mechanisms[0] if reference is None else reference)
        return self._frame(self.values - self.values[:, place : place + 1])

    def changes(self) -> pd.DataFrame:
        """Return the same for what other markets change against the baseline, under the same draws."""
        return self._frame(self.values - self.values[:1])

    def _frame(self, values: FloatArray) -> pd.DataFrame:
        import pandas as pd

        mean, error = values.mean(axis=2), standard_error(values, axis=2)
        half = quantile(self.replications) * error
        cases, mechanisms, measures = np.meshgrid(self.cases, self.mechanisms, [*MEASURES], indexing="ij")
        return pd.DataFrame(
            {
                "market": cases.ravel(),
                "mechanism": mechanisms.ravel(),
                "measure": measures.ravel(),
                "mean": mean.ravel(),
                "standard_error": error.ravel(),
                "lower": (mean - half).ravel(),
                "upper": (mean + half).ravel(),
            }
        )

    def _repr_html_(self) -> str:
        table = self.to_frame().pivot_table(index=["market", "mechanism"], columns="measure", values="mean")
        return str(table.reindex(columns=[*MEASURES]).to_html(float_format="{:.4g}".format))


def compare_mechanisms(
    market: MatchingMarket,
    *,
    seed: int,
    mechanisms: Sequence[str] = MECHANISMS,
    replications: int = 20,
    row_taste: float = 1.0,
    column_taste: float = 0.0,
    temperature: float | None = None,
    ties: Ties = "single",
    groups: Sequence[str] | None = None,
    policies: Mapping[str, MatchingMarket] | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> MechanismComparison:
    """Match the same agents by several mechanisms, under the same tastes and lotteries.

    Parameters
    ----------
    market : MatchingMarket
        With systematic utilities.
    seed : int
        In [0, 2^64).
    mechanisms : sequence of str
        Of `MECHANISMS`.
    replications : int
        Number R of draws, at least 1.
    row_taste, column_taste : float
        Size of the Gumbel tastes that are added to either side's utilities, in units of utility: the temperature at
        which each would choose by softmax. 0 for none.
    temperature : float, optional
        Of the entropic assignment; by default `row_taste`, or 1 where that is 0.
    ties : {"single", "multiple"}
        See `deferred_acceptance`.
    groups : sequence of str, optional
        Label of each row, to break results down by.
    policies : mapping of str to MatchingMarket, optional
        Other markets for the same rows: with more places, other columns or other utilities. Draws are addressed by
        names, so that what stays the same meets the same tastes.
    workers : int
        Threads; the result does not depend on their number.
    progress : callable
        Called with (name, draws done, draws in all).

    Returns
    -------
    MechanismComparison

    Raises
    ------
    InvalidInputError
        For an unknown mechanism, one that needs a column utility where there is none, and arguments that break the
        above.
    ShapeError
        For groups or policies with another number of rows.

    Notes
    -----
    Intervals are over draws: tastes, lotteries, and the matching drawn from the entropic assignment. Each mechanism is
    told the truth; where they would be manipulated, their users fare otherwise.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> utility = rng.normal(size=(20, 3))
    >>> market = MatchingMarket(row_utility=utility, column_utility=np.zeros((20, 3)), capacity=[7, 7, 7])
    >>> compare_mechanisms(market, seed=1, replications=5)
    MechanismComparison(6 mechanisms, 1 market, 20 rows, 5 draws, seed 1)
    """
    plan = plan_of(
        market,
        seed=seed,
        mechanisms=mechanisms,
        row_taste=row_taste,
        column_taste=column_taste,
        temperature=temperature,
        ties=ties,
        groups=groups,
        policies=policies,
    )
    count = check_replications(replications)
    done: list[_Scores] = []
    progress("matching", 0, count)
    numbers = [Block(index=number, start=number, stop=number + 1) for number in range(count)]
    for scores in LocalThreads(workers).map(lambda block: plan.draw(block.start), numbers):
        done.append(scores)
        progress("matching", len(done), count)
    return MechanismComparison(
        values=np.stack([each.values for each in done], axis=2),
        ranks=np.stack([each.ranks for each in done], axis=2),
        filled=np.stack([each.filled for each in done], axis=2),
        by_group=np.stack([each.by_group for each in done], axis=2),
        cases=tuple(plan.markets),
        mechanisms=plan.mechanisms,
        columns=plan.columns,
        groups=plan.groups,
        group_sizes=np.bincount(plan.codes, minlength=len(plan.groups)),
        seed=seed,
        replications=count,
        markets=plan.markets,
        temperature=plan.temperature,
    )


def plan_of(
    market: MatchingMarket,
    *,
    seed: int,
    mechanisms: Sequence[str],
    row_taste: float,
    column_taste: float,
    temperature: float | None,
    ties: Ties,
    groups: Sequence[str] | None,
    policies: Mapping[str, MatchingMarket] | None,
) -> ComparisonPlan:
    """Check what `compare_mechanisms` is given, and return it put together."""
    markets = {BASELINE: market, **(policies or {})}
    codes, labels = _codes(groups, market.shape[0])
    return ComparisonPlan(
        markets=markets,
        mechanisms=_checked_mechanisms(mechanisms, markets),
        seed=check_seed(seed),
        row_taste=_taste(row_taste, "row_taste"),
        column_taste=_taste(column_taste, "column_taste"),
        temperature=_taste(row_taste or 1.0 if temperature is None else temperature, "temperature"),
        ties=ties,
        codes=codes,
        groups=labels,
        columns=tuple(dict.fromkeys(str(each.column(j)) for each in markets.values() for j in range(each.shape[1]))),
    )


def standard_error(values: FloatArray, axis: int) -> FloatArray:
    """Return the standard error of a mean over draws; nan for one draw."""
    count = values.shape[axis]
    if count < 2:
        return np.full(np.delete(values.shape, axis), np.nan)
    return np.asarray(values.std(axis=axis, ddof=1) / np.sqrt(count))


def quantile(replications: int) -> float:
    """Return what a standard error is multiplied by for a 95 % interval of a mean; nan for one draw."""
    from scipy.special import stdtrit

    return float(stdtrit(replications - 1, 0.975)) if replications > 1 else float("nan")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Scores:
    """What one draw gives, by market and mechanism."""

    values: FloatArray
    ranks: FloatArray
    filled: FloatArray
    by_group: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonPlan:
    """What is compared."""

    markets: Mapping[str, MatchingMarket]
    mechanisms: tuple[str, ...]
    seed: int
    row_taste: float
    column_taste: float
    temperature: float
    ties: Ties
    codes: IntArray
    groups: tuple[str, ...]
    columns: tuple[str, ...]

    def draw(self, replication: int) -> _Scores:
        """Match by every mechanism in every market, under the tastes and the lottery of one draw."""
        shape = len(self.markets), len(self.mechanisms)
        scores = _Scores(
            values=np.empty((*shape, len(MEASURES))),
            ranks=np.empty((*shape, MOST_RANKS + 1)),
            filled=np.zeros((*shape, len(self.columns))),
            by_group=np.empty((*shape, len(self.groups), len(GROUP_MEASURES))),
        )
        for case, market in enumerate(self.markets.values()):
            realised = self.realised(market, replication)
            places = [self.columns.index(str(market.column(j))) for j in range(market.shape[1])]
            for place, mechanism in enumerate(self.mechanisms):
                matching = self.match(mechanism, realised, replication)
                scores.values[case, place] = measured(matching)
                scores.ranks[case, place] = rank_shares(matching)
                scores.filled[case, place, places] = matching.filled
                scores.by_group[case, place] = by_group(matching, self.codes, len(self.groups))
        return scores

    def realised(self, market: MatchingMarket, replication: int) -> MatchingMarket:
        """Return a market with the tastes of one draw."""
        words = {"rows": market.row_words, "alternatives": market.column_words}
        rows, columns = market.row_utility, market.column_utility
        if self.row_taste:
            rows = rows + self.row_taste * Draws(seed=self.seed, stage=Stage.CHOICE, **words).gumbels(replication)
        if self.column_taste and columns is not None:
            draws = Draws(seed=self.seed, stage=Stage.SYNTHETIC, **words)
            columns = columns + self.column_taste * draws.gumbels(replication)
        return replace(market, row_utility=rows, column_utility=columns)

    def match(self, mechanism: str, market: MatchingMarket, replication: int) -> Matching:
        """Match by one mechanism."""
        draw = {"seed": self.seed, "replication": replication}
        if mechanism == "serial_dictatorship":
            return serial_dictatorship(market, **draw)
        if mechanism == "optimal":
            return optimal_assignment(market)
        if mechanism == "entropic":
            return entropic_assignment(market, temperature=self.temperature, **draw)
        if mechanism == "immediate_acceptance":
            return immediate_acceptance(market, ties=self.ties, **draw)
        side: Literal["rows", "columns"] = "rows" if mechanism == "deferred_acceptance" else "columns"
        return deferred_acceptance(market, proposing=side, ties=self.ties, **draw)


def _checked_mechanisms(given: Sequence[str], markets: Mapping[str, MatchingMarket]) -> tuple[str, ...]:
    if isinstance(given, str) or not given:
        raise InvalidInputError(f"mechanisms must be a list of names, found {given!r}")
    for name in given:
        if name not in MECHANISMS:
            hint = suggest(str(name), MECHANISMS) or f"there are {', '.join(MECHANISMS)}"
            raise InvalidInputError(f"unknown mechanism {name!r}, {hint}")
    rows = {market.shape[0] for market in markets.values()}
    if len(rows) > 1:
        raise ShapeError(f"all markets must have the same rows, found numbers of {sorted(rows)}")
    one_sided = [name for name, market in markets.items() if market.column_utility is None]
    needing = [name for name in given if name in TWO_SIDED]
    if one_sided and needing:
        raise InvalidInputError(
            f"{needing[0]} needs what rows are worth to columns, and market {one_sided[0]!r} has no column_utility: "
            "give it, such as priorities, or compare only serial_dictatorship, optimal and entropic"
        )
    return tuple(dict.fromkeys(given))


def _taste(given: float, name: str) -> float:
    usable = isinstance(given, int | float | np.number) and not isinstance(given, bool)
    if not usable or not 0 <= given < np.inf or (name == "temperature" and given == 0):
        least = "above 0" if name == "temperature" else "of at least 0"
        raise InvalidInputError(f"{name} must be a number {least}, found {given!r}")
    return float(given)


def _codes(groups: Sequence[str] | None, n: int) -> tuple[IntArray, tuple[str, ...]]:
    if groups is None:
        return np.zeros(n, dtype=np.int64), ("all",)
    if len(groups) != n:
        raise ShapeError(f"groups must be one label a row, {n}, found {len(groups)}")
    labels = tuple(dict.fromkeys(str(label) for label in groups))
    places = {label: place for place, label in enumerate(labels)}
    return np.array([places[str(label)] for label in groups], dtype=np.int64), labels
