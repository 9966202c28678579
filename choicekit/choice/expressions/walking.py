"""Ways through the tree of an expression."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TypeVar

from choicekit.choice.expressions.operators import MEMBERSHIP

__all__ = ["fold", "name_nodes", "operands"]

Result = TypeVar("Result")


def operands(node: ast.expr) -> list[ast.expr]:
    """Return the parts of `node` that have values of their own.

    Neither the name of a function nor the list after ``in`` is among them.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> [operand.id for operand in operands(parse_expression("where(a, b, c)").tree)]
    ['a', 'b', 'c']
    """
    match node:
        case ast.BinOp():
            return [node.left, node.right]
        case ast.UnaryOp():
            return [node.operand]
        case ast.BoolOp():
            return node.values
        case ast.IfExp():
            return [node.test, node.body, node.orelse]
        case ast.Call():
            return node.args
        case ast.Compare():
            pairs = zip(node.ops, node.comparators, strict=True)
            return [node.left, *(right for op, right in pairs if not isinstance(op, MEMBERSHIP))]
        case _:
            return []


def fold(tree: ast.expr, combine: Callable[[ast.expr, list[Result]], Result]) -> Result:
    """Return the result of `combine` at the root, each node given the results of its operands.

    A loop and not a recursion: a sum of hundreds of terms is a tree hundreds of levels deep.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> fold(parse_expression("a + b * 2").tree, lambda node, counts: 1 + sum(counts))
    5
    """
    order = _walk(tree)
    results: list[Result] = []
    for node in reversed(order):
        first = len(results) - len(operands(node))
        arguments = results[first:]
        del results[first:]
        results.append(combine(node, arguments))
    return results[0]


def _walk(tree: ast.expr) -> list[ast.expr]:
    """Every node with a value, parents first; reversed, operands come from left to right before their parent."""
    order, pending = [], [tree]
    while pending:
        node = pending.pop()
        order.append(node)
        pending.extend(operands(node))
    return order


def name_nodes(tree: ast.expr) -> list[ast.Name]:
    """Return every use of a column or coefficient, in the order of the text."""
    nodes = [node for node in _walk(tree) if isinstance(node, ast.Name)]
    return sorted(nodes, key=lambda node: node.col_offset)
