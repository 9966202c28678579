"""What every registered choice rule promises.

A new rule needs nothing here unless it cannot be made without settings: then it adds a line to `EXAMPLES`, as does one
whose settings change what it does. Laws that hold only for some rules ask for an attribute, never for a name:

    every rule           value convex, between max and max + `max_gap`; probabilities its gradient; conjugate and loss
    `temperature`        (all but hardmax) T = 0 is the hard maximum, high T ignores utilities, units do not matter
    `symmetric`          (all but nests) alternatives may change places; of two the better is at least as probable;
                         T = 0 is the limit of low T
    `sparse`             (sparsemax, entmax above alpha = 1) what is far below the best has probability exactly 0;
                         rules that are not sparse leave nothing out
    `supports_coherent`  (softmax, hardmax, nests) improving an alternative moves agents only to it; other rules refuse

The slope of the probabilities is the Jacobian everywhere but at kinks: where ties are decided at T = 0, and where a
sparse rule takes an alternative in or leaves it out.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from choicekit.errors import InvalidInputError, NoAvailableAlternativeError, ShapeError
from choicekit.random import Draws, Stage, alternative_words, row_words
from choicekit.rules import ChoiceRule, Nest, RegularisedRule, registered_rules
from tests.problems import HARD_UTILITIES
from tests.tolerances import (
    ALGEBRA,
    FINITE_DIFFERENCE,
    assert_counts_follow,
    assert_distribution,
    assert_probabilities_close,
    assert_utilities_close,
    size_of,
)

INF = np.inf
TINY = 1e-12
TEMPERATURES = (1.0, 0.5, TINY, 0.0)


@dataclass(frozen=True)
class Example:
    """Settings of a rule besides its temperature, and numbers of alternatives and temperatures to try them with."""

    settings: dict[str, Any] = field(default_factory=dict)
    sizes: tuple[int, ...] = (1, 2, 3, 5, 8)
    temperatures: tuple[float, ...] = TEMPERATURES  # 1 among them, which laws about temperatures start from


EXAMPLES: dict[str, tuple[Example, ...]] = {
    "cross_nested_logit": (
        Example(
            {"nests": {"a": Nest({0: 0.5, 1: 0.25, 2: 1.0}, 0.5), "b": Nest({0: 0.5, 1: 0.75, 3: 1.0}, 0.75)}},
            sizes=(6,),
            temperatures=(1.0,),
        ),
    ),
    "entmax": (
        Example(temperatures=(1.0, TINY, 0.0)),
        *(Example({"alpha": alpha}, temperatures=(1.0,)) for alpha in (1.0, 1.25, 2.0, 3.0)),
    ),
    "hardmax": (Example(),),
    "nested_logit": (
        Example({"nests": {"a": Nest([0, 1], 0.5), "one": Nest([3], 0.25)}}, sizes=(6,), temperatures=(1.0, TINY)),
        Example(
            {"nests": {"a": Nest([0], 0.75, {"b": Nest([1], 0.5, {"c": Nest([2, 4], 0.5)}), "none": Nest([3])})}},
            sizes=(5, 7),
            temperatures=(1.0,),
        ),
    ),
    "softmax": (Example(),),
    "sparsemax": (Example(temperatures=(1.0, TINY, 0.0)),),
}


@dataclass(frozen=True)
class Subject:
    """A rule under test and the numbers of alternatives it can have."""

    rule: RegularisedRule
    sizes: tuple[int, ...]

    @property
    def temperature(self) -> float:
        return float(getattr(self.rule, "temperature", 0.0))

    @property
    def hard(self) -> bool:
        """Whether the value is the maximum itself."""
        return float(self.rule.max_gap(2)) == 0.0

    @property
    def sharp(self) -> bool:
        """Whether utilities an eighth apart are worlds apart."""
        return self.hard or self.temperature <= TINY

    @property
    def symmetric(self) -> bool:
        return bool(getattr(self.rule, "symmetric", True))

    @property
    def size(self) -> int:
        return max(self.sizes)

    def fit(self, utility: tuple[float, ...]) -> np.ndarray:
        """Utilities as an array of a size that the rule can have, with something available."""
        values = np.asarray(utility, dtype=np.float64)
        if len(values) not in self.sizes:
            values = np.resize(values, min((n for n in self.sizes if n >= len(values)), default=self.size))
        return values if np.any(values > -INF) else np.zeros(len(values))

    def at(self, temperature: Any) -> RegularisedRule:
        return dataclasses.replace(self.rule, temperature=temperature)


def subjects() -> dict[str, Subject]:
    found = {}
    for name, kind in registered_rules().items():
        for number, sample in enumerate(EXAMPLES.get(name, (Example(),))):
            rule = kind(**sample.settings)
            temperatures = sample.temperatures if has_temperature(rule) else ()
            variants = [dataclasses.replace(rule, temperature=t) for t in temperatures]
            for variant in variants or [rule]:
                label = f"{name}{number or ''}" + (f"-T={variant.temperature:g}" if variants else "")
                found[label] = Subject(variant, sample.sizes)
    return found


def has_temperature(rule: Any) -> bool:
    return any(part.name == "temperature" for part in dataclasses.fields(rule))


SUBJECTS = subjects()


def over(wanted: Callable[[str, Subject], bool]) -> pytest.MarkDecorator:
    """Run a law over the rules that it is about."""
    found = {label: subject for label, subject in SUBJECTS.items() if wanted(label, subject)}
    return pytest.mark.parametrize("subject", found.values(), ids=found.keys())


every_rule = over(lambda label, subject: True)
every_symmetric_rule = over(lambda label, subject: subject.symmetric)
every_coherent_rule = over(lambda label, subject: subject.rule.supports_coherent)
tempered = over(lambda label, subject: label.endswith("-T=1"))
tempered_symmetric = over(lambda label, subject: label.endswith("-T=1") and subject.symmetric)

few = settings(max_examples=20)  # beside the hard cases, for each of some dozens of rules and temperatures

# numbers an eighth apart: sums and shifts of them are exact, so ties stay ties
eighths = st.integers(-400, 400).map(lambda n: n / 8)
anything = st.one_of(
    eighths,
    st.sampled_from([0.0, 1.0, -INF]),
    st.floats(-50, 50),
    st.sampled_from([1e300, -1e300, 1e-300, 5e-324, -700.0]),
)


def over_utilities(elements: st.SearchStrategy[float] = anything) -> Callable[..., Any]:
    """Try a law on every hard case and on rows that hypothesis makes up."""

    def decorate(law: Callable[..., None]) -> Callable[..., None]:
        for case in HARD_UTILITIES:
            law = example(utility=case)(law)
        return few(given(utility=st.lists(elements, min_size=1, max_size=8).map(tuple))(law))

    return decorate


def over_exact_utilities() -> Callable[..., Any]:
    """Try a law on rows of eighths only, with ties, a single one, and the unavailable among them."""

    def decorate(law: Callable[..., None]) -> Callable[..., None]:
        for case in ((0.0,), (2.0, 2.0), (1.0, 2.0, 3.0, 5.0, 5.0), (-INF, 1.0, -INF), (50.0, -50.0, -INF, 50.0)):
            law = example(utility=case)(law)
        return few(given(utility=st.lists(eighths | st.just(-INF), min_size=1, max_size=8).map(tuple))(law))

    return decorate


def inner(utility: np.ndarray, probabilities: np.ndarray) -> float:
    """<u, p> where zero mass on minus infinity counts nothing."""
    return float(np.sum(np.where(probabilities > 0, np.where(probabilities > 0, utility, 0.0) * probabilities, 0.0)))


def distribution(seed: int, support: np.ndarray) -> np.ndarray:
    """Some distribution over the places where `support` is True, often without mass on a few of them."""
    generator = np.random.default_rng(seed)
    mass = generator.dirichlet(np.full(support.sum(), 0.7))
    mass[generator.random(mass.size) < 0.3] = 0.0
    mass = mass / mass.sum() if mass.sum() > 0 else np.full(mass.size, 1 / mass.size)
    result = np.zeros(support.size)
    result[support] = mass
    return result


# ---------------------------------------------------------------- the object


def test_every_registered_rule_is_tried():
    assert set(registered_rules()) >= {"softmax", "hardmax"}
    assert {label.split("-T=")[0].rstrip("0123456789") for label in SUBJECTS} == set(registered_rules())
    assert set(EXAMPLES) <= set(registered_rules())


@every_rule
def test_it_is_a_frozen_dataclass_that_knows_its_name(subject):
    rule = subject.rule
    assert registered_rules()[rule.name] is type(rule)
    assert isinstance(rule, ChoiceRule)
    assert type(rule).__dataclass_params__.frozen
    assert repr(rule).startswith(type(rule).__name__)


@every_rule
def test_equal_settings_make_equal_rules(subject):
    twin = dataclasses.replace(subject.rule)
    assert twin == subject.rule
    assert twin is not subject.rule


# ---------------------------------------------------------------- probabilities


@every_rule
@over_utilities()
def test_probabilities_sum_to_one_and_none_is_negative(subject, utility):
    assert_distribution(subject.rule.probabilities(subject.fit(utility)))


@every_rule
@over_utilities()
def test_what_has_utility_minus_infinity_has_probability_exactly_zero(subject, utility):
    values = subject.fit(utility)
    assert np.all(subject.rule.probabilities(values)[values == -INF] == 0)


@every_rule
@over_utilities()
def test_unavailable_is_the_same_as_utility_minus_infinity(subject, utility):
    values = subject.fit(utility)
    available = np.arange(values.size) % 2 == 0
    if not np.any(values[available] > -INF):
        available = ~available
    whatever = np.where(available, values, np.nan)
    by_utility = np.where(available, values, -INF)
    p = subject.rule.probabilities(whatever, available)
    assert np.all(p[~available] == 0)
    np.testing.assert_array_equal(p, subject.rule.probabilities(by_utility))
    assert subject.rule.value(whatever, available) == subject.rule.value(by_utility)


@every_rule
@over_utilities()
def test_a_single_available_alternative_is_certain_and_worth_its_utility(subject, utility):
    values = subject.fit(utility)
    best = int(np.argmax(values))
    alone = np.where(np.arange(values.size) == best, values, -INF)
    assert subject.rule.probabilities(alone)[best] == 1.0
    assert subject.rule.value(alone) == values[best]


@every_rule
@over_exact_utilities()
def test_adding_a_constant_changes_no_probability_and_adds_it_to_the_value(subject, utility):
    values, shift = subject.fit(utility), 1024.5
    # the sum is exact, so a small temperature is no excuse: whoever shifts by the maximum first loses nothing
    assert_probabilities_close(subject.rule.probabilities(values + shift), subject.rule.probabilities(values))
    assert_utilities_close(
        subject.rule.value(values + shift), subject.rule.value(values) + shift, values + shift, subject.temperature
    )


@every_symmetric_rule
@over_utilities()
def test_permuting_the_alternatives_permutes_the_probabilities(subject, utility):
    values = subject.fit(utility)
    order = np.random.default_rng(values.size).permutation(values.size)
    for arrangement in (order, order[::-1], np.roll(np.arange(values.size), 1)):
        assert_probabilities_close(
            subject.rule.probabilities(values[arrangement]), subject.rule.probabilities(values)[arrangement]
        )
        assert_utilities_close(
            subject.rule.value(values[arrangement]), subject.rule.value(values), values, subject.temperature
        )


@every_symmetric_rule
@over_utilities()
def test_a_better_alternative_is_at_least_as_probable(subject, utility):
    values = subject.fit(utility)
    p = subject.rule.probabilities(values)[np.argsort(values, kind="stable")]
    assert np.all(np.diff(p) >= -ALGEBRA)


@every_rule
@over_exact_utilities()
def test_improving_an_alternative_takes_nothing_from_it_and_gives_nothing_to_others(subject, utility):
    values = subject.fit(utility)
    for place in range(values.size):
        better = values.copy()
        better[place] = max(better[place], -50.0) + 0.25
        gain = subject.rule.probabilities(better) - subject.rule.probabilities(values)
        assert gain[place] >= -ALGEBRA
        if subject.hard:  # where ties are broken the others can only lose as well
            assert np.all(np.delete(gain, place) <= 0)
        assert np.all(np.delete(gain, place) <= ALGEBRA)


# ---------------------------------------------------------------- value


@every_rule
@over_utilities()
def test_the_value_lies_between_the_maximum_and_the_maximum_plus_the_largest_gap(subject, utility):
    values = subject.fit(utility)
    n = int(np.sum(values > -INF)) if subject.symmetric else values.size
    slack = ALGEBRA * size_of(values, subject.temperature)
    value = float(subject.rule.value(values))
    assert values.max() - slack <= value <= values.max() + float(subject.rule.max_gap(n)) + slack


@every_rule
@pytest.mark.parametrize("level", [0.0, -3.5, 1e300, 1e-300])
def test_the_largest_gap_is_reached_where_all_utilities_are_equal(subject, level):
    for n in subject.sizes:
        values = np.full(n, level)
        assert_utilities_close(subject.rule.value(values), level + subject.rule.max_gap(n), values, subject.temperature)


@every_rule
def test_the_largest_gap_is_zero_for_one_alternative_and_grows(subject):
    gaps = [float(subject.rule.max_gap(n)) for n in subject.sizes]
    assert np.all(np.diff(gaps) >= 0)
    if 1 in subject.sizes:
        assert gaps[0] == 0.0
    with pytest.raises(InvalidInputError, match="at least 1"):
        subject.rule.max_gap(0)


@every_rule
@given(
    utility=st.lists(eighths, min_size=1, max_size=8, unique=True).map(tuple),
    direction=st.integers(0, 7),
)
@example(utility=(0.0,), direction=0)
@example(utility=(1.0, 2.0, -50.0), direction=2)
@example(utility=(1.0, 1.0, 0.5), direction=0)
def test_the_gradient_of_the_value_is_the_probabilities(subject, utility, direction):
    values = subject.fit(utility)
    step, place = 1e-5, direction % values.size
    below, above = (values + sign * step * (np.arange(values.size) == place) for sign in (-1, 1))
    slope = (subject.rule.value(above) - subject.rule.value(below)) / (2 * step)
    # by convexity, kinks or none, it lies between the slopes at both ends
    slack = ALGEBRA * size_of(values, subject.temperature) / step
    assert subject.rule.probabilities(below)[place] - slack <= slope
    assert slope <= subject.rule.probabilities(above)[place] + slack


@every_rule
@given(utility=st.lists(eighths, min_size=2, max_size=8).map(tuple), seed=st.integers(0, 2**32))
@example(utility=(1.0, 1.0), seed=1)
@example(utility=(50.0, -50.0, 0.0), seed=2)
def test_the_value_is_convex_and_the_probabilities_are_its_subgradient(subject, utility, seed):
    values = subject.fit(utility)
    other = values + np.random.default_rng(seed).integers(-80, 80, values.size) / 8
    below = subject.rule.value(values) + inner(other - values, subject.rule.probabilities(values))
    slack = ALGEBRA * size_of(np.concatenate([values, other]), subject.temperature)
    # probabilities of a tiny temperature carry the rounding of u / T only where utilities nearly tie; here none do
    assert subject.rule.value(other) >= below - slack


@every_rule
@over_utilities()
def test_taking_an_alternative_away_lowers_the_value_and_leaves_the_others_no_less_probable(subject, utility):
    values = subject.fit(utility)
    p, value = subject.rule.probabilities(values), subject.rule.value(values)
    slack = ALGEBRA * size_of(values, subject.temperature)
    for place in range(values.size):
        available = np.arange(values.size) != place
        if not np.any(values[available] > -INF):
            continue
        fewer = subject.rule.probabilities(values, available)
        assert subject.rule.value(values, available) <= value + slack
        assert np.all(fewer[available] >= p[available] - ALGEBRA)
        if p[place] == 0:  # what is not chosen is not missed
            assert subject.rule.value(values, available) >= value - slack
            assert_probabilities_close(fewer, p)


@over(lambda label, subject: subject.temperature > TINY)
def test_what_is_far_below_the_best_is_left_out_by_sparse_rules_and_by_no_other(subject):
    for n in subject.sizes:
        values = np.where(np.arange(n) == n // 2, 3.0, 3.0 - 20 * subject.temperature)
        p, leaves_out = subject.rule.probabilities(values), subject.rule.sparse
        np.testing.assert_array_equal(p > 0, (values == 3.0) | (not leaves_out))
        if leaves_out:
            assert p[n // 2] == 1
            assert subject.rule.value(values) == 3
        assert np.all(subject.rule.probabilities(values / values.max() / 1e3) > 0)


# ---------------------------------------------------------------- Jacobian

directions = st.integers(0, 2**32).map(lambda seed: np.random.default_rng(seed).uniform(-1, 1, 8))


def smooth_part(subject: Subject, utility: tuple[float, ...]) -> np.ndarray:
    """Utilities where the rule has a derivative: at T = 0 what ties with the best is taken away."""
    values = subject.fit(utility)
    best = int(np.argmax(values))
    tied = (values == values.max()) & (np.arange(values.size) != best)
    return np.where(subject.hard & tied, -INF, values)


def size_of_jacobian(subject: Subject, utility: np.ndarray | None = None) -> float:
    """What rounding is relative to: a Jacobian is one over a temperature, or more where rules are sparse."""
    least = 1.0 if subject.hard else 1 / subject.temperature
    if not subject.rule.sparse or utility is None:
        return least
    steps = np.eye(utility.shape[-1]).reshape(-1, *[1] * (utility.ndim - 1), utility.shape[-1])
    return max(least, float(np.abs(subject.rule.jacobian_product(utility, steps)).max()))


@every_rule
@given(utility=st.lists(eighths | st.just(-INF), min_size=1, max_size=8).map(tuple), direction=directions)
@example(utility=(0.0,), direction=np.ones(8))
@example(utility=(1.0, 2.0, -50.0), direction=np.arange(8.0))
@example(utility=(1.0, 1.25, -INF, 0.5), direction=np.arange(8.0))
def test_the_jacobian_product_is_the_slope_of_the_probabilities(subject, utility, direction):
    values, step = smooth_part(subject, utility), 1e-5
    nudge = step * direction[: values.size]
    chosen = subject.rule.probabilities(values) > 0
    if any(np.any((subject.rule.probabilities(values + side * nudge) > 0) != chosen) for side in (-1000, 1000)):
        return  # a kink is near
    slope = (subject.rule.probabilities(values + nudge) - subject.rule.probabilities(values - nudge)) / (2 * step)
    product = subject.rule.jacobian_product(values, direction[: values.size])
    np.testing.assert_allclose(product, slope, rtol=0, atol=FINITE_DIFFERENCE)


@every_rule
@given(utility=st.lists(anything, min_size=1, max_size=8).map(tuple), left=directions, right=directions)
@example(utility=(1.0, 1.0, 0.5), left=np.eye(8)[0], right=np.eye(8)[1])
@example(utility=(-INF, 700.0, 0.0), left=np.eye(8)[0], right=np.eye(8)[1])
def test_the_jacobian_is_symmetric_and_positive_semidefinite(subject, utility, left, right):
    values = smooth_part(subject, utility)
    v, w = left[: values.size], right[: values.size]
    slack = ALGEBRA * size_of_jacobian(subject, values)
    there, back = (subject.rule.jacobian_product(values, direction) for direction in (v, w))
    assert abs(w @ there - v @ back) <= slack
    assert v @ there >= -slack


@every_rule
@given(utility=st.lists(anything, min_size=1, max_size=8).map(tuple), direction=directions, lift=eighths)
@example(utility=(1.0, 2.0, 3.0), direction=np.arange(8.0), lift=1024.0)
def test_lifting_all_alternatives_alike_moves_nothing_and_what_moves_sums_to_zero(subject, utility, direction, lift):
    values = smooth_part(subject, utility)
    np.testing.assert_array_equal(subject.rule.jacobian_product(values, np.full(values.size, lift)), 0)
    slack = ALGEBRA * size_of_jacobian(subject, values)
    assert abs(subject.rule.jacobian_product(values, direction[: values.size]).sum()) <= slack


@every_rule
@over_utilities()
@pytest.mark.parametrize("junk", [np.nan, INF, -INF, 1e300])
def test_the_unavailable_moves_nothing_and_is_not_moved(subject, utility, junk):
    values = smooth_part(subject, utility)
    gone = values == -INF
    direction = np.where(gone, junk, np.arange(values.size))
    product = subject.rule.jacobian_product(values, direction)
    assert np.all(product[gone] == 0)
    np.testing.assert_array_equal(product, subject.rule.jacobian_product(values, np.where(gone, 0.0, direction)))
    np.testing.assert_array_equal(
        product, subject.rule.jacobian_product(np.where(gone, junk, values), direction, availability=~gone)
    )


@every_rule
@over_utilities()
def test_a_single_available_alternative_cannot_be_moved(subject, utility):
    values = subject.fit(utility)
    best = int(np.argmax(values))
    alone = np.where(np.arange(values.size) == best, values, -INF)
    np.testing.assert_array_equal(subject.rule.jacobian_product(alone, np.linspace(0.1, 7, values.size)), 0)


@every_rule
def test_directions_and_utilities_broadcast(subject):
    n = subject.size
    values = np.random.default_rng(1).normal(size=(3, n))
    every = subject.rule.jacobian_product(values, np.eye(n)[:, None])
    assert every.shape == (n, 3, n)
    for place in range(n):
        for row in range(3):
            np.testing.assert_array_equal(
                every[place, row], subject.rule.jacobian_product(values[row], np.eye(n)[place])
            )
    assert subject.rule.jacobian_product(values[0], np.eye(n)).shape == (n, n)


@tempered
@over_exact_utilities()
@pytest.mark.parametrize("factor", [2.0**-1000, 0.125, 4.0, 2.0**900])
def test_the_jacobian_is_in_units_of_one_over_utility(subject, utility, factor):
    values = subject.fit(utility)
    direction = np.arange(values.size) - 2.5
    np.testing.assert_array_equal(
        subject.at(factor).jacobian_product(values * factor, direction),
        subject.rule.jacobian_product(values, direction) / factor,
    )


@over(lambda label, subject: subject.hard)
def test_there_is_no_derivative_where_maxima_are_tied(subject):
    n = subject.size
    values = np.where(np.arange(n) < max(n - 2, 2), 3.0, 1.0)
    product = subject.rule.jacobian_product(np.stack([values, np.arange(n)]), np.ones(n))
    np.testing.assert_array_equal(product[0], np.where(values == 3, np.nan, 0.0))
    np.testing.assert_array_equal(product[1], 0)


@every_rule
def test_directions_that_are_none_are_refused(subject):
    values = np.zeros((4, subject.size))
    for wrong in (np.nan, INF, -INF):
        direction = np.zeros((4, subject.size))
        direction[2, 1] = wrong
        with pytest.raises(InvalidInputError, match=rf"direction must be finite.*{wrong} at agent 2, alternative 1\b"):
            subject.rule.jacobian_product(values, direction)
    with pytest.raises(InvalidInputError, match="found nan at agent 0, alternative 0"):
        subject.rule.jacobian_product(np.full((4, subject.size), np.nan), np.zeros(subject.size))
    with pytest.raises(NoAvailableAlternativeError, match="agent 0"):
        subject.rule.jacobian_product(np.full((4, subject.size), -INF), np.zeros(subject.size))
    with pytest.raises(InvalidInputError, match="direction must be an array of real numbers"):
        subject.rule.jacobian_product(values, "up")
    for misfit in (np.zeros(subject.size + 1), np.zeros((3, subject.size))):
        with pytest.raises(ShapeError, match="direction must broadcast"):
            subject.rule.jacobian_product(values, misfit)
    with pytest.raises(ShapeError, match=f"direction must have 1 alternatives, found shape \\({subject.size},\\)"):
        subject.rule.jacobian_product([0.0], np.zeros(subject.size))


# ---------------------------------------------------------------- sums of Jacobians


def table_for(subject: Subject, seed: int, n: int = 70) -> tuple[np.ndarray, np.ndarray]:
    """Rows with ties, gaps of all sizes and unavailable alternatives; weights of which some are 0."""
    generator = np.random.default_rng(seed)
    values = generator.integers(-24, 24, (n, subject.size)) / 8 * generator.choice([1.0, 10.0], n)[:, None]
    values[generator.random(values.shape) < 0.2] = -INF
    values[np.arange(n), generator.integers(0, subject.size, n)] = 1.0
    return values, generator.gamma(1.0, size=n) * (generator.random(n) < 0.8)


def column_by_column(rule: RegularisedRule, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The sum as it is defined: of products in the direction of each alternative."""
    counted = weights != 0
    return np.array(
        [weights[counted] @ rule.jacobian_product(values, step)[counted] for step in np.eye(values.shape[1])]
    )


@every_rule
@few
@given(seed=st.integers(0, 2**32))
def test_the_sum_of_jacobians_is_that_of_the_products(subject, seed):
    values, weights = table_for(subject, seed)
    found = subject.rule.jacobian_sum(values, weights)
    slack = ALGEBRA * size_of_jacobian(subject, values) * max(weights.sum(), 1.0)
    np.testing.assert_allclose(found, column_by_column(subject.rule, values, weights), rtol=0, atol=slack)
    np.testing.assert_allclose(found, RegularisedRule._jacobian_sum(subject.rule, values, weights), rtol=0, atol=slack)
    if np.all(np.isfinite(found)):
        np.testing.assert_allclose(found, found.T, rtol=0, atol=slack)
        np.testing.assert_allclose(found.sum(axis=1), 0.0, rtol=0, atol=slack)
        assert np.linalg.eigvalsh(found).min() >= -subject.size * slack


@every_rule
def test_rows_without_weight_add_nothing_to_a_sum_and_gaps_need_no_numbers(subject):
    n = subject.size
    values, weights = np.array([np.arange(n) / 8, np.ones(n)]), np.array([2.0, 0.0])
    alone = 2 * subject.rule.jacobian_sum(values[0], 1.0)
    np.testing.assert_array_equal(subject.rule.jacobian_sum(values, weights), alone)
    if subject.hard:
        np.testing.assert_array_equal(alone, 0)
        assert np.all(np.isnan(subject.rule.jacobian_sum(values, 1.0)))
    available = np.arange(n) > 0
    np.testing.assert_array_equal(
        subject.rule.jacobian_sum(np.where(available, values, np.nan), weights, available),
        subject.rule.jacobian_sum(np.where(available, values, -INF), weights),
    )


@every_rule
def test_sums_take_rows_of_any_shape_and_weights_that_fit_them(subject):
    values = np.random.default_rng(3).normal(size=(3, 4, subject.size))
    weights = np.random.default_rng(4).random((3, 4))
    slack = ALGEBRA * size_of_jacobian(subject) * weights.size
    together = subject.rule.jacobian_sum(values, weights)
    flat = subject.rule.jacobian_sum(values.reshape(12, -1), weights.ravel())
    np.testing.assert_allclose(together, flat, rtol=0, atol=slack)
    with pytest.raises(ShapeError, match=r"weights must be one number or one a row: shape \(5,\) does not fit"):
        subject.rule.jacobian_sum(values, np.ones(5))
    with pytest.raises(InvalidInputError, match="weights must be finite, found nan at agent 1"):
        subject.rule.jacobian_sum(values[0], [1, np.nan, 1, 1])


@tempered
def test_a_sum_takes_one_temperature_a_row(subject):
    values, weights = table_for(subject, 5)
    temperatures = np.geomspace(0.1, 50, len(values))
    rules = [subject.at(float(temperature)) for temperature in temperatures]
    wanted = sum(rule.jacobian_sum(row, w) for rule, row, w in zip(rules, values, weights, strict=True))
    slack = ALGEBRA * weights.sum() / temperatures.min()
    found = subject.at(temperatures).jacobian_sum(values, weights)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=slack)
    mixed = np.where(np.arange(len(values)) % 2 == 0, temperatures, 0.0)
    values[1::2] = np.arange(subject.size)  # no ties: what takes the best does not answer
    halved = subject.at(temperatures).jacobian_sum(values, np.where(mixed > 0, weights, 0.0))
    np.testing.assert_allclose(subject.at(mixed).jacobian_sum(values, weights), halved, rtol=0, atol=slack)
    values[1], weights[1] = 0.0, 1.0
    assert np.all(np.isnan(subject.at(mixed).jacobian_sum(values, weights)))


@tempered
@pytest.mark.parametrize("factor", [2.0**-1000, 0.125, 4.0, 2.0**900])
def test_a_sum_of_jacobians_is_in_units_of_one_over_utility(subject, factor):
    values, weights = table_for(subject, 6)
    np.testing.assert_array_equal(
        subject.at(factor).jacobian_sum(values * factor, weights),
        subject.rule.jacobian_sum(values, weights) / factor,
    )


# ---------------------------------------------------------------- temperature


@tempered
@over_utilities()
def test_at_temperature_zero_it_is_the_argmax_with_ties_sharing(subject, utility):
    values = subject.fit(utility)
    best = values == values.max()
    frozen = subject.at(0)
    np.testing.assert_array_equal(frozen.probabilities(values), best / best.sum())
    assert frozen.value(values) == values.max()
    assert frozen.max_gap(values.size) == 0


@tempered_symmetric
@over_exact_utilities()
def test_the_limit_of_low_temperatures_is_temperature_zero(subject, utility):
    values = subject.fit(utility)
    for cold in (1e-3, TINY, 1e-300, 5e-324):
        np.testing.assert_allclose(
            subject.at(cold).probabilities(values), subject.at(0).probabilities(values), rtol=0, atol=ALGEBRA
        )
        gap = cold * np.log(values.size + 1)
        np.testing.assert_allclose(subject.at(cold).value(values), values.max(), rtol=ALGEBRA, atol=gap)


@tempered
@over_exact_utilities()
def test_at_high_temperatures_utilities_no_longer_matter(subject, utility):
    values = subject.fit(utility)
    indifferent = np.where(values == -INF, -INF, 0.0)
    for hot in (1e12, 1e300):
        np.testing.assert_allclose(
            subject.at(hot).probabilities(values), subject.at(1.0).probabilities(indifferent), rtol=0, atol=1e-9
        )


@tempered
@over_exact_utilities()
@pytest.mark.parametrize("factor", [2.0**-1000, 0.125, 4.0, 2.0**900])
def test_utilities_and_temperature_in_another_unit_give_the_same_choice(subject, utility, factor):
    values = subject.fit(utility)
    scaled = subject.at(factor)
    np.testing.assert_array_equal(scaled.probabilities(values * factor), subject.rule.probabilities(values))
    assert_utilities_close(scaled.value(values * factor), factor * subject.rule.value(values), values * factor, factor)


@tempered
def test_one_temperature_a_row_is_each_row_at_its_own_temperature(subject):
    temperatures = np.array([1.0, 0.0, 2.5, TINY, 1e6])
    values = np.random.default_rng(0).normal(size=(5, subject.size))
    values[1, 0] = values[1].max()
    values[:, -1] = -INF if subject.size > 1 else 0.0
    together = subject.at(temperatures)
    target = np.where(np.arange(subject.size) == 0, 1.0, 0.0)
    for row, temperature in enumerate(temperatures):
        alone = subject.at(float(temperature))
        p = alone.probabilities(values[row])
        np.testing.assert_array_equal(together.probabilities(values)[row], p)
        moved = together.jacobian_product(values, np.arange(subject.size))[row]
        np.testing.assert_array_equal(moved, alone.jacobian_product(values[row], np.arange(subject.size)))
        assert together.value(values)[row] == alone.value(values[row])
        assert together.conjugate(together.probabilities(values))[row] == alone.conjugate(p)
        assert together.max_gap(subject.size)[row] == alone.max_gap(subject.size)
        assert together.fenchel_young_loss(values, target)[row] == alone.fenchel_young_loss(values[row], target)


@tempered
def test_one_temperature_a_row_broadcasts_over_leading_axes(subject):
    temperatures = np.array([0.5, 0.0, 3.0])
    values = np.random.default_rng(1).normal(size=(4, 3, subject.size))
    p = subject.at(temperatures).probabilities(values)
    for row in range(3):
        expected = subject.at(float(temperatures[row])).probabilities(values[:, row])
        np.testing.assert_array_equal(p[:, row], expected)


@tempered
def test_temperatures_that_fit_no_row_are_a_shape_error(subject):
    with pytest.raises(ShapeError, match="one a row"):
        subject.at([1.0, 2.0, 3.0]).probabilities(np.zeros((2, subject.size)))
    with pytest.raises(ShapeError, match="one a row"):
        subject.at([1.0, 2.0]).value(np.zeros(subject.size))


@tempered
@pytest.mark.parametrize(
    "wrong", [-1.0, -1e-300, np.nan, INF, -INF, "warm", True, [1.0, -1.0], [1.0, np.nan], None, 1j]
)
def test_a_temperature_that_is_no_finite_number_from_zero_is_an_error(subject, wrong):
    with pytest.raises(InvalidInputError, match="temperature must be"):
        subject.at(wrong)


@tempered
@pytest.mark.parametrize("zero", [-0.0, [-0.0, -0.0], 0, np.float32(0)])
def test_every_zero_is_temperature_zero(subject, zero):
    values = np.array([np.arange(subject.size), np.zeros(subject.size)], dtype=float)
    expected = subject.at(0.0).probabilities(values)
    np.testing.assert_array_equal(subject.at(zero).probabilities(values), expected)


@tempered
@pytest.mark.parametrize("same", [2, np.int64(2), np.float32(2), np.array(2.0)])
def test_a_temperature_may_be_any_kind_of_number(subject, same):
    values = np.linspace(-1, 1, subject.size)
    np.testing.assert_array_equal(subject.at(same).probabilities(values), subject.at(2.0).probabilities(values))


@tempered
def test_the_rule_keeps_its_own_copy_of_the_temperatures(subject):
    temperatures = np.array([1.0, 2.0])
    rule = subject.at(temperatures)
    temperatures[:] = 7.0
    np.testing.assert_array_equal(rule.temperature, [1.0, 2.0])
    with pytest.raises(ValueError, match="read-only"):
        rule.temperature[0] = 3.0


# ---------------------------------------------------------------- conjugate and loss


@every_rule
@over_utilities()
def test_value_and_conjugate_meet_at_the_rules_own_probabilities(subject, utility):
    values = subject.fit(utility)
    p = subject.rule.probabilities(values)
    assert_utilities_close(
        subject.rule.value(values), inner(values, p) - subject.rule.conjugate(p), values, subject.temperature
    )


@every_rule
@over_utilities()
def test_the_value_is_at_least_what_any_distribution_achieves(subject, utility):
    values = subject.fit(utility)
    slack = ALGEBRA * size_of(values, subject.temperature)
    for seed in range(3):
        q = distribution(seed, values > -INF)
        assert subject.rule.value(values) >= inner(values, q) - subject.rule.conjugate(q) - slack


@every_rule
def test_the_conjugate_runs_from_minus_the_largest_gap_to_zero_at_certainty(subject):
    for n in subject.sizes:
        np.testing.assert_array_equal(subject.rule.conjugate(np.eye(n)), np.zeros(n))
        flat = subject.rule.probabilities(np.zeros(n))
        assert_utilities_close(subject.rule.conjugate(flat), -subject.rule.max_gap(n), 0.0, subject.temperature or 1.0)


@every_rule
@over_utilities()
def test_the_loss_is_never_negative(subject, utility):
    values = subject.fit(utility)
    for seed in range(3):
        assert subject.rule.fenchel_young_loss(values, distribution(seed, values > -INF)) >= 0


@every_rule
@over_utilities()
def test_the_loss_is_zero_at_the_rules_own_probabilities(subject, utility):
    values = subject.fit(utility)
    loss = subject.rule.fenchel_young_loss(values, subject.rule.probabilities(values))
    assert 0 <= loss <= ALGEBRA * max(subject.temperature, size_of(values - values.max()))


@every_rule
@over_exact_utilities()
def test_the_loss_is_zero_only_in_the_subdifferential_of_the_value(subject, utility):
    values = subject.fit(utility)
    p = subject.rule.probabilities(values)
    best = values == values.max()
    for seed in range(4):
        q = distribution(seed, values > -INF)
        loss = float(subject.rule.fenchel_young_loss(values, q))
        if subject.hard:
            assert (loss > 1e-9) == (q[~best].sum() > 1e-9)
            assert subject.rule.fenchel_young_loss(values, distribution(seed, best)) <= ALGEBRA
        elif np.abs(q - p).sum() > 0.1:
            assert loss > 1e-6 * subject.temperature


@every_rule
@over_utilities()
def test_the_loss_is_value_plus_conjugate_minus_the_inner_product(subject, utility):
    values = subject.fit(utility)
    q = distribution(7, values > -INF)
    expected = subject.rule.value(values) + subject.rule.conjugate(q) - inner(values, q)
    assert_utilities_close(subject.rule.fenchel_young_loss(values, q), expected, values, subject.temperature)


@every_rule
@over_utilities()
def test_the_loss_is_infinite_for_mass_on_the_unavailable(subject, utility):
    values = np.append(subject.fit(utility), -INF)[-subject.size :]
    if not np.any(values > -INF):
        return
    target = np.zeros(values.size)
    target[-1], target[np.argmax(values)] = 1e-6, 1 - 1e-6
    if len(values) in subject.sizes:
        assert subject.rule.fenchel_young_loss(values, target) == INF


@every_rule
def test_the_loss_broadcasts_utilities_and_targets(subject):
    values = np.linspace(-1, 1, subject.size)
    targets = np.eye(subject.size)
    losses = subject.rule.fenchel_young_loss(values, targets)
    assert losses.shape == (subject.size,)
    for row in range(subject.size):
        assert losses[row] == subject.rule.fenchel_young_loss(values, targets[row])


@every_rule
@pytest.mark.parametrize("fault", ["sum", "negative", "nan", "infinite", "short", "text"])
def test_a_target_that_is_no_distribution_is_an_error(subject, fault):
    n = subject.size
    target = np.full(n, 1 / n).astype(object if fault == "text" else float)
    target[0], target[-1] = {
        "sum": (target[0] + 1e-6, target[-1]),
        "negative": (1.5, -0.5),
        "nan": (np.nan, 0.0),
        "infinite": (INF, -INF),
        "short": (0.0, 0.0),
        "text": ("most", 0.0),
    }[fault]
    for question in (subject.rule.conjugate, lambda q: subject.rule.fenchel_young_loss(np.zeros(n), q)):
        with pytest.raises(InvalidInputError):
            question(target)


@every_rule
def test_targets_that_fit_no_utilities_are_a_shape_error(subject):
    n = subject.size
    target = np.full((3, n), 1 / n)
    with pytest.raises(ShapeError, match=r"\(2, \d+\)"):
        subject.rule.fenchel_young_loss(np.zeros((2, n)), target)


# ---------------------------------------------------------------- shapes


@every_rule
def test_leading_axes_are_many_single_rows(subject):
    values = np.random.default_rng(2).normal(size=(2, 3, subject.size))
    p, value = subject.rule.probabilities(values), subject.rule.value(values)
    assert p.shape == (2, 3, subject.size)
    assert value.shape == (2, 3)
    for place in np.ndindex(2, 3):
        assert_probabilities_close(p[place], subject.rule.probabilities(values[place]))
        assert_utilities_close(value[place], subject.rule.value(values[place]), values, subject.temperature)


@every_rule
def test_a_single_row_has_a_number_for_a_value(subject):
    for n in subject.sizes:
        for answer in (
            subject.rule.value(np.zeros(n)),
            subject.rule.conjugate(np.eye(n)[0]),
            subject.rule.fenchel_young_loss(np.zeros(n), np.eye(n)[0]),
            subject.rule.max_gap(n),
        ):
            assert np.shape(answer) == ()
            assert isinstance(float(answer), float)


@every_rule
def test_no_rows_give_no_answers(subject):
    assert subject.rule.probabilities(np.zeros((0, subject.size))).shape == (0, subject.size)
    assert subject.rule.value(np.zeros((0, subject.size))).shape == (0,)


@every_rule
def test_availability_of_alternatives_broadcasts_to_all_rows(subject):
    values = np.random.default_rng(3).normal(size=(4, subject.size))
    available = np.arange(subject.size) != 1
    table = np.broadcast_to(available, values.shape)
    np.testing.assert_array_equal(
        subject.rule.probabilities(values, available), subject.rule.probabilities(values, table)
    )
    np.testing.assert_array_equal(subject.rule.value(values, available), subject.rule.value(values, table))


@every_rule
def test_one_row_of_utilities_broadcasts_to_many_rows_of_availability(subject):
    n = subject.size
    values, table = np.linspace(0, 1, n), np.eye(n, dtype=bool)
    np.testing.assert_array_equal(subject.rule.probabilities(values, table), np.eye(n))
    np.testing.assert_array_equal(subject.rule.value(values, table), values)


@every_rule
@pytest.mark.parametrize("kind", [list, np.float32, np.int64, np.int8, np.float16, tuple])
def test_utilities_of_any_real_type_are_computed_in_float64(subject, kind):
    whole = np.arange(subject.size) % 3
    given_ = kind(whole.tolist()) if kind in (list, tuple) else whole.astype(kind)
    p = subject.rule.probabilities(given_)
    assert p.dtype == np.float64
    np.testing.assert_array_equal(p, subject.rule.probabilities(whole.astype(np.float64)))
    assert np.asarray(subject.rule.value(given_)).dtype == np.float64


@every_rule
def test_availability_may_be_ones_and_zeros(subject):
    available = np.arange(subject.size) % 2 == 0
    expected = subject.rule.probabilities(np.zeros(subject.size), available)
    for same in (available.astype(int), available.astype(float), available.tolist()):
        np.testing.assert_array_equal(subject.rule.probabilities(np.zeros(subject.size), same), expected)


@every_rule
def test_inputs_are_never_modified_and_may_be_read_only_or_broadcast(subject):
    n = subject.size
    row = np.linspace(-2, 3, n)
    row[-1] = -INF if n > 1 else 0.0
    values, target = np.broadcast_to(row, (3, n)), np.broadcast_to(np.eye(n)[0], (3, n))
    available = np.broadcast_to(np.arange(n) != 1, (3, n))
    assert not values.flags.writeable
    own = [np.array(array) for array in (values, target, available)]
    for array in own:
        array.setflags(write=False)
    for u, y, a in ((values, target, available), own, [np.array(array) for array in own]):
        before = u.tobytes(), y.tobytes(), a.tobytes()
        subject.rule.probabilities(u, a)
        subject.rule.value(u, a)
        subject.rule.conjugate(y)
        subject.rule.fenchel_young_loss(u, y)
        subject.rule.jacobian_product(u, y, a)
        assert (u.tobytes(), y.tobytes(), a.tobytes()) == before


@every_rule
def test_answers_are_fresh_arrays(subject):
    values = np.zeros((2, subject.size))
    p = subject.rule.probabilities(values)
    p[:] = 7.0
    assert_distribution(subject.rule.probabilities(values))
    assert np.all(values == 0)


@every_rule
@over_utilities()
def test_nothing_warns_whatever_the_spread(subject, utility):
    values = subject.fit(utility)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = subject.rule.probabilities(values)
        assert np.isfinite(subject.rule.value(values))
        assert np.isfinite(subject.rule.conjugate(p))
        assert subject.rule.fenchel_young_loss(values, p) >= 0


@every_rule
def test_the_largest_spread_a_float_holds_is_no_trouble(subject):
    values = np.resize([-1.7e308, 1.7e308], subject.size) if subject.size > 1 else np.array([1.7e308])
    best = values == values.max()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_distribution(subject.rule.probabilities(values))
        assert np.all(subject.rule.probabilities(values)[~best] == 0)
        assert subject.rule.value(values) == 1.7e308
        loss = subject.rule.fenchel_young_loss(values, np.eye(subject.size)[int(np.argmin(values))])
        assert loss == (INF if subject.size > 1 else 0.0)  # 3.4e308 is more than a float holds


# ---------------------------------------------------------------- errors


@every_rule
@pytest.mark.parametrize("wrong", [np.nan, INF])
@pytest.mark.parametrize("question", ["probabilities", "value"])
def test_a_utility_that_is_no_number_below_infinity_names_agent_and_alternative(subject, wrong, question):
    values = np.zeros((4, subject.size))
    values[2, subject.size - 1] = wrong
    where = rf"found {wrong} at agent 2, alternative {subject.size - 1}\b"
    with pytest.raises(InvalidInputError, match=where):
        getattr(subject.rule, question)(values)
    with pytest.raises(InvalidInputError, match=rf"found {wrong} at alternative {subject.size - 1}\b"):
        getattr(subject.rule, question)(values[2])
    with pytest.raises(InvalidInputError, match=where):
        subject.rule.fenchel_young_loss(values, np.eye(subject.size)[0])


@every_rule
@pytest.mark.parametrize("question", ["probabilities", "value"])
def test_a_row_with_nothing_available_names_the_agent(subject, question):
    values = np.zeros((4, subject.size))
    available = np.ones((4, subject.size), dtype=bool)
    available[3] = False
    with pytest.raises(NoAvailableAlternativeError, match=r"agent 3\b"):
        getattr(subject.rule, question)(values, available)
    with pytest.raises(NoAvailableAlternativeError, match=r"agent 3\b"):
        getattr(subject.rule, question)(np.where(available, values, -INF))
    with pytest.raises(NoAvailableAlternativeError, match=r"agent \(1, 0\)"):
        getattr(subject.rule, question)(np.where(available, values, -INF).reshape(2, 2, -1)[:, ::-1])
    with pytest.raises(NoAvailableAlternativeError, match="only row"):
        getattr(subject.rule, question)(np.full(subject.size, -INF))


@every_rule
@pytest.mark.parametrize("question", ["probabilities", "value"])
def test_shapes_without_alternatives_or_that_do_not_fit_are_shape_errors(subject, question):
    ask = getattr(subject.rule, question)
    n = subject.size
    for wrong in (3.0, np.zeros(0), np.zeros((2, 0))):
        with pytest.raises(ShapeError, match="at least one alternative"):
            ask(wrong)
    for wrong in (np.ones(n + 2, dtype=bool), np.ones((3, n), dtype=bool)):
        with pytest.raises(ShapeError, match=rf"\(2, {n}\)"):
            ask(np.zeros((2, n)), wrong)


@every_rule
@pytest.mark.parametrize("wrong", ["text", [[1.0], [1.0, 2.0]], [None, "a"], [1.0, 1j], [10**400, 1]])
def test_utilities_that_are_no_real_numbers_are_invalid_input(subject, wrong):
    with pytest.raises(InvalidInputError):
        subject.rule.probabilities(wrong)


@every_rule
@pytest.mark.parametrize("wrong", [2, -1, 0.5, np.nan, "yes", None])
def test_availability_other_than_yes_or_no_is_invalid_input(subject, wrong):
    available = np.ones(subject.size, dtype=object).tolist()
    available[0] = wrong
    with pytest.raises(InvalidInputError, match="availability must be True or False"):
        subject.rule.probabilities(np.zeros(subject.size), available)


# ---------------------------------------------------------------- coherent draws


def coherent(subject: Subject, values: np.ndarray, replications: range, *, n: int, names: Any = None) -> np.ndarray:
    draws = Draws(
        seed=20240229,
        stage=Stage.CHOICE,
        rows=row_words(np.arange(n)),
        alternatives=alternative_words(range(values.size) if names is None else names),
    )
    return subject.rule.coherent_choices(np.broadcast_to(values, (n, values.size)), draws, replications)


@every_rule
def test_coherent_choices_follow_the_probabilities_or_are_refused(subject):
    values = np.log1p(np.arange(subject.size)) + (np.arange(subject.size) == 1) * 0.5
    if subject.size > 4:
        values[2], values[3] = -INF, values.max()
    if not subject.rule.supports_coherent:
        with pytest.raises(InvalidInputError, match="no additive-noise law"):
            coherent(subject, values, range(1), n=3)
        return
    chosen = coherent(subject, values, range(2), n=40_000)
    assert chosen.shape == (2, 40_000)
    assert chosen.dtype == np.int64
    for replication in chosen:
        count = np.bincount(replication, minlength=values.size)
        assert_counts_follow(count, 40_000 * subject.rule.probabilities(values))


@every_coherent_rule
def test_improving_one_alternative_moves_coherent_agents_only_to_it(subject):
    values = np.arange(subject.size) % 3 / 4.0
    before = coherent(subject, values, range(3), n=2_000)
    for place in range(subject.size):
        after = coherent(subject, values + 0.5 * (np.arange(subject.size) == place), range(3), n=2_000)
        assert np.all((after == before) | (after == place))
        if subject.size > 1:
            assert np.any(after != before)


@over(lambda label, subject: subject.symmetric and subject.rule.supports_coherent)
def test_coherent_choices_do_not_depend_on_the_order_of_alternatives(subject):
    values = np.arange(subject.size) % 3 / 4.0
    order = np.roll(np.arange(subject.size)[::-1], 1)
    before = coherent(subject, values, range(2), n=2_000)
    after = coherent(subject, values[order], range(2), n=2_000, names=order)
    np.testing.assert_array_equal(order[after], before)


@every_coherent_rule
def test_coherent_choices_of_a_replication_do_not_depend_on_which_others_are_asked_for(subject):
    values = np.zeros(subject.size)
    whole = coherent(subject, values, range(7), n=50)
    for start in range(7):
        for stop in range(start + 1, 8):
            part = coherent(subject, values, range(start, stop), n=50)
            np.testing.assert_array_equal(part, whole[start:stop])


@every_coherent_rule
def test_coherent_choices_refuse_draws_of_another_stage(subject):
    draws = Draws(seed=1, stage=Stage.INVERSE, rows=row_words([0]), alternatives=alternative_words(range(subject.size)))
    with pytest.raises(InvalidInputError, match="stage CHOICE"):
        subject.rule.coherent_choices(np.zeros((1, subject.size)), draws, range(1))
