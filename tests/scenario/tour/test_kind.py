"""`kind: tour`: from YAML to the same tour that Python makes, and what is said of a file that is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from choicekit import ScenarioError, Softmax, load_scenario, run_scenario
from choicekit.rules import registry as registry_module
from choicekit.rules.nested_logit import NestedLogit
from choicekit.rules.nests import Nest
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document
from choicekit.tour import STATIONS, Tour, TourPlan, run_tour

HEAD = "choicekit: 1\nkind: tour\nname: a-tour\nseed: 5\n"
QUICK = HEAD + "draws: [100, 1000, 5000]\nreplications: 4\nagents: 1000\n"
STORY = Path(__file__).parents[3] / "scenarios" / "softmax_tour.yaml"


def plan_of(text: str) -> TourPlan:
    plan: TourPlan = load_scenario(text).prepared.study
    return plan


def problems(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text)
    return [str(problem).removeprefix("<scenario>:") for problem in caught.value.problems]


# --- good files -----------------------------------------------------------------------------------------------------


def test_a_name_and_a_seed_are_enough() -> None:
    plan = plan_of(HEAD)
    assert tuple(plan.stations) == STATIONS
    assert plan.seed == 5
    for name in (
        "temperatures",
        "relaxation_temperatures",
        "draws",
        "samples",
        "replications",
        "agents",
        "lift",
        "shift",
    ):
        default, found = getattr(TourPlan(seed=5), name), getattr(plan, name)
        assert (list(found) if isinstance(found, list) else found) == (
            list(default) if isinstance(found, list) else default
        )


def test_a_file_and_python_make_the_same_tour() -> None:
    result = run_scenario(QUICK, workers=2)
    by_hand = run_tour(TourPlan(seed=5, draws=[100, 1000, 5000], replications=4, agents=1000))
    assert isinstance(result.outcome, Tour)
    assert result.outcome.checks == by_hand.checks
    np.testing.assert_array_equal(result.outcome.station("convergence").counts, by_hand.station("convergence").counts)


def test_every_claim_is_a_check_of_the_result() -> None:
    result = run_scenario(QUICK)
    assert [(check.name, check.value, check.limit, check.passed) for check in result.checks] == [
        (claim.name, claim.value, claim.limit, claim.holds) for claim in result.outcome.checks
    ]
    assert result.passed


def test_everything_can_be_set() -> None:
    plan = plan_of(
        HEAD
        + "stations: [rules, argmax]\nutilities: {argmax: [3, 2.5], rules: {a: 1, b: 2, c: 2}, two-samplings: [1, 2]}\n"
        "temperatures: [0.5]\nrelaxation_temperatures: [2]\nsamples: 3\ndraws: [200]\nreplications: 2\nagents: 100\n"
        "improved: '2'\nlift: 0.5\nshift: -3\n"
        "rules:\n  - {type: softmax, temperature: 2}\n"
        "  - {type: nested_logit, nests: {x: {members: [b, c], dissimilarity: 0.5}}}\n"
    )
    assert list(plan.stations) == ["rules", "argmax"]
    np.testing.assert_array_equal(plan.row("argmax"), [3, 2.5])
    assert plan.alternatives("rules") == ("a", "b", "c")
    assert plan.improved_position() == 1
    assert (plan.temperatures, plan.relaxation_temperatures, plan.samples) == ([0.5], [2], 3)
    assert (plan.draws, plan.replications, plan.agents, plan.lift, plan.shift) == ([200], 2, 100, 0.5, -3)
    assert list(plan.rules) == [
        Softmax(2.0), NestedLogit({"x": Nest(["b", "c"], dissimilarity=0.5)}),
    ]  # fmt: skip


def test_the_resolved_scenario_runs_again_to_the_same_claims() -> None:
    text = QUICK + "rules: [{type: softmax, temperature: 2}]\nimproved: bus\n"
    result = run_scenario(text)
    again = run_scenario(QUICK, overrides={"rules": result.scenario["rules"], "improved": "bus"})
    assert again.outcome.checks == result.outcome.checks
    assert again.scenario == result.scenario


def test_settings_can_be_overridden() -> None:
    result = run_scenario(QUICK, overrides=["stations=[argmax]", "utilities.argmax=[1, 5]"], seed=9)
    assert result.outcome.seed == 9
    np.testing.assert_array_equal(result.outcome.station("argmax").utility, [1, 5])


def test_the_size_is_said() -> None:
    scenario = load_scenario(HEAD)
    assert scenario.kind.size(scenario.prepared.study) == "11 stations, 8,000,000 Gumbel-max draws"
    short = load_scenario(HEAD + "stations: [argmax]\n")
    assert short.kind.size(short.prepared.study) == "1 station"


def test_utilities_of_a_station_that_is_not_visited_are_warned_of() -> None:
    scenario = load_scenario(HEAD + "stations: [argmax]\nutilities: {energy: [1, 2], argmax: [1, 2], rules: [1, 2]}\n")
    assert scenario.warnings == (
        "<scenario>:6:1 the tour does not stop at energy, rules: their utilities are not used",
    )


def test_progress_of_the_long_station_is_told() -> None:
    told: list[Any] = []
    run_scenario(QUICK, progress=lambda *now: told.append(now))
    assert told[0] == ("Gumbel-max draws", 0, 5000)
    assert told[-1] == ("Gumbel-max draws", 5000, 5000)


def test_a_rule_registered_now_is_shown_and_can_be_set_with_nothing_else_touched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @dataclass(frozen=True, eq=False)
    class Warm(Softmax):
        """Softmax, warm by default."""

        temperature: Any = field(default=3.0, metadata={"yaml": float})

    monkeypatch.setattr(registry_module, "_RULES", {**registry_module._RULES, "warm": Warm})
    monkeypatch.setattr(Warm, "name", "warm")
    shown = {row.label: row.settings for row in run_scenario(QUICK).outcome.station("rules").rows}
    assert shown["warm"] == "temperature 3"
    text = QUICK + "rules: [{type: warm, temperature: 5}, {type: warm}]\n"
    labels = [row.label for row in run_scenario(text).outcome.station("rules").rows]
    assert labels[-2:] == ["warm, temperature 5", "warm, temperature 3"]


def test_the_schema_describes_the_story() -> None:
    values = parse_document(STORY.read_text(), file="story").values
    schema = scenario_schema("tour")
    jsonschema.validate(values, schema)
    for wrong in (
        {"stations": ["enrgy"]},
        {"temperatures": [0]},
        {"draws": [1]},
        {"sample": 1},
        {"rules": [{"type": "x"}]},
    ):
        assert not jsonschema.Draft202012Validator(schema).is_valid({**values, **wrong})


# --- the story that is shipped --------------------------------------------------------------------------------------


def test_the_story_is_that_of_the_defaults_and_tells_every_published_number() -> None:
    scenario = load_scenario(STORY)
    plan: TourPlan = scenario.prepared.study
    default = TourPlan(seed=plan.seed)
    assert tuple(plan.stations) == STATIONS
    for station in default.stations:
        if station != "surfaces":
            np.testing.assert_array_equal(plan.row(station), default.row(station))
    assert scenario.warnings == ()


def test_the_story_leaves_no_rule_out() -> None:
    result = run_scenario(STORY, overrides=["stations=[rules]"])
    assert result.outcome.station("rules").left_out == ()
    assert result.passed


# --- broken files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ("stations: [argmax, enrgy]",
         f"5:20 must be one of {', '.join(STATIONS)}, found 'enrgy', did you mean 'energy'?"),
        ("stations: []", "5:11 must not be empty"),
        ("stations: [energy, energy]",
         "5:11 stations must be at least one, each named once, found ['energy', 'energy']"),
        ("station: [energy]", "5:1 unknown key 'station', did you mean 'stations'?"),
        ("utilities: {enrgy: [1, 2]}", "5:13 unknown station 'enrgy', did you mean 'energy'?"),
        ("utilities: {surfaces: [1, 2]}", "5:23 station 'surfaces' has no utilities to set: leave them out"),
        ("utilities: {argmax: [1]}", "5:21 utilities of 'argmax' must be a row of 2 to 20 numbers, found 1"),
        ("utilities: {argmax: [1, high]}", "5:25 must be a number, found 'high'"),
        ("utilities: {argmax: [1, .inf]}", "5:25 must be a finite number, found inf"),
        ("utilities: {argmax: 1}", "5:21 must be a list, found 1, such as [0, 1, 7]"),
        ("utilities: {argmax: {a: 1, b: two}}", "5:31 must be a number, found 'two'"),
        ("utilities: {argmax: [1, 2000]}",
         "5:21 utilities of 'argmax' must be numbers of size at most 1,000, found [1.0, 2000.0]"),
        ("temperatures: [1, 0]", "5:19 must be above 0, found 0"),
        ("temperatures: [1, .nan]", "5:19 must be a finite number, found nan"),
        ("temperatures: []", "5:15 must not be empty"),
        ("relaxation_temperatures: [-1]", "5:27 must be above 0, found -1"),
        ("draws: [10]", "5:9 must be at least 100, found 10"),
        ("draws: [1000, 100]", "5:8 draws must rise from at least 100 to at most 100,000,000, found [1000, 100]"),
        ("draws: [100.5]", "5:9 must be a whole number, found 100.5"),
        ("replications: 1", "5:15 must be at least 2, found 1"),
        ("agents: 1", "5:9 must be at least 100, found 1"),
        ("samples: 0", "5:10 must be at least 1, found 0"),
        ("lift: 0", "5:7 must be above 0, found 0"),
        ("shift: 0", "5:8 shift must be a finite number other than 0, found 0.0"),
        ("improved: truck", "5:11 improved must be one of air, train, bus, car, or a position from 0, found 'truck'"),
        ("improved: 1", "5:11 must be text, found 1, put it in quotes"),
        ("rules: [{type: softmax, temperature: -1}]", "5:38 must be at least 0, found -1"),
        ("rules: [{type: softmax}, {type: softmax}]",
         "5:26 rules must differ, found Softmax(temperature=1.0) twice: leave one out"),
        ("rules: [{type: softmax, temprature: 1}]", "5:25 unknown key 'temprature', did you mean 'temperature'?"),
        ("agents: {table: a.csv}", "5:9 must be a whole number, found a mapping"),
        ("rule: [{type: softmax}]", "5:1 unknown key 'rule', did you mean 'rules'?"),
        ("rules: {type: softmax}", "5:8 must be a list, found a mapping, such as [{type: softmax, temperature: 0.5}]"),
    ],
)  # fmt: skip
def test_a_broken_file_is_told_what_is_wrong_and_where(extra: str, expected: str) -> None:
    assert problems(HEAD + extra + "\n") == [expected]


def test_an_unknown_rule_is_told_with_the_nearest() -> None:
    (found,) = problems(HEAD + "rules: [{type: sofmax}]\n")
    assert found.startswith("5:16 must be one of ")
    assert found.endswith("found 'sofmax', did you mean 'softmax'?")
    assert len(problems(HEAD + "rules: [{type: softmax}, {type: sofmax}, {type: softmax}]\n")) == 2


def test_nests_that_do_not_fit_the_alternatives_are_told() -> None:
    nests = "rules: [{type: nested_logit, nests: {rail: {members: [train, tram], dissimilarity: 0.5}}}]\n"
    assert problems(HEAD + nests) == ["5:62 unknown member 'tram', did you mean 'train'?"]
    assert plan_of(HEAD + "utilities: {rules: {train: 1, tram: 2}}\n" + nests).rules


def test_every_fault_of_nests_is_told_at_its_place() -> None:
    nests = "{a: {members: [bus, buss], dissimilarity: 1.5}, b: {members: [bus], dissimilarity: 0}}"
    found = problems(HEAD + f"rules: [{{type: nested_logit, nests: {nests}}}]\n")
    assert [problem.partition(" ")[0] for problem in found] == ["5:57", "5:79", "5:99", "5:120"]
    assert found[0] == "5:57 unknown member 'buss', did you mean 'bus'?"


def test_all_problems_are_told_at_once() -> None:
    text = HEAD + "stations: [argmx]\nutilities: {argmax: [1], energy: [1, 2]}\nlift: -1\nimproved: truck\n"
    assert [found.split(" ")[0] for found in problems(text)] == ["5:12", "6:21", "7:7", "8:11"]


def test_a_row_that_is_wrong_is_the_only_thing_wrong_with_what_depends_on_it() -> None:
    text = HEAD + "utilities: {two-samplings: {a: x, b: 1}, rules: [1]}\nimproved: c\nrules: [{type: softmax}]\n"
    assert problems(text) == [
        "5:32 must be a number, found 'x'",
        "5:49 utilities of 'rules' must be a row of 2 to 20 numbers, found 1",
    ]
