"""The additive noise of nested and cross-nested logit: Gumbel numbers made alike by positive stable ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from choicekit.random import Draws, Stage, identifier_words
from choicekit.rules.nests.nest import NestPath
from choicekit.rules.nests.tree import NestTree

__all__ = ["noises", "stable_logarithm"]

FloatArray = npt.NDArray[np.float64]
UIntArray = npt.NDArray[np.uint64]

_SMALLEST = np.nextafter(0.0, 1.0)


def stable_logarithm(index: float | FloatArray, uniform: FloatArray, gumbel: FloatArray) -> FloatArray:
    """Return index times the logarithm of a positive stable number S of that index, E exp(-s S) = exp(-s^index).

    Parameters
    ----------
    index : float or ndarray (...)
        In (0, 1); at 1 the number is 1 and needs no draw.
    uniform : ndarray (...)
        Numbers strictly between 0 and 1.
    gumbel : ndarray (...)
        Standard Gumbel numbers, minus the logarithms of exponential ones.

    Returns
    -------
    ndarray (...)

    Notes
    -----
    With a = index, U uniform on (0, pi) and W exponential,

        S = sin(a U) / sin(U)^(1 / a) * (sin((1 - a) U) / W)^((1 - a) / a)

    Times `index` no exponent grows as the index falls; sin(U) is taken from the nearer end of (0, pi).

    References
    ----------
    Kanter (1975), "Stable densities under change of scale and total variation inequalities", corollary 4.1;
    Chambers, Mallows & Stuck (1976), "A method for simulating stable random variables".

    Examples
    --------
    >>> bool(np.isclose(stable_logarithm(0.5, np.array(0.5), np.array(0.0)), 0.5 * np.log(0.5)))
    True
    """
    angle = np.pi * uniform
    near = np.pi * np.minimum(uniform, 1.0 - uniform)
    inside = np.maximum(np.sin(index * angle), _SMALLEST)  # an index of 1e-320 times an angle may be 0
    outside = np.maximum(np.sin((1.0 - index) * angle), _SMALLEST)
    return np.asarray(index * np.log(inside) + (1.0 - index) * (np.log(outside) + gumbel) - np.log(np.sin(near)))


def noises(tree: NestTree, draws: Draws, replications: range) -> Iterator[tuple[int, FloatArray]]:
    """Yield the place of each replication and the noise of every leaf in units of T, shape (n, L).

    Parameters
    ----------
    tree : NestTree
    draws : Draws
        Addresses of the rows and alternatives, at ``Stage.CHOICE``.
    replications : range
        Consecutive replications.

    Notes
    -----
    The noise of a leaf is its Gumbel number times the scale of its nest, plus for each nest above it the logarithm of a
    positive stable number times the scale of that nest, L log S. Given S of all nests the leaves are independent, and
    the largest of u / T + noise has the law of nested logit. A nest takes two numbers from the stage NEST, by the names
    from the top to it: they are the same whatever its members and whatever other nests there are. The Gumbel number is
    that of the alternative at the stage CHOICE, as for softmax; where an alternative is in several nests it has one for
    each, at the stage NEST by the names of both.
    """
    nests = [branch for branch in tree.branches if branch.path]
    several = np.flatnonzero(np.bincount(tree.columns, minlength=tree.n_columns)[tree.columns] > 1)
    angles = draws.at(Stage.NEST, _words([_text(nest.path, "angle") for nest in nests]))
    members = [_text(tree.leaf_paths[leaf], f"member {draws.alternatives[tree.columns[leaf]]}") for leaf in several]
    sizes = draws.at(Stage.NEST, _words([*(_text(nest.path, "size") for nest in nests), *members]))
    indices = np.array([nest.dissimilarity for nest in nests])
    below = [_leaves_below(tree, nest.path) for nest in nests]
    streams = (
        _each(replications, draws.gumbels, draws.gumbel_pair),
        _each(replications, angles.uniforms, angles.uniform_pair),
        _each(replications, sizes.gumbels, sizes.gumbel_pair),
    )
    for (place, gumbels), (_, uniforms), (_, others) in zip(*streams, strict=True):
        noise = gumbels if tree.one_to_one else gumbels[:, tree.columns]
        noise[:, several] = others[:, len(nests) :]
        noise *= tree.leaf_scales
        lifts = stable_logarithm(indices, uniforms, others[:, : len(nests)])
        for nest, leaves, lift in zip(nests, below, lifts.T, strict=True):
            noise[:, leaves] += (nest.outer_scale * lift)[:, None]
        yield place, noise


def _leaves_below(tree: NestTree, path: NestPath) -> list[int]:
    return [leaf for leaf, parent in enumerate(tree.parents) if tree.branches[parent].path[: len(path)] == path]


def _text(path: NestPath, purpose: str) -> str:
    """Return a text that no other path and purpose has: each name stands behind its length."""
    return "".join(f"{len(name)}:{name}," for name in path) + purpose


def _words(texts: list[str]) -> UIntArray:
    return identifier_words(np.array(texts, dtype=object), "nest")


def _each(
    replications: range, one: Callable[[int], FloatArray], pair: Callable[[int], tuple[FloatArray, FloatArray]]
) -> Iterator[tuple[int, FloatArray]]:
    """Yield the numbers of each replication, taking both of a pair from one call."""
    place = 0
    while place < len(replications):
        replication = replications[place]
        if replication % 2 == 0 and place + 1 < len(replications):
            yield from enumerate(pair(replication // 2), start=place)
            place += 2
        else:
            yield place, one(replication)
            place += 1
