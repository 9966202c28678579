"""What a tour is to show: its stations, their utilities and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from choicekit.errors import InvalidInputError
from choicekit.random import check_seed
from choicekit.rules import RegularisedRule
from choicekit.suggestions import suggest
from choicekit.tour.claims import FloatArray

__all__ = ["DEFAULT_UTILITIES", "STATIONS", "TourPlan"]

STATIONS = (
    "argmax",
    "inner-product",
    "surfaces",
    "bounds",
    "temperature",
    "ratios",
    "gumbel-softmax",
    "convergence",
    "rules",
    "two-samplings",
    "energy",
)
"""All stations, in the order of the story."""

_SEVEN = (1.0, 1.0, 2.0, 3.4, -0.1, 3.0, 1.6)
_TRAVEL: Mapping[str, float] = MappingProxyType({"air": 1.2, "train": 1.0, "bus": 0.2, "car": 1.6})

Row = Sequence[float] | Mapping[str, float]

DEFAULT_UTILITIES: Mapping[str, Row] = MappingProxyType(
    {
        "argmax": (0.0, 1.0, -4.0, 2.0, 7.0),
        "inner-product": (1.0, 2.0, 3.0, 4.0, 5.0),
        "bounds": (1.0, 2.0, 3.0, 4.0, 5.0),
        "temperature": (1.0, 2.0, 3.0, 5.0, 5.0),
        "ratios": _SEVEN,
        "gumbel-softmax": _SEVEN,
        "convergence": _SEVEN,
        "rules": _TRAVEL,
        "two-samplings": _TRAVEL,
        "energy": (1.0, 2.0, 3.0, 5.0, 5.0),
    }
)
"""The row of each station that has one."""

MAX_ALTERNATIVES = 20
MAX_UTILITY = 1_000.0
FEWEST_DRAWS, MOST_DRAWS = 100, 100_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class TourPlan:
    """What a tour is to show; by default the published examples.

    Parameters
    ----------
    seed : int
        In [0, 2^64).
    stations : sequence of str
        Which stations, in which order; see `STATIONS`.
    utilities : mapping of str to row
        Another row of utilities for a station: numbers, or numbers by the names of alternatives. 2 to 20 of them, of
        size at most 1,000; the station ``"surfaces"`` has none.
    temperatures : sequence of float
        At which formulas of softmax are compared; above 0.
    relaxation_temperatures : sequence of float
        kappa of the Gumbel-softmax samples; above 0.
    samples : int
        Samples shown at each of them.
    draws : sequence of int
        Numbers of Gumbel-max draws at which frequencies are looked at: rising, from 100.
    replications : int
        How often that is repeated, from 2.
    agents : int
        How many agents choose in both ways; from 100.
    improved : int or str
        Which alternative of ``"two-samplings"`` is improved: its name or position.
    lift : float
        By how much; above 0.
    shift : float
        How far the two situations of ``"energy"`` are apart; not 0.
    rules : sequence of RegularisedRule
        Rules with settings for ``"rules"``, beside every registered one with its defaults.

    Raises
    ------
    InvalidInputError
        Where a setting breaks the above, or a rule does not fit the alternatives of ``"rules"``.

    Examples
    --------
    >>> TourPlan(seed=1, stations=["argmax"], utilities={"argmax": [1, 2]}).row("argmax")
    array([1., 2.])
    >>> TourPlan(seed=1, stations=["argmx"])
    Traceback (most recent call last):
    choicekit.errors.InvalidInputError: unknown station 'argmx', did you mean 'argmax'?
    """

    seed: int
    stations: Sequence[str] = STATIONS
    utilities: Mapping[str, Row] = field(default_factory=dict)
    temperatures: Sequence[float] = (1.0, 1e-3, 1e-12)
    relaxation_temperatures: Sequence[float] = (0.01, 0.1, 1.0, 10.0)
    samples: int = 4
    draws: Sequence[int] = (100, 1_000, 10_000, 100_000, 1_000_000)
    replications: int = 8
    agents: int = 20_000
    improved: int | str = 0
    lift: float = 1.0
    shift: float = 10.0
    rules: Sequence[RegularisedRule] = ()

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name in (*self.stations, *self.utilities):
            if name not in STATIONS:
                hint = suggest(name, STATIONS) or f"there are {', '.join(STATIONS)}"
                raise InvalidInputError(f"unknown station {name!r}, {hint}")
        if not self.stations or len(set(self.stations)) < len(self.stations):
            raise InvalidInputError(f"stations must be at least one, each named once, found {list(self.stations)}")
        for name in self.utilities:
            self._check_row(name)
        _check_above_zero("temperatures", self.temperatures)
        _check_above_zero("relaxation_temperatures", self.relaxation_temperatures)
        _check_above_zero("lift", [self.lift])
        if not (np.isfinite(self.shift) and self.shift != 0):
            raise InvalidInputError(f"shift must be a finite number other than 0, found {self.shift}")
        self._check_counts()
        self._check_rules()
        if "two-samplings" in self.stations:
            self.improved_position()

    def row(self, station: str) -> FloatArray:
        """Return the utilities of a station."""
        row = self.utilities.get(station, DEFAULT_UTILITIES[station])
        return np.array(list(row.values()) if isinstance(row, Mapping) else row, dtype=np.float64)

    def alternatives(self, station: str) -> tuple[str, ...]:
        """Return the names of a station's alternatives: 1, 2, 3 where its utilities have none."""
        row = self.utilities.get(station, DEFAULT_UTILITIES[station])
        return tuple(row) if isinstance(row, Mapping) else tuple(str(place + 1) for place in range(len(row)))

    def improved_position(self) -> int:
        """Return the position of the alternative that is improved.

        Raises
        ------
        InvalidInputError
            Where there is none of that name or position.
        """
        names = self.alternatives("two-samplings")
        if isinstance(self.improved, str) and self.improved in names:
            return names.index(self.improved)
        if type(self.improved) is int and 0 <= self.improved < len(names):
            return self.improved
        raise InvalidInputError(
            f"improved must be one of {', '.join(names)}, or a position from 0, found {self.improved!r}"
        )

    def _check_row(self, station: str) -> None:
        if station not in DEFAULT_UTILITIES:
            raise InvalidInputError(f"station {station!r} has no utilities to set: leave them out")
        row = self.row(station)
        if row.ndim != 1 or not 2 <= row.size <= MAX_ALTERNATIVES:
            raise InvalidInputError(
                f"utilities of {station!r} must be a row of 2 to {MAX_ALTERNATIVES} numbers, "
                f"found {row.size if row.ndim == 1 else row.shape}"
            )
        if not np.all(np.abs(row) <= MAX_UTILITY):
            raise InvalidInputError(
                f"utilities of {station!r} must be numbers of size at most {MAX_UTILITY:,.0f}, found {row.tolist()}"
            )

    def _check_rules(self) -> None:
        row, names = self.row("rules"), self.alternatives("rules")
        for place, rule in enumerate(self.rules):
            if not isinstance(rule, RegularisedRule):
                raise InvalidInputError(f"rules must be rules such as Softmax(), found {rule!r}")
            if rule in self.rules[:place]:
                raise InvalidInputError(f"rules must differ, found {rule!r} twice: leave one out")
            rule.probabilities(row, alternatives=names)  # says what does not fit

    def _check_counts(self) -> None:
        rising = len(self.draws) > 0 and all(a < b for a, b in zip(self.draws, self.draws[1:], strict=False))
        if not rising or self.draws[0] < FEWEST_DRAWS or self.draws[-1] > MOST_DRAWS:
            raise InvalidInputError(
                f"draws must rise from at least {FEWEST_DRAWS} to at most {MOST_DRAWS:,}, found {list(self.draws)}"
            )
        for name, least in (("samples", 1), ("replications", 2), ("agents", 100)):
            if getattr(self, name) < least:
                raise InvalidInputError(f"{name} must be at least {least}, found {getattr(self, name)}")


def _check_above_zero(name: str, values: Sequence[float]) -> None:
    if not len(values) or not all(np.isfinite(value) and value > 0 for value in values):
        raise InvalidInputError(f"{name} must be above 0 and finite, found {list(values)}")
