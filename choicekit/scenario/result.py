"""What a study returns, whatever its kind: the outcome, the checks it passed or failed, and where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Check", "InputFile", "Provenance", "StudyResult"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """Something that must hold for the result to be trusted.

    Attributes
    ----------
    name : str
        Key in ``summary.json``, such as ``"simulated_agrees"``.
    title : str
        What must hold, in words.
    measure : str
        How it was measured, with units.
    value, limit : float
        What was found and what is allowed.
    relation : {"<=", ">="}
        How `value` must stand to `limit`.
    unit : {"", "share", "rows", "p-value"}
        What `value` and `limit` are.

    Examples
    --------
    >>> Check(name="idle", title="all choose", measure="rows", value=0.0, limit=0.0, relation="<=").passed
    True
    """

    name: str
    title: str
    measure: str
    value: float
    limit: float
    relation: Literal["<=", ">="]
    unit: Literal["", "share", "rows", "p-value"] = ""

    @property
    def passed(self) -> bool:
        """Whether the check holds; never with nan."""
        return self.value <= self.limit if self.relation == "<=" else self.value >= self.limit


@dataclass(frozen=True, kw_only=True)
class InputFile:
    """A file a study read.

    Attributes
    ----------
    name : str
        As the scenario names it.
    entry : tuple
        Where in the scenario it is named, such as ``("agents", "table")``.
    path : str
        The file itself; recorded nowhere, since it differs between machines.
    sha256 : str
    rows : int
        Data rows in it.
    """

    name: str
    entry: tuple[str | int, ...]
    path: str = field(repr=False)
    sha256: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a result came from.

    Attributes
    ----------
    versions : mapping
        Package name to version, Python and choicekit among them; part of the result's bytes.
    inputs : tuple of InputFile
    draw_scheme : int
        Version of the mapping from addresses to random numbers.
    command : str
        The command that runs the study again.
    circumstances : mapping
        What may differ between two runs with the same answer: dates, timings, worker count, git revision, machine.
    """

    versions: Mapping[str, str]
    inputs: tuple[InputFile, ...]
    draw_scheme: int
    command: str
    circumstances: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class StudyResult:
    """A finished study.

    Attributes
    ----------
    kind, name, title, description : str
        From the scenario; `title` and `description` may be empty.
    seed : int
    outcome : object
        The answer, of the kind's own type: `ChoiceOutcome` for ``kind: choice``, of the baseline where there are
        policies.
    checks : tuple of Check
    warnings : tuple of str
        Things allowed but probably not meant, as shown to the user.
    scenario : mapping
        The resolved scenario as plain values, defaults filled in; runnable, with input paths as given.
    provenance : Provenance
    comparison : object, optional
        Policies against the baseline: `PolicyComparison` for ``kind: choice`` with ``policies``.
    calibration : object, optional
        How the baseline was made to meet given shares: `Calibration` for ``kind: choice`` with ``calibrate``.
    detection : object, optional
        How familiar situations are: `SituationDetection` for ``kind: choice`` with ``detection``.
    capacity : object, optional
        Who fits in: `CapacityOutcome` for ``kind: choice`` with ``capacity``.

    Examples
    --------
    >>> from choicekit import run_scenario
    >>> source = '''
    ... choicekit: 1
    ... kind: choice
    ... name: coin
    ... seed: 1
    ... agents: {rows: [{id: 1}, {id: 2}], agent: id}
    ... utility: {heads: 0, tails: 0}
    ... '''
    >>> run_scenario(source).outcome.expected_shares.to_dict()
    {'heads': 0.5, 'tails': 0.5}
    """

    kind: str
    name: str
    title: str
    description: str
    seed: int
    outcome: Any
    checks: tuple[Check, ...]
    warnings: tuple[str, ...]
    scenario: Mapping[str, Any]
    provenance: Provenance
    comparison: Any = None
    calibration: Any = None
    detection: Any = None
    capacity: Any = None

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)

    def __repr__(self) -> str:
        held = sum(check.passed for check in self.checks)
        return f"StudyResult({self.kind} {self.name!r}: {held} of {len(self.checks)} checks hold; {self.outcome!r})"
