"""What a scenario value may be, and how unquoted text becomes one.

Only `None`, `bool`, `int`, `float`, `str`, and lists and string-keyed mappings of them. The rules for unquoted text are
the core schema of YAML 1.2, spelled out here so that they do not depend on a YAML library: ``no`` and ``2024-01-31``
stay text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from choicekit.errors import InvalidInputError

__all__ = ["MAX_DEPTH", "MAX_DIGITS", "Scalar", "has_half_character", "kind_of", "resolve_plain", "to_plain"]

Scalar: TypeAlias = str | int | float | bool | None

MAX_DEPTH = 50
"""Levels of nesting, the outermost mapping included."""

MAX_DIGITS = 100
"""Digits in one number; Python's own conversion is quadratic in them."""

_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((f"{sign}{word}" for sign in ("", "+") for word in (".inf", ".Inf", ".INF")), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INTEGERS = (
    (10, re.compile(r"[-+]?[0-9]+")),
    (8, re.compile(r"0o[0-7]+")),
    (16, re.compile(r"0x[0-9a-fA-F]+")),
)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMBER_STARTS = frozenset("+-.0123456789")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def resolve_plain(text: str) -> Scalar:
    """Turn unquoted text into the value the YAML 1.2 core schema gives it.

    Parameters
    ----------
    text : str
        The text as written, without quotes.

    Returns
    -------
    str, int, float, bool or None
        The value; `text` itself where it is none of the others.

    Raises
    ------
    InvalidInputError
        If the number has more than 100 digits, or is too large for a float.

    Examples
    --------
    >>> [resolve_plain(text) for text in ("7", "0x10", "1e3", "true", "~", "no", "1_000", "2024-01-31")]
    [7, 16, 1000.0, True, None, 'no', '1_000', '2024-01-31']
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    base = next((base for base, form in _INTEGERS if form.fullmatch(text)), None)
    if base is None and not _FLOAT.fullmatch(text):
        return text
    digits = len(text.lstrip("+-")) if base == 10 else len(text) - 2 if base else sum(map(str.isdigit, text))
    if digits > MAX_DIGITS:
        raise InvalidInputError(f"a number has at most {MAX_DIGITS} digits, found {digits}")
    if base is not None:
        return int(text if base == 10 else text[2:], base)
    number = float(text)
    if abs(number) == float("inf"):
        raise InvalidInputError(f"the number {text[:40]} is too large for a float")
    return number


def has_half_character(text: str) -> bool:
    """Say whether `text` holds half of a surrogate pair, which no UTF-8 file can hold.

    Examples
    --------
    >>> has_half_character("Zürich"), has_half_character(chr(0xD83D))
    (False, True)
    """
    return _HALF_CHARACTER.search(text) is not None


def kind_of(value: object) -> str:
    """Name the kind of a value in words a user knows.

    Examples
    --------
    >>> [kind_of(value) for value in ({}, [], "a", True, 2.5, None)]
    ['a mapping', 'a list', 'text', 'true or false', 'a number', 'nothing']
    """
    if value is None:
        return "nothing"
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (Mapping, "a mapping"),
        ((list, tuple), "a list"),
        (str, "text"),
        (bool, "true or false"),
        ((int, float), "a number"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), f"a Python {type(value).__name__}")


def to_plain(value: object, *, depth: int = 1) -> Any:
    """Copy a Python value into the plain form a scenario document holds.

    Parameters
    ----------
    value : object
        Text, a number, true or false, nothing, or lists, tuples and mappings of them. Whole numbers as keys become
        text.
    depth : int
        Level of nesting the value stands at; the outermost mapping of a document is level 1.

    Returns
    -------
    dict, list, str, int, float, bool or None
        A copy that shares nothing with `value`.

    Raises
    ------
    InvalidInputError
        If a value or a key is of another kind, nested deeper than 50 levels, or cannot be written to a file.

    Examples
    --------
    >>> to_plain({"edges": (20, 40), 1: None})
    {'edges': [20, 40], '1': None}
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        if has_half_character(value):
            raise InvalidInputError("text must not hold half of a surrogate pair")
        return str.__str__(value)
    if isinstance(value, int):
        if abs(value) >= 10**MAX_DIGITS:
            raise InvalidInputError(f"a whole number has at most {MAX_DIGITS} digits")
        return int(value)
    if isinstance(value, float):
        return float(value)
    if not isinstance(value, (Mapping, list, tuple)):
        raise InvalidInputError(
            f"a value must be text, a number, true or false, nothing, a list or a mapping, found {kind_of(value)}"
        )
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"nesting is deeper than {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return _plain_mapping(value, depth)
    return _plain_list(value, depth)


def _plain_mapping(mapping: Mapping[Any, object], depth: int) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(key, bool) or not isinstance(key, (str, int)):
            raise InvalidInputError(f"a key must be text, found {kind_of(key)}")
        name: str = to_plain(key) if isinstance(key, str) else str(to_plain(key))
        if name in plain:
            raise InvalidInputError(f"the key '{name}' is given twice, once as a number")
        plain[name] = to_plain(value, depth=depth + 1)
    return plain


def _plain_list(values: Sequence[object], depth: int) -> list[Any]:
    return [to_plain(value, depth=depth + 1) for value in values]
