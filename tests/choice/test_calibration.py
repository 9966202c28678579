"""Calibration: constants at which expected shares meet given ones."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from choicekit.choice.calibration import Calibration, calibrate_constants
from choicekit.choice.calibration.crowd import Crowd, Response
from choicekit.choice.calibration.newton import meet_shares
from choicekit.choice.model import ChoiceModel
from choicekit.choice.population import Population
from choicekit.choice.segments import Segmentation, segment_by_edges
from choicekit.choice.simulation import simulate_choices
from choicekit.errors import (
    ConvergenceError,
    DataError,
    InvalidInputError,
    NoAvailableAlternativeError,
    ShapeError,
    UnreachableShareError,
)
from choicekit.execution import BLOCK_SIZE
from choicekit.rules import Hardmax, Softmax
from tests.tolerances import SOLVER, assert_within_solver_tolerance

TOLERANCE = 1e-12
NAMES = ("air", "train", "bus", "car")
CHOSEN = {"air": 58, "train": 63, "bus": 30, "car": 59}
CONSTANTS = {"asc_air": 5.207443298666676, "asc_train": 3.869042701532173, "asc_bus": 3.1631942118672187}
OTHERS = {"b_cost": -0.01550152531610885, "b_wait": -0.09612479610477753, "b_income_air": 0.013287026250603224}


def travel_mode() -> Population:
    table = Path(__file__).parents[2] / "scenarios" / "data" / "travel_mode.csv"
    return Population.from_csv(
        table,
        separator=";",
        layout="long",
        agent="individual",
        alternative="mode",
        chosen="choice",
        alternatives=dict(zip("1234", NAMES, strict=True)),
    )


def travel_model(constants: dict[str, float] | None = None, temperature: float = 1.0) -> ChoiceModel:
    shared = "b_cost * gc + b_wait * ttme"
    return ChoiceModel(
        {
            "air": f"asc_air + {shared} + b_income_air * hinc",
            "train": f"asc_train + {shared}",
            "bus": f"asc_bus + {shared}",
            "car": shared,
        },
        {**(constants or CONSTANTS), **OTHERS},
        rule=Softmax(temperature),
    )


def crowd(n: int, j: int, seed: int, **more) -> tuple[ChoiceModel, Population]:
    """People who differ, each alternative with a constant but the last; the first two rows have everything."""
    generator = np.random.default_rng(seed)
    names = tuple(f"a{place}" for place in range(j))
    available = generator.random((n, j)) < 0.7
    available[:2] = True
    available[np.arange(n), generator.integers(0, j, n)] = True
    weights = generator.gamma(1.0, size=n)
    weights[2:][generator.random(n - 2) < 0.2] = 0.0
    people = Population(
        agents=np.arange(n),
        alternatives=names,
        columns={"x": generator.normal(scale=2, size=(n, j))},
        weights=weights,
        availability=available,
    )
    utilities = {name: f"c_{name} + x" for name in names[:-1]} | {names[-1]: "x"}
    return ChoiceModel(utilities, {f"c_{name}": 0.0 for name in names[:-1]}, **more), people


def expected(result: Calibration) -> np.ndarray:
    """Shares that a simulation of the calibrated model expects."""
    outcome = simulate_choices(result.model, result.population, seed=1, replications=1)
    return outcome.expected_shares.to_numpy()


# ---------------------------------------------------------------- known answers


@pytest.mark.parametrize("temperature", [1.0, 0.25, 40.0])
def test_identical_agents_have_constants_of_log_share_ratios(temperature):
    people = Population(agents=np.arange(5))
    model = ChoiceModel({"a": "c_a", "b": "c_b", "c": "0"}, {"c_a": 3.0, "c_b": -1.0}, rule=Softmax(temperature))
    result = calibrate_constants(model, people, {"a": 20, "b": 50, "c": 30})
    assert result.constants == pytest.approx(
        {"c_a": temperature * math.log(2 / 3), "c_b": temperature * math.log(5 / 3)}, rel=1e-10
    )
    assert result.model.coefficients == result.constants
    assert result.reference == "c"
    np.testing.assert_allclose(expected(result), [0.2, 0.5, 0.3], rtol=0, atol=SOLVER * TOLERANCE)


def test_travel_mode_from_zero():
    people, zero = travel_mode(), dict.fromkeys(CONSTANTS, 0.0)
    result = calibrate_constants(travel_model(zero), people, CHOSEN)
    assert result.converged
    assert result.status == "converged"
    assert result.n_iterations <= 10
    np.testing.assert_allclose(expected(result), np.array(list(CHOSEN.values())) / 210, rtol=0, atol=1e-10)
    assert result.constants == pytest.approx(CONSTANTS, abs=1e-8)
    assert {name: result.model.coefficients[name] for name in OTHERS} == OTHERS
    assert result.population is people


starts = [
    (50, 50, 50), (-50, -50, -50), (50, -50, 0), (-50, 50, 50), (0, 0, 50), (0, 0, -50), (700, -700, 0), (-5e3, 0, 5e3)
]  # fmt: skip


@pytest.mark.parametrize("start", starts)
def test_the_start_does_not_matter(start):
    result = calibrate_constants(travel_model(dict(zip(CONSTANTS, start, strict=True))), travel_mode(), CHOSEN)
    assert result.constants == pytest.approx(CONSTANTS, abs=1e-8)
    assert result.n_iterations <= 15


def test_a_model_that_meets_the_shares_is_left_as_it_is():
    result = calibrate_constants(travel_model(), travel_mode(), CHOSEN, tolerance=1e-8)
    assert result.n_iterations == 0
    assert result.constants == CONSTANTS
    assert len(result.history) == 1


@pytest.mark.parametrize("temperature", [0.001, 0.01, 100.0, 1e6])
def test_temperatures_far_from_the_scale_of_utilities(temperature):
    result = calibrate_constants(travel_model(temperature=temperature), travel_mode(), CHOSEN)
    np.testing.assert_allclose(expected(result), np.array(list(CHOSEN.values())) / 210, rtol=0, atol=1e-10)


def test_rows_may_have_temperatures_of_their_own():
    temperature = np.geomspace(0.01, 100, 210)
    result = calibrate_constants(replace(travel_model(), rule=Softmax(temperature)), travel_mode(), CHOSEN)
    np.testing.assert_allclose(expected(result), np.array(list(CHOSEN.values())) / 210, rtol=0, atol=1e-10)


# ---------------------------------------------------------------- laws


@given(
    n=st.integers(3, 30),
    j=st.integers(2, 6),
    seed=st.integers(0, 2**32),
    temperature=st.sampled_from([0.1, 0.5, 1.0, 3.0, 20.0]),
    start=st.integers(-20, 20),
)
@example(n=30, j=6, seed=0, temperature=0.02, start=20)
def test_shares_that_some_constants_give_are_met_from_anywhere(n, j, seed, temperature, start):
    model, people = crowd(n, j, seed, rule=Softmax(temperature))
    wanted = np.random.default_rng(seed).uniform(-2, 2, j - 1)
    truth = model.with_coefficients(dict(zip(model.coefficients, wanted, strict=True)))
    shares = simulate_choices(truth, people, seed=1, replications=1).expected_shares
    away = {name: start * (-1) ** place for place, name in enumerate(model.coefficients)}
    if shares.min() < 1e-6:
        return  # constants of alternatives that nobody takes are not to be told from their shares
    result = calibrate_constants(model.with_coefficients(away), people, shares.to_dict())
    assert_within_solver_tolerance(expected(result) - shares.to_numpy(), TOLERANCE)
    assert np.all(np.array(list(result.constants.values())) == [result.model.coefficients[c] for c in result.constants])


@pytest.mark.parametrize("seed", [2, 3, 56, 135, 152, 190, 195, 215, 221, 1140])
def test_temperatures_may_be_low_beside_the_differences_of_utilities(seed):
    # found by trying 1,500 such: plain Newton fails where the function is all edges, or where its value, the
    # difference of two large numbers, is no longer precise enough to tell two points apart
    generator = np.random.default_rng(seed)
    j, n, temperature = int(generator.integers(2, 7)), int(generator.integers(2, 40)), 10 ** generator.uniform(-2, 1.5)
    x = generator.normal(scale=10 ** generator.uniform(-1, 2), size=(n, j))
    available = generator.random((n, j)) < 0.6
    available[0] = True
    available[np.arange(n), generator.integers(0, j, n)] = True
    split = np.where(available, generator.dirichlet(np.full(j, 0.3), n) + 1e-3, 0)
    share = (split / split.sum(axis=1, keepdims=True)).mean(axis=0)
    names = [f"a{place}" for place in range(j)]
    people = Population(agents=np.arange(n), alternatives=names, columns={"x": x}, availability=available)
    start = {f"c_{name}": float(generator.normal() * 20) for name in names}
    model = ChoiceModel({name: f"c_{name} + x" for name in names}, start, rule=Softmax(temperature))
    result = calibrate_constants(model, people, dict(zip(names, share, strict=True)))
    np.testing.assert_allclose(expected(result), share, rtol=0, atol=SOLVER * TOLERANCE)


@given(seed=st.integers(0, 2**32), j=st.integers(3, 6))
def test_some_shares_move_only_their_own_constants(seed, j):
    model, people = crowd(20, j, seed)
    truth = model.with_coefficients({"c_a0": 0.7, "c_a1": -1.0})
    shares = simulate_choices(truth, people, seed=1, replications=1).expected_shares
    result = calibrate_constants(model, people, {name: shares[name] for name in ("a0", "a1")})
    assert result.constants.keys() == {"c_a0", "c_a1"}
    assert result.reference is None
    assert result.constants == pytest.approx({"c_a0": 0.7, "c_a1": -1.0}, abs=1e-7)
    assert_within_solver_tolerance(result.shares[["a0", "a1"]] - shares[["a0", "a1"]], TOLERANCE)
    assert result.target.isna().tolist() == [False, False] + [True] * (j - 2)


@given(seed=st.integers(0, 2**32), constant=st.sampled_from([0.0, 50.0, -50.0]))
def test_the_share_of_one_alternative(seed, constant):
    people = Population(agents=np.arange(10), columns={"x": np.random.default_rng(seed).normal(size=10)})
    model = ChoiceModel({"a": "c", "b": "x", "c": "0.5 - x"}, {"c": constant})
    result = calibrate_constants(model, people, {"a": 0.9})
    assert expected(result)[0] == pytest.approx(0.9, abs=SOLVER * TOLERANCE)


def test_whole_totals_and_fractions_are_the_same():
    by_count = calibrate_constants(travel_model(), travel_mode(), CHOSEN)
    for factor in (1 / 210, 1e-300, 1e300):
        scaled = {name: factor * number for name, number in CHOSEN.items()}
        again = calibrate_constants(travel_model(), travel_mode(), scaled)
        assert again.constants == pytest.approx(dict(by_count.constants), abs=1e-9)
    shuffled = dict(reversed(CHOSEN.items()))
    assert calibrate_constants(travel_model(), travel_mode(), shuffled).constants == by_count.constants


def test_workers_and_blocks_change_nothing():
    n = 2 * BLOCK_SIZE + 17
    model, people = crowd(n, 3, 5)
    shares = {"a0": 2, "a1": 3, "a2": 4}
    one = calibrate_constants(model, people, shares, workers=1)
    three = calibrate_constants(model, people, shares, workers=3)
    assert one.constants == three.constants
    assert one.history == three.history
    np.testing.assert_allclose(expected(one), [2 / 9, 3 / 9, 4 / 9], rtol=0, atol=SOLVER * TOLERANCE)


def test_weights_count():
    people = Population(agents=np.arange(2), columns={"x": [0.0, 1.0]}, weights=[3.0, 0.0])
    result = calibrate_constants(ChoiceModel({"a": "c + 9 * x", "b": "0"}, {"c": 0.0}), people, {"a": 0.8})
    assert result.constants["c"] == pytest.approx(math.log(4), rel=1e-9)


# ---------------------------------------------------------------- nothing available


def some_without(choice: str) -> tuple[ChoiceModel, Population]:
    available = np.array([[True, True], [True, True], [False, False], [True, True]])
    people = Population(agents=np.arange(4), alternatives=("a", "b"), availability=available)
    return ChoiceModel({"a": "c", "b": "0"}, {"c": 0.0}, on_no_alternative=choice), people


def test_temperatures_stay_with_their_rows_where_some_are_left_out():
    model, people = some_without("skip")
    result = calibrate_constants(replace(model, rule=Softmax([1.0, 2.0, 9.0, 0.5])), people, {"a": 0.6})
    assert expected(result)[0] == pytest.approx(0.6, abs=SOLVER * TOLERANCE)


def test_rows_with_nothing_available_are_left_out():
    result = calibrate_constants(*some_without("skip"), {"a": 0.6})
    assert result.constants["c"] == pytest.approx(math.log(1.5), rel=1e-9)
    np.testing.assert_allclose(expected(result), [0.6, 0.4], rtol=0, atol=SOLVER * TOLERANCE)


def test_shares_of_some_are_of_all_rows_where_the_rest_stays_outside():
    result = calibrate_constants(*some_without("outside"), {"a": 0.6})
    np.testing.assert_allclose(expected(result), [0.6, 0.15, 0.25], rtol=0, atol=SOLVER * TOLERANCE)
    np.testing.assert_allclose(result.shares, [0.6, 0.15, 0.25], rtol=0, atol=SOLVER * TOLERANCE)
    assert result.shares.index.tolist() == ["a", "b", "outside_option"]


def test_totals_are_shared_out_among_those_who_are_not_outside():
    result = calibrate_constants(*some_without("outside"), {"a": 30, "b": 10})
    np.testing.assert_allclose(expected(result), [0.5625, 0.1875, 0.25], rtol=0, atol=SOLVER * TOLERANCE)
    np.testing.assert_allclose(result.target, [0.5625, 0.1875, np.nan], rtol=1e-15)
    with pytest.raises(UnreachableShareError, match=r"share 0\.76 of 'a' cannot be reached.*to 0\.75 of the weight"):
        calibrate_constants(*some_without("outside"), {"a": 0.76})
    with pytest.raises(InvalidInputError, match="'outside_option' has no utility"):
        calibrate_constants(*some_without("outside"), {"a": 0.5, "outside_option": 0.25})


def test_where_it_matters_nothing_available_is_an_error():
    with pytest.raises(NoAvailableAlternativeError, match="agent 2 has nothing available"):
        calibrate_constants(*some_without("error"), {"a": 0.6})


def test_nobody_at_all():
    model, people = some_without("skip")
    alone = replace(people, weights=[0.0, 0.0, 1.0, 0.0])
    with pytest.raises(InvalidInputError, match="nobody with a weight above 0 has anything to choose"):
        calibrate_constants(model, alone, {"a": 0.6})


# ---------------------------------------------------------------- which constants


def test_where_each_has_a_constant_that_of_the_last_stays():
    people = Population(agents=np.arange(3))
    model = ChoiceModel({"a": "c_a", "b": "c_b"}, {"c_a": 1.0, "c_b": 2.0})
    result = calibrate_constants(model, people, {"a": 1, "b": 3})
    assert result.reference == "b"
    assert result.constants == pytest.approx({"c_a": 2 - math.log(3)}, rel=1e-9)
    assert result.model.coefficients["c_b"] == 2.0


def test_the_reference_may_be_any_alternative():
    people = Population(agents=np.arange(3))
    model = ChoiceModel({"a": "0", "b": "c_b"}, {"c_b": 2.0})
    assert calibrate_constants(model, people, {"a": 1, "b": 3}).constants == pytest.approx({"c_b": math.log(3)})
    chosen = ChoiceModel({"a": "c_a", "b": "c_b"}, {"c_a": 1.0, "c_b": 2.0})
    result = calibrate_constants(chosen, people, {"a": 1, "b": 3}, constants={"b": "c_b"})
    assert (result.reference, set(result.constants)) == ("a", {"c_b"})


def test_two_without_a_constant_are_named_with_a_way_out():
    model = ChoiceModel({"a": "c_a", "b": "0", "c": "1"}, {"c_a": 1.0})
    with pytest.raises(InvalidInputError, match=r"missing in the utilities of 'b', 'c'.*constants: \{b: asc\}"):
        calibrate_constants(model, Population(agents=[1]), {"a": 1, "b": 1, "c": 1})
    with pytest.raises(InvalidInputError, match="missing in the utilities of 'b'"):
        calibrate_constants(model, Population(agents=[1]), {"a": 0.2, "b": 0.2})


@pytest.mark.parametrize(
    "utilities",
    [
        {"a": "k + x", "b": "k"},  # shared
        {"a": "2 * k", "b": "0"},  # not a term of its own
        {"a": "k + k * x", "b": "0"},  # used twice
        {"a": "-k", "b": "0"},
    ],
)
def test_a_coefficient_that_moves_something_else_is_no_constant(utilities):
    people = Population(agents=[1, 2], columns={"x": [0.0, 1.0]})
    model = ChoiceModel(utilities, {"k": 1.0})
    with pytest.raises(InvalidInputError, match="a constant of its own is missing"):
        calibrate_constants(model, people, {"a": 0.2})
    with pytest.raises(InvalidInputError, match="constant 'k' must be a term of its own in the utility of 'a'"):
        calibrate_constants(model, people, {"a": 0.2}, constants={"a": "k"})


def test_a_coefficient_that_decides_on_availability_is_no_constant():
    model = ChoiceModel({"a": "k", "b": "0"}, {"k": 1.0}, availability={"b": "k > 0"})
    with pytest.raises(InvalidInputError, match="a constant of its own is missing"):
        calibrate_constants(model, Population(agents=[1]), {"a": 0.2})


def test_of_two_candidates_one_must_be_named():
    model = ChoiceModel({"a": "k + l", "b": "0"}, {"k": 1.0, "l": 1.0})
    with pytest.raises(InvalidInputError, match=r"'a' has 2 constants, k, l: .*constants: \{a: k\}"):
        calibrate_constants(model, Population(agents=[1]), {"a": 0.5})
    result = calibrate_constants(model, Population(agents=[1]), {"a": 0.5}, constants={"a": "l"})
    assert result.constants == pytest.approx({"l": -1.0})


def test_constants_that_are_none_are_named():
    model, people = ChoiceModel({"a": "k", "b": "m"}, {"k": 1.0, "m": 0.0}), Population(agents=[1])
    with pytest.raises(InvalidInputError, match="found 'k' for 'a' and 'b'"):
        calibrate_constants(model, people, {"a": 1, "b": 1}, constants={"a": "k", "b": "k"})
    with pytest.raises(InvalidInputError, match="constants names an unknown 'kk', did you mean 'k'"):
        calibrate_constants(model, people, {"a": 0.5}, constants={"a": "kk"})
    with pytest.raises(InvalidInputError, match="constants names an unknown 'z', there are a, b"):
        calibrate_constants(model, people, {"a": 0.5}, constants={"z": "k"})


def test_one_formula_for_all_has_no_constants():
    people = Population(agents=[1], alternatives=("a", "b"), columns={"x": [[0.0, 1.0]]})
    with pytest.raises(InvalidInputError, match="a constant of its own is missing in the utilities of 'a', 'b'"):
        calibrate_constants(ChoiceModel("k + x", {"k": 0.0}), people, {"a": 1, "b": 1})


# ---------------------------------------------------------------- shares that are none


@pytest.mark.parametrize("wrong", [0, -0.2, math.nan, math.inf, "many", None, True, 10**400])
def test_a_share_that_is_no_number_above_zero_names_its_alternative(wrong):
    with pytest.raises(UnreachableShareError, match="share of 'bus' must be a number above 0") as caught:
        calibrate_constants(travel_model(), travel_mode(), {**CHOSEN, "bus": wrong})
    assert caught.value.alternative == "bus"


@pytest.mark.parametrize("shares", [{}, None, 3, "air"])
def test_shares_must_be_a_mapping(shares):
    with pytest.raises(InvalidInputError, match="shares must be numbers by alternative"):
        calibrate_constants(travel_model(), travel_mode(), shares)


def test_an_unknown_alternative_gets_a_suggestion():
    with pytest.raises(InvalidInputError, match="shares names an unknown 'trian', did you mean 'train'"):
        calibrate_constants(travel_model(), travel_mode(), {"trian": 0.3})


@pytest.mark.parametrize("shares", [{"air": 58, "bus": 30}, {"air": 0.5, "bus": 0.5}, {"air": 1.0}])
def test_some_shares_must_leave_something_for_the_others(shares):
    with pytest.raises(InvalidInputError, match=r"sum to less than 1.*leave something for 'train'"):
        calibrate_constants(travel_model(), travel_mode(), shares)


def test_one_alternative_alone_has_nothing_to_calibrate():
    with pytest.raises(InvalidInputError, match="at least two alternatives, found 'a' alone"):
        calibrate_constants(ChoiceModel({"a": "c"}, {"c": 0.0}), Population(agents=[1]), {"a": 1})


@pytest.mark.parametrize("rule", [Hardmax(), Softmax(0.0), Softmax(np.array([1.0] * 209 + [0.0]))])
def test_shares_that_jump_meet_no_given_ones(rule):
    with pytest.raises(InvalidInputError, match=r"a rule with a positive temperature, found (Hard|Soft)max"):
        calibrate_constants(replace(travel_model(), rule=rule), travel_mode(), CHOSEN)


def test_what_cannot_be_simulated_cannot_be_calibrated():
    people = Population(agents=[1, 2], columns={"x": [1.0, np.nan]})
    with pytest.raises(DataError, match="x"):
        calibrate_constants(ChoiceModel({"a": "c + x", "b": "0"}, {"c": 0.0}), people, {"a": 0.5})
    with pytest.raises(ShapeError, match="2 rows"):
        calibrate_constants(replace(travel_model(), rule=Softmax([1.0, 2.0])), travel_mode(), CHOSEN)


@pytest.mark.parametrize("control", [{"tolerance": 0}, {"tolerance": math.nan}, {"tolerance": "small"}])
def test_a_tolerance_is_a_small_number(control):
    with pytest.raises(InvalidInputError, match="tolerance must be a number between 0 and 1"):
        calibrate_constants(travel_model(), travel_mode(), CHOSEN, **control)


@pytest.mark.parametrize("number", [0, -1, 1.5, True])
def test_iterations_are_counted_from_one(number):
    with pytest.raises(InvalidInputError, match="max_iterations must be a whole number of at least 1"):
        calibrate_constants(travel_model(), travel_mode(), CHOSEN, max_iterations=number)


# ---------------------------------------------------------------- shares out of reach


def limited(available: list[list[int]], weights: list[float]) -> tuple[ChoiceModel, Population]:
    names = tuple("abcdefghijklmnop"[: len(available[0])])
    people = Population(
        agents=np.arange(len(weights)),
        alternatives=names,
        availability=np.array(available, dtype=bool),
        weights=weights,
    )
    utilities = {name: f"k_{name}" for name in names}
    return ChoiceModel(utilities, {f"k_{name}": 0.0 for name in names}), people


def refusal(model: ChoiceModel, people: Population, shares: dict[str, float]) -> UnreachableShareError:
    with pytest.raises(UnreachableShareError) as caught:
        calibrate_constants(model, people, shares)
    return caught.value


@pytest.mark.parametrize("share", [0.45, 0.6])
def test_what_is_available_to_few_cannot_be_taken_by_many(share):
    error = refusal(*limited([[1, 1], [0, 1]], [0.45, 0.55]), {"a": share, "b": 1 - share})
    assert error.alternatives == ("a",)
    assert f"share {share:g} of 'a' cannot be reached: it is available to 0.45 of the weight only" in str(error)


@pytest.mark.parametrize("share", [0.2, 0.1])
def test_who_has_nothing_else_takes_it(share):
    error = refusal(*limited([[1, 1, 1], [1, 0, 0]], [0.8, 0.2]), {"a": share})
    assert error.alternative == "a"
    assert f"share {share:g} of 'a' cannot be reached: 0.2 of the weight has nothing else available" in str(error)


def test_sets_of_alternatives_have_limits_too():
    model, people = limited([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]], [0.5, 0.3, 0.2])
    error = refusal(model, people, {"a": 0.3, "b": 0.45, "c": 0.1, "d": 0.15})  # each alone is possible
    assert error.alternatives == ("a", "b")
    assert "share 0.75 of 'a' and 'b' together cannot be reached" in str(error)
    assert "to 0.7 of the weight only" in str(error)
    shares = {"a": 0.25, "b": 0.4, "c": 0.2, "d": 0.15}
    np.testing.assert_allclose(expected(calibrate_constants(model, people, shares)), list(shares.values()), atol=1e-11)


def test_the_share_of_two_groups_that_have_nothing_in_common_is_fixed():
    model, people = limited([[1, 1, 0, 0], [0, 0, 1, 1]], [0.7, 0.3])
    error = refusal(model, people, {"a": 0.3, "b": 0.3, "c": 0.2, "d": 0.2})
    assert set(error.alternatives) in ({"a", "b"}, {"c", "d"})
    assert "give that share" in str(error)
    shares = {"a": 0.1, "b": 0.6, "c": 0.2, "d": 0.1}  # can be met, though one direction moves no share
    np.testing.assert_allclose(expected(calibrate_constants(model, people, shares)), list(shares.values()), atol=1e-11)


def test_many_alternatives_have_their_own_limits():
    available = [[1] * 14, [0] + [1] * 13, [0] * 13 + [1]]
    model, people = limited(available, [0.5, 0.3, 0.2])
    names = model.utilities
    rest = dict.fromkeys(names, 0.02)
    assert refusal(model, people, {**rest, "a": 1.0}).alternative == "a"
    assert refusal(model, people, {**rest, "a": 0.5, "b": 1.0}).alternative == "n"
    result = calibrate_constants(model, people, {**rest, "a": 0.2, "n": 0.3})
    assert result.converged
    idle = replace(people, availability=people.availability & (np.arange(3) > 0)[:, None])
    error = refusal(replace(model, on_no_alternative="outside"), idle, {"b": 0.26, "c": 0.26})
    assert error.alternatives == ("b", "c")


@given(seed=st.integers(0, 2**32), j=st.integers(2, 4))
def test_all_shares_within_the_limits_are_met(seed, j):
    # any split of the weight of each row among what it has is within; a little of each keeps it off the limits
    generator = np.random.default_rng(seed)
    available = generator.random((6, j)) < 0.6
    available[np.arange(6), generator.integers(0, j, 6)] = True
    available[0] = True
    split = np.where(available, generator.dirichlet(np.full(j, 0.3), 6) + 0.01, 0.0)
    weights = generator.dirichlet(np.ones(6)) + 0.01
    share = weights @ (split / split.sum(axis=1, keepdims=True)) / weights.sum()
    model, people = limited(available.astype(int).tolist(), weights.tolist())
    result = calibrate_constants(model, people, dict(zip(people.alternatives, share, strict=True)))
    assert_within_solver_tolerance(expected(result) - share, TOLERANCE)


# ---------------------------------------------------------------- not converged


def test_out_of_iterations_carries_the_calibration():
    with pytest.raises(
        ConvergenceError, match=r"out of iterations after 2 iterations: the share of '\w+' is"
    ) as caught:
        calibrate_constants(travel_model(dict.fromkeys(CONSTANTS, 0.0)), travel_mode(), CHOSEN, max_iterations=2)
    result = caught.value.result
    assert isinstance(result, Calibration)
    assert not result.converged
    assert result.n_iterations == 2
    off = (result.shares - result.target).abs()
    assert f"share of {off.idxmax()!r} is {result.shares[off.idxmax()]:.6g} where" in str(caught.value)
    assert result.history[-1] < result.history[0]


def test_a_tolerance_below_rounding_is_not_claimed_to_be_met():
    with pytest.raises(ConvergenceError, match=r"stalled|out of iterations") as caught:
        calibrate_constants(travel_model(dict.fromkeys(CONSTANTS, 0.0)), travel_mode(), CHOSEN, tolerance=1e-30)
    assert caught.value.result.gap < 1e-14


def test_what_is_not_finite_is_never_converged():
    found = meet_shares(
        lambda shift: Response(value=np.nan, shares=np.full(2, np.nan)),
        lambda shift, moved: np.full((1, 1), np.nan),
        np.array([0.5, 0.5]),
        np.array([0]),
        n_alternatives=2,
        temperature=1.0,
        tolerance=TOLERANCE,
        max_iterations=5,
    )
    assert found.status == "stalled"


def test_slopes_are_asked_for_once_for_each_point_that_is_kept(monkeypatch):
    asked = {"response": 0, "jacobian": 0}

    def counting(name, function):
        def counted(*arguments):
            asked[name] += 1
            return function(*arguments)

        return counted

    for name in asked:
        monkeypatch.setattr(Crowd, name, counting(name, getattr(Crowd, name)))
    result = calibrate_constants(travel_model(dict.fromkeys(CONSTANTS, 50.0), temperature=0.01), travel_mode(), CHOSEN)
    assert asked["jacobian"] <= result.n_iterations < asked["response"] - 1  # some steps were too long


# ---------------------------------------------------------------- groups


def test_each_group_meets_its_own_shares():
    people = travel_mode()
    income = segment_by_edges("income", people.columns["hinc"], edges=[20, 40])
    poor, rich = {"air": 0.1, "train": 0.5, "bus": 0.2, "car": 0.2}, {"air": 6, "train": 1, "bus": 1, "car": 2}
    shares = {income.labels[0]: poor, income.labels[2]: rich}
    result = calibrate_constants(travel_model(), people, shares, by=income)
    outcome = simulate_choices(result.model, result.population, seed=1, replications=1, segments=[income])
    before = simulate_choices(travel_model(), people, seed=1, replications=1, segments=[income])
    _, first, middle, last = outcome.expected_by_group()
    np.testing.assert_allclose(first, list(poor.values()), rtol=0, atol=1e-11)
    np.testing.assert_allclose(last, np.array(list(rich.values())) / 10, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(middle, before.expected_by_group()[2])
    assert dict(result.model.coefficients) == dict(travel_model().coefficients)
    assert {name for name in result.population.columns if name not in people.columns} == {
        "calibrated air", "calibrated train", "calibrated bus",
    }  # fmt: skip
    assert result.shares[income.labels[2], "air"] == pytest.approx(0.6, abs=1e-11)
    assert len(result.constants) == 6
    assert result.constants[f"calibrated air ({income.labels[0]})"] == pytest.approx(
        result.population.columns["calibrated air"][income.codes == 0][0]
    )
    assert result.to_frame()["group"].nunique() == 2


def test_one_group_of_all_is_no_other_than_all():
    people = travel_mode()
    everybody = Segmentation(name="one", labels=("all",), codes=np.zeros(210, dtype=int))
    start = dict.fromkeys(CONSTANTS, 0.0)
    result = calibrate_constants(travel_model(start), people, {"all": CHOSEN}, by=everybody)
    moved = {name: result.constants[f"calibrated {name[4:]} (all)"] for name in CONSTANTS}
    assert moved == pytest.approx(CONSTANTS, abs=1e-9)


def test_an_added_alternative_gets_the_same_share_as_after_plain_calibration():
    people = Population(agents=np.arange(40), columns={"x": np.random.default_rng(3).normal(size=40)})
    everybody = Segmentation(name="one", labels=("all",), codes=np.zeros(40, dtype=int))
    model = ChoiceModel({"walk": "0", "bus": "c_bus + x", "car": "c_car - x"}, {"c_bus": 0.5, "c_car": -1.0})
    shares = {"walk": 3, "bus": 1, "car": 6}
    plain = calibrate_constants(model, people, shares)
    grouped = calibrate_constants(model, people, {"all": shares}, by=everybody)
    assert (plain.reference, grouped.reference) == ("walk", "walk")
    found = []
    for result in (plain, grouped):
        wider = replace(result.model, utilities={**result.model.utilities, "tram": "0.3 + 0.2 * x"})
        found.append(simulate_choices(wider, result.population, seed=1, replications=1).expected_shares)
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=1e-11)
    assert found[0]["tram"] > 0.1


@pytest.mark.parametrize(
    ("utilities", "reference"),
    [
        ({"a": "k", "b": "0", "c": "l"}, "b"),
        ({"a": "k", "b": "l", "c": "m"}, "c"),  # each has one
        ({"a": "k", "b": "0", "c": "1"}, "b"),  # several have none
        ({"a": "k", "b": "k", "c": "2"}, "a"),  # one that is shared is none
        ({"a": "k + l", "b": "m", "c": "0"}, "c"),
    ],
)
def test_the_reference_of_groups_is_the_alternative_without_a_constant(utilities, reference):
    people = Population(agents=np.arange(4), columns={"half": ["low", "low", "high", "high"]})
    model = ChoiceModel(utilities, {"k": 1.0, "l": 2.0, "m": 0.5})
    shares = {"low": {"a": 1, "b": 2, "c": 3}, "high": {"a": 1, "b": 1, "c": 1}}
    result = calibrate_constants(model, people, shares, by="half")
    assert result.reference == reference
    assert f"calibrated {reference}" not in result.population.columns
    assert len(result.constants) == 4


def test_groups_may_be_those_of_a_column():
    people = Population(agents=np.arange(4), columns={"half": ["low", "low", "high", "high"]})
    model, shares = ChoiceModel({"a": "c", "b": "0"}, {"c": 0.0}), {"low": {"a": 0.2}}
    result = calibrate_constants(model, people, shares, by="half")
    assert result.by == "half"
    assert result.constants == pytest.approx({"calibrated a (low)": math.log(0.25)})
    with pytest.raises(InvalidInputError, match="unknown column 'hafl', did you mean 'half'"):
        calibrate_constants(model, people, shares, by="hafl")
    with pytest.raises(InvalidInputError, match=r"must be a Segmentation or the name of a column, found \['half'\]"):
        calibrate_constants(model, people, shares, by=["half"])


def test_calibrated_models_can_be_calibrated_again_by_group():
    people = Population(agents=np.arange(4), alternatives=("a", "b`c"), columns={"x": np.arange(8.0).reshape(4, 2)})
    halves = Segmentation(name="half", labels=("low", "high"), codes=[0, 0, 1, 1])
    once = calibrate_constants(ChoiceModel("0.1 * x"), people, {"low": {"b`c": 0.2}, "high": {"a": 0.4}}, by=halves)
    twice = calibrate_constants(once.model, once.population, {"low": {"b`c": 0.7}}, by=halves)
    by_group = simulate_choices(
        twice.model, twice.population, seed=1, replications=1, segments=[halves]
    ).expected_by_group()
    np.testing.assert_allclose(by_group[1:, 0], [0.3, 0.4], rtol=0, atol=1e-11)
    assert set(twice.population.columns) == {"x", "calibrated a", "calibrated b'c", "calibrated b'c 2"}


@pytest.mark.parametrize("names", [("a`b", "a'b", "c"), ("x  y", "x y", "x\ty"), ("a", "a 2", "a`")])
def test_names_that_are_alike_without_backticks_get_columns_of_their_own(names):
    people = Population(agents=np.arange(4), columns={"calibrated a": np.ones(4)})
    halves = Segmentation(name="half", labels=("low", "high"), codes=[0, 0, 1, 1])
    shares = {"low": dict(zip(names, (0.2, 0.3, 0.5), strict=True)), "high": dict(zip(names, (5, 1, 4), strict=True))}
    result = calibrate_constants(ChoiceModel(dict.fromkeys(names, "0")), people, shares, by=halves)
    outcome = simulate_choices(result.model, result.population, seed=1, replications=1, segments=[halves])
    np.testing.assert_allclose(outcome.expected_by_group()[1:], [[0.2, 0.3, 0.5], [0.5, 0.1, 0.4]], rtol=0, atol=1e-11)
    assert len(result.population.columns) == 3
    assert len(result.constants) == 4


def test_a_utility_without_room_for_a_constant_is_refused():
    people = Population(agents=np.arange(4), columns={"x": np.ones(4)})
    halves = Segmentation(name="half", labels=("low", "high"), codes=[0, 0, 1, 1])
    model = ChoiceModel({"a": f"x - 1.{'0' * 1980}", "b": "0"})
    with pytest.raises(InvalidInputError, match=r"utility of 'a' has no room for .* at most 2,000 characters, found"):
        calibrate_constants(model, people, {"low": {"a": 0.4}}, by=halves)
    assert calibrate_constants(model, people, {"low": {"b": 0.4}}, by=halves).converged


def test_faults_of_a_group_name_it():
    people = Population(agents=np.arange(4))
    model = ChoiceModel({"a": "0", "b": "0"}, availability={"a": "True"})
    halves = Segmentation(name="half", labels=("low", "high", "none"), codes=[0, 0, 1, 1])
    with pytest.raises(InvalidInputError, match="shares names an unknown 'lo', did you mean 'low'"):
        calibrate_constants(model, people, {"lo": {"a": 0.5}}, by=halves)
    with pytest.raises(InvalidInputError, match=r"nobody with a weight above 0 .* in group 'none' of 'half'"):
        calibrate_constants(model, people, {"none": {"a": 0.5}}, by=halves)
    with pytest.raises(InvalidInputError, match="constants cannot be named by group"):
        calibrate_constants(model, people, {"low": {"a": 0.5}}, by=halves, constants={"a": "k"})
    short = Segmentation(name="half", labels=("low",), codes=[0, 0, 0])
    with pytest.raises(ShapeError, match="3 codes for 4 rows"):
        calibrate_constants(model, people, {"low": {"a": 0.5}}, by=short)
    limited_model = ChoiceModel({"a": "0", "b": "0"}, availability={"a": "x > 0"})
    some = people.with_columns({"x": [0.0, 1.0, 1.0, 1.0]})
    with pytest.raises(UnreachableShareError, match=r"'a' cannot be reached in group 'low' of 'half': .* to 0\.5 of"):
        calibrate_constants(limited_model, some, {"low": {"a": 0.5}}, by=halves)
    with pytest.raises(ConvergenceError, match="after 1 iteration: the share of 'a' in group 'high' of 'half'"):
        calibrate_constants(model, people, {"low": {"a": 0.5}, "high": {"a": 0.4}}, by=halves, max_iterations=1)


# ---------------------------------------------------------------- the answer


def test_the_answer_as_a_table_and_in_short():
    result = calibrate_constants(travel_model(dict.fromkeys(CONSTANTS, 0.0)), travel_mode(), CHOSEN)
    table = result.to_frame()
    assert list(table.columns) == [
        "alternative", "constant", "before", "after", "target", "share_before", "share_after",
    ]  # fmt: skip
    assert table["alternative"].tolist() == list(NAMES)
    assert table["after"].tolist()[:3] == list(result.constants.values())
    assert table["constant"].isna().tolist() == [False, False, False, True]
    np.testing.assert_allclose(table["target"], np.array(list(CHOSEN.values())) / 210, rtol=1e-14)
    assert repr(result).startswith("Calibration(3 constants, converged after ")
    assert "asc_air" in result._repr_html_()
    assert result.shares.index.name == "alternative"
    assert result.history[0] == pytest.approx(float((table["share_before"] - table["target"]).abs().max()))
