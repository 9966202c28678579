"""A run directory: written whole or not at all, and never anything in it touched that is not ours."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from choicekit.errors import OutputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not on Windows: there a folder left by a killed run has to be deleted by hand
    fcntl = None

__all__ = ["PROVENANCE", "Staging", "check_directory", "staging"]

PROVENANCE = "provenance.json"
"""Written last; a directory that holds one of ours may be replaced."""

_STAGING = ".choicekit-staging"
_LOCK = "lock"
_OWN_NAME = re.compile(
    r"report\.html|summary\.json|scenario\.yaml|tables/[a-z0-9_-]+\.csv|figures/[a-z0-9_-]+\.svg|data/[a-z0-9_-]+\.parquet"
)
_MOST_BYTES = 16_000_000  # of a provenance.json worth reading
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
            if not _is_abandoned(path / _STAGING):
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
    if _provenance(path) is None:
        raise OutputError(
            f"only an empty directory or one of choicekit's own runs is replaced, but '{path / PROVENANCE}' was not "
            f"written by choicekit, {way_out}"
        )


def _provenance(root: Path) -> dict[str, object] | None:
    """Read what a run left behind; None where it is not ours."""
    path = root / PROVENANCE
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MOST_BYTES:
            return None
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and "choicekit" in content else None


def _listed_files(root: Path) -> list[str]:
    """Files of the run that is there already; names that we would not have written are left alone."""
    listed = (_provenance(root) or {}).get("files")
    names = listed if isinstance(listed, list) else []
    return [name for name in dict.fromkeys(map(str, names)) if _OWN_NAME.fullmatch(name)]


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
    _undo: list[Callable[[], object]] = field(default_factory=list)

    def write(self, name: str, content: bytes) -> None:
        """Stage a file with this content."""
        self.write_with(name, lambda path: path.write_bytes(content))

    def write_with(self, name: str, writer: Callable[[Path], object]) -> None:
        """Stage a file that `writer` writes to the path it is given."""
        if name != PROVENANCE and not _OWN_NAME.fullmatch(name):
            raise OutputError(f"'{name}' is no name of a file in a run directory")
        path = self.folder / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(path)
        _sync(path)
        self.names.append(name)

    def commit(self) -> None:
        """Move every staged file into place, provenance last; on any failure put back what was there."""
        stale = [name for name in _listed_files(self.root) if name not in self.names]
        try:
            for name in [*(name for name in self.names if name != PROVENANCE)]:
                self._place(name)
            for name in stale:
                self._retire(name)
            if PROVENANCE in self.names:
                self._place(PROVENANCE)
        except BaseException:
            self._put_back()
            raise
        for folder in sorted({(self.root / name).parent for name in stale} - {self.root}):
            with suppress(OSError):  # still holds something
                folder.rmdir()
        for folder in {self.root, *((self.root / name).parent for name in self.names)}:
            _sync(folder)

    def _put_back(self) -> None:
        for step in reversed(self._undo):
            try:
                step()
            except OSError:
                self.keep = True  # what is in `folder` may be the only copy left

    def _place(self, name: str) -> None:
        target = self.root / name
        self._own_folder(target.parent)
        if _kind(target) is not None:
            backup = self._backup(name)
            _copy(target, backup)
            self._undo.append(lambda: backup.replace(target))
        else:
            self._undo.append(lambda: target.unlink(missing_ok=True))
        (self.folder / "new" / name).replace(target)

    def _retire(self, name: str) -> None:
        target = self.root / name
        if target.parent != self.root and _kind(target.parent) != "folder":
            return
        if _kind(target) != "file":  # gone, or something that we did not write
            return
        backup = self._backup(name)
        target.replace(backup)
        self._undo.append(lambda: backup.replace(target))

    def _backup(self, name: str) -> Path:
        backup = self.folder / "old" / name
        backup.parent.mkdir(parents=True, exist_ok=True)
        return backup

    def _own_folder(self, folder: Path) -> None:
        """Make sure that a folder is a real one, so that nothing is written outside the run directory."""
        if folder == self.root:
            return
        found = _kind(folder)
        if found is None:
            folder.mkdir()
            self._undo.append(folder.rmdir)
        elif found != "folder":
            raise OutputError(f"'{folder}' must be a folder, found a {found}, move it away or choose another directory")


def _kind(path: Path) -> str | None:
    """Say what is there without following links: None, "file" or "folder"; anything else is in the way."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "symbolic link" if stat.S_ISLNK(mode) else "special file"


def _copy(target: Path, backup: Path) -> None:
    found = _kind(target)
    if found != "file":
        raise OutputError(f"'{target}' must be a file, found a {found}, move it away or choose another directory")
    try:
        os.link(target, backup)
    except OSError:  # not every file system has hard links
        shutil.copy2(target, backup)


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock(folder: Path) -> int:
    """Hold a lock in a staging folder for as long as this process lives; return its descriptor."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


def _is_abandoned(folder: Path) -> bool:
    """Whether the run that made a staging folder is gone: its lock went with it, even if it was killed."""
    if fcntl is None or _kind(folder) != "folder" or _kind(folder / _LOCK) != "file":
        return False
    try:
        os.close(_lock(folder))
    except BlockingIOError:
        return False
    return True


def _recover(root: Path, folder: Path) -> None:
    """Clear away what a killed run left, putting back the files it had set aside."""
    if _kind(folder) is None:
        return
    for backup in sorted((folder / "old").rglob("*")):
        name = backup.relative_to(folder / "old").as_posix()
        target = root / name
        ours = _kind(backup) == "file" and (name == PROVENANCE or _OWN_NAME.fullmatch(name))
        if ours and (target.parent == root or _kind(target.parent) == "folder"):
            backup.replace(target)
    shutil.rmtree(folder)


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
            _recover(root, folder)
            folder.mkdir(mode=0o700)
            stage = Staging(root, folder)
            lock = _lock(folder)
            try:
                yield stage
            finally:
                if not stage.keep:
                    shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)
        except BaseException:
            for folder in made:
                with suppress(OSError):  # somebody else's by now, or never made
                    folder.rmdir()
            raise


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
