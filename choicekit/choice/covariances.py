"""What makes a table of numbers a covariance, checked once for all that are given one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError

__all__ = ["ROUNDING", "check_covariance", "covariance_root"]

FloatArray = npt.NDArray[np.float64]

ROUNDING = 1e-6
"""An eigenvalue of the correlation matrix this far below zero is taken for the rounding of a printed table."""


def check_covariance(names: Sequence[str], matrix: npt.ArrayLike) -> tuple[tuple[str, ...], FloatArray]:
    """Return names and a copy of the matrix, if it is square, finite and symmetric with variances of at least 0.

    Parameters
    ----------
    names : sequence of str
        K coefficients.
    matrix : array_like (K, K)

    Raises
    ------
    ShapeError
        Where the matrix is not of the size of `names`.
    InvalidInputError
        For repeated names, or entries that are no covariances. Whether the matrix is positive semidefinite is seen by
        `covariance_root`.

    Examples
    --------
    >>> check_covariance(["b"], [[4]])
    (('b',), array([[4.]]))
    """
    kept = tuple(str(name) for name in names)
    if len(set(kept)) != len(kept):
        raise InvalidInputError(f"a covariance must name each coefficient once, found {list(kept)}")
    try:
        table = np.array(matrix, dtype=np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInputError("a covariance must be a square table of numbers") from error
    size = len(kept)
    if table.shape != (size, size):
        raise ShapeError(f"the covariance of {size} coefficients must have shape {(size, size)}, found {table.shape}")
    _check_entries(kept, table)
    return kept, table


def _check_entries(names: tuple[str, ...], matrix: FloatArray) -> None:
    if not np.all(np.isfinite(matrix)):
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise InvalidInputError(
            f"a covariance must be finite, found {matrix[row, column]} for {names[row]!r} and {names[column]!r}"
        )
    for name, variance in zip(names, np.diag(matrix), strict=True):
        if variance < 0:
            raise InvalidInputError(f"the variance of {name!r} must be at least 0, found {variance:g}")
    relative, _ = _relative(matrix)
    apart = np.abs(relative - relative.T) > ROUNDING
    if apart.any():
        row, column = np.argwhere(apart)[0]
        raise InvalidInputError(
            f"a covariance must be symmetric, found {matrix[row, column]:g} for {names[row]!r} and "
            f"{names[column]!r} but {matrix[column, row]:g} the other way round"
        )


def covariance_root(matrix: FloatArray) -> FloatArray:
    """Return D C^(1/2), whose product with its transpose is the covariance.

    Parameters
    ----------
    matrix : ndarray (K, K)
        As `check_covariance` returns it.

    Returns
    -------
    ndarray (K, K)
        D holds the standard deviations, and C^(1/2) is the symmetric root of the correlations.

    Raises
    ------
    InvalidInputError
        Where the matrix is not positive semidefinite, beyond the rounding of a printed table.

    Examples
    --------
    >>> covariance_root(np.array([[4.0, 0.0], [0.0, 9.0]]))
    array([[2., 0.],
           [0., 3.]])
    """
    relative, errors = _relative(matrix)
    values, vectors = np.linalg.eigh(relative / 2 + relative.T / 2)
    if values.min(initial=0.0) < -ROUNDING:
        raise InvalidInputError(
            "a covariance must be positive semidefinite, but the smallest eigenvalue of its correlations is "
            f"{values.min():.3g}: check its entries, and give them with all their digits"
        )
    root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
    return np.asarray(errors[:, None] * root)


def _relative(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Correlations, and the standard deviations; a variance of 0 divides by 1."""
    errors = np.sqrt(np.diag(matrix))
    scale = np.where(errors > 0, errors, 1.0)
    return matrix / scale / scale[:, None], errors
