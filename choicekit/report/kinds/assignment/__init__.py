"""The report of an assignment: what holds, who is matched with whom, at which prices, and how sure that is."""

from __future__ import annotations

from choicekit.report.content import Report, Section
from choicekit.report.kinds.assignment.bulk import bulk_files
from choicekit.report.kinds.assignment.certificate import certificate_section
from choicekit.report.kinds.assignment.coupling import coupling_section
from choicekit.report.kinds.assignment.fit import fit_section
from choicekit.report.kinds.assignment.overview import overview_section
from choicekit.report.kinds.assignment.path import path_section
from choicekit.report.kinds.assignment.policies import policies_section
from choicekit.report.kinds.assignment.sides import sides_section
from choicekit.report.kinds.assignment.summary import summarise
from choicekit.report.kinds.assignment.tables import data_tables
from choicekit.report.kinds.assignment.view import AssignmentView, view_of
from choicekit.report.kinds.assignment.words import facts, lead, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.report.verdict import status
from choicekit.scenario.result import StudyResult

__all__ = ["build_report", "headline"]


def build_report(result: StudyResult) -> Report:
    """Turn the result of an assignment study into its report.

    Parameters
    ----------
    result : StudyResult
        With an `AssignmentOutcome`.

    Returns
    -------
    Report
    """
    view = view_of(result)
    verdict = title(view)
    return Report(
        kind="assignment",
        name=clean(result.name),
        template="assignment.html.j2",
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


def _sections(view: AssignmentView) -> tuple[Section, ...]:
    return (
        overview_section(view),
        *policies_section(view),
        coupling_section(view),
        sides_section(view),
        *path_section(view),
        *fit_section(view),
        certificate_section(view),
        rerun_section(view.study),
    )


def headline(result: StudyResult) -> str:
    """Return the finding in one sentence.

    Parameters
    ----------
    result : StudyResult
        With an `AssignmentOutcome`.

    Returns
    -------
    str
    """
    return plain(title(view_of(result)))
