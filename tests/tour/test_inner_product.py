"""The second station: 4.4519, why some print 4.46, and laws for any other row."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given

from choicekit.tour.inner_product import visit_inner_product
from tests.tour.rows import rows

PUBLISHED = np.array([1.0, 2, 3, 4, 5])


def test_the_published_numbers() -> None:
    station = visit_inner_product(PUBLISHED)
    assert f"{station.boltzmann:.4f}" == "4.4519"
    assert f"{station.rounded_first:.2f}" == "4.46"
    assert [entry.name for entry in station.published] == ["boltzmann", "rounded_first"]
    assert station.passed


def test_the_inner_product_is_a_sum_of_products() -> None:
    station = visit_inner_product(PUBLISHED)
    weights = [math.exp(u) for u in PUBLISHED]
    by_hand = math.fsum(w * u for w, u in zip(weights, PUBLISHED, strict=True)) / math.fsum(weights)
    assert station.boltzmann == pytest.approx(by_hand, rel=1e-14)
    assert math.fsum(station.products) == pytest.approx(by_hand, rel=1e-14)
    assert station.entropy == pytest.approx(-math.fsum(p * math.log(p) for p in station.probabilities), rel=1e-13)


@given(rows)
def test_its_claims_hold_for_any_row(row: npt.NDArray[np.float64]) -> None:
    assert visit_inner_product(row).passed
