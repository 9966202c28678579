"""The report of an assignment: what is on the page is what was found, in words that fit it."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag

from choicekit.assignment.conditions import AtMost, Fixed, Free, Relaxed, WithOutsideOption
from choicekit.assignment.inverse import fit_assignment
from choicekit.assignment.policies import AssignmentPolicy, UtilityShift
from choicekit.assignment.study import FitSettings
from choicekit.report.content import Report
from choicekit.report.kinds import headline
from choicekit.report.kinds.assignment.coupling import MOST_TYPES, aggregated, top_pairs
from choicekit.report.kinds.assignment.view import view_of
from choicekit.report.kinds.assignment.words import lead
from choicekit.report.numbers import significant
from choicekit.report.page import render_page
from choicekit.report.text import plain
from choicekit.rules import Sparsemax
from tests.report.assignments import (
    AGREES,
    GUESTS,
    PASTRIES,
    assignment_report,
    assignment_result,
    hostile_report,
    large_problem,
    marriage_outcome,
    marriages,
    outcome_of,
    tea_outcome,
    tea_party,
)
from tests.report.studies import FAILED, HOSTILE, parse

SVG = "{http://www.w3.org/2000/svg}"


@cache
def page(name: str) -> BeautifulSoup:
    return soup_of(reports(name))


@cache
def reports(name: str) -> Report:
    if name == "hostile":
        return hostile_report()
    return assignment_report({"tea": tea_outcome, "marriage": marriage_outcome}[name]())


def soup_of(report: Report) -> BeautifulSoup:
    return BeautifulSoup(render_page(report), "html.parser")


def cells(soup: BeautifulSoup, table: str) -> dict[str, list[str]]:
    """Rows of a table by their name."""
    found = soup.find(id=f"table-{table}")
    assert isinstance(found, Tag), table
    return {
        row.th.get_text(strip=True): [cell.get_text(strip=True) for cell in row.find_all("td")]
        for row in found.select("tbody tr")
        if row.th is not None
    }


def at_most(*mass: float) -> AtMost:
    return AtMost(np.array(mass))


def fixed(*mass: float) -> Fixed:
    return Fixed(np.array(mass))


def relaxed(*mass: float, strength: float) -> Relaxed:
    return Relaxed(np.array(mass), strength=strength)


def words(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in parse(svg).iter(f"{SVG}text")]


# --- the verdict ----------------------------------------------------------------------------------------------------


def test_the_title_is_the_policy_that_does_most_at_the_same_temperature() -> None:
    result = assignment_result(tea_outcome())
    change = tea_outcome().comparison.policies["another-guest"].welfare_change  # type: ignore[union-attr]
    assert headline(result).startswith(f"Another guest raises welfare by {significant(change)} points")
    assert page("tea").h1.get_text() == reports("tea").title  # type: ignore[union-attr]
    assert plain(reports("tea").title) == headline(result) == reports("tea").summary["finding"]


def test_a_failed_check_goes_before_everything_else() -> None:
    result = assignment_result(tea_outcome(), checks=(FAILED,))
    assert headline(result).startswith("Not to be relied on yet")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, "Hare and scone are matched"),
        ({"utility": np.zeros((4, 4))}, "Everyone is matched as by chance"),
        ({"utility": 1e-3 * np.eye(4)}, "times as often as by chance, and no pair much more"),
        ({"rows": AtMost(np.ones(4)), "utility": np.full((4, 4), -1e5)}, "Nothing is matched"),
    ],
)
def test_the_title_without_policies(changes: dict[str, Any], found: str) -> None:
    changes = {"columns": at_most(4.0, 3, 2, 1)} | changes if "rows" in changes else changes
    assert found in headline(assignment_result(outcome_of(tea_party(**changes))))


def test_a_policy_that_changes_nothing_says_so() -> None:
    report = assignment_report(outcome_of(tea_party(), policies={"none": AssignmentPolicy()}))
    assert report.title == "The policy changes nobody's welfare"
    assert "Welfare and prices of all types stay as they are." in soup_of(report).get_text()


def test_codes_keep_their_small_letter() -> None:
    assert headline(assignment_result(outcome_of(marriages()))).startswith("w25-basic and m25-basic are matched")


def test_a_solver_that_stops_short_is_said_to() -> None:
    outcome = outcome_of(tea_party(temperature=0.01), max_iterations=1)
    assert not outcome.result.converged
    told = lead(view_of(assignment_result(outcome)))
    assert "did not reach its tolerance" in told
    assert "no assignment is better" not in told


# --- the headline numbers and the certificate -----------------------------------------------------------------------


def test_headline_numbers_are_those_of_the_result() -> None:
    result = tea_outcome().result
    found = cells(page("tea"), "headline")
    assert found["mass matched"][0] == "10"
    for name, value in (("objective, primal", result.primal), ("objective, dual", result.dual)):
        assert found[name][0] == significant(value, 7)
    assert found["gap"][0] == significant(result.gap, 2)
    assert found["row error"][0] == significant(result.row_error, 2)
    assert found["iterations"] == [str(result.n_iterations), f"Of {result.method}"]
    assert found["reference"][0] == "counting"
    assert "Only utility over temperature is identified" in found["temperature"][1]


def test_the_reference_is_named() -> None:
    outcome = outcome_of(tea_party(reference="product", rows=relaxed(2.0, 3, 3, 2, strength=1.0)))
    found = cells(soup_of(assignment_report(outcome)), "headline")
    assert found["reference"] == ["product", "Entropy is relative to the product of the masses"]


def test_errors_are_drawn_with_the_phases_of_the_solver() -> None:
    history = tea_outcome().result.history
    drawn = words(reports("tea").figures["errors"])
    assert {"row error", "column error", "tolerance", "iteration"} <= set(drawn)
    phases = dict.fromkeys(history.phase)
    assert len(phases) > 1
    assert any(word == f"1 {next(iter(phases))}".replace(" = ", "\u00a0=\u00a0") for word in drawn)
    table = cells(page("tea"), "phases")
    counted = sum(int(row[0]) for row in table.values() if row[0].isdigit())
    assert counted == len(history.iteration)
    last = list(table.values())[-1]  # the assignment as returned
    assert last[1:] == [significant(e, 2) for e in (tea_outcome().result.row_error, tea_outcome().result.column_error)]


def test_a_comparison_with_pot_is_shown_with_its_threshold() -> None:
    row = next(iter(cells(page("tea"), "cross-check").values()))
    assert row == ["✓ agrees", significant(2.5e-10, 2), significant(1e-12, 2), f"≤ {significant(1e-6, 2)}"]
    wrong = dataclasses.replace(AGREES, passed=False, coupling_difference=0.5)
    report = assignment_report(outcome_of(tea_party(), cross_check=wrong))
    assert next(iter(cells(soup_of(report), "cross-check").values()))[:2] == ["✗ does not agree", "0.5"]
    assert "POT does not agree" in report.lead


def test_what_pot_cannot_express_is_said_plainly() -> None:
    assert page("marriage").find(id="table-cross-check") is None
    assert "No comparison: POT cannot express outside options." in page("marriage").get_text()
    assert "POT cannot express outside options" in reports("marriage").lead


def test_of_several_best_assignments_only_the_objective_agrees() -> None:
    problem = tea_party(utility=np.zeros((4, 4)), temperature=0.0)
    check = dataclasses.replace(AGREES, coupling_difference=0.1, reason="only the objective was compared")
    report = assignment_report(outcome_of(problem, cross_check=check))
    assert "POT agrees on what is best; of several assignments that are, each may find another." in report.lead
    assert "differ" not in report.lead
    assert "several are best" in next(iter(cells(soup_of(report), "cross-check").values()))[1]
    assert "Only the objective was compared." in soup_of(report).get_text()


def test_the_sparse_rule_has_no_entropy_and_no_reference() -> None:
    report = assignment_report(outcome_of(tea_party(rule=Sparsemax()), temperatures=(10.0, 1.0, 0.1)))
    assert "reference" not in {fact.name for fact in report.facts} | cells(soup_of(report), "headline").keys()
    assert "minus half the squared norm" in soup_of(report).get_text()
    assert "entropy" not in " ".join(words(report.figures["path-entropy"]))


def test_capacity_that_only_rounding_leaves_is_none() -> None:
    outcome = outcome_of(tea_party(columns=at_most(5.0, 3, 2, 3)))
    assert 0 < outcome.result.column_outside[2] < 1e-8 or outcome.result.column_outside[2] == 0
    assert view_of(assignment_result(outcome)).columns.outside[2] == 0


def test_those_who_gain_alike_are_counted() -> None:
    shift = AssignmentPolicy(utility_shifts=[UtilityShift(amount=1.0, column="scone")])
    text = soup_of(assignment_report(outcome_of(tea_party(), policies={"jam": shift}))).get_text()
    assert "Jam: scone gains most, +0.600 each, tart and 2 more lose most, −0.400 each" in text


# --- who is matched with whom ---------------------------------------------------------------------------------------


def test_the_heatmap_has_every_mass_and_every_name() -> None:
    drawn, result = words(reports("tea").figures["coupling"]), tea_outcome().result
    assert {*GUESTS, *PASTRIES, "guests", "pastries"} <= set(drawn)
    for mass in result.coupling.ravel():
        assert f"{mass:.2f}" in drawn


def test_pairs_are_compared_with_chance() -> None:
    result = tea_outcome().result
    neutral = np.outer(result.row_sums, result.column_sums) / result.coupling.sum()
    table = cells(page("tea"), "pairs")
    pairs = top_pairs(view_of(assignment_result(tea_outcome())))
    assert len(table) == len(pairs) == result.coupling.size
    best = np.unravel_index((result.coupling - neutral).argmax(), neutral.shape)
    first = next(iter(table))
    assert first == f"{GUESTS[best[0]]} and {PASTRIES[best[1]]}"
    assert table[first][3] == significant(float(result.coupling[best] / neutral[best]))
    ratios = [pair.ratio for pair in pairs]
    assert [ratio > 1 for ratio in ratios] == sorted((ratio > 1 for ratio in ratios), reverse=True)
    assert f"{table[first][3]}×" in words(reports("tea").figures["pairs"])


def test_many_types_are_added_up_and_it_is_said_how() -> None:
    outcome = outcome_of(large_problem(), temperatures=(0.2, 0.05), tolerance=1e-7)
    report = assignment_report(outcome, scenario={"labels": {"rows": "towns", "columns": "sites"}})
    html = render_page(report)
    assert len(html.encode()) < 2_000_000
    text = BeautifulSoup(html, "html.parser").get_text()
    assert "adds up neighbours in the order given, 4 towns by 5 sites to a cell" in text
    assert "coupling" not in report.tables  # in data/coupling.parquet
    values, rows, columns = aggregated(
        outcome.result.coupling, (tuple(map(str, range(200))), tuple(map(str, range(300))))
    )
    assert values.shape == (len(rows), len(columns)) == (50, 60)
    np.testing.assert_allclose(values[3, 7], outcome.result.coupling[12:16, 35:40].sum())
    np.testing.assert_allclose(values.sum(), outcome.result.coupling.sum())
    assert max(values.shape) <= MOST_TYPES
    for name, svg in report.figures.items():
        assert len(svg) < 300_000, name


def test_only_blocks_that_are_forbidden_throughout_are() -> None:
    values = np.ones((120, 2))
    values[0, 0] = values[2, 0] = values[3, 0] = np.nan
    found, _, _ = aggregated(values, (tuple(map(str, range(120))), ("x", "y")))
    assert found[0, 0] == 1
    assert np.isnan(found[1, 0])
    assert found[1, 1] == 2


def test_forbidden_and_unusable_pairs_are_told() -> None:
    utility = np.zeros((2, 2))
    utility[0, 1] = -np.inf  # ann takes the scones, so that nothing of them is left for bo
    problem = tea_party(
        utility=utility,
        rows=fixed(1.0, 1.0),
        columns=fixed(1.0, 1.0),
        row_names=("ann", "bo"),
        column_names=("scone", "tart"),
    )
    report = assignment_report(outcome_of(problem))
    text = soup_of(report).get_text()
    assert "1 of 4 pairs is forbidden." in text
    assert "Half of all mass is in 1 of 3 allowed pairs" in text
    assert "1 allowed pair has no mass" in text
    assert report.tables["unusable"].to_numpy().tolist() == [["bo", "scone"]]
    assert report.summary["unusable_pairs"] == report.summary["forbidden_pairs"] == 1


# --- prices, and who is left out ------------------------------------------------------------------------------------


def test_prices_are_minus_potentials_with_columns_free_on_average() -> None:
    table, result = reports("tea").tables["columns"], tea_outcome().result
    np.testing.assert_allclose(table["price"] @ result.problem.columns.mass, 0, atol=1e-12)  # type: ignore[operator]
    np.testing.assert_allclose(np.diff(table["price"]), -np.diff(result.column_potential))
    shown = cells(page("tea"), "columns")
    assert [row[2] for row in shown.values()] == [f"{price:.2f}".replace("-", "−") for price in table["price"]]


def test_singles_are_shown_by_type() -> None:
    result = marriage_outcome().result
    shown = cells(page("marriage"), "rows")
    drawn = words(reports("marriage").figures["outside-rows"])
    mass = result.problem.rows.mass
    assert mass is not None
    for name, single, total in zip(shown, result.row_outside, mass, strict=True):
        assert shown[name][2].startswith(f"{single:.1f}")
        assert f"{100 * single / total:.1f}\u202f%" in drawn


def test_unused_capacity_and_places_without_mass() -> None:
    problem = tea_party(columns=at_most(8.0, 3, 0, 1), rows=fixed(2.0, 3, 0, 2))
    report = assignment_report(outcome_of(problem))
    soup = soup_of(report)
    assert cells(soup, "columns")["eclair"][-1] == "no mass"
    assert "of the capacity is unused" in soup.get_text()
    assert "outside-columns" in report.figures
    assert "outside-rows" not in report.figures


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": Free(), "columns": Free(), "total_mass": 2.0},
        {"columns": Free()},
        {"rows": relaxed(2.0, 3, 3, 2, strength=0.5), "columns": relaxed(4.0, 3, 2, 1, strength=2.0)},
        {"temperature": 0.0},
        {"rule": Sparsemax()},
        {"row_names": None, "column_names": None},
        {"utility": np.array([[1.0]]), "rows": [1.0], "columns": [1.0], "row_names": None, "column_names": None},
        {"utility": np.eye(14), "rows": np.ones(14), "columns": np.ones(14), "row_names": None, "column_names": None},
    ],
    ids=["free", "one free", "relaxed", "T = 0", "sparse", "nameless", "one pair", "fourteen"],
)
def test_every_kind_of_problem_has_a_report(changes: dict[str, Any]) -> None:
    html = render_page(assignment_report(outcome_of(tea_party(**changes))))
    assert "nan" not in BeautifulSoup(html, "html.parser").get_text().split()


# --- what only some studies ask for ---------------------------------------------------------------------------------


def test_the_path_is_shown_from_hot_to_cold() -> None:
    path = tea_outcome().path
    assert path is not None
    table = cells(page("tea"), "path")
    assert list(table) == [f"T\u00a0=\u00a0{significant(float(t))}" for t in path.temperatures]
    assert [row[0] for row in table.values()] == [significant(float(u), 5) for u in path.utility]
    assert {"path-utility", "path-entropy", "path-distance-to-neutral", "path-couplings"} <= set(reports("tea").figures)
    assert "T = 100" in words(reports("tea").figures["path-couplings"])


def test_the_end_of_the_path_is_marked_and_said_to_be_one_of_several() -> None:
    problem = tea_party(utility=np.ones((4, 4)))  # every assignment is as good as every other
    report = assignment_report(outcome_of(problem, temperatures=(2.0, 1.0, 0.0)))
    assert "It is one of the best" in soup_of(report).get_text()
    assert "at T = 0" in words(report.figures["path-entropy"])


def test_policies_are_shown_against_the_baseline() -> None:
    comparison = tea_outcome().comparison
    assert comparison is not None
    table = cells(page("tea"), "policies")
    for row, policy in zip(table.values(), comparison.policies.values(), strict=True):
        change = policy.welfare_change
        expected = "0" if policy.name == "nothing" else f"{'+' if change > 0 else ''}{significant(change, 4)}"
        assert row[0] == ("–not comparable" if policy.name == "warmer" else expected)
    assert table["Sweeter scones"][-1] == "0"  # it moves no mass
    guest = cells(page("tea"), "another-guest-rows")
    assert guest["Cat"][0].endswith("new")
    drawn = words(reports("tea").figures["welfare-jam-for-the-hatter"])
    by_name = comparison.policies["jam-for-the-hatter"].row_welfare_change
    assert f"{by_name['Hatter']:+.3f}" in [word.replace("−", "-") for word in drawn]


def test_welfare_at_another_temperature_is_not_compared() -> None:
    assert "welfare-warmer" not in reports("tea").figures
    assert "price-warmer" in reports("tea").figures
    assert page("tea").get_text().count("welfare before and after is not comparable") == 1
    alone = outcome_of(tea_party(), policies={"warmer": AssignmentPolicy(temperature=2.0)})
    assert assignment_report(alone).title.startswith("Hare and scone are matched")


def test_bars_are_of_the_changes_that_are_largest_in_size() -> None:
    n = 30
    market = tea_party(
        utility=np.zeros((n, n)),
        rows=WithOutsideOption(np.ones(n)),
        columns=WithOutsideOption(np.ones(n)),
        row_names=tuple(f"guest {place:02}" for place in range(n)),
        column_names=tuple(f"pastry {place:02}" for place in range(n)),
    )
    shifts = [UtilityShift(amount=-1.0 - place / n, row=f"guest {place:02}") for place in range(n)]
    drawn = words(
        assignment_report(outcome_of(market, policies={"all": AssignmentPolicy(utility_shifts=shifts)})).figures[
            "welfare-all"
        ]
    )
    guests = [word for word in drawn if word.startswith("guest ")]
    assert guests == [f"guest {place}" for place in range(20, 30)]


def test_prices_that_change_as_welfare_does_are_not_drawn_twice() -> None:
    figures = reports("tea").figures
    assert "price-sweeter-scones" not in figures
    assert "Prices change by the same amounts." in page("tea").get_text()
    assert "price-more-college" in reports("marriage").figures  # masses change, and with them what prices hold


def test_figures_have_at_most_twenty_categories() -> None:
    n = 25
    problem = tea_party(
        utility=np.random.default_rng(1).normal(size=(n, n)),
        rows=np.ones(n),
        columns=AtMost(np.full(n, 1.5)),
        row_names=tuple(f"guest {place}" for place in range(n)),
        column_names=tuple(f"pastry {place}" for place in range(n)),
    )
    policies = {"more": AssignmentPolicy(utility_shifts=[UtilityShift(amount=1.0, row="guest 3", column="pastry 4")])}
    report = assignment_report(outcome_of(problem, policies=policies))
    for name in ("prices-rows", "prices-columns", "outside-columns", "welfare-more", "pairs"):
        named = [word for word in words(report.figures[name]) if "guest " in word or "pastry " in word]
        assert 0 < len(named) <= 20, name


def test_fitted_coefficients_stand_beside_the_true_ones() -> None:
    table = cells(page("marriage"), "coefficients")
    assert table["same school"] == ["0.77", "0.011", "0.748 to 0.792", "0.8", "−2.7"]
    text = page("marriage").get_text()
    assert "2 of 3 true values are within the 95\u202f% intervals" in text
    assert "estimated from 50\u202f000 observations" in text
    assert "units of the temperature" in text
    assert "cannot be told" not in text  # singles tell what is constant
    assert "twice the log-likelihood rises by 531.5 with 3 coefficients" in text
    assert reports("marriage").summary["fit"]["coefficients"]["age_gap"]["true_value"] == 0.6


def test_a_fit_as_it_is_made_is_shown() -> None:
    problem = tea_party()
    basis = np.stack([problem.utility, np.eye(4)])
    observed = outcome_of(problem).result.coupling
    fit = fit_assignment(observed, basis)
    truth = np.array([1.0, 0.0])
    settings = FitSettings(basis=basis, names=fit.names, true_coefficients=truth)
    report = assignment_report(outcome_of(problem, fit=fit, settings=settings))
    found = report.tables["coefficients"]
    np.testing.assert_allclose(found["estimate"], truth, atol=1e-6)
    assert "true values" in report.lead
    assert "constant by row or by column cannot be told" in soup_of(report).get_text()
    assert len(cells(soup_of(report), "coefficients")) == 2


# --- every page -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tea", "marriage", "hostile"])
def test_every_figure_has_its_table_and_ids_are_unique(name: str) -> None:
    soup = page(name)
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(set(ids)) == len(ids)
    figures = soup.find_all("figure")
    assert len(figures) > 5
    for figure in figures:
        assert figure["aria-describedby"] in ids


def test_hostile_names_are_text_everywhere() -> None:
    soup = page("hostile")
    assert not soup.find_all(["script", "iframe", "img", "object", "embed"])
    assert not [tag for tag in soup.find_all(True) if any(key.lower().startswith("on") for key in tag.attrs)]
    assert HOSTILE[0] in soup.get_text()
    for name, svg in hostile_report().figures.items():
        tags = {element.tag.removeprefix(SVG) for element in parse(svg).iter()}
        assert not tags & {"script", "a", "image", "foreignObject"}, name
    assert hostile_report().tables["rows"]["name"].tolist() == list(HOSTILE)
