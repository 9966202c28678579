"""Seventh station: samples that are nearly choices and have a gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import Softmax
from choicekit.rules.gumbel_softmax import gumbel_softmax
from choicekit.tour.claims import ROUNDING, Claim, FloatArray, IntArray, Station, law

__all__ = ["RelaxationStation", "visit_relaxation"]

MANY = 4_000  # samples of a mean


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RelaxationStation(Station):
    """A grid of Gumbel-softmax samples, from nearly one-hot to nearly equal.

    Attributes
    ----------
    utility, probabilities : ndarray (J,)
    relaxation_temperatures : ndarray (K,)
    samples : ndarray (K, S, J)
        softmax((u + g) / kappa); sample s has the same Gumbel numbers g at every kappa.
    choices : ndarray (S,)
        The coherent draws of the same addresses.
    n_means : int
        How many samples the means are taken over.
    means : ndarray (K, J)
        Mean samples.
    mean_largest : ndarray (K,)
        Mean of a sample's largest entry; 1 is one-hot.
    """

    name: ClassVar[str] = "gumbel-softmax"
    title: ClassVar[str] = "A choice, softened until it has a gradient"

    utility: FloatArray
    probabilities: FloatArray
    relaxation_temperatures: FloatArray
    samples: FloatArray
    choices: IntArray
    n_means: int
    means: FloatArray
    mean_largest: FloatArray


def visit_relaxation(
    utility: FloatArray, relaxation_temperatures: FloatArray, samples: int, *, seed: int
) -> RelaxationStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.
    relaxation_temperatures : ndarray (K,)
        kappa, above 0.
    samples : int
        How many samples are shown at each.
    seed : int

    Examples
    --------
    >>> station = visit_relaxation(np.array([0.0, 1.0]), np.array([0.01, 10.0]), 4, seed=1)
    >>> station.samples.shape, station.passed
    ((2, 4, 2), True)
    """
    many = max(samples, MANY)
    draws = Draws(
        seed=seed,
        stage=Stage.CHOICE,
        rows=row_words(np.arange(many)),
        alternatives=alternative_words(np.arange(utility.size)),
    )
    rows = np.broadcast_to(utility, (many, utility.size))
    relaxed = np.stack([gumbel_softmax(rows, float(kappa), seed=seed) for kappa in relaxation_temperatures])
    rule = Softmax()
    choices = rule.coherent_choices(rows, draws, range(1))[0]
    largest = relaxed.max(axis=-1)
    return RelaxationStation(
        utility=utility,
        probabilities=rule.probabilities(utility),
        relaxation_temperatures=relaxation_temperatures,
        samples=relaxed[:, :samples],
        choices=choices[:samples],
        n_means=many,
        means=relaxed.mean(axis=1),
        mean_largest=largest.mean(axis=1),
        checks=(
            law("sum", "every sample sums to one", relaxed.sum(axis=-1) - 1),
            Claim(
                name="argmax_is_the_choice",
                title="the largest entry of a sample is the coherent draw of the same address",
                measure=f"others among {relaxed.shape[0] * many:,} samples",
                value=float((np.take_along_axis(relaxed, choices[None, :, None], axis=-1)[..., 0] < largest).sum()),
                limit=0.0,
                relation="<=",
            ),
            Claim(
                name="colder_is_nearer",
                title="the smaller kappa, the nearer each sample is to one-hot",
                measure="largest rise of a sample's largest entry with kappa",
                value=float(np.diff(largest[relaxation_temperatures.argsort()], axis=0).max(initial=0.0)),
                limit=ROUNDING,
                relation="<=",
            ),
        ),
    )
