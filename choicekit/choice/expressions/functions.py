"""The functions of the language, and the arrays they compute with."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FUNCTIONS", "Array", "Function", "floats", "truth"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function of the expression language.

    Attributes
    ----------
    name : str
        The name written in an expression.
    arity : tuple of (int, int or None)
        Least and greatest number of arguments; None is no upper limit.
    apply : callable
        Takes arrays, returns an array; elementwise and broadcasting.
    description : str
        One line for lists and help.
    """

    name: str
    arity: tuple[int, int | None]
    apply: Callable[..., Array]
    description: str

    def accepts(self, count: int) -> bool:
        """Whether the function takes `count` arguments."""
        least, most = self.arity
        return count >= least and (most is None or count <= most)


def floats(value: Array) -> Array:
    """Return `value` as float64."""
    return np.asarray(value, dtype=np.float64)


def truth(value: Array) -> Array:
    """Return `value` as a condition: a number is true unless it is 0."""
    return value if value.dtype.kind == "b" else np.not_equal(value, 0.0)


def _where(condition: Array, yes: Array, no: Array) -> Array:
    if not (yes.dtype.kind == no.dtype.kind == "b"):
        yes, no = floats(yes), floats(no)
    return np.where(truth(condition), yes, no)


def _on_floats(function: Callable[..., Array]) -> Callable[..., Array]:
    # NumPy would take the logarithm of a bool array in half precision.
    @functools.wraps(function)
    def apply(*arguments: Array) -> Array:
        return function(*map(floats, arguments))

    return apply


def _minimum(*values: Array) -> Array:
    return functools.reduce(np.minimum, values)


def _maximum(*values: Array) -> Array:
    return functools.reduce(np.maximum, values)


def _clip(value: Array, low: Array, high: Array) -> Array:
    return np.minimum(np.maximum(value, low), high)


_UNARY = (1, 1)

FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        function.name: function
        for function in (
            Function(name="log", arity=_UNARY, apply=_on_floats(np.log), description="natural logarithm"),
            Function(name="log1p", arity=_UNARY, apply=_on_floats(np.log1p), description="log(1 + x)"),
            Function(name="exp", arity=_UNARY, apply=_on_floats(np.exp), description="e to the power x"),
            Function(name="sqrt", arity=_UNARY, apply=_on_floats(np.sqrt), description="square root"),
            Function(name="abs", arity=_UNARY, apply=_on_floats(np.abs), description="absolute value"),
            Function(name="min", arity=(2, None), apply=_on_floats(_minimum), description="smallest argument"),
            Function(name="max", arity=(2, None), apply=_on_floats(_maximum), description="largest argument"),
            Function(name="where", arity=(3, 3), apply=_where, description="where(c, a, b): a where c holds, else b"),
            Function(
                name="clip", arity=(3, 3), apply=_on_floats(_clip), description="clip(x, lo, hi): x kept in [lo, hi]"
            ),
            Function(name="floor", arity=_UNARY, apply=_on_floats(np.floor), description="largest integer <= x"),
            Function(name="ceil", arity=_UNARY, apply=_on_floats(np.ceil), description="smallest integer >= x"),
            Function(
                name="round", arity=_UNARY, apply=_on_floats(np.rint), description="nearest integer, ties to even"
            ),
        )
    }
)
