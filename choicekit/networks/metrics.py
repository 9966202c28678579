"""What a web is like, in numbers under the field's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.errors import InvalidInputError
from choicekit.networks.checking import checked_counts, interacting
from choicekit.networks.coverage import chao_links, coverage_of
from choicekit.networks.diversity import effective_partners, shannon_of
from choicekit.networks.nestedness import nestedness_of
from choicekit.networks.robustness import random_loss_curve, robustness_of
from choicekit.networks.specialisation import d_prime_of, h2_of

__all__ = ["METRICS", "NetworkMetrics", "check_sampling", "describe_network", "metrics_of"]

FloatArray = npt.NDArray[np.float64]

METRICS: Mapping[str, str] = {
    "connectance": "connectance",
    "links_per_species": "links per species",
    "linkage_density": "linkage density",
    "vulnerability": "vulnerability",
    "weighted_vulnerability": "vulnerability, weighted",
    "generality": "generality",
    "weighted_generality": "generality, weighted",
    "shannon": "Shannon diversity",
    "evenness_by_cells": "interaction evenness, by cells",
    "evenness_by_links": "interaction evenness, by links",
    "nodf": "NODF",
    "weighted_nodf": "weighted NODF",
    "h2_continuous": "H2', continuous",
    "h2_integer": "H2', whole counts",
    "row_robustness": "robustness to loss of rows",
    "column_robustness": "robustness to loss of columns",
    "estimated_links": "links, seen and unseen (Chao)",
    "coverage": "sampling coverage",
}
"""Numbers that null models are compared by, with their names in words."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class NetworkMetrics:
    """A web in numbers. Species without interactions are left out of all of them, but counted.

    Attributes
    ----------
    n_rows, n_columns : int
        Species with interactions.
    unvisited_rows, unvisited_columns : int
        Species without.
    links : int
        Pairs that interact.
    visits : float
        Sum of counts.
    connectance : float
        links / (n_rows n_columns).
    links_per_species : float
        links / (n_rows + n_columns).
    vulnerability, generality : float
        Mean number of partners of a row (plants, prey), and of a column (animals, consumers): links / n_rows, links /
        n_columns.
    weighted_vulnerability, weighted_generality : float
        Mean effective number of partners (exp of the diversity of interactions), weighted by interactions.
    linkage_density : float
        Mean of the last two.
    shannon : float
        Diversity of interactions, nats.
    evenness_by_cells, evenness_by_links : float
        shannon / log(n_rows n_columns), and shannon / log(links).
    nodf, weighted_nodf : float
        Nestedness, 0 to 100.
    h2_continuous, h2_integer : float
        Specialisation of the web, 0 to 1; `h2_integer` is nan where counts are fractions.
    row_robustness, column_robustness : float
        Area below the mean share of partners left as rows (columns) are lost at random, 0 to 1.
    estimated_links, coverage : float
        Chao's estimates of all links and of the share of visits to links seen; nan where counts are fractions.
    d_prime : ndarray (n,)
        Specialisation of each row, as given: nan for a row without interactions.
    column_d_prime : ndarray (m,)
        Of each column.
    """

    n_rows: int
    n_columns: int
    unvisited_rows: int
    unvisited_columns: int
    links: int
    visits: float
    connectance: float
    links_per_species: float
    vulnerability: float
    weighted_vulnerability: float
    generality: float
    weighted_generality: float
    linkage_density: float
    shannon: float
    evenness_by_cells: float
    evenness_by_links: float
    nodf: float
    weighted_nodf: float
    h2_continuous: float
    h2_integer: float
    row_robustness: float
    column_robustness: float
    estimated_links: float
    coverage: float
    d_prime: FloatArray
    column_d_prime: FloatArray

    def to_dict(self) -> dict[str, float]:
        """Return every single number by its name."""
        return {item.name: getattr(self, item.name) for item in fields(self) if not item.name.endswith("d_prime")}

    def to_frame(self) -> pd.DataFrame:
        """Return a row a metric: its name and value."""
        return pd.DataFrame(list(self.to_dict().items()), columns=["metric", "value"])

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False))

    def __repr__(self) -> str:
        return (
            f"NetworkMetrics({self.n_rows} x {self.n_columns} species, {self.links} links, {self.visits:g} visits, "
            f"connectance {self.connectance:.4g}, NODF {self.nodf:.4g}, H2' {self.h2_continuous:.4g})"
        )


def describe_network(counts: npt.ArrayLike) -> NetworkMetrics:
    """Describe a web of interactions by the metrics of network ecology.

    Parameters
    ----------
    counts : array_like (n, m)
        Interactions of each row (plants, prey, hosts) with each column (pollinators, consumers, parasites). Fractions
        are allowed; what needs whole counts is then nan.

    Returns
    -------
    NetworkMetrics

    Raises
    ------
    InvalidInputError
        For a negative, missing or infinite count, and where nothing interacts.
    ShapeError

    Notes
    -----
    All are invariant under the order of species. Species without interactions are left out, as R's bipartite does by
    default, but for `d_prime`, whose places are those of the rows given.

    References
    ----------
    Dormann, Frund, Bluthgen & Gruber (2009), "Indices, graphs and null models: analyzing bipartite ecological
    networks", Open Ecology Journal 2; each metric's own source is with its function.

    Examples
    --------
    >>> found = describe_network([[5, 1, 0], [2, 0, 0]])
    >>> found.links, found.connectance, found.nodf, found.unvisited_columns
    (3, 0.75, 100.0, 1)
    """
    table = checked_counts(counts)
    row_d, column_d = np.full(table.shape[0], np.nan), np.full(table.shape[1], np.nan)
    rows, columns = interacting(table)
    web = np.ascontiguousarray(table[np.ix_(rows, columns)])
    row_d[rows], column_d[columns] = d_prime_of(web, 1), d_prime_of(web, 0)
    return NetworkMetrics(
        n_rows=len(web),
        n_columns=web.shape[1],
        unvisited_rows=int((~rows).sum()),
        unvisited_columns=int((~columns).sum()),
        links=int(np.count_nonzero(web)),
        visits=float(web.sum()),
        d_prime=row_d,
        column_d_prime=column_d,
        **metrics_of(web),
    )


def check_sampling(replications: int, level: float, metrics: Sequence[str] | None) -> tuple[str, ...]:
    """Return the names of the metrics asked for, and refuse what no webs can be sampled for.

    Parameters
    ----------
    replications : int
    level : float
    metrics : sequence of str, optional
        By default all.

    Raises
    ------
    InvalidInputError
    """
    if isinstance(replications, bool) or not isinstance(replications, int | np.integer) or replications < 2:
        raise InvalidInputError(f"replications must be a whole number of at least 2, found {replications!r}")
    if not 0 < level < 1:
        raise InvalidInputError(f"level must be between 0 and 1, found {level!r}")
    names = tuple(METRICS) if metrics is None else tuple(metrics)
    unknown = [name for name in names if name not in METRICS]
    if unknown:
        raise InvalidInputError(f"metrics must be among {', '.join(METRICS)}, found {unknown[0]!r}")
    return names


def metrics_of(web: FloatArray) -> dict[str, float]:
    """Return the numbers of `METRICS` of a web whose species all interact; see `NetworkMetrics`."""
    n, m = web.shape
    links, total = int(np.count_nonzero(web)), web.sum()
    whole = bool(np.all(web == np.rint(web)))
    shannon = shannon_of(web)
    vulnerability = float(effective_partners(web, 1) @ web.sum(axis=1) / total)
    generality = float(effective_partners(web, 0) @ web.sum(axis=0) / total)
    nodf, weighted_nodf = nestedness_of(web)
    return {
        "connectance": links / web.size,
        "links_per_species": links / (n + m),
        "linkage_density": (vulnerability + generality) / 2,
        "vulnerability": links / n,
        "weighted_vulnerability": vulnerability,
        "generality": links / m,
        "weighted_generality": generality,
        "shannon": shannon,
        "evenness_by_cells": shannon / np.log(web.size) if web.size > 1 else float("nan"),
        "evenness_by_links": shannon / np.log(links) if links > 1 else float("nan"),
        "nodf": nodf,
        "weighted_nodf": weighted_nodf,
        "h2_continuous": h2_of(web, whole=False),
        "h2_integer": h2_of(web, whole=True) if whole else float("nan"),
        "row_robustness": robustness_of(random_loss_curve(web, 0)),
        "column_robustness": robustness_of(random_loss_curve(web, 1)),
        "estimated_links": chao_links(web) if whole else float("nan"),
        "coverage": coverage_of(web) if whole else float("nan"),
    }
