"""Agents and places matched: couplings under conditions on either side, with certificates."""

from choicekit.assignment.batches import solve_assignments
from choicekit.assignment.comparison import AssignmentComparison, PolicyAssignment, compare_assignments
from choicekit.assignment.conditions import AtMost, Fixed, Free, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.assignment.cross_check import CrossCheck, cross_check
from choicekit.assignment.derivatives import CouplingDerivatives, coupling_derivatives
from choicekit.assignment.inverse import AssignmentFit, fit_assignment
from choicekit.assignment.path import AssignmentPath, assignment_path
from choicekit.assignment.policies import AssignmentPolicy, MassMove, NewPlace, ScaledMass, UtilityShift
from choicekit.assignment.problem import AssignmentProblem
from choicekit.assignment.result import AssignmentResult, SolverHistory
from choicekit.assignment.sampling import AssignmentSample, sample_assignment
from choicekit.assignment.solve import solve_assignment, solve_problem
from choicekit.assignment.study import AssignmentOutcome, AssignmentStudy, FitSettings, run_study
from choicekit.assignment.welfare import AssignmentWelfare, assignment_welfare

__all__ = [
    "AssignmentComparison",
    "AssignmentFit",
    "AssignmentOutcome",
    "AssignmentPath",
    "AssignmentPolicy",
    "AssignmentProblem",
    "AssignmentResult",
    "AssignmentSample",
    "AssignmentStudy",
    "AssignmentWelfare",
    "AtMost",
    "CouplingDerivatives",
    "CrossCheck",
    "FitSettings",
    "Fixed",
    "Free",
    "MarginalCondition",
    "MassMove",
    "NewPlace",
    "PolicyAssignment",
    "Relaxed",
    "ScaledMass",
    "SolverHistory",
    "UtilityShift",
    "WithOutsideOption",
    "assignment_path",
    "assignment_welfare",
    "compare_assignments",
    "coupling_derivatives",
    "cross_check",
    "fit_assignment",
    "run_study",
    "sample_assignment",
    "solve_assignment",
    "solve_assignments",
    "solve_problem",
]
