"""The report of a detection study: what is unlike anything known, what the threshold promises, how well it tells."""

from __future__ import annotations

from choicekit.report.content import Report, Section
from choicekit.report.kinds.detection.overview import familiarity_section, overview_section
from choicekit.report.kinds.detection.rows import groups_section, rows_section
from choicekit.report.kinds.detection.separation import separation_section, temperature_section
from choicekit.report.kinds.detection.summary import summarise
from choicekit.report.kinds.detection.tables import bulk_files, data_tables
from choicekit.report.kinds.detection.training import training_section
from choicekit.report.kinds.detection.view import DetectionView, view_of
from choicekit.report.kinds.detection.words import facts, lead, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.report.verdict import status
from choicekit.scenario.result import StudyResult

__all__ = ["build_report", "headline"]


def build_report(result: StudyResult) -> Report:
    """Turn the result of a detection study into its report.

    Parameters
    ----------
    result : StudyResult
        With a `DetectionOutcome`.

    Returns
    -------
    Report
    """
    view = view_of(result)
    verdict = title(view)
    return Report(
        kind="detection",
        name=clean(result.name),
        template="detection.html.j2",
        kicker=clean(result.title or result.name),
        title=verdict,
        status=status(result.checks),
        lead=lead(view),
        description=clean(result.description),
        passed=result.passed,
        facts=facts(view),
        sections=_sections(view),
        tables=data_tables(view),
        summary=summarise(view, plain(verdict)),
        bulk=bulk_files(view),
    )


def _sections(view: DetectionView) -> tuple[Section, ...]:
    return (
        overview_section(view),
        familiarity_section(view),
        *separation_section(view),
        *groups_section(view),
        rows_section(view),
        *temperature_section(view),
        *training_section(view),
        rerun_section(view.result),
    )


def headline(result: StudyResult) -> str:
    """Return the finding in one sentence.

    Parameters
    ----------
    result : StudyResult
        With a `DetectionOutcome`.

    Returns
    -------
    str
    """
    return plain(title(view_of(result)))
