"""The choice model: from attributes to utilities, availability and a rule."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.checking import problems_of
from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.population import Population
from choicekit.choice.sampling import check_rule
from choicekit.errors import InvalidInputError, Problem
from choicekit.rules import ChoiceRule, Softmax
from choicekit.suggestions import suggest

__all__ = ["ChoiceModel"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ChoiceModel:
    """How agents value alternatives and how they choose.

    Parameters
    ----------
    utilities : mapping of str to str, or str
        A formula for each alternative over columns and coefficients; the keys are the alternatives, in order. One
        formula alone holds for every alternative of the population.
    coefficients : mapping of str to float
        Finite numbers by name.
    rule : ChoiceRule
        How utilities become probabilities.
    availability : mapping of str to str
        For some alternatives a condition that must hold for the alternative to be available.
    on_no_alternative : {"error", "skip", "outside"}
        What to do with a row where nothing is available: refuse, leave it out, or count it as choosing
        ``"outside_option"``.
    columns_like : mapping of str to (str or None)
        Alternatives that the population does not know, each with the one whose attributes and availability by the
        data it has; with None it has attributes of agents only and is available to everybody.

    Raises
    ------
    ExpressionError
        For a formula that cannot be read.
    InvalidInputError
        For coefficients that are not finite numbers, no alternatives, an availability for an unknown alternative.

    Examples
    --------
    >>> model = ChoiceModel({"walk": "0", "ride": "asc - b * cost"}, {"asc": 1.0, "b": 0.5})
    >>> people = Population(agents=np.arange(2), columns={"cost": np.array([1.0, 4.0])})
    >>> model.utility(people)
    array([[ 0. ,  0.5],
           [ 0. , -1. ]])
    """

    utilities: Mapping[str, str] | str
    coefficients: Mapping[str, float] = field(default_factory=dict)
    rule: ChoiceRule = field(default_factory=Softmax)
    availability: Mapping[str, str] = field(default_factory=dict)
    on_no_alternative: Literal["error", "skip", "outside"] = "error"
    columns_like: Mapping[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.utilities, str):
            given = _mapping("utilities", self.utilities, "give a formula, or one an alternative: {'bus': '-cost'}")
            names = {str(name): _as_formula(text) for name, text in given.items()}
            if not names:
                raise InvalidInputError("a choice model needs at least one alternative")
            object.__setattr__(self, "utilities", MappingProxyType(names))
        numbers = _mapping("coefficients", self.coefficients, "give numbers by name: {'b_cost': -0.5}")
        coefficients = {str(name): _finite(name, value) for name, value in numbers.items()}
        object.__setattr__(self, "coefficients", MappingProxyType(coefficients))
        texts = _mapping("availability", self.availability, "give conditions by alternative: {'car': 'age > 18'}")
        conditions = {str(name): _as_formula(text) for name, text in texts.items()}
        if not isinstance(self.utilities, str):
            _require_known(conditions, self.utilities, "availability")
        object.__setattr__(self, "availability", MappingProxyType(conditions))
        like = _mapping("columns_like", self.columns_like, "give an alternative of the population for a new one")
        object.__setattr__(self, "columns_like", MappingProxyType(dict(like)))
        check_rule(self.rule)
        if self.on_no_alternative not in ("error", "skip", "outside"):
            raise InvalidInputError(
                f"on_no_alternative must be error, skip or outside, found {self.on_no_alternative!r}"
            )
        _ = self._formulas, self._conditions  # read now, so that a bad formula fails where it is written

    @cached_property
    def _formulas(self) -> Mapping[str, Expression] | Expression:
        if isinstance(self.utilities, str):
            return parse_expression(self.utilities)
        return {name: parse_expression(text) for name, text in self.utilities.items()}

    @cached_property
    def _conditions(self) -> Mapping[str, Expression]:
        return {name: parse_expression(text) for name, text in self.availability.items()}

    def alternatives(self, population: Population) -> tuple[str, ...]:
        """Return the names of the alternatives, in the order of every array."""
        if not isinstance(self.utilities, str):
            return tuple(self.utilities)
        if not population.alternatives:
            raise InvalidInputError("one formula for all alternatives needs a population that names its alternatives")
        return population.alternatives

    def formulas(self, population: Population) -> Mapping[str, Expression]:
        """Return the utility of each alternative as an expression."""
        if isinstance(self._formulas, Expression):
            return dict.fromkeys(self.alternatives(population), self._formulas)
        return self._formulas

    @property
    def conditions(self) -> Mapping[str, Expression]:
        """The availability conditions as expressions, by alternative."""
        return self._conditions

    def utility(self, population: Population, rows: slice = slice(None)) -> FloatArray:
        """Return the systematic utility of some rows, shape (n, J), whatever is available.

        Parameters
        ----------
        population : Population
        rows : slice

        Returns
        -------
        ndarray (n, J)
            May hold nan or infinity where a formula gives them; `check` finds these.

        Raises
        ------
        ExpressionError
            For a name that is neither a column nor a coefficient, or text where a number must be.
        InvalidInputError
            For an alternative that the population does not have, where a column differs by alternative.
        """
        formulas = self.formulas(population)
        table = np.empty((len(range(*rows.indices(population.n_rows))), len(formulas)))
        for place, (name, formula) in enumerate(formulas.items()):
            table[:, place] = formula.evaluate(self.inputs(formula, population, name, rows))
        return table

    def available(self, population: Population, rows: slice = slice(None)) -> BoolArray:
        """Return what is available to some rows by data and conditions, shape (n, J).

        Raises
        ------
        ExpressionError
            For a name that is neither a column nor a coefficient.
        """
        names = self.alternatives(population)
        shape = (len(range(*rows.indices(population.n_rows))), len(names))
        available = np.ones(shape, dtype=bool)
        if population.availability is not None:
            given = population.availability[rows]
            for place, name in enumerate(names):
                known = self.known_as(name)
                if known is not None:
                    available[:, place] &= given[:, population.position(known)]
        for name, condition in self._conditions.items():
            holds = condition.evaluate(self.inputs(condition, population, name, rows))
            available[:, names.index(name)] &= np.not_equal(holds, 0)
        return available

    def known_as(self, alternative: str) -> str | None:
        """Return the alternative of the population whose attributes this one has; None where it has none."""
        return self.columns_like.get(alternative, alternative)

    def with_coefficients(self, coefficients: Mapping[str, float]) -> Self:
        """Return the same model with other values of some coefficients; its formulas are not read again.

        Parameters
        ----------
        coefficients : mapping of str to float
            Finite numbers by name; coefficients that are not named keep their value.

        Raises
        ------
        InvalidInputError
            For a coefficient that the model does not have, or that is no finite number.

        Examples
        --------
        >>> ChoiceModel({"walk": "0", "ride": "asc"}, {"asc": 1.0}).with_coefficients({"asc": 2.0}).coefficients["asc"]
        2.0
        """
        for name in coefficients:
            if name not in self.coefficients:
                hint = suggest(str(name), self.coefficients) or f"there are {', '.join(self.coefficients) or 'none'}"
                raise InvalidInputError(f"unknown coefficient {name!r}, {hint}")
        values = {**self.coefficients, **{name: _finite(name, value) for name, value in coefficients.items()}}
        changed = copy(self)
        object.__setattr__(changed, "coefficients", MappingProxyType(values))
        return changed

    def inputs(self, formula: Expression, population: Population, alternative: str, rows: slice) -> dict[str, Any]:
        """Return what a formula of one alternative is evaluated on: the values of the names it uses, for some rows.

        Raises
        ------
        InvalidInputError
            Where it uses a column that differs by alternative and the population lacks this one.
        """
        values: dict[str, Any] = {}
        for name in formula.names:
            if name in self.coefficients:
                values[name] = self.coefficients[name]
            elif name in population.columns:
                column = population.columns[name]
                values[name] = (
                    column[rows, self._position(alternative, name, population)] if column.ndim == 2 else column[rows]
                )
        return values

    def _position(self, alternative: str, column: str, population: Population) -> int:
        known = self.known_as(alternative)
        if known is None:
            raise InvalidInputError(
                f"column {column!r} differs by alternative, and {alternative!r} has none: give columns_like"
            )
        return population.position(known)

    def check(self, population: Population, rows: BoolArray | None = None) -> list[Problem]:
        """Return everything that keeps this model from being simulated on a population.

        Parameters
        ----------
        population : Population
        rows : ndarray (N,) of bool, optional
            Rows that choose, where not all do.

        Returns
        -------
        list of Problem
            Empty where all is well. Names that are unknown first; if there are none, cells that are not finite
            numbers though a formula needs them; if there are none, utilities that are nan or plus infinity, and
            rows with nothing available.
        """
        return problems_of(self, population, rows)


def _as_formula(text: object) -> str:
    return text if isinstance(text, str) else f"{text!r}"


def _mapping(what: str, given: object, way_out: str) -> Mapping[Any, Any]:
    if not isinstance(given, Mapping):
        raise InvalidInputError(f"{what} must be a mapping by name, found {given!r}: {way_out}")
    return given


def _finite(name: object, value: object) -> float:
    wanted = f"coefficient {name!r} must be a finite number"
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise InvalidInputError(f"{wanted}, found {value!r}")
    try:
        number = float(value)
    except OverflowError as error:  # a whole number may be too long even to be shown
        raise InvalidInputError(f"{wanted}, found a whole number beyond 1.8e308: change the unit") from error
    if not np.isfinite(number):
        raise InvalidInputError(f"{wanted}, found {value!r}")
    return number


def _require_known(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            hint = suggest(str(name), known) or f"there are {', '.join(known)}"
            raise InvalidInputError(f"{what} names an unknown alternative {name!r}, {hint}")
