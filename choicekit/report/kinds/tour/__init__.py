"""The report of a tour: what holds, then one section a station, and how to run it again."""

from __future__ import annotations

from choicekit.report.content import Report
from choicekit.report.kinds.tour.claims import claims_section
from choicekit.report.kinds.tour.sections import station_sections
from choicekit.report.kinds.tour.summary import summarise
from choicekit.report.kinds.tour.tables import data_tables
from choicekit.report.kinds.tour.words import facts, lead, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.report.verdict import status
from choicekit.scenario.result import StudyResult

__all__ = ["build_report", "headline"]


def build_report(result: StudyResult) -> Report:
    """Turn the result of a tour into its report.

    Parameters
    ----------
    result : StudyResult
        With a `Tour`.

    Returns
    -------
    Report
    """
    return Report(
        kind="tour",
        name=clean(result.name),
        template="tour.html.j2",
        kicker=clean(result.title or result.name),
        title=title(result),
        status=status(result.checks),
        lead=lead(result.outcome),
        description=clean(result.description),
        passed=result.passed,
        facts=facts(result),
        sections=(claims_section(result), *station_sections(result), rerun_section(result)),
        tables=data_tables(result),
        summary=summarise(result, headline(result)),
    )


def headline(result: StudyResult) -> str:
    """Return the finding in one sentence.

    Parameters
    ----------
    result : StudyResult
        With a `Tour`.

    Returns
    -------
    str
    """
    return plain(title(result))
