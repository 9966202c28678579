"""What a station of the tour is made of: numbers, claims about them, and printed numbers they are held to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from choicekit.errors import ShapeError

__all__ = ["Claim", "FloatArray", "IntArray", "Published", "Station", "law"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROUNDING = 1e-12
"""How far numbers that are equal in theory may lie apart, relative to the larger of 1 and the largest utility."""

LEAST_P_VALUE = 1e-4
"""The least probability of counts as far from their law as found; a right program falls below it once in 10,000."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Something the tour says, computed and checked.

    Attributes
    ----------
    name : str
        Slug, unique in its station.
    title : str
        What must hold, in words.
    measure : str
        How it was measured.
    value, limit : float
        What was found and what is allowed.
    relation : {"<=", ">="}
        How `value` must stand to `limit`.
    unit : {"", "share", "rows", "p-value"}
        What `value` and `limit` are.

    Examples
    --------
    >>> Claim(name="sum", title="shares sum to one", measure="distance", value=0.0, limit=1e-12, relation="<=").holds
    True
    """

    name: str
    title: str
    measure: str
    value: float
    limit: float
    relation: Literal["<=", ">="]
    unit: Literal["", "share", "rows", "p-value"] = ""

    @property
    def holds(self) -> bool:
        """Whether it is so; never with nan."""
        return self.value <= self.limit if self.relation == "<=" else self.value >= self.limit


def law(name: str, title: str, distance: npt.ArrayLike, *, scale: float = 1.0, measure: str = "") -> Claim:
    """Return the claim that two numbers are equal but for rounding.

    Parameters
    ----------
    name, title : str
    distance : array_like
        Differences; the largest counts.
    scale : float
        Size of the numbers compared; rounding is relative to it where it is above 1.
    measure : str
        How it was measured; by default the largest distance.

    Examples
    --------
    >>> law("sum", "shares sum to one", 0.1 + 0.2 - 0.3).holds
    True
    """
    return Claim(
        name=name,
        title=title,
        measure=measure or "largest distance",
        value=float(np.max(np.abs(distance))),
        limit=ROUNDING * max(1.0, scale),
        relation="<=",
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Published:
    """Numbers as they stand in print, beside ours.

    Attributes
    ----------
    name : str
        Slug, unique in its station.
    quantity : str
        What the numbers are, in words.
    printed : tuple of str
        As printed, with all their digits.
    computed : ndarray (len(printed),)
        Ours.
    cut : bool
        Whether digits were cut in print, not rounded.

    Examples
    --------
    >>> third = Published(name="third", quantity="a third", printed=(".333",), computed=np.array([1 / 3]))
    >>> third.claim().holds
    True
    """

    name: str
    quantity: str
    printed: tuple[str, ...]
    computed: FloatArray
    cut: bool = False

    def __post_init__(self) -> None:
        if self.computed.shape != (len(self.printed),):
            raise ShapeError(f"{len(self.printed)} numbers are printed, found {self.computed.shape} computed")

    @property
    def expected(self) -> FloatArray:
        """The printed numbers."""
        return np.array([float(text) for text in self.printed])

    @property
    def tolerance(self) -> float:
        """Half a unit of the last digit printed, a whole one where digits were cut; and a rounding."""
        digits = max(len(text.partition(".")[2]) for text in self.printed)
        return (1.0 if self.cut else 0.5) * 10.0**-digits + float(np.spacing(np.abs(self.expected).max()))

    def claim(self) -> Claim:
        """Return the claim that ours round to the printed ones."""
        return Claim(
            name=f"{self.name}_printed",
            title=f"{self.quantity}: as printed",
            measure="largest distance from the printed digits",
            value=float(np.abs(self.computed - self.expected).max()),
            limit=self.tolerance,
            relation="<=",
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Station:
    """A stop of the tour: a few numbers and what is claimed of them.

    Attributes
    ----------
    name : str
        Slug, the word for it in YAML.
    title : str
        What it shows, in a sentence.
    checks : tuple of Claim
    published : tuple of Published
        Printed numbers, where the utilities are those of the print; each is among the checks too.
    """

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""

    checks: tuple[Claim, ...] = field(repr=False)
    published: tuple[Published, ...] = field(default=(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether every claim holds."""
        return all(claim.holds for claim in self.checks)

    def __repr__(self) -> str:
        held = sum(claim.holds for claim in self.checks)
        return f"{type(self).__name__}({held} of {len(self.checks)} claims hold)"
