"""Matching markets: who actually goes where, by which mechanism, and whether anybody would rather do otherwise."""

from __future__ import annotations

from choicekit.matching.comparison import MechanismComparison, compare_mechanisms
from choicekit.matching.market import MatchingMarket
from choicekit.matching.matching import Matching, blocking_pairs
from choicekit.matching.mechanisms import (
    deferred_acceptance,
    entropic_assignment,
    immediate_acceptance,
    optimal_assignment,
    serial_dictatorship,
)

__all__ = [
    "Matching",
    "MatchingMarket",
    "MechanismComparison",
    "blocking_pairs",
    "compare_mechanisms",
    "deferred_acceptance",
    "entropic_assignment",
    "immediate_acceptance",
    "optimal_assignment",
    "serial_dictatorship",
]
