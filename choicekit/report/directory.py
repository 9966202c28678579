"""A run directory: written whole or not at all, and never anything in it touched that is not ours."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from choicekit.errors import OutputError
from choicekit.report.encoding import json_bytes
from choicekit.report.files import clear, is_abandoned, kind_of, lock, own_folder, set_aside, sync
from choicekit.report.recovery import (
    NEW,
    OLD,
    PROVENANCE,
    is_own_name,
    listed_files,
    read_provenance,
    recover,
    roll_back,
)

__all__ = ["Staging", "check_directory", "staging"]

_STAGING = ".choicekit-staging"
_SHOWN = 3
_WAYS_OUT = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EACCES: "choose a directory you may write to",
    errno.EPERM: "choose a directory you may write to",
    errno.EROFS: "choose a directory you may write to",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def check_directory(directory: str | os.PathLike[str]) -> None:
    """Make sure that a directory may be written or replaced, before a long run.

    Parameters
    ----------
    directory : path
        Absent, empty, or holding a ``provenance.json`` that choicekit wrote.

    Raises
    ------
    OutputError
        Where it is anything else; says what was found and what to do.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     check_directory(directory)
    """
    path = Path(directory)
    with _told(path):
        if not path.exists() and not path.is_symlink():
            _check_parent(path)
            return
        if not path.is_dir():
            raise OutputError(f"the run directory must be a directory, but '{path}' is not one, choose another name")
        entries = sorted(entry.name for entry in path.iterdir())
        if _STAGING in entries:
            if not is_abandoned(path / _STAGING):
                raise OutputError(
                    f"another run is writing to '{path}', wait for it, or delete '{path / _STAGING}' if none is running"
                )
            entries.remove(_STAGING)
        if entries:
            _check_ours(path, entries)
        if not os.access(path, os.W_OK | os.X_OK):
            raise OutputError(f"you have no permission to write to '{path}', {_WAYS_OUT[errno.EACCES]}")


def _check_parent(path: Path) -> None:
    parent = next(folder for folder in path.absolute().parents if folder.exists() or folder.is_symlink())
    if not parent.is_dir():
        raise OutputError(
            f"the run directory '{path}' cannot be made: '{parent}' is not a directory, choose another name"
        )
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"you have no permission to write to '{parent}', {_WAYS_OUT[errno.EACCES]}")


def _check_ours(path: Path, entries: list[str]) -> None:
    way_out = "choose another directory, or empty this one yourself"
    if PROVENANCE not in entries:
        shown = ", ".join(f"'{entry}'" for entry in entries[:_SHOWN]) + (", ..." if len(entries) > _SHOWN else "")
        raise OutputError(
            f"only an empty directory or one of choicekit's own runs is replaced, but '{path}' holds {shown} and no "
            f"{PROVENANCE}, {way_out}"
        )
    if read_provenance(path) is None:
        raise OutputError(
            f"only an empty directory or one of choicekit's own runs is replaced, but '{path / PROVENANCE}' was not "
            f"written by choicekit, {way_out}"
        )


@dataclass(eq=False)
class Staging:
    """Files on their way into a run directory.

    Attributes
    ----------
    root : pathlib.Path
        The run directory.
    folder : pathlib.Path
        Hidden folder inside it.
    names : list of str
        Files staged so far.
    keep : bool
        Whether `folder` must stay, since files of the earlier run could not be put back from it.
    """

    root: Path
    folder: Path
    names: list[str] = field(default_factory=list)
    keep: bool = False

    def write(self, name: str, content: bytes) -> None:
        """Stage a file with this content."""
        self.write_with(name, lambda path: path.write_bytes(content))

    def write_with(self, name: str, writer: Callable[[Path], object]) -> None:
        """Stage a file that `writer` writes to the path it is given."""
        if not is_own_name(name):
            raise OutputError(f"'{name}' is no name of a file in a run directory")
        self._put(self.folder / NEW / name, writer)
        self.names.append(name)

    def commit(self, provenance: Mapping[str, Any]) -> None:
        """Move every staged file into place; on any failure put back what was there.

        Parameters
        ----------
        provenance : mapping
            Content of ``provenance.json``, less ``complete`` and ``files``, which are added: false and every file that
            may be there before anything is moved, true and the staged files at the end. So a directory is known as
            ours wherever the run is killed.
        """
        stale = [name for name in listed_files(self.root) if name not in self.names]
        begun, done = self.folder / "begun.json", self.folder / NEW / PROVENANCE
        self._note(begun, {**provenance, "complete": False, "files": [*self.names, *stale]})
        self._note(done, {**provenance, "complete": True, "files": self.names})
        set_aside(self.root / PROVENANCE, self.folder / OLD / PROVENANCE)
        try:
            begun.replace(self.root / PROVENANCE)
            sync(self.root)
            for name in self.names:
                self._place(name)
            for name in stale:
                self._retire(name)
            for folder in {self.root, *((self.root / name).parent for name in self.names)}:
                sync(folder)
            done.replace(self.root / PROVENANCE)
        except BaseException:
            self._put_back()
            raise
        self._tidy(stale)

    def _put(self, path: Path, writer: Callable[[Path], object]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(path)
        sync(path)

    def _note(self, path: Path, provenance: Mapping[str, Any]) -> None:
        content = json_bytes(provenance)
        self._put(path, lambda path: path.write_bytes(content))

    def _place(self, name: str) -> None:
        target = self.root / name
        own_folder(self.root, target.parent)
        set_aside(target, self.folder / OLD / name)
        (self.folder / NEW / name).replace(target)

    def _retire(self, name: str) -> None:
        target = self.root / name
        if target.parent != self.root and kind_of(target.parent) != "folder":
            return
        if kind_of(target) != "file":  # gone, or something that we did not write
            return
        backup = self.folder / OLD / name
        backup.parent.mkdir(parents=True, exist_ok=True)
        target.replace(backup)

    def _put_back(self) -> None:
        self.keep = True  # until all is back, what is in `folder` may be the only copy left
        with suppress(OSError, OutputError):  # the failure that led here is the one to tell; the next run tries again
            roll_back(self.root, self.folder)
            self.keep = False

    def _tidy(self, stale: list[str]) -> None:
        """Remove folders left empty, and wait until the move is on disk."""
        for folder in sorted({(self.root / name).parent for name in stale} - {self.root}):
            with suppress(OSError):  # still holds something
                folder.rmdir()
        sync(self.root)


@contextmanager
def staging(directory: str | os.PathLike[str]) -> Iterator[Staging]:
    """Open a run directory for writing; whatever happens, nothing half-written stays.

    Parameters
    ----------
    directory : path
        See `check_directory`.

    Yields
    ------
    Staging
        Takes files; its `commit` moves them into place.

    Raises
    ------
    OutputError
        Where the directory may not or cannot be written.
    """
    path = Path(directory)
    check_directory(path)
    with _told(path):
        made = [folder for folder in (path.absolute(), *path.absolute().parents) if not folder.exists()]
        try:
            path.mkdir(parents=True, exist_ok=True)
            root = path.resolve()
            folder = root / _STAGING
            recover(root, folder)
            with _locked(folder):
                stage = Staging(root, folder)
                try:
                    yield stage
                finally:
                    if not stage.keep:
                        with suppress(OSError):  # the next run clears it
                            clear(folder)
        except BaseException:
            for folder in made:
                with suppress(OSError):  # somebody else's by now, or never made
                    folder.rmdir()
            raise


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make a staging folder and hold its lock; one that cannot be locked would keep the next run out, and goes."""
    try:
        folder.mkdir(mode=0o700)
        held = lock(folder)
    except (FileExistsError, BlockingIOError):  # of another run, begun a moment ago
        raise
    except BaseException:
        with suppress(OSError):
            clear(folder)
        raise
    try:
        yield
    finally:
        os.close(held)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in our own words why a directory cannot be written."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        reason = os.strerror(error.errno).lower() if error.errno else "it failed"
        way_out = _WAYS_OUT.get(error.errno or 0, "check the disk, or choose another directory")
        raise OutputError(f"the run directory '{path}' cannot be written: {reason}, {way_out}") from error
