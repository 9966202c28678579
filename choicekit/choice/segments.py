"""Segments: groups of agents that results are broken down by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.given_arrays import array_of
from choicekit.errors import InvalidInputError, ShapeError

__all__ = ["Segmentation", "segment_by_edges", "segment_by_value"]

IntArray = npt.NDArray[np.int64]

MAX_SEGMENTS = 200  # a column with more values than this is hardly a grouping


@dataclass(frozen=True, kw_only=True, eq=False)
class Segmentation:
    """One way to sort agents into groups.

    Attributes
    ----------
    name : str
        What the agents are sorted by, such as ``"income"``.
    labels : tuple of str
        Names of the groups, in order.
    codes : ndarray (N,) of int64
        Group of each row, as a position in `labels`.

    Raises
    ------
    InvalidInputError
        Where a code has no label or a label occurs twice.

    Examples
    --------
    >>> Segmentation(name="home", labels=("city", "country"), codes=np.array([0, 1, 0]))
    Segmentation(home: 2 groups of 3 rows)
    """

    name: str
    labels: tuple[str, ...]
    codes: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(str(label) for label in self.labels))
        codes = array_of(f"codes of segment {self.name!r}", self.codes)
        if codes.dtype.kind not in "iuf" or not np.all(codes == np.floor(codes)):  # nan is unlike itself
            raise InvalidInputError(f"codes of segment {self.name!r} must be whole numbers")
        object.__setattr__(self, "codes", codes.astype(np.int64))
        if self.codes.ndim != 1:
            raise ShapeError(f"segment {self.name!r} needs one code a row, found shape {self.codes.shape}")
        if len(set(self.labels)) != len(self.labels):
            raise InvalidInputError(f"labels of segment {self.name!r} must be distinct, found {list(self.labels)}")
        if self.codes.size and (self.codes.min() < 0 or self.codes.max() >= len(self.labels)):
            raise InvalidInputError(
                f"codes of segment {self.name!r} must be positions in its {len(self.labels)} labels"
            )

    def __repr__(self) -> str:
        return f"Segmentation({self.name}: {len(self.labels)} groups of {self.codes.size} rows)"


def segment_by_edges(
    name: str, values: npt.ArrayLike, edges: Sequence[float], labels: Sequence[str] | None = None
) -> Segmentation:
    """Sort agents by where a number falls between `edges`.

    Parameters
    ----------
    name : str
        What the agents are sorted by.
    values : array_like (N,)
        Finite numbers.
    edges : sequence of float
        Increasing; k edges make k + 1 groups. A value equal to an edge belongs to the group above it.
    labels : sequence of str, optional
        k + 1 names; by default such as ``"under 20"``, ``"20 to 40"``, ``"40 and over"``.

    Returns
    -------
    Segmentation

    Raises
    ------
    InvalidInputError
        For edges that do not increase, values that are not finite numbers, or the wrong number of labels.
    ShapeError
        Where there is not one value a row.

    Examples
    --------
    >>> income = segment_by_edges("income", [10, 20, 50], edges=[20, 40])
    >>> income.labels, income.codes
    (('under 20', '20 to 40', '40 and over'), array([0, 1, 2]))
    """
    numbers = _numbers(
        f"segment {name!r} needs numbers to sort by edges", values, "without edges each value is a group"
    )
    limits = _numbers(f"edges of segment {name!r} must be numbers", edges, "give some such as [20, 40]")
    if limits.ndim != 1 or not limits.size or not np.all(np.isfinite(limits)) or not np.all(np.diff(limits) > 0):
        raise InvalidInputError(f"edges of segment {name!r} must be finite numbers that increase, found {edges!r}")
    if numbers.ndim != 1:
        raise ShapeError(f"segment {name!r} needs one value a row, found shape {numbers.shape}")
    if not np.all(np.isfinite(numbers)):
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise InvalidInputError(f"segment {name!r} needs finite values, found {numbers[row]} in row {row} (from 0)")
    if labels is None:
        labels = _edge_labels([_number_label(edge) for edge in limits])
    if len(labels) != limits.size + 1:
        raise InvalidInputError(
            f"segment {name!r} has {limits.size} edges and so needs {limits.size + 1} labels, found {len(labels)}"
        )
    return Segmentation(name=name, labels=tuple(labels), codes=np.searchsorted(limits, numbers, side="right"))


def _numbers(what: str, values: npt.ArrayLike, way_out: str) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:  # numpy's message quotes the value at fault
        raise InvalidInputError(f"{what}, found others ({error}): {way_out}") from error


def _number_label(number: float) -> str:
    """Shortest text of a number that no other number has."""
    return repr(float(number)).removesuffix(".0")


def _edge_labels(edges: Sequence[str]) -> list[str]:
    between = [f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"under {edges[0]}", *between, f"{edges[-1]} and over"]


def segment_by_value(name: str, values: npt.ArrayLike) -> Segmentation:
    """Sort agents by the value of a column, in sorted order.

    Parameters
    ----------
    name : str
        What the agents are sorted by.
    values : array_like (N,)
        Text or numbers, at most 200 different ones.

    Returns
    -------
    Segmentation

    Raises
    ------
    InvalidInputError
        For missing values, and for more values than a breakdown can show.

    Examples
    --------
    >>> segment_by_value("home", ["city", "country", "city"]).labels
    ('city', 'country')
    """
    array = array_of(f"segment {name!r}", values)
    if array.ndim != 1:
        raise ShapeError(f"segment {name!r} needs one value a row, found shape {array.shape}")
    missing = np.flatnonzero(pd.isna(array))
    if missing.size:
        raise InvalidInputError(f"segment {name!r} needs a value in every row, none is in row {missing[0]} (from 0)")
    if array.dtype.kind == "O":
        array = array.astype(str)
    found, codes = np.unique(array, return_inverse=True)
    if found.size > MAX_SEGMENTS:
        raise InvalidInputError(
            f"segment {name!r} would have {found.size} groups, at most {MAX_SEGMENTS} are shown: give `edges`"
        )
    labels = tuple(
        _number_label(float(value)) if isinstance(value, float | np.floating) else str(value) for value in found
    )
    return Segmentation(name=name, labels=labels, codes=codes.reshape(array.shape).astype(np.int64))
