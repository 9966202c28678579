"""What may happen to a community: extinctions, changes of abundance, invaders, warming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from choicekit.networks.community import Community, MassPolicy, Side

__all__ = ["CommunityPolicy", "Invader"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Invader:
    """A species that arrives.

    Attributes
    ----------
    name : str
    side : {"row", "column"}
    mass : float
        In units of its side's masses.
    basis : mapping of str to ndarray
        What its traits are worth with each species of the other side, as they are before anything changes: a row or
        column of each table that preferences are linear in.
    """

    name: str
    side: Side
    mass: float
    basis: Mapping[str, FloatArray]

    def preferences(self, coefficients: Mapping[str, float]) -> FloatArray:
        """Return its preferences under some coefficients."""
        return np.asarray(sum(coefficients[name] * values for name, values in self.basis.items()), dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class CommunityPolicy:
    """A change of a community: invaders arrive, then masses change, then species go, then the temperature changes.

    Attributes
    ----------
    description : str
    extinct_rows, extinct_columns : sequence of str
    masses : {"removed", "redistributed"}
        What becomes of the visits of species that go, and where those of invaders come from.
    row_factors, column_factors : mapping of str to float
        By how much masses are multiplied.
    invaders : sequence of Invader
        At most one on either side.
    temperature : float, optional

    Examples
    --------
    >>> toy = Community(preferences=[[1.0, 0.0], [0.0, 1.0]], row_mass=[2, 2], column_mass=[3, 1])
    >>> CommunityPolicy(extinct_rows=["row_1"]).apply(toy).row_names
    ('row_2',)
    """

    description: str = ""
    extinct_rows: Sequence[str] = ()
    extinct_columns: Sequence[str] = ()
    masses: MassPolicy = "removed"
    row_factors: Mapping[str, float] = field(default_factory=dict)
    column_factors: Mapping[str, float] = field(default_factory=dict)
    invaders: Sequence[Invader] = ()
    temperature: float | None = None

    def apply(self, community: Community, coefficients: Mapping[str, float] | None = None) -> Community:
        """Return what becomes of a community.

        Parameters
        ----------
        community : Community
        coefficients : mapping of str to float, optional
            Of the basis, which say what invaders prefer.

        Raises
        ------
        InvalidInputError
        """
        after = community
        for invader in self.invaders:
            wide = invader.preferences(coefficients or {})
            others = after.preferences.shape[1 if invader.side == "row" else 0]
            wide = np.pad(wide, (0, others - wide.size))  # for an invader of the other side that came before: neutral
            after = after.with_species(
                invader.name, invader.side, mass=invader.mass, preferences=wide, policy=self.masses
            )
        factors: tuple[tuple[Side, Mapping[str, float]], ...] = (
            ("row", self.row_factors),
            ("column", self.column_factors),
        )
        for side, by_name in factors:
            for name, factor in by_name.items():
                after = after.with_mass(name, side, factor)
        if self.extinct_rows:
            after = after.without(list(self.extinct_rows), "row", policy=self.masses)
        if self.extinct_columns:
            after = after.without(list(self.extinct_columns), "column", policy=self.masses)
        return after if self.temperature is None else after.with_temperature(self.temperature)
