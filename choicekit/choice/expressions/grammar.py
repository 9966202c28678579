"""Step 2: walk the tokens once and find every grammatical fault, with our own words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from choicekit.choice.expressions.functions import FUNCTIONS
from choicekit.choice.expressions.limits import MAX_DEPTH, MAX_NODES, too_deep, too_many
from choicekit.choice.expressions.tokens import OPERATOR_WORDS, Token
from choicekit.choice.expressions.wording import error_at, show
from choicekit.errors import ExpressionError
from choicekit.suggestions import suggest

__all__ = ["check_order"]


def check_order(text: str, tokens: Sequence[Token]) -> None:
    """Refuse tokens that do not follow each other as the language asks, or are too many."""
    order = _Order(text)
    for token, following in itertools.zip_longest(tokens, tokens[1:]):
        order.read(token, following)
    order.finish()
    values = [token for token in tokens if token.is_value]
    if len(values) > MAX_NODES:
        raise too_many(text, values[MAX_NODES].start)


@dataclass
class _Bracket:
    """An open bracket (None: the whole formula) and the ``if`` in it that waits for its ``else``."""

    token: Token | None
    pending_if: Token | None = None


@dataclass
class _Order:
    """A walk over the tokens that always knows whether a value or an operator must come next."""

    text: str
    open: list[_Bracket] = field(default_factory=lambda: [_Bracket(None)])
    previous: Token | None = None
    need_value: bool = True
    prefixes: int = 0

    def read(self, token: Token, following: Token | None) -> None:
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
            raise error_at(self.text, end, f"a value is missing after {self.previous.text!r}")
        if self.open[-1].token is not None:
            raise self.error(self.open[-1].token, f"{self.open[-1].token.text!r} is never closed")
        self._check_if()

    def error(self, token: Token | None, message: str, hint: str = "") -> ExpressionError:
        return error_at(self.text, token.start if token else 0, message, hint)

    def _read_value(self, token: Token, following: Token | None) -> None:
        if not self.need_value:
            both = self.previous is not None and self.previous.kind == token.kind == "text"
            if both:
                raise self.error(token, "two texts stand side by side", "write one text, or a list after 'in'")
            shown = show(token.text)
            capital = token.text.lower() in OPERATOR_WORDS
            hint = f"write {token.text.lower()!r} in small letters" if capital else "write '*' to multiply"
            raise self.error(token, f"an operator is missing before {shown}", hint)
        self.need_value = False
        called = following is not None and following.text == "("
        if token.kind == "name" and called and token.text not in FUNCTIONS:
            listed = "functions are " + ", ".join(FUNCTIONS)
            raise self.error(token, f"unknown function {show(token.text)}", suggest(token.text, FUNCTIONS) or listed)
        if token.kind == "name" and not called and token.text in FUNCTIONS:
            hint = f"write {token.text}(...), or `{token.text}` in backticks if it names a column"
            raise self.error(token, f"{token.text!r} is a function and needs arguments", hint)

    def _read_open(self, token: Token) -> None:
        if not self.need_value:
            if token.text == "[":
                raise self.error(token, "a subscript ('[') is not allowed", "name each column by itself")
            if self.previous is None or self.previous.kind != "name":
                raise self.error(token, "an operator is missing before '('", "write '*' to multiply")
        if len(self.open) > MAX_DEPTH:
            raise too_deep(self.text, token.start)
        self.open.append(_Bracket(token))
        self.need_value, self.prefixes = True, 0

    def _read_close(self, token: Token) -> None:
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

    def _read_prefix(self, token: Token) -> None:
        before = self.previous.text if self.previous else "("
        if token.text in ("*", "**") and before in ("(", "[", ","):
            raise self.error(token, f"a starred argument ({token.text!r}) is not allowed")
        if token.text not in ("+", "-", "not"):
            raise self.error(token, f"a value is missing before {token.text!r}")
        if token.text == "not" and before not in ("(", "[", ",", "and", "or", "not", "if", "else"):
            raise self.error(token, f"'not' cannot follow {before!r}", "put 'not' and what it denies in parentheses")
        self.prefixes += 1
        if self.prefixes > MAX_DEPTH:
            raise too_deep(self.text, token.start)

    def _read_infix(self, token: Token) -> None:
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
