"""Nests, random coefficients and classes in YAML: they build what Python builds, and all that follows works."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest

from choicekit import StudyResult, load_scenario, run_scenario
from choicekit.choice.heterogeneity import Integration, LatentClass, Lognormal, Normal, RandomCovariance
from choicekit.choice.model import ChoiceModel
from choicekit.choice.simulation import simulate_choices
from choicekit.rules import Hardmax, Softmax, Sparsemax
from choicekit.rules.cross_nested_logit import CrossNestedLogit
from choicekit.rules.nested_logit import NestedLogit
from choicekit.rules.nests import Nest
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document
from tests.scenario.choice.test_broken_policies import RIDES, RIDES_CSV

PLAIN = RIDES.partition("policies:")[0]
FAST = "simulation: {replications: 20}\nchecks: {agreement: 0}\n"
RANDOM = """\
coefficients:
  asc_bus: {distribution: normal, mean: 0.5, sd: 0.2}
  b_cost: {distribution: lognormal, log_mean: -1, log_sd: 0.5, negative: true}
random_coefficients: {points: 16, shifts: 8}
"""
CLASSES = """\
classes:
  careful: {membership: 0.05 * income}
  hasty: {membership: 0, rule: {type: sparsemax, temperature: 2}}
  strict: {membership: 0.1, rule: {type: hardmax}, coefficients: {b_cost: -2}}
"""
NESTS = "rule: {type: nested_logit, nests: {road: {members: [bus, car, tram], dissimilarity: 0.5}}}\n"
TRAM = "policies:\n  tram: {add: {tram: {columns_like: bus, change: {cost: 0.5 * cost}}}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rides.csv").write_text(RIDES_CSV)
    return tmp_path


def model_of(text: str, folder: Path, *overrides: str) -> ChoiceModel:
    found: ChoiceModel = load_scenario(text, data_dir=folder, overrides=overrides).prepared.study.study.model
    return found


def with_coefficients(text: str) -> str:
    return PLAIN.replace("coefficients: {asc_bus: 0.5, b_cost: -1}\n", text)


# --- what YAML builds ----------------------------------------------------------------------------------------------


def test_random_coefficients_are_distributions(folder: Path) -> None:
    model = model_of(with_coefficients(RANDOM), folder)
    assert model.random_coefficients == {
        "asc_bus": Normal(0.5, 0.2),
        "b_cost": Lognormal(-1, 0.5, negative=True),
    }
    assert model.integration == Integration(points=16, shifts=8)
    assert model_of(with_coefficients(RANDOM), folder, "coefficients.asc_bus.sd=2").random_coefficients[
        "asc_bus"
    ] == Normal(0.5, 2)
    assert model_of(with_coefficients(RANDOM), folder, "coefficients.asc_bus=2").coefficients["asc_bus"] == 2.0


@pytest.mark.parametrize(
    "form", ["covariance: {a: {a: 4.0, b: 2.0}, b: {b: 2.0}}", "cholesky: {a: {a: 2}, b: {a: 1, b: 1}}"]
)
def test_a_covariance_and_its_factor_are_the_same(form: str, folder: Path) -> None:
    text = with_coefficients(
        "coefficients: {asc_bus: {distribution: normal, mean: 0.5}, b_cost: {distribution: lognormal, log_mean: -3, "
        "negative: true}}\n"
        f"random_coefficients: {{{form.replace('a:', 'asc_bus:').replace('b:', 'b_cost:')}}}\n"
    )
    model = model_of(text, folder)
    assert isinstance(model.random_covariance, RandomCovariance)
    np.testing.assert_allclose(model.random_covariance.matrix, [[4, 2], [2, 2]], atol=1e-14)
    assert model.random_coefficients["asc_bus"].spread == pytest.approx(2.0)


def test_classes_have_rules_coefficients_and_memberships_of_their_own(folder: Path) -> None:
    model = model_of(PLAIN + CLASSES, folder)
    assert [kind.membership for kind in model.classes.values()] == ["0.05 * income", "0", "0.1"]
    assert model.rules == (Softmax(), Sparsemax(2.0), Hardmax())
    assert model.classes["strict"].coefficients == {"b_cost": -2.0}
    changed = PLAIN + "classes: {a: {share: 0.25}, b: {share: 0.75, rule: {temperature: 3}}}\nrule: {temperature: 2}\n"
    assert model_of(changed, folder).rules == (Softmax(2.0), Softmax(3.0))


def test_nests_may_hold_nests_and_parts(folder: Path) -> None:
    deep = "{type: nested_logit, nests: {all: {members: [bus], dissimilarity: 0.8, nests: {c: {members: [car]}}}}}"
    assert model_of(f"{PLAIN}rule: {deep}\n", folder).rule == NestedLogit(
        {"all": Nest(["bus"], 0.8, {"c": Nest(["car"])})}
    )
    crossed = "{type: cross_nested_logit, nests: {a: {members: {bus: 0.5}}, b: {members: {bus: 0.5, car: 1}}}}"
    assert model_of(f"{PLAIN}rule: {crossed}\n", folder).rule == CrossNestedLogit(
        {"a": Nest({"bus": 0.5}), "b": Nest({"bus": 0.5, "car": 1.0})}
    )


def test_a_scenario_and_python_choose_alike(folder: Path) -> None:
    scenario = load_scenario(with_coefficients(RANDOM) + CLASSES + FAST, data_dir=folder)
    study = scenario.prepared.study.study
    model = ChoiceModel(
        utilities={"bus": "asc_bus + b_cost * cost", "car": "b_cost * cost + 0.01 * income"},
        coefficients={"asc_bus": Normal(0.5, 0.2), "b_cost": Lognormal(-1, 0.5, negative=True)},
        classes={
            "careful": LatentClass(membership="0.05 * income"),
            "hasty": LatentClass(membership="0", rule=Sparsemax(2.0)),
            "strict": LatentClass(membership="0.1", rule=Hardmax(), coefficients={"b_cost": -2.0}),
        },
        integration=Integration(points=16),
    )
    outcome = simulate_choices(model, study.population, seed=1, replications=20)
    pd.testing.assert_frame_equal(run_scenario(scenario).outcome.to_frame(), outcome.to_frame())


# --- what follows --------------------------------------------------------------------------------------------------


def test_one_class_is_the_plain_model(folder: Path) -> None:
    plain = run_scenario(RIDES + FAST, data_dir=folder)
    classed = run_scenario(RIDES + FAST + "classes: {all: {share: 1}}\n", data_dir=folder)
    pd.testing.assert_frame_equal(plain.outcome.to_frame(), classed.outcome.to_frame())
    pd.testing.assert_frame_equal(plain.comparison.to_frame(), classed.comparison.to_frame())


def added(folder: Path) -> StudyResult:
    return run_scenario(PLAIN + NESTS + TRAM + FAST, data_dir=folder)


def test_nests_have_places_for_what_policies_add(folder: Path) -> None:
    result = added(folder)
    # without the policy there is no tram: the baseline is that of nests without it
    assert result.outcome.rule == NestedLogit({"road": Nest(["bus", "car"], 0.5)})
    alone = run_scenario(PLAIN + NESTS.replace(", tram", "") + FAST, data_dir=folder)
    pd.testing.assert_frame_equal(result.outcome.to_frame(), alone.outcome.to_frame())
    comparison = result.comparison
    np.testing.assert_allclose(comparison.baseline_shares[0, :2], result.outcome.expected_shares, atol=1e-15)
    # welfare is on one scale: one more alternative is worth something, and no more than to the best off
    gain = comparison.policies["tram"].welfare
    assert 0 < gain.mean[0] < 3
    utility = np.array([[0.5 - 2, 0.2 - 3, 0.5 - 1], [0.5 - 4, 0.4 - 4, 0.5 - 2]])
    inside = [0.5 * np.log(np.exp(utility[:, :n] / 0.5).sum(axis=1)) for n in (2, 3)]
    assert gain.mean[0] == pytest.approx((inside[1] - inside[0]).mean(), abs=1e-12)
    assert next(check for check in result.checks if check.name == "no_needless_switches").value == 0


def test_a_policy_may_have_nests_of_its_own(folder: Path) -> None:
    apart = "{nests: {bus: {members: [bus]}, car: {members: [car]}, tram: {members: [tram]}}}"
    policies = TRAM + f"  apart: {{rule: {apart}}}\n"
    result = run_scenario(PLAIN + NESTS + policies + FAST, data_dir=folder)
    rule = result.comparison.policies["apart"].model.rule
    assert [nest.dissimilarity for nest in rule.nests.values()] == [1.0, 1.0, 1.0]
    assert result.comparison.policies["tram"].model.rule == NestedLogit({"road": Nest(["bus", "car", "tram"], 0.5)})


@pytest.mark.parametrize("text", [with_coefficients(RANDOM), PLAIN + CLASSES, PLAIN + NESTS.replace(", tram", "")])
def test_what_was_run_can_be_run_again(text: str, folder: Path) -> None:
    from choicekit.scenario.emitting import dump_document

    first = load_scenario(text + FAST, data_dir=folder)
    again = load_scenario(dump_document(first.values), data_dir=folder)
    assert again.values == first.values
    outcomes = [run_scenario(scenario).outcome.to_frame() for scenario in (first, again)]
    pd.testing.assert_frame_equal(*outcomes)


@pytest.mark.parametrize("text", [with_coefficients(RANDOM), PLAIN + CLASSES, PLAIN + NESTS])
def test_editors_know_them(text: str) -> None:
    schema = jsonschema.Draft202012Validator(scenario_schema("choice"))
    assert schema.is_valid(parse_document(text, file="s").values)
    for old, new in {"sd:": "sdd:", "membership:": "memberhsip:", "dissimilarity:": "disimilarity:"}.items():
        if old in text:
            assert not schema.is_valid(parse_document(text.replace(old, new, 1), file="s").values)
