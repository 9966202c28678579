"""The third station: three surfaces, point by point."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from choicekit.tour.surfaces import visit_surfaces


def test_each_point_is_what_its_function_says() -> None:
    station = visit_surfaces(3.0)
    for i, j in ((0, 0), (0, 40), (7, 31), (20, 20), (33, 2)):
        x = np.array([station.axis[i], station.axis[j]])
        assert station.maximum[i, j] == max(x)
        assert station.inclusive_value[i, j] == pytest.approx(special.logsumexp(x), abs=1e-14)
        assert station.boltzmann[i, j] == pytest.approx(special.softmax(x) @ x, abs=1e-14)


def test_the_surfaces_lie_in_order_and_the_fold_is_on_the_grid() -> None:
    station = visit_surfaces(4.0)
    assert np.all(station.boltzmann <= station.maximum + 1e-15)
    assert np.all(station.maximum <= station.inclusive_value)
    assert station.axis[0] == -4
    assert station.axis[20] == 0
    assert station.inclusive_value[20, 20] == pytest.approx(np.log(2), rel=1e-15)


@pytest.mark.parametrize("extent", [1e-300, 0.1, 30.0, 1000.0])
def test_its_claims_hold_at_any_extent(extent: float) -> None:
    assert visit_surfaces(extent).passed
