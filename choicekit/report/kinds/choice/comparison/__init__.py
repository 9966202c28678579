"""The comparison part of a choice report: what policies change, who switches, what it is worth, how sure that is."""

from __future__ import annotations

from choicekit.report.content import Section
from choicekit.report.kinds.choice.comparison.elasticities import elasticities_section
from choicekit.report.kinds.choice.comparison.policies import policies_section
from choicekit.report.kinds.choice.comparison.switching import switching_section
from choicekit.report.kinds.choice.comparison.view import ComparisonView
from choicekit.report.kinds.choice.comparison.worth import worth_section

__all__ = ["comparison_sections"]


def comparison_sections(compared: ComparisonView) -> tuple[Section, ...]:
    """Return the sections on policies, in the order of the page."""
    return (
        policies_section(compared),
        switching_section(compared),
        worth_section(compared),
        *elasticities_section(compared),
    )
