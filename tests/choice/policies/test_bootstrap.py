"""The bootstrap by agent: Poisson counts by address, and what they are for."""

from __future__ import annotations

import numpy as np
from scipy import stats

from choicekit import ChoiceModel, Population, Segmentation, compare_policies
from choicekit.choice.policies.bootstrap import multiplicities
from choicekit.random import identifier_words
from tests.choice.policies.trips import MODEL, compared, trips
from tests.tolerances import assert_counts_follow, assert_monte_carlo, assert_uncorrelated

AGENTS = identifier_words(np.arange(300) * 11)
CHEAPER = {"change": {"bus": {"cost": "0.5 * cost"}}}


def test_counts_are_poisson_with_mean_one() -> None:
    counts = multiplicities(3, AGENTS, range(400))
    assert counts.shape == (400, 300)
    found = np.bincount(counts.astype(int).ravel(), minlength=9)
    assert found.size <= 12
    law = stats.poisson.pmf(np.arange(8), 1)
    assert_counts_follow([*found[:8], found[8:].sum()], counts.size * np.append(law, 1 - law.sum()))


def test_agents_and_resamples_are_independent() -> None:
    counts = multiplicities(3, AGENTS, range(400))
    assert_uncorrelated(counts[:, 1:], counts[:, :-1])
    assert_uncorrelated(counts[1:], counts[:-1])
    assert_uncorrelated(counts[::2], counts[1::2])
    assert_uncorrelated(counts, multiplicities(4, AGENTS, range(400)))
    assert_monte_carlo(counts.sum(axis=1).var(), 300.0, 300 * np.sqrt(2 / 400))


def test_an_agents_count_depends_on_its_address_alone() -> None:
    counts = multiplicities(3, AGENTS, range(6))
    order = np.random.default_rng(1).permutation(300)
    np.testing.assert_array_equal(multiplicities(3, AGENTS[order], range(6)), counts[:, order])
    np.testing.assert_array_equal(multiplicities(3, AGENTS[7:8], range(2, 5)), counts[2:5, 7:8])


def test_an_agent_is_drawn_with_all_its_situations() -> None:
    counts = multiplicities(3, identifier_words(np.repeat([5, 8, 9], 4)), range(50))
    assert np.all(counts.reshape(50, 3, 4) == counts.reshape(50, 3, 4)[:, :, :1])


def test_a_row_of_weight_two_is_two_situations_of_its_agent() -> None:
    """The bootstrap draws agents: a heavier one is not more certain."""
    once = trips(30)
    twice = Population(
        agents=np.repeat(once.agents, 2),
        situations=np.tile([0, 1], 30),
        alternatives=once.alternatives,
        columns={name: np.repeat(values, 2, axis=0) for name, values in once.columns.items()},
    )
    heavy = Population(
        agents=once.agents, alternatives=once.alternatives, columns=once.columns, weights=np.full(30, 2.0)
    )
    settings = {"seed": 1, "replications": 1, "bootstrap": 40}
    found = [
        compare_policies(MODEL, people, {"it": CHEAPER}, **settings).policies["it"].agents  # type: ignore[arg-type]
        for people in (twice, heavy, once)
    ]
    for one in found:
        assert one is not None
        assert found[0] is not None
        np.testing.assert_allclose(one.share_change, found[0].share_change, rtol=0, atol=1e-14)
        np.testing.assert_allclose(one.value_change, found[0].value_change, rtol=1e-12)


def test_the_spread_of_resamples_is_the_standard_error_of_a_mean() -> None:
    """With utilities far apart everybody takes the better: the change of the share is a mean of zeros and ones."""
    people = trips(400, seed=3)
    model = ChoiceModel({"walk": "0", "bus": "where(age > 50, 900, -900)"})
    policy = {"change": {"bus": {"age": "0"}}}
    found = compared(policy, model=model, population=people, bootstrap=1000).policies["it"]
    assert found.agents is not None
    old = float((people.columns["age"] > 50).mean())
    spread = found.agents.share_change[:, 0, 1].std()
    assert_monte_carlo(spread, np.sqrt(old * (1 - old) / 400), spread / np.sqrt(2 * 1000) + 0.03 * spread)


def test_no_resamples_no_interval() -> None:
    outcome = compared(CHEAPER, bootstrap=0).policies["it"]
    assert outcome.agents is None
    assert np.isnan(outcome.interval_over_agents()).all()
    assert np.isnan(outcome.interval_over_parameters()).all()


def test_resamples_of_a_handful_say_nothing() -> None:
    """A group of one agent is itself in every resample: an interval without width would claim to be sure."""
    few = Segmentation(name="few", labels=("nine", "ten", "nobody"), codes=np.array([0] * 9 + [1] * 10))
    outcome = compared(CHEAPER, population=trips(19), segments=[few], bootstrap=50).policies["it"]
    lower, upper = outcome.interval_over_agents()
    assert np.isnan(lower).all(axis=1).tolist() == [False, True, False, True]
    assert np.all(lower[2] < upper[2])
    words = identifier_words(trips(1).agents)
    never = next(seed for seed in range(1000) if not multiplicities(seed, words, range(3)).any())
    single = compared(CHEAPER, population=trips(1), bootstrap=3, seed=never).policies["it"]
    assert np.isnan(single.interval_over_agents()).all()
