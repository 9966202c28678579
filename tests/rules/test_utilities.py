"""What a rule may be given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from choicekit.errors import InvalidInputError, NoAvailableAlternativeError, ShapeError
from choicekit.rules.utilities import available_utility, check_distribution, check_temperature, hard_maximum

INF = np.inf


def test_the_unavailable_becomes_minus_infinity():
    np.testing.assert_array_equal(available_utility([1.0, 2.0, 3.0], [True, False, True]), [1, -INF, 3])


@pytest.mark.parametrize("junk", [np.nan, INF, -INF, 1e308])
def test_the_unavailable_may_hold_anything(junk):
    np.testing.assert_array_equal(available_utility([1.0, junk], [True, False]), [1, -INF])


def test_utilities_in_order_are_passed_on_without_a_copy():
    values = np.zeros((3, 2))
    assert np.shares_memory(available_utility(values), values)


def test_utilities_with_availability_are_a_new_array():
    values = np.zeros((3, 2))
    result = available_utility(values, np.ones(2, dtype=bool))
    assert not np.shares_memory(result, values)


def test_data_frames_are_tables_of_utilities():
    frame = pd.DataFrame({"car": [1.0, 2.0], "bus": [0.5, -INF]})
    np.testing.assert_array_equal(available_utility(frame, pd.Series([True, True])), frame.to_numpy())


def test_the_message_counts_what_is_wrong_and_shows_the_way_out():
    values = np.zeros((3, 2))
    values[1, 0] = values[2, 1] = np.nan
    with pytest.raises(InvalidInputError, match=r"agent 1, alternative 0 .*; 2 such in all\. Use -inf or availability"):
        available_utility(values)


def test_a_wrong_utility_is_reported_before_an_empty_row():
    with pytest.raises(InvalidInputError, match="found nan at agent 1") as caught:
        available_utility([[-INF, -INF], [np.nan, 0.0]])
    assert not isinstance(caught.value, NoAvailableAlternativeError)


def test_nothing_available_is_its_own_error_and_a_value_error():
    with pytest.raises(NoAvailableAlternativeError, match="agent 1 "):
        available_utility([[0.0, 1.0], [-INF, -INF], [-INF, -INF]])
    with pytest.raises(ValueError, match="available"):
        available_utility([1.0, 2.0], [False, False])


@pytest.mark.parametrize(
    ("utility", "availability", "shape"),
    [
        (np.zeros((4, 3)), np.ones(3), (4, 3)),
        (np.zeros(3), np.ones((4, 3)), (4, 3)),
        (np.zeros((4, 1, 3)), np.ones((5, 3)), (4, 5, 3)),
        (np.zeros((4, 3)), True, (4, 3)),
        (1.0, [True, True], (2,)),
    ],
)
def test_availability_broadcasts(utility, availability, shape):
    assert available_utility(utility, availability).shape == shape


@pytest.mark.parametrize("availability", [[True], [True, True, True], [[True], [True], [True]]])
def test_availability_that_does_not_fit_names_both_shapes(availability):
    if np.shape(availability) == (1,):
        assert available_utility(np.zeros((2, 2)), availability).shape == (2, 2)  # one for all broadcasts
        return
    with pytest.raises(ShapeError, match=r"do not fit"):
        available_utility(np.zeros((2, 2)), availability)


@pytest.mark.parametrize("huge", [10**400, [1.0, 10**400]])
def test_whole_numbers_beyond_floats_are_invalid_input(huge):
    with pytest.raises(InvalidInputError):
        available_utility(huge)
    with pytest.raises(InvalidInputError):
        check_temperature(huge)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(np.array([1 + 2j, 1.0]), id="complex"),
        pytest.param(np.ma.masked_array([1.0, 2.0], [False, True]), id="masked"),
        pytest.param(["1", "2"], id="text of digits"),
    ],
)
@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
def test_what_only_looks_like_real_numbers_is_refused(wrong):
    with pytest.raises(InvalidInputError):
        available_utility(wrong)


def test_a_temperature_is_a_float_or_a_read_only_array():
    assert check_temperature(0) == 0.0
    assert isinstance(check_temperature(np.int8(3)), float)
    row = check_temperature([1, 2])
    assert row.dtype == np.float64
    assert not row.flags.writeable


def test_minus_zero_is_temperature_zero():
    assert str(check_temperature(-0.0)) == "0.0"
    assert not np.any(np.signbit(check_temperature([-0.0, 1.0])))


@pytest.mark.parametrize("wrong", [-1, [1, -1], np.nan, INF, "warm", "1", True, None, {}, [[1], [1, 2]]])
def test_what_is_no_temperature_is_named(wrong):
    with pytest.raises(InvalidInputError, match="temperature must be"):
        check_temperature(wrong)


def test_a_distribution_may_miss_one_by_a_billionth():
    check_distribution([0.5, 0.5 + 9e-10])
    with pytest.raises(InvalidInputError, match="target must be at least 0 and sum to 1"):
        check_distribution([0.5, 0.5 + 2e-9], "target")


@pytest.mark.parametrize("wrong", [[0.5, 0.4], [1.5, -0.5], [np.nan, 1.0], [INF, -INF], [], [[0.5, 0.5], [0.5, 0.6]]])
def test_what_is_no_distribution_is_invalid_input(wrong):
    with pytest.raises(InvalidInputError):
        check_distribution(wrong)


def test_a_number_has_no_axis_of_alternatives():
    with pytest.raises(ShapeError):
        check_distribution(1.0)


def test_the_hard_maximum_shares_ties_in_every_row():
    u = np.array([[1.0, 5.0, 5.0], [2.0, 2.0, 2.0], [-INF, 0.0, -INF]])
    np.testing.assert_array_equal(hard_maximum(u), [[0, 0.5, 0.5], [1 / 3] * 3, [0, 1, 0]])
