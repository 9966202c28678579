"""`detection:` in a choice scenario: situations against a reference population, by segment and policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.choice.heterogeneity.expectation import expectations
from choicekit.choice.policies.study import ComparisonStudy
from choicekit.choice.population import Population
from choicekit.choice.simulation import ChoiceStudy, build_study
from choicekit.choice.tables import Table
from choicekit.detection.situations import SituationReference, SituationScores
from choicekit.detection.thresholds import rows_needed
from choicekit.errors import ChoicekitError
from choicekit.execution import blocks_of
from choicekit.scenario.choice.agents import population_of
from choicekit.scenario.tables import named_table
from choicekit.scenario.validation import Findings

__all__ = ["SituationDetection", "SituationPlan", "detect_situations", "detection_columns", "plan_detection"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_STILL = 1e-12  # of an attribute's size, below which its spread is rounding


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
        Rows of `known`.
    judged : ndarray (N,) of bool
        Rows of `study`.
    attributes : tuple of str
        Columns for the distance.
    retention : float
    sides : str
    """

    study: ChoiceStudy
    known: ChoiceStudy
    reference_rows: BoolArray
    judged: BoolArray
    attributes: tuple[str, ...]
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
        Of these rows under each policy, by energy; nan energies where a row has nothing to choose any more.
    """

    plan: SituationPlan
    reference: SituationReference
    rows: npt.NDArray[np.int64]
    scores: SituationScores
    policies: Mapping[str, SituationScores]

    def groups(self) -> Iterator[tuple[str, str, BoolArray]]:
        """Yield segment, group and which of the judged rows are in it: everybody first."""
        yield "all", "all", np.ones(self.rows.size, dtype=bool)
        for segment in self.plan.study.segments:
            for code, label in enumerate(segment.labels):
                yield segment.name, label, segment.codes[self.rows] == code


def detection_columns(blocks: Mapping[str, Any]) -> set[str]:
    """Return the columns of the agents' table that the block names."""
    block = blocks.get("detection")
    if block is None:
        return set()
    return {name for name in (block.reference.column, *(block.attributes or ())) if name is not None}


def plan_detection(
    blocks: Mapping[str, Any],
    study: ChoiceStudy,
    names: dict[str, str] | None,
    columns: Sequence[str],
    findings: Findings,
    directory: Path | None,
) -> tuple[SituationPlan | None, Table | None]:
    """Check the block and find its rows; None, and the faults noted, where it cannot be.

    Parameters
    ----------
    blocks : mapping
    study : ChoiceStudy
        The baseline.
    names : dict of str to str, optional
        Alternatives by their labels in the table.
    columns : sequence of str
        Of the agents' table, and attributes made of them.
    findings : Findings
    directory : Path, optional
        Where relative paths start.
    """
    block, before = blocks["detection"], len(findings.problems)
    reference = block.reference
    if (reference.table is None) == (reference.column is None):
        found = "neither" if reference.table is None else "both"
        hint = "name a `table` like the agents', or a `column` of it with `values`"
        findings.add(("detection", "reference"), f"a reference is a table or some rows, found {found}", hint)
        return None, None
    table, known = None, study
    reference_rows = np.ones(0, dtype=bool)
    if reference.table is not None:
        table = _table(blocks, findings, directory)
        population = None if table is None else _population(blocks, table, study, names, findings)
        if population is None:
            return None, table
        known = build_study(
            study.model, population, seed=blocks["seed"], replications=1, sampling=study.sampler.sampling, segments=[]
        )
        reference_rows = np.ones(population.n_rows, dtype=bool)
        judged = np.ones(study.population.n_rows, dtype=bool)
    else:
        marked = _marked(reference, study.population, columns, findings)
        if marked is None:
            return None, None
        reference_rows, judged = marked, ~marked
        if not judged.any():
            findings.add(("detection", "reference"), "every row is in the reference", "leave rows to be judged")
    _check_size(block, reference_rows, findings)
    if len(findings.problems) > before:
        return None, table
    attributes = _attributes(block, known, reference_rows, columns, findings)
    if len(findings.problems) > before:
        return None, table
    plan = SituationPlan(
        study=study,
        known=known,
        reference_rows=reference_rows,
        judged=judged,
        attributes=attributes,
        retention=block.retention,
        sides=block.sides,
    )
    try:
        _reference(plan)
    except ChoicekitError as error:
        findings.add(("detection", "attributes" if block.attributes else "reference"), str(error), of_key=True)
        return None, table
    return plan, table


def _table(blocks: Mapping[str, Any], findings: Findings, directory: Path | None) -> Table | None:
    agents, reference = blocks["agents"], blocks["detection"].reference
    path = ("detection", "reference")
    if agents.table == reference.table:
        said = "the reference is the table of the agents itself: no row would be judged by others"
        findings.add((*path, "table"), said, "name another table, or a `column` with `values`")
        return None
    texts = [agents.agent, agents.situation, agents.alternative]
    return named_table(path, reference, findings, directory, text=texts)


def _population(
    blocks: Mapping[str, Any], table: Table, study: ChoiceStudy, names: dict[str, str] | None, findings: Findings
) -> Population | None:
    """Read the reference like the agents; columns that it lacks are noted."""
    agents, columns = blocks["agents"], [str(column) for column in table.frame.columns]
    spread = set(agents.attributes)
    wanted = [name for name in study.population.columns if name not in spread]
    wanted += [column for by_alternative in agents.attributes.values() for column in by_alternative.values()]
    wanted += [name for name in (agents.agent, agents.situation, agents.alternative) if name is not None]
    missing = [name for name in dict.fromkeys(wanted) if name not in columns]
    if missing:
        said = f"the reference has no column {missing[0]!r}, which the agents have"
        more = f", nor {len(missing) - 1} more" if len(missing) > 1 else ""
        findings.add(("detection", "reference", "table"), said + more, "give it the columns of the agents' table")
        return None
    without = agents.model_copy(update={"chosen": None, "weight": None})
    population = population_of(without, table, names, set(study.population.columns), findings)
    if population is not None:
        findings.problems.extend(study.model.check(population))
    return None if findings.problems else population


def _marked(reference: Any, population: Population, columns: Sequence[str], findings: Findings) -> BoolArray | None:
    path = ("detection", "reference")
    if reference.values is None:
        findings.add(path, "a reference by column needs `values`", "those that reference rows have", of_key=True)
        return None
    if reference.column not in population.columns:
        findings.unknown((*path, "column"), "column", reference.column, columns)
        return None
    values = population.columns[reference.column]
    if values.ndim == 2:
        said = f"column {reference.column!r} differs by alternative, and a situation is all in the reference or not"
        findings.add((*path, "column"), said, "name a column of the agents")
        return None
    known = {f"{value:g}" if isinstance(value, float) else str(value) for value in np.unique(values).tolist()}
    marked, before = np.zeros(values.size, dtype=bool), len(findings.problems)
    for place, value in enumerate(reference.values):
        alike = (
            values == value if isinstance(value, str) == (values.dtype.kind in "UO") else np.zeros(values.size, bool)
        )
        if not np.any(alike):
            findings.unknown((*path, "values", place), "value", str(value), sorted(known))
        marked |= alike
    return marked if len(findings.problems) == before else None


def _check_size(block: Any, rows: BoolArray, findings: Findings) -> None:
    needed, found = rows_needed(block.retention, sides=block.sides), int(rows.sum())
    if found < needed:
        said = f"a retention of {block.retention:g} needs at least {needed:,} reference rows, found {found:,}"
        findings.add(("detection", "reference"), said, "give more rows, or a lower retention", of_key=True)


def _attributes(
    block: Any, known: ChoiceStudy, rows: BoolArray, given: Sequence[str], findings: Findings
) -> tuple[str, ...]:
    columns = known.population.columns
    if block.attributes is not None:
        for place, name in enumerate(block.attributes):
            if name not in columns:
                findings.unknown(("detection", "attributes", place), "column", name, given)
            elif columns[name].dtype.kind not in "biuf":
                findings.add(("detection", "attributes", place), f"column {name!r} is not a number", "leave it out")
        return tuple(block.attributes)
    formulas = known.model.formulas(known.population)
    used = {name for formula in formulas.values() for name in formula.names}
    numbers = [name for name in columns if name in used and columns[name].dtype.kind in "biuf"]
    return tuple(name for name in numbers if _parts(known.population, name, rows)[1].shape[1])


def _parts(population: Population, name: str, rows: BoolArray | npt.NDArray[np.int64]) -> tuple[list[str], FloatArray]:
    """Return the numbers of an attribute, by alternative where it differs; those that are known and vary."""
    values = population.columns[name][rows].astype(np.float64)
    table = values[:, None] if values.ndim == 1 else values
    called = [name] if values.ndim == 1 else [f"{name} of {alternative}" for alternative in population.alternatives]
    with np.errstate(invalid="ignore"):
        moves = np.ptp(table, axis=0) > _STILL * np.abs(table).max(axis=0, initial=0.0)
    kept = np.flatnonzero(np.isfinite(table).all(axis=0) & moves)
    return [called[place] for place in kept], table[:, kept]


# --- energies -------------------------------------------------------------------------------------------------------


def _energies(study: ChoiceStudy) -> FloatArray:
    """Return minus the inclusive value of every row, nan where there is nothing to choose."""
    found = np.full(study.population.n_rows, np.nan)
    for block in blocks_of(study.population.n_rows):
        utility = study.utility(block.rows)
        acting = np.flatnonzero((utility > -np.inf).any(axis=1))
        if acting.size:
            rows = acting + block.start
            expected = expectations(study.types.of(rows), [study.chooser(rows, utility[acting])])[0]
            found[rows] = -expected.value
    return found


def _reference(plan: SituationPlan) -> tuple[SituationReference, list[tuple[str, list[str]]]]:
    energies = _energies(plan.known)
    rows = np.flatnonzero(plan.reference_rows & np.isfinite(energies))
    parts = [(name, *_parts(plan.known.population, name, rows)) for name in plan.attributes]
    table = np.column_stack([part[2] for part in parts]) if parts else np.empty((rows.size, 0))
    names = [called for part in parts for called in part[1]]
    reference = SituationReference.fit(
        energies[rows],
        retention=plan.retention,
        sides=plan.sides,
        attributes=table if names else None,
        names=names,
    )
    return reference, [(part[0], part[1]) for part in parts]


def detect_situations(plan: SituationPlan, comparison: ComparisonStudy | None) -> SituationDetection:
    """Judge the situations of a study, and the same under each policy.

    Parameters
    ----------
    plan : SituationPlan
    comparison : ComparisonStudy, optional
    """
    reference, parts = _reference(plan)
    energies = _energies(plan.study)
    rows = np.flatnonzero(plan.judged & np.isfinite(energies))
    table = _table_like(plan.study.population, parts, rows)
    policies: dict[str, SituationScores] = {}
    if comparison is not None:
        values = np.full((len(comparison.policies), plan.study.population.n_rows), np.nan)
        for block in blocks_of(plan.study.population.n_rows):
            for place, case in enumerate(comparison.joint(block.rows).cases[1:]):
                values[place, block.rows] = np.where(case.chooses, -case.value, np.nan)
        for name, found in zip(comparison.policies, values[:, rows], strict=True):
            policies[name] = _judged(reference, found)
    return SituationDetection(
        plan=plan, reference=reference, rows=rows, scores=reference.judge(energies[rows], table), policies=policies
    )


def _judged(reference: SituationReference, energies: FloatArray) -> SituationScores:
    """Judge those rows that have something to choose; the others are not flagged."""
    acting = np.isfinite(energies)
    found = reference.judge(np.where(acting, energies, 0.0))
    return SituationScores(
        energies=energies,
        p_values=np.where(acting, found.p_values, np.nan),
        flagged=found.flagged & acting,
        distances=None,
        distant=None,
    )


def _table_like(
    population: Population, parts: list[tuple[str, list[str]]], rows: npt.NDArray[np.int64]
) -> FloatArray | None:
    """Return the attributes of rows, in the reference's columns; None where there are none, or some are not known."""
    columns = []
    for name, called in parts:
        values = population.columns[name][rows].astype(np.float64)
        if values.ndim == 1:
            columns.append(values)
            continue
        columns += [
            values[:, place]
            for place, alternative in enumerate(population.alternatives)
            if f"{name} of {alternative}" in called
        ]
    table = np.column_stack(columns) if columns else None
    return table if table is not None and np.isfinite(table).all() else None
