"""The sixth station: order, ties, ratios."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from choicekit import softmax
from choicekit.tour.ratios import visit_ratios
from tests.tour.rows import rows

PUBLISHED = np.array([1, 1, 2, 3.4, -0.1, 3, 1.6])


def test_the_published_numbers() -> None:
    station = visit_ratios(PUBLISHED)
    assert [f"{p:.4f}" for p in station.probabilities] == [
        "0.0395", "0.0395", "0.1075", "0.4359", "0.0132", "0.2922", "0.0721",
    ]  # fmt: skip
    assert [entry.name for entry in station.published] == ["softmax"]
    assert station.passed


def test_without_the_best_the_others_are_softmax_among_themselves() -> None:
    station = visit_ratios(PUBLISHED)
    assert station.removed == 3
    assert station.probabilities_without[3] == 0
    np.testing.assert_allclose(
        np.delete(station.probabilities_without, 3), softmax(np.delete(PUBLISHED, 3)), rtol=1e-14
    )
    assert station.growth == pytest.approx(1 / (1 - station.probabilities[3]), rel=1e-12)


@given(rows)
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64]) -> None:
    assert visit_ratios(row).passed
