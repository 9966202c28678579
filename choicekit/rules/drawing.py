"""Drawing choices from utilities: by perturbing each alternative, or by inverting the distribution."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError
from choicekit.random import Draws, Stage

__all__ = ["inverted_choices", "perturbed_choices", "refuse_coherent"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def perturbed_choices(scaled: FloatArray, draws: Draws, replications: range) -> IntArray:
    """Positions of the maxima of `scaled` plus one Gumbel number per row and alternative.

    Parameters
    ----------
    scaled : ndarray (n, J)
        (u - max u) / T, minus infinity where unavailable.
    draws : Draws
        Addresses, at ``Stage.CHOICE``.
    replications : range
        Consecutive replications.

    Returns
    -------
    ndarray (R, n) of int64
    """
    if draws.stage is not Stage.CHOICE:
        raise InvalidInputError(f"choices are drawn at stage CHOICE, found {draws.stage.name}")
    chosen = np.empty((len(replications), len(scaled)), dtype=np.int64)
    for place, gumbels in _gumbels(draws, replications):
        np.add(gumbels, scaled, out=gumbels)
        np.argmax(gumbels, axis=-1, out=chosen[place])
    return chosen


def _gumbels(draws: Draws, replications: range) -> Iterator[tuple[int, FloatArray]]:
    """Yield each replication's Gumbel numbers, taking both of a pair from one call."""
    place = 0
    while place < len(replications):
        replication = replications[place]
        if replication % 2 == 0 and place + 1 < len(replications):
            yield from zip((place, place + 1), draws.gumbel_pair(replication // 2), strict=True)
            place += 2
        else:
            yield place, draws.gumbels(replication)
            place += 1


def inverted_choices(probabilities: FloatArray, draws: Draws, replications: range) -> IntArray:
    """Positions at which cumulated probabilities pass one uniform number a row.

    Parameters
    ----------
    probabilities : ndarray (n, J)
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
    chosen = np.empty((len(replications), len(probabilities)), dtype=np.int64)
    cumulated = probabilities.cumsum(axis=-1)
    for place, replication in enumerate(replications):
        # below the total, since u < 1 - 2^-53; strictly above what precedes an alternative of probability 0
        mark = draws.uniforms(replication) * cumulated[:, -1:]
        np.argmax(cumulated > mark, axis=-1, out=chosen[place])
    return chosen


def refuse_coherent(rule: object) -> NoReturn:
    """Raise the error of a rule that is asked for coherent draws and has none.

    Parameters
    ----------
    rule : ChoiceRule
        Its attribute `why_not_coherent`, if it has one, says why.

    Raises
    ------
    InvalidInputError
    """
    reason = getattr(rule, "why_not_coherent", "")
    raise InvalidInputError(
        f"{type(rule).__name__} has no additive-noise law, so coherent draws do not exist{reason and f' ({reason})'}: "
        "use sampling 'fast' or 'auto'"
    )
