"""Applying a policy: the model it makes, formula by formula and cell by cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import ChoiceModel, DataError, Hardmax, InvalidInputError, Policy, Population, ShapeError, Softmax
from choicekit.choice.policies.applying import apply_policy, changed_coefficients, rows_kept
from tests.choice.policies.trips import MODEL, UTILITIES, World, trips, worlds

PEOPLE = trips(12)
COST, TIME, AGE = (PEOPLE.columns[name] for name in ("cost", "time", "age"))


def applied(model: ChoiceModel = MODEL, population: Population = PEOPLE, **settings: Any) -> ChoiceModel:
    return apply_policy(Policy(**settings), model, population)


@given(worlds())
def test_an_empty_policy_keeps_every_bit_of_the_model(world: World) -> None:
    same = apply_policy(Policy(), world.model, world.population)
    np.testing.assert_array_equal(same.utility(world.population), world.model.utility(world.population))
    np.testing.assert_array_equal(same.available(world.population), world.model.available(world.population))
    assert same.alternatives(world.population) == world.model.alternatives(world.population)
    assert (same.rule, same.coefficients) == (world.model.rule, world.model.coefficients)
    assert same.on_no_alternative == world.model.on_no_alternative


def test_a_change_holds_for_its_alternative_only() -> None:
    changed = applied(change={"bus": {"cost": "0.8 * cost"}})
    expected = MODEL.utility(PEOPLE)
    expected[:, 1] = 0.5 - 0.5 * (0.8 * COST[:, 1]) - 0.25 * TIME[:, 1]
    np.testing.assert_array_equal(changed.utility(PEOPLE), expected)


def test_changes_of_one_alternative_are_made_at_once() -> None:
    swapped = applied(change={"bus": {"cost": "time", "time": "cost"}})
    np.testing.assert_array_equal(swapped.utility(PEOPLE)[:, 1], 0.5 - 0.5 * TIME[:, 1] - 0.25 * COST[:, 1])


def test_an_attribute_changes_for_all_and_an_own_change_goes_first() -> None:
    changed = applied(attributes={"time": "2 * time"}, change={"car": {"time": "time + 1"}})
    utility = changed.utility(PEOPLE)
    np.testing.assert_array_equal(utility[:, 0], -0.25 * (2 * TIME[:, 0]))
    np.testing.assert_array_equal(utility[:, 1], 0.5 - 0.5 * COST[:, 1] - 0.25 * (2 * TIME[:, 1]))
    np.testing.assert_array_equal(utility[:, 2], 1 - 0.5 * COST[:, 2] - 0.25 * (TIME[:, 2] + 1) + 0.02 * AGE)


def test_changes_reach_conditions_too() -> None:
    model = replace(MODEL, availability={"car": "age > 18", "bus": "age > 18"})
    changed = applied(model, change={"car": {"age": "age - 15"}})
    assert np.any((AGE > 18) != (AGE - 15 > 18))
    np.testing.assert_array_equal(changed.available(PEOPLE)[:, 2], AGE - 15 > 18)
    np.testing.assert_array_equal(changed.available(PEOPLE)[:, 1], AGE > 18)


def test_one_formula_for_all_alternatives_changes_where_it_is_asked_to() -> None:
    model = ChoiceModel("b * cost", {"b": -1.0})
    changed = applied(model, change={"bus": {"cost": "0"}})
    np.testing.assert_array_equal(changed.utility(PEOPLE), -COST * [1, 0, 1])


def test_a_removed_alternative_keeps_its_place_and_is_available_to_nobody() -> None:
    changed = applied(remove=["bus"])
    assert changed.alternatives(PEOPLE) == ("walk", "bus", "car")
    np.testing.assert_array_equal(changed.available(PEOPLE), np.tile([True, False, True], (12, 1)))


def test_an_availability_stands_in_place_of_the_condition_and_beside_the_data() -> None:
    people = trips(30, restricted=0.4)
    model = replace(MODEL, availability={"car": "age > 18"})
    changed = applied(model, people, availability={"car": "age > 50", "walk": "age < 30"})
    age, given_available = people.columns["age"], people.availability
    assert given_available is not None
    np.testing.assert_array_equal(changed.available(people)[:, 2], given_available[:, 2] & (age > 50))
    np.testing.assert_array_equal(changed.available(people)[:, 0], given_available[:, 0] & (age < 30))
    np.testing.assert_array_equal(changed.available(people)[:, 1], given_available[:, 1])


def test_a_new_alternative_has_the_columns_and_availability_of_the_one_it_is_like() -> None:
    people = trips(30, restricted=0.4)
    assert people.availability is not None
    model = replace(MODEL, availability={"car": "age > 18"})
    changed = applied(model, people, add={"cab": {"columns_like": "car", "change": {"cost": "3 * cost"}}})
    assert changed.alternatives(people) == ("walk", "bus", "car", "cab")
    age = people.columns["age"]
    expected = 1 - 0.5 * (3 * people.columns["cost"][:, 2]) - 0.25 * people.columns["time"][:, 2] + 0.02 * age
    np.testing.assert_array_equal(changed.utility(people)[:, 3], expected)
    np.testing.assert_array_equal(changed.available(people)[:, 3], people.availability[:, 2] & (age > 18))
    np.testing.assert_array_equal(changed.utility(people)[:, :3], model.utility(people))


def test_a_new_alternative_may_have_its_own_utility_and_condition() -> None:
    new = {"utility": "b_cost * cost - 1", "columns_like": "bus", "availability": "age > 40"}
    changed = applied(add={"cab": new})
    np.testing.assert_array_equal(changed.utility(PEOPLE)[:, 3], -0.5 * COST[:, 1] - 1)
    np.testing.assert_array_equal(changed.available(PEOPLE)[:, 3], AGE > 40)


def test_a_new_alternative_like_none_has_attributes_of_agents_and_is_available_to_everybody() -> None:
    people = trips(30, restricted=0.4)
    changed = applied(population=people, add={"stay": {"utility": "0.1 * age"}})
    np.testing.assert_array_equal(changed.utility(people)[:, 3], 0.1 * people.columns["age"])
    assert changed.available(people)[:, 3].all()
    (problem,) = applied(add={"stay": {"utility": "cost"}}).check(PEOPLE)
    assert "'stay' has none of its own" in problem.message
    assert "columns_like" in problem.hint


def test_attributes_change_for_new_alternatives_too() -> None:
    changed = applied(attributes={"age": "age + 1"}, add={"stay": {"utility": "0.5 * age"}})
    np.testing.assert_array_equal(changed.utility(PEOPLE)[:, 3], 0.5 * (AGE + 1))


def test_a_new_alternative_may_be_like_one_that_is_itself_like_another() -> None:
    model = replace(MODEL, utilities={**UTILITIES, "van": "asc_car + 2 * b_cost * cost"}, columns_like={"van": "car"})
    changed = applied(model, add={"limousine": {"columns_like": "van"}})
    np.testing.assert_array_equal(changed.utility(PEOPLE)[:, 4], 1 - 2 * 0.5 * COST[:, 2])
    assert not changed.check(PEOPLE)


def test_coefficients_change_by_formulas_of_the_old_ones() -> None:
    changed = applied(coefficients={"b_cost": "2 * b_cost", "b_time": "b_cost", "asc_bus": 0})
    assert dict(changed.coefficients) == {"asc_bus": 0.0, "asc_car": 1.0, "b_cost": -1.0, "b_time": -0.5}
    np.testing.assert_array_equal(changed.utility(PEOPLE)[:, 1], -COST[:, 1] - 0.5 * TIME[:, 1])


def test_a_coefficient_that_becomes_no_number_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"coefficient 'b' must stay a finite number, but log\(b\) is nan"):
        changed_coefficients(Policy(coefficients={"b": "log(b)"}), {"b": -1.0})


def test_a_rule_takes_the_place_of_the_baselines() -> None:
    assert applied(rule=Hardmax()).rule == Hardmax()
    assert applied(replace(MODEL, rule=Softmax(2.0))).rule == Softmax(2.0)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [("age > 30", AGE > 30), ("home == 'city'", PEOPLE.columns["home"] == "city"), ("age > 100 * asc_bus", AGE > 50)],
)
def test_a_filter_keeps_the_rows_for_which_it_holds(condition: str, kept: np.ndarray) -> None:
    assert 0 < kept.sum() < kept.size
    np.testing.assert_array_equal(rows_kept(Policy(filter=condition), MODEL, PEOPLE), kept)


def test_filters_that_keep_everything_or_nothing_or_sort_no_agents() -> None:
    assert rows_kept(Policy(), MODEL, PEOPLE) is None
    np.testing.assert_array_equal(rows_kept(Policy(filter="1"), MODEL, PEOPLE), np.ones(12, dtype=bool))
    with pytest.raises(InvalidInputError, match="the filter 'age > 200' keeps none of the 12 rows"):
        rows_kept(Policy(filter="age > 200"), MODEL, PEOPLE)
    with pytest.raises(ShapeError, match="a filter needs attributes of agents, but 'cost' differs by alternative"):
        rows_kept(Policy(filter="cost > 1"), MODEL, PEOPLE)


def test_a_filter_needs_its_numbers_and_rows_that_count() -> None:
    people = Population(agents=[4, 7, 9], columns={"x": [1.0, np.nan, 3.0], "y": [1, 2, 3]}, weights=[0.0, 1.0, 1.0])
    with pytest.raises(DataError, match=r"column 'x': the number is missing \(agent 7\), fill it in"):
        rows_kept(Policy(filter="x > 1"), ChoiceModel({"a": "0"}), people)
    with pytest.raises(InvalidInputError, match="the filter 'y < 2' keeps no row whose weight is above 0"):
        rows_kept(Policy(filter="y < 2"), ChoiceModel({"a": "0"}), people)


@given(st.dictionaries(st.sampled_from(list(MODEL.coefficients)), st.floats(-5, 5), max_size=4))
def test_other_coefficients_are_those_of_a_model_built_with_them(values: dict[str, float]) -> None:
    built = replace(MODEL, coefficients={**MODEL.coefficients, **values})
    changed = MODEL.with_coefficients(values)
    assert changed.coefficients == built.coefficients
    np.testing.assert_array_equal(changed.utility(PEOPLE), built.utility(PEOPLE))
    assert dict(MODEL.coefficients) == {"asc_bus": 0.5, "asc_car": 1.0, "b_cost": -0.5, "b_time": -0.25}


def test_other_coefficients_must_be_those_of_the_model_and_numbers() -> None:
    with pytest.raises(InvalidInputError, match=r"unknown coefficient 'b_cots', did you mean 'b_cost'\?"):
        MODEL.with_coefficients({"b_cots": 1.0})
    with pytest.raises(InvalidInputError, match="coefficient 'b_cost' must be a finite number, found nan"):
        MODEL.with_coefficients({"b_cost": np.nan})
