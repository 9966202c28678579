"""Changes in welfare: who gains, who loses, and how much, from the change of every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["WelfareChange", "weighted_quantiles"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

ROUNDING = 64 * float(np.finfo(np.float64).eps)
"""A change of this size, relative to the utilities it is the difference of, is rounding and counts as none."""

_TIE = 1e-12  # relative rounding of a sum of weights


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class WelfareChange:
    """The change in welfare of every row, and what it comes to by group.

    Attributes
    ----------
    by_row : ndarray (N,)
        Change of each row, nan for rows that do not choose, for themselves, both in the baseline and under the policy.
    rounding : ndarray (N,)
        Changes up to this size are rounding, and count as none.
    weights : ndarray (N,)
    groups : tuple of ndarray of int64
        Rows of each of C groups, everybody first.
    total_error : ndarray (C,), optional
        Integration standard error of `total`, where there are random coefficients.

    Notes
    -----
    The change of a row is that of its inclusive value, the expected maximum of what it could choose but for a constant
    of the rule: consumer surplus in units of utility. Divided by the marginal utility of money it is the compensating
    variation, the sum that would make up for the change, where utility is linear in money. Neither is meant for a
    policy that changes the rule or its temperature, nor money for one that changes what money is worth: the comparison
    warns of both.

    References
    ----------
    Small & Rosen (1981), "Applied welfare economics with discrete choice models", Econometrica 49, section 5.

    Examples
    --------
    >>> change = WelfareChange(by_row=np.array([2.0, -1.0, 0.0]), rounding=np.zeros(3), weights=np.ones(3),
    ...     groups=(np.arange(3),))
    >>> change.mean.round(3).tolist(), change.gain.round(3).tolist()
    ([0.333], [0.333])
    """

    by_row: FloatArray
    rounding: FloatArray
    weights: FloatArray
    groups: tuple[IntArray, ...]
    total_error: FloatArray | None = None

    def __repr__(self) -> str:
        return f"WelfareChange(mean {self.mean[0]:.6g}, {self.by_row.size} rows, {len(self.groups)} groups)"

    @cached_property
    def total(self) -> FloatArray:
        """Sum over the rows of a group, by weight (C,)."""
        return self._sums(np.nan_to_num(self.by_row))

    @cached_property
    def mean(self) -> FloatArray:
        """Mean over the rows of a group, by weight (C,); nan for an empty group."""
        return _ratio(self.total, self._weight)

    @property
    def integration_error(self) -> FloatArray:
        """Integration standard error of the mean (C,): 0 but for random coefficients."""
        return _ratio(np.zeros(len(self.groups)) if self.total_error is None else self.total_error, self._weight)

    @cached_property
    def median(self) -> FloatArray:
        """Median over the rows of a group, by weight (C,)."""
        return self.quantiles([0.5])[:, 0]

    @cached_property
    def least(self) -> FloatArray:
        """Smallest change in a group (C,): the largest loss, if there is one."""
        return self.quantiles([0.0])[:, 0]

    @cached_property
    def most(self) -> FloatArray:
        """Largest change in a group (C,)."""
        return self.quantiles([1.0])[:, 0]

    @cached_property
    def gain(self) -> FloatArray:
        """Share of the rows of a group, by weight, that are better off (C,)."""
        return _ratio(self._sums(self._better), self._weight)

    @cached_property
    def lose(self) -> FloatArray:
        """Share of the rows of a group, by weight, that are worse off (C,)."""
        return _ratio(self._sums(self._worse), self._weight)

    @property
    def unchanged(self) -> FloatArray:
        """Share of the rows of a group, by weight, to whom nothing changes (C,)."""
        return _ratio(self._sums(self._known & ~self._better & ~self._worse), self._weight)

    @cached_property
    def mean_gain(self) -> FloatArray:
        """Mean change of those who are better off (C,); nan where nobody is."""
        return _ratio(self._sums(np.where(self._better, self.by_row, 0.0)), self._sums(self._better))

    @cached_property
    def mean_loss(self) -> FloatArray:
        """Mean change of those who are worse off (C,), below zero; nan where nobody is."""
        return _ratio(self._sums(np.where(self._worse, self.by_row, 0.0)), self._sums(self._worse))

    def quantiles(self, levels: Sequence[float]) -> FloatArray:
        """Return quantiles by weight in every group, shape (C, Q); nan for an empty group.

        Parameters
        ----------
        levels : sequence of float
            Between 0 and 1.
        """
        found = np.full((len(self.groups), len(levels)), np.nan)
        for place, rows in enumerate(self.groups):
            at = rows[self._known[rows] & (self.weights[rows] > 0)]
            if at.size:
                found[place] = weighted_quantiles(self.by_row[at], self.weights[at], levels)
        return found

    def histogram(self, edges: Sequence[float] | FloatArray) -> FloatArray:
        """Return the share of the rows of each group, by weight, between successive edges: (C, len(edges) - 1)."""
        shares = np.full((len(self.groups), len(edges) - 1), np.nan)
        for place, rows in enumerate(self.groups):
            at = rows[self._known[rows]]
            counts, _ = np.histogram(self.by_row[at], bins=np.asarray(edges), weights=self.weights[at])
            total = self.weights[at].sum()
            if total > 0:
                shares[place] = counts / total
        return shares

    @cached_property
    def _known(self) -> BoolArray:
        return ~np.isnan(self.by_row)

    @cached_property
    def _better(self) -> BoolArray:
        return np.asarray(np.nan_to_num(self.by_row) > self.rounding)

    @cached_property
    def _worse(self) -> BoolArray:
        return np.asarray(np.nan_to_num(self.by_row) < -self.rounding)

    @cached_property
    def _weight(self) -> FloatArray:
        return self._sums(self._known)

    def _sums(self, values: npt.NDArray[np.generic]) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):  # utilities near the largest float sum to infinity
            table = self.weights * np.asarray(values, dtype=np.float64)
            return np.array([table[rows].sum() for rows in self.groups])


def weighted_quantiles(values: FloatArray, weights: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Return quantiles of values that count by weight.

    Parameters
    ----------
    values, weights : ndarray (n,)
        At least one; weights above 0.
    levels : sequence of float (Q,)
        Between 0 and 1.

    Returns
    -------
    ndarray (Q,)

    Notes
    -----
    The quantile of level q is the smallest value at or below which a part q of the weight lies; where exactly that
    part does, the mean of this value and the next: a whole weight is as many rows, and the scale of weights does not
    matter. Without weights it is `numpy.quantile` by the method ``averaged_inverted_cdf``, and the median the usual.

    References
    ----------
    Hyndman & Fan (1996), "Sample quantiles in statistical packages", The American Statistician 50, definition 2.

    Examples
    --------
    >>> weighted_quantiles(np.array([0.0, 1.0, 2.0]), np.array([1.0, 1.0, 98.0]), [0.5, 0.01])
    array([2. , 0.5])
    """
    order = np.argsort(values, kind="stable")
    ordered, reached = values[order], np.cumsum(weights[order])
    wanted = np.asarray(levels, dtype=np.float64) * reached[-1]
    first = np.minimum(np.searchsorted(reached, wanted * (1 - _TIE)), ordered.size - 1)
    exactly = (np.abs(reached[first] - wanted) <= _TIE * reached[-1]) & (wanted > 0)
    second = np.where(exactly, np.minimum(first + 1, ordered.size - 1), first)
    return np.asarray(ordered[first] / 2 + ordered[second] / 2)


def _ratio(totals: FloatArray, sizes: FloatArray) -> FloatArray:
    return np.asarray(np.divide(totals, sizes, out=np.full(totals.shape, np.nan), where=sizes > 0))
