"""Judging the situations of a choice study, and the same under each policy, against a reference population."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from choicekit.choice.expressions import parse_expression
from choicekit.choice.heterogeneity.expectation import expectations
from choicekit.choice.policies.cases import Case
from choicekit.choice.policies.policy import Policy
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.population import Population
from choicekit.choice.simulation import ChoiceStudy
from choicekit.detection.situations import SituationReference, SituationScores
from choicekit.execution import blocks_of

__all__ = [
    "AttributeColumn",
    "SituationDetection",
    "SituationPlan",
    "attribute_columns",
    "attribute_table",
    "detect_situations",
    "with_a_choice",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_STILL = 1e-12  # of an attribute's size, below which its spread is rounding


@dataclass(frozen=True, kw_only=True)
class AttributeColumn:
    """One number that tells situations apart.

    Attributes
    ----------
    name : str
        Of the attribute.
    alternative : str or None
        Whose, where it differs by alternative.
    """

    name: str
    alternative: str | None = None

    def __str__(self) -> str:
        return self.name if self.alternative is None else f"{self.name} of {self.alternative}"

    def of(self, population: Population) -> FloatArray:
        """Return it for every row of a population."""
        values = population.columns[self.name]
        chosen = values if self.alternative is None else values[:, population.position(self.alternative)]
        return np.asarray(chosen, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class SituationPlan:
    """What is to be judged against what.

    Attributes
    ----------
    study : ChoiceStudy
        Whose situations are judged.
    known : ChoiceStudy
        The reference population under the same model; `study` itself where some of its rows are the reference.
    reference_rows : ndarray of bool
        Rows of `known` that have something to choose.
    judged : ndarray (N,) of bool
        Rows of `study`.
    attributes : tuple of AttributeColumn
        For the distance.
    left_out : tuple of AttributeColumn
        Attributes that make no distance: not known for all of the reference, or the same for all.
    retention : float
    sides : str
    """

    study: ChoiceStudy
    known: ChoiceStudy
    reference_rows: BoolArray
    judged: BoolArray
    attributes: tuple[AttributeColumn, ...]
    left_out: tuple[AttributeColumn, ...]
    retention: float
    sides: str


@dataclass(frozen=True, kw_only=True, eq=False)
class SituationDetection:
    """How familiar situations are.

    Attributes
    ----------
    plan : SituationPlan
    reference : SituationReference
    rows : ndarray (n,) of int
        Rows that are judged: not of the reference, and with something to choose.
    scores : SituationScores
        Of these rows in the baseline.
    policies : mapping of str to SituationScores
        Of these rows under each policy, with attributes as it changes them; not judged where a row has nothing to
        choose any more, or does not belong to the policy's population.
    """

    plan: SituationPlan
    reference: SituationReference
    rows: IntArray
    scores: SituationScores
    policies: Mapping[str, SituationScores]

    def groups(self) -> Iterator[tuple[str, str, BoolArray]]:
        """Yield segment, group and which of the judged rows are in it: everybody first."""
        yield "all", "all", np.ones(self.rows.size, dtype=bool)
        for segment in self.plan.study.segments:
            for code, label in enumerate(segment.labels):
                yield segment.name, label, segment.codes[self.rows] == code


def detect_situations(plan: SituationPlan, comparison: ComparisonStudy | None) -> SituationDetection:
    """Judge the situations of a study, and the same under each policy.

    Parameters
    ----------
    plan : SituationPlan
    comparison : ComparisonStudy, optional
    """
    population, known = plan.study.population, plan.known.population
    energies = _energies(plan.known)
    measured = bool(plan.attributes)
    reference = SituationReference.fit(
        energies[plan.reference_rows],
        retention=plan.retention,
        sides=plan.sides,
        attributes=attribute_table(known, plan.attributes)[plan.reference_rows] if measured else None,
        names=[str(column) for column in plan.attributes],
    )
    if plan.known is not plan.study:
        energies = _energies(plan.study)
    rows = np.flatnonzero(plan.judged & np.isfinite(energies))
    table = attribute_table(population, plan.attributes)[rows] if measured else None
    policies = {}
    if comparison is not None:
        for place, values in enumerate(_policy_energies(comparison, rows)):
            case, policy = comparison.cases[place + 1], list(comparison.policies.values())[place]
            changed = None if table is None else _changed_table(case, policy, plan.attributes, table, rows)
            policies[case.name] = reference.judge(values, changed)
    scores = reference.judge(energies[rows], table)
    return SituationDetection(plan=plan, reference=reference, rows=rows, scores=scores, policies=policies)


# --- energies -------------------------------------------------------------------------------------------------------


def with_a_choice(study: ChoiceStudy) -> BoolArray:
    """Return which rows of a study have something to choose, (N,)."""
    found = np.zeros(study.population.n_rows, dtype=bool)
    for block in blocks_of(found.size):
        found[block.rows] = (study.utility(block.rows) > -np.inf).any(axis=1)
    return found


def _energies(study: ChoiceStudy) -> FloatArray:
    """Return minus the inclusive value of every row, nan where there is nothing to choose."""
    found = np.full(study.population.n_rows, np.nan)
    for block in blocks_of(found.size):
        utility = study.utility(block.rows)
        acting = np.flatnonzero((utility > -np.inf).any(axis=1))
        if acting.size:
            rows = acting + block.start
            expected = expectations(study.types.of(rows), [study.chooser(rows, utility[acting])])[0]
            found[rows] = -expected.value
    return found


def _policy_energies(comparison: ComparisonStudy, rows: IntArray) -> FloatArray:
    """Return energies of some rows under each policy, (P, n); nan where a row does not choose under it."""
    found = np.full((len(comparison.policies), comparison.population.n_rows), np.nan)
    for block in blocks_of(comparison.population.n_rows):
        for place, case in enumerate(comparison.joint(block.rows).cases[1:]):
            found[place, block.rows] = np.where(case.chooses, -case.value, np.nan)
    return np.asarray(found[:, rows])


# --- attributes -----------------------------------------------------------------------------------------------------


def attribute_columns(
    population: Population, name: str, rows: BoolArray
) -> tuple[list[AttributeColumn], list[AttributeColumn]]:
    """Return the numbers that an attribute is made of: those that some rows know and differ in, and the others."""
    by_alternative = population.columns[name].ndim == 2
    used: list[AttributeColumn] = []
    left_out: list[AttributeColumn] = []
    for alternative in population.alternatives if by_alternative else [None]:
        column = AttributeColumn(name=name, alternative=alternative)
        values = column.of(population)[rows]
        known = bool(values.size) and bool(np.isfinite(values).all())
        varies = known and bool(np.ptp(values) > _STILL * np.abs(values).max())
        (used if varies else left_out).append(column)
    return used, left_out


def attribute_table(population: Population, columns: Sequence[AttributeColumn]) -> FloatArray:
    """Return attributes of all rows, (N, K)."""
    return np.column_stack([column.of(population) for column in columns])


def _changed_table(
    case: Case, policy: Policy, columns: Sequence[AttributeColumn], table: FloatArray, rows: IntArray
) -> FloatArray:
    """Return attributes of rows as a policy changes them for the alternatives of the baseline."""
    changed = table.copy()
    for place, column in enumerate(columns):
        alternative, text = _change(policy, column, case)
        if text is not None:
            formula = parse_expression(text)
            changed[:, place] = formula.evaluate(case.model.inputs(formula, case.population, alternative, rows))
    return changed


def _change(policy: Policy, column: AttributeColumn, case: Case) -> tuple[str, str | None]:
    """Return the formula that takes an attribute's place, and for which alternative; None where nothing does."""
    everywhere = policy.attributes.get(column.name)
    if column.alternative is not None:
        return column.alternative, policy.change.get(column.alternative, {}).get(column.name, everywhere)
    for alternative, changes in policy.change.items():  # of an agent, and yet changed for one alternative
        if column.name in changes:
            return alternative, changes[column.name]
    return next(iter(case.model.formulas(case.population))), everywhere
