"""`kind: network`: who interacts with whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from choicekit.counting import counted
from choicekit.execution import Progress
from choicekit.networks.running import run_network
from choicekit.networks.study import NetworkStudy
from choicekit.scenario.blocks import ScenarioBlock
from choicekit.scenario.kinds import Finished, Prepared
from choicekit.scenario.network.blocks import NetworkBlock
from choicekit.scenario.network.checks import checks_of
from choicekit.scenario.network.preparation import prepare_network
from choicekit.scenario.validation import Findings

__all__ = ["KIND", "NetworkBlock", "NetworkKind"]


@dataclass(frozen=True)
class NetworkKind:
    """The kind of scenario in which a web of interactions is described, explained and changed."""

    name: str = "network"
    description: str = "ecological interaction networks: metrics, null models, preferences, extinctions"

    def specification(self) -> type[ScenarioBlock]:
        """Return the model of the whole file."""
        return NetworkBlock

    def prepare(self, blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
        """Check webs, species, formulas and policies, and build the study."""
        return prepare_network(blocks, findings, directory)

    def size(self, study: NetworkStudy) -> str:
        """Say in a sentence how large a prepared study is."""
        said = f"{len(study.row_names):,} by {len(study.column_names):,} species"
        if study.networks:
            said += f", {counted(len(study.networks), 'site')}"
        if study.null_models:
            said += f", {study.null_replications * len(study.null_models):,} null webs"
        if study.policies:
            n = len(study.policies)
            said += f", {'1 policy' if n == 1 else f'{n:,} policies'}"
        return said

    def run(self, study: NetworkStudy, specification: Any, workers: int, progress: Progress) -> Finished:
        """Describe, compare, learn, ask what if, and check what comes out."""
        outcome = run_network(study, workers=workers, progress=progress)
        return Finished(outcome=outcome, checks=tuple(checks_of(outcome)))


KIND = NetworkKind()
