"""The stories of networks tell what their comments say, with the answers that are known."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from choicekit import StudyResult, run_scenario, write_report
from choicekit.cli import app
from choicekit.report.kinds.network.summary import SUMMARY_KEYS

FOLDER = Path(__file__).parents[2] / "scenarios"


@pytest.fixture(scope="module")
def pollination() -> StudyResult:
    """Olito & Fox 2015."""
    return run_scenario(FOLDER / "pollination.yaml", workers=2)


@pytest.fixture(scope="module")
def seasons() -> StudyResult:
    """Six seasons that share preferences."""
    return run_scenario(FOLDER / "seasons.yaml", workers=2)


@pytest.fixture(scope="module")
def toy() -> StudyResult:
    """The toy community."""
    return run_scenario(FOLDER / "toy_community.yaml")


def test_a_quarter_is_the_best_rate_and_the_gain_is_small(pollination: StudyResult) -> None:
    both = [point for point in pollination.outcome.scan if point.ensemble == "both"]
    best = min(both, key=lambda point: point.kl_divergence)
    assert best.temperature == 4
    assert best.kl_divergence == pytest.approx(1.24415, abs=5e-6)
    assert both[0].kl_divergence == pytest.approx(1.27506, abs=5e-6)
    table = pollination.outcome.ensembles.set_index("ensemble")
    assert table.loc["both", "neutral_kl_divergence"] == pytest.approx(1.24797, abs=5e-6)
    test = pollination.outcome.fit.likelihood_ratio
    assert test.statistic == pytest.approx(6.87, abs=5e-3)
    assert test.p_value == pytest.approx(0.0088, abs=5e-5)
    # each ensemble is scored with preferences of its own, which are never worse than none
    assert (table["kl_divergence"] <= table["neutral_kl_divergence"] + 1e-9).all()


def test_the_report_says_how_small_the_gain_is_and_shows_what_was_asked(
    pollination: StudyResult, tmp_path: Path
) -> None:
    page = BeautifulSoup(write_report(pollination, tmp_path / "run").read_text(encoding="utf-8"), "html.parser")
    text = page.get_text(" ")
    assert "explains little of who interacts with whom" in page.h1.get_text()
    assert "1.24415" in text
    assert "more than noise" in text
    figures = {path.stem for path in (tmp_path / "run" / "figures").glob("*.svg")}
    asked = {"bipartite", "matrices", "preference", "nulls", "scan", "match-size-match", "extinctions"}
    assert asked <= figures
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert {key.split(".")[0] for key in SUMMARY_KEYS} >= set(summary)
    assert summary["metrics"]["nodf"] == pytest.approx(19.2604, abs=1e-4)
    assert summary["nulls"]["connectance"]["connectance"]["z_score"] is None


def test_an_extinction_uses_the_masses_it_shows(pollination: StudyResult) -> None:
    removed = pollination.outcome.changes["no-most-visited"].after
    kept = pollination.outcome.changes["no-most-visited-redistributed"].after
    assert (removed.total, kept.total) == (pytest.approx(900 - 227), pytest.approx(900))
    for community in (removed, kept):
        used = community.masses_used()
        np.testing.assert_allclose(used["mass"], used["expected"], atol=1e-6)


def test_the_toy_community_has_its_known_sums(toy: StudyResult) -> None:
    community = toy.outcome.community
    known = [0.21319805, 0.10694216, 0.10519073, 0.07851009]
    np.testing.assert_allclose((community.coupling * community.preferences).sum(axis=0), known, atol=5e-9)


def test_a_specialist_takes_the_flowers_it_fits(toy: StudyResult) -> None:
    pairs = toy.outcome.changes["specialist"].pairs().set_index(["row", "column"])["after"]
    assert pairs["p5", "hawkmoth"] > 0.95 * pairs[:, "hawkmoth"].sum()
    spread = toy.outcome.changes["generalist"].pairs().set_index(["row", "column"])["after"]
    assert (spread[:, "wasp"] > 0.01 * spread[:, "wasp"].sum()).sum() >= 2
    lower, _ = toy.outcome.changes["no-p5"].interval("h2_continuous")
    assert lower > 0
    _, upper = toy.outcome.changes["warming"].interval("h2_continuous")
    assert upper < 0


def test_preferences_of_all_seasons_are_learnt_back(seasons: StudyResult) -> None:
    fit = seasons.outcome.fit
    assert len(fit.sites) == 6
    truth = np.array([1.2, 0.6])
    assert np.all(np.abs(fit.coefficients - truth) <= 3 * fit.standard_errors)
    assert fit.wilcoxon() == pytest.approx(2 / 2**6)


def test_the_script_makes_the_shipped_seasons(tmp_path: Path) -> None:
    script = runpy.run_path(str(FOLDER / "data" / "make_seasons.py"), run_name="made")
    script["main"](tmp_path / "seasons.csv")
    assert (tmp_path / "seasons.csv").read_bytes() == (FOLDER / "data" / "seasons.csv").read_bytes()


def test_another_web_is_swapped_in_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("host;wasp;fly\noak;3;1\nbeech;0;4\n")
    (tmp_path / "mine.yaml").write_text(
        "choicekit: 1\nkind: network\nname: mine\nseed: 1\nweb: {table: mine.csv}\n"
        "labels: {rows: hosts, columns: parasites}\n"
    )
    done = CliRunner().invoke(app, ["run", str(tmp_path / "mine.yaml"), "--out", str(tmp_path / "out"), "--quiet"])
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "3 of 4 pairs of hosts and parasites interact" in text


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    source = (
        "choicekit: 1\nkind: network\nname: hostile\nseed: 1\n"
        "web: {counts: {'<script>a</script>': {'b&c': 2, '$x$': 1}, Rosa: {'b&c': 1, '$x$': 4}}}\n"
        "policies: {'<b>gone</b>': {extinct_rows: ['<script>a</script>']}}\nextinctions: {}\nsamples: 10\n"
    )
    text = write_report(run_scenario(source), tmp_path / "out").read_text(encoding="utf-8")
    assert "<script" not in text
    assert "<b>gone" not in text
