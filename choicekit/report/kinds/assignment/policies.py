"""What each policy changes: masses, prices and welfare, by type and side, against the baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.comparison import PolicyAssignment, Quantity, SideComparison
from choicekit.report.content import Block, Cell, Column, Details, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.amounts import Amount, draw_amounts
from choicekit.report.figures.heatmap import MOST_CELLS, draw_heatmap
from choicekit.report.figures.style import MAX_CATEGORIES
from choicekit.report.kinds.assignment.sides import furthest_from_zero
from choicekit.report.kinds.assignment.view import AssignmentView, amount, comparable, opening, titled
from choicekit.report.numbers import NOTHING, column_decimals, count, fixed, significant
from choicekit.report.text import capitalise, clean, display_names, in_sentence, shorten, slug

__all__ = ["policies_section"]

FloatArray = npt.NDArray[np.float64]

_IN_FULL = 4
_MOST_POLICIES = 30
_MOST_ROWS = 60
_SAME = 1e-9  # over total mass
_NOT_COMPARABLE = (
    "This policy changes the temperature, and with it what variety of tastes is worth: welfare before and after is not "
    "comparable."
)
_SAME_PRICE = 1e-7  # over the size of utilities: what differs less differs by the solver's tolerance


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """One side of a policy: its key, what its places are called, names as shown, and the comparison."""

    key: str
    noun: str
    names: tuple[str, ...]
    compared: SideComparison

    def change(self, quantity: Quantity) -> FloatArray:
        """Return the change of a quantity by place."""
        found = self.compared.change(quantity)
        return np.array([found[name] for name in self.compared.names], dtype=np.float64)


def policies_section(view: AssignmentView) -> tuple[Section, ...]:
    """Return the section on policies; none where there are none."""
    comparison = view.outcome.comparison
    if comparison is None or not comparison.policies:
        return ()
    policies = list(comparison.policies.values())
    titles = titled(tuple(policy.name for policy in policies))
    keys: list[str] = []
    for title in titles:
        keys.append(slug(title, keys))
    blocks: list[Block] = [Prose(_prose(view)), _overview(view, policies, titles)]
    for place, (policy, title, key) in enumerate(zip(policies[:_MOST_POLICIES], titles, keys, strict=False)):
        told = _policy_blocks(view, policy, title, key)
        if place < _IN_FULL:
            blocks += [Heading(capitalise(shorten(title, 60))), *told]
        else:
            blocks.append(Details(summary=capitalise(shorten(title, 60)), blocks=told))
    return (Section(key="policies", title="Policies", blocks=tuple(blocks)),)


def _prose(view: AssignmentView) -> str:
    text = (
        f"Every policy is solved like the baseline and compared with it. Welfare is what the assignment is worth to "
        f"everyone together, in {in_sentence(view.unit)} times mass: the objective less what only masses and "
        f"temperature decide. By type it is what one more unit of the type's mass is worth."
    )
    if view.worth.normalisation:
        text += (
            f" Between the sides a constant has to be chosen: {clean(view.worth.normalisation)}. Changes of columns "
            "are relative to each other: where one rises, others fall."
        )
    return text


def _overview(view: AssignmentView, policies: list[PolicyAssignment], titles: tuple[str, ...]) -> Table:
    return Table(
        name="policies",
        caption="Each policy against the baseline",
        columns=(
            Column(title="policy", numeric=False),
            Column(title="welfare, change"),
            Column(title="objective, change"),
            Column(title="mass matched"),
            Column(title="change"),
            Column(title="mass that moves"),
        ),
        rows=tuple(
            _overview_row(view, policy, title) for policy, title in zip(policies[:_MOST_POLICIES], titles, strict=False)
        ),
        note=f"The first {_MOST_POLICIES} policies; all are in tables/policies.csv."
        if len(policies) > _MOST_POLICIES
        else "By type and side in tables/policies.csv.",
    )


def _overview_row(view: AssignmentView, policy: PolicyAssignment, title: str) -> tuple[Cell, ...]:
    total, least = float(policy.result.coupling.sum()), _SAME * max(view.total, 1e-300)
    moved = 0.5 * float(np.abs(_moved(view, policy)).sum())
    name = Cell(text=capitalise(shorten(title, 40)), below="" if policy.result.converged else "not converged")
    return (
        name,
        Cell(text=_signed(policy.welfare_change, least * _scale(view)), style="strong")
        if comparable(view, policy)
        else Cell(text=NOTHING, below="not comparable"),
        Cell(text=_signed(policy.primal_change, least * _scale(view))),
        Cell(text=significant(total, 5)),
        Cell(text=_signed(total - view.total, least)),
        Cell(text=significant(moved, 3) if moved > least else "0"),
    )


def _signed(value: float, least: float) -> str:
    """Write a change, as 0 where it is no more than the solver's tolerance."""
    if abs(value) <= least:
        return "0"
    shown = significant(value, 4)
    return f"+{shown}" if value > 0 else shown


def _moved(view: AssignmentView, policy: PolicyAssignment) -> FloatArray:
    """Return the change of the coupling; places that the policy adds come last and had nothing before."""
    after = policy.result.coupling
    before = np.zeros_like(after)
    n, m = view.problem.shape
    before[:n, :m] = view.solved.coupling
    return np.asarray(after - before)


def _policy_blocks(view: AssignmentView, policy: PolicyAssignment, title: str, key: str) -> tuple[Block, ...]:
    blocks: list[Block] = []
    description = str(getattr(policy.policy, "description", "")).strip()
    if description:
        blocks.append(Prose(clean(description)))
    sides = tuple(
        _Side(key=f"{side.key}s", noun=side.noun, names=display_names(compared.names), compared=compared)
        for side, compared in ((view.rows, policy.rows), (view.columns, policy.columns))
    )
    welfare = _side_figure(view, "welfare", sides, title, key)
    if not comparable(view, policy):
        blocks += [Prose(_NOT_COMPARABLE), _side_figure(view, "price", sides, title, key)]
    elif not _alike(view, sides):
        blocks += [welfare, _side_figure(view, "price", sides, title, key)]
    elif isinstance(welfare, Figure):
        blocks += [welfare, Prose("Prices change by the same amounts.")]
    else:
        blocks.append(Prose("Welfare and prices of all types stay as they are."))
    moved = _moved(view, policy)
    if max(moved.shape) <= MOST_CELLS and np.abs(moved).max() > _SAME * max(view.total, 1e-300):
        blocks.append(_mass_figure(view, sides, moved, title, key))
    tables = tuple(_side_table(view, side, key) for side in sides)
    blocks.append(Details(summary="Masses, prices and welfare by type, before and after", blocks=tables))
    return tuple(blocks)


def _alike(view: AssignmentView, sides: tuple[_Side, ...]) -> bool:
    """Whether prices change as welfare does, as they do where masses and the temperature stay."""
    apart = [np.abs(side.change("price") - side.change("welfare")) for side in sides]
    known = all((np.isfinite(side.change("price")) == np.isfinite(side.change("welfare"))).all() for side in sides)
    return known and float(np.nanmax(np.concatenate([np.zeros(1), *apart]))) <= _SAME_PRICE * _scale(view)


def _side_figure(view: AssignmentView, quantity: Quantity, sides: tuple[_Side, ...], title: str, key: str) -> Block:
    """Bars of how much a quantity changes, by type and side; a sentence where it does not."""
    changes = [(side, side.change(quantity)) for side in sides]
    known = [change[np.isfinite(change)] for _, change in changes]
    largest = max((float(np.abs(change).max()) for change in known if change.size), default=0.0)
    what, stays = ("welfare", "stays as it is") if quantity == "welfare" else ("prices", "stay as they are")
    if largest <= _SAME_PRICE * _scale(view):
        return Prose(f"{capitalise(what)} of all types {stays}.")
    decimals = column_decimals(np.concatenate(known))
    most = MAX_CATEGORIES // 2 if all(change.size for change in known) else MAX_CATEGORIES
    amounts: list[Amount] = []
    left = 0
    for side, change in changes:
        places = furthest_from_zero(change, most)
        left += int(np.isfinite(change).sum()) - len(places)
        for number, place in enumerate(places):
            value, heading = float(change[place]), "" if number else side.noun
            text = amount(value, decimals, signed=True)
            amounts.append(Amount(name=side.names[place], value=value, text=text, heading=heading))
    finding = _change_finding(changes, what, decimals, title)
    return Figure(
        name=f"{quantity}-{key}",
        finding=finding,
        note=f"change against the baseline, by type{f'; {count(left)} that change less are left out' if left else ''}",
        svg=draw_amounts(
            f"{quantity}-{key}",
            amounts,
            label=f"Bars of the change of {what} by type. {finding}.",
            axis=f"change of {'welfare by unit of mass' if quantity == 'welfare' else 'price'}, "
            f"{shorten(view.unit, 30)}",
        ),
        table=f"{key}-rows",
    )


def _scale(view: AssignmentView) -> float:
    finite = view.problem.utility[view.allowed]
    return max(float(np.abs(finite).max()) if finite.size else 1.0, view.problem.temperature)


def _change_finding(changes: list[tuple[_Side, FloatArray]], what: str, decimals: int, title: str) -> str:
    by_name = [
        (float(value), name)
        for side, change in changes
        for value, name in zip(change, side.names, strict=True)
        if np.isfinite(value)
    ]
    values = [value for value, _ in by_name]
    most, least = max(values), min(values)
    ups, downs = ([in_sentence(name) for value, name in by_name if _same(value, end)] for end in (most, least))
    name, low, high = opening(title), downs[0], ups[0]
    if what == "prices":
        rises = f"the price of {high} rises by {amount(most, decimals)}"
        falls = f"{'that' if most > 0 else 'the price'} of {low} falls by {amount(-least, decimals)}"
    else:
        rises = f"{_those(ups, 'gain')} most, {amount(most, decimals, signed=True)} each"
        falls = f"{_those(downs, 'lose')} most, {amount(least, decimals)} each"
    return f"{name}: {', '.join([rises] * (most > 0) + [falls] * (least < 0))}"


def _same(value: float, other: float) -> bool:
    return abs(value - other) <= _SAME_PRICE * abs(other)


def _those(names: list[str], verb: str) -> str:
    """Say who gains or loses most: several where they do so by as much."""
    others = len(names) - 1
    return f"{names[0]} and {count(others)} more {verb}" if others > 0 else f"{names[0]} {verb}s"


def _mass_figure(view: AssignmentView, sides: tuple[_Side, ...], moved: FloatArray, title: str, key: str) -> Figure:
    rows, columns = (side.names for side in sides)
    place = np.unravel_index(int(np.abs(moved).argmax()), moved.shape)
    largest = float(moved[place])
    decimals = max(column_decimals(moved), 1)
    finding = (
        f"{opening(title)}: {in_sentence(rows[place[0]])} with {in_sentence(columns[place[1]])} changes most, by "
        f"{amount(largest, decimals, signed=True)}"
    )
    return Figure(
        name=f"moved-{key}",
        finding=finding,
        note="change of each pair's mass; blue: more, orange: less",
        svg=draw_heatmap(
            f"moved-{key}",
            rows,
            columns,
            moved,
            label=f"Heatmap of the change of each pair's mass. {finding}.",
            row_title=shorten(view.rows.noun, 24),
            column_title=shorten(view.columns.noun, 40),
            text=lambda value: fixed(value, decimals, signed=True),
        ),
        table=f"{key}-rows",
    )


def _side_table(view: AssignmentView, side: _Side, key: str) -> Table:
    n = len(side.names)
    return Table(
        name=f"{key}-{side.key}",
        caption=f"{capitalise(shorten(side.noun, 40))}, before and after",
        columns=(
            Column(title="type", numeric=False),
            Column(title="mass"),
            Column(title="matched"),
            Column(title="price"),
            Column(title="worth of one more"),
        ),
        rows=tuple(_side_row(view, side, place) for place in range(min(n, _MOST_ROWS))),
        note=f"The first {_MOST_ROWS} of {count(n)}; all are in tables/policies.csv." if n > _MOST_ROWS else "",
    )


def _side_row(view: AssignmentView, side: _Side, place: int) -> tuple[Cell, ...]:
    cells = []
    for quantity in ("mass", "matched", "price", "welfare"):
        values = (side.compared.baseline, side.compared.policy)
        before, after = (float(getattr(found, quantity)[place]) for found in values)
        write: Callable[[float], str] = view.mass if quantity in ("mass", "matched") else significant
        cells.append(_change_cell(before, after, write))
    return Cell(text=side.names[place]), *cells


def _change_cell(before: float, after: float, write: Callable[[float], str]) -> Cell:
    shown = NOTHING if not np.isfinite(after) else write(after)
    if not np.isfinite(before):
        return Cell(text=shown, aside="" if shown == NOTHING else "new")
    was = write(before)
    return Cell(text=shown, style="strong", below=f"was {was}" if was != shown else "")
