"""Nestedness by overlap and decreasing fill, counted and weighted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.networks.kernels import nested_pairs

__all__ = ["nestedness_of"]

FloatArray = npt.NDArray[np.float64]


def nestedness_of(counts: FloatArray) -> tuple[float, float]:
    """Return NODF and weighted NODF, 0 to 100; nan for a single cell, which has no pair of species on either side.

    Parameters
    ----------
    counts : ndarray (n, m)
        Without species that have no interactions.

    Notes
    -----
    Over all pairs of rows and all pairs of columns the mean of: 0 where both have as many links; else the share of the
    links of the one with fewer that the other has too (NODF), or has with a larger count (weighted). Ties count 0 and
    pairs are told apart by their degrees alone, so the order of species is of no consequence.

    References
    ----------
    Almeida-Neto, Guimaraes, Guimaraes, Loyola & Ulrich (2008), "A consistent metric for nestedness analysis in
    ecological systems", Oikos 117. Almeida-Neto & Ulrich (2011), "A straightforward computational approach for
    measuring nestedness using quantitative matrices", Environmental Modelling & Software 26.

    Examples
    --------
    >>> nestedness_of(np.array([[3.0, 2.0, 1.0], [2.0, 1.0, 0.0], [1.0, 0.0, 0.0]]))
    (100.0, 100.0)
    """
    n, m = counts.shape
    pairs = (n * (n - 1) + m * (m - 1)) / 2
    if pairs == 0:
        return float("nan"), float("nan")
    of_rows, of_columns = np.empty(2), np.empty(2)
    nested_pairs(np.ascontiguousarray(counts), of_rows)
    nested_pairs(np.ascontiguousarray(counts.T), of_columns)
    binary, weighted = 100.0 * (of_rows + of_columns) / pairs
    return float(binary), float(weighted)
