"""The path from soft to hard: falling temperatures, each from the one before, and what changes along it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.assignment import path, solve_problem
from choicekit.assignment.path import assignment_path, neutral_coupling
from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.rules import Sparsemax
from tests.assignment.markets import CONDITIONS, PAIRS, market

TEMPERATURES = (0.1, 10.0, 1.0, 1.0, 0.3)
SOLVED = 1e-7


@given(
    rows=st.sampled_from(sorted(CONDITIONS)),
    columns=st.sampled_from(sorted(CONDITIONS)),
    seed=st.integers(0, 1000),
    zero=st.booleans(),
)
def test_each_point_is_the_solution_at_its_temperature(rows: str, columns: str, seed: int, zero: bool) -> None:
    problem = market(rows, columns, seed=seed, zero=zero)
    found = assignment_path(problem, TEMPERATURES)
    assert found.temperatures.tolist() == [10.0, 1.0, 0.3, 0.1]
    for temperature, result in zip(found.temperatures, found.results, strict=True):
        alone = solve_problem(market(rows, columns, seed=seed, zero=zero, temperature=temperature))
        np.testing.assert_allclose(result.coupling, alone.coupling, rtol=0, atol=SOLVED * alone.coupling.sum())
        assert result.converged


@given(seed=st.integers(0, 1000), zero=st.booleans())
def test_utility_rises_and_entropy_falls_from_chance_to_the_best_assignment(seed: int, zero: bool) -> None:
    found = assignment_path(market(seed=seed, zero=zero), [1e9, 3.0, 1.0, 0.3, 0.1, 0.0])
    assert np.all(np.diff(found.utility) >= -SOLVED)
    assert np.all(np.diff(found.entropy) <= SOLVED)
    assert np.all(np.diff(found.distance_to_neutral) >= -SOLVED)
    assert found.distance_to_neutral[0] < 1e-8
    assert 0.05 < found.distance_to_neutral[-1] <= 1.0
    assert found.primal[-1] == pytest.approx(found.utility[-1])


@pytest.mark.parametrize("more", [{}, {"reference": "product"}, {"rule": Sparsemax()}])
def test_the_objective_is_utility_and_temperature_times_entropy(more: dict[str, Any]) -> None:
    found = assignment_path(market("fixed", "at_most", forbidden=True, **more), TEMPERATURES)
    np.testing.assert_allclose(found.primal, found.utility + found.temperatures * found.entropy, rtol=1e-12)
    np.testing.assert_array_equal(found.primal, [result.primal for result in found.results])


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What each problem was solved from."""
    seen: list[Any] = []

    def spy(*given: Any, start: Any = None, **more: Any) -> Any:
        seen.append(start)
        return solve_problem(*given, start=start, **more)

    monkeypatch.setattr(path, "solve_problem", spy)
    return seen


def test_each_starts_from_the_potentials_of_the_one_before(starts: list[Any]) -> None:
    found = assignment_path(market(), [3.0, 1.0, 0.3, 0.1])
    assert starts[0] is None
    for start, before in zip(starts[1:], found.results[:-1], strict=True):
        np.testing.assert_array_equal(start, before.column_potential)


@pytest.mark.parametrize("temperatures", [[1e300, 1.0], [1e9, 3.0], [1.0, 1e-3], [1.0, 0.0]])
def test_after_a_long_way_each_starts_from_nothing(starts: list[Any], temperatures: list[float]) -> None:
    assert all(result.converged for result in assignment_path(market(), temperatures).results)
    assert starts == [None, None]


def test_where_a_start_leads_nowhere_it_is_forgotten(monkeypatch: pytest.MonkeyPatch, starts: list[Any]) -> None:
    spied = path.solve_problem

    def misled(*given: Any, start: Any = None, **more: Any) -> Any:
        astray = None if start is None else np.add(start, [1e9, -1e9, 0.0])
        return spied(*given, start=astray, **more)

    monkeypatch.setattr(path, "solve_problem", misled)
    found = assignment_path(market(), [1.0, 0.5])
    assert [start is None for start in starts] == [True, False, True]
    np.testing.assert_allclose(found.results[1].coupling, solve_problem(market(temperature=0.5)).coupling, atol=SOLVED)


@pytest.mark.parametrize(("rows", "columns"), [pair for pair in PAIRS if "relaxed" not in pair])
def test_the_last_point_may_be_the_best_assignment_there_is(rows: str, columns: str) -> None:
    found = assignment_path(market(rows, columns), [0.0, 1e-3])
    assert found.temperatures.tolist() == [1e-3, 0.0]
    assert found.utility[1] >= found.utility[0] - 1e-2 * max(1.0, found.results[0].coupling.sum())


def test_at_temperature_0_relaxed_sides_are_refused_before_anything_is_solved() -> None:
    told: list[object] = []
    with pytest.raises(InvalidInputError, match="Relaxed has no exact answer at temperature 0"):
        assignment_path(market("relaxed", "fixed"), [1.0, 0.0], progress=lambda *done: told.append(done))
    assert told == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], r"a list of at least one, found \[\]"),
        (1.0, "a list of at least one, found 1.0"),
        ([1.0, -1.0], "finite numbers of at least 0, found -1.0"),
        ([float("nan")], "finite numbers of at least 0, found nan"),
        ([float("inf")], "finite numbers of at least 0, found inf"),
        (["warm"], "must be numbers, found .'warm'."),
    ],
)
def test_temperatures_that_cannot_be_are_refused(given: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        assignment_path(market(), given)


def test_progress_failures_and_the_frame() -> None:
    told: list[tuple[object, ...]] = []
    with pytest.raises(ConvergenceError):
        assignment_path(market(), [1e-3], max_iterations=1, tolerance=1e-15)
    found = assignment_path(
        market(), [1.0, 1e-3], max_iterations=1, tolerance=1e-15, on_failure="return",
        progress=lambda *done: told.append(done),
    )  # fmt: skip
    assert told == [("temperatures", 1, 2), ("temperatures", 2, 2)]
    frame = found.to_frame()
    assert frame["temperature"].tolist() == [1.0, 1e-3]
    assert not frame["converged"].all()
    assert frame["mass"].tolist() == [result.row_sums.sum() for result in found.results]
    assert repr(found) == "AssignmentPath(4 x 3, 2 temperatures)"


def test_chance_has_the_same_sums_and_nobody_matched_has_none() -> None:
    coupling = np.array([[1.0, 0.0, 2.0], [0.0, 0.0, 1.0]])
    neutral = neutral_coupling(coupling)
    assert neutral is not None
    for axis in (0, 1):
        np.testing.assert_allclose(neutral.sum(axis=axis), coupling.sum(axis=axis))
    assert np.linalg.matrix_rank(neutral) == 1
    assert neutral_coupling(np.zeros((2, 2))) is None


def test_where_nobody_is_matched_the_distance_is_unknown() -> None:
    problem = market("outside", "outside")
    lonely = type(problem)(utility=problem.utility - 100.0, rows=problem.rows, columns=problem.columns, temperature=1.0)
    assert np.isnan(assignment_path(lonely, [0.0]).distance_to_neutral[0])
