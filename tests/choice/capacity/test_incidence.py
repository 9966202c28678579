"""Who bears prices: sums against plain simulation, groups add up, nothing where there is room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choicekit import LatentClass, Softmax, price_capacities, simulate_choices
from choicekit.choice.capacity.incidence import price_incidence
from choicekit.choice.segments import segment_by_edges
from tests.choice.capacity.test_prices import NAMES, crowd, expected_demand, model


@pytest.mark.parametrize("weighted", [False, True])
def test_losses_are_changes_of_inclusive_values_and_payments_the_revenue(weighted: bool) -> None:
    people, kind = crowd(200, weighted=weighted), model()
    found = price_capacities(kind, people, {"train": 40.0, "car": 35.0})
    burden = price_incidence(found)
    assert burden.weight[0] * (found.unpriced_inclusive_value - found.inclusive_value) == pytest.approx(burden.loss[0])
    assert burden.paid[0] == pytest.approx(found.revenue, rel=1e-9)
    assert burden.loss[0] > burden.paid[0] > 0
    before = expected_demand(kind, people, np.zeros(4))
    # some move from one full alternative to the other, which sums over all do not show
    assert burden.displaced[0] > np.maximum(before - found.demand, 0).sum()
    alone = price_capacities(kind, people, {"train": 40.0})
    assert price_incidence(alone).displaced[0] == pytest.approx(before[2] - 40.0, rel=1e-9)


def test_groups_add_up_to_everybody() -> None:
    people = crowd(150)
    segment = segment_by_edges("wealth", people.columns["rich"], [0.3, 0.7])
    burden = price_incidence(price_capacities(model(), people, {"train": 20.0}), segments=[segment])
    for each in (burden.weight, burden.displaced, burden.loss, burden.paid):
        assert each[1:].sum() == pytest.approx(each[0])
    assert burden.to_frame()["mean_loss"].iloc[3] > burden.to_frame()["mean_loss"].iloc[1]  # the rich like trains


def test_room_for_all_costs_nobody_anything() -> None:
    burden = price_incidence(price_capacities(model(), crowd(50), dict.fromkeys(NAMES, 50.0)))
    assert burden.loss.tolist() == burden.paid.tolist() == burden.displaced.tolist() == [0.0]


def test_classes_are_weighed() -> None:
    people = crowd(60)
    kind = replace(model(), classes={"a": LatentClass(share=0.3), "b": LatentClass(share=0.7, rule=Softmax(3.0))})
    found = price_capacities(kind, people, {"train": 10.0})
    burden = price_incidence(found)
    outcome = simulate_choices(kind, people, seed=0, replications=1)
    assert found.unpriced_inclusive_value == pytest.approx(outcome.inclusive_value)
    assert burden.loss[0] / 60 == pytest.approx(found.unpriced_inclusive_value - found.inclusive_value)
