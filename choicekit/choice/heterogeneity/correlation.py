"""The covariance of the normal numbers behind random coefficients that are correlated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.covariances import ROUNDING, check_covariance, covariance_root
from choicekit.errors import InvalidInputError

__all__ = ["RandomCovariance"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class RandomCovariance:
    """How random coefficients differ among agents together.

    Parameters
    ----------
    names : sequence of str
        K coefficients; others are independent of these and of one another.
    matrix : array_like (K, K)
        Covariance of the normal numbers behind them: of the coefficient itself where it is normal, of its logarithm
        where it is lognormal. Finite, symmetric, positive semidefinite.

    Raises
    ------
    ShapeError
        Where the matrix is not of the size of `names`.
    InvalidInputError
        For repeated names, or a matrix that is no covariance.

    Notes
    -----
    An agent's coefficients lie L z from their means, L the lower triangular `factor` and z a row of independent
    standard normal numbers: the first name moves with the first number alone, the second with two, and so on. Another
    order of the names is the same law with other draws.

    References
    ----------
    Train (2009), "Discrete choice methods with simulation", section 9.2.5 (Choleski transformation).

    Examples
    --------
    >>> both = RandomCovariance(["b_cost", "b_time"], [[4.0, 2.0], [2.0, 2.0]])
    >>> both.factor
    array([[2., 0.],
           [1., 1.]])
    """

    names: Sequence[str]
    matrix: FloatArray

    def __post_init__(self) -> None:
        names, matrix = check_covariance(self.names, self.matrix)
        matrix.setflags(write=False)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "matrix", matrix)
        _ = self.factor

    @classmethod
    def from_mapping(cls, entries: Mapping[str, Mapping[str, float]]) -> Self:
        """Make a covariance of its entries by name, each pair once or, the same, both ways round.

        Parameters
        ----------
        entries : mapping of str to mapping of str to float
            ``{"a": {"a": 1.0}, "b": {"a": 0.5, "b": 2.0}}``; every name has its variance, and a pair that is left out
            is not correlated.

        Raises
        ------
        InvalidInputError
            For a name without a variance, a pair with two values, or a matrix that is no covariance.

        Examples
        --------
        >>> RandomCovariance.from_mapping({"a": {"a": 1.0}, "b": {"a": 0.5, "b": 2.0}}).matrix
        array([[1. , 0.5],
               [0.5, 2. ]])
        """
        names, given = _table(entries)
        lacking = [name for name in names if name not in entries.get(name, {})]
        if lacking:
            raise InvalidInputError(f"a covariance must hold the variance of {lacking[0]!r}: add it to its own row")
        errors = np.sqrt(np.abs(np.diag(given)))
        apart = np.abs(given - given.T) > ROUNDING * np.outer(errors, errors)
        if apart.any():  # nan where a pair is given once or not at all, and nan is not greater
            row, column = (int(place) for place in np.argwhere(apart)[0])
            raise InvalidInputError(
                f"a covariance must be symmetric, found {given[row, column]:g} for {names[row]!r} and "
                f"{names[column]!r} but {given[column, row]:g} the other way round: give the pair once"
            )
        return cls(names, np.where(np.isnan(given), np.where(np.isnan(given.T), 0.0, given.T), given))

    @classmethod
    def from_cholesky(cls, entries: Mapping[str, Mapping[str, float]]) -> Self:
        """Make a covariance L L' of its lower triangular factor by name, in the order of the rows.

        Parameters
        ----------
        entries : mapping of str to mapping of str to float
            Rows of L: ``{"a": {"a": 2.0}, "b": {"a": 1.0, "b": 1.0}}``. A row names coefficients up to its own; what is
            left out is 0. Entries on the diagonal may be 0 or negative, as estimates are: the law depends on L L'
            alone, whose factor with a diagonal of at least 0 is used.

        Raises
        ------
        InvalidInputError
            For an entry above the diagonal, or one that is not finite.

        Examples
        --------
        >>> RandomCovariance.from_cholesky({"a": {"a": -2.0}, "b": {"a": 1.0, "b": 1.0}}).matrix
        array([[ 4., -2.],
               [-2.,  2.]])
        """
        names, given = _table(entries)
        above = np.argwhere(np.triu(~np.isnan(given), 1))
        if len(above):
            row, column = above[0]
            raise InvalidInputError(
                f"a Cholesky factor must be lower triangular, found {names[column]!r} in the row of {names[row]!r}, "
                "before its own row: put it into the later of the two rows"
            )
        factor = np.where(np.isnan(given), 0.0, given)
        with np.errstate(over="ignore", invalid="ignore"):
            return cls(names, factor @ factor.T)

    def __repr__(self) -> str:
        return f"RandomCovariance({', '.join(self.names)})"

    @cached_property
    def factor(self) -> FloatArray:
        """Lower triangular L with L L' = `matrix` and a diagonal of at least 0, also where the matrix is singular."""
        _, triangle = np.linalg.qr(covariance_root(self.matrix).T)
        turned = np.where(np.diag(triangle) < 0, -triangle.T, triangle.T) + 0.0  # -0.0 is 0
        turned.setflags(write=False)
        return turned

    @property
    def spreads(self) -> dict[str, float]:
        """Standard deviation of each of the normal numbers, by name of the coefficient."""
        return dict(zip(self.names, np.sqrt(np.diag(self.matrix)).tolist(), strict=True))

    def deviations(self, z: FloatArray) -> FloatArray:
        """Return how far the normal numbers of agents lie from their means.

        Parameters
        ----------
        z : ndarray (..., K)
            Independent standard normal numbers, in the order of `names`.

        Returns
        -------
        ndarray (..., K)
            Correlated; the same for a row in any company.

        Examples
        --------
        >>> RandomCovariance(["a", "b"], [[4.0, 2.0], [2.0, 2.0]]).deviations(np.array([[1.0, 1.0]]))
        array([[2., 2.]])
        """
        # written out: a matrix product may round a row otherwise in another number of rows
        moved = np.zeros(z.shape)
        for place, column in enumerate(self.factor.T):
            moved[..., place:] += z[..., place, None] * column[place:]
        return moved


def _table(entries: Mapping[str, Mapping[str, float]]) -> tuple[list[str], FloatArray]:
    """Names in the order in which they are first met, rows before columns, and the entries, nan where none is given."""
    names = list(dict.fromkeys([*entries, *(name for row in entries.values() for name in row)]))
    table = np.full((len(names), len(names)), np.nan)
    for row, columns in entries.items():
        for column, value in columns.items():
            if isinstance(value, bool | str) or not np.isscalar(value) or not np.isfinite(value):
                raise InvalidInputError(
                    f"the entry of a covariance for {row!r} and {column!r} must be a finite number, found {value!r}"
                )
            table[names.index(row), names.index(column)] = value
    return names, table
