"""How finely expectations over random coefficients are taken."""

from __future__ import annotations

from dataclasses import dataclass

from choicekit.choice.heterogeneity.quasi_random import QuasiRandomNodes
from choicekit.errors import InvalidInputError

__all__ = ["Integration"]

MOST_NODES = 2**20  # the work grows with them, and the error is by then far below any that matters


@dataclass(frozen=True)
class Integration:
    """How many quasi-random points an expectation over random coefficients is taken at.

    Parameters
    ----------
    points : int
        Sobol points of each shift, a power of two.
    shifts : int
        Independent digital shifts of the points, at least 8: they tell the error.

    Raises
    ------
    InvalidInputError
        For other numbers, and where points times shifts are more than 2^20.

    Notes
    -----
    The utilities and probabilities of every agent are worked out at points times shifts sets of coefficients (in every
    class that has random ones): the work of so many simulations. A smooth integral's error falls nearly as 1 / points.

    Examples
    --------
    >>> Integration(points=128).nodes
    1024
    """

    points: int = 64
    shifts: int = 8

    def __post_init__(self) -> None:
        for name in ("points", "shifts"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise InvalidInputError(f"{name} must be a whole number, found {value!r}")
        if self.nodes > MOST_NODES and min(self.points, self.shifts) > 0:
            raise InvalidInputError(
                f"points times shifts must be at most {MOST_NODES:,}, found {self.points:,} x {self.shifts:,}: the "
                "error falls nearly as 1 / points, so a few hundred points are plenty"
            )
        QuasiRandomNodes(
            seed=0, names=("any",), n_points=self.points, n_shifts=self.shifts
        )  # refuses what it cannot do

    @property
    def nodes(self) -> int:
        """Sets of coefficients that each agent is looked at with."""
        return self.points * self.shifts
