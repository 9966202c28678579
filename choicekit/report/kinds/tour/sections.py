"""The sections of a tour: each station by the module that knows it, and its claims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from types import ModuleType

from choicekit.report.checks import checks_table
from choicekit.report.content import Block, Details, Heading, Section, Table
from choicekit.report.kinds.tour.shown import claimed
from choicekit.report.numbers import count
from choicekit.report.text import capitalise, clean
from choicekit.scenario.result import Check, StudyResult
from choicekit.tour import Station, Tour

__all__ = ["STATION_MODULES", "claims_of", "claims_table", "short_title", "station_sections"]

STATION_MODULES = {
    "argmax": "argmax",
    "inner-product": "inner_product",
    "surfaces": "surfaces",
    "bounds": "bounds",
    "temperature": "temperature",
    "ratios": "ratios",
    "gumbel-softmax": "relaxation",
    "convergence": "convergence",
    "rules": "rules",
    "two-samplings": "two_samplings",
    "energy": "energy",
}
"""Name of a station to the module here that shows it."""


def station_sections(result: StudyResult) -> tuple[Section, ...]:
    """Return one section a station, numbered in the order of the tour."""
    tour: Tour = result.outcome
    return tuple(_section(result, place, station) for place, station in enumerate(tour.stations, start=1))


def short_title(station: Station) -> str:
    """Return the name of a station for headings and the table of contents."""
    if station.name not in STATION_MODULES:  # a station that has no picture yet is told by its claims
        return capitalise(clean(station.name).replace("-", " "))
    title: str = _module(station).TITLE
    return title


def claims_of(result: StudyResult, station: Station) -> tuple[Check, ...]:
    """Return the checks of a study that are claims of a station, in its order."""
    by_name = {check.name: check for check in result.checks}
    names = [f"{station.name.replace('-', '_')}_{claim.name}" for claim in station.checks]
    return tuple(by_name[name] for name in names if name in by_name)


def claims_table(claims: Sequence[Check]) -> Table:
    """List claims as checks are listed, with minus signs in their formulas."""
    return checks_table(
        [replace(claim, title=claimed(claim.title), measure=claimed(claim.measure)) for claim in claims]
    )


def _section(result: StudyResult, place: int, station: Station) -> Section:
    told = _module(station).blocks(station) if station.name in STATION_MODULES else ()
    return Section(
        key=station.name,
        title=f"{place}. {short_title(station)}",
        blocks=(Heading(clean(station.title)), *told, *_claims(result, station)),
    )


def _claims(result: StudyResult, station: Station) -> tuple[Block, ...]:
    claims = claims_of(result, station)
    if not claims:
        return ()
    held = sum(claim.passed for claim in claims)
    summary = f"{count(held)} of {count(len(claims))} claims hold: what was found and what is allowed"
    if held == len(claims):
        summary = f"✓ All {summary.partition(' of ')[2]}" if held > 1 else "✓ The claim holds: what was found"
    table = replace(claims_table(claims), name=f"claims-{station.name}", caption="What this station claims")
    return (Details(summary=summary, blocks=(table,), is_open=held < len(claims)),)


def _module(station: Station) -> ModuleType:
    return import_module(f"choicekit.report.kinds.tour.stations.{STATION_MODULES[station.name]}")
