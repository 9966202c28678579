"""Who is drawn to be what, and what they then choose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from choicekit import (
    ChoiceModel,
    ChoiceOutcome,
    Hardmax,
    Integration,
    InvalidInputError,
    LatentClass,
    Lognormal,
    Nest,
    NestedLogit,
    Normal,
    Population,
    RandomCovariance,
    Softmax,
    Uniform,
    compare_policies,
    registered_rules,
    simulate_choices,
)
from choicekit.choice.heterogeneity.types import AgentTypes
from tests.choice.heterogeneity.commuters import MODES, UTILITIES, commuters, model, utilities
from tests.tolerances import assert_counts_follow, assert_monte_carlo

FEW = Integration(points=8)
SPREAD = {"b_time": Normal(-0.5, 0.6), "b_cost": Lognormal(-0.5, 0.6, negative=True)}
CLASSES = {
    "careful": LatentClass(membership="0.05 * age", coefficients={"b_cost": -2.0}),
    "hasty": LatentClass(membership="2", coefficients={"b_time": Uniform(-3, -1)}, rule=Softmax(0.5)),
    "strict": LatentClass(membership="1", rule=Hardmax()),
}


def mixed(**settings: Any) -> ChoiceModel:
    return model(SPREAD, classes=CLASSES, integration=FEW, **settings)


def subset(people: Population, rows: np.ndarray) -> Population:
    columns = {name: values[rows] for name, values in people.columns.items()}
    situations = None if people.situations is None else people.situations[rows]
    return Population(
        agents=people.agents[rows], situations=situations, alternatives=people.alternatives, columns=columns
    )


def test_drawn_coefficients_follow_their_law() -> None:
    people = commuters(4_000)
    covariance = RandomCovariance(["b_cost", "b_time"], [[0.25, 0.2], [0.2, 0.36]])
    kinds = {"b_cost": Normal(-0.8), "b_time": Normal(-0.5), "asc_bus": Uniform(0, 1)}
    drawing = AgentTypes(model=model(kinds, random_covariance=covariance), population=people, seed=4).of(slice(None))
    drawn = np.concatenate(
        [np.stack([drawing.drawn(r).coefficients[name] for name in kinds], axis=1) for r in range(10)]
    )
    wanted = np.array([[0.25, 0.2, 0], [0.2, 0.36, 0], [0, 0, 1 / 12]])
    spread = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)) + wanted**2)
    assert_monte_carlo(np.cov(drawn.T), wanted, spread / np.sqrt(len(drawn)))
    assert_monte_carlo(drawn.mean(axis=0), [-0.8, -0.5, 0.5], np.sqrt(np.diag(wanted) / len(drawn)))


def test_drawn_classes_follow_their_shares() -> None:
    people = commuters(5_000)
    drawing = AgentTypes(model=mixed(), population=people, seed=4).of(slice(None))
    counts = sum(np.bincount(drawing.drawn(r).position, minlength=3) for r in range(4))
    assert_counts_follow(counts, 4 * np.array([share.sum() for share in drawing.shares]))


def test_a_class_without_a_share_is_never_drawn() -> None:
    kinds = {"none": LatentClass(share=0.0), "some": LatentClass(share=1.0), "nobody": LatentClass(share=0.0)}
    drawing = AgentTypes(model=model(classes=kinds), population=commuters(2_000), seed=1).of(slice(None))
    assert all(set(drawing.drawn(r).position) == {1} for r in range(5))


def test_an_agent_is_the_same_in_all_its_situations() -> None:
    people = commuters(50, situations=4)
    drawing = AgentTypes(model=mixed(), population=people, seed=1).of(slice(None))
    for r in range(3):
        drawn = drawing.drawn(r)
        for values in (drawn.position, *drawn.coefficients.values()):
            table = np.broadcast_to(values, 200).reshape(50, 4)
            assert np.all(table == table[:, :1])
    assert np.any(drawing.drawn(0).position != drawing.drawn(1).position)


def test_choices_of_one_agent_are_correlated_as_the_law_says() -> None:
    """Two situations alike: P(bus twice) is the mean of p^2, not p times p."""
    n, r = 500, 80
    people = Population(agents=np.repeat(np.arange(n), 2), situations=np.tile([0, 1], n), columns={})
    binary = ChoiceModel({"bus": "b", "car": "0"}, {"b": Normal(0.0, 2.0)}, integration=FEW)
    bus = (simulate_choices(binary, people, seed=1, replications=r).choices == 0).reshape(r, n, 2)
    z = np.linspace(-8, 8, 4001)
    p = 1 / (1 + np.exp(-2 * z))
    twice = float(p**2 @ np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum())
    found = bus.all(axis=2).mean()
    assert_monte_carlo(found, twice, np.sqrt(twice * (1 - twice) / (n * r)))
    assert twice > 0.25 + 10 * np.sqrt(0.25 * 0.75 / (n * r))


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
def test_simulated_shares_are_the_expected_ones(sampling: Any) -> None:
    outcome = simulate_choices(mixed(), commuters(300, weighted=True), seed=2, replications=100, sampling=sampling)
    error = np.hypot(outcome.estimate_by_group().standard_error[0], outcome.integration_error_by_group()[0])
    assert outcome.sampling == sampling
    assert_monte_carlo(outcome.simulated_shares, outcome.expected_shares, error)
    assert outcome.agreement > 1e-3


def test_adding_an_alternative_or_an_agent_moves_no_other_draw() -> None:
    people = commuters(60, situations=2)
    before = simulate_choices(mixed(), people, seed=3, replications=6)
    rows = np.arange(120) % 5 != 0
    fewer = simulate_choices(mixed(), subset(people, np.flatnonzero(rows)), seed=3, replications=6)
    np.testing.assert_array_equal(fewer.choices, before.choices[:, rows])
    given = mixed()
    wider = ChoiceModel(
        {"ferry": "-1e9", **UTILITIES}, SPREAD | {"asc_bus": 0.4}, classes=CLASSES, integration=FEW,
        columns_like={"ferry": None},
    )  # fmt: skip
    np.testing.assert_array_equal(simulate_choices(wider, people, seed=3, replications=6).choices - 1, before.choices)
    shuffled = np.random.default_rng(0).permutation(120)
    other = simulate_choices(given, subset(people, shuffled), seed=3, replications=6)
    np.testing.assert_array_equal(other.choices, before.choices[:, shuffled])


def everything(outcome: ChoiceOutcome) -> list[bytes]:
    tally = outcome.tally
    return [outcome.choices.tobytes(), *(np.asarray(values).tobytes() for values in vars(tally).values())]


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
def test_any_number_of_workers_gives_the_same_bytes(sampling: Any) -> None:
    people = commuters(4_200, situations=2, weighted=True)
    runs = [
        everything(simulate_choices(mixed(), people, seed=3, replications=3, workers=workers, sampling=sampling))
        for workers in (1, 3)
    ]
    assert runs[0] == runs[1]


def test_choices_on_demand_are_those_that_were_counted() -> None:
    outcome = simulate_choices(mixed(), commuters(90), seed=3, replications=35)
    counted = np.stack([np.bincount(row, minlength=3) for row in outcome.choices])
    np.testing.assert_array_equal(counted, outcome.tally.count[:, 0])


def test_a_replication_does_not_depend_on_how_many_there_are() -> None:
    few, many = (simulate_choices(mixed(), commuters(30), seed=3, replications=r).choices for r in (3, 40))
    np.testing.assert_array_equal(few, many[:3])


@pytest.mark.parametrize("case", ["coefficients", "classes"])
def test_improving_one_alternative_moves_agents_only_to_it(case: str) -> None:
    given = model(SPREAD, integration=FEW) if case == "coefficients" else mixed()
    policy = {"better bus": {"change": {"bus": {"time": "0.3 * time - 1"}}}}
    people = commuters(300, situations=2)
    compared = compare_policies(given, people, policy, seed=2, replications=20, bootstrap=0)
    better = {**UTILITIES, "bus": UTILITIES["bus"].replace("* time", "* (0.3 * time - 1)")}
    after = simulate_choices(
        ChoiceModel(better, {"asc_bus": 0.4, **SPREAD}, classes=given.classes, integration=FEW),
        people,
        seed=2,
        replications=20,
    )
    before = simulate_choices(given, people, seed=2, replications=20)
    moved = before.choices != after.choices
    # time is worth less than nothing to few, for whom the bus becomes worse; those leave it and nobody else moves
    assert np.all((before.choices[moved] == 0) | (after.choices[moved] == 0))
    table = compared.policies["better bus"].switching[0]
    assert table[1, 2] == table[2, 1] == 0
    np.testing.assert_allclose(table[1, 0], np.sum((before.choices == 1) & (after.choices == 0)) / 20)


def test_a_mixture_with_a_rule_without_noise_is_drawn_fast() -> None:
    sparse = registered_rules()["sparsemax"]()
    given = model(classes={"a": LatentClass(share=0.5), "b": LatentClass(share=0.5, rule=sparse)})
    assert simulate_choices(given, commuters(3), seed=1, replications=1).sampling == "fast"
    with pytest.raises(InvalidInputError, match="additive"):
        simulate_choices(given, commuters(3), seed=1, replications=1, sampling="coherent")


def test_fast_choices_follow_the_drawn_type() -> None:
    """At temperature 0 the type decides: its best alternative is chosen, whatever the uniform number."""
    people = commuters(200)
    hard = model(SPREAD, rule=Hardmax(), integration=FEW)
    outcome = simulate_choices(hard, people, seed=6, replications=4, sampling="fast")
    drawing = AgentTypes(model=hard, population=people, seed=6).of(slice(None))
    for r in range(4):
        values = drawing.drawn(r).coefficients
        own = np.stack([np.asarray(values[name]) for name in ("b_cost", "b_time")])
        table = np.stack([utilities(people, b_cost=cost, b_time=time)[i] for i, (cost, time) in enumerate(own.T)])
        np.testing.assert_array_equal(outcome.choices[r], table.argmax(axis=1))
    assert len(np.unique(outcome.choices)) == len(MODES)


def test_a_utility_that_is_no_number_for_some_type_names_the_coefficients() -> None:
    people = commuters(20)
    broken = ChoiceModel({"bus": "log(b) * cost", "car": "0"}, {"b": Normal(1.0, 1.0)}, integration=FEW)
    with pytest.raises(InvalidInputError, match=r"found nan for agent \d+, alternative bus, .*\(b = -"):
        simulate_choices(broken, people, seed=1, replications=2)
    hopeless = ChoiceModel({"bus": "log(clip(b, 0, 9))"}, {"b": Normal(1.0, 1.0)}, integration=FEW)
    with pytest.raises(InvalidInputError, match="nothing available at coefficients it may have"):
        simulate_choices(hopeless, people, seed=1, replications=2)


def test_every_coherent_rule_stays_coherent_among_types() -> None:
    """A class that chooses within nests beside one that does not: still nobody moves between what has not changed."""
    nests = NestedLogit({"motor": Nest(["bus", "car"], 0.4)})
    classes = {"nested": LatentClass(share=0.6, rule=nests), "plain": LatentClass(share=0.4)}
    given, people = model(SPREAD, classes=classes, integration=FEW), commuters(300, situations=2)
    policy = {"cheaper walk": {"change": {"walk": {"time": "time - 1"}}}}
    found = compare_policies(given, people, policy, seed=2, replications=20, bootstrap=0).policies["cheaper walk"]
    assert found.sampling == "coherent"
    assert found.switching[0][0, 1] == found.switching[0][1, 0] == 0
    assert found.switching[0][0, 2] > 0
    outcome = simulate_choices(given, people, seed=2, replications=60)
    assert outcome.agreement > 1e-3
