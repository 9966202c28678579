"""How large an expression may be, and the errors of those that are larger."""

from __future__ import annotations

from choicekit.choice.expressions.wording import error_at
from choicekit.errors import ExpressionError

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "MAX_NODES", "too_deep", "too_long", "too_many"]

MAX_CHARACTERS = 2_000
MAX_NODES = 500
MAX_DEPTH = 50

_SPLIT_HINT = "split it into several expressions"


def too_long(text: str) -> ExpressionError:
    """Return the error of a text above MAX_CHARACTERS."""
    message = f"an expression has at most {MAX_CHARACTERS:,} characters, found {len(text):,}"
    return error_at(text, MAX_CHARACTERS, message, _SPLIT_HINT)


def too_many(text: str, offset: int) -> ExpressionError:
    """Return the error of an expression above MAX_NODES, at the first value that is too many."""
    return error_at(text, offset, f"an expression has at most {MAX_NODES} names, numbers and operators", _SPLIT_HINT)


def too_deep(text: str, offset: int | None) -> ExpressionError:
    """Return the error of an expression above MAX_DEPTH."""
    return error_at(text, offset, f"an expression is nested at most {MAX_DEPTH} levels deep", _SPLIT_HINT)
