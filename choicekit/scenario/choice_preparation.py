"""Checking a choice scenario beyond its form - names, columns, formulas, data - and building its study."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from choicekit.choice.expressions import FUNCTIONS, Expression, parse_expression
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.choice.sampling import resolve_sampling
from choicekit.choice.segments import Segmentation, segment_by_edges, segment_by_value
from choicekit.choice.simulation import build_study
from choicekit.choice.tables import Table, read_table, unfit_path
from choicekit.errors import DataError, ExpressionError, InvalidInputError, Problem
from choicekit.rules import ChoiceRule, rule_from_name
from choicekit.scenario.document import EntryPath
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.result import InputFile
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show
from choicekit.suggestions import suggest

__all__ = ["prepare_choice"]


def prepare_choice(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
    """Check everything about a choice scenario that its model cannot, and build the study.

    Parameters
    ----------
    blocks : mapping
        Entries of the file that could be read.
    findings : Findings
        Where problems and warnings are noted.
    directory : Path, optional
        Where a relative path of a table starts; by default the folder of the file that names it.

    Returns
    -------
    Prepared or None
        None where there are problems.
    """
    agents = blocks.get("agents")
    table = None if agents is None else _table(agents, blocks.get("segments", {}), findings, directory)
    names = _alternatives(blocks, findings)
    _check_observed(blocks, findings)
    if agents is not None:
        _check_layout(agents, findings)
        if table is not None:
            _check_columns(agents, table, names, findings)
    rule = _rule(blocks, findings)
    formulas = list(_formulas(blocks, findings))
    if table is not None and agents is not None and ("coefficients",) not in findings.removed:
        _check_names(formulas, blocks["coefficients"], agents, table, findings)
    if table is not None and "segments" in blocks:
        _check_segments(blocks["segments"], table, findings)
    if findings.problems or table is None or agents is None or rule is None:
        return None
    return _build(blocks, findings, agents, table, names, rule, formulas)


def _table(agents: Any, segments: Mapping[str, Any], findings: Findings, directory: Path | None) -> Table | None:
    if any(path[:2] in {("agents", "table"), ("agents", "rows")} for path in findings.removed):
        return None
    if (agents.table is None) == (agents.rows is None):
        found, hint = ("neither", "add one of them") if agents.table is None else ("both", "remove one of them")
        findings.add(("agents",), f"agents need either a table or rows, found {found}", hint, of_key=True)
        return None
    if agents.rows is not None:
        return _inline_table(agents.rows, findings)
    path = ("agents", "table")
    start = findings.document.origin(findings.written(path)).parent if directory is None else directory
    unfit = unfit_path(start / agents.table)
    if unfit is not None:  # the scenario's entry is where to look
        findings.add(path, f"{unfit[0]}: {show(agents.table)}", unfit[1])
        return None
    try:
        return read_table(
            start / agents.table, separator=agents.separator, name=agents.table, text=_texts(agents, segments)
        )
    except DataError as error:
        findings.problems.extend(error.problems)
    except InvalidInputError as error:
        findings.add(("agents", "separator"), str(error))
    return None


def _texts(agents: Any, segments: Mapping[str, Any]) -> set[str]:
    """Columns of identifiers and labels, whose cells are taken as they are written: ``007`` is not 7."""
    roles = [agents.agent, agents.situation, agents.alternative]
    if agents.layout == "wide":  # a long table marks what is chosen by 1 and 0
        roles.append(agents.chosen)
    roles += [segment.column for segment in segments.values() if segment.edges is None]
    return {column for column in roles if column is not None}


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


def _alternatives(blocks: Mapping[str, Any], findings: Findings) -> dict[str, str] | None:
    """Names of the alternatives by their labels in the table; checked against the utilities."""
    given, utility = blocks.get("alternatives"), blocks.get("utility")
    written = [*utility, *findings.taken_out("utility")] if isinstance(utility, dict) else []
    if given is None:
        _check_conditions(blocks, written, findings)
        agents = blocks.get("agents")
        named = ("alternatives",) in findings.removed or agents is None or agents.layout == "long"
        if isinstance(utility, str) and not named:
            message = "one formula for all alternatives needs their names"
            findings.add(("utility",), message, "add `alternatives`", of_key=True)
        return {name: name for name in utility} if isinstance(utility, dict) else None
    names = dict(given) if isinstance(given, dict) else {name: name for name in given}
    values = list(given.values()) if isinstance(given, dict) else list(given)
    for place, (key, name) in enumerate(given.items() if isinstance(given, dict) else enumerate(given)):
        if name in values[:place]:
            findings.add(("alternatives", key), f"alternative {name!r} occurs twice", "rename one")
    if isinstance(utility, dict):
        for name in utility:
            if name not in values:
                findings.unknown(("utility", name), "alternative", name, values, of_key=True)
        for name in values:
            if name not in written and not _near(name, [u for u in written if u not in values]):
                findings.add(("utility",), f"alternative {name!r} has no utility", "add a formula for it", of_key=True)
    _check_conditions(blocks, values, findings)
    return names


def _check_conditions(blocks: Mapping[str, Any], names: list[str], findings: Findings) -> None:
    for name in blocks.get("availability", {}):
        if names and name not in names:
            findings.unknown(("availability", name), "alternative", name, names, of_key=True)


def _check_observed(blocks: Mapping[str, Any], findings: Findings) -> None:
    checks, agents = blocks.get("checks"), blocks.get("agents")
    if checks is None or agents is None or checks.observed_shares is None or agents.chosen is not None:
        return
    if ("agents", "chosen") not in findings.removed:
        message = "the agents have no observed choices to compare with"
        findings.add(("checks", "observed_shares"), message, "name the column `chosen` in agents", of_key=True)


def _near(name: str, others: list[str]) -> bool:
    """Whether one of `others` looks like a misspelling of `name`, which is then what is reported."""
    return bool(suggest(name, others))


def _check_layout(agents: Any, findings: Findings) -> None:
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


def _check_columns(agents: Any, table: Table, names: dict[str, str] | None, findings: Findings) -> None:
    columns = [str(column) for column in table.frame.columns]
    for key in ("agent", "situation", "alternative", "chosen", "weight", "availability"):
        column = getattr(agents, key)
        if column is not None and column not in columns:
            findings.unknown(("agents", key), "column", column, columns)
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
            if name not in by_alternative and (*path, name) not in findings.removed and not _near(name, others):
                message = f"attribute {attribute!r} has no column for alternative {name!r}"
                findings.add(path, message, "name one", of_key=True)


def _rule(blocks: Mapping[str, Any], findings: Findings) -> ChoiceRule | None:
    block = blocks.get("rule")
    if block is None:
        return None
    settings = block.model_dump()
    try:
        rule = rule_from_name(settings.pop("type"), **settings)
    except InvalidInputError as error:
        findings.add(("rule",), str(error))
        return None
    simulation = blocks.get("simulation")
    if simulation is not None:
        try:
            resolve_sampling(rule, simulation.sampling)
        except InvalidInputError as error:
            findings.add(("simulation", "sampling"), str(error))
    return rule


def _formulas(blocks: Mapping[str, Any], findings: Findings) -> Iterator[tuple[EntryPath, Expression]]:
    """Yield every formula that can be read, noting those that cannot."""
    utility = blocks.get("utility")
    entries: list[tuple[EntryPath, str]] = [(("utility",), utility)] if isinstance(utility, str) else []
    for block in ("utility", "availability"):
        if isinstance(blocks.get(block), dict):
            entries += [((block, name), text) for name, text in blocks[block].items()]
    for path, text in entries:
        try:
            yield path, parse_expression(text)
        except ExpressionError as error:
            findings.add_formula(path, error)


def _check_names(
    formulas: list[tuple[EntryPath, Expression]],
    coefficients: Mapping[str, float],
    agents: Any,
    table: Table,
    findings: Findings,
) -> None:
    columns = {str(column) for column in table.frame.columns} | set(agents.attributes)
    path: EntryPath
    for name in coefficients:
        path = ("coefficients", name)
        if name in columns:
            findings.add(path, f"{name!r} is both a column and a coefficient", "rename one", of_key=True)
        elif name in FUNCTIONS:
            findings.add(path, f"{name!r} is the name of a function", "rename it", of_key=True)
        elif not any(name in formula.names for _, formula in formulas):
            findings.warn(path, f"coefficient {name!r} is used by no formula")
    known = {*columns, *coefficients, *findings.taken_out("coefficients")}
    for path, formula in formulas:
        for error in formula.check(known):
            findings.add_formula(path, error)


def _check_segments(segments: Mapping[str, Any], table: Table, findings: Findings) -> None:
    columns = [str(column) for column in table.frame.columns]
    for name, segment in segments.items():
        path: EntryPath = ("segments", name)
        if segment.column not in columns:
            findings.unknown((*path, "column"), "column", segment.column, columns)
        if segment.edges is not None and not np.all(np.diff(segment.edges) > 0):
            shown = ", ".join(f"{edge:g}" for edge in segment.edges)
            findings.add((*path, "edges"), f"edges must increase, found {shown}", "sort them")
        if segment.labels is not None and (*path, "edges") not in findings.removed:
            wanted = len(segment.edges) + 1 if segment.edges is not None else 0
            if not wanted:
                findings.add((*path, "labels"), "labels name the groups between edges", "add edges or drop labels")
            elif len(segment.labels) != wanted:
                edges = "1 edge makes" if wanted == 2 else f"{wanted - 1} edges make"
                message = f"{edges} {wanted} groups, found {len(segment.labels)} labels"
                findings.add((*path, "labels"), message, "give one label a group")
            elif len(set(segment.labels)) != len(segment.labels):
                findings.add((*path, "labels"), "labels must be distinct", "rename one")


def _build(
    blocks: Mapping[str, Any],
    findings: Findings,
    agents: Any,
    table: Table,
    names: dict[str, str] | None,
    rule: ChoiceRule,
    formulas: list[tuple[EntryPath, Expression]],
) -> Prepared | None:
    used = {name for _, formula in formulas for name in formula.names} - set(blocks["coefficients"])
    used |= {segment.column for segment in blocks["segments"].values()}
    population = _population(agents, table, names, used, findings)
    if population is None:
        return None
    model = ChoiceModel(
        utilities=blocks["utility"],
        coefficients=blocks["coefficients"],
        rule=rule,
        availability=blocks["availability"],
        on_no_alternative=blocks["on_no_alternative"],
    )
    segments = list(_segmentations(blocks["segments"], population, findings))
    findings.problems.extend(_placed(problem, findings) for problem in model.check(population))
    if findings.problems:
        return None
    simulation = blocks["simulation"]
    study = build_study(
        model,
        population,
        seed=blocks["seed"],
        replications=simulation.replications,
        sampling=simulation.sampling,
        segments=segments,
    )
    return Prepared(study=study, inputs=_inputs(agents, table), warnings=tuple(findings.warnings))


def _population(
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


def _segmentations(segments: Mapping[str, Any], population: Population, findings: Findings) -> Iterator[Segmentation]:
    for name, segment in segments.items():
        values = population.columns[segment.column]
        path: EntryPath = ("segments", name, "column")
        if values.ndim == 2:
            message = f"column {segment.column!r} differs between alternatives"
            findings.add(path, message, "a segment needs an attribute of agents")
            continue
        if segment.edges is not None and values.dtype.kind == "O":
            findings.add(path, f"column {segment.column!r} holds text", "drop edges: each value is then a group")
            continue
        missing = np.flatnonzero(np.isnan(values) if values.dtype.kind == "f" else values == "")
        if missing.size:
            row = int(missing[0])
            hint = f"fill it in ({missing.size} missing in all)"
            findings.problems.append(
                population.cell_problem(
                    "a segment is missing", row=row, position=None, column=segment.column, hint=hint
                )
            )
            continue
        try:
            if segment.edges is None:
                yield segment_by_value(name, values)
            else:
                yield segment_by_edges(name, values, segment.edges, segment.labels)
        except InvalidInputError as error:
            findings.add(path, str(error))


def _placed(problem: Problem, findings: Findings) -> Problem:
    """Give a problem of an entry its place in the scenario; one of a table has its place already."""
    if problem.file:
        return problem
    block, _, name = problem.path.partition(".")
    place = findings.document.position(findings.written((block, name) if name else (block,)))
    return replace(problem, file=place.file, line=place.line, column=place.column)


def _inputs(agents: Any, table: Table) -> tuple[InputFile, ...]:
    if table.path is None:
        return ()
    digest = hashlib.sha256(table.path.read_bytes()).hexdigest()
    return (
        InputFile(
            name=agents.table,
            entry=("agents", "table"),
            path=str(table.path),
            sha256=digest,
            rows=len(table.frame),
        ),
    )
