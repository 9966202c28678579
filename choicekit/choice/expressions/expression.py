"""A formula that has been read, and the one way to read it."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy.typing as npt

from choicekit.choice.expressions.evaluation import evaluate
from choicekit.choice.expressions.functions import Array
from choicekit.choice.expressions.grammar import check_order
from choicekit.choice.expressions.limits import MAX_CHARACTERS, too_long
from choicekit.choice.expressions.tokens import read_tokens
from choicekit.choice.expressions.tree import build_tree, check_tree
from choicekit.choice.expressions.walking import name_nodes
from choicekit.choice.expressions.wording import error_at, show, spell
from choicekit.errors import ExpressionError
from choicekit.suggestions import suggest

__all__ = ["Expression", "parse_expression"]


@dataclass(frozen=True)
class Expression:
    """A formula that has been read; two are equal where their texts are. Made by `parse_expression`.

    Attributes
    ----------
    text : str
        The formula as written.
    names : frozenset of str
        Columns and coefficients it uses; functions are not among them.
    tree : ast.expr
        Its syntax tree. Names and texts are as written, numbers are float, and ``col_offset`` is a
        zero-based position in `text`, in characters, whatever lines or alphabets the text has.

    Examples
    --------
    >>> utility = parse_expression("asc + b_cost * log(cost)")
    >>> sorted(utility.names)
    ['asc', 'b_cost', 'cost']
    >>> utility.evaluate({"asc": 1.0, "b_cost": -2.0, "cost": [1.0, 1.0]})
    array([1., 1.])
    """

    text: str
    names: frozenset[str] = field(compare=False, repr=False)
    tree: ast.expr = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text

    def evaluate(self, columns: Mapping[str, npt.ArrayLike]) -> Array:
        """Return the value of the expression, elementwise over `columns`.

        Parameters
        ----------
        columns : mapping of str to array_like
            Value of every name used, of any shapes that broadcast: a number, a column of shape (N,).
            Numbers and booleans are numeric; text and object arrays are text.

        Returns
        -------
        ndarray
            float64, or bool where the expression is a condition; shape of the names used, broadcast.
            Never a view of a column.

        Raises
        ------
        ExpressionError
            A name is missing, shapes do not fit, or text stands where a number must.

        Notes
        -----
        Integers become float64 before anything else (exact up to 2**53) and booleans count as 0 and 1
        in arithmetic. Division by zero, overflow and the like give inf or nan without a warning: the
        caller judges the result. A comparison with nan is False; a condition that is a number counts
        as true unless it is 0, so nan counts as true. A missing text equals nothing, not even another.

        Examples
        --------
        >>> parse_expression("time * 2 if mode == 'air' else 0").evaluate({"time": [1, 2], "mode": ["air", "bus"]})
        array([2., 0.])
        """
        for error in self._unknown_names(columns):
            raise error
        return evaluate(self.text, self.tree, columns)

    def check(self, known: Collection[str]) -> list[ExpressionError]:
        """Return one error for every name that is not `known`, in the order of the text.

        Parameters
        ----------
        known : collection of str
            Columns and coefficients there are.

        Returns
        -------
        list of ExpressionError
            Empty where every name is known. A name used several times is reported where it is first.

        Examples
        --------
        >>> for error in parse_expression("asc + b_cst * cost").check({"asc", "b_cost", "cost"}):
        ...     print(error)
        unknown name 'b_cst', did you mean 'b_cost'?
            asc + b_cst * cost
                  ^
        """
        return list(self._unknown_names(known))

    def _unknown_names(self, known: Collection[str]) -> Iterator[ExpressionError]:
        seen: set[str] = set()
        for node in name_nodes(self.tree):
            if node.id not in known and node.id not in seen:
                seen.add(node.id)
                # Only as many suggestions as anybody reads: each is a search through all known names.
                hint = suggest(node.id, map(spell, known)) if len(seen) <= 20 else ""
                yield error_at(self.text, node.col_offset, f"unknown name {show(node.id)}", hint)


def parse_expression(text: str) -> Expression:
    """Read a formula; nothing is evaluated and nothing is looked up.

    Parameters
    ----------
    text : str
        The formula. Line breaks count as blanks. At most 2,000 characters, 500 nodes and depth 50, where a
        run such as ``a + b + c`` is one level.

    Returns
    -------
    Expression
        The formula, ready to be checked against names and evaluated.

    Raises
    ------
    ExpressionError
        The text is not a formula of the language; `offset` points at the fault.

    Notes
    -----
    There are ``+ - * / // % **``, comparisons (chains too), ``and or not``, ``a if condition else b``, numbers,
    ``True`` and ``False``, calls of `FUNCTIONS`, ``x in [1, 2]``, and texts in single or double quotes beside ``==``,
    ``!=`` or ``in`` (a backslash stands before a quote or a backslash in it). Precedence is Python's: ``-a ** 2`` is
    ``-(a ** 2)``. A column whose name is not a plain word is written in backticks: ```travel time` * 2``.

    Examples
    --------
    >>> str(parse_expression("b_time * min(time, 60)"))
    'b_time * min(time, 60)'
    >>> parse_expression("b_time x 60")
    Traceback (most recent call last):
    choicekit.errors.ExpressionError: an operator is missing before 'x', write '*' to multiply
        b_time x 60
               ^
    """
    if not isinstance(text, str):
        raise ExpressionError(f"an expression must be text, found {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise too_long(text)
    tokens = read_tokens(text)
    check_order(text, tokens)
    tree = build_tree(text, tokens)
    check_tree(text, tree)
    return Expression(text, frozenset(node.id for node in name_nodes(tree)), tree)
