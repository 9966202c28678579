"""Drawing softmax choices by address, in compiled loops."""

from __future__ import annotations

import numpy as np

from choicekit.errors import InvalidInputError
from choicekit.random import Draws, HeldDraws, Stage
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.race_kernels import choose_by_race, choose_by_race_with
from choicekit.rules.softmax_kernels import choose_by_distribution

__all__ = ["distributed_choices", "raced_choices", "temperatures_of"]


def raced_choices(utility: FloatArray, temperature: float | FloatArray, draws: Draws, replications: range) -> IntArray:
    """Return argmax((u - max u) / T + Gumbel) of each row; at T = 0 tied maxima go to the larger draw.

    Parameters
    ----------
    utility : ndarray (n, J)
        As `choicekit.rules.utilities.available_utility` returns it.
    temperature : float or ndarray (n,)
    draws : Draws
        Addresses of the rows and alternatives, at ``Stage.CHOICE``.
    replications : range
        Consecutive replications.

    Returns
    -------
    ndarray (R, n) of int64
    """
    if draws.stage is not Stage.CHOICE:
        raise InvalidInputError(f"choices are drawn at stage CHOICE, found {draws.stage.name}")
    table, temperatures = np.ascontiguousarray(utility), temperatures_of(temperature)
    chosen = np.empty((len(replications), len(table)), dtype=np.int64)
    if isinstance(draws, HeldDraws):
        choose_by_race_with(table, temperatures, draws.exponentials(replications), chosen)
    else:
        choose_by_race(table, temperatures, *_addresses(draws, replications), replications.start, chosen)
    return chosen


def distributed_choices(
    utility: FloatArray, temperature: float | FloatArray, draws: Draws, replications: range
) -> IntArray:
    """Return where the cumulated weights exp((u - max u) / T) of each row pass a uniform share of their total.

    Parameters
    ----------
    utility : ndarray (n, J)
        As `choicekit.rules.utilities.available_utility` returns it.
    temperature : float or ndarray (n,)
    draws : Draws
        Addresses with a single word for alternatives, at ``Stage.INVERSE``.
    replications : range
        Consecutive replications.

    Returns
    -------
    ndarray (R, n) of int64
    """
    if draws.stage is not Stage.INVERSE:
        raise InvalidInputError(f"distributions are inverted at stage INVERSE, found {draws.stage.name}")
    table, temperatures = np.ascontiguousarray(utility), temperatures_of(temperature)
    chosen = np.empty((len(replications), len(table)), dtype=np.int64)
    choose_by_distribution(table, temperatures, *_addresses(draws, replications), replications.start, chosen)
    return chosen


def _addresses(draws: Draws, replications: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, alternatives = np.ascontiguousarray(draws.rows), np.ascontiguousarray(draws.alternatives)
    return rows, alternatives, draws.pair_keys(replications)


def temperatures_of(temperature: float | FloatArray) -> FloatArray:
    """Return one temperature, or one a row, as an array of one axis.

    Examples
    --------
    >>> temperatures_of(2.0)
    array([2.])
    """
    return np.ascontiguousarray(temperature, dtype=np.float64).reshape(-1)
