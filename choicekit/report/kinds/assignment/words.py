"""What was found, in sentences."""

from __future__ import annotations

import numpy as np

from choicekit.assignment.comparison import PolicyAssignment
from choicekit.assignment.cross_check import CrossCheck
from choicekit.report.content import Fact
from choicekit.report.kinds.assignment.certificate import library_name
from choicekit.report.kinds.assignment.fit import fit_finding
from choicekit.report.kinds.assignment.view import (
    MASS,
    AssignmentView,
    SideView,
    comparable,
    opening,
    several_best,
)
from choicekit.report.numbers import count, described, percent, significant
from choicekit.report.text import capitalise, clean, in_sentence, join_words
from choicekit.report.verdict import failure

__all__ = ["METHODS", "facts", "lead", "leading_policy", "reference_name", "title"]

_NOTHING_MOVES = 1e-9
METHODS = {
    "max_iterations": "stopped after as many iterations as allowed",
    "stalled": "stopped where no step makes the sums any better",
    "not_finite": "potentials are not finite",
}


def title(view: AssignmentView) -> str:
    """State the finding; a failed check goes before everything else, policies before the baseline."""
    if not view.study.passed:
        return failure(view.study.checks)
    if _compared(view):
        return _policy_title(view)
    return _baseline_title(view)


def leading_policy(view: AssignmentView) -> PolicyAssignment | None:
    """Return the policy at the baseline's temperature that changes welfare most; None where none does."""
    most = max(_compared(view), key=lambda policy: abs(policy.welfare_change), default=None)
    return most if most is not None and abs(most.welfare_change) > _NOTHING_MOVES * _scale(view) else None


def _compared(view: AssignmentView) -> list[PolicyAssignment]:
    comparison = view.outcome.comparison
    found = [] if comparison is None else list(comparison.policies.values())
    return [policy for policy in found if comparable(view, policy) and np.isfinite(policy.welfare_change)]


def _scale(view: AssignmentView) -> float:
    return max(abs(view.worth.total), view.problem.temperature * view.total, 1e-300)


def _policy_title(view: AssignmentView) -> str:
    policy = leading_policy(view)
    if policy is None:
        only = len(_compared(view)) == 1
        return "The policy changes nobody's welfare" if only else "No policy changes anybody's welfare"
    change = policy.welfare_change
    verb = "raises" if change > 0 else "lowers"
    name = opening(clean(policy.name).replace("-", " "))
    text = f"{name} {verb} welfare by {significant(abs(change))} {in_sentence(view.unit)}"
    return text if view.worth.normalisation else text + _most_affected(policy)


def _most_affected(policy: PolicyAssignment) -> str:
    """Say which type gains or loses most by unit of its mass; empty where none does."""
    by_name = [*policy.row_welfare_change.items(), *policy.column_welfare_change.items()]
    finite = [(name, change) for name, change in by_name if np.isfinite(change)]
    if not finite:
        return ""
    name, change = max(finite, key=lambda entry: abs(entry[1]))
    if abs(change) <= _NOTHING_MOVES:
        return ""
    sign = "+" if change > 0 else ""
    return f"; most affected: {in_sentence(name.replace('_', ' '))}, {sign}{significant(change)} each"


def _baseline_title(view: AssignmentView) -> str:
    if not view.total > 0:
        return "Nothing is matched"
    coupling = view.solved.coupling
    if view.neutral is None:
        row, column = np.unravel_index(int(coupling.argmax()), coupling.shape)
        part = percent(float(coupling[row, column]) / view.total)
        return f"{_pair(view, int(row), int(column))} are the largest match, with {part} of all"
    excess = coupling - view.neutral
    row, column = np.unravel_index(int(excess.argmax()), coupling.shape)
    if not excess[row, column] > 1e-6 * view.total:
        return "Everyone is matched as by chance: utilities make no difference"
    ratio = float(coupling[row, column] / view.neutral[row, column])
    pair, more = _pair(view, int(row), int(column)), significant(float(excess[row, column]))
    if ratio < 1.01:
        return f"{pair} are matched {significant(ratio, 4)} times as often as by chance, and no pair much more"
    times = f"{significant(ratio)} times as often as by chance"
    return f"{pair} are matched {times}: {_counted(view, more)} more, the most of all pairs"


def _counted(view: AssignmentView, mass: str) -> str:
    return f"a mass of {mass}" if view.mass_unit == MASS else f"{mass} {in_sentence(view.mass_unit)}"


def _pair(view: AssignmentView, row: int, column: int) -> str:
    return f"{opening(view.rows.names[row])} and {in_sentence(view.columns.names[column])}"


def reference_name(view: AssignmentView) -> str:
    """Say what entropy is relative to."""
    return "the product of the masses" if view.problem.reference == "product" else "nothing: pairs are counted"


def lead(view: AssignmentView) -> str:
    """Say in a paragraph what was solved, how it ended, and how sure that is."""
    n, m = view.problem.shape
    sentences = [
        f"{_places(view.rows, n)} and {_places(view.columns, m)} are assigned to each other at "
        f"temperature {significant(view.problem.temperature)}{_sides(view)}.",
        _matched(view),
        _certainty(view),
    ]
    check = view.outcome.cross_check
    if check is not None and check.passed is not None:
        sentences.append(_agreement(view, check))
    elif check is not None:
        sentences.append(f"{clean(check.reason)}.")
    if view.outcome.fit is not None:
        sentences.append(f"The utility is estimated back from the matches: {fit_finding(view)}.")
    return capitalise(" ".join(sentence for sentence in sentences if sentence))


def _places(side: SideView, n: int) -> str:
    """Say how many places a side has: each may stand for many of what it is called after."""
    places = described(n, f"{side.key}s")
    return places if side.noun == f"{side.key}s" else f"{in_sentence(side.noun)} ({places})"


def _agreement(view: AssignmentView, check: CrossCheck) -> str:
    name = library_name(check.library)
    if check.passed and several_best(view):
        return f"{name} agrees on what is best; of several assignments that are, each may find another."
    verb = "agrees" if check.passed else "does not agree"
    return f"{name} {verb}: couplings differ by at most {significant(check.coupling_difference, 2)} of all mass."


def _sides(view: AssignmentView) -> str:
    words = (view.rows.described, view.columns.described)
    if words[0] == words[1]:
        return f"; on both sides {words[0]}"
    return f"; for {in_sentence(view.rows.noun)} {words[0]}, for {in_sentence(view.columns.noun)} {words[1]}"


def _matched(view: AssignmentView) -> str:
    text = f"In all {view.matched()}"
    parts = [_left_out(side) for side in (view.rows, view.columns) if side.left and side.mass.sum() > 0]
    return f"{text}; {join_words(parts)}." if parts else f"{text}."


def _left_out(side: SideView) -> str:
    share, noun = percent(float(side.outside.sum() / side.mass.sum())), in_sentence(side.noun)
    return f"{share} of {noun} stay single" if side.left == "single" else f"{share} of the capacity of {noun} is unused"


def _certainty(view: AssignmentView) -> str:
    result, gap = view.solved, view.certificate.gap
    error = significant(max(result.row_error, result.column_error), 2)
    if result.converged:
        sure = f"Sums are right to {error} of all mass, and no assignment is better"
        return (
            f"{sure} but for rounding."
            if abs(gap) <= 1e-12 * _scale(view)
            else (f"{sure} by more than {significant(gap, 2)}.")
        )
    if result.status == "precision":
        return (
            f"Floating point can do no better at this temperature: sums are right to {error} of all mass, and the gap "
            f"of {significant(gap, 2)} says what that is worth."
        )
    why = METHODS.get(result.status, result.status)
    return f"The solver did not reach its tolerance: {why}, with an error of {error}."


def facts(view: AssignmentView) -> tuple[Fact, ...]:
    """Sizes and settings for the strip below the lead."""
    n, m = view.problem.shape
    comparison = view.outcome.comparison
    found = [
        Fact(name="rows", value=count(n)),
        Fact(name="columns", value=count(m)),
        Fact(name="mass matched", value=significant(view.total, 4)),
        Fact(name="temperature", value=significant(view.problem.temperature)),
    ]
    if not view.problem.sparse:
        found.append(Fact(name="reference", value=view.problem.reference))
    if comparison is not None and comparison.policies:
        found.append(Fact(name="policies", value=count(len(comparison.policies))))
    found += [
        Fact(name="iterations", value=count(view.solved.n_iterations)),
        Fact(name="gap", value=significant(max(view.certificate.gap, 0.0), 2)),  # below 0 by rounding
        Fact(name="seed", value=str(view.study.seed)),
    ]
    return tuple(found)
