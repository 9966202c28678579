"""A policy: something that is changed about an assignment, to be compared with the baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import MarginalCondition
from choicekit.assignment.problem import AssignmentProblem
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats
from choicekit.suggestions import suggest

__all__ = ["AssignmentPolicy", "MassMove", "NewPlace", "ScaledMass", "UtilityShift"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class UtilityShift:
    """A subsidy, or where it is negative a tax: what is added to utilities.

    Parameters
    ----------
    amount : float
        In units of utility; minus infinity forbids the pairs it is for. Pairs forbidden already stay so.
    row, column : str, optional
        Whose pairs: both for one pair, one of them for all pairs of a place, none for all pairs.

    Raises
    ------
    InvalidInputError
        For an amount that is no number, or plus infinity.

    Examples
    --------
    >>> UtilityShift(amount=0.5, column="scone").row is None
    True
    """

    amount: float
    row: str | None = None
    column: str | None = None

    def __post_init__(self) -> None:
        amount = _number("the amount of a utility shift", self.amount)
        if not amount < np.inf:
            raise InvalidInputError(
                f"the amount of a utility shift must be finite, or minus infinity to forbid pairs, found {amount}"
            )
        object.__setattr__(self, "amount", amount)


@dataclass(frozen=True, kw_only=True)
class MassMove:
    """Mass that one type loses and another gains.

    Parameters
    ----------
    amount : float
        In units of mass, at least 0.
    source, target : str
        Two places of one side.

    Raises
    ------
    InvalidInputError
        For another amount, or one place twice.

    Examples
    --------
    >>> MassMove(amount=2.0, source="young", target="old").amount
    2.0
    """

    amount: float
    source: str
    target: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", _finite("the mass that moves", self.amount))
        if self.source == self.target:
            raise InvalidInputError(f"mass must move from one place to another, found {self.source!r} as both")


@dataclass(frozen=True, kw_only=True)
class ScaledMass:
    """A mass relative to that of the baseline.

    Parameters
    ----------
    factor : float
        At least 0.

    Examples
    --------
    >>> ScaledMass(factor=1.2).factor
    1.2
    """

    factor: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "factor", _finite("the factor of a mass", self.factor))


@dataclass(frozen=True, kw_only=True, eq=False)
class NewPlace:
    """A row or a column that the baseline does not have.

    Parameters
    ----------
    name : str
        One that its side does not have yet.
    utility : array_like (k,) or mapping of str to float
        With every place of the other side, in their order or by name; minus infinity forbids a pair.
    mass : float, optional
        At least 0; none where the side is `Free`.

    Raises
    ------
    InvalidInputError, ShapeError
        For a mass or utilities of another form.

    Examples
    --------
    >>> NewPlace(name="eclair", utility={"ann": 1.0, "bo": 0.0}, mass=2.0).mass
    2.0
    """

    name: str
    utility: Mapping[str, float] | FloatArray
    mass: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise InvalidInputError(f"the name of a new place must be a text, found {self.name!r}")
        if isinstance(self.utility, Mapping):
            what = f"the utility of {self.name!r} with"
            table = {str(key): _number(f"{what} {key!r}", value) for key, value in self.utility.items()}
            object.__setattr__(self, "utility", MappingProxyType(table))
        else:
            object.__setattr__(self, "utility", _vector(self.name, self.utility))
        if self.mass is not None:
            object.__setattr__(self, "mass", _finite(f"the mass of {self.name!r}", self.mass))


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentPolicy:
    """What is changed against the baseline; everything else stays as it is.

    Parameters
    ----------
    description : str
        What it is, in words.
    utility_shifts : sequence of UtilityShift
        Subsidies and taxes; where several meet at a pair they add up.
    row_mass, column_mass : mapping of str to (float or ScaledMass)
        Masses that change: the new one, or a factor. A place that closes has mass 0.
    move_row_mass, move_column_mass : sequence of MassMove
        Mass moved from one type to another, one after another.
    new_rows, new_columns : sequence of NewPlace
        Places that come in addition.
    temperature : float, optional
        In place of the baseline's.

    Raises
    ------
    InvalidInputError
        For fields of another form.

    Notes
    -----
    New rows come first, then new columns (whose utilities name the new rows as well), then masses are set, then moved,
    then utilities are shifted: so a policy may move mass to a place that it adds, and a shift for all pairs is for
    those of new places, too.

    See Also
    --------
    compare_assignments : compares policies with the baseline.

    Examples
    --------
    >>> problem = AssignmentProblem(utility=np.zeros((1, 2)), rows=[2.0], columns=[1.0, 1.0], temperature=1.0,
    ...                             row_names=("ann",), column_names=("scone", "tart"))
    >>> policy = AssignmentPolicy(move_column_mass=[MassMove(amount=0.25, source="scone", target="tart")])
    >>> policy.apply(problem).columns.mass
    array([0.75, 1.25])
    """

    description: str = ""
    utility_shifts: Sequence[UtilityShift] = ()
    row_mass: Mapping[str, float | ScaledMass] = field(default_factory=dict)
    column_mass: Mapping[str, float | ScaledMass] = field(default_factory=dict)
    move_row_mass: Sequence[MassMove] = ()
    move_column_mass: Sequence[MassMove] = ()
    new_rows: Sequence[NewPlace] = ()
    new_columns: Sequence[NewPlace] = ()
    temperature: float | None = None

    def __post_init__(self) -> None:
        kinds: dict[str, type] = {
            "utility_shifts": UtilityShift,
            "move_row_mass": MassMove,
            "move_column_mass": MassMove,
            "new_rows": NewPlace,
            "new_columns": NewPlace,
        }
        for name, kind in kinds.items():
            object.__setattr__(self, name, _sequence_of(kind, name, getattr(self, name)))
        for name in ("row_mass", "column_mass"):
            object.__setattr__(self, name, _masses(name, getattr(self, name)))
        if self.temperature is not None:
            object.__setattr__(self, "temperature", _finite("the temperature of a policy", self.temperature))

    def apply(self, problem: AssignmentProblem) -> AssignmentProblem:
        """Return the problem as it is under the policy.

        Parameters
        ----------
        problem : AssignmentProblem
            The baseline; with names, unless the policy names no place.

        Raises
        ------
        InvalidInputError, ShapeError, InfeasibleMassError
            For unknown places, with the nearest one there is; for more mass moved than there is; and where the changed
            problem cannot be solved, as `AssignmentProblem`.
        """
        rows = _Side(kind="row", names=problem.row_names, condition=problem.rows)
        columns = _Side(kind="column", names=problem.column_names, condition=problem.columns)
        utility = problem.utility
        for place in self.new_rows:
            utility, rows = _with_place(place, utility, rows, columns)
        for place in self.new_columns:
            transposed, columns = _with_place(place, utility.T, columns, rows)
            utility = transposed.T
        rows = _with_moves(_with_masses(rows, self.row_mass), self.move_row_mass)
        columns = _with_moves(_with_masses(columns, self.column_mass), self.move_column_mass)
        utility = _with_shifts(utility, rows, columns, self.utility_shifts)
        same = utility is problem.utility and rows.condition is problem.rows and columns.condition is problem.columns
        if same and self.temperature in (None, problem.temperature):
            return problem
        return replace(
            problem,
            utility=utility,
            rows=rows.condition,
            columns=columns.condition,
            temperature=problem.temperature if self.temperature is None else self.temperature,
            row_names=rows.names,
            column_names=columns.names,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One side while a policy is applied to it."""

    kind: str
    names: tuple[str, ...] | None
    condition: MarginalCondition

    def place(self, name: str) -> int:
        """Return where a name is."""
        names = self.known()
        if names.count(name) == 1:
            return names.index(name)
        if name in names:
            raise InvalidInputError(f"the {self.kind} {name!r} must be one, found several of that name: rename them")
        hint = suggest(name, names) or f"there are {_listed(names)}"
        raise InvalidInputError(f"unknown {self.kind} {name!r}, {hint}")

    def known(self) -> tuple[str, ...]:
        """Return the names, which must be there."""
        if self.names is None:
            raise InvalidInputError(
                f"a policy can name a {self.kind} only where the problem has {self.kind}_names, found none"
            )
        return self.names

    def mass(self, why: str) -> FloatArray:
        """Return the masses, which must be there."""
        if self.condition.mass is None:
            raise InvalidInputError(f"cannot {why}: the {self.kind}s are Free and have no mass")
        return self.condition.mass

    def with_mass(self, mass: FloatArray, names: tuple[str, ...] | None = None) -> _Side:
        """Return the side with other masses, and other names where they are given."""
        condition: Any = self.condition
        return replace(self, condition=replace(condition, mass=mass), names=self.names if names is None else names)


def _with_place(place: NewPlace, utility: FloatArray, side: _Side, other: _Side) -> tuple[FloatArray, _Side]:
    """Return utilities with one more row, and the side with one more place."""
    names = side.known()
    if place.name in names:
        raise InvalidInputError(f"a new {side.kind} must have a new name, found {place.name!r} which is there already")
    grown = np.vstack([utility, _utilities(place, utility.shape[1], side, other)])
    if place.mass is not None:
        mass = np.append(side.mass(f"give the new {side.kind} {place.name!r} a mass"), place.mass)
        return grown, side.with_mass(mass, (*names, place.name))
    if side.condition.mass is not None:
        raise InvalidInputError(f"the new {side.kind} {place.name!r} must have a mass, as the other {side.kind}s have")
    return grown, replace(side, names=(*names, place.name))


def _utilities(place: NewPlace, size: int, side: _Side, other: _Side) -> FloatArray:
    what = f"the utility of the new {side.kind} {place.name!r}"
    if not isinstance(place.utility, Mapping):
        if place.utility.size != size:
            raise ShapeError(
                f"{what} must be one number for each of the {size} {other.kind}s, found {place.utility.size}"
            )
        return place.utility
    for name in place.utility:
        other.place(name)
    missing = [name for name in other.known() if name not in place.utility]
    if missing:
        raise InvalidInputError(
            f"{what} must name every {other.kind}, found none for {_listed(missing)}: "
            "give it a number, or -inf to forbid the pair"
        )
    return np.array([place.utility[name] for name in other.known()], dtype=np.float64)


def _with_masses(side: _Side, masses: Mapping[str, float | ScaledMass]) -> _Side:
    if not masses:
        return side
    changed = side.mass(f"set masses of {side.kind}s").copy()
    for name, given in masses.items():
        place = side.place(name)
        changed[place] = given.factor * changed[place] if isinstance(given, ScaledMass) else given
    return side.with_mass(changed)


def _with_moves(side: _Side, moves: Sequence[MassMove]) -> _Side:
    if not moves:
        return side
    changed = side.mass(f"move mass of {side.kind}s").copy()
    for move in moves:
        source, target = side.place(move.source), side.place(move.target)
        if move.amount > changed[source]:
            raise InvalidInputError(
                f"cannot move a mass of {move.amount:.12g} from the {side.kind} {move.source!r}, which has "
                f"{changed[source]:.12g}: move at most that"
            )
        changed[source] -= move.amount
        changed[target] += move.amount
    return side.with_mass(changed)


def _with_shifts(utility: FloatArray, rows: _Side, columns: _Side, shifts: Sequence[UtilityShift]) -> FloatArray:
    if not shifts:
        return utility
    changed = utility.copy()
    for shift in shifts:
        row = slice(None) if shift.row is None else rows.place(shift.row)
        column = slice(None) if shift.column is None else columns.place(shift.column)
        changed[row, column] += shift.amount
    return changed


def _sequence_of(kind: type, name: str, given: object) -> tuple[Any, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Sequence):
        raise InvalidInputError(f"{name} must be a list of {kind.__name__}, found {given!r}")
    for item in given:
        if not isinstance(item, kind):
            raise InvalidInputError(f"{name} must be a list of {kind.__name__}, found {item!r} in it")
    return tuple(given)


def _masses(name: str, given: object) -> Mapping[str, float | ScaledMass]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"{name} must be a mapping of places to masses, found {given!r}: give {{'scone': 2.0}}")
    return MappingProxyType(
        {
            str(place): mass if isinstance(mass, ScaledMass) else _finite(f"the {name} of {place!r}", mass)
            for place, mass in given.items()
        }
    )


def _number(what: str, given: object) -> float:
    """Return a number that is not nan, maybe infinite."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.integer | np.floating) or np.isnan(given):
        raise InvalidInputError(f"{what} must be a number, found {given!r}")
    return float(given)


def _finite(what: str, given: object) -> float:
    found = _number(what, given)
    if not 0 <= found < np.inf:
        raise InvalidInputError(f"{what} must be a finite number of at least 0, found {given!r}")
    return found


def _vector(name: str, given: object) -> FloatArray:
    what = f"the utility of {name!r} must be one number for each place of the other side"
    try:
        found = np.array(as_floats(given))  # type: ignore[arg-type]
    except InvalidInputError as error:
        raise InvalidInputError(f"{what}, found {given!r}") from error
    if found.ndim != 1 or found.size == 0:
        raise ShapeError(f"{what}, (k,), found shape {found.shape}")
    if np.any(np.isnan(found)):
        raise InvalidInputError(f"{what}, found nan at place {int(np.flatnonzero(np.isnan(found))[0])}")
    found.setflags(write=False)
    return found


def _listed(names: Sequence[str], most: int = 10) -> str:
    text = ", ".join(repr(name) for name in names[:most])
    return text if len(names) <= most else f"{text} and {len(names) - most} more"
