"""Couplings of maximal entropy in four ensembles, and how well one describes what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from choicekit.assignment import AssignmentResult, Fixed, Free, solve_assignment
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.networks.checking import checked_counts, checked_masses
from choicekit.rules.utilities import as_floats

__all__ = ["ENSEMBLES", "CouplingFit", "Ensemble", "centred", "couple", "coupling_fit", "neutral_coupling"]

FloatArray = npt.NDArray[np.float64]

_DIGITS = 10  # couplings are solved to
Ensemble = Literal["both", "rows", "columns", "none"]

ENSEMBLES = {
    "both": "shares of both sides are fixed",
    "rows": "shares of rows are fixed",
    "columns": "shares of columns are fixed",
    "none": "only the total is fixed",
}
"""Ensembles by name."""


def couple(
    preferences: npt.ArrayLike,
    row_mass: npt.ArrayLike,
    column_mass: npt.ArrayLike,
    *,
    ensemble: Ensemble = "both",
    temperature: float = 1.0,
    tolerance: float = 1e-10,
) -> AssignmentResult:
    """Return the coupling Q of total 1 that maximises <M, Q> + T H(Q) in an ensemble.

    Parameters
    ----------
    preferences : array_like (n, m)
        M; minus infinity forbids a pair.
    row_mass, column_mass : array_like (n,), (m,)
        Abundances or observed sums, in any units; those the ensemble does not fix only say how many species there are.
    ensemble : {"both", "rows", "columns", "none"}
    temperature : float
        T >= 0; networks papers write lambda = 1 / T.
    tolerance : float

    Returns
    -------
    AssignmentResult

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError, ConvergenceError
        Above all where a side that the ensemble fixes has no mass at all.

    References
    ----------
    Stock, Poisot & De Baets (2021), "Optimal transportation theory for species interaction networks", Ecology and
    Evolution 11.

    Examples
    --------
    >>> couple([[1.0, 0.0], [0.0, 1.0]], [1, 1], [3, 1], ensemble="rows").coupling.sum(axis=1)
    array([0.5, 0.5])
    """
    check_ensemble(ensemble)
    utility = np.asarray(as_floats(preferences, "preferences"))
    if utility.ndim != 2:
        raise ShapeError(f"preferences must be a table, rows by columns, found shape {utility.shape}")
    sides = []
    for name, masses, size, fixed in zip(
        ("row_mass", "column_mass"), (row_mass, column_mass), utility.shape, _fixes(ensemble), strict=True
    ):
        found = checked_masses(masses, name, size) if fixed else None
        sides.append(Free() if found is None else Fixed(found / found.sum()))
    return solve_assignment(
        utility,
        sides[0],
        sides[1],
        temperature=temperature,
        total_mass=1.0 if ensemble == "none" else None,
        scale_masses=ensemble == "both",
        tolerance=tolerance,
    )


def check_ensemble(ensemble: str) -> None:
    """Refuse anything but the four ensembles."""
    if ensemble not in get_args(Ensemble):
        raise InvalidInputError(f"ensemble must be one of {', '.join(get_args(Ensemble))}, found {ensemble!r}")


def _fixes(ensemble: str) -> tuple[bool, bool]:
    return ensemble in ("both", "rows"), ensemble in ("both", "columns")


def neutral_coupling(row_mass: npt.ArrayLike, column_mass: npt.ArrayLike, ensemble: Ensemble = "both") -> FloatArray:
    """Return the coupling without preferences: a b' where both sides are fixed, even where one is not.

    Examples
    --------
    >>> neutral_coupling([1, 1], [3, 1])
    array([[0.375, 0.125],
           [0.375, 0.125]])
    """
    check_ensemble(ensemble)
    rows, columns = np.asarray(row_mass, dtype=float), np.asarray(column_mass, dtype=float)
    fixes = _fixes(ensemble)
    a = checked_masses(rows, "row_mass", rows.size) if fixes[0] else np.ones(rows.size)
    b = checked_masses(columns, "column_mass", columns.size) if fixes[1] else np.ones(columns.size)
    return np.outer(a / a.sum(), b / b.sum())


def centred(preferences: FloatArray, ensemble: Ensemble = "both") -> FloatArray:
    """Return preferences less what an ensemble cannot tell: constants by row, by column, by both, or one for all.

    With both sides fixed rows and columns average 0; with rows fixed each row does; and so on.

    Examples
    --------
    >>> centred(np.array([[3.0, 1.0], [1.0, 1.0]]))
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    fixes = _fixes(ensemble)
    found = preferences - preferences.mean()
    if fixes[0]:
        found = found - found.mean(axis=1, keepdims=True)
    if fixes[1]:
        found = found - found.mean(axis=0, keepdims=True)
    return np.asarray(found)


@dataclass(frozen=True, kw_only=True)
class CouplingFit:
    """How well a coupling describes counts.

    Attributes
    ----------
    kl_divergence : float
        KL(P || Q) = sum P log(P / Q), nats for each visit, with P the observed shares; inf where Q rules out a visit.
    log_likelihood : float
        sum c log Q, without the multinomial coefficient.
    auc : float
        Probability that a pair that interacts has a larger Q than one that does not, ties counted half; nan where all
        or no pairs do.
    visits : float
    """

    kl_divergence: float
    log_likelihood: float
    auc: float
    visits: float


def coupling_fit(counts: npt.ArrayLike, coupling: npt.ArrayLike) -> CouplingFit:
    """Say how well a coupling describes counts, those it was fitted to or others.

    Parameters
    ----------
    counts, coupling : array_like (n, m)
        The coupling may have any total.

    Examples
    --------
    >>> round(coupling_fit([[1, 0], [0, 1]], [[0.25, 0.25], [0.25, 0.25]]).kl_divergence, 6)
    0.693147
    """
    table, law = checked_counts(counts), np.asarray(as_floats(coupling, "coupling"))
    if law.shape != table.shape:
        raise ShapeError(f"a coupling must have the shape of the counts, {table.shape}, found {law.shape}")
    seen, total = table > 0, table.sum()
    with np.errstate(divide="ignore"):
        logs = np.log(law[seen] / law.sum())
    likelihood = float(table[seen] @ logs)
    shares = table[seen] / total
    return CouplingFit(
        kl_divergence=float(shares @ np.log(shares)) - likelihood / float(total),
        log_likelihood=likelihood,
        auc=_auc(law.reshape(-1), seen.reshape(-1)),
        visits=float(total),
    )


def _auc(scores: FloatArray, positive: npt.NDArray[np.bool_]) -> float:
    from scipy.stats import rankdata

    n, others = int(positive.sum()), int((~positive).sum())
    if n == 0 or others == 0:
        return float("nan")
    mantissa, exponent = np.frexp(scores)
    alike = np.ldexp(np.round(mantissa, _DIGITS), exponent)  # rounding of products must not break ties
    return float((rankdata(alike)[positive].sum() - n * (n + 1) / 2) / (n * others))
