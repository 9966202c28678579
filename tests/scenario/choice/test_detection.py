"""`detection:` in a choice scenario: what is judged against what, and every fault at its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choicekit import inclusive_value, load_scenario
from choicekit.errors import DataError, ScenarioError
from tests.scenario.choice.surveys import run, scenario, trips_scenario, write_people, write_trips


def read(path: Path) -> np.ndarray:
    """Return year and both costs."""
    return np.genfromtxt(path, delimiter=",", skip_header=1, usecols=(1, 3, 4))


def distances(reference: np.ndarray, rows: np.ndarray) -> np.ndarray:
    gap = rows - reference.mean(axis=0)
    return np.sqrt(np.einsum("ni,ij,nj->n", gap, np.linalg.inv(np.cov(reference.T)), gap))


@pytest.mark.parametrize("values", ["[2020]", "['2020']"])
def test_rows_of_one_year_are_judged_by_those_of_another(tmp_path: Path, values: str) -> None:
    table = read(write_people(tmp_path))
    text = scenario(f"{{reference: {{column: year, values: {values}}}, retention: 0.9}}")
    found = run(tmp_path, text).detection
    energies, early = -inclusive_value(np.column_stack([-table[:, 1], 0.5 - table[:, 2]])), table[:, 0] == 2020
    assert found.rows.tolist() == np.flatnonzero(~early).tolist()
    np.testing.assert_allclose(found.scores.energies, energies[~early], rtol=1e-12)
    np.testing.assert_allclose(found.reference.energies, np.sort(energies[early]), rtol=1e-12)
    np.testing.assert_allclose(found.scores.distances, distances(table[early, 1:], table[~early, 1:]), rtol=1e-9)


def test_the_energy_is_that_of_the_rule_at_its_temperature(tmp_path: Path) -> None:
    table = read(write_people(tmp_path))
    detection = "{reference: {column: year, values: [2020]}}"
    found = run(tmp_path, scenario(detection, "rule: {type: softmax, temperature: 2.5}\n")).detection
    energies = -inclusive_value(np.column_stack([-table[:, 1], 0.5 - table[:, 2]]), temperature=2.5)
    np.testing.assert_allclose(found.scores.energies, energies[table[:, 0] == 2021], rtol=1e-12)


def test_another_table_is_the_reference(tmp_path: Path) -> None:
    write_people(tmp_path, shift=4.0)
    write_people(tmp_path, "known.csv", n=80)
    result = run(tmp_path, scenario("{reference: {table: known.csv}, attributes: [cost]}"))
    found = result.detection
    assert found.rows.size == 60
    assert found.reference.energies.size == 80
    assert found.scores.flagged_share() > 0.9  # everything costs four more than anybody in the reference pays
    assert {file.entry for file in result.provenance.inputs} == {
        ("agents", "table"),
        ("detection", "reference", "table"),
    }


POLICIES = """policies:
  dear: {change: {bus: {cost: cost + 9}, car: {cost: cost - 1}}}
  all: {attributes: {cost: 2 * cost}, change: {car: {cost: 7}}}
  none: {}
  no-bus: {remove: [bus]}
  early: {filter: bus_cost < 3}
"""


def test_policies_are_judged_by_the_baselines_reference(tmp_path: Path) -> None:
    table = read(write_people(tmp_path))
    text = scenario("{reference: {column: year, values: [2020]}, sides: both, retention: 0.9}", POLICIES)
    found = run(tmp_path, text).detection
    costs, known = table[table[:, 0] == 2021, 1:], table[table[:, 0] == 2020, 1:]
    changed = {
        "dear": costs + np.array([9, -1]),
        "all": np.column_stack([2 * costs[:, 0], np.full(30, 7.0)]),
        "none": costs,
        "no-bus": costs,
    }
    for name, rows in changed.items():
        np.testing.assert_allclose(found.policies[name].distances, distances(known, rows), rtol=1e-9)
    dear = -inclusive_value(np.column_stack([-changed["dear"][:, 0], 0.5 - changed["dear"][:, 1]]))
    np.testing.assert_allclose(found.policies["dear"].energies, dear, rtol=1e-12)
    np.testing.assert_array_equal(found.policies["none"].flagged, found.scores.flagged)
    np.testing.assert_allclose(found.policies["no-bus"].energies, costs[:, 1] - 0.5, rtol=1e-12)
    early = found.policies["early"]
    np.testing.assert_array_equal(early.judged, costs[:, 0] < 3)
    assert early.flagged_share() == found.scores.flagged[early.judged].mean()  # of those that it is for
    assert np.isnan(early.distances[~early.judged]).all()


def test_an_attribute_of_agents_changes_with_a_policy(tmp_path: Path) -> None:
    table = read(write_people(tmp_path))
    plain = scenario("{reference: {column: year, values: [2020]}}")
    plain = plain.replace(", attributes: {cost: {bus: bus_cost, car: car_cost}}", "").replace("bus: b * cost", "bus: b")
    text = plain.replace("b * cost", "b * car_cost") + (
        "policies:\n  one: {change: {car: {car_cost: car_cost + 5}}}\n  every: {attributes: {car_cost: 2 * car_cost}}\n"
    )
    found = run(tmp_path, text).detection
    costs, known = table[table[:, 0] == 2021, 2], table[table[:, 0] == 2020, 2]
    for name, changed in (("one", costs + 5), ("every", 2 * costs)):
        expected = np.abs(changed - known.mean()) / known.std(ddof=1)
        np.testing.assert_allclose(found.policies[name].distances, expected, rtol=1e-9)


def test_segments_are_told_apart(tmp_path: Path) -> None:
    write_people(tmp_path)
    more = "segments: {town: {column: town}}\n"
    found = run(tmp_path, scenario("{reference: {column: year, values: [2020]}}", more)).detection
    groups = list(found.groups())
    assert [(segment, label) for segment, label, _ in groups] == [("all", "all"), ("town", "a"), ("town", "b")]
    assert [int(own.sum()) for *_, own in groups] == [30, 20, 10]


def test_a_situation_with_an_unknown_attribute_has_no_distance_and_others_have(tmp_path: Path) -> None:
    write_trips(tmp_path)
    write_trips(tmp_path, "known.csv", without_rail=-1)
    found = run(tmp_path, trips_scenario("{reference: {table: known.csv}}")).detection
    assert [str(column) for column in found.plan.attributes] == ["cost of bus", "cost of car", "cost of rail"]
    assert not found.plan.left_out
    people = np.repeat(np.arange(40), 2)
    np.testing.assert_array_equal(np.isnan(found.scores.distances), people % 7 == 3)
    assert not found.scores.distant[people % 7 == 3].any()


def test_an_attribute_that_some_of_the_reference_lack_is_left_out(tmp_path: Path) -> None:
    write_trips(tmp_path, without_rail=-1)
    write_trips(tmp_path, "known.csv")
    found = run(tmp_path, trips_scenario("{reference: {table: known.csv}}")).detection
    assert [str(column) for column in found.plan.left_out] == ["cost of rail"]
    assert np.isfinite(found.scores.distances).all()


def test_reference_rows_with_nothing_to_choose_count_for_nothing(tmp_path: Path) -> None:
    table = read(write_people(tmp_path))
    more = "on_no_alternative: skip\navailability: {bus: bus_cost > 2, car: 'False'}\n".replace("'False'", "'0'")
    found = run(tmp_path, scenario("{reference: {column: year, values: [2020]}, retention: 0.8}", more)).detection
    acting = table[:, 1] > 2
    assert found.reference.energies.size == np.sum(acting & (table[:, 0] == 2020)) < 30
    assert found.rows.tolist() == np.flatnonzero(acting & (table[:, 0] == 2021)).tolist()


def test_without_the_block_nothing_is_judged(tmp_path: Path) -> None:
    write_people(tmp_path)
    lines = scenario("x").splitlines(keepends=True)
    assert run(tmp_path, "".join(line for line in lines if not line.startswith("detection"))).detection is None


# --- faults ---------------------------------------------------------------------------------------------------------


def fault(folder: Path, text: str) -> str:
    (folder / "s.yaml").write_text(text)
    with pytest.raises((ScenarioError, DataError)) as raised:
        load_scenario(folder / "s.yaml")
    return str(raised.value)


@pytest.mark.parametrize(
    ("detection", "message"),
    [
        ("{reference: {}}", "9:24 a reference is a table or some rows, found neither, name a `table` like the agents'"),
        ("{reference: {table: a.csv, column: year}}", "9:24 a reference is a table or some rows, found both"),
        ("{reference: {table: a.csv, values: [1]}}", "9:39 `values` belongs to a reference by column, leave it out"),
        ("{reference: {column: year, values: [2020], separator: ';'}}",
         "9:55 `separator` belongs to a reference by table"),
        ("{reference: {column: yaer, values: [2020]}}", "9:33 unknown column 'yaer', did you mean 'year'?"),
        ("{reference: {column: year}}", "9:13 a reference by column needs `values`"),
        ("{reference: {column: cost, values: [1]}}", "9:33 column 'cost' differs by alternative"),
        ("{reference: {column: year, values: [2022]}}", "9:48 unknown value '2022', did you mean '2020'?"),
        ("{reference: {column: year, values: [2020, 2021]}}", "9:24 every row is in the reference"),
        ("{reference: {column: year, values: [2020]}, retention: 0.99}",
         "9:13 a retention of 0.99 needs at least 99 reference rows, found 30, give more rows, or a lower retention"),
        ("{reference: {column: year, values: [2020]}, sides: both}",
         "9:13 a retention of 0.95 needs at least 39 reference rows on both sides, found 30"),
        ("{reference: {column: year, values: [2020]}, attributes: [csot]}",
         "9:69 unknown column 'csot', did you mean 'cost'?"),
        ("{reference: {column: year, values: [2020]}, attributes: [town]}",
         "9:69 column 'town' is not a number, leave it out"),
        ("{reference: {column: year, values: [2020]}, attributes: [cost, cost]}",
         "9:75 attribute 'cost' is named twice"),
        ("{reference: {column: year, values: [2020]}, attributes: [year]}",
         "9:69 attribute 'year' is the same for the whole reference, or not known for all of it, leave it out"),
        ("{reference: {table: people.csv}}", "9:32 the reference is the table of the agents itself"),
        ("{reference: {table: none.csv}}", "9:32 the table does not exist: 'none.csv'"),
        ("{reference: {table: short.csv}}", "9:32 the reference has no column 'car_cost', which the agents have"),
        ("{reference: {table: gap.csv}}", "gap.csv:4 column 'bus_cost': the number is missing (agent g2)"),
        ("{reference: {column: year, values: [2020]}, sides: left}", "must be"),
        ("{reference: {column: year, values: [2020]}, retention: 1}", "must be"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_told_at_its_line(tmp_path: Path, detection: str, message: str) -> None:
    write_people(tmp_path)
    write_people(tmp_path, "short.csv", header="id,year,town,bus_cost,x")
    lines = write_people(tmp_path, "gap.csv").read_text().splitlines()
    lines[3] = "g2,2020,a,,3.0"
    (tmp_path / "gap.csv").write_text("\n".join(lines))
    found = fault(tmp_path, scenario(detection))
    assert message in found, found


def test_rows_of_the_reference_are_not_judged_as_well(tmp_path: Path) -> None:
    people = write_people(tmp_path).read_text().splitlines(keepends=True)
    known = write_people(tmp_path, "known.csv", n=80)
    known.write_text(known.read_text() + "".join(people[5:12]))
    found = fault(tmp_path, scenario("{reference: {table: known.csv}}"))
    assert "9:32 a situation of the reference cannot be judged by it, found 7 rows in both" in found
    assert "such as that of agent 'p4'" in found
    assert "found 60 rows in both" in fault(tmp_path, scenario("{reference: {table: ./people.csv}}"))


def test_another_person_of_the_same_name_may_be_in_the_reference(tmp_path: Path) -> None:
    people = write_people(tmp_path).read_text()
    known = write_people(tmp_path, "pasts.csv", n=80)  # p0 and so on, who pay something else
    (tmp_path / "s.yaml").write_text(scenario("{reference: {table: pasts.csv}}"))
    assert load_scenario(tmp_path / "s.yaml").warnings == ()
    lines = known.read_text().splitlines(keepends=True)
    lines[1] = people.splitlines(keepends=True)[1]  # but one of them, who may be the same
    known.write_text("".join(lines))
    (warning,) = load_scenario(tmp_path / "s.yaml").warnings
    assert "found 1 row in both, such as that of agent 'p0': where these are the same" in warning


def test_a_reference_has_the_alternatives_of_the_agents(tmp_path: Path) -> None:
    write_trips(tmp_path)
    known = write_trips(tmp_path, "known.csv")
    known.write_text(known.read_text().replace("rail", "tram"))
    assert "unknown alternative 'tram', known labels are 'bus', 'car', 'rail'" in fault(
        tmp_path, trips_scenario("{reference: {table: known.csv}}")
    )


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            ", attributes: [cost, twice]",
            "9:56 attributes must not determine each other, found that 'cost of bus', 'twice'",
        ),
        (
            "",
            "9:1 attributes must not determine each other, found that 'twice', 'cost of bus' do: leave one of them out",
        ),
        ("", "name the others as `attributes`, or none by []"),
    ],
)
def test_attributes_that_determine_each_other_are_named(tmp_path: Path, attributes: str, message: str) -> None:
    path = write_people(tmp_path)
    lines = path.read_text().splitlines()
    twice = [f"{line},{'twice' if place == 0 else 2 * float(line.split(',')[3])}" for place, line in enumerate(lines)]
    path.write_text("\n".join(twice) + "\n")
    text = scenario(f"{{reference: {{column: year, values: [2020]}}{attributes}}}").replace("0.5", "0.5 + 0 * twice")
    found = fault(tmp_path, text)
    assert message in found, found
