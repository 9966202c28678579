"""An expression as it would be printed in a paper: LaTeX, and MathML that browsers show by themselves.

One walk over the tree (`_Writer`) decides what is written: where parentheses are needed, what is a fraction, a
power, a case. A `_Style` decides how: there is one for each language.
"""

from __future__ import annotations

import ast
import html
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from choicekit.choice.expressions import Expression, fold

__all__ = ["to_latex", "to_mathml"]


def to_latex(expression: Expression) -> str:
    r"""Return an expression as LaTeX, for math mode with `amsmath`.

    Parameters
    ----------
    expression : Expression
        What `parse_expression` returned.

    Returns
    -------
    str
        LaTeX without the dollar signs; every character with a meaning in LaTeX is escaped.

    Notes
    -----
    What follows the first underscore of a name is its subscript. ``/`` is a fraction, ``//`` the floor of
    one, ``if``-``else`` and ``where`` are cases. Parentheses stand where precedence needs them.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> print(to_latex(parse_expression("asc_car + b_cost * log(x) / 2")))
    \mathrm{asc}_{\mathrm{car}} + \frac{b_{\mathrm{cost}} \cdot \ln\left(x\right)}{2}
    """
    return _write(expression, _Latex())


def to_mathml(expression: Expression) -> str:
    """Return an expression as a ``<math>`` element, which browsers show without scripts.

    Parameters
    ----------
    expression : Expression
        What `parse_expression` returned.

    Returns
    -------
    str
        One element of MathML Core on one line, well-formed as XML too; all text is escaped.

    Notes
    -----
    The same notation as `to_latex`.

    Examples
    --------
    >>> from choicekit.choice.expressions import parse_expression
    >>> to_mathml(parse_expression("x ** 2"))
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{_write(expression, _MathML())}</math>'


# --- pieces ---------------------------------------------------------------------------------------

# How tightly a piece holds together, loosest first. In print a fraction and a call need parentheses as the base of
# a power only, and a case has no right edge, so that it needs them everywhere.
_CASES, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _FRACTION, _ATOM = range(10)
_POWER = _CALL = _FRACTION


@dataclass(frozen=True)
class _Piece:
    """Markup of a part, how tightly it holds together, and whether it starts with a sign."""

    markup: str
    strength: int = _ATOM
    signed: bool = False
    # Of a sum or product: its terms and operators, which a longer one goes on from without nesting.
    row: tuple[str, ...] = ()
    # Of cases: (value, condition) line by line, and the value where no condition holds.
    lines: tuple[tuple[str, str], ...] = ()
    otherwise: str = ""


class _Style(ABC):
    """How a language of formulas is written."""

    @abstractmethod
    def number(self, digits: str) -> str:
        """Write a number without exponent and sign."""

    @abstractmethod
    def name(self, base: str, subscript: str) -> str:
        """Write the name of a column or coefficient."""

    @abstractmethod
    def text(self, value: str) -> str:
        """Write a text, in quotes."""

    @abstractmethod
    def operator(self, operator: str) -> str:
        """Write one of the operators of `_OPERATORS`."""

    @abstractmethod
    def row(self, parts: Sequence[str]) -> str:
        """Write `parts` one after the other, operators among them."""

    @abstractmethod
    def fraction(self, above: str, below: str) -> str:
        """Write `above` over `below`."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """Write `base` with a raised `exponent`."""

    @abstractmethod
    def root(self, inside: str) -> str:
        """Write a square root."""

    @abstractmethod
    def fence(self, left: str, inside: str, right: str) -> str:
        """Write `inside` between two delimiters of `_FENCES`."""

    @abstractmethod
    def call(self, function: str, arguments: Sequence[str]) -> str:
        """Write a function with its arguments in parentheses."""

    @abstractmethod
    def listing(self, members: Sequence[str]) -> str:
        """Write members separated by commas."""

    @abstractmethod
    def cases(self, lines: Sequence[tuple[str, str]], otherwise: str) -> str:
        """Write values, each with its condition, and the value where none holds."""


# --- what is written ------------------------------------------------------------------------------

_SYMBOLS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.UAdd: "+",
    ast.USub: "-",
    ast.Mult: "*",
    ast.Mod: "mod",
    ast.Eq: "=",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.And: "and",
    ast.Or: "or",
    ast.Not: "not",
}
_PRINTED_FUNCTIONS: Mapping[str, str] = {"log": "ln"}
_FENCED_FUNCTIONS: Mapping[str, tuple[str, str]] = {"abs": ("|", "|"), "floor": ("⌊", "⌋"), "ceil": ("⌈", "⌉")}


def _write(expression: Expression, style: _Style) -> str:
    return fold(expression.tree, _Writer(style).piece).markup


@dataclass(frozen=True)
class _Writer:
    """Turns a node and the pieces of its operands into a piece."""

    style: _Style

    def piece(self, node: ast.expr, parts: list[_Piece]) -> _Piece:
        match node:
            case ast.Name(id=name):
                return _Piece(self.style.name(*_split_name(name)))
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.UnaryOp(op=ast.Not()):
                denied = self._grouped(parts[0], parts[0].strength not in (_NOT, _FRACTION, _ATOM))
                return _Piece(self.style.row([self._operator(node.op), denied]), _NOT)
            case ast.UnaryOp():
                value = self._grouped(parts[0], parts[0].strength <= _SIGN)
                return _Piece(self.style.row([self._operator(node.op), value]), _SIGN, signed=True)
            case ast.BinOp():
                return self._arithmetic(node.op, *parts)
            case ast.BoolOp():
                strength = _OR if isinstance(node.op, ast.Or) else _AND
                return _Piece(self._joined([node.op] * (len(parts) - 1), parts, strength), strength)
            case ast.Compare():
                return self._comparison(node, parts)
            case ast.IfExp():
                return self._cases(*parts)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, parts)
        raise TypeError(f"no notation for {type(node).__name__}")

    def _operator(self, op: ast.AST) -> str:
        return self.style.operator(_SYMBOLS[type(op)])

    def _grouped(self, piece: _Piece, needed: bool) -> str:
        return self.style.fence("(", piece.markup, ")") if needed else piece.markup

    def _constant(self, value: object) -> _Piece:
        if isinstance(value, str):
            return _Piece(self.style.text(value))
        if isinstance(value, bool):
            return _Piece(self.style.name("true" if value else "false", ""))
        mantissa, _, exponent = repr(value).partition("e")
        digits = self.style.number(mantissa.removesuffix(".0"))
        if not exponent:
            return _Piece(digits)
        sign = [self.style.operator("-")] if exponent.startswith("-") else []
        power = self.style.row([*sign, self.style.number(exponent.lstrip("+-0"))])
        tens = self.style.power(self.style.number("10"), power)
        return _Piece(self.style.row([digits, self.style.operator("times"), tens]), _PRODUCT)

    def _arithmetic(self, op: ast.operator, left: _Piece, right: _Piece) -> _Piece:
        match op:
            case ast.Div():
                return _Piece(self.style.fraction(left.markup, right.markup), _FRACTION)
            case ast.FloorDiv():
                return _Piece(self.style.fence("⌊", self.style.fraction(left.markup, right.markup), "⌋"))
            case ast.Pow():
                base = self._grouped(left, left.strength < _ATOM)
                return _Piece(self.style.power(base, right.markup), _POWER)
        strength = _SUM if isinstance(op, ast.Add | ast.Sub) else _PRODUCT
        apart = left.strength < strength
        start = left.row if left.row and left.strength == strength else (self._grouped(left, apart),)
        # A sign never follows another operator, and operators of one strength are read from the left.
        row = (*start, self._operator(op), self._grouped(right, right.strength <= strength or right.signed))
        return _Piece(self.style.row(row), strength, left.signed and not apart, row)

    def _joined(self, ops: Sequence[ast.AST], parts: Sequence[_Piece], strength: int) -> str:
        written = [self._grouped(part, part.strength <= strength) for part in parts]
        row = [written[0]]
        for op, part in zip(ops, written[1:], strict=True):
            row += [self._operator(op), part]
        return self.style.row(row)

    def _comparison(self, node: ast.Compare, parts: list[_Piece]) -> _Piece:
        pieces = list(parts)
        if isinstance(node.ops[-1], ast.In | ast.NotIn):
            pieces.append(self._set(node.comparators[-1]))
        return _Piece(self._joined(node.ops, pieces, _COMPARISON), _COMPARISON)

    def _set(self, node: ast.expr) -> _Piece:
        elements = node.elts if isinstance(node, ast.Tuple | ast.List) else []
        members = [fold(element, self.piece).markup for element in elements]
        return _Piece(self.style.fence("{", self.style.listing(members), "}"))

    def _cases(self, condition: _Piece, value: _Piece, otherwise: _Piece) -> _Piece:
        # What is left when a condition fails may be cases again: they go on in the same brace.
        line = (self._grouped(value, bool(value.lines)), self._grouped(condition, bool(condition.lines)))
        lines = (line, *otherwise.lines)
        last = otherwise.otherwise if otherwise.lines else otherwise.markup
        return _Piece(self.style.cases(lines, last), _CASES, lines=lines, otherwise=last)

    def _call(self, name: str, parts: list[_Piece]) -> _Piece:
        if name == "where":
            return self._cases(*parts)
        if name == "sqrt":
            return _Piece(self.style.root(parts[0].markup), _CALL)
        if name in _FENCED_FUNCTIONS:
            left, right = _FENCED_FUNCTIONS[name]
            return _Piece(self.style.fence(left, parts[0].markup, right))
        markup = self.style.call(_PRINTED_FUNCTIONS.get(name, name), [part.markup for part in parts])
        return _Piece(markup, _CALL)


def _split_name(name: str) -> tuple[str, str]:
    """Return what stands before and after the first underscore of a name, where both are something."""
    base, _, subscript = name.partition("_")
    return (base, subscript) if base and subscript else (name, "")


# --- LaTeX ----------------------------------------------------------------------------------------

_LATEX_OPERATORS: Mapping[str, str] = {
    "*": r"\cdot",
    "times": r"\times",
    "mod": r"\bmod",
    "!=": r"\neq",
    "<=": r"\leq",
    ">=": r"\geq",
    "in": r"\in",
    "not in": r"\notin",
    "and": r"\land",
    "or": r"\lor",
    "not": r"\lnot",
}
_LATEX_FENCES: Mapping[str, str] = {
    "{": r"\{",
    "}": r"\}",
    "⌊": r"\lfloor",
    "⌋": r"\rfloor",
    "⌈": r"\lceil",
    "⌉": r"\rceil",
}
_LATEX_FUNCTIONS = frozenset({"ln", "exp", "min", "max"})
_LATEX_ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: "\\" + character for character in "{}$&#%_"},
    }
)


class _Latex(_Style):
    def number(self, digits: str) -> str:
        return digits

    def name(self, base: str, subscript: str) -> str:
        return f"{_latex_word(base)}_{{{_latex_word(subscript)}}}" if subscript else _latex_word(base)

    def text(self, value: str) -> str:
        return rf"\text{{`{_latex_escape(value)}'}}"

    def operator(self, operator: str) -> str:
        return _LATEX_OPERATORS.get(operator, operator)

    def row(self, parts: Sequence[str]) -> str:
        # The sign of a number stands close to it; a command needs the blank that ends it.
        if len(parts) == 2 and parts[0] in ("+", "-"):
            return "".join(parts)
        return " ".join(parts)

    def fraction(self, above: str, below: str) -> str:
        return rf"\frac{{{above}}}{{{below}}}"

    def power(self, base: str, exponent: str) -> str:
        return f"{base}^{{{exponent}}}"

    def root(self, inside: str) -> str:
        return rf"\sqrt{{{inside}}}"

    def fence(self, left: str, inside: str, right: str) -> str:
        opening, closing = _LATEX_FENCES.get(left, left), _LATEX_FENCES.get(right, right)
        blank = " " if opening.endswith(("floor", "ceil")) else ""
        return rf"\left{opening}{blank}{inside}\right{closing}"

    def call(self, function: str, arguments: Sequence[str]) -> str:
        command = f"\\{function}" if function in _LATEX_FUNCTIONS else rf"\operatorname{{{function}}}"
        return command + self.fence("(", self.listing(arguments), ")")

    def listing(self, members: Sequence[str]) -> str:
        return ", ".join(members)

    def cases(self, lines: Sequence[tuple[str, str]], otherwise: str) -> str:
        rows = [rf"{value} & \text{{if }} {condition}" for value, condition in lines]
        body = r" \\ ".join([*rows, rf"{otherwise} & \text{{otherwise}}"])
        return rf"\begin{{cases}} {body} \end{{cases}}"


def _latex_escape(text: str) -> str:
    return _printable(text).translate(_LATEX_ESCAPES)


def _latex_word(word: str) -> str:
    if len(word) == 1 and word.isalpha():
        return word
    # \mathrm drops blanks, which a quoted name may have.
    command = r"\mathrm" if word.isidentifier() or word.isalnum() else r"\text"
    return f"{command}{{{_latex_escape(word)}}}"


# --- MathML ---------------------------------------------------------------------------------------

_MATHML_OPERATORS: Mapping[str, str] = {
    "-": "−",
    "*": "⋅",
    "times": "×",
    "!=": "≠",
    "<=": "≤",
    ">=": "≥",
    "in": "∈",
    "not in": "∉",
    "and": "∧",
    "or": "∨",
    "not": "¬",
}


class _MathML(_Style):
    def number(self, digits: str) -> str:
        return f"<mn>{digits}</mn>"

    def name(self, base: str, subscript: str) -> str:
        if subscript:
            return f"<msub>{_mathml_word(base)}{_mathml_word(subscript)}</msub>"
        return _mathml_word(base)

    def text(self, value: str) -> str:
        return f"<mtext>‘{_mathml_escape(value)}’</mtext>"

    def operator(self, operator: str) -> str:
        return f"<mo>{_mathml_escape(_MATHML_OPERATORS.get(operator, operator))}</mo>"

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>" if len(parts) > 1 else parts[0]

    def fraction(self, above: str, below: str) -> str:
        return f"<mfrac>{above}{below}</mfrac>"

    def power(self, base: str, exponent: str) -> str:
        return f"<msup>{base}{exponent}</msup>"

    def root(self, inside: str) -> str:
        return f"<msqrt>{inside}</msqrt>"

    def fence(self, left: str, inside: str, right: str) -> str:
        return f'<mrow><mo form="prefix">{left}</mo>{inside}<mo form="postfix">{right}</mo></mrow>'

    def call(self, function: str, arguments: Sequence[str]) -> str:
        # U+2061 says that the function is applied, to readers that speak formulas.
        name = f'<mi mathvariant="normal">{_mathml_escape(function)}</mi>'
        return self.row([name, "<mo>\u2061</mo>", self.fence("(", self.listing(arguments), ")")])

    def listing(self, members: Sequence[str]) -> str:
        return self.row(["<mo>,</mo>".join(members), ""]) if len(members) > 1 else members[0]

    def cases(self, lines: Sequence[tuple[str, str]], otherwise: str) -> str:
        rows = [self._line(value, f"<mrow><mtext>if&#160;</mtext>{condition}</mrow>") for value, condition in lines]
        rows.append(self._line(otherwise, "<mtext>otherwise</mtext>"))
        return f'<mrow><mo form="prefix" stretchy="true">{{</mo><mtable>{"".join(rows)}</mtable></mrow>'

    def _line(self, value: str, condition: str) -> str:
        cell = '<mtd style="text-align: left">'
        return f"<mtr>{cell}{value}</mtd>{cell}{condition}</mtd></mtr>"


def _mathml_escape(text: str) -> str:
    return html.escape(_printable(text), quote=True)


def _mathml_word(word: str) -> str:
    variant = "" if len(word) == 1 and word.isalpha() else ' mathvariant="normal"'
    return f"<mi{variant}>{_mathml_escape(word)}</mi>"


def _printable(text: str) -> str:
    """Put a mark in place of what no document may hold: control characters, lone surrogates, reversals of writing."""
    # Persian and Indian words need the two zero-width joiners.
    spaced = (" " if character.isspace() else character for character in text)
    return "".join(kept if kept.isprintable() or kept in "\u200c\u200d" else "\ufffd" for kept in spaced)
