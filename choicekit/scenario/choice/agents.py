"""Who chooses: the table of a choice scenario, its columns, and the population made of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from choicekit.choice.population import Population
from choicekit.choice.tables import Table
from choicekit.errors import DataError, InvalidInputError
from choicekit.scenario.document import EntryPath
from choicekit.scenario.tables import has_columns, named_table
from choicekit.scenario.validation import Findings
from choicekit.suggestions import suggest

__all__ = ["check_columns", "check_layout", "is_near", "population_of", "table_of_agents"]


def table_of_agents(
    agents: Any, segments: Mapping[str, Any], findings: Findings, directory: Path | None
) -> Table | None:
    """Read the table that holds the agents, or make it of rows in the scenario; None where problems were noted."""
    if any(path[:2] in {("agents", "table"), ("agents", "rows")} for path in findings.removed):
        return None
    if (agents.table is None) == (agents.rows is None):
        found, hint = ("neither", "add one of them") if agents.table is None else ("both", "remove one of them")
        findings.add(("agents",), f"agents need either a table or rows, found {found}", hint, of_key=True)
        return None
    if agents.rows is not None:
        return _inline_table(agents.rows, findings)
    return named_table(("agents",), agents, findings, directory, text=_texts(agents, segments))


def _texts(agents: Any, segments: Mapping[str, Any]) -> list[str | None]:
    """Columns of identifiers and labels, those among them that the scenario names."""
    roles = [agents.agent, agents.situation, agents.alternative]
    if agents.layout == "wide":  # a long table marks what is chosen by 1 and 0
        roles.append(agents.chosen)
    roles += [segment.column for segment in segments.values() if segment.edges is None]
    return roles


def _inline_table(rows: list[dict[str, Any]], findings: Findings) -> Table | None:
    """Make a table of rows written into the scenario: every row must have the keys of the first."""
    columns = list(rows[0])
    before = len(findings.problems)
    for place, row in enumerate(rows):
        missing = [column for column in columns if column not in row]
        if missing:
            message = f"this row has no {missing[0]!r}, which the first row has"
            findings.add(("agents", "rows", place), message, "give every row the same keys")
        for column in row:
            if column not in columns:
                path = ("agents", "rows", place, column)
                message = f"this row has {column!r}, which the first row has not"
                findings.add(path, message, "give every row the same keys", of_key=True)
    if len(findings.problems) > before:
        return None
    where = findings.written(("agents", "rows"))
    positions = [findings.document.position((*where, place)) for place in range(len(rows))]
    known = all(position.line is not None for position in positions)
    return Table(
        frame=pd.DataFrame(rows, columns=columns),
        name=positions[0].file,
        lines=tuple(position.line or 0 for position in positions) if known else (),
    )


def check_layout(agents: Any, findings: Findings) -> None:
    """Note entries that the layout needs, or that belong to the other one."""
    if ("agents", "layout") in findings.removed:
        return
    if agents.layout == "long":
        for key in ("agent", "alternative"):
            if getattr(agents, key) is None and ("agents", key) not in findings.removed:
                findings.add(("agents", "layout"), f"long layout needs `{key}`", f"name the column of the {key}")
        if agents.attributes:
            message = "attributes belong to wide layout"
            findings.add(("agents", "attributes"), message, "a long table has a column for each", of_key=True)
        return
    for key in ("alternative", "availability"):
        if getattr(agents, key) is not None:
            findings.add(("agents", key), f"`{key}` belongs to long layout", "set layout to long", of_key=True)


def check_columns(agents: Any, table: Table, names: dict[str, str] | None, findings: Findings) -> None:
    """Note columns that the table has not, and attributes that do not fit the alternatives."""
    columns = [str(column) for column in table.frame.columns]
    has_columns(
        ("agents",), agents, ("agent", "situation", "alternative", "chosen", "weight", "availability"), table, findings
    )
    for attribute, by_alternative in agents.attributes.items():
        path: EntryPath = ("agents", "attributes", attribute)
        if attribute in columns:
            findings.add(path, f"attribute {attribute!r} has the name of a column", "rename it", of_key=True)
        for name, column in by_alternative.items():
            if column not in columns:
                findings.unknown((*path, name), "column", column, columns)
            if names is not None and name not in names.values():
                findings.unknown((*path, name), "alternative", name, names.values(), of_key=True)
        for name in (names or {}).values():
            others = [other for other in by_alternative if other not in (names or {}).values()]
            if name not in by_alternative and (*path, name) not in findings.removed and not is_near(name, others):
                message = f"attribute {attribute!r} has no column for alternative {name!r}"
                findings.add(path, message, "name one", of_key=True)


def population_of(
    agents: Any, table: Table, names: dict[str, str] | None, used: set[str], findings: Findings
) -> Population | None:
    """Build the population with the columns that are used; None where problems were noted."""
    try:
        return Population.from_frame(
            table,
            layout=agents.layout,
            agent=agents.agent,
            situation=agents.situation,
            alternative=agents.alternative,
            alternatives=names,
            weight=agents.weight,
            chosen=agents.chosen,
            availability=agents.availability,
            attributes=agents.attributes,
            columns=[str(column) for column in table.frame.columns if str(column) in used],
            missing_rows=agents.missing_rows,
        )
    except DataError as error:
        findings.problems.extend(error.problems)
    except InvalidInputError as error:
        findings.add(("agents",), str(error))
    return None


def is_near(name: str, others: list[str]) -> bool:
    """Whether one of `others` looks like a misspelling of `name`, which is then what is reported."""
    return bool(suggest(name, others))
