"""What all errors of the language have in common: where they point and how they write names."""

from __future__ import annotations

import keyword

from choicekit.choice.expressions.functions import FUNCTIONS
from choicekit.errors import ExpressionError

__all__ = ["error_at", "show", "spell"]


def error_at(text: str, offset: int | None, message: str, hint: str = "") -> ExpressionError:
    """Return the error whose caret stands at `offset`."""
    return ExpressionError(message, expression=text, offset=offset, hint=hint)


def show(word: str) -> str:
    """Return `word` in quotes, shortened, with nothing in it that moves the cursor."""
    return repr(word if len(word) <= 40 else word[:39] + "…")


def spell(name: str) -> str:
    """Return `name` as it has to be written in an expression."""
    plain = name.isidentifier() and name not in FUNCTIONS and not keyword.iskeyword(name)
    return name if plain else f"`{name}`"
