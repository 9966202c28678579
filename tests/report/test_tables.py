"""CSV files: every digit survives, no cell is run as a formula."""

from __future__ import annotations

import csv
import io
import math

import numpy as np
import pandas as pd
import pytest

from choicekit.report.tables import csv_bytes
from tests.report.studies import HOSTILE, constant_choice, mode_choice, report_of, travellers


def read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_text_that_starts_a_formula_is_defused(start: str) -> None:
    rows = read(csv_bytes(pd.DataFrame({f"{start}head": [f"{start}1+1"]})))
    assert rows == [[f"'{start}head"], [f"'{start}1+1"]]


def test_negative_numbers_are_no_text() -> None:
    assert csv_bytes(pd.DataFrame({"b": [-0.0155], "n": [-3]})) == b"b,n\n-0.0155,-3\n"


def test_floats_round_trip() -> None:
    values = np.random.default_rng(0).lognormal(0, 30, 500)
    rows = read(csv_bytes(pd.DataFrame({"value": values})))
    assert [float(row[0]) for row in rows[1:]] == values.tolist()


def test_nothing_is_an_empty_cell() -> None:
    frame = pd.DataFrame({"x": [1.0, math.nan], "flag": [True, False], "text": ["a", None]})
    assert csv_bytes(frame) == b"x,flag,text\n1.0,true,a\n,false,\n"


def test_tables_of_a_study() -> None:
    outcome = mode_choice(replications=6)
    tables = report_of(outcome).tables
    assert set(tables) == {"shares", "segments", "groups", "convergence", "checks", "utilities", "coefficients"}
    assert tables["shares"]["alternative"].tolist() == list(outcome.alternatives)
    assert len(tables["segments"]) == 3 * 4
    assert tables["groups"]["rows"].tolist() == outcome.tally.rows.tolist()
    assert tables["segments"].columns[:3].tolist() == ["segment", "group", "rows"]
    assert tables["convergence"]["replications"].tolist() == [1, 2, 3, 4, 5, 6]  # after so many
    assert tables["checks"]["relation"].tolist() == ["<="]
    last = tables["convergence"].iloc[-1]
    best = outcome.expected_shares.idxmax()
    assert last["alternative"] == best
    assert last["running_mean"] == pytest.approx(outcome.simulated_shares[best], rel=1e-12)
    row = tables["shares"].set_index("alternative").loc[best]
    assert (last["lower"], last["upper"]) == pytest.approx((row["lower"], row["upper"]), rel=1e-9)


def test_band_of_the_running_mean_is_the_one_the_probabilities_give() -> None:
    for weights in (None, np.linspace(0.5, 3, 210)):
        people = travellers(weights=weights)
        outcome = mode_choice(replications=50, population=people)
        table = report_of(outcome).tables["convergence"]
        place = outcome.alternatives.index(table["alternative"][0])
        weight = np.ones(210) if weights is None else weights
        p = outcome.rule.probabilities(outcome.study.utility(slice(0, 210)))[:, place]
        variance = (weight**2 * p * (1 - p)).sum() / weight.sum() ** 2
        half = 1.959963984540054 * np.sqrt(variance / np.arange(1, 51))
        shares = outcome.shares_by_replication()[:, 0, place]
        mean = np.array([shares[:r].mean() for r in range(1, 51)])
        np.testing.assert_allclose(table["running_mean"], mean, rtol=1e-12)
        np.testing.assert_allclose(table["lower"], mean - half, rtol=1e-9)
        np.testing.assert_allclose(table["upper"], mean + half, rtol=1e-9)


def test_weighted_studies_have_unweighted_shares_too() -> None:
    outcome = mode_choice(replications=3, population=travellers(weights=np.linspace(0.5, 3, 210)))
    tables = report_of(outcome).tables
    expected = outcome.expected_by_group(weighted=False)[0]
    assert tables["shares_unweighted"]["expected_share"].tolist() == expected.tolist()


def test_hostile_alternatives_are_defused() -> None:
    outcome = constant_choice(dict.fromkeys(HOSTILE, "0"))
    rows = read(csv_bytes(report_of(outcome).tables["shares"]))
    names = [row[rows[0].index("alternative")] for row in rows[1:]]
    assert names[1] == "'=cmd|' /C calc'!A0"
    assert names[0] == HOSTILE[0]
