"""What the rest of the kit asks of a choice rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from choicekit.random import Draws

__all__ = ["ChoiceRule"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
UIntArray = npt.NDArray[np.uint64]
Names = Sequence[object] | None
"""Names of the alternatives, for rules whose settings are by name; None where those are by position, or not at all."""


@runtime_checkable
class ChoiceRule(Protocol):
    """A regularised maximum: what the rest of the kit asks of a rule.

    Shapes: utilities are (..., J) with alternatives on the last axis; leading axes broadcast.
    """

    @property
    def supports_coherent(self) -> bool:
        """Whether the rule has an additive-noise law, so that coherent draws exist."""
        ...

    def value(
        self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None, *, alternatives: Names = None
    ) -> FloatArray:
        """Return the soft maximum of each row, shape (...)."""
        ...

    def probabilities(
        self, utility: npt.ArrayLike, availability: npt.ArrayLike | None = None, *, alternatives: Names = None
    ) -> FloatArray:
        """Return the choice probabilities, the gradient of the value, shape (..., J)."""
        ...

    def jacobian_product(
        self,
        utility: npt.ArrayLike,
        direction: npt.ArrayLike,
        availability: npt.ArrayLike | None = None,
        *,
        alternatives: Names = None,
    ) -> FloatArray:
        """Return the change of the probabilities per unit step of utilities in a direction, shape (..., J)."""
        ...

    def jacobian_sum(
        self,
        utility: npt.ArrayLike,
        weights: npt.ArrayLike,
        availability: npt.ArrayLike | None = None,
        *,
        alternatives: Names = None,
    ) -> FloatArray:
        """Return the weighted sum over rows of the Jacobian of the probabilities, shape (J, J)."""
        ...

    def conjugate(self, probabilities: npt.ArrayLike, *, alternatives: Names = None) -> FloatArray:
        """Return T * Omega(q) of each row, shape (...)."""
        ...

    def max_gap(self, n: int) -> FloatArray:
        """Return the sharp upper bound on value - max over n alternatives."""
        ...

    def fenchel_young_loss(
        self, utility: npt.ArrayLike, target: npt.ArrayLike, *, alternatives: Names = None
    ) -> FloatArray:
        """Return value + conjugate - <u, y> of each row, shape (...)."""
        ...

    def coherent_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the choice of each row by perturbed utilities, shape (R, n)."""
        ...

    def fast_choices(self, utility: FloatArray, draws: Draws, replications: range) -> IntArray:
        """Return the choice of each row by its inverted distribution, shape (R, n)."""
        ...

    def for_alternatives(self, alternatives: Sequence[object]) -> ChoiceRule:
        """Return the rule with settings by position instead of by name; itself unless it has any by name."""
        ...

    def among(self, alternatives: Sequence[object]) -> ChoiceRule:
        """Return the rule without settings for other alternatives than these; itself unless it has any by name."""
        ...

    @property
    def n_rows(self) -> int | None:
        """Number of rows the rule has settings for; None where the same hold for any row."""
        ...

    def for_rows(self, rows: slice | IntArray) -> ChoiceRule:
        """Return the rule as it holds for some rows of a table; itself unless it has settings that differ by row."""
        ...
