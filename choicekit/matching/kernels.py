"""Compiled loops of the mechanisms over proposals; `choicekit.matching.twins` has them as they are described.

All of them see one side propose to the other. `wishes` (P, R) are the utilities of proposers and `favours` (P, R) those
of receivers, both with a row a proposer. Equal utilities are told apart by lotteries, which are drawn only where they
are needed: the uniforms at (proposer's word, receiver's word), or the other way round where columns propose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.kernels import inlined, kernel
from choicekit.matching.twins import (
    deferred_acceptance_by_numpy,
    immediate_acceptance_by_numpy,
    serial_dictatorship_by_numpy,
)
from choicekit.matching.wishes import best, favoured_before, list_more, place_in_list

__all__ = ["accept_immediately", "defer_acceptance", "take_turns"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]

_SCANS = 8  # of all receivers by a proposer, after which sorting them takes less time


@inlined
def _sink(
    receiver: int, start: int, size: int, held: IntArray, favours: FloatArray, words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, told: IntArray,
) -> None:  # fmt: skip
    """Let the first of a heap with the least wanted on top fall to its place."""
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and favoured_before(
            receiver, held[start + child], held[start + child + 1], favours, words, tie_words, lottery, told
        ):
            child += 1
        above, below = held[start + place], held[start + child]
        if not favoured_before(receiver, above, below, favours, words, tie_words, lottery, told):
            return
        held[start + place], held[start + child] = below, above
        place = child


@inlined
def _rise(
    receiver: int, start: int, size: int, held: IntArray, favours: FloatArray, words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, told: IntArray,
) -> None:  # fmt: skip
    """Let the last of a heap with the least wanted on top rise to its place."""
    place = size - 1
    while place > 0:
        parent = (place - 1) // 2
        above, below = held[start + parent], held[start + place]
        if not favoured_before(receiver, above, below, favours, words, tie_words, lottery, told):
            return
        held[start + parent], held[start + place] = below, above
        place = parent


@inlined
def _apply(
    proposer: int, receiver: int, start: int, room: int, sizes: IntArray, held: IntArray, favours: FloatArray,
    words: UIntArray, tie_words: UIntArray, lottery: UIntArray, told: IntArray,
) -> Any:  # fmt: skip
    """Let a receiver hold a proposer among its `room` best; return who is turned away, -1 for nobody."""
    told[0] += 1
    if sizes[receiver] < room:
        held[start + sizes[receiver]] = proposer
        sizes[receiver] += 1
        _rise(receiver, start, sizes[receiver], held, favours, words, tie_words, lottery, told)
        return -1
    if room == 0:
        return proposer
    worst = held[start]
    if not favoured_before(receiver, proposer, worst, favours, words, tie_words, lottery, told):
        return proposer
    held[start] = proposer
    _sink(receiver, start, room, held, favours, words, tie_words, lottery, told)
    return worst


_TYPES = (
    "const float64[2]", "const float64[2]", "const int64[1]", "const int64[1]", "const float64[1]", "const float64[1]",
    "const uint64[1]", "const uint64[1]", "const uint64[1]", "const uint64[1]", "const uint64[1]", "int32[2]",
    "const int64[1]",
    "int64[1]", "int64[1]", "int64[1]",
)  # fmt: skip


@inlined
def _next_in_list(
    proposer: int, quota: int, place: IntArray, size: IntArray, chunk: IntArray, wishes: FloatArray,
    favours: FloatArray, floor: float, bars: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray,
    wanted: Any, told: IntArray,
) -> Any:  # fmt: skip
    """Return whom a proposer to many wants most of those not yet proposed to, -1 where there is none.

    Receivers are listed twice the quota at a time, then twice as many: who would be turned away is not on the list.
    """
    if place[proposer] == size[proposer] and size[proposer] >= chunk[proposer]:
        end = wishes[proposer, wanted[proposer, size[proposer] - 1]] if size[proposer] > 0 else np.inf
        chunk[proposer] = 2 * max(chunk[proposer], quota)
        size[proposer] = list_more(
            proposer, chunk[proposer], end, wishes, favours, floor, bars, words, others, lottery, wanted, told
        )
        place[proposer] = 0
    if place[proposer] == size[proposer]:
        return -1
    place[proposer] += 1
    return wanted[proposer, place[proposer] - 1]


def _deferred_acceptance(
    wishes: FloatArray, favours: FloatArray, quotas: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, wanted: Any, starts: IntArray, held: IntArray, sizes: IntArray, told: IntArray,
) -> None:  # fmt: skip
    # a receiver that is full turns away whoever is below its worst, then as ever after: such proposals are not tried
    n, m = wishes.shape
    bars, bar_numbers = floors_of_others.copy(), np.full(m, np.nan)
    full, worst = np.zeros(m, np.int64), np.full(m, -1, np.int64)
    for receiver in range(m):
        if seats[receiver] == 0:
            bars[receiver] = np.inf
    last, held_by, waiting = np.full(n, -1, np.int64), np.zeros(n, np.int64), np.empty(n + 1, np.int64)
    place, size, chunk = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for first in range(n):
        waiting[0], n_waiting = first, 1
        while n_waiting > 0:
            n_waiting -= 1
            proposer = waiting[n_waiting]
            while held_by[proposer] < quotas[proposer]:
                if quotas[proposer] == 1:
                    receiver = best(
                        proposer, last[proposer], wishes, favours, floors[proposer], bars, full, bar_numbers, worst,
                        words, others, own_tie_words, tie_words, lottery, told,
                    )  # fmt: skip
                else:
                    receiver = _next_in_list(
                        proposer, quotas[proposer], place, size, chunk, wishes, favours, floors[proposer], bars,
                        words, others, lottery, wanted, told,
                    )  # fmt: skip
                if receiver < 0:
                    last[proposer] = -1
                    break
                last[proposer] = receiver
                held_by[proposer] += 1
                room = seats[receiver]
                turned_away = _apply(
                    proposer, receiver, starts[receiver], room, sizes, held, favours, own_tie_words, tie_words,
                    lottery, told,
                )  # fmt: skip
                if sizes[receiver] == room and turned_away != proposer:
                    worst[receiver], full[receiver] = held[starts[receiver]], 1
                    bars[receiver], bar_numbers[receiver] = favours[worst[receiver], receiver], np.nan
                if turned_away >= 0:
                    held_by[turned_away] -= 1
                    if turned_away != proposer and held_by[turned_away] == quotas[turned_away] - 1:
                        waiting[n_waiting] = turned_away
                        n_waiting += 1
    told[0] = 0  # all proposals, with those that were not tried
    for proposer in range(n):
        if quotas[proposer] > 0:
            told[0] += place_in_list(
                proposer, last[proposer], wishes, favours, floors[proposer], floors_of_others, words, others, lottery,
            )  # fmt: skip


defer_acceptance = kernel(*_TYPES, twin=deferred_acceptance_by_numpy)(_deferred_acceptance)


@inlined
def _open_choice(
    proposer: int, scans: IntArray, at: IntArray, size: IntArray, wishes: FloatArray, favours: FloatArray,
    floor: float, floors_of_others: FloatArray, bars: FloatArray, nobody: IntArray, none: FloatArray,
    words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray, lottery: UIntArray,
    wanted: Any, told: IntArray,
) -> Any:  # fmt: skip
    """Return the best receiver with room yet, and its place in the list; -1 and the list's length for none."""
    scans[proposer] += 1
    if scans[proposer] <= _SCANS:
        found = best(
            proposer, -1, wishes, favours, floor, bars, nobody, none, nobody, words, others, own_tie_words, tie_words,
            lottery, told,
        )  # fmt: skip
        return found, place_in_list(proposer, found, wishes, favours, floor, floors_of_others, words, others, lottery)
    if scans[proposer] == _SCANS + 1:
        size[proposer] = list_more(
            proposer, bars.size, np.inf, wishes, favours, floor, floors_of_others, words, others, lottery, wanted, told
        )
    while at[proposer] < size[proposer] and bars[wanted[proposer, at[proposer]]] == np.inf:
        at[proposer] += 1
    if at[proposer] == size[proposer]:
        return -1, size[proposer]
    return np.int64(wanted[proposer, at[proposer]]), at[proposer] + 1


def _immediate_acceptance(
    wishes: FloatArray, favours: FloatArray, quotas: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, wanted: Any, starts: IntArray, held: IntArray, sizes: IntArray, told: IntArray,
) -> None:  # fmt: skip
    # nobody who is full takes anyone: each proposer waits for the round in which it comes to one that has room yet
    n, m = wishes.shape
    bars, nobody, none = floors_of_others.copy(), np.zeros(m, np.int64), np.full(m, np.nan)
    choice = np.full(n, -1, np.int64)
    first_of, next_of = np.full(m + 2, -1, np.int64), np.full(n, -1, np.int64)  # who applies in each round, as a list
    looking, n_looking = np.empty(n, np.int64), 0
    scans, at, size = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    for receiver in range(m):
        if seats[receiver] == 0:
            bars[receiver] = np.inf
    for proposer in range(n):
        if quotas[proposer] > 0:
            looking[n_looking] = proposer
            n_looking += 1
    n_rounds, new, n_proposals = 0, np.zeros(m, np.int64), 0
    for this_round in range(1, m + 2):
        for place in range(n_looking):
            proposer = looking[place]
            choice[proposer], comes = _open_choice(
                proposer, scans, at, size, wishes, favours, floors[proposer], floors_of_others, bars, nobody, none,
                words, others, own_tie_words, tie_words, lottery, wanted, told,
            )  # fmt: skip
            if choice[proposer] < 0:
                n_proposals, n_rounds = n_proposals + comes, max(n_rounds, comes)
                continue
            next_of[proposer], first_of[comes] = first_of[comes], proposer
        n_looking, proposer = 0, first_of[this_round]
        while proposer >= 0:
            receiver = choice[proposer]
            if sizes[receiver] == seats[receiver]:
                looking[n_looking], n_looking = proposer, n_looking + 1
            else:
                n_rounds = max(n_rounds, this_round)
                # who was taken in an earlier round stays: this round's applicants are a heap of their own behind them
                room = seats[receiver] - sizes[receiver]
                turned_away = _apply(
                    proposer, receiver, starts[receiver] + sizes[receiver], room, new, held, favours, own_tie_words,
                    tie_words, lottery, told,
                )  # fmt: skip
                n_proposals += this_round
                if turned_away >= 0:
                    n_proposals -= this_round
                    looking[n_looking], n_looking = turned_away, n_looking + 1
            proposer = next_of[proposer]
        for receiver in range(m):
            sizes[receiver] += new[receiver]
            new[receiver] = 0
            if sizes[receiver] == seats[receiver]:
                bars[receiver] = np.inf
    told[0], told[2] = n_proposals, n_rounds


accept_immediately = kernel(*_TYPES, twin=immediate_acceptance_by_numpy)(_immediate_acceptance)


def _serial_dictatorship(
    wishes: FloatArray, favours: FloatArray, order: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray, assigned: IntArray,
    told: IntArray,
) -> None:  # fmt: skip
    left, bars = seats.copy(), floors_of_others.copy()
    nobody, none = np.zeros(seats.size, np.int64), np.full(seats.size, np.nan)
    for receiver in range(seats.size):
        if left[receiver] <= 0:
            bars[receiver] = np.inf
    for turn in range(order.size):
        proposer = order[turn]
        taken = best(
            proposer, -1, wishes, favours, floors[proposer], bars, nobody, none, nobody, words, others, words, others,
            lottery, told,
        )  # fmt: skip
        assigned[proposer] = taken
        if taken >= 0:
            left[taken] -= 1
            if left[taken] == 0:
                bars[taken] = np.inf


take_turns = kernel(
    "const float64[2]", "const float64[2]", "const int64[1]", "const int64[1]", "const float64[1]", "const float64[1]",
    "const uint64[1]", "const uint64[1]", "const uint64[1]", "int64[1]", "int64[1]",
    twin=serial_dictatorship_by_numpy,
)(_serial_dictatorship)  # fmt: skip
