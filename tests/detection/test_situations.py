"""Situations against a reference: nominal rates, and distances from the others."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit.detection.distance import AttributeReference
from choicekit.detection.situations import SituationReference, left_out_distances
from choicekit.errors import IdentificationError, InvalidInputError
from tests.tolerances import MONTE_CARLO


def test_a_row_is_measured_from_the_others() -> None:
    table = np.random.default_rng(1).normal(size=(25, 3)) @ np.diag([1.0, 100.0, 1e-3])
    found = left_out_distances(AttributeReference.fit(table), table)
    for row in range(25):
        others = np.delete(table, row, axis=0)
        assert found[row] == pytest.approx(AttributeReference.fit(others).distance(table[[row]])[0], rel=1e-9)


def test_a_row_that_alone_spans_a_direction_is_infinitely_far() -> None:
    table = np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0], [3.0, 5.0]])
    found = left_out_distances(AttributeReference.fit(table), table)
    assert found[3] > 1e6 or np.isinf(found[3])


@pytest.mark.parametrize("sides", ["upper", "both"])
def test_flags_are_as_rare_as_promised(sides: str) -> None:
    """800 references of 60 situations, and one new each; of 12 attributes, so that a row's own place would show."""
    rng = np.random.default_rng(2)
    flags = []
    for _ in range(800):
        energies, table = rng.normal(size=61), rng.normal(size=(61, 12))
        reference = SituationReference.fit(energies[1:], retention=0.9, sides=sides, attributes=table[1:])
        found = reference.judge(energies[:1], table[:1])
        flags.append((found.flagged[0], found.distant[0]))
    rates = np.mean(flags, axis=0)
    expected = reference.threshold.expected_rate, reference.distance_threshold.expected_rate
    assert np.all(np.abs(rates - expected) < MONTE_CARLO * np.sqrt(0.09 / 800))


def test_both_sides_flag_what_is_too_good() -> None:
    known = np.linspace(-1, 1, 99)
    assert SituationReference.fit(known, sides="both").judge([-9.0, 0.0, 9.0]).flagged.tolist() == [True, False, True]
    assert SituationReference.fit(known).judge([-9.0, 0.0, 9.0]).flagged.tolist() == [False, False, True]
    found = SituationReference.fit(known).judge([0.0])
    assert found.distances is None
    assert found.distant is None


def test_what_is_not_known_is_not_judged() -> None:
    table = np.random.default_rng(3).normal(size=(60, 2))
    reference = SituationReference.fit(table.sum(axis=1), retention=0.9, attributes=table)
    found = reference.judge([9.0, np.nan, 9.0, 0.0], [[9.0, 0.0], [9.0, 0.0], [np.nan, 9.0], [0.0, 0.0]])
    assert found.judged.tolist() == [True, False, True, True]
    assert found.flagged.tolist() == [True, False, True, False]
    assert np.isnan(found.p_values).tolist() == [False, True, False, False]
    assert np.isnan(found.distances).tolist() == [False, True, True, False]
    assert found.distant.tolist() == [True, False, False, False]
    assert (found.flagged_share(), found.distant_share()) == (2 / 3, 1 / 2)
    assert found.flagged_share(np.array([True, True, False, False])) == 1.0
    assert np.isnan(found.flagged_share(np.array([False, True, False, False])))
    assert np.isnan(reference.judge([0.0]).distant_share())


def test_what_makes_no_reference_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="needs at least 19 calibration rows, found 5"):
        SituationReference.fit(np.zeros(5))
    with pytest.raises(IdentificationError, match="found that 'a', 'b' do"):
        SituationReference.fit(np.arange(30.0), attributes=np.outer(np.arange(30.0), [1, 2]), names=["a", "b"])
