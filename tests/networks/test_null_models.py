"""Null webs: what they keep, the law they have, and what is said of metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from choicekit import InvalidInputError, compare_with_null, couple, sample_network
from choicekit.networks.null_models import NULL_MODELS
from tests.networks.webs import FloatArray, published, webs
from tests.tolerances import MONTE_CARLO, P_VALUE


@pytest.mark.parametrize("model", NULL_MODELS)
@given(web=webs())
@settings(max_examples=25, deadline=None)
def test_every_model_keeps_what_it_promises(model: str, web: FloatArray) -> None:
    null = sample_network(web, model, seed=7, replication=3)
    assert null.sum() == web.sum()
    assert np.all(null == np.rint(null))
    assert null.min() >= 0
    if model == "fixed_marginals":
        np.testing.assert_array_equal(null.sum(axis=0), web.sum(axis=0))
        np.testing.assert_array_equal(null.sum(axis=1), web.sum(axis=1))
    if model == "connectance":
        assert np.count_nonzero(null) == np.count_nonzero(web)
        np.testing.assert_array_equal(null.any(axis=0), web.any(axis=0))
        np.testing.assert_array_equal(null.any(axis=1), web.any(axis=1))


def test_fixed_marginals_have_patefields_law() -> None:
    """Of a 2 x 2 web with sums (3, 2) and (3, 2) the first cell is hypergeometric."""
    web = np.array([[3.0, 0.0], [0.0, 2.0]])
    cells = [int(sample_network(web, "fixed_marginals", seed=11, replication=r)[0, 0]) for r in range(2000)]
    law = stats.hypergeom(5, 3, 3).pmf(range(1, 4))
    assert stats.chisquare(np.bincount(cells, minlength=4)[1:], 2000 * law).pvalue > P_VALUE


def test_maximum_entropy_draws_from_the_coupling() -> None:
    web = published("safariland").counts
    coupling = couple(np.zeros(web.shape), web.sum(axis=1), web.sum(axis=0), ensemble="rows").coupling
    draws = np.array(
        [sample_network(web, "maximum_entropy", seed=2, replication=r, coupling=coupling) for r in range(300)]
    )
    error = np.sqrt(web.sum() * coupling * (1 - coupling) / 300)
    assert np.all(np.abs(draws.mean(axis=0) - web.sum() * coupling) <= MONTE_CARLO * error)


def test_threads_and_portions_change_nothing_and_seeds_do() -> None:
    web = published("safariland").counts
    one = compare_with_null(web, "connectance", seed=3, replications=20)
    two = compare_with_null(web, "connectance", seed=3, replications=20, workers=2)
    other = compare_with_null(web, "connectance", seed=4, replications=20)
    np.testing.assert_array_equal(one.values["nodf"], two.values["nodf"])
    assert not np.array_equal(one.values["nodf"], other.values["nodf"])
    first = sample_network(web, "connectance", seed=3, replication=0)
    from choicekit import describe_network

    assert one.values["nodf"][0] == describe_network(first).nodf


def test_a_metric_that_does_not_vary_has_no_z_score() -> None:
    found = compare_with_null(published("safariland").counts, "connectance", seed=1, replications=50)
    for value in (found.z_score("connectance"), found.percentile("connectance"), found.p_value("connectance")):
        assert np.isnan(value)
    values = found.values["h2_continuous"]
    assert found.z_score("h2_continuous") == (found.observed["h2_continuous"] - values.mean()) / values.std(ddof=1)
    assert found.percentile("h2_continuous") == 100.0
    assert found.p_value("h2_continuous") == 2 / 51
    running = found.convergence("nodf")
    assert running["mean"].iloc[-1] == pytest.approx(found.values["nodf"].mean())
    assert running["standard_error"].iloc[-1] == pytest.approx(stats.sem(found.values["nodf"]))


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"whole numbers of interactions, found 0\.5 for row 0, column 1"):
        sample_network([[1, 0.5]], "fixed_marginals", seed=1)
    with pytest.raises(InvalidInputError, match="must be one of equiprobable"):
        sample_network([[1]], "swap", seed=1)
    with pytest.raises(InvalidInputError, match="found 'nodfs'"):
        compare_with_null([[1]], "equiprobable", seed=1, metrics=["nodfs"])
    with pytest.raises(InvalidInputError, match="goes with the null model maximum_entropy"):
        sample_network([[1]], "equiprobable", seed=1, coupling=[[1.0]])
