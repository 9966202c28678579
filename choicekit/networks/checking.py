"""Refusing what are no counts of interactions, with the cell or the species named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["check_whole_counts", "checked_counts", "checked_masses", "distinct_names", "interacting", "where"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Names = Sequence[str] | None


def where(row: int, column: int, row_names: Names = None, column_names: Names = None) -> str:
    """Say which cell, by names where there are any.

    Examples
    --------
    >>> where(0, 1), where(0, 1, ["Rosa"], ["Apis", "Bombus"])
    ('row 0, column 1', "'Rosa' and 'Bombus'")
    """
    if row_names is None or column_names is None:
        return f"row {row}, column {column}"
    return f"{row_names[row]!r} and {column_names[column]!r}"


def checked_counts(counts: npt.ArrayLike, row_names: Names = None, column_names: Names = None) -> FloatArray:
    """Return counts of interactions as floats, (n, m).

    Parameters
    ----------
    counts : array_like (n, m)
        Finite, at least 0; fractions are allowed.
    row_names, column_names : sequence of str, optional
        For messages.

    Raises
    ------
    InvalidInputError
        For what is negative, infinite or missing, with its cell, and where nothing interacts at all.
    ShapeError
        For anything but a table with cells.
    """
    found = np.array(as_floats(counts, "counts"), order="C")
    if found.ndim != 2 or found.size == 0:
        raise ShapeError(f"counts must be a table, rows by columns, with at least one cell, found shape {found.shape}")
    wrong = np.argwhere(~(np.isfinite(found) & (found >= 0)))
    if wrong.size:
        row, column = (int(place) for place in wrong[0])
        more = "" if len(wrong) == 1 else f", and {len(wrong) - 1:,} more such cells"
        raise InvalidInputError(
            f"counts must be finite and at least 0, found {found[row, column]:g} for "
            f"{where(row, column, row_names, column_names)}{more}"
        )
    if not found.any():
        raise InvalidInputError("counts must hold at least one interaction, found zeros only")
    return found


def check_whole_counts(counts: FloatArray, what: str, row_names: Names = None, column_names: Names = None) -> None:
    """Refuse fractions where only whole numbers of interactions make sense.

    Parameters
    ----------
    counts : ndarray (n, m)
    what : str
        What needs whole numbers.
    row_names, column_names : sequence of str, optional

    Raises
    ------
    InvalidInputError
    """
    wrong = np.argwhere(counts != np.rint(counts))
    if wrong.size:
        row, column = (int(place) for place in wrong[0])
        more = "" if len(wrong) == 1 else f", and {len(wrong) - 1:,} more such cells"
        raise InvalidInputError(
            f"{what} needs whole numbers of interactions, found {counts[row, column]:g} for "
            f"{where(row, column, row_names, column_names)}{more}"
        )


def checked_masses(masses: npt.ArrayLike, what: str, size: int, names: Names = None) -> FloatArray:
    """Return abundances of one side as floats, (size,), at least one above 0.

    Raises
    ------
    InvalidInputError
        With the species named.
    ShapeError
    """
    found = np.array(as_floats(masses, what))
    if found.shape != (size,):
        raise ShapeError(f"{what} must have one number a species, ({size},), found shape {found.shape}")
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if wrong.size:
        name = f"place {wrong[0]}" if names is None else repr(names[wrong[0]])
        raise InvalidInputError(f"{what} must be finite and at least 0, found {found[wrong[0]]:g} for {name}")
    if not found.any():
        raise InvalidInputError(f"{what} must hold at least one number above 0, found zeros only")
    return found


def distinct_names(names: Sequence[object] | None, size: int, one: str) -> tuple[str, ...]:
    """Return names as text, or numbered ones where there are none.

    Raises
    ------
    InvalidInputError
        For an empty name, or one that occurs twice.
    ShapeError
    """
    if names is None:
        return tuple(f"{one}_{place + 1}" for place in range(size))
    found = tuple(str(name) for name in names)
    if len(found) != size:
        raise ShapeError(f"there must be {size} names of {one}s, found {len(found)}")
    seen: set[str] = set()
    for place, name in enumerate(found):
        if not name.strip():
            raise InvalidInputError(f"{one} {place} must have a name, found {name!r}")
        if name in seen:
            raise InvalidInputError(f"names of {one}s must be distinct, found {name!r} twice")
        seen.add(name)
    return found


def interacting(counts: FloatArray) -> tuple[BoolArray, BoolArray]:
    """Say which rows and which columns have any interaction."""
    return np.asarray(counts.any(axis=1)), np.asarray(counts.any(axis=0))
