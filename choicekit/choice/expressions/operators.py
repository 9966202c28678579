"""The operators of the language that are looked up by their kind of node."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

import numpy as np

from choicekit.choice.expressions.functions import Array

__all__ = ["ARITHMETIC", "COMPARISONS", "MEMBERSHIP", "SIGNS"]

ARITHMETIC: Mapping[type[ast.operator], Callable[[Array, Array], Array]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
COMPARISONS: Mapping[type[ast.cmpop], Callable[[Array, Array], Array]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
MEMBERSHIP = (ast.In, ast.NotIn)
SIGNS: Mapping[type[ast.unaryop], Callable[[Array], Array]] = {ast.UAdd: np.positive, ast.USub: np.negative}
