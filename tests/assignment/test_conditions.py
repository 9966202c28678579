"""Conditions on the sums of a side: each potential, response, curvature and conjugate follows from the one penalty."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from choicekit.assignment import AtMost, Fixed, Free, MarginalCondition, Relaxed, WithOutsideOption
from choicekit.errors import InvalidInputError, ShapeError
from tests.tolerances import ALGEBRA, FINITE_DIFFERENCE

PLACES = 4
STEP = 1e-5
Make = Callable[[np.ndarray, float], MarginalCondition]

MAKERS: dict[str, Make] = {
    "fixed": lambda mass, strength: Fixed(mass),
    "at_most": lambda mass, strength: AtMost(mass),
    "relaxed": Relaxed,
    "free": lambda mass, strength: Free(),
    "outside, both sides": lambda mass, strength: WithOutsideOption(mass, entropy_weight=0.5),
    "outside, one side": lambda mass, strength: WithOutsideOption(mass),
}
every_condition = pytest.mark.parametrize("make", MAKERS.values(), ids=list(MAKERS))


@dataclass(frozen=True, eq=False)
class Held:
    """What a condition is asked about."""

    mass: np.ndarray
    strength: float
    x: np.ndarray  # log sums
    t: float
    share: np.ndarray


def drawn(seed: int) -> Held:
    rng = np.random.default_rng(seed)
    near, far = rng.uniform(-5, 5, PLACES), rng.uniform(-800, 800, PLACES)
    return Held(
        mass=np.where(rng.random(PLACES) < 0.2, 0.0, np.exp(rng.uniform(-25, 25, PLACES))),
        strength=float(np.exp(rng.uniform(np.log(1e-3), np.log(1e3)))),
        x=np.where(rng.random(PLACES) < 0.5, near, far),
        t=float(np.exp(rng.uniform(np.log(1e-6), np.log(10)))),
        share=rng.random(PLACES),
    )


law = given(case=st.integers(0, 2**32 - 1).map(drawn))


def mass_of(condition: MarginalCondition) -> np.ndarray:
    return np.zeros(PLACES) if condition.mass is None else condition.mass


def held(condition: MarginalCondition) -> np.ndarray:
    return np.ones(PLACES, dtype=bool) if condition.mass is None else condition.mass > 0


@pytest.fixture(autouse=True)
def no_floating_point_fault():
    with np.errstate(divide="raise", over="raise", invalid="raise"):
        yield


@every_condition
@law
def test_a_potential_brings_about_the_sums_that_it_asks_for(make, case):
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    f = condition.potential(x, t)
    on = held(condition)
    np.testing.assert_array_equal(f[~on], -np.inf)
    with np.errstate(over="ignore"):
        sums = np.where(on, np.exp(np.where(on, f, 0.0) / t + x), 0.0)
    kept = on & np.isfinite(sums)  # relaxed sums may be beyond numbers
    wanted = condition.wanted(sums, f, t)[kept]
    f, x, sums, mass = f[kept], x[kept], sums[kept], mass_of(condition)[kept]
    rounding = ALGEBRA * (1.0 + np.abs(x) + np.abs(f) / min(t, case.strength)) * (sums + mass)
    assert np.all(np.abs(sums - wanted) <= rounding)
    if condition.bounded:
        assert np.all(f <= 0)
        assert np.all(sums <= mass + rounding)


@every_condition
@law
def test_the_response_is_minus_the_derivative_of_the_potential(make, case):
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    on = held(condition)
    with np.errstate(divide="ignore"):
        on = on & ~(condition.bounded & (np.abs(np.log(case.mass) - x) < 10 * STEP))  # but where a price sets in
    response = condition.response(x, t)
    assert np.all((response >= 0) & (response <= 1))
    above, below = condition.potential(x + STEP, t)[on], condition.potential(x - STEP, t)[on]
    np.testing.assert_allclose((below - above) / t / (2 * STEP), response[on], rtol=0, atol=FINITE_DIFFERENCE)


@every_condition
@law
def test_the_curvature_is_minus_the_derivative_of_what_is_wanted(make, case):
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    on = held(condition)
    f = np.where(on, condition.potential(np.clip(x, -20.0, 20.0), t), 0.0)
    unit = case.strength if isinstance(condition, Relaxed) else t  # in which potentials count
    sums = np.exp(x / 100)
    above, below = (condition.wanted(sums, f + sign * STEP * unit, t) for sign in (1, -1))
    if condition.bounded:
        on = on & (np.abs(f) > STEP * unit)
    scale = (mass_of(condition) + condition.wanted(sums, f, t))[on]
    found = (condition.curvature(f, t) * unit)[on] / scale
    np.testing.assert_allclose(((below - above) / (2 * STEP))[on] / scale, found, rtol=0, atol=FINITE_DIFFERENCE)


@every_condition
@law
def test_what_is_wanted_meets_the_conjugate(make, case):
    # F(r) + F*(-f) = -<f, r>: Fenchel and Young's inequality, tight at what the potentials ask for
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    on = held(condition)
    f = condition.potential(np.clip(x, -30.0, 30.0), t)
    sums = condition.wanted(np.where(on, mass_of(condition), 0.0), f, t)
    parts = (condition.penalty(sums, t), condition.conjugate(f, t), float(f[on] @ sums[on]))
    assert abs(sum(parts)) <= rounding_of(condition, sums, f, on, case)


@every_condition
@law
def test_no_other_sums_do_better_than_the_conjugate(make, case):
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    on = held(condition)
    f = condition.potential(np.clip(x, -30.0, 30.0), t)
    sums = case.mass if isinstance(condition, Fixed) else case.share * case.mass
    sums = 3.0 * sums if isinstance(condition, Relaxed) else sums
    parts = (condition.penalty(sums, t), condition.conjugate(f, t), float(f[on] @ sums[on]))
    assert sum(parts) >= -rounding_of(condition, sums, f, on, case)


def rounding_of(condition, sums, f, on, case) -> float:
    size = (sums + mass_of(condition))[on] * (np.abs(f[on]) + 40.0 * case.t + 40.0 * case.strength)
    return ALGEBRA * float(size.sum()) + 1e-300


@every_condition
@law
def test_a_restricted_condition_asks_the_same_of_the_places_kept(make, case):
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    places = np.array([True, False, True, True])
    kept = condition.restricted(places)
    assert type(kept) is type(condition)
    np.testing.assert_array_equal(kept.potential(x[places], t), condition.potential(x, t)[places])
    np.testing.assert_array_equal(kept.response(x[places], t), condition.response(x, t)[places])


@every_condition
def test_conditions_are_seen_as_such(make):
    condition = make(np.ones(PLACES), 1.0)
    assert isinstance(condition, MarginalCondition)
    np.testing.assert_array_equal(condition.outside(np.ones(PLACES), np.full(PLACES, -np.inf), 1.0), 0.0)


@pytest.mark.parametrize("make", [MAKERS["outside, both sides"], MAKERS["outside, one side"]])
@law
def test_singles_and_sums_make_up_the_mass(make, case):
    condition, x, t = make(case.mass, case.strength), case.x, case.t
    f = condition.potential(x, t)
    singles = condition.outside(np.zeros(PLACES), f, t)
    sums = np.exp(f / t + x)
    np.testing.assert_allclose(singles + sums, case.mass, rtol=ALGEBRA * (1.0 + np.abs(x).max() + 60.0))


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_an_outside_option_takes_all_of_a_place_that_is_not_wanted_and_nothing_of_one_that_is(weight):
    condition = WithOutsideOption([2.0, 2.0, 0.0], entropy_weight=weight)
    x = np.array([-np.inf, 1e9, -np.inf])
    f = condition.potential(x, 1.0)
    np.testing.assert_allclose(condition.outside(np.zeros(3), f, 1.0), [2.0, 0.0, 0.0])
    np.testing.assert_array_equal(condition.response(x, 1.0)[:2], [0.0, 1.0])


def test_one_type_each_without_surplus_stays_single_by_half():
    # Choo & Siow with Phi = 0 and masses 1: mu_11 = mu_10 = mu_01, so 1/2 each
    condition = WithOutsideOption([1.0], entropy_weight=0.5)
    f = condition.potential(np.log([0.5]) / 2, 1.0)  # K = exp(g / T) = root of the other side's singles
    assert condition.outside(np.zeros(1), f, 1.0) == pytest.approx([0.5], rel=1e-15)


@pytest.mark.parametrize(
    ("condition", "sums", "at_zero"),
    [
        (AtMost([1.0, 2.0]), [0.25, 2.5], [0.75, 0.0]),
        (WithOutsideOption([1.0, 2.0]), [0.25, 2.0], [0.75, 0.0]),
        (Fixed([1.0, 2.0]), [0.25, 2.5], [0.0, 0.0]),
        (Relaxed([1.0, 2.0], 1.0), [0.25, 2.5], [0.0, 0.0]),
        (Free(), [0.25, 2.5], [0.0, 0.0]),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_stays_outside_at_temperature_0(condition, sums, at_zero):
    np.testing.assert_allclose(condition.outside(np.array(sums), np.zeros(2), 0.0), at_zero)


def test_a_price_is_asked_only_where_a_place_is_full():
    condition = AtMost([1.0, 1.0])
    x = np.log([0.5, 4.0])
    np.testing.assert_allclose(condition.potential(x, 2.0), [0.0, -2.0 * np.log(4.0)])
    np.testing.assert_array_equal(condition.response(x, 2.0), [0.0, 1.0])
    np.testing.assert_allclose(
        condition.wanted(np.array([0.5, 4.0]), np.zeros(2), 2.0), [0.5, 1.0]
    )  # without a price more than the capacity is not asked for either


def test_masses_are_copied_and_cannot_be_changed():
    given_mass = np.ones(2)
    condition = Fixed(given_mass)
    given_mass[0] = 5.0
    assert condition.mass[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        condition.mass[0] = 2.0


@pytest.mark.parametrize("kind", [Fixed, AtMost, WithOutsideOption, lambda mass: Relaxed(mass, 1.0)])
@pytest.mark.parametrize(
    ("mass", "message"),
    [
        ([1.0, -0.5], "masses must be finite numbers of at least 0, found -0.5 at place 1 of "),
        ([np.nan, 1.0], "found nan at place 0 of "),
        ([1.0, np.inf], "found inf at place 1 of "),
        ([-1.0, 1.0, -2.0, np.nan], "found -1.0 at place 0 of .* and 2 more: a place without anything has mass 0"),
    ],
)
def test_masses_that_are_none(kind, mass, message):
    with pytest.raises(InvalidInputError, match=message):
        kind(mass)


@pytest.mark.parametrize("mass", [[], [[1.0]], 3.0])
def test_masses_of_another_shape(mass):
    with pytest.raises(ShapeError, match=r"the mass of Fixed must be one number a place, \(n,\), found shape"):
        Fixed(mass)


@pytest.mark.parametrize("strength", [0.0, -1.0, np.inf, np.nan, 1j, np.complex128(1j), "1", True])
def test_strengths_that_are_none(strength):
    with pytest.raises(
        InvalidInputError,
        match=f"strength of Relaxed must be a finite number above 0, found {re.escape(repr(strength))}",
    ):
        Relaxed([1.0], strength)


def test_a_weight_of_singles_that_is_none():
    with pytest.raises(InvalidInputError, match="entropy_weight must be 1 or 1/2, found 2"):
        WithOutsideOption([1.0], entropy_weight=2)
