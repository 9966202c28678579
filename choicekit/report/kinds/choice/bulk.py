"""Every simulated choice as a Parquet file, written block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.outcome import ChoiceOutcome
from choicekit.scenario.result import StudyResult

__all__ = ["bulk_files", "write_choices"]

_ROWS_AT_ONCE = 1_000_000


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
    alternative, null where nothing was available. Blocks follow the population, replications run within a block.
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
        for rows, chosen in outcome.iter_choices():
            identifiers = {name: _identifiers(values[rows]) for name, values in keys.items()}
            step = max(1, _ROWS_AT_ONCE // max(chosen.shape[1], 1))
            for start in range(0, len(chosen), step):
                some = chosen[start : start + step]
                writer.write_table(_table(identifiers, names, some, start, schema))


def _table(identifiers: Mapping[str, Any], names: Any, chosen: npt.NDArray[np.int64], start: int, schema: Any) -> Any:
    import pyarrow as pa

    n_replications, n = chosen.shape
    places = pa.array(np.tile(np.arange(n), n_replications))
    columns = [values.take(places) for values in identifiers.values()]
    replication = pa.array(np.repeat(np.arange(start, start + n_replications, dtype=np.int32), n))
    flat = chosen.ravel().astype(np.int32)
    chosen_names = pa.DictionaryArray.from_arrays(pa.array(flat, mask=flat < 0), names)
    return pa.table([*columns, replication, chosen_names], schema=schema)


def _is_whole(values: npt.NDArray[Any]) -> bool:
    return values.dtype.kind in "iu"


def _identifiers(values: npt.NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.array(values) if _is_whole(values) else pa.array([str(value) for value in values], type=pa.string())
