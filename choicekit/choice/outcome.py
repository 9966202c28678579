"""The outcome of a choice simulation: shares, inclusive values, intervals, and choices on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.heterogeneity.expectation import shift_error
from choicekit.choice.intervals import (
    ShareEstimate,
    agreement_p_value,
    dependent_variance,
    estimate_shares,
    joint_degrees,
    quantile,
)
from choicekit.choice.segments import Segmentation
from choicekit.choice.tally import ChoiceTally
from choicekit.counting import counted
from choicekit.errors import InvalidInputError
from choicekit.rules import ChoiceRule

if TYPE_CHECKING:
    from choicekit.choice.simulation import ChoiceStudy

__all__ = ["EVERYBODY", "ChoiceOutcome", "Group"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

CONFIDENCE_OF_SLACK = 0.9999  # of how far an expected number of rare events may be off

EVERYBODY = "all"
"""Name of the group of all agents, in tables."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Group:
    """A group of agents that results are broken down by.

    Attributes
    ----------
    segment, label : str
        What agents are sorted by and the name of this group; ``"all"`` twice for everybody.
    position : int
        Place on the group axis of the tally.
    """

    segment: str
    label: str
    position: int


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChoiceOutcome:
    """What agents chose, and what they were expected to choose.

    Attributes
    ----------
    alternatives : tuple of str
        Names of the J alternatives, in the order of every array; ends in ``"outside_option"`` where agents with
        nothing available count as choosing it.
    rule : ChoiceRule
    sampling : {"coherent", "fast"}
        The mode that was used.
    seed, replications : int
    weighted : bool
        Whether agents carry weights; if so shares and values are weighted unless said otherwise.
    has_observed : bool
        Whether the data report choices.
    groups : tuple of Group
        Everybody first, then the groups of every segmentation.
    tally : ChoiceTally
        Counts and sums behind everything.
    study : ChoiceStudy
        What was simulated; draws are regenerated from it.

    Examples
    --------
    >>> from choicekit import ChoiceModel, Population, simulate_choices
    >>> people = Population(agents=np.arange(4), columns={"cost": np.array([1.0, 2.0, 3.0, 4.0])})
    >>> model = ChoiceModel(utilities={"walk": "0", "ride": "1 - b * cost"}, coefficients={"b": 0.5})
    >>> outcome = simulate_choices(model, people, seed=1, replications=100)
    >>> outcome.expected_shares.round(3).to_dict()
    {'walk': 0.558, 'ride': 0.442}
    """

    alternatives: tuple[str, ...]
    rule: ChoiceRule
    sampling: Literal["coherent", "fast"]
    seed: int
    replications: int
    weighted: bool
    has_observed: bool
    groups: tuple[Group, ...]
    tally: ChoiceTally
    study: ChoiceStudy = field(repr=False)

    @property
    def n_rows(self) -> int:
        """Number of rows (agents times their situations), whether they choose or not."""
        return self.study.population.n_rows

    @property
    def n_agents(self) -> int:
        """Number of different agents."""
        return self.study.population.n_agents

    @property
    def n_idle(self) -> int:
        """Number of rows with nothing available, left out or sent to the outside option."""
        return int(self.tally.idle[0])

    @property
    def expected_shares(self) -> pd.Series[float]:
        """Mean choice probability of each alternative over all rows, weighted where agents carry weights."""
        return self._series(self.expected_by_group()[0], "expected_share")

    @property
    def simulated_shares(self) -> pd.Series[float]:
        """Mean simulated share of each alternative over replications."""
        return self._series(self.estimate_by_group().share[0], "simulated_share")

    @property
    def observed_shares(self) -> pd.Series[float]:
        """Share of each alternative among the choices the data report; nan where they report none."""
        return self._series(self.observed_by_group()[0], "observed_share")

    @property
    def inclusive_value(self) -> float:
        """Mean inclusive value over the rows that choose, in units of utility, weighted where agents carry weights."""
        return float(self.inclusive_value_by_group()[0])

    def expected_by_group(self, *, weighted: bool | None = None) -> FloatArray:
        """Return expected shares by group, shape (C, J); `weighted` defaults to whether agents carry weights."""
        if self._use_weights(weighted):
            return _ratio(self.tally.weighted_probability, self.tally.weight)
        return _ratio(self.tally.probability, self.tally.rows)

    def integration_error_by_group(self, *, weighted: bool | None = None) -> FloatArray:
        """Return the standard error of expected shares by group, shape (C, J): 0 but for random coefficients.

        Parameters
        ----------
        weighted : bool, optional
            Whether to weigh agents; defaults to whether they carry weights.

        Returns
        -------
        ndarray (C, J)
            Of the mean over the shifts of the integration points, from how much these differ; it has as many degrees
            of freedom as there are shifts, less one. nan for an empty group.
        """
        use = self._use_weights(weighted)
        by_shift = self.tally.weighted_probability_by_shift if use else self.tally.probability_by_shift
        return _ratio(shift_error(by_shift), self._totals(weighted))

    def inclusive_value_error_by_group(self, *, weighted: bool | None = None) -> FloatArray:
        """Return the integration standard error of mean inclusive values by group, shape (C,)."""
        by_shift = self.tally.weighted_value_by_shift if self._use_weights(weighted) else self.tally.value_by_shift
        return _ratio(shift_error(by_shift), self._totals(weighted))

    def estimate_by_group(self, *, weighted: bool | None = None) -> ShareEstimate:
        """Return simulated shares with their simulation error by group, arrays of shape (C, J)."""
        shares = self.shares_by_replication(weighted=weighted)
        return estimate_shares(shares, *self._variance(shares, self._independent_variance(weighted)))

    def known_variance_by_group(self, *, weighted: bool | None = None) -> FloatArray:
        """Return the variance of one replication's share under the probabilities drawn from, shape (C, J).

        Parameters
        ----------
        weighted : bool, optional
            Whether to weigh agents; defaults to whether they carry weights.

        Returns
        -------
        ndarray (C, J)
            The sum of p (1 - p) over the rows of a group by the square of their number, or with weights the sum of
            w^2 p (1 - p) by the square of their weight; nan for an empty group. Where rows depend on each other it is
            not known, and estimated from the replications: see `dependent_variance`.
        """
        independent = self._independent_variance(weighted)
        if not self.study.types.dependent:
            return independent
        return self._variance(self.shares_by_replication(weighted=weighted), independent)[0]

    def _independent_variance(self, weighted: bool | None) -> FloatArray:
        variance = self.tally.weighted_variance if self._use_weights(weighted) else self.tally.variance
        return _ratio(variance, self._totals(weighted) ** 2)

    def _variance(self, shares: FloatArray, independent: FloatArray) -> tuple[FloatArray, float]:
        """Variance of one replication's share, and its degrees of freedom."""
        types = self.study.types
        return dependent_variance(shares, independent, types.most_rows) if types.dependent else (independent, np.inf)

    def shares_by_replication(self, *, weighted: bool | None = None) -> FloatArray:
        """Return simulated shares by replication and group, shape (R, C, J)."""
        count = self.tally.weighted_count if self._use_weights(weighted) else self.tally.count
        return _ratio(count, self._totals(weighted))

    def observed_by_group(self, *, weighted: bool | None = None) -> FloatArray:
        """Return observed shares by group, shape (C, J); nan where nothing was observed."""
        observed = self.tally.weighted_observed if self._use_weights(weighted) else self.tally.observed
        return _ratio(observed, observed.sum(axis=-1))

    def inclusive_value_by_group(self, *, weighted: bool | None = None) -> FloatArray:
        """Return mean inclusive values by group over the rows that choose, shape (C,)."""
        if self._use_weights(weighted):
            return _ratio(self.tally.weighted_value, self.tally.weight)
        return _ratio(self.tally.value, self.tally.rows)

    @property
    def agreement(self) -> float:
        """Probability of simulated counts as far from the expected ones, if the draws follow the law.

        Allows for the integration error of the expected ones, and for what an agent's rows have in common.
        """
        tally, n, types = self.tally, self.replications, self.study.types
        count = tally.count[:, 0].sum(axis=0).astype(np.float64)
        variance, degrees = self._variance(tally.count[:, 0].astype(np.float64), tally.variance[0])
        error = n * shift_error(tally.probability_by_shift)[0]
        if not types.n_shifts:
            return agreement_p_value(
                count, n * tally.probability[0], n * variance, degrees=degrees, most_rows=types.most_dependent
            )
        # what no point has met may still be rare, unless it is unavailable
        unmet = np.where(tally.probability[0] == 0, n * tally.available[0] / self.study.model.integration.nodes, 0.0)
        unmet = np.where(tally.probability[0] == 0, unmet, unmet.sum())
        return agreement_p_value(
            count,
            n * tally.probability[0],
            n * variance + error**2,
            degrees=joint_degrees(n * variance, degrees, error**2, types.n_shifts - 1.0),
            slack=quantile(CONFIDENCE_OF_SLACK, types.n_shifts - 1.0) * error + unmet,
            most_rows=types.most_dependent,
        )

    @property
    def choices(self) -> IntArray:
        """Positions chosen in every replication, (R, N), -1 where nothing is available; regenerated, not stored."""
        everything = np.empty((self.replications, self.n_rows), dtype=np.int64)
        for rows, replications, chosen in self.iter_choices():
            everything[replications.start : replications.stop, rows] = chosen
        return everything

    def iter_choices(self) -> Iterator[tuple[slice, range, IntArray]]:
        """Yield rows, replications and the positions chosen (r, n), for results too large to hold.

        Block by block, and within a block some replications at a time; -1 where nothing is available.
        """
        yield from self.study.iter_choices()

    def to_frame(self, *, weighted: bool | None = None) -> pd.DataFrame:
        """Return a table with one row for every group and alternative.

        Parameters
        ----------
        weighted : bool, optional
            Whether to weigh agents; defaults to whether they carry weights.

        Returns
        -------
        DataFrame
            Columns segment, group, rows (that choose), alternative, expected_share, simulated_share,
            standard_error, lower, upper (95 % simulation interval) and observed_share.
        """
        n_groups, n_alternatives = len(self.groups), len(self.alternatives)
        estimate = self.estimate_by_group(weighted=weighted)
        return pd.DataFrame(
            {
                "segment": np.repeat([group.segment for group in self.groups], n_alternatives),
                "group": np.repeat([group.label for group in self.groups], n_alternatives),
                "rows": np.repeat(self.tally.rows, n_alternatives),
                "alternative": np.tile(np.asarray(self.alternatives, dtype=object), n_groups),
                "expected_share": self.expected_by_group(weighted=weighted).ravel(),
                "simulated_share": estimate.share.ravel(),
                "standard_error": estimate.standard_error.ravel(),
                "lower": estimate.lower.ravel(),
                "upper": estimate.upper.ravel(),
                "observed_share": self.observed_by_group(weighted=weighted).ravel(),
            }
        )

    def __repr__(self) -> str:
        kind = "weighted " if self.weighted else ""
        return (
            f"ChoiceOutcome({counted(self.n_rows, f'{kind}row')}, {counted(len(self.alternatives), 'alternative')}, "
            f"{counted(self.replications, 'replication')}, {self.sampling} draws, seed {self.seed})"
        )

    def _repr_html_(self) -> str:
        everybody = self.to_frame().query("segment == @EVERYBODY").drop(columns=["segment", "group", "rows"])
        return str(everybody.to_html(index=False, float_format="{:.4f}".format))

    def _series(self, values: FloatArray, name: str) -> pd.Series[float]:
        return pd.Series(values, index=pd.Index(self.alternatives, name="alternative"), name=name)

    def _use_weights(self, weighted: bool | None) -> bool:
        if weighted and not self.weighted:
            raise InvalidInputError("the agents carry no weights: name a weight column when the population is built")
        return self.weighted if weighted is None else weighted

    def _totals(self, weighted: bool | None) -> FloatArray:
        return self.tally.weight if self._use_weights(weighted) else self.tally.rows.astype(np.float64)


def groups_of(segments: tuple[Segmentation, ...]) -> tuple[Group, ...]:
    """List the groups of all segmentations, everybody first.

    Examples
    --------
    >>> [group.label for group in groups_of(())]
    ['all']
    """
    groups = [Group(segment=EVERYBODY, label=EVERYBODY, position=0)]
    for segment in segments:
        for label in segment.labels:
            groups.append(Group(segment=segment.name, label=label, position=len(groups)))
    return tuple(groups)


def _ratio(totals: npt.NDArray[np.generic], sizes: npt.NDArray[np.generic]) -> FloatArray:
    """Totals (..., C) or (..., C, J) by sizes (C,): nan for an empty group, which has no share."""
    divisor = np.asarray(sizes, dtype=np.float64)
    if totals.ndim > 1:
        divisor = divisor[:, None]
    return np.asarray(np.divide(totals, divisor, out=np.full(totals.shape, np.nan), where=divisor > 0))
