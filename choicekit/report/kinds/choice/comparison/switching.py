"""The section on switching: who goes from what to what under each policy, and in which groups."""

from __future__ import annotations

import numpy as np

from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.flows import MOST_RIBBONS, FlowNode, draw_flows
from choicekit.report.figures.style import MAX_CATEGORIES, OTHER, mark_svg
from choicekit.report.kinds.choice.comparison.findings import switching_finding
from choicekit.report.kinds.choice.comparison.folding import in_full
from choicekit.report.kinds.choice.comparison.view import ComparisonView, FloatArray, PolicyView
from choicekit.report.kinds.choice.comparison.words import main_flow, moves
from choicekit.report.kinds.choice.view import GroupSet
from choicekit.report.numbers import NOTHING, count, percent, share
from choicekit.report.text import capitalise, shorten

__all__ = ["switching_section"]

_MOST_COLUMNS = 10
_MOST_FLOWS = 20
_MOST_GROUPS = 60
_HEAD = 20


def switching_section(compared: ComparisonView) -> Section:
    """Return the section on switching."""
    shown = in_full(compared, lambda policy: _policy(compared, policy), "who switches")
    return Section(key="who", title="Who switches", blocks=(Prose(_prose(compared)), *shown))


def _prose(compared: ComparisonView) -> str:
    fast = [policy for policy in compared.policies if policy.outcome.sampling == "fast"]
    text = (
        f"The same {compared.base.agents} with the same tastes, in the baseline and under the policy: switches are "
        "counted in every replication and averaged."
    )
    if not fast and compared.base.outcome.sampling == "coherent":
        text += (
            " Draws are coherent, so each of these switches is caused by the policy: nobody moves between alternatives "
            "that are as good as they were, relative to each other."
        )
    else:
        which = (
            "Sampling is fast" if len(fast) in (0, len(compared.policies)) else "Under some policies sampling is fast"
        )
        text += (
            f" {which}, so that noise is mixed in: {compared.base.agents} also move between alternatives that have not "
            "changed. Changes of shares and of welfare are free of that; switches by coherent sampling would be, too."
        )
    return text


def _policy(compared: ComparisonView, policy: PolicyView) -> tuple[Block, ...]:
    head = Heading(capitalise(policy.short))
    if not policy.switched > 0:
        return head, Prose(_nobody(policy))
    name = f"switching-{policy.key}"
    table = _matrix(compared, policy, name) if _is_small(compared) else _list(compared, policy, name)
    groups = _groups(compared, policy)
    return head, _figure(compared, policy, name), table, *groups


def _nobody(policy: PolicyView) -> str:
    if not policy.outcome.rows[0]:
        return "Nobody chooses both in the baseline and under this policy."
    return "Nobody switches: every simulated choice is the same as in the baseline."


def _is_small(compared: ComparisonView) -> bool:
    return len(compared.names) <= _MOST_COLUMNS


def _figure(compared: ComparisonView, policy: PolicyView, name: str) -> Figure:
    nodes, flows, other = _nodes(compared, policy)
    finding = switching_finding(compared, policy)
    note = f"% of all {compared.base.choices}, simulated; ribbons are those who switch, pale bars those who stay"
    drawn = int((flows > 0).sum())
    if drawn > MOST_RIBBONS:
        note += f"; the {MOST_RIBBONS} largest of {count(drawn)} flows"
    if other:
        note += f"; {other} alternatives with fewer switches are one"
    svg = draw_flows(
        name,
        nodes,
        flows,
        label=f"Flows from the baseline to {policy.short}. {finding}.",
        before="baseline",
        after=policy.title,
        decimals=compared.decimals,
    )
    return Figure(name=name, finding=finding, note=note, svg=svg, table=name)


def _nodes(compared: ComparisonView, policy: PolicyView) -> tuple[tuple[FlowNode, ...], FloatArray, int]:
    """Return alternatives of the figure, flows between them, and how many are drawn together as the last."""
    moved, stay = moves(policy.switching[0]), np.nan_to_num(np.diag(policy.switching[0]))
    busy = moved.sum(axis=0) + moved.sum(axis=1)
    there = [place for place in range(len(stay)) if compared.offered[place] or policy.offered[place]]
    if len(there) <= MAX_CATEGORIES:
        kept, rest = there, []
    else:
        ranked = sorted(there, key=lambda place: (-busy[place], -stay[place]))
        kept, rest = sorted(ranked[: MAX_CATEGORIES - 1]), ranked[MAX_CATEGORIES - 1 :]
    nodes = [
        FlowNode(
            name=compared.names[place],
            mark=compared.marks[place],
            stay=float(stay[place]),
            before=bool(compared.offered[place]),
            after=bool(policy.offered[place]),
        )
        for place in kept
    ]
    sets = [[place] for place in kept]
    if rest:
        # Who moves within the rest neither stays nor is drawn.
        nodes.append(FlowNode(name=f"other ({len(rest)})", mark=OTHER, stay=float(stay[rest].sum())))
        sets.append(rest)
    flows = np.array([[moved[np.ix_(origin, target)].sum() for target in sets] for origin in sets])
    return tuple(nodes), flows, len(rest)


def _matrix(compared: ComparisonView, policy: PolicyView, name: str) -> Table:
    there = [place for place in range(len(compared.names)) if compared.offered[place] or policy.offered[place]]
    weighing = ", weighted" if compared.base.outcome.weighted else ""
    return Table(
        name=name,
        caption=f"From what (rows) to what (columns) under {policy.short}, % of {compared.base.choices}{weighing}; "
        "on the diagonal those who stay",
        columns=(
            Column(title="from", numeric=False),
            *(
                Column(title=shorten(f"to {compared.short(place)}", _HEAD), mark=mark_svg(compared.marks[place]))
                for place in there
            ),
            Column(title="leave"),
        ),
        rows=tuple(_matrix_row(compared, policy, place, there) for place in there if compared.offered[place]),
    )


def _matrix_row(compared: ComparisonView, policy: PolicyView, place: int, there: list[int]) -> tuple[Cell, ...]:
    switching = policy.switching[0]
    cells = [_flow_cell(compared, policy, place, target) for target in there]
    leave = float(moves(switching)[place].sum())
    return (
        Cell(text=compared.short(place), mark=mark_svg(compared.marks[place])),
        *cells,
        Cell(text=share(leave, compared.decimals) if leave > 0 else "0", style="strong" if leave > 0 else "quiet"),
    )


def _flow_cell(compared: ComparisonView, policy: PolicyView, origin: int, target: int) -> Cell:
    found = float(policy.switching[0, origin, target])
    if not policy.offered[target]:
        return Cell(text="not offered", style="none")
    if origin == target:
        return Cell(text=share(found, compared.decimals), below="stay", style="quiet")
    if found == 0:
        return Cell(text="0", style="quiet")
    weight = float(policy.outcome.weight[0])
    error = float(policy.outcome.switching_error[0, origin, target]) / weight
    half = share(1.96 * error, compared.decimals)
    return Cell(text=share(found, compared.decimals), below=f"± {half}", style="strong")


def _list(compared: ComparisonView, policy: PolicyView, name: str) -> Table:
    """List the largest flows, one a row, where a matrix would be too wide."""
    moved = moves(policy.switching[0])
    order = [divmod(int(flat), len(moved)) for flat in np.argsort(-moved, axis=None, kind="stable")]
    flows = [(origin, target) for origin, target in order if moved[origin, target] > 0]
    return Table(
        name=name,
        caption=f"The largest flows under {policy.short}, % of {compared.base.choices}",
        columns=(
            Column(title="from", numeric=False),
            Column(title="to", numeric=False),
            Column(title="share"),
            Column(title="of those who switch"),
        ),
        rows=tuple(
            (
                Cell(text=compared.short(origin), mark=mark_svg(compared.marks[origin])),
                Cell(text=compared.short(target), mark=mark_svg(compared.marks[target])),
                Cell(text=share(float(moved[origin, target]), compared.decimals), style="strong"),
                Cell(text=percent(float(moved[origin, target] / moved.sum()), 0)),
            )
            for origin, target in flows[:_MOST_FLOWS]
        ),
        note=f"All {count(len(flows))} flows are in tables/switching.csv." if len(flows) > _MOST_FLOWS else "",
    )


def _groups(compared: ComparisonView, policy: PolicyView) -> list[Block]:
    sets = compared.base.segmentations
    if not sets:
        return []
    rows = [row for groups in sets for row in _group_rows(compared, policy, groups)]
    table = Table(
        name=f"switching-{policy.key}-groups",
        caption=f"Who switches under {policy.short}, by group",
        columns=(
            Column(title="group", numeric=False),
            Column(title=compared.rows),
            Column(title="switch, %"),
            Column(title="mostly", numeric=False),
            Column(title="part of them"),
        ),
        rows=(*rows[:_MOST_GROUPS], _group_row(compared, policy, f"all {compared.rows}", 0)),
        note="More groups are in tables/switching.csv." if len(rows) > _MOST_GROUPS else "",
    )
    return [Details(summary=table.caption, blocks=(table,))]


def _group_rows(compared: ComparisonView, policy: PolicyView, groups: GroupSet) -> list[tuple[Cell, ...]]:
    several = len(compared.base.segmentations) > 1
    return [
        _group_row(compared, policy, f"{groups.name}: {label}" if several else label, int(position))
        for label, position in zip(groups.labels, groups.positions, strict=True)
    ]


def _group_row(compared: ComparisonView, policy: PolicyView, label: str, position: int) -> tuple[Cell, ...]:
    rows = int(policy.outcome.rows[position])
    switched = float(policy.outcome.switched_share[position])
    flow = main_flow(policy.switching[position])
    style = "strong" if position == 0 else ""
    cells = (
        Cell(text=label),
        Cell(text=count(rows), style=style),
        Cell(text=share(switched, compared.decimals), style=style),
    )
    if flow is None:
        return *cells, Cell(text=NOTHING, style="none"), Cell(text=NOTHING)
    names = (shorten(compared.names[place], 30) for place in flow[:2])
    return *cells, Cell(text=" → ".join(names)), Cell(text=f"{percent(flow[2], 0)}")
