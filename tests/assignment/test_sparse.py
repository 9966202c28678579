"""The sparse rule: couplings with empty cells, held to their conditions of optimality and to other solvers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from choicekit.assignment import (
    AssignmentResult,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
    solve_problem,
)
from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.rules import Sparsemax
from tests.assignment.markets import market
from tests.tolerances import ALGEBRA, SOLVER

FloatArray = npt.NDArray[np.float64]

TOLERANCE = 1e-9
PAIRS = [(Fixed, Fixed), (AtMost, Fixed), (Fixed, AtMost), (AtMost, AtMost)]


def sparse(
    utility: npt.ArrayLike, rows: object, columns: object, temperature: float, **control: object
) -> AssignmentResult:
    return solve_assignment(
        utility,
        rows,  # type: ignore[arg-type]
        columns,  # type: ignore[arg-type]
        temperature=temperature,
        rule=Sparsemax(),
        **control,  # type: ignore[arg-type]
    )


def sides(kinds: tuple[type, type], rng: np.random.Generator, n: int, m: int) -> tuple[MarginalCondition, ...]:
    """Masses of total 1 for fixed sides; capacities are half as much again, or a little less where both are."""
    factors = {(Fixed, Fixed): (1.0, 1.0), (AtMost, AtMost): (0.8, 1.0)}.get(kinds, (1.0, 1.5))
    if kinds == (AtMost, Fixed):
        factors = (1.5, 1.0)
    return tuple(
        kind(factor * rng.dirichlet(np.ones(size))) for kind, factor, size in zip(kinds, factors, (n, m), strict=True)
    )


def assert_optimal(result: AssignmentResult) -> None:
    """The coupling is max(0, U + f + g) / T, its sums are right, prices are 0 where there is room, the gap is 0."""
    problem, t = result.problem, result.problem.temperature
    f, g = result.row_potential, result.column_potential
    utility = np.where(np.isfinite(f)[:, None] & np.isfinite(g), problem.utility, -np.inf)
    potentials = np.where(np.isfinite(f), f, 0.0)[:, None] + np.where(np.isfinite(g), g, 0.0)
    size = max(np.abs(utility[np.isfinite(utility)]).max(), np.abs(potentials).max())
    np.testing.assert_allclose(
        result.coupling, np.maximum(utility + potentials, 0.0) / t, rtol=0, atol=ALGEBRA * size / t
    )
    total = result.coupling.sum()
    for side, potential, sums in ((problem.rows, f, result.row_sums), (problem.columns, g, result.column_sums)):
        if isinstance(side, Fixed):
            assert np.abs(sums - side.mass).sum() <= TOLERANCE * total
        if isinstance(side, AtMost):
            assert np.all(potential <= 0)
            assert np.maximum(sums - side.mass, 0).sum() <= TOLERANCE * total
            assert np.abs(sums - side.mass)[potential < 0].sum() <= TOLERANCE * total
    scale = (size + t) * total
    assert -ALGEBRA * scale - 1e-12 <= result.gap <= SOLVER * TOLERANCE * scale


@given(
    seed=st.integers(0, 2**32 - 1),
    kinds=st.sampled_from(PAIRS),
    temperature=st.sampled_from([1e-3, 0.05, 1.0, 10.0]),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
    ties=st.booleans(),
)
def test_couplings_are_optimal(
    seed: int, kinds: tuple[type, type], temperature: float, scale: float, ties: bool
) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 9, 2)
    utility = scale * (rng.integers(-2, 3, (n, m)) if ties else rng.normal(size=(n, m)))
    rows, columns = sides(kinds, rng, n, m)
    result = sparse(utility, rows, columns, temperature * scale)
    assert result.converged
    assert_optimal(result)


@pytest.mark.parametrize("kinds", PAIRS)
@pytest.mark.parametrize("temperature", [1e-3, 0.1, 10.0])
def test_low_temperatures_and_larger_tables(kinds: tuple[type, type], temperature: float) -> None:
    rng = np.random.default_rng(11)
    utility = rng.normal(size=(60, 50))
    result = sparse(utility, *sides(kinds, rng, 60, 50), temperature)
    assert_optimal(result)
    assert result.history.iteration.size == result.n_iterations > 0
    filled = np.count_nonzero(result.coupling)
    assert filled <= (60 + 50 if temperature == 1e-3 else 2000)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
@pytest.mark.parametrize("kinds", PAIRS)
def test_very_low_temperatures(kinds: tuple[type, type], seed: int) -> None:
    """Stages that end too early send the next one far away, and rounding of potentials is larger than T."""
    rng = np.random.default_rng(seed)
    assert_optimal(sparse(rng.normal(size=(20, 20)), *sides(kinds, rng, 20, 20), 1e-9))


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [1e-3, 1.0])
def test_two_hundred_by_two_hundred(temperature: float) -> None:
    rng = np.random.default_rng(12)
    points, others = rng.random((200, 1, 2)), rng.random((1, 200, 2))
    utility = -((points - others) ** 2).sum(axis=-1)
    assert_optimal(sparse(utility, rng.dirichlet(np.ones(200)), rng.dirichlet(np.ones(200)), temperature))


@pytest.mark.parametrize(
    ("gap", "expected"),
    [(1.0, 0.5), (0.5, 0.5), (0.25, 0.375), (0.0, 0.25), (-0.25, 0.125), (-2.0, 0.0)],
)
def test_two_by_two(gap: float, expected: float) -> None:
    """With masses 1/2 and T = 1 the diagonal has 1/4 + gap / 2 each, within 0 and 1/2."""
    result = sparse([[gap, 0.0], [0.0, gap]], [0.5, 0.5], [0.5, 0.5], 1.0)
    np.testing.assert_allclose(np.diag(result.coupling), expected, rtol=0, atol=TOLERANCE)
    assert_optimal(result)


def test_zero_masses_and_forbidden_pairs() -> None:
    utility = np.array([[0.0, 1.0, -np.inf], [2.0, 0.0, 0.5], [1.0, -np.inf, 1.0]])
    result = sparse(utility, [0.5, 0.0, 0.5], AtMost([0.75, 0.5, 0.25]), 0.5)
    assert_optimal(result)
    assert np.all(result.coupling[~np.isfinite(utility)] == 0)
    assert np.all(result.coupling[1] == 0)
    assert result.row_potential[1] == -np.inf


def test_a_capacity_nobody_may_use_stays_empty() -> None:
    utility = [[1.0, -np.inf], [0.5, -np.inf]]
    for rows in (AtMost([0.5, 0.5]), Fixed([0.5, 0.5])):
        result = sparse(utility, rows, AtMost([1.0, 1.0]), 1.0)
        np.testing.assert_array_equal(result.column_sums[1], 0.0)
        assert result.column_potential[1] == 0.0


@given(seed=st.integers(0, 2**32 - 1), temperature=st.sampled_from([1e-6, 0.1, 1.0, 10.0]), by_row=st.booleans())
def test_a_free_side_is_a_sparsemax_by_row(seed: int, temperature: float, by_row: bool) -> None:
    rng = np.random.default_rng(seed)
    utility, mass = rng.normal(size=(4, 6)), rng.random(4) + 0.1
    mass[rng.random(4) < 0.2] = 0.0
    mass[0] = 0.3
    result = (
        sparse(utility, mass, Free(), temperature)
        if by_row
        else sparse(np.ascontiguousarray(utility.T), Free(), mass, temperature)
    )
    coupling = result.coupling if by_row else result.coupling.T
    for row, u, held in zip(coupling, utility, mass, strict=True):
        expected = held * Sparsemax(held * temperature).probabilities(u) if held else np.zeros(6)
        np.testing.assert_allclose(row, expected, rtol=0, atol=TOLERANCE)
    assert_optimal(result)


def test_a_capacity_against_a_free_side_fills_only_with_what_is_worth_it() -> None:
    result = sparse([[0.5, 0.25, -1.0], [4.0, 3.0, 0.0], [-1.0, -2.0, -3.0]], AtMost([2.0, 2.0, 2.0]), Free(), 1.0)
    np.testing.assert_allclose(result.coupling, [[0.5, 0.25, 0], [1.5, 0.5, 0], [0, 0, 0]], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.row_potential, [0, -2.5, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(result.row_outside, [1.25, 0, 2], rtol=0, atol=1e-12)
    assert abs(result.gap) <= 1e-12


def test_two_free_sides_are_one_sparsemax() -> None:
    utility = np.array([[1.0, 0.5], [-1.0, 0.75]])
    result = sparse(utility, Free(), Free(), 0.5, total_mass=2.0)
    expected = 2.0 * Sparsemax(1.0).probabilities(utility.ravel()).reshape(2, 2)
    np.testing.assert_allclose(result.coupling, expected, rtol=0, atol=1e-12)
    assert abs(result.gap) <= 1e-12


@pytest.mark.parametrize("kinds", PAIRS)
def test_a_general_optimiser_finds_the_same_dual(kinds: tuple[type, type]) -> None:
    rng = np.random.default_rng(4)
    utility, t, (rows, columns) = rng.normal(size=(5, 4)), 0.7, sides(kinds, rng, 5, 4)
    masses = np.concatenate([np.asarray(rows.mass), np.asarray(columns.mass)])

    def dual(potentials: FloatArray) -> tuple[float, FloatArray]:
        flow = np.maximum(utility + potentials[:5, None] + potentials[5:], 0.0)
        sums = np.concatenate((flow.sum(axis=1), flow.sum(axis=0)))
        return float((flow**2).sum() / (2 * t) - potentials @ masses), sums / t - masses

    ceilings = [
        (None, 0.0 if kind is AtMost else None) for kind, size in zip(kinds, (5, 4), strict=True) for _ in range(size)
    ]
    found = minimize(
        dual,
        np.zeros(9) - 0.5,
        jac=True,
        bounds=ceilings,
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000},
    )
    result = sparse(utility, rows, columns, t)
    assert result.dual == pytest.approx(found.fun, abs=1e-8)
    assert result.primal == pytest.approx(found.fun, abs=1e-8)


@pytest.mark.filterwarnings("ignore:scipy.optimize:DeprecationWarning")  # POT's own
def test_pot_finds_the_same_coupling() -> None:
    import ot

    rng = np.random.default_rng(8)
    utility, a, b = rng.random((6, 8)), rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(8))
    theirs = ot.smooth.smooth_ot_dual(a, b, -utility, 0.3, reg_type="l2", numItermax=5000, stopThr=1e-12)
    np.testing.assert_allclose(sparse(utility, a, b, 0.3).coupling, theirs, rtol=0, atol=1e-5)


def test_a_low_temperature_reaches_the_vertex_itself() -> None:
    utility = np.random.default_rng(3).random((8, 8))
    hard = solve_assignment(utility, np.ones(8), np.ones(8), temperature=0.0)
    np.testing.assert_allclose(sparse(utility, np.ones(8), np.ones(8), 1e-4).coupling, hard.coupling, rtol=0, atol=1e-8)
    at_zero = sparse(utility, np.ones(8), np.ones(8), 0.0)
    np.testing.assert_array_equal(at_zero.coupling, hard.coupling)


def test_too_few_iterations_are_told() -> None:
    rng = np.random.default_rng(2)
    utility, a, b = rng.random((10, 10)), rng.dirichlet(np.ones(10)), rng.dirichlet(np.ones(10))
    with pytest.raises(ConvergenceError, match="raise max_iterations"):
        sparse(utility, a, b, 0.01, max_iterations=2)
    result = sparse(utility, a, b, 0.01, max_iterations=2, on_failure="return")
    assert not result.converged
    assert result.status == "max_iterations"
    assert result.gap > 0


@pytest.mark.parametrize(
    ("rows", "columns", "reference", "message"),
    [
        (Relaxed([1.0], 1.0), [1.0], "counting", "serves Fixed, AtMost and Free sides, found Relaxed"),
        ([1.0], WithOutsideOption([1.0]), "counting", "found WithOutsideOption: use Softmax"),
        ([1.0], [1.0], "product", "the sparse rule has no reference"),
    ],
)
def test_what_the_sparse_rule_does_not_serve(rows: object, columns: object, reference: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        sparse([[0.0]], rows, columns, 1.0, reference=reference)


def test_phases_are_called_as_those_of_the_solver_with_entropy() -> None:
    result = solve_problem(market(rule=Sparsemax(), temperature=0.01))
    assert result.history.phase[-1] == "Newton at T = 0.01"
    assert all(phase.startswith("Newton at T = ") for phase in result.history.phase)
