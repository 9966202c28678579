"""How sure the assignment is: errors by iteration, the solver's phases, and another package's answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.assignment.cross_check import CrossCheck
from choicekit.report.content import Block, Cell, Column, Figure, Heading, Prose, Section, Table
from choicekit.report.figures.errors import Phase, draw_errors, phases_of
from choicekit.report.kinds.assignment.view import AssignmentView
from choicekit.report.numbers import NOTHING, count, significant
from choicekit.report.text import capitalise, clean, in_sentence, join_words

__all__ = ["certificate_section", "library_name"]

FloatArray = npt.NDArray[np.float64]

_MOST_PHASES = 30


def certificate_section(view: AssignmentView) -> Section:
    """Errors of every iteration, phases, and the cross-check where there was one."""
    blocks: list[Block] = [Prose(_prose(view))]
    errors = _errors(view)
    if len(errors.iteration) > 1:
        blocks.append(_figure(view, errors))
    if errors.phases:
        blocks.append(_phase_table(errors))
    if view.outcome.cross_check is not None:
        blocks += _cross_check(view.outcome.cross_check)
    return Section(key="certificate", title="How sure it is", blocks=tuple(blocks))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Errors:
    """Both errors by iteration (k,), and the phases these belong to."""

    iteration: npt.NDArray[np.int64]
    row: FloatArray
    column: FloatArray
    phases: tuple[Phase, ...]


def _errors(view: AssignmentView) -> _Errors:
    """Return the history, and what was returned in the end where that is not its last entry."""
    result, history = view.solved, view.solved.history
    iteration, names = history.iteration, [_phase_name(name) for name in history.phase]
    row, column = history.row_error, history.column_error
    if len(iteration) and (row[-1], column[-1]) != (result.row_error, result.column_error):
        iteration = np.append(iteration, iteration[-1] + 1)
        row, column = np.append(row, result.row_error), np.append(column, result.column_error)
        names.append("as returned")
    phases = phases_of(iteration.tolist(), names)
    return _Errors(iteration=iteration, row=row, column=column, phases=phases)


def library_name(name: str) -> str:
    """Write the name of a package as its authors do."""
    return "POT" if name == "pot" else clean(name)


def _phase_name(name: str) -> str:
    return clean(name).replace(" = ", "\u00a0=\u00a0")


def _prose(view: AssignmentView) -> str:
    result, found = view.solved, view.certificate
    text = (
        f"The assignment was found by {clean(result.method)} in {count(result.n_iterations)} "
        f"{'iteration' if result.n_iterations == 1 else 'iterations'}. Errors are distances of its sums from what the "
        f"conditions ask for, summed over places and divided by the total mass: {significant(result.row_error, 2)} for "
        f"{in_sentence(view.rows.noun)} and {significant(result.column_error, 2)} for "
        f"{in_sentence(view.columns.noun)}, where "
        f"{significant(result.tolerance, 2)} is allowed. "
    )
    if not np.isfinite(found.gap):
        return f"{text}There is no certificate, since its potentials are not finite."
    bound = f"The gap of {significant(found.gap, 2)} bounds what is lost."
    if found.gap <= 0:
        bound = "There is no gap but for rounding: nothing is lost."
    return (
        f"{text}Moved a little to meet every condition, it is worth {significant(found.primal, 7)}; the potentials "
        f"prove that none is worth more than {significant(found.dual, 7)}. {bound}"
    )


def _figure(view: AssignmentView, errors: _Errors) -> Figure:
    result, phases = view.solved, errors.phases
    start, end = (max(errors.row[place], errors.column[place]) for place in (0, -1))
    named = (("row", errors.row), ("column", errors.column))
    exact = [name for name, values in named if not (values > 0).any()]
    note = "logarithmic axis; bands are phases of the solver, numbered as in the table below"
    if exact:
        note += f"; the {join_words(exact)} error is 0 throughout and not drawn"
    finding = (
        f"Errors fall from {significant(start, 2)} to {significant(end, 2)} in {count(result.n_iterations)} iterations"
    )
    return Figure(
        name="errors",
        finding=finding if end < start else f"Errors are {significant(end, 2)} in the end",
        note=note,
        svg=draw_errors(
            "errors",
            errors.iteration,
            errors.row,
            errors.column,
            phases,
            label=f"{finding}. Both marginal errors on a logarithmic axis against the iteration, beside a dashed line "
            f"at the tolerance of {significant(result.tolerance, 2)}.",
            tolerance=result.tolerance,
        ),
        table="phases",
    )


def _phase_table(errors: _Errors) -> Table:
    left = len(errors.phases) - _MOST_PHASES
    note = "Every iteration is in tables/iterations.csv."
    return Table(
        name="phases",
        caption="Phases of the solver, and both errors at the end of each",
        columns=(
            Column(title="phase", numeric=False),
            Column(title="iterations"),
            Column(title="row error"),
            Column(title="column error"),
        ),
        rows=tuple(_phase_row(errors, number) for number in range(min(len(errors.phases), _MOST_PHASES))),
        note=note if left <= 0 else f"{note} {count(left)} more phases are left out here.",
    )


def _phase_row(errors: _Errors, number: int) -> tuple[Cell, ...]:
    phase = errors.phases[number]
    last = int(np.searchsorted(errors.iteration, phase.last))
    return (
        Cell(text=f"{number + 1} {phase.name}"),
        Cell(text=NOTHING if phase.name == "as returned" else count(phase.last - phase.first + 1)),
        Cell(text=significant(float(errors.row[last]), 2)),
        Cell(text=significant(float(errors.column[last]), 2)),
    )


def _cross_check(check: CrossCheck) -> list[Block]:
    name = library_name(check.library)
    blocks: list[Block] = [Heading(f"The same problem solved by {name}")]
    if check.passed is None:
        return [*blocks, Prose(f"No comparison: {clean(check.reason)}.")]
    apart = significant(check.coupling_difference, 2)
    several = bool(check.passed) and check.coupling_difference > check.threshold
    verdict = Cell(text="✓ agrees", style="good") if check.passed else Cell(text="✗ does not agree", style="bad")
    method = clean(check.method)
    table = Table(
        name="cross-check",
        caption=f"Largest differences from {name} {clean(check.version)}".rstrip(),
        columns=(
            Column(title="solved by", numeric=False),
            Column(title="verdict", numeric=False),
            Column(title="in the coupling, over all mass"),
            Column(title="in the objective, relative"),
            Column(title="allowed"),
        ),
        rows=(
            (
                Cell(text=f"{name} {method}".strip()),
                verdict,
                Cell(text=apart, below="several are best" if several else ""),
                Cell(text=significant(check.objective_difference, 2)),
                Cell(text=f"≤ {significant(check.threshold, 2)}"),
            ),
        ),
    )
    blocks.append(table)
    return [*blocks, Prose(f"{capitalise(clean(check.reason))}.")] if check.reason else blocks
