"""Coverage: over many simulated data sets 90 % intervals cover the truth in 90 %, for each kind of error.

Marked slow with 400 data sets each; the same with fewer, and so with a wider bound, runs always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from choicekit import ChoiceModel, CoefficientCovariance, Population, Softmax, compare_policies
from choicekit.choice.policies.estimates import Replicates
from tests.choice.policies.trips import MODEL, softmax_by_hand, trips

CONFIDENCE = 0.9
SIZES = [50, pytest.param(400, marks=pytest.mark.slow)]
MODES = ("walk", "bus", "car")

Interval = tuple[np.ndarray, np.ndarray]


def assert_covers(interval_of: Callable[[int], Interval], truth: np.ndarray, sets: int) -> None:
    """The part of data sets whose interval holds the truth is 90 % within three binomial standard errors; few: four."""
    inside = []
    for number in range(sets):
        lower, upper = interval_of(number)
        inside.append((lower <= truth) & (truth <= upper))
    covered = np.mean(inside, axis=0)
    bound = (3 if sets >= 400 else 4) * np.sqrt(CONFIDENCE * (1 - CONFIDENCE) / sets)
    assert np.all(np.abs(covered - CONFIDENCE) <= bound), covered


# --- simulation: other draws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sets", SIZES)
@pytest.mark.parametrize(
    ("policy", "sampling"),
    [
        ({"change": {"bus": {"cost": "0.3 * cost"}}}, "coherent"),
        ({"attributes": {"time": "9 - time"}}, "coherent"),
        ({"filter": "age > 30", "rule": Softmax(2.0)}, "coherent"),
        ({"attributes": {"time": "9 - time"}}, "fast"),
    ],
    ids=["one better", "all change", "filter and rule", "fast"],
)
@pytest.mark.parametrize(("agents", "replications"), [(20, 10), (300, 40)])
def test_simulation_error(agents: int, replications: int, policy: dict[str, Any], sampling: str, sets: int) -> None:
    people = trips(agents, seed=8)
    settings: dict[str, Any] = {"replications": replications, "bootstrap": 0, "sampling": sampling}

    def interval_of(number: int) -> Interval:
        found = compare_policies(MODEL, people, {"it": policy}, seed=number, **settings)
        estimate = found.policies["it"].estimate(CONFIDENCE)
        return estimate.lower[0], estimate.upper[0]

    truth = compare_policies(MODEL, people, {"it": policy}, seed=0, **settings).policies["it"].share_change[0]
    assert_covers(interval_of, truth, sets)


# --- agents: other people -------------------------------------------------------------------------------------------


def crowd(rng: np.random.Generator, agents: int, situations: int) -> Population:
    """Draw people who differ lastingly and, less so, from one situation to the next."""
    rows = agents * situations
    lasting = np.repeat(rng.normal(size=(agents, 1)), situations, axis=0)
    passing = rng.normal(size=(rows, 3))
    return Population(
        agents=np.repeat(np.arange(agents), situations),
        situations=np.tile(np.arange(situations), agents) if situations > 1 else None,
        alternatives=MODES,
        columns={
            "cost": np.exp(0.6 * lasting + 0.3 * passing),
            "time": 3 + lasting * [[1.0, -1.0, 0.5]] + 0.5 * rng.normal(size=(rows, 3)),
            "age": rng.integers(20, 70, rows).astype(float),
        },
    )


def changed_by_hand(people: Population) -> tuple[np.ndarray, float]:
    """Change of shares and mean welfare where the bus costs half, by formulas of its own."""
    cost, time, age = (people.columns[name] for name in ("cost", "time", "age"))
    before = -0.25 * time + [0, 0.5, 1] - 0.5 * cost * [0, 1, 1] + 0.02 * age[:, None] * [0, 0, 1]
    after = before + 0.25 * cost * [0, 1, 0]
    shares = (softmax_by_hand(after) - softmax_by_hand(before)).mean(axis=0)
    gain = np.log(np.exp(after).sum(axis=1)) - np.log(np.exp(before).sum(axis=1))
    return shares, float(gain.mean())


@pytest.mark.parametrize("sets", SIZES)
@pytest.mark.parametrize(("agents", "situations"), [(150, 1), (100, 5)])
def test_sampling_error_of_the_agents(agents: int, situations: int, sets: int) -> None:
    shares, gain = changed_by_hand(crowd(np.random.default_rng(0), 1_000_000 // situations, situations))
    policy = {"change": {"bus": {"cost": "0.5 * cost"}}}

    def interval_of(number: int) -> Interval:
        people = crowd(np.random.default_rng([1, number]), agents, situations)
        found = compare_policies(MODEL, people, {"it": policy}, seed=number, replications=1, bootstrap=300)
        agents_of = found.policies["it"].agents
        assert agents_of is not None
        table = np.column_stack([agents_of.share_change[:, 0], agents_of.value_change[:, 0]])
        return Replicates.interval(table, CONFIDENCE)

    assert_covers(interval_of, np.append(shares, gain), sets)


# --- parameters: other estimates ------------------------------------------------------------------------------------

LOGIT = ChoiceModel(
    {"walk": "b_time * time", "bus": "asc + b_cost * cost + b_time * time", "car": "b_cost * cost + b_time * time"},
    {"asc": 0.5, "b_cost": -0.5, "b_time": -0.25},
)


def estimated(attributes: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum likelihood by Newton's method: attributes (N, J, K), positions chosen (N,); estimates, covariance."""
    theta = np.zeros(attributes.shape[2])
    for _ in range(12):
        p = softmax_by_hand(attributes @ theta)
        mean = np.einsum("nj,njk->nk", p, attributes)
        score = (attributes[np.arange(len(chosen)), chosen] - mean).sum(axis=0)
        off = attributes - mean[:, None]
        information = np.einsum("nj,njk,njl->kl", p, off, off)
        theta = theta + np.linalg.solve(information, score)
    return theta, np.linalg.inv(information)


@pytest.mark.parametrize("sets", SIZES)
def test_parameter_error(sets: int) -> None:
    people = trips(250, seed=4)
    cost, time = people.columns["cost"], people.columns["time"]
    ones = np.ones(cost.shape)
    attributes = np.stack([ones * [0, 1, 0], cost * [0, 1, 1], time], axis=2)
    true = np.array(list(LOGIT.coefficients.values()))
    cumulated = softmax_by_hand(attributes @ true).cumsum(axis=1)
    policy = {"change": {"bus": {"cost": "0.5 * cost"}}, "attributes": {"time": "0.9 * time"}}
    settings: dict[str, Any] = {"replications": 1, "bootstrap": 0}
    draws = 200 if sets >= 400 else 80

    def interval_of(number: int) -> Interval:
        uniform = np.random.default_rng([2, number]).random((250, 1))
        theta, covariance = estimated(attributes, (uniform > cumulated).sum(axis=1))
        model = LOGIT.with_coefficients(dict(zip(LOGIT.coefficients, theta.tolist(), strict=True)))
        errors = CoefficientCovariance(tuple(LOGIT.coefficients), covariance)
        found = compare_policies(
            model, people, {"it": policy}, seed=number, covariance=errors, parameter_draws=draws, **settings
        )
        drawn = found.policies["it"].parameters
        assert drawn is not None
        return Replicates.interval(np.column_stack([drawn.share_change[:, 0], drawn.value_change[:, 0]]), CONFIDENCE)

    outcome = compare_policies(LOGIT, people, {"it": policy}, seed=0, **settings).policies["it"]
    assert_covers(interval_of, np.append(outcome.share_change[0], outcome.welfare.mean[0]), sets)


def test_the_interval_of_the_aggregate_is_not_the_mean_of_the_rows_quantiles() -> None:
    """Agents whom an uncertain taste moves in opposite ways: each is uncertain, and their mean hardly."""
    people = Population(agents=np.arange(200), columns={"x": np.where(np.arange(200) < 70, -1.0, 1.0)})
    model = ChoiceModel({"stay": "0", "go": "taste * x", "run": "-1"}, {"taste": 0.2})
    errors = CoefficientCovariance.from_standard_errors({"taste": 0.3})
    settings: dict[str, Any] = {"seed": 1, "replications": 1, "bootstrap": 0, "covariance": errors, "segments": ["x"]}
    found = compare_policies(model, people, {"it": {"attributes": {"x": "1.5 * x"}}}, **settings).policies["it"]
    lower, upper = found.interval_over_parameters(CONFIDENCE)
    assert found.parameters is not None
    drawn = found.parameters.share_change[..., 1]
    by_row = drawn[:, np.where(people.columns["x"] < 0, 1, 2)]  # agents of a group are alike: its change is theirs
    of_rows = np.quantile(by_row, [0.05, 0.95], axis=0).mean(axis=1)
    assert np.diff(of_rows)[0] > 2.7 * (upper - lower)[0, 1]
    exact = np.quantile(by_row.mean(axis=1), [0.05, 0.95])
    np.testing.assert_allclose([lower[0, 1], upper[0, 1]], exact, rtol=0, atol=1e-14)
