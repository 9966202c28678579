"""The command line: run, check, new, schema, list. Formats results and errors; decides nothing.

Rooms are imported inside commands, so that ``choicekit --help`` is quick.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from choicekit._version import __version__
from choicekit.counting import counted
from choicekit.errors import ChoicekitError, DataError, OutputError, Problem, ScenarioError

if TYPE_CHECKING:
    from choicekit.execution import Progress
    from choicekit.scenario import Scenario, StudyResult

__all__ = ["ExitCode", "main"]

logger = logging.getLogger("choicekit")

MAX_WORKERS = 1024
MAX_SHOWN = 50  # problems of one file; nobody mends more at once


class ExitCode(IntEnum):
    """What the command line answers to the shell."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    CHECKS_FAILED = 3
    BAD_DATA = 4
    INTERRUPTED = 130


app = typer.Typer(
    name="choicekit",
    help="Simulate decisions from a YAML file: who chooses what, what it is worth, and how sure that is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers, with messages like those about scenarios."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise typer.BadParameter(f"must be a whole number, found {text!r}") from None
        if not least <= number <= most:
            raise typer.BadParameter(f"must be a whole number from {least} to {most}, found {number}")
        return number

    return read


ScenarioFile = Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file (YAML).", show_default=False)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change an entry, such as rule.temperature=2; may be repeated."),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", parser=_whole_number(0, 2**64 - 1), help="Use this seed instead of the scenario's."
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "--workers",
        metavar="N",
        parser=_whole_number(1, MAX_WORKERS),
        help="Threads; the answer does not depend on it.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")]


def main() -> None:
    """Run the command line; the entry point of the ``choicekit`` script."""
    app()


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Simulate decisions from a YAML file: who chooses what, what it is worth, and how sure that is."""
    if version:
        _say(f"choicekit {__version__}")
        raise typer.Exit(ExitCode.FINE)


@app.command()
def run(
    file: ScenarioFile,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Run directory; by default reports/NAME.", show_default=False),
    ] = None,
    settings: Settings = None,
    seed: Seed = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Run a scenario and write its report."""
    with _errors_shown(), _interruptible() as stop_if_asked, _notices(quiet):
        from choicekit.report import check_directory, write_report
        from choicekit.scenario import load_scenario, run_scenario

        scenario = load_scenario(file, overrides=settings or (), seed=seed)
        directory = out if out is not None else Path("reports") / scenario.name
        check_directory(directory)
        if not quiet:
            _warn(scenario.warnings)
        with _progress(quiet) as shown:

            def progress(name: str, done: int, total: int) -> None:
                stop_if_asked()
                shown(name, done, total)

            result = run_scenario(scenario, workers=workers, progress=progress)
            page = write_report(result, directory)
        if not quiet:
            _warn(warning for warning in result.warnings if warning not in scenario.warnings)
            _tell(result, page)
        if not result.passed:
            _show_failed_checks(result)
            raise typer.Exit(ExitCode.CHECKS_FAILED)


@app.command()
def check(file: ScenarioFile, settings: Settings = None, seed: Seed = None, quiet: Quiet = False) -> None:
    """Check a scenario and its tables without running it."""
    with _errors_shown(), _notices(quiet):
        from choicekit.scenario import load_scenario

        scenario = load_scenario(file, overrides=settings or (), seed=seed)
        if not quiet:
            _warn(scenario.warnings)
            _say(f"{file}: fine. {_size(scenario)}")


@app.command()
def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Kind of scenario, such as choice.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="File to write; by default KIND.yaml. - prints it.", show_default=False),
    ] = None,
) -> None:
    """Write a commented scenario to start from."""
    with _errors_shown():
        from choicekit.scenario.kinds import kinds
        from choicekit.suggestions import suggest

        if kind not in kinds():
            hint = suggest(kind, kinds()) or f"kinds are {', '.join(kinds())}"
            raise ScenarioError([Problem(message=f"unknown kind {kind!r}", hint=hint)])
        template = resources.files("choicekit.scenario").joinpath("templates", f"{kind}.yaml")
        text = template.read_text(encoding="utf-8")
        target = Path(f"{kind}.yaml") if file is None else file
        if str(target) == "-":
            _say(text.rstrip("\n"))
            return
        _write_new(target, text)
        _say(f"wrote {target}. Next: choicekit check {target}, then: choicekit run {target}")


@app.command()
def schema(
    kind: Annotated[str | None, typer.Argument(metavar="[KIND]", help="One kind only.", show_default=False)] = None,
) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    with _errors_shown():
        from choicekit.scenario.schema import scenario_schema

        _say(json.dumps(scenario_schema(kind), indent=2, ensure_ascii=False))


@app.command(name="list")
def list_names() -> None:
    """List kinds, rules and functions."""
    with _errors_shown():
        from choicekit.scenario.catalogue import catalogue

        for title, entries in catalogue().items():
            _say(f"{title}:")
            width = max(len(name) for name in entries)
            for name, description in entries.items():
                _say(f"  {name:<{width}}  {description}")


@contextmanager
def _errors_shown() -> Iterator[None]:
    """Turn errors into one clear message and the right exit code; a traceback is shown for our own faults only."""
    try:
        yield
    except (DataError, ScenarioError) as error:
        _complain(error)
        raise typer.Exit(ExitCode.BAD_DATA if isinstance(error, DataError) else ExitCode.USAGE) from None
    except OutputError as error:
        _say(f"error: {error}", err=True)
        # a directory that is refused was named wrongly; a disk that fails is nobody's usage
        raise typer.Exit(ExitCode.FAILED if isinstance(error.__cause__, OSError) else ExitCode.USAGE) from None
    except ChoicekitError as error:
        _say(f"error: {error}", err=True)
        raise typer.Exit(ExitCode.FAILED) from None
    except KeyboardInterrupt:
        _say("interrupted; nothing is half written", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except BrokenPipeError:
        # whoever read our output has had enough; keep the interpreter from complaining when it closes the stream
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(ExitCode.FAILED) from None
    except MemoryError:
        _say("error: not enough memory; try fewer replications, or a smaller table", err=True)
        raise typer.Exit(ExitCode.FAILED) from None
    except typer.Exit:
        raise
    except OSError as error:  # our output cannot be written, say: the disk is full
        _say(f"error: {error.strerror or error}", err=True)
        raise typer.Exit(ExitCode.FAILED) from None
    except Exception as error:
        traceback.print_exc()
        _say(
            f"\nThis is a fault of choicekit {__version__}, not of your input: please report the above ({error})",
            err=True,
        )
        raise typer.Exit(ExitCode.FAILED) from None


@contextmanager
def _interruptible() -> Iterator[Callable[[], None]]:
    """Make sure that Ctrl-C ends the command, also where a library catches the interrupt that Python raises.

    What is yielded is called while work goes on, in whatever thread, and raises once there was an interrupt: threads
    are not interrupted by Python, and a block of theirs may take hours.
    """
    noticed: list[int] = []

    def notice(number: int, frame: object) -> None:
        noticed.append(number)
        raise KeyboardInterrupt

    def stop_if_asked() -> None:
        if noticed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, notice)
    try:
        yield stop_if_asked
    except Exception:
        if noticed:  # what an interrupt broke is nobody's fault
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    stop_if_asked()


def _complain(error: DataError | ScenarioError) -> None:
    for problem in error.problems[:MAX_SHOWN]:
        _say(str(problem), err=True)
    least = "at least " if error.is_cut_short else ""
    left_out = sum(1 + problem.more for problem in error.problems[MAX_SHOWN:])
    if left_out:
        _say(f"... and {least}{left_out:,} more", err=True)
    _say(f"{least}{counted(error.count, 'problem')}, nothing was run", err=True)


def _warn(warnings: Iterable[str]) -> None:
    for warning in warnings:
        _say(f"warning: {warning}", err=True)


def _tell(result: StudyResult, page: Path) -> None:
    from choicekit.report import headline

    held = sum(check.passed for check in result.checks)
    _say(headline(result))
    _say(f"{held} of {len(result.checks)} checks hold. Report: {page}")


def _show_failed_checks(result: StudyResult) -> None:
    for failed in (check for check in result.checks if not check.passed):
        limit = f"{'at most' if failed.relation == '<=' else 'at least'} {failed.limit:g}"
        _say(f"check failed: {failed.title}: {failed.measure} must be {limit}, found {failed.value:.3g}", err=True)


def _size(scenario: Scenario) -> str:
    return scenario.kind.size(scenario.prepared.study)


def _write_new(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise OutputError(f"{target} exists already; name another file") from None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise OutputError(f"{target} cannot be written: {error.strerror}; name a folder that exists") from None
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error


def _say(text: str, *, err: bool = False) -> None:
    """Write a line; what users wrote is shown as it is, but for control characters that could move the cursor."""
    safe = "".join(c if c in "\n\t" or c.isprintable() else f"\\x{ord(c):02x}" for c in text)
    stream = sys.stderr if err else sys.stdout
    stream.write(safe.encode(stream.encoding or "utf-8", "backslashreplace").decode(stream.encoding or "utf-8") + "\n")


class _Notices(logging.Handler):
    """Shows what the kit says of itself while it works."""

    def emit(self, record: logging.LogRecord) -> None:
        _say(record.getMessage(), err=True)


@contextmanager
def _notices(quiet: bool) -> Iterator[None]:
    """Show that loops are being compiled, or cannot be: both take time that a user would wonder about."""
    told, handler = logging.getLogger("choicekit.kernels"), _Notices()
    before = told.level
    if not quiet:
        told.addHandler(handler)
        told.setLevel(logging.INFO)
    try:
        yield
    finally:
        told.removeHandler(handler)
        told.setLevel(before)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """Show a bar on a terminal, plain lines otherwise, nothing when quiet."""
    if quiet:
        yield lambda name, done, total: None
    elif sys.stderr.isatty():
        yield from _bar()
    else:
        yield _PlainProgress()


def _bar() -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,} of {task.total:,}"))
    console = Console(stderr=True)  # respects NO_COLOR
    with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
        tasks: dict[str, object] = {}

        def update(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done)  # type: ignore[arg-type]

        yield update


class _PlainProgress:
    """One line at each tenth of long work, so that a log stays short."""

    def __init__(self) -> None:
        self._tenths: dict[str, int] = {}

    def __call__(self, name: str, done: int, total: int) -> None:
        tenth = 10 * done // total
        if tenth > self._tenths.get(name, 0):
            self._tenths[name] = tenth
            _say(f"{name}: {done:,} of {total:,}", err=True)


if __name__ == "__main__":
    main()
