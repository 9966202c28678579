"""What is to be assigned: utilities of pairs, what is asked of either side, and how soft the assignment is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import (
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    is_finite_number,
)
from choicekit.errors import InfeasibleMassError, InvalidInputError, ShapeError
from choicekit.rules import RegularisedRule, Softmax, Sparsemax
from choicekit.rules.utilities import as_floats

__all__ = ["AssignmentProblem", "Reference", "check_equal_totals"]

FloatArray = npt.NDArray[np.float64]
Reference = Literal["counting", "product"]

_ROUNDING = 1e-9  # totals that differ by less, relatively, differ by how they were written down


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentProblem:
    """Maximise <P, U> + T H(P) over couplings P, under a condition on the sums of either side.

    Attributes
    ----------
    utility : ndarray (n, m)
        U of each pair; minus infinity forbids it.
    rows, columns : MarginalCondition
        `Fixed`, `AtMost`, `Relaxed`, `Free` or `WithOutsideOption`; an array of masses means `Fixed`.
    temperature : float
        T >= 0 in units of utility; at T = 0 the best assignment there is.
    rule : RegularisedRule, optional
        Which regulariser H is minus of: `Softmax` (default; Shannon's) or `Sparsemax` (half the squared norm). Its own
        temperature must be left at 1.
    reference : {"counting", "product"}
        What entropy is relative to: nothing, or the product of the masses of both sides.
    total_mass : float, optional
        Of the coupling, where both sides are free; default 1.
    scale_masses : bool
        Whether two fixed sides of unequal totals are scaled to that of the rows instead of being refused.
    row_names, column_names : tuple of str, optional
        For messages.

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError
        For what cannot be solved; the message says where and what to do.
    """

    utility: FloatArray
    rows: MarginalCondition
    columns: MarginalCondition
    temperature: float
    rule: RegularisedRule | None = None
    reference: Reference = "counting"
    total_mass: float | None = None
    scale_masses: bool = False
    row_names: tuple[str, ...] | None = field(default=None, repr=False)
    column_names: tuple[str, ...] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        utility = _check_utility(self.utility, self.row_names, self.column_names)
        temperature = _check_temperature(self.temperature)
        rows, columns = _condition(self.rows), _condition(self.columns)
        for condition, size, side in ((rows, utility.shape[0], "rows"), (columns, utility.shape[1], "columns")):
            if condition.mass is not None and condition.mass.size != size:
                raise ShapeError(
                    f"the {side} of utility and their masses must be as many, "
                    f"found {size} {side} and {condition.mass.size} masses"
                )
        both = isinstance(rows, WithOutsideOption) and isinstance(columns, WithOutsideOption)
        rows, columns = _weighed(rows, both), _weighed(columns, both)
        rows, columns = _with_equal_totals(rows, columns, self.scale_masses)
        _check_totals(rows, columns)
        _check_kind(rows, columns, temperature, self.reference, self.rule, self.total_mass)
        values = {"utility": utility, "temperature": temperature, "rows": rows, "columns": columns}
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if isinstance(rows, Free) and isinstance(columns, Free):
            total = 1.0 if self.total_mass is None else float(self.total_mass)
            object.__setattr__(self, "total_mass", total)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return self.utility.shape[0], self.utility.shape[1]

    @property
    def sparse(self) -> bool:
        """Whether the regulariser is half the squared norm, so that a coupling may leave cells empty."""
        return isinstance(self.rule, Sparsemax)

    def row_name(self, place: int) -> str:
        """Return a row's name, or its place."""
        return f"'{self.row_names[place]}'" if self.row_names is not None else str(place)

    def column_name(self, place: int) -> str:
        """Return a column's name, or its place."""
        return f"'{self.column_names[place]}'" if self.column_names is not None else str(place)

    def log_references(self) -> tuple[FloatArray, FloatArray]:
        """Return the logarithms of what entropy is relative to, by row and by column: 0 for counting."""
        if self.reference == "counting" or self.rows.mass is None or self.columns.mass is None:
            return np.zeros(self.shape[0]), np.zeros(self.shape[1])
        with np.errstate(divide="ignore"):
            return np.log(self.rows.mass), np.log(self.columns.mass)


def _check_utility(
    utility: npt.ArrayLike, row_names: tuple[str, ...] | None, column_names: tuple[str, ...] | None
) -> FloatArray:
    found = np.ascontiguousarray(as_floats(utility))
    if found.ndim != 2 or 0 in found.shape:
        raise ShapeError(f"utility must have a row and a column for each place, (n, m), found shape {found.shape}")
    for names, size, side in ((row_names, found.shape[0], "row"), (column_names, found.shape[1], "column")):
        if names is not None and len(names) != size:
            raise ShapeError(f"{side}_names must have one name a {side}, found {len(names)} names and {size} {side}s")
    if not np.max(found) < np.inf:
        row, column = (int(place[0]) for place in np.nonzero(~(found < np.inf)))
        raise InvalidInputError(
            f"utility must be finite, or minus infinity where a pair is forbidden, "
            f"found {found[row, column]} in row {row}, column {column}"
        )
    found = found.view()  # not copied: it may be large
    found.setflags(write=False)
    return found


def _check_temperature(temperature: float) -> float:
    if not (is_finite_number(temperature) and temperature >= 0):
        raise InvalidInputError(f"temperature must be one finite number of at least 0, found {temperature!r}")
    return float(temperature)


def _condition(given: MarginalCondition | npt.ArrayLike) -> MarginalCondition:
    if isinstance(given, type):
        raise InvalidInputError(f"a condition must be made first: {given.__name__}(...), found the class")
    return given if isinstance(given, MarginalCondition) else Fixed(as_floats(given, "the mass of Fixed"))


def _weighed(condition: MarginalCondition, both: bool) -> MarginalCondition:
    if isinstance(condition, WithOutsideOption):
        return replace(condition, entropy_weight=0.5 if both else 1.0)
    return condition


def _with_equal_totals(
    rows: MarginalCondition, columns: MarginalCondition, scale: bool
) -> tuple[MarginalCondition, MarginalCondition]:
    if not (isinstance(rows, Fixed) and isinstance(columns, Fixed)):
        return rows, columns
    total, other = float(rows.mass.sum()), float(columns.mass.sum())
    if total > 0 and other > 0 and (scale or abs(total - other) <= _ROUNDING * total):
        return rows, columns if total == other else Fixed(columns.mass * (total / other))
    return rows, columns


def check_equal_totals(rows: MarginalCondition, columns: MarginalCondition, way_out: str) -> None:
    """Refuse two fixed sides of different total mass.

    Raises
    ------
    InfeasibleMassError
    """
    if not (isinstance(rows, Fixed) and isinstance(columns, Fixed)):
        return
    total, other = float(rows.mass.sum()), float(columns.mass.sum())
    if abs(total - other) > _ROUNDING * total:
        raise InfeasibleMassError(
            f"two fixed sides must have the same total mass, found {total:.12g} in rows and {other:.12g} in columns: "
            + way_out
        )


def _check_totals(rows: MarginalCondition, columns: MarginalCondition) -> None:
    for condition, side in ((rows, "rows"), (columns, "columns")):
        if condition.mass is not None and not condition.mass.sum() > 0:
            raise InfeasibleMassError(
                f"some of the {side} must have mass above 0, found 0 at all {condition.mass.size}"
            )
    if rows.mass is None or columns.mass is None:
        return
    check_equal_totals(rows, columns, "let the larger side be AtMost, or one of them Relaxed, or set scale_masses=True")
    for demand, side, capacity, other_side in (
        (rows, "rows", columns, "columns"),
        (columns, "columns", rows, "rows"),
    ):
        if isinstance(demand, Fixed) and isinstance(capacity, AtMost | WithOutsideOption):
            wanted, room = float(demand.mass.sum()), float(np.sum(capacity.mass))
            if wanted > room * (1.0 + _ROUNDING):
                raise InfeasibleMassError(
                    f"the {other_side} must have room for the fixed mass of the {side}, "
                    f"found {room:.12g} for {wanted:.12g}, {wanted - room:.12g} short: add capacity, or let the {side} "
                    "be AtMost, Relaxed or WithOutsideOption"
                )


def _check_kind(
    rows: MarginalCondition,
    columns: MarginalCondition,
    temperature: float,
    reference: str,
    rule: RegularisedRule | None,
    total_mass: float | None,
) -> None:
    both_free = isinstance(rows, Free) and isinstance(columns, Free)
    if reference not in ("counting", "product"):
        raise InvalidInputError(f"reference must be 'counting' or 'product', found {reference!r}")
    if reference == "product" and (isinstance(rows, Free) or isinstance(columns, Free)):
        raise InvalidInputError("the product reference needs masses on both sides, found Free: use 'counting'")
    if temperature == 0 and (isinstance(rows, Relaxed) or isinstance(columns, Relaxed)):
        raise InvalidInputError(
            "Relaxed has no exact answer at temperature 0: use a small temperature, or Fixed, AtMost or "
            "WithOutsideOption"
        )
    if rule is not None and not isinstance(rule, Softmax | Sparsemax):
        raise InvalidInputError(
            f"an assignment's rule must be Softmax() or Sparsemax(), found {type(rule).__name__}: others have no solver"
        )
    if rule is not None and not np.array_equal(rule.temperature, 1.0):
        raise InvalidInputError("an assignment has one temperature, its own: leave that of the rule at 1")
    if isinstance(rule, Sparsemax):
        _check_sparse(rows, columns, reference)
    if total_mass is None:
        return
    if not both_free:
        raise InvalidInputError("total_mass is for two Free sides; elsewhere the masses of the sides say it")
    if not (is_finite_number(total_mass) and total_mass > 0):
        raise InvalidInputError(f"total_mass must be a finite number above 0, found {total_mass!r}")


def _check_sparse(rows: MarginalCondition, columns: MarginalCondition, reference: str) -> None:
    for condition in (rows, columns):
        if not isinstance(condition, Fixed | AtMost | Free):
            raise InvalidInputError(
                f"the sparse rule serves Fixed, AtMost and Free sides, found {type(condition).__name__}: use Softmax()"
            )
    if reference == "product":
        raise InvalidInputError(
            "the sparse rule has no reference, found 'product': use 'counting', or the rule Softmax()"
        )
