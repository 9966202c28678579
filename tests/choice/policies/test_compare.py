"""Comparing policies: nothing changes where nothing is changed, and however it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from threading import Lock
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import (
    ChoiceModel,
    CoefficientCovariance,
    DataError,
    Hardmax,
    NewAlternative,
    Policy,
    PolicyComparison,
    PolicyOutcome,
    Population,
    Softmax,
    compare_policies,
    simulate_choices,
)
from choicekit.execution import BLOCK_SIZE
from tests.choice.policies.trips import MODEL, World, compared, subset, trips, worlds

COVARIANCE = CoefficientCovariance.from_standard_errors({"b_cost": 0.05, "asc_bus": 0.2})
POLICIES: dict[str, Policy] = {
    "cheaper bus": Policy(change={"bus": {"cost": "0.5 * cost"}}),
    "cab": Policy(add={"cab": NewAlternative(columns_like="car", change={"time": "0.7 * time"})}),
    "no car": Policy(remove=["car"]),
    "dearer": Policy(coefficients={"b_cost": "1.5 * b_cost"}),
    "hotter": Policy(rule=Softmax(2.0)),
    "hard": Policy(rule=Hardmax()),
    "old": Policy(filter="age > 30", attributes={"time": "0.9 * time"}),
    "licence": Policy(availability={"car": "age > 20"}),
}
NOTHING: dict[str, dict[str, Any]] = {
    "empty": {},
    "same change": {"change": {"car": {"cost": "cost"}, "walk": {"time": "1 * time"}}},
    "same attributes": {"attributes": {"age": "age", "cost": "(cost)"}},
    "same coefficients": {"coefficients": {"b_cost": "b_cost", "asc_bus": "asc_bus * 1"}},
    "filter that holds": {"filter": "age > 0"},
    "redundant condition": {"availability": {"walk": "age > 1"}},
}


def run(population: Population, policies: Mapping[str, Policy] = POLICIES, **settings: Any) -> PolicyComparison:
    quick: dict[str, Any] = {
        "seed": 3,
        "replications": 6,
        "bootstrap": 20,
        "parameter_draws": 5,
        "covariance": COVARIANCE,
        "money": "b_cost",
        "segments": ["home"],
        "elasticities": ["cost"],
    }
    return compare_policies(MODEL, population, policies, **{**quick, **settings})


def arrays(outcome: PolicyOutcome) -> dict[str, np.ndarray]:
    """Everything a comparison says of one policy."""
    found: dict[str, Any] = {
        f"{what}.{item.name}": getattr(getattr(outcome, what), item.name)
        for what in ("before", "after", "pair", "agents", "parameters")
        for item in fields(getattr(outcome, what) or ())
    }
    estimate = outcome.estimate()
    found |= {item.name: getattr(estimate, item.name) for item in fields(estimate)}
    found |= {name: getattr(outcome, name) for name in ("shares", "switching", "switching_error", "switched_share")}
    welfare = outcome.welfare
    found |= {name: getattr(welfare, name) for name in ("by_row", "mean", "median", "gain", "lose", "least", "most")}
    if outcome.money_welfare is not None:
        found |= {"money": outcome.money_welfare.by_row, "money median": outcome.money_welfare.median}
    return {name: np.asarray(values) for name, values in found.items() if values is not None}


def assert_same_bytes(one: PolicyComparison, other: PolicyComparison) -> None:
    assert list(one.policies) == list(other.policies)
    for name in one.policies:
        left, right = arrays(one.policies[name]), arrays(other.policies[name])
        assert left.keys() == right.keys()
        for key in left:
            assert left[key].tobytes() == right[key].tobytes(), (name, key)
    for key in ("point", "arc", "diversion"):
        assert getattr(one.responses, key).tobytes() == getattr(other.responses, key).tobytes()


# --- nothing changes ------------------------------------------------------------------------------------------------


@given(worlds(), st.sampled_from(list(NOTHING)))
def test_a_policy_like_the_baseline_gives_exactly_zero_everywhere(world: World, name: str) -> None:
    found = compared(
        NOTHING[name],
        model=world.model,
        population=world.population,
        **world.settings,
        bootstrap=5,
        covariance=COVARIANCE,
        parameter_draws=4,
    )
    outcome = found.policies["it"]
    empty, estimate = outcome.before.weight == 0, outcome.estimate()
    zeros = ("change", "standard_error", "lower", "upper", "half_width", "variance")
    for values in (outcome.share_change, *(getattr(estimate, name) for name in zeros)):
        np.testing.assert_array_equal(values[~empty], 0)
        assert np.isnan(values[empty]).all()
    np.testing.assert_array_equal(np.nan_to_num(outcome.change_by_replication), 0)
    assert not outcome.pair.switched.any()
    assert not np.nan_to_num(outcome.switched_share).any()
    assert not np.nan_to_num(outcome.switching_error).any()
    np.testing.assert_array_equal(outcome.left_out, 0)
    welfare = outcome.welfare
    np.testing.assert_array_equal(np.nan_to_num(welfare.by_row), 0)
    np.testing.assert_array_equal(welfare.total, 0)
    np.testing.assert_array_equal(welfare.unchanged[~empty], 1)
    np.testing.assert_array_equal(np.nan_to_num(welfare.gain + welfare.lose), 0)
    for replicates in (outcome.agents, outcome.parameters):
        assert replicates is not None
        assert not np.nan_to_num(replicates.share_change).any()
        assert not np.nan_to_num(replicates.value_change).any()


def test_the_baseline_is_the_simulation_by_itself() -> None:
    people = trips(200, weighted=True)
    found, alone = run(people), simulate_choices(MODEL, people, seed=3, replications=6, segments=["home"])
    np.testing.assert_allclose(found.baseline_shares[:, :3], alone.expected_by_group(), rtol=0, atol=1e-14)
    np.testing.assert_array_equal(found.tally.cases[0].count[..., :3], alone.tally.weighted_count)
    assert not found.baseline_shares[:, 3].any()
    assert found.baseline_offered.tolist() == [True, True, True, False]
    assert found.policies["cab"].offered.all()
    assert found.policies["no car"].offered.tolist() == [True, True, False, False]


@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_the_simulation_of_its_model(name: str) -> None:
    people = trips(150, weighted=True)
    outcome = run(people).policies[name]
    kept = np.flatnonzero(people.columns["age"] > 30) if name == "old" else np.arange(150)
    alone = simulate_choices(outcome.model, subset(people, kept), seed=3, replications=6)
    n = len(alone.alternatives)
    np.testing.assert_allclose(outcome.shares[0, :n], alone.expected_shares, rtol=0, atol=1e-14)
    np.testing.assert_allclose(outcome.after.count[:, 0, :n], alone.tally.weighted_count[:, 0], rtol=0, atol=1e-9)
    assert not outcome.shares[0, n:].any()


# --- however it is run ----------------------------------------------------------------------------------------------


def test_the_number_of_workers_changes_no_byte() -> None:
    people = trips(2 * BLOCK_SIZE + 100, weighted=True)
    few = {name: POLICIES[name] for name in ("cheaper bus", "cab", "old")}
    assert_same_bytes(run(people, few, workers=1, bootstrap=3), run(people, few, workers=3, bootstrap=3))


def test_another_policy_changes_nothing_of_the_others() -> None:
    people = trips(120, weighted=True)
    whole = run(people)
    for name in ("cheaper bus", "old", "no car"):
        left, right = arrays(run(people, {name: POLICIES[name]}).policies[name]), arrays(whole.policies[name])
        for key in ("pair.rows", "after.rows", "agents.share_change"):
            assert key in left
        for key, values in left.items():
            others = right[key]
            if values.shape != others.shape:  # the axis of alternatives ends in the cab of another policy
                others = others[
                    tuple(
                        slice(0, 3) if a != b else slice(None) for a, b in zip(values.shape, others.shape, strict=True)
                    )
                ]
            exact = "count" in key or "switch" in key or "stayed" in key
            np.testing.assert_allclose(
                others,
                values,
                rtol=0,
                atol=0 if exact else 2e-15 * max(1, np.nan_to_num(np.abs(values)).max(initial=0)),
            )


def test_the_order_of_policies_changes_nothing_simulated() -> None:
    people = trips(80)
    forward, backward = run(people), run(people, dict(reversed(POLICIES.items())))
    assert list(backward.policies) == list(reversed(POLICIES))
    for name in POLICIES:
        np.testing.assert_array_equal(forward.policies[name].after.count, backward.policies[name].after.count)
        np.testing.assert_array_equal(forward.policies[name].pair.switched, backward.policies[name].pair.switched)


def test_the_order_of_rows_changes_nothing_simulated() -> None:
    people = trips(100, situations=3)
    order = np.random.default_rng(1).permutation(300)
    one, other = run(people), run(subset(people, order))
    for name in POLICIES:
        left, right = arrays(one.policies[name]), arrays(other.policies[name])
        for key, values in left.items():
            given = values[order] if key in ("by_row", "money") else values
            if any(part in key for part in ("count", "switched", "stayed", "rows")):
                np.testing.assert_array_equal(right[key], given)
            else:
                np.testing.assert_allclose(right[key], given, rtol=1e-9, atol=1e-11)


def test_blocks_are_sums_of_their_rows() -> None:
    """More rows than a block has: the tally is that of the first block and of the rest, row by row."""
    people = trips(BLOCK_SIZE + 300)
    few = {name: POLICIES[name] for name in ("cheaper bus", "cab", "no car")}
    settings: dict[str, Any] = {"bootstrap": 4, "replications": 3, "covariance": None, "elasticities": ()}
    whole = run(people, few, **settings)
    parts = [run(subset(people, rows), few, **settings) for rows in np.split(np.arange(BLOCK_SIZE + 300), [BLOCK_SIZE])]
    for name in few:
        first, second = (part.policies[name] for part in parts)
        np.testing.assert_array_equal(whole.policies[name].after.count, first.after.count + second.after.count)
        np.testing.assert_array_equal(whole.policies[name].pair.switched, first.pair.switched + second.pair.switched)
        by_row = np.concatenate([first.welfare.by_row, second.welfare.by_row])
        np.testing.assert_array_equal(whole.policies[name].welfare.by_row, by_row)


def test_draws_kept_for_a_few_replications_at_a_time_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    people = trips(60)
    at_once = run(people, replications=7)
    monkeypatch.setattr("choicekit.choice.policies.study._HELD_NUMBERS", 1)
    monkeypatch.setattr("choicekit.choice.policies.compare._AT_ONCE", 3)
    two_by_two = run(people, replications=7)
    for name in POLICIES:
        np.testing.assert_array_equal(at_once.policies[name].after.count, two_by_two.policies[name].after.count)
        np.testing.assert_array_equal(at_once.policies[name].switching, two_by_two.policies[name].switching)
        assert at_once.policies[name].agents is not None
        np.testing.assert_array_equal(
            at_once.policies[name].agents.share_change,  # type: ignore[union-attr]
            two_by_two.policies[name].agents.share_change,  # type: ignore[union-attr]
        )


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    once = trips(40)
    weights = np.where(once.columns["age"] > 30, 2.0, 1.0)
    heavy = Population(agents=once.agents, alternatives=once.alternatives, columns=once.columns, weights=weights)
    rows = np.repeat(np.arange(40), weights.astype(int))
    copies = Population(
        agents=np.arange(rows.size),
        alternatives=once.alternatives,
        columns={name: values[rows] for name, values in once.columns.items()},
    )
    left, right = run(heavy), run(copies)
    np.testing.assert_allclose(left.baseline_shares, right.baseline_shares, rtol=1e-12)
    np.testing.assert_allclose(left.elasticities, right.elasticities, rtol=1e-10, atol=1e-13)
    for name in POLICIES:
        one, two = left.policies[name], right.policies[name]
        np.testing.assert_allclose(one.share_change, two.share_change, rtol=0, atol=1e-14)
        for part in ("mean", "total", "gain", "lose", "mean_gain", "least", "most"):
            np.testing.assert_allclose(getattr(one.welfare, part), getattr(two.welfare, part), rtol=1e-10)
        np.testing.assert_allclose(one.weight, two.weight)


def test_progress_ends_where_it_should_and_never_falls() -> None:
    told: list[tuple[str, int, int]] = []
    lock = Lock()

    def progress(name: str, done: int, total: int) -> None:
        with lock:
            told.append((name, done, total))

    run(trips(50), progress=progress)
    for name in {name for name, _, _ in told}:
        done = [pair[1:] for pair in told if pair[0] == name]
        assert done[0][0] == 0
        assert done[-1][0] == done[-1][1]
        assert [count for count, _ in done] == sorted(count for count, _ in done)


# --- filters --------------------------------------------------------------------------------------------------------


def test_a_filter_compares_the_rows_it_keeps_with_all() -> None:
    people = trips(200, weighted=True)
    kept = people.columns["age"] > 40
    found = compared({"filter": "age > 40"}, population=people, segments=["home"])
    outcome = found.policies["it"]
    p, weights = Softmax().probabilities(MODEL.utility(people)), people.weights
    assert weights is not None
    for place, group in enumerate(["all", "city", "farm", "town"]):
        member = np.ones(200, dtype=bool) if group == "all" else people.columns["home"] == group
        after = np.average(p[member & kept], axis=0, weights=weights[member & kept])
        before = np.average(p[member], axis=0, weights=weights[member])
        np.testing.assert_allclose(outcome.shares[place], after, rtol=1e-12)
        np.testing.assert_allclose(outcome.share_change[place], after - before, rtol=0, atol=1e-14)
        assert outcome.rows[place] == (member & kept).sum()
        assert outcome.left_out[place] == (member & ~kept).sum()
    assert outcome.switched_share[0] == 0
    np.testing.assert_array_equal(outcome.welfare.by_row[kept], 0)


def test_rows_a_filter_drops_need_neither_numbers_nor_anything_available() -> None:
    people = Population(
        agents=[1, 2, 3],
        columns={"cost": [1.0, 2.0, 3.0], "fare": [1.0, np.nan, 1.0], "age": [20.0, 30.0, 40.0]},
    )
    model = ChoiceModel({"stay": "0", "go": "-cost"})
    policy = {"filter": "age != 30", "change": {"go": {"cost": "fare"}}, "availability": {"stay": "age != 30"}}
    outcome = compared(policy, model=model, population=people).policies["it"]
    assert outcome.rows.tolist() == [2]
    without = {**policy, "filter": ""}
    with pytest.raises(DataError, match=r"under policy 'it': .*the number is missing"):
        compared(without, model=model, population=people)


# --- tables ---------------------------------------------------------------------------------------------------------


def test_the_long_table_holds_what_the_arrays_hold() -> None:
    found = run(trips(60, weighted=True))
    table = found.to_frame(confidence=0.9)
    assert len(table) == len(POLICIES) * 4 * 4
    outcome = found.policies["old"]
    rows = table[(table["policy"] == "old") & (table["group"] == "farm")]
    assert rows["alternative"].tolist() == ["walk", "bus", "car", "cab"]
    np.testing.assert_array_equal(rows["rows"], outcome.rows[2])
    np.testing.assert_allclose(rows["baseline_share"] + rows["share_change"], rows["policy_share"], rtol=1e-14)
    np.testing.assert_array_equal(rows["policy_share"], outcome.shares[2])
    estimate = outcome.estimate(0.9)
    for column, values in {
        "simulated_share_change": estimate.change,
        "standard_error": estimate.standard_error,
        "lower": estimate.lower,
        "upper": estimate.upper,
        "agents_lower": outcome.interval_over_agents(0.9)[0],
        "agents_upper": outcome.interval_over_agents(0.9)[1],
        "parameters_lower": outcome.interval_over_parameters(0.9)[0],
        "parameters_upper": outcome.interval_over_parameters(0.9)[1],
        "variance_reduction": estimate.reduction,
    }.items():
        np.testing.assert_array_equal(rows[column], values[2])
    np.testing.assert_array_equal(found.simulated_share_change.loc["old"], estimate.change[0])
    np.testing.assert_array_equal(found.share_change.loc["old"], outcome.share_change[0])


def test_a_comparison_says_what_it_is() -> None:
    found = run(trips(20, situations=2))
    assert (found.n_agents, found.n_rows, found.replications, found.seed) == (20, 40, 6, 3)
    assert (found.weighted, found.money) == (False, "b_cost")
    assert "8 policies, 40 rows, 4 alternatives, 6 replications, seed 3" in repr(found)
    assert "'hard'" in repr(found.policies["hard"])
    assert found._repr_html_().startswith("<table")
    assert found.policies["hard"].sampling == "coherent"
