"""`detection:` in a choice scenario: which situations are the reference, which are judged, by which attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.population import Population
from choicekit.choice.simulation import ChoiceStudy, build_study
from choicekit.choice.tables import Table, label_of, labels_of
from choicekit.counting import counted
from choicekit.detection.distance import AttributeReference
from choicekit.detection.thresholds import rows_needed
from choicekit.errors import ChoicekitError
from choicekit.scenario.choice.agents import population_of
from choicekit.scenario.choice.situations import (
    AttributeColumn,
    SituationPlan,
    attribute_columns,
    attribute_table,
    with_a_choice,
)
from choicekit.scenario.document import EntryPath
from choicekit.scenario.tables import named_table
from choicekit.scenario.validation import Findings

__all__ = ["detection_columns", "plan_detection"]

BoolArray = npt.NDArray[np.bool_]

_REFERENCE: EntryPath = ("detection", "reference")
_BELONGS = {"separator": "table", "values": "column"}


def detection_columns(blocks: Mapping[str, Any]) -> set[str]:
    """Return the columns of the agents' table that the block names."""
    block = blocks.get("detection")
    if block is None:
        return set()
    return {name for name in (block.reference.column, *(block.attributes or ())) if name is not None}


def plan_detection(
    blocks: Mapping[str, Any],
    study: ChoiceStudy,
    columns: Sequence[str],
    findings: Findings,
    directory: Path | None,
) -> tuple[SituationPlan | None, Table | None]:
    """Check the block and find its rows; None, and the faults noted, where it cannot be.

    Parameters
    ----------
    blocks : mapping
    study : ChoiceStudy
        The baseline.
    columns : sequence of str
        Of the agents' table, and attributes made of them.
    findings : Findings
    directory : Path, optional
        Where relative paths start.
    """
    block, before = blocks["detection"], len(findings.problems)
    reference = block.reference
    if not _check_form(reference, findings):
        return None, None
    table, known = None, study
    judged = np.ones(study.population.n_rows, dtype=bool)
    marked = judged
    if reference.table is not None:
        table = _table(blocks, findings, directory)
        population = None if table is None else _population(blocks, table, study, findings)
        if population is None:
            return None, table
        _check_copies(population, study.population, blocks["agents"], findings)
        known = build_study(
            study.model, population, seed=blocks["seed"], replications=1, sampling=study.sampler.sampling, segments=[]
        )
        marked = np.ones(population.n_rows, dtype=bool)
    else:
        marked = _marked(reference, study.population, columns, findings)
        judged = ~marked
    if len(findings.problems) > before:
        return None, table
    rows = marked & with_a_choice(known)
    _check_size(block, rows, findings)
    used, left_out = _attributes(block, known, rows, columns, findings)
    if len(findings.problems) > before:
        return None, table
    _check_distance(block, known.population, rows, used, findings)
    plan = SituationPlan(
        study=study,
        known=known,
        reference_rows=rows,
        judged=judged,
        attributes=tuple(used),
        left_out=tuple(left_out),
        retention=block.retention,
        sides=block.sides,
    )
    return (plan if len(findings.problems) == before else None), table


def _check_form(reference: Any, findings: Findings) -> bool:
    """Note a reference that is neither a table nor some rows, or both."""
    if (reference.table is None) == (reference.column is None):
        found = "neither" if reference.table is None else "both"
        hint = "name a `table` like the agents', or a `column` of it with `values`"
        findings.add(_REFERENCE, f"a reference is a table or some rows, found {found}", hint)
        return False
    if reference.column is not None and reference.values is None:
        hint = "those that reference rows have"
        findings.add(_REFERENCE, "a reference by column needs `values`", hint, of_key=True)
        return False
    for key, owner in _BELONGS.items():
        if getattr(reference, key) is not None and getattr(reference, owner) is None:
            said = f"`{key}` belongs to a reference by {owner}"
            findings.add((*_REFERENCE, key), said, "leave it out", of_key=True)
            return False
    return True


# --- another table --------------------------------------------------------------------------------------------------


def _table(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Table | None:
    agents, reference = blocks["agents"], blocks["detection"].reference
    if agents.table == reference.table:
        said = "the reference is the table of the agents itself: no row would be judged by others"
        findings.add((*_REFERENCE, "table"), said, "name another table, or a `column` with `values`")
        return None
    texts = [agents.agent, agents.situation, agents.alternative]
    return named_table(_REFERENCE, reference, findings, directory, text=texts)


def _population(blocks: Mapping[str, Any], table: Table, study: ChoiceStudy, findings: Findings) -> Population | None:
    """Read the reference like the agents; columns that it lacks are noted."""
    agents, columns = blocks["agents"], [str(column) for column in table.frame.columns]
    spread = set(agents.attributes)
    wanted = [name for name in study.population.columns if name not in spread]
    wanted += [column for by_alternative in agents.attributes.values() for column in by_alternative.values()]
    roles = (agents.agent, agents.situation, agents.alternative, agents.availability)
    wanted += [name for name in roles if name is not None]
    missing = [name for name in dict.fromkeys(wanted) if name not in columns]
    if missing:
        said = f"the reference has no column {missing[0]!r}, which the agents have"
        more = f", nor {len(missing) - 1} more" if len(missing) > 1 else ""
        findings.add((*_REFERENCE, "table"), said + more, "give it the columns of the agents' table")
        return None
    given = blocks.get("alternatives")
    names = dict(given) if isinstance(given, dict) else {name: name for name in study.population.alternatives}
    without = agents.model_copy(update={"chosen": None, "weight": None})
    population = population_of(without, table, names or None, set(study.population.columns), findings)
    if population is not None:
        findings.problems.extend(study.model.check(population))
    return None if findings.problems else population


def _check_copies(known: Population, judged: Population, agents: Any, findings: Findings) -> None:
    """Note situations of the reference that are judged as well: no row can be judged by itself."""
    keys = [
        pd.MultiIndex.from_arrays([one.agents, np.zeros(one.n_rows) if one.situations is None else one.situations])
        for one in (known, judged)
    ]
    places = keys[0].get_indexer(keys[1])
    rows = np.flatnonzero(places >= 0)
    alike = np.ones(rows.size, dtype=bool)
    for name, values in judged.columns.items():
        mine, other = values[rows], known.columns[name][places[rows]]
        same = (mine == other) | ((mine != mine) & (other != other))
        alike &= same if same.ndim == 1 else same.all(axis=1)
    if not alike.any():
        return
    said = f"a situation of the reference cannot be judged by it, found {counted(int(alike.sum()), 'row')} in both"
    said += "" if agents.agent is None else f", such as that of agent {label_of(judged.agents[rows[alike][0]])!r}"
    path: EntryPath = (*_REFERENCE, "table")
    if alike.all():
        findings.add(path, said, "keep one copy of each")
    elif agents.agent is not None:  # else the same number in both tables means nothing
        findings.warn(path, f"{said}: where these are the same, keep one copy of each")


# --- some rows ------------------------------------------------------------------------------------------------------


def _marked(reference: Any, population: Population, columns: Sequence[str], findings: Findings) -> BoolArray:
    nobody = np.zeros(population.n_rows, dtype=bool)
    if reference.column not in population.columns:
        findings.unknown((*_REFERENCE, "column"), "column", reference.column, columns)
        return nobody
    values = population.columns[reference.column]
    if values.ndim == 2:
        said = f"column {reference.column!r} differs by alternative, and a situation is all in the reference or not"
        findings.add((*_REFERENCE, "column"), said, "name a column of the agents")
        return nobody
    labels = labels_of(pd.Series(values))
    known = sorted(set(labels))
    wanted = [label_of(value) for value in reference.values]
    for place, value in enumerate(wanted):
        if value not in known:
            findings.unknown((*_REFERENCE, "values", place), "value", value, known)
    marked = np.isin(labels, wanted)
    if marked.all():
        findings.add(_REFERENCE, "every row is in the reference", "leave rows to be judged")
    return marked


# --- enough, and attributes that can be told apart -------------------------------------------------------------------


def _check_size(block: Any, rows: BoolArray, findings: Findings) -> None:
    needed, found = rows_needed(block.retention, sides=block.sides), int(rows.sum())
    if found < needed:
        said = f"a retention of {block.retention:g} needs at least {needed:,} reference rows"
        said += "" if block.sides == "upper" else " on both sides"
        findings.add(_REFERENCE, f"{said}, found {found:,}", "give more rows, or a lower retention", of_key=True)


def _attributes(
    block: Any, known: ChoiceStudy, rows: BoolArray, given: Sequence[str], findings: Findings
) -> tuple[list[AttributeColumn], list[AttributeColumn]]:
    """Return what the distance is made of, and what it leaves out; attributes that cannot be had are noted."""
    columns = known.population.columns
    names = block.attributes
    if names is None:
        used = {name for formula in known.model.formulas(known.population).values() for name in formula.names}
        names = [name for name in columns if name in used and columns[name].dtype.kind in "biuf"]
    kept: list[AttributeColumn] = []
    left_out: list[AttributeColumn] = []
    for place, name in enumerate(names):
        path: EntryPath = ("detection", "attributes", place)
        if name not in columns:
            findings.unknown(path, "column", name, given)
        elif name in names[:place]:
            findings.add(path, f"attribute {name!r} is named twice", "name it once")
        elif columns[name].dtype.kind not in "biuf":
            findings.add(path, f"column {name!r} is not a number", "leave it out")
        else:
            own, others = attribute_columns(known.population, name, rows)
            if not own and block.attributes is not None and rows.any():
                said = f"attribute {name!r} is the same for the whole reference, or not known for all of it"
                findings.add(path, said, "leave it out")
            kept += own
            left_out += others
    return kept, left_out


def _check_distance(
    block: Any, population: Population, rows: BoolArray, columns: Sequence[AttributeColumn], findings: Findings
) -> None:
    """Note attributes that determine each other, or are too many for the reference."""
    if not columns:
        return
    try:
        AttributeReference.fit(attribute_table(population, columns)[rows], [str(column) for column in columns])
    except ChoicekitError as error:
        if block.attributes is None:
            findings.add(("detection",), str(error), "name the others as `attributes`, or none by []", of_key=True)
        else:
            findings.add(("detection", "attributes"), str(error), of_key=True)
