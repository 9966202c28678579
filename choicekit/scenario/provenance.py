"""Where a result came from: versions, revision, circumstances."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from choicekit._version import __version__

__all__ = ["circumstances", "versions"]

_PACKAGES = ("numpy", "scipy", "pandas", "pyarrow", "numba", "matplotlib", "pydantic", "ruamel.yaml", "jinja2")


def versions() -> Mapping[str, str]:
    """Return versions of choicekit, Python and the packages a result depends on.

    Examples
    --------
    >>> list(versions())[:2]
    ['choicekit', 'python']
    """
    return {
        "choicekit": __version__,
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in _PACKAGES},
    }


def circumstances(*, workers: int, started: str, seconds: Mapping[str, float], directory: Path) -> dict[str, Any]:
    """Return what may differ between two runs with the same answer.

    Parameters
    ----------
    workers : int
    started : str
        Date and time, ISO 8601.
    seconds : mapping
        What took how long.
    directory : Path
        Folder of the scenario; its git revision is recorded where it has one.
    """
    return {
        "started": started,
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "workers": workers,
        "git_revision": git_revision(directory),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "implementation": sys.implementation.name,
    }


def git_revision(directory: Path) -> str | None:
    """Return the git revision checked out at `directory`, with ``+changes`` where files differ; None without git."""
    try:
        command = [
            "git",
            "-C",
            str(directory),
            "describe",
            "--always",
            "--dirty=+changes",
            "--abbrev=40",
            "--exclude=*",
        ]
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
