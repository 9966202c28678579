"""Who switches: frozen randomness. Agents move only where something they face has changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import ChoiceModel, Hardmax, Policy, PolicyComparison, Population, Softmax, compare_policies
from tests.choice.policies.trips import MODEL, World, compared, trips, worlds
from tests.tolerances import MONTE_CARLO

AUTO, WALK, TRANSIT = "auto", "walk", "transit"
KNOWN = ChoiceModel({AUTO: "-0.6931", WALK: "-1.3863", TRANSIT: "-1.3863 + gain"}, {"gain": 0.0})
BETTER_TRANSIT = {"coefficients": {"gain": 0.75}}


def known(n: int, *, seed: int = 7, sampling: str = "auto", replications: int = 1) -> PolicyComparison:
    people = Population(agents=np.arange(n))
    return compared(
        BETTER_TRANSIT, model=KNOWN, population=people, seed=seed, sampling=sampling, replications=replications
    )


def test_better_transit_draws_from_each_in_proportion_and_moves_nobody_else() -> None:
    n = 1_000_000
    found = known(n)
    table = found.switching.loc["it"] / n
    weights = np.exp([-0.6931, -1.3863, -1.3863])
    before, after = weights / weights.sum(), weights * [1, 1, np.exp(0.75)]
    after /= after.sum()
    assert round(before[0] - after[0], 4) == 0.1091
    assert round(before[1] - after[1], 4) == 0.0546
    for name, moved in ((AUTO, before[0] - after[0]), (WALK, before[1] - after[1])):
        assert abs(table.loc[name, TRANSIT] - moved) <= MONTE_CARLO * np.sqrt(moved * (1 - moved) / n)
        assert table.loc[name, TRANSIT] == pytest.approx(0.1091 if name == AUTO else 0.0546, abs=2e-3)
    assert table.loc[AUTO, WALK] == table.loc[WALK, AUTO] == 0
    assert not table.loc[TRANSIT, [AUTO, WALK]].any()
    assert found.warnings == ()


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1), st.integers(1, 5))
def test_every_other_switch_is_exactly_zero(n: int, seed: int, replications: int) -> None:
    switched = known(n, seed=seed, replications=replications).policies["it"].pair.switched[0]
    others = np.ones((3, 3), dtype=bool)
    others[:2, 2] = False
    assert not switched[others].any()


def test_fast_draws_move_agents_between_what_has_not_changed_and_warn() -> None:
    n = 1_000_000
    found = known(n, sampling="fast")
    moved = found.switching.loc["it"].loc[AUTO, WALK] / n
    assert abs(moved - 0.1091) <= MONTE_CARLO * np.sqrt(0.1091 * 0.8909 / n) + 5e-5
    assert "switches mix in noise" in found.warnings[0]
    np.testing.assert_allclose(found.share_change, known(10).share_change, rtol=0, atol=1e-12)


@given(worlds(), st.sampled_from(["bus", "car", "walk"]))
def test_improving_one_alternative_moves_agents_only_to_it(world: World, better: str) -> None:
    model = replace(world.model, on_no_alternative="skip")
    settings = {**world.settings, "sampling": "coherent"}
    policy = {"change": {better: {"time": "time - 1.5"}}}
    if not model.available(world.population).any():
        return
    switched = compared(policy, model=model, population=world.population, **settings).policies["it"].pair.switched
    others = np.delete(switched, ("walk", "bus", "car").index(better), axis=2)
    assert not others.any()


@given(worlds(), st.sampled_from(["bus", "car", "walk"]))
def test_removing_an_alternative_moves_only_its_choosers(world: World, gone: str) -> None:
    model = replace(world.model, on_no_alternative="outside")
    settings = {**world.settings, "sampling": "coherent"}
    found = compared({"remove": [gone]}, model=model, population=world.population, **settings)
    outcome, place = found.policies["it"], ("walk", "bus", "car").index(gone)
    assert not np.delete(outcome.pair.switched, place, axis=1).any()
    assert not outcome.pair.stayed[:, place].any()
    leaving = outcome.pair.switched[:, place].sum(axis=1)
    np.testing.assert_allclose(leaving, outcome.before.count.sum(axis=0)[:, place], rtol=1e-12)
    assert not outcome.offered[place]


@given(worlds(), st.sampled_from(["coherent", "fast"]))
def test_what_nobody_would_choose_changes_nobodys_choice(world: World, sampling: str) -> None:
    """Without an outside option, which those would leave for it who have nothing else."""
    if world.model.on_no_alternative != "error":
        return
    settings = {**world.settings, "sampling": sampling}
    policy = {"add": {"ghost": {"utility": "-5000"}}}
    outcome = compared(policy, model=world.model, population=world.population, **settings).policies["it"]
    assert not outcome.pair.switched.any()
    assert not np.nan_to_num(outcome.share_change).any()
    assert not np.nan_to_num(outcome.change_by_replication).any()
    assert not np.nan_to_num(outcome.estimate().variance).any()
    assert not np.nan_to_num(outcome.welfare.by_row).any()


def test_a_colder_rule_moves_agents_to_what_they_like_better() -> None:
    """As T falls, (u - max u) / T falls for all but the best: agents move to better alternatives only."""
    model = ChoiceModel({"walk": "0", "bus": "1", "car": "2"})
    outcome = compared({"rule": Softmax(0.5)}, model=model, population=trips(500)).policies["it"]
    assert not np.tril(outcome.switching[0], -1).any()
    assert outcome.switching[0][0, 2] > 0
    hard = compared({"rule": Hardmax()}, model=model, population=trips(500)).policies["it"]
    assert hard.switching[0][:, :2].sum() == 0


@given(worlds())
def test_rows_and_columns_of_the_table_are_the_choices_before_and_after(world: World) -> None:
    found = compared(
        {"attributes": {"age": "70 - age", "cost": "6 - cost"}},
        model=world.model,
        population=world.population,
        **world.settings,
    )
    outcome, n = found.policies["it"], world.settings["replications"]
    np.testing.assert_allclose(outcome.switching.sum(axis=2), outcome.before.count.sum(axis=0) / n, atol=1e-9)
    np.testing.assert_allclose(outcome.switching.sum(axis=1), outcome.after.count.sum(axis=0) / n, atol=1e-9)
    moved = outcome.switching.sum(axis=(1, 2)) - outcome.switching.trace(axis1=1, axis2=2)
    there = outcome.weight > 0
    np.testing.assert_allclose(outcome.switched_share[there], (moved[there] / outcome.weight[there]), atol=1e-12)
    assert np.isnan(outcome.switched_share[~there]).all()
    np.testing.assert_array_equal(found.switching.loc["it"], outcome.switching[0])


def test_errors_of_switches_are_those_of_many_replications() -> None:
    """A bound: equal where all agents are alike, and never much below what replications show."""
    people = trips(30, weighted=True)
    model = replace(MODEL, utilities={name: text.replace("age", "30") for name, text in MODEL.utilities.items()})  # type: ignore[union-attr]
    policy = {"change": {"bus": {"cost": "0.2 * cost"}}}
    each = np.array(
        [
            compared(policy, model=model, population=people, seed=seed, replications=1).policies["it"].switching[0]
            for seed in range(250)
        ]
    )
    long = compared(policy, model=model, population=people, replications=2000).policies["it"]
    error = long.switching_error[0] * np.sqrt(2000)
    for cell in ((0, 1), (2, 1)):
        spread = each[:, cell[0], cell[1]].std()
        assert error[cell] >= spread * (1 - MONTE_CARLO / np.sqrt(2 * 250))
        assert error[cell] <= 1.5 * spread
    assert np.isnan(np.diag(error)).all()
    assert error[0, 2] == 0


def test_agents_alike_have_the_binomial_error() -> None:
    outcome = known(1000, replications=4).policies["it"]
    p = outcome.switching[0][0, 2] / 1000
    assert outcome.switching_error[0][0, 2] == pytest.approx(np.sqrt(1000 * p * (1 - p) / 4), rel=1e-12)


def test_segments_add_up_to_everybody() -> None:
    people = trips(300, weighted=True)
    found = compared({"remove": ["car"]}, population=people, segments=["home", "age"])
    outcome = found.policies["it"]
    for name in ("home", "age"):
        members = [group.position for group in found.groups if group.segment == name]
        np.testing.assert_allclose(outcome.switching[members].sum(axis=0), outcome.switching[0], rtol=1e-12)
        np.testing.assert_allclose(outcome.before.count[:, members].sum(axis=1), outcome.before.count[:, 0])
        assert outcome.rows[members].sum() == outcome.rows[0] == 300
        np.testing.assert_allclose(outcome.welfare.total[members].sum(), outcome.welfare.total[0], rtol=1e-12)
        changes = outcome.weight[members, None] * np.nan_to_num(outcome.share_change[members])  # a group may be empty
        shares = changes.sum(axis=0) / outcome.weight[0]
        np.testing.assert_allclose(shares, outcome.share_change[0], rtol=0, atol=1e-14)


def test_two_policies_together_are_one_after_the_other_for_nobody_who_stays() -> None:
    """Removing two alternatives at once moves the choosers of these two and nobody else."""
    found = compare_policies(
        MODEL,
        trips(200),
        {"both": Policy(remove=["bus", "car"]), "bus": Policy(remove=["bus"])},
        seed=1,
        replications=5,
        bootstrap=0,
    )
    both = found.switching.loc["both"]
    assert both.loc["walk", "walk"] == found.tally.cases[0].count.sum(axis=0)[0, 0] / 5
    assert both[["bus", "car"]].to_numpy().sum() == 0
