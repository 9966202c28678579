"""`kind: tour`: the theory as a story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from choicekit.counting import counted
from choicekit.execution import Progress
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.kinds import Finished, Prepared
from choicekit.scenario.result import Check
from choicekit.scenario.tour.blocks import TourBlock, tour_specification
from choicekit.scenario.tour.preparation import prepare_tour
from choicekit.scenario.validation import Findings
from choicekit.tour import TourPlan, run_tour

__all__ = ["KIND", "TourBlock", "TourKind"]


@dataclass(frozen=True)
class TourKind:
    """The kind of scenario that tells the theory."""

    name: str = "tour"
    description: str = "the theory as a story: soft maxima, choice rules and draws, with numbers that are checked"

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file; its rules are those registered now."""
        return tour_specification()

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check rows, names and rules, and build the plan; a tour reads no files."""
        return prepare_tour(blocks, findings)

    def size(self, study: TourPlan) -> str:
        """Say in a sentence how large a prepared tour is."""
        said = counted(len(study.stations), "station")
        if "convergence" not in study.stations:
            return said
        return f"{said}, {counted(study.draws[-1] * study.replications, 'Gumbel-max draw')}"

    def run(self, study: TourPlan, specification: Any, workers: int, progress: Progress) -> Finished:
        """Visit every station; each of its claims is a check."""
        tour = run_tour(study, workers=workers, progress=progress)
        return Finished(outcome=tour, checks=tuple(Check(**asdict(claim)) for claim in tour.checks))


KIND = TourKind()
