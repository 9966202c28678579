"""What rows are expected to choose, and what that is worth to them: means over the types they may be of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.heterogeneity.facing import Facing
from choicekit.choice.heterogeneity.quasi_random import standard_error
from choicekit.choice.heterogeneity.types import AgentType, RowTypes
from choicekit.choice.sampling import Sampler
from choicekit.rules import ChoiceRule

__all__ = ["Chooser", "Expected", "Mean", "expectations", "shift_error"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Chooser:
    """Some rows that choose under a model.

    Attributes
    ----------
    facing : Facing
    rules : tuple of ChoiceRule
        Of each class, with settings by position and for all rows of the population.
    sampler : Sampler, optional
        Which draws choices are made of.
    """

    facing: Facing
    rules: tuple[ChoiceRule, ...]
    sampler: Sampler | None = None

    def rule(self, position: int) -> ChoiceRule:
        """Return the rule of a class as it holds for these rows."""
        return self.rules[position].for_rows(self.facing.rows)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Expected:
    """Expectations of some rows.

    Attributes
    ----------
    probabilities : ndarray (n, A)
    value : ndarray (n,)
        Inclusive value.
    probabilities_by_shift, value_by_shift : ndarray (S, n, A) and (S, n)
        The same by each shift of the integration points alone; S = 0 where there is nothing to integrate.
    """

    probabilities: FloatArray
    value: FloatArray
    probabilities_by_shift: FloatArray
    value_by_shift: FloatArray

    @classmethod
    def of_nobody(cls, types: RowTypes, n_alternatives: int) -> Self:
        """Return the expectations of no rows."""
        n_shifts = types.types.n_shifts
        return cls(
            probabilities=np.zeros((0, n_alternatives)),
            value=np.zeros(0),
            probabilities_by_shift=np.zeros((n_shifts, 0, n_alternatives)),
            value_by_shift=np.zeros((n_shifts, 0)),
        )


class Mean:
    """A mean over types that is added up type by type."""

    def __init__(self, n_shifts: int) -> None:
        self._n_shifts, self._totals = n_shifts, dict[int, FloatArray]()

    def add(self, kind: AgentType, values: FloatArray) -> None:
        """Add the values (n,) or (n, A) of a type, which are not needed any more."""
        weight = kind.weight if np.ndim(kind.weight) == 0 or values.ndim == 1 else np.asarray(kind.weight)[:, None]
        if kind.shift in self._totals:
            self._totals[kind.shift] += weight * values
        else:
            self._totals[kind.shift] = weight * values

    @property
    def total(self) -> FloatArray:
        """The mean over all shifts."""
        first, *others = self._totals.values()
        return np.asarray(sum(others, first) / len(self._totals))

    @property
    def by_shift(self) -> FloatArray:
        """The mean of each shift, along a new first axis; of length 0 where there is nothing to integrate."""
        first = self._totals[0]
        return np.stack(list(self._totals.values())) if self._n_shifts else np.zeros((0, *first.shape))


def expectations(
    types: RowTypes,
    choosers: Sequence[Chooser],
    *,
    shifts: int | None = None,
    visit: Callable[[AgentType, list[FloatArray]], None] | None = None,
) -> list[Expected]:
    """Return what rows are expected to choose in several cases, at the same types.

    Parameters
    ----------
    types : RowTypes
    choosers : sequence of Chooser
        The same rows in every case.
    shifts : int, optional
        How many of the shifts of the integration points to use; by default all.
    visit : callable, optional
        Told every type and the inclusive values (n,) of all cases at it.

    Returns
    -------
    list of Expected

    Notes
    -----
    Probabilities are sum of weight times probabilities, and so is the value. One type is not averaged, so that its
    numbers are those of the rule to the last bit.
    """
    if types.types.lone:
        return [_of_one_type(types, chooser) for chooser in choosers]
    n_shifts = types.types.n_shifts
    sums = [(Mean(n_shifts), Mean(n_shifts)) for _ in choosers]
    for kind in types.each(shifts):
        values: list[FloatArray] = []
        for chooser, (probability, worth) in zip(choosers, sums, strict=True):
            rule, utility = chooser.rule(kind.position), chooser.facing.at(kind.coefficients)
            likely, value = rule.probabilities(utility), np.asarray(rule.value(utility))
            values.append(value)
            probability.add(kind, likely)
            worth.add(kind, value)
        if visit is not None:
            visit(kind, values)
    return [
        Expected(
            probabilities=probability.total,
            value=worth.total,
            probabilities_by_shift=probability.by_shift,
            value_by_shift=worth.by_shift,
        )
        for probability, worth in sums
    ]


def _of_one_type(types: RowTypes, chooser: Chooser) -> Expected:
    rule, utility = chooser.rule(0), chooser.facing.at(types.types.model.kinds[0].fixed)
    return Expected(
        probabilities=rule.probabilities(utility),
        value=np.asarray(rule.value(utility)),
        probabilities_by_shift=np.zeros((0, *utility.shape)),
        value_by_shift=np.zeros((0, len(utility))),
    )


def shift_error(by_shift: FloatArray) -> FloatArray:
    """Return the integration standard error of totals or means, by group.

    Parameters
    ----------
    by_shift : ndarray (C, S, ...)
        By each of S shifts of the integration points alone; S = 0 where nothing is integrated.

    Returns
    -------
    ndarray (C, ...)
        0 where nothing is integrated.

    Examples
    --------
    >>> shift_error(np.array([[1.0, 2.0, 3.0, 2.0]])).round(4), shift_error(np.zeros((1, 0)))
    (array([0.4082]), array([0.]))
    """
    shifts_first = np.moveaxis(by_shift, 1, 0)
    return np.asarray(standard_error(shifts_first)) if len(shifts_first) else np.zeros(shifts_first.shape[1:])
