"""The family of assignments that is fitted: utilities linear in coefficients, under conditions on either side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Fixed, Free, MarginalCondition, WithOutsideOption
from choicekit.assignment.inverse.observations import Observations
from choicekit.assignment.problem import AssignmentProblem, Reference

__all__ = ["MatchingModel"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class MatchingModel:
    """Assignments at temperature 1 with utilities sum_k coefficient_k basis_k.

    Attributes
    ----------
    basis : ndarray (K, n, m)
    names : tuple of str
        Of the coefficients.
    rows, columns : MarginalCondition or None
        None for masses that are the observed sums.
    availability : ndarray (n, m) of bool, optional
        False where a pair is forbidden.
    reference : {"counting", "product"}
    row_names, column_names : tuple of str, optional
    """

    basis: FloatArray = field(repr=False)
    names: tuple[str, ...]
    rows: MarginalCondition | None = None
    columns: MarginalCondition | None = None
    availability: BoolArray | None = field(default=None, repr=False)
    reference: Reference = "counting"
    row_names: tuple[str, ...] | None = field(default=None, repr=False)
    column_names: tuple[str, ...] | None = field(default=None, repr=False)

    @property
    def with_observed_masses(self) -> bool:
        """Whether the masses of both sides are the observed sums."""
        return self.rows is None and self.columns is None

    @property
    def row_mass_is_sampled(self) -> bool:
        """Whether other observations would come with other masses of rows."""
        return self.rows is None or isinstance(self.rows, WithOutsideOption)

    @property
    def column_mass_is_sampled(self) -> bool:
        """Whether other observations would come with other masses of columns."""
        return self.columns is None or isinstance(self.columns, WithOutsideOption)

    @property
    def total_is_given(self) -> bool:
        """Whether all matches weigh the same, however many were observed."""
        both_free = isinstance(self.rows, Free) and isinstance(self.columns, Free)
        return isinstance(self.rows, Fixed) or isinstance(self.columns, Fixed) or both_free

    @property
    def has_singles(self) -> bool:
        """Whether singles are observed with the matches."""
        return isinstance(self.rows, WithOutsideOption) or isinstance(self.columns, WithOutsideOption)

    def utility(self, coefficients: FloatArray) -> FloatArray:
        """Return the utilities at some coefficients, (n, m)."""
        utility = np.tensordot(coefficients, self.basis, axes=1)
        return utility if self.availability is None else np.where(self.availability, utility, -np.inf)

    def problem(self, observations: Observations, coefficients: FloatArray) -> AssignmentProblem:
        """Return the assignment at some coefficients, with masses that go with the observations."""
        pairs = observations.pairs
        both_free = isinstance(self.rows, Free) and isinstance(self.columns, Free)
        return AssignmentProblem(
            utility=self.utility(coefficients),
            rows=_condition(self.rows, pairs.sum(axis=1), observations.row_singles),
            columns=_condition(self.columns, pairs.sum(axis=0), observations.column_singles),
            temperature=1.0,
            reference=self.reference,
            total_mass=float(pairs.sum()) if both_free else None,
            row_names=self.row_names,
            column_names=self.column_names,
        )

    def of_rows(self, places: npt.NDArray[np.intp]) -> MatchingModel:
        """Return the model of some of the rows, any of them several times; fixed masses keep their total."""
        rows = self.rows
        if rows is not None:
            rows = rows.restricted(places)
        if isinstance(self.rows, Fixed) and isinstance(rows, Fixed):
            rows = Fixed(rows.mass * (self.rows.mass.sum() / rows.mass.sum()))
        return replace(
            self,
            basis=self.basis[:, places],
            rows=rows,
            availability=None if self.availability is None else self.availability[places],
            row_names=None if self.row_names is None else tuple(self.row_names[place] for place in places),
        )


def _condition(given: MarginalCondition | None, sums: FloatArray, singles: FloatArray) -> MarginalCondition:
    if given is None:
        return Fixed(sums)
    return WithOutsideOption(sums + singles) if isinstance(given, WithOutsideOption) else given
