"""Sums of what rows contribute to shares and welfare, for every resample of agents or draw of coefficients at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.policies.cases import CaseRows
from choicekit.choice.tally import GroupedRows
from choicekit.rules.products import row_products

__all__ = ["Layout", "RowSums", "contributions", "resampled_sums"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Which column of a table of contributions means what.

    Attributes
    ----------
    n_policies, n_alternatives : int

    Notes
    -----
    For the baseline and each policy: the weight, then A probabilities by weight. For each policy: the weight of rows
    that choose in both, and their change in inclusive value and in money by weight. Last the marginal utility of money
    by weight, and the weight of rows where it is not positive.
    """

    n_policies: int
    n_alternatives: int

    @property
    def width(self) -> int:
        """Number of columns."""
        return self._first_pair + 3 * self.n_policies + 2

    def weight(self, case: int) -> int:
        """Column of the weight of a case; 0 is the baseline."""
        return case * (1 + self.n_alternatives)

    def probability(self, case: int) -> slice:
        """Columns of the probabilities of a case."""
        return slice(self.weight(case) + 1, self.weight(case + 1))

    def pair_weight(self, policy: int) -> int:
        """Column of the weight of rows that choose in both; the first policy is 0. Value and money follow it."""
        return self._first_pair + 3 * policy

    @property
    def money_utility(self) -> int:
        """Column of the marginal utility of money; the weight of rows where it is not positive follows it."""
        return self._first_pair + 3 * self.n_policies

    @property
    def parts(self) -> Iterator[slice]:
        """Columns that belong together: those of each case, as many for each, and the others."""
        yield from (slice(self.weight(case), self.weight(case + 1)) for case in range(1 + self.n_policies))
        yield slice(self._first_pair, self.width)

    @property
    def _first_pair(self) -> int:
        return (1 + self.n_policies) * (1 + self.n_alternatives)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RowSums:
    """Sums of contributions (B, C, K): resamples or draws, groups, columns of a `Layout`."""

    totals: FloatArray

    def merge(self, other: Self) -> Self:
        """Return the sums over these rows and the rows right after them."""
        return type(self)(totals=self.totals + other.totals)

    def __repr__(self) -> str:
        return f"RowSums(totals of shape {self.totals.shape})"


def contributions(
    cases: Sequence[CaseRows],
    weights: FloatArray,
    money_utility: FloatArray | None,
    layout: Layout,
    gains: Sequence[FloatArray] | None = None,
) -> FloatArray:
    """Return what each row adds to every sum, shape (n, K).

    Parameters
    ----------
    cases : sequence of CaseRows
        The baseline first.
    weights : ndarray (n,)
    money_utility : ndarray (n,), optional
        Utility of a unit of money to each row.
    layout : Layout
    gains : sequence of ndarray (n,), optional
        For each policy the change in money of every row, where it is not that in value over `money_utility`.
    """
    table = np.zeros((len(weights), layout.width))
    # utilities near the largest float overflow in sums: what comes out says so, and a draw of 0 has no answer in money
    with np.errstate(all="ignore"):
        _fill(table, cases, weights, money_utility, layout, gains)
    return table


def _fill(
    table: FloatArray,
    cases: Sequence[CaseRows],
    weights: FloatArray,
    money_utility: FloatArray | None,
    layout: Layout,
    gains: Sequence[FloatArray] | None,
) -> None:
    before = cases[0]
    for place, case in enumerate(cases):
        weight = np.where(case.chooses, weights, 0.0)
        table[:, layout.weight(place)] = weight
        table[:, layout.probability(place)] = weight[:, None] * case.probabilities
        if place > 0:
            # where only one has a choice of its own, a change would be against the arbitrary 0 of the outside option
            both = np.where(before.chooses & (before.outside == case.outside), weight, 0.0)
            gain, column = both * (case.value - before.value), layout.pair_weight(place - 1)
            table[:, column], table[:, column + 1] = both, gain
            if money_utility is not None:
                table[:, column + 2] = gain / money_utility if gains is None else both * gains[place - 1]
    if money_utility is not None:
        table[:, layout.money_utility] = weights * money_utility
        table[:, layout.money_utility + 1] = weights * (money_utility <= 0)


def resampled_sums(table: FloatArray, multiplicity: FloatArray, groups: GroupedRows, layout: Layout) -> FloatArray:
    """Sum contributions (n, K) of rows counted so many times (B, n), by group: (B, C, K).

    Each case is summed by itself: how a product of matrices rounds a column depends on its place, and a case that is
    like the baseline must come to the same sums, to the last bit.
    """
    totals = np.zeros((len(multiplicity), groups.n_groups, table.shape[1]))
    for codes in groups.codes:
        for group in np.unique(codes):
            rows = np.flatnonzero(codes == group)
            for part in layout.parts:
                totals[:, group, part] = row_products(multiplicity[:, rows].T, table[rows, part])
    return totals
