"""Whether memberships of classes can be worked out: a finite number for every agent, the same in all its situations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from choicekit.choice.expressions import Expression
from choicekit.errors import ExpressionError, Problem
from choicekit.random import identifier_words

if TYPE_CHECKING:
    from choicekit.choice.model import ChoiceModel
    from choicekit.choice.population import Population

__all__ = ["membership_name_problems", "membership_problems"]


def membership_name_problems(model: ChoiceModel, population: Population) -> Iterator[Problem]:
    """Yield names in memberships that are unknown, or columns that differ by alternative.

    Parameters
    ----------
    model : ChoiceModel
    population : Population
    """
    for name, formula in model.memberships.items():
        path = f"classes.{name}.membership"
        for error in formula.check({*model.coefficients, *population.columns}):
            yield _at(path, error)
        for column in sorted(formula.names & population.columns.keys()):
            if population.columns[column].ndim == 2:
                message = f"a membership needs attributes of agents, but {column!r} differs by alternative"
                yield Problem(message=message, hint="use attributes of agents", path=path)


def membership_problems(model: ChoiceModel, population: Population) -> Iterator[Problem]:
    """Yield memberships that are not finite for some agent, or differ between its situations.

    Parameters
    ----------
    model : ChoiceModel
    population : Population
        With all columns that memberships name, of numbers where numbers are needed.
    """
    for name, formula in model.memberships.items():
        try:
            yield from _of_formula(name, formula, model, population)
        except ExpressionError as error:
            yield _at(f"classes.{name}.membership", error)


def _of_formula(name: str, formula: Expression, model: ChoiceModel, population: Population) -> Iterator[Problem]:
    path = f"classes.{name}.membership"
    inputs = model.inputs(formula, population, "", slice(None))
    values = np.broadcast_to(np.asarray(formula.evaluate(inputs), dtype=np.float64), (population.n_rows,))
    wrong = np.flatnonzero(~np.isfinite(values))
    if wrong.size:
        message = (
            f"membership must be a finite number, found {values[wrong[0]]} for agent {population.agents[wrong[0]]}"
        )
        hint = "look for a logarithm or root of a negative number, a division by 0, an overflow"
        yield Problem(message=message, hint=hint, path=path, excerpt=(formula.text,))
    elif population.situations is not None:
        _, first, agent = np.unique(identifier_words(population.agents), return_index=True, return_inverse=True)
        moving = np.flatnonzero(values != values[first[agent]])
        if moving.size:
            row = moving[0]
            message = (
                f"membership must be the same in all situations of an agent, found {values[first[agent[row]]]:g} and"
            )
            who = f"{values[row]:g} for agent {population.agents[row]}"
            hint = "use attributes that do not change"
            yield Problem(message=f"{message} {who}", hint=hint, path=path, excerpt=(formula.text,))


def _at(path: str, error: ExpressionError) -> Problem:
    return Problem(message=error.message, hint=error.hint, path=path, excerpt=error.excerpt, offset=error.offset)
