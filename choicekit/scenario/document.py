"""A document: plain values, and where in which file each of them was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

from choicekit.errors import ExpressionError, InvalidInputError, Problem

__all__ = ["Document", "EntryPath", "Position", "Source", "excerpt_of", "format_path", "parse_path", "scan_path"]

EntryPath: TypeAlias = tuple[str | int, ...]
"""Keys (text) and places in lists (from 0) that lead from the top of a document to an entry."""

_SEGMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([^."\'=]+)', re.DOTALL)
_BARE = re.compile(r"""[^\s."'=\\](?:[^."'=\\]*[^\s."'=\\])?""")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; line and column are counted from 1, and None where there is none."""

    file: str
    line: int | None
    column: int | None


@dataclass(frozen=True)
class Source:
    """The text of one file, what the user calls it, and where it really is.

    Attributes
    ----------
    label : str
        Name shown in messages.
    path : pathlib.Path
        The file itself.
    text : str
        Its content, without a byte order mark.
    """

    label: str
    path: Path
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Lines of the text, without their breaks."""
        return _LINE_BREAK.split(self.text)


@dataclass(frozen=True)
class Document:
    r"""The values of a scenario file and where each was written.

    Attributes
    ----------
    values : dict
        Mappings with text as keys, lists, text, numbers, true, false and nothing.
    key_positions, value_positions : dict of EntryPath to Position
        Where the key and the value of an entry were written. An entry of a list has no key.
    file : str
        Name of the file as the user would say it.
    text : str
        Text of that file.
    sources : mapping of str to Source
        Every file the values come from, by the name used in positions.

    Examples
    --------
    >>> from choicekit.scenario.source import parse_document
    >>> document = parse_document("seed: 7\nrule: {type: softmax}", file="a.yaml")
    >>> document.values
    {'seed': 7, 'rule': {'type': 'softmax'}}
    >>> print(document.problem(("rule", "type"), "unknown rule 'softmax'"))
    a.yaml:2:14 unknown rule 'softmax'
    """

    values: dict[str, Any]
    key_positions: dict[EntryPath, Position]
    value_positions: dict[EntryPath, Position]
    file: str
    text: str
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False)

    def position(self, path: EntryPath, of: Literal["key", "value"] = "value") -> Position:
        r"""Say where the key or the value at `path` stands, or else the nearest entry around it.

        Examples
        --------
        >>> from choicekit.scenario.source import parse_document
        >>> parse_document("rule:\n  type: softmax", file="a.yaml").position(("rule", "temperature"), of="key")
        Position(file='a.yaml', line=1, column=1)
        """
        first, second = self.value_positions, self.key_positions
        if of == "key":
            first, second = second, first
        for length in range(len(path), -1, -1):
            found = first.get(path[:length]) or second.get(path[:length])
            if found:
                return found
        return Position(self.file, None, None)

    def offset_position(self, path: EntryPath, offset: int) -> Position:
        """Say where one character of the text at `path` stands.

        Parameters
        ----------
        path : EntryPath
            An entry whose value is text.
        offset : int
            Number of the character in the value, from 0.

        Returns
        -------
        Position
            Of that character; of the value where the text spans lines, holds escapes or was not read from a file.

        Examples
        --------
        >>> from choicekit.scenario.source import parse_document
        >>> parse_document("fare: 'a + b'", file="a.yaml").offset_position(("fare",), 4)
        Position(file='a.yaml', line=1, column=12)
        """
        start = self.position(path)
        value = self._value(path)
        source = self.sources.get(start.file)
        if path not in self.value_positions or source is None or start.line is None or start.column is None:
            return start
        written = source.lines[start.line - 1][start.column - 1 :]
        quotes = 1 if written[:1] in {"'", '"'} else 0
        # Where the line does not repeat the value letter by letter, a column inside it would be a guess.
        if not isinstance(value, str) or written[:1] in {"|", ">"} or not written.startswith(value, quotes):
            return start
        return Position(start.file, start.line, start.column + quotes + max(0, min(offset, len(value))))

    def _value(self, path: EntryPath) -> object:
        value: Any = self.values
        for segment in path:
            try:
                value = value[segment]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def problem(
        self,
        path: EntryPath,
        message: str,
        hint: str = "",
        of: Literal["key", "value"] = "value",
        *,
        offset: int | None = None,
        excerpt: tuple[str, ...] = (),
    ) -> Problem:
        """Make a problem that names the file, the line and the entry.

        Parameters
        ----------
        path : EntryPath
            The entry that is wrong.
        message, hint : str
            What must hold and what was found; the way out.
        of : {"value", "key"}
            Which of the two the position is of.
        offset : int or None
            Number of the faulty character in a text value; None for the value as a whole.
        excerpt : tuple of str
            Lines shown below the message.

        Examples
        --------
        >>> from choicekit.scenario.source import parse_document
        >>> document = parse_document("sede: 7", file="a.yaml")
        >>> print(document.problem(("sede",), "unknown key 'sede'", "did you mean 'seed'?", of="key"))
        a.yaml:1:1 unknown key 'sede', did you mean 'seed'?
        """
        place = self.position(path, of) if offset is None else self.offset_position(path, offset)
        return Problem(
            message=message,
            hint=hint,
            file=place.file,
            line=place.line,
            column=place.column,
            path=format_path(path),
            excerpt=excerpt,
        )

    def origin(self, path: EntryPath) -> Path:
        """Say which file the value at `path` was read from; an override belongs to the document's own file.

        Examples
        --------
        >>> from choicekit.scenario.source import parse_document
        >>> parse_document("table: trips.csv", file="stories/a.yaml").origin(("table",)).as_posix()
        'stories/a.yaml'
        """
        source = self.sources.get(self.position(path).file) or self.sources.get(self.file)
        return source.path if source else Path(self.file)


def format_path(path: EntryPath) -> str:
    """Write a path with dots, quoting a segment that would read as something else.

    Examples
    --------
    >>> format_path(("alternatives", "a.b", 3))
    'alternatives."a.b".3'
    """
    return ".".join(_format_segment(str(segment)) for segment in path)


def _format_segment(segment: str) -> str:
    if _BARE.fullmatch(segment):
        return segment
    return '"' + segment.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_path(text: str) -> tuple[str, ...]:
    """Read a path written with dots.

    Raises
    ------
    InvalidInputError
        If a segment is empty, a quote is not closed, or something follows a quote.

    Examples
    --------
    >>> parse_path('alternatives."a.b".3')
    ('alternatives', 'a.b', '3')
    """
    segments, end = scan_path(text)
    if end < len(text):
        raise InvalidInputError(f"the path '{text}' must not hold '=' outside quotes")
    return segments


def scan_path(text: str) -> tuple[tuple[str, ...], int]:
    """Read a path up to the first ``=`` outside quotes, or to the end.

    Returns
    -------
    segments : tuple of str
        What the dots separate.
    end : int
        Place of the ``=``, or the length of `text`.

    Raises
    ------
    InvalidInputError
        If a segment is empty, a quote is not closed, or something follows a quote.

    Examples
    --------
    >>> scan_path("rule.temperature=2")
    (('rule', 'temperature'), 16)
    """
    segments: list[str] = []
    start = 0
    while True:
        match = _SEGMENT.match(text, start)
        segment = "" if match is None else _segment_of(match)
        if match is None or segment is None:
            quoted = text[start : start + 1] in {"'", '"'}
            raise InvalidInputError("a quote in the path is not closed" if quoted else "a part of the path is empty")
        segments.append(segment)
        end = match.end()
        if end == len(text) or text[end] == "=":
            return tuple(segments), end
        if text[end] != ".":
            raise InvalidInputError(f"quotes in a path go around a whole part, found '{text[start : end + 1]}'")
        start = end + 1


def _segment_of(match: re.Match[str]) -> str | None:
    double, single, bare = match.groups()
    if double is not None:
        return re.sub(r"\\(.)", r"\1", double, flags=re.DOTALL)
    if single is not None:
        return str(single)
    return bare.strip() or None


def excerpt_of(line: str, column: int) -> tuple[str, ...]:
    r"""Show a line and a caret below one character of it, at most 80 characters wide.

    Parameters
    ----------
    line : str
        The line.
    column : int
        Place of the character, from 1.

    Examples
    --------
    >>> print("\n".join(excerpt_of("fare: a: b", 8)))
    fare: a: b
           ^
    """
    visible = "".join(character if character.isprintable() else " " for character in line)
    return ExpressionError("", expression=visible, offset=column - 1).excerpt
