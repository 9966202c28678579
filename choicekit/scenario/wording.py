"""What is wrong with a value, in our words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from choicekit.suggestions import suggest

__all__ = ["in_words", "show", "tags_of"]

_LONGEST = 40


def show(value: object) -> str:
    """Show a value as YAML would, shortened.

    Examples
    --------
    >>> show(True), show("warm"), show([1, 2]), show(None)
    ('true', "'warm'", 'a list', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}…{text[-1]}"


def in_words(detail: Mapping[str, Any]) -> tuple[str, str]:
    """Turn one finding of the validator into a message and a hint.

    Parameters
    ----------
    detail : mapping
        With ``type``, ``input`` and ``ctx``, as the validator reports it.

    Returns
    -------
    tuple of str
        Message and hint.

    Examples
    --------
    >>> in_words({"type": "greater_than_equal", "input": -1.0, "ctx": {"ge": 0}})
    ('must be at least 0, found -1.0', '')
    >>> in_words({"type": "too_short", "input": []})
    ('must not be empty', '')
    >>> in_words({"type": "int_type", "input": "ten"})
    ("must be a whole number, found 'ten'", '')
    """
    kind, value, context = detail["type"], detail.get("input"), detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"]), ""
    if kind in {"literal_error", "union_tag_invalid"}:
        return _choice(detail)
    must = _WORDS[kind](context) if kind in _WORDS else "must be something else"
    if kind in {"too_short", "string_too_short"}:
        return must, ""
    return f"{must}, found {show(value)}", _hint(kind, value)


def _hint(kind: str, value: object) -> str:
    if kind == "string_type" and isinstance(value, int | float):
        return "put it in quotes"
    if kind in {"int_type", "float_type"} and isinstance(value, str) and _is_number(value):
        return "take away the quotes"
    if kind == "model_attributes_type" and isinstance(value, str):
        return f"write {{type: {value}}}"
    return "such as 'mode-choice-2'" if kind == "string_pattern_mismatch" else ""


def _is_number(text: str) -> bool:
    try:
        return isfinite(float(text))
    except ValueError:
        return False


def _limit(value: float) -> str:
    """Show a limit as a person writes it."""
    return f"{value:g}" if isinstance(value, float) else f"{value}"


def _at_most(count: int, one: str, many: str) -> str:
    return f"must have at most {count:,} {one if count == 1 else many}"


def tags_of(detail: Mapping[str, Any]) -> list[str]:
    """Return the words that an entry may hold, where it holds another.

    Examples
    --------
    >>> tags_of({"ctx": {"expected_tags": "'hardmax', 'softmax'"}})
    ['hardmax', 'softmax']
    """
    context = detail.get("ctx", {})
    listed = str(context.get("expected") or context.get("expected_tags"))
    return [part.strip().strip("'") for part in listed.replace(" or ", ", ").split(",")]


def _choice(detail: Mapping[str, Any]) -> tuple[str, str]:
    choices = tags_of(detail)
    value = detail["ctx"]["tag"] if detail["type"] == "union_tag_invalid" else detail.get("input")
    must = f"must be {choices[0]}" if len(choices) == 1 else f"must be one of {', '.join(choices)}"
    return f"{must}, found {show(value)}", suggest(str(value), choices)


_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "string_type": lambda _: "must be text",
    "int_type": lambda _: "must be a whole number",
    "int_from_float": lambda _: "must be a whole number",
    "float_type": lambda _: "must be a number",
    "finite_number": lambda _: "must be a finite number",
    "bool_type": lambda _: "must be true or false",
    "list_type": lambda _: "must be a list",
    "dict_type": lambda _: "must be a mapping",
    "model_type": lambda _: "must be a mapping",
    "model_attributes_type": lambda _: "must be a mapping",
    "greater_than": lambda c: f"must be above {_limit(c['gt'])}",
    "greater_than_equal": lambda c: f"must be at least {_limit(c['ge'])}",
    "less_than": lambda c: f"must be below {_limit(c['lt'])}",
    "less_than_equal": lambda c: f"must be at most {_limit(c['le'])}",
    "string_too_short": lambda _: "must not be empty",
    "string_too_long": lambda c: _at_most(c["max_length"], "character", "characters"),
    "too_short": lambda _: "must not be empty",
    "too_long": lambda c: _at_most(c["max_length"], "entry", "entries"),
    "string_pattern_mismatch": lambda _: "must be lower-case letters, digits and single hyphens",
}
