"""Detection by group: sites, segments, months."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.detection.metrics import checked_scores, evaluate_detection
from choicekit.errors import ShapeError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["evaluate_by_group"]


def evaluate_by_group(
    scores: npt.ArrayLike, is_ood: npt.ArrayLike, groups: npt.ArrayLike, *, threshold: float | None = None
) -> pd.DataFrame:
    """Return counts, AUROC and flagged shares of each group.

    Parameters
    ----------
    scores : array_like (N,)
        Larger = more out-of-distribution.
    is_ood : array_like of bool (N,)
    groups : array_like (N,)
        Names.
    threshold : float, optional
        Rows with a score above it are flagged.

    Returns
    -------
    DataFrame
        A row a group, by name: ``group``, ``n_in``, ``n_out``, ``auroc``, ``flagged_in``, ``flagged_out`` (shares; nan
        without a threshold or without such rows) and a ``note`` where there is no AUROC.

    Raises
    ------
    InvalidInputError, ShapeError
        As `evaluate_detection`.

    Examples
    --------
    >>> found = evaluate_by_group([1.0, 2.0, 3.0], [False, True, True], ["a", "a", "b"], threshold=1.5)
    >>> found[["group", "n_in", "n_out", "auroc", "flagged_out"]].values.tolist()
    [['a', 1, 1, 1.0, 1.0], ['b', 0, 1, nan, 1.0]]
    """
    import pandas as pd

    values, out = checked_scores(scores, is_ood)
    names = np.asarray(groups)
    if names.shape != values.shape:
        raise ShapeError(f"groups must have one name a row, found shape {names.shape} for {values.size} rows")
    rows = []
    for name in np.unique(names):
        own = names == name
        found = evaluate_detection(values[own], out[own])
        flagged = [_share(values[own & (out == kind)], threshold) for kind in (False, True)]
        rows.append((str(name), found.n_in, found.n_out, found.auroc, *flagged, found.note))
    return pd.DataFrame(rows, columns=["group", "n_in", "n_out", "auroc", "flagged_in", "flagged_out", "note"])


def _share(scores: npt.NDArray[np.float64], threshold: float | None) -> float:
    return float(np.mean(scores > threshold)) if threshold is not None and scores.size else float("nan")
