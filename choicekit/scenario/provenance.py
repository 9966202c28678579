"""Where a result came from: versions, revision, circumstances."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from choicekit._version import __version__
from choicekit.kernels import engine

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
        **{package: _version_of(package) for package in _PACKAGES},
        "engine": engine(),  # what computes: the loops that numba compiles, or their twins in numpy
    }


def _version_of(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:  # numba may be missing
        return "not installed"


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
    """Return the git revision checked out at `directory`; None without git.

    Whether files differ from it is not asked: that would read the work tree, for which git runs commands that the
    folder's own configuration names.
    """
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(directory), "rev-parse", "--verify", "HEAD"]
    quiet = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True, env=quiet)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
