"""The tables of a matching study as files, with every digit, and who has what in the first draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from choicekit.matching.measures import GROUP_MEASURES, MOST_RANKS
from choicekit.report.checks import check_records
from choicekit.report.kinds.matching.view import MatchingView

__all__ = ["bulk_files", "data_tables"]


def data_tables(view: MatchingView) -> dict[str, pd.DataFrame]:
    """Return tables by file name; only those that have rows."""
    compared = view.compared
    tables = {
        "mechanisms": compared.to_frame(),
        "differences": compared.differences(),
        "ranks": _ranks(view),
        "places": _places(view),
    }
    if len(compared.cases) > 1:
        tables["changes"] = compared.changes()
    if len(compared.groups) > 1:
        tables["groups"] = _groups(view)
    if view.result.checks:
        tables["checks"] = pd.DataFrame(check_records(view.result.checks))
    return tables


def _ranks(view: MatchingView) -> pd.DataFrame:
    compared = view.compared
    names = [*(str(rank) for rank in range(1, MOST_RANKS + 1)), f"over {MOST_RANKS}"]
    shares = compared.ranks.mean(axis=2)
    return _long(shares, (compared.cases, compared.mechanisms, names), ("market", "mechanism", "rank"), "share")


def _places(view: MatchingView) -> pd.DataFrame:
    compared = view.compared
    frame = _long(
        compared.filled.mean(axis=2),
        (compared.cases, compared.mechanisms, compared.columns),
        ("market", "mechanism", "column"),
        "filled",
    )
    seats = {
        (case, str(market.column(j))): int(market.seats[j])
        for case, market in compared.markets.items()
        for j in range(market.shape[1])
    }
    frame["capacity"] = [
        seats.get((str(case), str(column)), 0) for case, column in zip(frame["market"], frame["column"], strict=True)
    ]
    return frame


def _groups(view: MatchingView) -> pd.DataFrame:
    compared = view.compared
    return _long(
        compared.by_group.mean(axis=2),
        (compared.cases, compared.mechanisms, compared.groups, GROUP_MEASURES),
        ("market", "mechanism", "group", "measure"),
        "mean",
    )


def _long(values: np.ndarray, axes: tuple[Sequence[str], ...], names: tuple[str, ...], what: str) -> pd.DataFrame:
    places = np.meshgrid(*(np.array(list(axis), dtype=object) for axis in axes), indexing="ij")
    columns = {name: place.ravel() for name, place in zip(names, places, strict=True)}
    return pd.DataFrame({**columns, what: values.ravel()})


def bulk_files(view: MatchingView) -> dict[str, Callable[[Path], None]]:
    """Writers of large files by name: who has what by each mechanism, in the first draw of the baseline."""
    return {"assignments.parquet": partial(_write, view)}


def _write(view: MatchingView, path: Path) -> None:
    frames = [matching.to_frame().assign(mechanism=name) for name, matching in view.outcome.examples.items()]
    frame = pd.concat(frames, ignore_index=True)
    if view.study.groups is not None:
        frame["group"] = np.tile(np.array(view.study.groups, dtype=object), len(frames))
    for column in ("row", "column"):
        frame[column] = [None if value is None else str(value) for value in frame[column]]
    frame.to_parquet(path, index=False)
