"""What holds: checks, and warnings."""

from __future__ import annotations

from choicekit.report.checks import checks_table
from choicekit.report.content import Block, Heading, Items, Section
from choicekit.report.kinds.matching.view import MatchingView
from choicekit.report.text import clean

__all__ = ["holds_section"]


def holds_section(view: MatchingView) -> Section:
    """Show checks with what was found and what is allowed, then warnings."""
    blocks: list[Block] = [checks_table(view.result.checks)]
    if view.result.warnings:
        blocks += [Heading("Warnings"), Items(tuple(clean(warning) for warning in view.result.warnings))]
    return Section(key="holds", title="What holds", blocks=tuple(blocks))
