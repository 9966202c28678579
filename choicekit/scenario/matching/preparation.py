"""From the blocks of a matching scenario to its study: every problem at once, each at its line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import Expression
from choicekit.choice.tables import Table
from choicekit.errors import InvalidInputError
from choicekit.matching.comparison import BASELINE, MECHANISMS, TWO_SIDED
from choicekit.matching.market import MatchingMarket
from choicekit.matching.study import MatchingStudy
from choicekit.scenario.assignment.blocks import FactorBlock
from choicekit.scenario.assignment.formulas import PairInputs, check_coefficients, pair_values, read_formula
from choicekit.scenario.assignment.pairs import read_pairs
from choicekit.scenario.assignment.sides import Side
from choicekit.scenario.document import EntryPath
from choicekit.scenario.kinds import Prepared
from choicekit.scenario.matching.sides import read_places
from choicekit.scenario.nests import is_cut
from choicekit.scenario.tables import input_files
from choicekit.scenario.validation import Findings

__all__ = ["prepare_matching"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sides:
    """What is known of both sides, and the formulas of their utilities where they are such."""

    inputs: PairInputs
    counts: IntArray
    seats: IntArray
    formulas: Mapping[str, Expression]
    tables: Mapping[str, FloatArray | None]


def prepare_matching(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Prepared | None:
    """Check both sides, utilities, mechanisms and policies, and build the study.

    Parameters
    ----------
    blocks, findings, directory
        As `Kind.prepare`.
    """
    of_rows, of_columns = (
        read_places(key, blocks[key], findings, directory) if key in blocks else None for key in ("rows", "columns")
    )
    if of_rows is None or of_columns is None:
        return None
    (rows, counts), (columns, seats) = of_rows, of_columns
    inputs = PairInputs(rows=rows, columns=columns, coefficients=blocks.get("coefficients", {}))
    tables: dict[EntryPath, Table | None] = {("rows", "table"): rows.table, ("columns", "table"): columns.table}
    formulas: dict[str, Expression] = {}
    found: dict[str, FloatArray | None] = {}
    for key in ("row_utility", "column_utility"):
        if blocks.get(key) is not None:
            found[key] = _utility(key, blocks[key], inputs, formulas, tables, findings, directory)
    check_coefficients(inputs, formulas.values(), findings)
    sides = _Sides(inputs=inputs, counts=counts, seats=seats, formulas=formulas, tables=found)
    mechanisms = _mechanisms(blocks, findings)
    group = _groups(blocks["rows"], sides, findings)
    if found.get("row_utility") is None or any(table is None for table in found.values()):
        return None
    market = _market(("columns", "capacity"), blocks, sides, findings)
    policies = {
        name: _policy(name, block, blocks, sides, findings) for name, block in blocks.get("policies", {}).items()
    }
    if findings.problems or market is None or mechanisms is None:
        return None
    taste = blocks["taste"]
    study = MatchingStudy(
        market=market,
        policies={name: policy for name, policy in policies.items() if policy is not None},
        mechanisms=mechanisms,
        draws=blocks["draws"],
        row_taste=1.0 if taste.rows is None else taste.rows,
        column_taste=0.0 if taste.columns is None else taste.columns,
        temperature=blocks["temperature"] or taste.rows or 1.0,
        ties=blocks["ties"],
        groups=group,
        seed=blocks["seed"],
    )
    return Prepared(study=study, inputs=tuple(input_files(tables)), warnings=tuple(findings.warnings))


def _utility(
    key: str,
    block: Any,
    inputs: PairInputs,
    formulas: dict[str, Expression],
    tables: dict[EntryPath, Table | None],
    findings: Findings,
    directory: Path | None,
) -> FloatArray | None:
    """Return a utility by pair of sorts; None where there is none, which is noted."""
    if not isinstance(block, str):
        values, table = read_pairs((key,), block, inputs.rows, inputs.columns, findings, directory)
        tables[(key, "table")] = table
        return values
    formula = read_formula((key,), block, findings)
    if formula is None:
        return None
    formulas[key] = formula
    return pair_values((key,), formula, inputs, findings, may_forbid=True)


def _mechanisms(blocks: Mapping[str, Any], findings: Findings) -> tuple[str, ...] | None:
    if "mechanisms" not in blocks or is_cut(("mechanisms",), findings) or is_cut(("column_utility",), findings):
        return None
    one_sided = blocks.get("column_utility") is None
    given = blocks["mechanisms"]
    if given is None:
        return tuple(name for name in MECHANISMS if not (one_sided and name in TWO_SIDED))
    for place, name in enumerate(given):
        if one_sided and name in TWO_SIDED:
            said = f"{name} needs `column_utility`: what rows are worth to columns"
            hint = "write it, such as priorities, or 0 to leave all to the lottery"
            findings.add(("mechanisms", place), said, hint)
        elif name in given[:place]:
            findings.add(("mechanisms", place), f"{name!r} is written twice", "keep one")
    return tuple(given)


def _groups(block: Any, sides: _Sides, findings: Findings) -> tuple[str, ...] | None:
    """Return the group of each row, or None where there are none."""
    rows = sides.inputs.rows
    if block.group is None:
        labels = list(rows.names) if block.count is not None else None
    elif block.group not in rows.attributes:
        findings.unknown(("rows", "group"), "attribute", block.group, sorted(rows.attributes))
        return None
    else:
        labels = [_label(value) for value in rows.attributes[block.group]]
    return None if labels is None else tuple(np.repeat(np.array(labels, dtype=object), sides.counts))


def _label(value: object) -> str:
    return f"{value:g}" if isinstance(value, float | np.floating) else str(value)


def _market(path: EntryPath, blocks: Mapping[str, Any], sides: _Sides, findings: Findings) -> MatchingMarket | None:
    """Return the market of every single row; None where something does not fit, which is noted."""
    rows, total, outside = sides.inputs.rows, int(sides.counts.sum()), blocks["outside"]
    if total == 0:
        findings.add(("rows",), "there is nobody to match: all counts are 0", of_key=True)
        return None
    if outside.rows is None and sides.seats.sum() < total:
        short = total - int(sides.seats.sum())
        said = f"columns take {int(sides.seats.sum()):,} rows in all, but there are {total:,}: {short:,} too few"
        hint = "add places, or say what being without is worth: `outside: {rows: 0}`"
        findings.add(path, said, hint, of_key=True)
        return None
    names = [
        name if count == 1 else f"{name} {number + 1}"
        for name, count in zip(rows.names, sides.counts, strict=True)
        for number in range(count)
    ]
    utilities = {key: np.repeat(np.asarray(table), sides.counts, axis=0) for key, table in sides.tables.items()}
    try:
        return MatchingMarket(
            row_utility=utilities["row_utility"],
            column_utility=utilities.get("column_utility"),
            capacity=sides.seats,
            row_outside=-np.inf if outside.rows is None else outside.rows,
            column_outside=-np.inf if outside.columns is None else outside.columns,
            row_names=names,
            column_names=sides.inputs.columns.names,
        )
    except InvalidInputError as error:
        findings.add(("rows",), str(error), of_key=True)
        return None


# --- policies -------------------------------------------------------------------------------------------------------


def _policy(
    name: str, block: Any, blocks: Mapping[str, Any], sides: _Sides, findings: Findings
) -> MatchingMarket | None:
    path: EntryPath = ("policies", name)
    before = len(findings.problems)
    if name == BASELINE:
        findings.add(path, f"a policy cannot be called {name!r}", "that is what it is compared with", of_key=True)
    changed = _with_new(path, block, sides, findings)
    if len(findings.problems) > before:
        return None
    changed = replace(changed, seats=_seats((*path, "capacity"), block.capacity, changed, findings))
    kept = _kept((*path, "remove_columns"), block.remove_columns, changed.inputs.columns, findings)
    if len(findings.problems) > before or is_cut(path, findings):
        return None
    if not block.capacity and not block.new_columns and not block.remove_columns:
        findings.warn(path, f"policy {name!r} changes nothing")
    return _market(path, blocks, _restricted(changed, kept), findings)


def _seats(path: EntryPath, given: Mapping[str, Any], sides: _Sides, findings: Findings) -> IntArray:
    seats, columns = sides.seats.astype(np.float64), sides.inputs.columns.names
    for name, change in given.items():
        if name not in columns:
            findings.unknown((*path, name), "column", name, columns, of_key=True)
            continue
        place = columns.index(name)
        seats[place] = seats[place] * change.factor if isinstance(change, FactorBlock) else change
        if seats[place] != np.rint(seats[place]):
            said = f"capacity must be a whole number, found {seats[place]:g} for {name!r}"
            findings.add((*path, name), said, "write the number itself")
    return seats.astype(np.int64)


def _with_new(path: EntryPath, block: Any, sides: _Sides, findings: Findings) -> _Sides:
    """Return both sides with the columns that open."""
    inputs, seats = sides.inputs, [*sides.seats]
    tables = dict(sides.tables)
    for name, new in block.new_columns.items():
        entry: EntryPath = (*path, "new_columns", name)
        columns = inputs.columns
        if name in columns.names:
            findings.add(entry, f"a new column needs a new name, {name!r} is there already", "rename it", of_key=True)
            continue
        if new.like is not None and new.like not in columns.names:
            findings.unknown((*entry, "like"), "column", new.like, columns.names)
            continue
        for attribute in new.attributes:
            if attribute not in columns.attributes:
                known = sorted(columns.attributes)
                findings.unknown((*entry, "attributes", attribute), "attribute", attribute, known, of_key=True)
        if new.capacity != np.rint(new.capacity):
            findings.add((*entry, "capacity"), f"capacity must be a whole number, found {new.capacity:g}", "round it")
        inputs = inputs.extended("columns", name, new.attributes, new.like)
        seats.append(int(new.capacity))
        for key, table in sides.tables.items():
            tables[key] = _extended(entry, key, new, inputs, sides.formulas.get(key), tables[key], columns, findings)
            if table is None or tables[key] is None:
                return sides
    return replace(sides, inputs=inputs, seats=np.array(seats, dtype=np.int64), tables=tables)


def _extended(
    path: EntryPath,
    key: str,
    new: Any,
    inputs: PairInputs,
    formula: Expression | None,
    table: FloatArray | None,
    columns: Side,
    findings: Findings,
) -> FloatArray | None:
    if formula is not None:
        return pair_values(path, formula, inputs, findings, may_forbid=True)
    if table is None:
        return None
    if new.like is None:
        said = f"`{key}` is not a formula: a new column needs a column that it is `like`"
        findings.add(path, said, "name one", of_key=True)
        return None
    return np.column_stack([table, table[:, columns.names.index(new.like)]])


def _kept(path: EntryPath, given: list[str], columns: Side, findings: Findings) -> npt.NDArray[np.bool_]:
    kept = np.ones(len(columns.names), dtype=bool)
    for place, name in enumerate(given):
        if name not in columns.names:
            findings.unknown((*path, place), "column", name, columns.names)
        else:
            kept[columns.names.index(name)] = False
    if not kept.any():
        findings.add(path, "every column is removed", "keep one", of_key=True)
    return kept


def _restricted(sides: _Sides, kept: npt.NDArray[np.bool_]) -> _Sides:
    columns = replace(
        sides.inputs.columns, names=tuple(np.array(sides.inputs.columns.names, dtype=object)[kept]), attributes={}
    )
    return replace(
        sides,
        inputs=replace(sides.inputs, columns=columns),
        seats=sides.seats[kept],
        tables={key: np.asarray(table)[:, kept] for key, table in sides.tables.items()},
    )
