"""The covariance of a choice scenario's coefficients: from a table, a matrix or standard errors in the file."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from choicekit.choice.layouts import SHOWN, with_rest
from choicekit.choice.policies.covariance import ROUNDING, CoefficientCovariance
from choicekit.choice.tables import Table, is_missing, number_of_each
from choicekit.errors import InvalidInputError, Problem
from choicekit.scenario.document import EntryPath
from choicekit.scenario.validation import Findings
from choicekit.scenario.wording import show
from choicekit.suggestions import suggest

__all__ = ["covariance_of"]

FloatArray = npt.NDArray[np.float64]

_FORMS = ("table", "matrix", "standard_errors")


def covariance_of(
    block: Any, table: Table | None, coefficients: Collection[str], findings: Findings
) -> CoefficientCovariance | None:
    """Make the covariance that a block describes; None where problems were noted.

    Parameters
    ----------
    block : CovarianceBlock
    table : Table, optional
        The one that the block names, if it could be read.
    coefficients : collection of str
        Those there are.
    findings : Findings
    """
    given = [form for form in _FORMS if getattr(block, form) is not None]
    taken = [form for form in _FORMS if ("covariance", form) in findings.removed]
    if len(given) + len(taken) != 1:
        found = " and ".join(f"`{form}`" for form in (*given, *taken)) or "nothing"
        message = f"a covariance is one of table, matrix and standard_errors, found {found}"
        findings.add(("covariance",), message, "keep one of them" if given else "add one of them", of_key=True)
        return None
    before = len(findings.problems)
    if block.standard_errors is not None:
        _check_errors(block.standard_errors, coefficients, findings)
        if len(findings.problems) == before:
            return CoefficientCovariance.from_standard_errors(block.standard_errors)
    elif block.matrix is not None:
        found_matrix = _matrix_of(block.matrix, coefficients, findings)
        if len(findings.problems) == before:
            try:
                return CoefficientCovariance(*found_matrix)
            except InvalidInputError as error:
                findings.add(("covariance", "matrix"), str(error), of_key=True)
    elif table is not None:
        square = _square(table)
        problems = list(_problems_of(square, coefficients))
        if not problems:
            try:
                return CoefficientCovariance(square.names, square.numbers[square.order])
            except InvalidInputError as error:
                problems = [table.problem(str(error))]
        findings.problems.extend(problems)
    return None


# --- in the scenario ------------------------------------------------------------------------------------------------


def _check_errors(errors: Mapping[str, float], known: Collection[str], findings: Findings) -> None:
    path: EntryPath = ("covariance", "standard_errors")
    _check_known(path, errors, known, findings)
    for name, error in errors.items():
        if not math.isfinite(error * error):
            message = f"the square of a standard error must be a finite number, found {error:g}"
            findings.add((*path, name), message, "check its power of ten")


def _check_known(path: EntryPath, names: Collection[str], known: Collection[str], findings: Findings) -> None:
    for name in names:
        if name not in known:
            findings.unknown((*path, name), "coefficient", name, known, of_key=True)


def _matrix_of(
    rows: Mapping[str, Mapping[str, float]], known: Collection[str], findings: Findings
) -> tuple[list[str], FloatArray]:
    """Return names and matrix; a pair may be given once or, the same, both ways round."""
    path: EntryPath = ("covariance", "matrix")
    _check_known(path, rows, known, findings)
    names = list(rows)
    matrix = np.zeros((len(names), len(names)))
    for row, entries in rows.items():
        if row not in entries and (*path, row, row) not in findings.removed:
            findings.add((*path, row), f"{row!r} has no variance", f"add {row!r} to its own row", of_key=True)
        for column, value in entries.items():
            if column not in rows:
                if column in known:
                    hint = f"add a row for {column!r}"
                    findings.add((*path, row, column), f"{column!r} has no variance", hint, of_key=True)
                else:
                    findings.unknown((*path, row, column), "coefficient", column, known, of_key=True)
                continue
            other = rows[column].get(row, value)
            matrix[names.index(row), names.index(column)] = matrix[names.index(column), names.index(row)] = value
            if names.index(column) < names.index(row) and _differ(value, other, row, column, rows):
                message = f"a covariance must be symmetric, found {value:g} here and {other:g} for the same pair above"
                findings.add((*path, row, column), message, "give the pair once")
    return names, matrix


def _differ(value: float, other: float, row: str, column: str, rows: Mapping[str, Mapping[str, float]]) -> bool:
    scale = math.sqrt(abs(rows[row].get(row, 0.0) * rows[column].get(column, 0.0)))
    return abs(value - other) > ROUNDING * scale


# --- in a table -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class _Square:
    """A table of covariances, with the names of coefficients in its header and before its rows.

    Attributes
    ----------
    table : Table
    names, labels : list of str
        Of its columns and of its rows.
    """

    table: Table
    names: list[str]
    labels: list[str]

    @cached_property
    def numbers(self) -> FloatArray:
        """Its cells, nan where there is no number."""
        columns = [number_of_each(self.table.frame[name].to_numpy(dtype=object))[0] for name in self.names]
        return np.stack(columns, axis=1)

    @cached_property
    def order(self) -> list[int]:
        """The row of each column."""
        return [self.labels.index(name) for name in self.names]


def _square(table: Table) -> _Square:
    columns = [str(column) for column in table.frame.columns]
    if table.path is not None and table.separator is not None:
        first = pd.read_csv(
            table.path, sep=table.separator, usecols=[0], dtype=str, keep_default_na=False, encoding="utf-8-sig",
            index_col=False,
        )  # fmt: skip
        # packages that label rows leave the header of the labels empty: they are then not in the frame
        if columns[:1] != [str(column) for column in first.columns]:
            return _Square(table=table, names=columns, labels=first.iloc[:, 0].tolist())
    return _Square(table=table, names=columns[1:], labels=[str(label) for label in table.frame.iloc[:, 0]])


def _problems_of(square: _Square, known: Collection[str]) -> Iterator[Problem]:
    """Yield names that do not fit, or else cells that are no numbers, or else the first that is not symmetric."""
    misnamed = list(_misnamed(square, known))
    yield from misnamed
    if misnamed:
        return
    wrong = np.argwhere(~np.isfinite(square.numbers))
    unread = [_bad_cell(square.table, row, square.names[place]) for row, place in wrong[:SHOWN].tolist()]
    yield from with_rest(unread, len(wrong))
    if not unread:
        yield from _one_sided(square)


def _one_sided(square: _Square) -> Iterator[Problem]:
    """Yield the first pair, in the order of the file, whose covariance is not the same both ways round."""
    names, at, numbers = square.names, square.order, square.numbers[square.order]
    errors = np.sqrt(np.abs(np.diag(numbers)))
    with np.errstate(over="ignore"):  # the largest numbers are further apart than any
        apart = np.argwhere(np.abs(numbers - numbers.T) > ROUNDING * np.outer(errors, errors))
    if len(apart):
        second, first = max(apart.tolist(), key=lambda pair: (at[pair[0]], -pair[1]))
        message = (
            f"column {names[first]!r}: a covariance must be symmetric, found {numbers[second, first]:g} for "
            f"{names[second]!r} here and {numbers[first, second]:g} the other way round"
        )
        hint = "give both with all their digits"
        yield square.table.problem(message, row=at[second], column=names[first], hint=hint)


def _misnamed(square: _Square, known: Collection[str]) -> Iterator[Problem]:
    table, names, labels = square.table, square.names, square.labels
    header = 1 if table.has_lines else None
    for name in names:
        if name not in known:
            hint = suggest(name, known) or f"there are {', '.join(known) or 'none'}"
            message = f"unknown coefficient {show(name)} in the header"
            yield Problem(message=message, hint=hint, file=table.name, line=header, path=name)
        elif name not in labels:
            message = f"a covariance has the same coefficients in its first column and header, {name!r} has no row"
            yield Problem(message=message, hint="add one", file=table.name, line=header, path=name)
    first = {label: row for row, label in reversed(list(enumerate(labels)))}
    wrong = [row for row, label in enumerate(labels) if first[label] != row or label not in known or label not in names]
    told = [_bad_label(table, row, labels[row], known, first[labels[row]] != row) for row in wrong[:SHOWN]]
    yield from with_rest(told, len(wrong))


def _bad_label(table: Table, row: int, label: str, known: Collection[str], again: bool) -> Problem:
    if again:
        return table.problem(f"coefficient {show(label)} has a second row", row=row, hint="remove one")
    if label not in known:
        hint = suggest(label, known) or f"there are {', '.join(known) or 'none'}"
        return table.problem(f"unknown coefficient {show(label)} in the first column", row=row, hint=hint)
    message = f"a covariance has the same coefficients in its first column and header, {label!r} has no column"
    return table.problem(message, row=row, hint="add one")


def _bad_cell(table: Table, row: int, column: str) -> Problem:
    cell = table.frame[column].iloc[row]
    found = "the number is missing" if is_missing(cell) else f"must be a finite number, found {show(str(cell))}"
    return table.problem(f"column {column!r}: {found}", row=row, column=column)
