"""Estimates of a change: variances against brute force and the law, intervals of replicates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import ChoiceModel, InvalidInputError, Policy, PolicyOutcome, Population, Softmax
from choicekit.choice.policies.estimates import Replicates, check_confidence
from tests.choice.policies.trips import MODEL, World, compared, trips, worlds
from tests.tolerances import ALGEBRA, MONTE_CARLO

POLICIES: dict[str, dict[str, Any]] = {
    "one better": {"change": {"bus": {"cost": "0.3 * cost"}}},
    "all change": {"coefficients": {"b_cost": "2 * b_cost"}, "attributes": {"time": "9 - time"}},
    "removed": {"remove": ["car"]},
    "added": {"add": {"cab": {"columns_like": "car"}}},
    "hotter": {"rule": Softmax(3.0)},
    "everybody included": {"add": {"stay": {"utility": "0"}, "rest": {"utility": "-0.5"}}},
    "filtered": {"filter": "age > 40"},
    "filtered and changed": {"filter": "age > 25", "attributes": {"time": "9 - time"}},
    "restricted": {"availability": {"walk": "age < 40", "car": "age > 30"}},
}
MANY = 3000


def simulated(policy: dict[str, Any], *, replications: int = MANY, **settings: Any) -> PolicyOutcome:
    people = trips(25, seed=2, weighted=True, restricted=0.5)
    model = replace(MODEL, on_no_alternative="skip")
    found = compared(policy, model=model, population=people, replications=replications, segments=["home"], **settings)
    return found.policies["it"]


def assert_variance(series: np.ndarray, expected: np.ndarray) -> None:
    """The sample variance along the first axis is within five of its standard errors, by the fourth moment."""
    off = series - series.mean(axis=0)
    variance = (off**2).mean(axis=0)
    error = np.sqrt(((off**4).mean(axis=0) - variance**2) / len(series))
    assert np.all(np.abs(variance - expected) <= MONTE_CARLO * error + 1e-15)


@pytest.mark.parametrize("sampling", ["coherent", "fast"])
@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
def test_variances_are_those_of_many_replications(policy: dict[str, Any], sampling: str) -> None:
    outcome = simulated(policy, sampling=sampling)
    estimate, changes = outcome.estimate(), outcome.change_by_replication
    assert_variance(changes, estimate.variance)
    before, after = (case.count / case.weight[:, None] for case in (outcome.before, outcome.after))
    shuffled = np.roll(after, 1, axis=0) - before  # of other replications, so that nothing pairs them
    assert_variance(shuffled, estimate.unpaired_variance)


@pytest.mark.parametrize("policy", POLICIES.values(), ids=list(POLICIES))
def test_simulated_changes_tend_to_the_expected_ones(policy: dict[str, Any]) -> None:
    outcome = simulated(policy)
    estimate = outcome.estimate()
    gap = np.abs(estimate.change - outcome.share_change)
    assert np.all(gap <= MONTE_CARLO * estimate.standard_error + 1e-14)


def least_variance(outcome: PolicyOutcome) -> np.ndarray:
    """Variance of one replication's change, over everybody, if nobody moved both to and from an alternative."""
    study = outcome.study
    before, after = (case.rows(slice(None)) for case in (study.cases[0], study.cases[1]))
    p, q, weights = before.probabilities, after.probabilities, study.weights(slice(None))
    a = np.where(after.chooses, weights, 0.0)[:, None] / weights[after.chooses].sum()
    b = np.where(before.chooses, weights, 0.0)[:, None] / weights[before.chooses].sum()
    both = (before.chooses & after.chooses)[:, None]
    joint = np.where(both, np.minimum(p, q), 0.0)
    return np.asarray((a**2 * q + b**2 * p - 2 * a * b * joint - (a * q - b * p) ** 2).sum(axis=0))


@given(worlds(), st.sampled_from(list(POLICIES)))
def test_a_variance_is_never_below_what_the_law_allows(world: World, name: str) -> None:
    policy = POLICIES[name]
    keeping = {"filter": "age > 4"} if "filter" in policy else {}  # a narrower one may keep nobody among a few agents
    model = replace(world.model, on_no_alternative="skip")
    outcome = compared({**policy, **keeping}, model=model, population=world.population, **world.settings).policies["it"]
    with np.errstate(divide="ignore", invalid="ignore"):
        least = least_variance(outcome)
    variance = outcome.estimate().variance[0]
    assert np.all((variance >= least * (1 - 1e-9) - 1e-15) | np.isnan(least))


@given(st.integers(1, 60), st.integers(0, 2**64 - 1), st.sampled_from(["bus", "car"]))
def test_where_moves_go_one_way_the_variance_is_that_of_the_law(n: int, seed: int, better: str) -> None:
    """Even from one replication: what moves agents one way moves none back, so there is nothing to count."""
    policy = {"change": {better: {"cost": "0.2 * cost"}}}
    outcome = compared(policy, population=trips(n), seed=seed, replications=1).policies["it"]
    np.testing.assert_allclose(outcome.estimate().variance[0], least_variance(outcome), rtol=1e-9, atol=1e-16)


def test_moves_both_ways_count_though_shares_do_not_change() -> None:
    """Two alternatives change places for those of even age: nobody knows whom that moves, shares stay as they are."""
    model = ChoiceModel({"walk": "where(age > 0, 1, 2)", "bus": "where(age > 0, 2, 1)"})
    people = Population(agents=np.arange(400), columns={"age": np.tile([1.0, -1.0], 200)})
    outcome = compared({"attributes": {"age": "-age"}}, model=model, population=people, replications=400).policies["it"]
    moves = 2 / (1 + np.exp(-1)) - 1  # part of the agents who change places: what is better takes this part over
    np.testing.assert_allclose(outcome.share_change, 0, atol=1e-15)
    error = 1 / np.sqrt(moves * 400 * 400)  # of their number, relative to it
    np.testing.assert_allclose(outcome.estimate().variance[0], (moves - moves**2) / 400, rtol=MONTE_CARLO * error)


def test_the_variance_reduction_is_the_ratio_and_nan_where_nothing_varies() -> None:
    estimate = compared({"change": {"bus": {"cost": "0.9 * cost"}}}).policies["it"].estimate()
    np.testing.assert_allclose(estimate.reduction, estimate.unpaired_variance / estimate.variance)
    assert np.all(estimate.reduction > 5)
    added = compared({"add": {"never": {"utility": "-2000"}}}).policies["it"].estimate()
    assert np.isnan(added.reduction[0, 3])
    assert np.all(np.isinf(added.reduction[0, :3]))


def test_intervals_are_normal_ones_of_the_stated_confidence() -> None:
    outcome = compared({"change": {"bus": {"cost": "0.5 * cost"}}}).policies["it"]
    wide, narrow = outcome.estimate(), outcome.estimate(0.5)
    np.testing.assert_allclose(wide.standard_error, np.sqrt(wide.variance / 20))
    np.testing.assert_allclose(wide.half_width, 1.959963984540054 * wide.standard_error, rtol=ALGEBRA)
    np.testing.assert_allclose(narrow.half_width, 0.674489750196082 * wide.standard_error, rtol=ALGEBRA)
    np.testing.assert_allclose(wide.upper - wide.change, wide.half_width, atol=ALGEBRA)
    np.testing.assert_allclose(wide.change - wide.lower, wide.half_width, atol=ALGEBRA)


def test_one_replication_of_one_agent_has_an_interval() -> None:
    outcome = compared({"change": {"bus": {"cost": "0.5 * cost"}}}, population=trips(1), replications=1).policies["it"]
    estimate = outcome.estimate()
    change = outcome.share_change[0]
    assert np.all(estimate.variance[0] >= np.abs(change) - change**2 - 1e-15)
    assert np.all(np.isfinite(estimate.half_width))


@pytest.mark.parametrize("wrong", [0, 1, 1.5, -0.1, np.nan, "0.9", True])
def test_a_confidence_is_strictly_between_0_and_1(wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"confidence must be a number between 0 and 1 such as 0\.95, found"):
        check_confidence(wrong)
    with pytest.raises(InvalidInputError, match="confidence must be"):
        compared(Policy(remove=["bus"])).policies["it"].estimate(wrong)


def test_quantiles_pass_over_resamples_in_which_a_group_is_empty() -> None:
    values = np.linspace(0, 1, 101)
    table = np.column_stack([values, np.where(values < 0.5, np.nan, values), np.full(101, np.nan)])
    lower, upper = Replicates.interval(table, 0.8)
    np.testing.assert_allclose(lower, [0.1, 0.55, np.nan])
    np.testing.assert_allclose(upper, [0.9, 0.95, np.nan])
