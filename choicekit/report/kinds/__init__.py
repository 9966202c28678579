"""Which module writes the report of which kind of study. A new kind is one module, its template, and one line here."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from choicekit.errors import InvalidInputError

if TYPE_CHECKING:
    from choicekit.report.content import Report
    from choicekit.scenario.result import StudyResult

__all__ = ["REPORT_KINDS", "build_report", "headline"]

REPORT_KINDS = {
    "assignment": "choicekit.report.kinds.assignment",
    "choice": "choicekit.report.kinds.choice",
    "detection": "choicekit.report.kinds.detection",
    "matching": "choicekit.report.kinds.matching",
    "network": "choicekit.report.kinds.network",
    "tour": "choicekit.report.kinds.tour",
}
"""Kind of study to the module that knows it, imported when it is needed.

Its ``build_report(result)`` returns the `Report`, its ``headline(result)`` the finding in one sentence.
"""


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
    ['assignment', 'choice', 'detection', 'matching', 'network', 'tour']
    """
    report: Report = _module(result).build_report(result)
    return report


def headline(result: StudyResult) -> str:
    """Return the finding of a study in one sentence, the title of its report.

    Parameters
    ----------
    result : StudyResult

    Returns
    -------
    str
        Where a check failed, that is the finding.

    Raises
    ------
    InvalidInputError
        For a kind that has no report.

    Examples
    --------
    >>> from choicekit import run_scenario
    >>> source = '''
    ... choicekit: 1
    ... kind: choice
    ... name: coin
    ... seed: 1
    ... agents: {rows: [{id: 1}, {id: 2}], agent: id}
    ... utility: {heads: 0, tails: 0}
    ... '''
    >>> headline(run_scenario(source))
    'Heads and tails are chosen equally often, for 50.0 % of choices each'
    """
    sentence: str = _module(result).headline(result)
    return sentence


def _module(result: StudyResult) -> ModuleType:
    if result.kind not in REPORT_KINDS:
        known = ", ".join(sorted(REPORT_KINDS))
        raise InvalidInputError(f"no report is known for kind {result.kind!r}: there are reports for {known}")
    return import_module(REPORT_KINDS[result.kind])
