"""The slope of an expression in one of its columns or coefficients."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions.evaluation import Evaluator, read_column
from choicekit.choice.expressions.expression import Expression
from choicekit.choice.expressions.functions import FUNCTIONS, Array, floats, truth
from choicekit.choice.expressions.walking import fold, name_nodes

__all__ = ["derivative"]


def derivative(expression: Expression, name: str, columns: Mapping[str, npt.ArrayLike]) -> Array:
    """Return the partial derivative of `expression` in the column or coefficient `name`, elementwise.

    Parameters
    ----------
    expression : Expression
        The formula.
    name : str
        What changes; everything else is held. A name that the expression does not use gives 0 everywhere.
    columns : mapping of str to array_like
        Value of every name used, as for `Expression.evaluate`.

    Returns
    -------
    ndarray
        float64, in units of the expression per unit of `name`; shape of the evaluated expression.

    Raises
    ------
    ExpressionError
        As `Expression.evaluate` does.

    Notes
    -----
    Exact but for rounding: every operator and function passes on its slope by the chain rule, forwards.

    - At a kink the slope is the mean of the one-sided slopes of the whole formula: 0 for ``abs(x)`` at 0, one half for
      ``min(x, c)`` at c and for ``clip(x, lo, hi)`` at either end.
    - Conditions (comparisons, ``and or not in``), ``floor``, ``ceil``, ``round`` and ``//`` have slope 0 everywhere,
      at their jumps too; ``a % b`` has that of ``a - (a // b) * b``. ``where`` and ``if else`` have the slope of the
      branch that is taken, and so what the other one does is never seen.
    - A part that stands still has slope 0 however steep what is made of it: ``sqrt(max(x, 0))`` is flat below 0.
      ``a ** b`` with b > 0 has slope 0 in b where a is 0, and none (nan) where a is negative.
    - Where the value is nan the slope is nan; where the slope is without bound it is inf or -inf, as ``sqrt(x)`` at 0.
      Neither gives a warning.
    - Where a part with slope 0 meets one without bound, as in ``sqrt(x - x)`` or ``sqrt(x ** 2)`` at 0, the product
      cannot be told from these two and is nan.

    References
    ----------
    Griewank, A. and Walther, A. (2008), Evaluating Derivatives, 2nd edition, SIAM, sections 3.1 (forward mode) and
    14.2 (one-sided derivatives of abs, min and max).

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> utility = parse_expression("asc + b_cost * log(cost)")
    >>> derivative(utility, "cost", {"asc": 1.0, "b_cost": -2.0, "cost": [1, 2, 4]})
    array([-2. , -1. , -0.5])
    >>> derivative(utility, "income", {"asc": 1.0, "b_cost": -2.0, "cost": [1, 2, 4]})
    array([0., 0., 0.])
    """
    value = expression.evaluate(columns)
    if name not in expression.names:
        return np.zeros(value.shape)
    used = {node.id: node for node in name_nodes(expression.tree)}
    arrays = {key: read_column(expression.text, node, columns[key]) for key, node in used.items()}
    evaluator = Evaluator(expression.text, arrays)
    with np.errstate(all="ignore"):
        slope = fold(expression.tree, _Slopes(evaluator, name, 1.0)).slope
        if _may_have_kinks(expression.tree):
            slope = 0.5 * slope - 0.5 * fold(expression.tree, _Slopes(evaluator, name, -1.0)).slope
    return np.where(np.isnan(floats(value)), np.nan, slope)


@dataclass(frozen=True)
class _Part:
    """A node: its value, its one-sided slope, and where it moves with the name (elsewhere its slope is 0)."""

    value: Array
    slope: Array
    moves: Array


_Rule = Callable[[Array, Sequence[_Part]], _Part]
"""Takes a node's value and its operands."""


@dataclass(frozen=True)
class _Slopes:
    """Parts of nodes where the name moves in `direction`, 1 or -1: the slope is the change per unit of that way."""

    evaluator: Evaluator
    name: str
    direction: float

    def __call__(self, node: ast.expr, parts: list[_Part]) -> _Part:
        value = self.evaluator(node, [part.value for part in parts])
        if isinstance(node, ast.Name) and node.id == self.name:
            return _Part(value, np.asarray(self.direction), np.asarray(True))
        return _rule_of(node)(value, parts)


def _rule_of(node: ast.expr) -> _Rule:
    match node:
        case ast.BinOp() | ast.UnaryOp():
            return _OPERATORS[type(node.op)]
        case ast.IfExp():
            return _FUNCTIONS["where"]
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name]
        case _:
            return _flat


def _may_have_kinks(tree: ast.expr) -> bool:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and function.id in _KINKED for function in calls)


# --- rules ----------------------------------------------------------------------------------------


def _flat(value: Array, parts: Sequence[_Part]) -> _Part:
    return _Part(value, np.asarray(0.0), np.asarray(False))


def _smooth(*partials: Callable[..., Array | float]) -> _Rule:
    """Return the chain rule, given for each operand the partial derivative, a function of the value and all operands.

    One whose operand stands still is never asked.
    """

    def rule(value: Array, parts: Sequence[_Part]) -> _Part:
        operands = [floats(part.value) for part in parts]
        slope, moves = np.asarray(0.0), np.asarray(False)
        for partial, part in zip(partials, parts, strict=True):
            if part.moves.any():
                change = partial(value, *operands) * part.slope
                slope = slope + np.where(part.moves, change, 0.0)
                moves = moves | part.moves
        return _Part(value, slope, moves)

    return rule


def _power_by_base(value: Array, base: Array, exponent: Array) -> Array:
    return np.where(exponent == 0, 0.0, exponent * np.power(base, exponent - 1.0))


def _power_by_exponent(value: Array, base: Array, exponent: Array) -> Array:
    return np.where(value == 0, 0.0, value * np.log(base))


def _abs(value: Array, parts: Sequence[_Part]) -> _Part:
    (part,) = parts
    sign = np.sign(floats(part.value))
    return _Part(value, np.where(sign == 0, np.abs(part.slope), sign * part.slope), part.moves)


def _where(value: Array, parts: Sequence[_Part]) -> _Part:
    condition, yes, no = parts
    taken = truth(condition.value)
    return _Part(value, np.where(taken, yes.slope, no.slope), np.where(taken, yes.moves, no.moves))


def _min(value: Array, parts: Sequence[_Part]) -> _Part:
    return _extreme(np.minimum, np.inf, value, parts)


def _max(value: Array, parts: Sequence[_Part]) -> _Part:
    return _extreme(np.maximum, -np.inf, value, parts)


def _extreme(pick: np.ufunc, never: float, value: Array, parts: Sequence[_Part]) -> _Part:
    """Among those that are least now, the one that falls fastest is least a little later."""
    reached = [floats(part.value) == value for part in parts]
    slopes = [np.where(here, part.slope, never) for here, part in zip(reached, parts, strict=True)]
    moves = [here & part.moves for here, part in zip(reached, parts, strict=True)]
    return _Part(value, functools.reduce(pick, slopes), functools.reduce(np.logical_or, moves))


def _clip(value: Array, parts: Sequence[_Part]) -> _Part:
    part, low, high = parts
    raised = _max(FUNCTIONS["max"].apply(part.value, low.value), [part, low])
    return _min(value, [raised, high])


_OPERATORS: Mapping[type[ast.operator | ast.unaryop], _Rule] = {
    ast.Add: _smooth(lambda y, a, b: 1.0, lambda y, a, b: 1.0),
    ast.Sub: _smooth(lambda y, a, b: 1.0, lambda y, a, b: -1.0),
    ast.Mult: _smooth(lambda y, a, b: b, lambda y, a, b: a),
    ast.Div: _smooth(lambda y, a, b: 1.0 / b, lambda y, a, b: -y / b),
    ast.FloorDiv: _flat,
    ast.Mod: _smooth(lambda y, a, b: 1.0, lambda y, a, b: -np.floor_divide(a, b)),
    ast.Pow: _smooth(_power_by_base, _power_by_exponent),
    ast.UAdd: _smooth(lambda y, a: 1.0),
    ast.USub: _smooth(lambda y, a: -1.0),
    ast.Not: _flat,
}
_FUNCTIONS: Mapping[str, _Rule] = {
    "log": _smooth(lambda y, x: 1.0 / x),
    "log1p": _smooth(lambda y, x: 1.0 / (1.0 + x)),
    "exp": _smooth(lambda y, x: y),
    "sqrt": _smooth(lambda y, x: 0.5 / y),
    "abs": _abs,
    "min": _min,
    "max": _max,
    "where": _where,
    "clip": _clip,
    "floor": _flat,
    "ceil": _flat,
    "round": _flat,
}
_KINKED = frozenset({"abs", "min", "max", "clip"})
