"""What a choice report says of situations against a reference population: in words, tables, files and summary."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from pyarrow import csv
from scipy.stats import betabinom

from choicekit import write_report
from choicekit.report.content import Report
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.kinds import build_report
from choicekit.report.kinds.choice.familiarity import FAMILIARITY_KEYS
from choicekit.report.page import render_page
from choicekit.report.text import plain
from choicekit.scenario.result import StudyResult
from tests.report.test_summary import is_documented, paths
from tests.scenario.choice.surveys import run, scenario, trips_scenario, write_people, write_trips

MORE = """segments: {town: {column: town}}
policies:
  dear: {change: {bus: {cost: cost + 9}, car: {cost: cost + 9}}}
  none: {}
  early: {filter: bus_cost < 3}
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyResult:
    folder = tmp_path_factory.mktemp("people")
    write_people(folder)
    return run(folder, scenario("{reference: {column: year, values: [2020]}, sides: both, retention: 0.9}", MORE))


@pytest.fixture(scope="module")
def report(study: StudyResult) -> Report:
    return build_report(study)


def section(report: Report) -> Tag:
    found = BeautifulSoup(render_page(report), "html.parser").find(id="familiarity")
    assert isinstance(found, Tag)
    return found


def cells(report: Report, name: str) -> list[list[str]]:
    """Return the rows of a table of the section, as text."""
    block = next(
        block
        for part in report.sections
        if part.key == "familiarity"
        for block in part.blocks
        if getattr(block, "name", "") == name
    )
    return [[plain(cell.text) for cell in row] for row in block.rows]


def test_the_section_says_what_a_flag_is_worth(report: Report) -> None:
    text = plain(section(report).get_text(" ", strip=True))
    for words in (
        "larger means more out-of-distribution",
        "The level of utility is not identified by choices alone",
        "rests on how utilities are normalised",
        "a flag is a prompt to look, not a verdict",
        "its energy is above or below those of nearly all of the 30 reference situations",
        "over cost of bus and cost of car: it knows nothing of utilities",
        "outside",
    ):
        assert words in text, words
    assert "Situations of one agent are alike" not in text
    assert "not weighted" not in text


def test_shares_stand_against_what_chance_explains(study: StudyResult, report: Report) -> None:
    found = study.detection
    threshold = found.reference.threshold
    lower, upper = betabinom.interval(0.95, 30, *threshold.beta)
    everybody, *towns = cells(report, "familiarity-groups")
    share = 100 * np.mean(found.scores.flagged)
    assert everybody[:4] == [
        "Everybody",
        "30",
        f"{share:.1f} %",
        f"{100 * lower / 30:.1f} % to {100 * upper / 30:.1f} %",
    ]
    assert [row[:2] for row in towns] == [["A", "20"], ["B", "10"]]
    policies = {row[0]: row for row in cells(report, "familiarity-policies")}
    assert list(policies) == ["Baseline", "Dear", "None", "Early"]
    assert policies["Dear"][2] == policies["Dear"][4] == "100.0 %"
    assert policies["None"][5] == "0"
    early = found.policies["early"]
    assert policies["Early"][1] == str(int(early.judged.sum()))
    assert found.scores.flagged[~early.judged].any()  # but these have only left
    assert policies["Early"][5] == "0"
    assert policies["Early"][2] == f"{100 * early.flagged[early.judged].mean():.1f} %"


def test_the_least_familiar_situations_are_listed(study: StudyResult, report: Report) -> None:
    scores = study.detection.scores
    listed = cells(report, "familiarity-rows")
    agents = np.asarray(study.detection.plan.study.population.agents)[study.detection.rows]
    assert len(listed) == 10
    by_agent = dict(zip(agents.tolist(), scores.p_values.tolist(), strict=True))
    shown = [by_agent[row[0]] for row in listed]
    assert shown == sorted(scores.p_values)[:10]
    farthest = [row[0] for row in cells(report, "familiarity-distances")]
    assert farthest == agents[np.argsort(-scores.distances, kind="stable")][:10].tolist()


def test_the_highest_energies_come_first_where_only_they_are_flagged(tmp_path: Path) -> None:
    write_people(tmp_path)
    result = run(tmp_path, scenario("{reference: {column: year, values: [2020]}}"))
    found = result.detection
    agents = np.asarray(found.plan.study.population.agents)[found.rows]
    listed = [row[0] for row in cells(build_report(result), "familiarity-rows")]
    assert listed == agents[np.argsort(-found.scores.energies, kind="stable")][:10].tolist()


def test_files_hold_every_situation_and_group(study: StudyResult, report: Report, tmp_path: Path) -> None:
    write_report(study, tmp_path / "run")
    table = pd.read_parquet(tmp_path / "run" / "data" / "situations.parquet")
    scores, dear = study.detection.scores, study.detection.policies["dear"]
    np.testing.assert_array_equal(table["energy"], scores.energies)
    np.testing.assert_array_equal(table["distance"], scores.distances)
    np.testing.assert_array_equal(table["energy: dear"], dear.energies)
    np.testing.assert_array_equal(table["distant: dear"], dear.distant)
    groups = csv.read_csv(tmp_path / "run" / "tables" / "familiarity.csv").to_pandas()  # to the last digit
    assert groups["policy"].unique().tolist() == ["baseline", "dear", "none", "early"]
    assert groups["group"].tolist() == ["all", "a", "b"] * 4
    assert groups["situations"][:3].tolist() == [30, 20, 10]
    assert groups["flagged_share"][0] == scores.flagged.mean()
    found = json.loads((tmp_path / "run" / "summary.json").read_text())["detection"]
    assert found["flagged_share"] == scores.flagged.mean()
    assert found["policies"]["dear"] == {"situations": 30, "flagged_share": 1.0, "distant_share": 1.0}
    assert found["segments"]["town"]["b"]["situations"] == 10
    assert found["lower_threshold"] < found["threshold"]


def test_every_key_of_the_summary_is_documented(report: Report) -> None:
    leaves = [("detection", *path) for path in paths(report.summary["detection"])]
    assert all(map(is_documented, leaves))
    for key in FAMILIARITY_KEYS:
        parts = key.split(".")
        assert any(
            len(path) == len(parts) and all(p.startswith("<") or p == g for p, g in zip(parts, path, strict=True))
            for path in leaves
        ), key


def test_what_makes_no_distance_is_said(tmp_path: Path) -> None:
    write_trips(tmp_path, without_rail=-1)
    write_trips(tmp_path, "known.csv")
    text = plain(section(build_report(run(tmp_path, trips_scenario("{reference: {table: known.csv}}")))).get_text(" "))
    assert "or not known for all of it: cost of rail." in text
    assert "Situations of one agent are alike, so that chance explains more" in text
    assert "its energy is above those of" in text
    write_trips(tmp_path)
    write_trips(tmp_path, "known.csv", without_rail=-1)
    text = plain(section(build_report(run(tmp_path, trips_scenario("{reference: {table: known.csv}}")))).get_text(" "))
    assert "12 situations with an attribute that is not known have none." in text


def test_without_attributes_there_are_no_distances(tmp_path: Path) -> None:
    write_people(tmp_path)
    result = run(tmp_path, scenario("{reference: {column: year, values: [2020]}, attributes: []}"))
    found = build_report(result)
    assert "Mahalanobis" not in section(found).get_text()
    assert np.isnan(found.summary["detection"]["distant_share"])
    assert "familiarity-distances" not in render_page(found)


def test_without_the_block_nothing_is_said(tmp_path: Path) -> None:
    write_people(tmp_path)
    lines = scenario("x").splitlines(keepends=True)
    found = build_report(run(tmp_path, "".join(line for line in lines if not line.startswith("detection"))))
    assert "detection" not in found.summary
    assert "familiarity" not in found.tables
    assert not found.bulk


def test_names_from_a_table_are_escaped(tmp_path: Path) -> None:
    people = write_people(tmp_path).read_text()
    (tmp_path / "people.csv").write_text(people.replace(",a,", ",<b>town</b>,"))
    text = scenario("{reference: {column: year, values: [2020]}}", "segments: {town: {column: town}}\n")
    found = section(build_report(run(tmp_path, text)))
    assert not found.find_all("b", string="town")
    assert "<b>town</b>" in found.get_text()


@pytest.mark.parametrize(("lower", "words"), [(None, "40.0 % above"), (-1.0, "80.0 % outside")])
def test_histograms_count_what_is_beyond_their_lines(lower: float | None, words: str) -> None:
    rows = Histogram(name="known", below="", values=np.array([-3.0, -2.0, 0.0, 3.0, 4.0]), colour="#0072B2")
    svg = draw_histograms("h", [rows], label="energies", axis="energy", line=2.0, lower=lower)
    assert words in plain(BeautifulSoup(svg, "html.parser").get_text(" "))
