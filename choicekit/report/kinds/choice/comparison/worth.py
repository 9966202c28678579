"""The section on welfare: what each policy is worth, to whom, and who wins and loses."""

from __future__ import annotations

import numpy as np

from choicekit.choice.policies.welfare import WelfareChange
from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.strips import STRIP_LEVELS, Strip, draw_strips
from choicekit.report.figures.style import MAX_CATEGORIES
from choicekit.report.kinds.choice.comparison.findings import worth_finding, worth_group_finding
from choicekit.report.kinds.choice.comparison.folding import in_full
from choicekit.report.kinds.choice.comparison.intervals import errors_of_worth, span
from choicekit.report.kinds.choice.comparison.view import ComparisonView, PolicyView, decimals_of_amounts
from choicekit.report.kinds.choice.comparison.words import one_of
from choicekit.report.kinds.choice.view import GroupSet
from choicekit.report.numbers import NOTHING, column_decimals, count, described, fixed, share, significant
from choicekit.report.text import capitalise, clean, in_sentence, join_words

__all__ = ["worth_section"]

_MOST_ROWS = 100
_MOST_GROUPS = 60
_MOST_NAMED = 8


def worth_section(compared: ComparisonView) -> Section:
    """Return the section on welfare."""
    in_money = compared.comparison.money is not None
    blocks: list[Block] = [Prose(_prose(compared))]
    if compared.comparison.money_is_uncertain:
        blocks.append(Prose(_trap(compared)))
    blocks.append(_table(compared, "worth", [policy.worth for policy in compared.policies], compared.worth_unit))
    if in_money:
        utility = _table(
            compared, "worth-utility", [policy.outcome.welfare for policy in compared.policies], compared.base.unit
        )
        head = f"The same in {compared.base.unit}, before the division by the value of money"
        blocks.append(utility if compared.comparison.money_is_uncertain else Details(summary=head, blocks=(utility,)))
    if compared.valued:
        blocks.append(_figure(compared))
        if compared.base.segmentations:
            blocks.append(Heading("By group"))
            blocks += in_full(compared, lambda policy: _by_group(compared, policy), "what it is worth, by group")
    return Section(key="worth", title="What it is worth", blocks=tuple(blocks))


def _prose(compared: ComparisonView) -> str:
    rows = described(compared.base.outcome.n_rows, compared.rows)
    text = (
        "The inclusive value is what a whole choice set is worth to an agent: the expected utility of the best of it. "
        f"Its change is the change in welfare, worked out for each of {rows}; {_certainty(compared)}."
    )
    if compared.comparison.money is None:
        unit = in_sentence(compared.base.unit)
        return f"{text} It is in {unit}; name what money is worth, under “welfare” in the scenario, to see it in money."
    return (
        f"{text} Divided by the utility of a unit of money, minus {clean(compared.comparison.money)}, it is the sum "
        f"that would make up for the change, in {in_sentence(compared.worth_unit)} per {one_of(compared.base.choices)}."
    )


def _certainty(compared: ComparisonView) -> str:
    """Say which error it has; the policies that are on another scale are not spoken of."""
    if not compared.integrated:
        return "it has no simulation error"
    errors = [float(policy.worth.integration_error[0]) for policy in compared.valued]
    known = [error for error in errors if np.isfinite(error)]
    of_means = f" (that of the means has a standard error of at most {significant(max(known), 2)})" if known else ""
    return f"no choices are simulated for it, but means over random coefficients have an integration error{of_means}"


def _trap(compared: ComparisonView) -> str:
    formula = in_sentence(compared.comparison.money or "")
    return (
        f"Mind the ratio: {formula} may be zero, by its own covariance. Welfare in money divides by it, and a ratio "
        "whose divisor may come arbitrarily close to zero has neither a mean nor a standard deviation: averages over "
        "draws of the coefficients would say nothing, however many there were. So the amounts are those at the "
        "coefficients as given, and their intervals are made of quantiles, which exist. The amounts in "
        f"{in_sentence(compared.base.unit)} below divide by nothing and are the safer ones."
    )


def _table(compared: ComparisonView, name: str, changes: list[WelfareChange], unit: str) -> Table:
    shown = list(zip(compared.policies, changes, strict=True))[:_MOST_ROWS]
    per = one_of(compared.base.choices)
    weighing = ", weighted" if compared.base.outcome.weighted else ""
    sources = [source for source in ("agents", "coefficients") if _has(compared, source)]
    alike = [float(change.mean[0]) for policy, change in shown if not policy.rescaled]
    decimals = decimals_of_amounts(alike or [float(change.mean[0]) for _, change in shown])
    return Table(
        name=name,
        caption=f"Change in welfare per {per}, {unit}{weighing}; "
        f"{_intervals_text(sources)}who gains, keeps and loses, % of {compared.rows}",
        columns=(
            Column(title="policy", numeric=False),
            Column(title="mean, total below"),
            *(Column(title=source) for source in sources),
            *(Column(title=title) for title in ("median", "least", "most", "gain / same / lose")),
        ),
        rows=tuple(_row(policy, change, name, sources, decimals) for policy, change in shown),
        note=_note(compared, more=len(shown) < len(changes), in_money=name == "worth"),
    )


def _note(compared: ComparisonView, *, more: bool, in_money: bool) -> str:
    """Say what must not be compared, and with what."""
    notes = []
    rescaled = [in_sentence(policy.title) for policy in compared.policies if policy.rescaled]
    if rescaled:
        notes.append(
            f"Not comparable: another rule or temperature puts welfare on another scale ({_some(rescaled)}), so that "
            "the change is mostly that of the scale."
        )
    repriced = [in_sentence(policy.title) for policy in compared.repriced]
    if repriced and in_money:
        notes.append(
            f"What money is worth changes under {_some(repriced)}; amounts divide by what it is worth in the baseline."
        )
    if more:
        notes.append("More policies are in tables/welfare.csv.")
    return " ".join(notes)


def _some(names: list[str]) -> str:
    shown = names[:_MOST_NAMED]
    return join_words([*shown, f"{count(len(names) - len(shown))} more"] if len(shown) < len(names) else shown)


def _intervals_text(sources: list[str]) -> str:
    return f"95 % intervals of the mean over {' and '.join(sources)}; " if sources else ""


def _parts(change: WelfareChange, place: int) -> str:
    """Return the parts that gain, keep and lose: "97 / 3 / 0"."""
    return " / ".join(share(float(values[place]), 0) for values in (change.gain, change.unchanged, change.lose))


def _has(compared: ComparisonView, source: str) -> bool:
    attribute = "agents" if source == "agents" else "parameters"
    return any(getattr(policy.outcome, attribute) is not None for policy in compared.policies)


def _row(policy: PolicyView, change: WelfareChange, name: str, sources: list[str], decimals: int) -> tuple[Cell, ...]:
    found = {error.source: error for error in errors_of_worth(policy, in_utility=name == "worth-utility")}
    intervals = []
    for source in sources:
        error = found.get(source)
        ends = NOTHING if error is None else span(fixed(error.lower, decimals), fixed(error.upper, decimals))
        intervals.append(Cell(text=ends))
    amounts = [float(values[0]) for values in (change.median, change.least, change.most)]
    return (
        Cell(text=policy.short, below="not comparable" if policy.rescaled else ""),
        Cell(
            text=fixed(float(change.mean[0]), decimals, signed=True),
            below=fixed(float(change.total[0]), column_decimals(change.total[:1], 4), signed=True),
            style="strong",
        ),
        *intervals,
        *(Cell(text=fixed(value, decimals)) for value in amounts),
        Cell(text=_parts(change, 0)),
    )


def _strip(name: str, change: WelfareChange, place: int, *, heading: bool = False) -> Strip:
    quantiles = change.quantiles(STRIP_LEVELS)[place]
    return Strip(
        name=name,
        quantiles=tuple(float(value) for value in quantiles),
        mean=float(change.mean[place]),
        gain=float(change.gain[place]),
        lose=float(change.lose[place]),
        heading=heading,
    )


def _axis(compared: ComparisonView) -> str:
    return f"change in welfare, {in_sentence(compared.worth_unit, 28)} per {one_of(compared.base.choices)}"


def _figure(compared: ComparisonView) -> Figure:
    ranked = [policy for policy in compared.ranked if policy in compared.valued][:MAX_CATEGORIES]
    shown = [policy for policy in compared.policies if policy in ranked]
    finding = worth_finding(compared)
    note = f"distribution over {compared.rows}"
    if len(shown) < len(compared.valued):
        note += f"; the {len(shown)} policies with the largest effects"
    if any(policy.rescaled for policy in compared.policies):
        note += "; without those that are not comparable"
    svg = draw_strips(
        "worth",
        tuple(_strip(policy.title, policy.worth, 0) for policy in shown),
        label=f"Distribution of the change in welfare by policy. {finding}.",
        axis=_axis(compared),
    )
    return Figure(name="worth", finding=finding, note=note, svg=svg, table="worth")


def _by_group(compared: ComparisonView, policy: PolicyView) -> tuple[Block, ...]:
    name = f"worth-{policy.key}"
    if not np.isfinite(policy.worth.mean[0]):
        return (Prose(f"{capitalise(in_sentence(policy.title))}: nobody chooses in both."),)
    if policy.rescaled:
        return (Prose(f"{capitalise(in_sentence(policy.title))}: not compared, being on another scale."),)
    table = _group_table(compared, policy, name)
    folded = Details(summary=f"{capitalise(policy.short)}: the groups in numbers", blocks=(table,))
    return _group_figure(compared, policy, name), folded


def _group_figure(compared: ComparisonView, policy: PolicyView, name: str) -> Figure:
    strips = [_strip(f"all {compared.rows}", policy.worth, 0)]
    several = len(compared.base.segmentations) > 1
    for groups in compared.base.segmentations:
        for number, (label, position) in enumerate(zip(groups.labels, groups.positions, strict=True)):
            text = f"{groups.name}: {label}" if several else label
            strips.append(_strip(text, policy.worth, int(position), heading=number == 0))
    finding = worth_group_finding(compared, policy)
    note = f"distribution over {compared.rows} within groups"
    if len(strips) > MAX_CATEGORIES:
        note += f"; the first {MAX_CATEGORIES - 1} of {count(len(strips) - 1)} groups"
    svg = draw_strips(
        name,
        tuple(strips[:MAX_CATEGORIES]),
        label=f"Distribution of the change in welfare under {policy.short} by group. {finding}.",
        axis=_axis(compared),
    )
    return Figure(name=name, finding=finding, note=note, svg=svg, table=name)


def _group_table(compared: ComparisonView, policy: PolicyView, name: str) -> Table:
    rows = [row for groups in compared.base.segmentations for row in _group_rows(compared, policy, groups)]
    titles = (compared.rows, "mean", "median", "total", "gain / same / lose")
    everybody = _group_row(compared, policy, f"all {compared.rows}", 0)
    return Table(
        name=name,
        caption=f"Change in welfare under {policy.short} by group, {compared.worth_unit} per "
        f"{one_of(compared.base.choices)}; who gains, keeps and loses, % of {compared.rows}",
        columns=(Column(title="group", numeric=False), *(Column(title=title) for title in titles)),
        rows=(*rows[:_MOST_GROUPS], everybody),
        note="More groups are in tables/welfare.csv." if len(rows) > _MOST_GROUPS else "",
    )


def _group_rows(compared: ComparisonView, policy: PolicyView, groups: GroupSet) -> list[tuple[Cell, ...]]:
    several = len(compared.base.segmentations) > 1
    return [
        _group_row(compared, policy, f"{groups.name}: {label}" if several else label, int(position))
        for label, position in zip(groups.labels, groups.positions, strict=True)
    ]


def _group_row(compared: ComparisonView, policy: PolicyView, label: str, position: int) -> tuple[Cell, ...]:
    worth, decimals = policy.worth, compared.worth_decimals
    errors = errors_of_worth(policy, position)
    ends = ""
    if errors:
        ends = span(fixed(errors[-1].lower, decimals), fixed(errors[-1].upper, decimals))
    style = "strong" if position == 0 else ""
    return (
        Cell(text=label),
        Cell(text=count(int(policy.outcome.rows[position])), style=style),
        Cell(text=fixed(float(worth.mean[position]), decimals, signed=True), below=ends, style="strong"),
        Cell(text=fixed(float(worth.median[position]), decimals), style=style),
        Cell(text=fixed(float(worth.total[position]), column_decimals(worth.total[:1], 4)), style=style),
        Cell(text=_parts(worth, position), style=style),
    )
