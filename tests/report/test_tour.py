"""The page of a tour: one section a station, every number from the result, nobody's text taken for markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag

from choicekit.report import headline
from choicekit.report.content import Report
from choicekit.report.kinds import build_report
from choicekit.report.kinds.tour.sections import STATION_MODULES, claims_of
from choicekit.report.kinds.tour.shown import alternatives_of, claimed, number, probability, utilities
from choicekit.report.page import render_page
from choicekit.tour import STATIONS, Station
from tests.report.studies import FAILED, HOSTILE, parse
from tests.report.tours import (
    hostile_report,
    short_tour,
    tour_report,
    tour_result,
    usual_report,
    usual_tour,
)

ALIKE = [1.0] * 20


@cache
def edges() -> Report:
    """Settings at their limits: two equal alternatives, twenty, one temperature, one checkpoint, no error at all."""
    rows = {
        "argmax": [0, 0],
        "inner-product": [2, 2],
        "bounds": [-900, 900],
        "temperature": [3, 3],
        "ratios": [0, 1000],
        "gumbel-softmax": list(range(12)),
        "convergence": [0, 900],
        "rules": ALIKE,
        "two-samplings": list(range(14)),
        "energy": ALIKE,
    }
    settings = {"temperatures": [1.0], "relaxation_temperatures": [0.5], "samples": 1, "draws": (100,), "shift": -0.001}
    return tour_report(short_tour(utilities=rows, **settings))


REPORTS: dict[str, Callable[[], Report]] = {
    "usual": usual_report,
    "hostile": hostile_report,
    "short": lambda: tour_report(short_tour(stations=["energy", "surfaces"])),
    "failed": lambda: tour_report(short_tour(stations=["argmax"]), checks=(FAILED,)),
    "edges": edges,
}


@pytest.fixture(scope="module", params=list(REPORTS))
def page(request: pytest.FixtureRequest) -> tuple[str, BeautifulSoup, Report]:
    report = REPORTS[request.param]()
    html = render_page(report)
    return html, BeautifulSoup(html, "html.parser"), report


@pytest.fixture(scope="module")
def usual() -> BeautifulSoup:
    return BeautifulSoup(render_page(usual_report()), "html.parser")


def cells(soup: BeautifulSoup, table: str) -> list[list[str]]:
    """Texts of the body of a table, its first column too."""
    found = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
        for row in soup.select(f"#table-{table} tbody tr")
    ]
    assert found, table
    return found


def station(name: str) -> Station:
    return usual_tour().station(name)


# --- the page -------------------------------------------------------------------------------------------------------


def test_page_stands_alone(page: tuple[str, BeautifulSoup, Report]) -> None:
    html, soup, _ = page
    assert len(html.encode()) < 2_000_000
    assert not soup.find_all(["script", "link", "iframe", "img", "object", "embed", "form", "base"])
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            assert not name.lower().startswith("on"), (tag.name, name)
            if name.rpartition(":")[2] in {"href", "src", "action", "data"}:
                assert str(value).startswith("#"), (tag.name, name, value)
    assert not set(re.findall(r"(?:https?:)?//[\w.]+", html)) - {"http://www.w3.org"}


def test_internal_links_lead_somewhere(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, soup, _ = page
    ids = [str(tag["id"]) for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    targets = {
        str(tag[name])[1:] for tag in soup.find_all(True) for name in ("href", "xlink:href") if tag.has_attr(name)
    }
    assert targets <= set(ids)
    used = {name for tag in soup.find_all(style=True) for name in re.findall(r"url\(#([^)]+)\)", str(tag["style"]))}
    used |= {str(tag["clip-path"])[5:-1] for tag in soup.find_all(attrs={"clip-path": True})}
    assert used <= set(ids)


def test_every_figure_has_caption_table_and_label(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, soup, report = page
    figures = soup.find_all("figure")
    assert len(figures) == len(report.figures) >= 1
    for figure in figures:
        caption, svg = figure.find("figcaption"), figure.find("svg")
        assert len(caption.get_text(strip=True)) > 20
        assert len(str(svg["aria-label"])) > 20
        table = soup.find(id=str(figure["aria-describedby"]))
        assert isinstance(table, Tag)
        assert len(table.find_all("tr")) > 1


def test_tables_and_headings_are_well_formed(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, soup, _ = page
    for table in soup.find_all("table"):
        assert table.find("caption").get_text(strip=True)
        assert len({len(row.find_all(["th", "td"])) for row in table.find_all("tr")}) == 1
    levels = [int(tag.name[1]) for tag in soup.find_all(re.compile(r"^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_figures_are_xml_whose_words_are_numbers_or_words(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, _, report = page
    for name, svg in report.figures.items():
        words = ["".join(text.itertext()) for text in parse(svg).iter("{http://www.w3.org/2000/svg}text")]
        assert words, name
        assert not [word for word in words if re.search(r"\bnan\b|\binf\b|\de[-+]?\d", word)], name


def test_formulas_are_mathml(page: tuple[str, BeautifulSoup, Report]) -> None:
    html, soup, _ = page
    for formula in soup.find_all("math"):
        parse(str(formula))
        assert formula.get_text(strip=True)
        assert all(operator.get_text() for operator in formula.find_all("mo"))
    assert "&lt;m" not in html  # no markup that was escaped by mistake


def test_every_station_has_a_section_in_the_order_of_the_tour(usual: BeautifulSoup) -> None:
    assert [tag["href"] for tag in usual.select("nav a")] == ["#holds", *(f"#{name}" for name in STATIONS), "#rerun"]
    for place, found in enumerate(usual_tour().stations, start=1):
        section = usual.find(id=found.name)
        assert isinstance(section, Tag)
        assert section.find("h2").get_text().startswith(f"{place}. ")  # type: ignore[union-attr]
        assert section.find("h3").get_text() == found.title  # type: ignore[union-attr]
        assert section.find("figure") is not None
        told = section.get_text()
        assert "Why it matters" in told
        assert "What goes wrong otherwise" in told


def test_every_station_of_the_tour_is_told() -> None:
    assert tuple(STATION_MODULES) == STATIONS


def test_another_order_is_another_page() -> None:
    soup = BeautifulSoup(render_page(tour_report(short_tour(stations=["energy", "argmax"]))), "html.parser")
    assert [tag.get_text() for tag in soup.select("section h2")] == [
        "What holds", "1. Energy", "2. Argmax and softmax", "Run it again",
    ]  # fmt: skip


# --- verdict and claims ---------------------------------------------------------------------------------------------


def test_the_title_counts_the_claims() -> None:
    tour = usual_tour()
    report = usual_report()
    assert report.title == (
        f"A maximum of 7 softens to 7.0101, and all {len(tour.checks)} claims at {len(STATIONS)} stations hold"
    )
    assert report.title == headline(tour_result(tour))
    assert report.status == f"✓ complete, all {len(tour.checks)} checks hold"


def test_without_the_first_station_the_title_has_no_number_of_it() -> None:
    tour = short_tour(stations=["surfaces"])
    assert tour_report(tour).title == f"All {len(tour.checks)} claims at 1 station hold"


def test_a_failed_check_is_the_title_and_stands_open() -> None:
    report = REPORTS["failed"]()
    assert report.title.startswith("Not to be relied on yet: the check “simulated shares agree” fails")
    assert not report.passed
    soup = BeautifulSoup(render_page(report), "html.parser")
    assert [row[:2] for row in cells(soup, "checks")] == [["simulated shares agree", "✗ fails"]]


def test_a_claim_that_fails_stands_open_at_its_station() -> None:
    tour = short_tour(stations=["argmax", "energy"])
    result = tour_result(tour)
    assert "✗" not in render_page(build_report(result))
    broken = replace(result.checks[0], value=1e9)
    soup = BeautifulSoup(render_page(build_report(replace(result, checks=(broken, *result.checks[1:])))), "html.parser")
    first, second = (row[-1] for row in cells(soup, "stations"))
    n = len(tour.stations[0].checks)
    assert first == f"✗ {n - 1} of {n}"
    assert second.startswith("✓")
    assert soup.find(id="argmax").find_all("details")[-1].has_attr("open")  # type: ignore[union-attr]
    assert not soup.find(id="energy").find_all("details")[-1].has_attr("open")  # type: ignore[union-attr]


def test_every_claim_stands_at_its_station_with_value_and_limit(usual: BeautifulSoup) -> None:
    result = tour_result(usual_tour())
    seen = 0
    for found in usual_tour().stations:
        claims = claims_of(result, found)
        shown = cells(usual, f"claims-{found.name}")
        assert [row[0] for row in shown] == [claimed(claim.title) for claim in claims]
        assert all(row[1] == "✓ holds" and row[3] and row[4][0] in "≤≥" for row in shown)
        seen += len(shown)
    assert seen == len(result.checks)


def test_claims_have_minus_signs_and_no_rows_in_another_order(usual: BeautifulSoup) -> None:
    titles = [row[0] for found in usual_tour().stations for row in cells(usual, f"claims-{found.name}")]
    assert "the Boltzmann operator of (0, x) is lowest, −W0(1/e), at x = −1 − W0(1/e)" in titles
    assert not [title for title in titles if " - " in title or "(-" in title]
    assert "order of rows" not in usual.find(id="rerun").get_text()  # type: ignore[union-attr]


def test_every_panel_of_the_rules_says_its_settings(usual: BeautifulSoup) -> None:
    words = [text.get_text() for text in usual.select("#figure-rules svg text")]
    assert {"alpha = 1.5, T = 1", "no settings"} <= set(words)
    assert not [text for text in words if text.startswith("value ")]


def test_numbers_in_print_stand_beside_ours(usual: BeautifulSoup) -> None:
    rows = cells(usual, "printed")
    assert len(rows) == sum(len(entry.printed) for found in usual_tour().stations for entry in found.published)
    for _, _, printed, computed, _ in rows:
        digits = len(printed.partition(".")[2])
        assert abs(float(computed) - float(printed)) <= 10.0**-digits
    assert ["7.01009416490667" in row[2] for row in rows].count(True) == 1


# --- numbers of the stations ----------------------------------------------------------------------------------------


def test_argmax_numbers(usual: BeautifulSoup) -> None:
    found = station("argmax")
    *rows, total = cells(usual, "argmax")
    assert [row[0] for row in rows] == ["0", "1", "−4", "2", "7"]
    assert [row[3] for row in rows] == ["0.00090272", "0.00245386", "0.00001653", "0.00667028", "0.98995661"]
    assert [row[1] for row in rows] == ["0", "0", "0", "0", "1"]
    assert total[1:] == ["1", number(found.exponentials.sum(), 9), "1"]  # type: ignore[attr-defined]
    assert "7.01009416490667" in usual.find(id="argmax").get_text()  # type: ignore[union-attr]


def test_inner_product_numbers(usual: BeautifulSoup) -> None:
    rows = {row[0]: row[-1] for row in cells(usual, "inner-product")}
    found = station("inner-product")
    assert rows["inner product"] == f"{found.boltzmann:.5f}"  # type: ignore[attr-defined]
    assert rows["is log-sum-exp"] == f"{found.inclusive_value:.5f}"  # type: ignore[attr-defined]
    assert "4.46, not 4.45" in usual.find(id="inner-product").get_text()  # type: ignore[union-attr]


def test_surface_numbers_are_along_the_cut(usual: BeautifulSoup) -> None:
    for x, maximum, value, inner in cells(usual, "surfaces"):
        u = float(x.replace("−", "-"))
        p = 1 / (1 + np.exp(-u))
        assert float(maximum) == max(u, 0)
        assert float(value) == pytest.approx(np.logaddexp(u, 0), abs=5e-5)
        assert float(inner.replace("−", "-")) == pytest.approx(u * p, abs=5e-5)


def test_bound_numbers(usual: BeautifulSoup) -> None:
    found = station("bounds")
    rows = {row[0]: row[1:] for row in cells(usual, "bounds")}
    assert rows["bound"] == [f"{value:.4f}" for value in found.bounds.values()]  # type: ignore[attr-defined]
    assert rows["met at a lead of"][2] == "in the limit"
    gaps = found.gaps  # type: ignore[attr-defined]
    assert rows["0"] == [f"{gap[0]:.4f}" for gap in gaps.values()]


def test_temperature_numbers_and_what_breaks(usual: BeautifulSoup) -> None:
    rows = cells(usual, "formulas")
    assert len(rows) == 9
    by_name = {row[0].replace("\u00a0", " "): row[1:] for row in rows}
    assert by_name["T = 0.001exp(u / T) / sum"] == ["nan"] * 6
    assert by_name["T = 10⁻¹²exp((u − lse) / T)"][3:] == ["0.50018", "0.50018", "1.00037"]
    assert by_name["T = 10⁻¹²exp((u − max) / T) / sum"] == ["0", "0", "0", "0.50000", "0.50000", "1"]
    assert by_name["T = 1exp((u − max) / T) / sum"][:3] == ["0.00831", "0.02260", "0.06142"]
    bad = {cell.get_text(strip=True) for cell in usual.select("#table-formulas td.bad")}
    assert bad == {"nan", "0.50018", "1.00037"}
    text = usual.find(id="temperature").get_text()  # type: ignore[union-attr]
    assert "gives nan from T\u00a0=\u00a00.001 down" in text


def test_ratio_numbers(usual: BeautifulSoup) -> None:
    found = station("ratios")
    rows = cells(usual, "ratios")
    assert [row[1] for row in rows] == ["0.0395", "0.0395", "0.1075", "0.4359", "0.0132", "0.2922", "0.0721"]
    assert {row[3] for row in rows} == {f"{found.growth:.4f}", "–"}  # type: ignore[attr-defined]
    assert [row[1] for row in rows] == [row[4] for row in rows]


def test_sample_numbers(usual: BeautifulSoup) -> None:
    found = station("gumbel-softmax")
    rows = cells(usual, "samples")
    assert len(rows) == found.samples.shape[0] * found.samples.shape[1]  # type: ignore[attr-defined]
    first = [probability(float(value)) for value in found.samples[0, 0]]  # type: ignore[attr-defined]
    assert rows[0][1:-1] == first
    winners = [number(float(found.utility[place])) for place in found.choices]  # type: ignore[attr-defined]
    assert [row[-1] for row in rows] == winners * 4


def test_convergence_numbers(usual: BeautifulSoup) -> None:
    found = station("convergence")
    rows = cells(usual, "convergence")
    assert [row[0].replace("\u202f", "") for row in rows] == ["100", "1000", "10000"]
    errors = found.mean_errors.mean(axis=1)  # type: ignore[attr-defined]
    assert [row[1] for row in rows] == [number(float(error), 3) for error in errors]
    text = usual.find(id="convergence").get_text()  # type: ignore[union-attr]
    assert f"slope {found.slope:.3f}".replace("-", "−") in text  # type: ignore[attr-defined]


def test_rule_numbers_and_exact_zeros(usual: BeautifulSoup) -> None:
    found = station("rules")
    rows = cells(usual, "rules")
    assert len(rows) == len(found.rows)  # type: ignore[attr-defined]
    for row, rule in zip(rows, found.rows, strict=True):  # type: ignore[attr-defined]
        assert row[1:] == [probability(float(p)) for p in rule.probabilities]
        assert [text == "0" for text in row[1:]] == [bool(p == 0) for p in rule.probabilities]
    assert len({row[0] for row in rows}) == len(rows)  # softmax twice, told apart
    values = cells(usual, "rule-values")
    assert [row[1] for row in values] == [number(rule.value, 6) for rule in found.rows]  # type: ignore[attr-defined]


def test_sampling_numbers(usual: BeautifulSoup) -> None:
    found = station("two-samplings")
    rows = cells(usual, "joint")
    assert rows[-1][-1] == "2000"
    assert [row[1:-1] for row in rows[:-1]] == [[str(n) for n in row] for row in found.joint]  # type: ignore[attr-defined]
    coherent = np.array([[int(text) for text in row[1:-1]] for row in cells(usual, "coherent-counts")[:-1]])
    others = np.arange(len(coherent)) != found.improved  # type: ignore[attr-defined]
    assert np.trace(coherent[:, others][others]) == coherent[:, others][others].sum()
    finding = usual.find(id="figure-switching-coherent").figcaption.get_text()  # type: ignore[union-attr]
    assert "all of them to air" in finding


def test_energy_numbers(usual: BeautifulSoup) -> None:
    found = station("energy")
    *rows, last = cells(usual, "energy")
    assert [row[2] for row in rows] == [row[3] for row in rows]
    assert last[2:] == [f"{value:.5f}".replace("-", "−") for value in found.energy]  # type: ignore[attr-defined]
    assert "10 apart" in usual.find(id="figure-energy").figcaption.get_text()  # type: ignore[union-attr]


# --- hostile text, and numbers in words -----------------------------------------------------------------------------


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    report = hostile_report()
    html = render_page(report)
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all(["script", "img", "b", "i", "u"])
    assert soup.select_one(".description").get_text() == "<img src=x onerror=alert(2)>"  # type: ignore[union-attr]
    assert "<b>bold</b> warning" in soup.get_text()
    heads = [cell.get_text(strip=True) for cell in soup.select("#table-joint thead th")]
    assert heads[1:3] == [HOSTILE[0], HOSTILE[1]]
    assert "\x0b" not in html
    assert "\u202e" not in html
    for svg in report.figures.values():
        assert not [tag for tag in parse(svg).iter() if tag.tag.rpartition("}")[2] in {"script", "a", "image"}]
    words = ["".join(t.itertext()) for t in parse(report.figures["joint"]).iter("{http://www.w3.org/2000/svg}text")]
    assert "$x$ and \\frac{1}{2}$"[:8] in " ".join(words)  # as written, not as a formula


def test_rows_of_utilities_are_cut_short_where_they_are_long() -> None:
    assert utilities(np.array([1, 1, 2, 3.4, -0.1, 3, 1.6])) == "[1, 1, 2, 3.4, −0.1, 3, 1.6]"
    assert utilities(np.arange(20.0)).endswith(", …] (20 utilities)")


def test_alternatives_keep_their_marks_apart() -> None:
    shown = alternatives_of(np.zeros(20))
    assert len(set(shown.marks)) == 20
