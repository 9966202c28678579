"""The first section: what holds, and the headline numbers."""

from __future__ import annotations

import numpy as np

from choicekit.report.checks import checks_table
from choicekit.report.content import Block, Cell, Column, Heading, Items, Section, Table
from choicekit.report.kinds.assignment.view import AssignmentView, several_best
from choicekit.report.kinds.assignment.words import METHODS, reference_name
from choicekit.report.numbers import count, percent, significant
from choicekit.report.text import capitalise, clean

__all__ = ["overview_section", "utility_of"]

STATUS = {"converged": "both errors are within the tolerance", "precision": "as exact as floating point allows"}
IDENTIFIED = (
    "Only utility over temperature is identified: twice the utilities at twice the temperature give the same assignment"
)


def overview_section(view: AssignmentView) -> Section:
    """Show checks with what was found and what is allowed, then the headline numbers, then warnings."""
    blocks: list[Block] = []
    if view.study.checks:
        blocks.append(checks_table(view.study.checks))
    blocks.append(_headline(view))
    if view.study.warnings:
        blocks += [Heading("Warnings"), Items(tuple(clean(warning) for warning in view.study.warnings))]
    return Section(key="holds", title="What holds", blocks=tuple(blocks))


def utility_of(view: AssignmentView) -> float:
    """Return <P, U>, forbidden pairs adding nothing."""
    coupling = view.solved.coupling
    held = coupling > 0
    return float(np.sum(coupling[held] * view.problem.utility[held]))


def _headline(view: AssignmentView) -> Table:
    rows = [*_amounts(view), *_certificate(view), *_settings(view)]
    return Table(
        name="headline",
        caption=f"The assignment in numbers; objectives in {view.unit} times mass",
        columns=(
            Column(title="quantity", numeric=False),
            Column(title="value"),
            Column(title="what it says", numeric=False),
        ),
        rows=tuple((Cell(text=name), Cell(text=value), Cell(text=capitalise(says))) for name, value, says in rows),
    )


def _amounts(view: AssignmentView) -> list[tuple[str, str, str]]:
    total, used = view.total, utility_of(view)
    rows = [("mass matched", significant(total, 5), _of_what(view))]
    for side in (view.rows, view.columns):
        if side.left:
            rows.append((f"{side.noun}, {side.left}", significant(float(side.outside.sum()), 4), side.described))
    each = f"{significant(used / total, 4)} for each unit that is matched" if total > 0 else "nothing is matched"
    return [*rows, ("utility of the matches", significant(used, 5), each)]


def _of_what(view: AssignmentView) -> str:
    parts = [
        f"{percent(view.total / float(side.mass.sum()))} of the {side.asked} of {side.noun}"
        for side in (view.rows, view.columns)
        if np.isfinite(side.mass).all() and side.mass.sum() > 0
    ]
    return ", ".join(parts) or "no side asks for a mass"


def _certificate(view: AssignmentView) -> list[tuple[str, str, str]]:
    result, found = view.solved, view.certificate
    rows = [
        ("objective, primal", significant(found.primal, 7), "of the assignment, made to meet its conditions exactly"),
        ("objective, dual", significant(found.dual, 7), "no assignment can have more"),
        ("gap", significant(found.gap, 2), _gap_says(found.gap)),
        ("row error", significant(result.row_error, 2), f"of the sums of {view.rows.noun}, over all mass"),
        ("column error", significant(result.column_error, 2), f"of the sums of {view.columns.noun}, over all mass"),
        ("tolerance", significant(result.tolerance, 2), STATUS.get(result.status, METHODS.get(result.status, ""))),
    ]
    if several_best(view):
        says = (
            "other assignments are as good" if result.unique is False else "it is not known whether others are as good"
        )
        rows.append(("the only best one", "no" if result.unique is False else "not known", says))
    return rows


def _gap_says(gap: float) -> str:
    return "below 0 by rounding: none is better" if gap < 0 else "how far the assignment may be from the best"


def _settings(view: AssignmentView) -> list[tuple[str, str, str]]:
    result, problem = view.solved, view.problem
    hard = "the best assignment there is, without any entropy"
    rule = "half the squared norm, which leaves pairs empty" if problem.sparse else "Shannon's entropy"
    rows = [
        ("iterations", count(result.n_iterations), f"of {clean(result.method)}"),
        ("temperature", significant(problem.temperature), hard if problem.temperature == 0 else IDENTIFIED),
        ("regulariser", "sparsemax" if problem.sparse else "softmax", rule),
    ]
    if problem.sparse:
        return rows
    return [*rows, ("reference", problem.reference, f"entropy is relative to {reference_name(view)}")]
