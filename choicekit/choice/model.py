"""The choice model: from attributes to utilities, availability and a rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import Expression, parse_expression
from choicekit.choice.population import Population
from choicekit.choice.tables import number_of_each
from choicekit.errors import ExpressionError, InvalidInputError, Problem
from choicekit.execution import blocks_of
from choicekit.rules import ChoiceRule, Softmax
from choicekit.suggestions import suggest

__all__ = ["ChoiceModel"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

OUTSIDE_OPTION = "outside_option"

_SHOWN = 5


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

    def __post_init__(self) -> None:
        if not isinstance(self.utilities, str):
            names = {str(name): _as_formula(text) for name, text in self.utilities.items()}
            if not names:
                raise InvalidInputError("a choice model needs at least one alternative")
            object.__setattr__(self, "utilities", MappingProxyType(names))
            _require_known(self.availability, names, "availability")
        coefficients = {str(name): _finite(name, value) for name, value in self.coefficients.items()}
        object.__setattr__(self, "coefficients", MappingProxyType(coefficients))
        conditions = {str(name): _as_formula(text) for name, text in self.availability.items()}
        object.__setattr__(self, "availability", MappingProxyType(conditions))
        if self.on_no_alternative not in {"error", "skip", "outside"}:
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
        """
        formulas = self.formulas(population)
        table = np.empty((len(range(*rows.indices(population.n_rows))), len(formulas)))
        for place, (name, formula) in enumerate(formulas.items()):
            table[:, place] = formula.evaluate(self._names_of(formula, population, name, rows))
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
            available &= population.availability[rows][:, [_position(population, name) for name in names]]
        for name, condition in self._conditions.items():
            holds = condition.evaluate(self._names_of(condition, population, name, rows))
            available[:, names.index(name)] &= np.not_equal(holds, 0)
        return available

    def _names_of(self, formula: Expression, population: Population, alternative: str, rows: slice) -> dict[str, Any]:
        """Values of the names a formula uses, for one alternative."""
        values: dict[str, Any] = {}
        for name in formula.names:
            if name in self.coefficients:
                values[name] = self.coefficients[name]
            elif name in population.columns:
                column = population.columns[name]
                values[name] = column[rows, _position(population, alternative)] if column.ndim == 2 else column[rows]
        return values

    def check(self, population: Population) -> list[Problem]:
        """Return everything that keeps this model from being simulated on a population.

        Parameters
        ----------
        population : Population

        Returns
        -------
        list of Problem
            Empty where all is well. Names that are unknown first; if there are none, cells that are not finite
            numbers though a formula needs them; if there are none, utilities that are nan or plus infinity, and
            rows with nothing available.
        """
        return (
            list(self._name_problems(population))
            or list(self._cell_problems(population))
            or list(self._kind_problems(population, "utility"))
            or list(self._utility_problems(population))
        )

    def _every_formula(self, population: Population) -> Iterator[tuple[str, str, Expression]]:
        """Yield (what, alternative, expression) of utilities and conditions."""
        yield from (("utility", name, formula) for name, formula in self.formulas(population).items())
        yield from (("availability", name, condition) for name, condition in self._conditions.items())

    def _name_problems(self, population: Population) -> Iterator[Problem]:
        for name in self.alternatives(population):
            if population.alternatives and name not in population.alternatives:
                hint = suggest(name, population.alternatives) or f"there are {', '.join(population.alternatives)}"
                yield Problem(message=f"unknown alternative {name!r}", hint=hint, path=f"utility.{name}")
        for name in self.coefficients:
            if name in population.columns:
                yield Problem(
                    message=f"{name!r} is both a column and a coefficient",
                    hint="rename one",
                    path=f"coefficients.{name}",
                )
        for name in self._conditions:
            if name not in self.alternatives(population):
                known_names = self.alternatives(population)
                hint = suggest(name, known_names) or f"there are {', '.join(known_names)}"
                yield Problem(message=f"unknown alternative {name!r}", hint=hint, path=f"availability.{name}")
        if self.on_no_alternative == "outside" and OUTSIDE_OPTION in self.alternatives(population):
            message = f"{OUTSIDE_OPTION!r} is what agents with nothing available choose"
            yield Problem(message=message, hint="rename the alternative", path=f"utility.{OUTSIDE_OPTION}")
        known = {*self.coefficients, *population.columns}
        for what, name, formula in self._every_formula(population):
            for error in formula.check(known):
                yield problem_of(error, f"{what}.{name}")

    def _cell_problems(self, population: Population) -> Iterator[Problem]:
        conditions = self._needed_cells(population, "availability", None)
        broken = [p for column, cells in conditions.items() for p in _bad_cells(population, column, cells)]
        broken = broken or list(self._kind_problems(population, "availability"))
        if broken:  # what is available cannot be told, so neither can which cells utilities need
            yield from broken
            return
        for column, cells in self._needed_cells(population, "utility", self.available(population)).items():
            yield from _bad_cells(population, column, cells)

    def _kind_problems(self, population: Population, what: str) -> Iterator[Problem]:
        """Try each formula on the first row: whether text meets numbers does not depend on the row."""
        for kind, name, formula in self._every_formula(population):
            if kind == what:
                try:
                    formula.evaluate(self._names_of(formula, population, name, slice(0, 1)))
                except ExpressionError as error:
                    yield problem_of(error, f"{what}.{name}")

    def _needed_cells(self, population: Population, what: str, available: BoolArray | None) -> dict[str, BoolArray]:
        """Which cells of each column are needed as numbers, (N,) or (N, J) in the population's alternatives."""
        needed: dict[str, BoolArray] = {}
        for place, (name, formula) in enumerate((n, f) for w, n, f in self._every_formula(population) if w == what):
            rows: Any = True if available is None else available[:, place]
            for column in sorted(_names_as_numbers(formula, population) & population.columns.keys()):
                values = population.columns[column]
                cells = needed.setdefault(column, np.zeros(values.shape, dtype=bool))
                if values.ndim == 2:
                    cells[:, _position(population, name)] |= rows
                else:
                    cells |= rows
        return needed

    def _utility_problems(self, population: Population) -> Iterator[Problem]:
        """Look through utilities block by block, as the simulation will."""
        names = self.alternatives(population)
        texts = {name: formula.text for name, formula in self.formulas(population).items()}
        shown: dict[str, int] = {}
        idle = 0
        for block in blocks_of(population.n_rows):
            try:
                values, available = self.utility(population, block.rows), self.available(population, block.rows)
            except ExpressionError as error:
                yield problem_of(error, "utility")
                return
            wrong = available & (np.isnan(values) | (values == np.inf))
            for row, place in np.argwhere(wrong):
                name = names[place]
                shown[name] = shown.get(name, 0) + 1
                if shown[name] == 1:
                    who = _who(population, block.start + int(row))
                    yield Problem(
                        message=f"utility must be a number below infinity, found {values[row, place]} for {who}, "
                        f"alternative {name}",
                        hint="look for a logarithm or root of a negative number, a division by 0, an overflow",
                        path=f"utility.{name}",
                        excerpt=(texts[name],),
                    )
            for row in np.flatnonzero(~(available & (values > -np.inf)).any(axis=1) & ~wrong.any(axis=1)):
                idle += 1
                if self.on_no_alternative == "error" and idle <= _SHOWN:
                    yield Problem(
                        message=f"{_who(population, block.start + int(row))} has nothing available",
                        hint="set on_no_alternative to 'skip' or 'outside', or check availability",
                        path="availability",
                    )


def problem_of(error: ExpressionError, path: str) -> Problem:
    """Describe a fault in a formula as a problem of the entry it stands in."""
    return Problem(message=error.message, hint=error.hint, path=path, excerpt=error.excerpt)


def _as_formula(text: object) -> str:
    return text if isinstance(text, str) else f"{text!r}"


def _finite(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(float(value)):
        raise InvalidInputError(f"coefficient {name!r} must be a finite number, found {value!r}")
    return float(value)


def _require_known(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            hint = suggest(str(name), known) or f"there are {', '.join(known)}"
            raise InvalidInputError(f"{what} names an unknown alternative {name!r}, {hint}")


def _position(population: Population, alternative: str) -> int:
    return population.alternatives.index(alternative) if population.alternatives else 0


def _who(population: Population, row: int) -> str:
    who = f"agent {population.agents[row]}"
    return who if population.situations is None else f"{who} in situation {population.situations[row]}"


def _names_as_numbers(formula: Expression, population: Population) -> frozenset[str]:
    """Names that are used as numbers somewhere, not only compared with text or one column of text with another."""
    compared: set[int] = set()
    for node in ast.walk(formula.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            written = any(_holds_text(side) for side in sides)
            if written or all(isinstance(side, ast.Name) and _is_text(population, side.id) for side in sides):
                compared |= {id(side) for side in sides if isinstance(side, ast.Name)}
    return frozenset(
        node.id
        for node in ast.walk(formula.tree)
        if isinstance(node, ast.Name) and id(node) not in compared and node.id in formula.names
    )


def _is_text(population: Population, name: str) -> bool:
    return name in population.columns and _holds_only_text(population.columns[name])


def _holds_only_text(values: npt.NDArray[Any]) -> bool:
    if values.dtype.kind != "O":
        return False
    numbers, bad = number_of_each(values.ravel())
    return bool(bad.any() and np.all(bad | np.isnan(numbers)))


def _holds_text(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)


def _bad_cells(population: Population, column: str, needed: BoolArray) -> Iterator[Problem]:
    """Yield the needed cells of a column that are not finite numbers, the first few with their place."""
    values = population.columns[column]
    if values.dtype.kind == "b":
        return
    if values.dtype.kind == "O":
        numbers, bad = number_of_each(values.ravel())
        wrong = np.argwhere(needed & bad.reshape(values.shape))
        if len(wrong) and _holds_only_text(values):
            first = tuple(int(index) for index in wrong[0])
            message = f"a number is needed, every cell is text such as {str(values[first])!r}"
            hint = "text can only be compared with text, by == or in"
            position = first[1] if len(first) > 1 else None
            yield population.cell_problem(message, row=first[0], position=position, column=column, hint=hint)
            return
        values = numbers.reshape(values.shape)
    wrong = np.argwhere(needed & ~np.isfinite(values))
    for place, cell in enumerate(wrong[:_SHOWN], start=1):
        row, position = int(cell[0]), int(cell[1]) if cell.size > 1 else None
        original = population.columns[column][tuple(cell)]
        found = "the number is missing" if _is_missing(original) else f"{str(original)!r} is not a finite number"
        hint = "fill it in, or make the alternative unavailable there" if _is_missing(original) else ""
        if place == _SHOWN < len(wrong):
            more = f"and {len(wrong) - _SHOWN} more cells of this column"
            hint = f"{hint} ({more})" if hint else more
        yield population.cell_problem(found, row=row, position=position, column=column, hint=hint)


def _is_missing(value: object) -> bool:
    return value == "" or (isinstance(value, float) and np.isnan(value))
