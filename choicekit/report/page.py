"""A report as one page of HTML: the template environment and its filters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from choicekit.report import numbers
from choicekit.report.text import clean

if TYPE_CHECKING:
    from jinja2 import Environment

    from choicekit.report.content import Report

__all__ = ["environment", "render_page"]


@cache
def environment() -> Environment:
    """Return the template environment: everything is escaped, and a name that is not given is an error.

    Examples
    --------
    >>> environment().from_string("{{ name }}").render(name="<b>")
    '&lt;b&gt;'
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("choicekit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "clean": clean,
        "count": numbers.count,
        "percent": numbers.percent,
        "points": numbers.points,
        "significant": numbers.significant,
        "p_value": numbers.p_value,
    }
    return made


def render_page(report: Report) -> str:
    """Render a report as one self-contained page.

    Parameters
    ----------
    report : Report

    Returns
    -------
    str
        HTML that needs no script, no network and no other file.
    """
    return environment().get_template(report.template).render(report=report)
