"""Choice scenarios: what each entry of the file does to the study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    ChoiceOutcome,
    DataError,
    Hardmax,
    Population,
    Softmax,
    StudyResult,
    run_scenario,
    simulate_choices,
)

LUNCH = """
choicekit: 1
kind: choice
name: lunch
seed: 1
agents:
  agent: who
  rows:
    - {who: ann, hunger: 2, budget: 12, home: city}
    - {who: bo, hunger: 0, budget: 5, home: farm}
    - {who: cy, hunger: 1, budget: 9, home: city}
coefficients: {b: 0.5}
utility:
  soup: 1
  pizza: b * hunger
simulation: {replications: 50}
"""
TRIPS = """
choicekit: 1
kind: choice
name: trips
seed: 1
agents: {table: trips.csv, layout: long, agent: id, alternative: mode}
alternatives: {1: bus, 2: car}
utility: 0 - cost
simulation: {replications: 20}
"""
TRIPS_CSV = "id,day,mode,cost,taken,w,there\n1,1,1,2,1,1,1\n1,1,2,3,0,1,1\n1,2,1,2,0,3,1\n1,2,2,4,1,3,0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trips.csv").write_text(TRIPS_CSV)
    return tmp_path


def lunch(extra: str = "", **overrides: Any) -> StudyResult:
    return run_scenario(LUNCH + extra, overrides=overrides)


def trips(folder: Path, extra: str = "", **overrides: Any) -> ChoiceOutcome:
    """Run the long table; two situations of one agent need a `situation`."""
    changes = {"agents.situation": "day", **{key.replace("__", "."): value for key, value in overrides.items()}}
    outcome: ChoiceOutcome = run_scenario(TRIPS + extra, overrides=changes, data_dir=folder).outcome
    return outcome


def logistic(difference: Any) -> Any:
    return 1 / (1 + np.exp(-np.asarray(difference, dtype=float)))


# --- the study ------------------------------------------------------------------------------------------------------


def test_a_file_and_the_python_interface_build_the_same_study() -> None:
    people = Population(agents=["ann", "bo", "cy"], columns={"hunger": [2.0, 0.0, 1.0]})
    model = ChoiceModel({"soup": "1", "pizza": "b * hunger"}, {"b": 0.5})
    by_hand = simulate_choices(model, people, seed=1, replications=50)
    from_file = lunch().outcome
    np.testing.assert_array_equal(from_file.choices, by_hand.choices)
    np.testing.assert_array_equal(from_file.tally.probability, by_hand.tally.probability)
    assert from_file.alternatives == by_hand.alternatives


def test_rows_and_a_table_of_the_same_agents_give_the_same_choices(folder: Path) -> None:
    (folder / "people.csv").write_text("who,hunger\nann,2\nbo,0\ncy,1\n")
    text = LUNCH[: LUNCH.index("  rows:")] + "  table: people.csv\n" + LUNCH[LUNCH.index("coefficients") :]
    outcome = run_scenario(text, data_dir=folder).outcome
    np.testing.assert_array_equal(outcome.choices, lunch().outcome.choices)


def test_a_condition_makes_an_alternative_unavailable() -> None:
    outcome = lunch("availability: {pizza: budget >= 9 and home == 'city'}\n").outcome
    np.testing.assert_array_equal(outcome.tally.available[0], [3, 2])
    expected = logistic([0, -0.5]).sum() / 3
    assert outcome.expected_shares["pizza"] == pytest.approx(expected, rel=1e-14)


def test_a_rule_is_built_with_its_settings() -> None:
    assert lunch("rule: {type: softmax, temperature: 2}\n").outcome.rule == Softmax(temperature=2.0)
    assert lunch("rule: {type: hardmax}\n").outcome.rule == Hardmax()
    assert lunch().outcome.rule == Softmax()
    cold = lunch("rule: {type: softmax, temperature: 0}\n").outcome
    assert cold.expected_shares["soup"] == pytest.approx((0.5 + 1 + 1) / 3)


@pytest.mark.parametrize(("given", "used"), [("auto", "coherent"), ("coherent", "coherent"), ("fast", "fast")])
def test_sampling_is_as_the_file_says(given: str, used: str) -> None:
    assert run_scenario(LUNCH, overrides={"simulation.sampling": given}).outcome.sampling == used


@pytest.mark.parametrize(("then", "names"), [("skip", ["soup"]), ("outside", ["soup", "outside_option"])])
def test_nothing_available_is_skipped_or_counted(then: str, names: list[str]) -> None:
    text = (
        LUNCH.replace("  pizza: b * hunger\n", "") + f"on_no_alternative: {then}\navailability: {{soup: hunger > 0}}\n"
    )
    result = run_scenario(text)
    assert list(result.outcome.alternatives) == names
    assert result.outcome.n_idle == 1
    assert [check.name for check in result.checks] == [
        "probabilities_sum_to_one", "simulated_agrees_with_expected", "somebody_chooses",
    ]  # fmt: skip
    assert result.passed


def test_a_study_in_which_everybody_is_skipped_fails_its_checks() -> None:
    result = run_scenario(
        LUNCH.replace("  pizza: b * hunger\n", "") + "on_no_alternative: skip\navailability: {soup: 0}\n"
    )
    assert [check.name for check in result.checks if not check.passed] == ["somebody_chooses"]


def test_segments_by_edges_and_by_value() -> None:
    outcome = lunch(
        "segments:\n  budget: {column: budget, edges: [6, 10]}\n  home: {column: home}\n"
        "  appetite: {column: hunger, edges: [1], labels: [small, large]}\n"
    ).outcome
    assert [(group.segment, group.label) for group in outcome.groups[1:]] == [
        ("budget", "under 6"), ("budget", "6 to 10"), ("budget", "10 and over"),
        ("home", "city"), ("home", "farm"), ("appetite", "small"), ("appetite", "large"),
    ]  # fmt: skip
    assert outcome.tally.rows.tolist() == [3, 1, 1, 1, 2, 1, 1, 2]


# --- tables ---------------------------------------------------------------------------------------------------------


def test_one_formula_holds_for_all_alternatives_of_a_long_table(folder: Path) -> None:
    outcome = trips(folder)
    assert outcome.alternatives == ("bus", "car")
    assert outcome.expected_shares["bus"] == pytest.approx(logistic([1, 2]).mean(), rel=1e-14)
    assert (outcome.n_agents, outcome.n_rows) == (1, 2)


def test_weights_observed_choices_and_availability_are_read(folder: Path) -> None:
    outcome = trips(folder, agents__weight="w", agents__availability="there")
    assert outcome.weighted
    assert outcome.expected_shares["bus"] == pytest.approx((logistic(1) + 3) / 4, rel=1e-14)
    assert trips(folder, agents__weight="w", agents__chosen="taken").observed_shares.tolist() == [0.25, 0.75]
    with pytest.raises(DataError, match="what is chosen must be available"):
        trips(folder, agents__chosen="taken", agents__availability="there")


def test_missing_rows_may_mean_unavailable(folder: Path) -> None:
    (folder / "trips.csv").write_text(TRIPS_CSV.rsplit("1,2,2", 1)[0])
    outcome = trips(folder, agents__missing_rows="unavailable")
    assert outcome.tally.available[0].tolist() == [2, 1]


def test_attributes_of_a_wide_table_differ_by_alternative() -> None:
    text = LUNCH.replace("  agent: who\n", "  agent: who\n  attributes: {size: {soup: hunger, pizza: budget}}\n")
    outcome = run_scenario(text, overrides={"utility": {"soup": "size", "pizza": "size"}}).outcome
    difference = np.array([2 - 12, 0 - 5, 1 - 9])
    assert outcome.expected_shares["soup"] == pytest.approx(logistic(difference).mean(), rel=1e-12)


# --- checks ---------------------------------------------------------------------------------------------------------


def test_python_and_yaml_repeat_as_often_by_default() -> None:
    population = Population(agents=[1, 2])
    by_hand = simulate_choices(ChoiceModel({"a": "0", "b": "0"}), population, seed=1)
    by_file = run_scenario(LUNCH.replace("simulation: {replications: 50}\n", "")).outcome
    assert by_hand.replications == by_file.replications == 200


def test_every_run_checks_sums_agreement_and_availability() -> None:
    result = lunch()
    assert [(check.name, check.passed) for check in result.checks] == [
        ("probabilities_sum_to_one", True), ("simulated_agrees_with_expected", True), ("nothing_available", True),
    ]  # fmt: skip
    assert result.passed


@pytest.mark.parametrize(("limit", "passed"), [(0.9, True), (0.001, False)])
def test_precision_can_be_asked_for(limit: float, passed: bool) -> None:
    check = lunch(f"checks: {{half_width: {limit}}}\n").checks[-1]
    assert (check.name, check.limit, check.passed) == ("half_width", limit, passed)
    assert check.value == lunch().outcome.estimate_by_group().half_width[0].max()


@pytest.mark.parametrize(("limit", "passed"), [(0.9, True), (0.01, False)])
def test_observed_shares_can_be_asked_for(folder: Path, limit: float, passed: bool) -> None:
    changes = {"agents.situation": "day", "agents.chosen": "taken", "checks.observed_shares": limit}
    result = run_scenario(TRIPS, overrides=changes, data_dir=folder)
    assert (result.checks[-1].name, result.checks[-1].passed) == ("observed_shares", passed)
    assert result.passed == passed
    assert result.checks[-1].value == pytest.approx(logistic([1, 2]).mean() - 0.5)


def test_an_unreachable_agreement_fails() -> None:
    assert not lunch("checks: {agreement: 0.999}\n").passed


def test_true_and_false_are_formulas() -> None:
    text = "availability: {soup: true, pizza: false}\n"
    np.testing.assert_array_equal(lunch(text).outcome.expected_shares, [1, 0])
    switched = run_scenario(LUNCH + text, overrides=["availability.pizza=true", "availability.soup=false"]).outcome
    np.testing.assert_array_equal(switched.expected_shares, [0, 1])
    plain = lunch().outcome.expected_shares
    for overrides in ({"availability.pizza": True}, {"availability.pizza": True, "utility.soup": True}):
        np.testing.assert_array_equal(lunch(text, **overrides).outcome.expected_shares, plain)


# --- warnings -------------------------------------------------------------------------------------------------------


def test_a_coefficient_nobody_uses_is_a_warning() -> None:
    result = run_scenario(LUNCH.replace("{b: 0.5}", "{b: 0.5, spare: 2}"))
    assert result.warnings == ("<scenario>:12:24 coefficient 'spare' is used by no formula",)
    assert result.passed
    assert lunch().warnings == ()
