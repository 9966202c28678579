"""Prices of capacities: fixed points, slack and full alternatives, the dual of the assignment, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit import (
    AtMost,
    ChoiceModel,
    ConvergenceError,
    Entmax,
    Fixed,
    InfeasibleMassError,
    InvalidInputError,
    LatentClass,
    Nest,
    NestedLogit,
    Normal,
    Population,
    Softmax,
    Sparsemax,
    price_capacities,
    simulate_choices,
    solve_assignment,
)
from choicekit.choice.capacity import prices as prices_module
from tests.tolerances import ALGEBRA

NAMES = ("walk", "bus", "train", "car")


def crowd(n: int, seed: int = 1, *, weighted: bool = False) -> Population:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.5, 2.0, size=n) if weighted else None
    return Population(
        agents=np.arange(n), columns={"x": rng.normal(size=(n, 4)), "rich": rng.random(n)}, alternatives=NAMES,
        weights=weights,
    )  # fmt: skip


def model(rule=None, **given) -> ChoiceModel:
    utilities = {"walk": "b * x", "bus": "b * x + 0.3", "train": "b * x + 1 + rich", "car": "b * x + 0.5"}
    return ChoiceModel(utilities, {"b": 1.0}, rule=rule or Softmax(temperature=0.7), **given)


def expected_demand(kind: ChoiceModel, people: Population, price: np.ndarray) -> np.ndarray:
    """Return demand at prices by another way: they are subtracted in the formulas."""
    texts = {name: f"({kind.utilities[name]}) - {float(p)!r}" for name, p in zip(NAMES, price, strict=True)}
    outcome = simulate_choices(replace(kind, utilities=texts), people, seed=1, replications=1)
    tally = outcome.tally
    return tally.weighted_probability[0] if people.weights is not None else tally.probability[0]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    part=st.lists(st.one_of(st.none(), st.floats(0.05, 1.5)), min_size=4, max_size=4),
    rule=st.sampled_from(
        [
            Softmax(0.7),
            Softmax(0.02),
            Softmax(20.0),
            Sparsemax(1.0),
            Entmax(alpha=1.5),
            NestedLogit({"public": Nest(["bus", "train"], dissimilarity=0.4)}),
        ]
    ),
    weighted=st.booleans(),
)
def test_demand_meets_capacity_and_prices_are_zero_where_there_is_room(seed, part, rule, weighted) -> None:
    people, kind = crowd(60, seed, weighted=weighted), model(rule)
    free = expected_demand(kind, people, np.zeros(4))
    total = free.sum()
    limits = {n: float(max(p * d, 0.02 * total)) for n, p, d in zip(NAMES, part, free, strict=True) if p is not None}
    if not limits or (len(limits) == 4 and sum(limits.values()) < 1.02 * total):
        return
    found = price_capacities(kind, people, limits)
    demand = expected_demand(kind, people, found.price)
    assert found.converged
    assert found.demand == pytest.approx(demand, rel=1e-9, abs=1e-9)
    for name, price, taken in zip(NAMES, found.price, found.demand, strict=True):
        assert price >= 0
        limit = limits.get(name, np.inf)
        assert taken <= limit * (1 + 1e-9)
        assert price == 0 or taken == pytest.approx(limit, rel=1e-9)


def test_slack_capacities_change_nothing_at_all() -> None:
    people, kind = crowd(500), model()
    free = expected_demand(kind, people, np.zeros(4))
    found = price_capacities(kind, people, dict(zip(NAMES, 1.01 * free, strict=True)))
    assert (found.price == 0).all()
    assert (found.demand == found.unpriced_demand).all()
    assert found.demand == pytest.approx(free, rel=ALGEBRA)
    assert found.n_iterations == 0


def test_a_capacity_equal_to_demand_has_no_price() -> None:
    people, kind = crowd(500), model()
    free = price_capacities(kind, people, {"walk": 1e9}).demand
    assert (price_capacities(kind, people, dict(zip(NAMES[1:], free[1:], strict=True))).price == 0).all()


def test_doubling_capacities_and_agents_changes_no_price() -> None:
    people, kind = crowd(300), model()
    limits = {"train": 60.0, "car": 50.0}
    once = price_capacities(kind, people, limits)
    twice = Population(
        agents=np.arange(600), columns={name: np.concatenate([c, c]) for name, c in people.columns.items()},
        alternatives=NAMES,
    )  # fmt: skip
    doubled = price_capacities(kind, twice, {name: 2 * limit for name, limit in limits.items()})
    assert doubled.price == pytest.approx(once.price, abs=1e-8)
    assert (once.price > 0).tolist() == [False, False, True, True]


def test_prices_are_those_of_the_assignment() -> None:
    """Choosing under capacities is the assignment of `Fixed` agents to `AtMost` alternatives."""
    people, kind = crowd(40), model()
    limits = {"walk": 8.0, "bus": 9.0, "train": 12.0, "car": 30.0}
    found = price_capacities(kind, people, limits)
    result = solve_assignment(
        kind.utility(people), Fixed(np.ones(40)), AtMost([*limits.values()]), temperature=0.7, tolerance=1e-12
    )
    assert found.price == pytest.approx(-result.column_potential, abs=1e-7)
    assert found.demand == pytest.approx(result.column_sums, rel=1e-8)


def test_everybody_limited_and_every_place_needed_leaves_the_lowest_price_at_zero() -> None:
    people, kind = crowd(100), model()
    found = price_capacities(kind, people, dict(zip(NAMES, (10.0, 20.0, 30.0, 40.0), strict=True)))
    assert found.price.min() == 0
    assert found.demand == pytest.approx([10, 20, 30, 40], rel=1e-9)


def test_agents_who_differ_are_priced_together() -> None:
    people = crowd(80)
    random = ChoiceModel(dict.fromkeys(NAMES, "b * x"), {"b": Normal(mean=1.0, sd=0.5)}, rule=Softmax())
    classes = replace(model(), classes={"a": LatentClass(share=0.5), "b": LatentClass(share=0.5, rule=Softmax(3.0))})
    for kind in (random, classes):
        found = price_capacities(kind, people, {"train": 10.0, "bus": 12.0})
        assert found.demand[1:3] == pytest.approx([12, 10], rel=1e-9)
        outcome = simulate_choices(kind, people, seed=0, replications=1)
        assert found.unpriced_demand == pytest.approx(outcome.tally.probability[0], rel=1e-9)


def test_large_populations_start_from_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    people, kind = crowd(40_000), model()
    whole = price_capacities(kind, people, {"train": 5000.0, "car": 4000.0})
    monkeypatch.setattr(prices_module, "_PART", 8_192)
    part = price_capacities(kind, people, {"train": 5000.0, "car": 4000.0}, workers=2)
    assert part.price == pytest.approx(whole.price, abs=1e-8)
    assert part.n_iterations < whole.n_iterations


def test_too_little_room_is_told_with_what_is_short() -> None:
    people, kind = crowd(100), model()
    with pytest.raises(InfeasibleMassError, match="together is 90 in all, but 100 can choose nothing else: 10 too few"):
        price_capacities(kind, people, dict(zip(NAMES, (20, 20, 20, 30), strict=True)))
    bound = replace(kind, availability={name: "rich < 2" if name == "bus" else "rich > 0.5" for name in NAMES})
    poor = int((people.columns["rich"] <= 0.5).sum())
    with pytest.raises(InfeasibleMassError, match=f"capacity of 'bus' is 5 in all, but {poor} can choose nothing else"):
        price_capacities(bound, people, {"bus": 5, "train": 90})


@pytest.mark.parametrize(
    ("capacity", "says"),
    [
        ({}, "capacity must be numbers by alternative"),
        ({"tram": 5}, "unknown alternative 'tram', did you mean 'train'"),
        ({"train": -1}, "capacity must be a number of at least 0, found -1 for 'train'"),
        ({"train": np.nan}, "found nan for 'train'"),
        ({"train": "many"}, "found 'many' for 'train'"),
        ({"train": 0}, "make it unavailable instead"),
    ],
)
def test_capacities_that_are_refused(capacity, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        price_capacities(model(), crowd(10), capacity)


def test_rules_that_jump_are_refused_and_the_rest_is_told() -> None:
    with pytest.raises(InvalidInputError, match="prices need a rule with a positive temperature"):
        price_capacities(model(Softmax(temperature=0.0)), crowd(10), {"train": 1})
    with pytest.raises(ConvergenceError, match="prices are out of iterations after 1 iteration") as caught:
        price_capacities(model(), crowd(100), {"train": 3}, max_iterations=1)
    assert not caught.value.result.converged
    with pytest.raises(InvalidInputError, match="tolerance must be"):
        price_capacities(model(), crowd(10), {"train": 1}, tolerance=0)


def test_the_frame_says_what_is_full() -> None:
    frame = price_capacities(model(), crowd(100), {"train": 10, "car": 90}).to_frame()
    assert frame.set_index("alternative")["full"].to_dict() == {
        "walk": False, "bus": False, "train": True, "car": False,
    }  # fmt: skip
