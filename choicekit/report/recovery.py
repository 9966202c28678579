"""Whose a run directory is, and how one that was left half-written becomes what it was.

While files are moved into place, ``provenance.json`` says ``"complete": false`` and names every file that may be
there. In the staging folder, ``new`` then holds the files not yet moved and ``old`` those that were in their place.
What is where tells how far the move had come, so undoing it needs no journal, and may itself be killed and begun again.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from pathlib import Path

from choicekit.report.files import clear, kind_of, own_folder

__all__ = ["NEW", "OLD", "PROVENANCE", "is_own_name", "listed_files", "read_provenance", "recover", "roll_back"]

PROVENANCE = "provenance.json"
"""A directory that holds one of ours may be replaced."""

NEW, OLD = "new", "old"
"""Parts of the staging folder: files to be moved into place, and files that were there."""

_OWN_NAME = re.compile(
    r"report\.html|summary\.json|scenario\.yaml|tables/[a-z0-9_-]+\.csv|figures/[a-z0-9_-]+\.svg"
    r"|data/[a-z0-9_-]+\.(parquet|json)"
)
_MOST_BYTES = 16_000_000  # of a provenance.json worth reading


def is_own_name(name: str) -> bool:
    """Whether a run may write a file of this name.

    Examples
    --------
    >>> is_own_name("tables/shares.csv"), is_own_name("../shares.csv")
    (True, False)
    """
    return _OWN_NAME.fullmatch(name) is not None


def read_provenance(folder: Path) -> dict[str, object] | None:
    """Read what a run left behind; None where it is not ours."""
    path = folder / PROVENANCE
    try:
        if kind_of(path) != "file" or path.lstat().st_size > _MOST_BYTES:
            return None
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and "choicekit" in content else None


def listed_files(folder: Path) -> list[str]:
    """Files that the provenance in a folder names; names that we would not have written are left alone."""
    listed = (read_provenance(folder) or {}).get("files")
    names = listed if isinstance(listed, list) else []
    return [name for name in dict.fromkeys(map(str, names)) if is_own_name(name)]


def roll_back(root: Path, staging: Path) -> None:
    """Undo a move into place that did not come to its end: put back what was there, take away what was not.

    Parameters
    ----------
    root : pathlib.Path
        The run directory.
    staging : pathlib.Path
        Folder with its `NEW` and `OLD` files.
    """
    current = read_provenance(root)
    if current is None or current.get("complete") is not False:
        return  # not begun, or done
    new, old = staging / NEW, staging / OLD
    earlier, names = set(listed_files(old)), listed_files(root)
    for name in names:
        # A file of the earlier run without a second copy was never moved away.
        if kind_of(new / name) is None and (kind_of(old / name) == "file" or name not in earlier):
            _move(root, name, new)
        if kind_of(old / name) == "file":
            own_folder(root, (root / name).parent)
            (old / name).replace(root / name)
    for folder in {(root / name).parent for name in names} - {root}:
        with suppress(OSError):  # absent, or still holds something
            folder.rmdir()
    # Last, so that a kill in between finds a directory that is not complete.
    if kind_of(old / PROVENANCE) == "file":
        (old / PROVENANCE).replace(root / PROVENANCE)
    else:
        (root / PROVENANCE).unlink()


def _move(root: Path, name: str, destination: Path) -> None:
    """Move a regular file out of a run directory; nothing else, and not through links."""
    target = root / name
    if target.parent != root and kind_of(target.parent) != "folder":
        return
    if kind_of(target) == "file":
        (destination / name).parent.mkdir(parents=True, exist_ok=True)
        target.replace(destination / name)


def recover(root: Path, staging: Path) -> None:
    """Clear away what a killed run left, putting back an earlier run where it was replacing one.

    What a first run left stays: its provenance names the files, so that the next run replaces them.
    """
    if kind_of(staging) is None:
        return
    if kind_of(staging / OLD / PROVENANCE) == "file":
        roll_back(root, staging)
    clear(staging)
