"""Plans: what they take, what they refuse, and what they mean by a name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from choicekit import InvalidInputError, Softmax
from choicekit.rules.nested_logit import NestedLogit
from choicekit.rules.nests import Nest
from choicekit.tour import STATIONS, TourPlan
from choicekit.tour.plan import DEFAULT_UTILITIES


def test_a_plan_by_default_is_the_whole_story_with_the_published_rows() -> None:
    plan = TourPlan(seed=1)
    assert tuple(plan.stations) == STATIONS
    assert set(DEFAULT_UTILITIES) == set(STATIONS) - {"surfaces"}
    np.testing.assert_array_equal(plan.row("temperature"), [1, 2, 3, 5, 5])
    assert plan.alternatives("temperature") == ("1", "2", "3", "4", "5")
    assert plan.alternatives("rules") == ("air", "train", "bus", "car")


@pytest.mark.parametrize(("improved", "place"), [("b", 1), (0, 0), (2, 2)])
def test_the_improved_alternative_by_name_or_position(improved: int | str, place: int) -> None:
    plan = TourPlan(seed=1, utilities={"two-samplings": {"a": 1, "b": 2, "c": 3}}, improved=improved)
    assert plan.improved_position() == place


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"stations": ["argmax", "enrgy"]}, r"^unknown station 'enrgy', did you mean 'energy'\?$"),
        ({"stations": []}, r"^stations must be at least one, each named once, found \[\]$"),
        ({"stations": ["energy", "energy"]}, r"^stations must be at least one, each named once, found \['energy', 'en"),
        ({"utilities": {"argmx": [1, 2]}}, r"^unknown station 'argmx', did you mean 'argmax'\?$"),
        ({"utilities": {"surfaces": [1, 2]}}, r"^station 'surfaces' has no utilities to set: leave them out$"),
        ({"utilities": {"argmax": [1]}}, r"^utilities of 'argmax' must be a row of 2 to 20 numbers, found 1$"),
        ({"utilities": {"argmax": [1] * 21}}, r"^utilities of 'argmax' must be a row of 2 to 20 numbers, found 21$"),
        ({"utilities": {"argmax": [1, np.nan]}}, r"^utilities of 'argmax' must be numbers of size at most 1,000"),
        ({"utilities": {"argmax": [1, -1001]}}, r"^utilities of 'argmax' must be numbers of size at most 1,000"),
        ({"temperatures": [1, 0]}, r"^temperatures must be above 0 and finite, found \[1, 0\]$"),
        ({"temperatures": []}, r"^temperatures must be above 0 and finite, found \[\]$"),
        ({"relaxation_temperatures": [np.inf]}, r"^relaxation_temperatures must be above 0 and finite, found \[inf\]$"),
        ({"lift": 0}, r"^lift must be above 0 and finite, found \[0\]$"),
        ({"shift": 0}, r"^shift must be a finite number other than 0, found 0$"),
        ({"shift": np.nan}, r"^shift must be a finite number other than 0, found nan$"),
        ({"draws": [1000, 100]}, r"^draws must rise from at least 100 to at most 100,000,000, found \[1000, 100\]$"),
        ({"draws": [10, 100]}, r"^draws must rise from at least 100"),
        ({"draws": []}, r"^draws must rise from at least 100"),
        ({"draws": [100, 10**9]}, r"^draws must rise from at least 100"),
        ({"replications": 1}, r"^replications must be at least 2, found 1$"),
        ({"agents": 99}, r"^agents must be at least 100, found 99$"),
        ({"samples": 0}, r"^samples must be at least 1, found 0$"),
        ({"improved": "truck"}, r"^improved must be one of air, train, bus, car, or a position from 0, found 'truck'$"),
        ({"improved": 4}, r"^improved must be one of air, train, bus, car, or a position from 0, found 4$"),
        ({"improved": True}, r"^improved must be one of air, train, bus, car, or a position from 0, found True$"),
        ({"rules": [Softmax]}, r"^rules must be rules such as Softmax\(\), found <class"),
        ({"rules": [Softmax(1.0), Softmax()]}, r"^rules must differ, found Softmax\(temperature=1.0\) twice: leave"),
        ({"rules": [NestedLogit({"rail": Nest(["tram"])})]}, r"tram"),
        ({"seed": -1}, r"^seed must be a whole number"),
    ],
)  # fmt: skip
def test_what_a_plan_refuses(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        TourPlan(**{"seed": 1, **settings})
