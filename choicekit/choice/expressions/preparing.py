"""Formulas that are evaluated many times while few of their names change: what stays is worked out once."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions.evaluation import Evaluator, read_column
from choicekit.choice.expressions.expression import Expression
from choicekit.choice.expressions.functions import Array
from choicekit.choice.expressions.walking import fold, name_nodes

__all__ = ["PreparedExpression", "prepared"]


@dataclass(frozen=True)
class _Step:
    """A node that waits for names, and its operands: arrays that are known, or steps before it."""

    node: ast.expr
    operands: tuple[Array | int, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class PreparedExpression:
    """An expression that waits for some of its names; made by `prepared`.

    Attributes
    ----------
    expression : Expression
    steps : tuple of _Step
        What is left to do, operands before what is made of them.
    known : ndarray or None
        The value, where nothing is left to do.
    """

    expression: Expression
    steps: tuple[_Step, ...]
    known: Array | None

    @property
    def waits(self) -> bool:
        """Whether the value depends on any of the names waited for."""
        return self.known is None

    def evaluate(self, columns: Mapping[str, npt.ArrayLike]) -> Array:
        """Return the value, to the last bit that of `Expression.evaluate`; not to be written to.

        Parameters
        ----------
        columns : mapping of str to array_like
            Numbers for the names waited for.
        """
        if self.known is not None:
            return self.known
        values = {name: np.asarray(value, dtype=np.float64) for name, value in columns.items()}
        evaluator, done = Evaluator(self.expression.text, values), list[Array]()
        with np.errstate(all="ignore"):
            for step in self.steps:
                operands = [done[one] if isinstance(one, int) else one for one in step.operands]
                done.append(np.asarray(evaluator(step.node, operands)))
        return done[-1]


def prepared(
    expression: Expression, columns: Mapping[str, npt.ArrayLike], waiting: Collection[str]
) -> PreparedExpression:
    """Work out all of an expression that does not depend on some of its names.

    Parameters
    ----------
    expression : Expression
    columns : mapping of str to array_like
        Value of every name used but those waited for.
    waiting : collection of str
        Names of numbers that are given later, again and again.

    Raises
    ------
    ExpressionError
        As `Expression.evaluate`.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> utility = prepared(parse_expression("b * log(cost) + asc"), {"asc": 1.0, "cost": [1.0, 1.0]}, {"b"})
    >>> utility.evaluate({"b": -2.0})
    array([1., 1.])
    """
    if expression.names.isdisjoint(waiting):
        return PreparedExpression(expression=expression, steps=(), known=expression.evaluate(columns))
    first = {node.id: node for node in reversed(name_nodes(expression.tree))}
    arrays = {name: read_column(expression.text, first[name], columns[name]) for name in first if name not in waiting}
    evaluator, steps = Evaluator(expression.text, arrays), list[_Step]()

    def combine(node: ast.expr, operands: list[Array | int]) -> Array | int:
        if any(isinstance(one, int) for one in operands) or (isinstance(node, ast.Name) and node.id in waiting):
            steps.append(_Step(node, tuple(operands)))
            return len(steps) - 1
        return np.asarray(evaluator(node, [one for one in operands if not isinstance(one, int)]))

    with np.errstate(all="ignore"):
        fold(expression.tree, combine)
    return PreparedExpression(expression=expression, steps=tuple(steps), known=None)
