"""What a tour claims and whether it holds: by station, each claim, and the numbers that stand in print."""

from __future__ import annotations

from choicekit.report.content import Block, Cell, Column, Details, Heading, Items, Prose, Section, Table
from choicekit.report.kinds.tour.sections import claims_of, claims_table, short_title
from choicekit.report.kinds.tour.shown import claimed, number
from choicekit.report.numbers import significant
from choicekit.report.text import clean
from choicekit.scenario.result import StudyResult
from choicekit.tour import Published, Station, Tour

__all__ = ["claims_section"]


def claims_section(result: StudyResult) -> Section:
    """Return the section on what holds: counts by station, claims that fail, and the numbers in print."""
    tour: Tour = result.outcome
    failed = [check for check in result.checks if not check.passed]
    blocks: list[Block] = [
        Prose(
            "Each station makes claims that this run could have refuted: laws that hold for any utilities, to rounding "
            "or with a stated probability of chance, and numbers that stand in print. Every claim, with what was found "
            "and what is allowed, stands at the end of its station and in tables/checks.csv."
        ),
        _stations(result),
    ]
    if failed:
        blocks += [Heading("What fails"), claims_table(failed)]
    if any(station.published for station in tour.stations):
        blocks.append(Details(summary="Numbers in print beside ours", blocks=(_printed(tour),)))
    if result.warnings:
        blocks += [Heading("Warnings"), Items(tuple(clean(warning) for warning in result.warnings))]
    return Section(key="holds", title="What holds", blocks=tuple(blocks))


def _stations(result: StudyResult) -> Table:
    tour: Tour = result.outcome
    return Table(
        name="stations",
        caption="The stations, what each shows, and how many of its claims hold",
        columns=(
            Column(title="station", numeric=False),
            Column(title="what it shows", numeric=False),
            Column(title="claims that hold"),
        ),
        rows=tuple(_station(result, place, station) for place, station in enumerate(tour.stations, start=1)),
    )


def _station(result: StudyResult, place: int, station: Station) -> tuple[Cell, ...]:
    claims = claims_of(result, station)
    held = sum(claim.passed for claim in claims)
    all_hold = held == len(claims)
    return (
        Cell(text=f"{place}. {short_title(station)}"),
        Cell(text=clean(station.title)),
        Cell(text=f"{'✓' if all_hold else '✗'} {held} of {len(claims)}", style="good" if all_hold else "bad"),
    )


def _printed(tour: Tour) -> Table:
    return Table(
        name="printed",
        caption="Numbers that stand in print, and the same computed here",
        columns=(
            Column(title="station", numeric=False),
            Column(title="quantity", numeric=False),
            Column(title="printed"),
            Column(title="computed"),
            Column(title="may differ by"),
        ),
        rows=tuple(
            row for station in tour.stations for entry in station.published for row in _printed_rows(station, entry)
        ),
    )


def _printed_rows(station: Station, entry: Published) -> list[tuple[Cell, ...]]:
    style = "" if entry.claim().holds else "bad"
    return [
        (
            Cell(text=short_title(station)),
            Cell(text=claimed(entry.quantity)),
            Cell(text=clean(printed)),
            Cell(text=_digits(float(computed), printed), style=style),
            Cell(text=significant(entry.tolerance, 1), aside="cut in print" if entry.cut else ""),
        )
        for printed, computed in zip(entry.printed, entry.computed, strict=True)
    ]


def _digits(computed: float, printed: str) -> str:
    """Write a number with two digits more than it is printed with, so that its rounding can be seen."""
    return number(computed, min(len(printed.replace(".", "").replace("-", "").lstrip("0")) + 2, 16))
