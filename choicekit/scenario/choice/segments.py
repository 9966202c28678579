"""Breakdowns of the results of a choice scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from choicekit.choice.layouts import with_rest
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation, segment_by_edges, segment_by_value
from choicekit.choice.tables import Table
from choicekit.errors import InvalidInputError
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["check_segments", "segmentations"]


def check_segments(segments: Mapping[str, Any], table: Table, findings: Findings) -> None:
    """Note unknown columns, edges that do not increase and labels that do not fit them."""
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


def segmentations(segments: Mapping[str, Any], population: Population, findings: Findings) -> Iterator[Segmentation]:
    """Sort the agents into the groups of every segment, noting those whose column cannot be sorted by."""
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
            problem = population.cell_problem(
                "a segment is missing", row=row, position=None, column=segment.column, hint="fill it in"
            )
            findings.problems.extend(with_rest([problem], missing.size))
            continue
        try:
            if segment.edges is None:
                yield segment_by_value(name, values)
            else:
                yield segment_by_edges(name, values, segment.edges, segment.labels)
        except InvalidInputError as error:
            findings.add(path, str(error))
