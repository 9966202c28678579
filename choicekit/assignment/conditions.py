"""What is asked of the sums of a coupling over one of its sides.

A condition knows four things of a side whose sums are r and whose potentials are f: which potential brings its sums
about when the other side is held (the proximal update), what sums it asks for at given potentials, how much it takes
off the objective, and the conjugate of that, which the dual adds up. This is all that a solver needs, so every pair of
conditions can be solved. The dual of

    maximise  <P, U> + T H(P) - F(row sums of P) - G(column sums of P)

is  minimise  T sum(P) + F*(-f) + G*(-g)  with  P = R exp((U + f + g) / T),  and F*(y) = sup <y, r> - F(r).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from choicekit.errors import InvalidInputError, ShapeError
from choicekit.rules.utilities import as_floats

__all__ = ["AtMost", "Fixed", "Free", "MarginalCondition", "Relaxed", "WithOutsideOption", "is_finite_number"]

FloatArray = npt.NDArray[np.float64]


@runtime_checkable
class MarginalCondition(Protocol):
    """What is asked of the sums of a coupling over one side, of n places.

    In the methods, `log_sums` are logarithms of what the sums would be at potential 0 with the other side held,
    log sum_j R_ij exp((U_ij + g_j) / T), and `temperature` is T > 0.
    """

    name: ClassVar[str]
    bounded: ClassVar[bool]
    """Whether potentials must not be above 0."""
    limiting: ClassVar[bool]
    """Whether no more than the masses may be in the coupling."""
    difficulty: ClassVar[int]
    """How hard a side is on Newton's method: the harder of two is solved for by elimination."""

    @property
    def mass(self) -> FloatArray | None:
        """What the side holds, shape (n,), or None where it may hold anything."""
        ...

    def potential(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """Return the potentials f with which the sums exp(f / T + log_sums) are what they should be."""
        ...

    def response(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """Return by how much a potential falls, in units of T, where the logarithm of the sum grows by 1: 0 to 1."""
        ...

    def wanted(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """Return the sums that these potentials ask for; where all sums will do, the sums there are."""
        ...

    def curvature(self, potential: FloatArray, temperature: float) -> FloatArray:
        """Return minus the derivative of `wanted` by the potential."""
        ...

    def penalty(self, sums: FloatArray, temperature: float) -> float:
        """Return F(sums), what the condition takes off the objective where it can be met."""
        ...

    def conjugate(self, potential: FloatArray, temperature: float) -> float:
        """Return F*(-f)."""
        ...

    def outside(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """Return how much of each place's mass is not in the coupling by the condition's leave: singles or slack."""
        ...

    def restricted(self, places: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> MarginalCondition:
        """Return the same condition for some of the places."""
        ...


def _check_mass(mass: npt.ArrayLike, name: str) -> FloatArray:
    found = as_floats(mass, f"the mass of {name}")
    if found.ndim != 1 or found.size == 0:
        raise ShapeError(f"the mass of {name} must be one number a place, (n,), found shape {found.shape}")
    wrong = np.flatnonzero(~(np.isfinite(found) & (found >= 0)))
    if wrong.size:
        more = "" if wrong.size == 1 else f" and {wrong.size - 1} more"
        raise InvalidInputError(
            f"masses must be finite numbers of at least 0, found {found[wrong[0]]} at place {wrong[0]} of {name}{more}"
            ": a place without anything has mass 0"
        )
    found = found.copy()
    found.setflags(write=False)
    return found


def is_finite_number(value: object) -> bool:
    """Whether something is one real number below infinity: no truth value, text or complex number."""
    found = np.asarray(value)
    return found.ndim == 0 and found.dtype.kind in "iuf" and bool(np.isfinite(found))


def _fit(mass: FloatArray, log_sums: FloatArray, temperature: float) -> FloatArray:
    """Return T log(mass / sums), minus infinity for no mass."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(mass > 0, temperature * (np.log(mass) - log_sums), -np.inf)


class _Lenient:
    """What a condition does that takes nothing off the objective and leaves nothing outside."""

    bounded: ClassVar[bool] = False
    limiting: ClassVar[bool] = True

    def curvature(self, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: 0."""
        return np.zeros_like(potential)

    def penalty(self, sums: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: 0."""
        return 0.0

    def outside(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: nothing."""
        return np.zeros_like(sums)


@dataclass(frozen=True, eq=False)
class _OfMass(_Lenient):
    """A condition on places that hold some mass each."""

    mass: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "mass", _check_mass(self.mass, type(self).__name__))

    def conjugate(self, potential: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: -<f, mass>, for potentials that may be had."""
        held = self.mass > 0
        return -float(potential[held] @ self.mass[held])

    def restricted(self, places: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Self:
        """See `MarginalCondition`."""
        return replace(self, mass=self.mass[places])


@dataclass(frozen=True, eq=False)
class Fixed(_OfMass):
    """Sums are the masses.

    Parameters
    ----------
    mass : array_like (n,)
        At least 0, and finite.

    Raises
    ------
    InvalidInputError, ShapeError
        For other masses; the message names the place.

    Examples
    --------
    >>> Fixed([0.5, 0.5]).potential(np.zeros(2), 1.0).round(3)
    array([-0.693, -0.693])
    """

    name: ClassVar[str] = "fixed"
    difficulty: ClassVar[int] = 0

    def potential(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: T log(mass / sums)."""
        return _fit(self.mass, log_sums, temperature)

    def response(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: 1."""
        return np.ones_like(log_sums)

    def wanted(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the masses."""
        return self.mass


@dataclass(frozen=True, eq=False)
class AtMost(_OfMass):
    """Sums are at most the masses: capacities. Minus the potential is the price of a place, 0 where there is room.

    Parameters
    ----------
    mass : array_like (n,)
        Capacities, at least 0, and finite.

    Raises
    ------
    InvalidInputError, ShapeError
        For other masses; the message names the place.

    Examples
    --------
    >>> AtMost([0.5, 2.0]).potential(np.zeros(2), 1.0).round(3)
    array([-0.693,  0.   ])
    """

    name: ClassVar[str] = "at_most"
    bounded: ClassVar[bool] = True
    difficulty: ClassVar[int] = 3

    def potential(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: T log(mass / sums), but at most 0."""
        return np.minimum(_fit(self.mass, log_sums, temperature), 0.0)

    def response(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: 1 where the place is full, else 0."""
        return (_fit(self.mass, log_sums, temperature) < 0).astype(np.float64)

    def wanted(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the masses where there is a price, and at most the masses elsewhere."""
        return np.where(potential < 0, self.mass, np.minimum(sums, self.mass))

    def outside(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the room left."""
        return np.maximum(self.mass - sums, 0.0)


@dataclass(frozen=True, eq=False)
class Relaxed(_OfMass):
    """Sums may leave the masses at a cost of strength * sum(r log(r / mass) - r + mass).

    Parameters
    ----------
    mass : array_like (n,)
        At least 0, and finite.
    strength : float
        Above 0, in units of utility; the larger, the nearer sums stay to the masses.

    Raises
    ------
    InvalidInputError, ShapeError
        For other masses or strengths.

    References
    ----------
    Chizat, Peyre, Schmitzer & Vialard (2018), "Scaling algorithms for unbalanced optimal transport problems",
    Mathematics of Computation 87, table 1.

    Examples
    --------
    >>> Relaxed([0.5], strength=1.0).potential(np.zeros(1), 1.0).round(3)
    array([-0.347])
    """

    strength: float
    name: ClassVar[str] = "relaxed"
    limiting: ClassVar[bool] = False
    difficulty: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (is_finite_number(self.strength) and self.strength > 0):
            raise InvalidInputError(
                f"the strength of Relaxed must be a finite number above 0, found {self.strength!r}: "
                "Free has none, and Fixed has no end to it"
            )
        object.__setattr__(self, "strength", float(self.strength))

    def potential(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: that of fixed sums times strength / (strength + T)."""
        return _fit(self.mass, log_sums, temperature) / (1.0 + temperature / self.strength)

    def response(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: strength / (strength + T)."""
        return np.full_like(log_sums, 1.0 / (1.0 + temperature / self.strength))

    def wanted(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: mass exp(-f / strength)."""
        held = self.mass > 0
        with np.errstate(over="ignore"):
            return np.where(held, self.mass * np.exp(-np.where(held, potential, 0.0) / self.strength), 0.0)

    def curvature(self, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: mass exp(-f / strength) / strength."""
        return self.wanted(potential, potential, temperature) / self.strength

    def penalty(self, sums: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: strength times the divergence of the sums from the masses."""
        from scipy.special import rel_entr, xlog1py

        near = (self.mass > 0) & (sums < 2.0 * self.mass)  # there large terms of opposite sign would nearly cancel
        mass, other = self.mass[near], ~near
        relative = (sums[near] - mass) / mass
        divergence = np.sum(mass * (xlog1py(1.0 + relative, relative) - relative))
        divergence += np.sum(rel_entr(sums[other], self.mass[other]) - sums[other] + self.mass[other])
        return self.strength * float(divergence)

    def conjugate(self, potential: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: strength * sum(mass (exp(-f / strength) - 1))."""
        held = self.mass > 0
        with np.errstate(over="ignore"):
            return self.strength * float(self.mass[held] @ np.expm1(-potential[held] / self.strength))


@dataclass(frozen=True, eq=False)
class Free(_Lenient):
    """Sums may be anything.

    Examples
    --------
    >>> Free().potential(np.array([1.0, 2.0]), 1.0)
    array([0., 0.])
    """

    name: ClassVar[str] = "free"
    limiting: ClassVar[bool] = False
    difficulty: ClassVar[int] = 0

    @property
    def mass(self) -> None:
        """See `MarginalCondition`: none."""
        return None

    def potential(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: 0."""
        return np.zeros_like(log_sums)

    def response(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: 0."""
        return np.zeros_like(log_sums)

    def wanted(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the sums."""
        return sums

    def conjugate(self, potential: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: 0, for potentials of 0."""
        return 0.0

    def restricted(self, places: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Free:
        """See `MarginalCondition`."""
        return self


@dataclass(frozen=True, eq=False)
class WithOutsideOption(_OfMass):
    """Sums and singles together are the masses; to stay single has utility 0 and an entropy of its own.

    Parameters
    ----------
    mass : array_like (n,)
        At least 0, and finite.
    entropy_weight : float
        What the entropy of singles, -sum(s (log s - 1)), weighs in units of T. A problem sets it: 1/2 where both sides
        have an outside option (taste shocks of scale T / 2 on both sides, Choo & Siow), else 1.

    Raises
    ------
    InvalidInputError, ShapeError
        For other masses; the message names the place.

    References
    ----------
    Choo & Siow (2006), "Who marries whom and why", Journal of Political Economy 114, equation 10. Galichon & Salanie
    (2022), "Cupid's invisible hand", Review of Economic Studies 89, section 3.

    Examples
    --------
    >>> WithOutsideOption([1.0]).potential(np.zeros(1), 1.0).round(3)
    array([-0.693])
    """

    entropy_weight: float = field(default=1.0, kw_only=True)
    name: ClassVar[str] = "with_outside_option"
    difficulty: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.entropy_weight not in (0.5, 1.0):
            raise InvalidInputError(f"entropy_weight must be 1 or 1/2, found {self.entropy_weight!r}")

    def potential(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: singles exp(f / (weight T)) and sums make up the mass."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_mass = np.log(self.mass)
            if self.entropy_weight == 1.0:
                return temperature * (log_mass - np.logaddexp(log_sums, 0.0))
            # x = exp(f / T) solves x^2 + K x = mass, so that x = 2 mass / (K + root(K^2 + 4 mass))
            root = 0.5 * np.logaddexp(2.0 * log_sums, np.log(4.0) + log_mass)
            fitted = temperature * (np.log(2.0) + log_mass - np.logaddexp(log_sums, root))
            return np.where(self.mass > 0, fitted, -np.inf)

    def response(self, log_sums: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: K / (K + 1), or K / root(K^2 + 4 mass) where singles weigh 1/2."""
        if self.entropy_weight == 1.0:
            return np.exp(-np.logaddexp(0.0, -log_sums))
        with np.errstate(divide="ignore", invalid="ignore"):
            other = np.log(4.0) + np.log(self.mass) - 2.0 * log_sums
            return np.where(self.mass > 0, np.exp(-0.5 * np.logaddexp(0.0, other)), 1.0)

    def wanted(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the mass less the singles."""
        if temperature == 0:
            return np.where(potential < 0, self.mass, np.minimum(sums, self.mass))
        return self.mass - self._singles(potential, temperature)

    def curvature(self, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the singles over weight times T."""
        return self._singles(potential, temperature) / (self.entropy_weight * temperature)

    def penalty(self, sums: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: minus weight times T times the entropy of the singles."""
        from scipy.special import entr

        singles = np.maximum(self.mass - sums, 0.0)
        return -self.entropy_weight * temperature * float(np.sum(entr(singles) + singles))

    def conjugate(self, potential: FloatArray, temperature: float) -> float:
        """See `MarginalCondition`: weight times T times the number of singles, less <f, mass>."""
        held = self.mass > 0
        singles = float(self._singles(potential, temperature).sum()) if temperature > 0 else 0.0
        return self.entropy_weight * temperature * singles - float(potential[held] @ self.mass[held])

    def outside(self, sums: FloatArray, potential: FloatArray, temperature: float) -> FloatArray:
        """See `MarginalCondition`: the singles, exp(f / (weight T)); at T = 0 whoever is left."""
        if temperature == 0:
            return np.maximum(self.mass - sums, 0.0)
        return self._singles(potential, temperature)

    def _singles(self, potential: FloatArray, temperature: float) -> FloatArray:
        with np.errstate(over="ignore"):
            return np.exp(potential / self.entropy_weight / temperature)
