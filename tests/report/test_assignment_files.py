"""The files of an assignment study: every digit, documented keys, every pair, and the same bytes again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from choicekit.assignment.conditions import Free
from choicekit.report import write_report
from choicekit.report.kinds.assignment import summary
from choicekit.report.kinds.assignment.summary import SUMMARY_KEYS
from tests.report.assignments import assignment_result, marriage_outcome, outcome_of, tea_outcome, tea_party
from tests.report.studies import FAILED, HELD
from tests.report.test_summary import paths
from tests.report.test_tour_files import is_documented, read_exactly


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("assignments")
    given = {"tea": tea_outcome(), "marriage": marriage_outcome()}
    return {
        name: write_report(assignment_result(outcome, checks=(HELD, FAILED)), folder / name).parent
        for name, outcome in given.items()
    }


def read(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", ["tea", "marriage"])
def test_a_run_is_complete_and_small(runs: dict[str, Path], name: str) -> None:
    run = runs[name]
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert {"report.html", "summary.json", "scenario.yaml", "provenance.json", "data/coupling.parquet"} <= names
    assert {f"tables/{table}.csv" for table in ("headline", "rows", "columns", "coupling", "iterations")} <= names
    assert (run / "report.html").stat().st_size < 2_000_000
    html = (run / "report.html").read_text(encoding="utf-8")
    named = set(re.findall(r"(?:tables/[\w-]+\.csv|data/[\w-]+\.parquet)", html))
    assert len(named) > 3
    assert named <= names


def test_summary_keys_are_documented_and_written(runs: dict[str, Path]) -> None:
    leaves = [path for run in runs.values() for path in paths(read(run))]
    assert [path for path in leaves if not any(is_documented(path, key) for key in SUMMARY_KEYS)] == []
    for key in SUMMARY_KEYS:
        assert any(is_documented(path, key) for path in leaves), key
        assert key in str(summary.__doc__)


def test_summary_numbers_are_those_of_the_result(runs: dict[str, Path]) -> None:
    found, outcome = read(runs["tea"]), tea_outcome()
    for key in ("primal", "dual", "gap", "row_error", "column_error", "tolerance", "n_iterations", "method", "status"):
        assert found[key] == getattr(outcome.result, key), key
    assert found["mass_matched"] == pytest.approx(10)
    assert (found["temperature"], found["reference"], found["regulariser"]) == (1.0, "counting", "softmax")
    assert found["rows"] == {"condition": "fixed", "places": 4, "mass": 10.0, "matched": 10.0, "outside": 0.0}
    policy = found["policies"]["another-guest"]
    assert policy["mass_matched"] == pytest.approx(12)
    assert policy["row_welfare_change"]["Cat"] is None  # new
    assert found["cross_check"]["passed"] is True
    assert found["path"]["temperatures"][0] == 100
    other = read(runs["marriage"])
    assert other["cross_check"]["passed"] is None
    assert other["cross_check"]["coupling_difference"] is None
    assert other["rows"]["outside"] == pytest.approx(marriage_outcome().result.row_outside.sum())


def test_tables_hold_every_digit(runs: dict[str, Path]) -> None:
    outcome = tea_outcome()
    coupling = read_exactly(runs["tea"], "coupling.csv")
    np.testing.assert_array_equal(coupling["mass"], outcome.result.coupling.ravel())
    np.testing.assert_allclose(coupling["by_chance"].sum(), coupling["mass"].sum())
    iterations = read_exactly(runs["tea"], "iterations.csv")
    np.testing.assert_array_equal(iterations["column_error"], outcome.result.history.column_error)
    singles = read_exactly(runs["marriage"], "rows.csv")
    np.testing.assert_array_equal(singles["outside"], marriage_outcome().result.row_outside)
    policies = read_exactly(runs["tea"], "policies.csv")
    assert len(policies) == 5 * 8 + 1  # one policy adds a guest
    coefficients = read_exactly(runs["marriage"], "coefficients.csv")
    assert coefficients["true_value"].tolist() == [-0.75, 0.8, 0.6]


def test_every_pair_is_in_the_bulk_file(runs: dict[str, Path]) -> None:
    result = marriage_outcome().result
    found = pq.read_table(runs["marriage"] / "data" / "coupling.parquet").to_pandas()
    assert found["row"].astype(str).tolist() == [name for name in result.problem.row_names or () for _ in range(6)]
    assert found["column"].astype(str).tolist() == [*(result.problem.column_names or ())] * 6
    np.testing.assert_array_equal(found["mass"], result.coupling.ravel())
    np.testing.assert_array_equal(found["utility"], result.problem.utility.ravel())
    assert found["by_chance"].notna().all()


def test_many_pairs_are_written_some_rows_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from choicekit.report.kinds.assignment import bulk
    from choicekit.report.kinds.assignment.view import view_of

    monkeypatch.setattr(bulk, "_GROUP_CELLS", 5)
    view = view_of(assignment_result(outcome_of(tea_party(columns=Free()))))
    bulk.write_coupling(view, tmp_path / "coupling.parquet")
    file = pq.ParquetFile(tmp_path / "coupling.parquet")
    assert file.num_row_groups == 4
    found: pd.DataFrame = file.read().to_pandas()
    np.testing.assert_array_equal(found["mass"], view.solved.coupling.ravel())
    assert found["row"].astype(str).tolist()[3:5] == ["Alice", "Hatter"]


def test_equal_studies_give_equal_bytes(runs: dict[str, Path], tmp_path: Path) -> None:
    again = write_report(assignment_result(marriage_outcome(), checks=(HELD, FAILED)), tmp_path / "again").parent
    compared = [path.relative_to(again) for path in again.rglob("*") if path.is_file()]
    assert len(compared) > 15
    for path in compared:
        if path.name != "provenance.json":
            assert (again / path).read_bytes() == (runs["marriage"] / path).read_bytes(), path
