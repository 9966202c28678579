"""A community that can be changed: preferences, the masses of both sides, and what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.assignment import AssignmentResult
from choicekit.errors import InvalidInputError
from choicekit.networks.checking import checked_masses, distinct_names
from choicekit.networks.ensembles import Ensemble, check_ensemble, couple
from choicekit.rules.utilities import as_floats
from choicekit.suggestions import suggest

__all__ = ["Community", "MassPolicy", "Side"]

FloatArray = npt.NDArray[np.float64]
Side = Literal["row", "column"]
MassPolicy = Literal["removed", "redistributed"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Community:
    """Who prefers whom, and how many there are.

    Parameters
    ----------
    preferences : array_like (n, m)
        M; minus infinity forbids a pair.
    row_mass, column_mass : array_like (n,), (m,)
        Abundances; those of the two sides are scaled to each other, and their total is that of visits.
    row_names, column_names : sequence of str, optional
    temperature : float
        T of the coupling; 1 for preferences that were learnt.
    ensemble : {"both", "rows", "columns", "none"}
    visits : float, optional
        How many there are, which the coupling and its metrics are about; by default the total of rows.

    Raises
    ------
    InvalidInputError, ShapeError

    Examples
    --------
    >>> toy = Community(preferences=[[1.0, 0.0], [0.0, 1.0]], row_mass=[2, 2], column_mass=[3, 1])
    >>> toy.expected.sum(axis=0)
    array([3., 1.])
    """

    preferences: FloatArray
    row_mass: FloatArray
    column_mass: FloatArray
    row_names: Sequence[str] = None  # type: ignore[assignment]  # numbered, see __post_init__
    column_names: Sequence[str] = None  # type: ignore[assignment]
    temperature: float = 1.0
    ensemble: Ensemble = "both"
    visits: float | None = None

    def __post_init__(self) -> None:
        table = np.array(as_floats(self.preferences, "preferences"))
        if table.ndim != 2:
            raise InvalidInputError(f"preferences must be a table, rows by columns, found shape {table.shape}")
        check_ensemble(self.ensemble)
        object.__setattr__(self, "preferences", table)
        object.__setattr__(self, "row_names", distinct_names(self.row_names, table.shape[0], "row"))
        object.__setattr__(self, "column_names", distinct_names(self.column_names, table.shape[1], "column"))
        for side, names in (("row", self.row_names), ("column", self.column_names)):
            masses = checked_masses(getattr(self, f"{side}_mass"), f"{side}_mass", len(names), names)
            object.__setattr__(self, f"{side}_mass", masses)
        if self.visits is None:
            object.__setattr__(self, "visits", float(self.row_mass.sum()))
        elif not (np.isfinite(self.visits) and self.visits > 0):
            raise InvalidInputError(f"visits must be a finite number above 0, found {self.visits!r}")

    def __repr__(self) -> str:
        n, m = self.preferences.shape
        size = f"{n} x {m} species, {self.total:g} visits"
        return f"Community({size}, temperature {self.temperature:g}, ensemble {self.ensemble})"

    @property
    def total(self) -> float:
        """How many visits there are."""
        return float(self.visits) if self.visits is not None else float(self.row_mass.sum())

    @cached_property
    def solution(self) -> AssignmentResult:
        """The solved coupling, with its certificate."""
        return couple(
            self.preferences, self.row_mass, self.column_mass, ensemble=self.ensemble, temperature=self.temperature
        )

    @property
    def coupling(self) -> FloatArray:
        """Shares of visits by pair, which sum to 1."""
        return self.solution.coupling

    @property
    def expected(self) -> FloatArray:
        """Expected visits by pair, (n, m)."""
        return self.total * self.coupling

    def masses_used(self) -> pd.DataFrame:
        """Return the visits of each species that the coupling meets: ``side``, ``species``, ``mass``, ``expected``.

        ``mass`` is nan on a side that the ensemble leaves free.
        """
        found = self.expected
        frames = []
        for axis, (side, names, masses) in enumerate(
            (("row", self.row_names, self.row_mass), ("column", self.column_names, self.column_mass))
        ):
            fixed = self.ensemble in ("both", f"{side}s")
            frames.append(
                pd.DataFrame(
                    {
                        "side": side,
                        "species": list(names),
                        "mass": self.total * masses / masses.sum() if fixed else np.nan,
                        "expected": found.sum(axis=1 - axis),
                    }
                )
            )
        return pd.concat(frames, ignore_index=True)

    def place(self, name: str, side: Side) -> int:
        """Return the place of a species.

        Raises
        ------
        InvalidInputError
            For an unknown one, with the nearest name.
        """
        if side not in ("row", "column"):
            raise InvalidInputError(f"side must be 'row' or 'column', found {side!r}")
        names: Sequence[str] = getattr(self, f"{side}_names")
        if name not in names:
            raise InvalidInputError(f"unknown {side} {name!r}, {suggest(name, names)}".rstrip(", "))
        return list(names).index(name)

    def without(self, names: Sequence[str] | str, side: Side, *, policy: MassPolicy = "removed") -> Community:
        """Return the community after species of one side went extinct.

        Parameters
        ----------
        names : str or sequence of str
        side : {"row", "column"}
        policy : {"removed", "redistributed"}
            ``"removed"``: their visits are gone, and the other side has so many fewer, each species in proportion.
            ``"redistributed"``: their visits go to the species of their own side that are left, in proportion.

        Raises
        ------
        InvalidInputError
            Also where no species with any mass would be left.

        Notes
        -----
        Masses are taken from what the ensemble meets before: its fixed masses, or expected sums on a free side.
        """
        if policy not in ("removed", "redistributed"):
            raise InvalidInputError(f"policy must be 'removed' or 'redistributed', found {policy!r}")
        gone = [self.place(name, side) for name in ([names] if isinstance(names, str) else names)]
        axis = 0 if side == "row" else 1
        masses: FloatArray = getattr(self, f"{side}_mass")
        kept = np.setdiff1d(np.arange(masses.size), gone)
        if not np.any(masses[kept] > 0):
            raise InvalidInputError(f"no {side} with any mass would be left: let fewer species go extinct")
        shares = self.coupling.sum(axis=1 - axis)
        left = float(shares[kept].sum()) if policy == "removed" else 1.0
        own_names: Sequence[str] = getattr(self, f"{side}_names")
        return replace(
            self,
            preferences=np.delete(self.preferences, gone, axis=axis),
            visits=self.total * left,
            **_side(side, masses[kept], [own_names[int(place)] for place in kept]),
        )

    def with_species(
        self, name: str, side: Side, *, mass: float, preferences: npt.ArrayLike, policy: MassPolicy = "redistributed"
    ) -> Community:
        """Return the community with an invader.

        Parameters
        ----------
        name : str
        side : {"row", "column"}
        mass : float
            In units of its side's masses.
        preferences : array_like
            One number for each species of the other side, on the scale of the others' preferences.
        policy : {"redistributed", "removed"}
            ``"redistributed"``: visits stay as many, and incumbents of its side have fewer, in proportion.
            ``"removed"``: its visits come on top, and the other side has so many more, in proportion: as undone by an
            extinction under that policy.
        """
        axis = 0 if side == "row" else 1
        own_names: Sequence[str] = getattr(self, f"{side}_names")
        if name in own_names:
            raise InvalidInputError(f"an invader must have a name of its own, found {name!r} twice")
        if not (np.isfinite(mass) and mass > 0):
            raise InvalidInputError(f"the mass of an invader must be a finite number above 0, found {mass!r}")
        masses: FloatArray = getattr(self, f"{side}_mass")
        wide = np.asarray(as_floats(preferences, "preferences"))
        if wide.shape != (self.preferences.shape[1 - axis],):
            raise InvalidInputError(
                f"an invader must have one preference for each of {self.preferences.shape[1 - axis]} species, found "
                f"shape {wide.shape}"
            )
        more = 1.0 if policy == "redistributed" else 1.0 + mass / float(masses.sum())
        return replace(
            self,
            preferences=np.insert(self.preferences, self.preferences.shape[axis], wide, axis=axis),
            visits=self.total * more,
            **_side(side, np.append(masses, mass), [*own_names, name]),
        )

    def with_mass(self, name: str, side: Side, factor: float) -> Community:
        """Return the community with one species' mass multiplied, visits in all as many."""
        if not (np.isfinite(factor) and factor >= 0):
            raise InvalidInputError(f"a factor must be a finite number of at least 0, found {factor!r}")
        masses = getattr(self, f"{side}_mass").copy()
        masses[self.place(name, side)] *= factor
        return replace(self, **{f"{side}_mass": masses})

    def with_temperature(self, temperature: float) -> Community:
        """Return the community at another temperature."""
        return replace(self, temperature=temperature)


def _side(side: Side, masses: FloatArray, names: Sequence[str]) -> dict[str, Any]:
    return {f"{side}_mass": masses, f"{side}_names": names}
