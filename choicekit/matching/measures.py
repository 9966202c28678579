"""What is measured of a matching: welfare, ranks, claims, by group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.matching.matching import Matching

__all__ = ["GROUP_MEASURES", "MEASURES", "MOST_RANKS", "by_group", "measured", "rank_shares"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MEASURES = {
    "row_welfare": "mean utility of a row",
    "column_welfare": "sum of column utilities by row",
    "welfare": "sum of both by row",
    "first_choice": "share of rows with their first choice",
    "mean_rank": "mean rank of what rows have, 1 for the best, of those who have something",
    "unassigned": "share of rows without a column",
    "envious": "share of rows that would rather have a place that somebody has",
    "unfair": "share of rows in a blocking pair: a column has room for them or prefers them to somebody it has",
    "blocking_pairs": "number of blocking pairs",
    "ties": "comparisons of equal utilities that the lottery decided",
}
"""What is measured of every matching, by name."""

GROUP_MEASURES = ("row_welfare", "first_choice", "mean_rank", "unassigned")
MOST_RANKS = 10


def measured(matching: Matching) -> FloatArray:
    """Return the numbers of `MEASURES` for a matching.

    Examples
    --------
    >>> from choicekit.matching.market import MatchingMarket
    >>> market = MatchingMarket(row_utility=[[2.0, 1.0], [3.0, 0.5]], column_utility=[[1.0, 2.0], [2.0, 1.0]])
    >>> dict(zip(MEASURES, measured(Matching(assigned=[1, 0], market=market)).tolist()))["first_choice"]
    0.5
    """
    n, two_sided = len(matching.assigned), matching.market.column_utility is not None
    ranks = matching.rank[matching.rank > 0]
    blocking = matching.blocking if two_sided else np.zeros((0, 2), dtype=np.int64)
    numbers = {
        "row_welfare": matching.row_welfare / n,
        "column_welfare": matching.column_welfare / n,
        "welfare": matching.welfare / n if two_sided else matching.row_welfare / n,
        "first_choice": float((matching.rank == 1).mean()),
        "mean_rank": float(ranks.mean()) if ranks.size else np.nan,
        "unassigned": matching.unassigned / n,
        "envious": float(matching.envious.mean()),
        "unfair": len(np.unique(blocking[:, 0])) / n if two_sided else np.nan,
        "blocking_pairs": float(len(blocking)) if two_sided else np.nan,
        "ties": float(matching.n_ties_broken),
    }
    return np.array([numbers[name] for name in MEASURES])


def rank_shares(matching: Matching) -> FloatArray:
    """Return shares of rows that have their 1st, ... choice, the last of all further down."""
    capped = np.minimum(matching.rank, MOST_RANKS + 1)
    return np.bincount(capped, minlength=MOST_RANKS + 2)[1:] / len(capped)


def by_group(matching: Matching, codes: IntArray, n_groups: int) -> FloatArray:
    """Return the numbers of `GROUP_MEASURES` by group of rows, (G, 4)."""
    has, rank = matching.assigned >= 0, matching.rank
    sizes = np.bincount(codes, minlength=n_groups)

    def mean(values: FloatArray, counts: IntArray) -> FloatArray:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.bincount(codes, values, minlength=n_groups) / counts

    return np.stack(
        [
            mean(matching.row_utilities, sizes),
            mean((rank == 1).astype(np.float64), sizes),
            mean(rank.astype(np.float64), np.bincount(codes[has], minlength=n_groups)),
            mean((~has).astype(np.float64), sizes),
        ],
        axis=1,
    )
