"""The story of a run: load, build the study, run it, return the result."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from choicekit.errors import DataError, InvalidInputError, Problem, ScenarioError
from choicekit.execution import Progress
from choicekit.execution.passes import silent
from choicekit.random import DRAW_SCHEME, check_seed
from choicekit.scenario.document import Document
from choicekit.scenario.emitting import dump_inline
from choicekit.scenario.kinds import Kind, Prepared, kind_named, kinds
from choicekit.scenario.merging import load_with_extends
from choicekit.scenario.overriding import apply_overrides
from choicekit.scenario.provenance import circumstances, versions
from choicekit.scenario.result import Provenance, StudyResult
from choicekit.scenario.scalars import to_plain
from choicekit.scenario.source import parse_document
from choicekit.scenario.validation import Findings, validate
from choicekit.scenario.wording import show
from choicekit.suggestions import suggest

__all__ = ["Scenario", "load_scenario", "run_scenario"]

Overrides = Mapping[str, object] | Sequence[str]

INLINE = "<scenario>"
"""What a scenario given as text is called in messages."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Scenario:
    """A scenario that has been read and checked, its study ready to run.

    Attributes
    ----------
    kind : Kind
    document : Document
        Values as written, after ``extends`` and overrides, and where each stands.
    specification : object
        The validated entries, defaults filled in.
    prepared : Prepared
        The study and what it read.
    overrides : tuple of str
        As given on the command line.
    seconds : float
        How long reading and checking took.
    """

    kind: Kind
    document: Document
    specification: Any
    prepared: Prepared
    overrides: tuple[str, ...]
    seconds: float

    @property
    def name(self) -> str:
        """The scenario's name."""
        return str(self.specification.name)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but probably not meant."""
        return self.prepared.warnings

    @property
    def values(self) -> dict[str, Any]:
        """The resolved scenario as plain values, defaults filled in."""
        dumped: dict[str, Any] = self.specification.model_dump(exclude_none=True)
        return dumped

    def __repr__(self) -> str:
        return f"Scenario({self.kind.name} {self.name!r} from {self.document.file})"


def load_scenario(
    source: str | Path,
    *,
    overrides: Overrides | None = None,
    seed: int | None = None,
    data_dir: str | Path | None = None,
) -> Scenario:
    r"""Read and check a scenario and everything it names; nothing is simulated.

    Parameters
    ----------
    source : path or str
        A YAML file, or YAML text (told apart by a line break).
    overrides : mapping or sequence of str, optional
        Entries to change: ``{"rule.temperature": 2}`` or ``["rule.temperature=2"]``.
    seed : int, optional
        Instead of the scenario's own.
    data_dir : path, optional
        Folder that relative input paths start from; by default that of the file that names them.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With every problem of the scenario, each at its file, line and column.
    DataError
        With every problem of the tables, where the scenario itself is right.
    InvalidInputError
        For a `seed` that is not a whole number from 0 to 2^64 - 1.

    Examples
    --------
    >>> load_scenario("choicekit: 1\nkind: choise\nname: x\nseed: 1\n")
    Traceback (most recent call last):
    choicekit.errors.ScenarioError: <scenario>:2:7 unknown kind 'choise', did you mean 'choice'?
    """
    start = time.perf_counter()
    document = _read(source)
    if overrides:
        document = apply_overrides(document, overrides)
    if seed is not None:
        document = apply_overrides(document, {"seed": check_seed(seed)})
    kind = _kind(document)
    findings = Findings(document)
    validated = validate(kind.specification(), findings)
    prepared = kind.prepare(validated.blocks, findings, None if data_dir is None else Path(data_dir))
    _raise_for(findings)
    if prepared is None or validated.model is None:
        raise InvalidInputError("the scenario could not be prepared, though nothing was found wrong with it")
    return Scenario(
        kind=kind,
        document=document,
        specification=validated.model,
        prepared=prepared,
        overrides=tuple(_as_texts(overrides, seed)),
        seconds=time.perf_counter() - start,
    )


def run_scenario(
    source: str | Path | Scenario,
    *,
    overrides: Overrides | None = None,
    seed: int | None = None,
    workers: int = 1,
    data_dir: str | Path | None = None,
    progress: Progress = silent,
) -> StudyResult:
    """Run a scenario and return its result; `write_report` makes a report of it.

    Parameters
    ----------
    source : path, str or Scenario
        A YAML file, YAML text, or what `load_scenario` returned.
    overrides, seed, data_dir
        As in `load_scenario`.
    workers : int
        Threads; the result does not depend on their number.
    progress : callable
        Called with (name, choices drawn, choices in all), one call at a time.

    Returns
    -------
    StudyResult

    Raises
    ------
    ScenarioError, DataError
        As `load_scenario`.
    InvalidInputError
        For a bad number of workers, or changes to a scenario that is loaded already.

    Examples
    --------
    >>> result = run_scenario('''
    ... choicekit: 1
    ... kind: choice
    ... name: lunch
    ... seed: 1
    ... agents: {rows: [{who: ann, hunger: 2}, {who: bo, hunger: 0}], agent: who}
    ... utility: {soup: 1, pizza: hunger}
    ... ''')
    >>> result.passed, result.outcome.expected_shares.round(2).to_dict()
    (True, {'soup': 0.5, 'pizza': 0.5})
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    if isinstance(source, Scenario):
        if overrides or seed is not None or data_dir is not None:
            raise InvalidInputError(
                "give overrides, seed and data_dir to load_scenario: this scenario is loaded already"
            )
        scenario = source
    else:
        scenario = load_scenario(source, overrides=overrides, seed=seed, data_dir=data_dir)
    start = time.perf_counter()
    finished = scenario.kind.run(scenario.prepared.study, scenario.specification, workers, progress)
    seconds = {"reading": scenario.seconds, "running": time.perf_counter() - start}
    specification = scenario.specification
    return StudyResult(
        kind=scenario.kind.name,
        name=scenario.name,
        title=specification.title,
        description=specification.description,
        seed=specification.seed,
        outcome=finished.outcome,
        checks=finished.checks,
        comparison=finished.comparison,
        calibration=finished.calibration,
        detection=finished.detection,
        capacity=finished.capacity,
        warnings=(*scenario.warnings, *finished.warnings),
        scenario=scenario.values,
        provenance=Provenance(
            versions=versions(),
            inputs=scenario.prepared.inputs,
            draw_scheme=DRAW_SCHEME,
            command=_command(scenario),
            circumstances=circumstances(
                workers=workers, started=started, seconds=seconds, directory=scenario.document.origin(()).parent
            ),
        ),
    )


def _read(source: str | Path) -> Document:
    if isinstance(source, str) and "\n" in source:
        return parse_document(source, file=INLINE)
    return load_with_extends(source)


def _kind(document: Document) -> Kind:
    """Return the document's kind: without one there is nothing to check the rest against."""
    if "kind" not in document.values:
        near = next((key for key in document.values if suggest(key, ["kind"])), None)
        if near is not None:
            raise ScenarioError([document.problem((near,), f"unknown key {near!r}", "did you mean 'kind'?", of="key")])
        hint = f"add it; kinds are {', '.join(kinds())}"
        raise ScenarioError([document.problem((), "missing key 'kind'", hint)])
    name = document.values["kind"]
    if name not in kinds():
        hint = (suggest(name, kinds()) if isinstance(name, str) else "") or f"kinds are {', '.join(kinds())}"
        raise ScenarioError([document.problem(("kind",), f"unknown kind {show(name)}", hint)])
    return kind_named(name)


def _raise_for(findings: Findings) -> None:
    """Raise what was found: a `ScenarioError` unless only the tables are to blame."""
    problems = sorted(findings.problems, key=lambda problem: _order(problem, findings.document))
    if not problems:
        return
    document = findings.document
    placed = (*document.key_positions.values(), *document.value_positions.values())
    own = {document.file, *(position.file for position in placed)}  # overrides are places, too
    if any(problem.file in own for problem in problems):
        raise ScenarioError(problems)
    raise DataError(problems)


def _order(problem: Problem, document: Document) -> tuple[bool, str, int, int]:
    return problem.file != document.file, problem.file, problem.line or 0, problem.column or 0


def _as_texts(overrides: Overrides | None, seed: int | None) -> list[str]:
    given = overrides or []
    if isinstance(given, Mapping):
        texts = [f"{key}={dump_inline(to_plain(value))}" for key, value in given.items()]
    else:
        texts = list(given)
    return [*texts, *([f"seed={seed}"] if seed is not None else [])]


def _command(scenario: Scenario) -> str:
    """Return the command that runs the scenario again."""
    words = ["choicekit", "run", scenario.document.file if scenario.document.file != INLINE else "scenario.yaml"]
    for override in scenario.overrides:
        words += ["--set", override]
    return shlex.join(words)
