"""Tenth station: two ways to draw, one law, different choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import Softmax
from choicekit.tour.chi_square import follows
from choicekit.tour.claims import Claim, FloatArray, IntArray, Station

__all__ = ["TwoSamplingsStation", "visit_two_samplings"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TwoSamplingsStation(Station):
    """Choices of the same agents by Gumbel-max (coherent) and by inverting the distribution (inverse).

    Attributes
    ----------
    utility : ndarray (J,)
    alternatives : tuple of str
    probabilities : ndarray (J,)
    n_agents : int
    joint : ndarray (J, J)
        Agents by coherent (rows) and inverse choice (columns).
    agreement, expected_agreement : float
        Share of agents who choose alike under both, and its expectation: sum p^2.
    improved : int
        Position of the alternative that is improved.
    lift : float
        By how much.
    probabilities_after : ndarray (J,)
    switching_coherent, switching_inverse : ndarray (J, J)
        Agents by choice before (rows) and after (columns).
    expected_coherent, expected_inverse : ndarray (J, J)
        Exact shares of agents in those tables.
    needless_coherent, needless_inverse : int
        Agents who switch to an alternative that was not improved.

    Notes
    -----
    Coherent: the improved alternative j gains p'_j - p_j, and takes p_i - p'_i from each other i.
    Inverse: alternative i holds the stretch of (0, 1) between cumulated probabilities; improving one moves all the
    borders, and a switch from i to k is the overlap of the old stretch of i with the new one of k.
    """

    name: ClassVar[str] = "two-samplings"
    title: ClassVar[str] = "Two ways to draw have one law; only one moves agents to what got better, and nowhere else"

    utility: FloatArray
    alternatives: tuple[str, ...]
    probabilities: FloatArray
    n_agents: int
    joint: IntArray
    agreement: float
    expected_agreement: float
    improved: int
    lift: float
    probabilities_after: FloatArray
    switching_coherent: IntArray
    switching_inverse: IntArray
    expected_coherent: FloatArray
    expected_inverse: FloatArray
    needless_coherent: int
    needless_inverse: int


def visit_two_samplings(
    utility: FloatArray, alternatives: tuple[str, ...], agents: int, *, improved: int, lift: float, seed: int
) -> TwoSamplingsStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.
    alternatives : tuple of str
        Names of the J alternatives.
    agents : int
        How many choose.
    improved : int
        Position of the alternative that is improved.
    lift : float
        By how much, above 0.
    seed : int

    Examples
    --------
    >>> station = visit_two_samplings(np.zeros(3), ("a", "b", "c"), 3000, improved=0, lift=1.0, seed=1)
    >>> station.needless_coherent, station.needless_inverse > 0, station.passed
    (0, True, True)
    """
    n = utility.size
    better = utility + lift * (np.arange(n) == improved)
    coherent = _coherent(np.stack([utility, better]), agents, seed)
    inverse = _inverse(np.stack([utility, better]), agents, seed)
    p, after = Softmax().probabilities(np.stack([utility, better]))
    joint, by_coherent, by_inverse = (
        _table(rows, columns, n)
        for rows, columns in ((coherent[0], inverse[0]), (coherent[0], coherent[1]), (inverse[0], inverse[1]))
    )
    expected = _expected_coherent(p, after, improved), _overlaps(p, after)
    needless = [_needless(table, improved) for table in (by_coherent, by_inverse)]
    return TwoSamplingsStation(
        utility=utility,
        alternatives=alternatives,
        probabilities=p,
        n_agents=agents,
        joint=joint,
        agreement=float(np.trace(joint) / agents),
        expected_agreement=float(p @ p),
        improved=improved,
        lift=lift,
        probabilities_after=after,
        switching_coherent=by_coherent,
        switching_inverse=by_inverse,
        expected_coherent=expected[0],
        expected_inverse=expected[1],
        needless_coherent=needless[0],
        needless_inverse=needless[1],
        checks=(
            follows("coherent_law", "Gumbel-max draws follow softmax", joint.sum(axis=1), p),
            follows("inverse_law", "inverse draws follow softmax", joint.sum(axis=0), p),
            follows("independent", "one way to draw tells nothing of the other", joint, np.outer(p, p)),
            follows("coherent_switching", "coherent switching is as computed", by_coherent, expected[0]),
            follows("inverse_switching", "inverse switching is as computed", by_inverse, expected[1]),
            Claim(
                name="no_needless_switches",
                title="under coherent draws nobody switches to anything but the improved alternative",
                measure="such switches",
                value=float(needless[0]),
                limit=0.0,
                relation="<=",
                unit="rows",
            ),
        ),
    )


def _coherent(situations: FloatArray, agents: int, seed: int) -> list[IntArray]:
    words = alternative_words(np.arange(situations.shape[1]))
    draws = Draws(seed=seed, stage=Stage.CHOICE, rows=row_words(np.arange(agents)), alternatives=words)
    rule = Softmax()
    return [rule.coherent_choices(np.broadcast_to(row, (agents, row.size)), draws, range(1))[0] for row in situations]


def _inverse(situations: FloatArray, agents: int, seed: int) -> list[IntArray]:
    one_word = np.zeros(1, dtype=np.uint64)
    draws = Draws(seed=seed, stage=Stage.INVERSE, rows=row_words(np.arange(agents)), alternatives=one_word)
    rule = Softmax()
    return [rule.fast_choices(np.broadcast_to(row, (agents, row.size)), draws, range(1))[0] for row in situations]


def _table(rows: IntArray, columns: IntArray, n: int) -> IntArray:
    return np.bincount(rows * n + columns, minlength=n * n).reshape(n, n)


def _needless(table: IntArray, improved: int) -> int:
    """Switches to an alternative that was not improved."""
    others = np.arange(len(table)) != improved
    return int(table[:, others].sum() - np.trace(table) + table[improved, improved])


def _expected_coherent(before: FloatArray, after: FloatArray, improved: int) -> FloatArray:
    expected = np.diag(after)
    expected[:, improved] = before - after
    expected[improved, improved] = before[improved]
    return expected


def _overlaps(before: FloatArray, after: FloatArray) -> FloatArray:
    """Overlap of the old stretch of each alternative with the new one of each."""
    old, new = (np.append(0.0, p.cumsum() / p.sum()) for p in (before, after))
    upper, lower = np.minimum.outer(old[1:], new[1:]), np.maximum.outer(old[:-1], new[:-1])
    return np.asarray(np.maximum(upper - lower, 0.0))
