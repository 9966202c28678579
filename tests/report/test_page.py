"""The page: everything in it, nothing outside it, and nobody's text taken for markup."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from bs4 import BeautifulSoup, Tag

from choicekit.report.checks import checks_table
from choicekit.report.content import Report
from choicekit.report.page import render_page
from tests.report.studies import (
    FAILED,
    HELD,
    HOSTILE,
    by_thirds,
    constant_choice,
    mode_choice,
    parse,
    report_of,
    travellers,
)


def hostile_report() -> Report:
    """Every text a user can write is hostile."""
    outcome = constant_choice(
        {name: f"x * {place} / 9" for place, name in enumerate(HOSTILE)}, segments=[by_thirds(HOSTILE[0], HOSTILE[:6])]
    )
    return report_of(
        outcome,
        title=HOSTILE[0],
        description="<img src=x onerror=alert(2)>",
        warnings=("<b>bold</b> warning",),
        scenario={"labels": {"agents": "<i>agents</i>", "choices": "</title>", "inclusive_value": "<u>u</u>"}},
    )


REPORTS = {
    "usual": lambda: report_of(mode_choice(replications=40)),
    "hostile": hostile_report,
    "one": lambda: report_of(constant_choice({"only": "x"}), checks=()),
    "two": lambda: report_of(constant_choice({"a": "0", "b": "x"}, replications=1)),
    "many": lambda: report_of(
        constant_choice(
            {f"mode_{place:02d}": f"x * {place} / 9" for place in range(25)},
            segments=[by_thirds(f"by {place}", [f"group {g}" for g in range(place + 2)]) for place in range(6)],
        )
    ),
    "weighted": lambda: report_of(
        mode_choice(replications=10, population=travellers(weights=np.linspace(0.5, 3, 210))), checks=(HELD, FAILED)
    ),
    "nobody": lambda: report_of(
        mode_choice(
            replications=3,
            population=travellers(availability=np.zeros((210, 4), dtype=bool)),
            on_no_alternative="skip",
        )
    ),
}


@pytest.fixture(scope="module", params=list(REPORTS))
def page(request: pytest.FixtureRequest) -> tuple[str, BeautifulSoup, Report]:
    report = REPORTS[request.param]()
    html = render_page(report)
    return html, BeautifulSoup(html, "html.parser"), report


def test_page_stands_alone(page: tuple[str, BeautifulSoup, Report]) -> None:
    html, soup, _ = page
    assert len(html.encode()) < 2_000_000
    assert not soup.find_all(["script", "link", "iframe", "img", "object", "embed", "form", "base"])
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert isinstance(policy, Tag)
    assert str(policy["content"]).startswith("default-src 'none'")
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            assert not name.lower().startswith("on"), (tag.name, name)
            if name.rpartition(":")[2] in {"href", "src", "action", "data"}:
                assert str(value).startswith("#"), (tag.name, name, value)
    # Names of XML namespaces are no addresses that a browser opens.
    addresses = set(re.findall(r"(?:https?:)?//[\w.]+", html)) - {"http://www.w3.org"}
    assert not addresses
    assert "@import" not in html


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
        assert caption is not None
        assert len(caption.get_text(strip=True)) > 20
        assert svg is not None
        assert svg["role"] == "img"
        assert len(str(svg["aria-label"])) > 20
        table = soup.find(id=str(figure["aria-describedby"]))
        assert table is not None
        assert table.name == "table"
        assert len(table.find_all("tr")) > 1


def test_a_figure_is_whole_on_a_phone(page: tuple[str, BeautifulSoup, Report]) -> None:
    found = re.search(r"\.frame svg\{[^}]*min-width:(\d+)rem", page[0])
    assert found
    assert 16 * int(found.group(1)) <= 360 - 16  # pixels; beyond that, row labels and marks scroll apart


def test_tables_and_headings_are_well_formed(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, soup, _ = page
    for table in soup.find_all("table"):
        assert table.find("caption").get_text(strip=True)
        assert all(head.get("scope") in {"col", "row"} for head in table.find_all("th"))
        widths = {len(row.find_all(["th", "td"])) for row in table.find_all("tr")}
        assert len(widths) == 1
    levels = [int(tag.name[1]) for tag in soup.find_all(re.compile(r"^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert soup.html is not None
    assert soup.html["lang"] == "en"


def test_figures_are_xml(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, _, report = page
    for name, svg in report.figures.items():
        root = parse(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        texts = ["".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")]
        assert texts, name
        assert root.get("aria-label")
        assert "nan" not in " ".join(texts)


def test_no_number_is_raw(page: tuple[str, BeautifulSoup, Report]) -> None:
    _, soup, _ = page
    for cell in soup.select("td.num"):
        assert not re.search(r"nan|inf|\de[-+]?\d|-\d", cell.get_text()), cell


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    report = hostile_report()
    html = render_page(report)
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all(["script", "img", "b", "i", "u"])
    assert soup.title is not None
    assert soup.title.get_text() == "trips · choicekit report"
    assert soup.select_one(".description").get_text() == "<img src=x onerror=alert(2)>"  # type: ignore[union-attr]
    names = [cell.get_text() for cell in soup.select("#table-shares tbody th")]
    assert names[:6] == list(HOSTILE[:6])  # in full, 300 characters too
    assert "\x0b" not in html
    assert "\u202e" not in html
    drawn = report.figures["shares"]
    words = ["".join(text.itertext()) for text in parse(drawn).iter("{http://www.w3.org/2000/svg}text")]
    assert "$x$ and \\frac{1}{2}$" in words  # as written, not as a formula
    assert "🚆 train 🚌" in words
    assert any(word.startswith("Looo") and "…" in word and len(word) < 40 for word in words)


def test_arabic_is_isolated_in_sentences() -> None:
    report = report_of(constant_choice({"قطار": "9", "b": "0"}))
    assert "\u2068قطار\u2069" in report.title


def test_shares_table_shows_expected_simulated_and_observed() -> None:
    outcome = mode_choice(replications=40)
    soup = BeautifulSoup(render_page(report_of(outcome)), "html.parser")
    estimate = outcome.estimate_by_group()
    rows = soup.select("#table-shares tbody tr")
    for place, row in enumerate(rows):
        expected, observed, difference = row.find_all("td")
        shown = f"{100 * outcome.expected_shares.iloc[place]:.1f}"
        half = 100 * estimate.half_width[0, place]
        below = expected.select_one(".below")
        assert below is not None
        assert expected.get_text().startswith(shown)
        assert below.get_text() == f"{100 * estimate.share[0, place]:.1f} ± {half:.1f}"
        assert observed.get_text(strip=True) == f"{100 * outcome.observed_shares.iloc[place]:.1f}"
        gap = 100 * (outcome.expected_shares - outcome.observed_shares).iloc[place]
        assert difference.get_text(strip=True) == f"{gap:+.1f}".replace("-", "−")


def test_segments_table_has_every_group_and_everybody() -> None:
    outcome = mode_choice(replications=5)
    soup = BeautifulSoup(render_page(report_of(outcome)), "html.parser")
    rows = soup.select("#table-by-income tbody tr")
    assert [row.find("th").get_text(strip=True) for row in rows] == [  # type: ignore[union-attr]
        "under 20",
        "20 to 40",
        "40 and over",
        "all agents",
    ]
    for position, row in zip((1, 2, 3, 0), rows, strict=True):
        size, *shares, value = (cell.get_text(strip=True) for cell in row.find_all("td"))
        assert size == str(outcome.tally.rows[position])
        assert shares == [f"{100 * share:.1f}" for share in outcome.expected_by_group()[position]]
        assert value.replace("−", "-") == f"{outcome.inclusive_value_by_group()[position]:.2f}"


def test_without_segments_there_is_no_section() -> None:
    soup = BeautifulSoup(render_page(report_of(mode_choice(replications=5, segments=[]))), "html.parser")
    assert soup.find(id="segments") is None
    assert [tag["href"] for tag in soup.select("nav a")] == ["#shares", "#sure", "#model", "#rerun"]


def test_weights_and_availability_have_columns() -> None:
    available = np.ones((210, 4), dtype=bool)
    available[:21, 0] = False
    people = travellers(weights=np.linspace(0.5, 3, 210), availability=available)
    outcome = mode_choice(replications=5, population=people)
    soup = BeautifulSoup(render_page(report_of(outcome)), "html.parser")
    heads = [cell.get_text(strip=True) for cell in soup.select("#table-shares thead th")]
    assert heads == [
        "alternative",
        "expected, weighted",
        "unweighted",
        "observed",
        "expected − observed, points",
        "available to, unweighted",
    ]
    row = soup.select("#table-shares tbody tr")[0].find_all("td")
    weighted, unweighted = outcome.expected_by_group()[0, 0], outcome.expected_by_group(weighted=False)[0, 0]
    assert row[0].get_text().startswith(f"{100 * weighted:.1f}")
    assert row[1].get_text().startswith(f"{100 * unweighted:.1f}")
    assert abs(weighted - unweighted) > 0.001
    assert row[4].get_text(strip=True).replace("\u202f", " ") == "90.0 %"


def test_checks_speak_in_words_and_marks() -> None:
    soup = BeautifulSoup(render_page(report_of(mode_choice(replications=5), checks=(HELD, FAILED))), "html.parser")
    rows = [
        [cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
        for row in soup.select("#table-checks tbody tr")
    ]
    assert rows[0][:2] == ["probabilities sum to one", "✓ holds"]
    assert rows[1][1] == "✗ fails"
    assert rows[1][3].replace("\u202f", " ") == "< 0.0001"
    assert rows[1][4] == "≥ 0.0001"


def test_what_a_check_found_is_written_by_its_unit() -> None:
    idle = replace(HELD, measure="p-values nobody asked for", value=12_345.0, limit=0.0, unit="rows")
    table = checks_table([idle, FAILED, replace(HELD, unit="share", value=0.00123)])
    assert [row[3].text.replace("\u202f", " ") for row in table.rows] == ["12 345", "< 0.0001", "0.0012"]


def test_the_page_claims_what_is_true_of_bytes() -> None:
    text = BeautifulSoup(render_page(report_of(mode_choice(replications=2))), "html.parser").get_text()
    assert "give the same bytes, whatever the number of workers" in text
    assert "the choices and their counts stay the same, sums to rounding" in text


def test_one_replication_says_why_there_is_no_convergence() -> None:
    report = report_of(mode_choice(replications=1))
    assert "convergence" not in report.figures
    assert "single replication" in render_page(report)


def test_model_is_shown_as_formulas() -> None:
    outcome = mode_choice(replications=5, availability={"car": "income > 5"})
    soup = BeautifulSoup(render_page(report_of(outcome)), "html.parser")
    section = soup.find(id="model")
    assert isinstance(section, Tag)
    assert len(section.find_all("math")) == 6  # the regulariser, four utilities and a condition
    assert any(r"\begin{align*}" in code.get_text() for code in section.select("pre code"))
    shown = {
        row.find("th").get_text(): row.find("td").get_text() for row in section.select("#table-coefficients tbody tr")
    }  # type: ignore[union-attr]
    assert shown["b_cost"] == "−0.0155"


def test_warnings_are_listed() -> None:
    soup = BeautifulSoup(
        render_page(report_of(mode_choice(replications=2), warnings=("b_time is never used",))), "html.parser"
    )
    assert [item.get_text() for item in soup.select("ul.items li")] == ["b_time is never used"]


def test_many_alternatives_are_drawn_as_twenty() -> None:
    report = REPORTS["many"]()
    words = ["".join(text.itertext()) for text in parse(report.figures["shares"]).iter() if text.text]
    named = [word for word in words if word.startswith("mode ")]
    assert len(named) == 19
    assert "other (6)" in words
    rows = BeautifulSoup(render_page(report), "html.parser").select("#table-shares tbody tr")
    assert len(rows) == 25
