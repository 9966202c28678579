"""Metrics of webs: published values, webs by hand, laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit import InvalidInputError, ShapeError, describe_network, describe_species
from choicekit.networks.metrics import METRICS
from choicekit.networks.robustness import random_loss_curve, static_loss_curve
from choicekit.networks.specialisation import h2_of, least_entropy, most_entropy_of_whole_counts
from tests.networks.webs import BLOCKS, CHECKERBOARD, NESTED, UNIFORM, FloatArray, published, webs
from tests.tolerances import ALGEBRA


def test_safariland_has_its_published_numbers() -> None:
    """Values given with the data by its source and computed twice independently; see the docstrings for formulas."""
    found = describe_network(published("safariland").counts)
    assert (found.n_rows, found.n_columns, found.links, found.visits) == (9, 27, 39, 1130)
    assert found.connectance == pytest.approx(0.1604938, abs=5e-8)
    assert found.shannon == pytest.approx(1.58249, abs=5e-6)
    assert found.evenness_by_cells == pytest.approx(0.288089, abs=5e-7)
    assert found.nodf == pytest.approx(24.548, abs=5e-4)
    assert found.weighted_nodf == pytest.approx(11.606, abs=5e-4)
    assert found.h2_continuous == pytest.approx(0.858, abs=5e-4)
    assert found.h2_integer == pytest.approx(0.855, abs=2e-3)


def test_the_other_published_webs_have_their_sizes() -> None:
    olito, vazquenc = published("olito2015_visits"), published("vazquenc")
    assert (olito.shape, olito.visits, olito.links) == ((41, 125), 900, 319)
    assert (vazquenc.shape, vazquenc.visits) == ((7, 24), 761)


@pytest.mark.parametrize(
    ("web", "nodf", "weighted"),
    [(NESTED, 100.0, 100.0), (CHECKERBOARD, 0.0, 0.0), (BLOCKS, 0.0, 0.0), (UNIFORM, 0.0, 0.0)],
)
def test_nestedness_of_textbook_webs(web: FloatArray, nodf: float, weighted: float) -> None:
    found = describe_network(web)
    assert (found.nodf, found.weighted_nodf) == (nodf, weighted)


def test_blocks_are_specialised_and_a_uniform_web_is_not() -> None:
    assert describe_network(np.diag([3.0, 3.0, 3.0])).h2_continuous == pytest.approx(1.0, abs=ALGEBRA)
    assert describe_network(UNIFORM).h2_continuous == pytest.approx(0.0, abs=ALGEBRA)
    np.testing.assert_allclose(describe_network(np.diag([3.0, 3.0, 3.0])).d_prime, 1.0, atol=1e-12)
    np.testing.assert_allclose(describe_network(UNIFORM).d_prime, 0.0, atol=1e-12)


def test_whole_counts_on_a_web_of_three_by_three_by_hand() -> None:
    """Sums (3, 1, 1) and (3, 1, 1).

    Expected counts are [[1.8, .6, .6], [.6, .2, .2], [.6, .2, .2]]; the most even whole web that has these sums is
    [[1, 1, 1], [1, 0, 0], [1, 0, 0]] with five single visits: entropy log 5, the largest that five visits can have.
    """
    sums = np.array([3.0, 1.0, 1.0])
    assert most_entropy_of_whole_counts(sums, sums) == pytest.approx(np.log(5), abs=1e-12)
    web = np.array([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert h2_of(web, whole=True) == pytest.approx(1.0, abs=1e-12)
    spread = np.array([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert h2_of(spread, whole=True) == pytest.approx(0.0, abs=1e-12)
    continuous = 2 * -(0.6 * np.log(0.6) + 0.4 * np.log(0.2))
    least = least_entropy(sums, sums)
    assert h2_of(spread, whole=False) == pytest.approx((continuous - np.log(5)) / (continuous - least), abs=1e-12)


def test_the_most_even_whole_web_is_the_best_of_all_small_ones() -> None:
    """All webs of two rows with given sums are tried."""
    rng = np.random.default_rng(5)
    for _ in range(30):
        columns = rng.integers(1, 5, size=4)
        first = int(rng.integers(1, columns.sum()))
        rows = np.array([first, columns.sum() - first], dtype=float)
        best = -np.inf
        for top in itertools.product(*(range(c + 1) for c in columns)):
            if sum(top) == first:
                web = np.array([top, columns - np.array(top)], dtype=float)
                shares = web[web > 0] / web.sum()
                best = max(best, float(-(shares * np.log(shares)).sum()))
        assert most_entropy_of_whole_counts(rows, columns.astype(float)) == pytest.approx(best, abs=1e-9)


def test_d_prime_by_hand() -> None:
    """A species with two visits to one of two partners that are visited alike: d = log 2, d_min = 0, d_max = log 2."""
    web = np.array([[2.0, 0.0], [1.0, 3.0]])
    q = np.array([0.5, 0.5])
    second = 0.25 * np.log(0.25 / q[0]) + 0.75 * np.log(0.75 / q[1])
    np.testing.assert_allclose(describe_network(web).d_prime, [np.log(2) / np.log(3), second / np.log(6 / 4)])


@given(web=webs(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_no_metric_depends_on_the_order_of_species(web: FloatArray, data: st.DataObject) -> None:
    rows = data.draw(st.permutations(range(len(web))))
    columns = data.draw(st.permutations(range(web.shape[1])))
    one, other = describe_network(web), describe_network(web[np.ix_(rows, columns)])
    for name, value in one.to_dict().items():
        np.testing.assert_allclose(getattr(other, name), value, rtol=1e-9, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(other.d_prime, one.d_prime[rows], rtol=1e-7, atol=1e-7)


@given(web=webs())
@settings(max_examples=80, deadline=None)
def test_turning_a_web_swaps_its_sides(web: FloatArray) -> None:
    one, other = describe_network(web), describe_network(web.T)
    assert one.vulnerability == other.generality
    np.testing.assert_allclose(one.weighted_generality, other.weighted_vulnerability)
    np.testing.assert_allclose([one.nodf, one.weighted_nodf], [other.nodf, other.weighted_nodf], atol=1e-9)
    np.testing.assert_allclose(one.h2_continuous, other.h2_continuous, atol=1e-9)
    np.testing.assert_allclose(one.d_prime, other.column_d_prime, atol=1e-9)


@given(web=webs())
@settings(max_examples=80, deadline=None)
def test_species_never_visited_change_nothing_and_are_counted(web: FloatArray) -> None:
    wider = np.pad(web, ((0, 1), (1, 0)))
    one, other = describe_network(web), describe_network(wider)
    assert other.unvisited_rows == one.unvisited_rows + 1
    assert other.unvisited_columns == one.unvisited_columns + 1
    for name in METRICS:
        np.testing.assert_array_equal(getattr(other, name), getattr(one, name), err_msg=name)
    assert np.isnan(other.d_prime[-1])


@given(web=webs())
@settings(max_examples=80, deadline=None)
def test_indices_stay_in_their_ranges(web: FloatArray) -> None:
    found = describe_network(web)
    for value in (found.h2_continuous, found.h2_integer, *found.d_prime, *found.column_d_prime, found.coverage):
        assert np.isnan(value) or -1e-12 <= value <= 1 + 1e-12
    for value in (found.nodf, found.weighted_nodf):
        assert np.isnan(value) or 0 <= value <= 100
    assert found.weighted_nodf <= found.nodf or np.isnan(found.nodf)
    assert found.estimated_links >= found.links


@given(web=webs(4))
@settings(max_examples=40, deadline=None)
def test_the_mean_random_loss_is_that_over_all_orders(web: FloatArray) -> None:
    web = web[web.any(axis=1)]
    curves = [static_loss_curve(web, np.array(order), 0) for order in itertools.permutations(range(len(web)))]
    np.testing.assert_allclose(random_loss_curve(web, 0), np.mean(curves, axis=0), atol=1e-12)


def test_fractions_leave_out_what_needs_whole_counts() -> None:
    found = describe_network([[0.5, 1.5], [2.0, 0.0]])
    assert np.isnan([found.h2_integer, found.coverage, found.estimated_links]).all()
    assert np.isfinite([found.h2_continuous, found.shannon, found.nodf]).all()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ([[1.0, -2.0]], "found -2 for row 0, column 1"),
        ([[1.0], [np.nan]], "found nan for row 1, column 0"),
        ([[np.inf, np.nan]], "found inf for row 0, column 0, and 1 more such cells"),
        ([[0.0, 0.0]], "at least one interaction"),
    ],
)
def test_what_are_no_counts_is_refused_with_its_cell(counts: object, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        describe_network(counts)  # type: ignore[arg-type]


def test_a_table_is_needed() -> None:
    with pytest.raises(ShapeError, match="rows by columns"):
        describe_network([1.0, 2.0])


def test_species_by_hand() -> None:
    found = describe_species([[2, 2, 0], [0, 4, 0]], axis=1)
    assert found["species"].tolist() == ["column_1", "column_2", "column_3"]
    assert found["degree"].tolist() == [1, 2, 0]
    np.testing.assert_allclose(found["strength"], [0.5, 1.5, 0.0])
    np.testing.assert_allclose(found["effective_partners"], [1.0, 3 / 2 ** (2 / 3), 0.0])
    assert np.isnan(found["d_prime"][2])
