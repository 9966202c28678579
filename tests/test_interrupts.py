"""Ctrl-C in the middle of a run: a real process, a real signal; exit code 130, nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from choicekit.report import check_directory

pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")

CROWD = """\
choicekit: 1
kind: choice
name: crowd
seed: 1
agents: {table: people.csv, agent: who}
coefficients: {b: 0.5}
utility: {soup: 1, pizza: b * hunger}
simulation: {replications: 5, save_choices: true}
"""
SAID = "interrupted; nothing is half written"

# Work for hours: says so when its first choices are drawn.
LONG = """
import sys
from choicekit import cli

def told(self, name, done, total):
    if not said:
        said.append(done)
        sys.stderr.write(f"drawn {done} of {total}\\n")
        sys.stderr.flush()

said = []
cli._PlainProgress.__call__ = told
cli.main()
"""

# Says where it is, and goes on when it is told to: the signal comes while it waits there.
PAUSED = """
import sys, time
from choicekit.cli import main
from choicekit.report.directory import Staging

def paused(self, name, *arguments):
    if name == place:
        sys.stderr.write("here\\n")
        sys.stderr.flush()
        time.sleep(60)
    return original(self, name, *arguments)

method, place, sys.argv[1:] = sys.argv[1], sys.argv[2], sys.argv[3:]
original = getattr(Staging, method)
setattr(Staging, method, paused)
main()
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a scenario, its table and a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "people.csv").write_text("who,hunger\n" + "".join(f"{n},{n % 9}\n" for n in range(10_000)))
    (folder / "crowd.yaml").write_text(CROWD)
    run(folder)
    return folder


@pytest.fixture(params=[False, True], ids=["first run", "old run there"])
def folder(request: pytest.FixtureRequest, finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    if not request.param:
        shutil.rmtree(tmp_path / "reports")
    return tmp_path


def entries(root: Path) -> dict[str, bytes | None]:
    """Content of every file, None for a folder."""
    found = {path.relative_to(root).as_posix(): path for path in root.rglob("*")}
    return {name: path.read_bytes() if path.is_file() else None for name, path in found.items()}


def run(folder: Path) -> None:
    command = [sys.executable, "-m", "choicekit.cli", "run", "crowd.yaml", "--quiet"]
    assert subprocess.run(command, cwd=folder, check=False).returncode == 0


def interrupted(folder: Path, program: list[str], sign: str) -> list[str]:
    """Start a process, send SIGINT when it says `sign` on its error stream, and return what it says after that."""
    command = [sys.executable, *program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, **pipes) as process:  # type: ignore[call-overload]
        next(line for line in process.stderr if line.startswith(sign))
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert output == ""
    return errors.splitlines()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_while_choices_are_simulated(folder: Path, workers: str) -> None:
    before = entries(folder)
    settings = ["--set", "simulation.replications=1000000", "--workers", workers]
    assert interrupted(folder, ["-c", LONG, "run", "crowd.yaml", *settings], "drawn") == [SAID]
    assert entries(folder) == before


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("write_with", "tables/shares.csv"),
        ("write_with", "data/choices.parquet"),
        ("_place", "tables/checks.csv"),
    ],
)
def test_an_interrupt_while_the_report_is_written(folder: Path, method: str, place: str) -> None:
    before = entries(folder)
    program = ["-c", PAUSED, method, place, "run", "crowd.yaml", "--seed", "2", "--quiet"]
    assert interrupted(folder, program, "here") == [SAID]
    assert entries(folder) == before
    check_directory(folder / "reports" / "crowd")  # the next run may go on


def test_an_interrupt_while_the_command_line_is_loaded(tmp_path: Path) -> None:
    program = """
import sys

class Interrupting:
    def find_spec(self, name, *rest):
        if name == "typer":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupting())
from choicekit.__main__ import main
main()
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", f"{SAID}\n")


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "choicekit", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stdout.startswith("choicekit ")
