"""Mechanisms: textbook answers, laws of stability, the loops beside their twins, lotteries by address."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from choicekit import (
    InvalidInputError,
    MatchingMarket,
    deferred_acceptance,
    entropic_assignment,
    immediate_acceptance,
    optimal_assignment,
    serial_dictatorship,
)
from choicekit.matching import mechanisms, twins
from choicekit.matching.mechanisms import lottery_order
from tests.matching.markets import random_market, stable_matchings

markets = st.builds(
    random_market,
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 3),
    outside=st.booleans(),
    forbidden=st.sampled_from([0.0, 0.3]),
)
tied = st.builds(
    random_market,
    st.integers(0, 10**6),
    st.integers(1, 30),
    st.integers(1, 25),
    levels=st.sampled_from([1, 2, 4, None]),
    forbidden=st.sampled_from([0.0, 0.3]),
)


def test_gale_and_shapley_example() -> None:
    """Gale & Shapley (1962), example 1: three stable matchings, each side gets its first choices by proposing."""
    men = [[3, 2, 1], [1, 3, 2], [2, 1, 3]]
    women = [[1, 2, 3], [3, 1, 2], [2, 3, 1]]
    market = MatchingMarket(row_utility=men, column_utility=women)
    assert deferred_acceptance(market).assigned.tolist() == [0, 1, 2]
    assert deferred_acceptance(market, proposing="columns").assigned.tolist() == [2, 0, 1]
    assert len(stable_matchings(market)) == 3


def test_hospitals_and_residents() -> None:
    """Roth & Sotomayor (1990), example 5.24: a market whose only stable matching gives h1 two of its lower choices."""
    students = {"s1": "h3 h1 h2", "s2": "h2 h1 h3", "s3": "h1 h3 h2", "s4": "h1 h2 h3"}
    hospitals = {"h1": "s1 s2 s3 s4", "h2": "s1 s2 s3 s4", "h3": "s3 s1 s2 s4"}
    names, places = [*students], [*hospitals]
    wishes = [[-students[name].split().index(place) for place in places] for name in names]
    favours = [[-hospitals[place].split().index(name) for place in places] for name in names]
    market = MatchingMarket(row_utility=wishes, column_utility=favours, capacity=[2, 1, 1])
    for proposing in ("rows", "columns"):
        matching = deferred_acceptance(market, proposing=proposing)
        assert [places[column] for column in matching.assigned] == ["h3", "h2", "h1", "h1"]
    assert len(stable_matchings(market)) == 1


@settings(max_examples=150)
@given(market=markets)
def test_proposers_get_the_best_and_receivers_the_worst_stable_matching(market: MatchingMarket) -> None:
    stable = np.array([matching.assigned for matching in stable_matchings(market)])
    by_rows, by_columns = deferred_acceptance(market), deferred_acceptance(market, proposing="columns")
    assert by_rows.stable
    assert by_columns.stable
    table = np.column_stack([market.row_utility, np.full(market.shape[0], -1e9)])
    own = np.take_along_axis(table.T, stable, axis=0)
    assert (table[np.arange(market.shape[0]), by_rows.assigned] == own.max(axis=0)).all()
    assert (table[np.arange(market.shape[0]), by_columns.assigned] == own.min(axis=0)).all()


@settings(max_examples=60)
@given(market=markets)
def test_the_same_places_are_filled_in_every_stable_matching(market: MatchingMarket) -> None:
    """The rural hospitals theorem (Roth 1986): same rows matched, same numbers filled, same rows where room is left."""
    stable = stable_matchings(market)
    first = stable[0]
    for other in stable:
        assert ((other.assigned < 0) == (first.assigned < 0)).all()
        assert (other.filled == first.filled).all()
        for column in np.flatnonzero(first.filled < market.seats):
            assert (other.assigned == column).tolist() == (first.assigned == column).tolist()


def assert_loops_equal_twins(market: MatchingMarket, ties: str, replication: int = 0) -> None:
    settings_of = {"seed": 3, "replication": replication}
    runs = {
        "rows": lambda: deferred_acceptance(market, ties=ties, **settings_of),
        "columns": lambda: deferred_acceptance(market, proposing="columns", ties=ties, **settings_of),
        "boston": lambda: immediate_acceptance(market, ties=ties, **settings_of),
        "turns": lambda: serial_dictatorship(market, **settings_of),
    }
    compiled = {name: run() for name, run in runs.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mechanisms, "defer_acceptance", twins.deferred_acceptance_by_numpy)
        patch.setattr(mechanisms, "accept_immediately", twins.immediate_acceptance_by_numpy)
        patch.setattr(mechanisms, "take_turns", twins.serial_dictatorship_by_numpy)
        for name, run in runs.items():
            one, other = run(), compiled[name]
            assert one.assigned.tolist() == other.assigned.tolist(), name
            assert (one.n_proposals, one.n_rounds) == (other.n_proposals, other.n_rounds), name
    assert compiled["rows"].stable
    assert compiled["columns"].stable


@settings(max_examples=100)
@given(market=tied, ties=st.sampled_from(["single", "multiple"]), replication=st.integers(0, 3))
def test_loops_equal_their_twins(market: MatchingMarket, ties: str, replication: int) -> None:
    assert_loops_equal_twins(market, ties, replication)


@pytest.mark.parametrize("ties", ["single", "multiple"])
@pytest.mark.parametrize("levels", [None, 3])
@pytest.mark.parametrize("common", [0.0, 3.0, 100.0])
def test_loops_equal_their_twins_where_lists_are_long_and_wishes_alike(
    common: float, levels: int | None, ties: str
) -> None:
    market = random_market(7, 60, 30, most=3, levels=levels, forbidden=0.05)
    alike = common * np.random.default_rng(1).normal(size=30)
    if levels:
        alike = np.round(alike)
    by_rows = common * np.round(np.random.default_rng(2).normal(size=60))
    changed = replace(
        market, row_utility=market.row_utility + alike, column_utility=market.column_utility + by_rows[:, None]
    )
    assert_loops_equal_twins(changed, ties)


def test_order_of_rows_and_columns_is_of_no_consequence() -> None:
    market = replace(random_market(1, 40, 6, most=9, levels=2), row_names=range(100, 140), column_names="abcdef")
    rng = np.random.default_rng(2)
    rows, columns = rng.permutation(40), rng.permutation(6)
    moved = MatchingMarket(
        row_utility=market.row_utility[np.ix_(rows, columns)],
        column_utility=market.column_utility[np.ix_(rows, columns)],
        capacity=market.seats[columns],
        row_names=[market.row_names[place] for place in rows],
        column_names=[market.column_names[place] for place in columns],
    )
    for mechanism in (deferred_acceptance, immediate_acceptance, serial_dictatorship):
        here, there = mechanism(market, seed=5), mechanism(moved, seed=5)
        back = np.where(there.assigned >= 0, columns[there.assigned], -1)
        assert back.tolist() == here.assigned[rows].tolist()
        assert here.assigned.tolist() != mechanism(market, seed=6).assigned.tolist()


def test_ties_are_counted_and_absent_where_preferences_are_strict() -> None:
    assert deferred_acceptance(random_market(1, 30, 4, most=9)).n_ties_broken == 0
    assert deferred_acceptance(random_market(1, 30, 4, most=9, levels=2)).n_ties_broken > 0


def test_indifferent_columns_make_deferred_acceptance_a_serial_dictatorship() -> None:
    market = random_market(3, 50, 7, most=6).with_columns(np.zeros((50, 7)))
    for replication in range(4):
        turns = serial_dictatorship(market, seed=1, replication=replication).assigned
        assert deferred_acceptance(market, seed=1, replication=replication).assigned.tolist() == turns.tolist()


def test_every_order_of_a_lottery_is_as_likely() -> None:
    market = MatchingMarket(row_utility=np.zeros((3, 3)))
    n = 3000
    orders, counts = np.unique([lottery_order(market, 1, r) for r in range(n)], axis=0, return_counts=True)
    assert len(orders) == 6
    standard_error = np.sqrt(n * (1 / 6) * (5 / 6))
    assert (np.abs(counts - n / 6) < 5 * standard_error).all()


@settings(max_examples=60)
@given(market=markets)
def test_serial_dictatorship_is_efficient(market: MatchingMarket) -> None:
    """No other matching gives some row more and none less, by trying all."""
    from itertools import product

    matching = serial_dictatorship(market, seed=1)
    n, m = market.shape
    table = np.column_stack([np.where(market.acceptable, market.row_utility, -np.inf), np.full(n, -1e9)])
    own = table[np.arange(n), matching.assigned]
    for assigned in product(range(-1, m), repeat=n):
        counts = np.bincount([column for column in assigned if column >= 0], minlength=m)
        if (counts <= market.seats).all():
            there = table[np.arange(n), assigned]
            assert not ((there >= own).all() and (there > own).any())


def test_immediate_acceptance_by_hand() -> None:
    """Two want the first place first; who loses finds the second one, its next choice, gone to who put it first."""
    market = MatchingMarket(
        row_utility=[[3, 2, 1], [3, 2, 1], [2, 3, 1]], column_utility=[[1, 3, 1], [2, 2, 1], [3, 1, 1]]
    )
    matching = immediate_acceptance(market)
    assert matching.assigned.tolist() == [2, 0, 1]
    assert matching.n_rounds == 3
    assert matching.blocking.tolist() == [[0, 1]]
    assert deferred_acceptance(market).assigned.tolist() == [1, 2, 0] or deferred_acceptance(market).stable


@pytest.mark.parametrize("seed", range(8))
def test_optimal_assignment_is_that_of_scipy(seed: int) -> None:
    market = random_market(seed, 12, 4, most=5)
    market = replace(market, capacity=np.maximum(market.seats, 3))
    places = np.repeat(np.arange(4), market.seats)
    worth = market.row_utility + market.column_utility
    rows, chosen = linear_sum_assignment(worth[:, places], maximize=True)
    matching = optimal_assignment(market)
    assert matching.welfare == pytest.approx(worth[rows, places[chosen]].sum(), rel=1e-12)
    assert matching.assigned.tolist() == places[chosen][np.argsort(rows)].tolist()


@pytest.mark.parametrize("seed", range(12))
def test_solving_for_the_pairs_that_matter_is_solving_for_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    market = random_market(seed, 40, 6, most=11, outside=seed % 2 == 0, forbidden=0.2 * (seed % 3 == 0), levels=None)
    whole = optimal_assignment(market)
    monkeypatch.setattr(mechanisms, "_MANY_PAIRS", 1)
    monkeypatch.setattr(mechanisms, "_FADED", [30.0, 0.5][seed % 2])  # few to begin with: others must be found to pay
    part = optimal_assignment(market)
    assert part.welfare == pytest.approx(whole.welfare, rel=1e-12)
    assert part.assigned.tolist() == whole.assigned.tolist()


def test_optimal_assignment_of_too_few_places_fills_all() -> None:
    market = MatchingMarket(row_utility=np.array([[-5.0], [-1.0], [-3.0]]), capacity=[2])
    assert optimal_assignment(market).assigned.tolist() == [-1, 0, 0]
    willing = replace(market, row_outside=-2.0)
    assert optimal_assignment(willing).assigned.tolist() == [-1, 0, -1]


def test_entropic_assignment_nears_the_optimal_one_as_it_cools() -> None:
    market = random_market(4, 30, 5, most=9)
    market = replace(market, capacity=np.maximum(market.seats, 6))
    best = optimal_assignment(market).welfare
    cold, warm = (entropic_assignment(market, temperature=t, seed=1).welfare for t in (0.01, 5.0))
    assert warm < cold
    assert cold == pytest.approx(best, abs=0.5)
    drawn = [entropic_assignment(market, temperature=1.0, seed=1, replication=r).assigned.tolist() for r in (0, 1)]
    assert drawn[0] != drawn[1]


def test_what_mechanisms_refuse() -> None:
    one_sided = MatchingMarket(row_utility=[[1.0, 2.0]])
    for mechanism in (deferred_acceptance, immediate_acceptance):
        with pytest.raises(InvalidInputError, match="give the market a column_utility"):
            mechanism(one_sided)
    two_sided = one_sided.with_columns([[1.0, 2.0]])
    with pytest.raises(InvalidInputError, match="proposing must be one of rows, columns, found 'both'"):
        deferred_acceptance(two_sided, proposing="both")
    with pytest.raises(InvalidInputError, match="ties must be one of single, multiple, found 'none'"):
        deferred_acceptance(two_sided, ties="none")
    with pytest.raises(InvalidInputError, match="temperature must be above 0"):
        entropic_assignment(two_sided, temperature=0.0)
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        serial_dictatorship(two_sided, seed=-1)
    with pytest.raises(InvalidInputError, match="replication must be a whole number"):
        serial_dictatorship(two_sided, replication=-1)
