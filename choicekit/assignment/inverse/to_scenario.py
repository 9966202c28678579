"""A fit as a scenario file that simulates from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import MarginalCondition, Relaxed

if TYPE_CHECKING:
    from choicekit.assignment.inverse.result import AssignmentFit

__all__ = ["scenario_text"]


def scenario_text(fit: AssignmentFit, name: str, seed: int) -> str:
    """Return the YAML text; numbers are written in full, so that nothing is lost.

    Parameters
    ----------
    fit : AssignmentFit
    name : str
    seed : int
    """
    problem = fit.result.problem
    fitted = ", ".join(
        f"{_text(own)}: {_number(value)}" for own, value in zip(fit.names, fit.coefficients, strict=True)
    )
    row_names = problem.row_names or _numbered("row", problem.shape[0])
    column_names = problem.column_names or _numbered("column", problem.shape[1])
    lines = [
        "choicekit: 1",
        "kind: assignment",
        f"name: {_text(name)}",
        f"seed: {seed}",
        f"# fitted by {fit.method}: {{{fitted}}}",
        "temperature: 1.0",
        f"reference: {problem.reference}",
        *_side_lines("rows", problem.rows, row_names),
        *_side_lines("columns", problem.columns, column_names),
        *([] if problem.total_mass is None else [f"total_mass: {_number(problem.total_mass)}"]),
        "utility:",
        "  values:",
        *(f"    {_text(own)}: {_row(values)}" for own, values in zip(row_names, problem.utility, strict=True)),
    ]
    return "\n".join(lines) + "\n"


def _side_lines(side: str, condition: MarginalCondition, names: tuple[str, ...]) -> list[str]:
    lines = [f"{side}:", f"  condition: {condition.name}"]
    if isinstance(condition, Relaxed):
        lines.append(f"  strength: {_number(condition.strength)}")
    if condition.mass is None:
        return [*lines, f"  names: [{', '.join(_text(own) for own in names)}]"]
    return [
        *lines,
        "  mass:",
        *(f"    {_text(own)}: {_number(value)}" for own, value in zip(names, condition.mass, strict=True)),
    ]


def _numbered(side: str, size: int) -> tuple[str, ...]:
    return tuple(f"{side}_{place + 1}" for place in range(size))


def _row(values: npt.NDArray[np.float64]) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"


def _number(value: float) -> str:
    """Return a number as YAML 1.1 and 1.2 read it: with a point, in full."""
    if np.isinf(value):
        return "-.inf" if value < 0 else ".inf"
    mantissa, mark, exponent = repr(float(value)).partition("e")
    sign = "" if not mark or exponent.startswith("-") else "+"
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}{mark}{sign}{exponent.lstrip('+')}"


def _text(value: str) -> str:
    """Return text in double quotes, which YAML reads as JSON does."""
    return json.dumps(value)
