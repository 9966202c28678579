"""Fourth station: how far the soft maxima can be from the maximum, and where they are that far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import special

from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import Softmax, inclusive_value
from choicekit.rules.operators import boltzmann, boltzmann_gap, mellowmax, mellowmax_gap
from choicekit.tour.claims import Claim, FloatArray, IntArray, Station, law

__all__ = ["BoundsStation", "visit_bounds"]

POINTS = 121
LARGEST_LEAD = 12.0
SIZES = (2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)
RANDOM_ROWS = 600
WIDEST = 12.0  # of random rows
FAR = 60.0  # a lead at which exp(-lead) is lost beside 1

Curves = dict[str, FloatArray]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BoundsStation(Station):
    """Gaps between the maximum and three soft maxima, beside their sharp bounds.

    Attributes
    ----------
    n : int
        Number of alternatives.
    lead : ndarray (G,)
        One alternative is ahead of n - 1 equal ones by this much, T = 1.
    gaps : dict of ndarray (G,)
        ``"inclusive_value"``: log-sum-exp - max. ``"boltzmann"``, ``"mellowmax"``: max - operator.
    bounds : dict of float
        log n; W0((n - 1) / e); log n.
    reached_at : dict of float
        The lead at which a gap equals its bound: 0; 1 + W0((n - 1) / e); infinite, in the limit.
    sizes : ndarray (S,)
        Numbers of alternatives.
    size_bounds : dict of ndarray (S,)
        The bounds for them.
    utility : ndarray (n,)
    at_utility : dict of float
        The four maxima of that row.
    random_lead : ndarray (R,)
        How far the best is ahead of the next in random rows.
    random_gaps : dict of ndarray (R,)
    raised : ndarray (H,)
        The second utility of (0, x).
    curves : dict of ndarray (H,)
        The four maxima of (0, x).
    lowest_at, lowest : float
        Where the Boltzmann operator of (0, x) is lowest: it falls as x rises up to there.
    example : ndarray (2,)
        Two values of x, the second one higher.
    example_values : ndarray (2,)
        The Boltzmann operator at them, the second one lower.

    Notes
    -----
    max <= T log sum exp(u / T) <= max + T log n, reached where all are equal.
    0 <= max - softmax(u / T)'u <= T W0((n - 1) / e), reached where one is ahead of equal others by
    T (1 + W0((n - 1) / e)). The operator falls with u_i where u_i < softmax(u / T)'u - T: it is not monotone.
    mellowmax is log-sum-exp less T log n, so it is at most the maximum and within T log n of it.

    References
    ----------
    Asadi & Littman (2017), "An alternative softmax operator for reinforcement learning", section 4 (mellowmax).
    """

    name: ClassVar[str] = "bounds"
    title: ClassVar[str] = "Each soft maximum stays within a bound, and there is a place where it meets it"

    n: int
    lead: FloatArray
    gaps: Curves
    bounds: dict[str, float]
    reached_at: dict[str, float]
    sizes: IntArray
    size_bounds: Curves
    utility: FloatArray
    at_utility: dict[str, float]
    random_lead: FloatArray
    random_gaps: Curves
    raised: FloatArray
    curves: Curves
    lowest_at: float
    lowest: float
    example: FloatArray
    example_values: FloatArray


def visit_bounds(utility: FloatArray, *, seed: int) -> BoundsStation:
    """Compute the station.

    Parameters
    ----------
    utility : ndarray (n,)
        An example; its length is the number of alternatives, at least 2.
    seed : int
        Of the random rows.

    Examples
    --------
    >>> station = visit_bounds(np.array([1.0, 2, 3, 4, 5]), seed=1)
    >>> {name: round(bound, 4) for name, bound in station.bounds.items()}
    {'inclusive_value': 1.6094, 'boltzmann': 0.7178, 'mellowmax': 1.6094}
    """
    n = utility.size
    lead = np.linspace(0.0, LARGEST_LEAD, POINTS)
    bounds, by_size = _bounds(n), [_bounds(size) for size in SIZES]
    reached_at = {"inclusive_value": 0.0, "boltzmann": 1 + bounds["boltzmann"], "mellowmax": np.inf}
    rows = _random_rows(n, seed)
    ordered = np.sort(rows, axis=-1)
    raised = np.linspace(-10.0, 4.0, 141)
    lowest = -float(special.lambertw(1 / np.e).real)
    example = np.array([-4.0, -2.0])
    station = {
        "gaps": _gaps(_ahead(lead, n)),
        "random_gaps": _gaps(rows),
        "at_utility": {name: float(value) for name, value in _maxima(utility).items()},
        "curves": _maxima(_second(raised)),
        "example_values": _maxima(_second(example))["boltzmann"],
    }
    checks = (*_bound_checks(n, bounds, reached_at, rows), *_monotone_checks(lowest, example))
    return BoundsStation(
        n=n,
        lead=lead,
        bounds=bounds,
        reached_at=reached_at,
        sizes=np.array(SIZES, dtype=np.int64),
        size_bounds={name: np.array([sizes[name] for sizes in by_size]) for name in bounds},
        utility=utility,
        random_lead=ordered[:, -1] - ordered[:, -2],
        raised=raised,
        lowest_at=lowest - 1,
        lowest=lowest,
        example=example,
        checks=checks,
        **station,  # type: ignore[arg-type]
    )


def _bounds(n: int) -> dict[str, float]:
    return {
        "inclusive_value": float(Softmax().max_gap(n)),
        "boltzmann": float(boltzmann_gap(n)),
        "mellowmax": float(mellowmax_gap(n)),
    }


def _maxima(utility: FloatArray) -> Curves:
    return {
        "maximum": utility.max(axis=-1),
        "inclusive_value": inclusive_value(utility),
        "boltzmann": boltzmann(utility),
        "mellowmax": mellowmax(utility),
    }


def _gaps(utility: FloatArray) -> Curves:
    """Distances from the maximum; the best is put at 0 first, so that they keep their digits."""
    maxima = _maxima(utility - utility.max(axis=-1, keepdims=True))
    return {
        "inclusive_value": maxima["inclusive_value"],
        "boltzmann": 0.0 - maxima["boltzmann"],
        "mellowmax": 0.0 - maxima["mellowmax"],
    }


def _ahead(lead: FloatArray, n: int) -> FloatArray:
    """Rows in which the first is ahead of all others."""
    rows = np.zeros((lead.size, n))
    rows[:, 0] = lead
    return rows


def _second(x: FloatArray) -> FloatArray:
    return np.stack([np.zeros_like(x), x], axis=-1)


def _random_rows(n: int, seed: int) -> FloatArray:
    """Rows of uniform utilities, each of its own width."""
    draws = Draws(
        seed=seed,
        stage=Stage.SYNTHETIC,
        rows=row_words(np.arange(RANDOM_ROWS)),
        alternatives=alternative_words(np.arange(n + 1)),
    )
    uniform = draws.uniforms(0)
    return WIDEST * uniform[:, -1:] * uniform[:, :-1]


def _bound_checks(n: int, bounds: dict[str, float], reached_at: dict[str, float], rows: FloatArray) -> list[Claim]:
    everywhere = _gaps(np.concatenate([rows, _ahead(np.linspace(0.0, LARGEST_LEAD, POINTS), n)]))
    reached = {name: float(_gaps(_ahead(np.array([min(at, FAR)]), n))[name][0]) for name, at in reached_at.items()}
    words = {"inclusive_value": "log-sum-exp", "boltzmann": "the Boltzmann operator", "mellowmax": "mellowmax"}
    checks = []
    for name, what in words.items():
        side = "above" if name == "inclusive_value" else "below"
        checks += [
            Claim(
                name=f"{name}_within",
                title=f"{what} is {side} the maximum by no more than its bound",
                measure=f"largest gap in {len(everywhere[name])} rows",
                value=float(everywhere[name].max()),
                limit=bounds[name] * (1 + 1e-12),
                relation="<=",
            ),
            Claim(
                name=f"{name}_side",
                title=f"{what} is nowhere on the other side of the maximum",
                measure="smallest gap",
                value=float(everywhere[name].min()),
                limit=-1e-12,
                relation=">=",
            ),
            law(f"{name}_reached", f"{what} meets its bound where theory puts it", reached[name] - bounds[name]),
        ]
    return checks


def _monotone_checks(lowest: float, example: FloatArray) -> list[Claim]:
    before, after = _maxima(_second(example))["boltzmann"]
    others = np.stack([_maxima(_second(example))[name] for name in ("inclusive_value", "mellowmax")])
    return [
        law(
            "boltzmann_lowest",
            "the Boltzmann operator of (0, x) is lowest, -W0(1/e), at x = -1 - W0(1/e)",
            _maxima(_second(np.array([lowest - 1])))["boltzmann"] - lowest,
        ),
        Claim(
            name="boltzmann_falls",
            title=f"the Boltzmann operator falls as the second of (0, x) rises from {example[0]:g} to {example[1]:g}",
            measure="change",
            value=float(after - before),
            limit=0.0,
            relation="<=",
        ),
        Claim(
            name="others_rise",
            title="log-sum-exp and mellowmax rise with it",
            measure="smaller change",
            value=float((others[:, 1] - others[:, 0]).min()),
            limit=0.0,
            relation=">=",
        ),
    ]
