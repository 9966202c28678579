"""Climbing to the preferences that describe counts best: Newton's method for a basis, L-BFGS for a free table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.errors import IdentificationError
from choicekit.networks.sites import Site, within

__all__ = ["Learnt", "learn_free", "learn_linear"]

FloatArray = npt.NDArray[np.float64]

_STEPS = 60
_HALVINGS = 40
_LONGEST = 3.0  # change of log Q in one step
_FLAT = 1e-9  # gradient for each visit, relative to the standard deviation of a score
_SETTLED = 1e-6  # step, relative to preferences, where the gradient vanishes
_FAR = 30.0  # preferences beyond which no finite ones are best
_FREE_TOLERANCE = 1e-6  # gradient of a free table for each visit


@dataclass(frozen=True, kw_only=True, eq=False)
class Learnt:
    """Where the climb ended.

    Attributes
    ----------
    preferences : ndarray (n, m)
        Not centred.
    coefficients, standard_errors : ndarray (K,)
    status : {"converged", "max_iterations", "no_maximum"}
    n_iterations : int
    gradient : float
        Largest entry for each visit, with the penalty.
    """

    preferences: FloatArray
    coefficients: FloatArray
    standard_errors: FloatArray
    status: str
    n_iterations: int
    gradient: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """The penalised criterion for each visit at some coefficients, its gradient, and minus its second derivatives."""

    coefficients: FloatArray
    value: float
    gradient: FloatArray
    information: FloatArray
    designs: tuple[tuple[Site, FloatArray], ...]
    ridge: float

    @property
    def curvature(self) -> FloatArray:
        return np.asarray(self.information + self.ridge * np.eye(self.gradient.size))

    @property
    def flatness(self) -> float:
        """The largest entry of the gradient, over the standard deviation of a score."""
        sizes = np.sqrt(np.maximum(np.diag(self.information), 1e-12))
        return float(np.max(np.abs(self.gradient) / sizes))

    def reach(self, coefficients: FloatArray) -> float:
        """Return the largest change of log Q that some coefficients bring at a pair that can be visited."""
        changes = (
            np.abs(np.tensordot(coefficients, design, axes=1))[np.outer(site.row_mass, site.column_mass) > 0]
            for site, design in self.designs
        )
        return max(float(change.max()) for change in changes)


def learn_linear(
    sites: Sequence[Site], basis: FloatArray, penalty: float, names: tuple[str, ...], max_iterations: int
) -> Learnt:
    """Return the coefficients of a basis by Newton's method, steps halved until the criterion grows.

    Parameters
    ----------
    sites : sequence of Site
    basis : ndarray (K, n, m)
    penalty : float
    names : tuple of str
        For messages.
    max_iterations : int

    Raises
    ------
    IdentificationError
    """
    ridge = penalty / sum(site.visits for site in sites)
    here, iteration, status = _evaluate(sites, basis, np.zeros(len(basis)), ridge), 0, ""
    _check_identified(here.information, basis, names)
    while not status:
        step = np.asarray(np.linalg.lstsq(here.curvature, here.gradient, rcond=1e-13)[0])
        length, reach = here.reach(step), here.reach(here.coefficients)
        if here.flatness <= _FLAT and length <= _SETTLED * (1.0 + reach):
            status = "converged"
        elif ridge == 0 and reach > _FAR:
            status = "no_maximum"
        elif iteration >= min(max_iterations, _STEPS):
            status = "max_iterations"
        else:
            found = _search(sites, basis, here, step * min(1.0, _LONGEST / max(length, _LONGEST)))
            if found is None:  # rounding says nothing more
                status = "converged" if here.flatness <= 100 * _FLAT else "max_iterations"
            else:
                here, iteration = found, iteration + 1
    return Learnt(
        preferences=np.tensordot(here.coefficients, basis, axes=1),
        coefficients=here.coefficients,
        standard_errors=_standard_errors(here),
        status=status,
        n_iterations=iteration,
        gradient=float(np.abs(here.gradient).max()),
    )


def _evaluate(sites: Sequence[Site], basis: FloatArray, coefficients: FloatArray, ridge: float) -> _Point:
    preferences = np.tensordot(coefficients, basis, axes=1)
    total = sum(site.visits for site in sites)
    value, gradient, information = 0.0, np.zeros(len(basis)), np.zeros((len(basis), len(basis)))
    designs = []
    for site in sites:
        worth, coupling = site.solved(preferences)
        design = within(basis, coupling, site.ensemble)
        value += float((site.counts * preferences).sum()) - site.visits * worth
        gradient += np.tensordot(basis, site.counts - site.visits * coupling, axes=2)
        information += site.visits * np.einsum("knm,lnm,nm->kl", design, design, coupling)
        designs.append((site, design))
    return _Point(
        coefficients=coefficients,
        value=value / total - ridge / 2 * float(coefficients @ coefficients),
        gradient=gradient / total - ridge * coefficients,
        information=information / total,
        designs=tuple(designs),
        ridge=ridge,
    )


def _search(sites: Sequence[Site], basis: FloatArray, here: _Point, step: FloatArray) -> _Point | None:
    slope = float(here.gradient @ step)
    for _ in range(_HALVINGS):
        found = _evaluate(sites, basis, here.coefficients + step, here.ridge)
        if found.value - here.value >= 1e-4 * slope - 1e-13 * (1.0 + abs(here.value)):
            return found
        step, slope = step / 2, slope / 2
    return None


def _check_identified(information: FloatArray, basis: FloatArray, names: tuple[str, ...]) -> None:
    sizes = np.sqrt(np.maximum((basis**2).mean(axis=(1, 2)), np.finfo(float).tiny))
    values, vectors = np.linalg.eigh(information / np.outer(sizes, sizes))
    if values[0] > 1e-10 * max(float(values[-1]), 1e-6):
        return
    weights = vectors[:, 0] / sizes
    parts = [
        f"{weight / np.abs(weights).max():+.3g} {name}"
        for weight, name in zip(weights, names, strict=True)
        if abs(weight) > 1e-6 * np.abs(weights).max()
    ]
    raise IdentificationError(
        f"counts cannot tell {' '.join(parts)} from 0: it is constant by row or column, as far as the ensemble "
        "leaves these free, or nearly so; leave a table out, or combine tables"
    )


def _standard_errors(here: _Point) -> FloatArray:
    """Return the square roots of the diagonal of A^-1 B A^-1 / N, visits being independent."""
    middle = np.zeros_like(here.information)
    total = sum(site.visits for site, _ in here.designs)
    for site, design in here.designs:
        shares = site.counts / site.visits
        mean = np.tensordot(design, shares, axes=2)
        spread = np.einsum("knm,lnm,nm->kl", design, design, shares) - np.outer(mean, mean)
        middle += site.visits / total * spread
    bread = np.linalg.pinv(here.curvature, hermitian=True)
    return np.asarray(np.sqrt(np.maximum(np.diag(bread @ middle @ bread) / total, 0.0)))


def learn_free(sites: Sequence[Site], penalty: float, max_iterations: int) -> Learnt:
    """Return a free table of preferences by L-BFGS.

    Parameters
    ----------
    sites : sequence of Site
    penalty : float
        Above 0.
    max_iterations : int
    """
    from scipy.optimize import minimize

    shape, total = sites[0].counts.shape, sum(site.visits for site in sites)
    seen = np.sum([site.counts for site in sites], axis=0)

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        preferences = flat.reshape(shape)
        value = float((seen * preferences).sum()) - penalty / 2 * float((preferences**2).sum())
        gradient = seen - penalty * preferences
        for site in sites:
            worth, coupling = site.solved(preferences)
            value -= site.visits * worth
            gradient = gradient - site.visits * coupling
        return -value / total, -gradient.reshape(-1) / total

    settings = {"maxiter": max_iterations, "maxfun": 2 * max_iterations, "maxcor": 20, "ftol": 0.0}
    found = minimize(  # type: ignore[call-overload]  # the stubs want every setting spelt out
        loss,
        np.zeros(shape[0] * shape[1]),
        jac=True,
        method="L-BFGS-B",
        options={**settings, "gtol": _FREE_TOLERANCE / 10},
    )
    gradient = float(np.abs(found.jac).max())
    return Learnt(
        preferences=found.x.reshape(shape),
        coefficients=np.zeros(0),
        standard_errors=np.zeros(0),
        status="converged" if gradient <= _FREE_TOLERANCE else "max_iterations",
        n_iterations=int(found.nit),
        gradient=gradient,
    )
