"""Temperature 0: optimal vertices, the prices that prove them, and whether they are the only ones."""

from __future__ import annotations

from itertools import permutations
from time import perf_counter

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from choicekit.assignment import (
    AssignmentProblem,
    AssignmentResult,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
)
from choicekit.assignment.vertex import _leads_away, solve_vertex
from choicekit.errors import InfeasibleMassError, InvalidInputError
from tests.tolerances import ALGEBRA

FloatArray = npt.NDArray[np.float64]

BOUNDED = (AtMost, WithOutsideOption)


def vertex_of(utility: npt.ArrayLike, rows: object, columns: object) -> AssignmentResult:
    problem = AssignmentProblem(utility=utility, rows=rows, columns=columns, temperature=0.0)  # type: ignore[arg-type]
    return solve_vertex(problem, None, tolerance=1e-9)


def best_value(problem: AssignmentProblem) -> float | None:
    """The same linear program written down plainly; None where nothing meets the masses."""
    n, m = problem.shape
    allowed = np.isfinite(problem.utility).ravel()
    sums = np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))
    equal, below = [(np.zeros((1, n * m)), np.zeros(1))], [(np.zeros((1, n * m)), np.zeros(1))]
    for side, table in zip((problem.rows, problem.columns), sums, strict=True):
        if side.mass is not None:
            (equal if isinstance(side, Fixed) else below).append((table, side.mass))
    if problem.total_mass is not None:
        equal.append((np.ones((1, n * m)), np.array([problem.total_mass])))
    size = np.abs(problem.utility.ravel()[allowed]).max(initial=0.0) or 1.0
    answer = linprog(
        -np.where(allowed, problem.utility.ravel(), 0.0) / size,
        A_eq=np.vstack([table for table, _ in equal]), b_eq=np.concatenate([mass for _, mass in equal]),
        A_ub=np.vstack([table for table, _ in below]), b_ub=np.concatenate([mass for _, mass in below]),
        bounds=[(0, None if ok else 0) for ok in allowed], method="highs",
    )  # fmt: skip
    return None if answer.status == 2 else -float(answer.fun) * size


@st.composite
def problems(draw: st.DrawFn) -> AssignmentProblem:
    """Small ones of any two conditions: zero masses, ties, forbidden pairs, utilities from 1e-3 to 1e3."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    scale = 10.0 ** draw(st.integers(-3, 3))
    utility = scale * (rng.normal(size=(n, m)) if draw(st.booleans()) else rng.integers(-3, 4, (n, m)))
    if draw(st.booleans()):
        utility[rng.random((n, m)) < 0.25] = -np.inf
    sides: list[MarginalCondition] = []
    for size in (n, m):
        kind = draw(st.sampled_from([Fixed, AtMost, WithOutsideOption, Free]))
        masses = {"any": rng.random(size), "whole": rng.integers(0, 4, size) * 1.0, "ones": np.ones(size)}
        mass = masses[draw(st.sampled_from(sorted(masses)))]
        if draw(st.booleans()):
            mass[rng.random(size) < 0.2] = 0.0
        sides.append(Free() if kind is Free else kind(mass))
    try:
        return AssignmentProblem(utility=utility, rows=sides[0], columns=sides[1], temperature=0.0, scale_masses=True)
    except InfeasibleMassError:
        assume(False)
        raise


@settings(max_examples=150)
@given(problems())
def test_vertices_are_optimal_and_prices_prove_it(problem: AssignmentProblem) -> None:
    expected = best_value(problem)
    if expected is None:
        with pytest.raises(InfeasibleMassError):
            solve_vertex(problem, None, tolerance=1e-9)
        return
    result = solve_vertex(problem, None, tolerance=1e-9)
    size = np.abs(problem.utility[np.isfinite(problem.utility)]).max(initial=0.0) * max(result.coupling.sum(), 1.0)
    assert result.converged
    assert result.status == "converged"
    assert result.primal == pytest.approx(expected, rel=0, abs=1e-8 * size)
    assert abs(result.gap) <= 10 * ALGEBRA * size
    assert_prices(result)


def assert_prices(result: AssignmentResult) -> None:
    """U + f + g <= 0, with equality where there is mass; bounded potentials at most 0, and 0 where there is room."""
    problem, utility = result.problem, result.problem.utility
    f, g = result.row_potential, result.column_potential
    allowed = np.isfinite(utility) & np.isfinite(f)[:, None] & np.isfinite(g)
    left = np.where(allowed, utility, 0.0) + np.where(allowed, f[:, None], 0.0) + np.where(allowed, g, 0.0)
    rounding = ALGEBRA * np.abs(utility[np.isfinite(utility)]).max(initial=0.0)
    assert np.all(left[allowed] <= rounding)
    assert np.all(np.abs(left[result.coupling > 0]) <= rounding)
    assert np.all(allowed[result.coupling > 0])
    for side, potential, sums in (
        (problem.rows, f, result.row_sums),
        (problem.columns, g, result.column_sums),
    ):
        if isinstance(side, BOUNDED):
            assert np.all(potential <= 0)
            assert np.all(potential[sums < side.mass * (1 - 1e-9)] == 0)


@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.booleans())
def test_unique_is_what_all_permutations_say(seed: int, n: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    utility = rng.integers(0, 4, (n, n)) * 1.0 if ties else rng.random((n, n))
    orders = np.array(list(permutations(range(n))))
    worth = utility[np.arange(n), orders].sum(axis=1)
    result = vertex_of(utility, np.ones(n), np.ones(n))
    assert result.method == "linear_sum_assignment"
    assert result.primal == pytest.approx(worth.max())
    assert result.unique is bool((worth >= worth.max() - 1e-9).sum() == 1)


@pytest.mark.parametrize(
    ("utility", "rows", "columns", "unique"),
    [
        ([[1.0, 1.0]], [1.0], Free(), False),
        ([[1.0, 0.0]], [1.0], Free(), True),
        ([[0.0, -1.0]], AtMost([1.0]), Free(), False),
        ([[-1.0, -1.0]], WithOutsideOption([1.0]), Free(), True),
        ([[1.0, 2.0], [2.0, 0.0]], Free(), Free(), False),
        ([[0.0]], AtMost([1.0]), AtMost([1.0]), False),
        ([[0.0, 0.0], [0.0, 0.0]], [0.3, 0.7], [0.4, 0.6], False),
        ([[0.0, 0.0]], [0.7], [0.3, 0.4], True),
        ([[1.0, 0.0], [0.0, 1.0]], [0.3, 0.7], [0.4, 0.6], True),
    ],
)  # fmt: skip
def test_unique(utility: list[list[float]], rows: object, columns: object, unique: bool) -> None:
    assert vertex_of(utility, rows, columns).unique is unique


@pytest.mark.parametrize(("gain", "unique"), [(0.0, False), (1e-11, None), (1e-6, True)])
def test_a_difference_as_small_as_rounding_is_not_taken_for_one(gain: float, unique: bool | None) -> None:
    utility = [[1.0, 5.0, 1.0], [1.0 + gain, 4.0, 3.0], [0.0, 0.0, 2.0]]  # without the gain two are best, 8 each
    assert vertex_of(utility, [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]).unique is unique


@pytest.mark.parametrize(
    ("carries", "tied", "leads"),
    [
        ([[1, 1], [1, 1]], [[0, 0], [0, 0]], True),  # round the cells that carry mass
        ([[1, 1], [1, 0]], [[0, 0], [0, 0]], False),
        ([[1, 1], [1, 0]], [[0, 0], [0, 1]], True),
        ([[1, 0], [0, 1]], [[0, 1], [0, 0]], False),  # out, and no way back
        ([[1, 0], [0, 1]], [[0, 1], [1, 0]], True),
        ([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]], True),
    ],
)
def test_mass_leaves_along_a_cycle_of_ties(carries: list[list[int]], tied: list[list[int]], leads: bool) -> None:
    assert _leads_away(np.array(carries, dtype=bool), np.array(tied, dtype=bool)) is leads


def test_a_free_side_takes_the_best_pairs() -> None:
    utility = np.array([[1.0, 3.0, 2.0], [-1.0, -2.0, -3.0], [5.0, 5.0, 0.0]])
    fixed = vertex_of(utility, [1.0, 2.0, 0.0], Free())
    np.testing.assert_array_equal(fixed.coupling, [[0, 1, 0], [2, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(fixed.row_potential, [-3, 1, -np.inf])
    np.testing.assert_array_equal(fixed.column_potential, np.zeros(3))
    bounded = vertex_of(utility.T, Free(), AtMost([1.0, 2.0, 0.0]))
    np.testing.assert_array_equal(bounded.coupling.T, [[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(bounded.column_outside, [0, 2, 0])
    assert fixed.method == bounded.method == "best pair"


def test_two_free_sides_put_all_on_the_best_cell() -> None:
    result = solve_assignment([[1.0, 4.0], [2.0, 3.0]], Free(), Free(), temperature=0.0, total_mass=2.5)
    np.testing.assert_array_equal(result.coupling, [[0, 2.5], [0, 0]])
    assert result.primal == result.dual == 10.0
    assert result.unique


def test_capacities_have_prices_and_singles_stay() -> None:
    utility = np.array([[4.0, 1.0], [3.0, -1.0]])
    result = vertex_of(utility, WithOutsideOption([1.0, 1.0]), AtMost([1.0, 1.0]))
    np.testing.assert_array_equal(result.coupling, [[0, 1], [1, 0]] if result.coupling[0, 1] else [[1, 0], [0, 0]])
    assert result.unique is False  # 4 alone is as good as 1 + 3
    result = vertex_of(utility - [[0.0, 0.5]], WithOutsideOption([1.0, 1.0]), AtMost([1.0, 1.0]))
    np.testing.assert_array_equal(result.coupling, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(result.row_outside, [0, 1])
    np.testing.assert_array_equal(result.column_outside, [0, 1])
    assert -4.0 <= result.column_potential[0] <= -3.0


@pytest.mark.parametrize("equal", [True, False])
@pytest.mark.parametrize("rows", [Fixed, *BOUNDED])
@pytest.mark.parametrize("columns", [Fixed, *BOUNDED])
def test_every_pair_of_sides_with_masses(
    rows: type[MarginalCondition], columns: type[MarginalCondition], equal: bool
) -> None:
    rng = np.random.default_rng(9)
    n, m = {(True, False): (8, 12), (False, True): (12, 8)}.get((rows is Fixed, columns is Fixed), (10, 10))
    masses = [np.ones(size) if equal else size * rng.dirichlet(np.ones(size)) for size in (n, m)]
    result = vertex_of(rng.normal(size=(n, m)), rows(masses[0]), columns(masses[1]))  # type: ignore[call-arg]
    assert result.method == ("linear_sum_assignment" if equal else "linear program (HiGHS)")
    assert result.unique is True
    assert result.primal == pytest.approx(best_value(result.problem), rel=1e-9)
    assert abs(result.gap) <= ALGEBRA * n
    assert_prices(result)


@pytest.mark.parametrize("far", [1e9, 1e12])
def test_penalties_do_not_drown_what_is_small(far: float) -> None:
    rng = np.random.default_rng(5)
    utility = rng.random((40, 40))
    far_off = rng.random((40, 40)) < 0.5
    mass, other = rng.dirichlet(np.ones(40), 2)
    found = vertex_of(np.where(far_off, -far, utility), mass, other)
    expected = vertex_of(np.where(far_off, -np.inf, utility), mass, other)
    np.testing.assert_allclose(found.coupling, expected.coupling, rtol=0, atol=ALGEBRA)
    assert_prices(expected)


def test_a_common_level_does_not_drown_differences() -> None:
    rng = np.random.default_rng(6)
    utility = 1e6 + 1e-6 * rng.integers(0, 1000, (9, 9))
    mass, other = rng.dirichlet(np.ones(9), 2)
    raised, plain = vertex_of(utility, mass, other), vertex_of(utility - 1e6, mass, other)
    np.testing.assert_allclose(raised.coupling, plain.coupling, rtol=0, atol=ALGEBRA)
    assert raised.unique is plain.unique is True


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_utilities(scale: float) -> None:
    utility = scale * np.array([[1.0, -1.0, 0.5], [0.25, 1.0, -1.0]])
    result = vertex_of(utility, AtMost([0.2, 0.8]), [0.3, 0.3, 0.1])
    assert result.converged
    np.testing.assert_allclose(result.coupling.sum(axis=0), [0.3, 0.3, 0.1])
    assert_prices(result)


@given(st.integers(0, 2**32 - 1))
def test_soft_assignments_approach_the_vertex(seed: int) -> None:
    rng = np.random.default_rng(seed)
    utility = rng.normal(size=(4, 5))
    rows, columns = AtMost(rng.random(4)), WithOutsideOption(rng.random(5))
    hard = vertex_of(utility, rows, columns)
    soft = solve_assignment(utility, rows, columns, temperature=1e-3, tolerance=1e-7)
    worth = float((soft.coupling * utility).sum())
    assert worth == pytest.approx(hard.primal, abs=1e-3 * 30)
    assert worth <= hard.primal + 1e-6


def test_forbidden_masses_are_infeasible() -> None:
    with pytest.raises(InfeasibleMassError, match="allowed pairs can carry them"):
        vertex_of([[0.0, -np.inf], [-np.inf, 0.0]], [0.4, 0.6], [0.6, 0.4])
    with pytest.raises(InfeasibleMassError, match="none at place 1"):
        vertex_of([[0.0, 1.0], [-np.inf, -np.inf]], [0.4, 0.6], Free())
    with pytest.raises(InvalidInputError, match="Relaxed has no exact answer"):
        vertex_of([[0.0]], Relaxed([1.0], 1.0), [1.0])


def test_unusable_pairs_stay_empty() -> None:
    usable = np.array([[True, False], [False, True]])
    problem = AssignmentProblem(
        utility=[[0.0, 5.0], [-np.inf, 0.0]], rows=[0.5, 0.5], columns=[0.5, 0.5], temperature=0.0
    )
    result = solve_vertex(problem, usable, tolerance=1e-9)
    np.testing.assert_array_equal(result.coupling, [[0.5, 0], [0, 0.5]])
    assert_prices(result)


@pytest.mark.parametrize(("n", "equal", "limit"), [(1000, True, 5.0), (300, False, 15.0)])
def test_large_ones_are_quick(n: int, equal: bool, limit: float) -> None:
    rng = np.random.default_rng(n)
    utility = -((rng.random((n, 1)) - rng.random((1, n))) ** 2)
    rows, columns = (np.ones(n), np.ones(n)) if equal else rng.dirichlet(np.ones(n), 2)
    before = perf_counter()
    result = vertex_of(utility, rows, columns)
    assert perf_counter() - before < limit  # .3 and .6 seconds on a quiet machine
    assert abs(result.gap) <= 1e-12 * result.coupling.sum()
    assert_prices(result)
