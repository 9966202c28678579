"""Nested logit: alternatives in a nest are closer substitutes than those outside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from scipy.special import xlogy

from choicekit.rules.nests import Nest, NestRule, NestTree
from choicekit.rules.nests.tree import nested_tree
from choicekit.rules.protocol import FloatArray
from choicekit.rules.registry import register_rule
from choicekit.rules.tempered import TEMPERATURE

__all__ = ["NestedLogit"]


@register_rule("nested_logit")
@dataclass(frozen=True, eq=False, repr=False)  # equality by value is the base's
class NestedLogit(NestRule):
    """Choose a nest by its inclusive value, then in the nest by utility at the nest's own, lower temperature.

    Parameters
    ----------
    nests : mapping of str to (Nest or mapping)
        Nests by name, to any depth. No alternative may be in two; one that is in none hangs from the root by itself.
    temperature : float or array_like (...)
        T >= 0 in units of utility, one for all or one a row. T = 0 is the hard maximum, ties sharing 1/m.

    Raises
    ------
    InvalidInputError
        For nests that overlap, are empty, name what is no alternative, or have a dissimilarity outside (0, 1]; for a
        negative, nan or infinite temperature.

    Notes
    -----
    A nest with dissimilarity lambda and scale L, the product of the dissimilarities down to it, is worth
    IV = L T log sum exp(IV of its children / (L T)), an alternative its utility, and the value is the IV of the root,
    whose scale is 1. A child has probability exp((its IV - IV) / (L T)) given its nest. Omega is the nested entropy:
    the sum over nests of L sum over children of Q_c log(Q_c / Q_nest), with Q the mass in a node. `max_gap` depends on
    the nests that the alternatives are in: it is that of the first `n` (by position, or in the order in which nests
    name them), with those that no nest mentions at the root.

    A nest with one member, and one with dissimilarity 1, change nothing; a nest with nothing available counts for
    nothing. As T falls to 0, ties are shared through the tree (with a nest {a, b} of dissimilarity 1/2 beside c, and
    all three equal: .29, .29, .41), while T = 0 itself shares them 1/m.

    Coherent draws add T (sum over nests above of L_outer log(S^lambda) + L g) to utility, g a Gumbel number of the
    alternative and S a positive stable number of the nest, of index lambda: a law of the noise alone, so making an
    alternative better moves agents only to it. Drawing a nest and then a member by conditional Gumbel numbers has the
    same law but not this property, and is not offered.

    References
    ----------
    McFadden (1978), "Modelling the choice of residential location", theorem 1; Train (2009), "Discrete choice methods
    with simulation", section 4.2; Galichon (2022), "On the representation of the nested logit model", Econometric
    Theory 38, 370-380 (stable draws).

    Examples
    --------
    >>> rule = NestedLogit({"rail": Nest(["train", "tram"], dissimilarity=0.5)})
    >>> rule.probabilities([0.0, 0.0, 0.0], alternatives=["car", "train", "tram"]).round(4)
    array([0.4142, 0.2929, 0.2929])
    >>> NestedLogit({"low": Nest([0, 1], dissimilarity=0.5)}, temperature=0).probabilities([2.0, 2.0, 2.0]).round(4)
    array([0.3333, 0.3333, 0.3333])
    """

    nests: Mapping[str, Nest] = field(
        metadata={"yaml": Mapping, "nests": True, "description": "Nests by name; each alternative in one of them."}
    )
    temperature: float | FloatArray = field(default=1.0, metadata=TEMPERATURE)

    crossed: ClassVar[bool] = False

    @staticmethod
    def _tree_of(nests: Mapping[str, Nest], n_columns: int) -> NestTree:
        return nested_tree(nests, n_columns)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        tree = self._tree(probabilities.shape[-1])
        masses = tree.masses(probabilities.reshape(-1, tree.n_columns).T)
        masses[-1] = 1.0  # as for softmax: what rounding adds to the sum is not divided out
        omega = np.zeros(masses.shape[1])
        for place, branch in enumerate(tree.branches, start=tree.n_leaves):
            whole = np.where(masses[place] == 0, 1.0, masses[place])
            for child in branch.children:
                omega += branch.scale * xlogy(masses[child], masses[child] / whole)
        return np.asarray(self._fitted_temperature(probabilities) * omega.reshape(probabilities.shape[:-1]))
