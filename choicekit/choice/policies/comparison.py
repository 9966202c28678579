"""The outcome of comparing policies with a baseline: changes of shares, switches, welfare, elasticities, errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.intervals import CONFIDENCE
from choicekit.choice.outcome import Group
from choicekit.choice.policies.elasticities import Elasticities
from choicekit.choice.policies.paired_tally import PairedTally
from choicekit.choice.policies.policy_outcome import SOURCES, PolicyOutcome
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.policies.welfare import WelfareChange

__all__ = ["PolicyComparison"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PolicyComparison:
    """What policies change against a baseline, agent by agent, under the same draws.

    Attributes
    ----------
    study : ComparisonStudy
        What was compared; changes of single rows are worked out again from it.
    policies : mapping of str to PolicyOutcome
    tally : PairedTally
        Counts and sums behind everything simulated.
    responses : Elasticities
        Point and arc elasticities and diversion ratios of the baseline.
    warnings : tuple of str
        What makes a number mean less than it seems to.
    money_is_uncertain : bool
        Whether the marginal utility of money may be zero by its covariance: means in money then have no moments.

    Examples
    --------
    >>> from choicekit import ChoiceModel, Population, compare_policies
    >>> people = Population(agents=np.arange(4), columns={"cost": np.array([1.0, 2.0, 3.0, 4.0])})
    >>> model = ChoiceModel({"walk": "0", "ride": "1 - b * cost"}, {"b": 0.5})
    >>> found = compare_policies(model, people, {"half fare": {"change": {"ride": {"cost": "cost / 2"}}}}, seed=1)
    >>> found.share_change.round(3).loc["half fare"].to_dict()
    {'walk': -0.149, 'ride': 0.149}
    """

    study: ComparisonStudy = field(repr=False)
    policies: Mapping[str, PolicyOutcome]
    tally: PairedTally = field(repr=False)
    responses: Elasticities
    warnings: tuple[str, ...] = ()
    money_is_uncertain: bool = False

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The A alternatives of the baseline and of all policies, in the order of every array."""
        return self.study.alternatives

    @property
    def groups(self) -> tuple[Group, ...]:
        """Everybody first, then the groups of every segmentation."""
        return self.study.groups

    @property
    def seed(self) -> int:
        """Seed of the draws."""
        return self.study.seed

    @property
    def replications(self) -> int:
        """Number of simulated repetitions."""
        return self.study.replications

    @property
    def weighted(self) -> bool:
        """Whether agents carry weights; then everything is weighted."""
        return self.study.population.weights is not None

    @property
    def money(self) -> str | None:
        """The formula whose value is minus the marginal utility of money; None where none was named."""
        return None if self.study.money is None else self.study.money.text

    @property
    def n_rows(self) -> int:
        """Number of rows of the baseline's population: agents times their situations."""
        return self.study.population.n_rows

    @property
    def n_agents(self) -> int:
        """Number of different agents."""
        return self.study.population.n_agents

    @property
    def baseline_shares(self) -> FloatArray:
        """Expected shares in the baseline by group, (C, A); nan for an empty group."""
        case = self.tally.cases[0]
        weight = case.weight[:, None]
        return np.asarray(
            np.divide(case.probability, weight, out=np.full(case.probability.shape, np.nan), where=weight > 0)
        )

    @property
    def baseline_offered(self) -> BoolArray:
        """Whether an alternative is among the baseline's, (A,)."""
        return self.study.offered(0)

    @property
    def share_change(self) -> pd.DataFrame:
        """Change of the expected share of each alternative under each policy, over all rows."""
        rows = [outcome.share_change[0] for outcome in self.policies.values()]
        return pd.DataFrame(rows, index=self._policy_index, columns=self._alternative_index)

    @property
    def simulated_share_change(self) -> pd.DataFrame:
        """Mean simulated change of the share of each alternative under each policy, over all rows."""
        rows = [outcome.estimate().change[0] for outcome in self.policies.values()]
        return pd.DataFrame(rows, index=self._policy_index, columns=self._alternative_index)

    @property
    def switching(self) -> pd.DataFrame:
        """Rows, by weight, that choose one alternative in the baseline and another under a policy.

        A mean over replications, indexed by policy and the alternative in the baseline (``from``), with a column for
        each alternative under the policy (``to``); those on the diagonal stay.
        """
        tables = [outcome.switching[0] for outcome in self.policies.values()]
        index = pd.MultiIndex.from_product([list(self.policies), list(self.alternatives)], names=["policy", "from"])
        columns = pd.Index(self.alternatives, name="to")
        return pd.DataFrame(np.concatenate(tables), index=index, columns=columns)

    @property
    def welfare_change(self) -> pd.DataFrame:
        """Change of welfare under each policy, over all rows: in units of utility, and in money where it is named.

        Columns mean, with agents_lower, agents_upper, parameters_lower and parameters_upper (95 % intervals), total,
        median, least, most, gain_share, lose_share and unchanged_share; then the same of money, from money_mean to
        money_most.
        """
        records = []
        for outcome in self.policies.values():
            record = _welfare_record(outcome, outcome.welfare, money=False)
            record |= {f"{name}_share": getattr(outcome.welfare, name)[0] for name in ("gain", "lose", "unchanged")}
            if outcome.money_welfare is not None:
                amounts = _welfare_record(outcome, outcome.money_welfare, money=True)
                record |= {f"money_{name}": amount for name, amount in amounts.items()}
            records.append(record)
        return pd.DataFrame(records, index=self._policy_index)

    @property
    def elasticities(self) -> pd.DataFrame:
        """Point elasticities: of the share of each alternative (columns) to an attribute of one (rows)."""
        return self._responses(self.responses.point)

    @property
    def arc_elasticities(self) -> pd.DataFrame:
        """Arc elasticities for an attribute 10 % larger, laid out as `elasticities`."""
        return self._responses(self.responses.arc)

    @property
    def diversion(self) -> pd.DataFrame:
        """Diversion ratios: the part of those who leave the row's alternative that goes to the column's."""
        index = pd.Index(self.alternatives, name="from")
        return pd.DataFrame(self.responses.diversion, index=index, columns=pd.Index(self.alternatives, name="to"))

    @property
    def agreement(self) -> float:
        """Probability of a simulated change of a share as far from the expected one, if the draws follow the law.

        Of the policy and alternative furthest off, corrected for their number by Sidak's rule. A change is judged by
        its z-score (or Student's t) under the law of the paired draws, with the integration error of the expected one
        where there is any; one of which too few switches are expected for that is passed over.
        """
        tails = np.concatenate([outcome.tails for outcome in self.policies.values()])
        if not tails.size:
            return 1.0
        with np.errstate(divide="ignore"):  # a tail of probability 1 is allowed: the logarithm of 0 is meant
            return float(-np.expm1(tails.size * np.log1p(-tails.min())))

    def to_frame(self, *, confidence: float = CONFIDENCE) -> pd.DataFrame:
        """Return a table with one row for every policy, group and alternative.

        Parameters
        ----------
        confidence : float
            Of the intervals.

        Returns
        -------
        DataFrame
            Columns policy, segment, group, rows (that choose in both), alternative, baseline_share, policy_share and
            share_change (expected), simulated_share_change with its standard_error, lower and upper (simulation
            error), agents_lower and agents_upper (other agents), parameters_lower and parameters_upper (other
            coefficients), variance_reduction.
        """
        return pd.concat([self._table_of(outcome, confidence) for outcome in self.policies.values()], ignore_index=True)

    def __repr__(self) -> str:
        return (
            f"PolicyComparison({len(self.policies)} policies, {self.n_rows} rows, {len(self.alternatives)} "
            f"alternatives, {self.replications} replications, seed {self.seed})"
        )

    def _repr_html_(self) -> str:
        return str(self.share_change.to_html(float_format="{:+.4f}".format))

    def _table_of(self, outcome: PolicyOutcome, confidence: float) -> pd.DataFrame:
        n_groups, n_alternatives = outcome.shares.shape
        estimate = outcome.estimate(confidence)
        agents = outcome.interval_over_agents(confidence)
        parameters = outcome.interval_over_parameters(confidence)
        columns: dict[str, npt.ArrayLike] = {
            "policy": [outcome.name] * (n_groups * n_alternatives),
            "segment": np.repeat([group.segment for group in self.groups], n_alternatives),
            "group": np.repeat([group.label for group in self.groups], n_alternatives),
            "rows": np.repeat(outcome.rows, n_alternatives),
            "alternative": np.tile(np.asarray(self.alternatives, dtype=object), n_groups),
            "baseline_share": self.baseline_shares,
            "policy_share": outcome.shares,
            "share_change": outcome.share_change,
            "simulated_share_change": estimate.change,
            "standard_error": estimate.standard_error,
            "lower": estimate.lower,
            "upper": estimate.upper,
            "agents_lower": agents[0],
            "agents_upper": agents[1],
            "parameters_lower": parameters[0],
            "parameters_upper": parameters[1],
            "variance_reduction": estimate.reduction,
        }
        return pd.DataFrame({name: np.ravel(values) for name, values in columns.items()})

    def _responses(self, values: FloatArray) -> pd.DataFrame:
        index = pd.MultiIndex.from_tuples(list(self.responses.responses), names=["attribute", "alternative"])
        return pd.DataFrame(values, index=index, columns=pd.Index(self.alternatives, name="responds"))

    @cached_property
    def _policy_index(self) -> pd.Index[str]:
        return pd.Index(list(self.policies), name="policy")

    @cached_property
    def _alternative_index(self) -> pd.Index[str]:
        return pd.Index(self.alternatives, name="alternative")


def _welfare_record(outcome: PolicyOutcome, change: WelfareChange, *, money: bool) -> dict[str, float]:
    """Change of welfare over all rows, with the intervals of its mean."""
    record = {"mean": change.mean[0]}
    for source in SOURCES:
        lower, upper = outcome.welfare_interval(source, money=money)
        record |= {f"{source}_lower": lower[0], f"{source}_upper": upper[0]}
    return record | {name: getattr(change, name)[0] for name in ("total", "median", "least", "most")}
