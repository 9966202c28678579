"""Preferences learnt from webs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from choicekit import (
    ConvergenceError,
    Free,
    IdentificationError,
    InteractionNetwork,
    InvalidInputError,
    ShapeError,
    centred,
    couple,
    cross_validate_preferences,
    fit_assignment,
    fit_preferences,
)
from choicekit.networks.cross_validation import thinned
from tests.networks.webs import FloatArray, published, size_match


def synthetic(
    preferences: FloatArray, n_sites: int, visits: int, seed: int, ensemble: str = "both"
) -> list[InteractionNetwork]:
    """Webs of sites with masses of their own, some of them 0, that share preferences."""
    rng, shape = np.random.default_rng(seed), preferences.shape
    found = []
    for site in range(n_sites):
        rows, columns = (rng.gamma(2.0, size=size) * (rng.random(size) < 0.9) for size in shape)
        coupling = couple(preferences, rows, columns, ensemble=ensemble).coupling  # type: ignore[arg-type]
        counts = rng.multinomial(visits, coupling.reshape(-1) / coupling.sum()).reshape(shape)
        found.append(InteractionNetwork(counts=counts, name=f"site {site}"))
    return found


def test_olito_and_fox_gain_a_likelihood_ratio_of_687_by_size_classes() -> None:
    fit = fit_preferences(published("olito2015_visits"), {"match": size_match()})
    assert pytest.approx(6.871, abs=1e-3) == 2 * 900 * (1.2479663 - 1.2441493)  # at lambda = 1 / 4, near the best
    assert fit.likelihood_ratio.statistic == pytest.approx(6.872, abs=5e-4)
    assert fit.likelihood_ratio.p_value == pytest.approx(0.00876, abs=5e-6)
    assert fit.coefficients[0] == pytest.approx(0.2535, abs=5e-5)


@pytest.mark.parametrize(
    ("ensemble", "sides"), [("both", (None, None)), ("rows", (None, Free())), ("columns", (Free(), None))]
)
def test_one_site_is_fitted_as_fit_assignment_fits_it(ensemble: str, sides: Sequence[Free | None]) -> None:
    rng = np.random.default_rng(3)
    basis = {"match": rng.normal(size=(7, 24)), "size": rng.normal(size=(7, 24))}
    network = published("vazquenc")
    own = fit_preferences(network, basis, ensemble=ensemble)  # type: ignore[arg-type]
    rows = network.counts.sum(axis=1) if sides[0] is None else sides[0]
    columns = network.counts.sum(axis=0) if sides[1] is None else sides[1]
    other = fit_assignment(network.counts, list(basis.values()), rows=rows, columns=columns)
    np.testing.assert_allclose(own.coefficients, other.coefficients, rtol=1e-6)
    if ensemble == "both":
        same = fit_assignment(network.counts, list(basis.values()))
        np.testing.assert_allclose(own.standard_errors, same.standard_errors, rtol=1e-6)
        np.testing.assert_allclose(own.log_likelihood, same.log_likelihood, rtol=1e-9)


@pytest.mark.parametrize("ensemble", ["both", "rows", "columns", "none"])
def test_coefficients_are_recovered_within_their_standard_errors_for_every_ensemble(ensemble: str) -> None:
    rng = np.random.default_rng(8)
    basis = {name: rng.normal(size=(8, 11)) for name in ("match", "reach")}
    truth = np.array([0.7, -0.4])
    preferences = truth[0] * basis["match"] + truth[1] * basis["reach"]
    sites = synthetic(preferences, 4, 3000, 21, ensemble)
    fit = fit_preferences(sites, basis, ensemble=ensemble)  # type: ignore[arg-type]
    assert fit.converged
    assert np.all(fit.standard_errors < 0.05)
    assert np.all(np.abs(fit.coefficients - truth) <= 4 * fit.standard_errors)
    assert fit.likelihood_ratio.p_value < 1e-6
    assert fit.wilcoxon() <= 0.125


def test_a_free_table_is_recovered_and_centred() -> None:
    preferences = np.random.default_rng(2).normal(size=(6, 9))
    fit = fit_preferences(synthetic(preferences, 6, 20_000, 4), penalty=1.0)
    np.testing.assert_allclose(fit.preferences.sum(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(fit.preferences.sum(axis=1), 0.0, atol=1e-9)
    assert np.corrcoef(fit.preferences.ravel(), centred(preferences).ravel())[0, 1] > 0.99
    assert np.abs(fit.preferences - centred(preferences)).mean() < 0.05
    assert fit.by_site()["kl_divergence"].max() < fit.by_site()["neutral_kl_divergence"].min()
    assert np.isnan(fit.likelihood_ratio.p_value)
    assert len(fit.to_frame()) == 54


def test_the_gradient_of_a_free_table_vanishes_as_claimed() -> None:
    network = published("safariland")
    fit = fit_preferences(network, penalty=2.0)
    residual = network.counts - network.visits * fit.coupling() - 2.0 * fit.preferences
    assert np.abs(residual).max() / network.visits <= 1e-5
    assert fit.converged


def test_a_stronger_penalty_brings_preferences_nearer_to_none() -> None:
    sizes = [np.abs(fit_preferences(published("safariland"), penalty=p).preferences).sum() for p in (1.0, 10.0, 1e6)]
    assert sizes[0] > sizes[1] > sizes[2]
    assert sizes[2] < 0.1


def test_sites_are_put_over_the_species_of_all() -> None:
    first = InteractionNetwork(counts=[[3, 1], [1, 2]], row_names=["a", "b"], column_names=["x", "y"])
    second = InteractionNetwork(counts=[[4, 1], [1, 5]], row_names=["b", "c"], column_names=["y", "z"])
    fit = fit_preferences([first, second], penalty=0.5)
    assert fit.row_names == ("a", "b", "c")
    assert fit.column_names == ("x", "y", "z")
    assert fit.preferences[0, 2] == pytest.approx(0.0, abs=0.2)  # nobody could have seen this pair
    alone = InteractionNetwork(counts=[[1]], row_names=["q"], column_names=["x"], name="far")
    with pytest.raises(InvalidInputError, match="site far has no row in common"):
        fit_preferences([first, second, alone], penalty=1.0)


def test_abundances_replace_observed_sums() -> None:
    network = InteractionNetwork(counts=[[8, 2], [2, 8]], row_abundance=[3.0, 1.0], column_abundance=[1.0, 1.0])
    fit = fit_preferences(network, {"match": np.eye(2)}, row_mass="abundance", on_failure="return")
    np.testing.assert_allclose(fit.coupling().sum(axis=1), [0.75, 0.25])
    assert np.isnan(fit.likelihood_ratio.p_value)
    missing = InteractionNetwork(counts=[[8, 2], [2, 8]], row_names=["a", "b"], row_abundance=[3.0, 0.0])
    with pytest.raises(InvalidInputError, match="found 0 for 'b', which has 10"):
        fit_preferences(missing, {"match": np.eye(2)}, row_mass="abundance")
    with pytest.raises(InvalidInputError, match="column_abundance must be given"):
        fit_preferences(missing, {"match": np.eye(2)}, column_mass="abundance")


def test_what_cannot_be_learnt_is_refused() -> None:
    network = published("vazquenc")
    flat = np.ones(network.shape) + np.arange(24.0)
    with pytest.raises(IdentificationError, match=r"cannot tell .* flat from 0"):
        fit_preferences(network, {"flat": flat})
    with pytest.raises(ShapeError, match="basis 'match' must have the shape"):
        fit_preferences(network, {"match": np.ones((2, 2))})
    with pytest.raises(InvalidInputError, match="needs a penalty above 0"):
        fit_preferences(network, penalty=0)
    with pytest.raises(ConvergenceError, match="give a penalty"):
        fit_preferences(InteractionNetwork(counts=[[5, 0], [0, 5]]), {"match": np.eye(2)})


def test_thinning_keeps_every_visit_once() -> None:
    counts = published("safariland").counts
    parts = thinned(counts, 5, 9)
    np.testing.assert_array_equal(np.sum(parts, axis=0), counts)
    assert [part.sum() for part in parts] == [226.0] * 5


def test_cross_validation_prefers_to_hold_back_what_is_noise() -> None:
    rng = np.random.default_rng(6)
    neutral = synthetic(np.zeros((6, 8)), 4, 300, 31)
    strong = synthetic(2 * rng.normal(size=(6, 8)), 4, 300, 32)
    penalties = [0.3, 3.0, 3000.0]
    noise = cross_validate_preferences(neutral, seed=1, penalties=penalties)
    signal = cross_validate_preferences(strong, seed=1, penalties=penalties)
    assert noise.by == signal.by == "sites"
    assert noise.best == 3000.0
    assert signal.best < 3000.0
    assert signal.gain.min() > 0
    assert signal.p_value == 0.125
    visits = cross_validate_preferences(published("safariland"), seed=1, penalties=[1.0, 100.0], folds=3)
    assert visits.by == "visits"
    assert visits.gain.mean() > 0
