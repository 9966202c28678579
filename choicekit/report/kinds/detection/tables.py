"""The tables of a detection study as files, with every digit, and every row's scores."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from choicekit.detection.metrics import METRICS
from choicekit.report.checks import check_records
from choicekit.report.kinds.detection.separation import curves_of_scores
from choicekit.report.kinds.detection.view import DetectionView

__all__ = ["bulk_files", "data_tables", "scores_frame"]

_POINTS = 2_000  # of a curve in a file


def data_tables(view: DetectionView) -> dict[str, pd.DataFrame]:
    """Return tables by file name; only those that have rows."""
    outcome = view.outcome
    tables: dict[str, pd.DataFrame] = {}
    if outcome.metrics:
        tables["metrics"] = _metrics(view)
    if outcome.differences:
        fields = ("difference", "standard_error", "lower", "upper", "p_value")
        rows = [
            {"score": name, **{key: getattr(of, key) for key in fields}} for name, of in outcome.differences.items()
        ]
        tables["differences"] = pd.DataFrame(rows)
    if view.compares:
        frames = [
            curve.thinned(_POINTS).to_frame().assign(score=name) for name, curve in curves_of_scores(view).items()
        ]
        tables["curves"] = pd.concat(frames, ignore_index=True)
    if outcome.by_group is not None:
        tables["groups"] = outcome.by_group
    if outcome.by_temperature is not None:
        tables["temperatures"] = outcome.by_temperature
    if outcome.training is not None:
        training = outcome.training
        rows = [
            {"metric": name, "before": getattr(training.before, name), "after": getattr(training.after, name)}
            for name in METRICS
        ]
        tables["training"] = pd.DataFrame(rows)
    if view.result.checks:
        tables["checks"] = pd.DataFrame(check_records(view.result.checks))
    return tables


def _metrics(view: DetectionView) -> pd.DataFrame:
    rows = []
    for score, found in view.outcome.metrics.items():
        for metric in METRICS:
            lower, upper = np.nan, np.nan
            if view.outcome.bootstrap is not None:
                lower, upper = view.outcome.bootstrap.interval(score, metric)
            rows.append((score, metric, getattr(found, metric), lower, upper, found.n_in, found.n_out))
    return pd.DataFrame(rows, columns=["score", "metric", "value", "lower", "upper", "n_in", "n_out"])


def scores_frame(view: DetectionView) -> pd.DataFrame:
    """Return a row for each row of the table: its name, role, scores, p-value, and whether it is flagged."""
    study, table, outcome = view.study, view.study.table, view.outcome
    role = np.full(len(table), "", dtype=object)
    for one in view.sets:
        role[one.rows] = one.key
    frame = pd.DataFrame({"row": table.rows.astype(object), "role": role, "predicted": table.predicted.astype(object)})
    for name, given in (("label", table.label_names), ("group", table.groups)):
        if given is not None:
            frame[name] = given.astype(object)
    for name, scores in outcome.scores.items():
        frame[name] = scores
    frame["p_value"] = np.nan
    frame.loc[study.test, "p_value"] = outcome.p_values
    for name, found in (("flagged", outcome.flagged), ("discovery", outcome.discoveries)):
        column = np.full(len(table), None, dtype=object)
        column[study.test] = found.tolist()
        frame[name] = pd.array(column, dtype="boolean")
    return frame


def bulk_files(view: DetectionView) -> dict[str, Callable[[Path], None]]:
    """Writers of large files by name: every row's scores, and the fitted detector where it is to be kept."""
    files: dict[str, Callable[[Path], None]] = {"scores.parquet": partial(_write_scores, view)}
    detector = view.outcome.detector
    if detector is not None and view.study.detector is None and view.result.scenario.get("save_detector", True):
        files["detector.json"] = detector.save
    return files


def _write_scores(view: DetectionView, path: Path) -> None:
    scores_frame(view).to_parquet(path, index=False)
