"""Addressed random numbers: known answers, exact uniforms, Gumbel tails, independence on every axis, frozen values."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from decimal import Decimal, localcontext
from enum import StrEnum
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import choicekit.random as rng
from choicekit import kernels
from choicekit.errors import InvalidInputError, ShapeError
from choicekit.kernels import compiling
from choicekit.random import (
    DRAW_SCHEME,
    Draws,
    Stage,
    alternative_words,
    check_seed,
    gumbel_from_uniform,
    identifier_words,
    philox4x32,
    row_words,
    stream_key,
)
from tests.tolerances import assert_counts_follow, assert_monte_carlo, assert_rare_count, assert_uncorrelated

WORD = 2**32 - 1
EXTREME_WORDS = [0, 1, 2, 2**31, WORD, 2**32, 2**32 + 1, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1, 0x0123456789ABCDEF]


@pytest.fixture(params=["compiled", "numpy"])
def engine(request, monkeypatch):
    """Draws made by the compiled loop, where there is one, and by its twin in numpy."""
    if request.param == "numpy":
        monkeypatch.setattr(compiling, "_numba", lambda: None)
    elif kernels.engine() == "numpy":
        pytest.skip("no compiled loop here")
    return request.param


def draws_of(rows, alternatives=(0,), *, seed=1, stage=Stage.CHOICE) -> Draws:
    return Draws(
        seed=seed,
        stage=stage,
        rows=np.asarray(rows, dtype=np.uint64),
        alternatives=np.asarray(alternatives, dtype=np.uint64),
    )


# ---------------------------------------------------------------- Philox4x32-10

# kat_vectors of Random123 1.14 (Salmon, Moraes, Dror & Shaw 2011): counter, key, answer
KNOWN_ANSWERS = [
    ([0] * 4, [0] * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ([WORD] * 4, [WORD] * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def philox_in_whole_numbers(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x32-10 word by word as in the paper's figure, with Python's own integers."""
    (l0, r0, l1, r1), (k0, k1) = counter, key
    for _ in range(10):
        first, second = 0xD2511F53 * l0, 0xCD9E8D57 * l1
        l0, r0, l1, r1 = (second >> 32) ^ r0 ^ k0, second & WORD, (first >> 32) ^ r1 ^ k1, first & WORD
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return [l0, r0, l1, r1]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS, ids=["zeros", "ones", "pi"])
def test_philox_gives_the_known_answers(counter, key, answer):
    assert [f"{word:08x}" for word in philox4x32(counter, key)] == answer.split()
    assert [f"{word:08x}" for word in philox_in_whole_numbers(counter, key)] == answer.split()


@given(
    counter=st.lists(st.integers(0, WORD), min_size=4, max_size=4),
    key=st.lists(st.integers(0, WORD), min_size=2, max_size=2),
)
def test_philox_is_what_whole_numbers_make_of_it(counter, key):
    assert philox4x32(counter, key).tolist() == philox_in_whole_numbers(counter, key)


def test_philox_of_many_counters_and_keys_is_each_alone():
    words = np.random.default_rng(0).integers(0, 2**32, (3, 5, 6), dtype=np.uint64)
    together = philox4x32(words[..., :4], words[..., 4:])
    assert together.shape == (3, 5, 4)
    assert together.dtype == np.uint32
    for place in np.ndindex(3, 5):
        assert together[place].tolist() == philox4x32(words[place][:4], words[place][4:]).tolist()
    np.testing.assert_array_equal(philox4x32(words[..., :4], [7, 8])[1, 2], philox4x32(words[1, 2, :4], [7, 8]))


# ---------------------------------------------------------------- the fast path


def readable_uniforms(draws: Draws, replication: int) -> np.ndarray:
    """Uniforms straight from the description of the scheme, by the readable Philox."""
    key = stream_key(draws.seed, draws.stage, replication // 2)
    rows, alternatives = np.broadcast_arrays(draws.rows[:, None], draws.alternatives[None, :])
    low, shift = np.uint64(WORD), np.uint64(32)
    counter = np.stack([rows & low, rows >> shift, alternatives & low, alternatives >> shift], axis=-1)
    words = philox4x32(counter, [key & WORD, key >> 32]).astype(np.uint64)
    half = 2 * (replication % 2)
    k = ((words[..., half + 1] << shift) | words[..., half]) >> np.uint64(12)
    return (k.astype(np.float64) + 0.5) / 2.0**52


@pytest.mark.parametrize(
    "shape", [(0, 3), (1, 1), (1, 7), (3, 1), (5, 0), (37, 11), (1, 2049), (2047, 1), (683, 3), (4096, 1), (9, 1000)]
)
@pytest.mark.parametrize("replication", [0, 1, 6, 7, 2**33 + 1])
def test_draws_are_the_readable_twin_bit_for_bit(engine, shape, replication):
    words = np.random.default_rng(shape[0] + shape[1]).integers(0, 2**64, sum(shape), dtype=np.uint64)
    draws = draws_of(words[: shape[0]], words[shape[0] :], seed=2**64 - 1)
    uniforms = draws.uniforms(replication)
    assert uniforms.shape == shape
    assert uniforms.dtype == np.float64
    np.testing.assert_array_equal(uniforms, readable_uniforms(draws, replication))


def test_draws_at_extreme_words_are_the_readable_twin_bit_for_bit(engine):
    draws = draws_of(EXTREME_WORDS, EXTREME_WORDS, seed=0, stage=Stage.NULL_MODEL)
    for replication in range(4):
        np.testing.assert_array_equal(draws.uniforms(replication), readable_uniforms(draws, replication))


@pytest.mark.parametrize("shape", [(131_071, 1), (131_072, 1), (131_073, 1), (3, 60_000), (2, 131_073), (43_692, 3)])
def test_draws_across_the_edges_of_tiles_are_the_readable_twin_bit_for_bit(engine, shape):
    draws = draws_of(np.arange(shape[0]), np.arange(shape[1]) + 2**40)
    uniforms = draws.uniforms(1)
    ends = [np.unique(np.clip([0, 1, n // 2, n - 2, n - 1, 43_690, 43_691], 0, n - 1)) for n in shape]
    part = draws_of(draws.rows[ends[0]], draws.alternatives[ends[1]])
    np.testing.assert_array_equal(uniforms[np.ix_(*ends)], readable_uniforms(part, 1))
    assert np.unique(uniforms).size == uniforms.size


def test_words_that_are_read_only_strided_or_broadcast_draw_the_same(engine):
    rows = np.arange(20, dtype=np.uint64)
    expected = draws_of(rows[::2], [3, 3 + 2**32]).uniforms(0)
    frozen = rows.copy()
    frozen.setflags(write=False)
    alternatives = np.array([3, 0, 3 + 2**32, 0], dtype=np.uint64)[::2]
    sliced = Draws(seed=1, stage=Stage.CHOICE, rows=frozen[::2], alternatives=alternatives)
    np.testing.assert_array_equal(sliced.uniforms(0), expected)
    same = Draws(seed=1, stage=Stage.CHOICE, rows=np.broadcast_to(rows[2:3], 4), alternatives=alternatives)
    np.testing.assert_array_equal(same.uniforms(0), np.repeat(expected[1:2], 4, axis=0))
    np.testing.assert_array_equal(rows, np.arange(20))


def test_both_numbers_of_a_pair_are_those_of_its_replications(engine):
    draws = draws_of(range(50), range(3))
    for pair in (0, 1, 9):
        for kind in ("uniform", "gumbel"):
            even, odd = getattr(draws, f"{kind}_pair")(pair)
            np.testing.assert_array_equal(even, getattr(draws, f"{kind}s")(2 * pair))
            np.testing.assert_array_equal(odd, getattr(draws, f"{kind}s")(2 * pair + 1))


def test_the_gumbels_are_those_of_the_uniforms(engine):
    draws = draws_of(range(50), range(3))
    np.testing.assert_array_equal(draws.gumbels(3), gumbel_from_uniform(draws.uniforms(3)))


def test_a_draw_depends_on_nothing_but_its_address(engine):
    whole = draws_of(range(100), range(10)).uniforms(5)
    order = np.random.default_rng(0).permutation(100)
    np.testing.assert_array_equal(draws_of(order, range(10)).uniforms(5), whole[order])
    np.testing.assert_array_equal(draws_of(range(40, 60), [7, 2]).uniforms(5), whole[40:60][:, [7, 2]])
    np.testing.assert_array_equal(draws_of(range(100), range(10)).uniforms(5), whole)


def test_every_part_of_the_address_matters():
    def draw(seed=3, stage=Stage.CHOICE, replication=0, row=5, alternative=7):
        return float(draws_of([row], [alternative], seed=seed, stage=stage).uniforms(replication)[0, 0])

    changed = [draw(), draw(seed=4), draw(stage=Stage.NEST), draw(replication=1), draw(replication=2)]
    changed += [draw(row=6), draw(row=5 + 2**32), draw(alternative=8), draw(alternative=7 + 2**32)]
    changed += [draw(row=7, alternative=5)]
    assert len(set(changed)) == len(changed)


def test_drawing_touches_no_global_state():
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    draws_of(range(10), range(3)).gumbels(0)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


# ---------------------------------------------------------------- uniforms


def uniform_of(word: int) -> float:
    return float(kernels.uniform_from_words(word & WORD, word >> 32))


@pytest.mark.parametrize("word", [*EXTREME_WORDS, 4095, 4096, 2**52, 2**53 + 2**12])
def test_uniforms_are_exactly_k_and_a_half_over_two_to_the_52(word):
    assert Fraction(uniform_of(word)) == (Fraction(word >> 12) + Fraction(1, 2)) / 2**52


def test_uniforms_are_never_zero_and_never_one():
    assert uniform_of(0) == 2.0**-53 > 0
    assert uniform_of(2**64 - 1) == 1 - 2.0**-53 < 1
    # the same with one bit more is one: (2^53 - 1 + 1/2) / 2^53 rounds up
    assert (2.0**53 - 1 + 0.5) / 2.0**53 == 1


@pytest.mark.parametrize("replication", [0, 1])
def test_every_bit_of_a_uniform_is_fair(engine, replication):
    uniforms = draws_of(range(200_000)).uniforms(replication).ravel()
    k = (uniforms * 2.0**52 - 0.5).astype(np.uint64)
    np.testing.assert_array_equal((k + 0.5) / 2.0**52, uniforms)
    bits = (k[:, None] >> np.arange(52, dtype=np.uint64)) & np.uint64(1)
    assert_monte_carlo(bits.mean(axis=0), 0.5, 0.5 / np.sqrt(uniforms.size))


# ---------------------------------------------------------------- Gumbel numbers


def exact_gumbel(uniform: float) -> float:
    """-log(-log(u)) of exactly this float, to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        return float(-((-(Decimal(uniform).ln())).ln()))


TAIL_UNIFORMS = [
    *(2.0**-53 * (2 * k + 1) for k in (0, 1, 2, 5, 100)),
    *(1 - 2.0**-53 * (2 * k + 1) for k in (0, 1, 2, 5, 100)),
    *(10.0**-power for power in range(1, 16)),
    *(1 - 10.0**-power for power in range(1, 16)),
    *np.linspace(0.001, 0.999, 41).tolist(),
]


@pytest.mark.parametrize("uniform", TAIL_UNIFORMS)
def test_the_gumbel_transform_is_right_in_both_tails(uniform):
    # near u = exp(-1) the answer passes through zero: there the rounding of log(u) counts absolutely
    assert gumbel_from_uniform(np.array([uniform]))[0] == pytest.approx(exact_gumbel(uniform), rel=4e-16, abs=5e-16)


def test_the_gumbel_numbers_reach_from_minus_3_6_to_36_7():
    lowest, highest = gumbel_from_uniform(np.array([uniform_of(0), uniform_of(2**64 - 1)]))
    assert lowest == pytest.approx(-3.6038, abs=1e-4)
    assert highest == pytest.approx(36.7368, abs=1e-4)
    # in float32 the largest uniform below one is 1 - 2^-24, and everything above 16.6 is lost
    assert highest > 2 * gumbel_from_uniform(np.array([1 - 2.0**-24]))[0]


def test_the_gumbel_transform_can_work_in_place():
    uniforms = np.array([0.1, 0.5, 0.9])
    expected = gumbel_from_uniform(uniforms)
    np.testing.assert_array_equal(uniforms, [0.1, 0.5, 0.9])
    assert gumbel_from_uniform(uniforms, out=uniforms) is uniforms
    np.testing.assert_array_equal(uniforms, expected)


def test_gumbel_numbers_have_their_mean_variance_and_exceedances(engine):
    gumbels = draws_of(range(250_000), range(4)).gumbels(0).ravel()
    n = gumbels.size
    variance, kurtosis = np.pi**2 / 6, 5.4
    assert_monte_carlo(gumbels.mean(), np.euler_gamma, np.sqrt(variance / n))
    assert_monte_carlo(gumbels.var(), variance, variance * np.sqrt((kurtosis - 1) / n))
    for level in (2.0, 5.0, 8.0, 10.0, 12.0):
        assert_rare_count(int(np.sum(gumbels > level)), n * -np.expm1(-np.exp(-level)))
    for level in (-1.0, -2.0, -2.4):
        assert_rare_count(int(np.sum(gumbels < level)), n * np.exp(-np.exp(-level)))


# ---------------------------------------------------------------- independence


def along(axis: str, n: int, width: int) -> np.ndarray:
    """Uniforms (n, width): n neighbours along one part of the address, each at `width` other addresses."""
    others = np.arange(width)
    match axis:
        case "agents":
            return draws_of(range(n), others).uniforms(0)
        case "large agents":
            return draws_of(row_words([2**63 + i for i in range(n)]), others).uniforms(0)
        case "agents 2^32 apart":
            return draws_of(np.arange(n, dtype=np.uint64) << np.uint64(32), others).uniforms(0)
        case "named agents":
            return draws_of(row_words([f"agent {i}" for i in range(n)]), others).uniforms(0)
        case "alternatives":
            return draws_of(others, range(n)).uniforms(0).T
        case "situations":
            return draws_of(row_words(np.zeros(n, dtype=int), range(n)), others).uniforms(0)
        case "agents in one situation":
            return draws_of(row_words(range(n), np.zeros(n, dtype=int)), others).uniforms(0)
        case "replications":
            pairs = [draws_of(others).uniform_pair(pair) for pair in range(n // 2)]
            return np.stack([half.ravel() for pair in pairs for half in pair])
        case "seeds":
            return np.stack([draws_of(others, seed=seed).uniforms(0).ravel() for seed in range(n)])
        case "large seeds":
            return np.stack([draws_of(others, seed=2**64 - n + seed).uniforms(0).ravel() for seed in range(n)])
        case "stages":
            stages = [draws_of(range(width), stage=stage).uniforms(0).ravel() for stage in Stage]
            return np.stack(stages)
    raise ValueError(axis)


AXES = [
    ("agents", 20_000, 10),
    ("large agents", 20_000, 10),
    ("agents 2^32 apart", 20_000, 10),
    ("named agents", 20_000, 10),
    ("alternatives", 20_000, 10),
    ("situations", 20_000, 10),
    ("agents in one situation", 20_000, 10),
    ("replications", 2_000, 100),
    ("seeds", 2_000, 100),
    ("large seeds", 2_000, 100),
    ("stages", len(Stage), 20_000),
]
every_axis = pytest.mark.parametrize(("axis", "n", "width"), AXES, ids=[axis for axis, *_ in AXES])


@every_axis
def test_uniforms_are_uniform_along_every_part_of_the_address(axis, n, width):
    uniforms = along(axis, n, width)
    size = uniforms.size
    assert_counts_follow(np.bincount((uniforms * 100).astype(int).ravel(), minlength=100), np.full(100, size / 100))
    assert_monte_carlo(uniforms.mean(), 1 / 2, np.sqrt(1 / 12 / size))
    assert_monte_carlo(uniforms.var(), 1 / 12, np.sqrt(1 / 180 / size))
    assert_monte_carlo(uniforms.mean(axis=0), 1 / 2, np.sqrt(1 / 12 / n))
    assert np.unique(uniforms).size == size


@every_axis
def test_neighbours_along_every_part_of_the_address_are_independent(axis, n, width):
    uniforms = along(axis, n, width)
    for lag in (1, 2, 3):
        assert_uncorrelated(uniforms[lag:], uniforms[:-lag])
        # the wound of seeds that are sums: the neighbour's numbers, shifted by a row or two
        for shift in (1, 2):
            assert_uncorrelated(uniforms[lag:, shift:], uniforms[:-lag, :-shift])
            assert_uncorrelated(uniforms[lag:, :-shift], uniforms[:-lag, shift:])
    even = uniforms.shape[0] // 2 * 2
    cells = (uniforms[0:even:2] * 16).astype(int) * 16 + (uniforms[1:even:2] * 16).astype(int)
    assert_counts_follow(np.bincount(cells.ravel(), minlength=256), np.full(256, cells.size / 256))


@every_axis
def test_the_number_of_low_uniforms_varies_as_independent_ones_do(axis, n, width):
    # correlated neighbours that no single lag shows still make sums vary too much or too little
    uniforms = along(axis, n, width)
    counts = np.sum(uniforms < 0.3, axis=0) if n >= width else np.sum(uniforms < 0.3, axis=1)
    size = max(n, width)
    statistic = np.sum((counts - 0.3 * size) ** 2) / (0.3 * 0.7 * size)
    assert_monte_carlo(statistic, counts.size, np.sqrt(2.0 * counts.size))


@pytest.mark.parametrize("seed", [0, 1, 2, 7, 1000, 2**32 - 1, 2**32, 2**63, 2**64 - 2])
@pytest.mark.parametrize("replication", [0, 1])
def test_adjacent_seeds_share_nothing_also_when_shifted(seed, replication):
    one, other = (draws_of(range(20_000), range(3), seed=s).uniforms(replication) for s in (seed, seed + 1))
    for shift in range(4):
        rows = 20_000 - shift
        assert_uncorrelated(one[shift:], other[:rows])
        assert_uncorrelated(one[:rows], other[shift:])
    assert_uncorrelated(one[:, 1:], other[:, :-1])
    assert not np.intersect1d(one, other).size


@pytest.mark.parametrize("replication", [0, 1, 2, 3, 98, 99])
def test_adjacent_replications_share_nothing_also_when_shifted(replication):
    draws = draws_of(range(20_000), range(3))
    one, other = draws.uniforms(replication), draws.uniforms(replication + 1)
    for shift in range(4):
        rows = 20_000 - shift
        assert_uncorrelated(one[shift:], other[:rows])
        assert_uncorrelated(one[:rows], other[shift:])
    assert not np.intersect1d(one, other).size


def test_seed_and_replication_are_not_added_up():
    # ActivitySim seeds by a sum: replication s + 1 is then replication s moved by one
    draws = {
        (seed, replication): draws_of(range(5_000), seed=seed).uniforms(replication)
        for seed in range(6)
        for replication in range(6)
    }
    for (seed, replication), one in draws.items():
        for neighbour in ((seed + 1, replication - 1), (seed - 1, replication + 2), (replication, seed)):
            if neighbour in draws and neighbour != (seed, replication):
                assert_uncorrelated(one, draws[neighbour])


def test_agents_situations_and_alternatives_do_not_trade_places():
    grid = np.arange(100)
    agents, situations = (part.ravel() for part in np.meshgrid(grid, grid, indexing="ij"))
    table = draws_of(row_words(agents, situations)).uniforms(0).reshape(100, 100)
    upper = np.triu_indices(100, 1)
    assert_uncorrelated(table[upper], table.T[upper])
    square = draws_of(grid, grid).uniforms(0)
    assert_uncorrelated(square[upper], square.T[upper])
    assert_uncorrelated(square, table)


def test_keys_of_neighbouring_streams_are_all_different():
    keys = {stream_key(seed, stage, pair) for seed in range(100) for stage in Stage for pair in range(100)}
    assert len(keys) == 100 * len(Stage) * 100


# ---------------------------------------------------------------- identifiers


def words(identifiers) -> list[int]:
    result = identifier_words(identifiers)
    assert result.dtype == np.uint64
    return result.tolist()


def test_whole_numbers_are_themselves_modulo_two_to_the_64():
    expected = [0, 1, 2**63, 2**64 - 1, 2**64 - 2**63, 0, 1]
    assert words([0, 1, 2**63, -1, -(2**63), 2**64, 2**64 + 1]) == expected


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.int64, ">i8", ">i4"])
def test_signed_arrays_are_the_whole_numbers_in_them(kind):
    assert words(np.array([0, 1, -1, -100], dtype=kind)) == [0, 1, 2**64 - 1, 2**64 - 100]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.uint32, np.uint64, ">u8"])
def test_unsigned_arrays_are_the_whole_numbers_in_them(kind):
    assert words(np.array([0, 1, 200], dtype=kind)) == [0, 1, 200]


@pytest.mark.parametrize(
    "same",
    [
        range(3),
        (0, 1, 2),
        [np.int64(0), np.uint8(1), 2],
        np.arange(3),
        np.arange(6)[::2] // 2,
        np.array([0, 1, 2], dtype=object),
        pd.Series([0, 1, 2]),
        pd.Series([0, 1, 2], index=[5, 6, 7], dtype="Int64"),
        pd.Index([0, 1, 2]),
        pd.Series([0, 1, 2], dtype="category"),
    ],
    ids=lambda same: type(same).__name__,
)
def test_whole_numbers_in_any_container_are_the_same(same):
    assert words(same) == [0, 1, 2]


ANN, BO = 0xA5F323BF6ADF3A8D, identifier_words(["bo"]).tolist()[0]


@pytest.mark.parametrize(
    "same",
    [
        ["ann", "bo"],
        ("ann", "bo"),
        np.array(["ann", "bo"]),
        np.array(["ann", "bo"], dtype=object),
        np.array(["ann", "bo"], dtype="U20"),
        [np.str_("ann"), "bo"],
        pd.Series(["ann", "bo"]),
        pd.Series(["ann", "bo"], dtype="string"),
        pd.Series(["ann", "bo"], dtype=object, index=[3, 1]),
        pd.Series(["ann", "bo"], dtype="category"),
        pd.Index(["ann", "bo"]),
    ],
    ids=lambda same: type(same).__name__,
)
def test_text_in_any_container_is_the_same(same):
    assert words(same) == [ANN, BO]


def test_in_a_mixed_list_every_identifier_keeps_its_own_type():
    assert words([1, "ann", -1, "1"]) == [1, ANN, 2**64 - 1, words(["1"])[0]]
    assert words(["1"]) != words([1])
    assert words([2**64 - 1, "ann", 2**70 + 5]) == [2**64 - 1, ANN, 5]


def test_uuids_are_their_text():
    some = uuid.UUID(int=5)
    assert words([some]) == words([str(some)]) == [0x3F502F829206BB41]
    assert words(pd.Series([some, some])) == words([str(some)] * 2)


def test_text_of_every_script_and_none_has_a_word():
    assert words(["", "naïve 東京"]) == [0xB4B2797457A0A6E4, 0x38C71D22D8B7338B]
    assert len(set(words(["a", "A", "á", "a\u0301", " a", "a ", "\ud800"]))) == 7


def test_text_enumerations_are_their_text():
    kind = StrEnum("Mode", {"CAR": "car"})
    assert words([kind.CAR]) == words(["car"])


@given(st.lists(st.integers(-(2**70), 2**70), max_size=5))
def test_lists_of_whole_numbers_of_any_size(numbers):
    assert words(numbers) == [number % 2**64 for number in numbers]


@pytest.mark.parametrize(
    "wrong",
    [
        [1.0],
        [1, 2.5],
        ["a", float("nan")],
        [None],
        ["a", None],
        [True],
        [1, False],
        [np.bool_(True)],
        np.array([1.0, 2.0]),
        np.array([True, False]),
        np.array([1j]),
        np.array([b"ann"]),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.array([1, None], dtype=object),
        pd.Series([1, None]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series(["a", None]),
        pd.Series(["a", None], dtype="string"),
        pd.Series(["a", None], dtype="category"),
        pd.Series([True, False]),
        [pd.NA],
        [pd.NaT],
    ],
    ids=repr,
)
def test_floats_booleans_and_the_missing_are_refused(wrong):
    with pytest.raises(InvalidInputError, match="identifiers must be whole numbers or text"):
        identifier_words(wrong)


@pytest.mark.parametrize("wrong", [5, "ann", [[1, 2], [3, 4]], np.zeros((2, 2), dtype=int)])
def test_identifiers_have_one_axis(wrong):
    with pytest.raises(ShapeError, match="one-dimensional"):
        identifier_words(wrong)


def test_messages_say_what_is_identified():
    with pytest.raises(InvalidInputError, match="situation identifiers"):
        row_words([1], [1.5])
    with pytest.raises(InvalidInputError, match="alternative identifiers"):
        alternative_words([None])


def test_no_identifiers_have_no_words():
    for none in ([], np.zeros(0, dtype=int), np.zeros(0, dtype=object), pd.Series([], dtype="int64")):
        assert words(none) == []


def test_text_does_not_depend_on_the_hash_seed_of_the_process():
    code = (
        "import uuid\n"
        "from choicekit.random import *\n"
        "a = ['ann', uuid.UUID(int=5), 3, 'bo']\n"
        "d = Draws(seed=1, stage=Stage.CHOICE, rows=row_words(a, a), alternatives=alternative_words(['x', 'y']))\n"
        "print(identifier_words(a).tolist(), d.uniforms(1).tolist(), hash('ann'))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.rsplit(" ", 1)
        for seed in ("1", "2")
    ]
    assert told[0][0] == told[1][0]
    assert told[0][1] != told[1][1], "the two processes do hash differently"
    assert str(ANN) in told[0][0]


# ---------------------------------------------------------------- rows and alternatives


def test_without_situations_a_row_is_its_agent():
    np.testing.assert_array_equal(row_words([3, "ann"]), identifier_words([3, "ann"]))


def test_rows_of_agents_and_situations_are_all_different():
    agents, situations = np.divmod(np.arange(200_000), 400)
    assert np.unique(row_words(agents, situations)).size == 200_000
    one_agent = row_words(np.zeros(200_000, dtype=int), np.arange(200_000))
    assert np.unique(one_agent).size == 200_000


def test_a_situation_is_not_added_to_the_agent():
    rows = row_words([0, 1, 1, 0, 2, 2**64 - 1], [1, 0, 1, 0, 2**64 - 1, 2])
    assert np.unique(rows).size == 6


def test_a_row_has_the_same_word_in_whatever_company():
    agents, situations = ["ann", "ann", "bo", 3], ["am", "pm", "am", 9]
    together = row_words(agents, situations)
    for row in range(4):
        assert row_words([agents[row]], [situations[row]])[0] == together[row]
    np.testing.assert_array_equal(row_words(agents[::-1], situations[::-1]), together[::-1])


def test_mixing_bits_is_one_to_one():
    some = np.concatenate([np.arange(100_000), 2**64 - 1 - np.arange(1_000, dtype=object)]).astype(np.uint64)
    assert np.unique(rng._scramble(some)).size == some.size
    assert rng._scramble(np.zeros(1, dtype=np.uint64))[0] == 0


@pytest.mark.parametrize(
    ("agents", "situations", "message"),
    [
        ([1, 2, 1], None, r"agent 1 occurs twice, in rows 0 and 2 \(counted from 0\): give each a `situation`"),
        (["b", "a", "a"], None, r"agent 'a' occurs twice, in rows 1 and 2"),
        ([1, 2, 1], [5, 5, 5], r"agent 1 in situation 5 occurs twice, in rows 0 and 2"),
        ([-1, 2**64 - 1], None, r"agent -1 and agent 18446744073709551615 share one address word"),
        ([0, 2**64], None, "share one address word"),
        ([ANN, "ann"], None, r"agent \d+ and agent 'ann' share one address word"),
        ([7, 7], [-1, 2**64 - 1], "share one address word"),
    ],
)
def test_a_repeated_row_or_a_shared_word_is_an_error(agents, situations, message):
    with pytest.raises(InvalidInputError, match=message):
        row_words(agents, situations)


def test_an_agent_may_choose_in_many_situations_and_a_situation_may_have_many_agents():
    assert np.unique(row_words([1, 1, 2, 2], ["am", "pm", "am", "pm"])).size == 4


def test_as_many_situations_as_agents_are_needed():
    with pytest.raises(ShapeError, match="found 2 and 3"):
        row_words([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    ("alternatives", "message"),
    [
        (["car", "bus", "car"], "distinct, found 'car', 'car'"),
        ([1, 2, 1], "found '1', '1'"),
        ([-1, 2**64 - 1], "found '-1', '18446744073709551615'"),
    ],
)
def test_alternatives_are_distinct(alternatives, message):
    with pytest.raises(InvalidInputError, match=message):
        alternative_words(alternatives)


def test_the_number_1_and_the_text_1_are_two_alternatives():
    assert alternative_words([1, "1"]).size == 2


# ---------------------------------------------------------------- seeds


@pytest.mark.parametrize("seed", [0, 7, 2**64 - 1, np.int64(7), np.uint64(2**64 - 1), np.uint8(3)])
def test_seeds_are_whole_numbers_of_64_bits(seed):
    assert check_seed(seed) == int(seed)
    assert type(check_seed(seed)) is int


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, None, "7", np.float64(7), np.array([7]), np.bool_(True)])
def test_anything_else_is_no_seed(seed):
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        check_seed(seed)
    with pytest.raises(InvalidInputError, match="seed must be a whole number"):
        draws_of([0], seed=seed)


# ---------------------------------------------------------------- the scheme is frozen

FROZEN_STAGES = {
    "CHOICE": 1, "INVERSE": 2, "NEST": 3, "COEFFICIENT": 4, "CLASS": 5, "BOOTSTRAP": 6, "PARAMETER": 7, "SYNTHETIC": 8,
    "MATCHING": 9, "LOTTERY": 10, "NULL_MODEL": 11,
}  # fmt: skip

# (seed, stage, agents, situations, alternatives): uniforms (rows, alternatives) of replications 0 to 3
FROZEN = [
    (
        (7, "CHOICE", [0, 1], None, [0, 1]),
        [
            ["0x1.405e2e9640a3ep-2", "0x1.675bcc93991dbp-1", "0x1.087bf22eb7fdcp-3", "0x1.6ee2b4fadcfcdp-1"],
            ["0x1.58d7ce0bccf1ep-2", "0x1.8a9353a8bf291p-1", "0x1.b1f99d3c75ff3p-1", "0x1.4a6c794c9fde4p-3"],
            ["0x1.e84cf5af8b17bp-1", "0x1.fc0a34b281f73p-1", "0x1.c9eb6733e0ef7p-1", "0x1.61cf8c7429d85p-1"],
            ["0x1.c721eab6c6f62p-2", "0x1.92ec4e7014ac8p-4", "0x1.14f9dfad98f47p-1", "0x1.06215dc11ca1bp-1"],
        ],
    ),
    (
        (7, "CHOICE", ["ann", "bo"], None, ["car", "bus"]),
        [
            ["0x1.bf47adc6be8d3p-1", "0x1.a39d840dddbf1p-1", "0x1.7987731128d36p-2", "0x1.8f62033fc4ce3p-1"],
            ["0x1.a913241dc67efp-1", "0x1.2f5e8915668a1p-1", "0x1.9e8404c6927c2p-2", "0x1.ca96fefdf88d6p-2"],
            ["0x1.6377780e66b73p-1", "0x1.346aaf0c33ef1p-1", "0x1.17d5e82cbc0b4p-3", "0x1.38fb15105faefp-1"],
            ["0x1.46afe55a42f48p-4", "0x1.9c0219a7c1dc0p-7", "0x1.bcfae4497ec36p-2", "0x1.d6f88b5fa9710p-5"],
        ],
    ),
    (
        (2**64 - 1, "INVERSE", [-1, 2**40], None, [0]),
        [
            ["0x1.80f7b9d2d4385p-1", "0x1.f5695b7e47c26p-2"],
            ["0x1.68bf65406d0d2p-2", "0x1.049683be13e7fp-1"],
            ["0x1.e9aff0cfe7faep-2", "0x1.fafcd11741113p-1"],
            ["0x1.6827a85a80cbep-2", "0x1.2f7e6f3bece50p-5"],
        ],
    ),
    (
        (7, "COEFFICIENT", ["ann", "ann"], [1, "evening"], ["b_cost"]),
        [
            ["0x1.2a5f687997ae6p-2", "0x1.e185a49bc2d6fp-1"],
            ["0x1.481e7a5f515cap-2", "0x1.8c176d5cae8f1p-1"],
            ["0x1.b9f764cd9a851p-1", "0x1.72998036d4390p-5"],
            ["0x1.9c1e4ba221ec2p-2", "0x1.7fee87d01b348p-4"],
        ],
    ),
]

# 2^53 times the uniform of seed 0, replication 0, agent 0 and alternative 0 at each stage
FROZEN_FIRST_DRAWS = {
    "CHOICE": 0x1FA66D4D0FEA45, "INVERSE": 0x1C886475417FC1, "NEST": 0x1EAAEF12D57B17, "COEFFICIENT": 0x1CCA34E572CEB9,
    "CLASS": 0x11FC9C4D2563F5, "BOOTSTRAP": 0xCBD7B6D901B3F, "PARAMETER": 0xBAA2EA8C92091,
    "SYNTHETIC": 0x13165917A0FD31, "MATCHING": 0x13D092CBD996D, "LOTTERY": 0xBD0A592F9DF3F,
    "NULL_MODEL": 0x1EE3FEFF35E881,
}  # fmt: skip


def test_the_draw_scheme_has_version_1():
    """Whoever changes a number below changes every result ever published with it: raise DRAW_SCHEME as well."""
    assert DRAW_SCHEME == 1


def test_stage_numbers_are_frozen():
    numbers = {stage.name: int(stage) for stage in Stage}
    assert {name: numbers.get(name) for name in FROZEN_STAGES} == FROZEN_STAGES
    assert len(set(numbers.values())) == len(Stage.__members__), "no stage may share another's draws"
    assert all(number > 11 for name, number in numbers.items() if name not in FROZEN_STAGES)


@pytest.mark.parametrize(("address", "expected"), FROZEN, ids=["numbers", "text", "large", "situations"])
def test_uniforms_are_frozen(engine, address, expected):
    seed, stage, agents, situations, alternatives = address
    draws = Draws(
        seed=seed,
        stage=Stage[stage],
        rows=row_words(agents, situations),
        alternatives=alternative_words(alternatives),
    )
    for replication in range(4):
        assert [number.hex() for number in draws.uniforms(replication).ravel().tolist()] == expected[replication]


@pytest.mark.parametrize(("stage", "expected"), FROZEN_FIRST_DRAWS.items())
def test_the_first_draw_of_every_stage_is_frozen(engine, stage, expected):
    assert draws_of([0], stage=Stage[stage], seed=0).uniforms(0)[0, 0] * 2**53 == expected


def test_words_of_identifiers_are_frozen():
    assert words(["ann", "naïve 東京", uuid.UUID(int=5), "", -1, 2**63]) == [
        0xA5F323BF6ADF3A8D, 0x38C71D22D8B7338B, 0x3F502F829206BB41, 0xB4B2797457A0A6E4, 2**64 - 1, 2**63,
    ]  # fmt: skip
    assert row_words([0, "ann"], [0, "x"]).tolist() == [0xB456BCFC34C2CB2C, 0x459E120B319560BC]
