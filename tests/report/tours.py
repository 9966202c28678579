"""Results of small tours, and their reports, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.rules import Softmax
from choicekit.scenario.result import Check, Provenance, StudyResult
from choicekit.tour import Tour, TourPlan, run_tour
from tests.report.studies import HOSTILE

QUICK: dict[str, Any] = {"seed": 1, "draws": (100, 1_000, 10_000), "replications": 4, "agents": 2_000}


@cache
def usual_tour() -> Tour:
    """Every station with the published rows, and a rule that occurs twice."""
    return run_tour(TourPlan(**QUICK, rules=(Softmax(1.0), Softmax(0.3))))


@cache
def usual_report() -> Report:
    """The report of the usual tour."""
    return tour_report(usual_tour())


def short_tour(**changes: Any) -> Tour:
    """A tour with other settings."""
    return run_tour(TourPlan(**(QUICK | changes)))


@cache
def hostile_report() -> Report:
    """Every text a user can write is meant to do harm."""
    return tour_report(
        _hostile_tour(),
        title=HOSTILE[0],
        description="<img src=x onerror=alert(2)>",
        warnings=("<b>bold</b> warning",),
    )


def _hostile_tour() -> Tour:
    row = {name: place / 4 for place, name in enumerate(HOSTILE)}
    stations = ["two-samplings", "rules"]
    return short_tour(stations=stations, utilities={"rules": row, "two-samplings": row}, improved=HOSTILE[0])


def tour_result(tour: Tour, *, checks: Sequence[Check] = (), **changes: Any) -> StudyResult:
    """Wrap a tour as a finished study; `checks` come after its own claims."""
    given = {
        "kind": "tour",
        "name": "softmax-tour",
        "title": "The family of regularised maxima",
        "description": "",
        "seed": tour.seed,
        "warnings": (),
        "scenario": {"choicekit": 1, "kind": "tour", "name": "softmax-tour", "seed": tour.seed},
        "provenance": Provenance(
            versions={"choicekit": "0.1.0"},
            inputs=(),
            draw_scheme=1,
            command="choicekit run scenarios/softmax_tour.yaml",
            circumstances={"started": "2024-01-01", "workers": 1},
        ),
    } | changes
    own = tuple(Check(**asdict(claim)) for claim in tour.checks)
    return StudyResult(outcome=tour, checks=(*own, *checks), **given)


def tour_report(tour: Tour, **changes: Any) -> Report:
    """Build the report of a tour."""
    return build_report(tour_result(tour, **changes))
