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
BoolArray = npt.NDArray[np.bool_]

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
    lost, held = np.flatnonzero(~seen), response.result.coupling > 0
    names = tuple(name for name, whether in zip(model.names, seen, strict=True) if whether)
    scales = np.linalg.norm(table[seen], axis=1)
    combinations = _null_combinations(table[seen] / scales[:, None])
    if not (lost.size or combinations):
        return
    kinds = {f"'{model.names[k]}'": _constancy(np.ones(1), model.basis[[k]], held) for k in lost}
    for combination in combinations:
        words = _named(combination, scales, names)
        kinds[words] = _constancy(combination / scales, model.basis[seen], held)
    ways_out = [
        "leave " + ", ".join(f"'{model.names[k]}'" for k in lost) + " out" if lost.size else "",
        "leave out one function of each combination" if combinations else "",
    ]
    raise IdentificationError(
        f"basis functions must be told apart by what is observed, found that {_what_is_lost(model, kinds)}: "
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


def _what_is_lost(model: MatchingModel, kinds: dict[str, str]) -> str:
    """Return which combinations are lost and why, in words, given of what kind each is."""
    by_row, by_column = (condition is None or isinstance(condition, Fixed) for condition in (model.rows, model.columns))
    if by_row and by_column:
        masses = "fixed masses"
    elif by_row and isinstance(model.columns, Free):
        masses = "fixed masses of rows"
    elif by_column and isinstance(model.rows, Free):
        masses = "fixed masses of columns"
    else:
        return _said(list(kinds), "without effect on anything observed, under these conditions")
    alike: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        alike.setdefault(kind, []).append(name)
    return f"{_listed([_said(names, kind) for kind, names in alike.items()])}, which no coupling with {masses} shows"


def _constancy(weights: FloatArray, basis: FloatArray, held: BoolArray) -> str:
    """Return along what a combination does not change where there is mass, in words."""
    table = np.tensordot(weights, basis, axes=1)
    rounding = _NEGLIGIBLE * np.tensordot(np.abs(weights), np.abs(basis), axes=1)[held].max(initial=0.0)

    def constant(axis: int | None) -> bool:
        most = table.max(axis=axis, where=held, initial=-np.inf)
        return bool(np.all(most - table.min(axis=axis, where=held, initial=np.inf) <= rounding))

    if constant(None):
        return "the same for all pairs"
    if constant(1) or constant(0):
        return f"constant by {'row' if constant(1) else 'column'}"
    return "a sum of what is constant by row and by column"


def _said(names: list[str], what: str) -> str:
    return f"{_listed(names)} {'is' if len(names) == 1 else 'are'} {what}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
