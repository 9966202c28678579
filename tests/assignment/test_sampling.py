"""Sampled matchings: sums exactly, expectations within their standard errors, negative correlation, addresses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit import (
    AssignmentProblem,
    AtMost,
    ConvergenceError,
    Fixed,
    Free,
    InvalidInputError,
    Relaxed,
    WithOutsideOption,
    sample_assignment,
    solve_assignment,
)
from choicekit.assignment import sampling, solve_problem
from choicekit.assignment.sampling_kernels import round_dependently, round_dependently_by_numpy

DRAWS = 1500


def solved(seed: int, n: int, m: int, kind: str, temperature: float = 0.7):
    """Return the coupling of a random problem with whole masses, some of them 0 and some pairs forbidden."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, size=n).astype(float)
    rows[0] += 1
    room = rng.multinomial(int(rows.sum()), np.full(m, 1 / m)).astype(float)
    utility = rng.normal(size=(n, m))
    if kind == "slack":
        return solve_assignment(utility, Fixed(rows), AtMost(room + 1), temperature=temperature)
    if kind == "singles":
        utility[rng.random((n, m)) < 0.2] = -np.inf
        utility[0, room.argmax()] = 0.0  # somebody may have somebody
        sides = WithOutsideOption(rows), WithOutsideOption(room)
        return solve_assignment(utility, *sides, temperature=temperature)
    if kind == "free":
        return solve_assignment(utility, Fixed(rows), Free(), temperature=temperature)
    if kind == "relaxed":
        return solve_assignment(utility, Relaxed(rows + 1, 1.0), Fixed(room + 1), temperature=max(temperature, 0.05))
    return solve_assignment(utility, Fixed(rows), Fixed(room), temperature=temperature)


problems = st.builds(
    solved,
    st.integers(0, 10**6),
    st.integers(1, 7),
    st.integers(1, 6),
    st.sampled_from(["fixed", "slack", "singles", "free", "relaxed"]),
    st.sampled_from([0.0, 0.05, 0.7, 20.0]),
)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["fixed", "slack", "singles", "free"]),
    temperature=st.sampled_from([0.0, 0.05, 0.7, 20.0]),
)
def test_sums_are_whole_masses(seed: int, kind: str, temperature: float) -> None:
    rng = np.random.default_rng(seed)
    result = solved(seed, int(rng.integers(1, 8)), int(rng.integers(1, 7)), kind, temperature)
    sample = sample_assignment(result, seed=3, replications=3)
    rows = np.asarray(result.problem.rows.mass)
    assert (sample.counts.sum(axis=2) + sample.row_outside == rows).all()
    if kind != "free":
        assert (sample.counts.sum(axis=1) + sample.column_outside == np.asarray(result.problem.columns.mass)).all()
    expected = result.rounded_coupling
    assert (np.abs(sample.counts - expected) < 1 + 1e-9).all()
    alone = sample_assignment(result, seed=3, replications=3, method="independent")
    assert (alone.counts.sum(axis=2) + alone.row_outside == rows).all()
    assert (sample.counts[:, expected == 0] == 0).all()
    assert (alone.counts[:, expected == 0] == 0).all()


@pytest.mark.parametrize(
    ("kind", "method"),
    [(kind, "dependent") for kind in ("fixed", "slack", "singles", "relaxed")]
    + [(kind, "independent") for kind in ("fixed", "slack", "singles")],
)
def test_means_are_the_coupling(kind: str, method: str) -> None:
    result = solved(11, 5, 4, kind)
    counts = sample_assignment(result, seed=1, method=method, replications=DRAWS).counts
    standard_error = np.maximum(counts.std(axis=0), 1e-3) / np.sqrt(DRAWS)
    assert (np.abs(counts.mean(axis=0) - result.rounded_coupling) < 5 * standard_error).all()


def test_cells_of_a_row_and_of_a_column_are_negatively_correlated() -> None:
    result = solved(5, 6, 5, "slack")
    sample = sample_assignment(result, seed=2, replications=DRAWS)
    counts = sample.counts - np.floor(result.rounded_coupling + 1e-9)
    for table in (counts, counts.transpose(0, 2, 1)):
        for line in range(table.shape[1]):
            cells = table[:, line]
            both = np.einsum("ri,rj->rij", cells, cells)
            excess = both.mean(axis=0) - np.outer(cells.mean(axis=0), cells.mean(axis=0))
            error = both.std(axis=0) / np.sqrt(DRAWS)
            off = ~np.eye(len(excess), dtype=bool)
            assert (excess[off] <= 5 * error[off] + 1e-12).all()
    alone = sample_assignment(result, seed=2, method="independent", replications=DRAWS).counts
    assert alone.sum(axis=1).var(axis=0).sum() > sample.counts.sum(axis=1).var(axis=0).sum()


def test_a_fair_square_has_two_outcomes() -> None:
    result = solve_assignment(np.zeros((2, 2)), [1.0, 1.0], [1.0, 1.0], temperature=1.0)
    counts = sample_assignment(result, seed=1, replications=DRAWS).counts
    assert (counts[:, 0, 0] == counts[:, 1, 1]).all()
    assert (counts[:, 0, 0] + counts[:, 0, 1] == 1).all()
    assert abs(counts[:, 0, 0].mean() - 0.5) < 5 * 0.5 / np.sqrt(DRAWS)


def test_successive_replications_do_not_resemble_each_other() -> None:
    result = solve_assignment(np.zeros((2, 2)), [1.0, 1.0], [1.0, 1.0], temperature=1.0)
    first = sample_assignment(result, seed=1, replications=DRAWS).counts[:, 0, 0]
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 5 / np.sqrt(DRAWS)


@settings(max_examples=60, deadline=None)
@given(result=problems, replication=st.integers(0, 5))
def test_the_loop_equals_its_twin(result, replication: int) -> None:
    table = sampling._Table.of(result, "dependent")
    parts = table.mass - np.floor(table.mass + 1e-9)
    other = parts.copy()
    round_dependently(parts, table.whole, np.uint64(77), replication % 2)
    round_dependently_by_numpy(other, table.whole, np.uint64(77), replication % 2)
    assert (parts == other).all()
    assert np.isin(parts, (0.0, 1.0)).all()


def test_a_matching_depends_on_its_own_number_only() -> None:
    result = solved(3, 6, 4, "singles")
    many = sample_assignment(result, seed=9, replications=5)
    for number in range(5):
        one = sample_assignment(result, seed=9, first_replication=number)
        assert (one.counts[0] == many.counts[number]).all()
        assert (one.row_outside[0] == many.row_outside[number]).all()


@pytest.mark.parametrize("method", ["dependent", "independent"])
def test_order_is_of_no_consequence(method: str) -> None:
    rng = np.random.default_rng(4)
    utility, rows, columns = rng.normal(size=(6, 4)), np.ones(6), np.array([1.0, 2, 2, 1])
    names = [f"r{place}" for place in range(6)], [f"c{place}" for place in range(4)]
    moved = rng.permutation(6), rng.permutation(4)

    def drawn(by_row: np.ndarray, by_column: np.ndarray) -> np.ndarray:
        problem = AssignmentProblem(
            utility=utility[np.ix_(by_row, by_column)],
            rows=Fixed(rows[by_row]),
            columns=Fixed(columns[by_column]),
            temperature=1.0,
            row_names=tuple(names[0][place] for place in by_row),
            column_names=tuple(names[1][place] for place in by_column),
        )
        return sample_assignment(solve_problem(problem), seed=1, method=method, replications=20).counts

    straight = drawn(np.arange(6), np.arange(4))
    assert (drawn(*moved) == straight[:, moved[0]][:, :, moved[1]]).all()


def test_positions_and_frame() -> None:
    result = solve_assignment(np.zeros((3, 2)), AtMost([1.0, 1.0, 0.0]), Fixed([1.0, 0.0]), temperature=1.0)
    sample = sample_assignment(result, seed=1)
    assert sorted(sample.positions[0].tolist()) == [-1, -1, 0]
    assert sample.to_frame()[["column", "count"]].to_numpy().tolist() == [[0, 1]]
    crowd = sample_assignment(solved(1, 3, 1, "fixed"), seed=1)
    with pytest.raises(InvalidInputError, match="rows that stand for one each"):
        _ = crowd.positions


def test_what_is_refused() -> None:
    result = solve_assignment(np.zeros((2, 2)), [0.5, 0.5], [0.5, 0.5], temperature=1.0)
    with pytest.raises(InvalidInputError, match=r"row masses that are whole numbers, found 0.5 for row 0 and 1 more"):
        sample_assignment(result, seed=1)
    with pytest.raises(InvalidInputError, match="method must be one of dependent, independent, found 'lottery'"):
        sample_assignment(result, seed=1, method="lottery")
    relaxed = solved(11, 5, 4, "relaxed")
    with pytest.raises(InvalidInputError, match="take method='dependent'"):
        sample_assignment(relaxed, seed=1, method="independent")
    with pytest.raises(InvalidInputError, match="seed must be"):
        sample_assignment(relaxed, seed=-1)
    with pytest.raises(InvalidInputError, match="replications must be"):
        sample_assignment(relaxed, seed=1, replications=0)
    rough = solve_assignment(
        np.random.default_rng(1).normal(size=(9, 9)), np.ones(9), np.ones(9), temperature=0.01, max_iterations=1,
        on_failure="return",
    )  # fmt: skip
    with pytest.raises(ConvergenceError, match="only a converged coupling is sampled"):
        sample_assignment(rough, seed=1)
