"""The mechanisms as they are described, written to be read: what the compiled loops are held to."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.kernels import philox_uniforms_by_numpy

__all__ = ["deferred_acceptance_by_numpy", "immediate_acceptance_by_numpy", "serial_dictatorship_by_numpy"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]

WISH_KEY, FAVOUR_KEY, HALF, ROWS_PROPOSE = 0, 1, 2, 3  # places in `lottery`
PROPOSALS, TIES, ROUNDS = 0, 1, 2  # places in `told`


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
