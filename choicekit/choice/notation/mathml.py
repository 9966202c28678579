"""An expression in MathML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from choicekit.choice.expressions import Expression
from choicekit.choice.notation.writing import Style, printable, written

__all__ = ["to_mathml"]


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
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{written(expression, MathML())}</math>'


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


class MathML(Style):
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
    return html.escape(printable(text), quote=True)


def _mathml_word(word: str) -> str:
    variant = "" if len(word) == 1 and word.isalpha() else ' mathvariant="normal"'
    return f"<mi{variant}>{_mathml_escape(word)}</mi>"
