"""Every simulated choice as a Parquet file, written block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.outcome import ChoiceOutcome
from choicekit.scenario.result import StudyResult

__all__ = ["bulk_files", "write_choices"]

_GROUP_ROWS = 500_000
"""Least rows of a row group but the last: readers are slow with many small ones."""


def bulk_files(result: StudyResult) -> dict[str, Callable[[Path], None]]:
    """Writers of large files by name; none unless the scenario asks for them with ``simulation.save_choices``."""
    simulation = result.scenario.get("simulation")
    if not isinstance(simulation, Mapping) or not simulation.get("save_choices"):
        return {}
    return {"choices.parquet": partial(write_choices, result.outcome)}


def write_choices(outcome: ChoiceOutcome, path: Path) -> None:
    """Write one row for every agent, situation and replication: who chose what.

    Parameters
    ----------
    outcome : ChoiceOutcome
    path : pathlib.Path

    Notes
    -----
    Columns: agent, situation (where agents choose more than once), replication (from 0) and chosen, the name of the
    alternative, null where nothing was available. Rows are sorted by block of the population (8,192 of its rows), then
    replication, then row of the population.
    """
    import pyarrow as pa
    from pyarrow import parquet

    population = outcome.study.population
    keys = {"agent": population.agents}
    if population.situations is not None:
        keys["situation"] = population.situations
    fields = [
        (name, _identifiers(values[:0]).type if _is_whole(values) else pa.string()) for name, values in keys.items()
    ]
    names = pa.array(list(outcome.alternatives), type=pa.string())
    chosen_type = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema([*fields, ("replication", pa.int32()), ("chosen", chosen_type)])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in _joined(_pieces(outcome, keys, names, schema)):
            writer.write_table(table, row_group_size=len(table))


def _pieces(outcome: ChoiceOutcome, keys: Mapping[str, npt.NDArray[Any]], names: Any, schema: Any) -> Iterator[Any]:
    """One table for some replications of a block of rows."""
    for rows, pieces in groupby(outcome.iter_choices(), key=lambda piece: piece[0]):
        identifiers = [_identifiers(values[rows]) for values in keys.values()]
        for _, replications, chosen in pieces:
            yield _table(identifiers, names, replications, chosen, schema)


def _joined(pieces: Iterator[Any]) -> Iterator[Any]:
    """Join tables, in their order, until they are worth a row group."""
    import pyarrow as pa

    waiting: list[Any] = []
    for piece in pieces:
        waiting.append(piece)
        if sum(map(len, waiting)) >= _GROUP_ROWS:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _table(
    identifiers: Sequence[Any], names: Any, replications: range, chosen: npt.NDArray[np.int64], schema: Any
) -> Any:
    import pyarrow as pa

    places = pa.array(np.tile(np.arange(chosen.shape[1]), len(replications)))
    columns = [values.take(places) for values in identifiers]
    replication = pa.array(np.repeat(np.asarray(replications, dtype=np.int32), chosen.shape[1]))
    flat = chosen.ravel().astype(np.int32)
    chosen_names = pa.DictionaryArray.from_arrays(pa.array(flat, mask=flat < 0), names)
    return pa.table([*columns, replication, chosen_names], schema=schema)


def _is_whole(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind in "iu"


def _identifiers(values: npt.NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.array(values) if _is_whole(values) else pa.array([str(value) for value in values], type=pa.string())
