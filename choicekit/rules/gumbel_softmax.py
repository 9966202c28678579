"""Gumbel-softmax: relaxed samples of softmax, and gradients through them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.errors import ShapeError
from choicekit.random import Identifiers
from choicekit.rules.addressing import AddressedUtility, addressed_utility, check_replications, gumbel_numbers
from choicekit.rules.protocol import FloatArray
from choicekit.rules.softmax import Softmax
from choicekit.rules.tempered import scaled_utility
from choicekit.rules.utilities import check_temperature, hard_jacobian_product

__all__ = ["gumbel_softmax", "gumbel_softmax_vjp"]


def gumbel_softmax(
    utility: npt.ArrayLike,
    relaxation_temperature: float | npt.ArrayLike,
    *,
    temperature: float | npt.ArrayLike = 1.0,
    seed: int,
    agents: Identifiers | None = None,
    alternatives: Identifiers | None = None,
    situations: Identifiers | None = None,
    availability: npt.ArrayLike | None = None,
    replications: int = 1,
) -> FloatArray:
    """Draw a point of the simplex for each agent, near a corner, whose largest entry is the agent's choice.

    Parameters
    ----------
    utility : array_like (J,) or (N, J)
        Systematic utility; one row for all agents, or one an agent. Minus infinity means unavailable.
    relaxation_temperature : float or array_like (N,)
        kappa >= 0, without a unit. Small ones give nearly one-hot vectors, 0 the one-hot choice itself, large ones the
        uniform distribution.
    temperature : float or array_like (N,)
        T >= 0 in units of utility, that of the softmax that is sampled.
    seed : int
        In [0, 2^64).
    agents : array_like (N,), optional
        Identifiers (integers, text, UUIDs) that address the draws; default 0..N-1.
    alternatives : array_like (J,), optional
        Names that address the draws; default 0..J-1.
    situations : array_like (N,), optional
        Identifiers of the choice situations of an agent who chooses more than once.
    availability : array_like of bool (J,) or (N, J), optional
        True = available.
    replications : int
        Number R of independent repetitions, at least 1.

    Returns
    -------
    ndarray
        (N, J) for one replication, else (R, N, J). Rows sum to one, exactly 0 where unavailable.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        For arguments that break the above; the message names agent and alternative.

    Notes
    -----
    The sample is softmax(((u - max u) / T + g) / kappa) with the Gumbel numbers g of the same address that
    `choicekit.choose` adds, so its argmax is the coherent choice, at any kappa small enough for doubles to tell its
    entries apart. At T = 0 it is the limit: a softmax of g / kappa over the tied maxima, and one-hot where there is but
    one. Only as kappa falls to 0 does its mean become the choice probabilities.

    References
    ----------
    Jang, Gu & Poole (2017), "Categorical reparameterization with Gumbel-softmax", ICLR, equation 2. Maddison, Mnih &
    Teh (2017), "The concrete distribution", ICLR, section 3.

    Examples
    --------
    >>> gumbel_softmax([0.0, 1.0, 2.0], 0.5, seed=1, agents=["ann", "bo"]).round(3)
    array([[0.014, 0.909, 0.077],
           [0.064, 0.112, 0.823]])
    >>> gumbel_softmax([0.0, 1.0, 2.0], 0.0, seed=1, agents=["ann", "bo"])
    array([[0., 1., 0.],
           [0., 0., 1.]])
    """
    table = addressed_utility(
        utility, seed=seed, agents=agents, alternatives=alternatives, situations=situations, availability=availability
    )
    relaxed, scaled = _relaxed(relaxation_temperature), _scaled(table, temperature)
    n_samples = check_replications(replications)
    samples = np.empty((n_samples, *scaled.shape))
    for sample, gumbels in zip(samples, gumbel_numbers(table.draws(), n_samples), strict=True):
        sample[:] = relaxed.probabilities(np.add(gumbels, scaled, out=gumbels))
    return samples[0] if n_samples == 1 else samples


def gumbel_softmax_vjp(
    utility: npt.ArrayLike,
    cotangent: npt.ArrayLike,
    relaxation_temperature: float | npt.ArrayLike,
    *,
    temperature: float | npt.ArrayLike = 1.0,
    seed: int,
    agents: Identifiers | None = None,
    alternatives: Identifiers | None = None,
    situations: Identifiers | None = None,
    availability: npt.ArrayLike | None = None,
    replications: int = 1,
) -> FloatArray:
    """Return the gradient of <cotangent, sample> with respect to utilities, with the draws of `gumbel_softmax` held.

    Parameters
    ----------
    utility, relaxation_temperature, temperature, seed, agents, alternatives, situations, availability, replications
        As `gumbel_softmax`.
    cotangent : array_like (J,), (N, J) or (R, N, J)
        Gradient of a loss with respect to the samples; broadcasts with them.

    Returns
    -------
    ndarray (J,) or (N, J)
        Of the shape of the utilities, broadcast with the availability: summed over replications, and over agents where
        one row serves them all. Sums to zero over alternatives; exactly 0 where unavailable.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        As `gumbel_softmax`, and for a cotangent that does not fit or is not finite where available.

    Notes
    -----
    The reparametrised path: with y the sample and c the cotangent, y * (c - <c, y>) / (kappa T). Averaged over draws it
    is the gradient of the mean loss, unbiased for the relaxed problem. At kappa = 0 or T = 0 samples do not move with
    small changes of utility, so it is 0, and nan at ties.

    Examples
    --------
    >>> gumbel_softmax_vjp([0.0, 1.0, 2.0], [1.0, 0.0, 0.0], 0.5, seed=1, agents=["ann", "bo"]).round(3)
    array([ 0.148, -0.04 , -0.108])
    """
    table = addressed_utility(
        utility, seed=seed, agents=agents, alternatives=alternatives, situations=situations, availability=availability
    )
    relaxed, scaled = _relaxed(relaxation_temperature), _scaled(table, temperature)
    n_samples = check_replications(replications)
    shape = (n_samples, *scaled.shape)
    try:
        weights = np.broadcast_to(np.asarray(cotangent, dtype=np.float64), shape)
    except ValueError as error:
        raise ShapeError(
            f"cotangent must broadcast with the samples of shape {shape if n_samples > 1 else shape[1:]}, "
            f"found shape {np.shape(cotangent)}"
        ) from error
    gradient = np.zeros(scaled.shape)
    for weight, gumbels in zip(weights, gumbel_numbers(table.draws(), n_samples), strict=True):
        gradient += relaxed.jacobian_product(np.add(gumbels, scaled, out=gumbels), weight)
    slope = _divided(gradient, table.utility, check_temperature(temperature))
    one_row_for_all = np.ndim(utility) == 1 and np.ndim(availability) < 2  # type: ignore[arg-type]
    return slope.sum(axis=0) if one_row_for_all else slope


def _relaxed(relaxation_temperature: float | npt.ArrayLike) -> Softmax:
    return Softmax(check_temperature(relaxation_temperature, "relaxation_temperature"))


def _scaled(table: AddressedUtility, temperature: float | npt.ArrayLike) -> FloatArray:
    return scaled_utility(table.utility, Softmax(check_temperature(temperature))._fitted_temperature(table.utility))


def _divided(gradient: FloatArray, utility: FloatArray, temperature: float | FloatArray) -> FloatArray:
    """Gradient over T; at T = 0 that of the hard maximum, 0 and nan at ties."""
    by_row = np.asarray(temperature)[..., None]
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        return np.where(by_row > 0, gradient / by_row, hard_jacobian_product(utility))
