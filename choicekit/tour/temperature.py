"""Fifth station: from anything goes to winner takes all, and what a computer makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from choicekit.rules import Softmax
from choicekit.tour.claims import ROUNDING, Claim, FloatArray, Published, Station, law
from choicekit.tour.published import printed_about

__all__ = ["TemperatureStation", "visit_temperature"]

POINTS = 97
HOTTEST, COLDEST = 1e2, 1e-3  # of the path, in units of the spread of utilities


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TemperatureStation(Station):
    """The path of probabilities as the temperature falls, and three ways to compute them.

    Attributes
    ----------
    utility : ndarray (J,)
    temperatures : ndarray (P,)
        Falling.
    probabilities : ndarray (P, J)
    entropy, inclusive_value : ndarray (P,)
    n_best : int
        How many alternatives are tied for the best.
    limit_hot, limit_cold : ndarray (J,)
        Equal shares, and those of T = 0: the best share alike.
    shown : ndarray (K,)
        Temperatures at which the three formulas are compared.
    naive : ndarray (K, J)
        exp(u / T) / sum exp(u / T); nan where the exponentials overflow, or all vanish.
    by_value : ndarray (K, J)
        exp((u - lse) / T): right in theory; the digits of u - lse are lost where T is tiny beside u.
    by_maximum : ndarray (K, J)
        exp((u - max u) / T), normalised: what the rule does.
    """

    name: ClassVar[str] = "temperature"
    title: ClassVar[str] = "Hot is indifferent, cold takes the best; a careless formula takes neither"

    utility: FloatArray
    temperatures: FloatArray
    probabilities: FloatArray
    entropy: FloatArray
    inclusive_value: FloatArray
    n_best: int
    limit_hot: FloatArray
    limit_cold: FloatArray
    shown: FloatArray
    naive: FloatArray
    by_value: FloatArray
    by_maximum: FloatArray


def visit_temperature(utility: FloatArray, temperatures: FloatArray) -> TemperatureStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (J,)
        Finite.
    temperatures : ndarray (K,)
        Above 0; at which the formulas are compared.

    Examples
    --------
    >>> station = visit_temperature(np.array([1.0, 2, 3, 5, 5]), np.array([1, 1e-3, 1e-12]))
    >>> station.naive[1].tolist(), station.by_value[2, -1].round(5), station.by_maximum[2, -1]
    ([nan, nan, nan, nan, nan], np.float64(0.50018), np.float64(0.5))
    """
    path = float(np.ptp(utility) or 1.0) * np.geomspace(HOTTEST, COLDEST, POINTS)
    rows = np.broadcast_to(utility, (POINTS, utility.size))
    rule = Softmax(path)
    p = rule.probabilities(rows)
    naive, by_value, by_maximum = _three_ways(utility, temperatures)
    published = _published(utility, temperatures, by_value, by_maximum)
    station = TemperatureStation(
        utility=utility,
        temperatures=path,
        probabilities=p,
        entropy=-Softmax().conjugate(p),
        inclusive_value=rule.value(rows),
        n_best=int((utility == utility.max()).sum()),
        limit_hot=np.full(utility.size, 1 / utility.size),
        limit_cold=Softmax(0.0).probabilities(utility),
        shown=temperatures,
        naive=naive,
        by_value=by_value,
        by_maximum=by_maximum,
        published=published,
        checks=(),
    )
    checks = (*(entry.claim() for entry in published), *_path_checks(station), *_formula_checks(station))
    object.__setattr__(station, "checks", checks)
    return station


def _three_ways(utility: FloatArray, temperatures: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    rows, t = np.broadcast_to(utility, (temperatures.size, utility.size)), temperatures[:, None]
    rule = Softmax(temperatures)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the point of the station
        exponentials = np.exp(utility / t)
        naive = exponentials / exponentials.sum(axis=-1, keepdims=True)
        by_value = np.exp((rows - rule.value(rows)[:, None]) / t)
    return naive, by_value, rule.probabilities(rows)


def _published(
    utility: FloatArray, temperatures: FloatArray, by_value: FloatArray, by_maximum: FloatArray
) -> tuple[Published, ...]:
    best = utility == utility.max()
    printed = printed_about(utility, softmax=Softmax().probabilities(utility))
    for place in np.flatnonzero(temperatures == 1e-12):
        printed += printed_about(utility, by_value=by_value[place, best], by_maximum=by_maximum[place, best])
    return printed


def _path_checks(station: TemperatureStation) -> tuple[Claim, ...]:
    best = station.utility == station.utility.max()
    return (
        Claim(
            name="hot_is_uniform",
            title=f"at a temperature of {HOTTEST:g} spreads all shares are nearly equal",
            measure="largest distance from equal shares",
            value=float(np.abs(station.probabilities[0] - station.limit_hot).max()),
            limit=1 / HOTTEST,
            relation="<=",
            unit="share",
        ),
        law("cold_shares", "at T = 0 the best share alike", station.limit_cold - best / station.n_best),
        law("ties", "tied alternatives have the same share throughout", np.ptp(station.probabilities[:, best], axis=1)),
        Claim(
            name="entropy_falls",
            title="choices are the surer the colder it is",
            measure="largest rise of entropy as the temperature falls",
            value=float(np.diff(station.entropy).max()),
            limit=ROUNDING,
            relation="<=",
        ),
    )  # fmt: skip


def _formula_checks(station: TemperatureStation) -> tuple[Claim, ...]:
    largest = station.utility.max() / station.shown
    limits = np.finfo(np.float64)
    lost = (largest > np.log(limits.max)) | (largest < np.log(limits.smallest_subnormal) - np.log(2.0))
    return (
        Claim(
            name="naive_fails",
            title="the naive formula gives nan exactly where the largest exponential leaves the range of numbers",
            measure="temperatures where it does otherwise",
            value=float((np.isnan(station.naive).any(axis=-1) != lost).sum()),
            limit=0.0,
            relation="<=",
        ),
        law("by_maximum", "with the maximum subtracted shares sum to one", station.by_maximum.sum(axis=-1) - 1),
    )
