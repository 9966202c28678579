"""The sides of an assignment scenario: names of places, masses, attributes, and the condition made of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment import AtMost, Fixed, Free, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.choice.tables import Table, column_values
from choicekit.scenario.assignment.tables import labels_in, note_rows, numbers_in
from choicekit.scenario.document import EntryPath
from choicekit.scenario.nests import is_cut
from choicekit.scenario.tables import has_columns, named_table
from choicekit.scenario.validation import Findings

__all__ = ["CONDITIONS", "Side", "condition_of", "read_side", "values_by_name"]

FloatArray = npt.NDArray[np.float64]

CONDITIONS: Mapping[str, type[MarginalCondition]] = {
    kind.name: kind for kind in (Fixed, AtMost, Relaxed, Free, WithOutsideOption)
}
"""What ``condition:`` may say."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """The places of one side.

    Attributes
    ----------
    key : {"rows", "columns"}
        Where in the scenario it stands.
    names : tuple of str, (n,)
    mass : ndarray (n,) or None
        None where it is free, or could not be read.
    attributes : dict of str to ndarray (n,)
        Numbers, truth values or texts.
    table : Table or None
        The one that it was read from.
    """

    key: str
    names: tuple[str, ...]
    mass: FloatArray | None = None
    attributes: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    table: Table | None = None

    @property
    def one(self) -> str:
        """What one of its places is called in messages, and its attributes in formulas."""
        return self.key[:-1]


def read_side(key: str, block: Any, findings: Findings, directory: Path | None) -> Side | None:
    """Return one side of the assignment; None where not even its places are known, which is noted.

    Parameters
    ----------
    key : {"rows", "columns"}
    block : SideBlock
    findings : Findings
    directory : Path, optional
        Where a relative path of a table starts; by default the folder of the file that names it.
    """
    _check_keys(key, block, findings)
    side = _from_table(key, block, findings, directory) if _has(key, "table", block, findings) else None
    if side is None:
        if _has(key, "table", block, findings) or is_cut((key, "names"), findings):
            return None
        side = _from_names(key, block, findings)
    if side is None:
        return None
    _check_unique(side, findings)
    return _with_attributes(side, block, findings)


def condition_of(block: Any, mass: FloatArray | None) -> MarginalCondition:
    """Return the condition that a block asks for."""
    if block.condition == "free" or mass is None:
        return Free()
    if block.condition == "relaxed":
        return Relaxed(mass, strength=block.strength)
    kind: Any = CONDITIONS[block.condition]
    found: MarginalCondition = kind(mass)
    return found


def _has(key: str, name: str, block: Any, findings: Findings) -> bool:
    return getattr(block, name) is not None or is_cut((key, name), findings)


def _check_keys(key: str, block: Any, findings: Findings) -> None:
    """Note keys that the condition needs or does not use."""
    if is_cut((key, "condition"), findings):
        return
    said = block.condition.replace("_", " ")
    if block.condition == "relaxed" and not _has(key, "strength", block, findings):
        findings.add((key,), f"relaxed {key} need `strength`", "what leaving the masses costs, such as 1", of_key=True)
    if block.condition != "relaxed" and block.strength is not None:
        findings.warn((key, "strength"), f"strength is for relaxed {key}, and these are {said}: it is not used")
    if block.condition == "free":
        if isinstance(block.mass, dict) and block.names is None and block.table is None:
            findings.warn((key, "mass"), f"free {key} have no masses: only their names are used, give them as `names`")
        elif block.mass is not None:
            findings.warn((key, "mass"), f"free {key} have no masses: it is not used")
    elif not _has(key, "mass", block, findings):
        hint = "masses by name, one number for all, or a column of the table"
        findings.add((key,), f"{said} {key} need `mass`", hint, of_key=True)
    for name in ("name", "separator"):
        if getattr(block, name) is not None and not _has(key, "table", block, findings):
            findings.add((key, name), f"`{name}` belongs to a table", "name the `table`, too", of_key=True)


# --- from a table ---------------------------------------------------------------------------------------------------


def _from_table(key: str, block: Any, findings: Findings, directory: Path | None) -> Side | None:
    path: EntryPath = (key,)
    if block.names is not None:
        findings.add((key, "names"), "the table names the places", "keep one of `table` and `names`", of_key=True)
    if not _has(key, "name", block, findings):
        findings.add(path, "a table needs `name`", "the column that names the places", of_key=True)
    if block.table is None:
        return None
    table = named_table(path, block, findings, directory, text=[block.name])
    if table is None or block.name is None or not has_columns(path, block, ("name", "mass"), table, findings):
        return None
    names = labels_in(table, block.name, findings)
    if names is None:
        return None
    columns = [str(column) for column in table.frame.columns if str(column) != block.name]
    return Side(
        key=key,
        names=tuple(names),
        mass=_mass_of(key, block, tuple(names), table, findings),
        attributes={column: column_values(table.frame[column]) for column in columns},
        table=table,
    )


# --- in the scenario ------------------------------------------------------------------------------------------------


def _from_names(key: str, block: Any, findings: Findings) -> Side | None:
    if isinstance(block.mass, str):
        message = f"mass must be numbers where there is no table, found {block.mass!r}"
        findings.add((key, "mass"), message, "name the `table` that has such a column")
    names = block.names
    if names is None:
        gone = [str(path[2]) for path in findings.removed if len(path) == 3 and path[:2] == (key, "mass")]
        names = [*block.mass, *gone] if isinstance(block.mass, dict) else gone
    if not names:
        if not is_cut((key, "mass"), findings) and not isinstance(block.mass, str) and _says_mass(block):
            ways = "`names`, or a `table`"
            hint = f"write {ways}" if block.condition == "free" else f"write masses by name, or {ways}"
            findings.add((key,), f"{key} have no names", hint, of_key=True)
        return None
    return Side(key=key, names=tuple(names), mass=_mass_of(key, block, tuple(names), None, findings))


def _says_mass(block: Any) -> bool:
    """Whether it is not the missing mass, which has been noted, that leaves a side without names."""
    return block.condition == "free" or block.mass is not None


def _mass_of(
    key: str, block: Any, names: tuple[str, ...], table: Table | None, findings: Findings
) -> FloatArray | None:
    given = block.mass
    if given is None or block.condition == "free":
        return None
    if isinstance(given, dict):
        return values_by_name((key, "mass"), given, names, key[:-1], "mass", findings)
    if isinstance(given, str):
        return None if table is None else numbers_in(table, given, findings, lowest=0.0)
    return np.full(len(names), float(given))


def values_by_name(
    path: EntryPath, given: Mapping[str, Any], names: Iterable[str], one: str, what: str, findings: Findings
) -> npt.NDArray[Any] | None:
    """Return what is given by name in the order of the names; None where one is unknown or missing."""
    names = list(names)
    unknown = [name for name in given if name not in names]
    for name in unknown:
        findings.unknown((*path, name), one, name, names, of_key=True)
    missing = [name for name in names if name not in given and (*path, name) not in findings.removed]
    for name in missing if not unknown else ():
        findings.add(path, f"{one} {name!r} has no {what}", "give it one", of_key=True)
    if unknown or missing or any(name not in given for name in names):
        return None
    values = [given[name] for name in names]
    return np.asarray(values, dtype=object if any(isinstance(value, str) for value in values) else np.float64)


def _check_unique(side: Side, findings: Findings) -> None:
    seen: set[str] = set()
    repeated = [place for place, name in enumerate(side.names) if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
    if side.table is not None:
        said = [f"{side.one} {side.names[place]!r} occurs twice" for place in repeated]
        note_rows(side.table, side.one, np.asarray(repeated, dtype=np.intp), said, "give each one row", findings)
        return
    for place in repeated:
        findings.add((side.key, "names", place), f"{side.one} {side.names[place]!r} occurs twice", "keep one of them")


def _with_attributes(side: Side, block: Any, findings: Findings) -> Side:
    found = dict(side.attributes)
    for attribute, given in block.attributes.items():
        path: EntryPath = (side.key, "attributes", attribute)
        if attribute in found or attribute == "name":
            what = "there is always" if attribute == "name" else "the table has"
            findings.add(path, f"{what} an attribute {attribute!r}", "rename it", of_key=True)
            continue
        mixed = {isinstance(value, str) for value in given.values()}
        if len(mixed) > 1:
            findings.add(path, f"attribute {attribute!r} must be all numbers or all text", "mend it", of_key=True)
            continue
        values = values_by_name(path, given, side.names, side.one, attribute, findings)
        if values is not None:
            found[attribute] = values
    return Side(key=side.key, names=side.names, mass=side.mass, attributes=found, table=side.table)
