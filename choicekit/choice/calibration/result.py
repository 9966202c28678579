"""The answer of a calibration: a model that meets the shares, and how it got there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.counting import counted

__all__ = ["Calibration"]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Calibration:
    """Constants at which expected shares meet given ones.

    Attributes
    ----------
    model : ChoiceModel
        With the constants found: as coefficients, or where they were sought by group with columns added to utilities.
    population : Population
        The one given; by group with the columns that `model` uses.
    constants : mapping of str to float
        Value of every coefficient that was moved; by group under the name of the column and the group.
    reference : str, optional
        Alternative that keeps its utility, so that it sets the level that added alternatives are compared with; of the
        first group where there are groups. None where an alternative has no given share.
    by : str, optional
        What the groups are by.
    history : tuple of float
        Largest distance of a share from the given one, at the start and after each iteration; of all groups.
    status : str
        ``"converged"``, ``"out of iterations"``, or ``"stalled"`` where rounding allows no step nearer.
    table : DataFrame
        As `to_frame` returns it, with a column ``group``.
    """

    model: ChoiceModel
    population: Population
    constants: Mapping[str, float]
    reference: str | None
    by: str | None
    history: tuple[float, ...]
    status: str
    table: pd.DataFrame = field(repr=False)

    @property
    def converged(self) -> bool:
        """Whether every share is within the tolerance."""
        return self.status == "converged"

    @property
    def n_iterations(self) -> int:
        """Number of steps taken; of the group that took most."""
        return len(self.history) - 1

    @property
    def target(self) -> pd.Series[float]:
        """Given shares as fractions, by alternative (and group before it); nan where none is given."""
        return self._column("target", "target")

    @property
    def shares(self) -> pd.Series[float]:
        """Expected shares at the constants found, by alternative (and group before it)."""
        return self._column("share_after", "expected_share")

    @property
    def gap(self) -> float:
        """Largest distance of a share from the given one."""
        return self.history[-1]

    def to_frame(self) -> pd.DataFrame:
        """Return a table with one row for every alternative, and group where there are groups.

        Returns
        -------
        DataFrame
            Columns group (where there are any), alternative, constant, before, after (its values, nan where it stays),
            target, share_before and share_after.
        """
        return self.table.copy() if self.by is not None else self.table.drop(columns="group")

    def __repr__(self) -> str:
        groups = "" if self.by is None else f" by {self.by}"
        return (
            f"Calibration({counted(len(self.constants), 'constant')}{groups}, {self.status} after "
            f"{counted(self.n_iterations, 'iteration')}, largest gap {self.gap:.1e})"
        )

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, float_format="{:.4f}".format))

    def _column(self, column: str, name: str) -> pd.Series[float]:
        keys = ["alternative"] if self.by is None else ["group", "alternative"]
        return self.table.set_index(keys)[column].rename(name)
