"""Numbers in words a reader trusts: a real minus sign, thin spaces, and no more digits than an interval supports."""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt

from choicekit.report.text import singular

__all__ = [
    "MINUS",
    "NOTHING",
    "THIN",
    "column_decimals",
    "count",
    "described",
    "error_in_points",
    "fixed",
    "p_value",
    "percent",
    "points",
    "real_minus",
    "share",
    "share_decimals",
    "significant",
]

MINUS = "\u2212"
THIN = "\u202f"
"""A narrow space that does not break."""
NOTHING = "–"
"""Stands for nan: no number."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOST_DECIMALS = 6


def fixed(value: float, decimals: int, *, signed: bool = False) -> str:
    r"""Write a number with so many decimals.

    Examples
    --------
    >>> fixed(-1.25, 1), fixed(-0.01, 1), fixed(12345.6, 0), fixed(float("nan"), 1)
    ('−1.2', '0.0', '12\u202f346', '–')
    """
    if math.isnan(value):
        return NOTHING
    sign = MINUS if value < 0 else "+" if signed else ""
    if math.isinf(value):
        return f"{sign}∞"
    digits = f"{abs(value):.{max(decimals, 0)}f}"
    if float(digits) == 0:
        return digits
    whole, point, rest = digits.partition(".")
    grouped = f"{int(whole):,}".replace(",", THIN) if len(whole) > 4 else whole
    return f"{sign}{grouped}{point}{rest}"


def count(value: float) -> str:
    r"""Write a count, in groups of three digits from 10,000 on.

    Examples
    --------
    >>> count(210), count(1000000)
    ('210', '1\u202f000\u202f000')
    """
    return fixed(float(value), 0)


def described(number: int, noun: str) -> str:
    """Return how many there are of something, named in the plural: its singular for one.

    Examples
    --------
    >>> described(210, "agents"), described(1, "agents")
    ('210 agents', '1 agent')
    """
    return f"{count(number)} {singular(noun) if number == 1 else noun}"


def real_minus(text: str) -> str:
    """Write the hyphens of negative numbers in a text as minus signs.

    Examples
    --------
    >>> real_minus("-1 to 0"), real_minus("B-12")
    ('−1 to 0', 'B-12')
    """
    return re.sub(r"(?<![\w.)-])-(?=\.?\d)", MINUS, text)


def share_decimals(half_widths: npt.ArrayLike) -> int:
    """Decimals of a percentage that intervals of these half-widths (as shares) support, at least one.

    The widest interval decides; a leading 1 earns another digit, so that 0.12 is not read as 0.1.

    Examples
    --------
    >>> share_decimals([0.003, 0.004]), share_decimals([0.0012]), share_decimals([0.06]), share_decimals([0.0])
    (1, 2, 1, 1)
    """
    widths = 100 * np.asarray(half_widths, dtype=np.float64)
    widths = widths[np.isfinite(widths) & (widths > 0)]
    if not widths.size:
        return 1
    exponent = math.floor(math.log10(widths.max()))
    leading_one = widths.max() < 2 * 10.0**exponent
    return int(np.clip(-exponent + leading_one, 1, 4))


def share(value: float, decimals: int = 1) -> str:
    r"""Write a share as a bare percentage; one that is not quite 0 or 100 does not read so.

    Examples
    --------
    >>> share(0.3, 1), share(0.0, 1), share(0.0001, 1), share(0.99999, 1), share(1.0, 1)
    ('30.0', '0.0', '<\u202f0.1', '>\u202f99.9', '100.0')
    """
    if not math.isfinite(value):
        return fixed(value, decimals)
    shown, unit = fixed(100 * value, decimals), 10.0**-decimals
    if 0 < value < 1 and float(shown) == 0:
        return f"<{THIN}{unit:.{decimals}f}"
    # Shares that are sums of many terms stop an ulp or so short of 1.
    if 0 < value < 1 - 1e-12 and float(shown) == 100:
        return f">{THIN}{100 - unit:.{decimals}f}"
    return shown


def percent(value: float, decimals: int = 1) -> str:
    r"""Write a share as a percentage with its sign.

    Examples
    --------
    >>> percent(0.3004)
    '30.0\u202f%'
    """
    return f"{share(value, decimals)}{THIN}%"


def points(value: float, decimals: int = 1, *, signed: bool = False) -> str:
    """Write a difference of shares in percentage points, without the word.

    Examples
    --------
    >>> points(-0.017, signed=True), points(0.057, signed=True)
    ('−1.7', '+5.7')
    """
    return fixed(100 * value, decimals, signed=signed)


def error_in_points(error: float) -> str:
    r"""Write a small standard error of a share in percentage points; one that is not 0 does not read so.

    Examples
    --------
    >>> error_in_points(0.00002345), error_in_points(1e-9), error_in_points(0.0)
    ('0.002', '<\u202f0.001', '0.000')
    """
    shown = points(error, 3)
    return f"<{THIN}0.001" if error > 0 and float(shown) == 0 else shown


def significant(value: float, digits: int = 3) -> str:
    r"""Write a number with so many significant digits, in powers of ten where it is very large or small.

    Examples
    --------
    >>> significant(0.41), significant(0.0), significant(-12.346), significant(1.1e-16, 2), significant(1e-12, 2)
    ('0.41', '0', '−12.3', '1.1\u202f×\u202f10⁻¹⁶', '10⁻¹²')
    """
    if not math.isfinite(value):
        return fixed(value, 0)
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if -5 <= exponent < 7:
        shown = fixed(value, max(digits - 1 - exponent, 0))
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    factor = fixed(float(mantissa), digits - 1)
    factor = factor.rstrip("0").rstrip(".") if "." in factor else factor
    tens = f"10{str(int(power)).translate(_SUPERSCRIPTS)}"
    return tens if factor == "1" else f"{factor}{THIN}×{THIN}{tens}"


def p_value(value: float) -> str:
    r"""Write a probability of chance, two digits, never as zero unless it is.

    Examples
    --------
    >>> p_value(0.4123), p_value(0.0), p_value(1e-9), p_value(0.00098)
    ('0.41', '0', '<\u202f0.0001', '0.00098')
    """
    if 0 < value < 1e-4:
        return f"<{THIN}0.0001"
    return significant(value, 2)


def column_decimals(values: npt.ArrayLike, digits: int = 3) -> int:
    """Decimals that give the largest number of a column so many significant digits.

    Examples
    --------
    >>> column_decimals([3.217, -0.5]), column_decimals([321.7]), column_decimals([0.0])
    (2, 0, 2)
    """
    numbers = np.abs(np.asarray(values, dtype=np.float64))
    numbers = numbers[np.isfinite(numbers) & (numbers > 0)]
    if not numbers.size:
        return digits - 1
    return int(np.clip(digits - 1 - math.floor(math.log10(numbers.max())), 0, _MOST_DECIMALS))
