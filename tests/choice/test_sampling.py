"""Drawing choices: the law, the coherence of draws, and what they must not depend on."""

from __future__ import annotations

import math
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from choicekit.choice import sampling
from choicekit.choice.sampling import choose, resolve_sampling
from choicekit.errors import InvalidInputError, NoAvailableAlternativeError, ShapeError
from choicekit.kernels import threads
from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import Hardmax, RegularisedRule, Softmax
from tests.tolerances import (
    P_VALUE,
    assert_counts_follow,
    assert_monte_carlo,
    assert_rare_count,
    assert_uncorrelated,
)

INF = np.inf
BLOCK = 8_192
both_modes = pytest.mark.parametrize("mode", ["coherent", "fast"])


def counts(chosen: np.ndarray, n_alternatives: int) -> np.ndarray:
    return np.bincount(chosen.ravel(), minlength=n_alternatives)


def utilities_of(probabilities) -> np.ndarray:
    return np.log(np.asarray(probabilities, dtype=float))


def table(n: int, j: int, seed: int = 0) -> np.ndarray:
    """Different utilities for everybody, with some unavailable and some tied."""
    generator = np.random.default_rng(seed)
    values = generator.normal(size=(n, j))
    values[generator.random((n, j)) < 0.1] = -INF
    values[:, 0] = 0.25
    values[::3, -1] = 0.25
    return values


class Quartered(RegularisedRule):
    """A rule without an additive-noise law."""

    def _value(self, utility):
        return utility.max(axis=-1)

    def _probabilities(self, utility):
        return np.full(utility.shape, 1 / utility.shape[-1])

    def _jacobian_product(self, utility, direction):
        return np.zeros(direction.shape)

    def _conjugate(self, probabilities):
        return np.zeros(probabilities.shape[:-1])

    def _largest_gap(self, n):
        return 0.0


# ---------------------------------------------------------------- the law


@both_modes
@pytest.mark.parametrize("j", [2, 4, 37])
def test_a_million_agents_choose_by_the_probabilities(mode, j):
    weights = 1.0 + np.arange(j) % 5
    probabilities = weights / weights.sum()
    chosen = choose(utilities_of(weights), seed=20, agents=np.arange(1_000_000), sampling=mode)
    assert_counts_follow(counts(chosen, j), 1_000_000 * probabilities)


@both_modes
def test_agents_who_differ_choose_each_by_their_own_probabilities(mode):
    utility, temperature, n = table(30_000, 5), 0.7, 30_000
    rule = Softmax(temperature)
    p = rule.probabilities(utility)
    chosen = choose(utility, rule=rule, seed=3, sampling=mode, replications=8)
    took = np.stack([(chosen == alternative).sum(axis=0) for alternative in range(5)], axis=1)
    for segment in (slice(None), slice(0, None, 3), slice(n // 2, None)):
        spread = np.sqrt(8 * (p * (1 - p))[segment].sum(axis=0))
        assert_monte_carlo(took[segment].sum(axis=0), 8 * p[segment].sum(axis=0), spread)
    assert np.all(took[p == 0] == 0)
    # who is likely to take something takes it often: the mean probability of what was taken is the sum of squares
    squares = (p**2).sum(axis=1)
    spread = np.sqrt(8 * ((p**3).sum(axis=1) - squares**2).sum())
    assert_monte_carlo((took * p).sum(), 8 * squares.sum(), spread)


@both_modes
def test_pairs_of_replications_of_one_agent_are_independent(mode):
    p = np.array([0.5, 0.3, 0.2])
    chosen = choose(utilities_of(p), seed=8, agents=range(100_000), sampling=mode, replications=3)
    for one, other in ((0, 1), (1, 2), (0, 2)):
        joint = counts(chosen[one] * 3 + chosen[other], 9)
        assert_counts_follow(joint, 100_000 * np.outer(p, p))


@both_modes
def test_a_probability_of_a_millionth_occurs_at_its_rate(mode):
    p = np.array([1 - 1e-6, 1e-6])
    chosen = choose(utilities_of(p), seed=5, agents=range(200_000), sampling=mode, replications=50)
    assert_rare_count(int(chosen.sum()), 10_000_000 * 1e-6)


@pytest.mark.slow
@both_modes
def test_a_probability_of_a_millionth_occurs_at_its_rate_in_400_million_draws(mode):
    p = np.array([0.4, 1e-6, 0.6 - 1e-6])
    took = 0
    for seed in range(20):
        chosen = choose(utilities_of(p), seed=seed, agents=range(200_000), sampling=mode, replications=100)
        took += int(np.sum(chosen == 1))
    assert_rare_count(took, 400.0)


@both_modes
def test_probability_zero_is_never_drawn(mode):
    for utility in ([0.0, -INF], [-INF, 0.0, -INF], [-INF, 0.0, -INF, 0.0, -INF], [0.0, -800.0], [-800.0, 0.0]):
        chosen = choose(utility, seed=1, agents=range(100_000), sampling=mode)
        assert np.all(np.asarray(utility)[np.unique(chosen)] == 0.0)
    everyone = choose([0.0, 50.0, 0.0], seed=1, agents=range(100_000), availability=[True, False, True], sampling=mode)
    assert set(np.unique(everyone)) == {0, 2}


@both_modes
def test_a_single_alternative_is_always_chosen(mode):
    np.testing.assert_array_equal(choose([-3.0], seed=1, agents=range(100), sampling=mode), np.zeros(100))


@both_modes
def test_utilities_may_be_spread_over_all_floats(mode):
    utility = np.array([[1e300, 0.0], [-1e300, -1e300], [1e-300, 0.0], [1.7e308, -1.7e308]])
    chosen = choose(utility, seed=2, replications=2_000, sampling=mode)
    assert np.all(chosen[:, [0, 3]] == 0)
    for tied in (1, 2):
        assert_monte_carlo(chosen[:, tied].mean(), 0.5, 0.5 / np.sqrt(2_000))


@both_modes
def test_counts_over_adjacent_seeds_vary_as_the_binomial_does(mode):
    # 5,000 identical agents at p = 0.3: variance 1,050. Seeds that are sums, as in ActivitySim, gave 12
    utility, agents = utilities_of([0.3, 0.7]), np.arange(5_000)
    took = np.array([np.sum(choose(utility, seed=seed, agents=agents, sampling=mode) == 0) for seed in range(200)])
    assert_monte_carlo(took.mean(), 1_500, np.sqrt(1_050 / 200))
    assert_monte_carlo(took.var(ddof=1), 1_050, 1_050 * np.sqrt(2 / 199))
    assert_uncorrelated(took[1:], took[:-1])


@both_modes
def test_counts_over_replications_vary_as_the_binomial_does(mode):
    utility, agents = utilities_of([0.3, 0.7]), np.arange(5_000)
    took = np.sum(choose(utility, seed=9, agents=agents, sampling=mode, replications=200) == 0, axis=1)
    assert_monte_carlo(took.mean(), 1_500, np.sqrt(1_050 / 200))
    assert_monte_carlo(took.var(ddof=1), 1_050, 1_050 * np.sqrt(2 / 199))
    assert_uncorrelated(took[1:], took[:-1])


@both_modes
def test_counts_over_consecutive_groups_of_agents_vary_as_the_binomial_does(mode):
    chosen = choose(utilities_of([0.3, 0.7]), seed=11, agents=range(1_000_000), sampling=mode)
    took = np.sum(chosen.reshape(200, 5_000) == 0, axis=1)
    assert_monte_carlo(took.var(ddof=1), 1_050, 1_050 * np.sqrt(2 / 199))


def test_both_modes_have_one_law():
    utility = np.array([0.2, -1.0, 1.3, 0.0])
    together = [
        counts(choose(utility, seed=4, agents=range(500_000), sampling=mode), 4) for mode in ("coherent", "fast")
    ]
    assert stats.chi2_contingency(np.array(together)).pvalue >= P_VALUE


def test_the_two_modes_do_not_share_their_draws():
    utility = np.zeros(2)
    coherent, fast = (choose(utility, seed=4, agents=range(100_000), sampling=mode) for mode in ("coherent", "fast"))
    assert_uncorrelated(coherent, fast)


# ---------------------------------------------------------------- what a draw is


def test_a_coherent_choice_is_the_largest_utility_plus_gumbel_number():
    utility, rule = table(500, 4), Softmax(0.6)
    agents, names = [f"agent {i}" for i in range(500)], ["car", "bus", "train", "air"]
    chosen = choose(utility, rule=rule, seed=12, agents=agents, alternatives=names, replications=5)
    draws = Draws(seed=12, stage=Stage.CHOICE, rows=row_words(agents), alternatives=alternative_words(names))
    for replication in range(5):
        perturbed = (utility - utility.max(axis=1, keepdims=True)) / 0.6 + draws.gumbels(replication)
        np.testing.assert_array_equal(chosen[replication], perturbed.argmax(axis=1))


def test_a_fast_choice_inverts_the_distribution_in_the_callers_order():
    utility, rule = table(500, 4), Softmax(0.6)
    agents = [f"agent {i}" for i in range(500)]
    chosen = choose(utility, rule=rule, seed=12, agents=agents, replications=5, sampling="fast")
    draws = Draws(seed=12, stage=Stage.INVERSE, rows=row_words(agents), alternatives=np.zeros(1, dtype=np.uint64))
    for replication in range(5):
        uniform = draws.uniforms(replication)[:, 0]
        for row, p in enumerate(rule.probabilities(utility)):
            below = np.cumsum(p)
            place = int(chosen[replication, row])
            assert below[place] - p[place] <= uniform[row] + 1e-15
            assert uniform[row] <= below[place] + 1e-15


def test_a_fast_choice_does_not_depend_on_the_names_of_alternatives():
    utility = table(500, 4)
    named = choose(utility, seed=1, alternatives=["a", "b", "c", "d"], sampling="fast")
    np.testing.assert_array_equal(named, choose(utility, seed=1, sampling="fast"))


def test_the_default_agents_and_alternatives_are_their_positions():
    utility = table(300, 3)
    plain = choose(utility, seed=6)
    np.testing.assert_array_equal(plain, choose(utility, seed=6, agents=range(300), alternatives=[0, 1, 2]))
    np.testing.assert_array_equal(plain, choose(utility, seed=6, rule=Softmax(1.0), sampling="coherent"))


@both_modes
def test_at_temperature_zero_only_the_best_are_chosen_and_ties_share(mode):
    utility = [1.0, 5.0, 5.0, 5.0, -INF]
    for rule in (Softmax(0), Hardmax(), Softmax(1e-12), Softmax(5e-324)):
        chosen = choose(utility, rule=rule, seed=1, agents=range(90_000), sampling=mode)
        assert_counts_follow(counts(chosen, 5), 90_000 * np.array([0, 1, 1, 1, 0]) / 3)


def test_at_temperature_zero_a_tie_goes_to_the_larger_draw():
    utility = np.array([1.0, 5.0, 5.0, 5.0])
    draws = Draws(seed=1, stage=Stage.CHOICE, rows=row_words(range(500)), alternatives=alternative_words(range(4)))
    for rule in (Softmax(0), Hardmax()):
        chosen = choose(utility, rule=rule, seed=1, agents=range(500))
        np.testing.assert_array_equal(chosen, 1 + draws.uniforms(0)[:, 1:].argmax(axis=1))


def test_hot_agents_choose_anything():
    chosen = choose([0.0, 100.0, -INF, -100.0], rule=Softmax(1e12), seed=1, agents=range(90_000))
    assert_counts_follow(counts(chosen, 4), 90_000 * np.array([1, 1, 0, 1]) / 3)


def test_utilities_and_temperature_in_another_unit_give_the_same_choices():
    utility = table(2_000, 4)
    np.testing.assert_array_equal(
        choose(utility * 1024.0, rule=Softmax(1024.0), seed=3), choose(utility, rule=Softmax(1.0), seed=3)
    )


@both_modes
def test_a_constant_added_to_an_agents_utilities_changes_no_choice(mode):
    utility = np.random.default_rng(0).integers(-16, 16, (2_000, 4)) / 8
    np.testing.assert_array_equal(
        choose(utility + 512.0, seed=3, sampling=mode), choose(utility, seed=3, sampling=mode)
    )


@both_modes
@pytest.mark.parametrize(
    "n",
    [7, BLOCK, BLOCK + 1, 2 * BLOCK + 5],
)
def test_every_agent_may_have_a_temperature(mode, n):
    # rows are worked on in blocks, and so must be their temperatures
    utility = np.broadcast_to(np.array([0.0, 1.0, 1.0]), (n, 3))
    temperatures = np.resize([0.0, 1.0, 1e6], n)
    chosen = choose(utility, rule=Softmax(temperatures), seed=1, sampling=mode)
    for place, temperature in enumerate((0.0, 1.0, 1e6)):
        alone = choose(utility[0], rule=Softmax(temperature), seed=1, agents=np.arange(n)[place::3], sampling=mode)
        np.testing.assert_array_equal(chosen[place::3], alone)


# ---------------------------------------------------------------- relabelling


@both_modes
def test_the_order_of_rows_changes_no_agents_choice(mode):
    n = BLOCK + 500
    utility, agents = table(n, 4), np.arange(n) * 7 + 3
    before = choose(utility, seed=2, agents=agents, sampling=mode, replications=3)
    order = np.random.default_rng(1).permutation(n)
    after = choose(utility[order], seed=2, agents=agents[order], sampling=mode, replications=3)
    np.testing.assert_array_equal(after, before[:, order])


@both_modes
def test_who_else_is_there_changes_no_agents_choice(mode):
    n = 2 * BLOCK + 100
    utility, agents = table(n, 3), [f"a{i}" for i in range(n)]
    whole = choose(utility, seed=2, agents=agents, sampling=mode)
    for rows in ([0], [n - 1], [BLOCK - 1, BLOCK], range(BLOCK, 2 * BLOCK), range(0, n, 97), range(5, n)):
        part = choose(utility[list(rows)], seed=2, agents=[agents[row] for row in rows], sampling=mode)
        np.testing.assert_array_equal(part, whole[list(rows)])


@both_modes
@pytest.mark.parametrize("n", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1])
def test_the_edges_of_blocks_change_no_choice(mode, n):
    whole = choose(table(3 * BLOCK, 3), seed=4, sampling=mode)
    np.testing.assert_array_equal(choose(table(3 * BLOCK, 3)[:n], seed=4, sampling=mode), whole[:n])


@both_modes
@pytest.mark.parametrize("workers", [1, 2, 5])
def test_the_number_of_threads_changes_no_choice(mode, workers, monkeypatch):
    utility = table(9 * BLOCK + 17, 3)
    monkeypatch.setattr(threads, "_workers", lambda: 3)
    expected = choose(utility, seed=4, sampling=mode)
    monkeypatch.setattr(threads, "_workers", lambda: workers)
    np.testing.assert_array_equal(choose(utility, seed=4, sampling=mode), expected)


@both_modes
def test_a_replication_is_the_same_however_many_are_asked_for(mode):
    utility = table(1_000, 3)
    seven = choose(utility, seed=4, sampling=mode, replications=7)
    np.testing.assert_array_equal(choose(utility, seed=4, sampling=mode), seven[0])
    for replications in range(2, 7):
        some = choose(utility, seed=4, sampling=mode, replications=replications)
        np.testing.assert_array_equal(some, seven[:replications])
    assert all(np.any(seven[r] != seven[r + 1]) for r in range(6))


def test_the_order_of_alternatives_changes_no_agents_choice():
    utility, names = table(3_000, 5), np.array(["car", "bus", "train", "air", "foot"])
    before = choose(utility, seed=2, alternatives=names)
    for order in ([4, 3, 2, 1, 0], [1, 0, 2, 3, 4], [2, 4, 1, 0, 3]):
        after = choose(utility[:, order], seed=2, alternatives=names[order])
        np.testing.assert_array_equal(names[order][after], names[before])


@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_more_alternative_that_cannot_be_chosen_changes_no_agents_choice(place):
    utility, names = table(3_000, 4), np.array(["car", "bus", "train", "air"], dtype=object)
    before = names[choose(utility, seed=2, alternatives=names)]
    more_names = np.insert(names, place, "rocket")
    wider = np.insert(utility, place, -INF, axis=1)
    np.testing.assert_array_equal(more_names[choose(wider, seed=2, alternatives=more_names)], before)
    wider[:, place], available = 99.0, more_names != "rocket"
    chosen = choose(wider, seed=2, alternatives=more_names, availability=available)
    np.testing.assert_array_equal(more_names[chosen], before)
    # in the fast mode as well, since it adds nothing to the cumulated distribution
    np.testing.assert_array_equal(
        more_names[choose(wider, seed=2, availability=available, sampling="fast")],
        names[choose(utility, seed=2, sampling="fast")],
    )


def test_a_new_alternative_moves_agents_only_to_itself_and_its_removal_moves_only_who_took_it():
    utility, names = table(5_000, 4), np.array(["car", "bus", "train", "air"])
    before = names[choose(utility, seed=2, alternatives=names)]
    more = np.append(names, "tram")
    after = more[choose(np.column_stack([utility, np.full(5_000, 0.3)]), seed=2, alternatives=more)]
    np.testing.assert_array_equal(after[after != "tram"], before[after != "tram"])
    assert 0 < np.sum(after == "tram") < 5_000


def test_renaming_an_alternative_moves_agents_only_to_and_from_it():
    utility = table(5_000, 3)
    before = choose(utility, seed=2, alternatives=["car", "bus", "train"])
    after = choose(utility, seed=2, alternatives=["car", "coach", "train"])
    moved = before != after
    assert np.all((before[moved] == 1) | (after[moved] == 1))
    assert np.any(moved)


@given(
    utility=st.lists(st.sampled_from([-INF, -1.0, 0.0, 0.0, 0.5, 2.0, 1e300]), min_size=2, max_size=5),
    gain=st.sampled_from([1e-3, 0.5, 3.0, 1e301]),
    place=st.integers(0, 4),
    temperature=st.sampled_from([0.0, 1e-12, 0.5, 1.0, 1e6]),
)
def test_improving_one_alternative_moves_agents_only_to_it(utility, gain, place, temperature):
    values = np.array([0.0, *utility[1:]])
    better = values.copy()
    better[place % values.size] = max(better[place % values.size], -1.0) + gain
    before, after = (
        choose(u, rule=Softmax(temperature), seed=6, agents=range(500), replications=2) for u in (values, better)
    )
    assert np.all((after == before) | (after == place % values.size))


@both_modes
def test_situations_of_an_agent_are_chosen_in_independently(mode):
    agents, situations = np.repeat(np.arange(50_000), 2), np.tile([1, 2], 50_000)
    p = np.array([0.6, 0.4])
    chosen = choose(utilities_of(p), seed=1, agents=agents, situations=situations, sampling=mode)
    assert_counts_follow(counts(chosen[::2] * 2 + chosen[1::2], 4), 50_000 * np.outer(p, p))
    alone = choose(utilities_of(p), seed=1, agents=agents[1::2], situations=situations[1::2], sampling=mode)
    np.testing.assert_array_equal(alone, chosen[1::2])


# ---------------------------------------------------------------- what is given and what comes back


@both_modes
@pytest.mark.parametrize("replications", [1, 2, 3])
def test_the_answer_has_one_row_a_replication_and_none_for_one(mode, replications):
    chosen = choose(table(20, 3), seed=1, replications=replications, sampling=mode)
    assert chosen.shape == ((20,) if replications == 1 else (replications, 20))
    assert chosen.dtype == np.int64
    assert chosen.min() >= 0
    assert chosen.max() <= 2
    chosen[:] = 0  # the caller's own


@both_modes
def test_no_agents_choose_nothing(mode):
    assert choose(np.zeros((0, 3)), seed=1, sampling=mode).shape == (0,)
    assert choose([0.0, 1.0], seed=1, agents=[], sampling=mode).shape == (0,)
    assert choose(np.zeros((0, 3)), seed=1, replications=4, sampling=mode).shape == (4, 0)


@both_modes
def test_one_row_of_utilities_serves_all_agents(mode):
    row, n = np.array([0.0, 0.4, -INF]), BLOCK + 3
    expected = choose(np.tile(row, (n, 1)), seed=1, sampling=mode)
    np.testing.assert_array_equal(choose(row, seed=1, agents=range(n), sampling=mode), expected)
    np.testing.assert_array_equal(choose(np.broadcast_to(row, (n, 3)), seed=1, sampling=mode), expected)
    assert choose(row, seed=1, sampling=mode).shape == (1,)
    assert choose(row, seed=1, agents=[5], situations=["am"]).shape == (1,)
    assert choose(row, seed=1, situations=["am", "pm"], agents=[5, 5]).shape == (2,)


@both_modes
def test_availability_is_one_row_for_all_or_one_an_agent(mode):
    utility, available = table(100, 3), np.array([True, False, True])
    by_utility = choose(np.where(available, utility, -INF), seed=1, sampling=mode)
    for same in (available, np.broadcast_to(available, (100, 3)), [1, 0, 1]):
        np.testing.assert_array_equal(choose(utility, seed=1, availability=same, sampling=mode), by_utility)
    each = np.eye(3, dtype=bool)
    np.testing.assert_array_equal(choose(np.zeros(3), seed=1, availability=each, sampling=mode), [0, 1, 2])


@both_modes
def test_inputs_may_be_read_only_and_are_never_modified(mode):
    utility, available = table(50, 3), np.ones((50, 3), dtype=bool)
    agents, names = np.arange(50), np.array(["a", "b", "c"])
    given_ = (utility, available, agents, names)
    before = [array.tobytes() for array in given_]
    for writeable in (True, False):
        for array in given_:
            array.setflags(write=writeable)
        for rule in (Softmax(0.5), Hardmax()):
            choose(utility, rule=rule, seed=1, agents=agents, alternatives=names, availability=available, sampling=mode)
    assert [array.tobytes() for array in given_] == before


@pytest.mark.parametrize("kind", [np.float32, np.int64, list, pd.DataFrame])
def test_utilities_of_any_real_kind_are_taken(kind):
    whole = np.random.default_rng(0).integers(-3, 3, (200, 3))
    given_ = whole.tolist() if kind is list else kind(whole) if kind is pd.DataFrame else whole.astype(kind)
    np.testing.assert_array_equal(choose(given_, seed=1), choose(whole.astype(float), seed=1))


@pytest.mark.parametrize(
    "agents",
    [
        [10, 11, 12],
        np.array([10, 11, 12]),
        pd.Series([10, 11, 12], index=[7, 8, 9]),
        [np.int16(10), 11, 12],
        [10 + 2**64, 11, 12 - 2**64],
    ],
    ids=lambda agents: type(agents).__name__,
)
def test_agents_come_in_any_container(agents):
    np.testing.assert_array_equal(
        choose(np.zeros((3, 4)), seed=1, agents=agents), choose(np.zeros((3, 4)), seed=1, agents=[10, 11, 12])
    )


def test_agents_may_be_text_uuids_and_a_mixture():
    agents = ["ann", uuid.UUID(int=9), 4, "4"]
    together = choose(np.zeros((4, 9)), seed=1, agents=agents, replications=40)
    for row, agent in enumerate(agents):
        np.testing.assert_array_equal(
            choose(np.zeros(9), seed=1, agents=[agent], replications=40)[:, 0], together[:, row]
        )
    assert np.any(together[:, 2] != together[:, 3])


def test_seeds_may_be_numpys_whole_numbers():
    np.testing.assert_array_equal(choose(np.zeros((99, 4)), seed=np.uint64(7)), choose(np.zeros((99, 4)), seed=7))
    assert np.any(choose(np.zeros((99, 4)), seed=7) != choose(np.zeros((99, 4)), seed=2**64 - 7))


# ---------------------------------------------------------------- sampling modes


def test_auto_is_coherent_where_the_rule_has_it_and_fast_elsewhere():
    utility = table(200, 4)
    np.testing.assert_array_equal(choose(utility, seed=1), choose(utility, seed=1, sampling="coherent"))
    assert resolve_sampling(Softmax(), "auto") == "coherent"
    assert resolve_sampling(Softmax(), "fast") == "fast"
    assert resolve_sampling(Quartered(), "auto") == "fast"
    assert resolve_sampling(Quartered(), "fast") == "fast"
    assert_counts_follow(counts(choose(np.zeros(4), rule=Quartered(), seed=1, agents=range(40_000)), 4), [10_000] * 4)


def test_coherent_draws_of_a_rule_that_has_none_are_refused_by_name():
    with pytest.raises(InvalidInputError, match=r"Quartered has no additive-noise law.*'fast' or 'auto'"):
        choose([0.0, 1.0], rule=Quartered(), seed=1, sampling="coherent")


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("sampling_", ["Coherent", "", "quick", None, 1])
def test_an_unknown_sampling_mode_names_the_known_ones(sampling_):
    with pytest.raises(InvalidInputError, match="auto, coherent, fast"):
        choose([0.0], seed=1, sampling=sampling_)


@pytest.mark.parametrize("replications", [0, -1, 1.0, 2.5, True, None, "2", math.nan, np.float64(2)])
def test_replications_are_a_whole_number_from_one(replications):
    with pytest.raises(InvalidInputError, match="replications must be a whole number of at least 1"):
        choose([0.0], seed=1, replications=replications)


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5, 1.0, True, None, "1", np.float64(3)])
def test_the_seed_is_a_whole_number_of_64_bits(seed):
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        choose([0.0], seed=seed)


def test_there_is_no_default_seed():
    with pytest.raises(TypeError, match="seed"):
        choose([0.0])


@pytest.mark.parametrize("agents", [[1, 2], [1, 2, 3, 4], [], [[1, 2, 3]], 7, "ann"])
def test_agents_are_as_many_as_rows(agents):
    with pytest.raises(ShapeError):
        choose(np.zeros((3, 2)), seed=1, agents=agents)


@pytest.mark.parametrize("agents", [7, "ann", [[1, 2], [3, 4]]])
def test_agents_of_one_row_of_utilities_are_a_list(agents):
    with pytest.raises(ShapeError, match="one-dimensional"):
        choose([0.0, 1.0], seed=1, agents=agents)


@pytest.mark.parametrize("alternatives", [["a"], ["a", "b", "c"], [], "ab", 2])
def test_alternatives_are_as_many_as_columns(alternatives):
    with pytest.raises(ShapeError):
        choose(np.zeros((3, 2)), seed=1, alternatives=alternatives)


@pytest.mark.parametrize("situations", [[1], [1, 2, 3], 5, [[1, 2]]])
def test_situations_are_as_many_as_agents(situations):
    with pytest.raises(ShapeError):
        choose(np.zeros((2, 2)), seed=1, agents=[1, 2], situations=situations)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"agents": [4, 5, 4]}, "agent 4 occurs twice, in rows 0 and 2"),
        ({"agents": ["x", "y", "y"]}, "agent 'y' occurs twice"),
        ({"agents": [-1, 0, 2**64 - 1]}, "share one address word"),
        ({"agents": [1.0, 2.0, 3.0]}, "agent identifiers must be whole numbers or text"),
        ({"agents": [1, 2, None]}, "agent identifiers must be whole numbers or text"),
        ({"agents": [True, False, 2]}, "agent identifiers must be whole numbers or text"),
        ({"agents": [1, 1, 1], "situations": [1, 2, 1]}, "agent 1 in situation 1 occurs twice"),
        ({"agents": [1, 1, 1], "situations": [1, 2, None]}, "situation identifiers"),
        ({"alternatives": ["a", "a"]}, "alternatives must be distinct, found 'a', 'a'"),
        ({"alternatives": [0.0, 1.0]}, "alternative identifiers"),
    ],
)
def test_identifiers_that_cannot_address_a_draw_are_named(names, message):
    with pytest.raises(InvalidInputError, match=message):
        choose(np.zeros((3, 2)), seed=1, **names)


@both_modes
def test_wrong_utilities_name_agent_and_alternative(mode):
    utility = np.zeros((BLOCK + 5, 3))
    utility[BLOCK + 1, 2] = np.nan
    with pytest.raises(InvalidInputError, match=f"nan at agent {BLOCK + 1}, alternative 2"):
        choose(utility, seed=1, sampling=mode)
    utility[BLOCK + 1] = -INF
    with pytest.raises(NoAvailableAlternativeError, match=f"agent {BLOCK + 1} "):
        choose(utility, seed=1, sampling=mode)
    with pytest.raises(NoAvailableAlternativeError):
        choose([0.0, 1.0], seed=1, availability=[False, False], sampling=mode)


@pytest.mark.parametrize("utility", [1.0, np.zeros((2, 2, 2)), np.zeros((3, 0)), []])
def test_utilities_are_a_row_or_a_table(utility):
    with pytest.raises(ShapeError):
        choose(utility, seed=1)


def test_availability_that_does_not_fit_is_a_shape_error():
    with pytest.raises(ShapeError, match="do not fit"):
        choose(np.zeros((4, 3)), seed=1, availability=np.ones((3, 3), dtype=bool))


def test_temperatures_that_do_not_fit_the_agents_are_a_shape_error():
    with pytest.raises(ShapeError, match="settings for 2 rows, but there are 4"):
        choose(np.zeros((4, 3)), rule=Softmax([1.0, 2.0]), seed=1)


def test_the_variance_that_adjacent_seeds_have_elsewhere_would_be_found():
    with pytest.raises(AssertionError):
        assert_monte_carlo(12.0, 1_050, 1_050 * np.sqrt(2 / 199))


@pytest.mark.parametrize(
    ("rule", "message"),
    [("softmax", r"found 'softmax': make one"), (Softmax, r"found the class Softmax: add \(\)"), (3, "found 3")],
)
def test_a_rule_must_be_a_rule(rule, message):
    with pytest.raises(InvalidInputError, match=f"rule must be a rule such as .*{message}"):
        choose([0.0, 1.0], rule=rule, seed=1)


def test_a_sampler_shows_itself_in_short():
    words = np.arange(900, dtype=np.uint64)
    found = sampling.Sampler(rule=Softmax(), seed=1, rows=words, alternatives=words[:3], sampling="fast")
    assert repr(found) == f"Sampler({Softmax()!r}, 900 rows, 3 alternatives, fast draws, seed 1)"
