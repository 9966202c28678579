"""What proposers want most of those that would take them, in compiled loops.

`wishes` (P, R) are the utilities of proposers and `favours` (P, R) those of receivers, both with a row a proposer.
Equal utilities are told apart by lotteries, which are drawn only where they are needed: the uniforms at (proposer's
word, receiver's word), or the other way round where columns propose. `bars` (R,) are what a receiver must find a
proposer worth at least: a floor to begin with, the least of those it holds where it is full.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.kernels import inlined, philox_words, uniform_of

__all__ = ["best", "favoured_before", "list_more", "lottery_number", "place_in_list", "wished_before"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]


@inlined
def lottery_number(first: Any, second: Any, key: Any, lottery: UIntArray) -> Any:
    """Return the lottery number of a proposer and a receiver, given by their words."""
    if lottery[3] == np.uint64(0):
        first, second = second, first
    even, odd = philox_words(first, second, key)
    return uniform_of(even) if lottery[2] == np.uint64(0) else uniform_of(odd)


@inlined
def wished_before(
    proposer: int, a: int, b: int, wishes: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray,
    told: IntArray,
) -> Any:  # fmt: skip
    """Whether a proposer wants receiver `a` more than `b`."""
    first, second = wishes[proposer, a], wishes[proposer, b]
    if first != second or a == b:
        return first > second
    told[1] += 1
    first = lottery_number(words[proposer], others[a], lottery[0], lottery)
    second = lottery_number(words[proposer], others[b], lottery[0], lottery)
    return first > second or (first == second and a < b)


@inlined
def favoured_before(
    receiver: int, a: int, b: int, favours: FloatArray, words: UIntArray, tie_words: UIntArray, lottery: UIntArray,
    told: IntArray,
) -> Any:  # fmt: skip
    """Whether a receiver wants proposer `a` more than `b`."""
    first, second = favours[a, receiver], favours[b, receiver]
    if first != second or a == b:
        return first > second
    told[1] += 1
    first = lottery_number(words[a], tie_words[receiver], lottery[1], lottery)
    second = lottery_number(words[b], tie_words[receiver], lottery[1], lottery)
    return first > second or (first == second and a < b)


@inlined
def best(
    proposer: int, last: int, wishes: FloatArray, favours: FloatArray, floor: float, bars: FloatArray,
    full: IntArray, bar_numbers: FloatArray, worst: IntArray, words: UIntArray, others: UIntArray,
    own_tie_words: UIntArray, tie_words: UIntArray, lottery: UIntArray, told: IntArray,
) -> Any:  # fmt: skip
    """Return the receiver wanted most, after `last` where that is one, of those that would take the proposer; or -1."""
    found, best_wish = -1, -np.inf
    last_wish = wishes[proposer, last] if last >= 0 else np.inf
    number, number_of = 0.0, np.uint64(0)
    known = False
    for receiver in range(wishes.shape[1]):
        wish, favour = wishes[proposer, receiver], favours[proposer, receiver]
        if wish < best_wish or wish > last_wish or favour < bars[receiver]:
            continue
        if wish < floor or wish == -np.inf or favour == -np.inf:
            continue
        if (
            last >= 0
            and wish == last_wish
            and (receiver == last or not wished_before(proposer, last, receiver, wishes, words, others, lottery, told))
        ):
            continue
        if found >= 0 and not wished_before(proposer, receiver, found, wishes, words, others, lottery, told):
            continue
        if full[receiver] != 0 and favour == bars[receiver]:
            told[1] += 1
            if not known or number_of != tie_words[receiver]:
                number_of, known = tie_words[receiver], True
                number = lottery_number(own_tie_words[proposer], number_of, lottery[1], lottery)
            if np.isnan(bar_numbers[receiver]):
                holder = own_tie_words[worst[receiver]]
                bar_numbers[receiver] = lottery_number(holder, number_of, lottery[1], lottery)
            bar = bar_numbers[receiver]
            if number < bar or (number == bar and worst[receiver] < proposer):
                continue
        found, best_wish = receiver, wish
    return found


@inlined
def _sorted_by_wish(
    proposer: int, size: int, wishes: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray,
    wanted: Any, told: IntArray,
) -> None:  # fmt: skip
    """Put the first receivers of a proposer's list in order, the best first; equal ones by lottery."""
    own = np.empty(size)
    for place in range(size):
        own[place] = -wishes[proposer, wanted[proposer, place]]
    order, start = np.argsort(own), 0
    receivers = wanted[proposer, :size].copy()
    for place in range(size):
        wanted[proposer, place] = receivers[order[place]]
    while start < size:
        stop = start + 1
        while stop < size and wishes[proposer, wanted[proposer, stop]] == wishes[proposer, wanted[proposer, start]]:
            stop += 1
        if stop - start > 1:
            run = np.sort(wanted[proposer, start:stop])
            numbers = np.empty(stop - start)
            for place in range(stop - start):
                numbers[place] = -lottery_number(words[proposer], others[run[place]], lottery[0], lottery)
            by_lot = np.argsort(numbers, kind="mergesort")
            for place in range(stop - start):
                wanted[proposer, start + place] = run[by_lot[place]]
            told[1] += stop - start - 1
        start = stop


@inlined
def list_more(
    proposer: int, most: int, last_wish: float, wishes: FloatArray, favours: FloatArray, floor: float,
    bars: FloatArray, words: UIntArray, others: UIntArray, lottery: UIntArray, wanted: Any, told: IntArray,
) -> Any:  # fmt: skip
    """List about `most` of the best receivers that are wanted less than `last_wish` and may take the proposer."""
    size, cut = 0, -np.inf
    for receiver in range(wishes.shape[1]):
        wish, favour = wishes[proposer, receiver], favours[proposer, receiver]
        if wish >= last_wish or favour < bars[receiver] or wish < floor or wish == -np.inf or favour == -np.inf:
            continue
        wanted[proposer, size] = receiver
        size += 1
    if size > most:
        own = np.empty(size)
        for place in range(size):
            own[place] = -wishes[proposer, wanted[proposer, place]]
        cut, kept = -np.partition(own, most - 1)[most - 1], 0
        for place in range(size):
            if wishes[proposer, wanted[proposer, place]] >= cut:  # equal ones stay together
                wanted[proposer, kept] = wanted[proposer, place]
                kept += 1
        size = kept
    _sorted_by_wish(proposer, size, wishes, words, others, lottery, wanted, told)
    return size


@inlined
def place_in_list(
    proposer: int, last: int, wishes: FloatArray, favours: FloatArray, floor: float, floors_of_others: FloatArray,
    words: UIntArray, others: UIntArray, lottery: UIntArray,
) -> Any:  # fmt: skip
    """Return the place of a receiver among all that are acceptable, 1 for the first; their number where it is -1."""
    found, untold = 0, np.zeros(3, np.int64)
    last_wish = wishes[proposer, last] if last >= 0 else -np.inf
    for receiver in range(wishes.shape[1]):
        wish, favour = wishes[proposer, receiver], favours[proposer, receiver]
        if wish < last_wish or wish < floor or wish == -np.inf:
            continue
        if favour < floors_of_others[receiver] or favour == -np.inf:
            continue
        if (
            last < 0
            or receiver == last
            or wished_before(proposer, receiver, last, wishes, words, others, lottery, untold)
        ):
            found += 1
    return found
