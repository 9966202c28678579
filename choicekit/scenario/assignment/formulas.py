"""Formulas over pairs: attributes of rows and of columns, attributes of pairs, and coefficients."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import FUNCTIONS, Expression, parse_expression
from choicekit.errors import ExpressionError
from choicekit.scenario.assignment.sides import Side
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings

__all__ = ["PairInputs", "check_coefficients", "pair_values", "read_formula"]

FloatArray = npt.NDArray[np.float64]

_DOTTED = re.compile(r"\b(row|column)\.(\w+)")


@dataclass(frozen=True, kw_only=True, eq=False)
class PairInputs:
    """What formulas over pairs may use.

    Attributes
    ----------
    rows, columns : Side
        Their attribute x is ``row_x`` and ``column_x``; ``row_name`` and ``column_name`` are always there.
    pairs : dict of str to ndarray (n, m)
    coefficients : dict of str to float
    unread : frozenset of str
        Names that were given but could not be read: not to be called unknown.
    """

    rows: Side
    columns: Side
    pairs: Mapping[str, FloatArray] = field(default_factory=dict)
    coefficients: Mapping[str, float] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()

    @property
    def names(self) -> set[str]:
        """Every name that a formula may use."""
        of_sides = {f"{side.one}_{x}" for side in (self.rows, self.columns) for x in (*side.attributes, "name")}
        return of_sides | set(self.pairs) | set(self.coefficients) | self.unread

    def columns_for(self, used: Iterable[str]) -> dict[str, Any]:
        """Return the values of some names, of shapes that broadcast to (n, m)."""
        found: dict[str, Any] = {**self.coefficients, **self.pairs}
        for side, axis in ((self.rows, (-1, 1)), (self.columns, (1, -1))):
            found[f"{side.one}_name"] = np.asarray(side.names, dtype=object).reshape(axis)
            found |= {f"{side.one}_{x}": values.reshape(axis) for x, values in side.attributes.items()}
        return {name: found[name] for name in used if name in found}

    def extended(self, key: str, name: str, attributes: Mapping[str, Any], like: str | None) -> PairInputs:
        """Return the same with one more place on a side; what it lacks is missing: nan, or no text.

        Parameters
        ----------
        key : {"rows", "columns"}
        name : str
        attributes : mapping of str to (float or str)
            Its own.
        like : str, optional
            A place of that side that has the others, and those of pairs.
        """
        side: Side = getattr(self, key)
        place = None if like is None else side.names.index(like)
        longer = {x: _longer(values, attributes.get(x), place) for x, values in side.attributes.items()}
        axis = 0 if key == "rows" else 1
        pairs = {x: _wider(values, axis, place) for x, values in self.pairs.items()}
        grown = replace(side, names=(*side.names, name), mass=None, attributes=longer)
        return replace(self, pairs=pairs, rows=grown) if key == "rows" else replace(self, pairs=pairs, columns=grown)


def _longer(values: npt.NDArray[Any], own: Any, place: int | None) -> npt.NDArray[Any]:
    is_text = values.dtype == object
    if own is None and place is not None:
        own = values[place]
    if own is None:
        own = "" if is_text else np.nan
    return np.append(values, np.asarray([own], dtype=object if is_text else np.float64))


def _wider(values: FloatArray, axis: int, place: int | None) -> FloatArray:
    shape = (1, values.shape[1]) if axis == 0 else (values.shape[0], 1)
    more = np.full(shape, np.nan) if place is None else np.take(values, [place], axis=axis)
    return np.concatenate([values, more], axis=axis)


def read_formula(path: EntryPath, text: str, findings: Findings) -> Expression | None:
    """Read a formula; None where it is none, which is noted."""
    try:
        return parse_expression(text)
    except ExpressionError as error:
        findings.add_formula(path, _with_way_out(error))
    return None


def _with_way_out(error: ExpressionError) -> ExpressionError:
    """Say how attributes of a side are written, where that is what was meant."""
    dotted = _DOTTED.search(error.expression)
    if dotted is None or error.hint or error.expression[error.offset or 0 :][:1] != ".":
        return error
    hint = f"an attribute of a side is written such as {dotted[1]}_{dotted[2]}"
    return ExpressionError(error.message, expression=error.expression, offset=error.offset, hint=hint)


def check_coefficients(inputs: PairInputs, formulas: Iterable[Expression], findings: Findings) -> None:
    """Note coefficients and pairs that stand for two things, and coefficients that no formula uses."""
    used = {name for formula in formulas for name in formula.names}
    of_sides = replace(inputs, pairs={}, coefficients={}, unread=frozenset()).names
    for block, given in (("coefficients", inputs.coefficients), ("pairs", inputs.pairs)):
        for name in given:
            path: EntryPath = (block, name)
            if name in of_sides or (block == "pairs" and name in inputs.coefficients):
                findings.add(path, f"{name!r} stands for two things", "rename one", of_key=True)
            elif name in FUNCTIONS:
                findings.add(path, f"{name!r} is the name of a function", "rename it", of_key=True)
            elif name not in used:
                findings.warn(path, f"{block.removesuffix('s')} {name!r} is used by no formula")


def pair_values(
    path: EntryPath, formula: Expression, inputs: PairInputs, findings: Findings, *, may_forbid: bool
) -> FloatArray | None:
    """Return the value of a formula for each pair; None where it has none, which is noted.

    Parameters
    ----------
    path : tuple of (str or int)
        Where the formula stands.
    formula : Expression
    inputs : PairInputs
    findings : Findings
    may_forbid : bool
        Whether minus infinity is a value.

    Returns
    -------
    ndarray (n, m) or None
    """
    unknown = formula.check(inputs.names)
    for error in unknown:
        findings.add_formula(path, error)
    if unknown or formula.names & inputs.unread:
        return None
    try:
        found = formula.evaluate(inputs.columns_for(formula.names))
    except ExpressionError as error:
        findings.add_formula(path, error)
        return None
    shape = (len(inputs.rows.names), len(inputs.columns.names))
    values = np.array(np.broadcast_to(np.asarray(found, dtype=np.float64), shape))
    wrong = np.argwhere(~((values < np.inf) & ((values > -np.inf) | may_forbid)))
    if wrong.size:
        row, column = (int(place) for place in wrong[0])
        more = "" if len(wrong) == 1 else f" and {len(wrong) - 1:,} more"
        what = "a finite number, or minus infinity to forbid a pair" if may_forbid else "a finite number"
        findings.add(
            path,
            f"a formula must give {what}, found {values[row, column]:g} for {inputs.rows.names[row]!r} and "
            f"{inputs.columns.names[column]!r}{more}",
        )
        return None
    return values
