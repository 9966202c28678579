"""The base of nested and cross-nested logit: what follows from a tree of nests."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from choicekit.errors import InvalidInputError
from choicekit.kernels import Kernel
from choicekit.random import Draws, Stage
from choicekit.rules.drawing import perturbed_choices
from choicekit.rules.nests.faults import check_nests
from choicekit.rules.nests.kernels import fill_changes, fill_probabilities, fill_values
from choicekit.rules.nests.nest import Nest, Position, among, by_position, kept_members, names_in_order, nests_of
from choicekit.rules.nests.noise import noises
from choicekit.rules.nests.tree import NestTree
from choicekit.rules.protocol import FloatArray, IntArray
from choicekit.rules.tempered import TemperedRule, scaled_utility
from choicekit.rules.utilities import hard_jacobian_product, hard_maximum

__all__ = ["NestRule"]


class NestRule(TemperedRule):
    """Base of the rules with nests: they differ in how nests make a tree, and in the conjugate.

    A rule derived from it is a dataclass with the fields `nests` and `temperature`.
    """

    supports_coherent: ClassVar[bool] = True
    symmetric: ClassVar[bool] = False
    crossed: ClassVar[bool]  # whether an alternative may be in several nests

    nests: Mapping[str, Nest]

    def __post_init__(self) -> None:
        check_nests(self.nests, crossed=self.crossed)
        object.__setattr__(self, "nests", nests_of(self.nests))
        super().__post_init__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(nests={dict(self.nests)!r}, temperature={self.temperature!r})"

    def _settings(self) -> tuple[Any, ...]:
        return repr(dict(self.nests)), self._placed, self.temperature

    def __reduce__(self) -> tuple[Any, ...]:
        # made anew, as what keeps nests read-only can be neither pickled nor copied
        return type(self), (dict(self.nests), self.temperature)

    @staticmethod
    @abstractmethod
    def _tree_of(nests: Mapping[str, Nest], n_columns: int) -> NestTree: ...

    def for_alternatives(self, alternatives: Sequence[object]) -> Self:
        """Return the rule with the positions of members in place of their names.

        See `RegularisedRule.for_alternatives` for the argument. Members that are whole numbers and no names, all of
        them, are positions already.

        Raises
        ------
        InvalidInputError
            For members that are no alternatives; the message names the nest.
        """
        if self._placed:
            return self
        names = list(alternatives)
        check_nests(self.nests, names, crossed=self.crossed)
        return replace(self, nests=by_position(self.nests, names))  # type: ignore[type-var]  # rules are dataclasses

    def among(self, alternatives: Sequence[object]) -> Self:
        """Return the rule without members that are none of these alternatives, and without nests that become empty.

        See `RegularisedRule.among` for the argument.
        """
        return replace(self, nests=among(self.nests, list(alternatives)))  # type: ignore[type-var]

    @cached_property
    def _placed(self) -> bool:
        """Whether all members have been found among the alternatives of a call."""
        return all(isinstance(member, Position) for member in names_in_order(self.nests))

    @cached_property
    def _trees(self) -> dict[int, NestTree]:
        return {}

    def _tree(self, n_columns: int) -> NestTree:
        """Return the tree over a number of columns, made once."""
        if n_columns not in self._trees:
            named = [member for member in names_in_order(self.nests) if not isinstance(member, int)]
            if named:
                raise InvalidInputError(
                    f"nests have members by name, such as {named[0]!r}: pass alternatives=, the names of the "
                    f"{n_columns} columns"
                )
            placed = by_position(self.nests, ())
            check_nests(placed, range(n_columns), crossed=self.crossed)
            self._trees[n_columns] = self._tree_of(placed, n_columns)
        return self._trees[n_columns]

    def _value(self, utility: FloatArray) -> FloatArray:
        return self._filled(fill_values, (), utility)

    def _probabilities(self, utility: FloatArray) -> FloatArray:
        temperature = np.asarray(self._fitted_temperature(utility))
        if np.all(temperature == 0):
            return hard_maximum(utility)
        found = self._filled(fill_probabilities, utility.shape[-1:], utility)
        return found if np.all(temperature > 0) else np.where(temperature[..., None] > 0, found, hard_maximum(utility))

    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray:
        utility = np.broadcast_to(utility, direction.shape)
        # measured from the best alternative: what lifts all alike would cost the digits of the differences
        step = direction - np.take_along_axis(direction, utility.argmax(axis=-1)[..., None], axis=-1)
        change = self._filled(fill_changes, utility.shape[-1:], utility, step)
        temperature = np.asarray(self._fitted_temperature(utility))[..., None]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            return np.where(temperature > 0, change / temperature, hard_jacobian_product(utility))

    def _filled(self, fill: Kernel, shape: tuple[int, ...], utility: FloatArray, *others: FloatArray) -> FloatArray:
        """Return what a kernel fills in for each row of utilities (..., J)."""
        rows, n_columns = utility.shape[:-1], utility.shape[-1]
        table, *tables = (np.ascontiguousarray(each).reshape(-1, n_columns) for each in (utility, *others))
        temperature = self._fitted_temperature(utility)
        each = [temperature] if isinstance(temperature, float) else np.ascontiguousarray(temperature).reshape(-1)
        out = np.empty((len(table), *shape))
        fill(table, np.array(each), *tables, *self._tree(n_columns).arrays, out)
        return out.reshape(rows + shape)

    def _largest_gap(self, n: int) -> float | FloatArray:
        if n not in self._leads:
            members = names_in_order(self.nests)
            by_name = any(not isinstance(member, int) for member in members)
            placed = by_position(self.nests, members if by_name else ())
            tree = self._tree_of(kept_members(placed, {Position(place): Position(place) for place in range(n)}), n)
            # each utility lifts the value, so the gap is largest where all are at the maximum
            lead = np.empty(1)
            fill_values(np.zeros((1, n)), np.ones(1), *tree.arrays, lead)
            self._leads[n] = float(lead[0])
        return np.asarray(self.temperature * self._leads[n])

    @cached_property
    def _leads(self) -> dict[int, float]:
        """How far above the maximum the value of as many equal alternatives is, in units of T."""
        return {}

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return argmax((u - max u) / T + noise) of each row; at T = 0 tied maxima go to the larger draw.

        See `RegularisedRule.coherent_choices` for arguments and result, and `noises` for the noise.
        """
        if draws.stage is not Stage.CHOICE:
            raise InvalidInputError(f"choices are drawn at stage CHOICE, found {draws.stage.name}")
        temperature = self._fitted_temperature(utility)
        scaled = scaled_utility(utility, temperature)
        if np.all(np.asarray(temperature) == 0):
            return perturbed_choices(scaled, draws, replications)
        tree = self._tree(utility.shape[-1])
        chosen = np.empty((len(replications), len(utility)), dtype=np.int64)
        for place, choices in self._perturbed(tree, scaled, draws, replications):
            chosen[place] = choices
        if np.any(np.asarray(temperature) == 0):
            return np.where(np.asarray(temperature) == 0, perturbed_choices(scaled, draws, replications), chosen)
        return chosen

    @staticmethod
    def _perturbed(
        tree: NestTree, scaled: FloatArray, draws: Draws, replications: range
    ) -> Iterator[tuple[int, IntArray]]:
        leaves = scaled[:, tree.columns] + tree.log_allocations
        for place, noise in noises(tree, draws, replications):
            noise += leaves
            yield place, tree.columns[np.argmax(noise, axis=-1)]
