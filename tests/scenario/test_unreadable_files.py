"""Files that cannot be read, or hardly: no permission, folders, devices, names too long, a million rows."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from choicekit import DataError, Population
from choicekit.cli import app

LUNCH = """\
choicekit: 1
kind: choice
name: lunch
seed: 1
agents: {agent: who, table: people.csv}
coefficients: {b: 0.5}
utility: {soup: 1, pizza: b * hunger}
"""
END = "1 problem, nothing was run\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lunch.yaml").write_text(LUNCH)
    (tmp_path / "people.csv").write_text("who,hunger\nann,2\nbo,0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(command: str, file: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [command, file])
    assert result.stdout == ""
    assert not Path("reports").exists()
    return result.exit_code, result.stderr


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, error: Callable[[], OSError], *, of: str = "open") -> None:
    """Let the system refuse one file; permissions would not do: tests may run as root."""
    original = getattr(Path, of)

    def call(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == name:
            raise error()
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, of, call)


def denied() -> OSError:
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def broken() -> OSError:
    return OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (denied, "you have no permission to read this file, change its permissions"),
        (broken, "this file cannot be read, check the name and the disk"),
    ],
)
@pytest.mark.parametrize("of", ["open", "stat"])
def test_a_scenario_that_may_not_be_read(
    monkeypatch: pytest.MonkeyPatch, command: str, error: Callable[[], OSError], says: str, of: str
) -> None:
    refuse(monkeypatch, "lunch.yaml", error, of=of)
    assert told(command, "lunch.yaml") == (2, f"lunch.yaml {says}\n{END}")


def test_a_base_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "more.yaml").write_text("extends: lunch.yaml\nseed: 2\n")
    refuse(monkeypatch, "lunch.yaml", denied)
    says = "cannot extend 'lunch.yaml': you have no permission to read this file, change its permissions"
    assert told("check", "more.yaml") == (2, f"more.yaml:1:10 {says}\n{END}")


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("name", ["people.csv", "people.parquet"])
@pytest.mark.parametrize(
    ("error", "says"),
    [
        (denied, "you have no permission to read the table: '{}', change its permissions"),
        (broken, "the table cannot be read: '{}', check its name and the disk"),
    ],
)
@pytest.mark.parametrize("of", ["open", "is_dir"])
def test_a_table_that_may_not_be_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, name: str, error: Callable[[], OSError], says: str,
    of: str,
) -> None:  # fmt: skip
    (folder / "lunch.yaml").write_text(LUNCH.replace("people.csv", name))
    (folder / name).touch()
    refuse(monkeypatch, name, error, of=of)
    assert told(command, "lunch.yaml") == (2, f"lunch.yaml:5:29 {says.format(name)}\n{END}")


def test_a_table_that_may_not_be_read_from_python(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "people.csv", denied)
    says = r"^people\.csv you have no permission to read the table, change its permissions$"
    with pytest.raises(DataError, match=says):
        Population.from_csv("people.csv")


def test_a_disk_that_fails_while_a_table_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise broken()

    monkeypatch.setattr("pandas.read_csv", fail)
    assert told("check", "lunch.yaml") == (
        4,
        f"people.csv the table cannot be read, check its name and the disk\n{END}",
    )


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read anything")
@pytest.mark.parametrize("name", ["lunch.yaml", "people.csv"])
def test_permissions_that_are_really_missing(folder: Path, name: str) -> None:
    (folder / name).chmod(0)
    code, says = told("run", "lunch.yaml")
    assert code == 2
    assert "you have no permission to read" in says


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_folder_is_no_scenario(folder: Path, command: str) -> None:
    (folder / "lunch.yml").mkdir()
    says = "lunch.yml this is a folder, name the scenario file inside it"
    assert told(command, "lunch.yml") == (2, f"{says}\n{END}")


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("data.csv", "the table is a directory: 'data.csv', name the file inside it"),
        ("/dev/null", "the table does not exist: '/dev/null', check the path"),
        (f"{'x' * 30}.csv", f"the table does not exist: '{'x' * 30}.csv', check the path"),
        (f"{'x' * 290}.csv", f"the table cannot be read: '{'x' * 37}…', check its name and the disk"),
    ],
    ids=["folder", "device", "absent", "name too long"],
)
def test_what_is_no_table(folder: Path, command: str, table: str, says: str) -> None:
    (folder / "data.csv").mkdir()
    (folder / "lunch.yaml").write_text(LUNCH.replace("people.csv", table))
    assert told(command, "lunch.yaml") == (2, f"lunch.yaml:5:29 {says}\n{END}")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_one_bad_cell_in_a_million_rows(folder: Path, ending: str) -> None:
    import pandas as pd

    hunger = (np.arange(1_000_000) % 7).astype(str).astype(object)
    hunger[765_432] = "lots"
    people = pd.DataFrame({"who": np.arange(1_000_000), "hunger": hunger})
    if ending == "csv":
        people.to_csv(folder / "people.csv", index=False)
        place = "people.csv:765434"
    else:
        people.to_parquet(folder / "people.parquet")
        place = "people.parquet row 765433:"
    (folder / "lunch.yaml").write_text(LUNCH.replace("people.csv", f"people.{ending}"))
    code, says = told("run", "lunch.yaml")
    assert (code, says) == (4, f"{place} column 'hunger': 'lots' is not a finite number (agent 765432)\n{END}")
