"""The report of a network study: what the web is like, what explains it, and what if."""

from __future__ import annotations

from choicekit.report.content import Report, Section
from choicekit.report.kinds.network.changes import losses_section, policies_section
from choicekit.report.kinds.network.explained import ensembles_section, preferences_section
from choicekit.report.kinds.network.summary import summarise
from choicekit.report.kinds.network.tables import data_tables
from choicekit.report.kinds.network.view import NetworkView, view_of
from choicekit.report.kinds.network.web import holds_section, matrix_section, metrics_section, species_section
from choicekit.report.kinds.network.words import facts, lead, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.report.verdict import status
from choicekit.scenario.result import StudyResult

__all__ = ["build_report", "headline"]


def build_report(result: StudyResult) -> Report:
    """Turn the result of a network study into its report.

    Parameters
    ----------
    result : StudyResult
        With a `NetworkOutcome`.

    Returns
    -------
    Report
    """
    view = view_of(result)
    verdict = title(view)
    return Report(
        kind="network",
        name=clean(result.name),
        template="network.html.j2",
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
    )


def _sections(view: NetworkView) -> tuple[Section, ...]:
    return (
        holds_section(view),
        *metrics_section(view),
        matrix_section(view),
        *ensembles_section(view),
        *preferences_section(view),
        *losses_section(view),
        *policies_section(view),
        *species_section(view),
        rerun_section(view.result),
    )


def headline(result: StudyResult) -> str:
    """Return the finding in one sentence.

    Parameters
    ----------
    result : StudyResult
        With a `NetworkOutcome`.

    Returns
    -------
    str
    """
    return plain(title(view_of(result)))
