"""What each species is like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.networks.checking import checked_counts, distinct_names, interacting
from choicekit.networks.diversity import effective_partners
from choicekit.networks.specialisation import d_prime_of

__all__ = ["describe_species"]

FloatArray = npt.NDArray[np.float64]


def describe_species(counts: npt.ArrayLike, names: Sequence[object] | None = None, *, axis: int = 0) -> pd.DataFrame:
    """Return a row for each species of one side.

    Parameters
    ----------
    counts : array_like (n, m)
    names : sequence, optional
        Of the species of that side.
    axis : {0, 1}
        0 for rows, 1 for columns.

    Returns
    -------
    DataFrame
        ``species``; ``degree``, how many partners; ``normalised_degree``, over how many there are; ``visits``;
        ``strength``, the sum over partners of the share of their interactions that is with this species;
        ``effective_partners``; ``d_prime``, nan without interactions.

    Raises
    ------
    InvalidInputError, ShapeError

    References
    ----------
    Bascompte, Jordano & Olesen (2006), "Asymmetric coevolutionary networks facilitate biodiversity maintenance",
    Science 312 (strength). Bluthgen et al. (2006), BMC Ecology 6:9 (d').

    Examples
    --------
    >>> describe_species([[2, 2], [0, 4]], ["Rosa", "Salix"])[["species", "degree", "strength"]].values.tolist()
    [['Rosa', 2, 1.3333333333333333], ['Salix', 1, 0.6666666666666666]]
    """
    table = checked_counts(counts)
    table = table if axis == 0 else np.ascontiguousarray(table.T)
    partners = table.sum(axis=0)
    degree = np.count_nonzero(table, axis=1)
    own, others = interacting(table)
    d_prime = np.full(len(table), np.nan)
    d_prime[own] = d_prime_of(table[np.ix_(own, others)], 1)
    return pd.DataFrame(
        {
            "species": distinct_names(names, len(table), "row" if axis == 0 else "column"),
            "degree": degree,
            "normalised_degree": degree / max(int(others.sum()), 1),
            "visits": table.sum(axis=1),
            "strength": np.divide(table, partners, out=np.zeros_like(table), where=partners > 0).sum(axis=1),
            "effective_partners": effective_partners(table, 1),
            "d_prime": d_prime,
        }
    )
