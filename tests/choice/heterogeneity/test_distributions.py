"""Distributions of coefficients: against scipy's, in their tails, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from choicekit.choice.heterogeneity.coefficient_distribution import register_distribution
from choicekit.choice.heterogeneity.distributions import (
    CoefficientDistribution,
    Lognormal,
    Normal,
    Triangular,
    TruncatedNormal,
    Uniform,
    distribution_from_name,
    registered_distributions,
)
from choicekit.errors import InvalidInputError
from choicekit.scenario.blocks import dataclass_block

WORDS = np.array([0, 1, 4096, 2**30, 2**50, 2**51 - 1, 2**51, 2**52 - 2**40, 2**52 - 1])
EXACT = (WORDS + 0.5) * 2.0**-52  # 1 - these is exact as well
GRID = np.concatenate([[2.0**-53, 1e-12, 1e-6], np.linspace(0.001, 0.999, 201), [1 - 1e-6, 1 - 2.0**-53]])

AGAINST_SCIPY = [
    (Normal(-2.26, 1.66), stats.norm(-2.26, 1.66)),
    (Lognormal(0.4, 0.7), stats.lognorm(0.7, scale=np.exp(0.4))),
    (Triangular(-1.0, 0.5, 4.0), stats.triang(0.3, -1.0, 5.0)),
    (Triangular(0.0, 0.0, 2.0), stats.triang(0.0, 0.0, 2.0)),
    (Triangular(0.0, 2.0, 2.0), stats.triang(1.0, 0.0, 2.0)),
    (Uniform(-3.0, -1.0), stats.uniform(-3.0, 2.0)),
    (TruncatedNormal(-1.0, 2.0, high=0.0), stats.truncnorm(-np.inf, 0.5, -1.0, 2.0)),
    (TruncatedNormal(1.0, 0.5, low=0.0), stats.truncnorm(-2.0, np.inf, 1.0, 0.5)),
    (TruncatedNormal(0.5, 2.0, low=-1.0, high=1.5), stats.truncnorm(-0.75, 0.5, 0.5, 2.0)),
    (TruncatedNormal(0.0, 1.0, low=3.0, high=5.0), stats.truncnorm(3.0, 5.0)),
    (TruncatedNormal(0.0, 1.0, low=-30.0, high=-29.0), stats.truncnorm(-30.0, -29.0)),
    (TruncatedNormal(0.0, 1.0, low=-9.0, high=9.0), stats.truncnorm(-9.0, 9.0)),
]
NAMES = [repr(distribution) for distribution, _ in AGAINST_SCIPY]


@pytest.mark.parametrize(("distribution", "law"), AGAINST_SCIPY, ids=NAMES)
def test_values_and_moments_are_those_of_scipy(distribution: CoefficientDistribution, law: Any) -> None:
    # scipy loses the digits of a long upper tail: that is held to the lower one of the mirrored law below
    grid = GRID[:-2] if isinstance(distribution, TruncatedNormal) else GRID
    np.testing.assert_allclose(distribution.values(grid), law.ppf(grid), rtol=3e-13, atol=1e-14)
    assert distribution.expectation == pytest.approx(law.mean(), rel=1e-12, abs=1e-14)
    # scipy's own moments of a far tail cancel
    assert distribution.standard_deviation == pytest.approx(law.std(), rel=1e-6 if law.mean() < -20 else 1e-11)
    assert distribution.support == law.support()


@pytest.mark.parametrize(
    "distribution",
    [
        *(distribution for distribution, _ in AGAINST_SCIPY),
        Lognormal(0.4, 0.7, negative=True),
        TruncatedNormal(0.0, 1.0, low=20.0),
        TruncatedNormal(0.0, 1e8, low=0.0, high=1.0),
        TruncatedNormal(3.0, 1e-6, low=0.0, high=1.0),
    ],
    ids=repr,
)
def test_moments_are_integrals_of_the_values(distribution: CoefficientDistribution) -> None:
    """An independent way to both: the mean of x(u), and of its square, over u in (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    t, scale = 9.0 * nodes, 9.0 * weights
    uniform, density = stats.norm.cdf(t), stats.norm.pdf(t) * scale  # u = Phi(t) reaches into both ends
    inside = (uniform > 0) & (uniform < 1)
    values = distribution.values(uniform[inside])
    mean = float(density[inside] @ values)
    sd = float(np.sqrt(density[inside] @ (values - mean) ** 2))
    smooth = not isinstance(distribution, Triangular)
    assert distribution.expectation == pytest.approx(mean, rel=2e-8 if smooth else 1e-4, abs=1e-9)
    assert distribution.standard_deviation == pytest.approx(sd, rel=1e-7 if smooth else 1e-4)


@pytest.mark.parametrize("mean", [-1e9, -40.0, -2.0, 0.0, 0.5, 2.0, 40.0, 1e9])
@pytest.mark.parametrize("sd", [0.5, 3.0, 1e12])
def test_a_truncated_normal_has_the_digits_of_its_mirror(mean: float, sd: float) -> None:
    for low, high in [(-1.0, None), (None, 2.0), (-1.0, 2.0), (0.0, 1e-6)]:
        law = TruncatedNormal(mean, sd, low, high)
        mirror = TruncatedNormal(-mean, sd, None if high is None else -high, None if low is None else -low)
        np.testing.assert_allclose(law.values(EXACT), -mirror.values(1 - EXACT), rtol=1e-13, atol=1e-15)
        assert law.expectation == pytest.approx(-mirror.expectation, rel=1e-13, abs=1e-15)
        assert law.standard_deviation == pytest.approx(mirror.standard_deviation, rel=1e-12)


def test_the_upper_tail_of_a_truncated_normal_is_exact() -> None:
    x = TruncatedNormal(1.0, 0.5, low=0.0).values(EXACT)
    np.testing.assert_allclose(stats.norm.sf(x, 1.0, 0.5), (1 - EXACT) * stats.norm.cdf(2.0), rtol=1e-12)


def test_one_moment_of_each_against_adaptive_quadrature() -> None:
    law = TruncatedNormal(0.0, 1.0, low=2.0, high=2.5)
    mass = integrate.quad(stats.norm.pdf, 2.0, 2.5, epsabs=0)[0]
    mean = integrate.quad(lambda x: x * stats.norm.pdf(x), 2.0, 2.5, epsabs=0)[0] / mass
    variance = integrate.quad(lambda x: (x - mean) ** 2 * stats.norm.pdf(x), 2.0, 2.5, epsabs=0)[0] / mass
    assert law.expectation == pytest.approx(mean, rel=1e-14)
    assert law.standard_deviation == pytest.approx(np.sqrt(variance), rel=1e-13)


def test_a_negative_lognormal_is_minus_one() -> None:
    positive, negative = Lognormal(0.4, 0.7), Lognormal(0.4, 0.7, negative=True)
    np.testing.assert_allclose(negative.values(EXACT), -positive.values(1 - EXACT), rtol=1e-14)
    np.testing.assert_array_equal(negative.from_standard_normal(GRID), -positive.from_standard_normal(GRID))
    assert negative.expectation == -positive.expectation
    assert negative.standard_deviation == positive.standard_deviation
    assert negative.support == (-np.inf, 0.0)


numbers = st.floats(-5, 5, allow_subnormal=False)


@st.composite
def distributions(draw: st.DrawFn) -> CoefficientDistribution:
    kind = draw(st.sampled_from(sorted(registered_distributions())))
    middle, sd = draw(numbers), draw(st.sampled_from([0.0, 1e-300, 1e-6, 0.3, 1.0, 4.0]))
    low, high = sorted([middle - draw(st.floats(1e-9, 40)), middle + draw(st.floats(1e-9, 40))])
    if kind == "normal":
        return Normal(middle, sd)
    if kind == "lognormal":
        return Lognormal(middle, sd, negative=draw(st.booleans()))
    if kind == "triangular":
        return Triangular(low, min(max(middle, low), high), high)
    if kind == "uniform":
        return Uniform(low, high)
    mean = middle if sd == 0 else middle + draw(st.sampled_from([-1e12, -60.0, -3.0, 0.0, 1.0, 60.0, 1e12]))
    ends = draw(st.sampled_from([(low, high), (None, high), (low, None)]))
    return TruncatedNormal(mean, sd, *ends)


@given(distributions(), st.lists(st.integers(0, 2**52 - 1), min_size=1, max_size=30))
def test_values_rise_within_the_support_whatever_the_shape(law: CoefficientDistribution, words: list[int]) -> None:
    uniform = (np.sort(np.array(words, dtype=np.float64)) + 0.5) * 2.0**-52
    values = law.values(uniform)
    low, high = law.support
    assert values.shape == uniform.shape
    assert np.all(np.isfinite(values))
    assert np.all((low <= values) & (values <= high))
    assert np.all(np.diff(values) >= -1e-13 * np.abs(values[1:]))
    np.testing.assert_array_equal(law.values(uniform.reshape(1, -1, 1)), values.reshape(1, -1, 1))
    np.testing.assert_array_equal(law.values(uniform[-1:]), values[-1:])
    assert low <= law.expectation <= high
    assert law.standard_deviation >= 0


@pytest.mark.parametrize(
    ("law", "median"),
    [
        (TruncatedNormal(0.0, 1e20, low=0.0, high=1.0), 0.5),  # flat between its bounds
        (TruncatedNormal(0.0, 1.0, low=1e6), 1e6 + np.log(2) / 1e6),  # exponential far out
        (TruncatedNormal(0.0, 1.0, high=-1e6), -1e6 - np.log(2) / 1e6),
        (TruncatedNormal(0.0, 1.0, low=1e12), 1e12),
        (TruncatedNormal(0.0, 1.0, high=-1e200), -1e200),
        (TruncatedNormal(0.0, 1e-200, low=-1.0, high=-1.0 + 1e-9), -1.0 + 1e-9),
    ],
    ids=repr,
)
def test_far_and_narrow_truncation_keeps_its_digits(law: TruncatedNormal, median: float) -> None:
    assert law.values(np.array([0.5])) == pytest.approx(median, rel=1e-15)
    assert law.expectation == pytest.approx(median, rel=1e-6)


def test_a_spread_of_0_is_a_fixed_number() -> None:
    for law, fixed in [
        (Normal(2.0, 0.0), 2.0),
        (Lognormal(0.0, 0.0), 1.0),
        (Lognormal(0.0, 0.0, negative=True), -1.0),
        (TruncatedNormal(2.0, 0.0, low=1.0), 2.0),
    ]:
        np.testing.assert_array_equal(law.values(GRID), np.full(GRID.size, fixed))
        assert (law.expectation, law.standard_deviation) == (fixed, 0.0)
    assert Normal(2.0, 0.0).support == (2.0, 2.0)
    assert Lognormal(0.0, 0.0).support == (1.0, 1.0)


def test_a_spread_may_be_left_to_a_covariance() -> None:
    for open_law, known in [(Normal(1.0), Normal(1.0, 2.0)), (Lognormal(0.5), Lognormal(0.5, 2.0))]:
        assert open_law.spread is None
        assert open_law.with_spread(2.0) == known
        z = np.array([[-1.0, 0.5]])
        np.testing.assert_array_equal(known.from_standard_normal(z), open_law.from_deviation(2.0 * z))
        for use in (open_law.values, open_law.from_standard_normal):
            with pytest.raises(InvalidInputError, match="is not known: give it, or a covariance"):
                use(GRID)
        with pytest.raises(InvalidInputError, match="is not known: give it, or a covariance"):
            _ = open_law.standard_deviation
    with pytest.raises(InvalidInputError, match="is not known"):
        _ = Lognormal(0.5).expectation
    assert Normal(1.0).expectation == 1.0


@pytest.mark.parametrize("law", [Triangular(0, 1, 2), Uniform(0, 1), TruncatedNormal(0, 1, low=0)], ids=repr)
def test_only_what_is_made_of_a_normal_number_correlates(law: CoefficientDistribution) -> None:
    assert not law.correlates
    for use in (law.from_deviation, law.with_spread):
        with pytest.raises(InvalidInputError, match="cannot be correlated with others: make it lognormal or normal"):
            use(1.0)  # type: ignore[arg-type]
    assert Normal.correlates
    assert Lognormal.correlates


def test_huge_spreads_say_infinity_and_no_more() -> None:
    assert Lognormal(0.0, 30.0).standard_deviation == np.inf
    assert Lognormal(-700.0, 20.0).standard_deviation == pytest.approx(np.exp(-700.0 + 400.0))
    assert Lognormal(0.0, 1e-9).standard_deviation == pytest.approx(1e-9)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (Normal, {"mean": np.nan, "sd": 1}, "mean must be a finite number, found nan"),
        (Normal, {"mean": "1", "sd": 1}, "mean must be a number, found '1'"),
        (Normal, {"mean": 10**400, "sd": 1}, "mean must be a finite number, found one beyond 1e308"),
        (Normal, {"mean": 0, "sd": -1}, r"sd must be finite and at least 0, found -1\.0"),
        (Normal, {"mean": 0, "sd": np.inf}, "sd must be finite and at least 0, found inf"),
        (Normal, {"mean": 0, "sd": True}, "sd must be a number, found True"),
        (Normal, {"mean": 0, "sd": 1e308}, "must be a number that a computer can hold"),
        (Lognormal, {"log_mean": 0, "log_sd": 100}, "a lognormal coefficient must be a number that a computer can"),
        (Lognormal, {"log_mean": 0, "log_sd": -0.5}, "log_sd must be finite and at least 0"),
        (Lognormal, {"log_mean": 0, "log_sd": 1, "negative": "yes"}, "negative must be True or False, found 'yes'"),
        (Triangular, {"low": 0, "mode": 3, "high": 2}, r"mode must lie from low to high, found 3 outside \[0, 2\]"),
        (Triangular, {"low": 2, "mode": 2, "high": 2}, "low must be below high, found 2 and 2"),
        (Triangular, {"low": -1.7e308, "mode": 0, "high": 1.7e308}, "low and high must be less than 1e308 apart"),
        (Uniform, {"low": 1, "high": 0}, "low must be below high, found 1 and 0"),
        (Uniform, {"low": 0, "high": np.inf}, "high must be a finite number, found inf"),
        (TruncatedNormal, {"mean": 0, "sd": 1}, "needs low, high or both: without, make it normal"),
        (TruncatedNormal, {"mean": 0, "sd": 1, "low": -np.inf, "high": np.inf}, "needs low, high or both"),
        (TruncatedNormal, {"mean": 0, "sd": 1, "low": np.inf}, "low must be a finite number, found inf"),
        (TruncatedNormal, {"mean": 0, "sd": 1, "low": 2, "high": 1}, "low must be below high"),
        (TruncatedNormal, {"mean": 0, "sd": None, "low": 2}, "sd must be a number of at least 0, found None"),
        (TruncatedNormal, {"mean": 0, "sd": 0, "low": 2}, r"the mean must lie between the bounds, found 0 outside"),
    ],
)
def test_parameters_out_of_range_are_refused(kind: type, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        kind(**settings)


def test_distributions_are_known_by_name() -> None:
    assert distribution_from_name("uniform", low=0, high=1) == Uniform(0.0, 1.0)
    with pytest.raises(InvalidInputError, match="unknown distribution 'gamma': choose one of lognormal, normal, tri"):
        distribution_from_name("gamma", mean=1)
    with pytest.raises(InvalidInputError, match="a distribution named 'normal' exists already: Normal"):
        register_distribution("normal")(Uniform)
    assert {kind.name for kind in registered_distributions().values()} == set(registered_distributions())


@pytest.mark.parametrize("name", sorted(registered_distributions()))
def test_yaml_can_say_every_setting(name: str) -> None:
    block = dataclass_block(registered_distributions()[name], name)
    for key, entry in block.model_json_schema()["properties"].items():
        assert entry["description"], key


@pytest.mark.parametrize(("a", "uniform", "expected"), [
    (100.0, 0.5, 0.0069305387524294142), (1e5, 0.1, 1.0536051564673521e-06), (1e7, 0.5, 6.931471805599416e-08),
])  # fmt: skip
def test_distances_from_a_far_bound_keep_their_digits(a: float, uniform: float, expected: float) -> None:
    """Solutions of log(1 - Phi(a + t)) = log(1 - Phi(a)) + log(1 - u) with 60 digits."""
    found = TruncatedNormal(mean=-a, sd=1.0, low=0.0).values(np.array([uniform]))
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_between_narrow_bounds_nothing_is_lost() -> None:
    found = TruncatedNormal(mean=0.0, sd=1.0, low=-1e-7, high=1e-7).values(np.array([0.25, 0.5, 0.75]))
    np.testing.assert_allclose(found, [-5e-8, 0.0, 5e-8], rtol=1e-13, atol=1e-22)


def test_moments_exist_however_far_out() -> None:
    far = TruncatedNormal(mean=0.0, sd=1e-300, low=1e10)
    assert (far.expectation, far.standard_deviation) == (1e10, 0.0)
    further = TruncatedNormal(mean=0.0, sd=1.0, low=1e155)
    assert further.expectation == 1e155
    assert further.standard_deviation == pytest.approx(1e-155, rel=1e-12)
