"""Sums over resamples and draws: every column where the layout says, and what they come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit import Policy
from choicekit.choice.policies.building import build_comparison
from choicekit.choice.policies.cases import CaseRows
from choicekit.choice.policies.estimates import replicates_of
from choicekit.choice.policies.row_sums import Layout, RowSums, contributions, resampled_sums
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.tally import GroupedRows
from choicekit.execution import Block
from tests.choice.policies.trips import MODEL, compared, trips
from tests.tolerances import ALGEBRA

TWO = {
    "dearer": Policy(attributes={"cost": "2 * cost"}),
    "old and without bus": Policy(remove=["bus"], filter="age > 40"),
}


def study_of(n: int = 50) -> ComparisonStudy:
    return build_comparison(
        MODEL,
        trips(n, weighted=True),
        TWO,
        seed=1,
        replications=1,
        sampling="auto",
        segments=["home"],
        money="b_cost * (1 + age / 100)",
        bootstrap=70,
    )


@given(st.integers(1, 4), st.integers(1, 5))
def test_every_column_means_one_thing(n_policies: int, n_alternatives: int) -> None:
    layout = Layout(n_policies=n_policies, n_alternatives=n_alternatives)
    columns = [layout.weight(case) for case in range(n_policies + 1)]
    columns += [place for case in range(n_policies + 1) for place in range(layout.width)[layout.probability(case)]]
    columns += [layout.pair_weight(policy) + step for policy in range(n_policies) for step in range(3)]
    columns += [layout.money_utility, layout.money_utility + 1]
    assert sorted(columns) == list(range(layout.width))


def test_contributions_are_those_of_each_row() -> None:
    study = study_of()
    layout, weights = study.layout, study.weights(slice(None))
    cases = [case.rows(slice(None)) for case in study.cases]
    unit = study.money_utility(slice(None))
    assert unit is not None
    age = study.population.columns["age"]
    np.testing.assert_allclose(unit, 0.5 * (1 + age / 100), rtol=ALGEBRA)
    table = contributions(cases, weights, unit, layout)
    kept = age > 40
    for place, present in enumerate([True, True, kept]):
        weight = np.where(present, weights, 0)
        np.testing.assert_array_equal(table[:, layout.weight(place)], weight)
        expected = weight[:, None] * cases[place].probabilities
        np.testing.assert_array_equal(table[:, layout.probability(place)], expected)
    column = layout.pair_weight(1)
    gain = np.where(kept, weights * (cases[2].value - cases[0].value), 0)
    assert gain.min() < 0
    np.testing.assert_array_equal(table[:, column], np.where(kept, weights, 0))
    np.testing.assert_array_equal(table[:, column + 1], gain)
    np.testing.assert_allclose(table[:, column + 2], gain / unit, rtol=ALGEBRA)
    np.testing.assert_array_equal(table[:, layout.money_utility], weights * unit)
    assert not table[:, layout.money_utility + 1].any()
    negative = contributions(cases, weights, np.where(kept, unit, -unit), layout)
    np.testing.assert_array_equal(negative[:, layout.money_utility + 1], np.where(kept, 0, weights))


def test_whoever_chooses_under_a_policy_only_has_no_change_in_value() -> None:
    people = trips(50)
    old = people.columns["age"] > 30
    model = replace(MODEL, availability=dict.fromkeys(("walk", "bus", "car"), "age > 30"), on_no_alternative="skip")
    policies = {"it": Policy(add={"stay": {"utility": "1"}})}  # type: ignore[dict-item]
    study = build_comparison(model, people, policies, seed=1, replications=1, sampling="auto")
    cases = [case.rows(slice(None)) for case in study.cases]
    table = contributions(cases, np.ones(50), None, study.layout)
    column = study.layout.pair_weight(0)
    np.testing.assert_array_equal(table[:, study.layout.weight(1)], 1)
    np.testing.assert_array_equal(table[:, column], old)
    assert not table[~old, column + 1].any()


@given(st.integers(1, 100), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_resampled_sums_are_the_plain_products(n: int, n_resamples: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    table, counted = rng.normal(size=(n, 5)), rng.poisson(1, (n_resamples, n)).astype(float)
    codes = rng.integers(1, 4, n)  # the last group of four has no rows: there are none of code 4
    groups = GroupedRows(codes=(np.zeros(n, dtype=np.int64), codes), n_groups=5)
    found = resampled_sums(table, counted, groups, Layout(n_policies=0, n_alternatives=2))
    members = np.array([codes >= 0, codes == 1, codes == 2, codes == 3, codes == 4])
    expected = np.einsum("bn,cn,nk->bck", counted, members, table)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * n)


@given(st.integers(1, 300), st.integers(1, 12), st.integers(1, 5), st.integers(1, 70), st.integers(0, 2**32 - 1))
def test_a_case_like_the_baseline_comes_to_the_same_bits(
    n: int, n_alternatives: int, n_policies: int, n_resamples: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layout = Layout(n_policies=n_policies, n_alternatives=n_alternatives)
    p = rng.random((n, n_alternatives))
    all_rows = np.ones(n, dtype=bool)
    same = CaseRows(
        utility=p, belongs=all_rows, chooses=all_rows, outside=~all_rows, probabilities=p, value=p.sum(axis=1)
    )
    table = contributions([same] * (n_policies + 1), rng.random(n), None, layout)
    groups = GroupedRows(codes=(np.zeros(n, dtype=np.int64),), n_groups=1)
    sums = RowSums(totals=resampled_sums(table, rng.poisson(1, (n_resamples, n)).astype(float), groups, layout))
    for policy in range(n_policies):
        replicates = replicates_of(sums, policy, layout, money=False)
        assert not np.nan_to_num(replicates.share_change).any()
        assert not np.nan_to_num(replicates.value_change).any()


def test_sums_of_blocks_add_up() -> None:
    study = study_of()
    first, second = (study.resampled(Block(index=0, start=a, stop=b), range(9)) for a, b in ((0, 17), (17, 50)))
    whole = study.resampled(Block(index=0, start=0, stop=50), range(9))
    np.testing.assert_allclose(first.merge(second).totals, whole.totals, rtol=1e-12, atol=1e-12)


def test_counting_every_agent_once_gives_the_comparison_itself() -> None:
    study = study_of()
    rows = Block(index=0, start=0, stop=50)
    cases = [case.rows(rows.rows) for case in study.cases]
    table = contributions(cases, study.weights(rows.rows), study.money_utility(rows.rows), study.layout)
    codes = (np.zeros(50, dtype=np.int64), study.segments[0].codes + 1)
    sums = RowSums(totals=resampled_sums(table, np.ones((1, 50)), GroupedRows(codes=codes, n_groups=4), study.layout))
    found = compared(
        TWO["old and without bus"], population=study.population, segments=["home"], money="b_cost * (1 + age / 100)"
    )
    outcome, replicates = found.policies["it"], replicates_of(sums, 1, study.layout, money=True)
    np.testing.assert_allclose(replicates.share_change[0], outcome.share_change, rtol=0, atol=1e-14)
    np.testing.assert_allclose(replicates.value_change[0], outcome.welfare.mean, rtol=1e-12)
    assert outcome.money_welfare is not None
    assert replicates.money_change is not None
    np.testing.assert_allclose(replicates.money_change[0], outcome.money_welfare.mean, rtol=1e-12)
    assert replicates_of(sums, 1, study.layout, money=False).money_change is None


def test_draws_of_no_spread_give_the_comparison_itself() -> None:
    study = build_comparison(MODEL, trips(40), TWO, seed=1, replications=1, sampling="auto", parameter_draws=3)
    sums = study.redrawn(Block(index=0, start=0, stop=40), range(3))
    for place, name in enumerate(TWO):
        outcome = compared(TWO[name], population=trips(40)).policies["it"]
        replicates = replicates_of(sums, place, study.layout, money=False)
        for draw in range(3):
            np.testing.assert_allclose(replicates.share_change[draw], outcome.share_change, rtol=0, atol=1e-14)
            np.testing.assert_allclose(replicates.value_change[draw], outcome.welfare.mean, rtol=1e-12)


@pytest.mark.parametrize("policy", [0, 1])
def test_an_empty_group_has_no_share_in_a_resample(policy: int) -> None:
    layout = Layout(n_policies=2, n_alternatives=3)
    replicates = replicates_of(RowSums(totals=np.zeros((2, 1, layout.width))), policy, layout, money=True)
    assert np.isnan(replicates.share_change).all()
    assert np.isnan(replicates.value_change).all()
