"""Other formulas in the place of names."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from choicekit.choice.expressions.expression import Expression, parse_expression
from choicekit.choice.expressions.walking import name_nodes
from choicekit.errors import ExpressionError

__all__ = ["substituted"]


def substituted(expression: Expression, replacements: Mapping[str, Expression]) -> Expression:
    """Return the expression in which other formulas stand in the place of names, all put in at once.

    Parameters
    ----------
    expression : Expression
        The formula.
    replacements : mapping of str to Expression
        Formula for each name that is replaced. One that uses the name itself means its old value; names that
        `expression` does not use change nothing.

    Returns
    -------
    Expression
        Its value is, to the last bit, that of `expression` over columns in which each name has the value of its
        replacement. `expression` itself where it uses none of the names.

    Raises
    ------
    ExpressionError
        The new formula is beyond the limits of the language; its text and the place are those of the new formula.

    Notes
    -----
    The replacement is made in the text, in parentheses where it is more than a name or a plain number, so that later
    errors point into a formula that can be shown. Texts in quotes and names of functions are left alone, also where a
    column has that name.

    Examples
    --------
    >>> utility = parse_expression("asc - gc ** 2 * (mode == 'gc')")
    >>> print(substituted(utility, {"gc": parse_expression("0.8 * gc"), "asc": parse_expression("1.5")}))
    1.5 - (0.8 * gc) ** 2 * (mode == 'gc')
    """
    nodes = [node for node in name_nodes(expression.tree) if node.id in replacements]
    if not nodes:
        return expression
    pieces, end = [], 0
    for node in nodes:
        before, after = _around(expression.text, node)
        pieces += [expression.text[end : node.col_offset], _written(replacements[node.id], before + after)]
        end = node.end_col_offset or 0
    return _parse("".join([*pieces, expression.text[end:]]))


def _around(text: str, node: ast.Name) -> tuple[str, str]:
    start, end = node.col_offset, node.end_col_offset or 0
    return text[max(start - 1, 0) : start], text[end : end + 1]


def _written(replacement: Expression, neighbours: str) -> str:
    """Return the text to put in; a name in backticks may touch words on both sides, what replaces it may not."""
    text = replacement.text.strip()
    touched = any(neighbour.isalnum() or neighbour == "_" for neighbour in neighbours)
    plain = isinstance(replacement.tree, ast.Name | ast.Constant) and not touched
    return text if plain else f"({text})"


def _parse(text: str) -> Expression:
    try:
        return parse_expression(text)
    except ExpressionError as error:
        raise ExpressionError(
            f"with its changes the formula is too large: {error.message}",
            expression=error.expression,
            offset=error.offset,
            hint="shorten the formula or its changes",
        ) from None
