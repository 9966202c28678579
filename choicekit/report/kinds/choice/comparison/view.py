"""A comparison made ready to be shown: names, marks, arrays and the effect of each policy, worked out once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.policies.comparison import PolicyComparison
from choicekit.choice.policies.estimates import ChangeEstimate, Replicates
from choicekit.choice.policies.policy_outcome import PolicyOutcome
from choicekit.choice.policies.welfare import WelfareChange
from choicekit.report.figures.style import MAX_CATEGORIES, OTHER, Mark, marks_for
from choicekit.report.kinds.choice.view import ChoiceView
from choicekit.report.numbers import column_decimals
from choicekit.report.text import clean, display_names, shorten, slug

__all__ = ["NOTHING_MOVES", "ComparisonView", "PolicyView", "comparison_of", "decimals_of_amounts", "mapping_of"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LONGEST_NAME = 60  # characters of a name in a table

NOTHING_MOVES = 1e-12
"""A change of a share this small is rounding."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PolicyView:
    """One policy.

    Attributes
    ----------
    outcome : PolicyOutcome
    title : str
        Name as shown.
    key : str
        Fit for HTML ids and file names, different from those of the others.
    shares, change : ndarray (C, A)
        Expected.
    offered, kept : ndarray (A,)
        Whether an alternative is offered under the policy; and in the baseline, too.
    estimate : ChangeEstimate
    switching : ndarray (C, A, A)
        Part of the rows that choose in both, by group.
    place : int or None
        The alternative whose share it changes most, leaving out those it removes; None where it changes none.
    rescaled : bool
        Whether it has another rule or temperature, so that its welfare is on another scale than the baseline's.
    """

    outcome: PolicyOutcome
    title: str
    key: str
    shares: FloatArray
    change: FloatArray
    offered: BoolArray
    kept: BoolArray
    estimate: ChangeEstimate
    switching: FloatArray
    place: int | None
    rescaled: bool

    @property
    def short(self) -> str:
        """The title for tables and headings."""
        return shorten(self.title, LONGEST_NAME)

    @property
    def switched(self) -> float:
        """Part of the rows that choose otherwise."""
        return float(self.outcome.switched_share[0])

    @property
    def effect(self) -> float:
        """Change of the share it changes most; 0 where it changes none."""
        return 0.0 if self.place is None else float(self.change[0, self.place])

    @property
    def integration_error(self) -> float:
        """Largest integration error of the changes of shares."""
        return float(np.nanmax(self.outcome.share_change_integration_error[0], initial=0.0))

    @property
    def filters(self) -> bool:
        """Whether it counts only some of the rows, so that its shares are those of others."""
        return bool(self.outcome.policy.filter)

    @property
    def money(self) -> WelfareChange | None:
        """Change in money, where the comparison names what money is worth."""
        return self.outcome.money_welfare

    @property
    def worth(self) -> WelfareChange:
        """Change in money where it is known, else in utility."""
        return self.outcome.welfare if self.money is None else self.money

    def worth_replicates(self, replicates: Replicates | None) -> FloatArray | None:
        """Return what replicates say of the mean of `worth`, (B, C)."""
        if replicates is None:
            return None
        return replicates.value_change if self.money is None else replicates.money_change


@dataclass(frozen=True, kw_only=True, eq=False)
class ComparisonView:
    """What the sections on policies are made from.

    Attributes
    ----------
    base : ChoiceView
        Of the baseline.
    comparison : PolicyComparison
    names : tuple of str
        The A alternatives as shown.
    marks : tuple of Mark
        Those of the baseline have the marks they have elsewhere on the page.
    baseline : ndarray (C, A)
        Expected shares.
    offered : ndarray (A,)
        By the baseline.
    policies : tuple of PolicyView
        As given.
    decimals : int
        Of percentages and points.
    worth_unit : str
        What welfare is measured in.
    """

    base: ChoiceView
    comparison: PolicyComparison
    names: tuple[str, ...]
    marks: tuple[Mark, ...]
    baseline: FloatArray
    offered: BoolArray
    policies: tuple[PolicyView, ...]
    decimals: int
    worth_unit: str

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The comparison as a table, worked out once."""
        return self.comparison.to_frame()

    @property
    def integrated(self) -> bool:
        """Whether expected shares are means over random coefficients, which have an error of their own."""
        return bool(self.base.outcome.study.types.n_shifts)

    @property
    def exact(self) -> str:
        """What to call the change that is not simulated."""
        return "expected" if self.integrated else "exact"

    @property
    def ranked(self) -> tuple[PolicyView, ...]:
        """Policies by the size of their effect; those that count other rows last, for theirs is none."""
        return tuple(sorted(self.policies, key=lambda policy: (policy.filters, -abs(policy.effect))))

    @property
    def leading(self) -> PolicyView:
        """The policy with the largest effect."""
        return self.ranked[0]

    @property
    def worth_decimals(self) -> int:
        """Decimals of amounts of welfare, the same for all policies."""
        return decimals_of_amounts([float(policy.worth.mean[0]) for policy in self.valued or self.policies])

    @property
    def valued(self) -> tuple[PolicyView, ...]:
        """Policies whose welfare is known and on the scale of the baseline's."""
        return tuple(found for found in self.policies if np.isfinite(found.worth.mean[0]) and not found.rescaled)

    @property
    def repriced(self) -> tuple[PolicyView, ...]:
        """Policies that change what money is worth."""
        formula = self.comparison.study.money
        names = frozenset() if formula is None else formula.names
        given = [(found, found.outcome.policy) for found in self.policies]
        return tuple(found for found, policy in given if names & {*policy.coefficients, *policy.attributes})

    @property
    def rows(self) -> str:
        """What rows are called: agents, or situations where agents have several."""
        return self.base.agents if self.base.outcome.n_rows == self.base.outcome.n_agents else "situations"

    def short(self, place: int) -> str:
        """Return the name of an alternative for tables, of which there are many."""
        return shorten(self.names[place], LONGEST_NAME)

    def ordered(self, values: FloatArray) -> list[int]:
        """Return places of alternatives by falling value."""
        return [int(place) for place in np.argsort(-np.nan_to_num(values), kind="stable")]


def comparison_of(base: ChoiceView) -> ComparisonView | None:
    """Work out what the sections on policies need; None where there are no policies."""
    comparison: PolicyComparison | None = getattr(base.result, "comparison", None)
    if comparison is None or not comparison.policies:
        return None
    titles = _titles(tuple(comparison.policies))
    keys: list[str] = []
    for title in titles:
        keys.append(slug(title, keys))
    offered = np.asarray(comparison.baseline_offered)
    pairs = zip(comparison.policies.values(), titles, keys, strict=True)
    policies = tuple(_policy_view(outcome, title, key, comparison) for outcome, title, key in pairs)
    settings = base.result.scenario.get("welfare")
    unit = settings.get("unit") if isinstance(settings, Mapping) else None
    return ComparisonView(
        base=base,
        comparison=comparison,
        names=_names(base, comparison.alternatives),
        marks=_marks(base, comparison.alternatives),
        baseline=comparison.baseline_shares,
        offered=offered,
        policies=policies,
        decimals=_decimals(base, policies),
        worth_unit=base.unit if comparison.money is None else clean(unit or "units of money"),
    )


def _names(base: ChoiceView, alternatives: tuple[str, ...]) -> tuple[str, ...]:
    """Call the alternatives of the baseline as elsewhere on the page."""
    shown = dict(zip(alternatives, display_names(alternatives), strict=True))
    names = tuple(
        (shown | dict(zip(base.outcome.alternatives, base.names, strict=True)))[name] for name in alternatives
    )
    return names if len(set(names)) == len(names) else tuple(shown.values())


def _titles(names: Sequence[str]) -> tuple[str, ...]:
    """Write slugs as words, unless two would then look alike."""
    words = tuple(name.replace("-", " ") for name in names)
    return display_names(words if len(set(words)) == len(words) else names)


def _policy_view(outcome: PolicyOutcome, title: str, key: str, comparison: PolicyComparison) -> PolicyView:
    offered, change = np.asarray(outcome.offered), outcome.share_change
    weight = np.asarray(outcome.weight)[:, None, None]
    moved = outcome.switching
    return PolicyView(
        outcome=outcome,
        title=title,
        key=key,
        shares=outcome.shares,
        change=change,
        offered=offered,
        kept=offered & np.asarray(comparison.baseline_offered),
        estimate=outcome.estimate(),
        switching=np.divide(moved, weight, out=np.full(moved.shape, np.nan), where=weight > 0),
        place=_most_moved(change[0], offered),
        rescaled=outcome.model.rules != comparison.study.baseline.model.rules,
    )


def _most_moved(change: FloatArray, offered: BoolArray) -> int | None:
    size = np.where(offered, np.abs(np.nan_to_num(change)), 0.0)
    return int(np.argmax(size)) if size.size and size.max() > NOTHING_MOVES else None


def _marks(base: ChoiceView, alternatives: tuple[str, ...]) -> tuple[Mark, ...]:
    """Keep the marks of the baseline and give those that are left to what policies add."""
    known = dict(zip(base.outcome.alternatives, base.marks, strict=True))
    free = [mark for mark in marks_for([str(n) for n in range(MAX_CATEGORIES)]) if mark not in known.values()]
    new = iter(free)
    return tuple(known[name] if name in known else next(new, OTHER) for name in alternatives)


def _decimals(base: ChoiceView, policies: Sequence[PolicyView]) -> int:
    """As many as the baseline has, and more where all effects are small."""
    largest = max((abs(policy.effect) for policy in policies), default=0.0)
    return min(max(base.decimals, column_decimals([100 * largest], 2) if largest else 1), 4)


def decimals_of_amounts(amounts: Sequence[float]) -> int:
    """Decimals for amounts beside each other: three digits of the largest, and two decimals below 100.

    Examples
    --------
    >>> decimals_of_amounts([7.26, -12.8]), decimals_of_amounts([0.124]), decimals_of_amounts([1523.9])
    (2, 3, 0)
    """
    largest = max((abs(amount) for amount in amounts if np.isfinite(amount)), default=0.0)
    return max(column_decimals([largest], 3), 2 if largest < 100 else 0) if largest else 2


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return a mapping, empty where there is none."""
    return value if isinstance(value, Mapping) else {}
