"""What one policy changes against the baseline."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from choicekit.choice.heterogeneity.expectation import shift_error
from choicekit.choice.intervals import (
    CONFIDENCE,
    SMALLEST_VARIANCE,
    dependent_variance,
    joint_degrees,
    quantile,
    two_sided_tail,
)
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies.cases import Case, CaseRows, joint_rows
from choicekit.choice.policies.estimates import (
    ChangeEstimate,
    Replicates,
    check_confidence,
    paired_variance,
    unpaired_variance,
)
from choicekit.choice.policies.paired_tally import CaseTally, PairTally
from choicekit.choice.policies.policy import Policy
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.policies.welfare import ROUNDING, WelfareChange
from choicekit.errors import InvalidInputError
from choicekit.execution import blocks_of

__all__ = ["SOURCES", "PolicyOutcome"]

Source = Literal["agents", "parameters"]
SOURCES: tuple[Source, ...] = get_args(Source)
"""What an interval may be over, beside replications: other agents, or other coefficients."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PolicyOutcome:
    """One policy against the baseline, for the same agents under the same draws.

    Shapes: C groups, everybody first; A alternatives of the baseline and of all policies; R replications. Everything
    is weighted where agents carry weights.

    Attributes
    ----------
    name : str
    policy : Policy
    before, after : CaseTally
        The baseline's rows, and the policy's.
    pair : PairTally
        Rows that choose in both.
    agents, parameters : Replicates or None
        The comparison over resamples of the agents, and over draws of the coefficients; None where there are none.
    study : ComparisonStudy
    position : int
        Of the policy among the cases of the study.
    """

    name: str
    policy: Policy
    before: CaseTally
    after: CaseTally
    pair: PairTally
    agents: Replicates | None
    parameters: Replicates | None
    study: ComparisonStudy = field(repr=False)
    position: int

    def __repr__(self) -> str:
        return f"PolicyOutcome({self.name!r}, {self.rows[0]} rows, {self.share_change.shape[1]} alternatives)"

    @property
    def model(self) -> ChoiceModel:
        """The model under the policy."""
        return self._case.model

    @property
    def sampling(self) -> str:
        """How choices are drawn under the policy: coherent or fast."""
        return self._case.sampler.sampling

    @property
    def offered(self) -> BoolArray:
        """Whether an alternative is offered under the policy, (A,)."""
        return self.study.offered(self.position)

    @property
    def rows(self) -> IntArray:
        """Number of rows that choose both in the baseline and under the policy, by group (C,)."""
        return self.pair.rows

    @property
    def weight(self) -> FloatArray:
        """Weight of these rows, (C,)."""
        return self.pair.weight

    @property
    def left_out(self) -> IntArray:
        """Number of rows that choose in the baseline but not under the policy, by group (C,)."""
        return self.before.rows - self.pair.rows

    @property
    def stranded(self) -> IntArray:
        """Number of rows, by group (C,), that have a choice in the baseline and nothing to choose under the policy."""
        return self.pair.stranded

    @property
    def joined(self) -> IntArray:
        """Number of rows, by group (C,), that have something to choose under the policy alone."""
        return self.pair.joined

    @property
    def shares(self) -> FloatArray:
        """Expected shares under the policy, (C, A)."""
        return _shares(self.after)

    @property
    def share_change(self) -> FloatArray:
        """Change of expected shares, (C, A)."""
        return self.shares - _shares(self.before)

    @property
    def change_by_replication(self) -> FloatArray:
        """Simulated change of shares in each replication, (R, C, A)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.after.count / self.after.weight[:, None] - self.before.count / self.before.weight[:, None]

    def estimate(self, confidence: float = CONFIDENCE) -> ChangeEstimate:
        """Return the simulated change of shares with its simulation error.

        Parameters
        ----------
        confidence : float
            Of the interval, between 0 and 1.

        Returns
        -------
        ChangeEstimate
            Arrays (C, A). The standard error is that of the law under common draws, see `paired_variance`; where an
            agent's rows depend on each other it is estimated from the replications, see `dependent_variance`.
        """
        n, types, degrees = self.study.replications, self.study.baseline.types, np.inf
        variance = paired_variance(self.before, self.after, self.pair, n)
        unpaired, changes = unpaired_variance(self.before, self.after), self.change_by_replication
        if types.dependent:
            variance, degrees = dependent_variance(changes, variance, types.most_rows)
            unpaired = self._dependent_unpaired(types.most_rows)
        change, error = changes.mean(axis=0), np.sqrt(variance / n)
        half = quantile(check_confidence(confidence), degrees) * error
        return ChangeEstimate(
            change=change,
            standard_error=error,
            lower=change - half,
            upper=change + half,
            half_width=half,
            variance=variance,
            unpaired_variance=unpaired,
            degrees=degrees,
        )

    def _dependent_unpaired(self, most_rows: int) -> FloatArray:
        parts = []
        with np.errstate(divide="ignore", invalid="ignore"):
            for case in (self.before, self.after):
                shares = case.count / case.weight[:, None]
                parts.append(dependent_variance(shares, case.variance / case.weight[:, None] ** 2, most_rows)[0])
        return np.asarray(sum(parts))

    @property
    def share_change_integration_error(self) -> FloatArray:
        """Integration standard error of `share_change` (C, A): 0 but for random coefficients.

        The baseline and the policy are integrated over the same points, so that much of the error is common to both.
        """
        before, after = self.before, self.after
        with np.errstate(divide="ignore", invalid="ignore"):
            change = after.probability_by_shift / after.weight[:, None, None]
            change = change - before.probability_by_shift / before.weight[:, None, None]
        return shift_error(change)

    @property
    def tails(self) -> FloatArray:
        """Probabilities of simulated changes as far from the expected ones as found, of those that can be judged."""
        estimate, types = self.estimate(), self.study.baseline.types
        variance, error = estimate.variance[0], estimate.standard_error[0]
        counted = self.study.replications * variance * float(self.rows[0]) ** 2
        judged = np.isfinite(error) & (counted >= SMALLEST_VARIANCE * types.most_dependent**2)
        unsure = self.share_change_integration_error[0]
        score = (estimate.change - self.share_change)[0][judged] / np.hypot(error, unsure)[judged]
        degrees = joint_degrees(error**2, estimate.degrees, unsure**2, max(types.n_shifts - 1.0, 1.0))
        return two_sided_tail(score, degrees[judged])

    @property
    def switching(self) -> FloatArray:
        """Rows, by weight, that choose the first in the baseline and the second under the policy (C, A, A).

        A mean over replications; the diagonal are those who stay.
        """
        table = self.pair.switched / self.study.replications
        places = np.arange(table.shape[1])
        table[:, places, places] = self.pair.stayed / self.study.replications
        return table

    @property
    def switching_error(self) -> FloatArray:
        """Standard error of `switching` off its diagonal (C, A, A), on the safe side; nan on the diagonal.

        Rows move independently, so the variance of a sum of moves is at most that of as many equal ones; where up to T
        rows of an agent do not, it is at most T times that.
        """
        n = self.study.replications
        moved, total = self.pair.squared_switched / n, self.pair.squared_weight[:, None, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.where(moved > 0, moved * (1 - np.minimum(moved / total, 1.0)), 0.0)
        spread *= self.study.baseline.types.most_dependent
        error = np.sqrt(spread / n)
        places = np.arange(error.shape[1])
        error[:, places, places] = np.nan
        return error

    @property
    def switched_share(self) -> FloatArray:
        """Share of the rows, by weight, that choose otherwise under the policy, (C,)."""
        moved = self.pair.switched.sum(axis=(1, 2)) / self.study.replications
        return np.asarray(np.divide(moved, self.weight, out=np.full(moved.shape, np.nan), where=self.weight > 0))

    @cached_property
    def welfare(self) -> WelfareChange:
        """Change in inclusive value, in units of utility."""
        change, rounding, _ = self._changes
        return self._welfare(change, rounding, self.pair.value_by_shift)

    @cached_property
    def money_welfare(self) -> WelfareChange | None:
        """Change in money; None where the comparison names none."""
        unit = self.study.money_utility(slice(None))
        if unit is None:
            return None
        change, rounding, in_money = self._changes
        if in_money is not None:
            return self._welfare(*in_money, self.pair.money_by_shift)
        return self._welfare(change / unit, rounding / unit, self.pair.money_by_shift)

    def welfare_interval(
        self, source: Source, *, money: bool = False, confidence: float = CONFIDENCE
    ) -> tuple[FloatArray, FloatArray]:
        """Return the interval of the mean change in welfare, two arrays (C,).

        Parameters
        ----------
        source : {"agents", "parameters"}
            Over other agents, or over other coefficients.
        money : bool
            Of the change in money, instead of that in utility.
        confidence : float
            Between 0 and 1.

        Returns
        -------
        lower, upper : ndarray (C,)
            nan where there are no resamples or draws, no money, or too few rows in a group.

        Raises
        ------
        InvalidInputError
            For another source.
        """
        if source not in SOURCES:
            raise InvalidInputError(f"source must be 'agents' or 'parameters', found {source!r}")
        replicates = self.agents if source == "agents" else self.parameters
        values = None if replicates is None else replicates.money_change if money else replicates.value_change
        if replicates is None or values is None:
            return np.full(self.rows.shape, np.nan), np.full(self.rows.shape, np.nan)
        return replicates.interval(values, confidence)

    def interval_over_agents(self, confidence: float = CONFIDENCE) -> tuple[FloatArray, FloatArray]:
        """Return the interval of the change of shares over other agents, two arrays (C, A); nan without resamples."""
        return self._interval(self.agents, confidence)

    def interval_over_parameters(self, confidence: float = CONFIDENCE) -> tuple[FloatArray, FloatArray]:
        """Return the interval of the change of shares over other coefficients, two arrays (C, A); nan without draws."""
        return self._interval(self.parameters, confidence)

    @property
    def _case(self) -> Case:
        return self.study.cases[self.position]

    def _interval(self, replicates: Replicates | None, confidence: float) -> tuple[FloatArray, FloatArray]:
        if replicates is None:
            nothing = np.full(self.shares.shape, np.nan)
            return nothing, nothing
        return replicates.interval(replicates.share_change, confidence)

    @cached_property
    def _changes(self) -> tuple[FloatArray, FloatArray, tuple[FloatArray, FloatArray] | None]:
        """Change in inclusive value of every row (N,), nan where it does not choose in both; and what is rounding.

        The same in money, where what money is worth differs among types of agent.
        """
        n = self.study.population.n_rows
        table = np.full((4, n), np.nan)
        for block in blocks_of(n):
            joint = joint_rows([self.study.baseline, self._case], block.rows, money=self.study.money)
            before, after = joint.cases
            both = before.chooses & after.chooses & (before.outside == after.outside)
            rounding = ROUNDING * np.maximum(_size(before), _size(after))
            table[0, block.rows] = np.where(both, after.value - before.value, np.nan)
            table[1, block.rows] = rounding
            if joint.gains is not None and joint.worth is not None:
                table[2, block.rows] = np.where(both, joint.gains[0], np.nan)
                table[3, block.rows] = rounding * joint.worth
        in_money = None if joint.gains is None else (table[2], table[3])
        return table[0], table[1], in_money

    def _welfare(self, change: FloatArray, rounding: FloatArray, by_shift: FloatArray) -> WelfareChange:
        n = self.study.population.n_rows
        groups = [np.arange(n)]
        for segment in self.study.segments:
            groups += [np.flatnonzero(segment.codes == place) for place in range(len(segment.labels))]
        return WelfareChange(
            by_row=change,
            rounding=rounding,
            weights=self.study.weights(slice(None)),
            groups=tuple(groups),
            total_error=shift_error(by_shift),
        )


def _size(case: CaseRows) -> FloatArray:
    """Largest size of what the value of every row is made of, which its rounding is relative to (n,)."""
    # an alternative that is never chosen adds nothing to the value, however bad it is
    counting = np.where(case.probabilities > np.finfo(np.float64).eps, case.utility, 0.0)
    return np.asarray(np.maximum(np.abs(counting).max(axis=1), np.abs(case.value)))


def _shares(case: CaseTally) -> FloatArray:
    weight = case.weight[:, None]
    nothing = np.full(case.probability.shape, np.nan)
    return np.asarray(np.divide(case.probability, weight, out=nothing, where=weight > 0))
