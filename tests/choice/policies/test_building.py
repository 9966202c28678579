"""Building a comparison: what cannot be compared is refused with its name, its place and a way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from choicekit import (
    ChoicekitError,
    CoefficientCovariance,
    DataError,
    InvalidInputError,
    NoAvailableAlternativeError,
    Policy,
    PolicyComparison,
    Population,
    ShapeError,
    Softmax,
    compare_policies,
)
from tests.choice.policies.trips import MODEL, compared, trips


def run(population: Population, policies: Any = None, **settings: Any) -> PolicyComparison:
    given = {"it": Policy(remove=["bus"])} if policies is None else policies
    return compare_policies(MODEL, population, given, **{"seed": 3, "replications": 2, "bootstrap": 0, **settings})


@pytest.mark.parametrize(
    ("policies", "message"),
    [
        ({}, "policies must be a mapping of at least one policy by name, found {}"),
        ([{"remove": ["bus"]}], "policies must be a mapping of at least one policy by name"),
        ({"it": 3}, "policy 'it': must be a mapping by name, found 3"),
        ({"it": {"remove": ["bsu"]}}, "policy 'it': remove.0: unknown alternative 'bsu', did you mean 'bus'?"),
        ({"it": {"remove": ["walk", "bus", "car"]}}, "policy 'it': remove: every alternative is removed, leave"),
        ({"it": {"change": {"bus": {"cots": "1"}}}}, "change.bus.cots: unknown attribute 'cots', did you mean 'cost'?"),
        ({"it": {"coefficients": {"b_cots": 1}}}, "unknown coefficient 'b_cots', did you mean 'b_cost'?"),
        ({"it": {"add": {"car": {"utility": "0"}}}}, "alternative 'car' exists already"),
        ({"it": {"filter": "age > 100"}}, "policy 'it': the filter 'age > 100' keeps none of the 30 rows"),
        ({"it": {"filter": "home"}}, "policy 'it': the result of an expression must be numbers, found text"),
        ({"it": {"coefficients": {"b_cost": "log(b_cost)"}}}, "'b_cost' must be a finite number, found nan"),
        ({"baseline": {}}, "a policy cannot be called 'baseline'"),
    ],
)  # fmt: skip
def test_policies_that_cannot_be_are_refused(policies: Any, message: str) -> None:
    with pytest.raises(ChoicekitError) as caught:
        run(trips(30), policies)
    assert message in str(caught.value)


def test_all_faults_of_all_policies_are_told_at_once() -> None:
    wrong = {"a": {"remove": ["bsu"]}, "b": {"remove": ["bus"]}, "c": {"filter": "agee > 1"}}
    with pytest.raises(InvalidInputError) as caught:
        run(trips(5), wrong)  # type: ignore[arg-type]
    assert "policy 'a': " in str(caught.value)
    assert "policy 'c': " in str(caught.value)
    assert "policy 'b'" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"replications": 0}, "replications must be a whole number of at least 1, found 0"),
        ({"replications": 2.0}, "replications must be a whole number of at least 1, found 2.0"),
        ({"replications": True}, "replications must be"),
        ({"bootstrap": -1}, "bootstrap must be a whole number of at least 0, found -1"),
        ({"parameter_draws": "many"}, "parameter_draws must be a whole number of at least 0, found 'many'"),
        ({"seed": -1}, "seed must be"),
        ({"sampling": "quick"}, "sampling must be one of auto, coherent, fast, found 'quick'"),
        ({"segments": ["homes"]}, "unknown column 'homes'"),
        ({"segments": ["cost"]}, "segment 'cost' must be an attribute of agents"),
        ({"money": "b_cots"}, "unknown name 'b_cots', did you mean 'b_cost'?"),
        ({"money": "cost"}, "money needs coefficients and attributes of agents, but 'cost' differs by alternative"),
        ({"money": "-b_cost"}, "money must be worth something"),
        ({"covariance": pd.DataFrame([[1.0]], index=["b"], columns=["b"])}, "the covariance names 'b', which is no co"),
        ({"workers": 0}, "workers must be a whole number of at least 1"),
    ],
)
def test_settings_of_another_form_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ChoicekitError) as caught:
        run(trips(10), **settings)
    assert message in str(caught.value)


def test_whoever_has_nothing_left_is_named_with_the_policy() -> None:
    policy = Policy(remove=["walk"], availability={"bus": "age > 30", "car": "age > 30"})
    people = trips(20)
    young = int(people.agents[np.argmax(people.columns["age"] <= 30)])
    with pytest.raises(NoAvailableAlternativeError, match=f"under policy 'it': agent {young} has nothing available"):
        compared(policy, population=people)
    outcome = compared(policy, population=people, model=replace(MODEL, on_no_alternative="skip")).policies["it"]
    assert outcome.left_out[0] == (people.columns["age"] <= 30).sum()
    found = compared(policy, population=people, model=replace(MODEL, on_no_alternative="outside"))
    assert found.alternatives == ("walk", "bus", "car", "outside_option")
    assert found.share_change.loc["it", "outside_option"] == pytest.approx(outcome.left_out[0] / 20)


def test_whoever_chooses_under_a_policy_only_counts_there_only() -> None:
    people = trips(20)
    young = people.columns["age"] <= 30
    model = replace(MODEL, availability=dict.fromkeys(("walk", "bus", "car"), "age > 30"), on_no_alternative="skip")
    outcome = compared({"add": {"stay": {"utility": "0"}}}, population=people, model=model).policies["it"]
    assert (outcome.before.rows[0], outcome.after.rows[0], outcome.rows[0]) == ((~young).sum(), 20, (~young).sum())
    assert outcome.left_out[0] == 0
    np.testing.assert_array_equal(np.isnan(outcome.welfare.by_row), young)
    assert outcome.switching[0].sum() == pytest.approx((~young).sum())


def test_cells_and_utilities_that_are_no_numbers_name_the_policy() -> None:
    with pytest.raises(DataError, match="under policy 'it': utility must be a number below infinity, found nan"):
        compared({"change": {"bus": {"cost": "log(cost - 7)"}}})
    with pytest.raises(DataError, match="under policy 'it': column 'cost' differs by alternative, and 'cab' has none"):
        compared({"add": {"cab": {"utility": "cost"}}})


def test_draws_of_the_coefficients_that_fail_are_named() -> None:
    wide = CoefficientCovariance.from_standard_errors({"b_cost": 0.5})
    with pytest.raises(
        InvalidInputError, match=r"draw \d+ of the coefficients .*b_cost = 0\.\d+.*log\(-b_cost\) is nan"
    ):
        compared({"coefficients": {"b_time": "log(-b_cost)"}}, covariance=wide)
    model = replace(MODEL, utilities={"walk": "log(-b_cost) * time", "bus": "0"})
    with pytest.raises(InvalidInputError, match=r"draw \d+ of the coefficients .*utility must be a number below inf"):
        compared({"remove": ["bus"]}, model=model, covariance=wide)


def test_settings_by_row_must_fit_the_rows() -> None:
    with pytest.raises(ShapeError, match="Softmax has settings for 3 rows, but there are 40"):
        compared({"rule": Softmax(np.ones(3))})  # type: ignore[arg-type]
    rows = compared({"rule": Softmax(np.linspace(1, 2, 40))}).policies["it"]  # type: ignore[arg-type]
    assert np.all(rows.welfare.by_row[1:] > 0)
