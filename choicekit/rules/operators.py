"""Other soft maxima: the Boltzmann operator and mellowmax, with their sharp bounds; and the one-hot argmax.

None of them is a rule: the Boltzmann operator is not monotone, so it is the value of no regularised maximum; mellowmax
is the value of softmax less a constant; the one-hot argmax breaks ties by position.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw

from choicekit.errors import InvalidInputError
from choicekit.rules.protocol import FloatArray
from choicekit.rules.softmax import Softmax
from choicekit.rules.tempered import scaled_utility
from choicekit.rules.utilities import available_utility, check_temperature, row_maximum, row_sum

__all__ = ["boltzmann", "boltzmann_gap", "mellowmax", "mellowmax_gap", "one_hot_argmax"]


def boltzmann(
    utility: npt.ArrayLike, temperature: float | npt.ArrayLike = 1.0, availability: npt.ArrayLike | None = None
) -> FloatArray:
    """Return the mean utility of what softmax chooses, softmax(u / T)'u.

    Parameters
    ----------
    utility : array_like (..., J)
        Systematic utility; minus infinity means unavailable.
    temperature : float or array_like (...)
        T >= 0 in units of utility; at T = 0 the maximum.
    availability : array_like of bool (..., J), optional
        True = available.

    Returns
    -------
    ndarray (...)
        At most the maximum, and at least that less `boltzmann_gap` of the number of alternatives.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        As `Softmax.probabilities`.

    Notes
    -----
    It is the inclusive value less T times the entropy of the choice probabilities. Unlike these it is *not* monotone:
    raising a utility that lies far below the others gives it more weight, and the mean falls. With utilities (0, x) and
    T = 1 it falls in x up to x = -1.278, where it is -0.278, as in the example.

    References
    ----------
    Asadi & Littman (2017), "An alternative softmax operator for reinforcement learning", ICML, section 2.

    Examples
    --------
    >>> boltzmann([1.0, 2.0, 3.0, 4.0, 5.0]).round(4)
    np.float64(4.4519)
    >>> boltzmann([[0.0, -4.0], [0.0, -2.0]]).round(4)  # the second utility is raised from -4 to -2
    array([-0.0719, -0.2384])
    """
    values = available_utility(utility, availability)
    weights, top = Softmax(check_temperature(temperature)).probabilities(values), row_maximum(values)
    with np.errstate(over="ignore", invalid="ignore"):  # what is infinitely far below has no weight
        below = np.where(weights > 0, weights * (values - top[..., None]), 0.0)
    return np.asarray(top + row_sum(below))[()]


def boltzmann_gap(n: int, temperature: float | npt.ArrayLike = 1.0) -> FloatArray:
    """Return the sharp upper bound on max - `boltzmann` over `n` alternatives, T W0((n - 1) / e).

    Parameters
    ----------
    n : int
        Number of alternatives, at least 1.
    temperature : float or array_like (...)
        T >= 0 in units of utility.

    Returns
    -------
    ndarray (...)

    Raises
    ------
    InvalidInputError
        For n below 1, or a temperature out of range.

    Notes
    -----
    W0 is Lambert's function. The bound is reached where n - 1 alternatives lie equally T + the bound below the best:
    for n - 1 alternatives d below, max - B is (n - 1) d / (exp(d / T) + n - 1).

    Examples
    --------
    >>> gap = boltzmann_gap(5)
    >>> bool(np.isclose(gap, -boltzmann([0.0, *[-1.0 - gap] * 4])))
    True
    """
    return np.asarray(check_temperature(temperature) * float(lambertw((_whole(n) - 1) / np.e).real))[()]


def mellowmax(
    utility: npt.ArrayLike, temperature: float | npt.ArrayLike = 1.0, availability: npt.ArrayLike | None = None
) -> FloatArray:
    """Return T log mean exp(u / T), between the mean and the maximum of the available utilities.

    Parameters
    ----------
    utility : array_like (..., J)
        Systematic utility; minus infinity means unavailable.
    temperature : float or array_like (...)
        T >= 0 in units of utility; at T = 0 the maximum, and towards the mean as T grows.
    availability : array_like of bool (..., J), optional
        True = available.

    Returns
    -------
    ndarray (...)
        At most the maximum, and more than that less `mellowmax_gap` of the number of available alternatives.

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        As `Softmax.value`.

    Notes
    -----
    It is the inclusive value less T log n, n the number of available alternatives: monotone and convex, its gradient
    the choice probabilities. It does not grow as copies of the alternatives are added.

    References
    ----------
    Asadi & Littman (2017), "An alternative softmax operator for reinforcement learning", ICML, section 4; their omega
    is 1 / T.

    Examples
    --------
    >>> mellowmax([1.0, 2.0, 3.0]).round(4)
    np.float64(2.309)
    >>> mellowmax([2.0, 2.0, 2.0])
    np.float64(2.0)
    """
    values = available_utility(utility, availability)
    fitted = Softmax(check_temperature(temperature))._fitted_temperature(values)
    scaled, there = scaled_utility(values, fitted), values > -np.inf
    n = there.sum(axis=-1)
    mean = row_sum(np.exp(scaled)) / n
    # a mean close to one has no digits left of what it lacks: these are summed by themselves
    close = np.log1p(np.maximum(row_sum(np.where(there, np.expm1(scaled), 0.0)) / n, -0.5))
    return np.asarray(row_maximum(values) + fitted * np.where(mean > 0.5, close, np.log(mean)))[()]


def mellowmax_gap(n: int, temperature: float | npt.ArrayLike = 1.0) -> FloatArray:
    """Return the sharp upper bound on max - `mellowmax` over `n` alternatives, T log n.

    Parameters
    ----------
    n : int
        Number of alternatives, at least 1.
    temperature : float or array_like (...)
        T >= 0 in units of utility.

    Returns
    -------
    ndarray (...)

    Raises
    ------
    InvalidInputError
        For n below 1, or a temperature out of range.

    Notes
    -----
    It is approached as all but the best fall, and not reached while they are available.

    Examples
    --------
    >>> mellowmax_gap(5).round(4), -mellowmax([0.0, -9.0, -9.0, -9.0, -9.0]).round(4)
    (np.float64(1.6094), np.float64(1.6089))
    """
    return np.asarray(check_temperature(temperature) * np.log(_whole(n)))[()]


def one_hot_argmax(utility: npt.ArrayLike, availability: npt.ArrayLike | None = None) -> FloatArray:
    """Return 1 at the first maximum of each row and 0 elsewhere.

    Parameters
    ----------
    utility : array_like (..., J)
        Systematic utility; minus infinity means unavailable.
    availability : array_like of bool (..., J), optional
        True = available.

    Returns
    -------
    ndarray (..., J)

    Raises
    ------
    InvalidInputError, NoAvailableAlternativeError, ShapeError
        As `Softmax.probabilities`.

    See Also
    --------
    Hardmax : the limit of softmax as T falls to 0, in which tied maxima share 1/m. Here the first of them takes all,
        so the answer depends on the order of the alternatives.

    Examples
    --------
    >>> one_hot_argmax([1.0, 5.0, 5.0])
    array([0., 1., 0.])
    """
    values = available_utility(utility, availability)
    return np.asarray(np.arange(values.shape[-1]) == values.argmax(axis=-1)[..., None], dtype=np.float64)


def _whole(n: object) -> int:
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise InvalidInputError(f"the bound needs a whole number of alternatives of at least 1, found {n!r}")
    return int(n)
