"""Cells that a condition on agents needs: a missing one leaves nobody out without a word."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from choicekit.choice.checking import condition_problems
from choicekit.choice.expressions import parse_expression
from choicekit.choice.population import Population


def said(condition: str, population: Population, *coefficients: str) -> list[str]:
    return [str(problem) for problem in condition_problems(parse_expression(condition), population, coefficients)]


def people(**columns) -> Population:
    frame = pd.DataFrame({"id": range(1, 10), **columns})
    return Population.from_frame(frame, agent="id")


AGES = [17, np.nan, 40, np.inf, 30, 31, 32, 33, 34]


def test_missing_numbers_are_named_with_their_row():
    assert said("age > 18", people(age=AGES)) == [
        "row 2: column 'age': the number is missing (agent 2), fill it in",
        "row 4: column 'age': 'inf' is not a finite number (agent 4)",
    ]


def test_texts_among_numbers_are_named():
    ages = ["17", "old", "NA", *"456789"]
    assert said("not age < 5 or age > `x`", people(age=ages, x=1.0), "x") == [
        "row 2: column 'age': 'old' is not a finite number (agent 2)",
        "row 3: column 'age': 'NA' is not a finite number (agent 3)",
    ]


def test_a_few_stand_for_many():
    found = said("age > 18", people(age=[np.nan] * 8 + [20.0]))
    assert len(found) == 5
    assert found[-1] == "row 5: column 'age': the number is missing (agent 5), fill it in (and 3 more like it)"


@pytest.mark.parametrize("condition", ["home == 'city'", "home in ['city', 'farm']", "home > 3", "age > 18", "b > 0"])
def test_what_needs_no_number_or_has_them_all_is_in_order(condition):
    assert said(condition, people(home=["city", None, *["farm"] * 7], age=np.arange(9.0)), "b") == []


def test_a_name_of_a_coefficient_is_no_column():
    assert said("age > 18", people(age=AGES), "age") == []


def test_what_differs_by_alternative_is_the_fault_of_the_condition():
    population = Population(agents=[1], alternatives=["a", "b"], columns={"cost": np.full((1, 2), np.nan)})
    assert said("cost > 1", population) == []
