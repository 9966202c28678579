"""Exponential and logarithm for kernels, written so that the compiler turns a loop over them into vector instructions.

Each is a pure function of its argument: the same bits wherever in a loop it is computed, alone or in a vector, since
every fused multiplication is asked for by name and no other is allowed. The functions here have a meaning in kernels
only; elsewhere use NumPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from choicekit.kernels.compiling import inlined, instruction

__all__ = [
    "bits_of",
    "exp",
    "exp_of_nonpositive",
    "exp_roughly",
    "float_of",
    "fused",
    "log",
    "log_of_normal",
    "log_roughly",
]

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # 33 bits, and the rest
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to a whole number, found in the lowest bits
_LOWEST, _HIGHEST = -746.0, 710.0  # below, the exponential is 0; above, infinite
_DOWN, _UP = 2.0**-512, 2.0**512

_ONE_BITS, _EXPONENT, _MANTISSA = np.uint64(0x3FF0000000000000), np.uint64(52), np.uint64(0x000FFFFFFFFFFFFF)
_WHOLE_BITS = np.uint64(0x4330000000000000)  # of 2^52, whose lowest bit is worth 1
_TO_CENTRE = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)  # from one to the root of a half
_HALF_ROOT = np.uint64(0x3FE6A09E667F3BCD)
_TINY, _INFINITY = 2.2250738585072014e-308, np.inf


@instruction("fma")
def fused(a: float, b: float, c: float) -> float:
    """Return a * b + c, rounded once; in kernels only."""
    raise NotImplementedError("fused works in kernels only")


@instruction("bits")
def bits_of(x: float) -> np.uint64:
    """Return the bits of a float64; in kernels only."""
    raise NotImplementedError("bits_of works in kernels only")


@instruction("float")
def float_of(bits: np.uint64) -> float:
    """Return the float64 with these bits; in kernels only."""
    raise NotImplementedError("float_of works in kernels only")


@inlined
def exp(x: float) -> Any:
    """Return e to the power x, to about an ulp; exactly 1 at 0 and 0 at minus infinity, gradually less near 0."""
    x = _LOWEST if x < _LOWEST else x
    x = _HIGHEST if x > _HIGHEST else x
    shifted = fused(x, _LOG2_E, _ROUND)
    n = shifted - _ROUND
    p = _exp_of_rest(x, n)
    # 2^n goes into the exponent of p; what an exponent cannot hold, in two steps of which only the last rounds
    small, large = n < -960.0, n > 960.0
    step = 512.0 if small else (-512.0 if large else 0.0)
    scaled = float_of(bits_of(p) + (bits_of(shifted + step) << _EXPONENT))
    return scaled * (_DOWN if small else (_UP if large else 1.0))


@inlined
def exp_of_nonpositive(x: float) -> Any:
    """Return e to the power x, bit for bit as `exp`, where x is known not to be positive: a little faster."""
    x = _LOWEST if x < _LOWEST else x
    shifted = fused(x, _LOG2_E, _ROUND)
    n = shifted - _ROUND
    p = _exp_of_rest(x, n)
    small = n < -960.0
    scaled = float_of(bits_of(p) + (bits_of(shifted + 512.0 if small else shifted) << _EXPONENT))
    return scaled * _DOWN if small else scaled


@inlined
def _exp_of_rest(x: float, n: float) -> Any:
    """Return exp(x) / 2^n, between the roots of 1/2 and 2, where n is x / log(2) to the nearest whole number."""
    r = fused(n, -_LN2_LOW, fused(n, -_LN2_HIGH, x))
    # (exp(r) - 1 - r) / r^2 on |r| <= log(2) / 2, minimax: 3e-18 of the result
    q = fused(r, 2.511785118876895e-08, 2.763128037806136e-07)
    q = fused(r, q, 2.755721632951509e-06)
    q = fused(r, q, 2.4801489941986953e-05)
    q = fused(r, q, 0.00019841269917354886)
    q = fused(r, q, 0.0013888888947016294)
    q = fused(r, q, 0.008333333333307217)
    q = fused(r, q, 0.04166666666651542)
    q = fused(r, q, 0.166666666666667)
    q = fused(r, q, 0.5000000000000012)
    return 1.0 + fused(r * r, q, r)


@inlined
def log_of_normal(x: float) -> Any:
    """Return the natural logarithm of a positive number that is neither subnormal nor infinite, to an ulp."""
    bits = bits_of(x) + _TO_CENTRE
    power = bits >> _EXPONENT
    # x = 2^k (1 + f), with 1 + f between the roots of 1/2 and 2
    k = float_of(power | _WHOLE_BITS) - (4503599627370496.0 + 1023.0)
    f = float_of((bits & _MANTISSA) + _HALF_ROOT) - 1.0
    s = f / (2.0 + f)
    z = s * s
    # log(1 + f) = f - f^2/2 + s (f^2/2 + R), by the series of the inverse hyperbolic tangent
    r = fused(z, 1.479819860511658591e-01, 1.531383769920937332e-01)
    r = fused(z, r, 1.818357216161805012e-01)
    r = fused(z, r, 2.222219843214978396e-01)
    r = fused(z, r, 2.857142874366239149e-01)
    r = fused(z, r, 3.999999999940941908e-01)
    r = z * fused(z, r, 6.666666666666735130e-01)
    half = 0.5 * f * f
    return fused(k, _LN2_HIGH, f - (half - fused(s, half + r, k * _LN2_LOW)))


@inlined
def log(x: float) -> Any:
    """Return the natural logarithm, to an ulp; minus infinity at 0, nan below."""
    small = x < _TINY
    result = log_of_normal(x * 18014398509481984.0 if small else x) - (37.42994775023705 if small else 0.0)
    result = x if x == _INFINITY or x != x else result
    return np.nan if x < 0.0 else (-_INFINITY if x == 0.0 else result)


@inlined
def exp_roughly(x: float) -> Any:
    """Return e to the power x to five digits, at most 2.7e-6 of it away, for x between -700 and 700."""
    y = x * _LOG2_E
    shifted = y + _ROUND
    rest = y - (shifted - _ROUND)
    p = fused(rest, 0.00957010165265101, 0.05591786210404759)  # 2^rest on |rest| <= 1/2, minimax
    p = fused(rest, p, 0.24024744849941657)
    p = fused(rest, p, 0.6931218145215776)
    p = fused(rest, p, 0.999999261434171)
    return float_of(bits_of(p) + (bits_of(shifted) << _EXPONENT))


@inlined
def log_roughly(x: float) -> Any:
    """Return the natural logarithm to four digits, at most 6e-5 of it away; for the same numbers as `log_of_normal`."""
    bits = bits_of(x) + _TO_CENTRE
    k = float_of((bits >> _EXPONENT) | _WHOLE_BITS) - (4503599627370496.0 + 1023.0)
    f = float_of((bits & _MANTISSA) + _HALF_ROOT) - 1.0
    p = fused(f, 0.17658043790465544, -0.2709460676423908)  # log(1 + f) / f between the roots of 1/2 and 2, minimax
    p = fused(f, p, 0.33638887406516943)
    p = fused(f, p, -0.49945064432169667)
    p = fused(f, p, 0.9999661807698331)
    return fused(f, p, k * (_LN2_HIGH + _LN2_LOW))
