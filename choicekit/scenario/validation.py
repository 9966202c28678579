"""Checking a document against the blocks of its kind: every problem at once, each at its line and column."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from choicekit.errors import ExpressionError, Problem
from choicekit.scenario.blocks import Block
from choicekit.scenario.document import Document, EntryPath, format_path
from choicekit.scenario.emitting import dump_inline
from choicekit.scenario.wording import in_words, show, tags_of
from choicekit.suggestions import nearest, suggest

__all__ = ["Findings", "Validated", "validate"]

_OUT = "where results go is said on the command line, with --out"
_ELSEWHERE = {
    **dict.fromkeys(("directory", "out", "output", "outputs"), _OUT),
    "extends": "only a scenario in a file can extend another",
}
_SHAPES: Mapping[str, type] = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), dict),
    "list_type": list,
}
_WORD, _PLAIN = re.compile(r'"(\w[\w *.=-]*)"'), r"\1"  # words that need no quotes, and read better without
_ROUNDS = 20  # wrong entries are taken out and the rest looked at again, so that one does not hide another


@dataclass(eq=False)
class Findings:
    """Problems of a document, collected while it is checked.

    Attributes
    ----------
    document : Document
    problems : list of Problem
    warnings : list of str
    removed : set of EntryPath
        Entries that were given but could not be read: not to be called missing or unknown.
    renamed : dict of EntryPath to EntryPath
        Entries under a misspelt key, and where they were written.
    """

    document: Document
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    removed: set[EntryPath] = field(default_factory=set)
    renamed: dict[EntryPath, EntryPath] = field(default_factory=dict)

    def written(self, path: EntryPath) -> EntryPath:
        """Return the path as the user wrote it, before misspelt keys were taken for the right ones."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.renamed:
                return (*self.renamed[path[:length]], *path[length:])
        return path

    def add(self, path: EntryPath, message: str, hint: str = "", *, of_key: bool = False) -> None:
        """Note a problem of the entry at `path`."""
        written = self.written(path)
        self.problems.append(self.document.problem(written, message, hint, of="key" if of_key else "value"))

    def add_formula(self, path: EntryPath, error: ExpressionError) -> None:
        """Note a fault in a formula, at the column where it stands."""
        path = self.written(path)
        position = self.document.offset_position(path, error.offset or 0)
        problem = self.document.problem(path, error.message, error.hint)
        self.problems.append(
            Problem(
                message=problem.message,
                hint=problem.hint,
                file=position.file,
                line=position.line,
                column=position.column,
                path=problem.path,
                excerpt=error.excerpt,
            )
        )

    def taken_out(self, block: str) -> list[str]:
        """Return the keys of a block whose values could not be read."""
        return [str(path[1]) for path in self.removed if len(path) == 2 and path[0] == block]

    def warn(self, path: EntryPath, message: str) -> None:
        """Note something allowed but probably not meant."""
        self.warnings.append(str(self.document.problem(self.written(path), message, of="key")))

    def unknown(self, path: EntryPath, what: str, name: str, known: Any, *, of_key: bool = False) -> None:
        """Note a name that is not known, with the nearest one that is."""
        names = list(dict.fromkeys(str(entry) for entry in known))
        hint = suggest(name, names) or (f"there are {', '.join(names[:20])}" if names else "there are none")
        self.add(path, f"unknown {what} {name!r}", hint, of_key=of_key)


@dataclass(frozen=True, eq=False)
class Validated:
    """What could be read of a document.

    Attributes
    ----------
    model : BaseModel or None
        The whole, where nothing is wrong.
    blocks : mapping
        Every top-level entry that could be read, for further checks also where others are wrong.
    """

    model: BaseModel | None
    blocks: Mapping[str, Any]


def validate(specification: type[BaseModel], findings: Findings) -> Validated:
    """Check a document against a specification, noting every problem.

    Parameters
    ----------
    specification : type of BaseModel
    findings : Findings
        Holds the document; problems are added to it.

    Returns
    -------
    Validated
    """
    repair = _Repair(specification, findings, copy.deepcopy(findings.document.values))
    for _ in range(_ROUNDS):
        try:
            model = specification.model_validate(repair.values)
        except ValidationError as error:
            if not repair.take_out(error):
                break
        else:
            blocks = {name: getattr(model, name) for name in type(model).model_fields}
            return Validated(model if not findings.problems else None, blocks)
    return Validated(None, dict(_readable_blocks(specification, repair.values)))


def _readable_blocks(specification: type[BaseModel], values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, info in specification.model_fields.items():
        if name not in values:
            if not info.is_required():
                yield name, info.get_default(call_default_factory=True)
            continue
        # a model of one field checks it exactly as the whole does, constraints and all
        alone = create_model("Alone", __base__=Block, **{name: (info.annotation, info)})  # type: ignore[call-overload]
        try:
            yield name, getattr(alone.model_validate({name: values[name]}), name)
        except ValidationError:
            continue


@dataclass(eq=False)
class _Repair:
    """A copy of the values from which wrong entries are taken out, so that one does not hide another."""

    specification: type[BaseModel]
    findings: Findings
    values: dict[str, Any]
    missed: set[EntryPath] = field(default_factory=set)

    def take_out(self, error: ValidationError) -> bool:
        """Note what is wrong and take it out; return whether another look may find more."""
        details = error.errors(include_url=False)
        misspelt = [detail for detail in details if detail["type"] == "unknown_keys"]
        if misspelt:  # first of all: a missing key may be a misspelt one
            for detail in misspelt:
                path = _path_of(detail["loc"], self.values)
                for key in detail["ctx"]["unknown"]:
                    self._unknown_key(path, key, detail["ctx"]["known"])
            return True
        changed = False
        # every path before anything is taken out: places in the details are those of the values as they were
        for path, detail in [(_path_of(detail["loc"], self.values), detail) for detail in details]:
            if detail["type"] == "missing":
                changed |= self._missing_key(path, detail)
                continue
            if detail["type"] in {"union_tag_invalid", "union_tag_not_found"}:
                changed |= self._unknown_sort(path, detail)
                continue
            emptied = detail["type"] == "too_short" and any(gone[:-1] == path for gone in self.findings.removed)
            if not emptied:  # else what it held has been found wrong and taken out
                message, hint = in_words(detail)
                self.findings.add(path, message, hint or self._example(path, detail["type"]))
            changed |= self._remove(path)
        return changed

    def _unknown_key(self, parent: EntryPath, key: str, known: list[str]) -> None:
        holder = _entry(self.values, parent)
        meant = nearest(key, [name for name in known if name not in holder])
        otherwise = _ELSEWHERE.get(key) or self._left_over(parent, key)
        if meant is None and not otherwise:
            meant = next((name for name in known if name not in holder and _same_end(name, key)), None)
        hint = otherwise or f"known keys are {', '.join(known)}" if meant is None else f"did you mean {meant!r}?"
        self.findings.add((*parent, key), f"unknown key {key!r}", hint, of_key=True)
        value = holder.pop(key)
        if meant is not None:  # go on as if it had been spelt right, so that nothing is said to be missing
            holder[meant] = value
            self.findings.renamed[(*parent, meant)] = (*self.findings.written(parent), key)

    def _left_over(self, parent: EntryPath, key: str) -> str:
        """Say how to be rid of a key of another sort of block, where the sort was given later than the key."""
        place = self.findings.document.value_positions
        for tag in ("type", "distribution"):
            sort, own = place.get((*parent, tag)), place.get((*parent, key))
            if sort is not None and own is not None and sort.file != own.file:
                found = show(_entry(self.values, (*parent, tag)))
                written = f"`{key}: null` beside that"
                if sort.line is None:
                    written = f"--set {format_path((*parent, key))}=null"
                return f"it does not go with {tag} {found}: take it away with {written}"
        return ""

    def _example(self, path: EntryPath, kind: str) -> str:
        """Show what a mapping or list could be, by the example of the entry that it is part of."""
        wanted = _SHAPES.get(kind)
        if wanted is None or path[0] not in self.specification.model_fields:
            return ""
        examples = self.specification.model_fields[str(path[0])].examples
        found: Any = examples[0] if examples else None
        for step in path[1:]:
            if not isinstance(found, Mapping):
                return ""
            found = found.get(step, next(iter(found.values())))
        if not isinstance(found, wanted):
            return ""
        return f"such as {_WORD.sub(_PLAIN, dump_inline(_first(found)))}"

    def _unknown_sort(self, path: EntryPath, detail: Any) -> bool:
        """Go on with the sort of block that was meant, where one is near, so that its other keys are looked at."""
        if any(path[:length] in self.findings.removed for length in range(1, len(path) + 1)):
            return False  # with the list that it stood in
        tag, holder = detail["ctx"]["discriminator"].strip("'"), _entry(self.values, path)
        if detail["type"] == "union_tag_not_found":
            misspelt = nearest(tag, [key for key in holder if isinstance(key, str)])
            if misspelt is None:
                self.findings.add(path, f"missing key {tag!r}", "add it; see `choicekit list`")
                return self._remove(path)
            self._unknown_key(path, misspelt, [tag])
            return True
        message, hint = in_words({**detail, "ctx": {**detail["ctx"], "tag": holder[tag]}})
        self.findings.add((*path, tag), message, hint)
        meant = nearest(str(holder[tag]), tags_of(detail))
        if meant is None:
            return self._remove(path)
        holder[tag] = meant
        return True

    def _missing_key(self, path: EntryPath, detail: Any) -> bool:
        key = str(detail["loc"][-1])
        if (*path, key) not in self.missed | self.findings.removed:
            self.missed.add((*path, key))  # said once
            self.findings.add(path, f"missing key {key!r}", "add it", of_key=True)
        return self._remove(path)  # what stands beside it can then still be looked at

    def _remove(self, path: EntryPath) -> bool:
        if not path or any(path[:length] in self.findings.removed for length in range(1, len(path) + 1)):
            return False
        holder = _entry(self.values, path[:-1])
        if isinstance(holder, list):
            # the places of a list are part of every path: taking one out would shift the rest
            return self._remove(path[:-1])
        self.findings.removed.add(path)
        del holder[path[-1]]
        return True


def _first(value: Any) -> Any:
    """Return an example with only the first entry of each mapping."""
    if not isinstance(value, Mapping):
        return value
    key = next(iter(value))
    return {key: _first(value[key])}


def _same_end(one: str, other: str) -> bool:
    """Whether one key is the other with words before it, as log_sd is of sd."""
    return one.endswith(f"_{other}") or other.endswith(f"_{one}")


def _path_of(location: tuple[str | int, ...], values: Any) -> EntryPath:
    """Leave out of a location what is no entry of the document, such as the name of a union's branch."""
    path: list[str | int] = []
    here = values
    for step in location:
        if isinstance(here, Mapping):
            found = step in here
        else:
            found = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if found:
            here = here[step]
            path.append(step)
    return tuple(path)


def _entry(values: Any, path: EntryPath) -> Any:
    for step in path:
        values = values[step]
    return values
