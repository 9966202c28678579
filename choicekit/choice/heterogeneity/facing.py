"""What rows face: their utilities at any coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions.preparing import PreparedExpression, prepared
from choicekit.errors import InvalidInputError, NoAvailableAlternativeError
from choicekit.rules.utilities import row_maximum

if TYPE_CHECKING:
    from choicekit.choice.model import ChoiceModel
    from choicekit.choice.population import Population

__all__ = ["Facing"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Facing:
    """The utilities of some rows, as a function of what differs among agents.

    Attributes
    ----------
    model : ChoiceModel
    population : Population
    rows : ndarray (n,) of int64
    utility : ndarray (n, A)
        At the model's own coefficients; minus infinity where unavailable, and for rows that are not worked on anything
        finite.
    places : ndarray (J,) of int64
        Columns of the model's alternatives.
    counts : ndarray (n,) of bool, optional
        Rows that choose among the model's alternatives; by default all.
    """

    model: ChoiceModel
    population: Population
    rows: IntArray
    utility: FloatArray
    places: IntArray
    counts: BoolArray | None = None

    def at(self, coefficients: Mapping[str, float | FloatArray]) -> FloatArray:
        """Return utilities (n, A) at other coefficients; not to be written to.

        Parameters
        ----------
        coefficients : mapping of str to (float or ndarray (n,))
            Those that differ from the model's.

        Raises
        ------
        InvalidInputError
            Where a utility becomes nan or plus infinity, naming the agent and its coefficients.
        NoAvailableAlternativeError
            Where nothing is left that the agent could choose.
        """
        if not coefficients or not self._moving:
            return self.utility
        own = self.model.coefficients
        values = {name: coefficients.get(name, own[name]) for name in self.model.varying}
        table = self.utility.copy()
        for place, there, formula in self._moving:
            np.copyto(table[:, place], formula.evaluate(values), where=there)
        if len(table) and not np.all(np.isfinite(row_maximum(table))):
            self._refuse(table, coefficients)
        return table

    @cached_property
    def _moving(self) -> list[tuple[int, BoolArray, PreparedExpression]]:
        """Column, rows and formula of every alternative whose utility depends on what differs."""
        found = []
        available = self.model.available(self.population, self.rows)
        for place, (name, formula) in enumerate(self.model.formulas(self.population).items()):
            if not formula.names.isdisjoint(self.model.varying):
                inputs = self.model.inputs(formula, self.population, name, self.rows)
                there = available[:, place] if self.counts is None else available[:, place] & self.counts
                found.append((int(self.places[place]), there, prepared(formula, inputs, self.model.varying)))
        return found

    def _refuse(self, table: FloatArray, coefficients: Mapping[str, float | FloatArray]) -> None:
        row = int(np.flatnonzero(~np.isfinite(row_maximum(table)))[0])
        values = ", ".join(
            f"{name} = {float(np.broadcast_to(value, len(table))[row]):.4g}" for name, value in coefficients.items()
        )
        who = f"agent {self.population.agents[self.rows[row]]}"
        wrong = np.flatnonzero(np.isnan(table[row]) | (table[row] == np.inf))
        if not wrong.size:
            raise NoAvailableAlternativeError(
                f"{who} has nothing available at coefficients it may have ({values}): every utility is minus infinity; "
                "give a distribution that stays where utilities are finite"
            )
        name = list(self.model.formulas(self.population))[list(self.places).index(wrong[0])]
        raise InvalidInputError(
            f"utility must be a number below infinity, found {table[row, wrong[0]]} for {who}, alternative {name}, at "
            f"coefficients it may have ({values}); give a distribution that stays where the utility is a number"
        )
