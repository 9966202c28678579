"""How sure the numbers are: simulation error, how it shrinks, and the checks."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from choicekit.choice.intervals import half_width
from choicekit.report.checks import checks_table
from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Items, Prose, Section, Table
from choicekit.report.figures.convergence import draw_convergence
from choicekit.report.kinds.choice.types import integration_text
from choicekit.report.kinds.choice.view import ChoiceView, FloatArray
from choicekit.report.kinds.choice.words import simulated_text
from choicekit.report.numbers import THIN, count, described, percent, points, share
from choicekit.report.text import capitalise, clean, in_sentence

__all__ = ["certainty_section", "picked", "replications_needed", "running_mean"]

_TARGET = 0.001  # a tenth of a percentage point
_MOST_POINTS = 400


def certainty_section(view: ChoiceView, effects: Sequence[Block] = ()) -> Section:
    """Return the section on simulation error, the checks and the warnings.

    Parameters
    ----------
    view : ChoiceView
    effects : sequence of Block
        What is said first, of the effects of policies; the shares that the rest speaks of are the baseline's then.
    """
    blocks: list[Block] = [*effects, Heading("Shares in the baseline")] if effects else []
    blocks += [Prose(_what_it_is(view)), Prose(_how_large(view)), *_convergence(view)]
    if view.result.checks:
        blocks += [Heading("Checks"), checks_table(view.result.checks)]
    if view.result.warnings:
        blocks += [Heading("Warnings"), Items(tuple(clean(warning) for warning in view.result.warnings))]
    return Section(key="sure", title="How sure this is", blocks=tuple(blocks))


def _what_it_is(view: ChoiceView) -> str:
    return (
        f"Simulation error is what more replications remove; its size is the one that the choice probabilities imply, "
        f"not an estimate from the replications. It says nothing of whether these "
        f"{described(view.outcome.n_agents, view.agents)} stand for others, of the coefficients’ own uncertainty, "
        f"or of whether the model is right. Expected shares have no simulation error. {integration_text(view)}"
    ).strip()


def _how_large(view: ChoiceView) -> str:
    half, n = view.estimate.half_width[0], view.outcome.replications
    if view.leading is None:
        return "Nobody chooses, so there are no shares to be sure of."
    if not view.variance[0].max() > 0:
        return "Every choice is certain, whatever is drawn: there is no simulation error."
    place = int(np.argmax(half))
    widest, name = float(half[place]), in_sentence(view.names[place])
    after = f"{count(n)} replications" if n > 1 else "one replication"
    text = f"After {after} the widest 95{THIN}% interval is ± {_width(view, widest)} points ({name})."
    text += f" Four times as many, {count(4 * n)}, would halve it"
    if widest <= _TARGET:
        return f"{text}; it is within 0.1 points already."
    return f"{text}; ± 0.1 points would take about {count(replications_needed(n, widest, _TARGET))}."


def _width(view: ChoiceView, half: float) -> str:
    """Write half of an interval in percentage points; one that is not quite 0 does not read so."""
    shown = points(half, view.decimals)
    return f"<{THIN}{10.0**-view.decimals:.{view.decimals}f}" if half > 0 and float(shown) == 0 else shown


def replications_needed(replications: int, half_width: float, target: float) -> int:
    """Replications for an interval of half-width `target`, rounded up to two digits.

    Examples
    --------
    >>> replications_needed(200, 0.004, 0.001)
    3200
    """
    needed = replications * (half_width / target) ** 2
    power = int(10 ** max(math.floor(math.log10(max(needed, 1))) - 1, 0))
    return power * math.ceil(round(needed / power, 9))


def running_mean(shares: FloatArray, variance: float) -> tuple[FloatArray, FloatArray]:
    """Mean of the first r shares and half of its 95 % interval, for r = 1..R.

    Parameters
    ----------
    shares : ndarray (R,)
    variance : float
        Of one share, under the probabilities that were drawn from.

    Returns
    -------
    mean, half_width : ndarray (R,)

    Examples
    --------
    >>> mean, half = running_mean(np.array([0.4, 0.6, 0.5]), 0.01)
    >>> mean.round(3).tolist(), half.round(3).tolist()
    ([0.4, 0.5, 0.5], [0.196, 0.139, 0.113])
    """
    r = np.arange(1, shares.size + 1)
    return np.cumsum(shares) / r, half_width(np.asarray(variance), r)


def _convergence(view: ChoiceView) -> list[Block]:
    place = view.leading
    if place is None or not view.variance[0, place] > 0:
        return []
    if view.outcome.replications == 1:
        return [Prose("With a single replication there is no running mean to show.")]
    mean, half = running_mean(view.outcome.shares_by_replication()[:, 0, place], float(view.variance[0, place]))
    table = _convergence_table(view, place, mean, half)
    folded = Details(summary="The running mean in numbers", blocks=(table,))
    return [_convergence_figure(view, place, mean, half), folded]


def _convergence_figure(view: ChoiceView, place: int, mean: FloatArray, half: FloatArray) -> Figure:
    name, expected = in_sentence(view.names[place], 24), float(view.expected[0, place])
    off, gap = float(mean[-1]) - expected, points(abs(float(mean[-1]) - expected), view.decimals)
    inside = "inside" if abs(off) <= half[-1] else "outside"
    finding = f"The simulated share of {name} settles on the expected one"
    if float(gap) != 0:
        end = f"{gap} points {'above' if off > 0 else 'below'}"
        finding = f"The simulated share of {name} ends {end} the expected one, which is {inside} its 95{THIN}% band"
    shown = picked(view.outcome.replications)
    svg = draw_convergence(
        shown,
        mean[shown - 1],
        half[shown - 1],
        expected,
        mark=view.marks[place],
        label=f"{finding}, after {count(view.outcome.replications)} replications.",
        axis=f"share of {name}, %",
        end=f"simulated {simulated_text(view, 0, place)}",
        target=f"expected {share(expected, view.decimals)}",
    )
    note = (
        f"running mean over replications, with the 95{THIN}% band that the probabilities give; "
        "the band is wide at first and cut off there"
    )
    return Figure(name="convergence", finding=capitalise(finding), note=note, svg=svg, table="convergence")


def picked(replications: int) -> npt.NDArray[np.int64]:
    """Return at most some hundred of many replications, dense where the mean still moves."""
    if replications <= _MOST_POINTS:
        return np.arange(1, replications + 1)
    early = np.geomspace(1, replications, _MOST_POINTS // 2)
    even = np.linspace(1, replications, _MOST_POINTS // 2)
    return np.unique(np.rint(np.concatenate([early, even])).astype(np.int64))


def _convergence_table(view: ChoiceView, place: int, mean: FloatArray, half: FloatArray) -> Table:
    last = view.outcome.replications
    steps = [step * 10**power for power in range(6) for step in (1, 2, 5)]
    shown = [*(step for step in steps if step < last), last]
    expected = percent(float(view.expected[0, place]), view.decimals)
    return Table(
        name="convergence",
        caption=f"Mean simulated share of {view.names[place]}, % (expected: {expected}); every replication is in "
        "tables/convergence.csv",
        columns=(Column(title="after replications"), Column(title="mean"), Column(title="± half of 95 % interval")),
        rows=tuple(_convergence_row(view, r, float(mean[r - 1]), float(half[r - 1])) for r in shown),
    )


def _convergence_row(view: ChoiceView, replication: int, mean: float, half: float) -> tuple[Cell, ...]:
    width = _width(view, half)
    return Cell(text=count(replication)), Cell(text=share(mean, view.decimals)), Cell(text=width)
