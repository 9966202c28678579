"""Policies and new alternatives: what they accept, and how they say what they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from choicekit import ExpressionError, InvalidInputError, NewAlternative, Policy, Softmax
from choicekit.choice.policies.policy import policy_from


def test_an_empty_policy_changes_nothing() -> None:
    policy = Policy()
    mappings = (policy.change, policy.attributes, policy.coefficients, policy.availability, policy.add)
    assert all(not given for given in mappings)
    assert (policy.remove, policy.rule, policy.filter) == ((), None, "")


def test_numbers_are_formulas() -> None:
    policy = Policy(change={"bus": {"cost": 2}}, coefficients={"b": -0.25}, availability={"bus": 0})
    assert policy.change["bus"]["cost"] == "2"
    assert policy.coefficients["b"] == "-0.25"
    assert policy.availability["bus"] == "0"
    assert NewAlternative(utility=0).utility == "0"  # type: ignore[arg-type]


def test_a_new_alternative_may_be_a_mapping() -> None:
    policy = Policy(add={"taxi": {"utility": "-1"}})  # type: ignore[dict-item]
    assert isinstance(policy.add["taxi"], NewAlternative)


def test_what_was_given_cannot_be_changed_later() -> None:
    change = {"bus": {"cost": "2 * cost"}}
    policy = Policy(change=change)
    change["bus"]["cost"] = "3 * cost"
    change["car"] = {}
    assert dict(policy.change) == {"bus": {"cost": "2 * cost"}}
    with pytest.raises(TypeError):
        policy.change["car"] = {}  # type: ignore[index]
    with pytest.raises(TypeError):
        policy.change["bus"]["cost"] = ""  # type: ignore[index]


@pytest.mark.parametrize(
    "settings",
    [
        {"change": {"bus": {"cost": "2 *"}}},
        {"attributes": {"age": "age +"}},
        {"coefficients": {"b": "("}},
        {"availability": {"bus": "age >"}},
        {"filter": "age >"},
        {"add": {"taxi": {"utility": "__import__('os')"}}},
        {"add": {"taxi": {"utility": "0", "availability": "1 +"}}},
        {"add": {"taxi": {"columns_like": "bus", "change": {"cost": "1 +"}}}},
        {"change": {"bus": {"cost": None}}},
    ],
)
def test_a_formula_that_cannot_be_read_shows_where_it_is_written(settings: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError):
        Policy(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"change": "bus"}, "change must be a mapping by name, found 'bus': give some such as"),
        ({"change": {"bus": "2 * cost"}}, "change of 'bus' must be a mapping by name, found '2 [*] cost'"),
        ({"attributes": ["age"]}, "attributes must be a mapping by name"),
        ({"coefficients": 3}, "coefficients must be a mapping by name, found 3"),
        ({"add": {"taxi": "bus"}}, "new alternative 'taxi' must be a mapping by name, found 'bus'"),
        ({"add": {"taxi": {}}}, "a new alternative needs a `utility`, or `columns_like`"),
        ({"add": {"taxi": {"utilty": "0"}}}, "new alternative 'taxi' has an unknown entry 'utilty', did you mean 'ut"),
        ({"remove": "bus"}, r"remove must be a list of alternatives, found 'bus': give \['bus'\]"),
        ({"remove": 3}, "remove must be a list of alternatives, found 3"),
        ({"rule": "softmax"}, "rule must be a rule such as Softmax"),
        ({"rule": Softmax}, "found the class Softmax: add"),
    ],
)
def test_fields_of_another_form_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Policy(**settings)


def test_a_policy_is_made_of_a_mapping_and_names_itself_in_errors() -> None:
    policy = Policy(remove=["bus"])
    assert policy_from("it", policy) is policy
    assert policy_from("it", {"remove": ["bus"]}).remove == ("bus",)
    with pytest.raises(InvalidInputError, match=r"policy 'it' has an unknown entry 'remov', did you mean 'remove'\?"):
        policy_from("it", {"remov": ["bus"]})
    with pytest.raises(InvalidInputError, match="policy 'it' must be a mapping by name, found 3"):
        policy_from("it", 3)  # type: ignore[arg-type]


def test_numbers_of_numpy_are_numbers() -> None:
    given = {"a": np.float64(0.5), "b": np.int64(2), "c": np.float32(0.25)}
    assert dict(Policy(coefficients=given).coefficients) == {"a": "0.5", "b": "2", "c": "0.25"}  # type: ignore[arg-type]
