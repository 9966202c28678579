"""Loops of the mechanisms over proposals, and the same written to be read.

All of them see one side propose to the other. `wishes` (P, R) are the utilities of proposers and `favours` (P, R) those
of receivers, both with a row a proposer. Equal utilities are told apart by lotteries, which are drawn only where they
are needed: the uniforms at (proposer's word, receiver's word), or the other way round where columns propose.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.kernels import inlined, kernel, philox_uniforms_by_numpy, philox_words, uniform_of

__all__ = [
    "accept_immediately",
    "defer_acceptance",
    "deferred_acceptance_by_numpy",
    "immediate_acceptance_by_numpy",
    "serial_dictatorship_by_numpy",
    "take_turns",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]

_AHEAD = 16  # receivers that each proposer has sorted to begin with
WISH_KEY, FAVOUR_KEY, HALF, ROWS_PROPOSE = 0, 1, 2, 3  # places in `lottery`
PROPOSALS, TIES, ROUNDS = 0, 1, 2  # places in `told`


@inlined
def _number(first: Any, second: Any, key: Any, lottery: UIntArray) -> Any:
    """Return the lottery number of a proposer and a receiver, given by their words."""
    if lottery[3] == np.uint64(0):
        first, second = second, first
    even, odd = philox_words(first, second, key)
    return uniform_of(even) if lottery[2] == np.uint64(0) else uniform_of(odd)


@inlined
def _wished_before(
    proposer: int, a: int, b: int, wishes: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray,
    told: IntArray,
) -> Any:  # fmt: skip
    """Whether a proposer wants receiver `a` more than `b`."""
    first, second = wishes[proposer, a], wishes[proposer, b]
    if first != second or a == b:
        return first > second
    told[1] += 1
    first = _number(words[proposer], others[a], lottery[0], lottery)
    second = _number(words[proposer], others[b], lottery[0], lottery)
    return first > second or (first == second and a < b)


@inlined
def _favoured_before(
    receiver: int, a: int, b: int, favours: FloatArray, words: UIntArray, tie_words: UIntArray, lottery: UIntArray,
    told: IntArray,
) -> Any:  # fmt: skip
    """Whether a receiver wants proposer `a` more than `b`."""
    first, second = favours[a, receiver], favours[b, receiver]
    if first != second or a == b:
        return first > second
    told[1] += 1
    first = _number(words[a], tie_words[receiver], lottery[1], lottery)
    second = _number(words[b], tie_words[receiver], lottery[1], lottery)
    return first > second or (first == second and a < b)


@inlined
def _first_wishes(
    proposer: int, wishes: FloatArray, favours: FloatArray, floors: FloatArray, floors_of_others: FloatArray,
    words: UIntArray, others: UIntArray, lottery: UIntArray, wanted: Any, told: IntArray,
) -> Any:  # fmt: skip
    """Fill in the few best receivers of a proposer, best first; return their number."""
    size, room = 0, min(_AHEAD, wishes.shape[1])
    for receiver in range(wishes.shape[1]):
        wish, favour = wishes[proposer, receiver], favours[proposer, receiver]
        if wish == -np.inf or favour == -np.inf or wish < floors[proposer] or favour < floors_of_others[receiver]:
            continue
        if size == room:
            worst = wanted[proposer, size - 1]
            if not _wished_before(proposer, receiver, worst, wishes, words, others, lottery, told):
                continue
            size -= 1
        place = size
        while place > 0 and _wished_before(
            proposer, receiver, wanted[proposer, place - 1], wishes, words, others, lottery, told
        ):
            wanted[proposer, place] = wanted[proposer, place - 1]
            place -= 1
        wanted[proposer, place] = receiver
        size += 1
    return size


@inlined
def _all_wishes(
    proposer: int, wishes: FloatArray, favours: FloatArray, floors: FloatArray, floors_of_others: FloatArray,
    words: UIntArray, others: UIntArray, lottery: UIntArray, wanted: Any, told: IntArray,
) -> Any:  # fmt: skip
    """Fill in all receivers of a proposer, best first; return their number."""
    order, size, start = np.argsort(-wishes[proposer]), 0, 0
    for place in range(order.size):
        receiver = order[place]
        wish, favour = wishes[proposer, receiver], favours[proposer, receiver]
        if wish > -np.inf and favour > -np.inf and wish >= floors[proposer] and favour >= floors_of_others[receiver]:
            wanted[proposer, size] = receiver
            size += 1
    while start < size:
        stop = start + 1
        while stop < size and wishes[proposer, wanted[proposer, stop]] == wishes[proposer, wanted[proposer, start]]:
            stop += 1
        if stop - start > 1:
            run = np.sort(wanted[proposer, start:stop])
            numbers = np.empty(stop - start)
            for place in range(stop - start):
                numbers[place] = -_number(words[proposer], others[run[place]], lottery[0], lottery)
            by_lot = np.argsort(numbers, kind="mergesort")
            for place in range(stop - start):
                wanted[proposer, start + place] = run[by_lot[place]]
            told[1] += stop - start - 1
        start = stop
    return size


@inlined
def _next(
    proposer: int, place: IntArray, size: IntArray, wishes: FloatArray, favours: FloatArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray, wanted: Any, told: IntArray,
) -> Any:  # fmt: skip
    """Return the receiver that a proposer wants most of those not yet proposed to, -1 where there is none."""
    if size[proposer] < 0:
        size[proposer] = _first_wishes(
            proposer, wishes, favours, floors, floors_of_others, words, others, lottery, wanted, told
        )
    elif place[proposer] == _AHEAD and size[proposer] == _AHEAD:
        # most never get this far: only for those who do is it worth sorting all receivers
        size[proposer] = _all_wishes(
            proposer, wishes, favours, floors, floors_of_others, words, others, lottery, wanted, told
        )
    if place[proposer] >= size[proposer]:
        return -1
    place[proposer] += 1
    return wanted[proposer, place[proposer] - 1]


@inlined
def _sink(
    receiver: int, start: int, size: int, held: IntArray, favours: FloatArray, words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, told: IntArray,
) -> None:  # fmt: skip
    """Let the first of a heap with the least wanted on top fall to its place."""
    place = 0
    while 2 * place + 1 < size:
        child = 2 * place + 1
        if child + 1 < size and _favoured_before(
            receiver, held[start + child], held[start + child + 1], favours, words, tie_words, lottery, told
        ):
            child += 1
        above, below = held[start + place], held[start + child]
        if not _favoured_before(receiver, above, below, favours, words, tie_words, lottery, told):
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
        if not _favoured_before(receiver, above, below, favours, words, tie_words, lottery, told):
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
    if not _favoured_before(receiver, proposer, worst, favours, words, tie_words, lottery, told):
        return proposer
    held[start] = proposer
    _sink(receiver, start, room, held, favours, words, tie_words, lottery, told)
    return worst


def deferred_acceptance_by_numpy(
    wishes: FloatArray, favours: FloatArray, quotas: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, wanted: Any, starts: IntArray, held: IntArray, sizes: IntArray, told: IntArray,
) -> None:  # fmt: skip
    """Fill in whom receivers hold when nobody proposes any more, as in Gale and Shapley (1962)."""
    lists, scores = _orders(
        wishes, favours, floors, floors_of_others, (words, others), (own_tie_words, tie_words), lottery
    )
    kept: list[list[int]] = [[] for _ in seats]
    held_by, following = np.zeros(len(quotas), dtype=np.int64), np.zeros(len(quotas), dtype=np.int64)
    waiting = [*range(len(quotas))]
    while waiting:
        proposer = waiting.pop()
        while held_by[proposer] < quotas[proposer] and following[proposer] < len(lists[proposer]):
            receiver = lists[proposer][following[proposer]]
            following[proposer] += 1
            told[PROPOSALS] += 1
            kept[receiver] = sorted([*kept[receiver], proposer], key=lambda each: scores[each, receiver])
            held_by[proposer] += 1
            if len(kept[receiver]) > seats[receiver]:
                turned_away = kept[receiver].pop()
                held_by[turned_away] -= 1
                waiting.append(turned_away)
    _keep(kept, starts, held, sizes)


def immediate_acceptance_by_numpy(
    wishes: FloatArray, favours: FloatArray, quotas: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, wanted: Any, starts: IntArray, held: IntArray, sizes: IntArray, told: IntArray,
) -> None:  # fmt: skip
    """Fill in whom receivers hold when each round's applicants are taken for good, best first, while there is room."""
    lists, scores = _orders(
        wishes, favours, floors, floors_of_others, (words, others), (own_tie_words, tie_words), lottery
    )
    kept: list[list[int]] = [[] for _ in seats]
    alone, choice = [place for place in range(len(quotas)) if quotas[place] > 0], 0
    while alone := [proposer for proposer in alone if len(lists[proposer]) > choice]:
        told[ROUNDS] += 1
        told[PROPOSALS] += len(alone)
        for receiver in range(len(seats)):
            applying = [proposer for proposer in alone if lists[proposer][choice] == receiver]
            applying.sort(key=lambda each: scores[each, receiver])
            taken = applying[: seats[receiver] - len(kept[receiver])]
            kept[receiver] += taken
            alone = [proposer for proposer in alone if proposer not in taken]
        choice += 1
    _keep(kept, starts, held, sizes)


def _orders(
    wishes: FloatArray, favours: FloatArray, floors: FloatArray, floors_of_others: FloatArray,
    words: tuple[UIntArray, UIntArray], tie_words: tuple[UIntArray, UIntArray], lottery: UIntArray,
) -> tuple[list[list[int]], IntArray]:  # fmt: skip
    """Whom each proposer would propose to, best first; and the place of each proposer in each receiver's order."""
    acceptable = (wishes > -np.inf) & (favours > -np.inf)
    acceptable &= (wishes >= floors[:, None]) & (favours >= floors_of_others)
    drawn = _numbers(*words, lottery[WISH_KEY], lottery)
    lists = []
    for proposer, allowed in enumerate(acceptable):
        order = np.lexsort((-drawn[proposer], -wishes[proposer]))
        lists.append([int(receiver) for receiver in order if allowed[receiver]])
    drawn = _numbers(*tie_words, lottery[FAVOUR_KEY], lottery)
    order = np.lexsort((-drawn, -favours), axis=0)
    return lists, np.argsort(order, axis=0)


def _numbers(words: UIntArray, others: UIntArray, key: np.uint64, lottery: UIntArray) -> FloatArray:
    half = int(lottery[HALF])
    if lottery[ROWS_PROPOSE]:
        return philox_uniforms_by_numpy(words, others, int(key), (half,))[0]
    return philox_uniforms_by_numpy(others, words, int(key), (half,))[0].T


def _keep(kept: list[list[int]], starts: IntArray, held: IntArray, sizes: IntArray) -> None:
    for receiver, proposers in enumerate(kept):
        held[starts[receiver] : starts[receiver] + len(proposers)] = proposers
        sizes[receiver] = len(proposers)


_TYPES = (
    "const float64[2]", "const float64[2]", "const int64[1]", "const int64[1]", "const float64[1]", "const float64[1]",
    "const uint64[1]", "const uint64[1]", "const uint64[1]", "const uint64[1]", "const uint64[1]", "int32[2]",
    "const int64[1]",
    "int64[1]", "int64[1]", "int64[1]",
)  # fmt: skip


def _deferred_acceptance(
    wishes: FloatArray, favours: FloatArray, quotas: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, wanted: Any, starts: IntArray, held: IntArray, sizes: IntArray, told: IntArray,
) -> None:  # fmt: skip
    n = wishes.shape[0]
    place, size = np.zeros(n, np.int64), np.full(n, -1, np.int64)
    held_by, waiting = np.zeros(n, np.int64), np.empty(n + 1, np.int64)
    for first in range(n):
        waiting[0], n_waiting = first, 1
        while n_waiting > 0:
            n_waiting -= 1
            proposer = waiting[n_waiting]
            while held_by[proposer] < quotas[proposer]:
                receiver = _next(
                    proposer, place, size, wishes, favours, floors, floors_of_others, words, others, lottery,
                    wanted, told,
                )  # fmt: skip
                if receiver < 0:
                    break
                held_by[proposer] += 1
                turned_away = _apply(
                    proposer, receiver, starts[receiver], seats[receiver], sizes, held, favours, own_tie_words,
                    tie_words, lottery, told,
                )  # fmt: skip
                if turned_away >= 0:
                    held_by[turned_away] -= 1
                    if turned_away != proposer and held_by[turned_away] == quotas[turned_away] - 1:
                        waiting[n_waiting] = turned_away
                        n_waiting += 1


defer_acceptance = kernel(*_TYPES, twin=deferred_acceptance_by_numpy)(_deferred_acceptance)


def _immediate_acceptance(
    wishes: FloatArray, favours: FloatArray, quotas: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, own_tie_words: UIntArray, tie_words: UIntArray,
    lottery: UIntArray, wanted: Any, starts: IntArray, held: IntArray, sizes: IntArray, told: IntArray,
) -> None:  # fmt: skip
    n = wishes.shape[0]
    place, size = np.zeros(n, np.int64), np.full(n, -1, np.int64)
    alone, settled, new = quotas > 0, sizes.copy(), np.empty(sizes.size, np.int64)
    while True:
        applied = False
        new[:] = 0
        for proposer in range(n):
            if not alone[proposer]:
                continue
            receiver = _next(
                proposer, place, size, wishes, favours, floors, floors_of_others, words, others, lottery,
                wanted, told,
            )  # fmt: skip
            if receiver < 0:
                alone[proposer] = False
                continue
            applied = True
            # who was taken in an earlier round stays: this round's applicants are a heap of their own behind them
            room = seats[receiver] - settled[receiver]
            alone[proposer] = False
            turned_away = _apply(
                proposer, receiver, starts[receiver] + settled[receiver], room, new, held, favours, own_tie_words,
                tie_words, lottery, told,
            )  # fmt: skip
            if turned_away >= 0:
                alone[turned_away] = True
        if not applied:
            break
        told[2] += 1
        for receiver in range(sizes.size):
            settled[receiver] += new[receiver]
    sizes[:] = settled


accept_immediately = kernel(*_TYPES, twin=immediate_acceptance_by_numpy)(_immediate_acceptance)


def serial_dictatorship_by_numpy(
    wishes: FloatArray, favours: FloatArray, order: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray, assigned: IntArray,
    told: IntArray,
) -> None:  # fmt: skip
    """Fill in what each takes who takes the best of what is left, in a given order; -1 for nothing."""
    drawn, left = _numbers(words, others, lottery[WISH_KEY], lottery), seats.copy()
    for proposer in order:
        allowed = (wishes[proposer] > -np.inf) & (favours[proposer] > -np.inf) & (left > 0)
        allowed &= (wishes[proposer] >= floors[proposer]) & (favours[proposer] >= floors_of_others)
        liked = [each for each in np.lexsort((-drawn[proposer], -wishes[proposer])) if allowed[each]]
        assigned[proposer] = liked[0] if liked else -1
        if liked:
            left[liked[0]] -= 1


def _serial_dictatorship(
    wishes: FloatArray, favours: FloatArray, order: IntArray, seats: IntArray, floors: FloatArray,
    floors_of_others: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray, assigned: IntArray,
    told: IntArray,
) -> None:  # fmt: skip
    left = seats.copy()
    for turn in range(order.size):
        proposer, best = order[turn], -1
        for receiver in range(seats.size):
            wish, favour = wishes[proposer, receiver], favours[proposer, receiver]
            if left[receiver] <= 0 or wish == -np.inf or favour == -np.inf:
                continue
            if wish < floors[proposer] or favour < floors_of_others[receiver]:
                continue
            if best < 0 or _wished_before(proposer, receiver, best, wishes, words, others, lottery, told):
                best = receiver
        assigned[proposer] = best
        if best >= 0:
            left[best] -= 1


take_turns = kernel(
    "const float64[2]", "const float64[2]", "const int64[1]", "const int64[1]", "const float64[1]", "const float64[1]",
    "const uint64[1]", "const uint64[1]", "const uint64[1]", "int64[1]", "int64[1]",
    twin=serial_dictatorship_by_numpy,
)(_serial_dictatorship)  # fmt: skip
