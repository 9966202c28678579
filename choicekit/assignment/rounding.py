"""A coupling that meets its conditions, next to one that nearly does."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, Fixed, MarginalCondition, WithOutsideOption
from choicekit.assignment.flows import route
from choicekit.assignment.problem import AssignmentProblem

__all__ = ["round_coupling"]

FloatArray = npt.NDArray[np.float64]

_ENOUGH = float(np.finfo(np.float64).eps)  # share of the mass that is not worth moving
_ROWS = 64  # worked on at once, so that no second table is made


def round_coupling(problem: AssignmentProblem, coupling: FloatArray) -> FloatArray:
    """Return a coupling near the given one that meets the problem's conditions but for rounding.

    Parameters
    ----------
    problem : AssignmentProblem
    coupling : ndarray (n, m)
        At least 0, and 0 where forbidden. One that is not finite is returned as it is.

    Returns
    -------
    ndarray (n, m)
        A new table: sums over fixed places are the masses but for about 1e-15 of the total, others are not above
        capacity, and forbidden pairs are empty.

    Notes
    -----
    Rows above their mass are scaled down to it, then columns. What fixed places then lack goes where there is room: to
    all pairs in proportion to both, so that the coupling moves by at most twice its errors in L1; or, where pairs are
    forbidden, by a maximum flow through the allowed ones. With room without end on the other side (`Relaxed`, `Free`)
    fixed places are scaled up as well as down, and `Relaxed` and `Free` sums are left alone.

    References
    ----------
    Altschuler, Weed & Rigollet (2017), "Near-linear time approximation algorithms for optimal transport via Sinkhorn
    iteration", NeurIPS, algorithm 2 and lemma 7.

    Examples
    --------
    >>> problem = AssignmentProblem(utility=np.zeros((2, 2)), rows=[1.0, 1.0], columns=[1.0, 1.0], temperature=1.0)
    >>> round_coupling(problem, np.array([[0.5, 0.6], [0.5, 0.4]]))
    array([[0.45454545, 0.54545455],
           [0.54545455, 0.45454545]])
    """
    table = np.array(coupling, dtype=np.float64, order="C")
    total = float(table.sum())
    if not np.isfinite(total):
        return table
    if problem.total_mass is not None:
        if total > 0:
            table *= problem.total_mass / total
        return table
    for turned, condition in ((table, problem.rows), (table.T, problem.columns)):
        if isinstance(condition, Fixed | AtMost | WithOutsideOption):
            _scale_down(turned, condition.mass)
    if isinstance(problem.rows, Fixed):
        _serve(table, problem.rows, problem.columns, problem.utility)
    elif isinstance(problem.columns, Fixed):
        _serve(table.T, problem.columns, problem.rows, problem.utility.T)
    return table


def _scale_down(table: FloatArray, mass: FloatArray) -> None:
    sums = table.sum(axis=1)
    above = sums > mass
    if above.any():
        table *= np.divide(mass, sums, out=np.ones_like(sums), where=above)[:, None]


def _serve(table: FloatArray, fixed: Fixed, other: MarginalCondition, utility: FloatArray) -> None:
    """Give the rows of the table what they lack, in place."""
    lacking = np.maximum(fixed.mass - table.sum(axis=1), 0.0)
    if lacking.sum() <= _ENOUGH * fixed.mass.sum():
        return
    if not isinstance(other, Fixed | AtMost | WithOutsideOption):
        _scale_up(table, fixed.mass, utility, np.ones(len(table.T), bool) if other.mass is None else other.mass > 0)
        return
    room = np.maximum(other.mass - table.sum(axis=0), 0.0)
    if np.min(utility) > -np.inf:
        _spread_out(table, lacking, room)
    else:
        route(table, utility > -np.inf, lacking, room, enough=0.25 * _ENOUGH * float(fixed.mass.sum()))


def _scale_up(table: FloatArray, mass: FloatArray, utility: FloatArray, open_to: npt.NDArray[np.bool_]) -> None:
    sums = table.sum(axis=1)
    table *= np.divide(mass, sums, out=np.ones_like(sums), where=sums > 0)[:, None]
    empty = np.flatnonzero((sums == 0) & (mass > 0))  # all of the row was too small for a number
    table[empty, np.argmax(np.where(open_to, utility[empty], -np.inf), axis=1)] = mass[empty]


def _spread_out(table: FloatArray, lacking: FloatArray, room: FloatArray) -> None:
    total = float(room.sum())
    if not total > 0:
        return
    share = room / total
    for start in range(0, lacking.size, _ROWS):
        rows = slice(start, start + _ROWS)
        table[rows] += lacking[rows, None] * share
