"""Plain values written back as YAML: block style, stable order, and read back exactly as they were."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from choicekit.errors import InvalidInputError
from choicekit.scenario.scalars import Scalar, resolve_plain, to_plain

__all__ = ["dump_document", "dump_inline"]

# Deliberately narrow: whatever is outside is quoted, which is always right.
_SAFE = re.compile(r"[^\W\d_](?:[\w ./+*()^<>=,%;'\"!?$@&|~\[\]{}-]*[\w)\]}.%])?")
_SAFE_KEY = re.compile(r"[^\W\d][\w .+-]*\w|[^\W\d]|[0-9]+")
_INVISIBLE = "\x00-\x1f\x7f-\xa0\xad\u2028\u2029\ufeff\ufffe\uffff"
_ESCAPED = re.compile(f'["\\\\{_INVISIBLE}]')
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_LITERAL_LINE = re.compile(f"[^ {_INVISIBLE}][^{_INVISIBLE}]*")
_LONGEST_KEY = 1000  # YAML readers look 1024 characters ahead for the ':' of a key


def dump_document(values: Mapping[str, Any]) -> str:
    """Write plain values as a YAML document that reads back as exactly the same values.

    Parameters
    ----------
    values : mapping
        Text, numbers, true, false, nothing, and lists and mappings of them; keys in the order wanted.

    Returns
    -------
    str
        Block style, two spaces a level, ends with a line break. Text is quoted where a reader would take it for
        something else; text of several lines is written as a literal block.

    Raises
    ------
    InvalidInputError
        If a value is of another kind or nested deeper than 50 levels.

    Examples
    --------
    >>> print(dump_document({"name": "trips", "seed": 7, "edges": [0.1, 1e-7], "note": "yes", "code": "007"}), end="")
    name: trips
    seed: 7
    edges:
      - 0.1
      - 1e-07
    note: "yes"
    code: "007"
    """
    plain = to_plain(values)
    if not isinstance(plain, dict):
        raise InvalidInputError("a document must be a mapping")
    return "\n".join(_block(plain)) + "\n" if plain else "{}\n"


def dump_inline(value: Any) -> str:
    """Write one plain value on one line.

    Raises
    ------
    InvalidInputError
        If a value is of another kind or nested deeper than 50 levels.

    Examples
    --------
    >>> dump_inline({"type": "softmax", "edges": [20, 40]})
    '{"type": "softmax", "edges": [20, 40]}'
    """
    return _inline(to_plain(value))


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quoted(key)}: {_inline(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(entry) for entry in value) + "]"
    return _quoted(value) if isinstance(value, str) else _scalar(value)


def _block(value: dict[str, Any] | list[Any]) -> Iterator[str]:
    """Lines of a collection that is not empty, without indentation."""
    if isinstance(value, list):
        for entry in value:
            first, *rest = _block(entry) if isinstance(entry, (dict, list)) and entry else _scalar_lines(entry)
            yield f"- {first}"
            yield from _indented(rest)
        return
    for key, entry in value.items():
        *explicit, lead = _key_lines(key)
        yield from explicit
        if isinstance(entry, (dict, list)) and entry:
            yield lead
            yield from _indented(_block(entry))
        else:
            first, *rest = _scalar_lines(entry)
            yield f"{lead} {first}"
            yield from _indented(rest)


def _indented(lines: Iterator[str] | list[str]) -> Iterator[str]:
    return (f"  {line}" if line else "" for line in lines)


def _key_lines(key: str) -> list[str]:
    text = key if _SAFE_KEY.fullmatch(key) and not _misread(key) else _quoted(key)
    return [f"{text}:"] if len(text) < _LONGEST_KEY else [f"? {text}", ":"]


def _misread(key: str) -> bool:
    # Keys are always text to us; other readers of the file would still take `true:` for something else.
    return not key.isdigit() and not isinstance(resolve_plain(key), str)


def _scalar_lines(value: Any) -> list[str]:
    if isinstance(value, str) and "\n" in value:
        body = value.removesuffix("\n").split("\n")
        # A blank line at either end, or a space first, would need indentation and chomping marks.
        if body[0] and body[-1] and all(not line or _LITERAL_LINE.fullmatch(line) for line in body):
            return ["|" if value.endswith("\n") else "|-", *body]
    return [_scalar(value)]


def _scalar(value: Scalar | dict[str, Any] | list[Any]) -> str:
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, int):
        return str(value)
    return value if _SAFE.fullmatch(value) and _reads_as_text(value) else _quoted(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    return {float("inf"): ".inf", float("-inf"): "-.inf"}.get(value) or repr(value)


def _reads_as_text(text: str) -> bool:
    # Older readers also take yes, no, on and off for truth values.
    return isinstance(resolve_plain(text), str) and text.lower() not in {"yes", "no", "on", "off", "y", "n"}


def _quoted(text: str) -> str:
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
