"""Checking a tour beyond its form - rows, names, rules - and building its plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from choicekit.errors import ChoicekitError
from choicekit.rules import RegularisedRule
from choicekit.scenario.blocks import made
from choicekit.scenario.document import EntryPath, format_path
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.nests import check_nests
from choicekit.scenario.validation import Findings
from choicekit.tour.plan import STATIONS, TourPlan

__all__ = ["prepare_tour"]

_SETTINGS = (
    "stations", "temperatures", "relaxation_temperatures", "samples", "draws", "replications", "agents", "lift",
    "shift",
)  # fmt: skip


def prepare_tour(blocks: Mapping[str, Any], findings: Findings) -> Prepared | None:
    """Check everything about a tour that its model cannot, and build the plan.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read.
    findings : Findings
        Where problems and warnings are noted.

    Returns
    -------
    Prepared or None
        None where there are problems.
    """
    settings = {name: blocks[name] for name in _SETTINGS if name in blocks}
    for name, value in settings.items():
        _allowed((name,), findings, **{name: value})
    utilities = _utilities(blocks, findings)
    if blocks.get("improved") is not None and _readable("two-samplings", utilities, findings):
        _allowed(("improved",), findings, utilities=utilities, improved=blocks["improved"])
        settings["improved"] = blocks["improved"]
    rules = _rules(blocks, utilities, findings)
    if findings.problems:
        return None
    plan = TourPlan(seed=blocks["seed"], utilities=utilities, rules=rules, **settings)
    return Prepared(study=plan, inputs=(), warnings=tuple(findings.warnings))


def _allowed(path: EntryPath, findings: Findings, **settings: Any) -> bool:
    """Say whether a plan takes some settings; what it says against them is noted at `path`."""
    try:
        TourPlan(seed=0, **settings)
    except ChoicekitError as error:
        findings.add(path, str(error))
        return False
    return True


def _utilities(blocks: Mapping[str, Any], findings: Findings) -> dict[str, Any]:
    """Return the rows that are right, by station."""
    given, known = blocks.get("utilities", {}), {}
    for name, row in given.items():
        path: EntryPath = ("utilities", name)
        if name not in STATIONS:
            findings.unknown(path, "station", name, STATIONS, of_key=True)
        elif not _broken(name, findings) and _allowed(path, findings, utilities={name: row}, stations=[name]):
            known[name] = row
    idle = [name for name in known if name not in blocks.get("stations", known)]
    if idle:
        findings.warn(("utilities",), f"the tour does not stop at {', '.join(idle)}: their utilities are not used")
    return known


def _readable(station: str, utilities: Mapping[str, Any], findings: Findings) -> bool:
    """Whether the row of a station is known: the one given where there is one, else the default."""
    written = findings.document.values.get("utilities")
    return station in utilities or not (
        _broken(station, findings) or (isinstance(written, Mapping) and station in written)
    )


def _broken(station: str, findings: Findings) -> bool:
    """Whether something of the row of a station could not be read."""
    row = ("utilities", station)
    return any(path == row[: len(path)] or path[:2] == row for path in findings.removed)


def _rules(blocks: Mapping[str, Any], utilities: Mapping[str, Any], findings: Findings) -> list[RegularisedRule]:
    rules: list[RegularisedRule] = []
    wrong = {problem.path for problem in findings.problems}
    readable = _readable("rules", utilities, findings)
    names = TourPlan(seed=0, utilities=utilities).alternatives("rules") if readable else None
    for place, block in enumerate(blocks.get("rules", ())):
        path: EntryPath = ("rules", place)
        if format_path((*path, "type")) in wrong:
            continue  # it stands in for one that is not known
        if not check_nests(block, path, names, findings, complete=False):
            continue
        try:
            rule = made(block)
        except ChoicekitError as error:
            findings.add(path, str(error))
            continue
        if readable and _allowed(path, findings, utilities=utilities, rules=[*rules, rule]):
            rules.append(rule)
    return rules
