"""What a YAML scanner or parser stumbled over, said in our own words.

The library's message is only used to tell the kinds of fault apart, never shown. What no rule below knows gets the
plain "this line is not valid YAML" with the line and a caret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ruamel.yaml.error import MarkedYAMLError

from choicekit.errors import Problem
from choicekit.scenario.document import Source, excerpt_of

__all__ = ["OpenBracket", "explain"]

_CLOSING = {"[": "]", "{": "}"}
_NO_SPACE = re.compile(r"\s*(?:- +)*[\w.-]+(:)[^\s:/]")
_BARE_KEY = re.compile(r"\s*(?:- +)*[^\s:][^:]*")
_NO_CHARACTER = re.compile(r"\\U(?!00(?:0[0-9a-fA-F]|10))[0-9a-fA-F]{8}")
_LIST_ENTRY = re.compile(r"\s*-(\s|$)")


@dataclass(frozen=True, slots=True)
class OpenBracket:
    """A ``[`` or ``{`` not closed yet; line and column from 1."""

    character: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Fault:
    """Where the scanner stopped, and what it was reading; lines and columns from 0."""

    reason: str
    context: str
    line: int
    column: int
    context_line: int
    context_column: int
    lines: list[str]
    brackets: Sequence[OpenBracket]

    @property
    def text(self) -> str:
        return self.lines[self.line]

    @property
    def character(self) -> str:
        return self.text[self.column : self.column + 1]

    @property
    def at_end(self) -> bool:
        return "<stream end>" in self.reason


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Our words, and where they point; lines and columns from 0."""

    message: str
    hint: str
    line: int
    column: int


_Rule: TypeAlias = Callable[[_Fault], _Verdict | None]


def explain(error: Exception, source: Source, brackets: Sequence[OpenBracket]) -> Problem:
    """Say in our own words what a YAML scanner or parser could not read.

    Parameters
    ----------
    error : Exception
        What the library raised.
    source : Source
        The text it was reading.
    brackets : sequence of OpenBracket
        Brackets open at that point, the innermost last.

    Examples
    --------
    >>> from choicekit.scenario.source import parse_document
    >>> parse_document("fare: a: b", file="a.yaml")
    Traceback (most recent call last):
    choicekit.errors.ScenarioError: a.yaml:1:8 ': ' is not allowed inside unquoted text, quote the text
        fare: a: b
               ^
    """
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if not isinstance(error, MarkedYAMLError) or mark is None:
        return _unplaced(source)
    fault = _fault(error, mark, source, brackets)
    verdict = next((found for rule in _RULES if (found := rule(fault))), None) or _Verdict(
        "this line is not valid YAML", "check its indentation, quotes and brackets", fault.line, fault.column
    )
    line = source.lines[verdict.line]
    return Problem(
        message=verdict.message,
        hint=verdict.hint,
        file=source.label,
        line=verdict.line + 1,
        column=verdict.column + 1,
        excerpt=excerpt_of(line, verdict.column + 1) if line.strip() else (),
    )


def _unplaced(source: Source) -> Problem:
    """Find the place where the library named none; known for numbers beyond the last character."""
    for number, line in enumerate(source.lines, start=1):
        if match := _NO_CHARACTER.search(line):
            message = f"'{match.group()}' is no character"
            excerpt = excerpt_of(line, match.start() + 1)
            label, column = source.label, match.start() + 1
            return Problem(message=message, hint="correct it", file=label, line=number, column=column, excerpt=excerpt)
    return Problem(message="this file is not valid YAML", hint="check its quotes and escapes", file=source.label)


def _fault(error: MarkedYAMLError, mark: Any, source: Source, brackets: Sequence[OpenBracket]) -> _Fault:
    context = error.context_mark or mark
    last = len(source.lines) - 1
    line, column = min(mark.line, last), mark.column
    # The end of the text is after its last line break; the line a reader looks at is the one before.
    while line > 0 and mark.index >= len(source.text) and not source.lines[line].strip():
        line -= 1
        column = len(source.lines[line])
    return _Fault(
        reason=str(error.problem or error.context or ""),
        context=str(error.context or ""),
        line=line,
        column=column,
        context_line=min(context.line, last),
        context_column=context.column,
        lines=source.lines,
        brackets=brackets,
    )


def _tab(fault: _Fault) -> _Verdict | None:
    before = fault.text[: fault.column + 1]
    if fault.character != "\t" and "\t" not in before[: len(before) - len(before.lstrip())]:
        return None
    column = before.index("\t")
    place = "for indentation" if not before[:column].strip() else "between a key and its value"
    return _Verdict(f"a tab must not be used {place}", "use spaces", fault.line, column)


def _bad_start(fault: _Fault) -> _Verdict | None:
    starts = "cannot start any token" in fault.reason
    named = "scanning an alias" in fault.context or "scanning an anchor" in fault.context
    if not starts and not named:
        return None
    line, column = (fault.context_line, fault.context_column) if named else (fault.line, fault.column)
    character = fault.lines[line][column : column + 1]
    return _Verdict(f"unquoted text must not start with '{character}'", "quote the text", line, column)


def _tag_or_directive(fault: _Fault) -> _Verdict | None:
    if "directive" in fault.context or fault.text.startswith("%"):
        return _Verdict("a line must not start with '%'", "remove the line, or quote the text", fault.line, 0)
    if "tag" not in fault.reason and "tag" not in fault.context and "URI" not in fault.reason:
        return None
    line, column = fault.context_line, fault.context_column
    return _Verdict("a tag, text that starts with '!', is not allowed", "quote the text", line, column)


def _quote(fault: _Fault) -> _Verdict | None:
    if "double-quoted" in fault.context:
        start = max(fault.text.rfind("\\", 0, fault.column + 1), 0)
        written = fault.text[start : start + 2]
        hint = "write \\\\ for a backslash, or use single quotes"
        return _Verdict(f"'{written}' starts no escape that YAML knows", hint, fault.line, start)
    if "quoted scalar" not in fault.context:
        return None
    quote = fault.lines[fault.context_line][fault.context_column : fault.context_column + 1]
    message = f"this quote ({quote}) is never closed"
    return _Verdict(message, "close it, or double a quote inside the text", fault.context_line, fault.context_column)


def _bracket(fault: _Fault) -> _Verdict | None:
    flow = "flow sequence" in fault.context or "flow mapping" in fault.context
    if not flow and "expected the node content" not in fault.reason:
        return None
    opened = fault.brackets[-1] if fault.brackets else None
    if opened is None:
        if fault.at_end or fault.character not in {"]", "}", ","}:
            return None
        does = "separates" if fault.character == "," else "closes"
        return _Verdict(f"'{fault.character}' {does} nothing", "quote it", fault.line, fault.column)
    closing = _CLOSING[opened.character]
    if fault.at_end or (fault.line > opened.line - 1 and fault.character == ":"):
        message = f"this '{opened.character}' is never closed"
        return _Verdict(message, f"add '{closing}'", opened.line - 1, opened.column - 1)
    start = f"the '{opened.character}' at {opened.line}:{opened.column}"
    if fault.character in {"]", "}"}:
        message = f"'{fault.character}' does not close {start}"
        return _Verdict(message, f"write '{closing}'", fault.line, fault.column)
    if fault.character == ":":
        return _Verdict("': ' is not allowed inside unquoted text", "quote the text", fault.line, fault.column)
    if not flow and fault.character == "-":
        return _Verdict("a list entry '- ' must not stand in brackets", "remove the '-'", fault.line, fault.column)
    if not flow:
        return _Verdict(f"a value is missing before '{fault.character}'", "write it", fault.line, fault.column)
    return _Verdict(f"',' or '{closing}' is missing, to go on with {start}", "", fault.line, fault.column)


def _colon(fault: _Fault) -> _Verdict | None:
    if "mapping values are not allowed" not in fault.reason:
        return None
    before = fault.text[: fault.column]
    start = len(before) - len(before.lstrip())
    if len(before.strip()) > 1000 and ": " not in before:
        return _Verdict("a key has at most 1,000 characters", "shorten it", fault.line, start)
    if _BARE_KEY.fullmatch(before) and fault.line > 0 and before[:1].isspace():
        message = "this key stands under a line that already has a value"
        hint = "align it with the keys it belongs to, or quote the text"
        return _Verdict(message, hint, fault.line, start)
    return _Verdict("': ' is not allowed inside unquoted text", "quote the text", fault.line, fault.column)


def _no_colon(fault: _Fault) -> _Verdict | None:
    if "could not find expected ':'" not in fault.reason:
        return None
    line, column = fault.context_line, fault.context_column
    if match := _NO_SPACE.match(fault.lines[line]):
        return _Verdict("a space is missing after ':'", "write 'key: value'", line, match.start(1))
    return _Verdict("':' is missing after this key", "write 'key: value', or quote text of several lines", line, column)


def _list_entry(fault: _Fault) -> _Verdict | None:
    if "sequence entries are not allowed" in fault.reason:
        hint = "put it on a line of its own, or quote the text"
        return _Verdict("a list entry '- ' must not follow a key on its line", hint, fault.line, fault.column)
    if "block mapping" in fault.context and _LIST_ENTRY.match(fault.text) and fault.character == "-":
        return _Verdict("a list entry '- ' stands among keys", "indent it under its key", fault.line, fault.column)
    if "block collection" in fault.context and "'?'" in fault.reason:
        hint = "start it with '- ', or align it with the keys it belongs to"
        return _Verdict("a key stands among list entries", hint, fault.line, fault.column)
    return None


def _block_text(fault: _Fault) -> _Verdict | None:
    if "block scalar" not in fault.context and "block scalar" not in fault.reason:
        return None
    line, column = fault.context_line, fault.context_column
    return _Verdict("text after '|' or '>' must start on the next line, evenly indented", "", line, column)


def _after_value(fault: _Fault) -> _Verdict | None:
    if "<block end>" not in fault.reason and "<document start>" not in fault.reason:
        return None
    before = fault.text[: fault.column].rstrip()
    if before.endswith(("'", '"')):
        hint = "quote the whole value; inside single quotes write '' for one"
        return _Verdict("nothing may follow the closing quote", hint, fault.line, fault.column)
    if before.endswith(("]", "}")):
        return _Verdict("nothing may follow the closing bracket", "quote the whole value", fault.line, fault.column)
    if not before and "<block end>" in fault.reason:
        hint = "align it with the lines it belongs to"
        return _Verdict("the indentation of this line fits no line above it", hint, fault.line, fault.column)
    return None


# From the most telling sign to the least: a tab or a '%' explains whatever the parser thought of it.
_RULES: tuple[_Rule, ...] = (
    _tab,
    _quote,
    _bad_start,
    _tag_or_directive,
    _block_text,
    _bracket,
    _colon,
    _no_colon,
    _list_entry,
    _after_value,
)
