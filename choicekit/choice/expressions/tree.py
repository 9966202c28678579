"""Steps 3 and 4: build the tree from the tokens, and refuse all but the few kinds of node of the language.

`ast.parse` reads a *masked* copy of the text, in which every name, number and text is replaced by a stand-in of
the same length. The copy is one line of ASCII, so that a column in the tree is a position in the text; the parser
never sees what a user wrote, so that it normalises no name, warns of nothing, and a Python keyword or a blank may
stand in a quoted name.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from choicekit.choice.expressions.functions import FUNCTIONS, Function
from choicekit.choice.expressions.limits import MAX_DEPTH, MAX_NODES, too_deep, too_many
from choicekit.choice.expressions.operators import ARITHMETIC, COMPARISONS, MEMBERSHIP, SIGNS
from choicekit.choice.expressions.tokens import Token, text_value
from choicekit.choice.expressions.walking import operands
from choicekit.choice.expressions.wording import error_at
from choicekit.errors import ExpressionError

__all__ = ["build_tree", "check_tree", "list_values", "not_allowed"]


# --- step 3: the tree -----------------------------------------------------------------------------


def build_tree(text: str, tokens: Sequence[Token]) -> ast.expr:
    """Return the tree of tokens whose order has been checked.

    Names and texts in it are as written, numbers are float, and ``col_offset`` is a position in `text`.
    """
    masked = _mask(text, tokens)
    shift = tokens[0].start + (tokens[0].kind == "quoted")
    try:
        tree = ast.parse(masked[shift:], mode="eval").body
    except (RecursionError, MemoryError):
        raise too_deep(text, None) from None
    except (SyntaxError, ValueError, OverflowError):
        raise error_at(text, None, "this is not an expression") from None
    at = {token.start: token for token in tokens}
    quoted = [token for token in tokens if token.kind == "quoted"]
    # The stand-in of a quoted name lies between two blanks, which are its backticks.
    starts, ends = ({token.start + 1 for token in quoted}, {token.start + len(token.text) - 1 for token in quoted})
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset += shift
            node.col_offset -= node.col_offset in starts
            node.end_col_offset = (node.end_col_offset or 0) + shift
            node.end_col_offset += node.end_col_offset in ends
        if isinstance(node, ast.Name):
            token = at[node.col_offset]
            node.id = token.text[1:-1] if token.kind == "quoted" else token.text
        elif isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            token = at[node.col_offset]
            node.value = text_value(text, token.text, token.start) if token.kind == "text" else float(token.text)
    return tree


def _mask(text: str, tokens: Sequence[Token]) -> str:
    """Copy `text` to one line of ASCII, position for position, with a stand-in for every value."""
    masked = [" "] * len(text)
    for token in tokens:
        masked[token.start : token.start + len(token.text)] = _stand_in(token)
    return "".join(masked)


def _stand_in(token: Token) -> str:
    length = len(token.text)
    match token.kind:
        case "name":
            return "_" * length
        case "quoted":
            # Between blanks: backticks part it from a word that they touch.
            return " " + "_" * (length - 2) + " "
        case "number":
            # Mostly a fraction: the digits of a long integer would be counted by the parser.
            return ("1." + "0" * length)[:length]
        case "text":
            return '"' + "_" * (length - 2) + '"'
        case _:
            return re.sub(r"\s", " ", token.text)


# --- step 4: what the tree may hold ---------------------------------------------------------------


def check_tree(text: str, tree: ast.expr) -> None:
    """Refuse every node that is not listed here, and trees that are too large."""
    offsets = sorted(node.col_offset for node in ast.walk(tree) if isinstance(node, ast.expr))
    if len(offsets) > MAX_NODES:
        raise too_many(text, offsets[MAX_NODES])
    places_of_texts: set[int] = set()
    pending = [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise too_deep(text, node.col_offset)
        _check_node(text, node, places_of_texts)
        for operand in reversed(operands(node)):
            # A run of operators leans to the left: a + b + c + d is no deeper than a + b.
            runs_on = isinstance(node, ast.BinOp) and isinstance(operand, ast.BinOp) and operand is node.left
            pending.append((operand, depth if runs_on else depth + 1))


def _check_node(text: str, node: ast.expr, places_of_texts: set[int]) -> None:
    match node:
        case ast.Name() | ast.IfExp() | ast.BoolOp():
            return
        case ast.UnaryOp() if isinstance(node.op, ast.Not) or type(node.op) in SIGNS:
            return
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            return
        case ast.Constant(value=bool() | float()):
            return
        case ast.Constant(value=str()):
            if id(node) not in places_of_texts:
                hint = "write a column in backticks, not in quotes"
                raise error_at(text, node.col_offset, "a text is only allowed beside '==', '!=' or 'in'", hint)
        case ast.Compare() if all(isinstance(op, MEMBERSHIP) or type(op) in COMPARISONS for op in node.ops):
            _check_lists(text, node)
            places_of_texts.update(map(id, _places_of_texts(node)))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
            _check_arity(text, node, FUNCTIONS[name])
        case ast.Tuple() | ast.List():
            hint = "such as x in [1, 2]" if node.elts else ""
            raise error_at(text, node.col_offset, "a list of values is only allowed after 'in'", hint)
        case _:
            raise not_allowed(text, node)


def _check_lists(text: str, node: ast.Compare) -> None:
    for position, (op, right) in enumerate(zip(node.ops, node.comparators, strict=True), start=1):
        if isinstance(op, MEMBERSHIP):
            list_values(text, right)
            if position < len(node.ops):
                message = "a list after 'in' cannot be compared any further"
                raise error_at(text, right.col_offset, message, "join two comparisons by 'and'")


def _places_of_texts(node: ast.Compare) -> list[ast.expr]:
    """Sides of a comparison that stand beside ``==``, ``!=`` or ``in`` alone."""
    equality = (ast.Eq, ast.NotEq, *MEMBERSHIP)
    return [
        side
        for position, side in enumerate([node.left, *node.comparators])
        if all(isinstance(op, equality) for op in node.ops[max(position - 1, 0) : position + 1])
    ]


def _check_arity(text: str, node: ast.Call, function: Function) -> None:
    if function.accepts(len(node.args)):
        return
    least, most = function.arity
    count = f"{least} argument{'s' if least > 1 else ''}" if most == least else f"at least {least} arguments"
    raise error_at(text, node.col_offset, f"'{function.name}' takes {count}, found {len(node.args)}")


def list_values(text: str, node: ast.expr) -> list[float | str]:
    """Return the values of the literal list after ``in``, which are all numbers or all texts."""
    elements = node.elts if isinstance(node, ast.Tuple | ast.List) else []
    if not elements:
        hint = "such as [1, 2] or ['a', 'b']"
        raise error_at(text, node.col_offset, "'in' must be followed by a list of numbers or texts", hint)
    values = [_literal(text, element) for element in elements]
    for element, value in zip(elements, values, strict=True):
        if isinstance(value, str) != isinstance(values[0], str):
            raise error_at(text, element.col_offset, "a list must hold numbers only or texts only")
    return values


def _literal(text: str, node: ast.expr) -> float | str:
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.Constant(value=bool() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=ast.Constant(value=float() as value)):
            return -value if isinstance(sign, ast.USub) else value
    raise error_at(text, node.col_offset, "a list after 'in' must hold plain numbers or texts")


def not_allowed(text: str, node: ast.expr) -> ExpressionError:
    """Return the error of a kind of node that the language does not have."""
    return error_at(text, node.col_offset, "this is not allowed in an expression")
