"""The compiled loops of softmax against their twins in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import choicekit as ck
from choicekit.kernels import compiling, engine
from choicekit.random import Draws, HeldDraws, Stage, alternative_words, row_words
from choicekit.rules.race_kernels import choose_by_race, choose_by_race_with
from choicekit.rules.racing import distributed_choices, raced_choices
from choicekit.rules.softmax_kernels import choose_by_distribution, fill_probabilities, fill_values
from tests.tolerances import assert_utilities_close

pytestmark = pytest.mark.skipif(engine() == "numpy", reason="no compiled loops here")

WIDTHS = [1, 2, 3, 4, 7, 10, 100, 1000]
UTILITY = st.one_of(
    st.floats(-50, 50),
    st.sampled_from([-np.inf, 0.0, 1.0, 1.0, -1.0, 1e300, -1e300, 1.7e308, -1.7e308, 5e-324, -5e-324, 700.0, -745.0]),
)
TEMPERATURE = st.sampled_from([0.0, 1.0, 0.5, 3.0, 1e-12, 1e12, 5e-324, 1e300])


@st.composite
def tables(draw) -> np.ndarray:
    """Utilities of a few rows, each with something available."""
    width = draw(st.sampled_from([1, 2, 3, 4, 7, 10]))
    rows = draw(st.lists(st.lists(UTILITY, min_size=width, max_size=width), min_size=1, max_size=20))
    table = np.array(rows, dtype=np.float64)
    table[np.all(table == -np.inf, axis=1), 0] = 0.0
    return table


def table_of(width: int, n_rows: int = 1_200, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(n_rows, width)) * rng.choice([1e-3, 1.0, 30.0], size=(n_rows, 1))
    table[rng.random(table.shape) < 0.2] = -np.inf
    table[rng.random(table.shape) < 0.2] = 1.0
    table[:, 0] = np.where(np.all(table == -np.inf, axis=1), 0.0, table[:, 0])
    return table


def values(table, temperature, how=fill_values) -> np.ndarray:
    out = np.empty(len(table))
    how(table, np.atleast_1d(np.asarray(temperature, dtype=np.float64)), out)
    return out


def probabilities(table, temperature, how=fill_probabilities) -> np.ndarray:
    out = np.empty(table.shape)
    how(table, np.atleast_1d(np.asarray(temperature, dtype=np.float64)), out)
    return out


def draws_of(n_rows: int, width: int, stage: Stage = Stage.CHOICE, held: bool = False) -> Draws:
    kind = HeldDraws if held else Draws
    words = alternative_words(np.arange(width if stage is Stage.CHOICE else 1))
    return kind(seed=3, stage=stage, rows=row_words(np.arange(n_rows)), alternatives=words)


def by_twin(monkeypatch, function, *arguments):
    with monkeypatch.context() as patch:
        patch.setattr(compiling, "_numba", lambda: None)
        return function(*arguments)


# ---------------------------------------------------------------- value and probabilities


@given(tables(), TEMPERATURE)
def test_values_are_the_twins(table, temperature):
    found, expected = values(table, temperature), values(table, temperature, fill_values.twin)
    for row, one, other in zip(table, found, expected, strict=True):
        assert_utilities_close(one, other, row, temperature)


@given(tables(), TEMPERATURE)
def test_probabilities_are_the_twins(table, temperature):
    found = probabilities(table, temperature)
    expected = probabilities(table, temperature, fill_probabilities.twin)
    np.testing.assert_array_equal(found == 0, expected == 0)
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=2e-323)
    assert np.all(found[table == -np.inf] == 0)


@pytest.mark.parametrize("width", WIDTHS)
def test_many_rows_are_the_twins_at_one_temperature_and_at_one_a_row(width):
    table = table_of(width, 1_200 if width < 1000 else 60)
    warmth = np.random.default_rng(2).choice([0.0, 0.1, 1.0, 7.0], size=len(table))
    for temperature in (1.0, 0.3, 0.0, warmth):
        np.testing.assert_allclose(
            values(table, temperature), values(table, temperature, fill_values.twin), rtol=1e-13, atol=1e-13
        )
        np.testing.assert_allclose(
            probabilities(table, temperature),
            probabilities(table, temperature, fill_probabilities.twin),
            rtol=1e-13,
            atol=2e-323,
        )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_row_has_the_same_bits_in_any_company(width):
    table = table_of(width, 700 if width < 1000 else 50)
    all_values, all_probabilities = values(table, 0.7), probabilities(table, 0.7)
    for start, stop in [(0, 1), (3, 4), (5, 14), (1, 700), (2, 514), (33, 49)]:
        some = np.ascontiguousarray(table[start:stop])
        np.testing.assert_array_equal(values(some, 0.7), all_values[start:stop])
        np.testing.assert_array_equal(probabilities(some, 0.7), all_probabilities[start:stop])


def test_many_rows_on_threads_have_the_same_bits_as_few():
    table = np.random.default_rng(4).normal(size=(70_000, 3))
    warmth = np.random.default_rng(5).uniform(0.1, 2, size=len(table))
    for temperature in (1.0, warmth):
        rule = ck.Softmax(temperature)
        parts = [slice(0, 30_000), slice(30_000, 70_000)]
        for method in ("value", "probabilities"):
            whole = getattr(rule, method)(table)
            for rows in parts:
                np.testing.assert_array_equal(getattr(rule.for_rows(rows), method)(table[rows]), whole[rows])


@pytest.mark.parametrize(
    "layout",
    [np.asfortranarray, lambda t: np.repeat(t, 2, axis=1)[:, ::2], lambda t: np.flip(np.flip(t, 0), 0)],
    ids=["columns first", "strided", "flipped"],
)
def test_the_layout_of_a_table_does_not_matter(layout):
    table = table_of(7, 100)
    np.testing.assert_array_equal(ck.inclusive_value(layout(table)), ck.inclusive_value(table))
    np.testing.assert_array_equal(ck.softmax(layout(table)), ck.softmax(table))
    np.testing.assert_array_equal(ck.choose(layout(table), seed=1), ck.choose(table, seed=1))
    np.testing.assert_array_equal(
        ck.choose(layout(table), seed=1, sampling="fast"), ck.choose(table, seed=1, sampling="fast")
    )


def test_a_row_repeated_without_a_copy_is_read_only_and_fine():
    row = np.array([0.5, -np.inf, 2.0])
    repeated = np.broadcast_to(row, (5, 3))
    np.testing.assert_array_equal(ck.softmax(repeated), np.tile(ck.softmax(row), (5, 1)))
    np.testing.assert_array_equal(ck.inclusive_value(repeated), np.full(5, ck.inclusive_value(row)))
    np.testing.assert_array_equal(ck.choose(repeated, seed=2), ck.choose(np.tile(row, (5, 1)), seed=2))


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3), (0, 3), (2, 0, 3)])
def test_leading_axes_are_kept(shape):
    table = np.random.default_rng(6).normal(size=shape)
    assert ck.softmax(table).shape == shape
    assert np.shape(ck.inclusive_value(table)) == shape[:-1]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("row", [0, 9, 600])
@pytest.mark.parametrize("temperature", [0.0, 1.0, 2.0])
def test_a_row_that_is_not_in_order_is_named(wrong, row, temperature):
    table = np.random.default_rng(7).normal(size=(700, 4))
    table[row, 2] = wrong
    for ask in (ck.inclusive_value, ck.softmax):
        with pytest.raises(ck.InvalidInputError, match=rf"found {wrong} at agent {row}, alternative 2"):
            ask(table, temperature)
    table[row] = -np.inf
    for ask in (ck.inclusive_value, ck.softmax):
        with pytest.raises(ck.NoAvailableAlternativeError, match=f"found none at agent {row} "):
            ask(table, temperature)
    with pytest.raises(ck.NoAvailableAlternativeError, match=f"found none at agent {row} "):
        ck.choose(table, seed=1)


# ---------------------------------------------------------------- choices


@given(tables(), TEMPERATURE, st.integers(0, 5), st.integers(1, 5))
def test_coherent_choices_are_the_twins(table, temperature, first, n_replications):
    draws, replications = draws_of(*table.shape), range(first, first + n_replications)
    given_ = (table, np.array([temperature]), draws.rows, draws.alternatives, draws.pair_keys(replications), first)
    found, expected = np.full((2, n_replications, len(table)), -1)
    choose_by_race(*given_, found)
    choose_by_race.twin(*given_, expected)
    np.testing.assert_array_equal(found, expected)
    assert np.all(np.take_along_axis(table, found.T, axis=1) > -np.inf)


@given(tables(), TEMPERATURE, st.integers(0, 5), st.integers(1, 5))
def test_fast_choices_are_the_twins(table, temperature, first, n_replications):
    draws, replications = draws_of(*table.shape, Stage.INVERSE), range(first, first + n_replications)
    given_ = (table, np.array([temperature]), draws.rows, draws.alternatives, draws.pair_keys(replications), first)
    found, expected = np.full((2, n_replications, len(table)), -1)
    choose_by_distribution(*given_, found)
    choose_by_distribution.twin(*given_, expected)
    np.testing.assert_array_equal(found, expected)
    assert np.all(np.take_along_axis(table, found.T, axis=1) > -np.inf)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("replications", [range(0, 1), range(1, 2), range(0, 2), range(1, 4), range(2, 7)], ids=str)
def test_choices_of_many_rows_are_the_twins(width, replications, monkeypatch):
    table = table_of(width, 1_200 if width < 100 else 60)
    warmth = np.random.default_rng(2).choice([0.0, 0.1, 1.0, 7.0], size=len(table))
    for temperature in (1.0, warmth):
        for choices, stage in ((raced_choices, Stage.CHOICE), (distributed_choices, Stage.INVERSE)):
            arguments = table, temperature, draws_of(*table.shape, stage), replications
            expected = by_twin(monkeypatch, choices, *arguments)
            np.testing.assert_array_equal(choices(*arguments), expected)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_choice_is_the_same_in_any_company(width):
    table = table_of(width, 700 if width < 1000 else 50)
    for choices, stage in ((raced_choices, Stage.CHOICE), (distributed_choices, Stage.INVERSE)):
        draws = draws_of(*table.shape, stage)
        whole = choices(table, 0.7, draws, range(6))
        for start, stop, replications in [
            (0, 1, range(6)),
            (3, 4, range(1, 3)),
            (5, 14, range(3, 4)),
            (1, 520, range(5)),
        ]:
            some = Draws(seed=3, stage=stage, rows=draws.rows[start:stop], alternatives=draws.alternatives)
            found = choices(table[start:stop], 0.7, some, replications)
            np.testing.assert_array_equal(found, whole[replications.start : replications.stop, start:stop])


@pytest.mark.parametrize("replications", [range(0, 1), range(1, 4), range(2, 4)], ids=str)
def test_draws_that_are_held_give_the_same_choices(replications, monkeypatch):
    table = table_of(7)
    held = draws_of(*table.shape, held=True)
    for temperature in (1.0, 0.2, 0.0):
        fresh = raced_choices(table, temperature, draws_of(*table.shape), replications)
        np.testing.assert_array_equal(raced_choices(table, temperature, held, replications), fresh)
    assert held.exponentials(replications) is held.exponentials(replications)
    for n_rows in (1, 9, 700):
        chosen = np.empty((len(replications), n_rows), dtype=np.int64)
        numbers = np.ascontiguousarray(held.exponentials(replications)[:, :n_rows])
        choose_by_race_with(table[:n_rows], np.zeros(1), numbers, chosen)
        np.testing.assert_array_equal(chosen, fresh[:, :n_rows])
    other = draws_of(*table.shape, held=True)
    np.testing.assert_array_equal(by_twin(monkeypatch, raced_choices, table, 0.0, other, replications), fresh)


def test_at_no_temperature_the_best_is_taken_and_ties_go_to_the_larger_draw():
    table = np.array([[1.0, 3.0, 3.0, -np.inf], [5.0, 1.0, 1.0, 1.0]] * 300)
    draws = draws_of(*table.shape)
    chosen = raced_choices(table, 0.0, draws, range(1))[0]
    uniform = draws.uniforms(0)
    np.testing.assert_array_equal(chosen[0::2], np.where(uniform[0::2, 1] > uniform[0::2, 2], 1, 2))
    assert np.all(chosen[1::2] == 0)
    np.testing.assert_array_equal(ck.Hardmax().coherent_choices(table, draws, range(1))[0], chosen)


@pytest.mark.parametrize("n_rows", [0, 1])
def test_few_rows_or_none_can_choose(n_rows):
    table = np.zeros((n_rows, 3))
    assert raced_choices(table, 1.0, draws_of(n_rows, 3), range(2)).shape == (2, n_rows)
    assert distributed_choices(table, 1.0, draws_of(n_rows, 3, Stage.INVERSE), range(2)).shape == (2, n_rows)


def mismatches(n_rows: int, width: int, replications: range, monkeypatch) -> int:
    table = np.random.default_rng(8).normal(size=(n_rows, width))
    wrong = 0
    for choices, stage in ((raced_choices, Stage.CHOICE), (distributed_choices, Stage.INVERSE)):
        arguments = table, 0.5, draws_of(n_rows, width, stage), replications
        wrong += int(np.sum(choices(*arguments) != by_twin(monkeypatch, choices, *arguments)))
    return wrong


def test_a_million_choices_of_each_kind_are_the_twins(monkeypatch):
    assert mismatches(100_000, 4, range(10), monkeypatch) == 0


@pytest.mark.parametrize("width", [2, 5])
def test_the_nearest_races_and_marks_are_settled_exactly(width, monkeypatch):
    """A row is held at a distance from its rival that is below the digits of the rough functions."""
    n_rows = 20_000
    draws, inverse = draws_of(n_rows, width), draws_of(n_rows, width, Stage.INVERSE)
    near = np.random.default_rng(9).uniform(-1, 1, n_rows) * 1e-6
    table = np.zeros((n_rows, width))
    times = -np.log(draws.uniforms(0))
    table[:, 0] = np.log(times[:, 0]) - np.log(times[:, 1:].min(axis=1)) + near  # level with the best of the others
    given_ = table, 1.0, draws, range(1)
    np.testing.assert_array_equal(raced_choices(*given_), by_twin(monkeypatch, raced_choices, *given_))
    share = inverse.uniforms(0)[:, 0]
    table[:, 0] = np.log(share / (1 - share) * (width - 1)) + near  # the first mark at the number that is drawn
    given_ = table, 1.0, inverse, range(1)
    expected = by_twin(monkeypatch, distributed_choices, *given_)
    np.testing.assert_array_equal(distributed_choices(*given_), expected)
    assert 0.4 < np.mean(expected == 0) < 0.6


@pytest.mark.slow
@pytest.mark.parametrize("width", [4, 10])
def test_a_hundred_million_draws_are_the_twins(width, monkeypatch):
    """Choices may differ at ties within an ulp: about one in 10^14 for each pair of alternatives, so none here."""
    n_rows, block = 10**8 // width, 10**5
    wrong = sum(
        mismatches(block, width, range(start, start + 50), monkeypatch) for start in range(0, n_rows // block, 50)
    )
    assert wrong == 0
