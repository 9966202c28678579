"""Tallies of blocks: what they count, and that merging them is counting the whole."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.choice.tally import ChoiceTally, GroupedRows, replication_chunks, tally_block

N, J, R, SEGMENTS = 60, 4, 3, 3
CHUNKS = [range(0, 2), range(2, 3)]


def block(seed: int, n: int = N) -> dict[str, np.ndarray]:
    """Rows whose numbers are multiples of 1/64: their sums are exact in any order."""
    generator = np.random.default_rng(seed)
    cuts = np.sort(generator.integers(0, 65, (n, J - 1)), axis=1)
    parts = np.diff(np.concatenate([np.zeros((n, 1), int), cuts, np.full((n, 1), 64)], axis=1), axis=1)
    probabilities = parts / 64
    chosen = np.array([[generator.choice(J, p=p) for p in probabilities] for _ in range(R)], dtype=np.int64).reshape(
        R, n
    )
    return {
        "probabilities": probabilities,
        "value": generator.integers(-500, 500, n) / 8,
        "available": parts > 0,
        "weights": generator.integers(0, 16, n) / 4,
        "observed": generator.integers(-1, J, n),
        "segment": generator.integers(0, SEGMENTS, n),
        "chosen": chosen,
    }


def join(*parts: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {
        name: np.concatenate([part[name] for part in parts], axis=1 if name == "chosen" else 0) for name in parts[0]
    }


def groups_of(rows: dict[str, np.ndarray]) -> GroupedRows:
    """Everybody, and three segments: groups 0 to 3."""
    return GroupedRows(codes=(np.zeros(len(rows["segment"]), dtype=np.int64), 1 + rows["segment"]), n_groups=4)


def tally(rows: dict[str, np.ndarray], idle: int = 0, *, observed: bool = True) -> ChoiceTally:
    groups = groups_of(rows)
    simulated = [
        (
            groups.choices(rows["chosen"][list(chunk)], J),
            groups.choices(rows["chosen"][list(chunk)], J, rows["weights"]),
        )
        for chunk in CHUNKS
    ]
    return tally_block(
        groups=groups,
        idle=np.array([idle, idle, 0, 0]),
        probabilities=rows["probabilities"],
        value=rows["value"],
        available=rows["available"],
        weights=rows["weights"],
        observed=rows["observed"] if observed else None,
        simulated=simulated,
    )


def assert_same(one: ChoiceTally, other: ChoiceTally) -> None:
    for part in fields(ChoiceTally):
        left, right = getattr(one, part.name), getattr(other, part.name)
        assert left.dtype == right.dtype, part.name
        np.testing.assert_array_equal(left, right, err_msg=part.name)


def by_hand(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every sum, row by row."""
    result = {
        name: np.zeros((4, J)) if wide else np.zeros(4)
        for name, wide in {
            "rows": False, "weight": False, "squared_weight": False, "value": False,
            "weighted_value": False, "available": True, "probability": True, "weighted_probability": True,
            "variance": True, "weighted_variance": True, "observed": True, "weighted_observed": True,
        }.items()
    }  # fmt: skip
    result |= {"count": np.zeros((R, 4, J)), "weighted_count": np.zeros((R, 4, J))}
    for row in range(len(rows["weights"])):
        w, v = rows["weights"][row], rows["value"][row]
        for group in (0, 1 + rows["segment"][row]):
            for name, term in {
                "rows": 1, "weight": w, "squared_weight": w**2, "value": v,
                "weighted_value": w * v,
            }.items():  # fmt: skip
                result[name][group] += term
            for place, p in enumerate(rows["probabilities"][row]):
                seen = rows["observed"][row] == place
                for name, term in {
                    "available": rows["available"][row, place],
                    "probability": p,
                    "weighted_probability": w * p,
                    "variance": p * (1 - p),
                    "weighted_variance": w**2 * p * (1 - p),
                    "observed": seen,
                    "weighted_observed": w * seen,
                }.items():
                    result[name][group, place] += term
            for replication in range(R):
                result["count"][replication, group, rows["chosen"][replication, row]] += 1
                result["weighted_count"][replication, group, rows["chosen"][replication, row]] += w
    return result


@pytest.mark.parametrize("seed", range(5))
def test_a_tally_is_what_counting_row_by_row_gives(seed):
    rows = block(seed)
    counted = tally(rows)
    for name, expected in by_hand(rows).items():
        np.testing.assert_array_equal(getattr(counted, name), expected, err_msg=name)
    np.testing.assert_array_equal(counted.idle, [0, 0, 0, 0])


@given(
    sizes=st.tuples(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12)),
    seed=st.integers(0, 1000),
)
def test_merging_is_associative_and_equals_the_tally_of_the_whole(sizes, seed):
    a, b, c = (block(seed + i, n) for i, n in enumerate(sizes))
    left = tally(a, 1).merge(tally(b, 2)).merge(tally(c, 4))
    right = tally(a, 1).merge(tally(b, 2).merge(tally(c, 4)))
    assert_same(left, right)
    assert_same(left, tally(join(a, b, c), 7))


def test_a_block_in_which_nobody_chooses_changes_nothing_but_the_idle():
    rows = block(0)
    merged = tally(rows).merge(tally(block(1, 0), idle=5))
    np.testing.assert_array_equal(merged.idle, [5, 5, 0, 0])
    for part in fields(ChoiceTally):
        if part.name != "idle":
            np.testing.assert_array_equal(getattr(merged, part.name), getattr(tally(rows), part.name))


def test_counts_are_whole_numbers():
    counted = tally(block(0))
    for name in ("rows", "idle", "available", "count", "observed"):
        assert getattr(counted, name).dtype == np.int64, name
        assert getattr(counted.merge(counted), name).dtype == np.int64, name


def test_everybody_is_the_sum_of_the_segments():
    counted = tally(block(2))
    for part in fields(ChoiceTally):
        total = getattr(counted, part.name)
        if part.name not in ("largest_gap", "idle"):
            axis = 1 if part.name in ("count", "weighted_count") else 0
            everybody, *segments = np.moveaxis(total, axis, 0)
            np.testing.assert_array_equal(sum(segments), everybody, err_msg=part.name)


def test_every_replication_counts_every_row_once():
    counted = tally(block(3))
    np.testing.assert_array_equal(counted.count.sum(axis=-1), np.broadcast_to(counted.rows, (R, 4)))
    np.testing.assert_array_equal(counted.weighted_count.sum(axis=-1), np.broadcast_to(counted.weight, (R, 4)))


def test_rows_without_an_observed_choice_count_nowhere():
    rows = block(4)
    counted = tally(rows)
    assert counted.observed[0].sum() == np.sum(rows["observed"] >= 0) < N
    assert tally(rows, observed=False).observed.sum() == 0
    assert tally(rows, observed=False).weighted_observed.sum() == 0


def test_the_largest_gap_is_that_of_the_worst_row_of_the_worst_block():
    one, other, perfect = block(5), block(6), block(7)
    one["probabilities"][3, 1] -= 0.0625
    other["probabilities"][7, 0] += 0.125
    assert tally(perfect).largest_gap == 0
    assert tally(one).merge(tally(perfect)).largest_gap == 0.0625
    assert tally(one).merge(tally(other)).largest_gap == 0.125
    assert tally(other).merge(tally(one)).largest_gap == 0.125


def test_sums_by_group_of_nothing_are_zero():
    groups = GroupedRows(codes=(np.zeros(0, dtype=np.int64),), n_groups=2)
    np.testing.assert_array_equal(groups.sums(np.zeros(0)), [0, 0])
    np.testing.assert_array_equal(groups.sums(np.zeros((0, 3))), np.zeros((2, 3)))
    np.testing.assert_array_equal(groups.choices(np.zeros((2, 0), dtype=np.int64), 3), np.zeros((2, 2, 3)))


def test_a_group_without_rows_has_zeros():
    groups = GroupedRows(codes=(np.array([0, 0, 2]),), n_groups=4)
    np.testing.assert_array_equal(groups.sums(np.array([1.0, 2.0, 4.0])), [3, 0, 4, 0])
    np.testing.assert_array_equal(groups.counts(np.array([True, False, True])), [1, 0, 1, 0])


@pytest.mark.parametrize("replications", [1, 2, 31, 32, 33, 64, 65, 200])
def test_chunks_hold_every_replication_once_and_start_at_even_ones(replications):
    chunks = replication_chunks(replications)
    assert [r for chunk in chunks for r in chunk] == list(range(replications))
    assert all(chunk.start % 2 == 0 for chunk in chunks)
