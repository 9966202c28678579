"""YAML events turned into plain values and positions, refused as soon as they break a limit.

Nothing is built from a tag, an alias or a merge key; they are problems, and reading goes on so that all are reported at
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from choicekit.errors import CUT_SHORT, InvalidInputError, Problem
from choicekit.scenario.document import EntryPath, Position, Source, format_path
from choicekit.scenario.scalars import MAX_DEPTH, has_half_character, resolve_plain
from choicekit.scenario.syntax import OpenBracket, explain

__all__ = ["Builder"]

MAX_NODES = 30_000
"""Keys and values in one file; the scanner reads about this many in a second."""

MAX_FLOW_WORK = 300_000
"""Bracket levels summed over nodes: the scanner looks at every open bracket again for each node inside."""

MAX_PROBLEMS = 50

_TAG = re.compile(r"![^\s,\[\]{}]*")
_NO_SPACE = re.compile(r"[\w.-]+:[^\s:/]")
_COLON = re.compile(r"(?:[ \t]*:)?")
_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?(?:\r\n|\r|\n))*%([^\r\n]*)")


def _short(text: str) -> str:
    """Cut text that a message quotes."""
    flat = "".join(character if character.isprintable() else " " for character in text)
    return flat if len(flat) <= 40 else f"{flat[:39]}…"


def _is_empty(event: Any) -> bool:
    """Say whether the event stands for a value that is not written."""
    return isinstance(event, ScalarEvent) and event.style is None and event.start_mark.index == event.end_mark.index


class _StopError(Exception):
    """Reading must not go on; the problem has been noted."""


@dataclass(slots=True)
class _Frame:
    """A collection that is still open."""

    container: dict[str, Any] | list[Any]
    path: EntryPath
    flow: OpenBracket | None
    discard: bool
    # A mapping is waiting for a key, or has one (None where the key was refused) and is waiting for its value.
    has_key: bool = False
    key: str | None = None
    key_end: Any = None


@dataclass
class Builder:
    """Reads one document from YAML text, collecting every problem.

    Attributes
    ----------
    source : Source
        The text.
    any_value : bool
        False for a scenario file, whose top is a mapping; True for one value as on a command line, without block style.
    root : EntryPath
        Where the value stands, for messages.

    Examples
    --------
    >>> from pathlib import Path
    >>> builder = Builder(Source("a.yaml", Path("a.yaml"), "seed: 7"))
    >>> builder.read()
    >>> builder.value, builder.problems
    ({'seed': 7}, [])
    """

    source: Source
    any_value: bool = False
    root: EntryPath = ()
    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    key_positions: dict[EntryPath, Position] = field(default_factory=dict)
    value_positions: dict[EntryPath, Position] = field(default_factory=dict)
    _stack: list[_Frame] = field(default_factory=list)
    _nodes: int = 0
    _flow_level: int = 0
    _flow_work: int = 0
    _documents: int = 0

    def read(self) -> None:
        """Read the text; afterwards `value`, the positions and `problems` are filled."""
        try:
            self._check_directive()
            self._read_events(YAML(typ="safe", pure=True).parse(self.source.text))
        except _StopError:
            pass
        except RecursionError:  # no known text gets here; the depth is checked on the way
            self.problems.append(Problem(message="the file is nested too deeply", file=self.source.label))
        except Exception as error:  # whatever the library raises on hostile text is the text's fault, not ours
            brackets = [frame.flow for frame in self._stack if frame.flow]
            self.problems.append(explain(error, self.source, brackets))
        if not self.problems and not self.value_positions and not self.any_value:
            message = "the file is empty, it must hold a mapping of keys to values"
            self.problems.append(Problem(message=message, hint="start with 'kind: choice'", file=self.source.label))

    def _read_events(self, events: Iterable[Any]) -> None:
        for event in events:
            if isinstance(event, CollectionEndEvent):
                frame = self._stack.pop()
                self._flow_level -= frame.flow is not None
                self._close_entry()
            elif isinstance(event, NodeEvent):
                self._count(event)
                self._refuse_properties(event)
                self._place(event)
            elif isinstance(event, DocumentStartEvent):
                self._documents += 1
                if self._documents > 1:
                    hint = "remove the line '---' or '...', or make two files"
                    self._note(event, "a file holds one document, here a second one starts", hint)
                    raise _StopError

    def _note(self, event: Any, message: str, hint: str = "", path: EntryPath | None = None) -> None:
        code = ""
        if len(self.problems) >= MAX_PROBLEMS:
            message, hint, path = f"there are more than {MAX_PROBLEMS} problems", "correct these first", ()
            code = CUT_SHORT
        mark = event.start_mark
        dotted = format_path(self._next_path() if path is None else path)
        line, column = mark.line + 1, mark.column + 1
        label = self.source.label
        self.problems.append(
            Problem(message=message, hint=hint, file=label, line=line, column=column, path=dotted, code=code)
        )
        if len(self.problems) > MAX_PROBLEMS:
            raise _StopError

    def _check_directive(self) -> None:
        # Checked ahead: the library takes a second over a file of directives, and some of them change its rules.
        match = _DIRECTIVE.match(self.source.text)
        if match and match.group(1).split("#")[0].split() != ["YAML", "1.2"]:
            line = len(self.source.text[: match.start(1)].splitlines())
            message = f"the line '%{_short(match.group(1))}' is not allowed, files are YAML 1.2"
            label = self.source.label
            self.problems.append(Problem(message=message, hint="remove it", file=label, line=line, column=1))
            raise _StopError

    def _count(self, event: Any) -> None:
        self._nodes += 1
        self._flow_work += self._flow_level
        if self._nodes > MAX_NODES or self._flow_work > MAX_FLOW_WORK:
            what = f"the file has more than {MAX_NODES:,} entries"
            if self._nodes <= MAX_NODES:
                what = "the file has too many brackets inside brackets"
            self._note(event, what, "move data to a table file")
            raise _StopError

    def _refuse_properties(self, event: Any) -> None:
        if isinstance(event, AliasEvent):
            self._note(event, f"alias '*{_short(event.anchor)}' is not allowed", "write the value out")
            return
        if event.anchor is not None:
            hint = "write the value out where it is needed"
            self._note(event, f"anchor '&{_short(event.anchor)}' is not allowed", hint)
        if event.tag is not None:
            mark = event.start_mark
            # As written: the library hands out tags in their long form.
            written = _TAG.search(self.source.text, mark.index, event.end_mark.index)
            tag = written.group() if written else "!"
            self._note(event, f"tag '{_short(tag)}' is not allowed", "write a plain value, or quote the text")

    def _next_path(self) -> EntryPath:
        if not self._stack:
            return self.root
        frame = self._stack[-1]
        if isinstance(frame.container, list):
            return (*frame.path, len(frame.container))
        return (*frame.path, frame.key) if frame.key is not None else frame.path

    def _place(self, event: Any) -> None:
        if not self._stack:
            self._check_top(event)
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.container, dict) and not frame.has_key:
            self._start_key(event, frame)
            return
        discard = frame is not None and (frame.discard or (isinstance(frame.container, dict) and frame.key is None))
        path = self._next_path()
        value = self._value_of(event, path)
        if frame is None:
            self.value = value
        elif isinstance(frame.container, list):
            frame.container.append(value)
        elif frame.key is not None:
            self._check_space(event, frame)
            frame.container[frame.key] = value
        if not discard:
            self.value_positions[path] = self._position(event, frame)
        self._open_or_close(event, value, path, discard)

    def _open_or_close(self, event: Any, value: Any, path: EntryPath, discard: bool) -> None:
        if not isinstance(event, CollectionStartEvent):
            self._close_entry()
            return
        bracket = None
        if event.flow_style:
            mark = event.end_mark
            character = self.source.text[max(mark.index - 1, 0) : mark.index]
            # A pair written inside a list, `[a: 1]`, has no bracket of its own, and no width.
            if character in {"[", "{"} and mark.index > event.start_mark.index:
                bracket = OpenBracket(character, mark.line + 1, mark.column)
                self._flow_level += 1
        self._stack.append(_Frame(value, path, bracket, discard))
        if len(self._stack) > MAX_DEPTH:
            self._note(event, f"nesting is deeper than {MAX_DEPTH} levels", "make it flatter", path=())
            raise _StopError

    def _close_entry(self) -> None:
        """Note that the innermost open mapping has got its key, or the value to its key."""
        if self._stack and isinstance(self._stack[-1].container, dict):
            frame = self._stack[-1]
            if frame.has_key:
                frame.has_key, frame.key = False, None
            else:
                frame.has_key = True

    def _position(self, event: Any, frame: _Frame | None = None) -> Position:
        mark, shift = event.start_mark, 1
        if frame is not None and frame.key is not None and frame.flow is None and _is_empty(event):
            # The library places a value that is not written at the next thing that is; readers look after the colon.
            mark = frame.key_end
            shift += len(_COLON.match(self.source.text, mark.index).group())  # type: ignore[union-attr]
        return Position(self.source.label, mark.line + 1, mark.column + shift)

    def _check_top(self, event: Any) -> None:
        if self.any_value:
            if isinstance(event, CollectionStartEvent) and not event.flow_style:
                hint = "write lists as [1, 2] and mappings as {a: 1}, or quote the text"
                self._note(event, "a value on one line is a scalar or stands in brackets", hint)
                raise _StopError
        elif not isinstance(event, MappingStartEvent):
            if isinstance(event, ScalarEvent) and event.style is None and _NO_SPACE.match(event.value):
                message = f"a space is missing after ':' in '{_short(event.value)}'"
                self._note(event, message, "write 'key: value'")
                raise _StopError
            found = "a list"
            if isinstance(event, ScalarEvent):
                found = f"'{_short(event.value)}'" if event.value else "nothing"
            elif isinstance(event, AliasEvent):
                found = "an alias"
            hint = "write 'key: value' lines"
            self._note(event, f"a scenario must be a mapping of keys to values, found {found}", hint)
            raise _StopError

    def _start_key(self, event: Any, frame: _Frame) -> None:
        frame.key = None
        if isinstance(event, CollectionStartEvent):
            found = "a mapping" if isinstance(event, MappingStartEvent) else "a list"
            self._note(event, f"a key must be plain text, found {found}", "quote it if it is text")
            container: dict[str, Any] | list[Any] = {} if isinstance(event, MappingStartEvent) else []
            # The parts of the refused key are read, for their own problems, and thrown away.
            self._open_or_close(event, container, frame.path, True)
            return
        frame.has_key = True
        if isinstance(event, ScalarEvent):
            self._name_key(event, frame)

    def _name_key(self, event: Any, frame: _Frame) -> None:
        key = self._whole_characters(event)
        path = (*frame.path, key)
        plain = event.style is None
        if plain and not key:
            self._note(event, "a key is missing before ':'", "write it, or quote the text")
        elif plain and key == "<<":
            self._note(event, "merge key '<<' is not allowed", "use 'extends' to build on another file")
        elif isinstance(frame.container, dict) and key in frame.container:
            first = self.key_positions.get(path)
            place = f", first given on line {first.line}" if first else ""
            self._note(event, f"duplicate key '{_short(key)}'{place}", "keep one of them", path=path)
        else:
            frame.key = key
            frame.key_end = event.end_mark
            if not frame.discard:
                self.key_positions[path] = self._position(event)

    def _check_space(self, event: Any, frame: _Frame) -> None:
        # `{a:1}` is, to YAML, the key 'a:1' without a value; nobody means that.
        if frame.flow and _is_empty(event) and frame.key is not None and ":" in frame.key:
            hint = "write '{key: value}', or quote the text"
            self._note(event, f"a space is missing after ':' in '{_short(frame.key)}'", hint)

    def _value_of(self, event: Any, path: EntryPath) -> Any:
        if isinstance(event, CollectionStartEvent):
            return {} if isinstance(event, MappingStartEvent) else []
        if not isinstance(event, ScalarEvent):
            return None
        if event.style is not None:
            return self._whole_characters(event)
        try:
            return resolve_plain(str(event.value))
        except InvalidInputError as error:
            self._note(event, str(error), "quote it if it is text", path=path)
            return None

    def _whole_characters(self, event: Any) -> str:
        """Text of a scalar, escaped surrogate pairs joined."""
        text = str(event.value)
        if has_half_character(text):
            text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if "\ufffd" in text:
                self._note(event, "the text holds half of a surrogate pair", "write the character itself")
        return text
