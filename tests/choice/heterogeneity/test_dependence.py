"""Errors where an agent's rows depend on each other, and where expected shares are themselves integrated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choicekit import ChoiceModel, ChoiceOutcome, Hardmax, Integration, LatentClass, Normal, compare_policies
from choicekit.choice.intervals import agreement_p_value, dependent_variance, joint_degrees, two_sided_tail
from choicekit.choice.simulation import build_study, run_study, simulate_choices
from tests.choice.heterogeneity.commuters import commuters, model
from tests.tolerances import assert_monte_carlo

FEW = Integration(points=8)
PANEL = {
    "coefficients": model({"b_time": Normal(-0.5, 1.5), "asc_bus": Normal(0.4, 2.0)}, integration=FEW),
    "classes": model(
        classes={
            "riders": LatentClass(share=0.4, coefficients={"asc_bus": 4.0}),
            "others": LatentClass(share=0.6, coefficients={"asc_bus": -4.0}),
        }
    ),
}
panel = pytest.mark.parametrize("given", PANEL.values(), ids=PANEL.keys())


@panel
@pytest.mark.parametrize("weighted", [False, True])
def test_the_variance_is_that_of_many_replications(given: ChoiceModel, weighted: bool) -> None:
    outcome = simulate_choices(given, commuters(40, situations=6, weighted=weighted), seed=1, replications=200)
    shares = outcome.shares_by_replication()[:, 0]
    assert outcome.study.types.dependent
    ratio = outcome.known_variance_by_group()[0] / shares.var(axis=0, ddof=1)
    np.testing.assert_allclose(ratio, 1, rtol=1e-9)
    tally = outcome.tally
    total = tally.weight[0] if weighted else tally.rows[0]
    independent = (tally.weighted_variance if weighted else tally.variance)[0] / total**2
    assert np.any(shares.var(axis=0) > 2 * independent)  # so that it matters


@panel
def test_intervals_cover_the_expected_share(given: ChoiceModel) -> None:
    people, covered, count = commuters(12, situations=5), 0, 0
    exact = simulate_choices(given, people, seed=999, replications=1).expected_by_group()
    for seed in range(60):
        estimate = simulate_choices(given, people, seed=seed, replications=6).estimate_by_group()
        covered += int(np.sum((estimate.lower <= exact) & (exact <= estimate.upper)))
        count += exact.size
    # the three shares of a simulation depend on each other: count them as one
    assert_monte_carlo(covered / count, 0.95, np.sqrt(0.95 * 0.05 / 60))


@panel
def test_agreement_is_as_rare_as_it_says(given: ChoiceModel) -> None:
    people = commuters(30, situations=5)
    tails = np.array([simulate_choices(given, people, seed=s, replications=20).agreement for s in range(40)])
    assert np.sum(tails < 0.1) <= 12  # 4 expected
    assert tails.min() > 1e-4
    assert np.median(tails) < 0.9


def test_many_replications_do_not_disagree_with_few_points() -> None:
    """One agent and four points: the integration error is larger than that of 6,000 replications."""
    given = model({"b_time": Normal(-0.5, 3.0), "asc_bus": Normal(0.0, 3.0)}, integration=Integration(points=4))
    outcomes = [simulate_choices(given, commuters(1), seed=seed, replications=6_000) for seed in range(2)]
    assert all(outcome.agreement > 1e-3 for outcome in outcomes)
    simulation = outcomes[0].estimate_by_group().standard_error[0]
    assert np.any(outcomes[0].integration_error_by_group()[0] > simulation)


def test_what_no_point_meets_may_still_be_drawn() -> None:
    given = ChoiceModel({"bus": "b", "car": "0"}, {"b": Normal(-3.0, 1.0)}, rule=Hardmax(), integration=FEW)
    outcome = simulate_choices(given, commuters(1), seed=1, replications=2_000)
    assert outcome.expected_shares["bus"] == 0
    assert outcome.simulated_shares["bus"] > 0
    assert outcome.agreement > 1e-3


def wrong(given: ChoiceModel, other: ChoiceModel, situations: int) -> ChoiceOutcome:
    """Choices of one model against the expectations of another."""
    people = commuters(100, situations=situations)
    settings = {"seed": 1, "replications": 40, "sampling": "auto", "segments": []}
    first, second = (run_study(build_study(each, people, **settings)) for each in (given, other))  # type: ignore[arg-type]
    return replace(
        first, tally=replace(first.tally, count=second.tally.count, weighted_count=second.tally.weighted_count)
    )


@pytest.mark.parametrize("situations", [1, 5])
def test_wrong_draws_are_found_out(situations: int) -> None:
    given, narrower = (model({"b_time": Normal(-0.5, sd), "asc_bus": Normal(0.4, 2)}) for sd in (1.2, 0.6))
    assert wrong(given, narrower, situations).agreement < 1e-4
    assert wrong(given, given, situations).agreement > 1e-3


@panel
def test_changes_cover_the_expected_ones(given: ChoiceModel) -> None:
    people, covered, count, tails = commuters(12, situations=5), 0, 0, []
    policy = {"dear": {"change": {"car": {"cost": "cost + 1"}}}}
    settings = {"replications": 6, "bootstrap": 0, "elasticities": []}
    exact = compare_policies(given, people, policy, seed=999, **settings).share_change.to_numpy()
    for seed in range(30):
        found = compare_policies(given, people, policy, seed=seed, **settings)
        estimate = found.policies["dear"].estimate()
        assert estimate.degrees == 5
        covered += int(np.sum((estimate.lower <= exact) & (exact <= estimate.upper)))
        count += exact.size
        tails.append(found.agreement)
    assert_monte_carlo(covered / count, 0.95, np.sqrt(0.95 * 0.05 / 30))
    assert min(tails) > 1e-4


def test_common_draws_beat_independent_ones_for_dependent_rows() -> None:
    people, policy = commuters(40, situations=5), {"dear": {"change": {"car": {"cost": "cost + 0.5"}}}}
    found = compare_policies(PANEL["classes"], people, policy, seed=1, replications=60, bootstrap=0)
    assert np.all(found.policies["dear"].estimate().reduction[0] > 3)


def test_the_variance_of_dependent_rows_keeps_within_its_bounds() -> None:
    shares, law = np.array([[0.5, 0.5], [0.5, 0.9], [0.5, 0.1]]), np.array([0.001, 0.001])
    variance, degrees = dependent_variance(shares, law, 4)
    np.testing.assert_allclose(variance, [0.001, 0.004])
    assert degrees == 2
    np.testing.assert_allclose(dependent_variance(shares[:1], law, 4)[0], 0.004)
    assert np.isinf(dependent_variance(shares[:1], law, 4)[1])


def test_degrees_of_freedom_of_a_sum() -> None:
    np.testing.assert_allclose(joint_degrees(np.array([1.0, 1.0]), np.inf, np.array([0.0, 1.0]), 7.0), [np.inf, 28.0])
    np.testing.assert_allclose(two_sided_tail(np.array([2.364624]), 7.0), 0.05, rtol=1e-5)


def test_slack_and_dependence_only_ever_excuse() -> None:
    count, expected, variance = np.array([30.0, 970.0]), np.array([5.0, 995.0]), np.array([4.0, 4.0])
    alone = agreement_p_value(count, expected, variance)
    assert alone < agreement_p_value(count, expected, variance, slack=5.0)
    assert alone < agreement_p_value(count, expected, variance, most_rows=4)
    nothing = np.array([0.0, 1000.0])
    assert agreement_p_value(np.array([2.0, 998.0]), nothing, 0 * variance) == 0
    assert agreement_p_value(np.array([2.0, 998.0]), nothing, 0 * variance, slack=2.0) > 0.1
