"""Local threads: outcomes in order, little in flight, errors of the earliest block, clean ends."""

from __future__ import annotations

import _thread
import threading
import time

import numpy as np
import pytest

from choicekit.errors import InvalidInputError
from choicekit.execution import LocalThreads, available_workers, blocks_of

BLOCKS = blocks_of(40, size=1)
many = pytest.mark.parametrize("workers", [1, 2, 4, 100])
threaded = pytest.mark.parametrize("workers", [2, 4])


def own_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("choicekit")]


def wait_until(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)


class Recorder:
    """A function of a block that notes which blocks were begun, from whichever thread."""

    def __init__(self, work=lambda block: block.index):
        self.begun: list[int] = []
        self.threads: set[int] = set()
        self._work, self._lock = work, threading.Lock()

    def __call__(self, block):
        with self._lock:
            self.begun.append(block.index)
            self.threads.add(threading.get_ident())
        return self._work(block)


@many
def test_outcomes_come_in_the_order_of_the_blocks(workers):
    def slow_at_first(block):
        time.sleep(0.004 if block.index % 4 == 0 else 0)
        return block.index

    assert list(LocalThreads(workers).map(slow_at_first, BLOCKS)) == list(range(40))
    assert not own_threads()


@many
def test_every_block_is_run_once(workers):
    recorder = Recorder()
    list(LocalThreads(workers).map(recorder, BLOCKS))
    assert sorted(recorder.begun) == list(range(40))


@many
def test_no_blocks_and_a_single_block_are_work_as_well(workers):
    assert list(LocalThreads(workers).map(len, ())) == []
    assert list(LocalThreads(workers).map(len, blocks_of(3))) == [3]


def test_blocks_run_at_the_same_time():
    # each waits for the other: one after another they would never end
    meeting = threading.Barrier(2, timeout=10)
    assert len(list(LocalThreads(2).map(lambda block: meeting.wait(), BLOCKS[:2]))) == 2


def test_no_more_blocks_run_at_once_than_there_are_workers():
    running, most, lock = 0, 0, threading.Lock()

    def work(block):
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    list(LocalThreads(3).map(work, BLOCKS))
    assert 1 <= most <= 3


def test_one_worker_is_the_calling_thread_and_works_only_when_asked():
    recorder = Recorder()
    outcomes = LocalThreads(1).map(recorder, BLOCKS)
    assert recorder.begun == []
    next(outcomes)
    assert recorder.begun == [0]
    assert recorder.threads == {threading.get_ident()}


@threaded
def test_only_a_few_blocks_are_begun_ahead_of_a_slow_consumer(workers):
    recorder = Recorder()
    for taken, _ in enumerate(LocalThreads(workers).map(recorder, BLOCKS), start=1):
        time.sleep(0.002)
        assert len(recorder.begun) <= taken + 2 * workers
    assert len(recorder.begun) == 40


@many
def test_the_error_of_the_earliest_failing_block_is_raised_whoever_fails_first(workers):
    def work(block):
        if block.index == 5:
            time.sleep(0.02)
            raise KeyError("early block, failing late")
        if block.index == 6:
            raise ValueError("late block, failing early")
        return block.index

    got = []
    with pytest.raises(KeyError, match="early block"):
        got.extend(LocalThreads(workers).map(work, BLOCKS))
    assert not own_threads()


@many
def test_outcomes_before_an_error_are_handed_over_first(workers):
    got = []
    with pytest.raises(ZeroDivisionError):
        got.extend(LocalThreads(workers).map(lambda block: 1 / (block.index - 7), BLOCKS))
    assert got == [1 / (index - 7) for index in range(7)]


@threaded
def test_after_an_error_the_blocks_not_yet_begun_are_dropped(workers):
    def fail_at_once(block):
        if block.index == 0:
            raise OSError("disk")
        time.sleep(0.1)

    recorder = Recorder(fail_at_once)
    with pytest.raises(OSError, match="disk"):
        list(LocalThreads(workers).map(recorder, BLOCKS))
    begun = len(recorder.begun)
    assert begun <= workers + 1  # the failing thread may take one more before the rest is dropped
    assert not own_threads()
    time.sleep(0.02)
    assert len(recorder.begun) == begun


@threaded
def test_a_caller_who_stops_early_leaves_no_thread_and_no_work_behind(workers):
    recorder = Recorder()
    outcomes = LocalThreads(workers).map(recorder, BLOCKS)
    assert [next(outcomes) for _ in range(3)] == [0, 1, 2]
    outcomes.close()
    assert not own_threads()
    assert len(recorder.begun) <= 3 + 2 * workers


@threaded
def test_an_error_of_the_caller_between_outcomes_leaves_no_thread_behind(workers):
    def consume():
        outcomes = LocalThreads(workers).map(Recorder(), BLOCKS)
        try:
            next(outcomes)
            raise RuntimeError("merging failed")
        finally:
            del outcomes

    with pytest.raises(RuntimeError, match="merging failed"):
        consume()
    wait_until(lambda: not own_threads())
    assert not own_threads()


@many
def test_an_interrupt_in_a_block_goes_through(workers):
    def work(block):
        if block.index == 3:
            raise KeyboardInterrupt
        return block.index

    recorder = Recorder(work)
    with pytest.raises(KeyboardInterrupt):
        list(LocalThreads(workers).map(recorder, BLOCKS))
    assert not own_threads()
    assert len(recorder.begun) <= 4 + 2 * workers


@threaded
def test_an_interrupt_while_waiting_ends_the_wait_and_drops_the_rest(workers):
    interrupted = threading.Event()

    def work(block):
        if block.index == 2 * workers - 1:
            interrupted.set()
            _thread.interrupt_main()
        time.sleep(0.02)
        return block.index

    def run_all():
        list(LocalThreads(workers).map(recorder, BLOCKS))
        time.sleep(1)  # a late interrupt must not arrive in another test

    recorder = Recorder(work)
    with pytest.raises(KeyboardInterrupt):
        run_all()
    assert interrupted.is_set()
    assert not own_threads()
    assert len(recorder.begun) < 40


def test_threads_may_write_into_one_array_of_the_caller():
    out = np.zeros(100_000)

    def fill(block):
        out[block.rows] = np.arange(block.start, block.stop)

    list(LocalThreads(4).map(fill, blocks_of(100_000, size=777)))
    np.testing.assert_array_equal(out, np.arange(100_000))


@pytest.mark.parametrize("workers", [0, -1, 1.0, 2.5, True, None, "2"])
def test_workers_are_a_whole_number_from_one(workers):
    with pytest.raises(InvalidInputError, match="workers must be a whole number of at least 1"):
        LocalThreads(workers)


def test_this_process_may_use_a_processor():
    assert isinstance(available_workers(), int)
    assert available_workers() >= 1
