"""The command line as its user meets it: exit codes, what is printed where, and nothing that is a traceback."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from choicekit import ConvergenceError, __version__, run_scenario
from choicekit.cli import _notices, app
from choicekit.scenario.kinds import kinds

SCENARIOS = Path(__file__).parents[1] / "scenarios"
QUICKSTART = str(SCENARIOS / "quickstart.yaml")
LUNCH = """\
choicekit: 1
kind: choice
name: lunch
seed: 1
agents: {table: people.csv, agent: who}
coefficients: {b: 0.5}
utility: {soup: 1, pizza: b * hunger}
simulation: {replications: 20}
"""
NO_PROGRESS = "simulating choices: 40 of 40\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a scenario and its table in it."""
    (tmp_path / "people.csv").write_text("who,hunger\nann,2\nbo,0\n")
    (tmp_path / "lunch.yaml").write_text(LUNCH)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Loops are compiled once on a machine, and a run says so: here it has been said already."""
    folder = tmp_path_factory.mktemp("compiled")
    (folder / "people.csv").write_text("who,hunger\nann,2\nbo,0\n")
    (folder / "lunch.yaml").write_text(LUNCH)
    run_scenario(folder / "lunch.yaml")


def call(*arguments: str) -> Any:
    found = CliRunner().invoke(app, arguments)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


def process(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "choicekit.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **settings)


# --- run ------------------------------------------------------------------------------------------------------------


def test_run_tells_the_finding_and_writes_the_report(folder: Path) -> None:
    result = call("run", "lunch.yaml")
    assert result.exit_code == 0
    assert re.fullmatch(
        r"Soup is chosen .*\n3 of 3 checks hold\. Report: reports/lunch/report\.html\n", result.stdout
    )  # fmt: skip
    assert result.stderr == NO_PROGRESS
    assert (folder / "reports" / "lunch" / "report.html").is_file()


def test_out_names_the_run_directory_which_may_be_replaced(folder: Path) -> None:
    for seed in ("1", "2"):
        assert call("run", "lunch.yaml", "--out", "deep/run", "--seed", seed).exit_code == 0
        assert json.loads((folder / "deep" / "run" / "provenance.json").read_text())["seed"] == int(seed)
    assert not (folder / "reports").exists()


def test_set_seed_and_workers_are_used(folder: Path) -> None:
    arguments = ["--set", "simulation.replications=7", "--set", "rule={type: hardmax}", "--seed", "5", "--workers", "3"]
    assert call("run", "lunch.yaml", "--out", "run", *arguments).exit_code == 0
    provenance = json.loads((folder / "run" / "provenance.json").read_text())
    assert provenance["seed"] == 5
    assert provenance["circumstances"]["workers"] == 3
    resolved = (folder / "run" / "scenario.yaml").read_text()
    assert "replications: 7" in resolved
    assert "type: hardmax" in resolved


def test_a_run_directory_that_holds_something_else_is_left_alone(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "thesis.tex").write_text("precious")
    result = call("run", "lunch.yaml", "--out", "mine")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: only an empty directory or one of choicekit's own runs is replaced")
    assert [path.name for path in (folder / "mine").iterdir()] == ["thesis.tex"]
    assert call("run", "lunch.yaml", "--out", "people.csv").exit_code == 2
    assert (folder / "people.csv").read_text().startswith("who")


def test_a_bad_run_directory_is_told_before_anything_is_simulated(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr("choicekit.scenario.run_scenario", lambda *_, **__: pytest.fail("was simulated"))
    assert call("run", "lunch.yaml", "--out", "people.csv/run").exit_code == 2


def test_a_name_cannot_lead_out_of_the_reports(folder: Path) -> None:
    result = call("run", "lunch.yaml", "--set", "name=../../etc")
    assert result.exit_code == 2
    assert "must be lower-case letters, digits and single hyphens, found '../../etc'" in result.stderr
    assert not (folder / "reports").exists()


def test_failed_checks_are_told_after_the_report_is_written(folder: Path) -> None:
    result = call("run", "lunch.yaml", "--set", "checks.half_width=0.0001")
    assert result.exit_code == 3
    assert (
        "check failed: simulated shares are precise enough: widest 95 % half-width, share must be at most 0.0001, found"
        in result.stderr
    )
    assert "3 of 4 checks hold" in result.stdout
    assert (folder / "reports" / "lunch" / "report.html").is_file()


def test_a_scenario_of_another_folder_finds_its_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = folder / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    assert call("run", "../lunch.yaml").exit_code == 0
    assert (away / "reports" / "lunch" / "report.html").is_file()
    assert call("check", str(away / "reports" / "lunch" / "scenario.yaml")).exit_code == 0


# --- check, new, schema, list, version ------------------------------------------------------------------------------


def test_check_runs_nothing(folder: Path) -> None:
    result = call("check", "lunch.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "lunch.yaml: fine. 2 agents in 2 rows, 2 alternatives, 20 replications\n"
    assert sorted(path.name for path in folder.iterdir()) == ["lunch.yaml", "people.csv"]


def test_check_takes_overrides_and_seed(folder: Path) -> None:
    assert "5 replications" in call("check", "lunch.yaml", "--set", "simulation.replications=5").stdout
    assert call("check", "lunch.yaml", "--set", "seed=-1").exit_code == 2
    assert call("check", "lunch.yaml", "--seed", "3").exit_code == 0


@pytest.mark.parametrize("kind", kinds())
def test_new_writes_a_scenario_that_runs(folder: Path, kind: str) -> None:
    result = call("new", kind)
    assert result.exit_code == 0
    assert result.stdout == (
        f"wrote {kind}.yaml. Next: choicekit check {kind}.yaml, then: choicekit run {kind}.yaml\n"
    )  # fmt: skip
    assert call("check", f"{kind}.yaml").exit_code == 0
    assert call("run", f"{kind}.yaml", "--quiet").exit_code == 0
    assert call("new", kind, "other.yaml").exit_code == 0
    assert (folder / "other.yaml").read_text() == (folder / f"{kind}.yaml").read_text()


def test_new_overwrites_nothing(folder: Path) -> None:
    before = (folder / "lunch.yaml").read_text()
    result = call("new", "choice", "lunch.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: lunch.yaml exists already; name another file\n"
    assert (folder / "lunch.yaml").read_text() == before
    assert call("new", "choice", "gone/lunch.yaml").exit_code == 2


def test_new_with_a_dash_prints_and_writes_nothing(folder: Path) -> None:
    result = call("new", "choice", "-")
    assert result.exit_code == 0
    assert result.stdout.startswith("# A choice study.")
    assert sorted(path.name for path in folder.iterdir()) == ["lunch.yaml", "people.csv"]
    (folder / "printed.yaml").write_text(result.stdout)
    assert call("check", "printed.yaml").exit_code == 0


@pytest.mark.parametrize("command", ["new", "schema"])
def test_an_unknown_kind_is_told(folder: Path, command: str) -> None:
    result = call(command, "chioce")
    assert result.exit_code == 2
    assert result.stderr.startswith("unknown kind 'chioce', did you mean 'choice'?\n")
    assert "kinds are" in call(command, "zzz").stderr


def test_schema_is_json() -> None:
    whole = call("schema")
    assert whole.exit_code == 0
    assert json.loads(whole.stdout)["$schema"].startswith("https://json-schema.org/")
    assert json.loads(call("schema", "choice").stdout)["title"] == "choicekit scenario: choice"


def test_list_names_kinds_rules_and_functions() -> None:
    result = call("list")
    assert result.exit_code == 0
    headings = [line for line in result.stdout.splitlines() if not line.startswith(" ")]
    assert headings[:2] == ["kinds:", "rules:"]
    for name in ("choice", "softmax", "hardmax", "log", "where"):
        assert re.search(rf"^  {name} +\S", result.stdout, re.MULTILINE)


def test_version_and_help() -> None:
    assert call("--version").stdout == f"choicekit {__version__}\n"
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["new", "-h"]):
        result = call(*arguments)
        assert result.exit_code == 0
        assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["run"], "Missing argument 'FILE'"),
        (["run", QUICKSTART, "--sede", "1"], "No such option"),
        (["run", QUICKSTART, "--seed", "x"], "Invalid value for '--seed': must be a whole number, found 'x'"),
        (["run", QUICKSTART, "--seed", "1.5"], "Invalid value for '--seed': must be a whole number, found '1.5'"),
        (["run", QUICKSTART, "--seed", "-1"], "must be a whole number from 0 to 18446744073709551615, found -1"),
        (["run", QUICKSTART, "--workers", "0"], "must be a whole number from 1 to 1024, found 0"),
        (["run", QUICKSTART, "--workers", "many"], "must be a whole number, found 'many'"),
    ],
)
def test_wrong_usage_is_told_in_plain_words(arguments: list[str], found: str) -> None:
    result = call(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert found in result.stderr
    assert "Input should" not in result.stderr


# --- errors and exit codes ------------------------------------------------------------------------------------------


def test_a_missing_scenario_is_told(folder: Path) -> None:
    result = call("run", "gone.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "gone.yaml there is no such file, check the name and the folder\n1 problem, nothing was run\n"
    )  # fmt: skip


def test_bad_data_and_bad_scenarios_have_their_own_codes(folder: Path) -> None:
    (folder / "people.csv").write_text("who,hunger\nann,much\nbo,0\n")
    result = call("run", "lunch.yaml")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr == (
        "people.csv:2 column 'hunger': 'much' is not a finite number (agent ann)\n1 problem, nothing was run\n"
    )  # fmt: skip
    assert call("run", "lunch.yaml", "--set", "kind=chioce").exit_code == 2
    assert not (folder / "reports").exists()


def test_more_problems_than_anybody_reads_are_counted(folder: Path) -> None:
    names = ", ".join(f"c{place}: x" for place in range(60))
    (folder / "lunch.yaml").write_text(LUNCH.replace("{b: 0.5}", f"{{b: 0.5, {names}}}"))
    lines = call("check", "lunch.yaml").stderr.splitlines()
    assert len(lines) == 52
    assert lines[-2:] == ["... and 10 more", "60 problems, nothing was run"]


def test_problems_that_nobody_counted_are_not_claimed_to_be_counted(folder: Path) -> None:
    (folder / "lunch.yaml").write_text(LUNCH + "".join(f"x{place}: *a\n" for place in range(60)))
    lines = call("check", "lunch.yaml").stderr.splitlines()
    assert len(lines) == 52
    assert lines[-2:] == ["... and at least 1 more", "at least 51 problems, nothing was run"]


def test_cells_that_are_not_listed_are_counted(folder: Path) -> None:
    (folder / "people.csv").write_text("who,hunger\nann,1\n" + "".join(f"{place},x\n" for place in range(1_000)))
    result = call("check", "lunch.yaml")
    lines = result.stderr.splitlines()
    assert (result.exit_code, len(lines)) == (4, 6)
    assert lines[-2].endswith("and 995 more like it")
    assert lines[-1] == "1,000 problems, nothing was run"


def test_one_of_a_thing_is_told_in_the_singular(folder: Path) -> None:
    (folder / "people.csv").write_text("who,hunger\nann,1\n")
    result = call("check", "lunch.yaml", "--set", "simulation.replications=1")
    assert result.stdout == "lunch.yaml: fine. 1 agent in 1 row, 2 alternatives, 1 replication\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "interrupted; nothing is half written\n"),
        (ConvergenceError("it did not settle"), 1, "error: it did not settle\n"),
        (MemoryError(), 1, "error: not enough memory; try fewer replications, or a smaller table\n"),
    ],
)
def test_a_run_that_stops_says_why_and_writes_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("choicekit.scenario.run_scenario", stop)
    result = call("run", "lunch.yaml")
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", said)
    assert not (folder / "reports").exists()


def test_a_fault_of_our_own_shows_where_and_asks_for_a_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("choicekit.scenario.run_scenario", lambda *_, **__: {}["gone"])
    result = call("run", "lunch.yaml")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert "This is a fault of choicekit" in result.stderr
    assert "please report" in result.stderr


@pytest.mark.parametrize("command", [["list"], ["schema"], ["run", QUICKSTART, "--out", "run"], ["new", "choice", "-"]])
def test_a_reader_that_goes_away_is_no_accident(tmp_path: Path, command: list[str]) -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "choicekit.cli", *command],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stderr is not None
    running.stdout.close()
    said = running.stderr.read()
    assert running.wait(timeout=60) == 1
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    running.stderr.close()


# --- what is printed ------------------------------------------------------------------------------------------------


def test_quiet_prints_nothing_but_errors(folder: Path) -> None:
    result = call("run", "lunch.yaml", "--quiet")
    assert (result.exit_code, result.output) == (0, "")
    assert (folder / "reports" / "lunch" / "report.html").is_file()
    assert call("check", "lunch.yaml", "-q").output == ""
    assert call("run", "lunch.yaml", "-q", "--set", "seed=x").stderr.startswith("--set seed=x must be a whole number")
    failed = call("run", "lunch.yaml", "-q", "--set", "checks.half_width=0.0001")
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert failed.stderr.startswith("check failed: ")


def test_warnings_are_shown_on_the_error_stream(folder: Path) -> None:
    (folder / "lunch.yaml").write_text(LUNCH.replace("{b: 0.5}", "{b: 0.5, spare: 1}"))
    warning = "warning: lunch.yaml:6:24 coefficient 'spare' is used by no formula\n"
    assert call("check", "lunch.yaml").stderr == warning
    assert call("run", "lunch.yaml").stderr == warning + NO_PROGRESS
    assert call("run", "lunch.yaml", "--quiet").output == ""


def test_progress_is_plain_lines_away_from_a_terminal(folder: Path) -> None:
    (folder / "people.csv").write_text("who,hunger\n" + "".join(f"{place},1\n" for place in range(30_000)))
    lines = call("run", "lunch.yaml", "--set", "simulation.replications=2").stderr.splitlines()
    assert lines == [
        f"simulating choices: {done} of 60,000" for done in ("16,384", "32,768", "49,152", "60,000")
    ]  # fmt: skip


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_a_bar_whose_colours_can_be_turned_off(folder: Path, colour: bool) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "100"} | ({} if colour else {"NO_COLOR": "1"})
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "choicekit.cli", "run", "lunch.yaml"]
    running = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # how Linux says that the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    assert running.communicate(timeout=60)[0].endswith(b"report.html\n")
    assert running.returncode == 0
    assert b"simulating choices" in shown
    colours = re.findall(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|9[0-7])[0-9;]*m", shown)
    assert bool(colours) == colour


def test_control_characters_of_names_do_not_reach_the_terminal(folder: Path) -> None:
    (folder / "lunch.yaml").write_text(LUNCH.replace("soup: 1", r'"\e[2J\u202esoup": 9'))
    shown = call("run", "lunch.yaml")
    assert shown.exit_code == 0
    (folder / "lunch.yaml").write_text(LUNCH.replace("b: 0.5", r'"\e[2J\u202eb": x'))
    told = call("check", "lunch.yaml", "--set", "\x1b]0;owned\x07=1")
    assert told.exit_code == 2
    for text in (shown.output, told.output):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_a_stream_that_cannot_show_a_character_gets_another(folder: Path) -> None:
    (folder / "lunch.yaml").write_text(LUNCH.replace("soup: 1", "Süppchen: 9"), encoding="utf-8")
    found = process("run", "lunch.yaml", cwd=folder, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert found.returncode == 0
    assert found.stdout.isascii()
    assert r"S\xfcppchen" in found.stdout


def test_nothing_is_printed_twice_and_nothing_left_behind(folder: Path) -> None:
    found = process("run", "lunch.yaml", cwd=folder)
    assert found.returncode == 0
    assert found.stderr == NO_PROGRESS
    assert len(found.stdout.splitlines()) == 2
    assert sorted(path.name for path in folder.iterdir()) == ["lunch.yaml", "people.csv", "reports"]


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_an_interrupt_that_a_library_swallows_still_ends_the_command(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import choicekit.report

    def swallowing(result: object) -> str:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return "as if nothing had been"

    monkeypatch.setattr(choicekit.report, "headline", swallowing)
    result = call("run", "lunch.yaml")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (130, "interrupted; nothing is half written")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.skipif(os.name == "nt", reason="sends SIGINT")
def test_what_an_interrupt_breaks_is_not_called_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import choicekit.report

    def broken(result: object) -> str:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ValueError("half a matrix") from None

    monkeypatch.setattr(choicekit.report, "headline", broken)
    result = call("run", "lunch.yaml")
    assert result.exit_code == 130
    assert "fault" not in result.stderr


@pytest.mark.parametrize("quiet", [False, True])
def test_it_says_what_takes_a_while_unless_it_is_told_to_be_quiet(
    quiet: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    telling = logging.getLogger("choicekit.kernels.compiling")
    with _notices(quiet):
        telling.info("compiling loops")
    telling.info("afterwards")
    assert capsys.readouterr().err == ("" if quiet else "compiling loops\n")
