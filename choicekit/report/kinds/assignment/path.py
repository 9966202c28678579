"""From soft to hard: the same problem at several temperatures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.path import AssignmentPath
from choicekit.report.content import Block, Cell, Column, Figure, Prose, Section, Table
from choicekit.report.figures.curves import Axis, Curve, draw_curves
from choicekit.report.figures.matrix import MatrixPanel, draw_matrices
from choicekit.report.figures.style import Mark
from choicekit.report.kinds.assignment.coupling import MOST_TYPES, pairs_with_half
from choicekit.report.kinds.assignment.view import AssignmentView
from choicekit.report.numbers import NOTHING, count, percent, significant
from choicekit.report.text import in_sentence, shorten

__all__ = ["path_section"]

FloatArray = npt.NDArray[np.float64]

_PANELS = 4
_MOST_ROWS = 30
_CURVES = {
    "utility": Mark("#0072B2", "o"),
    "entropy": Mark("#B35706", "D"),
    "distance_to_neutral": Mark("#00674c", "s"),
}


def path_section(view: AssignmentView) -> tuple[Section, ...]:
    """Return the section on the path; none where there is no path."""
    path = view.outcome.path
    if path is None or not len(path.temperatures):
        return ()
    blocks: list[Block] = [Prose(_prose(view, path))]
    if np.count_nonzero(path.temperatures > 0) > 1:
        blocks += [_figure(view, path, name) for name in _CURVES]
    if max(view.problem.shape) <= MOST_TYPES and view.solved.coupling.size > 1:
        blocks.append(_couplings(view, path))
    blocks.append(_table(view, path))
    return (Section(key="path", title="From soft to hard", blocks=tuple(blocks)),)


def _prose(view: AssignmentView, path: AssignmentPath) -> str:
    text = (
        "The hotter, the more mass spreads over all pairs; the colder, the more utility decides. Distance is half the "
        "sum of absolute differences from chance with the same sums, over the mass: 0 is chance, 1 nothing in common "
        "with it."
    )
    if not view.allowed.all():
        text += " Since some pairs are forbidden, chance itself is out of reach."
    stuck = [significant(float(t)) for t, r in zip(path.temperatures, path.results, strict=True) if not r.converged]
    if stuck:
        text += f" At T\u00a0=\u00a0{', '.join(stuck)} the solver did not reach its tolerance."
    if (path.temperatures == 0).any():
        text += " T\u00a0=\u00a00, the best assignment, has no place on a logarithmic axis: a dashed line marks it."
        if path.results[-1].unique is not True:
            others = "others are" if path.results[-1].unique is False else "it is not known whether others are"
            text += f" It is one of the best; {others} as good, and the limit of the path may be between them."
    return text


def _values(path: AssignmentPath, name: str) -> FloatArray:
    values: FloatArray = getattr(path, name)
    return values


def _entropy(view: AssignmentView) -> str:
    """Name what the rule rewards beside utility."""
    return "minus half the squared norm" if view.problem.sparse else "entropy"


def _finding(view: AssignmentView, path: AssignmentPath, name: str) -> str:
    values = _values(path, name)
    hot, cold = (f"T\u00a0=\u00a0{significant(float(path.temperatures[place]))}" for place in (0, -1))
    first, last = float(values[0]), float(values[-1])
    if name == "distance_to_neutral":
        return (
            f"From {hot} to {cold} the distance from chance grows from {percent(first)} to {percent(last)}"
            if (last >= first)
            else f"From {hot} to {cold} the distance from chance goes from {percent(first)} to {percent(last)}"
        )
    what = "utility" if name == "utility" else _entropy(view)
    verb = "goes" if last == first else "rises" if last > first else "falls"
    return f"From {hot} to {cold} {what} {verb} from {significant(first, 4)} to {significant(last, 4)}"


def _figure(view: AssignmentView, path: AssignmentPath, name: str) -> Figure:
    values, warm = _values(path, name), path.temperatures > 0
    temperatures, mark = path.temperatures[warm], _CURVES[name]
    words = {"entropy": "entropy", "distance_to_neutral": "distance"}.get(name, name)
    if name == "entropy" and view.problem.sparse:
        words = "−½‖P‖²"
    curves = [Curve(name=words, x=temperatures[::-1], y=values[warm][::-1], mark=mark)]
    if not warm.all():
        frozen = float(values[~warm][0])
        across = temperatures[[-1, 0]]
        curves.append(
            Curve(name="at T = 0", x=across, y=np.full(2, frozen), mark=Mark(mark.colour, "."), style="dashed")
        )
    finding = _finding(view, path, name)
    unit = {"utility": shorten(view.unit, 24), "entropy": _entropy(view), "distance_to_neutral": "share of mass"}[name]
    room = (temperatures[0] / temperatures[-1]) ** 0.03  # for markers at either end
    ends = (float(temperatures[-1] / room), float(temperatures[0] * room))
    limits = (-0.03, 1.03) if name == "distance_to_neutral" else None
    return Figure(
        name=f"path-{name.replace('_', '-')}",
        finding=finding,
        note="temperature on a logarithmic axis, cold on the left",
        svg=draw_curves(
            f"path-{name.replace('_', '-')}",
            curves,
            label=f"{words} against temperature. {finding}.",
            x=Axis(
                title="temperature T, logarithmic",
                log=True,
                limits=ends,
                text=significant,
            ),
            y=Axis(title=unit, limits=limits),
            height=230.0,
        ),
        table="path",
    )


def _couplings(view: AssignmentView, path: AssignmentPath) -> Figure:
    places = np.unique(np.linspace(0, len(path.temperatures) - 1, _PANELS).round().astype(int))
    panels = [
        MatrixPanel(
            title=f"T\u00a0=\u00a0{significant(float(path.temperatures[place]))}",
            note=f"utility {significant(float(path.utility[place]), 3)}",
            values=np.where(view.allowed, path.results[place].coupling, np.nan),
        )
        for place in places
    ]
    hot, cold = (pairs_with_half(path.results[place].coupling) for place in (0, -1))
    finding = f"Half of all mass is in {count(hot)} pairs where it is hottest, in {count(cold)} where it is coldest"
    return Figure(
        name="path-couplings",
        finding=finding,
        note="mass of each pair at some temperatures, all on one scale; the deeper the colour the more",
        svg=draw_matrices(
            "path-couplings",
            view.rows.names,
            view.columns.names,
            panels,
            label=f"Heatmaps of the assignment from hot to cold. {finding}.",
            row_title=shorten(view.rows.noun, 20),
            column_title=shorten(view.columns.noun, 30),
            scale=shorten(view.mass_unit, 30),
            text=lambda value: significant(value, 2),
            across=2,
        ),
        table="path",
    )


def _table(view: AssignmentView, path: AssignmentPath) -> Table:
    n = len(path.temperatures)
    return Table(
        name="path",
        caption=f"The same problem from hot to cold; utility in {in_sentence(view.unit)} times mass",
        columns=(
            Column(title="temperature", numeric=False),
            Column(title="utility"),
            Column(title=_entropy(view)),
            Column(title="objective"),
            Column(title="distance from chance"),
            Column(title="iterations"),
            Column(title="gap"),
        ),
        rows=tuple(_row(path, place) for place in range(min(n, _MOST_ROWS))),
        note="The coldest are in tables/path.csv." if n > _MOST_ROWS else "",
    )


def _row(path: AssignmentPath, place: int) -> tuple[Cell, ...]:
    result, distance = path.results[place], float(path.distance_to_neutral[place])
    finite = bool(np.isfinite(result.coupling).all())
    return (
        Cell(
            text=f"T\u00a0=\u00a0{significant(float(path.temperatures[place]))}",
            below="" if result.converged else "not converged",
        ),
        Cell(text=significant(float(path.utility[place]), 5), style="strong"),
        Cell(text=significant(float(path.entropy[place]), 5)),
        Cell(text=significant(float(path.primal[place]), 5)),
        Cell(text=percent(distance) if np.isfinite(distance) else NOTHING),
        Cell(text=count(result.n_iterations)),
        Cell(text=significant(result.gap, 2) if finite else NOTHING),
    )
