"""What tables and summary both list: groups and checks, one mapping a row."""

from __future__ import annotations

from typing import Any

from choicekit.report.kinds.choice.view import ChoiceView

__all__ = ["check_records", "group_records"]


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


def check_records(view: ChoiceView) -> list[dict[str, Any]]:
    """Every check with its verdict."""
    return [
        {
            "name": check.name,
            "title": check.title,
            "measure": check.measure,
            "value": float(check.value),
            "relation": check.relation,
            "limit": float(check.limit),
            "unit": check.unit,
            "passed": check.passed,
        }
        for check in view.result.checks
    ]
