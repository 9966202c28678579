"""Nests as arrays: values go up the tree, probabilities and changes come down it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from choicekit.rules.nests.nest import Nest, NestPath

__all__ = ["Branch", "NestTree", "cross_nested_tree", "nested_tree"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A nest in the tree, or its root.

    Attributes
    ----------
    children : tuple of int
        Leaves by their number; nests by the number of leaves plus theirs.
    scale : float
        Temperature inside it relative to T: the product of the dissimilarities from the root down.
    outer_scale : float
        That of the nest it hangs from; 1 for the root.
    dissimilarity : float
        The quotient of the two.
    path : tuple of str
        Names from the top; empty for the root.
    """

    children: tuple[int, ...]
    scale: float = 1.0
    outer_scale: float = 1.0
    dissimilarity: float = 1.0
    path: NestPath = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class NestTree:
    """A tree of nests over the columns of a table, as arrays of shape (nodes, rows): leaves first, the root last.

    Nests of dissimilarity 1 are none, and their children hang from where they hung.

    Attributes
    ----------
    n_columns : int
        Number of alternatives.
    columns : ndarray (L,) of int64
        The alternative of each leaf. In nested logit leaf and alternative are one; in cross-nested logit an alternative
        has a leaf in each of its nests.
    log_allocations : ndarray (L,)
        Logarithm of the part of the alternative that belongs to the leaf.
    branches : tuple of Branch
        Children before their parents, the root last.
    leaf_paths : tuple of (tuple of str)
        In cross-nested logit the nest that each leaf belongs to; empty where an alternative is in none.

    Notes
    -----
    With v of a leaf (u - max u) / T plus its logarithm, and of a branch k with scale L_k

        v_k = L_k log sum over children c of exp(v_c / L_k)

    the value of the row is max u + T v_root, the probability of a child given its nest exp((v_c - v_k) / L_k), and that
    of a leaf the product of these along its path. Maxima are subtracted before every exponential.

    References
    ----------
    McFadden (1978), "Modelling the choice of residential location", theorem 1 (the generator).
    """

    n_columns: int
    columns: IntArray
    log_allocations: FloatArray
    branches: tuple[Branch, ...]
    leaf_paths: tuple[NestPath, ...] = ()

    @property
    def n_leaves(self) -> int:
        """Number of leaves."""
        return len(self.columns)

    @cached_property
    def one_to_one(self) -> bool:
        """Whether leaf and alternative are one."""
        return np.array_equal(self.columns, np.arange(self.n_columns)) and not self.log_allocations.any()

    @cached_property
    def parents(self) -> IntArray:
        """The branch that each leaf hangs from, (L,)."""
        parents = np.empty(self.n_leaves, dtype=np.int64)
        for place, branch in enumerate(self.branches):
            parents[[child for child in branch.children if child < self.n_leaves]] = place
        return parents

    @cached_property
    def leaf_scales(self) -> FloatArray:
        """Scale of the branch that each leaf hangs from, (L,)."""
        return np.array([branch.scale for branch in self.branches])[self.parents]

    @cached_property
    def arrays(self) -> tuple[IntArray, FloatArray, IntArray, IntArray, FloatArray]:
        """What kernels take: columns, logarithms of allocations, first child of each branch, children, scales."""
        starts = np.cumsum([0, *(len(branch.children) for branch in self.branches)], dtype=np.int64)
        children = np.array([child for branch in self.branches for child in branch.children], dtype=np.int64)
        scales = np.array([branch.scale for branch in self.branches])
        return self.columns, self.log_allocations, starts, children, scales

    def masses(self, leaves: FloatArray) -> FloatArray:
        """Return the mass of every node, (nodes, n), from that of the leaves."""
        masses = np.zeros((self.n_leaves + len(self.branches), leaves.shape[1]))
        masses[: self.n_leaves] = leaves
        for place, branch in enumerate(self.branches, start=self.n_leaves):
            for child in branch.children:
                masses[place] += masses[child]
        return masses


def nested_tree(nests: Mapping[str, Nest], n_columns: int) -> NestTree:
    """Return the tree of nested logit; alternatives in no nest hang from the root.

    Parameters
    ----------
    nests : mapping of str to Nest
        With members by position, all below `n_columns`, and none in two nests.
    n_columns : int

    Examples
    --------
    >>> tree = nested_tree({"rail": Nest([0, 2], dissimilarity=0.5)}, 3)
    >>> [branch.children for branch in tree.branches]
    [(0, 2), (1, 3)]
    """
    branches: list[Branch] = []
    below = _grown(nests, 1.0, (), n_columns, branches)
    inside = {child for branch in branches for child in branch.children}
    below = sorted({*below, *range(n_columns)} - inside)
    return NestTree(
        n_columns=n_columns,
        columns=np.arange(n_columns, dtype=np.int64),
        log_allocations=np.zeros(n_columns),
        branches=(*branches, Branch(children=tuple(below))),
    )


def _grown(nests: Mapping[str, Nest], scale: float, path: NestPath, n_leaves: int, branches: list[Branch]) -> list[int]:
    """Append the branches that nests grow into, and return what hangs from where these nests hang."""
    hanging: list[int] = []
    for name, nest in nests.items():
        inner = scale * nest.dissimilarity
        below = [*nest.allocations, *_grown(nest.nests, inner, (*path, name), n_leaves, branches)]
        if nest.dissimilarity == 1.0:
            hanging += below
        elif below:
            branches.append(
                Branch(
                    children=tuple(sorted(below)),
                    scale=inner,
                    outer_scale=scale,
                    dissimilarity=nest.dissimilarity,
                    path=(*path, name),
                )
            )
            hanging.append(n_leaves + len(branches) - 1)
    return hanging


def cross_nested_tree(nests: Mapping[str, Nest], n_columns: int) -> NestTree:
    """Return the tree of cross-nested logit: a leaf for each alternative in each of its nests.

    Parameters
    ----------
    nests : mapping of str to Nest
        With members by position, all below `n_columns`, and allocations that sum to one for each.
    n_columns : int

    Notes
    -----
    With y = exp(u / T), the generator sum over nests of (sum (alpha y)^(1/lambda))^lambda is that of a nested logit
    over pairs of alternative and nest, with utilities u + T log alpha.

    Examples
    --------
    >>> land = Nest({0: 0.5, 1: 1.0}, dissimilarity=0.5)
    >>> cross_nested_tree({"land": land, "air": Nest({0: 0.5}, dissimilarity=0.5)}, 3).columns
    array([0, 1, 0, 2])
    """
    totals = np.zeros(n_columns)
    leaves: list[tuple[int, float]] = []
    groups: list[tuple[str, Nest, list[int]]] = []
    for name, nest in nests.items():
        inside = [(member, part) for member, part in nest.allocations.items() if part > 0]
        groups.append((name, nest, list(range(len(leaves), len(leaves) + len(inside)))))
        leaves += inside
        for member, part in inside:
            totals[member] += part
    free = [(int(column), 1.0) for column in np.flatnonzero(totals == 0)]
    hanging = list(range(len(leaves), len(leaves) + len(free)))
    leaves += free
    totals[totals == 0] = 1.0
    branches: list[Branch] = []
    for name, nest, below in groups:
        if nest.dissimilarity == 1.0:
            hanging += below
        elif below:
            hanging.append(len(leaves) + len(branches))
            scale = nest.dissimilarity
            branches.append(Branch(children=tuple(below), scale=scale, dissimilarity=scale, path=(name,)))
    columns = np.array([column for column, _ in leaves], dtype=np.int64)
    return NestTree(
        n_columns=n_columns,
        columns=columns,
        log_allocations=np.log(np.array([part for _, part in leaves]) / totals[columns]),
        branches=(*branches, Branch(children=tuple(sorted(hanging)))),
        leaf_paths=(*((name,) for name, _, below in groups for _ in below), *(() for _ in free)),
    )
