"""Formulas of the theory in MathML, from a handful of parts."""

from __future__ import annotations

from typing import TypeAlias

from markupsafe import Markup, escape

from choicekit.report.content import Formula

__all__ = ["call", "fenced", "formula", "fraction", "power", "root", "row", "subscript", "total", "words"]

Part: TypeAlias = str | Markup
"""Markup stands as it is; a string is one name, number or sign."""

_APPLY = Markup("<mo>\u2061</mo>")  # says that a function is applied, to readers that speak formulas


def formula(name: str, *parts: Part) -> Formula:
    """Return a line of maths with its name.

    Examples
    --------
    >>> print(formula("area", "a", "=", power("r", "2")).mathml)  # doctest: +ELLIPSIS
    <math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true"><mrow><mi>a</mi><mo>=</mo>...</mrow></math>
    """
    body = row(*parts)
    whole = Markup('<math xmlns="http://www.w3.org/1998/Math/MathML" displaystyle="true">{}</math>').format(body)
    return Formula(name=name, mathml=whole, text=body.striptags())


def row(*parts: Part) -> Markup:
    """Put parts side by side."""
    return Markup("<mrow>{}</mrow>").format(Markup("").join(_part(part) for part in parts))


def subscript(base: Part, below: Part) -> Markup:
    """Return base with something small below."""
    return Markup("<msub>{}{}</msub>").format(_part(base), _part(below))


def power(base: Part, exponent: Part) -> Markup:
    """Return base with something small above."""
    return Markup("<msup>{}{}</msup>").format(_part(base), _part(exponent))


def fraction(above: Part, below: Part) -> Markup:
    """Return a quotient."""
    return Markup("<mfrac>{}{}</mfrac>").format(_part(above), _part(below))


def root(inside: Part) -> Markup:
    """Return a square root."""
    return Markup("<msqrt>{}</msqrt>").format(_part(inside))


def total(index: Part, *parts: Part, sign: str = "∑") -> Markup:
    """Return a sum over an index, or a maximum where that is the sign."""
    letters = sign.isalpha()
    over = Markup("<munder>{}{}</munder>").format(_part(sign), _part(index))
    return Markup("<mrow>{}{}{}</mrow>").format(over, _APPLY if letters else "", row(*parts))


def call(function: Part, *parts: Part) -> Markup:
    """Return a function of something, in parentheses."""
    return row(function, _APPLY, fenced(*parts))


def fenced(*parts: Part) -> Markup:
    """Put parts into parentheses."""
    return Markup('<mrow><mo form="prefix">(</mo>{}<mo form="postfix">)</mo></mrow>').format(row(*parts))


def words(text: str) -> Markup:
    """Return words within a formula, with room around them."""
    return Markup("<mtext>&#160;{}&#160;</mtext>").format(text)


def _part(part: Part) -> Markup:
    if isinstance(part, Markup):
        return part
    if part.replace(".", "").isdigit():
        return Markup("<mn>{}</mn>").format(part)
    if part.isalpha():
        upright = "" if len(part) == 1 else ' mathvariant="normal"'
        return Markup(f"<mi{upright}>{escape(part)}</mi>")  # noqa: S704 - the part itself is escaped
    return Markup("<mo>{}</mo>").format(part)
