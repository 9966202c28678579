"""summary.json: every headline number, and no key that is not documented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from choicekit.choice.calibration import calibrate_constants
from choicekit.report import write_report
from choicekit.report.kinds.choice import summary
from choicekit.report.kinds.choice.calibration import CALIBRATION_KEYS
from choicekit.report.kinds.choice.comparison.summary import POLICY_KEYS
from choicekit.report.kinds.choice.crowding import CROWDING_KEYS
from choicekit.report.kinds.choice.familiarity import FAMILIARITY_KEYS
from choicekit.report.kinds.choice.rules import NEST_KEYS
from choicekit.report.kinds.choice.summary import SUMMARY_KEYS
from choicekit.report.kinds.choice.types import TYPE_KEYS
from tests.report.studies import FAILED, HELD, by_thirds, constant_choice, mode_choice, result_of, travellers


def paths(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all leaves."""
    if isinstance(value, dict) and value:
        for key, entry in value.items():
            yield from paths(entry, (*at, key))
    else:
        yield at


def is_documented(path: tuple[str, ...]) -> bool:
    """Whether a path fits one of the documented ones, where <...> stands for any name."""
    for key in SUMMARY_KEYS:
        parts = key.split(".")
        if len(parts) == len(path) and all(
            part.startswith("<") or part == given for part, given in zip(parts, path, strict=True)
        ):
            return True
    return False


def written(tmp_path: Path, **arguments: Any) -> dict[str, Any]:
    outcome = arguments.pop("outcome", None) or mode_choice(replications=10)
    write_report(result_of(outcome, **arguments), tmp_path / "run")
    text = (tmp_path / "run" / "summary.json").read_text(encoding="utf-8")

    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is no JSON")

    found: dict[str, Any] = json.loads(text, parse_constant=refuse)
    return found


def test_every_key_is_documented_and_every_documented_key_written(tmp_path: Path) -> None:
    people = travellers(weights=np.linspace(0.5, 2, 210))
    found = written(tmp_path, outcome=mode_choice(replications=3, population=people), checks=(HELD, FAILED))
    leaves = list(paths(found))
    undocumented = [path for path in leaves if not is_documented(path)]
    assert not undocumented
    for key in SUMMARY_KEYS:
        if (
            key in POLICY_KEYS | CALIBRATION_KEYS | TYPE_KEYS | NEST_KEYS | FAMILIARITY_KEYS | CROWDING_KEYS
        ):  # told by tests of their own
            continue
        parts = key.split(".")
        assert any(
            len(parts) == len(path) and all(p.startswith("<") or p == g for p, g in zip(parts, path, strict=True))
            for path in leaves
        ), key
        assert key in str(summary.__doc__)


def test_an_undocumented_key_would_be_noticed() -> None:
    assert not is_documented(("shares", "air", "guessed"))
    assert is_documented(("shares", "air", "expected_share"))


def test_numbers_are_those_of_the_outcome(tmp_path: Path) -> None:
    outcome = mode_choice(replications=10)
    found = written(tmp_path, outcome=outcome)
    assert found["schema_version"] == 2
    assert found["shares"]["train"]["expected_share"] == outcome.expected_shares["train"]
    assert found["shares"]["train"]["observed_share"] == outcome.observed_shares["train"]
    assert list(found["shares"]) == list(outcome.alternatives)
    assert (
        found["segments"]["income"]["20 to 40"]["shares"]["bus"]["expected_share"] == outcome.expected_by_group()[2, 2]
    )
    assert found["inclusive_value"]["mean"] == outcome.inclusive_value
    assert (found["agents"], found["rows"], found["idle_rows"]) == (210, 210, 0)
    assert found["checks"]["sum"]["passed"] is True


def test_a_calibration_is_in_the_summary(tmp_path: Path) -> None:
    outcome = mode_choice(replications=4)
    study = outcome.study
    found = calibrate_constants(study.model, study.population, {"air": 58, "train": 63, "bus": 30, "car": 59})
    write_report(replace(result_of(outcome), calibration=found), tmp_path / "run")
    summary_of = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert summary_of["calibration"] == {
        "constants": dict(found.constants),
        "iterations": found.n_iterations,
        "gap": found.gap,
    }
    assert set(found.constants) == {"asc_air", "asc_train", "asc_bus"}
    assert all(is_documented(path) for path in paths(summary_of))
    assert all(key in str(summary.__doc__) for key in CALIBRATION_KEYS)
    assert "calibration" not in written(tmp_path / "without")


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    empty = by_thirds("home", ["city"])
    empty = type(empty)(name="home", labels=("city", "moon"), codes=empty.codes)
    found = written(tmp_path, outcome=constant_choice({"a": "0", "b": "x"}, segments=[empty]))
    assert found["shares"]["a"]["observed_share"] is None
    assert found["segments"]["home"]["moon"]["shares"]["a"]["expected_share"] is None


@pytest.mark.parametrize("passed", [True, False])
def test_verdict_is_in_the_summary(tmp_path: Path, passed: bool) -> None:
    found = written(tmp_path, checks=(HELD,) if passed else (FAILED,))
    assert found["passed"] is passed
    assert found["finding"].startswith("Not to be relied on") is not passed
