"""Matching scenarios: what is read, what is refused and where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from choicekit import DataError, ScenarioError, load_scenario, run_scenario

GOOD = """\
choicekit: 1
kind: matching
name: schools
seed: 1
rows:
  count: {east: 3, west: 2}
  attributes: {x: {east: 1, west: -1}}
columns:
  capacity: {Castle: 2, Park: 3}
  attributes: {x: {Castle: 0.5, Park: -0.5}}
coefficients: {b: -1}
row_utility: b * abs(row_x - column_x)
column_utility: where(row_x * column_x > 0, 1, 0)
draws: 3
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(text)
    return path


def problems(tmp_path: Path, *changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(tmp_path, text))
    return str(caught.value)


def test_sorts_become_rows_with_their_own_tastes_and_groups(tmp_path: Path) -> None:
    study = load_scenario(write(tmp_path, GOOD)).prepared.study
    assert list(study.market.row_names) == ["east 1", "east 2", "east 3", "west 1", "west 2"]
    assert study.groups == ("east", "east", "east", "west", "west")
    assert study.market.row_utility[:, 0].tolist() == [-0.5, -0.5, -0.5, -1.5, -1.5]
    assert study.market.seats.tolist() == [2, 3]
    assert len(study.mechanisms) == 6
    assert study.row_taste == study.temperature == 1.0


def test_without_column_utility_only_mechanisms_that_need_none_run(tmp_path: Path) -> None:
    text = GOOD.replace("column_utility: where(row_x * column_x > 0, 1, 0)\n", "")
    study = load_scenario(write(tmp_path, text)).prepared.study
    assert study.mechanisms == ("serial_dictatorship", "optimal", "entropic")
    said = problems(
        tmp_path,
        ("column_utility: where(row_x * column_x > 0, 1, 0)\n", "mechanisms: [optimal, deferred_acceptance]\n"),
    )
    assert "13:23 deferred_acceptance needs `column_utility`" in said


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Park: 3", "Park: 2.5", "9:31 capacity must be a whole number of at least 0, found 2.5 for 'Park'"),
        ("Park: 3", "Park: -1", "9:31"),
        ("Park: 3", "Park: 2", "columns take 4 rows in all, but there are 5: 1 too few"),
        ("b * abs", "c * abs", "unknown name 'c'"),
        ("row_x - column_x)", "row_y - column_x)", "unknown name 'row_y', did you mean 'row_x'"),
        ("draws: 3", "draws: 1", "14:8"),
        ("draws: 3", "mechanisms: [boston]", "14:14"),
        ("draws: 3", "policies: {p: {capacity: {Kastle: 3}}}", "unknown column 'Kastle', did you mean 'Castle'"),
        ("draws: 3", "policies: {p: {capacity: {Castle: {factor: 1.2}}}}", "must be a whole number, found 2.4"),
        ("draws: 3", "policies: {p: {remove_columns: [Park]}}", "columns take 2 rows in all, but there are 5"),
        ("draws: 3", "policies: {p: {remove_columns: [Park, Castle]}}", "every column is removed"),
        ("draws: 3", "policies: {p: {new_columns: {Park: {capacity: 1}}}}", "'Park' is there already"),
        ("draws: 3", "policies: {p: {new_columns: {T: {capacity: 1, attributes: {y: 2}}}}}", "unknown attribute 'y'"),
        ("draws: 3", "policies: {p: {new_columns: {T: {capacity: 1, like: Q}}}}", "unknown column 'Q'"),
        ("draws: 3", "policies: {p: {new_columns: {T: {capacity: 1}}}}", "a formula must give a finite number"),
        ("draws: 3", "policies: {baseline: {remove_columns: [Park]}}", "a policy cannot be called 'baseline'"),
        ("  attributes: {x: {east: 1, west: -1}}", "  attributes: {x: {east: 1}}", "row 'west' has no x"),
        ("count: {east: 3, west: 2}", "count: {east: 3, west: 2}\n  group: z", "unknown attribute 'z'"),
    ],
)
def test_faults_are_told_with_their_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert says in problems(tmp_path, (old, new))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    said = problems(tmp_path, ("Park: 3", "Park: 2.5"), ("draws: 3", "draws: 1"), ("seed: 1", "seed: -1"))
    assert said.count("file.yaml:") == 3


def test_tables_are_read_and_their_faults_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text("who,n,x,area\neast,3,1,a\nwest,2,-1,b\n")
    (tmp_path / "schools.csv").write_text("school,seats,x\nCastle,2,0.5\nPark,3,-0.5\n")
    start = GOOD.index("rows:")
    text = (
        GOOD[:start]
        + "rows: {table: pupils.csv, name: who, count: n, group: area}\n"
        + "columns: {table: schools.csv, name: school, capacity: seats}\n"
        + GOOD[GOOD.index("coefficients") :]
    )
    study = load_scenario(write(tmp_path, text)).prepared.study
    assert study.groups == ("a", "a", "a", "b", "b")
    (tmp_path / "schools.csv").write_text("school,seats,x\nCastle,2,0.5\nPark,2.5,-0.5\n")
    with pytest.raises(DataError, match=r"schools.csv:3.* capacity must be a whole number of at least 0, found 2.5"):
        load_scenario(write(tmp_path, text))


def test_pairs_may_be_written(tmp_path: Path) -> None:
    text = GOOD.replace(
        "row_utility: b * abs(row_x - column_x)", "row_utility: {values: {east: [2, 1], west: [0, .5]}}"
    )
    text = text.replace("coefficients: {b: -1}\n", "") + (
        "policies: {more: {new_columns: {T: {capacity: 1, like: Park, attributes: {x: 2}}}}}\n"
    )
    study = load_scenario(write(tmp_path, text)).prepared.study
    assert study.policies["more"].row_utility[0].tolist() == [2, 1, 1]
    assert study.policies["more"].column_utility[0].tolist() == [1, 0, 1]


def test_a_policy_meets_the_same_tastes_and_a_run_passes_its_checks(tmp_path: Path) -> None:
    text = GOOD + "policies: {same: {capacity: {Castle: 2}}, more: {capacity: {Castle: {factor: 2}}}}\n"
    result = run_scenario(write(tmp_path, text))
    assert result.passed
    assert len(result.checks) == 4
    values = result.outcome.comparison.values
    assert np.array_equal(values[0], values[1], equal_nan=True)
    assert (values[2, :, :, 0] >= values[0, :, :, 0] - 1e-12)[0].all()


def test_being_without_may_be_worth_something(tmp_path: Path) -> None:
    text = GOOD.replace("Park: 3", "Park: 1") + "outside: {rows: -3}\n"
    result = run_scenario(write(tmp_path, text))
    compared = result.outcome.comparison
    assert (compared.values[0, 0, :, 5] >= 2 / 5).all()
    assert result.passed
