"""Quasi-random nodes for integrals over random coefficients: Sobol's points, scrambled and shifted by address.

The points of all agents are the same scrambled Sobol set, moved by shifts of their own: XOR with 52 random bits for
each agent, coefficient and shift. Every moved point is uniform, so averages are unbiased; the points of one shift stay
spread as evenly as Sobol's; and the shifts are independent, so their averages tell the error.

=============  =====================================================================================
random number  address, under ``Stage.INTEGRATION``
=============  =====================================================================================
shift          (seed, replication = index of the shift, agent, coefficient): upper 52 bits of the word
scramble       (seed, replication = 2^32, input digit, coefficient): upper 32 bits
=============  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError
from choicekit.random import Draws, Stage, alternative_words, check_seed

__all__ = ["FEWEST_SHIFTS", "QuasiRandomNodes", "shifted_uniforms", "sobol_integers", "standard_error"]

FloatArray = npt.NDArray[np.float64]
UIntArray = npt.NDArray[np.uint64]

FEWEST_SHIFTS = 8
"""The fewest shifts that tell their own error."""

MOST_DIMENSIONS = 21_201
"""Dimensions that Joe & Kuo (2008) give direction numbers for."""

_DIGITS = 32  # binary digits of a Sobol point
_SPARE = np.uint64(52 - _DIGITS)
_SCRAMBLE = 2**32  # replication of the scramble, which no shift has


@lru_cache(maxsize=4)
def sobol_integers(n_points: int, n_dimensions: int) -> UIntArray:
    """Return the first points of Sobol's sequence, times 2^32.

    Parameters
    ----------
    n_points : int
        A power of two: only then is every elementary interval met alike.
    n_dimensions : int
        From 1 to 21201.

    Returns
    -------
    ndarray (n_points, n_dimensions) of uint64
        Read-only, each below 2^32, the first of them 0. Fewer points are the first of more.

    Raises
    ------
    InvalidInputError
        For another number of points, or too many dimensions.

    References
    ----------
    Sobol' (1967), "On the distribution of points in a cube"; direction numbers of Joe & Kuo (2008), "Constructing Sobol
    sequences with better two-dimensional projections", SIAM J. Sci. Comput. 30.

    Examples
    --------
    >>> sobol_integers(4, 2) / 2**32
    array([[0.  , 0.  ],
           [0.5 , 0.5 ],
           [0.75, 0.25],
           [0.25, 0.75]])
    """
    _check_points(n_points)
    if not 1 <= n_dimensions <= MOST_DIMENSIONS:
        raise InvalidInputError(
            f"quasi-random points have from 1 to {MOST_DIMENSIONS:,} dimensions, one for each random coefficient, "
            f"found {n_dimensions:,}"
        )
    from scipy.stats import qmc

    points = qmc.Sobol(n_dimensions, scramble=False, bits=_DIGITS).random(n_points)
    whole = (points * 2.0**_DIGITS).astype(np.uint64)
    whole.setflags(write=False)
    return whole


def _check_points(number: object) -> None:
    whole = int(number) if isinstance(number, int | np.integer) and not isinstance(number, bool) else 0
    if not 1 <= whole <= 2**_DIGITS or whole.bit_count() != 1:
        near = 2 ** min(_DIGITS, max(whole - 1, 0).bit_length())
        raise InvalidInputError(
            f"the number of quasi-random points must be a power of two up to 2^{_DIGITS}, found {number}: try {near:,}"
        )


def _scrambled(points: UIntArray, seed: int, words: UIntArray) -> UIntArray:
    """Multiply the digits of each coordinate by a random lower triangular matrix of its own, modulo 2."""
    places = np.arange(_DIGITS, dtype=np.uint64)
    draws = Draws(seed=seed, stage=Stage.INTEGRATION, rows=places, alternatives=words)
    random = (draws.uniforms(_SCRAMBLE) * 2.0**_DIGITS).astype(np.uint64)
    result = np.zeros_like(points)
    one = np.uint64(1)
    for place in places:  # from the first digit after the point
        position = np.uint64(_DIGITS - 1) - place
        # a digit sets itself, and any of those after it
        column = (one << position) | (random[place] & ((one << position) - one))
        result ^= ((points >> position) & one) * column
    return result


def shifted_uniforms(point: UIntArray, shifts: UIntArray, out: FloatArray | None = None) -> FloatArray:
    """Return one point moved by the digital shifts of some agents, as uniform numbers.

    Parameters
    ----------
    point : ndarray (D,) of uint64
        Coordinates times 2^52.
    shifts : ndarray (n, D) of uint64
        52 random bits each.
    out : ndarray (n, D), optional
        Where to put the result.

    Returns
    -------
    ndarray (n, D)
        ((point XOR shift) + 1/2) / 2^52: never 0 and never 1.

    Examples
    --------
    >>> shifted_uniforms(np.array([1 << 51], dtype=np.uint64), np.array([[0], [1 << 51]], dtype=np.uint64)).round(6)
    array([[0.5],
           [0. ]])
    """
    result = np.empty(np.broadcast_shapes(point.shape, shifts.shape)) if out is None else out
    np.copyto(result, point ^ shifts, casting="unsafe")  # exact: whole numbers below 2^52
    result += 0.5
    result *= 2.0**-52
    return result


def standard_error(by_shift: npt.ArrayLike) -> FloatArray:
    """Return the standard error of an average over independent shifts.

    Parameters
    ----------
    by_shift : array_like (S, ...)
        The average of each shift.

    Returns
    -------
    ndarray (...)
        Standard deviation over the shifts, divided by the root of their number.

    Raises
    ------
    InvalidInputError
        For fewer than two shifts.

    Examples
    --------
    >>> standard_error([1.0, 2.0, 3.0, 2.0]).round(4)
    np.float64(0.4082)
    """
    values = np.asarray(by_shift, dtype=np.float64)
    if values.ndim == 0 or len(values) < 2:
        raise InvalidInputError("a standard error needs at least two shifts")
    return np.asarray(values.std(axis=0, ddof=1) / np.sqrt(len(values)))[()]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class QuasiRandomNodes:
    """The nodes at which an integral over random coefficients is taken, for any agents.

    Attributes
    ----------
    seed : int
        In [0, 2^64).
    names : tuple of str
        The D random coefficients; the order says which dimension of Sobol's sequence each one gets.
    n_points : int
        Points of a shift, a power of two.
    n_shifts : int
        Independent shifts, at least 8.

    Raises
    ------
    InvalidInputError
        For numbers out of range, or repeated names.

    Notes
    -----
    The average of a function over all nodes is an unbiased estimate of its integral over the unit cube, and
    `standard_error` of its averages by shift tells how far off it is. For smooth functions the error falls nearly as
    1 / n_points, against 1 / sqrt(n_points) for random draws; it falls with the root of the number of shifts.

    References
    ----------
    Matousek (1998), "On the L2-discrepancy for anchored boxes", J. Complexity 14 (linear scrambling). L'Ecuyer &
    Lemieux (2002), "Recent advances in randomized quasi-Monte Carlo methods", sections 4.3 (digital shifts) and 5.

    Examples
    --------
    >>> nodes = QuasiRandomNodes(seed=1, names=("b_time",), n_points=64)
    >>> total = sum(uniform[:, 0] ** 2 for _, _, uniform in nodes.uniforms(np.arange(2, dtype=np.uint64)))
    >>> np.abs(total / nodes.n_nodes - 1 / 3) < 1e-3
    array([ True,  True])
    """

    seed: int
    names: Sequence[str]
    n_points: int = 128
    n_shifts: int = FEWEST_SHIFTS

    def __post_init__(self) -> None:
        check_seed(self.seed)
        object.__setattr__(self, "names", tuple(self.names))
        _ = self._words
        if not isinstance(self.n_shifts, int | np.integer) or not FEWEST_SHIFTS <= self.n_shifts < _SCRAMBLE:
            raise InvalidInputError(
                f"quasi-random nodes need at least {FEWEST_SHIFTS} shifts, so that these tell their error, "
                f"found {self.n_shifts}"
            )
        _ = self.points

    def __repr__(self) -> str:
        return f"QuasiRandomNodes({', '.join(self.names)}: {self.n_shifts} shifts of {self.n_points} points)"

    @property
    def n_nodes(self) -> int:
        """Number of shifts times number of points."""
        return self.n_shifts * self.n_points

    @cached_property
    def points(self) -> UIntArray:
        """The scrambled Sobol points times 2^52, the same for all agents, shape (n_points, D)."""
        plain = sobol_integers(self.n_points, len(self.names))
        return _scrambled(plain, self.seed, self._words) << _SPARE

    def shifts(self, agents: UIntArray) -> Iterator[tuple[int, UIntArray]]:
        """Yield each shift's index and its 52 random bits for every agent and coefficient, shape (n, D).

        Parameters
        ----------
        agents : ndarray (n,) of uint64
            Words of agents, from `choicekit.random.identifier_words`; one may occur again and is moved alike.
        """
        draws = Draws(seed=self.seed, stage=Stage.INTEGRATION, rows=agents, alternatives=self._words)
        for pair in range((self.n_shifts + 1) // 2):
            for shift, uniform in enumerate(draws.uniform_pair(pair), start=2 * pair):
                if shift < self.n_shifts:
                    yield shift, (uniform * 2.0**52).astype(np.uint64)

    def uniforms(self, agents: UIntArray) -> Iterator[tuple[int, int, FloatArray]]:
        """Yield the index of the shift, that of the point, and the uniform numbers (n, D) of each node.

        Parameters
        ----------
        agents : ndarray (n,) of uint64
            Words of agents, from `choicekit.random.identifier_words`; one may occur again and is moved alike.

        Notes
        -----
        An agent's numbers do not depend on which others there are, nor on their order. The array of a node is
        overwritten by the next: copy what is to be kept.
        """
        buffer = np.empty((len(agents), len(self.names)))
        for shift, bits in self.shifts(agents):
            for place, point in enumerate(self.points):
                yield shift, place, shifted_uniforms(point, bits, out=buffer)

    @cached_property
    def _words(self) -> UIntArray:
        if len(set(self.names)) != len(self.names):
            raise InvalidInputError(f"random coefficients must have distinct names, found {list(self.names)}")
        return alternative_words(list(self.names))
