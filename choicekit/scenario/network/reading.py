"""The web and the species of a network scenario, from files or from the scenario itself, each fault at its line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from choicekit.errors import DataError, InvalidInputError
from choicekit.networks.network import InteractionNetwork, aligned
from choicekit.networks.reading import read_edges, read_network, read_traits
from choicekit.scenario.assignment.sides import Side, values_by_name
from choicekit.scenario.document import EntryPath
from choicekit.scenario.nests import is_cut
from choicekit.scenario.result import InputFile
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show

__all__ = ["read_species", "read_web"]

FloatArray = npt.NDArray[np.float64]
Answer = TypeVar("Answer")

_SOURCES = ("table", "tables", "edges", "counts")


def read_web(
    block: Any, findings: Findings, directory: Path | None, inputs: list[InputFile]
) -> tuple[InteractionNetwork, ...] | None:
    """Return the webs of all sites over the species of all; None where they could not be read, which is noted.

    Parameters
    ----------
    block : WebBlock
    findings : Findings
    directory : Path, optional
        Where relative paths start; by default the folder of the file that names them.
    inputs : list of InputFile
        To which files that were read are added.
    """
    if is_cut(("web",), findings):
        return None
    given = [name for name in _SOURCES if getattr(block, name) is not None]
    if len(given) != 1:
        said = f"`{given[0]}` and `{given[1]}` exclude each other" if given else "a web needs a `table`"
        hint = "keep one of them" if given else "or `tables` by site, `edges`, or `counts` written here"
        findings.add(("web",), said, hint, of_key=True)
        return None
    edges = [name for name in ("row", "column", "count", "site") if getattr(block, name) is not None]
    if given[0] != "edges" and edges:
        findings.add(("web", edges[0]), f"`{edges[0]}` is a column of `edges`", "take it away", of_key=True)
        return None
    found = _networks(given[0], block, findings, directory, inputs)
    if not found:
        return None
    try:
        return aligned(found)
    except InvalidInputError as error:
        findings.add(("web", given[0]), str(error), of_key=True)
    return None


def _networks(
    source: str, block: Any, findings: Findings, directory: Path | None, inputs: list[InputFile]
) -> list[InteractionNetwork]:
    separator = block.separator
    if source == "counts":
        return _written(block.counts, findings)
    if source == "edges":
        missing = [name for name in ("row", "column") if getattr(block, name) is None]
        for name in missing:
            findings.add(("web",), f"edges need `{name}`", "the column with its species", of_key=True)
        if missing:
            return []
        columns = {"row": block.row, "column": block.column, "count": block.count, "site": block.site}
        by_site = _read(
            ("web", "edges"),
            block.edges,
            findings,
            directory,
            inputs,
            lambda path: read_edges(path, **columns, separator=separator),
        )
        return list(by_site.values()) if by_site is not None else []
    files = {"": block.table} if source == "table" else block.tables
    found = []
    for name, file in files.items():
        entry: EntryPath = ("web", "table") if source == "table" else ("web", "tables", name)
        network = _read(
            entry,
            file,
            findings,
            directory,
            inputs,
            lambda path, name=name: read_network(path, separator=separator, name=name),  # type: ignore[misc]
        )
        if network is not None:
            found.append(network)
    return found if len(found) == len(files) else []


def _written(counts: Mapping[str, Mapping[str, float]], findings: Findings) -> list[InteractionNetwork]:
    columns = list(dict.fromkeys(column for by_column in counts.values() for column in by_column))
    table = [[by_column.get(column, 0.0) for column in columns] for by_column in counts.values()]
    try:
        return [InteractionNetwork(counts=np.array(table), row_names=list(counts), column_names=columns)]
    except InvalidInputError as error:
        findings.add(("web", "counts"), str(error), of_key=True)
    return []


def _read(
    entry: EntryPath,
    name: str,
    findings: Findings,
    directory: Path | None,
    inputs: list[InputFile],
    read: Callable[[Path], Answer],
) -> Answer | None:
    start = findings.document.origin(findings.written(entry)).parent if directory is None else directory
    path = start / name
    try:
        said = "" if path.is_file() else ("is a directory" if path.is_dir() else "does not exist")
    except (OSError, ValueError):
        said = "cannot be a file"
    if said:
        findings.add(entry, f"the file {said}: {show(name)}", "check the path")
        return None
    try:
        answer = read(path)
    except DataError as error:
        findings.problems.extend(replace(problem, file=name) for problem in error.problems)
        return None
    content = path.read_bytes()
    inputs.append(
        InputFile(
            name=name,
            entry=entry,
            path=str(path),
            sha256=hashlib.sha256(content).hexdigest(),
            rows=max(len(content.splitlines()) - 1, 0),
        )
    )
    return answer


def read_species(
    key: str,
    block: Any,
    names: tuple[str, ...] | None,
    findings: Findings,
    directory: Path | None,
    inputs: list[InputFile],
) -> Side | None:
    """Return the species of one side with traits and abundances; None where that failed, which is noted.

    Parameters
    ----------
    key : {"rows", "columns"}
    block : SpeciesBlock
    names : tuple of str, optional
        Species of the web; without one they are those with an abundance.
    findings, directory, inputs
        As `read_web`.
    """
    before = len(findings.problems)
    known = names
    if known is None:
        if not isinstance(block.abundance, dict):
            if not is_cut((key, "abundance"), findings):
                findings.add((key,), f"without a `web`, {key} need `abundance` by name", "give it", of_key=True)
            return None
        known = tuple(block.abundance)
    attributes = _traits(key, block, known, findings, directory, inputs)
    if attributes is None:
        return None
    for trait, by_species in block.attributes.items():
        values = values_by_name((key, "attributes", trait), by_species, known, key[:-1], trait, findings)
        if trait in attributes or trait == "name":
            findings.add((key, "attributes", trait), f"there is a trait {trait!r} already", "rename it", of_key=True)
        elif values is not None:
            attributes[trait] = values
    mass = _abundance(key, block.abundance, known, attributes, findings)
    if len(findings.problems) > before:
        return None
    return Side(key=key, names=known, mass=mass, attributes=attributes)


def _traits(
    key: str, block: Any, names: tuple[str, ...], findings: Findings, directory: Path | None, inputs: list[InputFile]
) -> dict[str, npt.NDArray[Any]] | None:
    if block.traits is None:
        return None if is_cut((key, "traits"), findings) else {}
    found = _read((key, "traits"), block.traits, findings, directory, inputs, lambda path: read_traits(path, names))
    return None if found is None else {trait: _values(cells) for trait, cells in found.items()}


def _values(cells: list[str]) -> npt.NDArray[Any]:
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError:
        return np.asarray(cells, dtype=object)
    return numbers if np.isfinite(numbers).all() else np.asarray(cells, dtype=object)


def _abundance(
    key: str, given: Any, names: tuple[str, ...], attributes: Mapping[str, npt.NDArray[Any]], findings: Findings
) -> FloatArray | None:
    path: EntryPath = (key, "abundance")
    if given is None:
        return None
    if isinstance(given, dict):
        values = values_by_name(path, given, names, key[:-1], "abundance", findings)
    elif given not in attributes:
        findings.unknown(path, "trait", given, attributes)
        return None
    else:
        values = attributes[given]
    if values is None:
        return None
    if values.dtype == object or not np.all(np.isfinite(values) & (values >= 0)):
        findings.add(path, "abundances must be numbers of at least 0", "mend them")
    elif not values.any():
        findings.add(path, f"abundances of {key} must hold at least one number above 0", "mend them", of_key=True)
    else:
        return np.asarray(values, dtype=np.float64)
    return None
