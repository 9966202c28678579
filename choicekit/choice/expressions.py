"""The formulas of scenarios: a small, safe language over columns and coefficients.

A formula is read in four steps, each of which refuses what the next must not see:

1. `_read_tokens` cuts the text into names, numbers, texts and operators; any other character is an error.
2. `_check_order` walks the tokens once and finds every grammatical fault, with our own words.
3. `ast.parse` builds the tree from a *masked* copy of the text, in which every name, number and text is
   replaced by a stand-in of the same length. The copy is one line of ASCII, so that a column in the tree
   is a position in the text; the parser never sees what a user wrote, so that it normalises no name, warns
   of nothing, and a Python keyword or a blank may stand in a quoted name.
4. `_check_tree` lets through the few kinds of node listed there and nothing else.

Nothing is ever executed: evaluation walks the tree over arrays.
"""

from __future__ import annotations

import ast
import functools
import itertools
import keyword
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from choicekit.errors import ExpressionError
from choicekit.suggestions import suggest

__all__ = ["FUNCTIONS", "Expression", "Function", "fold", "operands", "parse_expression"]

Array = npt.NDArray[Any]
Result = TypeVar("Result")

MAX_CHARACTERS = 2_000
MAX_NODES = 500
MAX_DEPTH = 50


# --- functions ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function of the expression language.

    Attributes
    ----------
    name : str
        The name written in an expression.
    arity : tuple of (int, int or None)
        Least and greatest number of arguments; None is no upper limit.
    apply : callable
        Takes arrays, returns an array; elementwise and broadcasting.
    description : str
        One line for lists and help.
    """

    name: str
    arity: tuple[int, int | None]
    apply: Callable[..., Array]
    description: str

    def accepts(self, count: int) -> bool:
        """Whether the function takes `count` arguments."""
        least, most = self.arity
        return count >= least and (most is None or count <= most)


def _floats(value: Array) -> Array:
    return np.asarray(value, dtype=np.float64)


def _truth(value: Array) -> Array:
    return value if value.dtype.kind == "b" else np.not_equal(value, 0.0)


def _where(condition: Array, yes: Array, no: Array) -> Array:
    if not (yes.dtype.kind == no.dtype.kind == "b"):
        yes, no = _floats(yes), _floats(no)
    return np.where(_truth(condition), yes, no)


def _on_floats(function: Callable[..., Array]) -> Callable[..., Array]:
    # NumPy would take the logarithm of a bool array in half precision.
    @functools.wraps(function)
    def apply(*arguments: Array) -> Array:
        return function(*map(_floats, arguments))

    return apply


def _minimum(*values: Array) -> Array:
    return functools.reduce(np.minimum, values)


def _maximum(*values: Array) -> Array:
    return functools.reduce(np.maximum, values)


def _clip(value: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(value, low), high)


_UNARY_ARITY = (1, 1)

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        function.name: function
        for function in (
            Function(name="log", arity=_UNARY_ARITY, apply=_on_floats(np.log), description="natural logarithm"),
            Function(name="log1p", arity=_UNARY_ARITY, apply=_on_floats(np.log1p), description="log(1 + x)"),
            Function(name="exp", arity=_UNARY_ARITY, apply=_on_floats(np.exp), description="e to the power x"),
            Function(name="sqrt", arity=_UNARY_ARITY, apply=_on_floats(np.sqrt), description="square root"),
            Function(name="abs", arity=_UNARY_ARITY, apply=_on_floats(np.abs), description="absolute value"),
            Function(name="min", arity=(2, None), apply=_on_floats(_minimum), description="smallest argument"),
            Function(name="max", arity=(2, None), apply=_on_floats(_maximum), description="largest argument"),
            Function(name="where", arity=(3, 3), apply=_where, description="where(c, a, b): a where c holds, else b"),
            Function(
                name="clip", arity=(3, 3), apply=_on_floats(_clip), description="clip(x, lo, hi): x kept in [lo, hi]"
            ),
            Function(name="floor", arity=_UNARY_ARITY, apply=_on_floats(np.floor), description="largest integer <= x"),
            Function(name="ceil", arity=_UNARY_ARITY, apply=_on_floats(np.ceil), description="smallest integer >= x"),
            Function(
                name="round", arity=_UNARY_ARITY, apply=_on_floats(np.rint), description="nearest integer, ties to even"
            ),
        )
    }
)


# --- the expression -------------------------------------------------------------------------------


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
        found = {name: self._column(name, columns[name]) for name in sorted(self.names)}
        self._check_shapes(found)
        with np.errstate(all="ignore"):
            value = np.asarray(fold(self.tree, _Evaluator(self.text, found)))
        if value.dtype.kind == "O":
            raise self._error(self.tree, "the result of an expression must be numbers, found text")
        return value.copy() if isinstance(self.tree, ast.Name) else value

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
        for node in self._name_nodes():
            if node.id not in known and node.id not in seen:
                seen.add(node.id)
                # Only as many suggestions as anybody reads: each is a search through all known names.
                hint = suggest(node.id, map(_spell, known)) if len(seen) <= 20 else ""
                yield self._error(node, f"unknown name {_show(node.id)}", hint)

    def _name_nodes(self) -> list[ast.Name]:
        nodes = [node for node in _walk(self.tree) if isinstance(node, ast.Name)]
        return sorted(nodes, key=lambda node: node.col_offset)

    def _column(self, name: str, values: npt.ArrayLike) -> Array:
        try:
            array = np.asarray(values)
        except (ValueError, TypeError):
            raise self._name_error(name, "must be an array, and its values have no common shape") from None
        if array.dtype.kind == "b":
            return array
        if array.dtype.kind in "iuf":
            return array.astype(np.float64, copy=False)
        if array.dtype.kind not in "OUT":
            raise self._name_error(name, f"must hold numbers, booleans or text, found {array.dtype}")
        if array.dtype.kind == "U":
            return array.astype(object)
        stray = next((value for value in array.flat if not isinstance(value, str) and not _is_missing(value)), None)
        if stray is not None:
            hint = "give the column one numeric type, or make every value text"
            raise self._name_error(name, f"has an object type and must hold text, found {type(stray).__name__}", hint)
        return _elementwise((value if isinstance(value, str) else None for value in array.flat), array.shape, object)

    def _check_shapes(self, columns: Mapping[str, Array]) -> None:
        shape: tuple[int, ...] = ()
        for node in self._name_nodes():
            try:
                shape = np.broadcast_shapes(shape, columns[node.id].shape)
            except ValueError:
                message = f"has shape {columns[node.id].shape}, which must fit the shape {shape} of the names before it"
                raise self._name_error(node.id, message) from None

    def _name_error(self, name: str, message: str, hint: str = "") -> ExpressionError:
        node = next(node for node in self._name_nodes() if node.id == name)
        return self._error(node, f"{_show(name)} {message}", hint)

    def _error(self, node: ast.expr, message: str, hint: str = "") -> ExpressionError:
        return ExpressionError(message, expression=self.text, offset=node.col_offset, hint=hint)


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
        message = f"an expression has at most {MAX_CHARACTERS:,} characters, found {len(text):,}"
        raise _error(text, MAX_CHARACTERS, message, _SPLIT_HINT)
    tokens = _read_tokens(text)
    _check_order(text, tokens)
    tree = _build_tree(text, tokens)
    _check_tree(text, tree)
    return Expression(text, _column_names(tree), tree)


# --- walking the tree -----------------------------------------------------------------------------


def operands(node: ast.expr) -> list[ast.expr]:
    """Return the parts of `node` that have values of their own.

    Neither the name of a function nor the list after ``in`` is among them.

    Examples
    --------
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
            return [node.left, *(right for op, right in pairs if not isinstance(op, _MEMBERSHIP))]
        case _:
            return []


def fold(tree: ast.expr, combine: Callable[[ast.expr, list[Result]], Result]) -> Result:
    """Return the result of `combine` at the root, each node given the results of its operands.

    A loop and not a recursion: a sum of hundreds of terms is a tree hundreds of levels deep.

    Examples
    --------
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


def _column_names(tree: ast.expr) -> frozenset[str]:
    return frozenset(node.id for node in _walk(tree) if isinstance(node, ast.Name))


# --- evaluation -----------------------------------------------------------------------------------

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Array, Array], Array]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
_MEMBERSHIP = (ast.In, ast.NotIn)
_SIGNS: Mapping[type[ast.unaryop], Callable[[Array], Array]] = {ast.UAdd: np.positive, ast.USub: np.negative}


@dataclass(frozen=True)
class _Evaluator:
    """Values of nodes: arrays of float64, of bool, or of objects, which are text or None where it is missing."""

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
                return _ARITHMETIC[type(node.op)](*map(_floats, values))
            case ast.UnaryOp(op=ast.Not()):
                return np.logical_not(_truth(values[0]))
            case ast.UnaryOp():
                return _SIGNS[type(node.op)](_floats(values[0]))
            case ast.BoolOp():
                join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
                return functools.reduce(join, map(_truth, values))
            case ast.IfExp():
                return _where(*values)
            case ast.Call(func=ast.Name(id=name)):
                return FUNCTIONS[name].apply(*values)
        raise _not_allowed(self.text, node)

    def _compare(self, node: ast.Compare, values: list[Array]) -> Array:
        nodes = operands(node)
        position, verdicts = 0, []
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, _MEMBERSHIP):
                verdict = self._contains(nodes[position], values[position], _list_values(self.text, right))
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
        return _COMPARISONS[type(op)](*map(_floats, values))

    def _contains(self, node: ast.expr, value: Array, members: Sequence[object]) -> Array:
        if isinstance(members[0], str):
            self._need_text(node, value, None)
            allowed = frozenset(members)
            return _elementwise((item in allowed for item in value.flat), value.shape, np.bool_)
        self._need_numbers(node, value)
        return np.isin(_floats(value), np.asarray(members, dtype=np.float64))

    def _need_numbers(self, node: ast.expr, value: Array) -> None:
        if _is_text(value):
            what = f"{_show(node.id)} holds text and" if isinstance(node, ast.Name) else "a text"
            message = f"{what} can only be compared, by '==', '!=' or 'in', with text"
            hint = f"such as {_spell(node.id)} == 'a'" if isinstance(node, ast.Name) else ""
            raise _error(self.text, node.col_offset, message, hint)

    def _need_text(self, node: ast.expr, value: Array, other: ast.expr | None) -> None:
        if not _is_text(value):
            what = f"{_show(node.id)} holds numbers" if isinstance(node, ast.Name) else "this is a number"
            against = f", as {_show(other.id)} holds text" if isinstance(other, ast.Name) else ""
            hint = "write the number without quotes" if isinstance(node, ast.Name) and not against else ""
            raise _error(self.text, node.col_offset, f"{what} and cannot be compared with text{against}", hint)


_NO_TEXT: Array = np.asarray(None, dtype=np.object_)


def _is_text(value: Array) -> bool:
    return value.dtype.kind == "O"


def _is_missing(value: object) -> bool:
    # pandas' own marker is known by its name: it compares with nothing, and pandas is no concern of this module.
    return value is None or type(value).__name__ == "NAType" or (isinstance(value, float) and value != value)


def _text_equal(left: Array, right: Array) -> Array:
    return np.logical_and(np.equal(left, right), np.not_equal(left, _NO_TEXT))


def _elementwise(values: Iterable[object], shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    return np.fromiter(values, dtype=dtype).reshape(shape)


def _list_values(text: str, node: ast.expr) -> list[float | str]:
    """Values of the literal list after ``in``, which are all numbers or all texts."""
    elements = node.elts if isinstance(node, ast.Tuple | ast.List) else []
    if not elements:
        hint = "such as [1, 2] or ['a', 'b']"
        raise _error(text, node.col_offset, "'in' must be followed by a list of numbers or texts", hint)
    values = [_literal(text, element) for element in elements]
    for element, value in zip(elements, values, strict=True):
        if isinstance(value, str) != isinstance(values[0], str):
            raise _error(text, element.col_offset, "a list must hold numbers only or texts only")
    return values


def _literal(text: str, node: ast.expr) -> float | str:
    match node:
        case ast.Constant(value=str() as value):
            return value
        case ast.Constant(value=bool() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub() as sign, operand=ast.Constant(value=float() as value)):
            return -value if isinstance(sign, ast.USub) else value
    raise _error(text, node.col_offset, "a list after 'in' must hold plain numbers or texts")


# --- errors ---------------------------------------------------------------------------------------

_SPLIT_HINT = "split it into several expressions"


def _error(text: str, offset: int | None, message: str, hint: str = "") -> ExpressionError:
    return ExpressionError(message, expression=text, offset=offset, hint=hint)


def _show(word: str) -> str:
    """`word` in quotes, shortened, with nothing in it that moves the cursor."""
    return repr(word if len(word) <= 40 else word[:39] + "…")


def _spell(name: str) -> str:
    """`name` as it has to be written in an expression."""
    plain = name.isidentifier() and name not in FUNCTIONS and not keyword.iskeyword(name)
    return name if plain else f"`{name}`"


# --- step 1: tokens -------------------------------------------------------------------------------


class _Token(NamedTuple):
    """One word of the language; `kind` is name, quoted, number, text, constant or operator."""

    kind: str
    text: str
    start: int

    @property
    def is_value(self) -> bool:
        return self.kind != "operator"


# A word may hold any character beyond ASCII: letters of all alphabets, among them the combining ones that are not
# in \w, and signs such as '×', which are then refused by name.
_WORD_START, _WORD_PART = r"(?:[A-Za-z_]|[^\x00-\x7f\s])", r"(?:[A-Za-z0-9_]|[^\x00-\x7f\s])"
_DIGITS = r"[0-9](?:_?[0-9])*"
_TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<quoted>`[^`\r\n]+`)"
    r"|(?P<text>'(?:[^'\\\r\n]|\\[^\r\n])*'|\"(?:[^\"\\\r\n]|\\[^\r\n])*\")"
    rf"|(?P<number>(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?)"
    r"|(?P<stray>:=|<<|>>|<>|&&|\|\||->|=[<>])"
    rf"|(?P<operator>not\s+in(?!{_WORD_PART})|\*\*|//|[=!<>]=|[-+*/%<>(),\[\]])"
    rf"|(?P<word>{_WORD_START}{_WORD_PART}*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_WORD_AFTER_NUMBER = re.compile(rf"{_WORD_PART}+")
_OPERATOR_WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
_CONSTANTS = frozenset({"True", "False"})

# What is not in the language, each with its name and the way out.
_STRAYS: Mapping[str, tuple[str, str]] = {
    ":=": ("an assignment (':=') is not allowed", "use '==' to compare"),
    "<<": ("a bit shift ('<<') is not allowed", "use '<' to compare"),
    ">>": ("a bit shift ('>>') is not allowed", "use '>' to compare"),
    "<>": ("'<>' is not an operator", "use '!='"),
    "=<": ("'=<' is not an operator", "use '<='"),
    "=>": ("'=>' is not an operator", "use '>='"),
    "->": ("'->' is not an operator", ""),
    "&": ("a bit operation ('&') is not allowed", "use 'and'"),
    "&&": ("'&&' is not an operator", "use 'and'"),
    "|": ("a bit operation ('|') is not allowed", "use 'or'"),
    "||": ("'||' is not an operator", "use 'or'"),
    "~": ("a bit operation ('~') is not allowed", "use 'not'"),
    "^": ("a bit operation ('^') is not allowed", "use '**' for a power"),
    "!": ("'!' is not an operator", "use 'not', or '!=' for different"),
    "@": ("a matrix product ('@') is not allowed", "use '*' to multiply"),
    "{": ("a set or dictionary ('{') is not allowed", "use '[' for a list after 'in'"),
    "}": ("a set or dictionary ('}') is not allowed", "use '[' for a list after 'in'"),
    ":": ("':' is not allowed", ""),
    ";": ("';' is not allowed", "an expression is one formula"),
    "#": ("a comment ('#') is not allowed inside an expression", ""),
    "\\": ("a backslash is not allowed", "a formula may simply go on in the next line"),
    "'": ("this text has no closing quote", "a text ends on the line where it begins"),
    '"': ("this text has no closing quote", "a text ends on the line where it begins"),
    "`": ("this quoted name is empty or has no closing backtick", "a name ends on the line where it begins"),
    "−": ("'−' is not a minus sign here", "use '-'"),
    "–": ("'–' is not a minus sign here", "use '-'"),
    "×": ("'×' is not an operator", "use '*'"),
    "⋅": ("'⋅' is not an operator", "use '*'"),
    "÷": ("'÷' is not an operator", "use '/'"),
    "≤": ("'≤' is not an operator", "use '<='"),
    "≥": ("'≥' is not an operator", "use '>='"),
    "≠": ("'≠' is not an operator", "use '!='"),
    "²": ("'²' is not an operator", "use '** 2'"),
    "‘": ("'‘' is not a quote here", "use ' or \""),
    "’": ("'’' is not a quote here", "use ' or \""),
    "“": ("'“' is not a quote here", "use ' or \""),
    "”": ("'”' is not a quote here", "use ' or \""),
}
_KEYWORDS: Mapping[str, tuple[str, str]] = {
    "lambda": ("a function definition ('lambda') is not allowed", "use the functions there are"),
    "for": ("a loop or comprehension ('for') is not allowed", "an expression works on whole columns"),
    "is": ("'is' is not allowed", "use '==' to compare"),
    "None": ("'None' is not a value", "leave missing values in the data"),
}
_PREFIXES = frozenset({"f", "b", "r", "u", "t", "fr", "rf", "br", "rb", "tr", "rt"})


def _read_tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text):
        kind, found, start = str(match.lastgroup), match.group(), match.start()
        if kind == "space":
            continue
        if kind in ("stray", "other"):
            raise _stray(text, tokens, found, start)
        if kind == "word":
            kind = _word_kind(text, found, start)
        elif kind == "number":
            _check_number(text, found, start)
        elif kind == "text":
            _text_value(text, found, start)
        tokens.append(_Token(kind, found, start))
    return tokens


def _word_kind(text: str, word: str, start: int) -> str:
    if word in _OPERATOR_WORDS:
        return "operator"
    if word in _CONSTANTS:
        return "constant"
    if word in _KEYWORDS or keyword.iskeyword(word):
        quoted = f"write `{word}`, in backticks, if it names a column"
        raise _error(text, start, *_KEYWORDS.get(word, (f"{word!r} is a reserved word", quoted)))
    if word.lower() in _PREFIXES and text[start + len(word) : start + len(word) + 1] in ("'", '"'):
        what = "a formatted text" if "f" in word.lower() else "bytes" if "b" in word.lower() else "a text with a prefix"
        raise _error(text, start, f"{what} ({word}'...') is not allowed", "write a plain text in quotes")
    for length in range(1, len(word) + 1):
        if not word[:length].isidentifier():
            raise _stray(text, [], word[length - 1], start + length - 1)
    return "name"


def _stray(text: str, before: Sequence[_Token], found: str, start: int) -> ExpressionError:
    if found == ".":
        follows_value = bool(before) and (before[-1].is_value or before[-1].text in (")", "]"))
        message = "an attribute ('.') is not allowed" if follows_value else "'.' is not allowed here"
        return _error(text, start, message)
    if found == "=":
        in_call = len(before) >= 2 and before[-1].kind == "name" and before[-2].text in ("(", ",")
        if in_call:
            return _error(text, start, "a keyword argument ('=') is not allowed", "pass the value alone, or use '=='")
        return _error(text, start, "'=' does not compare", "use '=='")
    hint = "write a name that is not a plain word in backticks"
    return _error(text, start, *_STRAYS.get(found, (f"the character {found!r} is not allowed", hint)))


def _check_number(text: str, number: str, start: int) -> None:
    tail = _WORD_AFTER_NUMBER.match(text, start + len(number))
    if tail is not None:
        if tail.group() in ("j", "J"):
            raise _error(text, start, "a complex number is not allowed")
        if tail.group()[0] in _STRAYS:
            raise _stray(text, [], tail.group()[0], tail.start())
        hint = "write '*' to multiply, and numbers in decimal digits"
        raise _error(text, start, f"{_show(number + tail.group())} is neither a number nor a name", hint)
    if np.isinf(float(number)):
        raise _error(text, start, "a number must be below 1.8e308", "inf is not a number of the language")


def _text_value(text: str, literal: str, start: int) -> str:
    for escape in re.finditer(r"\\(.)", literal):
        if escape.group(1) not in "\\'\"":
            message = "a backslash in a text must stand before a quote or a backslash"
            raise _error(text, start + escape.start(), message, "write two for one backslash")
    return re.sub(r"\\(.)", r"\1", literal[1:-1])


# --- step 2: the order of tokens ------------------------------------------------------------------


@dataclass
class _Bracket:
    """An open bracket (None: the whole formula) and the ``if`` in it that waits for its ``else``."""

    token: _Token | None
    pending_if: _Token | None = None


@dataclass
class _Order:
    """A walk over the tokens that always knows whether a value or an operator must come next."""

    text: str
    open: list[_Bracket] = field(default_factory=lambda: [_Bracket(None)])
    previous: _Token | None = None
    need_value: bool = True
    prefixes: int = 0

    def read(self, token: _Token, following: _Token | None) -> None:
        if token.is_value:
            self._read_value(token, following)
        elif token.text in ("(", "["):
            self._read_open(token)
        elif token.text in (")", "]"):
            self._read_close(token)
        elif self.need_value:
            self._read_prefix(token)
        else:
            self._read_infix(token)
        self.previous = token

    def finish(self) -> None:
        if self.previous is None:
            raise self.error(None, "an expression must not be empty")
        if self.need_value:
            end = self.previous.start + len(self.previous.text)
            raise _error(self.text, end, f"a value is missing after {self.previous.text!r}")
        if self.open[-1].token is not None:
            raise self.error(self.open[-1].token, f"{self.open[-1].token.text!r} is never closed")
        self._check_if()

    def error(self, token: _Token | None, message: str, hint: str = "") -> ExpressionError:
        return _error(self.text, token.start if token else 0, message, hint)

    def _read_value(self, token: _Token, following: _Token | None) -> None:
        if not self.need_value:
            both = self.previous is not None and self.previous.kind == token.kind == "text"
            if both:
                raise self.error(token, "two texts stand side by side", "write one text, or a list after 'in'")
            shown = _show(token.text)
            capital = token.text.lower() in _OPERATOR_WORDS
            hint = f"write {token.text.lower()!r} in small letters" if capital else "write '*' to multiply"
            raise self.error(token, f"an operator is missing before {shown}", hint)
        self.need_value, self.prefixes = False, 0
        called = following is not None and following.text == "("
        if token.kind == "name" and called and token.text not in FUNCTIONS:
            listed = "functions are " + ", ".join(FUNCTIONS)
            raise self.error(token, f"unknown function {_show(token.text)}", suggest(token.text, FUNCTIONS) or listed)
        if token.kind == "name" and not called and token.text in FUNCTIONS:
            hint = f"write {token.text}(...), or `{token.text}` in backticks if it names a column"
            raise self.error(token, f"{token.text!r} is a function and needs arguments", hint)

    def _read_open(self, token: _Token) -> None:
        if not self.need_value:
            if token.text == "[":
                raise self.error(token, "a subscript ('[') is not allowed", "name each column by itself")
            if self.previous is None or self.previous.kind != "name":
                raise self.error(token, "an operator is missing before '('", "write '*' to multiply")
        if len(self.open) > MAX_DEPTH:
            raise _too_deep(self.text, token.start)
        self.open.append(_Bracket(token))
        self.need_value, self.prefixes = True, 0

    def _read_close(self, token: _Token) -> None:
        before = self.previous.text if self.previous else ""
        opening = self.open[-1].token
        if opening is None:
            raise self.error(token, f"{token.text!r} was never opened")
        if opening.text + token.text not in ("()", "[]"):
            closing = ")" if opening.text == "(" else "]"
            raise self.error(token, f"{opening.text!r} must be closed by {closing!r}, found {token.text!r}")
        if self.need_value and before not in ("(", "[", ","):
            raise self.error(token, f"a value is missing before {token.text!r}")
        self._check_if()
        self.open.pop()
        self.need_value = False

    def _read_prefix(self, token: _Token) -> None:
        before = self.previous.text if self.previous else "("
        if token.text in ("*", "**") and before in ("(", "[", ","):
            raise self.error(token, f"a starred argument ({token.text!r}) is not allowed")
        if token.text not in ("+", "-", "not"):
            raise self.error(token, f"a value is missing before {token.text!r}")
        if token.text == "not" and before not in ("(", "[", ",", "and", "or", "not", "if", "else"):
            raise self.error(token, f"'not' cannot follow {before!r}", "put 'not' and what it denies in parentheses")
        self.prefixes += 1
        if self.prefixes > MAX_DEPTH:
            raise _too_deep(self.text, token.start)

    def _read_infix(self, token: _Token) -> None:
        scope = self.open[-1]
        if token.text == "not":
            raise self.error(token, "an operator is missing before 'not'", "write 'and not', 'or not' or 'not in'")
        if token.text == ",":
            if scope.token is None:
                hint = "write a decimal number with a point, such as 1.5"
                raise self.error(token, "',' is only allowed in a list and between arguments", hint)
            self._check_if()
        if token.text == "if":
            if scope.pending_if is not None:
                raise self.error(token, "an 'if' in the condition of another is not allowed", "put it in parentheses")
            scope.pending_if = token
        if token.text == "else":
            if scope.pending_if is None:
                raise self.error(token, "'else' has no 'if' before it", "write: value if condition else other")
            scope.pending_if = None
        self.need_value, self.prefixes = True, 0

    def _check_if(self) -> None:
        pending = self.open[-1].pending_if
        if pending is not None:
            raise self.error(pending, "this 'if' has no 'else'", "write: value if condition else other")


def _check_order(text: str, tokens: Sequence[_Token]) -> None:
    order = _Order(text)
    for token, following in itertools.zip_longest(tokens, tokens[1:]):
        order.read(token, following)
    order.finish()
    values = [token for token in tokens if token.is_value]
    if len(values) > MAX_NODES:
        raise _too_many(text, values[MAX_NODES].start)


def _too_deep(text: str, offset: int | None) -> ExpressionError:
    return _error(text, offset, f"an expression is nested at most {MAX_DEPTH} levels deep", _SPLIT_HINT)


def _too_many(text: str, offset: int) -> ExpressionError:
    return _error(text, offset, f"an expression has at most {MAX_NODES} names, numbers and operators", _SPLIT_HINT)


# --- step 3: the tree -----------------------------------------------------------------------------


def _build_tree(text: str, tokens: Sequence[_Token]) -> ast.expr:
    masked = _mask(text, tokens)
    shift = tokens[0].start
    try:
        tree = ast.parse(masked[shift:], mode="eval").body
    except (RecursionError, MemoryError):
        raise _too_deep(text, None) from None
    except (SyntaxError, ValueError, OverflowError):
        raise _error(text, None, "this is not an expression") from None
    at = {token.start: token for token in tokens}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            node.col_offset += shift
            node.end_col_offset = (node.end_col_offset or 0) + shift
        if isinstance(node, ast.Name):
            token = at[node.col_offset]
            node.id = token.text[1:-1] if token.kind == "quoted" else token.text
        elif isinstance(node, ast.Constant) and not isinstance(node.value, bool):
            token = at[node.col_offset]
            node.value = _text_value(text, token.text, token.start) if token.kind == "text" else float(token.text)
    return tree


def _mask(text: str, tokens: Sequence[_Token]) -> str:
    """Copy `text` to one line of ASCII, position for position, with a stand-in for every value."""
    masked = [" "] * len(text)
    for token in tokens:
        masked[token.start : token.start + len(token.text)] = _stand_in(token)
    return "".join(masked)


def _stand_in(token: _Token) -> str:
    length = len(token.text)
    match token.kind:
        case "name" | "quoted":
            return "_" * length
        case "number":
            # Mostly a fraction: the digits of a long integer would be counted by the parser.
            return ("1." + "0" * length)[:length]
        case "text":
            return '"' + "_" * (length - 2) + '"'
        case _:
            return re.sub(r"\s", " ", token.text)


# --- step 4: what the tree may hold ---------------------------------------------------------------


def _check_tree(text: str, tree: ast.expr) -> None:
    """Refuse every node that is not listed here, and trees that are too large."""
    offsets = sorted(node.col_offset for node in ast.walk(tree) if isinstance(node, ast.expr))
    if len(offsets) > MAX_NODES:
        raise _too_many(text, offsets[MAX_NODES])
    texts_beside: set[int] = set()
    pending = [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH:
            raise _too_deep(text, node.col_offset)
        _check_node(text, node, texts_beside)
        for operand in reversed(operands(node)):
            # A run of operators leans to the left: a + b + c + d is no deeper than a + b.
            runs_on = isinstance(node, ast.BinOp) and isinstance(operand, ast.BinOp) and operand is node.left
            pending.append((operand, depth if runs_on else depth + 1))


def _check_node(text: str, node: ast.expr, texts_beside: set[int]) -> None:
    match node:
        case ast.Name() | ast.IfExp() | ast.BoolOp():
            return
        case ast.UnaryOp() if isinstance(node.op, ast.Not) or type(node.op) in _SIGNS:
            return
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            return
        case ast.Constant(value=bool() | float()):
            return
        case ast.Constant(value=str()):
            if id(node) not in texts_beside:
                hint = "write a column in backticks, not in quotes"
                raise _error(text, node.col_offset, "a text is only allowed beside '==', '!=' or 'in'", hint)
        case ast.Compare() if all(isinstance(op, _MEMBERSHIP) or type(op) in _COMPARISONS for op in node.ops):
            texts_beside.update(map(id, _comparable_texts(text, node)))
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
            _check_arity(text, node, FUNCTIONS[name])
        case ast.Tuple() | ast.List():
            hint = "such as x in [1, 2]" if node.elts else ""
            raise _error(text, node.col_offset, "a list of values is only allowed after 'in'", hint)
        case _:
            raise _not_allowed(text, node)


def _comparable_texts(text: str, node: ast.Compare) -> list[ast.expr]:
    """Check the lists of a comparison; return its texts that stand beside ``==``, ``!=`` or ``in`` alone."""
    sides = [node.left, *node.comparators]
    for position, op in enumerate(node.ops):
        if isinstance(op, _MEMBERSHIP):
            _list_values(text, sides[position + 1])
            if position + 1 < len(node.ops):
                message = "a list after 'in' cannot be compared any further"
                raise _error(text, sides[position + 1].col_offset, message, "join two comparisons by 'and'")
    equality = (ast.Eq, ast.NotEq, *_MEMBERSHIP)
    return [
        side
        for position, side in enumerate(sides)
        if all(isinstance(op, equality) for op in node.ops[max(position - 1, 0) : position + 1])
    ]


def _check_arity(text: str, node: ast.Call, function: Function) -> None:
    if function.accepts(len(node.args)):
        return
    least, most = function.arity
    count = f"{least} argument{'s' if least > 1 else ''}" if most == least else f"at least {least} arguments"
    raise _error(text, node.col_offset, f"'{function.name}' takes {count}, found {len(node.args)}")


def _not_allowed(text: str, node: ast.expr) -> ExpressionError:
    return _error(text, node.col_offset, "this is not allowed in an expression")
