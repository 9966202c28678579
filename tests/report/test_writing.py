"""The run directory: written whole or not at all, and nobody else's files touched."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from choicekit.choice.population import Population
from choicekit.errors import InvalidInputError, OutputError
from choicekit.report import check_directory, write_report
from choicekit.report.directory import Staging, staging
from choicekit.report.encoding import json_bytes
from choicekit.scenario.result import StudyResult
from choicekit.scenario.source import read_document
from tests.report.studies import constant_choice, mode_choice, result_of

EXPECTED = {
    "report.html",
    "summary.json",
    "scenario.yaml",
    "provenance.json",
    "figures/shares.svg",
    "figures/by-income.svg",
    "figures/convergence.svg",
    *(
        f"tables/{name}.csv"
        for name in ("shares", "segments", "groups", "convergence", "checks", "utilities", "coefficients")
    ),
}


@pytest.fixture(scope="module")
def usual() -> StudyResult:
    return result_of(mode_choice(replications=8))


@pytest.fixture(scope="module")
def plain() -> StudyResult:
    """A study with fewer files: no segments, no coefficients."""
    return result_of(constant_choice({"a": "0", "b": "x"}))


def files(root: Path) -> dict[str, bytes]:
    """Content of all files by name, hidden ones too."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_everything_is_written(usual: StudyResult, tmp_path: Path) -> None:
    page = write_report(usual, tmp_path / "deep" / "run")
    assert page == tmp_path / "deep" / "run" / "report.html"
    found = files(page.parent)
    assert set(found) == EXPECTED
    provenance = json.loads(found["provenance.json"])
    assert set(provenance["files"]) == EXPECTED - {"provenance.json"}
    assert provenance["circumstances"] == {"started": "2024-01-01", "workers": 1}
    assert provenance["inputs"] == [{"name": "data/trips.csv", "sha256": "ab" * 32, "rows": 840}]
    assert "choicekit" in provenance
    assert provenance["complete"] is True
    assert b"private" not in b"".join(found[name] for name in ("provenance.json", "report.html", "summary.json"))


def test_same_result_same_bytes(usual: StudyResult, tmp_path: Path) -> None:
    write_report(usual, tmp_path / "one")
    later = replace(usual.provenance, circumstances={"started": "2031-12-31", "workers": 64})
    write_report(replace(usual, outcome=mode_choice(replications=8), provenance=later), tmp_path / "two")
    one, two = files(tmp_path / "one"), files(tmp_path / "two")
    assert one.pop("provenance.json") != two.pop("provenance.json")
    assert one == two


def test_an_earlier_run_is_replaced_and_stale_files_go(usual: StudyResult, plain: StudyResult, tmp_path: Path) -> None:
    write_report(usual, tmp_path)
    (tmp_path / "tables" / "mine.csv").write_text("kept")
    (tmp_path / "notes.txt").write_text("kept")
    write_report(plain, tmp_path)
    found = files(tmp_path)
    assert "tables/segments.csv" not in found
    assert "figures/by-income.svg" not in found
    assert found["tables/mine.csv"] == found["notes.txt"] == b"kept"
    listed = json.loads(found["provenance.json"])["files"]
    assert set(found) == {*listed, "provenance.json", "tables/mine.csv", "notes.txt"}


def test_a_folder_left_empty_goes(usual: StudyResult, tmp_path: Path) -> None:
    saving = result_of(usual.outcome, scenario={"simulation": {"save_choices": True}})
    write_report(saving, tmp_path)
    assert (tmp_path / "data" / "choices.parquet").exists()
    write_report(usual, tmp_path)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "content",
    [None, b"not json", b"[1, 2]", b'{"files": []}', b"[" * 100_000],
    ids=["absent", "no JSON", "no object", "no choicekit", "deep"],
)
def test_a_foreign_directory_is_refused(plain: StudyResult, tmp_path: Path, content: bytes | None) -> None:
    (tmp_path / "thesis.docx").write_text("three years of work")
    if content is not None:
        (tmp_path / "provenance.json").write_bytes(content)
    before = files(tmp_path)
    with pytest.raises(OutputError, match="choose another directory"):
        check_directory(tmp_path)
    with pytest.raises(OutputError, match="only an empty directory or one of choicekit's own runs is replaced"):
        write_report(plain, tmp_path)
    assert files(tmp_path) == before


def test_a_file_in_the_way_is_refused(plain: StudyResult, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OutputError, match="must be a directory"):
        write_report(plain, tmp_path / "run")
    with pytest.raises(OutputError, match="is not a directory, choose another name"):
        check_directory(tmp_path / "run" / "deeper")


def test_absent_and_empty_directories_are_fine(tmp_path: Path) -> None:
    check_directory(tmp_path)
    check_directory(tmp_path / "not" / "yet")
    assert not (tmp_path / "not").exists()


def break_replace(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the disk fill up when one file is moved into place."""
    original = Path.replace

    def replace_(self: Path, target: Any) -> Path:
        if Path(target).name == name and "new" in self.parts:
            raise OSError(errno.ENOSPC, "No space left on device")
        return original(self, target)

    monkeypatch.setattr(Path, "replace", replace_)


@pytest.mark.parametrize("name", ["report.html", "shares.csv", "utilities.csv", "provenance.json"])
def test_a_failed_move_leaves_the_old_run(
    usual: StudyResult, plain: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_report(usual, tmp_path)
    before = files(tmp_path)
    break_replace(monkeypatch, name)
    with pytest.raises(OutputError, match="free some space"):
        write_report(plain, tmp_path)
    assert files(tmp_path) == before
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("failure", [OSError(errno.EACCES, "denied"), RuntimeError("bug"), KeyboardInterrupt()])
def test_a_failure_while_staging_leaves_no_trace(
    plain: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException
) -> None:
    original = Staging.write

    def write(self: Staging, name: str, content: bytes) -> None:
        if name == "tables/shares.csv":
            raise failure
        original(self, name, content)

    monkeypatch.setattr(Staging, "write", write)
    with pytest.raises(OutputError if isinstance(failure, OSError) else type(failure)) as caught:
        write_report(plain, tmp_path / "new" / "run")
    assert not (tmp_path / "new").exists()  # made for this run, and so removed with it
    if isinstance(failure, OSError):
        assert "choose a directory you may write to" in str(caught.value)


def test_an_empty_directory_of_the_user_stays(
    plain: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_replace(monkeypatch, "shares.csv")
    with pytest.raises(OutputError):
        write_report(plain, tmp_path)
    assert tmp_path.is_dir()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("link", ["tables", "report.html", "figures"])
def test_links_do_not_lead_outside(plain: StudyResult, tmp_path: Path, link: str) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    write_report(plain, run)
    outside.mkdir()
    target = outside / "report.html" if link == "report.html" else outside
    if link == "report.html":
        target.write_text("precious")
        (run / link).unlink()
    else:
        for path in (run / link).iterdir():
            path.rename(outside / path.name)
        (run / link).rmdir()
    (run / link).symlink_to(target)
    before = files(outside)
    with pytest.raises(OutputError, match="found a symbolic link"):
        write_report(plain, run)
    assert files(outside) == before
    assert (run / link).is_symlink()


def test_a_link_to_the_run_directory_is_followed(plain: StudyResult, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_report(plain, tmp_path / "link")
    assert (tmp_path / "real" / "report.html").exists()


def test_a_forged_list_of_files_removes_nothing(plain: StudyResult, tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "tables").mkdir(parents=True)
    precious = [tmp_path / "precious.csv", run / "thesis.docx", run / "tables" / "Mine.csv"]
    for path in precious:
        path.write_text("precious")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.svg").write_text("precious")
    (run / "figures").symlink_to(tmp_path / "elsewhere")
    names = [
        "../precious.csv",
        str(precious[0]),
        "thesis.docx",
        "tables/Mine.csv",
        "tables/../thesis.docx",
        "figures/a.svg",
        7,
    ]
    (run / "provenance.json").write_text(json.dumps({"choicekit": "0.1.0", "files": names}))
    with pytest.raises(OutputError, match="symbolic link"):
        write_report(plain, run)
    (run / "figures").unlink()
    write_report(plain, run)
    assert all(path.read_text() == "precious" for path in [*precious, tmp_path / "elsewhere" / "a.svg"])


def test_a_run_that_is_being_written_is_left_alone(plain: StudyResult, tmp_path: Path) -> None:
    write_report(plain, tmp_path)
    (tmp_path / ".choicekit-staging").mkdir()
    with pytest.raises(OutputError, match="another run is writing"):
        check_directory(tmp_path)


def test_a_run_whose_writer_lives_is_left_alone(plain: StudyResult, tmp_path: Path) -> None:
    write_report(plain, tmp_path)
    with staging(tmp_path) as stage:
        stage.write("summary.json", b"{}")
        with pytest.raises(OutputError, match="another run is writing"):
            check_directory(tmp_path)
    check_directory(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_told(plain: StudyResult, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="permission"):
        check_directory(tmp_path)


def test_scenario_runs_from_the_run_directory(plain: StudyResult, tmp_path: Path) -> None:
    source = tmp_path / "stories" / "data"
    source.mkdir(parents=True)
    (source / "trips.csv").write_text("id\n1\n")
    (file,) = plain.provenance.inputs
    inputs = (replace(file, path=str(source / "trips.csv")),)
    result = replace(plain, provenance=replace(plain.provenance, inputs=inputs))
    page = write_report(result, tmp_path / "reports" / "run")
    values = read_document(page.parent / "scenario.yaml").values
    assert values["agents"]["table"] == "../../stories/data/trips.csv"
    assert (page.parent / values["agents"]["table"]).read_text() == "id\n1\n"
    assert {key: values[key] for key in values if key != "agents"} == {
        key: value for key, value in result.scenario.items() if key != "agents"
    }
    assert "../../stories" not in page.read_text(encoding="utf-8")  # the page does not depend on where it lies


def test_every_input_is_found_from_the_run_directory(plain: StudyResult, tmp_path: Path) -> None:
    (file,) = plain.provenance.inputs
    folder, entry = tmp_path / "elsewhere", ("files", 1, "table")
    inputs = (
        replace(file, path=str(folder / "trips.csv")),
        replace(file, name="fares.csv", entry=entry, path=str(folder / "fares.csv")),
    )
    scenario = {**plain.scenario, "files": [{"table": "kept.csv"}, {"table": "fares.csv", "rows": 3}]}
    result = replace(plain, scenario=scenario, provenance=replace(plain.provenance, inputs=inputs))
    page = write_report(result, tmp_path / "run")
    values = read_document(page.parent / "scenario.yaml").values
    assert values["agents"]["table"] == "../elsewhere/trips.csv"
    assert values["files"] == [{"table": "kept.csv"}, {"table": "../elsewhere/fares.csv", "rows": 3}]
    assert scenario["files"][1]["table"] == "fares.csv"  # the result is left as it was
    assert b"elsewhere" not in (page.parent / "provenance.json").read_bytes()


def test_json_takes_numbers_of_numpy_and_refuses_what_it_does_not_know() -> None:
    found = json.loads(json_bytes({"n": np.int64(5), "x": np.float32(0.5), "b": [np.True_], "s": np.str_("a")}))
    assert found == {"n": 5, "x": 0.5, "b": [True], "s": "a"}
    assert json.loads(json_bytes({"x": np.float64("nan"), "y": float("inf")})) == {"x": None, "y": None}
    for unknown in (Path("x"), {1, 2}, np.arange(3)):
        with pytest.raises(TypeError):
            json_bytes({"value": unknown})


def test_saved_choices_are_those_of_the_outcome(tmp_path: Path) -> None:
    names = np.array(["ann", "ann", "bo", "=1+1"], dtype=object)
    people = Population(agents=names, situations=np.array([1, 2, 1, 1]), columns={"x": np.array([0.0, 1.0, 2.0, -9.0])})
    from choicekit.choice.model import ChoiceModel
    from choicekit.choice.simulation import simulate_choices

    model = ChoiceModel(
        {"walk": "0", "ride": "x"}, availability={"walk": "x > -5", "ride": "x > -5"}, on_no_alternative="skip"
    )
    outcome = simulate_choices(model, people, seed=3, replications=5)
    write_report(result_of(outcome, scenario={"simulation": {"save_choices": True}}), tmp_path)
    table = pq.read_table(tmp_path / "data" / "choices.parquet").to_pandas()
    assert list(table.columns) == ["agent", "situation", "replication", "chosen"]
    assert str(table["chosen"].dtype) == "category"
    for row in range(4):
        mine = table[(table["agent"] == names[row]) & (table["situation"] == people.situations[row])]  # type: ignore[index]
        wanted = [None if place < 0 else outcome.alternatives[place] for place in outcome.choices[:, row]]
        found = [
            None if chosen is np.nan or chosen != chosen else chosen
            for chosen in mine.sort_values("replication")["chosen"]
        ]
        assert found == wanted


def test_saved_choices_are_in_order_and_in_few_row_groups(tmp_path: Path) -> None:
    outcome = constant_choice({"a": "0", "b": "x"}, n=9_000, replications=70)
    write_report(result_of(outcome, scenario={"simulation": {"save_choices": True}}), tmp_path)
    file = pq.ParquetFile(tmp_path / "data" / "choices.parquet")
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sum(sizes) == 70 * 9_000
    assert all(size >= 500_000 for size in sizes[:-1])
    table = file.read().to_pandas()
    first = np.arange(8_192)
    agents = np.concatenate([np.tile(first, 70), np.tile(np.arange(8_192, 9_000), 70)])
    assert table["agent"].tolist() == agents.tolist()
    assert table["replication"].tolist() == [*np.repeat(np.arange(70), 8_192), *np.repeat(np.arange(70), 808)]
    places = outcome.choices[table["replication"], table["agent"]]
    assert (table["chosen"] == np.asarray(outcome.alternatives, dtype=object)[places]).all()


def test_an_unknown_kind_is_told(plain: StudyResult, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no report is known for kind 'orchestra'"):
        write_report(replace(plain, kind="orchestra"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
