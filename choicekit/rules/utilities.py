"""What a rule may be given: utilities, availability and temperature, checked once for all rules."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, NoAvailableAlternativeError, ShapeError
from choicekit.rules.utilities_kernels import find_rows_in_order

__all__ = [
    "available_direction",
    "available_utility",
    "check_distribution",
    "check_row_weights",
    "check_temperature",
    "hard_jacobian_product",
    "hard_jacobian_sum",
    "hard_maximum",
    "raise_for_disorder",
    "row_maximum",
    "row_sum",
    "unchecked_utility",
]

FloatArray = npt.NDArray[np.float64]

DISTRIBUTION_TOLERANCE = 1e-9  # how far from one a distribution given by the caller may sum


_FEW = 40  # alternatives up to which going column by column beats numpy's reduction along a short last axis
_ROWS_AT_ONCE = 8_192  # so that the columns gone through stay in cache


def row_maximum(values: FloatArray) -> FloatArray:
    """Return the maximum over the last axis, quickly also where that axis is short; nan spreads.

    Examples
    --------
    >>> row_maximum(np.array([[1.0, 3.0], [2.0, -np.inf]]))
    array([3., 2.])
    """
    return _reduced(np.maximum, values)


def row_sum(values: FloatArray) -> FloatArray:
    """Return the sum over the last axis, quickly also where that axis is short.

    Examples
    --------
    >>> row_sum(np.array([[1.0, 3.0], [2.0, 0.5]]))
    array([4. , 2.5])
    """
    return _reduced(np.add, values)


def _reduced(combine: np.ufunc, values: FloatArray) -> FloatArray:
    # which way is taken depends on the number of alternatives alone, so that a row's sum is the same in any company
    if values.shape[-1] > _FEW:
        return np.asarray(combine.reduce(np.ascontiguousarray(values), axis=-1))  # the layout would set the order
    reduced = np.empty(values.shape[:-1])
    rows, results = values.reshape(-1, values.shape[-1]), reduced.reshape(-1)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some, result = rows[start : start + _ROWS_AT_ONCE], results[start : start + _ROWS_AT_ONCE]
        result[:] = some[:, 0]
        for column in range(1, some.shape[1]):
            combine(result, some[:, column], out=result)
    return reduced


def available_utility(utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
    """Return utilities as float64 with minus infinity wherever an alternative is unavailable.

    Parameters
    ----------
    utility : array_like (..., J)
        Systematic utility; minus infinity means unavailable.
    availability : array_like of bool (..., J), optional
        True = available; broadcasts with `utility`. What is unavailable may hold anything, also nan.

    Returns
    -------
    ndarray (..., J)

    Raises
    ------
    ShapeError
        Where there is no axis of alternatives or the shapes do not broadcast.
    InvalidInputError
        For nan or plus infinity in an available place; the message names row and alternative.
    NoAvailableAlternativeError
        For a row with nothing available.

    Examples
    --------
    >>> available_utility([1.0, 2.0], [True, False])
    array([  1., -inf])
    """
    values = unchecked_utility(utility, availability)
    found = np.zeros(1, dtype=np.int64)
    find_rows_in_order(np.ascontiguousarray(values).reshape(-1, values.shape[-1]), found)
    if found[0] != values.size // values.shape[-1]:
        raise_for_disorder(values)
    return values


def unchecked_utility(utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
    """Return what `available_utility` does, for a rule that finds nan and infinity itself; only shapes are checked.

    Such a rule then calls `raise_for_disorder`.

    Examples
    --------
    >>> unchecked_utility([1.0, np.nan], [True, True])
    array([ 1., nan])
    """
    values = as_floats(utility)
    if availability is not None:
        values = _with_availability(values, availability)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ShapeError(f"utility must have at least one alternative on its last axis, found shape {values.shape}")
    return values


def available_direction(direction: npt.ArrayLike, available: npt.NDArray[np.bool_]) -> FloatArray:
    """Return a direction in the space of utilities as float64, 0 where an alternative is unavailable.

    Parameters
    ----------
    direction : array_like (..., J)
        Change of utility; what is unavailable may hold anything, also nan.
    available : ndarray of bool (..., J)
        Broadcasts with `direction`.

    Returns
    -------
    ndarray (..., J)
        Of the shape that both broadcast to.

    Raises
    ------
    ShapeError
        Where the shapes do not broadcast to rows of J alternatives.
    InvalidInputError
        For a change of an available alternative that is not a finite number.

    Examples
    --------
    >>> available_direction([1.0, np.nan], np.array([True, False]))
    array([1., 0.])
    """
    values = as_floats(direction, "direction")
    try:
        step = np.where(available, values, 0.0)
    except ValueError as error:
        raise ShapeError(
            f"direction must broadcast with utility: shapes {values.shape} and {available.shape} do not fit"
        ) from error
    if step.shape[-1] != available.shape[-1]:
        raise ShapeError(f"direction must have {available.shape[-1]} alternatives, found shape {values.shape}")
    if not np.all(np.isfinite(step)):
        *row, alternative = (int(index) for index in np.argwhere(~np.isfinite(step))[0])
        raise InvalidInputError(
            f"direction must be finite where available, found {step[(*row, alternative)]} at {_place(row)}alternative "
            f"{alternative} (counted from 0)"
        )
    return step


def check_row_weights(weights: npt.ArrayLike, utility: FloatArray) -> FloatArray:
    """Return weights as float64, one for each row of utilities.

    Parameters
    ----------
    weights : array_like (...)
        One for all, or one a row.
    utility : ndarray (..., J)

    Returns
    -------
    ndarray (...)

    Raises
    ------
    ShapeError
        Where they do not fit the rows.
    InvalidInputError
        For weights that are not finite.

    Examples
    --------
    >>> check_row_weights(2, np.zeros((3, 4)))
    array([2., 2., 2.])
    """
    values, rows = as_floats(weights, "weights"), utility.shape[:-1]
    try:
        fitted = np.broadcast_to(values, rows)
    except ValueError as error:
        raise ShapeError(
            f"weights must be one number or one a row: shape {values.shape} does not fit rows of shape {rows}"
        ) from error
    if not np.all(np.isfinite(fitted)):
        row = [int(index) for index in np.argwhere(~np.isfinite(fitted))[0]]
        place = _place(row).removesuffix(", ") or "the only row"
        raise InvalidInputError(f"weights must be finite, found {fitted[tuple(row)]} at {place} (counted from 0)")
    return fitted


def as_floats(values: npt.ArrayLike, what: str = "utility") -> FloatArray:
    """Return an array of real numbers as float64, and refuse anything that is not one.

    Parameters
    ----------
    values : array_like
        Of truth values or real numbers; not copied where they are float64 already.
    what : str
        Their name in messages.

    Returns
    -------
    ndarray

    Raises
    ------
    InvalidInputError
        For text, complex numbers, masked or ragged arrays.

    Examples
    --------
    >>> as_floats([1, 2])
    array([1., 2.])
    """
    if isinstance(values, np.ma.MaskedArray):
        raise InvalidInputError("a masked array must be given as its data, and its mask as availability")
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biufO":  # text and complex numbers would be turned into real ones without a word
            raise TypeError(array.dtype)
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(f"{what} must be an array of real numbers with one length along each axis") from error


def _with_availability(values: FloatArray, availability: npt.ArrayLike) -> FloatArray:
    available = np.asarray(availability)
    if available.dtype.kind not in "b":
        if available.dtype.kind not in "iuf" or not np.all((available == 0) | (available == 1)):
            raise InvalidInputError("availability must be True or False (or 1 or 0) everywhere")
        available = available.astype(bool)
    try:
        return np.where(available, values, -np.inf)
    except ValueError as error:
        raise ShapeError(
            f"availability must broadcast with utility: shapes {available.shape} and {values.shape} do not fit"
        ) from error


def raise_for_disorder(values: FloatArray) -> NoReturn:
    """Raise the error of utilities with a nan, plus infinity or a row with nothing available, and say where."""
    wrong = np.isnan(values) | (values == np.inf)
    if np.any(wrong):
        *row, alternative = (int(index) for index in np.argwhere(wrong)[0])
        found = values[(*row, alternative)]
        raise InvalidInputError(
            f"utility must be a number below infinity, found {found} at {_place(row)}alternative {alternative} "
            f"(counted from 0); {int(wrong.sum())} such in all. Use -inf or availability for what cannot be chosen"
        )
    row = [int(index) for index in np.argwhere(~np.any(values > -np.inf, axis=-1))[0]]
    raise NoAvailableAlternativeError(
        f"every row needs an available alternative, found none at {_place(row).removesuffix(', ') or 'the only row'} "
        "(counted from 0)"
    )


def _place(row: list[int]) -> str:
    if not row:
        return ""
    return f"agent {row[0] if len(row) == 1 else tuple(row)}, "


def check_temperature(temperature: Any, what: str = "temperature") -> float | FloatArray:
    """Return a temperature, or one a row, as float64: finite and at least 0.

    Raises
    ------
    InvalidInputError
        For negative, nan, infinite or non-numeric temperatures.

    Examples
    --------
    >>> check_temperature(2)
    2.0
    """
    try:
        if np.asarray(temperature).dtype.kind not in "iufO":  # True and "1" would be read as numbers without a word
            raise TypeError(temperature)
        array = np.array(temperature, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(f"{what} must be a number, or one a row, found {temperature!r}") from error
    wrong = ~(np.isfinite(array) & (array >= 0))
    if np.any(wrong):
        found = float(array[wrong][0])
        raise InvalidInputError(f"{what} must be finite and at least 0, found {found}")
    if array.ndim == 0:
        return abs(float(array))  # -0.0 is 0
    array = np.abs(array)
    array.setflags(write=False)
    return array


def check_distribution(distribution: npt.ArrayLike, what: str = "probabilities") -> FloatArray:
    """Return a distribution over alternatives as float64: nowhere negative, each row summing to one.

    Raises
    ------
    InvalidInputError
        Where a row is not a distribution to 1e-9.

    Examples
    --------
    >>> check_distribution([0.25, 0.75])
    array([0.25, 0.75])
    """
    values = as_floats(distribution)
    if values.ndim == 0:
        raise ShapeError(f"{what} must have an axis of alternatives")
    with np.errstate(invalid="ignore"):
        gap = np.abs(values.sum(axis=-1) - 1)
    if not np.all(values >= 0) or not np.all(gap <= DISTRIBUTION_TOLERANCE):
        raise InvalidInputError(f"{what} must be at least 0 and sum to 1 over the alternatives of every row")
    return values


def hard_maximum(utility: FloatArray) -> FloatArray:
    """Probabilities of the hard maximum: tied maxima share 1/m.

    Parameters
    ----------
    utility : ndarray (..., J)
        As `available_utility` returns it.

    Returns
    -------
    ndarray (..., J)

    Examples
    --------
    >>> hard_maximum(np.array([1.0, 5.0, 5.0]))
    array([0. , 0.5, 0.5])
    """
    best = utility == utility.max(axis=-1, keepdims=True)
    return np.asarray(best / best.sum(axis=-1, keepdims=True))


def hard_jacobian_product(utility: FloatArray) -> FloatArray:
    """Return the derivative of the hard maximum's probabilities in any direction: 0, and nan at tied maxima.

    Parameters
    ----------
    utility : ndarray (..., J)
        As `available_utility` returns it.

    Returns
    -------
    ndarray (..., J)

    Notes
    -----
    Along a step that parts tied maxima their probabilities jump, so they have no derivative there; along one that
    does not they stay, but a Jacobian needs all directions.

    Examples
    --------
    >>> hard_jacobian_product(np.array([[1.0, 5.0, 5.0], [1.0, 2.0, 5.0]]))
    array([[ 0., nan, nan],
           [ 0.,  0.,  0.]])
    """
    best = utility == utility.max(axis=-1, keepdims=True)
    return np.where(best & (best.sum(axis=-1, keepdims=True) > 1), np.nan, 0.0)


def hard_jacobian_sum(utility: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the sum over rows of the Jacobian of the hard maximum's probabilities: 0, and nan at tied maxima.

    Parameters
    ----------
    utility : ndarray (..., J)
        As `available_utility` returns it.
    weights : ndarray (...)
        Rows of weight 0 add nothing.

    Returns
    -------
    ndarray (J, J)
        Each row the sum of `hard_jacobian_product`, which is the same in every direction.

    Examples
    --------
    >>> hard_jacobian_sum(np.array([[1.0, 5.0], [2.0, 2.0]]), np.array([1.0, 0.0]))
    array([[0., 0.],
           [0., 0.]])
    """
    n_alternatives = utility.shape[-1]
    kinks = hard_jacobian_product(utility[weights != 0]).sum(axis=0)
    return np.tile(kinks, (n_alternatives, 1))
