"""`kind: detection`: what YAML says becomes the study that Python would build, and what is checked of its outcome."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pandas as pd
import pytest

from choicekit import EnergyDetector, load_scenario, run_scenario
from choicekit.detection.margins import EnergyMargins
from choicekit.detection.scores import SCORES
from choicekit.scenario.catalogue import catalogue
from choicekit.scenario.schema import scenario_schema
from choicekit.scenario.source import parse_document

SCENARIOS = Path(__file__).parents[3] / "scenarios"
HEAD = "choicekit: 1\nkind: detection\nname: dots\nseed: 1\nretention: 0.8\nbootstrap: {replications: 10}\n"
SPLITS = "splits: {calibration: [known], in_distribution: [test], out_of_distribution: [new, other]}\n"


def frame() -> pd.DataFrame:
    """100 rows: 40 known, 30 to test, 20 new and 10 others."""
    rng, sizes = np.random.default_rng(5), (40, 30, 20, 10)
    parts = np.repeat(["known", "test", "new", "other"], sizes)
    likely = rng.integers(2, size=100)
    logits = rng.normal(size=(100, 2))
    known = np.isin(parts, ["known", "test"])
    logits[np.arange(100), likely] += np.where(known, 3.0, 0.0)
    labels = np.array(["a", "b"])[np.where(rng.random(100) < 0.9, likely, 1 - likely)]
    return pd.DataFrame(
        {
            "part": parts,
            "seen": np.where(known, labels, "yeti"),
            "site": np.resize(["north", "south"], 100),
            "u_a": logits[:, 0],
            "u_b": logits[:, 1],
            "x_1": logits[:, 0] + rng.normal(size=100),
        }
    )


COLUMNS = "columns: u_, label: seen, group: site, split: part"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same table in three kinds of file, and a detector."""
    found, table = tmp_path_factory.mktemp("tables"), frame()
    table.to_csv(found / "t.csv", index=False)
    table.to_parquet(found / "t.parquet")
    texts: dict[str, Any] = {name: table[name].to_numpy().astype(str) for name in ("part", "seen", "site")}
    np.savez(found / "t.npz", u_=table[["u_a", "u_b"]], classes=["a", "b"], **texts)
    known = table[table["part"] == "known"]
    EnergyDetector.fit(known[["u_a", "u_b"]].to_numpy(), 0.8, classes=("a", "b")).save(found / "d.json")
    return found


def text_of(source: str = "table: t.csv", rest: str = "") -> str:
    return f"{HEAD}logits: {{{source}, {COLUMNS}}}\n{SPLITS}{rest}"


@pytest.mark.parametrize("source", ["t.parquet", "t.npz", "rows"])
def test_every_source_of_logits_gives_the_same(source: str, folder: Path) -> None:
    expected = run_scenario(text_of(), data_dir=folder).outcome
    said = f"table: {source}"
    if source == "rows":
        said = f"rows: {json.dumps(frame().to_dict('records'))}"
    found = run_scenario(text_of(said), data_dir=folder).outcome
    for name, scores in expected.scores.items():
        np.testing.assert_array_equal(found.scores[name], scores)
    assert found.metrics["energy"].auroc == expected.metrics["energy"].auroc
    np.testing.assert_array_equal(found.flagged, expected.flagged)


def test_roles_and_settings_become_the_study(folder: Path) -> None:
    rest = (
        "scores: [gen, kl_matching]\nscore: msp\ntemperature: 2\nfalse_discovery_rate: 0.2\nby_group: true\n"
        "training: {features: [x_1], auxiliary: [other], margins: {inside: -4, outside: -1}, weight: 0.5, penalty: 2}\n"
    )
    scenario = load_scenario(text_of(rest=rest), data_dir=folder)
    study, part = scenario.prepared.study, frame()["part"].to_numpy()
    np.testing.assert_array_equal(study.calibration, part == "known")
    np.testing.assert_array_equal(study.test, part != "known")
    np.testing.assert_array_equal(study.is_ood, np.isin(part, ["new", "other"]))
    assert (study.methods, study.score, study.temperature) == (("gen", "kl_matching", "msp"), "msp", 2)
    assert (study.retention, study.false_discovery_rate, study.replications, study.by_group) == (0.8, 0.2, 10, True)
    assert study.training_rows is None
    np.testing.assert_array_equal(study.training.auxiliary, part == "other")
    margins = study.training.margins
    assert isinstance(margins, EnergyMargins)
    assert (margins.inside, margins.outside, study.training.weight, study.training.penalty) == (-4, -1, 0.5, 2)
    assert scenario.prepared.inputs[0].rows == 100
    assert scenario.warnings == ()


def test_parts_without_a_role_are_only_scored(folder: Path) -> None:
    outcome = run_scenario(text_of().replace(", other]", "]"), data_dir=folder).outcome
    assert outcome.scores["energy"].size == 100
    assert outcome.flagged.size == 50
    assert (outcome.metrics["energy"].n_in, outcome.metrics["energy"].n_out) == (30, 20)


def test_the_checks_hold_and_fail_where_they_should(folder: Path) -> None:
    result = run_scenario(text_of(rest="training: {features: x_, auxiliary: [other]}\n"), data_dir=folder)
    assert [check.name for check in result.checks] == ["scores_finite", "rate_as_promised", "training_converged"]
    assert result.passed
    shifted = frame()
    shifted.loc[shifted["part"] == "test", ["u_a", "u_b"]] -= 5  # no longer like the calibration rows
    shifted.to_csv(folder / "shifted.csv", index=False)
    result = run_scenario(text_of("table: shifted.csv"), data_dir=folder)
    assert [check.name for check in result.checks if not check.passed] == ["rate_as_promised"]


@pytest.mark.parametrize(("limit", "passed"), [(0.9, True), (0.1, False)])
def test_a_saved_detector_monitors_a_batch(limit: float, passed: bool, folder: Path) -> None:
    text = f"{HEAD}logits: {{table: t.parquet, columns: u_}}\ndetector: d.json\nlimit: {limit}\n"
    result = run_scenario(text, data_dir=folder)
    assert result.passed == passed
    watched = result.outcome.monitoring
    assert (watched.n, watched.limit, watched.passed) == (100, limit, passed)
    assert [check.value for check in result.checks if check.name == "flagged_share"] == [watched.share]
    assert [file.name for file in result.provenance.inputs] == ["t.parquet", "d.json"]


def test_a_monitored_batch_may_have_parts(folder: Path) -> None:
    text = text_of(rest="detector: d.json\n").replace("calibration: [known], ", "")
    outcome = run_scenario(text, data_dir=folder).outcome
    assert (outcome.monitoring.n, outcome.metrics["energy"].n_in) == (60, 30)


def test_the_seed_moves_intervals_only(folder: Path) -> None:
    one, other = (run_scenario(text_of(), data_dir=folder, seed=seed).outcome for seed in (1, 2))
    assert one.metrics["energy"].auroc == other.metrics["energy"].auroc
    assert one.bootstrap.interval("energy", "auroc") != other.bootstrap.interval("energy", "auroc")


@pytest.mark.parametrize("name", ["digits_ood", "camera_trap", "camera_trap_second"])
def test_the_schema_describes_the_stories(name: str) -> None:
    values = parse_document((SCENARIOS / f"{name}.yaml").read_text(), file="story").values
    schema = scenario_schema("detection")
    jsonschema.validate(values, schema)
    wrong: list[dict[str, Any]] = [
        {"score": "x"}, {"retention": 1}, {"temperature": -1}, {"scores": []}, {"limt": 1}, {"logits": {"table": "a"}},
        {"splits": {"calibration": "a"}}, {"training": {"features": "x"}}, {"limit": 2}, {"metrics_on": "some"},
    ]  # fmt: skip
    for change in wrong:
        assert not jsonschema.Draft202012Validator(schema).is_valid({**values, **change}), change


def test_scores_are_listed_and_those_of_the_schema() -> None:
    listed = list(catalogue()["scores of logits"])
    assert scenario_schema("detection")["properties"]["score"]["enum"] == listed
    assert set(listed) == set(SCORES) - {"value"}
