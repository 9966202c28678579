"""How sure the effects of policies are: three errors side by side, what removes each, and how simulation settles."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Items, Prose, Table
from choicekit.report.figures.convergence import draw_convergence
from choicekit.report.figures.intervals import Interval, IntervalRow, draw_intervals
from choicekit.report.kinds.choice.certainty import picked, replications_needed, running_mean
from choicekit.report.kinds.choice.comparison.intervals import (
    ErrorInterval,
    errors_of_share,
    errors_of_worth,
    plus_minus,
    span,
)
from choicekit.report.kinds.choice.comparison.view import ComparisonView, FloatArray, PolicyView
from choicekit.report.numbers import NOTHING, THIN, count, described, fixed, points, significant
from choicekit.report.text import capitalise, in_sentence, join_words

__all__ = ["change_means", "error_blocks"]

_TARGET = 0.001  # a tenth of a point
_MOST_DRAWN = 8
_MOST_SPOKEN = 4
_MOST_ROWS = 60


def error_blocks(compared: ComparisonView) -> list[Block]:
    """Return what the section on certainty says of policies."""
    moved = [policy for policy in compared.policies if policy.place is not None]
    if not moved:
        return []
    blocks: list[Block] = [Heading("Effects of the policies"), Prose(_three(compared)), Items(_remedies(compared))]
    blocks.append(_table(compared))
    if compared.leading.place is not None:
        blocks.append(_figure(compared))
        if _pairing(compared):
            blocks.append(Prose(_pairing(compared)))
        blocks += _convergence(compared, compared.leading)
    return blocks


def _three(compared: ComparisonView) -> str:
    return (
        "Three errors, not to be added up in one number: they have different causes, and different things remove them. "
        "Each interval is that of the aggregate itself. Expected changes have no simulation error; they are what the "
        "simulation settles on."
    )


def _remedies(compared: ComparisonView) -> tuple[str, ...]:
    base = compared.base
    leading = compared.leading.outcome
    replications = described(base.outcome.replications, "replications")
    texts = [
        f"Simulation: what is drawn differs from what is expected ({replications}). More replications remove it; four "
        "times as many halve it."
    ]
    agents = leading.agents
    if agents is not None:
        texts.append(
            f"Agents: had other {base.agents} been drawn from where these {count(base.outcome.n_agents)} came from "
            f"({count(len(agents.share_change))} bootstrap resamples). More {base.agents} in the data remove it."
        )
    else:
        texts.append("Agents: not worked out, since the bootstrap is switched off.")
    if leading.parameters is not None:
        texts.append(
            f"Coefficients: had they come out otherwise ({count(len(leading.parameters.share_change))} draws from "
            "their estimated distribution, by Krinsky and Robb). Only better estimates remove it."
        )
    else:
        texts.append("Coefficients: not known here. Give their covariance, as `covariance:`, to see it.")
    return tuple(texts)


def _table(compared: ComparisonView) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for policy in compared.policies[: _MOST_ROWS // 2]:
        if policy.place is not None:
            rows.append(_share_row(compared, policy, policy.place))
        if policy in compared.valued:
            rows.append(_worth_row(compared, policy))
    return Table(
        name="uncertainty",
        caption="Estimates and their 95 % intervals, by what the error comes from; and how many times smaller common "
        "draws make the variance of the simulation than independent ones",
        columns=(
            Column(title="policy", numeric=False),
            Column(title="change of", numeric=False),
            Column(title="estimate"),
            Column(title="simulation"),
            Column(title="agents"),
            Column(title="coefficients"),
            Column(title="common draws"),
        ),
        rows=tuple(rows),
        note="Every alternative is in tables/uncertainty.csv, every group in tables/policies.csv.",
    )


def _share_row(compared: ComparisonView, policy: PolicyView, place: int) -> tuple[Cell, ...]:
    decimals = compared.decimals
    found = {error.source: error for error in errors_of_share(policy, place)}
    simulated = points(float(policy.estimate.change[0, place]), decimals, signed=True)
    half = plus_minus(100 * float(policy.estimate.half_width[0, place]), decimals)
    return (
        Cell(text=policy.short),
        Cell(text=f"share of {in_sentence(compared.names[place], 24)}, points"),
        Cell(text=points(policy.effect, decimals, signed=True), style="strong"),
        Cell(text=f"{simulated} {half}".strip()),
        *(_ends(found.get(source), 100, decimals) for source in ("agents", "coefficients")),
        Cell(text=_times(float(policy.estimate.reduction[0, place]))),
    )


def _worth_row(compared: ComparisonView, policy: PolicyView) -> tuple[Cell, ...]:
    mean = float(policy.worth.mean[0])
    decimals = compared.worth_decimals
    found = {error.source: error for error in errors_of_worth(policy)}
    return (
        Cell(text=policy.short),
        Cell(text=f"mean welfare, {in_sentence(compared.worth_unit, 24)}"),
        Cell(text=fixed(mean, decimals, signed=True), style="strong"),
        _integrated(compared, policy),
        *(_ends(found.get(source), 1, decimals) for source in ("agents", "coefficients")),
        Cell(text=NOTHING, style="none"),
    )


def _integrated(compared: ComparisonView, policy: PolicyView) -> Cell:
    if not compared.integrated:
        return Cell(text="exact", style="none")
    error = significant(float(policy.worth.integration_error[0]), 2)
    return Cell(text="integrated", below=f"standard error {error}", style="none")


def _times(reduction: float) -> str:
    """Write how many times smaller a variance has become."""
    return f"{significant(reduction, 2)}{THIN}×" if np.isfinite(reduction) else NOTHING


def _ends(error: ErrorInterval | None, scale: float, decimals: int) -> Cell:
    if error is None:
        return Cell(text="not given", style="none")
    if not np.isfinite(error.lower):
        return Cell(text=NOTHING, style="none")
    return Cell(text=span(*(fixed(scale * end, decimals) for end in (error.lower, error.upper))))


def _figure(compared: ComparisonView) -> Figure:
    ranked = [policy for policy in compared.ranked if policy.place is not None][:_MOST_DRAWN]
    rows = tuple(_interval_row(compared, policy) for policy in compared.policies if policy in ranked)
    finding = _finding(compared)
    left = sum(policy.place is not None for policy in compared.policies) - len(ranked)
    note = (
        f"change of the share that each policy changes most; marks: the {compared.exact} change; bars: 95 % intervals, "
        "that of the simulation around the simulated change"
    )
    if left > 0:
        note += f"; {left} policies with smaller effects are in the table"
    svg = draw_intervals(
        "uncertainty",
        rows,
        label=f"95 % intervals by source. {finding}.",
        axis=f"change of share of {in_sentence(compared.base.choices)}, points",
    )
    return Figure(name="uncertainty", finding=finding, note=note, svg=svg, table="uncertainty")


def _interval_row(compared: ComparisonView, policy: PolicyView) -> IntervalRow:
    place = 0 if policy.place is None else policy.place
    errors = errors_of_share(policy, place)
    return IntervalRow(
        name=f"{in_sentence(policy.title, 28)}, share of {in_sentence(compared.names[place], 24)}",
        estimate=100 * policy.effect,
        text=points(policy.effect, compared.decimals, signed=True),
        intervals=tuple(
            Interval(name=error.source, lower=100 * error.lower, upper=100 * error.upper) for error in errors
        ),
    )


def _finding(compared: ComparisonView) -> str:
    policy = compared.leading
    errors = errors_of_share(policy, 0 if policy.place is None else policy.place)
    widths = {error.source: error.upper - error.lower for error in errors if np.isfinite(error.lower)}
    if len(widths) < 2 or not max(widths.values()) > 0:
        return f"{capitalise(in_sentence(policy.title))}: the simulation agrees with the {compared.exact} change"
    widest = max(widths, key=lambda source: widths[source])
    simulation = widths["simulation"]
    title = capitalise(in_sentence(policy.title))
    if widest == "simulation":
        return f"{title}: the simulation is what is least sure; more replications would help"
    names = {"agents": f"which {compared.base.agents} were drawn", "coefficients": "the coefficients"}
    if not simulation > 0:
        return f"{title}: {names[widest]} make the widest interval"
    times = significant(widths[widest] / simulation, 2)
    verb = "matter" if widest == "coefficients" else "matters"
    return f"{title}: {names[widest]} {verb} most, with an interval {times} times as wide as that of the simulation"


def _pairing(compared: ComparisonView) -> str:
    """Say what common draws bought, policy by policy."""
    texts, new = [], []
    for policy in compared.ranked:
        if policy.place is None or policy.filters:
            continue
        reduction = float(policy.estimate.reduction[0, policy.place])
        if not compared.offered[policy.place]:
            new.append(in_sentence(policy.title))
        elif np.isfinite(reduction):
            texts.append(f"{significant(reduction, 2)} times smaller for {in_sentence(policy.title)}")
    sentence = ""
    if texts:
        sentence = (
            "Baseline and policies are simulated with the same draws, which made the variance of the change "
            f"{join_words(texts[:_MOST_SPOKEN])} than independent draws would have: those need as many times more "
            "replications."
        )
    if new:
        sentence += f" What is new has no share in the baseline to be paired with ({join_words(new[:_MOST_SPOKEN])})."
    return sentence.strip()


def change_means(policy: PolicyView, place: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the simulated change of a share in each replication, its running mean, and half its 95 % interval (R,)."""
    changes = policy.outcome.change_by_replication[:, 0, place]
    mean, half = running_mean(changes, float(policy.estimate.variance[0, place]))
    return changes, mean, half


def _convergence(compared: ComparisonView, policy: PolicyView) -> list[Block]:
    place, replications = policy.place, compared.base.outcome.replications
    if place is None or not policy.estimate.variance[0, place] > 0 or replications < 2:
        return []
    _, mean, half = change_means(policy, place)
    table = _convergence_table(compared, policy, place, mean, half)
    folded = Details(summary="The running mean of the change in numbers", blocks=(table,))
    return [_convergence_figure(compared, policy, place, mean, half), folded]


def _convergence_figure(
    compared: ComparisonView, policy: PolicyView, place: int, mean: FloatArray, half: FloatArray
) -> Figure:
    name, decimals, replications = in_sentence(compared.names[place], 24), compared.decimals, len(mean)
    needed = replications_needed(replications, float(half[-1]), _TARGET)
    enough = half[-1] <= _TARGET
    after = "± 0.1 points are reached" if enough else f"± 0.1 points would take about {count(needed)}"
    title, near = capitalise(in_sentence(policy.title)), _half(float(half[-1]), decimals)
    finding = (
        f"{title}: after {count(replications)} replications the simulated change of {name} is within ± {near} points; "
        f"{after}"
    )
    at = picked(replications)
    simulated = points(float(mean[-1]), decimals, signed=True)
    svg = draw_convergence(
        at,
        mean[at - 1],
        half[at - 1],
        policy.effect,
        mark=compared.marks[place],
        label=f"{finding}.",
        axis=f"change of {name}, points",
        end=f"simulated {simulated}",
        target=f"{compared.exact} {points(policy.effect, decimals, signed=True)}",
        name="convergence-change",
        within=(-1.0, 1.0),
    )
    note = f"running mean of the paired change over replications, with its 95{THIN}% band"
    return Figure(name="convergence-change", finding=finding, note=note, svg=svg, table="convergence-change")


def _half(half: float, decimals: int) -> str:
    return plus_minus(100 * float(half), decimals).removeprefix("± ") or "0"


def _convergence_table(
    compared: ComparisonView, policy: PolicyView, place: int, mean: FloatArray, half: FloatArray
) -> Table:
    last, decimals = len(mean), compared.decimals
    steps = [step * 10**power for power in range(6) for step in (1, 2, 5)]
    return Table(
        name="convergence-change",
        caption=f"Mean simulated change of the share of {compared.short(place)} under {policy.short}, points "
        f"({compared.exact}: {points(policy.effect, decimals, signed=True)}); every replication is in "
        "tables/convergence_of_changes.csv",
        columns=(Column(title="after replications"), Column(title="mean"), Column(title="± half of 95 % interval")),
        rows=tuple(
            (
                Cell(text=count(step)),
                Cell(text=points(float(mean[step - 1]), decimals, signed=True)),
                Cell(text=_half(float(half[step - 1]), decimals)),
            )
            for step in [*(step for step in steps if step < last), last]
        ),
    )
