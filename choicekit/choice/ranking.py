"""Rankings: choices without replacement, drawn by the perturbations of coherent choices, and their exact law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.sampling import check_rule_fits
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.execution import Block, LocalThreads, available_workers, blocks_of
from choicekit.random import Identifiers
from choicekit.rules import Softmax
from choicekit.rules.addressing import addressed_utility, check_replications, gumbel_numbers
from choicekit.rules.utilities import available_utility, check_temperature

__all__ = ["MOST_ALTERNATIVES", "inclusion_probabilities", "rank_choices"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_ALTERNATIVES = 18
"""Alternatives up to which inclusion probabilities are summed over all sets, 2^18 of them."""

_REACH = 41.0  # standard Gumbel numbers of the draw scheme lie in an interval shorter than this


def rank_choices(
    utility: npt.ArrayLike,
    *,
    k: int | None = None,
    temperature: float | npt.ArrayLike = 1.0,
    seed: int,
    agents: Identifiers | None = None,
    alternatives: Identifiers | None = None,
    situations: Identifiers | None = None,
    availability: npt.ArrayLike | None = None,
    replications: int = 1,
) -> IntArray:
    """Draw each agent's ranking of the alternatives: what is chosen, what would be next, and so on.

    Parameters
    ----------
    utility : array_like (J,) or (N, J)
        Systematic utility; one row for all agents, or one an agent. Minus infinity means unavailable.
    k : int, optional
        How many places are wanted, from 1 to J; by default all.
    temperature : float or array_like (N,)
        T >= 0 in units of utility; at T = 0 the ranking by utility, ties broken at random.
    seed : int
        In [0, 2^64).
    agents : array_like (N,), optional
        Identifiers (integers, text, UUIDs) that address the draws; default 0..N-1.
    alternatives : array_like (J,), optional
        Names that address the draws; default 0..J-1.
    situations : array_like (N,), optional
        Identifiers of the choice situations of an agent who chooses more than once.
    availability : array_like of bool (J,) or (N, J), optional
        True = available.
    replications : int
        Number R of independent repetitions, at least 1.

    Returns
    -------
    ndarray of int64
        Positions in the columns of `utility`, best first: (N, k) for one replication, else (R, N, k). -1 where fewer
        than k alternatives are available. The first is what `choose` draws with ``Softmax(temperature)``.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        For arguments that break the above; the message names agent and alternative.

    Notes
    -----
    The k largest of u / T + Gumbel number are k draws from softmax without replacement: the first with the choice
    probabilities, each later one with those among what is left (the law of Plackett and Luce). Removing an alternative
    moves no other in the ranking.

    References
    ----------
    Yellott (1977), "The relationship between Luce's choice axiom, Thurstone's theory of comparative judgment, and the
    double exponential distribution", J. Math. Psychology 15. Kool, van Hoof & Welling (2019), "Stochastic beams and
    where to find them", ICML, section 2.3 (Gumbel top-k).

    Examples
    --------
    >>> rank_choices([[0.0, 1.0, 2.0], [3.0, 1.0, -1.0]], seed=1)
    array([[2, 0, 1],
           [0, 1, 2]])
    >>> rank_choices([0.0, 1.0, 2.0], k=2, temperature=0, seed=1, availability=[True, False, False])
    array([[ 0, -1]])
    """
    rule, n_replications = Softmax(check_temperature(temperature)), check_replications(replications)
    table = addressed_utility(
        utility, seed=seed, agents=agents, alternatives=alternatives, situations=situations, availability=availability
    )
    n_rows, n_alternatives = table.utility.shape
    check_rule_fits(rule, n_rows)
    places = _check_places(n_alternatives if k is None else k, n_alternatives)
    ranked = np.empty((n_replications, n_rows, places), dtype=np.int64)

    def fill(block: Block) -> None:
        tiers = _tiers(table.utility[block.rows], np.asarray(rule.for_rows(block.rows).temperature))
        gumbels = gumbel_numbers(table.draws(block.rows), n_replications)
        for place, numbers in enumerate(gumbels):
            ranked[place, block.rows] = tiers.ranking(numbers)[:, :places]

    for _ in LocalThreads(available_workers()).map(fill, blocks_of(n_rows)):
        pass
    return ranked[0] if n_replications == 1 else ranked


@dataclass(frozen=True, kw_only=True, eq=False)
class _Tiers:
    """Alternatives of rows by falling utility, in tiers so far apart that no perturbation takes one past another.

    Within a tier utilities are measured from its best: at a tiny temperature those of the lower tiers would otherwise
    drown the perturbations, and with them the law of the lower places.

    Attributes
    ----------
    order : ndarray (n, J) of int64
        Positions by falling utility.
    tier : ndarray (n, J) of int64
        Number of the tier of each, from 0, in that order.
    scaled : ndarray (n, J)
        (u - best of its tier) / T, in that order; minus infinity where unavailable.
    """

    order: IntArray
    tier: IntArray
    scaled: FloatArray

    def ranking(self, gumbels: FloatArray) -> IntArray:
        """Return the positions by falling perturbed utility, -1 for the unavailable."""
        perturbed = self.scaled + np.take_along_axis(gumbels, self.order, axis=1)
        best_first = np.lexsort((-perturbed, self.tier), axis=-1)
        positions = np.where(np.isneginf(self.scaled), -1, self.order)
        return np.take_along_axis(positions, best_first, axis=1)


def _tiers(utility: FloatArray, temperature: FloatArray) -> _Tiers:
    order = np.argsort(-utility, axis=1, kind="stable")
    falling = np.take_along_axis(utility, order, axis=1)
    by_row = np.broadcast_to(temperature, len(utility))[:, None]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        steps = falling[:, :-1] - falling[:, 1:]
        apart = np.where(steps > 0, steps / by_row, 0.0) > _REACH
        starts = np.concatenate([np.zeros((len(utility), 1), dtype=bool), apart], axis=1)
        first = np.maximum.accumulate(np.where(starts, np.arange(utility.shape[1]), 0), axis=1)
        below = falling - np.take_along_axis(falling, first, axis=1)
        scaled = np.where(below == 0, 0.0, below / by_row)
    scaled[np.isneginf(falling)] = -np.inf
    return _Tiers(order=order, tier=starts.cumsum(axis=1), scaled=scaled)


def _check_places(k: object, n_alternatives: int) -> int:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= n_alternatives:
        raise InvalidInputError(
            f"k must be a whole number from 1 to the number of alternatives, {n_alternatives}, found {k!r}"
        )
    return int(k)


def inclusion_probabilities(
    utility: npt.ArrayLike,
    k: int,
    temperature: float | npt.ArrayLike = 1.0,
    availability: npt.ArrayLike | None = None,
) -> FloatArray:
    """Return the probability that each alternative is among the first k of a ranking, exactly.

    Parameters
    ----------
    utility : array_like (J,) or (N, J)
        Systematic utility; minus infinity means unavailable.
    k : int
        From 1 to J.
    temperature : float or array_like (N,)
        T >= 0 in units of utility; at T = 0 the k best, those tied for the last places sharing.
    availability : array_like of bool (J,) or (N, J), optional
        True = available.

    Returns
    -------
    ndarray (J,) or (N, J)
        Sums to k over the last axis, or to the number of available alternatives where there are fewer; exactly 0 where
        unavailable. For k = 1 the choice probabilities.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        For arguments that break the above, or more than 18 available alternatives in a row.

    Notes
    -----
    With P(S) the probability that the first |S| places hold the set S, and p(i | S) that of i among what S leaves,
    P(S + i) gathers P(S) p(i | S), and the inclusion probability of i sums P(S) p(i | S) over all S of fewer than k.

    Examples
    --------
    >>> inclusion_probabilities(np.log([1.0, 2.0, 3.0]), 2) * 60
    array([25., 44., 51.])
    """
    values = available_utility(utility, availability)
    if values.ndim > 2:
        raise ShapeError(f"utility must be (J,) or (N, J), found shape {values.shape}")
    rows, rule = np.atleast_2d(values), Softmax(check_temperature(temperature))
    check_rule_fits(rule, len(rows))
    places = _check_places(k, rows.shape[1])
    included = np.zeros(rows.shape)
    for place, row in enumerate(rows):
        there = row > -np.inf
        own_rule = rule.for_rows(slice(place, place + 1))
        included[place, there] = _included(row[there], min(places, int(there.sum())), own_rule)
    return included.reshape(values.shape)


def _included(utility: FloatArray, k: int, rule: Softmax) -> FloatArray:
    """Inclusion probabilities of one row whose alternatives are all available."""
    if k == utility.size:
        return np.ones(k)
    if k > 1 and utility.size > MOST_ALTERNATIVES:
        raise InvalidInputError(
            f"exact inclusion probabilities need at most {MOST_ALTERNATIVES} available alternatives, found "
            f"{utility.size}: estimate them as frequencies in rank_choices"
        )
    bits = 1 << np.arange(utility.size)
    held = (np.arange(2**utility.size if k > 1 else 1)[:, None] & bits) > 0  # which sets hold which alternative
    size, chance, total = held.sum(axis=1), np.zeros(len(held)), np.zeros(utility.size)
    chance[0] = 1.0
    for taken in range(k):
        sets = np.flatnonzero(size == taken)
        further = chance[sets, None] * rule.probabilities(utility, ~held[sets])
        total += further.sum(axis=0)
        if taken + 1 < k:
            np.add.at(chance, sets[:, None] | bits, further)  # what a set holds adds 0 to that set
    return np.minimum(total, 1.0)
