"""The report of a choice study: shares, segments, how sure they are, the model, and how to run it again."""

from __future__ import annotations

from choicekit.report.content import Report
from choicekit.report.kinds.choice.bulk import bulk_files
from choicekit.report.kinds.choice.certainty import certainty_section
from choicekit.report.kinds.choice.model import model_section
from choicekit.report.kinds.choice.segments import segments_section
from choicekit.report.kinds.choice.shares import shares_section
from choicekit.report.kinds.choice.summary import summarise
from choicekit.report.kinds.choice.tables import data_tables
from choicekit.report.kinds.choice.view import view_of
from choicekit.report.kinds.choice.words import facts, lead, status, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.scenario.result import StudyResult

__all__ = ["build_report", "headline"]


def build_report(result: StudyResult) -> Report:
    """Turn the result of a choice study into its report.

    Parameters
    ----------
    result : StudyResult
        With a `ChoiceOutcome`.

    Returns
    -------
    Report
    """
    view = view_of(result)
    verdict = title(view)
    sections = (
        shares_section(view),
        *segments_section(view),
        certainty_section(view),
        model_section(view),
        rerun_section(result),
    )
    return Report(
        kind="choice",
        name=clean(result.name),
        template="choice.html.j2",
        kicker=clean(result.title or result.name),
        title=verdict,
        status=status(result.checks),
        lead=lead(view),
        description=clean(result.description),
        passed=result.passed,
        facts=facts(view),
        sections=sections,
        tables=data_tables(view),
        summary=summarise(view, plain(verdict)),
        bulk=bulk_files(result),
    )


def headline(result: StudyResult) -> str:
    """Return the finding in one sentence.

    Parameters
    ----------
    result : StudyResult
        With a `ChoiceOutcome`.

    Returns
    -------
    str
    """
    return plain(title(view_of(result)))
