"""The first station: the published row, and laws for any other."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from choicekit.tour.argmax import visit_argmax
from tests.tour.rows import rows

PUBLISHED = np.array([0.0, 1, -4, 2, 7])


def test_the_published_numbers() -> None:
    station = visit_argmax(PUBLISHED)
    assert [f"{p:.8f}" for p in station.probabilities] == [
        "0.00090272", "0.00245386", "0.00001653", "0.00667028", "0.98995661",
    ]  # fmt: skip
    assert station.maximum == 7
    assert station.inclusive_value == pytest.approx(7.01009416490667, abs=5e-15)
    assert station.best == 4
    assert [entry.name for entry in station.published] == ["softmax", "maximum", "inclusive_value"]
    assert station.passed


def test_the_exponentials_are_those_that_softmax_normalises() -> None:
    station = visit_argmax(PUBLISHED)
    np.testing.assert_allclose(station.exponentials, [math.exp(u - 7) for u in PUBLISHED], rtol=1e-15)
    np.testing.assert_allclose(station.exponentials / station.exponentials.sum(), station.probabilities, rtol=1e-14)


def test_ties_share_the_argmax() -> None:
    station = visit_argmax(np.array([3.0, 1.0, 3.0]))
    np.testing.assert_array_equal(station.one_hot, [0.5, 0, 0.5])
    assert station.best == 0


@given(rows)
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64]) -> None:
    station = visit_argmax(row)
    assert station.passed
    assert station.published == ()
