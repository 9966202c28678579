"""Choice models: utilities, availability, and everything that keeps a model from being simulated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from choicekit import (
    ChoiceModel,
    DataError,
    ExpressionError,
    InvalidInputError,
    Population,
    Softmax,
    simulate_choices,
)
from choicekit.choice import checking
from choicekit.errors import Problem

PEOPLE = Population(
    agents=["ann", "bo", "cy"],
    alternatives=("bus", "car"),
    columns={
        "age": [30.0, 40.0, 50.0],
        "cost": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]],
        "home": np.array(["city", "farm", "city"], dtype=object),
        "work": np.array(["city", "city", "farm"], dtype=object),
        "licence": np.array([True, False, True]),
    },
)


def problems(model: ChoiceModel, people: Population = PEOPLE) -> list[Problem]:
    return model.check(people)


def messages(model: ChoiceModel, people: Population = PEOPLE) -> list[str]:
    return [str(problem) for problem in problems(model, people)]


# --- utilities and availability -------------------------------------------------------------------------------------


def test_a_column_of_alternatives_is_read_at_the_alternative_of_the_formula() -> None:
    model = ChoiceModel({"car": "b * cost", "bus": "cost + age"}, {"b": -1.0})
    assert model.alternatives(PEOPLE) == ("car", "bus")
    assert model.utility(PEOPLE).tolist() == [[-2, 31], [-4, 43], [-6, 55]]
    assert model.utility(PEOPLE, slice(1, 2)).tolist() == [[-4, 43]]


def test_one_formula_holds_for_every_alternative_of_the_population() -> None:
    model = ChoiceModel("-cost", availability={"car": "licence"})
    assert model.utility(PEOPLE).tolist() == [[-1, -2], [-3, -4], [-5, -6]]
    assert model.available(PEOPLE).tolist() == [[True, True], [True, False], [True, True]]


def test_one_formula_needs_named_alternatives() -> None:
    with pytest.raises(InvalidInputError, match="needs a population that names its alternatives"):
        ChoiceModel("age").utility(Population(agents=[1], columns={"age": [3.0]}))


def test_availability_is_that_of_the_data_and_the_condition() -> None:
    people = Population(
        agents=[1, 2, 3],
        alternatives=("bus", "car"),
        availability=np.array([[True, True], [True, False], [False, True]]),
        columns={"age": [10.0, 20.0, 30.0]},
    )
    model = ChoiceModel({"car": "0", "bus": "0"}, availability={"car": "age >= 18"})
    assert model.available(people).tolist() == [[False, True], [False, True], [True, False]]


def test_a_condition_that_is_a_number_holds_unless_it_is_0() -> None:
    model = ChoiceModel({"bus": "0", "car": "0"}, availability={"car": "age - 30"})
    assert model.available(PEOPLE)[:, 1].tolist() == [False, True, True]


def test_a_model_may_leave_out_alternatives_of_the_population() -> None:
    assert ChoiceModel({"car": "cost"}).utility(PEOPLE).tolist() == [[2], [4], [6]]


def test_formulas_may_be_numbers() -> None:
    assert ChoiceModel({"bus": 1, "car": 2.5}).utility(PEOPLE)[0].tolist() == [1, 2.5]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"utilities": {}}, InvalidInputError, "at least one alternative"),
        ({"utilities": {"bus": "1 +"}}, ExpressionError, "a value is missing after"),
        ({"utilities": {"bus": "1"}, "availability": {"bus": ")"}}, ExpressionError, "was never opened"),
        ({"utilities": {"bus": "1"}, "availability": {"buss": "1"}}, InvalidInputError, "did you mean 'bus'"),
        ({"utilities": {"bus": "1"}, "coefficients": {"b": "half"}}, InvalidInputError, "must be a finite number"),
        ({"utilities": {"bus": "1"}, "coefficients": {"b": True}}, InvalidInputError, "must be a finite number"),
        ({"utilities": {"bus": "1"}, "coefficients": {"b": np.nan}}, InvalidInputError, "must be a finite number"),
        ({"utilities": {"bus": "1"}, "on_no_alternative": "cry"}, InvalidInputError, "error, skip or outside"),
        ({"utilities": {"bus": "1"}, "on_no_alternative": ["skip"]}, InvalidInputError, "error, skip or outside"),
        ({"utilities": {"bus": "1"}, "coefficients": {"b": 10**400}}, InvalidInputError, "number beyond 1.8e308"),
        ({"utilities": {"bus": "1"}, "coefficients": {"b": 10**9999}}, InvalidInputError, "number beyond 1.8e308"),
        ({"utilities": {"bus": "1"}, "coefficients": {"b": np.complex128(1)}}, InvalidInputError, "a finite number"),
        ({"utilities": {"bus": "1"}, "coefficients": [1.0]}, InvalidInputError, "coefficients must be a mapping"),
        ({"utilities": {"bus": "1"}, "availability": "1"}, InvalidInputError, "availability must be a mapping"),
        ({"utilities": None}, InvalidInputError, "utilities must be a mapping by name, found None: give a formula"),
        ({"utilities": ["0", "1"]}, InvalidInputError, "utilities must be a mapping"),
        ({"utilities": {"bus": "1"}, "rule": "softmax"}, InvalidInputError, "rule must be a rule such as"),
        ({"utilities": {"bus": "1"}, "rule": Softmax}, InvalidInputError, "found the class Softmax"),
    ],
)
def test_a_model_validates_itself(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        ChoiceModel(**arguments)


# --- check ----------------------------------------------------------------------------------------------------------


def test_a_good_model_has_no_problems() -> None:
    assert problems(ChoiceModel({"bus": "b * cost", "car": "where(home == 'city', cost, age)"}, {"b": -1.0})) == []


def test_every_unknown_name_is_reported_at_once_with_its_place() -> None:
    model = ChoiceModel(
        {"bus": "coost + b2", "ship": "1"}, {"age": 1.0, "b": 2.0}, availability={"ship": "licens"}
    )  # fmt: skip
    assert [(problem.path, str(problem).split("\n")[0]) for problem in problems(model)] == [
        ("utility.ship", "unknown alternative 'ship', there are bus, car"),
        ("coefficients.age", "'age' is both a column and a coefficient, rename one"),
        ("utility.bus", "unknown name 'coost', did you mean 'cost'?"),
        ("utility.bus", "unknown name 'b2', did you mean 'b'?"),
        ("availability.ship", "unknown name 'licens', did you mean 'licence'?"),
    ]
    assert problems(model)[3].excerpt == ("coost + b2", "        ^")


def test_a_condition_for_an_unknown_alternative_is_a_problem_also_with_one_formula() -> None:
    found = problems(ChoiceModel("cost", availability={"ship": "1"}))
    assert [(problem.path, problem.message) for problem in found] == [
        ("availability.ship", "unknown alternative 'ship'")
    ]


def test_the_outside_option_is_no_name_for_an_alternative() -> None:
    model = ChoiceModel({"outside_option": "1"}, on_no_alternative="outside")
    people = Population(agents=[1])
    assert [problem.path for problem in problems(model, people)] == ["utility.outside_option"]
    assert problems(ChoiceModel({"outside_option": "1"}), people) == []


def test_every_bad_cell_is_reported_with_agent_and_alternative() -> None:
    cost = np.array([[1.0, np.nan], [np.inf, 4.0], [5.0, 6.0]])
    found = messages(ChoiceModel({"bus": "cost", "car": "cost"}), PEOPLE.with_columns({"cost": cost}))
    assert found == [
        "column 'cost': the number is missing (agent ann, alternative car), "
        "fill it in, or make the alternative unavailable there",
        "column 'cost': 'inf' is not a finite number (agent bo, alternative bus)",
    ]


def test_a_missing_number_is_fine_where_it_is_not_needed() -> None:
    cost = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])
    people = PEOPLE.with_columns({"cost": cost})
    model = ChoiceModel({"bus": "cost", "car": "cost"}, availability={"car": "licence"})
    assert problems(model, people) == []
    assert problems(ChoiceModel({"bus": "cost", "car": "age"}), people) == []
    assert np.isfinite(simulate_choices(model, people, seed=1, replications=2).expected_shares).all()


def test_a_missing_number_in_a_condition_is_needed_by_everybody() -> None:
    people = PEOPLE.with_columns({"age": [30.0, np.nan, 50.0]})
    model = ChoiceModel({"bus": "0", "car": "0"}, availability={"bus": "0", "car": "age > 18"})
    assert messages(model, people) == [
        "column 'age': the number is missing (agent bo), fill it in, or make the alternative unavailable there"
    ]


def test_more_than_five_bad_cells_of_a_column_are_counted() -> None:
    people = Population(agents=np.arange(9), columns={"x": np.full(9, np.nan)})
    found = messages(ChoiceModel({"a": "x"}), people)
    assert len(found) == 5
    assert found[-1].endswith("unavailable there (and 4 more like it)")
    assert DataError(problems(ChoiceModel({"a": "x"}), people)).count == 9


def test_everybody_with_nothing_available_is_counted() -> None:
    people = Population(agents=np.arange(9_000), columns={"x": np.zeros(9_000)})
    found = problems(ChoiceModel({"a": "x"}, availability={"a": "x > 0"}), people)
    assert len(found) == 5
    assert DataError(found).count == 9_000
    assert str(found[-1]).startswith("agent 4 has nothing available, ")
    assert str(found[-1]).endswith("or check availability (and 8995 more like it)")


def test_a_cell_of_a_stacked_attribute_is_named_by_its_own_column() -> None:
    frame = pd.DataFrame({"fare_bus": [1.0, 2.0], "fare_car": [3.0, np.nan]})
    people = Population.from_frame(
        frame, alternatives=["bus", "car"], attributes={"fare": {"bus": "fare_bus", "car": "fare_car"}}
    )
    assert messages(ChoiceModel("fare"), people) == [
        "row 2: column 'fare_car': the number is missing (agent 1), "
        "fill it in, or make the alternative unavailable there"
    ]


# --- text and numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "formula", ["home == 'city'", "home != 'city'", "home in ['city', 'farm']", "home == work", "home != work"]
)
def test_text_may_be_compared_with_text(formula: str) -> None:
    model = ChoiceModel({"bus": formula, "car": "0"}, availability={"car": formula})
    assert problems(model) == []
    assert set(np.unique(model.utility(PEOPLE))) <= {0.0, 1.0}


@pytest.mark.parametrize("formula", ["home", "home + 1", "min(home, 3)", "home == 3", "where(home, 1, 2)", "home < 1"])
def test_text_where_a_number_is_needed_is_a_problem_of_the_formula(formula: str) -> None:
    expected = (
        "column 'home' must hold numbers here, found only text such as 'city', "
        f"text can only be compared with text, by == or in\n    {formula}\n    {' ' * formula.index('home')}^"
    )
    for path, model in {
        "utility.bus": ChoiceModel({"bus": formula, "car": "0"}),
        "availability.car": ChoiceModel({"bus": "0", "car": "0"}, availability={"car": formula}),
    }.items():
        (problem,) = problems(model)
        assert (str(problem), problem.path, problem.offset) == (expected, path, formula.index("home"))


def test_a_formula_says_once_that_a_column_is_text() -> None:
    people = PEOPLE.with_columns({"work": [1.0, 2.0, 3.0]})
    (problem,) = problems(ChoiceModel({"bus": "min(home, 1) + work * home", "car": "0"}), people)
    assert problem.offset == 4


def test_text_with_some_missing_cells_is_still_text() -> None:
    people = PEOPLE.with_columns({"home": np.array(["", "farm", "city"], dtype=object)})
    assert len(problems(ChoiceModel({"bus": "home", "car": "0"}), people)) == 1
    assert problems(ChoiceModel({"bus": "home == 'farm'", "car": "0"}), people) == []


def test_one_word_among_numbers_is_a_bad_cell() -> None:
    people = PEOPLE.with_columns({"age": np.array(["30", "forty", "50"], dtype=object)})
    assert messages(ChoiceModel({"bus": "age", "car": "0"}), people) == [
        "column 'age': 'forty' is not a finite number (agent bo)"
    ]


@pytest.mark.parametrize("where", ["utility", "availability"])
def test_numbers_compared_with_text_are_a_problem_of_the_formula(where: str) -> None:
    formula = {"car": "age == 'x'"}
    model = ChoiceModel(
        {"bus": "0", "car": "0"} | (formula if where == "utility" else {}),
        availability=formula if where == "availability" else {},
    )
    found = problems(model)
    assert [problem.path for problem in found] == [f"{where}.car"]
    assert str(found[0]) == (
        "'age' holds numbers and cannot be compared with text, write the number without quotes\n"
        "    age == 'x'\n    ^"
    )  # fmt: skip
    with pytest.raises(DataError, match="cannot be compared with text"):
        simulate_choices(model, PEOPLE, seed=1)


# --- utilities that are no numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "found"),
    [("log(-age)", "nan"), ("1 / (age - 30)", "inf"), ("exp(age * 100)", "inf"), ("age ** 999", "inf")],
)
def test_a_utility_of_nan_or_infinity_is_reported_once_an_alternative(formula: str, found: str) -> None:
    expected = (
        f"utility must be a number below infinity, found {found} for agent ann, alternative bus, "
        f"look for a logarithm or root of a negative number, a division by 0, an overflow\n    {formula}"
    )
    assert messages(ChoiceModel({"bus": formula, "car": "0"})) == [expected]
    assert problems(ChoiceModel({"bus": formula, "car": "0"}))[0].path == "utility.bus"


def test_a_utility_of_nan_is_fine_where_unavailable() -> None:
    model = ChoiceModel({"bus": "log(age - 40)", "car": "0"}, availability={"bus": "age > 40"})
    assert problems(model) == []
    assert np.isfinite(simulate_choices(model, PEOPLE, seed=1, replications=2).inclusive_value)


def test_a_utility_of_minus_infinity_means_unavailable() -> None:
    model = ChoiceModel({"bus": "log(age - 30)", "car": "0"})
    assert problems(model) == []
    assert problems(ChoiceModel({"bus": "log(age - 30)"}, on_no_alternative="error"))[0].message == (
        "agent ann has nothing available"
    )


def test_rows_with_nothing_available_are_reported_the_first_five() -> None:
    people = Population(agents=np.arange(9), situations=np.arange(9) + 100)
    model = ChoiceModel({"a": "1"}, availability={"a": "0"})
    found = problems(model, people)
    assert len(found) == 5
    assert str(found[0]) == (
        "agent 0 in situation 100 has nothing available, "
        "set on_no_alternative to 'skip' or 'outside', or check availability"
    )
    assert problems(ChoiceModel({"a": "1"}, availability={"a": "0"}, on_no_alternative="skip"), people) == []


def test_problems_beyond_the_first_block_are_found() -> None:
    x = np.zeros(20_000)
    x[19_999] = -1
    found = problems(ChoiceModel({"a": "sqrt(x)"}), Population(agents=np.arange(20_000), columns={"x": x}))
    assert "agent 19999" in found[0].message


def test_an_alternative_that_the_population_lacks_has_no_utility() -> None:
    with pytest.raises(InvalidInputError, match="unknown alternative 'ship', there are bus, car"):
        ChoiceModel({"ship": "cost"}).utility(PEOPLE)
    there = Population(agents=[1], alternatives=("bus",), availability=[[True]])
    with pytest.raises(InvalidInputError, match="unknown alternative 'ship', there are bus"):
        ChoiceModel({"ship": "1"}).available(there)


def test_only_nothing_available_carries_its_code() -> None:
    idle = ChoiceModel({"bus": "0"}, availability={"bus": "licence"})
    assert [problem.code for problem in problems(idle)] == ["nothing_available"]
    assert [problem.code for problem in problems(ChoiceModel({"bus": "log(-age)"}))] == [""]


def test_a_mark_of_pandas_is_a_missing_number() -> None:
    people = Population(agents=[1, 2], columns={"x": np.array([1.5, pd.NA], dtype=object)})
    assert messages(ChoiceModel({"a": "x"}), people) == [
        "column 'x': the number is missing (agent 2), fill it in, or make the alternative unavailable there"
    ]


def test_the_first_bad_row_of_each_alternative_is_reported_in_order_of_rows() -> None:
    people = Population(agents=[1, 2, 3], columns={"x": [1.0, -1.0, -1.0], "y": [-1.0, -1.0, 1.0]})
    found = messages(ChoiceModel({"a": "sqrt(x)", "b": "sqrt(y)"}), people)
    assert [message.split(", ")[1] for message in found] == [
        "found nan for agent 1",
        "found nan for agent 2",
    ]


def test_a_column_of_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []

    def counted(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sizes.append(len(texts))
        return read(texts)

    read = checking.number_of_each
    monkeypatch.setattr(checking, "number_of_each", counted)
    conditions = {"bus": "home == work", "car": "work == home"}
    assert problems(ChoiceModel({"bus": "home == work", "car": "home != work"}, availability=conditions)) != []
    assert sizes == [3, 3]
