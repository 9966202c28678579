"""Policies in scenarios: what the file says reaches the comparison, and what a run checks and warns of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from choicekit import (
    ChoiceModel,
    PolicyComparison,
    Population,
    RegularisedRule,
    ScenarioError,
    Softmax,
    StudyResult,
    compare_policies,
    load_scenario,
    run_scenario,
)
from choicekit.choice.policies.covariance import CoefficientCovariance
from choicekit.rules import register_rule
from choicekit.rules import registry as registry_module
from choicekit.scenario.choice.checks import policy_checks
from choicekit.scenario.emitting import dump_document
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document
from tests.scenario.choice.test_broken_policies import COVARIANCE_CSV, RIDES, RIDES_CSV

MODE_CHOICE = Path(__file__).parents[3] / "scenarios" / "mode_choice.yaml"
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
coefficients: {asc: 0.1, b: 0.5, b_price: -0.2}
utility:
  soup: asc + b_price * 4
  pizza: b * hunger + b_price * 9
simulation: {replications: 60}
"""
POLICIES = """
policies:
  cheap: {description: Pizza for 7., change: {pizza: {hunger: 1.1 * hunger}}, coefficients: {b_price: 0.5 * b_price}}
  hungry: {attributes: {hunger: hunger + 1}}
  strict: {availability: {pizza: budget > 6}}
  fish: {add: {fish: {utility: 0.2 * budget - 3, availability: home == 'city'}}, remove: [soup]}
  warm: {rule: {temperature: 2}}
  city: {filter: home == 'city'}
"""


def lunch(extra: str = "", **overrides: Any) -> StudyResult:
    return run_scenario(LUNCH + extra, overrides=overrides)


def warnings_of(extra: str) -> list[str]:
    return [warning.removeprefix("<scenario>:") for warning in load_scenario(LUNCH + extra).warnings]


@pytest.fixture
def rides(tmp_path: Path) -> Path:
    (tmp_path / "rides.csv").write_text(RIDES_CSV)
    (tmp_path / "cov.csv").write_text(COVARIANCE_CSV)
    return tmp_path


@pytest.fixture(scope="module")
def mode_choice() -> StudyResult:
    return run_scenario(MODE_CHOICE)


# --- the file and the Python interface ------------------------------------------------------------------------------


def test_policies_of_a_file_are_those_of_python() -> None:
    found = lunch(POLICIES + "welfare: {money: b_price, unit: crowns}\nuncertainty: {bootstrap: 20}\n")
    people = Population(
        agents=["ann", "bo", "cy"],
        alternatives=("soup", "pizza"),
        columns={"hunger": [2.0, 0.0, 1.0], "budget": [12.0, 5.0, 9.0], "home": ["city", "farm", "city"]},
    )
    model = ChoiceModel(
        {"soup": "asc + b_price * 4", "pizza": "b * hunger + b_price * 9"}, {"asc": 0.1, "b": 0.5, "b_price": -0.2}
    )
    policies = {
        "cheap": {"change": {"pizza": {"hunger": "1.1 * hunger"}}, "coefficients": {"b_price": -0.1}},
        "hungry": {"attributes": {"hunger": "hunger + 1"}},
        "strict": {"availability": {"pizza": "budget > 6"}},
        "fish": {
            "add": {"fish": {"utility": "0.2 * budget - 3", "availability": "home == 'city'"}},
            "remove": ["soup"],
        },
        "warm": {"rule": Softmax(temperature=2)},
        "city": {"filter": "home == 'city'"},
    }
    expected = compare_policies(
        model, people, policies, seed=1, replications=60, money="b_price", bootstrap=20, parameter_draws=0
    )
    pd.testing.assert_frame_equal(found.comparison.to_frame(), expected.to_frame())
    pd.testing.assert_frame_equal(found.comparison.welfare_change, expected.welfare_change)
    pd.testing.assert_frame_equal(found.comparison.switching, expected.switching)
    pd.testing.assert_frame_equal(found.comparison.elasticities, expected.elasticities)
    assert found.comparison.policies["cheap"].policy.description == "Pizza for 7."


def test_a_scenario_without_policies_compares_nothing() -> None:
    found = lunch()
    assert (found.comparison, found.calibration) == (None, None)
    assert [check.name for check in found.checks if "switch" in check.name or "change" in check.name] == []


def test_the_outcome_is_that_of_the_baseline() -> None:
    pd.testing.assert_frame_equal(lunch(POLICIES).outcome.to_frame(), lunch().outcome.to_frame())


def test_settings_are_passed_on() -> None:
    extra = (
        "elasticities: []\nuncertainty: {bootstrap: 3, parameter_draws: 4}\ncovariance: {standard_errors: {b: 0.1}}\n"
    )
    study = load_scenario(LUNCH + POLICIES + extra).prepared.study.comparison
    assert (study.bootstrap, study.parameter_draws, study.attributes, study.money) == (3, 4, (), None)
    assert study.covariance.standard_errors.to_dict() == {"b": 0.1}
    assert (study.seed, study.replications) == (1, 60)
    usual = load_scenario(LUNCH + POLICIES).prepared.study.comparison
    assert (usual.bootstrap, usual.parameter_draws, usual.attributes) == (500, 500, ("hunger",))


def test_segments_are_those_of_the_study() -> None:
    found = lunch(POLICIES + "segments: {home: {column: home}}\n")
    assert [group.label for group in found.comparison.groups] == [group.label for group in found.outcome.groups]
    assert len(found.comparison.groups) == 3


def test_a_rule_without_a_type_is_the_baselines_with_other_settings(short_memory: str) -> None:
    extra = f"rule: {{type: {short_memory}, temperature: 3, memory: 0.25}}\n"
    found = load_scenario(LUNCH + extra + "policies: {a: {rule: {temperature: 5}}, b: {rule: {type: softmax}}}\n")
    rules = [case.model.rule for case in found.prepared.study.comparison.cases]
    assert rules == [ShortMemory(temperature=3, memory=0.25), ShortMemory(temperature=5, memory=0.25), Softmax()]
    assert found.values["policies"]["a"] == {"rule": {"temperature": 5.0}}


def test_what_only_policies_use_is_read_from_the_table(rides: Path) -> None:
    policies = {
        "a": {"change": {"bus": {"cost": "cost + time / 10"}}},
        "b": {"filter": "home == 'farm'"},
        "c": {"add": {"tram": {"utility": "b_cost * cost - time / 60", "columns_like": "bus"}}},
    }
    people = load_scenario(RIDES, data_dir=rides).prepared.study.study.population
    assert set(people.columns) == {"cost", "income"}
    found = run_scenario(RIDES, overrides={"policies": policies, "welfare.money": "b_cost * (1 + (home == 'farm'))"},
                         data_dir=rides)  # fmt: skip
    assert set(found.comparison.study.population.columns) == {"cost", "income", "home", "time"}
    tram = found.comparison.policies["c"]
    utility = tram.model.utility(found.comparison.study.population)[:, 2]
    np.testing.assert_allclose(utility, [-2 - 30 / 60, -4 - 35 / 60])


def test_a_resolved_scenario_gives_the_same_answer(rides: Path) -> None:
    extra = (
        "covariance: {table: cov.csv}\nwelfare: {money: b_cost}\nuncertainty: {bootstrap: 10, parameter_draws: 10}\n"
    )
    first = run_scenario(RIDES + extra, data_dir=rides)
    again = run_scenario(dump_document(first.scenario), data_dir=rides)
    pd.testing.assert_frame_equal(first.comparison.to_frame(), again.comparison.to_frame())
    assert [file.entry for file in first.provenance.inputs] == [("agents", "table"), ("covariance", "table")]
    assert first.scenario == again.scenario


def test_names_of_policies_are_free() -> None:
    names = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "🚌 weg", "x" * 300, "a.b: c", "שלום"]
    found = run_scenario(LUNCH, overrides={"policies": {name: {"remove": ["soup"]} for name in names}})
    assert list(found.comparison.policies) == names


def test_alternatives_may_be_known_to_the_data_alone(rides: Path) -> None:
    text = RIDES.replace("\n  bus: asc_bus + b_cost * cost\n  car: b_cost * cost + 0.01 * income", " b_cost * cost")
    text = text.replace("asc_bus: 0.5, ", "")
    found = run_scenario(text, data_dir=rides)
    assert found.comparison.share_change.loc["cheaper", "bus"] > 0
    with pytest.raises(ScenarioError, match=r":13:22 unknown alternative 'bsu', did you mean 'bus'\?$"):
        load_scenario(text.replace("{bus:", "{bsu:"), data_dir=rides)


def test_the_schema_knows_policies() -> None:
    validator = jsonschema.Draft202012Validator(scenario_schema())
    extra = "welfare: {money: b}\ncalibrate: {shares: {soup: 1, pizza: 2}}\ncovariance: {standard_errors: {b: 1}}\n"
    validator.validate(parse_document(LUNCH + POLICIES + extra, file="s").values)
    for wrong in ("{rule: {temprature: 2}}", "{rule: {type: sofmax}}", "{remove: soup}", "{change: {soup: 1}}", "half"):
        values = parse_document(LUNCH + f"policies: {{a: {wrong}}}\n", file="s").values
        assert not validator.is_valid(values), wrong


# --- warnings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "warning"),
    [
        ("policies: {same: {description: Nothing.}}\n", "17:12 policy 'same' changes nothing"),
        (
            "policies: {dearer: {change: {soup: {hunger: 2}}}}\n",
            "17:37 the utility of 'soup' does not use 'hunger', so this changes nothing, it is used by pizza",
        ),
        (
            "policies: {richer: {change: {soup: {budget: 2}}}}\n",
            "17:37 the utility of 'soup' does not use 'budget', so this changes nothing, no utility uses it",
        ),
        ("policies: {richer: {attributes: {budget: 2}}}\n", "17:34 no utility uses 'budget', so this changes nothing"),
        (
            "policies: {fish: {add: {fish: {columns_like: pizza, change: {budget: 2}}}}}\n",
            "17:62 the utility of 'fish' does not use 'budget', so this changes nothing",
        ),
        ("welfare: {money: b}\n", "17:1 `welfare` is used where policies are compared, and there are none"),
        ("elasticities: [hunger]\n", "17:1 `elasticities` is used where policies are compared, and there are none"),
        (
            "covariance: {standard_errors: {b: 1}}\n",
            "17:1 `covariance` is used where policies are compared, and there are none",
        ),
        ("uncertainty: {bootstrap: 9}\n", "17:1 `uncertainty` is used where policies are compared, and there are none"),
        (
            "segments: {home: {column: home}}\ncalibrate: {by: home, shares: {city: {soup: 1, pizza: 1}}}\n",
            "18:23 group 'farm' of 'home' has no shares, so its constants stay as they are",
        ),
    ],
)
def test_what_is_probably_not_meant_is_warned_of(extra: str, warning: str) -> None:
    assert warnings_of(extra) == [warning]


@pytest.mark.parametrize(
    "extra",
    [
        "policies: {strict: {availability: {pizza: hunger > 1}, change: {pizza: {hunger: 2}}}}\n",
        "policies: {fish: {attributes: {budget: 2 * budget}, add: {fish: {utility: budget - 9}}}}\n",
        "policies: {strict: {attributes: {budget: 2 * budget}, availability: {pizza: budget > 6}}}\n",
    ],
)
def test_attributes_that_are_used_somewhere_are_not_warned_of(extra: str) -> None:
    assert warnings_of(extra) == []


def test_coefficients_that_policies_alone_use_are_used() -> None:
    text = LUNCH.replace("asc: 0.1", "asc: 0.1, asc_fish: 2, spare: 1")
    loaded = load_scenario(text + "policies: {fish: {add: {fish: {utility: asc_fish}}}}\n")
    assert [warning.partition(" ")[2] for warning in loaded.warnings] == ["coefficient 'spare' is used by no formula"]


def test_fast_sampling_warns_that_switches_mix_in_noise() -> None:
    text = LUNCH.replace("{replications: 60}", "{replications: 60, sampling: fast}")
    policies = "policies: {cheap: {change: {pizza: {hunger: 1.1 * hunger}}}}\n"
    (warning,) = load_scenario(text + policies).warnings
    assert warning.startswith("<scenario>:16:32 choices are drawn by sampling 'fast'")
    assert "switches mix in noise" in warning
    assert run_scenario(text + policies).warnings == (warning,)
    assert load_scenario(text).warnings == ()


def test_a_coefficient_of_cost_near_zero_is_warned_of_after_the_run() -> None:
    policies = "policies: {cheap: {change: {pizza: {hunger: 1.1 * hunger}}}}\n"
    extra = policies + "welfare: {money: b_price}\ncovariance: {standard_errors: {b_price: 0.1}}\n"
    assert load_scenario(LUNCH + extra).warnings == ()
    (warning,) = lunch(extra).warnings
    assert "standard errors from zero" in warning


# --- size, progress and checks --------------------------------------------------------------------------------------


def test_the_size_counts_policies() -> None:
    for policies, end in [("policies: {a: {remove: [soup]}}\n", ", 1 policy"), (POLICIES, ", 6 policies"), ("", "")]:
        scenario = load_scenario(LUNCH + policies)
        size = "3 agents in 3 rows, 2 alternatives, 60 replications"
        assert scenario.kind.size(scenario.prepared.study) == size + end


def test_progress_goes_on_to_the_policies() -> None:
    seen: dict[str, tuple[int, int]] = {}

    def note(name: str, done: int, total: int) -> None:
        seen[name] = (done, total)

    run_scenario(load_scenario(LUNCH + POLICIES), progress=note)
    assert seen["simulating choices"] == (180, 180)
    assert seen["comparing policies"] == (7 * 180, 7 * 180)


def checks_by_name(comparison: PolicyComparison) -> dict[str, Any]:
    return {check.name: check for check in policy_checks(comparison, 1e-4)}


def test_changes_that_are_simulated_agree_with_the_expected_ones(mode_choice: StudyResult) -> None:
    assert all(check.passed for check in mode_choice.checks)
    check = checks_by_name(mode_choice.comparison)["changes_agree_with_expected"]
    assert (check.relation, check.limit, check.unit) == (">=", 1e-4, "p-value")
    outcome = mode_choice.comparison.policies["no-bus"]
    moved = outcome.after.count.copy()
    moved[..., 0] += 1  # one more traveller by air, and one less by train, in every replication
    moved[..., 1] -= 1
    wrong = replace(outcome, after=replace(outcome.after, count=moved))
    policies = {**mode_choice.comparison.policies, "no-bus": wrong}
    assert not checks_by_name(replace(mode_choice.comparison, policies=policies))["changes_agree_with_expected"].passed


def test_nobody_switches_between_what_a_policy_leaves_alone(mode_choice: StudyResult) -> None:
    check = checks_by_name(mode_choice.comparison)["no_needless_switches"]
    assert (check.value, check.limit, check.unit, check.passed) == (0.0, 0.0, "rows", True)
    outcome = mode_choice.comparison.policies["cheaper-train"]
    for there, found in [((0, 2), False), ((0, 1), True)]:  # air to bus, which the policy leaves; air to train
        switched = outcome.pair.switched.copy()
        switched[(0, *there)] += 1
        policies = {"cheaper-train": replace(outcome, pair=replace(outcome.pair, switched=switched))}
        tampered = checks_by_name(replace(mode_choice.comparison, policies=policies))["no_needless_switches"]
        assert tampered.passed is found


@pytest.mark.parametrize(
    ("policy", "there"),
    [
        ("{change: {pizza: {hunger: 2 * hunger}}}", False),  # only soup is left alone
        ("{coefficients: {b: 2}, add: {fish: {utility: 1}}}", False),  # b is in pizza
        ("{coefficients: {b_price: 0}}", False),  # in both
        ("{rule: {temperature: 2}}", False),
        ("{availability: {pizza: budget > 6}}", False),
        ("{add: {fish: {utility: 1}}}", True),
        ("{rule: {temperature: 1}, filter: budget > 6}", True),
    ],
)
def test_which_alternatives_a_policy_leaves_alone(policy: str, there: bool) -> None:
    found = lunch(f"policies: {{one: {policy}}}\n")
    assert ("no_needless_switches" in {check.name for check in found.checks}) is there
    assert found.passed


def test_with_fast_draws_needless_switches_are_not_judged() -> None:
    extra = "policies: {fish: {add: {fish: {utility: 1}}}}\n"
    names = {check.name for check in lunch(extra, **{"simulation.sampling": "fast"}).checks}
    assert "changes_agree_with_expected" in names
    assert "no_needless_switches" not in names


# --- covariance -----------------------------------------------------------------------------------------------------


def covariance(rides: Path, block: str, table: str = "") -> CoefficientCovariance:
    if table:
        (rides / "cov.csv").write_text(table)
    study = load_scenario(RIDES + f"covariance: {block}\n", data_dir=rides).prepared.study.comparison
    found: CoefficientCovariance = study.covariance
    return found


@pytest.mark.parametrize(
    "table",
    [
        "name,asc_bus,b_cost\nasc_bus,0.04,0.001\nb_cost,0.001,0.01\n",
        ",asc_bus,b_cost\nasc_bus,0.04,0.001\nb_cost,0.001,0.01\n",
        "\n;asc_bus;b_cost\n\nasc_bus;0.04;0.001\nb_cost;0.001;0.01\n",
        '"","asc_bus","b_cost"\n"b_cost",0.001,0.01\n"asc_bus",0.04,0.001\n',
    ],
    ids=["named", "unnamed first column", "semicolons and blank lines", "quoted, in another order"],
)
def test_a_covariance_is_read_from_a_table_however_it_is_laid_out(rides: Path, table: str) -> None:
    found = covariance(rides, "{table: cov.csv}", table)
    assert tuple(found.names) == ("asc_bus", "b_cost")
    np.testing.assert_array_equal(found.matrix, [[0.04, 0.001], [0.001, 0.01]])


def test_a_covariance_is_read_from_parquet(rides: Path) -> None:
    frame = pd.DataFrame([[0.04, 0.001], [0.001, 0.01]], index=["asc_bus", "b_cost"], columns=["asc_bus", "b_cost"])
    frame.rename_axis("coefficient").reset_index().to_parquet(rides / "cov.parquet")
    found = covariance(rides, "{table: cov.parquet}")
    np.testing.assert_array_equal(found.matrix, frame.to_numpy())


@pytest.mark.parametrize(
    "matrix",
    [
        "{asc_bus: {asc_bus: 0.04, b_cost: 0.001}, b_cost: {b_cost: 0.01}}",
        "{asc_bus: {asc_bus: 0.04}, b_cost: {b_cost: 0.01, asc_bus: 0.001}}",
        "{asc_bus: {asc_bus: 0.04, b_cost: 0.001}, b_cost: {b_cost: 0.01, asc_bus: 0.001}}",
    ],
    ids=["above", "below", "both"],
)
def test_a_pair_of_a_covariance_may_be_given_once(rides: Path, matrix: str) -> None:
    np.testing.assert_array_equal(covariance(rides, f"{{matrix: {matrix}}}").matrix, [[0.04, 0.001], [0.001, 0.01]])


def test_a_pair_of_a_covariance_that_is_left_out_is_0(rides: Path) -> None:
    found = covariance(rides, "{matrix: {asc_bus: {asc_bus: 0.04}, b_cost: {b_cost: 0.01}}}")
    errors = covariance(rides, "{standard_errors: {asc_bus: 0.2, b_cost: 0.1}}")
    np.testing.assert_allclose(found.matrix, errors.matrix)


# --- calibration ----------------------------------------------------------------------------------------------------


def test_a_calibrated_baseline_meets_the_shares_and_policies_start_from_it() -> None:
    found = lunch(POLICIES + "calibrate: {shares: {soup: 30, pizza: 10}}\n")
    assert found.calibration.converged
    np.testing.assert_allclose(found.outcome.expected_shares, [0.75, 0.25], atol=1e-10)
    np.testing.assert_allclose(found.comparison.baseline_shares[0, :2], [0.75, 0.25], atol=1e-10)
    assert found.calibration.constants.keys() == {"asc"}


def test_the_travel_modes_are_calibrated_from_zero() -> None:
    shares = {"air": 58, "train": 63, "bus": 30, "car": 59}
    zero = {f"coefficients.asc_{name}": 0 for name in ("air", "train", "bus")}
    found = run_scenario(MODE_CHOICE, overrides={**zero, "calibrate": {"shares": shares}, "policies": {}})
    np.testing.assert_allclose(found.outcome.expected_shares * 210, list(shares.values()), atol=1e-8)
    assert found.calibration.constants["asc_air"] == pytest.approx(5.207443298666676)


def test_shares_by_group_are_met_in_each_group() -> None:
    extra = """
segments: {home: {column: home}}
calibrate: {by: home, shares: {city: {soup: 1, pizza: 3}, farm: {soup: 3, pizza: 1}}}
"""
    found = lunch(POLICIES + extra)
    np.testing.assert_allclose(found.outcome.expected_by_group()[1:], [[0.25, 0.75], [0.75, 0.25]], atol=1e-10)
    np.testing.assert_allclose(found.comparison.baseline_shares[1:, :2], [[0.25, 0.75], [0.75, 0.25]], atol=1e-10)


@pytest.mark.parametrize(
    ("shares", "warns"),
    [
        ("{soup: 0.5, pizza: 0.7}", "<scenario>:L:13 shares sum to 1.2 and are divided by it"),
        ("{soup: 0.5, pizza: 0.45}", "<scenario>:L:13 shares sum to 0.95 and are divided by it"),
        ("{soup: 0.333, pizza: 0.6665}", ""),  # rounded
        ("{soup: 1, pizza: 1}", ""),
        ("{soup: 30.5, pizza: 10}", ""),
        ("{soup: 0.7}", ""),
    ],
)
def test_shares_that_look_like_fractions_and_are_not_are_divided_with_a_word(shares: str, warns: str) -> None:
    text = LUNCH + f"calibrate: {{shares: {shares}}}\n"
    warns = warns.replace("L", str(text.count("\n")))
    assert load_scenario(text).warnings == ((warns,) if warns else ())


def test_shares_of_a_group_are_divided_with_a_word_too() -> None:
    shares = "{city: {soup: 0.5, pizza: 0.7}, farm: {soup: 3, pizza: 1}}"
    text = LUNCH + f"segments: {{home: {{column: home}}}}\ncalibrate: {{by: home, shares: {shares}}}\n"
    place = f"<scenario>:{text.count(chr(10))}:32"
    assert load_scenario(text).warnings == (f"{place} shares sum to 1.2 and are divided by it",)


# --- rules ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class ShortMemory(Softmax):
    """A softmax with a setting more, and without coherent draws."""

    memory: float = 0.5
    supports_coherent = False


@pytest.fixture
def short_memory() -> Iterator[str]:
    """A rule that exists for the length of a test."""
    before: dict[str, type[RegularisedRule]] = dict(registry_module._RULES)
    register_rule("short-memory")(ShortMemory)
    yield "short-memory"
    registry_module._RULES.clear()
    registry_module._RULES.update(before)


def test_a_rule_of_a_policy_must_have_coherent_draws_where_they_are_asked_for(short_memory: str) -> None:
    text = LUNCH.replace("{replications: 60}", "{replications: 60, sampling: coherent}")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text + f"policies: {{short: {{rule: {{type: {short_memory}}}}}}}\n")
    assert str(caught.value) == (
        "<scenario>:17:26 ShortMemory has no additive-noise law, so coherent draws do not exist: "
        "use sampling 'fast' or 'auto'"
    )


# --- the shipped scenario -------------------------------------------------------------------------------------------


def test_a_cheaper_train_changes_shares_and_welfare_as_known(mode_choice: StudyResult) -> None:
    found = mode_choice.comparison.policies["cheaper-train"]
    np.testing.assert_allclose(found.shares[0, :4], [0.25905738, 0.35734446, 0.12996483, 0.25363333], atol=5e-9)
    assert found.welfare.mean[0] == pytest.approx(0.11249285, abs=5e-9)
    assert found.money_welfare.mean[0] == pytest.approx(7.25689, abs=5e-6)


def test_the_covariance_of_the_travel_modes_is_the_inverse_of_the_information(mode_choice: StudyResult) -> None:
    study = mode_choice.comparison.study
    people, model = study.population, study.baseline.model
    design = np.zeros((people.n_rows, 4, 6))
    design[:, [0, 1, 2], [0, 1, 2]] = 1
    design[:, :, 3], design[:, :, 4] = people.columns["gc"], people.columns["ttme"]
    design[:, 0, 5] = people.columns["hinc"]
    coefficients = np.array(list(model.coefficients.values()))
    np.testing.assert_allclose(design @ coefficients, model.utility(people), rtol=1e-12)
    p = model.rule.probabilities(model.utility(people))
    information = sum(x.T @ (np.diag(q) - np.outer(q, q)) @ x for x, q in zip(design, p, strict=True))
    assert tuple(study.covariance.names) == tuple(model.coefficients)
    np.testing.assert_allclose(study.covariance.matrix, np.linalg.inv(information), rtol=1e-9)


def test_the_standard_errors_of_the_travel_modes_are_those_of_mlogit(mode_choice: StudyResult) -> None:
    # the R package mlogit, as statsmodels' tests of its conditional logit record it
    mlogit = {
        "asc_air": 0.779055142508082, "asc_train": 0.443126852001293, "asc_bus": 0.450265930527341,
        "b_cost": 0.00440799307835216, "b_wait": 0.0104398465313473, "b_income_air": 0.0102624069997369,
    }  # fmt: skip
    errors = mode_choice.comparison.study.covariance.standard_errors.to_dict()
    assert errors == pytest.approx(mlogit, rel=1e-5)


def test_the_shipped_policies_are_described(mode_choice: StudyResult) -> None:
    assert len(mode_choice.comparison.policies) >= 4
    assert all(outcome.policy.description for outcome in mode_choice.comparison.policies.values())
    assert mode_choice.scenario["welfare"] == {"money": "b_cost", "unit": "$"}
