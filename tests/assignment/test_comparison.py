"""Laws of policies: what changes nothing, what changes what by how much, and how it is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.assignment import solve_problem
from choicekit.assignment.comparison import AssignmentComparison, PolicyAssignment, compare_assignments
from choicekit.assignment.policies import AssignmentPolicy, MassMove, NewPlace, ScaledMass, UtilityShift
from choicekit.errors import ConvergenceError, InfeasibleMassError, InvalidInputError
from tests.assignment.markets import CONDITIONS, PAIRS, market

SOLVED = 1e-7
SEEDS = st.integers(0, 1000)
KINDS = st.sampled_from(sorted(CONDITIONS))


def compared(policy: AssignmentPolicy, rows: str = "fixed", columns: str = "fixed", **more: object) -> PolicyAssignment:
    return compare_assignments(market(rows, columns, **more), {"it": policy}, tolerance=1e-11).policies["it"]


@pytest.mark.parametrize(("rows", "columns"), PAIRS)
def test_a_policy_of_nothing_changes_no_digit(rows: str, columns: str) -> None:
    comparison = compare_assignments(market(rows, columns), {"nothing": AssignmentPolicy()})
    found = comparison.policies["nothing"]
    np.testing.assert_array_equal(found.result.coupling, comparison.baseline.coupling)
    assert found.welfare_change == found.primal_change == 0.0
    for side in (found.rows, found.columns):
        assert set(side.change("matched").values()) == set(side.change("price").values()) == {0.0}


@given(seed=SEEDS, amount=st.floats(-5, 5), zero=st.booleans())
def test_an_equal_subsidy_changes_no_coupling_of_fixed_masses(seed: int, amount: float, zero: bool) -> None:
    policy = AssignmentPolicy(utility_shifts=[UtilityShift(amount=amount)])
    comparison = compare_assignments(market(seed=seed, zero=zero), {"all": policy})
    found = comparison.policies["all"]
    np.testing.assert_allclose(found.result.coupling, comparison.baseline.coupling, rtol=0, atol=SOLVED)
    assert found.welfare_change == pytest.approx(2.0 * amount, abs=SOLVED)
    assert found.primal_change == pytest.approx(found.welfare_change, abs=1e-12)


@given(seed=SEEDS, factor=st.sampled_from([0.5, 2.0, 1000.0]))
def test_twice_the_masses_are_twice_the_coupling(seed: int, factor: float) -> None:
    scaled = ScaledMass(factor=factor)
    policy = AssignmentPolicy(
        row_mass=dict.fromkeys(("r0", "r1", "r2", "r3"), scaled), column_mass=dict.fromkeys(("c0", "c1", "c2"), scaled)
    )
    comparison = compare_assignments(market(seed=seed), {"more": policy})
    found = comparison.policies["more"]
    np.testing.assert_allclose(
        found.result.coupling, factor * comparison.baseline.coupling, rtol=0, atol=SOLVED * factor
    )
    assert found.welfare_change == pytest.approx((factor - 1) * comparison.baseline_welfare.total, abs=SOLVED * factor)
    assert found.primal_change != pytest.approx(found.welfare_change, abs=0.1)  # the objective counts pairs of masses
    np.testing.assert_allclose(list(found.row_welfare_change.values()), 0.0, atol=SOLVED)


@given(rows=KINDS, columns=KINDS, seed=SEEDS, row=st.integers(0, 3), column=st.integers(0, 2))
def test_a_small_subsidy_is_worth_itself_times_who_gets_it(
    rows: str, columns: str, seed: int, row: int, column: int
) -> None:
    size = 1e-4
    problem = market(rows, columns, seed=seed)
    policies = {
        way: AssignmentPolicy(utility_shifts=[UtilityShift(amount=amount, row=f"r{row}", column=f"c{column}")])
        for way, amount in (("up", size), ("down", -size))
    }
    comparison = compare_assignments(problem, policies, tolerance=1e-11)
    slope = (comparison.policies["up"].welfare_change - comparison.policies["down"].welfare_change) / (2 * size)
    assert slope == pytest.approx(comparison.baseline.coupling[row, column], abs=SOLVED)


def test_more_seats_lower_the_price_and_nobody_is_worse_off() -> None:
    found = compared(AssignmentPolicy(column_mass={"c1": 1.0}), "fixed", "at_most")
    assert found.columns.baseline.price[1] > 0.1
    assert found.column_price_change["c1"] < -0.1
    assert min(found.row_welfare_change.values()) >= 0.0
    assert found.welfare_change > 0.0
    assert found.column_mass_change == {
        "c0": 0.0, "c1": pytest.approx(1.0 - found.columns.baseline.mass[1]), "c2": 0.0,
    }  # fmt: skip


def test_mass_that_moves_is_told_by_name() -> None:
    policy = AssignmentPolicy(move_row_mass=[MassMove(amount=0.2, source="r2", target="r0")])
    found = compared(policy, "outside", "outside")
    assert found.row_mass_change == pytest.approx({"r0": 0.2, "r1": 0.0, "r2": -0.2, "r3": 0.0})
    assert found.row_welfare_change["r0"] < 0 < found.row_welfare_change["r2"]  # competition on one's own side
    assert set(found.column_mass_change.values()) == {0.0}


def test_a_new_place_is_aligned_and_has_no_change() -> None:
    place = NewPlace(name="c3", utility=[1.0, 1.0, 1.0, 1.0], mass=0.5)
    found = compared(AssignmentPolicy(new_columns=[place]), "fixed", "at_most")
    assert found.columns.names == ("c0", "c1", "c2", "c3")
    assert found.columns.policy.matched[3] > 0
    for change in (found.column_welfare_change, found.column_price_change, found.column_mass_change):
        assert np.isnan(change["c3"])
        assert np.all(np.isfinite([change[name] for name in ("c0", "c1", "c2")]))
    assert list(found.row_welfare_change) == ["r0", "r1", "r2", "r3"]
    assert found.welfare_change > 0


def test_a_place_that_closes_has_no_welfare_to_change() -> None:
    found = compared(AssignmentPolicy(column_mass={"c0": 0.0, "c1": 5.0}), "fixed", "at_most")
    assert np.isnan(found.column_welfare_change["c0"])
    assert np.isnan(found.column_price_change["c0"])
    assert found.columns.policy.price[0] == np.inf
    assert found.columns.change("matched")["c0"] == -found.columns.baseline.matched[0]


def test_all_values_come_from_the_results() -> None:
    found = compared(AssignmentPolicy(temperature=0.3), "outside", "at_most")
    result = found.result
    for side, sums, outside in (
        (found.rows, result.row_sums, result.row_outside),
        (found.columns, result.column_sums, result.column_outside),
    ):
        np.testing.assert_array_equal(side.policy.matched, sums)
        np.testing.assert_array_equal(side.policy.outside, outside)
    np.testing.assert_array_equal(found.columns.policy.price, -result.column_potential)
    assert np.all(np.isnan(compared(AssignmentPolicy(), "fixed", "free").columns.policy.mass))


def test_the_frame_has_a_row_a_policy_side_and_place() -> None:
    policies = {"a": AssignmentPolicy(temperature=0.5), "b": AssignmentPolicy(column_mass={"c0": 3.0})}
    comparison = compare_assignments(market("fixed", "at_most"), policies)
    frame = comparison.to_frame()
    assert list(frame.columns[:5]) == ["policy", "side", "place", "mass", "mass_change"]
    assert frame.groupby(["policy", "side"]).size().to_dict() == {
        ("a", "row"): 4, ("a", "column"): 3, ("b", "row"): 4, ("b", "column"): 3,
    }  # fmt: skip
    row = frame[(frame["policy"] == "b") & (frame["place"] == "c0")].iloc[0]
    assert row["mass"] == 3.0
    assert row["price_change"] == comparison.policies["b"].column_price_change["c0"]
    assert repr(comparison) == "AssignmentComparison(4 x 3, policies: 'a', 'b')"
    assert "converged" in repr(comparison.policies["a"])
    assert compare_assignments(market(), {}).to_frame().empty


def test_places_without_names_are_called_by_their_numbers() -> None:
    problem = replace(market(), row_names=None, column_names=None)
    found = compare_assignments(problem, {"it": AssignmentPolicy(temperature=1.0)}).policies["it"]
    assert (found.rows.names, found.columns.names) == (("0", "1", "2", "3"), ("0", "1", "2"))


@pytest.mark.parametrize(
    ("policy", "error", "message"),
    [
        (AssignmentPolicy(row_mass={"x": 1.0}), InvalidInputError, "^policy 'bad': unknown row 'x', there are"),
        (AssignmentPolicy(row_mass={"r0": 9.0}), InfeasibleMassError, "^policy 'bad': two fixed sides must have"),
    ],
)
def test_a_policy_that_cannot_be_is_named_before_anything_is_solved(
    policy: AssignmentPolicy, error: type[Exception], message: str
) -> None:
    told: list[tuple[object, ...]] = []
    with pytest.raises(error, match=message):
        compare_assignments(
            market(), {"good": AssignmentPolicy(), "bad": policy}, progress=lambda *done: told.append(done)
        )
    assert told == []


def test_progress_is_told_and_a_baseline_is_not_solved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    told, problem = [], market()
    baseline = solve_problem(problem)
    policies = {"a": AssignmentPolicy(temperature=0.5), "b": AssignmentPolicy(temperature=2.0)}
    comparison = compare_assignments(
        problem, policies, baseline=baseline, progress=lambda name, done, total: told.append((name, done, total))
    )
    assert comparison.baseline is baseline
    assert told == [("policies", 1, 2), ("policies", 2, 2)]


def test_a_solver_that_stops_short_raises_unless_told_to_return() -> None:
    policies = {"cold": AssignmentPolicy(temperature=1e-3)}
    with pytest.raises(ConvergenceError):
        compare_assignments(market(), policies, max_iterations=1, tolerance=1e-15)
    found: AssignmentComparison = compare_assignments(
        market(), policies, max_iterations=1, tolerance=1e-15, on_failure="return"
    )
    assert not found.policies["cold"].result.converged
