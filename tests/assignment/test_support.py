"""Which pairs a coupling can use: held to a linear program, and to messages that name who cannot be served."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from choicekit.assignment import (
    AssignmentProblem,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
    solve_assignment,
)
from choicekit.assignment.flows import route
from choicekit.assignment.support import usable_pairs
from choicekit.errors import InfeasibleMassError

NO = -np.inf


def problem(allowed: Any, rows: Any, columns: Any, temperature: float = 1.0, **others: Any) -> AssignmentProblem:
    table = np.where(np.asarray(allowed, dtype=bool), 0.0, NO)
    return AssignmentProblem(utility=table, rows=rows, columns=columns, temperature=temperature, **others)


def usable_by_program(allowed: np.ndarray, rows: np.ndarray, columns: np.ndarray, equal: bool) -> np.ndarray | None:
    """Pairs with mass in some coupling of whole masses, or None where there is none, by one linear program.

    A usable pair has at least 1 in some vertex, so 1 / (n m) in the mean of those vertices: as much as is asked for.
    """
    n, m = allowed.shape
    cells = n * m
    sums = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    sums = np.hstack([sums, np.zeros((n + m, cells))])
    below = np.hstack([-np.eye(cells), np.eye(cells)])
    bounds = [(0, None if one else 0) for one in allowed.ravel()] + [(0, 1 / cells)] * cells
    cost = np.concatenate([np.zeros(cells), -np.ones(cells)])
    if equal:
        found = linprog(cost, below, np.zeros(cells), sums, np.concatenate([rows, columns]), bounds)
    else:
        upper = np.concatenate([np.zeros(cells), columns])
        found = linprog(cost, np.vstack([below, sums[n:]]), upper, sums[:n], rows, bounds)
    return None if found.status == 2 else (found.x[cells:] > 0.5 / cells).reshape(n, m)


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, bool]:
    rng = np.random.default_rng(seed)
    n, m = (int(size) for size in rng.integers(1, 6, 2))
    allowed = rng.random((n, m)) < rng.choice([0.3, 0.5, 0.8])
    flow = np.where(allowed, rng.integers(0, 3, (n, m)), 0)
    rows, columns = flow.sum(axis=1), flow.sum(axis=0)
    kind = rng.integers(3)
    if kind == 0:
        columns = columns + rng.integers(0, 2, m)
    if kind == 1:
        rows = rng.permutation(rows)
    return allowed, rows.astype(float), columns.astype(float), bool(kind)


@given(case=st.integers(0, 2**32 - 1).map(drawn), turned=st.booleans(), scale=st.sampled_from([1.0, 1 / 3, 1e-9 / 7]))
def test_the_pairs_are_those_of_a_linear_program(case, turned, scale):
    allowed, rows, columns, equal = case
    if not rows.any():
        return
    expected = usable_by_program(allowed, rows, columns, equal)
    sides: list[MarginalCondition] = [Fixed(rows * scale), (Fixed if equal else AtMost)(columns * scale)]
    given_problem = problem(allowed.T, *sides[::-1]) if turned else problem(allowed, *sides)
    if expected is None:
        with pytest.raises(InfeasibleMassError):
            usable_pairs(given_problem)
        return
    found = usable_pairs(given_problem)
    found = np.ones(given_problem.shape, dtype=bool) if found is None else found
    np.testing.assert_array_equal(found.T if turned else found, expected)


@pytest.mark.parametrize(("share", "usable"), [(3e-11, True), (3e-12, False)])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_a_pair_is_empty_where_all_it_can_carry_is_what_masses_are_wrong_by(share, usable, size):
    """The second row fills the second column but for a share of all mass, which only the first row can bring."""
    columns = size * np.array([0.5 - share, 0.5 + share])
    found = usable_pairs(problem([[1, 1], [0, 1]], size * np.array([0.5, 0.5]), columns))
    np.testing.assert_array_equal(found, [[True, usable], [False, True]])


def test_nothing_is_to_be_done_where_all_is_allowed():
    assert usable_pairs(problem(np.ones((2, 3)), [1.0, 2.0], [1.0, 1.0, 1.0])) is None
    assert usable_pairs(problem(np.ones((2, 3)), Free(), Free())) is None


def test_places_without_mass_use_nothing():
    found = usable_pairs(problem(np.ones((2, 3)), [1.0, 0.0], AtMost([1.0, 0.0, 2.0])))
    np.testing.assert_array_equal(found, [[True, False, True], [False, False, False]])


def test_free_sides_use_all_that_is_allowed():
    allowed = [[True, False], [False, False]]
    np.testing.assert_array_equal(usable_pairs(problem(allowed, Free(), Free())), allowed)


@pytest.mark.parametrize("turned", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("size", [3, 30])
def test_a_chain_of_forced_matches_leaves_one_coupling(size, turned):
    # the last may only use the last, the one before only the last two, ...: with equal masses all is forced
    mass = np.full(size, 1.0 / size)
    allowed = np.triu(np.ones((size, size), dtype=bool))
    found = usable_pairs(problem(allowed.T if turned else allowed, mass, mass))
    np.testing.assert_array_equal(found, np.eye(size, dtype=bool))


def test_masses_that_are_equal_but_for_rounding_are_equal():
    # blocks of equal mass, up to how they add up: no mass can leave its block
    rng = np.random.default_rng(5)
    first, second = (rng.random((40, 40)) ** 6 for _ in range(2))
    second *= first.sum() / second.sum()
    blocks = np.block([[first, np.zeros((40, 40))], [np.zeros((40, 40)), second]])
    allowed = np.tril(np.ones((80, 80), dtype=bool)) | (blocks > 0)
    rows, columns = blocks.sum(axis=1) / blocks.sum(), blocks.sum(axis=0) / blocks.sum()
    found = usable_pairs(problem(allowed, rows, columns))
    np.testing.assert_array_equal(found, blocks > 0)


@pytest.mark.parametrize("tiny", [1e-13, 1e-18, 1e-200])
def test_a_place_that_holds_next_to_nothing_is_served_all_the_same(tiny):
    allowed = [[True, True, True], [True, True, False], [False, True, True]]
    found = usable_pairs(problem(allowed, [1.0, tiny, 2.0], [1.0, 2.0, tiny]))
    assert found is not None
    assert found.any(axis=0).all()
    assert found.any(axis=1).all()


def test_few_forbidden_pairs_need_no_flow(monkeypatch):
    def no_flow(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("choicekit.assignment.support.route", no_flow)
    allowed = ~np.eye(5, dtype=bool)
    np.testing.assert_array_equal(usable_pairs(problem(allowed, np.ones(5), np.ones(5))), allowed)
    with pytest.raises(RuntimeError):
        usable_pairs(problem(np.eye(5, dtype=bool), np.ones(5), np.ones(5)))


NAMED = {"row_names": ("ann", "bob", "cem"), "column_names": ("tea", "cake", "figs")}
TWO_ON_ONE = [[1, 0, 0], [1, 0, 0], [1, 1, 1]]

IMPOSSIBLE: dict[str, tuple[Any, Any, Any, str]] = {
    "two rows on one column": (
        TWO_ON_ONE,
        Fixed([1, 1, 1]),
        AtMost([1.5, 1, 1]),
        "the columns that rows may use must have room for their mass, found 1.5 for the 2 of rows 'ann', 'bob', 0.5 "
        "short: allow more pairs, add capacity, or let the rows be AtMost, Relaxed or WithOutsideOption",
    ),
    "two columns on one row": (
        np.transpose(TWO_ON_ONE),
        WithOutsideOption([1.5, 1, 1]),
        Fixed([1, 1, 1]),
        "the rows that columns may use must have room for their mass, found 1.5 for the 2 of columns 'tea', 'cake', "
        "0.5 short: allow more pairs, add capacity, or let the columns be AtMost, Relaxed or WithOutsideOption",
    ),
    "two fixed sides": (
        TWO_ON_ONE,
        Fixed([1, 1, 2]),
        Fixed([1.5, 1.5, 1]),
        "found 1.5 for the 2 of rows 'ann', 'bob', 0.5 short: allow more pairs, change the masses, or let the rows be "
        "Relaxed, or both sides AtMost",
    ),
    "two fixed sides, told by the smaller set": (
        [[1, 1, 0], [1, 1, 0], [1, 1, 1]],
        Fixed([1, 1, 1]),
        Fixed([0.75, 0.75, 1.5]),
        "the rows that columns may use must have room for their mass, found 1 for the 1.5 of column 'figs', 0.5 short",
    ),
    "a fixed row without a pair": (
        [[1, 1, 1], [0, 0, 0], [0, 1, 1]],
        Fixed([1, 0.5, 1]),
        Free(),
        "every row with a fixed mass must be allowed a column with mass, found none for row 'bob' with 0.5: allow more "
        "pairs",
    ),
    "a fixed row with pairs without mass": (
        [[1, 1, 0], [0, 0, 1], [1, 1, 1]],
        Fixed([1, 1, 1]),
        Relaxed([1, 1, 0], 1.0),
        "found none for row 'bob' with 1",
    ),
    "a fixed column without a pair": (
        [[1, 1, 0], [1, 1, 0], [1, 1, 0]],
        AtMost([1, 1, 1]),
        Fixed([1, 1, 1]),
        "every column with a fixed mass must be allowed a row with mass, found none for column 'figs' with 1",
    ),
    "nothing at all": (
        np.zeros((3, 3)),
        AtMost([1, 1, 1]),
        Free(),
        "some pair of places with mass must be allowed, found all of them forbidden",
    ),
    "nobody left to stay outside": (
        np.ones((3, 3)),
        Fixed([1, 1, 1]),
        WithOutsideOption([1, 1, 1]),
        "at a temperature above 0 the columns with an outside option must have more mass than the fixed rows, found 3 "
        "for 3: somebody always stays outside; let the columns be Fixed or AtMost, or the rows AtMost, Relaxed or "
        "WithOutsideOption",
    ),
    "nobody of one place left to stay outside": (
        TWO_ON_ONE,
        Fixed([1, 1, 1]),
        WithOutsideOption([2, 1, 1]),
        "something of every column with an outside option must stay outside, found nothing left of column 'tea' in any "
        "coupling that serves the rows: allow more pairs, add capacity, or let",
    ),
}


@pytest.mark.parametrize(("allowed", "rows", "columns", "message"), IMPOSSIBLE.values(), ids=list(IMPOSSIBLE))
def test_who_cannot_be_served_is_named(allowed, rows, columns, message):
    with pytest.raises(InfeasibleMassError, match=re.escape(message)):
        usable_pairs(problem(allowed, rows, columns, **NAMED))


def test_of_many_who_cannot_be_served_five_are_named():
    allowed = np.zeros((8, 3), dtype=bool)
    allowed[:, 0] = True
    allowed[7] = True
    with pytest.raises(InfeasibleMassError, match="of rows 0, 1, 2, 3, 4 and 2 more, 6 short"):
        usable_pairs(problem(allowed, np.ones(8), AtMost([1.0, 10.0, 10.0])))


def test_all_who_compete_are_named_though_one_group_could_be_served_at_the_cost_of_another():
    allowed = np.kron(np.eye(2, dtype=bool), np.ones((2, 1), dtype=bool))
    with pytest.raises(InfeasibleMassError, match="found 3 for the 4 of rows 0, 1, 2, 3, 1 short"):
        usable_pairs(problem(np.hstack([allowed, np.zeros((4, 1), bool)]), np.ones(4), AtMost([1.5, 1.5, 3.0])))


def test_an_outside_option_may_be_full_at_temperature_0():
    found = usable_pairs(problem(TWO_ON_ONE, Fixed([1, 1, 1]), WithOutsideOption([2, 1, 1]), temperature=0.0))
    np.testing.assert_array_equal(found, [[1, 0, 0], [1, 0, 0], [0, 1, 1]])


def test_the_answer_names_the_pairs_that_no_coupling_can_use():
    utility = [[0.0, NO], [5.0, 0.0]]
    result = solve_assignment(utility, [1.0, 1.0], [1.0, 1.0], temperature=0.1)
    assert result.unusable_pairs == ((1, 0),)
    assert result.converged
    np.testing.assert_allclose(result.coupling, np.eye(2), atol=1e-9)
    assert result.coupling[1, 0] == 0.0
    assert solve_assignment(utility, [1.0, 1.0], AtMost([2.0, 1.0]), temperature=0.1).unusable_pairs == ()


@pytest.mark.parametrize(
    "columns", [AtMost([1, 1]), Relaxed([1, 1], 1.0), WithOutsideOption([1, 1]), Fixed([0.5, 0.5])]
)
@pytest.mark.parametrize(
    ("rows", "potential", "outside"),
    [
        (AtMost([1, 1, 2]), 0.0, 2.0),
        (Relaxed([1, 1, 2], 1.0), np.inf, 0.0),
        (WithOutsideOption([1, 1, 2]), None, 2.0),
        (Free(), 0.0, 0.0),
    ],
    ids=lambda case: type(case).__name__,
)
@pytest.mark.parametrize("temperature", [0.05, 1.0])
def test_a_place_without_any_pair_gets_nothing_where_its_condition_lets_it(
    rows, potential, outside, columns, temperature
):
    utility = [[0.0, -1.0], [-1.0, 0.0], [NO, NO]]
    result = solve_assignment(utility, rows, columns, temperature=temperature)
    np.testing.assert_array_equal(result.coupling[2], 0.0)
    assert result.row_outside[2] == pytest.approx(outside)
    if potential is not None:
        assert result.row_potential[2] == potential
    assert abs(result.gap) <= 1e-7
    without = solve_assignment(
        utility[:2], rows if rows.mass is None else rows.restricted(np.arange(2)), columns, temperature=temperature
    )
    np.testing.assert_allclose(result.coupling[:2], without.coupling, atol=1e-8)


def test_a_flow_leads_others_another_way():
    flow = np.array([[1.0, 0.0], [0.0, 0.0]])
    allowed = np.array([[True, True], [True, False]])
    left, room = route(flow, allowed, np.array([0.0, 1.0]), np.array([0.0, 1.0]), enough=0.0)
    np.testing.assert_allclose(flow, [[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(np.concatenate([left, room]), 0.0)


def test_a_tiny_place_beside_a_large_one_is_not_overfilled():
    room = np.array([0.3, 4e-17, 1.0])  # 0.3 + 4e-17 rounds up to more
    flow = np.zeros((1, 3))
    left, over = route(flow, np.ones((1, 3), dtype=bool), np.ones(1), room, enough=1e-16)
    assert left.sum() <= 1e-16
    assert np.all(flow[0] <= room)
    np.testing.assert_allclose(over, room - flow[0])


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_a_flow_is_as_exact_as_its_masses(scale):
    rng = np.random.default_rng(3)
    allowed = rng.random((60, 50)) < 0.2
    wanted = np.where(allowed, rng.random((60, 50)) ** 9, 0.0) * scale
    rows, columns = wanted.sum(axis=1), wanted.sum(axis=0)
    flow = np.zeros((60, 50))
    left, _ = route(flow, allowed, rows, columns * (1 + 1e-12), enough=0.0)
    assert left.sum() <= 1e-16 * rows.sum()
    np.testing.assert_allclose(flow.sum(axis=1), rows, rtol=1e-13)
    assert not flow[~allowed].any()
