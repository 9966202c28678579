"""A web of interactions with the names of its species and what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError
from choicekit.networks.checking import checked_counts, checked_masses, distinct_names

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["InteractionNetwork", "aligned"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class InteractionNetwork:
    """Interactions counted between two sides, such as visits of pollinators (columns) to plants (rows).

    Parameters
    ----------
    counts : array_like (n, m)
        At least 0; a species may have none.
    row_names, column_names : sequence of str, optional
        Distinct; numbered by default.
    row_abundance, column_abundance : array_like (n,), (m,), optional
        Counted independently of interactions, in any units.
    name : str
        Such as of a site or a season.

    Raises
    ------
    InvalidInputError, ShapeError
        With the cell or species named.

    Examples
    --------
    >>> network = InteractionNetwork(counts=[[3, 0], [1, 2]], row_names=["Rosa", "Salix"])
    >>> network.visits, network.links, network.column_names
    (6.0, 3, ('column_1', 'column_2'))
    """

    counts: FloatArray
    row_names: Sequence[str] = None  # type: ignore[assignment]  # numbered, see __post_init__
    column_names: Sequence[str] = None  # type: ignore[assignment]
    row_abundance: FloatArray | None = None
    column_abundance: FloatArray | None = None
    name: str = ""

    def __post_init__(self) -> None:
        shape = np.shape(self.counts)
        if len(shape) == 2:
            object.__setattr__(self, "row_names", distinct_names(self.row_names, shape[0], "row"))
            object.__setattr__(self, "column_names", distinct_names(self.column_names, shape[1], "column"))
        counts = checked_counts(self.counts, self.row_names, self.column_names)
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
        for side, names in (("row", self.row_names), ("column", self.column_names)):
            given = getattr(self, f"{side}_abundance")
            if given is not None:
                masses = checked_masses(given, f"{side}_abundance", len(names), names)
                masses.setflags(write=False)
                object.__setattr__(self, f"{side}_abundance", masses)

    def __repr__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        n, m = self.shape
        return f"InteractionNetwork({name}{n} x {m} species, {self.links} links, {self.visits:g} visits)"

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and columns."""
        return len(self.row_names), len(self.column_names)

    @property
    def visits(self) -> float:
        """Sum of counts."""
        return float(self.counts.sum())

    @property
    def links(self) -> int:
        """How many pairs interact."""
        return int(np.count_nonzero(self.counts))

    def masses(self, side: str, source: str) -> FloatArray:
        """Return the shares of one side's species, which sum to 1.

        Parameters
        ----------
        side : {"row", "column"}
        source : {"observed", "abundance"}
            Sums of counts, or independent abundances.

        Raises
        ------
        InvalidInputError
            Where there are no abundances, and where a species with interactions has none.
        """
        sums = self.counts.sum(axis=1 if side == "row" else 0)
        if source == "observed":
            return np.asarray(sums / sums.sum())
        given: FloatArray | None = getattr(self, f"{side}_abundance")
        if given is None:
            raise InvalidInputError(f"{side}_abundance must be given for masses from abundances, found none")
        names: Sequence[str] = getattr(self, f"{side}_names")
        wrong = np.flatnonzero((sums > 0) & (given == 0))
        if wrong.size:
            raise InvalidInputError(
                f"a species with interactions must have an abundance above 0, found 0 for {names[wrong[0]]!r}, which "
                f"has {sums[wrong[0]]:g}"
            )
        return np.asarray(given / given.sum())

    def to_frame(self) -> pd.DataFrame:
        """Return the counts as a table with names."""
        import pandas as pd

        return pd.DataFrame(self.counts, index=list(self.row_names), columns=list(self.column_names))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame, *, name: str = "") -> InteractionNetwork:
        """Return the network of a table whose index and columns are the species."""
        return cls(
            counts=frame.to_numpy(dtype=float),
            row_names=[str(row) for row in frame.index],
            column_names=[str(column) for column in frame.columns],
            name=name,
        )


def aligned(networks: Sequence[InteractionNetwork]) -> tuple[InteractionNetwork, ...]:
    """Return networks of several sites over the species of all: what a site lacks has no interactions there.

    Raises
    ------
    InvalidInputError
        Where a site shares no row, or no column, with any other: then nothing can be learnt across them.

    Examples
    --------
    >>> first = InteractionNetwork(counts=[[1]], row_names=["Rosa"], column_names=["Apis"])
    >>> second = InteractionNetwork(counts=[[2, 3]], row_names=["Rosa"], column_names=["Bombus", "Apis"])
    >>> aligned([first, second])[0].counts
    array([[1., 0.]])
    """
    if not networks:
        raise InvalidInputError("there must be at least one network, found none")
    rows = list(dict.fromkeys(name for network in networks for name in network.row_names))
    columns = list(dict.fromkeys(name for network in networks for name in network.column_names))
    if len(networks) > 1:
        _check_shared(networks)
    return tuple(_spread(network, rows, columns) for network in networks)


def _check_shared(networks: Sequence[InteractionNetwork]) -> None:
    for place, network in enumerate(networks):
        others = [other for at, other in enumerate(networks) if at != place]
        for side in ("row_names", "column_names"):
            own = set(getattr(network, side))
            if not any(own & set(getattr(other, side)) for other in others):
                called = network.name or f"number {place}"
                raise InvalidInputError(
                    f"sites must share species, but site {called} has no {side.removesuffix('_names')} in common with "
                    "any other: leave it out, or check how species are spelt"
                )


def _spread(network: InteractionNetwork, rows: list[str], columns: list[str]) -> InteractionNetwork:
    at_row, at_column = {name: at for at, name in enumerate(rows)}, {name: at for at, name in enumerate(columns)}
    places = [at_row[name] for name in network.row_names], [at_column[name] for name in network.column_names]
    counts = np.zeros((len(rows), len(columns)))
    counts[np.ix_(*places)] = network.counts
    abundances: list[FloatArray | None] = []
    for given, own, size in zip((network.row_abundance, network.column_abundance), places, counts.shape, strict=True):
        whole = None if given is None else np.zeros(size)
        if whole is not None and given is not None:
            whole[own] = given
        abundances.append(whole)
    return InteractionNetwork(
        counts=counts,
        row_names=rows,
        column_names=columns,
        row_abundance=abundances[0],
        column_abundance=abundances[1],
        name=network.name,
    )
