"""Specialisation: how far a web is from interactions in proportion to what each side offers."""

from __future__ import annotations

from functools import lru_cache
from heapq import heapify, heapreplace

import numpy as np
import numpy.typing as npt

from choicekit.networks.diversity import entropy_of_sums, shannon_of
from choicekit.networks.kernels import fill_evenly, least_divergences

__all__ = ["d_prime_of", "h2_of", "least_entropy", "most_entropy_of_whole_counts"]

FloatArray = npt.NDArray[np.float64]

_NOTHING = 1e-12  # of entropy: a range below it is rounding


def h2_of(counts: FloatArray, *, whole: bool) -> float:
    """Return H2', between 0 (as general as sums allow) and 1 (as specialised); nan where sums allow one web only.

    Parameters
    ----------
    counts : ndarray (n, m)
    whole : bool
        Whether the most even web is one of whole counts, or has the expected counts (continuous).

    Notes
    -----
    H2' = (H_max - H) / (H_max - H_min) over webs with the same sums. Continuous: H_max is the sum of the entropies of
    both sides' sums. Whole: that of a web of whole counts that no exchange between two rows makes more even. H_min is
    greedy: the largest row meets the largest column as often as it can, and so on. Both are widened to H where they
    fall short of it. They depend on sums alone, in descending order, so the order of species is of no consequence.

    References
    ----------
    Bluthgen, Menzel & Bluthgen (2006), "Measuring specialization in species interaction networks", BMC Ecology 6:9.

    Examples
    --------
    >>> h2_of(np.array([[2.0, 0.0], [0.0, 2.0]]), whole=False), h2_of(np.array([[1.0, 1.0], [1.0, 1.0]]), whole=True)
    (1.0, 0.0)
    """
    rows, columns = np.sort(counts.sum(axis=1))[::-1].copy(), np.sort(counts.sum(axis=0))[::-1].copy()
    found = shannon_of(counts)
    if whole:
        most = most_entropy_of_whole_counts(rows, columns)
    else:
        most = entropy_of_sums(counts, 0) + entropy_of_sums(counts, 1)
    most, least = max(most, found), min(least_entropy(rows, columns), found)
    return float("nan") if most - least <= _NOTHING else (most - found) / (most - least)


def most_entropy_of_whole_counts(rows: FloatArray, columns: FloatArray) -> float:
    """Return the entropy of an even web of whole counts with given sums, descending."""
    few, many = (rows, columns) if rows.size <= columns.size else (columns, rows)
    return _most_entropy(few.tobytes(), many.tobytes())


@lru_cache(maxsize=8)  # null webs with fixed sums ask again and again
def _most_entropy(few: bytes, many: bytes) -> float:
    rows, columns = np.frombuffer(few).copy(), np.frombuffer(many).copy()
    web = np.empty((rows.size, columns.size))
    fill_evenly(rows, columns, web)
    return shannon_of(web)


def least_entropy(rows: FloatArray, columns: FloatArray) -> float:
    """Return the entropy of a web where the largest sums meet as often as they can, and so on with what is left.

    Examples
    --------
    >>> round(least_entropy(np.array([2.0, 2.0]), np.array([2.0, 2.0])), 6)
    0.693147
    """
    return _least_entropy(rows.tobytes(), columns.tobytes())


@lru_cache(maxsize=8)  # both variants of H2', and null webs with fixed sums, ask again
def _least_entropy(row_bytes: bytes, column_bytes: bytes) -> float:
    heaps = [[(-value, place) for place, value in enumerate(np.frombuffer(x))] for x in (row_bytes, column_bytes)]
    for heap in heaps:
        heapify(heap)
    taken: list[float] = []
    smallest = 1e-12 * -sum(value for value, _ in heaps[0])  # what rounding leaves of fractions
    while heaps[0] and heaps[1]:
        (row, row_place), (column, column_place) = heaps[0][0], heaps[1][0]
        visits = min(-row, -column)
        if visits <= smallest:
            break
        taken.append(visits)
        heapreplace(heaps[0], (row + visits, row_place))
        heapreplace(heaps[1], (column + visits, column_place))
    return shannon_of(np.array(taken))


def d_prime_of(counts: FloatArray, axis: int) -> FloatArray:
    """Return d' of each species of one side: 0 visits partners as they offer themselves, 1 as exclusively as can be.

    Parameters
    ----------
    counts : ndarray (n, m)
    axis : int
        That partners are on: 1 for d' of rows.

    Returns
    -------
    ndarray
        nan for a species without interactions, and where only one value is possible.

    Notes
    -----
    d = sum_j p_j log(p_j / q_j), with p the shares of a species' interactions and q those of all. d' is d on the way
    from d_min to d_max = log(total / own sum). d_min is the least that whole visits allow, exactly; 0 where counts are
    fractions.

    References
    ----------
    Bluthgen, Menzel & Bluthgen (2006), BMC Ecology 6:9, "Specialization index on the species level".

    Examples
    --------
    >>> d_prime_of(np.array([[2.0, 0.0], [0.0, 2.0]]), axis=1)
    array([1., 1.])
    """
    table = counts if axis == 1 else counts.T
    partners = table.sum(axis=0)
    table, partners = table[:, partners > 0], partners[partners > 0]
    own, total = table.sum(axis=1), table.sum()
    lowest = np.zeros(own.size)
    if np.all(counts == np.rint(counts)):
        least_divergences(own, partners, lowest)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(table > 0, table * (np.log(table / own[:, None]) - np.log(partners / total)), 0.0)
        found, highest = terms.sum(axis=1) / own, np.log(total / own)
        lowest = np.minimum(lowest, found)
        room = np.maximum(highest, found) - lowest
        return np.where((own > 0) & (room > _NOTHING), (found - lowest) / room, np.nan)
