"""Single values set from outside a file: ``--set path.to.key=value``."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from choicekit.errors import InvalidInputError, Problem, ScenarioError
from choicekit.scenario.document import Document, EntryPath, Position, format_path, parse_path, scan_path
from choicekit.scenario.emitting import dump_inline
from choicekit.scenario.scalars import MAX_DEPTH, kind_of, to_plain
from choicekit.scenario.source import parse_value

__all__ = ["apply_overrides"]

_LONGEST_LABEL = 100


def apply_overrides(document: Document, overrides: Mapping[str, object] | Sequence[str]) -> Document:
    """Set single values of a document.

    Parameters
    ----------
    document : Document
        Left as it is.
    overrides : sequence of str, or mapping
        Texts ``path.to.key=value``, the value read as in a file (a scalar, ``[...]`` or ``{...}``), or a mapping of
        dotted paths to Python values; null takes an entry away. Whole numbers in a path count list entries from 0; a
        part that holds a dot stands in quotes. Later ones win; mappings on the way are made where they are missing.

    Returns
    -------
    Document
        With positions of what was set named after the override, without line and column. A key that was in the file
        keeps its own position.

    Raises
    ------
    ScenarioError
        If an override cannot be read or does not fit the document; all problems at once.

    Examples
    --------
    >>> from choicekit.scenario.source import parse_document
    >>> document = parse_document("rule: {type: softmax}", file="a.yaml")
    >>> changed = apply_overrides(document, ["rule.temperature=2", 'alternatives."a.b"=bus'])
    >>> changed.values
    {'rule': {'type': 'softmax', 'temperature': 2}, 'alternatives': {'a.b': 'bus'}}
    >>> changed.position(("rule", "temperature")).file
    '--set rule.temperature=2'
    """
    changed = replace(
        document,
        values=copy.deepcopy(document.values),
        key_positions=dict(document.key_positions),
        value_positions=dict(document.value_positions),
    )
    problems: list[Problem] = []
    for override in _read(overrides, problems):
        try:
            _apply(changed, override)
        except InvalidInputError as error:
            hint, dotted = "check the path", format_path(override.path)
            problems.append(Problem(message=str(error), hint=hint, file=override.label, path=dotted))
    if problems:
        raise ScenarioError(problems)
    return changed


@dataclass(frozen=True)
class _Override:
    label: str
    path: tuple[str, ...]
    value: Any


def _read(overrides: Mapping[str, object] | Sequence[str], problems: list[Problem]) -> Iterator[_Override]:
    """Yield the overrides that can be read; note what is wrong with the others."""
    if isinstance(overrides, str):
        overrides = [overrides]
    entries = list(overrides.items()) if isinstance(overrides, Mapping) else [(text, None) for text in overrides]
    for text, value in entries:
        label = _label(text, value) if isinstance(overrides, Mapping) else _label(text)
        try:
            if isinstance(overrides, Mapping):
                path = parse_path(text)
                yield _Override(label, path, to_plain(value, depth=len(path) + 1))
            else:
                yield _from_text(text, label)
        except InvalidInputError as error:
            problems.append(Problem(message=str(error), hint="write path.to.key=value", file=label))
        except ScenarioError as error:
            # Lines and columns count within the value, which is no place in a file.
            problems += [replace(problem, line=None, column=None) for problem in error.problems]


def _from_text(text: str, label: str) -> _Override:
    path, end = scan_path(text)
    if end == len(text):
        raise InvalidInputError("'=' is missing")
    value = parse_value(text[end + 1 :], file=label, root=path)
    # Read again as a plain value, for the depth it has inside the document.
    return _Override(label, path, to_plain(value, depth=len(path) + 1))


def _label(path: str, *value: object) -> str:
    text = str(path)
    if value:
        try:
            text += f"={dump_inline(value[0])}"
        except InvalidInputError:
            text += f"={kind_of(value[0])}"
    text = "".join(character if character.isprintable() else " " for character in text)
    return f"--set {text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + '…'}"


def _apply(document: Document, override: _Override) -> None:
    """Set one value in a document that nobody else holds."""
    if len(override.path) >= MAX_DEPTH:
        raise InvalidInputError(f"nesting is deeper than {MAX_DEPTH} levels")
    place = Position(override.label, None, None)
    container: Any = document.values
    path: EntryPath = ()
    *parents, last = override.path
    # Checked to the end before anything is set: a bad override must leave no half-made mappings behind.
    _check_way(document.values, override.path)
    for segment in parents:
        key = _key_in(container, segment)
        path = (*path, key)
        if _entry_of(container, key) is None:
            container[key] = {}
            _note_set(document, path, place)
        container = container[key]
    key = _key_in(container, last)
    path = (*path, key)
    if override.value is None and isinstance(container, dict) and key in container:
        del container[key]
        _forget_below(document, path[:-1], (key,))
        return
    container[key] = copy.deepcopy(override.value)
    _forget_below(document, path)
    _note_set(document, path, place)
    _record_below(document, path, override.value, place)


def _entry_of(container: Any, key: str | int) -> Any:
    return container.get(key) if isinstance(container, dict) else container[key]


def _note_set(document: Document, path: EntryPath, place: Position) -> None:
    if isinstance(path[-1], str):
        document.key_positions.setdefault(path, place)
    document.value_positions[path] = place


def _check_way(values: dict[str, Any], path: tuple[str, ...]) -> None:
    container: Any = values
    for count, segment in enumerate(path):
        container = _entry_of(container, _key_in(container, segment, format_path(path[:count])))
        if container is None:
            return


def _key_in(container: object, segment: str, name: str = "") -> str | int:
    if isinstance(container, dict):
        return segment
    if not isinstance(container, list):
        raise InvalidInputError(f"'{name}' is {kind_of(container)}, nothing can be set inside it")
    if not container:
        raise InvalidInputError(f"'{name}' is an empty list, set the whole list")
    if not (segment.isascii() and segment.isdigit() and len(segment) < 10 and int(segment) < len(container)):
        last = len(container) - 1
        raise InvalidInputError(f"'{name}' is a list, its entries are 0 to {last}, found '{segment}'")
    return int(segment)


def _forget_below(document: Document, path: EntryPath, entry: EntryPath = ()) -> None:
    """Forget where everything below a path stands, or one entry there with all below it."""
    whole = (*path, *entry)
    for positions in (document.key_positions, document.value_positions):
        for known in [known for known in positions if len(known) > len(path) and known[: len(whole)] == whole]:
            del positions[known]


def _record_below(document: Document, path: EntryPath, value: object, place: Position) -> None:
    entries: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for key, entry in entries:
        _note_set(document, (*path, key), place)
        _record_below(document, (*path, key), entry, place)
