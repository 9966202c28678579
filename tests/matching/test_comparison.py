"""Mechanisms side by side: common tastes, measures against their definitions, intervals, policies, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from choicekit import InvalidInputError, MatchingMarket, ShapeError, choose, compare_mechanisms
from choicekit.matching.comparison import MECHANISMS
from choicekit.matching.measures import MEASURES


def market(n: int = 60, m: int = 5, seats: int = 12, **given: object) -> MatchingMarket:
    rng = np.random.default_rng(1)
    arguments = {
        "row_utility": rng.normal(size=(n, m)), "column_utility": rng.integers(3, size=(n, m)).astype(float),
        "capacity": np.full(m, seats), "row_names": [f"r{k}" for k in range(n)], "column_names": [*"abcdefgh"[:m]],
    }  # fmt: skip
    return MatchingMarket(**{**arguments, **given})


COMPARISON = compare_mechanisms(market(), seed=3, replications=12, groups=["east"] * 20 + ["west"] * 40)


def mean(measure: str, mechanism: str, case: str = "baseline") -> float:
    frame = COMPARISON.to_frame().set_index(["market", "mechanism", "measure"])
    return float(frame.loc[(case, mechanism, measure), "mean"])


def test_stable_mechanisms_have_no_blocking_pairs_and_the_best_sum_is_the_best() -> None:
    for mechanism in ("deferred_acceptance", "deferred_acceptance_by_columns"):
        assert mean("blocking_pairs", mechanism) == mean("unfair", mechanism) == 0
    assert mean("blocking_pairs", "immediate_acceptance") > 0
    best = COMPARISON.values[:, MECHANISMS.index("optimal"), :, [*MEASURES].index("welfare")]
    assert (COMPARISON.values[..., [*MEASURES].index("welfare")] <= best[:, None] + 1e-9).all()
    assert mean("row_welfare", "deferred_acceptance") > mean("row_welfare", "deferred_acceptance_by_columns")


def test_groups_and_ranks_add_up_to_everybody() -> None:
    whole, parts = COMPARISON.values[..., 0], COMPARISON.by_group[..., 0]
    assert whole == pytest.approx((parts * [20, 40]).sum(axis=-1) / 60)
    assert COMPARISON.ranks[..., 0] == pytest.approx(COMPARISON.values[..., [*MEASURES].index("first_choice")])
    assert COMPARISON.ranks.sum(axis=-1) == pytest.approx(1 - COMPARISON.values[..., [*MEASURES].index("unassigned")])
    assert COMPARISON.filled.sum(axis=-1) == pytest.approx(np.full(COMPARISON.filled.shape[:-1], 60))


def test_tastes_are_those_of_choose() -> None:
    """With room for everybody each row has its first choice, the one that `choose` draws."""
    wide = market(capacity=np.full(5, 60))
    compared = compare_mechanisms(wide, seed=8, replications=4, mechanisms=["deferred_acceptance"])
    chosen = choose(wide.row_utility, seed=8, agents=wide.row_names, alternatives=wide.column_names, replications=4)
    counts = np.stack([np.bincount(each, minlength=5) for each in chosen])
    assert (compared.filled[0, 0] == counts).all()


def test_means_intervals_and_paired_differences() -> None:
    frame = COMPARISON.to_frame().set_index(["market", "mechanism", "measure"])
    values = COMPARISON.values[0, 2, :, 0]
    line = frame.loc[("baseline", MECHANISMS[2], "row_welfare")]
    assert line["mean"] == pytest.approx(values.mean())
    assert line["standard_error"] == pytest.approx(values.std(ddof=1) / np.sqrt(12))
    assert line["upper"] - line["mean"] == pytest.approx(2.2009851601 * line["standard_error"])
    paired = COMPARISON.differences("optimal").set_index(["market", "mechanism", "measure"])
    gap = values - COMPARISON.values[0, MECHANISMS.index("optimal"), :, 0]
    line = paired.loc[("baseline", MECHANISMS[2], "row_welfare")]
    assert line["standard_error"] == pytest.approx(gap.std(ddof=1) / np.sqrt(12))
    own = paired[paired.index.get_level_values("mechanism") == "optimal"]
    assert (own["mean"].dropna() == 0).all()


def test_a_policy_that_changes_nothing_changes_nothing_and_a_new_column_moves_rows_only_to_it() -> None:
    rng = np.random.default_rng(2)
    base = market(capacity=np.full(5, 60))
    same = market(capacity=np.full(5, 60))
    more = replace(
        base,
        row_utility=np.column_stack([base.row_utility, rng.normal(size=60)]),
        column_utility=np.column_stack([base.column_utility, np.zeros(60)]),
        capacity=np.full(6, 60),
        column_names=[*base.column_names, "new"],
    )
    compared = compare_mechanisms(
        base, seed=1, replications=6, mechanisms=["deferred_acceptance"], policies={"same": same, "more": more}
    )
    changes = compared.changes().set_index(["market", "measure"])["mean"]
    assert (changes["same"] == 0).all()
    assert changes[("more", "row_welfare")] > 0
    assert (compared.filled[2, 0, :, :5] <= compared.filled[0, 0, :, :5]).all()
    assert compared.columns == (*"abcde", "new")


def test_workers_are_of_no_consequence() -> None:
    again = compare_mechanisms(market(), seed=3, replications=12, groups=["east"] * 20 + ["west"] * 40, workers=2)
    assert np.array_equal(again.values, COMPARISON.values, equal_nan=True)


def test_one_sided_markets_and_what_is_refused() -> None:
    one_sided = market(column_utility=None)
    compared = compare_mechanisms(
        one_sided, seed=1, replications=2, mechanisms=["serial_dictatorship", "optimal", "entropic"]
    )
    assert np.isnan(compared.values[..., [*MEASURES].index("blocking_pairs")]).all()
    with pytest.raises(InvalidInputError, match="market 'baseline' has no column_utility"):
        compare_mechanisms(one_sided, seed=1)
    with pytest.raises(InvalidInputError, match="unknown mechanism 'boston', there are"):
        compare_mechanisms(market(), seed=1, mechanisms=["boston"])
    with pytest.raises(InvalidInputError, match="row_taste must be a number of at least 0"):
        compare_mechanisms(market(), seed=1, row_taste=-1)
    with pytest.raises(InvalidInputError, match="temperature must be a number above 0"):
        compare_mechanisms(market(), seed=1, temperature=0)
    with pytest.raises(ShapeError, match="groups must be one label a row, 60, found 1"):
        compare_mechanisms(market(), seed=1, groups=["a"])
    with pytest.raises(ShapeError, match="same rows"):
        compare_mechanisms(market(), seed=1, policies={"other": market(n=30)})
    assert "deferred_acceptance" in compared._repr_html_() or "optimal" in compared._repr_html_()
