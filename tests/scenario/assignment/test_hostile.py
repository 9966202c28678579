"""`kind: assignment`: every entry given every hostile value, and generated sides; only errors with a place come out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit import Problem, load_scenario
from choicekit.assignment import AssignmentProblem
from choicekit.scenario.document import Document
from choicekit.scenario.kinds import kind_named
from choicekit.scenario.overriding import apply_overrides
from choicekit.scenario.validation import Findings, validate
from tests.scenario.test_broken_files import FOREIGN
from tests.scenario.test_hostile_values import HOSTILE_VALUES, entries, problems_of, quoted

FULL = """\
choicekit: 1
kind: assignment
name: tea
title: a title
description: some words
seed: 1
labels: {rows: guests, columns: pastries, mass: helpings, utility: points}
rows:
  condition: relaxed
  strength: 2
  table: people.csv
  name: who
  mass: mass
  separator: ","
  attributes: {age: {ann: 20, bo: 30}}
columns:
  condition: at_most
  names: [tart, bun]
  mass: {tart: 2, bun: 2}
  attributes: {kind: {tart: sweet, bun: dry}}
coefficients: {b: -1}
pairs:
  near: {table: long.csv, row: r, column: c, value: v}
  far: {values: {ann: {tart: 1, bun: 2}, bo: [1, 2]}}
utility: b * near + far * row_x + where(column_kind == 'dry', 0, row_age / 10)
forbidden: [[ann, bun]]
temperature: 0.5
rule: {type: softmax}
reference: counting
scale_masses: true
solver: {tolerance: 0.001, max_iterations: 50}
temperatures: [1, 0.5]
cross_check: {library: pot, threshold: 0.001}
policies:
  one:
    description: words
    utility_shifts: [{amount: 1, row: ann, column: tart}]
    row_mass: {ann: {factor: 2}}
    column_mass: {tart: 1}
    move_row_mass: [{amount: 0.1, source: ann, target: bo}]
    move_column_mass: [{amount: 0.1, source: tart, target: bun}]
    new_rows: {cy: {mass: 1, like: ann, attributes: {x: 3}}}
    new_columns: {pie: {mass: 1, utility: {ann: 1, bo: 2, cy: 3}}}
    temperature: 2
fit:
  basis: {near: near, far: far}
  draws: 100
  true_coefficients: {near: 1, far: 1}
  penalty: 0.1
checks: {gap: 0.1, recovery: 0.01}
"""
TABLES = {
    "people.csv": "who,mass,x\nann,1,0.5\nbo,2,1\n",
    "long.csv": "r,c,v\nann,tart,1\nann,bun,2\nbo,tart,3\nbo,bun,4\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of the scenario."""
    found = tmp_path_factory.mktemp("full")
    for name, text in TABLES.items():
        (found / name).write_text(text)
    return found


QUICK = {"'cost'", "[None]", "nan"}


def problems_with(document: Document, folder: Path, path: tuple[str, ...], value: Any) -> list[Problem]:
    """What loading says of a document with another value; the document is read once only."""
    findings = Findings(apply_overrides(document, {quoted(path): value}))
    kind = kind_named("assignment")
    validated = validate(kind.specification(), findings)
    assert (kind.prepare(validated.blocks, findings, folder) is None) >= bool(findings.problems)
    return findings.problems


@pytest.mark.parametrize(
    "value",
    [pytest.param(value, marks=() if repr(value) in QUICK else pytest.mark.slow) for value in HOSTILE_VALUES],
    ids=lambda value: ascii(value)[:20],
)
def test_no_value_of_any_entry_gives_another_error(folder: Path, value: Any) -> None:
    document = load_scenario(FULL, data_dir=folder).document
    paths = [path for path in entries(document.values) if path != ("kind",)]
    assert len(paths) > 90
    told = 0
    for path in paths:
        problems = problems_with(document, folder, path, value)
        told += bool(problems)
        for problem in problems:
            assert problem.message, path
            assert problem.file, path
            assert not FOREIGN.search(re.sub(r"'[^']*'|--set \S+", "", str(problem))), (path, str(problem))
    assert told > len(paths) / 3


def test_no_missing_line_gives_another_error(folder: Path) -> None:
    lines = FULL.split("\n")
    found = [problems_of("\n".join(lines[:place] + lines[place + 1 :]), folder) for place in range(len(lines))]
    assert all(problem.file for problems in found for problem in problems)
    assert sum(map(bool, found)) > 10


@pytest.mark.parametrize("table", sorted(TABLES))
@pytest.mark.parametrize("change", [("1", "x"), ("ann", ""), ("bo", "ann"), ("2", '"'), ("2", "inf"), ("\n", "")])
def test_no_change_of_a_table_gives_another_error(table: str, change: tuple[str, str], tmp_path: Path) -> None:
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text.replace(*change) if name == table else text)
    problems = problems_of(FULL, tmp_path)
    assert problems
    assert {problem.file for problem in problems} <= {*TABLES, "<scenario>"}


CHARACTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])
NAMES = st.lists(st.text(CHARACTERS, min_size=1), min_size=1, max_size=4, unique=True)
MASSES = st.floats(0, 1e300) | st.integers(0, 10)
UTILITIES = st.floats(-1e300, 1e300) | st.just(-np.inf) | st.integers(-5, 5)


@settings(max_examples=30)
@given(st.data())
def test_generated_sides_and_values_make_the_problem_that_python_makes(data: st.DataObject) -> None:
    rows, columns = data.draw(NAMES), data.draw(NAMES)
    masses = {name: data.draw(MASSES) for name in rows}
    values = {row: {column: data.draw(UTILITIES) for column in columns} for row in rows}
    text = "choicekit: 1\nkind: assignment\nname: a\nseed: 1\nrows: {}\ncolumns: {}\nutility: 0\ntemperature: 1\n"
    overrides = {
        "rows": {"condition": "at_most", "mass": masses},
        "columns": {"condition": "free", "names": columns},
        "utility": {"values": values},
        "temperature": data.draw(st.floats(0, 1e300)),
    }
    served = [row for row in rows if masses[row] > 0 and max(values[row].values()) > -np.inf]
    if not served:
        (problem,) = problems_of(text, Path(), overrides)
        assert "mass" in problem.message
        return
    found: AssignmentProblem = load_scenario(text, overrides=overrides).prepared.study.problem
    np.testing.assert_array_equal(found.utility, [[values[row][column] for column in columns] for row in rows])
    np.testing.assert_array_equal(found.rows.mass, list(masses.values()))
    assert (found.row_names, found.column_names) == (tuple(rows), tuple(columns))
    assert found.temperature == overrides["temperature"]
