"""Laws of assignments: what happens to a coupling where its problem is turned over, scaled, shifted or reduced."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit.assignment import (
    AssignmentProblem,
    AssignmentResult,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_problem,
)
from choicekit.assignment.batches import solve_assignments

KINDS = ("fixed", "at_most", "relaxed", "free", "outside")
WITH_MASS = tuple(kind for kind in KINDS if kind != "free")
TOLERANCE = 1e-9
SAME = 1e-7  # two couplings solved to the tolerance, per unit of mass, where capacities make them sensitive
ROUNDINGS = 64  # of utilities over temperature, each of one eps, that an error may be made of
PAIRS = [(rows, columns) for rows in KINDS for columns in KINDS]
SEEDS = st.integers(0, 10_000)
SOFT = st.sampled_from([10.0, 1.0, 0.3])


def condition(kind: str, mass: np.ndarray, strength: float = 1.0) -> MarginalCondition:
    made: dict[str, Any] = {
        "fixed": lambda: Fixed(mass),
        "at_most": lambda: AtMost(mass * np.resize([1.5, 0.9, 4.0], mass.size)),
        "relaxed": lambda: Relaxed(mass, strength),
        "free": Free,
        "outside": lambda: WithOutsideOption(1.3 * mass),
    }
    found: MarginalCondition = made[kind]()
    if kind == "at_most" and found.mass is not None and found.mass.sum() < 1.2 * mass.sum():
        found = AtMost(1.5 * mass)  # room enough for a fixed side
    return found


def problem_of(
    seed: int, kinds: tuple[str, str], temperature: float, *, scale: float = 1.0, zero: bool = False,
    ties: bool = False, strength: float = 1.0, **more: Any,
) -> AssignmentProblem:  # fmt: skip
    random = np.random.default_rng(seed)
    n, m = (int(size) for size in random.integers(2, 6, size=2))
    utility = random.normal(size=(n, m))
    if ties:
        utility = np.round(utility)
    masses = [random.uniform(0.2, 1.0, size) for size in (n, m)]
    for mass in masses:
        if zero:
            mass[random.integers(mass.size)] = 0.0
        mass /= mass.sum()
    rows, columns = (condition(kind, mass, strength) for kind, mass in zip(kinds, masses, strict=True))
    return AssignmentProblem(utility=scale * utility, rows=rows, columns=columns, temperature=temperature, **more)


def solved(problem: AssignmentProblem) -> AssignmentResult:
    return solve_problem(problem, tolerance=TOLERANCE)


def assert_same_coupling(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=0, atol=SAME * max(1.0, float(np.sum(expected))))


def size_of(result: AssignmentResult) -> float:
    """What rounding of the objective is relative to: mass times utility, temperature and potentials."""
    problem, held = result.problem, result.coupling.sum()
    masses = [float(np.sum(side.mass)) for side in (problem.rows, problem.columns) if side.mass is not None]
    lifts = [float(np.abs(f[np.isfinite(f)]).max()) for f in (result.row_potential, result.column_potential)]
    largest = float(np.abs(problem.utility).max()) + problem.temperature + sum(lifts)
    return max([float(held), *masses]) * largest


@pytest.mark.parametrize("kinds", PAIRS, ids=" and ".join)
@settings(max_examples=8)
@given(seed=SEEDS, temperature=SOFT, zero=st.booleans(), ties=st.booleans())
def test_every_pair_converges_with_a_certificate(
    kinds: tuple[str, str], seed: int, temperature: float, zero: bool, ties: bool
) -> None:
    result = solved(problem_of(seed, kinds, temperature, zero=zero, ties=ties))
    assert result.status == "converged"
    assert max(result.row_error, result.column_error) <= TOLERANCE
    assert np.all(result.coupling >= 0)
    assert result.gap >= -1e-12 * size_of(result)
    assert result.gap <= 100 * TOLERANCE * size_of(result)


@given(seed=SEEDS, temperature=SOFT, kinds=st.sampled_from(PAIRS), zero=st.booleans())
def test_sides_may_change_places(seed: int, temperature: float, kinds: tuple[str, str], zero: bool) -> None:
    problem = problem_of(seed, kinds, temperature, zero=zero)
    turned = replace(problem, utility=problem.utility.T, rows=problem.columns, columns=problem.rows)
    one, other = solved(problem), solved(turned)
    assert_same_coupling(other.coupling.T, one.coupling)
    assert other.primal == pytest.approx(one.primal, abs=1e-6)


@given(seed=SEEDS, kinds=st.sampled_from(PAIRS), factor=st.sampled_from([1e-3, 0.25, 7.0, 1e3]))
def test_only_utility_over_temperature_counts(seed: int, kinds: tuple[str, str], factor: float) -> None:
    one = solved(problem_of(seed, kinds, 0.5))
    other = solved(problem_of(seed, kinds, 0.5 * factor, scale=factor, strength=factor))
    assert_same_coupling(other.coupling, one.coupling)
    assert other.primal == pytest.approx(factor * one.primal, rel=1e-6, abs=1e-6 * factor)


@given(
    seed=SEEDS,
    kinds=st.sampled_from([pair for pair in PAIRS if "fixed" in pair] + [("outside", "outside")]),
    factor=st.sampled_from([1e-6, 0.5, 1e4]),
    temperature=SOFT,
)
def test_masses_scale_the_coupling(seed: int, kinds: tuple[str, str], factor: float, temperature: float) -> None:
    problem = problem_of(seed, kinds, temperature)
    sides = {
        name: side if side.mass is None else replace(side, mass=factor * side.mass)  # type: ignore[type-var]
        for name, side in (("rows", problem.rows), ("columns", problem.columns))
    }
    assert_same_coupling(solved(replace(problem, **sides)).coupling / factor, solved(problem).coupling)


@given(seed=SEEDS, kinds=st.sampled_from([("fixed", kind) for kind in KINDS]), temperature=SOFT)
def test_what_a_fixed_row_gets_in_any_case_moves_only_its_potential(
    seed: int, kinds: tuple[str, str], temperature: float
) -> None:
    problem = problem_of(seed, kinds, temperature)
    constants = np.random.default_rng(seed + 1).normal(size=problem.shape[0])
    one, other = solved(problem), solved(replace(problem, utility=problem.utility + constants[:, None]))
    assert_same_coupling(other.coupling, one.coupling)
    moved = other.row_potential - one.row_potential + constants
    if kinds[1] == "fixed":  # potentials of two fixed sides are known up to a constant
        moved, rest = moved - moved[0], other.column_potential - one.column_potential
        np.testing.assert_allclose(rest - rest[0], 0.0, rtol=0, atol=1e-6 * temperature)
    np.testing.assert_allclose(moved, 0.0, rtol=0, atol=1e-6 * max(temperature, 1.0))


@given(seed=SEEDS, temperature=SOFT)
def test_constants_by_row_and_column_do_nothing_between_fixed_sides(seed: int, temperature: float) -> None:
    problem = problem_of(seed, ("fixed", "fixed"), temperature)
    random = np.random.default_rng(seed + 1)
    constants = random.normal(size=problem.shape[0])[:, None] + random.normal(size=problem.shape[1])
    assert_same_coupling(
        solved(replace(problem, utility=problem.utility + constants)).coupling, solved(problem).coupling
    )


@given(seed=SEEDS, temperature=SOFT, kinds=st.sampled_from([(r, c) for r in WITH_MASS for c in WITH_MASS]),
       reference=st.sampled_from(["counting", "product"]))  # fmt: skip
def test_places_without_mass_might_as_well_not_be_there(
    seed: int, temperature: float, kinds: tuple[str, str], reference: Any
) -> None:
    problem = problem_of(seed, kinds, temperature, zero=True, reference=reference)
    rows, columns = (np.flatnonzero(np.asarray(side.mass)) for side in (problem.rows, problem.columns))
    smaller = replace(
        problem, utility=problem.utility[np.ix_(rows, columns)], rows=problem.rows.restricted(rows),
        columns=problem.columns.restricted(columns),
    )  # fmt: skip
    whole, part = solved(problem), solved(smaller)
    assert_same_coupling(whole.coupling[np.ix_(rows, columns)], part.coupling)
    assert np.count_nonzero(whole.coupling) <= rows.size * columns.size
    assert whole.primal == pytest.approx(part.primal, abs=1e-6)


@given(seed=SEEDS, temperature=SOFT, kinds=st.sampled_from(PAIRS))
def test_equal_rows_are_treated_alike(seed: int, temperature: float, kinds: tuple[str, str]) -> None:
    random = np.random.default_rng(seed)
    utility = np.tile(random.normal(size=(1, 4)), (3, 1))
    rows, columns = condition(kinds[0], np.full(3, 1 / 3)), condition(kinds[1], random.dirichlet(np.ones(4)))
    if kinds[0] == "at_most":
        rows = AtMost(np.full(3, 0.5))
    coupling = solved(AssignmentProblem(utility=utility, rows=rows, columns=columns, temperature=temperature)).coupling
    assert_same_coupling(coupling, np.tile(coupling.mean(axis=0), (3, 1)))


@given(seed=SEEDS, temperature=SOFT, kinds=st.sampled_from(PAIRS))
def test_no_nearby_coupling_of_the_same_sums_is_better(seed: int, temperature: float, kinds: tuple[str, str]) -> None:
    from choicekit.assignment.objective import primal_value

    result = solved(problem_of(seed, kinds, temperature))
    p = result.rounded_coupling
    swap = np.zeros_like(p)
    swap[:2, :2] = [[1.0, -1.0], [-1.0, 1.0]]
    for share in (-1e-3, 1e-3):
        other = p + share * p[:2, :2].min() * swap
        assert primal_value(result.problem, other) <= result.primal + 1e-12 * size_of(result)


def assert_honest(problem: AssignmentProblem) -> None:
    result = solve_problem(problem, tolerance=TOLERANCE, on_failure="return")
    rounding = np.finfo(float).eps * np.abs(problem.utility).max() / problem.temperature
    assert result.converged == (result.status == "converged")
    assert result.converged or rounding > TOLERANCE / ROUNDINGS, repr(result)
    assert result.converged or result.status == "precision" or rounding <= TOLERANCE, repr(result)
    assert np.all(np.isfinite(result.coupling))
    assert not result.converged or max(result.row_error, result.column_error) <= TOLERANCE
    assert result.gap >= -1e-12 * size_of(result)


EXTREMES: dict[str, st.SearchStrategy[Any]] = {
    "seed": SEEDS,
    "temperature": st.sampled_from([10.0, 1e-1, 1e-2, 1e-4, 1e-6]),
    "scale": st.sampled_from([1e-3, 1.0, 1e3]),
    "zero": st.booleans(),
    "ties": st.booleans(),
}


@pytest.mark.parametrize("kinds", PAIRS, ids=" and ".join)
@settings(max_examples=8)
@given(**EXTREMES)
def test_nothing_is_claimed_that_is_not_so(kinds: tuple[str, str], scale: float, **given: Any) -> None:
    assert_honest(problem_of(kinds=kinds, scale=scale, strength=scale, **given))


@pytest.mark.slow
@pytest.mark.parametrize("kinds", PAIRS, ids=" and ".join)
@settings(max_examples=100)
@given(**EXTREMES)
def test_nothing_is_claimed_that_is_not_so_over_many_problems(
    kinds: tuple[str, str], scale: float, **given: Any
) -> None:
    assert_honest(problem_of(kinds=kinds, scale=scale, strength=scale, **given))


@pytest.mark.parametrize(
    ("kinds", "temperature", "seed", "ties"),
    [
        (("at_most", "fixed"), 10.0, 1319, True),  # a plane, on which Newton's equations lead anywhere
        (("at_most", "fixed"), 30.0, 306, True),  # one column on a plane, another next to an edge
        (("at_most", "at_most"), 30.0, 649, True),
        (("at_most", "outside"), 3.0, 109, False),
        (("outside", "fixed"), 10.0, 624, False),
        (("fixed", "at_most"), 0.1, 231, False),
    ],
)
def test_full_rows_with_one_column_each_are_no_place_to_stay(
    kinds: tuple[str, str], temperature: float, seed: int, ties: bool
) -> None:
    problem = problem_of(seed, kinds, temperature, scale=1e3, ties=ties, strength=1e3)
    assert solved(problem).n_iterations < 300


@given(
    seed=SEEDS, kinds=st.sampled_from(PAIRS), temperature=st.sampled_from([1.0, 0.1, 0.02]), ties=st.booleans(),
)  # fmt: skip
def test_batches_agree_with_problems_alone(seed: int, kinds: tuple[str, str], temperature: float, ties: bool) -> None:
    problem = problem_of(seed, kinds, temperature, ties=ties)
    utilities = np.stack([problem.utility, -problem.utility])
    found = solve_assignments(utilities, problem.rows, problem.columns, temperature=temperature, tolerance=1e-11)
    for one, utility in zip(found, utilities, strict=True):
        alone = solve_problem(replace(problem, utility=utility), tolerance=1e-11)
        assert_same_coupling(one.coupling, alone.coupling)
