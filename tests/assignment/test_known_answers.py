"""Assignments whose answers are known: on paper, from a softmax, from linear programs and from POT."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from choicekit.assignment import AtMost, Fixed, Free, Relaxed, WithOutsideOption, solve_assignment
from choicekit.rules import Softmax

DIGITS = 1e-7  # answers are stated to seven decimals, of which the last may be cut off instead of rounded
TWO = [[0.0, -1.0], [-1.0, 0.0]]
HALVES = [0.5, 0.5]


def grid(mean: float, deviation: float, spacing: float) -> tuple[np.ndarray, np.ndarray]:
    """Points up to 8 standard deviations from the mean, and the normal law on them.

    Sums over an even grid approximate integrals of smooth functions that vanish at its ends to exp(-2 (pi s / h)^2)
    for features of width s at spacing h: here less than 1e-8, so that answers agree in all digits stated.
    """
    points = np.arange(-8.0, 8.0 + spacing / 2, spacing)
    mass = np.exp(-0.5 * points**2)
    return mean + deviation * points, mass / mass.sum()


# --- two by two -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "reference", "diagonal", "other"),
    [
        (Fixed(HALVES), "counting", 0.36552929, 0.13447071),
        (Fixed(HALVES), "product", 0.36552929, 0.13447071),
        (Relaxed(HALVES, 1.0), "product", 0.3220536, 0.1184769),
        (Relaxed(HALVES, 1.0), "counting", 0.5112281, 0.1880703),
    ],
)
def test_two_by_two(rows: Any, reference: Any, diagonal: float, other: float) -> None:
    result = solve_assignment(TWO, rows, rows, temperature=1.0, reference=reference)
    np.testing.assert_allclose(result.coupling, [[diagonal, other], [other, diagonal]], rtol=0, atol=DIGITS)


def test_two_by_two_relaxed_is_solved_on_paper() -> None:
    """By symmetry one potential is left: mass exp(-f) = R exp(2 f) (1 + 1 / e), R being 1 or mass^2."""
    ratio = 0.5 / (1 + np.exp(-1.0))
    for reference, weight in (("counting", 1.0), ("product", 0.25)):
        lift = (ratio / weight) ** (1 / 3)
        found = solve_assignment(TWO, Relaxed(HALVES, 1.0), Relaxed(HALVES, 1.0), temperature=1.0,
                                 reference=reference)  # type: ignore[arg-type]  # fmt: skip
        assert found.coupling[0, 0] == pytest.approx(weight * lift**2, abs=1e-9)


# --- normal laws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.3, 1.0, 2.5])
def test_a_product_of_normal_traits_makes_a_bivariate_normal_coupling(strength: float) -> None:
    x, mass = grid(0.0, 1.0, 0.1)
    coupling = solve_assignment(strength * np.outer(x, x), mass, mass, temperature=1.0, tolerance=1e-11).coupling
    correlation = (np.sqrt(1 + 4 * strength**2) - 1) / (2 * strength)
    assert x @ coupling @ x == pytest.approx(correlation, abs=DIGITS)
    if strength == 1.0:
        assert correlation == pytest.approx(0.6180340, abs=DIGITS)
    density = np.exp(-0.5 * (x[:, None] ** 2 - 2 * correlation * np.outer(x, x) + x**2) / (1 - correlation**2))
    np.testing.assert_allclose(coupling, density / density.sum(), rtol=0, atol=1e-9)


@pytest.mark.parametrize(("temperature", "cost"), [(1.0, 3.2243567), (0.1, 2.2347565)])
def test_the_entropic_cost_between_two_normal_laws(temperature: float, cost: float) -> None:
    """<P, C> + T KL(P | a x b), which is T less the objective under the product reference, of total mass 1."""
    (x, row_mass), (y, column_mass) = grid(0.0, 1.0, 0.08), grid(1.0, 2.0, 0.08)
    result = solve_assignment(
        -((x[:, None] - y) ** 2), row_mass, column_mass, temperature=temperature, reference="product", tolerance=1e-11
    )
    assert temperature - result.primal == pytest.approx(cost, abs=1e-7)
    assert temperature - result.dual == pytest.approx(cost, abs=1e-7)
    p = result.coupling[result.coupling > 0]
    relative = (result.coupling / np.outer(row_mass, column_mass))[result.coupling > 0]
    summed = np.vdot(result.coupling, (x[:, None] - y) ** 2) + temperature * float(p @ np.log(relative))
    assert summed == pytest.approx(cost, abs=1e-7)


# --- outside options ------------------------------------------------------------------------------------------------


def test_one_type_on_either_side_marries_and_stays_single_in_equal_parts() -> None:
    result = solve_assignment([[0.0]], WithOutsideOption([1.0]), WithOutsideOption([1.0]), temperature=2.0)
    for found in (result.coupling[0, 0], result.row_outside[0], result.column_outside[0]):
        assert found == pytest.approx(0.5, abs=DIGITS)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_marriages_follow_choo_and_siow(temperature: float) -> None:
    random = np.random.default_rng(1)
    surplus, men, women = random.normal(size=(4, 3)), random.uniform(0.5, 2.0, 4), random.uniform(0.5, 2.0, 3)
    result = solve_assignment(surplus, WithOutsideOption(men), WithOutsideOption(women), temperature=temperature)
    singles = result.row_outside, result.column_outside
    np.testing.assert_allclose(
        result.coupling, np.sqrt(np.outer(*singles)) * np.exp(surplus / temperature), rtol=1e-12, atol=0
    )
    np.testing.assert_allclose(result.row_sums + singles[0], men, rtol=0, atol=1e-8)
    np.testing.assert_allclose(result.column_sums + singles[1], women, rtol=0, atol=1e-8)


# --- free sides -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.2, 1.0])
def test_a_free_side_leaves_a_softmax(temperature: float) -> None:
    utility, mass = np.random.default_rng(2).normal(size=(4, 3)), np.array([0.5, 2.0, 1.0, 0.0])
    softmax = Softmax(temperature)
    by_row = solve_assignment(utility, mass, Free(), temperature=temperature).coupling
    np.testing.assert_allclose(by_row, mass[:, None] * softmax.probabilities(utility), rtol=1e-13, atol=0)
    by_column = solve_assignment(utility.T, Free(), mass, temperature=temperature).coupling
    np.testing.assert_allclose(by_column, by_row.T, rtol=1e-13, atol=0)
    of_all = solve_assignment(utility, Free(), Free(), temperature=temperature, total_mass=3.0).coupling
    np.testing.assert_allclose(of_all.ravel(), 3.0 * softmax.probabilities(utility.ravel()), rtol=1e-13, atol=0)
    of_one = solve_assignment(utility, Free(), Free(), temperature=temperature)
    assert of_one.coupling.sum() == pytest.approx(1.0, abs=1e-14)


def test_an_outside_option_against_a_free_side_is_one_alternative_more() -> None:
    utility, mass = np.random.default_rng(3).normal(size=(4, 3)), np.array([0.5, 2.0, 1.0, 0.1])
    result = solve_assignment(utility, WithOutsideOption(mass), Free(), temperature=0.7)
    expected = mass[:, None] * Softmax(0.7).probabilities(np.column_stack([utility, np.zeros(4)]))
    np.testing.assert_allclose(result.coupling, expected[:, :3], rtol=1e-13, atol=0)
    np.testing.assert_allclose(result.row_outside, expected[:, 3], rtol=1e-13, atol=0)


def test_enough_room_is_no_condition() -> None:
    utility, mass = np.random.default_rng(4).normal(size=(4, 3)), np.full(4, 0.25)
    with_room = solve_assignment(utility, mass, AtMost([9.0, 9.0, 9.0]), temperature=0.7)
    free = solve_assignment(utility, mass, Free(), temperature=0.7)
    np.testing.assert_allclose(with_room.coupling, free.coupling, rtol=0, atol=1e-12)
    assert not with_room.column_potential.any()


# --- other packages -------------------------------------------------------------------------------------------------


def random_problem(seed: int, scale: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Utilities with ties, and masses of total 1 of which one on either side is 0."""
    random = np.random.default_rng(seed)
    utility = scale * np.round(2 * random.normal(size=(6, 7))) / 2
    masses = [random.dirichlet(np.ones(size)) for size in utility.shape]
    for mass in masses:
        mass[random.integers(mass.size)] = 0.0
        mass /= mass.sum()
    return utility, masses[0], masses[1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("temperature", [10.0, 1.0, 0.1])
def test_pot_finds_the_same_balanced_coupling(seed: int, temperature: float) -> None:
    import ot

    utility, a, b = random_problem(seed)
    found = solve_assignment(utility, a, b, temperature=temperature, tolerance=1e-11)
    rows, columns = a > 0, b > 0  # POT takes logarithms of all masses
    theirs = np.zeros_like(utility)
    theirs[np.ix_(rows, columns)] = ot.sinkhorn(
        a[rows], b[columns], -utility[np.ix_(rows, columns)], temperature, method="sinkhorn_log",
        stopThr=1e-12, numItermax=100_000,
    )  # fmt: skip
    np.testing.assert_allclose(found.coupling, theirs, rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore:If reg_type = entropy")
@pytest.mark.parametrize(("reference", "regulariser"), [("product", "kl"), ("counting", "entropy")])
def test_pot_finds_the_same_relaxed_coupling(reference: Any, regulariser: str) -> None:
    import ot

    random = np.random.default_rng(5)
    utility, a, b = random.normal(size=(5, 4)), random.uniform(0.1, 1.0, 5), random.uniform(0.1, 1.0, 4)
    found = solve_assignment(utility, Relaxed(a, 0.8), Relaxed(b, 0.8), temperature=0.5, reference=reference)
    theirs = ot.unbalanced.sinkhorn_unbalanced(
        a, b, -utility, 0.5, 0.8, reg_type=regulariser, stopThr=1e-14, numItermax=10_000
    )
    np.testing.assert_allclose(found.coupling, theirs, rtol=0, atol=1e-8)


def best_by_linear_program(utility: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    n, m = utility.shape
    sums = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    found = optimize.linprog(-utility.ravel(), A_eq=sums, b_eq=np.concatenate([a, b]), method="highs")
    assert found.success
    return -float(found.fun)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_hard_end_is_a_linear_program(seed: int, scale: float) -> None:
    utility, a, b = random_problem(seed, scale)
    best = best_by_linear_program(utility, a, b)
    hard = solve_assignment(utility, a, b, temperature=0.0)
    assert np.vdot(hard.coupling, utility) == pytest.approx(best, abs=1e-9 * scale)
    for temperature in scale * np.array([1e-1, 1e-2, 1e-3]):
        found = solve_assignment(utility, a, b, temperature=temperature).rounded_coupling
        # entropy relative to the product of masses is at most that of either side
        entropy = min(float(-mass[mass > 0] @ np.log(mass[mass > 0])) for mass in (a, b))
        lost = best - float(np.vdot(found, utility))
        assert -1e-9 * scale <= lost <= temperature * entropy + 1e-7 * scale


@pytest.mark.parametrize("seed", range(3))
def test_the_hard_end_of_equal_masses_is_a_permutation(seed: int) -> None:
    utility = np.random.default_rng(seed).normal(size=(7, 7))
    rows, columns = optimize.linear_sum_assignment(utility, maximize=True)
    best = np.zeros((7, 7))
    best[rows, columns] = 1.0
    np.testing.assert_allclose(solve_assignment(utility, np.ones(7), np.ones(7), temperature=0.0).coupling, best)
    soft = solve_assignment(utility, np.ones(7), np.ones(7), temperature=1e-3, on_failure="return")
    np.testing.assert_allclose(soft.rounded_coupling, best, rtol=0, atol=1e-6)
