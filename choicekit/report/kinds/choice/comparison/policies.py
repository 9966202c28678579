"""The section on policies: what each one changes, and what that does to the shares."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Figure, Items, Prose, Section, Table
from choicekit.report.figures.dumbbell import ShareChange, draw_dumbbells
from choicekit.report.figures.style import MAX_CATEGORIES, mark_svg
from choicekit.report.kinds.choice.comparison.differences import difference_blocks
from choicekit.report.kinds.choice.comparison.findings import change_finding
from choicekit.report.kinds.choice.comparison.folding import in_full
from choicekit.report.kinds.choice.comparison.intervals import plus_minus
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView
from choicekit.report.kinds.choice.comparison.words import amount, one_of
from choicekit.report.numbers import NOTHING, THIN, count, error_in_points, points, share
from choicekit.report.text import capitalise, clean, in_sentence, shorten

__all__ = ["policies_section"]

_MOST_COLUMNS = 8
_MOST_ROWS = 100
_HEAD = 36  # characters of a column's head


def policies_section(compared: ComparisonView) -> Section:
    """Shares under every policy beside those of the baseline, and the policies themselves."""
    blocks: list[Block] = [Prose(_prose(compared)), *_descriptions(compared)]
    if len(compared.policies) > 1:
        blocks.append(_overview(compared))
    blocks.append(_shares(compared))
    blocks += in_full(compared, lambda policy: (_change_block(compared, policy),), "the change of shares")
    blocks += difference_blocks(compared)
    return Section(key="policies", title="Policies", blocks=tuple(blocks))


def _prose(compared: ComparisonView) -> str:
    n = compared.base.outcome.replications
    times = f"the mean of {count(n)} simulated changes" if n > 1 else "the simulated change"
    text = (
        f"Every policy is compared with the baseline for the same {compared.base.agents}, who keep the draws that "
        f"stand for their tastes. Changes of expected shares are {_certainty(compared)}; below them stands "
        f"{times}, ± half of its 95{THIN}% simulation interval, paired on common draws."
    )
    filters = [policy for policy in compared.policies if policy.filters]
    for policy in filters[:3]:
        text += (
            f" {capitalise(in_sentence(policy.title))} counts {count(int(policy.outcome.rows[0]))} of "
            f"{count(int(compared.base.rows[0]))} {compared.rows} only, so that its changes of shares "
            "are differences between these and all."
        )
    if len(filters) > 3:
        text += f" {count(len(filters) - 3)} more policies count only some of the {compared.rows}."
    if compared.base.outcome.weighted:
        text += " Everything is weighted."
    return text


def _certainty(compared: ComparisonView) -> str:
    if not compared.integrated:
        return "exact, given the model"
    error = max(policy.integration_error for policy in compared.policies)
    return f"means over random coefficients, with an integration error of at most {error_in_points(error)} points"


def _descriptions(compared: ComparisonView) -> list[Block]:
    described = [policy for policy in compared.policies if policy.outcome.policy.description.strip()]
    texts = [f"{in_sentence(policy.title)}: {clean(policy.outcome.policy.description)}" for policy in described]
    return [Items(tuple(texts[:_MOST_ROWS]))] if texts else []


def _overview(compared: ComparisonView) -> Table:
    """One row a policy: what it does most, who switches, what it is worth."""
    return Table(
        name="policy-overview",
        caption=f"What each policy does: the share it changes most, the {compared.base.choices} that switch, and the "
        f"mean change in welfare, {compared.worth_unit} per {one_of(compared.base.choices)}",
        columns=(
            Column(title="policy", numeric=False),
            Column(title="moves most", numeric=False),
            Column(title="share, %"),
            Column(title="change, points"),
            Column(title="switch, %"),
            Column(title="mean worth"),
        ),
        rows=tuple(_overview_row(compared, policy) for policy in compared.policies[:_MOST_ROWS]),
    )


def _overview_row(compared: ComparisonView, policy: PolicyView) -> tuple[Cell, ...]:
    mean = float(policy.worth.mean[0])
    worth = Cell(text=amount(compared, mean, signed=True) if np.isfinite(mean) else NOTHING)
    if policy.rescaled:
        worth = Cell(text="not comparable", style="none")
    switched = Cell(text=share(policy.switched, compared.decimals))
    name = Cell(text=policy.short)
    if policy.place is None:
        return name, Cell(text="nothing", style="none"), Cell(text=NOTHING), Cell(text=NOTHING), switched, worth
    place = policy.place
    ends = share(float(policy.shares[0, place]), compared.decimals)
    if compared.offered[place]:
        ends = f"{share(float(compared.baseline[0, place]), compared.decimals)} → {ends}"
    change = points(float(policy.change[0, place]), compared.decimals, signed=True)
    moved = Cell(text=compared.short(place), mark=mark_svg(compared.marks[place]))
    return name, moved, Cell(text=ends), Cell(text=change, style="strong"), switched, worth


def _shares(compared: ComparisonView) -> Table:
    shown = compared.policies[:_MOST_COLUMNS]
    n = min(len(compared.names), _MOST_ROWS)
    left_out = len(shown) < len(compared.policies) or n < len(compared.names)
    weighing = ", weighted" if compared.base.outcome.weighted else ""
    return Table(
        name="policies",
        caption=f"Expected share of {compared.base.choices}, %{weighing}; its change in points; the simulated change",
        columns=(
            Column(title="alternative", numeric=False),
            Column(title="baseline"),
            *(Column(title=shorten(policy.title, _HEAD)) for policy in shown),
        ),
        rows=tuple(_shares_row(compared, place, shown) for place in range(n)),
        note="The rest is in tables/policies.csv." if left_out else "",
    )


def _shares_row(compared: ComparisonView, place: int, shown: tuple[PolicyView, ...]) -> tuple[Cell, ...]:
    baseline = Cell(text=share(float(compared.baseline[0, place]), compared.decimals), style="strong")
    return (
        Cell(text=compared.short(place), mark=mark_svg(compared.marks[place])),
        baseline if compared.offered[place] else Cell(text="not offered", style="none"),
        *(_changed(compared, policy, place) for policy in shown),
    )


def _changed(compared: ComparisonView, policy: PolicyView, place: int) -> Cell:
    if not policy.offered[place]:
        return Cell(text="not offered", style="none")
    estimate, decimals = policy.estimate, compared.decimals
    half = plus_minus(100 * float(estimate.half_width[0, place]), decimals)
    simulated = points(float(estimate.change[0, place]), decimals, signed=True)
    change = points(float(policy.change[0, place]), decimals, signed=True)
    return Cell(
        text=share(float(policy.shares[0, place]), decimals),
        aside="new" if not compared.offered[place] else change,
        below=f"{simulated} {half}".strip(),
        style="strong",
    )


def _change_block(compared: ComparisonView, policy: PolicyView) -> Block:
    return Prose(f"{change_finding(compared, policy)}.") if policy.place is None else _figure(compared, policy)


def _figure(compared: ComparisonView, policy: PolicyView) -> Figure:
    finding = change_finding(compared, policy)
    changes, left = _changes(compared, policy)
    note = "expected shares; ring: baseline, filled: with the policy"
    if left:
        note += f"; the {left} that change least are left to the table"
    svg = draw_dumbbells(
        f"change-{policy.key}",
        changes,
        label=f"Shares in the baseline and under {policy.short}. {finding}.",
        axis=f"share of {in_sentence(compared.base.choices)}, %",
        after=policy.title,
        decimals=compared.decimals,
    )
    return Figure(name=f"change-{policy.key}", finding=finding, note=note, svg=svg, table="policies")


def _changes(compared: ComparisonView, policy: PolicyView) -> tuple[tuple[ShareChange, ...], int]:
    """Return the rows of the figure, the largest gain on top, and how many alternatives have none."""
    there = [place for place in range(len(compared.names)) if compared.offered[place] or policy.offered[place]]
    size = np.where(policy.kept, np.abs(np.nan_to_num(policy.change[0])), np.inf)
    if len(there) > MAX_CATEGORIES:
        there = sorted(there, key=lambda place: -size[place])
    # The rest together would have a share so large that every change beside it would look like none.
    kept = there[:MAX_CATEGORIES]
    order = sorted(kept, key=lambda place: -float(np.nan_to_num(policy.change[0, place])))
    return tuple(_change(compared, policy, place) for place in order), len(there) - len(kept)


def _change(compared: ComparisonView, policy: PolicyView, place: int) -> ShareChange:
    return ShareChange(
        name=compared.names[place],
        mark=compared.marks[place],
        before=float(compared.baseline[0, place]) if compared.offered[place] else float("nan"),
        after=float(policy.shares[0, place]) if policy.offered[place] else float("nan"),
    )
