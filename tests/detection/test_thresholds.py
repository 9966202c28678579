"""Thresholds and p-values keep what they promise: in simulation, with stated standard errors."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from choicekit.detection.conformal import benjamini_hochberg, conformal_p_values, p_values_by_group
from choicekit.detection.thresholds import retention_threshold, rows_needed
from choicekit.errors import InvalidInputError, ShapeError
from tests.tolerances import MONTE_CARLO, P_VALUE


@pytest.mark.parametrize("sides", ["upper", "both"])
@pytest.mark.parametrize(("n", "retention"), [(39, 0.95), (200, 0.9), (1_000, 0.99)])
def test_the_realised_rate_follows_its_beta_law(n: int, retention: float, sides: str) -> None:
    """For uniform scores the rate beyond a threshold is known exactly: 3,000 calibration sets against the Beta law."""
    rng = np.random.default_rng(1)
    rates = []
    for _ in range(3_000):
        found = retention_threshold(rng.random(n), retention, sides=sides)
        rates.append(1 - found.value + max(found.lower, 0.0))
    assert stats.kstest(rates, stats.beta(*found.beta).cdf).pvalue > P_VALUE
    error = np.std(rates, ddof=1) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - found.expected_rate) < MONTE_CARLO * error
    assert found.expected_rate <= 1 - retention + 1e-12
    lower, upper = found.rate_interval(0.9)
    inside = np.mean((np.array(rates) >= lower) & (np.array(rates) <= upper))
    assert abs(inside - 0.9) < MONTE_CARLO * np.sqrt(0.09 / len(rates))


def test_the_rank_is_the_smallest_that_keeps_enough() -> None:
    for n in (19, 20, 99, 100, 101, 632):
        found = retention_threshold(np.arange(n), 0.95)
        assert found.rank / (n + 1) >= 0.95 - 1e-12 > (found.rank - 1) / (n + 1)
        assert found.value == found.rank - 1
        assert sum(found.beta) == n + 1


@pytest.mark.parametrize("retention", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("sides", ["upper", "both"])
def test_too_few_rows_say_how_many_are_needed(retention: float, sides: str) -> None:
    needed = rows_needed(retention, sides=sides)
    retention_threshold(np.arange(needed), retention, sides=sides)
    with pytest.raises(InvalidInputError, match=f"needs at least {needed:,} calibration rows, found {needed - 1:,}"):
        retention_threshold(np.arange(needed - 1), retention, sides=sides)


def test_flags_are_beyond_and_never_at_the_threshold() -> None:
    found = retention_threshold(np.zeros(50), 0.95)
    assert found.flags([0.0, 1e-300, -1.0]).tolist() == [False, True, False]
    both = retention_threshold(np.arange(100.0), 0.9, sides="both")
    assert both.flags([-1.0, both.lower, 50.0, both.value, 100.0]).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0, np.nan], 0.5), InvalidInputError, "found nan in row 1"),
        (([[1.0]], 0.5), ShapeError, "one number a row"),
        ((np.zeros(50), 1.0), InvalidInputError, "retention must be between 0 and 1, found 1.0"),
        ((np.zeros(50), "a"), InvalidInputError, "retention must be between 0 and 1"),
    ],
)
def test_what_gives_no_threshold_is_refused(arguments: tuple, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        retention_threshold(*arguments)
    with pytest.raises(InvalidInputError, match="'upper' or 'both'"):
        retention_threshold(np.zeros(50), sides="lower")


# --- p-values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", ["upper", "both"])
def test_p_values_of_exchangeable_rows_are_uniform(sides: str) -> None:
    """One new row each for 20,000 calibration sets of 19: every twentieth p-value equally often."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(20_000, 20))
    p = np.array([conformal_p_values(row[1:], row[0], sides=sides) for row in scores])
    ranks = np.round(p * (20 if sides == "upper" else 10)).astype(int)
    assert stats.chisquare(np.bincount(ranks)[1:]).pvalue > P_VALUE
    for level in (0.05, 0.1, 0.5):
        assert np.mean(p <= level) <= level + MONTE_CARLO * np.sqrt(level * (1 - level) / p.size)


def test_ties_make_p_values_larger_and_never_too_small() -> None:
    rng = np.random.default_rng(3)
    p = np.array([conformal_p_values(row[1:], row[0]) for row in rng.integers(0, 3, (5_000, 30)).astype(float)])
    for level in (0.05, 0.2, 0.4):
        assert np.mean(p <= level) <= level + MONTE_CARLO * np.sqrt(level * (1 - level) / p.size)


def test_p_values_and_the_threshold_agree() -> None:
    rng = np.random.default_rng(4)
    known, new = rng.normal(size=157), rng.normal(size=400) * 2
    for sides in ("upper", "both"):
        flagged = retention_threshold(known, 0.9, sides=sides).flags(new)
        p = conformal_p_values(known, new, sides=sides)
        assert p[flagged].max() < p[~flagged].min()
        assert p[flagged].max() <= 0.1


def test_groups_have_p_values_of_their_own() -> None:
    found = p_values_by_group([1.0, 2.0, 9.0], ["a", "a", "b"], [9.0, 9.0], ["a", "b"])
    np.testing.assert_allclose(found, [1 / 3, 1.0])
    with pytest.raises(InvalidInputError, match="group 'c' has no calibration rows"):
        p_values_by_group([1.0], ["a"], [1.0], ["c"])
    with pytest.raises(ShapeError):
        p_values_by_group([1.0], ["a"], [1.0, 2.0], ["a"])


def test_false_discoveries_stay_rare() -> None:
    """Batches of 80 known and 20 new rows against one calibration set each: 1,500 of them, at a rate of .2."""
    rng = np.random.default_rng(5)
    shares, found_new = [], []
    for _ in range(1_500):
        p = conformal_p_values(rng.normal(size=500), np.r_[rng.normal(size=80), rng.normal(size=20) + 3])
        discovered = benjamini_hochberg(p, 0.2)
        shares.append(discovered[:80].sum() / max(discovered.sum(), 1))
        found_new.append(discovered[80:].mean())
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert np.mean(shares) <= 0.2 * 0.8 + MONTE_CARLO * error  # the rate times the share of known rows
    assert np.mean(shares) > 0.1  # and it is used
    assert np.mean(found_new) > 0.5


def test_benjamini_hochberg_step_by_step() -> None:
    """The example of the paper: 15 p-values, of which 4 are discoveries at .05."""
    p = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    assert benjamini_hochberg(p, 0.05).tolist() == [True] * 4 + [False] * 11
    assert not benjamini_hochberg([0.9, 0.8], 0.1).any()
    assert benjamini_hochberg([], 0.1).shape == (0,)
    with pytest.raises(InvalidInputError, match="from 0 to 1"):
        benjamini_hochberg([1.5])
    with pytest.raises(InvalidInputError, match="rate of false discoveries"):
        benjamini_hochberg([0.5], 0.0)


def test_p_values_refuse_what_is_no_score() -> None:
    with pytest.raises(InvalidInputError, match="at least one calibration row"):
        conformal_p_values([], [1.0])
    with pytest.raises(InvalidInputError, match="found nan in row 1"):
        conformal_p_values([1.0], [0.0, np.nan])
    with pytest.raises(InvalidInputError, match="'upper' or 'both'"):
        conformal_p_values([1.0], [0.0], sides="lower")
