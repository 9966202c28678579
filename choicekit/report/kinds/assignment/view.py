"""An assignment made ready to be shown: names, nouns, certificate and neutral expectation, each worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from choicekit.assignment.comparison import PolicyAssignment
from choicekit.assignment.conditions import AtMost, Fixed, Free, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult
from choicekit.assignment.study import AssignmentOutcome
from choicekit.assignment.support import usable_pairs
from choicekit.assignment.welfare import AssignmentWelfare, assignment_welfare
from choicekit.report.numbers import MINUS, THIN, column_decimals, fixed, significant
from choicekit.report.text import capitalise, clean, display_names, in_sentence
from choicekit.scenario.result import StudyResult

__all__ = [
    "MASS",
    "AssignmentView",
    "Certificate",
    "SideView",
    "amount",
    "called",
    "certificate_of",
    "comparable",
    "opening",
    "several_best",
    "titled",
    "view_of",
]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

MASS = "mass"
"""The unit of mass where none is named."""
_DIGITS = 3


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """How good an assignment is; nan where its potentials are not finite.

    Attributes
    ----------
    primal, dual, gap : float
        The objective at the rounded coupling, an upper bound on the best there is, and their difference.
    """

    primal: float
    dual: float
    gap: float


@dataclass(frozen=True, kw_only=True, eq=False)
class SideView:
    """One side.

    Attributes
    ----------
    key : str
        "row" or "column".
    noun : str
        What its places are called, in the plural.
    keys, names : tuple of str
        Names of places as given, and as shown.
    condition : MarginalCondition
    mass : ndarray (n,)
        What is asked for, nan where anything will do.
    matched, outside : ndarray (n,)
        Sums of the coupling, and mass outside it by the condition's leave.
    price, welfare : ndarray (n,)
        In units of utility; infinite or nan where a place has no mass.
    """

    key: str
    noun: str
    keys: tuple[str, ...]
    names: tuple[str, ...]
    condition: MarginalCondition
    mass: FloatArray
    matched: FloatArray
    outside: FloatArray
    price: FloatArray
    welfare: FloatArray

    @property
    def asked(self) -> str:
        """What the condition asks of sums, for the head of a column."""
        return "capacity" if isinstance(self.condition, AtMost) else "mass"

    @property
    def left(self) -> str:
        """What mass outside the coupling is called; empty where there is none by the condition."""
        if isinstance(self.condition, AtMost):
            return "unused capacity"
        return "single" if isinstance(self.condition, WithOutsideOption) else ""

    @property
    def described(self) -> str:
        """The condition in words."""
        if isinstance(self.condition, Relaxed):
            return f"masses may be left at a cost of strength {significant(self.condition.strength)}"
        words = {
            Fixed: "masses are met exactly",
            AtMost: "capacities are not exceeded",
            Free: "any sums will do",
            WithOutsideOption: "everyone may stay single",
        }
        return words.get(type(self.condition), self.condition.name)


@dataclass(frozen=True, kw_only=True, eq=False)
class AssignmentView:
    """What the sections of an assignment report are made from.

    Attributes
    ----------
    study : StudyResult
    outcome : AssignmentOutcome
    rows, columns : SideView
    certificate : Certificate
    worth : AssignmentWelfare
    neutral : ndarray (n, m) or None
        What chance would match.
    unusable : ndarray (k, 2) of int
        Allowed pairs that no coupling can use.
    unit, mass_unit : str
        Of utility, and of mass.
    decimals : int
        Of masses beside each other.
    """

    study: StudyResult
    outcome: AssignmentOutcome
    rows: SideView
    columns: SideView
    certificate: Certificate
    worth: AssignmentWelfare
    neutral: FloatArray | None
    unusable: npt.NDArray[np.intp]
    unit: str
    mass_unit: str
    decimals: int

    @property
    def solved(self) -> AssignmentResult:
        """The assignment itself."""
        return self.outcome.result

    @property
    def problem(self) -> AssignmentProblem:
        """What was solved."""
        return self.solved.problem

    @property
    def total(self) -> float:
        """Mass that is matched."""
        return float(self.solved.coupling.sum())

    @property
    def allowed(self) -> BoolArray:
        """Pairs that are not forbidden (n, m)."""
        return np.asarray(self.problem.utility > -np.inf)

    def mass(self, value: float) -> str:
        """Write a mass beside others."""
        return amount(value, self.decimals)

    def matched(self) -> str:
        """Say how much is matched."""
        shown = significant(self.total, 4)
        if self.mass_unit == MASS:
            return f"a mass of {shown} is matched"
        return f"{shown} {in_sentence(self.mass_unit)} are matched"

    def pair(self, place: tuple[int, int]) -> str:
        """Name a pair."""
        return f"{self.rows.names[place[0]]} and {self.columns.names[place[1]]}"


def amount(value: float, decimals: int, *, signed: bool = False) -> str:
    r"""Write a number that has others beside it; one that is not 0 does not read so.

    Examples
    --------
    >>> amount(0.25, 3), amount(0.0, 3), amount(1e-7, 3), amount(-1e-7, 3), amount(0.25, 3, signed=True)
    ('0.250', '0', '<\u202f0.001', '>\u202f−0.001', '+0.250')
    """
    if value == 0:
        return "0"
    shown = fixed(value, decimals, signed=signed)
    if not np.isfinite(value) or float(f"{abs(value):.{decimals}f}") != 0:
        return shown
    least = f"{10.0**-decimals:.{decimals}f}"
    return f"<{THIN}{least}" if value > 0 else f">{THIN}{MINUS}{least}"


def titled(names: tuple[str, ...]) -> tuple[str, ...]:
    """Write names of policies as words, unless two would then look alike."""
    words = tuple(name.replace("-", " ") for name in names)
    return display_names(words if len(set(words)) == len(words) else names)


def certificate_of(result: AssignmentResult) -> Certificate:
    """Return the certificate of an assignment, nan where there is none."""
    if not np.isfinite(result.coupling).all():
        return Certificate(primal=np.nan, dual=np.nan, gap=np.nan)
    return Certificate(primal=result.primal, dual=result.dual, gap=result.gap)


def view_of(study: StudyResult) -> AssignmentView:
    """Work out what the sections need."""
    outcome: AssignmentOutcome = study.outcome
    result, labels = outcome.result, study.scenario.get("labels", {})
    worth = assignment_welfare(result)
    coupling = result.coupling
    return AssignmentView(
        study=study,
        outcome=outcome,
        rows=_side(result, worth, labels, "row"),
        columns=_side(result, worth, labels, "column"),
        certificate=certificate_of(result),
        worth=worth,
        neutral=outcome.neutral,
        unusable=_unusable(result.problem),
        unit=clean(labels.get("utility") or "units of utility"),
        mass_unit=clean(labels.get("mass") or MASS),
        decimals=max(column_decimals(coupling, _DIGITS), 1) if coupling.size else 1,
    )


def _side(result: AssignmentResult, worth: AssignmentWelfare, labels: Mapping[str, Any], key: str) -> SideView:
    problem, n = result.problem, result.problem.shape[0 if key == "row" else 1]
    condition = problem.rows if key == "row" else problem.columns
    given = problem.row_names if key == "row" else problem.column_names
    keys = tuple(f"{key} {place}" for place in range(1, n + 1)) if given is None else tuple(map(str, given))
    return SideView(
        key=key,
        noun=clean(labels.get(f"{key}s") or f"{key}s"),
        keys=keys,
        names=display_names(keys),
        condition=condition,
        mass=np.full(n, np.nan) if condition.mass is None else condition.mass,
        matched=getattr(result, f"{key}_sums"),
        outside=_beyond_rounding(getattr(result, f"{key}_outside"), condition, result.tolerance),
        price=getattr(worth, f"{key}_price"),
        welfare=getattr(worth, f"{key}s"),
    )


def _beyond_rounding(outside: FloatArray, condition: MarginalCondition, tolerance: float) -> FloatArray:
    """Return mass outside the coupling, 0 where it is no more than what the solver may be off by."""
    return outside if condition.mass is None else np.where(outside <= tolerance * condition.mass, 0.0, outside)


def _unusable(problem: AssignmentProblem) -> npt.NDArray[np.intp]:
    usable = usable_pairs(problem)
    if usable is None:
        return np.zeros((0, 2), dtype=np.intp)
    allowed = problem.utility > -np.inf
    for condition, axis in ((problem.rows, 1), (problem.columns, 0)):
        if condition.mass is not None:  # nobody asks why an empty place is not used
            allowed = allowed & np.expand_dims(condition.mass > 0, axis)
    return np.argwhere(allowed & ~usable)


def called(side: SideView) -> str:
    """Return what the places of a side are called, and which side that is."""
    plural = f"{side.key}s"
    return plural if side.noun == plural else f"{in_sentence(side.noun)} ({plural})"


def several_best(view: AssignmentView) -> bool:
    """Whether other assignments may be as good, as they may be without entropy."""
    return view.problem.temperature == 0 and view.solved.unique is not True


def comparable(view: AssignmentView, policy: PolicyAssignment) -> bool:
    """Whether welfare under a policy counts what the baseline counts: variety is worth as much at one temperature."""
    return policy.result.problem.temperature == view.problem.temperature


def opening(name: str) -> str:
    """Return a name for the start of a sentence: with a capital, but codes such as "w25" as they are.

    Examples
    --------
    >>> opening("scone"), opening("w25-basic")
    ('Scone', 'w25-basic')
    """
    shown = in_sentence(name)
    return shown if any(character.isdigit() for character in shown) else capitalise(shown)
