"""Step 1: cut the text into names, numbers, texts and operators; any other character is an error."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from choicekit.choice.expressions.wording import error_at, show
from choicekit.errors import ExpressionError

__all__ = ["OPERATOR_WORDS", "Token", "read_tokens", "text_value"]


class Token(NamedTuple):
    """One word of the language; `kind` is name, quoted, number, text, constant or operator."""

    kind: str
    text: str
    start: int

    @property
    def is_value(self) -> bool:
        """Whether it stands for a value, so that an operator must follow."""
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
OPERATOR_WORDS = frozenset({"and", "or", "not", "in", "if", "else"})
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


def read_tokens(text: str) -> list[Token]:
    """Return the tokens of `text`, blanks left out."""
    tokens: list[Token] = []
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
            text_value(text, found, start)
        tokens.append(Token(kind, found, start))
    return tokens


def _word_kind(text: str, word: str, start: int) -> str:
    if word in OPERATOR_WORDS:
        return "operator"
    if word in _CONSTANTS:
        return "constant"
    if word in _KEYWORDS or keyword.iskeyword(word):
        quoted = f"write `{word}`, in backticks, if it names a column"
        raise error_at(text, start, *_KEYWORDS.get(word, (f"{word!r} is a reserved word", quoted)))
    if word.lower() in _PREFIXES and text[start + len(word) : start + len(word) + 1] in ("'", '"'):
        what = "a formatted text" if "f" in word.lower() else "bytes" if "b" in word.lower() else "a text with a prefix"
        raise error_at(text, start, f"{what} ({word}'...') is not allowed", "write a plain text in quotes")
    for length in range(1, len(word) + 1):
        if not word[:length].isidentifier():
            raise _stray(text, [], word[length - 1], start + length - 1)
    return "name"


def _stray(text: str, before: Sequence[Token], found: str, start: int) -> ExpressionError:
    if found == ".":
        follows_value = bool(before) and (before[-1].is_value or before[-1].text in (")", "]"))
        message = "an attribute ('.') is not allowed" if follows_value else "'.' is not allowed here"
        return error_at(text, start, message)
    if found == "=":
        in_call = len(before) >= 2 and before[-1].kind == "name" and before[-2].text in ("(", ",")
        if in_call:
            return error_at(text, start, "a keyword argument ('=') is not allowed", "pass the value alone, or use '=='")
        return error_at(text, start, "'=' does not compare", "use '=='")
    hint = "write a name that is not a plain word in backticks"
    return error_at(text, start, *_STRAYS.get(found, (f"the character {found!r} is not allowed", hint)))


def _check_number(text: str, number: str, start: int) -> None:
    tail = _WORD_AFTER_NUMBER.match(text, start + len(number))
    if tail is not None:
        if tail.group() in ("j", "J"):
            raise error_at(text, start, "a complex number is not allowed")
        if tail.group()[0] in _STRAYS:
            raise _stray(text, [], tail.group()[0], tail.start())
        hint = "write '*' to multiply, and numbers in decimal digits"
        raise error_at(text, start, f"{show(number + tail.group())} is neither a number nor a name", hint)
    if np.isinf(float(number)):
        raise error_at(text, start, "a number must be below 1.8e308", "inf is not a number of the language")


def text_value(text: str, literal: str, start: int) -> str:
    """Return what the quoted `literal`, which begins at `start`, stands for."""
    for escape in re.finditer(r"\\(.)", literal):
        if escape.group(1) not in "\\'\"":
            message = "a backslash in a text must stand before a quote or a backslash"
            raise error_at(text, start + escape.start(), message, "write two for one backslash")
    return re.sub(r"\\(.)", r"\1", literal[1:-1])
