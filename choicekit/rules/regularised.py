"""The base of the rules: what all regularised maxima share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.random import Draws
from choicekit.rules.drawing import inverted_choices, refuse_coherent
from choicekit.rules.products import row_products
from choicekit.rules.protocol import FloatArray, IntArray, Names
from choicekit.rules.utilities import available_direction, available_utility, check_distribution, check_row_weights

__all__ = ["RegularisedRule"]


class RegularisedRule(ABC):
    """Base of the rules: checks inputs, derives what follows from value and conjugate.

    A rule gives `_value`, `_probabilities`, `_jacobian_product`, `_conjugate` and `_largest_gap` for checked arrays;
    where it has an additive-noise law it also sets `supports_coherent` and gives `coherent_choices`.
    """

    name: ClassVar[str] = ""
    supports_coherent: ClassVar[bool] = False
    symmetric: ClassVar[bool] = True  # whether alternatives may change places; nests, for one, tell them apart

    @property
    def sparse(self) -> bool:
        """Whether an alternative of finite utility may have probability 0 at T > 0."""
        return False

    @property
    def why_not_coherent(self) -> str:
        """Why no additive noise makes these choices, in a few words; empty where nothing more is to be said."""
        return ""

    @property
    def n_rows(self) -> int | None:
        """Number of rows the rule has settings for; None where the same hold for any row."""
        return None

    def __eq__(self, other: object) -> bool:
        # a dataclass would compare its fields with ==, which arrays answer element by element
        return type(self) is type(other) and all(map(np.array_equal, self._settings(), other._settings()))

    def __hash__(self) -> int:
        return hash((type(self), *(s.tobytes() if isinstance(s, np.ndarray) else s for s in self._settings())))

    def _settings(self) -> tuple[Any, ...]:
        return tuple(getattr(self, item.name) for item in fields(self)) if is_dataclass(self) else ()

    def value(
        self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None, *, alternatives: Names = None
    ) -> FloatArray:
        """Return the soft maximum of each row (inclusive value, "logsum"), in units of utility.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        availability : array_like of bool (..., J), optional
            True = available.
        alternatives : sequence of (str or int), optional
            Names of the J alternatives, where the rule has settings by name.

        Returns
        -------
        ndarray (...)
            At least the hard maximum, and at most that plus `max_gap` of the number of alternatives.

        Raises
        ------
        InvalidInputError, NoAvailableAlternativeError, ShapeError
            For nan or plus infinity, a row with nothing available, shapes that do not fit.
        """
        values = available_utility(utility, availability)
        return _unwrapped(self._over(alternatives, values)._value(values))

    def probabilities(
        self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None, *, alternatives: Names = None
    ) -> FloatArray:
        """Return the choice probabilities, the gradient of `value`.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        availability : array_like of bool (..., J), optional
            True = available.
        alternatives : sequence of (str or int), optional
            Names of the J alternatives, where the rule has settings by name.

        Returns
        -------
        ndarray (..., J)
            Sums to one over the last axis; exactly 0 where unavailable.

        Raises
        ------
        InvalidInputError, NoAvailableAlternativeError, ShapeError
            For nan or plus infinity, a row with nothing available, shapes that do not fit.
        """
        values = available_utility(utility, availability)
        return self._over(alternatives, values)._probabilities(values)

    def jacobian_product(
        self,
        utility: npt.ArrayLike,
        direction: npt.ArrayLike,
        availability: npt.ArrayLike | None = None,
        *,
        alternatives: Names = None,
    ) -> FloatArray:
        """Return the Jacobian of the probabilities times a direction: how they change as utilities move along it.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        direction : array_like (..., J)
            Change of the utilities; broadcasts with `utility`. What it holds for the unavailable does not matter.
        availability : array_like of bool (..., J), optional
            True = available.
        alternatives : sequence of (str or int), optional
            Names of the J alternatives, where the rule has settings by name.

        Returns
        -------
        ndarray (..., J)
            Sums to zero over the last axis; exactly 0 where unavailable; nan where there is no derivative.

        Raises
        ------
        InvalidInputError, NoAvailableAlternativeError, ShapeError
            As `probabilities`, and for a direction that is not finite where available.

        Notes
        -----
        The Jacobian dp_i / du_j is the Hessian of `value`: symmetric, positive semidefinite, and 0 for a direction
        that lifts all alternatives alike. Being symmetric it serves forward and backward differentiation alike.
        At T = 0 the probabilities do not move, so the product is 0; only where maxima are tied there is no
        derivative, and the product is nan for each of the tied.
        """
        values = available_utility(utility, availability)
        there = values > -np.inf
        step = available_direction(direction, there)
        return np.where(there, self._over(alternatives, values)._jacobian_product(values, step), 0.0)

    def jacobian_sum(
        self,
        utility: npt.ArrayLike,
        weights: npt.ArrayLike,
        availability: npt.ArrayLike | None = None,
        *,
        alternatives: Names = None,
    ) -> FloatArray:
        """Return the weighted sum over rows of the Jacobian of the probabilities.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        weights : array_like (...)
            One for all, or one a row. Rows of weight 0 add nothing, also where they have no derivative.
        availability : array_like of bool (..., J), optional
            True = available.
        alternatives : sequence of (str or int), optional
            Names of the J alternatives, where the rule has settings by name.

        Returns
        -------
        ndarray (J, J)
            Row k is the sum of w times `jacobian_product` in the direction of alternative k: how all probabilities
            change as its utility rises. Each row sums to zero; a column is nan where a counted row has no derivative.

        Raises
        ------
        InvalidInputError, NoAvailableAlternativeError, ShapeError
            As `probabilities`, and for weights that are not finite.

        Notes
        -----
        For weights of at least 0 it is symmetric and positive semidefinite, as the Jacobian of each row is.
        """
        values = available_utility(utility, availability)
        return self._over(alternatives, values)._jacobian_sum(values, check_row_weights(weights, values))

    def conjugate(self, probabilities: npt.ArrayLike, *, alternatives: Names = None) -> FloatArray:
        """Return the cost T * Omega(q) of a distribution.

        Parameters
        ----------
        probabilities : array_like (..., J)
            Distributions over alternatives.
        alternatives : sequence of (str or int), optional
            Names of the J alternatives, where the rule has settings by name.

        Returns
        -------
        ndarray (...)

        Raises
        ------
        InvalidInputError
            Where a row is not a distribution: there the conjugate is infinite.
        """
        mass = check_distribution(probabilities)
        return _unwrapped(self._over(alternatives, mass)._conjugate(mass))

    def max_gap(self, n: int) -> FloatArray:
        """Return the sharp upper bound on value - max over `n` alternatives, reached where all utilities are equal.

        Parameters
        ----------
        n : int
            Number of alternatives, at least 1.

        Returns
        -------
        ndarray ()
            Or one a row, where the temperature is one a row.

        Raises
        ------
        InvalidInputError
            For n below 1.
        """
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
            raise InvalidInputError(f"max_gap needs a whole number of alternatives of at least 1, found {n!r}")
        return np.asarray(self._largest_gap(int(n)), dtype=np.float64)

    def fenchel_young_loss(
        self, utility: npt.ArrayLike, target: npt.ArrayLike, *, alternatives: Names = None
    ) -> FloatArray:
        """Return how far a target distribution is from what the rule would choose.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        target : array_like (..., J)
            Distributions over alternatives, such as one-hot observed choices.
        alternatives : sequence of (str or int), optional
            Names of the J alternatives, where the rule has settings by name.

        Returns
        -------
        ndarray (...)
            value + conjugate - <u, y>: at least 0, zero exactly where `target` is in the subdifferential of the
            value; infinite where `target` puts mass on an unavailable alternative.

        Notes
        -----
        For `Softmax` at T = 1 and one-hot targets this is minus the log-likelihood. It is computed on utilities
        shifted by their maximum, and rounding below zero is set to zero.

        References
        ----------
        Blondel, Martins & Niculae (2020), "Learning with Fenchel-Young losses", JMLR 21, definition 2.
        """
        values = available_utility(utility)
        mass = check_distribution(target, "target")
        try:
            values, mass = np.broadcast_arrays(values, mass)
        except ValueError as error:
            raise ShapeError(f"utility and target must broadcast: shapes {values.shape} and {mass.shape}") from error
        with np.errstate(over="ignore"):  # a spread beyond the largest float: minus infinity is the right answer
            shifted = values - values.max(axis=-1, keepdims=True)
        met = np.sum(np.where(mass > 0, mass * np.where(mass > 0, shifted, 0.0), 0.0), axis=-1)
        rule = self._over(alternatives, values)
        return _unwrapped(np.maximum(rule._value(shifted) + rule._conjugate(mass) - met, 0.0))

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the choice of each row by perturbed utilities; rules without an additive-noise law refuse.

        Parameters
        ----------
        utility : ndarray (n, J)
            As `choicekit.rules.utilities.available_utility` returns it.
        draws : Draws
            Addresses of the rows and alternatives, at stage ``Stage.CHOICE``.
        replications : range
            Replications wanted.

        Returns
        -------
        ndarray (R, n) of int64
            Positions on the last axis of `utility`.

        Raises
        ------
        InvalidInputError
            Where the rule has no additive-noise law.
        """
        refuse_coherent(self)

    def fast_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the choice of each row by one uniform number and its distribution, in the order of the columns.

        Parameters
        ----------
        utility : ndarray (n, J)
            As `choicekit.rules.utilities.available_utility` returns it.
        draws : Draws
            Addresses of the rows with a single word for alternatives, at stage ``Stage.INVERSE``.
        replications : range
            Replications wanted.

        Returns
        -------
        ndarray (R, n) of int64
            Positions on the last axis of `utility`.
        """
        return inverted_choices(self.probabilities(utility), draws, replications)

    def for_alternatives(self, alternatives: Sequence[object]) -> Self:
        """Return the rule with settings by position instead of by name; itself unless it has any by name.

        Parameters
        ----------
        alternatives : sequence of (str or int)
            Names of all alternatives, in the order of the columns of utilities.
        """
        return self

    def among(self, alternatives: Sequence[object]) -> Self:
        """Return the rule without settings for other alternatives than these; itself unless it has any by name.

        Parameters
        ----------
        alternatives : sequence of (str or int)
            Names of all alternatives there are.
        """
        return self

    def _over(self, alternatives: Names, values: FloatArray) -> Self:
        """Return the rule for the columns of a table, whose names may be given."""
        if alternatives is None:
            return self
        names = list(alternatives)
        if len(names) != values.shape[-1]:
            raise ShapeError(f"alternatives must name the {values.shape[-1]} columns, found {len(names)} names")
        if len(set(names)) != len(names):
            repeated = max(names, key=names.count)
            found = ", ".join(repr(str(name)) for name in names if name == repeated)
            raise InvalidInputError(f"alternatives must be distinct, found {found}")
        return self.for_alternatives(names)

    def for_rows(self, rows: slice | IntArray) -> Self:
        """Return the rule as it holds for some rows of a table; itself unless it has settings that differ by row.

        Parameters
        ----------
        rows : slice or ndarray of int64
            Rows of the table that the rule was made for.
        """
        return self

    @abstractmethod
    def _value(self, utility: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _probabilities(self, utility: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _jacobian_product(self, utility: FloatArray, direction: FloatArray) -> FloatArray: ...

    def _jacobian_sum(self, utility: FloatArray, weights: FloatArray) -> FloatArray:
        there, n_alternatives = utility > -np.inf, utility.shape[-1]
        counted, by_row = there & (weights != 0)[..., None], weights.reshape(-1, 1)
        totals = np.empty((n_alternatives, n_alternatives))
        for place in range(n_alternatives):  # one direction at a time: all at once would take J times the memory
            step = np.where(there & (np.arange(n_alternatives) == place), 1.0, 0.0)
            moved = np.where(counted, self._jacobian_product(utility, step), 0.0)
            totals[place] = row_products(by_row, moved.reshape(-1, n_alternatives))[0]
        return totals

    @abstractmethod
    def _conjugate(self, probabilities: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _largest_gap(self, n: int) -> float | FloatArray: ...


def _unwrapped(array: FloatArray) -> FloatArray:
    """Return a number for a single row, as numpy's own reductions do."""
    return array[()]
