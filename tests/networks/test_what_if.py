"""Communities that change, one step or one species after another."""

from __future__ import annotations

import numpy as np
import pytest

from choicekit import Community, InvalidInputError, compare_communities, extinction_curve
from tests.networks.webs import published


def toy(ensemble: str = "both") -> Community:
    """Three plants, two pollinators, 100 visits."""
    return Community(
        preferences=[[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]],
        row_mass=[50, 30, 20],
        column_mass=[60, 40],
        row_names=["Rosa", "Salix", "Malus"],
        column_names=["Apis", "Bombus"],
        temperature=0.5,
        ensemble=ensemble,  # type: ignore[arg-type]
    )


def test_masses_removed_are_gone_from_both_sides() -> None:
    after = toy().without("Rosa", "row")
    assert after.row_names == ("Salix", "Malus")
    assert after.total == pytest.approx(50.0)
    np.testing.assert_allclose(after.expected.sum(axis=1), [30.0, 20.0])
    np.testing.assert_allclose(after.expected.sum(axis=0), [30.0, 20.0])
    np.testing.assert_allclose(after.masses_used()["mass"], [30.0, 20.0, 30.0, 20.0])


def test_masses_redistributed_stay_on_their_side() -> None:
    after = toy().without("Rosa", "row", policy="redistributed")
    np.testing.assert_allclose(after.expected.sum(axis=1), [60.0, 40.0])
    np.testing.assert_allclose(after.expected.sum(axis=0), [60.0, 40.0])


def test_the_result_uses_the_masses_that_are_shown() -> None:
    """A known wound: an extinction that scales a copy and then uses the original."""
    for policy in ("removed", "redistributed"):
        used = toy().without("Salix", "row", policy=policy).masses_used()  # type: ignore[arg-type]
        np.testing.assert_allclose(used["mass"], used["expected"])


def test_a_free_side_answers_to_preferences() -> None:
    used = toy("rows").masses_used()
    assert used[used["side"] == "column"]["mass"].isna().all()
    after = toy("rows").without("Rosa", "row")
    share = after.expected.sum(axis=0)[1] / after.total
    assert share > toy("rows").coupling.sum(axis=0)[1]  # Rosa was preferred by Apis


def test_an_extinction_undoes_an_invasion_that_came_on_top() -> None:
    wider = toy().with_species("Vespa", "column", mass=25.0, preferences=[0.0, 0.0, 2.0], policy="removed")
    assert wider.total == pytest.approx(125.0)
    back = wider.without("Vespa", "column")
    np.testing.assert_allclose(back.expected, toy().expected, rtol=1e-7)


def test_an_invader_takes_from_its_own_side() -> None:
    wider = toy().with_species("Vespa", "column", mass=100.0, preferences=[0.0, 0.0, 2.0])
    np.testing.assert_allclose(wider.expected.sum(axis=0), [30.0, 20.0, 50.0])


def test_unknown_and_last_species_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"unknown row 'Rose', did you mean 'Rosa'"):
        toy().without("Rose", "row")
    with pytest.raises(InvalidInputError, match="no column with any mass would be left"):
        toy().without(["Apis", "Bombus"], "column")
    with pytest.raises(InvalidInputError, match="name of its own"):
        toy().with_species("Apis", "column", mass=1.0, preferences=[0, 0, 0])


def test_changes_are_paired_and_nothing_changes_where_nothing_did() -> None:
    change = compare_communities(toy(), toy(), seed=1, replications=20)
    table = change.metrics()
    assert (table["change"].fillna(0.0) == 0).all()
    assert (table["lower"].fillna(0.0) == 0).all()
    assert (change.species()["change"] == 0).all()


def test_a_hotter_community_is_less_specialised() -> None:
    change = compare_communities(toy(), toy().with_temperature(5.0), seed=2, replications=100, visits=1000)
    lower, upper = change.interval("h2_continuous")
    assert lower < upper < 0
    gone = compare_communities(toy(), toy().without("Rosa", "row"), seed=2, replications=10)
    species = gone.species().set_index("species")
    assert species.loc["Rosa", "after"] == 0
    assert species.loc["Rosa", "before"] == pytest.approx(50.0)
    pairs = gone.pairs().set_index(["row", "column"])
    assert pairs.loc[("Rosa", "Apis"), "after"] == 0
    assert pairs["change"].sum() == pytest.approx(-50.0)


def test_orders_of_extinction() -> None:
    counts = np.array([[9, 0, 0], [2, 2, 1], [0, 0, 7], [0, 0, 0]])
    by_visits = extinction_curve(counts, "abundance")
    assert by_visits.species == ("row_1", "row_3", "row_2")
    np.testing.assert_allclose(by_visits.static, [1, 1, 1, 0])
    assert extinction_curve(counts, "degree").species[0] == "row_2"
    np.testing.assert_allclose(extinction_curve(counts, "degree").static, [1, 2 / 3, 1 / 3, 0])
    given = extinction_curve(counts, ["row_2"], names=["row_1", "row_2", "row_3", "row_4"])
    np.testing.assert_allclose(given.static, [1, 2 / 3])
    with pytest.raises(InvalidInputError, match="found 'row_9'"):
        extinction_curve(counts, ["row_9"])


def test_random_losses_are_exact_on_average_and_have_a_band() -> None:
    counts = published("safariland").counts
    found = extinction_curve(counts, "random", seed=4, replications=300)
    assert found.lower is not None
    assert found.upper is not None
    assert np.all(found.lower <= found.static + 1e-12)
    assert np.all(found.static <= found.upper + 1e-12)
    assert found.rewired is None
    assert np.isnan(found.rewired_robustness)


def test_rewiring_keeps_partners_longer_than_links_that_stay() -> None:
    counts = published("safariland").counts
    community = Community(
        preferences=np.zeros(counts.shape), row_mass=counts.sum(axis=1), column_mass=counts.sum(axis=0)
    )
    found = extinction_curve(counts, "abundance", community=community, policy="redistributed")
    assert found.rewired is not None
    assert found.rewired_robustness > found.robustness
    np.testing.assert_allclose(found.rewired[:-1], 1.0)  # all visits are kept to the last
    assert found.rewired[-1] == 0.0
    removed = extinction_curve(counts, "abundance", community=community)
    assert removed.rewired is not None
    assert np.all(np.diff(removed.rewired) <= 1e-12)
