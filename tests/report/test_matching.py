"""The report of a matching study: what it says agrees with what was found."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from choicekit import StudyResult, run_scenario, write_report
from choicekit.report.kinds import build_report, headline
from choicekit.report.kinds.matching.summary import SUMMARY_KEYS
from choicekit.report.text import plain

SCENARIO = """\
choicekit: 1
kind: matching
name: schools
seed: 3
labels: {row: pupil, rows: pupils, column: school, columns: "schools <b>", group: side}
rows: {count: {east: 9, "<i>west": 6}, attributes: {x: {east: 1, "<i>west": -1}}}
columns: {capacity: {Castle: 7, Park: 4, "<script>": 4}, attributes: {x: {Castle: 0.5, Park: -0.5, "<script>": 1}}}
row_utility: -abs(row_x - column_x)
column_utility: where(row_x * column_x > 0, 1, 0)
draws: 4
policies: {more: {description: More <u>room</u>., capacity: {Castle: 12}}}
"""


@cache
def result() -> StudyResult:
    return run_scenario(SCENARIO)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("run") / "out"
    write_report(result(), target)
    return target


def page(directory: Path) -> BeautifulSoup:
    return BeautifulSoup((directory / "report.html").read_text(encoding="utf-8"), "html.parser")


def test_the_headline_says_what_the_table_says(directory: Path) -> None:
    frame = pd.read_csv(directory / "tables" / "mechanisms.csv")
    first = frame[(frame["measure"] == "first_choice") & (frame["market"] == "baseline")].set_index("mechanism")["mean"]
    said = headline(result())
    assert f"{100 * first.max():.1f}" in said.replace(" ", " ").replace("\u2009", " ")
    heading = page(directory).find("h1")
    assert heading is not None
    assert plain(heading.get_text()) == said


def test_every_mechanism_group_and_policy_is_shown(directory: Path) -> None:
    text = page(directory).get_text()
    for words in ("Deferred acceptance", "Immediate acceptance", "Serial dictatorship", "Optimal", "Entropic", "more"):
        assert words in text
    assert "stable in every draw" in text
    assert "<i>west" in text  # as text, not as markup
    assert page(directory).find("script") is None
    assert page(directory).find("u") is None


def test_summary_has_the_documented_keys_and_no_others(directory: Path) -> None:
    summary = json.loads((directory / "summary.json").read_text())
    assert set(summary) == {key.split(".")[0] for key in SUMMARY_KEYS}
    assert summary["mechanisms"]["deferred_acceptance"]["blocking_pairs"]["mean"] == 0
    change = summary["policies"]["more"]["deferred_acceptance"]["row_welfare"]
    assert change["lower"] <= change["mean"] <= change["upper"]


def test_tables_and_assignments_agree_with_the_outcome(directory: Path) -> None:
    compared = result().outcome.comparison
    places = pd.read_csv(directory / "tables" / "places.csv")
    assert places["filled"].sum() == pytest.approx(compared.filled.mean(axis=2).sum())
    assert (places["filled"] <= places["capacity"] + 1e-9).all()
    assigned = pd.read_parquet(directory / "data" / "assignments.parquet")
    counts = assigned[assigned["mechanism"] == "optimal"].groupby("column").size()
    wanted = dict(zip(compared.columns, compared.filled[0, compared.mechanisms.index("optimal"), 0], strict=True))
    assert {name: float(counts.get(name, 0)) for name in wanted} == wanted
    assert {"ranks.svg", "welfare.svg", "groups.svg", "policies.svg"} <= {
        path.name for path in (directory / "figures").iterdir()
    }


def test_a_market_of_one_mechanism_without_a_say_for_columns() -> None:
    text = SCENARIO.replace(
        "column_utility: where(row_x * column_x > 0, 1, 0)\n", "mechanisms: [serial_dictatorship]\n"
    )
    report = build_report(run_scenario(text))
    assert "Serial dictatorship gives" in report.title
    assert "with a claim" not in str(report.sections)


def test_who_goes_without_is_shown() -> None:
    text = SCENARIO.replace("Castle: 7", "Castle: 1") + "outside: {rows: -9}\n"
    report = build_report(run_scenario(text))
    assert "with nothing" in str(report.sections)
