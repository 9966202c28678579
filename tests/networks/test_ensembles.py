"""Couplings in the four ensembles, with published answers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from choicekit import InvalidInputError, centred, couple, coupling_fit, neutral_coupling
from choicekit.networks.ensembles import ENSEMBLES
from tests.networks.webs import published, size_match

TRAITS = np.array([1.5, 2.0, 2.5, 4.0, 5.4])
BOTTOM, TOP = (0.2, 0.2, 0.1, 0.2, 0.3), (0.3, 0.4, 0.1, 0.2)


def test_the_toy_community_has_its_known_sums() -> None:
    preferences = norm.pdf(TRAITS[:, None], loc=[1.6, 2.2, 2.7, 5.0], scale=[0.4, 0.6, 0.3, 0.9])
    coupling = couple(preferences, BOTTOM, TOP, temperature=0.05).coupling
    known = [0.21319805, 0.10694216, 0.10519073, 0.07851009]
    np.testing.assert_allclose((coupling * preferences).sum(axis=0), known, atol=5e-9)


def test_size_classes_of_olito_and_fox_explain_a_little_at_a_quarter() -> None:
    counts, match = published("olito2015_visits").counts, size_match()
    rows, columns = counts.sum(axis=1), counts.sum(axis=0)
    rates = 2.0 ** np.arange(-10, 1)
    found = [coupling_fit(counts, couple(match, rows, columns, temperature=1 / rate).coupling) for rate in rates]
    divergences = np.array([one.kl_divergence for one in found])
    assert rates[divergences.argmin()] == 0.25
    assert divergences.min() == pytest.approx(1.24415, abs=5e-6)
    assert divergences[-1] == pytest.approx(1.27506, abs=5e-6)
    assert coupling_fit(counts, neutral_coupling(rows, columns)).kl_divergence == pytest.approx(1.24797, abs=5e-6)


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_without_preferences_the_coupling_is_neutral(ensemble: str) -> None:
    found = couple(np.zeros((5, 4)), BOTTOM, TOP, ensemble=ensemble).coupling  # type: ignore[arg-type]
    np.testing.assert_allclose(found, neutral_coupling(BOTTOM, TOP, ensemble), rtol=1e-8)  # type: ignore[arg-type]


@pytest.mark.parametrize("ensemble", ENSEMBLES)
def test_what_an_ensemble_cannot_tell_changes_nothing(ensemble: str) -> None:
    preferences = np.random.default_rng(1).normal(size=(5, 4))
    kept = centred(preferences, ensemble)  # type: ignore[arg-type]
    one = couple(preferences, BOTTOM, TOP, ensemble=ensemble).coupling  # type: ignore[arg-type]
    np.testing.assert_allclose(couple(kept, BOTTOM, TOP, ensemble=ensemble).coupling, one, rtol=1e-7)  # type: ignore[arg-type]
    np.testing.assert_allclose(centred(kept, ensemble), kept, atol=1e-12)  # type: ignore[arg-type]


def test_the_divergence_is_zero_for_the_web_itself_and_infinite_where_a_visit_is_ruled_out() -> None:
    counts = published("vazquenc").counts
    found = coupling_fit(counts, counts)
    assert found.kl_divergence == pytest.approx(0.0, abs=1e-12)
    assert found.auc == 1.0
    assert coupling_fit([[1, 1]], [[1.0, 0.0]]).kl_divergence == np.inf
    assert np.isnan(coupling_fit([[1, 1]], [[1.0, 1.0]]).auc)


def test_a_species_of_zero_abundance_meets_nobody() -> None:
    found = couple(np.zeros((2, 2)), [1.0, 0.0], [1.0, 2.0]).coupling
    np.testing.assert_allclose(found, [[1 / 3, 2 / 3], [0.0, 0.0]])


def test_a_side_that_is_fixed_needs_mass() -> None:
    with pytest.raises(InvalidInputError, match="row_mass must hold at least one number above 0"):
        couple(np.zeros((2, 2)), [0.0, 0.0], [1.0, 1.0], ensemble="rows")
    assert couple(np.zeros((2, 2)), [0.0, 0.0], [1.0, 1.0], ensemble="columns").converged
    with pytest.raises(InvalidInputError, match="ensemble must be one of both, rows"):
        couple(np.zeros((2, 2)), [1.0, 1.0], [1.0, 1.0], ensemble="plants")  # type: ignore[arg-type]
