"""The verdict, for every situation, and the paragraph below it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from choicekit.report.kinds.choice.words import finding
from choicekit.report.verdict import status
from choicekit.rules import Softmax
from tests.report.studies import FAILED, HELD, by_thirds, constant_choice, mode_choice, report_of, travellers


def plain(text: str) -> str:
    """Text with ordinary spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.276, 0.3, 0.143, 0.281], "B is chosen most, for 30.0 % of trips; d follows with 28.1 %"),
        ([0.3, 0.3, 0.4], "C is chosen most, for 40.0 % of trips; a and b follow with 30.0 % each"),
        ([0.35, 0.35, 0.3], "A and b are chosen most, for 35.0 % of trips each; c follows with 30.0 %"),
        ([0.35001, 0.35002, 0.29997], "B and a are chosen most, for 35.0 % of trips each; c follows with 30.0 %"),
        ([1.0], "All trips go to a, the only alternative"),
        ([0.25, 0.75], "B is chosen for 75.0 % of trips, a for 25.0 %"),
        ([0.5, 0.5], "A and b are chosen equally often, for 50.0 % of trips each"),
        ([0.25] * 4, "The 4 alternatives are chosen equally often, for 25.0 % of trips each"),
        ([0.0, 1.0, 0.0], "B is chosen for all trips"),
        ([0.0001, 0.9999, 0.0], "B is chosen for practically all trips"),
        ([0.2] * 4 + [0.1, 0.1], "4 of 6 alternatives are chosen most, for 20.0 % of trips each"),
        ([0.5] + [0.125] * 4, "A is chosen most, for 50.0 % of trips; 4 others follow with 12.5 % each"),
    ],
)
def test_finding_fits_the_situation(shares: list[float], expected: str) -> None:
    names = [chr(97 + place) for place in range(len(shares))]
    assert plain(finding(names, np.array(shares), choices="trips")) == expected


def test_a_failed_check_is_the_title() -> None:
    report = report_of(mode_choice(replications=5), checks=(HELD, FAILED))
    assert "Not to be relied on yet" in report.title
    assert "simulated shares agree" in report.title
    assert "3 × 10⁻⁷ where at least 0.0001 is needed" in plain(report.title)
    assert report.status == "✗ 1 of 2 checks fails"
    assert not report.passed


def test_headline_is_the_title_and_needs_no_figure() -> None:
    program = r"""
import sys
from choicekit.report import headline
from choicekit.report.kinds import build_report
from tests.report.studies import mode_choice, result_of
result = result_of(mode_choice(replications=3))
found = headline(result)
assert "matplotlib" not in sys.modules and "jinja2" not in sys.modules
assert found == build_report(result).title.replace("\u202f", " ")
assert found.isprintable()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_several_failed_checks_are_counted() -> None:
    report = report_of(mode_choice(replications=5), checks=(FAILED, FAILED, HELD))
    assert "2 of 3 checks fail, the first being “simulated shares agree”" in report.title


def test_status_counts_checks() -> None:
    assert status([HELD]) == "✓ complete, the check holds"
    assert status([FAILED, FAILED, HELD]) == "✗ 2 of 3 checks fail"
    assert status([HELD] * 3) == "✓ complete, all 3 checks hold"
    assert status([FAILED]) == "✗ the check fails"


def test_lead_says_what_was_run_and_found() -> None:
    outcome = mode_choice()
    lead = plain(report_of(outcome, scenario={"labels": {"agents": "travellers", "choices": "trips"}}).lead)
    assert lead.startswith(
        "210 travellers choose among 4 alternatives, simulated 200 times over by softmax with T = 1."
    )
    top = outcome.expected_shares.idxmax()
    assert f"The expected share of {top} is {100 * outcome.expected_shares.max():.1f} % of trips" in lead
    half = 100 * outcome.estimate_by_group().half_width[0].max()
    assert f"± {half:.1f} %" in lead
    assert "Expected shares differ from the observed ones by at most" in lead
    assert f"{outcome.inclusive_value:.2f} utility units" in lead
    assert "The widest gap between groups is by income" in lead


def test_lead_without_observations_or_segments_speaks_of_neither() -> None:
    lead = report_of(constant_choice({"a": "0", "b": "x"})).lead
    assert "observed" not in lead
    assert "group" not in lead


def test_small_groups_make_no_finding() -> None:
    # One agent in sixty is extreme by construction; the two large groups are alike.
    labels = by_thirds("home", ["city", "country"])
    codes = labels.codes.copy()
    codes[59] = 2
    lonely = type(labels)(name="home", labels=("city", "country", "island"), codes=codes)
    report = report_of(constant_choice({"a": "0", "b": "where(x > 0.99, 9, 0)"}, segments=[lonely]))
    assert "widest gap" not in report.lead
    assert "island" not in report.lead


def test_idle_rows_are_told() -> None:
    available = np.ones((210, 4), dtype=bool)
    available[:3] = False
    people = travellers(availability=available)
    lead = report_of(mode_choice(replications=3, population=people, on_no_alternative="skip")).lead
    assert "3 rows of 210 have nothing available and are left out." in lead
    lead = report_of(mode_choice(replications=3, population=people, on_no_alternative="outside")).lead
    assert "3 rows of 210 have nothing available and are counted as the outside option." in lead


def test_nobody_choosing_is_the_title() -> None:
    people = travellers(availability=np.zeros((210, 4), dtype=bool))
    report = report_of(mode_choice(replications=3, population=people, on_no_alternative="skip"))
    assert report.title == "Nobody chooses: nothing is available to any of 210 agents"


def test_replications_that_agree_by_chance_are_not_certain() -> None:
    outcome = constant_choice({"a": "0", "b": "-3"}, n=2, replications=2)
    assert np.ptp(outcome.shares_by_replication()[:, 0], axis=0).max() == 0
    report = report_of(outcome)
    texts = [block.text for section in report.sections for block in section.blocks if block.kind == "prose"]
    assert not any("no simulation error." in text and "Expected shares" not in text for text in texts)
    assert "± 20.8" in report.lead
    assert "convergence" in report.figures


def test_a_tiny_error_does_not_read_as_none() -> None:
    report = report_of(constant_choice({"a": "0", "b": "-36"}))
    texts = [plain(block.text) for section in report.sections for block in section.blocks if block.kind == "prose"]
    assert any("interval is ± < 0.0001 points" in text for text in texts)


def test_certain_choices_have_no_error() -> None:
    outcome = constant_choice({"a": "0", "b": "1"}, rule=Softmax(temperature=0.0))
    report = report_of(outcome)
    assert report.title == "B is chosen for all choices"
    assert "±" not in report.lead
    texts = [block.text for section in report.sections for block in section.blocks if block.kind == "prose"]
    assert any("there is no simulation error" in text for text in texts)
