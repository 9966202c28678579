"""What a comparison leaves in files: tables with every digit, and documented keys in summary.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from choicekit.report import write_report
from choicekit.report.kinds.choice.comparison.summary import POLICY_KEYS
from choicekit.scenario.result import StudyResult
from tests.report.comparisons import report_on, result_on
from tests.report.studies import HOSTILE
from tests.report.test_summary import is_documented, paths
from tests.tolerances import ALGEBRA


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return result_on("usual")


@pytest.fixture(scope="module")
def tables(result: StudyResult) -> dict[str, pd.DataFrame]:
    return dict(report_on("usual").tables)


def summary_of(result: StudyResult, path: Path) -> dict[str, Any]:
    def refuse(literal: str) -> None:
        raise AssertionError(f"{literal} is no JSON")

    write_report(result, path / "run")
    found: dict[str, Any] = json.loads((path / "run" / "summary.json").read_text("utf-8"), parse_constant=refuse)
    return found


def test_every_key_of_policies_is_documented_and_written(result: StudyResult, tmp_path: Path) -> None:
    found = summary_of(result, tmp_path)
    leaves = list(paths(found))
    assert not [path for path in leaves if not is_documented(path)]
    for key in POLICY_KEYS:
        parts = key.split(".")
        assert any(
            len(parts) <= len(path) and all(p.startswith("<") or p == g for p, g in zip(parts, path, strict=False))
            for path in leaves
        ), key


def test_summary_has_the_numbers_of_the_comparison(result: StudyResult, tmp_path: Path) -> None:
    found = summary_of(result, tmp_path)["policies"]
    assert list(found) == list(result.comparison.policies)
    for name, outcome in result.comparison.policies.items():
        said = found[name]
        assert said["shares"]["train"]["expected_share"] == outcome.shares[0, 1]
        assert said["shares"]["train"]["share_change"] == outcome.share_change[0, 1]
        assert said["shares"]["car"]["parameters_upper"] == outcome.interval_over_parameters()[1][0, 3]
        assert said["switched_share"] == outcome.switched_share[0]
        assert said["welfare"]["money"]["mean"] == outcome.money_welfare.mean[0]
        assert said["welfare"]["money"]["unit"] == "$"
        assert said["welfare"]["inclusive_value"]["lose_share"] == outcome.welfare.lose[0]
    assert found["cheaper-train"]["moves_most"] == "train"
    assert found["no-bus"]["offered"] == ["air", "train", "car"]
    assert found["night-train"]["description"] == "A train by night, for less."


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    found = summary_of(result_on("bare"), tmp_path)
    said = found["policies"]["no-bus"]
    assert said["shares"]["air"]["agents_lower"] is None
    assert said["welfare"]["inclusive_value"]["parameters_upper"] is None
    assert "money" not in said["welfare"]
    assert said["welfare"]["inclusive_value"]["mean_gain"] is None


def test_nothing_moves_most_where_nothing_moves(tmp_path: Path) -> None:
    found = summary_of(result_on("nothing"), tmp_path)["policies"]["the-same"]
    assert found["moves_most"] is None
    assert found["switched_share"] == 0
    assert found["shares"]["air"]["variance_reduction"] is None
    assert found["welfare"]["inclusive_value"]["unchanged_share"] == 1


def test_switching_table_adds_up(result: StudyResult, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["switching"]
    assert list(table) == ["policy", "segment", "group", "from", "to", "weight", "share", "standard_error"]
    sums = table.groupby(["policy", "segment", "group"])["share"].sum()
    assert np.allclose(sums, 1, rtol=0, atol=ALGEBRA)
    switched = table[table["from"] != table["to"]].groupby(["policy", "segment", "group"])["share"].sum()
    for name, outcome in result.comparison.policies.items():
        assert abs(switched[name, "all", "all"] - outcome.switched_share[0]) <= ALGEBRA
        assert abs(switched[name, "income", "under 20"] - outcome.switched_share[1]) <= ALGEBRA


def test_policies_table_is_that_of_the_comparison(result: StudyResult, tables: dict[str, pd.DataFrame]) -> None:
    pd.testing.assert_frame_equal(tables["policies"], result.comparison.to_frame())


def test_welfare_table_has_every_policy_measure_and_group(result: StudyResult, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["welfare"].set_index(["policy", "measure", "segment", "group"])
    assert len(table) == 4 * 2 * 4
    outcome = result.comparison.policies["no-bus"]
    assert table.loc[("no-bus", "money", "income", "40 and over"), "mean"] == outcome.money_welfare.mean[3]
    assert table.loc[("no-bus", "inclusive_value", "all", "all"), "lose_share"] == outcome.welfare.lose[0]
    lower, _ = outcome.agents.interval(outcome.agents.money_change)
    assert table.loc[("no-bus", "money", "income", "20 to 40"), "agents_lower"] == lower[2]


def test_uncertainty_table_puts_three_errors_side_by_side(result: StudyResult, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["uncertainty"]
    assert list(dict.fromkeys(table["policy"])) == list(result.comparison.policies)
    shares = table[table["quantity"] == "share_change"].set_index(["policy", "alternative"])
    outcome = result.comparison.policies["dearer"]
    assert shares.loc[("dearer", "air"), "estimate"] == outcome.share_change[0, 0]
    assert shares.loc[("dearer", "air"), "simulation_upper"] == outcome.estimate().upper[0, 0]
    means = table[table["quantity"] == "mean_money_change"].set_index("policy")
    assert means.loc["dearer", "estimate"] == outcome.money_welfare.mean[0]


def test_responses_have_tables(result: StudyResult, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["elasticities"].set_index(["attribute", "changed", "responding"])
    assert table.loc[("cost", "train", "car"), "point"] == result.comparison.elasticities.loc[("cost", "train"), "car"]
    assert table.loc[("cost", "car", "car"), "arc"] == result.comparison.arc_elasticities.loc[("cost", "car"), "car"]
    ratios = tables["diversion"].groupby("from")["ratio"].sum()
    assert np.allclose(ratios, 1, rtol=0, atol=1e-9)
    assert "night_train" not in set(tables["diversion"]["to"])


def test_convergence_table_ends_at_the_estimate(result: StudyResult, tables: dict[str, pd.DataFrame]) -> None:
    table = tables["convergence_of_changes"]
    for name, part in table.groupby("policy"):
        estimate = result.comparison.policies[name].estimate()
        place = result.comparison.alternatives.index(part["alternative"].iloc[0])
        last = part.iloc[-1]
        assert len(part) == result.comparison.replications
        assert abs(last["running_mean"] - estimate.change[0, place]) <= ALGEBRA
        assert abs(last["upper"] - estimate.upper[0, place]) <= ALGEBRA


def test_no_table_runs_as_a_formula(tmp_path: Path) -> None:
    write_report(result_on("hostile"), tmp_path / "run")
    text = (tmp_path / "run" / "tables" / "switching.csv").read_text("utf-8")
    assert f"'{HOSTILE[1]}" in text
    assert f"\n{HOSTILE[1]}" not in text
    assert f",{HOSTILE[1]}" not in text
