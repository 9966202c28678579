"""How surprising counts are under a law."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from choicekit.tour.claims import LEAST_P_VALUE, Claim, FloatArray

__all__ = ["follows", "p_value_of_counts"]

SMALLEST_EXPECTED = 5.0
"""The least likely cells are taken together until this many are expected: Pearson's law is far off below."""


def p_value_of_counts(counts: npt.ArrayLike, shares: npt.ArrayLike) -> float:
    """Return the probability of counts at least as far from a law as these, by Pearson's chi-square.

    Parameters
    ----------
    counts : array_like
        Whole numbers.
    shares : array_like
        The law, of the same shape; sums to one.

    Returns
    -------
    float
        0 where something was counted that cannot happen; 1 where nothing is left to chance.

    Examples
    --------
    >>> round(p_value_of_counts([48, 52], [0.5, 0.5]), 3), p_value_of_counts([1, 99], [0.0, 1.0])
    (0.689, 0.0)
    """
    observed, law = np.asarray(counts, dtype=np.float64).ravel(), np.asarray(shares, dtype=np.float64).ravel()
    if np.any(observed[law == 0] > 0):
        return 0.0
    order = np.argsort(law, kind="stable")
    expected = law[order] * observed.sum()
    # the least cell that is judged holds all smaller ones
    first = int(np.searchsorted(expected.cumsum(), SMALLEST_EXPECTED))
    if first >= expected.size - 1:
        return 1.0
    observed, expected = _together(observed[order], first), _together(expected, first)
    return float(special.chdtrc(expected.size - 1, ((observed - expected) ** 2 / expected).sum()))


def _together(values: FloatArray, first: int) -> FloatArray:
    """Return the later cells, led by the sum of the first ones."""
    return np.append(values[: first + 1].sum(), values[first + 1 :])


def follows(name: str, title: str, counts: npt.ArrayLike, shares: npt.ArrayLike) -> Claim:
    """Return the claim that counts are no surprise under a law.

    Examples
    --------
    >>> follows("fair", "the coin is fair", [48, 52], [0.5, 0.5]).holds
    True
    """
    return Claim(
        name=name,
        title=title,
        measure="p-value of Pearson's chi-square",
        value=p_value_of_counts(counts, shares),
        limit=LEAST_P_VALUE,
        relation=">=",
        unit="p-value",
    )
