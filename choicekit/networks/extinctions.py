"""Species lost one after another: who is left, with links as they are, and where partners look for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.errors import InvalidInputError
from choicekit.networks.checking import checked_counts
from choicekit.networks.community import Community, MassPolicy, Side
from choicekit.networks.robustness import random_loss_curve, robustness_of, static_loss_curve
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words

__all__ = ["ORDERS", "ExtinctionCurve", "extinction_curve"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

_FEW = 10  # random orders that are followed with rewiring, each of which solves a coupling for every loss

ORDERS = {
    "abundance": "the most abundant first",
    "rarity": "the least abundant first",
    "degree": "the best connected first",
    "random": "in random order",
}
"""Orders of extinction by name; a list of species is one, too."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ExtinctionCurve:
    """The share of partners left as species are lost.

    Attributes
    ----------
    order : str
        A name of `ORDERS`, or ``"given"``.
    side : {"row", "column"}
        That is lost.
    species : tuple of str
        As they are lost; empty where orders are random.
    static : ndarray (S + 1,)
        Share of partners with a link left, links being as they were seen.
    rewired : ndarray (S + 1,) or None
        Expected share of partners still visited where visits follow the coupling of what is left; relative to that
        before any loss.
    lower, upper : ndarray (S + 1,) or None
        Band of `static` over random orders.
    """

    order: str
    side: Side
    species: tuple[str, ...]
    static: FloatArray
    rewired: FloatArray | None
    lower: FloatArray | None
    upper: FloatArray | None

    @property
    def robustness(self) -> float:
        """Area below `static`, 0 to 1, where all species are lost; less where some are left."""
        return robustness_of(self.static)

    @property
    def rewired_robustness(self) -> float:
        """Area below `rewired`; nan without."""
        return float("nan") if self.rewired is None else robustness_of(self.rewired)

    def __repr__(self) -> str:
        return (
            f"ExtinctionCurve({self.order}, {self.static.size - 1} {self.side}s lost, robustness {self.robustness:.4f})"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a row a step."""
        found = pd.DataFrame({"lost": np.arange(self.static.size), "static": self.static})
        if self.species:
            found.insert(1, "species", ["", *self.species])
        for name in ("rewired", "lower", "upper"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        return found


def extinction_curve(
    counts: npt.ArrayLike,
    order: str | Sequence[str] = "abundance",
    *,
    side: Side = "row",
    community: Community | None = None,
    policy: MassPolicy = "removed",
    names: Sequence[str] | None = None,
    seed: int = 0,
    replications: int = 200,
    level: float = 0.95,
) -> ExtinctionCurve:
    """Let the species of one side go extinct one after another.

    Parameters
    ----------
    counts : array_like (n, m)
        What was seen; species without interactions are not lost.
    order : {"abundance", "rarity", "degree", "random"} or sequence of str
        Ties are broken by place. Species in a list are lost in its order, the others stay.
    side : {"row", "column"}
    community : Community, optional
        Whose coupling says where visits go; without it there is no rewiring. Over the same species.
    policy : {"removed", "redistributed"}
        What becomes of lost species' visits under rewiring, as `Community.without`.
    names : sequence of str, optional
        Of the species of that side, for an order by name; by default those of the community.
    seed, replications : int
        Of random orders, for their band and their rewired mean; the static mean is exact.
    level : float
        Of the band.

    Returns
    -------
    ExtinctionCurve

    Raises
    ------
    InvalidInputError

    Notes
    -----
    Static: a partner is lost with its last link. Rewired: after each loss the coupling is solved again, N visits are
    left, and a partner with share q of them is still visited with probability 1 - (1 - q)^N.

    References
    ----------
    Memmott, Waser & Price (2004), Proceedings B 271. Rewiring: Kaiser-Bunbury et al. (2010), "The robustness of
    pollination networks to the loss of species and interactions", Ecology Letters 13.

    Examples
    --------
    >>> extinction_curve([[5, 1], [0, 1]], "abundance").static
    array([1. , 0.5, 0. ])
    """
    table = checked_counts(counts)
    axis = 0 if side == "row" else 1
    if side not in ("row", "column"):
        raise InvalidInputError(f"side must be 'row' or 'column', found {side!r}")
    if community is not None and community.preferences.shape != table.shape:
        raise InvalidInputError(
            f"a community must have the species of the counts, {table.shape}, found {community.preferences.shape}"
        )
    known = names if names is not None or community is None else getattr(community, f"{side}_names")
    labels = [f"{side}_{place + 1}" for place in range(table.shape[axis])] if known is None else [str(x) for x in known]
    if order == "random":
        return _random(table, side, community, policy, labels, check_seed(seed), replications, level)
    places = _order(table, order, axis, labels)
    return ExtinctionCurve(
        order=order if isinstance(order, str) else "given",
        side=side,
        species=tuple(labels[int(place)] for place in places),
        static=static_loss_curve(table, places, axis),
        rewired=None if community is None else _rewired(community, side, places, policy),
        lower=None,
        upper=None,
    )


def _order(table: FloatArray, order: str | Sequence[str], axis: int, labels: Sequence[str]) -> IntArray:
    sums = table.sum(axis=1 - axis)
    present = np.flatnonzero(sums)
    if isinstance(order, str):
        if order not in ORDERS:
            raise InvalidInputError(f"order must be one of {', '.join(ORDERS)}, or a list of species, found {order!r}")
        keys = {"abundance": -sums, "rarity": sums, "degree": -np.count_nonzero(table, axis=1 - axis)}[order]
        return np.asarray(present[np.argsort(keys[present], kind="stable")])
    unknown = [name for name in order if name not in labels]
    if unknown:
        raise InvalidInputError(f"an order must name species of the web, found {unknown[0]!r}")
    if len(set(order)) != len(order):
        raise InvalidInputError("an order must name each species once")
    return np.array([list(labels).index(name) for name in order], dtype=np.intp)


def _random(
    table: FloatArray,
    side: Side,
    community: Community | None,
    policy: MassPolicy,
    labels: Sequence[str],
    seed: int,
    replications: int,
    level: float,
) -> ExtinctionCurve:
    axis = 0 if side == "row" else 1
    present = np.flatnonzero(table.sum(axis=1 - axis))
    draws = Draws(
        seed=seed,
        stage=Stage.LOTTERY,
        rows=row_words([labels[int(place)] for place in present]),
        alternatives=alternative_words(["extinction"]),
    )
    curves, rewired = [], []
    for replication in range(replications):
        places = present[np.argsort(draws.uniforms(replication)[:, 0], kind="stable")]
        curves.append(static_loss_curve(table, places, axis))
        if community is not None and replication < _FEW:
            rewired.append(_rewired(community, side, places, policy))
    lower, upper = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    own = table[present] if axis == 0 else table[:, present]
    return ExtinctionCurve(
        order="random",
        side=side,
        species=(),
        static=random_loss_curve(own, axis),
        rewired=np.mean(rewired, axis=0) if rewired else None,
        lower=lower,
        upper=upper,
    )


def _rewired(community: Community, side: Side, places: IntArray, policy: MassPolicy) -> FloatArray:
    other = 0 if side == "column" else 1
    names = [str(getattr(community, f"{side}_names")[int(place)]) for place in places]
    masses = getattr(community, f"{side}_mass")
    first = float(_still_visited(community, other).sum())
    here, curve = community, [1.0]
    for lost, name in enumerate(names, start=1):
        if np.delete(masses, places[:lost]).any():
            here = here.without(name, side, policy=policy)
            curve.append(float(_still_visited(here, other).sum()) / first)
        else:
            curve.append(0.0)
    return np.array(curve)


def _still_visited(community: Community, axis: int) -> FloatArray:
    shares = np.minimum(community.coupling.sum(axis=1 - axis), 1.0)
    with np.errstate(divide="ignore"):
        return np.asarray(-np.expm1(community.total * np.log1p(-shares)))
