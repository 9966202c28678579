"""The tour as a whole: order, claims, and the same answer however it is worked out."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from choicekit.tour import STATIONS, Tour, TourPlan, run_tour

QUICK: dict[str, Any] = {"draws": (100, 1_000, 20_000), "agents": 2_000}


@pytest.fixture(scope="module")
def tour() -> Tour:
    return run_tour(TourPlan(seed=11, **QUICK))


def test_it_stops_at_every_station_in_order_and_all_claims_hold(tour: Tour) -> None:
    assert tuple(station.name for station in tour.stations) == STATIONS
    assert [claim.name for claim in tour.checks if not claim.holds] == []
    assert tour.passed
    assert repr(tour) == f"Tour(11 stations, {len(tour.checks)} of {len(tour.checks)} claims hold)"


def test_claims_are_named_once_and_by_their_station(tour: Tour) -> None:
    names = [claim.name for claim in tour.checks]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() and name == name.lower() for name in names)
    assert {"argmax_softmax_printed", "two_samplings_no_needless_switches"} <= set(names)


def test_every_published_number_is_among_the_claims(tour: Tour) -> None:
    printed = {(station.name, entry.name) for station in tour.stations for entry in station.published}
    assert printed == {
        ("argmax", "softmax"), ("argmax", "maximum"), ("argmax", "inclusive_value"),
        ("inner-product", "boltzmann"), ("inner-product", "rounded_first"),
        ("temperature", "softmax"), ("temperature", "by_value"), ("temperature", "by_maximum"),
        ("ratios", "softmax"),
    }  # fmt: skip
    names = {claim.name for claim in tour.checks}
    assert all(f"{station}_{name}_printed".replace("-", "_") in names for station, name in printed)


def test_stations_are_found_by_name(tour: Tour) -> None:
    assert tour.station("bounds") is tour.stations[3]
    assert "bounds" in tour
    assert "bonds" not in tour
    with pytest.raises(KeyError):
        tour.station("bonds")


def test_another_order_and_other_rows() -> None:
    plan = TourPlan(seed=1, stations=["energy", "argmax"], utilities={"argmax": {"a": 1, "b": 2}})
    tour = run_tour(plan)
    assert [station.name for station in tour.stations] == ["energy", "argmax"]
    assert tour.station("argmax").published == ()
    assert tour.passed


def numbers(tour: Tour) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    for station in tour.stations:
        for item in fields(station):
            value = getattr(station, item.name)
            parts = value if isinstance(value, dict) else {"": value}
            held |= {
                f"{station.name} {item.name} {key}": part.tobytes()
                for key, part in parts.items()
                if isinstance(part, np.ndarray)
            }
    return held


def test_the_same_bytes_for_any_number_of_workers(tour: Tour) -> None:
    again = run_tour(TourPlan(seed=11, **QUICK), workers=3)
    assert numbers(again) == numbers(tour)
    assert len(numbers(tour)) > 60


def test_another_seed_draws_other_numbers(tour: Tour) -> None:
    other = run_tour(TourPlan(seed=12, **QUICK))
    changed = {name for name, held in numbers(other).items() if held != numbers(tour)[name]}
    assert {"convergence counts ", "two-samplings joint ", "gumbel-softmax samples ", "bounds random_lead "} <= changed
    assert not any(name.startswith(("argmax", "temperature", "energy")) for name in changed)
    assert other.passed
