"""What is wrong with classes and random coefficients is said at its place, with a way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    DataError,
    ExpressionError,
    Hardmax,
    Integration,
    InvalidInputError,
    LatentClass,
    Lognormal,
    Normal,
    Population,
    RandomCovariance,
    Softmax,
    Uniform,
    simulate_choices,
)
from choicekit.choice.heterogeneity.faults import faults_of_types
from tests.choice.heterogeneity.commuters import commuters, model

HALF = LatentClass(share=0.5)


@pytest.mark.parametrize(
    ("coefficients", "covariance", "classes", "path", "says"),
    [
        ({}, None, {"a": HALF, "b": LatentClass(share=0.4)}, "classes", "must sum to 1, found 0.9"),
        ({}, None, {"a": HALF, "b": LatentClass(membership="0")}, "classes", "for 'a' and a membership for 'b'"),
        ({}, None, {"a": LatentClass()}, "classes.a", "neither a share nor a membership"),
        (
            {"b_cost": 1.0}, None, {"a": HALF, "b": LatentClass(share=0.5, coefficients={"b_cst": 1})},
            "classes.b.coefficients.b_cst", "did you mean 'b_cost'?",
        ),
        (
            {"b": 1.0}, None, {"a": LatentClass(share=1, coefficients={"b": Normal(1.0)})},
            "classes.a.coefficients.b", "the standard deviation of 'b' is missing, give sd, or a covariance",
        ),
        ({"b": Lognormal(0.0)}, None, {}, "coefficients.b", "is missing, give log_sd, or a covariance"),
        (
            {"b": Normal(0.0, 1.0)}, None, {"a": LatentClass(membership="b"), "c": LatentClass(membership="0")},
            "classes.a.membership", "'b' is random, give the membership a coefficient of its own",
        ),
        (
            {"b": 1.0}, None,
            {"a": LatentClass(membership="b"), "c": LatentClass(membership="0", coefficients={"b": 2})},
            "classes.a.membership", "'b' differs by class",
        ),
        (
            {"b": Normal(0.0)}, RandomCovariance(["b", "cc"], np.eye(2)), {},
            "random_coefficients.cc", "names an unknown coefficient 'cc', there are b",
        ),
        (
            {"b": 1.0}, RandomCovariance(["b"], np.eye(1)), {},
            "random_coefficients.b", "is the same for all agents, give it a normal or lognormal distribution",
        ),
        (
            {"b": Uniform(0, 1)}, RandomCovariance(["b"], np.eye(1)), {},
            "random_coefficients.b", "a uniform coefficient cannot be correlated with others",
        ),
        (
            {"b": Normal(0.0, 2.0)}, RandomCovariance(["b"], np.eye(1)), {},
            "random_coefficients.b", "is given twice, 2 and 1 by covariance",
        ),
    ],
)  # fmt: skip
def test_faults_have_their_place(coefficients: Any, covariance: Any, classes: Any, path: str, says: str) -> None:
    (problem,) = faults_of_types(coefficients, covariance, classes)
    assert problem.path == path
    assert says in str(problem)
    with pytest.raises(InvalidInputError) as caught:
        ChoiceModel({"bus": "0"}, coefficients, random_covariance=covariance, classes=classes)
    assert says in str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    classes = {"a": HALF, "b": LatentClass(share=0.4, coefficients={"x": 1})}
    assert len(faults_of_types({"b": Normal(1.0)}, None, classes)) == 3


def test_shares_of_thirds_sum_to_one() -> None:
    assert not faults_of_types({}, None, {name: LatentClass(share=1 / 3) for name in "abc"})
    assert not faults_of_types(
        {}, None, {"a": LatentClass(share=0.7), "b": LatentClass(share=0.2), "c": LatentClass(share=0.1)}
    )


@pytest.mark.parametrize("share", [-0.1, 1.5, float("nan"), "half", True])
def test_a_share_is_a_part(share: Any) -> None:
    with pytest.raises(InvalidInputError, match="must be a number from 0 to 1"):
        LatentClass(share=share)


def test_a_class_is_checked_where_it_is_made() -> None:
    with pytest.raises(InvalidInputError, match="found both"):
        LatentClass(share=0.5, membership="0")
    with pytest.raises(ExpressionError):
        LatentClass(membership="1 +")
    with pytest.raises(InvalidInputError, match=r"coefficient 'b' must be a finite number"):
        LatentClass(share=0.5, coefficients={"b": "0.3"})
    with pytest.raises(InvalidInputError, match=r"found the class Hardmax: add \(\)"):
        LatentClass(share=0.5, rule=Hardmax)  # type: ignore[arg-type]
    assert LatentClass(membership=0).membership == "0"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"classes": [HALF]}, "classes must be a mapping by name"),
        ({"classes": {"a": 0.5}}, "class 'a' must be a LatentClass, found 0.5"),
        ({"random_covariance": np.eye(2)}, "random_covariance must be a RandomCovariance"),
        ({"integration": 64}, "integration must be an Integration, found 64"),
        ({"coefficients": {"b": np.nan}}, "coefficient 'b' must be a finite number"),
    ],
)
def test_a_model_checks_what_it_is_given(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        ChoiceModel({"bus": "0"}, **settings)


@pytest.mark.parametrize("settings", [{"points": 48}, {"points": 0}, {"shifts": 4}, {"points": 64.0}, {"shifts": True}])
def test_integration_needs_powers_of_two_and_eight_shifts(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        Integration(**settings)


PEOPLE = Population(
    agents=[1, 1, 2],
    situations=[1, 2, 1],
    alternatives=["bus", "car"],
    columns={"cost": np.ones((3, 2)), "age": [30.0, 31.0, 50.0], "old": [0.0, 0.0, np.nan], "sex": ["f", "f", "m"]},
)


@pytest.mark.parametrize(
    ("membership", "says"),
    [
        ("agee", "unknown name 'agee', did you mean 'age'?"),
        ("cost", "'cost' differs by alternative"),
        ("age", "the same in all situations of an agent, found 30 and 31 for agent 1"),
        ("log(age - 40)", "must be a finite number, found nan for agent 1"),
        ("sex", "must be numbers, found text"),
    ],
)
def test_memberships_are_checked_on_the_data(membership: str, says: str) -> None:
    classes = {"a": LatentClass(membership=membership), "b": LatentClass(membership="0")}
    (problem,) = ChoiceModel("-cost", classes=classes).check(PEOPLE)
    assert problem.path == "classes.a.membership"
    assert says in str(problem)
    with pytest.raises(DataError, match=r"agent|unknown|differs|text"):
        simulate_choices(ChoiceModel("-cost", classes=classes), PEOPLE, seed=1, replications=1)


def test_a_missing_number_of_a_membership_is_found() -> None:
    classes = {"a": LatentClass(membership="old"), "b": LatentClass(membership="0")}
    (problem,) = ChoiceModel("-cost", classes=classes).check(PEOPLE)
    assert "column 'old': the number is missing (agent 2" in str(problem)


def test_availability_is_the_same_for_all_types() -> None:
    given = model({"b_time": Normal(-0.5, 1)}, availability={"car": "b_time < 0"})
    (problem,) = given.check(commuters(2))
    assert problem.path == "availability.car"
    assert "'b_time' differs among them" in str(problem)


def test_a_random_coefficient_has_no_value_to_change() -> None:
    given = model({"b_time": Normal(-0.5, 1)})
    assert given.with_coefficients({"b_cost": -2.0}).coefficients["b_cost"] == -2.0
    with pytest.raises(InvalidInputError, match="coefficient 'b_time' is random"):
        given.with_coefficients({"b_time": -2.0})


def test_a_model_says_what_it_is() -> None:
    plain, spread = model(), model({"b_time": Normal(-0.5, 1)})
    classes = model(classes={"a": LatentClass(share=1, coefficients={"b_cost": -2}, rule=Softmax(2))})
    assert [each.heterogeneous for each in (plain, spread, classes)] == [False, True, True]
    assert spread.coefficients["b_time"] == -0.5
    assert spread.random_names == ("b_time",)
    assert classes.varying == ("b_cost",)
    assert classes.rules == (Softmax(2),)
    covered = model({"b_cost": Lognormal(0.0)}, random_covariance=RandomCovariance(["b_cost"], [[0.25]]))
    assert covered.random_coefficients["b_cost"] == Lognormal(0.0, 0.5)
    assert covered.coefficients["b_cost"] == pytest.approx(np.exp(0.125))
