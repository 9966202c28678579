"""Kinds of scenario: what `kind:` in a file may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from choicekit.execution import Progress
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.result import Check, InputFile
from choicekit.scenario.validation import Findings

__all__ = ["Finished", "Kind", "Prepared", "kind_named", "kinds"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared:
    """A study that is ready to run.

    Attributes
    ----------
    study : object
        Of the kind's own type.
    inputs : tuple of InputFile
        Files it has read.
    warnings : tuple of str
    """

    study: Any
    inputs: tuple[InputFile, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Finished:
    """What a kind makes of a study.

    Attributes
    ----------
    outcome : object
    checks : tuple of Check
    comparison : object, optional
        Policies against the baseline that `outcome` describes, where there are any.
    calibration : object, optional
        How the baseline was made to meet given shares, where it was.
    detection : object, optional
        How familiar situations are, where that was asked.
    warnings : tuple of str
        Things allowed but probably not meant that only the run shows.
    capacity : object, optional
        Who fits in where alternatives take only so many, where that was asked.
    """

    outcome: Any
    checks: tuple[Check, ...]
    comparison: Any = None
    calibration: Any = None
    detection: Any = None
    warnings: tuple[str, ...] = ()
    capacity: Any = None


class Kind(Protocol):
    """A kind of scenario."""

    name: str
    description: str

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file."""
        ...

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check what the model cannot, and build the study; None where problems were noted.

        Parameters
        ----------
        blocks : mapping
            The entries of the file that could be read.
        findings : Findings
            Where problems are noted.
        directory : Path, optional
            Where relative paths start; by default the folder of the file that names them.
        """
        ...

    def size(self, study: Any) -> str:
        """Say in a sentence how large a prepared study is."""
        ...

    def run(self, study: Any, specification: Any, workers: int, progress: Progress) -> Finished:
        """Run a prepared study and check its outcome."""
        ...


_MODULES = {
    "choice": "choicekit.scenario.choice.kind",
    "tour": "choicekit.scenario.tour.kind",
    "assignment": "choicekit.scenario.assignment.kind",
    "detection": "choicekit.scenario.detection.kind",
    "network": "choicekit.scenario.network.kind",
    "matching": "choicekit.scenario.matching.kind",
}
"""Kinds by name and the module whose ``KIND`` they are; imported when used."""


def kinds() -> tuple[str, ...]:
    """Return the names of all kinds.

    Examples
    --------
    >>> kinds()
    ('choice', 'tour', 'assignment', 'detection', 'network', 'matching')
    """
    return tuple(_MODULES)


def kind_named(name: str) -> Kind:
    """Return a kind by its name.

    Raises
    ------
    KeyError
        For an unknown name.

    Examples
    --------
    >>> kind_named("choice").name
    'choice'
    """
    kind: Kind = import_module(_MODULES[name]).KIND
    return kind
