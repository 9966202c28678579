"""What a run directory asks of the file system: no links followed, copies whole, writes that last, locks."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from types import ModuleType

from choicekit.errors import OutputError

fcntl: ModuleType | None
try:
    import fcntl
except ImportError:  # not on Windows: there a folder left by a killed run has to be deleted by hand
    fcntl = None

__all__ = ["clear", "is_abandoned", "kind_of", "lock", "own_folder", "set_aside", "sync"]

_LOCK = "lock"


def kind_of(path: Path) -> str | None:
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


def own_folder(root: Path, folder: Path) -> None:
    """Make sure that a folder in `root` is there and a real one, so that nothing is written outside `root`."""
    if folder == root:
        return
    found = kind_of(folder)
    if found is None:
        folder.mkdir()
    elif found != "folder":
        raise OutputError(f"'{folder}' must be a folder, found a {found}, move it away or choose another directory")


def set_aside(target: Path, backup: Path) -> None:
    """Keep a file under a second name, whole or not at all; nothing where there is no file."""
    found = kind_of(target)
    if found is None:
        return
    if found != "file":
        raise OutputError(f"'{target}' must be a file, found a {found}, move it away or choose another directory")
    backup.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(target, backup)
    except OSError:  # not every file system has hard links
        # Half a copy left by a kill must not be taken for the file.
        part = backup.with_name(f"{backup.name}.part")
        shutil.copy2(target, part)
        sync(part)
        part.replace(backup)


def sync(path: Path) -> None:
    """Wait until a file, or the list of files in a folder, is on disk."""
    if path.is_dir() and os.name == "nt":
        return  # folders cannot be opened there
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(folder: Path) -> int:
    """Hold a lock in a staging folder for as long as this process lives; return its descriptor."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(descriptor)
            raise
    return descriptor


def is_abandoned(folder: Path) -> bool:
    """Whether the run that made a staging folder is gone: its lock went with it, even if it was killed."""
    if fcntl is None or kind_of(folder) != "folder" or kind_of(folder / _LOCK) != "file":
        return False
    try:
        os.close(lock(folder))
    except BlockingIOError:
        return False
    return True


def clear(folder: Path) -> None:
    """Delete a staging folder, its lock last: without that, nobody could tell that the folder is abandoned."""
    for entry in [entry for entry in folder.iterdir() if entry.name != _LOCK]:
        if kind_of(entry) == "folder":
            shutil.rmtree(entry)
        else:
            entry.unlink()
    shutil.rmtree(folder)
