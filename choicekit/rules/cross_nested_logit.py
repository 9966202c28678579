"""Cross-nested logit: an alternative may belong to several nests, in parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from choicekit.rules.nests import Nest, NestRule, NestTree
from choicekit.rules.nests.dual import conjugate_by_newton
from choicekit.rules.nests.tree import cross_nested_tree
from choicekit.rules.protocol import FloatArray
from choicekit.rules.registry import register_rule
from choicekit.rules.tempered import TEMPERATURE

__all__ = ["CrossNestedLogit"]


@register_rule("cross_nested_logit")
@dataclass(frozen=True, eq=False, repr=False)  # equality by value is the base's
class CrossNestedLogit(NestRule):
    """Choose as in nested logit, where an alternative is allocated to several nests in parts that sum to one.

    Parameters
    ----------
    nests : mapping of str to (Nest or mapping)
        Nests by name, one level deep, with members as a mapping to allocations. A list of members means all of each;
        an alternative that is in no nest hangs from the root by itself.
    temperature : float or array_like (...)
        T >= 0 in units of utility, one for all or one a row. T = 0 is the hard maximum, ties sharing 1/m.

    Raises
    ------
    InvalidInputError
        For allocations outside [0, 1] or that do not sum to one for each alternative, nests inside nests, empty nests,
        members that are no alternatives, or a dissimilarity outside (0, 1]; for a temperature that is negative, nan or
        infinite.

    Notes
    -----
    With y = exp(u / T), allocations a and dissimilarities l the value is T log G(y) of the generator

        G(y) = sum over nests m of (sum over its members i of (a_im y_i)^(1 / l_m))^l_m

    and the probability of i is y_i dG/dy_i / G. This is a nested logit over pairs of alternative and nest with
    utilities u + T log a, summed over the pairs of each alternative: so it is computed, and so it is drawn. The noise
    of a coherent draw is T times the largest of l log S_m + l g_im + log a_im over the nests of i, with S_m positive
    stable of index l and g_im a Gumbel number of nest and alternative; that of an alternative in one nest is as for
    `NestedLogit`. Nests that do not overlap are `NestedLogit`, one nest for each alternative is `Softmax`.

    Omega has no closed form. `conjugate` maximises <q, u> - value(u) by Newton's method to a certified gap at rounding:
    see `choicekit.rules.nests.dual`. `max_gap` is as for `NestedLogit`, that of the first `n` alternatives.

    References
    ----------
    Vovsha (1997), "Application of cross-nested logit model to mode choice in Tel Aviv", Transportation Research Record
    1607; Bierlaire (2006), "A theoretical analysis of the cross-nested logit model", Annals of Operations Research 144
    (the generator, its allocations normalised as here); McFadden (1978), "Modelling the choice of residential
    location", theorem 1.

    Examples
    --------
    >>> nests = {"rail": Nest({"train": 0.5, "tram": 1.0}, 0.5), "land": Nest({"train": 0.5, "bus": 1.0}, 0.5)}
    >>> rule = CrossNestedLogit(nests)
    >>> rule.probabilities([0.0, 0.0, 0.0], alternatives=["bus", "train", "tram"]).round(4)
    array([0.4, 0.2, 0.4])
    """

    nests: Mapping[str, Nest] = field(
        metadata={"yaml": Mapping, "nests": True, "description": "Nests by name; members with allocations."}
    )
    temperature: float | FloatArray = field(default=1.0, metadata=TEMPERATURE)

    crossed: ClassVar[bool] = True

    @staticmethod
    def _tree_of(nests: Mapping[str, Nest], n_columns: int) -> NestTree:
        return cross_nested_tree(nests, n_columns)

    def _conjugate(self, probabilities: FloatArray) -> FloatArray:
        temperature = self._fitted_temperature(probabilities)
        if np.all(np.asarray(temperature) == 0):
            return np.zeros(probabilities.shape[:-1])
        tree = self._tree(probabilities.shape[-1])
        omega = conjugate_by_newton(tree, probabilities.reshape(-1, tree.n_columns))
        return np.asarray(temperature * omega.reshape(probabilities.shape[:-1]))
