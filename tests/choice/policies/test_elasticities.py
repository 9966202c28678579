"""Elasticities and diversion against closed forms and finite differences, for every registered rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    Hardmax,
    InvalidInputError,
    Nest,
    PolicyComparison,
    Population,
    Softmax,
    registered_rules,
)
from tests.choice.policies.trips import MODEL, UTILITIES, compared, softmax_by_hand, trips
from tests.tolerances import ALGEBRA, FINITE_DIFFERENCE

BETA = -0.5
SMOOTH = [name for name, rule in registered_rules().items() if name != "hardmax"]
NESTS: dict[str, dict[str, Any]] = {
    "nested_logit": {"nests": {"motor": Nest(["bus", "car"], 0.5)}},
    "cross_nested_logit": {"nests": {"road": Nest({"bus": 0.5, "car": 1.0}, 0.5), "slow": Nest({"bus": 0.5}, 0.75)}},
}
"""Settings that a rule cannot do without."""


def responses(
    *attributes: str, model: ChoiceModel = MODEL, population: Population | None = None, policy: object = None
) -> PolicyComparison:
    return compared(policy or {}, model=model, population=population, elasticities=attributes, replications=1)


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
def test_softmax_has_its_closed_form(temperature: float) -> None:
    """Own (1 - p) x b / T, cross -p x b / T, weighed by the probabilities of those who answer."""
    people = trips(80, weighted=True, restricted=0.2)
    model = replace(MODEL, rule=Softmax(temperature), on_no_alternative="skip")
    found = responses("cost", "time", model=model, population=people)
    available = model.available(people)
    utility = np.where(available, model.utility(people), -np.inf)[available.any(axis=1)]
    p = np.exp(utility / temperature)
    p /= p.sum(axis=1, keepdims=True)
    assert people.weights is not None
    weights = people.weights[available.any(axis=1)]
    for attribute, beta, places in (("cost", -0.5, (1, 2)), ("time", -0.25, (0, 1, 2))):
        x = people.columns[attribute][available.any(axis=1)]
        for changed in places:
            own = (np.arange(3) == changed).astype(float)
            each = (own - p[:, [changed]]) * x[:, [changed]] * beta / temperature
            expected = (weights[:, None] * p * each).sum(axis=0) / (weights[:, None] * p).sum(axis=0)
            row = found.elasticities.loc[(attribute, model.alternatives(people)[changed])]
            np.testing.assert_allclose(row, expected, rtol=0, atol=10 * ALGEBRA)


@pytest.mark.parametrize("name", SMOOTH)
def test_elasticities_are_finite_differences(name: str) -> None:
    """The share's change in percent, where the attribute rises by a millionth part for everybody."""
    people = trips(60, weighted=True)
    texts = {**UTILITIES, "car": "asc_car + b_cost * log(1 + cost) * age / 30 + b_time * max(time, 3) + 0.02 * age"}
    model = replace(MODEL, utilities=texts, rule=registered_rules()[name](**NESTS.get(name, {})))
    found = responses("cost", "time", "age", model=model, population=people)
    step = 1e-5
    for attribute, changed in found.elasticities.index:
        shares = []
        for factor in (1 - step, 1 + step):
            outcome = compared(
                {"change": {changed: {attribute: f"{factor!r} * {attribute}"}}}, model=model, population=people
            )
            shares.append(outcome.policies["it"].shares[0])
        slope = (np.log(shares[1]) - np.log(shares[0])) / (np.log(1 + step) - np.log(1 - step))
        np.testing.assert_allclose(found.elasticities.loc[(attribute, changed)], slope, rtol=0, atol=FINITE_DIFFERENCE)


@pytest.mark.parametrize("name", registered_rules())
def test_arc_elasticities_are_those_of_a_policy(name: str) -> None:
    model = replace(MODEL, rule=registered_rules()[name](**NESTS.get(name, {})))
    people = trips(60, weighted=True)
    found = responses("cost", "age", model=model, population=people)
    assert list(found.arc_elasticities.index) == [("cost", "bus"), ("cost", "car"), ("age", "car")]
    for attribute, changed in found.arc_elasticities.index:
        policy = {"change": {changed: {attribute: f"1.1 * {attribute}"}}}
        before, outcome = found.baseline_shares[0], compared(policy, model=model, population=people).policies["it"]
        after = outcome.shares[0]
        arc = (after - before) / ((after + before) / 2) / (0.1 / 1.05)
        np.testing.assert_allclose(found.arc_elasticities.loc[(attribute, changed)], arc, rtol=0, atol=1e-12)


def test_the_arc_tends_to_the_point_where_the_share_is_a_power() -> None:
    """Far down the tail p = c exp(log x) = c x: both elasticities are 1."""
    model = ChoiceModel({"walk": "log(time) - 30", "bus": "0"})
    found = responses("time", model=model)
    assert found.elasticities.loc[("time", "walk"), "walk"] == pytest.approx(1, abs=1e-9)
    assert found.arc_elasticities.loc[("time", "walk"), "walk"] == pytest.approx(1, abs=1e-9)


def test_responses_to_one_attribute_leave_the_total_alone() -> None:
    found = responses("cost", "time", "age")
    np.testing.assert_allclose(found.elasticities @ found.baseline_shares[0], 0, atol=1e-14)


def test_diversion_is_proportional_to_shares_for_agents_alike() -> None:
    people = Population(agents=np.arange(7), columns={"x": np.full(7, 2.0)})
    model = ChoiceModel({"a": "0.3 * x", "b": "-0.2 * x", "c": "0.9", "d": "-1"}, rule=Softmax(1.7))
    found = responses(model=model, population=people)
    shares = found.baseline_shares[0]
    for place, name in enumerate(model.alternatives(people)):
        expected = shares / (1 - shares[place])
        expected[place] = np.nan
        np.testing.assert_allclose(found.diversion.loc[name], expected, rtol=1e-13)


def test_diversion_is_where_those_go_who_leave() -> None:
    people = trips(60, weighted=True)
    found = responses(population=people)
    np.testing.assert_allclose(found.diversion.sum(axis=1), 1, rtol=1e-13)
    model = replace(MODEL, utilities={**UTILITIES, "bus": f"{UTILITIES['bus']} - 1e-6"})
    change = compared({}, model=model, population=people).baseline_shares[0] - found.baseline_shares[0]
    np.testing.assert_allclose(found.diversion.loc["bus", ["walk", "car"]], change[[0, 2]] / -change[1], rtol=1e-5)


def test_nobody_goes_to_or_from_what_nobody_is_offered() -> None:
    found = responses("cost", model=replace(MODEL, availability={"bus": "age > 200"}))
    assert found.diversion.loc["bus"].isna().all()
    np.testing.assert_array_equal(found.diversion["bus"].drop("bus"), 0)
    assert found.elasticities["bus"].isna().all()
    np.testing.assert_array_equal(found.elasticities.loc[("cost", "bus"), ["walk", "car"]], 0)
    added = responses("cost", policy={"add": {"cab": {"columns_like": "car"}}})
    assert added.elasticities["cab"].isna().all()
    np.testing.assert_array_equal(added.diversion["cab"].drop("cab"), 0)


def test_the_hard_maximum_answers_to_nothing_small_and_has_no_slope_at_a_tie() -> None:
    model = replace(MODEL, rule=Hardmax())
    found = responses("cost", model=model)
    np.testing.assert_array_equal(found.elasticities, 0)
    assert found.diversion.isna().all(axis=None)
    tied = ChoiceModel({"walk": "0", "bus": "0 * cost", "car": "-1 * cost"}, rule=Hardmax())
    people = trips(5)
    found = responses("cost", model=tied, population=people)
    assert found.elasticities.loc[("cost", "bus"), ["walk", "bus"]].isna().all()
    assert np.isfinite(found.arc_elasticities.loc[("cost", "bus"), ["walk", "bus"]]).all()


def test_by_default_the_attributes_are_those_that_policies_change() -> None:
    policy = {"change": {"bus": {"cost": "0.5 * cost"}}, "attributes": {"age": "age + 1"}}
    found = compared(policy)
    assert list(found.elasticities.index) == [("age", "car"), ("cost", "bus"), ("cost", "car")]
    assert compared({"remove": ["bus"]}).elasticities.empty
    assert compared(policy, elasticities=()).elasticities.empty


def test_an_attribute_of_0_and_a_steep_utility_have_no_elasticity() -> None:
    """A percent more of nothing is nothing, also where the slope is without bound."""
    people = Population(agents=[1, 2], columns={"x": [0.0, 4.0]})
    for text in ("sqrt(x)", "log(x)"):
        model = ChoiceModel({"stay": "0", "go": text})
        found = responses("x", model=model, population=people)
        p = found.baseline_shares[0, 1]
        q = 1 / (1 + np.exp(-(2.0 if text == "sqrt(x)" else np.log(4.0))))  # of the second agent, whose x du/dx is 1
        assert found.elasticities.loc[("x", "go"), "go"] == pytest.approx(q * (1 - q) / 2 / p, rel=1e-12)


def test_rows_without_weight_and_unavailable_cells_do_not_matter() -> None:
    people = Population(
        agents=[1, 2, 3],
        alternatives=("stay", "go"),
        columns={"x": [[0.0, 1.0], [0.0, np.nan], [0.0, 7.0]]},
        availability=[[True, True], [True, False], [True, True]],
        weights=[1.0, 1.0, 0.0],
    )
    found = responses("x", model=ChoiceModel({"stay": "0", "go": "x - 7"}, rule=Softmax()), population=people)
    assert np.isfinite(found.elasticities.to_numpy()).all()
    tied = ChoiceModel({"stay": "0", "go": "x - 7"}, rule=Hardmax())  # the row without weight is tied
    assert found.elasticities.shape == (1, 2)
    assert responses("x", model=tied, population=people).elasticities.loc[("x", "go"), "stay"] == 0


def test_a_larger_attribute_may_leave_the_domain_of_the_utility() -> None:
    people = Population(agents=[1, 2], columns={"x": [0.5, 0.95], "y": [0.5, 0.95]})
    model = ChoiceModel({"stay": "0", "go": "log(1 - x)", "run": "y"})
    found = compared({"change": {"go": {"x": "0.5 * x"}, "run": {"y": "0.5 * y"}}}, model=model, population=people)
    assert found.arc_elasticities.loc[("x", "go")].isna().all()
    assert np.isfinite(found.arc_elasticities.loc[("y", "run")]).all()
    assert np.isfinite(found.elasticities.to_numpy()).all()


def test_text_has_no_elasticity() -> None:
    model = ChoiceModel({"walk": "(home == 'city') * 2", "bus": "b * cost"}, {"b": -1.0})
    with pytest.raises(InvalidInputError, match="elasticities name 'home', which is no number in a utility, there are"):
        responses("home", model=model)
    people = trips(30)
    home = people.columns["home"]
    moved = Population(
        agents=people.agents,
        alternatives=people.alternatives,
        columns={**people.columns, "former": np.roll(home, 1)},
    )
    found = compared({"attributes": {"home": "former", "cost": "2 * cost"}}, model=model, population=moved)
    assert list(found.elasticities.index) == [("cost", "bus")]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("cost", r"elasticities must be a list of attributes, found 'cost': give \['cost'\]"),
        (["cots"], r"elasticities name 'cots', .* did you mean 'cost'\?"),
        (["b_cost"], "elasticities name 'b_cost', which is no number in a utility"),
    ],
)
def test_attributes_must_be_in_a_utility(wanted: object, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        compared({"remove": ["bus"]}, elasticities=wanted)


def test_an_attribute_of_agents_changes_for_all_alternatives_that_use_it() -> None:
    people = Population(agents=[1, 2, 3], columns={"income": [1.0, 2.0, 4.0]})
    model = ChoiceModel({"walk": "0", "bus": "0.3 * income", "car": "0.5 * income - 1"})
    found = compared({"attributes": {"income": "1.1 * income"}}, model=model, population=people)
    assert list(found.elasticities.index) == [("income", "all")]
    policy = found.policies["it"]
    before, after = found.baseline_shares[0], policy.shares[0]
    np.testing.assert_allclose(
        found.arc_elasticities.loc[("income", "all")], (after - before) / (after + before) * 21, rtol=1e-12
    )
    p, x = softmax_by_hand(model.utility(people)), people.columns["income"][:, None]
    slopes = np.array([0, 0.3, 0.5])
    expected = (p * (slopes - (p * slopes).sum(axis=1, keepdims=True)) * x).sum(axis=0) / p.sum(axis=0)
    np.testing.assert_allclose(found.elasticities.loc[("income", "all")], expected, rtol=1e-12)
