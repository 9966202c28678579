"""The conjugate of cross-nested logit: the utilities that a distribution answers to, by Newton's method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from choicekit.errors import ConvergenceError
from choicekit.rules.nests.tree import NestTree

__all__ = ["conjugate_by_newton"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

GAP = 2.0**-50  # in units of T
MAX_ITERATIONS = 200
_ROUNDING = 2.0**-50  # of the objective, within which the gap says what is better
_NOTHING = 1e-200  # mass whose share in the conjugate is far below rounding
_PARTS = (1.0, 0.5, 0.25, 0.1, 0.03, 1e-2, 3e-3, 1e-3, 1e-4, 1e-5)  # of Newton's step, the first that are tried
_CELLS = 2**20  # of rows, nests and alternatives worked on at once


def conjugate_by_newton(tree: NestTree, distributions: FloatArray) -> FloatArray:
    """Return Omega of each distribution: the maximum over u of <q, u> - value(u), at T = 1.

    Parameters
    ----------
    tree : NestTree
        One level of nests below the root.
    distributions : ndarray (n, J)

    Returns
    -------
    ndarray (n,)
        Exactly 0 where a single alternative has all the mass.

    Raises
    ------
    ConvergenceError
        Where the gap does not close within 200 steps.

    Notes
    -----
    Alternatives without mass are taken away, which costs nothing: their best utility is minus infinity. On the others
    log q = log p(u) is solved by Newton's method. Its matrix is D - W K C, with w the share of alternative i that is
    chosen in nest m, c the probability of i in m, K = diag(1 / l - 1) and D = diag(sum_m w / l): an M-matrix whose rows
    sum to one, so that no step is longer than the largest log(q / p).

    With l the smallest dissimilarity, norms that grow with their exponent give for every step d of u

        log sum p exp(d) <= value(u + d) - value(u) <= l log sum p exp(d / l)

    so that the objective lies between l KL(q, p) and KL(q, p) below its maximum: the right end is the certificate that
    ends the search at 2^-50, and the step d = l log(q / p) always gains the left one. Where no part of Newton's step
    gains as much, that step is taken instead, so every step gets nearer. A few steps are enough, and a few dozen where
    dissimilarities are as small as 0.001.

    References
    ----------
    Fosgerau, Melo, de Palma & Shum (2020), "Discrete choice and rational inattention: a general equivalence result",
    International Economic Review 61 (the conjugate as a generalised entropy); Berry (1994), "Estimating discrete-choice
    models of product differentiation", RAND Journal of Economics 25 (the step l log(q / p) in nested logit).

    Examples
    --------
    >>> from choicekit.rules.nests import Nest
    >>> from choicekit.rules.nests.tree import cross_nested_tree
    >>> tree = cross_nested_tree({"a": Nest({0: 1.0}), "b": Nest({1: 1.0})}, 2)
    >>> conjugate_by_newton(tree, np.array([[0.5, 0.5], [1.0, 0.0]])).round(12) + 0.0
    array([-0.69314718,  0.        ])
    """
    omega = np.zeros(len(distributions))
    log_allocations, scales = _by_nest(tree)
    several = np.flatnonzero(np.count_nonzero(distributions > _NOTHING, axis=-1) > 1)
    at_once = max(1, _CELLS // log_allocations.size)
    for start in range(0, several.size, at_once):
        rows = several[start : start + at_once]
        mass = np.where(distributions[rows] > _NOTHING, distributions[rows], 0.0)
        omega[rows] = _maximum(mass / mass.sum(axis=-1, keepdims=True), log_allocations, scales)
    return omega


def _by_nest(tree: NestTree) -> tuple[FloatArray, FloatArray]:
    """Logarithms of allocations (M, J), minus infinity where there is none, and dissimilarities (M, 1).

    What hangs from the root has a nest of its own, of dissimilarity 1.
    """
    *nests, root = tree.branches
    groups = [(nest.children, nest.scale) for nest in nests]
    groups += [((child,), 1.0) for child in root.children if child < tree.n_leaves]
    table = np.full((len(groups), tree.n_columns), -np.inf)
    for row, (leaves, _) in zip(table, groups, strict=True):
        row[tree.columns[list(leaves)]] = tree.log_allocations[list(leaves)]
    return table, np.array([[scale] for _, scale in groups])


def _maximum(mass: FloatArray, log_allocations: FloatArray, scales: FloatArray) -> FloatArray:
    """Return max over u of <q, u> - value(u), (n,), for distributions (n, J)."""
    best, rows = np.empty(len(mass)), np.arange(len(mass))
    point = _point(_first_guess(mass, log_allocations, scales), mass, log_allocations, scales)
    for _ in range(MAX_ITERATIONS):
        done = point.gap <= GAP
        best[rows[done]] = point.objective[done]
        if done.all():
            return best
        rows, point = rows[~done], _Point(*(part[~done] for part in point))
        point = _improved(point, mass[rows], log_allocations, scales)
    raise ConvergenceError(
        f"Omega of {rows.size} distributions was not found to rounding within {MAX_ITERATIONS} steps, "
        f"the widest gap is {point.gap.max():.2g}"
    )


class _Point(NamedTuple):
    """Utilities (n, J) and what there is to know at them."""

    utility: FloatArray  # shifted so that their value is 0
    residual: FloatArray  # log(q / p), 0 where there is no mass
    shares: FloatArray  # (n, M, J): the part of an alternative that is chosen in each nest
    conditional: FloatArray  # (n, M, J): probabilities in each nest
    objective: FloatArray  # (n,)
    gap: FloatArray  # (n,)


def _point(utility: FloatArray, mass: FloatArray, log_allocations: FloatArray, scales: FloatArray) -> _Point:
    there = mass > 0
    worth = np.where(there, utility, -np.inf)[:, None] + log_allocations
    nests = scales * _log_sum(worth / scales, axis=-1)
    root = _log_sum(nests, axis=-2)
    with np.errstate(invalid="ignore", over="ignore"):  # of what has no mass
        log_conditional = np.where(worth > -np.inf, (worth - nests) / scales, -np.inf)
        log_pairs = nests - root + log_conditional
        log_p = _log_sum(log_pairs, axis=-2)
        shares = np.where(log_pairs > -np.inf, np.exp(log_pairs - log_p), 0.0)
        residual = np.where(there, np.log(np.where(there, mass, 1.0)) - log_p[:, 0], 0.0)
    shifted = np.where(there, utility - root[:, 0], 0.0)
    with np.errstate(over="ignore"):
        # the sum of q log(q / p) as terms none of which is negative
        gap = np.sum(np.where(there, mass * (residual + np.expm1(-residual)), 0.0), axis=-1)
    return _Point(shifted, residual, shares, np.exp(log_conditional), np.sum(mass * shifted, axis=-1), gap)


def _improved(point: _Point, mass: FloatArray, log_allocations: FloatArray, scales: FloatArray) -> _Point:
    """Return the best of the points that the sure step and parts of Newton's lead to."""
    steps = _newton_steps(point, mass > 0, scales)
    best = _point(point.utility + float(scales.min()) * point.residual, mass, log_allocations, scales)
    undecided = np.arange(len(mass))
    for part in _PARTS:
        utility = point.utility[undecided] + part * steps[undecided]
        reached = _point(utility, mass[undecided], log_allocations, scales)
        gain = reached.objective - best.objective[undecided]
        better = np.where(np.abs(gain) > _ROUNDING, gain > 0, reached.gap < best.gap[undecided])
        for old, new in zip(best, reached, strict=True):
            old[undecided[better]] = new[better]
        # shorter steps are for rows where longer ones go too far
        undecided = undecided[~better]
        if undecided.size == 0:
            break
    return best


def _newton_steps(point: _Point, there: BoolArray, scales: FloatArray) -> FloatArray:
    slopes = np.swapaxes(point.shares * (1.0 / scales - 1.0), -1, -2) @ point.conditional
    matrix = -slopes
    places = np.arange(there.shape[-1])
    matrix[:, places, places] += np.where(there, np.sum(point.shares / scales, axis=-2), 1.0)
    try:
        return np.asarray(np.linalg.solve(matrix, point.residual[..., None])[..., 0])
    except np.linalg.LinAlgError as error:  # dissimilarities whose square is lost beside 1 leave the matrix singular
        raise ConvergenceError(
            "Omega cannot be found in double precision for dissimilarities this small: raise the smallest"
        ) from error


def _first_guess(mass: FloatArray, log_allocations: FloatArray, scales: FloatArray) -> FloatArray:
    """Return utilities as if each alternative were chosen in its nests in proportion to its allocations."""
    parts = np.exp(log_allocations)
    pairs = parts * mass[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        nests = np.log(pairs.sum(axis=-1, keepdims=True))
        worth = scales * (np.log(pairs) - nests) + nests - log_allocations
        return np.asarray(np.where(pairs > 0, parts * worth, 0.0).sum(axis=-2))


def _log_sum(logs: FloatArray, axis: int) -> FloatArray:
    """Return log sum exp along an axis, which is kept; minus infinity where all are."""
    top = logs.max(axis=axis, keepdims=True)
    with np.errstate(divide="ignore"):
        shifted = np.exp(logs - np.where(top == -np.inf, 0.0, top))
        return np.asarray(top + np.log(shifted.sum(axis=axis, keepdims=True)))
