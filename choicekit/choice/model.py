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
from choicekit.choice.heterogeneity.classes import LatentClass
from choicekit.choice.heterogeneity.coefficients import Kind, RandomCoefficient, finite_coefficient, read_coefficients
from choicekit.choice.heterogeneity.correlation import RandomCovariance
from choicekit.choice.heterogeneity.distributions import CoefficientDistribution
from choicekit.choice.heterogeneity.faults import faults_of_types
from choicekit.choice.heterogeneity.integration import Integration
from choicekit.choice.population import Population
from choicekit.choice.sampling import check_rule
from choicekit.errors import InvalidInputError, Problem
from choicekit.rules import ChoiceRule, Softmax
from choicekit.suggestions import suggest

__all__ = ["ChoiceModel"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ChoiceModel:
    """How agents value alternatives and how they choose.

    Parameters
    ----------
    utilities : mapping of str to str, or str
        A formula for each alternative over columns and coefficients; the keys are the alternatives, in order. One
        formula alone holds for every alternative of the population.
    coefficients : mapping of str to (float or distribution)
        By name, a finite number for all agents or how it differs among them: ``Normal(mean=-2.26, sd=1.66)``. What is
        random is the same in all situations of an agent. Kept as numbers, where random the mean.
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
    random_coefficients : mapping of str to distribution
        The random ones of the coefficients, which may be given here as well.
    random_covariance : RandomCovariance, optional
        Of the normal numbers behind random coefficients that are correlated. It gives their standard deviations, which
        are left out of the distributions.
    classes : mapping of str to LatentClass
        Kinds of agent that differ in coefficients or rule, where there are several.
    integration : Integration
        How finely expectations over random coefficients are taken.

    Raises
    ------
    ExpressionError
        For a formula that cannot be read.
    InvalidInputError
        For coefficients that are not finite numbers, no alternatives, an availability for an unknown alternative; for
        shares of classes that do not sum to one, and other faults of classes and distributions, all of them at once.

    Notes
    -----
    A model with random coefficients or classes is a mean over types of agent: probabilities are the sum over types of
    their weight times their probabilities, and the inclusive value likewise. Expectations are exact over classes, and
    over random coefficients taken at ``integration.nodes`` quasi-random points, so that they have an integration error.

    Examples
    --------
    >>> model = ChoiceModel({"walk": "0", "ride": "asc - b * cost"}, {"asc": 1.0, "b": 0.5})
    >>> people = Population(agents=np.arange(2), columns={"cost": np.array([1.0, 4.0])})
    >>> model.utility(people)
    array([[ 0. ,  0.5],
           [ 0. , -1. ]])
    >>> from choicekit.choice.heterogeneity import Normal
    >>> mixed = ChoiceModel({"walk": "0", "ride": "asc - b * cost"}, {"asc": 1.0, "b": Normal(0.5, 0.1)})
    >>> mixed.coefficients["b"], mixed.heterogeneous
    (0.5, True)
    """

    utilities: Mapping[str, str] | str
    coefficients: Mapping[str, Any] = field(default_factory=dict)
    rule: ChoiceRule = field(default_factory=Softmax)
    availability: Mapping[str, str] = field(default_factory=dict)
    on_no_alternative: Literal["error", "skip", "outside"] = "error"
    columns_like: Mapping[str, str | None] = field(default_factory=dict)
    random_coefficients: Mapping[str, CoefficientDistribution] = field(default_factory=dict)
    random_covariance: RandomCovariance | None = None
    classes: Mapping[str, LatentClass] = field(default_factory=dict)
    integration: Integration = field(default_factory=Integration)

    def __post_init__(self) -> None:
        if not isinstance(self.utilities, str):
            given = _mapping("utilities", self.utilities, "give a formula, or one an alternative: {'bus': '-cost'}")
            names = {str(name): _as_formula(text) for name, text in given.items()}
            if not names:
                raise InvalidInputError("a choice model needs at least one alternative")
            object.__setattr__(self, "utilities", MappingProxyType(names))
        self._read_types()
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

    def _read_types(self) -> None:
        """Read coefficients and classes; random coefficients are kept apart, with their spread and in place of it."""
        given = read_coefficients(self.coefficients) | read_coefficients(self.random_coefficients)
        classes = _mapping("classes", self.classes, "give classes by name: {'hasty': LatentClass(share=0.2)}")
        classes = {str(name): _checked(f"class {name!r}", one, LatentClass) for name, one in classes.items()}
        if self.random_covariance is not None:
            _checked("random_covariance", self.random_covariance, RandomCovariance)
        _checked("integration", self.integration, Integration)
        problems = faults_of_types(given, self.random_covariance, classes)
        if problems:
            raise InvalidInputError("\n".join(str(problem) for problem in problems))
        spreads = {} if self.random_covariance is None else self.random_covariance.spreads
        random = {
            name: value.with_spread(spreads[name]) if name in spreads else value
            for name, value in given.items()
            if isinstance(value, CoefficientDistribution)
        }
        numbers = {name: random[name].expectation if name in random else value for name, value in given.items()}
        object.__setattr__(self, "coefficients", MappingProxyType(numbers))
        object.__setattr__(self, "random_coefficients", MappingProxyType(random))
        object.__setattr__(self, "classes", MappingProxyType(classes))

    @property
    def heterogeneous(self) -> bool:
        """Whether agents differ beyond their attributes: whether there are random coefficients or classes."""
        return bool(self.random_coefficients or self.classes)

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        """What holds in each class, in order; one for everybody where there are none."""
        covariance = self.random_covariance
        correlated = () if covariance is None else covariance.names
        common = {
            name: RandomCoefficient(value, name in correlated) for name, value in self.random_coefficients.items()
        }
        if not self.classes:
            return (Kind(fixed={}, random=common),)
        return tuple(self._kind(one, common) for one in self.classes.values())

    def _kind(self, one: LatentClass, common: Mapping[str, RandomCoefficient]) -> Kind:
        random = {name: value for name, value in common.items() if name not in one.coefficients}
        fixed = {}
        for name, value in one.coefficients.items():
            if not isinstance(value, CoefficientDistribution):
                fixed[name] = float(value)
            elif self.random_covariance is not None and value.correlates and value.spread is None:
                spread = self.random_covariance.spreads[name]
                random[name] = RandomCoefficient(value.with_spread(spread), correlated=True)
            else:
                random[name] = RandomCoefficient(value)
        return Kind(fixed=fixed, random=random)

    @cached_property
    def random_names(self) -> tuple[str, ...]:
        """Coefficients that are random, for everybody or in some class."""
        return tuple(dict.fromkeys(name for kind in self.kinds for name in kind.random))

    @cached_property
    def varying(self) -> tuple[str, ...]:
        """Coefficients that are not one number for all agents: random ones, and those that differ by class."""
        return tuple(dict.fromkeys(name for kind in self.kinds for name in (*kind.random, *kind.fixed)))

    @property
    def rules(self) -> tuple[ChoiceRule, ...]:
        """The rule of each class, in order; one for everybody where there are none."""
        return tuple(one.rule or self.rule for one in self.classes.values()) or (self.rule,)

    @cached_property
    def memberships(self) -> Mapping[str, Expression]:
        """The membership formulas by class; empty where classes have shares."""
        given = {name: one.membership for name, one in self.classes.items() if one.membership is not None}
        return {name: parse_expression(text) for name, text in given.items()}

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

    def utility(self, population: Population, rows: slice | IntArray = slice(None)) -> FloatArray:
        """Return the systematic utility of some rows, shape (n, J), whatever is available.

        Parameters
        ----------
        population : Population
        rows : slice or ndarray of int64

        Returns
        -------
        ndarray (n, J)
            With random coefficients at their means. May hold nan or infinity where a formula gives them; `check` finds
            these.

        Raises
        ------
        ExpressionError
            For a name that is neither a column nor a coefficient, or text where a number must be.
        InvalidInputError
            For an alternative that the population does not have, where a column differs by alternative.
        """
        formulas = self.formulas(population)
        table = np.empty((_count(rows, population), len(formulas)))
        for place, (name, formula) in enumerate(formulas.items()):
            table[:, place] = formula.evaluate(self.inputs(formula, population, name, rows))
        return table

    def available(self, population: Population, rows: slice | IntArray = slice(None)) -> BoolArray:
        """Return what is available to some rows by data and conditions, shape (n, J).

        Raises
        ------
        ExpressionError
            For a name that is neither a column nor a coefficient.
        """
        names = self.alternatives(population)
        shape = (_count(rows, population), len(names))
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
            For a coefficient that the model does not have or that is random, or a value that is no finite number.

        Examples
        --------
        >>> ChoiceModel({"walk": "0", "ride": "asc"}, {"asc": 1.0}).with_coefficients({"asc": 2.0}).coefficients["asc"]
        2.0
        """
        for name in coefficients:
            if name not in self.coefficients:
                hint = suggest(str(name), self.coefficients) or f"there are {', '.join(self.coefficients) or 'none'}"
                raise InvalidInputError(f"unknown coefficient {name!r}, {hint}")
            if name in self.random_coefficients:
                raise InvalidInputError(f"coefficient {name!r} is random, and has no value to change: give a new model")
        values = {**self.coefficients, **{name: finite_coefficient(name, each) for name, each in coefficients.items()}}
        changed = copy(self)
        object.__setattr__(changed, "coefficients", MappingProxyType(values))
        return changed

    def inputs(
        self, formula: Expression, population: Population, alternative: str, rows: slice | IntArray
    ) -> dict[str, Any]:
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


def _checked(what: str, given: Any, wanted: type) -> Any:
    if not isinstance(given, wanted):
        article = "an" if wanted.__name__[0] in "AEIOU" else "a"
        raise InvalidInputError(f"{what} must be {article} {wanted.__name__}, found {given!r}")
    return given


def _count(rows: slice | IntArray, population: Population) -> int:
    return len(range(*rows.indices(population.n_rows))) if isinstance(rows, slice) else len(rows)


def _require_known(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            hint = suggest(str(name), known) or f"there are {', '.join(known)}"
            raise InvalidInputError(f"{what} names an unknown alternative {name!r}, {hint}")
