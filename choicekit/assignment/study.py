"""An assignment and everything that is asked about it, solved in one go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.comparison import AssignmentComparison, compare_assignments
from choicekit.assignment.conditions import Fixed, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.assignment.cross_check import CrossCheck, cross_check
from choicekit.assignment.path import AssignmentPath, assignment_path, neutral_coupling
from choicekit.assignment.policies import AssignmentPolicy
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.solve import solve_problem
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.execution.passes import Progress, silent
from choicekit.random import Draws, Stage, alternative_words, check_seed, row_words

if TYPE_CHECKING:
    from choicekit.assignment.inverse import AssignmentFit

__all__ = ["AssignmentOutcome", "AssignmentStudy", "FitSettings", "check_fit", "run_study"]

FloatArray = npt.NDArray[np.float64]

_FOLDS = 5  # of a cross-validated penalty


@dataclass(frozen=True, kw_only=True, eq=False)
class FitSettings:
    """How coefficients are fitted to the coupling of the study itself.

    Parameters
    ----------
    basis : array_like (K, n, m)
        What the utility over temperature is a combination of.
    names : sequence of str
        Of the coefficients, (K,).
    true_coefficients : array_like (K,), optional
        Those that made the utility, in units of temperature, to compare with.
    penalty : float or "cross-validated", optional
        See `fit_assignment`. Cross-validation needs draws, which it divides into five folds.
    draws : int, optional
        How many matches (with an outside option: households, singles included) are drawn from the coupling, to be
        fitted to; without it the coupling itself is.
    seed : int, optional
        Of the draws; needed with them.

    Raises
    ------
    InvalidInputError, ShapeError
        For settings that do not fit together.

    Examples
    --------
    >>> FitSettings(basis=np.eye(2)[None], names=("alike",), draws=1000, seed=1).draws
    1000
    """

    basis: FloatArray
    names: Sequence[str]
    true_coefficients: FloatArray | None = None
    penalty: float | Literal["cross-validated"] | None = None
    draws: int | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        basis, names = np.asarray(self.basis, dtype=np.float64), tuple(self.names)
        if basis.ndim != 3 or len(basis) != len(names):
            raise ShapeError(
                f"the basis of a fit must have a table for each of its names, (K, n, m), found shape {basis.shape} and "
                f"{len(names)} names"
            )
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "names", names)
        if self.true_coefficients is not None:
            true = np.asarray(self.true_coefficients, dtype=np.float64)
            if true.shape != (len(names),):
                raise ShapeError(f"true_coefficients must be {len(names)}, as names are, found shape {true.shape}")
            object.__setattr__(self, "true_coefficients", true)
        self._check_draws()

    def _check_draws(self) -> None:
        if self.penalty == "cross-validated" and (self.draws is None or self.draws < _FOLDS):
            found = "none" if self.draws is None else f"{self.draws}"
            raise InvalidInputError(
                f"a cross-validated penalty needs at least {_FOLDS} draws, which it divides into folds, found {found}: "
                "give draws, or the penalty as a number"
            )
        if self.draws is None:
            return
        if isinstance(self.draws, bool) or self.draws != int(self.draws) or self.draws < 1:
            raise InvalidInputError(f"draws must be a whole number of at least 1, found {self.draws!r}")
        if self.seed is None:
            raise InvalidInputError("a fit to draws needs a seed: give one")
        object.__setattr__(self, "draws", int(self.draws))
        object.__setattr__(self, "seed", check_seed(self.seed))


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentStudy:
    """An assignment and what is asked about it.

    Parameters
    ----------
    problem : AssignmentProblem
    policies : mapping of str to AssignmentPolicy
        Compared with the problem as it is.
    temperatures : tuple of float
        Of a path from soft to hard.
    cross_check : str, optional
        The library that solves the same problem, ``"pot"``.
    cross_check_threshold : float
        What differences from it are held to; see `cross_check`.
    fit : FitSettings, optional
    tolerance, max_iterations
        As `solve_assignment`.

    Raises
    ------
    InvalidInputError, ShapeError
        For a fit that cannot be: another shape, temperature 0, or the sparse rule.
    """

    problem: AssignmentProblem
    policies: Mapping[str, AssignmentPolicy] = field(default_factory=dict)
    temperatures: Sequence[float] = ()
    cross_check: str | None = None
    cross_check_threshold: float = 1e-6
    fit: FitSettings | None = None
    tolerance: float = 1e-9
    max_iterations: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "policies", MappingProxyType(dict(self.policies)))
        object.__setattr__(self, "temperatures", tuple(self.temperatures))
        if self.fit is None:
            return
        if self.fit.basis.shape[1:] != self.problem.shape:
            raise ShapeError(
                f"the basis of a fit must be tables of the shape of utility, {self.problem.shape}, "
                f"found {self.fit.basis.shape[1:]}"
            )
        if self.problem.temperature == 0 or self.problem.sparse:
            raise InvalidInputError(
                "a fit needs a coupling of the entropy at a temperature above 0: without it matches do not tell utility"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentOutcome:
    """What a study found; None for what was not asked for.

    Attributes
    ----------
    study : AssignmentStudy
    result : AssignmentResult
        Of the problem as it is.
    comparison : AssignmentComparison or None
    path : AssignmentPath or None
    cross_check : CrossCheck or None
    fit : AssignmentFit or None
    neutral : ndarray (n, m) or None
        The coupling of chance with the same sums; None where nobody is matched.
    """

    study: AssignmentStudy
    result: AssignmentResult
    comparison: AssignmentComparison | None
    path: AssignmentPath | None
    cross_check: CrossCheck | None
    fit: AssignmentFit | None
    neutral: FloatArray | None

    def __repr__(self) -> str:
        n, m = self.result.problem.shape
        asked = ("comparison", "path", "cross_check", "fit")
        found = "".join(f", {name}" for name in asked if getattr(self, name) is not None)
        return f"AssignmentOutcome({n} x {m}, {self.result.status}{found})"


def run_study(study: AssignmentStudy, progress: Progress | None = None) -> AssignmentOutcome:
    """Solve an assignment, and everything that its study asks about it.

    Parameters
    ----------
    study : AssignmentStudy
    progress : callable, optional
        Told what is being done, and how much of it is.

    Returns
    -------
    AssignmentOutcome

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError, IdentificationError
        For policies, temperatures or a basis that cannot be; policies are applied before anything is solved.

    Notes
    -----
    Nothing is raised where a solver stops short of the tolerance: results say so themselves (``.converged``).

    Examples
    --------
    >>> problem = AssignmentProblem(utility=[[0.0, -1.0], [-1.0, 0.0]], rows=[0.5, 0.5], columns=[0.5, 0.5],
    ...                             temperature=1.0)
    >>> outcome = run_study(AssignmentStudy(problem=problem, temperatures=(1.0, 0.1)))
    >>> outcome.result.coupling.round(8)[0]
    array([0.36552929, 0.13447071])
    """
    tell = silent if progress is None else progress
    problem, tolerance, most = study.problem, study.tolerance, study.max_iterations
    comparison, path, check, fit = None, None, None, None
    result = solve_problem(problem, tolerance=tolerance, max_iterations=most, on_failure="return")
    tell("assignment", 1, 1)
    if study.policies:
        comparison = compare_assignments(
            problem,
            study.policies,
            tolerance=tolerance,
            max_iterations=most,
            on_failure="return",
            baseline=result,
            progress=tell,
        )
    if study.temperatures:
        path = assignment_path(
            problem,
            study.temperatures,
            tolerance=tolerance,
            max_iterations=most,
            on_failure="return",
            progress=tell,
        )
    if study.cross_check is not None:
        check = cross_check(result, study.cross_check, threshold=study.cross_check_threshold)
        tell("cross-check", 1, 1)
    if study.fit is not None:
        fit = _fitted(result, study.fit)
        tell("fit", 1, 1)
    return AssignmentOutcome(
        study=study,
        result=result,
        comparison=comparison,
        path=path,
        cross_check=check,
        fit=fit,
        neutral=neutral_coupling(result.coupling),
    )


def check_fit(problem: AssignmentProblem, settings: FitSettings) -> None:
    """Raise where no matches under a problem's conditions could tell the coefficients of a fit apart.

    Parameters
    ----------
    problem : AssignmentProblem
        Its utilities do not matter, but for the pairs that they forbid.
    settings : FitSettings
        Its basis.

    Raises
    ------
    IdentificationError
        The message names the combinations of coefficients.

    Notes
    -----
    What matches by chance alone do not show, no others do: they have mass wherever there may be some. Few draws may
    show less.

    Examples
    --------
    >>> problem = AssignmentProblem(utility=np.zeros((2, 2)), rows=[0.5, 0.5], columns=[0.5, 0.5], temperature=1.0)
    >>> check_fit(problem, FitSettings(basis=np.eye(2)[None], names=("alike",)))
    """
    neutral = replace(problem, utility=np.where(problem.utility > -np.inf, 0.0, -np.inf))
    result = solve_problem(neutral, on_failure="return")
    _fitted(result, replace(settings, draws=None, penalty=None))


def _fitted(result: AssignmentResult, settings: FitSettings) -> AssignmentFit:
    """Fit to the coupling, or to matches drawn from it in units of mass."""
    from choicekit.assignment.inverse import fit_assignment

    problem = result.problem
    pairs, row_singles, column_singles = _observed(result, settings)
    return fit_assignment(
        pairs,
        settings.basis,
        rows=_seen(problem.rows, pairs.sum(axis=1), row_singles, problem.temperature),
        columns=_seen(problem.columns, pairs.sum(axis=0), column_singles, problem.temperature),
        penalty=settings.penalty,
        folds=_FOLDS,
        seed=0 if settings.seed is None else (settings.seed + 1) % 2**64,  # folds have other addresses than draws
        names=settings.names,
        observations=settings.draws,
        availability=np.isfinite(problem.utility),
        reference=problem.reference,
        row_names=problem.row_names,
        column_names=problem.column_names,
        on_failure="return",
    )


def _seen(
    condition: MarginalCondition, sums: FloatArray, singles: FloatArray, temperature: float
) -> MarginalCondition | None:
    """Return a condition as who observes the matches knows it, in units of the temperature.

    Masses that are fixed, or have an outside option, are those that are observed.
    """
    if isinstance(condition, Fixed):
        return None
    if isinstance(condition, WithOutsideOption):
        return WithOutsideOption(sums + singles)
    return Relaxed(condition.mass, condition.strength / temperature) if isinstance(condition, Relaxed) else condition


def _observed(result: AssignmentResult, settings: FitSettings) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return pairs and singles of either side, in units of mass."""
    (n, m), problem = result.problem.shape, result.problem
    row_singles = result.row_outside if isinstance(problem.rows, WithOutsideOption) else np.zeros(n)
    column_singles = result.column_outside if isinstance(problem.columns, WithOutsideOption) else np.zeros(m)
    if settings.draws is None or settings.seed is None:
        return result.coupling, row_singles, column_singles
    outcomes = np.concatenate([result.coupling.reshape(-1), row_singles, column_singles])
    total = float(outcomes.sum())
    drawn = _multinomial(outcomes / total, settings.draws, settings.seed) * (total / settings.draws)
    if not drawn[: n * m].any():
        raise InvalidInputError(
            f"a fit needs a match, found none among {settings.draws:,} draws, which are all singles: raise draws"
        )
    return drawn[: n * m].reshape(n, m), drawn[n * m : n * m + n], drawn[n * m + n :]


def _multinomial(shares: FloatArray, draws: int, seed: int) -> FloatArray:
    """Return how many of `draws` fall on each outcome.

    Half of the outcomes take a binomial number of the draws, half of each half one of those, and so on: one addressed
    uniform a split, so that the work does not grow with the draws.
    """
    from scipy import stats

    levels = max(int(np.ceil(np.log2(shares.size))), 0)
    tree = [np.pad(shares, (0, 2**levels - shares.size))]
    while tree[-1].size > 1:
        tree.append(tree[-1].reshape(-1, 2).sum(axis=1))
    counts = np.array([float(draws)])
    for level, parts in enumerate(reversed(tree[:-1])):
        first, whole = parts[::2], parts[::2] + parts[1::2]
        share = np.divide(first, whole, out=np.zeros_like(first), where=whole > 0)
        words = Draws(
            seed=seed, stage=Stage.SYNTHETIC, rows=row_words([level]), alternatives=alternative_words(range(first.size))
        )
        taken = stats.binom.ppf(words.uniforms(0)[0], counts, np.minimum(share, 1.0))
        counts = np.stack([taken, counts - taken], axis=1).reshape(-1)
    return counts[: shares.size]
