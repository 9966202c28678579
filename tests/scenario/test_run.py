"""Loading and running: every way to name a scenario, and results that run again to the same result."""

from __future__ import annotations

import json
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choicekit import InvalidInputError, Scenario, ScenarioError, StudyResult, load_scenario, run_scenario
from choicekit.scenario.overriding import apply_overrides
from choicekit.scenario.run import _as_texts
from choicekit.scenario.source import dump_document, read_document

SCENARIOS = Path(__file__).parents[2] / "scenarios"
LUNCH = """\
choicekit: 1
kind: choice
name: lunch
seed: 1
agents: {table: people.csv, agent: who}
coefficients: {b: 0.5}
utility: {soup: 1, pizza: b * hunger}
simulation: {replications: 9}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_text("who,hunger\nann,2\nbo,0\n")
    (tmp_path / "lunch.yaml").write_text(LUNCH)
    return tmp_path / "lunch.yaml"


def same(one: StudyResult, other: StudyResult) -> bool:
    tallies = one.outcome.tally, other.outcome.tally
    arrays = ([getattr(tally, field.name).tobytes() for field in fields(tally)] for tally in tallies)
    left, right = arrays
    return left == right and one.outcome.alternatives == other.outcome.alternatives and one.checks == other.checks


# --- sources --------------------------------------------------------------------------------------------------------


def test_a_path_a_name_text_and_a_loaded_scenario_give_the_same_result(file: Path) -> None:
    result = run_scenario(file)
    assert same(result, run_scenario(str(file)))
    assert same(result, run_scenario(LUNCH, data_dir=file.parent))
    assert same(result, run_scenario(load_scenario(file)))


def test_tables_are_found_beside_the_file_that_names_them(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    assert run_scenario("../lunch.yaml").passed
    (away / "child.yaml").write_text("extends: ../lunch.yaml\nseed: 5\n")
    child = run_scenario("child.yaml")
    assert child.seed == 5
    assert Path(child.provenance.inputs[0].path).resolve() == tmp_path.resolve() / "people.csv"
    (away / "people.csv").write_text("who,hunger\ncy,9\n")
    assert run_scenario("../lunch.yaml", data_dir=".").outcome.n_agents == 1
    (away / "other.yaml").write_text("extends: ../lunch.yaml\nagents: {table: people.csv}\n")
    assert run_scenario("other.yaml").outcome.n_agents == 1


def test_text_cannot_extend_a_file() -> None:
    with pytest.raises(ScenarioError, match="unknown key 'extends', only a scenario in a file can extend another"):
        load_scenario("extends: base.yaml\n" + LUNCH)


def test_loading_simulates_nothing_and_describes_itself(file: Path) -> None:
    scenario = load_scenario(file)
    assert isinstance(scenario, Scenario)
    assert repr(scenario) == f"Scenario(choice 'lunch' from {file})"
    assert scenario.kind.size(scenario.prepared.study) == "2 agents in 2 rows, 2 alternatives, 9 replications"


# --- overrides and seed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "overrides",
    [["simulation.replications=3", "coefficients.b=2"], {"simulation.replications": 3, "coefficients.b": 2},
     {"simulation": {"replications": 3}, "coefficients": {"b": 2.0}}],
)  # fmt: skip
def test_overrides_are_texts_or_a_mapping(file: Path, overrides: Any) -> None:
    result = run_scenario(file, overrides=overrides)
    assert result.outcome.replications == 3
    assert result.outcome.study.model.coefficients == {"b": 2.0}
    assert result.scenario["simulation"]["replications"] == 3


def test_a_seed_replaces_that_of_the_file(file: Path) -> None:
    result = run_scenario(file, seed=2, overrides=["simulation.replications=200"])
    assert (result.seed, result.outcome.seed, result.scenario["seed"]) == (2, 2, 2)
    assert same(result, run_scenario(LUNCH.replace("seed: 1", "seed: 2").replace("9", "200"), data_dir=file.parent))
    assert not same(result, run_scenario(file, overrides=["simulation.replications=200"]))


@pytest.mark.parametrize("seed", [-1, 1.0, 2**64, True, "1"])
def test_a_seed_must_be_a_whole_number(file: Path, seed: Any) -> None:
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        load_scenario(file, seed=seed)


def test_the_largest_seed_is_one(file: Path) -> None:
    assert run_scenario(file, seed=2**64 - 1).seed == 2**64 - 1


@pytest.mark.parametrize("change", [{"overrides": ["seed=2"]}, {"seed": 2}, {"data_dir": "."}])
def test_a_loaded_scenario_is_not_changed(file: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="this scenario is loaded already"):
        run_scenario(load_scenario(file), **change)


def test_workers_change_nothing_and_are_recorded_as_circumstances(file: Path) -> None:
    one, three = run_scenario(file), run_scenario(file, workers=3)
    assert same(one, three)
    assert three.provenance.circumstances["workers"] == 3
    assert one.provenance.inputs == three.provenance.inputs
    with pytest.raises(InvalidInputError, match="workers must be a whole number of at least 1"):
        run_scenario(file, workers=0)


def test_progress_is_told(file: Path) -> None:
    told: list[tuple[str, int, int]] = []
    run_scenario(file, progress=lambda *step: told.append(step))
    assert told == [("simulating choices", 0, 18), ("simulating choices", 18, 18)]  # 2 agents, 9 times


# --- results --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["quickstart", "mode_choice"])
def test_the_resolved_scenario_runs_again_to_the_same_result(name: str) -> None:
    result = run_scenario(SCENARIOS / f"{name}.yaml", overrides=["simulation.replications=4"])
    text = dump_document(result.scenario)
    again = run_scenario(text, data_dir=SCENARIOS)
    assert same(result, again)
    assert again.scenario == result.scenario
    assert dump_document(again.scenario) == text


def test_the_resolved_scenario_has_its_defaults_and_survives_json(file: Path) -> None:
    values = run_scenario(file).scenario
    assert values["rule"] == {"type": "softmax", "temperature": 1.0}
    assert values["agents"]["layout"] == "wide"
    assert json.loads(json.dumps(values)) == values
    assert "situation" not in values["agents"]
    assert same(run_scenario(file), run_scenario(dump_document(values), data_dir=file.parent))


def test_a_result_says_where_it_came_from(file: Path) -> None:
    result = run_scenario(file, overrides=["coefficients.b=1 "], seed=3)
    assert result.provenance.inputs[0].name == "people.csv"
    assert result.provenance.inputs[0].rows == 2
    assert len(result.provenance.inputs[0].sha256) == 64
    assert result.provenance.draw_scheme == 1
    assert {"choicekit", "python", "numpy"} <= result.provenance.versions.keys()
    words = shlex.split(result.provenance.command)
    assert words == ["choicekit", "run", str(file), "--set", "coefficients.b=1 ", "--set", "seed=3"]
    again = run_scenario(words[2], overrides=words[4::2])
    assert same(result, again)


def test_the_result_describes_itself(file: Path) -> None:
    assert repr(run_scenario(file)) == (
        "StudyResult(choice 'lunch': 3 of 3 checks hold; "
        "ChoiceOutcome(2 rows, 2 alternatives, 9 replications, coherent draws, seed 1))"
    )


def test_inline_rows_name_no_input() -> None:
    result = run_scenario(SCENARIOS / "quickstart.yaml")
    assert result.provenance.inputs == ()
    np.testing.assert_allclose(result.outcome.expected_shares.sum(), 1)


@pytest.mark.parametrize(
    "value", ["7", "yes", "true", None, 0.1, 1e-300, [20, 40], {"a": 1, "b c": "x"}, "a: b", "x # y", ""]
)
def test_the_command_to_run_again_says_what_was_set(tmp_path: Path, value: object) -> None:
    source = tmp_path / "x.yaml"
    source.write_text("title: x\n")
    text = _as_texts({"description": value}, None)
    assert apply_overrides(read_document(source), text).values["description"] == value
