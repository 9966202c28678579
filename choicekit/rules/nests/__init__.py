"""Nests: alternatives that are alike, for the rules that tell them apart.

`nest` says what a nest is, `faults` what is wrong with some, `tree` works through them as arrays, `noise` draws their
additive noise, and `rule` is the base of nested and cross-nested logit.
"""

from choicekit.rules.nests.faults import NestFault, nest_faults
from choicekit.rules.nests.nest import Nest
from choicekit.rules.nests.rule import NestRule
from choicekit.rules.nests.tree import NestTree

__all__ = ["Nest", "NestFault", "NestRule", "NestTree", "nest_faults"]
