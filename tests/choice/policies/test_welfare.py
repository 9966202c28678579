"""Welfare: changes of every row against closed forms, and what they come to by weight and group."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import ChoiceModel, Hardmax, InvalidInputError, Policy, Population, Softmax
from choicekit.choice.policies.welfare import WelfareChange, weighted_quantiles
from tests.choice.policies.trips import UTILITIES, World, compared, trips, worlds
from tests.tolerances import ALGEBRA

LN2 = np.log(2)


def logsum(utility: np.ndarray) -> np.ndarray:
    return np.asarray(np.log(np.exp(utility).sum(axis=1)))


def test_changes_are_those_of_the_logsum() -> None:
    people = trips(60, weighted=True)
    found = compared({"attributes": {"cost": "cost / 2 + 1"}}, population=people, segments=["home"], money="b_cost")
    outcome = found.policies["it"]
    cost, time, age = (people.columns[name] for name in ("cost", "time", "age"))
    before = np.column_stack(
        [-0.25 * time[:, 0], 0.5 - 0.5 * cost[:, 1] - 0.25 * time[:, 1], 1 - 0.5 * cost[:, 2] - 0.25 * time[:, 2]]
    )
    before[:, 2] += 0.02 * age
    after = before + (-0.5 * (1 - cost / 2)) * [0, 1, 1]
    expected = logsum(after) - logsum(before)
    assert 0 < (expected > 0).mean() < 1
    welfare, weights = outcome.welfare, people.weights
    assert weights is not None
    np.testing.assert_allclose(welfare.by_row, expected, rtol=0, atol=ALGEBRA)
    for place, group in enumerate(["all", "city", "farm", "town"]):
        member = np.ones(60, dtype=bool) if group == "all" else people.columns["home"] == group
        weight, gain = weights[member], expected[member]
        total = weight.sum()
        assert welfare.total[place] == pytest.approx((weight * gain).sum(), rel=1e-12)
        assert welfare.mean[place] == pytest.approx((weight * gain).sum() / total, rel=1e-12)
        assert welfare.gain[place] == pytest.approx(weight[gain > 0].sum() / total, rel=1e-12)
        assert welfare.lose[place] == pytest.approx(weight[gain < 0].sum() / total, rel=1e-12)
        assert welfare.unchanged[place] == 0
        assert welfare.mean_gain[place] == pytest.approx(np.average(gain[gain > 0], weights=weight[gain > 0]))
        assert welfare.mean_loss[place] == pytest.approx(np.average(gain[gain < 0], weights=weight[gain < 0]))
        assert welfare.least[place] == pytest.approx(gain[weight > 0].min())
        assert welfare.most[place] == pytest.approx(gain[weight > 0].max())
    money = outcome.money_welfare
    assert money is not None
    np.testing.assert_allclose(money.by_row, 2 * welfare.by_row, rtol=1e-14)


def test_the_table_shows_everybody() -> None:
    found = compared({"remove": ["bus"]}, money="b_cost")
    welfare, row = found.policies["it"].welfare, found.welfare_change.loc["it"]
    for name in ("mean", "total", "median", "least", "most"):
        assert row[name] == getattr(welfare, name)[0]
        assert row[f"money_{name}"] == pytest.approx(2 * row[name], rel=1e-12)
    assert row["gain_share"] + row["lose_share"] + row["unchanged_share"] == pytest.approx(1)
    assert row["lose_share"] == 1
    assert "money_mean" not in compared({"remove": ["bus"]}).welfare_change


def test_money_may_differ_by_agent() -> None:
    people = trips(50)
    outcome = compared({"remove": ["bus"]}, population=people, money="b_cost * 40 / age").policies["it"]
    money = outcome.money_welfare
    assert money is not None
    np.testing.assert_allclose(money.by_row, outcome.welfare.by_row / (0.5 * 40 / people.columns["age"]), rtol=1e-13)
    assert money.mean[0] == pytest.approx(money.by_row.mean(), rel=1e-12)


def test_a_further_alternative_as_good_as_two_others_is_worth_a_known_sum() -> None:
    """From log 2 to log 4 with two more; times T at another temperature; nothing under the hard maximum."""
    new = {name: {"utility": "0"} for name in ("tram", "boat")}
    people = trips(9)
    for rule, worth in ((Softmax(), LN2), (Softmax(3.0), 3 * LN2), (Softmax(0.0), 0.0), (Hardmax(), 0.0)):
        model = ChoiceModel({"walk": "0", "bus": "0"}, rule=rule)
        welfare = compared({"add": new}, model=model, population=people).policies["it"].welfare
        np.testing.assert_allclose(welfare.by_row, worth, rtol=1e-15)
        assert welfare.unchanged[0] == (worth == 0)


@given(worlds(), st.sampled_from([-3.0, 0.125, 2.0, 50.0]))
def test_a_constant_added_to_all_utilities_is_the_change_and_nothing_else_changes(
    world: World, constant: float
) -> None:
    model, people = world.model, world.population
    if model.on_no_alternative == "outside":  # the outside option has utility 0, whatever else is added to
        model = replace(model, on_no_alternative="skip")
    if not model.available(people).any():
        return
    model = replace(
        model,
        utilities={name: f"shift + {text}" for name, text in UTILITIES.items()},
        coefficients={**model.coefficients, "shift": 0.0},
    )
    policy = {"coefficients": {"shift": constant}}
    outcome = compared(policy, model=model, population=people, **world.settings).policies["it"]
    welfare = outcome.welfare
    known = ~np.isnan(welfare.by_row)
    assert known.sum() == outcome.rows[0]
    scale = (50 + 10) * ALGEBRA
    np.testing.assert_allclose(welfare.by_row[known], constant, rtol=0, atol=scale)
    np.testing.assert_allclose(welfare.mean[outcome.weight > 0], constant, rtol=0, atol=scale)
    nothing = outcome.weight == 0
    np.testing.assert_allclose(outcome.share_change[~nothing], 0, atol=100 * scale)
    assert not np.nan_to_num(outcome.change_by_replication).any()
    assert not outcome.pair.switched.any()


@given(worlds())
def test_gainers_losers_and_others_are_everybody(world: World) -> None:
    outcome = compared(
        {"attributes": {"age": "70 - age"}}, model=world.model, population=world.population, **world.settings
    ).policies["it"]
    welfare = outcome.welfare
    there = outcome.weight > 0
    np.testing.assert_allclose((welfare.gain + welfare.lose + welfare.unchanged)[there], 1, rtol=1e-12)
    assert np.isnan(welfare.gain[~there]).all()
    assert np.isnan(welfare.mean[~there]).all()
    assert np.isnan(welfare.median[~there]).all()
    assert np.all(welfare.least[there] <= welfare.median[there])
    assert np.all(welfare.median[there] <= welfare.most[there])


def test_rounding_is_no_gain() -> None:
    """A thousand added and taken away again leaves rounding, which nobody feels."""
    model = ChoiceModel({"walk": "1000 * b + 0.1 * time", "bus": "1000 * b + 0.3"}, {"b": 1.0})
    policy = {"change": {"walk": {"time": "(time + 1e6) - 1e6 + 1e-13"}}}
    welfare = compared(policy, model=model).policies["it"].welfare
    assert np.any(welfare.by_row != 0)
    assert welfare.unchanged[0] == 1
    small = compared({"change": {"walk": {"time": "time + 1e-6"}}}, model=model).policies["it"].welfare
    assert small.gain[0] == 1


def test_rows_that_a_filter_drops_have_no_change() -> None:
    people = trips(50)
    kept = people.columns["age"] > 30
    outcome = compared({"filter": "age > 30", "remove": ["bus"]}, population=people, segments=["home"]).policies["it"]
    whole = compared({"remove": ["bus"]}, population=people).policies["it"]
    np.testing.assert_array_equal(np.isnan(outcome.welfare.by_row), ~kept)
    np.testing.assert_array_equal(outcome.welfare.by_row[kept], whole.welfare.by_row[kept])
    assert outcome.welfare.mean[0] == pytest.approx(whole.welfare.by_row[kept].mean(), rel=1e-12)
    assert outcome.welfare.total[0] == pytest.approx(whole.welfare.by_row[kept].sum(), rel=1e-12)


# --- the class by itself --------------------------------------------------------------------------------------------


def changes(values: list[float], weights: list[float], *groups: list[int]) -> WelfareChange:
    rows = tuple(np.array(group, dtype=np.int64) for group in ([*range(len(values))], *groups))
    return WelfareChange(
        by_row=np.array(values), rounding=np.full(len(values), 1e-9), weights=np.array(weights), groups=rows
    )


def test_known_sums() -> None:
    nan = np.nan
    welfare = changes([1.0, -2.0, 0.0, nan, 4.0, 1e-10], [1.0, 1.0, 2.0, 5.0, 0.0, 4.0], [0, 1], [3], [4], [])
    np.testing.assert_allclose(welfare.total, [-1 + 4e-10, -1, 0, 0, 0])
    np.testing.assert_allclose(welfare.mean, [(-1 + 4e-10) / 8, -0.5, nan, nan, nan])
    np.testing.assert_allclose(welfare.gain, [1 / 8, 0.5, nan, nan, nan])
    np.testing.assert_allclose(welfare.lose, [1 / 8, 0.5, nan, nan, nan])
    np.testing.assert_allclose(welfare.unchanged, [6 / 8, 0, nan, nan, nan])
    np.testing.assert_allclose(welfare.mean_gain, [1, 1, nan, nan, nan])
    np.testing.assert_allclose(welfare.mean_loss, [-2, -2, nan, nan, nan])
    np.testing.assert_allclose(welfare.least, [-2, -2, nan, nan, nan])
    np.testing.assert_allclose(welfare.most, [1, 1, nan, nan, nan])
    np.testing.assert_allclose(
        welfare.histogram([-3, -1, 0.5, 3]), [[1 / 8, 6 / 8, 1 / 8], [0.5, 0, 0.5], *[[nan] * 3] * 3]
    )
    assert "6 rows, 5 groups" in repr(welfare)


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 5)), min_size=1, max_size=30),
    st.sampled_from([1.0, 0.1, 3]),
)
def test_a_whole_weight_is_as_many_rows(pairs: list[tuple[float, int]], unit: float) -> None:
    levels = [0.0, 0.1, 0.25, 0.5, 0.9, 1.0]
    values, times = np.array([value for value, _ in pairs]), np.array([number for _, number in pairs])
    found = weighted_quantiles(values, times * unit, levels)
    repeated = np.quantile(np.repeat(values, times), levels, method="averaged_inverted_cdf")
    np.testing.assert_allclose(found, repeated, rtol=1e-9, atol=1e-6)


def test_the_median_of_equal_weights_is_the_usual() -> None:
    values = np.random.default_rng(1).normal(size=11)
    for some in (values, values[:10]):
        assert weighted_quantiles(some, np.ones(some.size), [0.5])[0] == pytest.approx(np.median(some), rel=1e-15)


@given(st.data())
def test_quantiles_by_weight_rise_and_stay_among_the_values(data: st.DataObject) -> None:
    values = np.array(data.draw(st.lists(st.floats(-100, 100), min_size=1, max_size=20)))
    weights = np.array(data.draw(st.lists(st.floats(0.01, 100), min_size=values.size, max_size=values.size)))
    levels = np.linspace(0, 1, 21)
    found = weighted_quantiles(values, weights, levels.tolist())
    assert np.all(np.diff(found) >= 0)
    assert (found[0], found[-1]) == (values.min(), values.max())
    order = np.random.default_rng(1).permutation(values.size)
    np.testing.assert_allclose(weighted_quantiles(values[order], weights[order], levels.tolist()), found, atol=1e-9)


def test_nearly_all_weight_on_one_value_makes_it_the_median() -> None:
    values = np.array([1.0, 2.0, 3.0])
    assert weighted_quantiles(values, np.array([1.0, 1e6, 1.0]), [0.5])[0] == pytest.approx(2.0)


def test_a_large_weight_pulls_the_median_of_a_comparison() -> None:
    people = Population(agents=[1, 2, 3], columns={"x": [0.0, 1.0, 2.0]}, weights=[1.0, 1.0, 98.0])
    model = ChoiceModel({"stay": "0", "go": "x - 50"}, rule=Hardmax())
    welfare = compared(Policy(coefficients={}, change={"go": {"x": "x + 60"}}), model=model, population=people)
    assert 11.4 < welfare.policies["it"].welfare.median[0] <= 12


@pytest.mark.parametrize("bad", [-1e4, -1e9, -1e12, -1e300])
def test_an_alternative_nobody_wants_hides_no_gain(bad: float) -> None:
    model = ChoiceModel({"stay": "0", "go": "-cost", "never": repr(bad)})
    people = Population(agents=[1, 2, 3], columns={"cost": [1.0, 2.0, 3.0]})
    welfare = (
        compared({"change": {"go": {"cost": "cost - 1e-6"}}}, model=model, population=people).policies["it"].welfare
    )
    assert (welfare.gain[0], welfare.unchanged[0]) == (1.0, 0.0)


def test_rows_left_with_the_outside_option_alone_do_not_gain() -> None:
    """Against an outside option of 0, losing all there is at -5 would look like a gain of 5."""
    model = ChoiceModel({"go": "-5 - cost", "run": "-6"}, on_no_alternative="outside", availability={"run": "cost < 2"})
    people = Population(agents=[1, 2, 3], columns={"cost": [1.0, 2.0, 3.0]})
    found = compared({"remove": ["go"]}, model=model, population=people, bootstrap=5)
    outcome = found.policies["it"]
    assert np.isnan(outcome.welfare.by_row).tolist() == [False, True, True]
    assert (outcome.welfare.gain[0], outcome.welfare.lose[0]) == (0.0, 1.0)
    assert (outcome.stranded[0], outcome.joined[0]) == (2, 0)
    assert outcome.agents is not None
    assert np.nanmax(outcome.agents.value_change[:, 0], initial=-1) < 0


def test_the_mean_has_its_intervals() -> None:
    found = compared(
        {"attributes": {"cost": "cost / 2"}},
        money="b_cost",
        bootstrap=60,
        covariance=pd.DataFrame([[0.001]], ["b_cost"], ["b_cost"]),
    )
    outcome, row = found.policies["it"], found.welfare_change.loc["it"]
    for source, replicates in (("agents", outcome.agents), ("parameters", outcome.parameters)):
        assert replicates is not None
        lower, upper = np.quantile(replicates.value_change[:, 0], [0.025, 0.975])
        assert (row[f"{source}_lower"], row[f"{source}_upper"]) == pytest.approx((lower, upper), rel=1e-12)
        assert lower < row["mean"] < upper
        assert row[f"money_{source}_lower"] < row["money_mean"] < row[f"money_{source}_upper"]
    assert np.isnan(compared({}).policies["it"].welfare_interval("agents")).all()
    with pytest.raises(InvalidInputError, match="source must be 'agents' or 'parameters', found 'draws'"):
        outcome.welfare_interval("draws")  # type: ignore[arg-type]
