"""The last section of every report: how to run the study again, and from what."""

from __future__ import annotations

from choicekit.report.content import Block, Cell, Code, Column, Details, Prose, Section, Table
from choicekit.report.numbers import count
from choicekit.report.text import clean
from choicekit.scenario.emitting import dump_document
from choicekit.scenario.result import StudyResult

__all__ = ["rerun_section"]


def rerun_section(result: StudyResult) -> Section:
    """Command, inputs with their hashes, versions, draws, and the scenario with every default filled in."""
    origin, rows = result.provenance, ""
    if result.kind == "choice":
        rows = "In another order of rows the choices and their counts stay the same, sums to rounding. "
    blocks: list[Block] = [
        Code(clean(origin.command), "Command that runs the study again"),
        Prose(
            f"The same seed ({result.seed}), draw scheme ({origin.draw_scheme}), inputs and versions give the same "
            f"bytes, whatever the number of workers. {rows}scenario.yaml beside this file runs from there."
        ),
    ]
    if origin.inputs:
        blocks.append(_inputs(result))
    blocks += [
        Details(summary="Versions", blocks=(_versions(result),)),
        Details(
            summary="The scenario as it was run, defaults filled in",
            blocks=(Code(clean(dump_document(result.scenario)), "Resolved scenario"),),
        ),
    ]
    return Section(key="rerun", title="Run it again", blocks=tuple(blocks))


def _inputs(result: StudyResult) -> Table:
    return Table(
        name="inputs",
        caption="Files that were read",
        columns=(Column(title="file", numeric=False), Column(title="rows"), Column(title="SHA-256", numeric=False)),
        rows=tuple(
            (Cell(text=clean(file.name)), Cell(text=count(file.rows)), Cell(text=clean(file.sha256), style="code"))
            for file in result.provenance.inputs
        ),
    )


def _versions(result: StudyResult) -> Table:
    pairs = [*result.provenance.versions.items(), ("draw scheme", str(result.provenance.draw_scheme))]
    return Table(
        name="versions",
        caption="What the study ran with",
        columns=(Column(title="package", numeric=False), Column(title="version", numeric=False)),
        rows=tuple((Cell(text=clean(name)), Cell(text=clean(version))) for name, version in pairs),
    )
