"""Policies change what they say and nothing else, in a fixed order, and refuse what cannot be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from choicekit.assignment import AtMost, Free, Relaxed, WithOutsideOption
from choicekit.assignment.policies import AssignmentPolicy, MassMove, NewPlace, ScaledMass, UtilityShift
from choicekit.errors import InfeasibleMassError, InvalidInputError, ShapeError
from tests.assignment.markets import CONDITIONS, market

INF = float("inf")
NEW_ROW = NewPlace(name="r4", utility=[1.0, 2.0, 3.0], mass=0.5)
NEW_COLUMN = NewPlace(name="c3", utility={"r3": 3.0, "r2": 2.0, "r1": 1.0, "r0": 0.0}, mass=0.5)


@pytest.mark.parametrize(
    ("shift", "cells"),
    [
        (UtilityShift(amount=0.5), np.s_[:, :]),
        (UtilityShift(amount=-0.5, row="r1"), np.s_[1, :]),
        (UtilityShift(amount=0.5, column="c2"), np.s_[:, 2]),
        (UtilityShift(amount=-INF, row="r0", column="c1"), np.s_[0, 1]),
    ],
)
def test_a_shift_is_added_to_its_pairs_and_to_no_others(shift: UtilityShift, cells: Any) -> None:
    problem = market("relaxed", "at_most")
    expected = problem.utility.copy()
    expected[cells] += shift.amount
    found = AssignmentPolicy(utility_shifts=[shift]).apply(problem)
    np.testing.assert_array_equal(found.utility, expected)
    assert found.rows is problem.rows
    assert found.columns is problem.columns
    assert (found.row_names, found.temperature) == (problem.row_names, problem.temperature)


def test_shifts_of_one_pair_add_up() -> None:
    shifts = [UtilityShift(amount=1.0), UtilityShift(amount=2.0, row="r1"), UtilityShift(amount=4.0, column="c1")]
    found = AssignmentPolicy(utility_shifts=shifts).apply(market())
    np.testing.assert_allclose((found.utility - market().utility)[1], [3.0, 7.0, 3.0])


@pytest.mark.parametrize("kind", [kind for kind in CONDITIONS if kind != "free"])
def test_masses_are_set_scaled_and_moved_under_the_same_condition(kind: str) -> None:
    problem = market("free", kind)
    policy = AssignmentPolicy(
        column_mass={"c0": 2.0, "c1": ScaledMass(factor=0.5)},
        move_column_mass=[MassMove(amount=0.25, source="c0", target="c2")],
    )
    found, old = policy.apply(problem).columns, problem.columns.mass
    np.testing.assert_allclose(found.mass, [1.75, 0.5 * old[1], old[2] + 0.25])
    assert type(found) is type(problem.columns)
    if isinstance(found, Relaxed):
        assert found.strength == 0.7


def test_moves_come_one_after_another() -> None:
    moves = [MassMove(amount=0.1, source="r0", target="r1"), MassMove(amount=0.6, source="r1", target="r2")]
    problem = replace(market("relaxed"), rows=Relaxed([0.1, 0.5, 0.0, 1.0], 1.0))
    found = AssignmentPolicy(move_row_mass=moves).apply(problem)
    np.testing.assert_allclose(found.rows.mass, [0.0, 0.0, 0.6, 1.0], atol=1e-15)


def test_new_places_come_first_so_that_everything_else_can_name_them() -> None:
    policy = AssignmentPolicy(
        new_rows=[NEW_ROW],
        new_columns=[NewPlace(name="c3", utility=[0.0, 1.0, 2.0, 3.0, 4.0], mass=1.0)],
        column_mass={"c3": 3.0},
        move_row_mass=[MassMove(amount=0.25, source="r4", target="r0")],
        utility_shifts=[UtilityShift(amount=10.0, row="r4"), UtilityShift(amount=100.0)],
    )
    problem = market("relaxed", "at_most")
    found = policy.apply(problem)
    assert found.row_names == (*problem.row_names, "r4")
    assert found.column_names == (*problem.column_names, "c3")
    np.testing.assert_array_equal(found.utility[4], [111.0, 112.0, 113.0, 114.0])
    np.testing.assert_array_equal(found.utility[:4, 3], [100.0, 101.0, 102.0, 103.0])
    np.testing.assert_allclose(found.utility[:4, :3], problem.utility + 100.0)
    assert found.columns.mass[3] == 3.0
    assert found.rows.mass[4] == 0.25
    assert isinstance(found.columns, AtMost)


def test_a_new_place_takes_its_utilities_by_name() -> None:
    found = AssignmentPolicy(new_columns=[NEW_COLUMN]).apply(market("fixed", "relaxed"))
    np.testing.assert_array_equal(found.utility[:, 3], [0.0, 1.0, 2.0, 3.0])


def test_a_free_side_grows_without_a_mass() -> None:
    found = AssignmentPolicy(new_columns=[replace(NEW_COLUMN, mass=None)]).apply(market("fixed", "free"))
    assert found.shape == (4, 4)
    assert isinstance(found.columns, Free)


def test_outside_options_on_both_sides_keep_their_weight() -> None:
    found = AssignmentPolicy(row_mass={"r0": 3.0}, temperature=2.0).apply(market("outside", "outside"))
    assert isinstance(found.rows, WithOutsideOption)
    assert found.rows.entropy_weight == 0.5
    assert found.temperature == 2.0


@pytest.mark.parametrize("policy", [AssignmentPolicy(), AssignmentPolicy(temperature=0.8, description="as it is")])
def test_a_policy_of_nothing_is_the_problem_itself(policy: AssignmentPolicy) -> None:
    problem = market()
    assert policy.apply(problem) is problem


def test_a_policy_that_names_no_place_needs_no_names() -> None:
    nameless = replace(market("relaxed", "relaxed"), row_names=None, column_names=None)
    policy = AssignmentPolicy(utility_shifts=[UtilityShift(amount=1.0)], temperature=0.1)
    np.testing.assert_allclose(policy.apply(nameless).utility, nameless.utility + 1.0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: UtilityShift(amount=INF), InvalidInputError, "must be finite, or minus infinity to forbid.*found inf"),
        (lambda: UtilityShift(amount="much"), InvalidInputError, "shift must be a number, found 'much'"),
        (lambda: UtilityShift(amount=float("nan")), InvalidInputError, "must be a number, found nan"),
        (lambda: MassMove(amount=-1, source="a", target="b"), InvalidInputError, "at least 0, found -1"),
        (lambda: MassMove(amount=1, source="a", target="a"), InvalidInputError, "one place to another, found 'a'"),
        (lambda: ScaledMass(factor=-0.5), InvalidInputError, "factor of a mass must be .* found -0.5"),
        (lambda: NewPlace(name="", utility=[0.0]), InvalidInputError, "must be a text, found ''"),
        (lambda: NewPlace(name="x", utility=[[0.0]]), ShapeError, r"'x' must be one number .* shape \(1, 1\)"),
        (lambda: NewPlace(name="x", utility=["y"]), InvalidInputError, "'x' must be one number .* found .'y'."),
        (lambda: NewPlace(name="x", utility=[1j]), InvalidInputError, "'x' must be one number .* found .1j."),
        (lambda: UtilityShift(amount=np.complex128(1j)), InvalidInputError, "shift must be a number, found"),
        (lambda: NewPlace(name="x", utility=[0.0, float("nan")]), InvalidInputError, "found nan at place 1"),
        (lambda: NewPlace(name="x", utility={"a": None}), InvalidInputError, "with 'a' must be a number, found None"),
        (lambda: NewPlace(name="x", utility=[0.0], mass=-2), InvalidInputError, "mass of 'x' must .* found -2"),
        (lambda: AssignmentPolicy(row_mass={"a": INF}), InvalidInputError, "row_mass of 'a' must be a finite"),
        (lambda: AssignmentPolicy(row_mass=[1.0]), InvalidInputError, "must be a mapping of places to masses"),
        (lambda: AssignmentPolicy(temperature=-1), InvalidInputError, "temperature of a policy .* found -1"),
        (lambda: AssignmentPolicy(utility_shifts=[1.0]), InvalidInputError, "list of UtilityShift, found 1.0 in it"),
        (lambda: AssignmentPolicy(new_rows=NEW_ROW), InvalidInputError, "new_rows must be a list of NewPlace"),
    ],
)
def test_fields_that_cannot_be_are_refused_at_once(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("sides", "change", "error", "message"),
    [
        ("relaxed fixed", {"row_mass": {"R1": 1.0}}, InvalidInputError, "unknown row 'R1', did you mean 'r1'"),
        ("relaxed fixed", {"row_mass": {"zz": 1.0}}, InvalidInputError, "unknown row 'zz', there are 'r0', 'r1'"),
        (
            "fixed fixed",
            {"utility_shifts": [UtilityShift(amount=1.0, column="r1")]},
            InvalidInputError,
            "unknown column 'r1'",
        ),
        (
            "fixed relaxed",
            {"move_column_mass": [MassMove(amount=5.0, source="c0", target="c1")]},
            InvalidInputError,
            "cannot move a mass of 5 from the column 'c0', which has 0.[0-9]+: move at most that",
        ),
        ("free fixed", {"row_mass": {"r0": 1.0}}, InvalidInputError, "cannot set masses of rows: the rows are Free"),
        ("free fixed", {"new_rows": [NEW_ROW]}, InvalidInputError, "give the new row 'r4' a mass: the rows are Free"),
        ("relaxed fixed", {"new_rows": [replace(NEW_ROW, mass=None)]}, InvalidInputError, "'r4' must have a mass"),
        ("relaxed fixed", {"new_rows": [replace(NEW_ROW, name="r0")]}, InvalidInputError, "found 'r0' which is there"),
        (
            "relaxed fixed",
            {"new_rows": [replace(NEW_ROW, utility=[1.0])]},
            ShapeError,
            "one number for each of the 3 columns, found 1",
        ),
        (
            "relaxed fixed",
            {"new_rows": [replace(NEW_ROW, utility={"c0": 1.0})]},
            InvalidInputError,
            "must name every column, found none for 'c1', 'c2': give it a number",
        ),
        (
            "fixed relaxed",
            {"new_columns": [replace(NEW_COLUMN, utility={"r9": 1.0})]},
            InvalidInputError,
            "unknown row 'r9', there are 'r0', 'r1', 'r2', 'r3'",
        ),
        ("fixed fixed", {"row_mass": {"r0": 9.0}}, InfeasibleMassError, "same total mass, found .* scale_masses=True"),
        ("fixed at_most", {"column_mass": dict.fromkeys(("c0", "c1", "c2"), 0.1)}, InfeasibleMassError, "short"),
        ("relaxed fixed", {"temperature": 0.0}, InvalidInputError, "Relaxed has no exact answer at temperature 0"),
    ],
)
def test_what_does_not_fit_the_problem_is_named(
    sides: str, change: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        AssignmentPolicy(**change).apply(market(*sides.split()))


def test_names_must_be_there_and_mean_one_place() -> None:
    policy = AssignmentPolicy(utility_shifts=[UtilityShift(amount=1.0, row="r0")])
    with pytest.raises(InvalidInputError, match="only where the problem has row_names, found none"):
        policy.apply(replace(market(), row_names=None))
    with pytest.raises(InvalidInputError, match="the row 'r0' must be one, found several of that name"):
        policy.apply(replace(market(), row_names=("r0", "r0", "r1", "r2")))


def test_what_is_given_is_not_changed_and_cannot_change_later() -> None:
    utility, masses = np.array([1.0, 2.0, 3.0]), {"r0": 1.0}
    policy = AssignmentPolicy(new_rows=[NewPlace(name="r4", utility=utility, mass=1.0)], row_mass=masses)
    problem = market("relaxed")
    before = problem.utility.copy(), problem.rows.mass.copy()
    utility[0], masses["r0"] = 99.0, 99.0
    found = policy.apply(problem)
    assert found.utility[4, 0] == 1.0
    assert found.rows.mass[0] == 1.0
    np.testing.assert_array_equal(problem.utility, before[0])
    np.testing.assert_array_equal(problem.rows.mass, before[1])
