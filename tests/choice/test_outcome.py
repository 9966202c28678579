"""Outcomes: what their tables and properties say of a tally."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from choicekit import ChoiceModel, ChoiceOutcome, InvalidInputError, Population, simulate_choices

COLUMNS = [
    "segment", "group", "rows", "alternative", "expected_share", "simulated_share", "standard_error", "lower",
    "upper", "observed_share",
]  # fmt: skip


def outcome(
    *, weighted: bool = False, observed: bool = True, replications: int = 20, n: int = 12, segments: bool = True
) -> ChoiceOutcome:
    people = Population(
        agents=np.arange(n),
        alternatives=("a", "b"),
        columns={"x": np.linspace(-1, 1, n), "home": np.array(["city", "farm", "farm"] * (n // 3), dtype=object)},
        weights=np.arange(1.0, n + 1) if weighted else None,
        chosen=np.array([0, 1, -1] * (n // 3)) if observed else None,
    )
    return simulate_choices(
        ChoiceModel({"a": "x", "b": "0"}), people, seed=3, replications=replications,
        segments=["home"] if segments else [],
    )  # fmt: skip


def test_groups_begin_with_everybody() -> None:
    assert [(group.segment, group.label, group.position) for group in outcome().groups] == [
        ("all", "all", 0),
        ("home", "city", 1),
        ("home", "farm", 2),
    ]


def test_the_table_has_a_row_for_every_group_and_alternative() -> None:
    table = outcome().to_frame()
    assert list(table.columns) == COLUMNS
    assert table["group"].tolist() == ["all", "all", "city", "city", "farm", "farm"]
    assert table["alternative"].tolist() == ["a", "b"] * 3
    assert table["rows"].tolist() == [12, 12, 4, 4, 8, 8]
    np.testing.assert_allclose(table.groupby("group")["expected_share"].sum(), 1, rtol=1e-14)
    np.testing.assert_allclose(table.groupby("group")["simulated_share"].sum(), 1, rtol=1e-14)
    assert np.all((table["lower"] <= table["simulated_share"]) & (table["simulated_share"] <= table["upper"]))
    assert table["lower"].between(0, 1).all()
    assert table["upper"].between(0, 1).all()


def test_the_properties_are_the_first_group_of_the_table() -> None:
    found = outcome()
    everybody = found.to_frame().iloc[:2].set_index("alternative")
    for series, column in (
        (found.expected_shares, "expected_share"),
        (found.simulated_shares, "simulated_share"),
        (found.observed_shares, "observed_share"),
    ):
        assert isinstance(series, pd.Series)
        assert series.name == column
        assert series.index.tolist() == ["a", "b"]
        np.testing.assert_array_equal(series, everybody[column])


def test_observed_shares_leave_out_rows_that_report_nothing() -> None:
    assert outcome().observed_shares.tolist() == [0.5, 0.5]
    assert outcome().observed_by_group()[1].tolist() == [1, 0]
    silent = outcome(observed=False)
    assert not silent.has_observed
    assert silent.observed_shares.isna().all()


def test_weights_are_used_unless_said_otherwise() -> None:
    found = outcome(weighted=True)
    p = 1 / (1 + np.exp(-np.linspace(-1, 1, 12)))
    w = np.arange(1.0, 13)
    assert found.expected_shares["a"] == pytest.approx((w * p).sum() / w.sum(), rel=1e-14)
    assert found.expected_by_group(weighted=False)[0, 0] == pytest.approx(p.mean(), rel=1e-14)
    assert found.to_frame(weighted=False)["expected_share"][0] == found.expected_by_group(weighted=False)[0, 0]
    share = found.shares_by_replication()[:, 0, 0]
    by_hand = [(w * (chosen == 0)).sum() / w.sum() for chosen in found.choices]
    np.testing.assert_allclose(share, by_hand, rtol=1e-14)


@pytest.mark.parametrize(
    "method", ["expected_by_group", "estimate_by_group", "shares_by_replication", "observed_by_group", "to_frame"]
)
def test_weights_that_are_not_there_cannot_be_asked_for(method: str) -> None:
    with pytest.raises(InvalidInputError, match="the agents carry no weights: name a weight column"):
        getattr(outcome(), method)(weighted=True)


@pytest.mark.parametrize("replications", [1, 7])
def test_the_error_of_a_share_is_that_of_its_law(replications: int) -> None:
    found = outcome(replications=replications)
    p = 1 / (1 + np.exp(-np.linspace(-1, 1, 12)))
    error = np.sqrt((p * (1 - p)).sum() / replications) / 12
    estimate = found.estimate_by_group()
    assert estimate.standard_error[0, 0] == pytest.approx(error, rel=1e-12)
    low, high = stats.norm.interval(0.95, loc=found.simulated_shares["a"], scale=error)
    assert estimate.lower[0, 0] == pytest.approx(max(low, 0))
    assert estimate.upper[0, 0] == pytest.approx(min(high, 1))


def test_the_agreement_is_high_for_true_draws_and_0_for_impossible_ones() -> None:
    found = outcome(replications=200, segments=False)
    assert found.agreement > 1e-6
    impossible = dataclasses.replace(found.tally, probability=found.tally.probability * np.array([0, 1]))
    assert dataclasses.replace(found, tally=impossible).agreement == 0
    shifted = dataclasses.replace(found.tally, probability=found.tally.probability + np.array([1.5, -1.5]))
    assert dataclasses.replace(found, tally=shifted).agreement < 1e-6


def test_the_inclusive_value_by_group_averages_to_the_whole() -> None:
    found = outcome()
    value = np.log(np.exp(np.linspace(-1, 1, 12)) + 1)
    city = np.arange(12) % 3 == 0
    np.testing.assert_allclose(
        found.inclusive_value_by_group(), [value.mean(), value[city].mean(), value[~city].mean()], rtol=1e-14
    )
    assert found.inclusive_value == found.inclusive_value_by_group()[0]


def test_an_empty_group_has_no_shares() -> None:
    people = Population(agents=[1, 2], columns={"open": [1.0, 0.0], "home": np.array(["city", "farm"], dtype=object)})
    model = ChoiceModel({"a": "0"}, availability={"a": "open"}, on_no_alternative="skip")
    found = simulate_choices(model, people, seed=1, replications=3, segments=["home"])
    assert found.expected_by_group()[:2].tolist() == [[1], [1]]
    assert np.isnan(found.expected_by_group()[2]).all()
    assert np.isnan(found.inclusive_value_by_group()[2])
    assert found.to_frame()["rows"].tolist() == [1, 1, 0]


def test_the_representation_is_short_and_the_notebook_table_escaped() -> None:
    assert repr(outcome(weighted=True)) == (
        "ChoiceOutcome(12 weighted rows, 2 alternatives, 20 replications, coherent draws, seed 3)"
    )
    assert len(repr(outcome(n=3000))) < 100
    people = Population(agents=[1, 2])
    html = simulate_choices(ChoiceModel({"<b>&": "0"}), people, seed=1, replications=2)._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>&" not in html
    assert len(re.findall("<tr", html)) == 2


def test_a_result_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        outcome().seed = 4  # type: ignore[misc]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_known_variance_is_that_of_one_replication(weighted: bool) -> None:
    found = outcome(weighted=weighted, replications=5)
    rows = found.study
    probabilities = found.rule.probabilities(rows.utility(slice(0, 12)))
    weights = rows.population.weights if rows.population.weights is not None else np.ones(12)
    city = rows.population.columns["home"] == "city"
    for position, members in ((0, np.ones(12, dtype=bool)), (1, city), (2, ~city)):
        share = weights[members] / weights[members].sum()
        expected = (share[:, None] ** 2 * (probabilities * (1 - probabilities))[members]).sum(axis=0)
        np.testing.assert_allclose(found.known_variance_by_group()[position], expected, rtol=1e-12)
    known, estimate = found.known_variance_by_group(), found.estimate_by_group()
    np.testing.assert_allclose(estimate.standard_error, np.sqrt(known / 5), rtol=1e-12)
    if weighted:
        assert np.all(found.known_variance_by_group(weighted=False) != known)
    else:
        with pytest.raises(InvalidInputError, match="carry no weights"):
            found.known_variance_by_group(weighted=True)
