"""The value of a tree over columns."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions.functions import FUNCTIONS, Array, floats, truth
from choicekit.choice.expressions.operators import ARITHMETIC, COMPARISONS, MEMBERSHIP, SIGNS
from choicekit.choice.expressions.tree import list_values, not_allowed
from choicekit.choice.expressions.walking import fold, name_nodes, operands
from choicekit.choice.expressions.wording import error_at, show, spell
from choicekit.errors import ExpressionError

__all__ = ["evaluate"]

_NO_TEXT: Array = np.asarray(None, dtype=np.object_)


def evaluate(text: str, tree: ast.expr, columns: Mapping[str, npt.ArrayLike]) -> Array:
    """Return the value of `tree`, the tree of `text`, where `columns` has every name in it."""
    nodes = name_nodes(tree)
    first = {node.id: node for node in reversed(nodes)}
    found = {name: read_column(text, first[name], columns[name]) for name in sorted(first)}
    _check_shapes(text, nodes, found)
    with np.errstate(all="ignore"):
        value = np.asarray(fold(tree, Evaluator(text, found)))
    if _is_text(value):
        raise error_at(text, tree.col_offset, "the result of an expression must be numbers, found text")
    return value.copy() if isinstance(tree, ast.Name) else value


# --- columns --------------------------------------------------------------------------------------


def read_column(text: str, node: ast.Name, values: npt.ArrayLike) -> Array:
    """Return an array of float64, of bool, or of objects, which are text or None where it is missing."""

    def error(message: str, hint: str = "") -> ExpressionError:
        return error_at(text, node.col_offset, f"{show(node.id)} {message}", hint)

    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        raise error("must be an array, and its values have no common shape") from None
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind in "iuf":
        return array.astype(np.float64, copy=False)
    if array.dtype.kind not in "OUT":
        raise error(f"must hold numbers, booleans or text, found {array.dtype}")
    if array.dtype.kind == "U":
        return array.astype(object)
    stray = next((value for value in array.flat if not isinstance(value, str) and not _is_missing(value)), None)
    if stray is not None:
        hint = "give the column one numeric type, or make every value text"
        raise error(f"has an object type and must hold text, found {type(stray).__name__}", hint)
    return _elementwise((value if isinstance(value, str) else None for value in array.flat), array.shape, object)


def _is_missing(value: object) -> bool:
    # pandas' own marker is known by its name: it compares with nothing, and pandas is no concern of this module.
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def _check_shapes(text: str, nodes: Sequence[ast.Name], columns: Mapping[str, Array]) -> None:
    shape: tuple[int, ...] = ()
    for node in nodes:
        own = columns[node.id].shape
        try:
            shape = np.broadcast_shapes(shape, own)
        except ValueError:
            message = f"{show(node.id)} has shape {own}, which must fit the shape {shape} of the names before it"
            raise error_at(text, node.col_offset, message) from None


# --- nodes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evaluator:
    """Values of nodes: arrays of the kinds that `read_column` returns."""

    text: str
    columns: Mapping[str, Array]

    def __call__(self, node: ast.expr, values: list[Array]) -> Array:
        if isinstance(node, ast.Compare):
            return self._compare(node, values)
        for operand, value in zip(operands(node), values, strict=True):
            self._need_numbers(operand, value)
        match node:
            case ast.Name():
                return self.columns[node.id]
            case ast.Constant():
                return np.asarray(node.value, dtype=object if isinstance(node.value, str) else None)
            case ast.BinOp():
                return ARITHMETIC[type(node.op)](*map(floats, values))
            case ast.UnaryOp(op=ast.Not()):
                return np.logical_not(truth(values[0]))
            case ast.UnaryOp():
                return SIGNS[type(node.op)](floats(values[0]))
            case ast.BoolOp():
                join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
                return functools.reduce(join, map(truth, values))
            case ast.IfExp():
                return FUNCTIONS["where"].apply(*values)
            case ast.Call(func=ast.Name(id=name)):
                return FUNCTIONS[name].apply(*values)
        raise not_allowed(self.text, node)

    def _compare(self, node: ast.Compare, values: list[Array]) -> Array:
        nodes = operands(node)
        position, verdicts = 0, []
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, MEMBERSHIP):
                verdict = self._contains(nodes[position], values[position], list_values(self.text, right))
                verdicts.append(~verdict if isinstance(op, ast.NotIn) else verdict)
            else:
                pair = slice(position, position + 2)
                verdicts.append(self._compare_pair(op, nodes[pair], values[pair]))
                position += 1
        return functools.reduce(np.logical_and, verdicts)

    def _compare_pair(self, op: ast.cmpop, nodes: Sequence[ast.expr], values: Sequence[Array]) -> Array:
        if isinstance(op, ast.Eq | ast.NotEq) and any(_is_text(value) for value in values):
            for node, value, other in zip(nodes, values, reversed(nodes), strict=True):
                self._need_text(node, value, other)
            equal = _text_equal(*values)
            return equal if isinstance(op, ast.Eq) else ~equal
        for node, value in zip(nodes, values, strict=True):
            self._need_numbers(node, value)
        return COMPARISONS[type(op)](*map(floats, values))

    def _contains(self, node: ast.expr, value: Array, members: Sequence[object]) -> Array:
        if isinstance(members[0], str):
            self._need_text(node, value, None)
            allowed = frozenset(members)
            return _elementwise((item in allowed for item in value.flat), value.shape, np.bool_)
        self._need_numbers(node, value)
        return np.isin(floats(value), np.asarray(members, dtype=np.float64))

    def _need_numbers(self, node: ast.expr, value: Array) -> None:
        if _is_text(value):
            what = f"{show(node.id)} holds text and" if isinstance(node, ast.Name) else "a text"
            message = f"{what} can only be compared, by '==', '!=' or 'in', with text"
            hint = f"such as {spell(node.id)} == 'a'" if isinstance(node, ast.Name) else ""
            raise error_at(self.text, node.col_offset, message, hint)

    def _need_text(self, node: ast.expr, value: Array, other: ast.expr | None) -> None:
        if not _is_text(value):
            what = f"{show(node.id)} holds numbers" if isinstance(node, ast.Name) else "this is a number"
            against = f", as {show(other.id)} holds text" if isinstance(other, ast.Name) else ""
            hint = "write the number without quotes" if isinstance(node, ast.Name) and not against else ""
            raise error_at(self.text, node.col_offset, f"{what} and cannot be compared with text{against}", hint)


def _is_text(value: Array) -> bool:
    return value.dtype.kind == "O"


def _text_equal(left: Array, right: Array) -> Array:
    return np.logical_and(np.equal(left, right), np.not_equal(left, _NO_TEXT))


def _elementwise(values: Iterable[object], shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    return np.fromiter(values, dtype=dtype).reshape(shape)
