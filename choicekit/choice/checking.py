"""Checking a choice model against a population: everything that keeps it from being simulated, with its place."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import Expression
from choicekit.choice.expressions.walking import name_nodes
from choicekit.choice.heterogeneity.membership import membership_name_problems, membership_problems
from choicekit.choice.layouts import SHOWN, with_rest
from choicekit.choice.population import Population
from choicekit.choice.tables import is_missing, number_of_each
from choicekit.errors import ExpressionError, Problem
from choicekit.execution import blocks_of
from choicekit.suggestions import suggest

if TYPE_CHECKING:
    from choicekit.choice.model import ChoiceModel

__all__ = ["NOTHING_AVAILABLE", "OUTSIDE_OPTION", "condition_problems", "problems_of"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

OUTSIDE_OPTION = "outside_option"
"""What agents with nothing available choose, where a model counts them."""

NOTHING_AVAILABLE = "nothing_available"
"""Code of the problem that an agent has nothing to choose."""


def problems_of(model: ChoiceModel, population: Population, rows: BoolArray | None = None) -> list[Problem]:
    """Return everything that keeps a model from being simulated on a population.

    Parameters
    ----------
    model : ChoiceModel
    population : Population
    rows : ndarray (N,) of bool, optional
        Rows that choose; the others need neither numbers nor anything available.

    Returns
    -------
    list of Problem
        Empty where all is well. Names that are unknown first; if there are none, cells that are not finite numbers
        though a formula needs them; if there are none, utilities that are nan or plus infinity, and rows with nothing
        available, whose problems have the code ``"nothing_available"``.
    """
    return (
        _once(_name_problems(model, population))
        or _once(_cell_problems(model, population, rows))
        or _once(_kind_problems(model, population, "utility"))
        or list(membership_problems(model, population))
        or list(_utility_problems(model, population, rows))
    )


def condition_problems(
    condition: Expression, population: Population, coefficients: Collection[str] = ()
) -> list[Problem]:
    """Return the cells that a condition on agents needs as numbers and that are none.

    No comparison holds for a missing number, so that its agent would be left out without a word.

    Parameters
    ----------
    condition : Expression
    population : Population
    coefficients : collection of str
        Names that are those of coefficients.

    Returns
    -------
    list of Problem
        Each with its place in the table; the first few of each column. Of columns that hold only text there are none,
        nor of those that differ by alternative: there the condition is at fault.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> people = Population(agents=[1, 2], columns={"age": [17.0, np.nan]})
    >>> for problem in condition_problems(parse_expression("age > 18"), people):
    ...     print(problem)
    column 'age': the number is missing (agent 2), fill it in
    """
    readings = _Readings(population)
    needed = sorted({node.id for node in _nodes_as_numbers(condition, readings)}.difference(coefficients))
    problems = []
    for column in needed:
        if population.columns[column].ndim == 1 and not readings.is_text(column):
            everywhere = np.ones(population.n_rows, dtype=bool)
            problems += _bad_cells(readings, column, everywhere, way_out="fill it in")
    return problems


def _once(problems: Iterable[Problem]) -> list[Problem]:
    """Leave out repetitions: one formula may be that of every alternative."""
    return list(dict.fromkeys(problems))


def _every_formula(model: ChoiceModel, population: Population) -> Iterator[tuple[str, str, Expression]]:
    """Yield (what, alternative, expression) of utilities and conditions."""
    yield from (("utility", name, formula) for name, formula in model.formulas(population).items())
    yield from (("availability", name, condition) for name, condition in model.conditions.items())


def _path(model: ChoiceModel, what: str, name: str) -> str:
    """Entry that holds a formula."""
    return what if what == "utility" and isinstance(model.utilities, str) else f"{what}.{name}"


# --- names ----------------------------------------------------------------------------------------------------------


def _name_problems(model: ChoiceModel, population: Population) -> Iterator[Problem]:
    names = model.alternatives(population)
    if population.alternatives:
        given = [name for name in names if name not in model.columns_like]
        yield from _unknown_alternatives("utility", given, population.alternatives)
    for name in model.coefficients:
        if name in population.columns:
            message = f"{name!r} is both a column and a coefficient"
            yield Problem(message=message, hint="rename one", path=f"coefficients.{name}")
    yield from _unknown_alternatives("availability", model.conditions, names)
    if model.on_no_alternative == "outside" and OUTSIDE_OPTION in names:
        message = f"{OUTSIDE_OPTION!r} is what agents with nothing available choose"
        yield Problem(message=message, hint="rename the alternative", path=f"utility.{OUTSIDE_OPTION}")
    known = {*model.coefficients, *population.columns}
    for what, name, formula in _every_formula(model, population):
        for error in formula.check(known):
            yield _problem_of(error, _path(model, what, name))
        if model.known_as(name) is None:
            yield from _missing_columns(formula, population, what, name)
        varying = sorted(formula.names.intersection(model.varying)) if what == "availability" else []
        for coefficient in varying:
            message = f"availability must be the same for all types of agent, but {coefficient!r} differs among them"
            yield Problem(message=message, hint="use a coefficient of its own", path=_path(model, what, name))
    yield from membership_name_problems(model, population)


def _missing_columns(formula: Expression, population: Population, what: str, name: str) -> Iterator[Problem]:
    for column in sorted(formula.names & population.columns.keys()):
        if population.columns[column].ndim == 2:
            message = f"column {column!r} differs by alternative, and {name!r} has none of its own"
            hint = f"name an alternative whose columns it has: columns_like: {population.alternatives[0]}"
            yield Problem(message=message, hint=hint, path=f"{what}.{name}")


def _unknown_alternatives(what: str, names: Iterable[str], known: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f"there are {', '.join(known)}"
            yield Problem(message=f"unknown alternative {name!r}", hint=hint, path=f"{what}.{name}")


def _problem_of(error: ExpressionError, path: str) -> Problem:
    """Describe a fault in a formula as a problem of the entry it stands in."""
    return Problem(message=error.message, hint=error.hint, path=path, excerpt=error.excerpt, offset=error.offset)


# --- cells ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class _Reading:
    """A column read as numbers: once, however many formulas use it.

    Attributes
    ----------
    numbers, bad : ndarray (N,) or (N, J)
        The numbers, nan where there is none, and which cells are text that is no number.
    only_text : bool
        Whether every cell is such text, or missing.
    """

    numbers: FloatArray
    bad: BoolArray
    only_text: bool


def _reading(values: npt.NDArray[Any]) -> _Reading:
    if values.dtype.kind != "O":
        return _Reading(numbers=values, bad=np.zeros(values.shape, dtype=bool), only_text=False)
    numbers, bad = number_of_each(values.ravel())
    only_text = bool(bad.any() and np.all(bad | np.isnan(numbers)))
    return _Reading(numbers=numbers.reshape(values.shape), bad=bad.reshape(values.shape), only_text=only_text)


@dataclass(frozen=True, eq=False)
class _Readings:
    """The columns of a population that have been read."""

    population: Population
    _read: dict[str, _Reading] = field(default_factory=dict)

    def __getitem__(self, column: str) -> _Reading:
        if column not in self._read:
            self._read[column] = _reading(self.population.columns[column])
        return self._read[column]

    def is_text(self, name: str) -> bool:
        """Whether a name is that of a column of text."""
        return name in self.population.columns and self[name].only_text


def _cell_problems(model: ChoiceModel, population: Population, rows: BoolArray | None) -> Iterator[Problem]:
    readings = _Readings(population)
    broken = list(_misread_cells(model, readings, "availability", None))
    broken = broken or list(_kind_problems(model, population, "availability"))
    if broken:  # what is available cannot be told, so neither can which cells utilities need
        yield from broken
        return
    for membership in model.memberships.values():
        yield from condition_problems(membership, population, model.coefficients)
    available = model.available(population)
    yield from _misread_cells(model, readings, "utility", available if rows is None else available & rows[:, None])


def _misread_cells(
    model: ChoiceModel, readings: _Readings, what: str, available: BoolArray | None
) -> Iterator[Problem]:
    """Yield columns of text that formulas take for numbers, and cells that are no numbers in other columns."""
    for kind, name, formula in _every_formula(model, readings.population):
        first = {node.id: node for node in reversed(_nodes_as_numbers(formula, readings))} if kind == what else {}
        for column, node in sorted(first.items(), key=lambda pair: pair[1].col_offset):
            if readings.is_text(column):
                yield _problem_of(_not_a_number(formula, node, readings), _path(model, what, name))
    for column, cells in _needed_cells(model, readings, what, available).items():
        if not readings.is_text(column):
            yield from _bad_cells(readings, column, cells)


def _not_a_number(formula: Expression, node: ast.Name, readings: _Readings) -> ExpressionError:
    """Every cell is text: the fault is that of the formula, not of the table."""
    cells = readings.population.columns[node.id][readings[node.id].bad]
    return ExpressionError(
        f"column {node.id!r} must hold numbers here, found only text such as {str(cells[0])!r}",
        expression=formula.text,
        offset=node.col_offset,
        hint="text can only be compared with text, by == or in",
    )


def _kind_problems(model: ChoiceModel, population: Population, what: str) -> Iterator[Problem]:
    """Try each formula on the first row: whether text meets numbers does not depend on the row."""
    for kind, name, formula in _every_formula(model, population):
        if kind == what:
            try:
                formula.evaluate(model.inputs(formula, population, name, slice(0, 1)))
            except ExpressionError as error:
                yield _problem_of(error, _path(model, what, name))


def _needed_cells(
    model: ChoiceModel, readings: _Readings, what: str, available: BoolArray | None
) -> dict[str, BoolArray]:
    """Which cells of each column are needed as numbers, (N,) or (N, J) in the population's alternatives."""
    needed: dict[str, BoolArray] = {}
    population = readings.population
    formulas = [(name, formula) for kind, name, formula in _every_formula(model, population) if kind == what]
    for place, (name, formula) in enumerate(formulas):
        rows: Any = True if available is None else available[:, place]
        for column in sorted({node.id for node in _nodes_as_numbers(formula, readings)}):
            values = population.columns[column]
            cells = needed.setdefault(column, np.zeros(values.shape, dtype=bool))
            if values.ndim == 2:
                cells[:, population.position(model.known_as(name) or name)] |= rows
            else:
                cells |= rows
    return needed


def _nodes_as_numbers(formula: Expression, readings: _Readings) -> list[ast.Name]:
    """Columns where they are used as numbers, not compared with text, or one column of text with another."""
    compared: set[int] = set()
    for node in ast.walk(formula.tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            written = any(_holds_text(side) for side in sides)
            if written or all(isinstance(side, ast.Name) and readings.is_text(side.id) for side in sides):
                compared |= {id(side) for side in sides if isinstance(side, ast.Name)}
    columns = readings.population.columns
    return [node for node in name_nodes(formula.tree) if id(node) not in compared and node.id in columns]


def _holds_text(node: ast.expr) -> bool:
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return any(isinstance(part, ast.Constant) and isinstance(part.value, str) for part in parts)


def _bad_cells(
    readings: _Readings,
    column: str,
    needed: BoolArray,
    *,
    way_out: str = "fill it in, or make the alternative unavailable there",
) -> list[Problem]:
    """Return the needed cells of a column that are not finite numbers, the first few with their place.

    A text among numbers makes the whole column one of text, so it is wrong where nobody needs the cell, too.
    """
    population, reading = readings.population, readings[column]
    values = population.columns[column]
    wrong = np.argwhere(needed & ~np.isfinite(reading.numbers) | reading.bad)
    problems = []
    for row, *position in wrong[:SHOWN].tolist():
        original = values[(row, *position)]
        missing = is_missing(original) or original == ""
        found = "the number is missing" if missing else f"{str(original)!r} is not a finite number"
        unneeded = "" if needed[(row, *position)] else "leave cells empty that nobody needs"
        hint = way_out if missing else unneeded
        at = position[0] if position else None
        problems.append(population.cell_problem(found, row=row, position=at, column=column, hint=hint))
    return with_rest(problems, len(wrong))


# --- utilities ------------------------------------------------------------------------------------------------------


def _utility_problems(model: ChoiceModel, population: Population, rows: BoolArray | None) -> Iterator[Problem]:
    """Look through utilities block by block, as the simulation will."""
    reported: set[str] = set()
    idle: list[Problem] = []
    n_idle = 0
    for block in blocks_of(population.n_rows):
        try:
            values, available = model.utility(population, block.rows), model.available(population, block.rows)
        except ExpressionError as error:
            yield _problem_of(error, "utility")
            return
        choosing = np.ones(len(block), dtype=bool) if rows is None else rows[block.rows]
        wrong = available & choosing[:, None] & (np.isnan(values) | (values == np.inf))
        for row, place in sorted((int(wrong[:, place].argmax()), place) for place in np.flatnonzero(wrong.any(axis=0))):
            name = model.alternatives(population)[place]
            if name not in reported:
                reported.add(name)
                yield _no_number(model, population, block.start + row, name, values[row, place])
        nothing = np.flatnonzero(choosing & ~(available & (values > -np.inf)).any(axis=1) & ~wrong.any(axis=1))
        if model.on_no_alternative == "error":
            n_idle += nothing.size
            idle += [_nothing_available(population, block.start + row) for row in nothing[: SHOWN - len(idle)].tolist()]
    yield from with_rest(idle, n_idle)


def _no_number(model: ChoiceModel, population: Population, row: int, name: str, found: float) -> Problem:
    return Problem(
        message=f"utility must be a number below infinity, found {found} for {_who(population, row)}, "
        f"alternative {name}",
        hint="look for a logarithm or root of a negative number, a division by 0, an overflow",
        path=f"utility.{name}",
        excerpt=(model.formulas(population)[name].text,),
    )


def _nothing_available(population: Population, row: int) -> Problem:
    return Problem(
        message=f"{_who(population, row)} has nothing available",
        hint="set on_no_alternative to 'skip' or 'outside', or check availability",
        path="availability",
        code=NOTHING_AVAILABLE,
    )


def _who(population: Population, row: int) -> str:
    who = f"agent {population.agents[row]}"
    return who if population.situations is None else f"{who} in situation {population.situations[row]}"
