"""Every shipped scenario, end to end: it loads without warnings, its checks hold, and it writes its report."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from choicekit import StudyResult, load_scenario, run_scenario, write_report
from choicekit.report import headline
from choicekit.report.text import plain
from choicekit.scenario.kinds import kinds

FOLDER = Path(__file__).parents[2] / "scenarios"
SHIPPED = sorted(FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.stem)
def result(request: pytest.FixtureRequest) -> StudyResult:
    """The result of a shipped scenario."""
    return run_scenario(request.param, workers=2)


def test_there_are_scenarios() -> None:
    assert {"mode_choice", "quickstart"} <= {path.stem for path in SHIPPED}


def test_all_checks_hold_and_nothing_is_warned_of(result: StudyResult) -> None:
    assert [check.name for check in result.checks if not check.passed] == []
    assert len(result.checks) >= 2
    # what b_cost of the travel data is worth is known to 3.5 standard errors only, and a run says so
    assert [warning for warning in result.warnings if "standard errors from zero" not in warning] == []


def test_the_report_is_written(result: StudyResult, tmp_path: Path) -> None:
    page = write_report(result, tmp_path / "run")
    assert page == tmp_path / "run" / "report.html"
    assert 5_000 < page.stat().st_size < 2_000_000
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    provenance = json.loads((tmp_path / "run" / "provenance.json").read_text())
    assert summary["schema_version"] >= 1
    assert provenance["seed"] == result.seed
    tables = sorted((tmp_path / "run" / "tables").glob("*.csv"))
    assert tables
    assert all(len(pd.read_csv(table)) for table in tables)
    assert load_scenario(tmp_path / "run" / "scenario.yaml").name == result.name


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_another_seed_passes_too(path: Path) -> None:
    assert run_scenario(path, seed=20_240_501).passed


def test_the_quickstart_is_short() -> None:
    lines = (FOLDER / "quickstart.yaml").read_text().splitlines()
    assert len(lines) < 25
    assert all(len(line) <= 100 for line in lines)


@pytest.mark.parametrize("kind", kinds())
def test_the_template_of_every_kind_runs(kind: str) -> None:
    text = resources.files("choicekit.scenario").joinpath("templates", f"{kind}.yaml").read_text(encoding="utf-8")
    result = run_scenario(text)
    assert result.passed
    # what b_cost of the travel data is worth is known to 3.5 standard errors only, and a run says so
    assert [warning for warning in result.warnings if "standard errors from zero" not in warning] == []


def test_every_data_file_is_used() -> None:
    used = {Path(entry.name).name for path in SHIPPED for entry in load_scenario(path).prepared.inputs}
    scripts = {
        "make_camera_trap.py",
        "make_commuters.py",
        "make_digits.py",
        "make_schools.py",
        "make_seasons.py",
    }  # which made some of them
    assert used | scripts == {path.name for path in (FOLDER / "data").iterdir()}


GALLERY = [
    "mode_choice",
    "marriage_market",
    "transit_crowding",
    pytest.param("school_choice", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("name", GALLERY)
def test_the_gallery_shows_the_report_of_today(name: str) -> None:
    """The page that is kept tells what a run tells now; numbers of versions and hashes may differ."""
    gallery = FOLDER.parent / "reports" / "gallery"
    result = run_scenario(FOLDER / f"{name}.yaml", workers=2)
    page = BeautifulSoup((gallery / f"{name}.html").read_text(), "html.parser")
    assert max((gallery / f"{name}.{kind}").stat().st_size for kind in ("html", "png")) < 2_000_000
    heading = page.find("h1")
    assert heading is not None
    assert plain(heading.get_text()) == headline(result)
    text = page.get_text().lower().replace("-", " ")
    assert all(policy.replace("-", " ") in text for policy in result.scenario.get("policies") or {})
