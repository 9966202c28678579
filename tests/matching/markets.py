"""Small markets, and every stable matching of them by trying all."""

from __future__ import annotations

from itertools import product

import numpy as np

from choicekit import Matching, MatchingMarket, blocking_pairs


def random_market(
    seed: int,
    n: int,
    m: int,
    *,
    most: int = 3,
    levels: int | None = None,
    outside: bool = False,
    forbidden: float = 0.0,
) -> MatchingMarket:
    """Return a market of random preferences; `levels` makes ties, `outside` and `forbidden` unacceptable pairs."""
    rng = np.random.default_rng(seed)

    def table() -> np.ndarray:
        drawn = rng.normal(size=(n, m)) if levels is None else rng.integers(levels, size=(n, m)).astype(float)
        return np.where(rng.random((n, m)) < forbidden, -np.inf, drawn)

    return MatchingMarket(
        row_utility=table(),
        column_utility=table(),
        capacity=rng.integers(0 if most > 1 else 1, most + 1, size=m),
        row_outside=-0.5 if outside else -np.inf,
        column_outside=-0.5 if outside else -np.inf,
    )


def stable_matchings(market: MatchingMarket) -> list[Matching]:
    """Return all stable matchings of a small market."""
    n, m = market.shape
    found = []
    for assigned in product(range(-1, m), repeat=n):
        counts = np.bincount([column for column in assigned if column >= 0], minlength=m)
        if (counts > market.seats).any():
            continue
        matching = Matching(assigned=np.array(assigned), market=market)
        if not len(matching.unacceptable) and not len(blocking_pairs(matching)):
            found.append(matching)
    return found
