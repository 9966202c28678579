"""An expression in LaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from choicekit.choice.expressions import Expression
from choicekit.choice.notation.writing import Style, printable, written

__all__ = ["to_latex"]


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
    return written(expression, Latex())


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


class Latex(Style):
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
    return printable(text).translate(_LATEX_ESCAPES)


def _latex_word(word: str) -> str:
    if len(word) == 1 and word.isalpha():
        return word
    # \mathrm drops blanks, which a quoted name may have.
    command = r"\mathrm" if word.isidentifier() or word.isalnum() else r"\text"
    return f"{command}{{{_latex_escape(word)}}}"
