"""Where a result came from, told without running anything that the scenario's folder names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from choicekit.scenario.provenance import git_revision, versions
from choicekit.scenario.run import run_scenario

COIN = """
choicekit: 1
kind: choice
name: coin
seed: 1
agents: {rows: [{id: 1}, {id: 2}], agent: id}
utility: {heads: 0, tails: 0}
"""


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@example.org", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "coin.yaml").write_text(COIN)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_the_revision_is_that_of_the_scenarios_folder(repository: Path) -> None:
    assert git_revision(repository) == git(repository, "rev-parse", "HEAD")
    result = run_scenario(repository / "coin.yaml")
    assert result.provenance.circumstances["git_revision"] == git(repository, "rev-parse", "HEAD")


def test_without_a_repository_there_is_no_revision(tmp_path: Path) -> None:
    assert git_revision(tmp_path) is None
    assert git_revision(tmp_path / "nowhere") is None


@pytest.mark.skipif(os.name == "nt", reason="the hook is a shell script")
def test_no_command_that_a_folder_configures_is_run(repository: Path, tmp_path: Path) -> None:
    witness, hook = repository / "witness", repository / "hook.sh"
    hook.write_text(f"#!/bin/sh\ntouch {witness}\n")
    hook.chmod(0o755)
    (repository / ".gitattributes").write_text("* filter=evil\n")
    for key in ("core.fsmonitor", "core.pager", "filter.evil.clean", "filter.evil.smudge", "core.sshCommand"):
        git(repository, "config", key, str(hook))
    (repository / "coin.yaml").write_text(COIN + "# changed\n")
    witness.unlink(missing_ok=True)
    assert run_scenario(repository / "coin.yaml").provenance.circumstances["git_revision"]
    assert not witness.exists()
    subprocess.run(["git", "-C", str(repository), "status"], check=False, capture_output=True)
    assert witness.exists()  # the trap works: a command that reads the work tree springs it


def test_versions_name_what_a_result_depends_on() -> None:
    assert {"choicekit", "python", "numpy", "numba"} <= set(versions())


WITHOUT_NUMBA = """
import importlib.metadata as metadata, sys
sys.modules["numba"] = None
found = metadata.version
def version(name):
    if name == "numba":
        raise metadata.PackageNotFoundError(name)
    return found(name)
metadata.version = version
import json
from choicekit import run_scenario
result = run_scenario(sys.argv[1])
print(json.dumps([result.outcome.choices.tolist(), result.provenance.versions["numba"],
                  result.provenance.versions["engine"]]))
"""


def test_without_numba_the_twins_give_the_same_choices(tmp_path: Path) -> None:
    source = tmp_path / "coin.yaml"
    source.write_text(COIN + "simulation: {replications: 7}\n")
    ran = subprocess.run([sys.executable, "-c", WITHOUT_NUMBA, str(source)], check=True, capture_output=True, text=True)
    choices, version, engine = json.loads(ran.stdout)
    assert choices == run_scenario(source).outcome.choices.tolist()
    assert (version, engine) == ("not installed", "numpy")
