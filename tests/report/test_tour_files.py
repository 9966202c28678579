"""The files of a tour: tables with every digit, a summary whose keys are documented, a run that is complete."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from pyarrow import csv

from choicekit import run_scenario
from choicekit.report import headline, write_report
from choicekit.report.kinds import build_report
from choicekit.report.kinds.tour import summary
from choicekit.report.kinds.tour.summary import STATION_KEYS, SUMMARY_KEYS
from choicekit.report.page import render_page
from choicekit.report.text import plain
from choicekit.tour import STATIONS
from tests.report.studies import HOSTILE
from tests.report.test_summary import paths
from tests.report.tours import hostile_report, short_tour, tour_result, usual_report, usual_tour

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(tour_result(usual_tour()), tmp_path_factory.mktemp("tour") / "run").parent


def is_documented(path: tuple[str, ...], key: str) -> bool:
    parts = key.split(".")
    return len(parts) == len(path) and all(
        part.startswith("<") or part == given for part, given in zip(parts, path, strict=True)
    )


def test_a_run_is_complete(run: Path) -> None:
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert {"report.html", "summary.json", "scenario.yaml", "provenance.json"} <= names
    assert {f"figures/{name}.svg" for name in usual_report().figures} <= names
    assert {f"tables/{name}.csv" for name in usual_report().tables} <= names
    assert (run / "report.html").stat().st_size < 2_000_000


def test_files_that_the_page_names_are_there(run: Path) -> None:
    named = set(re.findall(r"tables/[\w-]+\.csv", (run / "report.html").read_text(encoding="utf-8")))
    assert len(named) > 5
    assert [name for name in named if not (run / name).exists()] == []


def test_summary_keys_are_documented_and_written(run: Path) -> None:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    leaves = list(paths(found))
    assert [path for path in leaves if not any(is_documented(path, key) for key in SUMMARY_KEYS)] == []
    for key in SUMMARY_KEYS:
        assert any(is_documented(path, key) for path in leaves), key
        assert key in str(summary.__doc__)
    assert tuple(STATION_KEYS) == STATIONS


def test_summary_numbers_are_those_of_the_tour(run: Path) -> None:
    found = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    tour: Any = usual_tour()
    stations = found["stations"]
    assert stations["argmax"]["inclusive_value"] == tour.station("argmax").inclusive_value == 7.01009416490667
    assert stations["argmax"]["probabilities"] == tour.station("argmax").probabilities.tolist()
    assert stations["bounds"]["reached_at"]["mellowmax"] is None  # only in the limit
    assert stations["temperature"]["naive"][1][-1] is None  # nan
    assert stations["two-samplings"]["needless_coherent"] == 0
    assert set(stations["rules"]["rules"]) == {row.label for row in tour.station("rules").rows}
    assert found["finding"].startswith("A maximum of 7 softens to 7.0101")
    assert found["checks"]["energy_same_probabilities"]["passed"] is True


def read_exactly(run: Path, name: str) -> pd.DataFrame:
    """Read a table to the last digit, which pandas does not do unasked."""
    frame: pd.DataFrame = csv.read_csv(run / "tables" / name).to_pandas()
    return frame


def test_tables_hold_every_digit(run: Path) -> None:
    tour: Any = usual_tour()
    argmax = read_exactly(run, "argmax.csv")
    assert argmax["probabilities"].tolist() == tour.station("argmax").probabilities.tolist()
    surfaces = read_exactly(run, "surfaces.csv")
    np.testing.assert_array_equal(surfaces["maximum"], surfaces[["x1", "x2"]].max(axis=1))
    path = read_exactly(run, "temperature.csv")
    np.testing.assert_allclose(path["probability_1"], tour.station("temperature").probabilities[:, 0], rtol=1e-14)
    counts = read_exactly(run, "convergence.csv").filter(like="count_")
    assert counts.to_numpy().sum() == tour.station("convergence").counts.sum()
    joint = read_exactly(run, "joint.csv")
    first = joint.query("coherent == 'air' and inverse == 'train'")
    assert first["agents"].tolist() == [tour.station("two-samplings").joint[0, 1]]
    assert joint["agents"].sum() == tour.station("two-samplings").n_agents
    samples = read_exactly(run, "samples.csv")
    shares = samples.filter(like="probability_").to_numpy()
    np.testing.assert_array_equal(shares.argmax(axis=1) + 1, samples["choice"])


def test_equal_tours_give_equal_bytes(tmp_path: Path) -> None:
    stations = ["surfaces", "temperature", "convergence"]
    first, second = (
        write_report(tour_result(short_tour(stations=stations)), tmp_path / name).parent for name in ("first", "second")
    )
    compared = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(compared) > 10
    for path in compared:
        if path.name != "provenance.json":
            assert (first / path).read_bytes() == (second / path).read_bytes(), path


def test_names_of_alternatives_reach_the_tables_as_they_are() -> None:
    tables = hostile_report().tables
    assert tables["joint"]["coherent"].unique().tolist() == list(HOSTILE)
    assert set(tables["rules"]["alternative"]) == set(HOSTILE)
    assert "argmax" not in tables


# --- the gallery ----------------------------------------------------------------------------------------------------


def test_the_gallery_shows_the_tour_of_today() -> None:
    """The page that is kept has the headline, the numbers and the claims that the shipped tour has now."""
    result = run_scenario(
        ROOT / "scenarios" / "softmax_tour.yaml", overrides={"draws": [100, 1000], "agents": 2000, "replications": 4}
    )
    kept = (ROOT / "reports" / "gallery" / "softmax_tour.html").read_text(encoding="utf-8")
    assert len(kept.encode()) < 2_000_000
    page = BeautifulSoup(kept, "html.parser")
    assert page.h1 is not None
    assert plain(page.h1.get_text()) == headline(result)
    today = BeautifulSoup(render_page(build_report(result)), "html.parser")
    for name in ("stations", "printed", "argmax", "inner-product", "bounds", "formulas", "ratios", "rules", "energy"):
        kept_table, table = (soup.find(id=f"table-{name}") for soup in (page, today))
        assert kept_table is not None
        assert table is not None
        assert kept_table.get_text() == table.get_text(), name
    assert (ROOT / "reports" / "gallery" / "softmax_tour.png").stat().st_size < 300_000
