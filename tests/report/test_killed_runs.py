"""A run killed while it moves files into place: nothing lost, nothing left over, nobody else's files touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from choicekit.errors import OutputError
from choicekit.report import check_directory, write_report
from choicekit.report.directory import staging
from choicekit.scenario.result import StudyResult
from tests.report.studies import constant_choice, result_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="there a folder left by a killed run has to be deleted by hand")

STAGING = ".choicekit-staging"
FIRST = ("report.html", "tables/a.csv", "tables/b.csv", "data/c.parquet")
SECOND = ("report.html", "tables/b.csv", "tables/mine.csv", "figures/d.svg")
THIRD = ("report.html", "summary.json", "figures/e.svg")

# Runs `step` in a child per point of death: before the first change to the file system, before the second, and so on.
PROGRAM = """
import os, pathlib, shutil, signal, sys
from choicekit.report.directory import staging

def run(root, names, content):
    with staging(root) as stage:
        for name in names:
            stage.write(name, content)
        dying[:] = [0]
        stage.commit({"choicekit": "0.1.0"})
        dying.clear()

def recover(root, names, content):
    dying[:] = [0]
    with staging(root):
        dying.clear()

dying = []

def guarded(function):
    def call(*arguments, **options):
        if dying:
            dying[0] += 1
            if dying[0] == point:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **options)
    return call

for owner, names in ((os, ("link",)), (pathlib.Path, ("replace", "mkdir", "rmdir", "unlink", "write_bytes")),
                     (shutil, ("rmtree",))):
    for name in names:
        setattr(owner, name, guarded(getattr(owner, name)))

def refuse(*arguments):
    raise OSError("no hard links here")

step, folder, names, content = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3].split(), sys.argv[4].encode()
if sys.argv[5] == "copies":
    os.link = refuse
for point in range(1, 200):
    root = folder / f"{point:03d}"
    shutil.copytree(folder / "before", root, symlinks=True)
    child = os.fork()
    if not child:
        try:
            globals()[step](root, names, content)
        finally:
            os._exit(0 if not dying else 1)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        sys.exit(os.waitstatus_to_exitcode(status))
"""


def killed(
    step: str, folder: Path, names: tuple[str, ...] = (), content: bytes = b"", backups: str = "links"
) -> list[Path]:
    """Directories left by one run killed at each point, made from copies of ``before``; the last one was not killed."""
    command = [sys.executable, "-c", PROGRAM, step, str(folder), " ".join(names), content.decode(), backups]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return sorted(path for path in folder.iterdir() if path.name.isdigit())


def write(root: Path, names: tuple[str, ...], content: bytes) -> None:
    with staging(root) as stage:
        for name in names:
            stage.write(name, content)
        stage.commit({"choicekit": "0.1.0"})


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def visible(root: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(root).items() if not name.startswith(STAGING)}


@pytest.fixture
def rerun(tmp_path: Path) -> Path:
    """A finished run, with files of the user beside it, one of them under a name that the next run uses."""
    before = tmp_path / "before"
    write(before, FIRST, b"first")
    (before / "notes.txt").write_text("mine")
    (before / "tables" / "mine.csv").write_text("mine")
    return before


@pytest.fixture(scope="module")
def plain() -> StudyResult:
    return result_of(constant_choice({"a": "0", "b": "x"}))


def check_replaced(root: Path, kept: dict[str, bytes], result: StudyResult | None = None) -> None:
    """Whatever was left there: a run can be written, and nothing but it and the user's own files stays."""
    check_directory(root)
    if result is None:
        write(root, THIRD, b"third")
    else:
        write_report(result, root)
    found = files(root)
    provenance = json.loads(found["provenance.json"])
    assert provenance["complete"] is True
    assert set(found) == {*provenance["files"], "provenance.json", *kept}
    assert {name: found[name] for name in kept} == kept


def test_a_first_run_killed_anywhere_is_replaced(plain: StudyResult, tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    roots = killed("run", tmp_path, FIRST, b"first")
    assert len(roots) > 10
    begun = [root for root in roots if (root / "provenance.json").exists()]
    assert len(begun) > len(FIRST)
    for root in begun[:-1]:
        found = json.loads((root / "provenance.json").read_text())
        assert set(found["files"]) >= visible(root).keys() - {"provenance.json"}
    assert json.loads((begun[0] / "provenance.json").read_text())["complete"] is False
    check_replaced(begun[4], {}, plain)
    for root in roots:
        check_replaced(root, {})


@pytest.mark.parametrize("backups", ["links", "copies"])
def test_a_rerun_killed_anywhere_loses_nothing(plain: StudyResult, rerun: Path, backups: str) -> None:
    before = files(rerun)
    roots = killed("run", rerun.parent, SECOND, b"second", backups)
    assert len(roots) > 15
    states = set()
    for root in roots:
        check_directory(root)
        finished = json.loads((root / "provenance.json").read_text()).get("complete")
        states.add((finished, (root / STAGING).exists()))
        with staging(root):
            found = visible(root)
        replaced = {*SECOND, "provenance.json", "notes.txt"}
        assert found == before or (finished and found.keys() == replaced and found["figures/d.svg"] == b"second")
        assert not (root / STAGING).exists()
        mine = {"notes.txt": b"mine"} | ({"tables/mine.csv": b"mine"} if found == before else {})
        check_replaced(root, mine, plain if root is roots[-4] else None)
    assert states == {(True, True), (False, True), (True, False)}


def crashes(rerun: Path) -> Iterator[Path]:
    """States of a killed re-run in which files had been moved."""
    for root in killed("run", rerun.parent, SECOND, b"second"):
        if json.loads((root / "provenance.json").read_text())["complete"] is False:
            yield root


def test_a_recovery_killed_anywhere_is_begun_again(rerun: Path, tmp_path: Path) -> None:
    before = files(rerun)
    roots = list(crashes(rerun))
    assert len(roots) > 8
    for root in roots:
        folder = tmp_path / f"again-{root.name}"
        folder.mkdir()
        shutil.copytree(root, folder / "before")
        for again in killed("recover", folder):
            check_directory(again)
            with staging(again):
                assert visible(again) == before


def test_a_first_run_killed_twice_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "before").mkdir()
    root = killed("run", tmp_path, FIRST, b"first")[-4]
    assert json.loads((root / "provenance.json").read_text())["complete"] is False
    folder = tmp_path / "again"
    folder.mkdir()
    shutil.copytree(root, folder / "before")
    for again in killed("run", folder, SECOND, b"second"):
        check_replaced(again, {})


def test_a_file_that_could_not_be_put_back_is_kept(rerun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(rerun)
    original = Path.replace

    def stubborn(self: Path, target: Path) -> Path:
        if Path(target) == rerun / "tables" / "b.csv":
            raise PermissionError(13, "Permission denied")
        return original(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stubborn)
        with pytest.raises(OutputError, match="may write to"):
            write(rerun, SECOND, b"second")
    check_directory(rerun)
    with staging(rerun):
        assert visible(rerun) == before
