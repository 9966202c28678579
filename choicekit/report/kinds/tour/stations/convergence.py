"""Eighth station: frequencies of draws on their way to probabilities."""

from __future__ import annotations

import math

import numpy as np

from choicekit.report.content import Block, Details, Figure, Formulas, Items, Prose
from choicekit.report.figures.curves import Axis, Curve, draw_curves, powers_of_ten
from choicekit.report.figures.style import SOFT, Mark
from choicekit.report.kinds.tour.maths import formula, root, row, subscript
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability, utilities
from choicekit.report.numbers import count, fixed
from choicekit.tour.convergence import ConvergenceStation

__all__ = ["TITLE", "blocks"]

TITLE = "Convergence"

_ONE, _MEAN, _THEORY = Mark("#8ab8d8", "o"), Mark("#0072B2", "D"), Mark(SOFT, ".")


def blocks(station: ConvergenceStation) -> tuple[Block, ...]:
    """Show errors against the number of draws, with the line theory gives."""
    first, last = float(station.mean_errors[0].mean()), float(station.mean_errors[-1].mean())
    return (
        Prose(
            f"Draw from {utilities(station.utility)} by Gumbel-max and count. The frequencies approach softmax, but "
            f"slowly: the mean error is {number(first, 2)} after {count(station.draws[0])} draws and {number(last, 2)} "
            f"after {count(station.draws[-1])}. {_slope(station)}".strip()
        ),
        Formulas(
            (
                formula(
                    "standard error",
                    root(row(subscript("p", "j"), "(", "1", "−", subscript("p", "j"), ")", "/", "N")),
                ),
            ),
            "How far a frequency is from its probability",
        ),
        _figure(station),
        _table(station),
        Details(summary="Frequencies beside probabilities", blocks=(_frequency_table(station),)),
        Items(
            (
                "Why it matters: it tells how many replications a study needs. One more digit costs a hundred times "
                "the draws, so what can be computed exactly, such as expected shares, should not be drawn at all.",
                "What goes wrong otherwise: a difference between two policies drowns in the noise of both, unless "
                "both are given the same draws, as this kit does.",
            )
        ),
    )  # fmt: skip


def _slope(station: ConvergenceStation) -> str:
    if not math.isfinite(station.slope):
        return ""
    sure = f" ± {fixed(station.slope_error, 3)} (standard error)" if math.isfinite(station.slope_error) else ""
    return (
        f"On logarithmic axes that is a line with slope {fixed(station.slope, 3)}{sure}; one over the square root of "
        f"the number of draws would be −0.5."
    )


def _finding(station: ConvergenceStation) -> str:
    first, last = float(station.mean_errors[0].mean()), float(station.mean_errors[-1].mean())
    ends = f"{count(station.draws[0])} to {count(station.draws[-1])} draws"
    if not last > 0:
        return f"After {count(station.draws[-1])} draws there is no error left: the choice is as good as certain"
    along = f"a slope of {fixed(station.slope, 2)}" if math.isfinite(station.slope) else "the line of theory"
    return f"From {ends} the error falls {number(first / last, 3)}-fold, along {along}"


def _figure(station: ConvergenceStation) -> Figure:
    draws = station.draws.astype(np.float64)
    errors = station.mean_errors
    replicated = Curve(name="", x=np.repeat(draws, errors.shape[1]), y=errors.ravel(), mark=_ONE, style="points")
    mean = Curve(name="mean error", x=draws, y=errors.mean(axis=1), mark=_MEAN)
    theory = Curve(name="in theory, ∝ 1/√N", x=draws, y=station.expected_error, mark=_THEORY, style="dashed")
    positive = errors[errors > 0]
    low, high = (float(positive.min()), float(errors.max())) if positive.size else (0.1, 1.0)
    return Figure(
        name="convergence",
        finding=_finding(station),
        note=f"mean distance of frequency and probability over {station.utility.size} alternatives; pale dots are "
        f"{station.replications} replications; both axes logarithmic",
        svg=draw_curves(
            "convergence",
            [replicated, mean, theory],
            label=f"Error against number of draws on logarithmic axes: dots of {station.replications} replications "
            f"around a dashed line that falls by a factor of ten for every hundredfold of draws.",
            x=Axis(title="number of draws N", log=True, text=powers_of_ten, limits=(draws[0] / 1.25, draws[-1] * 1.25)),
            y=Axis(title="mean error", log=True, text=powers_of_ten, limits=(low / 1.5, high * 1.5)),
        ),
        table="convergence",
    )


def _table(station: ConvergenceStation) -> Block:
    mean, largest = station.mean_errors, station.largest_errors
    rows = [
        (
            count(draws),
            [
                number(float(mean[place].mean()), 3),
                number(float(station.expected_error[place]), 3),
                number(float(largest[place].max()), 3),
            ],
        )
        for place, draws in enumerate(station.draws)
    ]
    return number_table(
        "convergence",
        f"Distance of frequencies and probabilities in {station.replications} replications",
        "draws",
        rows,
        ("mean error", "in theory", "largest error of all"),
        note="Every replication and alternative is in tables/convergence.csv.",
    )


def _frequency_table(station: ConvergenceStation) -> Block:
    shown = alternatives_of(station.utility)
    pooled = station.counts.sum(axis=1) / (station.draws * station.replications)[:, None]
    last = station.draws[-1] * station.replications
    rows = [
        (name, [probability(float(p), 5), probability(float(q), 5), fixed(float(q - p), 5, signed=True)])
        for name, p, q in zip(shown.names, station.probabilities, pooled[-1], strict=True)
    ]
    return number_table(
        "frequencies",
        f"Frequencies after all {count(last)} draws",
        "utility",
        rows,
        ("softmax", "drawn", "difference"),
        marks=shown.marks,
    )
