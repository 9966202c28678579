"""What ``summary.json`` says of every kind of study: first and last keys; kinds put their own numbers in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from choicekit.report.checks import check_records
from choicekit.scenario.result import StudyResult

__all__ = ["listed", "summary_keys", "summary_of"]

_LAST = {
    "checks.<check>.title": "what must hold",
    "checks.<check>.measure": "how it was measured",
    "checks.<check>.value": "what was found",
    "checks.<check>.relation": "how value must stand to limit: <= or >=",
    "checks.<check>.limit": "what is allowed",
    "checks.<check>.unit": "what value and limit are: share, rows, p-value, or empty for a bare number",
    "checks.<check>.passed": "whether it holds",
    "warnings": "things allowed but probably not meant",
    "versions.<package>": "version of a package the study ran with",
}


def summary_keys(kind: str, own: Mapping[str, str]) -> dict[str, str]:
    """Return every key of a kind's summary and what it means, in the order of `summary_of`.

    Parameters
    ----------
    kind : str
    own : mapping of str to str
        What the kind adds.

    Examples
    --------
    >>> list(summary_keys("tour", {"seed": "seed of the draws"}))[4:8]
    ['finding', 'passed', 'seed', 'checks.<check>.title']
    """
    return {
        "schema_version": "version of this table of keys",
        "kind": f"kind of study: {kind}",
        "name": "name of the scenario",
        "title": "title of the scenario, may be empty",
        "finding": "the headline of the report",
        "passed": "whether every check holds",
        **own,
        **_LAST,
    }


def listed(keys: Mapping[str, str]) -> str:
    """Return keys and what they mean as lines of text, for the docstring of the module that has them."""
    return "\n".join(f"{key}: {text}" for key, text in keys.items())


def summary_of(result: StudyResult, finding: str, version: int, own: Mapping[str, Any]) -> dict[str, Any]:
    """Put a kind's own numbers between what is said of every study.

    Parameters
    ----------
    result : StudyResult
    finding : str
        Title of the report.
    version : int
        Of the kind's table of keys.
    own : mapping

    Returns
    -------
    dict
        Plain values; nan is not yet null.
    """
    return {
        "schema_version": version,
        "kind": result.kind,
        "name": result.name,
        "title": result.title,
        "finding": finding,
        "passed": result.passed,
        **own,
        "checks": {record.pop("name"): record for record in check_records(result.checks)},
        "warnings": list(result.warnings),
        "versions": dict(result.provenance.versions),
    }
