"""Checks as a table for readers and as records for programs: what must hold, what was found, what is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from choicekit.report.content import Cell, Column, Table
from choicekit.report.numbers import count, p_value, significant
from choicekit.report.text import clean
from choicekit.scenario.result import Check

__all__ = ["check_records", "checks_table"]

_SIGNS = {"<=": "≤", ">=": "≥"}
_WRITERS: Mapping[str, Callable[[float], str]] = {"p-value": p_value, "rows": count}
"""How values of a unit are written; others with two digits."""


def checks_table(checks: Sequence[Check]) -> Table:
    """List every check with its verdict in words as well as by a mark."""
    return Table(
        name="checks",
        caption="What must hold for the result to be trusted",
        columns=(
            Column(title="what must hold", numeric=False),
            Column(title="verdict", numeric=False),
            Column(title="measured as", numeric=False),
            Column(title="found"),
            Column(title="allowed"),
        ),
        rows=tuple(_row(check) for check in checks),
    )


def _row(check: Check) -> tuple[Cell, ...]:
    verdict = Cell(text="✓ holds", style="good") if check.passed else Cell(text="✗ fails", style="bad")
    write = _WRITERS.get(check.unit, partial(significant, digits=2))
    allowed = f"{_SIGNS[check.relation]} {write(check.limit)}"
    return (
        Cell(text=clean(check.title)),
        verdict,
        Cell(text=clean(check.measure)),
        Cell(text=write(check.value)),
        Cell(text=allowed),
    )


def check_records(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Every check with its verdict, one mapping each."""
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
        for check in checks
    ]
