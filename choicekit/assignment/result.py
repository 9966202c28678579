"""What a solver found: a coupling, the potentials behind it, and a certificate of how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.objective import dual_value, primal_value
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.rounding import round_coupling

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AssignmentResult", "SolverHistory", "Status"]

FloatArray = npt.NDArray[np.float64]
Status = Literal["converged", "precision", "stalled", "max_iterations", "not_finite"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SolverHistory:
    """How the errors fell.

    Attributes
    ----------
    iteration : ndarray (k,) of int
        Counted over all phases.
    phase : tuple of str
        What the solver did then: ``"scaling"``, ``"Newton at T = 0.04"``, ...
    row_error, column_error : ndarray (k,)
        L1 over total mass.
    """

    iteration: npt.NDArray[np.int64]
    phase: tuple[str, ...]
    row_error: FloatArray
    column_error: FloatArray

    def to_frame(self) -> pd.DataFrame:
        """Return a row an entry."""
        import pandas as pd

        return pd.DataFrame(
            {
                "iteration": self.iteration,
                "phase": list(self.phase),
                "row_error": self.row_error,
                "column_error": self.column_error,
            }
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentResult:
    """A coupling of rows and columns with its certificate.

    Attributes
    ----------
    coupling : ndarray (n, m)
        Mass of each pair: exp((U + f + g) / T), times both masses under the product reference. Exactly 0 where
        forbidden or without mass.
    row_potential, column_potential : ndarray (n,), (m,)
        f and g, in units of utility: minus the price of a place. Minus infinity where there is no mass; infinity where
        there is `Relaxed` mass but no pair that can be used.
    row_error, column_error : float
        L1 distance of the coupling's sums from what the conditions ask for, over total mass.
    converged : bool
        Whether both errors are at most the tolerance and everything is finite.
    status : {"converged", "precision", "stalled", "max_iterations", "not_finite"}
        ``"precision"`` where floating point cannot do better at this temperature: the gap says what it is worth. Where
        a temperature can hardly be told from 0, the coupling is that of the lowest that can, some 1e-11 of the range of
        utility. ``"stalled"`` where no step helps and rounding is not why.
    method : str
        How it was solved.
    n_iterations : int
    history : SolverHistory
    tolerance : float
    problem : AssignmentProblem
    unique : bool or None
        At T = 0, whether the optimum is known to be the only one; above it always is.
    unusable_pairs : tuple of (int, int)
        Row and column of the pairs that are allowed, between places with mass, and empty in every coupling that meets
        the conditions.
    """

    coupling: FloatArray
    row_potential: FloatArray
    column_potential: FloatArray
    row_error: float
    column_error: float
    converged: bool
    status: Status
    method: str
    n_iterations: int
    history: SolverHistory
    tolerance: float
    problem: AssignmentProblem
    unique: bool | None = True
    unusable_pairs: tuple[tuple[int, int], ...] = ()

    @cached_property
    def row_sums(self) -> FloatArray:
        """Sums of the coupling by row."""
        return np.asarray(self.coupling.sum(axis=1))

    @cached_property
    def column_sums(self) -> FloatArray:
        """Sums of the coupling by column."""
        return np.asarray(self.coupling.sum(axis=0))

    @property
    def row_outside(self) -> FloatArray:
        """Row mass outside the coupling by the condition's leave: singles, or room left; else 0."""
        return self.problem.rows.outside(self.row_sums, self.row_potential, self.problem.temperature)

    @property
    def column_outside(self) -> FloatArray:
        """Column mass outside the coupling by the condition's leave: singles, or room left; else 0."""
        return self.problem.columns.outside(self.column_sums, self.column_potential, self.problem.temperature)

    @cached_property
    def rounded_coupling(self) -> FloatArray:
        """The coupling moved a little, so that it meets its conditions but for rounding."""
        return round_coupling(self.problem, self.coupling)

    @cached_property
    def primal(self) -> float:
        """The objective at the rounded coupling: a lower bound on the optimum."""
        return primal_value(self.problem, self.rounded_coupling)

    @cached_property
    def dual(self) -> float:
        """The dual objective at the potentials: an upper bound on the optimum."""
        held = 0.5 * float(np.sum(self.coupling**2)) if self.problem.sparse else float(self.coupling.sum())
        return dual_value(self.problem, self.row_potential, self.column_potential, held)

    @property
    def gap(self) -> float:
        """Dual less primal: how far the rounded coupling may be from the best, in units of utility times mass."""
        return self.dual - self.primal

    def to_frame(self) -> pd.DataFrame:
        """Return a row a pair: row, column, mass."""
        import pandas as pd

        n, m = self.problem.shape
        rows = np.arange(n) if self.problem.row_names is None else np.array(self.problem.row_names, dtype=object)
        columns = np.arange(m) if self.problem.column_names is None else np.array(self.problem.column_names, object)
        return pd.DataFrame(
            {"row": np.repeat(rows, m), "column": np.tile(columns, n), "mass": self.coupling.reshape(-1)}
        )

    def __repr__(self) -> str:
        n, m = self.problem.shape
        return (
            f"AssignmentResult({n} x {m}, temperature={self.problem.temperature:g}, {self.status} by {self.method} in "
            f"{self.n_iterations} iterations, row_error={self.row_error:.1e}, column_error={self.column_error:.1e})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<code>{escape(repr(self))}</code>"
