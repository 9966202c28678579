"""One class, or a mixture of one rule, is the plain model to the last bit."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    CoefficientCovariance,
    Hardmax,
    LatentClass,
    PolicyComparison,
    Softmax,
    calibrate_constants,
    compare_policies,
    simulate_choices,
)
from tests.choice.heterogeneity.commuters import commuters, model

ONE = {
    "a class of all": model(classes={"all": LatentClass(share=1.0)}),
    "a membership of all": model(classes={"all": LatentClass(membership="0.1 * age")}),
    "a mixture of one rule": model(rule=Hardmax(), classes={"all": LatentClass(share=1, rule=Softmax())}),
    "a class with its coefficients": model(
        {"b_cost": 5.0}, classes={"all": LatentClass(share=1, coefficients={"b_cost": -0.8})}
    ),
}  # fmt: skip
POLICIES: dict[str, dict[str, Any]] = {
    "fares": {"change": {"bus": {"cost": "0.5 * cost"}}},
    "speed": {"coefficients": {"b_time": "0.5 * b_time"}},
    "tram": {"add": {"tram": {"columns_like": "bus", "change": {"time": "0.8 * time"}}}, "filter": "age > 30"},
}
each = pytest.mark.parametrize("name", ONE)


def parts(result: object) -> dict[str, bytes]:
    """Every array of a result of arrays, as bytes."""
    return {item.name: np.asarray(getattr(result, item.name)).tobytes() for item in fields(result)}  # type: ignore[arg-type]


@each
@pytest.mark.parametrize("situations", [1, 3])
@pytest.mark.parametrize("sampling", ["auto", "fast"])
def test_simulating(name: str, situations: int, sampling: Any) -> None:
    people = commuters(40, situations=situations, weighted=True)
    settings: dict[str, Any] = {"seed": 3, "replications": 9, "sampling": sampling, "segments": ["age"]}
    plain, one = (simulate_choices(given, people, **settings) for given in (model(), ONE[name]))
    assert parts(plain.tally) == parts(one.tally)
    assert plain.sampling == one.sampling
    np.testing.assert_array_equal(plain.choices, one.choices)
    assert plain.to_frame().equals(one.to_frame())
    assert plain.agreement == one.agreement


def bytes_of(comparison: PolicyComparison) -> dict[str, Any]:
    found: dict[str, Any] = {"responses": parts(comparison.responses.sums), "case": parts(comparison.tally.cases[0])}
    for name, outcome in comparison.policies.items():
        found[f"{name} after"], found[f"{name} pair"] = parts(outcome.after), parts(outcome.pair)
        found[f"{name} estimate"] = parts(outcome.estimate())
        for source in (outcome.agents, outcome.parameters):
            assert source is not None
            found[f"{name} {len(found)}"] = parts(source)
        for change in (outcome.welfare, outcome.money_welfare):
            assert change is not None
            found[f"{name} {len(found)}"] = change.by_row.tobytes(), change.rounding.tobytes(), change.mean.tobytes()
    return found


@each
def test_comparing(name: str) -> None:
    people = commuters(40, situations=2, weighted=True)
    covered = CoefficientCovariance(["asc_bus"], [[0.04]])
    settings: dict[str, Any] = {"seed": 3, "replications": 8, "bootstrap": 7, "parameter_draws": 5, "money": "b_cost"}
    plain, one = (
        compare_policies(given, people, POLICIES, covariance=covered, segments=["age"], **settings)
        for given in (model(), ONE[name])
    )
    assert bytes_of(plain) == bytes_of(one)
    assert plain.agreement == one.agreement
    assert plain.warnings == tuple(told for told in one.warnings if "class" not in told)


@each
def test_calibrating(name: str) -> None:
    people = commuters(30)
    wanted = {"bus": 0.3, "car": 0.3, "walk": 0.4}

    def solved(given: ChoiceModel) -> dict[str, float]:
        return dict(calibrate_constants(with_constants(given), people, wanted).constants)

    assert solved(model()) == solved(ONE[name])


def with_constants(given: ChoiceModel) -> ChoiceModel:
    utilities = {name: f"{text} + asc_{name}" for name, text in given.formulas(commuters(1)).items() if name != "bus"}
    return ChoiceModel(
        {"bus": str(given.formulas(commuters(1))["bus"]), **utilities},
        {**given.coefficients, "asc_car": 0.0, "asc_walk": 0.0},
        rule=given.rule,
        classes=given.classes,
    )
