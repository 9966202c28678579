"""How a coupling changes with utilities and masses, by implicit differentiation of what the conditions ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import MarginalCondition, Relaxed
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.errors import InvalidInputError, ShapeError

__all__ = ["CouplingChange", "CouplingDerivatives", "CouplingGradients", "coupling_derivatives"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_NEARLY = 1e-6  # a place this near to full, at a price this near to 0 in units of temperature, sits at a kink
_WEAK = 1e-12  # shares of mass below this are lost beside the others when equations are solved
_ROUNDING = 1e-9  # changes of totals that differ by less, relatively, differ by how they were written down


class CouplingChange(NamedTuple):
    """By how much things change for each unit of a direction.

    Attributes
    ----------
    coupling : ndarray (n, m)
    row_potential, column_potential : ndarray (n,), (m,)
        Known up to a constant where potentials are: there the potential of one row or column is held.
    """

    coupling: FloatArray
    row_potential: FloatArray
    column_potential: FloatArray


class CouplingGradients(NamedTuple):
    """The gradient of a number that depends on the coupling.

    Attributes
    ----------
    utility : ndarray (n, m)
    row_mass, column_mass : ndarray (n,), (m,)
        0 where a side has no mass. Where totals must stay equal, the shortest of all vectors that give the same for
        directions in which they do.
    """

    utility: FloatArray
    row_mass: FloatArray
    column_mass: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Side:
    """How the places of a side answer.

    `moving` says whether potentials answer at all, `diagonal` is the derivative of sums less wanted sums by a place's
    own potential over T, `by_mass` that of wanted sums by mass, `by_reference` that of what entropy is relative to.
    """

    moving: BoolArray
    diagonal: FloatArray
    by_mass: FloatArray
    by_reference: FloatArray
    rigid: BoolArray
    kinks: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class _Pieces:
    """Parts of the coupling whose mass nothing but the masses decides: their rows and columns must add up to the same.

    `row`, `column` hold the number of the piece of each place, -1 for none.
    """

    row: npt.NDArray[np.int64]
    column: npt.NDArray[np.int64]
    n: int

    def excess(self, row: FloatArray, column: FloatArray) -> FloatArray:
        """Return sums over the rows of each piece less those over its columns."""
        return _summed(row, self.row, self.n) - _summed(column, self.column, self.n)

    def sizes(self) -> FloatArray:
        """Return how many places each piece has."""
        return _summed(np.ones(self.row.size), self.row, self.n) + _summed(
            np.ones(self.column.size), self.column, self.n
        )

    def spread(self, value: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the value of each place's piece, 0 for none."""
        whole = np.append(value, 0.0)
        return whole[self.row], whole[self.column]


def _summed(values: FloatArray, piece: npt.NDArray[np.int64], n: int) -> FloatArray:
    inside = piece >= 0
    return np.bincount(piece[inside], weights=values[inside], minlength=n).astype(np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class CouplingDerivatives:
    """Derivatives of a coupling and its potentials; made by `coupling_derivatives`.

    Attributes
    ----------
    result : AssignmentResult
        Where they are taken.
    row_kinks, column_kinks : ndarray of bool (n,), (m,)
        Places that are just full at a price of 0: there the coupling has another derivative on the other side.
    """

    result: AssignmentResult
    row_kinks: BoolArray
    column_kinks: BoolArray
    _rows: _Side
    _columns: _Side
    _pieces: _Pieces
    _factor: FloatArray
    """Of the Cholesky decomposition of the Schur complement on the smaller side, of places that move."""
    _solved: tuple[BoolArray, BoolArray]
    """Which rows and columns move and are not held to settle a constant."""

    def by_utility(self, direction: npt.ArrayLike) -> FloatArray:
        """Return the change of the coupling for each unit of a direction (n, m) in utilities."""
        return self.jvp(utility=direction).coupling

    def by_row_mass(self, direction: npt.ArrayLike) -> FloatArray:
        """Return the change of the coupling for each unit of a direction (n,) in the masses of rows."""
        return self.jvp(row_mass=direction).coupling

    def by_column_mass(self, direction: npt.ArrayLike) -> FloatArray:
        """Return the change of the coupling for each unit of a direction (m,) in the masses of columns."""
        return self.jvp(column_mass=direction).coupling

    def jvp(
        self,
        *,
        utility: npt.ArrayLike | None = None,
        row_mass: npt.ArrayLike | None = None,
        column_mass: npt.ArrayLike | None = None,
    ) -> CouplingChange:
        """Return the product of the Jacobian and a direction: what changes when all of these change together.

        Parameters
        ----------
        utility : array_like (n, m), optional
        row_mass, column_mass : array_like (n,), (m,), optional
            0 for places without mass. Under two fixed sides their totals must be equal.

        Raises
        ------
        InvalidInputError, ShapeError
            For directions that lead nowhere; the message says which.
        """
        problem, p = self.result.problem, self.result.coupling
        n, m = problem.shape
        by_row = _direction(row_mass, (n,), "row_mass", problem.rows)
        by_column = _direction(column_mass, (m,), "column_mass", problem.columns)
        self._check_totals(by_row, by_column)
        lift = self._rows.by_reference * by_row, self._columns.by_reference * by_column
        change = p * (_direction(utility, (n, m), "utility", None) / problem.temperature + lift[0][:, None] + lift[1])
        x, y = self.solve(
            self._rows.by_mass * by_row - change.sum(axis=1), self._columns.by_mass * by_column - change.sum(axis=0)
        )
        change += p * (x[:, None] + y)
        return CouplingChange(change, problem.temperature * x, problem.temperature * y)

    def vjp(self, cotangent: npt.ArrayLike) -> CouplingGradients:
        """Return the product of a vector and the Jacobian: the gradient of <cotangent, P> in utilities and masses.

        Parameters
        ----------
        cotangent : array_like (n, m)
            The derivative of some number by the coupling.
        """
        problem, p = self.result.problem, self.result.coupling
        weighted = p * _direction(cotangent, problem.shape, "cotangent", None)
        x, y = self.solve(weighted.sum(axis=1), weighted.sum(axis=0))
        weighted -= p * (x[:, None] + y)
        by_row = self._rows.by_mass * x + self._rows.by_reference * weighted.sum(axis=1)
        by_column = self._columns.by_mass * y + self._columns.by_reference * weighted.sum(axis=0)
        pieces = self._pieces
        shift = pieces.spread(pieces.excess(by_row, by_column) / pieces.sizes())
        return CouplingGradients(weighted / problem.temperature, by_row - shift[0], by_column + shift[1])

    def solve(self, row: FloatArray, column: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Solve [D, P; P', E] (x, y) = (row, column) for places that move, D and E being the diagonals.

        Parameters
        ----------
        row, column : ndarray (n,), (m,)

        Returns
        -------
        tuple of ndarray (n,), (m,)
        """
        total = self.result.problem.total_mass
        if total is not None:
            return np.full(row.size, row.sum() / total), np.zeros(column.size)
        if row.size <= column.size:
            return self._eliminated(self.result.coupling, row, column, self._columns, self._solved)
        y, x = self._eliminated(self.result.coupling.T, column, row, self._rows, self._solved[::-1])
        return x, y

    def _eliminated(
        self,
        p: FloatArray,
        kept_side: FloatArray,
        other_side: FloatArray,
        other: _Side,
        solved: tuple[BoolArray, BoolArray],
    ) -> tuple[FloatArray, FloatArray]:
        from scipy.linalg import cho_solve

        kept, inverse = solved[0], _inverse(other.diagonal, solved[1])
        x = np.zeros(kept.size)
        if kept.any():
            x[kept] = cho_solve((self._factor, True), (kept_side - p @ (inverse * other_side))[kept])
        return x, inverse * (other_side - p.T @ x)

    def _check_totals(self, by_row: FloatArray, by_column: FloatArray) -> None:
        excess = self._pieces.excess(by_row, by_column)
        size = np.abs(by_row).sum() + np.abs(by_column).sum()
        wrong = np.flatnonzero(np.abs(excess) > _ROUNDING * size)
        if wrong.size == 0:
            return
        rows, columns = (np.flatnonzero(piece == wrong[0]) for piece in (self._pieces.row, self._pieces.column))
        where = "" if self._pieces.n == 1 else f" in the part of row {rows[0]} and column {columns[0]}"
        raise InvalidInputError(
            f"masses of two sides that must both be met have to change by the same total{where}, found "
            f"{by_row[rows].sum():.12g} in rows and {by_column[columns].sum():.12g} in columns: give both to jvp "
            "together, with equal totals"
        )


def coupling_derivatives(result: AssignmentResult) -> CouplingDerivatives:
    """Return the derivatives of a coupling with respect to utilities and masses.

    Parameters
    ----------
    result : AssignmentResult
        Solved, with entropy as its regulariser and at a temperature above 0.

    Returns
    -------
    CouplingDerivatives
        Products with directions (`jvp`, and one for each argument) and with cotangents (`vjp`). The one decomposition
        they need, of the smaller side, is done here.

    Raises
    ------
    InvalidInputError
        For the sparse rule, T = 0, an assignment that was not solved, and a coupling so hard that rounding hides its
        derivatives.

    Notes
    -----
    With P = R exp((U + f + g) / T), what holds at every solution is

        row sums = r(f, a),    column sums = c(g, b),

    r and c being the sums that the conditions ask for at potentials f, g and masses a, b. Differentiated,

        [D  P ] [df]                     D = diag(P 1 - T dr/df),
        [P' E ] [dg] = T (right side),   E = diag(P' 1 - T dc/dg),

    with the right side dr/da da - (P o (dU / T + dlog R)) 1 and its like for columns: symmetric, so that `vjp` solves
    the same system. Columns (or rows, where they are more) are eliminated, and a Cholesky decomposition does the rest.

    Potentials that do not answer leave the system: those of free sides, and of capacities with room left. At a
    capacity that is just reached derivatives are one-sided, see `row_kinks`. Where nothing but masses decides how much
    is in a part of the coupling (two fixed sides), one potential is held, and masses may only change by equal totals;
    parts joined by less mass than rounding leaves count as separate. Under the product reference masses enter R as
    well. A mass of 0 has no derivative of two sides: gradients are 0 there.

    References
    ----------
    Luise, Rudi, Pontil & Ciliberto (2018), "Differential properties of Sinkhorn approximation for learning with
    Wasserstein distance", NeurIPS, theorem 2. Eisenberger, Toker, Leal-Taixe, Bernard & Cremers (2022), "A unified
    framework for implicit Sinkhorn differentiation", CVPR, theorem 3.

    Examples
    --------
    >>> from choicekit.assignment import solve_assignment
    >>> result = solve_assignment([[0.0, -1.0], [-1.0, 0.0]], [0.5, 0.5], [0.5, 0.5], temperature=1.0)
    >>> derivatives = coupling_derivatives(result)
    >>> derivatives.by_utility([[1.0, 0.0], [0.0, 0.0]]).round(4)
    array([[ 0.0492, -0.0492],
           [-0.0492,  0.0492]])
    >>> derivatives.by_row_mass([0.1, -0.1]).sum(axis=1).round(4)
    array([ 0.1, -0.1])
    """
    problem = result.problem
    if problem.sparse or problem.temperature == 0:
        found = "the sparse rule" if problem.sparse else "temperature 0"
        raise InvalidInputError(
            f"derivatives are of assignments with entropy at a temperature above 0, found {found}: there a coupling "
            "has corners; use rule=None and a temperature above 0"
        )
    if result.status not in ("converged", "precision"):
        raise InvalidInputError(
            f"derivatives must be taken at a solution, found an assignment whose status is '{result.status}': solve "
            "it to its tolerance first"
        )
    product = problem.reference == "product"
    rows = _side(problem, problem.rows, result.row_sums, result.row_potential, product)
    columns = _side(problem, problem.columns, result.column_sums, result.column_potential, product)
    pieces = _pieces(result, rows, columns)
    solved = _less_one_a_piece(rows.moving, pieces.row, result.row_sums), columns.moving
    return CouplingDerivatives(
        result=result,
        row_kinks=rows.kinks,
        column_kinks=columns.kinks,
        _rows=rows,
        _columns=columns,
        _pieces=pieces,
        _factor=_factor(result.coupling, rows, columns, solved),
        _solved=solved,
    )


def _side(
    problem: AssignmentProblem, condition: MarginalCondition, sums: FloatArray, potential: FloatArray, product: bool
) -> _Side:
    t, mass = problem.temperature, condition.mass
    if mass is None:
        nothing, nowhere = np.zeros(sums.size), np.zeros(sums.size, dtype=bool)
        return _Side(moving=nowhere, diagonal=sums, by_mass=nothing, by_reference=nothing, rigid=nowhere, kinks=nowhere)
    held = (mass > 0) & np.isfinite(potential)
    moving = held & (potential < 0) if condition.bounded else held
    curvature = np.where(moving, condition.curvature(potential, t), 0.0)
    by_mass = moving.astype(np.float64)
    if isinstance(condition, Relaxed):
        by_mass[held] = condition.wanted(sums, potential, t)[held] / mass[held]
    at_kink = held & (sums >= mass * (1 - _NEARLY)) & (potential >= -_NEARLY * t)
    return _Side(
        moving=moving,
        diagonal=sums + t * curvature,
        by_mass=by_mass,
        by_reference=_inverse(mass, held & product),
        rigid=moving & (t * curvature <= _WEAK * sums),
        kinks=at_kink & condition.bounded,
    )


def _inverse(values: FloatArray, where: BoolArray) -> FloatArray:
    """Return 1 / values, and 0 elsewhere."""
    return np.divide(1.0, values, out=np.zeros(values.size), where=where & (values > 0))


def _pieces(result: AssignmentResult, rows: _Side, columns: _Side) -> _Pieces:
    """Return the parts of the coupling, joined by its mass, in which every sum is given."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, m = result.problem.shape
    row, column = np.full(n, -1), np.full(m, -1)
    if result.problem.total_mass is not None or not (rows.rigid.any() and columns.rigid.any()):
        return _Pieces(row=row, column=column, n=0)
    least = np.sqrt(np.outer(result.row_sums, result.column_sums))
    joined = np.nonzero(result.coupling > _WEAK * least)
    graph = coo_array((np.ones(joined[0].size), (joined[0], n + joined[1])), shape=(n + m, n + m))
    n_parts, label = connected_components(graph, directed=False)
    # a part is rigid where all its places are; a place of its own, such as one without mass, makes no part
    rigid = np.concatenate([rows.rigid, columns.rigid])
    of_rows, of_columns = (np.isin(np.arange(n_parts), part) for part in (label[:n], label[n:]))
    loose = (np.bincount(label[~rigid], minlength=n_parts) == 0) & of_rows & of_columns
    number = np.where(loose, np.cumsum(loose) - 1, -1)
    return _Pieces(row=number[label[:n]], column=number[label[n:]], n=int(loose.sum()))


def _less_one_a_piece(moving: BoolArray, piece: npt.NDArray[np.int64], sums: FloatArray) -> BoolArray:
    """Leave out the row of each piece that has most mass: the others are known relative to it."""
    left = moving.copy()
    order = np.argsort(-sums, kind="stable")
    numbers, first = np.unique(piece[order], return_index=True)
    left[order[first[numbers >= 0]]] = False
    return left


def _factor(p: FloatArray, rows: _Side, columns: _Side, solved: tuple[BoolArray, BoolArray]) -> FloatArray:
    from scipy.linalg import LinAlgError, cho_factor

    kept_side, other = (rows, columns) if p.shape[0] <= p.shape[1] else (columns, rows)
    (kept, eliminated), p = (solved, p) if p.shape[0] <= p.shape[1] else (solved[::-1], p.T)
    if not kept.any():
        return np.zeros((0, 0))
    p = p[kept]
    schur = np.diag(kept_side.diagonal[kept]) - (p * _inverse(other.diagonal, eliminated)) @ p.T
    try:
        return np.asarray(cho_factor(schur, lower=True)[0])
    except LinAlgError as error:
        raise InvalidInputError(
            "derivatives need a coupling soft enough to be told from rounding, found one that is all but hard: raise "
            "the temperature"
        ) from error


def _direction(
    given: npt.ArrayLike | None, shape: tuple[int, ...], name: str, condition: MarginalCondition | None
) -> FloatArray:
    if given is None:
        return np.zeros(shape)
    found = np.asarray(given, dtype=np.float64)
    if found.shape != shape:
        raise ShapeError(f"{name} must have the shape {shape}, found {found.shape}")
    if not np.all(np.isfinite(found)):
        raise InvalidInputError(f"{name} must be finite numbers, found {found[~np.isfinite(found)][0]}")
    if condition is None or not np.any(found):
        return found
    if condition.mass is None:
        raise InvalidInputError(f"{name} must be 0 on a side that is Free, which has no mass to change")
    wrong = np.flatnonzero((condition.mass == 0) & (found != 0))
    if wrong.size:
        raise InvalidInputError(
            f"{name} must be 0 where there is no mass, found {found[wrong[0]]} at place {wrong[0]}: a mass of 0 cannot "
            "be lowered, so it has no derivative; compare two assignments instead"
        )
    return found
