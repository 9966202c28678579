"""Scenario files that build on others: ``extends`` in the file, and ``--set`` on the command line.

::

    load_with_extends(path) -> Document                 mappings merge key by key, null takes away, the rest replaces
    apply_overrides(document, overrides) -> Document    later wins

Positions go on pointing into the file a value was written in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from choicekit.errors import Problem, ScenarioError
from choicekit.scenario.document import Document, EntryPath, Position, Source
from choicekit.scenario.overriding import apply_overrides
from choicekit.scenario.scalars import kind_of
from choicekit.scenario.source import parse_source, read_source

__all__ = ["apply_overrides", "load_with_extends", "merge_documents", "merge_values"]

MAX_LEVELS = 10
"""Files below the first in one chain of ``extends``."""

MAX_FILES = 50
"""Mentions of files in all ``extends`` together; without it, lists of files that list files explode."""


def load_with_extends(path: str | Path, *, file_label: str | None = None) -> Document:
    r"""Read a scenario file and everything it extends, merged.

    Parameters
    ----------
    path : str or pathlib.Path
        The scenario file. Its ``extends`` names one file or a list of files, relative to itself; later ones win over
        earlier ones, and the file itself wins over all. An entry that is null there takes that of the others away.
    file_label : str, optional
        Name of the file in messages; `path` as given where left out.

    Returns
    -------
    Document
        Merged values without ``extends``; keys of the base come first.

    Raises
    ------
    ScenarioError
        If a file cannot be read or is wrong, extends itself, or has more than 10 levels below it; all problems at once.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "base.yaml").write_text("seed: 1\nrule: {type: softmax, temperature: 1}")
    >>> _ = (folder / "warm.yaml").write_text("extends: base.yaml\nrule: {temperature: 2}")
    >>> load_with_extends(folder / "warm.yaml").values
    {'seed': 1, 'rule': {'type': 'softmax', 'temperature': 2}}
    """
    source = read_source(Path(path), str(path) if file_label is None else file_label)
    return _Loader().load(source, ())


def merge_values(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings key by key; null takes away what `base` has, and everything else in `over` replaces it.

    Examples
    --------
    >>> merge_values({"a": {"x": 1, "y": [1, 2]}, "b": 1}, {"c": 3, "a": {"y": [9]}})
    {'a': {'x': 1, 'y': [9]}, 'b': 1, 'c': 3}
    >>> merge_values({"policies": {"no-bus": {}, "no-car": {}}}, {"policies": {"no-bus": None}})
    {'policies': {'no-car': {}}}
    """
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if value is None and key in merged:
            del merged[key]
        else:
            merged[key] = merge_values(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def merge_documents(base: Document, over: Document) -> Document:
    """Merge two documents; an entry both have is placed where `over` has it.

    Examples
    --------
    >>> from choicekit.scenario.source import parse_document
    >>> base = parse_document("rule: {type: softmax, temperature: 1}", file="base.yaml")
    >>> merged = merge_documents(base, parse_document("rule: {temperature: 2}", file="warm.yaml"))
    >>> merged.position(("rule", "type")).file, merged.position(("rule", "temperature")).file
    ('base.yaml', 'warm.yaml')
    """
    replaced = _replaced(base.values, over.values)
    taken = {path for path in replaced if _entry(over.values, path) is None}
    return Document(
        values=merge_values(base.values, over.values),
        key_positions=_without(base.key_positions, replaced) | _without(over.key_positions, taken),
        value_positions=_without(base.value_positions, replaced) | _without(over.value_positions, taken),
        file=over.file,
        text=over.text,
        sources={**base.sources, **over.sources},
    )


def _replaced(base: Mapping[str, Any], over: Mapping[str, Any], path: EntryPath = ()) -> set[EntryPath]:
    """Paths in `base` that hold something else than a mapping merged with a mapping."""
    found: set[EntryPath] = set()
    for key in base.keys() & over.keys():
        if isinstance(base[key], dict) and isinstance(over[key], dict):
            found |= _replaced(base[key], over[key], (*path, key))
        else:
            found.add((*path, key))
    return found


def _entry(values: Any, path: EntryPath) -> Any:
    for step in path:
        values = values[step]
    return values


def _without(positions: dict[EntryPath, Position], removed: set[EntryPath]) -> dict[EntryPath, Position]:
    if not removed:
        return positions
    return {
        path: place
        for path, place in positions.items()
        if not any(path[:length] in removed for length in range(1, len(path) + 1))
    }


@dataclass
class _Loader:
    """Loads one scenario; remembers files already merged, so that a shared base is read once."""

    documents: dict[Path, Document | ScenarioError] = field(default_factory=dict)
    mentions: int = 0

    def load(self, source: Source, chain: tuple[Source, ...]) -> Document:
        real = source.path.resolve()
        if real not in self.documents:
            try:
                document = parse_source(source)
                if "extends" in document.values:
                    document = self._extended(document, (*chain, source))
                self.documents[real] = document
            except ScenarioError as error:
                self.documents[real] = error
        known = self.documents[real]
        if isinstance(known, ScenarioError):
            raise known
        return known

    def _extended(self, document: Document, chain: tuple[Source, ...]) -> Document:
        bases: list[Document] = []
        problems: list[Problem] = []
        for path, name in _names(document):
            try:
                bases.append(self._base(document, path, name, chain))
            except ScenarioError as error:
                problems += [problem for problem in error.problems if problem not in problems]
        if problems:
            raise ScenarioError(problems)
        own = _without_extends(document)
        merged = bases[0]
        for base in (*bases[1:], own):
            merged = merge_documents(merged, base)
        return merged

    def _base(self, document: Document, path: EntryPath, name: str, chain: tuple[Source, ...]) -> Document:
        parent = chain[-1]
        self.mentions += 1
        if self.mentions > MAX_FILES:
            message = f"'extends' must name at most {MAX_FILES} files in all"
            raise ScenarioError([document.problem(path, message, "put several into one")])
        # The label is relative to the label, so that messages name files as the user would.
        label = str(Path(parent.label).parent / name)
        try:
            source = read_source(parent.path.parent / name, label)
        except ScenarioError as error:
            raise ScenarioError(_placed(document, path, name, error)) from None
        real = source.path.resolve()
        visited = [file.path.resolve() for file in chain]
        if real in visited:
            circle = " -> ".join([file.label for file in chain[visited.index(real) :]] + [label])
            raise ScenarioError([document.problem(path, f"'extends' goes in a circle: {circle}", "remove one of them")])
        if len(chain) > MAX_LEVELS:
            message = f"'extends' must not go deeper than {MAX_LEVELS} levels"
            raise ScenarioError([document.problem(path, message, "put several files into one")])
        return self.load(source, chain)


def _placed(document: Document, path: EntryPath, name: str, error: ScenarioError) -> list[Problem]:
    """Problems of a base file that could not be opened, at the entry that names it."""
    return [
        problem if problem.line else document.problem(path, f"cannot extend '{name}': {problem.message}", problem.hint)
        for problem in error.problems
    ]


def _names(document: Document) -> list[tuple[EntryPath, str]]:
    """File names in ``extends`` and where each is written."""
    value = document.values["extends"]
    entries: list[tuple[EntryPath, Any]] = [(("extends",), value)]
    if isinstance(value, list):
        entries = [(("extends", index), entry) for index, entry in enumerate(value)]
    hint = "write 'extends: base.yaml'"
    problems = [
        document.problem(path, f"'extends' must name a file or a list of files, found {kind_of(entry)}", hint)
        for path, entry in entries
        if not isinstance(entry, str) or not entry
    ]
    if not 1 <= len(entries) <= MAX_FILES:
        message = f"'extends' must name 1 to {MAX_FILES} files, found {len(entries)}"
        problems = [document.problem(("extends",), message, hint)]
    if problems:
        raise ScenarioError(problems)
    return entries


def _without_extends(document: Document) -> Document:
    removed: set[EntryPath] = {("extends",)}
    return replace(
        document,
        values={key: value for key, value in document.values.items() if key != "extends"},
        key_positions=_without(document.key_positions, removed),
        value_positions=_without(document.value_positions, removed),
    )
