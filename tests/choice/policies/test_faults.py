"""What is wrong with a policy: every name of the wrong sort, at its place in the policy, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import InvalidInputError, Policy, compare_policies
from choicekit.choice.expressions import parse_expression
from choicekit.choice.policies.applying import apply_policy
from choicekit.choice.policies.faults import PolicyContext, PolicyFault, faults_of
from choicekit.choice.policies.policy import policy_from
from tests.choice.policies.trips import COEFFICIENTS, MODEL, MODES, UTILITIES, trips

BASELINE = PolicyContext(
    alternatives=MODES,
    coefficients=COEFFICIENTS,
    columns=["cost", "time", "age", "home"],
    formulas={name: parse_expression(text) for name, text in UTILITIES.items()},
    by_alternative=["cost", "time"],
)


def faults(**settings: Any) -> list[PolicyFault]:
    return list(faults_of(policy_from("test", settings), BASELINE))


def said(**settings: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return [(fault.path, fault.message) for fault in faults(**settings)]


@pytest.mark.parametrize(
    "settings",
    [
        {"change": {"bus": {"cost": "0.8 * cost", "time": "time - age / 100"}}},
        {"attributes": {"age": "age + 1", "time": "b_time"}},
        {"coefficients": {"b_cost": "2 * b_cost + asc_bus", "b_time": 0}},
        {"availability": {"car": "age > 17 and home == 'farm'"}},
        {"add": {"tram": {"columns_like": "bus", "change": {"cost": "cost / 2"}}}},
        {"add": {"bike": {"utility": "0 - age / 10", "availability": "age < 50"}}},
        {"remove": ["walk", "bus"]},
        {"remove": list(MODES), "add": {"bike": {"utility": "0"}}},
        {"filter": "age > 30"},
    ],
)
def test_a_policy_that_names_what_there_is_has_no_faults(settings: dict[str, Any]) -> None:
    assert faults(**settings) == []


@pytest.mark.parametrize(
    ("settings", "path", "message"),
    [
        ({"change": {"buss": {"cost": "1"}}}, ("change", "buss"), "unknown alternative 'buss'"),
        ({"change": {"bus": {"fare": "1"}}}, ("change", "bus", "fare"), "unknown attribute 'fare'"),
        ({"change": {"bus": {"b_cost": "1"}}}, ("change", "bus", "b_cost"), "'b_cost' is a coefficient"),
        ({"change": {"bus": {"cost": "fare"}}}, ("change", "bus", "cost"), "unknown name 'fare'"),
        ({"attributes": {"fare": "1"}}, ("attributes", "fare"), "unknown attribute 'fare'"),
        ({"attributes": {"age": "fare"}}, ("attributes", "age"), "unknown name 'fare'"),
        ({"coefficients": {"cost": 1}}, ("coefficients", "cost"), "'cost' is a column"),
        ({"coefficients": {"b_fare": 1}}, ("coefficients", "b_fare"), "unknown coefficient 'b_fare'"),
        ({"availability": {"buss": "1"}}, ("availability", "buss"), "unknown alternative 'buss'"),
        ({"availability": {"bus": "fare > 1"}}, ("availability", "bus"), "unknown name 'fare'"),
        ({"add": {"bus": {"utility": "1"}}}, ("add", "bus"), "alternative 'bus' exists already"),
        ({"add": {"tram": {"columns_like": "x"}}}, ("add", "tram", "columns_like"), "unknown alternative 'x'"),
        ({"add": {"tram": {"utility": "fare"}}}, ("add", "tram", "utility"), "unknown name 'fare'"),
        ({"remove": ["bus", "x"]}, ("remove", 1), "unknown alternative 'x'"),
        ({"remove": ["bus", "bus"]}, ("remove", 1), "alternative 'bus' is removed twice"),
        ({"remove": list(MODES)}, ("remove",), "every alternative is removed"),
        ({"filter": "fare > 1"}, ("filter",), "unknown name 'fare'"),
        ({"filter": "cost > 1"}, ("filter",), "'cost' differs by alternative, and a filter sorts agents"),
    ],
)
def test_a_fault_is_found_where_it_is(settings: dict[str, Any], path: tuple[str | int, ...], message: str) -> None:
    assert said(**settings) == [(path, message)]
    (fault,) = faults(**settings)
    assert not fault.warning
    assert str(fault).startswith(".".join(map(str, path)) + ": " + message)


def test_all_faults_are_found_at_once() -> None:
    found = said(
        change={"bus": {"cost": "fare", "b_cost": "1"}, "train": {"cost": "1"}}, remove=["car", "plane"], filter="fare"
    )
    assert [path for path, _ in found] == [
        ("change", "bus", "cost"), ("change", "bus", "b_cost"), ("change", "train"), ("remove", 1), ("filter",),
    ]  # fmt: skip


def test_a_fault_in_a_formula_comes_with_its_place() -> None:
    (fault,) = faults(coefficients={"b_cost": "2 * age"})
    assert fault.error is not None
    assert (fault.error.expression, fault.error.offset) == ("2 * age", 4)
    assert str(fault).endswith("\n    2 * age\n        ^")


def test_an_attribute_that_nothing_uses_is_a_warning_that_names_who_does() -> None:
    (fault,) = faults(change={"walk": {"cost": "1"}})
    assert (fault.path, fault.warning, fault.hint) == (("change", "walk", "cost"), True, "it is used by bus, car")
    (fault,) = faults(attributes={"home": "1"})
    assert (fault.path, fault.warning) == (("attributes", "home"), True)


def test_a_policy_without_a_change_is_a_warning() -> None:
    (fault,) = faults(description="as ever")
    assert (fault.path, fault.warning, str(fault)) == ((), True, "this policy changes nothing")


def test_python_is_told_of_all_faults_of_all_policies() -> None:
    policies = {"a": {"change": {"buss": {"cost": "1"}}, "filter": "fare"}, "b": {"remove": ["train"]}, "c": {}}
    with pytest.raises(InvalidInputError) as caught:
        compare_policies(MODEL, trips(5), policies, seed=1)
    assert [line for line in str(caught.value).split("\n") if line.startswith("policy")] == [
        "policy 'a': change.buss: unknown alternative 'buss', did you mean 'bus'?",
        "policy 'a': filter: unknown name 'fare'",
        "policy 'b': remove.0: unknown alternative 'train', there are walk, bus, car",
    ]


names = st.sampled_from([*MODES, "tram", "cost", "time", "age", "b_cost", "asc_bus", "nothing"])
texts = st.sampled_from(["1", "cost", "0.8 * cost", "b_cost", "b_cost / 0", "nothing", "age > 3", "log(age)"])
mappings = st.dictionaries(names, texts, max_size=2)


@given(
    change=st.dictionaries(names, mappings, max_size=2), attributes=mappings, coefficients=mappings,
    availability=mappings, remove=st.lists(names, max_size=3), condition=st.sampled_from(["", "cost > 1", "age > 30"]),
    add=st.dictionaries(names, st.fixed_dictionaries({"columns_like": names, "change": mappings}), max_size=1),
)  # fmt: skip
def test_a_policy_is_refused_for_its_faults_and_else_makes_a_model(
    change: Any, attributes: Any, coefficients: Any, availability: Any, remove: Any, condition: str, add: Any
) -> None:
    policy = Policy(
        change=change, attributes=attributes, coefficients=coefficients, availability=availability, add=add,
        remove=remove, filter=condition,
    )  # fmt: skip
    people = trips(4)
    if any(not fault.warning for fault in faults_of(policy, BASELINE)):
        with pytest.raises(InvalidInputError, match=r"^policy 'p': "):
            compare_policies(MODEL, people, {"p": policy}, seed=1)
        return
    changed = apply_policy(policy, MODEL, people)
    known = {*changed.coefficients, *people.columns}
    formulas = [*changed.formulas(people).values(), *changed.conditions.values()]
    assert [error for formula in formulas for error in formula.check(known)] == []
    assert set(changed.utilities) == {*MODES, *add}
