"""The page of a comparison: the laws of every page, and that its numbers are those of the comparison."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag

from choicekit.choice.calibration import calibrate_constants
from choicekit.choice.model import ChoiceModel
from choicekit.choice.policies import Policy
from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.report.page import render_page
from choicekit.rules import Softmax
from tests.report import test_page as laws
from tests.report.comparisons import (
    POLICIES,
    RESULTS,
    constant_comparison,
    many_comparison,
    mode_comparison,
    report_on,
    result_on,
)
from tests.report.studies import FAILED, HELD, HOSTILE, mode_choice, parse, report_of, result_of

LAWS = (
    laws.test_page_stands_alone,
    laws.test_internal_links_lead_somewhere,
    laws.test_every_figure_has_caption_table_and_label,
    laws.test_tables_and_headings_are_well_formed,
    laws.test_figures_are_xml,
    laws.test_no_number_is_raw,
)

SVG = "{http://www.w3.org/2000/svg}"


def plain(text: str) -> str:
    """Text with ordinary spaces and minus signs."""
    return text.replace("\u202f", " ").replace("\u00a0", " ").replace("−", "-")


def soup_of(report: Report) -> BeautifulSoup:
    return BeautifulSoup(render_page(report), "html.parser")


def cells(table: Tag | None) -> list[list[str]]:
    """Texts of the body of a table, row by row."""
    assert table is not None
    return [
        [plain(cell.get_text("|", strip=True)) for cell in row.find_all(["th", "td"])]
        for row in table.select("tbody tr")
    ]


@pytest.fixture(scope="module", params=list(RESULTS))
def page(request: pytest.FixtureRequest) -> tuple[str, BeautifulSoup, Report]:
    report = report_on(request.param)
    html = render_page(report)
    return html, BeautifulSoup(html, "html.parser"), report


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.removeprefix("test_"))
def test_laws_of_every_page_hold(law: object, page: tuple[str, BeautifulSoup, Report]) -> None:
    assert callable(law)
    law(page)


def test_sections_come_in_this_order() -> None:
    soup = soup_of(report_on("usual"))
    keys = [str(tag["href"])[1:] for tag in soup.select("nav a")]
    assert keys == ["policies", "who", "worth", "elasticities", "sure", "shares", "segments", "model", "rerun"]


def test_without_policies_nothing_is_said_of_them() -> None:
    report = report_of(mode_choice(replications=4))
    assert "policies" not in report.tables
    assert "policies" not in report.summary
    assert "polic" not in render_page(report).split("</style>")[1]


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    report = report_on("hostile")
    html = render_page(report)
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all(["script", "img", "b", "i", "u"])
    assert [cell.get_text() for cell in soup.select("#table-policy-overview tbody th")][:2] == list(HOSTILE[:2])
    assert "\x0b" not in html
    assert "\u202e" not in html
    for svg in report.figures.values():
        assert not list(parse(svg).iter(f"{SVG}script"))
    diffs = "".join(tag.get_text() for tag in soup.select("pre.diff"))
    assert "</script><b>new</b>" in diffs
    assert "<img src=x onerror=alert(3)>" in diffs


def test_shares_table_shows_share_change_and_simulated_change() -> None:
    result = result_on("usual")
    comparison = result.comparison
    rows = cells(soup_of(report_on("usual")).select_one("#table-policies"))
    assert [row[0] for row in rows] == ["air", "train", "bus", "car", "night train"]
    for place, row in enumerate(rows):
        assert row[1] == (f"{100 * comparison.baseline_shares[0, place]:.1f}" if place < 4 else "not offered")
        for column, outcome in enumerate(comparison.policies.values(), start=2):
            if not outcome.offered[place]:
                assert row[column] == "not offered"
                continue
            estimate = outcome.estimate()
            half = f" ± {100 * estimate.half_width[0, place]:.1f}" if estimate.half_width[0, place] > 0 else ""
            change = f"{100 * outcome.share_change[0, place]:+.1f}" if place < 4 else "new"
            simulated = f"{100 * estimate.change[0, place]:+.1f}"
            expected = f"{100 * outcome.shares[0, place]:.1f}|{change}|{simulated}{half}"
            assert row[column] == expected.replace("+0.0", "0.0").replace("-0.0", "0.0")


def test_switching_table_shows_who_goes_where() -> None:
    result = result_on("usual")
    outcome = result.comparison.policies["no-bus"]
    part = outcome.switching[0] / outcome.weight[0]
    rows = cells(soup_of(report_on("usual")).select_one("#table-switching-no-bus"))
    assert [row[0] for row in rows] == ["air", "train", "bus", "car"]
    assert rows[0][1] == f"{100 * part[0, 0]:.1f}|stay"
    assert rows[2][2].startswith(f"{100 * part[2, 1]:.1f}|± ")
    assert [row[3] for row in rows] == ["not offered"] * 4  # nobody can stay there, nor switch to it
    assert rows[2][5] == f"{100 * part[2].sum():.1f}"
    # Removing an alternative moves only its choosers.
    assert [rows[place][-1] for place in (0, 1, 3)] == ["0"] * 3


def test_flow_figure_has_a_ribbon_for_every_flow() -> None:
    result = result_on("usual")
    outcome = result.comparison.policies["no-bus"]
    svg = report_on("usual").figures["switching-no-bus"]
    curves = [path for path in parse(svg).iter(f"{SVG}path") if "C" in str(path.get("d"))]
    moved = outcome.switching[0].copy()
    np.fill_diagonal(moved, 0)
    assert len(curves) == (moved > 0).sum() == 3


def test_welfare_table_is_in_money_and_names_both_intervals() -> None:
    result = result_on("usual")
    soup = soup_of(report_on("usual"))
    rows = cells(soup.select_one("#table-worth"))
    heads = [cell.get_text(strip=True) for cell in soup.select("#table-worth thead th")]
    assert heads[:4] == ["policy", "mean, total below", "agents", "coefficients"]
    for row, outcome in zip(rows, result.comparison.policies.values(), strict=True):
        total = outcome.money_welfare.total[0]
        assert row[1].startswith(f"{outcome.money_welfare.mean[0]:+.2f}|{total:+.0f}"[:-1])
        lower, upper = outcome.parameters.interval(outcome.parameters.money_change[:, 0])
        assert row[3] == f"{lower:.2f} to {upper:.2f}"
    assert rows[0][-1] == "100 / 0 / 0"
    assert rows[1][-1] == "0 / 0 / 100"


def test_trap_of_the_ratio_is_explained_where_it_is() -> None:
    texts = plain(soup_of(report_on("usual")).get_text())
    assert "Mind the ratio: b_cost may be zero, by its own covariance" in texts
    sure = plain(soup_of(report_on("bare")).get_text())
    assert "Mind the ratio" not in sure


def test_without_money_welfare_is_in_utility() -> None:
    soup = soup_of(report_on("bare"))
    assert soup.select_one("#table-worth-utility") is None
    assert "utility units" in soup.select_one("#table-worth caption").get_text()  # type: ignore[union-attr]


def test_elasticities_are_those_of_the_comparison() -> None:
    result = result_on("usual")
    found = result.comparison.elasticities.loc["cost"]
    rows = cells(soup_of(report_on("usual")).select_one("#table-elasticities-cost"))
    for row, (name, values) in zip(rows, found.iterrows(), strict=True):
        assert row[0] == name
        assert [cell.split("|")[0] for cell in row[1:]] == [f"{value:+.3f}" for value in values[:4]]


def test_iia_is_said_of_softmax_and_of_agents_who_are_alike() -> None:
    differ = plain(soup_of(report_on("usual")).get_text())
    assert "independence of irrelevant alternatives (IIA)" in differ
    assert "Agents differ, so the ratios of all of them together depart from it" in differ
    alike = constant_comparison({"a": "0", "b": "1", "c": "2"}, {"up": {"availability": {"c": "x < 2"}}})
    assert "Agents are alike here" in plain(soup_of(build_report(alike)).get_text())


def test_three_errors_stand_side_by_side() -> None:
    result = result_on("usual")
    outcome = result.comparison.policies["cheaper-train"]
    rows = cells(soup_of(report_on("usual")).select_one("#table-uncertainty"))
    first = rows[0]
    assert first[:2] == ["cheaper train", "share of train, points"]
    estimate = outcome.estimate()
    assert first[2] == f"{100 * outcome.share_change[0, 1]:+.1f}"
    assert first[3] == f"{100 * estimate.change[0, 1]:+.1f} ± {100 * estimate.half_width[0, 1]:.1f}"
    for column, (lower, upper) in zip(
        (4, 5), (outcome.interval_over_agents(), outcome.interval_over_parameters()), strict=True
    ):
        assert first[column] == f"{100 * lower[0, 1]:.1f} to {100 * upper[0, 1]:.1f}"
    assert first[6] == f"{estimate.reduction[0, 1]:.2g} ×"
    assert rows[1][1:4] == ["mean welfare, $", f"{outcome.money_welfare.mean[0]:+.2f}", "exact"]


def test_an_error_that_is_not_known_is_said_to_be() -> None:
    soup = soup_of(report_on("bare"))
    rows = cells(soup.select_one("#table-uncertainty"))
    assert rows[0][4:6] == ["not given", "not given"]
    text = plain(soup.get_text())
    assert "Coefficients: not known here" in text
    assert "Agents: not worked out" in text


def test_convergence_of_the_change_names_the_replications_needed() -> None:
    report = report_on("usual")
    caption = soup_of(report).select_one("#figure-convergence-change figcaption")
    assert caption is not None
    assert "± 0.1 points would take about" in caption.get_text()
    assert "convergence-change" not in build_report(mode_comparison(replications=1)).figures


def test_policies_are_differences_of_scenario_and_model() -> None:
    soup = soup_of(report_on("usual"))
    diffs = [tag.get_text() for tag in soup.select("pre.diff")]
    assert len(diffs) == len(POLICIES)
    assert "+   cheaper-train:\n+     change:\n+       train:\n" in diffs[0]
    assert "-   train: asc_train + b_cost * cost + b_wait * wait\n" in diffs[0]
    assert "+   train: asc_train + b_cost * (0.8 * cost) + b_wait * wait\n" in diffs[0]
    assert not any(name in diffs[0] for name in ("air:", "bus:", "car:", "coefficients:", "rule:"))
    assert "-   bus: asc_bus + b_cost * cost + b_wait * wait\n" in diffs[1]
    assert "+   bus" not in diffs[1]
    assert "+   night_train: " in diffs[2]
    assert "-   b_cost: -0.0155\n+   b_cost: -0.0186\n" in diffs[3]
    assert soup.select("pre.diff ins")
    assert soup.select("pre.diff del")


def test_a_changed_rule_is_a_difference() -> None:
    result = constant_comparison({"a": "0", "b": "x"}, {"noisier": Policy(rule=Softmax(temperature=2.0))})
    text = soup_of(build_report(result)).select_one("pre.diff").get_text()  # type: ignore[union-attr]
    assert "-   temperature: 1.0\n+   temperature: 2.0\n" in text


def test_welfare_under_another_rule_is_marked_wherever_it_stands() -> None:
    policies = {"noisier": Policy(rule=Softmax(temperature=2.0)), "more": {"change": {"b": {"x": "x + 1"}}}}
    report = build_report(constant_comparison({"a": "0", "b": "x"}, policies))
    soup = soup_of(report)
    overview = cells(soup.select_one("#table-policy-overview"))
    assert [row[-1] == "not comparable" for row in overview] == [True, False]
    rows = cells(soup.select_one("#table-worth"))
    assert [row[0] for row in rows] == ["noisier|not comparable", "more"]
    assert "puts welfare on another scale (noisier)" in soup.select_one("#worth").get_text()  # type: ignore[union-attr]
    assert "noisier" not in report.figures["worth"]
    measured = [row[:2] for row in cells(soup.select_one("#table-uncertainty"))]
    assert ["noisier", "mean welfare, utility units"] not in measured
    assert ["more", "mean welfare, utility units"] in measured
    alone = build_report(constant_comparison({"a": "0", "b": "x"}, {"noisier": policies["noisier"]}))
    assert "worth" not in alone.figures


def test_policies_that_change_what_money_is_worth_are_named() -> None:
    words = plain(soup_of(report_on("usual")).select_one("#worth").get_text())  # type: ignore[union-attr]
    assert words.count("What money is worth changes under dearer; amounts divide by what it is worth in") == 1
    other = plain(soup_of(report_on("outside")).select_one("#worth").get_text())  # type: ignore[union-attr]
    assert "changes under dearer;" in other
    assert "What money is worth" not in soup_of(report_on("bare")).get_text()


def test_long_names_of_policies_are_shortened_and_stay_distinct() -> None:
    names = [f"{'very ' * 60}{end}" for end in ("cheap", "cheap too")] + [f"A{'a' * 300}b{'c' * 300}" for _ in "x"]
    policies = {name: {"change": {"b": {"x": f"x + {place + 1}"}}} for place, name in enumerate(names)}
    soup = soup_of(build_report(constant_comparison({"a": "0", "b": "x"}, policies)))
    for shown in soup.select("h1, h2, h3, th, td, caption, summary, figcaption, .lead"):
        assert "very " * 14 not in shown.get_text(), shown
        assert "a" * 62 not in shown.get_text(), shown
    for labelled in soup.select("[aria-label]"):
        assert "very " * 14 not in str(labelled["aria-label"])
    assert len({row[0] for row in cells(soup.select_one("#table-policy-overview"))}) == 3


def test_arcs_are_told_to_be_midpoints_and_to_tell_where_shares_jump() -> None:
    assert (
        "by midpoints: the change of the share over the mean of its two values"
        in soup_of(report_on("usual")).get_text()
    )
    result = constant_comparison(
        {}, {"up": {"change": {"a": {"x": "x + 5"}}}}, elasticities=["x"],
        model=ChoiceModel({"a": "x", "b": "0.5"}, rule=Softmax(0.0)),
    )  # fmt: skip
    responses = result.comparison.responses
    assert not np.nan_to_num(responses.point).any()
    assert np.nan_to_num(responses.arc).any()
    text = soup_of(build_report(result)).get_text()
    assert "point elasticities are 0; the arcs in the table tell" in text
    assert "No share answers" not in text


def test_many_alternatives_leave_the_axis_to_those_that_change() -> None:
    report = build_report(many_comparison(n_policies=1, n_alternatives=40))
    svg = report.figures["change-policy-00"]
    assert "other (" not in svg
    assert "the 20 that change least are left to the table" in soup_of(report).get_text()
    ticks = [float(text) for text in re.findall(r">\s*(\d+)\s*</text>", svg)]
    assert max(ticks, default=0.0) < 20


def test_policies_that_change_nothing_get_no_figure() -> None:
    report = report_on("nothing")
    assert not [name for name in report.figures if name.startswith(("change-", "switching-"))]
    text = plain(soup_of(report).get_text())
    assert "As ever changes no share." in text
    assert "Nobody switches: every simulated choice is the same as in the baseline." in text


def test_filters_say_how_many_they_count() -> None:
    result = result_on("outside")
    counted = int(result.comparison.policies["rich-only"].rows[0])
    text = plain(soup_of(report_on("outside")).get_text())
    assert f"Rich only counts {counted} of 210 agents only" in text.replace("travellers", "agents")
    assert counted < 210


def test_fast_sampling_is_said_to_mix_in_noise() -> None:
    text = plain(soup_of(report_on("fast")).get_text())
    assert "Sampling is fast, so that noise is mixed in" in text
    assert "each of these switches is caused by the policy" not in text
    assert "each of these switches is caused by the policy" in plain(soup_of(report_on("two")).get_text())


def test_many_policies_are_shown_by_their_effects() -> None:
    report = build_report(many_comparison(n_policies=14, n_alternatives=6))
    drawn = [name for name in report.figures if name.startswith("change-")]
    assert len(drawn) == 12
    soup = soup_of(report)
    assert len(soup.select("#policies > figure")) == 4
    assert "2 more policies, with smaller effects" in soup.get_text()
    assert len(soup.select("#table-policy-overview tbody tr")) == 14


def test_an_added_alternative_keeps_the_marks_of_the_others() -> None:
    result = result_on("usual")
    baseline = soup_of(report_of(result.outcome)).select("#table-shares tbody th path")
    rows = soup_of(report_on("usual")).select("#table-policies tbody th path")
    assert [str(path) for path in rows[:4]] == [str(path) for path in baseline]
    assert len({str(path) for path in rows}) == 5


def test_calibration_is_told_in_the_model_section() -> None:
    outcome = mode_choice(replications=4)
    study = outcome.study
    found = calibrate_constants(study.model, study.population, {"air": 58, "train": 63, "bus": 30, "car": 59})
    report = build_report(replace(result_of(outcome), calibration=found))
    rows = cells(soup_of(report).select_one("#model #table-calibration"))
    assert [row[4] for row in rows] == ["27.62 %", "30.00 %", "14.29 %", "28.10 %"]
    assert rows[0][1] == "asc_air"
    assert rows[3][1] == "stays"
    assert list(report.tables["calibration"]["share_after"]) == list(found.to_frame()["share_after"])
    by_group = calibrate_constants(
        study.model, study.population, {"under 20": {"air": 1, "train": 1, "bus": 1, "car": 1}}, by=study.segments[0]
    )
    assert "group by group of income" in render_page(build_report(replace(result_of(outcome), calibration=by_group)))


@pytest.mark.parametrize("checks", [(HELD,), (HELD, FAILED)])
def test_a_failed_check_is_still_the_title(checks: tuple[object, ...]) -> None:
    report = build_report(mode_comparison(replications=4, changes={"checks": checks}))
    assert report.title.startswith("Not to be relied on") is (FAILED in checks)


def test_same_comparison_same_bytes() -> None:
    first, second = (render_page(build_report(mode_comparison(replications=4))) for _ in range(2))
    assert first == second
