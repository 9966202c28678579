"""A disk that fills, or an interrupt, at each step of writing: the earlier run stays, nothing is half-written."""

from __future__ import annotations

import errno
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from choicekit.cli import app
from choicekit.report import check_directory, write_report
from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.scenario.result import StudyResult
from tests.report.studies import by_thirds, constant_choice, result_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="locks and links are those of Unix")

STAGING = ".choicekit-staging"
FULL = "the run directory '{}' cannot be written: no space left on device, free some space"
LUNCH = """\
choicekit: 1
kind: choice
name: lunch
seed: 1
agents: {rows: [{who: ann, hunger: 2}, {who: bo, hunger: 0}], agent: who}
coefficients: {b: 0.5}
utility: {soup: 1, pizza: b * hunger}
simulation: {replications: 20, save_choices: true}
"""


class Fault:
    """Whatever changes the file system, failing at one step: before it has any effect, halfway through or after it.

    Parameters
    ----------
    step : int
        Which call fails, counted from 0.
    error : callable
        Makes the error.
    when : {"before", "halfway", "after"}
    for_good : bool
        Whether every later call that takes space fails, too.
    """

    def __init__(self, step: int, error: Callable[[], BaseException], when: str, *, for_good: bool = False) -> None:
        self.step, self.error, self.when, self.for_good = step, error, when, for_good
        self.calls: list[str] = []

    def install(self, patch: pytest.MonkeyPatch) -> None:
        for owner, name in (
            (os, "fsync"), (os, "link"), (os, "open"), (shutil, "copy2"),
            (Path, "mkdir"), (Path, "write_bytes"), (Path, "replace"),
            (pq.ParquetWriter, "write_table"), (pq.ParquetWriter, "close"),
        ):  # fmt: skip
            patch.setattr(owner, name, self._guarded(name, getattr(owner, name)))

    @property
    def has_struck(self) -> bool:
        return len(self.calls) > self.step

    def _guarded(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*arguments: Any, **options: Any) -> Any:
            if (name == "open" and not arguments[1] & os.O_CREAT) or (name == "mkdir" and arguments[0].exists()):
                return original(*arguments, **options)  # takes no space
            self.calls.append(name)
            now = len(self.calls) - 1 == self.step
            later = self.for_good and self.has_struck and name != "replace"
            if not now and not later:
                return original(*arguments, **options)
            if name == "write_bytes" and self.when == "halfway":
                original(arguments[0], arguments[1][: len(arguments[1]) // 2])
            elif name == "copy2" and self.when == "halfway":
                Path(arguments[1]).touch()
            elif now and self.when == "after":
                original(*arguments, **options)
            raise self.error()

        return call


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def saving(**arguments: Any) -> StudyResult:
    return result_of(
        constant_choice({"a": "0", "b": "x"}, **arguments), scenario={"simulation": {"save_choices": True}}
    )


@pytest.fixture(scope="module")
def first() -> StudyResult:
    """A run with segments, so with files that the second one does not have."""
    return saving(segments=[by_thirds("home", ["city", "farm"])])


@pytest.fixture(scope="module")
def second() -> StudyResult:
    return saving(replications=7)


@pytest.fixture
def drawn(first: StudyResult, second: StudyResult, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports made once: what is tried here is writing them, a hundred times."""
    reports: dict[int, Report] = {id(result): build_report(result) for result in (first, second)}
    monkeypatch.setattr("choicekit.report.kinds.build_report", lambda result: reports[id(result)])


def steps(
    result: StudyResult, root: Path, error: Callable[[], BaseException], when: str, **options: Any
) -> Iterator[tuple[Fault, BaseException | None]]:
    """Write once for every step, failing at it; ends when nothing is left to fail.

    None where a way round was found: a copy, where a second name could not be given.
    """
    for step in range(1_000):
        fault = Fault(step, error, when, **options)
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch)
            try:
                write_report(result, root)
                caught = None
            except BaseException as error_:
                caught = error_
        if not fault.has_struck:
            assert caught is None
            return
        yield fault, caught
    pytest.fail("writing never ends")


def is_whole(root: Path) -> bool:
    """Whether a directory holds one whole run, and nothing else."""
    found = files(root)
    provenance = json.loads(found["provenance.json"])
    return provenance["complete"] is True and found.keys() == {"provenance.json", *provenance["files"]}


@pytest.mark.parametrize(("when", "for_good"), [("before", False), ("halfway", True)], ids=["for a moment", "for good"])
@pytest.mark.usefixtures("drawn")
def test_a_disk_that_fills_while_a_run_is_replaced_leaves_the_old_one(
    first: StudyResult, second: StudyResult, tmp_path: Path, when: str, for_good: bool
) -> None:
    root = tmp_path / "run"
    write_report(first, root)
    before = files(root)
    kinds: set[str] = set()
    n = too_late = 0
    for fault, caught in steps(second, root, full, when, for_good=for_good):
        n += 1
        kinds.add(fault.calls[fault.step])
        found = files(root)
        assert not (root / STAGING).exists()
        if caught is None:
            assert fault.calls[fault.step] == "link"
        else:
            assert str(caught) == FULL.format(root)
        if found != before:  # a way round was found, or it was the last wait of all, with the new run in place
            too_late += caught is not None
            assert is_whole(root)
            write_report(first, root)
            before = files(root)
        check_directory(root)
    assert n > 60
    assert too_late == 1
    assert kinds == {"fsync", "link", "open", "mkdir", "write_bytes", "replace", "write_table", "close"}
    assert is_whole(root)
    assert files(root) != before


@pytest.mark.usefixtures("drawn")
def test_a_disk_that_fills_during_a_first_run_leaves_nothing(second: StudyResult, tmp_path: Path) -> None:
    root = tmp_path / "deep" / "run"
    n = 0
    for fault, caught in steps(second, root, full, "halfway", for_good=True):
        n += 1
        assert str(caught) == FULL.format(root)
        if root.exists():
            assert fault.calls[-1] == "fsync"
            assert is_whole(root)
            for path in sorted(root.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            root.rmdir()
        assert not root.exists()
    assert n > 30
    assert is_whole(root)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.usefixtures("drawn")
def test_an_interrupt_at_any_step_of_writing_leaves_a_whole_run(
    first: StudyResult, second: StudyResult, tmp_path: Path, when: str
) -> None:
    root = tmp_path / "run"
    write_report(first, root)
    old = files(root)
    n = n_old = 0
    for _, caught in steps(second, root, KeyboardInterrupt, when):
        n += 1
        assert type(caught) is KeyboardInterrupt
        assert is_whole(root)
        assert not (root / STAGING).exists()
        found = files(root)
        n_old += found == old
        if found != old:
            write_report(first, root)
            old = files(root)
    assert n > 60
    assert n - 3 <= n_old < n + (when == "before")


@pytest.mark.parametrize(("name", "count"), [("write_table", 1), ("fsync", 9), ("replace", 3)])
def test_the_command_line_tells_a_full_disk_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lunch.yaml").write_text(LUNCH)
    assert CliRunner().invoke(app, ["run", "lunch.yaml", "--quiet"]).exit_code == 0
    before = files(tmp_path)
    plan = Fault(-1, full, "before")
    with pytest.MonkeyPatch.context() as patch:
        plan.install(patch)
        assert CliRunner().invoke(app, ["run", "lunch.yaml", "--out", "other", "--quiet"]).exit_code == 0
    step = [place for place, call in enumerate(plan.calls) if call == name][count - 1]
    Fault(step, full, "halfway", for_good=True).install(monkeypatch)
    result = CliRunner().invoke(app, ["run", "lunch.yaml", "--seed", "2", "--quiet"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: {FULL.format('reports/lunch')}\n"
    found = files(tmp_path)
    assert {name: found[name] for name in before} == before
    assert all(name in before or name.startswith("other/") for name in found)


def test_a_file_that_the_system_refuses_to_let_grow(tmp_path: Path) -> None:
    """No injection: the kernel itself ends writes, those of the Parquet library too."""
    (tmp_path / "lunch.yaml").write_text(LUNCH.replace("replications: 20", "replications: 100000"))
    command = [sys.executable, "-m", "choicekit.cli", "run", "lunch.yaml", "--quiet"]
    assert subprocess.run([*command, "--set", "simulation.replications=5"], cwd=tmp_path, check=False).returncode == 0
    before = files(tmp_path)

    for most in (1_000, 60_000):  # too little for the page; enough for all but the choices
        done = subprocess.run(
            command, cwd=tmp_path, check=False, capture_output=True, text=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),  # noqa: B023 - called at once
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            "error: the run directory 'reports/lunch' cannot be written: file too large, check the disk, or choose "
            "another directory\n"
        )
        assert files(tmp_path) == before
