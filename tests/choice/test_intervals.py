"""Intervals of simulated shares: their coverage, and the check that draws follow the law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from choicekit.choice.intervals import CONFIDENCE, agreement_p_value, estimate_shares, half_width
from choicekit.choice.sampling import choose
from choicekit.errors import InvalidInputError
from tests.tolerances import P_VALUE, assert_monte_carlo

P = np.array([0.5, 0.3, 0.15, 0.05])


def simulated_shares(replications: int, studies: int, n: int = 2_000, seed: int = 0) -> np.ndarray:
    """Shares (R, studies, J) of studies of n agents each."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(n, P, size=(replications, studies)) / n


# ---------------------------------------------------------------- intervals


N = 2_000
LAW = P * (1 - P) / N  # variance of the share that N agents with these probabilities choose


@pytest.mark.parametrize("replications", [1, 2, 3, 10, 50])
def test_intervals_hold_the_expected_share_in_95_of_100_studies(replications):
    studies = 4_000
    estimate = estimate_shares(simulated_shares(replications, studies), np.broadcast_to(LAW, (studies, 4)))
    covered = np.mean((estimate.lower <= P) & (estimate.upper >= P), axis=0)
    # counts are whole numbers: the binomial law itself says what such an interval holds
    counts = np.arange(N * replications + 1)
    within = np.abs(counts[:, None] / counts[-1] - P) <= half_width(LAW, replications)
    exact = np.sum(within * stats.binom.pmf(counts[:, None], counts[-1], P), axis=0)
    assert_monte_carlo(covered, exact, np.sqrt(exact * (1 - exact) / studies))
    np.testing.assert_allclose(exact, CONFIDENCE, atol=0.01)


@pytest.mark.parametrize(("n", "p", "replications"), [(4, 0.01, 20), (4, 0.5, 2), (1, 0.3, 5), (10, 0.001, 3)])
def test_few_agents_and_rare_choices_are_not_called_exact(n, p, replications):
    # a standard deviation over so few replications is often zero: it held p in 55 of 100 studies of the first case
    counts = stats.binom.rvs(n, p, size=(replications, 4_000), random_state=1)
    estimate = estimate_shares(counts[..., None] / n, np.full((4_000, 1), p * (1 - p) / n))
    assert np.mean((estimate.lower <= p) & (estimate.upper >= p)) > 0.9
    assert np.all(estimate.half_width > 0)


def test_the_interval_is_the_laws():
    shares = simulated_shares(7, 1)[:, 0]
    estimate = estimate_shares(shares, LAW)
    np.testing.assert_allclose(estimate.share, shares.mean(axis=0), rtol=1e-15)
    low, high = stats.norm.interval(0.95, loc=shares.mean(axis=0), scale=np.sqrt(LAW / 7))
    np.testing.assert_allclose(estimate.lower, low, rtol=1e-12)
    np.testing.assert_allclose(estimate.upper, high, rtol=1e-12)
    np.testing.assert_allclose(estimate.half_width, (high - low) / 2, rtol=1e-10)


def test_the_laws_error_is_what_replications_show():
    shares = simulated_shares(4_000, 1)[:, 0]
    np.testing.assert_allclose(shares.std(axis=0, ddof=1), np.sqrt(LAW), rtol=5 / np.sqrt(2 * 4_000))


def test_the_interval_is_of_the_mean_and_not_the_mean_of_intervals():
    # averaging each row's quantiles made intervals 2.7 times too wide elsewhere: this one shrinks with the replications
    wide, narrow = (estimate_shares(simulated_shares(r, 1)[:, 0], LAW) for r in (10, 160))
    np.testing.assert_allclose(narrow.half_width / wide.half_width, 0.25, rtol=1e-12)


def test_shares_are_counted_and_not_the_argmax_of_probabilities():
    # xlogit's return_freq: everyone's best alternative gets everything
    utility = np.log([[0.55, 0.45], [0.6, 0.4]])
    chosen = choose(np.repeat(utility, 5_000, axis=0), seed=1, replications=4)
    shares = np.stack([np.mean(chosen == j, axis=1) for j in (0, 1)], axis=1)
    estimate = estimate_shares(shares, np.zeros(2))
    assert_monte_carlo(estimate.share, [0.575, 0.425], np.sqrt(0.25 / 40_000))


def test_intervals_stay_within_zero_and_one():
    shares = np.array([[0.001, 0.999], [0.0, 1.0], [0.0, 1.0]])
    estimate = estimate_shares(shares, np.full(2, 1e-6))
    assert estimate.lower[0] == 0
    assert estimate.upper[1] == 1
    assert np.all(estimate.lower <= estimate.share)
    assert np.all(estimate.share <= estimate.upper)
    np.testing.assert_allclose(estimate.half_width, stats.norm.ppf(0.975) * 1e-3 / np.sqrt(3))


def test_what_never_varies_has_no_error():
    estimate = estimate_shares(np.tile([0.25, 0.75, 0.0], (5, 1)), np.zeros(3))
    np.testing.assert_array_equal(estimate.standard_error, 0)
    np.testing.assert_array_equal(estimate.lower, [0.25, 0.75, 0])
    np.testing.assert_array_equal(estimate.upper, [0.25, 0.75, 0])


def test_segments_and_alternatives_keep_their_axes():
    estimate = estimate_shares(np.full((6, 2, 3), 1 / 3), np.zeros((2, 3)))
    assert estimate.share.shape == estimate.lower.shape == estimate.half_width.shape == (2, 3)


def test_no_replications_have_no_estimate():
    with pytest.raises(InvalidInputError, match="at least one replication"):
        estimate_shares(np.zeros((0, 3)), np.zeros(3))


# ---------------------------------------------------------------- agreement with the law


def p_values(probabilities: np.ndarray, n: int, studies: int, seed: int = 0) -> np.ndarray:
    counted = np.random.default_rng(seed).multinomial(n, probabilities, size=studies).astype(float)
    return np.array([agreement_p_value(c, n * probabilities, n * probabilities * (1 - probabilities)) for c in counted])


def test_under_the_law_the_p_value_of_many_alternatives_is_uniform():
    weights = 1.0 + np.arange(12) % 4
    p = p_values(weights / weights.sum(), 1_000_000, 500)
    assert stats.kstest(p, "uniform").pvalue >= P_VALUE


def test_under_the_law_the_p_value_of_choices_drawn_by_this_package_is_uniform():
    probabilities = np.full(10, 0.1)
    found = []
    for seed in range(300):
        count = np.bincount(choose(np.zeros(10), seed=seed, agents=range(4_000)), minlength=10).astype(float)
        found.append(agreement_p_value(count, 4_000 * probabilities, 4_000 * probabilities * (1 - probabilities)))
    assert stats.kstest(found, "uniform").pvalue >= P_VALUE
    assert min(found) >= P_VALUE


@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [0.9, 0.1], [0.2, 0.3, 0.5], [0.25] * 4, [0.001, 0.004, 0.995]])
def test_under_the_law_false_alarms_are_no_more_frequent_than_they_may_be(probabilities):
    studies = 2_000
    p = p_values(np.array(probabilities), 100_000, studies)
    for level in (0.01, 0.05, 0.2):
        # a pair of alternatives has one count, not two: Sidak's rule is then twice too careful, and never too bold
        assert np.mean(p <= level) <= level + 5 * np.sqrt(level * (1 - level) / studies)
        assert np.mean(p <= level) >= level / 2.2 - 5 * np.sqrt(level * (1 - level) / studies)


def test_agents_who_differ_have_less_variance_than_the_multinomial_and_agree_as_well():
    generator = np.random.default_rng(3)
    each = generator.dirichlet(np.full(8, 0.3), size=2_000)
    cumulated = each.cumsum(axis=1)
    found = []
    for _ in range(300):
        chosen = np.argmax(cumulated > generator.random((2_000, 1)) * cumulated[:, -1:], axis=1)
        count = np.bincount(chosen, minlength=8).astype(float)
        found.append(agreement_p_value(count, each.sum(axis=0), (each * (1 - each)).sum(axis=0)))
    assert stats.kstest(found, "uniform").pvalue >= P_VALUE


def test_draws_from_other_probabilities_are_found_out():
    expected = 100_000 * P
    wrong = np.array([0.49, 0.31, 0.15, 0.05])
    count = np.random.default_rng(0).multinomial(100_000, wrong).astype(float)
    assert agreement_p_value(count, expected, expected * (1 - P)) < 1e-6


def test_agents_who_all_draw_the_same_are_found_out():
    # one uniform for everybody: every count is everything or nothing
    expected = 5_000 * P
    assert agreement_p_value(np.array([0.0, 5_000.0, 0.0, 0.0]), expected, expected * (1 - P)) < 1e-300


def test_anything_of_probability_zero_that_was_chosen_is_found_out():
    expected = np.array([1e6, 0.0])
    assert agreement_p_value(np.array([1e6 - 1, 1.0]), expected, np.zeros(2)) == 0
    assert agreement_p_value(np.array([1e6, 0.0]), expected, np.zeros(2)) == 1


@pytest.mark.parametrize(
    ("count", "rare"),
    [
        pytest.param([50.0, 50.0], 1e-9, id="half of those who were certain"),
        pytest.param([99_990.0, 10.0], 0.01, id="ten where a hundredth is expected"),
        pytest.param([99_900.0, 100.0], 4.0, id="a hundred where four are expected"),
    ],
)
def test_a_rare_alternative_chosen_far_too_often_is_found_out(count, rare):
    n = sum(count)
    expected = np.array([n - rare, rare])
    assert agreement_p_value(np.array(count), expected, expected * (1 - expected / n)) < 1e-6


@pytest.mark.parametrize(("count", "alarm"), [([8.0, 8.0], False), ([12.0, 4.0], False), ([16.0, 0.0], True)])
def test_two_agents_who_choose_eight_times_are_judged_too(count, alarm):
    p_value = agreement_p_value(np.array(count), np.array([8.0, 8.0]), np.array([4.0, 4.0]))
    assert (p_value < 0.01) == alarm


def test_what_is_certain_must_be_chosen_and_what_is_impossible_not():
    certain = np.array([4.0, 0.0]), np.zeros(2)
    assert agreement_p_value(np.array([4.0, 0.0]), *certain) == 1
    assert agreement_p_value(np.array([3.0, 1.0]), *certain) == 0


def test_counts_too_small_to_tell_raise_no_alarm():
    expected = np.array([2.0, 3.0, 4.0])
    assert agreement_p_value(np.array([4.0, 3.0, 2.0]), expected, expected * (1 - expected / 9)) > 0.05


def test_a_count_as_expected_is_perfect_agreement():
    expected = np.array([40.0, 60.0])
    assert agreement_p_value(expected, expected, expected * (1 - expected / 100)) == 1


def test_the_p_value_is_that_of_the_largest_z_score_corrected_for_their_number():
    count, expected, variance = np.array([60.0, 45.0, 45.0]), np.full(3, 50.0), np.full(3, 100 / 3)
    single = 2 * stats.norm.sf(10 / np.sqrt(100 / 3))
    assert agreement_p_value(count, expected, variance) == pytest.approx(1 - (1 - single) ** 3, rel=1e-12)


def test_tiny_p_values_do_not_vanish_in_rounding():
    count, expected, variance = np.array([1_200.0, 800.0]), np.full(2, 1_000.0), np.full(2, 500.0)
    single = 2 * stats.norm.sf(200 / np.sqrt(500))
    assert agreement_p_value(count, expected, variance) == pytest.approx(2 * single, rel=1e-9)
    assert 0 < single < 1e-16
