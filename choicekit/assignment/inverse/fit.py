"""Fitting the utility of an assignment to observed matches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from choicekit.assignment.conditions import AtMost, MarginalCondition, is_finite_number
from choicekit.assignment.inverse.checking import (
    available_pairs,
    basis_functions,
    check_matches_possible,
    check_whole,
    names_of,
    side_condition,
)
from choicekit.assignment.inverse.cross_validation import CrossValidation, choose_penalty
from choicekit.assignment.inverse.errors_of_estimates import sandwich
from choicekit.assignment.inverse.estimate import CRITERIA, Estimator, centred_model
from choicekit.assignment.inverse.identification import check_identified
from choicekit.assignment.inverse.likelihood import log_likelihood
from choicekit.assignment.inverse.maximise import Maximum
from choicekit.assignment.inverse.model import MatchingModel
from choicekit.assignment.inverse.observations import Observations, observe
from choicekit.assignment.inverse.response import Response
from choicekit.assignment.inverse.result import AssignmentFit, Method, check_level
from choicekit.assignment.problem import Reference
from choicekit.assignment.solve import OnFailure, solve_problem
from choicekit.errors import ConvergenceError, InvalidInputError
from choicekit.random import check_seed

__all__ = ["fit_assignment"]

FloatArray = npt.NDArray[np.float64]
Penalty = float | Literal["cross-validated"]

_ROUGH = 1e-6  # tolerance of gradients in cross-validation


def fit_assignment(
    observed: npt.ArrayLike,
    basis: npt.ArrayLike,
    *,
    rows: MarginalCondition | npt.ArrayLike | None = None,
    columns: MarginalCondition | npt.ArrayLike | None = None,
    penalty: Penalty | None = None,
    names: Sequence[str] | None = None,
    method: Method | None = None,
    observations: float | None = None,
    availability: npt.ArrayLike | None = None,
    reference: Reference = "counting",
    row_names: Sequence[str] | None = None,
    column_names: Sequence[str] | None = None,
    folds: int = 5,
    seed: int = 0,
    level: float = 0.95,
    tolerance: float = 1e-9,
    max_iterations: int = 100,
    on_failure: OnFailure = "raise",
) -> AssignmentFit:
    """Estimate the utility behind observed matches, linear in coefficients and in units of the temperature.

    Parameters
    ----------
    observed : array_like (n, m)
        Matches by pair, counts or masses, at least 0. Scaled to the masses of a `Fixed` side where one is given;
        elsewhere in units of the masses.
    basis : array_like (K, n, m)
        One table for each coefficient: U / T = sum_k coefficient_k basis_k.
    rows, columns : MarginalCondition or array_like, optional
        As in `solve_assignment`. By default `Fixed` at the observed sums.
    penalty : float or "cross-validated", optional
        Ridge: penalty / 2 * |coefficients|^2 is taken off the log-likelihood of all observations (or its like for
        moments), as by a normal prior of variance 1 / penalty. Basis functions should be of like size.
        ``"cross-validated"`` chooses what best predicts held-out matches and needs counts.
    names : sequence of str, optional
        Of the coefficients; by default basis_1, basis_2, ...
    method : {"likelihood", "moments"}, optional
        They agree under observed masses. By default the likelihood there and with an outside option, whose singles it
        counts; moments under other given masses, where they are concave and need no more than the coupling.
    observations : float, optional
        How many independent observations there are, singles included. By default the sum of counts; for masses that
        are not whole numbers it is not known, and standard errors are nan.
    availability : array_like (n, m) of bool, optional
        False where a pair is forbidden.
    reference : {"counting", "product"}
        As in `solve_assignment`.
    row_names, column_names : sequence of str, optional
    folds, seed : int
        Of cross-validation.
    level : float
        Confidence of intervals.
    tolerance : float
        Of the gradient, relative to the standard deviation of each score.
    max_iterations : int
        Newton steps.
    on_failure : {"raise", "return"}
        What happens where they do not reach the tolerance.

    Returns
    -------
    AssignmentFit

    Raises
    ------
    InvalidInputError, ShapeError, InfeasibleMassError
        For observations, basis functions or masses that do not fit; the message says where and what to do.
    IdentificationError
        Where observations cannot tell basis functions apart, with or without a penalty; the message names the
        combination. Under fixed masses constants by row and by column are never identified.
    ConvergenceError
        Short of the tolerance, with the fit so far, unless ``on_failure="return"``: above all where observed matches
        are so extreme that the likelihood grows for ever.

    Notes
    -----
    Under observed masses the log-likelihood sum c_ij log P_ij is concave, and its gradient is the basis summed over the
    observed less over the fitted coupling. Moments: the same gradient under any masses, that of <c, U> - W(U) with W
    the optimal value. Likelihood under other masses: sum c log(mu / sum mu) over pairs and singles, whose gradient
    differentiates the potentials. Newton steps use the exact second derivatives, by implicit differentiation.

    Covariances are sandwiches A^-1 B A^-1 / N: A minus the Hessian with the penalty, B the covariance of scores over
    observed outcomes. Masses that are observed sums, or have an outside option, are taken to be sampled with the
    matches; others are known. With a penalty this is the spread of the penalised estimates; their bias towards 0 is not
    in it, nor is the choice of the penalty by cross-validation.

    Cross-validation puts every single observation in one of `folds` folds at random, fits to all but one, and scores
    the mean log probability of the fold left out, under its own masses.

    References
    ----------
    Galichon & Salanie (2022), "Cupid's invisible hand", Review of Economic Studies 89, section 6 (both methods, the
    likelihood of households). Dupuy & Galichon (2014), "Personality traits and the marriage market", Journal of
    Political Economy 122, section 4 (moments). Carlier, Dupuy, Galichon & Sun (2023), "SISTA", Communications on Pure
    and Applied Mathematics 76.

    Examples
    --------
    >>> observed = [[40, 10], [10, 40]]
    >>> fit = fit_assignment(observed, [[[1.0, 0.0], [0.0, 1.0]]], names=["alike"])
    >>> fit.coefficients.round(6), fit.standard_errors.round(4)
    (array([1.386294]), array([0.25]))
    >>> fit.likelihood_ratio.p_value < 1e-6
    True
    """
    conditions = side_condition(rows), side_condition(columns)
    seen = observe(observed, *conditions, observations)
    available = available_pairs(availability, seen.pairs)
    functions = basis_functions(basis, seen.pairs.shape, available)
    model = MatchingModel(
        basis=functions,
        names=names_of(names, len(functions), "basis"),
        rows=conditions[0],
        columns=conditions[1],
        availability=available,
        reference=reference,
        row_names=None if row_names is None else tuple(str(name) for name in row_names),
        column_names=None if column_names is None else tuple(str(name) for name in column_names),
    )
    if not (np.isfinite(tolerance) and tolerance > 0):
        raise InvalidInputError(f"tolerance must be a finite number above 0, found {tolerance!r}")
    if on_failure not in ("raise", "return"):
        raise InvalidInputError(f"on_failure must be 'raise' or 'return', found {on_failure!r}")
    estimator = Estimator(
        criterion=CRITERIA[_method(method, model)],
        tolerance=tolerance,
        max_iterations=check_whole(max_iterations, 1, "max_iterations"),
    )
    neutral = estimator.respond(model, seen, np.zeros(len(functions)))
    check_matches_possible(neutral, seen.pairs)
    check_identified(neutral, estimator.criterion)
    confidence = check_level(level)
    chosen, validation = _penalty(penalty, estimator, neutral, seen, check_whole(folds, 2, "folds"), check_seed(seed))
    fit = replace(_fitted(estimator, neutral, seen, chosen), level=confidence, cross_validation=validation)
    if not fit.converged and on_failure == "raise":
        raise ConvergenceError(_failure(fit), result=fit)
    return fit


def _method(given: Method | None, model: MatchingModel) -> Method:
    if given is None:
        return "likelihood" if model.with_observed_masses or model.has_singles else "moments"
    if given not in CRITERIA:
        raise InvalidInputError(f"method must be 'likelihood' or 'moments', found {given!r}")
    return given


def _penalty(
    given: Penalty | None, estimator: Estimator, neutral: Response, seen: Observations, folds: int, seed: int
) -> tuple[float, CrossValidation | None]:
    if given is None:
        return 0.0, None
    if given != "cross-validated":
        if not (is_finite_number(given) and given >= 0):
            raise InvalidInputError(
                f"penalty must be a finite number of at least 0, or 'cross-validated', found {given!r}"
            )
        return float(given), None
    counts = seen.outcomes * (seen.weight / seen.total)
    if seen.number is None or np.abs(counts - np.rint(counts)).max() > 1e-6 or seen.number < folds:
        raise InvalidInputError(
            f"a cross-validated penalty divides counts among {folds} folds, found "
            f"{'masses' if seen.number is None else f'{seen.number:.6g} observations'}, not so many whole numbers: "
            "give counts, or the penalty as a number"
        )
    rough = replace(estimator, tolerance=max(estimator.tolerance, _ROUGH))
    model = _working_model(neutral)

    def score(kept: Observations, held: Observations, penalties: FloatArray) -> FloatArray:
        return np.array(_held_out_scores(rough, model, kept, held, penalties))

    information = estimator.criterion.evaluate(neutral, seen).information
    validation = choose_penalty(seen, information, folds=folds, seed=seed, score=score)
    return validation.best, validation


def _held_out_scores(
    estimator: Estimator, model: MatchingModel, kept: Observations, held: Observations, penalties: FloatArray
) -> list[float]:
    """Return the scores of ascending penalties, each fit starting from the one before, which had a larger one."""
    scores: list[float] = []
    start = estimator.respond(model, kept, np.zeros(len(model.basis)))
    for penalty in penalties[::-1]:
        start = estimator.estimate(model, kept, float(penalty), start).evaluation.response
        predicted = estimator.respond(model, held, start.coefficients)
        scores.append(log_likelihood(predicted, held))
    return scores[::-1]


def _working_model(neutral: Response) -> MatchingModel:
    return centred_model(neutral) if neutral.model.with_observed_masses else neutral.model


def _fitted(estimator: Estimator, neutral: Response, seen: Observations, penalty: float) -> AssignmentFit:
    model, working = neutral.model, _working_model(neutral)
    found = estimator.estimate(working, seen, penalty)
    response = found.evaluation.response
    start = response.result.column_potential
    if working is not model:
        start = start + found.coefficients @ neutral.column.change
    result = solve_problem(
        model.problem(seen, found.coefficients),
        tolerance=estimator.inner_tolerance,
        start=start,
        on_failure="return",
    )
    return AssignmentFit(
        coefficients=found.coefficients,
        names=model.names,
        covariance=_covariance(found, estimator, seen),
        log_likelihood=seen.weight * log_likelihood(response, seen),
        neutral_log_likelihood=seen.weight * log_likelihood(neutral, seen),
        method="likelihood" if estimator.criterion.name == "likelihood" else "moments",
        penalty=penalty,
        gradient=found.gradient,
        n_observations=seen.number,
        converged=found.status == "converged",
        status=found.status,
        n_iterations=found.n_iterations,
        result=result,
        model=model,
        observations=seen,
    )


def _covariance(found: Maximum, estimator: Estimator, seen: Observations) -> FloatArray:
    if found.status == "converged":
        check_identified(found.evaluation.response, estimator.criterion)
        if seen.number is not None:
            return sandwich(found, estimator.criterion, seen)
    return np.full_like(found.curvature, np.nan)


def _failure(fit: AssignmentFit) -> str:
    way_out = {
        "no_maximum": "the criterion grows for ever as coefficients do, since observed matches are more extreme than "
        "any finite coefficients make them: give a penalty, or leave basis functions out",
        "max_iterations": "raise max_iterations or the tolerance, or give a penalty",
        "stalled": "no step improves it further: raise the tolerance, scale basis functions to like size, or give a "
        "penalty",
    }
    found = way_out[fit.status]
    capacities = isinstance(fit.model.rows, AtMost) or isinstance(fit.model.columns, AtMost)
    if fit.status != "no_maximum" and fit.method == "likelihood" and capacities:
        found = "the likelihood may be largest where a capacity is just reached: use method='moments'"
    return (
        f"a fit must end where its gradient and its steps vanish, found a gradient of {np.abs(fit.gradient).max():.2e} "
        f"and coefficients up to {np.abs(fit.coefficients).max():.4g} after {fit.n_iterations} iterations; "
        f"{found}; on_failure='return' gives what there is"
    )
