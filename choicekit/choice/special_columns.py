"""What a table says beside attributes: weights, availability and observed choices; attributes by alternative."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from choicekit.choice.layouts import SHOWN, Layout, require_columns, with_rest
from choicekit.choice.tables import column_values, labels_of, number_of_each
from choicekit.errors import DataError, InvalidInputError, Problem
from choicekit.suggestions import suggest

__all__ = ["availability_of", "chosen_of", "refuse_unavailable", "stacked_columns", "weights_of"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


def stacked_columns(placed: Layout) -> dict[str, npt.NDArray[np.generic]]:
    """Put the columns of a wide table that belong to one attribute side by side, one an alternative.

    Raises
    ------
    DataError
        For columns the table lacks.
    InvalidInputError
        For attributes without a column for each alternative.
    """
    stacked = {}
    for name, by_alternative in placed.attributes.items():
        if set(by_alternative) != set(placed.alternatives):
            missing = [a for a in placed.alternatives if a not in by_alternative]
            extra = [a for a in by_alternative if a not in placed.alternatives]
            raise InvalidInputError(
                f"attribute {name!r} must name a column for every alternative: missing {missing}, unknown {extra}"
            )
        require_columns(placed.table, list(by_alternative.values()))
        stacked[name] = np.stack([placed.column(by_alternative[a]) for a in placed.alternatives], axis=1)
    return stacked


def _numbers_in(placed: Layout, column: str, allowed: str, rule: Callable[[FloatArray], BoolArray]) -> FloatArray:
    """Return a column whose every cell passes `rule`, or say which do not."""
    values = column_values(placed.table.frame[column])
    texts = labels_of(placed.table.frame[column])
    numbers, bad = (values.astype(np.float64), False) if values.dtype.kind in "bf" else number_of_each(texts)
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(bad | ~rule(numbers))
    wrong = wrong[np.isin(wrong, placed.places)]
    if wrong.size:
        problems = [
            placed.table.problem(
                f"column {column!r}: must be {allowed}, found {texts[row]!r}", row=int(row), column=column
            )
            for row in wrong[:SHOWN]
        ]
        raise DataError(with_rest(problems, wrong.size))
    return numbers


def weights_of(placed: Layout, column: str) -> FloatArray:
    """Return a column as weights of agents, (N,).

    Raises
    ------
    DataError
        For cells that are no weights, weights that differ within an agent, or weights that are all 0.
    """
    numbers = _numbers_in(placed, column, "a finite number of at least 0", lambda x: np.isfinite(x) & (x >= 0))
    first = numbers[placed.first_place]
    if placed.places.ndim == 2:
        varied = np.argwhere((placed.places >= 0) & (numbers[placed.places] != first[:, None]))
        if len(varied):
            row, position = (int(index) for index in varied[0])
            message = "a weight must be the same in all rows of an agent's situation"
            raise DataError([placed.problem(message, row=row, position=position, column=column)])
    if not np.any(first > 0):
        raise DataError(
            [Problem(message=f"column {column!r}: weights must not all be 0", file=placed.table.name, path=column)]
        )
    return np.asarray(first)


def availability_of(placed: Layout, column: str | None) -> BoolArray | None:
    """Return what is available by a column and by the rows there are, (N, J); None where the table says nothing of it.

    Raises
    ------
    DataError
        For cells that are neither 1 nor 0.
    """
    if placed.places.ndim == 1:
        return None
    present = placed.places >= 0
    if column is None:
        return None if np.all(present) else present
    numbers = _numbers_in(placed, column, "1 (available) or 0 (not)", lambda x: (x == 0) | (x == 1))
    return np.asarray(present & (numbers[placed.places] == 1))


def chosen_of(placed: Layout, column: str, names: Mapping[str, str] | None) -> IntArray:
    """Return the position of what each agent was observed to choose, (N,).

    Raises
    ------
    DataError
        For cells that mark no alternative, or agents with other than one choice.
    InvalidInputError
        For a wide table without names of alternatives.
    """
    if placed.places.ndim == 1:
        return _chosen_labels(placed, column, names)
    numbers = _numbers_in(placed, column, "1 (chosen) or 0 (not)", lambda x: (x == 0) | (x == 1))
    picked = (placed.places >= 0) & (numbers[placed.places] == 1)
    counts = picked.sum(axis=1)
    wrong = np.flatnonzero(counts != 1)
    if wrong.size:
        message = "exactly one alternative must be marked as chosen, found {}"
        problems = [
            placed.problem(message.format(counts[row]), row=int(row), position=None, column=column)
            for row in wrong[:SHOWN]
        ]
        raise DataError(with_rest(problems, wrong.size))
    return np.asarray(picked.argmax(axis=1), dtype=np.int64)


def _chosen_labels(placed: Layout, column: str, names: Mapping[str, str] | None) -> IntArray:
    if not names:
        raise InvalidInputError("a wide table with a `chosen` column needs `alternatives`")
    labels = labels_of(placed.table.frame[column])
    order = {label: position for position, label in enumerate(names)}
    wrong = [row for row, label in enumerate(labels) if label not in order]
    if wrong:
        problems = [
            placed.problem(
                f"unknown alternative {labels[row]!r}",
                row=row,
                position=None,
                column=column,
                hint=suggest(labels[row], list(order)) or f"known labels are {', '.join(map(repr, list(order)[:20]))}",
            )
            for row in wrong[:SHOWN]
        ]
        raise DataError(with_rest(problems, len(wrong)))
    return np.asarray([order[label] for label in labels], dtype=np.int64)


def refuse_unavailable(placed: Layout, column: str, chosen: IntArray, available: BoolArray | None) -> None:
    """Raise `DataError` for agents observed to choose what the table says they could not."""
    if available is None:
        return
    wrong = np.flatnonzero(~available[np.arange(len(chosen)), chosen])
    if wrong.size:
        problems = [
            placed.problem(
                "what is chosen must be available, found one that is not",
                row=int(row),
                position=int(chosen[row]),
                column=column,
                hint="correct the choice or the availability",
            )
            for row in wrong[:SHOWN]
        ]
        raise DataError(with_rest(problems, wrong.size))
