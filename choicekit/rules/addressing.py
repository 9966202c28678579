"""Utilities of agents with the addresses of their draws, as all that draw for a table of agents are given them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.random import Draws, Identifiers, Stage, alternative_words, check_seed, row_words
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.utilities import available_utility

__all__ = ["AddressedUtility", "addressed_utility", "check_replications", "gumbel_numbers"]

UIntArray = npt.NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AddressedUtility:
    """Utilities of N agents, checked, with the words that address their draws.

    Attributes
    ----------
    utility : ndarray (N, J)
        Minus infinity where unavailable; where one row was given, that row for every agent, read-only.
    seed : int
    rows : ndarray (N,) of uint64
        Words of (agent, situation).
    alternatives : ndarray (J,) of uint64
        Words of the alternatives.
    """

    utility: FloatArray
    seed: int
    rows: UIntArray
    alternatives: UIntArray

    def draws(self, rows: slice | IntArray = slice(None)) -> Draws:
        """Return the perturbations of some rows, those of coherent choices."""
        return Draws(seed=self.seed, stage=Stage.CHOICE, rows=self.rows[rows], alternatives=self.alternatives)


def addressed_utility(
    utility: npt.ArrayLike,
    *,
    seed: int,
    agents: Identifiers | None = None,
    alternatives: Identifiers | None = None,
    situations: Identifiers | None = None,
    availability: npt.ArrayLike | None = None,
) -> AddressedUtility:
    """Check the utilities of agents and give every row and column its address.

    Parameters
    ----------
    utility : array_like (J,) or (N, J)
        One row for all agents, or one an agent; one row is repeated without being copied.
    seed : int
        In [0, 2^64).
    agents, situations : array_like (N,), optional
        Identifiers; agents default to 0..N-1.
    alternatives : array_like (J,), optional
        Names; default 0..J-1.
    availability : array_like of bool (J,) or (N, J), optional
        True = available.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        For arguments that break the above; the message names agent and alternative.

    Examples
    --------
    >>> addressed_utility([0.0, 1.0], seed=1, agents=["ann", "bo"]).utility
    array([[0., 1.],
           [0., 1.]])
    """
    values = available_utility(utility, availability)
    if values.ndim > 2:
        raise ShapeError(f"utility must be (J,) or (N, J), found shape {values.shape}")
    if values.ndim == 1:
        named = agents if agents is not None else situations
        size = 1 if named is None else np.asarray(named, dtype=object).size
        values = np.broadcast_to(values, (size, values.size))
    n_rows, n_alternatives = values.shape
    rows = row_words(np.arange(n_rows) if agents is None else agents, situations)
    columns = alternative_words(np.arange(n_alternatives) if alternatives is None else alternatives)
    if rows.size != n_rows:
        raise ShapeError(f"agents must match the rows of utility: found {rows.size} agents and {n_rows} rows")
    if columns.size != n_alternatives:
        raise ShapeError(f"alternatives must match the columns of utility: found {columns.size} and {n_alternatives}")
    return AddressedUtility(utility=values, seed=check_seed(seed), rows=rows, alternatives=columns)


def check_replications(replications: object) -> int:
    """Return a number of replications, if it is a whole number of at least 1.

    Raises
    ------
    InvalidInputError
        For anything else.

    Examples
    --------
    >>> check_replications(3)
    3
    """
    if isinstance(replications, bool) or not isinstance(replications, int | np.integer) or replications < 1:
        raise InvalidInputError(f"replications must be a whole number of at least 1, found {replications!r}")
    return int(replications)


def gumbel_numbers(draws: Draws, replications: int) -> Iterator[FloatArray]:
    """Yield the Gumbel numbers of the first replications, each (n, J), taking both of a pair from one call.

    Examples
    --------
    >>> draws = addressed_utility([0.0, 1.0], seed=1).draws()
    >>> all(np.array_equal(numbers, draws.gumbels(r)) for r, numbers in enumerate(gumbel_numbers(draws, 3)))
    True
    """
    for pair in range(replications // 2):
        yield from draws.gumbel_pair(pair)
    if replications % 2:
        yield draws.gumbels(replications - 1)
