"""The tenth station: tables of choices, and the exact law of each."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import choose, softmax
from choicekit.tour.two_samplings import TwoSamplingsStation, visit_two_samplings

ROW = np.array([1.2, 1.0, 0.2, 1.6])
BETTER = np.array([1.2, 2.0, 0.2, 1.6])
NAMES = ("air", "train", "bus", "car")
N = 20_000


@pytest.fixture(scope="module")
def station() -> TwoSamplingsStation:
    return visit_two_samplings(ROW, NAMES, N, improved=1, lift=1.0, seed=11)


def table(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    counts = np.zeros((4, 4), dtype=int)
    np.add.at(counts, (rows, columns), 1)
    return counts


def test_the_tables_count_the_choices_of_choose(station: TwoSamplingsStation) -> None:
    before, after = (choose(u, seed=11, agents=range(N)) for u in (ROW, BETTER))
    inverse = [choose(u, seed=11, agents=range(N), sampling="fast") for u in (ROW, BETTER)]
    np.testing.assert_array_equal(station.joint, table(before, inverse[0]))
    np.testing.assert_array_equal(station.switching_coherent, table(before, after))
    np.testing.assert_array_equal(station.switching_inverse, table(inverse[0], inverse[1]))
    assert station.agreement == np.mean(before == inverse[0])
    assert station.passed


def test_coherent_switches_go_to_the_improved_alternative_only(station: TwoSamplingsStation) -> None:
    off = ~np.eye(4, dtype=bool)
    moved = station.switching_coherent * off
    assert moved.sum() == moved[:, 1].sum() > 0
    assert station.needless_coherent == 0
    assert station.needless_inverse == (station.switching_inverse * off)[:, [0, 2, 3]].sum() > 0


def test_the_exact_laws_have_the_right_margins(station: TwoSamplingsStation) -> None:
    p, after = softmax(ROW), softmax(BETTER)
    for law in (station.expected_coherent, station.expected_inverse):
        assert np.all(law >= 0)
        np.testing.assert_allclose(law.sum(axis=1), p, atol=1e-15)
        np.testing.assert_allclose(law.sum(axis=0), after, atol=1e-15)


def test_the_law_of_inverse_switching_is_that_of_one_uniform(station: TwoSamplingsStation) -> None:
    uniform = (np.arange(400_000) + 0.5) / 400_000
    borders = [softmax(u).cumsum() for u in (ROW, BETTER)]
    before, after = (np.searchsorted(border, uniform) for border in borders)
    np.testing.assert_allclose(table(before, after) / uniform.size, station.expected_inverse, atol=1e-5)


@pytest.mark.parametrize("improved", [0, 2])
@pytest.mark.parametrize("row", [[0.0, 0.0, 0.0], [0.0, 900.0, -900.0], [5.0, 5.0, -1.0]])
def test_its_claims_hold_for_other_rows(row: list[float], improved: int) -> None:
    for seed in range(3):
        station = visit_two_samplings(np.array(row), ("a", "b", "c"), 3_000, improved=improved, lift=0.7, seed=seed)
        assert station.passed
