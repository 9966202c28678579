"""Elasticities and diversion: how shares answer to a small change of one attribute of one alternative."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import reduce
from typing import Self

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import derivative
from choicekit.choice.heterogeneity.facing import Facing
from choicekit.choice.heterogeneity.types import AgentType
from choicekit.choice.policies.cases import Case, Face
from choicekit.rules import ChoiceRule

__all__ = ["ALL", "ARC", "Elasticities", "Response", "ResponseSums", "response_sums", "responses_of"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

ALL = "all"
"""Whose an attribute of agents is that several utilities use."""

ARC = 0.1
"""Relative change of the attribute in an arc elasticity."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Response:
    """An attribute that changes, and whose: that of one alternative, or of agents, for all alternatives that use it.

    Attributes
    ----------
    attribute : str
    alternative : str
        ``"all"`` for an attribute of agents that several utilities use.
    changed : tuple of (str, int)
        Alternatives whose utility changes, with their places on the common axis.
    """

    attribute: str
    alternative: str
    changed: tuple[tuple[str, int], ...]

    def __repr__(self) -> str:
        return f"Response({self.attribute!r} of {self.alternative!r})"


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ResponseSums:
    """Sums over rows that choose, by weight, of what elasticities are made of.

    Attributes
    ----------
    probability : ndarray (A,)
        Of p.
    slope : ndarray (M, A)
        For each of M responses, of dp / d log x.
    raised : ndarray (M, A)
        For each response, of p where the attribute is 10 % larger.
    jacobian : ndarray (A, A)
        Of dp_j / du_k; row k is the utility that changes.
    """

    probability: FloatArray
    slope: FloatArray
    raised: FloatArray
    jacobian: FloatArray

    def merge(self, other: Self) -> Self:
        """Return the sums over these rows and the rows right after them."""
        names = [item.name for item in fields(self)]
        return type(self)(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Elasticities:
    """How shares answer to attributes, and where those go who leave an alternative.

    Attributes
    ----------
    alternatives : tuple of str
        The A alternatives that answer.
    responses : tuple of (str, str)
        The M attributes and whose they are; ``"all"`` for an attribute of agents that several utilities use.
    sums : ResponseSums

    Notes
    -----
    The point elasticity of the share S_j = sum_i w_i p_ij / sum_i w_i to an attribute x of alternative k is

        E_jk = sum_i w_i (dp_ij / du_ik) (du_ik / dx_ik) x_ik / sum_i w_i p_ij,

    every agent's own elasticity weighed by its probability: the change of the share, in percent, where x rises by one
    percent for everybody. The arc elasticity is the change of S_j over its mean, where x rises by 10 %, over
    0.1 / 1.05, the same of x. The diversion ratio from k to j is the part of those who leave k, as its utility falls a
    little for everybody, that goes to j. A rule whose choice jumps at ties has no slope there: a single tied row makes
    point elasticities and diversion ratios nan. Where agents differ, slopes are means over their types, for which one
    shift of the integration points is taken; with random coefficients and a rule that jumps, the slope of the mean lies
    in the jumps, and is nan.

    References
    ----------
    Train (2009), "Discrete choice methods with simulation", section 2.6 (elasticities, aggregated in 2.5); Conlon &
    Mortimer (2021), "Empirical properties of diversion ratios", RAND Journal of Economics 52.
    """

    alternatives: tuple[str, ...]
    responses: tuple[tuple[str, str], ...]
    sums: ResponseSums

    def __repr__(self) -> str:
        return f"Elasticities({len(self.responses)} attributes of alternatives, {len(self.alternatives)} alternatives)"

    @property
    def point(self) -> FloatArray:
        """Point elasticities (M, A); nan for an alternative that nobody chooses."""
        return _ratio(self.sums.slope, self.sums.probability)

    @property
    def arc(self) -> FloatArray:
        """Arc elasticities (M, A) for a change by 10 %; nan for an alternative that nobody chooses.

        And nan where a larger attribute leaves the domain of a utility, as 1.1 * 0.95 that of ``log(1 - x)``.
        """
        before, after = self.sums.probability, self.sums.raised
        return _ratio(after - before, (after + before) / 2) / (ARC / (1 + ARC / 2))

    @property
    def diversion(self) -> FloatArray:
        """Diversion ratios (A, A) from the row to the column; nan on the diagonal and where nobody leaves."""
        leaving = np.diag(self.sums.jacobian).copy()
        leaving[~(leaving > 0)] = np.nan
        ratios = -self.sums.jacobian / leaving[:, None] + 0.0
        np.fill_diagonal(ratios, np.nan)
        return ratios


def responses_of(case: Case, alternatives: tuple[str, ...], attributes: tuple[str, ...]) -> Iterator[Response]:
    """Yield every attribute with the alternatives whose utility uses it: one by one, unless it is one of agents."""
    formulas = case.model.formulas(case.population)
    for attribute in attributes:
        users = [(name, alternatives.index(name)) for name, formula in formulas.items() if attribute in formula.names]
        if case.population.columns[attribute].ndim == 1 and len(users) > 1:
            yield Response(attribute=attribute, alternative=ALL, changed=tuple(users))
        else:
            yield from (Response(attribute=attribute, alternative=user[0], changed=(user,)) for user in users)


def response_sums(case: Case, responses: tuple[Response, ...], weights: FloatArray, rows: slice) -> ResponseSums:
    """Sum up some rows.

    Parameters
    ----------
    case : Case
        The baseline.
    responses : tuple of Response
    weights : ndarray (n,)
        Of these rows.
    rows : slice
    """
    face = case.face(rows)
    weight = np.where(face.chooses, weights, 0.0)
    parts = (_sums_of_type(case, responses, face, kind, weight) for kind in case.types.of(rows).each(shifts=1))
    return reduce(ResponseSums.merge, parts)


def _sums_of_type(
    case: Case, responses: tuple[Response, ...], face: Face, kind: AgentType, weight: FloatArray
) -> ResponseSums:
    """Sum up rows as if they were of one type, by its weight."""
    counts = weight > 0
    utility, rule = face.chooser.facing.at(kind.coefficients), face.chooser.rule(kind.position)
    weight = weight * kind.weight
    # where choices jump, the slope of a mean over coefficients lies in the jumps, which no point meets
    smooth = np.nan if case.types.n_shifts and np.any(rule.max_gap(2) == 0) else 1.0
    slope = np.zeros((len(responses), case.n_alternatives))
    raised = np.zeros((len(responses), case.n_alternatives))
    for number, response in enumerate(responses):
        steeper, higher = _moved(face.chooser.facing, response, utility, kind)
        product = rule.jacobian_product(utility, np.where(counts[:, None], steeper, 0.0))
        slope[number] = smooth * (weight @ np.where(counts[:, None], product, 0.0))
        raised[number] = weight @ _probabilities(rule, higher, counts)
    return ResponseSums(
        probability=weight @ np.where(face.chooses[:, None], rule.probabilities(utility), 0.0),
        slope=slope,
        raised=raised,
        jacobian=smooth * _jacobian(rule, utility, weight),
    )


def _jacobian(rule: ChoiceRule, utility: FloatArray, weight: FloatArray) -> FloatArray:
    at = np.flatnonzero(weight > 0)
    if not at.size:
        return np.zeros((utility.shape[1], utility.shape[1]))
    return rule.for_rows(at).jacobian_sum(utility[at], weight[at])


def _moved(facing: Facing, response: Response, utility: FloatArray, kind: AgentType) -> tuple[FloatArray, FloatArray]:
    """Return du / d log x, and the utilities where x is 10 % larger, both (n, A)."""
    slope, raised = np.zeros(utility.shape), utility.copy()
    for name, place in response.changed:
        formula = facing.model.formulas(facing.population)[name]
        inputs = facing.model.inputs(formula, facing.population, name, facing.rows)
        inputs |= {used: kind.coefficients[used] for used in formula.names & kind.coefficients.keys()}
        attribute = np.asarray(inputs[response.attribute], dtype=np.float64)
        larger = {**inputs, response.attribute: attribute * (1 + ARC)}
        offered = utility[:, place] > -np.inf
        with np.errstate(all="ignore"):  # cells of unavailable alternatives may hold anything
            relative = derivative(formula, response.attribute, inputs) * attribute
            # a percent more of nothing is nothing, however steep the utility
            slope[:, place] = np.where(offered & (attribute != 0), relative, 0.0)
            raised[:, place] = np.where(offered, formula.evaluate(larger), -np.inf)
    return slope, raised


def _probabilities(rule: ChoiceRule, utility: FloatArray, counts: BoolArray) -> FloatArray:
    """Return probabilities (n, A), 0 for rows that do not count, nan for those that left the domain of a utility."""
    table = np.zeros(utility.shape)
    possible = counts & np.all(utility < np.inf, axis=1) & (utility > -np.inf).any(axis=1)
    if possible.any():
        table[possible] = rule.for_rows(np.flatnonzero(possible)).probabilities(utility[possible])
    table[counts & ~possible] = np.nan
    return table


def _ratio(totals: FloatArray, sizes: FloatArray) -> FloatArray:
    return np.asarray(np.divide(totals, sizes, out=np.full(totals.shape, np.nan), where=sizes > 0))
