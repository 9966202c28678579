"""What a block of choices leaves behind: counts and sums, by group and alternative."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
import numpy.typing as npt

__all__ = ["ChoiceTally", "GroupedRows", "replication_chunks", "tally_block"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_REPLICATIONS_AT_ONCE = 32  # even, so that both draws of a pair are used


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChoiceTally:
    """Counts and sums over rows, mergeable in block order.

    Shapes: C groups (group 0 is everybody), J alternatives, R replications.

    Attributes
    ----------
    rows, idle : ndarray (C,) of int64
        Rows that choose, the outside option included; rows with nothing available.
    weight, squared_weight : ndarray (C,)
        Sums of weights and of squared weights over rows that choose.
    available : ndarray (C, J) of int64
        Rows to which an alternative is available.
    probability, weighted_probability : ndarray (C, J)
        Sums of p and of w p.
    variance, weighted_variance : ndarray (C, J)
        Sums of p (1 - p) and of w^2 p (1 - p): the variance of one replication's count.
    value, weighted_value : ndarray (C,)
        Sums of the inclusive value v and of w v.
    count : ndarray (R, C, J) of int64
        Simulated choices.
    weighted_count : ndarray (R, C, J)
        The same, by weight.
    observed, weighted_observed : ndarray (C, J)
        Choices the data report, and the same by weight.
    largest_gap : ndarray ()
        Largest distance of a row's probabilities from summing to one.
    probability_by_shift, weighted_probability_by_shift : ndarray (C, S, J)
        Sums of p and of w p by each shift of the integration points alone; S = 0 without random coefficients.
    value_by_shift, weighted_value_by_shift : ndarray (C, S)
        The same of v and of w v.
    """

    rows: IntArray
    idle: IntArray
    weight: FloatArray
    squared_weight: FloatArray
    available: IntArray
    probability: FloatArray
    weighted_probability: FloatArray
    variance: FloatArray
    weighted_variance: FloatArray
    value: FloatArray
    weighted_value: FloatArray
    count: IntArray
    weighted_count: FloatArray
    observed: IntArray
    weighted_observed: FloatArray
    largest_gap: FloatArray
    probability_by_shift: FloatArray
    weighted_probability_by_shift: FloatArray
    value_by_shift: FloatArray
    weighted_value_by_shift: FloatArray

    def __repr__(self) -> str:
        n_replications, n_groups, n_alternatives = self.count.shape
        return (
            f"ChoiceTally({self.rows[0]} rows that choose, {n_groups} groups, {n_alternatives} alternatives, "
            f"{n_replications} replications)"
        )

    def merge(self, other: Self) -> Self:
        """Return the tally of these rows and the rows right after them."""
        merged = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(self)
            if field.name != "largest_gap"
        }
        return type(self)(**merged, largest_gap=np.maximum(self.largest_gap, other.largest_gap))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class GroupedRows:
    """Rows of a block that choose, and the groups each belongs to.

    Attributes
    ----------
    codes : tuple of ndarray (n,)
        For every segmentation the group of each row, counted over all segmentations.
    n_groups : int
        Number of groups C in all.
    """

    codes: tuple[IntArray, ...]
    n_groups: int

    def __repr__(self) -> str:
        return f"GroupedRows({self.codes[0].size} rows, {self.n_groups} groups)"

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum values (n,) or (n, J) by group, giving (C,) or (C, J)."""
        table = values.reshape(len(values), int(np.prod(values.shape[1:])))
        totals = np.zeros((self.n_groups, table.shape[1]))
        for codes in self.codes:
            for column in range(table.shape[1]):
                totals[:, column] += np.bincount(codes, weights=table[:, column], minlength=self.n_groups)
        return totals.reshape(self.n_groups, *values.shape[1:])

    def sums_by_shift(self, values: FloatArray) -> FloatArray:
        """Sum values (S, n) or (S, n, J) by group, giving (C, S) or (C, S, J)."""
        totals = np.zeros((self.n_groups, len(values), *values.shape[2:]))
        for shift, table in enumerate(values):
            totals[:, shift] = self.sums(table)
        return totals

    def counts(self, truth: npt.NDArray[np.bool_]) -> IntArray:
        """Count True in (n,) or (n, J) by group: exact, since sums of 0 and 1 are."""
        return self.sums(truth.astype(np.float64)).astype(np.int64)

    def choices(self, chosen: IntArray, n_alternatives: int, weights: FloatArray | None = None) -> FloatArray:
        """Count chosen positions (R, n) by replication, group and alternative, giving (R, C, J)."""
        size = self.n_groups * n_alternatives
        offsets = np.arange(len(chosen))[:, None] * size
        spread = None if weights is None else np.broadcast_to(weights, chosen.shape).ravel()
        totals = np.zeros(len(chosen) * size)
        for codes in self.codes:
            cells = offsets + codes * n_alternatives + chosen
            totals += np.bincount(cells.ravel(), weights=spread, minlength=totals.size)
        return totals.reshape(len(chosen), self.n_groups, n_alternatives)


def replication_chunks(replications: int, most: int = _REPLICATIONS_AT_ONCE) -> list[range]:
    """Cut replications into runs of at most 32, or of `most` if that is less: they fit in memory beside a block.

    Examples
    --------
    >>> replication_chunks(40)
    [range(0, 32), range(32, 40)]
    """
    length = min(most, _REPLICATIONS_AT_ONCE)
    starts = range(0, replications, length)
    return [range(start, min(start + length, replications)) for start in starts]


def tally_block(
    *,
    groups: GroupedRows,
    idle: IntArray,
    probabilities: FloatArray,
    value: FloatArray,
    available: npt.NDArray[np.bool_],
    weights: FloatArray,
    observed: IntArray | None,
    simulated: list[tuple[FloatArray, FloatArray]],
    by_shift: tuple[FloatArray, FloatArray] | None = None,
) -> ChoiceTally:
    """Sum up the rows of a block that choose.

    Parameters
    ----------
    groups : GroupedRows
        Of the n rows that choose.
    idle : ndarray (C,)
        Rows left out because nothing was available.
    probabilities, available : ndarray (n, J)
    value, weights : ndarray (n,)
    observed : ndarray (n,), optional
        Positions the data report as chosen, -1 where they report none.
    simulated : list of (counts, weighted counts)
        Each (r, C, J), in the order of the replications.
    by_shift : (ndarray (S, n, J), ndarray (S, n)), optional
        Probabilities and values by each shift of the integration points, where there are any.

    Returns
    -------
    ChoiceTally
    """
    weight = weights[:, None]
    likely, worth = by_shift or (np.zeros((0, *probabilities.shape)), np.zeros((0, len(value))))
    spread = probabilities * (1 - probabilities)
    n_alternatives = probabilities.shape[1]
    if observed is None:
        observed = np.full(len(weights), -1, dtype=np.int64)
    seen = observed[:, None] == np.arange(n_alternatives)
    gap = np.abs(probabilities.sum(axis=1) - 1).max(initial=0.0)
    return ChoiceTally(
        rows=groups.counts(np.ones(len(weights), dtype=bool)),
        idle=idle,
        weight=groups.sums(weights),
        squared_weight=groups.sums(weights**2),
        available=groups.counts(available),
        probability=groups.sums(probabilities),
        weighted_probability=groups.sums(weight * probabilities),
        variance=groups.sums(spread),
        weighted_variance=groups.sums(weight**2 * spread),
        value=groups.sums(value),
        weighted_value=groups.sums(weights * value),
        count=np.concatenate([counts for counts, _ in simulated]).astype(np.int64),
        weighted_count=np.concatenate([weighted for _, weighted in simulated]),
        observed=groups.counts(seen),
        weighted_observed=groups.sums(weight * seen),
        largest_gap=np.asarray(gap),
        probability_by_shift=groups.sums_by_shift(likely),
        weighted_probability_by_shift=groups.sums_by_shift(weight * likely),
        value_by_shift=groups.sums_by_shift(worth),
        weighted_value_by_shift=groups.sums_by_shift(weights * worth),
    )
