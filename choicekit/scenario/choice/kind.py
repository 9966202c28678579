"""`kind: choice`: agents choose among alternatives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choicekit.choice.policies.compare import run_comparison
from choicekit.choice.policies.trust import warnings_before
from choicekit.choice.simulation import run_study
from choicekit.counting import counted
from choicekit.execution import Progress
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.choice.blocks import ChoiceBlock, choice_specification
from choicekit.scenario.choice.capacity import capacity_checks, run_capacity
from choicekit.scenario.choice.checks import checks_of, policy_checks
from choicekit.scenario.choice.preparation import ChoicePlan, prepare_choice
from choicekit.scenario.choice.situations import detect_situations
from choicekit.scenario.kinds import Finished, Prepared
from choicekit.scenario.validation import Findings

__all__ = ["KIND", "ChoiceBlock", "ChoiceKind"]


@dataclass(frozen=True)
class ChoiceKind:
    """The kind of scenario in which agents choose."""

    name: str = "choice"
    description: str = "agents choose among alternatives: shares expected and simulated, by segment"

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file; its rules are those registered now."""
        return choice_specification()

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check names, columns and formulas, read the table and build the study."""
        return prepare_choice(blocks, findings, directory)

    def size(self, study: ChoicePlan) -> str:
        """Say in a sentence how large a prepared study is."""
        rows = study.study
        said = (
            f"{counted(rows.population.n_agents, 'agent')} in {counted(rows.population.n_rows, 'row')}, "
            f"{counted(len(rows.alternatives), 'alternative')}, {counted(rows.replications, 'replication')}"
        )
        if study.comparison is None:
            return said
        n_policies = len(study.comparison.policies)
        return f"{said}, {'1 policy' if n_policies == 1 else f'{n_policies:,} policies'}"

    def run(self, study: ChoicePlan, specification: Any, workers: int, progress: Progress) -> Finished:
        """Simulate the study, compare its policies and check what comes out."""
        outcome = run_study(study.study, workers=workers, progress=progress)
        checks, comparison = [*checks_of(outcome, specification)], None
        warnings: tuple[str, ...] = ()
        if study.comparison is not None:
            comparison = run_comparison(study.comparison, workers=workers, progress=progress)
            checks += policy_checks(comparison, specification.checks.agreement)
            # these were said before the run, with their place in the file
            said_before = {*study.comparison.warnings, *warnings_before(study.comparison)}
            warnings = tuple(warning for warning in comparison.warnings if warning not in said_before)
        capacity = None
        if study.capacity is not None:
            capacity = run_capacity(study.capacity, workers=workers, progress=progress)
            checks += capacity_checks(capacity)
        return Finished(
            outcome=outcome,
            checks=tuple(checks),
            comparison=comparison,
            calibration=study.calibration,
            detection=None if study.detection is None else detect_situations(study.detection, study.comparison),
            warnings=warnings,
            capacity=capacity,
        )


KIND = ChoiceKind()
