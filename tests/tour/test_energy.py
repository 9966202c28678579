"""The last station: same probabilities, other energies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.tour.energy import visit_energy
from tests.tour.rows import rows


def test_two_situations_that_probabilities_cannot_tell_apart() -> None:
    station = visit_energy(np.array([1.0, 2, 3, 5, 5]), 10.0)
    np.testing.assert_allclose(station.probabilities[0], station.probabilities[1], atol=1e-15)
    value = np.log(np.exp([1.0, 2, 3, 5, 5]).sum())
    np.testing.assert_allclose(station.energy, [-value, -value - 10], rtol=1e-15)
    np.testing.assert_array_equal(station.utility[1], [11, 12, 13, 15, 15])
    assert station.passed


def test_along_the_path_the_energy_moves_and_the_probabilities_do_not() -> None:
    station = visit_energy(np.array([1.0, 2, 3]), -4.0)
    np.testing.assert_allclose(np.diff(station.energies), -0.2, rtol=1e-12)
    assert np.ptp(station.largest_probability) < 1e-14
    assert station.energies[0] == pytest.approx(station.energy[1])
    assert station.energies[20] == pytest.approx(station.energy[0])


@given(rows, st.sampled_from([-500.0, -1.0, 1e-3, 10.0, 1000.0]))
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64], shift: float) -> None:
    assert visit_energy(row, shift).passed
