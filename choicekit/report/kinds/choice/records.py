"""What tables and summary both list of groups, one mapping a row."""

from __future__ import annotations

from typing import Any

from choicekit.report.kinds.choice.view import ChoiceView

__all__ = ["group_records"]


def group_records(view: ChoiceView) -> list[dict[str, Any]]:
    """Size and inclusive value of every group, everybody first."""
    tally = view.outcome.tally
    return [
        {
            "segment": group.segment,
            "group": group.label,
            "rows": int(tally.rows[group.position]),
            "idle_rows": int(tally.idle[group.position]),
            "weight": float(tally.weight[group.position]),
            "inclusive_value": float(view.value[group.position]),
        }
        for group in view.outcome.groups
    ]
