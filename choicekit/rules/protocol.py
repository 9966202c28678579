"""What every choice rule answers, and what all regularised maxima share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.random import Draws, Stage
from choicekit.rules.products import row_products
from choicekit.rules.utilities import available_direction, available_utility, check_distribution, check_row_weights

__all__ = ["ChoiceRule", "RegularisedRule"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@runtime_checkable
class ChoiceRule(Protocol):
    """A regularised maximum: what the rest of the kit asks of a rule.

    Shapes: utilities are (..., J) with alternatives on the last axis; leading axes broadcast.
    """

    @property
    def supports_coherent(self) -> bool:
        """Whether the rule has an additive-noise law, so that coherent draws exist."""
        ...

    def value(self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
        """Return the soft maximum of each row, shape (...)."""
        ...

    def probabilities(self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
        """Return the choice probabilities, the gradient of the value, shape (..., J)."""
        ...

    def jacobian_product(
        self, utility: npt.ArrayLike, direction: npt.ArrayLike, availability: npt.ArrayLike | None = None
    ) -> FloatArray:
        """Return the change of the probabilities per unit step of utilities in a direction, shape (..., J)."""
        ...

    def jacobian_sum(
        self, utility: npt.ArrayLike, weights: npt.ArrayLike, availability: npt.ArrayLike | None = None
    ) -> FloatArray:
        """Return the weighted sum over rows of the Jacobian of the probabilities, shape (J, J)."""
        ...

    def conjugate(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Return T * Omega(q) of each row, shape (...)."""
        ...

    def max_gap(self, n: int) -> FloatArray:
        """Return the sharp upper bound on value - max over n alternatives."""
        ...

    def fenchel_young_loss(self, utility: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
        """Return value + conjugate - <u, y> of each row, shape (...)."""
        ...

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the choice of each row by perturbed utilities, shape (R, n)."""
        ...

    @property
    def n_rows(self) -> int | None:
        """Number of rows the rule has settings for; None where the same hold for any row."""
        ...

    def for_rows(self, rows: slice | IntArray) -> ChoiceRule:
        """Return the rule as it holds for some rows of a table; itself unless it has settings that differ by row."""
        ...


class RegularisedRule(ABC):
    """Base of the rules: checks inputs, derives what follows from value and conjugate.

    A rule gives `_value`, `_probabilities`, `_jacobian_product`, `_conjugate` and `_largest_gap` for checked arrays;
    where it has an additive-noise law it also sets `supports_coherent` and gives `coherent_choices`.
    """

    name: ClassVar[str] = ""
    supports_coherent: ClassVar[bool] = False
    symmetric: ClassVar[bool] = True  # whether alternatives may change places; nests, for one, tell them apart

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

    def value(self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
        """Return the soft maximum of each row (inclusive value, "logsum"), in units of utility.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        availability : array_like of bool (..., J), optional
            True = available.

        Returns
        -------
        ndarray (...)
            At least the hard maximum, and at most that plus `max_gap` of the number of alternatives.

        Raises
        ------
        InvalidInputError, NoAvailableAlternativeError, ShapeError
            For nan or plus infinity, a row with nothing available, shapes that do not fit.
        """
        return _unwrapped(self._value(available_utility(utility, availability)))

    def probabilities(self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
        """Return the choice probabilities, the gradient of `value`.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        availability : array_like of bool (..., J), optional
            True = available.

        Returns
        -------
        ndarray (..., J)
            Sums to one over the last axis; exactly 0 where unavailable.

        Raises
        ------
        InvalidInputError, NoAvailableAlternativeError, ShapeError
            For nan or plus infinity, a row with nothing available, shapes that do not fit.
        """
        return self._probabilities(available_utility(utility, availability))

    def jacobian_product(
        self, utility: npt.ArrayLike, direction: npt.ArrayLike, availability: npt.ArrayLike | None = None
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
        return np.where(there, self._jacobian_product(values, step), 0.0)

    def jacobian_sum(
        self, utility: npt.ArrayLike, weights: npt.ArrayLike, availability: npt.ArrayLike | None = None
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
        return self._jacobian_sum(values, check_row_weights(weights, values))

    def conjugate(self, probabilities: npt.ArrayLike) -> FloatArray:
        """Return the cost T * Omega(q) of a distribution.

        Parameters
        ----------
        probabilities : array_like (..., J)
            Distributions over alternatives.

        Returns
        -------
        ndarray (...)

        Raises
        ------
        InvalidInputError
            Where a row is not a distribution: there the conjugate is infinite.
        """
        return _unwrapped(self._conjugate(check_distribution(probabilities)))

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

    def fenchel_young_loss(self, utility: npt.ArrayLike, target: npt.ArrayLike) -> FloatArray:
        """Return how far a target distribution is from what the rule would choose.

        Parameters
        ----------
        utility : array_like (..., J)
            Systematic utility; minus infinity means unavailable.
        target : array_like (..., J)
            Distributions over alternatives, such as one-hot observed choices.

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
        return _unwrapped(np.maximum(self._value(shifted) + self._conjugate(mass) - met, 0.0))

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
        raise InvalidInputError(
            f"{type(self).__name__} has no additive-noise law, so coherent draws do not exist: use sampling='fast'"
        )

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


def perturbed_choices(scaled: FloatArray, draws: Draws, replications: range) -> IntArray:
    """Positions of the maxima of `scaled` plus one Gumbel number per row and alternative.

    Parameters
    ----------
    scaled : ndarray (n, J)
        (u - max u) / T, minus infinity where unavailable.
    draws : Draws
        Addresses, at ``Stage.CHOICE``.
    replications : range
        Consecutive replications.

    Returns
    -------
    ndarray (R, n) of int64
    """
    if draws.stage is not Stage.CHOICE:
        raise InvalidInputError(f"choices are drawn at stage CHOICE, found {draws.stage.name}")
    chosen = np.empty((len(replications), len(scaled)), dtype=np.int64)
    for place, gumbels in _gumbels(draws, replications):
        np.add(gumbels, scaled, out=gumbels)
        np.argmax(gumbels, axis=-1, out=chosen[place])
    return chosen


def _gumbels(draws: Draws, replications: range) -> Iterator[tuple[int, FloatArray]]:
    """Yield each replication's Gumbel numbers, taking both of a pair from one call."""
    place = 0
    while place < len(replications):
        replication = replications[place]
        if replication % 2 == 0 and place + 1 < len(replications):
            yield from zip((place, place + 1), draws.gumbel_pair(replication // 2), strict=True)
            place += 2
        else:
            yield place, draws.gumbels(replication)
            place += 1
