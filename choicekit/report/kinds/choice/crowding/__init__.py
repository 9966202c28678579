"""Who fits in where alternatives take only so many: prices against rationing, by segment and policy."""

from __future__ import annotations

from choicekit.report.kinds.choice.crowding.blocks import crowding_section
from choicekit.report.kinds.choice.crowding.data import CROWDING_KEYS, crowding_summary, crowding_tables
from choicekit.report.kinds.choice.crowding.view import CrowdingView, crowding_of
from choicekit.report.kinds.choice.crowding.words import crowding_facts, crowding_lead, crowding_verdict

__all__ = [
    "CROWDING_KEYS",
    "CrowdingView",
    "crowding_facts",
    "crowding_lead",
    "crowding_of",
    "crowding_section",
    "crowding_summary",
    "crowding_tables",
    "crowding_verdict",
]
