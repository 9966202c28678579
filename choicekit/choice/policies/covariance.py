"""The covariance of coefficients that were estimated, and draws from their distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from choicekit.choice.covariances import ROUNDING, check_covariance, covariance_root
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.random import Draws, Stage, alternative_words

__all__ = ["ROUNDING", "CoefficientCovariance"]

FloatArray = npt.NDArray[np.float64]

_LARGEST_ERROR = 1e150  # its square must be a number


@dataclass(frozen=True, eq=False, repr=False)
class CoefficientCovariance:
    """How uncertain estimated coefficients are, together.

    Parameters
    ----------
    names : sequence of str
        K coefficients; those of a model that are not among them are taken as known exactly.
    matrix : array_like (K, K)
        Their covariance: finite, symmetric, positive semidefinite.

    Raises
    ------
    ShapeError
        Where the matrix is not square, or not of the size of `names`.
    InvalidInputError
        For repeated names, or a matrix that is no covariance.

    Notes
    -----
    A draw is theta + D C^(1/2) z, D the standard errors, C the correlations with their symmetric square root, and z
    independent standard normal numbers addressed by the seed, the draw and the name of the coefficient: drawing
    coefficients in another order is the same up to rounding, and so is drawing others beside them that are not
    correlated with these (Krinsky & Robb's method).

    References
    ----------
    Krinsky & Robb (1986), "On approximating the statistical properties of elasticities", Review of Economics and
    Statistics 68.

    Examples
    --------
    >>> errors = CoefficientCovariance(["asc", "b_cost"], [[0.04, 0.0], [0.0, 0.01]])
    >>> errors.standard_errors.to_dict()
    {'asc': 0.2, 'b_cost': 0.1}
    """

    names: Sequence[str]
    matrix: FloatArray

    def __post_init__(self) -> None:
        names, matrix = check_covariance(self.names, self.matrix)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "matrix", matrix)
        _ = self._root

    @classmethod
    def from_standard_errors(cls, errors: Mapping[str, float]) -> Self:
        """Make the covariance of coefficients that were estimated independently.

        Parameters
        ----------
        errors : mapping of str to float
            Standard errors of at least 0.

        Raises
        ------
        InvalidInputError
            For a negative one.

        Examples
        --------
        >>> float(CoefficientCovariance.from_standard_errors({"b": 0.1}).matrix[0, 0].round(6))
        0.01
        """
        for name, error in errors.items():
            if not 0 <= error <= _LARGEST_ERROR:
                wanted = "at least 0" if not error >= 0 else f"at most {_LARGEST_ERROR:g}, as its square is needed"
                raise InvalidInputError(f"the standard error of {name!r} must be {wanted}, found {error}")
        return cls(tuple(errors), np.diag(np.square(np.array(list(errors.values()), dtype=np.float64))))

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Make a covariance of a square table with the names of the coefficients on both axes, in any order.

        Raises
        ------
        ShapeError
            Where rows and columns have different names.

        Examples
        --------
        >>> CoefficientCovariance.from_frame(pd.DataFrame([[0.01]], index=["b"], columns=["b"]))
        CoefficientCovariance(b)
        """
        names = [str(name) for name in frame.columns]
        rows = frame.set_axis([str(name) for name in frame.index], axis=0).set_axis(names, axis=1)
        if sorted(rows.index) != sorted(names):
            raise ShapeError("the rows and the columns of a covariance must name the same coefficients")
        return cls(names, rows.loc[names, names].to_numpy())

    def __repr__(self) -> str:
        return f"CoefficientCovariance({', '.join(self.names)})"

    @property
    def standard_errors(self) -> pd.Series[float]:
        """Standard error of each coefficient."""
        return pd.Series(np.sqrt(np.diag(self.matrix)), index=pd.Index(self.names, name="coefficient"))

    def draw(self, coefficients: Mapping[str, float], *, seed: int, replication: int) -> dict[str, float]:
        """Draw the coefficients that are uncertain.

        Parameters
        ----------
        coefficients : mapping of str to float
            Their estimates.
        seed, replication : int
            Address of the draw.

        Raises
        ------
        InvalidInputError
            Where `coefficients` lacks one of them.

        Examples
        --------
        >>> errors = CoefficientCovariance(["b"], [[0.01]])
        >>> errors.draw({"b": 1.0}, seed=1, replication=0) == errors.draw({"b": 1.0}, seed=1, replication=1)
        False
        """
        for name in self.names:
            if name not in coefficients:
                known = ", ".join(coefficients) or "none"
                raise InvalidInputError(f"the covariance names {name!r}, which is no coefficient: there are {known}")
        draws = Draws(
            seed=seed,
            stage=Stage.PARAMETER,
            rows=np.zeros(1, dtype=np.uint64),
            alternatives=alternative_words(list(self.names)),
        )
        moved = self._root @ special.ndtri(draws.uniforms(replication)[0])
        return {name: coefficients[name] + float(step) for name, step in zip(self.names, moved, strict=True)}

    @cached_property
    def _root(self) -> FloatArray:
        """D C^(1/2): its product with its transpose is the covariance."""
        return covariance_root(self.matrix)
