"""What a population is given in memory: converted where it is clear what is meant, else refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError

__all__ = ["array_of", "identifier_array", "positions_of", "truths_of"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def array_of(what: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return values as an array.

    Raises
    ------
    InvalidInputError
        Where rows differ in length.
    """
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise InvalidInputError(
            f"{what} must have one shape, found rows of different lengths: give each the same"
        ) from error


def truths_of(values: npt.ArrayLike) -> BoolArray:
    """Return availability as truth values; nothing but True, False, 1 and 0 says clearly what is available.

    Raises
    ------
    InvalidInputError
        For anything else.

    Examples
    --------
    >>> truths_of([[1, 0]])
    array([[ True, False]])
    """
    array = array_of("availability", values)
    if array.dtype.kind == "b":
        return array
    cells = array.ravel()
    fit = (cells == 0) | (cells == 1) if array.dtype.kind in "iuf" else [_is_truth(cell) for cell in cells]
    wrong = np.flatnonzero(~np.asarray(fit, dtype=bool))
    if wrong.size:
        raise InvalidInputError(
            f"availability must hold True or False (or 1 and 0), found {cells.tolist()[wrong[0]]!r}: compare, as in "
            "seats > 0, or fill in what is missing"
        )
    return np.asarray(array == 1)


def _is_truth(cell: object) -> bool:
    return isinstance(cell, bool | np.bool_ | int | float | np.number) and cell in (0, 1)


def positions_of(values: npt.ArrayLike, n_alternatives: int) -> IntArray:
    """Return observed choices as positions in the alternatives, -1 where unknown.

    Raises
    ------
    InvalidInputError
        For anything else.

    Examples
    --------
    >>> positions_of([1.0, -1.0], 2)
    array([ 1, -1])
    """
    array = array_of("chosen", values)
    cells = array.ravel()
    if array.dtype.kind in "iuf":
        fit = (cells == np.floor(cells)) & (cells >= -1) & (cells < n_alternatives)
    else:
        whole = (isinstance(cell, int | np.integer) and not isinstance(cell, bool) for cell in cells)
        fit = np.asarray([w and -1 <= cell < n_alternatives for w, cell in zip(whole, cells, strict=True)], dtype=bool)
    wrong = np.flatnonzero(~fit)
    if wrong.size:
        raise InvalidInputError(
            f"chosen must hold positions in the {n_alternatives} alternatives, whole numbers from 0, or -1 where "
            f"unknown, found {cells.tolist()[wrong[0]]!r}: a name's position is alternatives.index(name)"
        )
    return array.astype(np.int64)


def identifier_array(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return identifiers as int64 where all are whole numbers that fit, else as they are.

    Examples
    --------
    >>> identifier_array(["ann", 3])
    array(['ann', 3], dtype=object)
    """
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if array.dtype.kind == "O" and all(type(value) is int for value in array) and array.size:
        return array if max(map(abs, array)) >= 2**63 else array.astype(np.int64)
    return array
