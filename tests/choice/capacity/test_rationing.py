"""Rationing: nobody fits in who does not, nobody has less than what is left, losses, priorities, addresses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit import (
    ChoiceModel,
    InfeasibleMassError,
    InvalidInputError,
    Nest,
    NestedLogit,
    Population,
    Softmax,
    Sparsemax,
    ration_choices,
    simulate_choices,
)
from choicekit.random import Draws, Stage, alternative_words, row_words
from tests.choice.capacity.test_prices import NAMES, crowd, model


def by_definition(kind: ChoiceModel, people: Population, limits: dict[str, float], seed: int, replication: int):
    """Return first and last choices, one agent at a time, as the docstring reads."""
    n = people.n_rows
    words = row_words(people.agents)
    draws = Draws(seed=seed, stage=Stage.CHOICE, rows=words, alternatives=alternative_words(NAMES))
    worth = kind.utility(people) + kind.rule.temperature * draws.gumbels(replication)
    lottery = Draws(seed=seed, stage=Stage.LOTTERY, rows=words, alternatives=np.zeros(1, np.uint64))
    number = lottery.uniforms(replication)[:, 0]
    left = np.array([limits.get(name, np.inf) for name in NAMES])
    closed, final, waiting = set(), np.full(n, -1), [*range(n)]
    while waiting:
        applying = {place: [] for place in range(4)}
        for agent in waiting:
            open_now = [place for place in range(4) if place not in closed]
            if open_now:
                applying[max(open_now, key=lambda place: worth[agent, place])].append(agent)
        waiting = []
        for place, agents in applying.items():
            agents.sort(key=lambda agent: -number[agent])
            for agent in agents:
                if left[place] >= 1 and place not in closed:
                    final[agent] = place
                    left[place] -= 1
                else:
                    closed.add(place)
                    waiting.append(agent)
    return worth.argmax(axis=1), final, worth


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_the_definition_says(seed: int) -> None:
    people, kind = crowd(60, seed), model()
    limits = {"train": 12, "bus": 8, "car": 15} if seed % 2 else {"walk": 5, "train": 20}
    found = ration_choices(kind, people, limits, seed=seed, replications=3)
    for replication in range(3):
        first, final, worth = by_definition(kind, people, limits, seed, replication)
        assert found.wanted[replication].tolist() == np.bincount(first, minlength=4).tolist()
        assert found.taken[replication].tolist() == np.bincount(final[final >= 0], minlength=4).tolist()
        assert found.displaced[replication, 0] == (first != final).sum()
        lost = worth[np.arange(60), first] - worth[np.arange(60), final]
        assert found.loss[replication, 0] == pytest.approx(lost[final >= 0].sum(), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), parts=st.lists(st.floats(0.0, 0.6), min_size=3, max_size=3), weighted=st.booleans())
def test_nothing_takes_more_than_fits(seed: int, parts: list[float], weighted: bool) -> None:
    people, kind = crowd(80, seed, weighted=weighted), model()
    limits = {name: part * 80 for name, part in zip(NAMES[1:], parts, strict=True)}
    found = ration_choices(kind, people, limits, seed=1, replications=4)
    assert (found.taken <= found.capacity * (1 + 1e-9)).all()
    total = 80.0 if people.weights is None else people.weights.sum()
    assert found.taken.sum(axis=1) + found.stranded[:, 0] == pytest.approx(np.full(4, total))
    assert (found.loss >= 0).all()
    assert (found.rounds <= 5).all()


def test_without_limits_that_bind_everybody_has_what_they_choose() -> None:
    people, kind = crowd(300), model()
    found = ration_choices(kind, people, {"train": 300, "bus": 300}, seed=4, replications=6)
    outcome = simulate_choices(kind, people, seed=4, replications=6)
    assert (found.taken == outcome.tally.count[:, 0]).all()
    assert (found.displaced == 0).all()
    assert (found.loss == 0).all()
    assert (found.rounds == 1).all()


def test_priority_comes_before_the_lottery() -> None:
    people = crowd(200)
    kind = ChoiceModel({name: "5" if name == "train" else "0" for name in NAMES}, {}, rule=Softmax(1.0))
    by_wealth = ration_choices(kind, people, {"train": 50}, seed=1, replications=5, priority="rich")
    lottery = ration_choices(kind, people, {"train": 50}, seed=1, replications=5)
    groups = people.with_columns({"well_off": people.columns["rich"] > np.quantile(people.columns["rich"], 0.7)})
    first = ration_choices(
        kind, groups, {"train": 50}, seed=1, replications=5, priority="rich", segments=["well_off"]
    ).by_group()
    displaced = first.set_index("group")["displaced_share"]
    assert displaced.iloc[2] < 0.4 < displaced.iloc[1]
    assert by_wealth.taken[:, 2].tolist() == lottery.taken[:, 2].tolist() == [50.0] * 5
    assert by_wealth.to_frame()["full"].tolist() == [0, 0, 1, 0]


def test_order_of_rows_and_workers_are_of_no_consequence() -> None:
    people, kind = crowd(300), model()
    moved = np.random.default_rng(3).permutation(300)
    other = Population(
        agents=people.agents[moved], columns={name: column[moved] for name, column in people.columns.items()},
        alternatives=NAMES,
    )  # fmt: skip
    limits = {"train": 60.0, "car": 50.0}
    one = ration_choices(kind, people, limits, seed=2, replications=4)
    two = ration_choices(kind, other, limits, seed=2, replications=4, workers=2)
    for name in ("taken", "wanted", "applied", "displaced", "rounds"):
        assert (getattr(one, name) == getattr(two, name)).all()
    assert one.loss == pytest.approx(two.loss, rel=1e-12)


def test_other_rules_are_rationed_without_a_number_for_the_loss() -> None:
    people = crowd(100)
    nested = model(NestedLogit({"public": Nest(["bus", "train"], dissimilarity=0.4)}))
    found = ration_choices(nested, people, {"train": 10}, seed=1, replications=4)
    assert (found.taken[:, 2] == 10).all()
    assert np.isnan(found.mean_loss)
    with pytest.raises(InvalidInputError, match="coherent"):
        ration_choices(model(Sparsemax()), people, {"train": 10}, seed=1)


def test_who_finds_everything_full_has_nothing() -> None:
    people = Population(agents=np.arange(4), columns={"only_bus": np.array([1, 1, 0, 0])})
    kind = ChoiceModel({"bus": "5", "train": "0"}, {}, availability={"train": "only_bus == 0"})
    found = ration_choices(kind, people, {"bus": 2, "train": 2}, seed=1, replications=50)
    assert found.stranded[:, 0].max() > 0
    assert (found.taken.sum(axis=1) + found.stranded[:, 0] == 4).all()
    frame = found.by_group()
    assert frame["displaced_share"][0] >= frame["stranded_share"][0] > 0


def test_what_is_refused() -> None:
    people, kind = crowd(100), model()
    with pytest.raises(InfeasibleMassError, match="10 too few"):
        ration_choices(kind, people, dict(zip(NAMES, (20, 20, 20, 30), strict=True)), seed=1)
    with pytest.raises(InvalidInputError, match="priority names an unknown column 'richh', did you mean 'rich'"):
        ration_choices(kind, people, {"train": 5}, seed=1, priority="richh")
    with pytest.raises(InvalidInputError, match="priority needs a column of finite numbers"):
        ration_choices(kind, people, {"train": 5}, seed=1, priority="x")
    with pytest.raises(InvalidInputError, match="replications must be"):
        ration_choices(kind, people, {"train": 5}, seed=1, replications=0)
    assert ration_choices(replace(kind), people, {"train": 0}, seed=1, replications=2).taken[:, 2].tolist() == [0, 0]
