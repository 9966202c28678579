"""What rows choose in a replication: their type is drawn, then a choice under its rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from choicekit.choice.heterogeneity.expectation import Chooser
from choicekit.choice.heterogeneity.types import RowTypes
from choicekit.choice.sampling import Sampler
from choicekit.random import Draws
from choicekit.rules import ChoiceRule

__all__ = ["drawn_choices"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def drawn_choices(
    types: RowTypes, choosers: Sequence[Chooser], replications: range, held: Draws | None = None
) -> list[IntArray]:
    """Return the positions that rows choose in several cases, by the same draws.

    Parameters
    ----------
    types : RowTypes
    choosers : sequence of Chooser
        The same rows in every case, each with a sampler.
    replications : range
        Consecutive replications.
    held : Draws, optional
        The perturbations of these rows, where they have been made already.

    Returns
    -------
    list of ndarray (R, n) of int64

    Notes
    -----
    An agent is of the same type in every case and in all its situations. Under coherent draws it then meets the same
    perturbations in every case, so improving one alternative for its type moves it only to that one. Fast draws invert
    the distribution of its type: not the expected one, which would lose what its situations have in common.
    """
    if types.types.lone:
        fixed = types.types.model.kinds[0].fixed
        return [
            _sampler(one, one.rules[0]).choices(one.facing.at(fixed), one.facing.rows, replications, held)
            for one in choosers
        ]
    chosen = [np.empty((len(replications), len(types.rows)), dtype=np.int64) for _ in choosers]
    pair: tuple[int, Draws] | None = None
    for place, replication in enumerate(replications):
        drawn = types.drawn(replication)
        if held is None and (pair is None or pair[0] != replication // 2):
            pair = replication // 2, _sampler(choosers[0], choosers[0].rules[0]).held(types.rows)
        draws = pair[1] if held is None and pair is not None else held
        for one, table in zip(choosers, chosen, strict=True):
            utility = one.facing.at(drawn.coefficients)
            table[place] = _chosen(one, utility, drawn.position, range(replication, replication + 1), draws)
    return chosen


def _chosen(
    chooser: Chooser, utility: FloatArray, position: IntArray, replication: range, draws: Draws | None
) -> IntArray:
    """Return what each row (n,) chooses under the rule of its class."""
    distinct = list(dict.fromkeys(chooser.rules))
    rows = chooser.facing.rows
    if len(distinct) == 1:
        return np.asarray(_sampler(chooser, distinct[0]).choices(utility, rows, replication, draws)[0])
    kind = np.array([distinct.index(rule) for rule in chooser.rules])[position]
    chosen = np.empty(len(rows), dtype=np.int64)
    for number, rule in enumerate(distinct):
        at = np.flatnonzero(kind == number)
        if at.size:
            chosen[at] = _sampler(chooser, rule).choices(utility[at], rows[at], replication)[0]
    return chosen


def _sampler(chooser: Chooser, rule: ChoiceRule) -> Sampler:
    if chooser.sampler is None:
        raise TypeError("choices need a sampler")
    return chooser.sampler if chooser.sampler.rule is rule else replace(chooser.sampler, rule=rule)
