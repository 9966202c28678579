"""Which module writes the report of which kind of study. A new kind is one module, its template, and one line here."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from choicekit.errors import InvalidInputError

if TYPE_CHECKING:
    from choicekit.report.content import Report
    from choicekit.scenario.result import StudyResult

__all__ = ["REPORT_KINDS", "build_report"]

REPORT_KINDS = {"choice": "choicekit.report.kinds.choice"}
"""Kind of study to the module whose ``build_report(result)`` returns its `Report`; imported when it is needed."""


def build_report(result: StudyResult) -> Report:
    """Turn a result into a report, by its kind.

    Parameters
    ----------
    result : StudyResult

    Returns
    -------
    Report

    Raises
    ------
    InvalidInputError
        For a kind that has no report.

    Examples
    --------
    >>> sorted(REPORT_KINDS)
    ['choice']
    """
    if result.kind not in REPORT_KINDS:
        known = ", ".join(sorted(REPORT_KINDS))
        raise InvalidInputError(f"no report is known for kind {result.kind!r}: there are reports for {known}")
    report: Report = import_module(REPORT_KINDS[result.kind]).build_report(result)
    return report
