"""Figures: same bytes, marks that differ, labels that do not cover each other."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from choicekit.report.figures.layout import spread
from choicekit.report.figures.style import mark_svg, marks_for
from choicekit.report.figures.svg import draw_svg
from tests.report.studies import mode_choice, parse, report_of


def some_text(figure: Figure) -> None:
    axes = figure.add_axes((0.1, 0.1, 0.8, 0.8))
    axes.plot([0, 1], [0, 1])
    axes.set_title("$\\alpha$ < & \"b\" 'c'")


def test_same_figure_same_bytes_whatever_the_users_settings() -> None:
    first = draw_svg("one", "label", 200, some_text)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path", "text.parse_math": True}):
        before = dict(mpl.rcParams)
        second = draw_svg("one", "label", 200, some_text)
        assert dict(mpl.rcParams) == before
    assert first == second


def test_two_figures_share_no_id() -> None:
    ids = []
    for name in ("one", "two"):
        root = parse(draw_svg(name, "label", 200, some_text))
        ids += [element.get("id") for element in root.iter() if element.get("id")]
    assert ids
    assert len(set(ids)) == len(ids)


def test_label_and_text_are_escaped() -> None:
    svg = draw_svg("one", 'a "label" <b>&', 200, some_text)
    root = parse(svg)
    assert root.get("aria-label") == 'a "label" <b>&'
    assert "$\\alpha$ < & \"b\" 'c'" in {
        "".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")
    }
    assert "metadata" not in svg
    assert "DOCTYPE" not in svg


def test_reports_are_reproducible() -> None:
    first, second = (report_of(mode_choice(replications=12)).figures for _ in range(2))
    assert first == second


def test_marks_differ_and_can_be_drawn() -> None:
    marks = marks_for([str(place) for place in range(20)])
    assert len(set(marks)) == 20
    assert len({mark.colour for mark in marks[:8]}) == 8
    assert len({mark.marker for mark in marks[:8]}) == 8
    for mark in marks:
        parse(mark_svg(mark))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0.1, 8))
def test_labels_keep_their_distance_and_order(positions: list[float], gap: float) -> None:
    moved = spread(positions, gap, 0, 100)
    order = np.argsort(positions, kind="stable")
    assert np.all(np.diff(moved[order]) >= gap * (1 - 1e-9))
    assert moved.min() >= -1e-9
    assert moved.max() <= 100 + 1e-9


def test_labels_that_do_not_meet_stay() -> None:
    assert spread([1.0, 5.0, 3.0], 1.0, 0.0, 10.0).tolist() == pytest.approx([1.0, 5.0, 3.0])


def test_report_imports_are_light_and_never_pyplot() -> None:
    program = """
import sys
import choicekit.report
assert "matplotlib" not in sys.modules and "jinja2" not in sys.modules and "pyarrow" not in sys.modules
from tests.report.studies import mode_choice, result_of
assert "matplotlib" not in sys.modules
import tempfile
with tempfile.TemporaryDirectory() as directory:
    choicekit.report.write_report(result_of(mode_choice(replications=2)), directory)
assert "matplotlib" in sys.modules and "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
