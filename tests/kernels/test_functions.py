"""exp and log of kernels against NumPy's, at every magnitude, alone and in a vector."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.kernels import (
    bits_of,
    engine,
    exp,
    exp_of_nonpositive,
    exp_roughly,
    float_of,
    fused,
    kernel,
    log,
    log_of_normal,
    log_roughly,
    uniform_of,
)

pytestmark = pytest.mark.skipif(engine() == "numpy", reason="no compiled loops here")

ULPS = 1.1
"""How far from the truth, in units of the last place."""


def none(*_):
    raise AssertionError("the twin must not run")


@kernel("const float64[1]", "float64[1]", twin=none)
def fill_exp(x, out):
    for place in range(x.size):
        out[place] = exp(x[place])


@kernel("const float64[1]", "float64[1]", twin=none)
def fill_exp_of_nonpositive(x, out):
    for place in range(x.size):
        out[place] = exp_of_nonpositive(x[place])


@kernel("const float64[1]", "float64[1]", twin=none)
def fill_log(x, out):
    for place in range(x.size):
        out[place] = log(x[place])


@kernel("const float64[1]", "float64[1]", twin=none)
def fill_log_of_normal(x, out):
    for place in range(x.size):
        out[place] = log_of_normal(x[place])


@kernel("const float64[1]", "float64[1]", twin=none)
def fill_exp_roughly(x, out):
    for place in range(x.size):
        out[place] = exp_roughly(x[place])


@kernel("const float64[1]", "float64[1]", twin=none)
def fill_log_roughly(x, out):
    for place in range(x.size):
        out[place] = log_roughly(x[place])


@kernel("const uint64[1]", "const float64[1]", "float64[2]", twin=none)
def fill_rest(words, x, out):
    for place in range(words.size):
        out[0, place] = uniform_of(words[place])
        out[1, place] = float_of(bits_of(x[place]))
        out[2, place] = fused(x[place], x[place], -1.0)


def of(fill, x) -> np.ndarray:
    x = np.ascontiguousarray(x, dtype=np.float64)
    out = np.empty_like(x)
    fill(x, out)
    return out


def ulps(found: np.ndarray, function, x: np.ndarray) -> float:
    """Largest distance from the truth, taken in 80 bits, in units of the last place of the right answer."""
    with np.errstate(under="ignore"):
        truth, rounded = function(x.astype(np.longdouble)), function(x)
    counted = np.isfinite(rounded)
    np.testing.assert_array_equal(found[~counted], rounded[~counted])
    return float(np.max(np.abs(found[counted].astype(np.longdouble) - truth[counted]) / np.spacing(rounded[counted])))


def magnitudes(seed: int, lowest: float, highest: float, n: int = 200_000) -> np.ndarray:
    return np.exp2(np.random.default_rng(seed).uniform(np.log2(lowest), np.log2(highest), n))


EXPONENTS = np.concatenate(
    [
        np.random.default_rng(1).uniform(-745.2, 709.78, 300_000),
        np.random.default_rng(2).uniform(-745.2, -700.0, 200_000),  # gradual underflow
        np.random.default_rng(3).uniform(-1, 1, 200_000),
        magnitudes(4, 1e-300, 1.0),
        -magnitudes(5, 1e-300, 1.0),
        np.arange(-1075, 1024) * np.log(2.0),
        (np.arange(-1075, 1024) + 0.5) * np.log(2.0),  # the edges of the argument reduction
    ]
)


def test_exp_is_right_to_an_ulp():
    assert ulps(of(fill_exp, EXPONENTS), np.exp, EXPONENTS) <= ULPS


def test_exp_of_what_is_not_positive_is_exp_bit_for_bit():
    x = EXPONENTS[EXPONENTS <= 0]
    np.testing.assert_array_equal(of(fill_exp_of_nonpositive, x), of(fill_exp, x))


@pytest.mark.parametrize(
    ("x", "answer"),
    [
        (0.0, 1.0), (-0.0, 1.0), (-np.inf, 0.0), (np.inf, np.inf), (-1e308, 0.0), (1e308, np.inf), (710.0, np.inf),
        (-746.0, 0.0), (-745.13, 5e-324), (5e-324, 1.0),
    ],
)  # fmt: skip
def test_exp_has_its_known_values(x, answer):
    assert of(fill_exp, [x])[0] == answer
    if x <= 0:
        assert of(fill_exp_of_nonpositive, [x])[0] == answer


POSITIVE = np.concatenate(
    [
        magnitudes(6, 2.3e-308, 1.7e308, 400_000),
        np.random.default_rng(7).uniform(0.5, 2.0, 300_000),
        1 + np.random.default_rng(8).normal(size=200_000) * 1e-9,
        np.nextafter(1.0, [0.0, 2.0]),
        np.sqrt(0.5) * (1 + np.arange(-40, 40) * 2.0**-53),  # where the exponent steps
        [1 - 2.0**-53, 2.0**-53, 2.2250738585072014e-308, 1.7976931348623157e308],
    ]
)


@pytest.mark.parametrize("fill", [fill_log, fill_log_of_normal], ids=["log", "log_of_normal"])
def test_log_is_right_to_an_ulp(fill):
    assert ulps(of(fill, POSITIVE), np.log, POSITIVE) <= ULPS
    assert of(fill, [1.0])[0] == 0.0


def test_log_is_right_for_subnormal_numbers():
    tiny = np.concatenate([magnitudes(9, 5e-324, 2.2e-308), [5e-324, 1e-323]])
    tiny = tiny[tiny > 0]
    assert ulps(of(fill_log, tiny), np.log, tiny) <= ULPS


def test_log_has_its_known_values():
    found = of(fill_log, [0.0, -0.0, -1.0, -np.inf, np.inf, np.nan, -5e-324])
    np.testing.assert_array_equal(found, [-np.inf, -np.inf, np.nan, np.nan, np.inf, np.nan, np.nan])
    assert np.isnan(of(fill_exp, [np.nan])[0])
    assert np.isnan(of(fill_exp_of_nonpositive, [np.nan])[0])


@pytest.mark.parametrize(
    ("fill", "x"),
    [(fill_exp, EXPONENTS[::101]), (fill_log, POSITIVE[::101]), (fill_exp_of_nonpositive, -np.abs(EXPONENTS[::101]))],
    ids=["exp", "log", "exp_of_nonpositive"],
)
def test_a_number_has_the_same_result_alone_as_in_a_vector(fill, x):
    together = of(fill, x)
    alone = np.concatenate([of(fill, [number]) for number in x])
    shifted = of(fill, np.concatenate([[0.5] * 3, x]) if fill is fill_log else np.concatenate([[-0.5] * 3, x]))[3:]
    np.testing.assert_array_equal(alone, together)
    np.testing.assert_array_equal(shifted, together)


@given(st.lists(st.tuples(st.integers(0, 2**64 - 1), st.floats(allow_nan=False, width=64)), min_size=1, max_size=40))
def test_bits_products_and_uniforms_are_what_they_are_called(pairs):
    words, x = np.array([w for w, _ in pairs], dtype=np.uint64), np.array([number for _, number in pairs])
    out = np.empty((3, len(pairs)))
    fill_rest(words, x, out)
    np.testing.assert_array_equal(out[0], ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)
    np.testing.assert_array_equal(out[1], x)


def test_a_fused_product_is_rounded_once():
    x = 1 + 2.0**-30
    out = np.empty((3, 1))
    fill_rest(np.zeros(1, dtype=np.uint64), np.array([x]), out)
    assert out[2, 0] == 2.0**-29 + 2.0**-60
    assert x * x - 1 == 2.0**-29


def test_rough_functions_are_as_near_as_they_say():
    """What screens races and marks relies on these: see `_NEAR` there."""
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.uniform(-100, 100, 200_000), rng.uniform(-1, 1, 200_000), [-700.0, 0.0, 700.0]])
    assert np.max(np.abs(of(fill_exp_roughly, x) / np.exp(x) - 1)) < 2.7e-6
    near_one = 1 - np.concatenate([2.0 ** -np.arange(1.0, 54.0), rng.uniform(0, 0.3, 200_000)])
    u = np.concatenate([rng.uniform(size=200_000), 2.0 ** -np.arange(1.0, 53.0), near_one])
    assert np.max(np.abs(of(fill_log_roughly, u) / np.log(u) - 1)) < 5.5e-5
