"""`kind: detection`: logits are scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choicekit.counting import counted
from choicekit.detection.running import run_detection
from choicekit.detection.study import DetectionStudy
from choicekit.execution import Progress
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.detection.blocks import DetectionBlock
from choicekit.scenario.detection.checks import checks_of
from choicekit.scenario.detection.preparation import prepare_detection
from choicekit.scenario.kinds import Finished, Prepared
from choicekit.scenario.validation import Findings

__all__ = ["KIND", "DetectionBlock", "DetectionKind"]


@dataclass(frozen=True)
class DetectionKind:
    """The kind of scenario in which logits are scored."""

    name: str = "detection"
    description: str = "is a situation like anything known: scores of logits, thresholds, how well they tell apart"

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file."""
        return DetectionBlock

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check files, columns, parts and labels, and build the study."""
        return prepare_detection(blocks, findings, directory)

    def size(self, study: DetectionStudy) -> str:
        """Say in a sentence how large a prepared study is."""
        n, n_classes = study.table.logits.shape
        scores = "1 score" if len(study.methods) == 1 else f"{len(study.methods)} scores"
        return f"{counted(n, 'row')} of {n_classes:,} logits, {scores}"

    def run(self, study: DetectionStudy, specification: Any, workers: int, progress: Progress) -> Finished:
        """Score the rows and check what comes out."""
        outcome = run_detection(study, progress)
        return Finished(outcome=outcome, checks=tuple(checks_of(outcome)))


KIND = DetectionKind()
