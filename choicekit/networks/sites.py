"""What preferences are worth at each site: the value of its coupling, with gradient and curvature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.networks.ensembles import Ensemble, couple, neutral_coupling
from choicekit.networks.network import InteractionNetwork, aligned

__all__ = ["MassSource", "Site", "sites_of", "within"]

FloatArray = npt.NDArray[np.float64]
MassSource = Literal["observed", "abundance"]

_EXACT = 1e-11


@dataclass(frozen=True, kw_only=True, eq=False)
class Site:
    """Counts of a site, and the shares of its species.

    Attributes
    ----------
    name : str
    counts : ndarray (n, m)
    row_mass, column_mass : ndarray (n,), (m,)
        Shares, each with sum 1.
    ensemble : Ensemble
    """

    name: str
    counts: FloatArray
    row_mass: FloatArray
    column_mass: FloatArray
    ensemble: Ensemble

    @property
    def visits(self) -> float:
        """Sum of counts."""
        return float(self.counts.sum())

    @property
    def neutral(self) -> FloatArray:
        """The coupling without preferences."""
        return neutral_coupling(self.row_mass, self.column_mass, self.ensemble)

    def coupling(self, preferences: FloatArray) -> FloatArray:
        """Return the coupling under some preferences, in units of temperature."""
        return self.solved(preferences)[1]

    def solved(self, preferences: FloatArray) -> tuple[float, FloatArray]:
        """Return the optimal value W, up to a constant, and the coupling.

        Raises
        ------
        ConvergenceError
        """
        from scipy.special import logsumexp

        rows, columns = self.row_mass, self.column_mass
        if self.ensemble == "both":
            try:
                found = couple(preferences, rows, columns, ensemble="both", tolerance=_EXACT)
            except ConvergenceError as error:
                found = error.result  # type: ignore[assignment]  # rounding may stop it just short
                if found.status != "precision":
                    raise
            held = rows > 0, columns > 0
            value = -rows[held[0]] @ found.row_potential[held[0]] - columns[held[1]] @ found.column_potential[held[1]]
            return float(value), found.coupling
        axis = {"rows": 1, "columns": 0, "none": None}[self.ensemble]
        log_sums = logsumexp(preferences, axis=axis, keepdims=True)
        mass = {"rows": rows[:, None], "columns": columns[None, :], "none": np.ones((1, 1))}[self.ensemble]
        return float((mass * log_sums).sum()), np.asarray(mass * np.exp(preferences - log_sums))


def sites_of(
    networks: Sequence[InteractionNetwork], ensemble: Ensemble, masses: tuple[MassSource, MassSource]
) -> tuple[Site, ...]:
    """Return the sites of some networks over the species of all."""
    found = []
    for place, network in enumerate(aligned(networks)):
        for source in masses:
            if source not in ("observed", "abundance"):
                raise InvalidInputError(f"masses must be 'observed' or 'abundance', found {source!r}")
        found.append(
            Site(
                name=network.name or f"site {place + 1}",
                counts=network.counts,
                row_mass=network.masses("row", masses[0]),
                column_mass=network.masses("column", masses[1]),
                ensemble=ensemble,
            )
        )
    return tuple(found)


def within(basis: FloatArray, coupling: FloatArray, ensemble: Ensemble) -> FloatArray:
    """Return basis functions less what potentials answer to them: how log Q changes with each coefficient.

    Parameters
    ----------
    basis : ndarray (K, n, m)
    coupling : ndarray (n, m)
    ensemble : Ensemble

    Notes
    -----
    The residuals of a regression, weighted by Q, on what the ensemble leaves free: constants by row, by column, both.
    """
    rows, columns = coupling.sum(axis=1), coupling.sum(axis=0)
    by_row = np.einsum("knm,nm->kn", basis, coupling)
    by_column = np.einsum("knm,nm->km", basis, coupling)
    if ensemble == "none":
        return np.asarray(basis - by_row.sum(axis=1)[:, None, None] / coupling.sum())
    if ensemble == "rows":
        return np.asarray(basis - _over(by_row, rows)[:, :, None])
    if ensemble == "columns":
        return np.asarray(basis - _over(by_column, columns)[:, None, :])
    # Q_i. x_i + Q_ij y_j = by_row and the like by column: columns eliminated, a constant left free
    shares = _over(coupling, columns[None, :])
    system = np.diag(np.where(rows > 0, rows, 1.0)) - shares @ coupling.T
    right = by_row - _over(by_column, columns) @ coupling.T
    of_rows = np.linalg.lstsq(system, right.T, rcond=1e-12)[0].T
    of_columns = _over(by_column - of_rows @ coupling, columns)
    return np.asarray(basis - of_rows[:, :, None] - of_columns[:, None, :])


def _over(values: FloatArray, masses: FloatArray) -> FloatArray:
    return np.divide(values, masses, out=np.zeros(np.broadcast_shapes(values.shape, masses.shape)), where=masses > 0)
