"""Writing a result to its run directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from choicekit.report.directory import Staging, check_directory, staging
from choicekit.report.encoding import json_bytes

if TYPE_CHECKING:
    from choicekit.report.content import Report
    from choicekit.scenario.result import StudyResult

__all__ = ["check_directory", "write_report"]


def write_report(result: StudyResult, directory: str | os.PathLike[str]) -> Path:
    """Write report, summary, tables, figures, data, scenario and provenance of a finished study.

    Parameters
    ----------
    result : StudyResult
    directory : path
        Absent, empty, or an earlier run of choicekit, which is replaced; made where it is absent.

    Returns
    -------
    pathlib.Path
        The page, ``report.html``.

    Raises
    ------
    OutputError
        Where `directory` holds something else or cannot be written. An earlier run is then left as it was.
    InvalidInputError
        For a kind of study that has no report.

    Notes
    -----
    Equal results give equal bytes in every file but ``provenance.json``, which holds dates and timings. Files appear
    whole: each is written to a hidden folder inside `directory` and moved into place. Provenance goes first and last:
    until every file is in place it says ``"complete": false``, so that whatever a killed run leaves is known and
    replaced, or put back as it was, by the next one.

    Examples
    --------
    >>> import tempfile
    >>> from choicekit import run_scenario, write_report
    >>> source = '''
    ... choicekit: 1
    ... kind: choice
    ... name: coin
    ... seed: 1
    ... agents: {rows: [{id: 1}, {id: 2}], agent: id}
    ... utility: {heads: 0, tails: 0}
    ... '''
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     write_report(run_scenario(source), directory).name
    'report.html'
    """
    from choicekit.report.kinds import build_report

    check_directory(directory)
    report = build_report(result)
    with staging(directory) as stage:
        _stage_files(stage, report, result)
        stage.commit(_provenance(result))
    return Path(directory) / "report.html"


def _stage_files(stage: Staging, report: Report, result: StudyResult) -> None:
    from choicekit.report.page import render_page
    from choicekit.report.tables import csv_bytes
    from choicekit.scenario.emitting import dump_document

    stage.write("report.html", _encoded(render_page(report)))
    stage.write("summary.json", json_bytes(report.summary))
    stage.write("scenario.yaml", _encoded(dump_document(_from_here(result, stage.root))))
    for name, frame in report.tables.items():
        stage.write(f"tables/{name}.csv", csv_bytes(frame))
    for name, svg in report.figures.items():
        stage.write(f"figures/{name}.svg", _encoded(f'<?xml version="1.0" encoding="UTF-8"?>\n{svg}\n'))
    for name, writer in report.bulk.items():
        stage.write_with(f"data/{name}", writer)


def _from_here(result: StudyResult, root: Path) -> Mapping[str, Any]:
    """Return the scenario with paths of input files that start from the run directory."""
    scenario: Any = result.scenario
    for file in result.provenance.inputs:
        scenario = _with_value(scenario, file.entry, _relative(Path(file.path), root))
    checked: Mapping[str, Any] = scenario
    return checked


def _with_value(values: Any, entry: tuple[str | int, ...], value: str) -> Any:
    """Return a copy of nested mappings and lists in which one entry has another value."""
    if not entry:
        return value
    key, *rest = entry
    replaced = _with_value(values[key], tuple(rest), value)
    if isinstance(values, Mapping):
        return {**values, key: replaced}
    return [replaced if place == key else given for place, given in enumerate(values)]


def _relative(path: Path, root: Path) -> str:
    target = path.resolve()
    try:
        return Path(os.path.relpath(target, root)).as_posix()
    except ValueError:  # on another drive
        return target.as_posix()


def _provenance(result: StudyResult) -> dict[str, Any]:
    from choicekit._version import __version__

    origin = result.provenance
    return {
        "choicekit": __version__,
        "kind": result.kind,
        "name": result.name,
        "seed": result.seed,
        "draw_scheme": origin.draw_scheme,
        "command": origin.command,
        "versions": dict(origin.versions),
        "inputs": [{"name": file.name, "sha256": file.sha256, "rows": file.rows} for file in origin.inputs],
        "circumstances": dict(origin.circumstances),
    }


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
