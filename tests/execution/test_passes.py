"""Passes: merged in block order whoever runs the blocks, repeated until settled."""

from __future__ import annotations

import functools
import operator
import time
from dataclasses import dataclass

import numpy as np
import pytest

from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.execution import BLOCK_SIZE, Executor, LocalThreads, Pass, run_pass, run_passes

ROWS = 7 * BLOCK_SIZE + 100
VALUES = np.random.default_rng(0).normal(scale=1e6, size=ROWS) ** 3


@dataclass(frozen=True)
class Total:
    """A sum, and the blocks that it is of in the order in which they were merged."""

    total: float
    blocks: tuple[int, ...]

    def merge(self, other: Total) -> Total:
        return Total(self.total + other.total, self.blocks + other.blocks)


def summed(block, state) -> Total:
    return Total(float(VALUES[block.rows].sum()), (block.index,))


def hesitant(block, state) -> Total:
    time.sleep(0.003 * (block.index % 3 == 0))
    return summed(block, state)


class Backwards:
    """An executor that runs the last block first."""

    def map(self, function, blocks):
        done = {block.index: function(block) for block in reversed(blocks)}
        yield from (done[block.index] for block in blocks)


class Forgetful:
    """An executor that loses the last outcome."""

    def map(self, function, blocks):
        yield from (function(block) for block in blocks[:-1])


def total_of(executor=None, outcome=hesitant) -> Total:
    work = Pass(name="sum", outcome=outcome, finish=lambda merged, state: merged)
    return run_pass(work, ROWS, executor=executor)


@pytest.mark.parametrize("executor", [LocalThreads(1), LocalThreads(2), LocalThreads(3), LocalThreads(8), Backwards()])
def test_the_result_has_the_same_bytes_whoever_runs_the_blocks(executor):
    merged = total_of(executor)
    assert merged.blocks == tuple(range(8))
    assert merged.total.hex() == total_of().total.hex()


def test_the_order_of_merging_does_matter_for_these_numbers():
    parts = [summed(block, None).total for block in reversed(_blocks())]
    # not `sum`, which since Python 3.12 keeps what rounding loses
    assert functools.reduce(operator.add, parts).hex() != total_of().total.hex()


def _blocks():
    seen = []
    work = Pass(name="", outcome=lambda block, _: seen.append(block) or Total(0, ()), finish=lambda merged, _: None)
    run_pass(work, ROWS)
    return seen


def test_blocks_of_a_pass_have_the_one_size():
    assert [len(block) for block in _blocks()] == [BLOCK_SIZE] * 7 + [100]


def test_every_block_sees_the_state_and_finish_makes_the_new_one():
    states = []

    def outcome(block, state):
        states.append(state)
        return Total(1.0, ())

    work = Pass(name="count", outcome=outcome, finish=lambda merged, state: (merged.total, state))
    assert run_pass(work, ROWS, "before") == (8.0, "before")
    assert states == ["before"] * 8


def test_a_single_row_is_a_pass():
    work = Pass(name="one", outcome=lambda block, _: Total(len(block), ()), finish=lambda merged, _: merged.total)
    assert run_pass(work, 1) == 1


@pytest.mark.parametrize("n_rows", [0, -3])
def test_no_rows_are_an_error(n_rows):
    work = Pass(name="none", outcome=summed, finish=lambda merged, _: merged)
    with pytest.raises(InvalidInputError, match="no rows"):
        run_pass(work, n_rows)


def test_an_executor_that_loses_an_outcome_is_found_out():
    with pytest.raises(ValueError, match="shorter"):
        total_of(Forgetful())


@pytest.mark.parametrize("workers", [1, 3])
def test_the_error_of_the_earliest_failing_block_reaches_the_caller(workers):
    def outcome(block, state):
        if block.index >= 3:
            time.sleep(0.01 * (block.index == 3))
            raise ValueError(f"block {block.index}")
        return Total(0.0, ())

    with pytest.raises(ValueError, match="block 3"):
        total_of(LocalThreads(workers), outcome)


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_tells_the_rows_done_in_order_up_to_all(workers):
    told = []
    work = Pass(name="sum", outcome=hesitant, finish=lambda merged, _: merged)
    run_pass(work, ROWS, executor=LocalThreads(workers), progress=lambda *news: told.append(news))
    expected = [0, *(BLOCK_SIZE * (i + 1) for i in range(7)), ROWS]
    assert told == [("sum", done, ROWS) for done in expected]


# ---------------------------------------------------------------- several passes


def counting(name: str, **settings) -> Pass:
    """A pass whose state is the number of sweeps so far."""
    return Pass(name=name, outcome=lambda block, _: Total(0.0, ()), finish=lambda _, state: state + 1, **settings)


def test_passes_hand_their_state_to_the_next():
    first = Pass(name="mean", outcome=summed, finish=lambda merged, _: merged.total / ROWS)
    second = Pass(
        name="spread",
        outcome=lambda block, mean: Total(float(((VALUES[block.rows] - mean) ** 2).sum()), ()),
        finish=lambda merged, mean: (mean, merged.total / ROWS),
    )
    mean, variance = run_passes([first, second], ROWS)
    assert mean == pytest.approx(VALUES.mean(), rel=1e-12)
    assert variance == pytest.approx(VALUES.var(), rel=1e-12)


def test_a_pass_that_does_not_ask_for_more_runs_once():
    assert run_passes([counting("a"), counting("b")], 5, 0) == 2


def test_a_pass_repeats_until_it_has_settled():
    assert run_passes([counting("a", settled=lambda before, after: after >= 4)], 5, 0) == 4
    assert run_passes([counting("a", settled=lambda before, after: True)], 5, 0) == 1


def test_settling_compares_the_state_before_a_sweep_with_the_one_after():
    seen = []

    def settled(before, after):
        seen.append((before, after))
        return after == 3

    run_passes([counting("a", settled=settled)], 5, 0)
    assert seen == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_fixed_point_is_found_to_the_same_bytes_with_any_workers(workers):
    # the price at which the mean demand exp(-price) / (1 + exp(-price) + x) meets 0.3
    x = np.abs(np.random.default_rng(1).normal(size=2 * BLOCK_SIZE + 9))

    def demand(block, price):
        return Total(float((np.exp(-price) / (1 + np.exp(-price) + x[block.rows])).sum()), ())

    work = Pass(
        name="price",
        outcome=demand,
        finish=lambda merged, price: price + 2.0 * (merged.total / x.size - 0.3),
        settled=lambda before, after: abs(before - after) < 1e-13,
        max_repeats=200,
    )
    price = run_passes([work], x.size, 0.0, executor=LocalThreads(workers))
    assert (np.exp(-price) / (1 + np.exp(-price) + x)).mean() == pytest.approx(0.3, abs=1e-12)
    assert price.hex() == run_passes([work], x.size, 0.0).hex()


@pytest.mark.parametrize("sweeps", [1, 7])
def test_a_pass_that_never_settles_raises_and_carries_the_state_it_had(sweeps):
    work = counting("prices", settled=lambda before, after: False, max_repeats=sweeps)
    with pytest.raises(ConvergenceError, match=rf"prices has not settled after {sweeps} sweeps") as caught:
        run_passes([work, counting("never reached")], 5, 0)
    assert caught.value.result == sweeps


def test_a_state_that_is_not_a_number_never_settles_a_comparison():
    work = Pass(
        name="prices",
        outcome=lambda block, _: Total(np.nan, ()),
        finish=lambda merged, _: merged.total,
        settled=lambda before, after: abs(after - before) < 1e-9,
        max_repeats=3,
    )
    with pytest.raises(ConvergenceError):
        run_passes([work], 5, 0.0)


def test_the_last_allowed_sweep_may_settle():
    assert run_passes([counting("a", settled=lambda before, after: after == 5, max_repeats=5)], 5, 0) == 5


def test_no_passes_leave_the_state_alone():
    state = object()
    assert run_passes([], 5, state) is state


def test_local_threads_are_an_executor():
    executor: Executor = LocalThreads(2)
    assert list(executor.map(lambda block: block, ())) == []
