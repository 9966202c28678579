"""What is written of an expression, whatever the language: parentheses, fractions, powers, cases."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from choicekit.choice.expressions import Expression, fold

__all__ = ["Style", "printable", "written"]

# How tightly a piece holds together, loosest first. In print a fraction and a call need parentheses as the base of
# a power only, and a case has no right edge, so that it needs them everywhere.
_CASES, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _FRACTION, _ATOM = range(10)
_POWER = _CALL = _FRACTION


@dataclass(frozen=True)
class Piece:
    """Markup of a part, how tightly it holds together, and whether it starts with a sign."""

    markup: str
    strength: int = _ATOM
    signed: bool = False
    # Of a sum or product: its terms and operators, which a longer one goes on from without nesting.
    row: tuple[str, ...] = ()
    # Of cases: (value, condition) line by line, and the value where no condition holds.
    lines: tuple[tuple[str, str], ...] = ()
    otherwise: str = ""


class Style(ABC):
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


def written(expression: Expression, style: Style) -> str:
    """Return an expression in the language of `style`."""
    return fold(expression.tree, Writer(style).piece).markup


@dataclass(frozen=True)
class Writer:
    """Turns a node and the pieces of its operands into a piece."""

    style: Style

    def piece(self, node: ast.expr, parts: list[Piece]) -> Piece:
        match node:
            case ast.Name(id=name):
                return Piece(self.style.name(*_split_name(name)))
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.UnaryOp(op=ast.Not()):
                denied = self._grouped(parts[0], parts[0].strength not in (_NOT, _FRACTION, _ATOM))
                return Piece(self.style.row([self._operator(node.op), denied]), _NOT)
            case ast.UnaryOp():
                value = self._grouped(parts[0], parts[0].strength <= _SIGN)
                return Piece(self.style.row([self._operator(node.op), value]), _SIGN, signed=True)
            case ast.BinOp():
                return self._arithmetic(node.op, *parts)
            case ast.BoolOp():
                strength = _OR if isinstance(node.op, ast.Or) else _AND
                return Piece(self._joined([node.op] * (len(parts) - 1), parts, strength), strength)
            case ast.Compare():
                return self._comparison(node, parts)
            case ast.IfExp():
                return self._cases(*parts)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, parts)
        raise TypeError(f"no notation for {type(node).__name__}")

    def _operator(self, op: ast.AST) -> str:
        return self.style.operator(_SYMBOLS[type(op)])

    def _grouped(self, piece: Piece, needed: bool) -> str:
        return self.style.fence("(", piece.markup, ")") if needed else piece.markup

    def _constant(self, value: object) -> Piece:
        if isinstance(value, str):
            return Piece(self.style.text(value))
        if isinstance(value, bool):
            return Piece(self.style.name("true" if value else "false", ""))
        mantissa, _, exponent = repr(value).partition("e")
        digits = self.style.number(mantissa.removesuffix(".0"))
        if not exponent:
            return Piece(digits)
        sign = [self.style.operator("-")] if exponent.startswith("-") else []
        power = self.style.row([*sign, self.style.number(exponent.lstrip("+-0"))])
        tens = self.style.power(self.style.number("10"), power)
        return Piece(self.style.row([digits, self.style.operator("times"), tens]), _PRODUCT)

    def _arithmetic(self, op: ast.operator, left: Piece, right: Piece) -> Piece:
        match op:
            case ast.Div():
                return Piece(self.style.fraction(left.markup, right.markup), _FRACTION)
            case ast.FloorDiv():
                return Piece(self.style.fence("⌊", self.style.fraction(left.markup, right.markup), "⌋"))
            case ast.Pow():
                base = self._grouped(left, left.strength < _ATOM)
                return Piece(self.style.power(base, right.markup), _POWER)
        strength = _SUM if isinstance(op, ast.Add | ast.Sub) else _PRODUCT
        apart = left.strength < strength
        start = left.row if left.row and left.strength == strength else (self._grouped(left, apart),)
        # A sign never follows another operator, and operators of one strength are read from the left.
        row = (*start, self._operator(op), self._grouped(right, right.strength <= strength or right.signed))
        return Piece(self.style.row(row), strength, left.signed and not apart, row)

    def _joined(self, ops: Sequence[ast.AST], parts: Sequence[Piece], strength: int) -> str:
        written = [self._grouped(part, part.strength <= strength) for part in parts]
        row = [written[0]]
        for op, part in zip(ops, written[1:], strict=True):
            row += [self._operator(op), part]
        return self.style.row(row)

    def _comparison(self, node: ast.Compare, parts: list[Piece]) -> Piece:
        pieces = list(parts)
        if isinstance(node.ops[-1], ast.In | ast.NotIn):
            pieces.append(self._set(node.comparators[-1]))
        return Piece(self._joined(node.ops, pieces, _COMPARISON), _COMPARISON)

    def _set(self, node: ast.expr) -> Piece:
        elements = node.elts if isinstance(node, ast.Tuple | ast.List) else []
        members = [fold(element, self.piece).markup for element in elements]
        return Piece(self.style.fence("{", self.style.listing(members), "}"))

    def _cases(self, condition: Piece, value: Piece, otherwise: Piece) -> Piece:
        # What is left when a condition fails may be cases again: they go on in the same brace.
        line = (self._grouped(value, bool(value.lines)), self._grouped(condition, bool(condition.lines)))
        lines = (line, *otherwise.lines)
        last = otherwise.otherwise if otherwise.lines else otherwise.markup
        return Piece(self.style.cases(lines, last), _CASES, lines=lines, otherwise=last)

    def _call(self, name: str, parts: list[Piece]) -> Piece:
        if name == "where":
            return self._cases(*parts)
        if name == "sqrt":
            return Piece(self.style.root(parts[0].markup), _CALL)
        if name in _FENCED_FUNCTIONS:
            left, right = _FENCED_FUNCTIONS[name]
            return Piece(self.style.fence(left, parts[0].markup, right))
        markup = self.style.call(_PRINTED_FUNCTIONS.get(name, name), [part.markup for part in parts])
        return Piece(markup, _CALL)


def _split_name(name: str) -> tuple[str, str]:
    """Return what stands before and after the first underscore of a name, where both are something."""
    base, _, subscript = name.partition("_")
    return (base, subscript) if base and subscript else (name, "")


def printable(text: str) -> str:
    """Put a mark in place of what no document may hold: control characters, lone surrogates, reversals of writing."""
    # Persian and Indian words need the two zero-width joiners.
    spaced = (" " if character.isspace() else character for character in text)
    return "".join(kept if kept.isprintable() or kept in "\u200c\u200d" else "\ufffd" for kept in spaced)
