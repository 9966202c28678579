"""An assignment put together: what is refused, with what words, and what is filled in."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from choicekit.assignment import (
    AssignmentProblem,
    AtMost,
    Fixed,
    Free,
    MarginalCondition,
    Relaxed,
    WithOutsideOption,
)
from choicekit.errors import InfeasibleMassError, InvalidInputError, ShapeError
from choicekit.rules import Hardmax, Softmax, Sparsemax

HALVES = [0.5, 0.5]
INF = np.inf


def problem(**changed: Any) -> AssignmentProblem:
    given: dict[str, Any] = {"utility": np.zeros((2, 2)), "rows": HALVES, "columns": HALVES, "temperature": 1.0}
    return AssignmentProblem(**{**given, **changed})


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "words for utilities": (
        {"utility": [["a", "b"], ["c", "d"]]},
        InvalidInputError,
        "utility must be an array of real numbers with one length along each axis",
    ),
    "ragged utilities": ({"utility": [[1.0], [1.0, 2.0]]}, InvalidInputError, "utility must be an array of real"),
    "complex utilities": ({"utility": [[1.0, 2j], [0, 0]]}, InvalidInputError, "utility must be an array of real"),
    "complex masses": ({"rows": [1, 1j]}, InvalidInputError, "the mass of Fixed must be an array of real numbers"),
    "a complex temperature": (
        {"temperature": np.complex128(1 + 1j)},
        InvalidInputError,
        "temperature must be one finite",
    ),
    "a complex total": (
        {"rows": Free(), "columns": Free(), "total_mass": np.complex128(1 + 1j)},
        InvalidInputError,
        "total_mass must be a finite number above 0, found ",
    ),
    "ragged masses": ({"rows": [[1], [1, 2]]}, InvalidInputError, "the mass of Fixed must be an array of real numbers"),
    "utilities of one axis": (
        {"utility": [0.0, 1.0]},
        ShapeError,
        "utility must have a row and a column for each place, (n, m), found shape (2,)",
    ),
    "no utilities": ({"utility": np.zeros((0, 2))}, ShapeError, "found shape (0, 2)"),
    "a nan utility": (
        {"utility": [[0.0, 1.0], [np.nan, 0.0]]},
        InvalidInputError,
        "utility must be finite, or minus infinity where a pair is forbidden, found nan in row 1, column 0",
    ),
    "an infinite utility": ({"utility": [[0.0, INF], [0.0, 0.0]]}, InvalidInputError, "found inf in row 0, column 1"),
    "too few row masses": (
        {"rows": [1.0]},
        ShapeError,
        "the rows of utility and their masses must be as many, found 2 rows and 1 masses",
    ),
    "too many column masses": (
        {"columns": [0.2, 0.3, 0.5]},
        ShapeError,
        "the columns of utility and their masses must be as many, found 2 columns and 3 masses",
    ),
    "names that are not as many": (
        {"row_names": ("a",)},
        ShapeError,
        "row_names must have one name a row, found 1 names and 2 rows",
    ),
    "a negative mass": (
        {"columns": [1.5, -0.5]},
        InvalidInputError,
        "masses must be finite numbers of at least 0, found -0.5 at place 1 of ",
    ),
    "a nan mass": ({"rows": [np.nan, 0.5]}, InvalidInputError, "found nan at place 0 of "),
    "a class for a condition": (
        {"rows": Free},
        InvalidInputError,
        "a condition must be made first: Free(...), found the class",
    ),
    "rows without mass": (
        {"rows": AtMost([0.0, 0.0])},
        InfeasibleMassError,
        "some of the rows must have mass above 0, found 0 at all 2",
    ),
    "unequal totals": (
        {"rows": [1.0, 2.0], "columns": [1.0, 1.25]},
        InfeasibleMassError,
        "two fixed sides must have the same total mass, found 3 in rows and 2.25 in columns: let the larger side be "
        "AtMost, or one of them Relaxed, or set scale_masses=True",
    ),
    "too few places for the rows": (
        {"rows": [1.0, 2.0], "columns": AtMost([1.0, 1.25])},
        InfeasibleMassError,
        "the columns must have room for the fixed mass of the rows, found 2.25 for 3, 0.75 short: add capacity, or let "
        "the rows be AtMost, Relaxed or WithOutsideOption",
    ),
    "too few rows for the columns": (
        {"rows": WithOutsideOption([1.0, 1.0]), "columns": [1.0, 1.5]},
        InfeasibleMassError,
        "the rows must have room for the fixed mass of the columns, found 2 for 2.5, 0.5 short",
    ),
    "a negative temperature": (
        {"temperature": -1.0},
        InvalidInputError,
        "temperature must be one finite number of at least 0, found -1.0",
    ),
    "a nan temperature": ({"temperature": np.nan}, InvalidInputError, "found nan"),
    "an infinite temperature": ({"temperature": INF}, InvalidInputError, "found inf"),
    "two temperatures": ({"temperature": [1.0, 2.0]}, InvalidInputError, "found [1.0, 2.0]"),
    "a word for a temperature": ({"temperature": "warm"}, InvalidInputError, "found 'warm'"),
    "relaxed masses at temperature 0": (
        {"rows": Relaxed(HALVES, 1.0), "temperature": 0.0},
        InvalidInputError,
        "Relaxed has no exact answer at temperature 0: use a small temperature, or Fixed, AtMost or WithOutsideOption",
    ),
    "an unknown reference": (
        {"reference": "uniform"},
        InvalidInputError,
        "reference must be 'counting' or 'product', found 'uniform'",
    ),
    "the product reference without masses": (
        {"columns": Free(), "reference": "product"},
        InvalidInputError,
        "the product reference needs masses on both sides, found Free: use 'counting'",
    ),
    "a total mass beside masses": (
        {"total_mass": 1.0},
        InvalidInputError,
        "total_mass is for two Free sides; elsewhere the masses of the sides say it",
    ),
    "a total mass beside one free side": ({"rows": Free(), "total_mass": 1.0}, InvalidInputError, "for two Free sides"),
    "no total mass": (
        {"rows": Free(), "columns": Free(), "total_mass": 0.0},
        InvalidInputError,
        "total_mass must be a finite number above 0, found 0.0",
    ),
    "another rule": (
        {"rule": Hardmax()},
        InvalidInputError,
        "an assignment's rule must be Softmax() or Sparsemax(), found Hardmax",
    ),
    "a rule with a temperature": (
        {"rule": Softmax(0.5)},
        InvalidInputError,
        "an assignment has one temperature, its own: leave that of the rule at 1",
    ),
}


@pytest.mark.parametrize(("changed", "error", "message"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_solved_is_refused(changed, error, message):
    with pytest.raises(error, match=re.escape(message)):
        problem(**changed)


def test_an_array_of_masses_is_fixed():
    built = problem(rows=[1, 1], columns=np.array([2, 0]))
    assert isinstance(built.rows, Fixed)
    assert isinstance(built.columns, Fixed)
    assert built.shape == (2, 2)


def test_totals_that_differ_by_rounding_are_made_equal():
    built = problem(rows=[0.1 + 0.2, 0.7], columns=[0.3, 0.7 * (1 + 1e-10)])
    assert built.columns.mass.sum() == pytest.approx(built.rows.mass.sum(), rel=1e-15)


def test_scale_masses_keeps_the_total_of_the_rows():
    built = problem(rows=[1.0, 2.0], columns=[1.0, 1.0], scale_masses=True)
    np.testing.assert_allclose(built.columns.mass, [1.5, 1.5])
    np.testing.assert_array_equal(built.rows.mass, [1.0, 2.0])


@pytest.mark.parametrize(
    ("rows", "columns", "weights"),
    [
        (WithOutsideOption(HALVES), WithOutsideOption(HALVES), [0.5, 0.5]),
        (WithOutsideOption(HALVES), AtMost(HALVES), [1.0]),
        (Free(), WithOutsideOption(HALVES, entropy_weight=0.5), [1.0]),
    ],
    ids=["both sides", "one side", "one side against a free one"],
)
def test_singles_weigh_half_where_both_sides_have_an_outside_option(rows, columns, weights):
    built = problem(rows=rows, columns=columns)
    found = [side.entropy_weight for side in (built.rows, built.columns) if isinstance(side, WithOutsideOption)]
    assert found == weights


def test_two_free_sides_share_a_mass_of_one_by_default():
    assert problem(rows=Free(), columns=Free()).total_mass == 1.0
    assert problem(rows=Free(), columns=Free(), total_mass=3).total_mass == 3.0
    assert problem(columns=Free()).total_mass is None


@pytest.mark.parametrize("side", [AtMost(HALVES), WithOutsideOption(HALVES), Free(), Fixed(HALVES)])
def test_temperature_0_is_no_fault_of_other_conditions(side: MarginalCondition):
    assert problem(rows=side, temperature=0).temperature == 0.0


def test_references_are_ones_or_masses():
    for references, wanted in (
        (problem().log_references(), [0.0, 0.0]),
        (problem(reference="product").log_references(), np.log(HALVES)),
    ):
        for one in references:
            np.testing.assert_array_equal(one, wanted)
    empty = problem(rows=[1.0, 0.0], reference="product").log_references()[0]
    np.testing.assert_array_equal(empty, [0.0, -np.inf])


def test_places_are_called_by_their_names_or_numbers():
    assert problem().row_name(1) == "1"
    assert problem(row_names=("ann", "bob")).row_name(1) == "'bob'"
    assert problem(column_names=("tea", "cake")).column_name(0) == "'tea'"


def test_only_half_the_squared_norm_is_sparse():
    assert problem(rule=Sparsemax()).sparse
    assert not problem(rule=Softmax()).sparse
    assert not problem().sparse
