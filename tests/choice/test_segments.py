"""Segments: every agent in one group, and labels that tell groups apart."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.choice.segments import MAX_SEGMENTS, Segmentation, segment_by_edges, segment_by_value
from choicekit.errors import InvalidInputError, ShapeError

finite = st.floats(-1e9, 1e9) | st.integers(-5, 5).map(float)


# ---------------------------------------------------------------- by edges


@given(values=st.lists(finite, max_size=20), edges=st.lists(finite, min_size=1, max_size=6, unique=True).map(sorted))
def test_every_value_falls_between_the_edges_of_its_group(values, edges):
    segment = segment_by_edges("x", values, edges, labels=[str(i) for i in range(len(edges) + 1)])
    limits = [-math.inf, *edges, math.inf]
    assert segment.codes.shape == (len(values),)
    assert segment.codes.dtype == np.int64
    for value, code in zip(values, segment.codes, strict=True):
        assert limits[code] <= value < limits[code + 1]


def test_a_value_at_an_edge_belongs_to_the_group_above_it():
    segment = segment_by_edges("income", [19.999, 20, 39, 40, 41], edges=[20, 40])
    np.testing.assert_array_equal(segment.codes, [0, 1, 1, 2, 2])
    assert segment.labels == ("under 20", "20 to 40", "40 and over")


def test_one_edge_makes_two_groups():
    segment = segment_by_edges("age", [-1, 0, 1], edges=[0])
    assert segment.labels == ("under 0", "0 and over")
    np.testing.assert_array_equal(segment.codes, [0, 1, 1])


@pytest.mark.parametrize(
    ("edges", "labels"),
    [
        ([0.5], ("under 0.5", "0.5 and over")),
        ([1_234_567, 1_234_568], ("under 1234567", "1234567 to 1234568", "1234568 and over")),
        ([0.1, 0.30000000000000004], ("under 0.1", "0.1 to 0.30000000000000004", "0.30000000000000004 and over")),
        ([1_000_000.5, 1_000_000.75, 1_000_001], None),
    ],
)
def test_labels_of_edges_say_exactly_where_they_are(edges, labels):
    segment = segment_by_edges("x", [0.0], edges)
    assert len(set(segment.labels)) == len(edges) + 1
    if labels is not None:
        assert segment.labels == labels


def test_groups_may_be_named():
    segment = segment_by_edges("income", [10, 50], edges=[20], labels=["poor", "rich"])
    assert segment.labels == ("poor", "rich")
    assert repr(segment) == "Segmentation(income: 2 groups of 2 rows)"


def test_a_group_may_be_empty():
    segment = segment_by_edges("x", [5.0], edges=[0, 10, 20])
    assert len(segment.labels) == 4
    np.testing.assert_array_equal(np.bincount(segment.codes, minlength=4), [0, 1, 0, 0])


@pytest.mark.parametrize("edges", [[], [1, 1], [2, 1], [1, math.nan], [1, math.inf], [-math.inf, 1], [[1], [2]]])
def test_edges_are_finite_and_increase(edges):
    with pytest.raises(InvalidInputError, match="edges of segment 'x' must be finite numbers that increase"):
        segment_by_edges("x", [1.0], edges)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_values_are_finite_and_the_row_is_named(wrong):
    with pytest.raises(InvalidInputError, match=rf"segment 'x' needs finite values, found {wrong} in row 2"):
        segment_by_edges("x", [1.0, 2.0, wrong, wrong], [0])


@pytest.mark.parametrize("labels", [["a"], ["a", "b", "c"], []])
def test_there_is_one_label_more_than_edges(labels):
    with pytest.raises(InvalidInputError, match="1 edges and so needs 2 labels"):
        segment_by_edges("x", [1.0], [0], labels=labels)


def test_labels_are_distinct():
    with pytest.raises(InvalidInputError, match="must be distinct"):
        segment_by_edges("x", [1.0], [0], labels=["a", "a"])


def test_values_have_one_axis():
    with pytest.raises(ShapeError, match=r"\(1, 2\)"):
        segment_by_edges("x", [[1.0, 2.0]], [0])


# ---------------------------------------------------------------- by value


@given(st.lists(st.sampled_from(["city", "country", "", "Zoo", "été", "10", "9"]), min_size=1, max_size=30))
def test_agents_are_together_where_their_values_are_equal(values):
    segment = segment_by_value("home", values)
    assert [segment.labels[code] for code in segment.codes] == values
    assert segment.labels == tuple(sorted(set(values)))


def test_numbers_are_in_the_order_of_numbers():
    segment = segment_by_value("cars", [10, 9, 2, 10])
    assert segment.labels == ("2", "9", "10")
    np.testing.assert_array_equal(segment.codes, [2, 1, 0, 2])


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.array([1.0, 2.0]), ("1", "2")),
        (np.array([0.5, 2.0]), ("0.5", "2")),
        (np.array([1_234_567.0, 1_234_568.0]), ("1234567", "1234568")),
        (np.array([0.1 + 0.2, 0.3]), ("0.3", "0.30000000000000004")),
        (np.array([True, False]), ("False", "True")),
        (pd.Series(["b", "a"]), ("a", "b")),
        (pd.Series(["b", "a"], dtype="category"), ("a", "b")),
        (np.array(["b", 1], dtype=object), ("1", "b")),
    ],
)
def test_labels_are_the_shortest_text_that_tells_values_apart(values, labels):
    assert segment_by_value("x", values).labels == labels


def test_no_rows_have_no_groups():
    segment = segment_by_value("x", [])
    assert segment.labels == ()
    assert segment.codes.size == 0


def test_a_breakdown_has_at_most_200_groups():
    assert len(segment_by_value("x", range(MAX_SEGMENTS)).labels) == 200
    with pytest.raises(InvalidInputError, match=r"201 groups, at most 200 are shown: give `edges`"):
        segment_by_value("x", range(MAX_SEGMENTS + 1))


# ---------------------------------------------------------------- the object


def test_codes_are_positions_in_the_labels():
    segment = Segmentation(name="home", labels=["a", 2], codes=[0, 1, 0])
    assert segment.labels == ("a", "2")
    assert segment.codes.dtype == np.int64


@pytest.mark.parametrize("codes", [[0, 2], [-1, 0]])
def test_a_code_without_a_label_is_an_error(codes):
    with pytest.raises(InvalidInputError, match="positions in its 2 labels"):
        Segmentation(name="home", labels=("a", "b"), codes=codes)


@pytest.mark.parametrize("codes", [[0.5, 1.2], [math.nan, 0.0]])
def test_a_code_that_is_no_whole_number_is_an_error(codes):
    with pytest.raises(InvalidInputError):
        Segmentation(name="home", labels=("a", "b"), codes=codes)


def test_one_code_a_row():
    with pytest.raises(ShapeError, match=r"one code a row, found shape \(1, 2\)"):
        Segmentation(name="home", labels=("a", "b"), codes=[[0, 1]])


@pytest.mark.parametrize("values", [["ten", "20"], [[1], [1, 2]], [10**400], [object()]])
def test_values_that_are_no_numbers_cannot_be_sorted_by_edges(values):
    with pytest.raises(InvalidInputError, match=r"segment 'income' needs numbers.*without edges each value is a group"):
        segment_by_edges("income", values, [1.0])


@pytest.mark.parametrize("edges", [["low"], [[1], [1, 2]], 3.0, []])
def test_edges_must_be_a_list_of_numbers(edges):
    with pytest.raises(InvalidInputError, match="edges of segment 'income' must be"):
        segment_by_edges("income", [1.0], edges)


def test_a_table_of_values_cannot_be_sorted_by_edges():
    with pytest.raises(ShapeError, match=r"needs one value a row, found shape \(2, 2\)"):
        segment_by_edges("income", [[1.0, 2.0], [3.0, np.nan]], [1.0])


def test_values_of_uneven_rows_are_no_groups():
    for segment in (lambda v: segment_by_value("a", v), lambda v: Segmentation(name="a", labels=("x",), codes=v)):
        with pytest.raises(InvalidInputError, match="must have one shape"):
            segment([[0], [0, 0]])
    with pytest.raises(ShapeError, match=r"needs one value a row, found shape \(1, 2\)"):
        segment_by_value("a", [["x", "y"]])
