"""The report of a choice study: shares, segments, how sure they are, the model, and how to run it again."""

from __future__ import annotations

from dataclasses import replace

from choicekit.report.content import Fact, Report, Section
from choicekit.report.kinds.choice.bulk import bulk_files
from choicekit.report.kinds.choice.certainty import certainty_section
from choicekit.report.kinds.choice.comparison import comparison_sections
from choicekit.report.kinds.choice.comparison.errors import error_blocks
from choicekit.report.kinds.choice.comparison.summary import policy_summary
from choicekit.report.kinds.choice.comparison.tables import comparison_tables
from choicekit.report.kinds.choice.comparison.verdict import comparison_facts, comparison_lead, comparison_verdict
from choicekit.report.kinds.choice.comparison.view import ComparisonView, comparison_of
from choicekit.report.kinds.choice.crowding import (
    CrowdingView,
    crowding_facts,
    crowding_lead,
    crowding_of,
    crowding_section,
    crowding_verdict,
)
from choicekit.report.kinds.choice.familiarity import familiarity_files, familiarity_section
from choicekit.report.kinds.choice.model import model_section
from choicekit.report.kinds.choice.segments import segments_section
from choicekit.report.kinds.choice.shares import shares_section
from choicekit.report.kinds.choice.summary import summarise
from choicekit.report.kinds.choice.tables import data_tables
from choicekit.report.kinds.choice.view import ChoiceView, view_of
from choicekit.report.kinds.choice.words import facts, lead, title
from choicekit.report.rerun import rerun_section
from choicekit.report.text import clean, plain
from choicekit.report.verdict import status
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
    compared, crowding = comparison_of(view), crowding_of(view)
    verdict = _verdict(view, compared, crowding)
    return Report(
        kind="choice",
        name=clean(result.name),
        template="choice.html.j2",
        kicker=clean(result.title or result.name),
        title=verdict,
        status=status(result.checks),
        lead=_lead(view, compared, crowding),
        description=clean(result.description),
        passed=result.passed,
        facts=_facts(view, compared, crowding),
        sections=_sections(view, compared, crowding),
        tables=data_tables(view) | ({} if compared is None else comparison_tables(compared)),
        summary=summarise(view, plain(verdict), {} if compared is None else policy_summary(compared)),
        bulk=bulk_files(result) | familiarity_files(view),
    )


def _verdict(view: ChoiceView, compared: ComparisonView | None, crowding: CrowdingView | None) -> str:
    """Return the finding: of who fits in, of policies, where there are such; a failed check goes before everything."""
    if not view.result.passed or view.leading is None:
        return title(view)
    if crowding is not None:
        return crowding_verdict(crowding)
    return title(view) if compared is None else comparison_verdict(compared)


def _lead(view: ChoiceView, compared: ComparisonView | None, crowding: CrowdingView | None) -> str:
    if view.leading is not None and crowding is not None:
        return crowding_lead(crowding)
    return lead(view) if compared is None or view.leading is None else comparison_lead(compared)


def _facts(view: ChoiceView, compared: ComparisonView | None, crowding: CrowdingView | None) -> tuple[Fact, ...]:
    found = facts(view)
    place = next(number for number, fact in enumerate(found) if fact.name == "alternatives") + 1
    added = () if crowding is None else crowding_facts(crowding)
    added += () if compared is None else comparison_facts(compared)
    return *found[:place], *added, *found[place:]


def _sections(view: ChoiceView, compared: ComparisonView | None, crowding: CrowdingView | None) -> tuple[Section, ...]:
    shares, segments = shares_section(view), segments_section(view)
    if compared is None:
        found = (shares, *segments, *familiarity_section(view), certainty_section(view))
    else:
        found = (
            *comparison_sections(compared),
            certainty_section(view, error_blocks(compared)),
            replace(shares, title="Baseline"),
            *(replace(section, title="Baseline by segment") for section in segments),
            *familiarity_section(view),
        )
    if crowding is not None:
        without = replace(found[0], title=f"{found[0].title}, if everybody fitted in")
        found = (crowding_section(crowding), without, *found[1:])
    return *found, model_section(view), rerun_section(view.result)


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
    view = view_of(result)
    return plain(_verdict(view, comparison_of(view), crowding_of(view)))
