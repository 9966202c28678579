"""A scenario file read: hostile YAML text in, plain values and their positions out.

::

    read_document(path) -> Document          a file
    parse_document(text, file=...) -> Document
    dump_document(values) -> str             and back

Size, encoding, depth, tags, aliases, merge keys and duplicate keys are checked before anything is built; all problems
found are reported at once, each with line and column, in a `ScenarioError`. Nothing else is raised, whatever the text.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from choicekit.errors import Problem, ScenarioError
from choicekit.scenario.building import Builder
from choicekit.scenario.document import Document, EntryPath, Position, Source
from choicekit.scenario.emitting import dump_document

__all__ = [
    "MAX_BYTES",
    "Document",
    "EntryPath",
    "Position",
    "Source",
    "dump_document",
    "parse_document",
    "parse_source",
    "parse_value",
    "read_document",
    "read_source",
]

MAX_BYTES = 262_144
"""Largest file that is read."""

# Control characters, halves of surrogate pairs, and characters that some YAML readers take for line breaks.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_BREAK = re.compile(r"\r\n|\r|\n")


def read_document(path: str | Path, *, file_label: str | None = None) -> Document:
    """Read a scenario file, without following its ``extends``.

    Parameters
    ----------
    path : str or pathlib.Path
        A regular file of at most 262,144 bytes of UTF-8.
    file_label : str, optional
        Name of the file in messages; `path` as given where left out.

    Returns
    -------
    Document
        Values and positions.

    Raises
    ------
    ScenarioError
        If the file cannot be read or is not one YAML 1.2 mapping; all problems at once.

    Examples
    --------
    >>> read_document("no-such-file.yaml")
    Traceback (most recent call last):
    choicekit.errors.ScenarioError: no-such-file.yaml there is no such file, check the name and the folder
    """
    return parse_source(read_source(Path(path), str(path) if file_label is None else file_label))


def parse_document(text: str, *, file: str) -> Document:
    r"""Read scenario text.

    Parameters
    ----------
    text : str
        YAML 1.2, at most 262,144 bytes in UTF-8.
    file : str
        Name of the text in messages, and the file that relative paths in it are relative to.

    Returns
    -------
    Document
        Values and positions.

    Raises
    ------
    ScenarioError
        If the text is not one YAML 1.2 mapping; all problems at once.

    Examples
    --------
    >>> parse_document("alternatives: {1: air, 2: train}", file="a.yaml").values
    {'alternatives': {'1': 'air', '2': 'train'}}
    >>> parse_document("seed: 1\nrule: *r\nseed: 2", file="a.yaml")
    Traceback (most recent call last):
    choicekit.errors.ScenarioError: a.yaml:2:7 alias '*r' is not allowed, write the value out
    a.yaml:3:1 duplicate key 'seed', first given on line 1, keep one of them
    """
    return parse_source(Source(file, Path(file), text.removeprefix("\ufeff")))


def parse_value(text: str, *, file: str, root: EntryPath = ()) -> Any:
    """Read one value as the command line takes it: a scalar, ``[...]`` or ``{...}``.

    Parameters
    ----------
    text : str
        YAML 1.2.
    file : str
        Name of the text in messages.
    root : EntryPath
        Path of the value, for messages.

    Raises
    ------
    ScenarioError
        If the text is not such a value.

    Examples
    --------
    >>> parse_value("[20, 4e1, no]", file="--set edges")
    [20, 40.0, 'no']
    """
    source = Source(file, Path(file), text)
    _check_text(source)
    builder = Builder(source, any_value=True, root=root)
    builder.read()
    _raise_if_any(builder.problems)
    return builder.value


def parse_source(source: Source) -> Document:
    """Read the text of a source.

    Raises
    ------
    ScenarioError
        If the text is not one YAML 1.2 mapping; all problems at once.

    Examples
    --------
    >>> parse_source(Source("a.yaml", Path("stories/a.yaml"), "seed: 7")).values
    {'seed': 7}
    """
    _check_text(source)
    builder = Builder(source)
    builder.read()
    _raise_if_any(builder.problems)
    return Document(
        values=builder.value,
        key_positions=builder.key_positions,
        value_positions=builder.value_positions,
        file=source.label,
        text=source.text,
        sources={source.label: source},
    )


def read_source(path: Path, label: str) -> Source:
    """Read the text of a file; refuse it by its size before reading it.

    Raises
    ------
    ScenarioError
        If it is missing, no regular file, unreadable, too large, or not UTF-8. Without a line number but for the last.

    Examples
    --------
    >>> read_source(Path("."), "scenarios")
    Traceback (most recent call last):
    choicekit.errors.ScenarioError: scenarios this is a folder, name the scenario file inside it
    """
    try:
        content = _content(path, label)
    except ScenarioError:
        raise
    except (FileNotFoundError, NotADirectoryError):
        raise _refused(label, "there is no such file", "check the name and the folder") from None
    except PermissionError:
        raise _refused(label, "you have no permission to read this file", "change its permissions") from None
    except (OSError, ValueError):
        raise _refused(label, "this file cannot be read", "check the name and the disk") from None
    return Source(label, path, _decoded(content, label))


def _content(path: Path, label: str) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise _refused(label, "this is a folder", "name the scenario file inside it")
    if not stat.S_ISREG(status.st_mode):
        # A pipe or a device may never end.
        raise _refused(label, "this is not a regular file", "save the scenario to a file")
    if status.st_size > MAX_BYTES:
        raise _refused(label, *_too_large(status.st_size))
    with path.open("rb") as stream:
        # The file may have grown since.
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _refused(label, *_too_large(len(content)))
    return content


def _refused(label: str, message: str, hint: str) -> ScenarioError:
    return ScenarioError([Problem(message=message, hint=hint, file=label)])


def _too_large(size: int) -> tuple[str, str]:
    message = f"a scenario has at most {MAX_BYTES:,} bytes, this one has {size:,}"
    return message, "move data to a table file"


def _decoded(content: bytes, label: str) -> str:
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line, column = _line_and_column(content[: error.start].decode("utf-8"))
        message = f"the file must be UTF-8, byte {error.start} is 0x{content[error.start]:02x}"
        hint = "save it again as UTF-8"
        raise ScenarioError([Problem(message=message, hint=hint, file=label, line=line, column=column)]) from None


def _line_and_column(before: str) -> tuple[int, int]:
    lines = _BREAK.split(before)
    return len(lines), len(lines[-1].removeprefix("\ufeff")) + 1


def _check_text(source: Source) -> None:
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _refused(source.label, *_too_large(size))
    match = _FORBIDDEN.search(source.text)
    if match is None:
        return
    line, column = _line_and_column(source.text[: match.start()])
    message = f"the invisible character U+{ord(match.group()):04X} is not allowed"
    hint = "delete it"
    raise ScenarioError([Problem(message=message, hint=hint, file=source.label, line=line, column=column)])


def _raise_if_any(problems: list[Problem]) -> None:
    if problems:
        # The scanner reads ahead, so what it found is not always in the order of the file.
        raise ScenarioError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
