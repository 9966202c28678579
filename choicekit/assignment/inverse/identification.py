"""Whether matches can tell the coefficients apart, and which combinations they cannot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import Fixed, Free
from choicekit.assignment.inverse.criterion import Criterion
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.response import Response
from choicekit.errors import IdentificationError

__all__ = ["check_identified"]

FloatArray = npt.NDArray[np.float64]

_NEGLIGIBLE = 1e-9  # what is left of a basis function by rounding, relative to it
_SHOWN = 1e-7  # coefficients below it, relative to the largest, are rounding


def check_identified(response: Response, criterion: Criterion) -> None:
    """Raise where some combination of basis functions moves nothing that is observed.

    Parameters
    ----------
    response : Response
        Best that of the neutral coupling, whose support is whole.
    criterion : Criterion

    Raises
    ------
    IdentificationError
        The message names the combinations.

    Notes
    -----
    Under fixed masses potentials take up whatever is constant by row or by column: what is left of a basis function is
    its residual from a regression on rows and columns, weighted by the coupling (double-centring). In order, each is
    then compared with those before it; one that they explain is named with them.
    """
    table, model = criterion.design(response), response.model
    seen = np.linalg.norm(table, axis=1) > _NEGLIGIBLE * _sizes(response)
    lost = [f"'{model.names[k]}'" for k in np.flatnonzero(~seen)]
    names = tuple(name for name, whether in zip(model.names, seen, strict=True) if whether)
    scales = np.linalg.norm(table[seen], axis=1)
    combinations = _null_combinations(table[seen] / scales[:, None])
    collinear = [_named(combination, scales, names) for combination in combinations]
    if not (lost or collinear):
        return
    ways_out = [
        f"leave {', '.join(lost)} out" if lost else "",
        "leave out one function of each combination" if collinear else "",
    ]
    raise IdentificationError(
        f"basis functions must be told apart by what is observed, found that {_listed([*lost, *collinear])} "
        f"{'is' if len(lost) + len(collinear) == 1 else 'are'} {_what_is_lost(model)}: "
        f"{_listed([way for way in ways_out if way])}"
    )


def _sizes(response: Response) -> FloatArray:
    """Return the size of each basis function where the coupling has mass."""
    weights = np.sqrt(response.result.coupling).reshape(-1)
    flat = response.model.basis.reshape(len(response.model.basis), -1)
    return np.asarray(np.linalg.norm(flat * weights, axis=1))


def _null_combinations(unit: FloatArray) -> list[FloatArray]:
    """Return the combinations of rows of length 1 that vanish, one for each row explained by those before it."""
    kept: list[int] = []
    found = []
    for k in range(len(unit)):
        explained, *_ = np.linalg.lstsq(unit[kept].T, unit[k], rcond=None) if kept else (np.zeros(0),)
        if np.linalg.norm(unit[k] - explained @ unit[kept]) > _NEGLIGIBLE:
            kept.append(k)
            continue
        combination = np.zeros(len(unit))
        combination[kept] = -explained
        combination[k] = 1.0
        found.append(combination)
    return found


def _named(combination: FloatArray, scales: FloatArray, names: tuple[str, ...]) -> str:
    """Return a combination of scaled functions in words, its first coefficient 1: 'a' - 2 * 'b'."""
    shown = np.flatnonzero(np.abs(combination) > _SHOWN * np.abs(combination).max())
    combination = combination / scales
    parts = []
    for place, k in enumerate(shown):
        value = combination[k] / combination[shown[0]]
        amount = "" if abs(abs(value) - 1.0) < _SHOWN else f"{abs(value):.6g} * "
        sign = "" if place == 0 else (" - " if value < 0 else " + ")
        parts.append(f"{sign}{amount}'{names[k]}'")
    return "".join(parts)


def _what_is_lost(model: MatchingModel) -> str:
    by_row, by_column = (condition is None or isinstance(condition, Fixed) for condition in (model.rows, model.columns))
    if by_row and by_column:
        return "a sum of what is constant by row and by column, which no coupling with fixed masses shows"
    if by_row and isinstance(model.columns, Free):
        return "constant by row, which no coupling with fixed masses of rows shows"
    if by_column and isinstance(model.rows, Free):
        return "constant by column, which no coupling with fixed masses of columns shows"
    return "without effect on anything observed, under these conditions"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
