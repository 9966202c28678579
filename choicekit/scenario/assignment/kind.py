"""`kind: assignment`: rows and columns are matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from choicekit.assignment.cross_check import why_inexpressible
from choicekit.assignment.study import AssignmentOutcome, AssignmentStudy, run_study
from choicekit.counting import counted
from choicekit.errors import IdentificationError
from choicekit.execution import Progress
from choicekit.scenario.assignment.blocks import AssignmentBlock
from choicekit.scenario.assignment.checks import checks_of
from choicekit.scenario.assignment.preparation import in_yaml, prepare_assignment
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.kinds import Finished, Prepared
from choicekit.scenario.validation import Findings

__all__ = ["KIND", "AssignmentBlock", "AssignmentKind"]


@dataclass(frozen=True)
class AssignmentKind:
    """The kind of scenario in which rows and columns are matched."""

    name: str = "assignment"
    description: str = "agents and places matched under conditions on either side: who goes where, at which prices"

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file."""
        return AssignmentBlock

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check names, tables, formulas and masses, and build the study."""
        return prepare_assignment(blocks, findings, directory)

    def size(self, study: AssignmentStudy) -> str:
        """Say in a sentence how large a prepared study is."""
        n, m = study.problem.shape
        said = f"{counted(n, 'row')} and {counted(m, 'column')}"
        if study.policies:
            n_policies = len(study.policies)
            said += f", {'1 policy' if n_policies == 1 else f'{n_policies:,} policies'}"
        return said + (f", {counted(len(study.temperatures), 'temperature')}" if study.temperatures else "")

    def run(self, study: AssignmentStudy, specification: Any, workers: int, progress: Progress) -> Finished:
        """Solve the assignment and what is asked about it, and check what comes out."""
        outcome = _run(study, progress)
        warnings: tuple[str, ...] = ()
        check = outcome.cross_check
        if check is not None and check.passed is None:
            check = replace(check, reason=in_yaml(check.reason))
            outcome = replace(outcome, cross_check=check)
        if check is not None and check.passed is None and not why_inexpressible(study.problem):  # that was told before
            warnings = (f"nothing came of `cross_check`: {check.reason}; take it away where that is no surprise",)
        return Finished(
            outcome=outcome,
            checks=tuple(checks_of(outcome, specification)),
            comparison=outcome.comparison,
            warnings=warnings,
        )


def _run(study: AssignmentStudy, progress: Progress) -> AssignmentOutcome:
    try:
        return run_study(study, progress=progress)
    except IdentificationError as error:  # what the scenario's basis alone shows has been told before
        drawn = study.fit is not None and study.fit.draws is not None
        way_out = "; or raise `draws`: rare matches may show it" if drawn else ""
        raise IdentificationError(f"in `fit`, {error}{way_out}") from error


KIND = AssignmentKind()
