"""Constants of models made of types meet integrated shares."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    Hardmax,
    Integration,
    InvalidInputError,
    LatentClass,
    Normal,
    Softmax,
    calibrate_constants,
    simulate_choices,
)
from tests.choice.heterogeneity.commuters import UTILITIES, commuters
from tests.tolerances import assert_monte_carlo, assert_within_solver_tolerance

WANTED = {"bus": 0.5, "car": 0.3, "walk": 0.2}
FORMULAS = {**UTILITIES, "car": UTILITIES["car"] + " + asc_car"}
GIVEN = {"asc_bus": 0.0, "asc_car": 0.0, "b_cost": -0.8, "b_time": Normal(-0.5, 0.8)}
CLASSES = {
    "careful": LatentClass(share=0.3, coefficients={"b_cost": -2.0}),
    "hasty": LatentClass(share=0.7, rule=Softmax(0.5)),
}
MODEL = ChoiceModel(FORMULAS, GIVEN, classes=CLASSES, integration=Integration(points=8))


@pytest.mark.parametrize("by", [None, "half"])
def test_expected_shares_meet_the_targets(by: str | None) -> None:
    people = commuters(60, weighted=True)
    people = people.with_columns({"half": np.array(["a", "b"], dtype=object)[np.arange(60) % 2]})
    wanted = WANTED if by is None else {"a": WANTED, "b": {"bus": 0.2, "car": 0.6, "walk": 0.2}}
    found = calibrate_constants(MODEL, people, wanted, by=by, seed=7)
    outcome = simulate_choices(found.model, found.population, seed=7, replications=1, segments=["half"])
    shares = outcome.expected_by_group()
    assert_within_solver_tolerance(shares[0 if by is None else 1] - list(WANTED.values()), 1e-12)
    if by is not None:
        assert_within_solver_tolerance(shares[2] - [0.2, 0.6, 0.2], 1e-12)
    other = simulate_choices(found.model, found.population, seed=8, replications=1, segments=["half"])
    error = np.hypot(outcome.integration_error_by_group(), other.integration_error_by_group())
    assert_monte_carlo(other.expected_by_group(), shares, error)


def test_a_constant_is_one_number_for_all() -> None:
    people = commuters(10)
    random = ChoiceModel(FORMULAS, {**GIVEN, "asc_bus": Normal(0.0, 1.0)})
    with pytest.raises(InvalidInputError, match="'asc_bus' is random or differs by class"):
        calibrate_constants(random, people, WANTED, constants={"bus": "asc_bus", "car": "asc_car"})
    with pytest.raises(InvalidInputError, match="a constant of its own is missing in the utilities of 'bus', 'walk'"):
        calibrate_constants(random, people, WANTED)


def test_a_class_whose_choices_jump_is_refused() -> None:
    classes = {"soft": LatentClass(share=0.9), "hard": LatentClass(share=0.1, rule=Hardmax())}
    with pytest.raises(InvalidInputError, match=r"positive temperature, found Hardmax\(\)"):
        calibrate_constants(ChoiceModel(FORMULAS, GIVEN, classes=classes), commuters(5), WANTED)
