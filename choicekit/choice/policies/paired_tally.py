"""What a block of paired choices leaves behind: the baseline's and every policy's choices under the same draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.policies.cases import CaseRows
from choicekit.choice.tally import GroupedRows

__all__ = ["CaseTally", "Moves", "PairTally", "PairedTally", "tally_case", "tally_pair"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class _Sums:
    """Adds up field by field."""

    def merge(self, other: Self) -> Self:
        """Return the sums over these rows and the rows right after them."""
        names = [item.name for item in fields(self)]  # type: ignore[arg-type]
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CaseTally(_Sums):
    """Sums over the rows that choose in one case, by group.

    Shapes: C groups (group 0 is everybody), A alternatives, R replications; w is the weight of a row, 1 without.

    Attributes
    ----------
    rows : ndarray (C,) of int64
    weight : ndarray (C,)
        Sum of w.
    probability : ndarray (C, A)
        Sum of w p.
    variance : ndarray (C, A)
        Sum of w^2 p (1 - p): the variance of one replication's count.
    count : ndarray (R, C, A)
        Simulated choices, by weight.
    probability_by_shift : ndarray (C, S, A)
        Sum of w p by each shift of the integration points alone; S = 0 without random coefficients.
    """

    rows: IntArray
    weight: FloatArray
    probability: FloatArray
    variance: FloatArray
    count: FloatArray
    probability_by_shift: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PairTally(_Sums):
    """Sums over the rows that choose both in the baseline and under a policy, by group.

    Attributes
    ----------
    rows : ndarray (C,) of int64
    weight : ndarray (C,)
    squared_weight : ndarray (C,)
    stranded, joined : ndarray (C,) of int64
        Rows that had something of their own to choose in the baseline, belong to the policy's population and have
        nothing there; and rows that have something under the policy alone.
    stayed : ndarray (C, A)
        Choices that are the same in both, by weight, over all replications.
    switched, squared_switched : ndarray (C, A, A)
        Choices of the first in the baseline and of the second under the policy, by w and by w^2, over all
        replications; the diagonal is 0.
    rise, fall : ndarray (C, A)
        Sums of w^2 max(p' - p, 0) and of w^2 max(p - p', 0).
    squared_change, cross : ndarray (C, A)
        Sums of w^2 (p' - p)^2 and of w^2 (p' - p) p'.
    before_variance, after_variance : ndarray (C, A)
        Sums of w^2 p (1 - p) and of w^2 p' (1 - p').
    value_by_shift, money_by_shift : ndarray (C, S)
        Sums of the change in inclusive value and in money, by weight, by each shift of the integration points alone,
        over the rows that choose for themselves in both.
    """

    rows: IntArray
    weight: FloatArray
    squared_weight: FloatArray
    stranded: IntArray
    joined: IntArray
    stayed: FloatArray
    switched: FloatArray
    squared_switched: FloatArray
    rise: FloatArray
    fall: FloatArray
    squared_change: FloatArray
    cross: FloatArray
    before_variance: FloatArray
    after_variance: FloatArray
    value_by_shift: FloatArray
    money_by_shift: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PairedTally:
    """Tallies of the baseline, first, and of every policy, and of every pair of the baseline and a policy."""

    cases: tuple[CaseTally, ...]
    pairs: tuple[PairTally, ...]

    def merge(self, other: Self) -> Self:
        """Return the tally of these rows and the rows right after them."""
        return type(self)(
            cases=tuple(a.merge(b) for a, b in zip(self.cases, other.cases, strict=True)),
            pairs=tuple(a.merge(b) for a, b in zip(self.pairs, other.pairs, strict=True)),
        )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Moves:
    """Choices in the baseline and under a policy, counted as they are drawn.

    Attributes
    ----------
    groups : GroupedRows
        Of all rows of a block.
    weight : ndarray (n,)
        0 for rows that do not choose in both.
    stayed : ndarray (C, A)
    switched, squared_switched : ndarray (C, A, A)
        As in `PairTally`; they grow.
    """

    groups: GroupedRows
    weight: FloatArray
    stayed: FloatArray
    switched: FloatArray
    squared_switched: FloatArray

    @classmethod
    def between(cls, before: CaseRows, after: CaseRows, groups: GroupedRows, weights: FloatArray) -> Self:
        """Begin counting for some rows, with weights (n,)."""
        n_alternatives = before.utility.shape[1]
        return cls(
            groups=groups,
            weight=np.where(before.chooses & after.chooses, weights, 0.0),
            stayed=np.zeros((groups.n_groups, n_alternatives)),
            switched=np.zeros((groups.n_groups, n_alternatives, n_alternatives)),
            squared_switched=np.zeros((groups.n_groups, n_alternatives, n_alternatives)),
        )

    def add(self, first: IntArray, second: IntArray) -> None:
        """Count positions chosen before and after (r, n); those of rows that do not choose in both do not matter."""
        n_alternatives = self.stayed.shape[1]
        moved = (self.weight > 0) & (first != second)
        same = np.where(moved, 0.0, self.weight)
        np.add(self.stayed, self.groups.choices(first, n_alternatives, same).sum(axis=0), out=self.stayed)
        _, rows = places = np.nonzero(moved)
        cells = first[places] * n_alternatives + second[places]
        _add_cells(self.switched, self.groups, rows, cells, self.weight[rows])
        _add_cells(self.squared_switched, self.groups, rows, cells, self.weight[rows] ** 2)


def tally_case(case: CaseRows, counts: Sequence[FloatArray], groups: GroupedRows, weights: FloatArray) -> CaseTally:
    """Sum up a case over the rows of a block.

    Parameters
    ----------
    case : CaseRows
    counts : sequence of ndarray (r, C, A)
        Choices by weight, some replications at a time.
    groups : GroupedRows
        Of all rows of the block.
    weights : ndarray (n,)
    """
    weight = np.where(case.chooses, weights, 0.0)
    p = case.probabilities
    return CaseTally(
        rows=groups.counts(case.chooses),
        weight=groups.sums(weight),
        probability=groups.sums(weight[:, None] * p),
        variance=groups.sums(weight[:, None] ** 2 * (p * (1 - p))),
        count=np.concatenate(counts),
        probability_by_shift=groups.sums_by_shift(weight[:, None] * case.probabilities_by_shift),
    )


def tally_pair(
    before: CaseRows,
    after: CaseRows,
    moves: Moves,
    groups: GroupedRows,
    weights: FloatArray,
    money_by_shift: FloatArray | None = None,
) -> PairTally:
    """Sum up the baseline and a policy over the rows of a block.

    Parameters
    ----------
    before, after : CaseRows
        In the baseline and under the policy.
    moves : Moves
        Of all replications.
    groups : GroupedRows
    weights : ndarray (n,)
    money_by_shift : ndarray (S, n), optional
        Change in money by each shift of the integration points alone.
    """
    both = before.chooses & after.chooses
    weight = np.where(both, weights, 0.0)
    squared = (weight**2)[:, None]
    change = after.probabilities - before.probabilities
    compared = np.where(before.outside == after.outside, weight, 0.0)
    worth = after.value_by_shift - before.value_by_shift
    return PairTally(
        rows=groups.counts(both),
        weight=groups.sums(weight),
        squared_weight=groups.sums(squared[:, 0]),
        stranded=groups.counts(before.decides & after.belongs & ~after.decides),
        joined=groups.counts(after.decides & ~before.decides),
        stayed=moves.stayed,
        switched=moves.switched,
        squared_switched=moves.squared_switched,
        rise=groups.sums(squared * np.maximum(change, 0.0)),
        fall=groups.sums(squared * np.maximum(-change, 0.0)),
        squared_change=groups.sums(squared * change**2),
        cross=groups.sums(squared * change * after.probabilities),
        before_variance=groups.sums(squared * (before.probabilities * (1 - before.probabilities))),
        after_variance=groups.sums(squared * (after.probabilities * (1 - after.probabilities))),
        value_by_shift=groups.sums_by_shift(compared * worth),
        money_by_shift=groups.sums_by_shift(compared * (worth[:0] if money_by_shift is None else money_by_shift)),
    )


def _add_cells(total: FloatArray, groups: GroupedRows, rows: IntArray, cells: IntArray, weights: FloatArray) -> None:
    """Add weights of rows to the cells they are in, in every group they belong to: total is (C, A, A)."""
    size = total.shape[1] * total.shape[2]
    for codes in groups.codes:
        added = np.bincount(codes[rows] * size + cells, weights=weights, minlength=total.size)
        total += added.reshape(total.shape)
