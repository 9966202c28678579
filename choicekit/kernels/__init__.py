"""Compiled loops: how one is made, and what several rooms share (exp, log, Philox).

Kernels are serial and let go of the interpreter: parallelism is threads over blocks in `choicekit.execution`. Each has
a readable NumPy twin that tests hold it to. They are compiled when first needed and kept on disk, so this takes a
second or two once on a machine. Without numba the twins run, several times slower.
"""

from __future__ import annotations

from choicekit.kernels.compiling import Kernel, engine, inlined, kernel
from choicekit.kernels.functions import (
    bits_of,
    exp,
    exp_of_nonpositive,
    exp_roughly,
    float_of,
    fused,
    log,
    log_of_normal,
    log_roughly,
)
from choicekit.kernels.philox import (
    exponentials_from_uniforms,
    philox4x32,
    philox_uniforms,
    philox_uniforms_by_numpy,
    philox_words,
    uniform_from_words,
    uniform_of,
)
from choicekit.kernels.threads import over_rows

__all__ = [
    "Kernel",
    "bits_of",
    "engine",
    "exp",
    "exp_of_nonpositive",
    "exp_roughly",
    "exponentials_from_uniforms",
    "float_of",
    "fused",
    "inlined",
    "kernel",
    "log",
    "log_of_normal",
    "log_roughly",
    "over_rows",
    "philox4x32",
    "philox_uniforms",
    "philox_uniforms_by_numpy",
    "philox_words",
    "uniform_from_words",
    "uniform_of",
]
