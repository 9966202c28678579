"""Cases: what rows face on the common axis, and rows that do not choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given

from choicekit import Policy
from choicekit.choice.policies.building import build_comparison
from tests.choice.policies.trips import MODEL, World, trips, worlds


@given(worlds())
def test_rows_that_do_not_choose_count_for_nothing(world: World) -> None:
    policies = {"cab": Policy(add={"cab": {"columns_like": "car"}}, filter="age > 4"), "gone": Policy(remove=["bus"])}  # type: ignore[dict-item]
    model = replace(world.model, on_no_alternative="skip")
    study = build_comparison(model, world.population, policies, **{**world.settings, "bootstrap": 0})
    for case in study.cases:
        faced = case.rows(slice(None))
        available = case.model.available(world.population).any(axis=1)
        np.testing.assert_array_equal(faced.chooses, available)
        for values in (faced.probabilities, faced.value, faced.utility):
            assert not values[~available].any()
        np.testing.assert_allclose(faced.probabilities[available].sum(axis=1), 1, rtol=1e-12)


def test_a_case_has_its_alternatives_in_their_places() -> None:
    people = trips(6)
    policies = {
        "old cab": Policy(add={"cab": {"columns_like": "car"}}, filter="age > 30"),  # type: ignore[dict-item]
        "boat": Policy(add={"boat": {"utility": "1"}}, remove=["bus"]),  # type: ignore[dict-item]
    }
    model = replace(MODEL, on_no_alternative="outside")
    study = build_comparison(model, people, policies, seed=1, replications=1, sampling="auto")
    assert study.alternatives == ("walk", "bus", "car", "cab", "boat", "outside_option")
    utility = MODEL.utility(people)
    nothing = np.full(6, -np.inf)
    kept = people.columns["age"] > 30
    for case, columns in zip(
        study.cases,
        [
            [*utility.T, nothing, nothing, nothing],
            [*utility.T, utility[:, 2], nothing, nothing],
            [utility[:, 0], nothing, utility[:, 2], nothing, np.ones(6), nothing],
        ],
        strict=True,
    ):
        faced = case.rows(slice(None))
        rows = kept if case.name == "old cab" else np.ones(6, dtype=bool)
        np.testing.assert_array_equal(faced.chooses, rows)
        np.testing.assert_array_equal(faced.utility[rows], np.column_stack(columns)[rows])
        assert study.offered(study.cases.index(case))[1] == (case.name != "boat")
