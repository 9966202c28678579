"""The page of a detection study: verdict, guarantee, metrics under their names, rows to look at; nothing unescaped."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from choicekit import run_scenario, write_report
from choicekit.detection.detector import EnergyDetector
from choicekit.detection.metrics import METRICS
from choicekit.report.content import Report
from choicekit.report.figures.histograms import Histogram, draw_histograms
from choicekit.report.kinds import build_report, headline
from choicekit.report.kinds.detection.summary import SUMMARY_KEYS
from choicekit.report.numbers import fixed
from choicekit.report.page import render_page
from choicekit.report.text import plain
from choicekit.scenario.result import StudyResult

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FEW = {"bootstrap.replications": 30}


@cache
def study(name: str) -> StudyResult:
    overrides = {} if name == "camera_trap_second" else FEW
    return run_scenario(SCENARIOS / f"{name}.yaml", overrides=overrides)


@cache
def report(name: str) -> Report:
    return build_report(study(name))


@cache
def page(name: str) -> BeautifulSoup:
    return BeautifulSoup(render_page(report(name)), "html.parser")


def cells(soup: BeautifulSoup, name: str) -> dict[str, list[str]]:
    table = soup.find(id=f"table-{name}") or soup.find("table", id=name)
    assert table is not None, name
    rows = [row.find_all(["th", "td"]) for row in table.find_all("tr")][1:]
    return {row[0].get_text(" ", strip=True): [cell.get_text(" ", strip=True) for cell in row[1:]] for row in rows}


# --- what everybody reads -------------------------------------------------------------------------------------------


def test_the_title_is_the_verdict_and_the_same_everywhere() -> None:
    found = study("digits_ood").outcome
    out = found.study.is_ood[found.study.test]
    caught, false = found.flagged[out].mean(), found.flagged[~out].mean()
    title = plain(report("digits_ood").title)
    assert title.startswith(
        f"Energy catches {100 * caught:.1f} % of out-of-distribution rows and flags {100 * false:.1f} %"
    )
    assert title == headline(study("digits_ood")) == report("digits_ood").summary["finding"]
    assert plain(page("digits_ood").h1.get_text()) == title  # type: ignore[union-attr]


def test_monitoring_says_what_is_expected_beside_what_is_found() -> None:
    found = study("camera_trap_second").outcome.monitoring
    text = plain(page("camera_trap_second").get_text(" "))
    assert f"{100 * found.share:.1f} % of {found.n} rows are unlike anything known" in plain(
        report("camera_trap_second").title
    )
    assert f"The saved detector flags {found.flagged} of {found.n} rows" in text
    assert f"between {100 * found.interval[0]:.1f} % and {100 * found.interval[1]:.1f} %" in text
    assert report("camera_trap_second").summary["monitoring"]["share"] == found.share
    assert "metrics" not in report("camera_trap_second").tables


def test_a_failed_limit_goes_before_everything_else() -> None:
    result = run_scenario(SCENARIOS / "camera_trap_second.yaml", overrides={"limit": 0.01})
    assert not result.passed
    assert headline(result).startswith("Not to be relied on yet")


def test_the_guarantee_is_in_words() -> None:
    threshold = study("digits_ood").outcome.threshold
    lower, upper = threshold.rate_interval()
    text = plain(page("digits_ood").find(id="familiarity").get_text(" "))  # type: ignore[union-attr]
    assert f"Of rows like the 316 calibration rows {100 * threshold.expected_rate:.1f} % are flagged on average" in text
    assert f"for 95 % of sets of this size the share is between {100 * lower:.1f} % and {100 * upper:.1f} %" in text
    assert "302nd smallest of 316 calibration scores" in text
    assert "larger = more out-of-distribution" in text


def test_every_metric_has_its_own_name_and_value() -> None:
    table = cells(page("digits_ood"), "metrics")
    found = study("digits_ood").outcome
    assert len(table) == len(found.metrics) == 6
    for row, metrics in zip(table.values(), found.metrics.values(), strict=True):
        for cell, name in zip(row, METRICS, strict=True):
            assert cell.startswith(fixed(getattr(metrics, name), 4))
            assert " to " in cell
    text = page("digits_ood").get_text(" ")
    assert "OOD accepted at 95 % kept ↓" in text
    assert "in-distribution flagged at 95 % caught ↓" in text
    assert "Two false positive rates are in use that are not comparable" in text
    differences = cells(page("digits_ood"), "differences")
    assert "Energy" not in differences
    assert differences["Max softmax probability"][0] == fixed(found.differences["msp"].difference, 4, signed=True)


def test_the_temperature_of_probabilities_is_not_one_of_energies() -> None:
    text = " ".join(page("digits_ood").find(id="temperature").get_text(" ").split())  # type: ignore[union-attr]
    assert "A temperature that is fitted for probabilities is not one for energies" in text
    best = study("digits_ood").outcome.by_temperature
    assert f"ranks rows best at temperature {best.loc[best['auroc'].idxmax(), 'temperature']:g}" in text


def test_training_is_shown_before_and_after() -> None:
    found = study("digits_ood").outcome.training
    table = cells(page("digits_ood"), "training")
    assert table["AUROC"] == [fixed(found.before.auroc, 4), fixed(found.after.auroc, 4)]
    text = page("digits_ood").find(id="training").get_text(" ")  # type: ignore[union-attr]
    assert f"from {fixed(found.before.auroc, 3)} to {fixed(found.after.auroc, 3)}" in text


def test_rows_to_look_at_are_named_in_order() -> None:
    found = study("camera_trap").outcome
    table = cells(page("camera_trap"), "least-familiar")
    judged = np.flatnonzero(found.study.test)
    first = judged[np.argsort(-found.scores["energy"][judged], kind="stable")][:10]
    assert list(table) == found.study.table.rows[first].tolist()
    assert [row[3] for row in table.values()] == found.study.table.label_names[first].tolist()
    assert "A flag is a prompt to look, not a verdict" in page("camera_trap").get_text(" ")


def test_groups_are_shown_with_their_counts() -> None:
    found = study("camera_trap").outcome
    table = cells(page("camera_trap"), "groups")
    groups = found.study.table.groups[found.study.test]
    assert set(table) == set(groups)
    for name, row in table.items():
        own = groups == name
        assert row[0] == str(int(own.sum()))
        assert row[1] == plain(f"{100 * found.flagged[own].mean():.1f}\u202f%") or row[1].startswith(
            f"{100 * found.flagged[own].mean():.1f}"
        )


@pytest.mark.parametrize("name", ["digits_ood", "camera_trap", "camera_trap_second"])
def test_figures_say_what_they_show(name: str) -> None:
    figures = report(name).figures
    assert "scores" in figures
    assert ("roc" in figures) == ("precision-recall" in figures) == (name != "camera_trap_second")
    for svg in figures.values():
        assert 'role="img"' in svg
        assert 'aria-label="' in svg
        assert "<script" not in svg


# --- files ----------------------------------------------------------------------------------------------------------


def test_files_say_the_same_as_the_page(tmp_path: Path) -> None:
    result = study("camera_trap")
    write_report(result, tmp_path / "run")
    folder = tmp_path / "run"
    summary = json.loads((folder / "summary.json").read_text())
    metrics = pd.read_csv(folder / "tables" / "metrics.csv")
    for score, found in result.outcome.metrics.items():
        assert summary["metrics"][score]["auroc"] == found.auroc
        value = metrics.query("score == @score and metric == 'auroc'")["value"].item()
        assert value == pytest.approx(found.auroc, rel=1e-12)
    scores = pd.read_parquet(folder / "data" / "scores.parquet")
    np.testing.assert_array_equal(scores["energy"], result.outcome.scores["energy"])
    assert scores["flagged"].sum() == result.outcome.flagged.sum() == summary["flagged"]["count"]
    assert scores["p_value"].notna().sum() == result.outcome.p_values.size
    detector = EnergyDetector.load(folder / "data" / "detector.json")
    assert detector.threshold.value == result.outcome.threshold.value == summary["threshold"]["value"]
    assert detector.classes == result.outcome.study.table.classes


def flat(values: Any, path: str = "") -> set[str]:
    if not isinstance(values, dict):
        return {path}
    return set().union(*(flat(value, f"{path}.{key}" if path else key) for key, value in values.items()))


@pytest.mark.parametrize("name", ["digits_ood", "camera_trap", "camera_trap_second"])
def test_every_key_of_the_summary_is_documented(name: str) -> None:
    import re

    patterns = [
        re.compile(re.sub(r"<[^>]+>", "[^.]+", re.escape(key).replace(r"\<", "<").replace(r"\>", ">")))
        for key in SUMMARY_KEYS
    ]
    for key in flat(report(name).summary):
        if not key.startswith("versions.") and key not in ("warnings", "differences", "metrics"):
            assert any(pattern.fullmatch(key) for pattern in patterns), key


def test_where_there_are_no_other_rows_the_page_says_so(tmp_path: Path) -> None:
    result = run_scenario(SCENARIOS / "camera_trap.yaml", overrides=FEW)
    assert result.outcome.metrics
    known = tmp_path / "s.yaml"
    known.write_text(
        "choicekit: 1\nkind: detection\nname: known\nseed: 1\n"
        f"logits: {{table: {SCENARIOS / 'data' / 'camera_trap.csv'}, columns: logit_, split: part}}\n"
        "splits: {calibration: [calibration], in_distribution: [test]}\n"
    )
    alone = build_report(run_scenario(known))
    text = BeautifulSoup(render_page(alone), "html.parser").get_text(" ")
    assert "There are no metrics: there are no out-of-distribution rows, which every metric needs" in text
    assert "roc" not in alone.figures
    assert alone.summary["flagged"]["share_out"] is None


def test_hostile_names_are_escaped(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    hostile = "<script>alert(1)</script>"
    rows = [f'"{hostile}{place}","{hostile}",{part},{a:.3f},{b:.3f}' for place, (part, a, b) in enumerate(
        zip(["k"] * 30 + ["t"] * 10 + ["n"] * 10, rng.normal(size=50), rng.normal(size=50), strict=True)
    )]  # fmt: skip
    (tmp_path / "t.csv").write_text("\n".join([f'row,site,part,u_a,"u_{hostile}"', *rows]) + "\n")
    (tmp_path / "s.yaml").write_text(
        f"choicekit: 1\nkind: detection\nname: hostile\ntitle: '{hostile}'\ndescription: '{hostile}'\nseed: 1\n"
        "logits: {table: t.csv, columns: u_, group: site, split: part, row: row}\nby_group: true\n"
        "splits: {calibration: [k], in_distribution: [t], out_of_distribution: [n]}\nbootstrap: {replications: 5}\n"
    )
    html = render_page(build_report(run_scenario(tmp_path / "s.yaml")))
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_histograms_add_up_and_leave_out_what_is_empty() -> None:
    sets = [
        Histogram(name="known", below="4 rows", values=np.array([0.0, 1.0, 2.0, 9.0]), colour="#0072B2"),
        Histogram(name="nobody", below="0 rows", values=np.empty(0), colour="#D55E00"),
    ]
    svg = draw_histograms("h", sets, label="two sets", axis="x", line=1.5, line_name="limit")
    assert "known" in svg
    assert "nobody" not in svg
    assert "50.0" in svg  # half of them above
    assert "limit" in svg
    constant = Histogram(name="all alike", below="", values=np.zeros(3), colour="#0072B2")
    assert "all alike" in draw_histograms("c", [constant], label="one set", axis="x")
