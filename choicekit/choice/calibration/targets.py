"""What a calibration is to meet and what it may move: shares by alternative, and the constant of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.checking import OUTSIDE_OPTION
from choicekit.choice.expressions import own_terms
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.errors import InvalidInputError, UnreachableShareError
from choicekit.suggestions import suggest

__all__ = ["Targets", "check_names", "constants_of", "own_constants", "read_shares", "reference_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Targets:
    """Shares to be met.

    Attributes
    ----------
    alternatives : tuple of str
        Of the model, all J of them.
    given : ndarray (A,) of int64
        Positions of the alternatives whose share is given, increasing.
    shares : ndarray (A,)
        Their shares, as fractions; they sum to 1 where every alternative has one.
    """

    alternatives: tuple[str, ...]
    given: IntArray
    shares: FloatArray

    @property
    def complete(self) -> bool:
        """Whether every alternative has a share."""
        return len(self.given) == len(self.alternatives)

    @property
    def names(self) -> tuple[str, ...]:
        """Alternatives whose share is given."""
        return tuple(self.alternatives[place] for place in self.given)


def read_shares(shares: Mapping[str, float], alternatives: tuple[str, ...]) -> Targets:
    """Read shares by alternative: fractions, or totals of any size where every alternative has one.

    Parameters
    ----------
    shares : mapping of str to float
    alternatives : tuple of str

    Returns
    -------
    Targets

    Raises
    ------
    InvalidInputError
        For no shares, unknown alternatives, some shares that leave nothing for the others.
    UnreachableShareError
        For a share that is not a number above 0.

    Examples
    --------
    >>> read_shares({"bus": 30, "car": 90}, ("bus", "car")).shares
    array([0.25, 0.75])
    """
    if not isinstance(shares, Mapping) or not shares:
        raise InvalidInputError(f"shares must be numbers by alternative, found {shares!r}: give some: {{'bus': 0.2}}")
    check_names("shares", shares, alternatives)
    if len(alternatives) < 2:
        raise InvalidInputError(f"calibration needs at least two alternatives, found {alternatives[0]!r} alone")
    amounts = {name: _amount(name, shares[name]) for name in alternatives if name in shares}
    values = np.array(list(amounts.values()))
    if len(amounts) == len(alternatives):
        values = values / values.max()  # totals of 1e308 have no sum
        values = values / values.sum()
    elif not values.sum() < 1:
        missing = ", ".join(repr(name) for name in alternatives if name not in shares)
        raise InvalidInputError(
            f"shares of some of the alternatives must be fractions that sum to less than 1, found {values.sum():g}: "
            f"leave something for {missing}, or give every alternative a total"
        )
    given = np.array([place for place, name in enumerate(alternatives) if name in shares], dtype=np.int64)
    return Targets(alternatives=alternatives, given=given, shares=values)


def _amount(name: str, value: Any) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    try:
        amount = float(value) if number else np.nan
    except OverflowError:  # a whole number beyond 1.8e308
        amount = np.inf
    if not 0 < amount < np.inf:
        why = ": no constant takes a share to 0 or below, make the alternative unavailable" if amount <= 0 else ""
        raise UnreachableShareError(
            f"share of {name!r} must be a number above 0, found {value!r}{why}", alternatives=(name,)
        )
    return amount


def check_names(what: str, given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Make sure that a mapping is by names that exist.

    Raises
    ------
    InvalidInputError
        For the first that does not, with the nearest one there is.
    """
    for name in given:
        if name not in known:
            note = f"{OUTSIDE_OPTION!r} has no utility to add a constant to" if name == OUTSIDE_OPTION else ""
            hint = note or suggest(str(name), known) or f"there are {', '.join(known)}"
            raise InvalidInputError(f"{what} names an unknown {name!r}, {hint}")


def constants_of(
    model: ChoiceModel, population: Population, targets: Targets, constants: Mapping[str, str] | None
) -> dict[str, str]:
    """Find the coefficient to move of each alternative, the reference left out.

    Parameters
    ----------
    model : ChoiceModel
    population : Population
    targets : Targets
    constants : mapping of str to str, optional
        Coefficient by alternative; by default those that are a term of their own in exactly one utility.

    Returns
    -------
    dict of str to str
        Coefficient by alternative, for all alternatives with a share but the reference.

    Raises
    ------
    InvalidInputError
        Where an alternative has no constant, or several, or one that moves anything else.
    """
    if constants is None:
        found = _found_constants(model, population, targets.names)
    else:
        check_names("constants", constants, targets.alternatives)
        _check_constants(model, population, constants)
        found = {name: constants[name] for name in targets.names if name in constants}
    missing = [name for name in targets.names if name not in found]
    if len(missing) > int(targets.complete):
        those = ", ".join(repr(name) for name in missing)
        but_one = ": all but one need it, the reference" if targets.complete else ""
        raise InvalidInputError(
            f"a constant of its own is missing in the utilities of {those}{but_one}; add a coefficient to each, such "
            f"as 'asc + ...', or say which to move: constants: {{{missing[0]}: asc}}"
        )
    if targets.complete and not missing:
        del found[reference_of(targets, found)]
    return found


def reference_of(targets: Targets, constants: Mapping[str, str]) -> str:
    """Return the alternative that keeps its utility: the first one without a constant of its own, else the last one.

    Examples
    --------
    >>> reference_of(read_shares({"bus": 1, "car": 1}, ("bus", "car")), {"car": "asc_car"})
    'bus'
    """
    without = [name for name in targets.alternatives if name not in constants]
    return without[0] if without else targets.alternatives[-1]


def own_constants(model: ChoiceModel, population: Population) -> dict[str, list[str]]:
    """Return the coefficients, by alternative, that are a term of their own there and are used nowhere else.

    Examples
    --------
    >>> people = Population(agents=[1], columns={"cost": [2.0]})
    >>> own_constants(ChoiceModel({"walk": "0", "ride": "asc + b * cost"}, {"asc": 0.0, "b": -1.0}), people)
    {'walk': [], 'ride': ['asc']}
    """
    formulas = model.formulas(population)
    uses: dict[str, int] = {}
    for formula in (*formulas.values(), *model.conditions.values(), *model.memberships.values()):
        for name in formula.names:
            uses[name] = uses.get(name, 0) + 1
    return {
        alternative: sorted(
            name
            for name in own_terms(formula)
            if name in model.coefficients and name not in model.varying and uses[name] == 1
        )
        for alternative, formula in formulas.items()
    }


def _found_constants(model: ChoiceModel, population: Population, names: Sequence[str]) -> dict[str, str]:
    own = own_constants(model, population)
    for name in names:
        if len(own[name]) > 1:
            raise InvalidInputError(
                f"the utility of {name!r} has {len(own[name])} constants, {', '.join(own[name])}: say which to move "
                f"of every alternative, such as constants: {{{name}: {own[name][0]}}}"
            )
    return {name: own[name][0] for name in names if own[name]}


def _check_constants(model: ChoiceModel, population: Population, constants: Mapping[str, str]) -> None:
    own = own_constants(model, population)
    taken: dict[str, str] = {}
    for name, constant in constants.items():
        check_names("constants", {constant: None}, list(model.coefficients))
        if constant in taken:
            raise InvalidInputError(
                f"a constant must be that of one alternative, found {constant!r} for {taken[constant]!r} and {name!r}"
            )
        taken[constant] = name
        if constant in model.varying:
            raise InvalidInputError(
                f"a constant must be one number for all agents, but {constant!r} is random or differs by class: add "
                f"another to the utility of {name!r}, such as asc + {constant}"
            )
        if constant not in own[name]:
            raise InvalidInputError(
                f"constant {constant!r} must be a term of its own in the utility of {name!r} and be used nowhere else: "
                "moving it would move something else as well"
            )
