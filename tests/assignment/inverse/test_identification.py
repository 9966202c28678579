"""What matches cannot tell apart is named."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.assignment import AtMost, Fixed, Free
from choicekit.assignment.inverse import fit_assignment
from choicekit.errors import IdentificationError
from tests.assignment.inverse.problems import BASIS, COLUMN_MASS, OBSERVED, ROW_MASS, TRUE

MATCHES = OBSERVED.solved(TRUE).coupling
X, Y, Z = BASIS
BY_ROW, BY_COLUMN = np.arange(5.0)[:, None] * np.ones(4), np.ones((5, 1)) * np.array([3.0, 1.0, 4.0, 1.0])
LOST = ", which no coupling with fixed masses shows"
SUM, EVEN = "a sum of what is constant by row and by column", "the same for all pairs"


@pytest.mark.parametrize(
    ("basis", "message"),
    [
        ([X, BY_ROW], f"found that 'b' is constant by row{LOST}: leave 'b' out"),
        ([X, BY_COLUMN], f"found that 'b' is constant by column{LOST}: leave 'b' out"),
        ([BY_COLUMN - 2 * BY_ROW + 1], f"found that 'a' is {SUM}{LOST}: leave 'a' out"),
        ([BY_ROW, X, BY_ROW**2], f"found that 'a' and 'c' are constant by row{LOST}: leave 'a', 'c' out"),
        ([BY_ROW, np.ones((5, 4))], f"found that 'a' is constant by row and 'b' is {EVEN}{LOST}: leave 'a', 'b' out"),
        ([X, 0.5 * X], f"found that 'a' - 2 * 'b' is {EVEN}{LOST}: leave out one function of each combination"),
        ([X, Y, 2 * Y - X + BY_ROW + BY_COLUMN], f"found that 'a' - 2 * 'b' + 'c' is {SUM}{LOST}"),
        (
            [X, Y, Z, Y + BY_ROW, 3 * Z],
            f"found that 'b' - 'd' is constant by row and 'c' - 0.333333 * 'e' is {EVEN}{LOST}",
        ),
        ([X, X, BY_ROW], f"found that 'c' is constant by row and 'a' - 'b' is {EVEN}{LOST}: leave 'c' out and leave"),
        ([1e-8 * X, 1e8 * X + 1e9], f"found that 'a' - 1e-16 * 'b' is {EVEN}{LOST}"),
        ([1e-8 * X, 1e8 * X + 1e9 * BY_COLUMN], f"found that 'a' - 1e-16 * 'b' is constant by column{LOST}"),
    ],
)
def test_the_combination_is_named(basis, message: str) -> None:
    for penalty in (None, 1.0):
        with pytest.raises(IdentificationError) as caught:
            fit_assignment(MATCHES, basis, names=list("abcde")[: len(basis)], penalty=penalty)
        assert message in str(caught.value)


def test_what_nearly_is_constant_is_still_identified() -> None:
    fit = fit_assignment(MATCHES, [X, 1e-5 * Y + X, BY_ROW + 1e-4 * Z])
    assert fit.converged


@pytest.mark.parametrize(
    ("rows", "columns", "basis", "lost"),
    [
        (Fixed(ROW_MASS), Free(), [X, BY_ROW], "constant by row, which"),
        (Free(), Fixed(COLUMN_MASS), [X, BY_COLUMN], "constant by column, which"),
        (Free(), Free(), [X, np.ones((5, 4))], "without effect on anything observed"),
    ],
)
def test_conditions_say_what_is_lost(rows, columns, basis, lost: str) -> None:
    with pytest.raises(IdentificationError, match=f"'basis_2' is {lost}"):
        fit_assignment(MATCHES, basis, rows=rows, columns=columns)


def test_what_fixed_masses_hide_other_conditions_show() -> None:
    basis = [X, BY_ROW]
    assert fit_assignment(MATCHES, basis, rows=Free(), columns=Fixed(COLUMN_MASS)).converged
    assert fit_assignment(MATCHES, basis, rows=AtMost(2 * ROW_MASS), columns=Fixed(COLUMN_MASS)).converged


def test_one_row_of_matches_identifies_nothing() -> None:
    with pytest.raises(IdentificationError, match="'basis_1' is constant by column, which"):
        fit_assignment([[3, 5, 2]], [[[1.0, 2.0, 7.0]]])


def test_only_pairs_that_can_be_matched_count_for_what_is_constant() -> None:
    allowed = ~np.eye(5, 4, dtype=bool)
    with pytest.raises(IdentificationError, match="'basis_1' is constant by row, which"):
        fit_assignment(np.where(allowed, MATCHES, 0.0), [BY_ROW - 9.0], availability=allowed)
