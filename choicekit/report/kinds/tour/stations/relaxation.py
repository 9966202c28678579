"""Seventh station: relaxed samples, from nearly one-hot to nearly uniform."""

from __future__ import annotations

from choicekit.report.content import Block, Details, Figure, Formulas, Items, Prose
from choicekit.report.figures.sample_grid import draw_sample_grid
from choicekit.report.kinds.tour.maths import call, formula, fraction, row, subscript, total
from choicekit.report.kinds.tour.shown import alternatives_of, number, number_table, probability, utilities
from choicekit.report.numbers import count
from choicekit.tour.relaxation import RelaxationStation

__all__ = ["TITLE", "blocks"]

TITLE = "Gumbel-softmax"

_MOST_SAMPLES, _MOST_COLUMNS = 8, 5  # drawn


def blocks(station: RelaxationStation) -> tuple[Block, ...]:
    """Show a grid of samples, their entries, and their means."""
    coldest, hottest = _ends(station)
    return (
        Prose(
            f"Add to each of {utilities(station.utility)} a Gumbel number of its own and take the largest: the winner "
            f"is a draw from softmax, exactly. That argmax has no gradient. Replace it by softmax with a relaxation "
            f"temperature κ, and the sample becomes a vector of shares. Read the grid by rows: each has one set of "
            f"Gumbel numbers. At κ\u00a0=\u00a0{number(float(station.relaxation_temperatures[coldest]), 3)} the "
            f"largest entry is "
            f"{number(float(station.mean_largest[coldest]), 4)} on average, at "
            f"κ\u00a0=\u00a0{number(float(station.relaxation_temperatures[hottest]), 3)} it is "
            f"{number(float(station.mean_largest[hottest]), 4)}, near the {number(1 / station.utility.size, 3)} of "
            f"equal shares. The winner never changes along a row: it is the choice the same address draws."
        ),
        Formulas(
            (
                formula("a draw", total("j", row("(", subscript("u", "j"), "/", "T", "+", subscript("g", "j"), ")"),
                                        sign="argmax")),
                formula(
                    "relaxed", "y", "=",
                    call("softmax", fraction(row("u", "/", "T", "+", "g"), "κ")),
                ),
                formula("Gumbel", subscript("g", "j"), "=", "−", call("log", "−", call("log", subscript("U", "j"))),
                        ",", "0", "<", subscript("U", "j"), "<", "1"),
            ),
            "Gumbel-max and Gumbel-softmax",
        ),
        _figure(station),
        Details(summary="The numbers behind the grid", blocks=(_sample_table(station),)),
        _mean_table(station),
        Items(
            (
                "Why it matters: a simulation with discrete decisions inside can be differentiated from end to end, "
                "and tuned by gradients instead of by trial.",
                "What goes wrong otherwise: the mean of relaxed samples is softmax only in the limit of small κ, as "
                "the last table shows; but the smaller κ, the more the gradient varies from draw to draw. A relaxed "
                "sample is not a probability of anything, and a κ that is large enough to be comfortable is biased.",
            )
        ),
    )  # fmt: skip


def _ends(station: RelaxationStation) -> tuple[int, int]:
    return int(station.relaxation_temperatures.argmin()), int(station.relaxation_temperatures.argmax())


def _figure(station: RelaxationStation) -> Figure:
    shown = alternatives_of(station.utility)
    samples = station.samples[:_MOST_COLUMNS, :_MOST_SAMPLES]
    n_kappas, n_samples = samples.shape[:2]
    kappas = [number(float(kappa), 3) for kappa in station.relaxation_temperatures[:n_kappas]]
    coldest, hottest = _ends(station)
    least = float(station.samples[coldest].max(axis=-1).min())
    cold = number(float(station.relaxation_temperatures[coldest]), 3)
    ends = "one-hot" if least > 0.99 else "closest to one-hot"
    return Figure(
        name="gumbel-softmax",
        finding=f"The smaller κ, the nearer to a choice: at κ\u00a0=\u00a0{cold} samples are {ends}, at "
        f"κ\u00a0=\u00a0{number(float(station.relaxation_temperatures[hottest]), 3)} hardly any alternative stands out",
        note="bars are shares from 0 to 1; rows share their Gumbel numbers; the outlined mark wins; marks are named "
        "by utility",
        svg=draw_sample_grid(
            "gumbel-softmax",
            [f"draw {place + 1}" for place in range(n_samples)],
            [f"κ\u00a0=\u00a0{kappa}" for kappa in kappas],
            shown.names,
            shown.marks,
            samples.swapaxes(0, 1),
            label=f"A grid of {n_samples} by {n_kappas} small bar charts, one row a draw, one column a relaxation "
            f"temperature. Bars even out as it grows.",
        ),
        table="samples",
    )


def _sample_table(station: RelaxationStation) -> Block:
    shown = alternatives_of(station.utility)
    rows = [
        (
            f"κ\u00a0=\u00a0{number(float(kappa), 3)}, draw {place + 1}",
            [*(probability(float(value)) for value in sample), shown.names[int(station.choices[place])]],
        )
        for kappa, samples in zip(station.relaxation_temperatures[:_MOST_COLUMNS], station.samples, strict=False)
        for place, sample in enumerate(samples[:_MOST_SAMPLES])
    ]
    return number_table(
        "samples",
        "Relaxed samples; columns are alternatives, by their utility",
        "sample",
        rows,
        (*shown.names, "choice of the same address"),
        note="All samples are in tables/samples.csv.",
    )


def _mean_table(station: RelaxationStation) -> Block:
    shown = alternatives_of(station.utility)
    rows = [
        (
            f"κ\u00a0=\u00a0{number(float(kappa), 3)}",
            [*(probability(float(value)) for value in means), probability(float(largest))],
        )
        for kappa, means, largest in zip(
            station.relaxation_temperatures, station.means, station.mean_largest, strict=True
        )
    ]
    exact = [*(probability(float(value)) for value in station.probabilities), ""]
    return number_table(
        "sample-means",
        f"Means of {count(station.n_means)} samples at each κ, and the probabilities that draws have",
        "κ",
        [*rows, ("softmax", exact)],
        (*shown.names, "mean of the largest"),
        strong=len(rows),
    )
