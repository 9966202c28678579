"""A new rule is one file and one registration: this file, and nothing else, takes one through everything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import jsonschema
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from choicekit import ScenarioError, StudyResult, load_scenario, run_scenario, write_report
from choicekit.cli import app
from choicekit.report.kinds.choice.rules import regulariser_formula
from choicekit.rules import RegularisedRule, Softmax, register_rule, registry
from choicekit.rules.protocol import FloatArray
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document

SCENARIO = """
choicekit: 1
kind: choice
name: toy-study
seed: 1
agents:
  agent: id
  rows: [{id: 1, fare: 1.0}, {id: 2, fare: 2.0}, {id: 3, fare: 3.0}]
coefficients: {b: -1}
utility: {bus: b * fare, car: -2.5, walk: -2.2}
rule: {type: toy, sharpness: 3}
simulation: {replications: 400}
policies:
  half-fare: {change: {bus: {fare: fare / 2}}}
  sharper: {rule: {sharpness: 9}}
  no-walk: {remove: [walk]}
welfare: {money: b, unit: $}
uncertainty: {bootstrap: 0}
"""


@dataclass(frozen=True, eq=False)
class Toy(RegularisedRule):
    """Choose with probability proportional to exp(sharpness * u).

    Notes
    -----
    It is softmax at T = 1 / sharpness by another name, so that what comes out is known; but it has no coherent draws.
    """

    sharpness: float = field(default=1.0, metadata={"minimum": 1e-9, "description": "The inverse of a temperature."})

    regulariser: ClassVar[str] = "q * log(q) / sharpness"

    @property
    def _softmax(self) -> Softmax:
        return Softmax(1 / self.sharpness)

    def _value(self, utility: FloatArray) -> FloatArray:
        return self._softmax._value(utility)

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        return self._softmax._probabilities(utility)

    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray:
        return self._softmax._jacobian_product(utility, direction)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        return self._softmax._conjugate(probabilities)

    def _largest_gap(self, n: int) -> float:
        return float(np.log(n) / self.sharpness)


@pytest.fixture(scope="module")
def toy() -> Iterator[str]:
    """The rule, registered for as long as these tests run."""
    before = dict(registry._RULES)
    register_rule("toy")(Toy)
    yield "toy"
    registry._RULES.clear()
    registry._RULES.update(before)


@pytest.fixture(scope="module")
def result(toy: str) -> StudyResult:
    return run_scenario(SCENARIO)


@pytest.fixture(scope="module")
def run_directory(result: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(result, tmp_path_factory.mktemp("toy") / "run").parent


@pytest.fixture(scope="module")
def twin() -> StudyResult:
    """The same study under softmax."""
    changes = {"{type: toy, sharpness: 3}": f"{{temperature: {1 / 3!r}}}", "sharpness: 9": f"temperature: {1 / 9!r}"}
    text = SCENARIO.replace("{replications", "{sampling: fast, replications")
    for old, new in changes.items():
        text = text.replace(old, new)
    return run_scenario(text)


def test_it_goes_through_yaml_and_simulation(result: StudyResult, twin: StudyResult) -> None:
    assert result.outcome.rule == Toy(sharpness=3.0)
    assert result.passed, [check.name for check in result.checks if not check.passed]
    assert result.outcome.sampling == "fast"
    pd.testing.assert_frame_equal(result.outcome.to_frame(), twin.outcome.to_frame())


def test_it_goes_through_policies_elasticities_and_welfare(result: StudyResult, twin: StudyResult) -> None:
    assert result.comparison.policies["sharper"].model.rule == Toy(sharpness=9.0)
    pd.testing.assert_frame_equal(result.comparison.to_frame(), twin.comparison.to_frame())
    assert np.isfinite(result.comparison.elasticities).any().any()
    pd.testing.assert_frame_equal(result.comparison.elasticities, twin.comparison.elasticities)
    for name, policy in result.comparison.policies.items():
        np.testing.assert_array_equal(policy.money_welfare.mean, twin.comparison.policies[name].money_welfare.mean)


def test_the_report_says_its_name_its_settings_and_what_it_claims(run_directory: Path) -> None:
    page = BeautifulSoup((run_directory / "report.html").read_text(), "html.parser")
    plain = " ".join(page.get_text().replace("\u00a0", " ").split())
    assert "Toy with sharpness = 3: choose with probability proportional to exp(sharpness * u). Choices are" in plain
    assert "toy, sharpness = 3" in plain
    assert "toy need not be" in plain  # bound to independence of irrelevant alternatives
    assert "+ sharpness: 9.0" in plain
    assert "softmax with" not in plain.lower()
    formulas = [found.get_text() for found in page.select("ul.formulas math")]
    assert any(text.startswith("Ω(q)=∑j") and "sharpness" in text for text in formulas)


def test_summary_and_tables_have_it(run_directory: Path) -> None:
    summary = json.loads((run_directory / "summary.json").read_text())
    assert summary["rule"] == {"type": "toy", "temperature": None, "settings": {"sharpness": 3.0}}
    assert "sharper" in pd.read_csv(run_directory / "tables" / "policies.csv")["policy"].tolist()
    again = run_scenario(run_directory / "scenario.yaml")
    assert again.outcome.rule == Toy(sharpness=3.0)


def test_the_command_line_and_editors_know_it(toy: str) -> None:
    listed = CliRunner().invoke(app, ["list"]).stdout
    assert "toy" in listed
    assert "Choose with probability proportional to exp(sharpness * u)." in " ".join(listed.split())
    schema = jsonschema.Draft202012Validator(scenario_schema("choice"))
    assert schema.is_valid(parse_document(SCENARIO, file="s").values)
    assert not schema.is_valid(parse_document(SCENARIO.replace("sharpness: 3", "sharpness: -3"), file="s").values)


def test_its_faults_are_told_at_their_place(toy: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        run_scenario(
            SCENARIO.replace("{type: toy, sharpness: 3}", "{type: toi, sharpnes: -3}").replace(
                "{replications: 400}", "{sampling: coherent}"
            )
        )
    assert [str(problem).partition(", known")[0] for problem in caught.value.problems] == [
        "<scenario>:11:14 must be one of "
        f"{', '.join(sorted(registry.registered_rules()))}, found 'toi', did you mean 'toy'?",
        "<scenario>:11:19 unknown key 'sharpnes', did you mean 'sharpness'?",
        "<scenario>:11:29 must be at least 1e-09, found -3",
        "<scenario>:12:24 Toy has no additive-noise law, so coherent draws do not exist: use sampling 'fast' or 'auto'",
        "<scenario>:15:19 Toy has no additive-noise law, so coherent draws do not exist: use sampling 'fast' or 'auto'",
    ]


def test_another_rule_of_the_same_name_is_another_block(toy: str) -> None:
    @dataclass(frozen=True, eq=False)
    class Blunt(Toy):
        """Another toy."""

        bluntness: float = field(default=1.0, metadata={"description": "What nothing uses."})

    registry._RULES["toy"] = Blunt
    try:
        text = SCENARIO.replace("sharpness: 3", "bluntness: 2").replace("sharpness: 9", "bluntness: 4")
        study = load_scenario(text).prepared.study
        assert isinstance(study.study.model.rule, Blunt)
        assert study.comparison.policies["sharper"].rule == Blunt(bluntness=4.0)
    finally:
        registry._RULES["toy"] = Toy


def test_a_regulariser_that_is_no_formula_is_shown_as_it_is(toy: str) -> None:
    class Wordy(Toy):
        regulariser: ClassVar[str] = "the sum of q < log q"

    shown = regulariser_formula(Wordy())
    assert shown is not None
    assert "<mtext>the sum of q &lt; log q</mtext>" in shown.formulas[0].mathml
