"""The terms of the sum that an expression is."""

from __future__ import annotations

import ast
from collections import Counter

from choicekit.choice.expressions.expression import Expression
from choicekit.choice.expressions.walking import name_nodes

__all__ = ["own_terms"]


def own_terms(expression: Expression) -> frozenset[str]:
    """Return the names that are added as they are, once, and are used nowhere else: so stand constants.

    Parameters
    ----------
    expression : Expression
        The formula.

    Returns
    -------
    frozenset of str
        Names that are a term of the outermost sum with the coefficient +1. Raising one of them by d raises the
        expression by d, whatever the other columns hold.

    Notes
    -----
    The form decides and not algebra: ``asc * 1`` and ``asc + 0 * asc`` have no term of their own. Signs are followed
    through parentheses: ``x - (b - asc)`` has ``asc``.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> own_terms(parse_expression("asc + b_cost * cost"))
    frozenset({'asc'})
    >>> own_terms(parse_expression("asc * 2 + b_cost * cost - asc"))
    frozenset()
    """
    uses = Counter(node.id for node in name_nodes(expression.tree))
    return frozenset(name for name in _added(expression.tree) if uses[name] == 1)


def _added(tree: ast.expr) -> list[str]:
    """Names among the terms of the outermost sum that have the sign +."""
    names, pending = [], [(tree, True)]
    while pending:
        node, positive = pending.pop()
        match node:
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                pending += [(node.left, positive), (node.right, positive == isinstance(node.op, ast.Add))]
            case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
                pending.append((node.operand, positive == isinstance(node.op, ast.UAdd)))
            case ast.Name() if positive:
                names.append(node.id)
    return names
