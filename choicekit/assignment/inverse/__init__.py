"""Utilities of pairs from observed matches: the inverse of an assignment."""

from choicekit.assignment.inverse.cross_validation import CrossValidation
from choicekit.assignment.inverse.errors_of_estimates import Bootstrap
from choicekit.assignment.inverse.fit import fit_assignment
from choicekit.assignment.inverse.result import AssignmentFit, LikelihoodRatio

__all__ = ["AssignmentFit", "Bootstrap", "CrossValidation", "LikelihoodRatio", "fit_assignment"]
