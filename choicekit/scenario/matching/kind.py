"""`kind: matching`: who gets which place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choicekit.counting import counted
from choicekit.execution import Progress
from choicekit.matching.study import MatchingStudy, run_matching
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.kinds import Finished, Prepared
from choicekit.scenario.matching.blocks import MatchingBlock
from choicekit.scenario.matching.checks import checks_of
from choicekit.scenario.matching.preparation import prepare_matching
from choicekit.scenario.validation import Findings

__all__ = ["KIND", "MatchingBlock", "MatchingKind"]


@dataclass(frozen=True)
class MatchingKind:
    """The kind of scenario in which mechanisms give places to agents, side by side."""

    name: str = "matching"
    description: str = "matching markets: mechanisms side by side, stability, welfare, who gets what"

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file."""
        return MatchingBlock

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check sides, utilities, mechanisms and policies, and build the study."""
        return prepare_matching(blocks, findings, directory)

    def size(self, study: MatchingStudy) -> str:
        """Say in a sentence how large a prepared study is."""
        n, m = study.market.shape
        said = f"{n:,} by {m:,}, {counted(len(study.mechanisms), 'mechanism')}, {counted(study.draws, 'draw')}"
        if study.policies:
            k = len(study.policies)
            said += f", {'1 policy' if k == 1 else f'{k:,} policies'}"
        return said

    def run(self, study: MatchingStudy, specification: Any, workers: int, progress: Progress) -> Finished:
        """Match by every mechanism, and check what comes out."""
        outcome = run_matching(study, workers=workers, progress=progress)
        return Finished(outcome=outcome, checks=tuple(checks_of(outcome)))


KIND = MatchingKind()
