"""Whether a study can be relied on, in words that every kind of report uses."""

from __future__ import annotations

from collections.abc import Sequence

from choicekit.report.numbers import significant
from choicekit.report.text import in_sentence
from choicekit.scenario.result import Check

__all__ = ["failure", "status"]


def status(checks: Sequence[Check]) -> str:
    """Say whether the checks hold.

    Examples
    --------
    >>> status([])
    'complete; nothing was checked'
    """
    if not checks:
        return "complete; nothing was checked"
    failed = sum(not check.passed for check in checks)
    if len(checks) == 1:
        return "✗ the check fails" if failed else "✓ complete, the check holds"
    if failed:
        return f"✗ {failed} of {len(checks)} checks {'fail' if failed > 1 else 'fails'}"
    return f"✓ complete, all {len(checks)} checks hold"


def failure(checks: Sequence[Check]) -> str:
    """Say what fails; empty where nothing does.

    Examples
    --------
    >>> failed = Check(name="sum", title="shares sum to one", measure="", value=0.5, limit=0.1, relation="<=")
    >>> failure([failed])
    'Not to be relied on yet: the check “shares sum to one” fails, with 0.5 where at most 0.1 is allowed'
    >>> failure([])
    ''
    """
    failed = [check for check in checks if not check.passed]
    if not failed:
        return ""
    first = in_sentence(failed[0].title, 90)
    if len(failed) > 1:
        return f"Not to be relied on yet: {len(failed)} of {len(checks)} checks fail, the first being “{first}”"
    found, limit = significant(failed[0].value, 2), significant(failed[0].limit, 2)
    allowed = f"at most {limit} is allowed" if failed[0].relation == "<=" else f"at least {limit} is needed"
    return f"Not to be relied on yet: the check “{first}” fails, with {found} where {allowed}"
