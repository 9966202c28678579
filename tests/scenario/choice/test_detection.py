"""`detection:` in a choice scenario: what is judged against what, and every fault at its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bs4 import BeautifulSoup

from choicekit import inclusive_value, load_scenario, run_scenario
from choicekit.errors import ScenarioError
from choicekit.report.kinds import build_report
from choicekit.report.kinds.choice.familiarity import FAMILIARITY_KEYS
from choicekit.report.page import render_page

HEAD = "choicekit: 1\nkind: choice\nname: trips\nseed: 1\n"


def write(folder: Path, name: str = "people.csv", n: int = 60, shift: float = 0.0, header: str = "") -> Path:
    rng = np.random.default_rng(len(name))
    lines = [header or "id,year,town,bus_cost,car_cost"]
    for place in range(n):
        cost = rng.normal(3 + shift, 1, 2)
        lines.append(f"{name[0]}{place},{2020 + place % 2},{'ab'[place % 3 == 0]},{cost[0]:.4f},{cost[1]:.4f}")
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def scenario(detection: str, more: str = "") -> str:
    return (
        f"{HEAD}agents: {{table: people.csv, agent: id, attributes: {{cost: {{bus: bus_cost, car: car_cost}}}}}}\n"
        f"coefficients: {{b: -1}}\nutility: {{bus: b * cost, car: b * cost + 0.5}}\nsimulation: {{replications: 5}}\n"
        f"detection: {detection}\n{more}"
    )


def run(folder: Path, text: str):
    path = folder / "s.yaml"
    path.write_text(text)
    return run_scenario(path)


def test_rows_of_one_year_are_judged_by_those_of_another(tmp_path: Path) -> None:
    write(tmp_path)
    found = run(tmp_path, scenario("{reference: {column: year, values: [2020]}, retention: 0.9}")).detection
    table = np.genfromtxt(tmp_path / "people.csv", delimiter=",", skip_header=1, usecols=(1, 3, 4))
    energies = -inclusive_value(np.column_stack([-table[:, 1], 0.5 - table[:, 2]]))
    assert found.rows.tolist() == np.flatnonzero(table[:, 0] == 2021).tolist()
    np.testing.assert_allclose(found.scores.energies, energies[table[:, 0] == 2021], rtol=1e-12)
    np.testing.assert_allclose(found.reference.energies, np.sort(energies[table[:, 0] == 2020]), rtol=1e-12)
    gap = table[found.rows, 1:] - table[table[:, 0] == 2020, 1:].mean(axis=0)
    spread = np.cov(table[table[:, 0] == 2020, 1:].T)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", gap, np.linalg.inv(spread), gap))
    np.testing.assert_allclose(found.scores.distances, expected, rtol=1e-9)


def test_another_table_is_the_reference(tmp_path: Path) -> None:
    write(tmp_path, shift=4.0)
    write(tmp_path, "known.csv", n=80)
    result = run(tmp_path, scenario("{reference: {table: known.csv}, attributes: [cost]}"))
    found = result.detection
    assert found.rows.size == 60
    assert found.reference.energies.size == 80
    assert found.scores.flagged.mean() > 0.9  # everything costs four more than anybody in the reference pays
    assert {file.entry for file in result.provenance.inputs} == {
        ("agents", "table"),
        ("detection", "reference", "table"),
    }


def test_policies_and_segments_are_judged_too(tmp_path: Path) -> None:
    write(tmp_path)
    more = (
        "segments: {town: {column: town}}\npolicies:\n"
        "  dear: {change: {bus: {cost: cost + 9}, car: {cost: cost + 9}}}\n  none: {}\n  no-bus: {remove: [bus]}\n"
    )
    result = run(tmp_path, scenario("{reference: {column: year, values: [2020]}, sides: both, retention: 0.9}", more))
    found = result.detection
    assert found.policies["dear"].flagged.all()
    np.testing.assert_allclose(found.policies["dear"].energies, found.scores.energies + 9, rtol=1e-12)
    np.testing.assert_array_equal(found.policies["none"].flagged, found.scores.flagged)
    assert np.all(found.policies["no-bus"].energies >= found.scores.energies)
    assert [(segment, label) for segment, label, _ in found.groups()] == [("all", "all"), ("town", "a"), ("town", "b")]
    report = build_report(result)
    page = BeautifulSoup(render_page(report), "html.parser").find(id="familiarity")
    text = page.get_text(" ", strip=True)
    assert "The level of utility is not identified by choices alone" in text
    assert "a flag is a prompt to look, not a verdict" in text
    assert "100.0" in text
    summary = report.summary["detection"]
    assert list(summary) == list(dict.fromkeys(key.split(".")[1] for key in FAMILIARITY_KEYS))
    assert summary["policies"] == {
        "dear": 1.0,
        "none": summary["flagged_share"],
        "no-bus": summary["policies"]["no-bus"],
    }
    assert summary["flagged_share"] == found.scores.flagged.mean()
    frame = report.tables["familiarity"]
    assert frame["situations"].tolist() == [30, int(np.sum(frame["situations"][1:2])), int(frame["situations"][2])]
    assert report.tables["situations"]["energy"].tolist() == found.scores.energies.tolist()


def test_without_the_block_nothing_is_said(tmp_path: Path) -> None:
    write(tmp_path)
    text = "".join(line for line in scenario("x").splitlines(keepends=True) if not line.startswith("detection"))
    result = run(tmp_path, text)
    assert result.detection is None
    assert "detection" not in build_report(result).summary


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        ("{reference: {}}", "9:24 a reference is a table or some rows, found neither, name a `table` like the agents'"),
        ("{reference: {table: a.csv, column: year}}", "9:24 a reference is a table or some rows, found both"),
        ("{reference: {column: yaer, values: [2020]}}", "9:33 unknown column 'yaer', did you mean 'year'?"),
        ("{reference: {column: year}}", "9:13 a reference by column needs `values`"),
        ("{reference: {column: year, values: [2022]}}", "9:48 unknown value '2022', did you mean '2020'?"),
        ("{reference: {column: year, values: [2020, 2021]}}", "9:24 every row is in the reference"),
        ("{reference: {column: year, values: [2020]}, retention: 0.99}",
         "9:13 a retention of 0.99 needs at least 99 reference rows, found 30, give more rows, or a lower retention"),
        ("{reference: {column: year, values: [2020]}, attributes: [csot]}",
         "9:69 unknown column 'csot', did you mean 'cost'?"),
        ("{reference: {column: year, values: [2020]}, attributes: [town]}",
         "9:69 column 'town' is not a number, leave it out"),
        ("{reference: {table: people.csv}}", "9:32 the reference is the table of the agents itself"),
        ("{reference: {table: none.csv}}", "9:32 the table does not exist: 'none.csv'"),
        ("{reference: {table: short.csv}}", "9:32 the reference has no column 'car_cost', which the agents have"),
        ("{reference: {column: year, values: [2020]}, sides: left}", "must be"),
        ("{reference: {column: year, values: [2020]}, retention: 1}", "must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_told_at_its_line(tmp_path: Path, detection: str, message: str) -> None:
    write(tmp_path)
    write(tmp_path, "short.csv", header="id,year,town,bus_cost,x")
    path = tmp_path / "s.yaml"
    path.write_text(scenario(detection))
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    assert message in str(raised.value), str(raised.value)


def test_attributes_that_determine_each_other_are_named(tmp_path: Path) -> None:
    path = write(tmp_path)
    lines = path.read_text().splitlines()
    twice = [f"{line},{'twice' if place == 0 else 2 * float(line.split(',')[3])}" for place, line in enumerate(lines)]
    path.write_text("\n".join(twice) + "\n")
    (tmp_path / "s.yaml").write_text(scenario("{reference: {column: year, values: [2020]}, attributes: [cost, twice]}"))
    with pytest.raises(
        ScenarioError, match=r"9:\d+ attributes must not determine each other, found that 'cost of bus', 'twice' do"
    ):
        load_scenario(tmp_path / "s.yaml")
