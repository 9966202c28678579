"""Modules: groups of species that interact among themselves more than their sums explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError
from choicekit.networks.checking import checked_counts
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words

__all__ = ["Modules", "find_modules", "modularity_of"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_MOST = 1_000  # rounds of one climb; it ends when nothing changes
_GAIN = 1e-12


@dataclass(frozen=True, kw_only=True, eq=False)
class Modules:
    """The best partition found, and how much others differ.

    Attributes
    ----------
    modularity : float
        Of the best partition.
    row_modules, column_modules : ndarray (n,), (m,) of int
        Module of each species, the largest 0; -1 without interactions.
    all_modularities : ndarray (R,)
        Of every restart.
    agreement : float
        Mean over restarts of the share of pairs of species that are together, or apart, as in the best partition.
    """

    modularity: float
    row_modules: IntArray
    column_modules: IntArray
    all_modularities: FloatArray
    agreement: float

    @property
    def n_modules(self) -> int:
        """How many modules there are."""
        return int(max(self.row_modules.max(), self.column_modules.max())) + 1

    def __repr__(self) -> str:
        lowest = self.all_modularities.min()
        return (
            f"Modules({self.n_modules} modules, modularity {self.modularity:.4f}; "
            f"{self.all_modularities.size} restarts from {lowest:.4f}, agreement {self.agreement:.2f})"
        )


def modularity_of(counts: npt.ArrayLike, row_modules: npt.ArrayLike, column_modules: npt.ArrayLike) -> float:
    """Return Barber's modularity of a partition, weighted by counts.

    Notes
    -----
    Q = sum over pairs in one module of (c_ij - r_i s_j / N) / N, with r and s the sums and N the total.

    References
    ----------
    Barber (2007), "Modularity and community detection in bipartite networks", Physical Review E 76, eq. 6. Weighted:
    Dormann & Strauss (2014), "A method for detecting modules in quantitative bipartite networks", Methods in Ecology
    and Evolution 5.

    Examples
    --------
    >>> modularity_of([[2, 0], [0, 2]], [0, 1], [0, 1])
    0.5
    """
    excess = _excess(checked_counts(counts))
    together = np.asarray(row_modules)[:, None] == np.asarray(column_modules)
    return float(excess[together].sum())


def find_modules(counts: npt.ArrayLike, *, seed: int, restarts: int = 20) -> Modules:
    """Search for the partition of largest weighted modularity, from several random starts.

    Parameters
    ----------
    counts : array_like (n, m)
    seed, restarts : int

    Returns
    -------
    Modules

    Raises
    ------
    InvalidInputError, ShapeError

    Notes
    -----
    From random modules of columns, rows move to the module where they add most, then columns, until nothing changes;
    then the two modules that gain most are merged, and so on. It is a heuristic: other restarts may end lower, which
    `all_modularities` and `agreement` show. Species are put into an order of their own first, so that the one they are
    given in is of no consequence.

    References
    ----------
    Liu & Murata (2010), "An efficient algorithm for optimizing bipartite modularity", JACIII 14; Beckett (2016),
    "Improved community detection in weighted bipartite networks", Royal Society Open Science 3 (LPAwb+).

    Examples
    --------
    >>> find_modules([[2, 2, 0], [2, 2, 0], [0, 0, 3]], seed=1).row_modules
    array([0, 0, 1])
    """
    table = checked_counts(counts)
    if isinstance(restarts, bool) or not isinstance(restarts, int | np.integer) or restarts < 1:
        raise InvalidInputError(f"restarts must be a whole number of at least 1, found {restarts!r}")
    rows, columns = table.any(axis=1), table.any(axis=0)
    web = table[np.ix_(rows, columns)]
    row_order, column_order = _canonical(web)
    excess = _excess(web[np.ix_(row_order, column_order)])
    n, m = excess.shape
    draws = Draws(
        seed=check_seed(seed),
        stage=Stage.NULL_MODEL,
        rows=row_words(["modules"]),
        alternatives=alternative_words(np.arange(m + 1)),
    )
    found = []
    for restart in range(restarts):
        uniform = draws.uniforms(restart)[0]
        n_start = 2 + int(uniform[m] * (min(n, m) - 1)) if restart else m
        found.append(_climb(excess, np.arange(m) if restart == 0 else (uniform[:m] * n_start).astype(np.intp)))
    values = np.array([value for value, _, _ in found])
    best = int(np.argmax(values))
    own = np.concatenate(found[best][1:])
    agreement = float(np.mean([_agreement(own, np.concatenate(other[1:])) for other in found]))
    labels = _by_size(own)
    row_modules, column_modules = np.full(rows.size, -1), np.full(columns.size, -1)
    row_modules[np.flatnonzero(rows)[row_order]] = labels[:n]
    column_modules[np.flatnonzero(columns)[column_order]] = labels[n:]
    return Modules(
        modularity=float(values[best]),
        row_modules=row_modules,
        column_modules=column_modules,
        all_modularities=values,
        agreement=agreement,
    )


def _canonical(web: FloatArray) -> tuple[IntArray, IntArray]:
    """Return an order of rows and of columns that does not depend on the one they came in, but for species alike.

    Species are ordered by their counts in descending order, then by where these are.
    """
    rows = _lexicographic(np.sort(web, axis=1)[:, ::-1])
    columns = _lexicographic(np.hstack([np.sort(web.T, axis=1)[:, ::-1], web[rows].T]))
    return _lexicographic(np.hstack([np.sort(web, axis=1)[:, ::-1], web[:, columns]])), columns


def _lexicographic(keys: FloatArray) -> IntArray:
    return np.lexsort(-keys.T[::-1])


def _excess(table: FloatArray) -> FloatArray:
    total = table.sum()
    return np.asarray((table - np.outer(table.sum(axis=1), table.sum(axis=0)) / total) / total)


def _climb(excess: FloatArray, columns: IntArray) -> tuple[float, IntArray, IntArray]:
    rows = np.zeros(len(excess), dtype=np.intp)
    value = -np.inf
    while True:
        for _ in range(_MOST):
            n_modules = int(columns.max()) + 1
            of_rows = excess @ np.eye(n_modules)[columns]
            rows = np.argmax(of_rows, axis=1)
            of_columns = excess.T @ np.eye(n_modules)[rows]
            columns = np.argmax(of_columns, axis=1)
            reached = float(of_columns.max(axis=1).sum())
            if reached <= value + _GAIN:
                break
            value = reached
        labels, joined = np.unique(np.concatenate([rows, columns]), return_inverse=True)
        rows, columns = joined[: len(rows)], joined[len(rows) :]
        if labels.size < 2:
            return max(value, 0.0), rows, columns
        between = np.eye(labels.size)[rows].T @ excess @ np.eye(labels.size)[columns]
        gain = np.triu(between + between.T, 1)
        first, second = np.unravel_index(np.argmax(gain), gain.shape)
        if gain[first, second] <= _GAIN:
            return value, rows, columns
        rows, columns = np.where(rows == second, first, rows), np.where(columns == second, first, columns)
        value += float(gain[first, second]) - _GAIN


def _agreement(first: IntArray, second: IntArray) -> float:
    """Return the Rand index: the share of pairs that both partitions put together, or both apart."""
    one, other = first[:, None] == first, second[:, None] == second
    pairs = np.triu_indices(first.size, 1)
    return float((one[pairs] == other[pairs]).mean())


def _by_size(labels: IntArray) -> IntArray:
    """Return modules numbered by size, the largest first, ties by their first member."""
    _, first, joined, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(sizes.size, dtype=np.intp)
    rank[np.lexsort((first, -sizes))] = np.arange(sizes.size)
    return rank[joined]
