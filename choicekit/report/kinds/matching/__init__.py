"""The report of a matching study: what each mechanism gives to whom, and how sure that is."""

from __future__ import annotations

from choicekit.report.content import Report
from choicekit.report.kinds.matching.mechanisms import (
    groups_section,
    mechanisms_section,
    places_section,
    policies_section,
)
from choicekit.report.kinds.matching.overview import holds_section
from choicekit.report.kinds.matching.summary import summarise
from choicekit.report.kinds.matching.tables import bulk_files, data_tables
from choicekit.report.kinds.matching.view import view_of
from choicekit.report.kinds.matching.words import facts, lead, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.report.verdict import status
from choicekit.scenario.result import StudyResult

__all__ = ["build_report", "headline"]


def build_report(result: StudyResult) -> Report:
    """Turn the result of a matching study into its report.

    Parameters
    ----------
    result : StudyResult
        With a `MatchingOutcome`.

    Returns
    -------
    Report
    """
    view = view_of(result)
    verdict = title(view)
    return Report(
        kind="matching",
        name=clean(result.name),
        template="matching.html.j2",
        kicker=clean(result.title or result.name),
        title=verdict,
        status=status(result.checks),
        lead=lead(view),
        description=clean(result.description),
        passed=result.passed,
        facts=facts(view),
        sections=(
            holds_section(view),
            mechanisms_section(view),
            *groups_section(view),
            *policies_section(view),
            places_section(view),
            rerun_section(result),
        ),
        tables=data_tables(view),
        summary=summarise(view, plain(verdict)),
        bulk=bulk_files(view),
    )


def headline(result: StudyResult) -> str:
    """Return the finding in one sentence.

    Parameters
    ----------
    result : StudyResult
        With a `MatchingOutcome`.

    Returns
    -------
    str
    """
    return plain(title(view_of(result)))
