"""Quasi-random nodes: evenly spread, unbiased, by address, and honest about their error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from choicekit.choice.heterogeneity.quasi_random import (
    QuasiRandomNodes,
    shifted_uniforms,
    sobol_integers,
    standard_error,
)
from choicekit.errors import InvalidInputError
from choicekit.random import Draws, Stage, alternative_words, identifier_words
from tests.tolerances import P_VALUE, assert_monte_carlo

AGENTS = np.arange(40, dtype=np.uint64)
NAMES = ("b_cost", "b_time", "b_comfort")


def nodes_of(nodes: QuasiRandomNodes, agents: np.ndarray) -> np.ndarray:
    """All uniforms, shape (S, M, n, D)."""
    found = np.empty((nodes.n_shifts, nodes.n_points, len(agents), len(nodes.names)))
    for shift, point, uniform in nodes.uniforms(agents):
        found[shift, point] = uniform
    return found


def averages(nodes: QuasiRandomNodes, agents: np.ndarray, function: object) -> np.ndarray:
    """Average over the points of each shift, shape (S, n)."""
    total = np.zeros((nodes.n_shifts, len(agents)))
    for shift, _, uniform in nodes.uniforms(agents):
        total[shift] += function(uniform)  # type: ignore[operator]
    return total / nodes.n_points


def test_the_first_points_are_those_of_joe_and_kuo() -> None:
    """The ten points in three dimensions that they publish with their direction numbers."""
    published = [
        [0, 0, 0], [0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625],
        [0.875, 0.875, 0.125], [0.625, 0.125, 0.875], [0.125, 0.625, 0.375], [0.1875, 0.3125, 0.9375],
        [0.6875, 0.8125, 0.4375],
    ]  # fmt: skip
    np.testing.assert_array_equal(sobol_integers(16, 3)[:10] / 2**32, published)
    np.testing.assert_array_equal(sobol_integers(8, 3), sobol_integers(16, 3)[:8])
    with pytest.raises(ValueError, match="read-only"):
        sobol_integers(8, 3)[0, 0] = 1


@pytest.mark.parametrize("seed", [1, 2])
def test_every_elementary_interval_is_met_once_by_each_agent_and_shift(seed: int) -> None:
    nodes = QuasiRandomNodes(seed=seed, names=NAMES, n_points=64)
    found = nodes_of(nodes, AGENTS)
    assert np.all((found > 0) & (found < 1))
    for column in range(3):  # intervals of one coefficient
        cells = np.sort(np.floor(found[..., column] * 64), axis=1)
        np.testing.assert_array_equal(cells, np.broadcast_to(np.arange(64.0)[None, :, None], cells.shape))
    for power in range(1, 6):  # boxes of 2^-power by 2^-(6 - power): the first two coordinates are a (0, 6, 2)-net
        box = np.floor(found[..., 0] * 2**power) * 2 ** (6 - power) + np.floor(found[..., 1] * 2 ** (6 - power))
        cells = np.sort(box, axis=1)
        np.testing.assert_array_equal(cells, np.broadcast_to(np.arange(64.0)[None, :, None], cells.shape))


def test_every_node_is_uniform_over_agents_and_shifts() -> None:
    nodes = QuasiRandomNodes(seed=5, names=NAMES, n_points=4)
    found = nodes_of(nodes, np.arange(2000, dtype=np.uint64))
    for point in range(4):
        for column in range(3):
            assert stats.kstest(found[:, point, :, column].ravel(), "uniform").pvalue >= P_VALUE
    flat = found[:, 0].reshape(-1, 3)
    assert_monte_carlo(np.corrcoef(flat.T)[np.triu_indices(3, 1)], 0.0, 1 / np.sqrt(len(flat)))
    shifts = found[:, 0, :, 0]
    assert_monte_carlo(np.corrcoef(shifts)[np.triu_indices(8, 1)], 0.0, 1 / np.sqrt(shifts.shape[1]))


def test_the_shifts_are_the_addressed_words() -> None:
    """A point of zero leaves the uniform of the draw scheme as it is."""
    nodes = QuasiRandomNodes(seed=9, names=NAMES, n_points=2)
    draws = Draws(seed=9, stage=Stage.INTEGRATION, rows=AGENTS, alternatives=alternative_words(list(NAMES)))
    for shift, point, uniform in nodes.uniforms(AGENTS):
        if point == 0:
            np.testing.assert_array_equal(uniform, draws.uniforms(shift))
    assert not nodes.points[0].any()


@given(st.permutations(range(12)), st.integers(0, 11), st.integers(8, 11))
def test_an_agent_has_the_same_nodes_in_any_company(order: list[int], first: int, n_shifts: int) -> None:
    nodes = QuasiRandomNodes(seed=3, names=NAMES, n_points=4, n_shifts=n_shifts)
    agents = identifier_words([f"agent {number}" for number in range(12)])
    found = nodes_of(nodes, agents)
    np.testing.assert_array_equal(nodes_of(nodes, agents[order]), found[:, :, order])
    np.testing.assert_array_equal(nodes_of(nodes, agents[first:]), found[:, :, first:])
    np.testing.assert_array_equal(nodes_of(nodes, agents[[first, first]])[:, :, 1], found[:, :, first])


def test_seeds_names_and_more_points() -> None:
    nodes = QuasiRandomNodes(seed=3, names=NAMES, n_points=16)
    found = nodes_of(nodes, AGENTS)
    other_seed = nodes_of(QuasiRandomNodes(seed=4, names=NAMES, n_points=16), AGENTS)
    assert not np.any(found == other_seed)
    other_name = nodes_of(QuasiRandomNodes(seed=3, names=("b_cost", "b_time", "asc"), n_points=16), AGENTS)
    np.testing.assert_array_equal(other_name[..., :2], found[..., :2])
    assert not np.any(other_name[..., 2] == found[..., 2])
    doubled = nodes_of(QuasiRandomNodes(seed=3, names=NAMES, n_points=32), AGENTS)
    np.testing.assert_array_equal(doubled[:, :16], found)
    # the scramble differs by seed: the differences of points, which shifts do not change, differ as well
    assert not np.array_equal(nodes.points, QuasiRandomNodes(seed=4, names=NAMES, n_points=16).points)
    assert repr(nodes) == "QuasiRandomNodes(b_cost, b_time, b_comfort: 8 shifts of 16 points)"


def share(uniform: np.ndarray) -> np.ndarray:
    """Probability of a logit with a normal coefficient, -0.5 + 1.5 z."""
    return np.asarray(special.expit(-0.5 + 1.5 * special.ndtri(uniform[:, 0])))


def exact_share() -> float:
    z = np.linspace(-8.5, 8.5, 20_001)
    return float(integrate.trapezoid(special.expit(-0.5 + 1.5 * z) * stats.norm.pdf(z), z))


def test_averages_are_unbiased_and_their_errors_are_what_is_said() -> None:
    agents = np.arange(2000, dtype=np.uint64)
    by_shift = averages(QuasiRandomNodes(seed=7, names=NAMES, n_points=16), agents, share)
    mean, error = by_shift.mean(axis=0), standard_error(by_shift)
    assert_monte_carlo(mean.mean(), exact_share(), mean.std(ddof=1) / np.sqrt(len(agents)))
    # sd of the averages over agents against the mean of the squared errors: both of the same variance
    assert np.sqrt((error**2).mean()) == pytest.approx(mean.std(ddof=1), rel=0.06)
    t = (mean - exact_share()) / error
    assert np.mean(np.abs(t) < stats.t.ppf(0.975, 7)) == pytest.approx(0.95, abs=0.03)


def test_512_nodes_integrate_to_a_few_ten_thousandths() -> None:
    agents = np.arange(300, dtype=np.uint64)
    nodes = QuasiRandomNodes(seed=1, names=NAMES, n_points=64)
    assert nodes.n_nodes == 512
    of_share = averages(nodes, agents, share).mean(axis=0) - exact_share()
    assert np.sqrt((of_share**2).mean()) < 2e-4  # random draws: 1e-2
    # exp grows without bound, which costs most: one agent is 3e-2 off, where random draws are 1e-1
    of_exp = averages(nodes, agents, lambda uniform: np.exp(special.ndtri(uniform[:, 0]))).mean(axis=0) - np.exp(0.5)
    assert np.sqrt((of_exp**2).mean()) < 0.35 * np.sqrt((np.exp(2) - np.exp(1)) / 512)


def test_the_error_falls_faster_than_that_of_random_draws() -> None:
    def rmse(n_points: int, dimensions: int) -> float:
        errors = []
        for seed in range(8):  # how good a scramble is differs
            nodes = QuasiRandomNodes(seed=seed, names=NAMES[:dimensions], n_points=n_points)
            errors.append(averages(nodes, AGENTS, lambda u: special.expit(special.ndtri(u).sum(axis=1))) - 0.5)
        return float(np.sqrt(np.mean(np.square(np.mean(errors, axis=1)))))

    for dimensions, factor in ((1, 20.0), (2, 15.0), (3, 10.0)):  # random draws: 16 times the points, a quarter
        assert rmse(16, dimensions) / rmse(256, dimensions) > factor


def test_doubling_agrees_within_three_standard_errors_of_the_difference() -> None:
    agents = np.arange(500, dtype=np.uint64)
    function = lambda u: special.expit(1.0 + special.ndtri(u) @ np.array([1.0, -0.5, 2.0]))  # noqa: E731
    few, many = (
        averages(QuasiRandomNodes(seed=6, names=NAMES, n_points=n), agents, function).mean(axis=1) for n in (64, 128)
    )
    assert abs((few - many).mean()) <= 3 * standard_error(few - many)
    assert standard_error(many) < standard_error(few)


def test_numbers_out_of_range_are_refused() -> None:
    for wrong, near in ((100, "128"), (0, "1"), (-4, "1"), (2**33, "4,294,967,296"), (2.0, "1"), (True, "1")):
        with pytest.raises(InvalidInputError, match=f"must be a power of two up to 2.32, found {wrong}: try {near}$"):
            QuasiRandomNodes(seed=1, names=NAMES, n_points=wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="at least 8 shifts, so that these tell their error, found 4"):
        QuasiRandomNodes(seed=1, names=NAMES, n_shifts=4)
    with pytest.raises(InvalidInputError, match="distinct names, found"):
        QuasiRandomNodes(seed=1, names=["a", "a"])
    with pytest.raises(
        InvalidInputError, match="from 1 to 21,201 dimensions, one for each random coefficient, found 0"
    ):
        QuasiRandomNodes(seed=1, names=[])
    with pytest.raises(InvalidInputError, match="found 21,202"):
        sobol_integers(2, 21_202)
    with pytest.raises(InvalidInputError, match="at least two shifts"):
        standard_error([1.0])


def test_a_shifted_point_is_never_0_and_never_1() -> None:
    top = np.array([2**52 - 1], dtype=np.uint64)
    ends = shifted_uniforms(top, np.array([[0], [2**52 - 1]], dtype=np.uint64))
    assert ends[0, 0] == 1 - 2.0**-53
    assert ends[1, 0] == 2.0**-53


def test_standard_errors_are_those_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(size=(8, 5, 2))
    np.testing.assert_allclose(standard_error(values), stats.sem(values, axis=0))
