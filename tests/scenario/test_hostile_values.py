"""Every entry of a scenario given every hostile value: only errors with a place come out, in our own words."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from choicekit import DataError, Problem, ScenarioError, load_scenario
from tests.scenario.test_broken_files import FOREIGN

FULL = """\
choicekit: 1
kind: choice
name: trips
title: a title
description: some words
seed: 1
labels: {agents: travellers, choices: trips, inclusive_value: hours}
agents:
  table: trips.csv
  separator: ","
  layout: long
  agent: id
  situation: day
  alternative: mode
  chosen: taken
  weight: w
  availability: there
  missing_rows: error
alternatives: {1: bus, 2: car}
coefficients: {b_cost: -1}
utility:
  bus: b_cost * cost
  car: where(home == 'city', 1, 2) + b_cost * cost
availability: {car: cost < 9}
on_no_alternative: error
rule: {type: softmax, temperature: 1.5}
segments:
  h: {column: w, edges: [1, 2], labels: [a, b, c]}
  k: {column: home}
simulation: {replications: 3, sampling: fast, save_choices: true}
checks: {agreement: 0, half_width: 0.9, observed_shares: 0.9}
"""
FULL_CSV = """\
id,day,mode,cost,taken,w,there,home
1,1,1,2,1,1,1,city
1,1,2,3,0,1,1,city
2,1,1,2,0,2,1,farm
2,1,2,4,1,2,1,farm
"""
HOSTILE_VALUES = [
    None, True, -1, 2**70, 1.5, float("nan"), float("inf"), "", "../../etc/passwd",
    "a.b=c'", "\x1b[2J\u202e", "x" * 400, "id",
    "cost", "((((", [], [None], ["bus", "car"], {}, {"": ""}, {"bus": None}, {"bus": "home"}, "outside_option",
]  # fmt: skip


def entries(values: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = [path] if path else []
    if isinstance(values, dict):
        for key, value in values.items():
            found += entries(value, (*path, key))
    return found


def quoted(path: tuple[str, ...]) -> str:
    return ".".join(f'"{part}"' for part in path)


def problems_of(text: str, folder: Path, overrides: dict[str, Any] | None = None) -> tuple[Problem, ...]:
    try:
        load_scenario(text, overrides=overrides, data_dir=folder)
    except (ScenarioError, DataError) as error:
        return error.problems
    return ()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("full")
    (found / "trips.csv").write_text(FULL_CSV)
    return found


@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=lambda value: ascii(value)[:20])
def test_no_value_of_any_entry_gives_another_error(folder: Path, value: Any) -> None:
    paths = entries(load_scenario(FULL, data_dir=folder).document.values)
    assert len(paths) > 45
    told = 0
    for path in paths:
        problems = problems_of(FULL, folder, {quoted(path): value})
        told += bool(problems)
        for problem in problems:
            assert problem.message, path
            assert problem.file, path
            assert not FOREIGN.search(re.sub(r"'[^']*'|--set \S+", "", str(problem))), path
    assert told > len(paths) / 3


def test_no_missing_line_gives_another_error(folder: Path) -> None:
    lines = FULL.split("\n")
    found = [problems_of("\n".join(lines[:place] + lines[place + 1 :]), folder) for place in range(len(lines))]
    assert all(problem.file for problems in found for problem in problems)
    assert sum(map(bool, found)) > 10


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        lambda text: text.replace("1", "x"),
        lambda text: text.replace(",", ";"),
        lambda text: text[:40],
        lambda text: text + text,
        lambda text: text.replace("city", ""),
        lambda text: text.replace("2", '"'),
        lambda text: text.replace("cost", ""),
        lambda text: text.replace("1,1,1", "1,1"),
        lambda text: text.replace("2,4,1", "2,\x00,1"),
    ],
)
def test_no_change_of_the_table_gives_another_error(change: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "trips.csv").write_text(change(FULL_CSV), newline="")
    problems = problems_of(FULL, tmp_path)
    assert problems
    assert all(problem.file in {"trips.csv", "<scenario>"} for problem in problems)


@pytest.mark.parametrize(
    "change", [lambda text: text.replace("\n", "\n\n"), lambda text: "\ufeff" + text.replace("\n", "\r\n")]
)
def test_blank_lines_and_line_ends_of_the_table_do_not_matter(change: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "trips.csv").write_text(change(FULL_CSV), newline="", encoding="utf-8")
    assert problems_of(FULL, tmp_path) == ()
