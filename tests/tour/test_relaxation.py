"""The seventh station: a grid of samples, each beside the choice it relaxes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings

from choicekit import choose, softmax
from choicekit.tour.relaxation import RelaxationStation, visit_relaxation
from tests.tour.rows import rows

ROW = np.array([1, 1, 2, 3.4, -0.1, 3, 1.6])
KAPPAS = np.array([0.01, 0.1, 1.0, 10.0])


@pytest.fixture(scope="module")
def station() -> RelaxationStation:
    return visit_relaxation(ROW, KAPPAS, 4, seed=11)


def test_the_grid_is_four_by_four_and_its_choices_are_those_of_choose(station: RelaxationStation) -> None:
    assert station.samples.shape == (4, 4, 7)
    np.testing.assert_array_equal(station.choices, choose(ROW, seed=11, agents=range(4)))
    np.testing.assert_array_equal(station.samples.argmax(axis=-1), [station.choices] * 4)
    assert station.passed


def test_all_kappas_share_their_noise(station: RelaxationStation) -> None:
    # log-ratios of a sample are differences of u + g over kappa
    noisy = [np.log(sample) * kappa for sample, kappa in zip(station.samples[2:], KAPPAS[2:], strict=True)]
    differences = [row - row[:, :1] for row in noisy]
    np.testing.assert_allclose(differences[0], differences[1], atol=1e-10)


def test_cold_samples_are_nearly_choices_and_warm_ones_nearly_equal(station: RelaxationStation) -> None:
    assert np.all(np.diff(station.mean_largest) < 0)
    assert station.mean_largest[0] > 0.99
    assert station.samples[3].max() < 0.5
    standard_error = np.sqrt(softmax(ROW) * (1 - softmax(ROW)) / station.n_means)
    assert np.all(np.abs(station.means[0] - station.probabilities) < 5 * standard_error)


def test_kappas_may_come_in_any_order(station: RelaxationStation) -> None:
    backwards = visit_relaxation(ROW, KAPPAS[::-1], 4, seed=11)
    np.testing.assert_array_equal(backwards.samples[::-1], station.samples)
    assert backwards.passed


@settings(max_examples=8)
@given(rows)
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64]) -> None:
    assert visit_relaxation(row, KAPPAS, 2, seed=1).passed
