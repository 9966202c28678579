"""YAML to validated specification to study to result: the only place that knows YAML and pydantic."""

from choicekit.scenario.result import Check, InputFile, Provenance, StudyResult
from choicekit.scenario.run import Scenario, load_scenario, run_scenario

__all__ = ["Check", "InputFile", "Provenance", "Scenario", "StudyResult", "load_scenario", "run_scenario"]
