"""Names meant to do harm, wherever a user can write one: harmless in the page, in drawings and in tables."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from bs4 import BeautifulSoup

from choicekit import load_scenario, run_scenario, write_report
from choicekit.report.page import render_page
from choicekit.report.text import clean
from choicekit.scenario.emitting import dump_document
from tests.report.studies import HOSTILE, by_thirds, constant_choice, parse, report_of

NAMES = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "🚆 train 🚌",
    "L" + "o" * 297 + "ng",
    "قطار الليل",
    "\"/><svg onload='x'>&amp;",
    "+1", "-1", "@SUM(A1)",
    "{{ 7 * 7 }}", "$x^2$", "100 %",
]  # fmt: skip
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
SVG = "{http://www.w3.org/2000/svg}"


def second(name: str) -> str:
    return f"{name[:290]}, too"


def scenario(name: str) -> dict[str, Any]:
    """A study in which one name is that of an agent, an alternative, a column, a cell, a segment, a group."""
    column = name.replace("`", "'")
    rows = [
        {"who": name, column: 2, "home": name},
        {"who": "bo", column: 0, "home": f"{name}!"},
        {"who": "cy", column: 1, "home": "farm"},
    ]
    return {
        "choicekit": 1,
        "kind": "choice",
        "name": "hostile",
        "title": name[:200],
        "description": name,
        "seed": 1,
        "labels": {"agents": name, "choices": name, "inclusive_value": name},
        "agents": {"agent": "who", "rows": rows},
        "coefficients": {"b": 0.5},
        "utility": {name: f"b * `{column}`", "other": "1", second(name): "where(home == 'farm', 1, 0)"},
        "segments": {name: {"column": "home"}, "by number": {"column": column, "edges": [1], "labels": [name, "b"]}},
        "simulation": {"replications": 5, "save_choices": True},
    }


@pytest.fixture(scope="module", params=NAMES, ids=lambda name: ascii(name)[:20])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    name: str = request.param
    folder = tmp_path_factory.mktemp("hostile")
    return name, write_report(run_scenario(dump_document(scenario(name))), folder / "run").parent


def test_the_page_shows_the_name_and_obeys_nothing(written: tuple[str, Path]) -> None:
    name, run = written
    html = (run / "report.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all(["script", "iframe", "img", "object", "embed"])
    assert not [tag for tag in soup.find_all(True) if any(key.lower().startswith("on") for key in tag.attrs)]
    if "<" in name:
        assert name not in html
    heads = [cell.get_text() for cell in soup.select("#table-shares tbody th")]
    assert heads[0] == clean(name)
    assert "49" not in heads


def test_drawings_show_the_name_as_text(written: tuple[str, Path]) -> None:
    name, run = written
    for path in (run / "figures").glob("*.svg"):
        root = parse(path.read_text(encoding="utf-8"))
        assert not [element for element in root.iter() if element.tag.removeprefix(SVG) in {"script", "a", "image"}]
        assert not [key for element in root.iter() for key in element.attrib if key.lower().startswith("on")]
    words = [
        "".join(text.itertext()) for text in parse((run / "figures" / "shares.svg").read_text()).iter(f"{SVG}text")
    ]
    assert any(word.startswith(name[:10]) for word in words)


def test_no_cell_of_a_table_is_a_formula(written: tuple[str, Path]) -> None:
    name, run = written
    seen = 0
    for path in (run / "tables").glob("*.csv"):
        head, *rows = csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
        for row in rows:
            assert len(row) == len(head), path
            for cell in row:
                seen += cell.removeprefix("'") == name
                assert not cell.startswith(FORMULA_STARTS) or is_number(cell), path
    assert seen > 5


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell not in NAMES


def test_programs_get_the_name_as_it_is(written: tuple[str, Path]) -> None:
    name, run = written
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["shares"]) == [name, "other", second(name)]
    assert list(summary["segments"]) == [name, "by number"]
    choices = pq.read_table(run / "data" / "choices.parquet").to_pandas()
    assert name in set(choices["agent"])
    assert set(choices["chosen"].dropna()) <= {name, "other", second(name)}
    again = load_scenario(run / "scenario.yaml")
    assert again.specification.title == name[:200]


def test_every_name_has_a_file_of_its_own_in_the_run(written: tuple[str, Path]) -> None:
    _, run = written
    names = sorted(path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file())
    assert all(name.isascii() and ".." not in name for name in names)
    assert len([name for name in names if name.startswith("figures/by-")]) == 2


def test_long_names_that_differ_in_the_middle_are_told_apart_everywhere() -> None:
    names = ["L" + "o" * 150 + middle + "n" * 150 for middle in "123"]
    outcome = constant_choice(dict.fromkeys(names, "x"), segments=[by_thirds("home", [f"{name}?" for name in names])])
    report = report_of(outcome)
    for name, svg in report.figures.items():
        words = ["".join(text.itertext()) for text in parse(svg).iter(f"{SVG}text")]
        if name == "shares":
            assert [word[-4:] for word in words if word.startswith("Looo")] == [" (1)", " (2)", " (3)"]
        if name == "by-home":  # three groups, and three lines with their last share
            found = " ".join(words)
            assert all(found.count(f"({place})") == 2 for place in (1, 2, 3)), found
    soup = BeautifulSoup(render_page(report), "html.parser")
    heads = [cell.get_text(strip=True) for cell in soup.select("#table-by-home thead th")]
    assert len(set(heads)) == len(heads) == 6
    assert [cell.get_text()[-4:] for cell in soup.select("#table-shares tbody th")] == [" (1)", " (2)", " (3)"]
    assert report.tables["shares"]["alternative"].tolist() == names


def test_the_usual_hostile_names_need_no_numbers() -> None:
    report = report_of(constant_choice(dict.fromkeys(HOSTILE, "x")))
    assert "(1)" not in report.figures["shares"].replace("alert(1)", "")
